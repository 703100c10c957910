//! What a text is made of, counted in one pass: enough to estimate its tokens without a tokenizer.

use std::str::Chars;

/// How many classes of text are told apart.
pub const CLASSES: usize = 26;

/// One class; its place in [`Features::counts`] and in the weights.
#[derive(Clone, Copy)]
enum Class {
    Words,
    Letters5To12,
    Letters13,
    CaseBreaks,
    DigitTriples,
    Punctuation,
    PunctuationMore,
    LineBreaks,
    Indents,
    LatinExtended,
    LatinExtendedWords,
    Cyrillic,
    Greek,
    Hebrew,
    Arabic,
    Indic,
    Thai,
    Hangul,
    Kana,
    Han,
    CjkPunctuation,
    Astral,
    OtherThreeBytes,
    OtherTwoBytes,
    Marks,
    MoreCapitals,
}

/// Counts over any number of texts; add up to the whole of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Features {
    /// Units of each class.
    pub counts: [u32; CLASSES],
    /// Most bytes that a tokenizer can see. A byte-level tokenizer never makes more tokens than that.
    pub bytes: u64,
}

impl Features {
    /// Counts one text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut features = Self::default();
        features.add(text);
        features
    }

    /// Counts one more text.
    pub fn add(&mut self, text: &str) {
        self.bytes = self.bytes.saturating_add(text.len() as u64);
        let mut chars = text.chars();
        loop {
            // Most of most texts: words of plain letters, one blank between them.
            let rest = self.plain_words(chars.as_str());
            chars = rest.chars();
            let Some(c) = chars.next() else { return };
            match c {
                'a'..='z' | 'A'..='Z' => self.word(c, &mut chars),
                '0'..='9' => {
                    let more = run(&mut chars, |c| c.is_ascii_digit());
                    self.count(Class::DigitTriples, more.saturating_add(3) / 3);
                }
                ' ' | '\t' | '\n' | '\r' => self.blank(c, &mut chars),
                '\0'..='\x7f' => {
                    let more = run(&mut chars, |c| c.is_ascii() && !c.is_ascii_alphanumeric() && !is_blank(c));
                    self.count(Class::Punctuation, 1);
                    self.count(Class::PunctuationMore, more);
                }
                _ => self.other(c),
            }
        }
    }

    fn count(&mut self, class: Class, units: u32) {
        if let Some(count) = self.counts.get_mut(class as usize) {
            *count = count.saturating_add(units);
        }
    }

    /// Counts the words at the beginning that are of ASCII letters alone, and passes single blanks between them. Returns
    /// what follows.
    fn plain_words<'a>(&mut self, text: &'a str) -> &'a str {
        let bytes = text.as_bytes();
        let (mut words, mut at) = (Words::default(), 0usize);
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            // Most words have no capitals; then there is nothing to count but letters. In the build for speed only.
            let small = if cfg!(feature = "speed") { small_letters(rest) } else { 0 };
            let (mut letters, mut capitals, mut breaks, mut lower) = (small, 0u32, 0u32, small > 0);
            let mut next = rest.get(small as usize);
            while let Some(byte) = next
                && byte.is_ascii_alphabetic()
            {
                letters = letters.wrapping_add(1);
                if byte.is_ascii_uppercase() {
                    capitals = capitals.wrapping_add(1);
                    breaks = breaks.wrapping_add(u32::from(lower));
                }
                lower = byte.is_ascii_lowercase();
                next = rest.get(letters as usize);
            }
            if letters == 0 || next.is_some_and(|byte| !byte.is_ascii()) {
                break;
            }
            words.add(letters, capitals, breaks);
            at = at.wrapping_add(letters as usize);
            match bytes.get(at..) {
                Some([b' ', letter, ..]) if letter.is_ascii_alphabetic() => at = at.wrapping_add(1),
                _ => break,
            }
        }
        self.words(&words);
        text.get(at..).unwrap_or_default()
    }

    fn words(&mut self, words: &Words) {
        self.count(Class::Words, words.all);
        self.count(Class::CaseBreaks, words.breaks);
        self.count(Class::Letters5To12, words.letters_5_to_12);
        self.count(Class::Letters13, words.letters_13);
        self.count(Class::MoreCapitals, words.more_capitals);
    }

    /// ASCII letters with extended Latin ones after the first; camelCase breaks count as tokenizers split there.
    fn word(&mut self, first: char, chars: &mut Chars<'_>) {
        let (mut letters, mut capitals, mut extended, mut breaks) =
            (1u32, u32::from(first.is_ascii_uppercase()), 0u32, 0u32);
        let mut previous = first;
        while let Some(c) = next_if(chars, |c| c.is_ascii_alphabetic() || is_latin_extended(c)) {
            letters = letters.saturating_add(1);
            if c.is_ascii_uppercase() {
                capitals = capitals.saturating_add(1);
                breaks = breaks.saturating_add(u32::from(previous.is_ascii_lowercase()));
            } else if !c.is_ascii() {
                extended = extended.saturating_add(1);
            }
            previous = c;
        }
        let mut words = Words::default();
        words.add(letters, capitals, breaks);
        self.words(&words);
        self.count(Class::LatinExtended, extended);
        self.count(Class::LatinExtendedWords, u32::from(extended > 0));
    }

    /// A run of blanks: whether it breaks a line, and whether it ends in an indent.
    fn blank(&mut self, first: char, chars: &mut Chars<'_>) {
        let is_break = |c| matches!(c, '\n' | '\r');
        let mut breaks = is_break(first);
        let mut indent = u32::from(!breaks);
        while let Some(c) = next_if(chars, is_blank) {
            breaks |= is_break(c);
            indent = if is_break(c) { 0 } else { indent.saturating_add(1) };
        }
        self.count(Class::LineBreaks, u32::from(breaks));
        self.count(Class::Indents, u32::from(indent > 1));
    }

    fn other(&mut self, c: char) {
        if grows_when_composed(c) {
            self.bytes = self.bytes.saturating_add((c.len_utf8() as u64) << 1);
        }
        let class = match u32::from(c) {
            0xC0..0x250 | 0x1E00..0x1F00 => {
                self.count(Class::LatinExtendedWords, 1);
                Class::LatinExtended
            }
            0x400..0x530 => Class::Cyrillic,
            0x370..0x400 | 0x1F00..0x2000 => Class::Greek,
            0x590..0x600 => Class::Hebrew,
            0x64B..=0x670 | 0x6D6..=0x6ED => Class::Marks,
            0x600..0x780 | 0xFB50..0xFE00 | 0xFE70..0xFF00 => Class::Arabic,
            0x900..0xE00 => Class::Indic,
            0xE00..0xE80 => Class::Thai,
            0xAC00..0xD7B0 => Class::Hangul,
            0x3040..0x3100 => Class::Kana,
            0x4E00..0xA000 => Class::Han,
            0x3000..0x3040 | 0xFF00..0xFFF0 => Class::CjkPunctuation,
            0x1_0000.. => Class::Astral,
            0..0x800 => Class::OtherTwoBytes,
            _ => Class::OtherThreeBytes,
        };
        self.count(class, 1);
    }
}

