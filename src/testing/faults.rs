//! Providers in seeded weather: for a while all is well, then one breaks, limits, goes dark or talks
//! nonsense.

use std::time::Duration;

use super::dice::Dice;
use super::samples::{Sample, asked};
use super::{Scripted, Sent, completion, status, streams};
use crate::chat::Dialect;
use crate::error::NetworkKind;

/// What a provider mostly does for a while.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Weather {
    #[default]
    Fine,
    Broken,
    Limiting,
    Dark,
    Nonsense,
    Refusing,
    Mixed,
}

const ALL: [Weather; 12] = [
    Weather::Fine,
    Weather::Fine,
    Weather::Fine,
    Weather::Fine,
    Weather::Fine,
    Weather::Fine,
    Weather::Broken,
    Weather::Limiting,
    Weather::Dark,
    Weather::Nonsense,
    Weather::Refusing,
    Weather::Mixed,
];

/// The providers' behaviour.
pub(super) struct Faults {
    dice: Dice,
    /// By provider: its weather, and how many requests it lasts.
    weather: Vec<(String, Weather, u64)>,
}

impl Faults {
    pub(super) const fn new(dice: Dice) -> Self {
        Self { dice, weather: Vec::new() }
    }

    /// What comes of a request.
    pub(super) fn answer(&mut self, sent: &Sent) -> Scripted {
        let usual = self.weather(&sent.provider);
        let (dialect, streamed) = asked(sent);
        let dice = &mut self.dice;
        let weather = if dice.once_in(8) { dice.pick(&ALL) } else { usual };
        match weather {
            Weather::Fine => fine(dice, dialect, streamed),
            // Half of what goes wrong with a stream goes wrong inside it.
            Weather::Broken | Weather::Dark | Weather::Nonsense | Weather::Mixed if streamed && dice.once_in(2) => {
                streams::broken(dice, dialect)
            }
            Weather::Broken => status(dice.pick(&[500, 502, 503, 504, 529, 599]), &[], dice.pick(&BODIES)),
            Weather::Limiting => limited(dice),
            Weather::Dark => dark(dice),
            Weather::Nonsense => nonsense(dice),
            Weather::Refusing => {
                let codes = [0, 301, 302, 400, 401, 402, 403, 404, 408, 409, 413, 422, 425];
                status(dice.pick(&codes), &[], dice.pick(&BODIES))
            }
            Weather::Mixed => match dice.below(6) {
                0 => limited(dice),
                1 => dark(dice),
                2 => nonsense(dice),
                3 => status(500, &[], ""),
                _ => fine(dice, dialect, streamed),
            },
        }
    }

    fn weather(&mut self, provider: &str) -> Weather {
        if let Some((_, weather, left)) = self.weather.iter_mut().find(|(own, _, left)| own == provider && *left > 0) {
            *left = left.saturating_sub(1);
            return *weather;
        }
        let (weather, left) = (self.dice.pick(&ALL), self.dice.below(30));
        self.weather.retain(|(own, ..)| own != provider);
        self.weather.push((provider.into(), weather, left));
        weather
    }
}

const BODIES: [&str; 6] = [
    "",
    "<html><body>Bad Gateway</body></html>",
    r#"{"error":{"message":"Rate limit reached. Please try again in 7.66s.","type":"tokens","code":"rate_limit_exceeded"}}"#,
    r#"{"error":{"message":"No endpoints found","code":404}}"#,
    r#"{"error":{"code":"context_length_exceeded","message":"too long"}}"#,
    r#"{"error":{"code":"insufficient_quota"}}"#,
];

fn fine(dice: &mut Dice, dialect: Dialect, streamed: bool) -> Scripted {
    if streamed && !dice.once_in(20) {
        return streams::fine(dice, dialect);
    }
    if dialect != Dialect::Chat {
        // Now and then to one who asked for a stream.
        return status(200, &[], Sample::of(dialect).whole);
    }
    let answer = completion("An answer.", dice.below(3_000), dice.below(4_000));
    match (answer, dice.below(10)) {
        // Some take their time, up to longer than anybody waits.
        (Scripted::Answer(_, code, headers, body), 0) => {
            Scripted::Answer(Duration::from_millis(dice.below(100_000)), code, headers, body)
        }
        (_, 1) => status(
            200,
            &[],
            r#"{"choices":[{"index":0,"message":{"role":"assistant","content":"cut"},"finish_reason":"length"}]}"#,
        ),
        (answer, _) => answer,
    }
}

fn limited(dice: &mut Dice) -> Scripted {
    let waits = [
        ("retry-after", "1"),
        ("retry-after", "30"),
        ("retry-after", "Thu, 01 Jan 2026 06:00:00 GMT"),
        ("retry-after", "99999999999999999999"),
        ("retry-after-ms", "750"),
        ("x-ratelimit-reset-requests", "1m2.5s"),
        ("x-ratelimit-reset", "soon"),
        ("x-should-retry", "false"),
    ];
    let headers = [dice.pick(&waits), dice.pick(&waits)];
    let headers = if dice.once_in(4) { &[] } else { headers.as_slice() };
    status(429, headers, dice.pick(&BODIES))
}

fn dark(dice: &mut Dice) -> Scripted {
    let after = Duration::from_millis(dice.below(20_000));
    match dice.below(5) {
        0 => Scripted::Silence,
        1 => Scripted::Lost(after, NetworkKind::Offline),
        _ => Scripted::Lost(after, NetworkKind::Network),
    }
}

fn nonsense(dice: &mut Dice) -> Scripted {
    let bodies: [&[u8]; 9] = [
        b"",
        b"<html>",
        b"null",
        b"[]",
        b"{\"choices\":[{\"message\":{\"role\":\"assist",
        b"{\"choices\":\"none\"}",
        b"\xff\xfe{}",
        br#"{"choices":[],"usage":{"prompt_tokens":-1,"completion_tokens":1e99}}"#,
        br#"{"error":{"message":"out of order","code":500}}"#,
    ];
    let body = dice.pick(&bodies).to_vec();
    Scripted::Answer(Duration::from_millis(dice.below(500)), 200, Vec::new(), body)
}
