//! What each target would cost for a request, and whether it can take it.

use std::rc::Rc;

use super::ask::unable;
use super::facts::{Facts, Reach};
use super::gate::Gate;
use crate::config::{GatewayConfig, TargetConfig, UnknownPrice};
use crate::error::{Code, Detail, Error, FieldError};
use crate::money::{NanoUsd, Rate};
use crate::price::{Price, bound_input, estimate_input, hour_of, reserve};
use crate::route::{Candidate, Exclusion};
use crate::time::Timestamp;

/// One target's price for one request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Offer {
    pub(super) price: Price,
    /// Output tokens that are asked for, of each answer.
    pub(super) max_output: u32,
    /// The most an attempt can cost.
    pub(super) bound: NanoUsd,
    /// The prices of input and of output that the bound was made with.
    pub(super) most: (Rate, Rate),
}

/// The offers of all configured targets at `now`, and what the plan needs to know of each.
pub(super) fn offers(gate: &Gate, facts: &Facts, reach: &Reach, now: Timestamp) -> (Vec<Offer>, Vec<Candidate>) {
    let config = &gate.config;
    let flags = reach.keyed.iter().zip(&reach.able);
    let prices = prices(gate, now);
    let each = config.targets.iter().zip(&*prices).zip(flags).map(|((target, price), (keyed, able))| {
        let price = *price;
        // Whoever cannot take the request anyway is not measured.
        let usable = *keyed && *able;
        let input = if usable { bound_input(&facts.parts, &target.provider, &target.model) } else { None };
        let context = price.and_then(|price| price.context);
        let estimate = || estimate_input(&facts.parts, &target.provider, &target.model);
        let candidate = Candidate {
            keyed: *keyed,
            able: *able,
            priced: price.is_some(),
            bounded: input.is_some(),
            // By the estimate: the bound may be several times too high, and the provider knows better.
            fits: !usable || context.is_none_or(|context| estimate() <= u64::from(context)),
            free: price.as_ref().is_some_and(Price::is_free),
        };
        let price = price.unwrap_or_default();
        let asked = facts.max_output.unwrap_or(config.limits.default_max_output_tokens);
        let max_output = price.max_output.map_or(asked, |most| most.min(asked));
        let input = input.unwrap_or(u64::MAX);
        let bound = reserve(&price, input, max_output.into(), facts.choices);
        let worst = price.worst_for(input);
        (Offer { price, max_output, bound, most: (worst.input, worst.output) }, candidate)
    });
    each.unzip()
}

/// What the targets cost, looked up once an hour in the build for speed.
#[derive(Debug)]
pub(super) struct Known {
    /// The hours of the span that they hold for.
    hours: (i64, i64),
    prices: Rc<[Option<Price>]>,
}

/// What OpenAI charges of a listed price, in percent, where it keeps to a region
/// (developers.openai.com/api/docs/guides/data-residency).
const IN_A_REGION: u32 = 110;

/// Whether a target's price is a listed one that the region adds to: that of models since March 2026, of which GPT-5.4 is
/// the first.
fn is_regional(config: &GatewayConfig, target: &TargetConfig) -> bool {
    let newer = target.model.strip_prefix("gpt-").is_some_and(|version| version >= "5.4");
    let own = || config.prices.iter().any(|own| own.provider == target.provider && own.model == target.model);
    newer
        && target.provider == "openai"
        && config.origin(&target.provider).is_some_and(|origin| origin.ends_with(".api.openai.com"))
        && !own()
}

/// The prices of all targets, in their order, for requests of `now`.
pub(super) fn prices(gate: &Gate, now: Timestamp) -> Rc<[Option<Price>]> {
    let config = &gate.config;
    // A price may rise while an attempt runs: the dearer one counts.
    let until = now.after(config.timeouts.total);
    let hours = (hour_of(now), hour_of(until));
    // Where bytes of Wasm count more than time, prices are looked up for each request.
    let keeps = cfg!(feature = "speed");
    let known = &mut gate.state.borrow_mut().prices;
    if keeps && let Some(known) = known.as_ref().filter(|known| known.hours == hours) {
        return known.prices.clone();
    }
    let each = config.targets.iter().map(|target| {
        let known = gate.prices.lookup_until(&target.provider, &target.model, now, until, &config.prices);
        let known = known.map(|price| if is_regional(config, target) { price.percent(IN_A_REGION) } else { price });
        let worst = || (config.unknown_price == UnknownPrice::Worst).then(|| gate.prices.worst(now));
        known.or_else(worst)
    });
    let prices: Rc<[Option<Price>]> = each.collect();
    if keeps {
        *known = Some(Known { hours, prices: prices.clone() });
    }
    prices
}

/// The error when none of the `targets` is left, by what kept the first choice out. `candidates` in the targets' order.
pub(super) fn no_plan(
    exclusion: Exclusion,
    reach: &Reach,
    targets: &[TargetConfig],
    candidates: &[Candidate],
) -> Error {
    match exclusion {
        Exclusion::NoKey if reach.locked => Error::new(Code::VaultLocked),
        Exclusion::NoKey => keyless(reach, targets, candidates),
        Exclusion::Unable => unable(reach.lacking.as_deref()),
        Exclusion::NoPrice => unpriced(targets, candidates),
        Exclusion::Unbounded => {
            let problem = "must not have parts (audio, files, some images) without a known price";
            Error::field(Code::UnpricedInput, "messages", problem)
        }
        Exclusion::TooLong => Error::new(Code::ContextLength),
        Exclusion::PaidAfterFree => Error::field(Code::NoTarget, PAID_AFTER_FREE.0, PAID_AFTER_FREE.1),
    }
}

/// Names each target that a price would let in.
fn unpriced(targets: &[TargetConfig], candidates: &[Candidate]) -> Error {
    let lacks = |candidate: &Candidate| candidate.keyed && candidate.able && !candidate.priced;
    let each = targets.iter().zip(candidates).filter(|(_, candidate)| lacks(candidate)).map(|(target, _)| {
        let problem = ["must give the price of ", &target.name, ", which the built-in table does not have"].concat();
        FieldError { path: "prices".into(), problem: problem.into() }
    });
    Error::new(Code::UnpricedInput).with(Detail::Fields(each.collect()))
}

const PAID_AFTER_FREE: (&str, &str) = ("allowPaidFallback", "must be true to go from a free target to a paid one");

/// Names each provider that a key would let in, and what else would let one in that has a key.
fn keyless(reach: &Reach, targets: &[TargetConfig], candidates: &[Candidate]) -> Error {
    let mut fields: Vec<FieldError> = Vec::new();
    for (target, _) in targets.iter().zip(&reach.keyed).filter(|(_, keyed)| !**keyed) {
        if !fields.iter().any(|field| field.path == target.provider) {
            fields.push(FieldError { path: target.provider.clone(), problem: "has no key".into() });
        }
    }
    if candidates.iter().any(|candidate| candidate.exclusion().is_none()) {
        let (path, problem) = PAID_AFTER_FREE;
        fields.push(FieldError { path: path.into(), problem: problem.into() });
    }
    Error::new(Code::NoTarget).with(Detail::Fields(fields))
}
