//! The list of models, as each dialect's clients read it: what a caller may ask this gateway for, which is its
//! configured targets and nothing of what providers list. The ids are the targets' names (`provider/model`),
//! which never mean two things.
//!
//! The whole list is one page, whatever size of page is asked for.

use crate::chat::Dialect;
use crate::config::TargetConfig;
use crate::json::push_text;
use crate::record::push_int;
use crate::text;

/// One model of the list.
#[derive(Clone, Copy, Debug)]
pub struct Listed<'a> {
    /// The target.
    pub target: &'a TargetConfig,
    /// Tokens of context, if they are known.
    pub context: Option<u32>,
    /// Most output tokens of one answer, if known.
    pub max_output: Option<u32>,
}

/// The one that is asked for by its target's name, or by the provider's name of the model: then the first of
/// that name, as requests take it.
#[must_use]
pub fn find<'a, 'b>(models: &'b [Listed<'a>], id: &str) -> Option<&'b Listed<'a>> {
    let named = models.iter().find(|listed| listed.target.name == id);
    named.or_else(|| models.iter().find(|listed| listed.target.model == id))
}

/// Writes all models.
#[must_use]
pub fn encode_models(dialect: Dialect, models: &[Listed<'_>]) -> String {
    let mut out = String::from(match dialect {
        Dialect::Chat | Dialect::Responses => "{\"object\":\"list\",\"data\":[",
        Dialect::Anthropic => "{\"data\":[",
        Dialect::Google => "{\"models\":[",
    });
    for (index, listed) in models.iter().enumerate() {
        out.push_str(if index == 0 { "" } else { "," });
        push_model(&mut out, dialect, listed);
    }
    out.push(']');
    if dialect == Dialect::Anthropic {
        out.push_str(",\"has_more\":false");
        for (name, end) in [(",\"first_id\":", models.first()), (",\"last_id\":", models.last())] {
            out.push_str(name);
            match end {
                Some(listed) => push_text(&mut out, &listed.target.name),
                None => out.push_str("null"),
            }
        }
    }
    out.push('}');
    out
}

/// Writes one model.
#[must_use]
pub fn encode_model(dialect: Dialect, listed: &Listed<'_>) -> String {
    let mut out = String::new();
    push_model(&mut out, dialect, listed);
    out
}

fn push_model(out: &mut String, dialect: Dialect, listed: &Listed<'_>) {
    let target = listed.target;
    match dialect {
        Dialect::Chat | Dialect::Responses => {
            out.push_str("{\"id\":");
            push_text(out, &target.name);
            // Nobody knows when it was made; clients want a number.
            out.push_str(",\"object\":\"model\",\"created\":0,\"owned_by\":");
            push_text(out, &target.provider);
        }
        Dialect::Anthropic => {
            out.push_str("{\"type\":\"model\",\"id\":");
            push_text(out, &target.name);
            out.push_str(",\"display_name\":");
            push_text(out, &target.model);
            // Anthropic's reference: the epoch stands for a date that is not known.
            out.push_str(",\"created_at\":\"1970-01-01T00:00:00Z\",\"capabilities\":null");
            for (name, limit) in [(",\"max_input_tokens\":", listed.context), (",\"max_tokens\":", listed.max_output)] {
                out.push_str(name);
                match limit {
                    Some(tokens) => push_int(out, tokens.into()),
                    None => out.push_str("null"),
                }
            }
        }
        Dialect::Google => {
            out.push_str("{\"name\":");
            push_text(out, &["models/", &target.name].concat());
            out.push_str(",\"displayName\":");
            push_text(out, &target.model);
            let limits = [(",\"inputTokenLimit\":", listed.context), (",\"outputTokenLimit\":", listed.max_output)];
            for (name, limit) in limits {
                if let Some(tokens) = limit {
                    out.push_str(name);
                    push_int(out, tokens.into());
                }
            }
            // No table says it; the models that embed all have it in their names.
            out.push_str(if text::contains(&target.model, "embed") {
                ",\"supportedGenerationMethods\":[\"embedContent\",\"batchEmbedContents\"]"
            } else {
                ",\"supportedGenerationMethods\":[\"generateContent\",\"streamGenerateContent\"]"
            });
        }
    }
    out.push('}');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets() -> [TargetConfig; 3] {
        [
            TargetConfig::new("groq", "openai/gpt-oss-20b"),
            TargetConfig::new("openai", "text-embedding-3-small"),
            TargetConfig::new("mine", "gpt-oss \"20b\""),
        ]
    }

    fn listed(targets: &[TargetConfig]) -> Vec<Listed<'_>> {
        let limits = [(Some(131_072), Some(65_536)), (Some(8_192), None), (None, None)];
        let listed = |(target, (context, max_output))| Listed { target, context, max_output };
        targets.iter().zip(limits).map(listed).collect()
    }

    #[test]
    fn each_dialect_lists_in_its_own_shape() {
        let targets = targets();
        let models = listed(&targets);
        let two = models.get(..2).unwrap();
        assert_eq!(
            encode_models(Dialect::Chat, two),
            r#"{"object":"list","data":[{"id":"groq/openai/gpt-oss-20b","object":"model","created":0,"owned_by":"groq"},{"id":"openai/text-embedding-3-small","object":"model","created":0,"owned_by":"openai"}]}"#
        );
        assert_eq!(
            encode_models(Dialect::Anthropic, two),
            r#"{"data":[{"type":"model","id":"groq/openai/gpt-oss-20b","display_name":"openai/gpt-oss-20b","created_at":"1970-01-01T00:00:00Z","capabilities":null,"max_input_tokens":131072,"max_tokens":65536},{"type":"model","id":"openai/text-embedding-3-small","display_name":"text-embedding-3-small","created_at":"1970-01-01T00:00:00Z","capabilities":null,"max_input_tokens":8192,"max_tokens":null}],"has_more":false,"first_id":"groq/openai/gpt-oss-20b","last_id":"openai/text-embedding-3-small"}"#
        );
        assert_eq!(
            encode_models(Dialect::Google, two),
            r#"{"models":[{"name":"models/groq/openai/gpt-oss-20b","displayName":"openai/gpt-oss-20b","inputTokenLimit":131072,"outputTokenLimit":65536,"supportedGenerationMethods":["generateContent","streamGenerateContent"]},{"name":"models/openai/text-embedding-3-small","displayName":"text-embedding-3-small","inputTokenLimit":8192,"supportedGenerationMethods":["embedContent","batchEmbedContents"]}]}"#
        );
        for dialect in Dialect::ALL {
            let list: serde_json::Value = serde_json::from_str(&encode_models(dialect, &models)).unwrap();
            let items = list.get("data").or_else(|| list.get("models")).and_then(|items| items.as_array()).unwrap();
            assert_eq!(items.len(), 3);
            for (item, model) in items.iter().zip(&models) {
                let one: serde_json::Value = serde_json::from_str(&encode_model(dialect, model)).unwrap();
                assert_eq!(*item, one, "the same in the list and alone");
            }
            assert!(serde_json::from_str::<serde_json::Value>(&encode_models(dialect, &[])).is_ok());
        }
        assert!(encode_models(Dialect::Anthropic, &[]).ends_with(r#""first_id":null,"last_id":null}"#));
    }

    #[test]
    fn a_model_is_found_by_either_name() {
        let mut targets = targets();
        targets[2] = TargetConfig::new("openrouter", "groq/openai/gpt-oss-20b");
        let models = listed(&targets);
        let found = |id: &str| find(&models, id).map(|listed| listed.target.provider.as_str());
        assert_eq!(found("openai/gpt-oss-20b"), Some("groq"));
        assert_eq!(found("groq/openai/gpt-oss-20b"), Some("groq"), "a target's name goes first");
        assert_eq!(found("openrouter/groq/openai/gpt-oss-20b"), Some("openrouter"));
        assert_eq!(found("gpt-oss-20b"), None);
    }
}
