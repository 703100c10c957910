//! Replaying a decision record.

use std::rc::Rc;

use super::ask::AskText;
use super::context::{Context, StreamEnd};
use super::facts::{Facts, Reach};
use super::gate::Gate;
use super::notes::Head;
use super::prepare::Prepared;
use super::run::{Ended, Run};
use super::told::Patterns;
use super::{Host, RECORD_VERSION};
use crate::abort::Abort;
use crate::cache::Fingerprint;
use crate::chat::Dialect;
use crate::detect::Pattern;
use crate::error::{Error, Result};
use crate::provider::{Answer, Stamp};
use crate::record::{Outcome, Tape};
use crate::time::Timestamp;

/// What a replay showed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Replayed {
    /// Whether every decision was taken again, byte for byte.
    pub same: bool,
    /// The record of the replay.
    pub record: String,
}

/// Takes the decisions of a record again: same configuration, same clock readings, same draws, same
/// outcomes. Nothing is sent, no money is reserved.
///
/// # Errors
/// `invalid_request` naming `record` if it is no record, or one of another configuration.
pub async fn replay<H: Host>(gate: &Rc<Gate>, host: &Rc<H>, record: &str) -> Result<Replayed> {
    let bad = |problem| Error::invalid("record", problem);
    let mut lines = record.lines();
    let mut head = Outcome::of(lines.next().and_then(|line| line.strip_prefix("tidegate-record")).unwrap_or(""));
    if head.int() != u64::from(RECORD_VERSION) || !head.is_sound() {
        return Err(bad("must be a decision record of a known version").into());
    }
    if head.int() != gate.config.version || !head.is_sound() {
        return Err(bad("must be of the configuration that this gate has: open one with that configuration").into());
    }
    let mut request = Outcome::of(lines.next().and_then(|line| line.strip_prefix("request")).unwrap_or(""));
    let (request_id, shown, started) = (request.word(), request.word(), request.int());
    let streams = request.int() == 1;
    let mut patterns = Patterns::new();
    let mut third = lines.next().unwrap_or("");
    while let Some(line) = third.strip_prefix("pattern") {
        let mut fields = Outcome::of(line);
        let (pattern, count) = (Pattern::parse(&fields.word()), u32::try_from(fields.int()));
        let (Some(pattern), Ok(count), true) = (pattern, count, fields.is_sound()) else {
            return Err(bad("must be a whole decision record").into());
        };
        patterns.push((pattern, count));
        third = lines.next().unwrap_or("");
    }
    if request.is_sound() && third.starts_with("end\t") && lines.next().is_none() {
        // It was refused before anything was decided: there is nothing to decide again.
        return Ok(Replayed { same: true, record: record.into() });
    }
    let facts = Facts::read(third);
    let reach = lines.next().and_then(Reach::read);
    let (Some(facts), Some(reach), true) = (facts, reach, request.is_sound()) else {
        return Err(bad("must be a whole decision record").into());
    };
    let started = Timestamp::from_millis(i64::try_from(started).unwrap_or(i64::MAX));
    let stamp = Stamp::new(0, false);
    let (request_id, fingerprint): (Rc<str>, _) = (request_id.into(), Fingerprint::NONE);
    let prepared = Rc::new(Prepared {
        request_id: request_id.clone(),
        fingerprint,
        facts: facts.into(),
        reach: reach.into(),
        started,
        patterns: Some(patterns.into()),
        ask: AskText::none(),
        stamp,
        #[cfg(feature = "edge")]
        standing: None,
        seen: Err(String::new()),
    });
    let context = Rc::new(Context {
        host: host.clone(),
        gate: gate.clone(),
        request_id,
        tenant: "".into(),
        ask: AskText::none(),
        own_key: None,
        #[cfg(feature = "dialects")]
        betas: None,
        #[cfg(feature = "edge")]
        trace: None,
        caller: Dialect::Chat,
        stream: streams,
        stamp,
        choices: prepared.facts.choices,
        abort: Abort::new(),
        tape: Tape::replaying(record.into()).into(),
        slot: None.into(),
        #[cfg(feature = "edge")]
        standing: None,
        #[cfg(feature = "edge")]
        refused: false.into(),
        #[cfg(feature = "edge")]
        posts: false,
    });
    Head::of(&prepared, streams).write(&mut context.tape.borrow_mut(), gate.config.version, &shown);
    let cached = lines.next().filter(|line| line.starts_with("cache\t"));
    match cached {
        Some(line) => {
            let how = line.strip_prefix("cache\t").unwrap_or("");
            context.tape.borrow_mut().line(&["cache".into(), how.into()]);
        }
        None => {
            // Its end is in the record, whether it is an answer or an error.
            let mut run = Run::new(context.clone(), prepared.clone());
            if let Ok(Ended::Streaming(commit, _)) = run.drive().await {
                let _ = run.close(&commit, StreamEnd::Left, &Answer::default()).await;
            }
        }
    }
    let (record, same) = context.tape.replace(Tape::recording()).finish();
    Ok(Replayed { same, record })
}
