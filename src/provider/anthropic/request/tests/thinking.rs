//! Thinking: how much, and what of it goes back.

use super::*;

#[test]
fn a_callers_thinking_has_neutral_words() {
    let of = |thinking: Value, effort: Value| {
        let request = with(with(ask(), "thinking", thinking), "output_config", json!({"effort": effort}));
        let neutral = decoded(&request);
        (neutral.get("reasoning").cloned(), neutral.get("reasoning_effort").cloned())
    };
    let budget = Some(json!({"max_tokens": 2048}));
    let enabled = json!({"type": "enabled", "budget_tokens": 2048, "display": "summarized"});
    assert_eq!(of(enabled.clone(), Value::Null), (budget.clone(), None));
    assert_eq!(of(enabled, json!("low")), (budget, Some(json!("low"))));
    assert_eq!(of(json!({"type": "adaptive"}), Value::Null), (None, Some(json!("high"))));
    assert_eq!(of(json!({"type": "adaptive"}), json!("xhigh")), (None, Some(json!("xhigh"))));
    assert_eq!(of(json!({"type": "disabled"}), Value::Null), (None, Some(json!("none"))));
    assert_eq!(of(Value::Null, json!("medium")), (None, Some(json!("medium"))));
    assert_eq!(of(Value::Null, Value::Null), (None, None));
}

#[test]
fn each_model_is_asked_to_think_as_it_can() {
    let of = |field: &str, value: Value, model: &str| {
        let request = with(json!({"messages": ask()["messages"]}), field, value);
        let body: Value = serde_json::from_str(&try_encode(&request, model).unwrap()).unwrap();
        (body.get("thinking").cloned(), body["output_config"].get("effort").cloned())
    };
    let (old, new) = ("claude-sonnet-4-5-20250929", "claude-opus-4-7");
    let budget = |tokens: u32| Some(json!({"type": "enabled", "budget_tokens": tokens}));
    let adaptive = Some(json!({"type": "adaptive"}));
    assert_eq!(of("reasoning_effort", json!("high"), old), (budget(3276), None));
    assert_eq!(of("reasoning_effort", json!("minimal"), old), (budget(1024), None));
    assert_eq!(of("reasoning_effort", json!("minimal"), new), (adaptive.clone(), Some(json!("low"))));
    assert_eq!(of("reasoning_effort", json!("none"), old), (Some(json!({"type": "disabled"})), None));
    assert_eq!(of("reasoning", json!({"max_tokens": 2000}), old), (budget(2000), None));
    assert_eq!(of("reasoning", json!({"max_tokens": 2000}), new), (adaptive.clone(), Some(json!("medium"))));
    assert_eq!(of("reasoning", json!({"effort": "xhigh"}), new), (adaptive, Some(json!("xhigh"))));
    let hidden = Some(json!({"type": "adaptive", "display": "omitted"}));
    assert_eq!(of("reasoning", json!({"enabled": true, "exclude": true}), new), (hidden, Some(json!("medium"))));
    assert_eq!(of("reasoning", json!({"enabled": false}), new), (Some(json!({"type": "disabled"})), None));
    let much = with(ask(), "reasoning", json!({"max_tokens": 4096}));
    assert_eq!(named(try_encode(&much, old)), "reasoning.max_tokens");
    for (field, value) in [("temperature", json!(0.5)), ("top_k", json!(3))] {
        let request = with(with(ask(), "reasoning_effort", json!("low")), field, value);
        assert_eq!(named(try_encode(&request, new)), field);
    }
    let request = with(with(ask(), "reasoning_effort", json!("low")), "temperature", json!(1.0));
    assert!(try_encode(&request, new).is_ok());
}

#[test]
fn thinking_goes_back_with_its_signature() {
    let blocks = json!([{"type": "thinking", "thinking": "hm", "signature": "s"}, {"type": "redacted_thinking", "data": "E"},
        {"type": "thinking", "thinking": "unsigned", "signature": ""}, {"type": "text", "text": "A"}]);
    let message = decoded_message(json!({"role": "assistant", "content": blocks}));
    let format = "anthropic-claude-v1";
    let details = json!([{"type": "reasoning.text", "text": "hm", "signature": "s", "format": format},
        {"type": "reasoning.encrypted", "data": "E", "format": format}]);
    let expected =
        json!({"role": "assistant", "content": "A", "reasoning": "hmunsigned", "reasoning_details": details});
    assert_eq!(message, expected);
    let turns = encoded_messages(json!([{"role": "user", "content": "Hi"}, message]));
    assert_eq!(turns[1]["content"], json!([blocks[0], blocks[1], blocks[3]]));
}

#[test]
fn a_calls_extra_goes_back_with_it() {
    let extra = json!({"google": {"thought_signature": "x"}});
    let data = json!({"tool_call": "a", "extra_content": extra}).to_string();
    let call = json!({"type": "tool_use", "id": "a", "name": "f", "input": {}});
    let content = json!([{"type": "redacted_thinking", "data": data}, call]);
    let message = decoded_message(json!({"role": "assistant", "content": content}));
    assert_eq!(message["tool_calls"][0]["extra_content"], extra);
    assert_eq!(message.get("reasoning_details"), None);
}

#[test]
fn another_providers_thinking_does_not_reach_the_api() {
    let messages = r#"[{"role":"user","content":"thinking"},{"role":"assistant","content":[{"type":"thinking","thinking":"x","signature":""},{"type":"redacted_thinking","data":"{\"a\":1}"},{"type":"text","text":"\u0041"}]},{"role":"assistant","content":[{"type":"thinking","thinking":"x"}]},{"role":"assistant","content":[{"type":"thinking","thinking":"y","signature":"s"}]}]"#;
    let body = [r#"{"messages":"#, messages, "}"].concat();
    assert_eq!(
        rewrite_request(&json::fields(&body).unwrap(), &outgoing("m")),
        r#"{"model":"m","max_tokens":4096,"messages":[{"role":"user","content":"thinking"},{"role":"assistant","content":[{"type":"text","text":"\u0041"}]},{"role":"assistant","content":[{"type":"thinking","thinking":"y","signature":"s"}]}]}"#
    );
}
