//! From raw data to a valid configuration. Parsed, not validated: what comes out cannot be wrong, and
//! what goes in wrong is told whole, every bad field by its path. Unknown fields are refused, since a
//! misspelt limit is no limit.

#[cfg(feature = "edge")]
mod edge;
mod section;

use section::{Section, is_name, whole};

use super::providers::{PROVIDERS, built_in};
use super::{
    BreakerConfig, BudgetConfig, CacheConfig, GatewayConfig, KeySource, LimitConfig, PriceOverride, ProviderConfig,
    Restore, RetryConfig, Screening, TargetConfig, TimeoutConfig, UnknownPrice,
};
use crate::chat::Dialect;
use crate::error::{Code, Detail, Error, FieldError, Result};
use crate::host::ZoneRules;
use crate::time::Timestamp;
use crate::value::Value;

impl GatewayConfig {
    /// Reads the raw configuration.
    ///
    /// # Errors
    /// `config_invalid` with every bad field.
    pub fn parse(raw: &Value, zones: &dyn ZoneRules) -> Result<Self> {
        Self::read(raw, zones, Self::default())
    }

    /// The same for a gateway with many callers, whose `budget` tells more: [`EDGE_THRESHOLDS`](super::EDGE_THRESHOLDS).
    ///
    /// # Errors
    /// `config_invalid` with every bad field.
    #[cfg(feature = "edge")]
    pub fn parse_for_edge(raw: &Value, zones: &dyn ZoneRules) -> Result<Self> {
        let mut config = Self::default();
        config.budget.thresholds = super::EDGE_THRESHOLDS.into();
        Self::read(raw, zones, config)
    }

    /// The same for a gateway that knows no callers, and so could not limit them.
    ///
    /// # Errors
    /// `config_invalid` with every bad field.
    #[cfg(feature = "edge")]
    pub fn parse_alone(raw: &Value, zones: &dyn ZoneRules) -> Result<Self> {
        let parsed = Self::parse(raw, zones);
        let idle = ["rates", "budgets", "leases"].into_iter().filter(|name| {
            matches!(raw, Value::Map(fields) if fields.iter().any(|(key, value)| key == name && *value != Value::Null))
        });
        let mut bad: Vec<FieldError> = idle
            .map(|name| FieldError {
                path: name.into(),
                problem: "is for the Worker: here it would limit nobody".into(),
            })
            .collect();
        match parsed {
            Err(error) => {
                let mut error = *error;
                if let Detail::Fields(fields) = &mut error.detail {
                    fields.append(&mut bad);
                }
                Err(error.into())
            }
            Ok(_) if !bad.is_empty() => Err(Error::new(Code::ConfigInvalid).with(Detail::Fields(bad)).into()),
            Ok(config) => Ok(config),
        }
    }

