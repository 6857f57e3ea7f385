// rollsnap::(private) checkpoint
pub fn sidecar(path: &Path) -> PathBuf {}

// rollsnap::cli
pub fn main() -> ExitCode {}
pub fn command() -> clap::Command {}

// rollsnap::cli::(private) global
impl From<StoreFormat> for Family {}

// rollsnap::cli::(private) verify
impl From<Scope> for ContextScope {}

// rollsnap::content_info
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ContentInfo {
    pub compact: Option<bool>,
    pub missing: Option<u64>,
    pub lacking: Option<Lacking>,
    pub contexts: Option<u64>,
    pub second_half: bool,
    pub first_level: Option<i32>,
    pub head_level: Option<i32>,
}
pub fn glance(
    source: &mut Source,
    feedback: &mut dyn Feedback,
) -> Result<(Header, Report, Option<bool>)> {}
pub fn read(
    source: &mut Source,
    temp_dir: Option<&Path>,
    phase: Phase,
    feedback: &mut dyn Feedback,
) -> Result<(Report, ContentInfo)> {}

// rollsnap::context
pub use append::{ContextWriter, Flushing};
pub use moment::{FrozenFile, Moment};
pub use reindex::Reindex;
pub use spool::TempSpool;
pub use target::{Levels, Target, is_context};
pub use threads::Threads;

// rollsnap::context::append
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Flushing {
    pub bytes: usize,
    pub time: Duration,
}
impl Default for Flushing {}
impl Flushing {
    pub const ALWAYS: Self = Self {
        bytes: 0,
        time: Duration::ZERO,
    };
}
pub struct ContextWriter {}
impl ContextWriter {
    pub fn open(dir: &Dir, flushing: Flushing) -> Result<Self> {}
    pub fn context(&self) -> &Context<FileSet> {}
    pub fn store(&self) -> &Arc<ObjectStore> {}
    pub fn state(
        &self,
        commit: &ContextHash,
        feedback: &dyn Feedback,
    ) -> Result<(Tree, Commit)> {}
    pub fn commit_state(
        &mut self,
        state: &Tree,
        author: &[u8],
        expected: &ContextHash,
    ) -> Result<()> {}
    pub fn commit_root(
        &mut self,
        root: &Tree,
        author: &[u8],
        expected: &ContextHash,
    ) -> Result<()> {}
    pub fn pending(&self) -> usize {}
    pub fn flush(&mut self) -> Result<()> {}
    pub fn close(mut self) -> Result<()> {}
}
impl Commits for ContextWriter {}
impl std::fmt::Debug for ContextWriter {}

// rollsnap::context::moment
#[derive(Clone, Debug)]
pub struct Moment {}
#[derive(Clone, Debug)]
pub struct FrozenFile {
    pub mode: u32,
    pub mtime: u64,
}
impl Moment {
    pub fn of(files: &FileSet) -> Self {}
    pub fn take(files: &FileSet) -> Result<Self> {}
    pub fn add(&mut self, name: &str) -> Result<()> {}
    pub fn held(&self) -> impl Iterator<Item = (&str, &FrozenFile)> {}
    pub fn all(&self) -> Result<Vec<String>> {}
}
impl ReadAt for FrozenFile {}
impl Files for Moment {}

// rollsnap::context::reindex
#[derive(Debug)]
pub struct Reindex {}
impl Reindex {
    pub fn look(dir: &Dir, phase: Phase, feedback: &mut dyn Feedback) -> Result<Self> {}
    pub fn judged(&self) -> &Judged {}
    pub fn commits(&self) -> usize {}
    #[must_use]
    pub fn merged_after(mut self, entries: usize) -> Self {}
    pub fn write(&self, feedback: &dyn Feedback) -> Result<()> {}
}

// rollsnap::context::spool
#[derive(Debug)]
pub struct TempSpool {}
impl TempSpool {
    pub fn new(place: PathBuf) -> Self {}
}
impl Spool for TempSpool {}

// rollsnap::context::target
pub struct Target {
    pub files: FileSet,
    pub levels: Levels,
    pub file_bytes: Option<u64>,
}
pub enum Levels {
    Node(AnyStore),
    Snapshot(Opened<Bare<'static, Part>, Part>),
    None(Problem),
}
impl Target {
    pub fn open(
        target: &Path,
        temp_dir: Option<&Path>,
        feedback: &mut dyn Feedback,
    ) -> Result<Self> {}
    pub fn open_store(
        target: &Path,
        temp_dir: Option<&Path>,
        feedback: &mut dyn Feedback,
    ) -> Result<Self> {}
}
pub fn is_context(directory: &Path) -> Result<bool> {}
impl Levels {
    pub fn head(&self) -> Result<Option<Block>> {}
    pub fn contexts(&self, each: &mut dyn FnMut(i32, ContextHash)) -> Result<()> {}
    pub fn block(&self, request: LevelRequest) -> Result<Block> {}
}
impl std::fmt::Debug for Target {}

// rollsnap::context::threads
#[derive(Debug)]
pub struct Threads {}
impl Threads {
    pub fn of_this_machine() -> Self {}
    pub fn new(count: usize) -> Self {}
}
impl Hasher for Threads {}
impl Drop for Threads {}

// rollsnap::contexts
pub use rollsnap_core::context::{Contexts, INDEX_FILES};
pub fn read(root: &Path, feedback: &dyn Feedback) -> Result<Contexts> {}
pub fn of<F: Files>(files: &F, feedback: &dyn Feedback) -> Result<Contexts> {}

// rollsnap::convert
pub use preflight::{preflight, preflight_upgrade};
pub use store::{Carried, Table};
pub use upgrade::{OLD_STORE, Upgrade, upgrade};
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    pub source: PathBuf,
    pub output: Output,
    pub force: bool,
    pub check: bool,
    pub context: ContextScope,
    pub lock: bool,
    pub owner: Option<Owner>,
    pub temp_dir: Option<PathBuf>,
    pub checksum: Checksum,
    pub space: SpaceCheck,
}
impl Options {
    pub fn new(source: impl Into<PathBuf>, output: Output) -> Self {}
}
#[derive(Clone, Debug)]
pub enum Output {
    DataDir(PathBuf),
    Snapshot { path: PathBuf, compression: Compression, effort: Level },
}
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Outcome {
    pub report: Report,
    pub version: u8,
    pub carried: Carried,
    pub source_sha256: Option<String>,
    pub path: Option<PathBuf>,
    pub first_level: i32,
    pub head_level: i32,
    pub stages: Vec<Timed>,
}
pub fn run(options: &Options, feedback: &mut dyn Feedback) -> Result<Outcome> {}
pub fn stream(
    options: &Options,
    out: &mut dyn Write,
    feedback: &mut dyn Feedback,
) -> Result<Outcome> {}

// rollsnap::convert::(private) preflight
pub fn preflight(
    options: &Options,
    is_stream: bool,
    feedback: &mut dyn Feedback,
) -> Result<Preflight> {}
pub fn preflight_upgrade(
    options: &Upgrade,
    feedback: &mut dyn Feedback,
) -> Result<Preflight> {}

// rollsnap::convert::(private) store
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carried {
    pub version: u8,
    pub tables: Vec<Table>,
    pub partial_lists: u64,
}
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Table {
    pub name: &'static str,
    pub rows: u64,
}

// rollsnap::convert::(private) upgrade
pub const OLD_STORE: &str = "storage.old";
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Upgrade {
    pub data_dir: PathBuf,
    pub check: bool,
    pub context: ContextScope,
    pub keep_old: bool,
}
impl Upgrade {
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {}
}
pub fn upgrade(options: &Upgrade, feedback: &mut dyn Feedback) -> Result<Outcome> {}

