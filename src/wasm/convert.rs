//! Plain data to JavaScript, as JSON, and from it; errors as plain objects, which the adapter makes real `Error`s of.

use js_sys::{Array, JSON, JsString, Object, Reflect, Symbol};
use wasm_bindgen::prelude::*;

use crate::error::{Code, Error};
use crate::gateway::problem;
use crate::value::Value;

/// Nesting deeper than this is no configuration, or one that contains itself.
const MAX_DEPTH: u8 = 32;

#[wasm_bindgen(module = "/src/wasm/exchange.js")]
extern "C" {
    fn write(text: &JsString, room: &mut [u8]) -> i32;
}

/// A text of JavaScript's. The glue's own way goes through it letter by letter, as long as it is ASCII: 2 µs for a KB.
pub(super) fn text_of(text: &JsString) -> String {
    let written = |room: usize| {
        let mut bytes = vec![0; room];
        let length = usize::try_from(write(text, &mut bytes)).ok()?;
        bytes.truncate(length);
        Some(bytes)
    };
    let units = text.length() as usize;
    // As ASCII, which nearly all JSON is; else at most three bytes for each unit.
    let bytes = written(units).or_else(|| written(units.saturating_mul(3)));
    String::from_utf8(bytes.unwrap_or_default()).unwrap_or_default()
}

/// A JavaScript object as plain data.
///
/// Read here: the deserialiser of serde-wasm-bindgen describes what it did not expect, and to write a float
/// for that is 30 KB of Wasm.
pub(super) fn from_js(value: &JsValue) -> Result<Value, JsValue> {
    read(value, MAX_DEPTH).ok_or_else(|| error(&Error::field(Code::ConfigInvalid, "", "must be plain data")))
}

fn read(value: &JsValue, depth: u8) -> Option<Value> {
    if value.is_undefined() || value.is_null() {
        return Some(Value::Null);
    }
    if let Some(flag) = value.as_bool() {
        return Some(flag.into());
    }
    if let Some(number) = value.as_f64() {
        return Some(Value::number(number));
    }
    if let Some(text) = value.as_string() {
        return Some(text.into());
    }
    let depth = depth.checked_sub(1)?;
    if Array::is_array(value) {
        let items: &Array = value.unchecked_ref();
        return items.iter().map(|item| read(&item, depth)).collect::<Option<_>>().map(Value::List);
    }
    // Maps and Sets have no own fields: they would pass for empty objects.
    if !value.is_object() || Reflect::has(value, &Symbol::iterator()).unwrap_or(true) {
        return None;
    }
    let mut fields = Vec::new();
    for entry in Object::entries(value.unchecked_ref()).iter() {
        let entry: Array = entry.unchecked_into();
        fields.push((entry.get(0).as_string()?, read(&entry.get(1), depth)?));
    }
    Some(Value::Map(fields))
}

/// Plain data as a JavaScript object. Whole numbers become numbers, not BigInts: what we count stays
/// below 2^53.
pub(super) fn to_js(value: &Value) -> JsValue {
    let mut text = String::new();
    value.push_json(&mut text);
    JSON::parse(&text).unwrap_or(JsValue::NULL)
}

/// An error as a plain object.
pub(super) fn error(error: &Error) -> JsValue {
    to_js(&problem(error))
}
