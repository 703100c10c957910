//! Which requests may read the cache, and which answers may be kept.

use std::time::Duration;

use crate::config::CacheConfig;

/// What one request asks of the cache. By default it reads and writes with the configured time to live.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Controls {
    /// Do not look for a kept answer.
    pub skip_read: bool,
    /// Do not keep the answer. Goes before `refresh`.
    pub skip_write: bool,
    /// Ask anew, and let the answer replace a kept one.
    pub refresh: bool,
    /// How long the answer serves, in place of the configured time; zero keeps nothing. It does not
    /// shorten or prolong the life of an answer that is kept already.
    pub ttl: Option<Duration>,
    /// Divides the tenant's entries; goes into [`Scope`](super::Scope).
    pub namespace: Option<String>,
}

impl Controls {
    /// May the request be answered from the cache?
    #[must_use]
    pub const fn may_read(&self, config: &CacheConfig) -> bool {
        !config.ttl.is_zero() && !self.skip_read && !self.refresh
    }

    /// How long its answer serves. Zero if the cache is off, whatever the request asks for.
    #[must_use]
    pub fn ttl(&self, config: &CacheConfig) -> Duration {
        if config.ttl.is_zero() { Duration::ZERO } else { self.ttl.unwrap_or(config.ttl) }
    }
}

/// What [`may_store`] needs to know of an answer and its request.
#[derive(Clone, Copy, Debug)]
pub struct AnswerFacts {
    /// It arrived whole, and every choice ended by itself (`stop`) or by calling a tool. Choices that ended
    /// by `length`, `content_filter` or anything else are answers too short.
    pub is_complete: bool,
    /// A choice calls a tool.
    pub calls_tools: bool,
    /// It is an error, or carries one.
    pub is_error: bool,
    /// Another than the first target answered.
    pub by_fallback: bool,
    /// The request's temperature is not zero, or not stated: providers then sample.
    pub is_sampled: bool,
}

/// May this answer be kept?
///
/// Never: an error, a cut answer. Tool calls, sampled answers and a fallback's answers are kept as the
/// configuration says.
#[must_use]
pub fn may_store(answer: &AnswerFacts, config: &CacheConfig, controls: &Controls) -> bool {
    !controls.skip_write
        && !controls.ttl(config).is_zero()
        && !answer.is_error
        && answer.is_complete
        && (config.tool_calls || !answer.calls_tools)
        && (config.fallback_answers || !answer.by_fallback)
        && (config.sampled || !answer.is_sampled)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: AnswerFacts =
        AnswerFacts { calls_tools: false, is_error: false, is_complete: true, by_fallback: false, is_sampled: false };

    fn kept(answer: AnswerFacts, change: impl Fn(&mut CacheConfig, &mut Controls)) -> bool {
        let (mut config, mut controls) = (CacheConfig::default(), Controls::default());
        change(&mut config, &mut controls);
        may_store(&answer, &config, &controls)
    }

    #[test]
    fn a_whole_good_answer_is_kept() {
        assert!(kept(GOOD, |_, _| ()));
        assert!(kept(GOOD, |_, controls| controls.refresh = true));
        assert!(kept(GOOD, |_, controls| controls.skip_read = true));
    }

    #[test]
    fn errors_and_cut_answers_never_are() {
        let everything = |config: &mut CacheConfig, _: &mut Controls| {
            config.tool_calls = true;
            config.fallback_answers = true;
        };
        assert!(!kept(AnswerFacts { is_error: true, ..GOOD }, everything));
        assert!(!kept(AnswerFacts { is_complete: false, ..GOOD }, everything));
    }

    #[test]
    fn what_the_configuration_decides() {
        let calls = AnswerFacts { calls_tools: true, ..GOOD };
        assert!(!kept(calls, |_, _| ()));
        assert!(kept(calls, |config, _| config.tool_calls = true));
        let fallback = AnswerFacts { by_fallback: true, ..GOOD };
        assert!(!kept(fallback, |_, _| ()));
        assert!(kept(fallback, |config, _| config.fallback_answers = true));
        let sampled = AnswerFacts { is_sampled: true, ..GOOD };
        assert!(kept(sampled, |_, _| ()));
        assert!(!kept(sampled, |config, _| config.sampled = false));
        assert!(kept(GOOD, |config, _| config.sampled = false));
    }

    #[test]
    fn what_the_request_decides() {
        assert!(!kept(GOOD, |_, controls| controls.skip_write = true));
        assert!(!kept(GOOD, |_, controls| (controls.skip_write, controls.refresh) = (true, true)));
        assert!(!kept(GOOD, |_, controls| controls.ttl = Some(Duration::ZERO)));
        let config = CacheConfig::default();
        let minute = Some(Duration::from_secs(60));
        assert_eq!(Controls { ttl: minute, ..Controls::default() }.ttl(&config), Duration::from_secs(60));
        assert_eq!(Controls::default().ttl(&config), config.ttl);
        assert!(Controls::default().may_read(&config));
        assert!(Controls { skip_write: true, ..Controls::default() }.may_read(&config));
        assert!(!Controls { skip_read: true, ..Controls::default() }.may_read(&config));
        assert!(!Controls { refresh: true, ..Controls::default() }.may_read(&config));
    }

    #[test]
    fn a_cache_that_is_off_neither_reads_nor_keeps() {
        let minute = Some(Duration::from_secs(60));
        assert!(!kept(GOOD, |config, controls| (config.ttl, controls.ttl) = (Duration::ZERO, minute)));
        let off = CacheConfig { ttl: Duration::ZERO, ..CacheConfig::default() };
        assert!(!Controls::default().may_read(&off));
    }
}
