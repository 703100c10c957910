//! What may happen.

use proptest::prelude::*;
use tidegate::admit::Charge;
use tidegate::money::NanoUsd;

use crate::{DAY, LEASE};

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Enter {
        user: u8,
    },
    Admit {
        user: u8,
        token: u8,
        bound: u64,
        enters: bool,
    },
    /// What was admitted last is asked again, its reply having got lost.
    Again,
    Settle {
        which: usize,
        charge: Charge,
    },
    Clock {
        by: i64,
    },
    /// The ledger at hand is lost, and opened again from its rows.
    Crash,
    /// The Worker is deployed with another configuration: some of the rules, with half of their caps or not, where
    /// another date is or not, and with the callers' tier under another name or not. The ledger at hand is lost.
    Deploy {
        rules: u8,
        half: bool,
        ahead: bool,
        renamed: bool,
    },
    /// A user is erased, with a token or without.
    Erase {
        user: u8,
        token: Option<u8>,
    },
}

pub(crate) fn step() -> impl Strategy<Value = Step> {
    let charge = prop_oneof![
        Just(Charge::Released),
        Just(Charge::Bound),
        (0u64..400).prop_map(|nano| Charge::Actual(NanoUsd::new(nano))),
    ];
    prop_oneof![
        3 => (0u8..3).prop_map(|user| Step::Enter { user }),
        9 => (0u8..3, 0u8..2, 0u64..260, any::<bool>())
            .prop_map(|(user, token, bound, enters)| Step::Admit { user, token, bound, enters }),
        3 => Just(Step::Again),
        8 => (0usize..10, charge).prop_map(|(which, charge)| Step::Settle { which, charge }),
        1 => Just(Step::Crash),
        1 => (any::<u8>(), any::<bool>(), any::<bool>(), any::<bool>())
            .prop_map(|(rules, half, ahead, renamed)| Step::Deploy { rules, half, ahead, renamed }),
        1 => (0u8..3, prop::option::of(0u8..2)).prop_map(|(user, token)| Step::Erase { user, token }),
        5 => prop_oneof![
            6 => 0i64..40_000,
            2 => 0i64..2 * LEASE,
            1 => -2 * LEASE..0,
            1 => -DAY..3 * DAY,
            1 => prop_oneof![Just(-40 * DAY), Just(40 * DAY), Just(7 * DAY)],
        ].prop_map(|by| Step::Clock { by }),
    ]
}
