//! The vault: provider keys that cannot be read where they are stored.
//!
//! Three layers of keys, each sealing the next with AES-256-GCM:
//!
//! ```text
//! slot: passphrase ─Argon2id┐
//!       passkey ────────────┤
//!       device key ─────────┼→ secret ─HKDF→ slot key ─wraps→ vault key ─wraps→ content key ─seals→ provider key
//!       recovery code ──────┘
//! ```
//!
//! - A **slot** is one way to reach the vault key; a header has a list of them. Adding, removing and replacing one
//!   touches no record. Kinds of a later version are left alone.
//! - A **content key** is made for each version of a record and used once, and each record has its own wrapping key. The
//!   limit of 2³² random nonces per AES-GCM key is therefore far away, and a new vault key re-wraps 32 bytes per record.
//! - Everything that says what a record is (vault, record, version, provider, endpoint origin, kind, time) is
//!   authenticated with it, length-prefixed: a record moved to another provider or vault, or bound to
//!   another origin, does not open. The header's MAC covers slots and an index of the latest versions: an older record
//!   that is put back is noticed.
//! - AES-GCM alone does not commit to its key, so each slot stores a commitment to its slot key: a wrong
//!   passphrase is told apart from damage, and no ciphertext opens under two passphrases. A checksum
//!   comes first: damage to the salt would otherwise look like a wrong passphrase.
//!
//! **What it protects:** the stored bytes — a copied profile, a backup, a leaked export — up to the
//! strength of the passphrase; of a device slot only what is copied without the browser's own key store. **What it cannot:** anything while it is unlocked. Code that runs in the
//! page, an extension with access to it, or whoever serves the page can use the key, and can ask for the
//! passphrase. Plaintexts are wiped when dropped, but a compiler may have left copies on the stack, and
//! the memory of a Wasm instance is readable by the page that made it. The whole storage put back to an older
//! state is not noticed. Use a provider key with a spending limit.
//!
//! Nothing here stores, waits or draws random numbers: bytes come in, bytes go out, entropy is an
//! argument. Argon2id runs in a Wasm instance of its own (feature `kdf`), so the gateway knows only its
//! parameters.

#[cfg(feature = "gateway")]
pub mod autolock;
#[cfg(feature = "gateway")]
mod cipher;
#[cfg(feature = "edge")]
pub mod entrusted;
#[cfg(feature = "testing")]
pub use cipher::bare;
#[cfg(feature = "gateway")]
pub mod envelope;
#[cfg(feature = "gateway")]
pub mod export;
#[cfg(feature = "gateway")]
pub mod first;
#[cfg(feature = "gateway")]
pub mod format;
#[cfg(feature = "gateway")]
mod frame;
#[cfg(feature = "gateway")]
pub mod fresh;
pub mod kdf;
#[cfg(feature = "gateway")]
pub mod keyring;
#[cfg(feature = "gateway")]
pub mod records;
#[cfg(feature = "gateway")]
pub mod recovery;
#[cfg(feature = "edge")]
pub mod sealer;
#[cfg(feature = "gateway")]
pub mod slot;
#[cfg(feature = "gateway")]
pub mod throttle;

/// Fills a buffer with random bytes fit for keys and nonces (`crypto.getRandomValues`).
pub type Entropy<'a> = dyn FnMut(&mut [u8]) + 'a;
