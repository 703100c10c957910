//! What waits for the rest of a mark, for how long, and which texts are put together.

use super::*;

/// An event of chat completions with a piece of the first answer.
fn piece(text: &str) -> String {
    several(false, &[(0, text, false)])
}

fn quoted(text: &str) -> String {
    let mut out = String::new();
    crate::json::push_text(&mut out, text);
    out
}

/// What one of `events` after the other gives.
fn steps(own: &mut Restoring, events: &[&str]) -> Vec<String> {
    events.iter().map(|event| String::from_utf8(own.push(event.as_bytes())).unwrap()).collect()
}

#[test]
fn what_came_before_a_mark_does_not_wait_for_it() {
    let (mut own, [mark, _]) = restoring(Restore::Text);
    let (left, right) = mark.split_at(9);
    let both = [piece("so"), piece(left)].concat();
    assert_eq!(steps(&mut own, &[&both]), [piece("so")]);
    assert_eq!(answers(false, &own.push(piece(right).as_bytes()))[0], KEYS[0]);
    // Nor does a mark that is whole wait for one of another answer.
    let other = several(false, &[(1, left, false)]);
    let out = steps(&mut own, &[&piece(left), &other, &piece(right)]);
    assert!(out[0].is_empty() && out[1].is_empty() && !out[2].is_empty(), "{out:?}");
    assert_eq!(answers(false, out[2].as_bytes()), [KEYS[0], "", ""].map(str::to_owned));
    let rest = own.push(several(false, &[(1, right, false)]).as_bytes());
    assert_eq!(answers(false, &rest), ["", KEYS[0], ""].map(str::to_owned));
}

#[test]
fn what_keeps_a_connection_alive_ends_no_mark() {
    let (mut own, [mark, _]) = restoring(Restore::Text);
    let (left, right) = mark.split_at(9);
    let out = steps(&mut own, &[&piece(left), ": ping\n\n", "data: {\"type\":\"ping\"}\n\n", &piece(right)]).concat();
    assert!(out.contains("BEGIN") && out.contains(": ping\n\n") && !out.contains("REDACTED"), "{out}");
}

#[test]
fn what_waits_is_bounded_by_number_and_by_weight() {
    let (mut own, [mark, _]) = restoring(Restore::Text);
    let (left, right) = mark.split_at(9);
    let other = several(false, &[(1, "x", false)]);
    own.push(piece(left).as_bytes());
    assert_eq!(own.push(other.repeat(MOST_HELD - 1).as_bytes()), b"");
    let out = own.push(other.as_bytes());
    assert_eq!(out, [piece(left), other.repeat(MOST_HELD)].concat().as_bytes());
    // What was handed out weighs nothing any more.
    let heavy = several(false, &[(1, &"x".repeat(MOST_WEIGHT / 4), false)]);
    for _ in 0..5 {
        assert_eq!(own.push(heavy.as_bytes()), heavy.as_bytes());
    }
    own.push(piece(left).as_bytes());
    assert_eq!(steps(&mut own, &[&heavy, &heavy, &heavy]), ["", "", ""]);
    let out = own.push(piece(right).as_bytes());
    assert!(!out.is_empty() && answers(false, &out)[0] == KEYS[0]);
    own.push(piece(left).as_bytes());
    let out = own.push(heavy.repeat(4).as_bytes());
    assert!(out.starts_with(piece(left).as_bytes()), "it may not wait for more than that");
}

#[test]
fn a_text_that_ends_waits_for_nothing() {
    let (mut own, [mark, _]) = restoring(Restore::All);
    let left = mark.split_at(9).0;
    for (before, end) in [
        (piece(left), several(false, &[(0, "", true)])),
        (several(true, &[(0, left, false)]), several(true, &[(0, "", true)])),
        (
            format!("data: {{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{{\"text\":\"{left}\"}}}}\n\n"),
            "data: {\"type\":\"content_block_stop\",\"index\":0}\n\n".into(),
        ),
        (
            format!("data: {{\"type\":\"response.output_text.delta\",\"delta\":\"{left}\"}}\n\n"),
            "data: {\"type\":\"response.output_text.done\"}\n\n".into(),
        ),
    ] {
        assert_eq!(steps(&mut own, &[&before, &end]), [String::new(), [before.as_str(), &end].concat()]);
    }
    // Nor does one that is whole in its event.
    let whole = "data: {\"type\":\"content_block_start\",\"content_block\":{\"type\":\"text\",\"text\":\"[\"}}\n\n";
    assert_eq!(own.push(whole.as_bytes()), whole.as_bytes());
    // What only lies in an event does not end it.
    let (left, right) = mark.split_at(9);
    let inner = "data: {\"choices\":[],\"x\":{\"type\":\"message_stop\"}}\n\n";
    let out = steps(&mut own, &[&piece(left), inner, &piece(right)]).concat();
    assert!(out.contains("BEGIN"), "{out}");
}

