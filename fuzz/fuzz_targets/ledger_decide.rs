//! The ledger over bytes: a snapshot that may be damaged, and commands that may be nonsense.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidegate::admit::{LedgerPolicy, LedgerState, Reply, decide};
use tidegate::config::GatewayConfig;
use tidegate::host::UtcOnly;
use tidegate::time::Timestamp;

/// What is stored, and commands with the time at which each comes.
type Input = (Option<Vec<u8>>, Vec<(Vec<u8>, i64)>);

fuzz_target!(|input: Input| {
    let (mut snapshot, commands) = input;
    let config = GatewayConfig::default();
    for (command, now) in commands {
        let now = Timestamp::from_millis(now);
        let (stored, reply) = decide(snapshot.as_deref(), &command, &LedgerPolicy::of(&config), &UtcOnly, now);
        assert!(Reply::decode(&reply).is_ok());
        if let Some(stored) = stored {
            assert!(LedgerState::restore(&stored).is_ok());
            snapshot = Some(stored);
        }
    }
});
