//! Every snapshot that the OCaml libraries wrote is read as they read it.

#![allow(clippy::std_instead_of_alloc, reason = "tests have all of std")]

use rollsnap_core::header::Layout;
use rollsnap_core::report::Compression;
use rollsnap_core::{Header, Report, Verdict};
use rollsnap_tests::fixtures::{self, Record, Snapshot, unhex};
use rollsnap_tests::reading::{FULL, codes, inspect};

/// Sizes around the limits of the readers: two bytes of magic, the header, the first member
/// header, a tar block, a file that comes at once.
const PIECES: [usize; 7] = [7, 57, 58, 512, 570, 65_536, usize::MAX];

#[test]
fn the_fixtures_are_there() {
    let snapshots = fixtures::snapshots();
    assert_eq!(snapshots.len(), 17);
    assert_eq!(snapshots.iter().filter(|snapshot| snapshot.record.compressed).count(), 15);
}

#[test]
fn every_snapshot_is_intact_and_says_what_was_recorded() {
    for Snapshot { name, file, record } in fixtures::snapshots() {
        for piece in PIECES {
            let report = inspect(&file, piece, FULL);
            let place = format!("{name} in pieces of {piece}");
            assert_eq!(codes(&report), [""; 0], "{place}");
            assert_eq!(report.verdicts.intact, Verdict::Yes, "{place}");
            assert_eq!(report.verdicts.consistent, Verdict::Unknown, "{place}");
            assert_eq!(report.verdicts.anchored, Verdict::Unknown, "{place}");
            assert_eq!(report.container.compressed_bytes, Some(record.size), "{place}");
            same_contents(&report, &record, 0, &place);
            same_header(report.header.as_ref().unwrap(), &record, &place);
        }
    }
}

/// One byte at a time, for one file of each kind: the slowest way there is.
#[test]
fn single_bytes_will_do() {
    for name in ["origination.gz", "archive-readdir.uncompressed"] {
        let Snapshot { file, record, .. } = fixtures::snapshot(name);
        let report = inspect(&file, 1, FULL);
        assert_eq!(report.verdicts.intact, Verdict::Yes, "{name}");
        same_contents(&report, &record, 0, name);
    }
}

#[test]
fn the_unversioned_form_is_recognised() {
    for Snapshot { name, file, record } in fixtures::snapshots() {
        if record.compressed {
            continue;
        }
        for piece in PIECES {
            let report = inspect(&file[1..], piece, FULL);
            let header = report.header.as_ref().unwrap();
            assert_eq!(header.layout, Layout::Unversioned, "{name}");
            assert_eq!(header.to_bytes().as_slice(), unhex(&record.header), "{name}");
            assert_eq!(report.checks[0].code.as_str(), "header.unversioned", "{name}");
            same_contents(&report, &record, 1, &name);
        }
    }
}

/// The JSON form, by the names that are promised.
#[test]
fn the_report_is_json_of_the_promised_form() {
    let Snapshot { file, record, .. } = fixtures::snapshot("octez-full.gz");
    let json = serde_json::to_value(inspect(&file, 4096, FULL)).unwrap();
    assert_eq!(json["schema"], "rollsnap.report/1");
    assert_eq!(json["header"]["layout"], "versioned");
    assert_eq!(json["header"]["version"], 0);
    assert_eq!(json["header"]["history_mode"], "full");
    // The address and the hash of the record, by Python.
    assert_eq!(json["header"]["rollup_address"], BASE58_OF_OCTEZ_FULL.0);
    assert_eq!(json["header"]["last_commitment"], BASE58_OF_OCTEZ_FULL.1);
    assert_eq!(json["header"]["head_level"], record.head_level);
    assert_eq!(json["container"]["compression"], "gzip");
    assert_eq!(json["container"]["compressed_bytes"], record.size);
    assert_eq!(json["container"]["bytes"], record.decompressed_size);
    assert_eq!(json["members"]["count"], record.members.len());
    assert_eq!(json["members"]["list"][0]["sha256"], record.members[0].sha256);
    assert_eq!(json["verdicts"]["intact"], "yes");
    assert_eq!(json["verdicts"]["consistent"], "unknown");
    assert_eq!(json["verdicts"]["anchored"], "unknown");
    assert!(json["checks"].as_array().unwrap().iter().all(|check| check["status"] == "yes"));
}

const BASE58_OF_OCTEZ_FULL: (&str, &str) =
    ("sr16ctdV97NULJZ35yvwrBg1ik9xKLAV9Bwb", "src14GRTihkpfpVdjLK77Yb8vzHrHpHQMoke7TpWyDNTdFsde99KgZ");

fn same_header(header: &Header, record: &Record, place: &str) {
    let bytes = unhex(&record.header);
    assert_eq!(header.layout, Layout::Versioned, "{place}");
    assert_eq!(header.history_mode.as_str(), record.history_mode, "{place}");
    assert_eq!(header.head_level, record.head_level, "{place}");
    assert_eq!(header.rollup_address.as_bytes(), &bytes[2..22], "{place}");
    assert_eq!(header.last_commitment.as_bytes(), &bytes[26..], "{place}");
    assert_eq!(header.to_bytes().as_slice(), bytes, "{place}");
    if let Some(address) = &record.rollup_address {
        assert_eq!(&header.rollup_address.to_string(), address, "{place}");
    }
    if let Some(commitment) = &record.commitment {
        assert_eq!(&header.last_commitment.to_string(), commitment, "{place}");
    }
}

/// Container and members; the stream lacks its first `less` bytes.
fn same_contents(report: &Report, record: &Record, less: u64, place: &str) {
    let compression = if record.compressed { Compression::Gzip } else { Compression::None };
    assert_eq!(report.container.compression, Some(compression), "{place}");
    assert_eq!(report.container.bytes, Some(record.decompressed_size - less), "{place}");
    assert!(report.members.complete, "{place}");
    assert_eq!(report.members.count, Some(record.members.len() as u64), "{place}");
    assert_eq!(report.members.bytes, Some(record.members.iter().map(|m| m.size).sum()), "{place}");
    let list = report.members.list.as_ref().unwrap();
    assert_eq!(list.len(), record.members.len(), "{place}");
    let mut offset = 58 - less;
    for (found, known) in list.iter().zip(&record.members) {
        let place = format!("{place}: {}", known.name);
        assert_eq!(found.name, known.name, "{place}");
        assert_eq!(found.size, known.size, "{place}");
        assert_eq!(found.mode, u32::from_str_radix(&known.mode, 8).unwrap(), "{place}");
        assert_eq!(i64::try_from(found.mtime), Ok(known.mtime), "{place}");
        assert_eq!(found.sha256.as_deref(), Some(&*known.sha256), "{place}");
        assert_eq!(found.offset, offset + 512, "{place}");
        offset = found.offset + known.size.next_multiple_of(512);
    }
}
