//! What holds under every interleaving of callers, runners, crashes and clock jumps.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;

use super::shelf::{Shelf, ask};
use crate::config::{Priority, QueueConfig};
use crate::error::Code;
use crate::queue::{Item, Lane, Lease, Outcome, State};
use crate::time::Timestamp;

/// One step. Numbers choose among what is there, or was.
#[derive(Clone, Debug)]
enum Step {
    Enqueue {
        priority: usize,
        key: Option<u8>,
    },
    Lease {
        holder: u64,
    },
    Answer {
        which: usize,
    },
    Fail {
        which: usize,
        code: usize,
    },
    Renew {
        which: usize,
    },
    Cancel {
        which: usize,
    },
    Revive {
        which: usize,
    },
    Sweep,
    /// Everything that `holder` runs vanishes, and somebody notices.
    Crash {
        holder: u64,
    },
    Clock {
        by: i64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0usize..4, proptest::option::weighted(0.3, 0u8..4)).prop_map(|(priority, key)| Step::Enqueue { priority, key }),
        5 => (0u64..3).prop_map(|holder| Step::Lease { holder }),
        4 => any::<usize>().prop_map(|which| Step::Answer { which }),
        3 => (any::<usize>(), any::<usize>()).prop_map(|(which, code)| Step::Fail { which, code }),
        1 => any::<usize>().prop_map(|which| Step::Renew { which }),
        1 => any::<usize>().prop_map(|which| Step::Cancel { which }),
        1 => any::<usize>().prop_map(|which| Step::Revive { which }),
        2 => Just(Step::Sweep),
        1 => (0u64..3).prop_map(|holder| Step::Crash { holder }),
        2 => prop_oneof![0i64..90_000, -200_000i64..0, Just(4_000_000i64)].prop_map(|by| Step::Clock { by }),
    ]
}

/// What the callers were told, and no more.
#[derive(Default)]
struct World {
    shelf: Shelf,
    now: i64,
    /// Every lease ever given.
    leases: Vec<(i64, Lease)>,
    accepted: Vec<i64>,
    keys: BTreeMap<u8, i64>,
    /// Results that somebody was told are recorded.
    recorded: BTreeSet<i64>,
    erased: BTreeSet<i64>,
}

