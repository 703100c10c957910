//! What the gateway's decisions need to know of a request: counts and sizes, no content. A decision
//! record carries these, so that it can be replayed without the request.

use crate::chat::{ChatRequest, Part};
use crate::config::GatewayConfig;
use crate::error::{Code, Error, Result};
use crate::json;
use crate::price::Parts;
use crate::provider::embeddings::EmbeddingsRequest;
use crate::record::{Field, Outcome, Tape};
use crate::text::{contains, decimal};

/// The counts and sizes of one request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Facts {
    /// Index of the target that the request asks for.
    pub(super) requested: Option<usize>,
    /// Output bound that the request states.
    pub(super) max_output: Option<u32>,
    /// Answers asked for.
    pub(super) choices: u32,
    /// Whether the answer is drawn at random.
    pub(super) sampled: bool,
    /// What its price depends on.
    pub(super) parts: Parts,
}

/// Which targets a request can reach.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Reach {
    /// For each target, whether there is a key.
    pub(super) keyed: Vec<bool>,
    /// For each target, whether its dialect can carry the request.
    pub(super) able: Vec<bool>,
    /// What the first one that cannot lacks.
    pub(super) lacking: Option<Box<Error>>,
    /// Whether the vault was locked when the request came.
    pub(super) locked: bool,
}

impl Reach {
    /// For each target: 1 with a key, 2 able, 3 both.
    pub(super) fn write(&self, tape: &mut Tape) {
        let mut fields: Vec<Field<'_>> = vec!["reach".into(), self.locked.into()];
        let flags = self.keyed.iter().zip(&self.able);
        fields.extend(flags.map(|(keyed, able)| Field::from(u32::from(*keyed) | u32::from(*able) << 1)));
        tape.line(&fields);
    }

    /// Reads back what [`write`](Self::write) wrote.
    pub(super) fn read(line: &str) -> Option<Self> {
        let mut flags = line.strip_prefix("reach\t")?.split('\t');
        let locked = flags.next() == Some("1");
        let mut reach = Self { locked, ..Self::default() };
        for flag in flags {
            reach.keyed.push(matches!(flag, "1" | "3"));
            reach.able.push(matches!(flag, "2" | "3"));
        }
        Some(reach)
    }
}

impl Facts {
    /// Measures a request and checks it against the limits.
    ///
    /// # Errors
    /// `invalid_request` if it is too long or names a model that is no target. Through the drop-in fetch only
    /// the model's context is a limit.
    pub(super) fn of(request: &ChatRequest<'_>, config: &GatewayConfig, drop_in: bool) -> Result<Self> {
        if !drop_in && request.utf16_units() > config.limits.max_input_units.into() {
            return Err(too_long("messages", config).into());
        }
        bounded(request)?;
        let requested = requested(request.model.as_deref(), config)?;
        Ok(Self {
            requested,
            max_output: request.max_output_tokens,
            choices: request.choices,
            sampled: request.sampled,
            parts: measure(request),
        })
    }

    /// Measures a request for vectors, whose only cost is its input.
    ///
    /// # Errors
    /// As [`of`](Self::of); a model must be named, since vectors of different models have nothing in common.
    pub(super) fn of_embeddings(
        request: &EmbeddingsRequest<'_>,
        config: &GatewayConfig,
        drop_in: bool,
    ) -> Result<Self> {
        if !drop_in && request.utf16_units() > config.limits.max_input_units.into() {
            return Err(too_long("input", config).into());
        }
        let requested = requested(request.model.as_deref(), config)?;
        if requested.is_none() {
            return Err(unknown_model(config, "").into());
        }
        let mut parts = Parts::default();
        for text in &request.inputs {
            parts.features.add(text);
        }
        parts.messages = u32::try_from(request.inputs.len()).unwrap_or(u32::MAX);
        Ok(Self { requested, max_output: Some(0), choices: 1, sampled: false, parts })
    }

