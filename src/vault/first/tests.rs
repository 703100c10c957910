use super::*;
use crate::json;
use crate::record::hex;

const NOW: Timestamp = Timestamp::from_millis(1_900_000_000_000);

struct Fixture {
    header: Vec<u8>,
    records: Records,
    secret: Vec<u8>,
    keys: Records,
}

fn bytes(text: &str) -> Vec<u8> {
    let digit = |byte: u8| u8::try_from(char::from(byte).to_digit(16).unwrap()).unwrap();
    text.as_bytes().chunks(2).map(|pair| (digit(pair[0]) << 4) | digit(pair[1])).collect()
}

/// What format 1 stored.
fn fixture() -> Fixture {
    let text = include_str!("../../../tests/vectors/vault_format_1.json");
    let all = json::fields(text).unwrap();
    let inner = |name: &str| json::fields(all.field(name).unwrap().get()).unwrap();
    let read = |name: &str, field: &str| inner(name).field(field).and_then(json::text).unwrap().into_owned();
    let providers = ["groq", "openrouter"];
    Fixture {
        header: bytes(&read("records", "vault/header")),
        records: providers.map(|name| (name.into(), bytes(&read("records", name)))).into(),
        secret: bytes(&all.field("slotKey").and_then(json::text).unwrap()),
        keys: providers.map(|name| (name.into(), read("keys", name).into_bytes())).into(),
    }
}

fn counter(mut next: u8) -> impl FnMut(&mut [u8]) {
    move |bytes| {
        for byte in bytes {
            *byte = next;
            next = next.wrapping_add(1);
        }
    }
}

fn migrated(from: &Fixture) -> Result<(Vec<u8>, Records, Unlocked)> {
    migrate(&from.header, &from.records, &from.secret, NOW, &mut counter(1))
}

#[test]
fn a_stored_vault_of_format_1_moves_whole() {
    let old = fixture();
    assert_eq!(kdf_request(&old.header).unwrap().1, KdfParams::LEAST);
    assert_eq!(describe(&old.records[0].1).unwrap().version, 2);
    let (header, records, unlocked) = migrated(&old).unwrap();
    let (keys, bad) = unlocked.open_all(&header, &records).unwrap();
    assert!(bad.is_empty());
    for (key, (provider, expected)) in keys.iter().zip(&old.keys) {
        assert_eq!(&key.provider, provider);
        assert!(key.for_origin(&key.origin).unwrap().ct_eq(expected));
    }
    assert_eq!((&*keys[0].origin, keys[0].version), ("https://api.groq.com", 2));
    assert!(keys[0].added_at < NOW, "when it was stored first");
    let slot = keyring::slots(&header).unwrap().remove(0);
    assert!(slot.params.is_outdated(), "its cost is raised by the adapter");
    assert_eq!(slot.salt, kdf_request(&old.header).unwrap().0, "the passphrase makes the same secret of it");
    assert_ne!(records[0].1[6..][16..32], records[1].1[6..][16..32], "each record has an id of its own");
    assert!(keyring::unlock(&header, &slot.id, &old.secret).is_ok(), "{}", hex(&slot.id));
    assert!(moved((&old.header, &old.records), &old.secret, (&header, &records)).unwrap());
}

#[test]
fn nothing_is_deleted_that_was_not_read_back() {
    let old = fixture();
    let (header, records, unlocked) = migrated(&old).unwrap();
    let check = |header: &[u8], records: &Records| moved((&old.header, &old.records), &old.secret, (header, records));
    assert!(!check(&header, &records[..1].to_vec()).unwrap(), "one is missing");
    let mut damaged = records.clone();
    damaged[0].1[40] ^= 1;
    assert!(!check(&header, &damaged).unwrap(), "one is damaged");
    let other = Secret::new("another key".to_owned());
    let put = unlocked.put(&header, "groq", "https://api.groq.com", &other, NOW, &mut counter(3)).unwrap();
    let swapped = vec![("groq".to_owned(), put.record), records[1].clone()];
    assert!(!check(&put.header, &swapped).unwrap(), "one is another");
    assert!(check(&header[..100], &records).is_err());
}

#[test]
fn only_the_very_same_keys_are_those_of_the_old_vault() {
    let old = fixture();
    let (header, records, unlocked) = migrated(&old).unwrap();
    let (keys, _) = unlocked.open_all(&header, &records).unwrap();
    let own = &keys[0];
    let with = |provider: &str, origin: &str, version: u64, added_at, key: &Secret<String>, damage: u8| {
        let entry = || Entry { provider: provider.into(), record: [9; 16], version };
        let mut record = unlocked.seal_key(&entry(), origin, key, added_at, &mut counter(3)).unwrap();
        record[40] ^= damage;
        let next = unlocked.with_entry(&header, provider, Some(entry())).unwrap();
        let mut all: Records = records.iter().filter(|(name, _)| name != provider).cloned().collect();
        all.push((provider.into(), record));
        moved((&old.header, &old.records), &old.secret, (&next, &all)).unwrap()
    };
    let other = Secret::new("another key".to_owned());
    assert!(with("groq", &own.origin, own.version, own.added_at, &own.key, 0));
    assert!(!with("groq", "https://other.example", own.version, own.added_at, &own.key, 0));
    assert!(!with("groq", &own.origin, own.version + 1, own.added_at, &own.key, 0));
    assert!(!with("groq", &own.origin, own.version, NOW, &own.key, 0));
    assert!(!with("groq", &own.origin, own.version, own.added_at, &other, 0));
    assert!(!with("more", &own.origin, own.version, own.added_at, &own.key, 0), "one more");
    assert!(!with("more", &own.origin, own.version, own.added_at, &own.key, 1), "one more, and damaged");
}

#[test]
fn a_wrong_passphrase_and_damage_move_nothing() {
    let mut wrong = fixture();
    wrong.secret[0] ^= 1;
    assert_eq!(migrated(&wrong).unwrap_err().code, Code::VaultLocked);
    let good = fixture();
    for bit in (0..good.header.len() * 8).step_by(3) {
        let mut bad = fixture();
        bad.header[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(migrated(&bad).unwrap_err().code, Code::VaultCorrupt, "bit {bit}");
    }
    for bit in 0..good.records[0].1.len() * 8 {
        let mut bad = fixture();
        bad.records[0].1[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(migrated(&bad).unwrap_err().code, Code::VaultCorrupt, "bit {bit}");
    }
    for bit in (0..(good.header.len() - 16) * 8).step_by(3) {
        let mut forged = fixture();
        forged.header[bit / 8] ^= 1 << (bit % 8);
        let (content, sum) = forged.header.split_last_chunk_mut::<16>().unwrap();
        *sum = cipher::checksum(content);
        assert!(migrated(&forged).is_err(), "bit {bit}, with a right checksum");
    }
    let mut swapped = fixture();
    swapped.records[1].1 = swapped.records[0].1.clone();
    assert!(migrated(&swapped).is_err());
    assert!(kdf_request(&migrated(&good).unwrap().0).is_err(), "a vault of this format is no old one");
}
