//! What comes in from outside.

use std::time::Duration;

use proptest::prelude::*;

use crate::config::Priority;
use crate::error::{Code, Detail};
use crate::queue::{Ask, Item, shard_of};

const MESSAGES: &str = r#""messages":[{"role":"user","content":"x"}]"#;

fn refusal(fields: &str) -> (Code, String, u16) {
    let error = Ask::parse(&format!("{{{MESSAGES}{fields}}}"), "acme", Some("ann")).unwrap_err();
    let Detail::Fields(bad) = &error.detail else { panic!("{error:?}") };
    (error.code, bad[0].path.clone(), error.http_status())
}

#[test]
fn the_queues_fields_are_taken_out_and_the_rest_is_the_chat_request() {
    let ask = Ask::parse(
        r#"{"provider":"groq","model":"m/1","temperature":0,"priority":"high","maxRetries":2,"timeout":5000,
            "messages":[{"role":"user","content":"x"}],"organisation":"acme","user":"ann","conversation":"c",
            "idempotencyKey":"k","stream":false,"max_tokens":null}"#,
        "acme",
        None,
    )
    .unwrap();
    let body = r#"{"temperature":0,"messages":[{"role":"user","content":"x"}],"stream":false,"model":"groq/m/1"}"#;
    assert_eq!(ask.body, body);
    assert_eq!((ask.priority, ask.max_retries, ask.timeout), (Priority::High, Some(2), Some(Duration::from_secs(5))));
    let names = (ask.user.as_deref(), ask.conversation.as_deref(), ask.key.as_deref());
    assert_eq!(names, (Some("ann"), Some("c"), Some("k")));
    let plain = Ask::parse(&format!("{{{MESSAGES}}}"), "acme", Some("ann")).unwrap();
    assert_eq!((plain.priority, plain.user.as_deref(), plain.key), (Priority::Normal, Some("ann"), None));
}

#[test]
fn bad_fields_are_named() {
    let invalid = |fields: &str| match refusal(fields) {
        (Code::InvalidRequest, path, 400) => path,
        other => panic!("{other:?}"),
    };
    assert_eq!(invalid(r#","priority":"urgent""#), "priority");
    assert_eq!(invalid(r#","maxRetries":11"#), "maxRetries");
    assert_eq!(invalid(r#","timeoutMs":0"#), "timeoutMs");
    assert_eq!(invalid(r#","timeout":86400001"#), "timeout");
    assert_eq!(invalid(r#","stream":true"#), "stream");
    assert_eq!(invalid(r#","provider":"groq""#), "model");
    assert_eq!(invalid(r#","idempotencyKey":"""#), "idempotencyKey");
    assert_eq!(invalid(&format!(r#","conversation":"{}""#, "c".repeat(257))), "conversation");
    assert_eq!(invalid(r#","user":7"#), "user");
    assert_eq!(refusal(r#","organisation":"other""#), (Code::Forbidden, "organisation".into(), 403));
    assert_eq!(refusal(r#","user":"bob""#), (Code::Forbidden, "user".into(), 403));
    let of = |json: &str| Ask::parse(json, "acme", None).unwrap_err();
    assert_eq!(of("{}").code, Code::InvalidRequest);
    assert_eq!(of(&format!(r#"{{{MESSAGES},"user":"a","user":"b"}}"#)).code, Code::InvalidRequest);
    assert_eq!(of(&" ".repeat(1_048_577)).http_status(), 413);
}

#[test]
fn what_is_as_long_as_it_may_be_is_taken() {
    let of = |json: &str| Ask::parse(json, "acme", None);
    let body = format!("{{{MESSAGES}}}");
    let longest = format!("{body}{}", " ".repeat(1_048_576 - body.len()));
    assert!(of(&longest).is_ok());
    assert_eq!(of(&format!("{longest} ")).unwrap_err().http_status(), 413);
    let name = "c".repeat(256);
    let ask = of(&format!(r#"{{{MESSAGES},"conversation":"{name}","timeoutMs":86400000,"maxRetries":10}}"#)).unwrap();
    assert_eq!(ask.conversation, Some(name));
    assert_eq!((ask.timeout, ask.max_retries), (Some(Duration::from_secs(86_400)), Some(10)));
}

#[test]
fn the_key_of_the_header_is_the_bodys_or_the_only_one() {
    let with = |fields: &str, key: &str| {
        let mut ask = Ask::parse(&format!("{{{MESSAGES}{fields}}}"), "acme", None).unwrap();
        ask.set_key(key.into()).map(|()| ask.key.unwrap()).map_err(|error| {
            let Detail::Fields(bad) = &error.detail else { panic!("{error:?}") };
            (error.code, bad[0].path.clone())
        })
    };
    let longest = "k".repeat(256);
    for key in ["k", &longest] {
        assert_eq!(with("", key).as_deref(), Ok(key));
    }
    assert_eq!(with(r#","idempotencyKey":"k""#, "k").as_deref(), Ok("k"));
    let named = |path: &str| Err((Code::InvalidRequest, path.to_owned()));
    assert_eq!(with(r#","idempotencyKey":"k""#, "other"), named("idempotencyKey"));
    assert_eq!(with("", ""), named("idempotency-key"));
    assert_eq!(with("", &"k".repeat(257)), named("idempotency-key"));
}

#[test]
fn requests_that_differ_have_another_identity() {
    let of = |fields: &str| Ask::parse(&format!("{{{MESSAGES}{fields}}}"), "acme", None).unwrap().identity();
    let others = [
        r#","user":"a""#,
        r#","conversation":"a""#,
        r#","priority":"low""#,
        r#","n":2"#,
        r#","maxRetries":1"#,
        r#","maxRetries":2"#,
        r#","timeoutMs":1"#,
        r#","timeoutMs":2"#,
        r#","maxRetries":1,"timeoutMs":1"#,
    ];
    let all: Vec<_> = [""].into_iter().chain(others).map(of).collect();
    for (index, one) in all.iter().enumerate() {
        assert!(!all[..index].contains(one), "{index}");
    }
    assert_eq!(of(r#","idempotencyKey":"a""#), of(r#","idempotencyKey":"b""#));
    assert_eq!(of(r#","timeout":5"#), of(r#","timeoutMs":5"#), "two names of one thing");
}

proptest! {
    #[test]
    fn one_key_of_one_user_has_one_shard(key in "[a-z]{1,8}", shards in 1u8..64, draws: (u64, u64)) {
        let json = format!(r#"{{"idempotencyKey":"{key}"}}"#);
        let first = shard_of(&json, Some("ann"), None, shards, draws.0);
        prop_assert!(first < shards);
        prop_assert_eq!(shard_of(&json, Some("ann"), None, shards, draws.1), first);
        prop_assert_eq!(shard_of(r#"{"user":"ann"}"#, None, Some(&key), shards, draws.1), first);
        let any = shard_of("{}", None, None, shards, draws.0);
        prop_assert!(any < shards);
    }

    #[test]
    fn hostile_text_never_panics(text: String, middle in "[ -~]{0,40}") {
        let _ = Ask::parse(&text, "acme", None);
        let _ = Ask::parse(&format!("{{{MESSAGES},{middle}}}"), "acme", None);
    }

    #[test]
    fn hostile_rows_never_panic(bytes: Vec<u8>) {
        let _ = Item::decode(&bytes);
        let _ = Item::decode(&[&[1], &bytes[..]].concat());
    }
}
