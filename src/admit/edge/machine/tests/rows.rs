//! What is written, when, and what follows from what cannot be read.

use super::*;

#[test]
fn a_decision_writes_its_own_rows_alone() {
    let mut bench = Bench::new(vec![rule(BudgetScope::User, BudgetSpan::Month, 500)]);
    for index in 0..300 {
        bench.spend(&user(&format!("user-{index}")), 1);
    }
    let id = bench.admit(&user("user-7"), 1).unwrap();
    assert_eq!(bench.written, ["desk", "ledger"], "what is held follows from the desk");
    let bytes: usize = bench.written.iter().map(|key| bench.rows.read(key).unwrap().unwrap().len()).sum();
    assert!(bytes < 400, "{bytes}");
    bench.settle(id, Charge::Actual(cents(1)));
    assert_eq!(bench.written, ["desk", "ledger", "uuser-7"]);
    bench.enter(&user("user-8"), "chat", Some(1)).unwrap();
    assert_eq!(bench.written, ["uuser-8"]);
    assert!(bench.deferred, "no answer waits for the disk for a count");
    bench.apply(&Command::Status).unwrap();
    assert!(bench.written.is_empty());
}

#[test]
fn counts_that_wait_go_with_the_next_decision_and_before_they_are_forgotten() {
    let bench = Bench::new(Vec::new());
    let (policy, mut rows, mut ledger) = (EdgePolicy::of(&bench.config), MemoryRows::default(), bench.ledger.clone());
    let enter = |name: &str| {
        let entry = Some(Entry { route: "other".into(), tokens: None });
        Command::For(Errand { caller: user(name), entry, correction: None, command: None }.into())
    };
    ledger.apply(&enter("ann"), &policy, &UtcOnly, at(0), &mut rows).unwrap();
    assert!(ledger.unwritten() && rows.is_empty());
    let admit = Command::Admit {
        tenant: "me".into(),
        target: "groq/m".into(),
        bound: cents(1),
        lease_until: at(180),
        slot: None,
    };
    ledger.apply(&admit, &policy, &UtcOnly, at(0), &mut rows).unwrap();
    assert!(!ledger.unwritten());
    assert!(rows.read("uann").unwrap().is_some());
    // A row that is there waits beside a decision, too, until something is written to its books.
    let first = rows.read("uann").unwrap();
    ledger.apply(&enter("ann"), &policy, &UtcOnly, at(1), &mut rows).unwrap();
    ledger.apply(&admit, &policy, &UtcOnly, at(1), &mut rows).unwrap();
    assert!(ledger.unwritten() && rows.read("uann").unwrap() == first);
    ledger.flush(at(1), &mut rows).unwrap();
    assert!(!ledger.unwritten() && rows.read("uann").unwrap() != first);
    for index in 0..600 {
        ledger.apply(&enter(&format!("user-{index}")), &policy, &UtcOnly, at(0), &mut rows).unwrap();
    }
    assert!(rows.len() > 500, "what is no longer at hand is written first");
}

#[test]
fn a_count_is_taken_without_a_write_and_nothing_else_is() {
    let bench = Bench::new(Vec::new());
    let (policy, mut rows, mut ledger) = (EdgePolicy::of(&bench.config), MemoryRows::default(), bench.ledger.clone());
    let errand = |name: &str, command: Option<Command>| {
        let entry = Some(Entry { route: "other".into(), tokens: None });
        Command::For(Errand { caller: user(name), entry, correction: None, command }.into()).encode()
    };
    let mut other = ledger.clone();
    for _ in 0..2 {
        let counted = ledger.count(&errand("ann", None), &policy, &UtcOnly, at(0), &mut rows).unwrap();
        let command = errand("ann", None);
        let commands = [(command.as_slice(), None)].into_iter();
        let decided = other.decide_all(commands, &policy, &UtcOnly, at(0), &mut MemoryRows::default()).unwrap();
        assert_eq!((counted, decided.len()), (decided.first().cloned(), 1));
        assert!(ledger.unwritten() && rows.is_empty());
    }
    ledger.flush(at(0), &mut rows).unwrap();
    assert_eq!(rows.len(), 1, "nothing but the caller's count");
    let (tenant, target) = ("me".into(), "groq/m".into());
    let admit = Command::Admit { tenant, target, bound: cents(1), lease_until: at(180), slot: None };
    let settle = Command::Settle {
        reservation: 1,
        charge: Charge::Bound,
        outcome: BreakerOutcome::Success,
        cool_until: None,
        end_slot: true,
    };
    for command in [errand("ann", Some(admit.clone())), admit.encode(), settle.encode(), Vec::new(), vec![255; 9]] {
        assert_eq!(ledger.count(&command, &policy, &UtcOnly, at(0), &mut rows), Ok(None));
    }
    assert!(ledger.in_flight() == 0 && !ledger.unwritten());
    let full = (0..600).find(|index| {
        ledger.count(&errand(&format!("user-{index}"), None), &policy, &UtcOnly, at(0), &mut rows) == Ok(None)
    });
    assert!(full.is_some_and(|index| index > 200), "rows must be written first: {full:?}");
    assert_eq!(rows.len(), 1);
}

