use proptest::prelude::*;

use super::*;
use crate::error::Detail;
use crate::pack::Writer;
use crate::vault::cipher::checksum;
use crate::vault::kdf::KdfParams;
use crate::vault::keyring::create;
use crate::vault::slot::SlotKind;

const KEY: &str = "gsk_0123456789abcdefghijABCDEFGHIJ0123456789abcdefghijAB";
const GROQ: &str = "https://api.groq.com";
const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

fn counter(mut next: u8) -> impl FnMut(&mut [u8]) {
    move |bytes| {
        for byte in bytes {
            *byte = next;
            next = next.wrapping_add(1);
        }
    }
}

/// A vault and its header.
struct Vault {
    open: Unlocked,
    header: Vec<u8>,
}

fn slot() -> Slot {
    Slot::new(SlotKind::Passphrase, "", KdfParams::default(), &[], NOW, &mut counter(7)).unwrap()
}

fn vault(seed: u8) -> Vault {
    let (header, open) = create(&slot(), &[1; 32], &mut counter(seed)).unwrap();
    Vault { open, header }
}

/// Stores a key: the record.
fn put(vault: &mut Vault, provider: &str, origin: &str) -> Vec<u8> {
    let key = Secret::new(KEY.to_owned());
    let put = vault.open.put(&vault.header, provider, origin, &key, NOW, &mut counter(100)).unwrap();
    vault.header = put.header;
    put.record
}

fn open(vault: &Vault, provider: &str, record: &[u8]) -> Result<ProviderKey> {
    vault.open.open_record(&vault.header, provider, record)
}

fn fails(vault: &Vault, provider: &str, record: &[u8]) {
    let error = open(vault, provider, record).unwrap_err();
    assert_eq!(error.code, Code::VaultCorrupt);
    let Detail::Fields(fields) = error.detail else { panic!("no field") };
    assert_eq!(fields[0].path, ["keys.", provider].concat());
}

fn resummed(mut record: Vec<u8>) -> Vec<u8> {
    let (content, sum) = record.split_last_chunk_mut::<16>().unwrap();
    *sum = checksum(content);
    record
}

