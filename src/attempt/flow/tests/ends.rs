//! From where on nothing is retried, what is no longer handed out, and that there is one end.

use super::*;

#[test]
fn a_translation_has_one_end_in_every_dialect() {
    let whole = "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"Hi\"}]},\"finishReason\":\"STOP\"}]}\n\n";
    for (dialect, stream, caller) in [
        (Dialect::Chat, [TEXT, STOP, DONE].concat(), Dialect::Anthropic),
        (Dialect::Chat, [TEXT, STOP, DONE].concat(), Dialect::Responses),
        (Dialect::Chat, [TEXT, STOP, DONE].concat(), Dialect::Google),
        (Dialect::Google, whole.into(), Dialect::Chat),
    ] {
        let mut flow = Flow::new(&Reading::chat(dialect, caller, "x", Stamp::new(0, true)));
        flow.push(stream.as_bytes());
        assert_ne!(flow.finish(), b"", "{caller:?}");
        assert_eq!(flow.finish(), b"", "{caller:?}");
    }
}

#[test]
fn what_commits_is_the_first_output_and_a_thought_if_that_is_configured() {
    let thought = TEXT.replace("content", "reasoning");
    let empty = |event: &str| event.replace("Hi", "");
    for (first, second, output) in [(empty(TEXT), TEXT, true), (empty(&thought), &*thought, false)] {
        for reasoning_commits in [true, false] {
            let reading = Reading::chat(Dialect::Chat, Dialect::Chat, "groq", Stamp::new(0, true));
            let mut flow = Flow::new(&Reading { reasoning_commits, ..reading });
            flow.push(first.as_bytes());
            assert!(!flow.has_committed());
            // Read, or compared with the one before.
            for _ in 0..3 {
                flow.push(second.as_bytes());
                assert_eq!(flow.has_committed(), output || reasoning_commits, "{second}");
            }
            flow.push(TEXT.as_bytes());
            assert!(flow.has_committed());
        }
    }
}

#[test]
fn a_text_commits_where_one_like_it_was_empty_and_an_empty_one_is_no_output() {
    let text = |text: &str| event(Dialect::Anthropic, &["\"type\":\"text_delta\",\"text\":\"", text, "\""].concat());
    let begin = "data: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"model\":\"c\"}}\n\n\
        data: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n";
    for (dialect, begin, some, empty) in [
        (Dialect::Anthropic, begin, text("Hi"), text("")),
        (Dialect::Chat, ROLE, TEXT.to_owned(), TEXT.replace("Hi", "")),
    ] {
        let mut flow = Flow::new(&Reading::chat(dialect, dialect, "x", Stamp::new(0, true)));
        for (event, outputs) in [(begin, 0), (&empty, 0), (&some, 1), (&some, 2), (&empty, 2), (&some, 3), (&empty, 3)]
        {
            flow.push(event.as_bytes());
            assert_eq!((flow.outputs(), flow.has_committed()), (outputs, outputs > 0), "{event}");
        }
    }
}

#[test]
fn what_is_too_long_to_be_written_anew_is_not_written_on() {
    let piece = TEXT.replace("Hi", &"x".repeat(1 << 20));
    let mut flow = Flow::new(&Reading::chat(Dialect::Chat, Dialect::Anthropic, "groq", Stamp::new(0, true)));
    while flow.trouble().is_none() {
        assert_ne!(flow.push(piece.as_bytes()).of(b""), b"");
    }
    assert_eq!(flow.push(piece.as_bytes()), Pushed::Bytes(Vec::new()));
    assert_eq!(flow.outputs(), (MAX_WRITTEN >> 20) as u64 + 1);
}

#[test]
fn nothing_is_put_behind_what_is_not_handed_on() {
    let mut flow = flow(false);
    flow.push([TEXT, STOP, USAGE.trim_end()].concat().as_bytes());
    assert_eq!(flow.finish(), b"", "the usage was not asked for");
}
