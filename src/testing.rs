//! A host for tests: scripted replies, seeded entropy, a virtual clock. What takes hours on a real host
//! takes microseconds here, and goes the same way every time.
//!
//! ```
//! # use std::rc::Rc;
//! # use tidegate::testing::{ManualHost, completion};
//! # use tidegate::{gateway, config::GatewayConfig, secret::Secret};
//! let config = GatewayConfig::default();
//! let host = ManualHost::new(1, &config);
//! let gate = Rc::new(gateway::Gate::new(config, true, [0; 32]));
//! gate.set_key("groq", Secret::new("gsk_test".into()));
//! host.answer(|_| completion("Hello.", 10, 3));
//! let reply = host.run(gateway::chat(&gate, &host, ManualHost::call(r#"{"messages":[{"role":"user","content":"Hi"}]}"#)));
//! assert_eq!(reply.unwrap().unwrap().meta.target, "groq/openai/gpt-oss-20b");
//! ```

mod dice;
mod faults;
mod replies;
pub mod samples;
mod script;
mod streams;

pub use dice::Dice;
pub use replies::{Piece, Scripted, ScriptedChunks, Sent, completion, status, stream};
pub use script::{DIFFERS, scripted_run};

use std::cell::{Cell, RefCell};
use std::future::{Future, pending, poll_fn};
use std::pin::{Pin, pin};
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use crate::abort::{Abort, Raced, race};
use crate::admit::{Command, LedgerPolicy, LedgerState, Reply};
use crate::config::GatewayConfig;
use crate::error::{NetworkKind, Result};
use crate::gateway::{Call, Closed, Ending, Streaming};
use crate::host::{
    Chunks, Clock, Entropy, Ledger, Observer, Rest, Timer, Transport, UpstreamBody, UpstreamRequest, UpstreamResponse,
    UtcOnly, ZoneRules,
};
use crate::time::Timestamp;
use crate::value::Value;

type Script = Box<dyn FnMut(&Sent) -> Scripted>;

/// The host. Its ledger is one in memory, shared by all who hold this host, as tabs share theirs.
pub struct ManualHost {
    config: GatewayConfig,
    now: Cell<i64>,
    dice: Cell<Dice>,
    timers: RefCell<Vec<(u64, i64)>>,
    next_timer: Cell<u64>,
    script: RefCell<Script>,
    sent: RefCell<Vec<Sent>>,
    events: RefCell<Vec<(&'static str, Value)>>,
    ledger: RefCell<LedgerState>,
    zones: Box<dyn ZoneRules>,
    /// The rest of the program cannot be had.
    stranded: Cell<bool>,
    own: Weak<ManualHost>,
}

/// 2026-01-01T00:00:00Z.
pub const START: Timestamp = Timestamp::from_millis(1_767_225_600_000);

/// Real time that a run may take before it counts as stuck, in rounds of polling.
const MAX_ROUNDS: u32 = 10_000_000;

impl ManualHost {
    /// A host whose randomness follows from `seed`, whose clock stands at [`START`], and whose provider
    /// never answers until [`answer`](Self::answer) is called.
    #[must_use]
    pub fn new(seed: u64, config: &GatewayConfig) -> Rc<Self> {
        Rc::new_cyclic(|own| Self {
            own: own.clone(),
            config: config.clone(),
            now: Cell::new(START.as_millis()),
            dice: Cell::new(Dice::new(seed)),
            timers: RefCell::default(),
            next_timer: Cell::new(0),
            script: RefCell::new(Box::new(|_| Scripted::Silence)),
            sent: RefCell::default(),
            events: RefCell::default(),
            ledger: RefCell::new(LedgerState::new()),
            zones: Box::new(UtcOnly),
            stranded: Cell::new(false),
        })
    }

    /// A chat call of tenant `t` with no controls.
    #[must_use]
    pub fn call(body: &str) -> Call {
        Call::chat(body, "t")
    }

