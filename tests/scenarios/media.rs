//! Pictures and sound in an answer: whole in their own dialect, never missing unsaid from a translation.

use std::time::Duration;

use tidegate::chat::Dialect;
use tidegate::error::{Code, Result};
use tidegate::gateway::{self, Call, Opened};
use tidegate::secret::Secret;
use tidegate::testing::{ManualHost, Scripted, completion, drain, status, stream};

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
    let bound = if dialect == Dialect::Responses { "max_output_tokens" } else { "max_tokens" };
    let said = if dialect == Dialect::Responses { "input" } else { "messages" };
    let body = format!(
        r#"{{"model":"auto","{bound}":9,"temperature":0,"stream":{streams},"{said}":[{{"role":"user","content":"a"}}]}}"#
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

/// How often a provider is asked that is asked twice for a whole answer, then twice for a stream. Its answers have `what`.
fn asked(provider: &str, answered: Dialect, caller: Dialect, what: &str) -> usize {
    let usage = r#""usage":{"prompt_tokens":1,"completion_tokens":1}"#;
    let (whole, events) = match answered {
        Dialect::Chat => (
            format!(
                r#"{{"id":"c","model":"m","choices":[{{"index":0,"message":{{"role":"assistant","content":"ok"}},"finish_reason":"stop"{what}}}],{usage}}}"#
            ),
            format!(
                "data: {{\"id\":\"c\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"ok\"}}{what}}}]}}\n\n{STOP}{DONE}"
            ),
        ),
        Dialect::Anthropic => {
            let usage = r#""usage":{"input_tokens":1,"output_tokens":1}"#;
            let head = r#""id":"a","type":"message","role":"assistant","model":"m""#;
            let block = r#"{"type":"text","text":"ok"}"#;
            (
                format!("{{{head},\"content\":[{block}],{what},{usage}}}"),
                format!(
                    "data: {{\"type\":\"message_start\",\"message\":{{{head},\"content\":[],{usage}}}}}\n\ndata: {{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{block}}}\n\ndata: {{\"type\":\"message_delta\",\"delta\":{{{what}}},{usage}}}\n\ndata: {{\"type\":\"message_stop\"}}\n\n"
                ),
            )
        }
        _ => {
            let text = format!(r#"{{"type":"output_text","text":"ok"{what}}}"#);
            let item = format!(r#"{{"type":"message","role":"assistant","content":[{text}]}}"#);
            let response = format!(
                r#"{{"id":"r","model":"m","status":"completed","output":[{item}],"usage":{{"input_tokens":1,"output_tokens":1}}}}"#
            );
            (response.clone(), format!("data: {{\"type\":\"response.completed\",\"response\":{response}}}\n\n"))
        }
    };
    let world = World::new(&format!(
        r#"{{"targets":[{{"provider":"{provider}","model":"m"}}],"prices":[{{"provider":"{provider}","model":"m","inputUsd":1,"outputUsd":1}}]}}"#
    ));
    world.gate.set_key(provider, Secret::new("a-key-of-its-own".into()));
    world.host.answer(move |sent| {
        if sent.body.contains(r#""stream":true"#) { stream([events.as_str()]) } else { status(200, &[], &whole) }
    });
    for _ in 0..2 {
        world.call(ask(caller, false)).unwrap();
    }
    let whole = world.host.sent().len();
    world.gate.clear_cache();
    for _ in 0..2 {
        assert_eq!(streamed(&world, caller).unwrap().1, None);
    }
    assert_eq!(world.host.sent().len(), whole.saturating_mul(2), "{what}");
    whole
}

#[test]
fn what_an_answer_given_again_would_lack_is_not_kept() {
    use Dialect::{Anthropic, Chat, Responses};
    let probable = r#","logprobs":{"content":[{"token":"ok","logprob":-0.1}]}"#;
    for (what, times) in [(probable, 2), (r#","logprobs":null"#, 1)] {
        assert_eq!(asked("groq", Chat, Chat, what), times, "{what}");
    }
    for (what, times) in [
        (r#""stop_reason":"stop_sequence","stop_sequence":"END""#, 2),
        (r#""stop_reason":"end_turn","stop_sequence":null"#, 1),
    ] {
        assert_eq!(asked("anthropic", Anthropic, Anthropic, what), times, "{what}");
        assert_eq!(asked("anthropic", Anthropic, Chat, what), 1, "a translation has no place for it: {what}");
    }
    for (what, times) in [
        (r#","logprobs":[{"token":"ok","logprob":-0.1}]"#, 2),
        (r#","annotations":[{"type":"url_citation"}]"#, 2),
        (r#","annotations":[],"logprobs":[]"#, 1),
    ] {
        assert_eq!(asked("openai", Responses, Responses, what), times, "{what}");
    }
}

#[test]
fn a_whole_answer_without_a_reason_is_called_whole_in_no_dialect() {
    let chat = r#"{"id":"c","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"half"},"finish_reason":null}],"usage":{"prompt_tokens":1,"completion_tokens":1}}"#;
    let world = World::new("{}");
    world.host.answer(move |_| status(200, &[], chat));
    let body = world.call(ask(Dialect::Anthropic, false)).unwrap().body;
    assert!(body.contains(r#""stop_reason":"max_tokens""#), "{body}");
    let body = world.call(ask(Dialect::Responses, false)).unwrap().body;
    assert!(body.contains(r#""status":"incomplete""#), "{body}");

    let claude = r#"{"id":"a","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"half"}],"stop_reason":null,"usage":{"input_tokens":1,"output_tokens":1}}"#;
    let world = World::new(r#"{"targets":[{"provider":"anthropic","model":"claude-haiku-4-5"}]}"#);
    world.gate.set_key("anthropic", Secret::new("sk-ant-anthropics-own-key".into()));
    world.host.answer(move |_| status(200, &[], claude));
    let body = world.call(ask(Dialect::Chat, false)).unwrap().body;
    assert!(body.contains(r#""finish_reason":"length""#), "{body}");
}

#[test]
fn calls_that_cannot_be_carried_whole_are_no_answer() {
    let part = |call: &str| format!(r#"{{"candidates":[{{"content":{{"parts":[{{"functionCall":{call}}}]}}}}]}}"#);
    let event = |data: &str| format!("data: {data}\n\n");
    let of_gemini = [
        event(&part(r#"{"name":"f","willContinue":true}"#)),
        event(&part(r#"{"partialArgs":[{"jsonPath":"$.a[99999999]","stringValue":"A"}]}"#)),
        event(r#"{"candidates":[{"finishReason":"STOP"}]}"#),
    ];
    let world = World::new(r#"{"targets":[{"provider":"google","model":"gemini-2.5-flash"}]}"#);
    world.gate.set_key("google", Secret::new("a-key-of-its-own".into()));
    world.host.answer(move |_| stream(of_gemini.clone()));
    assert!(matches!(streamed(&world, Dialect::Chat), Ok((_, Some(Code::StreamInterrupted)))));

    let call = |index: usize| {
        format!(r#"{{"index":{index},"id":"c{index}","type":"function","function":{{"name":"f","arguments":"{{}}"}}}}"#)
    };
    let most = |count: usize| (0..count).map(call).collect::<Vec<_>>().join(",");
    let body = |calls: &str| {
        format!(
            r#"{{"id":"c","model":"m","choices":[{{"index":0,"message":{{"role":"assistant","content":null,"tool_calls":[{calls}]}},"finish_reason":"tool_calls"}}]}}"#
        )
    };
    for (count, fits) in [(128, true), (129, false)] {
        let world = World::new(r#"{"cache":{"toolCalls":true},"retry":{"maxRetries":0}}"#);
        let (whole, calls) = (body(&most(count)), most(count));
        let events = event(&format!(r#"{{"id":"c","choices":[{{"index":0,"delta":{{"tool_calls":[{calls}]}}}}]}}"#));
        let end = event(r#"{"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}"#);
        world.host.answer(move |sent| {
            if sent.body.contains(r#""stream":true"#) { stream([&*events, &*end]) } else { status(200, &[], &whole) }
        });
        for caller in [Dialect::Anthropic, Dialect::Responses] {
            assert_eq!(world.call(ask(caller, false)).is_ok(), fits, "{count} {caller:?}");
            let good = streamed(&world, caller).is_ok_and(|(_, error)| error.is_none());
            assert_eq!(good, fits, "{count} {caller:?}");
        }
        world.call(ask(Dialect::Chat, false)).unwrap();
        let before = world.host.sent().len();
        world.call(ask(Dialect::Chat, false)).unwrap();
        assert_eq!(world.host.sent().len() == before, fits, "kept only if nothing of it would be missing: {count}");
    }
}

#[test]
fn an_answer_given_again_is_another_answer_that_cost_nothing_in_every_dialect() {
    for (dialect, usage) in [
        (Dialect::Anthropic, r#""usage":{"input_tokens":0,"#),
        (Dialect::Responses, r#""usage":{"input_tokens":0,"#),
        (Dialect::Google, r#""usageMetadata":{"promptTokenCount":0,"candidatesTokenCount":0,"totalTokenCount":0}"#),
    ] {
        let world = World::new("{}");
        world.host.answer(|_| completion("Salt.", 10, 3));
        let ask = |streams| match dialect {
            Dialect::Google => {
                let body = r#"{"contents":[{"parts":[{"text":"a"}]}]}"#;
                Call { dialect, model: Some("auto".into()), stream: streams, ..ManualHost::call(body) }
            }
            _ => ask(dialect, streams),
        };
        let first = world.call(ask(false)).unwrap();
        let again = world.call(ask(false)).unwrap();
        assert_eq!((again.meta.cache.as_str(), world.host.sent().len()), ("hit", 1), "{dialect:?}");
        assert!(again.body.contains(usage) && again.body.contains("Salt."), "{}", again.body);
        assert!(!first.body.contains(usage), "{}", first.body);
        let (one, other) = (&*first.meta.request_id, &*again.meta.request_id);
        assert!(again.body.contains(other) && !again.body.contains(one) && one != other, "{}", again.body);
    }
}
