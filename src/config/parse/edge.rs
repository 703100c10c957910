//! `rates` and `budgets`.

use super::section::{Section, is_name};
use super::thresholds;
use crate::config::edge::ROUTE_NAMES;
use crate::config::{
    BudgetConfig, BudgetRule, BudgetScope, BudgetSpan, EDGE_THRESHOLDS, EdgeConfig, LeaseConfig, NamedRate, RateConfig,
    TargetConfig, TierConfig,
};

const RATE: &str = "must be a whole number from 1 to 1000000000";
const NAME: &str = "must be named by 1 to 64 letters, digits, dots, dashes or underscores";
const MOST: u32 = 1_000_000_000;
/// Tiers, targets or budgets: they are looked through with every request.
const MOST_ENTRIES: usize = 64;

pub(super) fn rates(section: &mut Section<'_>, targets: &[TargetConfig], out: &mut EdgeConfig) {
    section.entries("tiers", |id, section| {
        let known = out.tiers.iter().find(|tier| tier.name == id);
        let requests = rate(section, ["perMinute", "burst"], known.map(|tier| tier.requests), true);
        let tokens = rate(section, ["tokensPerMinute", "tokensBurst"], None, false);
        if !is_name(id) {
            return section.fail("", NAME);
        }
        let tier = TierConfig { name: id.into(), requests: requests.unwrap_or(RateConfig::per_minute(1)), tokens };
        put(&mut out.tiers, tier, |tier| &tier.name);
    });
    section.entries("routes", |id, section| {
        let known = out.routes.iter().find(|route| route.name == id).map(|route| route.rate);
        let rate = rate(section, ["perMinute", "burst"], known, true);
        if !ROUTE_NAMES.contains(&id) {
            return section.fail("", "is none of the routes chat, embeddings, models, status, metrics and other");
        }
        let rate = rate.unwrap_or(RateConfig::per_minute(1));
        put(&mut out.routes, NamedRate { name: id.into(), rate }, |route| &route.name);
    });
    section.entries("targets", |id, section| {
        let rate = rate(section, ["perMinute", "burst"], None, true);
        // Of a name that is none nothing would ever be held back.
        if !targets.iter().any(|target| target.provider == id || target.name == id) {
            return section.fail("", "must be one of `targets`, as `provider/model`, or the provider of one");
        }
        let rate = rate.unwrap_or(RateConfig::per_minute(1));
        put(&mut out.targets, NamedRate { name: id.into(), rate }, |target| &target.name);
    });
    for (name, count) in [("tiers", out.tiers.len()), ("targets", out.targets.len())] {
        if count > MOST_ENTRIES {
            section.fail(name, "must have at most 64 entries");
        }
    }
}

pub(super) fn leases(section: &mut Section<'_>, out: &mut LeaseConfig) {
    out.enabled = true;
    section.flag("enabled", &mut out.enabled);
    section.span("windowMs", &mut out.window, 1);
    section.number("share", &mut out.share, 2, 65_536);
}

/// Puts it in the place of its namesake.
fn put<T>(all: &mut Vec<T>, one: T, name: fn(&T) -> &String) {
    match all.iter_mut().find(|own| name(own) == name(&one)) {
        Some(own) => *own = one,
        None => all.push(one),
    }
}

/// A bucket by its two fields. Without a burst it holds what flows in within a minute.
fn rate(
    section: &mut Section<'_>,
    [per_minute, burst]: [&'static str; 2],
    known: Option<RateConfig>,
    required: bool,
) -> Option<RateConfig> {
    let mut flow = 0;
    section.whole(per_minute, &mut flow, 1, MOST, RATE);
    let flow = if flow > 0 { Some(flow) } else { known.map(|known| known.per_minute) };
    let mut holds = flow.unwrap_or(0);
    section.whole(burst, &mut holds, 1, MOST, RATE);
    if flow.is_none() && (required || holds > 0) {
        section.fail(per_minute, RATE);
    }
    Some(RateConfig { per_minute: flow?, burst: holds })
}

const SCOPES: [(&str, BudgetScope); 3] = [
    (BudgetScope::Organisation.as_str(), BudgetScope::Organisation),
    (BudgetScope::User.as_str(), BudgetScope::User),
    (BudgetScope::Token.as_str(), BudgetScope::Token),
];

const SPANS: [(&str, BudgetSpan); 3] = [
    (BudgetSpan::Day.as_str(), BudgetSpan::Day),
    (BudgetSpan::Week.as_str(), BudgetSpan::Week),
    (BudgetSpan::Month.as_str(), BudgetSpan::Month),
];

pub(super) fn budgets(root: &mut Section<'_>, out: &mut EdgeConfig) {
    let known = |name: &str| out.tiers.iter().any(|tier| tier.name == name);
    let rules = root.list("budgets", |section| {
        let (mut of, mut per) = (None, BudgetSpan::Day);
        let scopes = SCOPES.map(|(name, scope)| (name, Some(scope)));
        section.choice("of", &mut of, &scopes);
        section.choice("per", &mut per, &SPANS);
        let mut cap = BudgetConfig { thresholds: EDGE_THRESHOLDS.into(), ..BudgetConfig::default() };
        if !section.has("limitUsd") {
            section.fail("limitUsd", "must be given");
        }
        section.usd("limitUsd", &mut cap.limit);
        thresholds(section, &mut cap.thresholds);
        let mut rollover = false;
        section.flag("rollover", &mut rollover);
        let tier = section.text("tier", 64);
        if tier.as_deref().is_some_and(|tier| !known(tier)) {
            section.fail("tier", "must be one of `rates.tiers`");
        }
        if of.is_none() && !section.has("of") {
            section.fail("of", "must be 'organisation', 'user' or 'token'");
        }
        Some(BudgetRule { of: of?, per, tier, rollover, cap })
    });
    if rules.as_ref().is_some_and(|rules| rules.len() > MOST_ENTRIES) {
        root.fail("budgets", "must have at most 64 entries");
    }
    out.budgets = rules.unwrap_or_default();
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))] // its JSON reader does not build there
mod tests;
