//! The host: `fetch`, timers, `Intl`, `crypto`, and a ledger that is either in memory or asked by bytes.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use js_sys::{Function, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::convert;
use super::fetch::{Fetcher, JsChunks};
use super::waits::{Came, Sleep, Wait, Waits};
use super::zone::Intl;
#[cfg(feature = "edge")]
use crate::admit::edge::{Due, Leases, POSTED_FOR, Posted, mark_of};
use crate::admit::{Command, LedgerPolicy, LedgerState, Reply};
use crate::config::GatewayConfig;
use crate::error::{Code, NetworkKind, Result};
use crate::host::{
    Clock, Entropy, Ledger, Observer, Rest, Timer, Transport, UpstreamRequest, UpstreamResponse, ZoneRules,
};
use crate::time::Timestamp;
use crate::value::Value;

/// Timers of JavaScript count in 32 bits, and fire at once beyond. The one place where sleeps are
/// clamped: 24 days are longer than any configured wait.
const MAX_TIMER_MS: u32 = i32::MAX as u32;

/// How much sooner than the clock a timer may fire. Most do by 1 ms, more where the clock is made coarse.
const MAX_EARLY_MS: u32 = 100;

/// How often a request that waits to send what was posted waits again: its server lets no request live for ever.
#[cfg(feature = "edge")]
const POSTED_ROUNDS: u32 = 100;

/// After how long a question is asked again whose object went away: it is there again by then.
#[cfg(feature = "edge")]
const ASKED_AGAIN: Duration = Duration::from_millis(100);

/// After how long what was posted is sent again, if it did not arrive.
#[cfg(feature = "edge")]
const POSTED_AGAIN: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(1)];

/// Where the gateway's decisions about money are taken.
enum Books {
    Memory(RefCell<LedgerState>),
    Asked(Function),
}

/// The JavaScript host of one gate.
pub(super) struct JsHost {
    config: GatewayConfig,
    books: Books,
    fetcher: Fetcher,
    pub(super) waits: Waits,
    emit: Option<Function>,
    /// Loads the rest of the program; nothing if all is here.
    rest: Option<Function>,
    pub(super) listening: Cell<bool>,
    #[cfg(feature = "edge")]
    leases: RefCell<Leases>,
    /// Until when a request waits to give slices back.
    #[cfg(feature = "edge")]
    kept_until: Cell<Timestamp>,
    /// Settlements that are to follow their answers.
    #[cfg(feature = "edge")]
    posted: RefCell<Posted>,
    /// Randomness drawn ahead: asking the runtime costs 2 µs, for 8 bytes as for 1,024, and in Node several times that.
    pool: RefCell<Pool>,
}

/// How many random bytes are drawn at once.
const POOL: usize = 4096;

/// Random bytes, each handed out once and wiped.
struct Pool {
    bytes: [u8; POOL],
    used: usize,
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = Date, js_name = now)]
    fn date_now() -> f64;
}

impl JsHost {
    pub(super) fn new(config: GatewayConfig, hooks: &JsValue) -> Self {
        let hook = |name: &str| Reflect::get(hooks, &name.into()).ok();
        let function = |name: &str| hook(name).and_then(|value| value.dyn_into::<Function>().ok());
        let books = function("ledger").map_or_else(|| Books::Memory(LedgerState::new().into()), Books::Asked);
        let runtime = hook("runtime").and_then(|runtime| runtime.as_string());
        let runs_in = |name: &str| runtime.as_deref() == Some(name);
        #[cfg(feature = "speed")]
        let waits = Waits::new(runs_in("node"));
        #[cfg(not(feature = "speed"))]
        let waits = Waits::new(false);
        let fetcher = Fetcher::new(function("fetch"), runs_in("web"));
        Self {
            config,
            books,
            fetcher,
            waits,
            emit: function("emit"),
            rest: function("rest"),
            listening: Cell::new(false),
            #[cfg(feature = "edge")]
            leases: RefCell::default(),
            #[cfg(feature = "edge")]
            kept_until: Cell::default(),
            #[cfg(feature = "edge")]
            posted: RefCell::default(),
            pool: Pool { bytes: [0; POOL], used: POOL }.into(),
        }
    }
}

impl Clock for JsHost {
    fn now(&self) -> Timestamp {
        super::tasks::now(|| {
            #[expect(clippy::cast_possible_truncation, reason = "JavaScript's dates end long before 2^53")]
            Timestamp::from_millis(date_now() as i64)
        })
    }
}

