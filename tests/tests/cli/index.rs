//! The checkpoint index from outside: whatever it says, the answers are those of reading from front to end.

#![allow(clippy::std_instead_of_alloc, reason = "tests have all of std")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use proptest::prelude::*;
use rollsnap::source::Source;
use rollsnap_core::feedback::{Phase, Silent};
use rollsnap_core::report::{Check, Status};
use rollsnap_core::snapshot::{self, Event};
use rollsnap_core::{Problem, Report};
use rollsnap_tests::cli::Ground;
use rollsnap_tests::fixtures::{self, sha256};
use rollsnap_tests::indexed::{content, foreign, own, without_index};
use rollsnap_tests::reading::{FULL, inspect};
use serde_json::Value;
use zlib_rs::{Inflate, InflateFlush};

/// What Python finds: name and SHA-256 of each member, in order.
const PYTHON: &str = "
import gzip, hashlib, io, sys, tarfile
content = gzip.open(sys.argv[1]).read()
for member in (archive := tarfile.open(fileobj=io.BytesIO(content[58:]))):
    print(member.name, hashlib.sha256(archive.extractfile(member).read()).hexdigest())
";

fn python(path: &str) -> Vec<(String, String)> {
    let output = Command::new("python3").args(["-c", PYTHON, path]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let pairs = text.lines().map(|line| line.split_once(' ').unwrap());
    pairs.map(|(name, hash)| (name.into(), hash.into())).collect()
}

/// One pass in this process: the report, and the bytes of all members with their names.
fn pass(mut source: Source, options: snapshot::Options) -> (Report, String) {
    let phase = Phase::only("");
    let mut all = Vec::new();
    let mut sink = |event: Event<'_>| -> Result<(), Problem> {
        match event {
            Event::Member(member) => all.extend_from_slice(member.name.as_bytes()),
            Event::Data(data) => all.extend_from_slice(data),
            _ => {}
        }
        Ok(())
    };
    let report = source.inspect(options, phase, &mut Silent, &mut sink).unwrap();
    (report, sha256(&all))
}

fn pass_over(path: &str) -> (Report, String) {
    pass(
        Source::open(Path::new(path), &mut Silent).unwrap(),
        snapshot::Options { list: true, ..Default::default() },
    )
}

/// The report without what it says of the index, and that.
fn split(mut report: Report) -> (Report, Vec<Check>) {
    let (index, rest) = report.checks.into_iter().partition(|check| check.code.as_str() == "gzip.index");
    report.checks = rest;
    (report, index)
}

#[test]
fn an_index_changes_nothing_but_the_time() {
    let ground = Ground::new();
    let content = content();
    let (own, foreign) = (own(&content), foreign(&ground, &content));
    let path = ground.at("snapshot");
    for (with, without, sidecar) in [(&own, &without_index(&own), false), (&foreign, &foreign, true)] {
        fs::write(&path, without).unwrap();
        let (expected, all) = pass_over(&path);
        let verify = ["verify", "--context", "none", "--json", &path];
        let list = ["ls", "--sha256", "--json", &path];
        let verified = ground.run(&verify).json();
        let listed = ground.run(&list).ok().json();
        let rows = ground.run(&["ls", &path]).ok();
        assert_eq!(rows.err, "");

        fs::write(&path, with).unwrap();
        if sidecar {
            let run = ground.run(&["index", "--span", "1", &path]).ok();
            assert!(run.text().ends_with(&format!("in {path}.idx\n")), "{run}");
        }
        let (report, read) = pass_over(&path);
        assert_eq!((&report, &read), (&expected, &all));
        let same = |mut a: Value, mut b: Value| {
            [&mut a, &mut b]
                .into_iter()
                .for_each(|value| drop(value.as_object_mut().unwrap().remove("phases")));
            assert_eq!(a, b);
        };
        same(ground.run(&verify).json(), verified);
        same(ground.run(&list).ok().json(), listed);
        assert_eq!(ground.run(&["ls", "--check", &path]).ok().out, rows.out);

        // Without contents: the same rows, and what was not checked is said.
        let run = ground.run(&["ls", &path]).ok();
        assert_eq!(run.out, rows.out);
        assert!(run.err.contains("not checked: the contents of members"), "{run}");
        let json = ground.run(&["ls", "--json", &path]).ok().json();
        assert_eq!(json["verdicts"]["intact"], "unknown");
        assert_eq!(json["members"]["complete"], true);
        assert_eq!(json["members"]["count"], expected.members.count.unwrap());

        let members = python(&path);
        assert_eq!(members.len(), 242);
        for (name, hash) in members.iter().step_by(40).chain(members.last()) {
            let run = ground.run(&["cat", &path, name]).ok();
            assert_eq!(sha256(&run.out), *hash, "{name}");
        }
        ground.run(&["cat", &path, "nothing"]).refused(2, "[member.unknown]");
        let target = ground.at(if sidecar { "foreign" } else { "own" });
        ground.run(&["extract", &path, "-C", &target]).ok();
        for (name, hash) in &members {
            assert_eq!(sha256(&fs::read(format!("{target}/{name}")).unwrap()), *hash, "{name}");
        }
    }
}

