//! The seeded script, for comparing hosts. Only in builds for tests.

use wasm_bindgen::prelude::*;

/// The decision records of the seeded script.
#[wasm_bindgen]
#[must_use]
#[expect(unreachable_pub, reason = "exported to JavaScript")]
pub fn simulate(seed: u32, requests: u32) -> String {
    crate::testing::scripted_run(seed.into(), requests)
}
