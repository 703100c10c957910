//! From a passphrase to a slot key: Argon2id and the bounds of its parameters.

use crate::error::{Code, Result};
#[cfg(feature = "kdf")]
use crate::secret::Secret;

/// Bytes of a salt.
pub const SALT_BYTES: usize = 16;

/// Argon2id's cost. Stored with each slot, so that a later version may raise the default.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KdfParams {
    /// Memory in KiB, from 19,456 (19 MiB) to 262,144 (256 MiB).
    pub memory_kib: u32,
    /// Passes over the memory, from 2 to 10.
    pub passes: u32,
    /// Lanes, from 1 to 4. They run one after the other: a Wasm instance has one thread.
    pub lanes: u32,
}

impl Default for KdfParams {
    /// 64 MiB, three passes: RFC 9106's second recommendation with one lane, since more of them gain nothing on one
    /// thread. About 160 ms as Wasm.
    fn default() -> Self {
        Self { memory_kib: 65_536, passes: 3, lanes: 1 }
    }
}

impl KdfParams {
    /// Where the memory for the default is not to be had: OWASP's recommended minimum, about 42 ms.
    pub const LEAST: Self = Self { memory_kib: 19_456, passes: 2, lanes: 1 };

    /// Whether a slot of this cost should be given the default's when its passphrase is at hand.
    #[must_use]
    pub fn is_outdated(self) -> bool {
        let default = Self::default();
        self.memory_kib < default.memory_kib || (self.memory_kib == default.memory_kib && self.passes < default.passes)
    }

    /// The same if it is within bounds, else `vault_corrupt`.
    ///
    /// Called on what was read, before any memory is taken: whoever can write to the storage could
    /// otherwise make an unlock take gigabytes, or make a weak slot pass as a strong one.
    pub const fn checked(self) -> Result<Self, Code> {
        let memory = self.memory_kib >= 19_456 && self.memory_kib <= 262_144;
        let passes = self.passes >= 2 && self.passes <= 10;
        let lanes = self.lanes >= 1 && self.lanes <= 4;
        if memory && passes && lanes { Ok(self) } else { Err(Code::VaultCorrupt) }
    }
}

/// The slot key of a passphrase.
///
/// The passphrase is taken byte for byte; callers normalise it (NFKC) before, because keyboards differ
/// in how they compose letters.
///
/// # Errors
/// `invalid_request` for an empty passphrase or a salt that is not 16 bytes, `vault_corrupt` for
/// parameters out of bounds, `internal` if the memory is not to be had.
#[cfg(feature = "kdf")]
pub fn derive(passphrase: &[u8], salt: &[u8], params: KdfParams) -> Result<Secret<[u8; 32]>> {
    use crate::error::Error;

    if passphrase.is_empty() {
        return Err(Box::new(Error::invalid("passphrase", "must not be empty")));
    }
    if salt.len() != SALT_BYTES {
        return Err(Box::new(Error::invalid("salt", "must be 16 bytes")));
    }
    let KdfParams { memory_kib, passes, lanes } = params.checked()?;
    let params = argon2::Params::new(memory_kib, passes, lanes, Some(32)).map_err(|_| Code::VaultCorrupt)?;
    run(&argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params), passphrase, salt)
}

/// Takes the memory itself: Argon2's own allocation would abort the instance where there is too little.
#[cfg(feature = "kdf")]
fn run(argon2: &argon2::Argon2<'_>, passphrase: &[u8], salt: &[u8]) -> Result<Secret<[u8; 32]>> {
    use zeroize::Zeroize;

    let blocks = argon2.params().block_count();
    let mut memory = Vec::new();
    memory.try_reserve_exact(blocks).map_err(|_| Code::Internal)?;
    memory.resize(blocks, argon2::Block::new());
    let mut key = Secret::new([0; 32]);
    // EXPOSE: the key is written in place; nothing reads it here.
    let done = argon2.hash_password_into_with_memory(passphrase, salt, key.expose_mut(), &mut memory);
    memory.iter_mut().for_each(Zeroize::zeroize);
    done.map_err(|_| Code::Internal)?;
    Ok(key)
}

