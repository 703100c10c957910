//! Argon2id, alone in a Wasm that is thrown away after use.

use wasm_bindgen::prelude::*;

use crate::vault::kdf;

/// Derives a slot key from a passphrase. Throws the error's code as text.
#[wasm_bindgen]
#[expect(unreachable_pub, reason = "exported to JavaScript")]
pub fn derive(
    mut passphrase: Vec<u8>,
    salt: &[u8],
    memory_kib: u32,
    passes: u32,
    lanes: u32,
) -> Result<Vec<u8>, JsValue> {
    let derived = kdf::derive(&passphrase, salt, kdf::KdfParams { memory_kib, passes, lanes });
    zeroize::Zeroize::zeroize(&mut passphrase);
    match derived {
        // EXPOSE: goes to the gateway's Wasm by way of one JS array that the adapter wipes.
        Ok(key) => Ok(key.expose().to_vec()),
        Err(error) => Err(JsValue::from_str(error.code.as_str())),
    }
}
