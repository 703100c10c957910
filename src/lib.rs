//! Tidegate: an LLM gateway that runs where the app runs.

#[cfg(feature = "gateway")]
pub mod admit;
#[cfg(feature = "gateway")]
pub mod config;
pub mod error;
#[cfg(feature = "gateway")]
pub mod host;
pub mod money;
#[cfg(feature = "gateway")]
pub mod pack;
pub mod secret;
pub mod time;
#[cfg(feature = "gateway")]
pub mod value;