// rollsnap::data_dir
pub use files::{Listing, SourceFile, Top};
pub use lock::{Lock, Name};
pub use metadata::{Metadata, PvmKind};
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataDir {}
impl DataDir {
    pub fn new(root: impl Into<PathBuf>) -> Self {}
    pub fn default_path() -> Option<PathBuf> {}
    pub fn root(&self) -> &Path {}
    pub fn store(&self) -> PathBuf {}
    pub fn require(&self) -> Result<()> {}
    pub fn require_v5(&self) -> Result<()> {}
    pub fn is_populated(&self) -> Result<bool> {}
}

// rollsnap::data_dir::files
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    pub name: String,
    pub path: PathBuf,
    pub size: u64,
    pub mode: u32,
    pub mtime: u64,
}
impl SourceFile {
    pub fn look_at(name: &str, path: &Path) -> Result<Self> {}
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Top {
    Context,
    Metadata,
    PreImages,
    Storage,
    Version,
}
#[derive(Clone, Debug)]
pub struct Listing {
    pub files: Vec<SourceFile>,
}
impl Listing {
    pub fn of(root: &Path, tops: &[Top], feedback: &dyn Feedback) -> Result<Self> {}
    pub fn renewed(self, feedback: &dyn Feedback) -> Result<Self> {}
}

// rollsnap::data_dir::lock
#[derive(Debug)]
pub struct Lock {}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    Gc,
    Processing,
}
impl Lock {
    pub fn try_node(root: &Path) -> Result<Self> {}
    pub fn wait(
        root: &Path,
        name: Name,
        limit: Option<Duration>,
        feedback: &mut dyn Feedback,
    ) -> Result<Self> {}
    pub fn path(&self) -> &Path {}
    pub fn discard(self) -> Result<()> {}
}
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LockState {
    pub name: &'static str,
    pub held: Option<bool>,
    pub holder: Option<String>,
}
impl Name {
    pub const fn file_name(self) -> &'static str {}
}

// rollsnap::data_dir::metadata
pub use rollsnap_core::members::PvmKind;
pub use rollsnap_core::store::Metadata;
pub fn read(dir: &Path) -> Result<Option<Metadata>> {}
pub fn require(dir: &Path) -> Result<Metadata> {}

// rollsnap::data_dir_info
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DataDirInfo {
    pub metadata: Metadata,
    pub store: Option<StoreInfo>,
    pub second_half: bool,
    pub sizes: Sizes,
    pub locks: Vec<LockState>,
    pub import: Option<Pending>,
}
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Sizes {
    pub store: Size,
    pub context: Size,
    pub pre_images: Size,
}
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Size {
    pub files: u64,
    pub bytes: u64,
}
pub fn read(root: &Path, feedback: &dyn Feedback) -> Result<DataDirInfo> {}

// rollsnap::deflate
pub use encoder::{Encoder, Level};
pub use stream::{Deflater, Finished, Patch};
#[derive(Clone, Copy, Debug)]
pub struct Options {
    pub level: Level,
    pub jobs: NonZeroUsize,
    pub expected: Option<u64>,
}
impl Options {
    pub fn all_cores() -> NonZeroUsize {}
}
impl Default for Options {}

// rollsnap::deflate::(private) encoder
pub use level::Level;
pub struct Encoder {}
impl Encoder {
    pub const WINDOW: usize = repeats::WINDOW;
    pub fn new(level: Level) -> Self {}
    pub fn encode(&mut self, data: &[u8], known: usize, last: bool, out: &mut Vec<u8>) {}
}

// rollsnap::deflate::(private) encoder::(private) level
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level(_);
impl Level {
    pub const FAST: Self = Self(1);
    pub const DEFAULT: Self = Self(6);
    pub const BEST: Self = Self(9);
    pub fn new(level: u8) -> Self {}
}
impl Default for Level {}

// rollsnap::deflate::(private) stream
pub struct Deflater<F> {}
#[derive(Clone, Debug)]
pub struct Finished {
    pub file_len: u64,
    pub content_len: u64,
    pub crc: u32,
    pub index: Option<Patch>,
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patch {
    pub at: u64,
    pub bytes: Vec<u8>,
}
impl<F: FnMut(&[u8]) -> Result<()>> Deflater<F> {
    pub fn new(options: Options, mut out: F) -> Result<Self> {}
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {}
    pub fn finish(mut self) -> Result<Finished> {}
}

// rollsnap::demo
pub fn build(parent: &Path) -> Result<PathBuf> {}

// rollsnap::dir
pub use entry::{Entry, Kind};
pub use made::MadeDirs;
pub use owner::Owner;
pub use read::read_small;
pub use space::SpaceCheck;
pub use tree::Tree;
#[derive(Clone, Debug)]
pub struct Dir {}
impl Dir {
    pub fn open(path: &Path) -> Result<Self> {}
    pub fn open_if_there(path: &Path) -> Result<Option<Self>> {}
    pub fn path(&self) -> &Path {}
    pub fn place(&self, name: impl AsRef<Path>) -> PathBuf {}
    pub fn about(&self) -> Result<Entry> {}
    pub fn look(&self, name: impl AsRef<Path>) -> Result<Option<Entry>> {}
    pub fn has(&self, name: impl AsRef<Path>) -> Result<bool> {}
    pub fn names(&self) -> Result<Vec<OsString>> {}
    pub fn enter(&self, name: impl AsRef<Path>) -> Result<Option<Self>> {}
    pub fn make(&self, name: impl AsRef<Path>) -> io::Result<Self> {}
    pub fn file(&self, name: impl AsRef<Path>) -> Result<Option<File>> {}
    pub fn create(&self, name: impl AsRef<Path>, mode: u32) -> io::Result<File> {}
    pub fn move_to_new(
        &self,
        name: impl AsRef<Path>,
        to: &Self,
        as_name: impl AsRef<Path>,
    ) -> io::Result<()> {}
    pub fn move_over(
        &self,
        name: impl AsRef<Path>,
        to: &Self,
        as_name: impl AsRef<Path>,
    ) -> io::Result<()> {}
    pub fn unlink(&self, name: impl AsRef<Path>) -> io::Result<()> {}
    pub fn rmdir(&self, name: impl AsRef<Path>) -> io::Result<()> {}
    pub fn sync(&self) -> Result<()> {}
}
impl AsFd for Dir {}

// rollsnap::dir::(private) entry
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    File,
    Directory,
    Link,
    Fifo,
    Socket,
    Device,
}
impl Kind {
    pub const fn words(self) -> &'static str {}
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    pub kind: Kind,
    pub mode: u32,
    pub user: u32,
    pub group: u32,
    pub id: (u64, u64),
    pub links: u64,
    pub len: u64,
    pub modified: i64,
    pub changed: (i64, i64),
}
impl Entry {
    pub fn of_file(file: impl AsFd) -> std::io::Result<Self> {}
    pub fn is_ours(&self) -> bool {}
    pub fn is_private(&self) -> bool {}
    pub fn is_trusted_in(&self, above: &Self) -> bool {}
}

// rollsnap::dir::(private) made
#[derive(Debug)]
pub struct MadeDirs {}
impl MadeDirs {
    pub fn create(path: &Path) -> Result<Self> {}
    pub fn dir(&self) -> &Dir {}
    pub fn keep(mut self) {}
}
impl Drop for MadeDirs {}

// rollsnap::dir::(private) owner
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {}
impl Owner {
    pub fn parse(text: &str) -> Result<Self> {}
    pub fn check_permitted(&self) -> Result<()> {}
}
impl fmt::Display for Owner {}

// rollsnap::dir::(private) read
pub fn read_small(directory: &Path, name: &str, limit: u64) -> Result<Option<Vec<u8>>> {}
impl Dir {
    pub fn read(&self, name: &str) -> Result<Option<File>> {}
    pub fn read_directory(&self, name: &str) -> Result<Option<Self>> {}
    pub fn look_through(&self, name: &Path) -> Result<Option<Entry>> {}
}

