//! What providers really send, and what it means for money and for the end of an answer.

use std::time::Duration;

use tidegate::admit::{Command, Outcome};
use tidegate::chat::Dialect;
use tidegate::error::Code;
use tidegate::gateway::{Call, CostSource, replay};
use tidegate::secret::Secret;
use tidegate::testing::{ManualHost, Piece, Scripted, completion, status, stream};

use super::streaming::{DONE, HELLO, STOP, question, read};
use super::{GROQ, OPENROUTER, World};

const ONLY_GROQ: &str = r#"{"targets":[{"provider":"groq","model":"openai/gpt-oss-20b"}]}"#;
/// What 4,096 tokens of output cost there.
const OUTPUT_BOUND: u64 = 1_228_800;

fn spent(world: &World) -> u64 {
    match world.host.ask(&Command::Status).result {
        Ok(Outcome::Status(figures)) => figures.spent.as_nano(),
        other => panic!("{other:?}"),
    }
}

/// The last decision record gives the same decisions again.
fn replays(world: &World) -> bool {
    let record = world.gate.records().last().unwrap().to_string();
    world.host.run(replay(&world.gate, &world.host, &record)).unwrap().unwrap().same
}

fn whole(usage: &str, more: &str) -> Scripted {
    let body = format!(
        r#"{{"id":"c","model":"m","choices":[{{"index":0,"message":{{"role":"assistant","content":"ok"}},"finish_reason":"stop"}}],"usage":{usage}{more}}}"#
    );
    status(200, &[], &body)
}

fn usage_event(usage: &str, more: &str) -> String {
    format!("data: {{\"id\":\"c1\",\"model\":\"m\",\"choices\":[],\"usage\":{usage}{more}}}\n\n")
}

#[test]
fn servers_that_do_not_count_are_charged_the_bound() {
    for usage in [
        r#"{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}"#,
        r#"{"prompt_tokens":12,"completion_tokens":0,"total_tokens":12}"#,
        r#"{"prompt_tokens":0,"completion_tokens":3,"total_tokens":3}"#,
    ] {
        let world = World::new(ONLY_GROQ);
        world.host.answer(move |_| whole(usage, ""));
        let meta = world.ask("a").unwrap().meta;
        assert_eq!(meta.cost_source, CostSource::Estimated, "{usage}");
        assert!(meta.cost.as_nano() > OUTPUT_BOUND && meta.cost.as_nano() == spent(&world), "{usage}");
        assert!(replays(&world), "{usage}");

        let world = World::new(ONLY_GROQ);
        world.host.answer(move |_| stream([HELLO, STOP, &usage_event(usage, ""), DONE]));
        let (_, closed) = read(&world, &question("a")).unwrap();
        assert!(closed.error.is_none() && closed.meta.cost.as_nano() > OUTPUT_BOUND, "{usage}");
        assert!(replays(&world), "{usage}");
    }
}

#[test]
fn what_a_gateway_of_ones_own_had_at_hand_costs_nothing() {
    let world = World::new(
        r#"{"providers":{"own":{"baseUrl":"https://own.example/v1"}},
            "targets":[{"provider":"groq","model":"openai/gpt-oss-20b","relay":"own"}]}"#,
    );
    let target = &world.gate.config.targets[0];
    assert!(!world.gate.is_keyed(target, None));
    world.gate.set_key("own", Secret::new("own-gateways-own-token".into()));
    assert!(world.gate.is_keyed(target, None), "by the gateway's key, not by the provider's");
    let nothing = r#"{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}"#;
    world.host.answer(move |_| whole(nothing, ""));
    assert_eq!(world.ask("a").unwrap().meta.cost.as_nano(), 0, "its hit");
    world.host.answer(move |_| stream([HELLO, STOP, &usage_event(nothing, ""), DONE]));
    assert_eq!(read(&world, &question("b")).unwrap().1.meta.cost.as_nano(), 0);
}

