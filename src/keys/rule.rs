//! One row of the table, as it is read.

use std::sync::LazyLock;

use super::table::{DOCS, TABLE};
use super::{Advice, Class, Proof, Severity, set};
use crate::text::split_once;
use crate::value::Value;

/// Every shape that is known.
pub static RULES: LazyLock<Vec<Rule>> = LazyLock::new(rules);

/// One shape of one kind of key. Kinds with several shapes have several rows.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// The kind, stable.
    pub id: &'static str,
    /// Who issues it.
    pub provider: &'static str,
    /// What it means that it lies open. A proof may find it to be of another.
    pub class: Class,
    /// How bad that is.
    pub severity: Severity,
    /// What it must show beside its alphabet.
    pub proof: Proof,
    /// What to do.
    pub advice: Advice,
    /// Which line of `DOCS`.
    docs: usize,
    prefixes: &'static str,
    pieces: &'static str,
}

/// One part of what follows a prefix.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Piece {
    /// As many bytes of a set as there are; not fewer or more than these numbers.
    Run(u32, usize, usize),
    /// These bytes.
    Lit(&'static str),
    /// What stands between a name and its value: blanks, quotes, `=`, `:`, `=>`. The key begins after it.
    Glue,
    /// At most two `=` of padding.
    Pad,
    /// Lines of base64 up to `-----END`, however their ends are written.
    Pem,
}

/// Words of a text, and what they are apart by.
#[derive(Clone, Debug)]
pub(super) struct Words(pub(super) &'static str, pub(super) &'static str);

impl Iterator for Words {
    type Item = &'static str;

    #[inline(never)]
    fn next(&mut self) -> Option<&'static str> {
        let text = self.0;
        let (word, rest) = split_once(text, self.1).unwrap_or((text, ""));
        self.0 = rest;
        (!text.is_empty()).then_some(word)
    }
}

/// The row of this number.
#[inline(never)]
#[must_use]
pub fn row(index: usize) -> Option<&'static Rule> {
    RULES.get(index)
}

fn rules() -> Vec<Rule> {
    let mut rules = Vec::new();
    let (mut provider, mut docs) = ("", 0usize);
    for line in Words(TABLE, "\n") {
        let mut fields = Words(line, ",");
        let mut field = || fields.next().unwrap_or_default();
        let id = field();
        if let Some(name) = id.strip_prefix('=') {
            provider = if name.is_empty() { provider } else { name };
            docs = docs.wrapping_add(1);
            continue;
        }
        let (meaning, prefixes) = (field(), field());
        let letter = |at: usize| meaning.as_bytes().get(at).copied().unwrap_or_default();
        let (class, severity, advice) = Rule::meaning(letter(0));
        let id = if id.is_empty() { provider } else { id };
        let (proof, pieces) = (Rule::proof(letter(1)), fields.0);
        rules.push(Rule { id, provider, class, severity, proof, advice, docs, prefixes, pieces });
    }
    rules
}

impl Rule {
    const fn meaning(letter: u8) -> (Class, Severity, Advice) {
        match letter {
            b'c' => (Class::Secret, Severity::Critical, Advice::Admin),
            b't' => (Class::Secret, Severity::Low, Advice::Test),
            b'a' => (Class::Ambiguous, Severity::Medium, Advice::Rotate),
            b'r' => (Class::Ambiguous, Severity::Medium, Advice::Restrict),
            b'i' => (Class::Ambiguous, Severity::Medium, Advice::Pair),
            b'j' => (Class::Ambiguous, Severity::Medium, Advice::Token),
            b'p' => (Class::Publishable, Severity::Info, Advice::Public),
            _ => (Class::Secret, Severity::High, Advice::Rotate),
        }
    }

    const fn proof(letter: u8) -> Proof {
        match letter {
            b'o' => Proof::OpenAi,
            b'a' => Proof::EndsAa,
            b'j' => Proof::Jwt,
            b'h' => Proof::Host,
            b'n' => Proof::Json,
            b'd' => Proof::Dsn,
            b'm' => Proof::Mixed,
            b's' => Proof::Stripe,
            _ => Proof::None,
        }
    }

    /// Where the provider tells about it, without `https://`.
    #[inline(never)]
    #[must_use]
    pub fn docs(&self) -> &'static str {
        Words(DOCS, "\n").nth(self.docs.wrapping_sub(1)).unwrap_or_default()
    }

    /// What it begins with: one of these.
    pub fn prefixes(&self) -> impl Iterator<Item = &'static str> + use<> {
        Words(self.prefixes, "|")
    }

    /// What follows, piece by piece.
    pub fn pieces(&self) -> impl Iterator<Item = Piece> + use<> {
        Words(self.pieces, ",").map(Piece::parse)
    }

    /// Whether the prefix is the name of a variable, and no part of the key.
    #[must_use]
    pub fn is_named(&self) -> bool {
        self.pieces.starts_with('~')
    }

    /// Whether it is a block of lines between dashes.
    #[must_use]
    pub(super) fn is_pem(&self) -> bool {
        self.pieces.starts_with('#')
    }

    /// The rule as plain data, for documentation and tools.
    #[must_use]
    pub fn to_value(&self) -> Value {
        Value::map([
            ("id", self.id.into()),
            ("provider", self.provider.into()),
            ("class", self.class.as_str().into()),
            ("severity", self.severity.as_str().into()),
            ("advice", self.advice.as_str().into()),
            ("docs", ["https://", self.docs()].concat().into()),
        ])
    }
}

