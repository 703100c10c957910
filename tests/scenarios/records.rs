//! Decision records: no content, no keys, and the same decisions again.

use tidegate::error::{Code, Detail};
use tidegate::gateway::{self, replay};
use tidegate::testing::{ManualHost, Scripted, completion, status};

use super::{World, body};

fn last(world: &World) -> String {
    world.gate.records().last().unwrap().to_string()
}

fn replays(world: &World, record: &str) -> bool {
    let replayed = world.host.run(replay(&world.gate, &world.host, record)).unwrap().unwrap();
    assert_eq!(replayed.same, replayed.record == record);
    replayed.same
}

#[test]
fn a_record_replays_and_holds_nothing_secret() {
    let world = World::new("{}");
    world
        .host
        .answer(|sent| if sent.provider == "groq" { status(500, &[], "") } else { completion("the answer", 5, 5) });
    world.ask("the question").unwrap();
    let record = last(&world);
    assert!(record.lines().count() > 20, "{record}");
    assert!(record.lines().last().is_some_and(|line| line.starts_with("end\tok\t")), "{record}");
    for secret in ["question", "answer", "gsk_", "sk-or"] {
        assert!(!record.contains(secret), "{secret} in {record}");
    }
    let before = (world.host.sent().len(), world.host.events().len());
    assert!(replays(&world, &record), "{record}");
    assert_eq!((world.host.sent().len(), world.host.events().len()), before, "a replay sends and tells nothing");
    // A hit, a refusal and an abort leave records too.
    world.host.answer(|_| Scripted::Silence);
    let call = ManualHost::call(&body("x"));
    call.abort.trigger();
    let _ = world.host.run(gateway::chat(&world.gate, &world.host, call));
    let refused = world.refused("y");
    assert!(replays(&world, &last(&world)));
    let end = format!("end\t{}\t", refused.code.as_str());
    assert!(last(&world).lines().last().is_some_and(|line| line.starts_with(&end)), "{}", last(&world));
}

#[test]
fn a_changed_record_does_not_replay() {
    let world = World::new("{}");
    world.host.answer(|sent| if sent.provider == "groq" { status(500, &[], "") } else { completion("a", 5, 5) });
    world.ask("q").unwrap();
    let record = last(&world);
    let mut noticed = 0;
    let lines: Vec<&str> = record.lines().collect();
    for index in 0..lines.len() {
        let mut fewer = lines.clone();
        fewer.remove(index);
        let changed = fewer.join("\n") + "\n";
        match world.host.run(replay(&world.gate, &world.host, &changed)).unwrap() {
            Ok(replayed) => assert!(!replayed.same, "line {index} is not needed: {}", lines[index]),
            Err(error) => assert_eq!(error.code, Code::InvalidRequest),
        }
        noticed += 1;
    }
    assert!(noticed > 20);
}

#[test]
fn every_request_leaves_a_record_and_the_vaults_state_is_in_it() {
    let world = World::new("{}");
    world.gate.lock(true);
    world.refused("locked");
    let record = last(&world);
    world.gate.lock(false);
    assert!(replays(&world, &record), "replayed after unlocking: {record}");
    for (number, call) in [ManualHost::call("{}"), ManualHost::call(&body("aborted"))].into_iter().enumerate() {
        let before = world.gate.records().len();
        call.abort.trigger();
        assert!(world.call(call).is_err());
        assert_eq!(world.gate.records().len(), before + 1, "request {number}");
        assert!(replays(&world, &last(&world)));
    }
}

#[test]
fn the_last_64_records_are_kept() {
    let world = World::new("{}");
    world.host.answer(|_| completion("a", 5, 5));
    for number in 0..65 {
        assert_eq!(world.gate.records().len(), number.min(64));
        world.ask("q").unwrap();
    }
    let records = world.gate.records();
    assert_eq!(records.len(), 64);
    assert!(records.iter().all(|record| record.contains("\ncache\thit\n")), "the first one, a miss, went");
}

#[test]
fn a_record_of_another_configuration_is_refused() {
    let world = World::new("{}");
    world.host.answer(|_| completion("a", 5, 5));
    world.ask("q").unwrap();
    let other = World::new(r#"{"retry":{"maxRetries":1}}"#);
    let refused = other.host.run(replay(&other.gate, &other.host, &last(&world))).unwrap();
    assert_eq!(refused.unwrap_err().code, Code::InvalidRequest);
    for hostile in ["", "tidegate-record\t1", "tidegate-record\t99\t1\n", "\u{0}\n\n\n"] {
        assert!(world.host.run(replay(&world.gate, &world.host, hostile)).unwrap().is_err());
    }
    // The same in all but its version: what its lines mean is not known.
    let newer = last(&world).replacen("tidegate-record\t", "tidegate-record\t9", 1);
    let refused = world.host.run(replay(&world.gate, &world.host, &newer)).unwrap().unwrap_err();
    assert!(matches!(&refused.detail, Detail::Fields(fields) if fields[0].problem.contains("version")), "{refused:?}");
    // Refused before anything was decided: nothing may follow.
    world.call(ManualHost::call("{}")).unwrap_err();
    let longer = last(&world) + "end\tok\t-\t0\t0\n";
    assert!(world.host.run(replay(&world.gate, &world.host, &longer)).unwrap().is_err());
}

proptest::proptest! {
    #[test]
    fn hostile_records_never_panic(tail in "(admit|send|settle|now|wait|draw|end|\t|=|ok|no|[0-9]{1,20}|\n){0,60}") {
        let world = World::new("{}");
        world.host.answer(|_| completion("a", 5, 5));
        world.ask("q").unwrap();
        let record = last(&world);
        let head: String = record.lines().take(4).flat_map(|line| [line, "\n"]).collect();
        let _ = world.host.run(replay(&world.gate, &world.host, &(head + &tail)));
    }
}