    pub(super) fn write(&self, tape: &mut Tape) {
        let parts = &self.parts;
        let mut fields: Vec<Field<'_>> = vec![
            "facts".into(),
            self.requested.map_or("-".into(), Into::into),
            self.max_output.map_or("-".into(), Into::into),
            self.choices.into(),
            self.sampled.into(),
            parts.schema_bytes.into(),
            parts.messages.into(),
            parts.tools.into(),
            parts.images_low.into(),
            parts.images_high.into(),
            parts.other.into(),
            parts.features.bytes.into(),
        ];
        fields.extend(parts.features.counts.iter().map(|count| Field::from(*count)));
        tape.line(&fields);
    }

    /// Reads back what [`write`](Self::write) wrote.
    pub(super) fn read(line: &str) -> Option<Self> {
        let mut fields = Outcome::of(line.strip_prefix("facts")?);
        let requested = fields.word().parse().ok();
        let max_output = fields.word().parse().ok();
        let mut int = || u32::try_from(fields.int()).unwrap_or(u32::MAX);
        let (choices, sampled) = (int(), int() == 1);
        let mut parts = Parts { schema_bytes: fields.int(), ..Parts::default() };
        let mut int = || u32::try_from(fields.int()).unwrap_or(u32::MAX);
        parts.messages = int();
        parts.tools = int();
        parts.images_low = int();
        parts.images_high = int();
        parts.other = int();
        parts.features.bytes = fields.int();
        for count in &mut parts.features.counts {
            *count = u32::try_from(fields.int()).unwrap_or(u32::MAX);
        }
        fields.is_sound().then_some(Self { requested, max_output, choices, sampled, parts })
    }
}

/// What a field of a request means for its price. A field that is not in [`BEARINGS`] is input: the model reads it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Bearing {
    /// Counted in another way, or nothing that a model reads: its bytes cost nothing.
    Counted,
    /// Input, which the model reads.
    Input,
    /// What a prediction got wrong is billed as output, beside the output bound
    /// (platform.openai.com/docs/guides/predicted-outputs).
    Output,
    /// It costs more than tokens, names another model than the one that is priced, or input that is not in the request.
    Unbounded,
    /// The same, if it asks for any of [`EXTRAS`].
    UnboundedExtra,
    /// The same, unless it is a tier at the listed price.
    UnboundedTier,
}

/// The fields that the price depends on.
const BEARINGS: [(&str, Bearing); 17] = [
    ("model", Bearing::Counted),
    ("messages", Bearing::Counted),
    ("max_tokens", Bearing::Counted),
    ("max_completion_tokens", Bearing::Counted),
    ("n", Bearing::Counted),
    ("stream", Bearing::Counted),
    ("tools", Bearing::Input),
    ("prediction", Bearing::Output),
    ("web_search_options", Bearing::Unbounded),
    ("search_parameters", Bearing::Unbounded),
    ("plugins", Bearing::Unbounded),
    ("models", Bearing::Unbounded),
    // Texts and models that lie at the provider (OpenRouter's presets, Gemini's cached content).
    ("preset", Bearing::Unbounded),
    // So many answers are written, and one is told (vLLM).
    ("best_of", Bearing::Unbounded),
    ("cached_content", Bearing::Unbounded),
    ("extra_body", Bearing::UnboundedExtra),
    ("service_tier", Bearing::UnboundedTier),
];

/// What costs more where it is asked for in a field of many: stored texts, tools. Or any escape, behind which they may be.
const EXTRAS: [&str; 5] = ["cached", "tool", "search", "tier", "\\"];

/// The name of [`BEARINGS`] that `name` is when case does not count, and its bearing.
fn bearing(name: &str) -> Option<(&'static str, Bearing)> {
    BEARINGS.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).copied()
}