#[test]
fn an_erased_user_leaves_no_name_and_what_he_held_is_settled_all_the_same() {
    let rules = BudgetScope::ALL.map(|of| rule(of, BudgetSpan::Week, 500));
    let mut bench = Bench::new(rules.into());
    let (ann, bob) = (user("ann"), Caller { token: Some("t2".into()), ..user("bob") });
    bench.spend(&ann, 3);
    bench.spend(&bob, 2);
    bench.enter(&ann, "other", None).unwrap();
    let (held, late) = (bench.admit(&ann, 10).unwrap(), bench.admit(&ann, 7).unwrap());
    bench.settle(late, Charge::Bound);
    let bobs = bench.admit(&bob, 6).unwrap();
    // Known by one of the two names alone.
    bench.admit(&Caller { token: None, ..user("ann") }, 1).unwrap();
    bench.admit(&Caller { user: None, ..user("ann") }, 1).unwrap();
    let organisation = |bench: &mut Bench| {
        bench.books(&bob).into_iter().find(|(of, per, _)| (*of, *per) == (BudgetScope::Organisation, BudgetSpan::Week))
    };
    let before = organisation(&mut bench);
    bench.ledger.erase("ann", &["t1".into()], at(bench.now), &mut bench.rows).unwrap();
    for (key, row) in bench.rows.iter() {
        let text = String::from_utf8_lossy(row);
        assert!(!key.contains("ann") && key != "tt1" && !text.contains("ann") && !text.contains("t1"), "{key}");
    }
    assert_eq!(organisation(&mut bench), before, "what was spent and is held stays");
    bench.settle(held, Charge::Actual(cents(4)));
    bench.settle(late, Charge::Actual(cents(5)));
    let [.., after] = [before, organisation(&mut bench)].map(Option::unwrap);
    assert_eq!(after.2, [500, 3 + 2 + 4 + 5, 6 + 2]);
    let own = |bench: &mut Bench| bench.books(&bob).iter().skip(1).map(|one| one.2).collect::<Vec<_>>();
    assert_eq!(own(&mut bench), [[500, 2, 6]; 2], "who stays holds what he held");
    bench.settle(bobs, Charge::Actual(cents(5)));
    assert_eq!(own(&mut bench), [[500, 7, 0]; 2]);
    assert!(bench.rows.read("uann").unwrap().is_none(), "no settlement brings him back");
}

