//! What export writes can be read by the nodes: judged by a strict reader of its own
//! (`tests/cli/node_rules.py`), which is judged by what ocaml-tar and camlzip did.

use std::collections::BTreeSet;
use std::fs;

use rollsnap_core::Verdict;
use rollsnap_tests::cli::{Ground, Tree, expect, node_rules, oracle};
use rollsnap_tests::fixtures::{self, hex, unhex};
use rollsnap_tests::reading::{FULL, inspect};
use serde_json::{Value, json};

/// The gzip header of the nodes, and ours when an extra field follows it.
const GZIP: [&str; 2] = ["1f8b08000000000000ff", "1f8b08040000000000ff"];

/// The answers for these files, by their names.
#[track_caller]
fn judge(ground: &Ground, files: &[(&str, &[u8])]) -> Vec<Value> {
    let paths: Vec<String> = files.iter().map(|(name, _)| ground.at(&format!("judged-{name}"))).collect();
    for (path, (_, bytes)) in paths.iter().zip(files) {
        fs::write(path, bytes).unwrap();
    }
    node_rules(&paths.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn the_judge_writes_the_headers_that_ocaml_tar_writes() {
    let records: Vec<Value> = serde_json::from_slice(&fixtures::read("snapshot/headers.json")).unwrap();
    let known = records.iter().filter(|record| {
        let v7 = ["default (V7)", "v7"].contains(&record["level"].as_str().unwrap());
        v7 && record["error"].is_null() && record["mtime"].as_i64() >= Some(0)
    });
    let (mut rows, mut written) = (Vec::new(), Vec::new());
    for record in known {
        let mode = u32::from_str_radix(record["mode"].as_str().unwrap(), 8).unwrap();
        rows.push(json!([record["name"], mode, record["size"], record["mtime"]]));
        let mut bytes = vec![0; record["length"].as_u64().unwrap() as usize];
        for run in record["nonzero_runs"].as_array().unwrap() {
            let (at, run) = (run[0].as_u64().unwrap() as usize, unhex(run[1].as_str().unwrap()));
            bytes[at..][..run.len()].copy_from_slice(&run);
        }
        written.push(Value::from(hex(&bytes)));
    }
    assert!(rows.iter().any(|row| row[2].as_u64() > Some(1 << 36)) && rows.len() > 30);
    assert_eq!(node_rules(&["--headers", &Value::from(rows).to_string()]), written);
}

#[test]
fn the_judge_reads_what_the_nodes_write() {
    let ground = Ground::new();
    let snapshots = fixtures::snapshots();
    let files: Vec<_> = snapshots.iter().map(|one| (&*one.name, &*one.file)).collect();
    assert!(files.len() > 12);
    for (answer, snapshot) in judge(&ground, &files).iter().zip(&snapshots) {
        let (name, record) = (&snapshot.name, &snapshot.record);
        assert_eq!(answer["refused"], Value::Null, "{name}");
        assert_eq!(answer["gzip"], if record.compressed { json!(GZIP[0]) } else { Value::Null }, "{name}");
        assert_eq!(answer["header"], record.header, "{name}");
        assert_eq!(answer["sha256"], record.decompressed_sha256, "{name}");
        let members = record.members.iter().map(|member| {
            let mode = u32::from_str_radix(&member.mode, 8).unwrap();
            json!({"name": member.name, "mode": mode, "size": member.size, "mtime": member.mtime,
                   "sha256": member.sha256})
        });
        assert_eq!(answer["members"], members.collect::<Value>(), "{name}");
    }
}

/// It never accepts what OCaml refuses, and agrees with our reader, which was written without it.
#[test]
fn the_judge_refuses_what_no_node_writes() {
    let ground = Ground::new();
    let edges = fixtures::edges();
    let files: Vec<_> = edges.iter().map(|(name, edge)| (&**name, &*edge.file)).collect();
    let (mut accepted, mut ours) = (BTreeSet::new(), BTreeSet::new());
    for (answer, (name, edge)) in judge(&ground, &files).iter().zip(&edges) {
        if answer["refused"].is_null() {
            assert_eq!((edge.both.list.rc, edge.both.extract.rc), (0, 0), "{name}: {}", edge.why);
            accepted.insert(name.as_str());
        }
        if inspect(&edge.file, 4096, FULL).verdicts.intact == Verdict::Yes {
            ours.insert(name.as_str());
        }
    }
    assert!(accepted.contains("tar-plain") && accepted.contains("gz-fextra-300"));
    // camlzip skips the checksum of the gzip header, which is wrong in both.
    assert_eq!(accepted.symmetric_difference(&ours).collect::<Vec<_>>(), [&"gz-all-fields", &"gz-fhcrc-bad"]);
}

/// A data directory that takes several pieces and checkpoints to compress.
fn large(ground: &Ground) -> String {
    let data = ground.unpack("v5-full", "data");
    oracle(&["pages", &format!("{data}/wasm_2_0_0"), "5"]);
    data
}

/// Exports and gives the file.
#[track_caller]
fn export(ground: &Ground, data: &str, options: &[&str]) -> Vec<u8> {
    ground.run(&[&["export", "out", "--data-dir", data, "--force"], options].concat()).ok();
    fs::read(ground.path("out")).unwrap()
}

#[test]
fn exports_of_all_forms_are_read_and_do_not_depend_on_the_threads() {
    let ground = Ground::new();
    let data = large(&ground);
    let tree = Tree::of(data.as_ref());
    let header = &expect("v5-full")["headers"]["finalized"]["hex"];
    let plain = export(&ground, &data, &["--uncompressed"]);
    let mut files = vec![("plain".to_owned(), plain)];
    let mut add = |name: &str, options: &[&str], jobs: &[&str]| {
        let one = export(&ground, &data, &[options, &["--jobs", "1"]].concat());
        for jobs in jobs {
            let many = export(&ground, &data, &[options, &["--jobs", jobs]].concat());
            assert!(many == one, "{name} with {jobs} jobs");
        }
        files.push((name.to_owned(), one));
    };
    add("checked", &[], &["2"]);
    add("fly", &["--no-check", "--compress-on-the-fly"], &["4"]);
    add("fast", &["--no-check", "--fast"], &["2", "3", "8"]);
    add("fast-fly", &["--no-check", "--fast", "--compress-on-the-fly"], &["2"]);
    add("best", &["--no-check", "--best"], &["3"]);
    for level in '1'..='9' {
        let level = level.to_string();
        add(&format!("level-{level}"), &["--no-check", "--compression-level", &level], &["7"]);
    }
    add("compact", &["--compact"], &["3"]);
    add("compact-fast", &["--no-check", "--compact", "--fast"], &["3"]);

    let answers = judge(&ground, &files.iter().map(|(name, file)| (&**name, &**file)).collect::<Vec<_>>());
    for (answer, (name, _)) in answers.iter().zip(&files) {
        assert_eq!(answer["refused"], Value::Null, "{name}");
        assert_eq!(&answer["header"], header, "{name}");
        // Something for the reader to skip: the index.
        assert_eq!(answer["gzip"], if name == "plain" { Value::Null } else { json!(GZIP[1]) }, "{name}");
        let compact = name.starts_with("compact");
        assert_eq!(answer["sha256"] == answers[0]["sha256"], !compact, "{name}");
        for member in answer["members"].as_array().unwrap() {
            let name = member["name"].as_str().unwrap();
            if name != "store.sqlite" && !(compact && name.starts_with("context/")) {
                let source = &tree.0[name];
                assert_eq!(
                    (&member["sha256"], &member["mode"]),
                    (&json!(source.content), &json!(source.mode & 0o777))
                );
            }
        }
    }
    assert!(answers[0]["members"].as_array().unwrap().len() > 1280);
}

#[test]
fn damaged_exports_are_refused() {
    let ground = Ground::new();
    let data = large(&ground);
    let plain = export(&ground, &data, &["--no-check", "--uncompressed"]);
    let gzip = export(&ground, &data, &["--no-check", "--fast"]);
    let end = gzip.len();
    let with = |file: &[u8], at: usize, byte: u8| {
        let mut file = file.to_vec();
        assert_ne!(file[at], byte);
        file[at] = byte;
        file
    };
    let flipped = |file: &[u8], at: usize| with(file, at, !file[at]);
    // The first member's header, with another type and the checksum that belongs to it.
    let mut retyped = with(&plain, 58 + 156, b'0');
    let sum: u32 = retyped[58..58 + 512].iter().map(|byte| u32::from(*byte)).sum();
    let digits: u32 = retyped[58 + 148..58 + 156].iter().map(|byte| u32::from(*byte)).sum();
    retyped[58 + 148..58 + 155].copy_from_slice(format!("{:07o}", sum - digits + 8 * 32).as_bytes());

    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("cut", gzip[..end - 1].into(), "end of file in the gzip trailer"),
        ("half", gzip[..end / 2].into(), "end of file in the deflate stream"),
        ("crc", flipped(&gzip, end - 8), "gzip: CRC"),
        ("length", flipped(&gzip, end - 1), "gzip: length"),
        ("more", [&gzip[..], b"\0"].concat(), "something behind the first member"),
        ("twice", [&gzip[..], &gzip[..]].concat(), "something behind the first member"),
        ("flag", with(&gzip, 3, 0x24), "gzip: reserved flags"),
        ("no-extra", with(&gzip, 3, 0), "gzip: "),
        ("method", with(&gzip, 2, 7), "gzip: not deflate"),
        ("deflate", flipped(&gzip, end / 2), "gzip: "),
        ("version", with(&plain, 0, 1), "header: version 1"),
        ("mode", with(&plain, 1, 2), "header: history mode 2"),
        ("name", with(&plain, 58, b'C'), "byte 15"),
        ("type", retyped, "byte 152 of a member header"),
        ("one-zero-block", plain[..plain.len() - 512].into(), "end of file in the end of the archive"),
        ("three-zero-blocks", [&plain[..], &[0; 512]].concat(), "something behind the two zero blocks"),
    ];
    let files: Vec<_> = cases.iter().map(|(name, file, _)| (*name, &file[..])).collect();
    for (answer, (name, _, why)) in judge(&ground, &files).iter().zip(&cases) {
        let found = answer["refused"].as_str().unwrap_or_else(|| panic!("{name} is accepted"));
        assert!(found.contains(why), "{name}: {found}");
    }
}
