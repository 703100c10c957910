use proptest::prelude::*;

use super::*;
use crate::error::Detail;
use crate::record::hex;
use crate::time::Timestamp;
use crate::vault::cipher::checksum;
use crate::vault::kdf::KdfParams;

fn counter(mut next: u8) -> impl FnMut(&mut [u8]) {
    move |bytes| {
        for byte in bytes {
            *byte = next;
            next = next.wrapping_add(1);
        }
    }
}

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);
const SECRET: [u8; 32] = [1; 32];
const OTHER: [u8; 16] = [2; 16];

fn slot(kind: SlotKind, seed: u8) -> Slot {
    let credential: &[u8] = if kind == SlotKind::Passkey { b"credential" } else { b"" };
    Slot::new(kind, "mine", KdfParams::default(), credential, NOW, &mut counter(seed)).unwrap()
}

fn passphrase() -> Slot {
    slot(SlotKind::Passphrase, 77)
}

fn made() -> (Vec<u8>, Unlocked) {
    create(&passphrase(), &SECRET, &mut counter(0)).unwrap()
}

fn open(header: &[u8]) -> Result<Unlocked> {
    unlock(header, &passphrase().id, &SECRET)
}

fn code(header: &[u8]) -> Code {
    open(header).unwrap_err().code
}

fn field(error: &Error) -> (Code, &str) {
    let Detail::Fields(fields) = &error.detail else { panic!("no field: {error:?}") };
    (error.code, &fields[0].path)
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
    assert_eq!(slots(&header).unwrap(), [passphrase()]);
    let again = open(&header).unwrap();
    assert_eq!((again.vault, again.epoch), (unlocked.vault, 1));
    assert!(again.key.ct_eq(unlocked.key.expose()));
    assert!(!header.windows(32).any(|window| window == unlocked.key.expose()), "the vault key is sealed");
    assert!(!header.windows(8).any(|window| window == [1; 8]), "no part of the secret is stored");
}

/// The vault's key and id, and the id, salt and nonce of a slot: none may come twice, each is drawn.
#[test]
fn all_that_must_be_new_is_drawn() {
    let differs = |what: &str, make: &dyn Fn(&mut Entropy<'_>) -> Vec<u8>, expected: &[usize]| {
        // `other`: the draw that gives other bytes.
        let made = |other: Option<usize>| {
            let mut sizes = Vec::new();
            let mut entropy = |bytes: &mut [u8]| {
                bytes.fill(if other == Some(sizes.len()) { 7 } else { 9 });
                sizes.push(bytes.len());
            };
            (make(&mut entropy), sizes)
        };
        let (plain, sizes) = made(None);
        assert_eq!(sizes, expected, "{what}");
        for draw in 0..sizes.len() {
            assert_ne!(made(Some(draw)).0, plain, "{what}, draw {draw}");
        }
    };
    let slot = |entropy: &mut Entropy<'_>| {
        Slot::new(SlotKind::Device, "", KdfParams::default(), &[], NOW, entropy).unwrap().encode()
    };
    differs("slot", &slot, &[16, 16]);
    differs("vault", &|entropy| create(&passphrase(), &SECRET, entropy).unwrap().0, &[16, 32, 12]);
    let (header, unlocked) = made();
    let renewed = |entropy: &mut Entropy<'_>| unlocked.renewed(&header, &passphrase(), &SECRET, entropy).unwrap().0;
    differs("renewed", &renewed, &[32, 12]);
}

/// Never rewritten: if this fails, what browsers have stored opens no more, and a new format is needed that reads this one.
#[test]
fn what_is_stored_is_of_the_released_form() {
    let (header, unlocked) = made();
    let key = Secret::new("a made-up key".to_owned());
    let put = unlocked.put(&header, "groq", "https://api.groq.com", &key, NOW, &mut counter(5)).unwrap();
    let sums = [&header, &put.header, &put.record].map(|bytes| hex(&checksum(bytes)));
    assert_eq!(
        sums,
        ["e6e7c0c0f6ec9212bed1a13dbbf14b3c", "392b225a7e5a8163c09b265536cfe51b", "bfde9319215e39f39e6ea8d5800916f1"]
    );
}

#[test]
fn a_wrong_secret_is_no_damage_and_names_the_kind() {
    let (header, unlocked) = made();
    for (kind, name) in SlotKind::ALL {
        let slot = slot(kind, 100);
        let header = unlocked.put_slot(&header, &slot, &OTHER, None, &mut counter(5)).unwrap();
        assert!(unlock(&header, &slot.id, &OTHER).is_ok(), "{name}");
        assert_eq!(field(&unlock(&header, &slot.id, &SECRET).unwrap_err()), (Code::VaultLocked, name));
    }
    assert_eq!(field(&unlock(&header, &[0; 16], &SECRET).unwrap_err()), (Code::VaultLocked, "slot"));
}

