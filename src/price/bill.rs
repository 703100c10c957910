//! Money from tokens: what to reserve before a request, and what it cost after.

use super::rates::Price;
use crate::chat::Usage;
use crate::money::NanoUsd;

/// The most that a request can cost: every input token at the dearest price it can have (caching may charge more
/// than plain input) in the dearest tier that the bound reaches, and `choices` answers of full length.
#[must_use]
pub fn reserve(price: &Price, input_bound: u64, max_output: u64, choices: u32) -> NanoUsd {
    let rates = price.worst_for(input_bound);
    let output = max_output.saturating_mul(u64::from(choices));
    let input = rates.worst_input().cost(input_bound);
    // Each of a bill's four kinds of input is rounded up for itself: three nano-dollars more than here at most.
    let rounding = if input == NanoUsd::ZERO { NanoUsd::ZERO } else { NanoUsd::new(3) };
    input.saturating_add(rounding).saturating_add(rates.output.cost(output))
}

/// What the usage costs. Parts that exceed their whole count as the whole: nothing is billed twice.
#[must_use]
pub fn cost(price: &Price, usage: &Usage) -> NanoUsd {
    let rates = price.rates_for(usage.input);
    let read = usage.cached_input.min(usage.input);
    let write = usage.cache_write.min(usage.input.saturating_sub(read));
    let long = usage.cache_write_1h.min(write);
    let plain = usage.input.saturating_sub(read).saturating_sub(write);
    [
        rates.input.cost(plain),
        rates.read().cost(read),
        rates.write().cost(write.saturating_sub(long)),
        rates.write_1h().cost(long),
        rates.output.cost(usage.output),
    ]
    .into_iter()
    .fold(NanoUsd::ZERO, NanoUsd::saturating_add)
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))] // proptest does not build there
#[expect(clippy::arithmetic_side_effects, reason = "small numbers of tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::money::Rate;
    use crate::price::{Rates, Tier};

    fn gpt_oss() -> Price {
        let rates = Rates {
            input: Rate::per_million(75_000_000),
            output: Rate::per_million(300_000_000),
            cache_read: Some(Rate::per_million(37_500_000)),
            ..Rates::default()
        };
        Price { rates, ..Price::default() }
    }

    #[test]
    fn a_thousand_in_and_five_hundred_out() {
        let usage = Usage { input: 1_000, output: 500, reasoning: 200, ..Usage::default() };
        assert_eq!(cost(&gpt_oss(), &usage), NanoUsd::new(225_000), "reasoning is part of the output");
        assert_eq!(reserve(&gpt_oss(), 1_000, 500, 1), NanoUsd::new(225_003));
        assert_eq!(reserve(&gpt_oss(), 1_000, 500, 3), NanoUsd::new(525_003));
    }

    #[test]
    fn a_free_model_needs_no_room_in_the_budget() {
        assert_eq!(reserve(&Price::default(), u64::MAX, u64::MAX, 9), NanoUsd::ZERO);
    }

    #[test]
    fn cached_input_is_billed_once_at_its_own_price() {
        let usage = Usage { input: 1_000, cached_input: 800, ..Usage::default() };
        assert_eq!(cost(&gpt_oss(), &usage), NanoUsd::new(15_000 + 30_000));
        let without = Price { rates: Rates { cache_read: None, ..gpt_oss().rates }, ..gpt_oss() };
        assert_eq!(cost(&without, &usage), NanoUsd::new(75_000), "no price of its own: the input's");
        let more = Usage { cached_input: 5_000, cache_write: 5_000, ..usage };
        assert_eq!(cost(&gpt_oss(), &more), NanoUsd::new(37_500), "a part is never more than its whole");
    }

    #[test]
    fn writes_to_the_cache_cost_more_than_input() {
        let rates = Rates {
            input: Rate::per_million(1_000_000),
            cache_write: Some(Rate::per_million(1_250_000)),
            cache_write_1h: Some(Rate::per_million(2_000_000)),
            ..Rates::default()
        };
        let price = Price { rates, ..Price::default() };
        let usage = Usage { input: 1_000, cache_write: 600, cache_write_1h: 200, ..Usage::default() };
        assert_eq!(cost(&price, &usage), NanoUsd::new(400 + 500 + 400));
        assert_eq!(reserve(&price, 1_000, 0, 1), NanoUsd::new(2_003));
    }

    fn rate() -> impl Strategy<Value = Rate> {
        (0u64..1_000_000_000_000).prop_map(Rate::per_million)
    }

    prop_compose! {
        fn rates()(input in rate(), output in rate(), rest in proptest::array::uniform3(proptest::option::of(rate())))
            -> Rates {
            Rates { input, output, cache_read: rest[0], cache_write: rest[1], cache_write_1h: rest[2] }
        }
    }

    proptest! {
        /// The cap rests on this: whatever a provider reports within the bounds was reserved.
        #[test]
        fn no_usage_within_the_bounds_costs_more_than_its_reserve(
            base in rates(),
            tiers in proptest::array::uniform2(proptest::option::of((0u64..100_000, rates()))),
            bound in 0u64..200_000, max_output in 0u64..200_000, choices in 1u32..5,
            parts in proptest::array::uniform5(0u64..=100),
        ) {
            let tiers = tiers.map(|tier| tier.map(|(above, rates)| Tier { above, rates }));
            let price = Price { rates: base, tiers, ..Price::default() };
            let input = bound * parts[0] / 100;
            let usage = Usage {
                input,
                cached_input: input * parts[1] / 100,
                cache_write: input * parts[2] / 100,
                cache_write_1h: input * parts[3] / 100,
                output: max_output * u64::from(choices) * parts[4] / 100,
                reasoning: 0,
            };
            prop_assert!(cost(&price, &usage) <= reserve(&price, bound, max_output, choices));
        }

        #[test]
        fn no_number_overflows(price in rates(), n: u64, m: u64, choices: u32) {
            let price = Price { rates: price, ..Price::default() };
            let usage = Usage { input: n, cached_input: m, cache_write: n, cache_write_1h: m, output: m, reasoning: n };
            let _ = (cost(&price, &usage), reserve(&price, n, m, choices));
        }
    }
}
