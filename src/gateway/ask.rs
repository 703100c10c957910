//! A request as it came, and in neutral form.

use std::rc::Rc;

use super::facts::{Facts, is_plain_tier};
use super::gate::Gate;
use super::{Call, Wants};
use crate::attempt::Kind;
use crate::cache::{self, Fingerprint, Scope};
use crate::chat::{ChatRequest, Dialect};
use crate::config::TargetConfig;
use crate::error::{Code, Error, Result};
use crate::json::{self, Places};
use crate::provider::anthropic;
use crate::provider::embeddings::{self, EmbeddingsRequest};
use crate::provider::{Outgoing, VECTORS, decode_request, encode_request, is_built, not_built, path, rewrite_request};

/// The text of a request.
#[derive(Clone, Debug)]
pub(super) struct AskText {
    /// As the caller sent it.
    own: Rc<str>,
    /// In OpenAI's form; the same as `own` for callers who speak that.
    neutral: Rc<str>,
    /// Where the fields of `own` lie, if they were read out of it.
    places: Option<Rc<Places>>,
    pub(super) kind: Kind,
}

/// What a request says, as far as the gateway looks at it.
#[derive(Clone)]
pub(super) struct Read {
    pub(super) ask: AskText,
    pub(super) facts: Rc<Facts>,
    pub(super) streams: bool,
    /// Whether it asks for usage in the stream.
    pub(super) include_usage: bool,
    /// Which question it is.
    pub(super) fingerprint: Fingerprint,
}

