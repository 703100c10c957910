//! Decision records: everything that a request's decisions depended on and the decisions themselves, in
//! lines of plain text without content or keys. A record can be replayed: the same inputs must lead to
//! the same decisions, byte for byte.
//!
//! One line is one step: what was decided, `=`, what came of it; fields are separated by tabs.

use std::rc::Rc;

pub use crate::text::push_int;
use crate::time::Timestamp;

/// One field of a line.
#[derive(Clone, Copy, Debug)]
pub enum Field<'a> {
    /// A number.
    Int(u64),
    /// A word without tabs or line ends.
    Word(&'a str),
}

impl From<u64> for Field<'_> {
    fn from(number: u64) -> Self {
        Self::Int(number)
    }
}

impl From<u32> for Field<'_> {
    fn from(number: u32) -> Self {
        Self::Int(number.into())
    }
}

impl From<usize> for Field<'_> {
    fn from(number: usize) -> Self {
        Self::Int(number as u64)
    }
}

impl From<bool> for Field<'_> {
    fn from(flag: bool) -> Self {
        Self::Int(flag.into())
    }
}

impl From<Timestamp> for Field<'_> {
    /// Milliseconds; an instant before 1970 reads as 0.
    fn from(instant: Timestamp) -> Self {
        Self::Int(u64::try_from(instant.as_millis()).unwrap_or(0))
    }
}

impl<'a> From<&'a str> for Field<'a> {
    fn from(word: &'a str) -> Self {
        Self::Word(word)
    }
}

/// Writes a record, or walks along one.
#[derive(Debug)]
pub struct Tape {
    written: String,
    /// The last long number and where it stands.
    last: (u64, std::ops::Range<usize>),
    source: Option<(Rc<str>, usize)>,
    diverged: bool,
}

impl Tape {
    /// A tape that records.
    #[must_use]
    pub fn recording() -> Self {
        Self { written: String::with_capacity(512), last: (0, 0..0), source: None, diverged: false }
    }

    /// A tape that replays `record`: it gives back what came of each step, as long as the decisions
    /// are the same.
    #[must_use]
    pub fn replaying(record: Rc<str>) -> Self {
        let written = String::with_capacity(record.len());
        Self { written, last: (0, 0..0), source: Some((record, 0)), diverged: false }
    }

    /// Whether this tape replays.
    #[must_use]
    pub const fn is_replay(&self) -> bool {
        self.source.is_some()
    }

    /// Notes a decision. While recording the answer is `None`: do it, then tell what [`came`](Self::came)
    /// of it. While replaying it is what came of it then; nothing is left to do.
    pub fn decide(&mut self, decision: &[Field<'_>]) -> Option<Outcome> {
        let start = self.written.len();
        self.write(decision);
        let (record, at) = self.source.as_mut()?;
        let line = record.get(*at..).and_then(|rest| rest.lines().next()).unwrap_or("");
        // From the decision's end on, since its own words may begin with `=`.
        let tail = self.written.get(start..).and_then(|decision| line.strip_prefix(decision));
        let outcome = match tail {
            Some("") => Some(""),
            Some(tail) => tail.strip_prefix("\t=").filter(|rest| rest.is_empty() || rest.starts_with('\t')),
            None => None,
        };
        let same = outcome.is_some();
        self.diverged |= !same;
        *at = at.saturating_add(line.len()).saturating_add(1);
        if let (true, Some(tail)) = (same, tail) {
            self.written.push_str(tail);
        }
        let outcome = Outcome { rest: outcome.unwrap_or_default().into(), at: 0, sound: same };
        self.written.push('\n');
        Some(outcome)
    }

    /// Notes what came of the last decision.
    pub fn came(&mut self, outcome: &[Field<'_>]) {
        self.written.push_str("\t=");
        for field in outcome {
            self.written.push('\t');
            self.field(*field);
        }
        self.written.push('\n');
    }

    /// Notes a line that only tells.
    pub fn line(&mut self, fields: &[Field<'_>]) {
        if self.decide(fields).is_none() {
            self.written.push('\n');
        }
    }

    /// What was written; and whether, in a replay, it is all that was recorded.
    #[must_use]
    pub fn finish(self) -> (String, bool) {
        let same = match &self.source {
            Some((record, _)) => !self.diverged && **record == *self.written,
            None => true,
        };
        (self.written, same)
    }

    fn write(&mut self, fields: &[Field<'_>]) {
        for (index, field) in fields.iter().enumerate() {
            if index > 0 {
                self.written.push('\t');
            }
            self.field(*field);
        }
    }

    fn field(&mut self, field: Field<'_>) {
        match field {
            // Above all the time, which is recorded many times within a millisecond.
            Field::Int(number) if cfg!(feature = "speed") && number > u64::from(u32::MAX) => {
                if number == self.last.0 {
                    return self.written.extend_from_within(self.last.1.clone());
                }
                let start = self.written.len();
                push_int(&mut self.written, number);
                self.last = (number, start..self.written.len());
            }
            Field::Int(number) => push_int(&mut self.written, number),
            Field::Word(word) if word.bytes().all(|byte| byte >= b' ') => self.written.push_str(word),
            Field::Word(word) => self.written.extend(word.chars().map(|c| if c < ' ' { ' ' } else { c })),
        }
    }
}

/// Bytes as lower-case hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().saturating_mul(2));
    for digit in bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]) {
        let letter = if digit < 10 { b'0'.wrapping_add(digit) } else { b'a'.wrapping_add(digit.wrapping_sub(10)) };
        out.push(char::from(letter));
    }
    out
}

/// What came of a recorded step, read field by field. Fields that are missing read as zero or empty and
/// make the outcome unsound: a damaged record replays as different, never as a panic.
#[derive(Debug)]
pub struct Outcome {
    rest: String,
    at: usize,
    sound: bool,
}

impl Outcome {
    /// Reads the fields of `line`, each behind a tab.
    #[must_use]
    pub fn of(line: &str) -> Self {
        Self { rest: line.into(), at: 0, sound: true }
    }

