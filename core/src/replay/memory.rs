//! A snapshot that is kept in memory, and its blocks run again: for whoever has no files.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use super::available::Available;
use super::levels::MemoryLevels;
use super::outbox::Habit;
use super::outcome::{BlockRun, Outcome};
use super::records::{Blocks, Records, protocols};
use super::refusal;
use super::reveals::{PreImageSource, Reveals};
use super::run::{Origin, Replay};
use crate::code::Code;
use crate::context::Context;
use crate::context::edit::{Bytes, ObjectStore, Tree};
use crate::context::path::hex;
use crate::feedback::Feedback;
use crate::hash::StateHash;
use crate::members::{CONTEXT, METADATA, MemberKind, PvmKind};
use crate::problem::{Problem, Result};
use crate::pvm::reveal::MAX_PRE_IMAGE;
use crate::pvm::{Engine, Reveal, SharedReveal};
use crate::read_at::{Files, ReadAt, names_below};
use crate::scratch::Scratch;
use crate::snapshot::Event;
use crate::store::v4::Protocol;
use crate::store::{MAX_METADATA, MemoryFiles, Metadata, Opened, Rows, SharedFile, Store};

/// Most members that are kept: a rollup has some hundred pre-images for each kernel it was upgraded to.
const MAX_MEMBERS: u64 = 1 << 16;

/// What is loaded of the context beside its bytes, before it is loaded anew: 64 MiB.
const BUDGET: u64 = 64 << 20;

/// Keeps the members of a snapshot that streams by. Memory: what they hold, up to a bound; with temporary space as
/// much of it as is said.
#[derive(Debug)]
pub struct Gathering {
    files: MemoryFiles,
    is_open: bool,
    problem: Option<Problem>,
}

impl Gathering {
    /// Waits for the first member; keeps `most` bytes at most.
    pub fn new(most: u64) -> Self {
        Self { files: MemoryFiles::holding(most, MAX_MEMBERS), is_open: false, problem: None }
    }

    /// What does not fit into `memory` bytes goes to temporary space.
    #[must_use]
    pub fn spilling(self, space: Box<dyn Scratch>, memory: u64) -> Self {
        Self { files: self.files.spilling(space, memory), ..self }
    }

    /// Takes what an inspection tells.
    pub fn take(&mut self, event: &Event<'_>) {
        match event {
            // What no node puts into a snapshot is not looked at.
            Event::Member(member) if MemberKind::of(&member.name).is_some() => {
                self.files.begin(&member.name, member.size, member.data_offset);
                self.is_open = true;
            }
            Event::Data(data) if self.is_open => self.files.data(data),
            Event::MemberEnd { .. } => {
                self.files.end();
                self.is_open = false;
            }
            Event::Read(bytes) => self.files.read(*bytes),
            // Half a snapshot is none.
            Event::Problem(problem) if self.problem.is_none() => self.problem = Some((*problem).clone()),
            _ => {}
        }
    }

    /// Whether what has come so far could be kept: whoever asks while a snapshot streams by need not read the rest.
    ///
    /// # Errors
    /// [`Code::LimitMemory`] when there was more than may be kept.
    pub fn check(&self) -> Result<()> {
        if self.files.files().is_some() {
            return Ok(());
        }
        let (announced, most, count) = (self.files.announced(), self.files.most(), self.files.count());
        let over = Problem::new(Code::LimitMemory);
        let over = if announced > most {
            let found = format!("{announced} bytes by then");
            over.expected(format_args!("at most {most} bytes")).found(found)
        } else if count > MAX_MEMBERS {
            let found = format!("{count} members by then");
            over.expected(format_args!("at most {MAX_MEMBERS} members")).found(found)
        } else if let Some(problem) = self.files.failure() {
            return Err(problem.clone());
        } else if self.files.is_swollen() {
            over.headline("the snapshot would take more memory than a file of its size can need")
        } else {
            over.headline("there is not enough memory to keep the snapshot")
        };
        Err(over.because("rollsnap verify --replay on the command line has no such bound"))
    }