    fn read(raw: &Value, zones: &dyn ZoneRules, mut config: Self) -> Result<Self> {
        config.version = version(raw, OFFSET_BASIS);
        let mut bad = Vec::new();
        let mut root = Section::open(raw, String::new(), &mut bad);
        root.name("name", &mut config.name);
        root.section("budget", |section| budget(section, &mut config.budget, zones));
        root.section("breaker", |section| breaker(section, &mut config.breaker));
        root.section("retry", |section| retry(section, &mut config.retry));
        root.section("timeouts", |section| timeouts(section, &mut config.timeouts));
        root.section("cache", |section| cache(section, &mut config.cache));
        root.section("limits", |section| limits(section, &mut config.limits));
        #[cfg(feature = "edge")]
        {
            root.section("queue", |section| queue(section, &mut config.queue));
            root.section("leases", |section| edge::leases(section, &mut config.edge.leases));
        }
        root.section("autoLock", |section| {
            section.span("idleMs", &mut config.auto_lock.idle, 0);
            section.span("hiddenMs", &mut config.auto_lock.hidden, 0);
            section.flag("frozen", &mut config.auto_lock.frozen);
        });
        root.entries("providers", |id, section| providers(id, section, &mut config.providers));
        if let Some(targets) = root.list("targets", |section| target(section, &config.providers)) {
            config.targets = targets;
        }
        #[cfg(feature = "edge")]
        {
            root.section("rates", |section| edge::rates(section, &config.targets, &mut config.edge));
            edge::budgets(&mut root, &mut config.edge);
        }
        config.prices = root.list("prices", price).unwrap_or_default();
        root.choice("unknownPrice", &mut config.unknown_price, &UNKNOWN_PRICE);
        root.choice("keys", &mut config.keys, &KEYS);
        root.section("screen", |section| {
            let names = [Screening::Mask, Screening::Refuse, Screening::Warn, Screening::Off];
            let names = names.map(|own| (own.as_str(), own));
            section.choice("secrets", &mut config.screening, &names);
            let names = [Restore::Off, Restore::Text, Restore::All].map(|own| (own.as_str(), own));
            section.choice("restore", &mut config.restore, &names);
            let names = [("off", false), ("warn", true)];
            section.choice("patterns", &mut config.patterns, &names);
        });
        root.flag("reasoningCommits", &mut config.reasoning_commits);
        root.flag("allowPaidFallback", &mut config.allow_paid_fallback);
        root.section("degraded", |section| {
            config.degraded = section.text("message", 10_000);
            if config.degraded.is_none() {
                section.fail("message", "must be the text of the reply");
            }
        });
        // Read by the adapter, which chooses build and host before the gateway starts.
        let mut every = false;
        root.choice("dialects", &mut every, &[("chat", false), ("all", true)]);
        root.allow("ledger");
        root.flag("debug", &mut every);
        root.close();
        // Those that are wrong are named already.
        if config.targets.is_empty() && !bad.iter().any(|one| one.path.starts_with("targets")) {
            bad.push(FieldError { path: "targets".into(), problem: "must list at least one target".into() });
        }
        if bad.is_empty() { Ok(config) } else { Err(Error::new(Code::ConfigInvalid).with(Detail::Fields(bad)).into()) }
    }
}

/// FNV-1a, enough to tell configurations apart; it guards nothing.
const OFFSET_BASIS: u64 = 0xcbf2_9ce4_8422_2325;

