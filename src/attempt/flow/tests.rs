use super::*;
use crate::chat::Dialect;
use crate::provider::{Stamp, Unasked};

mod ends;

fn flow(include_usage: bool) -> Flow {
    let stamp = Stamp::new(0, include_usage);
    Flow::new(&Reading::chat(Dialect::Chat, Dialect::Chat, "groq", stamp))
}

const ROLE: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n";
const TEXT: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}\n\n";
const STOP: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
const USAGE: &str = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":1}}\n\n";
const DONE: &str = "data: [DONE]\n\n";

#[test]
fn whole_frames_are_handed_on_without_a_copy() {
    let mut flow = flow(true);
    assert_eq!(flow.push([": ping\n\n", ROLE].concat().as_bytes()), Pushed::Same);
    assert_eq!(flow.outputs(), 0, "a role is no output");
    assert_eq!(flow.push([TEXT, STOP, USAGE, DONE].concat().as_bytes()), Pushed::Same);
    assert_eq!(flow.outputs(), 1);
    assert!(flow.is_finished());
    assert!(flow.answer().complete);
    assert_eq!(flow.answer().usage.map(|usage| (usage.input, usage.output)), Some((3, 1)));
    assert_eq!(flow.completion().map(|kept| kept.choices[0].text.as_str()), Some("Hi"));
}

#[test]
fn usage_that_nobody_asked_for_is_taken_out_wherever_the_bytes_are_cut() {
    let stream = [ROLE, TEXT, STOP, USAGE, DONE].concat();
    for cut in 0..=stream.len() {
        let mut flow = flow(false);
        let (left, right) = stream.as_bytes().split_at(cut);
        let mut out = Vec::new();
        for piece in [left, right] {
            out.extend_from_slice(flow.push(piece).of(piece));
        }
        out.extend(flow.finish());
        assert_eq!(String::from_utf8(out).unwrap(), [ROLE, TEXT, STOP, DONE].concat(), "{cut}");
        assert_eq!(flow.answer().usage.map(|usage| usage.input), Some(3));
    }
}

#[test]
fn a_line_feed_is_not_lost_with_what_comes_behind_it() {
    let [text, stop, usage] = [TEXT, STOP, USAGE].map(|frame| frame.replace("\n\n", "\r\n\r\n"));
    let (said, stream) = ([text.as_str(), &stop].concat(), [text.as_str(), &stop, &usage].concat());
    for end in said.len()..=stream.len() {
        for cut in 0..=end {
            let mut flow = flow(false);
            let mut out = Vec::new();
            for piece in [&stream.as_bytes()[..cut], &stream.as_bytes()[cut..end]] {
                out.extend_from_slice(flow.push(piece).of(piece));
            }
            out.extend(flow.finish());
            let out = String::from_utf8(out).unwrap();
            assert!(out.starts_with(&said), "{end}, {cut}: {out:?}");
        }
    }
}

#[test]
fn usage_of_another_provider_stands_where_groqs_clients_read_it() {
    let of = |provider: &str, include_usage: bool, stream: &str| {
        let stamp = Stamp { unasked: Unasked::XGroq, ..Stamp::new(0, include_usage) };
        let mut flow = Flow::new(&Reading::chat(Dialect::Chat, Dialect::Chat, provider, stamp));
        String::from_utf8(flow.push(stream.as_bytes()).of(stream.as_bytes()).to_vec()).unwrap()
    };
    let stream = [TEXT, STOP, USAGE, DONE].concat();
    let counts = "{\"prompt_tokens\":3,\"completion_tokens\":1}";
    let nothing = "[{\"index\":0,\"delta\":{},\"logprobs\":null,\"finish_reason\":null}]";
    let told = format!("data: {{\"choices\":{nothing},\"usage\":{counts},\"x_groq\":{{\"usage\":{counts}}}}}\n\n");
    for include_usage in [false, true] {
        assert_eq!(of("openrouter", include_usage, &stream), [TEXT, STOP, &told, DONE].concat());
    }
    assert_eq!(of("groq", false, &stream), [TEXT, STOP, DONE].concat(), "Groq has told it itself");
    let beside = STOP.replace("\"stop\"}]", &["\"stop\"}],\"usage\":", counts].concat());
    let both = beside.replace(&[counts, "}"].concat(), &[counts, ",\"x_groq\":{\"usage\":", counts, "}}"].concat());
    assert_eq!(of("openrouter", false, &[TEXT, &beside].concat()), [TEXT, &both].concat());
}

