//! The detector: bytes in, findings out.

use wasm_bindgen::prelude::*;

use super::convert::to_js;
use crate::detect::{self, Finding, Options};
use crate::keys::RULES;
use crate::secret::Secret;
use crate::value::Value;

/// Scans one text, in chunks or at once.
#[wasm_bindgen]
pub struct KeyScanner(detect::Scanner);

#[wasm_bindgen]
impl KeyScanner {
    /// `key` keys the fingerprints; `publishable`: whether publishable keys are told too.
    #[wasm_bindgen(constructor)]
    pub fn new(key: Vec<u8>, publishable: bool) -> Self {
        Self(detect::Scanner::new(Options { key: Secret::new(key), publishable }))
    }

    /// Takes a chunk; gives the findings that can no longer change.
    pub fn push(&mut self, chunk: &[u8]) -> JsValue {
        let mut all = Vec::new();
        self.0.push(chunk, &mut |finding| all.push(finding));
        told(&all)
    }

    /// Takes the last chunk and gives the rest. The scanner is then at the beginning of another text.
    pub fn finish(&mut self, chunk: &[u8]) -> JsValue {
        let mut all = Vec::new();
        self.0.finish_with(chunk, &mut |finding| all.push(finding));
        told(&all)
    }
}

/// Every kind of key that is known, once.
#[wasm_bindgen(js_name = keyRules)]
pub fn key_rules() -> JsValue {
    let kinds = RULES.iter().enumerate();
    let first = kinds.filter(|(index, rule)| RULES.iter().position(|other| other.id == rule.id) == Some(*index));
    to_js(&first.map(|(_, rule)| rule.to_value()).collect::<Value>())
}

fn told(all: &[Finding]) -> JsValue {
    // Nearly always; an array of JavaScript costs more than the scan of a short text.
    if all.is_empty() {
        return JsValue::UNDEFINED;
    }
    to_js(&all.iter().map(Finding::to_value).collect::<Value>())
}
