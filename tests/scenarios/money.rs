//! Cap, reservations, leases.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use tidegate::admit::{Command, Outcome};
use tidegate::chat::Dialect;
use tidegate::error::{Code, Detail, Error, TimeoutKind};
use tidegate::gateway::{self, Call, CostSource, Wants};
use tidegate::money::NanoUsd;
use tidegate::secret::Secret;
use tidegate::testing::{ManualHost, START, Scripted, completion, status};

use super::{OPENROUTER, World, body};

fn figures(world: &World) -> tidegate::admit::Figures {
    match world.host.ask(&Command::Status).result.unwrap() {
        Outcome::Status(figures) => figures,
        other => panic!("{other:?}"),
    }
}

const ONLY_GROQ: &str = r#""targets":[{"provider":"groq","model":"openai/gpt-oss-20b"}]"#;

#[test]
fn the_cap_refuses_with_its_figures_and_opens_again_at_midnight() {
    let world = World::new(&format!(r#"{{{ONLY_GROQ},"budget":{{"limitUsd":"0.002"}}}}"#));
    world.host.answer(|_| completion("ok", 1_000, 3_000));
    world.ask("a").unwrap();
    let error = world.refused("b");
    assert_eq!(error.code, Code::BudgetExceeded);
    let Detail::Budget { limit, spent, reserved, resets_at } = error.detail else { panic!("{:?}", error.detail) };
    assert_eq!((limit.as_nano(), spent.as_nano(), reserved.as_nano()), (2_000_000, 975_000, 0));
    assert_eq!(resets_at, START.after(Duration::from_secs(86_400)));
    assert!(!error.should_retry());
    assert!(error.retry_after.is_some(), "until the reset");
    world.host.set_now(resets_at);
    world.ask("b").unwrap();
    assert_eq!(figures(&world).spent.as_nano(), 975_000);
}

#[test]
fn what_is_above_the_whole_cap_is_told_no_wait() {
    let world = World::new(&format!(r#"{{{ONLY_GROQ},"budget":{{"limitUsd":"0.001"}}}}"#));
    world.host.answer(|_| completion("ok", 1_000, 3_000));
    let error = world.refused("a");
    assert_eq!((error.code, error.retry_after), (Code::BudgetExceeded, None));
    assert!(error.message().contains("max_tokens"), "{}", error.message());
    assert!(matches!(error.detail, Detail::Budget { .. }));
}

#[test]
fn without_money_for_groq_the_free_target_is_asked() {
    let world = World::new(r#"{"budget":{"limitUsd":0}}"#);
    world.host.answer(|_| completion("ok", 1, 1));
    assert_eq!(world.ask("a").unwrap().meta.target, OPENROUTER);
    assert_eq!(world.sent_to("groq"), 0);
}

#[test]
fn without_money_only_cheaper_targets_are_asked() {
    let targets = |names: &[(&str, &str)]| {
        let each = names.iter().map(|(provider, model)| format!(r#"{{"provider":"{provider}","model":"{model}"}}"#));
        format!(r#"{{"targets":[{}],"budget":{{"limitUsd":0}}}}"#, each.collect::<Vec<_>>().join(","))
    };
    let (small, large) = (("groq", "openai/gpt-oss-20b"), ("groq", "openai/gpt-oss-120b"));
    let world = World::new(&targets(&[small, large, ("openrouter", "qwen/qwen3-coder:free")]));
    world.host.answer(|_| status(401, &[], ""));
    let tried = |error: &Error| error.attempts.iter().map(|one| (one.target.clone(), one.code)).collect::<Vec<_>>();
    let error = world.refused("a");
    let small_first = (super::GROQ.into(), Code::BudgetExceeded);
    assert_eq!(tried(&error), [small_first.clone(), (OPENROUTER.into(), Code::Authentication)], "not the dearer one");
    let error = World::new(&targets(&[small, large])).refused("a");
    assert_eq!((error.code, tried(&error)), (Code::BudgetExceeded, vec![small_first]));
    assert_eq!((error.attempt, error.attempts[0].attempt), (Some(1), 1), "attempts count from one");
}

/// Prices without input, so that a request's bound is its default of 4,096 output tokens.
fn charging_output(limit_usd: &str, targets: &[(&str, u32)]) -> World {
    let joined = |each: &dyn Fn(&(&str, u32)) -> String| targets.iter().map(each).collect::<Vec<_>>().join(",");
    let named = joined(&|(model, _)| format!(r#"{{"provider":"groq","model":"{model}"}}"#));
    let prices =
        joined(&|(model, usd)| format!(r#"{{"provider":"groq","model":"{model}","inputUsd":0,"outputUsd":{usd}}}"#));
    World::new(&format!(r#"{{"targets":[{named}],"prices":[{prices}],"budget":{{"limitUsd":"{limit_usd}"}}}}"#))
}

#[test]
fn without_money_a_target_as_dear_is_not_asked() {
    let world = charging_output("0.001", &[("a", 1), ("b", 1), ("c", 0)]);
    world.host.answer(|_| status(401, &[], ""));
    let error = world.refused("x");
    let tried: Vec<_> = error.attempts.iter().map(|one| (one.target.as_str(), one.code)).collect();
    assert_eq!(tried, [("groq/a", Code::BudgetExceeded), ("groq/c", Code::Authentication)]);
}

#[test]
fn a_request_as_large_as_the_whole_cap_may_wait_for_the_reset() {
    let world = charging_output("0.004096", &[("a", 1)]);
    world.host.answer(|_| completion("ok", 1, 1));
    world.ask("x").unwrap();
    let error = world.refused("y");
    assert_eq!((error.code, error.retry_after), (Code::BudgetExceeded, Some(Duration::from_millis(86_399_900))));
}

#[test]
fn an_answer_to_a_page_that_was_frozen_past_its_lease_is_paid_and_not_given() {
    let world = World::new(&format!(r#"{{{ONLY_GROQ},"retry":{{"maxRetries":0}}}}"#));
    let host = world.host.clone();
    let bound = Rc::new(Cell::new(NanoUsd::ZERO));
    let (reserved, frozen) = (bound.clone(), Duration::from_secs(120 + 60));
    world.host.answer(move |_| {
        let figures = |host: &ManualHost| match host.ask(&Command::Status).result.unwrap() {
            Outcome::Status(figures) => figures,
            other => panic!("{other:?}"),
        };
        reserved.set(figures(&host).reserved);
        host.advance(frozen);
        // Meanwhile another page asked: what ran out is charged its bound.
        host.advance(Duration::from_millis(1));
        assert_eq!(figures(&host).spent, reserved.get());
        completion("late", 5, 5)
    });
    let error = world.refused("a");
    assert_eq!((error.code, error.detail), (Code::Timeout, Detail::Timeout(TimeoutKind::Total)));
    let after = figures(&world);
    assert_eq!((after.spent, after.reserved, after.in_flight), (error.cost, NanoUsd::ZERO, 0));
    assert!(after.spent > NanoUsd::ZERO && after.spent < bound.get(), "the late bill has replaced the bound");
    let (sent, text) = (world.sent_to("groq"), "a");
    world.host.answer(|_| completion("in time", 5, 5));
    world.ask(text).unwrap();
    assert_eq!(world.sent_to("groq"), sent + 1, "it was not kept");
}

#[test]
fn many_at_once_never_pass_the_cap_together() {
    let world =
        World::new(&format!(r#"{{{ONLY_GROQ},"budget":{{"limitUsd":"0.01"}},"limits":{{"maxConcurrent":1000}}}}"#));
    world.host.answer(|_| completion("ok", 30, 4_000));
    let texts: Vec<String> = (0..50).map(|number| body(&number.to_string())).collect();
    let ended = world.side_by_side(&texts);
    let admitted = ended.iter().filter(|result| result.is_ok()).count();
    let refused = ended.iter().filter(|result| result.as_ref().is_err_and(|error| error.code == Code::BudgetExceeded));
    assert!((5..=8).contains(&admitted), "each holds about $0.00124: {admitted}");
    assert_eq!(refused.count() + admitted, 50);
    let after = figures(&world);
    assert!(after.spent <= after.limit && after.reserved == NanoUsd::ZERO, "{after:?}");
}

#[test]
fn what_may_have_been_billed_is_charged_and_what_was_not_is_released() {
    let world = World::new(&format!(r#"{{{ONLY_GROQ},"retry":{{"maxRetries":0}}}}"#));
    for (scripted, charged) in [
        (status(500, &[], ""), false),
        (status(429, &[("retry-after", "1")], ""), false),
        (Scripted::Silence, true),
        (status(200, &[], "{\"choices\":"), true),
    ] {
        let before = figures(&world).spent;
        let next = scripted.clone();
        world.host.answer(move |_| next.clone());
        let refused = world.refused("a");
        let after = figures(&world);
        assert_eq!(after.spent > before, charged, "{scripted:?}");
        assert_eq!(after.spent.as_nano() - before.as_nano(), refused.cost.as_nano(), "{scripted:?}");
        assert_eq!((after.reserved, after.in_flight), (NanoUsd::ZERO, 0));
        world.host.advance(Duration::from_secs(120));
    }
}

#[test]
fn an_answer_without_usage_is_charged_its_bound() {
    let world = World::new(&format!("{{{ONLY_GROQ}}}"));
    world.host.answer(|_| status(200, &[], r#"{"choices":[{"message":{"content":"x"},"finish_reason":"stop"}]}"#));
    let reply = world.ask("a").unwrap();
    assert_eq!(reply.meta.cost_source, CostSource::Estimated);
    assert!(reply.meta.cost > NanoUsd::new(1_200_000), "4,096 output tokens: {:?}", reply.meta.cost);
}

#[test]
fn the_providers_own_cost_wins() {
    let world = World::new(
        r#"{"targets":[{"provider":"openrouter","model":"qwen/qwen3-coder"}],
            "prices":[{"provider":"openrouter","model":"qwen/qwen3-coder","inputUsd":"0.3","outputUsd":"1"}]}"#,
    );
    world.host.answer(|_| {
        status(200, &[], r#"{"choices":[{"message":{"content":"x"},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":9,"cost":0.0000421}}"#)
    });
    let meta = world.ask("a").unwrap().meta;
    assert_eq!((meta.cost.as_nano(), meta.cost_source), (42_100, CostSource::Reported));
}

#[test]
fn a_vanished_request_is_charged_at_its_bound_and_its_slot_is_free_again() {
    let world = World::new(&format!(r#"{{{ONLY_GROQ},"limits":{{"maxConcurrent":1}}}}"#));
    world.host.answer(|_| Scripted::Silence);
    {
        // A tab that is killed: its future is polled and then gone.
        let mut asked = Box::pin(gateway::chat(&world.gate, &world.host, ManualHost::call(&body("a"))));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(asked.as_mut().poll(&mut context).is_pending());
    }
    let held = figures(&world);
    assert_eq!(held.in_flight, 1);
    assert!(held.reserved > NanoUsd::ZERO && held.spent == NanoUsd::ZERO);
    assert_eq!(world.refused("b").code, Code::QueueFull);
    world.host.advance(Duration::from_secs(180));
    assert_eq!(figures(&world), held, "the lease outlasts the deadline of 120 s by a minute");
    world.host.advance(Duration::from_millis(1));
    let over = figures(&world);
    assert_eq!((over.spent, over.reserved, over.in_flight), (held.reserved, NanoUsd::ZERO, 0));
    world.host.answer(|_| completion("ok", 1, 1));
    world.ask("b").unwrap();
}

/// What one request holds while it is under way.
fn held(world: &World, body: &str) -> u64 {
    held_for(world, ManualHost::call(body))
}

fn held_for(world: &World, call: Call) -> u64 {
    world.host.answer(|_| Scripted::Silence);
    let mut asked = Box::pin(gateway::chat(&world.gate, &world.host, call));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(asked.as_mut().poll(&mut context).is_pending());
    figures(world).reserved.as_nano()
}

#[test]
fn every_answer_that_is_asked_for_is_reserved() {
    let asked = |n: u32| format!(r#"{{"n":{n},"max_tokens":1000,"messages":[{{"role":"user","content":"a"}}]}}"#);
    let of = |n: u32| held(&World::new(&format!("{{{ONLY_GROQ}}}")), &asked(n));
    assert_eq!(of(3) - of(1), 2 * 300_000, "two more of 1,000 tokens at $0.30 per million");
}

#[test]
fn texts_to_be_embedded_and_images_are_reserved() {
    let embedded = |input: &str| {
        let body = format!(r#"{{"model":"openai/gpt-oss-20b","input":{input}}}"#);
        let wants = Wants::Embeddings { batch: false };
        held_for(&World::new(&format!("{{{ONLY_GROQ}}}")), Call { wants, ..ManualHost::call(&body) })
    };
    let (short, long) = (embedded(r#"["a"]"#), embedded(&format!(r#"["{}"]"#, "a".repeat(1_001))));
    assert_eq!(long - short, 75_000, "1,000 tokens more at $0.075 per million");
    assert!(embedded(r#"["a","a"]"#) > short + 75, "what stands around a text, too");

    let seen = |images: &str| {
        let world = World::new(r#"{"targets":[{"provider":"openai","model":"gpt-4o"}],"budget":{"limitUsd":9}}"#);
        world.gate.set_key("openai", Secret::new("sk-own-key".into()));
        held(&world, &format!(r#"{{"messages":[{{"role":"user","content":[{images}]}}]}}"#))
    };
    let text = r#"{"type":"text","text":"a"}"#;
    let image = |detail: &str| {
        let image =
            format!(r#"{{"type":"image_url","image_url":{{"url":"https://a.example/a","detail":"{detail}"}}}}"#);
        [text, &image].join(",")
    };
    let input = 2_500;
    assert_eq!(seen(&image("low")) - seen(text), 85 * input);
    assert_eq!(seen(&image("high")) - seen(text), 1_445 * input);
    let two = [image("low"), image("high"), image("high")].join(",");
    assert_eq!(seen(&two) - seen(&[text; 3].join(",")), (85 + 2 * 1_445) * input);
}

#[test]
fn the_models_own_maximum_bounds_what_is_asked_for() {
    let price = r#"{"provider":"groq","model":"openai/gpt-oss-20b","inputUsd":0,"outputUsd":1,"maxOutput":100}"#;
    let world = || World::new(&format!(r#"{{{ONLY_GROQ},"prices":[{price}]}}"#));
    let more = r#"{"max_tokens":500,"messages":[{"role":"user","content":"a"}]}"#;
    for body in [body("a").as_str(), more] {
        let world = world();
        assert_eq!(held(&world, body), 100_000, "100 tokens at $1 per million");
        assert!(world.host.sent()[0].body.contains(r#""max_completion_tokens":100,"#), "{}", world.host.sent()[0].body);
    }
}

#[test]
fn a_price_that_rises_before_the_deadline_is_reserved() {
    let target = r#"{"targets":[{"provider":"deepseek","model":"deepseek-flash"}]}"#;
    let at = |seconds: u64| {
        let world = World::new(target);
        world.gate.set_key("deepseek", Secret::new("sk-of-deepseek".into()));
        world.host.advance(Duration::from_secs(seconds));
        held(&world, &body("a"))
    };
    // Dearer from one o'clock on, by UTC; a request may last two minutes.
    let (early, late, dear) = (at(3_600 - 121), at(3_600 - 119), at(3_600));
    assert!(late == dear && dear > early, "{early} {late} {dear}");
}

fn have_prices(world: &World) -> Vec<bool> {
    super::status::of_targets(world, "priced").iter().map(|flag| *flag == true.into()).collect()
}

#[test]
fn an_unknown_price_is_refused_or_reserved_at_the_worst() {
    let target = r#""targets":[{"provider":"openrouter","model":"openrouter/auto"}]"#;
    let world = World::new(&format!("{{{target}}}"));
    let refused = world.refused("a");
    assert_eq!(refused.code, Code::UnpricedInput);
    let Detail::Fields(fields) = &refused.detail else { panic!("{refused:?}") };
    assert_eq!(fields.len(), 1, "{fields:?}");
    assert_eq!(fields[0].path, "prices");
    assert!(fields[0].problem.contains("openrouter/auto"), "{fields:?}");
    assert_eq!(have_prices(&world), [false]);
    let world = World::new(&format!(r#"{{{target},"unknownPrice":"worst","budget":{{"limitUsd":100}}}}"#));
    assert_eq!(have_prices(&world), [true]);
    world.host.answer(|_| Scripted::Silence);
    let mut asked = Box::pin(gateway::chat(&world.gate, &world.host, ManualHost::call(&body("a"))));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(asked.as_mut().poll(&mut context).is_pending());
    assert!(figures(&world).reserved > NanoUsd::new(100_000_000), "the worst price of the table");
}

#[test]
fn a_refusal_names_the_targets_that_a_price_would_let_in_and_no_others() {
    let world = World::new(
        r#"{"targets":[{"provider":"groq","model":"unheard-of"},{"provider":"openrouter","model":"unheard-of-too"},
            {"provider":"mistral","model":"keyless"}]}"#,
    );
    assert_eq!(have_prices(&world), [false; 3]);
    let Detail::Fields(fields) = world.refused("a").detail else { panic!("no fields") };
    let named: Vec<_> = fields.iter().map(|field| field.problem.as_ref()).collect();
    assert_eq!(named.len(), 2, "{named:?}");
    assert!(named[0].contains("groq/unheard-of") && named[1].contains("openrouter/unheard-of-too"), "{named:?}");
    let world = World::new(
        r#"{"targets":[{"provider":"groq","model":"unheard-of"},{"provider":"groq","model":"openai/gpt-oss-20b"}],
            "prices":[{"provider":"groq","model":"unheard-of","inputUsd":0,"outputUsd":0}]}"#,
    );
    assert_eq!(have_prices(&world), [true; 2], "an override, and the built-in table");
}

#[test]
fn thresholds_are_told_once() {
    let world = World::new(&format!(r#"{{{ONLY_GROQ},"budget":{{"limitUsd":"0.004"}}}}"#));
    world.host.answer(|_| completion("ok", 1_000, 4_000));
    for number in 0..6 {
        let _ = world.ask(&number.to_string());
    }
    let percents: Vec<_> = world.host.events().into_iter().filter(|(name, _)| *name == "budget-threshold").collect();
    assert_eq!(percents.len(), 2, "{percents:?}");
}

#[test]
fn a_dearer_tier_is_refused_in_every_dialect() {
    let world = World::new("{}");
    world.host.answer(|_| completion("ok", 1, 1));
    for (dialect, body, name) in [
        (Dialect::Chat, r#"{"messages":[{"role":"user","content":"a"}],TIER}"#, "service_tier"),
        (Dialect::Responses, r#"{"model":"auto","input":"a",TIER}"#, "service_tier"),
        (
            Dialect::Anthropic,
            r#"{"model":"auto","max_tokens":9,"messages":[{"role":"user","content":"a"}],TIER}"#,
            "service_tier",
        ),
        (Dialect::Google, r#"{"contents":[{"role":"user","parts":[{"text":"a"}]}],TIER}"#, "serviceTier"),
    ] {
        let asked = |tier: &str| {
            let body = body.replace("TIER", &format!(r#""{name}":"{tier}""#));
            world.call(Call { dialect, model: Some("auto".into()), ..ManualHost::call(&body) })
        };
        let refused = asked("priority").unwrap_err();
        assert_eq!(refused.code, Code::UnpricedInput, "{dialect:?}");
        let Detail::Fields(fields) = refused.detail else { panic!("{dialect:?}: no field") };
        assert_eq!(fields[0].path, name);
    }
    assert!(world.host.sent().is_empty());
}
