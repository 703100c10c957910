//! Items as stores and callers see them.

use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::*;

use super::Queue;
use super::crossing::number;
use crate::json::push_text;
use crate::queue::Item;
use crate::record::hex;

impl Queue {
    /// What a store keeps: the row that `queue.rs` describes.
    pub(super) fn row(&self, item: &Item) -> JsValue {
        let index = item.index(&self.config);
        [
            number(item.arrival),
            u32::from(index.lane as u8).into(),
            number(index.rank),
            number(index.due.as_millis()),
            item.key.map_or(JsValue::UNDEFINED, |key| hex(&key).into()),
            Uint8Array::from(item.encode().as_slice()).into(),
            item.keeps_ask().into(),
            u32::from(item.priority as u8).into(),
        ]
        .into_iter()
        .collect::<Array>()
        .into()
    }

    /// The status as JSON text: `result` or `error` is already JSON.
    pub(super) fn told(
        &self,
        item: &Item,
        result: Option<&str>,
        user: &Option<String>,
        conversation: &Option<String>,
    ) -> String {
        let mut out = String::with_capacity(512);
        item.describe(self.shard, &self.config).push_json(&mut out);
        out.pop();
        for (name, text) in [("user", user), ("conversation", conversation)] {
            if let Some(text) = text {
                out.push(',');
                push_text(&mut out, name);
                out.push(':');
                push_text(&mut out, text);
            }
        }
        if let Some(result) = result {
            out.push_str(if item.is_completed() { ",\"result\":" } else { ",\"error\":" });
            out.push_str(result);
        }
        out.push('}');
        out
    }
}
