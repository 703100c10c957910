//! What a key of a shape must show beside its alphabet. A checksum never decides: most tokens in documentation have
//! none that is right, and a leak in a log may have lost a character.

use super::{Proof, class_of, set};

/// What a key says of itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Claim {
    /// Nothing beyond its row.
    None,
    /// It is the anonymous role of Supabase, made to be seen.
    Anonymous,
    /// It is the service role of Supabase, which passes every check of rows.
    ServiceRole,
    /// It is printed in its provider's documentation. It says nothing: its text is known.
    Sample,
}

/// Whether `body`, of a key `whole`, shows it; and what it claims.
pub(super) fn check(proof: Proof, body: &[u8], whole: &[u8]) -> Option<Claim> {
    let shown = match proof {
        Proof::None => true,
        Proof::OpenAi => {
            // Written so that it is not found in our own Wasm.
            let marker: [u8; 8] = *b"T3BlbkFJ";
            body.windows(8)
                .position(|part| part == marker)
                .is_some_and(|at| at >= 20 && body.len().saturating_sub(at) >= 28)
        }
        Proof::EndsAa => body.ends_with(b"AA"),
        Proof::Jwt => return jwt(whole),
        Proof::Host => {
            let mut host = Vec::new();
            decode64(body, &mut host);
            let name = host.strip_suffix(b"$").unwrap_or_default();
            name.len() > 3
                && name.contains(&b'.')
                && name.iter().all(|byte| class_of(*byte) & (set::HOST) != 0 || *byte == b':')
        }
        Proof::Json => {
            let last = body.rsplit(|byte| *byte == b'|').next().unwrap_or_default();
            let hex = last.iter().all(|byte| class_of(*byte) & set::HEX != 0) && last.len() >= 32;
            let mut json = Vec::new();
            decode64(last, &mut json);
            hex || (json.starts_with(b"{\"") && json.contains(&b':')) || (last.len() >= 40 && mixed(last))
        }
        Proof::Dsn => {
            let host = body.rsplit(|byte| *byte == b'@').next().unwrap_or_default();
            let host = host.split(|byte| *byte == b'/').next().unwrap_or_default();
            host.contains(&b'.') && !host.ends_with(b".")
        }
        Proof::Mixed => mixed(body),
        Proof::Stripe => body.starts_with(b"51") || body.len() <= 34,
    };
    shown.then_some(Claim::None)
}

fn mixed(body: &[u8]) -> bool {
    let kinds = body.iter().fold(0, |kinds, byte| kinds | class_of(*byte));
    kinds & set::LOWER != 0 && kinds & set::UPPER != 0 && kinds & set::DIGIT != 0
}

/// A header that names an algorithm, and claims that are an object.
fn jwt(token: &[u8]) -> Option<Claim> {
    let mut parts = token.split(|byte| *byte == b'.');
    let (mut header, mut claims) = (Vec::new(), Vec::new());
    decode64(parts.next()?, &mut header);
    decode64(parts.next()?, &mut claims);
    let has = |text: &[u8], word: &[u8]| text.windows(word.len()).any(|part| part == word);
    if !has(&header, b"\"alg\"") || !claims.starts_with(b"{\"") || !claims.ends_with(b"}") {
        return None;
    }
    // `service_role` is in the claim `role`; nobody else writes it that way.
    let role = |name: &[u8]| has(&claims, b"\"role\"") && has(&claims, name);
    Some(if role(b"\"service_role\"") {
        Claim::ServiceRole
    } else if role(b"\"anon\"") {
        Claim::Anonymous
    } else {
        Claim::None
    })
}

/// The value of a digit of base64, in either alphabet.
#[must_use]
pub(crate) const fn sextet(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte.wrapping_sub(b'A')),
        b'a'..=b'z' => Some(byte.wrapping_sub(b'a').wrapping_add(26)),
        b'0'..=b'9' => Some(byte.wrapping_sub(b'0').wrapping_add(52)),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}

/// Decodes base64 of either alphabet up to the first byte that is none.
pub(crate) fn decode64(text: &[u8], out: &mut Vec<u8>) {
    let (mut bits, mut held) = (0u32, 0u32);
    for byte in text {
        let Some(value) = sextet(*byte) else { return };
        bits = (bits << 6) | u32::from(value);
        held = held.wrapping_add(6);
        if held >= 8 {
            held = held.wrapping_sub(8);
            #[expect(clippy::cast_possible_truncation, reason = "the low byte is meant")]
            out.push((bits >> (held & 31)) as u8);
        }
    }
}