    /// What was kept of a snapshot that came whole.
    ///
    /// # Errors
    /// The first problem of the inspection; [`Code::LimitMemory`] when there was more than may be kept.
    pub fn finish(self) -> Result<MemberFiles> {
        if let Some(problem) = self.problem {
            return Err(problem);
        }
        self.check()?;
        let files = self.files.into_files().unwrap_or_default();
        Ok(MemberFiles { files: Arc::new(files), below: "" })
    }
}

/// Members of a snapshot, in memory; or those below a directory of it.
#[derive(Clone, Debug)]
pub struct MemberFiles {
    files: Arc<BTreeMap<String, SharedFile>>,
    below: &'static str,
}

/// The bytes of a member.
#[derive(Clone, Debug)]
pub struct MemberFile(SharedFile);

impl MemberFiles {
    fn context(&self) -> Self {
        Self { files: self.files.clone(), below: CONTEXT }
    }

    fn full(&self, name: &str) -> String {
        if self.below.is_empty() { name.into() } else { format!("{}/{name}", self.below) }
    }
}

impl PreImageSource for MemberFiles {
    fn read(&self, hash: &[u8; 32]) -> Result<Bytes> {
        let name = format!("{}/00{}", PvmKind::Wasm200.as_str(), hex(hash));
        let missing = || Problem::new(Code::PreImageMissing).path(&name);
        let file = self.files.get(&name).ok_or_else(missing)?;
        // No longer than a kernel can be given; one byte more tells that it is.
        let len = file.len().min(MAX_PRE_IMAGE as u64 + 1);
        let mut bytes = alloc::vec![0; usize::try_from(len).unwrap_or(0)];
        file.read_at(0, &mut bytes)?;
        Ok(bytes.into())
    }
}

impl Files for MemberFiles {
    type File = MemberFile;

    fn open(&self, name: &str) -> Result<Option<MemberFile>> {
        Ok(self.files.get(&self.full(name)).cloned().map(MemberFile))
    }

    fn names(&self, directory: &str) -> Result<Vec<String>> {
        let directory = match (self.below, directory) {
            ("", directory) => String::from(directory),
            (below, "") => below.into(),
            (below, directory) => format!("{below}/{directory}"),
        };
        Ok(names_below(&self.files, &directory))
    }
}

impl ReadAt for MemberFile {
    fn len(&self) -> u64 {
        self.0.len()
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        self.0.read_at(offset, out)
    }
}

/// The blocks of a snapshot in memory, run again one after the other.
pub struct MemoryReplay {
    files: MemberFiles,
    store: Rc<Opened<Store<'static, MemberFile>, MemberFile>>,
    protocols: Vec<Protocol>,
    origin: Origin,
    context: Arc<Context<MemberFiles>>,
    objects: Arc<ObjectStore>,
    replay: Replay,
    /// The next block.
    next: i32,
    /// The last one that is to be run.
    last: i32,
    habit: Habit,
    outcome: Outcome,
}

impl MemoryReplay {
    /// Begins with the context before the first of some levels, up to the last of them: `levels` is asked for both, both
    /// included, and given the level of the first context and that of the head.
    ///
    /// # Errors
    /// What is refused before anything is run: [`Code::ReplayKind`], [`Code::ReplayProtocol`], [`Code::ReplayStart`],
    /// `pvm.refused.…`, [`Code::LevelUnavailable`]; those of metadata, store and context.
    pub fn begin(
        files: MemberFiles,
        levels: &dyn Fn(i32, i32) -> (i32, i32),
        feedback: &dyn Feedback,
    ) -> Result<Self> {
        let metadata = metadata(&files)?;
        refusal::kind(&metadata)?;
        let context = Arc::new(Context::open(files.context())?);
        refusal::nds(context.files())?;
        let store = Rc::new(Opened::open(&files)?);
        let head = store.head()?;
        let available = Available::read(&*store, &context, head.level, false, feedback)?;
        let (from, last) = levels(available.first(), head.level);
        available.check(from, last, head.level)?;
        let at = available.at_or_below(from.saturating_sub(1));
        let (start, entry) =
            at.and_then(|at| available.all().get(at)).copied().ok_or_else(|| super::no_start(from))?;
        let protocols = protocols(&store)?;
        let spans = [(start, last)];
        let origin = refusal::protocols(&metadata, &protocols, &spans)?;
        let objects = ObjectStore::checked(context.clone());
        let mut blocks = Records::new(&store)?;
        refusal::migrations(&protocols, &spans, origin.family, &mut blocks)?;
        let replay = begin(&context, &objects, entry.offset, origin, &mut blocks, start)?;
        drop(blocks);
        let planned = u64::try_from(i64::from(last) - i64::from(start)).unwrap_or(0);
        let outcome = Outcome::new(available.first(), &head, planned);
        let (next, habit) = (start.saturating_add(1), Habit::default());
        Ok(Self { files, store, protocols, origin, context, objects, replay, next, last, habit, outcome })
    }

