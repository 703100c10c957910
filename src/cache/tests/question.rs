use std::collections::BTreeMap;
use std::fmt::Write;

use proptest::prelude::*;

use crate::cache::{Fingerprint, Scope, Targets, fingerprint};
use crate::error::{Code, Detail, Result};
use crate::json;
use crate::secret::Secret;

fn targets() -> [String; 2] {
    ["groq/llama-3.3-70b".into(), "openrouter/meta/llama".into()]
}

fn hashed(names: &[String]) -> Targets {
    Targets::new(names.iter().map(String::as_str))
}

/// Both kinds tell the same questions apart.
fn ask(body: &str) -> Result<Fingerprint> {
    asked_of(&hashed(&targets()), body)
}

fn ask_own(body: &str) -> Result<Fingerprint> {
    asked_of(&Targets::own(&Secret::new([7; 32])), body)
}

fn asked_of(targets: &Targets, body: &str) -> Result<Fingerprint> {
    let scope = Scope { tenant: "acme", namespace: "", dialect: "chat", kind: "chat", requested: "fast", targets };
    fingerprint(&scope, json::fields(body)?.iter())
}

/// JSON as it is meant, apart from how it is written.
#[derive(Clone, PartialEq, Debug)]
enum Json {
    Literal(String),
    Text(String),
    List(Vec<Json>),
    Map(BTreeMap<String, Json>),
}

fn any_json() -> impl Strategy<Value = Json> {
    let literal = prop_oneof![Just("null".into()), Just("true".into()), any::<i32>().prop_map(|n| n.to_string())];
    let leaf = prop_oneof![literal.prop_map(Json::Literal), any::<String>().prop_map(Json::Text)];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Json::List),
            prop::collection::btree_map("[a-e\"é]{0,3}", inner, 0..5).prop_map(Json::Map),
        ]
    })
}

/// A body; its names are never on the list of ignored ones.
fn any_body() -> impl Strategy<Value = Json> {
    prop::collection::btree_map("[a-e]{1,4}", any_json(), 1..5).prop_map(Json::Map)
}

/// Writes JSON in one of its many ways, as `seed` wants it.
struct Pen {
    seed: u64,
    out: String,
}

impl Pen {
    fn write(json: &Json, seed: u64) -> String {
        let mut pen = Self { seed, out: String::new() };
        pen.json(json);
        pen.out
    }

    fn pick(&mut self, below: usize) -> usize {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.seed >> 33).unwrap().checked_rem(below).unwrap()
    }

    fn blank(&mut self) {
        let blank = ["", " ", "\n\t", "\r "][self.pick(4)];
        self.out.push_str(blank);
    }

    fn text(&mut self, text: &str) {
        self.out.push('"');
        for c in text.chars() {
            if c < ' ' || c == '"' || c == '\\' || self.pick(3) == 0 {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(self.out, "\\u{unit:04x}").unwrap();
                }
            } else {
                self.out.push(c);
            }
        }
        self.out.push('"');
    }

    fn json(&mut self, json: &Json) {
        self.blank();
        match json {
            Json::Literal(text) => self.out.push_str(text),
            Json::Text(text) => self.text(text),
            Json::List(items) => {
                self.out.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        self.out.push(',');
                    }
                    self.json(item);
                }
                self.blank();
                self.out.push(']');
            }
            Json::Map(fields) => {
                let mut fields: Vec<_> = fields.iter().collect();
                for index in 0..fields.len() {
                    let other = self.pick(fields.len());
                    fields.swap(index, other);
                }
                self.out.push('{');
                for (index, (name, value)) in fields.into_iter().enumerate() {
                    if index > 0 {
                        self.out.push(',');
                    }
                    self.blank();
                    self.text(name);
                    self.blank();
                    self.out.push(':');
                    self.json(value);
                }
                self.blank();
                self.out.push('}');
            }
        }
        self.blank();
    }
}

