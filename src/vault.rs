//! The vault: provider keys that cannot be read where they are stored.
//!
//! Three layers of keys, each sealing the next with AES-256-GCM:
//!
//! ```text
//! passphrase ─Argon2id→ slot key ─wraps→ vault key ─wraps→ content key ─seals→ provider key
//! ```
//!
//! - A **slot** is one way to reach the vault key; a header has a list of them, so that a passkey or a
//!   recovery code can stand beside the passphrase without touching a record. This version writes and
//!   reads passphrase slots and leaves kinds that it does not know alone.
//! - A **content key** is made for each version of a record and used once. The limit of 2³² random
//!   nonces per AES-GCM key is therefore far away, and a new vault key re-wraps 32 bytes per record.
//! - Everything that says what a record is (vault, provider, version, endpoint origin, kind, time) is
//!   authenticated with it, length-prefixed: a record moved to another provider or vault, or bound to
//!   another origin, does not open.
//! - AES-GCM alone does not commit to its key, so each slot stores a commitment to its slot key: a wrong
//!   passphrase is told apart from damage, and no ciphertext opens under two passphrases. A checksum
//!   comes first: damage to the salt would otherwise look like a wrong passphrase.
//!
//! **What it protects:** the stored bytes — a copied profile, a backup, a leaked export — up to the
//! strength of the passphrase. **What it cannot:** anything while it is unlocked. Code that runs in the
//! page, an extension with access to it, or whoever serves the page can use the key, and can ask for the
//! passphrase. Plaintexts are wiped when dropped, but a compiler may have left copies on the stack, and
//! the memory of a Wasm instance is readable by the page that made it. A record put back to an older
//! version of itself is not noticed. Use a provider key with a spending limit.
//!
//! Nothing here stores, waits or draws random numbers: bytes come in, bytes go out, entropy is an
//! argument. Argon2id runs in a Wasm instance of its own (feature `kdf`), so the gateway knows only its
//! parameters.

#[cfg(feature = "gateway")]
mod cipher;
#[cfg(feature = "edge")]
pub mod entrusted;
#[cfg(feature = "gateway")]
pub mod envelope;
#[cfg(feature = "gateway")]
pub mod format;
#[cfg(feature = "gateway")]
mod frame;
pub mod kdf;
#[cfg(feature = "gateway")]
pub mod keyring;
#[cfg(feature = "gateway")]
pub mod records;
#[cfg(feature = "edge")]
pub mod sealer;

/// Fills a buffer with random bytes fit for keys and nonces (`crypto.getRandomValues`).
pub type Entropy<'a> = dyn FnMut(&mut [u8]) + 'a;