// rollsnap::dir::(private) remove
impl Dir {
    pub fn remove_tree(&self, name: impl AsRef<Path>) -> Result<()> {}
    pub fn remove_held(&self, name: impl AsRef<Path>, held: &Self) -> Result<()> {}
    pub fn clear(&self, keep: Option<&str>) -> Result<()> {}
}

// rollsnap::dir::(private) space
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpaceCheck {
    pub expected: Option<u64>,
    pub skipped: bool,
}

// rollsnap::dir::(private) tree
#[derive(Debug)]
pub struct Tree {}
impl Tree {
    pub fn below(root: &Dir) -> Self {}
    pub fn read(&mut self, bytes: u64) {}
    pub fn create(&mut self, name: String, mode: u32, size: u64) -> Result<()> {}
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {}
    pub fn complete(&mut self, mtime: Option<u64>) -> Result<()> {}
    pub fn untimed(&self) -> u64 {}
}

// rollsnap::download
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Options {
    pub output: Option<PathBuf>,
    pub force: bool,
    pub restart: bool,
    pub unchecked: bool,
    pub sha256: Option<KnownSums>,
    pub space: SpaceCheck,
}
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Outcome {
    pub path: Option<PathBuf>,
    pub bytes: u64,
    pub resumed_at: u64,
    pub sha256: String,
    pub report: Option<Report>,
    pub remote: RemoteInfo,
    pub stages: Vec<Timed>,
}
pub fn run(
    url: &str,
    options: &Options,
    feedback: &mut dyn Feedback,
) -> Result<Outcome> {}
pub fn stream(
    url: &str,
    options: &Options,
    out: &mut dyn Write,
    feedback: &mut dyn Feedback,
) -> Result<Outcome> {}

// rollsnap::engine
pub use auto::Auto;
pub use compiler::Compiler;
pub use interpreter::Interpreter;
pub use limits::Limits;

// rollsnap::engine::(private) auto
pub struct Auto {}
impl Auto {
    pub fn new(limits: Limits) -> Result<Self> {}
}
impl Engine for Auto {}
impl Engine for Auto {}

// rollsnap::engine::(private) calls
impl Answer for () {}

// rollsnap::engine::(private) compiler
pub struct Compiler {}
impl Compiler {
    pub fn new(limits: Limits) -> Self {}
    pub fn cached(mut self) -> Self {}
    pub fn cached_in(mut self, directory: PathBuf) -> Self {}
}
impl Engine for Compiler {}

// rollsnap::engine::(private) interpreter
pub struct Interpreter {}
impl Interpreter {
    pub fn new(limits: Limits) -> Result<Self> {}
}
impl Engine for Interpreter {}

// rollsnap::engine::(private) limits
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Limits {
    pub memory: u64,
    pub time: Duration,
    pub stop: Arc<AtomicBool>,
}
impl Default for Limits {}
impl Limits {
    pub fn memory(mut self, bytes: u64) -> Self {}
    pub fn time(mut self, time: Duration) -> Self {}
    pub fn stop(mut self, stop: Arc<AtomicBool>) -> Self {}
}

// rollsnap::export
pub use crate::output::Output;
pub use preflight::preflight;
pub use rollsnap_core::report::Compression;
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    pub data_dir: PathBuf,
    pub output: Output,
    pub compression: Compression,
    pub effort: Level,
    pub jobs: NonZeroUsize,
    pub level: Option<LevelRequest>,
    pub family: Option<Family>,
    pub packing: Packing,
    pub compact: bool,
    pub plain_name: bool,
    pub check: bool,
    pub context: ContextScope,
    pub force: bool,
    pub lock: bool,
    pub lock_timeout: Option<Duration>,
    pub temp_dir: Option<PathBuf>,
    pub endpoint: Option<String>,
    pub rollup_node_endpoint: Option<String>,
    pub space: SpaceCheck,
}
impl Options {
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {}
}
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Outcome {
    pub path: Option<PathBuf>,
    pub bytes: u64,
    pub report: Report,
    pub locks_held: Duration,
    pub stages: Vec<Timed>,
}
pub fn run(options: &Options, feedback: &mut dyn Feedback) -> Result<Outcome> {}
pub fn stream(
    options: &Options,
    out: &mut dyn Write,
    feedback: &mut dyn Feedback,
) -> Result<Outcome> {}

// rollsnap::export::(private) preflight
pub fn preflight(
    options: &Options,
    is_stream: bool,
    feedback: &mut dyn Feedback,
) -> Result<Preflight> {}

// rollsnap::extract
pub use crate::resume::Interval;
pub use files::Files;
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    pub members: Vec<String>,
    pub directory: PathBuf,
    pub force: bool,
    pub check: bool,
    pub space: SpaceCheck,
    pub restart: bool,
    pub recording: Interval,
}
impl Options {
    pub fn new(directory: impl Into<PathBuf>) -> Self {}
}
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Outcome {
    pub report: Report,
    pub members: u64,
    pub bytes: u64,
}
pub fn run(
    source: &mut Source,
    options: &Options,
    feedback: &mut dyn Feedback,
) -> Result<Outcome> {}

// rollsnap::extract::(private) account
impl Writes for Files {}
impl Writes for Stage<'_> {}

