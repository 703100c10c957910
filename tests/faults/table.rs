//! The faults, and what must come of each where no other target can be asked.

use std::time::Duration;

use tidegate::chat::Dialect;
use tidegate::error::{Code, NetworkKind};
use tidegate::testing::samples::Sample;
use tidegate::testing::{Piece, Scripted, status};

/// A name, headers, a message, attempts made in all, and at least this long between them.
type Limit = (&'static str, &'static [(&'static str, &'static str)], &'static str, usize, Option<Duration>);

/// What the caller sees.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Saw {
    /// An error in place of an answer.
    Error(Code),
    /// `Hello`, then an error in the stream.
    Cut,
}

/// What each attempt is billed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Bill {
    /// It is known that nothing was generated.
    Nothing,
    /// Nobody knows how far the provider came, so the most that it can have cost.
    Bound,
}

/// One fault.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    /// Only for whole answers (false), only for streams (true).
    pub(crate) form: Option<bool>,
    pub(crate) fault: Box<dyn Fn() -> Scripted>,
    pub(crate) saw: Saw,
    pub(crate) attempts: usize,
    pub(crate) bill: Bill,
    /// The caller is told no sooner than this: a wait was kept, a timer ran out.
    pub(crate) waits: Option<Duration>,
}

const BOTH: Option<bool> = None;
const WHOLE: Option<bool> = Some(false);
const STREAM: Option<bool> = Some(true);

/// A connection that fails after the request was sent.
pub(crate) fn lost() -> Scripted {
    Scripted::Lost(Duration::from_millis(5), NetworkKind::Network)
}

