//! The answers that isolates share, sealed: JavaScript moves bytes by names that tell nothing.

use std::rc::Rc;
use std::time::Duration;

use js_sys::{Function, Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use zeroize::Zeroize;

use super::convert::error;
use super::core::Core;
use crate::cache::Fingerprint;
use crate::error::{Code, Result};
use crate::gateway::{Finding, Shelf};
use crate::record::hex;
use crate::secret::Secret;
use crate::vault::sealer::Sealer;

const LABEL: &str = "shared-answers";

struct JsShelf {
    sealer: Sealer,
    find: Function,
    keep: Function,
    give_up: Function,
}

impl JsShelf {
    fn name(&self, question: &Fingerprint) -> Result<String> {
        Ok(hex(&self.sealer.digest("question", question.bytes())?))
    }
}

impl Shelf for JsShelf {
    fn find(&self, question: &Fingerprint, waits: bool) -> Finding<'_> {
        let name = self.name(question);
        Box::pin(async move {
            let name = name.ok()?;
            let found = self.find.call2(&JsValue::UNDEFINED, &name.as_str().into(), &waits.into()).ok()?;
            let found = JsFuture::from(Promise::resolve(&found)).await.ok()?;
            let sealed = found.dyn_into::<Uint8Array>().ok()?.to_vec();
            let entry = self.sealer.unseal(&name, 0, &sealed).ok()?;
            // EXPOSE: a cached answer, not a key; it is decoded into the cache at once.
            Some(entry.expose().clone())
        })
    }

    fn keep(&self, question: &Fingerprint, entry: &[u8], ttl: Duration) {
        let mut nonce = [0; 12];
        let Ok(name) = self.name(question) else { return };
        if getrandom::fill(&mut nonce).is_err() {
            return;
        }
        let Ok(sealed) = self.sealer.seal(&name, 0, entry, nonce) else { return };
        let sealed = Uint8Array::from(sealed.as_slice());
        let ttl_ms = JsValue::from_f64(ttl.as_secs_f64() * 1_000.0);
        let _ = self.keep.call3(&JsValue::UNDEFINED, &name.into(), &sealed, &ttl_ms);
    }

    fn give_up(&self, question: &Fingerprint) {
        if let Ok(name) = self.name(question) {
            let _ = self.give_up.call1(&JsValue::UNDEFINED, &name.into());
        }
    }
}

#[wasm_bindgen]
impl Core {
    /// Shares answers with other isolates, sealed under a key that is derived from `master` (32 bytes) for one
    /// organisation. `find` takes a name and whether to wait for somebody else who asks the same, and gives bytes or
    /// nothing, or a promise of it; `keep` takes a name, bytes and milliseconds; `give_up` a name that nothing comes of.
    #[wasm_bindgen(js_name = shareAnswers)]
    pub fn share_answers(
        &self,
        mut master: Vec<u8>,
        organisation: &str,
        find: Function,
        keep: Function,
        give_up: Function,
    ) -> Result<(), JsValue> {
        let key = master.first_chunk::<32>().copied().map(Secret::new);
        master.zeroize();
        let sealer =
            key.ok_or_else(|| Code::Internal.into()).and_then(|key| Sealer::of_organisation(&key, organisation, LABEL));
        let sealer = sealer.map_err(|failed| error(&failed))?;
        self.gate.share(Rc::new(JsShelf { sealer, find, keep, give_up }));
        Ok(())
    }
}
