//! How many tokens for pages an organisation gives out in a day.

use std::time::Duration;

use crate::time::Timestamp;

const DAY_MS: i64 = 86_400_000;

/// How many sessions a day (UTC) may have.
#[derive(Clone, Copy, Debug)]
pub struct SessionLimits {
    /// For one subject, at least 1.
    pub per_subject: u32,
    /// For all together, at least 1.
    pub total: u32,
}

/// What was given in the last day that has a session.
#[derive(Clone, Copy, Debug, Default)]
pub struct Given {
    /// Days since the Unix epoch.
    pub day: i64,
    /// To all.
    pub total: u32,
    /// To who asks.
    pub own: u32,
}

/// The day (since the Unix epoch) to count one more session in, or how long there will be none.
///
/// A clock that is set back by up to a day finds what was given: it does not begin a day anew. One that once was
/// further ahead does not bar sessions until then.
///
/// # Errors
/// The time until the day ends, if the subject or all together had its share.
pub fn session_day(given: Given, limits: SessionLimits, now: Timestamp) -> Result<i64, Duration> {
    let today = now.as_millis().div_euclid(DAY_MS);
    let day = if given.day == today.saturating_add(1) { given.day } else { today };
    if given.day != day || (given.total < limits.total && given.own < limits.per_subject) {
        return Ok(day);
    }
    let ends = day.saturating_add(1).saturating_mul(DAY_MS);
    Err(Duration::from_millis(u64::try_from(ends.saturating_sub(now.as_millis())).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: SessionLimits = SessionLimits { per_subject: 2, total: 3 };

    fn asked(day: i64, total: u32, own: u32, now: i64) -> Result<i64, u64> {
        let given = Given { day, total, own };
        session_day(given, LIMITS, Timestamp::from_millis(now)).map_err(|wait| wait.as_secs())
    }

    #[test]
    fn a_subject_and_all_have_their_share_of_a_day() {
        let noon = 20 * DAY_MS + DAY_MS / 2;
        assert_eq!(asked(0, 0, 0, noon), Ok(20), "nothing was given yet");
        assert_eq!(asked(20, 2, 1, noon), Ok(20));
        assert_eq!(asked(20, 2, 2, noon), Err(43_200), "the subject's share");
        assert_eq!(asked(20, 3, 0, noon), Err(43_200), "everybody's");
        assert_eq!(asked(19, 3, 2, noon), Ok(20), "the day before does not count");
    }

    #[test]
    fn a_clock_set_back_begins_no_day_anew() {
        let evening = 20 * DAY_MS - 3_600_000;
        assert_eq!(asked(20, 3, 0, evening), Err(90_000), "until the day that was begun ends");
        assert_eq!(asked(20, 2, 1, evening), Ok(20), "and counts in it");
        assert_eq!(asked(400, 3, 2, evening), Ok(19), "a clock that was far ahead bars nobody");
    }
}