/// Changes one value somewhere; `path` chooses where.
fn change(json: &mut Json, path: u64) {
    let next = path / 5;
    let at = |len: usize| usize::try_from(path).unwrap().checked_rem(len).unwrap();
    match json {
        Json::List(items) if !items.is_empty() && !path.is_multiple_of(7) => {
            let index = at(items.len());
            change(&mut items[index], next);
        }
        Json::Map(fields) if !fields.is_empty() && !path.is_multiple_of(7) => {
            let index = at(fields.len());
            change(fields.values_mut().nth(index).unwrap(), next);
        }
        Json::Literal(text) if path.is_multiple_of(2) => *json = Json::Text(text.clone()),
        Json::Literal(text) => *text = if text == "false" { "0".into() } else { "false".into() },
        Json::Text(text) => text.push('x'),
        Json::List(items) => items.push(Json::Literal("null".into())),
        Json::Map(fields) => drop(fields.insert("zz".into(), Json::Literal("null".into()))),
    }
}

proptest! {
    #[test]
    fn how_it_is_written_does_not_matter(body in any_body(), one: u64, other: u64) {
        for ask in [ask, ask_own] {
            prop_assert_eq!(ask(&Pen::write(&body, one)).unwrap(), ask(&Pen::write(&body, other)).unwrap());
        }
    }

    #[test]
    fn what_it_says_does(body in any_body(), seed: u64, path: u64) {
        let mut changed = body.clone();
        change(&mut changed, path);
        prop_assert_ne!(&body, &changed);
        for ask in [ask, ask_own] {
            prop_assert_ne!(ask(&Pen::write(&body, seed)).unwrap(), ask(&Pen::write(&changed, seed)).unwrap());
        }
    }

    #[test]
    fn any_input_is_read_or_refused(body: String, seed: u64) {
        let _ = ask(&body);
        let _ = ask(&format!("{{\"a\":{body}}}"));
        let cut = Pen::write(&Json::Map([("a".into(), Json::Text(body))].into()), seed);
        prop_assert!(ask(&cut).is_ok());
    }
}

#[test]
fn escapes_are_decoded_and_number_forms_kept() {
    assert_eq!(ask(r#"{"\u0061":"\u0041"}"#).unwrap(), ask(r#"{"a":"A"}"#).unwrap());
    for (one, other) in [("1", "1.0"), ("0", "-0"), ("1", "\"1\""), ("null", "\"null\""), ("[]", "{}")] {
        let body = |value: &str| ask(&format!("{{\"a\":{value}}}")).unwrap();
        assert_ne!(body(one), body(other), "{one} {other}");
    }
}

#[test]
fn structures_do_not_run_together() {
    let bodies = [
        r#"{"a":[["b"],"c"]}"#,
        r#"{"a":[["b","c"]]}"#,
        r#"{"a":["b","c"]}"#,
        r#"{"a":["bc"]}"#,
        r#"{"a":[["b"]],"c":[]}"#,
        r#"{"a":{"b":"c"}}"#,
        r#"{"a":["b"],"c":{}}"#,
        r#"{"ab":"c"}"#,
        r#"{"a":"bc"}"#,
        r#"{"a":"","b":"c"}"#,
        r#"{"a":[1,2]}"#,
        r#"{"a":[2,1]}"#,
        r#"{"a":[12]}"#,
    ];
    for ask in [ask, ask_own] {
        let mut seen: Vec<_> = bodies.iter().map(|body| ask(body).unwrap()).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), bodies.len());
    }
}

