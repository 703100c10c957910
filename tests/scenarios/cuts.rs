//! Streams that end before their time: what the caller is told, what is billed, whom it is held against.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use tidegate::chat::Dialect;
use tidegate::error::{Code, Detail, TimeoutKind};
use tidegate::gateway::{self, Call, Opened};
use tidegate::testing::{Piece, Scripted, status, stream};
use tidegate::value::Value;

use super::streaming::{DONE, HELLO, ROLE, STOP, USAGE, WORLD, good, question, read, read_call, spent};
use super::{GROQ, OPENROUTER, World};

#[test]
fn a_cut_after_the_first_output_is_told_in_band() {
    let bytes = |text: &str| (Duration::from_millis(10), Piece::Bytes(text.into()));
    let cuts = [
        vec![bytes(ROLE), bytes(HELLO)],
        vec![bytes(ROLE), bytes(HELLO), (Duration::ZERO, Piece::Lost)],
        vec![bytes(ROLE), bytes(HELLO), (Duration::ZERO, Piece::Stall)],
        vec![bytes(ROLE), bytes(HELLO), bytes("data: {\"choices\n\n"), bytes(WORLD)],
        vec![bytes(ROLE), bytes(HELLO), bytes("data: {\"error\":{\"message\":\"overloaded\",\"code\":529}}\n\n")],
        vec![bytes(ROLE), bytes(HELLO), bytes(DONE)],
        vec![bytes(ROLE), bytes(HELLO), bytes(&"x".repeat(5 << 20))],
    ];
    for pieces in cuts {
        let shown: String = format!("{pieces:?}").chars().take(300).collect();
        let world = World::new("{}");
        world.host.answer(move |_| Scripted::Stream(Duration::from_millis(50), 200, pieces.clone()));
        let (text, closed) = read(&world, &question("Hi")).unwrap();
        let rest = text.strip_prefix(&[ROLE, HELLO].concat()).unwrap_or_else(|| panic!("{shown}: {text}"));
        let rest = rest.strip_prefix(DONE).unwrap_or(rest);
        assert!(rest.starts_with("data: {\"error\":{") && rest.contains("stream_interrupted"), "{shown}: {rest}");
        let error = closed.error.as_ref().unwrap();
        assert_eq!((error.code, error.provider.as_deref()), (Code::StreamInterrupted, Some("groq")));
        assert_eq!(closed.partial.as_deref(), Some("Hello"));
        let account: serde_json::Value = serde_json::from_str(&closed.to_json()).unwrap();
        assert_eq!(
            (&account["error"]["code"], &account["partialText"]),
            (&"stream_interrupted".into(), &"Hello".into())
        );
        let ended: Vec<_> = world.host.events().into_iter().filter(|(name, _)| *name == "request-end").collect();
        assert_eq!(ended.len(), 1);
        assert_eq!(ended[0].1.field("target"), Some(&Value::from(GROQ)));
        let (spent, reserved) = spent(&world);
        assert!(spent > 0 && reserved == 0, "possibly billed: charged at its bound");
        assert_eq!(closed.meta.cost.as_nano(), spent);
        assert_eq!(world.host.sent().len(), 1, "nothing is retried after the first output");
        // It is not in the cache.
        world.host.answer(|_| good());
        assert_eq!(read(&world, &question("Hi")).unwrap().1.meta.cache.as_str(), "miss");
    }
}

#[test]
fn a_translated_stream_has_its_end_also_where_the_connection_goes_after_the_last_word() {
    let body = r#"{"model":"auto","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"Hi"}]}"#;
    let bytes = |text: &str| (Duration::ZERO, Piece::Bytes(text.into()));
    for (last, error) in [(bytes(DONE), false), ((Duration::ZERO, Piece::Lost), false), (bytes("data: {\"half"), true)]
    {
        let world = World::new("{}");
        let said = if error { vec![bytes(HELLO)] } else { vec![bytes(HELLO), bytes(STOP), bytes(USAGE)] };
        let shown = format!("{last:?}");
        let pieces: Vec<_> = said.into_iter().chain([last]).collect();
        world.host.answer(move |_| Scripted::Stream(Duration::ZERO, 200, pieces.clone()));
        let call = Call { dialect: Dialect::Anthropic, ..Call::chat(body, "t") };
        let (text, closed) = read_call(&world, call, None).unwrap();
        assert_eq!((closed.error.is_some(), text.contains("event: error")), (error, error), "{shown}: {text}");
        assert_eq!(text.matches("event: message_stop").count(), usize::from(!error), "{shown}: {text}");
    }
}

