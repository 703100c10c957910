//! What is left of a rate.

use std::time::Duration;

use crate::text::decimal;

/// The tightest of the rates that a request was counted by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Allowance {
    /// How much there can be at once.
    pub limit: u64,
    /// How much of it there is now.
    pub remaining: u64,
    /// Until all of it is there again.
    pub reset: Duration,
}

impl Allowance {
    /// As headers of an answer. The reset is told in seconds from now, rounded up, as the IETF's draft on rate-limit
    /// headers has it (draft-ietf-httpapi-ratelimit-headers): the clocks of two machines differ.
    #[must_use]
    pub fn headers(&self) -> [(&'static str, String); 3] {
        let seconds = self.reset.as_secs().saturating_add(u64::from(self.reset.subsec_nanos() > 0));
        [
            ("x-ratelimit-limit", decimal(self.limit)),
            ("x-ratelimit-remaining", decimal(self.remaining)),
            ("x-ratelimit-reset", decimal(seconds)),
        ]
    }
}