/// The record's sealed parts under another clear part, with a right checksum.
fn relabelled(record: &[u8], change: impl Fn(&mut Header<'_>)) -> Vec<u8> {
    let Stored { mut header, wrapped, sealed } = Stored::read(record).unwrap();
    change(&mut header);
    let mut forged = frame::start(What::Record);
    forged.raw(&header.vault).raw(&header.record).text(header.provider).uint(header.version);
    forged.text(header.origin).int(header.added_at.as_millis()).bytes(wrapped).bytes(sealed);
    frame::finish(forged)
}

#[test]
fn a_key_comes_back_for_its_origin_only() {
    let mut vault = vault(0);
    let record = put(&mut vault, "groq", GROQ);
    assert!(!record.windows(8).any(|window| KEY.as_bytes().windows(8).any(|part| part == window)));
    let key = open(&vault, "groq", &record).unwrap();
    assert_eq!((&*key.provider, &*key.origin, key.version, key.added_at), ("groq", GROQ, 1, NOW));
    assert_eq!(key.for_origin(GROQ).unwrap().expose(), KEY);
    for other in ["https://api.groq.com.evil.example", "http://api.groq.com", "https://openrouter.ai", ""] {
        let error = key.for_origin(other).unwrap_err();
        assert_eq!(error.code, Code::ConfigInvalid);
        assert!(matches!(error.detail, Detail::Fields(fields) if fields[0].path == "providers.groq"));
    }
    assert!(!format!("{key:?}").contains("gsk_"));
}

#[test]
fn a_locked_vault_lists_names_and_no_more() {
    let mut vault = vault(0);
    let record = put(&mut vault, "groq", GROQ);
    let expected = Description { provider: "groq".into(), version: 1, origin: GROQ.into(), added_at: NOW };
    assert_eq!(describe(&record).unwrap(), expected);
}

#[test]
fn keys_of_different_length_make_records_of_one_length() {
    let Vault { open, header } = vault(0);
    let put = |key: &str| open.put(&header, "groq", GROQ, &Secret::new(key.into()), NOW, &mut counter(1)).unwrap();
    assert_eq!(put("a").record.len(), put(KEY).record.len());
}

#[test]
fn every_flipped_bit_and_every_cut_is_corrupt() {
    let mut vault = vault(0);
    let record = put(&mut vault, "groq", GROQ);
    for bit in 0..record.len() * 8 {
        let mut damaged = record.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        fails(&vault, "groq", &damaged);
        assert_eq!(describe(&damaged).unwrap_err().code, Code::VaultCorrupt, "seen while locked");
    }
    for length in 0..record.len() {
        fails(&vault, "groq", &record[..length]);
    }
    assert!(open(&vault, "groq", &record).is_ok(), "reading changes nothing");
}

/// Behind the checksum stands the cipher.
#[test]
fn every_flipped_bit_is_corrupt_even_with_a_right_checksum() {
    let mut vault = vault(0);
    let record = put(&mut vault, "groq", GROQ);
    for bit in 0..(record.len() - 16) * 8 {
        let mut damaged = record.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        fails(&vault, "groq", &resummed(damaged));
    }
}

/// Neither a content key nor a nonce may come twice: each is drawn, and what is drawn is used.
#[test]
fn a_record_is_sealed_with_what_is_drawn_for_it_alone() {
    let vault = vault(0);
    let key = Secret::new(KEY.to_owned());
    // `other`: the draw that gives other bytes.
    let sealed = |other: Option<usize>| {
        let mut sizes = Vec::new();
        let mut entropy = |bytes: &mut [u8]| {
            bytes.fill(if other == Some(sizes.len()) { 7 } else { 9 });
            sizes.push(bytes.len());
        };
        let record = vault.open.put(&vault.header, "groq", GROQ, &key, NOW, &mut entropy).unwrap().record;
        (record, sizes)
    };
    let (plain, mut sizes) = sealed(None);
    for draw in 0..sizes.len() {
        assert_ne!(sealed(Some(draw)).0, plain, "draw {draw}");
    }
    sizes.sort_unstable();
    assert_eq!(sizes, [12, 12, 16, 32], "two nonces, an id, a key");
}

#[test]
fn an_older_record_that_is_put_back_is_noticed() {
    let mut vault = vault(0);
    let first = put(&mut vault, "groq", GROQ);
    let second = put(&mut vault, "groq", GROQ);
    assert_eq!(open(&vault, "groq", &second).unwrap().version, 2);
    fails(&vault, "groq", &first);

    vault.header = vault.open.remove(&vault.header, "groq").unwrap();
    fails(&vault, "groq", &second);
    // What is stored after that is another record, though its version begins anew.
    let key = Secret::new(KEY.to_owned());
    let anew = vault.open.put(&vault.header, "groq", GROQ, &key, NOW, &mut counter(200)).unwrap();
    vault.header = anew.header;
    assert_eq!(open(&vault, "groq", &anew.record).unwrap().version, 1);
    fails(&vault, "groq", &first);
}

#[test]
fn what_is_damaged_or_missing_is_named_and_the_rest_opens() {
    let mut vault = vault(0);
    let (groq, other) = (put(&mut vault, "groq", GROQ), put(&mut vault, "openrouter", "https://openrouter.ai"));
    put(&mut vault, "mistral", "https://api.mistral.ai");
    let mut damaged = other;
    damaged[50] ^= 1;
    let stored = [("groq".to_owned(), groq.clone()), ("openrouter".into(), damaged), ("xai".into(), groq)];
    let (keys, bad) = vault.open.open_all(&vault.header, &stored).unwrap();
    assert_eq!(keys.iter().map(|key| &*key.provider).collect::<Vec<_>>(), ["groq"]);
    let bad: Vec<_> = bad.iter().map(|field| &*field.path).collect();
    assert_eq!(bad, ["keys.openrouter", "keys.xai", "keys.mistral"]);
}

#[test]
fn records_cannot_change_places() {
    let (mut own, mut other) = (vault(0), vault(50));
    let groq = put(&mut own, "groq", GROQ);
    fails(&own, "openrouter", &groq);
    put(&mut other, "groq", GROQ);
    fails(&other, "groq", &groq);
    // The same, by one who rewrites the clear part as well.
    fails(&own, "openrouter", &relabelled(&groq, |header| header.provider = "openrouter"));
    fails(&own, "groq", &relabelled(&groq, |header| header.origin = "https://evil.example"));
    fails(&own, "groq", &relabelled(&groq, |header| header.version = 2));
    fails(&own, "groq", &relabelled(&groq, |header| header.record = [0; 16]));
    fails(&own, "groq", &relabelled(&groq, |header| header.added_at = Timestamp::EPOCH));
    fails(&other, "groq", &relabelled(&groq, |header| header.vault = other.open.vault));
    assert!(open(&own, "groq", &relabelled(&groq, |_| ())).is_ok());
}

#[test]
fn sealed_parts_of_two_versions_do_not_mix() {
    let mut vault = vault(0);
    let old = put(&mut vault, "groq", GROQ);
    let entry = vault.open.authentic(&vault.header).unwrap().index.remove(0);
    let key = Secret::new(KEY.to_owned());
    let new = vault.open.seal_key(&entry, GROQ, &key, NOW, &mut counter(200)).unwrap();
    assert!(open(&vault, "groq", &new).is_ok());
    let (old, new) = (Stored::read(&old).unwrap(), Stored::read(&new).unwrap());
    let mut mixed = frame::start(What::Record);
    mixed.raw(&old.header.vault).raw(&old.header.record).text("groq").uint(1).text(GROQ).int(NOW.as_millis());
    mixed.bytes(old.wrapped).bytes(new.sealed);
    fails(&vault, "groq", &frame::finish(mixed));
}

#[test]
fn a_new_vault_key_leaves_the_contents_as_they_are() {
    let mut vault = vault(0);
    let records = ["groq", "openrouter"].map(|provider| (provider.to_owned(), put(&mut vault, provider, GROQ)));
    let fresh = Slot::new(SlotKind::Recovery, "", KdfParams::default(), &[], NOW, &mut counter(70)).unwrap();
    let secret = [9; 16];
    let rotated = vault.open.rotate(&vault.header, &records, &fresh, &secret, &mut counter(33)).unwrap();
    let (header, rewrapped, renewed) = rotated;
    for ((provider, new), (_, old)) in rewrapped.iter().zip(&records) {
        assert_eq!(Stored::read(new).unwrap().sealed, Stored::read(old).unwrap().sealed, "{provider}");
        assert_ne!(Stored::read(new).unwrap().wrapped, Stored::read(old).unwrap().wrapped, "{provider}");
        assert!(vault.open.open_record(&header, provider, new).is_err(), "the old key is of no use any more");
        fails(&vault, provider, new);
    }
    assert!(crate::vault::keyring::unlock(&header, &fresh.id, &secret).is_ok());
    let (keys, bad) = renewed.open_all(&header, &rewrapped).unwrap();
    assert_eq!((keys.len(), bad.len()), (2, 0));
    assert_eq!(keys[1].for_origin(GROQ).unwrap().expose(), KEY);

    let mut damaged = records.clone();
    damaged[1].1[60] ^= 1;
    let refused = vault.open.rotate(&vault.header, &damaged, &fresh, &secret, &mut counter(33)).unwrap_err();
    assert_eq!(refused.code, Code::VaultCorrupt, "what cannot be opened would be lost");
    assert!(vault.open.rotate(&vault.header, &records[..1], &fresh, &secret, &mut counter(33)).is_err());
}

#[test]
fn a_newer_format_is_refused() {
    let mut vault = vault(0);
    let mut record = put(&mut vault, "groq", GROQ);
    record[4] = 3;
    fails(&vault, "groq", &resummed(record));
}

#[test]
fn blobs_open_under_their_own_label_and_id() {
    let (own, other) = (vault(0).open, vault(50).open);
    let sealed = own.seal_blob("cache", "entry 1", b"an answer", [3; 12]).unwrap();
    assert!(own.unseal_blob("cache", "entry 1", &sealed).unwrap().ct_eq(b"an answer"));
    for (vault, label, id) in [
        (&own, "cache", "entry 2"),
        (&own, "other", "entry 1"),
        (&own, "entry 1", "cache"),
        (&other, "cache", "entry 1"),
    ] {
        assert_eq!(vault.unseal_blob(label, id, &sealed).unwrap_err().code, Code::VaultCorrupt);
    }
}

proptest! {
    #[test]
    fn hostile_bytes_never_panic(bytes: Vec<u8>) {
        let vault = vault(0);
        fails(&vault, "groq", &bytes);
        prop_assert!(describe(&bytes).is_err());
        let mut framed = frame::start(What::Record);
        framed.raw(&bytes);
        fails(&vault, "groq", &frame::finish(framed));
        let mut parts = Writer::new();
        parts.bytes(&bytes).bytes(&bytes);
        let mut framed = frame::start(What::Record);
        framed.raw(&vault.open.vault).raw(&[0; 16]).text("groq").uint(1).text(GROQ).int(0).raw(&parts.finish());
        fails(&vault, "groq", &frame::finish(framed));
    }
}
