//! rollsnap as a library: the examples run, a report can be read back, errors have their sources, and the first bytes
//! of any snapshot give its header.

use std::error::Error;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use rollsnap::verify;
use rollsnap_core::feedback::Silent;
use rollsnap_core::{Code, Header, Problem, Report, snapshot};
use rollsnap_tests::cli::{Ground, Tree, members, program};
use rollsnap_tests::fixtures::{self, Snapshot};
use serde_json::Value;

/// An example, which `cargo build --workspace --examples` has built.
fn example(name: &str) -> PathBuf {
    let built = program().with_file_name("examples").join(name);
    if !built.exists() {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--locked", "--workspace", "--examples"]);
        assert!(cargo.current_dir(env!("CARGO_MANIFEST_DIR")).status().unwrap().success());
    }
    built
}

#[track_caller]
fn run(ground: &Ground, name: &str, args: &[&str]) -> String {
    let mut command = Command::new(example(name));
    let output = ground.isolate(command.args(args)).output().unwrap();
    assert!(output.status.success(), "{name} {args:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_examples_of_the_core() {
    let ground = Ground::new();
    let Snapshot { name, record, .. } = fixtures::snapshot("octez-full.gz");
    let file = ground.snapshot(&format!("snapshot/{name}"));
    let text = run(&ground, "header", &[&file]);
    assert!(text.contains(&format!(" at level {}\n", record.head_level)), "{text}");
    let text = run(&ground, "inspect", &[&file]);
    let count = record.members.len();
    assert!(text.ends_with(&format!("\n{count} members; intact: yes\n")), "{text}");
    // 58 bytes, a member of two blocks, and two blocks of zeros.
    let text = run(&ground, "write", &[]);
    assert_eq!(text, "2106 bytes: snapshot-sr1Njk77He5mS-42.full\n");
}

#[test]
fn the_examples_of_the_verbs() {
    let ground = Ground::new();
    let data = ground.unpack("v5-full", "data");
    let old = ground.snapshot("data-dir/v4-full.head.snapshot.gz");
    let text = run(&ground, "export", &[&data, "out"]);
    let (bytes, sum) = text.trim_end().split_once(" bytes, SHA-256 ").unwrap();
    let file = std::fs::read(ground.path("out")).unwrap();
    assert_eq!((bytes, sum), (&*file.len().to_string(), &*fixtures::sha256(&file)));
    let text = run(&ground, "verify", &["out"]);
    assert!(text.starts_with("intact:     yes\nconsistent: yes\nanchored:   not checked\n"), "{text}");
    let text = run(&ground, "import", &["out", "imported"]);
    assert!(text.ends_with("at level 2000027\n"), "{text}");
    assert!(ground.path("imported/store.sqlite").exists());
    let text = run(&ground, "convert", &[&old, "converted"]);
    assert!(text.starts_with("store version 4 to 5, levels "), "{text}");
    assert!(ground.path("converted/store.sqlite").exists());
    run(&ground, "extract", &["out", "some", "metadata", "context/store.control"]);
    assert_eq!(Tree::of(&ground.path("some")).files().len(), 2);
}

/// Reports of every kind: sound and damaged, of snapshots and directories.
#[test]
fn reports_read_back() {
    let ground = Ground::new();
    let mut targets = vec![ground.unpack("v5-full", "v5"), ground.unpack("v4-full", "v4")];
    targets.push(ground.snapshot("data-dir/v5-full.finalized.snapshot.gz"));
    targets.push(ground.snapshot("replay/r5-dense.head.snapshot.gz"));
    let mut spoilt = fixtures::read("data-dir/v4-full.head.snapshot.gz");
    let middle = spoilt.len() / 2;
    spoilt[middle] ^= 0x10;
    std::fs::write(ground.path("spoilt"), spoilt).unwrap();
    targets.push(ground.at("spoilt"));
    std::fs::write(ground.path("cut"), &fixtures::read("snapshot/octez-full.gz")[..3000]).unwrap();
    targets.push(ground.at("cut"));
    for target in targets {
        let run = ground.run(&["verify", "--json", &target]);
        let said = run.json();
        let report: Report =
            serde_json::from_value(said.clone()).unwrap_or_else(|err| panic!("{target}: {err}"));
        let mut again = serde_json::to_value(&report).unwrap();
        // The command adds the times of its phases to the report, how often each check failed, what to do about
        // that, and its exit status.
        for name in ["advice", "exit_status", "failures", "phases"] {
            again[name] = said[name].clone();
        }
        assert_eq!(again, said, "{target}");
        // And from the text, as a program reads it that was not there.
        assert_eq!(serde_json::from_slice::<Report>(&run.out).unwrap(), report, "{target}");
        let direct = verify::run(Path::new(&target), &verify::Options::default(), &mut Silent).unwrap();
        assert_eq!(direct.report, report, "{target}");
    }
}

#[test]
fn what_is_no_report_is_not_read_back() {
    let sound = serde_json::to_value(Report::new()).unwrap();
    assert!(serde_json::from_value::<Report>(sound.clone()).is_ok());
    let lie = |change: &dyn Fn(&mut Value)| {
        let mut value = sound.clone();
        change(&mut value);
        serde_json::from_value::<Report>(value).unwrap_err().to_string()
    };
    assert!(lie(&|value| value["schema"] = "rollsnap.report/2".into()).contains("rollsnap.report/1"));
    assert!(lie(&|value| value["verdicts"]["intact"] = "maybe".into()).contains("maybe"));
    let check = |code: &str| serde_json::json!([{"code": code, "status": "no", "at": null, "expected": null, "found": null, "text": ""}]);
    assert!(lie(&|value| value["checks"] = check("no.such-code")).contains("does not know"));
    lie(&|value| value["header"] = serde_json::json!({"rollup_address": "sr1"}));
    let mut value = sound.clone();
    value["checks"] = check("gzip.crc");
    assert_eq!(serde_json::from_value::<Report>(value).unwrap().checks[0].code, Code::GzipCrc);
    for &code in Code::ALL {
        assert_eq!(code.as_str().parse(), Ok(code));
    }
}

#[test]
fn problems_have_sources() {
    let none = verify::run(Path::new("/nowhere/at-all"), &verify::Options::default(), &mut Silent);
    let problem = none.unwrap_err();
    assert_eq!(problem.code(), Code::IoNotFound);
    let data = rollsnap::dir::Dir::open(Path::new("/nowhere/at-all")).unwrap_err();
    let source = data.source().and_then(|source| source.downcast_ref::<std::io::Error>()).unwrap();
    assert_eq!(source.kind(), ErrorKind::NotFound);
    assert_eq!(data.cause(), Some(&*source.to_string()));
    // Equal is what says the same.
    assert!(Problem::new(Code::Usage).source().is_none());
    let with = || Problem::new(Code::Usage).caused_by(std::io::Error::other("why"));
    assert_eq!(with(), Problem::new(Code::Usage).because("why"));
    assert_ne!(with(), Problem::new(Code::Usage).because("else"));
}

/// Of every snapshot that the OCaml libraries wrote, from few bytes and from all.
#[test]
fn headers_from_the_first_bytes() {
    for Snapshot { name, file, record } in fixtures::snapshots() {
        let expected = Header::parse(&fixtures::unhex(&record.header)).unwrap();
        for len in [1 << 16, 4096, 2000] {
            let first = &file[..file.len().min(len)];
            assert_eq!(snapshot::read_header(first), Ok(expected), "{name}, {len} bytes");
        }
        let problem = snapshot::read_header(&file[..20]).unwrap_err();
        assert!(matches!(problem.code(), Code::GzipTruncated | Code::HeaderShort), "{name}: {problem}");
    }
    assert_eq!(snapshot::read_header(&[]).unwrap_err().code(), Code::FileEmpty);
    assert_eq!(snapshot::read_header(&[0; 4096]).unwrap_err().code(), Code::HeaderForeign);
    assert!(snapshot::read_header(b"<html><body>404</body></html>").is_err());
}

/// The members of an archive, by Python.
#[test]
fn the_archive_of_the_example_is_read_by_others() {
    let ground = Ground::new();
    let data = ground.unpack("v4-full", "data");
    run(&ground, "export", &[&data, "out"]);
    let file = ground.run(&["export", "--data-dir", &data, "file"]).ok();
    assert!(file.text().contains("Snapshot exported to file"));
    assert_eq!(members(&ground.at("out"))["sha256"], members(&ground.at("file"))["sha256"]);
}
