//! The ledger under arbitrary interleavings of admissions, settlements, crashes and clock jumps, in
//! memory and through bytes at once, against a model that only reads the replies.

#![cfg(test)]
#![cfg(not(target_arch = "wasm32"))]
#![expect(clippy::arithmetic_side_effects, reason = "a test that overflows fails, as it should")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;
use tidegate::admit::{Charge, Command, Figures, LedgerPolicy, LedgerState, Notice, Outcome, Reply, decide};
use tidegate::config::{BreakerConfig, BudgetConfig};
use tidegate::error::{BreakerOutcome, Code, Detail};
use tidegate::host::ZoneRules;
use tidegate::money::NanoUsd;
use tidegate::time::Timestamp;

#[path = "support/zones.rs"]
mod zones;

struct Scripted;

impl ZoneRules for Scripted {
    fn offset_at(&self, zone: &str, at: Timestamp) -> Option<i32> {
        zones::offset(zone, at.as_millis())
    }
}

const LIMIT: u64 = 1_000;
const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
const LEASE: i64 = 180_000;

/// One step. Numbers choose among what is alive, or was.
#[derive(Clone, Debug)]
enum Step {
    Admit {
        tenant: u8,
        target: u8,
        bound: u64,
        slot: Option<usize>,
    },
    Settle {
        which: usize,
        charge: Charge,
        outcome: BreakerOutcome,
        cool: Option<i64>,
        end_slot: bool,
    },
    EndSlot {
        which: usize,
    },
    Status,
    Clock {
        by: i64,
    },
    /// The memory ledger is put away and read again.
    Restart,
    /// The configuration changes: the cap, and where and when a period begins.
    Reconfigure {
        limit: u64,
        zone: &'static str,
        reset_hour: u8,
    },
}

fn outcome() -> impl Strategy<Value = BreakerOutcome> {
    prop_oneof![
        2 => Just(BreakerOutcome::Success),
        4 => Just(BreakerOutcome::Failure),
        1 => Just(BreakerOutcome::Ignored),
    ]
}

