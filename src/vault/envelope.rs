//! One sealed plaintext: `magic | format | algorithm | nonce | ciphertext | tag`. The plaintext is its length in eight
//! bytes, little-endian, then itself, then zeros.
//!
//! The header is not inside: whoever opens an envelope must know what it should be, and says so. It is
//! authenticated as additional data, so an envelope that is something else does not open.

use zeroize::Zeroize;

use crate::error::{Code, Result};
use crate::pack::{Reader, Writer};
use crate::secret::Secret;
use crate::time::Timestamp;

use super::cipher::{self, Key};

/// First bytes of everything that the vault stores.
pub const MAGIC: [u8; 4] = *b"TGVT";

/// Version of the format. A newer one is refused and left as it is.
pub const FORMAT: u8 = 2;

/// The format before, which is read once, to be moved into this one.
pub(super) const FIRST: u8 = 1;

/// AES-256-GCM, 96-bit nonce, 128-bit tag.
const AES_256_GCM: u8 = 1;

/// Plaintexts are padded to a multiple of this many bytes, so that the size of a record does not tell
/// one provider's key from another's.
const BLOCK: usize = 64;

/// What an envelope holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Kind {
    /// The vault key, sealed by a slot key.
    VaultKey = 1,
    /// A content key, sealed by a key derived from the vault key.
    ContentKey = 2,
    /// A provider's key, sealed by its content key.
    ProviderKey = 3,
    /// Bytes of another part of the gateway, sealed by a derived key.
    Blob = 4,
}

/// What an envelope is. Authenticated with the content; every field must match to open it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header<'a> {
    /// The vault that it belongs to.
    pub vault: [u8; 16],
    /// The record, drawn when the provider's first key was stored; the slot, of a vault key.
    pub record: [u8; 16],
    /// Version of the record; of a vault key, how often the vault's key had been changed.
    pub version: u64,
    /// The provider.
    pub provider: &'a str,
    /// The only origin that the content may be sent to: `https://api.groq.com`.
    pub origin: &'a str,
    /// When this version was stored.
    pub added_at: Timestamp,
    /// What the content is.
    pub kind: Kind,
}

impl Header<'_> {
    /// The canonical bytes: equal for equal headers, different for different ones, because every part
    /// of variable length carries its length.
    fn aad(&self, format: u8) -> Vec<u8> {
        let mut aad = Writer::new();
        aad.raw(&MAGIC).byte(format).byte(AES_256_GCM).raw(&self.vault);
        if format == FIRST {
            aad.text(self.provider).uint(self.version);
        } else {
            aad.raw(&self.record).uint(self.version).text(self.provider);
        }
        aad.text(self.origin).int(self.added_at.as_millis()).byte(self.kind as u8);
        aad.finish()
    }
}

/// Seals `plaintext`. The nonce must be fresh and random; one key may seal at most 2³² times.
///
/// # Errors
/// `internal` for more than 64 GiB.
pub fn seal(key: &Secret<[u8; 32]>, header: &Header<'_>, plaintext: &[u8], nonce: [u8; 12]) -> Result<Vec<u8>> {
    let length = (plaintext.len() as u64).to_le_bytes();
    let filled = length.len().saturating_add(plaintext.len());
    let padded = filled.checked_next_multiple_of(BLOCK).ok_or(Code::Internal)?;
    // Allocated at its full size: growing would leave a copy of the plaintext behind.
    let mut buffer = Vec::with_capacity(padded);
    buffer.extend_from_slice(&length);
    buffer.extend_from_slice(plaintext);
    buffer.resize(padded, 0);
    let tag = cipher::encrypt(key, nonce, &header.aad(FORMAT), &mut buffer).inspect_err(|_| buffer.zeroize())?;

    let mut out = Writer::new();
    out.raw(&MAGIC).byte(FORMAT).byte(AES_256_GCM).raw(&nonce).raw(&buffer).raw(&tag);
    Ok(out.finish())
}

/// Opens what [`seal`] made with the same key and an equal header.
///
/// # Errors
/// `vault_corrupt` for everything else: a changed bit, another header, another key, another format.
pub fn unseal(key: &Secret<[u8; 32]>, expected: &Header<'_>, bytes: &[u8]) -> Result<Secret<Vec<u8>>> {
    unseal_as(FORMAT, key, expected, bytes)
}

