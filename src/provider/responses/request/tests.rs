mod tools;

use super::*;
use crate::error::{Code, Detail};

fn decoded(body: &str) -> String {
    let neutral = decode_request(body).unwrap_or_else(|error| panic!("{body}: {error:?}"));
    crate::chat::ChatRequest::parse(&neutral).unwrap_or_else(|error| panic!("{neutral}: {error:?}"));
    neutral
}

fn encoded(body: &str) -> String {
    let outgoing =
        Outgoing { provider: "openai", model: "gpt", max_output_tokens: 64, stream: false, relayed: false, most: None };
    encode_request(&json::fields(body).unwrap(), &outgoing).unwrap_or_else(|error| panic!("{body}: {error:?}"))
}

/// The field that an error names.
fn refused(result: Result<String>) -> String {
    refused_as(Code::InvalidRequest, result)
}

fn refused_as(code: Code, result: Result<String>) -> String {
    let error = result.unwrap_err();
    assert_eq!(error.code, code);
    match error.detail {
        Detail::Fields(fields) => fields.first().map(|field| field.path.clone()).unwrap_or_default(),
        other => panic!("{other:?}"),
    }
}

fn refused_in(body: &str) -> String {
    refused(decode_request(body))
}

fn refused_out(fields: &str) -> String {
    let body = format!(r#"{{"messages":[{{"role":"user","content":"x"}}],{fields}}}"#);
    let outgoing =
        Outgoing { provider: "openai", model: "gpt", max_output_tokens: 64, stream: false, relayed: false, most: None };
    refused(encode_request(&json::fields(&body).unwrap(), &outgoing))
}

#[test]
fn a_text_and_instructions_are_two_messages() {
    assert_eq!(
        decoded(
            r#"{"model":"gpt-5","instructions":"Be \"brief\".","input":"Hi\u0041","stream":true,"temperature":0.20,"top_p":1,"max_output_tokens":7,"parallel_tool_calls":false}"#
        ),
        r#"{"model":"gpt-5","stream":true,"temperature":0.20,"top_p":1,"max_completion_tokens":7,"parallel_tool_calls":false,"messages":[{"role":"system","content":"Be \"brief\"."},{"role":"user","content":"Hi\u0041"}]}"#
    );
}

#[test]
fn one_turn_of_the_model_is_one_message() {
    let body = r#"{"model":"m","input":[
        {"role":"developer","content":"S"},
        {"type":"message","role":"user","content":[{"type":"input_text","text":"a"},{"type":"input_image","image_url":"data:,x","detail":"low"},{"type":"input_file","filename":"f","file_data":"d"},{"type":"input_audio","input_audio":{"data":"x","format":"wav"}}]},
        {"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"one"},{"type":"summary_text","text":"two"}],"encrypted_content":"gAA="},
        {"type":"message","id":"msg_1","status":"completed","role":"assistant","phase":"commentary","content":[{"type":"output_text","text":"t","annotations":[]}]},
        {"type":"function_call","id":"fc_1","call_id":"c1","name":"f","arguments":"{\"a\":1}","status":"completed"},
        {"type":"reasoning","id":"rs_2","summary":[],"encrypted_content":"gBB="},
        {"type":"function_call","call_id":"c2","name":"g","arguments":"{}"},
        {"type":"function_call_output","call_id":"c1","output":"4"},
        {"type":"function_call_output","call_id":"c2","output":[{"type":"input_text","text":"5"}]},
        {"role":"assistant","content":[{"type":"output_text","text":"x"},{"type":"refusal","refusal":"no"}]},
        {"role":"assistant","content":"again"}]}"#;
    assert_eq!(
        decoded(body),
        concat!(
            r#"{"model":"m","messages":[{"role":"system","content":"S"},"#,
            r#"{"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"data:,x","detail":"low"}},{"type":"file","file":{"file_data":"d","filename":"f"}},{"type":"input_audio","input_audio":{"data":"x","format":"wav"}}]},"#,
            r#"{"role":"assistant","content":"t","reasoning":"one\n\ntwo","reasoning_details":[{"type":"reasoning.encrypted","data":"gAA=","id":"rs_1","format":"openai-responses-v1"},{"type":"reasoning.encrypted","data":"gBB=","id":"rs_2","format":"openai-responses-v1"}],"#,
            r#""tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}},{"id":"c2","type":"function","function":{"name":"g","arguments":"{}"}}]},"#,
            r#"{"role":"tool","tool_call_id":"c1","content":"4"},{"role":"tool","tool_call_id":"c2","content":"5"},"#,
            r#"{"role":"assistant","content":[{"type":"text","text":"x"},{"type":"refusal","refusal":"no"}]},{"role":"assistant","content":"again"}]}"#
        )
    );
}

