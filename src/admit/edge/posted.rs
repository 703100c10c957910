//! Settlements that follow their answers: they wait for the next question to the ledger, or a few milliseconds.
//!
//! Nobody waits for them. What is lost with its isolate is settled by its lease, at its bound: so a cap is never passed, and
//! a request that was answered in the last milliseconds of an isolate that was killed may count for more than it cost.

use std::time::Duration;

use crate::admit::command::{Command, MOST_TOGETHER};
use crate::time::Timestamp;

/// How long a settlement waits for a question that takes it along. Of questions that come sooner one after the other, none
/// lets it go alone.
pub const POSTED_FOR: Duration = Duration::from_millis(25);

/// What waits.
#[derive(Debug, Default)]
pub struct Posted {
    commands: Vec<Command>,
    /// When the first of them came.
    oldest: Timestamp,
    /// Until when a request waits to send them.
    sent_by: Timestamp,
}

/// What whoever waited is to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Due {
    /// No more: others took all of it along.
    Nothing,
    /// To wait again so long: they took some, and more came.
    Later(Duration),
    /// To send this, and all else that waits with it.
    Now(Command),
}

impl Posted {
    /// Keeps one.
    ///
    /// # Errors
    /// The command itself if too many wait: then it is to be decided.
    pub fn add(&mut self, command: Command, now: Timestamp) -> Result<(), Command> {
        // One place is the question's that takes them along.
        if self.commands.len() >= MOST_TOGETHER.saturating_sub(1) {
            return Err(command);
        }
        if self.commands.is_empty() {
            self.oldest = now;
        }
        self.commands.push(command);
        Ok(())
    }

    /// All that waits.
    #[must_use]
    pub fn take(&mut self) -> Vec<Command> {
        std::mem::take(&mut self.commands)
    }

    /// To be asked by whoever waited. `last`: he does not wait again.
    pub fn due(&mut self, now: Timestamp, last: bool) -> Due {
        self.sent_by = Timestamp::default();
        let left = POSTED_FOR.saturating_sub(now.since(self.oldest));
        if !left.is_zero() && !last && !self.commands.is_empty() {
            self.sent_by = now.after(left);
            return Due::Later(left);
        }
        self.commands.pop().map_or(Due::Nothing, Due::Now)
    }

    /// Takes back what did not arrive, or may not have. To settle twice is to settle once; what is told beside a
    /// settlement would count twice, and is left out.
    pub fn put_back(&mut self, commands: Vec<Command>) {
        let plain = commands.into_iter().filter_map(|command| match command {
            Command::For(errand) => errand.command,
            command => Some(command),
        });
        let later = std::mem::take(&mut self.commands);
        self.commands = plain.chain(later).take(MOST_TOGETHER.saturating_sub(1)).collect();
    }

    /// Whether whoever asks is to wait and send what is here: nobody else does.
    pub fn waits(&mut self, now: Timestamp) -> bool {
        let left = self.sent_by.since(now);
        // Whoever waited may have been stopped; and a clock that went back lengthens nothing.
        let others = !left.is_zero() && left <= POSTED_FOR;
        let own = !others && !self.commands.is_empty();
        if own {
            self.sent_by = now.after(POSTED_FOR);
        }
        own
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admit::command::Charge;
    use crate::admit::edge::{Caller, Correction, Errand};
    use crate::error::BreakerOutcome;

    fn settle(reservation: u64) -> Command {
        let (charge, outcome) = (Charge::Bound, BreakerOutcome::Success);
        Command::Settle { reservation, charge, outcome, cool_until: None, end_slot: true }
    }

    const fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn one_of_those_that_post_waits_and_sends_for_all() {
        let mut posted = Posted::default();
        assert!(!posted.waits(at(0)), "nothing to send");
        posted.add(settle(1), at(0)).unwrap();
        assert!(posted.waits(at(0)));
        posted.add(settle(2), at(5)).unwrap();
        assert!(!posted.waits(at(24)));
        assert_eq!(posted.due(at(25), false), Due::Now(settle(2)));
        assert_eq!(posted.take(), [settle(1)]);
        posted.add(settle(3), at(25)).unwrap();
        assert!(posted.waits(at(25)), "whoever waited has sent");
    }

    #[test]
    fn what_comes_while_others_take_along_what_was_there_is_not_sent_alone() {
        let mut posted = Posted::default();
        posted.add(settle(1), at(0)).unwrap();
        assert!(posted.waits(at(0)));
        assert_eq!(posted.take().len(), 1);
        posted.add(settle(2), at(7)).unwrap();
        assert_eq!(posted.due(at(25), false), Due::Later(Duration::from_millis(7)));
        assert!(!posted.waits(at(31)), "he waits again");
        assert_eq!(posted.due(at(32), false), Due::Now(settle(2)));
        assert_eq!(posted.due(at(32), false), Due::Nothing);
        posted.add(settle(3), at(32)).unwrap();
        assert_eq!(posted.take().len(), 1);
        assert_eq!(posted.due(at(33), false), Due::Nothing, "for nothing nobody waits");
        posted.add(settle(3), at(32)).unwrap();
        assert_eq!(posted.due(at(33), true), Due::Now(settle(3)), "but not for ever");
    }

    #[test]
    fn whoever_waited_and_was_stopped_keeps_nobody_from_sending() {
        let mut posted = Posted::default();
        posted.add(settle(1), at(1_000)).unwrap();
        assert!(posted.waits(at(1_000)));
        assert!(!posted.waits(at(1_024)));
        assert!(posted.waits(at(1_025)));
        assert!(posted.waits(at(0)), "nor does a clock that went back");
    }

    #[test]
    fn what_did_not_arrive_goes_first_the_next_time_and_corrects_nothing_twice() {
        let mut posted = Posted::default();
        let correction = Some(Correction { estimated: 2, used: 1 });
        let errand = Errand { caller: Caller::default(), entry: None, correction, command: Some(settle(1)) };
        posted.add(Command::For(errand.into()), at(0)).unwrap();
        let sent = posted.take();
        posted.add(settle(2), at(0)).unwrap();
        posted.put_back(sent);
        assert_eq!(posted.take(), [settle(1), settle(2)]);
    }

    #[test]
    fn as_many_wait_as_go_together_with_a_question() {
        let mut posted = Posted::default();
        let all = MOST_TOGETHER as u64 - 1;
        for id in 0..all {
            posted.add(settle(id), at(0)).unwrap();
        }
        assert_eq!(posted.add(settle(all), at(0)), Err(settle(all)));
        let sent = posted.take();
        posted.add(settle(all), at(0)).unwrap();
        posted.put_back(sent);
        assert_eq!(posted.take().len() as u64, all);
    }
}
