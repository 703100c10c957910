//! Keys in what is about to be sent. What leaves is what is fingerprinted and cached, so this goes first.
//!
//! Only what is certainly a secret counts: a token that a caller wants explained, or a key made to be seen, goes on.

use super::told::tell;
use super::{Call, Gate, Host};
use crate::config::Screening;
use crate::detect::{self, Finding, Options, Restorer};
use crate::error::{Code, Error, Result};
use crate::json::Escaped;
use crate::keys::Class;
use crate::secret::Secret;
use crate::value::Value;

/// Looks through the body of a request, and puts marks in place of keys if that is what is configured: those
/// that can be put back are returned.
///
/// # Errors
/// `secret_detected` if keys are refused, or if one cannot be taken out: its parts stand in several strings.
pub(super) fn screen<H: Host>(gate: &Gate, host: &H, call: &mut Call, request_id: &str) -> Result<Restorer> {
    let action = gate.config.screening;
    let mut marks = Restorer::default();
    if action == Screening::Off {
        return Ok(marks);
    }
    // EXPOSE: keys the marks, which do not reveal it.
    let options = Options { key: Secret::new(gate.fingerprint_key.expose().to_vec()), publishable: false };
    let (mut count, mut torn, mut clean) = (0u32, false, None);
    for _ in 0..detect::PASSES {
        let body = clean.as_deref().unwrap_or(&*call.body);
        let next = detect::redact(body, &options, &mut |finding| {
            if finding.class != Class::Secret {
                return None;
            }
            count = count.saturating_add(1);
            if host.listens() {
                tell(host, "secret-detected", event(request_id, action, finding, host.now()));
            }
            let written = written(body, finding);
            torn |= leaves_its_string(written);
            (action == Screening::Mask).then(|| match Escaped::trusted(written).text() {
                Some(key) => {
                    // Marks of the pass before that stand within it.
                    let key = [marks.push(&key), marks.finish()].concat();
                    marks.mark(finding, &key)
                }
                None => detect::mark(finding), // escapes that are no text: it cannot be put back
            })
        });
        if next.is_none() {
            break;
        }
        clean = next;
    }
    let problem = match action {
        Screening::Refuse if count > 0 => "must not carry a key (screen.secrets is 'refuse')",
        Screening::Mask if torn => "carries a key in parts, which cannot be masked",
        Screening::Refuse | Screening::Mask | Screening::Warn | Screening::Off => {
            if let Some(clean) = clean {
                call.body = clean.into();
            }
            return Ok(marks);
        }
    };
    Err(Error::field(Code::SecretDetected, "messages", problem).into())
}

/// A key as it stands in the body.
fn written<'a>(body: &'a str, finding: &Finding) -> &'a str {
    let index = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
    body.get(index(finding.span.0)..index(finding.span.1)).unwrap_or("\"")
}

/// Whether a key reaches over the end of a JSON string: without it the rest would be no JSON.
fn leaves_its_string(span: &str) -> bool {
    let mut escaped = false;
    span.bytes().any(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })
}

fn event(request_id: &str, action: Screening, finding: &Finding, now: crate::time::Timestamp) -> Value {
    Value::map([
        ("requestId", request_id.into()),
        ("action", action.as_str().into()),
        ("rule", finding.rule.into()),
        ("provider", finding.provider.into()),
        ("severity", finding.severity.as_str().into()),
        ("fingerprint", finding.fingerprint.as_str().into()),
        ("at", now.into()),
    ])
}
