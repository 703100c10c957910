//! How many input tokens a request has: likely, and at most.

use super::family::{Family, Overhead};
use super::images::image_bound;
use super::tokens::Features;

/// What a request is made of, as far as its price goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Parts {
    /// All texts: contents, names, tool calls and their results.
    pub features: Features,
    /// Bytes of the JSON of tools and of the response's schema.
    pub schema_bytes: u64,
    /// Messages.
    pub messages: u32,
    /// Tools.
    pub tools: u32,
    /// Images that ask for low detail.
    pub images_low: u32,
    /// All other images.
    pub images_high: u32,
    /// Parts of any other kind (files, audio, video): their price has no known bound.
    pub other: u32,
}

/// The most input tokens that a request can have; `None` if a part has no known bound, which is to be refused.
///
/// Texts count by their bytes, for every tokenizer: byte-level ones provably make no more tokens. The fitted linear
/// bound (`1.05 * U + 8`) held on all its held-out texts, yet a text written for the purpose passes it 200 times
/// (see tools/tokens/README.md), and with it the cap.
#[must_use]
pub fn bound_input(parts: &Parts, provider: &str, model: &str) -> Option<u64> {
    if parts.other > 0 {
        return None;
    }
    let images = if parts.images_low == 0 && parts.images_high == 0 {
        0
    } else {
        let bound = image_bound(provider, model)?;
        product(parts.images_low, bound.low).saturating_add(product(parts.images_high, bound.high))
    };
    let overhead = Family::of(provider, model).most_overhead(model);
    let texts = parts.features.bytes.saturating_add(parts.schema_bytes);
    Some(texts.saturating_add(images).saturating_add(around(parts, overhead)))
}

/// The likely input tokens of a request, for display and for choosing a target; never for the cap.
#[must_use]
pub fn estimate_input(parts: &Parts, provider: &str, model: &str) -> u64 {
    let family = Family::of(provider, model);
    let images = image_bound(provider, model)
        .map_or(0, |bound| product(parts.images_low, bound.low).saturating_add(product(parts.images_high, bound.high)));
    let schema = parts.schema_bytes.saturating_mul(10) / 36; // 3.6 bytes for a token
    let texts = family.estimate(&parts.features).saturating_add(schema);
    texts.saturating_add(images).saturating_add(around(parts, family.expected_overhead(model)))
}

fn around(parts: &Parts, overhead: Overhead) -> u64 {
    let tools = if parts.tools == 0 { 0 } else { u64::from(overhead.tools) };
    u64::from(overhead.base)
        .saturating_add(product(parts.messages, overhead.message))
        .saturating_add(tools)
        .saturating_add(product(parts.tools, overhead.tool))
}

fn product(count: u32, each: u32) -> u64 {
    u64::from(count).saturating_mul(u64::from(each))
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))] // proptest does not build there
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn text(text: &str) -> Parts {
        Parts { features: Features::of(text), messages: 1, ..Parts::default() }
    }

    /// Real o200k counts of texts of many kinds, hostile ones among them.
    #[test]
    fn the_bound_holds_and_the_estimate_is_close() {
        let vectors: Value = serde_json::from_str(include_str!("../../tests/vectors/token_counts.json")).unwrap();
        let vectors = vectors.as_array().unwrap();
        assert!(vectors.len() >= 150);
        let (mut error, mut natural) = (0.0, 0.0);
        for vector in vectors {
            let (kind, content) = (vector[0].as_str().unwrap(), vector[1].as_str().unwrap());
            let real = vector[2].as_u64().unwrap();
            let features = Features::of(content);
            assert!(features.bytes >= real, "{kind}: {content:?}");
            if kind != "hostile" {
                error += (Family::O200k.estimate(&features) as f64 - real as f64).abs() / real as f64;
                natural += 1.0;
            }
        }
        let mape = error / natural;
        assert!(mape < 0.15, "{mape}");
    }

    #[test]
    fn a_part_without_a_bound_has_no_price() {
        let with = |parts: Parts| bound_input(&parts, "groq", "openai/gpt-oss-20b");
        assert!(with(text("hello")).is_some());
        assert_eq!(with(Parts { other: 1, ..text("hello") }), None);
        assert_eq!(with(Parts { images_high: 1, ..text("hello") }), None);
        let seen = bound_input(&Parts { images_high: 2, ..text("hello") }, "openai", "gpt-4o");
        assert_eq!(seen, bound_input(&text("hello"), "openai", "gpt-4o").map(|bound| bound + 2 * 1_445));
    }

    #[test]
    fn messages_and_tools_are_counted() {
        let parts = Parts { messages: 3, tools: 2, schema_bytes: 100, ..text("hello") };
        assert_eq!(bound_input(&parts, "groq", "openai/gpt-oss-20b"), Some(136 + 3 * 12 + 76 + 2 * 24 + 100 + 5));
        assert_eq!(estimate_input(&parts, "groq", "openai/gpt-oss-20b"), 68 + 3 * 4 + 38 + 2 * 9 + 27 + 1);
        let plain = Parts { messages: 3, ..text("hello") };
        assert_eq!(bound_input(&plain, "groq", "openai/gpt-oss-20b"), Some(136 + 3 * 12 + 5), "no tools cost nothing");
        let seen = Parts { images_low: 1, images_high: 2, ..plain };
        let more = estimate_input(&seen, "openai", "gpt-4o") - estimate_input(&plain, "openai", "gpt-4o");
        assert_eq!(
            Some(more),
            bound_input(&seen, "openai", "gpt-4o")
                .zip(bound_input(&plain, "openai", "gpt-4o"))
                .map(|(seen, plain)| seen - plain)
        );
        let most = Parts { features: Features { counts: [u32::MAX; 26], bytes: u64::MAX }, ..parts };
        assert_eq!(bound_input(&most, "groq", "openai/gpt-oss-20b"), Some(u64::MAX));
        assert!(estimate_input(&most, "groq", "openai/gpt-oss-20b") > u64::from(u32::MAX));
    }

    proptest! {
        #[test]
        fn more_text_never_lowers_the_bound(a: String, b: String, messages in 0u32..9, tools in 0u32..9) {
            for model in ["openai/gpt-oss-20b", "qwen/qwen3-32b", "someone/else"] {
                let parts = Parts { messages, tools, ..text(&a) };
                let mut longer = parts;
                longer.features.add(&b);
                let (short, long) = (bound_input(&parts, "openrouter", model), bound_input(&longer, "openrouter", model));
                prop_assert!(long >= short);
                prop_assert!(short >= Some(a.len() as u64));
            }
        }
    }
}