// rollsnap::extract::(private) files
#[derive(Debug)]
pub struct Files {}
impl Files {
    pub fn new(root: &Dir) -> Result<Self> {}
    pub fn follow(&mut self, event: &Event<'_>) -> Result<()> {}
    pub fn begin(&mut self, member: &Member) -> Result<()> {}
    pub fn data(&mut self, mut data: &[u8]) -> Result<()> {}
    pub fn end(&mut self, member: &Member) -> Result<()> {}
    pub fn finish(mut self, feedback: &mut dyn Feedback) -> Result<()> {}
}
impl Drop for Files {}

// rollsnap::files
#[derive(Clone, Debug)]
pub enum FileSet {
    Directory(PathBuf),
    Below(PathBuf, &'static str),
    Held(Dir),
    Windows(BTreeMap<String, Part>),
}
#[derive(Clone, Debug)]
pub struct Part {}
impl Part {
    pub fn open(path: &Path) -> Result<Option<Self>> {}
    pub fn open_in(dir: &Dir, name: &str) -> Result<Option<Self>> {}
    pub fn of(file: File, path: &Path, len: u64) -> Self {}
    pub fn metadata(&self) -> Result<Metadata> {}
    pub fn renewed(mut self) -> Result<Self> {}
    pub fn window(&self, start: u64, len: u64) -> Option<Self> {}
}
impl ReadAt for Part {}
impl FileSet {
    pub fn context_of(root: &Path) -> Self {}
    pub fn is_there(&self) -> Result<bool> {}
    pub fn held(&self) -> Result<Self> {}
}
impl Files for FileSet {}

// rollsnap::import
pub use crate::resume::Interval;
pub use preflight::preflight;
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    pub data_dir: PathBuf,
    pub force: bool,
    pub check: bool,
    pub context: ContextScope,
    pub family: Option<Family>,
    pub to_v5: bool,
    pub level: Option<i32>,
    pub keep_compact: bool,
    pub owner: Option<Owner>,
    pub endpoint: Option<String>,
    pub dal_node: Option<String>,
    pub checksum: Checksum,
    pub space: SpaceCheck,
    pub restart: bool,
    pub recording: Interval,
    pub flushing: Flushing,
}
impl Options {
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {}
}
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Outcome {
    pub report: Report,
    pub head_level: i32,
    pub lacking: Option<Lacking>,
    pub stages: Vec<Timed>,
}
pub fn run(
    snapshot: &Path,
    options: &Options,
    feedback: &mut dyn Feedback,
) -> Result<Outcome> {}
pub fn from_source(
    source: Source,
    options: &Options,
    feedback: &mut dyn Feedback,
) -> Result<Outcome> {}

// rollsnap::import::(private) preflight
pub fn preflight(
    snapshot: &Path,
    options: &Options,
    feedback: &mut dyn Feedback,
) -> Result<Preflight> {}

// rollsnap::index
pub use crate::checkpoint::sidecar;
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Options {
    pub output: Option<PathBuf>,
    pub force: bool,
    pub span: Option<u64>,
    pub temp_dir: Option<PathBuf>,
    pub checksum: Checksum,
}
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Made {
    pub path: Option<PathBuf>,
    pub found: bool,
    pub bytes: u64,
    pub checkpoints: usize,
    pub file_bytes: u64,
    pub content_bytes: u64,
    pub sha256: Option<String>,
}
pub fn run(path: &Path, options: &Options, feedback: &mut dyn Feedback) -> Result<Made> {}
pub fn stream(
    path: &Path,
    options: &Options,
    out: &mut dyn Write,
    feedback: &mut dyn Feedback,
) -> Result<Made> {}

// rollsnap::interrupt
pub fn watch(stop: &Arc<AtomicBool>) {}

// rollsnap::io
pub fn problem(doing: &str, path: &Path, err: io::Error) -> Problem {}
pub fn is_dir(path: &Path) -> Result<bool> {}
pub fn to_stream(err: io::Error) -> Problem {}
pub fn remove_if_there(path: &Path) -> Result<()> {}
pub fn with_suffix(path: &Path, suffix: &str) -> PathBuf {}

// rollsnap::jobs
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stage {
    pub name: &'static str,
    pub parts: &'static [&'static str],
}
impl Stage {
    pub const fn new(name: &'static str) -> Self {}
}
pub const EXTRACTING: Stage = Stage::new("Extracting snapshot");
pub const READING: Stage = Stage::new("Reading snapshot");
pub const COPYING_DATA: Stage = Stage::new("Copying data");
pub const COPYING_DATABASE: Stage = Stage::new("Copying database");
pub const READING_CONTEXT: Stage = Stage::new("Reading context");
pub const COPYING_CONTEXT: Stage = Stage::new("Copying context");
pub const EXPORTING: Stage = Stage::new("Exporting snapshot");
pub const CHECKING_SNAPSHOT: Stage = Stage::new("Checking snapshot");
pub const CHECKING_STORE: Stage = Stage::new("Checking store");
pub const WRITING_STORE: Stage = Stage::new("Writing store");
pub const RECONSTRUCTING: Stage = Stage::new("Reconstructing context");
pub const LAYER_1: Stage = Stage::new("Asking layer 1");
pub const PUTTING_IN_PLACE: Stage = Stage::new("Putting data in place");
pub const CONTEXT_OF_HEAD: Stage = Stage {
    name: "Checking context",
    parts: &PARTS,
};
pub const WHOLE_CONTEXT: Stage = Stage::new("Checking context");
pub const CHAIN: Stage = Stage::new("Checking chain");
pub const UNPACKING: Stage = Stage::new("Unpacking snapshot");
pub const REPLAYING: Stage = Stage::new("Replaying blocks");
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timed {
    pub name: &'static str,
    pub time: Duration,
    pub parts: Vec<(&'static str, Duration)>,
}
#[derive(Debug)]
pub struct Stages {}
impl Stages {
    pub fn new(plan: impl IntoIterator<Item = Stage>) -> Self {}
    pub fn add(&mut self, stage: Stage) {}
    pub fn bring_forward(&mut self, stage: Stage) {}
    pub fn begin(
        &mut self,
        stage: Stage,
        total: Option<u64>,
        feedback: &mut dyn Feedback,
    ) {}
    pub fn next(&mut self, stage: Stage) -> Phase {}
    pub fn listen<'a>(
        &'a mut self,
        stage: Stage,
        feedback: &'a mut dyn Feedback,
    ) -> (Phase, Listening<'a>) {}
    pub fn finish(mut self) -> Vec<Timed> {}
}
pub fn phases(stages: &[Stage]) -> u32 {}
pub struct Listening<'a> {}
impl Feedback for Listening<'_> {}

// rollsnap::l1
pub use client::Options;
pub use rollsnap_core::layer1::{At, Originated, Outcome, Wanted};
pub use rollsnap_core::replay::DalConstants;
pub use rpc::L1;

// rollsnap::l1::client
pub use rollsnap_core::layer1::Peer;
#[derive(Clone, Debug)]
pub struct Options {
    pub connect: Duration,
    pub read: Duration,
    pub total: Duration,
    pub retries: u32,
    pub pause: Duration,
    pub max_body: u64,
    pub accept: &'static str,
}
impl Default for Options {}
#[derive(Clone, Debug)]
pub struct Client(_);
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub location: Option<String>,
    pub retry_after: Option<Duration>,
    pub asks_login: bool,
    pub body: Vec<u8>,
}
impl Answer {
    pub fn to_core(&self) -> layer1::Answer<'_> {}
}
impl Client {
    pub fn new(endpoint: &str, options: Options) -> Result<Self> {}
    pub fn of(peer: Peer, endpoint: &str, options: Options) -> Result<Self> {}
    pub fn get(&self, path: &str, feedback: &mut dyn Feedback) -> Result<Answer> {}
    pub fn endpoint(&self) -> &str {}
}

// rollsnap::l1::dal
#[derive(Clone, Copy, Debug)]
pub struct ConstantsOfDal {
    pub level: i32,
}
impl Question for ConstantsOfDal {}

// rollsnap::l1::publication
pub fn before_import(
    l1: &L1,
    wanted: &Wanted,
    feedback: &mut dyn Feedback,
) -> Result<Outcome> {}
pub fn search(l1: &L1, wanted: &Wanted, feedback: &mut dyn Feedback) -> Result<Outcome> {}

// rollsnap::l1::rpc
#[derive(Debug)]
pub struct L1 {}
impl L1 {
    pub fn new(endpoint: &str, options: Options) -> Result<Self> {}
    pub fn endpoint(&self) -> &str {}
    pub fn ask<Q: Question>(
        &self,
        question: &Q,
        feedback: &mut dyn Feedback,
    ) -> Result<Q::Value> {}
    pub fn converse(
        &self,
        dialogue: &mut impl Dialogue,
        feedback: &mut dyn Feedback,
    ) -> Result<()> {}
    pub fn head_level(&self, feedback: &mut dyn Feedback) -> Result<i32> {}
    pub fn savepoint(&self, feedback: &mut dyn Feedback) -> Result<i32> {}
    pub fn challenge_window(
        &self,
        level: i32,
        feedback: &mut dyn Feedback,
    ) -> Result<i32> {}
    pub fn commitment_period(
        &self,
        level: i32,
        feedback: &mut dyn Feedback,
    ) -> Result<i32> {}
    pub fn commitment(
        &self,
        at: At,
        rollup: &RollupAddress,
        hash: &CommitmentHash,
        feedback: &mut dyn Feedback,
    ) -> Result<Option<Commitment>> {}
    pub fn last_cemented(
        &self,
        at: At,
        rollup: &RollupAddress,
        feedback: &mut dyn Feedback,
    ) -> Result<Mark<CommitmentHash>> {}
    pub fn genesis_info(
        &self,
        at: At,
        rollup: &RollupAddress,
        feedback: &mut dyn Feedback,
    ) -> Result<Mark<CommitmentHash>> {}
    pub fn origination(
        &self,
        level: i32,
        rollup: &RollupAddress,
        feedback: &mut dyn Feedback,
    ) -> Result<Option<Originated>> {}
    pub fn dal_constants(
        &self,
        level: i32,
        feedback: &mut dyn Feedback,
    ) -> Result<DalConstants> {}
}

// rollsnap::memory
pub fn of_this_machine() -> Option<u64> {}
pub fn size(text: &str) -> Result<u64, String> {}

// rollsnap::modify
pub use self::draft::{Draft, Record};
pub use crate::store::Parameter;
#[derive(Debug)]
pub struct Head<'m> {
    pub root: &'m Path,
    pub metadata: Metadata,
    pub head: Block,
    pub context: Context<Moment>,
}
#[derive(Debug)]
pub struct Held<'m> {
    pub root: &'m Path,
    pub metadata: Metadata,
    pub store: AnyStore,
}
#[derive(Debug)]
pub struct Change<'m> {
    pub metadata: Metadata,
    pub head: Block,
}
#[derive(Debug)]
pub struct Attempt<'m> {
    pub root: &'m Path,
    pub metadata: Metadata,
    pub migrations: usize,
}
#[derive(Debug)]
pub enum Writing<'a> {
    Database(&'a mut Editing),
    Files(&'a mut Draft),
}
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Options {
    pub migrations: Migrations,
    pub backup: Option<PathBuf>,
}
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Migrations {
    Refuse,
    Apply,
    Leave,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Modified<T> {
    Skipped,
    Done(T),
}
pub const BACKING_UP: Stage = Stage::new("Copying store");
pub fn run<T>(
    root: &Path,
    skip: impl FnOnce(&Head<'_>) -> Result<bool>,
    change: impl FnOnce(&mut Change<'_>) -> Result<T>,
) -> Result<Modified<T>> {}
impl<'m> Held<'m> {
    pub fn take(
        root: &'m Path,
        options: &'m Options,
        feedback: &mut dyn Feedback,
    ) -> Result<Self> {}
    pub fn look(root: &'m Path, options: &'m Options) -> Result<Self> {}
    pub fn release(self) -> Result<()> {}
    pub fn change<T>(
        self,
        feedback: &mut dyn Feedback,
        change: impl FnOnce(&mut Attempt<'_>, &mut dyn Feedback) -> Result<T>,
    ) -> Result<T> {}
}
impl Head<'_> {
    pub fn state(&self) -> Result<State> {}
    pub fn store(&self) -> &AnyStore {}
}
impl Change<'_> {
    pub fn execute(
        &mut self,
        statement: &str,
        parameters: &[&dyn Parameter],
    ) -> Result<usize> {}
    pub fn context(&self) -> PathBuf {}
}
impl Attempt<'_> {
    pub fn database(&mut self) -> Result<&mut Editing> {}
    pub fn writing(&mut self, feedback: &mut dyn Feedback) -> Result<Writing<'_>> {}
    pub fn draft(&self) -> Option<&Draft> {}
}

// rollsnap::modify::(private) draft
#[derive(Debug)]
pub struct Draft {}
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub key: Vec<u8>,
    pub header: Vec<u8>,
    pub value: Vec<u8>,
}
impl Draft {
    pub fn store(&self) -> Result<Store<Part>> {}
    pub fn put(&mut self, name: &str, content: Option<&[u8]>) -> Result<()> {}
    pub fn edit(
        &mut self,
        name: TableName,
        goes: &dyn Fn(&[u8], &[u8]) -> bool,
        comes: &[Record],
        feedback: &dyn Feedback,
    ) -> Result<()> {}
}

// rollsnap::output
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    Directory(Option<PathBuf>),
    File(PathBuf),
}
impl Output {
    pub fn at(path: &Path) -> Result<Self> {}
}

