//! A user is erased: nothing says any more that there was one.

use super::EdgeLedger;
use crate::admit::edge::desk::bit;
use crate::admit::edge::store::Rows;
use crate::config::{BudgetScope, BudgetSpan};
use crate::error::Result;
use crate::time::Timestamp;

/// The bits of the books that are not the organisation's.
const OTHERS: [BudgetScope; 2] = [BudgetScope::User, BudgetScope::Token];

impl EdgeLedger {
    /// Erases the books and rates of a user and of API tokens. What attempts of theirs still hold stays in the
    /// organisation's books, and is settled there, without their names; what was spent stays spent.
    ///
    /// # Errors
    /// As [`EdgeLedger::apply`].
    pub fn erase(&mut self, user: &str, tokens: &[String], now: Timestamp, rows: &mut dyn Rows) -> Result<()> {
        let keys: Vec<String> =
            tokens.iter().map(|token| ["t", token].concat()).chain([["u", user].concat()]).collect();
        let own =
            OTHERS.into_iter().flat_map(|of| BudgetSpan::ALL.map(|per| bit(of, per))).fold(0, |all, one| all | one);
        for claim in &mut self.desk.claims {
            let is_of = |token: &String| tokens.contains(token);
            if claim.caller.user.as_deref() == Some(user) || claim.caller.token.as_ref().is_some_and(is_of) {
                claim.books &= !own;
                claim.caller.user = None;
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
