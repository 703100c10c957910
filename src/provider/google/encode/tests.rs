use super::*;
use crate::error::Detail;
use crate::provider::google::decode_request;

const USER: &str = r#""messages":[{"role":"user","content":"x"}]"#;

fn outgoing(model: &str) -> Outgoing<'_> {
    Outgoing { provider: "google", model, max_output_tokens: 64, stream: false, relayed: false, most: None }
}

fn gemini(body: &str) -> String {
    encode_request(&json::fields(body).unwrap(), &outgoing("gemini-2.5-flash"))
        .unwrap_or_else(|error| panic!("{error:?}"))
}

/// What stands beside the one message `x`.
fn beside(fields: &str) -> String {
    let out = gemini(&format!("{{{USER},{fields}}}"));
    let out = out.strip_prefix(r#"{"contents":[{"role":"user","parts":[{"text":"x"}]}],"#).unwrap();
    out.strip_suffix('}').unwrap().replace(r#""generationConfig":{"maxOutputTokens":64"#, "{")
}

fn bad_field(body: &str) -> String {
    match encode_request(&json::fields(body).unwrap(), &outgoing("gemini-2.5-flash")).unwrap_err().detail {
        Detail::Fields(fields) => fields[0].path.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn settings_have_their_fields_and_hints_none() {
    assert_eq!(
        beside(
            r#""model":"y","max_tokens":5,"stream":true,"stream_options":{},"temperature":0.50,"top_p":1,"top_k":3,"seed":1,"presence_penalty":0,"frequency_penalty":0.0,"n":2,"stop":"end","user":"u","metadata":{},"store":true,"parallel_tool_calls":true,"logprobs":false,"logit_bias":null"#
        ),
        r#"{,"temperature":0.50,"topP":1,"topK":3,"seed":1,"candidateCount":2,"stopSequences":["end"]}"#
    );
    assert_eq!(beside(r#""stop":["a","b"]"#), r#"{,"stopSequences":["a","b"]}"#);
    assert_eq!(beside(r#""stop":[]"#), "{}");
    assert_eq!(beside(r#""response_format":{"type":"json_object"}"#), r#"{,"responseMimeType":"application/json"}"#);
    assert_eq!(
        beside(
            r#""response_format":{"type":"json_schema","json_schema":{"name":"n","strict":true,"description":"d","schema":{"type":"object"}}}"#
        ),
        r#"{,"responseMimeType":"application/json","responseJsonSchema":{"description":"d","type":"object"}}"#
    );
}

#[test]
fn a_conversation_with_tools_is_carried() {
    let body = r#"{"messages":[
        {"role":"developer","content":"Be brief."},
        {"role":"user","content":[{"type":"text","text":"Look","cache_control":{}},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}},{"type":"image_url","image_url":{"url":"https:\/\/a/b.JPG?x","detail":"auto"}}]},
        {"role":"assistant","content":null,"refusal":null,"reasoning":"hm","reasoning_details":[{"type":"reasoning.text","signature":"anthropic's"},{"type":"reasoning.encrypted","format":"google-gemini-v1","data":"T"}],"tool_calls":[
            {"id":"a","type":"function","function":{"name":"f","arguments":"{ \"x\": 1 }"},"extra_content":{"google":{"thought_signature":"S"}}},
            {"id":"b","type":"function","function":{"name":"g","arguments":""}}]},
        {"role":"tool","tool_call_id":"b","content":"four"},
        {"role":"tool","tool_call_id":"a","content":[{"type":"text","text":"{\"y\": 2}"}]},
        {"role":"system","content":"Go on."},
        {"role":"user","content":"Well?"}]}"#;
    assert_eq!(
        gemini(body),
        r#"{"contents":[{"role":"user","parts":[{"text":"Look"},{"inlineData":{"mimeType":"image/png","data":"AA=="}},{"fileData":{"mimeType":"image/jpeg","fileUri":"https://a/b.JPG?x"}}]},{"role":"model","parts":[{"text":"hm","thought":true},{"text":"","thoughtSignature":"T"},{"functionCall":{"id":"a","name":"f","args":{"x":1}},"thoughtSignature":"S"},{"functionCall":{"id":"b","name":"g","args":{}}}]},{"role":"user","parts":[{"functionResponse":{"id":"b","name":"g","response":{"result":"four"}}},{"functionResponse":{"id":"a","name":"f","response":{"y":2}}}]},{"role":"user","parts":[{"text":"Well?"}]}],"systemInstruction":{"parts":[{"text":"Be brief."},{"text":"Go on."}]},"generationConfig":{"maxOutputTokens":64}}"#
    );
}

/// "required oneof field 'data' must have one initialized field" is what the API says of `{"text":""}`.
#[test]
fn nobody_says_an_empty_text() {
    let said = |message: &str| {
        format!(
            r#"{{"messages":[{{"role":"system","content":""}},{{"role":"user","content":"a"}},{message},{{"role":"user","content":"b"}}]}}"#
        )
    };
    let without = r#"{"contents":[{"role":"user","parts":[{"text":"a"}]},{"role":"user","parts":[{"text":"b"}]}],"generationConfig":{"maxOutputTokens":64}}"#;
    for silent in [
        r#"{"role":"assistant","content":""}"#,
        r#"{"role":"assistant","content":null}"#,
        r#"{"role":"assistant","content":[{"type":"text","text":""}],"refusal":""}"#,
        r#"{"role":"developer","content":[{"type":"text","text":""}]}"#,
    ] {
        assert_eq!(gemini(&said(silent)), without, "{silent}");
    }
    let half = r#"{"role":"user","content":[{"type":"text","text":""},{"type":"text","text":"c"}]}"#;
    assert!(gemini(&said(half)).contains(r#"{"role":"user","parts":[{"text":"c"}]}"#));
    for empty in [r#"{"role":"user","content":""}"#, r#"{"role":"user","content":[]}"#] {
        assert_eq!(bad_field(&said(empty)), "messages[2].content", "{empty}");
    }
}

/// "Function calling with a response mime type: 'application/json' is unsupported", says the API of Gemini 2.5.
#[test]
fn json_beside_tools_is_for_newer_models() {
    const TOOL: &str = r#""tools":[{"type":"function","function":{"name":"f"}}]"#;
    for (format, of_two) in [
        (r#"{"type":"json_object"}"#, false),
        (r#"{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"array"}}}"#, false),
        (r#"{"type":"text"}"#, true),
    ] {
        let body = format!(r#"{{{USER},{TOOL},"stop":"responseMimeType","response_format":{format}}}"#);
        let fits = |model: &str| encode_request(&json::fields(&body).unwrap(), &outgoing(model)).is_ok();
        assert_eq!((fits("gemini-2.5-pro"), fits("gemini-3.5-flash")), (of_two, true), "{format}");
        if !of_two {
            assert_eq!(bad_field(&body), "response_format");
        }
        gemini(&body.replace(TOOL, r#""tools":[]"#));
    }
}

#[test]
fn a_const_is_carried_as_what_gemini_reads() {
    let schema = r#"{"type":"object","properties":{"kind":{"const":"a"}}}"#;
    let read = r#"{"type":"object","properties":{"kind":{"enum":["a"]}}}"#;
    let format = |more: &str, schema: &str| {
        beside(&format!(
            r#""response_format":{{"type":"json_schema","json_schema":{{"name":"n",{more}"schema":{schema}}}}}"#
        ))
    };
    assert_eq!(
        format("", schema),
        format!(r#"{{,"responseMimeType":"application/json","responseJsonSchema":{read}}}"#)
    );
    let described = read.replacen('{', r#"{"description":"d","#, 1);
    assert!(format(r#""description":"d","#, schema).contains(&described));
    let tool = format!(r#"{{{USER},"tools":[{{"type":"function","function":{{"name":"f","parameters":{schema}}}}}]}}"#);
    assert!(gemini(&tool).contains(&format!(r#""parametersJsonSchema":{read}"#)));
}

#[test]
fn penalties_and_several_answers_are_for_the_models_that_have_them() {
    let of = |field: &str, model: &str| {
        let body = format!("{{{USER},{field}}}");
        encode_request(&json::fields(&body).unwrap(), &outgoing(model)).ok()
    };
    for (field, own) in [
        (r#""presence_penalty":0.5"#, r#""presencePenalty":0.5"#),
        (r#""frequency_penalty":-1"#, r#""frequencyPenalty":-1"#),
    ] {
        assert!(of(field, "gemini-2.0-flash").unwrap().contains(own));
        assert_eq!((of(field, "gemini-2.5-flash"), of(field, "gemini-3.5-flash")), (None, None), "{field}");
    }
    let zeros = r#""presence_penalty":0,"frequency_penalty":0.0,"n":1"#;
    let plain = of(r#""user":"u""#, "gemini-3.5-flash");
    assert_eq!(of(zeros, "gemini-3.5-flash"), plain, "what means nothing is not said");
    assert!(of(r#""n":2"#, "gemini-2.5-pro").unwrap().contains(r#""candidateCount":2"#));
    assert_eq!(of(r#""n":2"#, "gemini-3.1-pro-preview"), None);
}

#[test]
fn a_result_that_speaks_of_references_is_a_text() {
    let body = r##"{"messages":[{"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]},
        {"role":"tool","tool_call_id":"a","content":"{\"x\":{\"$ref\":\"#/y\"}}"}],
        "tools":[{"type":"function","function":{"name":"f","parameters":{}}}]}"##;
    let out = gemini(body);
    assert!(out.contains(r##""response":{"result":"{\"x\":{\"$ref\":\"#/y\"}}"}"##), "{out}");
    assert!(out.contains(r#""functionDeclarations":[{"name":"f"}]"#), "no parameters are no schema: {out}");
}

#[test]
fn calls_of_another_model_get_a_stand_in_where_signatures_are_asked_for() {
    let call = |id: &str| format!(r#"{{"id":"{id}","type":"function","function":{{"name":"f","arguments":"{{}}"}}}}"#);
    let body = format!(r#"{{"messages":[{{"role":"assistant","tool_calls":[{},{}]}}]}}"#, call("a"), call("b"));
    let request = json::fields(&body).unwrap();
    let newer = encode_request(&request, &outgoing("gemini-3-pro-preview")).unwrap();
    assert_eq!(newer.matches(r#"},"thoughtSignature":"skip_thought_signature_validator"}"#).count(), 1);
    assert!(newer.find("skip").unwrap() < newer.find("\"b\"").unwrap(), "the first call is signed");
    assert!(!gemini(&body).contains("thoughtSignature"));
}

#[test]
fn tools_and_choices_are_carried() {
    let tool = r#""tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object", "x":1},"strict":false}}]"#;
    let declared = r#""tools":[{"functionDeclarations":[{"name":"f","description":"d","parametersJsonSchema":{"type":"object", "x":1}}]}],"#;
    let function = r#"{"type":"function","function":{"name":"f"}}"#;
    for (choice, config) in [
        ("\"auto\"".into(), r#""mode":"AUTO""#),
        ("\"none\"".into(), r#""mode":"NONE""#),
        ("\"required\"".into(), r#""mode":"ANY""#),
        (function.into(), r#""mode":"ANY","allowedFunctionNames":["f"]"#),
        (
            format!(r#"{{"type":"allowed_tools","allowed_tools":{{"mode":"auto","tools":[{function}]}}}}"#),
            r#""mode":"VALIDATED","allowedFunctionNames":["f"]"#,
        ),
    ] {
        let out = beside(&format!(r#"{tool},"tool_choice":{choice}"#));
        assert_eq!(out, format!(r#"{declared}"toolConfig":{{"functionCallingConfig":{{{config}}}}},{{}}"#));
    }
    let strict = beside(&tool.replace("\"strict\":false", "\"strict\":true"));
    assert!(strict.contains(r#""toolConfig":{"functionCallingConfig":{"mode":"VALIDATED"}}"#), "{strict}");
}

#[test]
fn images_share_one_detail() {
    let image =
        |detail: &str| format!(r#"{{"type":"image_url","image_url":{{"url":"https://a","detail":"{detail}"}}}}"#);
    let body = |one: &str, two: &str| {
        format!(r#"{{"messages":[{{"role":"user","content":[{},{}]}}]}}"#, image(one), image(two))
    };
    assert!(gemini(&body("low", "low")).contains(r#""mediaResolution":"MEDIA_RESOLUTION_LOW""#));
    assert!(!gemini(&body("high", "auto")).contains("mediaResolution"));
    assert_eq!(bad_field(&body("low", "high")), "messages");
}

#[test]
fn what_gemini_does_not_have_is_refused_by_its_neutral_name() {
    for (fields, path) in [
        (r#""logprobs":true"#, "logprobs"),
        (r#""top_logprobs":3"#, "top_logprobs"),
        (r#""logit_bias":{"1":2}"#, "logit_bias"),
        (r#""parallel_tool_calls":false"#, "parallel_tool_calls"),
        (r#""verbosity":"low""#, "verbosity"),
        (r#""web_search_options":{}"#, "web_search_options"),
        (r#""functions":[]"#, "functions"),
        (r#""brand_new":1"#, "brand_new"),
        (r#""temperature":"hot""#, "temperature"),
        (r#""stop":[7]"#, "stop"),
        (r#""tools":[{"type":"custom"}]"#, "tools[0].type"),
        (r#""tool_choice":"maybe""#, "tool_choice"),
        (r#""response_format":{"type":"grammar"}"#, "response_format.type"),
        (r#""response_format":{"type":"json_schema"}"#, "response_format.json_schema"),
        (
            r#""response_format":{"type":"json_schema","json_schema":{"name":"n","description":"a","schema":{"description":"b"}}}"#,
            "response_format.json_schema.description",
        ),
        (r#""reasoning_effort":"none","reasoning":{"new":1}"#, "reasoning.new"),
    ] {
        assert_eq!(bad_field(&format!("{{{USER},{fields}}}")), path, "{fields}");
    }
    for (message, path) in [
        (r#"{"role":"user","name":"Ann","content":"x"}"#, "messages[0].name"),
        (r#"{"role":"user"}"#, "messages[0].content"),
        (r#"{"role":"user","content":[{"type":"video_url"}]}"#, "messages[0].content[0].type"),
        (
            r#"{"role":"user","content":[{"type":"file","file":{"file_id":"f"}}]}"#,
            "messages[0].content[0].file.file_id",
        ),
        (
            r#"{"role":"user","content":[{"type":"image_url","image_url":{"url":"ftp://x"}}]}"#,
            "messages[0].content[0].image_url.url",
        ),
        (r#"{"role":"system","content":"x"}"#, "messages"),
        (r#"{"role":"tool","tool_call_id":"a","content":"x"}"#, "messages[0].tool_call_id"),
        (r#"{"role":"assistant","content":"x","audio":{"id":"a"}}"#, "messages[0].audio"),
        (
            r#"{"role":"assistant","tool_calls":[{"id":"a","function":{"name":"f","arguments":"[]"}}]}"#,
            "messages[0].tool_calls[0].function.arguments",
        ),
        (r#"{"role":"wizard","content":"x"}"#, "messages[0].role"),
    ] {
        assert_eq!(bad_field(&format!(r#"{{"messages":[{message}]}}"#)), path, "{message}");
    }
}

#[test]
fn calls_at_a_time_are_forbidden_only_where_a_function_must_be_called_alone() {
    let tool = |name: &str| format!(r#"{{"type":"function","function":{{"name":"{name}"}}}}"#);
    let body = |tools: &[&str], choice: &str| {
        let tools: Vec<_> = tools.iter().map(|name| tool(name)).collect();
        format!(r#"{{{USER},"parallel_tool_calls":false,"tools":[{}],"tool_choice":{choice}}}"#, tools.join(","))
    };
    let listed = |mode: &str, names: &[&str]| {
        let tools: Vec<_> = names.iter().map(|name| tool(name)).collect();
        format!(r#"{{"type":"allowed_tools","allowed_tools":{{"mode":"{mode}","tools":[{}]}}}}"#, tools.join(","))
    };
    for (tools, choice) in [
        (&["f"][..], r#""required""#.to_owned()),
        (&["f", "g"], tool("g")),
        (&["f", "g"], listed("required", &["g"])),
        (&["f", "g"], r#""none""#.into()),
    ] {
        assert!(gemini(&body(tools, &choice)).contains("functionCallingConfig"), "{choice}");
    }
    for (tools, choice) in [
        (&["f"][..], r#""auto""#.to_owned()),
        (&["f", "g"], r#""required""#.into()),
        (&["f", "g"], listed("required", &["f", "g"])),
        (&["f", "g"], listed("auto", &["g"])),
    ] {
        assert_eq!(bad_field(&body(tools, &choice)), "parallel_tool_calls", "{choice}");
    }
}

#[test]
fn a_request_there_and_back_is_the_same() {
    let body = r#"{"contents":[{"role":"user","parts":[{"text":"Go"}]},{"role":"model","parts":[{"text":"hm","thought":true},{"text":"ok"},{"text":"","thoughtSignature":"T"},{"functionCall":{"id":"a","name":"f","args":{"x":1}},"thoughtSignature":"S"}]},{"role":"user","parts":[{"functionResponse":{"id":"a","name":"f","response":{"y":2}}}]}],"systemInstruction":{"parts":[{"text":"Be brief."}]},"tools":[{"functionDeclarations":[{"name":"f","parametersJsonSchema":{"type":"object"}}]}],"toolConfig":{"functionCallingConfig":{"mode":"ANY"}},"generationConfig":{"maxOutputTokens":64,"temperature":1,"thinkingConfig":{"thinkingBudget":9,"includeThoughts":true}}}"#;
    let neutral = decode_request(body, None, false).unwrap();
    assert_eq!(gemini(&neutral), body);
}

#[test]
fn messages_of_the_model_that_follow_one_another_are_one_content() {
    let call = r#"{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]}"#;
    let result = r#"{"role":"tool","tool_call_id":"c","content":"1"}"#;
    let body = format!(
        r#"{{"messages":[{{"role":"user","content":"x"}},{{"role":"assistant","content":"Well."}},{call},{result},{{"role":"user","content":"y"}},{{"role":"user","content":"z"}}]}}"#
    );
    let written: serde_json::Value = serde_json::from_str(&gemini(&body)).unwrap();
    let contents = written["contents"].as_array().unwrap();
    let parts: Vec<_> =
        contents.iter().map(|own| (own["role"].as_str().unwrap(), own["parts"].as_array().unwrap().len())).collect();
    assert_eq!(parts, [("user", 1), ("model", 2), ("user", 1), ("user", 1), ("user", 1)]);
}