/// An error as the dialect's providers write it.
fn problem(dialect: Dialect, code: &str, message: &str) -> String {
    match dialect {
        Dialect::Chat | Dialect::Responses => {
            format!(r#"{{"error":{{"message":"{message}","type":"{code}","param":null,"code":"{code}"}}}}"#)
        }
        Dialect::Anthropic => format!(r#"{{"type":"error","error":{{"type":"{code}","message":"{message}"}}}}"#),
        Dialect::Google => format!(r#"{{"error":{{"code":0,"message":"{message}","status":"{code}"}}}}"#),
    }
}

/// The events up to the first piece of text; then `rest`.
fn after_hello(dialect: Dialect, rest: Vec<(Duration, Piece)>) -> Scripted {
    let sample = Sample::of(dialect);
    let begin = sample.begin.iter().copied().chain([sample.text[0]]);
    let begin = begin.map(|event| (Duration::from_millis(10), Piece::Bytes(event.into())));
    Scripted::Stream(Duration::from_millis(50), 200, begin.chain(rest).collect())
}

/// The events before the first piece of text; then `rest`.
fn before_hello(dialect: Dialect, rest: Vec<(Duration, Piece)>) -> Scripted {
    let begin = Sample::of(dialect).begin.iter();
    let begin = begin.map(|event| (Duration::from_millis(10), Piece::Bytes((*event).into())));
    Scripted::Stream(Duration::from_millis(50), 200, begin.chain(rest).collect())
}

fn bytes(text: impl Into<Vec<u8>>) -> (Duration, Piece) {
    (Duration::from_millis(10), Piece::Bytes(text.into()))
}

fn then(piece: Piece) -> (Duration, Piece) {
    (Duration::from_millis(10), piece)
}

/// A line that is longer than any frame may be.
fn long_line() -> (Duration, Piece) {
    bytes(["data: \"", &"x".repeat(10 << 20), "\"\n\n"].concat())
}

const SECOND: Duration = Duration::from_secs(1);

pub(crate) fn rows(dialect: Dialect) -> Vec<Row> {
    use Bill::{Bound, Nothing};
    use Saw::{Cut, Error};
    let mut rows = Vec::new();
    let mut row = |name, form, saw, attempts, bill, waits, fault: Box<dyn Fn() -> Scripted>| {
        rows.push(Row { name, form, fault, saw, attempts, bill, waits });
    };
    // A wait of a second is kept, one of a minute is not: the caller is told to come back then.
    let limited = |headers: &'static [(&str, &str)], message: &'static str| -> Box<dyn Fn() -> Scripted> {
        Box::new(move || status(429, headers, &problem(dialect, "rate_limit_exceeded", message)))
    };
    let limits: [Limit; 10] = [
        ("429 without a wait", &[], "Slow down.", 2, None),
        ("429 for a second", &[("retry-after", "1")], "", 2, Some(SECOND)),
        ("429 for 1.5 s in milliseconds", &[("retry-after-ms", "1500")], "", 2, Some(SECOND)),
        ("429 to a date", &[("retry-after", "Thu, 01 Jan 2026 00:00:02 GMT")], "", 2, Some(SECOND)),
        ("429 with a wait in prose", &[], "Please try again in 1.5s.", 2, Some(SECOND)),
        (
            "429 with a reset",
            &[("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", "1.5s")],
            "",
            2,
            Some(SECOND),
        ),
        ("429 for a minute and a half", &[("retry-after", "90")], "", 1, None),
        ("429 to a date far off", &[("retry-after", "Thu, 01 Jan 2026 06:00:00 GMT")], "", 1, None),
        ("429 for minutes in prose", &[], "Please try again in 2m59.56s.", 1, None),
        ("429 not to be asked again", &[("x-should-retry", "false")], "", 1, None),
    ];
    for (name, headers, message, attempts, waits) in limits {
        row(name, BOTH, Error(Code::UpstreamLimited), attempts, Nothing, waits, limited(headers, message));
    }
    let failed = |code: u16| -> Box<dyn Fn() -> Scripted> {
        Box::new(move || status(code, &[], &problem(dialect, "server_error", "It is broken.")))
    };
    row("500", BOTH, Error(Code::UpstreamFailed), 2, Nothing, None, failed(500));
    row("503", BOTH, Error(Code::UpstreamFailed), 2, Nothing, None, failed(503));
    row("529", BOTH, Error(Code::UpstreamFailed), 2, Nothing, None, failed(529));
    let refused = move || status(401, &[], &problem(dialect, "authentication_error", "Wrong key."));
    row("401", BOTH, Error(Code::Authentication), 1, Nothing, None, Box::new(refused));
    let unknown = move || status(404, &[], &problem(dialect, "model_not_found", "The model does not exist."));
    row("404 of a model", BOTH, Error(Code::ModelNotFound), 1, Nothing, None, Box::new(unknown));
    // From here on it may have run the model.
    row("lost", BOTH, Error(Code::UpstreamFailed), 2, Bound, None, Box::new(lost));
    row("silence", BOTH, Error(Code::Timeout), 2, Bound, Some(SECOND), Box::new(|| Scripted::Silence));
    let html = || status(200, &[], "<!doctype html><title>Sign in</title>");
    row("HTML with 200", BOTH, Error(Code::UpstreamMalformed), 2, Bound, None, Box::new(html));
    let empty = || status(200, &[], "");
    row("an empty body", BOTH, Error(Code::UpstreamMalformed), 2, Bound, None, Box::new(empty));
    let half = move || status(200, &[], Sample::of(dialect).whole.split_at(60).0);
    row("half a body", BOTH, Error(Code::UpstreamMalformed), 2, Bound, None, Box::new(half));
    let long = || status(200, &[], &"x".repeat(10 << 20));
    row("10 MB of nothing", WHOLE, Error(Code::UpstreamMalformed), 2, Bound, None, Box::new(long));
    let embedded = move || status(200, &[], &problem(dialect, "server_error", "It is broken."));
    row("an error with 200", BOTH, Error(Code::UpstreamFailed), 2, Nothing, None, Box::new(embedded));
    // Streams before their first output.
    let slow = |pieces: Vec<(Duration, Piece)>| Scripted::Stream(Duration::from_secs(3_600), 200, pieces);
    row("slow headers", STREAM, Error(Code::Timeout), 2, Bound, Some(SECOND), Box::new(move || slow(Vec::new())));
    let late = move || {
        let hello = Piece::Bytes(Sample::of(dialect).text[0].into());
        before_hello(dialect, vec![(Duration::from_secs(3_600), hello)])
    };
    row("a slow first token", STREAM, Error(Code::Timeout), 2, Bound, Some(SECOND), Box::new(late));
    let stalled = move || before_hello(dialect, vec![then(Piece::Stall)]);
    row("stalled at once", STREAM, Error(Code::Timeout), 2, Bound, Some(SECOND), Box::new(stalled));
    let over = move || before_hello(dialect, Vec::new());
    row("over at once", STREAM, Error(Code::UpstreamMalformed), 2, Bound, None, Box::new(over));
    let cut = move || before_hello(dialect, vec![then(Piece::Lost)]);
    row("cut at once", STREAM, Error(Code::UpstreamFailed), 2, Bound, None, Box::new(cut));
    let broken = move || before_hello(dialect, vec![bytes("data: {\"broken\n\n")]);
    row("a broken event at once", STREAM, Error(Code::UpstreamMalformed), 2, Bound, None, Box::new(broken));
    let page = || Scripted::Stream(Duration::ZERO, 200, vec![bytes("<!doctype html>"), bytes("<p>Sign in")]);
    row("HTML in place of events", STREAM, Error(Code::UpstreamMalformed), 2, Bound, None, Box::new(page));
    let event = move || before_hello(dialect, vec![bytes(Sample::of(dialect).failed)]);
    row("an error event at once", STREAM, Error(Code::UpstreamFailed), 2, Nothing, None, Box::new(event));
    let long = move || before_hello(dialect, vec![long_line()]);
    row("a line of 10 MB at once", STREAM, Error(Code::UpstreamMalformed), 2, Bound, None, Box::new(long));
    // And after it.
    let mut cut = |name, rest: Box<dyn Fn() -> Vec<(Duration, Piece)>>| {
        row(name, STREAM, Cut, 1, Bound, None, Box::new(move || after_hello(dialect, rest())));
    };
    cut("over after output", Box::new(Vec::new));
    cut("cut after output", Box::new(|| vec![then(Piece::Lost)]));
    cut("stalled after output", Box::new(|| vec![then(Piece::Stall)]));
    cut(
        "a broken event after output",
        Box::new(move || vec![bytes("data: {\"broken\n\n"), bytes(Sample::of(dialect).text[1])]),
    );
    cut("half an event after output", Box::new(move || vec![bytes(Sample::of(dialect).text[1].split_at(50).0)]));
    cut("an error event after output", Box::new(move || vec![bytes(Sample::of(dialect).failed)]));
    cut("a line of 10 MB after output", Box::new(|| vec![long_line()]));
    cut("the end of another stream after output", Box::new(|| vec![bytes("data: [DONE]\n\n")]));
    rows
}
