//! *Consistent* for stores of version 4: every mutant of their directories, and headers.

#![allow(clippy::std_instead_of_alloc, reason = "a test has all of std")]

use rollsnap_core::report::Status;
use rollsnap_core::{Code, Header};
use rollsnap_tests::fixtures::{self, unhex};
use rollsnap_tests::store_v4::{Dir, data_dir, judge};
use serde_json::Value;

/// Applies the changes of a mutant; `false` when one is not to a file of the directory.
fn apply(files: &mut Dir, ops: &Value) -> bool {
    for op in ops.as_array().unwrap() {
        let text = |field: &str| op[field].as_str();
        let Some(name) = text("file") else { return false };
        let bytes = |field: &str| text(field).map(unhex);
        match text("op").unwrap() {
            "delete" => drop(files.remove(name).unwrap()),
            "write" => {
                let content = bytes("hex").unwrap_or_else(|| text("text").unwrap().into());
                files.insert(name.into(), content);
            }
            "append" => files.get_mut(name).unwrap().extend(bytes("hex").unwrap()),
            "truncate" => {
                let file = files.get_mut(name).unwrap();
                file.truncate(file.len().checked_add_signed(op["size"].as_i64().unwrap() as isize).unwrap());
            }
            "replace-bytes" => {
                let (old, new) = (bytes("old").unwrap(), bytes("new").unwrap());
                let at = op["offset"].as_u64().unwrap() as usize;
                let part = &mut files.get_mut(name).unwrap()[at..at + old.len()];
                assert_eq!(part, old);
                part.copy_from_slice(&new);
            }
            "rename" => {
                let below = format!("{name}/");
                let names: Vec<_> = files.keys().filter(|name| name.starts_with(&below)).cloned().collect();
                for old in names {
                    let content = files.remove(&old).unwrap();
                    files.insert(old.replacen(name, text("to").unwrap(), 1), content);
                }
            }
            _ => return false,
        }
    }
    true
}

/// Whether a text is what a pattern of the mutants asks for. They use alternatives, and a hash or
/// anything before and after fixed words.
fn is_like(text: &str, pattern: &str) -> bool {
    let pattern = pattern.trim_start_matches("(?s)").replace("\\w+", "\\w");
    pattern.split('|').any(|words| words.split("\\w").all(|part| text.contains(part)))
}

#[test]
fn every_mutant_is_told() {
    let mutants: Value = serde_json::from_slice(&fixtures::read("data-dir/mutants.json")).unwrap();
    let mut seen = 0;
    for mutant in mutants["mutants"].as_array().unwrap() {
        let base = mutant["base"].as_str().unwrap_or_default();
        if !base.starts_with("v4-") {
            continue;
        }
        let mut files = data_dir(base);
        if !apply(&mut files, &mutant["ops"]) {
            continue;
        }
        seen += 1;
        let id = &mutant["id"];
        let (problems, _) = judge(&files, None, "<dir>");
        if mutant["accept"] == true {
            assert_eq!(problems, [], "{id}");
            continue;
        }
        assert!(!problems.is_empty(), "{id}");
        let Some(text) = mutant["error"]["mavkit"].as_str() else { continue };
        let told = problems.iter().any(|problem| match mutant["match"].as_str() {
            // What the node's trace says of a store that it cannot read.
            _ if text.ends_with("cannot_read_from_store") => problem.code() == Code::StoreValue,
            Some("regex") => is_like(&problem.to_string(), text),
            _ => problem.title() == text,
        });
        assert!(told, "{id}: {text}, not {problems:?}");
    }
    assert!(seen >= 23, "{seen}");
}

/// What the header says is held against the block at its level: Mavkit computes it before it
/// copies the store.
#[test]
fn headers() {
    for name in ["v4-archive", "v4-full"] {
        let files = data_dir(name);
        let expected: Value =
            serde_json::from_slice(&fixtures::read(&format!("data-dir/{name}.expect.json"))).unwrap();
        let header = |level: &str| {
            let hex = expected["headers"][level]["hex"].as_str().unwrap();
            Header::parse(&unhex(hex)).unwrap()
        };
        let (problems, checks) = judge(&files, Some(&header("head")), "");
        assert_eq!(problems, [], "{name}");
        // Without a context nothing is known of the origination, and nothing proves some columns.
        let mut others =
            checks.iter().filter(|check| ![Code::StateGenesis, Code::StoreUnproved].contains(&check.code));
        assert!(others.all(|check| check.status == Status::Yes), "{name}: {checks:?}");
        let (problems, checks) = judge(&files, Some(&header("finalized")), "");
        assert_eq!(problems, [], "{name}");
        let warned = checks.iter().filter(|check| check.code == Code::HeaderStore);
        assert_eq!(warned.map(|check| check.status).collect::<Vec<_>>(), [Status::Warning], "{name}");

        let mut newer = header("head");
        newer.head_level += 1;
        let mut other = header("head");
        other.last_commitment = header("cemented").last_commitment;
        for header in [newer, other] {
            let (problems, _) = judge(&files, Some(&header), "");
            assert_eq!(
                problems.iter().map(|problem| problem.code()).collect::<Vec<_>>(),
                [Code::HeaderStore]
            );
        }
    }
}
