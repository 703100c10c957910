//! Envelopes: what was sealed opens as what it was and as nothing else, and no other bytes open.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidegate::secret::Secret;
use tidegate::time::Timestamp;
use tidegate::vault::envelope::{Header, Kind, seal, unseal};

fuzz_target!(|input: (u16, u64, i64, &str, &str, &[u8])| {
    let (flip, version, at, provider, origin, bytes) = input;
    let key = Secret::new([5; 32]);
    let header = Header {
        vault: [1; 16],
        record: [2; 16],
        version,
        provider,
        origin,
        added_at: Timestamp::from_millis(at),
        kind: Kind::ProviderKey,
    };
    assert!(unseal(&key, &header, bytes).is_err(), "nobody sealed this");
    let Ok(mut sealed) = seal(&key, &header, bytes, [3; 12]) else { return };
    assert_eq!(unseal(&key, &header, &sealed).unwrap().expose(), bytes);
    let others = [
        Header { version: version.wrapping_add(1), ..header },
        Header { provider: origin, origin: provider, ..header },
        Header { kind: Kind::Blob, ..header },
        Header { vault: [9; 16], ..header },
        Header { record: [9; 16], ..header },
        Header { added_at: Timestamp::from_millis(at.wrapping_add(1)), ..header },
    ];
    for other in others.iter().filter(|other| **other != header) {
        assert!(unseal(&key, other, &sealed).is_err(), "it opened as {other:?}");
    }
    let bit = usize::from(flip) % (sealed.len() * 8);
    sealed[bit / 8] ^= 1 << (bit % 8);
    assert!(unseal(&key, &header, &sealed).is_err(), "bit {bit} does not matter");
});