impl AskText {
    /// Reads a request.
    ///
    /// # Errors
    /// `invalid_request` that names the field; `unpriced_input` for what has no bounded price.
    pub(super) fn read(call: &Call, gate: &Gate, namespace: &str) -> Result<Read> {
        let (own, dialect, model) = (call.body.clone(), call.dialect, call.model.as_deref());
        let fingerprint = |model: Option<&str>, fields: &json::Fields<'_>| {
            let scope = Scope {
                tenant: &call.tenant,
                namespace,
                dialect: dialect.as_str(),
                kind: call.wants.as_str(),
                requested: model.unwrap_or("auto"),
                targets: gate.targets(),
            };
            // By what the caller wrote, not by what was made of it; the two are the same for most.
            if dialect == Dialect::Chat {
                cache::fingerprint(&scope, fields.iter())
            } else {
                cache::fingerprint(&scope, json::fields(&call.body)?.iter())
            }
        };
        match call.wants {
            Wants::Chat => {
                let neutral = match dialect {
                    Dialect::Chat => own.clone(),
                    Dialect::Responses | Dialect::Anthropic | Dialect::Google => {
                        plain_tier(&own)?;
                        decode_request(dialect, &own, model, call.stream)?.into()
                    }
                };
                let request = ChatRequest::parse(&neutral)?;
                let facts = Facts::of(&request, &gate.config, call.drop_in)?.into();
                let (streams, include_usage) = (request.stream, request.include_usage());
                let fingerprint = fingerprint(request.model.as_deref(), &request.fields)?;
                // In the build for speed only: browsers need not load this.
                let kept = cfg!(feature = "speed") && Rc::ptr_eq(&own, &neutral);
                let places = if kept { Places::of(&request.fields, &neutral).map(Rc::new) } else { None };
                drop(request);
                let ask = Self { own, neutral, places, kind: Kind::Chat };
                Ok(Read { ask, facts, streams, include_usage, fingerprint })
            }
            Wants::Embeddings { .. } if !VECTORS => Err(not_built().into()),
            Wants::Embeddings { batch } => {
                let neutral: Rc<str> = match dialect {
                    Dialect::Chat => own.clone(),
                    Dialect::Responses | Dialect::Anthropic | Dialect::Google => {
                        embeddings::decode_request(dialect, &own, model, batch)?.into()
                    }
                };
                let request = EmbeddingsRequest::parse(&neutral)?;
                let facts = Facts::of_embeddings(&request, &gate.config, call.drop_in)?.into();
                let fingerprint = fingerprint(request.model.as_deref(), &json::fields(&neutral)?)?;
                let kind =
                    Kind::Embeddings { inputs: request.inputs.len(), listed: request.listed, base64: request.base64 };
                drop(request);
                let ask = Self { own, neutral, places: None, kind };
                Ok(Read { ask, facts, streams: false, include_usage: false, fingerprint })
            }
        }
    }

    /// For a replay, which sends nothing.
    pub(super) fn none() -> Self {
        Self { own: "".into(), neutral: "".into(), places: None, kind: Kind::Chat }
    }

    /// What follows the base URL; `None` for what the dialect does not have.
    pub(super) fn path(&self, dialect: Dialect, outgoing: &Outgoing<'_>) -> Option<String> {
        match self.kind {
            Kind::Chat => Some(path(dialect, outgoing.model, outgoing.stream)),
            Kind::Embeddings { .. } if !VECTORS => None,
            Kind::Embeddings { listed, .. } => embeddings::path(dialect, outgoing.model, listed),
        }
    }

    /// The request as `dialect` has it.
    ///
    /// # Errors
    /// `invalid_request` that names what the dialect cannot carry.
    pub(super) fn write(&self, dialect: Dialect, caller: Dialect, outgoing: &Outgoing<'_>) -> Result<String> {
        match self.kind {
            Kind::Chat if dialect == caller => {
                let known = self.places.as_ref().and_then(|places| places.fields(&self.own));
                let fields = known.map_or_else(|| json::fields(&self.own), Ok)?;
                Ok(rewrite_request(dialect, &fields, outgoing))
            }
            Kind::Chat => encode_request(dialect, &json::fields(&self.neutral)?, outgoing),
            Kind::Embeddings { .. } if !VECTORS => Err(not_built().into()),
            Kind::Embeddings { .. } if dialect == caller => {
                Ok(embeddings::rewrite_request(dialect, &json::fields(&self.own)?, outgoing.model))
            }
            Kind::Embeddings { .. } => {
                embeddings::encode_request(dialect, &EmbeddingsRequest::parse(&self.neutral)?, outgoing.model)
            }
        }
    }

    /// For each target whether it can carry this request; and what the first that cannot lacks.
    pub(super) fn able(
        &self,
        caller: Dialect,
        betas: Option<&str>,
        stream: bool,
        requested: Option<usize>,
        gate: &Gate,
    ) -> (Vec<bool>, Option<Box<Error>>) {
        let targets = &gate.config.targets;
        let mut lacking = None;
        let asked = requested.and_then(|index| targets.get(index)).map(|target| target.model.as_str());
        let able = targets.iter().map(|target| {
            // Vectors of another model have nothing to do with these.
            if matches!(self.kind, Kind::Embeddings { .. }) && asked != Some(&target.model) {
                return false;
            }
            let dialect = gate.dialect(target, caller);
            if !is_built(dialect) {
                lacking.get_or_insert_with(|| not_built().into());
                return false;
            }
            if dialect == caller {
                return true;
            }
            let outgoing = outgoing(target, u32::MAX, stream);
            let written = betas.map_or(Ok(()), anthropic::without);
            match written.and_then(|()| self.write(dialect, caller, &outgoing)) {
                Ok(_) => true,
                Err(error) => {
                    lacking.get_or_insert(error);
                    false
                }
            }
        });
        (able.collect(), lacking)
    }
}

/// The tier is a hint that translations leave out, but the provider of the caller's own dialect reads it.
fn plain_tier(own: &str) -> Result<()> {
    let fields = json::fields(own)?;
    for name in ["service_tier", "serviceTier"] {
        let tier = fields.field(name).filter(|raw| raw.get() != "null");
        if tier.is_some_and(|raw| !is_plain_tier(raw)) {
            return Err(Error::field(Code::UnpricedInput, name, "must be a tier at the listed price").into());
        }
    }
    Ok(())
}

/// A request to a target. A relay is told the target by its whole name.
pub(super) fn outgoing(target: &TargetConfig, max_output_tokens: u32, stream: bool) -> Outgoing<'_> {
    let model = if target.relay.is_some() { &target.name } else { &target.model };
    let relayed = target.relay.is_some();
    Outgoing { provider: target.carrier(), model, max_output_tokens, stream, relayed, most: None }
}

/// What to say when the only targets left cannot carry the request.
pub(super) fn unable(lacking: Option<&Error>) -> Error {
    lacking.cloned().unwrap_or_else(|| Error::new(Code::InvalidRequest))
}
