//! Recovery codes: 128 random bits as 26 letters and digits, and two more that tell a slip of the pen.
//!
//! The alphabet is Crockford's base 32, which has no letter that looks like a digit; what looks like one is taken for it.

use zeroize::Zeroize;

use crate::error::{Error, Result};
use crate::secret::Secret;

use super::Entropy;
use super::cipher::checksum;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Random bytes of a code.
const BYTES: usize = 16;

/// Characters without dashes: 26 for 128 bits, 2 of checksum.
const CHARACTERS: usize = 28;

/// Between two dashes.
const GROUP: usize = 4;

/// A new code, in seven groups of four. Its secret is what [`parse`] makes of it.
#[must_use]
pub fn generate(entropy: &mut Entropy<'_>) -> Secret<Vec<u8>> {
    let mut secret = Secret::new([0; BYTES]);
    // EXPOSE: filled in place.
    entropy(secret.expose_mut());
    // EXPOSE: written out as the code, which is a Secret again.
    write(secret.expose())
}

fn write(secret: &[u8; BYTES]) -> Secret<Vec<u8>> {
    let mut digits = digits(secret);
    let mut code = Vec::with_capacity(CHARACTERS.saturating_add(CHARACTERS / GROUP));
    for (index, digit) in digits.iter().enumerate() {
        if index > 0 && index % GROUP == 0 {
            code.push(b'-');
        }
        code.push(ALPHABET.get(usize::from(*digit)).copied().unwrap_or(b'0'));
    }
    digits.zeroize();
    Secret::new(code)
}

/// The 28 digits of base 32: most significant first, two zero bits after the 128, then ten bits of the checksum.
fn digits(secret: &[u8; BYTES]) -> [u8; CHARACTERS] {
    let mut value = u128::from_be_bytes(*secret);
    let [first, second, ..] = checksum(secret);
    let mut digits = [0; CHARACTERS];
    let (data, check) = digits.split_at_mut(26);
    // The last of the 26 holds the three lowest bits and two zeros.
    for (index, digit) in data.iter_mut().rev().enumerate() {
        let [.., lowest] = value.to_be_bytes();
        if index == 0 {
            *digit = (lowest & 7) << 2;
            value >>= 3;
        } else {
            *digit = lowest & 31;
            value >>= 5;
        }
    }
    for (digit, byte) in check.iter_mut().zip([first, second]) {
        *digit = byte & 31;
    }
    digits
}

/// The secret of a code as a person types it: in any case, with any blanks and dashes.
///
/// # Errors
/// `invalid_request`, naming the field `recovery`, for what cannot be a code of ours.
pub fn parse(code: &[u8]) -> Result<Secret<[u8; BYTES]>> {
    let mut typed = Secret::new([0; CHARACTERS]);
    let mut count = 0_usize;
    for byte in code.iter().filter(|byte| !byte.is_ascii_whitespace() && **byte != b'-') {
        let like = match byte.to_ascii_uppercase() {
            b'O' => b'0',
            b'I' | b'L' => b'1',
            other => other,
        };
        let digit = ALPHABET.iter().position(|own| *own == like).and_then(|at| u8::try_from(at).ok());
        // EXPOSE: filled in place.
        let place = typed.expose_mut().get_mut(count);
        let (Some(digit), Some(place)) = (digit, place) else {
            return refuse("has a character, or a length, that a recovery code does not have");
        };
        *place = digit;
        count = count.saturating_add(1);
    }
    if count != CHARACTERS {
        return refuse("is not whole: a recovery code has 28 letters and digits");
    }
    // EXPOSE: read back into the secret, and compared with what that secret would be written as.
    let digits_typed = typed.expose();
    let mut value = 0_u128;
    for (index, digit) in digits_typed.iter().take(26).enumerate() {
        value = if index == 25 { (value << 3) | u128::from(digit >> 2) } else { (value << 5) | u128::from(*digit) };
    }
    let secret = Secret::new(value.to_be_bytes());
    // EXPOSE: compared in constant time.
    let again = Secret::new(digits(secret.expose()));
    if again.ct_eq(digits_typed) {
        Ok(secret)
    } else {
        refuse("has a slip in it: compare it with what was written down")
    }
}

fn refuse<T>(problem: &'static str) -> Result<T> {
    Err(Box::new(Error::invalid("recovery", problem)))
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))] // proptest does not build there
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(secret: &[u8; BYTES]) -> String {
        String::from_utf8(write(secret).expose().clone()).unwrap()
    }

    proptest! {
        #[test]
        fn a_code_comes_back(secret: [u8; BYTES]) {
            let code = text(&secret);
            prop_assert_eq!(code.len(), 34);
            prop_assert!(parse(code.as_bytes()).unwrap().ct_eq(&secret));
            let sloppy = code.to_lowercase().replace('-', " ").replace('0', "o").replace('1', "l");
            prop_assert!(parse(sloppy.as_bytes()).unwrap().ct_eq(&secret));
        }

        /// Of the slips of one character the checksum lets one in 1,024 pass: those do not open the vault, and no more.
        #[test]
        fn slips_are_told(secret: [u8; BYTES], at in 0..34_usize, other in 0..32_usize) {
            let code = text(&secret);
            let mut slipped = code.clone().into_bytes();
            slipped[at] = ALPHABET[other];
            if let Ok(read) = parse(&slipped) {
                prop_assert!(slipped == code.as_bytes() || read.expose() != &secret);
            }
        }

        #[test]
        fn hostile_bytes_never_panic(bytes: Vec<u8>) {
            let _ = parse(&bytes);
        }
    }

    #[test]
    fn known_codes() {
        assert_eq!(text(&[0; BYTES]), "0000-0000-0000-0000-0000-0000-00Q7");
        assert!(text(&[0xff; BYTES]).starts_with("ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZW"));
        let mut slipped = 0;
        for at in 0..34 {
            let mut code = text(&[7; BYTES]).into_bytes();
            if code[at] == b'-' {
                continue;
            }
            code[at] = if code[at] == b'A' { b'B' } else { b'A' };
            slipped += usize::from(parse(&code).is_err());
        }
        assert!(slipped >= 27, "{slipped} of 28");
        for (bad, problem) in [(&b""[..], "is not whole"), (b"0000", "is not whole"), (&[b'0'; 29], "has a character")]
        {
            let error = parse(bad).map(|_| ()).unwrap_err();
            let crate::error::Detail::Fields(fields) = error.detail else { panic!() };
            assert!(fields[0].problem.starts_with(problem));
        }
    }

    #[test]
    fn codes_are_random() {
        let mut next = 0;
        let mut entropy = |bytes: &mut [u8]| {
            bytes.fill(next);
            next += 1;
        };
        assert_ne!(generate(&mut entropy).expose(), generate(&mut entropy).expose());
    }
}