#[test]
fn after_trouble_nothing_is_handed_out() {
    let mut flow = flow(true);
    let error = "data: {\"error\":{\"message\":\"overloaded\",\"code\":529}}\n\n";
    assert_eq!(flow.push([TEXT, error, TEXT].concat().as_bytes()), Pushed::Bytes(TEXT.into()));
    assert!(matches!(flow.trouble(), Some(Trouble::Failed(body)) if body.contains("overloaded")));
    assert!(!flow.is_finished());
    let mut flow = self::flow(true);
    assert_eq!(flow.push(b"data: {\"choices\n\n"), Pushed::Bytes(Vec::new()));
    assert_eq!(flow.trouble(), Some(&Trouble::Malformed));
}

#[test]
fn what_says_nothing_is_not_handed_on() {
    let mut flow = flow(true);
    let stream = ["data: \n\n", TEXT, "data\n\n", ": comment\n\n", "event: x\ndata:\n\n", STOP, DONE].concat();
    let out = flow.push(stream.as_bytes());
    assert_eq!(out, Pushed::Bytes([TEXT, ": comment\n\n", STOP, DONE].concat().into()));
    assert!(flow.is_finished());
}

#[test]
fn behind_the_end_of_an_answer_nothing_makes_a_failure_of_it() {
    let stamp = Stamp::new(0, true);
    let messages = [
        "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"a\",\"model\":\"m\"}}\n\n",
        "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"}}\n\n",
        "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
    ];
    let response = "event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"status\":\"completed\"}}\n\n";
    let error = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\"}}\n\n";
    for (dialect, whole) in [
        (Dialect::Anthropic, messages.concat()),
        (Dialect::Responses, response.into()),
        (Dialect::Chat, [TEXT, STOP, DONE].concat()),
    ] {
        for behind in [error, "data: {\"half\n\n", "data: {\"choices\":7}\n\n"] {
            let mut flow = Flow::new(&Reading::chat(dialect, dialect, "x", stamp));
            let out = flow.push([&whole, behind, ": told\n\n", DONE].concat().as_bytes());
            assert_eq!(out, Pushed::Bytes([&whole, ": told\n\n", DONE].concat().into()), "{dialect:?} {behind}");
            assert!(flow.is_finished() && flow.trouble().is_none(), "{dialect:?} {behind}");
        }
    }
    // An error behind a reason to end, but before the end, is one.
    let mut flow = flow(true);
    flow.push([TEXT, STOP, error, DONE].concat().as_bytes());
    assert!(!flow.is_finished());
}

#[test]
fn behind_the_end_of_an_answer_only_its_cost_counts() {
    for caller in [Dialect::Chat, Dialect::Anthropic] {
        let mut flow = Flow::new(&Reading::chat(Dialect::Chat, caller, "x", Stamp::new(0, true)));
        let mut out = Vec::new();
        for piece in [TEXT, STOP, DONE, TEXT, TEXT, USAGE] {
            out.extend_from_slice(flow.push(piece.as_bytes()).of(piece.as_bytes()));
        }
        out.extend(flow.finish());
        assert_eq!(String::from_utf8(out).unwrap().matches("Hi").count(), 1, "{caller:?}");
        assert_eq!(flow.completion().map(|kept| kept.choices[0].text.as_str()), Some("Hi"), "{caller:?}");
        assert_eq!(flow.outputs(), 1);
        assert_eq!(flow.final_answer().usage.map(|usage| usage.input), Some(3));
    }
}

