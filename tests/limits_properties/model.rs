//! What the replies said, and the rules that they are held against.

use std::collections::{BTreeMap, BTreeSet};

use tidegate::config::{BudgetConfig, BudgetRule, BudgetScope, BudgetSpan};
use tidegate::host::ZoneRules;
use tidegate::money::NanoUsd;
use tidegate::time::Timestamp;

/// One book: whose, and of which period.
pub(crate) type Book = (BudgetScope, BudgetSpan, String, i64);

#[derive(Clone)]
pub(crate) struct Live {
    pub(crate) bound: u64,
    pub(crate) books: Vec<Book>,
}

#[derive(Default)]
pub(crate) struct Model {
    pub(crate) live: BTreeMap<u64, Live>,
    /// Everything admitted, and what stands charged for it.
    pub(crate) ended: BTreeMap<u64, (Live, u64)>,
    /// With the cap that it was told for.
    pub(crate) told: BTreeSet<(Book, u32, u64)>,
    pub(crate) ids: Vec<u64>,
}

impl Model {
    /// Nobody's books are these any more.
    pub(crate) fn forget(&mut self, of: BudgetScope, name: &str) {
        let stays = |book: &Book| book.0 != of || book.2 != name;
        for live in self.live.values_mut().chain(self.ended.values_mut().map(|(live, _)| live)) {
            live.books.retain(stays);
        }
        self.told.retain(|(book, ..)| stays(book));
    }

    pub(crate) fn used(&self, book: &Book) -> u64 {
        let held = self.live.values().filter(|live| live.books.contains(book)).map(|live| live.bound).sum::<u64>();
        let spent =
            self.ended.values().filter(|(live, _)| live.books.contains(book)).map(|(_, amount)| amount).sum::<u64>();
        held + spent
    }
}

/// Months by walking them, which the ledger does not.
pub(crate) fn month_of(day: i64) -> i64 {
    let (mut year, mut left) = (1970, day);
    loop {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        for (index, length) in
            [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31].into_iter().enumerate()
        {
            if left < length {
                return year * 12 + i64::try_from(index).unwrap();
            }
            left -= length;
        }
        year += 1;
    }
}

/// All rules that there ever are.
pub(crate) fn rules() -> Vec<BudgetRule> {
    let rule = |of, per, limit| BudgetRule {
        of,
        per,
        tier: None,
        rollover: false,
        cap: BudgetConfig { limit: NanoUsd::new(limit), thresholds: vec![80, 95, 100], ..BudgetConfig::default() },
    };
    vec![
        rule(BudgetScope::User, BudgetSpan::Day, 500),
        rule(BudgetScope::User, BudgetSpan::Month, 1_200),
        BudgetRule { rollover: true, ..rule(BudgetScope::Token, BudgetSpan::Day, 400) },
        rule(BudgetScope::Token, BudgetSpan::Week, 900),
        rule(BudgetScope::Organisation, BudgetSpan::Week, 2_500),
    ]
}

/// Another date, sixteen hours of each day.
pub(crate) const AHEAD: &str = "Ahead";

pub(crate) fn offset_in(zone: &str) -> i64 {
    if zone == AHEAD { 16 * 3_600_000 } else { 0 }
}

pub(crate) struct Zones;

impl ZoneRules for Zones {
    fn offset_at(&self, zone: &str, _: Timestamp) -> Option<i32> {
        i32::try_from(offset_in(zone) / 1_000).ok()
    }
}
