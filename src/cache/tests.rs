//! Tests of the cache: `question` for fingerprints, `memory` for what is kept and how long.

mod memory;
#[cfg(not(target_arch = "wasm32"))]
mod question;
