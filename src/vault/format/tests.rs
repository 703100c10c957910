use proptest::prelude::*;

use super::*;
use crate::error::{Code, Detail};

const GROQ: &str = "gsk_0123456789abcdefghijABCDEFGHIJ0123456789abcdefghijAB";
const OPENROUTER: &str = "sk-or-v1-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// What is wrong, in words.
fn problem(provider: &str, input: &str) -> String {
    let error = check_key(provider, input.as_bytes()).map(|_| input).unwrap_err();
    assert_eq!(error.code, Code::InvalidRequest);
    let Detail::Fields(fields) = error.detail else { panic!("{input}: no field") };
    assert_eq!(fields.len(), 1);
    assert_eq!(fields[0].path, "key");
    fields[0].problem.clone().into_owned()
}

fn accepted(provider: &str, input: &str) -> (String, usize) {
    let checked = check_key(provider, input.as_bytes()).unwrap();
    (checked.key.expose().clone(), checked.warnings.len())
}

#[test]
fn known_shapes_pass_without_a_word() {
    assert_eq!((GROQ.len(), OPENROUTER.len()), (56, 73));
    assert_eq!(accepted("groq", GROQ), (GROQ.into(), 0));
    assert_eq!(accepted("openrouter", OPENROUTER), (OPENROUTER.into(), 0));
    assert_eq!(accepted("own-proxy", "s3cr3t-t0ken"), ("s3cr3t-t0ken".into(), 0));
    assert_eq!(accepted("own-proxy", GROQ), (GROQ.into(), 0), "a proxy may take any key");
}

#[test]
fn what_stands_around_is_taken_off() {
    for input in [" K\n", "\"K\"", "'K'", "`K`", "\u{feff}K\u{200b}", "\u{201c}K\u{201d}", "\u{a0}\t\"K\" \r\n"] {
        assert_eq!(accepted("groq", &input.replace('K', GROQ)), (GROQ.into(), 0), "{input:?}");
    }
    for input in ["Bearer K", "bearer  K", "\"Bearer K\"", "BEARER \"K\""] {
        assert_eq!(accepted("groq", &input.replace('K', GROQ)), (GROQ.into(), 1), "{input:?}");
    }
}

#[test]
fn what_cannot_be_a_key_is_named() {
    for input in ["", " ", "\"\"", "Bearer", "Bearer "] {
        assert_eq!(problem("groq", input), "is empty", "{input:?}");
    }
    assert_eq!(problem("groq", &"a".repeat(4_097)), "is longer than 4,096 bytes");
    assert_eq!(problem("own", "abc def"), "contains a blank or a line break");
    assert_eq!(problem("own", "abc\ndef"), "contains a blank or a line break");
    assert_eq!(problem("own", "abc\u{0}def"), "contains a control character");
    assert_eq!(problem("own", "abc\u{e9}def"), "contains a character that is not ASCII");
    assert!(check_key("own", &[b'a', 0xff]).is_err());
}

#[test]
fn placeholders_are_named() {
    for input in [
        "gsk_xxxx",
        "gsk_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "your-api-key",
        "YOUR_GROQ_KEY",
        "<key>",
        "${GROQ_API_KEY}",
        "sk-example-key",
        "changeme",
        "GROQ_API_KEY",
    ] {
        assert_eq!(problem("groq", input), "is a placeholder, not a key", "{input}");
    }
    for input in ["gsk_abc...xyz", "gsk_ab***xyz", "gsk_abc\u{2026}xyz"] {
        assert_eq!(problem("groq", input), "was copied from where it is shown shortened", "{input}");
    }
}

#[test]
fn a_real_key_may_contain_such_words_by_chance() {
    let key = GROQ.replace("abcdefghij", "yourapixxx");
    assert_eq!(accepted("groq", &key), (key.clone(), 0));
}

#[test]
fn anothers_key_is_named() {
    assert_eq!(problem("openrouter", GROQ), "is a key of Groq");
    assert_eq!(problem("groq", OPENROUTER), "is a key of OpenRouter");
    assert_eq!(problem("groq", "sk-ant-api03-abcdef"), "is a key of Anthropic");
    assert_eq!(problem("openrouter", "sk-proj-abcdef"), "is a key of OpenAI");
}

