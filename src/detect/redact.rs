//! Keys taken out of a text: for good, for logs and prompts; or against marks that are put back into the answer.

use std::ops::Range;

use super::finding::{Finding, Options};
use super::place::Place;
use super::scanner::scan;
use crate::secret::Secret;

/// Most times that a text is looked through until it has no keys: what stands in the way of one may be another.
pub const PASSES: usize = 4;

/// `text` with `mark` in place of each key for which it gives one; `None` if nothing was replaced.
pub fn redact(text: &str, options: &Options, mark: &mut dyn FnMut(&Finding) -> Option<String>) -> Option<String> {
    let mut out: Option<String> = None;
    let mut done = 0usize;
    scan(text.as_bytes(), options, &mut |finding| {
        let index = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
        let (start, end) = (index(finding.span.0), index(finding.span.1));
        // Keys are ASCII, so their spans begin and end with characters.
        let Some(before) = text.get(done..start).filter(|_| text.is_char_boundary(end)) else { return };
        if let Some(mark) = mark(&finding) {
            let out = out.get_or_insert_default();
            out.push_str(before);
            out.push_str(&mark);
            done = end;
        }
    });
    let mut out = out?;
    out.push_str(text.get(done..).unwrap_or_default());
    Some(out)
}

/// Takes all keys out of a text, as often as something is found: what stood in the way of one may have been another. The
/// marks are those of `marks`, which can be put back, or for good. Findings are in the order of `text` and have their
/// places there; one that was in another's way may overlap it.
pub fn redact_all(text: &str, options: &Options, mut marks: Option<&mut Restorer>) -> (String, Vec<Finding>) {
    let (mut out, mut all): (Option<String>, Vec<Finding>) = (None, Vec::new());
    // What each pass replaced, and by how many bytes.
    let mut passes: Vec<Vec<(Range<usize>, usize)>> = Vec::new();
    for _ in 0..PASSES {
        let before = out.as_deref().unwrap_or(text);
        let (mut edits, mut found) = (Vec::new(), Vec::new());
        let next = redact(before, options, &mut |finding| {
            let index = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
            let span = index(finding.span.0)..index(finding.span.1);
            let own = match &mut marks {
                Some(marks) => {
                    // Marks of the pass before that stand within it.
                    let written = marks.push(before.get(span.clone()).unwrap_or_default());
                    let written = [written, marks.finish()].concat();
                    marks.mark(finding, &written)
                }
                None => mark(finding),
            };
            edits.push((span, own.len()));
            found.push(finding.clone());
            Some(own)
        });
        let Some(next) = next else { break };
        for mut finding in found {
            if !passes.is_empty() {
                stands(&mut finding, text, &passes);
            }
            let at = all.partition_point(|other| other.span.0 <= finding.span.0);
            all.insert(at, finding);
        }
        passes.push(edits);
        out = Some(next);
    }
    (out.unwrap_or_else(|| text.into()), all)
}

/// Gives a finding of a later pass its place in the text before the first one.
fn stands(finding: &mut Finding, text: &str, passes: &[Vec<(Range<usize>, usize)>]) {
    let original = |at: u64, ends: bool| {
        let at = usize::try_from(at).unwrap_or(usize::MAX);
        passes.iter().rev().fold(at, |at, edits| before(edits, at, ends))
    };
    let (from, to) = (original(finding.span.0, false), original(finding.span.1, true));
    let mut place = Place::new();
    place.pass(text.as_bytes().get(..from).unwrap_or_default());
    let mut end = place;
    end.pass(text.as_bytes().get(from..to).unwrap_or_default());
    finding.span = (place.at, end.at);
    finding.utf16 = (place.utf16, end.utf16);
    finding.place = (place.line, place.column());
}

