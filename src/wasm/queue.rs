//! The queue's machine for stores that decide inside a transaction of their own. Rows come in as the bytes that
//! describe them, and go out as plain arrays; content crosses sealed.
//!
//! A row is `[arrival, lane, rank, due, key, bytes, keeps ask, priority]`: times in milliseconds, `key` in hexadecimal
//! digits or undefined.

mod crossing;
mod sealed;
mod shown;

use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::*;
use zeroize::Zeroize;

use crossing::{failed, fill, id_of, instant, number, typed, whole};
use sealed::{ASKED, LABEL, Parts, RESULT, Sealers, parts};

use super::convert::from_js;
use super::core::{Core, configuration};
use crate::config::QueueConfig;
use crate::error::{Code, Result};
use crate::pack::Writer;
use crate::queue::{Ask, Enqueued, Item, Lease, Naming, Outcome, Room, Ticket, enqueue, shard_of};
use crate::record::hex;
use crate::secret::Secret;
use crate::vault::sealer::Sealer;

/// One store's queue.
#[wasm_bindgen]
pub struct Queue {
    config: QueueConfig,
    sealers: Sealers,
    shard: u8,
}

/// A request that was read and found good.
#[wasm_bindgen]
pub struct QueueAsk {
    ask: Ask,
    naming: Naming,
    /// The same under the master keys of before.
    earlier: Vec<Naming>,
    by: Vec<String>,
}

#[wasm_bindgen]
impl QueueAsk {
    /// What to look for among the keys of the store's rows.
    #[wasm_bindgen(getter)]
    pub fn key(&self) -> Option<String> {
        self.naming.key.map(|key| hex(&key))
    }

    /// Whose it is, where users share the store with others: whoever asks counts their open rows, once half of it is full.
    #[wasm_bindgen(getter)]
    pub fn owner(&self) -> Option<String> {
        self.naming.owner.filter(|_| !self.by.is_empty()).map(|owner| hex(&owner))
    }

    /// What else to look for: the same key as it was written before the master key was changed.
    #[wasm_bindgen(getter, js_name = earlierKeys)]
    pub fn earlier_keys(&self) -> Vec<String> {
        self.earlier.iter().filter_map(|naming| naming.key).map(|key| hex(&key)).collect()
    }
}

/// Where a request id points: `[shard, arrival]`; nothing for what is no id.
#[wasm_bindgen(js_name = queuePlace)]
pub fn queue_place(id: &str) -> Option<Array> {
    let ticket = Ticket::parse(id)?;
    Some(Array::of2(&u32::from(ticket.shard).into(), &number(ticket.arrival)))
}

/// Which of an organisation's shards takes a request: the same one for the same key of the same user.
#[wasm_bindgen(js_name = queueShard)]
pub fn queue_shard(json: &str, user: Option<String>, key: Option<String>, shards: u8) -> Result<u8, JsValue> {
    let mut draw = [0; 8];
    typed(fill(&mut draw))?;
    Ok(shard_of(json, user.as_deref(), key.as_deref(), shards, u64::from_le_bytes(draw)))
}

#[wasm_bindgen]
impl Queue {
    /// One shard of an organisation's. `masters` are master keys of 32 bytes, one after the other: the present one, then
    /// earlier ones.
    #[wasm_bindgen(constructor)]
    pub fn new(config: JsValue, mut masters: Vec<u8>, organisation: &str, shard: u8) -> Result<Self, JsValue> {
        let config = configuration(&config)?.queue;
        let (keys, rest) = masters.as_chunks::<32>();
        let whole = !keys.is_empty() && rest.is_empty();
        let sealers = keys.iter().map(|key| Sealer::of_organisation(&Secret::new(*key), organisation, LABEL));
        let sealers =
            sealers.collect::<Result<_>>().and_then(|all| if whole { Ok(all) } else { Err(Code::Internal.into()) });
        masters.zeroize();
        Ok(Self { config, sealers: Sealers::Own(typed(sealers)?), shard })
    }

    /// How many items may be open at once.
    #[wasm_bindgen(getter)]
    pub fn capacity(&self) -> u32 {
        self.config.capacity
    }

    /// How many items run at once.
    #[wasm_bindgen(getter)]
    pub fn concurrency(&self) -> u32 {
        self.config.concurrency
    }

