//! Calls of tools that are in a namespace, or are no functions.

use super::super::*;
use super::{STAMP, read_again, read_body, read_stream, write_stream};
use crate::chat::{Delta, Finish, MOST_CALLS};
use crate::json;

#[test]
fn a_call_in_a_namespace_comes_back_as_it_was() {
    let body = r#"{"output":[{"type":"function_call","id":"fc","call_id":"c","name":"f","namespace":"mcp__a","arguments":"{}"}]}"#;
    let completion = read_body(body).unwrap();
    let again = read_again(&write_stream(&completion));
    for (read, own) in [(&completion, "body"), (&again, "stream")] {
        assert_eq!(read.choices[0].calls[0].name, "mcp__a-__-f", "{own}");
    }
    let named = r#""name":"f","namespace":"mcp__a""#;
    assert!(encode_body(&completion, &STAMP).contains(named));
    // Where it begins, where its arguments end, where it is done, and in the whole.
    assert_eq!(write_stream(&completion).matches(named).count(), 4);
}

#[test]
fn what_the_client_runs_is_a_call_though_it_is_no_function() {
    for kind in ["custom_tool_call", "tool_search_call", "local_shell_call", "shell_call", "apply_patch_call"] {
        let item = format!(r#"{{"type":"{kind}","call_id":"c","name":"exec","input":"x","status":"completed"}}"#);
        let completion = read_body(&format!(r#"{{"output":[{item}]}}"#)).unwrap();
        assert_eq!((completion.choices[0].calls.len(), completion.unmapped.as_slice()), (1, &[kind][..]));
        assert_eq!(completion.choices[0].finish, Some(Finish::ToolCalls), "{kind}");
        let (streamed, ..) = read_stream(&[
            ("", &format!(r#"{{"type":"response.output_item.added","output_index":0,"item":{item}}}"#)),
            ("", r#"{"type":"response.custom_tool_call_input.delta","output_index":0,"delta":"x"}"#),
            ("", &format!(r#"{{"type":"response.output_item.done","output_index":0,"item":{item}}}"#)),
            ("", &format!(r#"{{"type":"response.completed","response":{{"output":[{item}]}}}}"#)),
        ])
        .unwrap();
        assert_eq!((streamed.choices[0].calls.len(), streamed.choices[0].finish), (1, Some(Finish::ToolCalls)));
    }
    let ran = read_body(r#"{"output":[{"type":"web_search_call","id":"w"}]}"#).unwrap();
    assert_eq!((ran.choices[0].calls.len(), ran.choices[0].finish), (0, Some(Finish::Stop)));
}

#[test]
fn calls_beyond_the_most_that_are_kept_are_not_looked_for() {
    let (mut encoder, mut out) = (StreamEncoder::new(STAMP), String::new());
    let text = json::Escaped::trusted;
    for index in 0..MOST_CALLS + 9 {
        encoder.push(&Delta::ToolCall { choice: 0, index, id: text("c"), name: text("f"), extra: None }, &mut out);
    }
    assert_eq!(out.matches("event: response.output_item.added").count(), MOST_CALLS as usize);
}
