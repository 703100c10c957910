//! One organisation's ledger with all limits by caller: one decision at a time, from rows to rows.

mod erase;
mod figures;
mod lending;

use std::time::Duration;

use lending::Wish;

use super::books::{first_day, limit, period_of};
use super::caller::{Caller, Entry, Errand};
use super::desk::{Claim, Desk, bit};
use super::policy::EdgePolicy;
use super::store::{LONGEST_KEY, Rows};
use super::subject::{Kind, Subject};
use crate::admit::command::{Charge, Command, Entered, Notice, Outcome, Reply};
use crate::admit::ledger::{LedgerState, unknown_zone};
use crate::admit::period::{Calendar, Place};
use crate::config::{BudgetRule, BudgetScope, RateConfig};
use crate::error::{Allowance, Code, Detail, Error, Result};
use crate::host::ZoneRules;
use crate::money::NanoUsd;
use crate::pack::{Reader, Writer};
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

    /// Several decisions, one after the other, from bytes to bytes. The rows are written once, after the last.
    ///
    /// # Errors
    /// As [`EdgeLedger::apply`]; then none of them was taken.
    pub fn decide_all<'a>(
        &mut self,
        commands: impl Iterator<Item = &'a [u8]>,
        policy: &EdgePolicy<'_>,
        zones: &dyn ZoneRules,
        now: Timestamp,
        rows: &mut dyn Rows,
    ) -> Result<Vec<Vec<u8>>> {
        let mut replies = Vec::new();
        let mut counts_only = true;
        for command in commands {
            let reply = match Command::decode(command) {
                Ok(command) => {
                    counts_only &= only_counts(&command);
                    self.decided(&command, policy, zones, now, rows)?
                }
                Err(_) => Reply::of(Err(Code::Internal.into())),
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
            self.write(now, rows)?;
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
            return self.write(now, rows);
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
    /// holds the ledger calls [`EdgeLedger::flush`] within a second, or the next decision writes them with its own.
    #[must_use]
    pub const fn unwritten(&self) -> bool {
        self.unwritten
    }

    /// Writes what is still to be written.
    ///
    /// # Errors
    /// As [`EdgeLedger::apply`].
    pub fn flush(&mut self, now: Timestamp, rows: &mut dyn Rows) -> Result<()> {
        if self.unwritten { self.write(now, rows) } else { Ok(()) }
    }

    fn write(&mut self, now: Timestamp, rows: &mut dyn Rows) -> Result<()> {
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
            one.touched = false;
            let mut writer = Writer::new();
            one.subject.encode(&mut writer);
            let row = writer.finish();
            if row != one.row {
                rows.write(&one.key, &row, one.subject.owed_until(now))?;
                one.row = row;
            }
        }
        self.decisions = self.decisions.wrapping_add(1);
        if self.decisions.is_multiple_of(FORGET_EVERY)
            && let Some(owed) = rows.forget(MOST_ROWS, now)?
        {
            self.at_hand.clear();
            self.desk.forgotten = self.desk.forgotten.max(Some(owed));
        }
        self.unwritten = false;
        Ok(())
    }
}

/// Whether a command counts requests and does no more.
fn only_counts(command: &Command) -> bool {
    matches!(command, Command::For(errand) if errand.only_enters())
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
    fn one(&mut self, command: &Command) -> Result<Reply> {
        match command {
            Command::For(errand) => self.errand(errand),
            command => self.plain(command),
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
            let bucket = self.payer(caller)?.bucket(&Kind::Tokens, rate, now);
            bucket.correct(rate, correction.estimated, correction.used);
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
            Some(Command::For(_) | Command::Together(_)) => Reply::of(Err(Code::Internal.into())),
            Some(command) => self.plain(command)?,
        };
        Ok(Reply { entered, ..reply })
    }

    /// Whose buckets a caller's requests are counted in: its user's, so that more tokens are not more requests; else
    /// its token's; else the organisation's.
    fn payer(&mut self, caller: &Caller) -> Result<&mut Subject> {
        match (&caller.user, &caller.token) {
            (Some(_), _) => self.subject(BudgetScope::User, caller),
            (None, Some(_)) => self.subject(BudgetScope::Token, caller),
            (None, None) => self.subject(BudgetScope::Organisation, caller),
        }
    }

    /// One of a caller's three subjects. Asked for one that the caller does not have, it is the organisation.
    fn subject(&mut self, of: BudgetScope, caller: &Caller) -> Result<&mut Subject> {
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
            return Ok(AtHand { key, subject, row: Vec::new(), touched: true });
        };
        let mut subject = Subject::restore(&row)?;
        let mut sound = Reader::new(&[]);
        for claim in &self.ledger.desk.claims {
            let own = if of == BudgetScope::User { &claim.caller.user } else { &claim.caller.token };
            if own.as_deref() == Some(name) {
                claim.restore(of, &mut subject, &mut sound);
            }
        }
        sound.end()?;
        Ok(AtHand { key, subject, row, touched: true })
    }

    /// Counts a request, or says why not. Takes from all of its buckets or from none.
    fn enter(&mut self, caller: &Caller, entry: &Entry) -> Result<(Allowance, Option<Box<Error>>)> {
        let (edge, now) = (self.policy.edge, self.now);
        let mut asks: Vec<Ask> = Vec::with_capacity(3);
        if let Some(route) = edge.route(&entry.route) {
            // No target's name begins so.
            asks.push((Kind::Named(["/", &route.name].concat()), route.rate, 1));
        }
        if let (Some(tokens), Some(tier)) = (entry.tokens, edge.tier(&caller.tier)) {
            asks.push((Kind::Requests, tier.requests, 1));
            asks.extend(tier.tokens.map(|rate| (Kind::Tokens, rate, tokens)));
        }
        let payer = self.payer(caller)?;
        // `None`, a wait without an end, is the longest.
        let longer = |a: Option<_>, b: Option<_>| a.is_none() || b.is_some_and(|b| a.is_some_and(|a| a > b));
        let mut refusal: Option<(Allowance, _)> = None;
        for (kind, rate, count) in &asks {
            let bucket = payer.bucket(kind, *rate, now);
            if let Err(wait) = bucket.check(*rate, *count)
                && refusal.as_ref().is_none_or(|(_, known)| longer(wait, *known))
            {
                refusal = Some((bucket.allowance(*rate), wait));
            }
        }
        if let Some((allowance, wait)) = refusal {
            let mut error = Error::new(Code::RateLimited);
            error.retry_after = wait;
            return Ok((allowance, Some(error.into())));
        }
        let mut tightest: Option<Allowance> = None;
        for (kind, rate, count) in &asks {
            let bucket = payer.bucket(kind, *rate, now);
            bucket.take(*count);
            let own = bucket.allowance(*rate);
            // Requests are told in requests: a caller could not tell which of the two a figure is.
            if *kind != Kind::Tokens && tightest.is_none_or(|known| own.remaining < known.remaining) {
                tightest = Some(own);
            }
        }
        let none = Allowance { limit: 0, remaining: 0, reset: Duration::ZERO };
        Ok((tightest.unwrap_or(none), None))
    }

    /// An attempt: checks its target's buckets and all books, asks the ledger, and takes once that has admitted.
    fn admit(&mut self, caller: &Caller, command: &Command, target: &str, bound: NanoUsd) -> Result<Reply> {
        let (edge, now) = (self.policy.edge, self.now);
        let provider = target.split('/').next().unwrap_or("");
        let asks: Vec<Ask> = edge
            .targets
            .iter()
            .filter(|own| own.name == target || own.name == provider)
            .map(|own| (Kind::Named(own.name.clone()), own.rate, 1))
            .collect();
        for (kind, rate, count) in &asks {
            if let Err(wait) = self.ledger.desk.organisation.bucket(kind, *rate, now).check(*rate, *count) {
                let mut error = Error::new(Code::RateLimited);
                error.retry_after = wait;
                return Ok(Reply::of(Err(error.into())));
            }
        }
        let (mut books, mut day) = (0, 0);
        if self.policy.rules(caller).next().is_some() {
            let place = self.place()?;
            day = place.period;
            if let Some(refusal) = self.check(caller, bound, place)? {
                return Ok(Reply::of(Err(refusal)));
            }
            books = self.policy.rules(caller).fold(0, |books, rule| books | bit(rule.of, rule.per));
        }
        let reply = self.plain(command)?;
        if let Ok(Outcome::Admitted { reservation, .. }) = &reply.result {
            for (kind, rate, count) in &asks {
                self.ledger.desk.organisation.bucket(kind, *rate, now).take(*count);
            }
            if books != 0 {
                let (id, caller) = (*reservation, caller.clone());
                let claim = Claim { id, bound, day, books, late: false, caller };
                for (of, per, period) in claim.books() {
                    let subject = self.subject(of, &claim.caller)?;
                    subject.books(per).reserve(period, bound);
                    subject.trim(day);
                }
                self.ledger.desk.claims.push(claim);
            }
        }
        Ok(reply)
    }

    /// Whether the bound fits all of a caller's books; the refusal by the one that resets last, since nothing is
    /// admitted before.
    fn check(&mut self, caller: &Caller, bound: NanoUsd, place: Place) -> Result<Option<Box<Error>>> {
        let policy = self.policy;
        let mut refusal: Option<(Timestamp, Box<Error>)> = None;
        for rule in policy.rules(caller) {
            let mut told = Vec::new();
            let period = period_of(rule.per, place.period);
            let books = self.subject(rule.of, caller)?.books(rule.per);
            let mut cap = std::borrow::Cow::Borrowed(&rule.cap);
            if rule.rollover {
                cap.to_mut().limit = limit(rule, books, period);
            }
            let fits = books.check(period, bound, &cap, &mut told);
            let book = books.shown(period, cap.limit);
            let next = if books.is_open(period) { period.saturating_add(1) } else { books.next_open(period) };
            self.tell(rule.of, caller, rule, told);
            if fits {
                continue;
            }
            let resets_at = self.begins(rule, next, place)?;
            if refusal.as_ref().is_none_or(|(known, _)| resets_at > *known) {
                let detail = Detail::BudgetOf {
                    of: rule.of.as_str(),
                    per: rule.per.as_str(),
                    limit: cap.limit,
                    spent: book.spent,
                    reserved: book.reserved,
                    resets_at,
                };
                let error = Error::new(Code::BudgetExceeded).with(detail).after(resets_at.since(self.now));
                refusal = Some((resets_at, error.into()));
            }
        }
        Ok(refusal.map(|(_, error)| error))
    }

    fn tell(&mut self, of: BudgetScope, caller: &Caller, rule: &BudgetRule, told: Vec<Notice>) {
        for notice in told {
            // An overshoot is told once, by the ledger.
            if let Notice::Threshold { period, percent, spent, limit } = notice {
                let who = match of {
                    BudgetScope::Organisation => None,
                    BudgetScope::User => caller.user.clone(),
                    BudgetScope::Token => caller.token.clone(),
                };
                self.notices.push(Notice::BudgetOf { of, per: rule.per, who, period, percent, spent, limit });
            }
        }
    }

    /// Any other command: the ledger decides, the books follow.
    fn plain(&mut self, command: &Command) -> Result<Reply> {
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
            let books = self.subject(of, caller)?.books(per);
            let instead = if was_late { bound } else { NanoUsd::ZERO };
            if !was_late {
                books.release(period, bound);
            }
            // Without a rule, since the configuration has changed, nothing is told.
            let mut cap = rule.map(|rule| rule.cap.clone()).unwrap_or_default();
            match rule {
                Some(rule) => cap.limit = limit(rule, books, period),
                None => cap.thresholds.clear(),
            }
            if charge != Charge::Released || was_late {
                books.charge(period, amount, bound, instead, &cap, &mut told);
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

    /// When a period begins.
    fn begins(&self, rule: &BudgetRule, period: i64, place: Place) -> Result<Timestamp> {
        let calendar = Calendar::new(self.policy.ledger.budget, self.zones);
        calendar.start_of(first_day(rule.per, period), self.now, place.offset).ok_or_else(unknown_zone)
    }

    /// The present local day.
    fn place(&self) -> Result<Place> {
        Calendar::new(self.policy.ledger.budget, self.zones).period_of(self.now).ok_or_else(unknown_zone)
    }
}

#[cfg(test)]
mod tests;
