//! What live attempts hold in books beside the ledger's, and what is the organisation's own.

use super::books::period_of;
use super::caller::Caller;
use super::subject::Subject;
use crate::admit::reservation::MOST_LIVE;
use crate::config::{BudgetScope, BudgetSpan};
use crate::error::Result;
use crate::money::NanoUsd;
use crate::pack::{Reader, Writer};
use crate::time::Timestamp;

const VERSION: u8 = 1;
/// Those that live, and those that a late bill may still correct.
const MOST_CLAIMS: usize = MOST_LIVE + 256;

/// The books that one attempt holds its bound in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Claim {
    /// The reservation.
    pub(super) id: u64,
    pub(super) bound: NanoUsd,
    /// The local day it was admitted on, from which its periods follow.
    pub(super) day: i64,
    /// One bit for each scope and span.
    pub(super) books: u32,
    /// Charged its bound, which a late bill may replace.
    pub(super) late: bool,
    pub(super) caller: Caller,
}

/// The bit of a book.
pub(super) const fn bit(of: BudgetScope, per: BudgetSpan) -> u32 {
    1u32.wrapping_shl((of as u32).wrapping_mul(3).wrapping_add(per as u32))
}

impl Claim {
    /// The books it holds its bound in, and their periods.
    pub(super) fn books(&self) -> impl Iterator<Item = (BudgetScope, BudgetSpan, i64)> {
        let (books, day) = (self.books, self.day);
        let pairs = BudgetScope::ALL.into_iter().flat_map(|of| BudgetSpan::ALL.map(|per| (of, per)));
        pairs.filter(move |(of, per)| books & bit(*of, *per) != 0).map(move |(of, per)| (of, per, period_of(per, day)))
    }

    /// Counts a stored claim back into the books of one of its subjects.
    pub(super) fn restore(&self, scope: BudgetScope, subject: &mut Subject, reader: &mut Reader<'_>) {
        for (_, per, period) in self.books().filter(|(of, ..)| *of == scope) {
            if !self.late {
                let known = subject.books(per).restore(period, self.bound);
                reader.require(known);
            }
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Desk {
    /// Ascending by reservation.
    pub(super) claims: Vec<Claim>,
    pub(super) organisation: Subject,
    /// Until when something was owed to users or tokens whose rows were forgotten all the same.
    pub(super) forgotten: Option<Timestamp>,
}

impl Desk {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.byte(VERSION);
        match self.forgotten {
            None => drop(writer.byte(0)),
            Some(until) => drop(writer.byte(1).int(until.as_millis())),
        }
        self.organisation.encode(&mut writer);
        writer.uint(self.claims.len() as u64);
        for Claim { id, bound, day, books, late, caller } in &self.claims {
            writer.uint(*id).uint(bound.as_nano()).int(*day).uint((*books).into()).byte((*late).into());
            encode_caller(&mut writer, caller);
        }
        writer.finish()
    }

    pub(super) fn restore(bytes: &[u8]) -> Result<Self> {
        let reader = &mut Reader::new(bytes);
        let version = reader.byte();
        reader.require(version == VERSION);
        let forgotten = reader.flag().then(|| Timestamp::from_millis(reader.int()));
        let mut organisation = Subject::decode(reader);
        let mut claims: Vec<Claim> = Vec::new();
        for _ in 0..reader.count() {
            let (id, bound, day) = (reader.uint(), NanoUsd::new(reader.uint()), reader.int());
            let (books, late, caller) = (reader.uint32(), reader.flag(), decode_caller(reader));
            let claim = Claim { id, bound, day, books, late, caller };
            let ascending = claims.last().is_none_or(|last| last.id < id);
            reader.require(ascending && claims.len() < MOST_CLAIMS);
            if !reader.is_sound() {
                break;
            }
            claim.restore(BudgetScope::Organisation, &mut organisation, reader);
            claims.push(claim);
        }
        reader.end()?;
        Ok(Self { claims, organisation, forgotten })
    }
}

pub(super) fn encode_caller(writer: &mut Writer, caller: &Caller) {
    for text in [&caller.user, &caller.token] {
        match text {
            None => drop(writer.byte(0)),
            Some(text) => drop(writer.byte(1).text(text)),
        }
    }
    writer.text(&caller.tier);
}

pub(super) fn decode_caller(reader: &mut Reader<'_>) -> Caller {
    let user = reader.flag().then(|| reader.text().into());
    let token = reader.flag().then(|| reader.text().into());
    Caller { user, token, tier: reader.text().into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_of_another_version_is_refused() {
        let mut row = Desk::default().encode();
        assert!(Desk::restore(&row).is_ok());
        row[0] = row[0].wrapping_add(1);
        assert!(Desk::restore(&row).is_err());
    }

    #[test]
    fn a_row_whose_claims_are_out_of_order_is_refused() {
        let of = |ids: [u64; 2]| {
            let claim = |id| {
                let (bound, caller) = (NanoUsd::new(1), Caller::default());
                Claim { id, bound, day: 0, books: 0, late: true, caller }
            };
            Desk { claims: ids.map(claim).into(), ..Desk::default() }.encode()
        };
        assert!(Desk::restore(&of([1, 2])).is_ok());
        assert!(Desk::restore(&of([2, 1])).is_err());
        assert!(Desk::restore(&of([1, 1])).is_err(), "one claim twice");
    }
}
