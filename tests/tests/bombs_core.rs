//! Small files that are large inside, read as a browser reads them: by the core alone, which keeps everything in
//! memory. What it takes is counted byte by byte.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::Cell;
use std::alloc::System;
use std::fs;

use rollsnap_core::feedback::Silent;
use rollsnap_core::snapshot::{Event, Inspector, Options};
use rollsnap_core::store::{DEFAULT_MAX_STORE, MemoryChecker};
use rollsnap_core::{Report, Verdict};
use rollsnap_tests::bomb::{Bomb, Content};
use rollsnap_tests::cli::Ground;
use rollsnap_tests::damaged::fix_checksum;
use rollsnap_tests::fixtures;

const V5: &str = "data-dir/v5-full.finalized.snapshot.gz";
const V4: &str = "data-dir/v4-full.head.snapshot.gz";
const MIB: u64 = 1 << 20;

/// What a tab may grow by.
const MOST: u64 = 100 * MIB;

/// Counts what each thread has allocated and has not freed.
struct Counting;

thread_local! {
    static LIVE: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

fn count(change: isize) {
    let live = LIVE.get() + change;
    LIVE.set(live);
    PEAK.set(PEAK.get().max(live));
}

// SAFETY: every call goes to the system's allocator as it is; the counters are plain cells of the
// thread that neither allocate nor have a destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Reads a snapshot in pieces, as the page does, and gives the report; within the limit.
fn gathered(bomb: &Bomb) -> Report {
    let ground = Ground::new();
    let file = fs::read(bomb.write(&ground, "bomb")).unwrap();
    assert!((file.len() as u64) < 8 * MIB, "{} bytes are no small file", file.len());
    let before = LIVE.get();
    PEAK.set(before);
    let mut inspector = Inspector::new(Options { list: false, ..Options::default() });
    let mut checker = MemoryChecker::in_memory(DEFAULT_MAX_STORE);
    let mut hear = |event: Event<'_>| -> Result<(), ()> {
        checker.take(&event);
        Ok(())
    };
    for piece in file.chunks(64 << 10) {
        inspector.feed(piece, &mut hear).unwrap();
    }
    let mut report = inspector.finish(&mut hear).unwrap();
    checker.complete(&mut report, MemoryChecker::PHASE, &mut Silent).unwrap();
    let peak = (PEAK.get() - before) as u64;
    eprintln!("{} KiB of a file of {} KiB", peak >> 10, file.len() >> 10);
    assert!(peak <= MOST, "{} MiB of a file of {} KiB", peak >> 20, file.len() >> 10);
    report
}

fn control(bomb: &Bomb, at: usize, value: u64) -> Vec<u8> {
    let mut control = bomb.bytes("context/store.control");
    control[at..at + 8].copy_from_slice(&value.to_be_bytes());
    fix_checksum(&mut control);
    control
}

#[test]
fn honest_snapshots() {
    for name in [V5, V4] {
        assert_eq!(gathered(&Bomb::of(name)).verdicts.consistent, Verdict::Yes, "{name}");
    }
}

#[test]
fn dictionary() {
    let bomb = Bomb::of(V5);
    let end = bomb.bytes("context/store.dict").len() as u64 + 128 * MIB;
    let control = control(&bomb, 8, end);
    let bomb = bomb.go_on("context/store.dict", &[0; 1024], 128 << 10);
    gathered(&bomb.put_bytes("context/store.control", control));
}

#[test]
fn index() {
    let bomb = Bomb::of(V5);
    let log = bomb.bytes("context/index/log");
    let times = 4_000_000;
    let lead = [&(45 * times + log.len() as u64 - 32).to_be_bytes(), &log[8..]].concat();
    let zeros = Content::Repeated { lead: lead.clone(), unit: vec![0; 45], times };
    gathered(&bomb.put("context/index/log", zeros));
    let times = 600_000_u64;
    let lead = [&(45 * times + log.len() as u64 - 32).to_be_bytes(), &log[8..]].concat();
    let make = |number: u64| [&number.to_be_bytes()[..], &[7; 37]].concat();
    let counted = Content::Counted { lead, make: Box::new(make), times };
    gathered(&Bomb::of(V5).put("context/index/log", counted));
}

#[test]
fn objects() {
    let nothing = fixtures::unhex("81e47a19e6b29b0a65b9591762ce5143ed30d0261e5d24a3201752506b20f15c");
    for kind in *b"BROD" {
        let bomb = Bomb::of(V5);
        let object = [&nothing[..], &[kind, 0]].concat();
        let times = 128 * MIB / 34;
        let end = bomb.bytes("context/store.1.suffix").len() as u64 + 34 * times;
        let control = control(&bomb, 16, end);
        let bomb = bomb.go_on("context/store.1.suffix", &object, times);
        let report = gathered(&bomb.put_bytes("context/store.control", control));
        assert_ne!(report.verdicts.consistent, Verdict::Yes);
    }
}

/// The contexts of the kind riscv name files by their hashes, and a commit names its chunks.
#[test]
fn chunks() {
    let times = 4 * MIB;
    let lead = times.to_le_bytes().to_vec();
    let name = format!("context/{}", "7".repeat(64));
    let zeros = Content::Repeated { lead: lead.clone(), unit: vec![0; 32], times };
    gathered(&Bomb::of(V5).put(&name, zeros));
    let times = 600_000_u64;
    let lead = times.to_le_bytes().to_vec();
    let make = |number: u64| [&number.to_be_bytes()[..], &[7; 24]].concat();
    gathered(&Bomb::of(V5).put(&name, Content::Counted { lead, make: Box::new(make), times }));
}

#[test]
fn members() {
    let pages = Bomb::of(V5).empty_members(250_000, |number| format!("wasm_2_0_0/{number:066x}"));
    assert_eq!(gathered(&pages).verdicts.consistent, Verdict::No);
    gathered(
        &Bomb::of(V5).empty_members(100_000, |number| format!("context/store.{}.suffix", number + 1000)),
    );
    gathered(&Bomb::of(V5).empty_members(100_000, |number| format!("strange/{number}")));
}

#[test]
fn stores() {
    for (original, name) in [(V5, "store.sqlite"), (V4, "storage/messages/data")] {
        let zeros = Content::Repeated { lead: vec![], unit: vec![0; 1 << 20], times: 400 };
        let report = gathered(&Bomb::of(original).put(name, zeros));
        assert_eq!(report.verdicts.consistent, Verdict::Unknown);
        let why = report.checks.iter().any(|check| check.text.contains("a file of this size"));
        assert!(why, "{:?}", report.checks);
    }
}

#[test]
fn logs_of_version_4() {
    let bomb = Bomb::of(V4);
    let lead = bomb.bytes("storage/inboxes/1/index/index/log");
    let times = 380_000_u64;
    let lead = [&(40 * times).to_be_bytes(), &lead[8..32]].concat();
    let log = Content::Repeated { lead, unit: vec![0; 40], times };
    gathered(&bomb.put("storage/inboxes/2/index/index/log", log));
}
