//! Whose buckets and books a decision is about, at hand or from their rows.

use super::{AtHand, Turn};
use crate::admit::edge::caller::Caller;
use crate::admit::edge::subject::Subject;
use crate::config::BudgetScope;
use crate::error::Result;
use crate::pack::Reader;

impl Turn<'_> {
    /// Whose buckets a caller's requests are counted in: its user's, so that more tokens are not more requests; else
    /// its token's; else the organisation's.
    pub(super) fn payer(&mut self, caller: &Caller) -> Result<&mut Subject> {
        match (&caller.user, &caller.token) {
            (Some(_), _) => self.subject(BudgetScope::User, caller),
            (None, Some(_)) => self.subject(BudgetScope::Token, caller),
            (None, None) => self.subject(BudgetScope::Organisation, caller),
        }
    }

    /// One of a caller's three subjects. Asked for one that the caller does not have, it is the organisation.
    pub(super) fn subject(&mut self, of: BudgetScope, caller: &Caller) -> Result<&mut Subject> {
        let (letter, name) = match of {
            BudgetScope::Organisation => return Ok(&mut self.ledger.desk.organisation),
            BudgetScope::User => ("u", &caller.user),
            BudgetScope::Token => ("t", &caller.token),
        };
        let Some(name) = name else { return Ok(&mut self.ledger.desk.organisation) };
        let is = |one: &AtHand| one.key.strip_prefix(letter) == Some(name);
        let index = match self.ledger.at_hand.iter().position(is) {
            Some(index) => index,
            None => {
                let one = self.load(of, [letter, name].concat(), name)?;
                self.ledger.at_hand.push(one);
                self.ledger.at_hand.len().saturating_sub(1)
            }
        };
        #[expect(clippy::indexing_slicing, reason = "found or pushed above")]
        let one = &mut self.ledger.at_hand[index];
        one.touched = true;
        Ok(&mut one.subject)
    }

    fn load(&mut self, of: BudgetScope, key: String, name: &str) -> Result<AtHand> {
        let Some(row) = self.rows.read(&key)? else {
            // It may be one of those that were forgotten.
            let closed = self.ledger.desk.forgotten.is_some_and(|until| self.now <= until);
            let subject = if closed { Subject::closed(self.place()?.period) } else { Subject::default() };
            return Ok(AtHand { key, subject, row: Vec::new(), books: Vec::new(), touched: true });
        };
        let mut subject = Subject::restore(&row)?;
        let books = subject.encoded_books();
        let mut sound = Reader::new(&[]);
        for claim in &self.ledger.desk.claims {
            let own = if of == BudgetScope::User { &claim.caller.user } else { &claim.caller.token };
            if own.as_deref() == Some(name) {
                claim.restore(of, &mut subject, &mut sound);
            }
        }
        sound.end()?;
        Ok(AtHand { key, subject, row, books, touched: true })
    }
}
