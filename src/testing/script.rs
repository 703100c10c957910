//! One seeded script of requests with faults. Run anywhere, natively or as Wasm, it leaves the same
//! decision records, byte for byte.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use super::dice::Dice;
use super::faults::Faults;
use super::{ManualHost, START, drain};
use crate::cache::Controls;
use crate::chat::Dialect;
use crate::config::{BudgetConfig, GatewayConfig, TargetConfig};
use crate::gateway::{Call, Gate, Opened, open, replay};
use crate::host::{Clock, Timer};
use crate::money::NanoUsd;
use crate::secret::Secret;
use crate::time::Timestamp;

/// What follows a record that does not replay. No record holds such a line.
pub const DIFFERS: &str = "does not replay\n";

/// Requests at once, at most. Far fewer than the records that a gate keeps, so none is lost.
const MOST_AT_ONCE: u64 = 6;
/// Different questions: few enough that some are asked again.
const QUESTIONS: u64 = 6;

type Work = Pin<Box<dyn Future<Output = ()>>>;

/// Runs `requests` requests in all dialects, whole and streamed, among them faults of every kind, aborts,
/// questions asked twice at once, clocks that jump over midnight and back, and days whose budget is spent.
/// Returns all decision records, each replayed; [`DIFFERS`] follows one whose replay went another way.
#[must_use]
pub fn scripted_run(seed: u64, requests: u32) -> String {
    let mut dice = Dice::new(seed);
    let config = config();
    let host = ManualHost::new(dice.throw(), &config);
    let gate = Rc::new(Gate::new(config, true, [7; 32]));
    unlock(&gate);
    let mut faults = Faults::new(Dice::new(dice.throw()));
    host.answer(move |sent| faults.answer(sent));

    let mut records = String::new();
    let mut last: Option<Rc<str>> = None;
    let mut left = u64::from(requests);
    let mut shared = question(&mut dice);
    while left > 0 {
        let at_once = dice.below(MOST_AT_ONCE).saturating_add(1).min(left);
        left = left.saturating_sub(at_once);
        // Clients ask again what was just answered, or refused.
        if !dice.once_in(3) {
            shared = question(&mut dice);
        }
        batch(&gate, &host, &mut dice, &shared, at_once);
        collect(&gate, &host, &mut last, &mut records);
        between(&gate, &host, &mut dice);
    }
    records
}

const TARGETS: [(&str, &str); 5] = [
    ("groq", "openai/gpt-oss-20b"),
    ("openai", "gpt-4.1-mini"),
    ("anthropic", "claude-haiku-4-5"),
    ("google", "gemini-2.5-flash"),
    ("openrouter", "qwen/qwen3-coder:free"),
];

fn config() -> GatewayConfig {
    GatewayConfig {
        version: 1,
        targets: TARGETS.map(|(provider, model)| TargetConfig::new(provider, model)).into(),
        budget: BudgetConfig { limit: NanoUsd::new(200_000_000), ..BudgetConfig::default() },
        ..GatewayConfig::default()
    }
}

fn unlock(gate: &Gate) {
    gate.lock(false);
    for (provider, _) in TARGETS {
        gate.set_key(provider, Secret::new("a-made-up-key".into()));
    }
}

/// Asks `at_once` questions side by side, half of them `shared`, and meanwhile aborts some and turns the clock.
fn batch(gate: &Rc<Gate>, host: &Rc<ManualHost>, dice: &mut Dice, shared: &Question, at_once: u64) {
    let mut work: Vec<Work> = Vec::new();
    for _ in 0..at_once {
        let asked = if dice.once_in(2) { shared.clone() } else { question(dice) };
        let call = call(dice, &asked);
        if dice.once_in(6) {
            let soon = dice.pick(&[600, 1_200, 5_000]);
            let (host, abort, after) = (host.clone(), call.abort.clone(), Duration::from_millis(dice.below(soon)));
            work.push(Box::pin(async move {
                host.sleep(after).await;
                abort.trigger();
            }));
        }
        let (gate, host, pause) = (gate.clone(), host.clone(), Duration::from_millis(dice.below(3).saturating_mul(60)));
        work.push(Box::pin(async move {
            host.sleep(pause).await;
            let abort = call.abort.clone();
            if let Ok(Opened::Stream(streaming)) = open(&gate, &host, call).await {
                drain(&host, streaming, &abort).await;
            }
        }));
    }
    if dice.once_in(25) {
        let (host, after) = (host.clone(), Duration::from_millis(dice.below(2_000)));
        let to = jump(dice, host.now());
        work.push(Box::pin(async move {
            host.sleep(after).await;
            host.set_now(to);
        }));
    }
    host.run_all(work);
}

/// What is asked: in which dialect, whether for a stream, and how it ends after the question's number.
#[derive(Clone)]
struct Question {
    dialect: Dialect,
    stream: bool,
    body: String,
}

