//! Commands and replies as bytes, for a ledger that lives in a transaction, a file or another object.

use std::time::Duration;

use super::command::{Charge, CircuitState, Command, Figures, Notice, Outcome, Reply, TargetFigures};
use super::ledger::{LedgerPolicy, LedgerState, unknown_zone};
#[cfg(feature = "edge")]
use super::{
    command::{Entered, MOST_TOGETHER},
    edge,
};
#[cfg(feature = "edge")]
use crate::config::{BudgetScope, BudgetSpan};
use crate::error::{BreakerOutcome, Code, Detail, Error, Result};
use crate::host::ZoneRules;
use crate::money::NanoUsd;
use crate::pack::{Reader, Writer};
use crate::time::Timestamp;

/// Version of both formats. Both ends are the same build, except while a page outlives its deployment:
/// then the decision fails closed.
const VERSION: u8 = 1;

/// One decision from bytes to bytes: the snapshot to store, if it changed, and the reply.
///
/// A snapshot or command that cannot be read is answered with `internal` and changes nothing: the stored
/// bytes stay as they are, and no money is spent on a ledger that cannot be read.
#[must_use]
pub fn decide(
    snapshot: Option<&[u8]>,
    command: &[u8],
    policy: &LedgerPolicy<'_>,
    zones: &dyn ZoneRules,
    now: Timestamp,
) -> (Option<Vec<u8>>, Vec<u8>) {
    let state = snapshot.map_or_else(|| Ok(LedgerState::new()), LedgerState::restore);
    let (Ok(mut state), Ok(command)) = (state, Command::decode(command)) else {
        let reply = Reply::of(Err(Code::Internal.into()));
        return (None, reply.encode());
    };
    let reply = state.apply(&command, policy, zones, now).encode();
    let after = state.snapshot();
    let changed = match snapshot {
        Some(before) => after != before,
        None => after != LedgerState::new().snapshot(),
    };
    (changed.then_some(after), reply)
}

impl Command {
    /// The byte that an errand has after the version.
    #[cfg(feature = "edge")]
    pub(super) const ERRAND: u8 = 5;
    /// The byte that several commands have there.
    #[cfg(feature = "edge")]
    pub(super) const TOGETHER: u8 = 8;

    /// The command as bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.byte(VERSION);
        match self {
            Self::Admit { tenant, target, bound, lease_until, slot } => {
                writer.byte(0).text(tenant).text(target).uint(bound.as_nano()).int(lease_until.as_millis());
                option(&mut writer, *slot, Writer::uint);
            }
            Self::Settle { reservation, charge, outcome, cool_until, end_slot } => {
                writer.byte(1).uint(*reservation);
                match charge {
                    Charge::Released => drop(writer.byte(0)),
                    Charge::Actual(amount) => drop(writer.byte(1).uint(amount.as_nano())),
                    Charge::Bound => drop(writer.byte(2)),
                }
                writer.byte(match outcome {
                    BreakerOutcome::Success => 0,
                    BreakerOutcome::Failure => 1,
                    BreakerOutcome::Ignored => 2,
                });
                instant(&mut writer, *cool_until);
                writer.byte((*end_slot).into());
            }
            Self::EndSlot { slot } => drop(writer.byte(2).uint(*slot)),
            Self::Renew { reservation, lease_until } => {
                writer.byte(3).uint(*reservation).int(lease_until.as_millis());
            }
            Self::Status => drop(writer.byte(4)),
            #[cfg(feature = "edge")]
            Self::For(errand) => edge::encode_errand(writer.byte(Self::ERRAND), errand),
            #[cfg(feature = "edge")]
            Self::Lease { tenant, route, bound, requests, window, settles_within } => {
                writer.byte(6).text(tenant).text(route).uint(bound.as_nano()).uint(*requests);
                edge::encode_span(edge::encode_span(&mut writer, *window), *settles_within);
            }
            #[cfg(feature = "edge")]
            Self::Return { slice, route, spent, requests } => {
                writer.byte(7).uint(*slice).text(route).uint(spent.as_nano()).uint(*requests);
            }
            #[cfg(feature = "edge")]
            Self::Together(commands) => {
                writer.byte(Self::TOGETHER).uint(commands.len() as u64);
                for command in commands {
                    writer.bytes(&command.encode());
                }
            }
        }
        writer.finish()
    }

    /// Reads what [`Command::encode`] wrote.
    ///
    /// # Errors
    ///
    /// [`Code::VaultCorrupt`] for anything else.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let reader = &mut versioned(bytes);
        let command = match reader.byte() {
            0 => Self::Admit {
                tenant: reader.text().into(),
                target: reader.text().into(),
                bound: money(reader),
                lease_until: time(reader),
                slot: optional(reader, Reader::uint),
            },
            1 => Self::Settle {
                reservation: reader.uint(),
                charge: match reader.byte() {
                    0 => Charge::Released,
                    1 => Charge::Actual(money(reader)),
                    byte => {
                        reader.require(byte == 2);
                        Charge::Bound
                    }
                },
                outcome: match reader.byte() {
                    0 => BreakerOutcome::Success,
                    1 => BreakerOutcome::Failure,
                    byte => {
                        reader.require(byte == 2);
                        BreakerOutcome::Ignored
                    }
                },
                cool_until: optional(reader, time),
                end_slot: reader.flag(),
            },
            2 => Self::EndSlot { slot: reader.uint() },
            #[cfg(feature = "edge")]
            Self::ERRAND => Self::For(edge::decode_errand(reader).into()),
            #[cfg(feature = "edge")]
            6 => Self::Lease {
                tenant: reader.text().into(),
                route: reader.text().into(),
                bound: money(reader),
                requests: reader.uint(),
                window: edge::decode_span(reader),
                settles_within: edge::decode_span(reader),
            },
            #[cfg(feature = "edge")]
            7 => Self::Return {
                slice: reader.uint(),
                route: reader.text().into(),
                spent: money(reader),
                requests: reader.uint(),
            },
            #[cfg(feature = "edge")]
            Self::TOGETHER => Self::Together(together(reader)),
            3 => Self::Renew { reservation: reader.uint(), lease_until: time(reader) },
            byte => {
                reader.require(byte == 4);
                Self::Status
            }
        };
        reader.end()?;
        Ok(command)
    }
}

