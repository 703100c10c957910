//! Provider keys that organisations entrust to a gateway of many: sealed under a master key of the operator's, each for
//! one organisation and one provider. A master key is changed while the one before it still opens.

use super::sealer::Sealer;
use crate::error::{Code, Result};
use crate::secret::Secret;

/// The label of the sealing keys.
const LABEL: &str = "provider-keys";
/// The one part of what is sealed for a provider.
const KEY: u64 = 1;

/// One organisation's.
#[derive(Debug)]
pub struct Entrusted {
    /// The first seals; the others open what was sealed before the master key was changed.
    sealers: Vec<Sealer>,
}

impl Entrusted {
    /// Under master keys of 32 bytes, the present one first.
    ///
    /// # Errors
    /// `internal` without any.
    pub fn new(masters: &[Secret<[u8; 32]>], organisation: &str) -> Result<Self> {
        let sealers: Result<Vec<_>> =
            masters.iter().map(|master| Sealer::of_organisation(master, organisation, LABEL)).collect();
        let sealers = sealers?;
        if sealers.is_empty() { Err(Code::Internal.into()) } else { Ok(Self { sealers }) }
    }

    /// Seals a provider's key under the present master key. The nonce must be random.
    pub fn seal(&self, provider: &str, key: &Secret<String>, nonce: [u8; 12]) -> Result<Vec<u8>> {
        let present = self.sealers.first().ok_or(Code::Internal)?;
        // EXPOSE: it is sealed at once; the copy that is encrypted in place is wiped on failure.
        present.seal(provider, KEY, key.expose().as_bytes(), nonce)
    }

    /// Opens what [`Entrusted::seal`] sealed, and tells whether an earlier master key was needed for it: then it is to be
    /// sealed anew.
    ///
    /// # Errors
    /// `vault_corrupt` for anything else: another organisation's, another provider's, a changed bit, a master key that
    /// is gone.
    pub fn open(&self, provider: &str, sealed: &[u8]) -> Result<(Secret<String>, bool)> {
        for (age, sealer) in self.sealers.iter().enumerate() {
            let Ok(bytes) = sealer.unseal(provider, KEY, sealed) else { continue };
            // EXPOSE: moves into a Secret of its own.
            let text = std::str::from_utf8(bytes.expose()).map_err(|_| Code::VaultCorrupt)?;
            return Ok((Secret::new(text.into()), age > 0));
        }
        Err(Code::VaultCorrupt.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entrusted(masters: &[u8], organisation: &str) -> Entrusted {
        let masters: Vec<_> = masters.iter().map(|byte| Secret::new([*byte; 32])).collect();
        Entrusted::new(&masters, organisation).unwrap()
    }

    fn sealed(masters: &[u8], organisation: &str, provider: &str) -> Vec<u8> {
        let key = Secret::new(String::from("gsk_entrusted"));
        entrusted(masters, organisation).seal(provider, &key, [7; 12]).unwrap()
    }

    #[test]
    fn a_key_opens_for_its_organisation_and_provider_alone() {
        let own = sealed(&[1], "acme", "groq");
        assert!(!own.windows(4).any(|window| window == b"gsk_"));
        let (key, stale) = entrusted(&[1], "acme").open("groq", &own).unwrap();
        assert!(key.ct_eq(b"gsk_entrusted") && !stale);
        for (masters, organisation, provider) in [(2, "acme", "groq"), (1, "acm", "groq"), (1, "acme", "openai")] {
            let failed = entrusted(&[masters], organisation).open(provider, &own).unwrap_err();
            assert_eq!(failed.code, Code::VaultCorrupt);
        }
        for index in 0..own.len() {
            let mut damaged = own.clone();
            damaged[index] ^= 1;
            assert_eq!(entrusted(&[1], "acme").open("groq", &damaged).unwrap_err().code, Code::VaultCorrupt);
        }
    }

    #[test]
    fn an_earlier_master_key_opens_and_the_present_one_seals() {
        let old = sealed(&[1], "acme", "groq");
        let both = entrusted(&[2, 1], "acme");
        let (key, stale) = both.open("groq", &old).unwrap();
        assert!(stale);
        let anew = both.seal("groq", &key, [8; 12]).unwrap();
        assert!(!both.open("groq", &anew).unwrap().1);
        assert!(entrusted(&[2], "acme").open("groq", &anew).is_ok());
        assert!(entrusted(&[2], "acme").open("groq", &old).is_err());
        assert_eq!(Entrusted::new(&[], "acme").unwrap_err().code, Code::Internal);
    }
}