fn charge() -> impl Strategy<Value = Charge> {
    prop_oneof![
        Just(Charge::Released),
        Just(Charge::Bound),
        (0u64..300).prop_map(|nano| Charge::Actual(NanoUsd::new(nano))),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let slot = prop::option::of(0usize..8);
    let cool = prop::option::weighted(0.1, prop_oneof![0i64..90_000, Just(40 * DAY)]);
    prop_oneof![
        8 => (0u8..2, 0u8..2, 0u64..250, slot)
            .prop_map(|(tenant, target, bound, slot)| Step::Admit { tenant, target, bound, slot }),
        7 => (0usize..12, charge(), outcome(), cool, any::<bool>()).prop_map(
            |(which, charge, outcome, cool, end_slot)| Step::Settle { which, charge, outcome, cool, end_slot }
        ),
        1 => (0usize..12).prop_map(|which| Step::EndSlot { which }),
        1 => Just(Step::Status),
        1 => Just(Step::Restart),
        1 => (prop_oneof![Just(LIMIT), Just(2 * LIMIT), Just(LIMIT / 2), Just(0)], zone(), reset_hour())
            .prop_map(|(limit, zone, reset_hour)| Step::Reconfigure { limit, zone, reset_hour }),
        5 => prop_oneof![
            6 => 0i64..70_000,
            2 => 0i64..2 * LEASE,
            2 => -2 * LEASE..0,
            1 => -DAY..2 * DAY,
            1 => prop_oneof![Just(-400 * DAY), Just(400 * DAY), Just(HOUR), Just(-HOUR)],
        ].prop_map(|by| Step::Clock { by }),
    ]
}

/// What a reservation is known to hold.
#[derive(Clone, Copy)]
struct Live {
    period: i64,
    bound: u64,
    slot: u64,
    probe: Option<(u8, u8)>,
}

/// An independent account of the same events, from the replies alone.
#[derive(Default)]
struct Model {
    live: BTreeMap<u64, Live>,
    /// Every charge that stands, by reservation: the identity of accounting is that their sum is spent.
    charged: BTreeMap<u64, (i64, u64)>,
    /// Charged a bound, and when, as the clock of that time shows now: for a day one bill may replace it.
    open: BTreeMap<u64, (u64, i64)>,
    now: i64,
    overshoot: BTreeMap<i64, u64>,
    /// By period and cap: a cap that was raised tells anew what is reached again.
    told: BTreeSet<(i64, u64, u32)>,
    limit: u64,
    /// The cap went up at least once.
    recapped: bool,
    ended_slots: BTreeSet<u64>,
    /// All reservations and slots ever given, newest last.
    ids: Vec<(u64, u64)>,
}

impl Model {
    fn spent(&self, period: i64) -> u64 {
        self.charged.values().filter(|(at, _)| *at == period).map(|(_, amount)| amount).sum()
    }

    fn reserved(&self, period: i64) -> u64 {
        self.live.values().filter(|live| live.period == period).map(|live| live.bound).sum()
    }

    fn recent(&self, which: usize) -> (u64, u64) {
        let index = self.ids.len().saturating_sub(1 + which);
        self.ids.get(index).copied().unwrap_or((u64::MAX, u64::MAX))
    }

    /// What a reply at `now` told beside its decision.
    fn notices(&mut self, notices: &[Notice], now: i64) {
        self.now = now;
        self.open.retain(|_, (_, since)| {
            *since = now.min(*since); // The clock may have gone back.
            now - *since <= DAY
        });
        for notice in notices {
            match notice {
                Notice::LeaseExpired { reservation } => {
                    let live = self.live.remove(reservation).expect("an attempt ends once");
                    self.charged.insert(*reservation, (live.period, live.bound));
                    self.open.insert(*reservation, (live.bound, now));
                }
                Notice::Threshold { period, percent, limit, .. } => {
                    assert_eq!(limit.as_nano(), self.limit);
                    let told = self.told.insert((*period, self.limit, *percent));
                    assert!(told || self.recapped, "told twice: {percent} % of {period}");
                    let lower = [80, 100].into_iter().take_while(|lower| lower < percent);
                    let mut ever = self.told.iter().filter(|one| one.0 == *period).map(|one| one.2);
                    assert!(lower.into_iter().all(|lower| ever.any(|told| told == lower)), "out of order");
                }
                Notice::Overshoot { period, amount } => {
                    *self.overshoot.entry(*period).or_default() += amount.as_nano();
                }
                Notice::BudgetOf { .. } => panic!("this ledger has one budget"),
                Notice::CircuitOpen { .. } | Notice::CircuitHalfOpen { .. } | Notice::CircuitClosed { .. } => {}
            }
        }
    }

    /// What a settlement must answer.
    fn settle(&mut self, id: u64, charge: Charge) -> Outcome {
        let amount = |bound| match charge {
            Charge::Released => 0,
            Charge::Actual(amount) => amount.as_nano(),
            Charge::Bound => bound,
        };
        let (period, bound) = if let Some(live) = self.live.remove(&id) {
            if charge == Charge::Bound {
                self.open.insert(id, (live.bound, self.now));
            }
            (live.period, live.bound)
        } else if let Some((bound, _)) = self.open.get(&id).copied() {
            if charge != Charge::Bound {
                self.open.remove(&id);
            }
            (self.charged[&id].0, bound)
        } else {
            return Outcome::NotHeld;
        };
        self.charged.insert(id, (period, amount(bound)));
        Outcome::Settled { charged: NanoUsd::new(amount(bound)) }
    }
}

struct World {
    budget: BudgetConfig,
    breaker: BreakerConfig,
    max_concurrent: u32,
    memory: LedgerState,
    stored: Option<Vec<u8>>,
    now: i64,
    model: Model,
}

impl World {
    fn new(zone: &str, reset_hour: u8, start: i64) -> Self {
        let limit = NanoUsd::new(LIMIT);
        let budget = BudgetConfig { limit, time_zone: zone.into(), reset_hour, ..BudgetConfig::default() };
        let breaker = BreakerConfig { failures: 2, open_for: Duration::from_secs(60) };
        let (memory, model) = (LedgerState::new(), Model { limit: LIMIT, ..Model::default() });
        Self { budget, breaker, max_concurrent: 4, memory, stored: None, now: start, model }
    }

    /// The same command to the ledger in memory and to the one that lives in bytes.
    fn apply(&mut self, command: &Command) -> Reply {
        let policy = LedgerPolicy { budget: &self.budget, breaker: &self.breaker, max_concurrent: self.max_concurrent };
        let now = Timestamp::from_millis(self.now);
        let reply = self.memory.apply(command, &policy, &Scripted, now);
        let (stored, bytes) = decide(self.stored.as_deref(), &command.encode(), &policy, &Scripted, now);
        assert_eq!(Reply::decode(&bytes).unwrap(), reply, "memory and bytes decide alike");
        self.stored = stored.or(self.stored.take());
        let empty = LedgerState::new().snapshot();
        assert_eq!(self.stored.as_deref().unwrap_or(&empty), self.memory.snapshot());
        self.model.notices(&reply.notices, self.now);
        reply
    }

    fn period(&self) -> i64 {
        self.period_at(self.now)
    }

    fn period_at(&self, at: i64) -> i64 {
        let offset = zones::offset(&self.budget.time_zone, at).unwrap();
        let reset = i64::from(self.budget.reset_hour) * HOUR;
        (at + i64::from(offset) * 1_000 - reset).div_euclid(DAY)
    }

    fn run(&mut self, step: &Step) {
        match step {
            Step::Admit { tenant, target, bound, slot } => self.admit(*tenant, *target, *bound, *slot),
            Step::Settle { which, charge, outcome, cool, end_slot } => {
                let (reservation, slot) = self.model.recent(*which);
                let cool_until = cool.map(|wait| Timestamp::from_millis(self.now + wait));
                let (charge, outcome, end_slot) = (*charge, *outcome, *end_slot);
                let reply = self.apply(&Command::Settle { reservation, charge, outcome, cool_until, end_slot });
                let before = self.model.live.get(&reservation).copied();
                let expected = self.model.settle(reservation, charge);
                assert_eq!(reply.result.unwrap(), expected);
                if end_slot && expected != Outcome::NotHeld {
                    self.model.ended_slots.insert(before.map_or(slot, |live| live.slot));
                }
            }
            Step::EndSlot { which } => {
                let (_, slot) = self.model.recent(*which);
                self.apply(&Command::EndSlot { slot });
                self.model.ended_slots.insert(slot);
            }
            Step::Status => drop(self.status()),
            Step::Clock { by } => self.now += by,
            Step::Restart => self.memory = LedgerState::restore(&self.memory.snapshot()).unwrap(),
            Step::Reconfigure { limit, zone, reset_hour } => {
                self.model.recapped |= *limit > self.model.limit;
                self.model.limit = *limit;
                let limit = NanoUsd::new(*limit);
                let budget = self.budget.clone();
                self.budget = BudgetConfig { limit, time_zone: (*zone).into(), reset_hour: *reset_hour, ..budget };
            }
        }
        self.check();
    }

    fn admit(&mut self, tenant: u8, target: u8, bound: u64, slot: Option<usize>) {
        let lease_until = Timestamp::from_millis(self.now + LEASE);
        let slot = slot.map(|which| self.model.recent(which).1);
        let reply = self.apply(&Command::Admit {
            tenant: format!("tenant-{tenant}"),
            target: format!("target-{target}"),
            bound: NanoUsd::new(bound),
            lease_until,
            slot,
        });
        let period = self.period();
        let (spent, reserved) = (self.model.spent(period), self.model.reserved(period));
        match reply.result {
            Ok(Outcome::Admitted { reservation, slot, probe, .. }) => {
                assert!(spent + reserved + bound <= self.model.limit, "{spent} + {reserved} + {bound}");
                let probe = probe.then_some((tenant, target));
                let probes = self.model.live.values().filter(|live| probe.is_some() && live.probe == probe);
                assert_eq!(probes.count(), 0, "a second probe");
                let known = self.model.ids.iter().any(|(id, _)| *id == reservation);
                assert!(!known, "an id used twice");
                self.model.live.insert(reservation, Live { period, bound, slot, probe });
                self.model.ids.push((reservation, slot));
            }
            Err(error) => match (error.code, error.detail) {
                (Code::BudgetExceeded, Detail::Budget { limit, spent: told, reserved: held, resets_at }) => {
                    let cap = self.model.limit;
                    assert!(spent + reserved + bound > cap, "refused without need");
                    assert_eq!((limit.as_nano(), told.as_nano(), held.as_nano()), (cap, spent, reserved));
                    let wait = error.retry_after.unwrap();
                    assert_eq!(resets_at, Timestamp::from_millis(self.now).after(wait));
                    let resets_at = resets_at.as_millis();
                    assert!(resets_at > self.now && self.period_at(resets_at) > period, "no reset");
                    assert!(self.period_at(resets_at - 1) <= period, "it was reset before");
                }
                (Code::CircuitOpen, Detail::None) => {
                    assert!(error.retry_after.unwrap() <= self.breaker.open_for);
                }
                (Code::UpstreamLimited, Detail::None) => {
                    assert!(error.retry_after.unwrap() <= Duration::from_secs(86_400));
                }
                (Code::QueueFull, Detail::None) => {}
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }

    fn status(&mut self) -> Figures {
        let outcome = self.apply(&Command::Status).result.unwrap();
        let Outcome::Status(figures) = outcome else { panic!("{outcome:?}") };
        figures
    }

    /// What holds after every step.
    fn check(&mut self) {
        let figures = self.status();
        let period = self.period();
        assert_eq!(figures.spent.as_nano(), self.model.spent(period), "the sum of charges is what is spent");
        assert_eq!(figures.reserved.as_nano(), self.model.reserved(period));
        assert_eq!(figures.overshoot.as_nano(), self.model.overshoot.get(&period).copied().unwrap_or(0));
        assert!(figures.in_flight <= self.max_concurrent);
        let slots: BTreeSet<u64> = self.model.live.values().map(|live| live.slot).collect();
        let held = slots.difference(&self.model.ended_slots).count();
        assert!(held <= usize::try_from(figures.in_flight).unwrap(), "a live attempt lost its slot");
    }

    /// Everyone vanishes: nothing stays held, and every period's books agree.
    fn finish(&mut self) {
        for _ in 0..2 {
            self.now += LEASE + 1;
            self.check();
        }
        assert!(self.model.live.is_empty(), "a hold without end");
        assert_eq!(self.status().in_flight, 0);
        let periods: BTreeSet<i64> = self.model.charged.values().map(|(period, _)| *period).collect();
        for period in periods {
            self.now = period * DAY + 12 * HOUR;
            self.check();
        }
    }
}

fn zone() -> impl Strategy<Value = &'static str> {
    prop::sample::select(zones::ZONES.iter().map(|(zone, ..)| *zone).collect::<Vec<_>>())
}

fn reset_hour() -> impl Strategy<Value = u8> {
    prop_oneof![Just(0u8), Just(3), Just(23)]
}

fn place() -> impl Strategy<Value = (&'static str, u8, i64)> {
    // Around the changes of 2026, and on an ordinary day.
    let start = prop_oneof![
        Just(1_772_946_000_000i64),
        Just(1_774_746_000_000),
        Just(1_775_314_800_000),
        Just(1_792_890_000_000),
        Just(1_780_000_000_000),
    ];
    (zone(), reset_hour(), start, -3 * HOUR..3 * HOUR)
        .prop_map(|(zone, reset_hour, start, shift)| (zone, reset_hour, start + shift))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_ledger_keeps_its_promises((zone, reset_hour, start) in place(), steps in prop::collection::vec(step(), 1..120)) {
        let mut world = World::new(zone, reset_hour, start);
        for step in &steps {
            world.run(step);
        }
        world.finish();
    }
}
