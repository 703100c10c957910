//! What is asked of a gate, and what the pipeline asks of its host.

use std::rc::Rc;

use super::OwnKey;
use crate::abort::Abort;
use crate::admit;
use crate::cache::Controls;
use crate::chat::Dialect;
use crate::host::{Clock, Entropy, Ledger, Observer, Rest, Timer, Transport, ZoneRules};
use crate::provider::Unasked;

/// Everything that the pipeline asks of its host.
pub trait Host:
    Clock
    + ZoneRules
    + Entropy
    + Timer
    + Transport
    + Rest
    + Observer
    + Ledger<Command = admit::Command, Reply = admit::Reply>
{
}

impl<H> Host for H where
    H: Clock
        + ZoneRules
        + Entropy
        + Timer
        + Transport
        + Rest
        + Observer
        + Ledger<Command = admit::Command, Reply = admit::Reply>
{
}

/// What a request wants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wants {
    /// An answer of a model.
    Chat,
    /// Vectors. `batch`: by Gemini's call for several.
    Embeddings {
        /// Whether the call is `batchEmbedContents`.
        batch: bool,
    },
}

impl Wants {
    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Embeddings { batch: false } => "embeddings",
            Self::Embeddings { batch: true } => "embeddings-batch",
        }
    }
}

/// One request to the gate.
pub struct Call {
    /// What it wants.
    pub wants: Wants,
    /// The request as JSON text.
    pub body: Rc<str>,
    /// What it is written in, and its answer will be.
    pub dialect: Dialect,
    /// The model, for dialects that have it in the path.
    pub model: Option<Rc<str>>,
    /// Whether the path asks for a stream, for dialects that say it there.
    pub stream: bool,
    /// Where its client reads the usage of a stream that it does not ask for.
    pub unasked: Unasked,
    /// Whether it came through the drop-in fetch: then only the model's context limits its length.
    pub drop_in: bool,
    /// Whose request it is; caches and breakers never cross tenants.
    pub tenant: Rc<str>,
    /// Who asks, where there are limits by caller.
    #[cfg(feature = "edge")]
    pub caller: Option<Rc<admit::edge::Caller>>,
    /// The trace context (W3C `traceparent`) that its attempts are part of. A server's only: no browser could send it.
    #[cfg(feature = "edge")]
    pub trace: Option<Rc<str>>,
    /// Whether its settlement may follow its answer: then its host is to be told when the answer is out.
    #[cfg(feature = "edge")]
    pub posts: bool,
    /// The key that it brought, if such keys are used.
    pub own_key: Option<Rc<OwnKey>>,
    /// What the caller asks of the cache.
    pub controls: Controls,
    /// The betas of Anthropic's API that it asks for, as [`betas`](crate::provider::anthropic::betas) reads them.
    #[cfg(feature = "dialects")]
    pub betas: Option<Rc<str>>,
    /// Aborts the request.
    pub abort: Abort,
}

impl Call {
    /// A chat completion request of `tenant`.
    #[must_use]
    pub fn chat(body: &str, tenant: &str) -> Self {
        Self {
            wants: Wants::Chat,
            body: body.into(),
            dialect: Dialect::Chat,
            model: None,
            stream: false,
            unasked: Unasked::Nowhere,
            drop_in: false,
            tenant: tenant.into(),
            #[cfg(feature = "edge")]
            caller: None,
            #[cfg(feature = "edge")]
            trace: None,
            #[cfg(feature = "edge")]
            posts: false,
            own_key: None,
            controls: Controls::default(),
            #[cfg(feature = "dialects")]
            betas: None,
            abort: Abort::new(),
        }
    }
}
