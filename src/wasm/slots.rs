//! The ways into the vault, what needs the person to be there, and the moves between formats and devices.

use js_sys::{Array, Reflect};
use wasm_bindgen::prelude::*;

use super::convert::{error, to_js};
use super::core::Core;
use super::keys::{object, pairs, pairs_out, set, thrown};
use crate::error::Error;
use crate::host::Clock;
use crate::secret::Secret;
use crate::time::Timestamp;
use crate::value::Value;
use crate::vault::fresh::{self, Fresh};
use crate::vault::kdf::KdfParams;
use crate::vault::slot::{Slot, SlotKind};
use crate::vault::{export, first, keyring, recovery, throttle};

#[wasm_bindgen]
impl Core {
    /// Shows that the person is there: opens the slot once more. What needs that may be done for the next 60 s.
    #[wasm_bindgen(js_name = vaultConfirm)]
    pub fn vault_confirm(&self, header: &[u8], slot: &[u8], secret: Vec<u8>) -> Result<(), JsValue> {
        let secret = Secret::new(secret);
        let mut keys = self.keys.borrow_mut();
        keys.open()?.authentic_slots(header).and_then(|slots| fresh::proves(&slots, slot)).map_err(thrown)?;
        // EXPOSE: goes into the slot's keys.
        keyring::unlock(header, slot, secret.expose()).map_err(thrown)?;
        keys.fresh = Fresh::at(self.host.now());
        Ok(())
    }

    /// Adds a slot, or puts it in the place of another: the header to store. Needs a confirmation.
    #[wasm_bindgen(js_name = vaultPutSlot)]
    pub fn vault_put_slot(
        &self,
        header: &[u8],
        slot: &[u8],
        secret: Vec<u8>,
        replaces: Option<Vec<u8>>,
    ) -> Result<Vec<u8>, JsValue> {
        self.check_fresh()?;
        self.put_slot(header, slot, Secret::new(secret), replaces.as_deref())
    }

    /// Gives a passphrase slot the present cost: the header to store. Needs no confirmation, since the passphrase is
    /// proved by opening the slot with it.
    #[wasm_bindgen(js_name = vaultRaise)]
    pub fn vault_raise(
        &self,
        header: &[u8],
        old: &[u8],
        old_secret: Vec<u8>,
        slot: &[u8],
        secret: Vec<u8>,
    ) -> Result<Vec<u8>, JsValue> {
        let old_secret = Secret::new(old_secret);
        // EXPOSE: goes into the slot's keys.
        keyring::unlock(header, old, old_secret.expose()).map_err(thrown)?;
        self.put_slot(header, slot, Secret::new(secret), Some(old))
    }

    /// Takes a slot away: the header to store. Needs a confirmation.
    #[wasm_bindgen(js_name = vaultRemoveSlot)]
    pub fn vault_remove_slot(&self, header: &[u8], slot: &[u8]) -> Result<Vec<u8>, JsValue> {
        self.check_fresh()?;
        self.keys.borrow().open()?.remove_slot(header, slot).map_err(thrown)
    }

    /// Gives the vault a new key with this slot alone. Returns `{header, records}`, to be stored together. Needs a
    /// confirmation.
    #[wasm_bindgen(js_name = vaultRotate)]
    pub fn vault_rotate(
        &self,
        header: &[u8],
        records: &Array,
        slot: &[u8],
        secret: Vec<u8>,
    ) -> Result<JsValue, JsValue> {
        self.check_fresh()?;
        let secret = Secret::new(secret);
        let slot = Slot::decode(slot).map_err(thrown)?;
        // EXPOSE: goes into the slot's keys.
        let rotated =
            self.keys.borrow().open()?.rotate(header, &pairs(records), &slot, secret.expose(), &mut self.entropy());
        let (next, records, renewed) = rotated.map_err(thrown)?;
        self.unlocked_now(renewed);
        vault(&next, records)
    }

    /// A provider's key as bytes. Needs a confirmation.
    #[wasm_bindgen(js_name = vaultReveal)]
    pub fn vault_reveal(&self, header: &[u8], provider: &str, record: &[u8]) -> Result<Vec<u8>, JsValue> {
        self.check_fresh()?;
        let keys = self.keys.borrow();
        let key = keys.open()?.open_record(header, provider, record).map_err(thrown)?;
        let value = self.bound(&key).map_err(thrown)?;
        // EXPOSE: the person asked to see it, and was there within the last 60 s.
        Ok(value.expose().clone().into_bytes())
    }

