//! The exact cache and single-flight, through the whole pipeline.

use std::cell::Cell;
use std::pin::Pin;
use std::time::Duration;

use tidegate::admit::{Command, Outcome};
use tidegate::cache::Controls;
use tidegate::chat::Dialect;
use tidegate::error::{Code, Result};
use tidegate::gateway::{self, CacheState, Call, Reply};
use tidegate::host::{Clock, Timer};
use tidegate::money::NanoUsd;
use tidegate::testing::{ManualHost, START, Scripted, completion, status};

use super::{World, body};

/// Somebody who asks, or who does something else meanwhile.
type Work<'a> = Pin<Box<dyn Future<Output = Option<Result<Reply>>> + 'a>>;

#[test]
fn a_hit_costs_nothing_and_has_an_id_of_its_own() {
    let world = World::new("{}");
    world.host.answer(|_| completion("Paris", 20, 5));
    let first = world.ask("Capital of France?").unwrap();
    world.host.advance(Duration::from_secs(10));
    let second = world.ask("Capital of France?").unwrap();
    assert_eq!(world.host.sent().len(), 1);
    assert_eq!((second.meta.cache, second.meta.cost, second.meta.attempts), (CacheState::Hit, NanoUsd::ZERO, 0));
    assert_eq!(second.meta.saved, Some(first.meta.cost));
    assert_eq!(second.meta.age, Some(Duration::from_secs(10)));
    assert!(second.body.contains("Paris") && second.body.contains(r#""prompt_tokens":0"#), "{}", second.body);
    assert_ne!(first.body, second.body);
    assert!(second.body.contains(&second.meta.request_id));
    world.host.advance(Duration::from_secs(300));
    assert_eq!(world.ask("Capital of France?").unwrap().meta.cache, CacheState::Miss, "five minutes are over");
}

#[test]
fn a_request_that_is_known_by_its_text_is_answered_as_if_it_were_read() {
    let world = World::new(r#"{"cache":{"ttlMs":60000}}"#);
    world.host.answer(|sent| completion(if sent.body.contains("[1]") { "one" } else { "two" }, 20, 5));
    let hit = |text: &str, says: &str| {
        let reply = world.ask(text).unwrap();
        let hit = reply.meta.cache == CacheState::Hit;
        assert!(reply.body.contains(says) && reply.body.contains(&reply.meta.request_id) == hit, "{}", reply.body);
        hit
    };
    assert!(!hit("[1]", "one") && !hit("[2]", "two"));
    // The first hit is read, those after it are known.
    for _ in 0..4 {
        assert!(hit("[1]", "one") && hit("[2]", "two"));
    }
    let [read, known] = [2, 4].map(|at| {
        let record = world.gate.records()[at].to_string();
        let (_, facts) = record.split_once("\nfacts").unwrap();
        facts.to_owned()
    });
    assert_eq!(read, known, "what both records say of the request");
    let other = Call { tenant: "other".into(), ..ManualHost::call(&body("[1]")) };
    assert_eq!(world.call(other).unwrap().meta.cache, CacheState::Miss);
    let skip = Controls { skip_read: true, ..Controls::default() };
    let skipped = Call { controls: skip, ..ManualHost::call(&body("[1]")) };
    assert_eq!(world.call(skipped).unwrap().meta.cache, CacheState::Bypass);
    // Another answer to a known request.
    world.gate.clear_cache();
    world.host.answer(|_| completion("three", 20, 5));
    assert!(!hit("[1]", "three") && hit("[1]", "three") && hit("[1]", "three"));
    world.host.advance(Duration::from_secs(61));
    world.host.answer(|_| completion("four", 20, 5));
    assert!(!hit("[1]", "four") && hit("[1]", "four"));
}

#[test]
fn tenants_namespaces_and_models_never_share() {
    let world = World::new("{}");
    world.host.answer(|_| completion("x", 1, 1));
    world.ask("a").unwrap();
    let other_tenant = Call { tenant: "other".into(), ..ManualHost::call(&body("a")) };
    assert_eq!(world.call(other_tenant).unwrap().meta.cache, CacheState::Miss);
    let namespace = Controls { namespace: Some("n".into()), ..Controls::default() };
    let other_space = Call { controls: namespace, ..ManualHost::call(&body("a")) };
    assert_eq!(world.call(other_space).unwrap().meta.cache, CacheState::Miss);
    let pinned = r#"{"model":"openai/gpt-oss-20b","messages":[{"role":"user","content":"a"}]}"#;
    assert_eq!(world.call(ManualHost::call(pinned)).unwrap().meta.cache, CacheState::Miss);
    assert_eq!(world.ask("a").unwrap().meta.cache, CacheState::Hit);
}

#[test]
fn controls_are_obeyed() {
    let world = World::new("{}");
    world.host.answer(|_| completion("x", 1, 1));
    let ask = |controls: Controls| world.call(Call { controls, ..ManualHost::call(&body("a")) }).unwrap().meta.cache;
    assert_eq!(ask(Controls { skip_write: true, ..Controls::default() }), CacheState::Miss);
    assert_eq!(ask(Controls::default()), CacheState::Miss, "nothing was kept");
    assert_eq!(ask(Controls { skip_read: true, ..Controls::default() }), CacheState::Bypass);
    assert_eq!(
        ask(Controls { refresh: true, ttl: Some(Duration::from_secs(1)), ..Controls::default() }),
        CacheState::Bypass
    );
    world.host.advance(Duration::from_secs(2));
    assert_eq!(ask(Controls::default()), CacheState::Miss, "the refresh had a second to live");
}

#[test]
fn a_fallbacks_answer_does_not_stand_in_for_the_primary() {
    let broken = |sent: &tidegate::testing::Sent| {
        if sent.provider == "groq" { status(401, &[], "") } else { completion("other", 1, 1) }
    };
    let world = World::new("{}");
    world.host.answer(broken);
    world.ask("a").unwrap();
    assert_eq!(world.ask("a").unwrap().meta.cache, CacheState::Miss);
    let allowed = World::new(r#"{"cache":{"fallbackAnswers":true}}"#);
    allowed.host.answer(broken);
    allowed.ask("a").unwrap();
    assert_eq!(allowed.ask("a").unwrap().meta.cache, CacheState::Hit);
}

#[test]
fn equal_requests_at_once_are_one() {
    let world = World::new("{}");
    world.host.answer(|_| completion("x", 10, 10));
    let text = body("same");
    let ended = world.side_by_side([&text; 5]);
    assert_eq!(world.host.sent().len(), 1);
    let replies: Vec<_> = ended.into_iter().map(Result::unwrap).collect();
    let paid = replies.iter().filter(|reply| reply.meta.cost > NanoUsd::ZERO).count();
    let joined = replies.iter().filter(|reply| reply.meta.cache == CacheState::Joined).count();
    assert_eq!((paid, joined), (1, 4));
    let told = world.gate.records().iter().filter(|record| record.contains("\ncache\tjoined\n")).count();
    assert_eq!(told, 4);
}

#[test]
fn one_waiter_who_leaves_does_not_take_the_others_with_it() {
    let world = World::new("{}");
    world.host.answer(|_| Scripted::Answer(Duration::from_secs(5), 200, Vec::new(), br#"{"choices":[{"message":{"content":"x"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1}}"#.to_vec()));
    let text = body("same");
    let leader = ManualHost::call(&text);
    let abort = leader.abort.clone();
    let leaver = async {
        use tidegate::host::Timer;
        world.host.sleep(Duration::from_secs(1)).await;
        abort.trigger();
        None
    };
    let late = async {
        world.host.sleep(Duration::from_secs(2)).await;
        Some(gateway::chat(&world.gate, &world.host, ManualHost::call(&text)).await)
    };
    let ended = world.host.run_all::<Option<Result<Reply>>>(vec![
        Box::pin(async { Some(gateway::chat(&world.gate, &world.host, leader).await) }) as _,
        Box::pin(async { Some(gateway::chat(&world.gate, &world.host, ManualHost::call(&text)).await) }) as _,
        Box::pin(async { Some(gateway::chat(&world.gate, &world.host, ManualHost::call(&text)).await) }) as _,
        Box::pin(late) as _,
        Box::pin(leaver) as _,
    ]);
    let ended: Vec<_> = ended.into_iter().map(Option::unwrap).collect();
    assert_eq!(ended[0].as_ref().unwrap().as_ref().unwrap_err().code, Code::Aborted);
    let told = |at: usize| {
        let meta = &ended[at].as_ref().unwrap().as_ref().unwrap().meta;
        (meta.cost, meta.saved, meta.cache)
    };
    let (price, joined) = (NanoUsd::new(375), CacheState::Joined);
    let mut costs = [told(1), told(2), told(3)];
    costs.sort_by_key(|(cost, ..)| *cost);
    // What it cost is told once, though who began it has left.
    let free = (NanoUsd::ZERO, Some(price), joined);
    assert_eq!(costs, [free, free, (price, None, joined)]);
    assert_eq!(world.host.sent().len(), 1, "the exchange went on for those who stayed, and for who came after that");
    assert!(world.gate.records().iter().any(|record| record.contains("\ncache\tleft\n")));
}

#[test]
fn what_was_spent_is_told_once_whoever_leaves_and_however_it_ends() {
    let good = r#"{"choices":[{"message":{"content":"x"},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":9}}"#;
    for (leaver, answer) in [(0, good), (1, good), (0, "<html>"), (1, "<html>")] {
        let world =
            World::new(r#"{"retry":{"maxRetries":0},"targets":[{"provider":"groq","model":"openai/gpt-oss-20b"}]}"#);
        world.host.answer(move |_| Scripted::Answer(Duration::from_secs(5), 200, Vec::new(), answer.into()));
        let calls = [(); 4].map(|()| ManualHost::call(&body("same")));
        let (host, abort) = (world.host.clone(), calls[leaver].abort.clone());
        let mut work: Vec<Work> = vec![Box::pin(async move {
            host.sleep(Duration::from_secs(1)).await;
            abort.trigger();
            None
        })];
        for call in calls {
            let (gate, host) = (world.gate.clone(), world.host.clone());
            work.push(Box::pin(async move { Some(gateway::chat(&gate, &host, call).await) }));
        }
        let ended = world.host.run_all(work).into_iter().flatten().flatten();
        let mut costs: Vec<_> =
            ended.map(|ended| ended.map_or_else(|error| error.cost, |reply| reply.meta.cost)).collect();
        costs.sort_unstable();
        assert_eq!(costs.len(), 4);
        assert!(costs[2] == NanoUsd::ZERO && costs[3] > NanoUsd::ZERO, "{leaver} {answer}: {costs:?}");
        assert_eq!(world.host.sent().len(), 1);
    }
}

#[test]
fn the_last_waiter_who_leaves_takes_the_request_with_him() {
    let world = World::new("{}");
    world.host.answer(|_| Scripted::Silence);
    let calls = [1, 2].map(|seconds| {
        let call = ManualHost::call(&body("same"));
        let (world, abort) = (&world, call.abort.clone());
        let leaves = async move {
            world.host.sleep(Duration::from_secs(seconds)).await;
            abort.trigger();
            None
        };
        let asks = async move { Some(gateway::chat(&world.gate, &world.host, call).await) };
        [Box::pin(asks) as Work, Box::pin(leaves)]
    });
    let ended = world.host.run_all(calls.into_iter().flatten().collect());
    let codes: Vec<_> = ended.into_iter().flatten().flatten().map(|ended| ended.unwrap_err().code).collect();
    assert_eq!((codes, world.host.sent().len()), (vec![Code::Aborted; 2], 1));
    assert_eq!(world.host.now().since(START), Duration::from_secs(2));
    let Ok(Outcome::Status(figures)) = world.host.ask(&Command::Status).result else { panic!("no figures") };
    assert_eq!((figures.reserved, figures.in_flight), (NanoUsd::ZERO, 0));
    assert_eq!(world.events("attempt-end"), 1);
}

#[test]
fn a_final_error_is_everybodys_who_waits_and_its_cost_one_callers() {
    let world =
        World::new(r#"{"retry":{"maxRetries":0},"targets":[{"provider":"groq","model":"openai/gpt-oss-20b"}]}"#);
    world.host.answer(|_| status(200, &[], "<html>"));
    let ended = world.side_by_side([body("a"), body("a"), body("a")]);
    let errors: Vec<_> = ended.into_iter().map(Result::unwrap_err).collect();
    assert!(errors.iter().all(|error| error.code == Code::UpstreamMalformed));
    assert!(errors[0].cost > NanoUsd::ZERO && errors[0].asked.is_some());
    assert!(errors[1..].iter().all(|error| error.cost == NanoUsd::ZERO && error.asked.is_none()));
    assert_eq!((world.refused("a").cost, world.host.sent().len()), (NanoUsd::ZERO, 1));
    let told = |how: &str| world.gate.records().iter().filter(|record| record.contains(how)).count();
    assert_eq!((told("\ncache\tjoined-error\n"), told("\ncache\tfinal-error\n")), (2, 1));
}

#[test]
fn a_leaders_own_refusal_is_not_shared() {
    // Room for one at a time: the leader of the second question is refused while the first runs.
    let world = World::new(
        r#"{"limits":{"maxConcurrent":1},"timeouts":{"attemptMs":1000,"totalMs":1000},"retry":{"maxRetries":0},
        "targets":[{"provider":"groq","model":"openai/gpt-oss-20b"}]}"#,
    );
    world.host.answer(|_| Scripted::Silence);
    let (one, two) = (body("one"), body("two"));
    let ended = world.side_by_side([&one, &two, &two]);
    let codes: Vec<_> = ended.into_iter().map(|ended| ended.unwrap_err().code).collect();
    assert_eq!(codes, [Code::Timeout, Code::QueueFull, Code::QueueFull]);
    assert_eq!(world.host.sent().len(), 1);
}

#[test]
fn what_is_saved_is_what_the_answer_cost_without_the_failures_before_it() {
    let world = World::new("{}");
    let first = Cell::new(true);
    world.host.answer(move |_| if first.replace(false) { status(200, &[], "<html>") } else { completion("4", 20, 1) });
    let ended = world.side_by_side([body("2+2?"), body("2+2?")]);
    let metas: Vec<_> = ended.into_iter().map(|ended| ended.unwrap().meta).collect();
    assert!(metas[0].cost.as_nano() > 1_200_000, "what cannot be read may have been billed: {:?}", metas[0].cost);
    let own = Some(NanoUsd::new(1_800));
    assert_eq!((metas[0].saved, metas[1].cache, metas[1].saved), (None, CacheState::Joined, own));
    let hit = world.ask("2+2?").unwrap().meta;
    assert_eq!((hit.cache, hit.saved), (CacheState::Hit, own));
}

#[test]
fn a_leaders_own_deadline_is_not_shared() {
    let world = World::new(
        r#"{"timeouts":{"attemptMs":10000,"totalMs":10000},"targets":[{"provider":"groq","model":"openai/gpt-oss-20b"}]}"#,
    );
    let first = Cell::new(true);
    world.host.answer(move |_| if first.replace(false) { Scripted::Silence } else { completion("4", 20, 1) });
    let call = || ManualHost::call(&body("2+2?"));
    let joins = async {
        world.host.sleep(Duration::from_secs(9)).await;
        gateway::chat(&world.gate, &world.host, call()).await
    };
    let ended = world.host.run_all(vec![Box::pin(gateway::chat(&world.gate, &world.host, call())), Box::pin(joins)]);
    let [Some(leader), Some(joiner)] = &ended[..] else { panic!("somebody waits for ever") };
    assert_eq!(leader.as_ref().unwrap_err().code, Code::Timeout);
    let meta = &joiner.as_ref().unwrap().meta;
    assert_eq!((meta.cache, meta.attempts), (CacheState::Miss, 1), "the one who joined leads, with time of its own");
    assert_eq!(world.host.sent()[1].at.since(START), Duration::from_secs(10));
}

#[test]
fn a_target_is_asked_for_by_its_model_or_by_its_whole_name() {
    let world = World::new(r#"{"cache":{"ttlMs":0}}"#);
    world.host.answer(|_| completion("4", 20, 1));
    for (model, target) in [
        ("openai/gpt-oss-20b", super::GROQ),
        (super::GROQ, super::GROQ),
        ("qwen/qwen3-coder:free", super::OPENROUTER),
        (super::OPENROUTER, super::OPENROUTER),
        ("auto", super::GROQ),
    ] {
        let asked = format!(r#"{{"model":"{model}","messages":[{{"role":"user","content":"a"}}]}}"#);
        assert_eq!(world.call(ManualHost::call(&asked)).unwrap().meta.target, target, "{model}");
    }
}

#[test]
fn errors_cut_answers_and_tool_calls_are_not_kept() {
    let world = World::new("{}");
    let cut = r#"{"choices":[{"message":{"content":"x"},"finish_reason":"length"}],"usage":{"prompt_tokens":1,"completion_tokens":1}}"#;
    let tool = r#"{"choices":[{"message":{"content":null,"tool_calls":[{"id":"1"}]},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":1,"completion_tokens":1}}"#;
    for answer in [cut, tool] {
        world.host.answer(move |_| status(200, &[], answer));
        world.ask(answer.get(..20).unwrap().replace('"', "").as_str()).unwrap();
        assert_eq!(world.gate.cached(), 0, "{answer}");
    }
}

/// Some servers give one answer whatever is asked for. Who asks again may be answered by a better one.
#[test]
fn fewer_answers_than_were_asked_for_are_passed_on_and_not_kept() {
    let world = World::new("{}");
    let choice = |index: u32| {
        format!(r#"{{"index":{index},"message":{{"role":"assistant","content":"x"}},"finish_reason":"stop"}}"#)
    };
    let answer = |choices: &str| {
        let usage = r#""usage":{"prompt_tokens":9,"completion_tokens":9}"#;
        status(200, &[], &format!(r#"{{"choices":[{choices}],{usage}}}"#))
    };
    let (one, two) = (choice(0), [choice(0), choice(1)].join(","));
    let ask = || {
        let body = r#"{"n":2,"messages":[{"role":"user","content":"Hi"}]}"#;
        world.call(ManualHost::call(body)).unwrap()
    };
    world.host.answer(move |_| answer(&one));
    assert!(ask().body.contains(r#""content":"x""#));
    world.host.answer(move |_| answer(&two));
    assert_eq!(ask().meta.cache, CacheState::Miss);
    assert_eq!(ask().meta.cache, CacheState::Hit);
}

#[test]
fn a_model_in_the_path_is_part_of_the_question() {
    let world = World::new(
        r#"{"targets":[{"provider":"groq","model":"a"},{"provider":"groq","model":"b"}],
        "prices":[{"provider":"groq","model":"a","inputUsd":1,"outputUsd":1},
                  {"provider":"groq","model":"b","inputUsd":1,"outputUsd":1}]}"#,
    );
    world.host.answer(|_| completion("ok", 1, 1));
    let ask = |model: &str| {
        let body = r#"{"contents":[{"role":"user","parts":[{"text":"Hi"}]}]}"#;
        let call = Call { dialect: Dialect::Google, model: Some(model.into()), ..ManualHost::call(body) };
        let meta = world.call(call).unwrap().meta;
        (meta.cache, meta.target)
    };
    for (model, cache) in
        [("a", CacheState::Miss), ("a", CacheState::Hit), ("b", CacheState::Miss), ("b", CacheState::Hit)]
    {
        assert_eq!(ask(model), (cache, format!("groq/{model}")));
    }
}
