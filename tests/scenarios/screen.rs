//! Keys in messages: what is sent in their place, and what is told.

use tidegate::error::Code;
use tidegate::gateway::CacheState;
use tidegate::testing::{ManualHost, completion};

use super::World;

/// The middle of `KEY`.
const BODY: &str = "T2mXw8ZrB5nLc7YdH1p";
const KEY: &str = "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";

fn told(world: &World) -> usize {
    world.host.events().iter().filter(|(name, _)| *name == "secret-detected").count()
}

#[test]
fn a_mark_is_sent_and_cached_in_place_of_a_key() {
    let world = World::new("{}");
    world.host.answer(|_| completion("ok", 20, 5));
    let ask = |text: &str| world.ask(text).unwrap().meta.cache;
    assert_eq!(ask(&format!("Why does {KEY} not work?")), CacheState::Miss);
    let sent = world.host.sent();
    assert!(!sent[0].body.contains(BODY), "{}", sent[0].body);
    assert!(sent[0].body.contains("Why does [REDACTED:groq:"), "{}", sent[0].body);
    assert_eq!(told(&world), 1);
    assert_eq!(ask(&format!("Why does {KEY} not work?")), CacheState::Hit, "the same key is the same question");
    assert_eq!(ask(&format!("Why does {} not work?", KEY.replace("JQ9", "JR9"))), CacheState::Miss, "another is not");
    assert!(!format!("{:?} {:?}", world.host.events(), world.gate.records()).contains(BODY));
}

#[test]
fn a_key_is_refused_sent_or_not_looked_for_as_configured() {
    for (secrets, sent, events) in [("refuse", 0, 1), ("warn", 1, 1), ("off", 1, 0)] {
        let world = World::new(&format!(r#"{{"screen":{{"secrets":"{secrets}"}}}}"#));
        world.host.answer(|_| completion("ok", 20, 5));
        let reply = world.ask(KEY);
        assert_eq!(world.host.sent().len(), sent, "{secrets}");
        assert_eq!(told(&world), events, "{secrets}");
        match reply {
            Ok(_) => assert!(world.host.sent()[0].body.contains(KEY)),
            Err(error) => assert_eq!(error.code, Code::SecretDetected),
        }
        assert!(world.ask("Why is the sea salty?").is_ok(), "{secrets}: there is no key in this one");
    }
}

#[test]
fn a_key_in_parts_of_several_strings_is_refused() {
    let world = World::new("{}");
    let line = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj";
    let parts = ["-----BEGIN PRIVATE KEY-----", line, line, "-----END PRIVATE KEY-----"];
    let parts: Vec<String> = parts.iter().map(|part| format!(r#"{{"type":"text","text":"{part}"}}"#)).collect();
    // Close enough together that they are one key; torn out, the body would be no JSON.
    let text = format!(r#"{{"messages":[{{"role":"user","content":[{}]}}]}}"#, parts.join(","));
    let refused = world.call(ManualHost::call(&text)).expect_err("it was sent");
    assert_eq!(refused.code, Code::SecretDetected);
    assert_eq!(world.host.sent().len(), 0);
}

#[test]
fn a_token_that_somebody_wants_explained_goes_on() {
    let world = World::new("{}");
    world.host.answer(|_| completion("ok", 1, 1));
    let parts = ["eyJhbGciOiJIUzI1NiJ9", "eyJzdWIiOiJhbm4iLCJleHAiOjJ9", "q7Rk2Vx9LmT4cYw8HsZ1dPf6JbN3gQe5AuXiMoKrEtS"];
    let token = parts.join(".");
    world.ask(&token).unwrap();
    assert!(world.host.sent()[0].body.contains(&token));
    assert_eq!(world.events("secret-detected"), 0);
}
