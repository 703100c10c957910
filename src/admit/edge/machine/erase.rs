//! A user is erased: nothing says any more that there was one.

use super::EdgeLedger;
use crate::admit::edge::desk::bit;
use crate::admit::edge::store::Rows;
use crate::config::{BudgetScope, BudgetSpan};
use crate::error::Result;
use crate::time::Timestamp;

impl EdgeLedger {
    /// Erases the books and rates of a user and of API tokens. What attempts of theirs still hold stays in the
    /// organisation's books, and in those of a token that is not erased, and is settled there, without their names; what
    /// was spent stays spent.
    ///
    /// # Errors
    /// As [`EdgeLedger::apply`].
    pub fn erase(&mut self, user: &str, tokens: &[String], now: Timestamp, rows: &mut dyn Rows) -> Result<()> {
        let keys: Vec<String> =
            tokens.iter().map(|token| ["t", token].concat()).chain([["u", user].concat()]).collect();
        let without = |of| BudgetSpan::ALL.map(|per| !bit(of, per)).into_iter().fold(u32::MAX, |all, one| all & one);
        for claim in &mut self.desk.claims {
            // Each by itself: a session's token is that of many users, and its books stay.
            if claim.caller.user.as_deref() == Some(user) {
                claim.books &= without(BudgetScope::User);
                claim.caller.user = None;
            }
            if claim.caller.token.as_ref().is_some_and(|token| tokens.contains(token)) {
                claim.books &= without(BudgetScope::Token);
                claim.caller.token = None;
            }
        }
        self.at_hand.retain(|one| !keys.contains(&one.key));
        for key in &keys {
            rows.erase(key)?;
        }
        self.write(now, rows, true)
    }
}
