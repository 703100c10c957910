//! Bad input through the whole gateway: whatever comes in, an answer or a typed error comes out, nothing
//! panics, and no money, slot or stored thing is lost.
#![cfg(all(feature = "testing", not(target_arch = "wasm32")))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

#[path = "hostile/answers.rs"]
mod answers;
#[path = "hostile/configs.rs"]
mod configs;
#[path = "hostile/requests.rs"]
mod requests;
#[path = "hostile/stored.rs"]
mod stored;

use std::rc::Rc;

use proptest::prelude::*;
use tidegate::admit::{Command, Outcome};
use tidegate::config::GatewayConfig;
use tidegate::error::Result;
use tidegate::gateway::{Call, Gate, Reply, chat, replay};
use tidegate::host::UtcOnly;
use tidegate::money::NanoUsd;
use tidegate::secret::Secret;
use tidegate::testing::{ManualHost, Scripted};

pub(crate) const QUESTION: &str = r#"{"messages":[{"role":"user","content":"Hi"}]}"#;

/// A gate with keys, whose provider answers as `script` says.
pub(crate) struct World {
    pub(crate) host: Rc<ManualHost>,
    pub(crate) gate: Rc<Gate>,
}

impl World {
    pub(crate) fn new(script: impl FnMut() -> Scripted + 'static) -> Self {
        let raw = serde_json::from_str(r#"{"retry":{"maxRetries":1}}"#).unwrap();
        let config = GatewayConfig::parse(&raw, &UtcOnly).unwrap();
        let host = ManualHost::new(7, &config);
        let gate = Rc::new(Gate::new(config, true, [9; 32]));
        for provider in ["groq", "openrouter"] {
            gate.set_key(provider, Secret::new("a-made-up-key".into()));
        }
        let mut script = script;
        host.answer(move |_| script());
        Self { host, gate }
    }

    /// Asks, and checks that all is in order afterwards, whatever came of it.
    pub(crate) fn ask(&self, body: &str) -> Result<Reply> {
        self.call(ManualHost::call(body))
    }

    pub(crate) fn call(&self, call: Call) -> Result<Reply> {
        let asked = self.host.run(chat(&self.gate, &self.host, call));
        let result = asked.expect("the request waits for ever");
        let Ok(Outcome::Status(figures)) = self.host.ask(&Command::Status).result else { panic!("no figures") };
        assert_eq!((figures.reserved, figures.in_flight, self.gate.in_flight()), (NanoUsd::ZERO, 0, 0));
        assert!(figures.spent <= figures.limit.saturating_add(figures.overshoot), "{figures:?}");
        if let Some(record) = self.gate.records().last() {
            let replayed = self.host.run(replay(&self.gate, &self.host, record)).unwrap().unwrap();
            assert!(replayed.same, "recorded:\n{record}\nreplayed:\n{}", replayed.record);
        }
        result
    }
}

/// Text that is nearly JSON: random, or made of JSON's own pieces.
pub(crate) fn text() -> impl Strategy<Value = String> {
    let pieces = "(\\{|\\}|\\[|\\]|,|:|\"|\"(messages|role|user|content|usage|choices|error|message)\"|null|-1|1e999|0.1|true|\\\\u[dD]800|\u{0}){0,60}";
    prop_oneof![any::<String>(), pieces]
}

/// `good` with one byte changed, one piece cut out, or its end cut off; bytes no longer text are replaced.
pub(crate) fn damaged(good: &'static str) -> impl Strategy<Value = String> {
    (0..good.len(), 0..good.len(), any::<u8>(), 0..3u8).prop_map(move |(from, to, byte, how)| {
        let mut bytes = good.as_bytes().to_vec();
        match how {
            0 => bytes[from] = byte,
            1 => drop(bytes.drain(from.min(to)..from.max(to))),
            _ => bytes.truncate(from),
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}
