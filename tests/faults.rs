//! Every fault of a provider, for every dialect of a provider, for callers of every dialect, whole and streamed:
//! what the caller saw, what was billed, which attempts were made. Nothing hangs, and nothing ends cleanly that
//! did not finish. The faults and what must come of them are in faults/table.rs.
#![cfg(all(feature = "testing", not(target_arch = "wasm32")))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

#[path = "faults/table.rs"]
mod table;
#[path = "faults/world.rs"]
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};

use tidegate::chat::Dialect;
use tidegate::error::Code;

use table::{Bill, Row, Saw, rows};
use world::{Ask, End, Seen, World};

/// Each row for each dialect of a provider, of a caller, and both forms that it is meant for. Names all that fail.
fn each(check: impl Fn(&Row, Ask, &str)) {
    let mut failed = Vec::new();
    for provider in Dialect::ALL {
        for row in rows(provider) {
            for caller in Dialect::ALL {
                for stream in [false, true] {
                    if row.form.is_none_or(|form| form == stream) {
                        let form = if stream { "streamed" } else { "whole" };
                        let name = format!("{}, {form}, {} for {}", row.name, provider.as_str(), caller.as_str());
                        let ask = Ask { provider, caller, stream };
                        if catch_unwind(AssertUnwindSafe(|| check(&row, ask, &name))).is_err() {
                            failed.push(name);
                        }
                    }
                }
            }
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

/// What an attempt without an answer is billed at its bound.
fn bound(ask: Ask) -> u64 {
    let world = World::alone(ask.provider);
    world.faulty(table::lost());
    let seen = world.ask(ask);
    assert_eq!(seen.attempts.len(), 2);
    assert!(seen.spent > 0 && seen.spent.is_multiple_of(2));
    seen.spent / 2
}

#[test]
fn without_another_target_the_caller_is_told() {
    each(|row, ask, name| {
        let world = World::alone(ask.provider);
        world.faulty((row.fault)());
        let Seen { end, text, attempts, spent, waited } = world.ask(ask);
        match row.saw {
            Saw::Error(code) => {
                assert_eq!(end, End::Error(code), "{name}");
                assert_eq!(text, "", "{name}");
            }
            Saw::Cut => {
                assert_eq!(end, End::Cut(Code::StreamInterrupted), "{name}");
                assert_eq!(text, "Hello", "{name}: what came before it is not lost");
            }
        }
        assert_eq!(attempts.len(), row.attempts, "{name}");
        let billed = if row.bill == Bill::Bound { bound(ask) * row.attempts as u64 } else { 0 };
        assert_eq!(spent, billed, "{name}");
        if let Some(least) = row.waits {
            assert!(waited >= least, "{name}: came back after {waited:?}");
        }
    });
}

#[test]
fn another_target_answers_unless_output_was_seen() {
    each(|row, ask, name| {
        let world = World::with_another(ask.provider);
        world.faulty((row.fault)());
        let Seen { end, text, attempts, spent, .. } = world.ask(ask);
        if row.saw == Saw::Cut {
            assert_eq!((end, text.as_str()), (End::Cut(Code::StreamInterrupted), "Hello"), "{name}");
            assert_eq!((attempts.len(), spent), (1, bound(ask)), "{name}: nothing is tried again");
            return;
        }
        assert_eq!((end, text.as_str()), (End::Answered, "Hello world"), "{name}");
        assert!(attempts.len() == 2 && attempts[0] != "groq" && attempts[1] == "groq", "{name}: {attempts:?}");
        let billed = if row.bill == Bill::Bound { bound(ask) } else { 0 };
        assert_eq!(spent, billed + world::ANOTHERS_PRICE, "{name}");
    });
}

#[test]
fn without_a_fault_every_caller_reads_the_same() {
    for provider in Dialect::ALL {
        for caller in Dialect::ALL {
            for stream in [false, true] {
                let world = World::alone(provider);
                let seen = world.ask(Ask { provider, caller, stream });
                assert_eq!((seen.end, seen.text.as_str()), (End::Answered, "Hello world"));
                assert_eq!((seen.attempts.len(), seen.spent), (1, world::price(provider)));
            }
        }
    }
}

#[test]
fn one_fault_and_then_none_is_never_noticed() {
    each(|row, ask, name| {
        if row.saw == Saw::Cut || row.attempts < 2 {
            return;
        }
        let world = World::alone(ask.provider);
        world.faulty_once((row.fault)());
        let seen = world.ask(ask);
        assert_eq!((seen.end, seen.text.as_str()), (End::Answered, "Hello world"), "{name}");
        let billed = if row.bill == Bill::Bound { bound(ask) } else { 0 };
        assert_eq!((seen.attempts.len(), seen.spent), (2, billed + world::price(ask.provider)), "{name}");
    });
}