/// Where a byte stood before these edits; one within a mark is where the replaced text begins, or ends.
fn before(edits: &[(Range<usize>, usize)], at: usize, ends: bool) -> usize {
    let (mut now, mut then) = (0usize, 0usize);
    for (span, length) in edits {
        let start = now.saturating_add(span.start.saturating_sub(then));
        if at <= start {
            break;
        }
        (now, then) = (start.saturating_add(*length), span.end);
        if at < now {
            return if ends { span.end } else { span.start };
        }
    }
    then.saturating_add(at.saturating_sub(now))
}

/// What stands in logs for a key: the same for the same key, and no way back.
#[must_use]
pub fn mark(finding: &Finding) -> String {
    ["[REDACTED:", finding.rule, ":", &finding.fingerprint, "]"].concat()
}

/// A text of somebody else's without its keys, for what we tell of it: events, errors, records, logs; `None` if it has
/// none. Nobody has to tell one key from another there, so the marks have no fingerprint.
#[must_use]
pub fn clean(text: &str) -> Option<String> {
    // The shortest key that is known has 20 bytes.
    if text.len() < 20 {
        return None;
    }
    let options = Options { key: Secret::new(Vec::new()), publishable: false };
    let mut out = None;
    for _ in 0..PASSES {
        let before = out.as_deref().unwrap_or(text);
        match redact(before, &options, &mut |finding| Some(bare(finding))) {
            None => break,
            after => out = after,
        }
    }
    out
}

/// A mark that tells no key from another.
fn bare(finding: &Finding) -> String {
    [BEGIN, finding.rule, "]"].concat()
}

/// What every mark begins with. It ends with the first bracket that closes.
const BEGIN: &str = "[REDACTED:";
/// Bytes of the longest mark, and more.
const LONGEST: usize = 128;
/// Keys of one text that can be put back, and forms of one key. A text of nothing but keys has a hundred thousand, each of
/// which would be looked for among all others.
const MOST_MARKS: usize = 1_024;
const MOST_FORMS: u64 = 32;

/// Puts keys back in place of their marks, in a text that may come in pieces.
#[derive(Default)]
pub struct Restorer {
    /// Marks and what they stand for, in the order of the marks.
    marks: Vec<(String, Secret<String>)>,
    /// What looks like a mark in the text already.
    taken: Vec<String>,
    /// What may be the beginning of a mark.
    held: String,
}

impl Restorer {
    /// For a text that may have marks already, of another time or made up: its own will be others, so that it comes back
    /// exactly as it was.
    #[must_use]
    pub fn apart_from(text: &str) -> Self {
        let begun = text.split('[').skip(1).filter(|rest| rest.starts_with("REDACTED:"));
        let whole = begun.filter_map(|rest| rest.get(..=rest.find(']')?));
        Self { taken: whole.map(|rest| ["[", rest].concat()).collect(), ..Self::default() }
    }

    /// The mark for a key as it is `written` in the text: the same for the same writing, and a numbered one for the same
    /// key in another form, so that each comes back as it was. Beyond 1,024 keys, or 32 forms of one, they get marks that
    /// stay.
    pub fn mark(&mut self, finding: &Finding, written: &str) -> String {
        let plain = mark(finding);
        let mut own = plain.clone();
        for number in 2..=MOST_FORMS.saturating_add(1) {
            match self.marks.binary_search_by(|(mark, _)| mark.as_str().cmp(&own)) {
                // EXPOSE: compared with what the caller holds already.
                Ok(at) if self.marks.get(at).is_some_and(|(_, key)| key.expose() == written) => return own,
                Err(at) if !self.taken.contains(&own) => {
                    if self.marks.len() >= MOST_MARKS {
                        break;
                    }
                    self.marks.insert(at, (own.clone(), Secret::new(written.into())));
                    return own;
                }
                _ => {}
            }
            own = [plain.strip_suffix(']').unwrap_or(&plain), ":", &crate::text::decimal(number), "]"].concat();
        }
        bare(finding)
    }

    /// Whether there is nothing to be put back.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }

