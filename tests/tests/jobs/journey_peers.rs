//! The acceptance scenario of the rollup node's own integration tests, with directories of the
//! fixtures as nodes and a stub as layer 1. The texts are those that the nodes' tests look for.

use std::fs;
use std::path::Path;
use std::process::Command;

use rollsnap_tests::cli::{Ground, Run, dump};
use rollsnap_tests::l1::{Stub, view};
use rollsnap_tests::store_v4::take_back;
use serde_json::Value;

/// The head of node 1; what it committed to last, at 1020, has not reached layer 1 yet.
const HEAD: i64 = 1023;

fn mark(data: &str, name: &str) -> Value {
    let dump = dump(&format!("{data}/store.sqlite"));
    let rows = dump["tables"]["rollup_node_state"].as_array().unwrap();
    rows.iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("no {name}")).clone()
}

/// `Snapshot exported to ([^\n]*)`, and the file is there.
fn exported(ground: &Ground, run: &Run) -> String {
    let (_, path) = run.text().split_once("Snapshot exported to ").unwrap_or_else(|| panic!("{run}"));
    let path = path.lines().next().unwrap();
    assert!(ground.root().join(path).is_file(), "{run}");
    path.to_owned()
}

/// Where the nodes are, and the layer 1 that all of them ask.
struct Peers {
    ground: Ground,
    layer_1: Stub,
}

impl Peers {
    /// The commitments of a base, without the last one: it has not reached layer 1 yet.
    fn new(base: &str) -> Self {
        let mut view = view(base);
        view["commitments"].as_array_mut().unwrap().remove(4);
        Self { ground: Ground::new(), layer_1: Stub::start(&view, &[]) }
    }

    fn run(&self, words: &[&str]) -> Run {
        self.ground.run(&[&["-E", self.layer_1.url()], words].concat())
    }

    #[track_caller]
    fn refused(&self, words: &[&str], text: &str) {
        let before = self.ground.tree();
        let run = self.run(words);
        assert!(run.status != 0 && run.err.contains(text), "{text:?}: {run}");
        self.ground.tree().same_as(&before, text);
    }

    #[track_caller]
    fn verified(&self, node: &str) {
        let verdicts = self.run(&["verify", "--json", node]).ok().json()["verdicts"].take();
        assert_eq!([&verdicts["consistent"], &verdicts["anchored"]], ["yes", "yes"], "{node}");
    }
}

#[test]
fn snapshots_between_six_nodes() {
    let peers = Peers::new("v5-archive");
    let ground = &peers.ground;

    // 1: node 2 stopped six blocks ago; node 4 is of another rollup; node 5 keeps less.
    ground.mutants(&["ok-i5c-older", "ok-i5-archive-into-full"]);
    let node1 = ground.unpack("v5-archive", "node1");
    let (node2, node3) = (ground.at("ok-i5c-older/target"), ground.at("node3"));
    let node4 = ground.unpack("v5-sparse", "node4");
    let (node5, node6) = (ground.at("ok-i5-archive-into-full/target"), ground.at("node6"));
    assert_eq!(mark(&node5, "history_mode")["value"], "full");

    // 2: an export while the last commitment is published.
    let run = peers.run(&["export", "--data-dir", &node1, "--dest", "out", "--level", "1019"]).ok();
    let first = exported(ground, &run);
    // 3
    peers.refused(&["import", &first, "--data-dir", &node4, "--force"], "The existing rollup node is for");
    // 4
    peers.run(&["import", &first, "--data-dir", &node3]).ok();
    // 5
    peers.refused(&["import", &first, "--data-dir", &node2], "is already populated");
    // 6
    peers.run(&["import", &first, "--data-dir", &node2, "--force"]).ok();
    // 7
    peers.run(&["import", &first, "--data-dir", &node5, "--force"]).ok();
    assert_eq!(mark(&node5, "history_mode")["value"], "full");
    for node in [&node2, &node3, &node5] {
        assert_eq!(mark(node, "l2_head")["level"], 1019);
        // 9: the last cemented commitment.
        assert!(mark(node, "lcc")["level"].as_i64().unwrap() > 0);
        assert!(mark(node, "lcc")["value"].as_str().unwrap().starts_with("src1"));
        peers.verified(node);
    }
    // 10
    peers
        .refused(&["import", &first, "--data-dir", &node2, "--force"], "The rollup node is already at level");
    // 11: at the head the last commitment is in flight.
    let run = peers.run(&["export", "--data-dir", &node1, "--dest", "out", "--level", "head"]).ok();
    let second = exported(ground, &run);
    assert_ne!(first, second);
    // 12
    let import = ["import", &second, "--data-dir", &node2, "--force"];
    peers.refused(&import, "Commitment of snapshot is not published on L1.");
    // 13
    peers.run(&[&import[..], &["--level", &(HEAD - 5).to_string()]].concat()).ok();
    assert_eq!(mark(&node2, "l2_head")["level"], HEAD - 5);
    // 14
    let level = (HEAD - 10).to_string();
    let run = peers.run(&["export", "--data-dir", &node1, "--dest", "out", "--level", &level]).ok();
    let third = exported(ground, &run);
    peers.run(&["import", &third, "--data-dir", &node6, "--force"]).ok();
    assert_eq!(mark(&node6, "l2_head")["level"], HEAD - 10);
    assert_eq!(fs::read_dir(ground.path("out")).unwrap().count(), 3);
}

