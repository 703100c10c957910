//! Keys and the vault: bytes in, bytes out. Storage is the adapter's.

use js_sys::{Array, Object, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use zeroize::Zeroize;

use super::convert::{error, to_js};
use super::core::Core;
use crate::config::GatewayConfig;
use crate::error::{Code, Detail, Error, FieldError};
use crate::host::{Clock, Entropy};
use crate::secret::Secret;
use crate::value::Value;
use crate::vault::autolock::{Presence, Sign};
use crate::vault::fresh::Fresh;
use crate::vault::records::ProviderKey;
use crate::vault::slot::Slot;
use crate::vault::{first, format, keyring, records};

const STRAY: &str = "This key is for no provider of the configuration, and is used for nothing.";

/// The vault, if it is unlocked, and who is there.
#[derive(Default)]
pub(super) struct Keys {
    unlocked: Option<keyring::Unlocked>,
    pub(super) fresh: Fresh,
    presence: Presence,
}

impl Keys {
    pub(super) const fn unlocked(&self) -> Option<&keyring::Unlocked> {
        self.unlocked.as_ref()
    }

    pub(super) fn open(&self) -> Result<&keyring::Unlocked, JsValue> {
        self.unlocked().ok_or_else(|| error(&Code::VaultLocked.into()))
    }
}

#[wasm_bindgen]
impl Core {
    /// Uses a key for this session, without a vault. Returns warnings about its format.
    #[wasm_bindgen(js_name = setKey)]
    pub fn set_key(&self, provider: &str, key: Vec<u8>) -> Result<Array, JsValue> {
        let checked = checked(provider, key)?;
        // Not refused: a Worker's environment has keys for other things too.
        let stray = self.gate.config.origin(provider).is_none().then_some(STRAY);
        self.gate.set_key(provider, checked.key);
        Ok(checked.warnings.into_iter().chain(stray).map(JsValue::from_str).collect())
    }

    /// Forgets one provider's key.
    #[wasm_bindgen(js_name = removeKey)]
    pub fn remove_key(&self, provider: &str) {
        self.gate.remove_key(provider);
    }

    /// Makes a vault with one slot and unlocks it. Returns its header, to be stored.
    #[wasm_bindgen(js_name = vaultCreate)]
    pub fn vault_create(&self, slot: &[u8], secret: Vec<u8>) -> Result<Vec<u8>, JsValue> {
        let secret = Secret::new(secret);
        let slot = Slot::decode(slot).map_err(thrown)?;
        // EXPOSE: goes into the slot's keys.
        let made = keyring::create(&slot, secret.expose(), &mut self.entropy());
        let (header, unlocked) = made.map_err(thrown)?;
        self.unlocked_now(unlocked);
        self.keys.borrow_mut().fresh = Fresh::at(self.host.now());
        Ok(header)
    }

    /// Unlocks a vault by the slot of this id. Its records are then loaded.
    #[wasm_bindgen(js_name = vaultUnlock)]
    pub fn vault_unlock(&self, header: &[u8], slot: &[u8], secret: Vec<u8>) -> Result<(), JsValue> {
        let secret = Secret::new(secret);
        // EXPOSE: goes into the slot's keys.
        let unlocked = keyring::unlock(header, slot, secret.expose()).map_err(thrown)?;
        self.unlocked_now(unlocked);
        Ok(())
    }

    /// Wipes the vault's key and every provider's key.
    #[wasm_bindgen(js_name = vaultLock)]
    pub fn vault_lock(&self) {
        *self.keys.borrow_mut() = Keys::default();
        self.gate.lock(true);
    }

    /// Forgets that there was a vault.
    #[wasm_bindgen(js_name = vaultForget)]
    pub fn vault_forget(&self) {
        self.vault_lock();
        self.gate.lock(false);
    }

    /// Whether the vault is unlocked.
    #[wasm_bindgen(js_name = isUnlocked)]
    pub fn is_unlocked(&self) -> bool {
        self.keys.borrow().unlocked.is_some()
    }

    /// Seals a provider's key and uses it from now on. Returns `{header, record, warnings}`; header and record are to
    /// be stored together.
    #[wasm_bindgen(js_name = vaultPut)]
    pub fn vault_put(&self, header: &[u8], provider: &str, key: Vec<u8>) -> Result<JsValue, JsValue> {
        let checked = checked(provider, key)?;
        let put = self.sealed(header, provider, &checked.key)?;
        self.gate.set_key(provider, checked.key);
        let result = to_js(&Value::map([("warnings", checked.warnings.into_iter().collect())]));
        set(&result, "header", &put.header)?;
        set(&result, "record", &put.record)?;
        Ok(result)
    }

    /// Takes a provider's key out of the vault: the header to store when its record is deleted.
    #[wasm_bindgen(js_name = vaultRemove)]
    pub fn vault_remove(&self, header: &[u8], provider: &str) -> Result<Vec<u8>, JsValue> {
        let next = self.keys.borrow().open()?.remove(header, provider).map_err(thrown)?;
        self.gate.remove_key(provider);
        Ok(next)
    }

    /// Unseals what is stored, an array of provider and record, and uses these keys and no others from now on. Throws
    /// if any of it is damaged or missing, unless that is to be skipped: then it returns what is wrong.
    #[wasm_bindgen(js_name = vaultOpen)]
    pub fn vault_open(&self, header: &[u8], records: &Array, skip_damaged: bool) -> Result<JsValue, JsValue> {
        let opened = self.keys.borrow().open()?.open_all(header, &pairs(records));
        let (keys, mut bad) = opened.map_err(thrown)?;
        let mut usable = Vec::new();
        for key in keys {
            match self.bound(&key) {
                Ok(value) => usable.push((key.provider, value)),
                Err(failed) => match failed.detail {
                    Detail::Fields(fields) if skip_damaged => bad.extend(fields),
                    _ => return Err(error(&failed)),
                },
            }
        }
        if !bad.is_empty() && !skip_damaged {
            return Err(error(&Error::new(Code::VaultCorrupt).with(Detail::Fields(bad))));
        }
        self.gate.lock(true);
        self.gate.lock(false);
        for (provider, key) in usable {
            self.gate.set_key(&provider, key);
        }
        let told = |bad: FieldError| Value::map([("path", bad.path.into()), ("problem", bad.problem.as_ref().into())]);
        Ok(to_js(&bad.into_iter().map(told).collect()))
    }

    /// Takes in that the person is `active`, or the page `hidden`, `shown` or `frozen`. Returns after how many
    /// milliseconds the vault is to be locked as things stand; nothing for never, or if it is locked.
    #[wasm_bindgen(js_name = vaultPresence)]
    pub fn vault_presence(&self, sign: Option<String>) -> Option<f64> {
        let (now, mut keys) = (self.host.now(), self.keys.borrow_mut());
        let rules = &self.gate.config.auto_lock;
        if let Some(used) = self.gate.last_use(now) {
            keys.presence.used(used);
        }
        if let Some(sign) = sign.and_then(|name| Sign::parse(&name)) {
            keys.presence.tell(sign, rules, now);
        }
        keys.unlocked.as_ref()?;
        let due = keys.presence.due(rules, now)?;
        Some(f64::from(u32::try_from(due.as_millis()).unwrap_or(u32::MAX)))
    }

    /// When each provider's key was used last in this gate: an array of provider and milliseconds.
    #[wasm_bindgen(js_name = keysUsed)]
    pub fn keys_used(&self) -> JsValue {
        let used = self.gate.used();
        let pair = |(provider, at): (String, crate::time::Timestamp)| -> Value {
            [Value::from(provider), at.into()].into_iter().collect()
        };
        to_js(&used.into_iter().map(pair).collect())
    }
}

impl Core {
    pub(super) fn unlocked_now(&self, unlocked: keyring::Unlocked) {
        let mut keys = self.keys.borrow_mut();
        keys.unlocked = Some(unlocked);
        keys.presence.unlocked(self.host.now());
        self.gate.lock(false);
    }

    pub(super) fn entropy(&self) -> impl FnMut(&mut [u8]) + '_ {
        |bytes: &mut [u8]| self.host.fill(bytes)
    }

    pub(super) fn sealed(&self, header: &[u8], provider: &str, key: &Secret<String>) -> Result<records::Put, JsValue> {
        let keys = self.keys.borrow();
        let unlocked = keys.open()?;
        let missing = || error(&Error::invalid("provider", "must be a provider of the configuration"));
        let origin = self.gate.config.origin(provider).ok_or_else(missing)?;
        unlocked.put(header, provider, origin, key, self.host.now(), &mut self.entropy()).map_err(thrown)
    }

    /// A stored key, if it may go where its provider is now.
    pub(super) fn bound(&self, key: &ProviderKey) -> crate::error::Result<Secret<String>> {
        let config: &GatewayConfig = &self.gate.config;
        // The key of a provider that is not configured any more goes nowhere.
        let origin = config.origin(&key.provider).unwrap_or_default();
        key.for_origin(origin).cloned()
    }
}