#[test]
fn every_candidate_that_was_asked_for_has_an_end_of_its_own_unless_the_prompt_was_refused() {
    let stamp = Stamp::new(0, true);
    let candidate = |index: u32| {
        format!(
            "data: {{\"candidates\":[{{\"index\":{index},\"content\":{{\"parts\":[{{\"text\":\"x\"}}]}},\"finishReason\":\"STOP\"}}]}}\n\n"
        )
    };
    let refused = "data: {\"promptFeedback\":{\"blockReason\":\"SAFETY\"}}\n\n";
    for (stream, ends) in [(candidate(1), false), ([candidate(1), candidate(0)].concat(), true), (refused.into(), true)]
    {
        for caller in [Dialect::Google, Dialect::Chat] {
            let of_two = Reading { choices: 2, ..Reading::chat(Dialect::Google, caller, "google", stamp) };
            let mut flow = Flow::new(&of_two);
            flow.push(stream.as_bytes());
            flow.finish();
            assert_eq!(flow.is_finished(), ends, "{caller:?} {stream}");
        }
    }
}

#[test]
fn an_answer_that_broke_off_is_trouble_wherever_that_is_told() {
    for ending in [
        r#""finish_reason":"error","error":{"code":502,"message":"Provider disconnected"}"#,
        r#""finish_reason":null,"error":{"code":502,"message":"Provider disconnected"}"#,
        r#""finish_reason":"error""#,
        r#""finish_reason":"insufficient_system_resource""#,
        r#""finish_reason":"network_error""#,
    ] {
        let mut flow = flow(true);
        let end = format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{}},{ending}}}]}}\n\n");
        assert_eq!(flow.push([TEXT, &end, DONE].concat().as_bytes()), Pushed::Bytes(TEXT.into()), "{ending}");
        assert!(matches!(flow.trouble(), Some(Trouble::Failed(_))), "{ending}");
        assert!(!flow.is_finished(), "{ending}");
    }
    let mut flow = flow(true);
    let good = r#"data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop","error":{"code":0}}]}"#;
    flow.push([TEXT, good, "\n\n"].concat().as_bytes());
    assert!(flow.is_finished(), "what ended by itself is whole, whatever is beside it");
}

#[test]
fn an_end_without_a_reason_is_no_end() {
    let mut flow = flow(true);
    flow.push([ROLE, TEXT].concat().as_bytes());
    assert!(flow.finish().is_empty());
    assert!(!flow.is_finished());
    let mut flow = self::flow(true);
    flow.push([TEXT, STOP].concat().as_bytes());
    flow.push(b"data: {\"half");
    flow.finish();
    assert!(flow.is_finished(), "half a frame behind a whole answer changes nothing");
}

#[test]
fn the_mark_of_the_end_is_handed_on_only_behind_an_end() {
    let mut flow = flow(true);
    assert_eq!(flow.push([TEXT, DONE, USAGE].concat().as_bytes()), Pushed::Bytes(TEXT.into()));
    assert_eq!(flow.trouble(), Some(&Trouble::Malformed));
    let stamp = Stamp::new(0, true);
    let of_two = Reading { choices: 2, ..Reading::chat(Dialect::Chat, Dialect::Chat, "groq", stamp) };
    let mut flow = Flow::new(&of_two);
    let half = [TEXT, STOP].concat();
    assert_eq!(flow.push([&half, DONE].concat().as_bytes()), Pushed::Bytes(half.into()), "one of two answers");
    let begun = "data: {\"type\":\"response.output_text.delta\",\"output_index\":0,\"delta\":\"Hi\"}\n\n";
    let mut flow = Flow::new(&Reading::chat(Dialect::Responses, Dialect::Responses, "openai", stamp));
    assert_eq!(flow.push([begun, DONE].concat().as_bytes()), Pushed::Bytes(begun.into()));
    assert!(flow.trouble().is_some());
}

