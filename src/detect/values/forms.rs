//! The forms of a value. What is written with escapes for every character is decoded by the scanner itself.

use super::super::finding::Encoding;

/// Tells each form once, the plain one first.
pub(super) fn each(value: &[u8], sink: &mut dyn FnMut(Encoding, Vec<u8>)) {
    let mut told: Vec<Vec<u8>> = Vec::new();
    let mut tell = |encoding: Encoding, form: Vec<u8>| {
        if form.len() >= 4 && !told.contains(&form) {
            told.push(form.clone());
            sink(encoding, form);
        }
    };
    tell(Encoding::Plain, value.to_vec());
    for quote in [b'"', b'\''] {
        let once = escaped(value, quote);
        tell(Encoding::Json, escaped(&once, b'"'));
        tell(Encoding::Json, once);
    }
    for digits in [b"0123456789ABCDEF", b"0123456789abcdef"] {
        // As encodeURIComponent leaves them; as RFC 3986 does; as forms do.
        for (left, plus) in [(b"-_.!~*'()".as_slice(), false), (b"-_.~", false), (b"*-._", true)] {
            tell(Encoding::Percent, percent(value, left, plus, digits));
        }
    }
    for before in 0..3 {
        for last in [b"+/", b"-_"] {
            tell(Encoding::Base64, base64(value, before, *last));
        }
    }
}

/// As in a string of JSON or JavaScript.
fn escaped(value: &[u8], quote: u8) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    for byte in value {
        match byte {
            b'\\' => out.extend(b"\\\\"),
            b'\n' => out.extend(b"\\n"),
            b'\r' => out.extend(b"\\r"),
            b'\t' => out.extend(b"\\t"),
            byte if *byte == quote => out.extend([b'\\', *byte]),
            byte => out.push(*byte),
        }
    }
    out
}

fn percent(value: &[u8], left: &[u8], plus: bool, digits: &[u8; 16]) -> Vec<u8> {
    let digit = |half: u8| digits.get(usize::from(half)).copied().unwrap_or(b'0');
    let mut out = Vec::with_capacity(value.len());
    for byte in value {
        match byte {
            b' ' if plus => out.push(b'+'),
            byte if byte.is_ascii_alphanumeric() || left.contains(byte) => out.push(*byte),
            byte => out.extend([b'%', digit(byte >> 4), digit(byte & 15)]),
        }
    }
    out
}

/// The characters of base64 that only the value decides, if `before` bytes stand before it in its group of three.
fn base64(value: &[u8], before: u32, last: [u8; 2]) -> Vec<u8> {
    let (mut bits, mut held, mut out) = (0u32, 0u32, Vec::with_capacity(value.len().saturating_mul(4) / 3));
    // Bits of the value that share a character with what stands before it.
    let mut skip = match before {
        0 => 0,
        1 => 4,
        _ => 2,
    };
    for byte in value {
        bits = bits << 8 | u32::from(*byte);
        held = held.wrapping_add(8).wrapping_sub(skip);
        skip = 0;
        while held >= 6 {
            held = held.wrapping_sub(6);
            out.push(match bits >> (held & 31) & 63 {
                number @ 0..26 => b'A'.wrapping_add(low(number)),
                number @ 26..52 => b'a'.wrapping_add(low(number.wrapping_sub(26))),
                number @ 52..62 => b'0'.wrapping_add(low(number.wrapping_sub(52))),
                62 => last[0],
                _ => last[1],
            });
        }
        bits &= !(u32::MAX << (held & 31));
    }
    out
}

const fn low(number: u32) -> u8 {
    number.to_le_bytes()[0]
}
