//! Searching text and writing numbers by hand. The standard library's search for a text in a text prepares
//! for long needles and long texts, and is 2 KB of Wasm, its formatting several more; ours are a few words in
//! an error's message or a key, and whole numbers.

/// Sixteen bytes as a vector. Built for size, the compiler would call it.
#[cfg(all(feature = "gateway", target_arch = "wasm32", target_feature = "simd128"))]
#[inline(always)]
pub(crate) fn vector(bytes: &[u8; 16]) -> std::arch::wasm32::v128 {
    let half = |half: Option<&[u8; 8]>| half.map_or(0, |half| u64::from_le_bytes(*half));
    std::arch::wasm32::u64x2(half(bytes.first_chunk()), half(bytes.last_chunk()))
}

/// Where `part` first stands in `text`, as a byte index.
#[must_use]
pub fn find(text: &str, part: &str) -> Option<usize> {
    // `windows(0)` would panic; nothing stands everywhere.
    let length = part.len().max(1);
    let found = text.as_bytes().windows(length).position(|window| window == part.as_bytes());
    if part.is_empty() { Some(0) } else { found }
}

/// Whether `part` stands in `text`.
#[must_use]
pub fn contains(text: &str, part: &str) -> bool {
    find(text, part).is_some()
}

/// What stands before the first `part`, and what after it.
#[must_use]
pub fn split_once<'a>(text: &'a str, part: &str) -> Option<(&'a str, &'a str)> {
    let (before, rest) = text.split_at_checked(find(text, part)?)?;
    Some((before, rest.get(part.len()..)?))
}

/// A number as text, without the formatting machinery.
#[must_use]
pub fn decimal(number: u64) -> String {
    let mut out = String::new();
    push_int(&mut out, number);
    out
}

/// Appends a number without the formatting machinery: this runs several times for each request.
pub fn push_int(out: &mut String, mut number: u64) {
    if let Ok(digit @ 0..=9) = u8::try_from(number) {
        return out.push(char::from(b'0'.wrapping_add(digit)));
    }
    let mut digits = [b'0'; 20];
    let mut first = digits.len();
    loop {
        // To divide 64 bits takes several times as long as 32: they are for what is longer, nine digits at a time.
        let (above, mut below) = match u32::try_from(number) {
            Ok(short) => (0, short),
            Err(_) => (number / 1_000_000_000, (number % 1_000_000_000) as u32),
        };
        let mut at = first;
        while below > 0 {
            at = at.saturating_sub(1);
            if let Some(digit) = digits.get_mut(at) {
                *digit = b'0'.wrapping_add((below % 10) as u8);
            }
            below /= 10;
        }
        if above == 0 {
            let used = digits.get(at..).unwrap_or_default();
            return out.push_str(str::from_utf8(used).unwrap_or_default());
        }
        number = above;
        first = first.saturating_sub(9);
    }
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))] // proptest does not build there
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn numbers_are_written_as_they_are(number: u64, digits in 0u32..20) {
            let power = 10u64.saturating_pow(digits);
            for number in [number, number.checked_rem(power).unwrap_or(0), power, u64::MAX, 1_000_000_000_000_000_001] {
                proptest::prop_assert_eq!(decimal(number), number.to_string());
            }
        }
    }

    #[test]
    fn finds_the_first() {
        assert_eq!(find("a b a b", "b"), Some(2));
        assert_eq!(find("ab", "abc"), None);
        assert_eq!(split_once("https://a://b", "://"), Some(("https", "a://b")));
        assert_eq!(split_once("né…t", "…"), Some(("né", "t")));
    }

    proptest::proptest! {
        #[test]
        fn as_std_does(text in "[aäb]{0,12}", part in "[aäb]{0,3}") {
            proptest::prop_assert_eq!(find(&text, &part), text.find(&part));
            proptest::prop_assert_eq!(contains(&text, &part), text.contains(&part));
            proptest::prop_assert_eq!(split_once(&text, &part), text.split_once(&part));
        }

        #[test]
        fn numbers_are_written_as_std_writes_them(number: u64) {
            proptest::prop_assert_eq!(decimal(number), number.to_string());
        }
    }
}
