//! Everything that a vault reads: headers, slots, records, exports, the format before, and what people type.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidegate::time::Timestamp;
use tidegate::vault::slot::{Slot, SlotKind};
use tidegate::vault::{export, first, kdf::KdfParams, keyring, records, recovery, throttle};

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

fuzz_target!(|bytes: &[u8]| {
    let mut entropy = |bytes: &mut [u8]| bytes.fill(3);
    let _ = keyring::slots(bytes);
    let _ = first::kdf_request(bytes);
    let _ = (records::describe(bytes), first::describe(bytes), export::header(bytes));
    assert!(export::open(bytes, &[3; 16], &[1; 32]).is_err());
    assert!(keyring::unlock(bytes, &[3; 16], &[1; 32]).is_err());
    if let Ok(slot) = Slot::decode(bytes) {
        assert_eq!(slot.encode(), bytes, "one slot, one text");
    }
    if let Ok(secret) = recovery::parse(bytes) {
        assert!(bytes.len() >= 28 && secret.expose().len() == 16);
    }
    let _ = throttle::attempt(Some(bytes), NOW);
    let made = Slot::new(SlotKind::Recovery, "", KdfParams::default(), &[], NOW, &mut entropy)
        .and_then(|slot| keyring::create(&slot, &[1; 16], &mut entropy));
    if let Ok((header, vault)) = made {
        assert!(vault.open_record(&header, "groq", bytes).is_err());
        assert!(vault.unseal_blob("cache", "id", bytes).is_err());
        assert!(vault.remove(bytes, "groq").is_err());
    }
});
