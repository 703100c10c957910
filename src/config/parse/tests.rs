use std::time::Duration;

use super::*;
use crate::error::Detail;
use crate::host::UtcOnly;
use crate::money::{NanoUsd, Rate};

mod defaults;

fn parse(json: &str) -> Result<GatewayConfig> {
    GatewayConfig::parse(&serde_json::from_str(json).unwrap(), &UtcOnly)
}

fn bad_paths(json: &str) -> Vec<String> {
    let error = parse(json).unwrap_err();
    assert_eq!(error.code, Code::ConfigInvalid);
    match error.detail {
        Detail::Fields(fields) => fields.into_iter().map(|field| field.path).collect(),
        other => panic!("no fields named: {other:?}"),
    }
}

/// The first field that is refused.
fn bad_or_none(json: &str) -> Option<String> {
    parse(json).err().map(|_| bad_paths(json).remove(0))
}

#[test]
fn every_field_is_read() {
    let config = parse(
        r#"{"name":"a","budget":{"limitUsd":"0.25","timeZone":"UTC","resetHour":4,"thresholds":[50,90]},
            "breaker":{"failures":2,"openMs":100},"retry":{"maxRetries":1,"baseMs":5,"capMs":50,"shortWaitMs":7,
            "budgetPercent":10,"budgetFloor":3},"timeouts":{"attemptMs":11,"totalMs":22,
            "headersMs":33,"firstOutputMs":44,"idleMs":55},
            "cache":{"ttlMs":1,"maxEntries":2,"sampled":false,"toolCalls":true,"fallbackAnswers":true,"persist":true},
            "limits":{"maxInputUnits":10,"defaultMaxOutputTokens":20,"maxConcurrent":3},
            "providers":{"mine":{"baseUrl":"http://localhost:4000/v1/"}},
            "targets":[{"provider":"mine","model":"m"}],
            "prices":[{"provider":"mine","model":"m","inputUsd":0.5,"outputUsd":"1.5","context":1000}],
            "unknownPrice":"worst","allowPaidFallback":true,"degraded":{"message":"later"}}"#,
    )
    .unwrap();
    assert_eq!(config.budget.limit, NanoUsd::new(250_000_000));
    assert_eq!((config.budget.reset_hour, config.budget.thresholds.as_slice()), (4, &[50, 90, 100][..]));
    assert_eq!(config.base_url("mine"), Some("http://localhost:4000/v1"));
    assert_eq!(
        (config.origin("mine"), config.origin("groq")),
        (Some("http://localhost:4000"), Some("https://api.groq.com"))
    );
    assert_eq!(config.base_url("groq"), Some("https://api.groq.com/openai/v1"));
    assert_eq!(config.targets, [TargetConfig::new("mine", "m")]);
    let timers = &config.timeouts;
    assert_eq!(
        [timers.attempt, timers.total, timers.headers, timers.first_output, timers.idle].map(|timer| timer.as_millis()),
        [11, 22, 33, 44, 55]
    );
    assert_eq!(config.prices.first().map(|price| price.input), Some(Rate::per_million(500_000_000)));
    assert_eq!(config.unknown_price, UnknownPrice::Worst);
    assert_eq!(config.degraded.as_deref(), Some("later"));
    assert!(config.allow_paid_fallback && config.cache.persist && !config.cache.sampled);
    assert_eq!((config.retry.max_retries, config.limits.max_concurrent, config.breaker.failures), (1, 3, 2));
}

