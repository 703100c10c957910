//! What a call wants, by its method and the path of its URL: callers speak to the gateway as they would to
//! the provider, under whatever prefix that provider's base has (`/v1`, `/openai/v1`, `/api/v1`, `/v1beta`).

use crate::chat::Dialect;
use crate::text;

/// What a call wants.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Endpoint {
    /// An answer.
    Chat {
        /// How the body is written, and the answer.
        dialect: Dialect,
        /// The model, where the path names it (Gemini); the others have it in the body.
        model: Option<String>,
        /// Whether the path asks for a stream (Gemini); the others ask in the body.
        stream: bool,
    },
    /// Vectors. The dialect is `Chat` or `Google`: no other has them.
    Embeddings {
        /// How the body is written, and the answer.
        dialect: Dialect,
        /// The model, where the path names it.
        model: Option<String>,
        /// Whether a Gemini call is `batchEmbedContents`: its answer is a list, even of one.
        batch: bool,
    },
    /// The list of models, or one of them.
    Models {
        /// How the answer is written.
        dialect: Dialect,
        /// The one that is asked for.
        model: Option<String>,
    },
}

impl Endpoint {
    /// How the body is written, and the answer.
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        match self {
            Self::Chat { dialect, .. } | Self::Embeddings { dialect, .. } | Self::Models { dialect, .. } => *dialect,
        }
    }
}

/// What [`recognise`] found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Recognised {
    /// Something that the gateway serves.
    Endpoint(Endpoint),
    /// It is served, but not with this method: the one that is allowed (405).
    WrongMethod(&'static str),
    /// It is not served (501 `unsupported_endpoint`).
    Unsupported,
}

/// The dialect of a caller as its headers tell, by the names that only one kind of client sends; `has` says
/// whether a header of this (lower-case) name is there.
#[must_use]
pub fn hint(has: &dyn Fn(&str) -> bool) -> Option<Dialect> {
    if has("anthropic-version") {
        Some(Dialect::Anthropic)
    } else if has("x-goog-api-key") {
        Some(Dialect::Google)
    } else {
        None
    }
}

/// Where a client of chat completions reads the usage of a stream that did not ask for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Unasked {
    /// Nowhere: OpenAI and most others tell those who ask.
    #[default]
    Nowhere,
    /// Where the others read it, too: OpenRouter tells everybody (openrouter.ai/docs/use-cases/usage-accounting).
    Chunk,
    /// In `x_groq`: Groq tells everybody there.
    XGroq,
}

/// What a client expects by the provider that it means. At a server of the gateway's own, which no provider `owner`s, the
/// folder before the version tells: no other API has one of these names there.
#[must_use]
pub fn unasked(owner: Option<&str>, path: &str) -> Unasked {
    match owner {
        Some("groq") => Unasked::XGroq,
        Some("openrouter") => Unasked::Chunk,
        None if path.starts_with("/openai/v1/") => Unasked::XGroq,
        None if path.starts_with("/api/v1/") => Unasked::Chunk,
        _ => Unasked::Nowhere,
    }
}

/// Recognises a call. `path` begins with a slash and may carry a query; it is percent-encoded, as URLs are.
///
/// `hint` counts only where the path leaves it open: `/v1/models` is OpenAI's and Anthropic's. It comes from
/// the headers ([`hint`]) or from the provider that the URL belongs to ([`owner`](super::owner)).
#[must_use]
pub fn recognise(method: &str, path: &str, hint: Option<Dialect>) -> Recognised {
    let path = path.split('#').next().unwrap_or("");
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    match posted(path).or_else(|| below_models(path, query, hint)) {
        Some(endpoint) => {
            let allowed = if matches!(endpoint, Endpoint::Models { .. }) { "GET" } else { "POST" };
            // `fetch` writes these two in capitals, whatever it is given.
            if method.eq_ignore_ascii_case(allowed) {
                Recognised::Endpoint(endpoint)
            } else {
                Recognised::WrongMethod(allowed)
            }
        }
        None => Recognised::Unsupported,
    }
}

