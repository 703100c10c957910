//! What is done about keys in messages.

/// What becomes of keys in messages that are about to be sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Screening {
    /// A mark is sent in their place.
    #[default]
    Mask,
    /// The request is refused.
    Refuse,
    /// They are sent, and an event tells of them.
    Warn,
    /// Nobody looks.
    Off,
}

impl Screening {
    /// The name in the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mask => "mask",
            Self::Refuse => "refuse",
            Self::Warn => "warn",
            Self::Off => "off",
        }
    }
}

/// Where in an answer the keys of its request are put back in place of their marks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Restore {
    /// Nowhere: the marks stay.
    Off,
    /// In the text that a person reads. Not in tool calls: what a model was talked into must not carry a key anywhere.
    #[default]
    Text,
    /// In the arguments of tool calls too.
    All,
}

impl Restore {
    /// The name in the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Text => "text",
            Self::All => "all",
        }
    }
}