const CHAT_ENDS: [&str; 11] = [
    r#""}]}"#,
    r#""}]}"#,
    r#""}]}"#,
    r#""}],"temperature":0,"max_tokens":300}"#,
    r#""}],"model":"openai/gpt-oss-20b"}"#,
    r#""}],"model":"gpt-4.1-mini"}"#,
    r#""}],"model":"qwen/qwen3-coder:free","n":2}"#,
    r#""}],"tools":[{"type":"function","function":{"name":"f"}}]}"#,
    r#""}],"max_tokens":4000000000}"#,
    r#""}],"model":"unheard-of"}"#,
    r#""}],"mess"#,
];
const RESPONSES_ENDS: [&str; 5] =
    [r#""}"#, r#"","store":false}"#, r#"","max_output_tokens":300}"#, r#"","model":"gpt-4.1-mini"}"#, r#"","inp"#];
const ANTHROPIC_ENDS: [&str; 5] =
    [r#""}]}"#, r#""}]}"#, r#""}],"temperature":0}"#, r#""}],"stop_sequences":["x"]}"#, r#""}],"top_k":"many"}"#];
const GOOGLE_ENDS: [&str; 5] = [
    r#""}]}]}"#,
    r#""}]}]}"#,
    r#""}]}],"generationConfig":{"temperature":0,"maxOutputTokens":300}}"#,
    r#""}]}],"generationConfig":{"topK":5}}"#,
    r#""}]}],"safetySettings":[{}]}"#,
];

fn question(dice: &mut Dice) -> Question {
    let stream = dice.once_in(3);
    let streams = if stream { r#""stream":true,"# } else { "" };
    let (dialect, begin, ends): (_, _, &[&str]) = match dice.below(8) {
        0 => (Dialect::Responses, r#""input":"Question "#, &RESPONSES_ENDS),
        1 => {
            let begin = r#""model":"auto","max_tokens":300,"messages":[{"role":"user","content":"Question "#;
            (Dialect::Anthropic, begin, &ANTHROPIC_ENDS)
        }
        2 => (Dialect::Google, r#""contents":[{"role":"user","parts":[{"text":"Question "#, &GOOGLE_ENDS),
        _ => (Dialect::Chat, r#""messages":[{"role":"user","content":"Question "#, &CHAT_ENDS),
    };
    // Gemini's path says it.
    let streams = if dialect == Dialect::Google { "" } else { streams };
    let number = dice.below(QUESTIONS).to_string();
    Question { dialect, stream, body: ["{", streams, begin, &number, dice.pick(ends)].concat() }
}

fn call(dice: &mut Dice, asked: &Question) -> Call {
    let controls = Controls {
        skip_read: dice.once_in(12),
        skip_write: dice.once_in(12),
        refresh: dice.once_in(12),
        ttl: dice.once_in(12).then(|| Duration::from_millis(dice.below(600_000))),
        namespace: dice.once_in(12).then(|| "n".into()),
    };
    let tenant = dice.pick(&["one", "one", "one", "two"]);
    let stream = asked.stream && asked.dialect == Dialect::Google;
    Call { controls, dialect: asked.dialect, stream, ..Call::chat(&asked.body, tenant) }
}

/// Up to three days forwards or one back, often to a few milliseconds around a midnight.
fn jump(dice: &mut Dice, now: Timestamp) -> Timestamp {
    const DAY: i64 = 86_400_000;
    let days = i64::try_from(dice.below(5)).unwrap_or(0).saturating_sub(1);
    let to = now.as_millis().saturating_add(days.saturating_mul(DAY));
    let midnight = to.saturating_sub(to.rem_euclid(DAY));
    let beside = i64::try_from(dice.below(7)).unwrap_or(0).saturating_sub(3);
    let to = if dice.once_in(2) { midnight.saturating_add(beside) } else { to };
    Timestamp::from_millis(to.max(START.as_millis()))
}

/// What happens while nobody asks.
fn between(gate: &Gate, host: &ManualHost, dice: &mut Dice) {
    if dice.once_in(20) {
        host.set_now(jump(dice, host.now()));
    }
    let most = dice.pick(&[3_000, 30_000]);
    host.advance(Duration::from_millis(dice.below(most)));
    match dice.below(60) {
        0 => gate.lock(true),
        1 => gate.remove_key("groq"),
        2 => gate.clear_cache(),
        3..20 => unlock(gate),
        _ => {}
    }
}

/// Takes over the records that are new since the last time, and replays each.
fn collect(gate: &Rc<Gate>, host: &Rc<ManualHost>, last: &mut Option<Rc<str>>, records: &mut String) {
    let kept = gate.records();
    let known = last.as_ref().and_then(|last| kept.iter().rposition(|record| record == last));
    let new = known.map_or(0, |position| position.saturating_add(1));
    for record in kept.iter().skip(new) {
        records.push_str(record);
        let replayed = host.run(replay(gate, host, record));
        if !replayed.is_some_and(|replayed| replayed.is_ok_and(|replayed| replayed.same)) {
            records.push_str(DIFFERS);
        }
    }
    *last = kept.last().cloned();
}
