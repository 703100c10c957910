//! Exponential backoff with full jitter: the draw goes down to zero, so that callers who failed together
//! do not come back together.

use std::time::Duration;

use crate::config::RetryConfig;

/// How long to wait before retry number `retry` (from 1): evenly drawn, in whole milliseconds, from zero
/// to `min(cap, base · 2^(retry − 1))`, both included.
///
/// `draw` is any random number; equal draws give equal waits.
#[must_use]
pub fn full_jitter(config: &RetryConfig, retry: u32, draw: u64) -> Duration {
    let doublings = retry.saturating_sub(1);
    let factor = 1_u64.checked_shl(doublings).unwrap_or(u64::MAX);
    let limit = millis(config.base).saturating_mul(factor).min(millis(config.cap));
    // The bias of a remainder is limit / 2^64: below 10^-14 for a cap of a minute.
    let choices = limit.saturating_add(1);
    Duration::from_millis(draw.checked_rem(choices).unwrap_or(0))
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))] // proptest does not build there
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_upper_end_doubles_up_to_the_cap() {
        let config = RetryConfig::default();
        let tops = [(0, 1), (1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (8, 60), (65, 60), (u32::MAX, 60)];
        for (retry, seconds) in tops {
            let top = seconds * 1_000;
            assert_eq!(full_jitter(&config, retry, top), Duration::from_secs(seconds), "retry {retry}");
            assert_eq!(full_jitter(&config, retry, top + 1), Duration::ZERO, "retry {retry}");
        }
    }

    #[test]
    fn a_zero_base_never_waits() {
        let config = RetryConfig { base: Duration::ZERO, ..RetryConfig::default() };
        assert_eq!(full_jitter(&config, 9, 12_345), Duration::ZERO);
    }

    #[test]
    fn draws_spread_evenly() {
        let config = RetryConfig::default();
        let mut state = 1_u64;
        let mut quarters = [0_u32; 4];
        for _ in 0..4_000 {
            // Knuth's multiplier; the low bits of such a generator are weak, so the high half is drawn.
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let wait = full_jitter(&config, 1, state >> 20).as_millis();
            quarters[usize::try_from(wait * 4 / 1_001).unwrap()] += 1;
        }
        assert!(quarters.iter().all(|count| (900..=1_100).contains(count)), "{quarters:?}");
    }

    proptest! {
        #[test]
        fn never_beyond_either_end(
            base in any::<u64>(), cap in any::<u64>(), retry in any::<u32>(), draw in any::<u64>(),
        ) {
            let (base, cap) = (Duration::from_millis(base), Duration::from_millis(cap));
            let config = RetryConfig { base, cap, ..RetryConfig::default() };
            let wait = full_jitter(&config, retry, draw);
            prop_assert!(wait <= cap);
            if retry <= 1 {
                prop_assert!(wait <= base);
            }
        }
    }
}
