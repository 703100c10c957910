//! Leased slices under a seeded simulation: thousands of isolates that are stopped, forget, come late and have clocks of
//! their own, against one object. The cap is never passed, and what the leases cost is measured:
//! `TIDEGATE_LEASES_MS=4000 cargo test --release --all-features --test leases -- --nocapture figures` prints the table of
//! DESIGN.md.

#![cfg(test)]
#![cfg(all(feature = "edge", feature = "testing", not(target_arch = "wasm32")))]
#![expect(clippy::arithmetic_side_effects, reason = "a test that overflows fails, as it should")]
#![expect(clippy::print_stdout, reason = "the table is for reading")]

use std::time::Duration;

use tidegate::admit::edge::{Caller, EdgeLedger, EdgePolicy, Entry, Errand, Leases, MemoryRows};
use tidegate::admit::{Charge, Command, Outcome, Reply};
use tidegate::config::{GatewayConfig, RateConfig, TierConfig};
use tidegate::error::BreakerOutcome;
use tidegate::host::UtcOnly;
use tidegate::money::NanoUsd;
use tidegate::time::Timestamp;

/// 2026-11-21, noon.
const NOON: i64 = (20_778 * 24 + 12) * 3_600_000;
const CENT: u64 = 10_000_000;
/// What one request may cost, and what it does cost.
const BOUND: u64 = CENT;
const COST: u64 = CENT / 4;

/// SplitMix64: a seed gives the same run everywhere.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (word ^ (word >> 31)) % end
    }
}

/// One isolate: its slices, the requests that run in it, and how far its clock is off.
#[derive(Default)]
struct Isolate {
    leases: Leases,
    running: Vec<(i64, u64)>,
    skew: i64,
}

#[derive(Clone, Copy)]
struct Load {
    isolates: u64,
    /// Requests each millisecond, of all isolates.
    each_ms: u64,
    /// Of ten thousand requests, after how many its isolate is stopped.
    crashes: u64,
    /// Cap of the day, in requests at their bound.
    cap: u64,
    share: u32,
    window: Duration,
    enabled: bool,
}

#[derive(Default, Debug)]
struct Figures {
    asked: u64,
    admitted: u64,
    /// Calls of the object.
    calls: u64,
    spent: u64,
}

struct World {
    config: GatewayConfig,
    object: EdgeLedger,
    rows: MemoryRows,
    dice: Dice,
    now: i64,
    figures: Figures,
    /// What providers were really asked to do, by bounds while they run and by bills after.
    owed: u64,
    billed: u64,
}

impl World {
    fn new(load: Load, seed: u64) -> Self {
        let mut config = GatewayConfig::default();
        config.budget.limit = NanoUsd::new(load.cap * BOUND);
        config.limits.max_concurrent = u32::MAX;
        let rate = RateConfig { per_minute: 1_000_000_000, burst: 1_000_000_000 };
        config.edge.tiers = vec![TierConfig { name: "big".into(), requests: rate, tokens: None }];
        config.edge.routes.iter_mut().for_each(|route| route.rate = rate);
        config.edge.leases.enabled = load.enabled;
        config.edge.leases.share = load.share;
        config.edge.leases.window = load.window;
        let rows = MemoryRows::default();
        let object = EdgeLedger::open(&rows).unwrap();
        let (dice, figures) = (Dice(seed), Figures::default());
        Self { config, object, rows, dice, now: NOON, figures, owed: 0, billed: 0 }
    }

    fn ask(&mut self, command: &Command) -> Reply {
        self.figures.calls += 1;
        let (policy, now) = (EdgePolicy::of(&self.config), Timestamp::from_millis(self.now));
        self.object.apply(command, &policy, &UtcOnly, now, &mut self.rows).unwrap()
    }

    /// As `JsHost` does it.
    fn decide(&mut self, isolate: &mut Isolate, command: &Command) -> Reply {
        let at = Timestamp::from_millis(self.now + isolate.skew);
        if self.config.edge.leases.enabled {
            if let Some(reply) = isolate.leases.decide(command, &self.config, &UtcOnly, at) {
                return reply;
            }
            for back in isolate.leases.give_back(at, false) {
                self.ask(&back);
            }
            if let Some(wish) = isolate.leases.wish(command, &self.config, at) {
                let reply = self.ask(&wish);
                if isolate.leases.take(&wish, &reply, at)
                    && let Some(reply) = isolate.leases.decide(command, &self.config, &UtcOnly, at)
                {
                    return reply;
                }
            }
        }
        self.ask(command)
    }