#[test]
fn a_dearer_tier_that_the_account_chose_is_billed_as_such() {
    let usage = r#"{"prompt_tokens":1000,"completion_tokens":500}"#;
    for (tier, cost) in
        [("default", 225_000), ("flex", 225_000), ("priority", 562_501), ("fast", 562_501), ("ultrafast", 1_350_001)]
    {
        let tier = format!(r#","service_tier":"{tier}""#);
        let world = World::new(ONLY_GROQ);
        let more = tier.clone();
        world.host.answer(move |_| whole(usage, &more));
        assert_eq!(world.ask("a").unwrap().meta.cost.as_nano(), cost, "{tier}");
        assert!(spent(&world) == cost && replays(&world), "{tier}");
        let more = tier.clone();
        world.host.answer(move |_| stream([HELLO, STOP, &usage_event(usage, &more), DONE]));
        assert_eq!(read(&world, &question("b")).unwrap().1.meta.cost.as_nano(), cost, "{tier}");
        assert!(spent(&world) == 2 * cost && replays(&world), "{tier}");
    }
}

#[test]
fn a_region_of_openais_costs_a_tenth_more() {
    let usage = r#"{"prompt_tokens":1000,"completion_tokens":500}"#;
    let cost = |model: &str, url: &str, prices: &str| {
        let world = World::new(&format!(
            r#"{{"targets":[{{"provider":"openai","model":"{model}"}}],
                "providers":{{"openai":{{"baseUrl":"{url}"}}}},"prices":[{prices}]}}"#
        ));
        world.gate.set_key("openai", Secret::new(format!("sk-proj-{}", "Ab3dE6gH".repeat(6))));
        world.host.answer(move |_| whole(usage, ""));
        let meta = world.ask("a").unwrap().meta;
        assert!(spent(&world) == meta.cost.as_nano() && replays(&world), "{model} {url}");
        meta.cost.as_nano()
    };
    let (global, eu, us) =
        ("https://api.openai.com/v1", "https://eu.api.openai.com/v1", "https://us.api.openai.com/v1");
    for model in ["gpt-5.4-mini", "gpt-6.1-sol"] {
        let listed = cost(model, global, "");
        assert_eq!((cost(model, eu, ""), cost(model, us, "")), (listed / 10 * 11, listed / 10 * 11), "{model}");
        assert_eq!(cost(model, "https://eu.api.openai.com.example/v1", ""), listed, "{model}");
    }
    for older in ["gpt-5", "gpt-5-mini", "gpt-5.2", "gpt-4.1-mini"] {
        assert_eq!(cost(older, eu, ""), cost(older, global, ""), "{older}");
    }
    let own = r#"{"provider":"openai","model":"gpt-5.4-mini","inputUsd":"1","outputUsd":"2"}"#;
    assert_eq!(cost("gpt-5.4-mini", eu, own), 2_000_000, "who says what he pays pays that");
    for other in [own.replace("openai", "groq"), own.replace("-mini", "")] {
        assert_eq!(cost("gpt-5.4-mini", eu, &other), cost("gpt-5.4-mini", eu, ""), "{other}");
    }
}

fn claude(world: &World, usage: &str) -> u64 {
    let answer = format!(
        r#"{{"id":"a","type":"message","role":"assistant","model":"m","content":[{{"type":"text","text":"ok"}}],"stop_reason":"end_turn","usage":{usage}}}"#
    );
    world.host.answer(move |_| status(200, &[], &answer));
    let body = r#"{"model":"auto","max_tokens":100,"messages":[{"role":"user","content":"a"}]}"#;
    let mut call = Call { dialect: Dialect::Anthropic, ..ManualHost::call(body) };
    call.controls.skip_read = true;
    world.call(call).unwrap().meta.cost.as_nano()
}

