use proptest::prelude::*;

use super::*;
use crate::error::Detail;
use crate::pack::Writer;
use crate::vault::cipher::checksum;
use crate::vault::kdf::KdfParams;
use crate::vault::keyring::create;

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

fn vault(seed: u8) -> Unlocked {
    create(&Secret::new([1; 32]), [7; 16], KdfParams::default(), &mut counter(seed)).unwrap().1
}

fn put(vault: &Unlocked, provider: &str, origin: &str, version: u64) -> Vec<u8> {
    let key = Secret::new(KEY.to_owned());
    vault.put(provider, origin, &key, version, NOW, &mut counter(100)).unwrap()
}

fn fails(vault: &Unlocked, provider: &str, record: &[u8]) {
    assert_eq!(vault.open_record(provider, record).unwrap_err().code, Code::VaultCorrupt);
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
    forged.raw(&header.vault).text(header.record).uint(header.version).text(header.origin);
    forged.int(header.added_at.as_millis()).bytes(wrapped).bytes(sealed);
    frame::finish(forged)
}

#[test]
fn a_key_comes_back_for_its_origin_only() {
    let vault = vault(0);
    let record = put(&vault, "groq", GROQ, 1);
    assert!(!record.windows(8).any(|window| KEY.as_bytes().windows(8).any(|part| part == window)));
    let key = vault.open_record("groq", &record).unwrap();
    assert_eq!((&*key.provider, &*key.origin, key.version), ("groq", GROQ, 1));
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
    let record = put(&vault(0), "groq", GROQ, 4);
    let expected = Description { provider: "groq".into(), version: 4, origin: GROQ.into(), added_at: NOW };
    assert_eq!(describe(&record).unwrap(), expected);
}

#[test]
fn keys_of_different_length_make_records_of_one_length() {
    let vault = vault(0);
    let put = |key: &str| vault.put("groq", GROQ, &Secret::new(key.into()), 1, NOW, &mut counter(1)).unwrap();
    assert_eq!(put("a").len(), put(KEY).len());
}

#[test]
fn every_flipped_bit_and_every_cut_is_corrupt() {
    let vault = vault(0);
    let record = put(&vault, "groq", GROQ, 1);
    for bit in 0..record.len() * 8 {
        let mut damaged = record.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        fails(&vault, "groq", &damaged);
        assert_eq!(describe(&damaged).unwrap_err().code, Code::VaultCorrupt, "seen while locked");
    }
    for length in 0..record.len() {
        fails(&vault, "groq", &record[..length]);
    }
    assert!(vault.open_record("groq", &record).is_ok(), "reading changes nothing");
}

/// Behind the checksum stands the cipher.
#[test]
fn every_flipped_bit_is_corrupt_even_with_a_right_checksum() {
    let vault = vault(0);
    let record = put(&vault, "groq", GROQ, 1);
    for bit in 0..(record.len() - 16) * 8 {
        let mut damaged = record.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        fails(&vault, "groq", &resummed(damaged));
    }
}

#[test]
fn records_cannot_change_places() {
    let (own, other) = (vault(0), vault(50));
    let groq = put(&own, "groq", GROQ, 1);
    fails(&own, "openrouter", &groq);
    fails(&other, "groq", &groq);
    // The same, by one who rewrites the clear part as well.
    fails(&own, "openrouter", &relabelled(&groq, |header| header.record = "openrouter"));
    fails(&own, "groq", &relabelled(&groq, |header| header.origin = "https://evil.example"));
    fails(&own, "groq", &relabelled(&groq, |header| header.version = 2));
    fails(&own, "groq", &relabelled(&groq, |header| header.added_at = Timestamp::EPOCH));
    fails(&other, "groq", &relabelled(&groq, |header| header.vault = other.vault));
    assert!(own.open_record("groq", &relabelled(&groq, |_| ())).is_ok());
}

#[test]
fn sealed_parts_of_two_versions_do_not_mix() {
    let vault = vault(0);
    let key = Secret::new(KEY.to_owned());
    let old = put(&vault, "groq", GROQ, 1);
    let new = vault.put("groq", GROQ, &key, 1, NOW, &mut counter(200)).unwrap();
    let (old, new) = (Stored::read(&old).unwrap(), Stored::read(&new).unwrap());
    let mut mixed = frame::start(What::Record);
    mixed.raw(&vault.vault).text("groq").uint(1).text(GROQ).int(NOW.as_millis());
    mixed.bytes(old.wrapped).bytes(new.sealed);
    fails(&vault, "groq", &frame::finish(mixed));
}

#[test]
fn a_newer_format_is_refused() {
    let vault = vault(0);
    let mut record = put(&vault, "groq", GROQ, 1);
    record[4] = 2;
    fails(&vault, "groq", &resummed(record));
}

#[test]
fn blobs_open_under_their_own_label_and_id() {
    let (own, other) = (vault(0), vault(50));
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
        framed.raw(&vault.vault).text("groq").uint(1).text(GROQ).int(0).raw(&parts.finish());
        fails(&vault, "groq", &frame::finish(framed));
    }
}
