//! What the check of a snapshot says that comes as bytes alone, as the browser makes it: with everything in memory, and
//! with nothing there that can be in temporary space. Both say the same.

use rollsnap_core::feedback::Silent;
use rollsnap_core::scratch::{InMemory, Scratch};
use rollsnap_core::snapshot::{Event, Inspector, Options};
use rollsnap_core::store::{DEFAULT_MAX_STORE, MemoryChecker, RetainedStore};
use rollsnap_core::tar::{Kind, Member};
use rollsnap_core::{Report, Verdict};

use crate::store_v4::Dir;

/// Of a snapshot that comes in pieces of this size; at most `max_store` bytes of its store are kept.
#[track_caller]
pub fn of_snapshot(file: &[u8], piece: usize, max_store: u64) -> (Report, RetainedStore) {
    let (report, held) = by(MemoryChecker::in_memory(max_store), file, piece);
    let (spilled, _) = by(without_memory(max_store, usize::MAX), file, piece);
    assert_same(&report, &spilled);
    if max_store == DEFAULT_MAX_STORE && file.first() != Some(&0x1f) {
        let source = || {
            let mut copy = InMemory::default();
            copy.write_at(0, file).unwrap();
            let copy: Box<dyn Scratch> = Box::new(copy);
            copy
        };
        assert_same(&report, &by(without_memory(max_store, usize::MAX).in_place(source), file, piece).0);
    }
    (report, held)
}

/// The same, with no memory and at most so many bytes in each temporary space.
pub fn of_snapshot_within(file: &[u8], space: usize) -> Report {
    by(without_memory(DEFAULT_MAX_STORE, space), file, 1 << 16).0
}

/// Of files as if they were those of an intact snapshot without a header.
#[track_caller]
pub fn of_files(files: &Dir, max_store: u64) -> Report {
    let report = by_files(MemoryChecker::in_memory(max_store), files);
    assert_same(&report, &by_files(without_memory(max_store, usize::MAX), files));
    report
}

fn without_memory(max_store: u64, space: usize) -> MemoryChecker {
    MemoryChecker::with_space(max_store, 0, || Box::new(InMemory::new(space)))
}

#[track_caller]
fn assert_same(in_memory: &Report, spilled: &Report) {
    assert_eq!(format!("{in_memory:#?}"), format!("{spilled:#?}"));
}

fn by(mut checker: MemoryChecker, file: &[u8], piece: usize) -> (Report, RetainedStore) {
    let mut inspector = Inspector::new(Options::default());
    let mut hear = |event: Event<'_>| -> Result<(), ()> {
        checker.take(&event);
        Ok(())
    };
    for piece in file.chunks(piece.min(file.len().max(1))) {
        inspector.feed(piece, &mut hear).unwrap();
    }
    let mut report = inspector.finish(&mut hear).unwrap();
    let held = checker.complete(&mut report, MemoryChecker::PHASE, &mut Silent).unwrap();
    (report, held)
}

fn by_files(mut checker: MemoryChecker, files: &Dir) -> Report {
    for (name, content) in files {
        let member = Member {
            name: name.clone(),
            size: content.len() as u64,
            mode: 0o644,
            mtime: 0,
            header_offset: 0,
            data_offset: 0,
            kind: Kind::File,
        };
        checker.take(&Event::Member(&member));
        checker.take(&Event::Data(content));
        checker.take(&Event::MemberEnd { member: &member, sha256: None });
    }
    let mut report = Report::new();
    report.verdicts.intact = Verdict::Yes;
    report.members.complete = true;
    checker.complete(&mut report, MemoryChecker::PHASE, &mut Silent).unwrap();
    report
}
