//! A gate with one provider of a dialect, and with a second one that is well; what a caller of a dialect sees.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use tidegate::admit::{Command, Outcome};
use tidegate::chat::{Completion, Delta, Dialect, Finish};
use tidegate::config::GatewayConfig;
use tidegate::error::Code;
use tidegate::gateway::{Call, Gate, Opened, open, replay};
use tidegate::host::{Clock, UtcOnly};
use tidegate::provider::{StreamDecoder, decode_body, sse};
use tidegate::secret::Secret;
use tidegate::testing::samples::{Sample, asked};
use tidegate::testing::{ManualHost, START, Scripted, Sent, drain, status, stream};
use tidegate::value::Value;

/// One request.
#[derive(Clone, Copy)]
pub(crate) struct Ask {
    pub(crate) provider: Dialect,
    pub(crate) caller: Dialect,
    pub(crate) stream: bool,
}

/// How it ended.
#[derive(PartialEq, Eq, Debug)]
pub(crate) enum End {
    /// With a whole answer, or a stream that says that it is finished.
    Answered,
    /// With an error and nothing else.
    Error(Code),
    /// In the middle of a stream, with an error event.
    Cut(Code),
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) end: End,
    /// The text that the caller read.
    pub(crate) text: String,
    /// The providers that were asked, in order.
    pub(crate) attempts: Vec<String>,
    /// Nano-dollars.
    pub(crate) spent: u64,
    /// Since the request came.
    pub(crate) waited: Duration,
}

const fn target(dialect: Dialect) -> (&'static str, &'static str) {
    match dialect {
        Dialect::Chat | Dialect::Responses => ("openai", "gpt-4.1-mini"),
        Dialect::Anthropic => ("anthropic", "claude-sonnet-5"),
        Dialect::Google => ("google", "gemini-2.5-flash"),
    }
}

/// Nano-dollars for 1,000 tokens in and 500 out.
pub(crate) const fn price(dialect: Dialect) -> u64 {
    match dialect {
        Dialect::Chat | Dialect::Responses => 1_200_000,
        Dialect::Anthropic => 7_000_000,
        Dialect::Google => 1_550_000,
    }
}

/// The same of the other target.
pub(crate) const ANOTHERS_PRICE: u64 = 225_000;

pub(crate) struct World {
    host: Rc<ManualHost>,
    gate: Rc<Gate>,
}

impl World {
    /// One target, one retry.
    pub(crate) fn alone(dialect: Dialect) -> Self {
        Self::new(dialect, "")
    }

    /// No retry, and Groq behind it, where all is well.
    pub(crate) fn with_another(dialect: Dialect) -> Self {
        Self::new(dialect, r#",{"provider":"groq","model":"openai/gpt-oss-20b"}"#)
    }

    fn new(dialect: Dialect, others: &str) -> Self {
        let (provider, model) = target(dialect);
        let speaks = dialect.as_str();
        // A retry of one that is silent takes the time that the other one needs.
        let retries = u8::from(others.is_empty());
        let config = format!(
            r#"{{"retry":{{"maxRetries":{retries}}},"providers":{{"{provider}":{{"dialect":"{speaks}"}}}},
                "targets":[{{"provider":"{provider}","model":"{model}"}}{others}]}}"#
        );
        let config = GatewayConfig::parse(&serde_json::from_str(&config).unwrap(), &UtcOnly).unwrap();
        let host = ManualHost::new(7, &config);
        let gate = Rc::new(Gate::new(config, true, [9; 32]));
        for provider in ["anthropic", "google", "groq", "openai"] {
            gate.set_key(provider, Secret::new("a-made-up-key".into()));
        }
        host.answer(well);
        Self { host, gate }
    }

    /// All targets but Groq have this fault.
    pub(crate) fn faulty(&self, fault: Scripted) {
        self.host.answer(move |sent| if sent.provider == "groq" { well(sent) } else { fault.clone() });
    }

    /// The first attempt has this fault.
    pub(crate) fn faulty_once(&self, fault: Scripted) {
        let first = Cell::new(true);
        self.host.answer(move |sent| if first.replace(false) { fault.clone() } else { well(sent) });
    }

    /// What the events of a name say that it cost, in nano-dollars.
    fn told(&self, name: &str) -> u64 {
        let events = self.host.events().into_iter().filter(|(own, _)| *own == name);
        let costs = events.map(|(_, event)| match event.field("costNanoUsd") {
            Some(Value::Int(cost)) => u64::try_from(*cost).unwrap(),
            other => panic!("{other:?}"),
        });
        costs.sum()
    }

    /// Asks and reads to the end; checks that nothing is left behind, and that the record replays.
    pub(crate) fn ask(&self, ask: Ask) -> Seen {
        let call = call(ask);
        let abort = call.abort.clone();
        let work = async {
            match open(&self.gate, &self.host, call).await {
                Err(error) => (End::Error(error.code), String::new()),
                Ok(Opened::Whole(reply)) if !reply.events => read_body(ask.caller, &reply.body),
                Ok(Opened::Whole(reply)) => read_stream(ask.caller, reply.body.as_bytes()),
                Ok(Opened::Stream(streaming)) => {
                    let (bytes, closed) = drain(&self.host, streaming, &abort).await;
                    let (end, text) = read_stream(ask.caller, &bytes);
                    // What the account says and what the bytes say is the same.
                    let told = closed.error.as_ref().map(|error| error.code);
                    assert_eq!(told, if let End::Cut(code) = &end { Some(*code) } else { None });
                    assert_eq!(closed.partial.as_deref(), told.map(|_| text.as_str()));
                    (end, text)
                }
            }
        };
        let (end, text) = self.host.run(work).expect("it hangs");
        let Ok(Outcome::Status(figures)) = self.host.ask(&Command::Status).result else { panic!("no figures") };
        assert_eq!((figures.reserved.as_nano(), figures.in_flight, self.gate.in_flight()), (0, 0, 0));
        let spent = figures.spent.as_nano();
        // What the events tell is what the ledger booked: of the request, and of its attempts together.
        assert_eq!((self.told("request-end"), self.told("attempt-end")), (spent, spent));
        let record = self.gate.records().pop().expect("a record");
        let replayed = self.host.run(replay(&self.gate, &self.host, &record)).unwrap().unwrap();
        assert!(replayed.same, "{record}\n---\n{}", replayed.record);
        Seen {
            end,
            text,
            attempts: self.host.sent().into_iter().map(|sent| sent.provider).collect(),
            spent,
            waited: self.host.now().since(START),
        }
    }
}

