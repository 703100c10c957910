//! Provider keys that organisations entrust to a Worker. Their plaintext goes in and never comes out: what is opened goes
//! straight to a gate.

use js_sys::{Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use zeroize::Zeroize;

use super::convert::{error, to_js};
use super::core::Core;
use crate::error::{Code, Result};
use crate::secret::Secret;
use crate::value::Value;
use crate::vault::entrusted::Entrusted;
use crate::vault::format;

/// One organisation's, while a request needs it.
#[wasm_bindgen]
pub struct EntrustedKeys(Entrusted);

#[wasm_bindgen]
impl EntrustedKeys {
    /// `masters` are master keys of 32 bytes, one after the other: the present one, then earlier ones.
    #[wasm_bindgen(constructor)]
    pub fn new(mut masters: Vec<u8>, organisation: &str) -> Result<Self, JsValue> {
        let (keys, rest) = masters.as_chunks::<32>();
        let whole = rest.is_empty();
        let keys: Vec<_> = keys.iter().map(|key| Secret::new(*key)).collect();
        masters.zeroize();
        let opened = if whole { Entrusted::new(&keys, organisation) } else { Err(Code::Internal.into()) };
        Ok(Self(typed(opened)?))
    }

    /// Checks and seals a key of a provider that a target of the gate needs: `{sealed, warnings}`.
    pub fn seal(&self, core: &Core, provider: &str, mut key: Vec<u8>) -> Result<JsValue, JsValue> {
        let checked = core.gate.check_carrier(provider).and_then(|()| format::check_key(provider, &key));
        key.zeroize();
        let checked = typed(checked)?;
        let sealed = typed(self.sealed(provider, &checked.key))?;
        let result = to_js(&Value::map([("warnings", checked.warnings.into_iter().collect())]));
        Reflect::set(&result, &"sealed".into(), &Uint8Array::from(sealed.as_slice()))?;
        Ok(result)
    }

    /// The same key under the present master key; nothing if it is already.
    pub fn reseal(&self, provider: &str, sealed: &[u8]) -> Result<Option<Vec<u8>>, JsValue> {
        typed(
            self.0
                .open(provider, sealed)
                .and_then(|(key, stale)| stale.then(|| self.sealed(provider, &key)).transpose()),
        )
    }

    /// Gives a provider's key to a gate.
    pub fn load(&self, core: &Core, provider: &str, sealed: &[u8]) -> Result<(), JsValue> {
        let (key, _) = typed(self.0.open(provider, sealed))?;
        core.gate.set_key(provider, key);
        Ok(())
    }
}

impl EntrustedKeys {
    fn sealed(&self, provider: &str, key: &Secret<String>) -> Result<Vec<u8>> {
        let mut nonce = [0; 12];
        getrandom::fill(&mut nonce).map_err(|_| Code::Internal)?;
        self.0.seal(provider, key, nonce)
    }
}

fn typed<T>(result: Result<T>) -> Result<T, JsValue> {
    result.map_err(|failed| error(&failed))
}
