//! Temporary space that runs out: what was not looked at is not checked, whatever was found by then.

use rollsnap_core::report::{Status, Verdict};
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