    /// How long a run may give no sign of life, in milliseconds.
    #[wasm_bindgen(getter, js_name = leaseMs)]
    pub fn lease_ms(&self) -> f64 {
        self.config.lease.as_secs_f64() * 1_000.0
    }

    /// Reads a request of a caller of `organisation`, bound to `user` if that is given. `key` is an idempotency key
    /// from outside the body. `by` is what the caller's limits go by, as [`Core::chat_for`] takes it; nothing where
    /// there are none.
    pub fn read(
        &self,
        json: &str,
        organisation: &str,
        user: Option<String>,
        key: Option<String>,
        by: Vec<String>,
    ) -> Result<QueueAsk, JsValue> {
        typed(self.named(json, organisation, user.as_deref(), key).map(|ask| QueueAsk { by, ..ask }))
    }

    /// Takes a request in: `[id, status, row, sealed ask]`, or only the first two if `known`, the row that has its key,
    /// is the same request. Of the `open` rows `own` are of its owner.
    pub fn enqueue(
        &self,
        asked: QueueAsk,
        known: Option<Vec<u8>>,
        open: u32,
        own: u32,
        last: f64,
        now: f64,
    ) -> Result<Array, JsValue> {
        typed((|| {
            let QueueAsk { ask, mut naming, earlier, by } = asked;
            let known = known.as_deref().map(Item::decode).transpose()?;
            // What was asked before is compared under the key that it was written with.
            if let Some(own) = earlier.iter().find(|own| known.as_ref().is_some_and(|item| item.key == own.key)) {
                naming.digest = own.digest;
            }
            let (room, now) = (Room { open, own, last: whole(last) }, instant(now));
            let told = |item: &Item| {
                let id = JsValue::from(item.ticket(self.shard).to_text());
                [id, self.told(item, None, &ask.user, &ask.conversation).into()]
            };
            Ok(match enqueue(&ask, naming, known, room, &self.config, now)? {
                Enqueued::Known(item) => told(&item).into_iter().collect(),
                Enqueued::New(item) => {
                    let mut content = Writer::new();
                    content.text(ask.user.as_deref().unwrap_or(""));
                    content.text(ask.conversation.as_deref().unwrap_or("")).text(&ask.body);
                    for part in &by {
                        content.text(part);
                    }
                    let sealed = self.seal(&item, ASKED, &mut content.finish())?;
                    told(&item).into_iter().chain([self.row(&item), sealed]).collect()
                }
            })
        })())
    }

    /// Leases the first row of the order: the row as it is then, which is leased if its lane says so.
    pub fn lease(&self, row: &[u8], holder: f64, now: f64) -> Result<JsValue, JsValue> {
        self.changed(row, |item| Some(item.lease(id_of(holder), &self.config, instant(now))))
    }

    /// Whether the item may be run by who is not online.
    #[wasm_bindgen(js_name = runsOffline)]
    pub fn runs_offline(&self, row: &[u8]) -> Result<bool, JsValue> {
        typed(Item::decode(row).map(|item| item.runs_offline()))
    }

    /// Which run of a leased row it is.
    pub fn attempt(&self, row: &[u8]) -> Result<u32, JsValue> {
        typed(Item::decode(row).map(|item| item.attempts))
    }

    /// What a leased row asks: `[body, user, conversation]`, then what was given as `by` to [`Queue::read`].
    pub fn open(&self, row: &[u8], sealed: &[u8]) -> Result<Array, JsValue> {
        typed((|| {
            let item = Item::decode(row)?;
            let content = self.unseal(&item, ASKED, sealed)?;
            let Parts { user, conversation, body, by } = parts(&content)?;
            let texts = [body, user.unwrap_or_default(), conversation.unwrap_or_default()];
            Ok(texts.into_iter().chain(by).map(JsValue::from).collect())
        })())
    }

