//! Imports of snapshots that lack some contexts: not all, as compact ones do. What is missing is rebuilt in the same way, from
//! the last context before each gap on.

use std::fs;

use rollsnap_tests::bomb::Bomb;
use rollsnap_tests::cli::Ground;
use rollsnap_tests::fixtures;
use serde_json::Value;

use super::import_compact::{contexts, expected, found};

const INDEX: &str = "context/index/log";

/// Length of the header of the index, and of an entry.
const HEADER: usize = 32;
const ENTRY: usize = 45;

/// The full snapshot of a directory, without the commits of these levels in its index.
fn without(name: &str, levels: &[(i64, i64)]) -> Bomb {
    let snapshot = Bomb::of(&format!("replay/{name}.head.snapshot.gz"));
    let index = snapshot.bytes(INDEX);
    let expected = expected(name)["blocks"].clone();
    let blocks: Vec<Value> = match expected {
        Value::Object(blocks) => blocks.into_iter().map(|(_, block)| block).collect(),
        blocks => blocks.as_array().unwrap().clone(),
    };
    let lost: Vec<Vec<u8>> = blocks
        .iter()
        .filter(|block| {
            let level = block["level"].as_i64().unwrap();
            levels.iter().any(|(from, to)| (*from..=*to).contains(&level))
        })
        .filter_map(|block| block["context_hex"].as_str().map(fixtures::unhex))
        .collect();
    let entries = index[HEADER..].chunks_exact(ENTRY);
    let kept: Vec<u8> =
        entries.filter(|entry| lost.iter().all(|hash| !entry.starts_with(hash))).flatten().copied().collect();
    assert_eq!(index.len() - HEADER - kept.len(), lost.len() * ENTRY, "{name}");
    let mut less = (kept.len() as u64).to_be_bytes().to_vec();
    less.extend(&index[8..HEADER]);
    less.extend(kept);
    snapshot.put_bytes(INDEX, less)
}

/// A directory, the levels whose contexts are lost, how many these are, and how many blocks have to be run.
type Case = (&'static str, &'static [(i64, i64)], u64, u64);

/// The newest contexts are lost, as where a node was stopped while it imported a compact snapshot.
const BEHIND: [Case; 6] = [
    ("r5-dense", &[(5010, 5031)], 22, 22),
    ("r5-dense", &[(5031, 5031)], 1, 1),
    ("r5-dense", &[(5003, 5004), (5020, 5021), (5030, 5031)], 6, 6),
    ("r5-sparse", &[(800, 816)], 3, 21),
    ("r5-full", &[(61_030, 61_037)], 8, 8),
    ("r4-mavkit", &[(3001, 3002), (3020, 3025)], 8, 8),
];

/// Others are: nodes take the snapshot for a full one.
const BETWEEN: [Case; 4] = [
    ("r5-dense", &[(5010, 5012), (5020, 5020)], 4, 4),
    ("r5-sparse", &[(783, 783), (795, 795)], 2, 12),
    ("r5-full", &[(61_016, 61_036)], 21, 21),
    ("r4-mavkit", &[(3024, 3024)], 1, 1),
];