impl Piece {
    /// `'` and the bytes; a sign for what has no numbers; or an alphabet's letter and how many: `a24-247`.
    #[inline(never)]
    fn parse(word: &'static str) -> Self {
        let [kind, digits @ ..] = word.as_bytes() else { return Self::Pad };
        let alphabet = match kind {
            b'\'' => return Self::Lit(word.get(1..).unwrap_or_default()),
            b'~' => return Self::Glue,
            b'=' => return Self::Pad,
            b'#' => return Self::Pem,
            b'a' => set::ALNUM,
            b'b' => set::BASE64,
            b'd' => set::DIGIT,
            b'e' => set::BASE64 | set::EQUALS,
            b'h' => set::HEX,
            b'l' => set::LETTER,
            b'n' => set::ALNUM | set::DASH,
            b's' => set::SLUG,
            b't' => set::HOST,
            b'u' => set::BASE32,
            b'x' => set::BASE64 | set::BASE64URL,
            _ => set::BASE64URL,
        };
        let (mut least, mut most) = (0usize, 0usize);
        for digit in digits {
            if *digit == b'-' {
                least = most;
                most = 0;
            } else {
                most = most.wrapping_mul(10).wrapping_add(usize::from(digit & 15));
            }
        }
        Self::Run(alphabet, if least == 0 { most } else { least }, most)
    }
}

#[cfg(test)]
#[allow(clippy::string_slice, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn kinds_mean_what_they_do_at_their_providers() {
        for (id, class, severity, advice) in [
            ("groq", Class::Secret, Severity::High, Advice::Rotate),
            ("tidegate", Class::Secret, Severity::High, Advice::Rotate),
            ("openai-admin", Class::Secret, Severity::Critical, Advice::Admin),
            ("github", Class::Secret, Severity::Critical, Advice::Admin),
            ("stripe-test", Class::Secret, Severity::Low, Advice::Test),
            ("google-api-key", Class::Ambiguous, Severity::Medium, Advice::Restrict),
            ("aws-access-key-id", Class::Ambiguous, Severity::Medium, Advice::Pair),
            ("openai-compatible", Class::Ambiguous, Severity::Medium, Advice::Rotate),
            ("jwt", Class::Ambiguous, Severity::Medium, Advice::Token),
            ("posthog-project", Class::Publishable, Severity::Info, Advice::Public),
        ] {
            let rule = RULES.iter().find(|rule| rule.id == id).unwrap();
            assert_eq!((rule.class, rule.severity, rule.advice), (class, severity, advice), "{id}");
        }
    }

    #[test]
    fn kinds_whose_letters_prove_nothing_show_more() {
        for (id, proof) in [
            ("openai", Proof::OpenAi),
            ("anthropic", Proof::EndsAa),
            ("jwt", Proof::Jwt),
            ("clerk-publishable", Proof::Host),
            ("convex-deploy-key", Proof::Json),
            ("sentry-dsn", Proof::Dsn),
            ("gemini", Proof::Mixed),
            ("stripe", Proof::Stripe),
            ("groq", Proof::None),
        ] {
            assert_eq!(RULES.iter().find(|rule| rule.id == id).unwrap().proof, proof, "{id}");
        }
    }

    /// The letters of a row are read leniently, so that nothing panics: a slip of the pen must show here.
    #[test]
    fn every_line_of_the_table_is_written_as_it_is_read() {
        let (mut rows, mut docs) = (0, DOCS.lines());
        for line in TABLE.lines() {
            if line.starts_with('=') {
                let next = docs.next().unwrap();
                assert!(next.contains('.') && !next.contains(','), "{line}: {next}");
                assert_eq!(RULES[rows].docs(), next, "{line}");
                continue;
            }
            let fields: Vec<&str> = line.splitn(4, ',').collect();
            let [id, meaning, prefixes, pieces] = fields[..] else { panic!("{line}") };
            let rule = RULES[rows];
            rows += 1;
            assert!(id.is_empty() || id == rule.id, "{line}");
            assert!(!rule.provider.is_empty() && !rule.docs().is_empty(), "{line}");
            assert!(prefixes.split('|').eq(rule.prefixes()) && rule.prefixes().all(|one| one.len() >= 3), "{line}");
            assert!("sctarijp".contains(&meaning[..1]) && meaning.len() <= 2, "{line}");
            assert!(meaning[1..].chars().all(|proof| "oajhndms".contains(proof)), "{line}");
            for (written, piece) in pieces.split(',').zip(rule.pieces()) {
                match piece {
                    Piece::Run(_, least, most) => {
                        assert!("abdehlnstuwx".contains(&written[..1]), "{line}");
                        let numbers = if least == most { least.to_string() } else { format!("{least}-{most}") };
                        assert!(written[1..] == numbers && 0 < least && least <= most, "{line}");
                    }
                    Piece::Lit(literal) => assert!(!literal.is_empty(), "{line}"),
                    Piece::Glue => assert_eq!(written, "~"),
                    Piece::Pad => assert_eq!(written, "="),
                    Piece::Pem => assert_eq!(written, "#"),
                }
            }
            assert_eq!(pieces.split(',').count(), rule.pieces().count(), "{line}");
        }
        assert_eq!((rows, docs.next()), (RULES.len(), None));
    }
}