    fn request(&mut self, isolate: &mut Isolate) {
        self.figures.asked += 1;
        let lease_until = Timestamp::from_millis(self.now + isolate.skew + 180_000);
        let (tenant, target) = ("me".into(), "groq/m".into());
        let admit = Command::Admit { tenant, target, bound: NanoUsd::new(BOUND), lease_until, slot: None };
        let caller = Caller { user: None, token: Some("hot".into()), tier: "big".into() };
        let entry = Some(Entry { route: "chat".into(), tokens: Some(10) });
        let errand = Errand { caller, entry, correction: None, command: Some(admit) };
        let reply = self.decide(isolate, &Command::For(errand.into()));
        if let Ok(Outcome::Admitted { reservation, .. }) = reply.result {
            self.figures.admitted += 1;
            self.owed += BOUND;
            let takes = 200 + i64::try_from(self.dice.below(3_000)).unwrap();
            isolate.running.push((self.now + takes, reservation));
        }
    }

    fn settle(&mut self, isolate: &mut Isolate, all: bool) {
        let now = self.now;
        let (over, running) = std::mem::take(&mut isolate.running).into_iter().partition(|(at, _)| all || *at <= now);
        isolate.running = running;
        let over: Vec<(i64, u64)> = over;
        for (_, reservation) in over {
            self.owed -= BOUND;
            self.billed += COST;
            let (charge, outcome) = (Charge::Actual(NanoUsd::new(COST)), BreakerOutcome::Success);
            let settle = Command::Settle { reservation, charge, outcome, cool_until: None, end_slot: true };
            self.decide(isolate, &settle);
        }
    }

    /// Spent plus reserved, by the object. It never passes the cap, and it never says less than what is owed.
    fn check(&mut self) {
        let reply = self.ask(&Command::Status);
        self.figures.calls -= 1;
        let Ok(Outcome::Status(figures)) = reply.result else { panic!("no figures") };
        let counted = figures.spent.as_nano() + figures.reserved.as_nano();
        assert!(counted <= figures.limit.as_nano(), "the cap is passed: {counted}");
        assert!(self.billed + self.owed <= counted, "{} and {} are owed, {counted} counted", self.billed, self.owed);
        assert_eq!(figures.overshoot, NanoUsd::ZERO);
        self.figures.spent = figures.spent.as_nano() + figures.reserved.as_nano();
    }
}

/// Runs for so long. Half of the requests go to one isolate of fifty.
fn run(load: Load, seed: u64, millis: i64) -> Figures {
    let mut world = World::new(load, seed);
    let mut isolates: Vec<Isolate> = (0..load.isolates).map(|_| Isolate::default()).collect();
    for isolate in &mut isolates {
        isolate.skew = i64::try_from(world.dice.below(20_000)).unwrap() - 10_000;
    }
    let hot = (load.isolates / 50).max(1);
    for tick in 0..millis {
        world.now += 1;
        for _ in 0..load.each_ms {
            let one = if world.dice.below(2) == 0 { world.dice.below(hot) } else { world.dice.below(load.isolates) };
            let index = usize::try_from(one).unwrap();
            let mut isolate = std::mem::take(&mut isolates[index]);
            world.settle(&mut isolate, false);
            world.request(&mut isolate);
            if world.dice.below(10_000) < load.crashes {
                // Stopped: what ran may be billed at its bound, and nobody tells.
                world.billed += BOUND * u64::try_from(isolate.running.len()).unwrap();
                world.owed -= BOUND * u64::try_from(isolate.running.len()).unwrap();
                isolate = Isolate::default();
            }
            if world.dice.below(20_000) == 0 {
                // A laptop's lid, a clock that is set right.
                isolate.skew += i64::try_from(world.dice.below(7_200_000)).unwrap() - 3_600_000;
            }
            isolates[index] = isolate;
        }
        if tick % 50 == 0 {
            world.check();
        }
        // Requests end also where no new ones come. The one that leased a slice waits for its end, and gives it back.
        if tick % 100 == 0 {
            for isolate in &mut isolates {
                world.settle(isolate, false);
                let at = Timestamp::from_millis(world.now + isolate.skew);
                for back in isolate.leases.give_back(at, false) {
                    world.ask(&back);
                }
            }
        }
    }
    // Everything ends and is given back, or runs out.
    for isolate in &mut isolates {
        world.settle(isolate, true);
        let at = Timestamp::from_millis(world.now + isolate.skew);
        for back in isolate.leases.give_back(at, true) {
            world.ask(&back);
        }
    }
    world.now += 400_000;
    world.check();
    world.now += 400_000;
    world.check();
    world.figures
}