#[test]
fn damaged_rows_admit_nothing() {
    let mut bench = Bench::new(vec![rule(BudgetScope::User, BudgetSpan::Month, 500)]);
    bench.admit(&user("ann"), 1).unwrap();
    for key in ["desk", "ledger", "uann"] {
        let row = bench.rows.read(key).unwrap().unwrap();
        for damaged in [Vec::new(), vec![9], row[..row.len() - 1].to_vec(), [row.as_slice(), &[0]].concat()] {
            let mut rows = bench.rows.clone();
            rows.write(key, &damaged, Timestamp::MAX).unwrap();
            let command = Command::For(
                Errand {
                    caller: user("ann"),
                    entry: Some(Entry { route: "chat".into(), tokens: None }),
                    correction: None,
                    command: None,
                }
                .into(),
            );
            let policy = EdgePolicy::of(&bench.config);
            let decided = EdgeLedger::open(&rows)
                .and_then(|mut ledger| ledger.apply(&command, &policy, &UtcOnly, at(1), &mut rows))
                .and_then(|reply| reply.result);
            assert!(decided.is_err(), "{key}");
            assert_eq!(rows.read(key).unwrap(), Some(damaged));
        }
    }
    // A hold without its book.
    let mut rows = bench.rows.clone();
    let mut writer = Writer::new();
    Subject::default().encode(&mut writer);
    rows.write("uann", &writer.finish(), Timestamp::MAX).unwrap();
    let mut ledger = EdgeLedger::open(&rows).unwrap();
    let errand = Errand { caller: user("ann"), entry: None, correction: None, command: Some(Command::Status) };
    let policy = EdgePolicy::of(&bench.config);
    let reply = ledger.apply(&Command::For(errand.into()), &policy, &UtcOnly, at(1), &mut rows).unwrap();
    assert_eq!(refused(reply.result).0, Code::VaultCorrupt);
}

#[test]
fn an_unreadable_row_keeps_nobody_but_its_user_from_a_decision() {
    let mut bench = Bench::new(vec![rule(BudgetScope::User, BudgetSpan::Day, 20)]);
    let (ann, bob) = (user("ann"), user("bob"));
    let (first, second) = (bench.admit(&ann, 8).unwrap(), bench.admit(&ann, 4).unwrap());
    assert_ne!(first, second);
    bench.rows.write("uann", &[9], Timestamp::MAX).unwrap();
    bench.ledger = EdgeLedger::open(&bench.rows).unwrap();
    assert_eq!(refused(bench.enter(&ann, "chat", Some(1))).0, Code::VaultCorrupt);
    assert_eq!(refused(bench.admit(&ann, 1)).0, Code::VaultCorrupt);
    assert_eq!(refused(bench.errand(&ann, None, Some(Command::Status))).0, Code::VaultCorrupt);

    // Decided together with somebody else's, in either order.
    let admit = |caller: &Caller| {
        let (tenant, target, lease_until) = ("me".into(), "groq/m".into(), at(180));
        let admit = Command::Admit { tenant, target, bound: cents(1), lease_until, slot: None };
        let errand = Errand { caller: caller.clone(), entry: None, correction: None, command: Some(admit) };
        Command::For(errand.into()).encode()
    };
    let all = [admit(&ann), admit(&bob), admit(&ann)];
    let config = bench.config.clone();
    let replies = bench
        .ledger
        .decide_all(
            all.iter().map(|command| (command.as_slice(), None)),
            &EdgePolicy::of(&config),
            &UtcOnly,
            at(0),
            &mut bench.rows,
        )
        .unwrap();
    let admitted = replies.iter().map(|reply| Reply::decode(reply).unwrap().result.is_ok());
    assert_eq!(admitted.collect::<Vec<_>>(), [false, true, false]);

    // What was held for it ends all the same: settled, with its user's correction, or run out while others decide.
    let spent = |bench: &mut Bench| match bench.apply(&Command::Status).unwrap() {
        Outcome::Status(figures) => [figures.spent, figures.reserved].map(|amount| amount.as_nano() / CENT),
        outcome => panic!("{outcome:?}"),
    };
    let (charge, outcome) = (Charge::Actual(cents(5)), BreakerOutcome::Success);
    let settle = Command::Settle { reservation: first, charge, outcome, cool_until: None, end_slot: true };
    let correction = Some(Correction { estimated: 100, used: 10 });
    let [requests, tokens] = [60, 1_000].map(RateConfig::per_minute);
    bench.config.edge.tiers = vec![TierConfig { name: "pro".into(), requests, tokens: Some(tokens) }];
    let errand = Errand { caller: ann, entry: None, correction, command: Some(settle) };
    assert!(bench.apply(&Command::For(errand.into())).is_ok());
    assert_eq!(spent(&mut bench), [5, 5]);
    bench.now = 600;
    bench.spend(&bob, 2);
    assert_eq!(spent(&mut bench), [5 + 4 + 1 + 2, 0]);
    assert_eq!(bench.rows.read("uann").unwrap(), Some(vec![9]), "left as it is");
}