/// Every byte of the index, and every number of it with a right checksum.
#[test]
fn a_wrong_index_in_the_header_is_told_and_changes_nothing() {
    let ground = Ground::new();
    let own = own(&content());
    let path = ground.at("snapshot");
    fs::write(&path, without_index(&own)).unwrap();
    let (expected, all) = pass_over(&path);
    let (points, length) = lengths(&own[16..]);
    assert!(length > points + 2 + 3 * 9 + 4, "there are waypoints");
    let mut warned = 0;
    for at in 16..16 + length + 4 {
        for sealed in [false, true] {
            let mut file = own.clone();
            file[at] ^= 0x11;
            if sealed {
                let crc = crc32(&file[16..16 + length]).to_be_bytes();
                file[16 + length..16 + length + 4].copy_from_slice(&crc);
            }
            fs::write(&path, &file).unwrap();
            let (report, read) = pass_over(&path);
            let (report, index) = split(report);
            assert_eq!((&report, &read), (&expected, &all), "byte {at}, {sealed}");
            warned += usize::from(index.iter().any(|check| check.status == Status::Warning));
            // With a right checksum, waypoints are not looked at by who reads all.
            assert!(!index.is_empty() || (sealed && at >= 16 + points), "byte {at}, {sealed}");
            let found = find(&path, "wasm_2_0_0/last");
            assert!(matches!(found.as_deref(), None | Some(b"the end\n")), "byte {at}, {sealed}");
        }
    }
    assert!(warned >= length + 4 + points, "{warned}");
}

/// How long an index is without what it knows of members, and without its checksum.
fn lengths(index: &[u8]) -> (usize, usize) {
    assert_eq!(index[4..6], [2, 0]);
    let points = 40 + 8 * u32::from_be_bytes(index[8..12].try_into().unwrap()) as usize;
    let count = u16::from_be_bytes([index[points], index[points + 1]]);
    let length = (0..count).fold(points + 2, |at, _| at + 9 + usize::from(index[at + 8]));
    // And no table of all members.
    assert_eq!(index[length..length + 4], [0; 4]);
    (points, length + 4)
}

/// What an index leads to, if it does.
fn find(path: &str, name: &str) -> Option<Vec<u8>> {
    let (mut all, mut met) = (Vec::new(), false);
    let mut sink = |event: Event<'_>| -> Result<(), Problem> {
        match event {
            Event::Member(member) => met |= member.name == name,
            Event::Data(data) => all.extend_from_slice(data),
            _ => {}
        }
        Ok(())
    };
    let phase = Phase::only("");
    let (mut source, options) =
        (Source::open(Path::new(path), &mut Silent).unwrap(), snapshot::Options::default());
    let report = source.find(&BTreeSet::from([name]), false, options, phase, &mut Silent, &mut sink).unwrap();
    report.filter(|_| met).map(|_| all)
}

/// All members are found, and no others are.
#[test]
fn members_are_found_without_looking_at_all() {
    let ground = Ground::new();
    let content = content();
    let path = ground.at("snapshot");
    fs::write(&path, own(&content)).unwrap();
    for (name, hash) in python(&path) {
        assert_eq!(sha256(&find(&path, &name).unwrap()), hash, "{name}");
    }
    for name in ["", "a", "wasm_2_0_0", "wasm_2_0_0/0", "wasm_2_0_0/last ", "zzz"] {
        assert_eq!(find(&path, name), None, "{name}");
    }
}

