//! A vault's header, and records under an open vault.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidegate::secret::Secret;
use tidegate::vault::{kdf::KdfParams, keyring, records};

fuzz_target!(|bytes: &[u8]| {
    let slot = Secret::new([1; 32]);
    let _ = keyring::kdf_request(bytes);
    assert!(keyring::unlock(bytes, &slot).is_err());
    let _ = records::describe(bytes);
    if let Ok((_, vault)) = keyring::create(&slot, [2; 16], KdfParams::default(), &mut |bytes| bytes.fill(3)) {
        assert!(vault.open_record("groq", bytes).is_err());
        assert!(vault.unseal_blob("cache", "id", bytes).is_err());
    }
});