#[test]
fn signatures_come_back_to_whom_they_belong() {
    let extra = carry::of_extra("c1", r#"{"google":{"thought_signature":"s"}}"#);
    let detail = carry::of_detail(r#"{"type":"reasoning.text","text":"t","signature":"S"}"#);
    let body = format!(
        r#"{{"input":[{{"role":"user","content":"q"}},{{"type":"reasoning","id":"rs","summary":[],"encrypted_content":"{detail}"}},{{"role":"assistant","content":"t"}},{{"type":"reasoning","summary":[],"encrypted_content":"{extra}"}},{{"type":"function_call","call_id":"c1","name":"f","arguments":"{{}}"}}]}}"#
    );
    assert_eq!(
        decoded(&body),
        r#"{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"t","reasoning_details":[{"type":"reasoning.text","text":"t","signature":"S"}],"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"},"extra_content":{"google":{"thought_signature":"s"}}}]}]}"#
    );
}

#[test]
fn a_signature_goes_back_with_the_text_that_stands_beside_it() {
    let item = |text: &str, detail: &str| {
        let carried = carry::of_detail(detail);
        format!(
            r#"{{"type":"reasoning","id":"rs","summary":[{{"type":"summary_text","text":"{text}"}}],"encrypted_content":"{carried}"}}"#
        )
    };
    let signature = |signature: &str| format!(r#"{{"type":"reasoning.text","signature":"{signature}"}}"#);
    let whole = r#"{"type":"reasoning.text","text":"own","signature":"u"}"#;
    let items = [item("hm\\n", &signature("s")), item("so", &signature("t")), item("own", whole)].join(",");
    let body = format!(r#"{{"input":[{{"role":"user","content":"q"}},{items},{{"role":"assistant","content":"t"}}]}}"#);
    let expected = r#""reasoning":"hm\n\n\nso\n\nown","reasoning_details":[{"type":"reasoning.text","text":"hm\n","signature":"s"},{"type":"reasoning.text","text":"so","signature":"t"},{"type":"reasoning.text","text":"own","signature":"u"}]"#;
    assert!(decoded(&body).contains(expected), "{}", decoded(&body));
}

/// Pairs of both forms' fields, the other dialect's first.
const FIELDS: [(&str, &str); 10] = [
    (
        r#""tools":[{"type":"function","name":"f","description":"d","parameters":{"type":"object","additionalProperties":false},"strict":true}]"#,
        r#""tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object","additionalProperties":false},"strict":true}}]"#,
    ),
    (r#""tool_choice":"required""#, r#""tool_choice":"required""#),
    (r#""tool_choice":{"type":"function","name":"f"}"#, r#""tool_choice":{"type":"function","function":{"name":"f"}}"#),
    (
        r#""tool_choice":{"type":"allowed_tools","mode":"auto","tools":[{"type":"function","name":"f"}]}"#,
        r#""tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[{"type":"function","function":{"name":"f"}}]}}"#,
    ),
    (r#""text":{"format":{"type":"json_object"}}"#, r#""response_format":{"type":"json_object"}"#),
    (
        r#""text":{"format":{"type":"json_schema","name":"n","schema":{"a":1},"strict":true}}"#,
        r#""response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"a":1},"strict":true}}"#,
    ),
    (r#""text":{"verbosity":"low"}"#, r#""verbosity":"low""#),
    (r#""reasoning":{"effort":"none"}"#, r#""reasoning_effort":"none""#),
    (r#""temperature":0"#, r#""temperature":0"#),
    (r#""parallel_tool_calls":true"#, r#""parallel_tool_calls":true"#),
];

#[test]
fn fields_are_translated_both_ways() {
    for (own, neutral) in FIELDS {
        assert_eq!(
            decoded(&format!(r#"{{"input":"x",{own}}}"#)),
            format!(r#"{{{neutral},"messages":[{{"role":"user","content":"x"}}]}}"#)
        );
        let body = encoded(&format!(r#"{{{neutral},"messages":[{{"role":"user","content":"x"}}]}}"#));
        let fields = json::fields(&body).unwrap();
        let expected = format!("{{{own}}}");
        for (name, raw) in json::fields(&expected).unwrap().iter() {
            assert_eq!(fields.field(name).map(Raw::get), Some(raw.get()), "{body}");
        }
    }
}

/// As for functions: what chat completions do not hold to a schema is not held to it here, whatever the API's default.
#[test]
fn a_schema_is_as_strict_as_it_was() {
    let format = |strict: &str| {
        let body = format!(
            r#"{{"messages":[{{"role":"user","content":"x"}}],"response_format":{{"type":"json_schema","json_schema":{{"name":"n","schema":{{"type":"object"}}{strict}}}}}}}"#
        );
        encoded(&body)
    };
    for strict in ["", r#","strict":null"#, r#","strict":false"#] {
        let body = format(strict);
        assert!(body.contains(r#""schema":{"type":"object"},"strict":false}"#), "{body}");
    }
}

#[test]
fn hints_are_left_out() {
    let hints = r#""metadata":{"a":"b"},"user":"u","store":true,"service_tier":"auto","prompt_cache_key":"k","safety_identifier":"s","truncation":"auto","background":false,"include":["reasoning.encrypted_content","web_search_call.action.sources","file_search_call.results","code_interpreter_call.outputs","computer_call_output.output.image_url","message.input_image.image_url"],"stream_options":{"include_obfuscation":false},"reasoning":{"summary":"auto"},"previous_response_id":null,"conversation":null,"tools":[],"brand_new":null"#;
    assert_eq!(
        decoded(&format!(r#"{{"input":"x",{hints}}}"#)),
        r#"{"tools":[],"messages":[{"role":"user","content":"x"}]}"#
    );
}

#[test]
fn probabilities_are_asked_for_in_chats_words() {
    assert_eq!(
        decoded(r#"{"input":"x","include":["message.output_text.logprobs"],"top_logprobs":3}"#),
        r#"{"logprobs":true,"top_logprobs":3,"messages":[{"role":"user","content":"x"}]}"#
    );
}

#[test]
fn what_has_no_neutral_form_is_refused_by_name() {
    for (body, field) in [
        ("", ""),
        ("[]", ""),
        (r#"{"input":"x","input":"y"}"#, ""),
        ("{}", "input"),
        (r#"{"input":7}"#, "input"),
        (r#"{"input":[]}"#, "input"),
        (r#"{"input":[{"type":"reasoning","summary":[]}]}"#, "input"),
        (r#"{"input":["x"]}"#, "input[0]"),
        (r#"{"input":[{"role":"wizard","content":"x"}]}"#, "input[0].role"),
        (r#"{"input":[{"role":"user"}]}"#, "input[0].content"),
        (r#"{"input":[{"role":"user","content":[{"type":"input_video"}]}]}"#, "input[0].content[0].type"),
        (r#"{"input":[{"role":"user","content":[{"type":"input_text"}]}]}"#, "input[0].content[0].text"),
        (
            r#"{"input":[{"role":"user","content":[{"type":"input_image","file_id":"f"}]}]}"#,
            "input[0].content[0].file_id",
        ),
        (
            r#"{"input":[{"role":"user","content":[{"type":"input_file","file_url":"f"}]}]}"#,
            "input[0].content[0].file_url",
        ),
        (r#"{"input":[{"role":"user","content":"x"},{"type":"item_reference","id":"m"}]}"#, "input[1].type"),
        (r#"{"input":[{"type":"web_search_call","id":"w"}]}"#, "input[0].type"),
        (r#"{"input":[{"type":"function_call","name":"f","arguments":"{}"}]}"#, "input[0].call_id"),
        (
            r#"{"input":[{"type":"function_call","call_id":"c","name":"f","arguments":"{}","namespace":7}]}"#,
            "input[0].namespace",
        ),
        (r#"{"input":[{"type":"custom_tool_call","call_id":"c","name":"f"}]}"#, "input[0].input"),
        (r#"{"input":[{"type":"tool_search_call","call_id":null}]}"#, "input[0].call_id"),
        (r#"{"input":[{"type":"tool_search_output"}]}"#, "input[0].call_id"),
        (r#"{"input":[{"type":"additional_tools","tools":7}]}"#, "input[0].tools"),
        (r#"{"input":[{"type":"additional_tools","tools":[{"type":"function"}]}]}"#, "input[0].tools[0].name"),
        (r#"{"input":[{"type":"function_call_output","call_id":"c"}]}"#, "input[0].output"),
        (r#"{"input":[{"type":"reasoning","summary":[{"type":"summary_text"}]}]}"#, "input[0].summary[0].text"),
        (r#"{"input":"x","model":7}"#, "model"),
        (r#"{"input":"x","instructions":["a"]}"#, "instructions"),
        (r#"{"input":"x","stream":"yes"}"#, "stream"),
        (r#"{"input":"x","temperature":"hot"}"#, "temperature"),
        (r#"{"input":"x","max_output_tokens":0}"#, "max_output_tokens"),
        (r#"{"input":"x","previous_response_id":"r"}"#, "previous_response_id"),
        (r#"{"input":"x","conversation":"c"}"#, "conversation"),
        (r#"{"input":"x","prompt":{"id":"p"}}"#, "prompt"),
        (r#"{"input":"x","background":true}"#, "background"),
        (r#"{"input":"x","truncation":true}"#, "truncation"),
        (r#"{"input":"x","top_logprobs":"3"}"#, "top_logprobs"),
        (r#"{"input":"x","include":["message.output_text.words"]}"#, "include[0]"),
        (r#"{"input":"x","include":["web_search_call.results","reasoning.encrypted_contents"]}"#, "include[1]"),
        (r#"{"input":"x","tools":[{"type":"function","name":"f","new":true}]}"#, "tools[0].new"),
        (r#"{"input":"x","tools":[{"type":"namespace","name":"n"}]}"#, "tools[0].tools"),
        (
            r#"{"input":"x","tools":[{"type":"namespace","name":"n","tools":[{"type":"function"}]}]}"#,
            "tools[0].tools[0].name",
        ),
        (
            r#"{"input":"x","tools":[{"type":"namespace","name":"n","tools":[{"type":"namespace","name":"m","tools":[]}]}]}"#,
            "tools[0].tools[0].type",
        ),
        (r#"{"input":"x","tool_choice":"maybe"}"#, "tool_choice"),
        (r#"{"input":"x","tool_choice":{"type":"web_search_preview"}}"#, "tool_choice.type"),
        (r#"{"input":"x","tool_choice":{"type":"custom"}}"#, "tool_choice.name"),
        (r#"{"input":"x","text":{"format":{"type":"grammar"}}}"#, "text.format.type"),
        (r#"{"input":"x","text":{"format":{"type":"json_schema","schema":{}}}}"#, "text.format.name"),
        (r#"{"input":"x","reasoning":{"brand_new":"all"}}"#, "reasoning.brand_new"),
        (r#"{"input":"x","brand_new":1}"#, "brand_new"),
    ] {
        assert_eq!(refused_in(body), field, "{body}");
    }
}

#[test]
fn a_chat_request_becomes_items() {
    let body = r#"{"model":"mine","max_tokens":5,"stream":true,"stream_options":{"include_usage":true},"user":"u","n":1,"stop":null,"frequency_penalty":0,
        "messages":[{"role":"system","content":"Be brief."},{"role":"user","content":[{"type":"text","text":"a","cache_control":{"type":"ephemeral"}},{"type":"image_url","image_url":{"url":"u","detail":"high"}},{"type":"file","file":{"file_id":"f"}}]},
        {"role":"assistant","content":"t","reasoning":"why","reasoning_details":[{"type":"reasoning.text","text":"x","signature":"theirs"},{"type":"reasoning.encrypted","data":"gAA=","id":"rs_1","format":"openai-responses-v1"}],
         "tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"},"extra_content":{"google":{}}}]},
        {"role":"tool","tool_call_id":"c1","content":"4"},{"role":"assistant","content":null,"refusal":"no"},{"role":"user","content":"b"}],
        "tools":[{"type":"function","function":{"name":"f"}}],"reasoning":{"max_tokens":5000}}"#;
    assert_eq!(
        encoded(body),
        concat!(
            r#"{"model":"gpt","max_output_tokens":64,"user":"u","instructions":"Be brief.","input":["#,
            r#"{"role":"user","content":[{"type":"input_text","text":"a"},{"type":"input_image","image_url":"u","detail":"high"},{"type":"input_file","file_id":"f"}]},"#,
            r#"{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"why"}],"encrypted_content":"gAA="},"#,
            r#"{"type":"message","role":"assistant","content":[{"type":"output_text","text":"t"}]},"#,
            r#"{"type":"function_call","call_id":"c1","name":"f","arguments":"{}"},"#,
            r#"{"type":"function_call_output","call_id":"c1","output":"4"},"#,
            r#"{"type":"message","role":"assistant","content":[{"type":"refusal","refusal":"no"}]},"#,
            r#"{"role":"user","content":"b"}],"#,
            r#""tools":[{"type":"function","name":"f","parameters":{"type":"object","properties":{}},"strict":false}],"#,
            r#""store":false,"reasoning":{"effort":"medium"},"include":["reasoning.encrypted_content"]}"#
        )
    );
}

#[test]
fn a_translated_request_comes_back_the_same() {
    for messages in [
        r#"[{"role":"system","content":"s"},{"role":"user","content":"a"}]"#,
        r#"[{"role":"system","content":"only"}]"#,
        r#"[{"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"u"}}]},{"role":"assistant","content":"t","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c","content":"4"}]"#,
        r#"[{"role":"user","content":"a"},{"role":"assistant","content":null,"reasoning":"r","reasoning_details":[{"type":"reasoning.encrypted","data":"d","id":"rs_1","format":"openai-responses-v1"}],"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]}]"#,
    ] {
        let again = decoded(&encoded(&format!(r#"{{"messages":{messages}}}"#)));
        let again = json::fields(&again).unwrap();
        assert_eq!(again.field("messages").map(Raw::get), Some(messages));
    }
}

#[test]
fn what_has_no_form_in_responses_is_refused_by_its_neutral_name() {
    for (fields, name) in [
        (r#""stop":"x""#, "stop"),
        (r#""n":2"#, "n"),
        (r#""seed":7"#, "seed"),
        (r#""logprobs":true"#, "logprobs"),
        (r#""top_k":5"#, "top_k"),
        (r#""presence_penalty":0.5"#, "presence_penalty"),
        (r#""modalities":["text","audio"]"#, "modalities"),
        (r#""functions":[]"#, "functions"),
        (r#""brand_new":1"#, "brand_new"),
        (r#""tools":[{"type":"custom","custom":{"name":"c"}}]"#, "tools[0].custom"),
        (r#""tools":[{"type":"function","function":{"name":"f","examples":[]}}]"#, "tools[0].function.examples"),
        (r#""response_format":{"type":"json_schema"}"#, "response_format.json_schema"),
        (r#""reasoning":{"max_tokens":"x"}"#, "reasoning.max_tokens"),
        (r#""reasoning_effort":5"#, "reasoning_effort"),
    ] {
        assert_eq!(refused_out(fields), name, "{fields}");
    }
    for (message, name) in [
        (r#"{"role":"function","name":"f","content":"x"}"#, "messages[0].role"),
        (r#"{"role":"user","name":"Ann","content":"x"}"#, "messages[0].name"),
        (r#"{"role":"user","content":[{"type":"video_url","video_url":{}}]}"#, "messages[0].content[0].type"),
        (
            r#"{"role":"assistant","content":[{"type":"image_url","image_url":{"url":"u"}}]}"#,
            "messages[0].content[0].type",
        ),
        (
            r#"{"role":"user","content":[{"type":"image_url","image_url":{"url":"u","detail":7}}]}"#,
            "messages[0].content[0].image_url.detail",
        ),
        (
            r#"{"role":"user","content":[{"type":"text","text":"x","annotations":[]}]}"#,
            "messages[0].content[0].annotations",
        ),
        (r#"{"role":"assistant","audio":{"id":"a"}}"#, "messages[0].audio"),
        (r#"{"role":"tool","content":"x"}"#, "messages[0].tool_call_id"),
        (
            r#"{"role":"assistant","tool_calls":[{"id":"c","type":"custom","function":{}}]}"#,
            "messages[0].tool_calls[0].type",
        ),
    ] {
        let body = format!(r#"{{"messages":[{message}]}}"#);
        let outgoing = Outgoing {
            provider: "openai",
            model: "gpt",
            max_output_tokens: 64,
            stream: false,
            relayed: false,
            most: None,
        };
        assert_eq!(refused(encode_request(&json::fields(&body).unwrap(), &outgoing)), name, "{message}");
    }
}

#[test]
fn budgets_become_efforts() {
    for (budget, effort) in [(0, "none"), (1, "minimal"), (1025, "low"), (16384, "medium"), (16385, "high")] {
        let body = encoded(&format!(r#"{{"messages":[],"reasoning":{{"max_tokens":{budget}}}}}"#));
        assert!(body.contains(&format!(r#""reasoning":{{"effort":"{effort}"}}"#)), "{body}");
        assert_eq!(body.contains("include"), budget > 0);
    }
}

#[test]
fn what_nothing_changes_keeps_its_text() {
    let body = r#"{"model":"mine","input":[ {"role":"user","content":"\u0041"} ],"max_output_tokens":5,"stream":false,"previous_response_id":"r","tools":[ {"type":"web_search"} ],"new \"one\"":{"deep":[1.50]}}"#;
    let request = json::fields(body).unwrap();
    let outgoing =
        Outgoing { provider: "openai", model: "a\"b", max_output_tokens: 9, stream: true, relayed: false, most: None };
    assert_eq!(
        rewrite_request(&request, &outgoing),
        r#"{"model":"a\"b","max_output_tokens":9,"stream":true,"input":[ {"role":"user","content":"\u0041"} ],"previous_response_id":"r","tools":[ {"type":"web_search"} ],"new \"one\"":{"deep":[1.50]}}"#
    );
    let carried = r#"{"input":[{"type":"reasoning","id":"rs_0_x","summary":[],"encrypted_content":"tidegate:{}"},{"role":"user","content":"a"}]}"#;
    let carried = json::fields(carried).unwrap();
    assert!(!rewrite_request(&carried, &outgoing).contains("reasoning"), "OpenAI could not read it");
    assert!(
        rewrite_request(&carried, &Outgoing { relayed: true, ..outgoing }).contains("tidegate:{}"),
        "a gateway can"
    );
    let plain = rewrite_request(&request, &Outgoing { stream: false, ..outgoing });
    assert!(plain.starts_with(r#"{"model":"a\"b","max_output_tokens":9,"input""#), "{plain}");
}
