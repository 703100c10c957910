//! What is sealed of an item, and whose keys seal it.

use std::cell::RefCell;
use std::rc::Rc;

use crate::error::{Code, Result};
use crate::pack::Reader;
use crate::secret::Secret;
use crate::vault::sealer::Sealer;
use crate::wasm::keys::Keys;

/// What is sealed of an item: what was asked, and what came of it.
pub(super) const ASKED: u64 = 1;
pub(super) const RESULT: u64 = 2;

/// The label of the sealing key.
pub(super) const LABEL: &str = "queue";

/// Whose keys seal.
pub(super) enum Sealers {
    /// The first seals; the others open what was sealed before the master key was changed.
    Own(Vec<Sealer>),
    /// The vault's, as long as it is unlocked: nothing is kept of it here.
    Vault(Rc<RefCell<Keys>>),
}

impl Sealers {
    /// Calls with each in turn until one gives something.
    ///
    /// # Errors
    /// `vault_locked`.
    pub(super) fn find<T>(&self, mut each: impl FnMut(&Sealer) -> Result<Option<T>>) -> Result<Option<T>> {
        match self {
            Self::Own(all) => {
                for sealer in all {
                    if let Some(found) = each(sealer)? {
                        return Ok(Some(found));
                    }
                }
                Ok(None)
            }
            Self::Vault(keys) => {
                let keys = keys.borrow();
                each(&keys.unlocked().ok_or(Code::VaultLocked)?.sealer(LABEL)?)
            }
        }
    }

    /// What each makes of it, the one that seals first.
    ///
    /// # Errors
    /// `vault_locked`.
    pub(super) fn each<T>(&self, mut with: impl FnMut(&Sealer) -> Result<T>) -> Result<Vec<T>> {
        let mut all = Vec::new();
        self.find::<()>(|sealer| {
            all.push(with(sealer)?);
            Ok(None)
        })?;
        Ok(all)
    }

    /// Calls with the one that seals.
    pub(super) fn first<T>(&self, mut with: impl FnMut(&Sealer) -> Result<T>) -> Result<T> {
        Ok(self.find(|sealer| with(sealer).map(Some))?.ok_or(Code::Internal)?)
    }
}

/// What is sealed of an item.
pub(super) struct Parts {
    pub(super) user: Option<String>,
    pub(super) conversation: Option<String>,
    /// What was asked, or what came of it.
    pub(super) body: String,
    /// Of what was asked: what its caller's limits go by. Nothing in items of before there were such limits.
    pub(super) by: Vec<String>,
}

/// User, conversation and text of sealed content.
pub(super) fn parts(content: &Secret<Vec<u8>>) -> Result<Parts> {
    // EXPOSE: a caller's content, not a key; it goes to that caller, or to the pipeline.
    let mut reader = Reader::new(content.expose());
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let (user, conversation, body) = (some(reader.text()), some(reader.text()), reader.text().to_owned());
    let mut by = Vec::new();
    while !reader.is_at_end() {
        by.push(reader.text().to_owned());
    }
    reader.end()?;
    Ok(Parts { user, conversation, body, by })
}
