//! The built-in price table.

use std::rc::Rc;
use std::time::Duration;

use super::family::Family;
use super::packed::{Line, Model, When, read};
use super::rates::{MAX_TIERS, Price, Rates, Tier};
use crate::config::PriceOverride;
use crate::time::Timestamp;

const DAY: i64 = 86_400_000;
const HOUR: i64 = 3_600_000;

/// Known prices: read once, then only looked up. Holds nothing of any tenant.
#[derive(Debug)]
pub struct Table {
    /// Sorted by provider and id.
    models: Vec<Model>,
    lines: Vec<Line>,
}

impl Table {
    /// The table that the crate carries. It is read once, and one for all gates: read, it has some 40 KB.
    #[must_use]
    pub fn builtin() -> Rc<Self> {
        thread_local! {
            static BUILTIN: Rc<Table> = {
                let (models, lines) = read(include_str!("table.txt"));
                Table { models, lines }.into()
            };
        }
        BUILTIN.with(Rc::clone)
    }

    /// The price of a model at a moment; `None` if it is not known, which is never the same as free.
    ///
    /// An override of the configuration goes first. OpenRouter's ids that end in `:free` cost nothing, listed or not.
    #[must_use]
    pub fn lookup(&self, provider: &str, model: &str, at: Timestamp, overrides: &[PriceOverride]) -> Option<Price> {
        let mut price = match overrides.iter().find(|own| own.provider == provider && own.model == model) {
            Some(own) => overridden(own),
            None => self.listed(provider, model, at)?,
        };
        if Family::of(provider, model) == Family::Claude {
            price.rates.complete_writes();
            price.tiers.iter_mut().flatten().for_each(|tier| tier.rates.complete_writes());
        }
        Some(price)
    }

    fn listed(&self, provider: &str, model: &str, at: Timestamp) -> Option<Price> {
        let row = self.find(provider, model, false).or_else(|| self.find(provider, without_date(model)?, true));
        if provider == "openrouter" && model.ends_with(":free") {
            return Some(row.map_or_else(Price::default, |row| limits(row, at)));
        }
        self.price(row?, at)
    }

    /// The highest price between two moments, for reserving: a request may start at one price and be billed at
    /// another. Prices change only at full hours, and by the hour they come round within a day.
    #[must_use]
    pub fn lookup_until(
        &self,
        provider: &str,
        model: &str,
        from: Timestamp,
        until: Timestamp,
        overrides: &[PriceOverride],
    ) -> Option<Price> {
        let mut price = self.lookup(provider, model, from, overrides)?;
        let mut dearer = |at| {
            if let Some(other) = self.lookup(provider, model, at, overrides) {
                price = price.max(&other);
            }
        };
        if hour_of(from) != hour_of(until) {
            let between = (1..24).map(|hour| from.after(Duration::from_secs(u64::saturating_mul(hour, 3_600))));
            between.take_while(|at| hour_of(*at) < hour_of(until)).for_each(&mut dearer);
            dearer(until);
        }
        Some(price)
    }

    /// The worst price of the whole table: each kind of token at its highest price among models still served.
    #[must_use]
    pub fn worst(&self, at: Timestamp) -> Price {
        let prices = self.models.iter().filter_map(|row| self.price(row, at)).filter(|price| !price.retired);
        let rates = prices.fold(Rates::default(), |worst, price| worst.max(&price.worst_for(u64::MAX)));
        Price { rates, ..Price::default() }
    }

    fn find(&self, provider: &str, id: &str, dated: bool) -> Option<&Model> {
        let order = |row: &Model| row.provider.cmp(provider).then_with(|| row.id.cmp(id));
        let index = self.models.binary_search_by(order).ok()?;
        self.models.get(index).filter(|row| row.dated || !dated)
    }

    fn price(&self, row: &Model, at: Timestamp) -> Option<Price> {
        let day = day_of(at);
        let hour = u32::try_from(at.as_millis().rem_euclid(DAY) / HOUR).unwrap_or(0);
        let mut price = limits(row, at);
        let (mut found, mut current) = (false, false);
        for line in self.lines.get(row.lines.0..row.lines.1)? {
            let applies = match line.when {
                When::Always => true,
                When::From(first) => day >= i64::from(first),
                When::Hours(mask) => mask.checked_shr(hour).unwrap_or(0) & 1 == 1,
                When::Above(above) => {
                    let free = price.tiers.iter_mut().find(|tier| tier.is_none());
                    if let (true, Some(free)) = (current, free) {
                        *free = Some(Tier { above, rates: line.rates });
                    }
                    continue;
                }
            };
            current = applies;
            if applies {
                (price.rates, price.tiers, found) = (line.rates, [None; MAX_TIERS], true);
            }
        }
        found.then_some(price)
    }
}

/// What is known of a model besides its price.
fn limits(row: &Model, at: Timestamp) -> Price {
    Price {
        context: row.context,
        max_output: row.max_output,
        retired: row.retired_on.is_some_and(|last| day_of(at) >= i64::from(last)),
        ..Price::default()
    }
}

/// The hour since 1970: prices change only at full hours, so all that is asked of a table within one is the same.
#[must_use]
pub const fn hour_of(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(HOUR)
}

fn day_of(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(DAY)
}

fn overridden(own: &PriceOverride) -> Price {
    let rates = Rates {
        input: own.input,
        output: own.output,
        cache_read: own.cache_read,
        cache_write: own.cache_write,
        cache_write_1h: None,
    };
    Price { rates, context: own.context, max_output: own.max_output, ..Price::default() }
}

/// The id before a trailing `-2025-08-07` or `-20250807`.
fn without_date(model: &str) -> Option<&str> {
    ["-dddd-dd-dd", "-dddddddd"].iter().find_map(|shape| {
        let (id, date) = model.split_at_checked(model.len().checked_sub(shape.len())?)?;
        let fits = date.bytes().zip(shape.bytes()).all(|(byte, wanted)| match wanted {
            b'd' => byte.is_ascii_digit(),
            other => byte == other,
        });
        (fits && !id.is_empty()).then_some(id)
    })
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "small numbers of tests")]
mod tests;
