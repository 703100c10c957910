//! Thought signatures (ai.google.dev/gemini-api/docs/thought-signatures) as neutral reasoning details, and
//! the way back.
//!
//! A signature on a function call travels as the call's `extra_content`. One on a text becomes a detail of
//! OpenRouter's form, marked with `format: google-gemini-v1`. The other way about, a caller who speaks this
//! dialect may be answered by a provider that signs its reasoning otherwise, or not at all. Its detail then
//! travels inside a made-up signature, which the caller sends back with the conversation, and its calls are
//! marked, because Gemini since 3 refuses calls without a signature. Before either reaches Gemini it is replaced.

use std::borrow::Cow;

use super::fields::push;
use crate::json::{self, Escaped, Fields};
use crate::text::contains;

const FORMAT: &str = "google-gemini-v1";
/// Marks a made-up signature. Digits of base16 are digits of base64 as well, so clients that decode and encode
/// signatures (Python's) leave it as it is, provided that its length is a multiple of four.
const CARRIER: &str = "tidegate";

/// The detail for a signature on a text, or on a thought.
pub(super) fn detail(signature: &str, thought: bool) -> String {
    let (kind, name) = if thought { ("text", "signature") } else { ("encrypted", "data") };
    ["{\"type\":\"reasoning.", kind, "\",\"format\":\"", FORMAT, "\",\"", name, "\":\"", signature, "\"}"].concat()
}

/// The detail that stands behind a signature in a caller's conversation.
pub(super) fn detail_of_caller(signature: &str, thought: bool) -> String {
    carried(signature).unwrap_or_else(|| detail(signature, thought))
}

fn carried(signature: &str) -> Option<String> {
    let digits = signature.strip_prefix(CARRIER)?.as_bytes();
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let bytes = digits.chunks(2).map(|pair| match pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    });
    let item = String::from_utf8(bytes.collect::<Option<_>>()?).ok()?;
    json::fields(&item).ok().map(|_| item.trim_end().into())
}

/// A part that carries a detail to Gemini; nothing for those of other providers, which it could not read.
pub(super) fn push_own(out: &mut String, item: &str) {
    if let Some((signature, thought)) = own(item) {
        push_part(out, &signature, thought);
    }
}

/// A part that carries a detail to a caller, who sends it back.
pub(super) fn push_any(out: &mut String, item: &str) {
    if let Some((signature, thought)) = own(item) {
        return push_part(out, &signature, thought);
    }
    let mut signature = String::from(CARRIER);
    let padding = if item.len() % 2 == 1 { " " } else { "" };
    for byte in item.bytes().chain(padding.bytes()) {
        signature.extend([byte >> 4, byte & 15].iter().filter_map(|digit| char::from_digit((*digit).into(), 16)));
    }
    push_part(out, &signature, false);
}

fn own(item: &str) -> Option<(String, bool)> {
    let fields = json::fields(item).ok()?;
    fields.field("format").and_then(json::text).filter(|format| format == FORMAT)?;
    let inner = |name: &str| fields.field(name).and_then(Escaped::of).filter(|inner| !inner.is_empty());
    let thought = inner("data").is_none();
    Some((inner("data").or_else(|| inner("signature"))?.get().into(), thought))
}

fn push_part(out: &mut String, signature: &str, thought: bool) {
    super::fields::comma(out);
    let thought = if thought { ",\"thought\":true" } else { "" };
    push(out, &["{\"text\":\"\"", thought, ",\"thoughtSignature\":\"", signature, "\"}"]);
}

/// `extra_content` for a signature on a function call.
pub(super) fn extra(signature: &Escaped<'_>) -> Cow<'static, str> {
    ["{\"google\":{\"thought_signature\":\"", signature.get(), "\"}}"].concat().into()
}

/// The signature in an `extra_content`, escaped.
pub(super) fn of_extra(extra: &str) -> Option<String> {
    let google = json::fields(json::fields(extra).ok()?.field("google")?.get()).ok()?;
    Some(Escaped::of(google.field("thought_signature")?)?.get().into())
}

/// The first call of an answer is the one that is signed. This marks one that another model made.
pub(super) const FOREIGN: &str = "tidegatecall";

/// What stands in for the signature of a call that another model made (the same page, "transferring history
/// from a different model").
pub(super) const STAND_IN: &str = "skip_thought_signature_validator";

/// Whether this model refuses a conversation whose calls have no signature: all Gemini since the third do, and names
/// without a number (`gemini-flash-latest`) are theirs.
pub(super) fn is_asked_by(model: &str) -> bool {
    contains(model, "gemini-") && !contains(model, "gemini-1") && !contains(model, "gemini-2")
}

/// A signature as it is written in a part, if it is one.
pub(super) fn of_part<'a>(part: &Fields<'a>) -> Option<Escaped<'a>> {
    let signature = part.field("thoughtSignature").and_then(Escaped::of)?;
    Some(signature).filter(|own| !own.is_empty() && own.get() != FOREIGN)
}

