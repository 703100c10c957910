//! Anthropic's betas: sent where its dialect is spoken, never left out unsaid.

use tidegate::chat::Dialect;
use tidegate::error::{Code, Detail};
use tidegate::gateway::{CacheState, Call, Reply};
use tidegate::secret::Secret;
use tidegate::testing::{ManualHost, Scripted, completion};

use super::World;

const CLAUDE: &str = r#"{"provider":"anthropic","model":"claude-haiku-4-5"}"#;
const GROQ: &str = r#"{"provider":"groq","model":"openai/gpt-oss-20b"}"#;
const BODY: &str = r#"{"model":"auto","max_tokens":9,"temperature":0,"messages":[{"role":"user","content":"a"}]}"#;
const ANSWER: &str = r#"{"id":"m","type":"message","role":"assistant","model":"c","content":[{"type":"text","text":"ok"}],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1}}"#;

fn world(targets: &str) -> World {
    let world = World::new(&format!(r#"{{"targets":[{targets}]}}"#));
    world.gate.set_key("anthropic", Secret::new("sk-ant-own-key".into()));
    world.host.answer(|sent| match sent.provider.as_str() {
        "anthropic" => Scripted::Answer(std::time::Duration::ZERO, 200, Vec::new(), ANSWER.into()),
        _ => completion("ok", 1, 1),
    });
    world
}

fn ask(world: &World, betas: Option<&str>) -> tidegate::error::Result<Reply> {
    world.call(Call {
        dialect: Dialect::Anthropic,
        betas: betas.map(Into::into),
        drop_in: true,
        ..ManualHost::call(BODY)
    })
}

#[test]
fn betas_go_to_anthropic_and_make_another_question() {
    let world = world(CLAUDE);
    let asked: Vec<_> = [None, Some("x-2025-01-01"), Some("y-2025-01-01"), Some("x-2025-01-01"), None]
        .map(|betas| ask(&world, betas).unwrap().meta.cache)
        .into();
    assert_eq!(asked, [CacheState::Miss, CacheState::Miss, CacheState::Miss, CacheState::Hit, CacheState::Hit]);
    let sent: Vec<_> = world.host.sent().into_iter().map(|sent| sent.betas).collect();
    assert_eq!(sent, ["", "x-2025-01-01", "y-2025-01-01"]);
}

#[test]
fn another_dialect_is_asked_only_if_it_loses_nothing() {
    let world = world(GROQ);
    ask(&world, Some("fine-grained-tool-streaming-2025-05-14, context-1m-2025-08-07")).unwrap();
    assert_eq!(world.host.sent()[0].betas, "", "it is no header of theirs");
    let refused = ask(&world, Some("advanced-tool-use-2025-11-20")).unwrap_err();
    assert_eq!(refused.code, Code::InvalidRequest);
    let Detail::Fields(fields) = refused.detail else { panic!("no field") };
    assert_eq!(fields[0].path, "anthropic-beta");
    assert_eq!(world.host.sent().len(), 1);
}

#[test]
fn a_target_that_cannot_is_left_out() {
    let world = world(&[GROQ, CLAUDE].join(","));
    let reply = ask(&world, Some("advanced-tool-use-2025-11-20")).unwrap();
    assert_eq!((reply.meta.target.as_str(), reply.meta.attempts), ("anthropic/claude-haiku-4-5", 1));
}
