//! `--manifest`: what a provider publishes about a snapshot, and what it is held to.

use std::fs;

use rollsnap_tests::fault_server::{Fault, Plan, Resource, Server};
use rollsnap_tests::fixtures::{self, sha256};
use serde_json::{Value, json};

use super::{OWN, PLAIN, SOUND, Scene};

/// An entry as tezos-k8s writes it, with the fields of `rollsnap.manifest/1`.
fn entry(name: &str, bytes: &[u8]) -> Value {
    json!({
        "block_hash": "BLsnap", "block_height": 5, "block_timestamp": "2026-11-30T00:00:00Z",
        "filename": name, "url": format!("https://snapshots.example/{name}"), "sha256": sha256(bytes),
        "filesize_bytes": bytes.len(), "filesize": "3.6M", "chain_name": "mainnet", "history_mode": "full",
        "artifact_type": "rollup-snapshot", "pieces": {"length": 16_777_216, "sha256": []}, "mirrors": [],
    })
}

#[test]
fn what_is_published_is_compared() {
    let scene = Scene::new(Plan::new());
    let sound = fixtures::read(SOUND);
    let mut good = entry("sound", &sound);
    // The address in it cannot be reached here.
    good["url"] = scene.url("/sound").into();
    let listing = json!({"date_generated": "x", "data": [entry("own", &OWN), good, entry("plain", &PLAIN)]});
    scene.server.put("/sound.json", Resource::of_bytes(good.to_string()));
    scene.server.put("/listing.json", Resource::of_bytes(listing.to_string()));
    fs::write(scene.ground.path("manifest"), good.to_string()).unwrap();
    let url = scene.url("/sound");
    for manifest in ["manifest".to_owned(), scene.url("/sound.json"), scene.url("/listing.json")] {
        scene.run(&["verify", &url, "--manifest", &manifest]).ok();
        scene.run(&["download", &url, "-o", "file", "--force", "--manifest", &manifest]).ok();
        scene.run(&["--manifest", &manifest, "ls", &url]).ok();
    }
    // A file of this machine, by its name.
    let local = scene.ground.snapshot(SOUND);
    scene.run(&["verify", &local, "--manifest", "manifest"]).ok();
    scene.run(&["info", &local, "--manifest", "manifest"]).ok();
    scene.run(&["import", "file", "--data-dir", "node", "--manifest", "manifest"]).ok();
}

#[test]
fn what_does_not_fit_is_refused() {
    let scene = Scene::new(Plan::new());
    let sound = fixtures::read(SOUND);
    let url = scene.url("/sound");
    let write = |entry: &Value| fs::write(scene.ground.path("manifest"), entry.to_string()).unwrap();
    let local = scene.ground.snapshot(SOUND);
    // Another length: said after the first answer, and before anything of a file is read.
    let mut longer = entry("sound", &sound);
    (longer["filesize_bytes"], longer["url"]) = ((sound.len() + 1).into(), Value::Null);
    write(&longer);
    for words in [
        &["verify", &url][..],
        &["import", &url, "--data-dir", "node"],
        &["download", &url],
        &["cat", &url, "metadata"],
    ] {
        let before = scene.server.requests();
        scene.run(&[words, &["--manifest", "manifest"]].concat()).refused(4, "[remote.manifest]");
        assert_eq!(scene.server.requests() - before, 1);
    }
    scene.run(&["verify", &local, "--manifest", "manifest"]).refused(4, "[remote.manifest]");
    // Another sum.
    let mut other = entry("sound", &sound);
    (other["sha256"], other["url"]) = (sha256(b"other").into(), Value::Null);
    write(&other);
    for name in [&url, &local] {
        let run = scene.run(&["import", name, "--data-dir", "node", "--manifest", "manifest"]);
        run.refused(3, "[file.checksum]");
        assert!(!scene.ground.path("node").exists());
    }
    let sum = sha256(&sound);
    scene.run(&["verify", &url, "--manifest", "manifest", "--sha256", &sum]).refused(2, "different sums");
    // What is no manifest, or says nothing of this file.
    let requests = scene.server.requests();
    for text in [
        "",
        "[",
        "7",
        "{}",
        "[{\"filename\":\"a\"},{\"filename\":\"b\"}]",
        "{\"filename\":\"sound\",\"sha256\":7}",
    ] {
        fs::write(scene.ground.path("manifest"), text).unwrap();
        scene.run(&["verify", &url, "--manifest", "manifest"]).refused(4, "[remote.manifest]");
    }
    fs::write(scene.ground.path("manifest"), vec![b' '; 2 << 20]).unwrap();
    scene.run(&["verify", &url, "--manifest", "manifest"]).refused(4, "too long");
    scene.run(&["verify", &url, "--manifest", "none"]).ends(3);
    for words in [&["verify", &url, &local][..], &["cat", &local, "metadata"], &["verify", "-", &url]] {
        let run = scene.run(&[words, &["--manifest", "manifest"]].concat()).ends(2);
        assert!(run.err.contains("--manifest is about"), "{run}");
    }
    scene.run(&["export", "--manifest", "manifest"]).ends(2);
    assert_eq!(scene.server.requests(), requests);
}

/// Addresses in it are sources, as those of `--mirror` are; what is none is left out with a line.
#[test]
fn mirrors_of_a_manifest() {
    let scene = Scene::new(Plan::of(Fault::Status(404)).on("/own"));
    let other = Server::start(Plan::new());
    other.put("/copy", Resource::of_bytes(OWN.clone()));
    let mut with = entry("own", &OWN);
    (with["url"], with["mirrors"]) = (other.url("/copy").into(), json!(["s3://bucket/own"]));
    fs::write(scene.ground.path("manifest"), with.to_string()).unwrap();
    let run = scene.run(&["download", &scene.url("/own"), "-o", "file", "--manifest", "manifest"]).ok();
    assert!(fs::read(scene.ground.path("file")).unwrap() == *OWN);
    assert!(
        run.err.contains("An address of the manifest is not used") && run.err.contains("s3://bucket/own"),
        "{run}"
    );
}
