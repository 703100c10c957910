//! What the ledger settles is settled in all books.

use super::{Turn, readable};
use crate::admit::budget::Books;
use crate::admit::command::{Charge, Command, Notice, Outcome, Reply};
use crate::admit::edge::books::limit;
use crate::error::Result;
use crate::money::NanoUsd;

impl Turn<'_> {
    /// Any other command: the ledger decides, the books follow.
    pub(super) fn plain(&mut self, command: &Command) -> Result<Reply> {
        let (policy, zones, now) = (&self.policy.ledger, self.zones, self.now);
        let reply = self.ledger.core.apply(command, policy, zones, now);
        for notice in &reply.notices {
            if let Notice::LeaseExpired { reservation } = notice
                && let Some(index) = self.claim(*reservation)
            {
                self.close(index, Charge::Bound)?;
            }
        }
        if let Command::Settle { reservation, charge, .. } = command
            && let Some(index) = self.claim(*reservation)
        {
            match &reply.result {
                Ok(Outcome::Settled { .. }) => self.close(index, *charge)?,
                // The ledger has forgotten it: no bill comes any more.
                _ => drop(self.ledger.desk.claims.remove(index)),
            }
        }
        let core = &self.ledger.core;
        if self.ledger.desk.claims.iter().any(|claim| claim.late) {
            self.ledger.desk.claims.retain(|claim| !claim.late || core.reservations.late(claim.id).is_some());
        }
        Ok(reply)
    }

    fn claim(&self, reservation: u64) -> Option<usize> {
        self.ledger.desk.claims.binary_search_by_key(&reservation, |claim| claim.id).ok()
    }

    /// Ends a claim in all its books, as the ledger ended the reservation in its own: a bound that was charged may be
    /// replaced by one bill.
    fn close(&mut self, index: usize, charge: Charge) -> Result<()> {
        let Some(claim) = self.ledger.desk.claims.get(index).cloned() else { return Ok(()) };
        let (was_late, bound) = (claim.late, claim.bound);
        let amount = match charge {
            Charge::Released => NanoUsd::ZERO,
            Charge::Actual(amount) => amount,
            Charge::Bound if was_late => return Ok(()),
            Charge::Bound => bound,
        };
        let (policy, caller) = (self.policy, &claim.caller);
        for (of, per, period) in claim.books() {
            let mut told = Vec::new();
            let rule = policy.rule(of, per, &caller.tier);
            // Somebody else's decision may be what ends it. The organisation's own books have what was spent.
            let Some(subject) = readable(self.subject(of, caller))? else { continue };
            let books = subject.books(per);
            let instead = if was_late { bound } else { NanoUsd::ZERO };
            if !was_late {
                books.release(period, bound);
            }
            // Without a rule, since the configuration has changed, nothing is told, nor is it forgotten what was.
            let mut cap = rule.map(|rule| rule.cap.clone()).unwrap_or_default();
            match rule {
                Some(rule) => cap.limit = limit(rule, books, period),
                None => {
                    cap.limit = books.told_mut(period).map_or(NanoUsd::ZERO, |(_, told_for)| *told_for);
                    cap.thresholds.clear();
                }
            }
            if charge != Charge::Released || was_late {
                let mut charge = |books: &mut Books| {
                    books.charge(period, amount, bound, instead, &cap, &mut told);
                };
                match rule {
                    Some(rule) => subject.with_told(per, period, rule.cap.limit, cap.limit, charge),
                    None => charge(books),
                }
            }
            if let Some(rule) = rule {
                self.tell(of, caller, rule, told);
            }
        }
        match self.ledger.desk.claims.get_mut(index) {
            Some(claim) if charge == Charge::Bound => claim.late = true,
            _ => drop(self.ledger.desk.claims.remove(index)),
        }
        Ok(())
    }
}
