//! Keys and the vault.

use js_sys::Uint8Array;
use tidegate::wasm::{Core, describe_record, kdf_for_new_vault, kdf_request};
use wasm_bindgen_test::wasm_bindgen_test;

use super::{code, fields, get, js, number, text, thrown};

const KEY: &str = "gsk_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOP";
const SLOT: [u8; 32] = [3; 32];
const SALT: [u8; 16] = [5; 16];

fn core() -> Core {
    Core::new(js("{}"), js("{ runtime: 'web' }")).unwrap()
}

/// A vault that holds Groq's key: its header, and the record.
fn made(core: &Core) -> (Vec<u8>, Vec<u8>) {
    let header = core.vault_create(SLOT.to_vec(), &SALT).unwrap();
    let put = core.vault_put("groq", KEY.into(), 1).unwrap();
    (header, Uint8Array::new(&get(&put, "record")).to_vec())
}

#[wasm_bindgen_test]
fn what_one_gate_seals_another_opens() {
    let (header, record) = made(&core());
    let own = describe_record(&record).unwrap();
    assert_eq!((text(&own, "provider").as_str(), number(&own, "version")), ("groq", 1.0));
    assert_eq!(text(&own, "origin"), "https://api.groq.com");
    let request = kdf_request(&header).unwrap();
    assert_eq!(Uint8Array::new(&get(&request, "salt")).to_vec(), SALT);
    assert_eq!((number(&request, "memoryKib"), number(&request, "passes")), (19_456.0, 2.0));

    let other = core();
    assert!(!other.is_unlocked());
    assert_eq!(code(other.vault_open("groq", &record)), "vault_locked");
    assert_eq!(code(other.vault_put("groq", KEY.into(), 2)), "vault_locked");
    other.vault_unlock(&header, SLOT.to_vec()).unwrap();
    assert!(other.is_unlocked());
    other.vault_open("groq", &record).unwrap();
    assert_eq!(code(other.vault_open("openrouter", &record)), "vault_corrupt", "another provider's record");
    other.vault_lock();
    assert!(!other.is_unlocked());
    assert_eq!(code(other.vault_open("groq", &record)), "vault_locked");
}

#[wasm_bindgen_test]
fn a_wrong_passphrase_and_damage_are_told_apart() {
    let (header, record) = made(&core());
    let other = core();
    let mut wrong = SLOT;
    wrong[31] ^= 1;
    let error = thrown(other.vault_unlock(&header, wrong.to_vec()));
    assert_eq!(text(&error, "code"), "vault_locked");
    assert!(fields(&error)[0].starts_with("passphrase: "), "{:?}", fields(&error));
    assert!(!other.is_unlocked());

    let flipped = |bytes: &[u8], index: usize| {
        let mut bytes = bytes.to_vec();
        bytes[index] ^= 0x10;
        bytes
    };
    for index in 0..header.len() {
        assert_eq!(code(other.vault_unlock(&flipped(&header, index), SLOT.to_vec())), "vault_corrupt", "byte {index}");
    }
    other.vault_unlock(&header, SLOT.to_vec()).unwrap();
    for index in 0..record.len() {
        assert_eq!(code(other.vault_open("groq", &flipped(&record, index))), "vault_corrupt", "byte {index}");
    }
    other.vault_open("groq", &record).unwrap();
    assert_eq!(code(other.vault_create(vec![1], &SALT)), "internal", "no slot key");
}

#[wasm_bindgen_test]
fn nothing_random_comes_twice() {
    let salt = || Uint8Array::new(&get(&kdf_for_new_vault().unwrap(), "salt")).to_vec();
    let (one, two) = (salt(), salt());
    assert_ne!(one, two);
    assert!(one.iter().any(|byte| *byte != 0));
    let (first, second) = (made(&core()), made(&core()));
    assert_ne!(first.0, second.0, "vault id and vault key");
    let gate = core();
    let (_, record) = made(&gate);
    let again = Uint8Array::new(&get(&gate.vault_put("groq", KEY.into(), 1).unwrap(), "record")).to_vec();
    assert_ne!(record, again, "nonce and content key");
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