#[test]
fn a_last_frame_without_its_blank_line_gets_one() {
    for (last, rest) in [
        (STOP.trim_end(), [STOP.trim_end(), "\n\n"].concat()),
        (STOP.strip_suffix('\n').unwrap(), [STOP, "\n"].concat()),
        (STOP, String::new()),
        // Nobody misses the mark.
        (&[STOP, DONE.trim_end()].concat(), DONE.trim_end().into()),
        ("data: {\"half", String::new()),
    ] {
        let mut flow = flow(true);
        let bytes = [TEXT, last].concat();
        let pushed = flow.push(bytes.as_bytes());
        assert!(pushed.of(bytes.as_bytes()).starts_with(TEXT.as_bytes()), "{last}");
        assert_eq!(String::from_utf8(flow.finish()).unwrap(), rest, "{last}");
    }
}

#[test]
fn a_translation_ends_only_where_what_it_translates_did() {
    let error = "data: {\"error\":{\"message\":\"overloaded\",\"code\":529}}\n\n";
    for (stream, ends) in [
        ([ROLE, TEXT, STOP, USAGE, DONE].concat(), true),
        ([ROLE, TEXT, STOP].concat(), true),
        ([ROLE, TEXT].concat(), false),
        ([ROLE, TEXT, "data: {\"half"].concat(), false),
        ([ROLE, TEXT, error].concat(), false),
        ([ROLE, TEXT, STOP, error].concat(), false),
    ] {
        let stamp = Stamp::new(0, true);
        let mut flow = Flow::new(&Reading::chat(Dialect::Chat, Dialect::Anthropic, "groq", stamp));
        let mut out = flow.push(stream.as_bytes()).of(stream.as_bytes()).to_vec();
        let first = String::from_utf8_lossy(&out);
        assert!(first.contains("text_delta") && !first.contains("choices"), "it waits for no end: {first}");
        out.extend(flow.finish());
        assert_eq!(flow.finish(), b"", "there is one end");
        let out = String::from_utf8(out).unwrap();
        assert_eq!((out.contains("message_stop"), flow.is_finished()), (ends, ends), "{stream}");
    }
}

#[test]
fn a_long_answer_is_handed_on_and_not_kept() {
    let long = event(Dialect::Chat, &["\"content\":\"", &"x".repeat((1 << 20) + 1), "\""].concat());
    let mut flow = flow(true);
    for kept in [true, false] {
        assert_eq!(flow.push(long.as_bytes()), Pushed::Same);
        assert_eq!(flow.completion().is_some(), kept);
    }
    flow.push([STOP, DONE].concat().as_bytes());
    assert!(flow.is_finished());
}

fn event(dialect: Dialect, delta: &str) -> String {
    match dialect {
        Dialect::Chat => ["data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{", delta, "}}]}\n\n"].concat(),
        _ => [
            "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{",
            delta,
            "}}\n\n",
        ]
        .concat(),
    }
}

