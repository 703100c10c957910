//! The detector: bytes in, findings out.

use wasm_bindgen::prelude::*;

use super::convert::to_js;
use crate::detect::{self, Finding, Options};
#[cfg(feature = "values")]
use crate::error::Detail;
use crate::keys::RULES;
use crate::secret::Secret;
use crate::value::Value;

/// Scans one text, in chunks or at once.
#[wasm_bindgen]
pub struct KeyScanner(detect::Scanner);

/// The values of variables, for scanners of their own.
#[cfg(feature = "values")]
#[wasm_bindgen]
#[derive(Default)]
pub struct KeyValues(detect::Values);

#[cfg(feature = "values")]
#[wasm_bindgen]
impl KeyValues {
    /// None.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the value of the variable `name`, set at `place` (a file and its line, or empty). Gives back whether it is
    /// searched.
    pub fn add(&mut self, name: &str, place: &str, value: Vec<u8>) -> bool {
        // EXPOSE: kept as a secret, compared with the texts that are scanned.
        self.0.add(name, place, Secret::new(value).expose())
    }

    /// The scanner of a text, by shapes and by these values, which are used up.
    pub fn scanner(self, key: Vec<u8>, publishable: bool) -> KeyScanner {
        KeyScanner(detect::Scanner::with_values(Options { key: Secret::new(key), publishable }, self.0))
    }
}

#[wasm_bindgen]
impl KeyScanner {
    /// `key` keys the fingerprints; `publishable`: whether publishable keys are told too.
    #[wasm_bindgen(constructor)]
    pub fn new(key: Vec<u8>, publishable: bool) -> Self {
        Self(detect::Scanner::new(Options { key: Secret::new(key), publishable }))
    }

    /// Takes a chunk; gives the findings that can no longer change.
    pub fn push(&mut self, chunk: &[u8]) -> JsValue {
        self.take(chunk, false)
    }

    /// Takes the last chunk and gives the rest. The scanner is then at the beginning of another text.
    pub fn finish(&mut self, chunk: &[u8]) -> JsValue {
        self.take(chunk, true)
    }

    fn take(&mut self, chunk: &[u8], last: bool) -> JsValue {
        let mut all = Vec::new();
        let sink = &mut |finding| all.push(finding);
        if last {
            self.0.finish_with(chunk, sink)
        } else {
            self.0.push(chunk, sink)
        }
        told(&all)
    }
}

/// A text without its keys, and the way back.
#[wasm_bindgen]
pub struct KeyRedaction {
    text: String,
    findings: Vec<Finding>,
    restorer: detect::Restorer,
}

#[wasm_bindgen]
impl KeyRedaction {
    /// `reversible`: the keys are kept, to be put back. Publishable ones stay in the text.
    #[wasm_bindgen(constructor)]
    pub fn new(text: &str, key: Vec<u8>, reversible: bool) -> Self {
        let options = Options { key: Secret::new(key), publishable: false };
        let mut restorer = detect::Restorer::apart_from(text);
        let (text, findings) = detect::redact_all(text, &options, reversible.then_some(&mut restorer));
        Self { text, findings, restorer }
    }

    /// The text with marks in place of keys.
    pub fn text(&self) -> String {
        self.text.clone()
    }

    /// What was found.
    pub fn findings(&self) -> JsValue {
        told(&self.findings)
    }

    /// Takes a piece of an answer, and gives what is known of it with the keys put back.
    pub fn push(&mut self, piece: &str) -> String {
        self.restorer.push(piece)
    }

    /// The answer is at its end: gives what was held back.
    pub fn finish(&mut self) -> String {
        self.restorer.finish()
    }
}

/// The value of a variable as the key that its name speaks of: `{ provider, refused?, warnings }`, sentences without any
/// part of the value; nothing if the name speaks of none.
#[cfg(feature = "values")]
#[wasm_bindgen(js_name = checkVariable)]
#[expect(unreachable_pub, reason = "exported to JavaScript")]
pub fn check_variable(name: &str, value: Vec<u8>) -> JsValue {
    let value = Secret::new(value);
    // EXPOSE: checked, and told about in sentences of ours.
    let Some((provider, checked)) = crate::vault::format::check_variable(name, value.expose()) else {
        return JsValue::UNDEFINED;
    };
    let (mut refused, mut warnings) = (None, Vec::new());
    match checked {
        Ok(checked) => warnings = checked.warnings,
        Err(error) => {
            refused = match &error.detail {
                Detail::Fields(fields) => fields.first().map(|field| Value::from(&*field.problem)),
                _ => None,
            }
        }
    }
    to_js(&Value::map([
        ("provider", provider.into()),
        ("refused", refused.into()),
        ("warnings", warnings.into_iter().map(Value::from).collect()),
    ]))
}

/// A text without its keys, for logs; nothing if it has none.
#[wasm_bindgen(js_name = withoutKeys)]
#[expect(unreachable_pub, reason = "exported to JavaScript")]
pub fn without_keys(text: &str) -> Option<String> {
    detect::clean(text)
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
