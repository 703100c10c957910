//! What a key of a shape must show beside its alphabet. A checksum never decides: most tokens in documentation have
//! none that is right, and a leak in a log may have lost a character.

use super::{Proof, class_of, find, run, run_before, set};

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
            find(body, &marker).is_some_and(|at| at >= 20 && body.len().saturating_sub(at) >= 28)
        }
        Proof::EndsAa => body.ends_with(b"AA"),
        Proof::Jwt => return jwt(whole),
        Proof::Host => match decode64(body).as_slice() {
            [name @ .., b'$'] => name.len() > 3 && find(name, b".").is_some() && all(name, set::HOST | set::COLON),
            _ => false,
        },
        Proof::Json => {
            let last = run_before(body, set::BASE64_ANY | set::EQUALS, usize::MAX);
            let last = body.get(body.len().wrapping_sub(last)..)?;
            let json = decode64(last);
            (last.len() >= 32 && all(last, set::HEX))
                || (json.starts_with(b"{\"") && find(&json, b":").is_some())
                || (last.len() >= 40 && mixed(last))
        }
        Proof::Dsn => {
            let host = body.get(find(body, b"@")?.wrapping_add(1)..)?;
            let host = host.get(..run(host, set::HOST, usize::MAX))?;
            find(host, b".").is_some() && !host.ends_with(b".")
        }
        Proof::Mixed => mixed(body),
        Proof::Stripe => body.starts_with(b"51") || body.len() <= 34,
    };
    shown.then_some(Claim::None)
}

fn all(text: &[u8], sets: u32) -> bool {
    run(text, sets, usize::MAX) == text.len()
}

fn mixed(body: &[u8]) -> bool {
    let kinds = body.iter().fold(0, |kinds, byte| kinds | class_of(*byte));
    kinds & set::LOWER != 0 && kinds & set::UPPER != 0 && kinds & set::DIGIT != 0
}

/// A header that names an algorithm, and claims that are an object.
fn jwt(token: &[u8]) -> Option<Claim> {
    // Each is read up to the dot behind it.
    let header = decode64(token);
    let claims = decode64(token.get(find(token, b".")?.wrapping_add(1)..)?);
    find(&header, b"\"alg\"")?;
    if !claims.starts_with(b"{\"") || !claims.ends_with(b"}") {
        return None;
    }
    // Nobody else writes it that way.
    if find(&claims, b"\"service_role\"").is_some() {
        return Some(Claim::ServiceRole);
    }
    // Users have claims of their own choosing in their tokens: the only role that there is makes one public.
    let role = find(&claims, b"\"role\"").and_then(|at| claims.get(at.wrapping_add(6)..)).unwrap_or_default();
    let said = role.get(run(role, set::COLON | set::BLANK, 8)..).unwrap_or_default();
    let public = said.starts_with(b"\"anon\"") && find(role, b"\"role\"").is_none();
    Some(if public { Claim::Anonymous } else { Claim::None })
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
#[inline(never)]
pub(crate) fn decode64(text: &[u8]) -> Vec<u8> {
    let (mut out, mut bits, mut held) = (Vec::with_capacity(text.len()), 0u32, 0u32);
    for byte in text {
        let Some(value) = sextet(*byte) else { break };
        bits = (bits << 6) | u32::from(value);
        held = held.wrapping_add(6);
        if held >= 8 {
            held = held.wrapping_sub(8);
            #[expect(clippy::cast_possible_truncation, reason = "the low byte is meant")]
            out.push((bits >> (held & 31)) as u8);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::samples::url;
    use super::*;

    #[test]
    fn base64_is_read_in_both_alphabets() {
        assert_eq!(decode64(b"-_+/"), [0xfb, 0xff, 0xbf]);
        assert_eq!(decode64(b"Zm9vYg==x"), b"foob");
    }

    #[test]
    fn what_is_mixed_has_both_cases_and_digits() {
        for (body, shown) in [("aB1", true), ("ab1", false), ("AB1", false), ("abC", false)] {
            assert_eq!(check(Proof::Mixed, body.as_bytes(), b"").is_some(), shown, "{body}");
        }
    }

    #[test]
    fn openais_marker_has_twenty_characters_on_both_sides() {
        let marker = ["T3Blb", "kFJ"].concat();
        for (before, behind, shown) in [(20, 20, true), (19, 20, false), (20, 19, false)] {
            let body = ["a".repeat(before), marker.clone(), "b".repeat(behind)].concat();
            assert_eq!(check(Proof::OpenAi, body.as_bytes(), b"").is_some(), shown, "{before} {behind}");
        }
    }

    #[test]
    fn a_deploy_key_ends_in_json_or_digits_that_chance_would_give() {
        let hex = "0f3a9c7be1d2485690af3c7be1d24856";
        for (body, shown) in [
            (["x|", hex].concat(), true),
            (["x|", hex.get(1..).unwrap()].concat(), false),
            (["x|", &hex.replace('c', "g")].concat(), false),
            ("x|eyJ2MiI6IjEifQ==".into(), true),
        ] {
            assert_eq!(check(Proof::Json, body.as_bytes(), b"").is_some(), shown, "{body}");
        }
    }

    #[test]
    fn a_jwt_is_public_by_its_only_role_alone() {
        for (claims, claim) in [
            (r#"{"iss":"supabase","role":"anon","iat":1}"#, Claim::Anonymous),
            (r#"{"role" : "anon"}"#, Claim::Anonymous),
            (r#"{"role":"service_role"}"#, Claim::ServiceRole),
            (r#"{"role":"authenticated","name":"anon"}"#, Claim::None),
            (r#"{"sub":"anon"}"#, Claim::None),
            (r#"{"metadata":{"role":"anon"},"role":"authenticated"}"#, Claim::None),
            (r#"{"role":["anon"]}"#, Claim::None),
            (r#"{"sub":"1"}"#, Claim::None),
        ] {
            let token = [&url(r#"{"alg":"HS256"}"#), ".", &url(claims), ".c2lnbmF0dXJl"].concat();
            assert_eq!(jwt(token.as_bytes()), Some(claim), "{claims}");
        }
        let other = [&url(r#"{"typ":"JWT"}"#), ".", &url(r#"{"role":"anon"}"#), ".c2lnbmF0dXJl"].concat();
        assert_eq!(jwt(other.as_bytes()), None, "no algorithm");
    }
}
