//! Tidegate: an LLM gateway that runs where the app runs.

#[cfg(feature = "gateway")]
pub mod abort;
#[cfg(feature = "gateway")]
pub mod chat;
#[cfg(feature = "gateway")]
pub mod config;
pub mod error;
#[cfg(feature = "gateway")]
pub mod host;
#[cfg(feature = "gateway")]
pub mod json;
pub mod money;
#[cfg(feature = "gateway")]
pub mod pack;
#[cfg(feature = "gateway")]
pub mod provider;
#[cfg(feature = "gateway")]
pub mod record;
#[cfg(feature = "gateway")]
pub mod retry;
#[cfg(feature = "gateway")]
pub mod route;
pub mod secret;
pub mod time;
#[cfg(feature = "gateway")]
pub mod value;
