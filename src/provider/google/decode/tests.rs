use super::*;
use crate::chat::ChatRequest;
use crate::error::Detail;

fn neutral(body: &str) -> String {
    let out = decode_request(body, Some("models/gemini-x"), false).unwrap_or_else(|error| panic!("{error:?}"));
    assert!(ChatRequest::parse(&out).is_ok(), "{out}");
    out
}

fn bad_field(body: &str) -> String {
    match decode_request(body, None, false).unwrap_err().detail {
        Detail::Fields(fields) => fields[0].path.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn both_spellings_say_the_same() {
    let camel = r#"{"contents":[{"role":"user","parts":[{"text":"Hi \u0041"}]}],"systemInstruction":{"parts":{"text":"Be brief."}},
        "generationConfig":{"temperature":0.5,"topP":0.9,"topK":40,"maxOutputTokens":10,"stopSequences":["a"],"candidateCount":2,"seed":7,"presencePenalty":-1,"frequencyPenalty":1,"responseMimeType":"application/json"}}"#;
    let snake = r#"{"contents":{"parts":[{"text":"Hi \u0041"}]},"system_instruction":{"role":"system","parts":[{"text":"Be brief."}]},
        "generation_config":{"temperature":0.5,"top_p":0.9,"top_k":40,"max_output_tokens":10,"stop_sequences":["a"],"candidate_count":2,"seed":7,"presence_penalty":-1,"frequency_penalty":1,"response_mime_type":"application/json"}}"#;
    let expected = r#"{"model":"gemini-x","temperature":0.5,"top_p":0.9,"top_k":40,"max_completion_tokens":10,"stop":["a"],"n":2,"seed":7,"presence_penalty":-1,"frequency_penalty":1,"response_format":{"type":"json_object"},"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Hi \u0041"}]}"#;
    assert_eq!(neutral(camel), expected);
    assert_eq!(neutral(snake), expected);
    let streamed = decode_request(r#"{"contents":[{"parts":[{"text":"x"}]}]}"#, None, true).unwrap();
    assert_eq!(
        streamed,
        r#"{"stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"x"}]}"#
    );
}

#[test]
fn what_geminis_clients_always_say_is_no_wish() {
    let decoded = |config: &str| {
        let body = format!(r#"{{"contents":[{{"parts":[{{"text":"x"}}]}}],"generationConfig":{config}}}"#);
        decode_request(&body, Some("m"), false).unwrap()
    };
    let plain = decoded("{}");
    assert_eq!(decoded(r#"{"topP":0.95,"topK":64}"#), plain);
    for (wish, field) in [(r#"{"topP":0.9}"#, r#""top_p":0.9"#), (r#"{"topK":40}"#, r#""top_k":40"#)] {
        assert!(decoded(wish).contains(field), "{wish}");
    }
}

#[test]
fn a_conversation_with_tools_keeps_its_order_and_signatures() {
    let body = r#"{"contents":[
        {"role":"user","parts":[{"text":"Go"}]},
        {"role":"model","parts":[{"text":"hm","thought":true},{"text":"I "}]},
        {"role":"model","parts":[{"text":"call."},{"functionCall":{"name":"f","args":{ "a": 1 }},"thoughtSignature":"S"},{"functionCall":{"name":"f"}},{"functionCall":{"id":"own","name":"g","args":{}}}]},
        {"role":"model","parts":[{"text":"","thoughtSignature":"T"}]},
        {"role":"user","parts":[{"text":"And?"},{"functionResponse":{"id":"own","name":"g","response":{"r":3}}},{"functionResponse":{"name":"f","response":{"r":1}}},{"functionResponse":{"name":"f","response":{"r":2}}}]}
    ]}"#;
    let messages = r#""messages":[{"role":"user","content":"Go"},{"role":"assistant","content":"I call.","reasoning":"hm","reasoning_details":[{"type":"reasoning.encrypted","format":"google-gemini-v1","data":"T"}],"tool_calls":[{"id":"call_0","type":"function","function":{"name":"f","arguments":"{\"a\":1}"},"extra_content":{"google":{"thought_signature":"S"}}},{"id":"call_1","type":"function","function":{"name":"f","arguments":"{}"}},{"id":"own","type":"function","function":{"name":"g","arguments":"{}"}}]},{"role":"tool","tool_call_id":"own","content":"{\"r\":3}"},{"role":"tool","tool_call_id":"call_0","content":"{\"r\":1}"},{"role":"tool","tool_call_id":"call_1","content":"{\"r\":2}"},{"role":"user","content":[{"type":"text","text":"And?"}]}]}"#;
    assert!(neutral(body).ends_with(messages), "{}", neutral(body));
}

#[test]
fn another_providers_signature_goes_back_with_the_thoughts_before_it() {
    let signed = |signature: &str| {
        let mut part = String::new();
        let item = format!(r#"{{"type":"reasoning.text","signature":"{signature}"}}"#);
        crate::provider::google::signature::push_any(&mut part, &item);
        part
    };
    let body = format!(
        r#"{{"contents":[{{"role":"user","parts":[{{"text":"Go"}}]}},{{"role":"model","parts":[{{"text":"h","thought":true}},{{"text":"m","thought":true}},{}]}},{{"role":"model","parts":[{{"text":"so","thought":true}},{},{{"text":"x"}}]}},{{"role":"user","parts":[{{"text":"On"}}]}}]}}"#,
        signed("s"),
        signed("t")
    );
    let expected = r#""reasoning":"hmso","reasoning_details":[{"type":"reasoning.text","text":"hm","signature":"s"},{"type":"reasoning.text","text":"so","signature":"t"}]"#;
    assert!(neutral(&body).contains(expected), "{}", neutral(&body));
}

#[test]
fn media_with_a_neutral_form_are_carried() {
    let body = r#"{"contents":[{"parts":[{"inline_data":{"mime_type":"image/png","data":"A-_="}},{"fileData":{"mimeType":"image/png","fileUri":"https://a/b"}},{"inlineData":{"mimeType":"audio/wav","data":"AA"}},{"inlineData":{"mimeType":"application/pdf","data":"AA"}}]}],"generationConfig":{"mediaResolution":"MEDIA_RESOLUTION_LOW"}}"#;
    let parts = r#"[{"type":"image_url","image_url":{"url":"data:image/png;base64,A+/=","detail":"low"}},{"type":"image_url","image_url":{"url":"https://a/b","detail":"low"}},{"type":"input_audio","input_audio":{"data":"AA","format":"wav"}},{"type":"file","file":{"filename":"document.pdf","file_data":"data:application/pdf;base64,AA"}}]"#;
    assert!(neutral(body).contains(parts), "{}", neutral(body));
}

#[test]
fn functions_become_tools() {
    let body = |config: &str| {
        format!(
            r#"{{"contents":[{{"parts":[{{"text":"x"}}]}}],"tools":[{{"functionDeclarations":[{{"name":"f","description":"d","parameters":{{"type":"OBJECT","properties":{{"the_id":{{"type":"STRING","nullable":true,"enum":["a"],"format":"enum"}},"l":{{"type":"ARRAY","items":{{"type":"integer"}},"minItems":"1","max_items":3}}}},"required":["the_id"],"propertyOrdering":["the_id"]}}}},{{"name":"g","parametersJsonSchema":{{"type":"object", "$x":1}}}}]}}],"toolConfig":{{"functionCallingConfig":{config}}}}}"#
        )
    };
    let tools = r#""tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object","properties":{"the_id":{"type":["string","null"],"enum":["a",null]},"l":{"type":"array","items":{"type":"integer"},"minItems":1,"maxItems":3}},"required":["the_id"]}}},{"type":"function","function":{"name":"g","parameters":{"type":"object", "$x":1}}}],"tool_choice":"#;
    let function = |name: &str| format!(r#"{{"type":"function","function":{{"name":"{name}"}}}}"#);
    let allowed = |mode: &str| {
        let (f, g) = (function("f"), function("g"));
        format!(r#"{{"type":"allowed_tools","allowed_tools":{{"mode":"{mode}","tools":[{f},{g}]}}}}"#)
    };
    for (config, choice) in [
        (r#"{"mode":"AUTO","streamFunctionCallArguments":true}"#, "\"auto\"".into()),
        (r#"{"mode":"none"}"#, "\"none\"".into()),
        (r#"{"mode":"ANY"}"#, "\"required\"".into()),
        (r#"{"mode":"VALIDATED"}"#, "\"auto\"".into()),
        (r#"{"mode":"ANY","allowedFunctionNames":["f"]}"#, function("f")),
        (r#"{"mode":"ANY","allowed_function_names":["f","g"]}"#, allowed("required")),
        (r#"{"mode":"VALIDATED","allowedFunctionNames":["f","g"]}"#, allowed("auto")),
    ] {
        let out = neutral(&body(config));
        assert!(out.ends_with(&[tools, &choice, "}"].concat()), "{out}");
    }
}

#[test]
fn a_schema_is_asked_for_in_either_form() {
    let body = |schema: &str| {
        format!(
            r#"{{"contents":[{{"parts":[{{"text":"x"}}]}}],"generationConfig":{{"responseMimeType":"application/json",{schema}}}}}"#
        )
    };
    let format =
        r#""response_format":{"type":"json_schema","json_schema":{"name":"response","schema":{"type":"string"}}}"#;
    for schema in [r#""responseSchema":{"type":"STRING"}"#, r#""responseJsonSchema":{"type":"string"}"#] {
        assert!(neutral(&body(schema)).contains(format));
    }
    let nested = ["{\"items\":".repeat(40), "{}".into(), "}".repeat(40)].concat();
    assert!(bad_field(&body(&format!("\"responseSchema\":{nested}"))).starts_with("generationConfig.responseSchema"));
}

#[test]
fn probabilities_are_asked_for_in_chats_words() {
    let asked = r#"{"contents":[{"parts":[{"text":"x"}]}],"generationConfig":{"responseLogprobs":true,"logprobs":3,"mediaResolution":"MEDIA_RESOLUTION_MEDIUM"}}"#;
    assert_eq!(
        neutral(asked),
        r#"{"model":"gemini-x","logprobs":true,"top_logprobs":3,"messages":[{"role":"user","content":"x"}]}"#
    );
}

#[test]
fn what_no_other_provider_has_is_refused_by_name() {
    let user = r#""contents":[{"parts":[{"text":"x"}]}]"#;
    for (body, path) in [
        ("[]".into(), ""),
        ("{}".into(), "contents"),
        (format!(r#"{{{user},"cached_content":"cachedContents/x"}}"#), "cachedContent"),
        (format!(r#"{{{user},"tools":[{{"googleSearch":{{}}}}]}}"#), "tools[0].googleSearch"),
        (format!(r#"{{{user},"tools":[{{"code_execution":{{}}}}]}}"#), "tools[0].codeExecution"),
        (format!(r#"{{{user},"tools":[{{"functionDeclarations":[{{}}]}}]}}"#), "tools[0].functionDeclarations[0].name"),
        (format!(r#"{{{user},"toolConfig":{{"retrievalConfig":{{}}}}}}"#), "toolConfig.retrievalConfig"),
        (format!(r#"{{{user},"generationConfig":{{"responseLogprobs":7}}}}"#), "generationConfig.responseLogprobs"),
        (format!(r#"{{{user},"generationConfig":{{"speechConfig":{{}}}}}}"#), "generationConfig.speechConfig"),
        (
            format!(r#"{{{user},"generationConfig":{{"responseModalities":["IMAGE"]}}}}"#),
            "generationConfig.responseModalities",
        ),
        (format!(r#"{{{user},"generationConfig":{{"maxOutputTokens":0}}}}"#), "generationConfig.maxOutputTokens"),
        (format!(r#"{{{user},"generationConfig":{{"temperature":"x"}}}}"#), "generationConfig.temperature"),
        (format!(r#"{{{user},"generationConfig":{{"responseSchema":{{}}}}}}"#), "generationConfig.responseMimeType"),
        (format!(r#"{{{user},"new_thing":{{"a":1}}}}"#), "newThing"),
        (r#"{"contents":[{"role":"system","parts":[{"text":"x"}]}]}"#.into(), "contents[0].role"),
        (r#"{"contents":[{"parts":[]}]}"#.into(), "contents[0].parts"),
        (r#"{"contents":[{"parts":[{"text":7}]}]}"#.into(), "contents[0].parts[0].text"),
        (r#"{"contents":[{"parts":[{"videoMetadata":{}}]}]}"#.into(), "contents[0].parts[0].videoMetadata"),
        (
            r#"{"contents":[{"parts":[{"inlineData":{"mimeType":"video/mp4","data":""}}]}]}"#.into(),
            "contents[0].parts[0].inlineData.mimeType",
        ),
        (
            r#"{"contents":[{"parts":[{"inlineData":{"mimeType":"image/png","data":"","extra":1}}]}]}"#.into(),
            "contents[0].parts[0].inlineData.extra",
        ),
        (
            // Gemini reads such an address as a film, whatever type is said beside it.
            r#"{"contents":[{"parts":[{"fileData":{"mimeType":"image/png","fileUri":"https://www.youtube.com/watch?v=x"}}]}]}"#.into(),
            "contents[0].parts[0].fileData.fileUri",
        ),
        (
            r#"{"contents":[{"parts":[{"fileData":{"mimeType":"image/png","fileUri":"gs://a/b"}}]}]}"#.into(),
            "contents[0].parts[0].fileData.fileUri",
        ),
        (
            r#"{"contents":[{"parts":[{"functionResponse":{"name":"f","response":{}}}]}]}"#.into(),
            "contents[0].parts[0].functionResponse",
        ),
    ] {
        assert_eq!(bad_field(&body), path, "{body}");
    }
}

#[test]
fn what_nobody_counts_is_no_longer_than_what_is_counted() {
    let with = |ordering: &str| {
        let schema =
            format!(r#"{{"type":"OBJECT","properties":{{"a":{{"type":"STRING"}}}},"propertyOrdering":{ordering}}}"#);
        let function = format!(r#"{{"functionDeclarations":[{{"name":"f","parameters":{schema}}}]}}"#);
        format!(r#"{{"contents":[{{"parts":[{{"text":"x"}}]}}],"tools":[{function}]}}"#)
    };
    neutral(&with(r#"["a"]"#));
    let path = "tools[0].functionDeclarations[0].parameters.propertyOrdering";
    assert_eq!(bad_field(&with(&format!(r#"["{}"]"#, "a".repeat(99)))), path);
}

/// Each result is looked for among the calls that wait for theirs.
#[test]
fn calls_without_results_are_bounded() {
    let parts = |count: usize, part: &str| vec![part; count].join(",");
    let asks = |count: usize| {
        let (call, result) = (r#"{"functionCall":{"name":"f"}}"#, r#"{"functionResponse":{"name":"f"}}"#);
        let (calls, results) = (parts(count, call), parts(count, result));
        format!(r#"{{"contents":[{{"role":"model","parts":[{calls}]}},{{"role":"user","parts":[{results}]}}]}}"#)
    };
    let told = neutral(&asks(1_024));
    assert_eq!((told.matches("tool_call_id").count(), told.matches("\"call_1023\"").count()), (1_024, 2));
    assert_eq!(bad_field(&asks(1_025)), "contents[0].parts[1024].functionCall");
    // As many as anybody wants, one after the other.
    let one = asks(1);
    let turn = one.strip_prefix(r#"{"contents":["#).and_then(|rest| rest.strip_suffix("]}")).unwrap();
    let told = neutral(&format!(r#"{{"contents":[{}]}}"#, parts(1_500, turn)));
    assert_eq!(told.matches("\"call_1499\"").count(), 2);
}
