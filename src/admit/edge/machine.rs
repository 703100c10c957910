//! One organisation's ledger with all limits by caller: one decision at a time, from rows to rows.

mod again;
mod enter;
mod erase;
mod figures;
mod lending;
mod settle;
mod spend;
mod subjects;

use lending::Wish;

use super::caller::Errand;
use super::desk::Desk;
use super::leases::come_again;
use super::policy::EdgePolicy;
use super::store::{LONGEST_KEY, Rows};
use super::subject::{Kind, Subject};
use crate::admit::command::{Command, Entered, Notice, Outcome, Reply};
use crate::admit::ledger::LedgerState;
use crate::config::RateConfig;
use crate::error::{Code, Error, Result};
use crate::host::ZoneRules;
use crate::time::Timestamp;

const LEDGER: &str = "ledger";
const DESK: &str = "desk";
/// Users and tokens kept at hand; their rows have the rest.
const MOST_AT_HAND: usize = 256;
/// Users and tokens that rows are kept of.
const MOST_ROWS: usize = 100_000;
/// After so many decisions it is looked whether there are more.
const FORGET_EVERY: u32 = 4_096;

/// A user or a token at hand.
#[derive(Clone, Debug)]
struct AtHand {
    /// `u` or `t`, and its name.
    key: String,
    subject: Subject,
    /// Its row as it is stored.
    row: Vec<u8>,
    /// The end of that row: its books, which a decision writes. What comes before are counts, which may wait.
    books: Vec<u8>,
    /// Its row is to be written.
    touched: bool,
}

/// An organisation's ledger. It keeps what its rows say at hand: whoever holds it is the only one who writes them.
#[derive(Clone, Debug)]
pub struct EdgeLedger {
    pub(super) core: LedgerState,
    desk: Desk,
    at_hand: Vec<AtHand>,
    core_row: Vec<u8>,
    desk_row: Vec<u8>,
    decisions: u32,
    unwritten: bool,
}

impl EdgeLedger {
    /// The ledger as its rows have it.
    ///
    /// # Errors
    /// `vault_corrupt` if a row cannot be read: leave them as they are, and admit nothing.
    pub fn open(rows: &dyn Rows) -> Result<Self> {
        let (core, desk) = (LedgerState::new(), Desk::default());
        let (core_row, desk_row) = (core.snapshot(), desk.encode());
        let mut ledger = Self { core, desk, at_hand: Vec::new(), core_row, desk_row, decisions: 0, unwritten: false };
        if let Some(row) = rows.read(LEDGER)? {
            ledger.core = LedgerState::restore(&row)?;
            ledger.core_row = row;
        }
        if let Some(row) = rows.read(DESK)? {
            ledger.desk = Desk::restore(&row)?;
            ledger.desk_row = row;
        }
        Ok(ledger)
    }

    /// Several decisions, one after the other, from bytes to bytes. The rows are written once, after the last. With each
    /// command comes what the clock of whoever asks showed when it asked, if that is known: it may be another's than
    /// `now` is from.
    ///
    /// Whose own row cannot be read is answered `vault_corrupt`, and keeps nobody else from a decision.
    ///
    /// # Errors
    /// As [`EdgeLedger::apply`]; then none of them was taken.
    pub fn decide_all<'a>(
        &mut self,
        commands: impl Iterator<Item = (&'a [u8], Option<Timestamp>)>,
        policy: &EdgePolicy<'_>,
        zones: &dyn ZoneRules,
        now: Timestamp,
        rows: &mut dyn Rows,
    ) -> Result<Vec<Vec<u8>>> {
        let mut replies = Vec::new();
        let mut counts_only = true;
        for (command, asked_at) in commands {
            let reply = match Command::decode(command) {
                Ok(mut command) => {
                    if let Some(asked_at) = asked_at {
                        command.by_clock_of(asked_at, now);
                    }
                    counts_only &= only_counts(&command);
                    self.decided(&command, policy, zones, now, rows)?
                }
                // Only another build asks what cannot be read.
                Err(_) => Reply::of(Err(Error::deploying().into())),
            };
            replies.push(reply.encode());
        }
        self.keep(counts_only, now, rows)?;
        Ok(replies)
    }

