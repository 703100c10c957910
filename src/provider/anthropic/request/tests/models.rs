//! What only some of Claude's models take: a request that the API answers with a 400 goes to another target.

use super::*;

const OLD: &str = "claude-haiku-4-5";
const WORDS: &str = "claude-sonnet-4-6";
const NEW: &str = "claude-opus-4-7";
const FREE: &str = "claude-sonnet-5-5";
const FOREIGN: &str = "kimi-k3";

fn body(request: &Value, model: &str) -> Value {
    serde_json::from_str(&try_encode(request, model).unwrap()).unwrap()
}

/// "`temperature` is deprecated for this model", "`temperature` and `top_p` cannot both be specified for this model", and
/// from the migration guides: "Sampling parameters set to a non-default value return a 400 error".
#[test]
fn models_draw_as_they_can_be_asked_to() {
    let asked = |fields: Value| {
        let mut request = ask();
        request.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        request
    };
    for (fields, model, refused) in [
        (json!({"temperature": 0.5}), OLD, ""),
        (json!({"temperature": 0.5}), WORDS, ""),
        (json!({"temperature": 0.5}), NEW, "temperature"),
        (json!({"top_p": 0.5}), FREE, "top_p"),
        (json!({"top_k": 5}), NEW, "top_k"),
        (json!({"top_k": 5, "top_p": 0.5}), WORDS, ""),
        (json!({"temperature": 0.5, "top_p": 0.5}), OLD, "top_p"),
        (json!({"temperature": 0.5, "top_p": 0.5}), FOREIGN, ""),
        (json!({"top_p": 0.95, "reasoning_effort": "low"}), OLD, ""),
        (json!({"top_p": 0.94, "reasoning_effort": "low"}), OLD, "top_p"),
        (json!({"top_p": 0.95, "reasoning_effort": "low"}), NEW, "top_p"),
    ] {
        let written = try_encode(&asked(fields.clone()), model);
        assert_eq!(if written.is_ok() { String::new() } else { named(written) }, refused, "{fields} {model}");
    }
    for model in [OLD, WORDS, NEW, FREE] {
        let written = body(&asked(json!({"temperature": 1, "top_p": 1.0})), model);
        assert_eq!((written.get("temperature"), written.get("top_p")), (None, None), "{model}: what changes nothing");
    }
    assert_eq!(body(&asked(json!({"temperature": 0.5, "top_p": 1})), OLD)["temperature"], 0.5);
    assert_eq!(body(&asked(json!({"temperature": 1, "top_p": 0.5})), OLD)["top_p"], 0.5);
}

/// "This model does not support assistant message prefill. The conversation must end with a user message."
#[test]
fn only_older_models_go_on_with_an_answer() {
    let begun = json!({"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "{"}]});
    for model in [OLD, FOREIGN] {
        assert_eq!(body(&begun, model)["messages"][1]["role"], "assistant");
    }
    for model in [WORDS, NEW, FREE] {
        assert_eq!(named(try_encode(&begun, model)), "messages", "{model}");
    }
    assert_eq!(named(try_encode(&with(begun, "reasoning_effort", json!("low")), OLD)), "messages");
}

/// platform.claude.com, "What's new in Claude Opus 5.5": thinking can't be disabled, and forced tool use returns an error.
#[test]
fn a_model_that_always_thinks_is_not_told_otherwise() {
    let tools = json!([{"type": "function", "function": {"name": "f"}}]);
    let forced = with(with(ask(), "tools", tools), "tool_choice", json!("required"));
    let off = with(ask(), "reasoning_effort", json!("none"));
    let disabled = with(ask(), "reasoning", json!({"enabled": false}));
    for (model, thinks, free) in
        [(OLD, false, false), (NEW, false, false), ("claude-fable-5", true, false), (FREE, true, true)]
    {
        let refused = |request: &Value| try_encode(request, model).err().map(|error| named::<()>(Err(error)));
        let expected = |refuses: bool, field: &str| refuses.then(|| field.to_owned());
        assert_eq!(refused(&off), expected(thinks, "reasoning_effort"), "{model}");
        assert_eq!(refused(&disabled), expected(thinks, "reasoning"), "{model}");
        assert_eq!(refused(&forced), expected(free, "tool_choice"), "{model}");
    }
}

/// platform.claude.com, "Effort": `xhigh` came with Opus 4.7, and Claude 4.6 knows `max` above `high`.
#[test]
fn each_model_is_told_a_word_that_it_knows() {
    for (model, word) in [(WORDS, "max"), (NEW, "xhigh"), (FREE, "xhigh")] {
        let request = with(ask(), "reasoning_effort", json!("xhigh"));
        assert_eq!(body(&request, model)["output_config"]["effort"], word, "{model}");
    }
}

/// "For 'object' type, 'additionalProperties' must be explicitly set to false"; "input_schema does not support oneOf,
/// allOf, or anyOf at the top level"; "tools.0.custom.input_schema.type: Field required".
#[test]
fn a_schema_is_one_that_the_api_takes() {
    let schema = json!({"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}, "additionalProperties": false});
    let format = json!({"type": "json_schema", "json_schema": {"name": "a", "schema": schema}});
    let request = with(ask(), "response_format", format);
    assert_eq!(named(try_encode(&request, NEW)), "response_format.json_schema.schema.properties.n.minimum");
    assert!(try_encode(&request, FOREIGN).is_ok());
    let tool = |strict: bool, parameters: Value| {
        let function = json!({"name": "f", "strict": strict, "parameters": parameters});
        with(ask(), "tools", json!([{"type": "function", "function": function}]))
    };
    assert_eq!(
        named(try_encode(&tool(true, schema.clone()), OLD)),
        "tools[0].function.parameters.properties.n.minimum"
    );
    assert_eq!(body(&tool(false, schema.clone()), OLD)["tools"][0]["input_schema"], schema);
    let any = json!({"type": "object", "anyOf": [{"required": ["a"]}]});
    assert_eq!(named(try_encode(&tool(false, any), OLD)), "tools[0].function.parameters.anyOf");
    let untyped = body(&tool(false, json!({"properties": {"a": {}}})), OLD);
    assert_eq!(untyped["tools"][0]["input_schema"], json!({"type": "object", "properties": {"a": {}}}));
}

/// "user_id appears to contain an email address. Please send a uuid or hash value instead"
#[test]
fn a_person_is_not_named_to_the_api() {
    let long = "u".repeat(257);
    for (user, told) in [
        ("user-1", true),
        ("0c7c9f8e-3f0f-4c0e-8d55-0f4ec1a1a1a1", true),
        ("1234", true),
        ("me@example.com", false),
        ("+49 (30) 1234-567", false),
        (&long, false),
    ] {
        let metadata = body(&with(ask(), "user", json!(user)), NEW).get("metadata").cloned();
        assert_eq!(metadata, told.then(|| json!({"user_id": user})), "{user}");
    }
}
