//! Decimal numbers as base64 of 32-bit floats in little-endian order, which OpenAI's clients ask for by
//! themselves. In integers: the standard library's float parser is 20 KB of Wasm.

/// Appends a JSON list of numbers in base64. `None` for what is no list of numbers, or beyond what the type
/// holds.
pub(super) fn push_base64(out: &mut String, list: &str) -> Option<()> {
    let mut base64 = Base64 { out, held: 0, bits: 0 };
    for number in list.strip_prefix('[')?.strip_suffix(']')?.split(',') {
        for byte in float(number.trim_ascii())?.to_le_bytes() {
            base64.push(byte);
        }
    }
    base64.finish();
    Some(())
}

struct Base64<'a> {
    out: &'a mut String,
    /// The lowest `bits` of it are still to be written.
    held: u32,
    bits: u32,
}

impl Base64<'_> {
    fn push(&mut self, byte: u8) {
        self.held = self.held << 8 | u32::from(byte);
        self.bits = self.bits.wrapping_add(8);
        while self.bits >= 6 {
            self.bits = self.bits.wrapping_sub(6);
            self.digit(self.held >> self.bits);
        }
    }

    fn digit(&mut self, six: u32) {
        const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let digit = ALPHABET.get((six & 63) as usize);
        self.out.extend(digit.map(|digit| char::from(*digit)));
    }

    fn finish(mut self) {
        // Two bits are left of one byte, four of two.
        let padding = match self.bits {
            2 => "==",
            4 => "=",
            _ => return,
        };
        self.digit(self.held << 6u32.wrapping_sub(self.bits));
        self.out.push_str(padding);
    }
}

