//! What the check of a snapshot in memory says, as the browser makes it.

use rollsnap_core::feedback::Silent;
use rollsnap_core::snapshot::{Event, Inspector, Options};
use rollsnap_core::store::{MemoryChecker, RetainedStore};
use rollsnap_core::tar::{Kind, Member};
use rollsnap_core::{Report, Verdict};

use crate::store_v4::Dir;

/// Of a snapshot that comes in pieces of this size; at most `max_store` bytes of its store are kept.
pub fn of_snapshot(file: &[u8], piece: usize, max_store: u64) -> (Report, RetainedStore) {
    let mut inspector = Inspector::new(Options::default());
    let mut checker = MemoryChecker::in_memory(max_store);
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

/// Of files as if they were those of an intact snapshot without a header.
pub fn of_files(files: &Dir, max_store: u64) -> Report {
    let mut checker = MemoryChecker::in_memory(max_store);
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
