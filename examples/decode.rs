//! `cargo run --example decode`: reads recorded answers from the standard input, one JSON object a line
//! (`dialect`, `provider`, `stream`, `text`), and prints what the gateway reads in each, and each as it is
//! written for callers of every dialect. tests/clients/conformance compares it with what the SDKs read.
#![allow(clippy::indexing_slicing, reason = "a value's field that is not there is null")]

use std::io::{Error, Read, Write};

use serde_json::{Value, json};
use tidegate::attempt::{Flow, Reading};
use tidegate::chat::{Choice, Completion, Dialect, Finish};
use tidegate::provider::{Stamp, decode_body, encode_body};

const STAMP: Stamp = Stamp::new(1_800_000_000, true);

fn main() -> Result<(), Error> {
    let mut input = String::new();
    std::io::stdin().read_to_string(&mut input)?;
    for line in input.lines() {
        let task: Value = serde_json::from_str(line).map_err(Error::other)?;
        let text = |name: &str| task[name].as_str().unwrap_or_default();
        let dialect = Dialect::ALL.into_iter().find(|own| own.as_str() == text("dialect"));
        let dialect = dialect.ok_or_else(|| Error::other("a dialect that there is not"))?;
        let read = if task["stream"] == true { stream } else { body };
        let mut out = read(dialect, text("provider"), text("text")).to_string();
        out.push('\n');
        std::io::stdout().write_all(out.as_bytes())?;
    }
    Ok(())
}

/// A whole answer.
fn body(dialect: Dialect, provider: &str, body: &str) -> Value {
    let mut completion = Completion::default();
    let read = decode_body(dialect, provider, body, &mut |delta| completion.push(&delta));
    if read.is_none() {
        return Value::Null;
    }
    let written = Dialect::ALL.map(|to| (to.as_str().to_owned(), Value::from(encode_body(to, &completion, &STAMP))));
    json!({ "said": said(&completion), "written": written.into_iter().collect::<Value>() })
}

/// A stream, in one piece.
fn stream(dialect: Dialect, provider: &str, text: &str) -> Value {
    let (mut written, mut told) = (Vec::new(), Value::Null);
    for caller in Dialect::ALL {
        let mut flow = Flow::new(&Reading::chat(dialect, caller, provider, STAMP));
        let mut out = flow.push(text.as_bytes()).of(text.as_bytes()).to_vec();
        out.extend(flow.finish());
        if !flow.is_finished() {
            return Value::Null;
        }
        written.push((caller.as_str().to_owned(), Value::from(String::from_utf8_lossy(&out).into_owned())));
        told = flow.completion().map(said).unwrap_or_default();
    }
    json!({ "said": told, "written": written.into_iter().collect::<Value>() })
}

fn said(completion: &Completion) -> Value {
    let usage = completion.usage.map(|usage| {
        json!({
            "input": usage.input, "cachedInput": usage.cached_input, "cacheWrite": usage.cache_write,
            "output": usage.output, "reasoning": usage.reasoning,
        })
    });
    json!({
        "id": unescaped(&completion.id),
        "model": unescaped(&completion.model),
        "choices": completion.choices.iter().map(choice).collect::<Vec<_>>(),
        "usage": usage,
        "unmapped": completion.unmapped,
    })
}

fn choice(choice: &Choice) -> Value {
    let finish = choice.finish.map(|finish| match finish {
        Finish::Stop => "stop",
        Finish::Length => "length",
        Finish::ToolCalls => "tool_calls",
        Finish::ContentFilter => "content_filter",
        Finish::Other => "other",
    });
    let call = |call: &tidegate::chat::ToolCall| {
        let arguments = unescaped(&call.arguments);
        let arguments = arguments.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
        json!({ "id": unescaped(&call.id), "name": unescaped(&call.name), "arguments": arguments })
    };
    json!({
        "text": unescaped(&choice.text),
        "refusal": unescaped(&choice.refusal),
        "reasoning": unescaped(&choice.reasoning),
        "signatures": choice.details.len(),
        "calls": choice.calls.iter().map(call).collect::<Vec<_>>(),
        "finish": finish,
    })
}

fn unescaped(escaped: &str) -> Value {
    let quoted = ["\"", escaped, "\""].concat();
    serde_json::from_str(&quoted).unwrap_or_default()
}
