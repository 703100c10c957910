//! What a target says about when it may be asked again: cooling, stated waits, final errors, and whose they are.

use std::cell::Cell;
use std::time::Duration;

use tidegate::cache::Controls;
use tidegate::error::{Asked, Code, Detail};
use tidegate::gateway::{self, Call};
use tidegate::host::Clock;
use tidegate::secret::Secret;
use tidegate::testing::{ManualHost, Scripted, completion, status};

use super::{GROQ, OPENROUTER, World, body};

#[test]
fn a_limited_target_cools_without_counting_as_broken() {
    let world = World::new("{}");
    world.host.answer(|sent| match sent.provider.as_str() {
        "groq" => status(429, &[("retry-after", "30")], ""),
        _ => completion("ok", 5, 5),
    });
    assert_eq!(world.ask("a").unwrap().meta.target, OPENROUTER);
    assert_eq!(world.sent_to("groq"), 1, "thirty seconds are not slept while another target can be tried");
    for text in ["b", "c", "d", "e", "f", "g"] {
        world.ask(text).unwrap();
    }
    assert_eq!((world.sent_to("groq"), world.events("circuit-open")), (1, 0));
    world.host.advance(Duration::from_secs(31));
    world.host.answer(|_| completion("ok", 5, 5));
    assert_eq!(world.ask("h").unwrap().meta.target, GROQ);
}

