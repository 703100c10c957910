//! The values of variables that are secrets by their names, searched in every form that a build or a log may write them
//! in. So also secrets without a shape are found: a password, the key of a self-made service.

mod forms;
#[cfg(test)]
mod tests;
mod worth;

use super::finding::{Encoding, Finding, Options, found};
use super::scanner::scan;
use crate::keys::{Claim, Class, Hit, Severity, class_of, left_of, set};
use crate::secret::Secret;

/// Longest value that is searched: what stands behind a block must hold its longest form.
const LONGEST: usize = 8_192;
/// More than any project has; each costs about fifteen forms.
const MOST: usize = 2_000;
/// A shorter value may stand in the middle of a word by chance.
const BOUNDED: usize = 16;

const BYTES: usize = 8_192;

/// What is told of a value.
const RULE: &str = "env-value";
const ADVICE: &str =
    "The value of a variable that is a secret: read it on a server only, and replace it if it was ever published.";
const DOCS: &str = "cheatsheetseries.owasp.org/cheatsheets/Secrets_Management_Cheat_Sheet.html";

/// Values to be searched, each with the name that a finding tells.
pub struct Values {
    named: Vec<Named>,
    /// By the four bytes that they are looked for by.
    needles: Vec<Needle>,
    bits: Box<[u8; BYTES]>,
}

/// A value, and where it comes from.
struct Named {
    label: String,
    severity: Severity,
    value: Secret<Vec<u8>>,
}

/// One form of a value.
struct Needle {
    four: u32,
    text: Secret<Vec<u8>>,
    encoding: Encoding,
    value: usize,
    /// Whether it must stand alone.
    bounded: bool,
}

/// The bit of four bytes: 16 bits.
const fn slot(four: u32) -> u32 {
    four.wrapping_mul(0x9E37_79B1) >> 16
}

impl Default for Values {
    fn default() -> Self {
        Self { named: Vec::new(), needles: Vec::new(), bits: Box::new([0; BYTES]) }
    }
}

impl Values {
    /// Adds the value of the variable `name`, which `place` (a file and its line) sets. Gives back whether it is
    /// searched: not if the name tells of no secret, if the value is too short or too common to be one, or if it is a
    /// key that was made to be seen.
    pub fn add(&mut self, name: &str, place: &str, value: &[u8]) -> bool {
        let before = self.named.len();
        let mut label = String::from(name);
        if !place.is_empty() {
            label.extend([" (", place, ")"]);
        }
        // Credentials in an address are secrets whatever the name is.
        for password in worth::passwords(value) {
            self.watch(&label, Severity::High, value);
            self.watch(&label, Severity::High, &password);
        }
        if let Some(severity) = worth::severity_of(name)
            && worth::is_worth(value)
            && !made_to_be_seen(value)
        {
            self.watch(&label, severity, value);
        }
        self.named.len() > before
    }

    fn watch(&mut self, label: &str, severity: Severity, value: &[u8]) {
        // EXPOSE: compared with another value; nothing of it leaves.
        let known = self.named.iter().any(|own| own.value.expose().as_slice() == value);
        if known || value.len() > LONGEST || self.named.len() >= MOST {
            return;
        }
        let index = self.named.len();
        self.named.push(Named { label: label.into(), severity, value: Secret::new(value.to_vec()) });
        forms::each(value, &mut |encoding, text| {
            let Some(four) = text.first_chunk().map(|four| u32::from_le_bytes(*four)) else { return };
            let bounded = value.len() < BOUNDED && encoding != Encoding::Base64;
            let needle = Needle { four, text: Secret::new(text), encoding, value: index, bounded };
            let at = self.needles.partition_point(|own| own.four < four);
            self.needles.insert(at, needle);
            let slot = slot(four);
            if let Some(byte) = self.bits.get_mut((slot >> 3) as usize) {
                *byte |= 1 << (slot & 7);
            }
        });
    }

    /// Finds the values that begin between `from` and `to`.
    pub(super) fn search(&self, text: &[u8], from: usize, to: usize, options: &Options, out: &mut Vec<Finding>) {
        let end = to.saturating_add(3).min(text.len());
        let Some([a, b, c, rest @ ..]) = text.get(from..end) else { return };
        let mut four = u32::from_le_bytes([0, *a, *b, *c]);
        for (index, byte) in rest.iter().enumerate() {
            four = four >> 8 | u32::from(*byte) << 24;
            let slot = slot(four);
            if self.bits.get((slot >> 3) as usize).copied().unwrap_or(0) >> (slot & 7) & 1 != 0 {
                self.compare(text, from.saturating_add(index), four, options, out);
            }
        }
    }

    fn compare(&self, text: &[u8], at: usize, four: u32, options: &Options, out: &mut Vec<Finding>) {
        let first = self.needles.partition_point(|own| own.four < four);
        let alike = self.needles.get(first..).unwrap_or_default().iter().take_while(|own| own.four == four);
        for needle in alike {
            // EXPOSE: compared with the text that is scanned.
            let form = needle.text.expose();
            let end = at.saturating_add(form.len());
            let Some(named) = self.named.get(needle.value) else { continue };
            if text.get(at..end) != Some(form) || needle.bounded && !stands_alone(text, at, end) {
                continue;
            }
            let hit = Hit { rule: usize::MAX, start: at, end, claim: Claim::None };
            // EXPOSE: for the fingerprint.
            let mut finding = found(&hit, "", named.value.expose(), options);
            (finding.rule, finding.provider, finding.encoding) = (RULE, "env", needle.encoding);
            (finding.severity, finding.preview) = (named.severity, named.label.clone());
            (finding.advice, finding.docs) = (ADVICE, DOCS);
            out.push(finding);
        }
    }
}

/// Not the middle of a word, at the ends that are letters or digits themselves.
fn stands_alone(text: &[u8], at: usize, end: usize) -> bool {
    let word = |at: Option<usize>| at.and_then(|at| text.get(at)).is_some_and(|byte| class_of(*byte) & set::ALNUM != 0);
    (!word(Some(at)) || left_of(text, at)) && !(word(end.checked_sub(1)) && word(Some(end)))
}

/// Whether its form tells that a value is no secret, or not necessarily: then that decides.
fn made_to_be_seen(value: &[u8]) -> bool {
    let mut seen = false;
    let options = Options { key: Secret::new(Vec::new()), publishable: true };
    let whole = value.trim_ascii().len() as u64;
    scan(value, &options, &mut |finding| {
        let (start, end) = finding.span;
        seen |= finding.class != Class::Secret && end.saturating_sub(start) == whole;
    });
    seen
}