    /// Records how a run ended: `[row, sealed result]`, or nothing if its lease is not held any more. It ended with an
    /// `answer` (JSON), an `error` object, or neither: then it is given back.
    #[expect(clippy::too_many_arguments, reason = "one crossing")]
    pub fn finish(
        &self,
        row: &[u8],
        holder: f64,
        attempt: u32,
        answer: Option<String>,
        failure: JsValue,
        user: &str,
        conversation: &str,
        now: f64,
    ) -> Result<Option<Array>, JsValue> {
        let failure = if failure.is_undefined() { None } else { Some(from_js(&failure)?) };
        typed((|| {
            let item = Item::decode(row)?;
            let outcome = match (&answer, &failure) {
                (Some(_), _) => Outcome::Answered,
                (None, Some(problem)) => failed(problem),
                (None, None) => Outcome::GivenBack,
            };
            let mut draw = [0; 8];
            fill(&mut draw)?;
            let lease = Lease { holder: id_of(holder), attempt };
            let Some(next) = item.finish(lease, outcome, u64::from_le_bytes(draw), &self.config, instant(now)) else {
                return Ok(None);
            };
            let text = answer.or_else(|| {
                let mut json = String::new();
                failure?.push_json(&mut json);
                Some(json)
            });
            let sealed = match text.filter(|_| next.keeps_result()) {
                Some(text) => {
                    let mut content = Writer::new();
                    content.text(user).text(conversation).text(&text);
                    self.seal(&next, RESULT, &mut content.finish())?
                }
                None => JsValue::UNDEFINED,
            };
            Ok(Some(Array::of2(&self.row(&next), &sealed)))
        })())
    }

    /// Keeps a run alive; nothing if its lease is not held any more.
    pub fn renew(&self, row: &[u8], holder: f64, attempt: u32, now: f64) -> Result<JsValue, JsValue> {
        let lease = Lease { holder: id_of(holder), attempt };
        self.changed(row, |item| item.renew(lease, &self.config, instant(now)))
    }

    /// Puts back what was run by somebody else than `alive`; nothing if it is still run. `counts`: as a failure.
    pub fn reclaim(&self, row: &[u8], alive: Vec<f64>, counts: bool, now: f64) -> Result<JsValue, JsValue> {
        self.changed(row, |item| {
            let lives = alive.iter().any(|holder| item.is_run_by(id_of(*holder)));
            (!lives).then(|| if counts { item.reclaim(instant(now)) } else { item.give_back() })
        })
    }

    /// Takes an item back.
    pub fn cancel(&self, row: &[u8], now: f64) -> Result<JsValue, JsValue> {
        self.changed(row, |item| Some(item.cancel(instant(now))))
    }

    /// Queues a dead letter again.
    pub fn revive(&self, row: &[u8], open: u32, last: f64, now: f64) -> Result<JsValue, JsValue> {
        let room = Room { open, own: 0, last: whole(last) };
        typed((|| Ok(self.row(&Item::decode(row)?.revive(room, &self.config, instant(now))?)))())
    }

    /// The row after the clock, which had shown `seen`, was set back to `now`; nothing if that changes nothing.
    #[wasm_bindgen(js_name = setBack)]
    pub fn set_back(&self, row: &[u8], seen: f64, now: f64) -> Result<JsValue, JsValue> {
        self.changed(row, |item| item.set_back(instant(seen), instant(now)))
    }

    /// What the time has made of a row that is due; nothing: it is to be erased.
    pub fn sweep(&self, row: &[u8], now: f64) -> Result<JsValue, JsValue> {
        self.changed(row, |item| item.sweep(&self.config, instant(now)))
    }

    /// Whether a caller who came with this id, bound to `user` if that is given, may see the row.
    pub fn sees(&self, row: &[u8], id: &str, user: Option<String>) -> Result<bool, JsValue> {
        typed((|| {
            let Some(ticket) = Ticket::parse(id) else { return Ok(false) };
            let item = Item::decode(row)?;
            if ticket.shard != self.shard {
                return Ok(false);
            }
            // Whoever the user was told apart by under an earlier key is still the same.
            let Some(user) = user else { return Ok(item.is_seen_by(&ticket, None)) };
            let found = self.sealers.find(|sealer| {
                let owner = sealer.digest("user", user.as_bytes())?;
                Ok(item.is_seen_by(&ticket, Some(owner)).then_some(()))
            })?;
            Ok(found.is_some())
        })())
    }

    /// Whether a row is of this user, under any of the keys.
    pub fn owns(&self, row: &[u8], user: &str) -> Result<bool, JsValue> {
        typed((|| {
            let Some(owner) = Item::decode(row)?.owner else { return Ok(false) };
            let found = self.sealers.find(|sealer| {
                let own = sealer.digest("user", user.as_bytes())?;
                Ok((own == owner).then_some(()))
            })?;
            Ok(found.is_some())
        })())
    }

