//! The header by which a caller of Anthropic's API changes what its answers mean (docs.claude.com/en/api/beta-headers).
//! The version of the API is the gateway's own, since it is what its answers are read by.

use std::rc::Rc;

use crate::error::{Error, Result};

/// The longest list of betas, in bytes.
const LONGEST: usize = 1_024;

/// Betas that say nothing to a model of another maker: they open fields of the body, which are carried over or refused by
/// themselves, or change how Anthropic's own models work. Without their dates.
const OWN: [&str; 16] = [
    "claude-code",
    "context-1m",
    "context-management",
    "effort",
    "extended-cache-ttl",
    "fine-grained-tool-streaming",
    "interleaved-thinking",
    "max-tokens-3-5-sonnet",
    "output-128k",
    "pdfs",
    "prompt-caching",
    "prompt-caching-scope",
    "redact-thinking",
    "structured-outputs",
    "thinking-token-count",
    "token-efficient-tools",
];

/// Claude Code's own. It sends whatever beta it may come to need with every request, and what it needs is in the body.
const CLAUDE_CODE: &str = "claude-code-20";

/// The betas that a caller's headers (names in lower case and values in turn) ask for, as they go upstream.
///
/// # Errors
/// `invalid_request` that names the header, for a list that is none.
pub fn betas(headers: &[String]) -> Result<Option<Rc<str>>> {
    const NAMES: &str = "must be names of betas with commas between them, at most 1024 bytes";
    let (pairs, _) = headers.as_chunks::<2>();
    let said = pairs.iter().find(|[name, _]| name == "anthropic-beta").map(|[_, value]| value.trim());
    let Some(list) = said.filter(|list| !list.is_empty()) else { return Ok(None) };
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b',' | b' ');
    if list.len() > LONGEST || !list.bytes().all(fits) {
        return Err(Error::invalid("anthropic-beta", NAMES).into());
    }
    Ok(Some(list.into()))
}

/// Whether another dialect loses nothing by leaving these betas out.
///
/// # Errors
/// `invalid_request` that names the header and the first beta that would be lost.
pub fn without(betas: &str) -> Result<()> {
    let own = |beta: &str| OWN.iter().any(|name| beta.strip_prefix(name).is_some_and(|date| date.starts_with("-20")));
    let mut all = betas.split(',').map(str::trim);
    if all.clone().any(|beta| beta.starts_with(CLAUDE_CODE)) {
        return Ok(());
    }
    let Some(lost) = all.find(|beta| !beta.is_empty() && !own(beta)) else { return Ok(()) };
    let problem = ["must have only betas that the target can carry, not ", lost].concat();
    Err(Error::invalid_by("anthropic-beta", problem).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Detail;

    fn read(pairs: &[(&str, &str)]) -> Result<Option<Rc<str>>> {
        let headers: Vec<String> = pairs.iter().flat_map(|(name, value)| [(*name).into(), (*value).into()]).collect();
        betas(&headers)
    }

    fn field(error: &Error) -> &str {
        match &error.detail {
            Detail::Fields(fields) => &fields[0].path,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn betas_are_taken_as_they_are_and_nothing_else_is_a_beta() {
        assert_eq!(read(&[("accept", "*/*"), ("anthropic-version", "2026-10-21")]).unwrap(), None);
        assert_eq!(read(&[("anthropic-beta", " ")]).unwrap(), None);
        let list = "interleaved-thinking-2025-05-14, claude-code-20250219";
        assert_eq!(read(&[("anthropic-beta", list)]).unwrap().as_deref(), Some(list));
        let long = "a".repeat(LONGEST + 1);
        for bad in ["a\r\nx-api-key: b", "a\nb", "a;b", "ä", "a\tb", "\"a\"", long.as_str()] {
            let error = read(&[("anthropic-beta", bad)]).unwrap_err();
            assert_eq!(field(&error), "anthropic-beta", "{bad:?}");
        }
    }

    #[test]
    fn only_what_says_nothing_to_others_is_left_out() {
        for fine in [
            "context-1m-2025-08-07",
            "structured-outputs-2025-11-13,",
            "effort-2025-11-24, claude-code-20250219",
            "claude-code-20250219,some-day-2027-01-01",
            "some-day-2027-01-01, claude-code-20250219",
        ] {
            assert!(without(fine).is_ok(), "{fine}");
        }
        for (all, lost) in [
            ("advanced-tool-use-2025-11-20", "advanced-tool-use-2025-11-20"),
            ("context-1m-2025-08-07, new,newer", "new"),
            ("context-1mm-2025-08-07", "context-1mm-2025-08-07"),
            ("effort", "effort"),
        ] {
            let error = without(all).unwrap_err();
            let Detail::Fields(fields) = &error.detail else { panic!("{error:?}") };
            assert_eq!(fields[0].path, "anthropic-beta");
            assert_eq!(fields[0].problem, format!("must have only betas that the target can carry, not {lost}"));
        }
    }
}
