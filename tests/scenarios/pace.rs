//! How slow a stream may be, and whose slowness counts.

use std::time::Duration;

use tidegate::error::{Code, Detail, TimeoutKind};
use tidegate::gateway::{self, Call, Opened};
use tidegate::host::Clock;
use tidegate::money::NanoUsd;
use tidegate::testing::{Piece, Scripted, stream};

use super::World;
use super::streaming::{DONE, HELLO, STOP, WORLD, question, read};

/// A stream whose pieces come so many seconds after one another.
fn every(seconds: u64, pieces: &[&str]) -> Scripted {
    let pieces = pieces.iter().map(|piece| (Duration::from_secs(seconds), Piece::Bytes(piece.as_bytes().into())));
    Scripted::Stream(Duration::from_millis(50), 200, pieces.collect())
}

#[test]
fn each_output_begins_the_idle_time_anew_and_nothing_else_does() {
    let world = World::new(r#"{"timeouts":{"firstOutputMs":15000,"idleMs":15000,"totalMs":120000}}"#);
    world.host.answer(|_| every(10, &[HELLO, WORLD, HELLO, STOP, DONE]));
    let (_, closed) = read(&world, &question("slow")).unwrap();
    assert!(closed.error.is_none(), "{:?}", closed.error);
    // The time of an attempt is that of a whole answer.
    let short = World::new(r#"{"timeouts":{"attemptMs":5000,"firstOutputMs":15000,"idleMs":15000}}"#);
    short.host.answer(|_| every(10, &[HELLO, WORLD, STOP, DONE]));
    let (_, closed) = read(&short, &question("slow")).unwrap();
    assert!(closed.error.is_none(), "{:?}", closed.error);
    world.host.answer(|_| every(10, &[HELLO, ": ping\n\n", ": ping\n\n", WORLD, STOP, DONE]));
    let (_, closed) = read(&world, &question("only pings")).unwrap();
    assert!(closed.error.is_some());
}

#[test]
fn a_pause_of_the_reader_is_nobodys_silence() {
    let world = World::new("{}");
    world.host.answer(|_| stream([HELLO, WORLD, STOP, DONE]));
    let call = Call::chat(&question("Hi"), "t");
    let opened = world.host.run(gateway::open(&world.gate, &world.host, call)).unwrap().ok().unwrap();
    let Opened::Stream(mut streaming) = opened else { panic!("no stream") };
    world.host.advance(Duration::from_secs(40));
    assert!(streaming.time_left().is_zero());
    streaming.paused(Duration::from_secs(40));
    assert_eq!(streaming.time_left(), Duration::from_secs(30));
    world.host.advance(Duration::from_secs(29));
    assert!(streaming.push(b": ping\n\n").1);
    world.host.advance(Duration::from_secs(1));
    assert!(!streaming.push(b": ping\n\n").1, "it has run out, whoever looks first");
    world.host.run(streaming.finish(gateway::Ending::Left)).unwrap();
}

#[test]
fn half_of_the_whole_is_long_enough_to_stand_still() {
    for (paused, open) in [(60, 0), (59, 1)] {
        let config = r#"{"timeouts":{"idleMs":100000,"totalMs":120000},"breaker":{"failures":1}}"#;
        let world = World::new(config);
        world.host.answer(|_| stream([HELLO, WORLD, STOP, DONE]));
        let call = Call::chat(&question("Hi"), "t");
        let opened = world.host.run(gateway::open(&world.gate, &world.host, call)).unwrap().ok().unwrap();
        let Opened::Stream(mut streaming) = opened else { panic!("no stream") };
        world.host.advance(Duration::from_secs(120));
        streaming.paused(Duration::from_secs(paused));
        world.host.run(streaming.finish(gateway::Ending::Late)).unwrap();
        assert_eq!(world.events("circuit-open"), open, "{paused}");
    }
}

#[test]
fn a_provider_that_fell_silent_while_somebody_read_is_late_however_long_he_did_not() {
    let world = World::new(r#"{"timeouts":{"idleMs":30000,"totalMs":120000},"breaker":{"failures":1}}"#);
    world.host.answer(|_| stream([HELLO, WORLD, STOP, DONE]));
    let call = Call::chat(&question("Hi"), "t");
    let opened = world.host.run(gateway::open(&world.gate, &world.host, call)).unwrap().ok().unwrap();
    let Opened::Stream(mut streaming) = opened else { panic!("no stream") };
    world.host.advance(Duration::from_secs(40));
    streaming.paused(Duration::from_secs(40));
    world.host.advance(Duration::from_secs(30));
    assert!(streaming.time_left().is_zero());
    let closed = world.host.run(streaming.finish(gateway::Ending::Late)).unwrap();
    assert_eq!(closed.error.unwrap().detail, Detail::Timeout(TimeoutKind::Idle));
    assert_eq!(world.events("circuit-open"), 1);
}

#[test]
fn callers_who_do_not_read_open_no_circuit() {
    let world = World::new(r#"{"timeouts":{"idleMs":30000,"totalMs":120000},"breaker":{"failures":1}}"#);
    world.host.answer(|_| stream([HELLO, WORLD, STOP, DONE]));
    let late = |of_it_paused: u64| {
        let call = Call::chat(&question(&format!("{of_it_paused}")), "t");
        let opened = world.host.run(gateway::open(&world.gate, &world.host, call)).unwrap().ok().unwrap();
        let Opened::Stream(mut streaming) = opened else { panic!("no stream") };
        for _ in 0..6 {
            world.host.advance(Duration::from_secs(20));
            streaming.paused(Duration::from_secs(of_it_paused));
            if of_it_paused < 20 {
                streaming.push(HELLO.as_bytes());
            }
        }
        assert!(streaming.time_left().is_zero());
        let closed = world.host.run(streaming.finish(gateway::Ending::Late)).unwrap();
        let error = closed.error.unwrap();
        assert_eq!((error.code, error.detail), (Code::StreamInterrupted, Detail::Timeout(TimeoutKind::Total)));
        assert!(closed.meta.cost > NanoUsd::ZERO, "charged its bound");
    };
    late(20);
    late(5);
    assert_eq!(world.events("circuit-open"), 0);
    // One who reads nearly all the time waits for the provider.
    late(4);
    assert_eq!(world.events("circuit-open"), 1);
}

#[test]
fn a_clock_that_is_set_back_keeps_nobody_waiting_for_it() {
    let world = World::new(r#"{"timeouts":{"idleMs":30000,"totalMs":120000}}"#);
    world.host.answer(|_| stream([HELLO, WORLD, STOP, DONE]));
    let call = Call::chat(&question("Hi"), "t");
    let opened = world.host.run(gateway::open(&world.gate, &world.host, call)).unwrap().ok().unwrap();
    let Opened::Stream(mut streaming) = opened else { panic!("no stream") };
    let yesterday = world.host.now().before(Duration::from_secs(86_400));
    world.host.set_now(yesterday);
    assert_eq!(streaming.time_left(), Duration::from_secs(30));
    // What only keeps the connection alive does not count now either.
    world.host.advance(Duration::from_secs(20));
    assert!(streaming.push(b": ping\n\n").1);
    assert_eq!(streaming.time_left(), Duration::from_secs(10));
    // Outputs go on for as long as a request may take, and no day longer.
    for _ in 0..5 {
        world.host.advance(Duration::from_secs(19));
        assert!(streaming.push(HELLO.as_bytes()).1);
    }
    world.host.advance(Duration::from_secs(10));
    assert!(!streaming.push(HELLO.as_bytes()).1 && streaming.time_left().is_zero());
    world.host.run(streaming.finish(gateway::Ending::Late)).unwrap();
}