impl Entropy for JsHost {
    fn fill(&self, bytes: &mut [u8]) {
        let mut pool = self.pool.borrow_mut();
        let Pool { bytes: drawn, used } = &mut *pool;
        // Web Crypto is there wherever this runs; without it nothing of ours may go on.
        let must = |drawn: &mut [u8]| {
            if getrandom::fill(drawn).is_err() {
                wasm_bindgen::throw_str("no source of randomness");
            }
        };
        if bytes.len() > drawn.len() {
            return must(bytes);
        }
        if drawn.len().saturating_sub(*used) < bytes.len() {
            must(drawn);
            *used = 0;
        }
        for (to, from) in bytes.iter_mut().zip(drawn.iter_mut().skip(*used)) {
            *to = std::mem::take(from);
            *used = used.saturating_add(1);
        }
    }
}

impl Timer for JsHost {
    async fn sleep(&self, span: Duration) {
        let until = self.now().after(span);
        let millis = u32::try_from(span.as_millis()).unwrap_or(MAX_TIMER_MS).min(MAX_TIMER_MS);
        Sleep::new(&self.waits, millis).await;
        // Timers may fire a little before the clock says so, and who asks again then is refused: the target still cools.
        // Only a little: a clock that was set back keeps nobody waiting.
        let early = u32::try_from(until.since(self.now()).as_millis()).unwrap_or(MAX_TIMER_MS);
        if (1..=MAX_EARLY_MS).contains(&early) {
            Sleep::new(&self.waits, early.saturating_add(1)).await;
        }
    }
}

impl ZoneRules for JsHost {
    fn offset_at(&self, zone: &str, at: Timestamp) -> Option<i32> {
        Intl.offset_at(zone, at)
    }
}

impl Transport for JsHost {
    type Chunks = JsChunks;

    fn in_browser(&self) -> bool {
        self.fetcher.in_browser
    }

    async fn send(&self, request: UpstreamRequest<'_>) -> Result<UpstreamResponse<JsChunks>, NetworkKind> {
        self.fetcher.send(request, &self.waits).await
    }
}

impl Rest for JsHost {
    async fn rest(&self) -> bool {
        let Some(load) = &self.rest else { return true };
        match load.call0(&JsValue::UNDEFINED) {
            // At once, if it is here already.
            Ok(loading) if loading.is_undefined() => true,
            Ok(loading) => JsFuture::from(Promise::resolve(&loading)).await.is_ok(),
            Err(_) => false,
        }
    }
}

impl Ledger for JsHost {
    type Command = Command;
    type Reply = Reply;

    async fn decide(&self, command: Command) -> Result<Reply> {
        match &self.books {
            Books::Memory(state) => {
                let now = self.now();
                let policy = LedgerPolicy::of(&self.config);
                Ok(state.borrow_mut().apply(&command, &policy, &Intl, now))
            }
            Books::Asked(ask) => {
                #[cfg(feature = "edge")]
                if self.config.edge.leases.enabled
                    && let Some(reply) = self.leased(ask, &command).await
                {
                    return Ok(reply);
                }
                #[cfg(feature = "edge")]
                return self.asked_surely(ask, command).await;
                #[cfg(not(feature = "edge"))]
                self.asked(ask, &command).await
            }
        }
    }

    #[cfg(feature = "edge")]
    fn post(&self, report: Command) -> Result<(), Command> {
        let Books::Asked(_) = &self.books else { return Err(report) };
        if self.config.edge.leases.enabled
            && self.leases.borrow_mut().decide(&report, &self.config, &Intl, self.now()).is_some()
        {
            return Ok(());
        }
        self.posted.borrow_mut().add(report, self.now())
    }
}

#[wasm_bindgen(module = "/src/wasm/exchange.js")]
extern "C" {
    fn question(ask: &Function, bytes: &Uint8Array, done: &Function, number: u32);
}

/// What came of a question whose object went away, and may be asked again.
#[cfg(feature = "edge")]
const LOST: i32 = -3;

/// Whatever went wrong, nothing was admitted that we know of: fail closed.
fn reply_in(came: &Came) -> Result<Reply> {
    match came.status {
        -2 => return Err(Code::VaultCorrupt.into()),
        #[cfg(feature = "edge")]
        LOST => return Err(crate::error::Error::deploying().into()),
        ..0 => return Err(Code::Internal.into()),
        _ => {}
    }
    Reply::decode(&Uint8Array::new(&came.body).to_vec()).map_err(|unread| match unread.code {
        Code::VaultCorrupt => Code::Internal.into(),
        _ => unread,
    })
}

impl JsHost {
    /// Asks whoever decides elsewhere.
    async fn asked(&self, ask: &Function, command: &Command) -> Result<Reply> {
        reply_in(&self.put(ask, command).await)
    }

