//! Configurations and time zones.

use tidegate::wasm::{Core, LedgerDecider};
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

use super::{fields, js, number, text, thrown};

fn open(config: &str) -> Result<Core, JsValue> {
    Core::new(js(config), js("{ runtime: 'web' }"))
}

#[wasm_bindgen_test]
fn every_bad_field_is_named() {
    let bad = "{ budget: { limitUsd: -1, resetHour: 24.5 }, retry: { maxRetries: '3' }, typo: 1, targets: [] }";
    let error = thrown(open(bad));
    assert_eq!((text(&error, "code").as_str(), number(&error, "status")), ("config_invalid", 500.0));
    let named = fields(&error).join("\n");
    for path in ["budget.limitUsd: ", "budget.resetHour: ", "retry.maxRetries: ", "typo: ", "targets: "] {
        assert!(named.contains(path), "{path} is not in\n{named}");
    }
}

#[wasm_bindgen_test]
fn what_is_no_plain_data_is_refused() {
    for bad in ["() => 1", "Symbol('x')", "{ budget: 12n ** 40n }", "[1]", "'text'", "7", "{ name: { toString: 1 } }"] {
        assert_eq!(text(&thrown(open(bad)), "code"), "config_invalid", "{bad}");
    }
    // Nothing given is the defaults.
    for good in ["undefined", "null", "{}", "{ budget: undefined }", "{ budget: { limitUsd: '0.25' } }"] {
        assert!(open(good).is_ok(), "{good}");
    }
}

#[wasm_bindgen_test]
fn time_zones_are_those_of_the_browser() {
    for zone in ["UTC", "Europe/Berlin", "Asia/Kolkata", "America/St_Johns", "Pacific/Kiritimati"] {
        assert!(open(&format!("{{ budget: {{ timeZone: '{zone}' }} }}")).is_ok(), "{zone}");
    }
    for zone in ["Mars/Olympus", "", "Europe/Berlin'", "UTC+25:99"] {
        let error = thrown(open(&format!("{{ budget: {{ timeZone: {zone:?} }} }}")));
        assert!(fields(&error)[0].starts_with("budget.timeZone: "), "{zone}");
    }
}

/// When the period ends that `now` lies in, by the ledger's own reply.
fn resets_at(zone: &str, now: f64) -> f64 {
    use tidegate::admit::{Command, Outcome, Reply};
    let decider = LedgerDecider::new(js(&format!("{{ budget: {{ timeZone: '{zone}' }} }}"))).unwrap();
    let ended = decider.decide(None, &Command::Status.encode(), now);
    let reply = Reply::decode(&js_sys::Uint8Array::new(&ended.get(1)).to_vec()).unwrap();
    match reply.result.unwrap() {
        Outcome::Status(figures) => figures.resets_at.as_millis() as f64,
        other => panic!("{other:?}"),
    }
}

#[wasm_bindgen_test]
fn a_day_ends_at_local_midnight_in_summer_and_winter() {
    let at = |text: &str| js_sys::Date::parse(text);
    for (zone, now, end) in [
        ("UTC", "2026-07-01T10:00:00Z", "2026-07-02T00:00:00Z"),
        ("Asia/Kolkata", "2026-07-01T10:00:00Z", "2026-07-01T18:30:00Z"),
        ("Europe/Berlin", "2026-01-10T10:00:00Z", "2026-01-10T23:00:00Z"),
        ("Europe/Berlin", "2026-07-01T10:00:00Z", "2026-07-01T22:00:00Z"),
        // The day on which summer time begins has 23 hours, the day on which it ends 25.
        ("Europe/Berlin", "2026-03-28T23:30:00Z", "2026-03-29T22:00:00Z"),
        ("Europe/Berlin", "2026-10-24T22:30:00Z", "2026-10-25T23:00:00Z"),
    ] {
        assert_eq!(resets_at(zone, at(now)), at(end), "{zone} at {now}");
    }
}