/// Sessions of many users are one token: what it holds for an erased one is held until it is settled.
#[test]
fn an_erased_user_takes_nothing_out_of_the_books_of_a_token_that_stays() {
    let mut bench = Bench::new(vec![rule(BudgetScope::Token, BudgetSpan::Day, 10)]);
    let session = |name: &str| Caller { user: Some(name.into()), token: Some("session".into()), tier: "pro".into() };
    let held = bench.admit(&session("ann"), 8).unwrap();
    bench.ledger.erase("ann", &[], at(bench.now), &mut bench.rows).unwrap();
    assert!(bench.rows.iter().all(|(_, row)| !row.windows(3).any(|part| part == b"ann")));
    assert_eq!(bench.books(&session("bob"))[0].2, [10, 0, 8]);
    bench.settle(held, Charge::Actual(cents(6)));
    assert_eq!(bench.books(&session("bob"))[0].2, [10, 6, 0]);
    assert_eq!(refused(bench.admit(&session("bob"), 5)).0, Code::BudgetExceeded);
}

/// A settlement and the next admission, and several commands at once: the same as one after the other, written once.
#[test]
fn together_is_one_after_the_other() {
    struct Counted(MemoryRows, u32);
    impl Rows for Counted {
        fn read(&self, key: &str) -> Result<Option<Vec<u8>>> {
            self.0.read(key)
        }
        fn write(&mut self, key: &str, bytes: &[u8], owed_until: Timestamp) -> Result<()> {
            self.1 += u32::from(key == LEDGER);
            self.0.write(key, bytes, owed_until)
        }
        fn erase(&mut self, key: &str) -> Result<()> {
            self.0.erase(key)
        }
        fn forget(&mut self, keep: usize, now: Timestamp) -> Result<Option<Timestamp>> {
            self.0.forget(keep, now)
        }
    }
    let mut bench = Bench::new(vec![rule(BudgetScope::User, BudgetSpan::Day, 10)]);
    let ann = user("ann");
    let first = bench.admit(&ann, 8).unwrap();
    assert_eq!(refused(bench.admit(&ann, 7)).0, Code::BudgetExceeded, "8 are reserved");
    let on_behalf = |command: Command| {
        Command::For(Errand { caller: ann.clone(), entry: None, correction: None, command: Some(command) }.into())
    };
    let settle = Command::Settle {
        reservation: first,
        charge: Charge::Actual(cents(3)),
        outcome: BreakerOutcome::Success,
        cool_until: None,
        end_slot: true,
    };
    let admit = |bound| {
        let (tenant, target, lease_until) = ("me".into(), "groq/m".into(), at(180));
        on_behalf(Command::Admit { tenant, target, bound: cents(bound), lease_until, slot: None })
    };
    let (mut rows, mut ledger) = (Counted(bench.rows.clone(), 0), bench.ledger.clone());
    let config = bench.config.clone();
    let policy = EdgePolicy::of(&config);
    let all = [Command::Together(vec![settle.clone(), admit(7)]), admit(1), Command::Status];
    let all = all.map(|command| command.encode());
    let replies =
        ledger.decide_all(all.iter().map(|one| (one.as_slice(), None)), &policy, &UtcOnly, at(0), &mut rows).unwrap();
    assert_eq!(rows.1, 1, "one write for all");
    let replies: Vec<_> = replies.iter().map(|reply| Reply::decode(reply).unwrap()).collect();
    assert!(matches!(replies[0].result, Ok(Outcome::Admitted { .. })), "{:?}", replies[0]);
    assert_eq!(replies[1].result.as_ref().unwrap_err().code, Code::BudgetExceeded, "3 are spent, 7 reserved");
    assert_eq!(ledger.in_flight(), 1);

    let one_by_one: Vec<_> = [settle, admit(7), admit(1), Command::Status]
        .map(|command| {
            let _ = bench.apply(&command);
            bench.reply.clone()
        })
        .into();
    assert_eq!(replies, one_by_one[1..]);
    assert_eq!(rows.0.iter().collect::<Vec<_>>(), bench.rows.iter().collect::<Vec<_>>());
}

