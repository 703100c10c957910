//! All keys of one window of text, in every form.

use super::base64;
use super::escape::{self, View, run_before};
use super::finding::{Encoding, Found};
use super::prefilter::{Lead, Prefilter};
use super::values::Values;
use crate::keys::{self, RULES};
use crate::secret::Secret;

/// How often a view may be made of a view: base64 in an escaped string, an escaped string in base64.
const DEPTH: u8 = 2;

/// How far a stretch that was decoded reaches into the next one, when it had to be cut.
const OVERLAP: usize = 1_536;

/// Which lead was followed to where, so that no text is decoded twice.
#[derive(Default)]
struct Done {
    /// Escapes.
    escaped: usize,
    /// Base64, for each place that a group may begin at.
    grouped: [usize; 4],
}

/// Finds what begins at one of the leads between `from` and `to` of `text`, or is decoded from there.
pub(super) fn search(text: &[u8], from: usize, to: usize, values: Option<&Values>, out: &mut Vec<Found>) {
    look(text, from, to, (DEPTH, values), out);
}

/// How many views may still be made, and the values that are searched beside the shapes.
type Means<'a> = (u8, Option<&'a Values>);

fn look(text: &[u8], from: usize, to: usize, means: Means<'_>, out: &mut Vec<Found>) {
    let (depth, values) = means;
    if let Some(values) = values {
        values.search(text, from, to, out);
    }
    let prefilter = Prefilter::shared();
    let mut done = Done { escaped: from.saturating_sub(OVERLAP), grouped: [from.saturating_sub(OVERLAP); 4] };
    prefilter.each(text, from, to, &mut |at, three, kinds| {
        for lead in prefilter.leads(three).filter(|lead| kinds.include(*lead)) {
            match lead {
                Lead::Prefix { rule, prefix, back } => {
                    let start = at.checked_sub(usize::from(back));
                    if let Some(start) = start {
                        plain(text, rule, prefix, start, out);
                    }
                }
                Lead::Escape if depth > 0 && at >= done.escaped => {
                    if let Some(view) = escape::decoded(text, at, done.escaped) {
                        done.escaped = view.resume(OVERLAP);
                        through(&view, means, out);
                    }
                }
                Lead::Joint if depth > 0 && at >= done.escaped => {
                    if let Some(view) = escape::joined(text, at, done.escaped) {
                        done.escaped = view.resume(OVERLAP);
                        through(&view, means, out);
                    }
                }
                Lead::Base64 { back } if depth > 0 => grouped(text, at, back, means, &mut done, out),
                Lead::Base64 { .. } | Lead::Escape | Lead::Joint => {}
            }
        }
    });
}

/// Reads one rule at one place.
fn plain(text: &[u8], rule: u8, prefix: u8, start: usize, out: &mut Vec<Found>) {
    let rule = usize::from(rule);
    let Some(prefix) = RULES.get(rule).and_then(|rule| rule.prefixes.get(usize::from(prefix))) else { return };
    let Some(hit) = keys::read(rule, prefix, text, start) else { return };
    let mut push = |hit: keys::Hit| {
        let token = Secret::new(text.get(hit.start..hit.end).unwrap_or_default().to_vec());
        out.push(Found { hit, encoding: Encoding::Plain, base: 0, start: hit.start, end: hit.end, token, value: None });
    };
    push(hit);
    if RULES.get(rule).is_some_and(|rule| rule.id == "aws-access-key-id")
        && let Some((start, end)) = keys::aws_pair(text, hit.start, hit.end)
        && let Some(rule) = RULES.iter().position(|rule| rule.id == "aws-secret-access-key")
    {
        push(keys::Hit { rule, start, end, ..hit });
    }
}

/// Follows what may be a prefix in base64: a short look first, since three characters prove little.
fn grouped(text: &[u8], at: usize, back: u8, means: Means<'_>, done: &mut Done, out: &mut Vec<Found>) {
    let Some(group) = at.checked_sub(usize::from(back)) else { return };
    let Some(until) = done.grouped.get_mut(group & 3) else { return };
    if group < *until || !text.get(group.saturating_add(4)..).is_some_and(begins_run) || !holds_prefix(text, group) {
        return;
    }
    let Some(view) = base64::decoded(text, group, *until, usize::MAX) else { return };
    *until = view.resume(OVERLAP);
    through(&view, means, out);
}

/// Whether a whole prefix is encoded around the group of four at `group`. Of three characters one in a thousand leads
/// here by chance, and in an asset they stand one after the other: most are turned away before anything is decoded whole.
fn holds_prefix(text: &[u8], group: usize) -> bool {
    const AROUND: usize = 40; // characters: the longest prefix has 25 bytes
    let ends = |byte: Option<&u8>| byte.is_some_and(|byte| b"\r\n\\".contains(byte));
    let inside = |byte: &&u8| keys::sextet(**byte).is_some();
    let before = run_before(text.get(..group).unwrap_or_default(), AROUND, |byte| keys::sextet(byte).is_some());
    let after = text.get(group..).unwrap_or_default().iter().take(AROUND).take_while(inside).count();
    let (from, to) = (group.saturating_sub(before & !3), group.saturating_add(after));
    // At the end of a line the prefix may go on in the next one.
    let lines = (before < AROUND && ends(group.checked_sub(before.saturating_add(1)).and_then(|at| text.get(at))))
        || (after < AROUND && ends(text.get(to)));
    if lines {
        return true;
    }
    let mut near = Vec::new();
    keys::decode64(text.get(from..to).unwrap_or_default(), &mut near);
    let prefilter = Prefilter::shared();
    let mut met = false;
    prefilter.each(&near, 0, near.len(), &mut |at, three, _| {
        met |= prefilter.leads(three).any(|lead| match lead {
            Lead::Prefix { rule, prefix, back } => {
                let prefix = RULES.get(usize::from(rule)).and_then(|rule| rule.prefixes.get(usize::from(prefix)));
                let start = at.checked_sub(usize::from(back)).and_then(|start| near.get(start..));
                prefix.zip(start).is_some_and(|(prefix, text)| text.starts_with(prefix.as_bytes()))
            }
            Lead::Base64 { .. } | Lead::Escape | Lead::Joint => false,
        });
    });
    met
}

/// Whether at least sixteen characters of base64 follow.
fn begins_run(text: &[u8]) -> bool {
    text.iter().take(16).filter(|byte| keys::sextet(**byte).is_some()).count() == 16
}

/// Looks through a view, and puts what is there to where it stands in the text.
fn through(view: &View, (depth, values): Means<'_>, out: &mut Vec<Found>) {
    let first = out.len();
    if view.text.len() >= if values.is_some() { 8 } else { 20 } {
        look(&view.text, 0, view.text.len(), (depth.saturating_sub(1), values), out);
    }
    for found in out.iter_mut().skip(first) {
        let place = |at: usize| view.origin.get(at).map_or(0, |at| *at as usize);
        // Past the last byte is where the next one begins; in base64 the two share a character.
        let last = place(found.end.saturating_sub(1));
        let end = place(found.end).max(last.saturating_add(1));
        found.end = if view.encoding == Encoding::Base64 { end.saturating_add(1).min(view.end) } else { end };
        found.start = place(found.start);
        found.encoding = found.encoding.max(view.encoding);
    }
}