#[test]
fn a_stale_or_foreign_index_is_told_and_ignored() {
    let ground = Ground::new();
    let content = content();
    let file = foreign(&ground, &content);
    let path = ground.at("snapshot");
    fs::write(&path, &file).unwrap();
    ground.run(&["index", "--span", "1", &path]).ok();
    let index = fs::read(ground.at("snapshot.idx")).unwrap();

    // Another file under the same name, as long as the first.
    let mut other = content.clone();
    other[58 + 512 + 3] ^= 1;
    let mut other = foreign(&ground, &other);
    other.resize(file.len(), 0);
    fs::write(&path, &other).unwrap();
    let (report, _) = pass_over(&path);
    let (_, remarks) = split(report);
    assert!(remarks.iter().all(|check| check.status == Status::Warning));
    let run = ground.run(&["verify", "--context", "none", &path]);
    assert!(run.text().contains("gzip."), "{run}");

    fs::write(&path, &file).unwrap();
    fs::remove_file(ground.at("snapshot.idx")).unwrap();
    let (expected, all) = pass_over(&path);
    // The head and the rows, some of the windows and of the members.
    let table = u64::from_be_bytes(index[32..40].try_into().unwrap()) as usize;
    let members = table + 32 * u32::from_be_bytes(index[8..12].try_into().unwrap()) as usize;
    let places = (0..40).chain((table..members + 8).step_by(3));
    for at in places.chain((40..table).step_by(table / 20)).chain((members..index.len()).step_by(397)) {
        let mut wrong = index.clone();
        wrong[at] ^= 0x21;
        let end = wrong.len() - 4;
        let crc = crc32(&[&wrong[..40], &wrong[table..end]].concat()).to_be_bytes();
        wrong[end..].copy_from_slice(&crc);
        fs::write(ground.at("snapshot.idx"), &wrong).unwrap();
        let (report, read) = pass_over(&path);
        let (report, remarks) = split(report);
        assert_eq!((&report, &read), (&expected, &all), "byte {at}");
        // Not every bit of a window says something, and what stands behind its end does not.
        let length = (table..members).contains(&at) && (20..24).contains(&((at - table) % 32));
        assert!(remarks.len() == 1 || (40..table).contains(&at) || length || at >= members, "byte {at}");
    }
    for cut in [0, 1, 39, 40, 500, table, index.len() - 1] {
        fs::write(ground.at("snapshot.idx"), &index[..cut]).unwrap();
        let (report, remarks) = split(pass_over(&path).0);
        assert_eq!((report, remarks.len()), (expected.clone(), 1), "{cut}");
    }
    let run = ground.run(&["ls", &path]).ok();
    assert_eq!(run.text().lines().count(), 242);
    let run = ground.run(&["verify", "--context", "none", &path]);
    assert!(run.err.contains("from front to end"), "{run}");
    assert!(run.text().contains("warning gzip.index"), "{run}");
}

/// A file that is damaged is told as it is without an index.
#[test]
fn damage_is_told_as_without_an_index() {
    let ground = Ground::new();
    let own = own(&content());
    let bare = without_index(&own);
    let path = ground.at("snapshot");
    let start = 16 + usize::from(u16::from_le_bytes([own[14], own[15]]));
    let places = (start..own.len()).step_by(own.len() / 20).chain(own.len() - 9..own.len());
    let (mut damaged, many) = (0, places.clone().count());
    for at in places {
        let outcome = |file: &[u8]| {
            let mut file = file.to_vec();
            file[at] ^= 0x40;
            fs::write(&path, &file).unwrap();
            pass_over(&path)
        };
        let (expected, all) = outcome(&bare);
        damaged += usize::from(expected.failures().next().is_some());
        assert_eq!(outcome(&own), (expected, all), "byte {at}");
    }
    // Not every bit of deflate data says something.
    assert!(damaged + 3 > many, "{damaged} of {many}");
    for cut in [start, own.len() / 2, own.len() - 8, own.len() - 1] {
        fs::write(&path, &bare[..cut]).unwrap();
        let expected = pass_over(&path);
        fs::write(&path, &own[..cut]).unwrap();
        assert_eq!(pass_over(&path), expected, "{cut}");
    }
}

