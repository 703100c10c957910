//! Which question this is, for whom, and who may answer it, in 32 bytes.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::canonical::{Tag, map};
use super::hash::{Hash, Sip};
use crate::error::Result;
use crate::json::{Fields, Raw};
use crate::secret::Secret;

/// Changes whenever the form of what is hashed changes, so that old entries are never found again.
const SCHEMA: &str = "tidegate-fingerprint-3";

/// Top-level fields of a request that do not shape the answer. Everything else does, known or not: a
/// field too many in the fingerprint costs a hit, a field too few would answer a different question.
///
/// Not in this list, for that reason: `service_tier` (another tier may run another build of the model),
/// `store` (`true` asks for an effect at the provider), `prompt_cache_retention`.
const IGNORED: [&str; 6] = [
    "metadata",          // bookkeeping at the provider
    "prompt_cache_key",  // steers the provider's cache, that is, price and speed
    "safety_identifier", // names the end user for abuse reports
    "stream",            // an entry is a whole answer; who asked for a stream gets it replayed as one
    "stream_options",    // the framing of such a stream
    "user",              // the older name of safety_identifier
];

/// Identifies a question within its scope. Equal fingerprints get equal answers.
///
/// One that is to last is an unkeyed hash: whoever can guess a prompt can confirm the guess. It stays in memory;
/// what leaves the gate is [`Fingerprint::keyed`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub(super) [u8; 32]);

impl Fingerprint {
    /// Of no question: for requests that neither read nor write the cache.
    pub const NONE: Self = Self([0; 32]);

    /// What it begins with, as a number of the same order.
    pub(super) fn first(&self) -> u64 {
        self.0.first_chunk().map_or(0, |first| u64::from_be_bytes(*first))
    }

    /// Itself, to make a name of with a key. It is not to leave the gateway.
    #[cfg(all(feature = "edge", target_arch = "wasm32"))]
    pub(crate) const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The HMAC-SHA-256 of the fingerprint, for names of stored records, reply metadata and logs.
    #[must_use]
    pub fn keyed(&self, key: &Secret<[u8; 32]>) -> [u8; 32] {
        hmac(&self.0, key)
    }
}

/// Names the partition of one provider key, without telling the key: its HMAC-SHA-256.
#[must_use]
pub fn partition(provider_key: &Secret<String>, key: &Secret<[u8; 32]>) -> [u8; 32] {
    // EXPOSE: goes into the HMAC; only its result, which does not reveal it, leaves this function.
    hmac(provider_key.expose().as_bytes(), key)
}

fn hmac(message: &[u8], key: &Secret<[u8; 32]>) -> [u8; 32] {
    // HMAC pads a short key with zeros to its block. Done here, so that no length can be wrong.
    let mut block = Secret::new([0; 64]);
    // EXPOSE: copies the key into the padded block, which is wiped on drop; both stay in Wasm.
    for (to, from) in block.expose_mut().iter_mut().zip(key.expose()) {
        *to = *from;
    }
    // EXPOSE: keys the HMAC; only its result, which does not reveal the key, leaves this function.
    let mut mac = Hmac::<Sha256>::new(block.expose().into());
    mac.update(message);
    mac.finalize().into_bytes().into()
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprint(…)")
    }
}

/// For whom, and from whom: what makes the same body a different question.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// Whose entry it is. Answers never cross tenants.
    pub tenant: &'a str,
    /// The caller's own division of the tenant's entries; empty by default.
    pub namespace: &'a str,
    /// What the caller speaks: an entry is an answer in one dialect.
    pub dialect: &'a str,
    /// What it asks for: an answer, vectors.
    pub kind: &'a str,
    /// The model or route that the request names.
    pub requested: &'a str,
    /// Its targets.
    pub targets: &'a Targets,
}

/// What every fingerprint of a gate begins with: its targets, hashed once, or a key of its own.
#[derive(Clone)]
pub struct Targets(Hash);

impl Targets {
    /// Targets as `provider/model`, in the order of the configuration, before any is left out for reasons of the moment: an
    /// open circuit does not change the question. Fingerprints that begin with them are the same in every process.
    pub fn new<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> Self {
        let mut hash = Hash::Lasting(Sha256::new());
        hash.piece(Tag::Text, SCHEMA);
        hash.head(Tag::List, names.len()); // before them: nothing that a request says can look like one of them
        for name in names {
            hash.piece(Tag::Text, name);
        }
        Self(hash)
    }

    /// The targets of the one gate that has this key, for fingerprints that are compared with one another alone: hashed in
    /// a sixth of the time, and of use to nobody without the key.
    #[must_use]
    pub fn own(key: &Secret<[u8; 32]>) -> Self {
        // EXPOSE: half of the key goes into a hash whose results leave the gate only as HMACs of themselves.
        let mut half = [0; 2];
        for (word, bytes) in half.iter_mut().zip(key.expose().as_chunks().0) {
            *word = u64::from_le_bytes(*bytes);
        }
        Self(Hash::Own(Sip::new(half)))
    }
}

impl fmt::Debug for Targets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Targets(…)")
    }
}

/// The fingerprint of a request: its scope and the fields of its body, names and raw values in any order.
///
/// Give the body as it is sent: screened, with a fixed `max_tokens`.
///
/// # Errors
/// `invalid_request` if a name occurs twice at any level, if values nest deeper than 128 levels, or if
/// a string is no Unicode text (a lone surrogate).
pub fn fingerprint<'a>(scope: &Scope<'_>, body: impl IntoIterator<Item = (&'a str, Raw<'a>)>) -> Result<Fingerprint> {
    digest(scope, body.into_iter().filter(|(name, _)| !IGNORED.contains(name)).collect())
}

fn digest(scope: &Scope<'_>, body: Fields<'_>) -> Result<Fingerprint> {
    let mut hash = scope.targets.0.clone();
    for part in [scope.tenant, scope.namespace, scope.dialect, scope.kind, scope.requested] {
        hash.piece(Tag::Text, part);
    }
    map(&mut hash, body)?;
    Ok(Fingerprint(hash.finish()))
}