    /// The next field.
    pub fn word(&mut self) -> String {
        let rest = self.rest.get(self.at..).unwrap_or("");
        let Some(rest) = rest.strip_prefix('\t') else {
            self.sound = false;
            return String::new();
        };
        let word = rest.split('\t').next().unwrap_or("");
        self.at = self.at.saturating_add(1).saturating_add(word.len());
        word.into()
    }

    /// The next field as a number.
    pub fn int(&mut self) -> u64 {
        let number = self.word().parse();
        self.sound &= number.is_ok();
        number.unwrap_or(0)
    }

    /// Whether every field read was there.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        self.sound
    }
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))] // proptest does not build there
mod tests {
    use super::*;

    fn recorded() -> String {
        let mut tape = Tape::recording();
        assert!(tape.decide(&["admit".into(), 3u32.into()]).is_none());
        tape.came(&["ok".into(), u64::MAX.into()]);
        tape.line(&["end".into(), "fine".into()]);
        tape.finish().0
    }

    #[test]
    fn the_same_decisions_give_the_same_record() {
        let record = recorded();
        assert_eq!(record, "admit\t3\t=\tok\t18446744073709551615\nend\tfine\n");
        let mut tape = Tape::replaying(record.as_str().into());
        let mut outcome = tape.decide(&["admit".into(), 3u32.into()]).unwrap();
        assert_eq!((outcome.word().as_str(), outcome.int(), outcome.is_sound()), ("ok", u64::MAX, true));
        tape.line(&["end".into(), "fine".into()]);
        assert_eq!(tape.finish(), (record, true));
    }

    #[test]
    fn another_decision_is_noticed() {
        let mut tape = Tape::replaying(recorded().as_str().into());
        let outcome = tape.decide(&["admit".into(), 4u32.into()]).unwrap();
        assert!(!outcome.is_sound());
        assert!(!tape.finish().1);
        let mut short = Tape::replaying(recorded().as_str().into());
        let _ = short.decide(&["admit".into(), 3u32.into()]);
        assert!(!short.finish().1, "a decision is missing");
    }

    #[test]
    fn an_outcome_may_begin_as_outcomes_do() {
        let mut tape = Tape::recording();
        assert!(tape.decide(&["ask".into()]).is_none());
        tape.came(&["=".into(), "=x".into()]);
        let mut tape = Tape::replaying(tape.finish().0.as_str().into());
        let mut outcome = tape.decide(&["ask".into()]).unwrap();
        assert_eq!((outcome.word().as_str(), outcome.word().as_str(), outcome.is_sound()), ("=", "=x", true));
        assert!(tape.finish().1);
    }

    #[test]
    fn a_decision_may_hold_words_that_begin_as_outcomes_do() {
        let mut tape = Tape::recording();
        assert!(tape.decide(&["ask".into(), "=x".into()]).is_none());
        tape.came(&["ok".into()]);
        tape.line(&["say".into(), "=".into(), "=y".into()]);
        let record = tape.finish().0;
        let mut tape = Tape::replaying(record.as_str().into());
        let mut outcome = tape.decide(&["ask".into(), "=x".into()]).unwrap();
        assert_eq!((outcome.word().as_str(), outcome.is_sound()), ("ok", true));
        tape.line(&["say".into(), "=".into(), "=y".into()]);
        assert_eq!(tape.finish(), (record.clone(), true));
        let mut tape = Tape::replaying(record.as_str().into());
        assert!(!tape.decide(&["ask".into()]).unwrap().is_sound(), "a word is missing");
        assert!(!tape.finish().1);
    }

    #[test]
    fn missing_fields_are_unsound() {
        let mut tape = Tape::replaying("now\t=\tx\n".into());
        let mut outcome = tape.decide(&["now".into()]).unwrap();
        assert_eq!((outcome.int(), outcome.is_sound()), (0, false));
        assert_eq!(outcome.word(), "");
        let mut outcome = Outcome::of("\tok");
        assert_eq!((outcome.word().as_str(), outcome.is_sound()), ("ok", true));
        assert_eq!((outcome.word().as_str(), outcome.is_sound()), ("", false));
    }

    #[test]
    fn no_word_makes_a_field_or_a_line_of_its_own() {
        let mut tape = Tape::recording();
        tape.line(&["end\tfine\n\r".into(), "a \u{7f}\u{e9}".into()]);
        assert_eq!(tape.finish().0, "end fine  \ta \u{7f}\u{e9}\n");
    }

    #[test]
    fn hexadecimal_digits_are_ten_and_six() {
        assert_eq!(hex(&[0x09, 0xaf, 0x10, 0xba]), "09af10ba");
    }
}
