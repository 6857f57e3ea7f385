//! The index beside a file: what it knows, what it may cost, and that what is wrong with it changes nothing.

#![allow(clippy::std_instead_of_alloc, reason = "tests have all of std")]

use std::fs;
use std::path::Path;
use std::process::Command;

use rollsnap::index;
use rollsnap_core::feedback::Silent;
use rollsnap_core::gzip::checkpoint::Index;
use rollsnap_tests::cli::{Ground, Run};
use rollsnap_tests::fixtures::sha256;
use rollsnap_tests::indexed::{SUFFIX, archive, foreign, members, own_of};
use serde_json::Value;

/// A snapshot whose members are in no order, as a node writes it, with an index beside it.
fn unsorted(ground: &Ground) -> (Vec<(String, Vec<u8>)>, Vec<u8>) {
    let mut members = members();
    members.rotate_left(41);
    members[..200].reverse();
    let large = members.pop().unwrap();
    members.insert(120, large);
    let file = foreign(ground, &archive(&members));
    fs::write(ground.path("snapshot"), &file).unwrap();
    ground.run(&["index", "--span", "1", "snapshot"]).ok();
    (members, file)
}

/// The report of a check that reads everything, without what it says of the index, and that.
fn verify(ground: &Ground) -> (Value, Vec<Value>) {
    let mut report = ground.run(&["verify", "--context", "none", "--json", "snapshot"]).json();
    report.as_object_mut().unwrap().remove("phases");
    let checks = report["checks"].as_array_mut().unwrap();
    let of_index = checks.extract_if(.., |check| check["code"] == "gzip.index").collect();
    (report, of_index)
}

fn cat(ground: &Ground, name: &str) -> Run {
    ground.run(&["cat", "snapshot", name])
}

/// What the table of members should be, and where the checkpoints begin, from the file itself.
const PYTHON: &str = "
import gzip, hashlib, io, json, sys, tarfile
content = gzip.open(sys.argv[1]).read()
archive = tarfile.open(fileobj=io.BytesIO(content[58:]))
place = lambda member: (hashlib.blake2b(member.name.encode(), digest_size=8).digest(), 58 + member.offset)
table = b''.join(hash + offset.to_bytes(8, 'big') for hash, offset in sorted(map(place, archive)))
import zlib
index = open(sys.argv[2], 'rb').read()
number = lambda at, length: int.from_bytes(index[at:at + length], 'big')
count, rows = number(8, 4), number(32, 8)
assert index[:8] == b'RSIX\\2\\1\\0\\0' and number(20, 8) == len(content) and number(28, 4) == zlib.crc32(content)
starts = [number(rows + 32 * at + 8, 8) for at in range(count)] + [len(content)]
for at in range(count):
    row = rows + 32 * at
    assert number(row + 16, 4) == zlib.crc32(content[starts[at]:starts[at + 1]])
    length, place = number(row + 20, 4), number(row + 24, 8)
    window = zlib.decompress(index[place:place + length], -15) if length else b''
    assert window == content[max(0, starts[at] - 32768):starts[at]]
end = rows + 32 * count
assert index[end:end + 2] == bytes(2) and number(end + 2, 4) * 16 == len(table)
assert index[end + 6:-4] == table and number(len(index) - 4, 4) == zlib.crc32(index[:40] + index[rows:-4])
print(json.dumps(starts))
";

#[test]
fn it_says_what_python_finds() {
    let ground = Ground::new();
    unsorted(&ground);
    let output = Command::new("python3")
        .args(["-c", PYTHON, &ground.at("snapshot"), &ground.at("snapshot.idx")])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let starts: Vec<u64> = serde_json::from_slice(&output.stdout).unwrap();
    assert!(starts.len() > 5, "{starts:?}");
    assert!(starts.windows(2).all(|pair| pair[1] - pair[0] <= 1 << 20), "{starts:?}");
}

/// Nodes do not sort; members are found all the same, and the rest is not read.
#[test]
fn members_in_any_order_are_found_without_the_rest() {
    let ground = Ground::new();
    let (members, file) = unsorted(&ground);
    // The large member is in the middle; nothing that can be inflated is left of it.
    let mut damaged = file.clone();
    let (from, to) = (file.len() * 4 / 10, file.len() * 6 / 10);
    damaged[from..to].iter_mut().for_each(|byte| *byte = !*byte);
    fs::write(ground.path("snapshot"), &damaged).unwrap();
    let (_, far): (Vec<_>, Vec<_>) = members.iter().partition(|(name, _)| name == SUFFIX);
    for (name, bytes) in far.iter().step_by(17).chain(far.last()) {
        assert_eq!(sha256(&cat(&ground, name).ok().out), sha256(bytes), "{name}");
    }
    cat(&ground, SUFFIX).ends(3);
    // Without the index nobody gets past the damage.
    fs::remove_file(ground.path("snapshot.idx")).unwrap();
    cat(&ground, &members.last().unwrap().0).ends(3);
}

