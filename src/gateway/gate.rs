//! What a gate keeps between requests.

mod keys;

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use keys::KeyTag;
pub use keys::OwnKey;

use super::flight::Flight;
use super::memo::Memo;
use super::notes::Head;
use super::offers::Known;
use crate::cache::{ExactCache, Fingerprint, Targets};
use crate::chat::Dialect;
use crate::config::{GatewayConfig, TargetConfig};
use crate::detect::clean;
use crate::error::{Code, Error};
use crate::money::NanoUsd;
use crate::price::Table;
use crate::provider::{credentials, dialects};
use crate::record::{Tape, hex};
use crate::retry::RetryBudget;
use crate::secret::Secret;
use crate::text;
use crate::time::Timestamp;

/// Decision records kept for reading.
const MAX_RECORDS: usize = 64;
/// Where a kept record will show its fingerprint.
const UNSHOWN: &str = "\t-\t";
/// Final errors kept for clients that ask again although they were told not to.
const MAX_FINALS: usize = 32;
/// How long such an error answers the same question.
const FINAL_FOR: Duration = Duration::from_secs(10);

/// Headers of a request, by name.
pub(super) type Headers = Vec<(Cow<'static, str>, Secret<String>)>;

/// One gate: a configuration and what it remembers. A gate belongs to one organisation.
pub struct Gate {
    /// The configuration.
    pub config: GatewayConfig,
    pub(super) prices: Rc<Table>,
    targets: Targets,
    /// In place of them where no fingerprint leaves the memory.
    own: Targets,
    /// Whether equal requests in flight join. Not in a Worker's entry: there no future may wait on
    /// another request's future.
    pub(super) joins: bool,
    /// Keys the fingerprints that leave the cache.
    pub(super) fingerprint_key: Secret<[u8; 32]>,
    pub(super) state: RefCell<State>,
}

/// The changing part. Never borrowed across an await.
pub(super) struct State {
    pub(super) cache: ExactCache,
    pub(super) flights: Vec<(Fingerprint, Rc<Flight>)>,
    pub(super) retry: RetryBudget,
    pub(super) keys: Vec<(String, Secret<String>)>,
    /// Which key of each provider is, or was last, at hand; outlives the keys.
    tags: Vec<(String, KeyTag)>,
    /// When each provider's key was used last; outlives the keys.
    used: Vec<(String, Timestamp)>,
    pub(super) locked: bool,
    pub(super) records: VecDeque<Kept>,
    pub(super) memo: Memo,
    pub(super) finals: VecDeque<Final>,
    pub(super) in_flight: u32,
    pub(super) prices: Option<Known>,
    /// Callers who asked too often.
    #[cfg(feature = "edge")]
    pub(super) refusals: super::refused::Refusals,
    /// Where answers are shared with other processes.
    #[cfg(feature = "edge")]
    pub(super) shelf: Option<Rc<dyn super::shelf::Shelf>>,
}

/// A record: its head, unless the text begins with it, and the text.
pub(super) struct Kept {
    fingerprint: Fingerprint,
    head: Option<Head>,
    text: String,
}

/// An error after which every target had been tried.
pub(super) struct Final {
    fingerprint: Fingerprint,
    error: Error,
    at: Timestamp,
}

impl Gate {
    /// A gate with an empty cache and no keys. `seed` is fresh entropy.
    #[must_use]
    pub fn new(config: GatewayConfig, joins: bool, seed: [u8; 32]) -> Self {
        let state = State {
            cache: ExactCache::new(&config.cache),
            flights: Vec::new(),
            retry: RetryBudget::new(&config.retry),
            keys: Vec::new(),
            tags: Vec::new(),
            used: Vec::new(),
            locked: false,
            records: VecDeque::new(),
            memo: Memo::default(),
            finals: VecDeque::new(),
            in_flight: 0,
            prices: None,
            #[cfg(feature = "edge")]
            refusals: super::refused::Refusals::default(),
            #[cfg(feature = "edge")]
            shelf: None,
        };
        let targets = Targets::new(config.targets.iter().map(|target| target.name.as_str()));
        let prices = Table::builtin();
        let fingerprint_key = Secret::new(seed);
        let own = Targets::own(&fingerprint_key);
        Self { config, prices, targets, own, joins, fingerprint_key, state: RefCell::new(state) }
    }

    /// What fingerprints begin with: as long as the cache is in this memory alone, with what is quick to hash.
    pub(super) fn targets(&self) -> &Targets {
        #[cfg(feature = "edge")]
        let shared = self.state.borrow().shelf.is_some();
        #[cfg(not(feature = "edge"))]
        let shared = false;
        if self.config.cache.persist || shared { &self.targets } else { &self.own }
    }

    /// What to speak with a target for a caller of `caller`'s dialect: the same if it can. A relay is a gateway
    /// like this one and can always.
    pub(super) fn dialect(&self, target: &TargetConfig, caller: Dialect) -> Dialect {
        if target.relay.is_some() {
            return caller;
        }
        let known = dialects(&self.config, &target.provider);
        let preferred = known.first().copied().unwrap_or(Dialect::Chat);
        if known.contains(&caller) { caller } else { preferred }
    }

    /// The headers for a target, a key among them; `None` without a key.
    pub(super) fn headers(
        &self,
        target: &TargetConfig,
        dialect: Dialect,
        in_browser: bool,
        own: Option<&OwnKey>,
    ) -> Option<Headers> {
        let state = self.state.borrow();
        let key = match own {
            Some(own) => (own.provider == target.carrier()).then_some(&own.key)?,
            None => &state.keys.iter().find(|(provider, _)| provider == target.carrier())?.1,
        };
        let credentials = credentials(dialect, in_browser && target.relay.is_none());
        // EXPOSE: the header that carries the key to its own provider; the text is a Secret again at once.
        let value = Secret::new([credentials.scheme, key.expose().as_str()].concat());
        let mut headers: Headers = vec![(credentials.header.into(), value)];
        headers.extend(credentials.others.iter().map(|(name, value)| ((*name).into(), Secret::new((*value).into()))));
        Some(headers)
    }

    /// The last decision records, oldest first. A fingerprint that leaves the cache is keyed, so that nobody
    /// can try out prompts; it is keyed here, since few records are ever read.
    #[must_use]
    pub fn records(&self) -> Vec<Rc<str>> {
        let shown = |kept: &Kept| {
            let keyed = hex(kept.fingerprint.keyed(&self.fingerprint_key).get(..8).unwrap_or_default());
            match &kept.head {
                Some(head) => {
                    let mut tape = Tape::recording();
                    head.write(&mut tape, self.config.version, &keyed);
                    [tape.finish().0.as_str(), &kept.text].concat().into()
                }
                None => {
                    let (before, after) = text::split_once(&kept.text, UNSHOWN).unwrap_or((&kept.text, ""));
                    [before, "\t", &keyed, "\t", after].concat().into()
                }
            }
        };
        let told = |text: Rc<str>| clean(&text).map_or(text, Into::into);
        self.state.borrow().records.iter().map(shown).map(told).collect()
    }

    /// Answers in the cache.
    #[must_use]
    pub fn cached(&self) -> usize {
        self.state.borrow().cache.len()
    }

    /// The questions that have an answer in the cache.
    #[must_use]
    pub fn fingerprints(&self) -> Vec<Fingerprint> {
        self.state.borrow().cache.fingerprints().copied().collect()
    }

    /// One cached answer as bytes, to be sealed.
    #[must_use]
    pub fn encode_cached(&self, fingerprint: &Fingerprint) -> Option<Vec<u8>> {
        self.state.borrow().cache.encode(fingerprint)
    }

    /// Takes a cached answer back; whether it still serves.
    pub fn restore_cached(&self, bytes: &[u8], now: Timestamp) -> bool {
        self.state.borrow_mut().cache.restore(bytes, now).unwrap_or(false)
    }

    /// Forgets every cached answer.
    pub fn clear_cache(&self) {
        let mut state = self.state.borrow_mut();
        state.cache.clear();
        state.memo.clear();
    }

    /// Requests being worked on.
    #[must_use]
    pub fn in_flight(&self) -> u32 {
        self.state.borrow().in_flight
    }

    pub(super) fn keep_record(&self, fingerprint: Fingerprint, head: Option<Head>, text: String) {
        let mut state = self.state.borrow_mut();
        if state.records.len() >= MAX_RECORDS {
            state.records.pop_front();
        }
        state.records.push_back(Kept { fingerprint, head, text });
    }

    /// A final upstream error of the same question that is still to be repeated: within ten seconds, and
    /// not once its stated wait has passed. Our own refusals are never repeated but decided anew.
    pub(super) fn final_error(&self, fingerprint: &Fingerprint, now: Timestamp) -> Option<Error> {
        let mut state = self.state.borrow_mut();
        state.finals.retain(|kept| {
            let stated = kept.error.retry_after.unwrap_or(FINAL_FOR);
            now >= kept.at && now.since(kept.at) < FINAL_FOR.min(stated)
        });
        let kept = state.finals.iter().find(|kept| kept.fingerprint == *fingerprint)?;
        let passed = now.since(kept.at);
        let mut error = kept.error.clone();
        error.retry_after = error.retry_after.map(|wait| wait.saturating_sub(passed));
        Some(error)
    }

    pub(super) fn keep_final(&self, fingerprint: Fingerprint, error: &Error, now: Timestamp) {
        let mut state = self.state.borrow_mut();
        state.finals.retain(|kept| kept.fingerprint != fingerprint);
        if state.finals.len() >= MAX_FINALS {
            state.finals.pop_front();
        }
        // Whoever is told it again has asked nobody.
        let told = Error {
            cost: NanoUsd::ZERO,
            #[cfg(feature = "edge")]
            asked: None,
            ..error.clone()
        };
        state.finals.push_back(Final { fingerprint, error: told, at: now });
    }
}

/// Whether an error came from upstream, and nobody else is to be asked: such an error may be shared with those who asked
/// the same, and repeated for a while. Not a timeout, after which the next try may well be answered.
pub(super) const fn is_final_upstream(code: Code) -> bool {
    matches!(
        code,
        Code::Authentication
            | Code::ModelNotFound
            | Code::ContextLength
            | Code::Quota
            | Code::UpstreamRejected
            | Code::UpstreamLimited
            | Code::UpstreamFailed
            | Code::UpstreamMalformed
    )
}