#[test]
fn a_cut_key_is_named_and_an_unknown_shape_only_warned_of() {
    assert_eq!(problem("groq", &GROQ.replace("gsk_0", "gsk_")), "is cut short: a Groq key has 56 characters");
    assert_eq!(
        problem("openrouter", &OPENROUTER.replace("v1-0", "v1-")),
        "is cut short: an OpenRouter key has 73 characters"
    );
    for (provider, key) in [
        ("groq", "a-new-shape-of-2027".to_owned()),
        ("groq", format!("{GROQ}0")),
        ("groq", GROQ.replace('A', "-")),
        ("openrouter", OPENROUTER.to_ascii_uppercase().replacen("SK-OR-V1", "sk-or-v1", 1)),
        ("openrouter", "sk-or-v2-0123456789".to_owned()),
    ] {
        assert_eq!(accepted(provider, &key), (key.clone(), 1), "{key}");
    }
}

/// One key of each known shape, made here.
fn keys() -> Vec<(&'static str, String)> {
    let body = |length: usize| "aB3dE6gH9-k_".chars().cycle().take(length).collect::<String>();
    let plain = |length: usize| "aB3dE6gH9k".chars().cycle().take(length).collect::<String>();
    vec![
        ("groq", GROQ.into()),
        ("openrouter", OPENROUTER.into()),
        ("openai", format!("sk-proj-{}T3BlbkFJ{}", body(74), body(74))),
        ("openai", format!("sk-proj-{}T3BlbkFJ{}", body(58), body(58))),
        ("openai", format!("sk-proj-{}T3BlbkFJ{}", body(20), body(20))),
        ("openai", format!("sk-svcacct-{}T3BlbkFJ{}", body(74), body(74))),
        ("openai", format!("sk-admin-{}T3BlbkFJ{}", body(58), body(58))),
        ("openai", format!("sk-{}T3BlbkFJ{}", plain(20), plain(20))),
        ("anthropic", format!("sk-ant-api03-{}AA", body(93))),
        ("google", format!("AIzaSy{}", body(33))),
        ("google", format!("AQ.Ab8RN6{}", body(44))),
        ("deepseek", "sk-0123456789abcdef0123456789abcdef".into()),
        ("huggingface", "hf_abcdefghijKLMNOPQRSTuvwxyzABCDEFGH".into()),
        ("mistral", plain(32)),
        ("xai", format!("xai-{}", plain(80))),
    ]
}

#[test]
fn every_known_provider_takes_its_own_keys_and_knows_anothers() {
    let keys = keys();
    for (provider, key) in &keys {
        assert_eq!(accepted(provider, key), (key.clone(), 0), "{provider}");
        for other in OWNERS.iter().map(|(owner, _, _)| *owner).filter(|other| other != provider) {
            // `sk-` and bare keys are of many: those are only warned of, or too short.
            let told = match check_key(other, key.as_bytes()) {
                Ok(checked) => !checked.warnings.is_empty(),
                Err(_) => true,
            };
            assert!(told, "{other} took a key of {provider}");
        }
    }
    for (owner, _, length) in OWNERS {
        assert!(keys.iter().any(|(own, _)| *own == owner), "{owner}");
        let words = words_of(owner);
        assert_ne!(words.owns, words_of("").owns, "{owner}");
        assert!(!words.differs.is_empty() && words.cut.is_empty() == (length == 0), "{owner}");
    }
}

#[test]
fn keys_made_by_the_scanners_table_are_taken_where_they_belong_and_named_elsewhere() {
    let mut seed = 5u64;
    let mut next = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((seed >> 33) % below.max(1) as u64).unwrap()
    };
    for (index, rule) in RULES.iter().enumerate() {
        let (text, span) = keys::samples::sample(index, &mut next);
        let key = text.get(span).unwrap();
        let own = OWNERS.iter().any(|(owner, _, _)| *owner == rule.provider);
        if own && !NO_API.contains(&rule.id) {
            assert_eq!(accepted(rule.provider, key), (key.into(), 0), "{}", rule.id);
        }
        if !own && key.bytes().all(|byte| byte.is_ascii_graphic()) && key.len() < LONGEST {
            // Refused, or at least not taken for a key of Groq.
            match check_key("groq", key.as_bytes()) {
                Ok(checked) => assert!(!checked.warnings.is_empty(), "{}", rule.id),
                Err(error) => assert_eq!(error.code, Code::InvalidRequest, "{}", rule.id),
            }
        }
    }
    assert_eq!(
        problem("groq", &["ghp_", "Zk4Qw8Rt2Yp6Lm9Nb3Vc7Xs1Df5Gh0Jq2WeR"].concat()),
        "is a key of another service"
    );
    // Behind a provider's address may be a gateway, which takes its own tokens.
    let token: String = "tg_live_".chars().chain("aZ4Qw8Rt2Yp".chars().cycle().take(59)).collect();
    assert_eq!(accepted("groq", &token).1, 1);
    // A token of an issuer that we do not know may be what a provider takes.
    assert_eq!(accepted("groq", "eyJhbGciOiJub25lIn0.e30.c2ln").1, 1);
}

