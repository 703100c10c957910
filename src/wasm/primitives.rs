//! The vault's primitives by themselves, for published vectors. Only in builds for tests.
#![expect(unreachable_pub, reason = "exported to JavaScript")]

use wasm_bindgen::prelude::*;

use crate::error::Result;
use crate::vault::bare;

/// AES-256-GCM: ciphertext and tag; nothing for a key or nonce of another length.
#[wasm_bindgen(js_name = aesGcmSeal)]
#[must_use]
pub fn aes_gcm_seal(key: &[u8], nonce: &[u8], aad: &[u8], plaintext: &[u8]) -> Option<Vec<u8>> {
    taken(bare::seal(key.try_into().ok()?, nonce.try_into().ok()?, aad, plaintext))
}

/// The plaintext, or nothing.
#[wasm_bindgen(js_name = aesGcmOpen)]
#[must_use]
pub fn aes_gcm_open(key: &[u8], nonce: &[u8], aad: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    taken(bare::open(key.try_into().ok()?, nonce.try_into().ok()?, aad, sealed))
}

/// What Argon2id makes of the input of RFC 9106, section 5.3.
#[cfg(feature = "kdf")]
#[wasm_bindgen(js_name = argon2Rfc9106)]
#[must_use]
pub fn argon2_rfc_9106() -> Option<Vec<u8>> {
    // EXPOSE: a published vector, no secret.
    crate::vault::kdf::rfc_9106().ok().map(|key| key.expose().to_vec())
}

fn taken(result: Result<Vec<u8>>) -> Option<Vec<u8>> {
    result.ok()
}
