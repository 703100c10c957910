//! Tidegate: an LLM gateway that runs where the app runs.

#[cfg(feature = "gateway")]
pub mod config;
pub mod error;
#[cfg(feature = "gateway")]
pub mod host;
pub mod money;
#[cfg(feature = "gateway")]
pub mod pack;
#[cfg(feature = "gateway")]
pub mod price;
pub mod secret;
pub mod time;
#[cfg(feature = "gateway")]
pub mod value;
