//! Plain data to and from JavaScript, through one configured serialiser; errors as plain objects, which
//! the adapter makes real `Error`s of.

use serde::{Deserialize, Serialize};
use wasm_bindgen::JsValue;

use crate::error::{Code, Detail, Error};
use crate::value::Value;

/// A JavaScript object as plain data.
pub(super) fn from_js(value: JsValue) -> Result<Value, JsValue> {
    let deserializer = serde_wasm_bindgen::Deserializer::from(value);
    Value::deserialize(deserializer).map_err(|_| error(&Error::field(Code::ConfigInvalid, "", "must be plain data")))
}

/// Plain data as a JavaScript object. Whole numbers become numbers, not BigInts: what we count stays
/// below 2^53.
pub(super) fn to_js(value: &Value) -> JsValue {
    value.serialize(&serde_wasm_bindgen::Serializer::json_compatible()).unwrap_or(JsValue::NULL)
}

/// An error as a plain object.
pub(super) fn error(error: &Error) -> JsValue {
    let mut fields = vec![
        ("code", error.code.as_str().into()),
        ("message", error.code.message().into()),
        ("status", u32::from(error.http_status()).into()),
        ("shouldRetry", error.should_retry().into()),
        ("provider", error.provider.as_deref().into()),
        ("attempt", error.attempt.into()),
        ("retryAfterMs", error.retry_after.into()),
    ];
    match &error.detail {
        Detail::None => {}
        Detail::Fields(bad) => {
            let each =
                bad.iter().map(|one| Value::map([("path", one.path.as_str().into()), ("problem", one.problem.into())]));
            fields.push(("fields", each.collect()));
        }
        Detail::Budget { limit, spent, reserved, resets_at } => fields.push((
            "budget",
            Value::map([
                ("limitNanoUsd", (*limit).into()),
                ("spentNanoUsd", (*spent).into()),
                ("reservedNanoUsd", (*reserved).into()),
                ("resetsAt", (*resets_at).into()),
            ]),
        )),
        Detail::Status(status) => fields.push(("upstreamStatus", u32::from(*status).into())),
        Detail::Timeout(kind) => fields.push(("timeout", kind.as_str().into())),
        Detail::Network(kind) => fields.push(("network", kind.as_str().into())),
    }
    let attempts = error.attempts.iter().map(|one| {
        Value::map([
            ("attempt", one.attempt.into()),
            ("target", one.target.as_str().into()),
            ("code", one.code.as_str().into()),
            ("status", one.status.map(u32::from).into()),
        ])
    });
    fields.push(("attempts", attempts.collect()));
    let present = fields.into_iter().filter(|(_, value)| *value != Value::Null);
    to_js(&Value::Map(present.map(|(name, value)| (name.into(), value)).collect()))
}
