//! Commands and replies as bytes, for a ledger that lives in a transaction, a file or another object.

mod notice;
mod outcome;

use std::time::Duration;

use notice::{decode_notice, encode_notice};
use outcome::{decode_outcome, encode_outcome};

use super::command::{Charge, Command, Reply};
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

/// Version of both formats: another one whenever a byte of either would be read as something else than it was before (a
/// kind of command or reply that is new is refused by who does not know it).
///
/// Both ends are the same build, except while a Worker is deployed: some of its objects still run the build before. Then
/// whichever end cannot read the other decides nothing, and whoever asked is told to come again. What was held meanwhile is
/// settled by a later question, or runs out at its bound. A build that reads the version before, too, has to reply in it:
/// who asks must be able to read what was decided.
const VERSION: u8 = 1;

/// One decision from bytes to bytes: the snapshot to store, if it changed, and the reply.
///
/// A snapshot that cannot be read is answered with `vault_corrupt`, a command with `internal`, and neither changes
/// anything: the stored bytes stay as they are, and no money is spent on a ledger that cannot be read.
#[must_use]
pub fn decide(
    snapshot: Option<&[u8]>,
    command: &[u8],
    policy: &LedgerPolicy<'_>,
    zones: &dyn ZoneRules,
    now: Timestamp,
) -> (Option<Vec<u8>>, Vec<u8>) {
    let state = snapshot.map_or_else(|| Ok(LedgerState::new()), LedgerState::restore);
    let (mut state, command) = match (state, Command::decode(command)) {
        (Ok(state), Ok(command)) => (state, command),
        (Err(unreadable), _) => return (None, Reply::of(Err(unreadable)).encode()),
        (_, Err(_)) => return (None, Reply::of(Err(Code::Internal.into())).encode()),
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
    /// The byte that one asked again has there.
    #[cfg(feature = "edge")]
    pub(super) const AGAIN: u8 = 9;

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
            #[cfg(feature = "edge")]
            Self::Again(command) => drop(writer.byte(Self::AGAIN).bytes(&command.encode())),
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
            #[cfg(feature = "edge")]
            Self::AGAIN => match edge::inner(reader, &[Self::TOGETHER, Self::AGAIN]) {
                Some(command) => Self::Again(command.into()),
                None => Self::Status,
            },
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
    /// [`Error::deploying`] if another build wrote it, [`Code::VaultCorrupt`] for anything else.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        #[cfg(feature = "edge")]
        if bytes.first().is_some_and(|version| *version != VERSION) {
            return Err(Error::deploying().into());
        }
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
