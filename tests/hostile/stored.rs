//! What was stored: the ledger, vault headers and records, cached answers, decision records. Damaged, it is
//! refused as such; the undamaged bytes still open afterwards.

use std::time::Duration;

use proptest::prelude::*;
use tidegate::admit::{Command, LedgerPolicy, LedgerState, Outcome, Reply, decide};
use tidegate::config::GatewayConfig;
use tidegate::error::Code;
use tidegate::gateway::replay;
use tidegate::host::UtcOnly;
use tidegate::money::NanoUsd;
use tidegate::secret::Secret;
use tidegate::testing::{Dice, START, completion};
use tidegate::vault::slot::{Slot, SlotKind};
use tidegate::vault::{export, first, kdf, keyring, records, recovery, throttle};

use super::{QUESTION, World};

fn entropy() -> impl FnMut(&mut [u8]) {
    let mut dice = Dice::new(1);
    move |bytes| bytes.fill_with(|| dice.throw().to_le_bytes()[0])
}

fn flip(bytes: &[u8], bit: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[bit / 8] ^= 1 << (bit % 8);
    bytes
}

fn admit() -> Command {
    let (tenant, target) = ("t".into(), "groq/openai/gpt-oss-20b".into());
    let lease_until = START.after(Duration::from_secs(180));
    Command::Admit { tenant, target, bound: NanoUsd::new(5), lease_until, slot: None }
}

/// One decision over bytes: what is to be stored, and the reply.
fn decided(snapshot: Option<&[u8]>, command: &[u8]) -> (Option<Vec<u8>>, Reply) {
    let config = GatewayConfig::default();
    let (stored, reply) = decide(snapshot, command, &LedgerPolicy::of(&config), &UtcOnly, START);
    (stored, Reply::decode(&reply).expect("the reply is always readable"))
}

#[test]
fn a_flipped_bit_of_the_ledger_is_noticed_and_the_ledger_left_as_it_is() {
    let snapshot = decided(None, &admit().encode()).0.unwrap();
    for bit in 0..snapshot.len() * 8 {
        let bad = flip(&snapshot, bit);
        assert_eq!(LedgerState::restore(&bad).unwrap_err().code, Code::VaultCorrupt, "bit {bit}");
        let (stored, reply) = decided(Some(&bad), &admit().encode());
        assert_eq!((stored, reply.result.unwrap_err().code), (None, Code::VaultCorrupt));
    }
    for length in 0..snapshot.len() {
        assert!(LedgerState::restore(&snapshot[..length]).is_err());
    }
    let Ok(Outcome::Status(figures)) = decided(Some(&snapshot), &Command::Status.encode()).1.result else { panic!() };
    assert_eq!((figures.reserved.as_nano(), figures.in_flight), (5, 1));
}

#[test]
fn a_flipped_bit_of_the_vault_is_noticed() {
    let mut entropy = entropy();
    let slot = Slot::new(SlotKind::Passphrase, "", kdf::KdfParams::default(), &[], START, &mut entropy).unwrap();
    let (header, vault) = keyring::create(&slot, &[3; 32], &mut entropy).unwrap();
    let key = Secret::new("gsk_made_up".to_string());
    let put = vault.put(&header, "groq", "https://api.groq.com", &key, START, &mut entropy).unwrap();
    let (header, record) = (put.header, put.record);
    let unlock = |header: &[u8]| keyring::unlock(header, &slot.id, &[3; 32]);
    for bit in 0..header.len() * 8 {
        assert_eq!(unlock(&flip(&header, bit)).unwrap_err().code, Code::VaultCorrupt, "bit {bit}");
    }
    let opened = unlock(&header).unwrap();
    for bit in 0..record.len() * 8 {
        let bad = flip(&record, bit);
        assert_eq!(opened.open_record(&header, "groq", &bad).unwrap_err().code, Code::VaultCorrupt, "bit {bit}");
        let _ = records::describe(&bad);
    }
    for length in 0..record.len() {
        assert!(opened.open_record(&header, "groq", &record[..length]).is_err());
    }
    let kept = opened.open_record(&header, "groq", &record).unwrap();
    assert!(kept.for_origin("https://api.groq.com").unwrap().ct_eq(b"gsk_made_up"));
}

/// The bytes of one cached answer, and the world it is of.
fn cached() -> (World, Vec<u8>) {
    let world = World::new(|| completion("ok", 5, 5));
    world.ask(QUESTION).unwrap();
    let bytes = world.gate.encode_cached(&world.gate.fingerprints()[0]).unwrap();
    (world, bytes)
}

#[test]
fn a_damaged_cached_answer_panics_nowhere() {
    let (world, bytes) = cached();
    for length in 0..bytes.len() {
        assert!(!world.gate.restore_cached(&bytes[..length], START), "a piece of {length} bytes");
    }
    // On disk it is sealed, so a flipped bit never comes as far as here; if it did, it must do no harm.
    for bit in 0..bytes.len() * 8 {
        world.gate.clear_cache();
        let _ = world.gate.restore_cached(&flip(&bytes, bit), START);
        let _ = world.ask(QUESTION);
    }
    world.gate.clear_cache();
    assert!(world.gate.restore_cached(&bytes, START));
}

proptest! {
    #[test]
    fn random_bytes_are_refused(bytes: Vec<u8>, good in any::<bool>()) {
        prop_assert!(LedgerState::restore(&bytes).is_err());
        let snapshot = good.then(|| decided(None, &admit().encode()).0.unwrap());
        let (stored, reply) = decided(snapshot.as_deref().or(Some(&bytes)), &bytes);
        // Few random bytes are a command; whatever they are, the ledger stays readable.
        if let Some(stored) = stored {
            prop_assert!(LedgerState::restore(&stored).is_ok());
        } else {
            prop_assert!(reply.result.is_err() || good);
        }
        let _ = Reply::decode(&bytes);
        prop_assert!(keyring::slots(&bytes).is_err());
        prop_assert!(first::kdf_request(&bytes).is_err());
        prop_assert!(first::describe(&bytes).is_err());
        prop_assert!(export::header(&bytes).is_err());
        let _ = recovery::parse(&bytes);
        let _ = throttle::attempt(Some(&bytes), START);
        prop_assert!(records::describe(&bytes).is_err());
        let (world, _) = cached();
        let _ = world.gate.restore_cached(&bytes, START);
    }

    #[test]
    fn random_commands_keep_the_ledger_sound(commands in proptest::collection::vec(any::<Vec<u8>>(), 1..20)) {
        let mut snapshot = decided(None, &admit().encode()).0;
        for tail in commands {
            for kind in 0..8u8 {
                let command = [[1, kind].as_slice(), &tail].concat();
                let (stored, _) = decided(snapshot.as_deref(), &command);
                if let Some(stored) = stored {
                    prop_assert!(LedgerState::restore(&stored).is_ok());
                    snapshot = Some(stored);
                }
            }
        }
    }

    #[test]
    fn damaged_decision_records_replay_as_different(bit: usize, cut: usize) {
        let (world, _) = cached();
        let record = world.gate.records()[0].to_string();
        let bad = flip(record.as_bytes(), bit % (record.len() * 8));
        for bad in [String::from_utf8_lossy(&bad).into_owned(), record[..cut % record.len()].into()] {
            let replayed = world.host.run(replay(&world.gate, &world.host, &bad)).expect("it waits for ever");
            // A changed fingerprint is told and decides nothing; everything else is noticed.
            prop_assert!(replayed.is_err() || !replayed.unwrap().same || bad.lines().count() == record.lines().count());
        }
        world.ask(QUESTION).unwrap();
    }
}
