//! A token bucket: so much at once, so much a minute. Whole numbers throughout: a request weighs 60,000, the
//! milliseconds of a minute, so that what flows in with each millisecond is the rate itself.

use std::time::Duration;

use crate::config::RateConfig;
use crate::error::Allowance;
use crate::pack::{Reader, Writer};
use crate::time::Timestamp;

/// What one request, or one token, weighs.
const WEIGHT: i64 = 60_000;
/// How deep a bill above its estimate may sink a bucket: ten times what it holds. It is paid off before
/// anything else is granted, but not for ever.
const DEEPEST: i64 = 10;

/// What is in a bucket.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Bucket {
    /// In weights; below zero, what is owed.
    level: i64,
    at: Timestamp,
}

const fn holds(config: RateConfig) -> i64 {
    (config.burst as i64).saturating_mul(WEIGHT)
}

const fn flow(config: RateConfig) -> i64 {
    if config.per_minute == 0 { 1 } else { config.per_minute as i64 }
}

fn weight(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX).saturating_mul(WEIGHT)
}

/// How long `missing` takes to flow in.
const fn wait(missing: i64, config: RateConfig) -> Duration {
    let missing = if missing < 0 { 0 } else { missing.unsigned_abs() };
    Duration::from_millis(missing.div_ceil(flow(config).unsigned_abs()))
}

impl Bucket {
    pub(super) const fn full(config: RateConfig, now: Timestamp) -> Self {
        Self { level: holds(config), at: now }
    }

    /// Lets in what has flowed since. A clock that went back lets nothing in, and counts on from where it is: a
    /// bucket that waited for its clock to come back might wait for years.
    pub(super) fn refill(&mut self, config: RateConfig, now: Timestamp) {
        let passed = now.as_millis().saturating_sub(self.at.as_millis()).max(0);
        self.level = self.level.saturating_add(passed.saturating_mul(flow(config))).min(holds(config));
        self.at = now;
    }

    /// Whether `count` can be taken now; else how long until then. `None`: never, it is more than the bucket holds.
    pub(super) fn check(&self, config: RateConfig, count: u64) -> Result<(), Option<Duration>> {
        let wanted = weight(count);
        if wanted <= self.level {
            return Ok(());
        }
        Err((wanted <= holds(config)).then(|| wait(wanted.saturating_sub(self.level), config)))
    }

    /// Takes what [`Bucket::check`] granted.
    pub(super) fn take(&mut self, count: u64) {
        self.level = self.level.saturating_sub(weight(count));
    }

    /// Puts right what was taken by an estimate: what was not used flows back, what was used beyond it is owed.
    pub(super) fn correct(&mut self, config: RateConfig, taken: u64, used: u64) {
        let level = self.level.saturating_add(weight(taken)).saturating_sub(weight(used));
        self.level = level.clamp(holds(config).saturating_mul(DEEPEST).saturating_neg(), holds(config));
    }

    /// What to tell its caller.
    pub(super) fn allowance(&self, config: RateConfig) -> Allowance {
        Allowance {
            limit: config.burst.into(),
            remaining: u64::try_from(self.level / WEIGHT).unwrap_or(0),
            reset: wait(holds(config).saturating_sub(self.level), config),
        }
    }

    pub(super) fn encode(&self, writer: &mut Writer) {
        writer.int(self.level).int(self.at.as_millis());
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Self {
        Self { level: reader.int(), at: Timestamp::from_millis(reader.int()) }
    }
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))] // proptest does not build there
mod tests;
