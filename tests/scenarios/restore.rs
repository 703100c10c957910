//! Keys put back into the answers to the requests that brought them, and nowhere else.

use tidegate::abort::Abort;
use tidegate::error::Code;
use tidegate::gateway::{self, CacheState, Call, Opened};
use tidegate::testing::{Scripted, Sent, completion, drain, stream};

use super::World;

/// The middle of `KEY`.
const BODY: &str = "T2mXw8ZrB5nLc7YdH1p";
const KEY: &str = "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";

/// The mark that a provider got.
fn mark(sent: &Sent) -> String {
    let (_, after) = sent.body.split_once("[REDACTED:").expect("it was sent as it is");
    ["[REDACTED:", after.split_once(']').unwrap().0, "]"].concat()
}

/// What the provider says, whatever it is asked, with its mark in place of `@`.
fn says(world: &World, text: &'static str) {
    world.host.answer(move |sent| completion(&text.replace('@', &mark(sent)), 20, 5));
}

/// The same as a stream, in pieces of a few characters each.
fn streams(world: &World, text: &'static str) {
    world.host.answer(move |sent| spoken(&text.replace('@', &mark(sent)), true));
}

fn spoken(text: &str, ends: bool) -> Scripted {
    let mut events: Vec<String> = text
        .as_bytes()
        .chunks(7)
        .map(|piece| {
            let piece = std::str::from_utf8(piece).unwrap();
            format!("data: {{\"id\":\"c\",\"model\":\"m\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{piece}\"}}}}]}}\n\n")
        })
        .collect();
    if ends {
        events.push("data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n".into());
        events.push("data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":9}}\n\n".into());
        events.push("data: [DONE]\n\n".into());
    }
    stream(events)
}

fn said(body: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(body).unwrap();
    value["choices"][0]["message"]["content"].as_str().unwrap().into()
}

