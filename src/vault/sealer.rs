//! Sealing for one part of the gateway and one holder, with its keys derived once: the queue's content, under a key of
//! the organisation in a Worker, under one of the vault in a tab.

use super::cipher::{self, Key, checksum};
use super::envelope::{self, FORMAT, Header, Kind};
use super::keyring::Unlocked;
use crate::error::Result;
use crate::secret::Secret;
use crate::time::Timestamp;

/// Seals and unseals for one label, and makes names that nobody else can make.
#[derive(Debug)]
pub struct Sealer {
    vault: [u8; 16],
    seals: Key,
    names: Key,
}

impl Sealer {
    /// Under a key that is derived from a master key, by HKDF, for one organisation and label. Different organisations
    /// have unrelated keys.
    pub fn of_organisation(master: &Secret<[u8; 32]>, organisation: &str, label: &str) -> Result<Self> {
        Self::derived(master, checksum(organisation.as_bytes()), label)
    }

    fn derived(key: &Key, vault: [u8; 16], label: &str) -> Result<Self> {
        // EXPOSE: goes into the MAC, whose state is wiped on drop.
        let derive = |purpose| cipher::derive(key.expose(), FORMAT, &vault, purpose, label.as_bytes());
        Ok(Self { vault, seals: derive("sealer")?, names: derive("sealer-names")? })
    }

    /// Seals the `part`th piece of what `id` names. The nonce must be random; one key may seal 2³² times.
    pub fn seal(&self, id: &str, part: u64, bytes: &[u8], nonce: [u8; 12]) -> Result<Vec<u8>> {
        envelope::seal(&self.seals, &self.header(id, part), bytes, nonce)
    }

    /// Opens what [`Sealer::seal`] sealed for the same id and part.
    ///
    /// # Errors
    /// `vault_corrupt` for anything else.
    pub fn unseal(&self, id: &str, part: u64, bytes: &[u8]) -> Result<Secret<Vec<u8>>> {
        envelope::unseal(&self.seals, &self.header(id, part), bytes)
    }

    /// A digest of `bytes` by which they can be found and not be guessed; `purpose` says what they are.
    pub fn digest(&self, purpose: &str, bytes: &[u8]) -> Result<[u8; 16]> {
        let length = [u8::try_from(purpose.len()).unwrap_or(u8::MAX)];
        // EXPOSE: goes into the MAC, whose state is wiped on drop.
        let whole = cipher::hmac(self.names.expose(), &[&length, purpose.as_bytes(), bytes])?;
        // EXPOSE: a MAC is public; it only travels in the type of a key.
        let [first @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = *whole.expose();
        Ok(first)
    }

    const fn header<'a>(&self, id: &'a str, part: u64) -> Header<'a> {
        let (vault, added_at) = (self.vault, Timestamp::EPOCH);
        Header { vault, record: [0; 16], version: part, provider: id, origin: "", added_at, kind: Kind::Blob }
    }
}

impl Unlocked {
    /// Under a key that is derived from the vault's.
    pub fn sealer(&self, label: &str) -> Result<Sealer> {
        Sealer::derived(&self.key, self.vault, label)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    fn sealer(master: u8, organisation: &str, label: &str) -> Sealer {
        Sealer::of_organisation(&Secret::new([master; 32]), organisation, label).unwrap()
    }

    #[test]
    fn another_organisation_master_label_id_or_part_does_not_open() {
        let own = sealer(1, "acme", "queue");
        let sealed = own.seal("rq_1", 1, b"content", [3; 12]).unwrap();
        assert!(own.unseal("rq_1", 1, &sealed).unwrap().ct_eq(b"content"));
        assert!(!sealed.windows(7).any(|window| window == b"content"));
        for (other, id, part) in [
            (sealer(1, "acme2", "queue"), "rq_1", 1),
            (sealer(2, "acme", "queue"), "rq_1", 1),
            (sealer(1, "acme", "keys"), "rq_1", 1),
            (sealer(1, "acme", "queue"), "rq_2", 1),
            (sealer(1, "acme", "queue"), "rq_1", 2),
        ] {
            assert_eq!(other.unseal(id, part, &sealed).unwrap_err().code, Code::VaultCorrupt);
        }
    }

    #[test]
    fn digests_differ_by_key_purpose_and_content() {
        let own = sealer(1, "acme", "queue");
        let all = [
            own.digest("user", b"ann").unwrap(),
            own.digest("user", b"bob").unwrap(),
            own.digest("use", b"rann").unwrap(),
            sealer(1, "other", "queue").digest("user", b"ann").unwrap(),
            sealer(2, "acme", "queue").digest("user", b"ann").unwrap(),
        ];
        for (index, one) in all.iter().enumerate() {
            assert!(!all[..index].contains(one), "{index}");
        }
        assert_eq!(own.digest("user", b"ann").unwrap(), all[0]);
    }
}
