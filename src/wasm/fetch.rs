//! One exchange through the runtime's `fetch`, begun by `exchange.js`.

use js_sys::{Array, Function, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::AbortController;

use crate::error::{NetworkKind, Result};
use crate::host::{Chunks, UpstreamBody, UpstreamRequest, UpstreamResponse};

/// Headers that say when to come back. Nothing else of an answer's headers is kept.
const READ: [&str; 14] = [
    "x-should-retry",
    "retry-after-ms",
    "x-ms-retry-after-ms",
    "retry-after",
    "x-ratelimit-remaining-requests",
    "x-ratelimit-remaining-tokens",
    "x-ratelimit-reset-requests",
    "x-ratelimit-reset-tokens",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "anthropic-ratelimit-requests-remaining",
    "anthropic-ratelimit-requests-reset",
    "anthropic-ratelimit-tokens-remaining",
    "anthropic-ratelimit-tokens-reset",
];

/// `fetch` with the options that no request changes.
pub(super) struct Fetcher {
    /// In place of the global one, which is taken if this is undefined.
    fetch: JsValue,
    init: Object,
    pub(super) in_browser: bool,
}

#[wasm_bindgen(module = "/src/wasm/exchange.js")]
extern "C" {
    fn begin(fetcher: &JsValue, init: &Object, url: &str, headers: Vec<String>, body: &str, stream: bool) -> Array;

    fn reachable(fetcher: &JsValue, url: &str) -> Promise;

    #[wasm_bindgen(js_name = next)]
    fn next_chunk(reader: &JsValue) -> Promise;
}

#[wasm_bindgen]
extern "C" {
    type Navigator;

    /// Node 20 has none.
    #[wasm_bindgen(js_name = navigator, thread_local_v2)]
    static NAVIGATOR: Option<Navigator>;

    #[wasm_bindgen(method, getter, js_name = onLine)]
    fn on_line(this: &Navigator) -> JsValue;
}

impl Fetcher {
    /// No redirect is followed; no cookie, referrer or HTTP cache is used. workerd and Node have neither
    /// cookies nor referrers, and workerd refuses the options that speak of them.
    pub(super) fn new(fetch: Option<Function>, in_browser: bool) -> Self {
        let init = Object::new();
        let mut options = vec![("method", "POST"), ("redirect", "manual")];
        if in_browser {
            options.extend([("credentials", "omit"), ("referrerPolicy", "no-referrer"), ("cache", "no-store")]);
        }
        for (name, value) in options {
            let _ = Reflect::set(&init, &name.into(), &value.into());
        }
        Self { fetch: fetch.map_or(JsValue::UNDEFINED, Into::into), init, in_browser }
    }

    pub(super) async fn send(&self, request: UpstreamRequest<'_>) -> Result<UpstreamResponse<JsChunks>, NetworkKind> {
        let mut headers = Vec::with_capacity(request.headers.len().saturating_mul(2));
        for (name, value) in &request.headers {
            headers.push(String::from(name.as_ref()));
            // EXPOSE: the one JS string that holds the key: it goes into the request and nothing keeps it.
            headers.push(value.expose().clone());
        }
        let begun = begin(&self.fetch, &self.init, &request.url, headers, &request.body, request.stream);
        let controller = AbortOnDrop(Some(begun.get(0).unchecked_into()));
        let answer = match JsFuture::from(begun.get(1).unchecked_into::<Promise>()).await {
            Ok(answer) => answer,
            Err(_) => return Err(self.lost(&request.url).await),
        };
        let answer: Array = answer.unchecked_into();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "fetch's own: 0 to 599")]
        let status = answer.get(0).as_f64().unwrap_or(0.0) as u16;
        let headers = read_headers(&answer.get(1).unchecked_into());
        let body = match answer.get(2).dyn_into::<Uint8Array>() {
            Ok(bytes) => {
                controller.disarm(); // read to its end: nothing is left to abort
                UpstreamBody::Whole(bytes.to_vec())
            }
            Err(reader) => UpstreamBody::Open(JsChunks { reader, controller: Some(controller) }),
        };
        Ok(UpstreamResponse { status, headers, body })
    }
}

impl Fetcher {
    /// Why a fetch gave no response. A server that can be reached, only not read, does not let this page's origin in.
    async fn lost(&self, url: &str) -> NetworkKind {
        let kind = lost();
        if kind != NetworkKind::Network || !self.in_browser {
            return kind;
        }
        match JsFuture::from(reachable(&self.fetch, url)).await {
            Ok(reached) if reached.is_truthy() => NetworkKind::Cors,
            _ => kind,
        }
    }
}

/// Browsers give a TypeError for everything; offline is the one thing that they do tell.
fn lost() -> NetworkKind {
    let offline = NAVIGATOR.with(|own| own.as_ref().and_then(|own| own.on_line().as_bool()) == Some(false));
    if offline { NetworkKind::Offline } else { NetworkKind::Network }
}

/// The rest of an answer that is still coming in.
pub(super) struct JsChunks {
    reader: JsValue,
    controller: Option<AbortOnDrop>,
}

impl JsChunks {
    /// The reader, for JavaScript to read on; from now on it is JavaScript's to cancel.
    pub(super) fn into_reader(mut self) -> JsValue {
        disarm(self.controller.take());
        std::mem::replace(&mut self.reader, JsValue::UNDEFINED)
    }
}

impl Chunks for JsChunks {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, NetworkKind> {
        let chunk = JsFuture::from(next_chunk(&self.reader)).await.map_err(|_| lost())?;
        if chunk.is_null() {
            disarm(self.controller.take()); // read to its end: nothing is left to abort
            return Ok(None);
        }
        Ok(Some(Uint8Array::new(&chunk).to_vec()))
    }
}

/// Aborts the fetch unless its answer was read to the end.
struct AbortOnDrop(Option<AbortController>);

impl AbortOnDrop {
    /// Nothing is left to abort. Not `forget`: JavaScript's object would be kept for ever.
    fn disarm(mut self) {
        self.0.take();
    }
}

fn disarm(controller: Option<AbortOnDrop>) {
    if let Some(controller) = controller {
        controller.disarm();
    }
}

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        if let Some(controller) = &self.0 {
            controller.abort();
        }
    }
}

/// Names and values in turn.
fn read_headers(flat: &Array) -> Vec<(String, String)> {
    let mut headers = Vec::new();
    let mut name = None;
    for item in flat.iter().filter_map(|item| item.as_string()) {
        match name.take() {
            None => name = Some(item),
            Some(name) if READ.contains(&name.as_str()) => headers.push((name, item)),
            Some(_) => {}
        }
    }
    headers
}
