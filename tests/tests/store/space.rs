//! Temporary space that runs out: what was not looked at is not checked, whatever was found by then.

use rollsnap_core::report::{Status, Verdict};
use rollsnap_core::store::DEFAULT_MAX_STORE;
use rollsnap_tests::reading::gunzip;
use rollsnap_tests::{fixtures, gathered};

#[test]
fn what_there_is_no_space_for_is_not_checked() {
    for name in ["data-dir/v5-full.finalized.snapshot.gz", "data-dir/v4-full.head.snapshot.gz"] {
        let file = fixtures::read(name);
        let mut met = [false; 2];
        for space in [0, 1, 1000, 20_000, 60_000, 100_000, 200_000, 1 << 20] {
            let report = gathered::of_snapshot_within(&file, space);
            assert_eq!(report.verdicts.intact, Verdict::Yes, "{name}, {space}");
            let noes: Vec<_> = report.checks.iter().filter(|check| check.status == Status::No).collect();
            assert!(noes.is_empty(), "{name}, {space}: {noes:?}");
            match report.verdicts.consistent {
                Verdict::Yes => met[1] = true,
                // It says why.
                Verdict::Unknown => {
                    met[0] = true;
                    let why = |check: &&rollsnap_core::report::Check| check.text.contains("it may take");
                    assert!(
                        report.checks.iter().any(|check| why(&check)),
                        "{name}, {space}: {:#?}",
                        report.checks
                    );
                }
                Verdict::No => panic!("{name}, {space}"),
            }
        }
        assert_eq!(met, [true; 2], "{name}");
    }
}

/// Of a file that is not compressed nothing is kept that can be read where it stands; the report is the same, also of a
/// damaged one.
#[test]
fn what_is_read_in_place_says_the_same() {
    for name in ["data-dir/v5-full.finalized.snapshot.gz", "data-dir/v4-full.head.snapshot.gz"] {
        let plain = gunzip(&fixtures::read(name), 1 << 20).unwrap();
        let (report, _) = gathered::of_snapshot(&plain, 1 << 16, DEFAULT_MAX_STORE);
        assert_eq!(report.verdicts.consistent, Verdict::Yes, "{name}");
        for part in 1..8 {
            let mut damaged = plain.clone();
            let at = damaged.len() * part / 8;
            damaged[at] ^= 0x10;
            gathered::of_snapshot(&damaged, 7001, DEFAULT_MAX_STORE);
            gathered::of_snapshot(&plain[..at], 7001, DEFAULT_MAX_STORE);
        }
    }
}
