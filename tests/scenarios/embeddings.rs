//! Vectors: from the model that was asked and no other, within the limits of a request.

use std::rc::Rc;

use tidegate::error::{Code, Detail, Error};
use tidegate::gateway::{Call, Reply, Wants};
use tidegate::testing::{ManualHost, Scripted, Sent, status};

use super::World;

const VECTORS: &str = r#"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5,-1]}],"model":"m","usage":{"prompt_tokens":3,"total_tokens":3}}"#;

fn vectors(_: &Sent) -> Scripted {
    status(200, &[], VECTORS)
}

fn asked(world: &World, body: &str, drop_in: bool) -> Result<Reply, Box<Error>> {
    let wants = Wants::Embeddings { batch: false };
    world.call(Call { wants, drop_in, ..ManualHost::call(body) })
}

fn of_groq(text: &str) -> String {
    format!(r#"{{"model":"openai/gpt-oss-20b","input":"{text}"}}"#)
}

fn field(error: &Error) -> &str {
    let Detail::Fields(fields) = &error.detail else { panic!("{error:?} names no field") };
    &fields[0].path
}

#[test]
fn vectors_of_another_model_stand_in_for_none() {
    let world = World::new("{}");
    world.host.answer(vectors);
    let reply = asked(&world, &of_groq("a"), false).unwrap();
    assert!(reply.body.contains("[0.5,-1]"), "{}", reply.body);
    world.host.answer(|_| status(500, &[], ""));
    assert_eq!(asked(&world, &of_groq("b"), false).unwrap_err().code, Code::UpstreamFailed);
    assert!(world.sent_to("groq") > 1);
    assert_eq!(world.sent_to("openrouter"), 0);
}

#[test]
fn vectors_of_no_tokens_are_charged_their_bound() {
    let world = World::new("{}");
    world.host.answer(|_| status(200, &[], &VECTORS.replace(":3", ":0")));
    let meta = asked(&world, &of_groq("a"), false).unwrap().meta;
    assert_eq!((meta.cost_source.as_str(), meta.usage.input), ("estimated", 0));
    assert!(meta.cost.as_nano() > 0);
}

#[test]
fn no_text_stands_in_for_vectors() {
    let world = World::new(r#"{"degraded":{"message":"Later."},"retry":{"maxRetries":0}}"#);
    world.host.answer(|_| status(500, &[], ""));
    assert_eq!(asked(&world, &of_groq("a"), false).unwrap_err().code, Code::UpstreamFailed);
    let sent = world.host.sent().len();
    assert_eq!(asked(&world, &of_groq("a"), false).unwrap_err().code, Code::UpstreamFailed);
    assert_eq!(world.host.sent().len(), sent, "told again from memory");
}

#[test]
fn a_model_is_named_and_a_text_has_a_limit_except_through_the_drop_in_fetch() {
    let world = World::new(r#"{"limits":{"maxInputUnits":10}}"#);
    world.host.answer(vectors);
    let unnamed = asked(&world, r#"{"input":"a"}"#, false).unwrap_err();
    assert_eq!((unnamed.code, field(&unnamed)), (Code::InvalidRequest, "model"));
    assert!(asked(&world, &of_groq("0123456789"), false).is_ok());
    let long = asked(&world, &of_groq("0123456789a"), false).unwrap_err();
    assert_eq!((long.code, field(&long)), (Code::InvalidRequest, "input"));
    let Detail::Fields(fields) = &long.detail else { panic!("{long:?}") };
    assert_eq!(fields[0].problem, "must not be longer than limits.maxInputUnits, 10 UTF-16 units");
    assert!(asked(&world, &of_groq("0123456789a"), true).is_ok());
}

#[test]
fn a_conversation_has_the_same_limit() {
    let world = World::new(r#"{"limits":{"maxInputUnits":10}}"#);
    world.host.answer(|_| tidegate::testing::completion("ok", 1, 1));
    let call = |text: &str, drop_in| Call { drop_in, ..ManualHost::call(&super::body(text)) };
    assert!(world.call(call("0123456789", false)).is_ok());
    let long = world.call(call("0123456789a", false)).unwrap_err();
    assert_eq!((long.code, field(&long)), (Code::InvalidRequest, "messages"));
    assert!(world.call(call("0123456789a", true)).is_ok());
}

#[test]
fn a_cache_that_is_cleared_keeps_no_question() {
    let world = World::new("{}");
    world.host.answer(vectors);
    let body: Rc<str> = of_groq("a").into();
    for _ in 0..2 {
        let wants = Wants::Embeddings { batch: false };
        world.call(Call { wants, body: body.clone(), ..ManualHost::call("") }).unwrap();
    }
    assert!(Rc::strong_count(&body) > 1, "a question that was asked again is remembered");
    world.gate.clear_cache();
    assert_eq!(Rc::strong_count(&body), 1);
}
