#![allow(clippy::arithmetic_side_effects, clippy::string_slice, reason = "tests")]

use super::super::tests::{numbers, options};
use super::super::{Finding, Scanner};
use super::*;
use crate::keys::forms::forms;
use crate::keys::samples::{base64, random, sample};

const PASSWORD: &str = "Rt9#kd %Vq\"2\\wz=&L'm";

fn watching(name: &str, value: &str) -> Values {
    let mut values = Values::default();
    values.add(name, ".env:1", value.as_bytes());
    values
}

fn found(values: Values, text: &str) -> Vec<Finding> {
    let mut all = Vec::new();
    Scanner::with_values(options(), values).finish_with(text.as_bytes(), &mut |finding| all.push(finding));
    all
}

#[test]
fn a_value_is_found_in_every_form() {
    let percent = |byte: u8| format!("%{byte:02x}");
    let json = PASSWORD.replace('\\', "\\\\").replace('"', "\\\"");
    let twice = json.replace('\\', "\\\\").replace('"', "\\\"");
    for text in [
        PASSWORD.to_owned(),
        format!("f(\"{json}\")"),
        format!("{{\"code\":\"f(\\\"{twice}\\\")\"}}"),
        "pw=Rt9%23kd%20%25Vq%222%5Cwz%3D%26L'm&x=1".to_owned(),
        "pw=Rt9%23kd+%25Vq%222%5cwz%3d%26L%27m&x=1".to_owned(),
        PASSWORD.bytes().map(percent).collect(),
        PASSWORD.bytes().map(|byte| format!("\\x{byte:02x}")).collect(),
        PASSWORD.bytes().map(|byte| format!("\\u{byte:04x}")).collect(),
        base64(PASSWORD.as_bytes()),
        base64(format!("u:{PASSWORD}").as_bytes()),
        base64(format!("user:{PASSWORD}@").as_bytes()),
        base64(format!("usr:{PASSWORD}").as_bytes()).replace('+', "-").replace('/', "_"),
    ] {
        let all = found(watching("DB_PASSWORD", PASSWORD), &format!("a {text} b"));
        assert_eq!(all.len(), 1, "{text}");
        assert_eq!((all[0].rule, all[0].class), ("env-value", Class::Secret), "{text}");
        assert_eq!(all[0].preview, "DB_PASSWORD (.env:1)");
        assert!(!format!("{all:?}").contains("kd"), "{all:?}");
    }
}

#[test]
fn shapeless_secrets_in_the_forms_of_keys() {
    let mut next = numbers(31);
    for _ in 0..40 {
        let length = 12 + next(50);
        let value = random(63, length, &mut next);
        for (form, text) in forms(&value, 0, &mut next) {
            let all = found(watching("SERVICE_TOKEN", &value), &text);
            assert_eq!(all.len(), 1, "{form}: {value} in {text}");
            let fingerprints = found(watching("OTHER_KEY", &value), &value);
            assert_eq!(all[0].fingerprint, fingerprints[0].fingerprint, "{form}");
        }
    }
}

#[test]
fn without_values_nothing_of_it_is_found() {
    assert_eq!(found(Values::default(), PASSWORD), []);
    assert_eq!(found(watching("APP_TITLE", PASSWORD), PASSWORD), []);
    assert_eq!(found(watching("DB_PASSWORD", "another-Value-17"), PASSWORD), []);
}