const LOAD: Load = Load {
    isolates: 1_000,
    each_ms: 2,
    crashes: 10,
    cap: 20_000,
    share: 64,
    window: Duration::from_secs(2),
    enabled: true,
};

#[test]
fn the_cap_holds_whatever_isolates_and_clocks_do() {
    for seed in 0..2 {
        for crashes in [0, 200] {
            let small = Load { isolates: 150, crashes, cap: 1_000 + 400 * seed, share: 8 << seed, ..LOAD };
            let figures = run(small, seed, 800);
            assert!(figures.admitted > 100, "{figures:?}");
        }
    }
}

#[test]
fn the_seed_decides_everything() {
    let small = Load { isolates: 50, cap: 500, ..LOAD };
    assert_eq!(format!("{:?}", run(small, 7, 500)), format!("{:?}", run(small, 7, 500)));
}

/// How long the table's loads go on: half a second in the test, as long as `TIDEGATE_LEASES_MS` says for DESIGN.md.
fn millis() -> i64 {
    std::env::var("TIDEGATE_LEASES_MS").ok().and_then(|given| given.parse().ok()).unwrap_or(500)
}

/// Printed for DESIGN.md: calls of the object for a request, what of the cap was counted and not used, and, where the cap
/// ends before the requests do, how many of those that fit are let in.
#[test]
fn figures() {
    let millis = millis();
    let line = |name: &str, load: Load| {
        let figures = run(load, 1, millis);
        let calls = figures.calls * 100 / figures.asked.max(1);
        let lost = figures.spent.saturating_sub(figures.admitted * COST) / BOUND * 1_000 / load.cap;
        println!(
            "{name:24} admitted {:6} of {:6}, calls/request {}.{:02}, counted without use {}.{} % of the cap",
            figures.admitted,
            figures.asked,
            calls / 100,
            calls % 100,
            lost / 10,
            lost % 10
        );
        figures
    };
    let exact = line("exact", Load { enabled: false, ..LOAD });
    for share in [4, 16, 64, 256] {
        let leased = line(&format!("share 1/{share}"), Load { share, ..LOAD });
        assert_eq!(leased.admitted, exact.admitted, "far from the cap nobody is kept out");
        assert!(leased.calls < exact.calls * 2 / 3, "{leased:?}");
    }
    for window in [500, 2_000, 5_000] {
        line(&format!("window {window} ms"), Load { window: Duration::from_millis(window), ..LOAD });
    }
    for crashes in [0, 10, 100] {
        line(&format!("crashes {crashes}/10000"), Load { crashes, ..LOAD });
    }
    line("3,000 isolates", Load { isolates: 3_000, ..LOAD });
    // A cap for a fifth of the requests at their bound: it ends before they do.
    let cap = (LOAD.each_ms * u64::try_from(millis).unwrap() / 5).max(100);
    let scarce = Load { cap, ..LOAD };
    let exact = line("scarce, exact", Load { enabled: false, ..scarce });
    assert!(exact.admitted < exact.asked, "{exact:?}");
    for share in [4, 16, 64, 256] {
        let leased = line(&format!("scarce, share 1/{share}"), Load { share, ..scarce });
        // What many hold and do not use is missing elsewhere.
        if share >= LOAD.share {
            assert!(leased.admitted >= exact.admitted * 3 / 5, "{leased:?} of {exact:?}");
        }
    }
    let leased = line("scarce, 3,000 isolates", Load { isolates: 3_000, ..scarce });
    assert!(leased.admitted >= exact.admitted * 3 / 5, "{leased:?} of {exact:?}");
}