// rollsnap::page
pub type Files = &'static [(&'static str, &'static [u8])];
pub struct Page {}
impl Page {
    pub fn listen(port: u16) -> Result<Self> {}
    pub fn of(files: Files, port: u16) -> Result<Self> {}
    pub fn with_file(self, path: &Path) -> Result<Self> {}
    pub fn url(&self) -> String {}
    pub fn serve(&self, feedback: &dyn Feedback) -> Result<()> {}
}

// rollsnap::preflight
#[derive(Clone, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct Preflight {
    pub reads: Vec<Read>,
    pub writes: Vec<Write>,
    pub replaces: Vec<PathBuf>,
    pub removes: Vec<PathBuf>,
    pub locks: Vec<LockUse>,
    pub space: Vec<Space>,
    pub notes: Vec<String>,
}
#[derive(Clone, Debug, Serialize)]
pub struct Read {
    pub path: PathBuf,
    pub bytes: Option<u64>,
}
#[derive(Clone, Debug, Serialize)]
pub struct Write {
    pub path: PathBuf,
    pub amount: Amount,
    pub temporary: bool,
}
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Amount {
    pub at_least: u64,
    pub at_most: Option<u64>,
}
#[derive(Clone, Debug, Serialize)]
pub struct LockUse {
    pub path: PathBuf,
    pub held: Option<bool>,
    pub holder: Option<String>,
}
#[derive(Clone, Debug, Serialize)]
pub struct Space {
    pub path: PathBuf,
    pub free: u64,
    pub needed: Amount,
}

// rollsnap::remote
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    pub connections: usize,
    pub give_up: Duration,
    pub mirrors: Vec<Mirror>,
}
impl Default for Options {}
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirror(_);
impl FromStr for Mirror {}
pub const MOST_CONNECTIONS: usize = 16;
pub fn shown_name(name: &Path) -> Option<String> {}
pub fn set_options(options: Options) {}

// rollsnap::repair
pub use commitments::Commitments;
pub use contexts::Contexts;
pub use head::Head;
pub use index::Index;
pub use levels::Levels;
pub use outbox::Outbox;
pub use pre_images::{Name, PreImages};
pub use rewind::{Rewind, To};
pub trait Repair {
    fn plan(
        &mut self,
        subject: &mut Subject<'_, '_>,
        feedback: &mut dyn Feedback,
    ) -> Result<Plan>;
    fn carry_out(
        &mut self,
        attempt: &mut Attempt<'_>,
        plan: &mut Plan,
        feedback: &mut dyn Feedback,
    ) -> Result<()>;
    fn may_leave(&self) -> &'static [Code] {
        ..
    }
}
#[derive(Debug)]
pub struct Subject<'a, 'm> {
    pub before: &'a mut Held<'m>,
    pub contexts: &'a context::Contexts,
    pub problems: &'a Problems,
    pub phase: Phase,
}
#[derive(Clone, Debug, Default)]
pub struct Plan {
    pub repaired: Vec<Repaired>,
    pub text: String,
    pub notes: Vec<String>,
    pub begins: Vec<String>,
    pub ends: Vec<String>,
}
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Repaired {
    pub what: &'static str,
    pub level: Option<i32>,
    pub from: Option<String>,
    pub to: Option<String>,
    pub text: String,
}
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    pub data_dir: PathBuf,
    pub dry_run: bool,
    pub modify: modify::Options,
}
impl Options {
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {}
}
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Outcome {
    pub plan: Plan,
    pub status: Status,
    pub migrations: usize,
    pub remaining: Option<Problems>,
    pub stages: Vec<Timed>,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Done,
    Planned,
    Idle,
}
pub const PLANNING: Stage = Stage::new("Planning repair");
pub const REPAIRING: Stage = Stage::new("Repairing");
pub fn run(
    repair: &mut dyn Repair,
    options: &Options,
    feedback: &mut dyn Feedback,
) -> Result<Outcome> {}

// rollsnap::repair::(private) block_store
impl BlockStore for &Store {}

// rollsnap::repair::(private) commitments
#[derive(Debug)]
pub struct Commitments {}
impl Commitments {
    pub fn new(
        protocol: ProtocolHash,
        period: Option<i32>,
        l1: Option<L1>,
        prune: bool,
    ) -> Self {}
}
impl Repair for Commitments {}

// rollsnap::repair::(private) contexts
#[derive(Debug)]
pub struct Contexts {}
impl Contexts {
    pub fn new(above: Option<i32>, options: replay::Options) -> Self {}
    #[must_use]
    pub fn flushing(mut self, flushing: Flushing) -> Self {}
}
impl Repair for Contexts {}

// rollsnap::repair::(private) head
#[derive(Debug, Default)]
pub struct Head {}
impl Head {
    pub fn new(endpoint: Option<String>) -> Self {}
}
impl Repair for Head {}

