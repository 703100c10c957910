//! What streams are billed, and what is refused because nobody could bound its bill.

use std::time::Duration;

use tidegate::chat::Usage;
use tidegate::error::{Code, Detail};
use tidegate::host::Clock;
use tidegate::secret::Secret;
use tidegate::testing::{completion, stream};

use super::streaming::{DONE, HELLO, ROLE, STOP, WORLD, good, question, read};
use super::{OPENROUTER, World};

#[test]
fn usage_told_before_the_output_is_no_bill() {
    let early = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1}}\n\n";
    let world = World::new("{}");
    world.host.answer(move |_| stream([early, HELLO, WORLD, STOP, DONE]));
    let (_, closed) = read(&world, &question("Hi")).unwrap();
    assert_eq!(closed.meta.cost_source.as_str(), "estimated");
    assert!(closed.meta.cost.as_nano() > 100_000, "its bound");
    assert_eq!(closed.meta.usage, Usage::default());
}

#[test]
fn a_cost_told_before_the_output_is_no_bill_either() {
    let world = World::new(
        r#"{"targets":[{"provider":"openrouter","model":"a/b"}],
        "prices":[{"provider":"openrouter","model":"a/b","inputUsd":1,"outputUsd":1}]}"#,
    );
    let told = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":9,\"cost\":0.000001}}\n\n";
    for (first, last, source) in [(told, "", "estimated"), ("", told, "reported")] {
        world.host.answer(move |_| stream([first, HELLO, WORLD, STOP, last, DONE]));
        let (_, closed) = read(&world, &question(source)).unwrap();
        assert_eq!(closed.meta.cost_source.as_str(), source);
        assert_eq!(closed.meta.cost.as_nano() == 1_000, source == "reported", "{:?}", closed.meta.cost);
    }
}

#[test]
fn counts_that_cannot_be_are_neither_billed_nor_told() {
    for (input, output) in [(0, 500), (1_000, 0)] {
        let usage = format!(
            "data: {{\"choices\":[],\"usage\":{{\"prompt_tokens\":{input},\"completion_tokens\":{output}}}}}\n\n"
        );
        let world = World::new("{}");
        world.host.answer(move |_| stream([HELLO, STOP, &usage, DONE]));
        let (_, closed) = read(&world, &question("Hi")).unwrap();
        assert_eq!((closed.meta.cost_source.as_str(), closed.meta.usage), ("estimated", Usage::default()));
    }
}

