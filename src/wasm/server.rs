//! What a server of the gateway's own asks before there is a gate, or when none can be opened.

use js_sys::Array;
use wasm_bindgen::prelude::*;

use super::call::failed;
use crate::chat::Dialect;
#[cfg(feature = "edge")]
use crate::json;
use crate::provider::served;

/// What a request asks of a server: `[endpoint, dialect, method]`. `endpoint` is for
/// [`Core::call`](super::Core::call), `dialect` for [`failure`], `method` the one that the path is served with, nothing
/// if it is not served. `names` are those of the request's headers, in lower case.
#[wasm_bindgen]
pub fn asked(method: &str, path: &str, names: Vec<String>) -> Array {
    let served = served(path, &|name| names.iter().any(|own| own == name));
    let endpoint = [method, " - ", path].concat();
    let method = served.method.map_or(JsValue::UNDEFINED, JsValue::from);
    [JsValue::from(endpoint), served.dialect.as_str().into(), method].into_iter().collect()
}

/// An error object as the clients of a dialect want it: `[status, headers, body]`.
#[wasm_bindgen(unchecked_return_type = "[status: number, headers: string[], body: string]")]
pub fn failure(dialect: &str, error: JsValue) -> Array {
    let known = Dialect::ALL.into_iter().find(|own| own.as_str() == dialect);
    failed(known.unwrap_or(Dialect::Chat), &error)
}

/// The first place of a JSON text where a name occurs twice in one object; nothing if none does.
#[cfg(feature = "edge")]
#[wasm_bindgen]
pub fn repeated(json: &str) -> Option<String> {
    json::repeated(json)
}
