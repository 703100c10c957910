use std::time::Duration;

use crate::cache::{Answer, ExactCache, Fingerprint, MAX_BODY_BYTES, MAX_BYTES};
use crate::chat::Usage;
use crate::config::CacheConfig;
use crate::error::Code;
use crate::money::NanoUsd;
use crate::time::Timestamp;

const TTL: Duration = Duration::from_secs(300);

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds.saturating_mul(1_000).saturating_add(1_800_000_000_000))
}

fn id(byte: u8) -> Fingerprint {
    Fingerprint([byte; 32])
}

fn answer(body: &str) -> Answer {
    Answer {
        body: body.into(),
        target: "groq/llama".into(),
        by_fallback: false,
        cost: NanoUsd::new(225_000),
        usage: Usage { input: 12, cached_input: 1, cache_write: 2, cache_write_1h: 1, output: 7, reasoning: 3 },
    }
}

fn cache(change: impl Fn(&mut CacheConfig)) -> ExactCache {
    let mut config = CacheConfig::default();
    change(&mut config);
    ExactCache::new(&config)
}

/// A cache with `count` answers stored at second 0, ids from 1.
fn filled(count: u8, change: impl Fn(&mut CacheConfig)) -> ExactCache {
    let mut cache = cache(change);
    for byte in 1..=count {
        assert!(cache.store(id(byte), answer("a"), TTL, at(0)));
    }
    cache
}

#[test]
fn an_answer_comes_back_with_its_age() {
    let mut cache = filled(1, |_| ());
    let hit = cache.lookup(&id(1), at(100)).unwrap();
    assert_eq!(hit.answer, answer("a"));
    assert_eq!((hit.age, hit.remaining), (Duration::from_secs(100), Duration::from_secs(200)));
    assert!(cache.lookup(&id(2), at(100)).is_none());
    assert!(cache.store(id(1), answer("b"), TTL, at(200)));
    let hit = cache.lookup(&id(1), at(400)).unwrap();
    assert_eq!((&*hit.answer.body, hit.age, cache.len()), ("b", Duration::from_secs(200), 1));
}

#[test]
fn an_expired_answer_is_never_returned() {
    let mut cache = filled(2, |_| ());
    assert!(cache.lookup(&id(1), at(299)).is_some(), "a hit does not prolong");
    assert!(cache.lookup(&id(1), at(300)).is_none());
    assert_eq!(cache.len(), 1, "it is dropped when met");
    assert!(cache.lookup(&id(1), at(0)).is_none(), "and does not return with the clock");
    assert!(cache.lookup(&id(2), at(0)).is_none(), "nor does one that was not met");
}

#[test]
fn a_clock_set_back_prolongs_nothing() {
    let mut cache = filled(1, |_| ());
    assert!(cache.lookup(&id(1), at(200)).is_some());
    // 250 s back: the age stays 200 s, 100 s are left.
    let hit = cache.lookup(&id(1), at(-50)).unwrap();
    assert_eq!((hit.age, hit.remaining), (Duration::from_secs(200), Duration::from_secs(100)));
    assert!(cache.lookup(&id(1), at(49)).is_some());
    assert!(cache.lookup(&id(1), at(50)).is_none());
}

#[test]
fn again_and_again_set_back_it_still_ends() {
    let mut cache = filled(1, |_| ());
    let mut lived = 0;
    for _ in 0..100 {
        if cache.lookup(&id(1), at(10)).is_some() {
            lived += 10;
        }
        let _ = cache.lookup(&id(1), at(0));
    }
    assert!(lived <= 300, "{lived}");
    assert!(cache.is_empty());
}

#[test]
fn a_clock_set_back_further_than_the_life_drops() {
    let mut cache = filled(1, |_| ());
    assert!(cache.lookup(&id(1), at(-300)).is_some());
    let mut cache = filled(1, |_| ());
    assert!(cache.lookup(&id(1), at(-301)).is_none());
    assert!(cache.is_empty());
    let mut cache = filled(1, |_| ());
    assert!(cache.lookup(&id(1), Timestamp::from_millis(i64::MIN)).is_none());
    assert!(cache.lookup(&id(1), Timestamp::MAX).is_none());
}

#[test]
fn the_least_recently_used_goes_first() {
    let mut cache = filled(3, |config| config.max_entries = 3);
    assert!(cache.lookup(&id(1), at(1)).is_some());
    assert!(cache.store(id(4), answer("a"), TTL, at(2)));
    assert!(cache.lookup(&id(2), at(3)).is_none(), "not used since it was stored");
    assert!(cache.store(id(5), answer("a"), TTL, at(4)));
    assert!(cache.lookup(&id(3), at(5)).is_none());
    assert!(cache.lookup(&id(1), at(5)).is_some());
    assert_eq!(cache.len(), 3);
}