    /// What a text begins with.
    #[must_use]
    pub fn at(&self, text: &str) -> At<'_> {
        if self.marks.is_empty() || !text.starts_with(BEGIN) {
            // Of a text that ends there.
            return if !self.marks.is_empty() && BEGIN.starts_with(text) { At::Begun } else { At::Nothing };
        }
        let end = text.bytes().take(LONGEST).position(|byte| byte == b']');
        let own = end.and_then(|end| text.get(..=end)).unwrap_or(text);
        match self.marks.binary_search_by(|(mark, _)| mark.as_str().cmp(own)) {
            Ok(at) => self.marks.get(at).map_or(At::Nothing, |(mark, key)| At::Mark(mark.len(), key)),
            // The first one behind it, should there be any that it begins.
            Err(at) if end.is_none() && self.marks.get(at).is_some_and(|(mark, _)| mark.starts_with(own)) => At::Begun,
            Err(_) => At::Nothing,
        }
    }

    /// Takes a piece of the text and gives what is known by now.
    pub fn push(&mut self, piece: &str) -> String {
        self.held.push_str(piece);
        let held = std::mem::take(&mut self.held);
        let mut out = String::with_capacity(held.len());
        let mut rest = held.as_str();
        while let Some(next) = rest.find('[') {
            out.push_str(rest.get(..next).unwrap_or_default());
            rest = rest.get(next..).unwrap_or_default();
            let length = match self.at(rest) {
                At::Mark(length, key) => {
                    // EXPOSE: the caller asked for the key in place of its mark.
                    out.push_str(key.expose());
                    length
                }
                At::Begun => {
                    self.held.push_str(rest);
                    return out;
                }
                At::Nothing => {
                    out.push('[');
                    1
                }
            };
            rest = rest.get(length..).unwrap_or_default();
        }
        out.push_str(rest);
        out
    }

    /// The text is at its end: gives what was held.
    pub fn finish(&mut self) -> String {
        std::mem::take(&mut self.held)
    }
}

/// What a text begins with.
pub enum At<'a> {
    /// A mark of this length, and the key that it stands for.
    Mark(usize, &'a Secret<String>),
    /// What may become one, to the text's end.
    Begun,
    /// Neither.
    Nothing,
}

#[cfg(test)]
#[allow(clippy::string_slice, reason = "tests")]
mod tests {
    use super::super::tests::{found, numbers, options};
    use super::*;
    use crate::keys::{RULES, samples};

    #[test]
    fn a_place_behind_marks_leads_back_to_the_text_before() {
        // "ab" KEY(3) "cd" KEY(4) "e", each of them replaced by a mark of 10.
        let edits = [(2..5, 10), (7..11, 10)];
        for (at, starts, ends) in
            [(0, 0, 0), (2, 2, 2), (3, 2, 5), (11, 2, 5), (12, 5, 5), (13, 6, 6), (14, 7, 7), (20, 7, 11), (25, 12, 12)]
        {
            assert_eq!((before(&edits, at, false), before(&edits, at, true)), (starts, ends), "{at}");
        }
        let mut finding = found(b"x 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").remove(0);
        finding.span = (12, 13);
        stands(&mut finding, "\u{e9}\nKcdKEYSe", &[vec![(3..4, 8)]]);
        // Bytes 5 and 6, which are in the second line.
        assert_eq!((finding.span, finding.utf16, finding.place), ((5, 6), (4, 5), (2, 3)));
    }

    #[test]
    fn the_shortest_key_is_cleaned_away() {
        let key = ["AKIA", "2E0A8F3B244C9986"].concat();
        assert_eq!((key.len(), clean(&key)), (20, Some("[REDACTED:aws-access-key-id]".into())));
        assert_eq!(clean(&key[1..]), None);
    }