/// The same scenario as Mavkit's tests have it: stores of version 4, the head only, equal history modes.
#[test]
fn snapshots_between_four_nodes_of_mavkit() {
    let peers = Peers::new("v4-archive");
    let ground = &peers.ground;
    // Both ways to compress give the same archive.
    let export = |node: &str, out: &str| {
        let both = [&[][..], &["--compress-on-the-fly"]].map(|how| {
            let out = format!("{out}{}", how.len());
            let run = peers.run(&[&["export", "--data-dir", node, "--dest", &out], how].concat()).ok();
            exported(ground, &run)
        });
        let [after, on_the_fly] = both.each_ref().map(|file| {
            let plain = Command::new("gzip").args(["-dc", file]).current_dir(ground.root()).output().unwrap();
            assert!(plain.status.success() && plain.stdout.len() > 100_000, "{file}");
            plain.stdout
        });
        assert!(after == on_the_fly, "{out}");
        let [file, _] = both;
        file
    };
    let level = |node: &str| {
        let head = fs::read(format!("{node}/storage/l2_head")).unwrap();
        i32::from_be_bytes(head[32..36].try_into().unwrap())
    };

    // 1: node 2 stopped early; node 4 is of another rollup.
    let node1 = ground.unpack("v4-archive", "node1");
    take_back(Path::new(&node1), 4010);
    let node2 = ground.unpack("v4-archive", "node2");
    take_back(Path::new(&node2), 4005);
    let (node3, node4) = (ground.at("node3"), ground.unpack("v4-full", "node4"));
    // 2
    let first = export(&node1, "first");
    // 3
    peers.refused(&["import", &first, "--data-dir", &node4, "--force"], "The existing rollup node is for");
    // 4
    peers.run(&["import", &first, "--data-dir", &node3]).ok();
    // 5
    peers.refused(&["import", &first, "--data-dir", &node2], "is already populated");
    // 6
    peers.run(&["import", &first, "--data-dir", &node2, "--force"]).ok();
    // 8: what a node would find when it starts.
    for node in [&node2, &node3] {
        assert_eq!(level(node), 4010);
        peers.verified(node);
    }
    // 10
    peers
        .refused(&["import", &first, "--data-dir", &node2, "--force"], "The rollup node is already at level");
    // 11: node 1 has gone on; what it committed to last is in flight.
    let second = export(&ground.unpack("v4-archive", "node1-later"), "second");
    // 12
    let import = ["import", &second, "--data-dir", &node2, "--force"];
    peers.refused(&import, "Last commitment of snapshot is not published on L1.");
    assert_eq!(level(&node2), 4010);
}
