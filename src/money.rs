//! Money: whole nano-dollars, never a float.

use std::fmt;

/// An amount in nano-USD (1 USD = 1,000,000,000). Never negative; arithmetic is checked or saturates.
///
/// `u64` holds 18 billion dollars; JavaScript's safe integers hold 9 million.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct NanoUsd(u64);

impl NanoUsd {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// One dollar.
    pub const ONE_USD: Self = Self(1_000_000_000);
    /// The largest amount.
    pub const MAX: Self = Self(u64::MAX);

    /// From whole nano-dollars.
    #[must_use]
    pub const fn new(nano: u64) -> Self {
        Self(nano)
    }

    /// Whole nano-dollars.
    #[must_use]
    pub const fn as_nano(self) -> u64 {
        self.0
    }

    /// The sum, or `None` on overflow.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The sum, at most [`NanoUsd::MAX`]: an amount too large to add is over every cap.
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference, at least zero.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// `percent` hundredths of the amount, rounded down.
    #[must_use]
    pub fn percent(self, percent: u32) -> Self {
        let nano = u128::from(self.0).saturating_mul(u128::from(percent)) / 100;
        Self(u64::try_from(nano).unwrap_or(u64::MAX))
    }

    /// Parses a decimal number of dollars such as `1`, `0.25` or `1.4e-7`, exactly.
    ///
    /// Digits below one nano-dollar are rounded up, so a price never becomes smaller by parsing.
    /// `None` for anything else: a sign, blanks, more than 18 integer digits, an overflow.
    #[must_use]
    pub fn parse_usd(text: &str) -> Option<Self> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        if whole.len().checked_add(fraction.len())? > 40 || !(-60..=18).contains(&exponent) {
            return None;
        }
        // The value is `digits * 10^scale` nano-dollars.
        let mut digits: u128 = 0;
        for byte in whole.bytes().chain(fraction.bytes()) {
            if !byte.is_ascii_digit() {
                return None;
            }
            let digit = u128::from(byte.checked_sub(b'0')?);
            digits = digits.checked_mul(10)?.checked_add(digit)?;
        }
        let scale = exponent.checked_sub(i32::try_from(fraction.len()).ok()?)?.checked_add(9)?;
        let power = scale.unsigned_abs();
        let nano = if digits == 0 {
            0
        } else if scale >= 0 {
            digits.checked_mul(10u128.checked_pow(power)?)?
        } else {
            10u128.checked_pow(power).map_or(1, |divisor| digits.div_ceil(divisor))
        };
        u64::try_from(nano).ok().map(Self)
    }
}

impl fmt::Debug for NanoUsd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}nUSD", self.0)
    }
}

/// A price: nano-USD per million units (tokens).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Rate(u64);

impl Rate {
    /// Costs nothing.
    pub const FREE: Self = Self(0);

    /// From nano-USD per million units. $0.075 per million is `75_000_000`.
    #[must_use]
    pub const fn per_million(nano: u64) -> Self {
        Self(nano)
    }

    /// Nano-USD per million units.
    #[must_use]
    pub const fn as_per_million(self) -> u64 {
        self.0
    }

    /// What `units` cost, rounded up to a whole nano-dollar; saturates.
    #[must_use]
    pub fn cost(self, units: u64) -> NanoUsd {
        let nano = u128::from(self.0).saturating_mul(u128::from(units)).div_ceil(1_000_000);
        NanoUsd(u64::try_from(nano).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollars_are_parsed_exactly() {
        let cases = [
            ("1", 1_000_000_000),
            ("1.00", 1_000_000_000),
            ("0.000225", 225_000),
            ("1.4e-7", 140),
            ("2E2", 200_000_000_000),
            (".5", 500_000_000),
            ("0", 0),
            ("0e-50", 0),
            // Less than a nano-dollar is rounded up.
            ("0.0000000001", 1),
            ("1e-40", 1),
        ];
        for (text, nano) in cases {
            assert_eq!(NanoUsd::parse_usd(text), Some(NanoUsd(nano)), "{text}");
        }
        for text in
            ["", ".", "-1", "+1", " 1", "1 ", "NaN", "inf", "1e", "1e99", "0x1", "1.2.3", "99999999999999999999"]
        {
            assert_eq!(NanoUsd::parse_usd(text), None, "{text}");
        }
    }

    #[test]
    fn cost_rounds_up_and_saturates() {
        let rate = Rate::per_million(75_000_000);
        assert_eq!(rate.cost(1_000), NanoUsd(75_000));
        assert_eq!(Rate::per_million(1).cost(1), NanoUsd(1));
        assert_eq!(Rate::FREE.cost(u64::MAX), NanoUsd::ZERO);
        assert_eq!(Rate::per_million(u64::MAX).cost(u64::MAX), NanoUsd::MAX);
    }

    #[test]
    fn percent_does_not_overflow() {
        assert_eq!(NanoUsd::ONE_USD.percent(80), NanoUsd(800_000_000));
        assert_eq!(NanoUsd::MAX.percent(100), NanoUsd::MAX);
    }
}
