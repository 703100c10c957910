//! An admission whose reply got lost is asked again: whatever became of the first, there is one attempt.

use super::{Ask, Turn};
use crate::admit::command::{Command, Entered, Reply};
use crate::admit::edge::caller::Errand;
use crate::error::{Code, Result};

impl Turn<'_> {
    /// The reply of the first time, if that was decided and its attempt lives; else a decision.
    pub(super) fn again(&mut self, command: &Command) -> Result<Reply> {
        let (errand, admit) = match command {
            Command::For(errand) => (Some(errand), errand.command.as_ref()),
            command => (None, Some(command)),
        };
        let Some(admit @ Command::Admit { .. }) = admit else { return Ok(Reply::of(Err(Code::Internal.into()))) };
        // What ran out by now ends first, and is nobody's any more.
        let swept = self.plain(&Command::Status)?;
        let mut reply = match self.ledger.core.admitted(admit) {
            Some(outcome) => Reply {
                entered: self.entered(errand.map(|own| &**own))?,
                offset: swept.offset,
                ..Reply::of(Ok(outcome))
            },
            None => match errand {
                Some(errand) => self.errand(errand)?,
                None => self.plain(admit)?,
            },
        };
        reply.notices.splice(0..0, swept.notices);
        Ok(reply)
    }

    /// Where the caller stands. The request was counted with its admission, or is forgotten as counts may be in a crash.
    fn entered(&mut self, errand: Option<&Errand>) -> Result<Option<Entered>> {
        let Some(Errand { caller, entry: Some(entry), .. }) = errand else { return Ok(None) };
        let none: Vec<Ask> = self.asks(caller, entry).into_iter().map(|(kind, rate, _)| (kind, rate, 0)).collect();
        let (allowance, _) = self.count(caller, &none)?;
        Ok(Some(Entered { allowance, granted: true }))
    }
}
