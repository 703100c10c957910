//! The main job on a simulated host: what takes minutes for people takes microseconds here.
#![cfg(all(feature = "testing", not(target_arch = "wasm32")))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

#[path = "scenarios/betas.rs"]
mod betas;
#[path = "scenarios/bills.rs"]
mod bills;
#[path = "scenarios/cache.rs"]
mod cache;
#[path = "scenarios/cuts.rs"]
mod cuts;
#[path = "scenarios/embeddings.rs"]
mod embeddings;
#[path = "scenarios/fallback.rs"]
mod fallback;
#[path = "scenarios/keys.rs"]
mod keys;
#[path = "scenarios/media.rs"]
mod media;
#[path = "scenarios/money.rs"]
mod money;
#[path = "scenarios/pace.rs"]
mod pace;
#[path = "scenarios/preamble.rs"]
mod preamble;
#[path = "scenarios/providers.rs"]
mod providers;
#[path = "scenarios/quiet.rs"]
mod quiet;
#[path = "scenarios/records.rs"]
mod records;
#[path = "scenarios/restore.rs"]
mod restore;
#[path = "scenarios/screen.rs"]
mod screen;
#[path = "scenarios/shelf.rs"]
mod shelf;
#[path = "scenarios/status.rs"]
mod status;
#[path = "scenarios/streaming.rs"]
mod streaming;
#[path = "scenarios/waits.rs"]
mod waits;

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use tidegate::config::GatewayConfig;
use tidegate::error::{Error, Result};
use tidegate::gateway::{self, Call, Gate, Reply};
use tidegate::host::UtcOnly;
use tidegate::secret::Secret;
use tidegate::testing::ManualHost;

pub(crate) const GROQ: &str = "groq/openai/gpt-oss-20b";
pub(crate) const OPENROUTER: &str = "openrouter/qwen/qwen3-coder:free";

/// A gate with keys for both providers on a host of its own.
pub(crate) struct World {
    pub(crate) host: Rc<ManualHost>,
    pub(crate) gate: Rc<Gate>,
}

impl World {
    pub(crate) fn new(config: &str) -> Self {
        let config = GatewayConfig::parse(&serde_json::from_str(config).unwrap(), &UtcOnly).unwrap();
        let host = ManualHost::new(7, &config);
        let gate = Rc::new(Gate::new(config, true, [9; 32]));
        gate.set_key("groq", Secret::new("gsk_groqs-own-key".into()));
        gate.set_key("openrouter", Secret::new("sk-or-v1-routers-own-key".into()));
        Self { host, gate }
    }

    pub(crate) fn call(&self, call: Call) -> Result<Reply> {
        self.host.run(gateway::chat(&self.gate, &self.host, call)).expect("the request waits for ever")
    }

    pub(crate) fn ask(&self, text: &str) -> Result<Reply> {
        self.call(ManualHost::call(&body(text)))
    }

    pub(crate) fn refused(&self, text: &str) -> Error {
        *self.ask(text).expect_err("it was answered")
    }

    /// Asks everything at once, as several tabs would.
    pub(crate) fn side_by_side(&self, bodies: impl IntoIterator<Item = impl AsRef<str>>) -> Vec<Result<Reply>> {
        type Asked = Pin<Box<dyn Future<Output = Result<Reply>>>>;
        let calls = bodies.into_iter().map(|body| {
            let (gate, host, call) = (self.gate.clone(), self.host.clone(), ManualHost::call(body.as_ref()));
            Box::pin(async move { gateway::chat(&gate, &host, call).await }) as Asked
        });
        let ended = self.host.run_all(calls.collect());
        ended.into_iter().map(|ended| ended.expect("a request waits for ever")).collect()
    }

    /// How many requests each provider got.
    pub(crate) fn sent_to(&self, provider: &str) -> usize {
        self.host.sent().iter().filter(|sent| sent.provider == provider).count()
    }

    pub(crate) fn events(&self, name: &str) -> usize {
        self.host.events().iter().filter(|(own, _)| *own == name).count()
    }
}

pub(crate) fn body(text: &str) -> String {
    format!(r#"{{"messages":[{{"role":"user","content":"{text}"}}]}}"#)
}
