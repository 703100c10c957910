//! What is asked again when its reply got lost, as where its object was restarted in the middle of it.
//!
//! Nobody knows then whether it was decided. An admission brings a mark, of which the ids that it is given are made, so
//! that it is found again without a row or a byte of its own; what else may be asked twice is the same when asked twice.

use super::Errand;
use crate::admit::command::Command;
use crate::money::NanoUsd;

/// Bits of an id that come from a mark: two ids have 48 of them, and the counter has 2^39 admissions to go.
pub(in crate::admit) const MARKED: u64 = (1 << 24) - 1;
/// No id is as large.
const MARK: u64 = 1 << 63;

/// A mark, from a draw.
#[must_use]
pub const fn mark_of(draw: u64) -> u64 {
    draw | MARK
}

/// The parts of a mark for the ids of a reservation and of its slot. `None` for what is no mark but a slot.
pub(in crate::admit) const fn parts(mark: u64) -> Option<[u64; 2]> {
    if mark & MARK == 0 { None } else { Some([mark & MARKED, mark.wrapping_shr(24) & MARKED]) }
}

impl Command {
    /// Marks a request's first admission, so that it can be asked [again](Command::Again). Of a request that holds a slot,
    /// none is marked: its later attempts are rare.
    pub fn mark(&mut self, mark: u64) {
        match self {
            Self::Admit { slot: slot @ None, .. } => *slot = Some(mark),
            Self::For(errand) => {
                if let Some(command) = &mut errand.command {
                    command.mark(mark);
                }
            }
            _ => {}
        }
    }

    /// What is to be asked where it is not known whether this was decided, once. `None` for what must not be asked again.
    #[must_use]
    pub fn again(&self) -> Option<Self> {
        match self {
            Self::Admit { slot: Some(mark), .. } if parts(*mark).is_some() => Some(Self::Again(self.clone().into())),
            // To settle twice is to settle once.
            Self::Settle { .. } | Self::EndSlot { .. } | Self::Status => Some(self.clone()),
            Self::For(errand) => {
                let command = match &errand.command {
                    // A request that is counted twice asked twice, for all that its rate knows.
                    None => None,
                    Some(command) => Some(command.again()?),
                };
                let is_again = matches!(command, Some(Self::Again(_)));
                // What is told beside a settlement would count twice.
                let errand = Errand { correction: None, ..(**errand).clone() };
                let own = if is_again { errand } else { Errand { command, ..errand } };
                let own = Self::For(own.into());
                Some(if is_again { Self::Again(own.into()) } else { own })
            }
            // An attempt after the first; a slice, which would be held twice; and what is several is told one by one.
            Self::Admit { .. } | Self::Lease { .. } | Self::Return { .. } | Self::Together(_) | Self::Again(_) => None,
        }
    }

    /// Whether the attempt at this target with this bound is what a marked admission asks for.
    pub(in crate::admit) fn asks_for(&self, name: (&str, &str), own: NanoUsd, ids: [u64; 2]) -> bool {
        let Self::Admit { tenant, target, bound, slot: Some(mark), .. } = self else { return false };
        name == (tenant, target) && own == *bound && parts(*mark) == Some(ids.map(|id| id & MARKED))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admit::command::Charge;
    use crate::admit::edge::{Caller, Correction};
    use crate::error::BreakerOutcome;
    use crate::time::Timestamp;

    fn admit(slot: Option<u64>) -> Command {
        let (tenant, target, bound) = ("me".into(), "groq/m".into(), NanoUsd::new(1));
        Command::Admit { tenant, target, bound, lease_until: Timestamp::default(), slot }
    }

    fn errand(command: Option<Command>) -> Command {
        let correction = Some(Correction { estimated: 2, used: 1 });
        Command::For(Errand { caller: Caller::default(), entry: None, correction, command }.into())
    }

    #[test]
    fn what_may_be_asked_again() {
        let (charge, outcome) = (Charge::Bound, BreakerOutcome::Success);
        let settle = Command::Settle { reservation: 1, charge, outcome, cool_until: None, end_slot: true };
        for command in [settle.clone(), Command::EndSlot { slot: 1 }, Command::Status] {
            assert_eq!(command.again(), Some(command));
        }
        let marked = admit(Some(mark_of(5)));
        assert_eq!(marked.again(), Some(Command::Again(marked.clone().into())));
        let (slice, route, spent) = (1, "chat".into(), NanoUsd::new(1));
        let give_back = Command::Return { slice, route, spent, requests: 1 };
        for command in [admit(None), admit(Some(7)), give_back, Command::Together(vec![]), marked.again().unwrap()] {
            assert_eq!(command.again(), None, "{command:?}");
            assert_eq!(errand(Some(command)).again(), None);
        }
        let Some(Command::For(plain)) = errand(Some(settle.clone())).again() else { panic!() };
        assert_eq!((plain.correction, plain.command), (None, Some(settle)), "nothing is corrected twice");
        let Some(Command::Again(within)) = errand(Some(marked.clone())).again() else { panic!() };
        let Command::For(within) = *within else { panic!() };
        assert_eq!((within.correction, within.command), (None, Some(marked)));
    }

    #[test]
    fn only_what_has_no_slot_is_marked() {
        let [mut first, mut later] = [admit(None), errand(Some(admit(Some(7))))];
        first.mark(mark_of(3));
        later.mark(mark_of(3));
        assert_eq!(first, admit(Some(mark_of(3))));
        assert_eq!(later, errand(Some(admit(Some(7)))));
        let mut within = errand(Some(admit(None)));
        within.mark(mark_of(3));
        assert_eq!(within, errand(Some(admit(Some(mark_of(3))))));
    }
}