#[test]
fn another_key_has_another_breaker_and_cools_apart() {
    let world = World::new("{}");
    let limited = |world: &World| {
        world.host.answer(|sent| match sent.provider.as_str() {
            "groq" => status(429, &[("retry-after", "600")], ""),
            _ => completion("ok", 5, 5),
        });
    };
    limited(&world);
    assert_eq!(world.ask("a").unwrap().meta.target, OPENROUTER);
    world.gate.set_key("groq", Secret::new("gsk_groqs-other-key".into()));
    world.host.answer(|_| completion("ok", 5, 5));
    assert_eq!(world.ask("b").unwrap().meta.target, GROQ);
    world.gate.set_key("groq", Secret::new("gsk_groqs-own-key".into()));
    assert_eq!(world.ask("c").unwrap().meta.target, OPENROUTER, "the first one still has to wait");

    let world = World::new(r#"{"breaker":{"failures":2},"retry":{"maxRetries":1}}"#);
    world.host.answer(|sent| if sent.provider == "groq" { status(500, &[], "") } else { completion("ok", 5, 5) });
    assert_eq!(world.ask("a").unwrap().meta.target, OPENROUTER);
    let opened = world.host.events().into_iter().find(|(name, _)| *name == "circuit-open").unwrap().1;
    let mut told = String::new();
    opened.push_json(&mut told);
    assert!(told.contains(&format!(r#""target":"{GROQ}""#)), "nothing of the key is told: {told}");
    world.gate.set_key("groq", Secret::new("gsk_groqs-other-key".into()));
    world.host.answer(|_| completion("ok", 5, 5));
    assert_eq!(world.ask("b").unwrap().meta.target, GROQ);

    // One caller's key that has to wait is no reason for another's.
    let world = World::new(r#"{"keys":"passthrough"}"#);
    let ask = |text: &str, key: &str| {
        let own_key = world.gate.admit_key(&*world.host, Some("groq"), Some(key));
        assert!(own_key.is_some());
        world.call(Call { own_key, ..ManualHost::call(&body(text)) })
    };
    let [ann, bob] = ["A1b2", "Z9y8"].map(|part| format!("gsk_{}", part.repeat(13)));
    limited(&world);
    assert_eq!(ask("a", &ann).unwrap_err().code, Code::UpstreamLimited);
    world.host.answer(|_| completion("ok", 5, 5));
    assert_eq!(ask("b", &bob).unwrap().meta.target, GROQ);
    assert_eq!(ask("c", &ann).unwrap_err().code, Code::UpstreamLimited);
}

#[test]
fn a_broken_target_that_says_when_it_is_back_is_not_asked_before() {
    let world = World::new("{}");
    world.host.answer(|sent| match sent.provider.as_str() {
        "groq" => status(503, &[("retry-after", "600")], ""),
        _ => completion("ok", 5, 5),
    });
    for text in ["a", "b", "c", "d", "e", "f", "g"] {
        assert_eq!(world.ask(text).unwrap().meta.target, OPENROUTER);
    }
    assert_eq!((world.sent_to("groq"), world.events("circuit-open")), (1, 0));
    world.host.advance(Duration::from_secs(599));
    assert_eq!(world.ask("h").unwrap().meta.target, OPENROUTER);
    world.host.advance(Duration::from_secs(2));
    world.host.answer(|_| completion("ok", 5, 5));
    assert_eq!(world.ask("i").unwrap().meta.target, GROQ);
    // A short wait is slept, and the target is open again by then.
    let world = World::new("{}");
    let first = Cell::new(true);
    world.host.answer(move |_| {
        if first.replace(false) { status(503, &[("retry-after", "1")], "") } else { completion("ok", 5, 5) }
    });
    assert_eq!(world.ask("a").unwrap().meta.target, GROQ);
}

#[test]
fn a_short_stated_wait_is_slept() {
    let world = World::new("{}");
    let first = Cell::new(true);
    world.host.answer(move |_| {
        if first.replace(false) { status(429, &[("retry-after-ms", "1500")], "") } else { completion("ok", 5, 5) }
    });
    assert_eq!(world.ask("a").unwrap().meta.target, GROQ);
    let sent = world.host.sent();
    assert_eq!(sent[1].at.since(sent[0].at), Duration::from_millis(1_550));
}

#[test]
fn a_longer_wait_is_slept_where_no_other_target_could_be_admitted() {
    let cooling = status(429, &[("retry-after", "600")], "");
    let broken = status(500, &[], "");
    for (other, config) in [(cooling, "{}"), (broken, r#"{"breaker":{"failures":4},"retry":{"maxRetries":3}}"#)] {
        let world = World::new(config);
        world.host.answer(move |sent| if sent.provider == "groq" { status(401, &[], "") } else { other.clone() });
        world.refused("makes the other target rest");
        let before = world.host.sent().len();
        let first = Cell::new(true);
        world.host.answer(move |_| {
            if first.replace(false) { status(429, &[("retry-after", "5")], "") } else { completion("ok", 5, 5) }
        });
        assert_eq!(world.ask("a").unwrap().meta.target, GROQ);
        let sent = world.host.sent();
        assert_eq!(sent[before + 1].at.since(sent[before].at), Duration::from_millis(5_050));
        let records = world.gate.records();
        let replayed = world.host.run(gateway::replay(&world.gate, &world.host, records.last().unwrap()));
        assert!(replayed.unwrap().unwrap().same);
        // What the other one is to another tenant is no reason to wait.
        world.host.answer(|sent| match sent.provider.as_str() {
            "groq" => status(429, &[("retry-after", "5")], ""),
            _ => completion("ok", 5, 5),
        });
        let call = Call::chat(&body("b"), "another tenant");
        assert_eq!(world.call(call).unwrap().meta.target, OPENROUTER);
    }
}

#[test]
fn a_final_error_is_repeated_until_the_wait_that_it_states_has_passed() {
    let world =
        World::new(r#"{"retry":{"maxRetries":0},"targets":[{"provider":"groq","model":"openai/gpt-oss-20b"}]}"#);
    world.host.answer(|_| status(429, &[("retry-after", "5")], ""));
    let first = world.refused("a");
    assert_eq!(first.retry_after, Some(Duration::from_secs(5)));
    assert_eq!(first.asked, Some(Asked { exchanges: 1, target: GROQ.into() }));
    world.host.answer(|_| completion("ok", 5, 5));
    world.host.advance(Duration::from_secs(4));
    let again = world.refused("a");
    assert_eq!((again.attempts.len(), again.asked.as_ref()), (1, None), "nobody was asked again");
    assert_eq!((again.code, again.retry_after), (Code::UpstreamLimited, Some(Duration::from_secs(1))));
    world.host.advance(Duration::from_secs(1));
    assert_eq!(world.ask("a").unwrap().meta.target, GROQ, "who comes back when he was told to is served");
}

#[test]
fn a_timeout_is_no_final_error() {
    let world =
        World::new(r#"{"retry":{"maxRetries":0},"targets":[{"provider":"groq","model":"openai/gpt-oss-20b"}]}"#);
    world.host.answer(|_| Scripted::Silence);
    assert_eq!(world.refused("a").code, Code::Timeout);
    world.host.answer(|_| completion("ok", 5, 5));
    assert_eq!(world.ask("a").unwrap().meta.target, GROQ, "the next try may well be answered");
}

#[test]
fn final_errors_of_many_questions_are_not_all_remembered_and_a_newer_one_replaces_the_older() {
    let world =
        World::new(r#"{"retry":{"maxRetries":0},"targets":[{"provider":"groq","model":"openai/gpt-oss-20b"}]}"#);
    world.host.answer(|_| status(400, &[], ""));
    for number in 0..100 {
        world.refused(&number.to_string());
    }
    world.refused("99");
    assert_eq!(world.host.sent().len(), 100, "known");
    world.refused("0");
    assert_eq!(world.host.sent().len(), 101, "forgotten");
    world.host.answer(|_| status(404, &[], ""));
    let refresh = Controls { refresh: true, ..Controls::default() };
    world.call(Call { controls: refresh, ..ManualHost::call(&body("0")) }).unwrap_err();
    assert_eq!(world.refused("0").detail, Detail::Status(404));
}

#[test]
fn a_final_error_ends_with_the_keys_that_it_was_found_with() {
    let both_refused = || {
        let world = World::new("{}");
        world.host.answer(|_| status(401, &[], ""));
        assert_eq!(world.refused("a").code, Code::Authentication);
        world.host.answer(|_| completion("ok", 5, 5));
        assert_eq!(world.refused("a").code, Code::Authentication, "repeated");
        world
    };
    let world = both_refused();
    world.gate.remove_key("groq");
    assert_eq!(world.ask("a").unwrap().meta.target, OPENROUTER);
    // Who asks for a fresh answer wants no old error either.
    let world = both_refused();
    let mut call = ManualHost::call(&body("a"));
    call.controls.refresh = true;
    assert_eq!(world.call(call).unwrap().meta.target, GROQ);
    let world = both_refused();
    world.gate.lock(true);
    assert_eq!(world.refused("a").code, Code::VaultLocked);
}

#[test]
fn a_clock_that_is_set_back_gives_a_request_no_more_time() {
    let world = World::new(
        r#"{"targets":[{"provider":"groq","model":"openai/gpt-oss-20b"}],"breaker":{"failures":99},
        "retry":{"maxRetries":9},"timeouts":{"totalMs":120000}}"#,
    );
    let (host, sent) = (world.host.clone(), Cell::new(0));
    world.host.answer(move |_| {
        sent.set(sent.get() + 1);
        if sent.get() == 1 {
            host.set_now(host.now().before(Duration::from_secs(86_400)));
        }
        status(503, &[("retry-after", "50")], "")
    });
    assert_eq!(world.ask("a").unwrap_err().code, Code::UpstreamFailed);
    // At once, after 50 and after 100 seconds.
    assert_eq!(world.sent_to("groq"), 3);
}
