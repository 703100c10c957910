//! What a model's tokens cost, and how that depends on the length of the input.

use crate::money::Rate;

/// Most tiers above the base price that a model has.
pub const MAX_TIERS: usize = 2;

/// Prices of a million tokens of each kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Rates {
    /// Input.
    pub input: Rate,
    /// Output, reasoning included.
    pub output: Rate,
    /// Input read from the provider's cache; the input rate if absent.
    pub cache_read: Option<Rate>,
    /// Input written to the provider's cache; the input rate if absent.
    pub cache_write: Option<Rate>,
    /// Input written to be kept for an hour; the rate of a plain write if absent.
    pub cache_write_1h: Option<Rate>,
}

impl Rates {
    /// The highest price that one token of input can have.
    #[must_use]
    pub fn worst_input(&self) -> Rate {
        self.input.max(self.read()).max(self.write()).max(self.write_1h())
    }

    /// Input read from the cache.
    #[must_use]
    pub fn read(&self) -> Rate {
        self.cache_read.unwrap_or(self.input)
    }

    /// Input written to the cache.
    #[must_use]
    pub fn write(&self) -> Rate {
        self.cache_write.unwrap_or(self.input)
    }

    /// Input written to the cache for an hour.
    #[must_use]
    pub fn write_1h(&self) -> Rate {
        self.cache_write_1h.unwrap_or_else(|| self.write())
    }

    /// Fills in what writing to Anthropic's cache costs, where nobody said: 1.25 times the input, twice the input for an
    /// hour (platform.claude.com, "Prompt caching"). Whoever may be charged it writes by a mark in the request.
    pub(super) fn complete_writes(&mut self) {
        self.cache_write.get_or_insert(self.input.percent(125));
        self.cache_write_1h.get_or_insert(self.input.percent(200).max(self.write()));
    }

    /// This many hundredths of each price, rounded up.
    #[must_use]
    pub fn percent(&self, percent: u32) -> Self {
        let part = |rate: Rate| rate.percent(percent);
        Self {
            input: part(self.input),
            output: part(self.output),
            cache_read: self.cache_read.map(part),
            cache_write: self.cache_write.map(part),
            cache_write_1h: self.cache_write_1h.map(part),
        }
    }

    /// The higher of both, kind by kind.
    #[must_use]
    pub fn max(&self, other: &Self) -> Self {
        Self {
            input: self.input.max(other.input),
            output: self.output.max(other.output),
            cache_read: Some(self.read().max(other.read())),
            cache_write: Some(self.write().max(other.write())),
            cache_write_1h: Some(self.write_1h().max(other.write_1h())),
        }
    }
}

/// Other prices for long inputs. A cliff: past it *all* tokens of the request cost these.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tier {
    /// Applies to requests with more input tokens than this.
    pub above: u64,
    /// The prices there.
    pub rates: Rates,
}

/// The price of one model at one moment, and its limits where known.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Price {
    /// Prices of requests that reach no tier.
    pub rates: Rates,
    /// Prices of longer requests, ascending.
    pub tiers: [Option<Tier>; MAX_TIERS],
    /// Tokens of context.
    pub context: Option<u32>,
    /// Most output tokens of one answer.
    pub max_output: Option<u32>,
    /// The provider has stopped serving the model.
    pub retired: bool,
}

impl Price {
    /// Whether a short request costs nothing.
    #[must_use]
    pub fn is_free(&self) -> bool {
        let rates = self.rates_for(0);
        rates.worst_input() == Rate::FREE && rates.output == Rate::FREE
    }

    /// The prices of a request with this many input tokens.
    #[must_use]
    pub fn rates_for(&self, input: u64) -> Rates {
        self.reached(input).last().copied().unwrap_or(self.rates)
    }

    /// The highest prices of a request with up to this many input tokens.
    #[must_use]
    pub fn worst_for(&self, input: u64) -> Rates {
        self.reached(input).fold(self.rates, |worst, rates| worst.max(rates))
    }