/// RFC 9106, section 5.3: m=32, t=3, p=4, with secret and associated data, which no slot has. For tests alone.
///
/// # Errors
/// None: the parameters are good.
#[cfg(all(feature = "kdf", any(test, feature = "testing")))]
pub fn rfc_9106() -> Result<Secret<[u8; 32]>> {
    let mut params = argon2::ParamsBuilder::new();
    params.m_cost(32).t_cost(3).p_cost(4).output_len(32);
    params.data(argon2::AssociatedData::new(&[4; 12]).map_err(|_| Code::Internal)?);
    let params = params.build().map_err(|_| Code::Internal)?;
    let (id, version) = (argon2::Algorithm::Argon2id, argon2::Version::V0x13);
    let argon2 = argon2::Argon2::new_with_secret(&[3; 8], id, version, params).map_err(|_| Code::Internal)?;
    run(&argon2, &[1; 32], &[2; 16])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_hold_on_both_sides() {
        let KdfParams { memory_kib, passes, lanes } = KdfParams::LEAST;
        assert!(KdfParams::LEAST.is_outdated() && !KdfParams::default().is_outdated());
        assert!(KdfParams::default().checked().is_ok());
        let ok = |memory_kib, passes, lanes| KdfParams { memory_kib, passes, lanes }.checked().is_ok();
        assert!(ok(memory_kib, passes, lanes));
        assert!(ok(262_144, 10, 4));
        for (memory_kib, passes, lanes) in [
            (19_455, 2, 1),
            (262_145, 2, 1),
            (19_456, 1, 1),
            (19_456, 11, 1),
            (19_456, 2, 0),
            (19_456, 2, 5),
            (u32::MAX, u32::MAX, u32::MAX),
        ] {
            assert!(!ok(memory_kib, passes, lanes), "{memory_kib} {passes} {lanes}");
        }
    }

    #[cfg(feature = "kdf")]
    #[test]
    fn rfc_9106_argon2id() {
        let expected = [
            0x0d, 0x64, 0x0d, 0xf5, 0x8d, 0x78, 0x76, 0x6c, 0x08, 0xc0, 0x37, 0xa3, 0x4a, 0x8b, 0x53, 0xc9, 0xd0, 0x1e,
            0xf0, 0x45, 0x2d, 0x75, 0xb6, 0x5e, 0xb5, 0x25, 0x20, 0xe9, 0x6b, 0x01, 0xe6, 0x59,
        ];
        assert!(rfc_9106().unwrap().ct_eq(&expected));
    }

    /// As the reference implementation answers (argon2-cffi, `hash_secret_raw`).
    #[cfg(feature = "kdf")]
    #[test]
    fn the_least_cost_gives_the_reference_key() {
        let key = derive(b"correct horse battery staple", b"0123456789abcdef", KdfParams::LEAST).unwrap();
        let expected = [
            0x83, 0x2e, 0x52, 0xb9, 0x59, 0xb9, 0x67, 0xb5, 0x70, 0xee, 0x47, 0x81, 0xf6, 0xc7, 0xbd, 0xa7, 0xce, 0xd0,
            0x19, 0xca, 0x26, 0x6a, 0xc7, 0x81, 0xfd, 0x2d, 0x94, 0xd4, 0xe8, 0x53, 0xb0, 0xcd,
        ];
        assert!(key.ct_eq(&expected));
    }

    #[cfg(feature = "kdf")]
    #[test]
    fn refuses_what_makes_no_key() {
        let code = |pass: &[u8], salt: &[u8], params| derive(pass, salt, params).unwrap_err().code;
        assert_eq!(code(b"", &[0; 16], KdfParams::default()), Code::InvalidRequest);
        assert_eq!(code(b"pass", &[0; 8], KdfParams::default()), Code::InvalidRequest);
        let heavy = KdfParams { memory_kib: u32::MAX, ..KdfParams::default() };
        assert_eq!(code(b"pass", &[0; 16], heavy), Code::VaultCorrupt);
    }
}
