//! What a scripted provider is sent, and what it answers.

use std::collections::VecDeque;
use std::future::pending;
use std::rc::Rc;
use std::time::Duration;

use super::ManualHost;
use crate::error::{NetworkKind, Result};
use crate::host::{Chunks, Timer};
use crate::time::Timestamp;

/// A request that the host was asked to send.
#[derive(Clone, Debug)]
pub struct Sent {
    /// Where to.
    pub url: String,
    /// For which provider.
    pub provider: String,
    /// The value of the header that carries the key, as it is sent.
    pub authorization: String,
    /// The header `anthropic-beta`, empty without one.
    pub betas: String,
    /// The JSON body.
    pub body: String,
    /// When.
    pub at: Timestamp,
}

/// What comes of a request.
#[derive(Clone, Debug)]
pub enum Scripted {
    /// An answer, after a time.
    Answer(Duration, u16, Vec<(String, String)>, Vec<u8>),
    /// The network fails, after a time.
    Lost(Duration, NetworkKind),
    /// An answer whose headers come after a time, and whose body in pieces, each after a time of its own.
    Stream(Duration, u16, Vec<(Duration, Piece)>),
    /// Nothing ever comes.
    Silence,
}

/// A piece of a streamed body.
#[derive(Clone, Debug)]
pub enum Piece {
    /// Bytes.
    Bytes(Vec<u8>),
    /// The network fails.
    Lost,
    /// Nothing more ever comes.
    Stall,
}

/// A stream whose headers come after 50 ms and each of whose pieces comes 10 ms after the one before.
#[must_use]
pub fn stream(pieces: impl IntoIterator<Item = impl Into<Vec<u8>>>) -> Scripted {
    let pieces = pieces.into_iter().map(|piece| (Duration::from_millis(10), Piece::Bytes(piece.into())));
    Scripted::Stream(Duration::from_millis(50), 200, pieces.collect())
}

/// The rest of a scripted stream.
pub struct ScriptedChunks {
    pub(super) host: Rc<ManualHost>,
    pub(super) pieces: VecDeque<(Duration, Piece)>,
}

impl Chunks for ScriptedChunks {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, NetworkKind> {
        let Some((after, _)) = self.pieces.front() else { return Ok(None) };
        let after = *after;
        self.host.sleep(after).await;
        match self.pieces.pop_front() {
            Some((_, Piece::Bytes(bytes))) => Ok(Some(bytes)),
            Some((_, Piece::Lost)) => Err(NetworkKind::Network),
            Some((_, Piece::Stall)) => pending().await,
            None => Ok(None),
        }
    }
}

/// A 200 with a chat completion that took 100 ms.
#[must_use]
pub fn completion(text: &str, input: u64, output: u64) -> Scripted {
    let mut body = String::from(
        r#"{"id":"cmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"#,
    );
    crate::json::push_text(&mut body, text);
    body.push_str(r#"},"finish_reason":"stop"}],"usage":{"prompt_tokens":"#);
    body.push_str(&input.to_string());
    body.push_str(r#","completion_tokens":"#);
    body.push_str(&output.to_string());
    body.push_str("}}");
    Scripted::Answer(Duration::from_millis(100), 200, Vec::new(), body.into_bytes())
}

/// An answer with this status and body, after 50 ms.
#[must_use]
pub fn status(status: u16, headers: &[(&str, &str)], body: &str) -> Scripted {
    let headers = headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    Scripted::Answer(Duration::from_millis(50), status, headers, body.into())
}
