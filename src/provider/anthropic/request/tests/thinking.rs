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
fn between_tools_a_budget_may_be_more_than_one_answer() {
    let request = |budget: u32| with(ask(), "thinking", json!({"type": "enabled", "budget_tokens": budget}));
    let tools = json!([{"name": "f", "input_schema": {"type": "object"}}]);
    // `ask` bounds an answer by 4,096 tokens.
    for (budget, said) in [(4095, 4095), (4096, 4095), (60_000, 4095)] {
        let neutral = decoded(&with(request(budget), "tools", tools.clone()));
        assert_eq!(neutral["reasoning"], json!({"max_tokens": said}));
    }
    assert_eq!(named(decode_request(&with(request(1023), "tools", tools).to_string())), "thinking.budget_tokens");
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
    let adaptive = Some(json!({"type": "adaptive", "display": "summarized"}));
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

#[test]
fn a_budget_waits_until_the_tools_that_another_provider_called_are_done() {
    let (old, new) = ("claude-haiku-4-5", "claude-opus-4-7");
    let call = json!({"role": "assistant", "content": "\n\n", "tool_calls": [
        {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}]});
    let signed = json!([{"type": "reasoning.text", "text": "hm", "signature": "s"}]);
    let thought = with(call.clone(), "reasoning_details", signed);
    let result = json!({"role": "tool", "tool_call_id": "a", "content": "1"});
    let of = |said: &[&Value], model: &str| {
        let mut messages = vec![json!({"role": "user", "content": "Hi"})];
        messages.extend(said.iter().map(|message| (*message).clone()));
        try_encode(&json!({"messages": messages, "reasoning_effort": "low"}), model)
    };
    let more = json!({"role": "user", "content": "And?"});
    for (said, model, fits) in [
        (&[&call, &result][..], old, false),
        (&[&call, &result, &more], old, false),
        (&[&call, &result, &thought, &result], old, false),
        (&[&call, &result], new, true),
        (&[&thought, &result], old, true),
        // Without interleaved thinking it thinks once before all its calls.
        (&[&thought, &result, &call, &result], old, true),
        (&[&call, &result, &json!({"role": "assistant", "content": "A"}), &more], old, true),
        (&[&call, &result, &json!({"role": "assistant", "content": "A"}), &more, &thought, &result], old, true),
    ] {
        let written = of(said, model);
        assert_eq!(written.is_ok(), fits, "{said:?}");
        if !fits {
            assert_eq!(named(written), "reasoning_effort");
        }
    }
    let body = of(&[&call, &result], new).unwrap();
    assert!(!body.contains("\\n\\n"), "the API takes no white space alone: {body}");
}

#[test]
fn what_is_taken_out_takes_the_budget_along_while_tools_go_on() {
    let send = |thinking: Value, signature: &str, relayed: bool| -> Value {
        let blocks = json!([{"type": "thinking", "thinking": "hm", "signature": signature},
            {"type": "tool_use", "id": "a", "name": "f", "input": {}}]);
        let result = json!([{"type": "tool_result", "tool_use_id": "a", "content": "1"}]);
        let messages = json!([{"role": "user", "content": "Hi"}, {"role": "assistant", "content": blocks}, {"role": "user", "content": result}]);
        let body = json!({"thinking": thinking, "messages": messages}).to_string();
        let outgoing = Outgoing { relayed, ..outgoing("m") };
        serde_json::from_str(&rewrite_request(&json::fields(&body).unwrap(), &outgoing)).unwrap()
    };
    let enabled = || json!({"type": "enabled", "budget_tokens": 1024});
    let first = |body: &Value| body["messages"][1]["content"][0]["type"].clone();
    let foreign = send(enabled(), "{}", false);
    assert_eq!((foreign.get("thinking"), first(&foreign)), (None, json!("tool_use")));
    let adaptive = send(json!({"type": "adaptive"}), "{}", false);
    assert_eq!((adaptive["thinking"]["type"].clone(), first(&adaptive)), (json!("adaptive"), json!("tool_use")));
    for kept in [send(enabled(), "s", false), send(enabled(), "{}", true)] {
        assert_eq!(
            (kept["thinking"].clone(), first(&kept)),
            (enabled(), json!("thinking")),
            "its own, or for a gateway"
        );
    }
}
