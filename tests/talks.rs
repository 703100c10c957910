//! Whole conversations: an app's history goes to one provider after another, through tools, in each dialect. No provider
//! may get a history that it refuses, and each gets back what it signed.
#![cfg(all(feature = "testing", not(target_arch = "wasm32")))]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

#[path = "talks/accepts.rs"]
mod accepts;
#[path = "talks/callers.rs"]
mod callers;
#[path = "talks/providers.rs"]
mod providers;

use accepts::{pieces, refusal};
use callers::{Caller, Thinking};
use proptest::prelude::*;
use providers::{PROVIDERS, Shape, answer};
use serde_json::Value;
use tidegate::chat::{Completion, Dialect};
use tidegate::json::fields;
use tidegate::provider::{Outgoing, Stamp, decode_body, decode_request, encode_body, encode_request, rewrite_request};

#[derive(Clone, Debug)]
struct Step {
    provider: usize,
    shape: Shape,
    backwards: bool,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let shape = (any::<bool>(), 0..3u8, 0..3u8, any::<bool>());
    let shape = shape.prop_map(|(reasons, text, calls, mixed)| Shape { reasons, text, calls, mixed });
    let step = (0..PROVIDERS.len(), shape, any::<bool>());
    let step = step.prop_map(|(provider, shape, backwards)| Step { provider, shape, backwards });
    proptest::collection::vec(step, 1..8)
}

fn same(one: &[String], other: &[String], in_order: bool) -> bool {
    one == other || !in_order && other.iter().all(|piece| one.contains(piece))
}

/// Sends the conversation through the steps; gives how many requests were written.
fn talk(dialect: Dialect, keeps: bool, thinking: Thinking, steps: &[Step]) -> Result<usize, TestCaseError> {
    let mut caller = Caller::new(dialect, keeps, thinking);
    let mut signed: Vec<(usize, bool, Vec<String>, Vec<String>)> = Vec::new();
    let mut written = 0;
    caller.ask("Question 0?");
    for (at, step) in steps.iter().enumerate() {
        let provider = &PROVIDERS[step.provider];
        let own = provider.dialect == dialect;
        let outgoing = Outgoing {
            provider: provider.id,
            model: provider.model,
            max_output_tokens: 5_000,
            stream: false,
            relayed: false,
            most: None,
        };
        let request = caller.request().to_string();
        let body = if own {
            Ok(rewrite_request(dialect, &fields(&request).unwrap(), &outgoing))
        } else {
            let neutral = decode_request(dialect, &request, Some("m"), false);
            let neutral = neutral.map_err(|error| TestCaseError::fail(format!("{error:?}\n{request}")))?;
            encode_request(provider.dialect, &fields(&neutral).unwrap(), &outgoing)
        };
        // What cannot be carried leaves the target out.
        let Ok(body) = body else { continue };
        written += 1;
        let body: Value = serde_json::from_str(&body).unwrap();
        let told = refusal(provider, &body);
        prop_assert!(told.is_none(), "{} {}: {}\n{request}\n{body}", provider.id, provider.model, told.unwrap());
        if keeps {
            let sent = body.to_string();
            let back = pieces(provider.dialect, &body);
            for (_, between, signatures, said) in signed.iter().filter(|(by, ..)| *by == step.provider) {
                for signature in signatures {
                    prop_assert!(
                        sent.contains(signature),
                        "{signature} is lost on the way to {}\n{request}\n{body}",
                        provider.id
                    );
                }
                // The neutral form has one text, and no place for what was thought or signed behind it.
                let in_order = own || !between;
                let whole = said.is_empty() || back.windows(said.len()).any(|pieces| same(pieces, said, in_order));
                prop_assert!(whole, "{} said {said:?}, and gets back {back:?}\n{request}\n{body}", provider.id);
            }
        }
        // With a budget Claude thinks before it does anything.
        let reasons = step.shape.reasons || body["thinking"]["type"] == "enabled";
        let (reply, signatures) = answer(provider, Shape { reasons, ..step.shape }, at);
        let between = step.shape.mixed && matches!(provider.dialect, Dialect::Responses | Dialect::Google);
        signed.push((step.provider, between, signatures, pieces(provider.dialect, &reply)));
        let reply = if own {
            reply
        } else {
            let mut completion = Completion::default();
            decode_body(provider.dialect, provider.id, &reply.to_string(), &mut |delta| completion.push(&delta))
                .unwrap();
            let stamp = Stamp::new(5, true);
            serde_json::from_str(&encode_body(dialect, &completion, &stamp)).unwrap()
        };
        if !caller.hear(&reply, step.backwards) {
            caller.ask(&format!("Question {at}?"));
        }
    }
    Ok(written)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_provider_refuses_the_history_of_others(steps in steps(), keeps: bool, thinking in 0..3usize) {
        let thinking = [Thinking::None, Thinking::Effort, Thinking::Budget][thinking];
        for dialect in Dialect::ALL {
            // An app of Anthropic's that loses what Claude thought is refused by the API, and by right.
            if dialect == Dialect::Anthropic && !keeps && thinking == Thinking::Budget {
                continue;
            }
            let written = talk(dialect, keeps, thinking, &steps)?;
            prop_assert!(written * 2 >= steps.len() || thinking != Thinking::None, "{dialect:?} left out nearly all");
        }
    }
}
