//! One block after the other, from a commit of a context on.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::differences::differences;
use super::recorded::Recorded;
use crate::code::Code;
use crate::context::edit::{ObjectStore, Tree};
use crate::context::pack::hashing;
use crate::context::{Commit, Context};
use crate::feedback::Feedback;
use crate::hash::{ContextHash, StateHash};
use crate::problem::{Place, Problem, Result};
use crate::pvm::{Engine, Family, LevelOutcome, Machine, Rollup, SharedReveal};
use crate::read_at::Files;

const PVM_STATE: &[&[u8]] = &[b"pvm_state"];
/// The other half of a state in the new durable storage (NDS).
const NDS_MARKER: &[&[u8]] = &[b"pvm_state", b"pvm", b"nds_hash"];

/// Who makes commits: Octez and Mavkit.
const AUTHORS: [&[u8]; 2] = [b"Tezos", b"Mavryk"];

/// Takes the contexts that a replay comes to: those of blocks for which the store names one.
///
/// It is asked from the thread that runs the blocks, so it can be sent there.
pub trait Commits: Send {
    /// Where the trees of the replay load what they do not hold, and where what is stored here can be read from then on
    /// ([`Written::keep`](crate::context::edit::Written::keep)).
    fn objects(&self) -> Arc<ObjectStore>;

    /// Stores a context. Its hash is the one that the store records: it was compared before.
    ///
    /// # Errors
    /// Whatever stands in the way: the replay ends there.
    fn commit(&mut self, reached: &Reached<'_>) -> Result<()>;
}

/// A context that a replay has come to.
#[derive(Clone, Copy, Debug)]
pub struct Reached<'r> {
    /// The level of its block.
    pub level: i32,
    /// Its hash: of a commit without parents, date and message.
    pub hash: ContextHash,
    /// Who makes the commit.
    pub author: &'r [u8],
    /// The root directory.
    pub root: &'r Tree,
    /// Hash of the root directory.
    pub root_hash: &'r [u8; 32],
}

/// The rollup whose blocks are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Its address, and the level of its origination.
    pub rollup: Rollup,
    /// Whose nodes ran the blocks.
    pub family: Family,
}

/// A replay: the state after some block, ready for the next one.
#[derive(Clone, Debug)]
pub struct Replay {
    machine: Machine,
    /// What is in the context beside the state.
    rest: Tree,
    author: Vec<u8>,
    origin: Origin,
}

impl Replay {
    /// Begins with a commit. `root` is the tree of it.
    ///
    /// # Errors
    /// [`Code::PvmRefusedNds`] when the rest of the state is elsewhere, [`Code::ContextState`] when there is none; as
    /// [`Machine::load`].
    pub fn begin(commit: &Commit, root: Tree, origin: Origin) -> Result<Self> {
        if root.mem(NDS_MARKER)? || root.mem_tree(NDS_MARKER)? {
            return Err(Problem::new(Code::PvmRefusedNds).found("pvm_state/pvm/nds_hash"));
        }
        let state = root.find_tree(PVM_STATE)?;
        let state = state.ok_or_else(|| Problem::new(Code::ContextState).found("no pvm_state"))?;
        let mut rest = root;
        rest.remove(PVM_STATE)?;
        let machine = Machine::load(state, origin.rollup, origin.family)?;
        Ok(Self { machine, rest, author: commit.author.clone(), origin })
    }

    /// Compares the state with what is recorded of its block: the one that the replay begins with.
    ///
    /// # Errors
    /// [`Code::ReplayTicks`], [`Code::ReplayState`], [`Code::ReplayCommitment`]; whatever reading reports.
    pub fn check(&self, recorded: &Recorded<'_>) -> Result<()> {
        let genesis = recorded.level() <= self.origin.rollup.origination_level;
        recorded.check_state(self.machine.current_tick(), self.machine.state_hash()?, genesis)
    }

