//! What people and health checks are shown.

use std::time::Duration;

use tidegate::admit::{Charge, Command, Outcome};
use tidegate::error::BreakerOutcome;
use tidegate::gateway::{self, Call};
use tidegate::host::Clock;
use tidegate::money::NanoUsd;
use tidegate::testing::{START, completion, status};
use tidegate::value::Value;

use super::{World, body};

pub(super) fn shown(world: &World) -> Value {
    match world.host.ask(&Command::Status).result {
        Ok(Outcome::Status(figures)) => gateway::status(&world.gate, &figures, world.host.now()),
        other => panic!("{other:?}"),
    }
}

/// A field of each target.
pub(super) fn of_targets(world: &World, name: &str) -> Vec<Value> {
    match shown(world).field("targets") {
        Some(Value::List(targets)) => {
            targets.iter().map(|one| one.field(name).cloned().unwrap_or(Value::Null)).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_target_that_rests_for_one_tenant_is_shown_so_whoever_else_asks_it() {
    let world = World::new(
        r#"{"targets":[{"provider":"groq","model":"openai/gpt-oss-20b"}],"breaker":{"failures":2},
            "retry":{"maxRetries":0}}"#,
    );
    let fails = |tenant: &str, text: &str| {
        world.host.answer(|_| status(500, &[], ""));
        world.call(Call::chat(&body(text), tenant)).unwrap_err();
    };
    for (tenants, breaker, failures) in [("a", "closed", 1_u32), ("bb", "open", 2), ("c", "open", 2)] {
        for (index, tenant) in tenants.chars().enumerate() {
            fails(&tenant.to_string(), &format!("{tenants} {index}"));
        }
        assert_eq!(of_targets(&world, "breaker"), [Value::from(breaker)], "{tenants}");
        assert_eq!(of_targets(&world, "failures"), [Value::from(failures)], "{tenants}");
    }
    world.host.advance(Duration::from_secs(61));
    assert_eq!(of_targets(&world, "breaker"), [Value::from("half-open")]);
    assert_eq!(of_targets(&world, "openUntil"), [Value::Null]);
    world.host.answer(|_| completion("ok", 5, 5));
    world.call(Call::chat(&body("again"), "b")).unwrap();
    assert_eq!(of_targets(&world, "breaker"), [Value::from("closed")], "of all of them");
    assert_eq!(of_targets(&world, "failures"), [Value::from(1_u32)]);
}

#[test]
fn a_budget_is_exhausted_once_nothing_can_be_asked() {
    let exhausted = |world: &World| shown(world).field("budget").and_then(|own| own.field("exhausted")).cloned();
    let paid = r#"{"provider":"groq","model":"openai/gpt-oss-20b"}"#;
    let free = r#"{"provider":"openrouter","model":"qwen/qwen3-coder:free"}"#;
    let with = |targets: &str, limit: &str| {
        World::new(&format!(r#"{{"targets":[{targets}],"budget":{{"limitUsd":"{limit}"}}}}"#))
    };
    assert_eq!(exhausted(&with(paid, "0")), Some(true.into()));
    let world = with(&[paid, free].join(","), "0");
    assert_eq!(exhausted(&world), Some(false.into()), "what is free goes on");
    world.gate.remove_key("openrouter");
    assert_eq!(exhausted(&world), Some(true.into()), "but not without a key");
    let world = with(paid, "0.002");
    assert_eq!(exhausted(&world), Some(false.into()));
    let (tenant, target, bound) = ("t".into(), "groq/m".into(), NanoUsd::new(2_000_000));
    let lease_until = START.after(Duration::from_secs(9));
    let held = world.host.ask(&Command::Admit { tenant, target, bound, lease_until, slot: None });
    let Ok(Outcome::Admitted { reservation, .. }) = held.result else { panic!("{held:?}") };
    assert_eq!(exhausted(&world), Some(true.into()), "as long as all of it is reserved");
    let (charge, outcome) = (Charge::Released, BreakerOutcome::Ignored);
    _ = world.host.ask(&Command::Settle { reservation, charge, outcome, cool_until: None, end_slot: true });
    // A bill above its bound.
    world.host.answer(|_| completion("ok", 1_000_000, 1));
    world.ask("a").unwrap();
    assert_eq!(exhausted(&world), Some(true.into()));
}
