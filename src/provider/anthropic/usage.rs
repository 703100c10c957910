//! Tokens. `input_tokens` leaves out what was read from the cache and what was written to it; a stream
//! states them at its beginning and again at its end, cumulative, and may leave out what did not change.

use super::write::put;
use crate::chat::{Delta, Usage};
use crate::json::{self, Fields, Raw};
use crate::record::push_int;

/// What one answer said so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Tokens {
    /// `None` while nobody said: that is never zero.
    input: Option<u64>,
    read: u64,
    written: u64,
    /// The last split of `written` by how long it is kept.
    minutes: u64,
    hour: u64,
    output: Option<u64>,
    thinking: u64,
}

impl Tokens {
    /// Takes in a `usage` object; nothing if there is none, or as long as input or output are not known.
    pub(super) fn read(&mut self, of: &Fields<'_>) -> Option<Usage> {
        let usage = json::fields(of.field("usage")?.get()).ok()?;
        let group = |name: &str| usage.field(name).and_then(|raw| json::fields(raw.get()).ok()).unwrap_or_default();
        let count = |name: &str| usage.field(name).and_then(json::uint);
        let take = |slot: &mut u64, raw: Option<Raw<'_>>| {
            if let Some(count) = raw.and_then(json::uint) {
                *slot = count;
            }
        };
        self.input = count("input_tokens").or(self.input);
        self.output = count("output_tokens").or(self.output);
        take(&mut self.read, usage.field("cache_read_input_tokens"));
        take(&mut self.written, usage.field("cache_creation_input_tokens"));
        let kept = group("cache_creation");
        take(&mut self.minutes, kept.field("ephemeral_5m_input_tokens"));
        take(&mut self.hour, kept.field("ephemeral_1h_input_tokens"));
        take(&mut self.thinking, group("output_tokens_details").field("thinking_tokens"));
        self.usage()
    }

    fn usage(&self) -> Option<Usage> {
        let (input, output) = (self.input?, self.output?);
        // The end of a stream may state more written tokens than the split at its beginning: who asked for an
        // hour alone gets an hour for all of them.
        let hour = if self.hour > 0 && self.minutes == 0 { self.written } else { self.hour };
        Some(Usage {
            input: input.saturating_add(self.read).saturating_add(self.written),
            cached_input: self.read,
            cache_write: self.written,
            cache_write_1h: hour.min(self.written),
            output,
            reasoning: self.thinking.min(output),
        })
    }
}

/// What inference in the United States costs of a listed price, in percent: a workspace's settings may choose it
/// (platform.claude.com, "Data residency").
const IN_ONE_COUNTRY: u32 = 110;

/// Tells the tokens of a message, or of an event that has usage, as far as they are known.
pub(super) fn tell_usage(tokens: &mut Tokens, of: &Fields<'_>, sink: &mut dyn FnMut(Delta<'_>)) {
    if let Some(usage) = tokens.read(of) {
        sink(Delta::Usage { usage, cost: None });
    }
    let usage = of.field("usage").and_then(|raw| json::fields(raw.get()).ok()).unwrap_or_default();
    if usage.field("inference_geo").is_some_and(|raw| raw.get() == "\"us\"") {
        sink(Delta::Dearer { percent: IN_ONE_COUNTRY });
    }
}

/// Appends a usage object. The API always has one: unknown counts are written as 0.
pub(super) fn push_usage(out: &mut String, usage: &Usage) {
    let uncached = usage.input.saturating_sub(usage.cached_input).saturating_sub(usage.cache_write);
    for (name, count) in [
        ("{\"input_tokens\":", uncached),
        (",\"cache_creation_input_tokens\":", usage.cache_write),
        (",\"cache_read_input_tokens\":", usage.cached_input),
        (",\"cache_creation\":{\"ephemeral_5m_input_tokens\":", usage.cache_write.saturating_sub(usage.cache_write_1h)),
        (",\"ephemeral_1h_input_tokens\":", usage.cache_write_1h),
        ("},\"output_tokens\":", usage.output),
        (",\"output_tokens_details\":{\"thinking_tokens\":", usage.reasoning),
    ] {
        put(out, &[name]);
        push_int(out, count);
    }
    out.push_str("},\"server_tool_use\":null}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(tokens: &mut Tokens, usage: &str) -> Option<Usage> {
        let body = ["{\"usage\":", usage, "}"].concat();
        tokens.read(&json::fields(&body).unwrap())
    }

    #[test]
    fn cached_tokens_are_input_and_the_end_overwrites_the_beginning() {
        let mut tokens = Tokens::default();
        let start = r#"{"input_tokens":2,"cache_creation_input_tokens":30,"cache_read_input_tokens":5,"cache_creation":{"ephemeral_5m_input_tokens":10,"ephemeral_1h_input_tokens":20},"output_tokens":1}"#;
        let expected =
            Usage { input: 37, cached_input: 5, cache_write: 30, cache_write_1h: 20, output: 1, reasoning: 0 };
        assert_eq!(read(&mut tokens, start), Some(expected));
        let end = r#"{"output_tokens":9,"output_tokens_details":{"thinking_tokens":4},"cache_read_input_tokens":null}"#;
        assert_eq!(read(&mut tokens, end), Some(Usage { output: 9, reasoning: 4, ..expected }));
        assert_eq!(read(&mut tokens, r#"{"input_tokens":61,"output_tokens":9}"#).map(|usage| usage.input), Some(96));
    }

    #[test]
    fn all_that_is_written_for_an_hour_stays_so_when_it_grows() {
        let mut tokens = Tokens::default();
        read(
            &mut tokens,
            r#"{"input_tokens":1,"output_tokens":1,"cache_creation_input_tokens":7,"cache_creation":{"ephemeral_1h_input_tokens":7}}"#,
        );
        let grown = read(&mut tokens, r#"{"cache_creation_input_tokens":11}"#).unwrap();
        assert_eq!((grown.cache_write, grown.cache_write_1h), (11, 11));
    }

    const ONLY_OUTPUT: &str = r#"{"output_tokens":9,"cache_read_input_tokens":4}"#;
    const ONLY_INPUT: &str = r#"{"input_tokens":9}"#;

    #[test]
    fn counts_may_come_apart() {
        let mut tokens = Tokens::default();
        assert_eq!(read(&mut tokens, ONLY_INPUT), None);
        let both = read(&mut tokens, ONLY_OUTPUT).unwrap();
        assert_eq!((both.input, both.cached_input, both.output), (13, 4, 9));
    }

    #[test]
    fn what_counts_nothing_is_unknown() {
        for usage in
            ["null", "7", "{}", r#"{"input_tokens":-1}"#, r#"{"service_tier":"standard"}"#, ONLY_OUTPUT, ONLY_INPUT]
        {
            assert_eq!(read(&mut Tokens::default(), usage), None, "{usage}");
        }
    }

    #[test]
    fn what_is_written_reads_the_same() {
        let usage = Usage { input: 50, cached_input: 5, cache_write: 30, cache_write_1h: 20, output: 9, reasoning: 3 };
        let mut out = String::new();
        push_usage(&mut out, &usage);
        assert_eq!(read(&mut Tokens::default(), &out), Some(usage));
    }
}
