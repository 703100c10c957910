//! A gate's keys: which are at hand, which came with a request, and which one a target's books are of.

use std::rc::Rc;

use super::Gate;
use crate::admit::{is_with_key, with_key, without_key};
use crate::config::{KeySource, TargetConfig};
#[cfg(feature = "edge")]
use crate::error::Error;
use crate::gateway::told::tell;
use crate::host::{Clock, Observer};
use crate::provider::looks_real;
use crate::secret::Secret;
use crate::time::Timestamp;
use crate::value::Value;

/// A key that came with a request. It goes to its own provider and nowhere else.
#[derive(Debug)]
pub struct OwnKey {
    /// The provider whose address the request was meant for.
    pub provider: String,
    /// The key.
    pub key: Secret<String>,
    /// Which key it is.
    tag: KeyTag,
}

/// Tells a provider's keys apart in the ledger (see [`with_key`]): twelve bits, the same in every tab and isolate.
pub(super) type KeyTag = [u8; 3];

/// FNV-1a, of which twelve bits are told: no hash, however strong, tells more or less of a key in so few. The last factor
/// brings what a key ends with into them.
fn key_tag(key: &Secret<String>) -> KeyTag {
    let step = |sum: u64, byte: u8| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    // EXPOSE: summed up here; twelve bits leave this function.
    let sum = key.expose().bytes().fold(0xcbf2_9ce4_8422_2325, step).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    [60, 56, 52].map(|shift| b"abcdefghijklmnop".get((sum >> shift & 15) as usize).copied().unwrap_or(b'a'))
}

impl Gate {
    /// Uses `key` for `provider` from now on.
    pub fn set_key(&self, provider: &str, key: Secret<String>) {
        let mut state = self.state.borrow_mut();
        // Another key, another answer: what was final before is not.
        state.finals.clear();
        state.keys.retain(|(own, _)| own != provider);
        state.tags.retain(|(own, _)| own != provider);
        state.tags.push((provider.into(), key_tag(&key)));
        state.keys.push((provider.into(), key));
    }

    /// Forgets the key of one provider.
    pub fn remove_key(&self, provider: &str) {
        let mut state = self.state.borrow_mut();
        state.finals.clear();
        state.keys.retain(|(own, _)| own != provider);
    }

    /// Forgets every key (they are wiped), and says `vault_locked` to requests that would need one.
    pub fn lock(&self, locked: bool) {
        let mut state = self.state.borrow_mut();
        state.locked = locked;
        state.finals.clear();
        if locked {
            state.keys.clear();
        }
    }

    /// Whether a key for `provider` is at hand.
    #[must_use]
    pub fn has_key(&self, provider: &str) -> bool {
        self.state.borrow().keys.iter().any(|(own, _)| own == provider)
    }

    /// Whether there is a key for whoever a target's requests go to: the request's own, if it brought one, for its own
    /// provider only.
    #[must_use]
    pub fn is_keyed(&self, target: &TargetConfig, own: Option<&OwnKey>) -> bool {
        match own {
            Some(own) => own.provider == target.carrier(),
            None => self.has_key(target.carrier()),
        }
    }

    /// Whether a key of `provider` would ever be used: a target's requests go to it.
    ///
    /// # Errors
    /// `invalid_request` that names the providers that there are.
    #[cfg(feature = "edge")]
    pub fn check_carrier(&self, provider: &str) -> crate::error::Result<()> {
        let mut known: Vec<_> = self.config.targets.iter().map(TargetConfig::carrier).collect();
        if known.contains(&provider) {
            return Ok(());
        }
        known.sort_unstable();
        known.dedup();
        let problem = ["must be a provider of a configured target: ", &known.join(", ")].concat();
        Err(Error::invalid_by("provider", problem).into())
    }

    /// What becomes of a key that came with a request meant for `provider`: used, if the configuration says so;
    /// else taken off, and told if it looks real, since it should not be where it was.
    pub fn admit_key<H: Observer + Clock>(
        &self,
        host: &H,
        provider: Option<&str>,
        key: Option<&str>,
    ) -> Option<Rc<OwnKey>> {
        let key = key.filter(|key| looks_real(key))?;
        if self.config.keys == KeySource::Passthrough {
            let provider = provider?.into();
            let key = Secret::new(key.into());
            let tag = key_tag(&key);
            return Some(Rc::new(OwnKey { provider, key, tag }));
        }
        if host.listens() {
            let event = Value::map([("provider", provider.into()), ("at", host.now().into())]);
            tell(host, "key-in-request", event);
        }
        None
    }

    /// The name in the ledger of a target with the key that its requests have.
    pub(in crate::gateway) fn ledger_name(&self, target: &TargetConfig, own: Option<&OwnKey>) -> String {
        self.tag(target, own).map_or_else(
            || target.name.clone(),
            |tag| with_key(&target.name, std::str::from_utf8(&tag).unwrap_or_default()),
        )
    }

    /// Whether a name in the ledger is a target's, with the key that its requests have; with any, where none is known yet.
    #[must_use]
    pub fn is_in_ledger(&self, name: &str, target: &TargetConfig, own: Option<&OwnKey>) -> bool {
        match self.tag(target, own) {
            Some(tag) => is_with_key(name, &target.name, &tag),
            None => without_key(name) == target.name,
        }
    }

    fn tag(&self, target: &TargetConfig, own: Option<&OwnKey>) -> Option<KeyTag> {
        let state = self.state.borrow();
        own.map(|own| own.tag)
            .or_else(|| state.tags.iter().find(|(provider, _)| provider == target.carrier()).map(|(_, tag)| *tag))
    }

    /// Notes that a provider's key goes out now.
    pub(in crate::gateway) fn note_use(&self, provider: &str, now: Timestamp) {
        let used = &mut self.state.borrow_mut().used;
        match used.iter_mut().find(|(own, _)| own == provider) {
            Some((_, at)) => *at = now,
            None => used.push((provider.into(), now)),
        }
    }

    /// When each provider's key was used last, as long as this gate lives.
    #[must_use]
    pub fn used(&self) -> Vec<(String, Timestamp)> {
        self.state.borrow().used.clone()
    }

    /// When any key was used last. A use that lies ahead was before the clock was set back, nobody knows how long ago.
    #[must_use]
    pub fn last_use(&self, now: Timestamp) -> Option<Timestamp> {
        self.state.borrow().used.iter().map(|(_, at)| *at).filter(|at| *at <= now).max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_differ_in_one_letter_have_tags_of_their_own() {
        let tag = |key: &str| key_tag(&Secret::new(key.into()));
        assert_eq!(tag("gsk_a"), tag("gsk_a"));
        let mut tags: Vec<_> =
            "abcdefghijklmnop".chars().flat_map(|own| [format!("gsk_{own}b"), format!("gsk_b{own}")]).collect();
        tags.sort_unstable();
        tags.dedup();
        let mut told: Vec<_> = tags.iter().map(|key| tag(key)).collect();
        told.sort_unstable();
        told.dedup();
        assert_eq!(told.len(), tags.len());
    }
}