/// Refuses what costs more than the tokens that are counted: tools that the provider runs (a fee for each call, and the
/// pages that they fetch), dearer tiers, other models than the one that is priced, input that is not in the request.
fn bounded(request: &ChatRequest<'_>) -> Result<()> {
    const PROBLEM: &str = "must be left out: its price has no bound";
    let refuse = |path: &str| Err(Error::field(Code::UnpricedInput, path, PROBLEM).into());
    for (name, raw) in request.fields.iter().filter(|(_, raw)| raw.get() != "null") {
        let known = bearing(name);
        // Some servers read names in any case, with the Kelvin sign for a k: what was priced would not be what is run.
        if !name.is_ascii() || known.is_some_and(|(own, _)| own != name) {
            return Err(Error::invalid(name, "must be written in small letters").into());
        }
        let Some((_, bearing)) = known else { continue };
        let bounded = match bearing {
            Bearing::Counted | Bearing::Input | Bearing::Output => true,
            Bearing::Unbounded => false,
            Bearing::UnboundedExtra => !EXTRAS.iter().any(|extra| contains(raw.get(), extra)),
            Bearing::UnboundedTier => is_plain_tier(raw),
        };
        if !bounded {
            return refuse(name);
        }
    }
    for tool in &request.tools {
        let own = json::fields(tool.get()).unwrap_or_default();
        // However often and in whatever case it is said. Gateways take tools of the provider's by their names alone:
        // `{"googleSearch":{}}`.
        let mut kinds = own.iter().filter(|(name, _)| name.eq_ignore_ascii_case("type"));
        let other = kinds.any(|(_, kind)| !matches!(kind.get(), "\"function\"" | "\"custom\""));
        if other || !own.iter().any(|(name, _)| matches!(name, "type" | "function")) {
            return refuse("tools");
        }
    }
    Ok(())
}

/// Tiers at the listed price, or below it.
pub(super) fn is_plain_tier(raw: json::Raw<'_>) -> bool {
    const PLAIN: [&str; 7] = ["auto", "default", "flex", "standard", "standard_only", "on_demand", "batch"];
    json::text(raw).is_some_and(|tier| PLAIN.contains(&tier.as_ref()))
}

/// Which target a request asks for by its model.
fn requested(model: Option<&str>, config: &GatewayConfig) -> Result<Option<usize>> {
    let Some(model) = model.filter(|model| *model != "auto") else { return Ok(None) };
    let named = |target: &crate::config::TargetConfig| target.model == model || target.name == model;
    match config.targets.iter().position(named) {
        Some(index) => Ok(Some(index)),
        None => Err(unknown_model(config, ", or auto").into()),
    }
}

/// The error for more text than the configuration lets in.
fn too_long(field: &str, config: &GatewayConfig) -> Error {
    let limit = decimal(config.limits.max_input_units.into());
    let problem = ["must not be longer than limits.maxInputUnits, ", &limit, " UTF-16 units"].concat();
    Error::invalid_by(field, problem)
}

/// Most targets that an error names; there may be hundreds.
const MOST_NAMED: usize = 20;

/// The error for a model that no target has; it names those that there are, and goes on with `more`.
pub(super) fn unknown_model(config: &GatewayConfig, more: &str) -> Error {
    let named: Vec<_> = config.targets.iter().take(MOST_NAMED).map(|target| target.name.as_str()).collect();
    let others = if config.targets.len() > MOST_NAMED { ", …" } else { "" };
    let problem = ["must be the model of a configured target (", &named.join(", "), others, ")", more].concat();
    Error::invalid_by("model", problem)
}

/// Output costs up to so many times what input does.
const OUTPUT_WEIGHT: u64 = 8;

