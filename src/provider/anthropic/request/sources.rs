//! Texts with a source: documents of plain text, and what a search of the caller's found
//! (platform.claude.com, "Citations" and "Search results").
//!
//! In neutral form each is one text, with what it is called, where it comes from and what is said about it in lines before
//! it. That the model is to cite it only this API knows: the part says so in a field that no other dialect takes.

use super::media::inner;
use super::place::{Place, present};
use crate::error::Result;
use crate::json::{self, Escaped, Fields, Raw};
use crate::provider::anthropic::write::put;

/// Appends a document whose `source` holds text, but for the end of its part.
pub(super) fn document(out: &mut String, place: &Place<'_>, fields: &Fields<'_>, source: &Fields<'_>) -> Result<()> {
    let own = place.of("source");
    begin(out, place, fields, &["title", "context"])?;
    match source.field("content") {
        Some(content) => {
            own.known(source, &["type", "content"])?;
            texts(out, &own.of("content"), content)?;
        }
        None => {
            own.known(source, &["type", "media_type", "data"])?;
            if present(source, "media_type").is_some_and(|kind| kind.get() != "\"text/plain\"") {
                return own.refuse("media_type", "must be text/plain");
            }
            out.push_str(inner(&own, source, "data")?);
        }
    }
    end(out, place, fields)
}

/// Appends what a search found, but for the end of its part.
pub(super) fn search_result(out: &mut String, place: &Place<'_>, fields: &Fields<'_>) -> Result<()> {
    place.known(fields, &["type", "title", "source", "content", "citations", "cache_control"])?;
    let own = place.of("content");
    let content = fields.field("content").ok_or_else(|| own.error("is missing"))?;
    begin(out, place, fields, &["title", "source"])?;
    texts(out, &own, content)?;
    end(out, place, fields)
}

fn begin(out: &mut String, place: &Place<'_>, fields: &Fields<'_>, heads: &[&str]) -> Result<()> {
    out.push_str("{\"type\":\"text\",\"text\":\"");
    for head in heads.iter().filter(|head| present(fields, head).is_some()) {
        put(out, &[inner(place, fields, head)?, "\\n"]);
    }
    Ok(())
}

/// One text, or several of which each may be cited.
fn texts(out: &mut String, place: &Place<'_>, raw: Raw<'_>) -> Result<()> {
    if let Some(text) = Escaped::of(raw) {
        out.push_str(text.get());
        return Ok(());
    }
    for (index, raw) in place.list(raw)?.into_iter().enumerate() {
        let item = place.item(index);
        let block = item.object(raw)?;
        if json::text(item.said(&block, "type")?).as_deref() != Some("text") {
            return item.refuse("type", "must be text");
        }
        item.known(&block, &["type", "text", "cache_control"])?;
        put(out, &[if index > 0 { "\\n" } else { "" }, inner(&item, &block, "text")?]);
    }
    Ok(())
}

fn end(out: &mut String, place: &Place<'_>, fields: &Fields<'_>) -> Result<()> {
    out.push('"');
    let Some(raw) = present(fields, "citations") else { return Ok(()) };
    let own = place.of("citations");
    let citations = own.object(raw)?;
    own.known(&citations, &["enabled"])?;
    match present(&citations, "enabled").map(Raw::get) {
        Some("true") => out.push_str(",\"citations\":{\"enabled\":true}"),
        Some("false") | None => {}
        Some(_) => return own.refuse("enabled", "must be true or false"),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::json;
    use crate::provider::anthropic::request::decode_request;

    /// The neutral form of a user's message with this block, or what is wrong with which field.
    fn decoded(block: &str) -> Result<String, String> {
        let body = format!(
            r#"{{"model":"m","max_tokens":9,"messages":[{{"role":"user","content":[{block},{{"type":"text","text":"?"}}]}}]}}"#
        );
        let neutral = decode_request(&body).map_err(|error| format!("{:?}", error.detail))?;
        assert!(json::fields(&neutral).is_ok(), "{neutral}");
        let (_, parts) = neutral.split_once(r#""content":["#).unwrap();
        Ok(parts.split_once(r#",{"type":"text","text":"?"}"#).unwrap().0.into())
    }

    #[test]
    fn each_is_a_text_with_its_heads_before_it() {
        for (block, part) in [
            (
                r#"{"type":"document","source":{"type":"text","media_type":"text/plain","data":"a \"b\""},"title":"T","context":"C","citations":{"enabled":false}}"#,
                r#"{"type":"text","text":"T\nC\na \"b\""}"#,
            ),
            (
                r#"{"type":"document","source":{"type":"text","media_type":"text/plain","data":"a"},"title":null,"citations":{"enabled":true},"cache_control":{"type":"ephemeral"}}"#,
                r#"{"type":"text","text":"a","citations":{"enabled":true},"cache_control":{"type":"ephemeral"}}"#,
            ),
            (
                r#"{"type":"document","source":{"type":"content","content":"a\\\""},"citations":{"enabled":true}}"#,
                r#"{"type":"text","text":"a\\\"","citations":{"enabled":true}}"#,
            ),
            (
                r#"{"type":"document","source":{"type":"content","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},"title":"T"}"#,
                r#"{"type":"text","text":"T\na\nb"}"#,
            ),
            (
                r#"{"type":"search_result","source":"https://a.example","title":"T","content":[{"type":"text","text":"a"}],"citations":{"enabled":true}}"#,
                r#"{"type":"text","text":"T\nhttps://a.example\na","citations":{"enabled":true}}"#,
            ),
        ] {
            assert_eq!(decoded(block).as_deref(), Ok(part), "{block}");
        }
    }

    #[test]
    fn what_is_none_is_named() {
        for (block, field) in [
            (r#"{"type":"search_result","source":"s","title":"T"}"#, "[0].content\""),
            (r#"{"type":"search_result","source":"s","title":7,"content":[]}"#, "[0].title"),
            (r#"{"type":"search_result","source":"s","title":"T","content":[{"type":"image"}]}"#, "content[0].type"),
            (
                r#"{"type":"search_result","source":"s","title":"T","content":[{"type":"text","text":"a","x":1}]}"#,
                "content[0].x",
            ),
            (
                r#"{"type":"search_result","source":"s","title":"T","content":[],"citations":{"enabled":1}}"#,
                "citations.enabled",
            ),
            (
                r#"{"type":"search_result","source":"s","title":"T","content":[],"citations":{"new":1}}"#,
                "citations.new",
            ),
            (
                r#"{"type":"document","source":{"type":"content","content":[{"type":"image"}]}}"#,
                "source.content[0].type",
            ),
            (r#"{"type":"document","source":{"type":"content"}}"#, "source.data"),
            (
                r#"{"type":"document","source":{"type":"text","media_type":"text/html","data":"a"}}"#,
                "source.media_type",
            ),
            (
                r#"{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"AA"},"citations":{"enabled":true}}"#,
                "[0].citations",
            ),
            (
                r#"{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"AA"},"context":"c"}"#,
                "[0].context",
            ),
        ] {
            let refused = decoded(block).unwrap_err();
            assert!(refused.contains(field), "{block}: {refused}");
        }
    }
}