#[test]
fn an_attempt_that_ran_before_it_failed_is_charged() {
    let world = World::new(r#"{"retry":{"maxRetries":0}}"#);
    let error = "data: {\"error\":{\"message\":\"overloaded\",\"code\":529}}\n\n";
    world.host.answer(move |sent| if sent.provider == "groq" { stream([[HELLO, error].concat()]) } else { good() });
    let (text, closed) = read(&world, &question("Hi")).unwrap();
    assert_eq!((closed.meta.target.as_str(), text.matches("Hello").count()), (OPENROUTER, 1));
    assert!(closed.meta.cost.as_nano() > 0, "the free model's answer costs nothing, the first attempt may");
}

#[test]
fn an_attempt_that_failed_before_it_ran_is_not_charged() {
    let world = World::new(r#"{"retry":{"maxRetries":0}}"#);
    let error = "data: {\"error\":{\"message\":\"overloaded\",\"code\":529}}\n\n";
    world.host.answer(move |sent| if sent.provider == "groq" { stream([ROLE, error]) } else { good() });
    let (_, closed) = read(&world, &question("Hi")).unwrap();
    assert_eq!((closed.meta.target.as_str(), closed.meta.cost.as_nano()), (OPENROUTER, 0));
}

#[test]
fn what_costs_more_than_its_tokens_is_refused() {
    let world = World::new("{}");
    for extra in [
        r#""service_tier":"priority""#,
        r#""web_search_options":{}"#,
        r#""plugins":[{"id":"web"}]"#,
        r#""models":["a/b"]"#,
        r#""preset":"mine""#,
        r#""best_of":3"#,
        r#""extra_body":{"google":{"cached_content":"cachedContents/x"}}"#,
        r#""extra_body":{"google":{"cached\u005fcontent":"cachedContents/x"}}"#,
        r#""extra_body":{"google":{"cachedContent":"cachedContents/x"}}"#,
        r#""extra_body":{"google":{"tools":[{"google_search":{}}]}}"#,
        r#""cached_content":"cachedContents/x""#,
        r#""tools":[{"type":"browser_search"}]"#,
        r#""tools":[{"type":"browser_search","type":"function"}]"#,
        r#""tools":[{"type":"function","Type":"browser_search"}]"#,
        r#""tools":[{"googleSearch":{}}]"#,
        r#""tools":[{"type":"function","function":{"name":"f"}},{}]"#,
    ] {
        let body = format!(r#"{{"stream":true,{extra},"messages":[{{"role":"user","content":"Hi"}}]}}"#);
        assert_eq!(read(&world, &body).unwrap_err().code, Code::UnpricedInput, "{extra}");
    }
    for extra in [
        r#""Max_Tokens":65536"#,
        r#""max_Completion_tokens":65536"#,
        r#""N":9"#,
        r#""Tools":[]"#,
        r#""Prediction":{"type":"content","content":"x"}"#,
        r#""Cached_Content":"cachedContents/x""#,
        r#""Extra_Body":{"google":{"cached_content":"cachedContents/x"}}"#,
        "\"max_to\u{212a}ens\":65536",
        "\"\u{17f}ervice_tier\":\"priority\"",
    ] {
        let body = format!(r#"{{{extra},"messages":[{{"role":"user","content":"Hi"}}]}}"#);
        let error = read(&world, &body).unwrap_err();
        assert!(matches!(&error.detail, Detail::Fields(fields) if extra.contains(&fields[0].path)), "{extra}");
    }
    assert!(world.host.sent().is_empty());
    // Tools that the caller runs cost the tokens that they are described with.
    world.host.answer(|_| good());
    let tools = r#"[{"type":"function","function":{"name":"f"}},{"type":"custom","custom":{"name":"g"}}]"#;
    let extra = r#"{"google":{"thinking_config":{"thinking_budget":9}}}"#;
    let body = format!(
        r#"{{"stream":true,"tools":{tools},"extra_body":{extra},"messages":[{{"role":"user","content":"Hi"}}]}}"#
    );
    assert!(read(&world, &body).is_ok());
}

/// OpenRouter's providers of one model differ by a factor of twelve.
#[test]
fn who_names_the_provider_pays_no_more_than_was_reserved() {
    let world = World::new(r#"{"targets":[{"provider":"openrouter","model":"openai/gpt-oss-20b"}]}"#);
    world.host.answer(|_| good());
    let ask = |extra: &str| {
        let body = format!(r#"{{{extra}"stream":true,"messages":[{{"role":"user","content":"Hi"}}]}}"#);
        read(&world, &body).unwrap();
        world.host.sent().last().unwrap().body.clone()
    };
    let sent = ask(r#""provider":{"order":["dear"],"max_price":{"completion":100}},"#);
    let most = r#""provider":{"max_price":{"prompt":0.030000000,"completion":0.140000000},"order":["dear"]}"#;
    assert!(sent.contains(most), "{sent}");
    assert!(!ask("").contains("max_price"), "whom OpenRouter chooses by itself is its own affair");
}

#[test]
fn a_price_that_goes_by_the_hour_is_that_of_each_request() {
    let world = World::new(
        r#"{"targets":[{"provider":"deepseek","model":"deepseek-v4-flash"}],"cache":{"ttlMs":0},
            "timeouts":{"totalMs":60000}}"#,
    );
    world.gate.set_key("deepseek", Secret::new("sk-0123456789abcdef0123456789abcdef".into()));
    world.host.answer(|_| completion("ok", 1_000, 500));
    // From one to four it costs twice as much, and so it does for who may end there.
    for (minutes, cost) in [(58, 450_000), (1, 900_000), (179, 900_000), (2, 450_000)] {
        world.host.advance(Duration::from_secs(minutes * 60));
        assert_eq!(world.ask("Hi").unwrap().meta.cost.as_nano(), cost, "{:?}", world.host.now());
    }
}