/// Everything the model reads counts: texts by their features, JSON that it also reads (tools, schemas, tool calls,
/// fields that we do not know) by its bytes.
fn measure(request: &ChatRequest<'_>) -> Parts {
    let count = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
    let mut parts =
        Parts { messages: count(request.messages.len()), tools: count(request.tools.len()), ..Parts::default() };
    for message in &request.messages {
        for part in &message.parts {
            match part {
                Part::Text(text) => parts.features.add(text),
                Part::Image { low_detail: true } => parts.images_low = parts.images_low.saturating_add(1),
                Part::Image { low_detail: false } => parts.images_high = parts.images_high.saturating_add(1),
                Part::Other => parts.other = parts.other.saturating_add(1),
            }
        }
        for raw in &message.other {
            parts.schema_bytes = parts.schema_bytes.saturating_add(raw.get().len() as u64);
        }
    }
    for (name, raw) in request.fields.iter() {
        let weight = match bearing(name) {
            Some((_, Bearing::Counted)) => 0,
            Some((_, Bearing::Output)) => OUTPUT_WEIGHT,
            _ => 1,
        };
        parts.schema_bytes = parts.schema_bytes.saturating_add(weight.saturating_mul(raw.get().len() as u64));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(more: &str) -> Parts {
        let body = format!(r#"{{"messages":[{{"role":"user","content":"x"}}{more}}}"#);
        measure(&ChatRequest::parse(&body).unwrap())
    }

    #[test]
    fn a_model_that_no_target_has_is_told_the_targets() {
        use crate::error::Detail;

        let problem = |count: usize| {
            let mut config = GatewayConfig::default();
            config.targets = config.targets.iter().cycle().take(count).cloned().collect();
            let error = requested(Some("gpt"), &config).unwrap_err();
            let Detail::Fields(fields) = &error.detail else { panic!("{error:?}") };
            assert_eq!(fields[0].path, "model");
            fields[0].problem.to_string()
        };
        let named = "groq/openai/gpt-oss-20b, openrouter/qwen/qwen3-coder:free";
        assert_eq!(problem(2), format!("must be the model of a configured target ({named}), or auto"));
        let many = problem(1_000);
        assert!(many.contains(", …)") && many.len() < 1_000, "{many}");
    }

    #[test]
    fn what_the_model_also_reads_counts_by_its_bytes() {
        let tools = r#"[{"type":"function","function":{"name":"f"}}]"#;
        let unknown = r#"{"a":[1,2,3]}"#;
        let calls = r#"[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]"#;
        let plain = parts("]").schema_bytes;
        for (more, bytes) in [
            (format!(r#"],"tools":{tools}"#), tools.len()),
            (format!(r#"],"some_day":{unknown}"#), unknown.len()),
            (format!(r#",{{"role":"assistant","content":null,"tool_calls":{calls}}}]"#), calls.len()),
        ] {
            assert_eq!(parts(&more).schema_bytes - plain, bytes as u64, "{more}");
        }
    }

    #[test]
    #[cfg(feature = "dialects")]
    fn what_is_to_be_cited_is_cut_into_pieces_that_the_model_also_reads() {
        let message = |more: &str| {
            let part = format!(r#"{{"type":"text","text":"One. Two."{more}}}"#);
            (part.len() as u64, parts(&format!(r#",{{"role":"user","content":[{part}]}}]"#)))
        };
        let (_, plain) = message("");
        let (length, cited) = message(r#","citations":{"enabled":true}"#);
        assert_eq!(cited.schema_bytes - plain.schema_bytes, length);
        assert_eq!(cited.features, plain.features);
    }

    #[test]
    fn what_a_prediction_may_cost_is_bounded_as_output() {
        let prediction = r#"{"type":"content","content":"let x = 1;"}"#;
        let plain = parts("]").schema_bytes;
        let predicted = parts(&format!(r#"],"prediction":{prediction}"#)).schema_bytes;
        assert_eq!(predicted - plain, OUTPUT_WEIGHT * prediction.len() as u64);
    }

    #[test]
    fn an_image_that_says_its_detail_twice_is_a_dear_one() {
        let image = |own: &str| {
            let part = format!(r#"{{"type":"image_url","image_url":{{"url":"https://a.example/b.png"{own}}}}}"#);
            let parts = parts(&format!(r#",{{"role":"user","content":[{part}]}}]"#));
            (parts.images_low, parts.images_high)
        };
        assert_eq!(image(r#","detail":"low""#), (1, 0));
        for own in
            ["", r#","detail":"high""#, r#","detail":"high","detail":"low""#, r#","detail":"high","d\u0065tail":"low""#]
        {
            assert_eq!(image(own), (0, 1), "{own}");
        }
    }

    #[test]
    fn an_earlier_answer_by_its_id_has_no_bound() {
        assert_eq!(parts(r#",{"role":"assistant","content":null,"audio":{"id":"audio_1"}}]"#).other, 1);
        assert_eq!(parts(r#",{"role":"assistant","content":"x","audio":null}]"#).other, 0);
    }
}
