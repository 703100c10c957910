//! Streams before their first output, which is when a failure is still nobody's business.

use std::time::Duration;

use tidegate::error::{Code, Detail, NetworkKind, TimeoutKind};
use tidegate::host::Clock;
use tidegate::testing::{Piece, Scripted, status, stream};

use super::streaming::{DONE, HELLO, ROLE, STOP, WORLD, attempts, good, question, read, spent};
use super::{OPENROUTER, World};

#[test]
fn a_failure_before_the_first_output_is_invisible() {
    for trouble in [
        status(500, &[], "{}"),
        status(529, &[], r#"{"error":{"message":"overloaded"}}"#),
        stream(["data: {\"error\":{\"message\":\"overloaded\",\"code\":503}}\n\n"]),
        stream([ROLE, "event: error\ndata: {\"error\":{\"message\":\"boom\"}}\n\n"]),
        stream([ROLE]),
        stream([ROLE, "data: {\"choices\n\n"]),
        stream(["<html>Bad gateway</html>"]),
        stream([""]),
        Scripted::Stream(
            Duration::from_millis(50),
            200,
            vec![(Duration::ZERO, Piece::Bytes(ROLE.into())), (Duration::ZERO, Piece::Lost)],
        ),
        Scripted::Stream(Duration::from_millis(50), 200, vec![(Duration::ZERO, Piece::Stall)]),
        Scripted::Silence,
        Scripted::Lost(Duration::from_millis(5), NetworkKind::Network),
    ] {
        let world = World::new(r#"{"retry":{"maxRetries":0}}"#);
        let shown = format!("{trouble:?}");
        world.host.answer(move |sent| if sent.provider == "groq" { trouble.clone() } else { good() });
        let (text, closed) = read(&world, &question("Hi")).unwrap();
        assert_eq!(text, [ROLE, HELLO, WORLD, STOP, DONE].concat(), "{shown}");
        assert_eq!(closed.meta.target, OPENROUTER, "{shown}");
        assert_eq!(attempts(&world), ["groq", "openrouter"], "{shown}");
        assert_eq!(spent(&world).1, 0, "{shown}");
    }
}

#[test]
fn comments_and_pings_commit_nothing_and_stop_no_timer() {
    let ping = || (Duration::from_secs(5), Piece::Bytes(b": OPENROUTER PROCESSING\n\n".to_vec()));
    let world = World::new(r#"{"retry":{"maxRetries":0}}"#);
    world.host.answer(move |sent| match sent.provider.as_str() {
        "groq" => Scripted::Stream(Duration::from_secs(1), 200, (0..100).map(|_| ping()).collect()),
        _ => good(),
    });
    let (_, closed) = read(&world, &question("Hi")).unwrap();
    assert_eq!(closed.meta.target, OPENROUTER, "the first output has a time of its own");

    let world = World::new("{}");
    world.host.answer(move |_| {
        let mut pieces = vec![(Duration::ZERO, Piece::Bytes(HELLO.into()))];
        pieces.extend((0..100).map(|_| ping()));
        Scripted::Stream(Duration::from_secs(1), 200, pieces)
    });
    let (_, closed) = read(&world, &question("Hi")).unwrap();
    let error = closed.error.expect("it stood still");
    assert_eq!(error.detail, Detail::Timeout(TimeoutKind::Idle));
}

#[test]
fn reasoning_that_nobody_sees_need_not_commit() {
    let think = "data: {\"choices\":[{\"index\":0,\"delta\":{\"reasoning\":\"Hm\"}}]}\n\n";
    for (config, provider) in [("{}", "groq"), (r#"{"reasoningCommits":false,"retry":{"maxRetries":0}}"#, "openrouter")]
    {
        let world = World::new(config);
        world.host.answer(move |sent| {
            if sent.provider == "groq" {
                stream([ROLE, think, think, "data: {\"error\":{\"code\":503}}\n\n"])
            } else {
                good()
            }
        });
        let (text, closed) = read(&world, &question("Hi")).unwrap();
        assert!(closed.meta.target.starts_with(provider), "{text}");
        assert_eq!(closed.error.is_some(), provider == "groq");
        assert_eq!(text.contains("Hm"), provider == "groq", "{text}");
    }
}

#[test]
fn endless_comments_fill_no_memory() {
    let world = World::new(r#"{"retry":{"maxRetries":0}}"#);
    let comment = [": ", &"x".repeat(1 << 20), "\n\n"].concat();
    world.host.answer(move |sent| {
        // What would be an answer comes too late.
        let pieces = (0..100).map(|_| comment.as_str()).chain([HELLO, WORLD, STOP, DONE]);
        if sent.provider == "groq" { stream(pieces) } else { good() }
    });
    assert_eq!(read(&world, &question("Hi")).unwrap().1.meta.target, OPENROUTER);
}

#[test]
fn slow_headers_are_a_timeout_of_their_own() {
    let world =
        World::new(r#"{"retry":{"maxRetries":0},"targets":[{"provider":"groq","model":"openai/gpt-oss-20b"}]}"#);
    world.host.answer(|_| Scripted::Stream(Duration::from_secs(11), 200, Vec::new()));
    let error = read(&world, &question("Hi")).unwrap_err();
    assert_eq!((error.code, &error.detail), (Code::Timeout, &Detail::Timeout(TimeoutKind::Headers)));
    // The deadline of the whole request goes before either timer.
    for (first_byte, pieces) in [(60, Vec::new()), (0, vec![(Duration::from_secs(20), Piece::Bytes(HELLO.into()))])] {
        let world = World::new(r#"{"timeouts":{"totalMs":5000}}"#);
        world.host.answer(move |_| Scripted::Stream(Duration::from_secs(first_byte), 200, pieces.clone()));
        let error = read(&world, &question("Hi")).unwrap_err();
        assert_eq!((error.code, &error.detail), (Code::Timeout, &Detail::Timeout(TimeoutKind::Total)));
        assert_eq!(world.host.now().since(tidegate::testing::START), Duration::from_secs(5));
    }
}

#[test]
fn the_time_for_the_first_output_begins_with_the_request() {
    let world =
        World::new(r#"{"retry":{"maxRetries":0},"targets":[{"provider":"groq","model":"openai/gpt-oss-20b"}]}"#);
    let late = vec![(Duration::from_secs(25), Piece::Bytes(HELLO.into()))];
    world.host.answer(move |_| Scripted::Stream(Duration::from_secs(9), 200, late.clone()));
    let error = read(&world, &question("Hi")).unwrap_err();
    assert_eq!(error.detail, Detail::Timeout(TimeoutKind::FirstOutput));
    assert_eq!(world.host.now().since(tidegate::testing::START), Duration::from_secs(30));
}

#[test]
fn megabytes_of_nothing_are_not_kept_waiting_for_an_answer() {
    let world =
        World::new(r#"{"targets":[{"provider":"groq","model":"openai/gpt-oss-20b"}],"retry":{"maxRetries":0}}"#);
    let nothing = format!(": {}\n\n", "x".repeat(1 << 20));
    world.host.answer(move |_| stream((0..5).map(|_| nothing.clone()).chain([HELLO.into(), STOP.into(), DONE.into()])));
    assert_eq!(read(&world, &question("Hi")).unwrap_err().code, Code::UpstreamMalformed);
}
