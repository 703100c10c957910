//! Time zones by the host's `Intl`.

use js_sys::{Array, Object, Reflect};
use wasm_bindgen::prelude::*;

use crate::host::ZoneRules;
use crate::time::Timestamp;

/// The zone rules that the runtime knows.
pub(super) struct Intl;

impl ZoneRules for Intl {
    fn offset_at(&self, zone: &str, at: Timestamp) -> Option<i32> {
        if zone == "UTC" {
            return Some(0);
        }
        // `longOffset` gives "GMT+05:30", "GMT-08:00" or plain "GMT".
        let options = Object::new();
        Reflect::set(&options, &"timeZone".into(), &zone.into()).ok()?;
        Reflect::set(&options, &"timeZoneName".into(), &"longOffset".into()).ok()?;
        let format = DateTimeFormat::new("en-US", &options).ok()?;
        #[expect(clippy::cast_precision_loss, reason = "milliseconds since the epoch fit 53 bits")]
        let parts = format.format_to_parts(at.as_millis() as f64).ok()?;
        let name = Array::from(&parts).iter().find_map(|part| {
            let field = |name: &str| Reflect::get(&part, &name.into()).ok()?.as_string();
            (field("type")? == "timeZoneName").then(|| field("value"))?
        })?;
        parse_offset(name.strip_prefix("GMT")?)
    }
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = Intl)]
    type DateTimeFormat;

    #[wasm_bindgen(constructor, js_namespace = Intl, catch)]
    fn new(locale: &str, options: &Object) -> Result<DateTimeFormat, JsValue>;

    #[wasm_bindgen(method, js_name = formatToParts, catch)]
    fn format_to_parts(this: &DateTimeFormat, at: f64) -> Result<JsValue, JsValue>;
}

fn parse_offset(text: &str) -> Option<i32> {
    if text.is_empty() {
        return Some(0);
    }
    let (sign, rest) = match text.strip_prefix('+') {
        Some(rest) => (1, rest),
        None => (-1, text.strip_prefix('-').or_else(|| text.strip_prefix('\u{2212}'))?),
    };
    let mut seconds = 0u64;
    for (part, unit) in rest.split(':').zip([3_600, 60, 1]) {
        seconds = seconds.checked_add(part.parse::<u64>().ok()?.checked_mul(unit)?)?;
    }
    i32::try_from(seconds).ok()?.checked_mul(sign)
}