    /// Every key as a file that this slot opens. Needs a confirmation.
    #[wasm_bindgen(js_name = vaultExport)]
    pub fn vault_export(
        &self,
        header: &[u8],
        records: &Array,
        slot: &[u8],
        secret: Vec<u8>,
    ) -> Result<Vec<u8>, JsValue> {
        self.check_fresh()?;
        let secret = Secret::new(secret);
        let slot = Slot::decode(slot).map_err(thrown)?;
        let keys = self.keys.borrow();
        // EXPOSE: goes into the slot's keys.
        keys.open()?.export(header, &pairs(records), &slot, secret.expose(), &mut self.entropy()).map_err(thrown)
    }

    /// Takes the keys of an exported file in, in the place of those of the same providers. Returns `{header, records,
    /// skipped}`: the first two are to be stored together; skipped are providers that are not configured, or at another
    /// address than the key is for.
    #[wasm_bindgen(js_name = vaultImport)]
    pub fn vault_import(&self, header: &[u8], file: &[u8], slot: &[u8], secret: Vec<u8>) -> Result<JsValue, JsValue> {
        let secret = Secret::new(secret);
        // EXPOSE: goes into the slot's keys.
        let keys = export::open(file, slot, secret.expose()).map_err(thrown)?;
        let (mut next, mut records, skipped) = (header.to_vec(), Vec::new(), Array::new());
        let mut taken = Vec::new();
        for key in keys {
            let Ok(value) = self.bound(&key) else {
                skipped.push(&key.provider.into());
                continue;
            };
            let put = self.sealed(&next, &key.provider, &value)?;
            next = put.header;
            records.push((key.provider.clone(), put.record));
            taken.push((key.provider, value));
        }
        for (provider, value) in taken {
            self.gate.set_key(&provider, value);
        }
        let result = vault(&next, records)?;
        Reflect::set(&result, &"skipped".into(), &skipped)?;
        Ok(result)
    }

    /// Unlocks a vault of format 1 by moving it: `{header, records}`, to be stored beside it.
    #[wasm_bindgen(js_name = vaultMigrate)]
    pub fn vault_migrate(&self, header: &[u8], records: &Array, secret: Vec<u8>) -> Result<JsValue, JsValue> {
        let secret = Secret::new(secret);
        // EXPOSE: goes into the slot's keys.
        let moved = first::migrate(header, &pairs(records), secret.expose(), self.host.now(), &mut self.entropy());
        let (next, records, unlocked) = moved.map_err(thrown)?;
        self.unlocked_now(unlocked);
        vault(&next, records)
    }

    fn check_fresh(&self) -> Result<(), JsValue> {
        let keys = self.keys.borrow();
        keys.open()?;
        keys.fresh.check(self.host.now()).map_err(thrown)
    }

    fn put_slot(
        &self,
        header: &[u8],
        slot: &[u8],
        secret: Secret<Vec<u8>>,
        replaces: Option<&[u8]>,
    ) -> Result<Vec<u8>, JsValue> {
        let slot = Slot::decode(slot).map_err(thrown)?;
        let keys = self.keys.borrow();
        // EXPOSE: goes into the slot's keys.
        keys.open()?.put_slot(header, &slot, secret.expose(), replaces, &mut self.entropy()).map_err(thrown)
    }
}

/// Whether what was read back of a moved vault holds what the old one does. Only then may the old one be deleted.
#[wasm_bindgen(js_name = vaultMoved)]
pub fn vault_moved(
    old: &[u8],
    old_records: &Array,
    secret: Vec<u8>,
    new: &[u8],
    new_records: &Array,
) -> Result<bool, JsValue> {
    let secret = Secret::new(secret);
    let (olds, news) = (pairs(old_records), pairs(new_records));
    // EXPOSE: goes into the slots' keys.
    first::moved((old, &olds), secret.expose(), (new, &news)).map_err(thrown)
}

/// A new slot, to be made into a vault's with its secret. `least` asks for the lower cost of a passphrase.
#[wasm_bindgen(js_name = newSlot)]
pub fn new_slot(
    kind: &str,
    name: &str,
    credential: &[u8],
    salt: &[u8],
    least: bool,
    now: f64,
) -> Result<Vec<u8>, JsValue> {
    let unknown = || error(&Error::invalid("slot.kind", "must be 'passphrase', 'passkey', 'device' or 'recovery'"));
    let kind = SlotKind::parse(kind).ok_or_else(unknown)?;
    let params = if least { KdfParams::LEAST } else { KdfParams::default() };
    #[expect(clippy::cast_possible_truncation, reason = "JavaScript's dates end long before 2^53")]
    let now = Timestamp::from_millis(now as i64);
    let mut slot = Slot::new(kind, name, params, credential, now, &mut random).map_err(thrown)?;
    // A passkey was asked with a salt before there was a slot.
    if kind == SlotKind::Passkey {
        let wrong = || error(&Error::invalid("slot.salt", "must be 16 bytes"));
        slot.salt = salt.try_into().map_err(|_| wrong())?;
    }
    Ok(slot.encode())
}

