use super::*;

#[test]
fn nothing_given_is_the_documented_default() {
    let config = parse("{}").unwrap();
    assert_eq!(GatewayConfig { version: 0, ..config.clone() }, GatewayConfig::default());
    assert_eq!(config.budget.limit, NanoUsd::ONE_USD);
    assert_eq!(config.cache.ttl, Duration::from_secs(300));
    assert_eq!(
        config.targets.iter().map(|target| target.name.as_str()).collect::<Vec<_>>(),
        ["groq/openai/gpt-oss-20b", "openrouter/qwen/qwen3-coder:free"]
    );
    assert_eq!(GatewayConfig { version: config.version, ..parse("null").unwrap() }, config);
    assert_ne!(parse(r#"{"name":"a"}"#).unwrap().version, parse(r#"{"name":"b"}"#).unwrap().version);
}

/// What an interface of the TypeScript says of its defaults: a configuration that has them all, as JSON. Of its sections
/// those that are in every gateway.
fn documented(source: &str, interface: &str) -> serde_json::Map<String, serde_json::Value> {
    let (_, body) = source.split_once(&format!("export interface {interface} {{\n")).unwrap();
    let mut all = serde_json::Map::new();
    let mut section: Option<&str> = None;
    let mut said = String::new();
    for line in body.lines().take_while(|line| *line != "}").map(str::trim) {
        if line.starts_with("/**") || line.starts_with('*') {
            said.push_str(line.trim_start_matches("/**").trim_end_matches("*/"));
        } else if line.starts_with('}') {
            section = None;
        } else if let Some((name, kind)) = line.split_once("?: ") {
            let default = said.split_once("Default ").map(|(_, value)| value.split(['.', ':']).next().unwrap());
            let value = default.map(|text| text.trim().trim_matches('`'));
            let value = value.map(|text| if text.starts_with('[') { text.into() } else { text.replace(',', "") });
            if kind == "{" {
                section = Some(name);
            } else if let Some(value) = value.and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok()) {
                let of = match section {
                    None => &mut all,
                    Some(section) => {
                        all.entry(section).or_insert_with(|| serde_json::Map::new().into()).as_object_mut().unwrap()
                    }
                };
                assert_eq!(of.insert(name.into(), value), None, "{name} is there twice");
            }
            said.clear();
        }
    }
    for organisations in ["rates", "budgets", "leases"] {
        all.remove(organisations);
    }
    all
}

#[test]
fn what_the_types_and_the_readme_say_of_defaults_is_so() {
    let read = |path: &str| std::fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let mut all = documented(&read("pkg/src/config.ts"), "TidegateConfig");
    all.insert("queue".into(), documented(&read("pkg/src/queue/types.ts"), "QueueConfig").into());
    all.insert("autoLock".into(), documented(&read("pkg/src/vault/presence.ts"), "AutoLock").into());
    for (section, fields) in [("retry", 6), ("breaker", 2), ("timeouts", 5), ("cache", 6), ("limits", 3), ("queue", 10)]
    {
        assert_eq!(all[section].as_object().map(serde_json::Map::len), Some(fields), "{section}");
    }
    let as_documented = parse(&serde_json::Value::from(all.clone()).to_string()).unwrap();
    assert_eq!(GatewayConfig { version: 0, ..as_documented }, GatewayConfig { version: 0, ..parse("{}").unwrap() });

    let config = GatewayConfig::default();
    let readme = read("README.md");
    let (breaker, cache) = (config.breaker, config.cache);
    for told in [
        format!("{} retries of transient failures", config.retry.max_retries),
        format!("{} failures open it, one probe after {} s", breaker.failures, breaker.open_for.as_secs()),
        format!("{} minutes, {} answers, per tenant", cache.ttl.as_secs() / 60, cache.max_entries),
    ] {
        assert!(readme.contains(&told), "README.md does not say: {told}");
    }
}

#[test]
fn defaults_are_the_numbers_that_are_documented() {
    let config = parse("{}").unwrap();
    let timers = &config.timeouts;
    assert_eq!(
        [timers.attempt, timers.total, timers.headers, timers.first_output, timers.idle].map(|timer| timer.as_secs()),
        [60, 120, 10, 30, 30]
    );
    let limits = &config.limits;
    let all = (limits.max_input_units, limits.default_max_output_tokens, limits.max_concurrent);
    assert_eq!(all, (50_000, 4_096, 64));
    assert!(config.reasoning_commits && !config.patterns && !config.allow_paid_fallback);
    assert_eq!((config.edge.leases.enabled, config.edge.leases.share), (false, 64));
    assert!(parse(r#"{"ledger":"memory","debug":true}"#).is_ok(), "read by who starts the gateway");
    assert_eq!(bad_paths(r#"{"debug":"true"}"#), ["debug"]);
}