fn version(raw: &Value, hash: u64) -> u64 {
    let mix = |hash: u64, bytes: &[u8]| {
        bytes.iter().fold(hash, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
    };
    match raw {
        Value::Null => mix(hash, b"n"),
        Value::Bool(flag) => mix(hash, if *flag { b"t" } else { b"f" }),
        Value::Int(number) => mix(mix(hash, b"i"), &number.to_le_bytes()),
        Value::Float(number) => mix(mix(hash, b"d"), &number.to_bits().to_le_bytes()),
        Value::Text(text) => mix(mix(mix(hash, b"s"), &(text.len() as u64).to_le_bytes()), text.as_bytes()),
        Value::List(items) => mix(items.iter().fold(mix(hash, b"["), |hash, item| version(item, hash)), b"]"),
        Value::Map(fields) => {
            let field = |hash, (key, value): &(String, Value)| version(value, mix(mix(hash, key.as_bytes()), b":"));
            mix(fields.iter().fold(mix(hash, b"{"), field), b"}")
        }
    }
}

const KEYS: [(&str, KeySource); 2] = [("vault", KeySource::Vault), ("passthrough", KeySource::Passthrough)];

const UNKNOWN_PRICE: [(&str, UnknownPrice); 2] = [("refuse", UnknownPrice::Refuse), ("worst", UnknownPrice::Worst)];

fn budget(section: &mut Section<'_>, out: &mut BudgetConfig, zones: &dyn ZoneRules) {
    section.usd("limitUsd", &mut out.limit);
    if let Some(zone) = section.text("timeZone", 64) {
        if zones.offset_at(&zone, Timestamp::EPOCH).is_some() {
            out.time_zone = zone;
        } else {
            section.fail("timeZone", "must be an IANA time zone that this host knows, such as Europe/Berlin");
        }
    }
    let mut hour = u32::from(out.reset_hour);
    section.number("resetHour", &mut hour, 0, 23);
    out.reset_hour = u8::try_from(hour).unwrap_or(0);
    thresholds(section, &mut out.thresholds);
}

fn thresholds(section: &mut Section<'_>, out: &mut Vec<u32>) {
    const PERCENT: &str = "must be ascending whole numbers from 1 to 100";
    let Some(value) = section.take("thresholds") else { return };
    let mut percents: Vec<u32> = match value {
        Value::List(items) => items.iter().filter_map(|item| whole(item, 1, 100)).collect(),
        _ => return section.fail("thresholds", PERCENT),
    };
    let complete = matches!(value, Value::List(items) if items.len() == percents.len());
    let ascending = percents.iter().zip(percents.iter().skip(1)).all(|(a, b)| a < b);
    if complete && ascending {
        // Whatever thresholds are given, reaching the cap is always told.
        if percents.last() != Some(&100) {
            percents.push(100);
        }
        *out = percents;
    } else {
        section.fail("thresholds", PERCENT);
    }
}

fn breaker(section: &mut Section<'_>, out: &mut BreakerConfig) {
    section.number("failures", &mut out.failures, 1, 1_000);
    section.span("openMs", &mut out.open_for, 1);
}

fn retry(section: &mut Section<'_>, out: &mut RetryConfig) {
    section.number("maxRetries", &mut out.max_retries, 0, 10);
    section.span("baseMs", &mut out.base, 0);
    section.span("capMs", &mut out.cap, 0);
    section.span("shortWaitMs", &mut out.short_wait, 0);
    section.number("budgetPercent", &mut out.budget_percent, 0, 100);
    section.number("budgetFloor", &mut out.budget_floor, 0, 10_000);
}

fn timeouts(section: &mut Section<'_>, out: &mut TimeoutConfig) {
    section.span("attemptMs", &mut out.attempt, 1);
    section.span("totalMs", &mut out.total, 1);
    section.span("headersMs", &mut out.headers, 1);
    section.span("firstOutputMs", &mut out.first_output, 1);
    section.span("idleMs", &mut out.idle, 1);
}

fn cache(section: &mut Section<'_>, out: &mut CacheConfig) {
    section.span("ttlMs", &mut out.ttl, 0);
    section.number("maxEntries", &mut out.max_entries, 0, 10_000);
    section.flag("sampled", &mut out.sampled);
    section.flag("toolCalls", &mut out.tool_calls);
    section.flag("fallbackAnswers", &mut out.fallback_answers);
    section.flag("persist", &mut out.persist);
}

fn limits(section: &mut Section<'_>, out: &mut LimitConfig) {
    section.number("maxInputUnits", &mut out.max_input_units, 1, 10_000_000);
    section.number("defaultMaxOutputTokens", &mut out.default_max_output_tokens, 1, 10_000_000);
    section.number("maxConcurrent", &mut out.max_concurrent, 1, 1_000);
}

#[cfg(feature = "edge")]
fn queue(section: &mut Section<'_>, out: &mut super::QueueConfig) {
    section.number("capacity", &mut out.capacity, 1, 100_000);
    section.number("concurrency", &mut out.concurrency, 1, 64);
    section.span("ageingMs", &mut out.ageing, 0);
    section.span("leaseMs", &mut out.lease, 100);
    section.number("maxRetries", &mut out.max_retries, 0, 10);
    section.span("baseMs", &mut out.base, 0);
    section.span("capMs", &mut out.cap, 0);
    section.span("timeoutMs", &mut out.timeout, 1);
    section.span("ttlMs", &mut out.ttl, 0);
    section.number("shards", &mut out.shards, 1, 64);
}

fn providers(id: &str, section: &mut Section<'_>, out: &mut Vec<ProviderConfig>) {
    // Each field is read before anything is refused: what was not looked at would be told as unknown.
    let mut dialect = None;
    section.choice("dialect", &mut dialect, &DIALECTS);
    let given = section.text("baseUrl", 2_048);
    if !is_name(id) {
        return section.fail("", "must be named by letters, digits, dots, dashes or underscores");
    }
    let base_url = match given {
        Some(url) if is_base_url(&url) => Some(url.trim_end_matches('/').into()),
        Some(_) => {
            return section
                .fail("baseUrl", "must be an https URL (http only on this machine) without user, query or fragment");
        }
        None => built_in(id).map(String::from),
    };
    match base_url {
        Some(base_url) => out.push(ProviderConfig { id: id.into(), base_url, dialect }),
        None => section.fail("baseUrl", "must be given"),
    }
}

const DIALECTS: [(&str, Option<Dialect>); 4] = [
    (Dialect::Chat.as_str(), Some(Dialect::Chat)),
    (Dialect::Responses.as_str(), Some(Dialect::Responses)),
    (Dialect::Anthropic.as_str(), Some(Dialect::Anthropic)),
    (Dialect::Google.as_str(), Some(Dialect::Google)),
];

fn target(section: &mut Section<'_>, providers: &[ProviderConfig]) -> Option<TargetConfig> {
    let provider = section.text("provider", 64);
    let model = section.text("model", 256).filter(|model| !model.is_empty() && !model.contains(char::is_control));
    if model.is_none() {
        section.fail("model", "must be the provider's name of a model");
    }
    let known = |id: &str| providers.iter().any(|own| own.id == id) || built_in(id).is_some();
    let relay = section.text("relay", 64);
    if relay.as_deref().is_some_and(|relay| !providers.iter().any(|own| own.id == relay)) {
        section.fail("relay", "must be one of `providers`: a gateway of your own");
    }
    match provider {
        Some(id) if known(&id) => Some(TargetConfig { relay, ..TargetConfig::new(&id, &model?) }),
        _ => {
            let built_in = PROVIDERS.map(|(id, _)| id).join(", ");
            let known = ["must be one of ", &built_in, ", or one that `providers` gives a baseUrl for"].concat();
            section.tell("provider", known.into());
            None
        }
    }
}

fn price(section: &mut Section<'_>) -> Option<PriceOverride> {
    let provider = section.text("provider", 64);
    let model = section.text("model", 256);
    if provider.is_none() {
        section.fail("provider", "must be given");
    }
    if model.is_none() {
        section.fail("model", "must be given");
    }
    let input = section.rate("inputUsd", true);
    let output = section.rate("outputUsd", true);
    let cache_read = section.rate("cacheReadUsd", false);
    let cache_write = section.rate("cacheWriteUsd", false);
    const TOKENS: &str = "must be a whole number of tokens, at least 1";
    let (mut context, mut max_output) = (0, 0);
    section.whole("context", &mut context, 1, u32::MAX, TOKENS);
    section.whole("maxOutput", &mut max_output, 1, u32::MAX, TOKENS);
    let some = |tokens: u32| (tokens > 0).then_some(tokens);
    Some(PriceOverride {
        provider: provider?,
        model: model?,
        input: input?,
        output: output?,
        cache_read,
        cache_write,
        context: some(context),
        max_output: some(max_output),
    })
}

/// `https://host…`, or `http://` on this machine: a key is never sent in the clear over a network.
fn is_base_url(url: &str) -> bool {
    let (secure, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(rest), _) => (true, rest),
        (_, Some(rest)) => (false, rest),
        _ => return false,
    };
    let authority = rest.split('/').next().unwrap_or("");
    let (host, port) = match authority.strip_prefix('[') {
        Some(bracketed) => bracketed.split_once(']').unwrap_or_default(),
        None => authority.split_at_checked(authority.find(':').unwrap_or(authority.len())).unwrap_or_default(),
    };
    // No port, or one that there is: URL parsers refuse others, each with an error of its own, when it is asked.
    let port = port.is_empty()
        || port
            .strip_prefix(':')
            .and_then(|port| port.parse::<u64>().ok().filter(|_| !port.starts_with('+')))
            .is_some_and(|port| port <= 65_535);
    let local = host == "localhost" || host.ends_with(".localhost") || host == "127.0.0.1" || host == "::1";
    let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'@' | b'?' | b'#' | b'\\' | b'"' | b'<' | b'>');
    !host.is_empty() && port && rest.bytes().all(plain) && (secure || local)
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))] // proptest does not build there
mod tests;