#[test]
fn every_flipped_bit_and_every_cut_is_corrupt_and_not_a_wrong_passphrase() {
    let (header, unlocked) = made();
    let header = unlocked.put_slot(&header, &slot(SlotKind::Passkey, 9), &OTHER, None, &mut counter(5)).unwrap();
    for bit in 0..header.len() * 8 {
        let mut damaged = header.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(code(&damaged), Code::VaultCorrupt, "bit {bit}");
        assert_eq!(slots(&damaged).unwrap_err().code, Code::VaultCorrupt, "bit {bit}");
    }
    for length in 0..header.len() {
        assert_eq!(code(&header[..length]), Code::VaultCorrupt, "{length} bytes");
    }
    assert!(open(&header).is_ok(), "reading changes nothing");
}

/// Behind the checksum stands cryptography: nobody forges a header that opens.
#[test]
fn every_flipped_bit_is_refused_even_with_a_right_checksum() {
    let (header, unlocked) = made();
    let header = unlocked.put_slot(&header, &slot(SlotKind::Recovery, 9), &OTHER, None, &mut counter(5)).unwrap();
    let (header, entry) = {
        let entry = Entry { provider: "groq".into(), record: [3; 16], version: 2 };
        (unlocked.with_entry(&header, "groq", Some(entry.clone())).unwrap(), entry)
    };
    assert_eq!(unlocked.authentic(&header).unwrap().index, [entry]);
    for bit in 0..(header.len() - 16) * 8 {
        let mut damaged = header.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        let damaged = resummed(damaged);
        assert!(open(&damaged).is_err(), "bit {bit}");
        assert!(unlocked.authentic(&damaged).is_err(), "bit {bit}, while it is open");
    }
}

#[test]
fn a_header_of_another_vault_asks_to_unlock_again_and_is_no_damage() {
    let (_, unlocked) = made();
    let (other, _) = create(&passphrase(), &SECRET, &mut counter(100)).unwrap();
    assert_eq!(field(&unlocked.authentic(&other).map(|_| ()).unwrap_err()), (Code::VaultLocked, "vault"));
}

/// Only the MAC sees this one: the slot that opens is untouched.
#[test]
fn a_slot_that_was_slipped_in_is_corrupt() {
    let (header, unlocked) = made();
    let two = unlocked.put_slot(&header, &slot(SlotKind::Device, 9), &OTHER, None, &mut counter(5)).unwrap();
    let at = 6 + 16 + 1;
    assert_eq!((header[at], two[at]), (1, 2));
    // The second slot, and the count, under the first header's MAC.
    let end = two.len() - 1 - 32 - 16;
    let forged = [&two[..end], &header[header.len() - 49..]].concat();
    assert_eq!(slots(&resummed(forged.clone())).unwrap().len(), 2, "it reads well");
    assert_eq!(code(&resummed(forged)), Code::VaultCorrupt);
}

#[test]
fn slots_come_and_go_and_the_last_one_stays() {
    let (header, unlocked) = made();
    let device = slot(SlotKind::Device, 9);
    let two = unlocked.put_slot(&header, &device, &OTHER, None, &mut counter(5)).unwrap();
    assert!(unlock(&two, &device.id, &OTHER).unwrap().key.ct_eq(unlocked.key.expose()));
    assert!(open(&two).is_ok());
    let one = unlocked.remove_slot(&two, &passphrase().id).unwrap();
    assert_eq!(slots(&one).unwrap(), std::slice::from_ref(&device));
    assert_eq!(code(&one), Code::VaultLocked, "the slot is gone");
    assert_eq!(field(&unlocked.remove_slot(&one, &device.id).unwrap_err()), (Code::InvalidRequest, "slot"));
    assert_eq!(field(&unlocked.remove_slot(&two, &[0; 16]).unwrap_err()), (Code::InvalidRequest, "slot"));

    let changed = slot(SlotKind::Passphrase, 33);
    let next = unlocked.put_slot(&two, &changed, &OTHER, Some(&passphrase().id), &mut counter(6)).unwrap();
    assert_eq!(slots(&next).unwrap(), [changed.clone(), device]);
    assert!(unlock(&next, &changed.id, &OTHER).is_ok());
    let gone = unlocked.put_slot(&two, &changed, &OTHER, Some(&[0; 16]), &mut counter(6)).unwrap_err();
    assert_eq!(field(&gone), (Code::InvalidRequest, "slot"));
}