#[test]
fn claude_is_billed_by_what_was_said_and_by_where_it_ran() {
    let world = World::new(r#"{"targets":[{"provider":"anthropic","model":"claude-haiku-4-5"}]}"#);
    world.gate.set_key("anthropic", Secret::new("sk-ant-anthropics-own-key".into()));
    // A dollar in, five out.
    assert_eq!(claude(&world, r#"{"input_tokens":10,"output_tokens":20}"#), 10_000 + 100_000);
    assert_eq!(claude(&world, r#"{"input_tokens":10,"output_tokens":20,"inference_geo":"global"}"#), 110_000);
    assert_eq!(claude(&world, r#"{"input_tokens":10,"output_tokens":20,"inference_geo":"us"}"#), 121_001);
    for unknown in [r#"{"output_tokens":20}"#, r#"{"input_tokens":10}"#, r#"{"input_tokens":0,"output_tokens":20}"#] {
        assert!(claude(&world, unknown) > 500_000, "the bound: 100 tokens of output, {unknown}");
    }
}

#[test]
fn who_asked_with_a_key_of_his_own_pays_the_provider_too() {
    let world = World::new(
        r#"{"targets":[{"provider":"openrouter","model":"qwen/qwen3-coder"}],
            "prices":[{"provider":"openrouter","model":"qwen/qwen3-coder","inputUsd":"0.3","outputUsd":"1"}]}"#,
    );
    let usage = r#"{"prompt_tokens":9,"completion_tokens":9,"cost":0,"is_byok":true,"cost_details":{"upstream_inference_cost":0.0000421}}"#;
    world.host.answer(move |_| whole(usage, ""));
    let meta = world.ask("a").unwrap().meta;
    assert_eq!((meta.cost.as_nano(), meta.cost_source, spent(&world)), (42_100, CostSource::Reported, 42_100));
}

#[test]
fn what_groq_stopped_early_never_ends_cleanly() {
    let stopped = "data: {\"id\":\"c1\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}],\"x_groq\":{\"error\":\"over capacity\"}}\n\n";
    let world = World::new(ONLY_GROQ);
    world.host.answer(move |_| stream([HELLO, stopped, DONE]));
    let (text, closed) = read(&world, &question("a")).unwrap();
    assert_eq!(closed.error.map(|error| error.code), Some(Code::StreamInterrupted));
    assert!(text.contains("stream_interrupted") && !text.contains("x_groq") && !text.contains("[DONE]"), "{text}");
    assert!(spent(&world) > OUTPUT_BOUND);
    // Before any output the next target is asked.
    let world = World::new(r#"{"retry":{"maxRetries":0}}"#);
    world
        .host
        .answer(move |sent| if sent.provider == "groq" { stream([stopped]) } else { stream([HELLO, STOP, DONE]) });
    assert_eq!(read(&world, &question("a")).unwrap().1.meta.target, OPENROUTER);
}

#[test]
fn a_full_tier_is_a_limit_and_a_refusal_that_quotes_output_is_charged() {
    let world = World::new(r#"{"retry":{"maxRetries":0}}"#);
    world.host.answer(|sent| {
        if sent.provider == "groq" {
            status(498, &[], r#"{"error":{"message":"flex","code":"capacity_exceeded"}}"#)
        } else {
            completion("ok", 1, 1)
        }
    });
    assert_eq!(world.ask("a").unwrap().meta.target, OPENROUTER);
    assert_eq!(spent(&world), 0);
    let world = World::new(ONLY_GROQ);
    world.host.answer(|_| status(400, &[], r#"{"error":{"code":"tool_use_failed","failed_generation":"<f>{"}}"#));
    assert_eq!(world.refused("a").code, Code::UpstreamRejected);
    assert!(spent(&world) > OUTPUT_BOUND);
}

#[test]
fn the_slow_input_of_a_custom_tool_is_no_silence() {
    let piece =
        |choice: &str| format!("data: {{\"id\":\"c1\",\"model\":\"m\",\"choices\":[{{\"index\":0,{choice}}}]}}\n\n");
    let begin =
        piece(r#""delta":{"tool_calls":[{"index":0,"id":"t","type":"custom","custom":{"name":"sql","input":""}}]}"#);
    let more = piece(r#""delta":{"tool_calls":[{"index":0,"custom":{"input":"SELECT"}}]}"#);
    let end = piece(r#""delta":{},"finish_reason":"tool_calls""#);
    let world = World::new(ONLY_GROQ);
    world.host.answer(move |_| {
        let slow = |text: &str| (Duration::from_secs(20), Piece::Bytes(text.into()));
        Scripted::Stream(Duration::ZERO, 200, vec![slow(&begin), slow(&more), slow(&more), slow(&more), slow(&end)])
    });
    let (text, closed) = read(&world, &question("a")).unwrap();
    assert!(closed.error.is_none(), "{text}");
    assert_eq!(text.matches("SELECT").count(), 3);
}

#[test]
fn of_two_answers_both_must_end() {
    let end = |index: u32| {
        format!(
            "data: {{\"id\":\"c1\",\"model\":\"m\",\"choices\":[{{\"index\":{index},\"delta\":{{\"content\":\"x\"}},\"finish_reason\":\"stop\"}}]}}\n\n"
        )
    };
    let asked = r#"{"stream":true,"n":2,"messages":[{"role":"user","content":"a"}]}"#;
    for (pieces, whole) in [(vec![end(0), end(1)], true), (vec![end(0), end(0)], false), (vec![end(0)], false)] {
        let world = World::new(ONLY_GROQ);
        world.host.answer(move |_| stream(pieces.clone()));
        let (_, closed) = read(&world, asked).unwrap();
        assert_eq!((closed.error.is_none(), closed.meta.target.as_str()), (whole, GROQ));
    }
}
