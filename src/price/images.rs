//! The most tokens that one image can cost, where a provider documents it.

/// Most tokens of an image at low and at high detail.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct ImageBound {
    pub(super) low: u32,
    pub(super) high: u32,
}

/// `None` where nothing bounds it: the model takes no images, or its default detail grows with the picture.
///
/// OpenAI ("Images and vision"): by tiles, base + tile * at most 8 (a picture is scaled into 2048 * 2048, then to
/// 768 on its short side: 4 * 2 tiles of 512). By patches, at most 1,536 times the model's factor; these models have
/// no cheaper low detail. Models since gpt-5.1 are absent: their default detail has no such limit.
///
/// Anthropic ("Vision"): patches of 28 pixels, scaled to 2,576 on the long side at most: 92 * 92 for a square. Further
/// scaling lowers it (a photo of 12 megapixels was measured at 4,005), older models stop at 1,568 pixels.
///
/// Google ("Media resolution"): 2,240 at the highest resolution of Gemini 3 and 4; older ones are absent, for the
/// count of their tiles is documented only roughly.
pub(super) fn image_bound(provider: &str, model: &str) -> Option<ImageBound> {
    const OPENAI: [(&str, u32, u32); 12] = [
        ("gpt-4o", 85, 85 + 8 * 170),
        ("gpt-4o-2024-05-13", 85, 85 + 8 * 170),
        ("gpt-4o-mini", 2_833, 2_833 + 8 * 5_667),
        ("gpt-4-turbo", 85, 85 + 8 * 170),
        ("gpt-4.1", 85, 85 + 8 * 170),
        ("gpt-4.1-mini", 2_489, 2_489), // 1,536 * 1.62
        ("gpt-4.1-nano", 3_779, 3_779), // 1,536 * 2.46
        ("gpt-5", 70, 70 + 8 * 140),
        ("gpt-5-mini", 2_489, 2_489),
        ("gpt-5-nano", 3_779, 3_779),
        ("o1", 75, 75 + 8 * 150),
        ("o3", 75, 75 + 8 * 150),
    ];
    let (maker, name) = match provider {
        "openrouter" => model.split_once('/')?,
        _ => (provider, model),
    };
    match maker {
        "openai" => {
            OPENAI.iter().find(|(id, ..)| *id == name).map(|(_, low, high)| ImageBound { low: *low, high: *high })
        }
        "anthropic" if name.starts_with("claude-") => Some(ImageBound { low: 92 * 92, high: 92 * 92 }),
        "google" if name.starts_with("gemini-3") || name.starts_with("gemini-4") => {
            Some(ImageBound { low: 2_240, high: 2_240 })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_has_a_bound_or_none() {
        assert_eq!(image_bound("openai", "gpt-4o"), Some(ImageBound { low: 85, high: 1_445 }));
        assert_eq!(image_bound("openrouter", "openai/gpt-4o"), image_bound("openai", "gpt-4o"));
        assert_eq!(image_bound("openai", "gpt-6-sol"), None, "its default detail has no limit");
        assert_eq!(image_bound("groq", "openai/gpt-oss-20b"), None);
        let claude = Some(ImageBound { low: 8_464, high: 8_464 });
        assert_eq!(image_bound("anthropic", "claude-haiku-4-5"), claude);
        assert_eq!(image_bound("openrouter", "anthropic/claude-haiku-4.5"), claude);
        assert_eq!(image_bound("anthropic", "opus-6"), None);
        let gemini = Some(ImageBound { low: 2_240, high: 2_240 });
        assert_eq!(["gemini-3-flash", "gemini-4-pro"].map(|name| image_bound("google", name)), [gemini; 2]);
        assert_eq!(image_bound("google", "gemini-2.5-pro"), None);
        assert_eq!(image_bound("openrouter", "gpt-4o"), None);
    }
}
