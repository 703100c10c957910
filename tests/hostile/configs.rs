//! Configurations.

use proptest::prelude::*;
use tidegate::config::GatewayConfig;
use tidegate::error::{Code, Detail};
use tidegate::host::UtcOnly;
use tidegate::value::Value;

use super::{damaged, text};

const WHOLE: &str = r#"{"name":"n","targets":[{"provider":"groq","model":"m"},{"provider":"own","model":"m"}],
"providers":{"own":{"baseUrl":"https://example.org/v1"}},"budget":{"limitUsd":"0.5","timeZone":"UTC","resetHour":3,
"thresholds":[50,100]},"breaker":{"failures":3,"openMs":1000},"retry":{"maxRetries":2,"baseMs":1,"capMs":2,
"shortWaitMs":3,"budgetPercent":20,"budgetFloor":1},"timeouts":{"attemptMs":1,"totalMs":2},"cache":{"ttlMs":1,
"maxEntries":2,"sampled":true,"toolCalls":false,"fallbackAnswers":true,"persist":false},"limits":{"maxInputUnits":5,
"defaultMaxOutputTokens":6,"maxConcurrent":7},"prices":[{"provider":"own","model":"m","inputUsd":1,"outputUsd":"2.5"}],
"unknownPrice":"worst","allowPaidFallback":true,"degraded":{"message":"later"}}"#;

/// Reads a configuration. One that is read is usable; one that is not names its fields.
fn read(json: &str) {
    let Ok(raw) = serde_json::from_str::<Value>(json) else { return };
    match GatewayConfig::parse(&raw, &UtcOnly) {
        Ok(config) => {
            assert!(!config.targets.is_empty());
            for target in &config.targets {
                let (base, origin) = (config.base_url(&target.provider), config.origin(&target.provider));
                assert!(base.unwrap().starts_with(origin.unwrap()));
            }
        }
        Err(error) => {
            assert_eq!(error.code, Code::ConfigInvalid);
            let Detail::Fields(fields) = error.detail else { panic!("{:?}", error.detail) };
            assert!(!fields.is_empty());
        }
    }
}

/// Any value in place of any field.
fn misfit() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        Just("null".to_string()),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>()
            .prop_filter("JSON has no others", |number| number.is_finite())
            .prop_map(|number| format!("{number:e}")),
        "[\\\\\"a-z0-9:/.@#?\\-]{0,12}".prop_map(|text| serde_json::to_string(&text).unwrap()),
        Just("[[],{}]".to_string()),
        Just(r#"{"":{}}"#.to_string()),
        Just("123456789012345678901234567890".to_string()),
    ];
    let places: Vec<usize> = WHOLE.match_indices(':').map(|(place, _)| place).collect();
    (proptest::sample::select(places), value).prop_map(|(place, value)| {
        let (head, rest) = WHOLE.split_at(place);
        let end = rest.find([',', '}', ']']).unwrap();
        [head, ":", &value, &rest[end..]].concat()
    })
}

#[test]
fn the_whole_one_is_good() {
    let raw = serde_json::from_str(WHOLE).unwrap();
    GatewayConfig::parse(&raw, &UtcOnly).unwrap();
    for deep in ["[", r#"{"budget":"#, r#"{"a":["#] {
        read(&deep.repeat(100_000));
    }
}

proptest! {
    #[test]
    fn random_ones(json in text()) {
        read(&json);
    }

    #[test]
    fn damaged_ones(json in damaged(WHOLE)) {
        read(&json);
    }

    #[test]
    fn fields_of_wrong_types(json in misfit()) {
        read(&json);
    }
}
