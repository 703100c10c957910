//! Answers that several processes share: behind the cache in memory, so that one asks a provider for all.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use super::gate::Gate;
use crate::cache::Fingerprint;
use crate::host::Clock;

/// What is found, once it is known. Nothing is as good as a miss.
pub type Finding<'a> = Pin<Box<dyn Future<Output = Option<Vec<u8>>> + 'a>>;

/// Where entries of the cache are, for whoever has the same secret. It seals them; what is not as it was is a miss.
pub trait Shelf {
    /// The entry of a question. `waits`: for a while, if somebody else asks it at the moment; if that comes to nothing,
    /// or nobody does, this process asks.
    fn find(&self, question: &Fingerprint, waits: bool) -> Finding<'_>;

    /// Keeps an entry for as long as it lives, and tells those who wait for it.
    fn keep(&self, question: &Fingerprint, entry: &[u8], ttl: Duration);

    /// Nothing will come of this process's asking: those who wait for it ask for themselves.
    fn give_up(&self, question: &Fingerprint);
}

/// From the look at the shelf to the end of the request, however it ends.
pub(super) struct Looked {
    shelf: Rc<dyn Shelf>,
    question: Fingerprint,
}

impl Drop for Looked {
    fn drop(&mut self) {
        self.shelf.give_up(&self.question);
    }
}

impl Gate {
    /// Shares answers through `shelf` from now on.
    pub fn share(&self, shelf: Rc<dyn Shelf>) {
        let mut state = self.state.borrow_mut();
        state.shelf = Some(shelf);
        // From now on a question has the fingerprint that the others give it.
        state.memo.clear();
    }

    /// Takes the entry of a question from the shelf into memory; whether it is there now. Nothing if there is no shelf.
    pub(super) async fn look(&self, question: Fingerprint, waits: bool, clock: &impl Clock) -> Option<(Looked, bool)> {
        let shelf = self.state.borrow().shelf.clone()?;
        let looked = Looked { shelf: shelf.clone(), question };
        let entry = shelf.find(&question, waits).await;
        let found = entry.is_some_and(|entry| self.restore_cached(&entry, clock.now()));
        Some((looked, found))
    }

    /// Puts what was just stored in memory on the shelf, too.
    pub(super) fn shelve(&self, question: &Fingerprint, ttl: Duration) {
        let shelf = self.state.borrow().shelf.clone();
        if let Some(shelf) = shelf
            && let Some(entry) = self.encode_cached(question)
        {
            shelf.keep(question, &entry, ttl);
        }
    }
}