    /// Puts a question to whoever decides elsewhere.
    fn put(&self, ask: &Function, command: &Command) -> Wait {
        let bytes = Uint8Array::from(command.encode().as_slice());
        let wait = self.waits.place();
        question(ask, &bytes, &self.waits.done, wait.number);
        wait
    }

    /// Asks, and once more what an object that went away may have lost.
    #[cfg(feature = "edge")]
    async fn asked_surely(&self, ask: &Function, mut command: Command) -> Result<Reply> {
        let mut draw = [0; 8];
        self.fill(&mut draw);
        command.mark(mark_of(u64::from_le_bytes(draw)));
        let (reply, lost) = self.asked_with_posted(ask, command).await;
        let Some(again) = lost.and_then(|command| command.again()) else { return reply };
        self.sleep(ASKED_AGAIN).await;
        self.asked_with_posted(ask, again).await.0
    }

    /// Asks with what was posted before it: one call for both, and one write. With a failure comes the command, if the
    /// platform says that the same may be asked again.
    #[cfg(feature = "edge")]
    async fn asked_with_posted(&self, ask: &Function, command: Command) -> (Result<Reply>, Option<Command>) {
        let mut together = self.posted.borrow_mut().take();
        let command = if together.is_empty() {
            command
        } else {
            together.push(command);
            Command::Together(together)
        };
        let came = self.put(ask, &command).await;
        let reply = reply_in(&came);
        if reply.is_ok() {
            return (reply, None);
        }
        let own = match command {
            Command::Together(mut together) => {
                let own = together.pop();
                self.posted.borrow_mut().put_back(together);
                own
            }
            command => Some(command),
        };
        (reply, own.filter(|_| came.status == LOST))
    }

    /// Sends what was posted, unless the next request takes it along meanwhile or somebody waits already.
    #[cfg(feature = "edge")]
    pub(super) async fn send_posted(&self) {
        let Books::Asked(ask) = &self.books else { return };
        if !self.posted.borrow_mut().waits(self.now()) {
            return;
        }
        let mut left = POSTED_FOR;
        let mut again = POSTED_AGAIN.into_iter();
        for rounds in (0..POSTED_ROUNDS).rev() {
            self.sleep(left).await;
            let due = self.posted.borrow_mut().due(self.now(), rounds == 0);
            match due {
                Due::Nothing => return,
                Due::Later(again) => left = again,
                Due::Now(last) => {
                    if self.asked_with_posted(ask, last.clone()).await.0.is_ok() {
                        return;
                    }
                    // Its object may be restarting. What does not arrive then either goes with the next question, or is
                    // charged its bound.
                    self.posted.borrow_mut().put_back(vec![last]);
                    match again.next() {
                        Some(wait) => left = wait,
                        None => return,
                    }
                }
            }
        }
    }

    /// Decides against a slice that this isolate has, or gets now. `None`: this one is the object's to decide.
    #[cfg(feature = "edge")]
    async fn leased(&self, ask: &Function, command: &Command) -> Option<Reply> {
        let now = self.now();
        let decide = || self.leases.borrow_mut().decide(command, &self.config, &Intl, now);
        if let Some(reply) = decide() {
            return Some(reply);
        }
        let wish = self.leases.borrow_mut().wish(command, &self.config, now)?;
        self.give_back(ask, now).await;
        let reply = self.asked(ask, &wish).await.ok()?;
        if self.leases.borrow_mut().take(&wish, &reply, now) { decide() } else { None }
    }

    #[cfg(feature = "edge")]
    async fn give_back(&self, ask: &Function, now: Timestamp) {
        let back = self.leases.borrow_mut().give_back(now, false);
        for command in back {
            // If it does not arrive, all of the slice counts as spent.
            let _ = self.asked(ask, &command).await;
        }
    }

    /// Gives back what nobody used, once its window is over. At once if there is nothing, or somebody waits already, and
    /// for as long: what was leased after they began is over only after they have gone.
    #[cfg(feature = "edge")]
    pub(super) async fn keep_slices(&self) {
        let Books::Asked(ask) = &self.books else { return };
        let (now, window, kept) = (self.now(), self.config.edge.leases.window, self.kept_until.get());
        let Some(end) = self.leases.borrow().end() else { return };
        if end <= kept && now < kept && kept.since(now) <= window {
            return;
        }
        self.kept_until.set(now.after(window));
        self.sleep(window).await;
        self.give_back(ask, self.now()).await;
    }
}

impl Observer for JsHost {
    fn listens(&self) -> bool {
        self.listening.get()
    }

    fn notice(&self, name: &'static str, event: Value) {
        if let Some(emit) = &self.emit {
            // A listener that throws must not stop the request; the adapter reports it.
            let _ = emit.call2(&JsValue::UNDEFINED, &name.into(), &convert::to_js(&event));
        }
    }
}