/// Words of one text.
#[derive(Default)]
struct Words {
    all: u32,
    breaks: u32,
    letters_5_to_12: u32,
    letters_13: u32,
    more_capitals: u32,
}

impl Words {
    /// One more. No text is so long that a count would not fit.
    fn add(&mut self, letters: u32, capitals: u32, breaks: u32) {
        self.all = self.all.wrapping_add(1);
        self.breaks = self.breaks.wrapping_add(breaks);
        self.letters_5_to_12 = self.letters_5_to_12.wrapping_add(letters.min(12).saturating_sub(4));
        self.letters_13 = self.letters_13.wrapping_add(letters.saturating_sub(12));
        self.more_capitals = self.more_capitals.wrapping_add(capitals.saturating_sub(1).saturating_sub(breaks));
    }
}

/// How many bytes at the beginning are small ASCII letters, eight at a time.
fn small_letters(bytes: &[u8]) -> u32 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = ONES << 7;
    let (words, rest) = bytes.as_chunks::<8>();
    let mut length = 0u32;
    for word in words {
        let word = u64::from_le_bytes(*word);
        let low = word & !HIGH;
        // The high bit of each byte from `a` on, and of each beyond `z`: no sum leaves its byte.
        let from_a = low.wrapping_add(ONES.wrapping_mul(0x80 - 0x61));
        let beyond_z = low.wrapping_add(ONES.wrapping_mul(0x80 - 0x7b));
        let other = (!from_a | beyond_z | word) & HIGH;
        if other != 0 {
            return length.wrapping_add(other.trailing_zeros() / 8);
        }
        length = length.wrapping_add(8);
    }
    rest.iter().take_while(|byte| byte.is_ascii_lowercase()).fold(length, |length, _| length.wrapping_add(1))
}

