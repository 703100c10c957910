use super::*;
use crate::money::Rate;

/// 2026-11-20, the day the table was made, at this UTC hour.
fn on(day: i64, hour: i64) -> Timestamp {
    Timestamp::from_millis(day * DAY + hour * HOUR)
}

const MADE: i64 = 20_777;

fn look(provider: &str, model: &str) -> Option<Price> {
    Table::builtin().lookup(provider, model, on(MADE, 12), &[])
}

fn micro(micro: u64) -> Rate {
    Rate::per_million(micro * 1_000)
}

#[test]
fn the_default_model_costs_what_groq_says() {
    let price = look("groq", "openai/gpt-oss-20b").unwrap();
    assert_eq!(price.rates.input, Rate::per_million(75_000_000));
    assert_eq!(price.rates.cache_read, Some(Rate::per_million(37_500_000)));
    assert_eq!(price.rates.output, Rate::per_million(300_000_000));
    assert_eq!((price.context, price.max_output, price.retired), (Some(131_072), Some(65_536), false));
}

#[test]
fn only_ids_that_end_in_free_are_free() {
    let listed = look("openrouter", "qwen/qwen3-coder:free").unwrap();
    assert_eq!((listed.rates, listed.context), (Rates::default(), Some(262_144)));
    let unlisted = look("openrouter", "someone/unheard-of:free").unwrap();
    assert_eq!((unlisted.rates, unlisted.context), (Rates::default(), None));
    assert_eq!(look("groq", "openai/gpt-oss-20b:free"), None, "the rule is OpenRouter's");
    for unknown in ["openrouter/auto", "openrouter/free", "qwen/qwen3-coder:nitro", "", ":freed"] {
        assert_eq!(look("openrouter", unknown), None, "{unknown}");
    }
    assert_eq!(look("huggingface", "openai/gpt-oss-20b"), None, "depends on who serves it");
    assert!(look("huggingface", "openai/gpt-oss-20b:groq").is_some());
}

#[test]
fn an_override_goes_first() {
    let own = PriceOverride {
        provider: "groq".into(),
        model: "openai/gpt-oss-20b".into(),
        input: micro(1),
        output: micro(2),
        cache_read: None,
        cache_write: Some(micro(3)),
        context: Some(4),
        max_output: None,
    };
    let table = Table::builtin();
    let price = table.lookup("groq", "openai/gpt-oss-20b", on(MADE, 0), std::slice::from_ref(&own)).unwrap();
    assert_eq!((price.rates.input, price.rates.write(), price.context), (micro(1), micro(3), Some(4)));
    let other = table.lookup("groq", "openai/gpt-oss-120b", on(MADE, 0), std::slice::from_ref(&own)).unwrap();
    assert_eq!(other.rates.input, micro(150_000));
    let elsewhere = table.lookup("openrouter", "openai/gpt-oss-20b", on(MADE, 0), std::slice::from_ref(&own));
    assert_ne!(elsewhere.unwrap().rates.input, micro(1), "it is one provider's price");
    assert_eq!(table.lookup("own", "openai/gpt-oss-20b", on(MADE, 0), &[own]), None);
}

#[test]
fn prices_change_at_their_date_and_by_the_hour() {
    let table = Table::builtin();
    let input = |model: &str, provider: &str, at| table.lookup(provider, model, at, &[]).unwrap().rates.input;
    // 2027-01-01 is day 20,819.
    assert_eq!(input("gemini-3.8-flash", "google", on(20_818, 23)), micro(750_000));
    assert_eq!(input("gemini-3.8-flash", "google", on(20_819, 0)), micro(1_500_000));
    // DeepSeek's peak is 01:00 to 04:00 and 06:00 to 10:00 UTC.
    for (hour, price) in [(0, 150), (1, 300), (3, 300), (4, 150), (5, 150), (6, 300), (9, 300), (10, 150), (23, 150)] {
        assert_eq!(input("deepseek-flash", "deepseek", on(MADE, hour)), micro(price * 1_000), "{hour}");
    }
    // A request that begins off-peak and ends in the peak is reserved at the peak's price, and the other way round.
    let edge = on(MADE, 1);
    let minute = Duration::from_secs(60);
    for (from, until) in [(edge.before(minute), edge), (on(MADE, 4).before(minute), on(MADE, 4))] {
        let price = table.lookup_until("deepseek", "deepseek-flash", from, until, &[]).unwrap();
        assert_eq!(price.rates.input, micro(300_000));
    }
}

#[test]
fn a_peak_between_two_quiet_hours_counts() {
    let table = Table::builtin();
    let input = |from, until| table.lookup_until("deepseek", "deepseek-flash", from, until, &[]).unwrap().rates.input;
    let last_minute = |day, hour| on(day, hour).before(Duration::from_secs(60));
    assert_eq!(input(on(MADE, 0), on(MADE, 5)), micro(300_000), "01:00 to 04:00 lies between");
    assert_eq!(input(last_minute(MADE, 1), last_minute(MADE, 2)), micro(300_000));
    assert_eq!(input(on(MADE, 11), on(MADE, 23)), micro(150_000));
    assert_eq!(input(on(MADE, 11), on(MADE + 1, 11)), micro(300_000), "the longest that a request may take");
    assert_eq!(input(on(MADE, 11), on(MADE + 400, 0)), micro(300_000), "the whole span is not walked");
    assert_eq!(input(on(MADE, 5), on(MADE, 4)), micro(150_000), "a clock that goes back");
}