    /// What comes of each request from now on.
    pub fn answer(&self, script: impl FnMut(&Sent) -> Scripted + 'static) {
        *self.script.borrow_mut() = Box::new(script);
    }

    /// Lets the rest of the program be missing, or come.
    pub fn strand(&self, missing: bool) {
        self.stranded.set(missing);
    }

    /// Every request that was sent.
    #[must_use]
    pub fn sent(&self) -> Vec<Sent> {
        self.sent.borrow().clone()
    }

    /// Every event, by name.
    #[must_use]
    pub fn events(&self) -> Vec<(&'static str, Value)> {
        self.events.borrow().clone()
    }

    /// The ledger's answer, at the present time.
    pub fn ask(&self, command: &Command) -> Reply {
        let policy = LedgerPolicy::of(&self.config);
        self.ledger.borrow_mut().apply(command, &policy, &*self.zones, self.now())
    }

    /// Moves the clock, forwards or back. Timers that are due fire at the next run.
    pub fn set_now(&self, now: Timestamp) {
        self.now.set(now.as_millis());
    }

    /// Moves the clock forwards.
    pub fn advance(&self, span: Duration) {
        self.set_now(self.now().after(span));
    }

    /// Runs one future to its end; `None` if it waits for something that never comes.
    pub fn run<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        let mut future = pin!(future);
        let mut done = None;
        self.turn(|context| {
            if done.is_none()
                && let Poll::Ready(value) = future.as_mut().poll(context)
            {
                done = Some(value);
            }
            done.is_some()
        });
        done
    }

    /// Runs several futures side by side to their ends; `None` for those that wait for ever.
    pub fn run_all<'a, T>(&self, futures: Vec<Pin<Box<dyn Future<Output = T> + 'a>>>) -> Vec<Option<T>> {
        let mut futures: Vec<_> = futures.into_iter().map(|future| (Some(future), None)).collect();
        self.turn(|context| {
            for (future, done) in &mut futures {
                if let Some(work) = future
                    && let Poll::Ready(value) = work.as_mut().poll(context)
                {
                    *done = Some(value);
                    *future = None;
                }
            }
            futures.iter().all(|(future, _)| future.is_none())
        });
        futures.into_iter().map(|(_, done)| done).collect()
    }

    /// Polls until `poll` says that all is done, moving the clock to the next timer whenever nothing else
    /// can go on.
    fn turn(&self, mut poll: impl FnMut(&mut Context<'_>) -> bool) {
        let flag = Arc::new(Flag::default());
        let waker = Waker::from(flag.clone());
        for _ in 0..MAX_ROUNDS {
            if poll(&mut Context::from_waker(&waker)) {
                return;
            }
            if flag.0.swap(false, Ordering::Relaxed) {
                continue;
            }
            // A timer that is due and still there belongs to a future that nobody polls any more.
            let now = self.now.get();
            let next = self.timers.borrow().iter().map(|(_, due)| *due).filter(|due| *due > now).min();
            let Some(due) = next else { return };
            self.now.set(due);
        }
    }
}

#[derive(Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Takes its timer off the list when it is done or dropped.
struct Armed<'a>(&'a ManualHost, u64);

impl Drop for Armed<'_> {
    fn drop(&mut self) {
        self.0.timers.borrow_mut().retain(|(id, _)| *id != self.1);
    }
}

impl Clock for ManualHost {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now.get())
    }
}

impl ZoneRules for ManualHost {
    fn offset_at(&self, zone: &str, at: Timestamp) -> Option<i32> {
        self.zones.offset_at(zone, at)
    }
}

impl Entropy for ManualHost {
    fn fill(&self, bytes: &mut [u8]) {
        let mut dice = self.dice.get();
        for chunk in bytes.chunks_mut(8) {
            chunk.iter_mut().zip(dice.throw().to_le_bytes()).for_each(|(to, from)| *to = from);
        }
        self.dice.set(dice);
    }
}

