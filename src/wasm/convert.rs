//! Plain data to and from JavaScript, through one configured serialiser; errors as plain objects, which
//! the adapter makes real `Error`s of.

use serde::{Deserialize, Serialize};
use wasm_bindgen::JsValue;

use crate::error::{Code, Error};
use crate::gateway::problem;
use crate::value::Value;

/// A JavaScript object as plain data.
pub(super) fn from_js(value: JsValue) -> Result<Value, JsValue> {
    let deserializer = serde_wasm_bindgen::Deserializer::from(value);
    Value::deserialize(deserializer).map_err(|_| error(&Error::field(Code::ConfigInvalid, "", "must be plain data")))
}

/// Plain data as a JavaScript object. Whole numbers become numbers, not BigInts: what we count stays
/// below 2^53.
pub(super) fn to_js(value: &Value) -> JsValue {
    value.serialize(&serde_wasm_bindgen::Serializer::json_compatible()).unwrap_or(JsValue::NULL)
}

/// An error as a plain object.
pub(super) fn error(error: &Error) -> JsValue {
    to_js(&problem(error))
}