    /// The machine.
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// Runs the next block and compares what comes of it. A context that the store names goes to `commits`, if that is
    /// given.
    ///
    /// # Errors
    /// Those of [`Recorded::messages`] and [`Machine::level`]; the first difference: [`Code::ReplayInitialTick`],
    /// [`Code::ReplayTicks`], [`Code::ReplayOutbox`], [`Code::ReplayStatus`], [`Code::ReplayState`],
    /// [`Code::ReplayCommitment`], [`Code::ReplayContext`]; those of `commits`. After a difference the replay is at the
    /// state that was computed, for [`Replay::explain`]; it cannot go on.
    pub fn block(
        &mut self,
        recorded: &Recorded<'_>,
        engine: &mut dyn Engine,
        reveal: &SharedReveal,
        feedback: &dyn Feedback,
        commits: Option<&mut dyn Commits>,
    ) -> Result<LevelOutcome> {
        let level = recorded.level();
        recorded.check_before(self.machine.current_tick())?;
        let outcome = self.machine.level(level, recorded.messages()?, engine, reveal, feedback)?;
        // Nodes compute it after each block, which has effects.
        let state = self.machine.state_hash()?;
        recorded.check_after(&outcome, state)?;
        if let Some(context) = recorded.entry.block.context {
            let root = self.root()?;
            let root_hash = root.hash()?;
            let author = self.author_of(&root_hash, &context).ok_or_else(|| {
                let found = ContextHash::new(hashing::commit(&root_hash, 0, &self.author, &[]));
                recorded.wrong(Code::ReplayContext).expected(context).found(found)
            })?;
            self.author = author;
            if let Some(commits) = commits {
                let (hash, author) = (context, &*self.author);
                commits.commit(&Reached { level, hash, author, root: &root, root_hash: &root_hash })?;
            }
            drop(root);
            self.machine.committed()?;
        }
        Ok(outcome)
    }

    /// Adds to a problem which keys differ between a recorded context of the block, if it is at hand, and the state that
    /// was computed.
    #[must_use]
    pub fn explain(&self, problem: Problem, recorded: &Tree) -> Problem {
        let found = self.root().and_then(|root| differences(recorded, &root));
        match found {
            Ok(Some(keys)) => problem.because(keys),
            Ok(None) => problem.because("the context of the block holds the state that was computed"),
            Err(why) => problem.because(format!("its context cannot be compared: {}", why.sentence())),
        }
    }

    /// As [`Replay::explain`], with the context of the block, where it is at hand and the problem is a difference.
    #[must_use]
    pub fn explained<F: Files>(
        &self,
        problem: Problem,
        recorded: &Recorded<'_>,
        context: &Context<F>,
        objects: &Arc<ObjectStore>,
        feedback: &dyn Feedback,
    ) -> Problem {
        let differs = [
            Code::ReplayTicks,
            Code::ReplayOutbox,
            Code::ReplayStatus,
            Code::ReplayState,
            Code::ReplayCommitment,
            Code::ReplayContext,
        ];
        let hash = recorded.entry.block.context.filter(|_| differs.contains(&problem.code()));
        match hash.map(|hash| context.checkout(&hash, feedback)) {
            Some(Ok(commit)) => self.explain(problem, &Tree::load(objects, commit.root)),
            Some(Err(_)) | None => problem,
        }
    }

    /// Forgets what can be loaded again, if trees have loaded more than `budget` bytes. Between two blocks only.
    ///
    /// # Errors
    /// Whatever reading the tree reports.
    pub fn shrink(&mut self, objects: &ObjectStore, budget: u64) -> Result<bool> {
        self.machine.shrink(objects, budget)
    }

    /// The whole context.
    fn root(&self) -> Result<Tree> {
        let mut root = self.rest.clone();
        root.add_tree(PVM_STATE, self.machine.tree().clone())?;
        Ok(root)
    }

    /// Who made the commit of this hash: whoever made the one before, as a rule.
    fn author_of(&self, root: &[u8; 32], commit: &ContextHash) -> Option<Vec<u8>> {
        let makes = |author: &&[u8]| ContextHash::new(hashing::commit(root, 0, author, &[])) == *commit;
        [&*self.author].into_iter().chain(AUTHORS).find(makes).map(<[u8]>::to_vec)
    }

    /// The hash of the state.
    ///
    /// # Errors
    /// Whatever reading the tree reports.
    pub fn state_hash(&self) -> Result<StateHash> {
        self.machine.state_hash()
    }

    /// Says at which level a problem was met. One that has a place of its own keeps it, and its cause says the level.
    #[must_use]
    pub fn at(level: i32, problem: Problem) -> Problem {
        match problem.place() {
            None => problem.at(Place::Level(level)),
            Some(Place::Level(_)) => problem,
            Some(_) => {
                let cause = problem.cause().map_or_else(String::new, |cause| format!(": {cause}"));
                problem.because(format!("met at level {level}{cause}"))
            }
        }
    }
}
