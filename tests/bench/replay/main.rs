//! Computes the states that a rollup comes to, for `make_levels.py`.
//!
//!   replay_states DATA_DIR CONTEXT_HASH < LEVELS > STATES
//!
//! The states begin with that context. A line of LEVELS is a level and its messages in hexadecimal digits; of STATES, the
//! level, the ticks it takes, and the hashes of its state and of its context.

use std::io::{self, BufRead, BufWriter, Write};
use std::path::Path;

use rollsnap::context::Moment;
use rollsnap::engine::Limits;
use rollsnap::files::FileSet;
use rollsnap_core::context::Context;
use rollsnap_core::context::edit::{ObjectStore, Tree};
use rollsnap_core::context::pack::hashing;
use rollsnap_core::feedback::Silent;
use rollsnap_core::hash::ContextHash;
use rollsnap_core::pvm::{Family, Machine, Rollup};
use rollsnap_core::store::Metadata;
use rollsnap_tests::engines::engine;
use rollsnap_tests::pvm::no_reveal;

/// When what was loaded or computed is left to be loaded again: as much as the tool allows itself.
const BUDGET: u64 = 128 << 20;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [root, context_hash] = &arguments[..] else { panic!("replay_states DATA_DIR CONTEXT_HASH") };
    let root = Path::new(root);
    let metadata = Metadata::parse(&std::fs::read(root.join("metadata")).unwrap()).unwrap();
    let rollup = Rollup { address: metadata.rollup_address, origination_level: metadata.genesis_level };
    let context = Context::open(Moment::take(&FileSet::context_of(root)).unwrap()).unwrap();
    let commit = context.checkout(&context_hash.parse::<ContextHash>().unwrap(), &Silent).unwrap();
    let author = commit.author.clone();
    let objects = ObjectStore::checked(context);
    let state = Tree::load(&objects, commit.root).find_tree(&["pvm_state"]).unwrap().expect("a state");
    let mut machine = Machine::load(state, rollup, Family::Octez).unwrap();
    let mut engine = engine("interpreter", Limits::default()).unwrap().unwrap();
    let reveal = no_reveal();
    let mut out = BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().lines() {
        let line = line.unwrap();
        let mut words = line.split(' ');
        let level: i32 = words.next().unwrap().parse().unwrap();
        let messages: Vec<Vec<u8>> = words.map(bytes).collect();
        let outcome = machine.level(level, &messages, &mut *engine, &reveal, &Silent).unwrap();
        let state = machine.state_hash().unwrap();
        let mut root = Tree::new();
        root.add_tree(&["pvm_state"], machine.tree().clone()).unwrap();
        let context = hashing::commit(&root.hash().unwrap(), 0, &author, &[]);
        machine.committed().unwrap();
        machine.shrink(&objects, BUDGET).unwrap();
        writeln!(out, "{level} {} {} {}", outcome.num_ticks, hex(state.as_bytes()), hex(&context)).unwrap();
    }
}

fn bytes(digits: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    (0..digits.len()).step_by(2).map(byte).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
