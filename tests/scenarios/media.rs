//! Pictures and sound in an answer: whole in their own dialect, never missing unsaid from a translation.

use std::time::Duration;

use tidegate::chat::Dialect;
use tidegate::error::{Code, Result};
use tidegate::gateway::{self, Call, Opened};
use tidegate::testing::{ManualHost, Scripted, completion, drain, stream};

use super::World;
use super::streaming::{DONE, HELLO, STOP};

const PICTURE: &str = r#"[{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}]"#;

fn answer(field: &str, value: &str) -> Scripted {
    let body = format!(
        r#"{{"id":"c","model":"m","choices":[{{"index":0,"message":{{"role":"assistant","content":"ok","{field}":{value}}},"finish_reason":"stop"}}],"usage":{{"prompt_tokens":1,"completion_tokens":1}}}}"#
    );
    Scripted::Answer(Duration::ZERO, 200, Vec::new(), body.into())
}

fn ask(dialect: Dialect, streams: bool) -> Call {
    let body = format!(
        r#"{{"model":"auto","max_tokens":9,"temperature":0,"stream":{streams},"messages":[{{"role":"user","content":"a"}}]}}"#
    );
    Call { dialect, ..ManualHost::call(&body) }
}

/// What a caller reads of a stream, and what became of it.
fn streamed(world: &World, dialect: Dialect) -> Result<(String, Option<Code>)> {
    let call = ask(dialect, true);
    let abort = call.abort.clone();
    let work = async {
        match gateway::open(&world.gate, &world.host, call).await? {
            Opened::Stream(streaming) => {
                let (bytes, closed) = drain(&world.host, streaming, &abort).await;
                Ok((String::from_utf8(bytes).unwrap(), closed.error.map(|error| error.code)))
            }
            Opened::Whole(reply) => Ok((reply.body.as_ref().into(), None)),
        }
    };
    world.host.run(work).expect("it waits for ever")
}

#[test]
fn a_whole_answer_that_would_lack_them_is_none() {
    for (field, value) in [("images", PICTURE), ("audio", r#"{"id":"a","data":"AA=="}"#)] {
        let world = World::new("{}");
        world.host.answer(move |_| answer(field, value));
        let refused = world.call(ask(Dialect::Anthropic, false)).unwrap_err();
        assert_eq!(refused.code, Code::UpstreamMalformed, "{field}");
        assert_eq!((world.sent_to("groq"), world.sent_to("openrouter")), (1, 1), "no target twice: {field}");
        assert!(world.call(ask(Dialect::Chat, false)).unwrap().body.contains(value), "{field}");

        let world = World::new("{}");
        world
            .host
            .answer(move |sent| if sent.provider == "groq" { answer(field, value) } else { completion("b", 1, 1) });
        let reply = world.call(ask(Dialect::Anthropic, false)).unwrap();
        assert!(reply.meta.target.starts_with("openrouter/"), "the next may have none");
    }
}

#[test]
fn none_of_them_is_nothing() {
    for (field, value) in [("images", "[]"), ("images", "null"), ("audio", "null")] {
        let world = World::new("{}");
        world.host.answer(move |_| answer(field, value));
        assert_eq!(world.call(ask(Dialect::Anthropic, false)).unwrap().meta.attempts, 1, "{field} {value}");
    }
}

#[test]
fn a_stream_that_would_lack_them_ends_in_an_error() {
    let picture = format!(r#"{{"id":"c","model":"m","choices":[{{"index":0,"delta":{{"images":{PICTURE}}}}}]}}"#);
    let picture = format!("data: {picture}\n\n");
    let world = World::new("{}");
    let pieces = [HELLO.to_owned(), picture.clone(), STOP.into(), DONE.into()];
    world.host.answer(move |_| stream(pieces.clone()));
    let (text, error) = streamed(&world, Dialect::Anthropic).unwrap();
    assert_eq!(error, Some(Code::StreamInterrupted));
    assert!(text.contains("Hello") && text.contains("event: error"), "{text}");
    assert_eq!(world.host.sent().len(), 1);
    let (text, error) = streamed(&world, Dialect::Chat).unwrap();
    assert_eq!((error, text.contains(PICTURE)), (None, true), "{text}");

    // Before any other output the next target is asked.
    let world = World::new("{}");
    world.host.answer(move |sent| {
        let first = if sent.provider == "groq" { picture.as_str() } else { HELLO };
        stream([first, STOP, DONE])
    });
    let (text, error) = streamed(&world, Dialect::Anthropic).unwrap();
    assert_eq!((error, text.contains("Hello")), (None, true), "{text}");
    assert_eq!(world.sent_to("groq"), 1);
}

#[test]
fn what_a_replayed_stream_would_lack_is_not_kept() {
    let world = World::new("{}");
    world.host.answer(|_| answer("images", PICTURE));
    for _ in 0..2 {
        world.call(ask(Dialect::Chat, false)).unwrap();
    }
    assert_eq!(world.host.sent().len(), 2);
}
