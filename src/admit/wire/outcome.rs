//! What a decision came to, as bytes.

use super::{instant, money, optional, time};
use crate::admit::command::{CircuitState, Figures, Outcome, TargetFigures};
#[cfg(feature = "edge")]
use crate::admit::edge;
use crate::pack::{Reader, Writer};

pub(super) fn encode_outcome(writer: &mut Writer, outcome: &Outcome) {
    match outcome {
        Outcome::Admitted { reservation, slot, probe, generation } => {
            writer.byte(1).uint(*reservation).uint(*slot).byte((*probe).into()).uint(*generation);
        }
        Outcome::Settled { charged } => drop(writer.byte(2).uint(charged.as_nano())),
        Outcome::SlotEnded => drop(writer.byte(4)),
        Outcome::NotHeld => drop(writer.byte(5)),
        Outcome::Status(figures) => encode_figures(writer.byte(6), figures),
        #[cfg(feature = "edge")]
        Outcome::Entered => drop(writer.byte(7)),
        #[cfg(feature = "edge")]
        Outcome::Caller(figures) => {
            encode_figures(writer.byte(8), &figures.organisation);
            edge::encode_figures(writer, figures);
        }
        #[cfg(feature = "edge")]
        Outcome::Leased { slice, budget, requests, window } => {
            edge::encode_span(writer.byte(9).uint(*slice).uint(budget.as_nano()).uint(*requests), *window);
        }
        #[cfg(feature = "edge")]
        Outcome::NotLeased => drop(writer.byte(10)),
    }
}

fn encode_figures(writer: &mut Writer, figures: &Figures) {
    let Figures { limit, spent, reserved, overshoot, resets_at, in_flight, targets } = figures;
    writer.uint(limit.as_nano()).uint(spent.as_nano()).uint(reserved.as_nano());
    writer.uint(overshoot.as_nano()).int(resets_at.as_millis()).uint((*in_flight).into());
    writer.uint(targets.len() as u64);
    for target in targets {
        writer.text(&target.tenant).text(&target.target).byte(match target.state {
            CircuitState::Closed => 0,
            CircuitState::Open => 1,
            CircuitState::HalfOpen => 2,
        });
        writer.uint(target.failures.into());
        instant(writer, target.open_until);
        instant(writer, target.cooling_until);
    }
}

fn decode_figures(reader: &mut Reader<'_>) -> Figures {
    Figures {
        limit: money(reader),
        spent: money(reader),
        reserved: money(reader),
        overshoot: money(reader),
        resets_at: time(reader),
        in_flight: reader.uint32(),
        targets: decode_targets(reader),
    }
}

pub(super) fn decode_outcome(kind: u8, reader: &mut Reader<'_>) -> Outcome {
    match kind {
        1 => Outcome::Admitted {
            reservation: reader.uint(),
            slot: reader.uint(),
            probe: reader.flag(),
            generation: reader.uint(),
        },
        2 => Outcome::Settled { charged: money(reader) },
        4 => Outcome::SlotEnded,
        6 => Outcome::Status(decode_figures(reader)),
        #[cfg(feature = "edge")]
        7 => Outcome::Entered,
        #[cfg(feature = "edge")]
        8 => {
            let organisation = decode_figures(reader);
            Outcome::Caller(edge::decode_figures(reader, organisation).into())
        }
        #[cfg(feature = "edge")]
        9 => Outcome::Leased {
            slice: reader.uint(),
            budget: money(reader),
            requests: reader.uint(),
            window: edge::decode_span(reader),
        },
        #[cfg(feature = "edge")]
        10 => Outcome::NotLeased,
        kind => {
            reader.require(kind == 5);
            Outcome::NotHeld
        }
    }
}

fn decode_targets(reader: &mut Reader<'_>) -> Vec<TargetFigures> {
    let mut targets = Vec::new();
    for _ in 0..reader.count() {
        targets.push(TargetFigures {
            tenant: reader.text().into(),
            target: reader.text().into(),
            state: match reader.byte() {
                0 => CircuitState::Closed,
                1 => CircuitState::Open,
                byte => {
                    reader.require(byte == 2);
                    CircuitState::HalfOpen
                }
            },
            failures: reader.uint32(),
            open_until: optional(reader, time),
            cooling_until: optional(reader, time),
        });
        if !reader.is_sound() {
            break;
        }
    }
    targets
}
