//! The scanner that is fed, and the scan of a whole text: the same blocks at the same places.

use super::finding::{Finding, Found, Options};
use super::place::Place;
use super::resolve::add;
use super::values::Values;
use super::window::search;
use crate::keys::Class;

/// Bytes of a block. What begins in it is found with it.
const BLOCK: usize = 65_536;
/// What is kept of the text before a block: names before values, pairs, the beginning of a word.
const BEFORE: usize = 4_096;
/// What is waited for behind a block: longer than any key in any form that is found whole.
const BEHIND: usize = 32_768;

/// The rule of what was found by a value.
const VALUE: &str = "env-value";
const VALUE_ADVICE: &str =
    "The value of a variable that is a secret: read it on a server only, and replace it if it was ever published.";
const VALUE_DOCS: &str = "cheatsheetseries.owasp.org/cheatsheets/Secrets_Management_Cheat_Sheet.html";

/// What a text is searched by.
type By<'a> = (&'a Options, Option<&'a Values>);

/// Scans a text that comes in chunks, in constant memory.
pub struct Scanner {
    options: Options,
    values: Option<Values>,
    /// What is still needed of the text; it begins at `base`.
    held: Vec<u8>,
    base: u64,
    state: State,
}

/// What has been found so far.
struct State {
    /// Where the next block begins.
    next: u64,
    place: Place,
    /// Found, but something that begins later may yet take their place.
    pending: Vec<Found>,
}

impl State {
    const fn new() -> Self {
        Self { next: 0, place: Place::new(), pending: Vec::new() }
    }

    /// Searches the next block of a text that begins at `base`, and tells what can no longer change.
    fn block(&mut self, text: &[u8], base: u64, last: bool, by: By<'_>, sink: &mut dyn FnMut(Finding)) {
        let start = index(self.next, base);
        let end = if last { text.len() } else { start.saturating_add(BLOCK).min(text.len()) };
        let from = start.saturating_sub(BEFORE);
        let window = text.get(from..end.saturating_add(BEHIND).min(text.len())).unwrap_or_default();
        let mut found = Vec::new();
        search(window, start.saturating_sub(from), end.saturating_sub(from), by.1, &mut found);
        for mut one in found {
            one.base = base.saturating_add(from as u64);
            add(&mut self.pending, one);
        }
        self.next = base.saturating_add(end as u64);
        if self.pending.is_empty() {
            return;
        }
        // What begins in the next block may reach back by `BEFORE` at most.
        let settled = if last { u64::MAX } else { self.next.saturating_sub(BEFORE as u64) };
        let count = self.pending.partition_point(|found| found.span().1 <= settled);
        let later = self.pending.split_off(count.min(self.pending.len()));
        for found in &std::mem::replace(&mut self.pending, later) {
            if by.0.publishable || found.class() != Class::Publishable {
                sink(tell(found, &mut self.place, text, base, by));
            }
        }
    }
}

/// Where `at` stands in what is held from `base` on.
fn index(at: u64, base: u64) -> usize {
    usize::try_from(at.saturating_sub(base)).unwrap_or(usize::MAX)
}

/// A finding as it is told. `place` goes on to its beginning.
fn tell(found: &Found, place: &mut Place, text: &[u8], base: u64, (options, values): By<'_>) -> Finding {
    let (from, to) = found.span();
    let (from, to) = (index(from, base), index(to, base));
    place.pass(text.get(index(place.at, base)..from).unwrap_or_default());
    let mut end = *place;
    end.pass(text.get(from..to).unwrap_or_default());
    let rule = found.rule();
    let value = values.zip(found.value).map(|(values, value)| values.told(value));
    Finding {
        rule: rule.map_or(VALUE, |rule| rule.id),
        provider: rule.map_or("env", |rule| rule.provider),
        class: found.class(),
        severity: value.map_or_else(|| found.hit.severity(), |(_, severity)| severity),
        encoding: found.encoding,
        span: (place.at, end.at),
        utf16: (place.utf16, end.utf16),
        place: (place.line, place.column()),
        preview: value.map_or_else(|| found.preview(), |(label, _)| label.into()),
        fingerprint: found.fingerprint(&options.key),
        advice: if value.is_some() { VALUE_ADVICE } else { found.hit.advice() },
        docs: rule.map_or(VALUE_DOCS, |rule| rule.docs),
    }
}

impl Scanner {
    /// A scanner at the beginning of a text.
    #[must_use]
    pub const fn new(options: Options) -> Self {
        Self { options, values: None, held: Vec::new(), base: 0, state: State::new() }
    }

    /// The same, that also searches these values.
    #[cfg(feature = "values")]
    #[must_use]
    pub fn with_values(options: Options, values: Values) -> Self {
        Self { values: Some(values), ..Self::new(options) }
    }

    /// Takes more of the text and tells what can be told by now.
    pub fn push(&mut self, chunk: &[u8], sink: &mut dyn FnMut(Finding)) {
        for part in chunk.chunks(BLOCK) {
            self.held.extend_from_slice(part);
            let held = self.base.saturating_add(self.held.len() as u64);
            while self.state.next.saturating_add(BLOCK.saturating_add(BEHIND) as u64) <= held {
                self.state.block(&self.held, self.base, false, (&self.options, self.values.as_ref()), sink);
                self.forget();
            }
        }
    }

    /// Takes the last of the text, tells the rest, and is then at the beginning of another text.
    pub fn finish_with(&mut self, chunk: &[u8], sink: &mut dyn FnMut(Finding)) {
        // A text that comes at once is not copied.
        if self.base == 0 && self.held.is_empty() {
            return finish(&mut State::new(), chunk, 0, (&self.options, self.values.as_ref()), sink);
        }
        self.push(chunk, sink);
        finish(&mut self.state, &self.held, self.base, (&self.options, self.values.as_ref()), sink);
        self.held.clear();
        self.base = 0;
        self.state = State::new();
    }

    /// Drops what no block needs any more, nor anything that is still to be told.
    fn forget(&mut self) {
        let first = self.state.pending.iter().map(|found| found.span().0).min().unwrap_or(u64::MAX);
        let keep = index(self.state.next.saturating_sub(BEFORE as u64).min(first), self.base).min(self.held.len());
        let passed = index(self.state.place.at, self.base);
        self.state.place.pass(self.held.get(passed..keep).unwrap_or_default());
        let left = self.held.len().saturating_sub(keep);
        self.held.copy_within(keep.., 0);
        self.held.truncate(left);
        self.base = self.base.saturating_add(keep as u64);
    }
}

fn finish(state: &mut State, text: &[u8], base: u64, by: By<'_>, sink: &mut dyn FnMut(Finding)) {
    loop {
        let left = base.saturating_add(text.len() as u64).saturating_sub(state.next);
        let last = left <= BLOCK as u64;
        state.block(text, base, last, by, sink);
        if last {
            return;
        }
    }
}

/// Tells all keys of a text, in its order.
pub fn scan(text: &[u8], options: &Options, sink: &mut dyn FnMut(Finding)) {
    finish(&mut State::new(), text, 0, (options, None), sink);
}