#[test]
fn the_dead_make_room_before_the_living() {
    let mut cache = cache(|config| config.max_entries = 2);
    cache.store(id(1), answer("a"), TTL, at(0));
    cache.store(id(2), answer("a"), Duration::from_secs(1), at(0));
    cache.store(id(3), answer("a"), TTL, at(1));
    assert!(cache.lookup(&id(1), at(1)).is_some());
    assert!(cache.lookup(&id(3), at(1)).is_some());
}

/// Also where nothing had run out for long, and where a clock that was set back brings an end nearer.
#[test]
fn the_dead_are_found_whenever_they_die() {
    let mut cache = filled(3, |_| {});
    cache.store(id(4), answer("a"), Duration::from_secs(20), at(10));
    cache.store(id(5), answer("a"), TTL, at(29));
    assert_eq!(cache.len(), 5);
    cache.store(id(6), answer("a"), TTL, at(30));
    assert_eq!(cache.len(), 5, "the fourth has gone");
    cache.store(id(7), answer("a"), TTL, at(20));
    assert_eq!(cache.len(), 6);
    // Ten seconds were lived twice: the first three have been there for 300.
    cache.store(id(8), answer("a"), TTL, at(290));
    assert_eq!(cache.len(), 4);
}

#[test]
fn bytes_are_bounded() {
    let mut cache = cache(|_| ());
    let largest = "x".repeat(MAX_BODY_BYTES);
    for byte in 1..=9 {
        assert!(cache.store(id(byte), answer(&largest), TTL, at(0)));
    }
    assert_eq!(cache.len(), MAX_BYTES / MAX_BODY_BYTES - 1, "the flat amounts count too");
    assert!(cache.lookup(&id(2), at(1)).is_none());
    assert!(cache.lookup(&id(9), at(1)).is_some());
    assert!(!cache.store(id(9), answer(&format!("{largest}x")), TTL, at(1)), "one is too long");
    assert!(cache.lookup(&id(9), at(1)).is_none(), "the older answer went all the same");
    let target = "t".repeat(MAX_BYTES);
    assert!(!cache.store(id(10), Answer { target, ..answer("a") }, TTL, at(1)));
    for byte in 1..=9 {
        cache.remove(&id(byte));
    }
    for byte in 1..=7 {
        assert!(cache.store(id(byte), answer(&largest), TTL, at(2)), "removal frees bytes");
    }
    assert_eq!(cache.len(), 7);
}

#[test]
fn what_the_configuration_does_not_allow_is_not_kept() {
    assert!(!cache(|config| config.ttl = Duration::ZERO).store(id(1), answer("a"), TTL, at(0)));
    assert!(!cache(|config| config.max_entries = 0).store(id(1), answer("a"), TTL, at(0)));
    assert!(!cache(|_| ()).store(id(1), answer("a"), Duration::ZERO, at(0)));
    let fallback = Answer { by_fallback: true, ..answer("a") };
    assert!(!cache(|_| ()).store(id(1), fallback.clone(), TTL, at(0)));
    let mut open = cache(|config| config.fallback_answers = true);
    assert!(open.store(id(1), fallback, TTL, at(0)));
    open.configure(&CacheConfig { fallback_answers: true, ..CacheConfig::default() });
    assert!(open.lookup(&id(1), at(1)).is_some());
    open.configure(&CacheConfig::default());
    assert!(open.lookup(&id(1), at(1)).is_none(), "nor when it is no longer allowed");
}

#[test]
fn a_smaller_configuration_takes_effect_at_once() {
    let mut cache = filled(5, |_| ());
    assert!(cache.lookup(&id(1), at(1)).is_some());
    cache.configure(&CacheConfig { max_entries: 2, ..CacheConfig::default() });
    assert_eq!(cache.fingerprints().copied().collect::<Vec<_>>(), [id(1), id(5)]);
    cache.configure(&CacheConfig { ttl: Duration::from_secs(10), ..CacheConfig::default() });
    assert!(cache.lookup(&id(1), at(9)).is_some());
    assert!(cache.lookup(&id(1), at(10)).is_none());
    cache.configure(&CacheConfig { ttl: Duration::ZERO, ..CacheConfig::default() });
    assert!(cache.is_empty());
}