    #[test]
    fn what_is_redacted_has_no_keys_left() {
        let mut next = numbers(11);
        for index in 0..RULES.len() {
            let (key, span) = samples::sample(index, &mut next);
            for (form, text) in crate::keys::forms::forms(&key, span.start, &mut next) {
                let Some(clean) = redact(&text, &options(), &mut |finding| Some(mark(finding))) else { continue };
                assert_eq!(found(clean.as_bytes()), [], "{form}: {text} -> {clean}");
                assert!(clean.contains("[REDACTED:"), "{clean}");
            }
        }
    }

    /// Each finding is looked up among all others, and what a client sends may be ten megabytes of keys.
    #[test]
    fn of_a_text_of_nothing_but_keys_the_first_thousand_come_back() {
        let mut next = numbers(13);
        let keys: Vec<String> = (0..MOST_MARKS + 50).map(|_| samples::sample(0, &mut next).0).collect();
        let text = keys.join("\n");
        let mut restorer = Restorer::default();
        let masked = redact(&text, &options(), &mut |finding| {
            let span = usize::try_from(finding.span.0).unwrap()..usize::try_from(finding.span.1).unwrap();
            Some(restorer.mark(finding, &text[span]))
        });
        let out = [restorer.push(&masked.unwrap()), restorer.finish()].concat();
        let lines: Vec<&str> = out.lines().collect();
        let (back, stay) = lines.split_at(MOST_MARKS);
        assert_eq!(back, &keys[..MOST_MARKS]);
        let bare = ["[REDACTED:", RULES[0].id, "]"].concat();
        assert!(stay.len() == 50 && stay.iter().all(|line| line.contains(&bare)), "{stay:?}");
    }

    #[test]
    fn of_a_key_in_ever_other_forms_the_first_thirty_come_back() {
        let (key, _) = samples::sample(0, &mut numbers(14));
        let finding = found(key.as_bytes()).remove(0);
        let mut restorer = Restorer::default();
        let forms: Vec<String> = (0..MOST_FORMS + 9).map(|form| format!("form {form}")).collect();
        let marks: Vec<String> = forms.iter().map(|form| restorer.mark(&finding, form)).collect();
        let out = [restorer.push(&marks.join("\n")), restorer.finish()].concat();
        let back = out.lines().zip(&forms).filter(|(line, form)| line == form).count();
        assert_eq!((back, marks.last()), (32, Some(&bare(&finding))));
        let longest = RULES.iter().map(|rule| rule.id.len()).max().unwrap();
        assert!(mark(&finding).len() - finding.rule.len() + longest + ":32".len() < LONGEST);
    }

    #[test]
    fn marks_are_put_back_wherever_the_text_is_split() {
        let mut next = numbers(12);
        for _ in 0..200 {
            let mut text = String::from("é ");
            for _ in 0..=next(4) {
                // Each key in two forms.
                let (key, span) = samples::sample(next(RULES.len()), &mut next);
                text.push_str(&key);
                text.push('\n');
                let all = crate::keys::forms::forms(&key, span.start, &mut next);
                text.push_str(&all[next(all.len())].1);
                text.push_str([" [", "\n[REDACTED", " [tidegate-", " ]"][next(4)]);
            }
            let mut restorer = Restorer::default();
            let masked = redact(&text, &options(), &mut |finding| {
                let span = usize::try_from(finding.span.0).unwrap()..usize::try_from(finding.span.1).unwrap();
                Some(restorer.mark(finding, &text[span]))
            })
            .unwrap();
            assert_ne!(masked, text);
            let mut out = String::new();
            let mut rest = masked.as_str();
            while let Some(first) = rest.chars().next() {
                let mut at = (first.len_utf8() + next(9)).min(rest.len());
                while !rest.is_char_boundary(at) {
                    at += 1;
                }
                out.push_str(&restorer.push(&rest[..at]));
                rest = &rest[at..];
            }
            out.push_str(&restorer.finish());
            assert_eq!(out, text);
        }
    }
}