impl World {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_700_000_000_000 + self.now)
    }

    fn chosen(&self, which: usize) -> Option<i64> {
        self.accepted.get(which.checked_rem(self.accepted.len())?).copied()
    }

    fn held(&self, which: usize) -> Option<(i64, Lease)> {
        self.leases.get(which.checked_rem(self.leases.len())?).copied()
    }

    fn change(&mut self, arrival: i64, change: impl FnOnce(&Item) -> Item) {
        if let Some(item) = self.shelf.item(arrival) {
            let changed = change(&item);
            self.shelf.put(&changed);
        }
    }

    fn take(&mut self, step: &Step) {
        let now = self.now();
        match step {
            Step::Enqueue { priority, key } => {
                let asked = ask(Priority::ALL[*priority]);
                let known = key.and_then(|key| self.keys.get(&key).copied());
                match self.shelf.enqueue(&asked, key.map(|key| [key; 16]), 0, now) {
                    Ok(item) => {
                        let known = known.filter(|known| !self.erased.contains(known));
                        assert!(known.is_none_or(|known| known == item.arrival), "one key, one request");
                        if known.is_none() {
                            assert!(!self.accepted.contains(&item.arrival));
                            self.accepted.push(item.arrival);
                            self.keys.extend(key.map(|key| (key, item.arrival)));
                        }
                    }
                    Err(error) => {
                        assert_eq!(error.code, Code::QueueFull);
                        assert_eq!(self.shelf.room().open, self.shelf.config.capacity);
                    }
                }
            }
            Step::Lease { holder } => {
                if let Some((item, lease)) = self.shelf.lease(*holder, now) {
                    assert!(!self.leases.contains(&(item.arrival, lease)), "no run is named twice");
                    assert!(!self.recorded.contains(&item.arrival), "what has its result is not run again");
                    self.leases.push((item.arrival, lease));
                }
            }
            Step::Answer { which } => {
                let Some((arrival, lease)) = self.held(*which) else { return };
                if self.shelf.finish(arrival, lease, Outcome::Answered, now).is_some() {
                    assert!(self.recorded.insert(arrival), "one result");
                }
            }
            Step::Fail { which, code } => {
                let Some((arrival, lease)) = self.held(*which) else { return };
                let code = Code::ALL[code % Code::ALL.len()];
                self.shelf.finish(arrival, lease, Outcome::Failed { code, wait: None }, now);
            }
            Step::Renew { which } => {
                let Some((arrival, lease)) = self.held(*which) else { return };
                let config = self.shelf.config.clone();
                self.change(arrival, |item| item.renew(lease, &config, now).unwrap_or_else(|| item.clone()));
            }
            Step::Cancel { which } => {
                let Some(arrival) = self.chosen(*which) else { return };
                self.change(arrival, |item| item.cancel(now));
            }
            Step::Revive { which } => {
                let Some(arrival) = self.chosen(*which) else { return };
                let (room, config) = (self.shelf.room(), self.shelf.config.clone());
                self.change(arrival, |item| item.revive(room, &config, now).unwrap_or_else(|_| item.clone()));
            }
            Step::Sweep => {
                let before: BTreeSet<_> = self.shelf.items().iter().map(|item| item.arrival).collect();
                let ended: BTreeSet<_> =
                    self.shelf.items().iter().filter(|item| !item.is_open()).map(|item| item.arrival).collect();
                self.shelf.sweep(now);
                let after: BTreeSet<_> = self.shelf.items().iter().map(|item| item.arrival).collect();
                let erased: BTreeSet<_> = before.difference(&after).copied().collect();
                assert!(erased.is_subset(&ended), "only what has ended is erased");
                self.erased.extend(erased);
            }
            Step::Crash { holder } => {
                for item in self.shelf.items() {
                    if matches!(item.state, State::Running { holder: own, .. } if own == *holder) {
                        self.shelf.put(&item.reclaim(now));
                    }
                }
            }
            Step::Clock { by } => self.now += by,
        }
    }

    fn check(&self) {
        let there: BTreeSet<_> = self.shelf.items().iter().map(|item| item.arrival).collect();
        for arrival in &self.accepted {
            assert!(there.contains(arrival) != self.erased.contains(arrival), "nothing is lost");
        }
        assert!(self.shelf.room().open <= self.shelf.config.capacity);
        for item in self.shelf.items() {
            assert_eq!(item.state == State::Completed, self.recorded.contains(&item.arrival));
            assert!(item.failures <= item.max_retries + 1 && item.failures <= item.attempts);
            assert_eq!(Item::decode(&item.encode()).unwrap(), item);
        }
    }

    /// From any state, a runner that is there and answers brings every open item to its end.
    fn drain(&mut self) {
        for _ in 0..10_000 {
            self.take(&Step::Sweep);
            let Some((item, lease)) = self.shelf.lease(9, self.now()) else {
                let config = &self.shelf.config;
                let open = self.shelf.items().into_iter().filter(Item::is_open);
                let Some(due) = open.map(|item| item.index(config).due).min() else { return };
                self.now = self.now.max(due.as_millis() - 1_700_000_000_000);
                continue;
            };
            assert!(self.shelf.finish(item.arrival, lease, Outcome::Answered, self.now()).is_some());
            assert!(self.recorded.insert(item.arrival));
        }
        panic!("the queue does not come to an end");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn nothing_is_lost_and_one_result_is_recorded(steps in prop::collection::vec(step(), 1..80), capacity in 2u32..12) {
        let config = QueueConfig { capacity, ..QueueConfig::default() };
        let mut world = World { shelf: Shelf::with(config), ..World::default() };
        for step in &steps {
            world.take(step);
            world.check();
        }
        world.drain();
        world.check();
    }

    /// The bound of the module's documentation: who is passed over is passed by as many as milliseconds are in its
    /// head start, and no more, whatever comes and whatever the clock does.
    #[test]
    fn no_item_is_passed_over_more_often_than_its_head_start_says(
        arrivals in prop::collection::vec((0usize..4, prop_oneof![4 => 0i64..3, 1 => -50i64..50, 1 => Just(0i64)]), 2..120),
        ageing in 1u64..6,
        each in 1usize..4,
    ) {
        let config = QueueConfig {
            ageing: Duration::from_millis(ageing), timeout: Duration::from_secs(86_400), ..QueueConfig::default()
        };
        let mut shelf = Shelf::with(config);
        let mut passed: BTreeMap<i64, i64> = BTreeMap::new();
        let mut now = 1_700_000_000_000i64;
        let mut run = |shelf: &mut Shelf, now: i64| {
            let waiting: Vec<_> = shelf.items().into_iter().filter(|item| item.state == State::Queued).collect();
            let Some((item, lease)) = shelf.lease(1, Timestamp::from_millis(now)) else { return false };
            for other in waiting.into_iter().filter(|other| other.order < item.order) {
                *passed.entry(other.arrival).or_default() += 1;
                let head_start = (other.priority as i64 - item.priority as i64) * ageing as i64;
                assert!(item.order - other.order <= head_start, "it came too late to pass");
                assert!(passed[&other.arrival] <= other.priority as i64 * ageing as i64, "passed over too often");
            }
            shelf.finish(item.arrival, lease, Outcome::Answered, Timestamp::from_millis(now)).unwrap();
            true
        };
        for (index, (priority, by)) in arrivals.into_iter().enumerate() {
            now += by;
            shelf.enqueue(&ask(Priority::ALL[priority]), None, 0, Timestamp::from_millis(now)).unwrap();
            if index % each == 0 { run(&mut shelf, now); }
        }
        while run(&mut shelf, now) {}
        prop_assert!(shelf.items().iter().all(|item| item.index(&shelf.config).lane == Lane::Completed));
    }
}
