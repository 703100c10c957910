//! From which dialect to which, out of one byte.

use tidegate::chat::Dialect;
use tidegate::provider::Stamp;

#[allow(dead_code, reason = "requests have none")]
pub const STAMP: Stamp = Stamp::new(1, true);

pub struct Pair {
    pub from: Dialect,
    pub to: Dialect,
    #[allow(dead_code, reason = "whole answers have none")]
    pub flag: bool,
}

impl Pair {
    pub fn of(byte: u8) -> Self {
        let dialect = |byte: u8| Dialect::ALL[usize::from(byte & 3)];
        Self { from: dialect(byte), to: dialect(byte >> 2), flag: byte & 16 != 0 }
    }
}
