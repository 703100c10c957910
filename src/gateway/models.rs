//! The list of models: the configured targets.

use super::Gate;
use super::facts::unknown_model;
use crate::chat::Dialect;
use crate::error::{Error, Result};
use crate::provider::models::{Listed, encode_model, encode_models, find};
use crate::time::Timestamp;

/// The models that a caller may ask this gate for, as a client of `dialect` reads them; or the one of this id.
///
/// # Errors
/// `invalid_request` (404) if no target has that name.
pub fn models(gate: &Gate, dialect: Dialect, id: Option<&str>, now: Timestamp) -> Result<String> {
    let config = &gate.config;
    let listed = config.targets.iter().map(|target| {
        let price = gate.prices.lookup_until(&target.provider, &target.model, now, now, &config.prices);
        Listed {
            target,
            context: price.and_then(|price| price.context),
            max_output: price.and_then(|price| price.max_output),
        }
    });
    let listed: Vec<_> = listed.collect();
    match id {
        None => Ok(encode_models(dialect, &listed)),
        Some(id) => {
            let missing = || unknown_model(config, "");
            let one = find(&listed, id).ok_or_else(|| Error { status: Some(404), ..missing() })?;
            Ok(encode_model(dialect, one))
        }
    }
}