#[test]
fn clearing_one_or_all() {
    let mut cache = filled(3, |_| ());
    assert!(cache.remove(&id(3)));
    assert!(!cache.remove(&id(3)));
    assert_eq!(cache.len(), 2);
    cache.clear();
    assert!(cache.is_empty() && cache.lookup(&id(1), at(1)).is_none());
}

#[test]
fn what_stays_keeps_its_weight() {
    let mut cache = cache(|_| ());
    let largest = "x".repeat(MAX_BODY_BYTES);
    let fill = |cache: &mut ExactCache, from: u8| {
        (from..from + 7).for_each(|byte| assert!(cache.store(id(byte), answer(&largest), TTL, at(0))));
        assert_eq!(cache.len(), 7);
    };
    fill(&mut cache, 1);
    cache.configure(&CacheConfig::default());
    fill(&mut cache, 11);
    // To the byte: eight of them, beside their targets and the flat amounts.
    let (target, flat) = (answer("").target.len(), 256);
    let least = "x".repeat(MAX_BODY_BYTES - target - flat);
    cache.clear();
    (1..=8).for_each(|byte| assert!(cache.store(id(byte), answer(&least), TTL, at(0))));
    assert_eq!(cache.len(), 8);
    assert!(cache.store(id(9), answer(&format!("{least}x")), TTL, at(0)));
    assert_eq!(cache.len(), 7, "one byte too many");
}

#[test]
fn what_has_gone_leaves_its_room() {
    let mut cache = cache(|_| ());
    let largest = "x".repeat(MAX_BODY_BYTES);
    let fill = |cache: &mut ExactCache, now| {
        (1..=7).for_each(|byte| assert!(cache.store(id(byte), answer(&largest), TTL, now)));
        assert_eq!(cache.len(), 7);
    };
    fill(&mut cache, at(0));
    cache.clear();
    fill(&mut cache, at(0));
    assert!(cache.store(id(8), answer("a"), TTL, at(300)), "the others have run out");
    assert_eq!(cache.len(), 1);
    cache.remove(&id(8));
    fill(&mut cache, at(300));
}

#[test]
fn an_entry_survives_its_bytes() {
    let bytes = filled(1, |_| ()).encode(&id(1)).unwrap();
    let mut next = cache(|_| ());
    assert!(next.restore(&bytes, at(100)).unwrap());
    let hit = next.lookup(&id(1), at(100)).unwrap();
    assert_eq!((hit.answer, hit.age), (answer("a"), Duration::from_secs(100)));
    next.clear();
    assert!(!next.restore(&bytes, at(300)).unwrap(), "expired");
    assert!(next.encode(&id(1)).is_none());
    assert!(next.store(id(1), answer("new"), TTL, at(300)));
    assert!(!next.restore(&filled(1, |_| ()).encode(&id(1)).unwrap(), at(300)).unwrap());
    assert_eq!(&*next.lookup(&id(1), at(300)).unwrap().answer.body, "new");
}

#[test]
fn bytes_from_the_future_count_as_new_or_go() {
    let bytes = filled(1, |_| ()).encode(&id(1)).unwrap();
    let mut cache = cache(|_| ());
    assert!(cache.restore(&bytes, at(-300)).unwrap());
    assert!(cache.lookup(&id(1), at(-1)).is_some());
    assert!(cache.lookup(&id(1), at(0)).is_none(), "it lives as long as any, not until its own time");
    assert!(!cache.restore(&bytes, at(-301)).unwrap());
}

#[test]
fn a_restored_entry_obeys_the_configuration_of_now() {
    let bytes = filled(1, |_| ()).encode(&id(1)).unwrap();
    let mut short = cache(|config| config.ttl = Duration::from_secs(60));
    assert!(!short.restore(&bytes, at(60)).unwrap());
    let mut open = cache(|config| config.fallback_answers = true);
    open.store(id(2), Answer { by_fallback: true, ..answer("a") }, TTL, at(0));
    assert!(!cache(|_| ()).restore(&open.encode(&id(2)).unwrap(), at(1)).unwrap());
}

#[test]
fn damaged_bytes_are_refused() {
    let bytes = filled(1, |_| ()).encode(&id(1)).unwrap();
    let mut cache = cache(|_| ());
    for end in 0..bytes.len() {
        assert_eq!(cache.restore(&bytes[..end], at(1)).unwrap_err().code, Code::VaultCorrupt);
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(cache.restore(&longer, at(1)).is_err());
    let mut newer = bytes;
    newer[0] += 1;
    assert!(cache.restore(&newer, at(1)).is_err());
    assert!(cache.is_empty());
}