impl Timer for ManualHost {
    async fn sleep(&self, span: Duration) {
        let due = self.now().after(span).as_millis();
        let id = self.next_timer.replace(self.next_timer.get().wrapping_add(1));
        self.timers.borrow_mut().push((id, due));
        let _armed = Armed(self, id);
        poll_fn(|_| if self.now.get() >= due { Poll::Ready(()) } else { Poll::Pending }).await;
    }
}

impl Transport for ManualHost {
    type Chunks = ScriptedChunks;

    fn in_browser(&self) -> bool {
        false
    }

    async fn send(&self, request: UpstreamRequest<'_>) -> Result<UpstreamResponse<ScriptedChunks>, NetworkKind> {
        let keyed = ["authorization", "x-api-key", "x-goog-api-key"];
        let key = request.headers.iter().find(|(name, _)| keyed.contains(&name.as_ref()));
        let betas = request.headers.iter().find(|(name, _)| name == "anthropic-beta");
        let sent = Sent {
            url: request.url,
            provider: request.provider.into(),
            // EXPOSE: a test looks at which key was sent where.
            authorization: key.map(|(_, value)| value.expose().clone()).unwrap_or_default(),
            // EXPOSE: no secret, it travels with one.
            betas: betas.map(|(_, value)| value.expose().clone()).unwrap_or_default(),
            body: request.body,
            at: self.now(),
        };
        let scripted = (self.script.borrow_mut())(&sent);
        self.sent.borrow_mut().push(sent);
        let host = self.own.upgrade().ok_or(NetworkKind::Network)?;
        match scripted {
            Scripted::Answer(after, status, headers, body) => {
                self.sleep(after).await;
                Ok(UpstreamResponse { status, headers, body: UpstreamBody::Whole(body) })
            }
            Scripted::Stream(after, status, pieces) => {
                self.sleep(after).await;
                let chunks = ScriptedChunks { host, pieces: pieces.into() };
                Ok(UpstreamResponse { status, headers: Vec::new(), body: UpstreamBody::Open(chunks) })
            }
            Scripted::Lost(after, kind) => {
                self.sleep(after).await;
                Err(kind)
            }
            Scripted::Silence => pending().await,
        }
    }
}

impl Rest for ManualHost {
    async fn rest(&self) -> bool {
        !self.stranded.get()
    }
}

/// Reads a stream to its end as an adapter does: bytes as they come, timers in between, and what came of it.
pub async fn drain(host: &ManualHost, mut streaming: Box<Streaming<ManualHost>>, abort: &Abort) -> (Vec<u8>, Closed) {
    let mut out = streaming.take_head();
    let chunks = streaming.take_chunks();
    let mut ending = Ending::End;
    if let Some(mut chunks) = chunks {
        while !streaming.is_over() {
            match race(chunks.next(), host.sleep(streaming.time_left()), abort).await {
                Raced::Done(Ok(Some(bytes))) => out.extend_from_slice(streaming.push(&bytes).0.of(&bytes)),
                Raced::Done(Ok(None)) => break,
                Raced::Done(Err(kind)) => {
                    ending = Ending::Lost(kind);
                    break;
                }
                Raced::TimedOut if streaming.time_left().is_zero() => {
                    ending = Ending::Late;
                    break;
                }
                Raced::TimedOut => {}
                Raced::Aborted => {
                    ending = Ending::Left;
                    break;
                }
            }
        }
    }
    let closed = streaming.finish(ending).await;
    out.extend(&closed.trailing);
    (out, closed)
}

impl Ledger for ManualHost {
    type Command = Command;
    type Reply = Reply;

    async fn decide(&self, command: Command) -> Result<Reply> {
        Ok(self.ask(&command))
    }
}

impl Observer for ManualHost {
    fn listens(&self) -> bool {
        true
    }

    fn notice(&self, name: &'static str, event: Value) {
        self.events.borrow_mut().push((name, event));
    }
}