/// Reads a stream to its end: its bytes, their text, and the error that it ended with.
fn read(world: &World, text: &str) -> (String, String, Option<Code>) {
    let body = format!(r#"{{"stream":true,"messages":[{{"role":"user","content":"{text}"}}]}}"#);
    let abort = Abort::new();
    let work = async {
        match gateway::open(&world.gate, &world.host, Call::chat(&body, "t")).await.unwrap() {
            Opened::Stream(streaming) => {
                let (bytes, closed) = drain(&world.host, streaming, &abort).await;
                (String::from_utf8(bytes).unwrap(), closed.error.map(|error| error.code))
            }
            Opened::Whole(reply) => (reply.body.as_ref().into(), None),
        }
    };
    let (bytes, error) = world.host.run(work).expect("it waits for ever");
    let events = bytes.lines().filter_map(|line| line.strip_prefix("data: "));
    let values = events.filter_map(|data| serde_json::from_str::<serde_json::Value>(data).ok());
    let text = values.filter_map(|value| Some(value["choices"][0]["delta"]["content"].as_str()?.to_owned()));
    let text = text.collect();
    (bytes, text, error)
}

/// Nothing that outlives the request holds the key.
fn kept_nowhere(world: &World) {
    assert!(!format!("{:?} {:?}", world.host.events(), world.gate.records()).contains(BODY));
    for fingerprint in world.gate.fingerprints() {
        let bytes = world.gate.encode_cached(&fingerprint).unwrap();
        assert!(!bytes.windows(BODY.len()).any(|window| window == BODY.as_bytes()), "it is in the cache");
    }
    assert!(world.host.sent().iter().all(|sent| !sent.body.contains(BODY)));
}

#[test]
fn whole_answers_and_hits_have_the_key_and_the_cache_has_the_mark() {
    let world = World::new("{}");
    says(&world, "Set KEY=@ and again @.");
    for cache in [CacheState::Miss, CacheState::Hit, CacheState::Hit] {
        let reply = world.ask(&format!("My key is {KEY}.")).unwrap();
        assert_eq!(reply.meta.cache, cache);
        assert_eq!(said(&reply.body), format!("Set KEY={KEY} and again {KEY}."));
    }
    assert_eq!(world.gate.fingerprints().len(), 1);
    kept_nowhere(&world);
}

#[test]
fn streams_have_the_key_however_its_mark_is_cut() {
    let world = World::new("{}");
    streams(&world, "Set [KEY]=@ and again @[");
    let (first, text, error) = read(&world, &format!("My key is {KEY}."));
    assert_eq!((text.as_str(), error), (format!("Set [KEY]={KEY} and again {KEY}[").as_str(), None));
    assert!(first.ends_with("data: [DONE]\n\n"), "{first}");
    let (again, text, _) = read(&world, &format!("My key is {KEY}."));
    assert_eq!(world.host.sent().len(), 1, "the second came from the cache");
    assert_eq!(text, format!("Set [KEY]={KEY} and again {KEY}["), "{again}");
    kept_nowhere(&world);
}

#[test]
fn a_mark_that_ends_with_the_stream_is_put_back() {
    let world = World::new("{}");
    world.host.answer(|sent| {
        let mark = mark(sent);
        let event = |text: &str, end: &str| {
            format!(
                r#"data: {{"id":"c","model":"m","choices":[{{"index":0,"delta":{{"content":"{text}"}},"finish_reason":{end}}}]}}"#
            )
        };
        let (left, right) = mark.split_at(20);
        // The last event has no blank line.
        stream([event(left, "null") + "\n\n", event(right, "\"stop\"")])
    });
    let (bytes, text, error) = read(&world, &format!("My key is {KEY}."));
    assert_eq!((text.as_str(), error), (KEY, None), "{bytes}");
}

#[test]
fn a_stream_that_is_cut_in_a_mark_ends_with_what_came_of_it() {
    let world = World::new(r#"{"retry":{"maxRetries":0}}"#);
    world.host.answer(|sent| {
        let mark = mark(sent);
        spoken(&["So: ", &mark, mark.split_at(20).0].concat(), false)
    });
    let (bytes, text, error) = read(&world, &format!("My key is {KEY}."));
    assert_eq!(error, Some(Code::StreamInterrupted));
    assert!(text.starts_with(&format!("So: {KEY}[REDACTED:groq:")), "{text}");
    assert!(bytes.contains("stream_interrupted"), "{bytes}");
    kept_nowhere(&world);
}

#[test]
fn no_answer_gets_the_key_of_another_request() {
    let world = World::new("{}");
    says(&world, "@");
    world.ask(&format!("My key is {KEY}.")).unwrap();
    let known = mark(&world.host.sent()[0]);
    let told = known.clone();
    world.host.answer(move |_| completion(&told, 20, 5));
    assert_eq!(said(&world.ask("What was the key?").unwrap().body), known);
    // Nor one who brings another key, or names the mark himself.
    let other = KEY.replace("JQ9", "JR9");
    assert_eq!(said(&world.ask(&format!("Is it {other}?")).unwrap().body), known);
    assert_eq!(said(&world.ask(&format!("Say {known}.")).unwrap().body), known);
}

#[test]
fn tools_get_keys_only_if_that_is_configured_and_nobody_does_if_that_is() {
    for (restore, in_text, in_call) in [("off", false, false), ("text", true, false), ("all", true, true)] {
        let world = World::new(&format!(r#"{{"screen":{{"restore":"{restore}"}}}}"#));
        world.host.answer(|sent| {
            let mark = mark(sent);
            let body = format!(
                r#"{{"id":"c","model":"m","choices":[{{"index":0,"message":{{"role":"assistant","content":"{mark}","tool_calls":[{{"id":"1","type":"function","function":{{"name":"f","arguments":"{{\"key\":\"{mark}\"}}"}}}}]}},"finish_reason":"tool_calls"}}],"usage":{{"prompt_tokens":9,"completion_tokens":9}}}}"#
            );
            Scripted::Answer(std::time::Duration::ZERO, 200, Vec::new(), body.into_bytes())
        });
        let reply = world.ask(KEY).unwrap();
        let value: serde_json::Value = serde_json::from_str(&reply.body).unwrap();
        let message = &value["choices"][0]["message"];
        assert_eq!(message["content"] == KEY, in_text, "{restore}");
        let arguments = message["tool_calls"][0]["function"]["arguments"].as_str().unwrap();
        let arguments: serde_json::Value = serde_json::from_str(arguments).unwrap();
        assert_eq!(arguments["key"] == KEY, in_call, "{restore}");
        kept_nowhere(&world);
    }
}

#[test]
fn without_what_puts_it_back_nothing_is_sent() {
    let world = World::new("{}");
    says(&world, "@");
    world.host.strand(true);
    assert_eq!(world.refused(&format!("My key is {KEY}.")).code, Code::Internal);
    assert_eq!(world.host.sent().len(), 0);
}
