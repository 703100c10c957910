//! The machine over a store as plain as can be, beside a model that only reads what callers are told.

mod asks;
mod decisions;
mod properties;
mod shelf;