#[test]
fn what_is_held_lasts_as_long_as_was_meant_however_far_apart_the_clocks_are() {
    for ahead in [-600, -90, 0, 600, 86_400 * 365] {
        let bench = Bench::new(vec![rule(BudgetScope::User, BudgetSpan::Day, 10)]);
        let (policy, mut rows, mut ledger) =
            (EdgePolicy::of(&bench.config), MemoryRows::default(), bench.ledger.clone());
        let mut decide = |command: Command, now: i64| {
            let command = command.encode();
            let commands = [(command.as_slice(), Some(at(now + ahead)))].into_iter();
            let replies = ledger.decide_all(commands, &policy, &UtcOnly, at(now), &mut rows).unwrap();
            Reply::decode(&replies[0]).unwrap()
        };
        let (tenant, target, lease_until) = ("me".into(), "groq/m".into(), at(180 + ahead));
        let command = Some(Command::Admit { tenant, target, bound: cents(2), lease_until, slot: None });
        let errand = Errand { caller: user("ann"), entry: None, correction: None, command };
        let admitted = decide(Command::For(errand.into()), 0).result;
        let Ok(Outcome::Admitted { reservation, .. }) = admitted else { panic!("{admitted:?}") };
        let reply = decide(Command::Status, 180);
        assert_eq!(reply.notices, [], "{ahead} s: the attempt still runs");
        let Ok(Outcome::Status(figures)) = reply.result else { panic!("no status") };
        assert_eq!((figures.reserved, figures.in_flight), (cents(2), 1));

        let settle = Command::Settle {
            reservation,
            charge: Charge::Released,
            outcome: BreakerOutcome::Ignored,
            cool_until: Some(at(240 + ahead)),
            end_slot: true,
        };
        decide(Command::Together(vec![settle, Command::Status]), 180);
        let cooling = |reply: Reply| match reply.result {
            Ok(Outcome::Status(figures)) => figures.targets.first().and_then(|target| target.cooling_until),
            _ => None,
        };
        assert_eq!(cooling(decide(Command::Status, 239)), Some(at(240)), "{ahead} s");
        assert_eq!(cooling(decide(Command::Status, 240)), None, "{ahead} s");
    }
}

/// Rows that say what they were asked to forget, and until when something was owed to what went.
struct Forgetting(MemoryRows, Vec<usize>);

impl Rows for Forgetting {
    fn read(&self, key: &str) -> Result<Option<Vec<u8>>> {
        self.0.read(key)
    }

    fn write(&mut self, key: &str, bytes: &[u8], owed_until: Timestamp) -> Result<()> {
        self.0.write(key, bytes, owed_until)
    }

    fn erase(&mut self, key: &str) -> Result<()> {
        self.0.erase(key)
    }

    fn forget(&mut self, keep: usize, _: Timestamp) -> Result<Option<Timestamp>> {
        self.1.push(keep);
        Ok(Some(at(60)))
    }
}

#[test]
fn rows_are_forgotten_once_in_4_096_decisions_and_what_was_owed_is_remembered() {
    let bench = Bench::new(Vec::new());
    let (policy, mut ledger) = (EdgePolicy::of(&bench.config), bench.ledger.clone());
    let mut rows = Forgetting(MemoryRows::default(), Vec::new());
    let entry = Some(Entry { route: "other".into(), tokens: None });
    let enter = Command::For(Errand { caller: user("ann"), entry, correction: None, command: None }.into());
    ledger.apply(&enter, &policy, &UtcOnly, at(0), &mut rows).unwrap();
    for _ in 0..4_095 {
        ledger.apply(&Command::Status, &policy, &UtcOnly, at(0), &mut rows).unwrap();
    }
    assert!(rows.1.is_empty() && !ledger.at_hand.is_empty() && ledger.desk.forgotten.is_none());
    ledger.apply(&Command::Status, &policy, &UtcOnly, at(0), &mut rows).unwrap();
    assert_eq!((rows.1, ledger.desk.forgotten), (vec![100_000], Some(at(60))));
    assert!(ledger.at_hand.is_empty(), "what went may have been at hand");
    assert!(rows.0.read("uann").unwrap().is_some(), "its count was written before");
}
