//! Numbers and spans as providers write them, in whole milliseconds, rounded up. Integers only: a float
//! parser costs 20 KB of Wasm.

use std::time::Duration;

/// A decimal read up to a millionth, rounded up.
struct Decimal {
    whole: u64,
    /// 0 to 1,000,000, the upper end by rounding.
    micros: u64,
}

impl Decimal {
    /// This many units of `mul / div` milliseconds, as milliseconds.
    fn millis(&self, (mul, div): (u64, u64)) -> u64 {
        let whole = self.whole.saturating_mul(mul).div_ceil(div);
        let part = self.micros.saturating_mul(mul).div_ceil(div.saturating_mul(1_000_000));
        whole.saturating_add(part)
    }
}

/// A whole text of decimal seconds: `34.4`. Signs, exponents and words are no such text.
pub(super) fn seconds(text: &str) -> Option<Duration> {
    alone(text, (1_000, 1))
}

/// A whole text of decimal milliseconds.
pub(super) fn millis(text: &str) -> Option<Duration> {
    alone(text, (1, 1))
}

fn alone(text: &str, unit: (u64, u64)) -> Option<Duration> {
    let (number, rest) = decimal(text.trim().as_bytes())?;
    rest.is_empty().then(|| Duration::from_millis(number.millis(unit)))
}

/// A whole text that is a span with units: `12ms`, `34.4s`, `6m0s`, `2m59.56s`.
pub(super) fn span(text: &str) -> Option<Duration> {
    let (span, rest) = span_prefix(text.trim())?;
    rest.is_empty().then_some(span)
}

/// The span at the start of a text, and what follows: `7.66s. Visit …`, `20 seconds`.
pub(super) fn span_prefix(text: &str) -> Option<(Duration, &[u8])> {
    let (mut total, mut rest) = component(text.as_bytes())?;
    while let Some((more, after)) = component(rest) {
        (total, rest) = (total.saturating_add(more), after);
    }
    Some((Duration::from_millis(total), rest))
}

/// One number with its unit.
fn component(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (number, rest) = decimal(bytes)?;
    let rest = rest.strip_prefix(b" ").unwrap_or(rest);
    let letters = rest.iter().take_while(|byte| byte.is_ascii_alphabetic() || !byte.is_ascii()).count();
    let (unit, rest) = rest.split_at_checked(letters)?;
    let unit = match unit {
        b"ns" => (1, 1_000_000),
        // Go writes the micro sign, U+00B5; some libraries the Greek letter, U+03BC.
        b"us" | b"\xc2\xb5s" | b"\xce\xbcs" => (1, 1_000),
        b"ms" => (1, 1),
        b"s" | b"sec" | b"secs" | b"second" | b"seconds" => (1_000, 1),
        b"m" | b"min" | b"mins" | b"minute" | b"minutes" => (60_000, 1),
        b"h" | b"hour" | b"hours" => (3_600_000, 1),
        b"d" | b"day" | b"days" => (86_400_000, 1),
        _ => return None,
    };
    Some((number.millis(unit), rest))
}

/// The decimal at the start, and what follows. A point without a digit after it is not part of it.
fn decimal(bytes: &[u8]) -> Option<(Decimal, &[u8])> {
    let (whole, mut rest) = digits(bytes)?;
    let mut micros = 0;
    if let Some((_, after)) = rest.strip_prefix(b".").and_then(digits) {
        let (mut place, mut below) = (100_000_u64, false);
        for digit in rest.iter().skip(1).map_while(|byte| digit(*byte)) {
            below |= place == 0 && digit > 0;
            micros = place.saturating_mul(digit).saturating_add(micros);
            place /= 10;
        }
        micros = u64::from(below).saturating_add(micros);
        rest = after;
    }
    Some((Decimal { whole, micros }, rest))
}

/// The whole number at the start, saturated, and what follows.
pub(super) fn digits(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = digit(*bytes.first()?)?;
    let mut rest = bytes.get(1..)?;
    while let Some(next) = rest.first().and_then(|byte| digit(*byte)) {
        value = value.saturating_mul(10).saturating_add(next);
        rest = rest.get(1..)?;
    }
    Some((value, rest))
}

fn digit(byte: u8) -> Option<u64> {
    char::from(byte).to_digit(10).map(u64::from)
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))] // proptest does not build there
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ms(parsed: Option<Duration>) -> Option<u128> {
        parsed.map(|span| span.as_millis())
    }

    #[test]
    fn seconds_round_up() {
        let cases = [
            ("0", 0),
            ("30", 30_000),
            (" 1.5 ", 1_500),
            ("34.4", 34_400),
            ("0.0001", 1),
            ("0.0000000001", 1),
            ("1.0000000000", 1_000),
            ("1.0009999999", 1_001),
            ("1.9999999999", 2_000),
            ("007", 7_000),
        ];
        for (text, want) in cases {
            assert_eq!(ms(seconds(text)), Some(want), "{text}");
        }
        assert_eq!(ms(millis("1500.25")), Some(1_501));
    }

    #[test]
    fn what_is_no_number_is_nothing() {
        for text in ["", " ", "-1", "+1", "NaN", "Infinity", "1e3", "1.", ".5", "1,5", "0x10", "1 2", "१"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    #[test]
    fn spans_as_written_by_go_and_by_people() {
        let cases = [
            ("1s", 1_000),
            ("6m0s", 360_000),
            ("12ms", 12),
            ("2m59.56s", 179_560),
            ("34.4s", 34_400),
            ("1h2m3s", 3_723_000),
            ("23h59m59.999s", 86_399_999),
            ("1d12h", 129_600_000),
            ("2500us", 3),
            ("350µs", 1),
            ("3000001ns", 4),
            ("1ns", 1),
            ("20 seconds", 20_000),
            ("0s", 0),
        ];
        for (text, want) in cases {
            assert_eq!(ms(span(text)), Some(want), "{text}");
        }
        for text in ["", "s", "5", "5x", "1s2", "-1s", "1 2s", "5s.", "1.s"] {
            assert_eq!(span(text), None, "{text}");
        }
        let (wait, rest) = span_prefix("7.66s. Visit").unwrap();
        assert_eq!((wait, rest), (Duration::from_millis(7_660), &b". Visit"[..]));
    }

    #[test]
    fn absurd_lengths_saturate() {
        let nines = "9".repeat(400);
        assert_eq!(seconds(&nines), Some(Duration::from_millis(u64::MAX)));
        assert_eq!(span(&format!("{nines}h{nines}d")), Some(Duration::from_millis(u64::MAX)));
        assert_eq!(ms(seconds(&format!("1.{nines}"))), Some(2_000));
    }

    proptest! {
        #[test]
        fn exact_for_whole_milliseconds(millis in 0_u64..1_000_000_000) {
            let text = format!("{}.{:03}", millis / 1_000, millis % 1_000);
            prop_assert_eq!(seconds(&text), Some(Duration::from_millis(millis)));
            prop_assert_eq!(span(&format!("{text}s")), Some(Duration::from_millis(millis)));
        }

        #[test]
        fn no_text_breaks_it(text in ".*") {
            let _ = (seconds(&text), millis(&text), span(&text));
        }
    }
}