/// The same for an envelope of `format`.
pub(super) fn unseal_as(
    format: u8,
    key: &Secret<[u8; 32]>,
    expected: &Header<'_>,
    bytes: &[u8],
) -> Result<Secret<Vec<u8>>> {
    let mut reader = Reader::new(bytes);
    if reader.array() != MAGIC || reader.byte() != format || reader.byte() != AES_256_GCM {
        return Err(Code::VaultCorrupt.into());
    }
    let nonce = reader.array();
    let overhead = MAGIC.len().saturating_add(2).saturating_add(cipher::NONCE).saturating_add(cipher::TAG);
    let padded = bytes.len().checked_sub(overhead).ok_or(Code::VaultCorrupt)?;
    let mut buffer = Secret::new(reader.raw(padded).to_vec());
    let tag = reader.array();
    reader.end()?;
    // EXPOSE: decrypted in place; the buffer is wiped on drop.
    cipher::decrypt(key, nonce, &expected.aad(format), buffer.expose_mut(), tag)?;

    // EXPOSE: the padding is taken off; the plaintext moves into a Secret of its own.
    let mut content = Reader::new(buffer.expose());
    let length = usize::try_from(u64::from_le_bytes(content.array())).map_err(|_| Code::VaultCorrupt)?;
    let plaintext = Secret::new(content.raw(length).to_vec());
    if content.is_sound() { Ok(plaintext) } else { Err(Code::VaultCorrupt.into()) }
}

/// The 32 bytes of a key, of this format or the one before.
pub(super) fn unseal_key(format: u8, key: &Key, expected: &Header<'_>, bytes: &[u8]) -> Result<Key> {
    let opened = unseal_as(format, key, expected, bytes)?;
    // EXPOSE: moves into the Secret of the key.
    let key = opened.expose().as_slice().try_into().map_err(|_| Code::VaultCorrupt)?;
    Ok(Secret::new(key))
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))] // proptest does not build there
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HEADER: Header<'static> = Header {
        vault: [9; 16],
        record: [4; 16],
        version: 3,
        provider: "groq",
        origin: "https://api.groq.com",
        added_at: Timestamp::from_millis(1_700_000_000_000),
        kind: Kind::ProviderKey,
    };

    fn key(byte: u8) -> Secret<[u8; 32]> {
        Secret::new([byte; 32])
    }

    fn fails(key: &Secret<[u8; 32]>, header: &Header<'_>, bytes: &[u8]) {
        assert_eq!(unseal(key, header, bytes).unwrap_err().code, Code::VaultCorrupt);
    }

    proptest! {
        #[test]
        fn everything_comes_back_padded(plaintext in prop::collection::vec(any::<u8>(), 0..300), nonce: [u8; 12]) {
            let sealed = seal(&key(1), &HEADER, &plaintext, nonce).unwrap();
            prop_assert_eq!(sealed.len() % 64, 34);
            prop_assert!(unseal(&key(1), &HEADER, &sealed).unwrap().ct_eq(&plaintext));
        }

        #[test]
        fn hostile_bytes_never_panic(mut bytes: Vec<u8>) {
            fails(&key(1), &HEADER, &bytes);
            let mut framed = vec![b'T', b'G', b'V', b'T', FORMAT, AES_256_GCM];
            framed.append(&mut bytes);
            fails(&key(1), &HEADER, &framed);
        }
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_corrupt() {
        let sealed = seal(&key(1), &HEADER, b"gsk_secret", [5; 12]).unwrap();
        for bit in 0..sealed.len() * 8 {
            let mut damaged = sealed.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            fails(&key(1), &HEADER, &damaged);
        }
        for length in 0..sealed.len() {
            fails(&key(1), &HEADER, &sealed[..length]);
        }
        fails(&key(1), &HEADER, &[&sealed[..], &[0]].concat());
        fails(&key(2), &HEADER, &sealed);
    }

    #[test]
    fn every_field_of_the_header_counts() {
        let sealed = seal(&key(1), &HEADER, b"gsk_secret", [5; 12]).unwrap();
        for other in [
            Header { vault: [8; 16], ..HEADER },
            Header { record: [5; 16], ..HEADER },
            Header { version: 2, ..HEADER },
            Header { provider: "openrouter", ..HEADER },
            Header { origin: "https://api.groq.com.evil.example", ..HEADER },
            Header { added_at: Timestamp::EPOCH, ..HEADER },
            Header { kind: Kind::Blob, ..HEADER },
        ] {
            fails(&key(1), &other, &sealed);
        }
    }

    #[test]
    fn parts_of_the_header_do_not_run_into_each_other() {
        let one = Header { provider: "groq", origin: "", ..HEADER };
        let other = Header { provider: "gro", origin: "q", ..HEADER };
        assert_ne!(one.aad(FORMAT), other.aad(FORMAT));
        assert_ne!(one.aad(FORMAT), one.aad(FIRST));
    }
}