/// What a slot of [`new_slot`] says of itself, as [`vault_slots`] does.
#[wasm_bindgen(js_name = describeSlot)]
pub fn describe_slot(slot: &[u8]) -> Result<JsValue, JsValue> {
    described(&Slot::decode(slot).map_err(thrown)?)
}

/// The slots of a vault: `{id, kind, name, addedAt, salt, credential, memoryKib, passes, lanes, outdated}`.
#[wasm_bindgen(js_name = vaultSlots)]
pub fn vault_slots(header: &[u8]) -> Result<Array, JsValue> {
    keyring::slots(header).map_err(thrown)?.iter().map(described).collect()
}

/// The one slot of a vault of format 1.
#[wasm_bindgen(js_name = firstSlot)]
pub fn first_slot(header: &[u8]) -> Result<JsValue, JsValue> {
    let (salt, params) = first::kdf_request(header).map_err(thrown)?;
    let own = Slot::new(SlotKind::Passphrase, "", params, &[], Timestamp::EPOCH, &mut |bytes| bytes.fill(0));
    let mut own = own.map_err(thrown)?;
    own.salt = salt;
    described(&own)
}

/// The header of an exported file.
#[wasm_bindgen(js_name = exportHeader)]
pub fn export_header(file: &[u8]) -> Result<Vec<u8>, JsValue> {
    export::header(file).map_err(thrown)
}

/// A new recovery code, as text in bytes.
#[wasm_bindgen(js_name = newRecoveryCode)]
pub fn new_recovery_code() -> Vec<u8> {
    // EXPOSE: shown to the person once, who writes it down.
    recovery::generate(&mut random).expose().clone()
}

/// The secret of a recovery code as it was typed.
#[wasm_bindgen(js_name = recoverySecret)]
pub fn recovery_secret(code: Vec<u8>) -> Result<Vec<u8>, JsValue> {
    let code = Secret::new(code);
    // EXPOSE: read, and handed to the slot that it opens by way of one array that the adapter wipes.
    Ok(recovery::parse(code.expose()).map_err(thrown)?.expose().to_vec())
}

/// Counts an attempt to unlock: what to store before it is made. Throws if it comes too early.
#[wasm_bindgen(js_name = unlockAttempt)]
pub fn unlock_attempt(stored: Option<Vec<u8>>, now: f64) -> Result<Vec<u8>, JsValue> {
    #[expect(clippy::cast_possible_truncation, reason = "JavaScript's dates end long before 2^53")]
    throttle::attempt(stored.as_deref(), Timestamp::from_millis(now as i64)).map_err(thrown)
}

fn described(slot: &Slot) -> Result<JsValue, JsValue> {
    let kind = SlotKind::ALL.iter().find(|(kind, _)| slot.kind() == Some(*kind)).map_or("unknown", |(_, name)| name);
    let outdated = slot.kind() == Some(SlotKind::Passphrase) && slot.params.is_outdated();
    let result = to_js(&Value::map([
        ("kind", kind.into()),
        ("name", slot.name.as_str().into()),
        ("addedAt", slot.added_at.into()),
        ("memoryKib", slot.params.memory_kib.into()),
        ("passes", slot.params.passes.into()),
        ("lanes", slot.params.lanes.into()),
        ("outdated", outdated.into()),
    ]));
    set(&result, "id", &slot.id)?;
    set(&result, "salt", &slot.salt)?;
    set(&result, "credential", &slot.credential)?;
    Ok(result)
}

fn vault(header: &[u8], records: Vec<(String, Vec<u8>)>) -> Result<JsValue, JsValue> {
    let result = object();
    set(&result, "header", header)?;
    Reflect::set(&result, &"records".into(), &pairs_out(records))?;
    Ok(result)
}

fn random(bytes: &mut [u8]) {
    // Web Crypto is there wherever this runs; without it nothing of ours may go on.
    if getrandom::fill(bytes).is_err() {
        wasm_bindgen::throw_str("no source of randomness");
    }
}