/// The calls that have everything in their body.
fn posted(path: &str) -> Option<Endpoint> {
    let chat = |dialect| Some(Endpoint::Chat { dialect, model: None, stream: false });
    if path.ends_with("/chat/completions") {
        return chat(Dialect::Chat);
    }
    if path.ends_with("/responses") {
        return chat(Dialect::Responses);
    }
    if path.ends_with("/embeddings") {
        return Some(Endpoint::Embeddings { dialect: Dialect::Chat, model: None, batch: false });
    }
    // Threads of OpenAI's assistants have messages too: `/v1/threads/{id}/messages`.
    let before = path.strip_suffix("/messages")?;
    if before.is_empty() || version(before).is_some() { chat(Dialect::Anthropic) } else { None }
}

/// `/models`, `/models/{id}` and Gemini's `/models/{id}:action`.
fn below_models(path: &str, query: &str, hint: Option<Dialect>) -> Option<Endpoint> {
    const MODELS: &str = "/models";
    // A model's own name may contain the word, so it counts first behind a version, then where it stands first.
    let places = || {
        path.match_indices(MODELS).filter_map(|(at, _)| {
            let (before, rest) = path.split_at_checked(at)?;
            let rest = rest.strip_prefix(MODELS)?;
            (rest.is_empty() || rest.starts_with('/')).then_some((before, rest.strip_prefix('/')))
        })
    };
    let (before, id) = places().find(|(before, _)| version(before).is_some()).or_else(|| places().next())?;
    if before.ends_with("/embeddings") {
        return None; // OpenRouter's list of another kind
    }
    let google =
        version(before).is_some_and(|version| text::contains(version, "beta") || text::contains(version, "alpha"));
    let dialect = match hint {
        _ if google => Dialect::Google,
        Some(own @ (Dialect::Anthropic | Dialect::Google)) => own,
        _ => Dialect::Chat,
    };
    let Some(id) = id else { return Some(Endpoint::Models { dialect, model: None }) };
    if let Some((model, action)) = id.rsplit_once(':') {
        let model = || decode(model).map(Some);
        let googles = dialect == Dialect::Google;
        let dialect = Dialect::Google;
        match action {
            "generateContent" => return Some(Endpoint::Chat { dialect, model: model()?, stream: false }),
            "streamGenerateContent" => {
                // Without it the stream is one JSON array, written bit by bit: no client of today reads that.
                let events = query.split('&').any(|pair| matches!(pair, "alt=sse" | "$alt=sse" | "%24alt=sse"));
                return if events { Some(Endpoint::Chat { dialect, model: model()?, stream: true }) } else { None };
            }
            "embedContent" => return Some(Endpoint::Embeddings { dialect, model: model()?, batch: false }),
            "batchEmbedContents" => return Some(Endpoint::Embeddings { dialect, model: model()?, batch: true }),
            // `countTokens` and what else there is. With other providers a colon is part of the name.
            _ if googles => return None,
            _ => {}
        }
    }
    Some(Endpoint::Models { dialect, model: Some(decode(id)?) })
}

/// The last segment, if it is a version: `v1`, `v1beta`, `v1beta1`.
fn version(path: &str) -> Option<&str> {
    let segment = path.rsplit('/').next()?;
    let digits = segment.strip_prefix('v')?;
    (digits.starts_with(|c: char| c.is_ascii_digit()) && digits.bytes().all(|byte| byte.is_ascii_alphanumeric()))
        .then_some(segment)
}

/// A model's name out of a path. `None` for an empty one and for what is no name: broken escapes, bytes that
/// are no UTF-8, control characters.
pub(super) fn decode(encoded: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(if byte == b'%' { hex(rest.next()?)? << 4 | hex(rest.next()?)? } else { byte });
    }
    let text = String::from_utf8(bytes).ok()?;
    (!text.is_empty() && !text.contains(char::is_control)).then_some(text)
}

