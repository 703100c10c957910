//! Whose address a URL is: a `fetch` that stands in for the runtime's asks it of everything that a page
//! fetches.
//!
//! Written here, because a URL parser is larger than all dialects together. It reads URLs as WHATWG's does as
//! far as origins and paths go, so that no spelling of a provider's address passes for another's; only names
//! that are not ASCII are left out, and so are taken for somebody else's. What a runtime's own `URL` gives
//! (`href`) has neither these nor any of the other spellings.

use super::endpoint;
use crate::config::{GatewayConfig, PROVIDERS};

/// Whose address a URL is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Owner<'a> {
    /// A provider's: what the gateway does not serve there is refused, never passed on.
    Known {
        /// The provider's id.
        provider: &'a str,
        /// Path and query, with dot segments resolved: what [`recognise`](super::recognise) reads.
        path: String,
    },
    /// Somebody else's: none of the gateway's business.
    Foreign,
}

/// Whose address an absolute URL is.
///
/// Of a built-in provider the whole origin counts; of a configured one only what is below its base URL, since
/// a proxy often shares its origin with the page.
#[must_use]
pub fn owner<'a>(config: &'a GatewayConfig, url: &str) -> Owner<'a> {
    let Some(own) = Place::parse(url) else { return Owner::Foreign };
    let configured = config.providers.iter().find_map(|provider| {
        let base = Place::parse(&provider.base_url)?;
        (base.same_origin(&own) && own.is_below(&base)).then_some(provider.id.as_str())
    });
    let built_in = || {
        let found = PROVIDERS.iter().find(|(_, url)| Place::parse(url).is_some_and(|base| base.same_origin(&own)));
        found.map(|(id, _)| *id)
    };
    match configured.or_else(built_in) {
        Some(provider) => Owner::Known { provider, path: own.path },
        None => Owner::Foreign,
    }
}

/// An HTTP URL, as far as it says where to go.
#[derive(PartialEq, Eq, Debug)]
struct Place {
    secure: bool,
    host: String,
    port: u16,
    /// With the query, without the fragment.
    path: String,
}

