//! What is remembered of one user, one token, or the organisation itself: its buckets and its books.

use std::time::Duration;

use super::books::period_of;
use crate::admit::bucket::Bucket;
use crate::admit::budget::Books;
use crate::config::{BudgetSpan, RateConfig};
use crate::error::Result;
use crate::money::NanoUsd;
use crate::pack::{Reader, Writer};
use crate::time::Timestamp;

/// Versions of a row: the second has what was told for other caps, and is written only where there is such. A newer one
/// is refused: money is not counted by guessing.
const VERSION: u8 = 1;
const VERSION_TOLD: u8 = 2;
/// Periods of a span that are remembered: enough for a clock that is set forward and back.
const MOST_BOOKS: usize = 6;
const MOST_BUCKETS: usize = 128;
/// As many as there may be budgets.
const MOST_TOLD: usize = 64;
/// Longer than every span.
const MONTH: Duration = Duration::from_secs(32 * 24 * 60 * 60);
/// An hour, in milliseconds.
const HOUR_MS: i64 = 60 * 60 * 1_000;

/// What a bucket counts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// Requests that ask a model.
    Requests,
    /// Tokens.
    Tokens,
    /// Requests of a route, or attempts at a target.
    Named(String),
}

/// What was told of a book for another cap than its last one: callers of different tiers have different caps.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Told {
    span: BudgetSpan,
    period: i64,
    /// Without what was carried on.
    limit: NanoUsd,
    percent: u32,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Subject {
    buckets: Vec<(Kind, Bucket)>,
    books: [Books; 3],
    told: Vec<Told>,
}

impl Subject {
    /// The bucket, as full as it is at `now`; a new one is full.
    pub(super) fn bucket(&mut self, kind: &Kind, config: RateConfig, now: Timestamp) -> &mut Bucket {
        let known = self.buckets.iter().position(|(own, _)| own == kind);
        let index = known.unwrap_or_else(|| {
            if self.buckets.len() >= MOST_BUCKETS {
                self.buckets.remove(0);
            }
            self.buckets.push((kind.clone(), Bucket::full(config, now)));
            self.buckets.len().saturating_sub(1)
        });
        #[expect(clippy::indexing_slicing, reason = "found or pushed above")]
        let bucket = &mut self.buckets[index].1;
        bucket.refill(config, now);
        bucket
    }

    pub(super) fn books(&mut self, span: BudgetSpan) -> &mut Books {
        let [day, week, month] = &mut self.books;
        match span {
            BudgetSpan::Day => day,
            BudgetSpan::Week => week,
            BudgetSpan::Month => month,
        }
    }

    /// The books of a span, of which it is known what was told of a period for this cap, if anything was: so that each cap
    /// tells each threshold once, whose turn it ever is. `cap` is the rule's own: what it is with what was carried on
    /// (`limit`) follows from late bills, and re-arms nothing.
    pub(super) fn with_told<T>(
        &mut self,
        span: BudgetSpan,
        period: i64,
        cap: NanoUsd,
        limit: NanoUsd,
        decide: impl FnOnce(&mut Books) -> T,
    ) -> T {
        self.recall(span, period, cap);
        let books = self.books(span);
        let stand_in = |books: &mut Books, from: NanoUsd, to: NanoUsd| {
            if let Some((_, told_for)) = books.told_mut(period)
                && *told_for == from
            {
                *told_for = to;
            }
        };
        stand_in(books, cap, limit);
        let decided = decide(books);
        stand_in(books, limit, cap);
        decided
    }

    /// Takes out what was told for a cap, and keeps what was told for the last one.
    fn recall(&mut self, span: BudgetSpan, period: i64, cap: NanoUsd) {
        let mut told = std::mem::take(&mut self.told);
        if let Some((percent, told_for)) = self.books(span).told_mut(period)
            && *told_for != cap
            && *told_for != NanoUsd::ZERO
        {
            let last = Told { span, period, limit: *told_for, percent: *percent };
            if let Some(index) = told.iter().position(|one| (one.span, one.period, one.limit) == (span, period, cap)) {
                (*percent, *told_for) = (told.remove(index).percent, cap);
            }
            told.retain(|one| (one.span, one.period, one.limit) != (span, period, last.limit));
            if told.len() >= MOST_TOLD {
                told.remove(0);
            }
            told.push(last);
        }
        self.told = told;
    }

    /// Forgets the oldest books that hold nothing. They stay closed.
    pub(super) fn trim(&mut self, day: i64) {
        for span in BudgetSpan::ALL {
            let newest = period_of(span, day);
            self.books(span).trim(MOST_BOOKS, newest);
        }
        if !self.told.is_empty() {
            let mut told = std::mem::take(&mut self.told);
            told.retain(|one| self.books(one.span).book(one.period).is_some());
            self.told = told;
        }
    }

    /// A subject whose row was forgotten: what it had spent by then is not known, so it may spend nothing more until
    /// its periods are over.
    pub(super) fn closed(day: i64) -> Self {
        let mut subject = Self::default();
        for span in BudgetSpan::ALL {
            subject.books(span).close(period_of(span, day));
        }
        subject
    }