/// Events that are like the one before are compared, not read; what comes of them must be the same.
#[test]
fn events_that_repeat_give_what_reading_them_gives() {
    let chat = |deltas: &[&str]| deltas.iter().map(|delta| event(Dialect::Chat, delta)).collect::<String>();
    let texts = [
        "\"content\":\"a\"",
        "\"content\":\"b\"",
        "\"content\":\"\"",
        "\"content\":\"\u{1f600} \\n\\u00e4\\\"\\\\\"",
        "\"content\":\"data: \\u0041\"",
        "\"content\":\"c\",\"reasoning\":\"r\"",
        "\"content\":\"d\",\"reasoning\":\"r\"",
        "\"reasoning\":\"r\",\"reasoning_content\":\"r\"",
        "\"reasoning\":\"\",\"reasoning_content\":\"s\"",
        "\"reasoning\":\"t\"",
        "\"reasoning\":\"u\"",
        "\"tool_calls\":[{\"index\":0,\"id\":\"i\",\"function\":{\"name\":\"f\",\"arguments\":\"{\"}}]",
        "\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"1\"}}]",
        "\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"2}\"}}]",
    ];
    let anthropic = |delta: &str| event(Dialect::Anthropic, delta);
    let mut messages = String::from(
        "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"model\":\"c\"}}\n\n\
         data: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"thinking\",\"thinking\":\"\"}}\n\n",
    );
    for piece in ["a", "b", "c"] {
        messages.push_str(&anthropic(&["\"type\":\"thinking_delta\",\"thinking\":\"", piece, "\""].concat()));
    }
    messages.push_str(&anthropic("\"type\":\"signature_delta\",\"signature\":\"s\""));
    messages.push_str("data: {\"type\":\"content_block_stop\",\"index\":0}\n\n");
    for piece in ["d", "e", "", "f"] {
        messages.push_str(&anthropic(&["\"type\":\"text_delta\",\"text\":\"", piece, "\""].concat()));
    }
    messages.push_str("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n");
    messages.push_str(&anthropic("\"type\":\"text_delta\",\"text\":\"after the end\""));
    let crlf = [chat(&texts), STOP.into()].concat().replace('\n', "\r\n");
    let streams = [
        (Dialect::Chat, [chat(&texts), STOP.into(), DONE.into()].concat()),
        (Dialect::Chat, crlf.clone()),
        (Dialect::Chat, crlf.replace('\n', "")),
        (Dialect::Chat, ["\u{feff}", &chat(&texts), "\u{feff}", &chat(&texts)].concat()),
        (Dialect::Chat, ["\u{feff}", TEXT, "\u{feff}", TEXT, STOP].concat()),
        (Dialect::Chat, [&chat(&texts[..2]), "\n\n: ping\n\n", &chat(&texts[..2])].concat()),
        (Dialect::Chat, [chat(&texts[..2]), chat(&["\"content\":\"\\x\""])].concat()),
        (Dialect::Anthropic, messages),
    ];
    for (dialect, stream) in streams {
        let (mut read, mut sound) = (Completion::default(), true);
        let mut decoder = StreamDecoder::new(dialect, "x");
        let mut frames = Decoder::default();
        let mut sink = |frame: Frame<'_>| {
            if let Some(data) = frame.data.as_deref().filter(|data| sound && !data.is_empty()) {
                sound = decoder.event(&frame.name, data, &mut |delta| read.push(&delta)).is_ok();
            }
        };
        frames.push(stream.as_bytes(), &mut sink).unwrap();
        frames.finish(&mut sink);
        let stamp = Stamp::new(0, true);
        let reading = Reading::chat(dialect, dialect, "x", stamp);
        for size in [1, 2, 3, 7, 50, 64, 99, 100, 150, 1 << 20] {
            let mut flow = Flow::new(&reading);
            let mut out = Vec::new();
            for piece in stream.as_bytes().chunks(size) {
                out.extend_from_slice(flow.push(piece).of(piece));
            }
            out.extend(flow.finish());
            assert_eq!(flow.completion(), Some(&read), "{size} {stream}");
            assert_eq!(flow.trouble().is_none(), sound, "{size} {stream}");
            assert!(!sound || out == stream.as_bytes(), "{size} {stream}");
        }
    }
}

/// What is written anew may have to be kept until its end, in the memory that all share.
#[test]
fn an_answer_without_end_is_not_written_anew() {
    let piece = TEXT.replace("Hi", &"x".repeat(1 << 16));
    let fed = |caller: Dialect| {
        let mut flow = Flow::new(&Reading::chat(Dialect::Chat, caller, "groq", Stamp::new(0, true)));
        let fed = (0..1_000).take_while(|_| {
            flow.push(piece.as_bytes());
            flow.trouble().is_none()
        });
        fed.count()
    };
    assert_eq!(fed(Dialect::Chat), 1_000, "what is handed on as it comes is not kept");
    for caller in [Dialect::Responses, Dialect::Anthropic, Dialect::Google] {
        assert_eq!(fed(caller), MAX_WRITTEN >> 16, "{caller:?}");
    }
}

#[test]
fn an_answer_in_ever_other_items_is_none() {
    let thought = TEXT.replace("content", "reasoning");
    let mut flow = Flow::new(&Reading::chat(Dialect::Chat, Dialect::Responses, "groq", Stamp::new(0, true)));
    let fed = (0..9_000).take_while(|at| {
        flow.push(if at % 2 == 0 { TEXT.as_bytes() } else { thought.as_bytes() });
        flow.trouble().is_none()
    });
    assert_eq!(fed.count(), 1_024);
}
