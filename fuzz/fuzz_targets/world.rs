//! A gate on a simulated host, shared by the targets that go through the whole pipeline.

use std::rc::Rc;

use tidegate::admit::{Command, Outcome};
use tidegate::config::GatewayConfig;
use tidegate::error::Result;
use tidegate::gateway::{Gate, Reply, chat};
use tidegate::money::NanoUsd;
use tidegate::secret::Secret;
use tidegate::testing::{ManualHost, Scripted};

pub struct World {
    pub host: Rc<ManualHost>,
    pub gate: Rc<Gate>,
}

impl World {
    pub fn new(answer: Scripted) -> Self {
        let config = GatewayConfig::default();
        let host = ManualHost::new(1, &config);
        let gate = Rc::new(Gate::new(config, true, [0; 32]));
        gate.set_key("groq", Secret::new("a-made-up-key".into()));
        gate.set_key("openrouter", Secret::new("a-made-up-key".into()));
        host.answer(move |_| answer.clone());
        Self { host, gate }
    }

    /// Asks, and checks that no money and no slot is left behind.
    pub fn ask(&self, body: &str) -> Result<Reply> {
        let asked = self.host.run(chat(&self.gate, &self.host, ManualHost::call(body)));
        let Ok(Outcome::Status(figures)) = self.host.ask(&Command::Status).result else { panic!("no figures") };
        assert_eq!((figures.reserved, figures.in_flight), (NanoUsd::ZERO, 0));
        asked.expect("it waits for ever")
    }
}
