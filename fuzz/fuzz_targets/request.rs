//! Requests through the whole gateway.
#![no_main]

mod world;

use libfuzzer_sys::fuzz_target;
use tidegate::testing::completion;

fuzz_target!(|body: &str| {
    let _ = world::World::new(completion("ok", 5, 5)).ask(body);
});
