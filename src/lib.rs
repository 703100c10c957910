//! Tidegate: an LLM gateway that runs where the app runs: in a browser tab, in Node, in a Cloudflare Worker.
//!
//! It is built into Wasm, for JavaScript; no program links it as a library. Natively it is built for its tests, and for the
//! tools in `examples/`.
//!
//! # Where to begin
//! [`gateway::open`] takes one request through the whole gateway; its module lists the steps in order. `tests/scenarios`
//! show each of them with [`testing::ManualHost`](testing), which needs neither network nor clock.
//!
//! # Layers
//! Each uses only those above it, and `tests/layers.rs` checks that.
//!
//! 1. **Leaf types**: [`time`], [`money`], [`secret`], [`error`] (every code, in one table), [`value`] (plain data), [`json`],
//!    [`text`], [`pack`] (stored bytes), [`chat`] (requests and answers in neutral form), [`config`], [`keys`] (what keys look
//!    like), [`record`] (what a decision depended on), [`abort`], and [`host`]: the ports through which the gateway reaches
//!    clock, network and storage.
//! 2. **Policies and codecs**, synchronous, with time and chance as arguments. None imports another:
//!    [`admit`] (may this start? the ledger of money, circuits and slots), [`price`] (bounds and bills), [`retry`], [`route`]
//!    (which targets, in which order), [`cache`], [`provider`] (each dialect), [`detect`] (keys in texts), [`vault`] (keys at
//!    rest), [`queue`].
//! 3. **The pipeline**, the only place with order and awaits: [`attempt`] (one exchange) and [`gateway`] (one request).
//! 4. **The boundary**: `wasm`, built for wasm32 alone.

#[cfg(feature = "gateway")]
pub mod abort;
#[cfg(feature = "gateway")]
pub mod admit;
#[cfg(feature = "gateway")]
pub mod attempt;
#[cfg(feature = "gateway")]
pub mod cache;
#[cfg(feature = "gateway")]
pub mod chat;
#[cfg(feature = "gateway")]
pub mod config;
#[cfg(all(feature = "speed", any(target_arch = "wasm32", test)))]
mod copies;
#[cfg(feature = "gateway")]
pub mod detect;
pub mod error;
#[cfg(feature = "gateway")]
pub mod gateway;
#[cfg(feature = "gateway")]
pub mod host;
#[cfg(feature = "gateway")]
pub mod json;
#[cfg(feature = "gateway")]
pub mod keys;
pub mod money;
#[cfg(feature = "gateway")]
pub mod pack;
#[cfg(feature = "gateway")]
pub mod price;
#[cfg(feature = "gateway")]
pub mod provider;
#[cfg(feature = "edge")]
pub mod queue;
#[cfg(feature = "gateway")]
pub mod record;
#[cfg(feature = "gateway")]
pub mod retry;
#[cfg(feature = "gateway")]
pub mod route;
pub mod secret;
#[cfg(feature = "speed")]
pub mod shelves;
#[cfg(feature = "testing")]
pub mod testing;
pub mod text;
pub mod time;
#[cfg(feature = "gateway")]
pub mod value;
pub mod vault;
#[cfg(target_arch = "wasm32")]
pub mod wasm;
