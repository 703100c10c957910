//! What is told to others: events, and hostile patterns in requests as one of them. Names in it may come from outside
//! (models, fields, providers), and a key may have got into one by mistake: so every text is looked through.

#[cfg(feature = "edge")]
use super::context::notices::{notice_event, notice_name};
use super::{Call, Host};
#[cfg(feature = "edge")]
use crate::admit::Notice;
use crate::detect::{Pattern, clean, hostile};
use crate::host::{Clock, Observer};
#[cfg(feature = "edge")]
use crate::time::Timestamp;
use crate::value::Value;

/// Tells an event, without keys.
#[inline(never)]
pub(super) fn tell(host: &(impl Observer + ?Sized), name: &'static str, mut event: Value) {
    scrub(&mut event);
    host.notice(name, event);
}

/// What a ledger tells, as an event's name and what it says, without keys: for who takes decisions and has no gate.
#[cfg(feature = "edge")]
#[must_use]
pub fn announced(notice: &Notice, at: Timestamp) -> (&'static str, Value) {
    let mut event = notice_event(notice, at);
    scrub(&mut event);
    (notice_name(notice), event)
}

/// Takes keys out of every text of a value.
pub(super) fn scrub(value: &mut Value) {
    value.each_text(&mut |text| {
        if let Some(clean) = clean(text) {
            *text = clean;
        }
    });
}

/// What of a request is worth a look, and how often it was met.
pub(super) type Patterns = Vec<(Pattern, u32)>;

/// Finds what of a request is worth a look, and tells it. Nothing follows from it.
#[inline(never)]
pub(super) fn patterns<H: Host>(host: &H, call: &Call, request_id: &str) -> Patterns {
    let mut all = Patterns::new();
    hostile(&call.body, &mut |pattern, count| {
        all.push((pattern, count));
        if host.listens() {
            let at = Clock::now(host);
            let event = [
                ("requestId", request_id.into()),
                ("pattern", pattern.as_str().into()),
                ("count", count.into()),
                ("at", at.into()),
            ];
            tell(host, "pattern-detected", Value::map(event));
        }
    });
    all
}