// rollsnap::repair::(private) history
impl History for &Store {}
impl History for &v4::Store<Part> {}

// rollsnap::repair::(private) index
#[derive(Debug, Default)]
pub struct Index {}
impl Repair for Index {}

// rollsnap::repair::(private) levels
#[derive(Debug, Default)]
pub struct Levels {}
impl Repair for Levels {}

// rollsnap::repair::(private) outbox
#[derive(Debug)]
pub struct Outbox {}
impl Outbox {
    pub const fn new(from: Option<i32>) -> Self {}
}
impl Repair for Outbox {}

// rollsnap::repair::(private) pre_images
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name(pub(super) _);
#[derive(Debug)]
pub struct PreImages {}
impl FromStr for Name {}
impl PreImages {
    pub fn new(from: &str, named: Vec<Name>, options: client::Options) -> Result<Self> {}
}
impl Repair for PreImages {}

// rollsnap::repair::(private) rewind
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    Level(i32),
    Finalized,
    Cemented,
    LastCommitted,
    LastSound,
}
impl FromStr for To {}
#[derive(Debug)]
pub struct Rewind {}
impl Rewind {
    pub const fn new(to: To) -> Self {}
}
impl Repair for Rewind {}

// rollsnap::replay
pub use dal_node::DalNode;
pub use job::{Outlook, outlook, run};
pub use levels::StoreLevels;
pub use options::{EngineKind, Options};
pub use place::Place;
pub use pre_images::PreImages;
pub use rollsnap_core::replay::{
    Attestation, BlockRun, Commits, Levels, Outcome, Pages, PreImageSource, Reached,
    Reveals,
};
pub use scope::{Scope, Shard};

// rollsnap::replay::dal_node
pub struct DalNode {}
impl DalNode {
    pub fn new(
        endpoint: &str,
        options: Options,
        feedback: Box<dyn Feedback>,
    ) -> Result<Self> {}
    pub fn endpoint(&self) -> &str {}
}
impl Pages for DalNode {}
impl std::fmt::Debug for DalNode {}

// rollsnap::replay::(private) job
pub fn run(
    place: &Place,
    options: &Options,
    commits: Option<&mut dyn Commits>,
    phase: Stretch,
    feedback: &mut dyn Feedback,
    each: &mut dyn FnMut(&BlockRun),
) -> Result<Outcome> {}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outlook {
    pub levels: Option<(i32, i32)>,
    pub blocks: u64,
    pub lost: u64,
}
pub fn outlook(
    place: &Place,
    options: &Options,
    feedback: &mut dyn Feedback,
) -> Result<Outlook> {}

// rollsnap::replay::levels
pub struct StoreLevels {}
impl StoreLevels {
    pub fn open(root: &Path, family: Option<Family>) -> Result<Self> {}
    #[must_use]
    pub fn asking(mut self, l1: L1, feedback: Box<dyn Feedback>) -> Self {}
    pub fn protocol(&self, level: i32) -> Option<&ProtocolHash> {}
    pub fn into_protocols(self) -> Vec<Protocol> {}
}
impl Levels for StoreLevels {}
impl std::fmt::Debug for StoreLevels {}

// rollsnap::replay::(private) options
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum EngineKind {
    Auto,
    Interpreter,
    Compiler,
}
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    pub scope: Scope,
    pub shard: Option<Shard>,
    pub engine: EngineKind,
    pub kernel_time: Duration,
    pub kernel_memory: u64,
    pub endpoint: Option<String>,
    pub dal_node: Option<String>,
    pub family: Option<Family>,
    pub threads: Option<NonZeroUsize>,
    pub memory: u64,
}
impl Default for Options {}
impl Options {
    pub fn info(&self, outcome: &Outcome) -> ReplayInfo {}
}

// rollsnap::replay::place
#[derive(Debug)]
pub struct Place {}
impl Place {
    pub fn data_dir(root: impl Into<PathBuf>) -> Self {}
    pub fn open(
        target: &Path,
        temp_dir: Option<&Path>,
        phase: Phase,
        feedback: &mut dyn Feedback,
    ) -> Result<Self> {}
    pub const UNPACKING: Phase = Phase {
        of: 2,
        ..Phase::only(UNPACKING.name)
    };
    pub const REPLAYING: Phase = Phase {
        unit: Unit::Blocks,
        ..Phase::only(REPLAYING.name)
    };
    pub fn root(&self) -> &Path {}
    #[must_use]
    pub fn with_pre_images_of(self, data_dir: impl Into<PathBuf>) -> Self {}
    pub fn pre_images(&self, kind: PvmKind) -> PreImages {}
    pub fn context(&self) -> FileSet {}
    pub fn file_bytes(&self) -> Option<u64> {}
}

// rollsnap::replay::pre_images
pub const MAX_PRE_IMAGE: u64 = 4096;
#[derive(Clone, Debug)]
pub struct PreImages {}
impl PreImages {
    pub fn of(data_dir: &Path, kind: PvmKind) -> Self {}
    #[must_use]
    pub fn or_of(self, data_dir: &Path, kind: PvmKind) -> Self {}
    pub fn read(&self, hash: &[u8; 32]) -> Result<Vec<u8>> {}
}
impl PreImageSource for PreImages {}

// rollsnap::replay::scope
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    All,
    Last(u32),
    Sample(u32),
    Levels(i32, i32),
    Missing,
    Lost(Option<i32>),
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {}
impl Shard {
    pub fn new(number: u32, of: u32) -> Option<Self> {}
    pub const fn number(self) -> u32 {}
    pub const fn of(self) -> u32 {}
}
impl FromStr for Scope {}
impl fmt::Display for Scope {}
impl FromStr for Shard {}
impl fmt::Display for Shard {}

// rollsnap::(private) resume
pub use due::Interval;

// rollsnap::(private) resume::(private) due
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    pub content: u64,
    pub time: Duration,
}
impl Default for Interval {}

// rollsnap::scratch
#[derive(Debug)]
pub struct TempFile {}
impl TempFile {
    pub fn new(place: PathBuf) -> Self {}
    pub fn within(place: Option<&Path>) -> Self {}
    pub fn is_empty(&self) -> bool {}
}
impl Scratch for TempFile {}

// rollsnap::(private) size
impl fmt::Display for Size {}

