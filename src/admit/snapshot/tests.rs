#![expect(clippy::arithmetic_side_effects, reason = "a test that overflows fails, as it should")]

use std::time::Duration;

use super::*;
use crate::admit::{Charge, Command, LedgerPolicy, Outcome};
use crate::config::{BreakerConfig, BudgetConfig};
use crate::error::BreakerOutcome;
use crate::host::UtcOnly;
use crate::money::NanoUsd;
use crate::time::Timestamp;

/// A ledger with something of everything.
fn lived_in() -> LedgerState {
    let (budget, breaker) = (BudgetConfig::default(), BreakerConfig { failures: 1, open_for: Duration::from_secs(60) });
    let policy = LedgerPolicy { budget: &budget, breaker: &breaker, max_concurrent: 8 };
    let mut state = LedgerState::new();
    for step in 0..12u8 {
        let now = Timestamp::from_millis(1_780_000_000_000 + i64::from(step) * 40_000);
        let admit = Command::Admit {
            tenant: "me".into(),
            target: format!("target-{}", step % 3),
            bound: NanoUsd::new(90_000_000),
            lease_until: now.after(Duration::from_secs(180)),
            slot: None,
        };
        let Ok(Outcome::Admitted { reservation, .. }) = state.apply(&admit, &policy, &UtcOnly, now).result else {
            continue;
        };
        let settle = Command::Settle {
            reservation,
            charge: if step % 2 == 0 { Charge::Bound } else { Charge::Actual(NanoUsd::new(100_000_000)) },
            outcome: if step % 3 == 0 { BreakerOutcome::Failure } else { BreakerOutcome::Success },
            cool_until: (step % 3 == 1).then(|| now.after(Duration::from_secs(50))),
            end_slot: false,
        };
        if step % 4 != 3 {
            state.apply(&settle, &policy, &UtcOnly, now);
        }
    }
    state
}

/// A snapshot as version 1 wrote it. It is never rewritten: if this fails, the format changed, and needs
/// a new version that still reads this one.
#[test]
fn version_1_is_read_as_it_was_written() {
    let hex = include_str!("v1.hex").trim();
    let byte = |index: usize| u8::from_str_radix(hex.get(index..index + 2).unwrap(), 16).unwrap();
    let bytes: Vec<u8> = (0..hex.len()).step_by(2).map(byte).collect();
    assert!(bytes.len() > 200);
    assert_eq!(LedgerState::restore(&bytes).unwrap().snapshot(), bytes);
}

#[test]
fn every_flipped_bit_and_every_cut_is_noticed() {
    let bytes = lived_in().snapshot();
    for index in 0..bytes.len() {
        for bit in 0..8 {
            let mut damaged = bytes.clone();
            damaged[index] ^= 1 << bit;
            assert!(LedgerState::restore(&damaged).is_err(), "byte {index} bit {bit}");
        }
        assert!(LedgerState::restore(&bytes[..index]).is_err());
    }
    let mut longer = bytes;
    longer.push(0);
    assert!(LedgerState::restore(&longer).is_err());
}

#[test]
fn the_checksum_covers_every_byte_whatever_the_length() {
    for length in 0..=17 {
        let mut bytes = vec![7; length];
        let sum = checksum(&bytes);
        for index in 0..length {
            bytes[index] ^= 1;
            assert_ne!(checksum(&bytes), sum, "byte {index} of {length}");
            bytes[index] ^= 1;
        }
    }
}

fn sealed(mut body: Vec<u8>) -> Vec<u8> {
    let sum = checksum(&body);
    body.extend_from_slice(&sum);
    body
}

#[test]
fn a_newer_version_is_refused() {
    let mut bytes = lived_in().snapshot();
    bytes.truncate(bytes.len() - CHECKSUM);
    assert!(LedgerState::restore(&sealed(bytes.clone())).is_ok());
    bytes[3] = VERSION + 1;
    let error = LedgerState::restore(&sealed(bytes)).unwrap_err();
    assert_eq!(error.code, Code::VaultCorrupt);
}

/// Bodies that carry a right checksum and wrong contents.
#[test]
fn contents_that_no_ledger_writes_are_refused() {
    let body = |write: &dyn Fn(&mut Writer)| {
        let mut writer = Writer::new();
        writer.raw(MAGIC).byte(VERSION).uint(100);
        write(&mut writer);
        sealed(writer.finish())
    };
    // Floor, books, targets, slots, reservations, late.
    assert!(LedgerState::restore(&body(&|w| _ = w.raw(&[0, 0, 0, 0, 0, 0]))).is_ok());
    let wrong: [(&str, &[u8]); 10] = [
        ("something follows", &[0, 0, 0, 0, 0, 0, 0]),
        ("the same period twice", &[0, 2, 2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0]),
        ("the same target twice", &[0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        ("an unknown circuit state", &[0, 0, 1, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0]),
        ("the same slot twice", &[0, 0, 0, 2, 5, 0, 0, 5, 0, 0, 0, 0]),
        ("a slot never given", &[0, 0, 0, 1, 100, 0, 0, 0, 0]),
        ("a reservation without a target", &[0, 1, 2, 0, 0, 0, 0, 0, 0, 1, 5, 6, 0, 2, 0, 0, 0, 0, 0, 0]),
        (
            "a reservation never given",
            &[0, 1, 2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 100, 6, 0, 2, 0, 0, 0, 0, 0, 0],
        ),
        ("a reservation without a book", &[0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 5, 6, 0, 2, 0, 0, 0, 0, 0, 0]),
        ("a count beyond the input", &[0, 0, 0, 0, 0x80, 0x20, 0]),
    ];
    for (what, bytes) in wrong {
        assert!(LedgerState::restore(&body(&|w| _ = w.raw(bytes))).is_err(), "{what}");
    }
    let right = [0, 1, 2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 5, 6, 0, 2, 0, 0, 0, 0, 0, 0];
    assert!(LedgerState::restore(&body(&|w| _ = w.raw(&right))).is_ok(), "else the cases above prove nothing");
}
