//! Slows down whoever tries passphrases at the keyboard.
//!
//! An attempt is counted, and stored, before its passphrase is tried: closing the page in the middle gains nothing. It
//! does not stop a person who can write to the storage, since that person can delete the count, or copy the vault and
//! try elsewhere: there, the cost of Argon2id is what stands in the way.

use std::time::Duration;

use crate::error::{Code, Error, Result};
use crate::time::Timestamp;

use super::frame::{self, What};

/// Attempts in a row that cost no wait.
const FREE: u64 = 3;

/// The longest wait, in seconds.
const LONGEST_SECONDS: u64 = 900;

/// Counts an attempt: what to store before it is made. After success, delete it.
///
/// # Errors
/// `rate_limited` with how long to wait: 1 s after the third failure, then twice as long each time, up to 15 minutes.
pub fn attempt(stored: Option<&[u8]>, now: Timestamp) -> Result<Vec<u8>> {
    let (failures, last) = stored.map_or((0, now), |bytes| read(bytes).unwrap_or((FREE, now)));
    // A clock that was set back keeps nobody out.
    if last <= now {
        let doubled = failures.checked_sub(FREE).map(|more| 1_u64.checked_shl(more.min(63) as u32).unwrap_or(u64::MAX));
        let wait = Duration::from_secs(doubled.unwrap_or(0).min(LONGEST_SECONDS)).saturating_sub(now.since(last));
        if !wait.is_zero() {
            return Err(Box::new(Error::new(Code::RateLimited).after(wait)));
        }
    }
    let mut out = frame::start(What::Attempts);
    out.uint(failures.saturating_add(1)).int(now.as_millis());
    Ok(frame::finish(out))
}

/// Failures and when the last one was.
fn read(bytes: &[u8]) -> Result<(u64, Timestamp)> {
    let (_, mut reader) = frame::open(What::Attempts, bytes)?;
    let read = (reader.uint(), Timestamp::from_millis(reader.int()));
    reader.end()?;
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn at(seconds: u64) -> Timestamp {
        START.after(Duration::from_secs(seconds))
    }

    fn wait(stored: &[u8], now: Timestamp) -> u64 {
        let error = attempt(Some(stored), now).unwrap_err();
        assert_eq!(error.code, Code::RateLimited);
        error.retry_after.unwrap().as_secs()
    }

    #[test]
    fn waits_double_after_three_failures_and_end_at_a_quarter_of_an_hour() {
        let mut stored = attempt(None, START).unwrap();
        for _ in 0..2 {
            stored = attempt(Some(&stored), START).unwrap();
        }
        let mut now = 0;
        for expected in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900] {
            assert_eq!(wait(&stored, at(now)), expected);
            let early = Duration::from_millis(expected * 1_000 - 1);
            assert!(attempt(Some(&stored), at(now).after(early)).is_err());
            now += expected;
            stored = attempt(Some(&stored), at(now)).unwrap();
        }
    }

    #[test]
    fn a_clock_set_back_or_far_ahead_locks_nobody_out() {
        let mut stored = attempt(None, at(1_000_000)).unwrap();
        for _ in 0..20 {
            stored = attempt(Some(&stored), at(1_000_000 - 1)).or_else(|_| attempt(Some(&stored), START)).unwrap();
        }
        let stored = attempt(Some(&stored), Timestamp::from_millis(0)).unwrap();
        assert_eq!(wait(&stored, Timestamp::from_millis(0)), 900);
    }

    #[test]
    fn damage_is_no_way_around() {
        let stored = attempt(None, START).unwrap();
        for bit in 0..stored.len() * 8 {
            let mut damaged = stored.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(wait(&damaged, START), 1, "bit {bit}");
        }
    }
}