    /// What the snapshot can answer of what kernels ask for: pre-images, and what its store says of the data availability
    /// layer under protocols that are known.
    pub fn reveals(&self) -> impl Reveal + 'static {
        let levels = MemoryLevels::new(self.files.clone(), self.store.clone(), self.protocols.clone());
        Reveals::new(self.files.clone(), self.origin.rollup, levels)
    }

    /// Runs the next block: `None` when all were run, or one does not agree, which [`Outcome::stopped`] has then.
    pub fn step(
        &mut self,
        engine: &mut dyn Engine,
        reveal: &SharedReveal,
        feedback: &dyn Feedback,
    ) -> Option<BlockRun> {
        if self.next > self.last || self.outcome.stopped.is_some() {
            return None;
        }
        let level = self.next;
        match self.block(level, engine, reveal, feedback) {
            Ok(run) => {
                self.outcome.count(&run);
                self.next = level.saturating_add(1);
                Some(run)
            }
            Err(problem) => {
                self.outcome.stopped = Some(Replay::at(level, problem));
                None
            }
        }
    }

    /// What came of the blocks so far.
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// The hash of the state after the blocks so far.
    ///
    /// # Errors
    /// Whatever reading the tree reports.
    pub fn state_hash(&self) -> Result<StateHash> {
        self.replay.machine().state_hash()
    }

    fn block(
        &mut self,
        level: i32,
        engine: &mut dyn Engine,
        reveal: &SharedReveal,
        feedback: &dyn Feedback,
    ) -> Result<BlockRun> {
        let mut blocks = Records::new(&self.store)?;
        let recorded = blocks.at(level)?;
        let outcome = self.replay.block(&recorded, engine, reveal, feedback, None).map_err(|problem| {
            self.replay.explained(problem, &recorded, &self.context, &self.objects, feedback)
        })?;
        let run = BlockRun::of(&recorded, &outcome, Duration::ZERO);
        self.habit.check(level, run.names)?;
        self.replay.shrink(&self.objects, BUDGET)?;
        Ok(run)
    }
}

/// The state of the commit at an offset, which is that after the block at a level.
fn begin(
    context: &Arc<Context<MemberFiles>>,
    objects: &Arc<ObjectStore>,
    offset: u64,
    origin: Origin,
    blocks: &mut dyn Blocks,
    level: i32,
) -> Result<Replay> {
    let begun = context.commit_at(offset).and_then(|commit| {
        let root = Tree::load(objects, commit.root);
        let replay = Replay::begin(&commit, root, origin)?;
        replay.check(&blocks.at(level)?)?;
        Ok(replay)
    });
    begun.map_err(|problem| Replay::at(level, problem))
}

fn metadata(files: &MemberFiles) -> Result<Metadata> {
    let missing = || Problem::new(Code::MetadataMissing).path(METADATA);
    let file = files.open(METADATA)?.ok_or_else(missing)?;
    let len = file.len().min(MAX_METADATA + 1);
    let mut bytes = alloc::vec![0; usize::try_from(len).unwrap_or(0)];
    file.read_at(0, &mut bytes)?;
    Metadata::parse(&bytes).map_err(|problem| problem.path(METADATA))
}

impl core::fmt::Debug for MemoryReplay {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("MemoryReplay")
            .field("next", &self.next)
            .field("last", &self.last)
            .finish_non_exhaustive()
    }
}