#[test]
fn a_stream_that_ends_anywhere_is_handed_out_whole() {
    let (mut own, [mark, _]) = restoring(Restore::All);
    for text in ["[", mark.split_at(9).0] {
        let whole = piece(text);
        assert_eq!(own.whole(&whole, true), whole);
        let last = whole.trim_end();
        assert_eq!(own.whole(last, true), last);
    }
}

#[test]
fn an_event_keeps_its_bytes_or_its_name() {
    let (mut own, [mark, _]) = restoring(Restore::Text);
    let event = |text: &str| format!("event: said\r\nid: 7\r\ndata:{{\"content\":{}}}\r\n\r\n", quoted(text));
    assert_eq!(own.push(event("no").as_bytes()), event("no").as_bytes());
    let out = String::from_utf8(own.push(event(&mark).as_bytes())).unwrap();
    assert_eq!(out, format!("event: said\ndata: {{\"content\":{}}}\n\n", quoted(KEYS[0])));
}

#[test]
fn calls_that_come_in_turns_are_put_together_apart() {
    let (mut own, names) = restoring(Restore::All);
    let call = |index: usize, json: &str| {
        let json = quoted(json);
        format!(
            r#"data: {{"choices":[{{"delta":{{"tool_calls":[{{"index":{index},"function":{{"arguments":{json}}}}}]}}}}]}}"#
        ) + "\n\n"
    };
    let (one, two) = (names[0].split_at(20), names[1].split_at(24));
    let out = steps(&mut own, &[&call(0, one.0), &call(1, two.0), &call(0, one.1), &call(1, two.1)]).concat();
    let mut said = [String::new(), String::new()];
    for data in out.split("\n\n").filter_map(|event| event.strip_prefix("data: ")) {
        let event: serde_json::Value = serde_json::from_str(data).unwrap();
        let call = &event["choices"][0]["delta"]["tool_calls"][0];
        let text = call["function"]["arguments"].as_str().unwrap();
        said[usize::try_from(call["index"].as_u64().unwrap()).unwrap()].push_str(text);
    }
    assert_eq!(said, KEYS.map(|key| quoted(key).trim_matches('"').to_owned()));
}

#[test]
fn calls_are_read_through_whatever_their_fields_are_called_and_to_a_depth() {
    let (mut own, [mark, _]) = restoring(Restore::All);
    let nested = |depth: u32, text: &str| {
        let (open, close) = ("[".repeat(depth as usize), "]".repeat(depth as usize));
        format!(r#"{{"content":[{{"type":"tool_use","input":{open}{}{close}}}]}}"#, quoted(text))
    };
    // Two objects and the list lie before it.
    let most = pieces::DEEPEST - 2;
    assert_eq!(own.whole(&nested(most - 1, &mark), false), nested(most - 1, KEYS[0]));
    for depth in [most, most + 1, 60] {
        assert_eq!(own.whole(&nested(depth, &mark), false), nested(depth, &mark), "{depth}");
    }
    for name in ["arguments", "partial_json", "metadata", "tools", "text", "delta"] {
        let body = |text: &str| {
            format!(r#"{{"content":[{{"type":"tool_use","input":{{"{name}":{{"{name}":{}}}}}}}]}}"#, quoted(text))
        };
        assert_eq!(own.whole(&body(&mark), false), body(KEYS[0]), "{name}");
    }
}

#[test]
fn only_thoughts_are_left_alone_and_what_is_no_text() {
    let (mut own, [mark, _]) = restoring(Restore::Text);
    for (body, back) in [
        (r#"{"candidates":[{"content":{"parts":[{"text":@,"thought":false}]}}]}"#, true),
        // Mistral's.
        (r#"{"content":[{"type":"thinking","thinking":[{"type":"text","text":@}]},{"type":"text","text":""}]}"#, false),
        (r#"{"type":"response.code_interpreter_call_code.delta","delta":@}"#, false),
    ] {
        let key = if back { KEYS[0] } else { &mark };
        assert_eq!(own.whole(&body.replace('@', &quoted(&mark)), false), body.replace('@', &quoted(key)));
    }
}

#[test]
fn an_event_with_any_number_of_texts_costs_no_more_than_their_number() {
    let (mut own, [mark, _]) = restoring(Restore::Text);
    let (left, right) = mark.split_at(9);
    let many = |text: &str| {
        let all: Vec<_> = (0..2 * MOST_OPEN).map(|index| (index, text, false)).collect();
        several(false, &all)
    };
    assert_eq!(own.push(many(left).as_bytes()), b"");
    assert_eq!(own.open.len(), MOST_OPEN, "each text is looked for among them");
    let out = String::from_utf8(own.push(many(right).as_bytes())).unwrap();
    assert_eq!(out.matches("BEGIN").count(), MOST_OPEN);
    assert_eq!(out.matches(&quoted(left)).count(), MOST_OPEN, "the others keep what was sent");
}
