//! Streams for the seeded script: cut anywhere, slow, broken off, with errors in them.

use std::time::Duration;

use super::dice::Dice;
use super::samples::Sample;
use super::{Piece, Scripted};
use crate::chat::Dialect;

/// A stream that ends well, in pieces of any size.
pub(super) fn fine(dice: &mut Dice, dialect: Dialect) -> Scripted {
    let bytes = Sample::of(dialect).events().concat().into_bytes();
    let pieces = cut(dice, &bytes);
    opened(dice, pieces)
}

/// A stream that breaks off, stands still, reports an error or turns into something else.
pub(super) fn broken(dice: &mut Dice, dialect: Dialect) -> Scripted {
    let sample = Sample::of(dialect);
    let events = sample.events();
    let whole = usize::try_from(dice.below(events.len() as u64)).unwrap_or(0);
    let mut bytes = events.iter().take(whole).copied().collect::<String>().into_bytes();
    match dice.below(6) {
        0 => bytes.extend_from_slice(sample.failed.as_bytes()),
        1 => bytes.extend_from_slice(b"data: {\"broken\n\n"),
        2 => bytes.extend_from_slice(b"data: [DONE]\n\n"),
        3 => bytes.truncate(usize::try_from(dice.below(bytes.len() as u64)).unwrap_or(0)),
        _ => {}
    }
    let mut pieces = cut(dice, &bytes);
    match dice.below(4) {
        0 => pieces.push((Duration::from_millis(dice.below(2_000)), Piece::Lost)),
        1 => pieces.push((Duration::ZERO, Piece::Stall)),
        _ => {}
    }
    opened(dice, pieces)
}

fn opened(dice: &mut Dice, pieces: Vec<(Duration, Piece)>) -> Scripted {
    let late = dice.once_in(20);
    let headers = Duration::from_millis(dice.below(if late { 20_000 } else { 400 }));
    Scripted::Stream(headers, 200, pieces)
}

/// Pieces of up to some hundred bytes, each after a time of its own.
fn cut(dice: &mut Dice, mut bytes: &[u8]) -> Vec<(Duration, Piece)> {
    let mut pieces = Vec::new();
    while !bytes.is_empty() {
        let most = dice.pick(&[40_u64, 200, 600]);
        let length = usize::try_from(dice.below(most)).unwrap_or(0).saturating_add(1).min(bytes.len());
        let (piece, rest) = bytes.split_at_checked(length).unwrap_or((bytes, &[]));
        bytes = rest;
        let late = dice.once_in(100);
        let after = Duration::from_millis(dice.below(if late { 40_000 } else { 250 }));
        pieces.push((after, Piece::Bytes(piece.into())));
    }
    pieces
}
