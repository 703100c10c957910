//! Cached answers on disk: sealed with a key of the vault, named by a keyed fingerprint, so that the disk
//! tells neither answers nor questions. What was evicted in memory goes from the disk too.

use js_sys::{Array, Object, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;

use super::convert::error;
use super::core::Core;
use crate::cache::Fingerprint;
use crate::error::Code;
use crate::host::{Clock, Entropy};
use crate::record::hex;

/// Label of the vault's key for cached answers and for their names.
const LABEL: &str = "cache";

/// The names of what is on disk, sorted by question. A list, because a tree map is 9 KB of Wasm.
#[derive(Default)]
pub(super) struct Disk(Vec<(Fingerprint, String)>);

impl Disk {
    fn insert(&mut self, fingerprint: Fingerprint, name: String) {
        if let Err(index) = self.position(&fingerprint) {
            self.0.insert(index, (fingerprint, name));
        }
    }

    fn position(&self, fingerprint: &Fingerprint) -> Result<usize, usize> {
        self.0.binary_search_by(|(own, _)| own.cmp(fingerprint))
    }
}

#[wasm_bindgen]
impl Core {
    /// What the disk needs to hold what memory holds: `{put: [[name, bytes]], remove: [name]}`. Nothing
    /// while the vault is locked.
    #[wasm_bindgen(js_name = syncCache)]
    pub fn sync_cache(&self) -> Result<Object, JsValue> {
        let (put, remove) = (Array::new(), Array::new());
        let keys = self.keys.borrow();
        if let Some(unlocked) = keys.unlocked() {
            let mut disk = self.disk.borrow_mut();
            let present = self.gate.fingerprints();
            disk.0.retain(|(fingerprint, name)| {
                let kept = present.binary_search(fingerprint).is_ok();
                if !kept {
                    remove.push(&name.as_str().into());
                }
                kept
            });
            let key = unlocked.derive_subkey(LABEL).map_err(|failed| error(&failed))?;
            for fingerprint in present {
                if disk.position(&fingerprint).is_ok() {
                    continue;
                }
                let Some(bytes) = self.gate.encode_cached(&fingerprint) else { continue };
                let name = hex(&fingerprint.keyed(&key));
                let mut nonce = [0; 12];
                self.host.fill(&mut nonce);
                let sealed = unlocked.seal_blob(LABEL, &name, &bytes, nonce).map_err(|failed| error(&failed))?;
                put.push(&Array::of2(&name.as_str().into(), &Uint8Array::from(sealed.as_slice())));
                disk.insert(fingerprint, name);
            }
        }
        let changes = Object::new();
        Reflect::set(&changes, &"put".into(), &put)?;
        Reflect::set(&changes, &"remove".into(), &remove)?;
        Ok(changes)
    }

    /// Takes one record from the disk. False if it is of no use any more: expired, damaged, or of another
    /// vault; it can then be deleted.
    #[wasm_bindgen(js_name = restoreCache)]
    pub fn restore_cache(&self, name: &str, record: &[u8]) -> Result<bool, JsValue> {
        let keys = self.keys.borrow();
        let unlocked = keys.unlocked().ok_or_else(|| error(&Code::VaultLocked.into()))?;
        let Ok(bytes) = unlocked.unseal_blob(LABEL, name, record) else { return Ok(false) };
        let known = self.gate.fingerprints();
        // EXPOSE: a cached answer, not a key; it is decoded into the cache at once.
        if !self.gate.restore_cached(bytes.expose(), self.host.now()) {
            return Ok(false);
        }
        let new = self.gate.fingerprints().into_iter().find(|one| known.binary_search(one).is_err());
        if let Some(fingerprint) = new {
            self.disk.borrow_mut().insert(fingerprint, name.into());
        }
        Ok(true)
    }
}
