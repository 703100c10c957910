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
        let percent = u64::from(percent);
        let part = (self.0 % 100).saturating_mul(percent) / 100;
        Self((self.0 / 100).saturating_mul(percent).saturating_add(part))
    }

    /// Parses a decimal number of dollars such as `1`, `0.25` or `1.4e-7`, exactly.
    ///
    /// Digits below one nano-dollar are rounded up, so a price never becomes smaller by parsing.
    /// `None` for anything else: a sign, blanks, an overflow.
    #[must_use]
    pub fn parse_usd(text: &str) -> Option<Self> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, signed(exponent)?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        // How many digits, from the left, stand for whole nano-dollars; what is right of them rounds up.
        let mut places = i64::try_from(whole.len()).ok()?.checked_add(exponent)?.checked_add(9)?;
        let (mut nano, mut below) = (0u64, false);
        for byte in whole.bytes().chain(fraction.bytes()) {
            let digit = char::from(byte).to_digit(10)?;
            if places > 0 {
                nano = nano.checked_mul(10)?.checked_add(digit.into())?;
                places = places.saturating_sub(1);
            } else {
                below |= digit > 0;
            }
        }
        while places > 0 && nano > 0 {
            nano = nano.checked_mul(10)?;
            places = places.saturating_sub(1);
        }
        nano.checked_add(below.into()).map(Self)
    }
}

impl fmt::Debug for NanoUsd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}nUSD", self.0)
    }
}

/// A whole number that may have a sign: JavaScript writes exponents as `e-7` and `e+21`.
fn signed(text: &str) -> Option<i64> {
    let (digits, negative) = match text.strip_prefix('-') {
        Some(digits) => (digits, true),
        None => (text.strip_prefix('+').unwrap_or(text), false),
    };
    let number = i64::try_from(digits.parse::<u64>().ok()?).ok()?;
    if negative { number.checked_neg() } else { Some(number) }
}

const MILLION: u64 = 1_000_000;

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

    /// `percent` hundredths of the price, rounded up; saturates.
    #[must_use]
    pub const fn percent(self, percent: u32) -> Self {
        Self(self.0.saturating_mul(percent as u64).div_ceil(100))
    }

    /// What `units` cost, rounded up to a whole nano-dollar; saturates.
    #[must_use]
    pub fn cost(self, units: u64) -> NanoUsd {
        // Part by part, since a division of 128 bits is 1 KB of Wasm. Only the last part is no whole number.
        let (rate, rest_rate) = (self.0 / MILLION, self.0 % MILLION);
        let (millions, rest_units) = (units / MILLION, units % MILLION);
        let part = rest_rate.saturating_mul(rest_units).div_ceil(MILLION);
        let nano = rate.saturating_mul(units).saturating_add(rest_rate.saturating_mul(millions));
        NanoUsd(nano.saturating_add(part))
    }
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "small numbers of tests")]
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
            ("0e999999999999999999", 0),
            // Less than a nano-dollar is rounded up.
            ("0.0000000001", 1),
            ("1e-40", 1),
        ];
        for (text, nano) in cases {
            assert_eq!(NanoUsd::parse_usd(text), Some(NanoUsd(nano)), "{text}");
        }
        for text in
            ["", ".", "-1", "+1", " 1", "1 ", "NaN", "inf", "1e", "1e99", "0x1", "1a", "1.2.3", "99999999999999999999"]
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

    // Held against arithmetic of 128 bits, which cannot overflow here.
    #[cfg(not(target_arch = "wasm32"))] // proptest does not build there
    proptest::proptest! {
        #[test]
        fn a_cost_is_exact(rate: u64, units: u64, bits in 0u32..64) {
            let (rate, units) = (rate >> bits, units >> (63 - bits));
            let exact = (u128::from(rate) * u128::from(units)).div_ceil(1_000_000);
            let exact = u64::try_from(exact).unwrap_or(u64::MAX);
            proptest::prop_assert_eq!(Rate::per_million(rate).cost(units), NanoUsd(exact));
        }

        #[test]
        fn a_percentage_is_exact(amount: u64, percent in 0u32..=100) {
            let exact = u128::from(amount) * u128::from(percent) / 100;
            proptest::prop_assert_eq!(u128::from(NanoUsd(amount).percent(percent).0), exact);
        }

        #[test]
        fn dollars_are_exact(whole in 0u64..10_000_000_000, fraction in 0u64..1_000_000_000_000, move_by in -12i32..=8) {
            // Written with twelve digits after the point, and with the point moved by an exponent.
            let text = format!("{whole}.{fraction:012}e{move_by}");
            let pico = u128::from(whole) * 1_000_000_000_000 + u128::from(fraction);
            let power = 10u128.pow(move_by.unsigned_abs());
            let exact = if move_by < 0 { pico.div_ceil(power * 1_000) } else { (pico * power).div_ceil(1_000) };
            proptest::prop_assert_eq!(NanoUsd::parse_usd(&text), u64::try_from(exact).ok().map(NanoUsd));
        }
    }
}
