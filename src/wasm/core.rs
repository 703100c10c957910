//! One gate, as JavaScript holds it. Every method takes `&self`: calls overlap.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use js_sys::{Array, JsString};
use wasm_bindgen::prelude::*;
use web_sys::AbortSignal;

use super::convert::{error, from_js, text_of, to_js};
use super::disk::Disk;
use super::host::JsHost;
use super::keys::Keys;
use super::tasks::at_once_or_told;
use super::waits::Listening;
use super::zone::Intl;
use crate::abort::Abort;
use crate::admit::{Command, Outcome};
use crate::cache::Controls;
use crate::config::GatewayConfig;
use crate::error::Code;
use crate::gateway::{self, Call, Gate};
use crate::host::{Clock, Entropy, Ledger};
use crate::value::Value;

/// One gate.
#[wasm_bindgen]
pub struct Core {
    pub(super) gate: Rc<Gate>,
    pub(super) host: Rc<JsHost>,
    pub(super) keys: Rc<RefCell<Keys>>,
    pub(super) disk: RefCell<Disk>,
}

/// Reads a configuration.
pub(super) fn configuration(raw: &JsValue) -> Result<GatewayConfig, JsValue> {
    GatewayConfig::parse(&from_js(raw)?, &Intl).map_err(|bad| error(&bad))
}

impl Core {
    /// Takes a chat request through the gateway: the answer's JSON, or an error object.
    pub(super) fn ask(
        &self,
        call: Call,
        controls: Controls,
        signal: Option<AbortSignal>,
    ) -> impl Future<Output = Result<JsValue, JsValue>> + use<> {
        let (gate, host) = (self.gate.clone(), self.host.clone());
        async move {
            let abort = Abort::new();
            let _listening = signal.map(|signal| Listening::to(&host.waits, signal, abort.clone()));
            match gateway::chat(&gate, &host, Call { controls, abort, ..call }).await {
                Ok(reply) => Ok(reply.to_json().into()),
                Err(failed) => Err(error(&failed)),
            }
        }
    }
}

#[wasm_bindgen]
impl Core {
    /// Opens a gate. `hooks`: `runtime`, and optionally `fetch`, `ledger`, `emit`, `join`, `debug`.
    #[wasm_bindgen(constructor)]
    pub fn new(config: JsValue, hooks: JsValue) -> Result<Self, JsValue> {
        let flag = |name: &str| js_sys::Reflect::get(&hooks, &name.into()).ok().and_then(|value| value.as_bool());
        // The Wasm that ships stops at a panic without a word: its words would be 8 KB after brotli.
        #[cfg(debug_assertions)]
        if flag("debug") != Some(false) {
            console_error_panic_hook::set_once();
        }
        let config = configuration(&config)?;
        let host = JsHost::new(config.clone(), &hooks);
        let mut seed = [0; 32];
        host.fill(&mut seed);
        let gate = Gate::new(config, flag("join") != Some(false), seed);
        Ok(Self { gate: Rc::new(gate), host: Rc::new(host), keys: Rc::default(), disk: RefCell::default() })
    }

    /// Takes one chat request through the gateway. Gives the answer's JSON with the gateway's account of it under
    /// `tidegate`: at once if nothing has to be waited for, else to `resolve` of the object that this gives. Throws an error
    /// object, or gives it to `reject`.
    pub fn chat(
        &self,
        body: &JsString,
        tenant: Option<String>,
        cache_flags: u32,
        ttl_ms: Option<f64>,
        namespace: Option<String>,
        signal: Option<AbortSignal>,
    ) -> Result<JsValue, JsValue> {
        let call = Call::chat(&text_of(body), tenant.as_deref().unwrap_or(DEFAULT_TENANT));
        at_once_or_told(self.ask(call, controls(cache_flags, ttl_ms, namespace), signal))
    }

    /// Targets, budget and cache as the public API shows them.
    pub async fn status(&self) -> Result<JsValue, JsValue> {
        let (gate, host) = (self.gate.clone(), self.host.clone());
        let reply = host.decide(Command::Status).await.map_err(|failed| error(&failed))?;
        let figures = match reply.result {
            Ok(Outcome::Status(figures)) => figures,
            Ok(_) => return Err(error(&Code::Internal.into())),
            Err(failed) => return Err(error(&failed)),
        };
        Ok(to_js(&gateway::status(&gate, &figures, host.now())))
    }

    /// Whether anybody listens to events; if not, none is built.
    pub fn listen(&self, on: bool) {
        self.host.listening.set(on);
    }

    /// The last decision records, oldest first.
    pub fn records(&self) -> Array {
        self.gate.records().iter().map(|record| JsValue::from_str(record)).collect()
    }

    /// Takes the decisions of a record again.
    pub async fn replay(&self, record: String) -> Result<JsValue, JsValue> {
        let (gate, host) = (self.gate.clone(), self.host.clone());
        let replayed = gateway::replay(&gate, &host, &record).await.map_err(|failed| error(&failed))?;
        Ok(to_js(&Value::map([("same", replayed.same.into()), ("record", replayed.record.into())])))
    }

    /// Forgets every cached answer.
    #[wasm_bindgen(js_name = clearCache)]
    pub fn clear_cache(&self) {
        self.gate.clear_cache();
    }

    /// How many answers are cached.
    pub fn cached(&self) -> u32 {
        u32::try_from(self.gate.cached()).unwrap_or(u32::MAX)
    }
}

/// Whose a request is that does not say.
pub(super) const DEFAULT_TENANT: &str = "default";

/// What a request asks of the cache: bit 0 skip reading, bit 1 skip writing, bit 2 refresh.
pub(super) fn controls(flags: u32, ttl_ms: Option<f64>, namespace: Option<String>) -> Controls {
    Controls {
        skip_read: flags & 1 != 0,
        skip_write: flags & 2 != 0,
        refresh: flags & 4 != 0,
        ttl: ttl_ms.map(span),
        namespace,
    }
}

/// Whole milliseconds of a JavaScript number, at most a day.
pub(super) fn span(millis: f64) -> Duration {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped; NaN becomes zero")]
    Duration::from_millis(millis.clamp(0.0, 86_400_000.0) as u64)
}