#[test]
fn what_is_missing_is_rebuilt() {
    let ground = Ground::new();
    let mut nodes = Vec::new();
    for (at, (name, levels, missing, blocks)) in BEHIND.into_iter().chain(BETWEEN).enumerate() {
        let is_behind = at < BEHIND.len();
        let snapshot = without(name, levels).write(&ground, &format!("{at}.snapshot"));
        let info = ground.run(&["info", "--full", &snapshot, "--json"]).ok().json();
        assert_eq!(info["context"]["missing"], missing, "{info}");
        assert_eq!(info["context"]["compact"], is_behind, "{info}");
        let words = format!("{missing} of the {} contexts that the store names", contexts(name).len());
        let info = ground.run(&["info", "--full", &snapshot]).ok();
        let kind = if is_behind { "partly compact" } else { "incomplete" };
        assert!(info.text().contains(&format!("Context:         {kind}: {words}")), "{info}");

        let verified = ground.run(&["verify", &snapshot]).ends(1);
        assert!(verified.text().starts_with("partly compact "), "{verified}");
        assert!(verified.text().contains("warning context.partial "), "{verified}");
        assert!(verified.text().contains(&words), "{verified}");

        // The rules apart, nothing differs without the checks.
        let ways = if at % 3 == 0 { &[&[][..], &["--no-check"]][..] } else { &[&[][..]] };
        for (way, more) in ways.iter().enumerate() {
            let node = format!("node-{at}-{way}");
            let run = ground.run(&[&["import", &snapshot, "--data-dir", &node], *more].concat()).ok();
            assert!(run.err.contains(&format!("Partly compact: {words}")), "{run}");
            let made = if missing == 1 { "context" } else { "contexts" };
            let run_again = if blocks == 1 { "block" } else { "blocks" };
            let line = format!("Rebuilt {missing} {made}: {blocks} {run_again} run again, up to level ");
            assert!(run.err.contains(&line), "{line}: {run}");
            assert!(run.err.contains("Partly compact snapshot: level "), "{run}");
            assert_eq!(ground.run(&["verify", &node, "--json"]).ok().json()["verdicts"]["consistent"], "yes");
            nodes.push((name, ground.path(&node)));
        }
    }
    let dirs: Vec<_> = nodes.iter().map(|(_, dir)| &**dir).collect();
    for ((name, dir), found) in nodes.iter().zip(found(&dirs)) {
        assert_eq!(found, contexts(name), "{}", dir.display());
    }
}

/// The pack ends with the last commit that is there.
#[test]
fn a_context_that_ends_early_is_carried_on() {
    let ground = Ground::new();
    for (name, level) in [("r5-dense", 5012), ("r5-sparse", 800), ("r5-full", 61_020)] {
        let mut snapshot = Bomb::of(&format!("replay/{name}-compact.head.snapshot.gz"));
        let whole = snapshot.write(&ground, "whole");
        let level = level.to_string();
        ground.run(&["import", &whole, "--data-dir", "short", "--level", &level]).ok();
        snapshot = Bomb::of(&format!("replay/{name}-compact.head.snapshot.gz"));
        snapshot.members.retain(|member, _| !member.starts_with("context/"));
        for (member, _) in ground.tree().only(|member| member.starts_with("short/context/")).files() {
            let bytes = fs::read(ground.path(member)).unwrap();
            snapshot = snapshot.put_bytes(member.strip_prefix("short/").unwrap(), bytes);
        }
        let partly = snapshot.write(&ground, "partly");
        let run = ground.run(&["import", &partly, "--data-dir", name]).ok();
        assert!(run.err.contains("Partly compact: "), "{run}");
        assert_eq!(found(&[&ground.path(name)])[0], contexts(name), "{name}");
        assert_eq!(ground.run(&["verify", name, "--json"]).ok().json()["verdicts"]["consistent"], "yes");
        // Taken back to what is there, it lacks nothing.
        let run = ground.run(&["import", &partly, "--data-dir", "back", "--level", &level]).ok();
        assert!(!run.err.contains("artly compact"), "{run}");
        fs::remove_dir_all(ground.path("short")).unwrap();
        fs::remove_dir_all(ground.path("back")).unwrap();
    }
}

/// An older store becomes a new one on the way.
#[test]
fn a_converted_store_gets_its_contexts_too() {
    let ground = Ground::new();
    for (at, levels) in [[(3010, 3025)], [(3005, 3006)]].into_iter().enumerate() {
        let snapshot = without("r4-mavkit", &levels).write(&ground, "snapshot");
        let node = format!("node-{at}");
        let run = ground.run(&["import", &snapshot, "--data-dir", &node, "--to", "v5"]).ok();
        assert!(run.err.contains("Rebuilt "), "{run}");
        assert_eq!(found(&[&ground.path(&node)])[0], contexts("r4-mavkit"));
        let report = ground.run(&["verify", &node, "--json"]).ok().json();
        assert_eq!(report["verdicts"]["consistent"], "yes");
        // A conversion alone runs no blocks.
        let run = ground.run(&["convert", &snapshot, "-o", "converted"]);
        let run = run.ends(if at == 0 { 4 } else { 1 });
        assert!(run.err.contains(if at == 0 { "[context.partial]" } else { "[chain.context]" }), "{run}");
        assert!(!ground.path("converted").exists());
    }
}