/// Appends a caller's contents for Gemini: byte for byte, but for the signatures that were made up here.
pub(super) fn push_contents(out: &mut String, mut contents: &str, model: &str) {
    let opening = ["\"", CARRIER].concat();
    while let Some((before, rest)) = contents.split_once(&opening) {
        let Some((inner, after)) = rest.split_once('"') else { break };
        out.push_str(before);
        let name = before.trim_end().strip_suffix(':').unwrap_or("").trim_end();
        let made_up = inner == "call" || inner.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !made_up || !name.ends_with("thoughtSignature\"") && !name.ends_with("thought_signature\"") {
            push(out, &[&opening, inner, "\""]);
        } else if inner == "call" && is_asked_by(model) {
            push(out, &["\"", STAND_IN, "\""]);
        } else {
            out.push_str("null");
        }
        contents = after;
    }
    out.push_str(contents);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_made_up_never_reaches_gemini() {
        let contents = r#"[{"text":"\"tidegatecall\"","thoughtSignature": "tidegate7b7d"},{"thought_signature":"tidegatecall"},{"text":"tidegatecall"},{"thoughtSignature":"own"}]"#;
        for (model, signature) in [("gemini-3-pro", "\"skip_thought_signature_validator\""), ("gemini-2.5-pro", "null")]
        {
            let mut out = String::new();
            push_contents(&mut out, contents, model);
            let expected = contents.replace("\"tidegate7b7d\"", "null");
            let expected = expected.replace(":\"tidegatecall\"},{\"text", &format!(":{signature}}},{{\"text"));
            assert_eq!(out, expected);
        }
        let mut cut = String::new();
        push_contents(&mut cut, "\"tidegate", "m");
        assert_eq!(cut, "\"tidegate");
    }

    #[test]
    fn every_model_since_the_third_asks_for_signatures() {
        for model in ["gemini-3-flash-preview", "gemini-4-argon", "gemini-flash-latest", "models/gemini-3.8-flash"] {
            assert!(is_asked_by(model), "{model}");
        }
        for model in ["gemini-2.5-pro", "gemini-2.0-flash", "gemini-1.5-pro-002", "gemma-3-27b-it"] {
            assert!(!is_asked_by(model), "{model}");
        }
    }

    #[test]
    fn a_detail_comes_back_as_it_went() {
        for thought in [false, true] {
            let item = detail("AbC+/=", thought);
            let mut part = String::new();
            push_own(&mut part, &item);
            let fields = json::fields(&part).unwrap();
            assert_eq!(fields.field("thoughtSignature").unwrap().get(), "\"AbC+/=\"");
            assert_eq!(fields.field("thought").is_some(), thought);
            assert_eq!(detail_of_caller("AbC+/=", thought), item);
        }
    }

    #[test]
    fn another_providers_detail_travels_inside_a_signature() {
        for item in [r#"{"type":"reasoning.text","signature":"é"}"#, r#"{"type":"reasoning.text","signature":"eé"}"#]
        {
            let mut part = String::new();
            push_any(&mut part, item);
            let signature = json::text(json::fields(&part).unwrap().field("thoughtSignature").unwrap()).unwrap();
            assert_eq!(signature.len() % 4, 0);
            assert_eq!(detail_of_caller(&signature, false), item);
            let mut nothing = String::new();
            push_own(&mut nothing, item);
            assert_eq!(nothing, "", "Gemini could not read it");
        }
        for hostile in ["tidegate", "tidegatezz", "tidegate7", "tidegate7b7d7b", "tidegateff", "tidegate7bé"] {
            assert!(detail_of_caller(hostile, false).contains("google-gemini-v1"), "{hostile}");
        }
    }
}
