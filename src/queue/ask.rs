//! A request to the queue as it comes in: the queue's own fields, and the chat request around them.

use std::time::Duration;

use crate::chat::ChatRequest;
use crate::config::Priority;
use crate::error::{Code, Error, Result};
use crate::json::{self, Raw, push_text};
use crate::pack::Writer;

/// What is to be asked, and how it is to be queued.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ask {
    /// The chat request, in the shape of OpenAI's chat completions.
    pub body: String,
    /// How urgent it is. Default `normal`.
    pub priority: Priority,
    /// Runs after the first that fail and count; the configuration's if not given.
    pub max_retries: Option<u32>,
    /// From now to its result; the configuration's if not given.
    pub timeout: Option<Duration>,
    /// Whose it is within the organisation.
    pub user: Option<String>,
    /// Which conversation it belongs to: told again with the result.
    pub conversation: Option<String>,
    /// The same key is the same request.
    pub key: Option<String>,
}

/// Longest names, in bytes.
const MAX_NAME: usize = 256;
/// Longest request, in bytes: a row of SQLite in a Durable Object holds 2 MB.
const MAX_BODY: usize = 1_048_576;
/// A day.
const MAX_TIMEOUT_MS: u64 = 86_400_000;

const NAME: &str = "must be a text of 1 to 256 bytes";
const RETRIES: &str = "must be a whole number from 0 to 10";
const TIMEOUT: &str = "must be a whole number of milliseconds from 1 to 86400000 (a day)";

impl Ask {
    /// Reads a request of a caller of `organisation`, who is bound to `user` if that is given. `provider` and `model`
    /// name the target to ask first; every other field that is not the queue's is the chat request's.
    ///
    /// # Errors
    /// `invalid_request` that names the field (413 if it is too long); `forbidden` for another organisation's or user's.
    pub fn parse(json: &str, organisation: &str, user: Option<&str>) -> Result<Self> {
        if json.len() > MAX_BODY {
            let long = Error::invalid("", "must be at most 1 MiB");
            return Err(Error { status: Some(413), ..long }.into());
        }
        let fields = json::fields(json)?;
        if fields.has_repeated() {
            return Err(Error::invalid("", "must not repeat a field").into());
        }
        let mut ask = Self {
            body: String::with_capacity(json.len()),
            priority: Priority::Normal,
            max_retries: None,
            timeout: None,
            user: None,
            conversation: None,
            key: None,
        };
        let (mut provider, mut model) = (None, None);
        for (name, raw) in fields.iter().filter(|(_, raw)| raw.get() != "null") {
            match name {
                "provider" => provider = Some(text(raw, "provider")?),
                "model" => model = Some(text(raw, "model")?),
                "priority" => ask.priority = priority(raw)?,
                "maxRetries" => ask.max_retries = Some(whole(raw, "maxRetries", 0, 10, RETRIES)?),
                "timeout" | "timeoutMs" => {
                    let millis = json::uint(raw).filter(|millis| (1..=MAX_TIMEOUT_MS).contains(millis));
                    ask.timeout = Some(Duration::from_millis(millis.ok_or_else(|| Error::invalid(name, TIMEOUT))?));
                }
                "organisation" => belongs(text(raw, "organisation")?, Some(organisation), "organisation")?,
                "user" => ask.user = Some(text(raw, "user")?),
                "conversation" => ask.conversation = Some(text(raw, "conversation")?),
                "idempotencyKey" => ask.key = Some(text(raw, "idempotencyKey")?),
                "stream" if raw.get() != "false" => {
                    return Err(Error::invalid("stream", "must be false: the queue tells its progress instead").into());
                }
                _ => push_field(&mut ask.body, name, raw.get()),
            }
        }
        if let Some(asked) = &ask.user {
            belongs(asked.clone(), user, "user")?;
        }
        ask.user = ask.user.or_else(|| user.map(Into::into));
        let model = match (provider, model) {
            (Some(provider), Some(model)) => Some([&provider, "/", &model].concat()),
            (Some(_), None) => return Err(Error::invalid("model", "must be given with a provider").into()),
            (None, model) => model,
        };
        if let Some(model) = model {
            let mut quoted = String::new();
            push_text(&mut quoted, &model);
            push_field(&mut ask.body, "model", &quoted);
        }
        ask.body.push_str(if ask.body.is_empty() { "{}" } else { "}" });
        ChatRequest::parse(&ask.body)?;
        Ok(ask)
    }

