//! Decision records.
#![no_main]

mod world;

use libfuzzer_sys::fuzz_target;
use tidegate::gateway::replay;
use tidegate::testing::completion;

fuzz_target!(|tail: &str| {
    let world = world::World::new(completion("ok", 5, 5));
    let _ = world.ask(r#"{"messages":[{"role":"user","content":"Hi"}]}"#);
    let records = world.gate.records();
    let whole = records.first().map(|record| record.to_string()).unwrap_or_default();
    let head: String = whole.lines().take(4).flat_map(|line| [line, "\n"]).collect();
    for record in [tail.to_string(), head + tail] {
        let replayed = world.host.run(replay(&world.gate, &world.host, &record)).expect("it waits for ever");
        if let Ok(replayed) = replayed {
            assert_eq!(replayed.same, replayed.record == record);
        }
    }
});
