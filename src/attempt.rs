//! One exchange with one target: send, read, classify.

use std::time::Duration;

use crate::abort::{Abort, Raced, race};
use crate::chat::Dialect;
use crate::error::{Code, Detail, NetworkKind, TimeoutKind};
use crate::host::{Timer, Transport, UpstreamRequest, UpstreamResponse};
use crate::provider::{Answer, decode_body};
use crate::retry::classify;
use crate::time::Timestamp;

/// How an exchange ended.
#[derive(Debug)]
pub enum Exchange {
    /// A chat completion: what the gateway reads of it, and its text.
    Answered(Answer, String),
    /// No answer.
    Failed(Failure),
    /// The caller aborted.
    Aborted {
        /// Whether the request had been sent by then.
        sent: bool,
    },
}

/// Why there is no answer, and what follows for money and for the next try.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// What went wrong.
    pub code: Code,
    /// The provider's HTTP status, or the one that an error inside a 2xx stands for.
    pub status: Option<u16>,
    /// The wait that the provider asks for.
    pub wait: Option<Duration>,
    /// The provider forbids a retry.
    pub stop: bool,
    /// The provider may bill the attempt all the same.
    pub billed: bool,
    /// Network or timeout kind.
    pub detail: Detail,
}

/// Sends `request` and reads the answer within `timeout`.
///
/// `clock` is read once the answer is there: a stated date counts from then.
pub async fn exchange<H: Transport + Timer>(
    host: &H,
    request: UpstreamRequest<'_>,
    timeout: Duration,
    abort: &Abort,
    clock: impl FnOnce() -> Timestamp,
) -> Exchange {
    let provider = request.provider;
    if abort.is_aborted() {
        return Exchange::Aborted { sent: false };
    }
    match race(host.send(request), host.sleep(timeout), abort).await {
        Raced::Done(Ok(response)) => read(response, provider, clock()),
        Raced::Done(Err(kind)) => Exchange::Failed(lost(kind)),
        Raced::TimedOut => Exchange::Failed(Failure {
            code: Code::Timeout,
            status: None,
            wait: None,
            stop: false,
            // The request was sent; nobody knows how far the provider came.
            billed: true,
            detail: Detail::Timeout(TimeoutKind::Attempt),
        }),
        Raced::Aborted => Exchange::Aborted { sent: true },
    }
}

/// A fetch without a response. Browsers do not say whether anything was sent, so it counts as possibly
/// billed unless the browser was offline or the provider refused the preflight.
fn lost(kind: NetworkKind) -> Failure {
    Failure {
        code: Code::UpstreamFailed,
        status: None,
        wait: None,
        stop: false,
        billed: kind == NetworkKind::Network,
        detail: Detail::Network(kind),
    }
}

fn read(response: UpstreamResponse, provider: &str, now: Timestamp) -> Exchange {
    let header = |name: &str| {
        let found = response.headers.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.as_str())
    };
    if let Some(verdict) = classify(response.status, &header, &response.body, now) {
        return Exchange::Failed(Failure {
            code: verdict.code,
            status: Some(verdict.status),
            wait: verdict.wait,
            stop: verdict.stop,
            billed: verdict.billed,
            detail: Detail::Status(verdict.status),
        });
    }
    let text = String::from_utf8(response.body).ok();
    let read = |text: String| {
        let mut answer = Answer::default();
        decode_body(Dialect::Chat, provider, &text, &mut |delta| answer.push(&delta))?;
        Some((answer, text))
    };
    match text.and_then(read) {
        Some((answer, text)) => Exchange::Answered(answer, text),
        None => Exchange::Failed(Failure {
            code: Code::UpstreamMalformed,
            status: Some(response.status),
            wait: None,
            stop: false,
            // It answered 200 with something: it may well have run the model.
            billed: true,
            detail: Detail::Status(response.status),
        }),
    }
}