/// The bits of the nearest 32-bit float, ties to even.
///
/// Exact for up to 36 digits, none of them behind the 38th place after the point: what stands further behind
/// does not count. So a number of 8 digits is exact down to 10⁻³⁰, and what is near 10⁻³⁸ or below is zero. No vector
/// says anything there.
fn float(text: &str) -> Option<u32> {
    /// The last power of ten that fits twice into 128 bits.
    const LAST: i32 = -38;
    const FULL: u128 = 10u128.pow(36);
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (1u32 << 31, rest),
        None => (0, text),
    };
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let mut exponent: i32 = exponent.parse().ok()?;
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() {
        return None;
    }
    // The digits that count, and whether anything stands behind them.
    let (mut digits, mut rest) = (0u128, false);
    for (digit, behind) in whole.chars().map(|digit| (digit, false)).chain(part.chars().map(|digit| (digit, true))) {
        let digit = u128::from(digit.to_digit(10)?);
        let counts = digits < FULL && (exponent > LAST || !behind);
        if counts {
            digits = digits.wrapping_mul(10).wrapping_add(digit);
        } else {
            rest |= digit > 0;
        }
        // A digit before the point that does not count is a place more; one behind that counts, a place less.
        let places = i32::from(!counts && !behind).wrapping_sub(i32::from(counts && behind));
        exponent = exponent.saturating_add(places);
    }
    if digits == 0 || exponent < LAST {
        return Some(sign);
    }
    let power = 10u128.checked_pow(exponent.unsigned_abs())?;
    let (mut over, mut under) = if exponent < 0 { (digits, power) } else { (power.checked_mul(digits)?, 1) };
    // Shifted until 1 ≤ over / under < 2: then the shift is the binary exponent.
    let mut shift = under.leading_zeros().cast_signed().wrapping_sub(over.leading_zeros().cast_signed());
    if shift > 0 {
        under <<= shift;
    } else {
        over <<= shift.unsigned_abs();
    }
    if over < under {
        over <<= 1;
        shift = shift.wrapping_sub(1);
    }
    // 24 bits by long division, and one to round by.
    let mut quotient = 0u32;
    for _ in 0..25 {
        quotient <<= 1;
        if over >= under {
            over = over.wrapping_sub(under);
            quotient |= 1;
        }
        over <<= 1;
    }
    let up = quotient & 1 == 1 && (rest || over > 0 || quotient & 2 == 2);
    let rounded = (quotient >> 1).wrapping_add(u32::from(up));
    // Rounding up may carry into a 25th bit, whose lower ones are then all zero.
    shift = shift.wrapping_add((rounded >> 24).cast_signed());
    match shift {
        ..-126 => Some(sign),
        -126..=127 => Some(sign | shift.wrapping_add(127).cast_unsigned() << 23 | rounded & 0x7f_ffff),
        128.. => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nearest(text: &str) -> Option<f32> {
        float(text).map(f32::from_bits)
    }

    #[test]
    fn numbers_are_read_as_the_standard_library_reads_them() {
        for text in [
            "0",
            "-0",
            "0.0",
            "1",
            "-1",
            "0.5",
            "0.1",
            "-0.037104916",
            "0.0057293195",
            "1e0",
            "1E+2",
            "1.5e-3",
            "16777217",
            "16777219",
            "33554435",
            "0.99999997",
            "0.999999999999999999999999",
            "1.00000005960464477539062500000001",
            "1.000000059604644775390625",
            "3.4028235e38",
            "340282350000000000000000000000000000000",
            "1e-19",
            "12345678901234567890123",
            "0.00000000000000000001234567",
        ] {
            assert_eq!(float(text), text.parse().ok().map(f32::to_bits), "{text}");
        }
        assert_eq!(nearest("1e-50"), Some(0.0));
        assert_eq!(nearest("1.17549435e-38"), Some(0.0));
        assert_eq!(nearest("-1e-99999"), Some(-0.0));
        for text in ["", "x", "1x", "--1", "1e", "1e99", "1e39", "3.5e38", "1e99999999999", "+1", "NaN", "null", "é"] {
            assert_eq!(nearest(text), None, "{text}");
        }
    }

    #[test]
    fn base64_is_padded_as_it_must_be() {
        let encoded = |list: &str| {
            let mut out = String::new();
            push_base64(&mut out, list).map(|()| out)
        };
        // Values from any other encoder: struct.pack('<f', 1.0) and so on.
        assert_eq!(encoded("[1]").as_deref(), Some("AACAPw=="));
        assert_eq!(encoded("[ 1.0 , -2.5 ]").as_deref(), Some("AACAPwAAIMA="));
        assert_eq!(encoded("[1,-2.5,\n0.1]").as_deref(), Some("AACAPwAAIMDNzMw9"));
        for bad in ["", "[", "[]", "1", "[1,]", "[1;2]", "[\"1\"]"] {
            assert_eq!(encoded(bad), None, "{bad}");
        }
    }

    #[cfg(not(target_arch = "wasm32"))] // proptest does not build there
    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(2_000))]

        #[test]
        fn what_the_standard_library_writes_is_read_back(single in -1e9f32..1e9, double in -1.0f64..1.0, small in -1e-6f64..1e-6) {
            for text in [single.to_string(), double.to_string(), small.to_string(), format!("{double:e}"), format!("{single:e}")] {
                proptest::prop_assert_eq!(float(&text), text.parse().ok().map(f32::to_bits), "{}", text);
            }
        }

        #[test]
        fn any_digits_are_rounded_to_the_nearest(text in "-?(0|[1-9][0-9]{0,5})\\.[0-9]{1,28}(e-?[0-9])?") {
            let expected: f32 = text.parse().unwrap();
            proptest::prop_assert_eq!(float(&text), Some(expected.to_bits()), "{}", text);
        }

        #[test]
        fn hostile_numbers_never_panic(any: String, built in "-?[0-9]{0,60}\\.?[0-9]{0,400}([eE][+-]?[0-9]{0,12})?") {
            let _ = (float(&any), float(&built), push_base64(&mut String::new(), &any));
        }
    }
}