    /// The reply to a command that counts requests and does no more, from bytes to bytes: nothing is written for it now,
    /// so it needs no transaction. `None` for every other, and where rows have to be written before: these are
    /// [`EdgeLedger::decide_all`]'s.
    ///
    /// # Errors
    /// As [`EdgeLedger::apply`].
    pub fn count(
        &mut self,
        command: &[u8],
        policy: &EdgePolicy<'_>,
        zones: &dyn ZoneRules,
        now: Timestamp,
        rows: &mut dyn Rows,
    ) -> Result<Option<Vec<u8>>> {
        let counts = Command::decode(command).ok().filter(only_counts);
        let Some(command) = counts.filter(|_| self.at_hand.len() <= MOST_AT_HAND) else { return Ok(None) };
        let reply = self.decided(&command, policy, zones, now, rows)?;
        self.unwritten = true;
        Ok(Some(reply.encode()))
    }

    /// Takes one decision at `now` and writes the rows that it changed.
    ///
    /// # Errors
    /// If rows could not be read or written. Then nothing was decided: undo what was written, and forget this ledger,
    /// which may be ahead of its rows.
    pub fn apply(
        &mut self,
        command: &Command,
        policy: &EdgePolicy<'_>,
        zones: &dyn ZoneRules,
        now: Timestamp,
        rows: &mut dyn Rows,
    ) -> Result<Reply> {
        let reply = self.decided(command, policy, zones, now, rows)?;
        self.keep(only_counts(command), now, rows)?;
        Ok(reply)
    }

    /// One decision, still to be written.
    fn decided(
        &mut self,
        command: &Command,
        policy: &EdgePolicy<'_>,
        zones: &dyn ZoneRules,
        now: Timestamp,
        rows: &mut dyn Rows,
    ) -> Result<Reply> {
        if self.at_hand.len() > MOST_AT_HAND {
            // Also what earlier decisions of the same turn have changed.
            self.write(now, rows, true)?;
            self.at_hand.clear();
        }
        let mut turn = Turn { ledger: self, policy, zones, now, rows, notices: Vec::new() };
        let mut reply = match command {
            Command::Together(commands) => {
                let mut reply = Reply::of(Err(Code::Internal.into()));
                for command in commands {
                    let mut notices = std::mem::take(&mut reply.notices);
                    reply = turn.one(command)?;
                    notices.append(&mut reply.notices);
                    reply.notices = notices;
                }
                reply
            }
            command => turn.one(command)?,
        };
        reply.notices.append(&mut turn.notices);
        for notice in &reply.notices {
            rows.hear(notice);
        }
        Ok(reply)
    }

    /// Writes what decisions have changed; what only counted may wait.
    fn keep(&mut self, counts_only: bool, now: Timestamp, rows: &mut dyn Rows) -> Result<()> {
        if !counts_only {
            return self.write(now, rows, false);
        }
        self.unwritten = true;
        Ok(())
    }

    /// Requests that hold a slot.
    #[must_use]
    pub fn in_flight(&self) -> u32 {
        self.core.in_flight()
    }

    /// Whether requests were counted that no row knows of. Only counts wait so, never money or what is held: whoever
    /// holds the ledger calls [`EdgeLedger::flush`] within a second. A decision writes those whose books it changes.
    #[must_use]
    pub const fn unwritten(&self) -> bool {
        self.unwritten
    }

    /// Writes what is still to be written.
    ///
    /// # Errors
    /// As [`EdgeLedger::apply`].
    pub fn flush(&mut self, now: Timestamp, rows: &mut dyn Rows) -> Result<()> {
        if self.unwritten { self.write(now, rows, true) } else { Ok(()) }
    }

