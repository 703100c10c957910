//! What differs between providers. Facts of a date (mid 2026): kept here as data, never spread through the
//! code.

use std::slice;

use crate::chat::Dialect;
use crate::config::GatewayConfig;

/// How one provider departs from the dialect.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Quirks {
    /// Dialects that its API speaks, the preferred one first.
    pub dialects: &'static [Dialect],
    /// Name of the field that bounds the output.
    pub max_tokens: &'static str,
    /// Whether `usage: {"include": true}` makes the answer carry its cost in dollars.
    pub reports_cost: bool,
    /// Whether it knows the neutral form's own fields: `top_k`, `reasoning`, `reasoning_details`, cache marks.
    pub extended: bool,
    /// Whether `completion_tokens` leaves reasoning out.
    pub reasoning_beside: bool,
    /// Whether it refuses some of what other providers' answers bring into a conversation: see [`history`].
    pub particular: bool,
}

/// How a provider takes back what was said earlier: by itself or, before a fallback, by another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct History {
    /// Whether it refuses each field of a message that it does not know.
    pub strict: bool,
    /// Under which name it takes back what the model thought; empty: not at all.
    pub thought: &'static str,
    /// Whether it refuses cache marks in messages: the others read them, or look over them.
    pub unmarked: bool,
    /// How long the id of a call may be; 9: it must be nine letters and digits. 0: anything.
    pub id: u8,
}

/// How `provider` takes back what was said earlier.
#[must_use]
pub fn history(provider: &str) -> History {
    match provider {
        // "property 'reasoning_content' is unsupported"; its own models that reason take `reasoning`
        // (console.groq.com/docs/reasoning).
        "groq" => History { strict: true, thought: "reasoning", unmarked: true, id: 0 },
        // `extra_forbidden`; "Tool call id was call_1 but must be a-z, A-Z, 0-9, with a length of 9."
        "mistral" => History { strict: true, thought: "", unmarked: true, id: 9 },
        // api-docs.deepseek.com/guides/thinking_mode: once tools were called, a message without its reasoning is refused.
        "deepseek" => History { strict: false, thought: "reasoning_content", unmarked: false, id: 0 },
        // "Invalid 'messages[1].tool_calls[0].id': string too long. Expected a string with maximum length 40"; vLLM makes 46.
        "openai" => History { strict: false, thought: "", unmarked: true, id: 40 },
        _ => History { strict: false, thought: "", unmarked: false, id: 0 },
    }
}

/// The dialect as most compatible servers speak it: only OpenAI itself and Groq know the newer
/// `max_completion_tokens`, all know `max_tokens`.
const COMPATIBLE: Quirks = Quirks {
    dialects: &[Dialect::Chat],
    max_tokens: "max_tokens",
    reports_cost: false,
    extended: false,
    reasoning_beside: false,
    particular: false,
};

const TABLE: [(&str, Quirks); 8] = [
    ("groq", Quirks { max_tokens: "max_completion_tokens", particular: true, ..COMPATIBLE }),
    ("mistral", Quirks { particular: true, ..COMPATIBLE }),
    ("deepseek", Quirks { particular: true, ..COMPATIBLE }),
    (
        "openai",
        Quirks {
            dialects: &[Dialect::Chat, Dialect::Responses],
            max_tokens: "max_completion_tokens",
            particular: true,
            ..COMPATIBLE
        },
    ),
    // openrouter.ai/docs/use-cases/usage-accounting: the cost in `usage` is what is charged.
    ("openrouter", Quirks { reports_cost: true, extended: true, ..COMPATIBLE }),
    // docs.x.ai: reasoning tokens stand beside the completion tokens.
    ("xai", Quirks { reasoning_beside: true, ..COMPATIBLE }),
    ("anthropic", Quirks { dialects: &[Dialect::Anthropic], ..COMPATIBLE }),
    // Its compatible API (`dialect: 'chat'`) leaves thoughts out of the completion tokens.
    ("google", Quirks { dialects: &[Dialect::Google], reasoning_beside: true, ..COMPATIBLE }),
];

