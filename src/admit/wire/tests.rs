use proptest::prelude::*;

use super::*;
use crate::admit::command::{CircuitState, Figures, Notice, Outcome, TargetFigures};
use crate::admit::edge::{BudgetFigures, Caller, CallerFigures, Correction, Entry, Errand};
use crate::config::{BreakerConfig, BudgetConfig};
use crate::error::Allowance;
use crate::host::UtcOnly;
use crate::record::hex;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn with<T>(use_policy: impl FnOnce(&LedgerPolicy<'_>) -> T) -> T {
    let (budget, breaker) = (BudgetConfig::default(), BreakerConfig::default());
    use_policy(&LedgerPolicy { budget: &budget, breaker: &breaker, max_concurrent: 8 })
}

fn admit() -> Command {
    let (tenant, target) = ("me".into(), "groq/m/default".into());
    Command::Admit { tenant, target, bound: NanoUsd::new(5), lease_until: at(180_000), slot: None }
}

/// A byte that means nothing is refused, not taken for another.
fn written_as_read(bytes: &[u8], again: &dyn Fn(&[u8]) -> Option<Vec<u8>>) {
    for index in 0..bytes.len() {
        for value in 0..16 {
            let mut other = bytes.to_vec();
            other[index] = value;
            if let Some(written) = again(&other) {
                assert_eq!(written, other, "{value} at {index}");
            }
        }
    }
}

#[test]
fn commands_come_back() {
    let settle = |charge, outcome, cool_until| Command::Settle {
        reservation: u64::MAX,
        charge,
        outcome,
        cool_until,
        end_slot: true,
    };
    let commands = [
        admit(),
        Command::Admit {
            tenant: String::new(),
            target: "ü".into(),
            bound: NanoUsd::MAX,
            lease_until: at(i64::MIN),
            slot: Some(7),
        },
        settle(Charge::Released, BreakerOutcome::Success, None),
        settle(Charge::Actual(NanoUsd::new(3)), BreakerOutcome::Failure, Some(at(-1))),
        settle(Charge::Bound, BreakerOutcome::Ignored, Some(Timestamp::MAX)),
        Command::EndSlot { slot: 9 },
        Command::Status,
        Command::For(Errand { caller: Caller::default(), entry: None, correction: None, command: None }.into()),
        Command::For(
            Errand {
                caller: Caller { user: Some("u".into()), token: Some("t".into()), tier: "free".into() },
                entry: Some(Entry { route: "chat".into(), tokens: Some(9) }),
                correction: Some(Correction { estimated: 9, used: u64::MAX }),
                command: Some(admit()),
            }
            .into(),
        ),
        Command::Lease {
            tenant: "me".into(),
            route: "chat".into(),
            bound: NanoUsd::new(7),
            requests: 8,
            window: Duration::from_secs(2),
            settles_within: Duration::from_millis(60_001),
        },
        Command::Return { slice: 5, route: "chat".into(), spent: NanoUsd::new(6), requests: 3 },
    ];
    for command in commands {
        let bytes = command.encode();
        assert_eq!(Command::decode(&bytes).unwrap(), command);
        written_as_read(&bytes, &|bytes| Some(Command::decode(bytes).ok()?.encode()));
    }
}

/// A command of a kilobyte must not be read a thousand calls deep.
#[test]
fn an_errand_within_an_errand_is_refused() {
    let empty = Errand { caller: Caller::default(), entry: None, correction: None, command: None };
    let nested = Errand { command: Some(Command::For(empty.clone().into())), ..empty.clone() };
    assert!(Command::decode(&Command::For(empty.into()).encode()).is_ok());
    assert!(Command::decode(&Command::For(nested.into()).encode()).is_err());
}

#[test]
fn replies_come_back() {
    let target = |state, time| TargetFigures {
        tenant: "me".into(),
        target: "t".into(),
        state,
        failures: 4,
        open_until: time,
        cooling_until: time,
    };
    let figures = Figures {
        limit: NanoUsd::new(1),
        spent: NanoUsd::new(2),
        reserved: NanoUsd::new(3),
        overshoot: NanoUsd::new(4),
        resets_at: at(5),
        in_flight: 6,
        targets: vec![
            target(CircuitState::Closed, None),
            target(CircuitState::Open, Some(at(9))),
            target(CircuitState::HalfOpen, None),
        ],
    };
    let (limit, spent, reserved, resets_at) = (NanoUsd::new(1), NanoUsd::new(2), NanoUsd::new(3), at(4));
    let results = [
        Ok(Outcome::Admitted { reservation: 1, slot: 2, probe: true, generation: 3 }),
        Ok(Outcome::Settled { charged: NanoUsd::new(9) }),
        Ok(Outcome::SlotEnded),
        Ok(Outcome::NotHeld),
        Ok(Outcome::Leased { slice: 4, budget: NanoUsd::new(9), requests: 2, window: Duration::from_millis(1_500) }),
        Ok(Outcome::NotLeased),
        Ok(Outcome::Entered),
        Ok(Outcome::Caller(
            CallerFigures {
                organisation: figures.clone(),
                requests: Allowance { limit: 1, remaining: 2, reset: Duration::from_secs(3) },
                tokens: Some(Allowance { limit: 4, remaining: 5, reset: Duration::ZERO }),
                budgets: vec![BudgetFigures {
                    of: BudgetScope::Token,
                    per: BudgetSpan::Month,
                    limit: NanoUsd::MAX,
                    spent: NanoUsd::ZERO,
                    reserved: NanoUsd::new(3),
                    resets_at: at(-4),
                }],
            }
            .into(),
        )),
        Ok(Outcome::Status(figures)),
        Err(Code::QueueFull.into()),
        Err(Error::new(Code::CircuitOpen).after(Duration::from_millis(1_500)).into()),
        Err(Error::new(Code::BudgetExceeded).with(Detail::Budget { limit, spent, reserved, resets_at }).into()),
        Err(unknown_zone()),
        Err(Error::new(Code::BudgetExceeded)
            .with(Detail::BudgetOf { of: "user", per: "week", limit, spent, reserved, resets_at })
            .into()),
    ];
    let (tenant, target) = (String::from("me"), String::from("t"));
    let notices = vec![
        Notice::Threshold { period: -1, percent: 80, spent, limit },
        Notice::CircuitOpen { tenant: tenant.clone(), target: target.clone(), until: at(1) },
        Notice::CircuitHalfOpen { tenant: tenant.clone(), target: target.clone() },
        Notice::CircuitClosed { tenant, target },
        Notice::Overshoot { period: 3, amount: spent },
        Notice::LeaseExpired { reservation: 8 },
        Notice::BudgetOf {
            of: BudgetScope::User,
            per: BudgetSpan::Week,
            who: Some("u".into()),
            period: -2,
            percent: 95,
            spent,
            limit,
        },
    ];
    for (index, result) in results.into_iter().enumerate() {
        let (notices, offset) = if index == 0 { (notices.clone(), Some(-18_000)) } else { (Vec::new(), None) };
        let allowance = Allowance { limit: 5, remaining: 4, reset: Duration::from_millis(7) };
        let entered = (index % 2 == 0).then_some(Entered { allowance, granted: index == 0 });
        let reply = Reply { notices, offset, entered, ..Reply::of(result) };
        let bytes = reply.encode();
        assert_eq!(Reply::decode(&bytes).unwrap(), reply);
        written_as_read(&bytes, &|bytes| Some(Reply::decode(bytes).ok()?.encode()));
    }
}

#[test]
fn only_changes_are_to_be_stored() {
    with(|policy| {
        let status = Command::Status.encode();
        let (stored, _) = decide(None, &status, policy, &UtcOnly, at(0));
        assert_eq!(stored, None);
        let (stored, reply) = decide(None, &admit().encode(), policy, &UtcOnly, at(0));
        let stored = stored.unwrap();
        assert!(Reply::decode(&reply).unwrap().result.is_ok());
        assert_eq!(decide(Some(&stored), &status, policy, &UtcOnly, at(1)).0, None);
        // A lease that ran out is a change.
        assert!(decide(Some(&stored), &status, policy, &UtcOnly, at(180_001)).0.is_some());
    });
}

#[test]
fn what_cannot_be_read_is_refused_and_left_alone() {
    with(|policy| {
        let stored = decide(None, &admit().encode(), policy, &UtcOnly, at(0)).0.unwrap();
        let mut damaged = stored.clone();
        damaged[10] ^= 1;
        let mut newer = admit().encode();
        newer[0] += 1;
        let (rows, commands) = (Code::VaultCorrupt, Code::Internal);
        let unreadable: [(&[u8], &[u8], Code); 4] = [
            (&damaged, &admit().encode(), rows),
            (&[], &admit().encode(), rows),
            (&stored, &newer, commands),
            (&stored, &[], commands),
        ];
        for (snapshot, command, code) in unreadable {
            let (after, reply) = decide(Some(snapshot), command, policy, &UtcOnly, at(0));
            assert_eq!(after, None);
            assert_eq!(Reply::decode(&reply).unwrap().result.unwrap_err().code, code);
        }
    });
}

proptest! {
    #[test]
    fn hostile_bytes_never_panic(kind in 0u8..8, bytes: Vec<u8>, cut in 0usize..200, flip in 0usize..1_600) {
        let started: Vec<u8> = [VERSION, kind].into_iter().chain(bytes.iter().copied()).collect();
        for hostile in [&bytes, &started] {
            let _ = Command::decode(hostile);
            let _ = Reply::decode(hostile);
            let _ = LedgerState::restore(hostile);
            let _ = with(|policy| decide(Some(hostile), hostile, policy, &UtcOnly, at(0)));
        }
        with(|policy| {
            let mut stored = decide(None, &admit().encode(), policy, &UtcOnly, at(0)).0.unwrap();
            if let Some(byte) = stored.get_mut(flip / 8) {
                *byte ^= 1 << (flip % 8);
                prop_assert!(LedgerState::restore(&stored).is_err());
            }
            stored.truncate(cut);
            let _ = decide(Some(&stored), &started, policy, &UtcOnly, at(0));
            Ok(())
        })?;
    }
}

/// As little as one asked again within another, or in an errand.
#[test]
fn what_is_asked_again_is_one_command() {
    let empty = Errand { caller: Caller::default(), entry: None, correction: None, command: None };
    let again = Command::Again(Command::For(empty.clone().into()).into());
    assert_eq!(Command::decode(&again.encode()).unwrap(), again);
    assert!(Command::decode(&Command::Again(again.clone().into()).encode()).is_err());
    assert!(Command::decode(&Command::Again(Command::Together(vec![Command::Status]).into()).encode()).is_err());
    let within = Errand { command: Some(again), ..empty };
    assert!(Command::decode(&Command::For(within.into()).encode()).is_err());
}

/// As little as several commands within several.
#[test]
fn several_commands_are_none_of_several() {
    let empty = Errand { caller: Caller::default(), entry: None, correction: None, command: None };
    let several = Command::Together(vec![Command::Status, Command::For(empty.clone().into())]);
    assert_eq!(Command::decode(&several.encode()).unwrap(), several);
    assert!(Command::decode(&Command::Together(vec![several.clone()]).encode()).is_err());
    let within = Errand { command: Some(several), ..empty };
    assert!(Command::decode(&Command::For(within.into()).encode()).is_err());
    assert!(Command::decode(&Command::Together(vec![Command::Status; 256]).encode()).is_ok());
    assert!(Command::decode(&Command::Together(vec![Command::Status; 257]).encode()).is_err());
}

/// Of two builds, one that asks and one that decides: neither takes the other's bytes for its own, and who asks comes again.
#[test]
fn another_builds_bytes_are_no_decision_and_pass() {
    let reply = Reply::of(Ok(Outcome::SlotEnded)).encode();
    assert!(Reply::decode(&reply).is_ok());
    for version in [0, VERSION + 1, u8::MAX] {
        let other = [&[version], &reply[1..]].concat();
        assert_eq!(*Reply::decode(&other).unwrap_err(), Error::deploying(), "{version}");
    }
    // No reply at all is a failure of the ledger's, and so is one that was cut.
    for cut in [0, 1, reply.len() - 1] {
        assert_eq!(Reply::decode(&reply[..cut]).unwrap_err().code, Code::VaultCorrupt, "{cut}");
    }
    let told = Reply::of(Err(Error::deploying().into())).encode();
    assert_eq!(*Reply::decode(&told).unwrap().result.unwrap_err(), Error::deploying());
}

/// What builds that run beside each other have to read of each other. Where one of these changes, [`VERSION`] has to: bytes
/// that are read as something else move money.
#[test]
fn what_other_builds_read_is_written_as_ever() {
    let settle = Command::Settle {
        reservation: 300,
        charge: Charge::Actual(NanoUsd::new(5)),
        outcome: BreakerOutcome::Failure,
        cool_until: Some(at(-1)),
        end_slot: true,
    };
    let caller = Caller { user: Some("u".into()), token: None, tier: "pro".into() };
    let entry = Some(Entry { route: "chat".into(), tokens: Some(7) });
    let correction = Some(Correction { estimated: 2, used: 1 });
    let errand = Command::For(Errand { caller, entry, correction, command: Some(admit()) }.into());
    let lease = Command::Lease {
        tenant: "t".into(),
        route: "r".into(),
        bound: NanoUsd::new(5),
        requests: 2,
        window: Duration::from_millis(9),
        settles_within: Duration::from_millis(8),
    };
    let back = Command::Return { slice: 4, route: "r".into(), spent: NanoUsd::new(3), requests: 1 };
    let several = Command::Together(vec![Command::EndSlot { slot: 9 }, Command::Again(Command::Status.into())]);
    let written = [admit(), settle, errand, lease, back, several].map(|command| hex(&command.encode()));
    let replies = [
        Reply::of(Ok(Outcome::Settled { charged: NanoUsd::new(5) })),
        Reply::of(Ok(Outcome::Admitted { reservation: 1, slot: 2, probe: true, generation: 3 })),
        Reply::of(Err(Error::new(Code::RateLimited).after(Duration::from_millis(5)).into())),
    ];
    let replied = replies.map(|reply| hex(&reply.encode()));
    let commands = [
        "0100026d650e67726f712f6d2f64656661756c7405c0fc1500",
        "0101ac02010501010101",
        "0105010175000370726f0204636861740701020101190100026d650e67726f712f6d2f64656661756c7405c0fc1500",
        "01060174017205020908",
        "01070401720301",
        "01080203010209050109020104",
    ];
    let decided = ["010205000000", "010101020103000000", "01000c726174655f6c696d69746564010500000000"];
    assert_eq!(written, commands, "give the format another version");
    assert_eq!(replied, decided, "give the format another version");
}
