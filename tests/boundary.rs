//! The boundary in a real browser: what JavaScript hands in and gets back.
#![cfg(target_arch = "wasm32")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

#[path = "boundary/chat.rs"]
mod chat;
#[path = "boundary/config.rs"]
mod config;
#[path = "boundary/ledger.rs"]
mod ledger;
#[path = "boundary/vault.rs"]
mod vault;

use js_sys::{Array, Object, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test_configure;

wasm_bindgen_test_configure!(run_in_browser);

/// What a JavaScript expression evaluates to.
fn js(expression: &str) -> JsValue {
    js_sys::eval(&["(", expression, ")"].concat()).unwrap()
}

fn get(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &name.into()).unwrap()
}

fn text(object: &JsValue, name: &str) -> String {
    get(object, name).as_string().unwrap_or_default()
}

fn number(object: &JsValue, name: &str) -> f64 {
    get(object, name).as_f64().unwrap_or(f64::NAN)
}

/// The plain error object that was thrown.
fn thrown<T>(result: Result<T, JsValue>) -> JsValue {
    let Err(error) = result else { panic!("it worked") };
    assert!(!error.is_instance_of::<js_sys::Error>(), "errors cross as plain data");
    let constructor = get(&error, "constructor");
    assert_eq!(constructor, get(&Object::new(), "constructor"), "errors cross as plain data");
    error
}

fn code<T>(result: Result<T, JsValue>) -> String {
    text(&thrown(result), "code")
}

/// `path: problem` of each bad field.
fn fields(error: &JsValue) -> Vec<String> {
    let each = Array::from(&get(error, "fields"));
    each.iter().map(|field| [text(&field, "path"), text(&field, "problem")].join(": ")).collect()
}
