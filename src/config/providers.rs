//! Where providers are, and what the configuration says of them.

use super::{GatewayConfig, ProviderConfig};
use crate::chat::Dialect;
use crate::text;

/// Providers whose address is built in; others need a `baseUrl`. How they speak is the catalogue's to say
/// (`provider/catalogue.rs`), which a leaf like this one may not ask.
pub const PROVIDERS: [(&str, &str); 9] = [
    ("groq", "https://api.groq.com/openai/v1"),
    ("openrouter", "https://openrouter.ai/api/v1"),
    ("openai", "https://api.openai.com/v1"),
    ("anthropic", "https://api.anthropic.com/v1"),
    ("google", "https://generativelanguage.googleapis.com/v1beta"),
    // api-docs.deepseek.com names it without a version; `/v1` is an alias that its newer pages leave out.
    ("deepseek", "https://api.deepseek.com"),
    ("huggingface", "https://router.huggingface.co/v1"),
    ("mistral", "https://api.mistral.ai/v1"),
    ("xai", "https://api.x.ai/v1"),
];

/// The built-in address of a provider.
pub(super) fn built_in(provider: &str) -> Option<&'static str> {
    PROVIDERS.iter().find(|(id, _)| *id == provider).map(|(_, url)| *url)
}

impl GatewayConfig {
    /// What the configuration says of a provider.
    #[must_use]
    pub fn provider(&self, id: &str) -> Option<&ProviderConfig> {
        self.providers.iter().find(|own| own.id == id)
    }

    /// Base of a provider's API.
    #[must_use]
    pub fn base_url(&self, provider: &str) -> Option<&str> {
        self.provider(provider).map(|own| own.base_url.as_str()).or_else(|| built_in(provider))
    }

    /// The one dialect that the configuration has a provider spoken to in; without it the catalogue decides
    /// ([`dialects`](crate::provider)).
    #[must_use]
    pub fn dialect(&self, provider: &str) -> Option<&Dialect> {
        self.provider(provider)?.dialect.as_ref()
    }

    /// Scheme, host and port of a provider's API: what its key is bound to.
    #[must_use]
    pub fn origin(&self, provider: &str) -> Option<&str> {
        let url = self.base_url(provider)?;
        let (scheme, rest) = text::split_once(url, "://")?;
        let host = rest.split('/').next()?;
        url.get(..scheme.len().checked_add(3)?.checked_add(host.len())?)
    }
}