fn next_if(chars: &mut Chars<'_>, belongs: impl Fn(char) -> bool) -> Option<char> {
    let mut ahead = chars.clone();
    let next = ahead.next().filter(|c| belongs(*c));
    if next.is_some() {
        *chars = ahead;
    }
    next
}

fn run(chars: &mut Chars<'_>, belongs: impl Fn(char) -> bool) -> u32 {
    let mut length = 0u32;
    while next_if(chars, &belongs).is_some() {
        length = length.saturating_add(1);
    }
    length
}

const fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

const fn is_latin_extended(c: char) -> bool {
    matches!(c, '\u{c0}'..'\u{250}' | '\u{1e00}'..'\u{1f00}')
}

/// Characters that Unicode's NFC makes longer, up to three times. Qwen's tokenizer normalises before it counts, so
/// such a text can have more tokens than bytes.
const fn grows_when_composed(c: char) -> bool {
    matches!(c,
        '\u{344}' | '\u{958}'..='\u{95f}' | '\u{9dc}'..='\u{9df}' | '\u{a33}'..='\u{a5e}' | '\u{b5c}'..='\u{b5d}'
        | '\u{f43}'..='\u{fb9}' | '\u{2adc}' | '\u{fb1d}'..='\u{fb4e}' | '\u{1d15e}'..='\u{1d1c0}')
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))] // proptest does not build there
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[test]
    fn counts_are_those_of_the_definition() {
        let vectors: Value = serde_json::from_str(include_str!("../../tests/vectors/token_features.json")).unwrap();
        let vectors = vectors.as_array().unwrap();
        assert!(vectors.len() >= 60);
        for vector in vectors {
            let text = vector[0].as_str().unwrap();
            let wanted: Vec<_> =
                vector[1].as_array().unwrap().iter().map(|n| u32::try_from(n.as_u64().unwrap()).unwrap()).collect();
            assert_eq!(Features::of(text).counts.to_vec(), wanted, "{text:?}");
        }
        // Together the vectors exercise every class, or equality would mean little.
        for class in 0..CLASSES {
            assert!(vectors.iter().any(|vector| vector[1][class] != 0), "class {class}");
        }
    }

    #[test]
    fn a_word_with_an_accent_counts_as_one_without() {
        let latin = [Class::LatinExtended, Class::LatinExtendedWords].map(|class| class as usize);
        for (accented, plain, extended) in [
            ("na\u{ef}veBIGBus", "naiveBIGBus", 1),
            ("internation\u{e0}lisatiONSx", "internationalisatiONSx", 1),
            ("Caf\u{e9}s\u{e9}", "Cafese", 2),
        ] {
            let (mut own, mut other) = (Features::of(accented).counts, Features::of(plain).counts);
            assert_eq!(latin.map(|class| own[class]), [extended, 1], "{accented}");
            for class in latin {
                (own[class], other[class]) = (0, 0);
            }
            assert_eq!(own, other, "{accented}");
        }
        let before_another = Features::of("abc\u{436}").counts;
        assert_eq!(latin.map(|class| before_another[class]), [0, 0]);
        assert_eq!(latin.map(|class| Features::of("!\u{e9}").counts[class]), [1, 1], "it is no punctuation");
        for (blanks, breaks, indents) in [(" \n", 1, 0), ("\n  ", 1, 1), ("  ", 0, 1), ("  \n ", 1, 0)] {
            let counts = Features::of(&["a", blanks, "b"].concat()).counts;
            let told = (counts[Class::LineBreaks as usize], counts[Class::Indents as usize]);
            assert_eq!(told, (breaks, indents), "{blanks:?}");
        }
    }

    #[test]
    fn what_normalising_makes_longer_counts_at_its_longest() {
        assert_eq!(Features::of("\u{958}").bytes, 9);
        assert_eq!(Features::of("\u{1d160}").bytes, 12);
        assert_eq!(Features::of("\u{915}").bytes, 3);
    }

    proptest! {
        #[test]
        fn any_text_is_counted(a: String, b: String) {
            let (first, second) = (Features::of(&a), Features::of(&b));
            prop_assert!(first.bytes >= a.len() as u64);
            let mut both = first;
            both.add(&b);
            prop_assert_eq!(both.bytes, first.bytes.saturating_add(second.bytes));
            for (count, (one, other)) in both.counts.iter().zip(first.counts.iter().zip(second.counts)) {
                prop_assert_eq!(*count, one.saturating_add(other));
            }
        }
    }
}
