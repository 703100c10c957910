use std::time::Duration;

use crate::config::{BudgetScope, BudgetSpan, GatewayConfig, RateConfig};
use crate::error::{Detail, Result};
use crate::host::UtcOnly;
use crate::money::NanoUsd;

fn parse(json: &str) -> Result<GatewayConfig> {
    GatewayConfig::parse_for_edge(&serde_json::from_str(json).unwrap(), &UtcOnly)
}

const fn rate(per_minute: u32, burst: u32) -> RateConfig {
    RateConfig { per_minute, burst }
}

#[test]
fn defaults_are_the_documented_ones() {
    let edge = parse("{}").unwrap().edge;
    let tiers: Vec<_> = edge.tiers.iter().map(|tier| (tier.name.as_str(), tier.requests, tier.tokens)).collect();
    assert_eq!(tiers, [("free", rate(5, 5), None), ("pro", rate(30, 30), None), ("enterprise", rate(100, 100), None)]);
    let rates = ["status", "metrics", "chat", "whatever"].map(|name| edge.route(name).unwrap().rate.per_minute);
    assert_eq!(rates, [300, 60, 100, 100]);
    assert_eq!(edge.tier("nobody's").unwrap().name, "free", "an unknown tier is the slowest");
    assert_eq!(parse("{}").unwrap().budget.thresholds, [80, 95, 100]);
    for (given, told) in [("[50]", &[50, 100][..]), ("[]", &[100]), ("[50,100]", &[50, 100])] {
        let config = parse(&format!(r#"{{"budget":{{"thresholds":{given}}}}}"#)).unwrap();
        assert_eq!(config.budget.thresholds, told, "100 is always told");
    }
}

#[test]
fn what_is_given_goes_before() {
    let config = parse(
        r#"{"rates":{"tiers":{"free":{"burst":9},"gold":{"perMinute":600,"tokensPerMinute":50000}},
            "routes":{"chat":{"perMinute":7}},"targets":{"groq/openai/gpt-oss-20b":{"perMinute":1,"burst":2},"openrouter":{"perMinute":3}}},
            "budgets":[{"of":"user","per":"month","limitUsd":"2.50","rollover":true,"tier":"gold","thresholds":[10]},
            {"of":"organisation","limitUsd":0}]}"#,
    );
    let edge = config.unwrap().edge;
    let metrics = parse(r#"{"rates":{"routes":{"metrics":{"burst":5}}}}"#).unwrap().edge;
    assert_eq!(metrics.route("metrics").unwrap().rate, rate(60, 5));
    assert_eq!(edge.tier("free").unwrap().requests, rate(5, 9));
    let gold = edge.tier("gold").unwrap();
    assert_eq!((gold.requests, gold.tokens), (rate(600, 600), Some(rate(50_000, 50_000))));
    assert_eq!((edge.route("chat").unwrap().rate, edge.route("other").unwrap().rate.per_minute), (rate(7, 7), 100));
    assert_eq!((edge.targets[0].name.as_str(), edge.targets[0].rate), ("groq/openai/gpt-oss-20b", rate(1, 2)));
    assert_eq!((edge.targets[1].name.as_str(), edge.targets[1].rate), ("openrouter", rate(3, 3)));
    let [user, organisation] = edge.budgets.try_into().unwrap();
    assert_eq!(
        (user.of, user.per, user.rollover, user.tier.as_deref()),
        (BudgetScope::User, BudgetSpan::Month, true, Some("gold"))
    );
    assert_eq!((user.cap.limit, user.cap.thresholds), (NanoUsd::new(2_500_000_000), vec![10, 100]));
    assert_eq!((organisation.per, organisation.cap.limit), (BudgetSpan::Day, NanoUsd::ZERO));
    assert_eq!(organisation.cap.thresholds, [80, 95, 100]);
}

#[test]
fn whoever_says_something_of_leases_wants_them() {
    let leases = |json: &str| parse(&format!(r#"{{"leases":{json}}}"#)).map(|config| config.edge.leases);
    let given = leases(r#"{"windowMs":500,"share":8}"#).unwrap();
    assert_eq!((given.enabled, given.window, given.share), (true, Duration::from_millis(500), 8));
    assert!(!leases(r#"{"enabled":false}"#).unwrap().enabled);
    for (wrong, field) in [(r#"{"windowMs":0}"#, "leases.windowMs"), (r#"{"share":1}"#, "leases.share")] {
        let Detail::Fields(fields) = leases(wrong).unwrap_err().detail else { panic!("no fields") };
        assert_eq!(fields[0].path, field);
    }
}

#[test]
fn every_bad_field_is_named() {
    let error = parse(
        r#"{"rates":{"tiers":{"a b":{"perMinute":1},"x":{},"y":{"perMinute":0,"extra":1},"z":{"perMinute":1,"tokensBurst":5}},
            "routes":{"chat":{"burst":1.5},"r":{"perMinute":1}},
            "targets":{"":{"perMinute":1},"groq/openai/gpt":{"perMinute":1},"openai":{"perMinute":1}},"other":1},
            "budgets":[{},{"of":"team","per":"year","limitUsd":-1,"thresholds":[5,5],"rollover":"yes","tier":"none","more":0}, 7]}"#,
    );
    let Detail::Fields(fields) = error.unwrap_err().detail else { panic!("no fields") };
    let mut paths: Vec<_> = fields.into_iter().map(|field| field.path).collect();
    paths.dedup();
    assert_eq!(
        paths,
        [
            "rates.tiers.a b",
            "rates.tiers.x.perMinute",
            "rates.tiers.y.perMinute",
            "rates.tiers.y.extra",
            "rates.tiers.z.tokensPerMinute",
            "rates.routes.chat.burst",
            "rates.routes.chat.perMinute",
            "rates.routes.r",
            "rates.targets.",
            "rates.targets.groq/openai/gpt",
            "rates.targets.openai",
            "rates.other",
            "budgets[0].limitUsd",
            "budgets[0].of",
            "budgets[1].of",
            "budgets[1].per",
            "budgets[1].limitUsd",
            "budgets[1].thresholds",
            "budgets[1].rollover",
            "budgets[1].tier",
            "budgets[1].more",
            "budgets[2]",
            "budgets[2].limitUsd",
            "budgets[2].of",
        ]
    );
    for (budget, field) in [
        (r#"{"of":"user","per":"day"}"#, "budgets[0].limitUsd"),
        (r#"{"of":"user","limitUsd":null}"#, "budgets[0].limitUsd"),
        (r#"{"per":"day","limitUsd":1}"#, "budgets[0].of"),
        (r#"{"of":null,"limitUsd":1}"#, "budgets[0].of"),
    ] {
        let error = parse(&format!(r#"{{"budgets":[{budget}]}}"#)).unwrap_err();
        let Detail::Fields(fields) = error.detail else { panic!("no fields") };
        assert_eq!(fields.iter().map(|bad| bad.path.as_str()).collect::<Vec<_>>(), [field], "{budget}");
    }
    for (count, taken) in [(64, true), (65, false)] {
        let many = [r#"{"of":"user","limitUsd":1}"#].repeat(count).join(",");
        assert_eq!(parse(&format!(r#"{{"budgets":[{many}]}}"#)).is_ok(), taken, "{count}");
    }
    for (kind, name, taken) in [
        ("routes", "embeddings", true),
        ("routes", "embedding", false),
        ("tiers", "a.b-c_d", true),
        ("tiers", "a b", false),
        ("targets", "groq", true),
        ("targets", "openai/gpt-oss-20b", false),
    ] {
        let rate = format!(r#"{{"rates":{{"{kind}":{{"{name}":{{"perMinute":1}}}}}}}}"#);
        assert_eq!(parse(&rate).is_ok(), taken, "{kind} {name}");
    }
    for (count, taken) in [(64, true), (65, false)] {
        let named = |index| format!(r#""groq/t{index}":{{"perMinute":1}}"#);
        let listed = |index| format!(r#"{{"provider":"groq","model":"t{index}"}}"#);
        let (rates, targets): (Vec<_>, Vec<_>) = (0..count).map(|index| (named(index), listed(index))).unzip();
        let json = format!(r#"{{"targets":[{}],"rates":{{"targets":{{{}}}}}}}"#, targets.join(","), rates.join(","));
        assert_eq!(parse(&json).is_ok(), taken, "{count}");
    }
    for (burst, taken) in [(0, false), (1, true)] {
        let rate = format!(r#"{{"rates":{{"routes":{{"chat":{{"perMinute":1,"burst":{burst}}}}}}}}}"#);
        assert_eq!(parse(&rate).is_ok(), taken, "{burst}");
    }
}

#[test]
fn a_gateway_that_knows_no_callers_refuses_limits_of_callers() {
    let alone = |json: &str| match GatewayConfig::parse_alone(&serde_json::from_str(json).unwrap(), &UtcOnly) {
        Ok(_) => Vec::new(),
        Err(error) => match error.detail {
            Detail::Fields(fields) => fields.into_iter().map(|field| field.path).collect(),
            other => panic!("no fields named: {other:?}"),
        },
    };
    for limits in [r#""rates":{}"#, r#""budgets":[]"#, r#""leases":{"enabled":false}"#] {
        let name = limits.split('"').nth(1).unwrap();
        assert_eq!(alone(&format!("{{{limits}}}")), [name]);
        assert_eq!(alone(&format!(r#"{{"nope":1,{limits}}}"#)), ["nope", name], "all is told at once");
        assert_eq!(alone(&format!(r#"{{"{name}":null}}"#)), [""; 0]);
        assert!(parse(&format!("{{{limits}}}")).is_ok(), "the Worker has callers");
    }
    assert_eq!(alone(r#"{"queue":{"shards":2}}"#), [""; 0]);
}
