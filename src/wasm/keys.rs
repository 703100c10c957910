//! Keys and the vault: bytes in, bytes out. Storage is the adapter's.

use js_sys::{Array, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use zeroize::Zeroize;

use super::convert::{error, to_js};
use super::core::Core;
use crate::config::GatewayConfig;
use crate::error::{Code, Error};
use crate::host::{Clock, Entropy};
use crate::secret::Secret;
use crate::value::Value;
use crate::vault::{format, kdf, keyring, records};

/// The unlocked vault, if it is.
#[derive(Default)]
pub(super) struct Keys(Option<keyring::Unlocked>);

impl Keys {
    pub(super) const fn unlocked(&self) -> Option<&keyring::Unlocked> {
        self.0.as_ref()
    }
}

#[wasm_bindgen]
impl Core {
    /// Uses a key for this session, without a vault. Returns warnings about its format.
    #[wasm_bindgen(js_name = setKey)]
    pub fn set_key(&self, provider: &str, key: Vec<u8>) -> Result<Array, JsValue> {
        let checked = checked(provider, key)?;
        self.gate.set_key(provider, checked.key);
        Ok(checked.warnings.into_iter().map(JsValue::from_str).collect())
    }

    /// Forgets one provider's key.
    #[wasm_bindgen(js_name = removeKey)]
    pub fn remove_key(&self, provider: &str) {
        self.gate.remove_key(provider);
    }

    /// Makes a vault and unlocks it. Returns its header, to be stored.
    #[wasm_bindgen(js_name = vaultCreate)]
    pub fn vault_create(&self, slot_key: Vec<u8>, salt: &[u8]) -> Result<Vec<u8>, JsValue> {
        let slot_key = slot(slot_key)?;
        let salt = salt.try_into().map_err(|_| internal())?;
        let mut entropy = |bytes: &mut [u8]| self.host.fill(bytes);
        let made = keyring::create(&slot_key, salt, kdf::KdfParams::default(), &mut entropy);
        let (header, unlocked) = made.map_err(|failed| error(&failed))?;
        self.keys.borrow_mut().0 = Some(unlocked);
        self.gate.lock(false);
        Ok(header)
    }

    /// Unlocks a vault. Its records are then loaded one by one.
    #[wasm_bindgen(js_name = vaultUnlock)]
    pub fn vault_unlock(&self, header: &[u8], slot_key: Vec<u8>) -> Result<(), JsValue> {
        let unlocked = keyring::unlock(header, &slot(slot_key)?).map_err(|failed| error(&failed))?;
        self.keys.borrow_mut().0 = Some(unlocked);
        self.gate.lock(false);
        Ok(())
    }

    /// Wipes the vault's key and every provider's key.
    #[wasm_bindgen(js_name = vaultLock)]
    pub fn vault_lock(&self) {
        self.keys.borrow_mut().0 = None;
        self.gate.lock(true);
    }

    /// Whether the vault is unlocked.
    #[wasm_bindgen(js_name = isUnlocked)]
    pub fn is_unlocked(&self) -> bool {
        self.keys.borrow().0.is_some()
    }

    /// Seals a provider's key and uses it from now on. Returns `{record, warnings}`; the record is to be
    /// stored.
    #[wasm_bindgen(js_name = vaultPut)]
    pub fn vault_put(&self, provider: &str, key: Vec<u8>, version: u32) -> Result<JsValue, JsValue> {
        let checked = checked(provider, key)?;
        let keys = self.keys.borrow();
        let unlocked = keys.0.as_ref().ok_or_else(locked)?;
        let origin = origin(&self.gate.config, provider)?;
        let mut entropy = |bytes: &mut [u8]| self.host.fill(bytes);
        let record = unlocked
            .put(provider, &origin, &checked.key, version.into(), self.host.now(), &mut entropy)
            .map_err(|failed| error(&failed))?;
        self.gate.set_key(provider, checked.key);
        let result = to_js(&Value::map([("warnings", checked.warnings.into_iter().collect())]));
        Reflect::set(&result, &"record".into(), &Uint8Array::from(record.as_slice()))?;
        Ok(result)
    }

    /// Unseals a stored record and uses its key from now on.
    #[wasm_bindgen(js_name = vaultOpen)]
    pub fn vault_open(&self, provider: &str, record: &[u8]) -> Result<(), JsValue> {
        let keys = self.keys.borrow();
        let unlocked = keys.0.as_ref().ok_or_else(locked)?;
        let opened = unlocked.open_record(provider, record).map_err(|failed| error(&failed))?;
        let origin = origin(&self.gate.config, provider)?;
        let key = opened.for_origin(&origin).map_err(|failed| error(&failed))?;
        self.gate.set_key(provider, key.clone());
        Ok(())
    }
}

/// What the KDF needs to know to unlock a vault: `{salt, memoryKib, passes, lanes}`.
#[wasm_bindgen(js_name = kdfRequest)]
pub fn kdf_request(header: &[u8]) -> Result<JsValue, JsValue> {
    let (salt, params) = keyring::kdf_request(header).map_err(|failed| error(&failed))?;
    let result = kdf_object(params);
    Reflect::set(&result, &"salt".into(), &Uint8Array::from(salt.as_slice()))?;
    Ok(result)
}

/// What the KDF shall do for a new vault, with a fresh salt: `{salt, memoryKib, passes, lanes}`.
#[wasm_bindgen(js_name = kdfForNewVault)]
pub fn kdf_for_new_vault() -> Result<JsValue, JsValue> {
    let mut salt = [0; kdf::SALT_BYTES];
    getrandom::fill(&mut salt).map_err(|_| internal())?;
    let result = kdf_object(kdf::KdfParams::default());
    Reflect::set(&result, &"salt".into(), &Uint8Array::from(salt.as_slice()))?;
    Ok(result)
}

fn kdf_object(params: kdf::KdfParams) -> JsValue {
    to_js(&Value::map([
        ("memoryKib", params.memory_kib.into()),
        ("passes", params.passes.into()),
        ("lanes", params.lanes.into()),
    ]))
}

/// What a record says of itself, without its key: `{provider, version, origin, addedAt}`. Works while the
/// vault is locked.
#[wasm_bindgen(js_name = describeRecord)]
pub fn describe_record(record: &[u8]) -> Result<JsValue, JsValue> {
    let own = records::describe(record).map_err(|failed| error(&failed))?;
    Ok(to_js(&Value::map([
        ("provider", own.provider.into()),
        ("version", own.version.into()),
        ("origin", own.origin.into()),
        ("addedAt", own.added_at.into()),
    ])))
}

fn checked(provider: &str, mut key: Vec<u8>) -> Result<format::Checked, JsValue> {
    let checked = format::check_key(provider, &key);
    key.zeroize();
    checked.map_err(|bad| error(&bad))
}

fn slot(mut bytes: Vec<u8>) -> Result<Secret<[u8; 32]>, JsValue> {
    let key = bytes.as_slice().try_into().map(Secret::new).map_err(|_| internal());
    bytes.zeroize();
    key
}

fn internal() -> JsValue {
    error(&Code::Internal.into())
}

fn locked() -> JsValue {
    error(&Code::VaultLocked.into())
}

/// A key is bound to the origin that it is sent to.
fn origin(config: &GatewayConfig, provider: &str) -> Result<String, JsValue> {
    let origin = config.origin(provider);
    origin.map(Into::into).ok_or_else(|| error(&Error::invalid("provider", "must be a provider of the configuration")))
}