/// Windows are not covered by the checksum of the index: spans prove them.
#[test]
fn windows_that_are_damaged_or_of_another_file_are_found() {
    let ground = Ground::new();
    let (members, _) = unsorted(&ground);
    let right = fs::read(ground.path("snapshot.idx")).unwrap();
    let index = Index::of_beside(&right).unwrap();
    let places: Vec<_> = index.checkpoints.iter().filter_map(|point| point.window).collect();
    let sidecar = ground.path("snapshot.idx");
    fs::remove_file(&sidecar).unwrap();
    let (expected, _) = verify(&ground);
    let look = |wrong: &[u8], what: &str| {
        fs::write(&sidecar, wrong).unwrap();
        let (report, remarks) = verify(&ground);
        assert_eq!(report, expected, "{what}");
        assert_eq!(remarks.len(), 1, "{what}");
        assert_eq!(remarks[0]["status"], "warning", "{what}");
        for (name, bytes) in members.iter().step_by(80) {
            assert_eq!(sha256(&cat(&ground, name).ok().out), sha256(bytes), "{what}: {name}");
        }
    };
    for place in &places {
        let mut wrong = right.clone();
        let middle = (place.at + u64::from(place.len) / 2) as usize;
        wrong[middle..middle + 8].iter_mut().for_each(|byte| *byte = !*byte);
        look(&wrong, &format!("damaged at {}", place.at));
    }
    let mut wrong = right.clone();
    wrong[40..places.last().unwrap().at as usize].fill(0);
    look(&wrong, "zeros");
    // One that is whole, and is not the one that belongs there.
    let mut wrong = right.clone();
    let [first, second] = [&places[0], &places[1]];
    let least = first.len.min(second.len) as usize;
    wrong.copy_within(first.at as usize..first.at as usize + least, second.at as usize);
    look(&wrong, "another window");

    // A sidecar that is cut has no table; one of another file fits neither.
    for cut in [places[1].at as usize, right.len() - 100, right.len() - 1] {
        look(&right[..cut], "cut");
    }
    let mut others = members.clone();
    others[100].1[17] ^= 1;
    fs::write(ground.path("other"), foreign(&ground, &archive(&others))).unwrap();
    ground.run(&["index", "--span", "1", "other"]).ok();
    look(&fs::read(ground.path("other.idx")).unwrap(), "of another file");
    fs::write(&sidecar, &right).unwrap();
    assert_eq!(verify(&ground), (expected, Vec::new()));
}

/// What an index says, in spans of any length, changes nothing but the time.
#[test]
fn few_and_many_checkpoints_read_the_same() {
    let ground = Ground::new();
    let (members, _) = unsorted(&ground);
    fs::remove_file(ground.path("snapshot.idx")).unwrap();
    let (expected, _) = verify(&ground);
    let rows = ground.run(&["ls", "snapshot"]).ok().out;
    let mut counts = Vec::new();
    for span in [Some(1), Some(300_000), Some(4 << 20), Some(1 << 30), None] {
        let mut options = index::Options::default();
        (options.force, options.span) = (true, span);
        let made = index::run(&ground.path("snapshot"), &options, &mut Silent).unwrap();
        assert_eq!(made.bytes, fs::metadata(ground.path("snapshot.idx")).unwrap().len());
        counts.push(made.checkpoints);
        assert_eq!(verify(&ground), (expected.clone(), Vec::new()), "{span:?}");
        assert_eq!(ground.run(&["ls", "snapshot"]).ok().out, rows);
        let (name, bytes) = members.last().unwrap();
        assert_eq!(sha256(&cat(&ground, name).ok().out), sha256(bytes), "{span:?}");
    }
    // A block each, a few, and all in one.
    assert!(counts[0] > 40 && counts[1] > 10 && counts[2..] == [2, 1, 3], "{counts:?}");
}

/// Spans of 16 and of 32 MiB, as those of files of up to 100 and 200 GB: all cores read the first, and single members
/// are reached in both.
#[test]
fn long_spans_read_the_same() {
    let ground = Ground::new();
    let mut members = members();
    let large = members.iter_mut().find(|(name, _)| name == SUFFIX).unwrap();
    large.1.resize(70 << 20, 0);
    let content = archive(&members);
    let rows = |file: &[u8]| {
        fs::write(ground.path("snapshot"), file).unwrap();
        let rows = ground.run(&["ls", "--sha256", "snapshot"]).ok().out;
        let (name, bytes) = members.last().unwrap();
        assert_eq!(sha256(&cat(&ground, name).ok().out), sha256(bytes));
        (rows, verify(&ground))
    };
    let (expected, plain) = rows(&foreign(&ground, &content));
    for (room, span) in [(9 << 20, 16 << 20), (5 << 20, 32 << 20)] {
        let file = own_of(&content, room);
        assert_eq!(Index::of_file(&file).unwrap().unwrap().longest_span(), span);
        let (found, mut report) = rows(&file);
        assert_eq!((&found, &report.1), (&expected, &Vec::new()));
        let sizes =
            |report: &mut Value| report["container"].as_object_mut().unwrap().remove("compressed_bytes");
        let mut without = plain.0.clone();
        assert_ne!(sizes(&mut report.0), sizes(&mut without));
        assert_eq!(report.0, without);
    }
}

/// What is no snapshot has an index too, but no members.
#[test]
fn any_gzip_file_can_be_indexed() {
    let ground = Ground::new();
    let text: String = (0..300_000_u64).map(|number| format!("{} no snapshot\n", number * 7919)).collect();
    let file = foreign(&ground, text.as_bytes());
    fs::write(ground.path("text.gz"), &file).unwrap();
    let json = ground.run(&["index", "--span", "1", "--json", "text.gz"]).ok().json();
    let index = Index::of_beside(&fs::read(ground.path("text.gz.idx")).unwrap()).unwrap();
    assert_eq!(json["content_bytes"], text.len());
    assert!(index.checkpoints.len() > 1 && index.members.is_empty());
    index.check(&file).unwrap();
    assert!(!Path::new(&ground.at("text.gz.idx.idx")).exists());
}
