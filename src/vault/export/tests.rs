use super::*;
use crate::secret::Secret;
use crate::time::Timestamp;
use crate::vault::cipher::checksum;
use crate::vault::kdf::KdfParams;
use crate::vault::slot::SlotKind;

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);
const GROQ: &str = "https://api.groq.com";

fn counter(mut next: u8) -> impl FnMut(&mut [u8]) {
    move |bytes| {
        for byte in bytes {
            *byte = next;
            next = next.wrapping_add(1);
        }
    }
}

fn slot(seed: u8) -> Slot {
    Slot::new(SlotKind::Passphrase, "", KdfParams::default(), &[], NOW, &mut counter(seed)).unwrap()
}

fn file() -> Vec<u8> {
    let (mut header, vault) = keyring::create(&slot(1), &[1; 32], &mut counter(0)).unwrap();
    let mut records = Vec::new();
    for provider in ["groq", "openrouter"] {
        let key = Secret::new(["key of ", provider].concat());
        let put = vault.put(&header, provider, GROQ, &key, NOW, &mut counter(9)).unwrap();
        header = put.header;
        records.push((provider.to_owned(), put.record));
    }
    let file = vault.export(&header, &records, &slot(99), &[7; 32], &mut counter(44)).unwrap();
    assert!(vault.export(&header, &records[..1], &slot(99), &[7; 32], &mut counter(44)).is_err(), "not all");
    let id = &vault.vault;
    assert!(!file.windows(16).any(|window| window == id), "says nothing of the vault it was taken from");
    file
}

#[test]
fn a_file_opens_with_its_own_slot() {
    let file = file();
    let own = keyring::slots(&header(&file).unwrap()).unwrap();
    assert_eq!(own, [slot(99)]);
    let keys = open(&file, &own[0].id, &[7; 32]).unwrap();
    let texts = keys.iter().map(|key| (&*key.provider, key.for_origin(GROQ).unwrap().expose().as_str()));
    assert_eq!(texts.collect::<Vec<_>>(), [("groq", "key of groq"), ("openrouter", "key of openrouter")]);
    assert_eq!(open(&file, &own[0].id, &[1; 32]).unwrap_err().code, Code::VaultLocked);
    assert_eq!(open(&file, &slot(1).id, &[1; 32]).unwrap_err().code, Code::VaultLocked);
}

#[test]
fn every_flipped_bit_is_refused() {
    let file = file();
    for bit in 0..file.len() * 8 {
        let mut damaged = file.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(header(&damaged).unwrap_err().code, Code::VaultCorrupt, "bit {bit}");
        // With a right checksum the ciphers stand behind it.
        let (content, sum) = damaged.split_last_chunk_mut::<16>().unwrap();
        *sum = checksum(content);
        if bit < (file.len() - 16) * 8 {
            assert!(open(&damaged, &slot(99).id, &[7; 32]).is_err(), "bit {bit}");
        }
    }
    for bytes in [&[][..], &file[..40], &vec![0; LONGEST + 1]] {
        assert_eq!(header(bytes).unwrap_err().code, Code::VaultCorrupt);
    }
}

#[test]
fn what_is_no_export_is_told_of_the_file() {
    let (mut long, mut more) = (frame::start(What::Export), frame::start(What::Export));
    long.bytes(&vec![0; LONGEST]).uint(0);
    more.bytes(b"header").uint(0).byte(0);
    for file in [Vec::new(), b"junk".to_vec(), frame::finish(long), frame::finish(more)] {
        let error = header(&file).unwrap_err();
        let Detail::Fields(fields) = &error.detail else { panic!("no field") };
        assert_eq!((error.code, &*fields[0].path), (Code::VaultCorrupt, "file"));
    }
}