#[test]
fn what_cannot_be_indexed_is_refused_and_leaves_nothing() {
    let ground = Ground::new();
    let content = content();
    let file = foreign(&ground, &content);
    fs::write(ground.at("good"), &file).unwrap();
    fs::write(ground.at("own"), own(&content)).unwrap();
    fs::write(ground.at("cut"), &file[..file.len() - 100]).unwrap();
    let mut damaged = file.clone();
    damaged[file.len() / 2] ^= 0xff;
    fs::write(ground.at("damaged"), &damaged).unwrap();
    fs::write(ground.at("empty"), b"").unwrap();
    fs::write(ground.at("trailing"), [&file[..], b"x"].concat()).unwrap();
    let before = ground.tree();
    ground.run_with(&["index", "-"], &file).refused(2, "standard input");
    ground.run(&["index", &ground.at("plain")]).refused(2, "is not compressed");
    ground.run(&["index", &ground.at("nowhere")]).refused(3, "[io.not-found]");
    ground.run(&["index", &ground.at("cut")]).refused(3, "[gzip.truncated]");
    ground.run(&["index", &ground.at("damaged")]).refused(3, "[gzip.");
    ground.run(&["index", &ground.at("empty")]).refused(3, "[file.empty]");
    ground.run(&["index", &ground.at("trailing")]).refused(3, "[gzip.trailing]");
    ground.run(&["index", &ground.at("good"), "--span", "0"]).ends(2);
    let run = ground.run(&["index", &ground.at("own")]).ends(6);
    assert!(run.text().contains("has an index in its header: 3 checkpoints"), "{run}");
    assert_eq!(ground.run(&["index", "--json", &ground.at("own")]).ends(6).json()["path"], Value::Null);
    ground.tree().same_as(&before, "nothing was made");

    let json = ground.run(&["index", "--json", &ground.at("good")]).ok().json();
    assert_eq!(json["path"], ground.at("good.idx"));
    assert_eq!(json["content_bytes"], content.len());
    assert_eq!(json["file_bytes"], file.len());
    let made = fs::read(ground.at("good.idx")).unwrap();
    assert_eq!(json["bytes"], made.len());
    assert_eq!(made[8..12], u32::to_be_bytes(json["checkpoints"].as_u64().unwrap() as u32));
    let before = ground.tree();
    let run = ground.run(&["index", &ground.at("good")]).ends(6);
    assert!(run.text().contains("good.idx, as it was"), "{run}");
    let json = ground.run(&["index", "--json", &ground.at("good")]).ends(6).json();
    assert!(json["found"] == true && json["bytes"] == made.len(), "{json}");
    ground.tree().same_as(&before, "an index that fits");
    ground.run(&["index", &ground.at("good"), "--span", "1"]).refused(4, "[output.exists]");
    fs::write(ground.at("good.idx"), b"mine").unwrap();
    ground.run(&["index", &ground.at("good")]).refused(4, "[output.exists]");
    assert_eq!(fs::read(ground.at("good.idx")).unwrap(), b"mine");
    ground.run(&["index", "--force", &ground.at("good")]).ok();
    assert_eq!(fs::read(ground.at("good.idx")).unwrap(), made);
    ground.run(&["index", &ground.at("good"), "-o", &ground.at("other")]).ok();
    assert_eq!(fs::read(ground.at("other")).unwrap(), made);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// The engine of the command line against that of the core, over streams that are damaged anywhere.
    #[test]
    fn both_engines_say_the_same(
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0_u8..8), 1..4),
        early: bool, cut in prop::option::of(any::<prop::sample::Index>()), piece in 1_usize..9000,
    ) {
        let mut file = fixtures::snapshot("origination.gz").file;
        for (at, bit) in changes {
            // Where codes are told, and anywhere.
            let at = if early { 10 + at.index(100) } else { at.index(file.len()) };
            file[at] ^= 1 << bit;
        }
        if let Some(cut) = cut {
            file.truncate(cut.index(file.len()) + 1);
        }
        let expected = inspect(&file, piece, FULL);
        let (found, _) = pass(Source::from_bytes("memory", file.clone()), FULL);
        // A block whose end has no code cannot end; zlib says so where it begins, the core when it has read on.
        prop_assert!(found == expected || has_no_end(&file), "{:?}\n{:?}", found, expected);
        prop_assert_eq!(found.verdicts, expected.verdicts);
    }
}

fn has_no_end(file: &[u8]) -> bool {
    let mut inflate = Inflate::new(true, 31);
    let mut out = vec![0; 1 << 24];
    let _ = inflate.decompress(file, &mut out, InflateFlush::NoFlush);
    inflate.error_message() == Some("invalid code -- missing end-of-block")
}

/// The CRC-32 of gzip, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 })
    })
}
