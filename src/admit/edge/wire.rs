//! Errands and figures as bytes.

use std::time::Duration;

use super::caller::{BudgetFigures, CallerFigures, Correction, Entry, Errand};
use super::desk::{decode_caller, encode_caller};
use crate::admit::command::{Command, Figures};
use crate::config::{BudgetScope, BudgetSpan};
use crate::error::Allowance;
use crate::money::NanoUsd;
use crate::pack::{Reader, Writer};
use crate::time::Timestamp;

pub(in crate::admit) fn encode_errand(writer: &mut Writer, errand: &Errand) {
    encode_caller(writer, &errand.caller);
    match &errand.entry {
        None => drop(writer.byte(0)),
        Some(Entry { route, tokens: None }) => drop(writer.byte(1).text(route)),
        Some(Entry { route, tokens: Some(tokens) }) => drop(writer.byte(2).text(route).uint(*tokens)),
    }
    match errand.correction {
        None => drop(writer.byte(0)),
        Some(Correction { estimated, used }) => drop(writer.byte(1).uint(estimated).uint(used)),
    }
    match &errand.command {
        None => drop(writer.byte(0)),
        Some(command) => drop(writer.byte(1).bytes(&command.encode())),
    }
}

pub(in crate::admit) fn decode_errand(reader: &mut Reader<'_>) -> Errand {
    let caller = decode_caller(reader);
    let entry = match reader.byte() {
        0 => None,
        1 => Some(Entry { route: reader.text().into(), tokens: None }),
        byte => {
            reader.require(byte == 2);
            Some(Entry { route: reader.text().into(), tokens: Some(reader.uint()) })
        }
    };
    let correction = reader.flag().then(|| Correction { estimated: reader.uint(), used: reader.uint() });
    let command = reader.flag().then(|| inner(reader, &NESTING)).flatten();
    Errand { caller, entry, correction, command }
}

/// What is in no errand: one in another, or several commands, would be read as deep as they are long.
const NESTING: [u8; 3] = [Command::ERRAND, Command::TOGETHER, Command::AGAIN];

/// The command within, which is none of `nesting`.
pub(in crate::admit) fn inner(reader: &mut Reader<'_>, nesting: &[u8]) -> Option<Command> {
    let bytes = reader.bytes();
    let nests = bytes.get(1).is_some_and(|kind| nesting.contains(kind));
    let command = if nests { None } else { Command::decode(bytes).ok() };
    reader.require(command.is_some());
    command
}

pub(in crate::admit) fn encode_allowance(writer: &mut Writer, allowance: Allowance) {
    let Allowance { limit, remaining, reset } = allowance;
    writer.uint(limit).uint(remaining).uint(u64::try_from(reset.as_millis()).unwrap_or(u64::MAX));
}

pub(in crate::admit) fn decode_allowance(reader: &mut Reader<'_>) -> Allowance {
    Allowance { limit: reader.uint(), remaining: reader.uint(), reset: Duration::from_millis(reader.uint()) }
}

pub(in crate::admit) fn encode_span(writer: &mut Writer, span: Duration) -> &mut Writer {
    writer.uint(u64::try_from(span.as_millis()).unwrap_or(u64::MAX))
}

pub(in crate::admit) fn decode_span(reader: &mut Reader<'_>) -> Duration {
    Duration::from_millis(reader.uint())
}

pub(in crate::admit) fn encode_scope(writer: &mut Writer, of: BudgetScope, per: BudgetSpan) {
    writer.byte(of as u8).byte(per as u8);
}

pub(in crate::admit) fn decode_scope(reader: &mut Reader<'_>) -> (BudgetScope, BudgetSpan) {
    let (of, per) = (usize::from(reader.byte()), usize::from(reader.byte()));
    let (of, per) = (BudgetScope::ALL.get(of), BudgetSpan::ALL.get(per));
    reader.require(of.is_some() && per.is_some());
    (*of.unwrap_or(&BudgetScope::Organisation), *per.unwrap_or(&BudgetSpan::Day))
}

/// All but the organisation's, which its own codec writes.
pub(in crate::admit) fn encode_figures(writer: &mut Writer, figures: &CallerFigures) {
    encode_allowance(writer, figures.requests);
    match figures.tokens {
        None => drop(writer.byte(0)),
        Some(tokens) => encode_allowance(writer.byte(1), tokens),
    }
    writer.uint(figures.budgets.len() as u64);
    for BudgetFigures { of, per, limit, spent, reserved, resets_at } in &figures.budgets {
        encode_scope(writer, *of, *per);
        writer.uint(limit.as_nano()).uint(spent.as_nano()).uint(reserved.as_nano()).int(resets_at.as_millis());
    }
}

pub(in crate::admit) fn decode_figures(reader: &mut Reader<'_>, organisation: Figures) -> CallerFigures {
    let requests = decode_allowance(reader);
    let tokens = reader.flag().then(|| decode_allowance(reader));
    let mut budgets = Vec::new();
    for _ in 0..reader.count() {
        let (of, per) = decode_scope(reader);
        let [limit, spent, reserved] = [(); 3].map(|()| NanoUsd::new(reader.uint()));
        let resets_at = Timestamp::from_millis(reader.int());
        if !reader.is_sound() {
            break;
        }
        budgets.push(BudgetFigures { of, per, limit, spent, reserved, resets_at });
    }
    CallerFigures { organisation, requests, tokens, budgets }
}