#[test]
fn writes_to_anthropics_cache_are_priced_where_nobody_said_how() {
    let own = |cache_write| PriceOverride {
        provider: "mine".into(),
        model: "claude-next".into(),
        input: micro(4),
        output: micro(8),
        cache_read: None,
        cache_write,
        context: None,
        max_output: None,
    };
    let rates =
        |cache_write| Table::builtin().lookup("mine", "claude-next", on(MADE, 0), &[own(cache_write)]).unwrap().rates;
    assert_eq!((rates(None).write(), rates(None).write_1h()), (micro(5), micro(8)));
    assert_eq!((rates(Some(micro(6))).write(), rates(Some(micro(6))).write_1h()), (micro(6), micro(8)));
    assert_eq!(rates(Some(micro(9))).write_1h(), micro(9));
    let routed = look("openrouter", "anthropic/claude-haiku-4.5").unwrap().rates;
    assert_eq!(routed.write_1h(), micro(2_000_000), "its row says nothing of an hour");
    let other = look("openai", "gpt-4o").unwrap().rates;
    assert_eq!(other.worst_input(), other.input, "others write for the price of input");
}

#[test]
fn a_model_is_retired_from_its_date_on() {
    let table = Table::builtin();
    // 2026-08-16 is day 20,681.
    let retired = |day| table.lookup("groq", "llama-3.3-70b-versatile", on(day, 0), &[]).unwrap().retired;
    assert!(!retired(20_680) && retired(20_681));
}

#[test]
fn dated_ids_cost_what_their_model_costs() {
    let price = |model| look("openai", model).map(|price| price.rates.input);
    assert_eq!(price("gpt-4o-2024-08-06"), Some(micro(2_500_000)));
    assert_eq!(price("gpt-4o-2024-05-13"), Some(micro(5_000_000)), "this one has a price of its own");
    assert_eq!(look("anthropic", "claude-haiku-4-5-20251001").map(|p| p.rates.input), Some(micro(1_000_000)));
    for other in ["gpt-4o-2024", "gpt-4o-audio", "-2024-08-06", "gpt-4o-2024-08-06-2024-08-06", "gpt-4o-2024.08.06"] {
        assert_eq!(price(other), None, "{other}");
    }
    assert_eq!(look("groq", "openai/gpt-oss-20b-2026-01-01"), None);
    assert_eq!(without_date("ü-2024-08-06"), Some("ü"));
    assert_eq!(without_date("aéééééé"), None);
}

#[test]
fn long_requests_cost_their_tier() {
    let price = look("openrouter", "qwen/qwen3-coder-flash").unwrap();
    let input = |tokens| price.rates_for(tokens).input;
    assert_eq!([input(32_000), input(32_001), input(128_001)], [micro(195_000), micro(325_000), micro(520_000)]);
}

/// Guards the generator: nothing unreadable, unsorted, unpriced or free by omission gets into the crate.
#[test]
fn every_line_of_the_table_is_read_and_means_something() {
    let table = Table::builtin();
    let text = include_str!("../table.txt");
    let (ids, prices) =
        text.lines().filter(|line| !line.starts_with('@')).partition::<Vec<_>, _>(|line| line.starts_with(['=', '~']));
    assert_eq!((table.models.len(), table.lines.len()), (ids.len(), prices.len()));
    assert!(table.models.is_sorted_by(|a, b| (a.provider, a.id) < (b.provider, b.id)));
    for row in &table.models {
        let lines = &table.lines[row.lines.0..row.lines.1];
        let tiers = lines.iter().filter(|line| matches!(line.when, When::Above(_))).count();
        let periods = lines.len() - tiers;
        assert!(tiers <= MAX_TIERS * periods, "{}", row.id);
        if row.id.ends_with(":free") {
            assert!(lines.is_empty(), "{}", row.id);
            continue;
        }
        assert_eq!(lines[0].when, When::Always, "{}", row.id);
        for line in lines {
            assert_ne!(line.rates.input, Rate::FREE, "{}", row.id);
            assert!(line.rates.output != Rate::FREE || row.id.contains("embedding"), "{}", row.id);
            assert!(line.rates.write() >= line.rates.input && line.rates.read() <= line.rates.input, "{}", row.id);
            // Dearer than $200 per million means a unit was mistaken.
            assert!(line.rates.output <= micro(200_000_000), "{}", row.id);
        }
    }
}

#[test]
fn the_worst_price_is_at_least_every_price() {
    let table = Table::builtin();
    let at = on(MADE, 2);
    let worst = table.worst(at).rates;
    assert_eq!((worst.input, worst.output), (micro(20_000_000), micro(75_000_000)));
    for row in &table.models {
        if let Some(price) = table.price(row, at).filter(|price| !price.retired) {
            let rates = price.worst_for(u64::MAX);
            assert!(rates.worst_input() <= worst.worst_input() && rates.output <= worst.output, "{}", row.id);
        }
    }
}

#[test]
fn what_writing_to_claudes_cache_costs_is_known_for_requests_of_every_length() {
    let (table, mut tiers) = (Table::builtin(), 0);
    for row in &table.models {
        let price = table.lookup(row.provider, row.id, on(MADE, 12), &[]);
        for rates in price.iter().flat_map(|price| price.tiers.iter().flatten()).map(|tier| tier.rates) {
            if Family::of(row.provider, row.id) == Family::Claude {
                assert!(
                    rates.cache_write > Some(rates.input) && rates.cache_write_1h > rates.cache_write,
                    "{}",
                    row.id
                );
                tiers += 1;
            }
        }
    }
    assert!(tiers > 0);
    // Also where the table does not say it.
    let (models, lines) = read("@anthropic\n=claude-x|1000k|64k\n$1000k|5000k\n>200k|2000k|9000k\n");
    let price = Table { models, lines }.lookup("anthropic", "claude-x", on(MADE, 12), &[]).unwrap();
    let long = price.rates_for(200_001);
    assert_eq!((long.cache_write, long.cache_write_1h), (Some(micro(2_500_000)), Some(micro(4_000_000))));
}
