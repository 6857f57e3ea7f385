//! Small files that are made to take much memory or time, and how much they take.

use rollsnap_tests::cli::Ground;
use rollsnap_tests::limits::BOMB;

#[test]
fn an_honest_snapshot_is_far_below_the_limits() {
    let ground = Ground::new();
    let snapshot = ground.snapshot("data-dir/v5-full.finalized.snapshot.gz");
    for words in [&["verify", &snapshot][..], &["info", "--full", &snapshot]] {
        let (run, used) = ground.run_within(BOMB, words);
        run.ok();
        assert!(used.rss > 1 << 20 && used.wall > 0.0, "{used}");
    }
}

#[test]
fn what_is_beyond_a_limit_is_seen() {
    let ground = Ground::new();
    let snapshot = ground.snapshot("data-dir/v5-full.finalized.snapshot.gz");
    let tight = rollsnap_tests::limits::Limits { memory: 1 << 20, ..BOMB };
    let caught = std::panic::catch_unwind(|| ground.run_within(tight, &["verify", &snapshot]));
    assert!(caught.is_err());
}
