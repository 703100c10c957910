//! `generationConfig`.

use super::schema;
use crate::error::{Error, Result};
use crate::json::{self, Raw};
use crate::provider::google::fields::{field, given, join, list, number, object, push, refuse, text};
use crate::provider::google::thinking;

const PATH: &str = "generationConfig";

/// Writes the neutral fields; gives the `detail` of the request's images, if one is asked for.
pub(super) fn decode(raw: Option<Raw<'_>>, out: &mut String) -> Result<Option<&'static str>> {
    let Some(raw) = raw else { return Ok(None) };
    let config = object(raw.get(), PATH)?;
    let mut detail = None;
    for (name, raw) in config.iter().filter(|(_, raw)| raw.get() != "null") {
        let path = &join(PATH, name);
        let neutral = match name {
            // Gemini's own since 2.0 (ai.google.dev/api/generate-content, "Model": topP 0.95, topK 64): its clients send them
            // with every request, and who says no more than that leaves it to the model, whichever it is.
            "topP" if raw.get() == "0.95" => continue,
            "topK" if raw.get() == "64" => continue,
            "temperature" => "temperature",
            "topP" => "top_p",
            "topK" => "top_k",
            "seed" => "seed",
            "presencePenalty" => "presence_penalty",
            "frequencyPenalty" => "frequency_penalty",
            "maxOutputTokens" => {
                count(raw, path, u32::MAX)?;
                "max_completion_tokens"
            }
            "candidateCount" => {
                count(raw, path, 128)?;
                "n"
            }
            "stopSequences" => {
                let items = list(raw, path)?;
                for item in &items {
                    text(*item, path)?;
                }
                if !items.is_empty() {
                    field(out, "stop", raw.get());
                }
                continue;
            }
            "responseMimeType" | "responseSchema" | "responseJsonSchema" => continue,
            "thinkingConfig" => {
                thinking::decode(raw, path, out)?;
                continue;
            }
            "responseLogprobs" if matches!(raw.get(), "true" | "false") => {
                field(out, "logprobs", raw.get());
                continue;
            }
            "logprobs" => "top_logprobs",
            "responseModalities" => {
                let only_text = |item: &Raw<'_>| json::text(*item).is_some_and(|own| own.eq_ignore_ascii_case("text"));
                if list(raw, path)?.iter().all(only_text) {
                    continue;
                }
                return Err(Error::invalid(path, "must be TEXT alone").into());
            }
            "mediaResolution" => {
                detail = match text(raw, path)?.as_ref() {
                    // Between the two that others have words for: theirs to choose.
                    "MEDIA_RESOLUTION_UNSPECIFIED" | "MEDIA_RESOLUTION_MEDIUM" => None,
                    "MEDIA_RESOLUTION_LOW" => Some("low"),
                    "MEDIA_RESOLUTION_HIGH" => Some("high"),
                    _ => return Err(refuse(path)),
                };
                continue;
            }
            _ => return Err(refuse(path)),
        };
        field(out, neutral, number(raw, path)?);
    }
    let mime = given(&config, "responseMimeType").map(|raw| text(raw, "generationConfig.responseMimeType"));
    let json = match mime.transpose()?.as_deref() {
        None | Some("" | "text/plain") => false,
        Some("application/json") => true,
        Some(_) => return Err(refuse("generationConfig.responseMimeType")),
    };
    let schemas = (given(&config, "responseSchema"), given(&config, "responseJsonSchema"));
    match (json, schemas) {
        (false, (None, None)) => {}
        (true, (None, None)) => field(out, "response_format", "{\"type\":\"json_object\"}"),
        (true, (Some(own), None)) => {
            let mut written = String::new();
            schema::decode(own.get(), "generationConfig.responseSchema", &mut written)?;
            response_format(out, &written);
        }
        (true, (None, Some(own))) => response_format(out, own.get()),
        (true, (Some(_), Some(_))) => {
            return Err(Error::invalid(PATH, "must have a responseSchema or a responseJsonSchema, not both").into());
        }
        (false, _) => {
            let problem = "must be application/json with a schema";
            return Err(Error::invalid("generationConfig.responseMimeType", problem).into());
        }
    }
    Ok(detail)
}

/// The schema needs a name there. `strict` is left out: providers take it only with schemas of a certain form.
fn response_format(out: &mut String, schema: &str) {
    field(out, "response_format", "");
    push(out, &["{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"response\",\"schema\":", schema, "}}"]);
}

fn count(raw: Raw<'_>, path: &str, most: u32) -> Result<()> {
    match json::uint(raw) {
        Some(count) if (1..=u64::from(most)).contains(&count) => Ok(()),
        _ => Err(Error::invalid(path, "must be a whole number, at least 1").into()),
    }
}