/// Without the first context there is nothing to begin with.
#[test]
fn what_has_no_beginning_is_refused() {
    let ground = Ground::new();
    for (at, levels) in
        [&[(5000, 5004)][..], &[(5000, 5031)], &[(5000, 5000), (5031, 5031)]].iter().enumerate()
    {
        let snapshot = without("r5-dense", levels).write(&ground, "snapshot");
        let before = ground.tree();
        let run = ground.run(&["import", &snapshot, "--data-dir", "node"]);
        run.refused(1, if at == 0 { "[chain.context]" } else { "[context.head]" });
        ground.tree().same_as(&before, "refused");
        if at > 0 {
            let run = ground.run(&["import", &snapshot, "--data-dir", "node", "--no-check"]);
            let run = run.refused(4, "[replay.start]");
            assert!(run.err.contains("--keep-compact"), "{run}");
            ground.tree().same_as(&before, "refused");
        }
        let node = format!("node-{at}");
        ground.run(&["import", &snapshot, "--data-dir", &node, "--no-check", "--keep-compact"]).ok();
    }
}

/// What only a node can compute changes nothing; the ways around are named, and lead there.
#[test]
fn what_only_a_node_can_compute_changes_nothing() {
    let ground = Ground::new();
    let behind = without("r5-stuck", &[(405, 417)]).write(&ground, "behind");
    let between = without("r5-stuck", &[(405, 410)]).write(&ground, "between");
    // What was compiled of the kernel may be kept.
    let tree = || ground.tree().only(|name| !name.starts_with("home/"));
    let before = tree();
    for more in [&[][..], &["--no-check"]] {
        let import = |file: &str| ground.run(&[&["import", file, "--data-dir", "node"], more].concat());
        let run = import(&behind).refused(4, "[pvm.refused.trap]");
        assert!(run.err.contains("at level 409") && run.err.contains("--level 404 "), "{run}");
        tree().same_as(&before, "refused");
        let run = import(&between).refused(1, "[chain.context]");
        assert!(run.err.contains("6 of the 18 contexts that the store names are missing"), "{run}");
        assert!(run.err.contains("only the nodes' own interpreter can judge"), "{run}");
        tree().same_as(&before, "refused");
    }
    ground.run(&["import", &behind, "--data-dir", "back", "--level", "404"]).ok();
    for (file, node) in [(&behind, "kept-behind"), (&between, "kept-between")] {
        let run = ground.run(&["import", file, "--data-dir", node, "--keep-compact"]).ok();
        assert!(run.err.contains("Kept as it is: "), "{run}");
        // It is what it is: the contexts are missing.
        ground.run(&["verify", node]).ends(1);
    }
    let count = |dir: &str| found(&[&ground.path(dir)])[0].len();
    assert_eq!((count("kept-behind"), count("kept-between")), (5, 12));
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[test]
fn an_interrupted_import_goes_on() {
    use super::import_compact::interrupted::{child, interrupt};
    use rollsnap_tests::crash::{self, How};

    let wanted = std::env::var("ROLLSNAP_KILLS").map_or(6, |count| count.parse::<u64>().unwrap());
    let cases: [(&str, &[(i64, i64)]); 2] =
        [("r5-dense", &[(5015, 5031)]), ("r5-dense", &[(5002, 5006), (5020, 5029)])];
    for (name, levels) in cases {
        let snapshot = |ground: &Ground| without(name, levels).write(ground, "snapshot");
        let ground = Ground::new();
        let all = crash::count(child(&ground, &snapshot(&ground), &ground.at("node")));
        let hows = [How::Kill, How::Torn, How::Fail(28), How::Kill];
        let moments = (0..wanted).map(|at| (1 + all * at / wanted, hows[at as usize % hows.len()]));
        let kinds = interrupt(name, snapshot, moments);
        println!("{name}: {wanted} of {all} calls, then {kinds:?}");
        assert!(kinds["went on"] >= 2, "{name}, {all} calls: {kinds:?}");
    }
}
