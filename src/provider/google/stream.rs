//! Streams.

use crate::chat::Delta;
use crate::error::Error;
use crate::provider::{Malformed, Stamp};

/// Reads a stream.
#[derive(Debug, Default)]
pub struct StreamDecoder {}

impl StreamDecoder {
    pub(in crate::provider) fn event(
        &mut self,
        _name: &str,
        _data: &str,
        _sink: &mut dyn FnMut(Delta<'_>),
    ) -> Result<(), Malformed> {
        Err(Malformed)
    }

    pub(in crate::provider) fn is_finished(&self) -> bool {
        false
    }
}

/// Writes a stream.
#[derive(Debug)]
pub struct StreamEncoder {}

impl StreamEncoder {
    pub(in crate::provider) fn new(_stamp: Stamp) -> Self {
        Self {}
    }

    pub(in crate::provider) fn push(&mut self, _delta: &Delta<'_>, _out: &mut String) {}

    pub(in crate::provider) fn error(&mut self, _error: &Error, _body: &str, _out: &mut String) {}
}
