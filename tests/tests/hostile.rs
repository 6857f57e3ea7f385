//! Files made to do harm: whatever they say, memory stays flat and the answer is no.

#![allow(clippy::std_instead_of_alloc, reason = "tests have all of std")]

use core::alloc::{GlobalAlloc, Layout};
use core::cell::Cell;
use std::alloc::System;

use rollsnap_core::gzip::Gzip;
use rollsnap_core::hash::{CommitmentHash, RollupAddress};
use rollsnap_core::report::MAX_CHECKS;
use rollsnap_core::snapshot::{Event, Inspector, NewMember, Options, Packing, Writer};
use rollsnap_core::tar::{BLOCK, END, Kind, Member, member_header};
use rollsnap_core::{Header, HistoryMode, Problem, Report, Result, Verdict, header};
use rollsnap_tests::reading::{FULL, LENIENT, codes, inspect};

const MIB: usize = 1 << 20;

/// What an inspection may allocate, whatever the file says: the window of the inflater, its
/// tables, the report.
const FLAT: usize = 2 * MIB;

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

/// Runs an inspection whose bytes `feed` makes on the fly; gives the report and the most memory
/// that was held on top of what was held before, in bytes.
fn measured(options: Options, feed: impl FnOnce(&mut dyn FnMut(&[u8]))) -> (Report, usize) {
    let before = LIVE.get();
    PEAK.set(before);
    let mut sink = |_: Event<'_>| -> Result<(), ()> { Ok(()) };
    let mut inspector = Inspector::new(options);
    feed(&mut |bytes| inspector.feed(bytes, &mut sink).unwrap());
    let report = inspector.finish(&mut sink).unwrap();
    (report, (PEAK.get() - before) as usize)
}

const NO_LIST: Options = Options { list: false, ..FULL };

#[test]
fn a_gibibyte_of_zeros_in_a_mebibyte() {
    let zeros = vec![0; 4 * MIB];
    let mut compressed = 0;
    let (report, peak) = measured(NO_LIST, |feed| {
        let out = |bytes: &[u8]| -> Result<(), Problem> {
            compressed += bytes.len();
            feed(bytes);
            Ok(())
        };
        let packing = Packing::Gzip { level: 1, flush_members: false };
        let mut writer = Writer::new(&head(), packing, out).unwrap();
        let size = 1 << 30;
        writer.member(NewMember { name: "context/store.0.suffix", size, mode: 0o644, mtime: 0 }).unwrap();
        for _ in 0..size as usize / zeros.len() {
            writer.data(&zeros).unwrap();
        }
        writer.finish().unwrap();
    });
    assert!(compressed < 8 * MIB, "{compressed}");
    assert_eq!(report.verdicts.intact, Verdict::Yes);
    assert_eq!(report.members.bytes, Some(1 << 30));
    assert_eq!(report.container.bytes, Some(header::LEN as u64 + (1 << 30) + 3 * BLOCK as u64));
    assert!(peak < FLAT, "{peak} bytes");
}

#[test]
fn a_bomb_behind_the_archive() {
    let zeros = vec![0; MIB];
    let (report, peak) = measured(LENIENT, |feed| {
        let mut out = |bytes: &[u8]| -> core::result::Result<(), ()> {
            feed(bytes);
            Ok(())
        };
        let mut gzip = Gzip::new(1);
        gzip.write(&head().to_bytes(), &mut out).unwrap();
        (0..128).for_each(|_| gzip.write(&zeros, &mut out).unwrap());
        gzip.finish(&mut out).unwrap();
    });
    assert_eq!(codes(&report), ["tar.trailing"]);
    assert_eq!(report.container.bytes, Some(header::LEN as u64 + 128 * MIB as u64));
    assert!(peak < FLAT, "{peak} bytes");
}

#[test]
fn endless_zeros_as_they_are() {
    let zeros = vec![0; MIB];
    for (start, code) in [(&head().to_bytes()[..], "tar.trailing"), (&[], "header.foreign")] {
        for options in [FULL, LENIENT] {
            let (report, peak) = measured(options, |feed| {
                feed(start);
                (0..1024).for_each(|_| feed(&zeros));
            });
            assert_eq!(codes(&report), [code]);
            assert!(peak < FLAT, "{peak} bytes");
        }
    }
}

#[test]
fn sizes_that_cannot_be() {
    for (size, code) in [
        (8 << 30, "tar.truncated"),
        (1 << 40, "tar.truncated"),
        ((1 << 63) - 1, "tar.size"),
        (1 << 63, "tar.size"),
        (u64::MAX, "tar.size"),
    ] {
        let file = [&head().to_bytes()[..], &member("context/a", size), &[0; 5000]].concat();
        for options in [FULL, LENIENT] {
            let (report, peak) = measured(options, |feed| feed(&file));
            assert_eq!(codes(&report), [code], "{size}");
            assert!(peak < FLAT, "{peak} bytes");
        }
    }
}