/// A model's name as one segment of a path.
pub(super) fn encode(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push('%');
            let digits = [byte >> 4, byte & 15].map(|digit| char::from_digit(digit.into(), 16));
            out.extend(digits.into_iter().flatten().map(|digit| digit.to_ascii_uppercase()));
        }
    }
    out
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post(path: &str) -> Recognised {
        recognise("POST", path, None)
    }

    fn chat(dialect: Dialect) -> Recognised {
        Recognised::Endpoint(Endpoint::Chat { dialect, model: None, stream: false })
    }

    fn gemini(model: &str, stream: bool) -> Recognised {
        Recognised::Endpoint(Endpoint::Chat { dialect: Dialect::Google, model: Some(model.into()), stream })
    }

    fn vectors(dialect: Dialect, model: Option<&str>, batch: bool) -> Recognised {
        Recognised::Endpoint(Endpoint::Embeddings { dialect, model: model.map(Into::into), batch })
    }

    fn models(dialect: Dialect, model: Option<&str>) -> Recognised {
        Recognised::Endpoint(Endpoint::Models { dialect, model: model.map(Into::into) })
    }

    #[test]
    fn every_providers_prefix_is_served() {
        for prefix in ["", "/v1", "/openai/v1", "/api/v1", "/deployments/gpt-4o", "/v1beta/openai", "/v2"] {
            let path = |rest: &str| [prefix, rest].concat();
            assert_eq!(post(&path("/chat/completions")), chat(Dialect::Chat), "{prefix}");
            assert_eq!(post(&path("/responses")), chat(Dialect::Responses), "{prefix}");
            assert_eq!(post(&path("/embeddings")), vectors(Dialect::Chat, None, false), "{prefix}");
            assert_eq!(recognise("GET", &path("/models"), None), models(Dialect::Chat, None), "{prefix}");
        }
        for path in ["/v1/messages", "/messages", "/anthropic/v1/messages", "/v1/messages?beta=true"] {
            assert_eq!(post(path), chat(Dialect::Anthropic), "{path}");
        }
        assert_eq!(recognise("post", "/v1/chat/completions?api-version=1#top", None), chat(Dialect::Chat));
    }

    #[test]
    fn gemini_names_the_model_in_the_path() {
        assert_eq!(post("/v1beta/models/gemini-3.8-flash:generateContent"), gemini("gemini-3.8-flash", false));
        assert_eq!(post("/v1/models/a:generateContent?key=unread"), gemini("a", false));
        for query in ["alt=sse", "key=x&alt=sse", "%24alt=sse"] {
            let path = ["/v1beta/models/a:streamGenerateContent?", query].concat();
            assert_eq!(post(&path), gemini("a", true), "{query}");
        }
        for path in ["/v1beta/models/a:streamGenerateContent", "/v1beta/models/a:streamGenerateContent?alt=sse1"] {
            assert_eq!(post(path), Recognised::Unsupported, "{path}");
        }
        assert_eq!(post("/v1beta/models/e:embedContent"), vectors(Dialect::Google, Some("e"), false));
        assert_eq!(post("/v1beta/models/e:batchEmbedContents"), vectors(Dialect::Google, Some("e"), true));
        // Names with slashes and colons, encoded or not.
        let name = "openrouter/qwen/qwen3-coder:free";
        for written in [name, "openrouter%2Fqwen%2fqwen3-coder%3Afree"] {
            let path = ["/v1beta/models/", written, ":generateContent"].concat();
            assert_eq!(post(&path), gemini(name, false), "{written}");
        }
    }

    #[test]
    fn models_are_listed_as_their_reader_expects() {
        let get = |path: &str, hint| recognise("GET", path, hint);
        assert_eq!(get("/v1/models", None), models(Dialect::Chat, None));
        assert_eq!(get("/v1/models?limit=20", Some(Dialect::Anthropic)), models(Dialect::Anthropic, None));
        // Gemini's newer clients have no `beta` in their paths.
        assert_eq!(get("/v1/models", Some(Dialect::Google)), models(Dialect::Google, None));
        assert_eq!(recognise("POST", "/v1/models/a:countTokens", Some(Dialect::Google)), Recognised::Unsupported);
        assert_eq!(get("/v1/models", Some(Dialect::Responses)), models(Dialect::Chat, None));
        assert_eq!(get("/v1beta/models?pageSize=5", None), models(Dialect::Google, None));
        assert_eq!(get("/v1beta/models", Some(Dialect::Anthropic)), models(Dialect::Google, None));
        assert_eq!(get("/v1beta/openai/models", None), models(Dialect::Chat, None));
        assert_eq!(get("/v1/models/gpt-4o", None), models(Dialect::Chat, Some("gpt-4o")));
        assert_eq!(
            get("/openai/v1/models/openai%2Fgpt-oss-20b", None),
            models(Dialect::Chat, Some("openai/gpt-oss-20b"))
        );
        assert_eq!(
            get("/api/v1/models/qwen/qwen3-coder:free", None),
            models(Dialect::Chat, Some("qwen/qwen3-coder:free"))
        );
        assert_eq!(get("/v1/models/accounts/f/models/l", None), models(Dialect::Chat, Some("accounts/f/models/l")));
        assert_eq!(get("/models/v1/models/l", None), models(Dialect::Chat, Some("l")));
        let has = |present: &'static str| move |name: &str| name == present;
        assert_eq!(hint(&has("anthropic-version")), Some(Dialect::Anthropic));
        assert_eq!(hint(&has("x-goog-api-key")), Some(Dialect::Google));
        assert_eq!(hint(&has("authorization")), None);
    }

    #[test]
    fn another_method_is_told_the_right_one() {
        for method in ["GET", "PUT", "DELETE", "HEAD", "OPTIONS", ""] {
            assert_eq!(recognise(method, "/v1/chat/completions", None), Recognised::WrongMethod("POST"), "{method}");
            let path = "/v1beta/models/a:generateContent";
            assert_eq!(recognise(method, path, None), Recognised::WrongMethod("POST"), "{method}");
        }
        assert_eq!(post("/v1/models"), Recognised::WrongMethod("GET"));
        assert_eq!(recognise("DELETE", "/v1/models/ft:mine", None), Recognised::WrongMethod("GET"));
    }

    #[test]
    fn what_only_looks_alike_is_not_served() {
        for path in [
            "",
            "/",
            "//",
            "?/chat/completions",
            "#/chat/completions",
            "/v1/chat/completions/",
            "/v1/chat/completions/chatcmpl-1",
            "/v1/chatcompletions",
            "/v1/xchat/completions/x",
            "/v1/completions",
            "/v1/chat%2Fcompletions",
            "/v1/threads/thread_1/messages",
            "/v1/messages/batches",
            "/v1/messages/count_tokens",
            "/v1/responses/resp_1",
            "/v1/responses/resp_1/cancel",
            "/api/v1/embeddings/models",
            "/v1/mymodels",
            "/v1/models-x",
            "/v1/models/",
            "/v1/models/%",
            "/v1/models/%2",
            "/v1/models/%zz",
            "/v1/models/%ff",
            "/v1/models/a%00b",
            "/v1/models/a%0d%0ab",
            "/v1beta/models/a:countTokens",
            "/v1beta/models/:generateContent",
            "/v1beta/models/%ff:generateContent",
            "/v1beta/tunedModels/a:generateContent",
            "/v1/audio/speech",
            "/v1/images/generations",
            "/v1/files",
        ] {
            for method in ["POST", "GET"] {
                assert_eq!(recognise(method, path, None), Recognised::Unsupported, "{method} {path}");
            }
        }
    }

    #[cfg(not(target_arch = "wasm32"))] // proptest does not build there
    mod hostile {
        proptest::proptest! {
            #[test]
            fn a_name_survives_its_path(name in "[^\\pC]{1,20}") {
                let encoded = super::super::encode(&name);
                proptest::prop_assert!(!encoded.contains(['/', '?', '#', ':', '\\']));
                proptest::prop_assert_eq!(super::super::decode(&encoded), Some(name));
            }

            #[test]
            fn no_path_panics(method: String, path: String, built in "(/|models|v1|:|%|2f|é|\\?|alt=sse|embeddings|[a-z]){0,12}") {
                for path in [&path, &built] {
                    for hint in [None, Some(crate::chat::Dialect::Anthropic)] {
                        let _ = super::super::recognise(&method, path, hint);
                    }
                }
            }
        }
    }

    #[test]
    fn who_tells_usage_to_everybody_is_known_by_the_address() {
        for (owner, path, expected) in [
            (Some("groq"), "/openai/v1/chat/completions", Unasked::XGroq),
            (Some("groq"), "/mine/chat/completions", Unasked::XGroq),
            (None, "/openai/v1/chat/completions", Unasked::XGroq),
            (Some("openrouter"), "/api/v1/chat/completions", Unasked::Chunk),
            (None, "/api/v1/chat/completions", Unasked::Chunk),
            (None, "/v1/chat/completions", Unasked::Nowhere),
            (Some("openai"), "/v1/chat/completions", Unasked::Nowhere),
            (Some("mine"), "/openai/v1/chat/completions", Unasked::Nowhere),
            (Some("google"), "/v1beta/openai/chat/completions", Unasked::Nowhere),
        ] {
            assert_eq!(unasked(owner, path), expected, "{owner:?} {path}");
        }
    }
}
