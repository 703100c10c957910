//! Whose key is used, and what becomes of those that are not.

use tidegate::error::{Code, Detail};
use tidegate::gateway::{self, CacheState};
use tidegate::testing::{ManualHost, completion};
use tidegate::value::Value;

use super::{OPENROUTER, World, body};

/// Shaped like a key, and nobody's.
const KEY: &str = concat!("gsk_", "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOP");

#[test]
fn a_key_that_comes_with_a_request_is_used_only_where_the_configuration_says_so() {
    for (config, used) in [("{}", false), (r#"{"keys":"passthrough"}"#, true)] {
        let world = World::new(config);
        world.host.answer(|_| completion("ok", 1, 1));
        let own_key = world.gate.admit_key(&*world.host, Some("groq"), Some(KEY));
        assert_eq!(own_key.is_some(), used);
        let told: Vec<_> = world.host.events().into_iter().filter(|(name, _)| *name == "key-in-request").collect();
        assert_eq!(told.len(), usize::from(!used));
        assert!(told.iter().all(|(_, event)| event.field("provider") == Some(&Value::from("groq"))));
        world.call(gateway::Call { own_key, ..ManualHost::call(&body("Hi")) }).unwrap();
        let wanted = if used { KEY } else { "gsk_groqs-own-key" };
        assert_eq!(world.host.sent()[0].authorization, format!("Bearer {wanted}"));
        // What SDKs insist on is no key, and nothing to tell of.
        assert!(world.gate.admit_key(&*world.host, Some("groq"), Some("tidegate")).is_none());
        assert_eq!(world.events("key-in-request"), told.len());
    }
}

#[test]
fn nobody_is_answered_with_what_anothers_key_paid_for() {
    let world = World::new(r#"{"keys":"passthrough"}"#);
    world.host.answer(|_| completion("ok", 5, 5));
    let ask = |key: Option<&String>| {
        let own_key = key.and_then(|key| world.gate.admit_key(&*world.host, Some("groq"), Some(key)));
        assert_eq!(own_key.is_some(), key.is_some());
        world.call(gateway::Call { own_key, ..ManualHost::call(&body("Hi")) }).unwrap().meta.cache
    };
    let [ann, bob] = ["A1b2", "Z9y8"].map(|part| format!("gsk_{}", part.repeat(13)));
    for who in [None, Some(&ann), Some(&bob)] {
        assert_eq!((ask(who), ask(who)), (CacheState::Miss, CacheState::Hit), "{who:?}");
    }
}

#[test]
fn a_tenant_whose_name_no_ledger_could_keep_is_refused() {
    let world = World::new("{}");
    world.host.answer(|_| completion("ok", 1, 1));
    let ask = |length: usize| {
        let tenant = "t".repeat(length).into();
        world.call(gateway::Call { tenant, ..ManualHost::call(&body("Hi")) })
    };
    assert!(ask(1_024).is_ok());
    let error = ask(1_025).unwrap_err();
    assert!(matches!(&error.detail, Detail::Fields(fields) if fields[0].path == "tenant"), "{error:?}");
}

#[test]
fn only_locking_forgets_keys() {
    let world = World::new("{}");
    world.host.answer(|_| completion("ok", 1, 1));
    world.gate.lock(false);
    world.ask("a").unwrap();
    world.gate.lock(true);
    assert_eq!(world.refused("b").code, Code::VaultLocked);
    world.gate.lock(false);
    assert_eq!(world.refused("c").code, Code::NoTarget);
}

#[test]
fn a_key_that_nothing_would_use_is_refused_with_the_providers_that_there_are() {
    let world = World::new("{}");
    assert!(world.gate.check_carrier("groq").is_ok());
    let error = world.gate.check_carrier("openai").unwrap_err();
    let Detail::Fields(fields) = &error.detail else { panic!("{error:?}") };
    assert_eq!(fields[0].problem, "must be a provider of a configured target: groq, openrouter");
}

#[test]
fn a_locked_vault_says_so() {
    let world = World::new("{}");
    world.gate.lock(true);
    assert_eq!(world.refused("a").code, Code::VaultLocked);
    world.gate.lock(false);
    let error = world.refused("a");
    assert_eq!(error.code, Code::NoTarget, "unlocked, but without keys");
    let Detail::Fields(fields) = error.detail else { panic!("{:?}", error.detail) };
    let named: Vec<_> = fields.iter().map(|field| (field.path.as_str(), field.problem.as_ref())).collect();
    assert_eq!(named, [("groq", "has no key"), ("openrouter", "has no key")]);
    assert_eq!(world.host.sent().len(), 0);
}

#[test]
fn a_paid_target_that_has_a_key_is_told_of_where_the_free_one_has_none() {
    let targets = r#"[{"provider":"openrouter","model":"qwen/qwen3-coder:free"},{"provider":"groq","model":"openai/gpt-oss-20b"}]"#;
    let named = |targets: &str| {
        let world = World::new(&format!(r#"{{"targets":{targets}}}"#));
        world.gate.remove_key("openrouter");
        let error = world.refused("a");
        assert_eq!(error.code, Code::NoTarget);
        let Detail::Fields(fields) = error.detail else { panic!("{:?}", error.detail) };
        fields.into_iter().map(|field| field.path).collect::<Vec<_>>()
    };
    assert_eq!(named(targets), ["openrouter", "allowPaidFallback"]);
    let unpriced = targets.replace("openai/gpt-oss-20b", "unheard-of");
    assert_eq!(named(&unpriced), ["openrouter"], "that would not help where its price is not known");
}

#[test]
fn a_key_that_was_removed_is_used_no_more() {
    let world = World::new("{}");
    world.host.answer(|_| completion("ok", 5, 5));
    world.gate.remove_key("groq");
    assert!(!world.gate.has_key("groq") && world.gate.has_key("openrouter"));
    assert_eq!(world.ask("a").unwrap().meta.target, OPENROUTER);
    assert_eq!(world.sent_to("groq"), 0);
}

#[test]
fn a_provider_without_a_key_is_named_once_and_one_with_a_key_never() {
    let targets = r#"[{"provider":"openai","model":"gpt-4.1"},{"provider":"openai","model":"gpt-4.1-mini"},
        {"provider":"groq","model":"unheard-of"}]"#;
    let world = World::new(&format!(r#"{{"targets":{targets},"allowPaidFallback":true}}"#));
    let error = world.refused("Hi");
    let Detail::Fields(fields) = &error.detail else { panic!("{error:?}") };
    assert_eq!(fields.iter().map(|field| field.path.as_str()).collect::<Vec<_>>(), ["openai"]);
    // Once there is a price to be told of, those are named that only a price keeps out.
    let world =
        World::new(&targets_of(r#"{"provider":"groq","model":"unheard-of"},{"provider":"openai","model":"x"}"#));
    let error = world.refused("Hi");
    let Detail::Fields(fields) = &error.detail else { panic!("{error:?}") };
    assert_eq!(error.code, Code::UnpricedInput);
    assert!(fields.len() == 1 && fields[0].problem.contains("groq/unheard-of"), "{fields:?}");
}

fn targets_of(targets: &str) -> String {
    format!(r#"{{"targets":[{targets}]}}"#)
}

#[test]
fn what_is_too_long_for_every_model_is_not_sent() {
    let world = World::new(
        r#"{"targets":[{"provider":"groq","model":"openai/gpt-oss-20b"}],"limits":{"maxInputUnits":10000000}}"#,
    );
    world.host.answer(|_| completion("ok", 1, 1));
    let words = "word and more ".repeat(60_000);
    assert_eq!(world.refused(&words).code, Code::ContextLength);
    assert_eq!(world.host.sent().len(), 0);
    assert!(world.ask(words.split_at(100_000).0).is_ok());
}
