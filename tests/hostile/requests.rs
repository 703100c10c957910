//! Requests.

use proptest::prelude::*;
use tidegate::admit::LONGEST_NAME;
use tidegate::error::Code;
use tidegate::gateway::Call;
use tidegate::testing::{ManualHost, completion};

use super::{QUESTION, World, damaged, text};

const WHOLE: &str = r#"{"model":"auto","messages":[{"role":"system","content":"be brief"},{"role":"user","content":[
{"type":"text","text":"look \ud83c\udf0a"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA","detail":"low"}}]},
{"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{}"}}]},
{"role":"tool","tool_call_id":"1","content":"4"}],"tools":[{"type":"function","function":{"name":"f","parameters":{}}}],
"temperature":0.5,"max_tokens":100,"n":2,"response_format":{"type":"json_schema","json_schema":{}},"stream":false,
"reasoning_effort":"low","seed":7,"unheard_of":{"a":[1e400,-0.0]}}"#;

fn asked(body: &str) -> Option<Code> {
    let world = World::new(|| completion("ok", 5, 5));
    let code = world.ask(body).err().map(|error| error.code);
    // What was refused before the ledger was asked was never sent.
    if code == Some(Code::InvalidRequest) {
        assert!(world.host.sent().is_empty());
    }
    world.ask(QUESTION).expect("the gate goes on");
    code
}

#[test]
fn the_whole_one_is_good() {
    assert!(matches!(asked(WHOLE), None | Some(Code::UnpricedInput)), "{:?}", asked(WHOLE));
    assert_eq!(asked(QUESTION), None);
}

#[test]
fn huge_and_deep_ones_are_refused() {
    let text = "x".repeat(10 << 20);
    let with = |content: &str| format!(r#"{{"messages":[{{"role":"user","content":{content}}}]}}"#);
    assert_eq!(asked(&with(&format!("\"{text}\""))), Some(Code::InvalidRequest), "10 MB of text");
    assert_eq!(asked(&text), Some(Code::InvalidRequest));
    for open in ["[", "{\"a\":", r#"{"messages":["#, r#"{"messages":[{"content":[{"text":"#] {
        assert_eq!(asked(&open.repeat(500_000)), Some(Code::InvalidRequest), "{open}");
    }
    let nested = ["[".repeat(100_000), "]".repeat(100_000)].concat();
    for body in [
        nested.clone(),
        with(&nested),
        format!(r#"{{"messages":[{{"role":"user","content":"a","x":{nested}}}]}}"#),
        format!(r#"{{"messages":[{{"role":"user","content":"a"}}],"tools":{nested}}}"#),
        format!(r#"{{"messages":[{{"role":"user","content":"a"}}],"x":{nested}}}"#),
    ] {
        let _ = asked(&body);
    }
    let many =
        [r#"{"messages":["#, &r#"{"role":"user","content":""},"#.repeat(200_000), r#"{"role":"user"}]}"#].concat();
    let _ = asked(&many);
}

#[test]
fn wrong_types_are_refused_by_name() {
    let message = r#""messages":[{"role":"user","content":"a"}]"#;
    for field in [
        r#""model":7"#,
        r#""max_tokens":-1"#,
        r#""max_tokens":1.5"#,
        r#""max_tokens":99999999999999999999"#,
        r#""n":0"#,
        r#""n":"2""#,
        r#""stream":"true""#,
        r#""tools":{}"#,
        r#""messages":[]"#,
    ] {
        assert_eq!(asked(&format!("{{{message},{field}}}")), Some(Code::InvalidRequest), "{field}");
    }
}

#[test]
fn a_tenant_that_no_ledger_keeps_is_refused_by_name() {
    let world = World::new(|| completion("ok", 5, 5));
    let call = |length: usize| Call { tenant: "t".repeat(length).into(), ..ManualHost::call(QUESTION) };
    let refused = world.call(call(LONGEST_NAME + 1)).expect_err("too long");
    assert_eq!((refused.code, format!("{:?}", refused.detail).contains("\"tenant\"")), (Code::InvalidRequest, true));
    assert!(world.host.sent().is_empty());
    world.call(call(LONGEST_NAME)).expect("the longest");
}

proptest! {
    #[test]
    fn random_ones(body in text()) {
        let _ = asked(&body);
    }

    #[test]
    fn damaged_ones(body in damaged(WHOLE)) {
        let _ = asked(&body);
    }

    #[test]
    fn any_content(content: String, model: String, max_tokens: u64) {
        let quoted = |text: &str| serde_json::to_string(text).unwrap();
        let (content, model) = (quoted(&content), quoted(&model));
        let _ = asked(&format!(r#"{{"messages":[{{"role":"user","content":{content}}}],"max_tokens":{max_tokens}}}"#));
        let code = asked(&format!(r#"{{"messages":[{{"role":"user","content":{content}}}],"model":{model}}}"#));
        prop_assert!(code.is_none() || code == Some(Code::InvalidRequest));
    }
}
