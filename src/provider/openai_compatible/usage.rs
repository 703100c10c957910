//! Tokens and what they cost, as each provider writes them.

use crate::chat::{Delta, Usage};
use crate::json::{self, Fields};
use crate::money::NanoUsd;
use crate::provider::catalogue::quirks;
use crate::record::push_int;

/// Usage, wherever this provider puts it. One that cannot be read is an unknown one: the answer stands, and
/// its bound is charged.
pub(super) fn usage(fields: &Fields<'_>, provider: &str, sink: &mut dyn FnMut(Delta<'_>)) {
    let nested = |group: &str| {
        let group = json::fields(fields.field(group)?.get()).ok()?;
        group.field("usage").filter(|raw| raw.get() != "null")
    };
    // Groq has both `usage` and `x_groq.usage` at times: one of them counts.
    let Some(raw) = fields.field("usage").filter(|raw| raw.get() != "null").or_else(|| nested("x_groq")) else {
        return;
    };
    let own = json::fields(raw.get()).unwrap_or_default();
    let cost = charged(&own, provider);
    if let Some(usage) = read_usage(&own, provider) {
        sink(Delta::Usage { usage, cost });
        tier(fields, sink);
    }
}

/// The dearest that the tiers `priority` and `fast` cost of a listed price, in percent (openai.com/api/pricing: 170 to 250
/// by model), and what `ultrafast` costs.
const PRIORITY: u32 = 250;
const ULTRAFAST: u32 = 600;

/// Tells a tier that costs more: a project's settings may choose it for requests that name none.
pub(in crate::provider) fn tier(fields: &Fields<'_>, sink: &mut dyn FnMut(Delta<'_>)) {
    let percent = match fields.field("service_tier").map_or("", |raw| raw.get()) {
        "\"priority\"" | "\"fast\"" => PRIORITY,
        "\"ultrafast\"" => ULTRAFAST,
        _ => return,
    };
    sink(Delta::Dearer { percent });
}

/// What the provider says that it charged, if what it says counts. Null or absent is unknown, 0 is a real zero.
///
/// Where OpenRouter asked with a key of the caller's own (`is_byok`), `cost` is its fee alone, and the provider's bill
/// stands beside it (openrouter.ai/docs/use-cases/usage-accounting#cost-breakdown). Without such a key that field
/// repeats `cost`. xAI tells it in ticks, of which a dollar has ten billion (docs.x.ai/developers/cost-tracking).
pub(in crate::provider) fn charged(usage: &Fields<'_>, provider: &str) -> Option<NanoUsd> {
    if provider == "xai" {
        return NanoUsd::parse_usd(&[usage.field("cost_in_usd_ticks")?.get(), "e-10"].concat());
    }
    let cost = usage.field("cost").filter(|_| quirks(provider).reports_cost)?;
    let cost = NanoUsd::parse_usd(cost.get())?;
    if usage.field("is_byok").is_none_or(|own| own.get() != "true") {
        return Some(cost);
    }
    let details = json::fields(usage.field("cost_details")?.get()).ok()?;
    let upstream = NanoUsd::parse_usd(details.field("upstream_inference_cost")?.get())?;
    Some(cost.saturating_add(upstream))
}

/// Opens the count of what was written to a cache, inside the details of the input.
pub(in crate::provider) const CACHE_WRITE: &str = ",\"cache_write_tokens\":";

fn read_usage(usage: &Fields<'_>, provider: &str) -> Option<Usage> {
    let count = |name: &str| usage.field(name).and_then(json::uint);
    let detail = |group: &str, name: &str| {
        let group = usage.field(group).and_then(|raw| json::fields(raw.get()).ok());
        group.as_ref().and_then(|group| group.field(name)).and_then(json::uint)
    };
    let input = count("prompt_tokens")?;
    let output = count("completion_tokens")?;
    let cached = detail("prompt_tokens_details", "cached_tokens").or_else(|| count("prompt_cache_hit_tokens"));
    let reasoning = detail("completion_tokens_details", "reasoning_tokens").unwrap_or(0);
    // Most count reasoning inside the completion. What is more than its whole stands beside it, unless the total says that
    // nothing does.
    let whole = count("total_tokens") == input.checked_add(output);
    let beside = quirks(provider).reasoning_beside && !whole;
    let mut output = if beside || reasoning > output { output.saturating_add(reasoning) } else { output };
    if beside {
        // Gemini's compatible API names its thoughts nowhere but in the total.
        output = output.max(count("total_tokens").unwrap_or(0).saturating_sub(input));
    }
    Some(Usage {
        input,
        cached_input: cached.unwrap_or(0).min(input),
        cache_write: detail("prompt_tokens_details", "cache_write_tokens").unwrap_or(0).min(input),
        cache_write_1h: 0,
        output,
        reasoning: reasoning.min(output),
    })
}

/// Appends a usage object. What was written to a provider's cache stands where OpenRouter tells it, if there was any.
pub(super) fn push_usage(out: &mut String, usage: &Usage) {
    let total = usage.input.saturating_add(usage.output);
    for (name, count) in [
        ("{\"prompt_tokens\":", usage.input),
        (",\"completion_tokens\":", usage.output),
        (",\"total_tokens\":", total),
        (",\"prompt_tokens_details\":{\"cached_tokens\":", usage.cached_input),
        (CACHE_WRITE, usage.cache_write),
        ("},\"completion_tokens_details\":{\"reasoning_tokens\":", usage.reasoning),
    ] {
        if count > 0 || name != CACHE_WRITE {
            out.push_str(name);
            push_int(out, count);
        }
    }
    out.push_str("}}");
}

