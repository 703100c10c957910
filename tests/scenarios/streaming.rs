//! Streams: what the caller saw, what was billed, which attempts were made.

use std::cell::Cell;
use std::time::Duration;

use tidegate::abort::Abort;
use tidegate::admit::{Command, Outcome};
use tidegate::error::Code;
use tidegate::gateway::{self, Call, Closed, Opened};
use tidegate::testing::{Piece, Scripted, completion, drain, status, stream};

use super::{GROQ, World};

pub(super) const ROLE: &str = "data: {\"id\":\"c1\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n";
pub(super) const HELLO: &str =
    "data: {\"id\":\"c1\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hello\"}}]}\n\n";
pub(super) const WORLD: &str =
    "data: {\"id\":\"c1\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" world\"}}]}\n\n";
pub(super) const STOP: &str =
    "data: {\"id\":\"c1\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
pub(super) const USAGE: &str = "data: {\"id\":\"c1\",\"model\":\"m\",\"choices\":[],\"usage\":{\"prompt_tokens\":1000,\"completion_tokens\":500}}\n\n";
pub(super) const DONE: &str = "data: [DONE]\n\n";
/// 1,000 tokens in and 500 out of gpt-oss-20b.
const PRICE: u64 = 225_000;

pub(super) fn question(text: &str) -> String {
    format!(r#"{{"stream":true,"messages":[{{"role":"user","content":"{text}"}}]}}"#)
}

pub(super) fn good() -> Scripted {
    stream([ROLE, HELLO, WORLD, STOP, USAGE, DONE])
}

/// Opens a stream and reads it to its end.
pub(super) fn read(world: &World, body: &str) -> Result<(String, Closed), Box<tidegate::error::Error>> {
    read_until(world, body, None)
}

/// The same for a caller who leaves after a time.
pub(super) fn read_until(
    world: &World,
    body: &str,
    leave: Option<Duration>,
) -> Result<(String, Closed), Box<tidegate::error::Error>> {
    read_call(world, Call::chat(body, "t"), leave)
}

pub(super) fn read_call(
    world: &World,
    call: Call,
    leave: Option<Duration>,
) -> Result<(String, Closed), Box<tidegate::error::Error>> {
    let abort = call.abort.clone();
    let work = async {
        match gateway::open(&world.gate, &world.host, call).await? {
            Opened::Stream(streaming) => {
                let (bytes, closed) = drain(&world.host, streaming, &abort).await;
                Ok((String::from_utf8(bytes).unwrap(), closed))
            }
            Opened::Whole(reply) => {
                assert!(reply.events, "a stream was asked for");
                let closed = Closed { trailing: Vec::new(), meta: reply.meta, error: None, partial: None };
                Ok((reply.body.as_ref().into(), closed))
            }
        }
    };
    let Some(span) = leave else { return world.host.run(work).expect("it waits for ever") };
    let leaving = async {
        use tidegate::host::Timer;
        world.host.sleep(span).await;
        abort.trigger();
        None
    };
    let work = async { Some(work.await) };
    let ends = world.host.run_all(vec![Box::pin(work), Box::pin(leaving)]);
    ends.into_iter().flatten().flatten().next().expect("it waits for ever")
}

pub(super) fn spent(world: &World) -> (u64, u64) {
    match world.host.ask(&Command::Status).result {
        Ok(Outcome::Status(figures)) => (figures.spent.as_nano(), figures.reserved.as_nano()),
        other => panic!("{other:?}"),
    }
}

pub(super) fn attempts(world: &World) -> Vec<String> {
    world.host.sent().into_iter().map(|sent| sent.provider).collect()
}

#[test]
fn a_stream_is_passed_on_and_billed_by_its_usage() {
    let world = World::new("{}");
    world.host.answer(|_| good());
    let (text, closed) = read(&world, &question("Hi")).unwrap();
    assert_eq!(text, [ROLE, HELLO, WORLD, STOP, DONE].concat(), "usage that nobody asked for is hidden");
    assert_eq!((closed.meta.target.as_str(), closed.meta.cost.as_nano()), (GROQ, PRICE));
    assert!(closed.error.is_none());
    assert_eq!(spent(&world), (PRICE, 0));
    let sent = world.host.sent();
    assert!(sent[0].body.contains(r#""stream":true,"stream_options":{"include_usage":true}"#), "{}", sent[0].body);
    assert_eq!(world.gate.in_flight(), 0);
}

#[test]
fn usage_that_was_asked_for_is_shown() {
    let world = World::new("{}");
    world.host.answer(|_| good());
    let body = r#"{"stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"x"}]}"#;
    let (text, _) = read(&world, body).unwrap();
    assert_eq!(text, [ROLE, HELLO, WORLD, STOP, USAGE, DONE].concat());
}

#[test]
fn a_complete_stream_is_kept_and_replayed_in_both_forms() {
    let world = World::new("{}");
    world.host.answer(|_| good());
    read(&world, &question("Hi")).unwrap();
    let (again, closed) = read(&world, &question("Hi")).unwrap();
    assert!(again.contains(r#""content":"Hello world""#) && again.ends_with(DONE), "{again}");
    assert_eq!((closed.meta.cache.as_str(), closed.meta.cost.as_nano()), ("hit", 0));
    assert_eq!(closed.meta.saved.map(|saved| saved.as_nano()), Some(PRICE));
    let whole = world.ask("Hi").unwrap();
    assert!(whole.body.contains(r#""content":"Hello world""#), "{}", whole.body);
    assert_eq!(whole.meta.cache.as_str(), "hit");
    assert_eq!(world.host.sent().len(), 1);

    let world = World::new("{}");
    world.host.answer(|_| completion("As JSON.", 10, 3));
    world.ask("Hi").unwrap();
    let (text, closed) = read(&world, &question("Hi")).unwrap();
    assert!(text.contains("As JSON.") && text.ends_with(DONE), "{text}");
    assert_eq!(closed.meta.cache.as_str(), "hit");
}

#[test]
fn a_replayed_stream_saves_what_it_cost_without_the_failures_before_it() {
    let world = World::new("{}");
    let first = Cell::new(true);
    world.host.answer(move |_| if first.replace(false) { status(200, &[], "<html>") } else { good() });
    assert!(read(&world, &question("Hi")).unwrap().1.meta.cost.as_nano() > 1_200_000 + PRICE);
    assert_eq!(read(&world, &question("Hi")).unwrap().1.meta.saved.map(|saved| saved.as_nano()), Some(PRICE));
}

#[test]
fn a_whole_answer_where_a_stream_was_asked_for_is_given_as_one() {
    let world = World::new("{}");
    // Blank lines keep DeepSeek's connections alive.
    let spaced = |reply: Scripted| match reply {
        Scripted::Answer(after, status, _, body) => {
            let blank = (Duration::ZERO, Piece::Bytes(b"\n\n".to_vec()));
            Scripted::Stream(after, status, vec![blank, (Duration::ZERO, Piece::Bytes(body))])
        }
        other => other,
    };
    world.host.answer(move |_| spaced(completion("As JSON.", 1_000, 500)));
    let (text, closed) = read(&world, &question("Hi")).unwrap();
    assert!(text.contains(r#""content":"As JSON.""#) && text.ends_with(DONE), "{text}");
    assert_eq!((closed.meta.attempts, closed.meta.cost.as_nano(), spent(&world)), (1, PRICE, (PRICE, 0)));

    let world =
        World::new(r#"{"targets":[{"provider":"groq","model":"openai/gpt-oss-20b"}],"retry":{"maxRetries":0}}"#);
    world.host.answer(move |_| spaced(status(200, &[], r#"{"error":{"code":429,"message":"slow down"}}"#)));
    assert_eq!(read(&world, &question("Hi")).unwrap_err().code, Code::UpstreamLimited);
}

/// Leases follow from the deadline of the request, and every stream ends with it: none is ever renewed.
#[test]
fn a_long_stream_holds_what_it_holds_to_its_end_and_one_that_froze_pays_its_bill_once() {
    for frozen in [false, true] {
        let world = World::new(r#"{"timeouts":{"totalMs":600000}}"#);
        let after = |span: u64, text: &str| (Duration::from_secs(span), Piece::Bytes(text.into()));
        let rests = (0..20).map(|_| after(29, WORLD));
        let pieces: Vec<_> =
            [after(1, HELLO)].into_iter().chain(rests).chain([after(18, &[STOP, USAGE, DONE].concat())]).collect();
        world.host.answer(move |_| Scripted::Stream(Duration::ZERO, 200, pieces.clone()));
        let abort = Abort::new();
        let figures = || match world.host.ask(&Command::Status).result {
            Ok(Outcome::Status(figures)) => (figures.spent.as_nano(), figures.reserved.as_nano(), figures.in_flight),
            other => panic!("{other:?}"),
        };
        let work = async {
            let call = Call { abort: abort.clone(), ..Call::chat(&question("Hi"), "t") };
            let Opened::Stream(mut streaming) = gateway::open(&world.gate, &world.host, call).await.unwrap() else {
                panic!("a stream was asked for")
            };
            let bound = figures().1;
            assert!(bound > PRICE);
            if frozen {
                // The page slept past its lease, and another one looked; then all that was sent meanwhile is read.
                world.host.advance(Duration::from_secs(661));
                assert_eq!(figures(), (bound, 0, 0), "it may have been billed");
                let all = [HELLO, STOP, USAGE, DONE].concat();
                assert!(!streaming.push(all.as_bytes()).1, "it is over");
                return streaming.finish(gateway::Ending::Late).await;
            }
            let mut chunks = streaming.take_chunks().unwrap();
            while let Ok(Some(bytes)) = tidegate::host::Chunks::next(&mut chunks).await {
                assert!(streaming.push(&bytes).1);
                assert_eq!(figures(), (0, bound, 1), "an attempt that lives");
            }
            streaming.finish(gateway::Ending::End).await
        };
        let closed = world.host.run(work).expect("it waits for ever");
        assert!(closed.error.is_none(), "{frozen}: {:?}", closed.error);
        assert_eq!((figures(), closed.meta.cost.as_nano()), ((PRICE, 0, 0), PRICE), "{frozen}");
    }
}

#[test]
fn a_caller_who_leaves_frees_everything_and_harms_nobody() {
    for after in [10, 70, 150, 300] {
        let world = World::new("{}");
        let slow = |text: &str| (Duration::from_millis(100), Piece::Bytes(text.into()));
        let pieces = vec![slow(ROLE), slow(HELLO), slow(WORLD), slow(STOP), slow(DONE)];
        world.host.answer(move |_| Scripted::Stream(Duration::from_millis(50), 200, pieces.clone()));
        let ended = read_until(&world, &question("Hi"), Some(Duration::from_millis(after)));
        let code = match ended {
            Ok((_, closed)) => closed.error.map(|error| error.code),
            Err(error) => Some(error.code),
        };
        assert_eq!(code, Some(Code::Aborted), "{after}");
        let (spent, reserved) = spent(&world);
        assert!(spent > 0 && reserved == 0, "{after}: sent, so possibly billed");
        assert_eq!(world.gate.in_flight(), 0);
        match world.host.ask(&Command::Status).result {
            Ok(Outcome::Status(figures)) => assert!(figures.targets.iter().all(|target| target.failures == 0)),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn one_who_asked_for_a_stream_gets_one_from_a_provider_that_gives_none() {
    let world = World::new("{}");
    world.host.answer(|_| completion("All at once.", 10, 3));
    let (text, closed) = read(&world, &question("Hi")).unwrap();
    assert!(text.contains("All at once.") && text.ends_with(DONE), "{text}");
    assert_eq!(closed.meta.cache.as_str(), "miss");
    assert!(world.host.events().iter().any(|(name, _)| *name == "attempt-end"));
    assert_eq!(read(&world, &question("Hi")).unwrap().1.meta.cache.as_str(), "hit", "it is no fallback's");
    // The same where its bytes come in pieces, which are not kept without end.
    let (half, other) =
        (r#"{"choices":[{"index":0,"#, r#""message":{"content":"In pieces."},"finish_reason":"stop"}]}"#);
    let world = World::new(r#"{"targets":[{"provider":"groq","model":"openai/gpt-oss-20b"}]}"#);
    world.host.answer(move |_| stream([half, other]));
    assert!(read(&world, &question("Hi")).unwrap().0.contains("In pieces."));
    let blanks = " ".repeat(1 << 20);
    world.host.answer(move |_| stream([half, other].into_iter().chain(vec![blanks.as_str(); 32])));
    assert_eq!(read(&world, &question("Hello")).unwrap_err().code, Code::UpstreamMalformed);
}

#[test]
fn streams_leave_records_that_replay() {
    let world = World::new("{}");
    let mut turn = 0;
    world.host.answer(move |_| {
        turn += 1;
        match turn % 4 {
            0 => stream([HELLO]),
            1 => status(500, &[], "{}"),
            _ => good(),
        }
    });
    for text in ["a", "b", "c", "d", "e"] {
        let _ = read(&world, &question(text));
    }
    let records = world.gate.records();
    assert_eq!(records.len(), 5);
    assert!(records[2].contains("\nend\tstream_interrupted\t"), "{}", records[2]);
    for record in records {
        let replayed = world.host.run(gateway::replay(&world.gate, &world.host, &record)).unwrap().unwrap();
        assert!(replayed.same, "{record}\n---\n{}", replayed.record);
        assert!(!record.contains("Hello"));
    }
}

#[test]
fn a_new_key_is_tried_at_once() {
    let world = World::new(r#"{"targets":[{"provider":"groq","model":"openai/gpt-oss-20b"}]}"#);
    world.host.answer(|sent| if sent.authorization.ends_with("new") { good() } else { status(401, &[], "{}") });
    assert_eq!(read(&world, &question("Hi")).unwrap_err().code, Code::Authentication);
    world.gate.set_key("groq", tidegate::secret::Secret::new("gsk_new".into()));
    assert!(read(&world, &question("Hi")).unwrap().1.error.is_none());
}
