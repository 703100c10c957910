//! A request as it came, and in neutral form.

use std::rc::Rc;

use super::gate::Gate;
use crate::chat::{ChatRequest, Dialect};
use crate::error::{Code, Error, Result};
use crate::json;
use crate::provider::{Outgoing, decode_request, encode_request, rewrite_request};

/// The text of a request.
#[derive(Clone, Debug)]
pub(super) struct AskText {
    /// As the caller sent it.
    own: Rc<str>,
    /// As a chat completion request; the same as `own` for callers who speak that.
    neutral: Rc<str>,
}

impl AskText {
    /// Reads a request of `caller`. `model` and `stream` are what the path says, for dialects that have it there.
    ///
    /// # Errors
    /// `invalid_request` that names the field.
    pub(super) fn of(own: Rc<str>, caller: Dialect, model: Option<&str>, stream: bool) -> Result<Self> {
        let neutral = match caller {
            Dialect::Chat => own.clone(),
            Dialect::Responses | Dialect::Anthropic | Dialect::Google => {
                decode_request(caller, &own, model, stream)?.into()
            }
        };
        Ok(Self { own, neutral })
    }

    /// For a replay, which sends nothing.
    pub(super) fn none() -> Self {
        Self { own: "".into(), neutral: "".into() }
    }

    pub(super) fn own(&self) -> &str {
        &self.own
    }

    pub(super) fn request(&self) -> Result<ChatRequest<'_>> {
        ChatRequest::parse(&self.neutral)
    }

    /// The request as `dialect` has it.
    ///
    /// # Errors
    /// `invalid_request` that names what the dialect cannot carry.
    pub(super) fn write(&self, dialect: Dialect, caller: Dialect, outgoing: &Outgoing<'_>) -> Result<String> {
        if dialect == caller {
            return Ok(rewrite_request(dialect, &json::fields(&self.own)?, outgoing));
        }
        encode_request(dialect, &json::fields(&self.neutral)?, outgoing)
    }

    /// For each target whether it can carry this request; and what the first that cannot lacks.
    pub(super) fn able(&self, caller: Dialect, stream: bool, gate: &Gate) -> (Vec<bool>, Option<Box<Error>>) {
        let mut lacking = None;
        let able = gate.config.targets.iter().map(|target| {
            let dialect = gate.dialect(&target.provider, caller);
            if dialect == caller {
                return true;
            }
            let outgoing =
                Outgoing { provider: &target.provider, model: &target.model, max_output_tokens: u32::MAX, stream };
            let written = self.write(dialect, caller, &outgoing);
            match written {
                Ok(_) => true,
                Err(error) => {
                    lacking.get_or_insert(error);
                    false
                }
            }
        });
        (able.collect(), lacking)
    }
}

/// What to say when the only targets left cannot carry the request.
pub(super) fn unable(lacking: Option<&Error>) -> Error {
    lacking.cloned().unwrap_or_else(|| Error::new(Code::InvalidRequest))
}