/// How `provider` departs from the dialect.
#[must_use]
pub fn quirks(provider: &str) -> Quirks {
    TABLE.iter().find(|(id, _)| *id == provider).map_or(COMPATIBLE, |(_, quirks)| *quirks)
}

/// The dialects that a provider is spoken to in, the preferred one first: the one that the configuration
/// says, else the catalogue's. Never empty.
#[must_use]
pub fn dialects<'a>(config: &'a GatewayConfig, provider: &str) -> &'a [Dialect] {
    config.dialect(provider).map_or_else(|| quirks(provider).dialects, slice::from_ref)
}

/// How a request says whose it is. A key goes into a header, never into a URL: those end in logs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Credentials {
    /// The header that carries the key.
    pub header: &'static str,
    /// What stands before the key in it.
    pub scheme: &'static str,
    /// Headers that go with it.
    pub others: &'static [(&'static str, &'static str)],
}

/// How a request in this dialect says whose it is; `browser`: it is sent by a browser.
#[must_use]
pub const fn credentials(dialect: Dialect, browser: bool) -> Credentials {
    match dialect {
        Dialect::Chat | Dialect::Responses => Credentials { header: "authorization", scheme: "Bearer ", others: &[] },
        Dialect::Anthropic => {
            let others: &[(&str, &str)] = if browser { &ANTHROPIC } else { ANTHROPIC.split_at(1).0 };
            Credentials { header: "x-api-key", scheme: "", others }
        }
        Dialect::Google => Credentials { header: "x-goog-api-key", scheme: "", others: &[] },
    }
}

/// The second makes Anthropic's servers let a page read the answer, if the organisation allows it.
const ANTHROPIC: [(&str, &str); 2] =
    [("anthropic-version", "2023-06-01"), ("anthropic-dangerous-direct-browser-access", "true")];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{PROVIDERS, ProviderConfig};

    #[test]
    fn the_configuration_goes_before_the_catalogue() {
        let own = |id: &str, dialect| ProviderConfig { id: id.into(), base_url: "https://a.example".into(), dialect };
        let providers =
            vec![own("mine", Some(Dialect::Google)), own("anthropic", None), own("openai", Some(Dialect::Chat))];
        let config = GatewayConfig { providers, ..GatewayConfig::default() };
        assert_eq!(dialects(&config, "mine"), [Dialect::Google]);
        assert_eq!(dialects(&config, "anthropic"), [Dialect::Anthropic], "another address, the same API");
        assert_eq!(dialects(&config, "openai"), [Dialect::Chat], "one and no other");
        assert_eq!(dialects(&GatewayConfig::default(), "openai"), [Dialect::Chat, Dialect::Responses]);
        assert_eq!(dialects(&config, "unheard-of"), [Dialect::Chat]);
        for (id, _) in PROVIDERS {
            assert!(!dialects(&config, id).is_empty(), "{id}");
        }
        for (id, _) in TABLE {
            assert!(PROVIDERS.iter().any(|(known, _)| *known == id), "{id} has no address");
        }
    }

    #[test]
    fn a_key_goes_into_the_header_that_its_provider_reads() {
        for browser in [false, true] {
            for dialect in [Dialect::Chat, Dialect::Responses] {
                let own = credentials(dialect, browser);
                assert_eq!((own.header, own.scheme, own.others), ("authorization", "Bearer ", &[][..]));
            }
            let google = credentials(Dialect::Google, browser);
            assert_eq!((google.header, google.scheme, google.others), ("x-goog-api-key", "", &[][..]));
        }
        let version = ("anthropic-version", "2023-06-01");
        let direct = ("anthropic-dangerous-direct-browser-access", "true");
        let server = credentials(Dialect::Anthropic, false);
        assert_eq!((server.header, server.scheme, server.others), ("x-api-key", "", &[version][..]));
        assert_eq!(credentials(Dialect::Anthropic, true).others, [version, direct]);
    }
}
