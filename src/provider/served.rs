//! What a server of the gateway's own is asked: there no provider owns the address, so everything is told by
//! the path and by what kind of client calls.

use super::endpoint::{Recognised, hint, recognise};
use crate::chat::Dialect;

/// One request to a server of the gateway's own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Served {
    /// How its client writes and reads, errors included; known also of what is not served.
    pub dialect: Dialect,
    /// The method that the path is served with, whatever the request's; `None` if it is not served.
    pub method: Option<&'static str>,
}

/// Tells what is asked. `path` is percent-encoded and may carry a query; `has` says whether a header of a
/// (lower-case) name is there.
#[must_use]
pub fn served(path: &str, has: &dyn Fn(&str) -> bool) -> Served {
    let hinted = hint(has);
    for method in ["POST", "GET"] {
        if let Recognised::Endpoint(endpoint) = recognise(method, path, hinted) {
            return Served { dialect: endpoint.dialect(), method: Some(method) };
        }
    }
    // Only Gemini's API has this version. OpenAI's clients use it too, below a folder of its own.
    let googles = path.contains("/v1beta/") && !path.contains("/openai/");
    let dialect = hinted.unwrap_or(if googles { Dialect::Google } else { Dialect::Chat });
    Served { dialect, method: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(path: &str, header: &str) -> (Dialect, Option<&'static str>) {
        let Served { dialect, method } = served(path, &|name| name == header);
        (dialect, method)
    }

    #[test]
    fn each_path_has_its_dialect_and_method() {
        for (path, header, dialect, method) in [
            ("/v1/chat/completions", "", Dialect::Chat, "POST"),
            ("/openai/v1/responses", "", Dialect::Responses, "POST"),
            ("/v1/messages", "", Dialect::Anthropic, "POST"),
            ("/v1beta/models/g:streamGenerateContent?alt=sse", "", Dialect::Google, "POST"),
            ("/v1/embeddings", "x-goog-api-key", Dialect::Chat, "POST"),
            ("/v1/models", "", Dialect::Chat, "GET"),
            ("/v1/models", "anthropic-version", Dialect::Anthropic, "GET"),
            ("/v1beta/models", "", Dialect::Google, "GET"),
        ] {
            assert_eq!(at(path, header), (dialect, Some(method)), "{path} {header}");
        }
    }

    #[test]
    fn who_asks_for_what_is_not_served_is_told_so_in_his_dialect() {
        for (path, header, dialect) in [
            ("/v1/files", "", Dialect::Chat),
            ("/v1/messages/count_tokens", "anthropic-version", Dialect::Anthropic),
            ("/v1/interactions", "x-goog-api-key", Dialect::Google),
            ("/v1beta/models/g:countTokens?key=k", "", Dialect::Google),
            ("/v1beta/openai/files", "", Dialect::Chat),
        ] {
            assert_eq!(at(path, header), (dialect, None), "{path} {header}");
        }
    }
}
