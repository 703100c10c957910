//! The scanner that is fed, and the scan of a whole text: the same blocks at the same places.

use super::finding::{Finding, Options};
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

/// What a text is searched by.
pub(super) type By<'a> = (&'a Options, Option<&'a Values>);

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
    pending: Vec<Finding>,
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
        search(window, start.saturating_sub(from), end.saturating_sub(from), by, &mut found);
        let first = base.wrapping_add(from as u64);
        for mut one in found {
            one.span = (one.span.0.wrapping_add(first), one.span.1.wrapping_add(first));
            add(&mut self.pending, one);
        }
        self.next = base.wrapping_add(end as u64);
        // What begins in the next block may reach back by `BEFORE` at most.
        let settled = if last { u64::MAX } else { self.next.saturating_sub(BEFORE as u64) };
        let count = self.pending.iter().take_while(|found| found.span.1 <= settled).count();
        let later = self.pending.split_off(count);
        for mut found in std::mem::replace(&mut self.pending, later) {
            if by.0.publishable || found.class != Class::Publishable {
                let mut pass = |at: u64| {
                    let from = index(self.place.at, base);
                    self.place.pass(text.get(from..index(at, base)).unwrap_or_default());
                    self.place
                };
                let (from, to) = (pass(found.span.0), pass(found.span.1));
                found.utf16 = (from.utf16, to.utf16);
                found.place = (from.line, from.column());
                sink(found);
            }
        }
    }
}

/// Where `at` stands in what is held from `base` on.
#[inline(never)]
fn index(at: u64, base: u64) -> usize {
    usize::try_from(at.saturating_sub(base)).unwrap_or(usize::MAX)
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
        if self.base > 0 || !self.held.is_empty() {
            self.push(chunk, sink);
        }
        let held = std::mem::take(&mut self.held);
        let text = if held.is_empty() { chunk } else { &held };
        finish(&mut self.state, text, self.base, (&self.options, self.values.as_ref()), sink);
        self.base = 0;
        self.state = State::new();
    }

    /// Drops what no block needs any more, nor anything that is still to be told.
    fn forget(&mut self) {
        let first = self.state.pending.iter().map(|found| found.span.0).min().unwrap_or(u64::MAX);
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