#[test]
fn a_size_in_base_256() {
    let mut block = member("context/a", 5);
    block[124..136].copy_from_slice(b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff");
    let file = [&head().to_bytes()[..], &with_checksum(block), &[0; 5000]].concat();
    for options in [FULL, LENIENT] {
        assert_eq!(codes(&inspect(&file, 100, options)), ["tar.number"]);
    }
}

/// 8 GiB are only announced with an extended header.
#[test]
fn a_large_size_in_twelve_digits() {
    let header = member("context/a", 8 << 30).split_off(2 * BLOCK);
    let file = [&head().to_bytes()[..], &header, &[0; 5000]].concat();
    assert_eq!(codes(&inspect(&file, 100, FULL)), ["tar.dialect"]);
    assert_eq!(codes(&inspect(&file, 100, LENIENT)), ["tar.dialect", "tar.truncated"]);
}

#[test]
fn an_endless_file_name_in_the_gzip_header() {
    let name = vec![b'a'; MIB];
    for flags in [8, 16] {
        let (report, peak) = measured(FULL, |feed| {
            feed(&[0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 0xff]);
            (0..64).for_each(|_| feed(&name));
        });
        assert_eq!(codes(&report), ["gzip.truncated"]);
        assert!(peak < FLAT, "{peak} bytes");
    }
}

#[test]
fn a_million_extended_headers() {
    let extended = member("context/a", 8 << 30);
    let pieces = extended[..2 * BLOCK].repeat(1000);
    let (report, peak) = measured(FULL, |feed| {
        feed(&head().to_bytes());
        feed(&pieces);
    });
    assert_eq!(codes(&report), ["tar.pax"]);
    assert!(peak < FLAT, "{peak} bytes");
    let (report, peak) = measured(LENIENT, |feed| {
        feed(&head().to_bytes());
        (0..1000).for_each(|_| feed(&pieces));
    });
    assert_eq!(report.verdicts.intact, Verdict::No);
    assert_eq!(report.checks.len(), MAX_CHECKS);
    assert_eq!(report.checks_left_out, 1_000_000 - MAX_CHECKS as u64 + 1);
    assert!(peak < FLAT, "{peak} bytes");
}

/// The longest payload of an extended header, and a name that only a lenient reader would take.
#[test]
fn names_without_end() {
    for (length, code) in [(4096, "tar.truncated"), (4097, "tar.name-form"), (65_000, "tar.name-form")] {
        let name = "d/".repeat(length).split_off(length);
        let record = format!("path={name}\n");
        let record = format!("{} {record}", record.len() + 1 + digits(record.len()));
        let mut block = member("paxheader", record.len() as u64);
        block[156] = b'x';
        let mut file = [&head().to_bytes()[..], &with_checksum(block), record.as_bytes()].concat();
        file.resize(header::LEN + BLOCK + record.len().next_multiple_of(BLOCK), 0);
        file.extend(member("context/a", 0));
        let (report, peak) = measured(LENIENT, |feed| feed(&file));
        assert_eq!(codes(&report).last(), Some(&code), "{length}");
        assert!(peak < FLAT, "{peak} bytes");
        assert_eq!(codes(&inspect(&file, 512, FULL)), ["tar.pax"]);
    }
    let mut block = member("paxheader", 65_537);
    block[156] = b'x';
    let file = [&head().to_bytes()[..], &with_checksum(block)].concat();
    assert_eq!(codes(&inspect(&file, 512, LENIENT)), ["tar.pax"]);
}

fn digits(length: usize) -> usize {
    (1..8).find(|digits| (length + 1 + digits).to_string().len() == *digits).unwrap()
}

#[test]
fn a_hundred_thousand_members_with_the_longest_names() {
    let (report, peak) = measured(NO_LIST, |feed| {
        feed(&head().to_bytes());
        for number in 0..100_000 {
            feed(&member(&format!("context/{number:092}"), 0));
        }
        feed(&END);
    });
    assert_eq!(report.verdicts.intact, Verdict::Yes);
    assert_eq!(report.members.count, Some(100_000));
    // 16 bytes for each name, and what a tree of them costs.
    assert!(peak < FLAT + 100_000 * 40, "{peak} bytes");
}

/// Each name brings fifty new directories: they count as well.
#[test]
fn deep_nesting_is_bounded() {
    let limits = Options { max_members: 10_000, ..NO_LIST };
    let (report, peak) = measured(limits, |feed| {
        feed(&head().to_bytes());
        for number in 0..9_000 {
            feed(&member(&format!("{number:04}/{}x", "d/".repeat(47)), 0));
        }
        feed(&END);
    });
    assert_eq!(codes(&report), ["tar.members"]);
    assert!(peak < FLAT, "{peak} bytes");
    let few = [&head().to_bytes()[..], &member(&format!("{}x", "d/".repeat(49)), 0), &END].concat();
    assert_eq!(inspect(&few, 100, FULL).verdicts.intact, Verdict::Yes);
}

#[test]
fn too_many_members() {
    let mut file = head().to_bytes().to_vec();
    (0..11).for_each(|number| file.extend(member(&format!("context/{number}"), 0)));
    file.extend(END);
    let limits = |max_members| Options { max_members, ..FULL };
    assert_eq!(codes(&inspect(&file, 100, limits(10))), ["tar.members"]);
    assert_eq!(inspect(&file, 100, limits(11)).verdicts.intact, Verdict::Yes);
}

#[test]
fn every_truncation_is_noticed() {
    for packing in [Packing::Plain, Packing::Gzip { level: 6, flush_members: true }] {
        let file = small(packing);
        assert_eq!(inspect(&file, 1000, FULL).verdicts.intact, Verdict::Yes);
        for length in 0..file.len() {
            for options in [FULL, LENIENT] {
                let report = inspect(&file[..length], 1000, options);
                assert_eq!(report.verdicts.intact, Verdict::No, "{packing:?} {length}");
                assert_eq!(codes(&report).len(), 1, "{packing:?} {length}: {:?}", codes(&report));
            }
        }
    }
}

/// Every other value of every byte that is not content: the member header, padding, the end.
#[test]
fn every_changed_byte_of_the_archive_is_noticed() {
    let file = small(Packing::Plain);
    let content = header::LEN + BLOCK..header::LEN + BLOCK + CONTENT.len();
    for at in (header::LEN..file.len()).filter(|at| !content.contains(at)) {
        let mut bad = file.clone();
        for value in 0..=255 {
            bad[at] = value;
            let verdict = inspect(&bad, 1000, NO_LIST).verdicts.intact;
            assert_eq!(verdict == Verdict::Yes, value == file[at], "byte {at} = {value}");
        }
    }
}

/// However many bytes of it are not zero, and in however many pieces they come.
#[test]
fn a_dirty_padding_is_said_once() {
    let mut file = small(Packing::Plain);
    let start = header::LEN + BLOCK + CONTENT.len();
    file[start..start + 100].fill(1);
    let whole = inspect(&file, usize::MAX, LENIENT);
    assert_eq!(codes(&whole), ["tar.padding"]);
    assert_eq!(inspect(&file, 1, LENIENT), whole);
}

/// A file of something else that is gzipped is called what it is, and nothing more.
#[test]
fn a_foreign_file_is_not_also_called_truncated() {
    for (first, code) in [
        (&b"OCTEZ_EVM_node_snapshot\x01"[..], "header.evm-node"),
        (b"SQLite format 3\0", "header.foreign"),
        (b"\x01\x01", "header.version"),
        (b"\0\x07", "header.history-mode"),
    ] {
        let mut file = Vec::new();
        let mut out = |bytes: &[u8]| -> core::result::Result<(), ()> {
            file.extend_from_slice(bytes);
            Ok(())
        };
        let mut gzip = Gzip::new(6);
        gzip.write(first, &mut out).unwrap();
        gzip.write(&[7; 300_000], &mut out).unwrap();
        gzip.finish(&mut out).unwrap();
        for piece in [1, 100, usize::MAX] {
            let report = inspect(&file, piece, FULL);
            assert_eq!(codes(&report), [code]);
            assert_eq!(report.container.bytes, None);
        }
    }
}

const CONTENT: &[u8] = b"{}\n";

fn small(packing: Packing) -> Vec<u8> {
    let mut file = Vec::new();
    let out = |bytes: &[u8]| -> Result<(), Problem> {
        file.extend_from_slice(bytes);
        Ok(())
    };
    let mut writer = Writer::new(&head(), packing, out).unwrap();
    writer.member(NewMember { name: "metadata", size: 3, mode: 0o644, mtime: 1_700_000_000 }).unwrap();
    writer.data(CONTENT).unwrap();
    writer.finish().unwrap();
    file
}

fn head() -> Header {
    Header {
        layout: header::Layout::Versioned,
        history_mode: HistoryMode::Full,
        rollup_address: RollupAddress::new([5; 20]),
        head_level: 77,
        last_commitment: CommitmentHash::new([6; 32]),
    }
}

fn member(name: &str, size: u64) -> Vec<u8> {
    let (name, kind) = (name.into(), Kind::File);
    let member = Member { name, size, mode: 0o400, mtime: 0, kind, header_offset: 0, data_offset: 0 };
    member_header(&member).unwrap()
}

/// The block with its checksum made right.
fn with_checksum(mut block: Vec<u8>) -> Vec<u8> {
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:07o}\0").as_bytes());
    block
}