    /// Sets the idempotency key that came beside the body, in a header.
    ///
    /// # Errors
    /// `invalid_request` that names it, also if the body has another.
    pub fn set_key(&mut self, key: String) -> Result<()> {
        if !(1..=MAX_NAME).contains(&key.len()) {
            return Err(Error::invalid("idempotency-key", NAME).into());
        }
        if self.key.as_ref().is_some_and(|own| *own != key) {
            return Err(Error::invalid("idempotencyKey", "must be the one of the header idempotency-key").into());
        }
        self.key = Some(key);
        Ok(())
    }

    /// What two requests must have in common to be the same: everything that was asked for but their keys.
    #[must_use]
    pub fn identity(&self) -> Vec<u8> {
        let mut out = Writer::new();
        for part in [self.priority.as_str(), self.user.as_deref().unwrap_or(""), &self.body] {
            out.text(part);
        }
        out.text(self.conversation.as_deref().unwrap_or(""));
        // What is not asked for adds nothing: the configuration that says it may change.
        if let Some(retries) = self.max_retries {
            out.byte(0).uint(retries.into());
        }
        if let Some(timeout) = self.timeout {
            out.byte(1).uint(u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX));
        }
        out.finish()
    }
}

/// Which of `shards` stores takes a request: for the same user and idempotency key always the same one, else any, by
/// `draw`. What cannot be read goes to the first, to be refused there.
#[must_use]
pub fn shard_of(json: &str, user: Option<&str>, key: Option<&str>, shards: u8, draw: u64) -> u8 {
    let fields = json::fields(json).unwrap_or_default();
    let own = |name| fields.field(name).and_then(|raw: Raw<'_>| json::text(raw));
    let (named, user) = (own("idempotencyKey"), own("user").or(user.map(Into::into)));
    let place = match key.or(named.as_deref()) {
        // FNV-1a: it guards nothing.
        Some(key) => [user.as_deref().unwrap_or(""), "\n", key]
            .iter()
            .flat_map(|part| part.bytes())
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)),
        None => draw,
    };
    u8::try_from(place.checked_rem(shards.into()).unwrap_or(0)).unwrap_or(0)
}

fn push_field(body: &mut String, name: &str, value: &str) {
    body.push(if body.is_empty() { '{' } else { ',' });
    push_text(body, name);
    body.push(':');
    body.push_str(value);
}

fn text(raw: Raw<'_>, name: &str) -> Result<String> {
    let text = json::text(raw).filter(|text| (1..=MAX_NAME).contains(&text.len()));
    Ok(text.ok_or_else(|| Error::invalid(name, NAME))?.into_owned())
}

fn whole(raw: Raw<'_>, name: &str, min: u64, max: u64, problem: &'static str) -> Result<u32> {
    let number = json::uint(raw).filter(|number| (min..=max).contains(number));
    let number = number.and_then(|number| u32::try_from(number).ok());
    Ok(number.ok_or_else(|| Error::invalid(name, problem))?)
}

fn priority(raw: Raw<'_>) -> Result<Priority> {
    let named = json::text(raw).and_then(|text| Priority::ALL.into_iter().find(|one| one.as_str() == text));
    Ok(named.ok_or_else(|| Error::invalid("priority", "must be critical, high, normal or low"))?)
}

/// Nobody speaks for another.
fn belongs(asked: String, own: Option<&str>, name: &str) -> Result<()> {
    match own {
        Some(own) if own != asked => Err(Error::field(Code::Forbidden, name, "must be the caller's own").into()),
        _ => Ok(()),
    }
}
