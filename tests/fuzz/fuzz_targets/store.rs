//! Any members are judged without panic: a verdict that its checks bear out, and the same one
//! however their bytes are cut.
//!
//! The input is one byte, whether the file around the members is intact and whole, and members: one byte for
//! the name, three for the length (big-endian), content.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rollsnap_core::feedback::Silent;
use rollsnap_core::report::Report;
use rollsnap_core::snapshot::Event;
use rollsnap_core::store::MemoryChecker;
use rollsnap_core::tar::{Kind, Member};
use rollsnap_core::{Header, Verdict};

const NAMES: [&str; 35] = [
    "metadata",
    "store.sqlite",
    "storage/version",
    "context/index/log",
    "context/index/data",
    "wasm_2_0_0/0086ac358a16c43f8e6ed7fb4db2193fa28ca5b8b6b8d7d8e9e0a0b5f6c1a2b3c4",
    "arith/00",
    "context/SRCo",
    "something else",
    "storage/irmin_store/store.control",
    "storage/l2_head",
    "storage/last_finalized_level",
    "storage/lcc",
    "storage/gc_levels",
    "storage/history_mode",
    "storage/l2_blocks/data",
    "storage/l2_blocks/index/index/log",
    "storage/l2_blocks/1/data",
    "storage/l2_blocks/1/index/index/log",
    "storage/l2_blocks/1/index/index/data",
    "storage/messages/data",
    "storage/messages/index/index/log",
    "storage/messages/1/data",
    "storage/messages/1/index/index/log",
    "storage/inboxes/data",
    "storage/inboxes/index/index/log",
    "storage/inboxes/1/data",
    "storage/inboxes/1/index/index/log",
    "storage/commitments/data",
    "storage/commitments/index/index/log",
    "storage/commitments/1/data",
    "storage/commitments/1/index/index/log",
    "storage/levels_to_hashes/index/log",
    "storage/levels_to_hashes.1/index/log",
    "storage/commitments_published_at_level/index/log",
];

fuzz_target!(|bytes: &[u8]| {
    let Some((&intact, members)) = bytes.split_first() else { return };
    let whole = judge(intact, members, usize::MAX);
    assert_eq!(judge(intact, members, 97), whole);
    let fails = whole.failures().next().is_some();
    match whole.verdicts.consistent {
        Verdict::Yes => assert!(!fails && whole.verdicts.intact == Verdict::Yes),
        Verdict::No => assert!(fails),
        Verdict::Unknown => assert!(!fails && !whole.checks.is_empty()),
    }
});

fn judge(intact: u8, mut bytes: &[u8], piece: usize) -> Report {
    let mut checker = MemoryChecker::in_memory(1 << 20);
    let mut report = Report::new();
    report.verdicts.intact = if intact & 1 == 1 { Verdict::Yes } else { Verdict::No };
    report.members.complete = intact & 2 == 0;
    while let Some((&[name, a, b, c], rest)) = bytes.split_first_chunk() {
        let size = u32::from_be_bytes([0, a, b, c]) as usize;
        let (content, rest) = rest.split_at(size.min(rest.len()));
        bytes = rest;
        if name == u8::MAX {
            report.header = Header::parse(content).ok();
            continue;
        }
        let member = Member {
            name: NAMES[usize::from(name) % NAMES.len()].into(),
            size: size as u64,
            mode: 0o644,
            mtime: 0,
            kind: Kind::File,
            header_offset: 0,
            data_offset: 0,
        };
        checker.take(&Event::Member(&member));
        for piece in content.chunks(piece) {
            checker.take(&Event::Data(piece));
        }
        if content.len() == size {
            checker.take(&Event::MemberEnd { member: &member, sha256: None });
        }
    }
    checker.complete(&mut report, MemoryChecker::PHASE, &mut Silent).unwrap();
    report
}
