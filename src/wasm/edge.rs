//! What a server with many callers asks: its ledger's machine, requests on a caller's behalf, routes of its own.

use js_sys::{Array, Function, JsString, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::AbortSignal;

use super::call::{self, flat};
use super::convert::{error, from_js, text_of, to_js};
use super::core::{Core, controls};
use super::tasks::at_once;
use super::zone::Intl;
use crate::admit::edge::{BudgetFigures, Caller, EdgeLedger, EdgePolicy, Errand, Rows};
use crate::admit::{self, Command, Given, Notice, Outcome, Reply, SessionLimits};
use crate::config::GatewayConfig;
use crate::error::{Allowance, Code, Error, Result};
use crate::gateway::{self, Call};
use crate::host::Ledger;
use crate::time::Timestamp;
use crate::value::Value;

/// `[day]` to count one more session in, in days since the Unix epoch; `[undefined, ms]` until there is one to be had.
/// `given_day` is the last day that has sessions, 0 if none has, `given` and `own` how many: of all, of who asks.
#[wasm_bindgen(js_name = sessionDay)]
pub fn session_day(given_day: i32, given: u32, own: u32, per_subject: u32, total: u32, now_ms: f64) -> Array {
    #[expect(clippy::cast_possible_truncation, reason = "JavaScript's dates end long before 2^53")]
    let now = Timestamp::from_millis(now_ms as i64);
    let given = Given { day: i64::from(given_day), total: given, own };
    #[expect(clippy::cast_precision_loss, reason = "days, and milliseconds of two days at most")]
    match admit::session_day(given, SessionLimits { per_subject, total }, now) {
        Ok(day) => Array::of1(&JsValue::from_f64(day as f64)),
        Err(wait) => Array::of2(&JsValue::UNDEFINED, &JsValue::from_f64(wait.as_millis() as f64)),
    }
}

/// One organisation's ledger with the limits of its callers. Synchronous: all of a decision's rows are read and written
/// within one transaction of the store. Whoever holds it is the only one who writes them.
#[wasm_bindgen]
pub struct EdgeDecider {
    config: GatewayConfig,
    ledger: EdgeLedger,
    rows: JsRows,
}

#[wasm_bindgen]
impl EdgeDecider {
    /// `read` gives a row by its name, or nothing; `write` takes a name, a row and until when something is owed to it, in
    /// milliseconds, or a name alone for a row that goes; `forget` takes how many rows to keep and the time, and gives
    /// until when something was owed to the last one that went. `tell` takes the name of an event and what it says as
    /// JSON, once its decision is taken. Throws if the configuration or the rows cannot be read.
    #[wasm_bindgen(constructor)]
    pub fn new(
        config: JsValue,
        read: Function,
        write: Function,
        forget: Function,
        tell: Function,
    ) -> Result<Self, JsValue> {
        let config = GatewayConfig::parse_for_edge(&from_js(&config)?, &Intl).map_err(|bad| error(&bad))?;
        let rows = JsRows { read, write, forget, tell, heard: Vec::new() };
        let ledger = EdgeLedger::open(&rows).map_err(|failed| error(&failed))?;
        Ok(Self { config, ledger, rows })
    }

    /// Decisions, one after the other, written once: the replies to the commands. `asked_ms` are what the clocks of those
    /// who ask showed then, NaN where that is not known. Throws if the rows could not be read or
    /// written, and then none was taken: undo what was written, and free this, which may be ahead of its rows.
    #[wasm_bindgen(js_name = decideAll)]
    pub fn decide_all(
        &mut self,
        commands: Vec<Uint8Array>,
        asked_ms: &[f64],
        now_ms: f64,
    ) -> Result<Vec<Uint8Array>, JsValue> {
        #[expect(clippy::cast_possible_truncation, reason = "JavaScript's dates end long before 2^53")]
        let at = |millis: f64| Timestamp::from_millis(millis as i64);
        let now = at(now_ms);
        let asked = asked_ms.iter().map(|millis| (!millis.is_nan()).then(|| at(*millis)));
        let commands: Vec<Vec<u8>> = commands.iter().map(Uint8Array::to_vec).collect();
        let Self { config, ledger, rows } = self;
        let asked = commands.iter().map(Vec::as_slice).zip(asked.chain(std::iter::repeat(None)));
        let replies = ledger.decide_all(asked, &EdgePolicy::of(config), &Intl, now, rows);
        let heard = std::mem::take(&mut rows.heard);
        let replies = replies.map_err(|failed| error(&failed))?;
        rows.tell(&heard, now);
        Ok(replies.iter().map(|reply| Uint8Array::from(reply.as_slice())).collect())
    }

    /// The reply to a command that only counts requests, which needs no transaction; nothing for any other, which is
    /// [`decide_all`](EdgeDecider::decide_all)'s. Throws as that does.
    pub fn count(&mut self, command: &[u8], now_ms: f64) -> Result<Option<Vec<u8>>, JsValue> {
        #[expect(clippy::cast_possible_truncation, reason = "JavaScript's dates end long before 2^53")]
        let now = Timestamp::from_millis(now_ms as i64);
        let Self { config, ledger, rows } = self;
        ledger.count(command, &EdgePolicy::of(config), &Intl, now, rows).map_err(|failed| error(&failed))
    }

    /// The reply of a ledger whose tables or rows are damaged or newer than this build, which leaves them as they are.
    pub fn unreadable() -> Vec<u8> {
        Reply::of(Err(Code::VaultCorrupt.into())).encode()
    }

    /// How many requests hold a slot.
    #[wasm_bindgen(getter, js_name = inFlight)]
    pub fn in_flight(&self) -> u32 {
        self.ledger.in_flight()
    }

    /// Erases the books and rates of a user and of tokens by their ids. Throws as [`decide_all`](EdgeDecider::decide_all) does.
    pub fn erase(&mut self, user: &str, tokens: Vec<String>, now_ms: f64) -> Result<(), JsValue> {
        #[expect(clippy::cast_possible_truncation, reason = "JavaScript's dates end long before 2^53")]
        let now = Timestamp::from_millis(now_ms as i64);
        self.ledger.erase(user, &tokens, now, &mut self.rows).map_err(|failed| error(&failed))
    }

    /// Whether requests were counted that are not written yet: [`flush`](EdgeDecider::flush) within a second.
    #[wasm_bindgen(getter)]
    pub fn unwritten(&self) -> bool {
        self.ledger.unwritten()
    }

    /// Writes what is still to be written. Throws as [`decide_all`](EdgeDecider::decide_all) does.
    pub fn flush(&mut self, now_ms: f64) -> Result<(), JsValue> {
        #[expect(clippy::cast_possible_truncation, reason = "JavaScript's dates end long before 2^53")]
        let now = Timestamp::from_millis(now_ms as i64);
        self.ledger.flush(now, &mut self.rows).map_err(|failed| error(&failed))
    }
}

struct JsRows {
    read: Function,
    write: Function,
    forget: Function,
    tell: Function,
    /// What was told of decisions that are still to be written.
    heard: Vec<Notice>,
}

impl JsRows {
    /// Whatever becomes of it: a decision does not depend on who is told.
    fn tell(&self, heard: &[Notice], now: Timestamp) {
        for notice in heard {
            let (name, event) = gateway::announced(notice, now);
            let mut json = String::new();
            event.push_json(&mut json);
            let _ = self.tell.call2(&JsValue::UNDEFINED, &name.into(), &json.into());
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "JavaScript's dates end long before 2^53")]
fn millis(at: Timestamp) -> JsValue {
    JsValue::from_f64(at.as_millis() as f64)
}

impl Rows for JsRows {
    fn read(&self, key: &str) -> Result<Option<Vec<u8>>> {
        let row = self.read.call1(&JsValue::UNDEFINED, &key.into()).map_err(|_| Code::Internal)?;
        Ok((!row.is_undefined()).then(|| Uint8Array::new(&row).to_vec()))
    }

    fn write(&mut self, key: &str, bytes: &[u8], owed_until: Timestamp) -> Result<()> {
        let row = Uint8Array::from(bytes);
        let written = self.write.call3(&JsValue::UNDEFINED, &key.into(), &row, &millis(owed_until));
        Ok(written.map(drop).map_err(|_| Code::Internal)?)
    }

    fn erase(&mut self, key: &str) -> Result<()> {
        let erased = self.write.call1(&JsValue::UNDEFINED, &key.into());
        Ok(erased.map(drop).map_err(|_| Code::Internal)?)
    }

    fn forget(&mut self, keep: usize, now: Timestamp) -> Result<Option<Timestamp>> {
        let keep = u32::try_from(keep).unwrap_or(u32::MAX);
        let owed = self.forget.call2(&JsValue::UNDEFINED, &keep.into(), &millis(now)).map_err(|_| Code::Internal)?;
        #[expect(clippy::cast_possible_truncation, reason = "JavaScript's dates end long before 2^53")]
        Ok(owed.as_f64().map(|millis| Timestamp::from_millis(millis as i64)))
    }

    fn hear(&mut self, notice: &Notice) {
        self.heard.push(notice.clone());
    }
}

/// Whether a text has no other letters than a `traceparent` and is as long as one.
fn is_trace(text: &str) -> bool {
    text.len() == 55 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-'))
}

/// `[tier, user, token]`; an empty user or token is none.
fn caller(parts: Vec<String>) -> Caller {
    let mut parts = parts.into_iter();
    let mut part = || parts.next().unwrap_or_default();
    let tier = part();
    let some = |text: String| (!text.is_empty()).then_some(text);
    Caller { user: some(part()), token: some(part()), tier }
}

#[wasm_bindgen]
impl Core {
    /// [`call`](Core::call) on behalf of a caller, `[tier, user, token]`, with its limits. Body and answer are bytes, which nobody here reads; `headers`
    /// come as one text, a
    /// line for each name and each value: a list crosses item by item. The server's own `traceparent`
    /// among the headers goes to providers; the caller's must have been replaced by then. Its settlement may follow its
    /// answer: [`follow`](Core::follow) is to be waited for then.
    #[wasm_bindgen(js_name = callFor)]
    #[expect(clippy::too_many_arguments, reason = "one crossing; an object would be several")]
    pub fn call_for(
        &self,
        by: Vec<String>,
        endpoint: String,
        body: &[u8],
        headers: &str,
        tenant: Option<String>,
        cache_flags: u32,
        ttl_ms: Option<f64>,
        namespace: Option<String>,
        signal: Option<AbortSignal>,
    ) -> Result<JsValue, JsValue> {
        let text = std::str::from_utf8(body).map_err(|_| error(&Error::invalid("body", "must be UTF-8")))?;
        // As every decoder does: a mark of the order of bytes is no part of a text.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let headers: Vec<String> = headers.split('\n').map(Into::into).collect();
        let (pairs, _) = headers.as_chunks::<2>();
        let trace = pairs.iter().find(|[name, value]| name == "traceparent" && is_trace(value));
        let trace = trace.map(|[_, value]| value.as_str().into());
        let asks =
            call::Asks { tenant, cache_flags, ttl_ms, namespace, caller: Some(caller(by).into()), trace, posts: true };
        self.take(&endpoint, text, &headers, asks, signal)
    }

    /// [`chat`](Core::chat) on behalf of a caller, `[tier, user, token]`, with its limits.
    #[wasm_bindgen(js_name = chatFor)]
    pub fn chat_for(
        &self,
        by: Vec<String>,
        body: &JsString,
        tenant: &str,
        cache_flags: u32,
        signal: Option<AbortSignal>,
    ) -> Result<JsValue, JsValue> {
        let call = Call { caller: Some(caller(by).into()), ..Call::chat(&text_of(body), tenant) };
        at_once(self.ask(call, controls(cache_flags, None, None), signal))
    }

    /// Counts a request to a route of the server's own: names and values of headers for its answer. Rejects with an
    /// error object if the caller has asked too often.
    pub fn enter(&self, by: Vec<String>, route: String) -> Result<JsValue, JsValue> {
        let (gate, host) = (self.gate.clone(), self.host.clone());
        let by = caller(by);
        at_once(async move {
            let entered = gateway::enter(&gate, &*host, &by, &route, None).await.map_err(|failed| error(&failed))?;
            Ok(headers(&entered).into())
        })
    }

    /// To be waited for after a request: gives back what was leased and is not used. Most of the time there is nothing
    /// to wait for: then it gives no promise.
    #[wasm_bindgen(js_name = keepSlices)]
    pub fn keep_slices(&self) -> Result<JsValue, JsValue> {
        let host = self.host.clone();
        at_once(async move {
            host.keep_slices().await;
            Ok(JsValue::UNDEFINED)
        })
    }

    /// To be waited for after an answer: sends the settlements that no later request has taken along. Gives no promise
    /// if there are none, or somebody waits already.
    pub fn follow(&self) -> Result<JsValue, JsValue> {
        let host = self.host.clone();
        at_once(async move {
            host.send_posted().await;
            Ok(JsValue::UNDEFINED)
        })
    }

    /// What a caller may still do: its rates and the budgets that apply to it.
    #[wasm_bindgen(js_name = limitsOf)]
    pub async fn limits_of(&self, by: Vec<String>) -> Result<JsValue, JsValue> {
        let host = self.host.clone();
        let errand = Errand { caller: caller(by), entry: None, correction: None, command: Some(Command::Status) };
        let reply = host.decide(Command::For(errand.into())).await.map_err(|failed| error(&failed))?;
        let figures = match reply.result {
            Ok(Outcome::Caller(figures)) => figures,
            Ok(_) => return Err(error(&Code::Internal.into())),
            Err(failed) => return Err(error(&failed)),
        };
        let organisation = &figures.organisation;
        let own = Value::map([
            ("of", "organisation".into()),
            ("per", "day".into()),
            ("limitNanoUsd", organisation.limit.into()),
            ("spentNanoUsd", organisation.spent.into()),
            ("reservedNanoUsd", organisation.reserved.into()),
            ("resetsAt", organisation.resets_at.into()),
        ]);
        let other = |one: &BudgetFigures| {
            Value::map([
                ("of", one.of.as_str().into()),
                ("per", one.per.as_str().into()),
                ("limitNanoUsd", one.limit.into()),
                ("spentNanoUsd", one.spent.into()),
                ("reservedNanoUsd", one.reserved.into()),
                ("resetsAt", one.resets_at.into()),
            ])
        };
        let rate = |allowance: &Allowance| {
            Value::map([
                ("limit", allowance.limit.into()),
                ("remaining", allowance.remaining.into()),
                ("resetMs", allowance.reset.into()),
            ])
        };
        Ok(to_js(&Value::map([
            ("requests", rate(&figures.requests)),
            ("tokens", figures.tokens.as_ref().map_or(Value::Null, rate)),
            ("inFlight", organisation.in_flight.into()),
            ("budgets", std::iter::once(own).chain(figures.budgets.iter().map(other)).collect()),
        ])))
    }
}

pub(super) fn headers(allowance: &Allowance) -> Array {
    let headers = allowance.headers();
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    flat(&headers)
}
