//! How a model draws its words. One that thinks, and each since Opus 4.7, does it in its own way: the API refuses any
//! other ("`temperature` is deprecated for this model"), and both a temperature and a `top_p` ("cannot both be specified
//! for this model"). The values that change nothing are left out there.

use super::models::Age;
use super::place::present;
use crate::error::{Error, Result};
use crate::json::{Fields, Raw};
use crate::provider::anthropic::write::field;

/// Appends `temperature`, `top_p` and `top_k`, which are numbers.
pub(super) fn encode(out: &mut String, request: &Fields<'_>, age: Age, thinks: bool) -> Result<()> {
    let given = |name: &str| present(request, name).map(Raw::get);
    let refuse = |name: &str, problem| Err(Error::invalid(name, problem).into());
    let own_way = thinks || age >= Age::Unsampled;
    // "When thinking is enabled, you can set `top_p` to values between 1 and 0.95."
    let is_near_one = |number: &str| {
        let tenths = number.strip_prefix("0.9").and_then(|rest| rest.bytes().next());
        age < Age::Unsampled && tenths.is_some_and(|digit| (b'5'..=b'9').contains(&digit))
    };
    let temperature = given("temperature");
    if temperature.is_some_and(|number| !up_to_one(number)) {
        return refuse("temperature", "must be a number from 0 to 1 for this API, written plainly");
    }
    // 1 is what the model does unasked, and all of its words.
    let temperature = temperature.filter(|number| !is_one(number) || age == Age::Foreign && !thinks);
    let top_p = given("top_p").filter(|number| !is_one(number));
    let all = [("temperature", temperature), ("top_p", top_p), ("top_k", given("top_k"))];
    if own_way
        && let Some((name, _)) =
            all.into_iter().find(|(name, number)| number.is_some_and(|number| *name != "top_p" || !is_near_one(number)))
    {
        return refuse(
            name,
            if thinks { "cannot be set while the model reasons" } else { "is not taken by this model" },
        );
    }
    if age != Age::Foreign && temperature.is_some() && top_p.is_some() {
        return refuse("top_p", "cannot stand beside a temperature for this API");
    }
    for (name, number) in all {
        if let Some(number) = number {
            field(out, name, number);
        }
    }
    Ok(())
}

/// 1, also as `1.00`.
fn is_one(number: &str) -> bool {
    number.strip_prefix('1').is_some_and(|rest| rest.is_empty() || rest.strip_prefix('.').is_some_and(zeros))
}

fn zeros(text: &str) -> bool {
    text.bytes().all(|byte| byte == b'0')
}

/// A JSON number from 0 to 1 without an exponent.
fn up_to_one(number: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    match number.split_once('.').unwrap_or((number, "")) {
        ("0", fraction) => digits(fraction),
        ("1" | "-0", fraction) => zeros(fraction),
        _ => false,
    }
}