// rollsnap::source
pub use known::{Checksum, KnownSums};
pub use manifest::published;
pub struct Source {}
impl Source {
    pub fn open(name: &Path, feedback: &mut dyn Feedback) -> Result<Self> {}
    pub fn from_bytes(name: &str, bytes: impl AsRef<[u8]> + Send + 'static) -> Self {}
    pub fn from_reader(name: &str, reader: impl io::Read + Send + 'static) -> Self {}
    pub fn name(&self) -> &Path {}
    pub fn size(&self) -> Option<u64> {}
    pub fn remote(&self) -> Option<RemoteInfo> {}
    pub fn is_plain_file(&self) -> bool {}
    pub fn read_header(&mut self, feedback: &dyn Feedback) -> Result<(Header, Report)> {}
    pub fn read_beginning(
        &mut self,
        feedback: &dyn Feedback,
        wants_more: &mut dyn FnMut(&Event<'_>) -> bool,
    ) -> Result<(Header, Report)> {}
    pub fn is_reachable(&self) -> bool {}
}

// rollsnap::source::(private) known
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Checksum {
    pub expected: Option<KnownSums>,
    pub reported: bool,
}
impl Checksum {
    pub fn is_wanted(&self) -> bool {}
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownSums {}
impl KnownSums {
    pub fn read(text: &str, feedback: &mut dyn Feedback) -> Result<Self> {}
    pub fn is_one(&self) -> bool {}
    pub fn of(&self, file: &Path) -> Result<String> {}
}
impl Source {
    pub fn summed(mut self, checksum: &Checksum) -> Result<Self> {}
    pub fn is_summed(&self) -> bool {}
}

// rollsnap::source::(private) manifest
pub fn published(
    manifest: &str,
    snapshot: &Path,
    feedback: &mut dyn Feedback,
) -> Result<Published> {}

// rollsnap::source::(private) reading
impl Source {
    pub fn inspect<E: From<Problem>>(
        &mut self,
        options: Options,
        phase: Phase,
        feedback: &mut dyn Feedback,
        sink: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<Report, E> {}
    pub fn list<E: From<Problem>>(
        &mut self,
        options: Options,
        phase: Phase,
        feedback: &mut dyn Feedback,
        sink: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<Option<Report>, E> {}
    pub fn find<E: From<Problem>>(
        &mut self,
        names: &BTreeSet<&str>,
        header: bool,
        options: Options,
        phase: Phase,
        feedback: &mut dyn Feedback,
        sink: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<Option<Report>, E> {}
}

// rollsnap::store
pub use any::{AnyStore, block_of, close_any, open_any, publication_hint};
pub use copy::{Capture, Copied, Packing, export_copy};
pub use create::NewStore;
pub use editing::{Editing, Parameter};
pub use family::Family;
pub use import::{LpcOutcome, keep_lpc, read_lpc, reset_imported, set_history_mode};
pub use level::LevelRequest;
pub use lineage::OutboxRow;
pub use lpc::Lpc;
pub use read::{Block, Mark, Rows, State, Store};
pub use recorded::Records;
pub use reset::{MarkChange, Reset, reset_to_level};
pub use schema::Accept;

// rollsnap::store::(private) any
pub type AnyStore = Opened<Store, Part>;
pub fn open_any(root: &Path, family: Option<Family>) -> Result<AnyStore> {}
pub fn close_any(store: AnyStore) -> Result<()> {}
pub fn block_of(store: &AnyStore, hash: &BlockHash) -> Result<Option<Block>> {}
pub fn publication_hint(store: &AnyStore, hash: &CommitmentHash) -> Result<i32> {}

// rollsnap::store::copy
pub fn export_copy(
    source: &Path,
    dest: &Path,
    target: Option<i32>,
    packing: Packing,
) -> Result<PathBuf> {}
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Packing {
    Packed,
    Pages,
}
#[derive(Debug)]
pub struct Capture {}
impl Capture {
    pub fn begin(source: &Path) -> Result<Self> {}
    pub fn is_stable(&self) -> bool {}
    pub fn bytes(&self) -> u64 {}
    pub fn store(&self) -> &Store {}
    pub fn pack(
        self,
        dest: &Dir,
        target: Option<i32>,
        packing: Packing,
        feedback: &mut dyn Feedback,
    ) -> Result<PathBuf> {}
    pub fn copy(
        self,
        dest: &Dir,
        phase: Phase,
        feedback: &mut dyn Feedback,
    ) -> Result<Copied> {}
}
#[derive(Debug)]
pub struct Copied {}
impl Copied {
    pub fn finish(
        self,
        target: Option<i32>,
        packing: Packing,
        feedback: &dyn Feedback,
    ) -> Result<PathBuf> {}
}

// rollsnap::store::(private) create
#[derive(Debug)]
pub struct NewStore {}
impl NewStore {
    pub fn create(dir: &Dir) -> Result<Self> {}
    pub fn level(&self, level: i32, block: &BlockHash) -> Result<()> {}
    pub fn has_block(&self, hash: &BlockHash) -> Result<bool> {}
    pub fn block(
        &self,
        block: &Block,
        at: &Evaluation,
        state: Option<&StateHash>,
    ) -> Result<()> {}
    pub fn messages(
        &self,
        witness: &WitnessHash,
        level: i32,
        list: &[u8],
    ) -> Result<()> {}
    pub fn inbox(&self, hash: &InboxHash, level: i32, cell: &[u8]) -> Result<()> {}
    pub fn commitment(&self, hash: &CommitmentHash, content: &Commitment) -> Result<()> {}
    pub fn published(&self, hash: &CommitmentHash, at: &Published) -> Result<()> {}
    pub fn protocol(&self, protocol: &Protocol) -> Result<()> {}
    pub fn slot_header(
        &self,
        block: &BlockHash,
        index: u8,
        published_level: i32,
        commitment: &SlotCommitment,
    ) -> Result<()> {}
    pub fn slot_status(
        &self,
        block: &BlockHash,
        index: u8,
        attested: bool,
    ) -> Result<()> {}
    pub fn outbox(&self, level: i32, messages: &OutboxBits) -> Result<()> {}
    pub fn state(
        &self,
        name: &str,
        value: Option<&str>,
        level: Option<i32>,
    ) -> Result<()> {}
    pub fn count(&self, table: &'static str) -> Result<u64> {}
    pub fn finish(self) -> Result<PathBuf> {}
}

// rollsnap::store::(private) editing
pub use rusqlite::ToSql as Parameter;
#[derive(Debug)]
pub struct Editing {}
impl Editing {
    pub fn begin(path: &Path) -> Result<Self> {}
    pub fn migrate(&mut self, feedback: &dyn Feedback) -> Result<usize> {}
    pub fn store(&mut self) -> &mut Store {}
    pub fn take_back(&mut self, reset: &Reset, feedback: &dyn Feedback) -> Result<()> {}
    pub fn execute(
        &mut self,
        statement: &str,
        parameters: &[&dyn Parameter],
    ) -> Result<usize> {}
    pub fn commit(self) -> Result<()> {}
    pub fn roll_back(self) -> Result<()> {}
}

// rollsnap::store::(private) family
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    Octez,
    Mavkit,
}
impl Family {
    pub fn of(root: &Path) -> Result<Option<Self>> {}
    pub fn of_store(store: &AnyStore) -> Self {}
    pub fn are_both_in(root: &Path) -> Result<bool> {}
    pub const fn nodes(self) -> &'static str {}
}

// rollsnap::store::import
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LpcOutcome {
    Kept,
    AboveHead(i32),
    Unknown,
}
pub fn read_lpc(path: &Path) -> Result<Option<Mark<CommitmentHash>>> {}
pub fn keep_lpc(dir: &Dir, lpc: &Mark<CommitmentHash>) -> Result<LpcOutcome> {}
pub fn set_history_mode(dir: &Dir, mode: HistoryMode) -> Result<()> {}
pub fn reset_imported(dir: &Dir, level: i32) -> Result<()> {}

// rollsnap::store::level
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LevelRequest {
    Head,
    Finalized,
    Cemented,
    Level(i32),
}
impl FromStr for LevelRequest {}
impl fmt::Display for LevelRequest {}
impl LevelRequest {
    pub fn resolve(self, store: &Store) -> Result<Block> {}
}

// rollsnap::store::(private) lineage
impl Store {
    pub fn each_block(
        &self,
        (from, to): (i32, i32),
        feedback: &mut dyn Feedback,
        each: &mut dyn FnMut(Block, Evaluation, &mut dyn Feedback) -> Result<()>,
    ) -> Result<()> {}
    pub fn each_commitment(
        &self,
        feedback: &dyn Feedback,
        each: &mut dyn FnMut(CommitmentHash, Commitment),
    ) -> Result<()> {}
    pub fn each_named_commitment(
        &self,
        feedback: &dyn Feedback,
        each: &mut dyn FnMut(BlockHash, CommitmentHash),
    ) -> Result<()> {}
    pub fn ticks(&self, level: i32) -> Result<Option<(u128, u128)>> {}
    pub fn outbox(&self, level: i32) -> Result<Option<OutboxRow>> {}
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxRow {
    pub messages: String,
    pub executed: String,
}

// rollsnap::store::(private) links
impl Store {
    pub fn wanted_before_export(
        &self,
        rollup: rollsnap_core::hash::RollupAddress,
        last: CommitmentHash,
    ) -> Result<Wanted> {}
    pub fn publication_hint(&self, hash: &CommitmentHash) -> Result<i32> {}
}

// rollsnap::store::(private) lpc
#[derive(Clone, Debug)]
pub struct Lpc {
    pub mark: Mark<CommitmentHash>,
}
impl Lpc {
    pub fn of(store: &AnyStore) -> Result<Option<Self>> {}
    pub fn keep(&self, root: &Dir) -> Result<LpcOutcome> {}
}

// rollsnap::store::read
pub use rollsnap_core::chain::Block;
pub use rollsnap_core::store::{Mark, Rows, State};
#[derive(Debug)]
pub struct Store {}
impl Store {
    pub fn open(path: &Path, accept: Accept) -> Result<Self> {}
    pub fn close(self) -> Result<()> {}
    pub fn history_mode(&self, dir: &Path) -> Result<HistoryMode> {}
    pub fn block(&self, hash: &BlockHash) -> Result<Option<Block>> {}
    pub fn commitment_level(&self, hash: &CommitmentHash) -> Result<Option<i32>> {}
    pub fn is_current(&self) -> Result<bool> {}
}
impl Rows for Store {}

// rollsnap::store::(private) recorded
pub struct Records<'s> {}
impl<'s> Records<'s> {
    pub fn new(store: &'s AnyStore) -> Result<Self> {}
    pub fn keep_pages(&mut self, bytes: u64) -> Result<()> {}
}
impl Blocks for Records<'_> {}
impl Records<'_> {
    pub fn ticks(&mut self, level: i32) -> Result<Option<(u128, u128)>> {}
}
impl std::fmt::Debug for Records<'_> {}

// rollsnap::store::reset
pub fn reset_to_level(dir: &Dir, level: i32) -> Result<()> {}
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reset {
    pub block: Block,
    pub inbox_level: i32,
    pub marks: Vec<MarkChange>,
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarkChange {
    pub name: &'static str,
    pub from: Option<(String, i32)>,
    pub to: (String, i32),
}
impl Reset {
    pub fn plan(store: &Store, level: i32) -> Result<Self> {}
    pub fn rows(&self, store: &Store) -> Result<Vec<(&'static str, u64)>> {}
}

// rollsnap::store::(private) schema
pub use rollsnap_core::store::Accept;

// rollsnap::store::(private) slots
impl Store {
    pub fn protocols(&self) -> Result<Vec<Protocol>> {}
    pub fn is_attested(&self, block: &BlockHash, slot: u8) -> Result<Option<bool>> {}
}

// rollsnap::swap
pub use self::merge::{Merged, merge};
pub use self::partial::recover_but_partial;
pub const STAGING_NAME: &str = crate::data_dir::STAGING;
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    Replace(String),
    Remove(String),
}
impl Change {
    pub fn name(&self) -> &str {}
}
#[derive(Debug)]
pub struct Staging {}
impl Staging {
    pub fn begin(root: &Path) -> Result<Self> {}
    pub fn goes_on(&self) -> bool {}
    pub fn can_go_on(&self) -> Result<bool> {}
    pub fn forget_unpacked(&mut self) -> Result<()> {}
    pub fn begin_anew(&mut self) -> Result<()> {}
    pub fn dir(&self) -> &Path {}
    pub fn held(&self) -> &Dir {}
    pub fn root(&self) -> &Dir {}
    pub fn take_over(
        &mut self,
        name: &str,
        feedback: &mut dyn Feedback,
    ) -> Result<Merged> {}
    pub fn take_whole(
        &mut self,
        name: &str,
        as_name: &str,
        feedback: &mut dyn Feedback,
    ) -> Result<Merged> {}
    pub fn commit(mut self, plan: &[Change], feedback: &mut dyn Feedback) -> Result<()> {}
    pub fn abandon(mut self) -> Result<()> {}
}
impl Drop for Staging {}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovered {
    Nothing,
    RolledBack,
    Finished,
    CleanedUp,
}
pub fn recover(root: &Path, feedback: &mut dyn Feedback) -> Result<Recovered> {}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pending {
    NotBegun,
    HalfWay,
    Leftovers,
}
impl Pending {
    pub fn is_readable(self) -> bool {}
}
pub fn pending(root: &Path) -> Result<Option<Pending>> {}
pub fn require_whole(root: &Path) -> Result<()> {}

// rollsnap::swap::(private) merge
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    pub kept: u64,
    pub skipped: u64,
    pub first_skipped: Option<(PathBuf, &'static str)>,
}
pub fn merge(
    existing: &Dir,
    staged: &Dir,
    feedback: &mut dyn Feedback,
) -> Result<Merged> {}

// rollsnap::swap::(private) partial
impl Staging {
    pub fn keep(&mut self, text: &str, feedback: &dyn Feedback) -> Result<()> {}
    pub fn kept(&self) -> Result<Option<(String, Dir)>> {}
    pub fn use_kept(&mut self) -> Result<()> {}
    pub fn drop_kept(&mut self) -> Result<()> {}
    pub fn is_in_place(&mut self, text: &str) -> Result<bool> {}
    pub fn is_kept(&self) -> bool {}
    pub fn forget(&mut self) -> Result<()> {}
}
pub fn recover_but_partial(root: &Path, feedback: &mut dyn Feedback) -> Result<bool> {}

// rollsnap::swap::(private) probe
impl Staging {
    pub fn can_move(&self, names: &[&str]) -> Result<()> {}
}

// rollsnap::verify
pub use crate::resume::Interval;
pub use consistent::{Streamed, Subject, check_store, counts};
pub use contents::Contents;
pub use context::Reading;
pub use pre_images::PreImages;
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ContextScope {
    All,
    Head,
    None,
}
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Options {
    pub endpoint: Option<String>,
    pub expected: Option<CommitmentHash>,
    pub fail_fast: bool,
    pub context: ContextScope,
    pub family: Option<Family>,
    pub temp_dir: Option<PathBuf>,
    pub shard: Option<replay::Shard>,
    pub replay: Option<replay::Options>,
    pub checksum: Checksum,
    pub restart: bool,
    pub recording: Interval,
}
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Outcome {
    pub report: Report,
    pub stages: Vec<Timed>,
}
pub fn run(
    target: &Path,
    options: &Options,
    feedback: &mut dyn Feedback,
) -> Result<Outcome> {}

// rollsnap::verify::(private) consistent
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    pub root: &'a Path,
    pub shown: &'a Path,
    pub header: Option<&'a Header>,
    pub contexts: Option<&'a Contexts>,
    pub beginning: Option<Streamed<'a>>,
    pub old_lists: bool,
}
pub type Streamed<'a> = (&'a Beginning, Option<(ContextHash, u64)>);
pub fn check_store(
    subject: Subject<'_>,
    mut store: Result<AnyStore>,
    phase: Phase,
    feedback: &mut dyn Feedback,
) -> Result<Evidence> {}
pub fn counts(report: &Report) -> BTreeMap<Code, u64> {}

// rollsnap::verify::(private) contents
#[derive(Debug)]
pub struct Contents {}

// rollsnap::verify::(private) context
#[derive(Clone, Copy, Debug)]
pub struct Reading<'a> {
    pub scope: ContextScope,
    pub head: Option<ContextHash>,
    pub temp_dir: Option<&'a Path>,
}
impl Reading<'_> {
    pub fn of_data_dir(
        &self,
        root: &Path,
        phase: Phase,
        feedback: &mut dyn Feedback,
    ) -> Result<Audited> {}
    pub fn directory(
        &self,
        context: &Path,
        phase: Phase,
        feedback: &mut dyn Feedback,
    ) -> Result<Audited> {}
    pub fn moment(
        &self,
        moment: &Moment,
        phase: Phase,
        feedback: &mut dyn Feedback,
    ) -> Result<Audited> {}
}

// rollsnap::verify::(private) pre_images
pub use rollsnap_core::store::PreImages;