/// What a record of either format says of itself, without its key: `{provider, version, origin, addedAt}`. Works while
/// the vault is locked.
#[wasm_bindgen(js_name = describeRecord)]
pub fn describe_record(record: &[u8]) -> Result<JsValue, JsValue> {
    let own =
        records::describe(record).or_else(|failed| first::describe(record).map_err(|_| failed)).map_err(thrown)?;
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
    checked.map_err(thrown)
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
pub(super) fn thrown(failed: Box<Error>) -> JsValue {
    error(&failed)
}

/// An array of names and bytes.
pub(super) fn pairs(array: &Array) -> Vec<(String, Vec<u8>)> {
    let pair = |entry: JsValue| {
        let entry: Array = entry.unchecked_into();
        (entry.get(0).as_string().unwrap_or_default(), Uint8Array::new(&entry.get(1)).to_vec())
    };
    array.iter().map(pair).collect()
}

/// The same, going out.
pub(super) fn pairs_out(all: Vec<(String, Vec<u8>)>) -> Array {
    all.into_iter().map(|(name, bytes)| Array::of2(&name.into(), &Uint8Array::from(bytes.as_slice()))).collect()
}

pub(super) fn set(object: &JsValue, name: &str, bytes: &[u8]) -> Result<(), JsValue> {
    Reflect::set(object, &name.into(), &Uint8Array::from(bytes)).map(|_| ())
}

pub(super) fn object() -> JsValue {
    Object::new().into()
}