impl Place {
    /// `None` for other schemes and for what is no absolute URL.
    fn parse(url: &str) -> Option<Self> {
        // Blanks around it and line breaks inside it are not seen by any URL parser.
        let url = url.trim_matches(|c| c <= ' ');
        let url: String = url.chars().filter(|c| !matches!(c, '\t' | '\n' | '\r')).collect();
        let (scheme, rest) = url.split_once(':')?;
        let secure = scheme.eq_ignore_ascii_case("https");
        if !secure && !scheme.eq_ignore_ascii_case("http") {
            return None;
        }
        // Any number of slashes of either kind.
        let rest = rest.trim_start_matches(SLASHES).split('#').next()?;
        let end = rest.find(['/', '\\', '?']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at_checked(end)?;
        // The last one ends the user's name and password.
        let authority = authority.rsplit('@').next()?;
        // The colons of an IPv6 address are in brackets.
        let (host, port) = match authority.find(']') {
            Some(end) => authority.split_at_checked(end.checked_add(1)?)?,
            None => authority.split_at_checked(authority.find(':').unwrap_or(authority.len()))?,
        };
        let port = match port.strip_prefix(':') {
            Some(digits) if !digits.is_empty() => {
                digits.bytes().all(|byte| byte.is_ascii_digit()).then_some(())?;
                u16::try_from(digits.parse::<u64>().ok()?).ok()?
            }
            _ if !matches!(port, "" | ":") => return None,
            _ if secure => 443,
            _ => 80,
        };
        let mut host = endpoint::decode(host)?.to_ascii_lowercase();
        // The name from the root, which leads to the same server.
        if host.ends_with('.') {
            host.pop();
        }
        let (path, query) = rest.split_at_checked(rest.find('?').unwrap_or(rest.len()))?;
        let mut path = resolve(path);
        path.push_str(query);
        Some(Self { secure, host, port, path })
    }

    fn same_origin(&self, other: &Self) -> bool {
        (self.secure, self.port) == (other.secure, other.port) && self.host == other.host
    }

    fn is_below(&self, base: &Self) -> bool {
        let rest = self.path.strip_prefix(base.path.trim_end_matches('/'));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
    }
}

const SLASHES: [char; 2] = ['/', '\\'];

/// The path without dot segments, slashes the right way round.
fn resolve(path: &str) -> String {
    let any = |names: &[&str], segment: &str| names.iter().any(|name| name.eq_ignore_ascii_case(segment));
    let mut kept = Vec::new();
    let mut segments = path.split(SLASHES).skip(1).peekable();
    while let Some(segment) = segments.next() {
        let up = any(&["..", ".%2e", "%2e.", "%2e%2e"], segment);
        if up {
            kept.pop();
        }
        if !up && !any(&[".", "%2e"], segment) {
            kept.push(segment);
        } else if segments.peek().is_none() {
            kept.push("");
        }
    }
    ["/", &kept.join("/")].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ProviderConfig;

    fn config() -> GatewayConfig {
        let own = |id: &str, url: &str| ProviderConfig { id: id.into(), base_url: url.into(), dialect: None };
        let providers = vec![
            own("proxy", "https://shop.example/llm/v1"),
            own("local", "http://localhost:4000"),
            own("bracketed", "http://[::1]/v1"),
            own("plain", "http://a.localhost/v1"),
            own("six", "http://[::1]:9/x"),
            own("upper", "https://API.Example:443/v1"),
        ];
        GatewayConfig { providers, ..GatewayConfig::default() }
    }

    fn known(url: &str) -> Option<(String, String)> {
        match owner(&config(), url) {
            Owner::Known { provider, path } => Some((provider.into(), path)),
            Owner::Foreign => None,
        }
    }

    fn is(url: &str, provider: &str, path: &str) {
        assert_eq!(known(url), Some((provider.into(), path.into())), "{url:?}");
    }

    #[test]
    fn the_addresses_of_the_catalogue_are_known() {
        for (id, base) in PROVIDERS {
            let url = [base, "/chat/completions?a=b#c"].concat();
            let path = known(&url).map(|(provider, path)| (provider, path.ends_with("/chat/completions?a=b")));
            assert_eq!(path, Some((id.into(), true)), "{url}");
        }
        is("https://api.openai.com/v1/files", "openai", "/v1/files");
        is("https://api.openai.com", "openai", "/");
    }

    #[test]
    fn no_spelling_passes_for_another_address() {
        const PATH: &str = "/openai/v1/models";
        for url in [
            "HTTPS://API.GROQ.COM/openai/v1/models",
            "https://api.groq.com:443/openai/v1/models",
            "https://api.groq.com:0443/openai/v1/models",
            "https://api.groq.com:/openai/v1/models",
            "https://api.groq.com./openai/v1/models",
            "https://user:pw@api.groq.com/openai/v1/models",
            "https://evil.example@api.groq.com/openai/v1/models",
            "https://a@b@api.groq.com/openai/v1/models",
            "https:api.groq.com/openai/v1/models",
            "https:/api.groq.com/openai/v1/models",
            "https:////api.groq.com/openai/v1/models",
            "https:\\\\api.groq.com\\openai\\v1\\models",
            "https://api.groq.com\\openai/v1/models",
            " \u{0}https://api.groq.com/openai/v1/models\n",
            "ht\ntps://api.gr\toq.com/openai/v1/mod\r\nels",
            "https://%61pi.groq.com/openai/v1/models",
            "https://api.groq.com/x/../openai/./v1/models",
            "https://api.groq.com/../../openai/v1/models",
            "https://api.groq.com/x/%2e%2E/openai/%2e/v1/models",
            "https://api.groq.com/openai/v1/models#/../x",
        ] {
            is(url, "groq", PATH);
        }
        is("https://api.groq.com/a/b/..", "groq", "/a/");
        is("https://api.groq.com/a/.", "groq", "/a/");
        is("https://api.groq.com?x=/../y", "groq", "/?x=/../y");
        is("https://api.groq.com/a//b", "groq", "/a//b");
    }

    #[test]
    fn what_only_looks_like_it_is_foreign() {
        for url in [
            "",
            "api.groq.com",
            "/openai/v1/models",
            "//api.groq.com/openai/v1/models",
            "http://api.groq.com/openai/v1/models",
            "https://api.groq.com:8443/openai/v1/models",
            "https://api.groq.com:+443/",
            "https://api.groq.com:443x/",
            "https://api.groq.com:65979/",
            "https://api.groq.com.evil.example/",
            "https://evil.example/https://api.groq.com/",
            "https://api.groq.com@evil.example/openai/v1/models",
            "https://api.groq.com:443@evil.example/",
            "https://evil.example\\@api.groq.com/",
            "https://evil.example/@api.groq.com/",
            "https://evil.example?@api.groq.com/",
            "https://evil.example#@api.groq.com/",
            "https://xapi.groq.com/",
            "https://groq.com/",
            "https://api.groq.com../",
            "https://api%2egroq%2ecom%2f.evil.example/",
            "wss://api.groq.com/",
            "ftp://api.groq.com/",
            "data:text/plain,https://api.groq.com/",
            "blob:https://api.groq.com/1",
            "javascript:1",
            "https://",
            "https://%/",
            "https://[::1/",
            "https://[api.groq.com]/",
        ] {
            assert_eq!(known(url), None, "{url:?}");
        }
    }

    #[test]
    fn a_configured_provider_has_only_what_is_below_its_base() {
        is("https://shop.example/llm/v1/chat/completions", "proxy", "/llm/v1/chat/completions");
        is("https://shop.example/llm/v1", "proxy", "/llm/v1");
        is("https://shop.example/llm/v1?x", "proxy", "/llm/v1?x");
        for path in ["/", "/cart", "/llm", "/llm/v12/models", "/llm/v1/../cart", "/llm/v1/%2e%2e/cart"] {
            assert_eq!(known(&["https://shop.example", path].concat()), None, "{path}");
        }
        is("http://localhost:4000/anything", "local", "/anything");
        is("http://LOCALHOST:4000", "local", "/");
        is("http://a.localhost:80/v1/models", "plain", "/v1/models");
        assert_eq!(known("http://localhost:4001/anything"), None);
        assert_eq!(known("ftp://localhost:4000/anything"), None, "another scheme");
        is("http://[::1]:9/x/models", "six", "/x/models");
        assert_eq!(known("http://[::1]/x/models"), None);
        is("http://[::1]/v1/models", "bracketed", "/v1/models");
        assert_eq!(known("http://[::1]8/v1/models"), None, "no port");
        is("https://api.example/v1/models", "upper", "/v1/models");
    }

    #[cfg(not(target_arch = "wasm32"))] // proptest does not build there
    proptest::proptest! {
        #[test]
        fn hostile_addresses_never_panic(any: String, built in "https?:[/\\\\]{0,3}(a@)?(api\\.groq\\.com|\\[::1\\]|é|%|%61)(:[0-9]{0,6})?([/\\\\](\\.\\.|%2e|a|)){0,4}[?#]?") {
            for url in [&any, &built] {
                if let Owner::Known { path, .. } = owner(&config(), url) {
                    proptest::prop_assert!(path.starts_with('/') && !path.contains('\\'));
                }
            }
        }
    }
}
