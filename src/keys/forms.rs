//! Writes a key in every form and place that a text may have it in, for tests.

#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, clippy::string_slice, reason = "tests make them")]

use super::samples;

/// A key in every form that a text may have it in, with the name of the form. It begins at `from` of `key`.
#[must_use]
pub fn forms(key: &str, from: usize, next: samples::Next<'_>) -> Vec<(&'static str, String)> {
    let each = |write: &dyn Fn(u8) -> String| key.bytes().map(write).collect::<String>();
    let json = key.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let twice = json.replace('\\', "\\\\").replace('"', "\\\"");
    let at = from + 1 + next(key.len() - from - 1);
    let (head, tail) = key.split_at(at);
    let word = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let percent = |byte: u8| if word(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    vec![
        ("env", format!("KEY={key}\nNEXT=1\n")),
        ("constant", format!("const key = \"{json}\";")),
        ("minified", format!("e.k=\"{json}\",t=1")),
        ("json", format!("{{\"code\":\"const k = \\\"{twice}\\\"\"}}")),
        ("json twice", format!("{{\"a\":\"{{\\\"b\\\":\\\"\\\\n{twice}\\\\n\\\"}}\"}}")),
        ("html", format!("<a data-key='{key}'>text</a>")),
        ("query", format!("https://a.example/x?key={}&b=1", each(&percent))),
        ("csv", format!("a,{key},b\n")),
        ("log", format!("12:01 using key {key}, retrying.")),
        ("call", format!("f({key:?},1)")),
        ("template", format!("`Bearer {key}`")),
        ("concat", format!("x=\"{}\"+\"{}\";", head.replace('\n', "\\n"), tail.replace('\n', "\\n"))),
        ("lines", format!("x = '{}' +\n    '{}';", head.replace('\n', "\\n"), tail.replace('\n', "\\n"))),
        ("base64", samples::base64(format!("{}{key}", &"?? "[next(3)..]).as_bytes())),
        ("percent", each(&|byte| format!("%{byte:02x}"))),
        ("percent twice", each(&|byte| format!("%25{byte:02X}"))),
        ("hex", format!("k='{}'", each(&|byte| format!("\\x{byte:02x}")))),
        ("unicode", format!("\"{}\"", each(&|byte| format!("\\u{byte:04x}")))),
        ("one escape", format!("\"{}\\u{:04x}{}\"", &key[..at - 1], key.as_bytes()[at - 1], tail.replace('\n', "\\n"))),
    ]
}