/// A provider that is well.
fn well(sent: &Sent) -> Scripted {
    let (dialect, streams) = asked(sent);
    let sample = Sample::of(dialect);
    if streams { stream(sample.events()) } else { status(200, &[], sample.whole) }
}

fn call(ask: Ask) -> Call {
    let streams = if ask.stream { r#""stream":true,"# } else { "" };
    let body = match ask.caller {
        Dialect::Chat => r#"{STREAM"messages":[{"role":"user","content":"Hi"}]}"#,
        Dialect::Responses => r#"{STREAM"input":"Hi","store":false}"#,
        Dialect::Anthropic => r#"{STREAM"model":"auto","max_tokens":4096,"messages":[{"role":"user","content":"Hi"}]}"#,
        Dialect::Google => r#"{"contents":[{"role":"user","parts":[{"text":"Hi"}]}]}"#,
    };
    let stream = ask.stream && ask.caller == Dialect::Google;
    Call { dialect: ask.caller, stream, ..Call::chat(&body.replace("STREAM", streams), "t") }
}

/// Reads a whole answer as a client of the dialect does.
fn read_body(dialect: Dialect, body: &str) -> (End, String) {
    let mut completion = Completion::default();
    decode_body(dialect, "", body, &mut |delta| completion.push(&delta)).unwrap_or_else(|| panic!("{body}"));
    assert_eq!(completion.choices[0].finish, Some(Finish::Stop), "{body}");
    (End::Answered, completion.choices[0].text.clone())
}

/// Reads a stream as a client of the dialect does: to its terminal event, or to an error event.
fn read_stream(dialect: Dialect, bytes: &[u8]) -> (End, String) {
    let (mut completion, mut failed) = (Completion::default(), Vec::new());
    let mut decoder = StreamDecoder::new(dialect, "");
    let mut frames = sse::Decoder::default();
    let mut read = |frame: sse::Frame<'_>| {
        let Some(data) = &frame.data else { return };
        assert!(failed.is_empty() || data == "[DONE]", "nothing comes after an error: {data}");
        decoder
            .event(&frame.name, data, &mut |delta| {
                if let Delta::Failed { body } = &delta {
                    failed.push(body.to_string());
                }
                completion.push(&delta);
            })
            .expect("every event is one");
    };
    frames.push(bytes, &mut read).unwrap();
    frames.finish(&mut read);
    let text = completion.choices.first().map(|choice| choice.text.clone()).unwrap_or_default();
    let shown = String::from_utf8_lossy(bytes);
    let Some(failed) = failed.first() else {
        assert!(decoder.is_finished(), "it ends cleanly and is not finished: {shown}");
        return (End::Answered, text);
    };
    assert!(!decoder.is_finished(), "an error after a finished answer: {shown}");
    let code = Code::StreamInterrupted;
    assert!(failed.to_ascii_lowercase().contains(&format!("\"{}\"", code.as_str())), "{failed}");
    (End::Cut(code), text)
}