#[test]
fn names_that_tell_of_secrets() {
    for name in [
        "API_KEY",
        "apiKey",
        "DB_PASSWORD",
        "dbPassword",
        "JWT_SECRET",
        "session.secret",
        "GITHUB_TOKEN",
        "authToken",
        "PGPASSWORD",
        "MYSQL_PWD",
        "AUTH",
        "PRIVATE_KEY",
        "AZURE_OPENAI_KEY",
        "OPENAIAPIKEY",
        "VITE_DB_PASSWORD",
        "SLACK_WEBHOOK",
        "GOOGLE_CREDENTIALS",
        "REFRESH_TOKENS",
    ] {
        assert!(watching(name, "k3J9x_Qp4mZ8").add(name, "", b"anotherV4lue"), "{name}");
    }
    for name in [
        "",
        "PWD",
        "MONKEY",
        "KEYBOARD",
        "API_KEY_ID",
        "TOKEN_URL",
        "AUTH_HOST",
        "PUBLIC_KEY",
        "STRIPE_PUBLISHABLE_KEY",
        "SUPABASE_ANON_KEY",
        "RECAPTCHA_SITE_KEY",
        "JWT_ISSUER",
        "PRIVATE_KEY_PATH",
        "SECRET_NAME",
        "PASSWORD_LENGTH",
        "COMPASS",
        "AUTHOR",
        "VITE_TITLE",
    ] {
        assert!(!Values::default().add(name, "", b"k3J9x_Qp4mZ8"), "{name}");
    }
}

#[test]
fn a_name_that_tells_of_nothing_else_is_worse() {
    for (name, severity) in [("DB_PASSWORD", Severity::High), ("API_KEY", Severity::Medium)] {
        assert_eq!(found(watching(name, PASSWORD), PASSWORD)[0].severity, severity);
    }
}

#[test]
fn values_that_are_common_are_left_alone() {
    for value in [
        "",
        "true",
        "secret",
        "postgres",
        "12345678",
        "localhost",
        "development",
        "aaaaaaaaaaaaaaaa",
        "your-api-key-1",
        "changeme123",
        "https://example.org/a1",
        "my-app-name",
        "$OTHER_KEY1",
    ] {
        assert!(!Values::default().add("API_SECRET", "", value.as_bytes()), "{value}");
    }
    for value in ["hunter2!", "postgres1", "correct horse battery staple", "0123456789abcdef0123456789abcdef"] {
        assert!(Values::default().add("API_SECRET", "", value.as_bytes()), "{value}");
    }
}

#[test]
fn keys_that_were_made_to_be_seen_are_not_searched() {
    let mut next = numbers(32);
    for (index, rule) in crate::keys::RULES.iter().enumerate().filter(|(_, rule)| rule.class == Class::Publishable) {
        let (key, span) = sample(index, &mut next);
        assert!(!Values::default().add("APP_KEY", "", key[span].as_bytes()), "{}", rule.id);
    }
}

#[test]
fn a_password_in_an_address_is_found_alone_too() {
    let address = "postgres://app:Xy7%2Fq%40Lm2@db.example.net:5432/main";
    for text in ["connect('app', 'Xy7/q@Lm2')", "Xy7%2Fq%40Lm2", address] {
        let all = found(watching("DATABASE_URL", address), text);
        assert_eq!(all.len(), 1, "{text} {all:?}");
    }
    assert!(!Values::default().add("DATABASE_URL", "", b"postgres://postgres:postgres@localhost/db"));
    assert!(!Values::default().add("DATABASE_URL", "", b"postgres://localhost/db"));
}

#[test]
fn a_short_value_must_stand_alone() {
    for (text, count) in [("x hunter2! y", 1), ("aHunter hunter2!", 1), ("xhunter2!", 0), ("'hunter2!'", 1)] {
        assert_eq!(found(watching("PASSWORD", "hunter2!"), text).len(), count, "{text}");
    }
}

#[test]
fn any_chunks_give_the_same() {
    let mut next = numbers(33);
    let value = random(63, 40, &mut next);
    let mut text = String::new();
    for _ in 0..40 {
        let length = next(9_000);
        text.push_str(&random(15, length, &mut next));
        text.extend([" ", &value, " ", &base64(value.as_bytes())]);
    }
    let whole = found(watching("A_KEY", &value), &text);
    assert_eq!(whole.len(), 80);
    for most in [700, 70_000] {
        let mut scanner = Scanner::with_values(options(), watching("A_KEY", &value));
        let (mut all, mut rest) = (Vec::new(), text.as_bytes());
        while !rest.is_empty() {
            let (now, later) = rest.split_at((1 + next(most)).min(rest.len()));
            scanner.push(now, &mut |finding| all.push(finding));
            rest = later;
        }
        scanner.finish_with(&[], &mut |finding| all.push(finding));
        assert_eq!(all, whole);
    }
}