/// Several commands. None is several itself: it would be read as deep as it is long.
#[cfg(feature = "edge")]
fn together(reader: &mut Reader<'_>) -> Vec<Command> {
    let mut commands = Vec::new();
    for _ in 0..reader.count() {
        let bytes = reader.bytes();
        let command = if bytes.get(1) == Some(&Command::TOGETHER) { None } else { Command::decode(bytes).ok() };
        reader.require(command.is_some() && commands.len() < MOST_TOGETHER);
        if !reader.is_sound() {
            break;
        }
        commands.extend(command);
    }
    commands
}

impl Reply {
    /// The reply as bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.byte(VERSION);
        match &self.result {
            Ok(outcome) => encode_outcome(&mut writer, outcome),
            Err(error) => encode_error(&mut writer, error),
        }
        writer.uint(self.notices.len() as u64);
        for notice in &self.notices {
            encode_notice(&mut writer, notice);
        }
        option(&mut writer, self.offset.map(i64::from), Writer::int);
        #[cfg(feature = "edge")]
        match self.entered {
            None => drop(writer.byte(0)),
            Some(entered) => edge::encode_allowance(writer.byte(1).byte(entered.granted.into()), entered.allowance),
        }
        writer.finish()
    }

    /// Reads what [`Reply::encode`] wrote.
    ///
    /// # Errors
    ///
    /// [`Code::VaultCorrupt`] for anything else.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let reader = &mut versioned(bytes);
        let result = match reader.byte() {
            0 => Err(decode_error(reader)),
            kind => Ok(decode_outcome(kind, reader)),
        };
        let mut notices = Vec::new();
        for _ in 0..reader.count() {
            notices.push(decode_notice(reader));
            if !reader.is_sound() {
                break;
            }
        }
        let offset = optional(reader, Reader::int).map(i32::try_from).transpose();
        #[cfg(feature = "edge")]
        let entered =
            reader.flag().then(|| Entered { granted: reader.flag(), allowance: edge::decode_allowance(reader) });
        reader.end()?;
        Ok(Self {
            notices,
            offset: offset.map_err(|_| Code::VaultCorrupt)?,
            #[cfg(feature = "edge")]
            entered,
            ..Self::of(result)
        })
    }
}

/// Only what the ledger says: a code, a wait, the budget's figures, the one field it can blame.
fn encode_error(writer: &mut Writer, error: &Error) {
    writer.byte(0).text(error.code.as_str());
    let millis = error.retry_after.map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
    option(writer, millis, Writer::uint);
    match &error.detail {
        Detail::Fields(_) => drop(writer.byte(1)),
        Detail::Budget { limit, spent, reserved, resets_at } => {
            writer.byte(2).uint(limit.as_nano()).uint(spent.as_nano()).uint(reserved.as_nano());
            writer.int(resets_at.as_millis());
        }
        #[cfg(feature = "edge")]
        Detail::BudgetOf { of, per, limit, spent, reserved, resets_at } => {
            writer.byte(3).text(of).text(per).uint(limit.as_nano()).uint(spent.as_nano()).uint(reserved.as_nano());
            writer.int(resets_at.as_millis());
        }
        Detail::None | Detail::Status(_) | Detail::Timeout(_) | Detail::Network(_) => drop(writer.byte(0)),
    }
}

