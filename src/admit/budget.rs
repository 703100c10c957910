//! The books: what each period has spent, holds, and has told.

use super::command::Notice;
use crate::config::BudgetConfig;
use crate::error::Result;
use crate::money::NanoUsd;
use crate::pack::{Reader, Writer};

/// How many periods are remembered. Two months of days, so that a clock set forward and back finds the
/// books as it left them.
const MOST_BOOKS: usize = 64;

/// One period.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Book {
    pub(super) period: i64,
    /// Settled.
    pub(super) spent: NanoUsd,
    /// Part of `spent` that was above its reservation's bound.
    pub(super) overshoot: NanoUsd,
    /// Held by live reservations. Not stored: it is the sum of them.
    pub(super) reserved: NanoUsd,
    /// How many reservations are live. Not stored either.
    live: u32,
    /// The highest percentage told. Thresholds are told in ascending order, so all below it were told too.
    told: u32,
    /// The cap it was told for.
    told_limit: NanoUsd,
}

impl Book {
    const fn new(period: i64) -> Self {
        Self {
            period,
            spent: NanoUsd::ZERO,
            overshoot: NanoUsd::ZERO,
            reserved: NanoUsd::ZERO,
            live: 0,
            told: 0,
            told_limit: NanoUsd::ZERO,
        }
    }

    /// Whether `bound` fits under `limit` beside all that is spent and held.
    fn fits(&self, bound: NanoUsd, limit: NanoUsd) -> bool {
        let total = self.spent.checked_add(self.reserved).and_then(|held| held.checked_add(bound));
        total.is_some_and(|total| total <= limit)
    }

    /// Tells each threshold that is reached, once, in ascending order. A raised cap re-arms those it
    /// leaves behind.
    ///
    /// `exhausted`: a request was refused that an empty period would have admitted. Then the last
    /// threshold is told too, if all below it were: bounds leave a rest that no request fits into, so
    /// what is spent hardly ever equals the cap, and a 100 % that waits for equality would never come.
    fn tell(&mut self, config: &BudgetConfig, exhausted: bool, notices: &mut Vec<Notice>) {
        let reached = |percent: u32| {
            self.spent > NanoUsd::ZERO
                && u128::from(self.spent.as_nano()).saturating_mul(100)
                    >= u128::from(config.limit.as_nano()).saturating_mul(u128::from(percent))
        };
        let mut told = self.told;
        if config.limit > self.told_limit {
            let still = |percent: &&u32| **percent <= told && reached(**percent);
            told = config.thresholds.iter().filter(still).max().copied().unwrap_or(0);
        }
        for (index, percent) in config.thresholds.iter().enumerate() {
            let last = index.saturating_add(1) == config.thresholds.len();
            if *percent <= told {
                continue;
            }
            let due = reached(*percent) || (last && exhausted);
            if !due {
                break;
            }
            told = *percent;
            let (percent, limit) = (*percent, config.limit);
            notices.push(Notice::Threshold { period: self.period, percent, spent: self.spent, limit });
        }
        if told != self.told || (told > 0 && self.told_limit != config.limit) {
            (self.told, self.told_limit) = (told, config.limit);
        }
    }
}

/// All periods that are remembered.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Books {
    /// Ascending by period.
    books: Vec<Book>,
    /// Periods up to this one were forgotten and stay closed.
    floor: Option<i64>,
}

impl Books {
    fn find(&self, period: i64) -> Result<usize, usize> {
        // Nearly always the newest.
        match self.books.last() {
            Some(last) if last.period == period => Ok(self.books.len().saturating_sub(1)),
            _ => self.books.binary_search_by_key(&period, |book| book.period),
        }
    }

    fn book_mut(&mut self, period: i64) -> Option<&mut Book> {
        let index = self.find(period).ok()?;
        self.books.get_mut(index)
    }

    /// The period's book, if it is remembered.
    pub(super) fn book(&self, period: i64) -> Option<Book> {
        self.find(period).ok().and_then(|index| self.books.get(index)).copied()
    }

    /// What to show for a period: an unknown one is empty, a closed one fully spent.
    pub(super) fn shown(&self, period: i64, limit: NanoUsd) -> Book {
        let empty = Book::new(period);
        self.book(period).unwrap_or_else(|| if self.is_open(period) { empty } else { Book { spent: limit, ..empty } })
    }

    /// Whether the period may admit at all: it was never forgotten, and there is a book for it.
    pub(super) fn is_open(&self, period: i64) -> bool {
        self.floor.is_none_or(|floor| period > floor)
            && (self.find(period).is_ok() || self.books.len() < MOST_BOOKS || self.evictable(period).is_some())
    }

    /// The first period that can admit, from `period` on.
    pub(super) fn next_open(&self, period: i64) -> i64 {
        self.floor.map_or(period, |floor| period.max(floor)).saturating_add(1)
    }

    /// The oldest book that makes room for `period`: older than it, and nothing to be settled in it.
    fn evictable(&self, period: i64) -> Option<usize> {
        self.books
            .iter()
            .position(|book| book.live == 0)
            .filter(|index| self.books.get(*index).is_some_and(|book| book.period < period))
    }