    fn reached(&self, input: u64) -> impl Iterator<Item = &Rates> {
        self.tiers.iter().flatten().filter(move |tier| input > tier.above).map(|tier| &tier.rates)
    }

    /// This many hundredths of each price, whatever the length.
    #[must_use]
    pub fn percent(&self, percent: u32) -> Self {
        let tiers = self.tiers.map(|tier| tier.map(|tier| Tier { rates: tier.rates.percent(percent), ..tier }));
        Self { rates: self.rates.percent(percent), tiers, ..*self }
    }

    /// The higher of both: for a request that starts under one price and may end under the other.
    #[must_use]
    pub fn max(&self, other: &Self) -> Self {
        let mut tiers = self.tiers;
        for (own, theirs) in tiers.iter_mut().zip(&other.tiers) {
            *own = match (*own, *theirs) {
                (Some(a), Some(b)) => Some(Tier { above: a.above.min(b.above), rates: a.rates.max(&b.rates) }),
                (one, None) | (None, one) => one,
            };
        }
        // A tier that only one of them has must not be cheaper than the other's base.
        let rates = self.rates.max(&other.rates);
        for tier in tiers.iter_mut().flatten() {
            tier.rates = tier.rates.max(&rates);
        }
        Self { rates, tiers, ..*self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(input: u64, output: u64) -> Rates {
        Rates { input: Rate::per_million(input), output: Rate::per_million(output), ..Rates::default() }
    }

    #[test]
    fn a_tier_is_a_cliff_that_begins_above_its_bound() {
        let tiers =
            [Some(Tier { above: 32_000, rates: rates(2, 20) }), Some(Tier { above: 128_000, rates: rates(1, 30) })];
        let price = Price { rates: rates(1, 10), tiers, ..Price::default() };
        assert_eq!(price.rates_for(32_000), rates(1, 10));
        assert_eq!(price.rates_for(32_001), rates(2, 20));
        assert_eq!(price.rates_for(128_001), rates(1, 30));
        let worst = price.worst_for(u64::MAX);
        assert_eq!((worst.input, worst.output), (Rate::per_million(2), Rate::per_million(30)));
    }

    #[test]
    fn free_is_what_costs_nothing_in_nor_out() {
        let free = |rates| Price { rates, ..Price::default() }.is_free();
        let dear = rates(0, 1).output;
        assert!(free(rates(0, 0)));
        for own in [rates(1, 0), rates(0, 1), Rates { cache_write: Some(dear), ..rates(0, 0) }] {
            assert!(!free(own), "{own:?}");
        }
    }

    #[test]
    fn the_worst_input_is_the_dearest_kind() {
        let (cheap, dear) = (rates(1, 10), Some(rates(7, 7).input));
        for own in [
            rates(7, 10),
            Rates { cache_read: dear, ..cheap },
            Rates { cache_write: dear, cache_write_1h: Some(cheap.input), ..cheap },
            Rates { cache_write_1h: dear, ..cheap },
        ] {
            assert_eq!(Some(own.worst_input()), dear, "{own:?}");
            for both in [own.max(&cheap), cheap.max(&own)] {
                assert_eq!(Some(both.worst_input()), dear, "{own:?}");
            }
        }
    }

    #[test]
    fn the_higher_of_two_prices_is_at_least_each_of_them() {
        let tier = Some(Tier { above: 100, rates: rates(3, 3) });
        let low = Price { rates: rates(1, 1), tiers: [tier, None], ..Price::default() };
        let high = Price { rates: rates(5, 5), ..Price::default() };
        for both in [low.max(&high), high.max(&low)] {
            for input in [0, 101] {
                assert!(both.rates_for(input).input >= rates(5, 5).input, "{input}");
            }
        }
        let dearer = Price { tiers: [Some(Tier { above: 50, rates: rates(9, 9) }), None], ..high };
        for both in [low.max(&dearer), dearer.max(&low), high.max(&dearer), dearer.max(&high)] {
            assert_eq!(both.rates_for(51).input, rates(9, 9).input, "the tier of either, from where it begins");
        }
    }
}
