//! One exchange through the runtime's `fetch`.

use js_sys::{Function, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, Headers, Response};

use crate::error::{NetworkKind, Result};
use crate::host::{UpstreamRequest, UpstreamResponse};

/// Headers that say when to come back. Nothing else of an answer's headers is read.
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
    fetch: Option<Function>,
    init: Object,
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = fetch, catch)]
    fn global_fetch(url: &str, init: &Object) -> Result<Promise, JsValue>;

    #[wasm_bindgen(js_namespace = navigator, js_name = onLine, thread_local_v2)]
    static ON_LINE: JsValue;
}

impl Fetcher {
    /// No redirect is followed; no cookie, referrer or HTTP cache is used. workerd and Node have neither
    /// cookies nor referrers, and workerd refuses the options that speak of them.
    pub(super) fn new(fetch: Option<Function>, browser: bool) -> Self {
        let init = Object::new();
        let mut options = vec![("method", "POST"), ("redirect", "manual")];
        if browser {
            options.extend([("credentials", "omit"), ("referrerPolicy", "no-referrer"), ("cache", "no-store")]);
        }
        for (name, value) in options {
            let _ = Reflect::set(&init, &name.into(), &value.into());
        }
        Self { fetch, init }
    }

    pub(super) async fn send(&self, request: UpstreamRequest<'_>) -> Result<UpstreamResponse, NetworkKind> {
        self.exchange(request).await.map_err(|_| {
            // Browsers give a TypeError for everything; offline is the one thing that they do tell.
            let offline = ON_LINE.with(JsValue::as_bool) == Some(false);
            if offline { NetworkKind::Offline } else { NetworkKind::Network }
        })
    }

    async fn exchange(&self, request: UpstreamRequest<'_>) -> Result<UpstreamResponse, JsValue> {
        let controller = AbortOnDrop(AbortController::new()?);
        let headers = Object::new();
        Reflect::set(&headers, &"content-type".into(), &"application/json".into())?;
        // EXPOSE: the one JS string that holds the key: it goes into the request and nothing keeps it.
        Reflect::set(&headers, &"authorization".into(), &request.authorization.expose().as_str().into())?;
        let init = Object::assign(&Object::new(), &self.init);
        Reflect::set(&init, &"headers".into(), &headers)?;
        Reflect::set(&init, &"body".into(), &request.body.into())?;
        Reflect::set(&init, &"signal".into(), &controller.0.signal())?;
        let promise: Promise = match &self.fetch {
            // It may be a stand-in that returns anything.
            Some(fetch) => Promise::resolve(&fetch.call2(&JsValue::UNDEFINED, &request.url.into(), &init)?),
            None => global_fetch(&request.url, &init)?,
        };
        let response = JsFuture::from(promise).await?;
        if self.fetch.is_some() {
            look_at(&response)?;
        }
        let response: Response = response.unchecked_into();
        let status = response.status();
        let headers = read_headers(&response.headers(), status);
        let bytes = JsFuture::from(response.array_buffer()?).await?;
        std::mem::forget(controller); // read to its end: nothing is left to abort
        Ok(UpstreamResponse { status, headers, body: Uint8Array::new(&bytes).to_vec() })
    }
}

/// An error for what is no response. By its looks, since it may be one of a library's own; what a getter
/// of `web_sys` throws would end in nobody's hands, and the request would hang.
fn look_at(response: &JsValue) -> Result<(), JsValue> {
    let has = |object: &JsValue, name: &str| Reflect::get(object, &name.into()).map(|value| value.is_function());
    let status = Reflect::get(response, &"status".into())?.as_f64();
    let headers = Reflect::get(response, &"headers".into())?;
    if status.is_some() && has(&headers, "get")? && has(response, "arrayBuffer")? { Ok(()) } else { Err(headers) }
}

/// Aborts the fetch unless its answer was read to the end.
struct AbortOnDrop(AbortController);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A 2xx has nothing to say about waits, and looking at a header costs a crossing.
fn read_headers(headers: &Headers, status: u16) -> Vec<(String, String)> {
    if (200..300).contains(&status) {
        return Vec::new();
    }
    READ.iter().filter_map(|name| Some(((*name).into(), headers.get(name).ok()??))).collect()
}