#[cfg(test)]
mod tests {
    use super::super::answer::tests::read;
    use super::*;

    #[test]
    fn usage_and_cost_are_read_as_each_provider_writes_them() {
        let choice = r#""choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"x"}}]"#;
        let read = |usage: &str, provider: &str| read(&format!("{{{choice},{usage}}}"), provider).unwrap();
        let openai = read(
            r#""usage":{"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":3},"cost":9}"#,
            "openai",
        );
        assert_eq!(
            openai.usage,
            Some(Usage { input: 10, cached_input: 4, cache_write: 0, cache_write_1h: 0, output: 5, reasoning: 3 })
        );
        assert_eq!(openai.cost, None, "only OpenRouter's cost is what it charges");
        let router = read(r#""usage":{"prompt_tokens":1,"completion_tokens":2,"cost":0.00014}"#, "openrouter");
        assert_eq!(router.cost, Some(NanoUsd::new(140_000)));
        assert_eq!(
            read(r#""usage":{"prompt_tokens":1,"completion_tokens":2,"cost":0}"#, "openrouter").cost,
            Some(NanoUsd::ZERO)
        );
        assert_eq!(read(r#""usage":{"prompt_tokens":1,"completion_tokens":2,"cost":null}"#, "openrouter").cost, None);
        let byok = |more: &str| {
            let usage = format!(r#""usage":{{"prompt_tokens":1,"completion_tokens":2,"cost":0.001,{more}}}"#);
            read(&usage, "openrouter").cost.map(NanoUsd::as_nano)
        };
        let details = r#""cost_details":{"upstream_inference_cost":0.019}"#;
        assert_eq!(byok(&format!(r#""is_byok":true,{details}"#)), Some(20_000_000), "a fee, and the provider's bill");
        assert_eq!(byok(&format!(r#""is_byok":false,{details}"#)), Some(1_000_000));
        assert_eq!(byok(details), Some(1_000_000));
        for unknown in ["", r#","cost_details":null"#, r#","cost_details":{"upstream_inference_cost":null}"#] {
            assert_eq!(byok(&format!(r#""is_byok":true{unknown}"#)), None, "the bill is not known: {unknown}");
        }
        let hits = r#""usage":{"prompt_tokens":10,"completion_tokens":2,"prompt_cache_hit_tokens":6}"#;
        assert_eq!(read(hits, "deepseek").usage.map(|usage| usage.cached_input), Some(6));
        let groq = read(r#""usage":null,"x_groq":{"usage":{"prompt_tokens":3,"completion_tokens":4}}"#, "groq");
        assert_eq!(groq.usage.map(|usage| (usage.input, usage.output)), Some((3, 4)));
        let beside =
            r#""usage":{"prompt_tokens":1,"completion_tokens":2,"completion_tokens_details":{"reasoning_tokens":7}}"#;
        assert_eq!(read(beside, "xai").usage.map(|usage| (usage.output, usage.reasoning)), Some((9, 7)));
        let inside =
            r#""usage":{"prompt_tokens":1,"completion_tokens":9,"completion_tokens_details":{"reasoning_tokens":7}}"#;
        assert_eq!(read(inside, "xai").usage.map(|usage| usage.output), Some(16), "beside, also if it is less");
        assert_eq!(read(inside, "openai").usage.map(|usage| usage.output), Some(9));
        let total = inside.replace("\"completion_tokens\":9", "\"completion_tokens\":9,\"total_tokens\":10");
        assert_eq!(read(&total, "xai").usage.map(|usage| usage.output), Some(9), "the total has no room for more");
        let ticks = |ticks: &str, provider: &str| {
            let usage = format!(r#""usage":{{"prompt_tokens":12,"completion_tokens":2,"cost_in_usd_ticks":{ticks}}}"#);
            read(&usage, provider).cost.map(NanoUsd::as_nano)
        };
        assert_eq!(ticks("1721250", "xai"), Some(172_125));
        assert_eq!((ticks("1", "xai"), ticks("0", "xai")), (Some(1), Some(0)), "never less than it says");
        for unknown in ["null", "-1", "\"9\"", "1e5"] {
            assert_eq!(ticks(unknown, "xai"), None, "{unknown}");
        }
        assert_eq!(ticks("1721250", "openai"), None, "only xAI's ticks are what it charges");
        let gateway =
            r#""usage":{"prompt_tokens":1,"completion_tokens":2,"completion_tokens_details":{"reasoning_tokens":7}}"#;
        assert_eq!(read(gateway, "mine").usage.map(|usage| usage.output), Some(9), "more than its whole");
        let thoughts = r#""usage":{"prompt_tokens":20,"completion_tokens":198,"total_tokens":623}"#;
        assert_eq!(read(thoughts, "google").usage.map(|usage| usage.output), Some(603));
        assert_eq!(read(thoughts, "openai").usage.map(|usage| usage.output), Some(198), "a total is no count");
        for unknown in [r#""object":"x""#, r#""usage":7"#, r#""usage":{"prompt_tokens":-1,"completion_tokens":2}"#] {
            assert_eq!(read(unknown, "groq").usage, None);
        }
    }
}
