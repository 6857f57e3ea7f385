//! The job of the library, and what it hands over to those who store contexts.

use std::path::Path;
use std::sync::Arc;

use rollsnap::context::Moment;
use rollsnap::files::FileSet;
use rollsnap::replay::{self, BlockRun, Commits, Options, Outcome, Place, Reached, Scope};
use rollsnap_core::context::Context;
use rollsnap_core::context::edit::ObjectStore;
use rollsnap_core::feedback::Silent;
use rollsnap_core::{Code, Result};
use rollsnap_tests::cli::Ground;
use rollsnap_tests::fixtures;
use serde_json::Value;

/// Unpacks a snapshot of `replay/` as a data directory.
fn directory(ground: &Ground, name: &str) -> String {
    let snapshot = ground.snapshot(&format!("replay/{name}.head.snapshot.gz"));
    let data = ground.at(name);
    ground.run(&["extract", &snapshot, "-C", &data]).ok();
    data
}

fn expect(name: &str) -> Value {
    serde_json::from_slice(&fixtures::read(&format!("replay/{name}.expect.json"))).unwrap()
}

fn options(scope: Scope) -> Options {
    let mut options = Options::default();
    options.scope = scope;
    options
}

fn replay_of(
    data: &str,
    scope: Scope,
    commits: Option<&mut dyn Commits>,
) -> (Result<Outcome>, Vec<BlockRun>) {
    let mut runs = Vec::new();
    let place = Place::data_dir(data);
    let outcome = replay::run(&place, &options(scope), commits, Place::REPLAYING, &mut Silent, &mut |run| {
        runs.push(*run);
    });
    (outcome, runs)
}

/// Remembers the contexts, and stores nothing.
struct Remember {
    objects: Arc<ObjectStore>,
    found: Vec<(i32, String)>,
}

impl Remember {
    fn of(data: &str) -> Self {
        let moment = Moment::take(&FileSet::context_of(Path::new(data))).unwrap();
        let objects = ObjectStore::checked(Context::open(moment).unwrap());
        Self { objects, found: Vec::new() }
    }
}

impl Commits for Remember {
    fn objects(&self) -> Arc<ObjectStore> {
        self.objects.clone()
    }

    fn commit(&mut self, reached: &Reached<'_>) -> Result<()> {
        assert_eq!(reached.root.hash().unwrap(), *reached.root_hash);
        self.found.push((reached.level, reached.hash.to_string()));
        Ok(())
    }
}

/// What the makers of a directory say of the blocks behind its first context, against what was run.
fn compare(name: &str, runs: &[BlockRun]) {
    let expect = expect(name);
    let blocks: Vec<&Value> = expect["blocks"].as_array().unwrap().iter().collect();
    for run in runs {
        let Some(block) = blocks.iter().find(|block| block["level"] == run.level) else { continue };
        assert_eq!(block["initial_tick"], run.initial_tick.to_string(), "{name} {}", run.level);
        assert_eq!(
            block["num_ticks"].as_u64().unwrap(),
            u64::try_from(run.ticks).unwrap(),
            "{name} {}",
            run.level
        );
        assert_eq!(block["phase"], run.phase.as_str(), "{name} {}", run.level);
    }
}

#[test]
fn every_block_of_full_directories() {
    for (name, first, head) in [
        ("r5-dense", 5000, 5031),
        ("r5-sparse", 777, 816),
        ("r5-full", 61015, 61037),
        ("r4-mavkit", 3000, 3025),
    ] {
        let ground = Ground::new();
        let data = directory(&ground, name);
        let before = ground.tree();
        let (outcome, runs) = replay_of(&data, Scope::All, None);
        let outcome = outcome.unwrap();
        assert_eq!(outcome.stopped, None, "{name}");
        assert!(outcome.is_complete(), "{name}");
        assert_eq!((outcome.first, outcome.head), (first, head), "{name}");
        let levels: Vec<i32> = runs.iter().map(|run| run.level).collect();
        assert_eq!(levels, (first + 1..=head).collect::<Vec<_>>(), "{name}");
        compare(name, &runs);
        // Reading writes nothing.
        before.same_as(&ground.tree(), name);
    }
}

#[test]
fn contexts_of_compact_snapshots() {
    for (name, first) in [
        ("r5-dense", 5000),
        ("r5-sparse", 777),
        ("r5-full", 61015),
        ("r4-mavkit", 3000),
        ("r5-stuck-full", 412),
        ("r5-long", 200000),
    ] {
        let ground = Ground::new();
        let data = directory(&ground, &format!("{name}-compact"));
        let mut commits = Remember::of(&data);
        let (outcome, runs) = replay_of(&data, Scope::Missing, Some(&mut commits));
        let outcome = outcome.unwrap();
        assert_eq!(outcome.stopped, None, "{name}");
        assert!(outcome.is_complete(), "{name}");
        compare(name, &runs);
        let expect = expect(name);
        let contexts = expect["blocks"].as_array().unwrap().iter().filter_map(|block| {
            let level = i32::try_from(block["level"].as_i64().unwrap()).unwrap();
            (level > first && block["context"].is_string())
                .then(|| (level, block["context"].as_str().unwrap().to_owned()))
        });
        assert_eq!(commits.found, contexts.collect::<Vec<_>>(), "{name}");
    }
}

/// At 409 the machine gets stuck, at a tick that nothing but the nodes' own interpreter can tell.
#[test]
fn a_machine_that_gets_stuck() {
    let ground = Ground::new();
    for name in ["r5-stuck-compact", "r5-stuck"] {
        let data = directory(&ground, name);
        let mut commits = Remember::of(&data);
        let scope = if name == "r5-stuck" { Scope::All } else { Scope::Missing };
        let (outcome, runs) = replay_of(&data, scope, Some(&mut commits));
        let problem = outcome.unwrap().stopped.unwrap();
        assert_eq!(problem.code(), Code::PvmRefusedTrap, "{problem}");
        assert_eq!(problem.place().unwrap().to_string(), "at level 409");
        assert_eq!(runs.last().unwrap().level, 408);
        assert_eq!(commits.found.last().unwrap().0, 408);
    }
}