#[test]
fn a_cut_says_who_was_speaking_and_what_failed_before() {
    let world = World::new("{}");
    let first = Cell::new(true);
    let (gate, busy) = (world.gate.clone(), Rc::new(Cell::new(0)));
    let seen = busy.clone();
    world.host.answer(move |_| {
        seen.set(gate.in_flight());
        if first.replace(false) { status(500, &[], "") } else { stream([HELLO]) }
    });
    let (_, closed) = read(&world, &question("Hi")).unwrap();
    let error = closed.error.expect("it was cut");
    assert_eq!((error.provider.as_deref(), error.attempt), (Some("groq"), Some(2)));
    assert_eq!(error.attempts.iter().map(|one| one.status).collect::<Vec<_>>(), [Some(500)]);
    assert_eq!((error.request_id, error.cost), (Some(closed.meta.request_id), closed.meta.cost));
    assert_eq!((busy.get(), world.gate.in_flight()), (1, 0));
    assert_eq!([world.events("attempt-end"), world.events("first-output")], [2, 1]);
    let ended = world.host.events().into_iter().find(|(name, _)| *name == "request-end").unwrap().1;
    assert_eq!(ended.field("target"), Some(&Value::from(GROQ)));
}

#[test]
fn half_a_frame_goes_down_with_its_connection() {
    let world = World::new("{}");
    let half = WORLD.trim_end();
    let pieces = [HELLO, half].map(|text| (Duration::ZERO, Piece::Bytes(text.into())));
    let pieces: Vec<_> = pieces.into_iter().chain([(Duration::ZERO, Piece::Lost)]).collect();
    world.host.answer(move |_| Scripted::Stream(Duration::ZERO, 200, pieces.clone()));
    let (text, _) = read(&world, &question("Hi")).unwrap();
    assert!(!text.contains("world") && text.contains("stream_interrupted"), "{text}");
}

#[test]
fn a_stream_that_passes_the_deadline_is_told_so() {
    let world = World::new(r#"{"timeouts":{"totalMs":5000}}"#);
    world.host.answer(move |_| {
        let words = (0..9).map(|_| (Duration::from_secs(1), Piece::Bytes(WORLD.into())));
        Scripted::Stream(Duration::ZERO, 200, words.collect())
    });
    let (_, closed) = read(&world, &question("Hi")).unwrap();
    assert_eq!(closed.error.unwrap().detail, Detail::Timeout(TimeoutKind::Total));
}

#[test]
fn five_cuts_open_the_circuit() {
    let world = World::new(r#"{"cache":{"ttlMs":0}}"#);
    world.host.answer(|sent| if sent.provider == "groq" { stream([HELLO]) } else { good() });
    for _ in 0..5 {
        assert!(read(&world, &question("Hi")).unwrap().1.error.is_some());
    }
    let (_, closed) = read(&world, &question("Hi")).unwrap();
    assert_eq!(closed.meta.target, OPENROUTER);
}

#[test]
fn an_answer_of_several_that_never_began_is_a_cut() {
    let world = World::new("{}");
    world.host.answer(|_| stream([HELLO, STOP]));
    let body = r#"{"stream":true,"n":2,"messages":[{"role":"user","content":"Hi"}]}"#;
    let (text, closed) = read(&world, body).unwrap();
    assert!(closed.error.is_some() && text.contains("stream_interrupted"), "{text}");
}

#[test]
fn an_error_does_not_run_into_half_a_frame() {
    let world = World::new("{}");
    let half = WORLD.trim_end().to_owned() + "\n";
    world.host.answer(move |_| stream([HELLO.to_owned(), half.clone()]));
    let (text, _) = read(&world, &question("Hi")).unwrap();
    assert!(text.contains("\n\ndata: {\"error\""), "{text}");
}

#[test]
fn a_translated_stream_is_cut_in_its_own_order() {
    let body = r#"{"model":"auto","stream":true,"input":"Hi"}"#;
    let world = World::new("{}");
    world.host.answer(|_| stream([HELLO, WORLD]));
    let call = Call { dialect: Dialect::Responses, ..Call::chat(body, "t") };
    let (text, closed) = read_call(&world, call, None).unwrap();
    assert!(closed.error.is_some(), "{text}");
    let events = text.lines().filter_map(|line| line.strip_prefix("data: "));
    let events: Vec<serde_json::Value> = events.map(|data| serde_json::from_str(data).unwrap()).collect();
    let numbers: Vec<_> = events.iter().map(|event| event["sequence_number"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (0..numbers.len() as u64).collect::<Vec<_>>(), "{text}");
    assert_eq!(events.last().unwrap()["type"], "error");
}

#[test]
fn whoever_reads_a_stream_is_told_when_nothing_more_is_to_be_read() {
    let world = World::new(r#"{"cache":{"ttlMs":0}}"#);
    world.host.answer(|_| stream([HELLO, WORLD, STOP, DONE]));
    let opened = world.host.run(gateway::open(&world.gate, &world.host, Call::chat(&question("Hi"), "t")));
    let Ok(Opened::Stream(mut streaming)) = opened.unwrap() else { panic!("no stream") };
    assert_eq!(world.gate.in_flight(), 1);
    streaming.push(WORLD.as_bytes());
    assert!(!streaming.is_over());
    streaming.push(b"data: {\"error\":{\"message\":\"overloaded\",\"code\":529}}\n\n");
    assert!(streaming.is_over());
    let closed = world.host.run(streaming.finish(gateway::Ending::End)).unwrap();
    assert_eq!((closed.error.is_some(), closed.meta.cache.as_str(), world.gate.in_flight()), (true, "bypass", 0));
}
