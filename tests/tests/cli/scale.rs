//! Data directories of the generator (`tests/bench/scale`), small ones of every shape: what rollsnap counts in them is what
//! the generator has counted, and what readers in Python count (`tests/cli/scale.py`), also after an export and an import.

use std::path::Path;
use std::process::Command;

use rollsnap_tests::cli::{Ground, Run, Tree};
use rollsnap_tests::scale::{Layout, Made, Plan, Shape, StoreVersion, make};
use serde_json::{Value, json};

/// Bytes of a directory. With less, the accounts would be fewer than those that change.
const SIZE: u64 = 6_000_000;

/// Makes a directory, and asks Python what is in it.
fn made(ground: &Ground, plan: &Plan) -> Made {
    let name = plan.shape.name();
    let made = make(&ground.path(name), plan, |_| ()).unwrap();
    let mut said = serde_json::to_value(&made).unwrap();
    let said = said.as_object_mut().unwrap();
    let shape = [said.remove("shape"), said.remove("widest")];
    assert!(shape.iter().all(Option::is_some));
    assert_eq!(Value::Object(said.clone()), read(&ground.path(name)), "{name}");
    made
}

/// What Python reads in a directory.
#[track_caller]
fn read(directory: &Path) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("cli/scale.py");
    let output = Command::new("python3").arg(script).arg(directory).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The verdict, and what was found, must be those of the directory.
#[track_caller]
fn agrees(verified: &Run, made: &Made) {
    let report = verified.json();
    assert_eq!(report["verdicts"]["consistent"], "yes", "{verified}");
    let context = serde_json::to_value(made.context).unwrap();
    for (kind, count) in context.as_object().unwrap() {
        assert_eq!(report["context"][kind], *count, "{kind}");
    }
    let levels = [&report["store"]["first_level"], &report["store"]["head_level"]];
    assert_eq!(levels, [&json!(made.first_level), &json!(made.head_level)]);
    let checks = report["checks"].as_array().unwrap();
    let pages = checks.iter().find(|check| check["code"] == "pre-image.hash").unwrap();
    assert!(pages["text"].as_str().unwrap().starts_with(&format!("{} pre-images", made.pages.count)));
}

/// There and back: directory, file, and the directory that is made of it.
#[track_caller]
fn journey(plan: &Plan) {
    let ground = Ground::new();
    let made = made(&ground, plan);
    let (data, file, imported) = (plan.shape.name(), "file.snapshot", "imported");
    agrees(&ground.run(&["verify", data, "--json"]).ok(), &made);
    ground.run(&["export", "-d", data, file, "--level", "head", "-q"]).ok();
    let verified = ground.run(&["verify", file, "--json"]).ok();
    agrees(&verified, &made);
    assert_eq!(verified.json()["header"]["last_commitment"], made.commitment);
    ground.run(&["import", file, "-d", imported, "-q"]).ok();
    let (there, back) = (read(&ground.path(data)), read(&ground.path(imported)));
    assert_eq!(there, back);
}

#[test]
fn children_near_their_parents() {
    journey(&Plan {
        size: SIZE,
        seed: 7,
        shape: Shape::Near,
        layout: Layout::Chunks,
        store: StoreVersion::V5,
    });
}

#[test]
fn children_far_from_their_parents() {
    journey(&Plan {
        size: SIZE,
        seed: 8,
        shape: Shape::Far,
        layout: Layout::Prefix,
        store: StoreVersion::V5,
    });
}

#[test]
fn a_wide_directory() {
    journey(&Plan {
        size: SIZE,
        seed: 9,
        shape: Shape::Wide,
        layout: Layout::Chunks,
        store: StoreVersion::V5,
    });
}

#[test]
fn long_paths() {
    journey(&Plan {
        size: SIZE,
        seed: 10,
        shape: Shape::Deep,
        layout: Layout::Prefix,
        store: StoreVersion::V5,
    });
}

/// The same blocks in a store of version 4, converted, are those that the generator writes to one of version 5.
#[test]
fn a_store_in_files() {
    for layout in [Layout::Chunks, Layout::Prefix] {
        let ground = Ground::new();
        let plan = Plan { size: SIZE, seed: 11, shape: Shape::Near, layout, store: StoreVersion::V5 };
        let made = made(&ground, &plan);
        make(&ground.path("older"), &Plan { store: StoreVersion::V4, ..plan }, |_| ()).unwrap();
        agrees(&ground.run(&["verify", "older", "--json"]).ok(), &made);
        ground.run(&["convert", "older", "-o", "converted", "-q"]).ok();
        assert_eq!(read(&ground.path("converted")), read(&ground.path("near")));
    }
}

/// A seed says every byte, and another one says others.
#[test]
fn the_same_bytes_for_the_same_seed() {
    let ground = Ground::new();
    let plan = Plan {
        size: 1_000_000,
        seed: 7,
        shape: Shape::Near,
        layout: Layout::Chunks,
        store: StoreVersion::V5,
    };
    let trees = [("one", 7), ("two", 7), ("three", 8)].map(|(name, seed)| {
        make(&ground.path(name), &Plan { seed, ..plan }, |_| ()).unwrap();
        Tree::of(&ground.path(name))
    });
    assert_eq!(trees[0].files(), trees[1].files());
    assert_ne!(trees[0].files()["context/store.control"], trees[2].files()["context/store.control"]);
}
