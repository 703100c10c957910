//! Retry, breaker, fallback, deadlines, aborts.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use tidegate::abort::Abort;
use tidegate::admit::{Command, Outcome};
use tidegate::attempt::{Exchange, Reading, Timers, exchange};
use tidegate::chat::Dialect;
use tidegate::error::{Asked, Code, Detail, NetworkKind, TimeoutKind};
use tidegate::gateway::{self, CacheState};
use tidegate::host::{Clock, UpstreamRequest};
use tidegate::money::NanoUsd;
use tidegate::provider::Stamp;
use tidegate::testing::{ManualHost, Scripted, completion, status};
use tidegate::value::Value;

use super::streaming::{good, question, read};
use super::{GROQ, OPENROUTER, World, body};

#[test]
fn groq_answers_and_the_key_goes_to_groq_alone() {
    let world = World::new("{}");
    world.host.answer(|_| completion("4", 20, 1));
    let reply = world.ask("2+2?").unwrap();
    assert_eq!((reply.meta.target.as_str(), reply.meta.attempts, reply.meta.cache), (GROQ, 1, CacheState::Miss));
    // 20 input tokens at $0.075 and one output token at $0.30 per million.
    assert_eq!(reply.meta.cost.as_nano(), 1_500 + 300);
    let sent = world.host.sent();
    assert_eq!(sent[0].url, "https://api.groq.com/openai/v1/chat/completions");
    assert_eq!(sent[0].authorization, "Bearer gsk_groqs-own-key");
    assert!(sent[0].body.contains(r#""max_completion_tokens":4096"#), "the bound is sent: {}", sent[0].body);
}

#[test]
fn a_broken_groq_is_retried_then_left_and_its_circuit_opens() {
    let world = World::new("{}");
    world.host.answer(|sent| if sent.provider == "groq" { status(500, &[], "") } else { completion("ok", 5, 5) });
    let reply = world.ask("first").unwrap();
    assert_eq!((reply.meta.target.as_str(), reply.meta.attempts), (OPENROUTER, 5));
    assert_eq!(world.sent_to("groq"), 4, "one attempt and three retries");
    assert_eq!(world.events("wait"), 3);
    let events = world.host.events();
    let started = events.iter().filter(|(name, _)| *name == "attempt-start");
    let retries: Vec<_> = started.map(|(_, event)| event.field("retry") == Some(&Value::Bool(true))).collect();
    assert_eq!(retries, [false, true, true, true, false], "a fallback is no retry");
    assert_eq!(world.events("attempt-end"), 5);
    // The fifth failure opens the circuit; from then on Groq is not called.
    assert_eq!(world.ask("second").unwrap().meta.target, OPENROUTER);
    assert_eq!(world.sent_to("groq"), 5);
    assert_eq!(world.events("circuit-open"), 1);
    assert_eq!(world.ask("third").unwrap().meta.attempts, 1);
    assert_eq!(world.sent_to("groq"), 5);
    // A minute later one probe closes it.
    world.host.answer(|_| completion("ok", 5, 5));
    world.host.advance(Duration::from_secs(61));
    assert_eq!(world.ask("fourth").unwrap().meta.target, GROQ);
    assert_eq!(world.events("circuit-closed"), 1);
    assert_eq!(world.ask("fifth").unwrap().meta.target, GROQ);
}

#[test]
fn a_probe_that_fails_opens_again_and_one_that_vanishes_is_given_back() {
    let world = World::new(r#"{"breaker":{"failures":1},"retry":{"maxRetries":0}}"#);
    world.host.answer(|sent| if sent.provider == "groq" { status(503, &[], "") } else { completion("ok", 5, 5) });
    world.ask("a").unwrap();
    world.host.advance(Duration::from_secs(61));
    world.ask("b").unwrap();
    assert_eq!(world.sent_to("groq"), 2, "the probe");
    world.ask("c").unwrap();
    assert_eq!(world.sent_to("groq"), 2, "open again");
    // An abort in the middle of a probe gives it back at once.
    world.host.advance(Duration::from_secs(61));
    world.host.answer(|_| Scripted::Silence);
    let call = ManualHost::call(&body("d"));
    let abort = call.abort.clone();
    let asked = gateway::chat(&world.gate, &world.host, call);
    let stop = async {
        use tidegate::host::Timer;
        world.host.sleep(Duration::from_secs(1)).await;
        abort.trigger();
        None
    };
    let both = world.host.run_all(vec![Box::pin(async { Some(asked.await) }), Box::pin(stop)]);
    let aborted = both.into_iter().flatten().flatten().next().unwrap();
    let aborted = aborted.unwrap_err();
    assert_eq!((aborted.code, aborted.attempts.len()), (Code::Aborted, 0));
    assert_eq!(aborted.asked, Some(Asked { exchanges: 1, target: GROQ.into() }), "nobody's failure, but it was asked");
    world.host.answer(|_| completion("ok", 5, 5));
    assert_eq!(world.ask("e").unwrap().meta.target, GROQ, "the next probe starts without a wait");
}

#[test]
fn when_all_fail_the_primarys_error_carries_every_attempt() {
    let world = World::new(r#"{"retry":{"maxRetries":1}}"#);
    world.host.answer(|sent| match sent.provider.as_str() {
        "groq" => status(500, &[], "<html>oops</html>"),
        _ => status(404, &[], r#"{"error":{"message":"No endpoints found for qwen","code":404}}"#),
    });
    let error = world.refused("a");
    assert_eq!(
        (error.code, error.provider.as_deref(), &error.detail),
        (Code::UpstreamFailed, Some("groq"), &Detail::Status(500))
    );
    let attempts: Vec<_> =
        error.attempts.iter().map(|one| (one.attempt, one.target.as_str(), one.code, one.status)).collect();
    assert_eq!(
        attempts,
        [
            (1, GROQ, Code::UpstreamFailed, Some(500)),
            (2, GROQ, Code::UpstreamFailed, Some(500)),
            (3, OPENROUTER, Code::ModelNotFound, Some(404)),
        ]
    );
    assert_eq!(error.asked, Some(Asked { exchanges: 3, target: OPENROUTER.into() }), "the last one");
    // Asked again at once, the answer is known without a call; ten seconds later it is asked anew.
    let again = world.refused("a");
    assert_eq!((again.code, again.cost), (Code::UpstreamFailed, NanoUsd::ZERO));
    assert!(error.request_id.as_deref().is_some_and(|id| id.starts_with("tg-")));
    assert!(again.request_id.is_some_and(|id| Some(id) != error.request_id), "a request of its own");
    assert_eq!(world.host.sent().len(), 3);
    world.host.advance(Duration::from_secs(11));
    world.refused("a");
    assert!(world.host.sent().len() > 3);
}

/// What a fallback has against the request says little: the primary may take it tomorrow.
#[test]
fn a_fallback_that_refuses_does_not_hide_why_the_primary_failed() {
    let world = World::new(r#"{"retry":{"maxRetries":0}}"#);
    world.host.answer(|sent| status(if sent.provider == "groq" { 503 } else { 400 }, &[], ""));
    let error = world.refused("a");
    assert_eq!(
        (error.code, error.provider.as_deref(), &error.detail),
        (Code::UpstreamFailed, Some("groq"), &Detail::Status(503))
    );
    let attempts: Vec<_> = error.attempts.iter().map(|one| (one.target.as_str(), one.status)).collect();
    assert_eq!(attempts, [(GROQ, Some(503)), (OPENROUTER, Some(400))]);
    // Nor does a cap that leaves no room for a fallback that costs something.
    let paid = r#"{"provider":"groq","model":"openai/gpt-oss-20b"},{"provider":"openrouter","model":"openai/gpt-4o"}"#;
    let world =
        World::new(&format!(r#"{{"retry":{{"maxRetries":0}},"budget":{{"limitUsd":"0.002"}},"targets":[{paid}]}}"#));
    world.host.answer(|_| status(503, &[], ""));
    let error = world.refused("a");
    assert_eq!((error.code, error.provider.as_deref()), (Code::UpstreamFailed, Some("groq")));
    let codes: Vec<_> = error.attempts.iter().map(|one| one.code).collect();
    assert_eq!(codes, [Code::UpstreamFailed, Code::BudgetExceeded]);
    // The primary's own refusal is the primary's.
    let world = World::new("{}");
    let asked = Cell::new(0);
    world.host.answer(move |_| status(if asked.replace(asked.get() + 1) > 0 { 400 } else { 503 }, &[], ""));
    assert_eq!(world.refused("a").http_status(), 400);
}

#[test]
fn retries_of_all_requests_share_one_budget() {
    let world = World::new(
        r#"{"targets":[{"provider":"groq","model":"openai/gpt-oss-20b"}],"breaker":{"failures":1000},
            "retry":{"budgetPercent":50,"budgetFloor":2}}"#,
    );
    world.host.answer(|_| status(500, &[], ""));
    let attempts = |text: &str| world.refused(text).attempts.len();
    assert_eq!(attempts("a"), 3, "the floor alone allows two retries");
    assert_eq!(attempts("b"), 2, "two requests allow one more");
    assert_eq!(attempts("b"), 2, "what is repeated from memory is no request");
    assert_eq!(attempts("c"), 1);
    world.host.advance(Duration::from_secs(71));
    assert_eq!(attempts("d"), 3, "a minute later");
}

#[test]
fn a_circuit_that_opens_among_the_retries_does_not_hide_what_the_provider_answered() {
    let breaker = r#""breaker":{"failures":2}"#;
    for others in ["", r#","targets":[{"provider":"groq","model":"openai/gpt-oss-20b"}]"#] {
        let world = World::new(&format!("{{{breaker}{others}}}"));
        world.host.answer(|sent| status(if sent.provider == "groq" { 500 } else { 401 }, &[], ""));
        let error = world.refused("a");
        assert_eq!(
            (error.code, error.provider.as_deref(), error.detail),
            (Code::UpstreamFailed, Some("groq"), Detail::Status(500))
        );
        let attempts: Vec<_> = error.attempts.iter().map(|one| (one.target.as_str(), one.code)).collect();
        let mut all = vec![(GROQ, Code::UpstreamFailed), (GROQ, Code::UpstreamFailed), (GROQ, Code::CircuitOpen)];
        if others.is_empty() {
            all.push((OPENROUTER, Code::Authentication));
        }
        assert_eq!(attempts, all);
        // Who asks something else is told what holds now: nobody is asked.
        assert_eq!(world.refused("b").code, Code::CircuitOpen);
    }
}

#[test]
fn a_cap_that_ends_the_retries_does_not_hide_what_the_provider_answered() {
    // Room for one attempt that may be billed, not for two.
    let world =
        World::new(r#"{"budget":{"limitUsd":"0.002"},"targets":[{"provider":"groq","model":"openai/gpt-oss-20b"}]}"#);
    world.host.answer(|_| status(200, &[], "<html>"));
    let error = world.refused("a");
    assert_eq!(error.code, Code::UpstreamMalformed);
    let attempts: Vec<_> = error.attempts.iter().map(|one| one.code).collect();
    assert_eq!(attempts, [Code::UpstreamMalformed, Code::BudgetExceeded]);
    assert_eq!(world.refused("b").code, Code::BudgetExceeded);
}

#[test]
fn a_device_that_was_offline_is_answered_as_soon_as_it_is_back() {
    let world = World::new("{}");
    world.host.answer(|_| Scripted::Lost(Duration::from_millis(5), NetworkKind::Offline));
    for text in ["a", "b", "c"] {
        let error = world.refused(text);
        assert_eq!((error.code, error.message()), (Code::UpstreamFailed, "This device is offline: nothing was sent."));
        assert_eq!(error.cost, NanoUsd::ZERO);
    }
    assert!(world.sent_to("groq") > 5, "more often than a circuit bears");
    // That says nothing of a target's health, and is not kept as its answer.
    world.host.answer(|_| completion("ok", 5, 5));
    let reply = world.ask("a").unwrap();
    assert_eq!((reply.meta.target.as_str(), reply.meta.attempts, world.events("circuit-open")), (GROQ, 1, 0));
    // Any other loss may be the target's.
    let world = World::new("{}");
    world.host.answer(|_| Scripted::Lost(Duration::from_millis(5), NetworkKind::Network));
    for text in ["a", "b"] {
        world.refused(text);
    }
    assert_eq!(world.events("circuit-open"), 2);
}

#[test]
fn a_degraded_reply_stands_in_where_it_is_configured() {
    let world = World::new(r#"{"degraded":{"message":"Come back later."},"retry":{"maxRetries":0}}"#);
    world.host.answer(|_| Scripted::Lost(Duration::from_millis(5), NetworkKind::Offline));
    let reply = world.ask("a").unwrap();
    assert!(reply.meta.degraded && reply.body.contains("Come back later."));
    assert_eq!(reply.meta.cost.as_nano(), 0);
    world.host.answer(|_| completion("real", 1, 1));
    assert!(!world.ask("a").unwrap().meta.degraded, "it is not cached");
    world.host.answer(|_| status(404, &[], "{}"));
    assert!(world.ask("b").unwrap().meta.degraded);
    let sent = world.host.sent().len();
    assert!(world.ask("b").unwrap().meta.degraded, "the second one too");
    assert!(world.host.sent().len() > sent, "nobody got the error that would be repeated");
    // Nor is a circuit that is open, or silence, anybody's last word.
    let world = World::new(
        r#"{"degraded":{"message":"Later."},"breaker":{"failures":1,"openMs":600000},"retry":{"maxRetries":0}}"#,
    );
    world.host.answer(|_| Scripted::Silence);
    let silent = world.ask("a").unwrap().meta;
    assert!(silent.degraded && silent.cost.as_nano() > 0, "what may have been billed is told");
    let sent = world.host.sent().len();
    let shut = world.ask("b").unwrap().meta;
    assert_eq!((shut.degraded, shut.attempts, world.host.sent().len()), (true, 0, sent));
    // A refusal of ours is not papered over.
    assert_eq!(world.call(ManualHost::call("{}")).unwrap_err().code, Code::InvalidRequest);
    let poor = r#"{"degraded":{"message":"Later."},"budget":{"limitUsd":0},
        "targets":[{"provider":"groq","model":"openai/gpt-oss-20b"}]}"#;
    assert_eq!(World::new(poor).refused("a").code, Code::BudgetExceeded);
}

#[test]
fn an_unreadable_answer_is_retried_once() {
    let world = World::new("{}");
    world.host.answer(|sent| if sent.provider == "groq" { status(200, &[], "<html>") } else { completion("ok", 5, 5) });
    assert_eq!(world.ask("a").unwrap().meta.target, OPENROUTER);
    assert_eq!(world.sent_to("groq"), 2);
}

#[test]
fn a_refused_key_moves_on_without_harm_to_the_breaker() {
    let world = World::new("{}");
    world.host.answer(|sent| {
        if sent.provider == "groq" { status(401, &[("retry-after", "60")], "") } else { completion("ok", 5, 5) }
    });
    for text in ["a", "b", "c", "d", "e", "f", "g"] {
        assert_eq!(world.ask(text).unwrap().meta.target, OPENROUTER);
    }
    assert_eq!((world.sent_to("groq"), world.events("circuit-open")), (7, 0));
}

#[test]
fn redirects_and_bad_requests_end_the_request() {
    for (code, status_code) in [(0, 0), (302, 302), (400, 400), (422, 422)] {
        let world = World::new("{}");
        world.host.answer(move |_| status(code, &[], r#"{"error":{"message":"bad"}}"#));
        let error = world.refused("a");
        assert_eq!((error.code, error.detail), (Code::UpstreamRejected, Detail::Status(status_code)));
        assert_eq!(world.host.sent().len(), 1, "{code} is the same everywhere");
    }
}

#[test]
fn silence_ends_with_the_attempt_timer_and_the_deadline() {
    let world = World::new("{}");
    world.host.answer(|_| Scripted::Silence);
    let started = world.host.sent().len();
    let error = world.refused("a");
    assert_eq!(started, 0);
    assert_eq!((error.code, error.provider.as_deref()), (Code::Timeout, Some("groq")), "the primary's");
    // The second attempt's own timer would have run on.
    assert_eq!(error.detail, Detail::Timeout(TimeoutKind::Total));
    assert_eq!(world.host.now().since(tidegate::testing::START), Duration::from_secs(120));
    let each: Vec<_> = world.host.sent().iter().map(|sent| sent.provider.clone()).collect();
    assert_eq!(each, ["groq", "groq"], "after the deadline nobody is asked");
    // Timers that are longer than the whole request are cut to it, and the right one is told.
    for (timers, kind, seconds) in
        [(r#""totalMs":10000"#, TimeoutKind::Total, 10), (r#""attemptMs":9000"#, TimeoutKind::Attempt, 18)]
    {
        let world = World::new(&format!(r#"{{"timeouts":{{{timers}}},"retry":{{"maxRetries":0}}}}"#));
        world.host.answer(|_| Scripted::Silence);
        assert_eq!(world.refused("a").detail, Detail::Timeout(kind));
        assert_eq!(world.host.now().since(tidegate::testing::START), Duration::from_secs(seconds));
    }
}

#[test]
fn an_abort_ends_a_wait_at_once() {
    let world =
        World::new(r#"{"targets":[{"provider":"groq","model":"openai/gpt-oss-20b"}],"retry":{"baseMs":60000}}"#);
    world.host.answer(|_| status(500, &[], ""));
    let call = ManualHost::call(&body("a"));
    let abort = call.abort.clone();
    let host = world.host.clone();
    let ended = Rc::new(Cell::new(None));
    let noted = ended.clone();
    let asked = gateway::chat(&world.gate, &world.host, call);
    world.host.run_all::<()>(vec![
        Box::pin(async move {
            let error = asked.await.unwrap_err();
            noted.set(Some((error.code, host.now())));
        }),
        Box::pin(async {
            use tidegate::host::Timer;
            world.host.sleep(Duration::from_millis(200)).await;
            abort.trigger();
        }),
    ]);
    let (code, at) = ended.get().unwrap();
    assert_eq!(code, Code::Aborted);
    assert_eq!(at.since(tidegate::testing::START), Duration::from_millis(200));
}

#[test]
fn a_free_plan_never_ends_with_a_bill() {
    let targets = r#""targets":[{"provider":"openrouter","model":"qwen/qwen3-coder:free"},{"provider":"groq","model":"openai/gpt-oss-20b"}]"#;
    let world = World::new(&format!("{{{targets}}}"));
    world.host.answer(|sent| if sent.provider == "openrouter" { status(401, &[], "") } else { completion("ok", 5, 5) });
    assert_eq!(world.refused("a").code, Code::Authentication);
    assert_eq!(world.sent_to("groq"), 0);
    let world = World::new(&format!(r#"{{{targets},"allowPaidFallback":true}}"#));
    world.host.answer(|sent| if sent.provider == "openrouter" { status(401, &[], "") } else { completion("ok", 5, 5) });
    assert_eq!(world.ask("a").unwrap().meta.target, GROQ);
}

#[test]
fn what_needs_the_missing_rest_of_the_program_is_refused_and_holds_nothing() {
    let world = World::new("{}");
    world.host.strand(true);
    world.host.answer(|_| completion("ok", 5, 5));
    assert_eq!(world.ask("a plain answer").unwrap().meta.target, GROQ, "needs no rest");
    let held = |world: &World| {
        let Ok(Outcome::Status(figures)) = world.host.ask(&Command::Status).result else { panic!("no status") };
        (figures.reserved, figures.spent)
    };
    let (_, before) = held(&world);
    world.host.answer(|_| status(500, &[], ""));
    let error = world.ask("a failure").unwrap_err();
    assert_eq!((error.code, world.sent_to("groq")), (Code::Internal, 2), "asked once, and told at once");
    let (reserved, spent) = held(&world);
    assert_eq!(reserved, NanoUsd::ZERO);
    // Nobody could read whether it is billed.
    assert!(spent > before);
    world.host.answer(|_| status(200, &[], r#"{"error":{"message":"overloaded"}}"#));
    assert_eq!(world.ask("an error in a 200").unwrap_err().code, Code::Internal);
    assert_eq!(held(&world).0, NanoUsd::ZERO);
    world.host.answer(|_| good());
    assert_eq!(read(&world, &question("a stream")).unwrap_err().code, Code::Internal);
    assert_eq!(held(&world).0, NanoUsd::ZERO);
    // Once it is there, all is as ever.
    world.host.strand(false);
    world.host.answer(|sent| if sent.provider == "groq" { status(500, &[], "") } else { completion("ok", 5, 5) });
    assert_eq!(world.ask("a failure").unwrap().meta.target, OPENROUTER);
}

/// Who leaves while the ledger decides has asked nobody, and pays nothing.
#[test]
fn what_is_aborted_before_it_is_sent_is_not_sent() {
    let world = World::new("{}");
    let reading = Reading::chat(Dialect::Chat, Dialect::Chat, "groq", Stamp::new(0, false));
    let second = Duration::from_secs(1);
    let timers = Timers { attempt: second, headers: second, first_output: second };
    let abort = Abort::new();
    abort.trigger();
    let (url, body) = ("https://api.groq.com".into(), String::new());
    let request = UpstreamRequest { url, provider: "groq", headers: Vec::new(), body, stream: false };
    let ended = world.host.run(exchange(&*world.host, request, &reading, &timers, &abort));
    assert!(matches!(ended, Some(Exchange::Aborted { sent: false })));
    assert!(world.host.sent().is_empty());
}