#[test]
fn the_newer_providers_keys_are_told_apart() {
    let key = |provider: &str| keys().into_iter().find(|(own, _)| *own == provider).map(|(_, key)| key).unwrap();
    assert_eq!(problem("openai", &key("anthropic")), "is a key of Anthropic");
    assert_eq!(problem("anthropic", &key("openai")), "is a key of OpenAI");
    assert_eq!(problem("mistral", &key("huggingface")), "is a key of Hugging Face");
    assert_eq!(problem("deepseek", &key("xai")), "is a key of xAI");
    assert_eq!(problem("xai", "AQ.Ab8RN6abcdef"), "is a key of Google");
    for (provider, length) in [("anthropic", 107), ("google", 38), ("deepseek", 34), ("huggingface", 36), ("xai", 73)] {
        let cut: String = key(provider).chars().take(length).collect();
        assert!(problem(provider, &cut).starts_with("is cut short: "), "{provider}");
    }
    assert_eq!(problem("openai", "sk-proj-abcdef"), "is cut short: an OpenAI key is longer");
    // Of other shapes, and possibly good.
    for (provider, key) in [
        ("google", "AQ.shorter"),
        ("mistral", "shorter"),
        ("openai", "sk-0123456789abcdef0123456789abcdef"),
        ("anthropic", "sk-ant-oat01-abcdef"),
        ("xai", "anything"),
        ("anthropic", &["sk-ant-sid01-", &"aB3dE6gH9-".repeat(9)].concat()),
        ("google", &["GOCSPX-", "aB3dE6gH9k".repeat(3).split_at(28).0].concat()),
        ("mistral", "aB3dE6gH9kaB3dE6gH9kaB3dE6gH9-kk"),
        ("groq", "https://proxy.test/key"),
        ("groq", "aB-xxxx-0123456789abcdef0123"),
    ] {
        assert_eq!(accepted(provider, key), (key.into(), 1), "{provider}");
    }
    for (provider, key) in [
        ("deepseek", "sk-yourapikeyyourapikeyyourapikey12"),
        ("huggingface", "hf_yourtokenyourtokenyourtokenyourto"),
        ("mistral", "yourapikeyyourapikeyyourapikey12"),
        ("anthropic", "sk-ant-api03-xxxxxxxx"),
        ("google", "AIza-your-key"),
        ("groq", "gsk_axxxxb"),
        ("groq", "gsk_abcdefghijklmnopxxxxxxxxabcdefgh"),
        ("groq", "gsk_aaaa"),
    ] {
        assert_eq!(problem(provider, key), "is a placeholder, not a key", "{provider}");
    }
}

#[test]
fn debug_shows_no_key() {
    let checked = check_key("groq", GROQ.as_bytes()).unwrap();
    assert!(!format!("{checked:?}").contains("0123"));
}

proptest! {
    #[test]
    fn hostile_bytes_never_panic_and_what_passes_fits_a_header(bytes: Vec<u8>, text: String) {
        for input in [&bytes[..], text.as_bytes()] {
            if let Ok(checked) = check_key("groq", input) {
                prop_assert!(checked.key.expose().bytes().all(|byte| byte.is_ascii_graphic()));
                prop_assert!(!checked.key.expose().is_empty());
            }
        }
    }

    #[test]
    fn every_key_of_a_known_shape_passes(groq in "gsk_[A-Za-z0-9]{52}", openrouter in "sk-or-v1-[0-9a-f]{64}") {
        prop_assert_eq!(accepted("groq", &groq), (groq.clone(), 0));
        prop_assert_eq!(accepted("openrouter", &openrouter), (openrouter.clone(), 0));
    }
}
