//! What a pass over a snapshot gathers and judges, from files in memory.

use rollsnap_core::feedback::Silent;
use rollsnap_core::snapshot::{Event, Inspector, Options};
use rollsnap_core::store::{Gather, Held};
use rollsnap_core::tar::{Kind, Member};
use rollsnap_core::{Report, Verdict};

use crate::store_v4::Dir;

/// Of a snapshot that comes in pieces of this size; at most `max_store` bytes of its store are kept.
pub fn of_snapshot(file: &[u8], piece: usize, max_store: u64) -> (Report, Held) {
    let mut inspector = Inspector::new(Options::default());
    let mut gather = Gather::new(max_store);
    let mut hear = |event: Event<'_>| -> Result<(), ()> {
        gather.hear(&event);
        Ok(())
    };
    for piece in file.chunks(piece.min(file.len().max(1))) {
        inspector.feed(piece, &mut hear).unwrap();
    }
    let mut report = inspector.finish(&mut hear).unwrap();
    let held = gather.judge(&mut report, Gather::PHASE, &mut Silent).unwrap();
    (report, held)
}

/// Of files as if they were those of an intact snapshot without a header.
pub fn of_files(files: &Dir, max_store: u64) -> Report {
    let mut gather = Gather::new(max_store);
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
        gather.hear(&Event::Member(&member));
        gather.hear(&Event::Data(content));
        gather.hear(&Event::MemberEnd { member: &member, sha256: None });
    }
    let mut report = Report::new();
    report.verdicts.intact = Verdict::Yes;
    report.members.complete = true;
    gather.judge(&mut report, Gather::PHASE, &mut Silent).unwrap();
    report
}
