//! Requests that were answered from the cache before, by their exact text: what was read of them then is what would be
//! read again.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use super::ask::Read;
use super::{Call, Wants};
use crate::chat::Dialect;
use crate::provider::Unasked;

/// Requests that are remembered, and the longest of them in bytes: together 1 MiB.
const MOST: usize = 16;
const LONGEST: usize = 64 << 10;

/// The requests, the latest first.
#[derive(Default)]
pub(super) struct Memo(VecDeque<Rc<Seen>>);

/// One request and what follows from it alone.
pub(super) struct Seen {
    /// Of the text: tells most others apart without a look at them.
    hash: u64,
    body: Rc<str>,
    namespace: String,
    tenant: Rc<str>,
    wants: Wants,
    dialect: Dialect,
    model: Option<Rc<str>>,
    stream: bool,
    drop_in: bool,
    unasked: Unasked,
    pub(super) read: Read,
    /// The last answer that was given again, and how it goes on after its id.
    pub(super) again: RefCell<Option<(Rc<str>, String)>>,
}

impl Memo {
    pub(super) fn find(&mut self, call: &Call, namespace: &str) -> Option<Rc<Seen>> {
        if self.0.is_empty() {
            return None;
        }
        let hash = hash(&call.body);
        let same = |seen: &Rc<Seen>| {
            seen.hash == hash
                && seen.body == call.body
                && seen.tenant == call.tenant
                && seen.namespace == namespace
                && (seen.wants, seen.dialect) == (call.wants, call.dialect)
                && (seen.stream, seen.drop_in) == (call.stream, call.drop_in)
                && seen.unasked == call.unasked
                && seen.model == call.model
        };
        let index = self.0.iter().position(same)?;
        if index > 0 {
            let seen = self.0.remove(index)?;
            self.0.push_front(seen);
        }
        self.0.front().cloned()
    }

    /// Remembers a request that has just been answered from the cache.
    pub(super) fn keep(&mut self, call: &Call, namespace: String, read: Read) {
        if call.body.len() > LONGEST {
            return;
        }
        self.0.truncate(MOST.saturating_sub(1));
        self.0.push_front(Rc::new(Seen {
            hash: hash(&call.body),
            body: call.body.clone(),
            namespace,
            tenant: call.tenant.clone(),
            wants: call.wants,
            dialect: call.dialect,
            model: call.model.clone(),
            stream: call.stream,
            drop_in: call.drop_in,
            unasked: call.unasked,
            read,
            again: RefCell::default(),
        }));
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

/// Quick, and not to be relied on: texts are compared after it.
fn hash(text: &str) -> u64 {
    let (words, rest) = text.as_bytes().as_chunks::<8>();
    let hash = words.iter().fold(text.len() as u64, |hash, word| mix(hash, u64::from_le_bytes(*word)));
    rest.iter().fold(hash, |hash, byte| mix(hash, (*byte).into()))
}

const fn mix(hash: u64, word: u64) -> u64 {
    (hash.rotate_left(29) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, clippy::string_slice, reason = "small numbers and ASCII of a test")]
mod tests {
    use super::*;
    use crate::config::GatewayConfig;
    use crate::gateway::Gate;
    use crate::gateway::ask::AskText;

    /// A text of the same hash: another word, and after it what makes up for it.
    fn twin(text: &str, at: usize) -> String {
        let word = |text: &str, at: usize| u64::from_le_bytes(text.as_bytes()[at..at + 8].try_into().unwrap());
        let before = (0..at).step_by(8).fold(text.len() as u64, |hash, at| mix(hash, word(text, at)));
        let follows = |first: u64| mix(before, first).rotate_left(29);
        let target = follows(word(text, at)) ^ word(text, at + 8);
        (0..)
            .find_map(|number: u32| {
                let first = format!("{number:08}");
                let second = (target ^ follows(word(&first, 0))).to_le_bytes();
                let plain = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\');
                let second = str::from_utf8(&second).ok().filter(|_| second.iter().all(plain))?;
                Some([&text[..at], &first, second, &text[at + 16..]].concat())
            })
            .unwrap()
    }

    #[test]
    fn two_texts_of_one_hash_are_two_questions() {
        let text = r#"{   "messages":[{"role":"user","content":"What is a Feistel network?"}]}"#;
        let at = text.find("What").unwrap().next_multiple_of(8);
        let other = twin(text, at);
        assert!(other != text && hash(&other) == hash(text), "{other}");
        let gate = Gate::new(GatewayConfig::default(), true, [9; 32]);
        let (call, twin) = (Call::chat(text, "t"), Call::chat(&other, "t"));
        let mut memo = Memo::default();
        memo.keep(&call, String::new(), AskText::read(&call, &gate, "").unwrap());
        assert!(memo.find(&call, "").is_some());
        assert!(memo.find(&twin, "").is_none());
    }
}
