//! A store in memory, as the others are: rows, two indexes, and one decision at a time.

use std::collections::BTreeMap;

use crate::config::{Priority, QueueConfig};
use crate::error::Result;
use crate::queue::{Ask, Enqueued, Item, Lane, Lease, Naming, Outcome, Room, enqueue};
use crate::time::Timestamp;

pub(super) fn ask(priority: Priority) -> Ask {
    Ask {
        body: r#"{"messages":[{"role":"user","content":"x"}]}"#.into(),
        priority,
        max_retries: None,
        timeout: None,
        user: None,
        conversation: None,
        key: None,
    }
}

pub(super) const fn naming(nth: u64) -> Naming {
    let [a, b, c, d, e, f, g, h] = nth.to_be_bytes();
    let secret = [7, 7, 7, 7, 7, 7, 7, a, b, c, d, e, f, g, h];
    Naming { secret, owner: None, key: None, digest: [0; 16] }
}

/// Rows as bytes, as a store keeps them: what was not encoded is forgotten between two decisions.
#[derive(Default)]
pub(super) struct Shelf {
    rows: BTreeMap<i64, Vec<u8>>,
    made: u64,
    pub(super) config: QueueConfig,
}

impl Shelf {
    pub(super) fn with(config: QueueConfig) -> Self {
        Self { config, ..Self::default() }
    }

    pub(super) fn items(&self) -> Vec<Item> {
        self.rows.values().map(|bytes| Item::decode(bytes).unwrap()).collect()
    }

    pub(super) fn item(&self, arrival: i64) -> Option<Item> {
        self.rows.get(&arrival).map(|bytes| Item::decode(bytes).unwrap())
    }

    pub(super) fn put(&mut self, item: &Item) {
        self.rows.insert(item.arrival, item.encode());
    }

    pub(super) fn room(&self) -> Room {
        let open = self.items().iter().filter(|item| item.is_open()).count();
        Room { open: open.try_into().unwrap(), own: 0, last: self.rows.keys().last().copied().unwrap_or(0) }
    }

    pub(super) fn enqueue(&mut self, ask: &Ask, key: Option<[u8; 16]>, digest: u8, now: Timestamp) -> Result<Item> {
        self.made += 1;
        let naming = Naming { key, digest: [digest; 16], ..naming(self.made) };
        let known = self.items().into_iter().find(|item| key.is_some() && item.key == key);
        match enqueue(ask, naming, known, self.room(), &self.config, now)? {
            Enqueued::Known(item) => Ok(item),
            Enqueued::New(item) => {
                assert!(!self.rows.contains_key(&item.arrival), "two items have one name");
                self.put(&item);
                Ok(item)
            }
        }
    }

    /// The first of the order, leased.
    pub(super) fn lease(&mut self, holder: u64, now: Timestamp) -> Option<(Item, Lease)> {
        loop {
            let rank = |item: &Item| (item.index(&self.config).rank, item.arrival);
            let queued = self.items().into_iter().filter(|item| item.index(&self.config).lane == Lane::Queued);
            let leased = queued.min_by_key(rank)?.lease(holder, &self.config, now);
            self.put(&leased);
            if leased.index(&self.config).lane == Lane::Running {
                let attempt = leased.attempts;
                return Some((leased, Lease { holder, attempt }));
            }
        }
    }

    pub(super) fn finish(&mut self, arrival: i64, lease: Lease, outcome: Outcome, now: Timestamp) -> Option<Item> {
        let item = self.item(arrival)?.finish(lease, outcome, 0, &self.config, now)?;
        self.put(&item);
        Some(item)
    }

    pub(super) fn sweep(&mut self, now: Timestamp) {
        for item in self.items() {
            match item.sweep(&self.config, now) {
                Some(item) => self.put(&item),
                None => drop(self.rows.remove(&item.arrival)),
            }
        }
    }
}
