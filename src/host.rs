//! Ports: what the gateway asks of the place it runs in. The gateway is generic over them (static
//! dispatch, no boxing); everything runs on one thread, so no bound asks for `Send`.
#![expect(async_fn_in_trait, reason = "one thread: callers need no Send bound on these futures")]

use std::borrow::Cow;
use std::pin::Pin;
use std::time::Duration;

use crate::error::{NetworkKind, Result};
use crate::secret::Secret;
use crate::time::Timestamp;
use crate::value::Value;

/// Reads the wall clock.
pub trait Clock {
    /// Now. May be earlier than the last reading.
    fn now(&self) -> Timestamp;
}

/// Time-zone rules, as the host's `Intl` or a test's script knows them.
pub trait ZoneRules {
    /// Seconds that local time in `zone` (an IANA name) is ahead of UTC at `at`. Negative west of
    /// Greenwich; `None` if the zone is not known.
    fn offset_at(&self, zone: &str, at: Timestamp) -> Option<i32>;
}

/// Draws random numbers.
pub trait Entropy {
    /// Fills `bytes` with randomness good enough for keys.
    fn fill(&self, bytes: &mut [u8]);
}

/// Waits.
pub trait Timer {
    /// Returns once `span` has passed. Dropping the future cancels the timer.
    async fn sleep(&self, span: Duration);
}

/// One request to a provider.
#[derive(Debug)]
pub struct UpstreamRequest<'a> {
    /// Absolute URL, without a key in it.
    pub url: String,
    /// Provider whose key the transport's caller put into `authorization`.
    pub provider: &'a str,
    /// Names, in lower case, and values of the headers beside `content-type`. One of them carries the key.
    pub headers: Vec<(Cow<'static, str>, Secret<String>)>,
    /// JSON body.
    pub body: String,
    /// Whether a stream is asked for: then the body of a 2xx may be left open.
    pub stream: bool,
}

/// A provider's answer, from its headers on.
#[derive(Debug)]
pub struct UpstreamResponse<C> {
    /// HTTP status; 0 for a redirect that was not followed.
    pub status: u16,
    /// Header names in lower case, and values, as far as the runtime lets them be read.
    pub headers: Vec<(String, String)>,
    /// The body; not yet known to be UTF-8, JSON or events.
    pub body: UpstreamBody<C>,
}

/// The body of an answer.
#[derive(Debug)]
pub enum UpstreamBody<C> {
    /// All of it.
    Whole(Vec<u8>),
    /// Still coming in.
    Open(C),
}

/// A body that is still coming in. Dropping it aborts the exchange.
pub trait Chunks {
    /// The next bytes; `None` at the end.
    async fn next(&mut self) -> Result<Option<Vec<u8>>, NetworkKind>;
}

/// Sends requests. Never fails for an HTTP status. Dropping the future aborts the exchange. Every
/// fetch omits credentials and referrer, bypasses HTTP caches and follows no redirect.
pub trait Transport {
    /// The open body of an answer.
    type Chunks: Chunks;
    /// Whether the requests are a page's: one provider wants to be told.
    fn in_browser(&self) -> bool;
    /// Sends. Returns with the headers if a stream was asked for, else with the whole answer.
    async fn send(&self, request: UpstreamRequest<'_>) -> Result<UpstreamResponse<Self::Chunks>, NetworkKind>;
}

/// The program may come in two parts: what the first answer needs, and the rest. Functions of the rest may be called only
/// once it is here; `scripts/split-entries.mjs` says which.
pub trait Rest {
    /// Returns when the rest is here; false if it cannot be had now, for want of a network.
    async fn rest(&self) -> bool {
        true
    }
}

/// A future of the rest of the program. Callers must not know which it is: else the compiler calls it directly, and it is
/// no longer the rest's alone.
pub fn of_the_rest<'a, T>(future: impl Future<Output = T> + 'a) -> Pin<Box<dyn Future<Output = T> + 'a>> {
    std::hint::black_box(Box::pin(future))
}

/// Decides about money, permits and slots, atomically, for everyone who shares it. It speaks in
/// decisions, never in get and set, because a remote get-then-set is not atomic. It fails closed.
pub trait Ledger {
    /// A question or a report.
    type Command;
    /// What was decided.
    type Reply;
    /// Decides.
    async fn decide(&self, command: Self::Command) -> Result<Self::Reply>;
    /// Takes a report that nobody waits for: it is decided before whatever is asked next, or soon after.
    ///
    /// # Errors
    /// The report itself where there is no such way: then it is to be decided.
    fn post(&self, report: Self::Command) -> Result<(), Self::Command> {
        Err(report)
    }
}

/// Hears what happens. Called synchronously; it must not call back into the gateway.
pub trait Observer {
    /// Whether anybody listens; if not, events are not even built.
    fn listens(&self) -> bool;
    /// One event: a name and an object of codes, counts, durations and cost, never content.
    fn notice(&self, name: &'static str, event: Value);
}

/// UTC and nothing else: for hosts without `Intl`.
#[derive(Clone, Copy, Debug, Default)]
pub struct UtcOnly;

impl ZoneRules for UtcOnly {
    fn offset_at(&self, zone: &str, _at: Timestamp) -> Option<i32> {
        (zone == "UTC").then_some(0)
    }
}