fn decode_error(reader: &mut Reader<'_>) -> Box<Error> {
    let code = Code::parse(reader.text());
    reader.require(code.is_some());
    let mut error = Error::new(code.unwrap_or(Code::VaultCorrupt));
    error.retry_after = optional(reader, Reader::uint).map(Duration::from_millis);
    error.detail = match reader.byte() {
        0 => Detail::None,
        1 => unknown_zone().detail,
        #[cfg(feature = "edge")]
        3 => {
            let (of, per) = (reader.text(), reader.text());
            let of = BudgetScope::ALL.into_iter().map(BudgetScope::as_str).find(|name| *name == of);
            let per = BudgetSpan::ALL.into_iter().map(BudgetSpan::as_str).find(|name| *name == per);
            reader.require(of.is_some() && per.is_some());
            Detail::BudgetOf {
                of: of.unwrap_or(""),
                per: per.unwrap_or(""),
                limit: money(reader),
                spent: money(reader),
                reserved: money(reader),
                resets_at: time(reader),
            }
        }
        byte => {
            reader.require(byte == 2);
            Detail::Budget {
                limit: money(reader),
                spent: money(reader),
                reserved: money(reader),
                resets_at: time(reader),
            }
        }
    };
    error.into()
}

fn encode_outcome(writer: &mut Writer, outcome: &Outcome) {
    match outcome {
        Outcome::Admitted { reservation, slot, probe, generation } => {
            writer.byte(1).uint(*reservation).uint(*slot).byte((*probe).into()).uint(*generation);
        }
        Outcome::Settled { charged } => drop(writer.byte(2).uint(charged.as_nano())),
        Outcome::Renewed => drop(writer.byte(3)),
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

fn decode_outcome(kind: u8, reader: &mut Reader<'_>) -> Outcome {
    match kind {
        1 => Outcome::Admitted {
            reservation: reader.uint(),
            slot: reader.uint(),
            probe: reader.flag(),
            generation: reader.uint(),
        },
        2 => Outcome::Settled { charged: money(reader) },
        3 => Outcome::Renewed,
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

fn encode_notice(writer: &mut Writer, notice: &Notice) {
    match notice {
        Notice::Threshold { period, percent, spent, limit } => {
            writer.byte(0).int(*period).uint((*percent).into()).uint(spent.as_nano()).uint(limit.as_nano());
        }
        Notice::CircuitOpen { tenant, target, until } => {
            writer.byte(1).text(tenant).text(target).int(until.as_millis());
        }
        Notice::CircuitHalfOpen { tenant, target } => drop(writer.byte(2).text(tenant).text(target)),
        Notice::CircuitClosed { tenant, target } => drop(writer.byte(3).text(tenant).text(target)),
        Notice::Overshoot { period, amount } => drop(writer.byte(4).int(*period).uint(amount.as_nano())),
        Notice::LeaseExpired { reservation } => drop(writer.byte(5).uint(*reservation)),
        #[cfg(feature = "edge")]
        Notice::BudgetOf { of, per, who, period, percent, spent, limit } => {
            edge::encode_scope(writer.byte(6), *of, *per);
            option(writer, who.as_deref(), Writer::text);
            writer.int(*period).uint((*percent).into()).uint(spent.as_nano()).uint(limit.as_nano());
        }
    }
}

fn decode_notice(reader: &mut Reader<'_>) -> Notice {
    match reader.byte() {
        0 => Notice::Threshold {
            period: reader.int(),
            percent: reader.uint32(),
            spent: money(reader),
            limit: money(reader),
        },
        1 => Notice::CircuitOpen { tenant: reader.text().into(), target: reader.text().into(), until: time(reader) },
        2 => Notice::CircuitHalfOpen { tenant: reader.text().into(), target: reader.text().into() },
        3 => Notice::CircuitClosed { tenant: reader.text().into(), target: reader.text().into() },
        #[cfg(feature = "edge")]
        6 => {
            let (of, per) = edge::decode_scope(reader);
            let who = optional(reader, Reader::text).map(String::from);
            Notice::BudgetOf {
                of,
                per,
                who,
                period: reader.int(),
                percent: reader.uint32(),
                spent: money(reader),
                limit: money(reader),
            }
        }
        4 => Notice::Overshoot { period: reader.int(), amount: money(reader) },
        byte => {
            reader.require(byte == 5);
            Notice::LeaseExpired { reservation: reader.uint() }
        }
    }
}

fn versioned(bytes: &[u8]) -> Reader<'_> {
    let mut reader = Reader::new(bytes);
    let version = reader.byte();
    reader.require(version == VERSION);
    reader
}

fn option<T>(writer: &mut Writer, value: Option<T>, write: fn(&mut Writer, T) -> &mut Writer) {
    writer.byte(value.is_some().into());
    if let Some(value) = value {
        write(writer, value);
    }
}

fn instant(writer: &mut Writer, value: Option<Timestamp>) {
    option(writer, value.map(Timestamp::as_millis), Writer::int);
}

fn optional<'a, T>(reader: &mut Reader<'a>, read: fn(&mut Reader<'a>) -> T) -> Option<T> {
    reader.flag().then(|| read(reader))
}

fn money(reader: &mut Reader<'_>) -> NanoUsd {
    NanoUsd::new(reader.uint())
}

fn time(reader: &mut Reader<'_>) -> Timestamp {
    Timestamp::from_millis(reader.int())
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))] // proptest does not build there
mod tests;