    /// From when on a new subject would be the same as this one, in whole hours: so the index by it changes once an hour,
    /// and not with each decision.
    pub(super) fn owed_until(&self, now: Timestamp) -> Timestamp {
        // A bucket of less than one a minute cannot be configured; a burst may still take a day to flow back.
        let buckets = if self.buckets.is_empty() { Duration::ZERO } else { Duration::from_secs(24 * 60 * 60) };
        let books = if self.books.iter().all(Books::is_empty) { Duration::ZERO } else { MONTH };
        let until = now.after(buckets.max(books)).as_millis();
        Timestamp::from_millis(until.saturating_sub(until.rem_euclid(HOUR_MS)).saturating_add(HOUR_MS))
    }

    pub(super) fn encode(&self, writer: &mut Writer) {
        self.encode_counts(writer);
        self.encode_books(writer);
    }

    fn encode_books(&self, writer: &mut Writer) {
        for books in &self.books {
            books.encode(writer);
        }
        if self.told.is_empty() {
            return;
        }
        writer.uint(self.told.len() as u64);
        for Told { span, period, limit, percent } in &self.told {
            writer.byte(*span as u8).int(*period).uint(limit.as_nano()).uint((*percent).into());
        }
    }

    fn encode_counts(&self, writer: &mut Writer) {
        let version = if self.told.is_empty() { VERSION } else { VERSION_TOLD };
        writer.byte(version).uint(self.buckets.len() as u64);
        for (kind, bucket) in &self.buckets {
            match kind {
                Kind::Requests => drop(writer.byte(0)),
                Kind::Tokens => drop(writer.byte(1)),
                Kind::Named(name) => drop(writer.byte(2).text(name)),
            }
            bucket.encode(writer);
        }
    }

    /// What a row ends with: all of it that is no count.
    pub(super) fn encoded_books(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        self.encode_books(&mut writer);
        writer.finish()
    }

    /// The row, of what [`Subject::encoded_books`] gave.
    pub(super) fn encoded_with(&self, books: &[u8]) -> Vec<u8> {
        let mut writer = Writer::new();
        self.encode_counts(&mut writer);
        let mut row = writer.finish();
        row.extend_from_slice(books);
        row
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Self {
        let version = reader.byte();
        reader.require(version == VERSION || version == VERSION_TOLD);
        let mut buckets: Vec<(Kind, Bucket)> = Vec::new();
        for _ in 0..reader.count() {
            let kind = match reader.byte() {
                0 => Kind::Requests,
                1 => Kind::Tokens,
                byte => {
                    reader.require(byte == 2);
                    Kind::Named(reader.text().into())
                }
            };
            let bucket = Bucket::decode(reader);
            reader.require(buckets.len() < MOST_BUCKETS && buckets.iter().all(|(own, _)| *own != kind));
            if !reader.is_sound() {
                break;
            }
            buckets.push((kind, bucket));
        }
        let books = [(); 3].map(|()| Books::decode(reader));
        let told = if version == VERSION_TOLD { decode_told(reader) } else { Vec::new() };
        Self { buckets, books, told }
    }

    pub(super) fn restore(bytes: &[u8]) -> Result<Self> {
        let reader = &mut Reader::new(bytes);
        let subject = Self::decode(reader);
        reader.end()?;
        Ok(subject)
    }
}

fn decode_told(reader: &mut Reader<'_>) -> Vec<Told> {
    let mut told = Vec::new();
    for _ in 0..reader.count() {
        let span = BudgetSpan::ALL.get(usize::from(reader.byte())).copied();
        reader.require(span.is_some() && told.len() < MOST_TOLD);
        let (period, limit, percent) = (reader.int(), NanoUsd::new(reader.uint()), reader.uint32());
        if !reader.is_sound() {
            break;
        }
        told.extend(span.map(|span| Told { span, period, limit, percent }));
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_kept_until_nothing_that_it_says_counts_any_more() {
        let now = Timestamp::from_millis(HOUR_MS * 1_000 + 1);
        let owed = |subject: &Subject| subject.owed_until(now).as_millis();
        let hour = HOUR_MS * 1_001;
        assert_eq!(owed(&Subject::default()), hour, "nothing: the next whole hour");
        let mut counted = Subject::default();
        counted.bucket(&Kind::Requests, RateConfig::per_minute(1), now);
        assert_eq!(owed(&counted), hour + HOUR_MS * 24, "a burst flows back within a day");
        for span in BudgetSpan::ALL {
            let mut spent = Subject::default();
            spent.books(span).reserve(7, NanoUsd::new(1));
            assert_eq!(owed(&spent), hour + i64::try_from(MONTH.as_millis()).unwrap(), "{span:?}");
        }
    }

    #[test]
    fn a_row_of_another_version_is_refused() {
        let mut writer = Writer::new();
        Subject::default().encode(&mut writer);
        let mut row = writer.finish();
        assert!(Subject::restore(&row).is_ok());
        row[0] = row[0].wrapping_add(1);
        assert!(Subject::restore(&row).is_err());
    }
}
