//! A snapshot that is kept in memory, as browsers keep it: what is too much for that, and levels that it does not have.

use rollsnap_core::feedback::Silent;
use rollsnap_core::gzip::Zlib;
use rollsnap_core::replay::{Gathering, MemoryReplay};
use rollsnap_core::snapshot::{Inspector, Options};
use rollsnap_core::{Code, Problem, Result};
use rollsnap_tests::fixtures;

/// Feeds a snapshot in pieces; after how many bytes there was too much.
fn gathered(most: u64) -> core::result::Result<Gathering, (usize, Problem)> {
    let bytes = fixtures::read("replay/r5-dense.head.snapshot.gz");
    let mut inspector = Inspector::with(Zlib::default(), Options::default());
    let mut gathering = Gathering::new(most);
    for (number, piece) in bytes.chunks(4096).enumerate() {
        let Ok(()) = inspector.feed(piece, &mut |event| {
            gathering.take(&event);
            Ok::<_, core::convert::Infallible>(())
        });
        gathering.check().map_err(|problem| (number * 4096, problem))?;
    }
    let Ok(_) = inspector.finish(&mut |event| {
        gathering.take(&event);
        Ok::<_, core::convert::Infallible>(())
    });
    Ok(gathering)
}

#[test]
fn what_is_too_much_is_said_before_the_rest_is_read() {
    let (read, problem) = gathered(1000).unwrap_err();
    assert_eq!((read, problem.code()), (0, Code::LimitMemory), "{problem}");
    let (read, problem) = gathered(600_000).unwrap_err();
    assert_eq!((read > 0, problem.code()), (true, Code::LimitMemory), "{problem}");
    assert!(problem.to_string().contains("at most 600000 bytes"), "{problem}");
    assert!(gathered(1 << 20).is_ok());
}

#[test]
fn levels_that_are_not_there() {
    let begin = |levels: (i32, i32)| -> Result<u64> {
        let files = gathered(1 << 30).map_err(|(_, problem)| problem)?.finish()?;
        MemoryReplay::begin(files, &|_, _| levels, &Silent).map(|replay| replay.outcome().planned)
    };
    assert_eq!(begin((5001, 5031)).unwrap(), 31);
    assert_eq!(begin((5007, 5007)).unwrap(), 1);
    // One of both may be what is there: the head, or the first block behind a context.
    for (levels, code, level) in [
        ((6000, 5031), Code::LevelUnavailable, 6000),
        ((5001, 5032), Code::LevelUnavailable, 5032),
        ((5001, 5000), Code::ReplayStart, 5000),
        ((5001, -1), Code::ReplayStart, -1),
        ((5000, 5003), Code::ReplayStart, 5000),
        ((i32::MIN, i32::MAX), Code::LevelUnavailable, i32::MAX),
    ] {
        let problem = begin(levels).unwrap_err();
        assert_eq!(problem.code(), code, "{levels:?}: {problem}");
        assert!(problem.to_string().contains(&level.to_string()), "{levels:?}: {problem}");
    }
}
