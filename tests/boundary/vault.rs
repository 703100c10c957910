//! Keys and the vault.

use js_sys::{Array, Uint8Array};
use tidegate::wasm::{
    Core, describe_record, describe_slot, export_header, new_recovery_code, new_slot, recovery_secret, unlock_attempt,
    vault_slots,
};
use wasm_bindgen_test::wasm_bindgen_test;

use super::{code, fields, get, js, number, text, thrown};

const KEY: &str = "gsk_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOP";
const SECRET: [u8; 32] = [3; 32];

fn core() -> Core {
    Core::new(js("{}"), js("{ runtime: 'web' }")).unwrap()
}

fn slot(kind: &str) -> Vec<u8> {
    new_slot(kind, "", &[], &[], false, 1.0).unwrap()
}

fn bytes(object: &wasm_bindgen::JsValue, name: &str) -> Vec<u8> {
    Uint8Array::new(&get(object, name)).to_vec()
}

/// A vault that holds Groq's key: its header, its slot's id, and the record.
fn made(core: &Core) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let header = core.vault_create(&slot("device"), SECRET.to_vec()).unwrap();
    let id = bytes(&vault_slots(&header).unwrap().get(0), "id");
    let put = core.vault_put(&header, "groq", KEY.into()).unwrap();
    (bytes(&put, "header"), id, bytes(&put, "record"))
}

fn records(provider: &str, record: &[u8]) -> Array {
    Array::of1(&Array::of2(&provider.into(), &Uint8Array::from(record)))
}

#[wasm_bindgen_test]
fn what_one_gate_seals_another_opens() {
    let (header, id, record) = made(&core());
    let own = describe_record(&record).unwrap();
    assert_eq!((text(&own, "provider").as_str(), number(&own, "version")), ("groq", 1.0));
    assert_eq!(text(&own, "origin"), "https://api.groq.com");

    let other = core();
    let stored = records("groq", &record);
    assert!(!other.is_unlocked());
    assert_eq!(code(other.vault_open(&header, &stored, false)), "vault_locked");
    assert_eq!(code(other.vault_put(&header, "groq", KEY.into())), "vault_locked");
    other.vault_unlock(&header, &id, SECRET.to_vec()).unwrap();
    assert!(other.is_unlocked());
    assert_eq!(Array::from(&other.vault_open(&header, &stored, false).unwrap()).length(), 0);
    assert_eq!(code(other.vault_open(&header, &records("openrouter", &record), false)), "vault_corrupt");
    let skipped = other.vault_open(&header, &records("openrouter", &record), true).unwrap();
    assert_eq!(Array::from(&skipped).length(), 2, "one of another name, and one missing");
    other.vault_lock();
    assert!(!other.is_unlocked());
    assert_eq!(code(other.vault_open(&header, &stored, false)), "vault_locked");
}

#[wasm_bindgen_test]
fn a_wrong_secret_and_damage_are_told_apart() {
    let (header, id, record) = made(&core());
    let other = core();
    let mut wrong = SECRET;
    wrong[31] ^= 1;
    let error = thrown(other.vault_unlock(&header, &id, wrong.to_vec()));
    assert_eq!(text(&error, "code"), "vault_locked");
    assert!(fields(&error)[0].starts_with("device: "), "{:?}", fields(&error));
    assert!(!other.is_unlocked());

    let flipped = |bytes: &[u8], index: usize| {
        let mut bytes = bytes.to_vec();
        bytes[index] ^= 0x10;
        bytes
    };
    for index in 0..header.len() {
        let bad = flipped(&header, index);
        assert_eq!(code(other.vault_unlock(&bad, &id, SECRET.to_vec())), "vault_corrupt", "byte {index}");
    }
    other.vault_unlock(&header, &id, SECRET.to_vec()).unwrap();
    for index in 0..record.len() {
        let bad = records("groq", &flipped(&record, index));
        assert_eq!(code(other.vault_open(&header, &bad, false)), "vault_corrupt", "byte {index}");
    }
    other.vault_open(&header, &records("groq", &record), false).unwrap();
    assert_eq!(code(other.vault_create(&[1], SECRET.to_vec())), "vault_corrupt", "no slot");
}

#[wasm_bindgen_test]
fn nothing_random_comes_twice() {
    let one = describe_slot(&slot("passphrase")).unwrap();
    let two = describe_slot(&slot("passphrase")).unwrap();
    assert_ne!((bytes(&one, "id"), bytes(&one, "salt")), (bytes(&two, "id"), bytes(&two, "salt")));
    assert_eq!((number(&one, "memoryKib"), number(&one, "passes")), (65_536.0, 3.0));
    let (first, second) = (made(&core()), made(&core()));
    assert_ne!(first.0, second.0, "vault id and vault key");
    assert_ne!(first.2, second.2, "nonce and content key");
    assert_ne!(new_recovery_code(), new_recovery_code());
    assert_eq!(recovery_secret(new_recovery_code()).unwrap().len(), 16);
    assert_eq!(code(recovery_secret(b"no code".to_vec())), "invalid_request");
}

#[wasm_bindgen_test]
fn attempts_are_counted_and_files_read() {
    let mut stored = unlock_attempt(None, 1e12).unwrap();
    for _ in 0..2 {
        stored = unlock_attempt(Some(stored), 1e12).unwrap();
    }
    let error = thrown(unlock_attempt(Some(stored), 1e12));
    assert_eq!((text(&error, "code").as_str(), number(&error, "retryAfterMs")), ("rate_limited", 1_000.0));
    assert_eq!(code(export_header(b"no file")), "vault_corrupt");
}

#[wasm_bindgen_test]
fn what_is_no_key_is_refused() {
    let gate = core();
    for bad in ["", "  ", "gsk_short", "Bearer", "gsk with a blank", "gsk_with\nline"] {
        assert_eq!(code(gate.set_key("groq", bad.into())), "invalid_request", "{bad:?}");
    }
    assert!(gate.set_key("groq", vec![0xff; 40]).is_err());
    gate.set_key("groq", KEY.into()).unwrap();
}
