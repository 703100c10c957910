//! The ledger's machine for stores that decide inside a transaction of their own: a Durable Object, an
//! IndexedDB transaction, a file under a lock. Synchronous: nothing may come between read and write.

use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::*;

#[cfg(feature = "edge")]
use super::convert::{error, from_js};
#[cfg(not(feature = "edge"))]
use super::core::configuration;
use super::zone::Intl;
use crate::admit::{LedgerPolicy, decide};
use crate::config::GatewayConfig;
use crate::time::Timestamp;

/// Decides about bytes.
#[wasm_bindgen]
pub struct LedgerDecider(GatewayConfig);

#[wasm_bindgen]
impl LedgerDecider {
    /// For the budget, breaker and limits of this configuration.
    #[wasm_bindgen(constructor)]
    pub fn new(config: JsValue) -> Result<Self, JsValue> {
        #[cfg(feature = "edge")]
        let config = GatewayConfig::parse_alone(&from_js(&config)?, &Intl).map_err(|bad| error(&bad));
        #[cfg(not(feature = "edge"))]
        let config = configuration(&config);
        config.map(Self)
    }

    /// One decision: `[snapshot to store or undefined, reply]`.
    pub fn decide(&self, snapshot: Option<Vec<u8>>, command: &[u8], now_ms: f64) -> Array {
        let policy = LedgerPolicy::of(&self.0);
        #[expect(clippy::cast_possible_truncation, reason = "JavaScript's dates end long before 2^53")]
        let now = Timestamp::from_millis(now_ms as i64);
        let (stored, reply) = decide(snapshot.as_deref(), command, &policy, &Intl, now);
        let bytes = |bytes: &[u8]| JsValue::from(Uint8Array::from(bytes));
        Array::of2(&stored.map_or(JsValue::UNDEFINED, |stored| bytes(&stored)), &bytes(&reply))
    }
}
