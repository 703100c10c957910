//! The drop-in fetch: requests of every dialect, whole answers and streams. Everything crosses as texts, bytes
//! and plain arrays.

use js_sys::{Array, JsString, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::AbortSignal;

use super::convert::{error, from_js, text_of};
use super::core::{Core, DEFAULT_TENANT, controls};
use super::stream::ChatStream;
use super::tasks::at_once;
use super::waits::Listening;
use crate::abort::Abort;
use crate::chat::Dialect;
use crate::error::{Code, Error};
use crate::gateway::{self, Call, Gate, Meta, Opened, Wants};
use crate::host::Clock;
#[cfg(feature = "dialects")]
use crate::provider::anthropic::betas;
use crate::provider::endpoint::hint;
use crate::provider::{Endpoint, Owner, Recognised, dialects, owner, presented, recognise, unasked};

/// First item of what [`Core::call`] gives.
const WHOLE: u32 = 0;
const STREAM: u32 = 1;

#[wasm_bindgen]
impl Core {
    /// Whether a request is for the gateway: nothing for an address of somebody else, which is for the real
    /// `fetch`; otherwise what to give to [`call`](Self::call), also for a path that it will refuse.
    pub fn route(&self, method: &str, url: &str) -> Option<String> {
        match owner(&self.gate.config, url) {
            Owner::Known { provider, path } => Some([method, " ", provider, " ", &path].concat()),
            Owner::Foreign => None,
        }
    }

    /// Takes one request through the gateway. `endpoint` is what [`route`](Self::route) gave, or `METHOD - PATH` of a
    /// request to a server of the gateway's own; `headers` are the caller's, names in lower case and values in turn.
    ///
    /// Gives `[0, status, headers, body, account]` for a whole answer, and `[1, status, headers, stream, reader,
    /// account]` for a stream: at once if nothing has to be waited for, else as a promise. Throws or rejects with an
    /// error object.
    #[expect(clippy::too_many_arguments, reason = "one crossing; an object would be several")]
    pub fn call(
        &self,
        endpoint: String,
        body: &JsString,
        headers: Vec<String>,
        tenant: Option<String>,
        cache_flags: u32,
        ttl_ms: Option<f64>,
        namespace: Option<String>,
        signal: Option<AbortSignal>,
    ) -> Result<JsValue, JsValue> {
        let asks = Asks {
            tenant,
            cache_flags,
            ttl_ms,
            namespace,
            #[cfg(feature = "edge")]
            caller: None,
            #[cfg(feature = "edge")]
            trace: None,
            #[cfg(feature = "edge")]
            posts: false,
        };
        self.take(&endpoint, &text_of(body), &headers, asks, signal)
    }

    /// An error object as the clients of an endpoint's dialect want it: `[status, headers, body]`.
    #[wasm_bindgen(unchecked_return_type = "[status: number, headers: string[], body: string]")]
    pub fn failure(&self, endpoint: &str, error: JsValue) -> Array {
        failed(dialect_of(&self.gate, endpoint), &error)
    }
}

/// What a request asks beside its content.
pub(super) struct Asks {
    pub(super) tenant: Option<String>,
    pub(super) cache_flags: u32,
    pub(super) ttl_ms: Option<f64>,
    pub(super) namespace: Option<String>,
    /// On whose behalf, where there are limits by caller.
    #[cfg(feature = "edge")]
    pub(super) caller: Option<std::rc::Rc<crate::admit::edge::Caller>>,
    /// The trace context for providers.
    #[cfg(feature = "edge")]
    pub(super) trace: Option<std::rc::Rc<str>>,
    /// Whether its settlement may follow its answer.
    #[cfg(feature = "edge")]
    pub(super) posts: bool,
}

impl Core {
    pub(super) fn take(
        &self,
        endpoint: &str,
        body: &str,
        headers: &[String],
        asks: Asks,
        signal: Option<AbortSignal>,
    ) -> Result<JsValue, JsValue> {
        let (gate, host) = (self.gate.clone(), self.host.clone());
        let refuse = |failed: &Error| Err(error(failed));
        let (wants, dialect, model, stream) = match recognised(&gate, endpoint, headers) {
            Recognised::Endpoint(Endpoint::Chat { dialect, model, stream }) => (Wants::Chat, dialect, model, stream),
            Recognised::Endpoint(Endpoint::Embeddings { dialect, model, batch }) => {
                (Wants::Embeddings { batch }, dialect, model, false)
            }
            Recognised::Endpoint(Endpoint::Models { dialect, model }) => {
                let listed = gateway::models(&gate, dialect, model.as_deref(), host.now());
                let listed = listed.map_err(|failed| error(&failed));
                #[cfg(feature = "edge")]
                if let Some(caller) = asks.caller {
                    return at_once(async move {
                        let entered = gateway::enter(&gate, &*host, &caller, "models", None).await;
                        let allowance = entered.map_err(|failed| error(&failed))?;
                        Ok(whole("application/json", Some(allowance), listed?.into(), "{}"))
                    });
                }
                return Ok(whole("application/json", None, listed?.into(), "{}"));
            }
            Recognised::Unsupported => {
                let problem = "is not one that the gateway serves: ask the provider for it directly";
                return refuse(&Error::field(Code::UnsupportedEndpoint, "endpoint", problem));
            }
            Recognised::WrongMethod(_) => {
                let other = Error::invalid("", "must be sent with another method");
                return refuse(&Error { status: Some(405), ..other });
            }
        };
        // A server hands them out; as a text they would be decoded, and encoded again.
        #[cfg(feature = "edge")]
        let in_bytes = asks.caller.is_some();
        #[cfg(feature = "dialects")]
        let betas = match dialect {
            Dialect::Anthropic => betas(headers).map_err(|failed| error(&failed))?,
            Dialect::Chat | Dialect::Responses | Dialect::Google => None,
        };
        let abort = Abort::new();
        let (_, owner, path) = parts(endpoint);
        let own_key = gate.admit_key(&*host, owner, presented(headers, path));
        let call = Call {
            own_key,
            wants,
            dialect,
            model: model.map(Into::into),
            stream,
            unasked: unasked(owner, path),
            drop_in: true,
            #[cfg(feature = "dialects")]
            betas,
            controls: controls(asks.cache_flags, asks.ttl_ms, asks.namespace),
            abort: abort.clone(),
            #[cfg(feature = "edge")]
            caller: asks.caller,
            #[cfg(feature = "edge")]
            trace: asks.trace,
            #[cfg(feature = "edge")]
            posts: asks.posts,
            ..Call::chat(body, asks.tenant.as_deref().unwrap_or(DEFAULT_TENANT))
        };
        at_once(async move {
            let _listening = signal.map(|signal| Listening::to(&host.waits, signal, abort));
            match gateway::open(&gate, &host, call).await {
                Ok(Opened::Whole(reply)) => {
                    let kind = if reply.events { "text/event-stream" } else { "application/json" };
                    #[cfg(feature = "edge")]
                    let body =
                        if in_bytes { Uint8Array::from(reply.body.as_bytes()).into() } else { (&*reply.body).into() };
                    #[cfg(not(feature = "edge"))]
                    let body = (&*reply.body).into();
                    Ok(whole(kind, allowance(&reply.meta), body, &reply.meta.to_json()))
                }
                Ok(Opened::Stream(mut streaming)) => {
                    let reader = streaming.take_chunks().map_or(JsValue::UNDEFINED, |chunks| chunks.into_reader());
                    let meta = streaming.meta();
                    Ok([
                        JsValue::from(STREAM),
                        200.into(),
                        answer_headers("text/event-stream", allowance(&meta)),
                        ChatStream::new(streaming).into(),
                        reader,
                        meta.to_json().into(),
                    ]
                    .into_iter()
                    .collect::<Array>()
                    .into())
                }
                Err(failed) => Err(error(&failed)),
            }
        })
    }
}

/// What is left of a caller's rate; builds without such rates have nothing to say.
#[cfg(feature = "edge")]
type Left = Option<crate::error::Allowance>;
#[cfg(not(feature = "edge"))]
type Left = Option<std::convert::Infallible>;

fn allowance(meta: &Meta) -> Left {
    #[cfg(feature = "edge")]
    return meta.allowance.as_deref().copied();
    #[cfg(not(feature = "edge"))]
    {
        let _ = meta;
        None
    }
}

/// The headers of an answer as one text, a line for each name and each value: a list crosses item by item.
fn answer_headers(kind: &str, left: Left) -> JsValue {
    #[cfg_attr(not(feature = "edge"), expect(unused_mut, reason = "there are no limits by caller in this build"))]
    let mut lines = ["content-type\n", kind].concat();
    match left {
        #[cfg(feature = "edge")]
        Some(allowance) => {
            for (name, value) in allowance.headers() {
                for line in [name, &value] {
                    lines.push('\n');
                    lines.push_str(line);
                }
            }
        }
        #[cfg(not(feature = "edge"))]
        Some(never) => match never {},
        None => {}
    }
    lines.into()
}

fn whole(kind: &str, left: Left, body: JsValue, account: &str) -> JsValue {
    [JsValue::from(WHOLE), 200.into(), answer_headers(kind, left), body, account.into()]
        .into_iter()
        .collect::<Array>()
        .into()
}

/// An error object as the clients of a dialect want it.
pub(super) fn failed(dialect: Dialect, error: &JsValue) -> Array {
    let value = from_js(error).unwrap_or_default();
    let (status, headers, body) = gateway::failure(dialect, value);
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    [JsValue::from(u32::from(status)), flat(&headers).into(), body.into()].into_iter().collect()
}

/// An endpoint's text taken apart: method, owner, path with query.
fn parts(endpoint: &str) -> (&str, Option<&str>, &str) {
    let mut words = endpoint.splitn(3, ' ');
    let (method, owner, path) = (words.next(), words.next(), words.next());
    (method.unwrap_or(""), owner.filter(|owner| *owner != "-"), path.unwrap_or(""))
}

fn recognised(gate: &Gate, endpoint: &str, headers: &[String]) -> Recognised {
    let (method, owner, path) = parts(endpoint);
    let has = |name: &str| headers.iter().step_by(2).any(|own| own == name);
    recognise(method, path, hint(&has).or_else(|| spoken(gate, owner)))
}

/// What an owner is spoken to in.
fn spoken(gate: &Gate, owner: Option<&str>) -> Option<Dialect> {
    dialects(&gate.config, owner?).first().copied()
}

/// What errors of an endpoint are written in.
fn dialect_of(gate: &Gate, endpoint: &str) -> Dialect {
    let (method, owner, path) = parts(endpoint);
    let dialect = spoken(gate, owner);
    match recognise(method, path, dialect) {
        Recognised::Endpoint(endpoint) => endpoint.dialect(),
        Recognised::WrongMethod(_) | Recognised::Unsupported => dialect.unwrap_or(Dialect::Chat),
    }
}

/// Names and values in turn.
pub(super) fn flat(headers: &[(&str, &str)]) -> Array {
    headers.iter().flat_map(|(name, value)| [JsValue::from_str(name), JsValue::from_str(value)]).collect()
}

/// Bytes as JavaScript has them; nothing for none.
pub(super) fn bytes(bytes: &[u8]) -> JsValue {
    if bytes.is_empty() { JsValue::UNDEFINED } else { Uint8Array::from(bytes).into() }
}
