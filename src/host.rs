//! Ports: what the gateway asks of the place it runs in.

use crate::time::Timestamp;

/// Time-zone rules, as the host's `Intl` or a test's script knows them.
pub trait ZoneRules {
    /// Seconds that local time in `zone` (an IANA name) is ahead of UTC at `at`. Negative west of
    /// Greenwich; `None` if the zone is not known.
    fn offset_at(&self, zone: &str, at: Timestamp) -> Option<i32>;
}

/// UTC and nothing else: for hosts without `Intl`.
#[derive(Clone, Copy, Debug, Default)]
pub struct UtcOnly;

impl ZoneRules for UtcOnly {
    fn offset_at(&self, zone: &str, _at: Timestamp) -> Option<i32> {
        (zone == "UTC").then_some(0)
    }
}