    /// Whether `bound` may be reserved in `period`. Changes no money; tells thresholds.
    pub(super) fn check(
        &mut self,
        period: i64,
        bound: NanoUsd,
        config: &BudgetConfig,
        notices: &mut Vec<Notice>,
    ) -> bool {
        let fits = self.is_open(period) && self.book(period).unwrap_or(Book::new(period)).fits(bound, config.limit);
        if let Some(book) = self.book_mut(period) {
            // A request larger than the whole cap says nothing about what is left of it.
            book.tell(config, !fits && bound <= config.limit, notices);
        }
        fits
    }

    /// Reserves what [`Books::check`] granted.
    pub(super) fn reserve(&mut self, period: i64, bound: NanoUsd) {
        if let Err(index) = self.find(period) {
            let mut index = index;
            if self.books.len() >= MOST_BOOKS
                && let Some(oldest) = self.evictable(period)
            {
                let gone = self.books.remove(oldest);
                self.floor = self.floor.max(Some(gone.period));
                index = index.saturating_sub(1);
            }
            self.books.insert(index, Book::new(period));
        }
        self.hold(period, bound);
    }

    fn hold(&mut self, period: i64, bound: NanoUsd) {
        if let Some(book) = self.book_mut(period) {
            book.reserved = book.reserved.saturating_add(bound);
            book.live = book.live.saturating_add(1);
        }
    }

    /// Ends a reservation: its bound is free again.
    pub(super) fn release(&mut self, period: i64, bound: NanoUsd) {
        if let Some(book) = self.book_mut(period) {
            book.reserved = book.reserved.saturating_sub(bound);
            book.live = book.live.saturating_sub(1);
        }
    }

    /// Writes `amount` into the period's book, against a reservation of `bound`; `instead` is what was
    /// charged for the same reservation before. `false`: the book is forgotten, nothing was changed.
    pub(super) fn charge(
        &mut self,
        period: i64,
        amount: NanoUsd,
        bound: NanoUsd,
        instead: NanoUsd,
        config: &BudgetConfig,
        notices: &mut Vec<Notice>,
    ) -> bool {
        let Some(book) = self.book_mut(period) else { return false };
        book.spent = book.spent.saturating_sub(instead).saturating_add(amount);
        let above = amount.saturating_sub(bound);
        if above > NanoUsd::ZERO {
            book.overshoot = book.overshoot.saturating_add(above);
            notices.push(Notice::Overshoot { period, amount: above });
        }
        book.tell(config, false, notices);
        true
    }

    pub(super) fn encode(&self, writer: &mut Writer) {
        match self.floor {
            None => drop(writer.byte(0)),
            Some(floor) => drop(writer.byte(1).int(floor)),
        }
        writer.uint(self.books.len() as u64);
        for book in &self.books {
            writer.int(book.period).uint(book.spent.as_nano()).uint(book.overshoot.as_nano());
            writer.uint(book.told.into()).uint(book.told_limit.as_nano());
        }
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Self {
        let floor = reader.flag().then(|| reader.int());
        let mut books: Vec<Book> = Vec::new();
        for _ in 0..reader.count() {
            let mut book = Book::new(reader.int());
            book.spent = NanoUsd::new(reader.uint());
            book.overshoot = NanoUsd::new(reader.uint());
            book.told = reader.uint32();
            book.told_limit = NanoUsd::new(reader.uint());
            let ascending = books.last().is_none_or(|last| last.period < book.period);
            reader.require(ascending && books.len() < MOST_BOOKS);
            if !reader.is_sound() {
                break;
            }
            books.push(book);
        }
        Self { books, floor }
    }

    /// Whether anything is known of a time before `period`.
    #[cfg(feature = "edge")]
    pub(super) fn knows_before(&self, period: i64) -> bool {
        self.floor.is_some() || self.books.first().is_some_and(|first| first.period < period)
    }

    /// The highest percentage told of a period, and the cap it was told for.
    #[cfg(feature = "edge")]
    pub(super) fn told_mut(&mut self, period: i64) -> Option<(&mut u32, &mut NanoUsd)> {
        self.book_mut(period).map(|book| (&mut book.told, &mut book.told_limit))
    }

    /// Whether there is nothing to remember.
    #[cfg(feature = "edge")]
    pub(super) const fn is_empty(&self) -> bool {
        self.floor.is_none() && self.books.is_empty()
    }

    /// Forgets the oldest periods before `newest` that hold nothing, until `most` are left. They stay closed.
    #[cfg(feature = "edge")]
    pub(super) fn trim(&mut self, most: usize, newest: i64) {
        while self.books.len() > most {
            let Some(oldest) = self.evictable(newest) else { return };
            let gone = self.books.remove(oldest);
            self.floor = self.floor.max(Some(gone.period));
        }
    }

    /// Closes every period up to this one.
    #[cfg(feature = "edge")]
    pub(super) fn close(&mut self, period: i64) {
        self.floor = self.floor.max(Some(period));
    }

    /// Counts a stored reservation back in. `false`: it belongs to no book.
    pub(super) fn restore(&mut self, period: i64, bound: NanoUsd) -> bool {
        self.hold(period, bound);
        self.find(period).is_ok()
    }
}

#[cfg(test)]
mod tests;
