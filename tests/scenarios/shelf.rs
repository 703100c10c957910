//! Answers that several processes share: two gates, one shelf.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;

use tidegate::cache::Fingerprint;
use tidegate::config::GatewayConfig;
use tidegate::error::{Code, Result};
use tidegate::gateway::{self, CacheState, Finding, Gate, Reply, Shelf};
use tidegate::host::UtcOnly;
use tidegate::money::NanoUsd;
use tidegate::secret::Secret;
use tidegate::testing::{ManualHost, completion, status};

use super::body;

/// What the processes share.
#[derive(Default)]
struct Shared {
    entries: RefCell<HashMap<Fingerprint, Vec<u8>>>,
    flights: RefCell<HashSet<Fingerprint>>,
    waiting: RefCell<Vec<Waker>>,
    looks: Cell<usize>,
}

impl Shared {
    fn land(&self, question: Fingerprint) {
        self.flights.borrow_mut().remove(&question);
        self.waiting.borrow_mut().drain(..).for_each(Waker::wake);
    }
}

/// One process's hold on it.
struct Handle {
    shared: Rc<Shared>,
    leads: RefCell<HashSet<Fingerprint>>,
}

impl Shelf for Handle {
    fn find(&self, question: &Fingerprint, waits: bool) -> Finding<'_> {
        let question = *question;
        let mut waited = false;
        self.shared.looks.set(self.shared.looks.get().saturating_add(1));
        Box::pin(poll_fn(move |context| {
            if let Some(entry) = self.shared.entries.borrow().get(&question) {
                return Poll::Ready(Some(entry.clone()));
            }
            if waits && self.shared.flights.borrow().contains(&question) {
                waited = true;
                self.shared.waiting.borrow_mut().push(context.waker().clone());
                return Poll::Pending;
            }
            if waits && !waited {
                self.shared.flights.borrow_mut().insert(question);
                self.leads.borrow_mut().insert(question);
            }
            Poll::Ready(None)
        }))
    }

    fn keep(&self, question: &Fingerprint, entry: &[u8], _: Duration) {
        self.shared.entries.borrow_mut().insert(*question, entry.to_vec());
        self.shared.land(*question);
    }

    fn give_up(&self, question: &Fingerprint) {
        if self.leads.borrow_mut().remove(question) {
            self.shared.land(*question);
        }
    }
}

struct Pair {
    host: Rc<ManualHost>,
    gates: [Rc<Gate>; 2],
    shared: Rc<Shared>,
}

type Asked<'a> = Pin<Box<dyn Future<Output = Result<Reply>> + 'a>>;

impl Pair {
    fn new() -> Self {
        let parse = || GatewayConfig::parse(&serde_json::from_str("{}").unwrap(), &UtcOnly).unwrap();
        let host = ManualHost::new(7, &parse());
        let shared = Rc::new(Shared::default());
        let gates = [(); 2].map(|()| {
            let gate = Rc::new(Gate::new(parse(), true, [9; 32]));
            gate.set_key("groq", Secret::new("gsk_groqs-own-key".into()));
            gate.share(Rc::new(Handle { shared: shared.clone(), leads: RefCell::default() }));
            gate
        });
        Self { host, gates, shared }
    }

    fn asking(&self, gate: usize, text: &str) -> Asked<'_> {
        let call = ManualHost::call(&body(text));
        Box::pin(gateway::chat(&self.gates[gate], &self.host, call))
    }

    fn both(&self, text: &str) -> Vec<Result<Reply>> {
        let ended = self.host.run_all(vec![self.asking(0, text), self.asking(1, text)]);
        ended.into_iter().map(|ended| ended.expect("a request waits for ever")).collect()
    }
}

#[test]
fn what_two_processes_ask_at_once_is_asked_and_billed_once() {
    let pair = Pair::new();
    pair.host.answer(|_| completion("x", 20, 5));
    let answers: Vec<_> = pair.both("a").into_iter().map(|answer| answer.unwrap().meta).collect();
    assert_eq!(pair.host.sent().len(), 1);
    let cost = |state| answers.iter().find(|meta| meta.cache == state).unwrap().cost;
    assert!(cost(CacheState::Miss) > NanoUsd::ZERO && cost(CacheState::Hit) == NanoUsd::ZERO);
    // From then on it lies in the memory of both.
    pair.both("a").into_iter().for_each(|answer| assert_eq!(answer.unwrap().meta.cache, CacheState::Hit));
    assert_eq!((pair.host.sent().len(), pair.shared.looks.get()), (1, 2));
}

#[test]
fn who_waits_for_somebody_that_fails_asks_for_himself() {
    let pair = Pair::new();
    pair.host.answer(|_| status(401, &[], ""));
    for answer in pair.both("a") {
        assert_eq!(answer.unwrap_err().code, Code::Authentication);
    }
    assert_eq!(pair.host.sent().len(), 2);
    assert!(pair.shared.flights.borrow().is_empty(), "nobody leads any more");
}

#[test]
fn who_waits_for_somebody_that_goes_away_asks_for_himself() {
    let pair = Pair::new();
    pair.host.answer(|_| completion("x", 20, 5));
    let mut leader = Some(pair.asking(0, "a"));
    let mut follower = pair.asking(1, "a");
    let answer = pair.host.run(poll_fn(|context| {
        if let Some(work) = &mut leader {
            assert!(work.as_mut().poll(context).is_pending());
        }
        let polled = follower.as_mut().poll(context);
        // Once both have begun.
        if leader.take().is_some() {
            assert!(polled.is_pending() && pair.host.sent().len() == 1);
        }
        polled
    }));
    assert_eq!(answer.expect("he waits for ever").unwrap().meta.cache, CacheState::Miss);
    assert_eq!(pair.host.sent().len(), 2);
}

#[test]
fn an_entry_that_cannot_be_read_is_a_miss() {
    let pair = Pair::new();
    pair.host.answer(|_| completion("x", 20, 5));
    pair.host.run(pair.asking(0, "a")).unwrap().unwrap();
    for entry in pair.shared.entries.borrow_mut().values_mut() {
        entry.truncate(entry.len() / 2);
    }
    assert_eq!(pair.host.run(pair.asking(1, "a")).unwrap().unwrap().meta.cache, CacheState::Miss);
    assert_eq!(pair.host.sent().len(), 2);
}
