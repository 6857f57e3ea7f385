//! The job of the library, and what it hands over to those who store contexts.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rollsnap::context::Moment;
use rollsnap::files::FileSet;
use rollsnap::replay::{self, BlockRun, Commits, Options, Outcome, Place, Reached, Scope};
use rollsnap_core::context::edit::{ObjectStore, Tree};
use rollsnap_core::context::{Commit, Context};
use rollsnap_core::feedback::{Phase, Silent};
use rollsnap_core::hash::{ContextHash, RollupAddress};
use rollsnap_core::pvm::{Constants, Family, Machine, Rollup, Version};
use rollsnap_core::replay::{Origin, Replay};
use rollsnap_core::{Code, Feedback, Problem, Result};
use rollsnap_tests::cli::Ground;
use rollsnap_tests::fixtures;
use serde_json::Value;

use super::{directory, expect};

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

/// The wish to stop, after so many blocks.
struct Impatient(u64);

impl Feedback for Impatient {
    fn phase(&mut self, _: Phase) {}

    fn advance(&mut self, done: u64) {
        self.0 = self.0.saturating_sub(done);
    }

    fn note(&mut self, _: &str) {}

    fn cancelled(&self) -> bool {
        self.0 == 0
    }
}

#[test]
fn a_wish_to_stop() {
    let ground = Ground::new();
    let data = directory(&ground, "r5-long-compact");
    for blocks in [0, 100] {
        let begun = Instant::now();
        let place = Place::data_dir(&data);
        let feedback = &mut Impatient(blocks);
        let mut run = 0;
        let stopped =
            replay::run(&place, &Options::default(), None, Place::REPLAYING, feedback, &mut |_| run += 1);
        assert_eq!(stopped.unwrap_err().code(), Code::Cancelled);
        assert!(begun.elapsed() < Duration::from_secs(2) && run < 1499, "{run}");
    }
}

/// Whoever takes the contexts can fail; then the replay ends there, and says why.
#[test]
fn contexts_that_cannot_be_stored() {
    struct Full(Remember);
    impl Commits for Full {
        fn objects(&self) -> Arc<ObjectStore> {
            self.0.objects()
        }

        fn commit(&mut self, reached: &Reached<'_>) -> Result<()> {
            if reached.level == 5007 { Err(Problem::new(Code::IoNoSpace)) } else { self.0.commit(reached) }
        }
    }
    let ground = Ground::new();
    let data = directory(&ground, "r5-dense-compact");
    let mut commits = Full(Remember::of(&data));
    let (outcome, runs) = replay_of(&data, Scope::Missing, Some(&mut commits));
    assert_eq!(outcome.unwrap().stopped.unwrap().code(), Code::IoNoSpace);
    assert_eq!((runs.last().unwrap().level, commits.0.found.last().unwrap().0), (5006, 5006));
}

/// States of which nobody knows what the nodes make of them.
#[test]
fn states_that_no_replay_begins_with() {
    let rollup = Rollup { address: RollupAddress::new([7; 20]), origination_level: 1 };
    let kernel = fixtures::read("pvm/vectors/boot.wasm");
    let machine = Machine::genesis(&kernel, &Constants::late(Version::V5), rollup, Family::Octez).unwrap();
    let commit = Commit {
        hash: ContextHash::new([0; 32]),
        offset: 0,
        len: 0,
        stored: [0; 32],
        root: 0,
        root_hash: [0; 32],
        date: 0,
        author: b"Tezos".to_vec(),
        message: Vec::new(),
    };
    let origin = Origin { rollup, family: Family::Octez };
    let begin = |change: &dyn Fn(&mut Tree)| {
        let (mut root, mut state) = (Tree::new(), machine.tree().clone());
        change(&mut state);
        root.add_tree(&["pvm_state"], state).unwrap();
        Replay::begin(&commit, root, origin)
            .map(|replay| replay.machine().current_tick())
            .map_err(|err| err.code())
    };
    assert_eq!(begin(&|_| ()), Ok(0));
    let version = |text: &[u8]| {
        let mut chunk = text.to_vec();
        chunk.resize(512, 0);
        let (text, chunk) = ((text.len() as u64).to_be_bytes(), chunk);
        begin(&move |state: &mut Tree| {
            let key = ["durable", "readonly", "wasm_version", "@"];
            state.add(&[&key[..], &["contents", "0"]].concat(), chunk.clone()).unwrap();
            state.add(&[&key[..], &["length"]].concat(), &text[..]).unwrap();
        })
    };
    assert_eq!(version(b"2.0.0-r6"), Ok(0));
    for unknown in [&b"2.0.0-r7"[..], b"2.0.0-experimental", b"3.0.0", b""] {
        assert_eq!(version(unknown), Err(Code::PvmRefusedVersion), "{unknown:?}");
    }
    let marked = begin(&|state| state.add(&["pvm", "nds_hash"], &[7; 32][..]).unwrap());
    assert_eq!(marked, Err(Code::PvmRefusedNds));
    let middle =
        begin(&|state| state.add(&["wasm", "tag"], &[&[0, 0, 0, 4][..], b"eval"].concat()[..]).unwrap());
    assert_eq!(middle, Err(Code::PvmRefusedPhase));
    assert_eq!(
        Replay::begin(&commit, Tree::new(), origin).map(drop).map_err(|err| err.code()),
        Err(Code::ContextState)
    );
}
