//! The machine over a store as plain as can be, beside a model that only reads what callers are told.
#![expect(clippy::arithmetic_side_effects, reason = "a test that overflows fails, as it should")]

mod asks;
mod decisions;
mod properties;
mod shelf;
