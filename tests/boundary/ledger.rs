//! The ledger's machine over bytes.

use js_sys::{Array, Uint8Array};
use tidegate::admit::{Charge, Command, Outcome, Reply};
use tidegate::error::{BreakerOutcome, Code};
use tidegate::money::NanoUsd;
use tidegate::time::Timestamp;
use tidegate::wasm::LedgerDecider;
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

use super::{code, js};

const NOW: f64 = 1_767_225_600_000.0;
const LATER: Timestamp = Timestamp::from_millis(1_767_225_780_000);

fn decider() -> LedgerDecider {
    LedgerDecider::new(js("{ budget: { limitUsd: '0.000001' } }")).unwrap()
}

/// One decision: what is to be stored, and the reply.
fn decide(snapshot: Option<&[u8]>, command: &[u8]) -> (Option<Vec<u8>>, Reply) {
    let ended: Array = decider().decide(snapshot.map(<[u8]>::to_vec), command, NOW);
    let stored = ended.get(0);
    let stored = (stored != JsValue::UNDEFINED).then(|| Uint8Array::new(&stored).to_vec());
    (stored, Reply::decode(&Uint8Array::new(&ended.get(1)).to_vec()).unwrap())
}

fn admit() -> Vec<u8> {
    let command = Command::Admit {
        tenant: "t".into(),
        target: "groq/openai/gpt-oss-20b".into(),
        bound: NanoUsd::new(600),
        lease_until: LATER,
        slot: None,
    };
    command.encode()
}

fn status(snapshot: &[u8]) -> (u64, u64) {
    let (stored, reply) = decide(Some(snapshot), &Command::Status.encode());
    assert!(stored.is_none(), "a question changes nothing");
    match reply.result.unwrap() {
        Outcome::Status(figures) => (figures.spent.as_nano(), figures.reserved.as_nano()),
        other => panic!("{other:?}"),
    }
}

#[wasm_bindgen_test]
fn money_goes_round_through_bytes() {
    let (stored, reply) = decide(None, &admit());
    let Ok(Outcome::Admitted { reservation, .. }) = reply.result else { panic!("{reply:?}") };
    let snapshot = stored.unwrap();
    assert_eq!(status(&snapshot), (0, 600));
    let (_, second) = decide(Some(&snapshot), &admit());
    assert_eq!(second.result.unwrap_err().code, Code::BudgetExceeded, "600 and 600 pass 1,000");
    let settle = Command::Settle {
        reservation,
        charge: Charge::Actual(NanoUsd::new(77)),
        outcome: BreakerOutcome::Success,
        cool_until: None,
        end_slot: true,
    };
    let (stored, reply) = decide(Some(&snapshot), &settle.encode());
    assert!(matches!(reply.result, Ok(Outcome::Settled { charged }) if charged.as_nano() == 77));
    assert_eq!(status(&stored.unwrap()), (77, 0));
}

#[wasm_bindgen_test]
fn damage_is_answered_and_leaves_what_is_stored() {
    let good = decide(None, &admit()).0.unwrap();
    for index in 0..good.len() {
        let mut bad = good.clone();
        bad[index] ^= 1;
        let (stored, reply) = decide(Some(&bad), &admit());
        assert_eq!((stored, reply.result.unwrap_err().code), (None, Code::VaultCorrupt), "byte {index}");
    }
    for command in [&[][..], &[0xff; 40], b"{}"] {
        let (stored, reply) = decide(Some(&good), command);
        assert_eq!((stored, reply.result.unwrap_err().code), (None, Code::Internal));
    }
    assert_eq!(code(LedgerDecider::new(js("{ budget: 1 }"))), "config_invalid");
}
