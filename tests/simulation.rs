//! The seeded script itself: it meets every kind of fault, and each of its records replays. That it goes
//! the same way on every host is compared in tests/determinism.
#![cfg(all(feature = "testing", not(target_arch = "wasm32")))]

use tidegate::testing::{DIFFERS, scripted_run};

#[test]
fn a_thousand_requests_meet_everything_and_every_record_replays() {
    let records = scripted_run(46, 1_000);
    assert!(!records.contains(DIFFERS));
    let count = |part: &str| records.matches(part).count();
    for part in [
        "\ncache\thit\n",
        "\ncache\tjoined\n",
        "\ncache\tfinal-error\n",
        "\nend\tok\tgroq/",
        "\nend\tok\topenai/",
        "\nend\tok\topenrouter/",
        "\nend\tok\tanthropic/",
        "\nend\tok\tgoogle/",
        "\nend\tstream_interrupted\t",
        "\nstream\t=\tcomplete\t",
        "\nstream\t=\tcut\t",
        "\nstream\t=\tleft\t",
        "\nend\tbudget_exceeded\t",
        "\nend\tcircuit_open\t",
        "\nend\taborted\t",
        "\nend\tvault_locked\t",
        "\t=\tno\tupstream_failed\t",
        "\t=\tno\tupstream_limited\t",
        "\t=\tno\tupstream_malformed\t",
        "\t=\tno\ttimeout\t",
        "\t=\taborted\t",
        "\tretry-after\t=\t1\n",
        "\tbackoff\t=\t1\n",
    ] {
        assert!(count(part) >= 2, "{part:?} happens {} times", count(part));
    }
}

#[test]
fn the_seed_decides_everything() {
    assert_eq!(scripted_run(1, 200), scripted_run(1, 200));
    assert_ne!(scripted_run(1, 200), scripted_run(2, 200));
    assert_eq!(scripted_run(1, 0), "");
}

#[test]
fn other_seeds_replay_as_well() {
    for seed in 100..130 {
        assert!(!scripted_run(seed, 200).contains(DIFFERS), "seed {seed}");
    }
}
