//! `cargo run --features testing --example simulate -- SEED REQUESTS`: prints the decision records of the
//! seeded script, for comparison with what the Wasm leaves.

use std::io::{Error, Write};

fn main() -> Result<(), Error> {
    let mut numbers = std::env::args().skip(1).map(|argument| argument.parse::<u32>().ok());
    let (Some(Some(seed)), Some(Some(requests))) = (numbers.next(), numbers.next()) else {
        return Err(Error::other("give a seed and a number of requests"));
    };
    let records = tidegate::testing::scripted_run(seed.into(), requests);
    std::io::stdout().write_all(records.as_bytes())
}
