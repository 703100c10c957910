//! Which tokenizer a model has, and what a chat costs beyond its texts.

use super::tokens::Features;
use super::weights;

/// Tokenizers that the estimate knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Family {
    /// OpenAI since gpt-4o; gpt-oss.
    O200k,
    /// Qwen.
    Qwen,
    /// Llama 3 and 4.
    Llama,
    /// Gemini and Gemma.
    Gemini,
    /// DeepSeek.
    DeepSeek,
    /// Claude: fitted to the last tokenizer that was public.
    Claude,
    /// Any other.
    Unknown,
}

/// Tokens beside the texts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Overhead {
    /// Every request.
    pub(super) base: u32,
    /// Each message.
    pub(super) message: u32,
    /// A request with tools.
    pub(super) tools: u32,
    /// Each tool.
    pub(super) tool: u32,
}

const fn overhead(base: u32, message: u32, tools: u32, tool: u32) -> Overhead {
    Overhead { base, message, tools, tool }
}

impl Family {
    /// The tokenizer of a model, by its name: ids of routers carry the maker's name in front.
    #[must_use]
    pub fn of(provider: &str, model: &str) -> Self {
        const NAMES: [(&str, Family); 10] = [
            ("gpt-oss", Family::O200k),
            ("qwen", Family::Qwen),
            ("deepseek", Family::DeepSeek), // before llama: its distilled models keep DeepSeek's chat form
            ("llama", Family::Llama),
            ("gemini", Family::Gemini),
            ("gemma", Family::Gemini),
            ("claude", Family::Claude),
            ("gpt-", Family::O200k),
            ("openai/", Family::O200k),
            ("anthropic/", Family::Claude),
        ];
        let by_name = NAMES.iter().find(|(name, _)| contains(model, name)).map(|(_, family)| *family);
        by_name.unwrap_or(match provider {
            "openai" => Self::O200k,
            "anthropic" => Self::Claude,
            "google" => Self::Gemini,
            "deepseek" => Self::DeepSeek,
            _ => Self::Unknown,
        })
    }

    /// The likely count of tokens.
    #[must_use]
    pub fn estimate(self, features: &Features) -> u64 {
        let weights = match self {
            Self::O200k => &weights::O200K,
            Self::Qwen => &weights::QWEN3,
            Self::Llama => &weights::LLAMA3,
            Self::Gemini => &weights::GEMINI,
            Self::DeepSeek => &weights::DEEPSEEK,
            Self::Claude => &weights::CLAUDE,
            Self::Unknown => return features.bytes.saturating_mul(10) / 36, // 3.6 bytes for a token
        };
        let thousandths = features
            .counts
            .iter()
            .zip(weights)
            .map(|(count, weight)| u64::from(*count).saturating_mul(u64::from(*weight)))
            .fold(0u64, u64::saturating_add);
        thousandths.saturating_add(500) / 1_000
    }

    /// Overhead as fitted to the providers' own counts by ai-tokenizer 1.0.6; gpt-oss as Groq serves it.
    pub(super) fn expected_overhead(self, model: &str) -> Overhead {
        match self {
            Self::O200k if contains(model, "gpt-oss") => overhead(68, 4, 38, 9),
            Self::O200k => overhead(6, 4, 38, 9),
            Self::Qwen => overhead(7, 4, 229, 9),
            Self::Llama => overhead(14, 4, 193, 9),
            Self::Claude => overhead(6, 2, 549, 53),
            Self::Gemini => overhead(0, 4, 38, 9),
            Self::DeepSeek | Self::Unknown => overhead(14, 4, 229, 53),
        }
    }

    /// Overhead to reserve for: twice the fitted one of the family, and at least that of a chat form with role,
    /// channel and recipient around each message. An unknown family gets the most of all.
    pub(super) fn most_overhead(self, model: &str) -> Overhead {
        match self {
            Self::O200k if contains(model, "gpt-oss") => overhead(136, 12, 76, 24),
            Self::O200k => overhead(24, 12, 76, 24),
            Self::Qwen => overhead(24, 12, 458, 24),
            Self::Llama => overhead(64, 12, 386, 24), // Meta's form adds a system message with dates
            Self::Gemini => overhead(24, 12, 76, 24),
            Self::DeepSeek | Self::Claude | Self::Unknown => overhead(136, 12, 1_098, 106),
        }
    }
}

/// Not `str::contains`, which brings 2 kB of search into the Wasm.
fn contains(model: &str, name: &str) -> bool {
    let (model, name) = (model.as_bytes(), name.as_bytes());
    let first = name.first().map(u8::to_ascii_lowercase);
    // One byte rules out nearly every place.
    let begins = |part: &&[u8]| part.first().map(u8::to_ascii_lowercase) == first;
    model.windows(name.len()).filter(begins).any(|part| part.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_go_by_the_models_name() {
        let cases = [
            ("groq", "openai/gpt-oss-20b", Family::O200k),
            ("groq", "llama-3.3-70b-versatile", Family::Llama),
            ("openrouter", "qwen/qwen3-coder:free", Family::Qwen),
            ("openrouter", "deepseek/deepseek-r1-distill-llama-70b", Family::DeepSeek),
            ("openrouter", "anthropic/claude-haiku-4.5", Family::Claude),
            ("openrouter", "openai/o3", Family::O200k),
            ("openai", "o3", Family::O200k),
            ("google", "gemma-4-31b-it", Family::Gemini),
            ("google", "learnlm-3", Family::Gemini),
            ("anthropic", "opus-6", Family::Claude),
            ("deepseek", "v5", Family::DeepSeek),
            ("huggingface", "Qwen/Qwen3-32B", Family::Qwen),
            ("openrouter", "z-ai/glm-5.3", Family::Unknown),
        ];
        for (provider, model, family) in cases {
            assert_eq!(Family::of(provider, model), family, "{model}");
        }
    }

    #[test]
    fn an_unknown_tokenizer_takes_a_token_for_a_few_bytes() {
        assert_eq!(Family::Unknown.estimate(&Features::of(&"x".repeat(360))), 100);
    }

    #[test]
    fn only_open_models_have_the_overhead_of_their_chat_form() {
        assert_eq!(Family::O200k.most_overhead("openai/gpt-oss-20b"), overhead(136, 12, 76, 24));
        assert_eq!(Family::O200k.most_overhead("gpt-4.1-mini"), overhead(24, 12, 76, 24));
    }

    #[test]
    fn what_is_reserved_for_is_never_less_than_what_is_expected() {
        let all = [Family::O200k, Family::Qwen, Family::Llama, Family::Gemini, Family::DeepSeek, Family::Claude];
        for family in all.into_iter().chain([Family::Unknown]) {
            for model in ["openai/gpt-oss-20b", "other"] {
                let (least, most) = (family.expected_overhead(model), family.most_overhead(model));
                assert!(most.base >= 2 * least.base && most.message >= 2 * least.message, "{family:?}");
                assert!(most.tools >= 2 * least.tools && most.tool >= 2 * least.tool, "{family:?}");
                let unknown = Family::Unknown.most_overhead(model);
                assert!(unknown.base >= most.base && unknown.tools >= most.tools && unknown.tool >= most.tool);
            }
        }
    }
}