#[test]
fn a_provider_may_be_told_how_to_speak() {
    let config = parse(
        r#"{"providers":{"mine":{"baseUrl":"https://a.example/v1","dialect":"anthropic"},
            "other":{"baseUrl":"https://b.example"},"openai":{"dialect":"responses"}},
            "targets":[{"provider":"mine","model":"m"},{"provider":"google","model":"g"}]}"#,
    )
    .unwrap();
    assert_eq!(config.dialect("mine"), Some(&Dialect::Anthropic));
    assert_eq!((config.dialect("other"), config.dialect("groq")), (None, None), "left to the catalogue");
    assert_eq!(config.dialect("openai"), Some(&Dialect::Responses));
    assert_eq!(config.base_url("openai"), Some("https://api.openai.com/v1"), "built in");
    assert_eq!(config.origin("google"), Some("https://generativelanguage.googleapis.com"));
    for dialect in Dialect::ALL {
        let json = [r#"{"providers":{"groq":{"dialect":""#, dialect.as_str(), r#""}}}"#].concat();
        assert_eq!(parse(&json).unwrap().dialect("groq"), Some(&dialect));
    }
    assert_eq!(bad_paths(r#"{"providers":{"groq":{"dialect":"latin"}}}"#), ["providers.groq.dialect"]);
    assert_eq!(bad_paths(r#"{"providers":{"mine":{"dialect":"chat"}}}"#), ["providers.mine.baseUrl"]);
    let both = r#"{"providers":{"groq":{"baseUrl":"ftp://x","dialect":"chat"},"a b":{"baseUrl":"https://x"}}}"#;
    assert_eq!(bad_paths(both), ["providers.groq.baseUrl", "providers.a b"], "the dialect is none to blame");
    assert_eq!(
        bad_paths(r#"{"timeouts":{"headersMs":0,"firstOutputMs":-1,"idleMs":"5"}}"#),
        ["timeouts.headersMs", "timeouts.firstOutputMs", "timeouts.idleMs"]
    );
}

#[test]
fn every_built_in_address_is_one_that_may_be_configured() {
    for (id, url) in PROVIDERS {
        assert!(is_base_url(url) && url.starts_with("https://") && !url.ends_with('/'), "{id}");
    }
}

#[test]
fn with_an_unknown_field_the_known_ones_are_told() {
    let error = parse(r#"{"targets":[{"provider":"groq","model":"m","baseUrl":"https://a.example"}]}"#).unwrap_err();
    let Detail::Fields(fields) = error.detail else { panic!() };
    assert_eq!(fields[0].path, "targets[0].baseUrl");
    assert_eq!(fields[0].problem, "is not a known field; known are provider, model, relay");
}

#[test]
fn with_an_unknown_provider_the_built_in_ones_are_told() {
    let error = parse(r#"{"targets":[{"provider":"Groq","model":"m"}]}"#).unwrap_err();
    let Detail::Fields(fields) = error.detail else { panic!() };
    assert_eq!(fields[0].path, "targets[0].provider");
    assert!(PROVIDERS.iter().all(|(id, _)| fields[0].problem.contains(id)), "{}", fields[0].problem);
}

/// As where a program writes `queue: wanted ? {} : undefined`, and the build without a queue reads it.
#[test]
fn what_is_absent_may_be_said_to_be_so_also_where_it_is_not_known() {
    assert_eq!(bad_or_none(r#"{"whatever":null,"budget":{"whatever":null}}"#), None);
    assert_eq!(bad_or_none(r#"{"whatever":{}}"#).as_deref(), Some("whatever"));
}

#[test]
fn a_price_per_token_is_not_taken_for_one_per_million() {
    let read = |price: &str| {
        let config = format!(r#"{{"prices":[{{"provider":"groq","model":"m","inputUsd":{price},"outputUsd":1}}]}}"#);
        parse(&config).map(|config| config.prices[0].input)
    };
    for slip in ["\"0.0000025\"", "0.0006", "\"0.000999999\"", "100001"] {
        assert!(read(slip).is_err(), "{slip}");
    }
    for (price, nano) in [("0", 0), ("0.001", 1_000_000), ("\"0.003\"", 3_000_000), ("100000", 100_000_000_000_000)] {
        assert_eq!(read(price).unwrap(), Rate::per_million(nano), "{price}");
    }
}

#[test]
fn every_bad_field_is_named_at_once() {
    let paths = bad_paths(
        r#"{"name":"", "budjet":{}, "budget":{"limitUsd":-1,"timeZone":"Mars/Olympus","resetHour":24,"thresholds":[90,80]},
            "retry":{"maxRetries":1.5},"timeouts":[],"cache":{"ttlMs":"5","lru":1},"providers":{"x":{"baseUrl":"http://evil.example"}},
            "targets":[{"provider":"nope","model":"m"},{"provider":"groq"},7],"prices":[{"provider":"groq"}],
            "unknownPrice":"zero","degraded":{}}"#,
    );
    let expected = [
        "name",
        "budget.limitUsd",
        "budget.timeZone",
        "budget.resetHour",
        "budget.thresholds",
        "retry.maxRetries",
        "timeouts",
        "cache.ttlMs",
        "cache.lru",
        "providers.x.baseUrl",
        "targets[0].provider",
        "targets[1].model",
        "targets[2]",
        "prices[0].model",
        "prices[0].inputUsd",
        "prices[0].outputUsd",
        "unknownPrice",
        "degraded.message",
        "budjet",
    ];
    for path in expected {
        assert!(paths.iter().any(|bad| bad == path), "{path} missing in {paths:?}");
    }
}

#[test]
fn numbers_are_taken_up_to_their_bounds_and_no_further() {
    let given = |path: &str, number: i64| {
        let (section, field) = path.split_once('.').unwrap();
        bad_or_none(&format!(r#"{{"{section}":{{"{field}":{number}}}}}"#))
    };
    for (path, least, most) in [
        ("budget.resetHour", 0, 23),
        ("breaker.failures", 1, 1_000),
        ("retry.maxRetries", 0, 10),
        ("retry.budgetPercent", 0, 100),
        ("retry.budgetFloor", 0, 10_000),
        ("cache.maxEntries", 0, 10_000),
        ("limits.maxInputUnits", 1, 10_000_000),
        ("limits.defaultMaxOutputTokens", 1, 10_000_000),
        ("limits.maxConcurrent", 1, 1_000),
    ] {
        for (number, taken) in [(least - 1, false), (least, true), (most, true), (most + 1, false)] {
            assert_eq!(given(path, number), if taken { None } else { Some(path.to_string()) }, "{number}");
        }
    }
    for (path, least) in [
        ("breaker.openMs", 1),
        ("timeouts.attemptMs", 1),
        ("timeouts.totalMs", 1),
        ("timeouts.idleMs", 1),
        ("retry.baseMs", 0),
        ("retry.capMs", 0),
        ("retry.shortWaitMs", 0),
        ("cache.ttlMs", 0),
    ] {
        assert_eq!((given(path, least - 1), given(path, least)), (Some(path.to_string()), None));
    }
    let refused = parse(r#"{"timeouts":{"idleMs":0}}"#).unwrap_err().detail;
    let Detail::Fields(fields) = refused else { panic!("no fields named: {refused:?}") };
    assert_eq!(fields.first().unwrap().problem, "must be a whole number of milliseconds from 1 to 86400000 (a day)");
}

#[test]
fn sums_spans_and_texts_are_taken_up_to_their_bounds() {
    let given =
        |section: &str, field: &str, value: &str| bad_or_none(&format!(r#"{{"{section}":{{"{field}":{value}}}}}"#));
    for (section, field, most, more) in [
        ("budget", "limitUsd", "9000000", "9000001"),
        ("budget", "limitUsd", "8999999.5", "9000000.5"),
        ("budget", "limitUsd", "0.0", "-0.5"),
        ("budget", "limitUsd", "-0.0", "1e300"),
        ("budget", "limitUsd", "\"9000000\"", "\"9000000.000000001\""),
        ("timeouts", "totalMs", "86400000", "86400001"),
        ("budget", "thresholds", "[1,100]", "[1,101]"),
        ("budget", "thresholds", "[50,90]", r#"[50,"90"]"#),
    ] {
        let refused = Some([section, ".", field].concat());
        assert_eq!((given(section, field, most), given(section, field, more)), (None, refused), "{more}");
    }
    for (length, taken) in [(64, true), (65, false)] {
        let name = "n".repeat(length);
        assert_eq!(bad_or_none(&format!(r#"{{"name":"{name}"}}"#)).is_none(), taken);
    }
    for (length, taken) in [(256, true), (257, false)] {
        let model = "m".repeat(length);
        let json = format!(r#"{{"targets":[{{"provider":"groq","model":"{model}"}}]}}"#);
        assert_eq!(bad_or_none(&json), if taken { None } else { Some("targets[0].model".into()) });
    }
}

#[test]
fn a_gateway_has_targets_that_it_knows_and_prices_that_say_whose_they_are() {
    assert_eq!(bad_paths(r#"{"targets":[]}"#), ["targets"]);
    assert_eq!(bad_paths(r#"{"targets":{}}"#), ["targets"]);
    assert_eq!(bad_paths(r#"{"targets":[{"provider":"nope","model":"m"}]}"#), ["targets[0].provider"]);
    let relay = r#"[{"provider":"groq","model":"m","relay":"edge"}]"#;
    assert_eq!(bad_paths(&format!(r#"{{"targets":{relay}}}"#)), ["targets[0].relay"]);
    let known = r#"{"edge":{"baseUrl":"https://gateway.example"}}"#;
    assert_eq!(bad_or_none(&format!(r#"{{"targets":{relay},"providers":{known}}}"#)), None);
    for edge in ["else", &"e".repeat(65)] {
        let targets = relay.replace("edge", edge);
        let bad = bad_paths(&format!(r#"{{"targets":{targets},"providers":{known}}}"#));
        assert_eq!(bad, ["targets[0].relay"], "a key would go elsewhere");
    }
    let other = r#"[{"provider":"else","model":"m"}]"#;
    assert_eq!(bad_paths(&format!(r#"{{"targets":{other},"providers":{known}}}"#)), ["targets[0].provider"]);
    assert_eq!(bad_paths(r#"{"prices":[{"model":"m","inputUsd":1,"outputUsd":1}]}"#), ["prices[0].provider"]);
    assert_eq!(bad_or_none(r#"{"dialects":"all"}"#), None);
    assert_eq!(bad_paths(r#"{"dialects":"most"}"#), ["dialects"]);
}

#[test]
fn what_is_null_is_absent() {
    let absent = parse("{}").unwrap();
    for null in [
        r#"{"name":null,"budget":null,"targets":null,"providers":null,"prices":null,"unknownPrice":null}"#,
        r#"{"budget":{"limitUsd":null,"resetHour":null},"retry":{"maxRetries":null},"cache":{"ttlMs":null}}"#,
        r#"{"reasoningCommits":null,"timeouts":{"totalMs":null},"screen":null}"#,
    ] {
        let given = parse(null).unwrap();
        assert_ne!(given.version, absent.version);
        assert_eq!(GatewayConfig { version: absent.version, ..given }, absent, "{null}");
    }
    let version = |json: &str| parse(json).unwrap().version;
    assert_ne!(version(r#"{"reasoningCommits":true}"#), version(r#"{"reasoningCommits":false}"#));
}

#[test]
fn a_budget_is_kept_in_its_zone() {
    struct Berlin;
    impl ZoneRules for Berlin {
        fn offset_at(&self, zone: &str, _: Timestamp) -> Option<i32> {
            (zone == "Europe/Berlin").then_some(3_600)
        }
    }
    let raw = serde_json::from_str(r#"{"budget":{"timeZone":"Europe/Berlin"}}"#).unwrap();
    assert_eq!(GatewayConfig::parse(&raw, &Berlin).unwrap().budget.time_zone, "Europe/Berlin");
}

#[test]
fn a_target_has_a_model_that_can_be_sent() {
    for (model, taken) in [("m", true), ("", false), ("a\\nb", false)] {
        let json = format!(r#"{{"targets":[{{"provider":"groq","model":"{model}"}}]}}"#);
        assert_eq!(bad_or_none(&json), if taken { None } else { Some("targets[0].model".into()) }, "{model}");
    }
}

#[test]
fn a_priced_models_window_is_a_number_of_tokens() {
    let price = |field: &str, tokens: u64| {
        bad_or_none(&format!(
            r#"{{"prices":[{{"provider":"groq","model":"m","inputUsd":1,"outputUsd":1,"{field}":{tokens}}}]}}"#
        ))
    };
    for field in ["context", "maxOutput"] {
        assert_eq!(price(field, 0), Some(["prices[0].", field].concat()));
        assert_eq!((price(field, 1), price(field, u64::from(u32::MAX))), (None, None));
    }
}

#[test]
fn a_name_is_shown_in_an_error_only_while_it_is_short() {
    for (length, shown) in [(64, true), (65, false)] {
        let name = "n".repeat(length);
        let [path] = bad_paths(&format!(r#"{{"{name}":1}}"#)).try_into().unwrap();
        assert_eq!(path == name, shown, "{path}");
        assert!(path.len() <= 64, "{path}");
    }
}

#[test]
fn a_base_url_never_sends_a_key_in_the_clear_or_elsewhere() {
    for url in [
        "https://a.example/v1",
        "http://localhost:1/v1",
        "http://127.0.0.1:8",
        "http://[::1]:9/x",
        "http://a.localhost",
        "https://a:65535/v1",
    ] {
        assert!(is_base_url(url), "{url}");
    }
    for url in [
        "http://a.example",
        "ftp://a",
        "https://",
        "https://user:pw@a.example",
        "https://a.example?x=1",
        "https://a/#f",
        "//a.example",
        "https://a b",
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example",
        "javascript:1",
        "http://localhost@evil.example",
        "https://a\\b",
        "https://a:65536",
        "https://a:",
        "https://a:8o",
        "https://a:+80",
        "https://[::1]8",
        "https://[::1",
    ] {
        assert!(!is_base_url(url), "{url}");
    }
}

proptest::proptest! {
    #[test]
    fn hostile_configurations_never_panic(json in "[\\[\\]{}:,\"a-z0-9.e-]{0,200}") {
        if let Ok(value) = serde_json::from_str::<Value>(&json) {
            let _ = GatewayConfig::parse(&value, &UtcOnly);
        }
    }
}