    /// Writes the rows that have changed; those of users and tokens of which nothing but counts has, only if `counts`.
    fn write(&mut self, now: Timestamp, rows: &mut dyn Rows, counts: bool) -> Result<()> {
        self.decisions = self.decisions.wrapping_add(1);
        let forgets = self.decisions.is_multiple_of(FORGET_EVERY);
        let counts = counts || forgets;
        self.unwritten = false;
        let core = self.core.snapshot();
        if core != self.core_row {
            rows.write(LEDGER, &core, Timestamp::MAX)?;
            self.core_row = core;
        }
        let desk = self.desk.encode();
        if desk != self.desk_row {
            rows.write(DESK, &desk, Timestamp::MAX)?;
            self.desk_row = desk;
        }
        for one in self.at_hand.iter_mut().filter(|one| one.touched) {
            let books = one.subject.encoded_books();
            if !counts && books == one.books {
                self.unwritten = true;
                continue;
            }
            one.touched = false;
            let row = one.subject.encoded_with(&books);
            if row != one.row {
                rows.write(&one.key, &row, one.subject.owed_until(now))?;
                (one.row, one.books) = (row, books);
            }
        }
        if forgets && let Some(owed) = rows.forget(MOST_ROWS, now)? {
            self.at_hand.clear();
            self.desk.forgotten = self.desk.forgotten.max(Some(owed));
        }
        Ok(())
    }
}

/// Whether a command counts requests and does no more.
fn only_counts(command: &Command) -> bool {
    matches!(command, Command::For(errand) if errand.only_enters())
}

/// What was found, or nothing if its row cannot be read. Such a row is left as it is.
fn readable<T>(found: Result<T>) -> Result<Option<T>> {
    match found {
        Err(error) if error.code == Code::VaultCorrupt => Ok(None),
        found => found.map(Some),
    }
}

/// One decision being taken.
struct Turn<'a> {
    ledger: &'a mut EdgeLedger,
    policy: &'a EdgePolicy<'a>,
    zones: &'a dyn ZoneRules,
    now: Timestamp,
    rows: &'a mut dyn Rows,
    notices: Vec<Notice>,
}

/// A bucket that is asked: which, its rate, and for how much.
type Ask = (Kind, RateConfig, u64);

impl Turn<'_> {
    /// One command's reply. What of its caller's rows cannot be read is looked for before anything is changed.
    fn one(&mut self, command: &Command) -> Result<Reply> {
        let reply = match command {
            Command::For(errand) => self.errand(errand),
            Command::Again(command) => self.again(command),
            command => self.plain(command),
        };
        match reply {
            Err(error) if error.code == Code::VaultCorrupt => Ok(Reply::of(Err(error))),
            reply => reply,
        }
    }

    fn errand(&mut self, errand: &Errand) -> Result<Reply> {
        let caller = &errand.caller;
        let long = |text: &String| text.is_empty() || text.len() >= LONGEST_KEY;
        if caller.user.iter().chain(&caller.token).any(long) || caller.tier.len() >= LONGEST_KEY {
            return Ok(Reply::of(Err(Code::Internal.into())));
        }
        if let Some(correction) = errand.correction
            && let Some(rate) = self.policy.edge.tier(&caller.tier).and_then(|tier| tier.tokens)
        {
            let now = self.now;
            // What is settled with it concerns others, too.
            if let Some(payer) = readable(self.payer(caller))? {
                payer.bucket(&Kind::Tokens, rate, now).correct(rate, correction.estimated, correction.used);
            }
        }
        let mut entered = None;
        if let Some(entry) = &errand.entry {
            let (allowance, refusal) = self.enter(caller, entry)?;
            entered = Some(Entered { allowance, granted: refusal.is_none() });
            if let Some(error) = refusal {
                return Ok(Reply { entered, ..Reply::of(Err(error)) });
            }
        }
        let reply = match &errand.command {
            None => Reply::of(Ok(Outcome::Entered)),
            Some(Command::Admit { target, bound, .. }) => {
                let admit = errand.command.as_ref().unwrap_or(&Command::Status);
                self.admit(caller, admit, target, *bound)?
            }
            Some(Command::Status) => self.figures(caller)?,
            Some(Command::Lease { tenant, route, bound, requests, window, settles_within }) => {
                let wish = Wish { tenant, route, bound: *bound, requests: *requests };
                self.lease(caller, &wish, *window, *settles_within)?
            }
            Some(Command::Return { slice, route, spent, requests }) => {
                self.give_back(caller, *slice, route, *spent, *requests)?
            }
            Some(Command::For(_) | Command::Together(_) | Command::Again(_)) => Reply::of(Err(Code::Internal.into())),
            Some(command) => self.plain(command)?,
        };
        Ok(Reply { entered, result: reply.result.map_err(come_again), ..reply })
    }
}

#[cfg(test)]
mod tests;