#[test]
fn there_is_a_most_of_slots() {
    let (mut header, unlocked) = made();
    for seed in 1..16 {
        header = unlocked.put_slot(&header, &slot(SlotKind::Device, seed), &OTHER, None, &mut counter(5)).unwrap();
    }
    let more = unlocked.put_slot(&header, &slot(SlotKind::Device, 99), &OTHER, None, &mut counter(5)).unwrap_err();
    assert_eq!(field(&more), (Code::InvalidRequest, "slot"));
}

#[test]
fn a_kind_of_a_later_version_is_left_alone() {
    let (header, unlocked) = made();
    let mut later = slot(SlotKind::Device, 9).encode();
    later[16] = 99;
    let later = Slot::decode(&later).unwrap();
    assert_eq!(later.kind(), None);
    let two = unlocked.put_slot(&header, &later, &OTHER, None, &mut counter(5)).unwrap();
    let three = unlocked.put_slot(&two, &slot(SlotKind::Recovery, 44), &OTHER, None, &mut counter(6)).unwrap();
    assert_eq!(slots(&three).unwrap()[1], later);
    assert!(open(&three).is_ok());
}

#[test]
fn a_newer_format_is_refused_and_named() {
    let (mut header, _) = made();
    header[4] = 3;
    assert_eq!(field(&open(&resummed(header)).unwrap_err()), (Code::VaultCorrupt, "vault"));
}

#[test]
fn a_renewed_vault_opens_by_its_new_slot_alone() {
    let (header, unlocked) = made();
    let fresh = slot(SlotKind::Passphrase, 55);
    let (next, renewed) = unlocked.renewed(&header, &fresh, &OTHER, &mut counter(9)).unwrap();
    assert!(!renewed.key.ct_eq(unlocked.key.expose()));
    assert_eq!((renewed.vault, renewed.epoch), (unlocked.vault, 2));
    assert!(unlock(&next, &fresh.id, &OTHER).is_ok());
    assert_eq!(code(&next), Code::VaultLocked);
    assert_eq!(field(&unlocked.authentic(&next).map(|_| ()).unwrap_err()), (Code::VaultLocked, "vault"));
    assert_eq!(field(&renewed.authentic(&header).map(|_| ()).unwrap_err()), (Code::VaultLocked, "vault"));
}

#[test]
fn costs_out_of_bounds_are_refused_before_the_kdf_runs() {
    let (header, _) = made();
    // Length and id of the slot, kind, name and time, then 65,536 as a varint, passes, lanes.
    let memory = 6 + 16 + 1 + 1 + 1 + 16 + 1 + 5 + 6;
    assert_eq!(header[memory..memory + 5], [0x80, 0x80, 0x04, 3, 1]);
    for (at, value) in
        [(memory + 2, 0x7f), (memory + 2, 1), (memory + 3, 1), (memory + 3, 11), (memory + 4, 0), (memory + 4, 9)]
    {
        let mut forged = header.clone();
        forged[at] = value;
        assert_eq!(slots(&resummed(forged)).unwrap_err().code, Code::VaultCorrupt, "{at} {value}");
    }
    let weak = KdfParams { passes: 1, ..KdfParams::default() };
    let refused = Slot::new(SlotKind::Passphrase, "", weak, &[], NOW, &mut counter(0)).unwrap_err();
    assert_eq!(refused.code, Code::VaultCorrupt);
}

#[test]
fn what_is_no_slot_is_refused_by_its_field() {
    let new = |kind, name: &str, credential: &[u8]| {
        Slot::new(kind, name, KdfParams::default(), credential, NOW, &mut counter(0)).unwrap_err()
    };
    assert_eq!(field(&new(SlotKind::Device, &"x".repeat(101), b"")), (Code::InvalidRequest, "slot.name"));
    assert_eq!(field(&new(SlotKind::Passkey, "", b"")), (Code::InvalidRequest, "slot.credential"));
    assert_eq!(field(&new(SlotKind::Passkey, "", &[1; 1_024])), (Code::InvalidRequest, "slot.credential"));
    assert_eq!(field(&new(SlotKind::Recovery, "", b"id")), (Code::InvalidRequest, "slot.credential"));
    let (name, credential) = ("x".repeat(100), [1; 1_023]);
    let longest = Slot::new(SlotKind::Passkey, &name, KdfParams::default(), &credential, NOW, &mut counter(0));
    assert!(longest.is_ok(), "the longest that are allowed");
}

#[test]
fn subkeys_differ_by_label_and_vault_and_last() {
    let (header, unlocked) = made();
    let (_, other) = create(&passphrase(), &SECRET, &mut counter(9)).unwrap();
    let cache = unlocked.derive_subkey("cache").unwrap();
    assert!(open(&header).unwrap().derive_subkey("cache").unwrap().ct_eq(cache.expose()));
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
        prop_assert!(Slot::decode(&bytes).is_err() || bytes.len() >= 37);
    }
}