#[test]
fn only_the_listed_fields_are_ignored_and_only_at_the_top() {
    let plain = ask(r#"{"model":"fast"}"#).unwrap();
    for name in ["stream", "stream_options", "user", "metadata", "safety_identifier", "prompt_cache_key"] {
        assert_eq!(ask(&format!(r#"{{"model":"fast","{name}":true}}"#)).unwrap(), plain, "{name}");
        let nested = |value| ask(&format!(r#"{{"model":"fast","tools":{{"{name}":{value}}}}}"#)).unwrap();
        assert_ne!(nested(1), nested(2), "{name}");
    }
    for name in [
        "messages",
        "tools",
        "tool_choice",
        "response_format",
        "stop",
        "seed",
        "n",
        "temperature",
        "top_p",
        "max_tokens",
        "max_completion_tokens",
        "presence_penalty",
        "frequency_penalty",
        "reasoning_effort",
        "logprobs",
        "logit_bias",
        "modalities",
        "service_tier",
        "store",
        "a_field_of_tomorrow",
    ] {
        assert_ne!(ask(&format!(r#"{{"model":"fast","{name}":1}}"#)).unwrap(), plain, "{name}");
    }
}

#[test]
fn every_part_of_the_scope_counts() {
    let [first, second] = targets();
    let (both, swapped, one, none) =
        (hashed(&[first.clone(), second.clone()]), hashed(&[second, first.clone()]), hashed(&[first]), hashed(&[]));
    let base =
        Scope { tenant: "acme", namespace: "x", dialect: "chat", kind: "chat", requested: "fast", targets: &both };
    let scopes = [
        base,
        Scope { tenant: "other", ..base },
        Scope { namespace: "y", ..base },
        Scope { tenant: "acmex", namespace: "", ..base },
        Scope { tenant: "", namespace: "acmex", ..base },
        Scope { dialect: "anthropic", ..base },
        Scope { kind: "embeddings", ..base },
        Scope { requested: "slow", ..base },
        Scope { targets: &swapped, ..base },
        Scope { targets: &one, ..base },
        Scope { targets: &none, ..base },
    ];
    let body = json::fields(r#"{"a":1}"#).unwrap();
    let mut seen: Vec<_> = scopes.iter().map(|scope| fingerprint(scope, body.iter()).unwrap()).collect();
    assert_eq!(seen[0], fingerprint(&base, body.iter()).unwrap());
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), scopes.len());
}

#[test]
fn a_gate_of_another_key_has_other_fingerprints() {
    let body = r#"{"model":"fast"}"#;
    let other = Targets::own(&Secret::new([8; 32]));
    assert_eq!(ask_own(body).unwrap(), ask_own(body).unwrap());
    assert_ne!(ask_own(body).unwrap(), asked_of(&other, body).unwrap());
    assert_ne!(ask_own(body).unwrap(), ask(body).unwrap());
}

#[test]
fn ambiguous_or_bottomless_input_is_refused() {
    let nested = |levels: usize| format!("{{\"a\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
    assert!(ask(&nested(127)).is_ok());
    for bad in [
        nested(128),
        nested(100_000),
        format!("{{\"a\":{}1{}}}", "{\"a\":".repeat(128), "}".repeat(128)),
        r#"{"a":1,"a":1}"#.into(),
        r#"{"a":[{"b":1,"\u0062":2}]}"#.into(),
        r#"{"a":"\ud800"}"#.into(),
    ] {
        let error = ask(&bad).unwrap_err();
        assert_eq!(error.code, Code::InvalidRequest);
        assert!(matches!(error.detail, Detail::Fields(_)));
    }
}

#[test]
fn a_fingerprint_leaves_as_an_hmac() {
    // Python: hmac.new(bytes([7] * 32), bytes([9] * 32), hashlib.sha256)
    let keyed = Fingerprint([9; 32]).keyed(&Secret::new([7; 32]));
    let hex = keyed.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    assert_eq!(hex, "650c9bcf997fbfe17284d4977c89545d13be53ef46f67b7385061cbe993cbe84");
    assert_ne!(keyed, Fingerprint([9; 32]).keyed(&Secret::new([8; 32])));
    assert_eq!(format!("{:?}", Fingerprint([9; 32])), "Fingerprint(…)");
}

/// The form is stored on disk by its fingerprints: if this fails, change the schema's name as well.
#[test]
fn the_form_is_the_released_one() {
    let body = r#"{"model":"fast","messages":[{"role":"user","content":"hé\n"}],"temperature":0.5,"n":null}"#;
    let Fingerprint(bytes) = ask(body).unwrap();
    let hex = bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    assert_eq!(hex, "2afa6d9e4c41e26e5ebc7435301d79e3aca0b4132881cb3da420fe45c54303fd");
}
