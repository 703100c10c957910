//! All keys of one window of text, in every form.

use super::base64;
use super::escape::{self, View};
use super::finding::{Encoding, Finding, Options, found};
use super::prefilter::{Kinds, Lead, Prefilter};
use super::scanner::By;
use crate::keys::{self, Advice, RULES, Rule, is, row, run, set};

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
pub(super) fn search(text: &[u8], from: usize, to: usize, by: By<'_>, out: &mut Vec<Finding>) {
    look(text, from, to, (DEPTH, by), out);
}

/// How many views may still be made, and what is searched by.
type Means<'a> = (u8, By<'a>);

fn look(text: &[u8], from: usize, to: usize, means: Means<'_>, out: &mut Vec<Finding>) {
    let (depth, (options, values)) = means;
    if let Some(values) = values {
        values.search(text, from, to, options, out);
    }
    let prefilter = Prefilter::shared();
    let mut done = Done { escaped: from.saturating_sub(OVERLAP), grouped: [from.saturating_sub(OVERLAP); 4] };
    prefilter.each(text, from, to, &mut |at, three, kinds| {
        for lead in prefilter.leads(three) {
            match Lead::of(*lead) {
                Lead::Prefix { rule, prefix, back } if kinds != Kinds::Base64 => {
                    if let Some(start) = at.checked_sub(usize::from(back)) {
                        plain(text, rule, prefix, start, options, out);
                    }
                }
                Lead::Base64 { back } if depth > 0 && kinds != Kinds::Plain => {
                    let group = at.wrapping_sub(usize::from(back));
                    if let Some(until) = done.grouped.get_mut(group & 3) {
                        through(grouped(text, group, *until), until, means, out);
                    }
                }
                _ => {}
            }
        }
        if depth > 0 && at >= done.escaped && kinds != Kinds::Base64 {
            let view = match text.get(at) {
                Some(b'%' | b'\\') => escape::decoded(text, at, done.escaped),
                Some(b'+') => escape::joined(text, at, done.escaped),
                _ => return,
            };
            through(view, &mut done.escaped, means, out);
        }
    });
}

/// A row, and one of its prefixes.
#[inline(never)]
fn shape(rule: u8, prefix: u8) -> Option<(&'static Rule, &'static str)> {
    let rule = row(usize::from(rule))?;
    Some((rule, rule.prefixes().nth(usize::from(prefix))?))
}

/// Reads one rule at one place.
fn plain(text: &[u8], rule: u8, prefix: u8, start: usize, options: &Options, out: &mut Vec<Finding>) {
    let index = usize::from(rule);
    let Some((rule, prefix)) = shape(rule, prefix) else { return };
    let Some(hit) = keys::read(index, prefix, text, start) else { return };
    let mut push = |hit: &keys::Hit, shown| {
        out.push(found(hit, shown, text.get(hit.start..hit.end).unwrap_or_default(), options));
    };
    push(&hit, if rule.is_named() { "" } else { prefix });
    // The one kind of key that names another.
    if rule.advice == Advice::Pair
        && let Some((start, end)) = keys::aws_pair(text, hit.start, hit.end)
        && let Some(rule) = RULES.iter().position(|rule| rule.id == "aws-secret-access-key")
    {
        push(&keys::Hit { rule, start, end, ..hit }, "");
    }
}

/// Follows what may be a prefix in base64: a short look first, since three characters prove little.
fn grouped(text: &[u8], group: usize, until: usize) -> Option<View> {
    let rest = text.get(group..)?;
    let length = run(rest, set::BASE64_ANY, 20);
    // At the end of a line there may be fewer.
    let goes_on = length == 20 || is(*rest.get(length)?, set::LINE_END | set::BACKSLASH);
    if group < until || !goes_on {
        return None;
    }
    let near = base64::decoded(text, group, until, 40)?; // characters: the longest prefix has 25 bytes
    if holds_prefix(&near.text) { base64::decoded(text, group, until, usize::MAX) } else { None }
}

/// Whether a whole prefix stands in a text. Of three characters one in a thousand leads to base64 by chance, and in an
/// asset they stand one after the other: most are turned away before anything is decoded whole.
fn holds_prefix(near: &[u8]) -> bool {
    let prefilter = Prefilter::shared();
    let mut met = false;
    prefilter.each(near, 0, near.len(), &mut |at, three, _| {
        for lead in prefilter.leads(three) {
            if let Lead::Prefix { rule, prefix, back } = Lead::of(*lead)
                && let Some((_, prefix)) = shape(rule, prefix)
                && let Some(near) = at.checked_sub(back.into()).and_then(|start| near.get(start..))
            {
                met |= near.starts_with(prefix.as_bytes());
            }
        }
    });
    met
}

/// Looks through a view, and puts what is there to where it stands in the text; no view begins before `until` again.
fn through(view: Option<View>, until: &mut usize, (depth, by): Means<'_>, out: &mut Vec<Finding>) {
    let Some(view) = view else { return };
    *until = view.resume(OVERLAP);
    let first = out.len();
    if view.text.len() >= if by.1.is_some() { 8 } else { 20 } {
        look(&view.text, 0, view.text.len(), (depth.wrapping_sub(1), by), out);
    }
    for found in out.iter_mut().skip(first) {
        let (start, end) = found.span;
        // Past the last byte is where the next one begins; in base64 the two share a character.
        let end = view.place(end).max(view.place(end.wrapping_sub(1)).wrapping_add(1));
        let end = if view.encoding == Encoding::Base64 { end.wrapping_add(1).min(view.end as u64) } else { end };
        found.span = (view.place(start), end);
        found.encoding = found.encoding.max(view.encoding);
    }
}
