//! Where the rows are.

use std::collections::BTreeMap;

use crate::admit::command::Notice;
use crate::error::{Code, Result};
use crate::time::Timestamp;

/// Longest name of a row: a user's or a token's with one letter before it.
pub(super) const LONGEST_KEY: usize = 257;

/// Rows by name, within one transaction: if a decision fails, none of its writes may stay.
pub trait Rows {
    /// A row as it was written last.
    ///
    /// # Errors
    /// Whatever the storage says; the decision is then given up.
    fn read(&self, key: &str) -> Result<Option<Vec<u8>>>;

    /// Writes a row. Nothing is owed to it after `owed_until`: then it may be forgotten, by [`Rows::forget`] alone.
    ///
    /// # Errors
    /// Whatever the storage says; the decision is then given up.
    fn write(&mut self, key: &str, bytes: &[u8], owed_until: Timestamp) -> Result<()>;

    /// Removes a row, if there is one.
    ///
    /// # Errors
    /// Whatever the storage says; the decision is then given up.
    fn erase(&mut self, key: &str) -> Result<()>;

    /// Removes rows to which nothing is owed at `now`, those first that were owed something longest ago, until
    /// `keep` are left or none can go. Says until when something was owed to the last one that went.
    ///
    /// # Errors
    /// Whatever the storage says; the decision is then given up.
    fn forget(&mut self, keep: usize, now: Timestamp) -> Result<Option<Timestamp>>;

    /// Hears what a decision tells. It may still be given up.
    fn hear(&mut self, _: &Notice) {}
}

/// Rows in memory: for tests, for simulations, for one process.
#[derive(Clone, Debug, Default)]
pub struct MemoryRows(BTreeMap<String, (Vec<u8>, Timestamp)>);

impl MemoryRows {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each row's name and bytes.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.iter().map(|(key, (bytes, _))| (key.as_str(), bytes.as_slice()))
    }
}

impl Rows for MemoryRows {
    fn read(&self, key: &str) -> Result<Option<Vec<u8>>> {
        Ok(self.0.get(key).map(|(bytes, _)| bytes.clone()))
    }

    fn write(&mut self, key: &str, bytes: &[u8], owed_until: Timestamp) -> Result<()> {
        if key.len() > LONGEST_KEY {
            return Err(Code::Internal.into());
        }
        self.0.insert(key.into(), (bytes.into(), owed_until));
        Ok(())
    }

    fn erase(&mut self, key: &str) -> Result<()> {
        self.0.remove(key);
        Ok(())
    }

    fn forget(&mut self, keep: usize, now: Timestamp) -> Result<Option<Timestamp>> {
        let mut idle: Vec<(Timestamp, String)> =
            self.0.iter().filter(|(_, (_, owed))| *owed < now).map(|(key, (_, owed))| (*owed, key.clone())).collect();
        idle.sort();
        let mut last = None;
        for (owed, key) in idle.into_iter().take(self.0.len().saturating_sub(keep)) {
            self.0.remove(&key);
            last = Some(owed);
        }
        Ok(last)
    }
}
