//! A provider's status, a header that says when to come back, and a body.
#![no_main]

mod world;

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use tidegate::testing::Scripted;

const QUESTION: &str = r#"{"messages":[{"role":"user","content":"Hi"}]}"#;

fuzz_target!(|answer: (u16, String, Vec<u8>)| {
    let (status, wait, body) = answer;
    let headers = vec![("retry-after".into(), wait.clone()), ("x-ratelimit-reset-requests".into(), wait)];
    let scripted = Scripted::Answer(Duration::from_millis(1), status, headers, body);
    let _ = world::World::new(scripted).ask(QUESTION);
});
