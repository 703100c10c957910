//! The key that a caller's request carries. Clients of SDKs must give one, so most are made up (`tidegate`); one
//! that looks real should not be in a page.

/// The names of the headers that carry keys.
const HEADERS: [&str; 3] = ["authorization", "x-api-key", "x-goog-api-key"];

/// The key in a request's headers (names in lower case and values in turn) or in its path's query (`?key=`,
/// as Gemini's older clients write it).
#[must_use]
pub fn presented<'a>(headers: &'a [String], path: &'a str) -> Option<&'a str> {
    let (pairs, _) = headers.as_chunks::<2>();
    let own = pairs.iter().find(|[name, value]| HEADERS.contains(&name.as_str()) && !bare(value).is_empty());
    let query = || path.split_once('?')?.1.split('&').find_map(|field| field.strip_prefix("key="));
    own.map(|[_, value]| bare(value)).or_else(query).filter(|key| !key.is_empty())
}

/// The value without its scheme.
fn bare(value: &str) -> &str {
    let value = value.trim();
    let (scheme, rest) = value.split_once(' ').unwrap_or((value, ""));
    if scheme.eq_ignore_ascii_case("bearer") { rest.trim() } else { value }
}

/// Whether a key may be a real one: providers' keys are long and mix letters with digits, made-up ones are
/// words.
#[must_use]
pub fn looks_real(key: &str) -> bool {
    key.len() >= 20
        && key.bytes().any(|byte| byte.is_ascii_digit())
        && key.bytes().any(|byte| byte.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_wherever_clients_put_it() {
        let headers = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let accept = headers(&["accept", "*/*", "authorization", "Bearer  abc "]);
        assert_eq!(presented(&accept, "/v1"), Some("abc"));
        assert_eq!(presented(&headers(&["x-api-key", "k1"]), "/v1"), Some("k1"));
        assert_eq!(presented(&headers(&["x-goog-api-key", "k2"]), "/v1?key=k3"), Some("k2"));
        assert_eq!(presented(&[], "/v1beta/models/m:generateContent?alt=sse&key=k3"), Some("k3"));
        assert_eq!(presented(&headers(&["authorization", "Bearer "]), "/v1?alt=sse"), None);
        assert_eq!(presented(&headers(&["x-key", "k"]), "/v1"), None);
    }

    #[test]
    fn made_up_keys_are_told_from_real_ones() {
        for made_up in ["tidegate", "sk-no-key-required", "not-needed-because-of-the-gateway", "1234", ""] {
            assert!(!looks_real(made_up), "{made_up}");
        }
        for real in ["gsk_0123456789abcdefghij", "sk-ant-api03-0123456789abcdef"] {
            assert!(looks_real(real), "{real}");
        }
    }
}
