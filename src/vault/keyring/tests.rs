use proptest::prelude::*;

use super::*;
use crate::error::Detail;
use crate::vault::cipher::checksum;

fn counter(mut next: u8) -> impl FnMut(&mut [u8]) {
    move |bytes| {
        for byte in bytes {
            *byte = next;
            next = next.wrapping_add(1);
        }
    }
}

fn slot_key(byte: u8) -> Secret<[u8; 32]> {
    Secret::new([byte; 32])
}

fn made() -> (Vec<u8>, Unlocked) {
    create(&slot_key(1), [7; 16], KdfParams::default(), &mut counter(0)).unwrap()
}

fn code(header: &[u8]) -> Code {
    unlock(header, &slot_key(1)).unwrap_err().code
}

/// The header with its checksum set right again, as one who writes on purpose would.
fn resummed(mut header: Vec<u8>) -> Vec<u8> {
    let (content, sum) = header.split_last_chunk_mut::<16>().unwrap();
    *sum = checksum(content);
    header
}

#[test]
fn what_was_made_opens_again() {
    let (header, unlocked) = made();
    assert_eq!(kdf_request(&header).unwrap(), ([7; 16], KdfParams::default()));
    let again = unlock(&header, &slot_key(1)).unwrap();
    assert_eq!(again.vault, unlocked.vault);
    assert!(again.key.ct_eq(unlocked.key.expose()));
    assert!(!header.windows(32).any(|window| window == unlocked.key.expose()), "the vault key is sealed");
    assert!(!header.windows(8).any(|window| window == [1; 8]), "no part of the slot key is stored");
}

#[test]
fn a_wrong_passphrase_is_no_damage_and_names_its_field() {
    let (header, _) = made();
    let error = unlock(&header, &slot_key(2)).unwrap_err();
    assert_eq!(error.code, Code::VaultLocked);
    assert!(matches!(error.detail, Detail::Fields(fields) if fields[0].path == "passphrase"));
}

#[test]
fn every_flipped_bit_and_every_cut_is_corrupt_and_not_a_wrong_passphrase() {
    let (header, _) = made();
    for bit in 0..header.len() * 8 {
        let mut damaged = header.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(code(&damaged), Code::VaultCorrupt, "bit {bit}");
        assert_eq!(kdf_request(&damaged).unwrap_err().code, Code::VaultCorrupt, "bit {bit}");
    }
    for length in 0..header.len() {
        assert_eq!(code(&header[..length]), Code::VaultCorrupt, "{length} bytes");
    }
    assert!(unlock(&header, &slot_key(1)).is_ok(), "reading changes nothing");
}

/// Behind the checksum stands cryptography: nobody forges a header that opens.
#[test]
fn every_flipped_bit_is_refused_even_with_a_right_checksum() {
    let (header, _) = made();
    for bit in 0..(header.len() - 16) * 8 {
        let mut damaged = header.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(unlock(&resummed(damaged), &slot_key(1)).is_err(), "bit {bit}");
    }
}

/// Only the MAC sees this one: the slot that opens is untouched.
#[test]
fn a_slot_that_was_slipped_in_is_corrupt() {
    let (header, _) = made();
    let mac = header.len() - 48;
    let count = 6 + 16;
    assert_eq!(header[count], 1);
    let mut forged = header.clone();
    forged[count] = 2;
    forged.splice(mac..mac, [2, 3, b'a', b'b', b'c']);
    assert!(kdf_request(&resummed(forged.clone())).is_ok(), "a slot of another kind is read over");
    assert_eq!(code(&resummed(forged)), Code::VaultCorrupt);
}

#[test]
fn a_newer_format_is_refused() {
    let (mut header, _) = made();
    header[4] = 2;
    assert_eq!(code(&resummed(header)), Code::VaultCorrupt);
}

#[test]
fn costs_out_of_bounds_are_refused_before_the_kdf_runs() {
    let (header, _) = made();
    // Kind and length of the slot, then 19,456 as a varint, passes, lanes.
    let memory = 6 + 16 + 1 + 1 + 2;
    assert_eq!(header[memory..memory + 5], [0x80, 0x98, 0x01, 2, 1]);
    for (at, value) in [(memory + 2, 0x7f), (memory + 3, 1), (memory + 3, 11), (memory + 4, 0), (memory + 4, 9)] {
        let mut forged = header.clone();
        forged[at] = value;
        assert_eq!(kdf_request(&resummed(forged)).unwrap_err().code, Code::VaultCorrupt, "{at} {value}");
    }
    let weak = KdfParams { passes: 1, ..KdfParams::default() };
    assert_eq!(create(&slot_key(1), [7; 16], weak, &mut counter(0)).unwrap_err().code, Code::VaultCorrupt);
}

#[test]
fn subkeys_differ_by_label_and_vault_and_last() {
    let (header, unlocked) = made();
    let (_, other) = create(&slot_key(1), [7; 16], KdfParams::default(), &mut counter(9)).unwrap();
    let cache = unlocked.derive_subkey("cache").unwrap();
    assert!(unlock(&header, &slot_key(1)).unwrap().derive_subkey("cache").unwrap().ct_eq(cache.expose()));
    assert!(!unlocked.derive_subkey("fingerprint").unwrap().ct_eq(cache.expose()));
    assert!(!other.derive_subkey("cache").unwrap().ct_eq(cache.expose()));
    assert!(!unlocked.key.ct_eq(cache.expose()));
}

#[test]
fn debug_shows_no_key() {
    let (_, unlocked) = made();
    let shown = format!("{unlocked:?}");
    assert!(shown.contains("Secret(…)"));
    let key = format!("{:?}", &unlocked.key.expose()[..4]);
    assert!(!shown.contains(key.trim_matches(['[', ']'])));
}

proptest! {
    #[test]
    fn hostile_bytes_never_panic(bytes: Vec<u8>) {
        prop_assert_eq!(code(&bytes), Code::VaultCorrupt);
        let mut framed = frame::start(What::Header);
        framed.raw(&bytes);
        prop_assert_eq!(code(&frame::finish(framed)), Code::VaultCorrupt);
    }
}
