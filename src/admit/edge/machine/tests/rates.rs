//! Rates by tier, route and target.

use super::*;

#[test]
fn a_tier_a_route_and_the_tokens_are_each_a_limit() {
    let mut bench = Bench::new(Vec::new());
    bench.config.edge.tiers = vec![TierConfig {
        name: "pro".into(),
        requests: RateConfig::per_minute(3),
        tokens: Some(RateConfig::per_minute(100)),
    }];
    let (ann, bob) = (user("ann"), user("bob"));
    for left in [2, 1] {
        bench.enter(&ann, "chat", Some(30)).unwrap();
        assert_eq!(bench.reply.entered.map(|entered| entered.allowance.remaining), Some(left));
    }
    let (code, wait, _) = refused(bench.enter(&ann, "chat", Some(60)));
    assert_eq!((code, wait), (Code::RateLimited, Some(12)), "20 of 60 tokens are missing, at 100 a minute");
    assert_eq!(bench.reply.entered.map(|entered| (entered.granted, entered.allowance.limit)), Some((false, 100)));
    let (code, wait, _) = refused(bench.enter(&ann, "chat", Some(101)));
    assert_eq!((code, wait), (Code::RateLimited, None), "more than there ever is");
    bench.enter(&ann, "chat", Some(40)).unwrap();
    assert_eq!(refused(bench.enter(&ann, "chat", Some(0))).1, Some(20), "a refused request took nothing");
    bench.enter(&bob, "chat", Some(90)).unwrap();
    bench.enter(&bob, "chat", Some(10)).unwrap();
    assert_eq!(bench.reply.entered.map(|entered| entered.allowance.remaining), Some(1), "requests, not tokens");
    bench.enter(&bob, "chat", Some(0)).unwrap();
    assert_eq!(refused(bench.enter(&bob, "chat", Some(20))).1, Some(20), "until there is a request");
    assert_eq!(refused(bench.enter(&bob, "chat", Some(60))).1, Some(36), "until there are the tokens");
    assert_eq!(refused(bench.enter(&bob, "chat", Some(101))).1, None, "no wait is long enough");
    // Asking no model is not asking a model: its route alone limits it, and each route by itself.
    for route in ["status", "metrics", "usage"] {
        bench.enter(&ann, route, None).unwrap();
    }
    assert_eq!(bench.reply.entered.map(|entered| entered.allowance.limit), Some(100));
    let correction = Some(Correction { estimated: 40, used: 5 });
    let caller = ann.clone();
    bench.apply(&Command::For(Errand { caller, entry: None, correction, command: None }.into())).unwrap();
    bench.now += 20;
    bench.enter(&ann, "chat", Some(68)).unwrap();
}

#[test]
fn the_tightest_of_a_callers_rates_is_the_one_that_is_told() {
    let mut bench = Bench::new(Vec::new());
    bench.config.edge.tiers =
        vec![TierConfig { name: "pro".into(), requests: RateConfig::per_minute(5), tokens: None }];
    bench.config.edge.routes = vec![
        NamedRate { name: "chat".into(), rate: RateConfig::per_minute(3) },
        NamedRate { name: "embed".into(), rate: RateConfig::per_minute(9) },
    ];
    for (route, limit) in [("chat", 3), ("embed", 5)] {
        bench.enter(&user(route), route, Some(1)).unwrap();
        assert_eq!(bench.reply.entered.map(|entered| entered.allowance.limit), Some(limit), "{route}");
    }
}

#[test]
fn a_user_with_two_tokens_has_one_rate_and_a_stranger_the_slowest() {
    let mut bench = Bench::new(Vec::new());
    let caller =
        |token: &str, tier: &str| Caller { user: Some("ann".into()), token: Some(token.into()), tier: tier.into() };
    for index in 0..5 {
        bench.enter(&caller(&format!("t{index}"), "free"), "chat", Some(0)).unwrap();
    }
    assert_eq!(refused(bench.enter(&caller("t9", "free"), "chat", Some(0))).1, Some(12));
    let stranger = Caller { user: None, token: Some("t1".into()), tier: "platinum".into() };
    for _ in 0..5 {
        bench.enter(&stranger, "chat", Some(0)).unwrap();
    }
    assert_eq!(refused(bench.enter(&stranger, "chat", Some(0))).0, Code::RateLimited);
    let long = Caller { user: Some("x".repeat(257)), ..Caller::default() };
    assert_eq!(refused(bench.enter(&long, "chat", Some(0))).0, Code::Internal);
}

#[test]
fn a_target_has_a_rate_of_its_own() {
    let mut bench = Bench::new(Vec::new());
    bench.config.edge.targets = vec![
        NamedRate { name: "groq".into(), rate: RateConfig { per_minute: 60, burst: 2 } },
        NamedRate { name: "groq/m".into(), rate: RateConfig { per_minute: 1, burst: 5 } },
        NamedRate { name: "openai".into(), rate: RateConfig { per_minute: 1, burst: 1 } },
    ];
    let ann = user("ann");
    bench.admit(&ann, 1).unwrap();
    bench.admit(&user("bob"), 1).unwrap();
    assert_eq!(refused(bench.admit(&ann, 1)).1, Some(1), "the provider's, for the whole organisation");
    assert_eq!(bench.reply.entered, None, "which is not the caller's");
    bench.now += 1;
    bench.admit(&ann, 1).unwrap();
    bench.config.edge.targets = vec![NamedRate { name: "groq/m".into(), rate: RateConfig { per_minute: 1, burst: 1 } }];
    bench.now += 60;
    bench.admit(&ann, 1).unwrap();
    assert_eq!(refused(bench.admit(&ann, 1)).0, Code::RateLimited, "whichever key it is asked with");
}

#[test]
fn names_that_are_empty_or_too_long_for_a_row_are_refused() {
    let mut bench = Bench::new(Vec::new());
    for (length, refused) in [(0, true), (LONGEST_KEY - 1, false), (LONGEST_KEY, true)] {
        let name = || "x".repeat(length);
        let of_user = Caller { user: Some(name()), ..user("ann") };
        let of_token = Caller { token: Some(name()), ..user("ann") };
        for caller in [of_user, of_token] {
            let code = bench.enter(&caller, "chat", None).map_err(|error| error.code).err();
            assert_eq!(code, refused.then_some(Code::Internal), "{length}");
        }
    }
    let caller = Caller { tier: "x".repeat(LONGEST_KEY), ..user("ann") };
    assert_eq!(bench.enter(&caller, "chat", None).unwrap_err().code, Code::Internal);
}

#[test]
fn who_finds_no_slot_may_come_again_after_a_second() {
    let mut bench = Bench::new(Vec::new());
    bench.config.limits.max_concurrent = 1;
    bench.admit(&user("ann"), 1).unwrap();
    let (code, wait, _) = refused(bench.admit(&user("bob"), 1));
    assert_eq!((code, wait), (Code::QueueFull, Some(1)));
}
