//! One exchange through the runtime's `fetch`, begun by `exchange.js`.

use js_sys::{Array, Function, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, AbortSignal};

use super::waits::{Came, Waits};
use crate::error::{NetworkKind, Result};
use crate::host::{Chunks, UpstreamBody, UpstreamRequest, UpstreamResponse};
use crate::retry::ANSWER_HEADERS;
use crate::secret::Secret;

/// The status of an answer whose body broke off.
const BROKE_OFF: i32 = -2;

/// `fetch` with the options that no request changes.
pub(super) struct Fetcher {
    /// In place of the global one, which is taken if this is undefined.
    fetch: JsValue,
    init: Object,
    pub(super) in_browser: bool,
}

#[wasm_bindgen(module = "/src/wasm/exchange.js")]
extern "C" {
    fn begin(
        fetcher: &JsValue,
        init: &Object,
        text: &str,
        lines: u32,
        stream: bool,
        done: &Function,
        number: u32,
    ) -> AbortController;

    #[wasm_bindgen(js_name = wait)]
    pub(super) fn set_timer(millis: u32, done: &Function, number: u32) -> JsValue;

    #[wasm_bindgen(js_name = unwait)]
    pub(super) fn clear_timer(timer: &JsValue);

    pub(super) fn listen(signal: &AbortSignal, done: &Function, number: u32) -> JsValue;

    pub(super) fn unlisten(signal: &AbortSignal, heard: &JsValue);

    fn refuses(fetcher: &JsValue, url: &str) -> Promise;

    #[wasm_bindgen(js_name = next)]
    fn next_chunk(reader: &JsValue, done: &Function, number: u32);
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

#[cfg(feature = "speed")]
#[wasm_bindgen(module = "/src/wasm/timers.js")]
extern "C" {
    #[wasm_bindgen(js_name = waitTogether)]
    pub(super) fn set_shared_timer(millis: u32, done: &Function, number: u32) -> JsValue;

    #[wasm_bindgen(js_name = unwaitTogether)]
    pub(super) fn clear_shared_timer(timer: &JsValue);
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

    pub(super) async fn send(
        &self,
        request: UpstreamRequest<'_>,
        waits: &Waits,
    ) -> Result<UpstreamResponse<JsChunks>, NetworkKind> {
        let Some((text, lines)) = written(&request) else { return Err(NetworkKind::Network) };
        // What goes offline later may have sent it.
        let offline = self.in_browser && is_offline();
        let wait = waits.place();
        // EXPOSE: the one JS string that holds the key: it goes into the request and nothing keeps it.
        let text = text.expose();
        let begun = begin(&self.fetch, &self.init, text, lines, request.stream, &waits.done, wait.number);
        let controller = AbortOnDrop(Some(begun));
        let Came { status, open, headers, body } = wait.await;
        let Ok(status) = u16::try_from(status) else {
            // Whose headers came lets this origin in: nobody has to be asked for it.
            let cut = status == BROKE_OFF;
            return Err(if cut { NetworkKind::Network } else { self.lost(&request.url, offline).await });
        };
        let headers = if headers.is_undefined() { Vec::new() } else { read_headers(&headers.unchecked_into()) };
        let body = if open {
            UpstreamBody::Open(JsChunks { reader: body, controller: Some(controller), waits: waits.clone() })
        } else {
            controller.disarm(); // read to its end: nothing is left to abort
            UpstreamBody::Whole(body.unchecked_into::<Uint8Array>().to_vec())
        };
        Ok(UpstreamResponse { status, headers, body })
    }
}

/// A request as `begin` takes it, with the number of its lines before the body: one text crosses for a fraction of what
/// several cost. `None` if a header or the address holds what none can: an end of a line.
fn written(request: &UpstreamRequest<'_>) -> Option<(Secret<String>, u32)> {
    // EXPOSE: lengths and pieces of the text that is wiped when the request is out.
    let pairs = || request.headers.iter().flat_map(|(name, value)| [name.as_ref(), value.expose().as_str()]);
    let head = || std::iter::once(request.url.as_str()).chain(pairs());
    if head().any(|line| line.contains('\n')) {
        return None;
    }
    // All of it at once: a text that grows leaves copies of the key behind.
    let length = head().fold(request.body.len(), |sum, line| sum.saturating_add(line.len()).saturating_add(1));
    let mut text = Secret::new(String::with_capacity(length));
    let mut lines = 0u32;
    // EXPOSE: writes what is wiped on drop.
    let out = text.expose_mut();
    for line in head() {
        out.push_str(line);
        out.push('\n');
        lines = lines.saturating_add(1);
    }
    out.push_str(&request.body);
    Some((text, lines))
}

impl Fetcher {
    /// Why a fetch gave no response. A server that can be reached, only not read, does not let this page's origin in.
    async fn lost(&self, url: &str, offline: bool) -> NetworkKind {
        if offline {
            return NetworkKind::Offline;
        }
        if !self.in_browser {
            return NetworkKind::Network;
        }
        match JsFuture::from(refuses(&self.fetch, url)).await {
            Ok(refuses) if refuses.is_truthy() => NetworkKind::Cors,
            _ => NetworkKind::Network,
        }
    }
}

/// Browsers give a TypeError for everything; offline is the one thing that they do tell.
fn is_offline() -> bool {
    NAVIGATOR.with(|own| own.as_ref().and_then(|own| own.on_line().as_bool()) == Some(false))
}

/// The rest of an answer that is still coming in.
pub(super) struct JsChunks {
    reader: JsValue,
    controller: Option<AbortOnDrop>,
    waits: Waits,
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
        let wait = self.waits.place();
        next_chunk(&self.reader, &self.waits.done, wait.number);
        let Came { status, body, .. } = wait.await;
        match status {
            0 => Ok(Some(Uint8Array::new(&body).to_vec())),
            1.. => {
                disarm(self.controller.take()); // read to its end: nothing is left to abort
                Ok(None)
            }
            _ => Err(NetworkKind::Network),
        }
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
            Some(name) if ANSWER_HEADERS.contains(&name.as_str()) => headers.push((name, item)),
            Some(_) => {}
        }
    }
    headers
}
