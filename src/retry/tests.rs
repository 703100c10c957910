//! Provider answers, row by row of the semantics table, and hostile ones.

mod codes;
mod hostile;
mod waits;

use std::time::Duration;

use super::{Verdict, classify};
use crate::error::Code;
use crate::time::Timestamp;

/// 2026-01-27T17:04:30Z.
const NOW: Timestamp = Timestamp::from_millis(1_769_533_470_000);

/// Classifies with these headers.
fn answer(status: u16, headers: &[(&str, &'static str)], body: &str) -> Option<Verdict> {
    let lookup = |name: &str| headers.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
    classify(status, &lookup, body.as_bytes(), NOW)
}

fn code(status: u16, body: &str) -> Code {
    answer(status, &[], body).unwrap().code
}

fn ms(wait: Option<Duration>) -> Option<u128> {
    wait.map(|wait| wait.as_millis())
}