    /// By what an item's user is told apart, for whoever listens for that user alone.
    pub fn owner(&self, row: &[u8]) -> Result<Option<String>, JsValue> {
        typed(Item::decode(row).map(|item| item.owner.map(|owner| hex(&owner))))
    }

    /// The same of a user, under each of the keys.
    #[wasm_bindgen(js_name = ownersOf)]
    pub fn owners_of(&self, user: &str) -> Result<Vec<String>, JsValue> {
        typed(self.sealers.each(|sealer| sealer.digest("user", user.as_bytes()).map(|owner| hex(&owner))))
    }

    /// A row as callers are told of it, as JSON, with its content if that is given: the result, else what was asked.
    pub fn status(&self, row: &[u8], asked: Option<Vec<u8>>, result: Option<Vec<u8>>) -> Result<String, JsValue> {
        typed((|| {
            let item = Item::decode(row)?;
            Ok(match (asked, result) {
                (_, Some(sealed)) => {
                    let content = self.unseal(&item, RESULT, &sealed)?;
                    let Parts { user, conversation, body: result, .. } = parts(&content)?;
                    self.told(&item, Some(&result), &user, &conversation)
                }
                (Some(sealed), None) => {
                    let content = self.unseal(&item, ASKED, &sealed)?;
                    let Parts { user, conversation, .. } = parts(&content)?;
                    self.told(&item, None, &user, &conversation)
                }
                (None, None) => self.told(&item, None, &None, &None),
            })
        })())
    }
}

#[wasm_bindgen]
impl Core {
    /// The tab's queue, sealed with a key of the vault: `vault_locked` whenever that is.
    pub fn queue(&self) -> Queue {
        Queue { config: self.gate.config.queue.clone(), sealers: Sealers::Vault(self.keys.clone()), shard: 0 }
    }

    /// The tab's queue in memory, sealed with a key that nobody keeps.
    #[wasm_bindgen(js_name = queueInMemory)]
    pub fn queue_in_memory(&self) -> Result<Queue, JsValue> {
        let mut key = [0; 32];
        typed(fill(&mut key))?;
        let sealers = Sealers::Own(vec![typed(Sealer::of_organisation(&Secret::new(key), "", LABEL))?]);
        Ok(Queue { config: self.gate.config.queue.clone(), sealers, shard: 0 })
    }
}

impl Queue {
    fn named(&self, json: &str, organisation: &str, user: Option<&str>, key: Option<String>) -> Result<QueueAsk> {
        let mut ask = Ask::parse(json, organisation, user)?;
        if let Some(key) = key {
            ask.set_key(key)?;
        }
        let mut secret = [0; 15];
        fill(&mut secret)?;
        let mut namings = self.sealers.each(|sealer| {
            let user = ask.user.as_deref();
            let owner = user.map(|user| sealer.digest("user", user.as_bytes())).transpose()?;
            let key = ask.key.as_deref().map(|key| {
                let mut whole = Writer::new();
                whole.text(user.unwrap_or("")).text(key);
                sealer.digest("key", &whole.finish())
            });
            Ok(Naming { secret, owner, key: key.transpose()?, digest: sealer.digest("ask", &ask.identity())? })
        })?;
        let earlier = namings.split_off(1.min(namings.len()));
        let naming = namings.pop().ok_or(Code::Internal)?;
        Ok(QueueAsk { ask, naming, earlier, by: Vec::new() })
    }

    fn changed(&self, row: &[u8], change: impl FnOnce(&Item) -> Option<Item>) -> Result<JsValue, JsValue> {
        typed(Item::decode(row).map(|item| change(&item).map_or(JsValue::UNDEFINED, |next| self.row(&next))))
    }

    fn seal(&self, item: &Item, part: u64, content: &mut [u8]) -> Result<JsValue> {
        let mut nonce = [0; 12];
        fill(&mut nonce)?;
        let id = item.ticket(self.shard).to_text();
        let sealed = self.sealers.first(|sealer| sealer.seal(&id, part, content, nonce));
        content.zeroize();
        Ok(Uint8Array::from(sealed?.as_slice()).into())
    }

    fn unseal(&self, item: &Item, part: u64, sealed: &[u8]) -> Result<Secret<Vec<u8>>> {
        let id = item.ticket(self.shard).to_text();
        let opened = self.sealers.find(|sealer| Ok(sealer.unseal(&id, part, sealed).ok()))?;
        Ok(opened.ok_or(Code::VaultCorrupt)?)
    }
}
