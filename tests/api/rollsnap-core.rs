// rollsnap_core
pub use allowance::Allowance;
pub use code::{Class, Code};
pub use feedback::Feedback;
pub use header::{Header, HistoryMode};
pub use problem::{Place, Problem, Result};
pub use read_at::{Files, ReadAt};
pub use report::{Report, Verdict};
pub use rule::Rule;
pub use shown::shown;

// rollsnap_core::allowance
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {}
impl Allowance {
    pub const FREE: u64 = 16 << 20;
    pub const SHARE: u64 = 8;
    pub const TABLE: u64 = 256 << 20;
    pub const fn new(most: Option<u64>) -> Self {}
    pub const fn exactly(bytes: u64) -> Self {}
    #[must_use]
    pub const fn with_table(self, bytes: u64) -> Self {}
    pub const fn table(&self) -> u64 {}
    pub const FREE_HASHES: u64 = 1 << 16;
    pub const HASH: u64 = 32;
    pub fn read(&mut self, bytes: u64) {}
    pub const fn file_bytes(&self) -> Option<u64> {}
    pub const fn bytes(&self) -> u64 {}
    pub const fn share(&self) -> u64 {}
    pub const fn hashes(&self) -> u64 {}
    pub fn check_hashes(&self, count: u64, what: &str) -> Result<()> {}
    pub fn exceeded(&self, what: &str) -> Problem {}
    pub fn check(&self, taken: u64, what: &str) -> Result<()> {}
    pub const fn is_over(&self, taken: u64) -> bool {}
}
impl Default for Allowance {}

// rollsnap_core::chain
pub use follow::{Chain, Found, follow};
pub use old_lists::OldLists;
pub use walk::{Marks, Migrations, Summary, Walk};
pub use work::Work;
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    pub hash: BlockHash,
    pub level: i32,
    pub predecessor: BlockHash,
    pub commitment: Option<CommitmentHash>,
    pub previous_commitment: CommitmentHash,
    pub context: Option<ContextHash>,
}
impl Block {
    pub fn most_recent_commitment(&self) -> CommitmentHash {}
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evaluation {
    pub inbox_witness: WitnessHash,
    pub inbox_hash: InboxHash,
    pub initial_tick: u128,
    pub num_ticks: i64,
    pub state_hash: Option<StateHash>,
}
impl Evaluation {
    pub fn final_tick(&self) -> Option<u128> {}
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stored<T> {
    Found(T),
    Missing,
    Malformed(String),
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Messages<'a> {
    pub list: MessageList<'a>,
    pub inbox_level: Option<i32>,
    pub predecessor: Option<BlockHash>,
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    pub block: Block,
    pub evaluation: Evaluation,
    pub messages: Stored<Messages<'a>>,
    pub inbox: Stored<Inbox>,
    pub commitment: Stored<Commitment>,
    pub at_level: Option<BlockHash>,
}

// rollsnap_core::chain::(private) follow
pub trait Chain {
    fn find(&mut self, hash: &BlockHash) -> Result<Option<Found<'_>>>;
    fn named_at(&mut self, level: i64) -> Result<Option<BlockHash>>;
    fn named_below(&mut self, level: i64) -> Result<Option<BlockHash>>;
}
#[derive(Debug)]
pub struct Found<'a> {
    pub level: i64,
    pub entry: Stored<Entry<'a>>,
    pub empty_status: bool,
}
pub fn follow(
    chain: &mut dyn Chain,
    marks: Marks,
    contexts: Option<&Contexts>,
    feedback: &mut dyn Feedback,
    mut sink: impl FnMut(Problem),
) -> Result<Summary> {}

// rollsnap_core::chain::(private) old_lists
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OldLists {
    pub count: u64,
    pub first: i32,
    pub last: i32,
    pub is_followed: bool,
}

// rollsnap_core::chain::(private) walk
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marks {
    pub compact: bool,
    pub head: (BlockHash, i32),
    pub first_available: i32,
    pub genesis_level: Option<i32>,
    pub finalized: Option<(BlockHash, i32)>,
    pub lcc: Option<(CommitmentHash, i32)>,
    pub top_level: Option<i32>,
    pub old_lists: bool,
    pub is_early: bool,
}
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub blocks: u64,
    pub commitments: u64,
    pub messages: u64,
    pub states: u64,
    pub old_lists: Option<OldLists>,
    pub migrations: Migrations,
    pub left: Vec<Problem>,
}
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Migrations {}
impl Migrations {
    pub fn levels(&self) -> Option<&[i32]> {}
    pub fn is_complete(&self) -> bool {}
}
#[derive(Debug)]
pub struct Walk<'c> {}
impl<'c> Walk<'c> {
    pub fn new(marks: Marks, contexts: Option<&'c Contexts>) -> Self {}
    pub fn wanted(&self) -> Option<&BlockHash> {}
    pub fn take(&mut self, entry: Stored<Entry<'_>>, sink: &mut impl FnMut(Problem)) {}
    pub fn take_misplaced(&mut self, level: i32, sink: &mut impl FnMut(Problem)) {}
    pub fn resume(&mut self, hash: BlockHash) {}
    pub fn finish(mut self, sink: &mut impl FnMut(Problem)) -> Summary {}
    pub fn expected_level(&self) -> i32 {}
}

// rollsnap_core::chain::(private) work
#[derive(Clone, Copy, Debug, Default)]
pub struct Work {}
impl Work {
    pub const fn of(packed: u64) -> Self {}
    pub fn packed(&mut self, bytes: u64) {}
    pub fn block(&mut self) -> Result<()> {}
    pub fn check_blocks(&self, blocks: u64) -> Result<()> {}
    pub fn check_faults(&self, faults: u64) -> Result<()> {}
    pub fn messages(&mut self, count: usize, bytes: usize) {}
    pub fn check(&self) -> Result<()> {}
}

// rollsnap_core::code
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    Answer,
    Usage,
    Damaged,
    Refused,
    Environment,
    Idle,
    Cancelled,
}
impl Class {
    pub const fn exit_status(self) -> u8 {}
}
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Group(_);
impl Group {
    pub const HEADER: Self = Self("header");
    pub const GZIP: Self = Self("gzip");
    pub const TAR: Self = Self("tar");
    pub const REMOTE: Self = Self("remote");
    pub const REPLAY: Self = Self("replay");
    pub const CONTEXT: Self = Self("context");
    pub const fn as_str(self) -> &'static str {}
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownCode;
impl fmt::Display for UnknownCode {}
impl core::error::Error for UnknownCode {}

// rollsnap_core::context
pub use beginning::{Beginning, pvm_state};
pub use checkout::{Commit, Listed, State};
pub use commits::{Contexts, Found, INDEX_FILES};
pub use diff::{Change, Diff};
pub use findings::second_half;
pub use index::Index;
pub use layout::Layout;
pub use open::Context;
pub use parts::{Linked, Named};
pub use proof::Proof;
pub use riscv::Riscv;
pub use stat::Stat;
pub use tree::{Contents, Directory, Link, Object};
pub use walk::Walk;
pub struct Tree<'c, F: Files> {}

// rollsnap_core::context::append
pub use grown::Grown;
pub use log::Log;
pub use plan::{File, Plan, Step};
#[derive(Debug)]
pub struct Appender {}
#[derive(Clone, Copy, Debug)]
pub struct Mark {}
impl Appender {
    pub fn new<F: Files>(context: &Context<F>, log: Log) -> Result<Self> {}
    pub fn chunk_name<F: Files>(context: &Context<F>) -> alloc::string::String {}
    pub fn end(&self) -> u64 {}
    pub fn pending(&self) -> usize {}
    pub fn pending_commits(&self) -> usize {}
    pub fn log(&self) -> Log {}
    pub fn set_log(&mut self, log: Log) {}
    pub fn mark(&self) -> Mark {}
    pub fn rewind(&mut self, mark: Mark) {}
    pub fn put(&mut self, hash: &Hash, object: &NewObject<'_>) -> Result<u64> {}
    pub fn commit(
        &mut self,
        root: u64,
        root_hash: &Hash,
        author: &[u8],
        expected: &ContextHash,
    ) -> Result<()> {}
}

// rollsnap_core::context::append::(private) grown
pub struct Grown<'g, F: Files, R> {
    pub context: &'g Context<F>,
    pub appender: &'g Appender,
    pub chunk: &'g R,
}
impl<F: Files, R: ReadAt> Grown<'_, F, R> {
    pub fn head(&self, offset: u64) -> Result<Head> {}
    pub fn object(
        &self,
        offset: u64,
        kind: Kind,
        most: u64,
        value: &mut Vec<u8>,
    ) -> Result<Head> {}
    pub fn name(&self, offset: u64, number: u64) -> Result<Name> {}
}
impl<F: Files, R: ReadAt> Bytes for Grown<'_, F, R> {}

// rollsnap_core::context::append::(private) log
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Log {}
impl Log {
    pub const ENTRY: usize = 45;
    pub fn of(name: &str, header: &[u8], file_len: u64) -> Result<Self> {}
    pub fn missing(data: &[u8]) -> Self {}
    pub fn length(&self) -> u64 {}
    pub fn end(&self) -> u64 {}
    pub fn header(&self) -> Option<[u8; Header::LEN]> {}
    #[must_use]
    pub fn longer(&self, by: u64) -> Self {}
}

// rollsnap_core::context::append::(private) plan
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum File {
    Chunk,
    Dict,
    Log,
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step<'a> {
    Write(File, u64, &'a [u8]),
    Sync(File),
    Control(&'a [u8]),
}
#[derive(Debug)]
pub struct Plan {}
impl Appender {
    pub fn plan(&self) -> Option<Plan> {}
    pub fn steps<'p>(&'p self, plan: &'p Plan) -> Vec<Step<'p>> {}
    pub fn done(&mut self, plan: &Plan) {}
    pub fn counts(&self, file: File) -> u64 {}
}

// rollsnap_core::context::checkout
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    pub hash: ContextHash,
    pub offset: u64,
    pub len: u64,
    pub stored: Hash,
    pub root: u64,
    pub root_hash: Hash,
    pub date: i64,
    pub author: Vec<u8>,
    pub message: Vec<u8>,
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub entry: Entry,
    pub state: State,
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    Available(Commit),
    Collected,
    NotYet,
    Damaged(Problem),
}
impl Listed {
    pub fn available(&self) -> Option<&Commit> {}
}
impl<F: Files> Context<F> {
    pub fn index(&self, feedback: &dyn Feedback) -> Result<Index> {}
    pub fn commits(
        &self,
        feedback: &dyn Feedback,
    ) -> Result<impl DoubleEndedIterator<Item = Result<Listed>> + ExactSizeIterator> {}
    pub fn state_of(&self, entry: &Entry) -> Result<State> {}
    pub fn checkout(
        &self,
        hash: &ContextHash,
        feedback: &dyn Feedback,
    ) -> Result<Commit> {}
    pub fn commit_at(&self, offset: u64) -> Result<Commit> {}
    pub fn tree(&self, commit: &Commit) -> Result<Tree<'_, F>> {}
}

// rollsnap_core::context::diff
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaf {
    Contents,
    Values,
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub path: Vec<Vec<u8>>,
    pub before: Option<Found>,
    pub after: Option<Found>,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    pub named: Named,
    pub size: u64,
    pub is_value: bool,
}
pub struct Diff<'l, 'r, L: Files, R: Files> {}
impl<'l, 'r, L: Files, R: Files> Diff<'l, 'r, L, R> {
    pub fn at<S: AsRef<[u8]>>(
        left: (&'l Context<L>, Named),
        right: (&'r Context<R>, Named),
        path: &[S],
        leaf: Leaf,
    ) -> Result<Option<Self>> {}
    pub fn next(&mut self, feedback: &dyn Feedback) -> Result<Option<Change>> {}
}

// rollsnap_core::context::diff::(private) value
impl<F: Files> Context<F> {
    pub fn leaf<S: AsRef<[u8]>>(
        &self,
        commit: &Commit,
        path: &[S],
        is_key: bool,
    ) -> Result<Option<Found>> {}
}
impl Found {
    pub fn read<F: Files, E: From<Problem>>(
        &self,
        context: &Context<F>,
        offset: u64,
        len: u64,
        mut piece: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {}
}

// rollsnap_core::context::durable
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    pub value: Option<Value>,
    pub below: bool,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value {
    pub size: u64,
}
pub type Keys = Vec<(Vec<u8>, Key)>;
pub fn path_of(key: &[Vec<u8>]) -> Vec<Vec<u8>> {}
impl<F: Files> Tree<'_, F> {
    pub fn key(&self, key: &[Vec<u8>]) -> Result<Option<Key>> {}
    pub fn keys(&self, key: &[Vec<u8>]) -> Result<Option<Keys>> {}
    pub fn read_value<E: From<Problem>>(
        &self,
        value: &Value,
        mut piece: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {}
}
pub fn show<S: AsRef<[u8]>>(key: &[S]) -> alloc::string::String {}

// rollsnap_core::context::edit
pub use effects::Effects;
pub use look::{Look, Subtree};
pub use objects::{MAX_CONTENTS, ObjectStore, Source};
pub use persist::{NewEntry, NewObject, Persist, Written};
pub use way::Path;
pub type Bytes = Arc<[u8]>;
#[derive(Clone, Default)]
pub struct Tree {}
#[derive(Clone, Debug)]
pub enum Node {
    Value(Bytes),
    Directory(Tree),
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Trie,
    Name,
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    pub order: Order,
    pub entries: Vec<(Bytes, bool)>,
}
impl Tree {
    pub const fn new() -> Self {}
    pub fn load(store: &Arc<ObjectStore>, offset: u64) -> Self {}
    pub fn noting(self, effects: Option<Effects>) -> Self {}
    pub const fn is_empty(&self) -> bool {}
    pub fn get<S: AsRef<[u8]>>(&self, path: &[S]) -> Result<Option<Node>> {}
    pub fn find<S: AsRef<[u8]>>(&self, path: &[S]) -> Result<Option<Bytes>> {}
    pub fn find_tree<S: AsRef<[u8]>>(&self, path: &[S]) -> Result<Option<Self>> {}
    pub fn mem<S: AsRef<[u8]>>(&self, path: &[S]) -> Result<bool> {}
    pub fn mem_tree<S: AsRef<[u8]>>(&self, path: &[S]) -> Result<bool> {}
    pub fn length<S: AsRef<[u8]>>(&self, path: &[S]) -> Result<u64> {}
    pub fn list<S: AsRef<[u8]>>(
        &self,
        path: &[S],
        offset: u64,
        len: u64,
    ) -> Result<Option<Listing>> {}
    pub fn hash(&self) -> Result<Hash> {}
    pub fn hash_of<S: AsRef<[u8]>>(&self, path: &[S]) -> Result<Option<Hash>> {}
    pub fn commit(&mut self) -> Result<()> {}
}
impl fmt::Debug for Tree {}

// rollsnap_core::context::edit::(private) directory
impl Clone for Directory {}

// rollsnap_core::context::edit::(private) effects
#[derive(Clone)]
pub struct Effects(_);
impl Default for Effects {}
impl Effects {
    pub fn new() -> Self {}
    pub fn undo(&self) {}
}
impl fmt::Debug for Effects {}

// rollsnap_core::context::edit::(private) found
impl Drop for Found {}

// rollsnap_core::context::edit::(private) look
pub enum Look<'t> {
    Value(Bytes),
    Directory(Subtree<'t>),
}
#[derive(Clone, Copy)]
pub struct Subtree<'t>(_);
impl Tree {
    pub fn look<S: AsRef<[u8]>>(&self, path: &[S]) -> Result<Option<Look<'_>>> {}
    pub fn look_on(&self, path: &Path<'_>) -> Result<Option<Look<'_>>> {}
}
impl<'t> Subtree<'t> {
    pub fn look<S: AsRef<[u8]>>(self, path: &[S]) -> Result<Option<Look<'t>>> {}
    pub fn to_tree(self) -> Tree {}
}

// rollsnap_core::context::edit::(private) objects
pub const MAX_CONTENTS: u64 = 16 << 20;
pub trait Source: Send + Sync {
    fn head(&self, offset: u64) -> Result<Head>;
    fn object(
        &self,
        offset: u64,
        kind: Kind,
        most: u64,
        value: &mut Vec<u8>,
    ) -> Result<Head>;
    fn name(&self, offset: u64, number: u64) -> Result<Bytes>;
}
impl<F> Source for Context<F>
where
    F: Files + Send + Sync,
    F::File: Send + Sync,
{}
pub struct ObjectStore {}
impl ObjectStore {
    pub fn new(source: impl Source + 'static) -> Arc<Self> {}
    pub fn checked(source: impl Source + 'static) -> Arc<Self> {}
    pub fn loaded(&self) -> u64 {}
}
impl fmt::Debug for ObjectStore {}

// rollsnap_core::context::edit::(private) part
impl Clone for Inode {}
impl Drop for Inode {}

// rollsnap_core::context::edit::(private) persist
pub trait Persist {
    fn extends(&self, store: &ObjectStore) -> bool {
        ..
    }
    fn put(&mut self, hash: &Hash, object: &NewObject<'_>) -> Result<u64>;
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewObject<'a> {
    Contents(&'a [u8]),
    Values { root: bool, entries: &'a [NewEntry<'a>] },
    Tree { depth: u64, len: u64, parts: [Option<u64>; ENTRIES] },
}
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NewEntry<'a> {
    pub name: &'a [u8],
    pub directory: bool,
    pub offset: u64,
}
#[must_use = "`keep` makes the tree remember what is stored"]
pub struct Written {
    pub offset: u64,
    pub hash: Hash,
    pub objects: u64,
}
impl NewObject<'_> {
    pub fn kind(&self) -> Kind {}
    pub fn write(
        &self,
        number: &mut dyn FnMut(&[u8]) -> Option<u64>,
        out: &mut Vec<u8>,
    ) {}
}
impl Tree {
    pub fn persist(&self, writer: &mut dyn Persist) -> Result<Written> {}
}
impl Written {
    pub fn keep(self, store: &Arc<ObjectStore>) {}
}
impl core::fmt::Debug for Written {}

// rollsnap_core::context::edit::(private) put
impl Tree {
    pub fn add<S: AsRef<[u8]>>(
        &mut self,
        path: &[S],
        bytes: impl Into<Bytes>,
    ) -> Result<()> {}
    pub fn add_on(&mut self, path: &Path<'_>, node: Node) -> Result<()> {}
    pub fn pair(entries: [(&[u8], Node); 2]) -> Result<Self> {}
    pub fn add_tree<S: AsRef<[u8]>>(&mut self, path: &[S], tree: Self) -> Result<()> {}
    pub fn remove<S: AsRef<[u8]>>(&mut self, path: &[S]) -> Result<()> {}
}

// rollsnap_core::context::edit::(private) same
impl Tree {
    pub fn reusing(self, old: &Self) -> Self {}
}

// rollsnap_core::context::edit::(private) shrink
impl Tree {
    pub fn shrink(&mut self, store: &ObjectStore, budget: u64) -> bool {}
}

// rollsnap_core::context::edit::(private) way
pub struct Path<'p>(_);
impl<'p> Path<'p> {
    pub fn new<S: AsRef<[u8]> + ?Sized + 'p>(
        steps: impl IntoIterator<Item = &'p S>,
    ) -> Self {}
    pub fn push(&mut self, step: &'p [u8]) {}
    pub fn pop(&mut self) {}
}

// rollsnap_core::context::index
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    pub hash: ContextHash,
    pub offset: u64,
    pub len: u32,
    pub kind: u8,
}
#[derive(Clone, Debug)]
pub struct Index {}
impl Index {
    pub fn load<F: Files>(files: &F, feedback: &dyn Feedback) -> Result<Self> {}
    pub fn for_each<F: Files>(
        files: &F,
        feedback: &dyn Feedback,
        mut each: impl FnMut(Entry),
    ) -> Result<()> {}
    pub fn find<F: Files>(
        files: &F,
        hash: &ContextHash,
        feedback: &dyn Feedback,
    ) -> Result<Option<Entry>> {}
    pub fn by_offset(self) -> Vec<Entry> {}
    pub fn get(&self, hash: &ContextHash) -> Option<&Entry> {}
    pub fn entries(&self) -> &[Entry] {}
    pub fn len(&self) -> usize {}
    pub fn is_empty(&self) -> bool {}
}
impl Default for Index {}
#[derive(Debug)]
pub struct Reader {}
impl Reader {
    pub fn feed(&mut self, input: &[u8], mut commit: impl FnMut(ContextHash)) {}
    pub fn feed_entries(&mut self, mut input: &[u8], mut each: impl FnMut(Entry)) {}
    pub fn is_complete(&self) -> bool {}
    pub fn finish(&self) -> core::result::Result<(), Malformed> {}
}
impl Default for Reader {}

// rollsnap_core::context::layout
#[derive(Clone, Debug)]
pub struct Layout {}
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    Prefix,
    Chunk(usize),
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spot {
    pub part: Part,
    pub position: u64,
    pub run: u64,
}
impl Layout {
    pub fn new(control: Control, sizes: &[u64], mapping: Mapping) -> Result<Self> {}
    pub fn find(&self, offset: u64) -> Option<Spot> {}
    pub fn offset_of(&self, part: Part, position: u64) -> Option<u64> {}
    pub fn chunk(&self, at: usize) -> Option<(u64, u64)> {}
    pub fn live(&self, part: Part) -> Option<(u64, u64)> {}
    pub fn chunks(&self) -> usize {}
    pub fn suffix_start(&self) -> u64 {}
    pub fn end(&self) -> u64 {}
    pub fn control(&self) -> &Control {}
    pub fn mapping(&self) -> &Mapping {}
    pub fn name(&self, part: Part) -> String {}
    pub fn generation(&self) -> u64 {}
}

// rollsnap_core::context::listing
pub const MOST_IN_LOG: usize = 2_500_000;
#[derive(Clone, Debug)]
pub struct Listing {}
#[derive(Clone, Debug, Default)]
pub struct Judged {
    pub damaged: Option<Problem>,
    pub missing: u64,
    pub wrong: u64,
    pub beyond: u64,
    pub collected: u64,
    pub generation: u64,
}
impl Judged {
    pub fn is_sound(&self) -> bool {}
}
impl Listing {
    pub fn bytes_of<F: Files>(context: &Context<F>) -> u64 {}
    pub fn of<F: Files>(
        context: &Context<F>,
        feedback: &mut dyn Feedback,
    ) -> Result<Self> {}
    pub fn len(&self) -> usize {}
    pub fn is_empty(&self) -> bool {}
    pub fn judge<F: Files>(
        &self,
        context: &Context<F>,
        feedback: &dyn Feedback,
    ) -> Result<Judged> {}
    pub fn write(
        &self,
        generation: u64,
        most: usize,
        sink: &mut dyn Sink,
    ) -> Result<()> {}
}
impl core::fmt::Display for Judged {}

// rollsnap_core::context::pack
pub use commit::Commit;
pub use control::{Collected, Control, MAX_CONTROL, Status};
pub use dict::{Dict, MAX_DICT, MAX_DICT_NAMES, MAX_DICT_STEPS};
pub use entry::{Head, Kind, MAX_HEAD};
pub use inode::{Child, Inode, InodeOf, MAX_INODE, Pointer, Step, Value, max_inode};
pub use mapping::{Mapping, Range};
pub use crate::encoding::Malformed;
pub type Hash = [u8; 32];
pub const ENTRIES: usize = 2;

// rollsnap_core::context::pack::(private) commit
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commit<'a> {
    pub root: Child,
    pub parents: u64,
    pub date: i64,
    pub author: &'a [u8],
    pub message: &'a [u8],
}
impl<'a> Commit<'a> {
    pub fn parse(value: &'a [u8]) -> Result<Self, Malformed> {}
    pub fn with_parents(
        value: &'a [u8],
        mut parent: impl FnMut(Child),
    ) -> Result<Self, Malformed> {}
    pub fn hash(&self, root: &Hash) -> Hash {}
    pub fn put(&self, out: &mut Vec<u8>) {}
}

// rollsnap_core::context::pack::(private) control
pub const MAX_CONTROL: u64 = 4096;
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Control {
    pub version: u8,
    pub dict_end: u64,
    pub last_chunk_end: u64,
    pub upgraded_from: Option<u8>,
    pub first_chunk: u64,
    pub chunks: u64,
    pub volumes: u64,
    pub status: Status,
    pub trailing: usize,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Upgraded { from: u64 },
    NoGcYet,
    NonMinimal,
    Collected(Collected),
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Collected {
    pub suffix_start: u64,
    pub generation: u64,
    pub target: u64,
    pub dead: u64,
    pub mapping_end: Option<u64>,
}
impl Control {
    pub fn parse(file: &[u8]) -> Result<Self, Malformed> {}
    #[must_use]
    pub fn upgraded(&self) -> Self {}
    pub fn to_bytes(&self) -> Vec<u8> {}
    pub fn collected(&self) -> Option<Collected> {}
    pub fn suffix_start(&self) -> (u64, u64) {}
}

// rollsnap_core::context::pack::(private) dict
pub const MAX_DICT: u64 = 32 << 20;
pub const MAX_DICT_STEPS: usize = 100_001;
pub const MAX_DICT_NAMES: usize = 1 << 20;
#[derive(Clone, Debug, Default)]
pub struct Dict {}
impl Dict {
    pub fn parse(bytes: Vec<u8>) -> Result<Self, Malformed> {}
    pub fn get(&self, id: u64) -> Option<&[u8]> {}
    pub fn len(&self) -> usize {}
    pub fn is_empty(&self) -> bool {}
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {}
}

// rollsnap_core::context::pack::(private) entry
pub const MAX_HEAD: usize = 32 + 1 + 9;
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Contents,
    Root,
    Inner,
    Commit,
}
impl Kind {
    pub const fn letter(self) -> u8 {}
    pub const fn of_letter(letter: u8) -> Option<Self> {}
    pub const fn words(self) -> &'static str {}
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    pub hash: Hash,
    pub kind: Kind,
    pub len: usize,
    pub value_len: u64,
}
impl Head {
    pub fn parse(bytes: &[u8]) -> Result<Option<Self>, Malformed> {}
    pub fn entry_len(&self) -> u64 {}
    pub fn put(hash: &Hash, kind: Kind, value: &[u8], out: &mut Vec<u8>) {}
    pub fn entry_len_of(value_len: u64) -> u64 {}
}

// rollsnap_core::context::pack::hashing
pub fn hash(image: &[u8]) -> Hash {}
pub fn contents(bytes: &[u8]) -> Hash {}
pub fn put_contents(bytes: &[u8], out: &mut Vec<u8>) {}
#[derive(Clone, Debug)]
pub struct Pieces(_);
impl Pieces {
    pub fn new(len: u64) -> Self {}
    pub fn feed(&mut self, bytes: &[u8]) {}
    pub fn finish(&self) -> Hash {}
}
pub fn put_root<'a>(
    entries: impl ExactSizeIterator<Item = (&'a [u8], bool, Hash)>,
    out: &mut Vec<u8>,
) {}
pub fn put_values<'a>(
    entries: impl ExactSizeIterator<Item = (&'a [u8], bool, Hash)>,
    out: &mut Vec<u8>,
) {}
pub fn put_tree(
    depth: u64,
    len: u64,
    pointers: impl ExactSizeIterator<Item = (u64, Hash)>,
    out: &mut Vec<u8>,
) {}
pub fn put_commit(
    root: &Hash,
    parents: &[Hash],
    date: i64,
    author: &[u8],
    message: &[u8],
    out: &mut Vec<u8>,
) {}
pub fn commit(root: &Hash, date: i64, author: &[u8], message: &[u8]) -> Hash {}
pub fn bits(step: &[u8]) -> u64 {}

// rollsnap_core::context::pack::(private) inode
pub const MAX_INODE: u64 = max_inode(ENTRIES);
pub const fn max_inode(entries: usize) -> u64 {}
pub type Inode<'a> = InodeOf<'a, ENTRIES>;
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InodeOf<'a, const N: usize> {
    Values([Option<Value<'a>>; N]),
    Tree { depth: u64, len: u64, pointers: [Option<Pointer>; N] },
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value<'a> {
    pub step: Step<'a>,
    pub node: bool,
    pub child: Child,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<'a> {
    Dict(u64),
    Inline(&'a [u8]),
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pointer {
    pub index: u64,
    pub child: Child,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Child {
    Offset(u64),
    Hash(Hash),
}
impl<'a, const N: usize> InodeOf<'a, N> {
    pub fn parse(value: &'a [u8]) -> Result<Self, Malformed> {}
    pub fn put(&self, out: &mut Vec<u8>) {}
    pub fn children(&self) -> impl Iterator<Item = Child> + '_ {}
}

// rollsnap_core::context::pack::(private) mapping
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    pub offset: u64,
    pub position: u64,
    pub len: u64,
}
#[derive(Clone, Debug, Default)]
pub struct Mapping {}
impl Mapping {
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {}
    pub fn of(ranges: impl IntoIterator<Item = (u64, u64)>) -> Self {}
    pub fn to_bytes(&self) -> Vec<u8> {}
    pub fn find(&self, offset: u64) -> Option<(u64, u64)> {}
    pub fn offset_of(&self, position: u64) -> Option<u64> {}
    pub fn ranges(&self) -> &[Range] {}
    pub fn prefix_len(&self) -> u64 {}
    pub fn end(&self) -> u64 {}
}

// rollsnap_core::context::path
pub fn parse(text: &[u8]) -> Result<Vec<Vec<u8>>, Malformed> {}
pub fn show<S: AsRef<[u8]>>(path: &[S]) -> String {}
pub fn show_step(step: &[u8]) -> String {}
pub fn hex(hash: &Hash) -> String {}
pub fn unhex(text: &str) -> Option<Hash> {}

// rollsnap_core::context::proof
pub use answer::{Answer, KeyAnswer, Shown};
pub const MAX_PROOF: usize = 16 << 20;
#[derive(Clone, Debug)]
pub struct Proof {}
impl Proof {
    pub fn parse(bytes: &[u8]) -> Result<Self> {}
    pub fn bytes(&self) -> Result<Vec<u8>> {}
    pub fn state_hash(&self) -> StateHash {}
    pub fn leads_to(&self) -> Option<StateHash> {}
    pub fn require(&self, state: &StateHash) -> Result<()> {}
}

// rollsnap_core::context::proof::(private) answer
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer<'p> {
    Absent,
    Directory,
    Contents(&'p [u8]),
    HiddenContents,
    Hidden,
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyAnswer {
    Absent,
    Value(Vec<u8>),
    Malformed(Malformed),
    Hidden,
}
#[derive(Debug)]
pub enum Shown<'a, 'p> {
    Key(&'a [&'p [u8]], Vec<u8>),
    Path(&'a [&'p [u8]], &'p [u8]),
}
impl Proof {
    pub fn get<S: AsRef<[u8]>>(&self, path: &[S]) -> Answer<'_> {}
    pub fn key<S: AsRef<[u8]>>(&self, key: &[S]) -> KeyAnswer {}
    pub fn shown<'p, E>(
        &'p self,
        mut each: impl FnMut(Shown<'_, 'p>) -> Result<(), E>,
    ) -> Result<(), E> {}
}

// rollsnap_core::context::proof::(private) make
impl Proof {
    pub fn of<F: Files>(
        context: &Context<F>,
        state: Named,
        keys: &[Vec<Vec<u8>>],
        paths: &[Vec<Vec<u8>>],
        feedback: &dyn Feedback,
    ) -> Result<Self> {}
}

// rollsnap_core::context::riscv
pub const CHUNK: u64 = 4096;
#[derive(Debug)]
pub struct Riscv<F> {}
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    pub hash: ContextHash,
    pub chunks: u64,
    pub size: u64,
    pub missing: u64,
    pub sound: bool,
}
impl Commit {
    pub fn is_available(&self) -> bool {}
}
impl<F: Files> Riscv<F> {
    pub fn recognise(files: &F) -> Result<bool> {}
    pub fn open(files: F, feedback: &dyn Feedback) -> Result<Self> {}
    pub fn commits(&self) -> impl Iterator<Item = Result<Commit>> {}
    pub fn checkout(
        &self,
        hash: &ContextHash,
        chunk: &mut dyn FnMut(&Hash) -> Result<()>,
    ) -> Result<Commit> {}
    pub fn is_sound(&self, hash: &Hash) -> Result<bool> {}
    pub fn files(&self) -> impl Iterator<Item = (&Hash, u64)> {}
}

// rollsnap_core::context::stat
pub const MAX_SUBTREES: usize = 10_000;
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Stat {
    pub objects: Tally,
    pub contents: Tally,
    pub directories: Tally,
    pub inner: Tally,
    pub content_bytes: u64,
    pub depth: u64,
    pub inner_depth: u64,
    pub largest: u64,
    pub subtrees: Vec<Subtree>,
    pub subtrees_left_out: bool,
}
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Subtree {
    pub path: String,
    pub depth: u64,
    pub objects: Tally,
    pub share: f64,
}
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FileFacts {
    pub version: u8,
    pub generation: u64,
    pub prefix_bytes: u64,
    pub ranges: u64,
    pub chunks: u64,
    pub suffix_bytes: u64,
    pub dead_bytes: u64,
    pub names: u64,
    pub dict_bytes: u64,
}
impl<F: Files> Context<F> {
    pub fn file_facts(&self) -> FileFacts {}
    pub fn stat(
        &self,
        commit: &Commit,
        depth: u64,
        feedback: &mut dyn Feedback,
    ) -> Result<Stat> {}
}

// rollsnap_core::context::stats
pub const DEPTH: u64 = 4;
impl From<&Totals> for ContextStats {}
impl From<Stat> for HeadStats {}

// rollsnap_core::context::tree
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Object {
    Directory(Directory),
    Contents(Contents),
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Directory {
    pub offset: u64,
    pub hash: Hash,
    pub len: u64,
    pub entries: u64,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contents {
    pub offset: u64,
    pub hash: Hash,
    pub len: u64,
    pub size: u64,
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    pub name: Vec<u8>,
    pub directory: bool,
    pub offset: u64,
}
impl Object {
    pub fn hash(&self) -> &Hash {}
    pub fn offset(&self) -> u64 {}
    pub fn entry_len(&self) -> u64 {}
    pub fn directory(&self) -> Option<&Directory> {}
    pub fn contents(&self) -> Option<&Contents> {}
}
impl<'c, F: Files> Tree<'c, F> {
    pub fn new(context: &'c Context<F>, root: u64) -> Result<Self> {}
    pub fn root(&self) -> &Directory {}
    pub fn context(&self) -> &'c Context<F> {}
    pub fn get<S: AsRef<[u8]>>(&self, path: &[S]) -> Result<Option<Object>> {}
    pub fn list<S: AsRef<[u8]>>(
        &self,
        path: &[S],
    ) -> Result<Option<Vec<(Link, Object)>>> {}
    pub fn walk(&self) -> Walk<'c, F> {}
}
impl<F: Files> Context<F> {
    pub fn directory(&self, offset: u64) -> Result<Directory> {}
    pub fn contents(&self, offset: u64) -> Result<Contents> {}
    pub fn follow(&self, link: &Link) -> Result<Object> {}
    pub fn read_contents<E: From<Problem>>(
        &self,
        contents: &Contents,
        mut piece: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {}
    pub fn object(
        &self,
        offset: u64,
        kind: Kind,
        most: u64,
        value: &mut Vec<u8>,
    ) -> Result<Head> {}
}

// rollsnap_core::context::verify
pub use audit::{Audit, Audited, AuditedShare};
pub use failures::MAX_FAILURES;
pub use identity::{identity, object_bytes};
pub use outcome::{Commit, Outcome, PartTotal, Totals};
pub use reach::{PARTS, Wanted, reach};
pub use share::{Shared, share};
pub use spool::{Memory, Spool};
pub use stream::Stream;
pub use window::{Hasher, Immediate, Mismatch, Window};

// rollsnap_core::context::verify::(private) audit
#[derive(Debug)]
pub struct Audit<H, S> {}
#[derive(Debug, Default)]
pub struct Audited {
    pub contexts: Contexts,
    pub evidence: Evidence,
    pub hindered: Option<Problem>,
    pub differs: bool,
    pub totals: Option<Totals>,
    pub first: Option<(ContextHash, u64)>,
}
impl<H: Hasher, S: Spool> Audit<H, S> {
    pub fn new(hasher: H, spool: S) -> Self {}
    pub fn knowing(hasher: H, spool: S, layout: Layout, dict: Dict) -> Self {}
    pub fn index_only() -> Self {}
    #[must_use]
    pub fn within(mut self, allowance: Allowance) -> Self {}
    #[must_use]
    pub fn spilling(mut self, scratch: Box<dyn Scratch>) -> Self {}
    pub fn read(&mut self, bytes: u64) {}
    pub fn begin(&mut self, name: &str, size: u64) {}
    pub fn data(&mut self, data: &[u8]) -> Result<()> {}
    pub fn end(&mut self) {}
    pub fn is_lost(&self) -> bool {}
    pub fn put_off(&self) -> u64 {}
    pub fn finish(self, feedback: &mut dyn Feedback) -> Result<Audited> {}
}
impl Audited {
    pub fn of(outcome: Outcome, contexts: Contexts) -> Self {}
}
#[derive(Debug)]
pub struct AuditedShare {
    pub audited: Audited,
    pub context: ContextShare,
}
impl Audited {
    pub fn of_share(
        shared: Shared,
        (number, of): (u32, u32),
        files: String,
        contexts: Contexts,
    ) -> AuditedShare {}
}

// rollsnap_core::context::verify::(private) failures
pub const MAX_FAILURES: usize = 1000;

// rollsnap_core::context::verify::(private) finish
impl<H: Hasher, S: Spool> Stream<H, S> {
    pub fn finish(mut self, feedback: &mut dyn Feedback) -> Result<Outcome> {}
    pub fn put_off(&self) -> u64 {}
}

// rollsnap_core::context::verify::(private) identity
pub fn identity(files: &impl Files, feedback: &dyn Feedback) -> Result<String> {}
pub fn object_bytes<F: Files>(context: &Context<F>) -> u64 {}

// rollsnap_core::context::verify::(private) outcome
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    pub failures: Vec<Problem>,
    pub failures_left_out: u64,
    pub warnings: Vec<Problem>,
    pub unchecked: Vec<Problem>,
    pub differs: bool,
    pub commits: Vec<Commit>,
    pub totals: Totals,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commit {
    pub hash: ContextHash,
    pub offset: u64,
    pub len: u64,
    pub root: [u8; 32],
    pub state: Option<StateHash>,
    pub refutation: bool,
}
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub contents: Tally,
    pub directories: Tally,
    pub inner: Tally,
    pub commits: Tally,
    pub parts: Vec<PartTotal>,
    pub deepest: u64,
    pub memory: usize,
    pub spilled: u64,
    pub put_off: u64,
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartTotal {
    pub name: String,
    pub objects: Tally,
}
impl Outcome {
    pub fn is_clean(&self) -> bool {}
}
impl Totals {
    pub fn all(&self) -> Tally {}
}

// rollsnap_core::context::verify::(private) reach
#[derive(Clone, Copy, Debug)]
pub enum Wanted<'a> {
    All,
    These(&'a [Indexed]),
}
pub const PARTS: [&str; 2] = ["Following commits", "Checking objects"];
pub fn reach<F: Files, H: Hasher>(
    context: &Context<F>,
    wanted: Wanted<'_>,
    hasher: H,
    feedback: &mut dyn Feedback,
    phase: Phase,
) -> Result<Outcome> {}

// rollsnap_core::context::verify::(private) share
#[derive(Clone, Debug)]
pub struct Shared {
    pub outcome: Outcome,
    pub range: Range<u64>,
    pub bytes: u64,
}
pub fn share<F: Files, H: Hasher>(
    context: &Context<F>,
    (number, of): (u32, u32),
    hasher: H,
    feedback: &mut dyn Feedback,
    phase: Phase,
) -> Result<Option<Shared>> {}

// rollsnap_core::context::verify::(private) spool
pub trait Spool {
    fn append(&mut self, bytes: &[u8]) -> Result<()>;
    fn read_at(&mut self, position: u64, out: &mut [u8]) -> Result<()>;
    fn room_behind_damage(&self) -> u64 {
        ..
    }
}
#[derive(Debug)]
pub struct Memory {}
impl Memory {
    pub fn new(most: usize) -> Self {}
    #[must_use]
    pub fn spilling(self, scratch: Option<Box<dyn Scratch>>) -> Self {}
}
impl Default for Memory {}
impl Spool for Memory {}

// rollsnap_core::context::verify::(private) stream
#[derive(Debug)]
pub struct Stream<H, S> {}
impl<H: Hasher, S: Spool> Stream<H, S> {
    pub fn new(hasher: H, spool: S) -> Self {}
    #[must_use]
    pub fn within(mut self, allowance: Allowance) -> Self {}
    #[must_use]
    pub fn spilling(mut self, scratch: Box<dyn Scratch>) -> Self {}
    pub fn beside(&mut self, bytes: u64) {}
    pub fn read(&mut self, bytes: u64) {}
    pub fn with(hasher: H, spool: S, layout: Layout, dict: Dict) -> Self {}
    pub fn begin(&mut self, name: &str, size: u64) {}
    pub fn data(&mut self, data: &[u8]) -> Result<()> {}
    pub fn is_lost(&self) -> bool {}
    pub fn end(&mut self) {}
}

// rollsnap_core::context::verify::(private) table
impl Default for Table {}

// rollsnap_core::context::verify::(private) window
pub trait Hasher {
    fn hash(&mut self, full: Window, report: &mut dyn FnMut(Mismatch)) -> Window;
    fn finish(&mut self, report: &mut dyn FnMut(Mismatch));
}
#[derive(Clone, Copy, Debug, Default)]
pub struct Immediate;
impl Hasher for Immediate {}
#[derive(Debug, Default)]
pub struct Window {}
#[derive(Clone, Debug)]
pub struct Mismatch {}
impl Window {
    pub fn is_empty(&self) -> bool {}
    pub fn clear(&mut self) {}
    pub fn check(&self, report: &mut dyn FnMut(Mismatch)) {}
}

// rollsnap_core::context::walk
pub const MAX_PATH: usize = 4096;
pub struct Walk<'c, F: Files> {}
impl<'c, F: Files> Walk<'c, F> {
    pub fn path(&self) -> &[Vec<u8>] {}
    pub fn skip(&mut self) {}
}
impl<F: Files> Iterator for Walk<'_, F> {}

// rollsnap_core::context::write
pub use build::{Builder, Object};
pub use copy::SingleCommit;
pub trait Sink {
    fn create(&mut self, name: &str) -> Result<()>;
    fn write(&mut self, bytes: &[u8]) -> Result<()>;
}

// rollsnap_core::context::write::(private) build
pub struct Builder<'a> {}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Object {}
impl Object {
    pub fn hash(&self) -> &Hash {}
}
impl<'a> Builder<'a> {
    pub fn new(sink: &'a mut dyn Sink) -> Result<Self> {}
    pub fn contents(&mut self, bytes: &[u8]) -> Result<Object> {}
    pub fn directory(&mut self, entries: &[(&[u8], Object)]) -> Result<Object> {}
    pub fn tree(&mut self, tree: &Tree) -> Result<Object> {}
    pub fn commit(
        mut self,
        root: Object,
        author: &[u8],
        message: &[u8],
    ) -> Result<ContextHash> {}
}
impl Persist for Builder<'_> {}
impl core::fmt::Debug for Builder<'_> {}

// rollsnap_core::context::write::(private) copy
pub struct SingleCommit<'a, F: Files> {}
impl<'a, F: Files> SingleCommit<'a, F> {
    pub fn of(
        context: &'a Context<F>,
        commit: &Commit,
        phase: Phase,
        feedback: &mut dyn Feedback,
    ) -> Result<Self> {}
    pub fn objects(&self) -> u64 {}
    pub fn bytes(&self) -> u64 {}
    pub fn mapping(&self) -> &Mapping {}
    pub fn write(
        &self,
        sink: &mut dyn Sink,
        phase: Phase,
        feedback: &mut dyn Feedback,
    ) -> Result<()> {}
}

// rollsnap_core::context::write::riscv
pub fn copy<F: Files>(
    files: &F,
    commit: &ContextHash,
    sink: &mut dyn Sink,
    phase: Phase,
    feedback: &mut dyn Feedback,
) -> Result<()> {}

// rollsnap_core::context::(private) beginning
#[derive(Debug, Default)]
pub struct Beginning {}
impl Beginning {
    pub fn begin(&mut self, name: &str, size: u64) {}
    pub fn data(&mut self, data: &[u8]) {}
    pub fn end(&mut self) {}
    pub fn pvm_state(
        &self,
        first: Option<(ContextHash, u64)>,
        commit: &ContextHash,
    ) -> Result<Option<Tree>> {}
}
pub fn pvm_state<F>(
    context: impl Into<Arc<Context<F>>>,
    commit: &ContextHash,
    offset: Option<u64>,
) -> Result<Option<Tree>>
where
    F: Files + Send + Sync + 'static,
    F::File: Send + Sync,
{}
impl ReadAt for File {}

// rollsnap_core::context::(private) commits
#[derive(Debug)]
pub struct Contexts {}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    No,
    Listed,
    Read(Option<StateHash>),
}
impl Contexts {
    pub fn begin(&mut self, name: &str) {}
    pub fn data(&mut self, data: &[u8]) {}
    pub fn taken(&self) -> u64 {}
    pub fn end(&mut self) {}
    #[must_use]
    pub fn complete(mut self) -> Self {}
    #[must_use]
    pub fn read(
        mut self,
        commits: impl IntoIterator<Item = (ContextHash, Option<StateHash>)>,
    ) -> Self {}
    pub fn find(&self, hash: &ContextHash) -> Found {}
    pub fn contains(&self, hash: &ContextHash) -> bool {}
    #[must_use]
    pub fn lacking_some(self) -> Self {}
    pub fn may_lack(&self) -> bool {}
    pub fn are_files(&self) -> bool {}
    pub fn len(&self) -> usize {}
    pub fn is_empty(&self) -> bool {}
}
impl Default for Contexts {}
pub const INDEX_FILES: [&str; 3] = ["index/data", "index/log", "index/log_async"];

// rollsnap_core::context::(private) entries
impl<F: Files> Context<F> {
    pub fn entries_of(&self, directory: u64) -> Result<Vec<Link>> {}
    pub fn entry_of(&self, directory: u64, name: &[u8]) -> Result<Option<Link>> {}
}

// rollsnap_core::context::(private) findings
pub fn second_half(files: &impl Files) -> Result<Option<&'static str>> {}
impl<F: Files> Context<F> {
    pub fn remarks(&self) -> Result<Vec<Problem>> {}
    pub fn refusals(&self) -> Result<Vec<Problem>> {}
}
impl<F: Files> Tree<'_, F> {
    pub fn is_dual(&self) -> Result<bool> {}
}

// rollsnap_core::context::(private) open
#[derive(Debug)]
pub struct Context<F: Files> {}
impl<F: Files> Context<F> {
    pub fn open(files: F) -> Result<Self> {}
    pub fn layout(&self) -> &Layout {}
    pub fn control(&self) -> &Control {}
    pub fn dict(&self) -> &Dict {}
    pub fn files(&self) -> &F {}
    pub fn part(&self, part: Part) -> Option<&F::File> {}
    pub fn read(&self, offset: u64, out: &mut [u8]) -> Result<()> {}
    pub fn read_some(&self, offset: u64, out: &mut [u8]) -> Result<usize> {}
    pub fn head(&self, offset: u64) -> Result<Head> {}
    pub fn value(
        &self,
        offset: u64,
        head: &Head,
        most: u64,
        out: &mut Vec<u8>,
    ) -> Result<()> {}
}
impl<F: Files> Bytes for Context<F> {}

// rollsnap_core::context::(private) parts
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named {
    pub offset: u64,
    pub hash: Hash,
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Linked {
    pub link: Link,
    pub hash: Hash,
    pub size: u64,
}
impl Linked {
    pub fn named(&self) -> Named {}
}
impl<F: Files> Context<F> {
    pub fn pvm_state_of(&self, commit: &Commit) -> Result<Option<Named>> {}
    pub fn named_entry(&self, directory: &Named, name: &[u8]) -> Result<Option<Linked>> {}
    pub fn named_contents(&self, contents: &Named, most: u64) -> Result<Vec<u8>> {}
}

// rollsnap_core::encoding
pub use commitment::Commitment;
pub use inbox::{Cell, Inbox};
pub use inflate::Inflater;
pub use messages::{Count, Info, MAX_MESSAGE, MAX_MESSAGES, MessageList};
pub use outbox::is_outbox_message;
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed(pub &'static str);
impl core::fmt::Display for Malformed {}
impl core::error::Error for Malformed {}

// rollsnap_core::encoding::(private) commitment
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commitment {
    pub compressed_state: StateHash,
    pub inbox_level: i32,
    pub predecessor: CommitmentHash,
    pub number_of_ticks: i64,
}
impl Commitment {
    pub const LEN: usize = 76;
    pub fn to_bytes(&self) -> [u8; Self::LEN] {}
    pub fn parse(mut input: &[u8]) -> Result<Self, Malformed> {}
    pub fn hash(&self) -> CommitmentHash {}
}

// rollsnap_core::encoding::(private) inbox
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inbox {
    pub level: i32,
    pub cell: Cell,
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    pub index: u128,
    pub witness: WitnessHash,
    pub level: i32,
    pub back_pointers: Vec<[u8; 32]>,
}
impl Cell {
    pub fn parse(mut input: &[u8]) -> Result<Self, Malformed> {}
    pub fn hash(&self) -> InboxHash {}
    pub fn next_back_pointers(&self, own: &InboxHash) -> Vec<[u8; 32]> {}
}

// rollsnap_core::encoding::(private) inflate
pub struct Inflater {}
impl Inflater {
    pub const MAX: usize = 64 << 20;
    pub fn new() -> Self {}
    pub fn inflate(&mut self, input: &[u8]) -> Result<&[u8], Malformed> {}
    pub fn inflate_while(
        &mut self,
        mut input: &[u8],
        mut look: impl FnMut(&[u8]) -> Result<(), Malformed>,
    ) -> Result<&[u8], Malformed> {}
}
impl Default for Inflater {}

// rollsnap_core::encoding::(private) messages
pub const MAX_MESSAGE: usize = 4096;
pub const MAX_MESSAGES: usize = 1_000_000 + 16;
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageList<'a> {}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Info {
    pub timestamp: i64,
    pub predecessor: BlockHash,
}
impl<'a> MessageList<'a> {
    pub fn parse(mut input: &'a [u8]) -> Result<Self, Malformed> {}
    pub fn messages(&self) -> &[&'a [u8]] {}
    pub fn is_whole(&self) -> bool {}
    pub fn is_of_users(&self) -> bool {}
    pub fn info(&self) -> Option<Info> {}
    pub fn migrates(&self) -> bool {}
    pub fn witness(&self) -> Option<WitnessHash> {}
}
#[derive(Debug, Default)]
pub struct Count {}
impl Count {
    pub fn look(&mut self, list: &[u8]) -> Result<(), Malformed> {}
}

// rollsnap_core::encoding::(private) outbox
pub fn is_outbox_message(mut message: &[u8]) -> bool {}

// rollsnap_core::feedback
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Phase {
    pub index: u32,
    pub of: u32,
    pub name: &'static str,
    pub total: Option<u64>,
    pub unit: Unit,
    pub stage: Option<&'static str>,
}
impl Phase {
    pub const fn only(name: &'static str) -> Self {}
    #[must_use]
    pub const fn part(self, after: u32, name: &'static str) -> Self {}
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Bytes,
    Files,
    Blocks,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice<'t> {
    WaitingForLock(&'t str),
    Retrying(&'t str),
    Recovered(&'t str),
    Removed(&'t str),
    NotRemoved(&'t str),
    Kept(&'t str),
    NotKept(&'t str),
    NotUsed(&'t str),
    TakesSpace(&'t str),
    Owner(&'t str),
    Lacking(&'t str),
    Remark(&'t str),
}
impl<'t> Notice<'t> {
    pub const fn kind(self) -> &'static str {}
    pub const fn text(self) -> &'t str {}
}
pub trait Feedback {
    fn phase(&mut self, phase: Phase);
    fn advance(&mut self, done: u64);
    fn note(&mut self, text: &str);
    fn notice(&mut self, notice: Notice<'_>) {
        ..
    }
    fn cancelled(&self) -> bool {
        ..
    }
    fn allowance(&self) -> Allowance {
        ..
    }
    fn scratch(&self) -> Option<Box<dyn Scratch>> {
        ..
    }
    fn checkpoint(&self) -> Result<()> {
        ..
    }
}
pub struct OfFile<'f> {}
impl<'f> OfFile<'f> {
    pub fn new(feedback: &'f mut dyn Feedback, bytes: Option<u64>) -> Self {}
}
impl Feedback for OfFile<'_> {}
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;
impl Feedback for Silent {}

// rollsnap_core::gzip
pub use gunzip::{Gunzip, Step};
pub use inflate::{Inflate, InflateStatus, Inflated, Window};
pub use writer::Gzip;
pub use {block::BlockStart, filling::filling, zlib::Zlib};
pub const MAGIC: [u8; 2] = [0x1f, 0x8b];

// rollsnap_core::gzip::(private) block
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockStart {
    pub last: u8,
    pub spare: u8,
    pub window: Vec<u8>,
}

// rollsnap_core::gzip::checkpoint
pub use collect::Collector;
pub use format::{FIELD_MAX, HEAD, SUBFIELD};
pub use index::{Checkpoint, Index, MOST_CHECKPOINTS, WindowPlace};
pub use indexed::Indexed;
pub use member::{MOST_MEMBERS, MemberTable};
pub use scan::{Scanned, Scanner};
pub use span::{Span, Spans};
pub use waypoint::{Waypoint, Waypoints};

// rollsnap_core::gzip::checkpoint::(private) collect
#[derive(Clone, Debug)]
pub struct Collector {}
impl Collector {
    pub fn new(span: u64, most: usize) -> Self {}
    pub fn add(
        &mut self,
        bit: u64,
        length: u64,
        crc: u32,
        window: impl FnOnce() -> Result<Option<WindowPlace>>,
    ) -> Result<()> {}
    pub fn length(&self) -> u64 {}
    pub fn crc32(&self) -> u32 {}
    pub fn finish(self) -> Vec<Checkpoint> {}
}

// rollsnap_core::gzip::checkpoint::(private) format
pub const SUBFIELD: [u8; 2] = *b"RS";
pub const FIELD_MAX: usize = 0xffff - 4;
pub const HEAD: usize = 40;
impl Index {
    pub const fn capacity(bytes: usize) -> usize {}
    pub const fn room(checkpoints: usize) -> usize {}
    pub fn encode(&self) -> Option<Vec<u8>> {}
    pub fn encode_beside(&self, table_at: u64) -> ([u8; HEAD], Vec<u8>) {}
    pub fn of_file<R: ReadAt + ?Sized>(file: &R) -> Result<Option<Self>> {}
    pub fn decode(bytes: &[u8]) -> Result<Self> {}
    pub fn of_beside<R: ReadAt + ?Sized>(beside: &R) -> Result<Self> {}
}

// rollsnap_core::gzip::checkpoint::(private) index
pub const MOST_CHECKPOINTS: usize = 1 << 16;
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    pub bit: u64,
    pub offset: u64,
    pub crc: u32,
    pub window: Option<WindowPlace>,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowPlace {
    pub at: u64,
    pub len: u32,
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    pub file_len: u64,
    pub content_len: u64,
    pub crc: u32,
    pub checkpoints: Vec<Checkpoint>,
    pub waypoints: Vec<Waypoint>,
    pub members: MemberTable,
}
impl Index {
    pub fn check<R: ReadAt + ?Sized>(&self, file: &R) -> Result<()> {}
    pub fn stretch_of(&self, name: &str) -> Option<(u64, u64)> {}
    pub fn span_of(&self, offset: u64) -> usize {}
    pub fn end_of(&self, at: usize) -> (u64, u64) {}
    pub fn longest_span(&self) -> u64 {}
}

// rollsnap_core::gzip::checkpoint::(private) indexed
#[derive(Debug)]
pub struct Indexed<R> {}
impl<R: ReadAt> Indexed<R> {
    pub fn new(file: R, index: Index, beside: Option<R>) -> Result<Self> {}
    pub fn beside(&self) -> Option<&R> {}
    pub fn file(&self) -> &R {}
    pub fn index(&self) -> &Index {}
    pub fn window(&self, at: usize) -> Result<Vec<u8>> {}
}

// rollsnap_core::gzip::checkpoint::(private) member
pub const MOST_MEMBERS: usize = 1 << 17;
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemberTable(_);
impl MemberTable {
    pub fn add(&mut self, offset: u64, name: &str) {}
    pub fn place_of(&self, name: &str) -> Option<u64> {}
    pub fn len(&self) -> usize {}
    pub fn is_empty(&self) -> bool {}
}

// rollsnap_core::gzip::checkpoint::(private) scan
pub struct Scanner {}
pub enum Scanned<'a> {
    Content(&'a [u8]),
    Window(&'a [u8]),
}
impl Scanner {
    pub fn new(span: u64, most: usize) -> Self {}
    pub fn feed(
        &mut self,
        bytes: &[u8],
        sink: &mut dyn FnMut(Scanned<'_>) -> Result<()>,
    ) -> Result<()> {}
    pub fn finish(self) -> Result<Option<Index>> {}
}

// rollsnap_core::gzip::checkpoint::(private) span
pub struct Spans<R> {}
impl<R: ReadAt> Spans<R> {
    pub fn new(indexed: Indexed<R>) -> Self {}
    pub fn index(&self) -> &Index {}
    pub fn span(&self, at: usize) -> Result<Span<'_, R>> {}
    pub fn input_of(&self, at: usize) -> Range<u64> {}
    pub fn content_of(&self, at: usize) -> Range<u64> {}
}
impl<R: ReadAt> ReadAt for Spans<R> {}
pub struct Span<'a, R> {}
impl<'a, R: ReadAt> Span<'a, R> {
    pub fn step(&mut self) -> Result<Option<&[u8]>> {}
}

// rollsnap_core::gzip::checkpoint::(private) waypoint
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waypoint {
    pub offset: u64,
    pub name: String,
}
#[derive(Clone, Debug)]
pub struct Waypoints {}
impl Waypoints {
    pub fn new(most: usize) -> Self {}
    pub fn add(&mut self, offset: u64, name: &str) {}
    pub fn finish(self) -> Vec<Waypoint> {}
}

// rollsnap_core::gzip::(private) filling
pub fn filling(bits: u32, byte: u8) -> Vec<u8> {}

// rollsnap_core::gzip::(private) gunzip
pub struct Gunzip<I = Window> {}
#[derive(Debug, PartialEq, Eq)]
pub enum Step<'a> {
    NeedsInput,
    Output(&'a [u8]),
    End,
}
impl Gunzip {
    pub fn new() -> Self {}
}
impl<I: Inflate> Gunzip<I> {
    pub fn with(engine: I) -> Self {}
    pub fn resumed(engine: I, consumed: u64, produced: u64, crc32: u32) -> Self {}
    pub fn step(&mut self, input: &mut &[u8]) -> Result<Step<'_>> {}
    pub fn finish(&self) -> Result<()> {}
    pub fn engine(&mut self) -> &mut I {}
    pub fn consumed(&self) -> u64 {}
    pub fn produced(&self) -> u64 {}
    pub fn crc32(&self) -> u32 {}
}
impl Default for Gunzip {}

// rollsnap_core::gzip::(private) inflate
pub trait Inflate {
    fn inflate(&mut self, input: &[u8]) -> Inflated;
    fn output(&self) -> &[u8];
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inflated {
    pub status: InflateStatus,
    pub taken: usize,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InflateStatus {
    NeedsInput,
    HasOutput,
    End,
    Damaged,
}
pub struct Window {}
impl Inflate for Window {}
impl Default for Window {}

// rollsnap_core::gzip::(private) writer
pub struct Gzip {}
impl Gzip {
    pub const LEVEL: u8 = 6;
    pub fn new(level: u8) -> Self {}
    pub fn write<E>(
        &mut self,
        data: &[u8],
        out: &mut impl FnMut(&[u8]) -> core::result::Result<(), E>,
    ) -> core::result::Result<(), E> {}
    pub fn sync_flush<E>(
        &mut self,
        out: &mut impl FnMut(&[u8]) -> core::result::Result<(), E>,
    ) -> core::result::Result<(), E> {}
    pub fn finish<E>(
        mut self,
        out: &mut impl FnMut(&[u8]) -> core::result::Result<(), E>,
    ) -> core::result::Result<(), E> {}
}

// rollsnap_core::gzip::(private) zlib
pub struct Zlib {}
impl Zlib {
    pub const PIECE: usize = 256 * 1024;
    pub fn is_full(&self) -> bool {}
    pub fn is_empty(&self) -> bool {}
    pub fn take(&mut self, mut spare: Vec<u8>) -> Vec<u8> {}
    pub fn resumed(start: &BlockStart) -> Self {}
    pub fn seek_start(&mut self) {}
    pub fn may_start_here(&self) -> bool {}
    pub fn take_start(&mut self) -> Option<BlockStart> {}
    pub fn is_seeking(&self) -> bool {}
}
impl Default for Zlib {}
impl Inflate for Zlib {}

// rollsnap_core::hash
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    Character { index: usize },
    Length { wanted: &'static str, found: usize },
    Checksum,
    Kind { wanted: &'static str },
}
impl fmt::Display for Error {}
impl core::error::Error for Error {}

// rollsnap_core::header
pub const LEN: usize = 58;
pub const LOOKAHEAD: usize = LEN + tar::BLOCK;
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub layout: Layout,
    pub history_mode: HistoryMode,
    pub rollup_address: RollupAddress,
    pub head_level: i32,
    pub last_commitment: CommitmentHash,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Layout {
    Versioned,
    Unversioned,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum HistoryMode {
    Archive,
    Full,
}
impl Header {
    pub fn parse(bytes: &[u8]) -> Result<Self> {}
    pub fn to_bytes(&self) -> [u8; LEN] {}
    pub const fn archive_offset(&self) -> usize {}
}
pub fn recognise(first: &[u8]) -> Result<Header> {}
impl HistoryMode {
    pub const fn as_str(self) -> &'static str {}
    pub fn from_name(name: &str) -> Option<Self> {}
}
impl fmt::Display for HistoryMode {}
impl Serialize for Header {}
impl<'de> Deserialize<'de> for Header {}
pub fn file_name(header: &Header) -> alloc::string::String {}

// rollsnap_core::index
pub use edit::{Edit, Target};
pub use header::Header;
pub use log::MAX_LOG;
pub use order::KeyOrder;
pub use scan::{Binding, Scan};
pub use write::fan_out;
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    pub key: usize,
    pub value: usize,
    pub order: KeyOrder,
}
impl Shape {
    pub const fn entry(&self) -> usize {}
}
#[derive(Debug)]
pub struct Index<R> {}
impl<R: ReadAt> Index<R> {
    pub fn open<F: Files<File = R>>(
        files: &F,
        directory: &str,
        shape: Shape,
    ) -> Result<Self> {}
    pub fn find(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {}
    pub fn entries(&self) -> u64 {}
    pub fn scan(&self) -> Scan<'_, R> {}
    pub fn hidden(&self) -> Option<&Problem> {}
    pub fn misplaced(&self) -> Result<Vec<Problem>> {}
}

// rollsnap_core::index::(private) edit
#[derive(Clone, Copy)]
pub struct Edit<'e> {
    pub goes: &'e dyn Fn(&[u8], &[u8]) -> bool,
    pub comes: &'e [u8],
}
pub trait Target {
    fn create(&mut self, name: &str) -> Result<()>;
    fn write(&mut self, bytes: &[u8]) -> Result<()>;
}
impl core::fmt::Debug for Edit<'_> {}
impl Edit<'_> {
    pub fn carry_out<F: Files>(
        &self,
        files: &F,
        directory: &str,
        shape: Shape,
        target: &mut dyn Target,
        feedback: &dyn Feedback,
    ) -> Result<()> {}
}

// rollsnap_core::index::(private) header
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub length: u64,
    pub generation: u64,
    pub fan_out: u64,
}
impl Header {
    pub const LEN: usize = 32;
    pub fn parse(bytes: &[u8; Self::LEN]) -> Option<Self> {}
    pub fn to_bytes(&self) -> [u8; Self::LEN] {}
}

// rollsnap_core::index::(private) log
pub const MAX_LOG: u64 = 1 << 24;

// rollsnap_core::index::(private) order
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyOrder {
    Bytes,
    Boxed,
}
impl KeyOrder {
    pub fn hash(self, key: &[u8]) -> u32 {}
}

// rollsnap_core::index::(private) scan
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    pub key: Vec<u8>,
    pub value: Vec<u8>,
}
#[derive(Debug)]
pub struct Scan<'a, R> {}
impl<R: ReadAt> Iterator for Scan<'_, R> {}

// rollsnap_core::index::(private) write
pub fn fan_out(shape: Shape, count: u64, hashes: impl Iterator<Item = u32>) -> Vec<u64> {}

// rollsnap_core::layer1
pub use anchor::{
    expected_commitment, judge_cemented, judge_origination, not_asked,
    unanswered_origination,
};
pub use answer::{Answer, Subject, excerpt};
pub use before_export::{Link, wanted_before_export};
pub use inquiry::Inquiry;
pub use origination::{Originated, Origination};
pub use outcome::{Outcome, above_savepoint, is_postponed};
pub use peer::Peer;
pub use probes::MAX_PROBES;
pub use question::{
    At, ChallengeWindow, CommitmentPeriod, GenesisInfo, HeadLevel, LastCemented,
    PublishedCommitment, Question, Savepoint, block_path, json,
};
pub use retry::{PAUSE, RETRIES, is_busy, pause_after};
pub use search::{Search, Wanted};
pub const MAX_ANSWER: u64 = 4 << 20;
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub path: String,
    pub max_bytes: u64,
    pub about: &'static str,
}
pub trait Dialogue {
    fn next_request(&self) -> Option<Request>;
    fn answer(&mut self, answer: &Answer<'_>);
    fn failed(&mut self, problem: Problem);
}

// rollsnap_core::layer1::(private) anchor
pub fn not_asked(why: &str) -> Check {}
pub fn expected_commitment(
    found: Option<CommitmentHash>,
    expected: CommitmentHash,
) -> Check {}
pub fn judge_cemented(
    cemented: &Result<Mark<CommitmentHash>>,
    store: &mut impl Rows,
) -> Option<Check> {}
pub fn judge_origination(
    originated: &Result<Option<Originated>>,
    genesis: &Genesis,
) -> Result<Check> {}
pub fn unanswered_origination(problem: &Problem) -> Check {}

// rollsnap_core::layer1::(private) answer
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    pub status: u16,
    pub body: &'a [u8],
    pub location: Option<&'a str>,
    pub asks_login: bool,
}
impl<'a> Answer<'a> {
    pub const fn new(status: u16, body: &'a [u8]) -> Self {}
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    Node,
    Block(i32),
}
pub fn excerpt(bytes: &[u8]) -> String {}

// rollsnap_core::layer1::(private) before_export
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    pub predecessor: CommitmentHash,
    pub inbox_level: i32,
}
pub fn wanted_before_export(
    rollup: RollupAddress,
    last: CommitmentHash,
    mut lookup: impl FnMut(&CommitmentHash) -> Result<Option<Link>>,
) -> Result<Wanted> {}

// rollsnap_core::layer1::(private) inquiry
#[derive(Clone, Debug)]
pub struct Inquiry {}
impl Inquiry {
    pub const fn new(wanted: Wanted) -> Self {}
    pub fn ask_origination(&mut self, level: i32) {}
    pub fn published(&self) -> Option<&Outcome> {}
    pub fn cemented(&self) -> Option<&Result<Mark<CommitmentHash>>> {}
    pub fn originated(&self) -> Option<&Result<Option<Originated>>> {}
    pub fn progress(&self) -> Option<(u64, u64)> {}
}
impl Dialogue for Inquiry {}

// rollsnap_core::layer1::(private) origination
#[derive(Clone, Copy, Debug)]
pub struct Origination {
    pub level: i32,
    pub rollup: RollupAddress,
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Originated {
    pub boot_sector: Vec<u8>,
    pub protocol: Option<ProtocolHash>,
}
impl Question for Origination {}

// rollsnap_core::layer1::(private) outcome
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Published { at_level: i32 },
    NotPublished(Problem),
    CouldNotCheck(Problem),
}
impl Outcome {
    pub fn into_result(self) -> Result<()> {}
    pub fn check(&self) -> Check {}
    pub fn hindrance(&self) -> Option<&Problem> {}
}
pub fn above_savepoint(header_level: i32, savepoint: i32) -> Result<()> {}
pub fn is_postponed(header_level: i32, requested: Option<i32>) -> bool {}

// rollsnap_core::layer1::(private) peer
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {}
impl Peer {
    pub const L1: Self = Self {
        name: "L1 node",
        endpoint: Code::L1Endpoint,
        unreachable: Code::L1Unreachable,
        answer: Code::L1Answer,
    };
    pub const DAL: Self = Self {
        name: "DAL node",
        endpoint: Code::DalEndpoint,
        unreachable: Code::DalUnreachable,
        answer: Code::DalAnswer,
    };
    pub const PRE_IMAGES: Self = Self {
        name: "server of pre-images",
        endpoint: Code::PreImageEndpoint,
        unreachable: Code::PreImageServer,
        answer: Code::PreImageAnswer,
    };
    pub const fn name(self) -> &'static str {}
    pub const fn endpoint(self) -> Code {}
    pub fn unreachable(self, endpoint: &str, why: &str) -> Problem {}
    pub fn not_understood(self, endpoint: &str, why: &str) -> Problem {}
    pub fn too_long(self, endpoint: &str, most: u64) -> Problem {}
}

// rollsnap_core::layer1::(private) probes
pub const MAX_PROBES: u64 = 4096;

// rollsnap_core::layer1::(private) question
pub trait Question {
    /// What the answer has.
    type Value;
    fn path(&self) -> String;
    fn subject(&self) -> Subject;
    fn read(&self, body: &[u8]) -> Result<Self::Value>;
    fn unknown_commitment(&self) -> Option<Self::Value> {
        ..
    }
    fn request(&self) -> Request {
        ..
    }
    fn meaning(&self, answer: &Answer<'_>) -> Result<Self::Value> {
        ..
    }
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    Head,
    Level(i32),
}
#[derive(Clone, Copy, Debug)]
pub struct HeadLevel;
#[derive(Clone, Copy, Debug)]
pub struct Savepoint;
#[derive(Clone, Copy, Debug)]
pub struct ChallengeWindow {
    pub level: i32,
}
#[derive(Clone, Copy, Debug)]
pub struct CommitmentPeriod {
    pub level: i32,
}
#[derive(Clone, Copy, Debug)]
pub struct PublishedCommitment {
    pub at: At,
    pub rollup: RollupAddress,
    pub hash: CommitmentHash,
}
#[derive(Clone, Copy, Debug)]
pub struct LastCemented {
    pub at: At,
    pub rollup: RollupAddress,
}
#[derive(Clone, Copy, Debug)]
pub struct GenesisInfo {
    pub at: At,
    pub rollup: RollupAddress,
}
impl Question for HeadLevel {}
impl Question for Savepoint {}
impl Question for ChallengeWindow {}
impl Question for CommitmentPeriod {}
impl Question for PublishedCommitment {}
impl Question for LastCemented {}
impl Question for GenesisInfo {}
pub fn block_path(at: At, rest: &str) -> String {}
pub fn json<T: DeserializeOwned>(body: &[u8], path: &str) -> Result<T> {}

// rollsnap_core::layer1::(private) retry
pub const RETRIES: u32 = 3;
pub const PAUSE: Duration = Duration::from_millis(250);
pub const fn is_busy(status: u16) -> bool {}
pub fn pause_after(tries: u32, asked: Option<Duration>) -> Option<Duration> {}

// rollsnap_core::layer1::(private) search
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub rollup: RollupAddress,
    pub commitment: CommitmentHash,
    pub hint: i32,
}
impl From<&Header> for Wanted {}
#[derive(Clone, Debug)]
pub struct Search {}
impl Search {
    pub const fn new(wanted: Wanted) -> Self {}
    pub fn before_import(wanted: Wanted) -> Self {}
    pub fn outcome(&self) -> Option<&Outcome> {}
    pub fn into_outcome(self) -> Option<Outcome> {}
    pub fn progress(&self) -> Option<(u64, u64)> {}
}
impl Dialogue for Search {}

// rollsnap_core::members
pub const METADATA: &str = "metadata";
pub const DATABASE: &str = "store.sqlite";
pub const DATABASE_LOG: &str = "store.sqlite-wal";
pub const DATABASE_COMPANIONS: [&str; 3] = [
    DATABASE_LOG,
    "store.sqlite-shm",
    "store.sqlite-journal",
];
pub const CONTEXT: &str = "context";
pub const NDS: &str = "nds";
pub fn is_nds(name: &str) -> bool {}
pub const STORAGE: &str = "storage";
pub const VERSION: &str = "storage/version";
pub const LPC: &str = "storage/lpc";
pub const IRMIN_STORE: &str = "storage/irmin_store";
pub const PRE_IMAGES: [&str; 3] = [
    PvmKind::Wasm200.as_str(),
    PvmKind::Arith.as_str(),
    PvmKind::Riscv.as_str(),
];
pub const TOP_LEVEL: [&str; 7] = [
    METADATA,
    DATABASE,
    STORAGE,
    CONTEXT,
    PRE_IMAGES[0],
    PRE_IMAGES[1],
    PRE_IMAGES[2],
];
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PvmKind {
    Arith,
    Wasm200,
    Riscv,
}
impl PvmKind {
    pub const ALL: [Self; 3] = [Self::Arith, Self::Wasm200, Self::Riscv];
    pub const fn as_str(self) -> &'static str {}
}
impl fmt::Display for PvmKind {}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberKind<'n> {
    Metadata,
    Database,
    Version,
    IrminStore,
    Storage,
    Context(&'n str),
    PreImage(PvmKind, &'n str),
}
impl<'n> MemberKind<'n> {
    pub fn of(name: &'n str) -> Option<Self> {}
    pub const fn is_of_store(self) -> bool {}
}
pub fn below<'n>(directory: &str, name: &'n str) -> Option<&'n str> {}
pub fn in_context(name: impl fmt::Display) -> String {}
pub fn in_storage(name: impl fmt::Display) -> String {}

// rollsnap_core::nodes
pub fn in_words_of_mavkit(problem: Problem) -> Problem {}

// rollsnap_core::nodes::contents
pub fn other_commitment(head: &CommitmentHash, header: &CommitmentHash) -> Problem {}
pub fn unreadable(code: Code, what: &str, block: &BlockHash, level: i32) -> Problem {}
pub fn no_block_for_lcc(level: i32) -> Problem {}
pub fn unknown_block_for_lcc(block: &BlockHash, level: i32) -> Problem {}
pub fn no_commitment_for_lcc(block: &BlockHash, level: i32) -> Problem {}
pub fn other_lcc(
    found: &CommitmentHash,
    level: i32,
    expected: &CommitmentHash,
) -> Problem {}
pub fn commitment_hash(
    level: i32,
    computed: &CommitmentHash,
    stored: &CommitmentHash,
) -> Problem {}
pub fn genesis_state(level: i32, found: &StateHash, made: &StateHash) -> Problem {}
pub fn state_hash(level: i32, found: &StateHash, expected: &StateHash) -> Problem {}
pub fn commitment_level(level: i32, found: i32) -> Problem {}
pub fn previous_commitment(
    level: i32,
    found: &CommitmentHash,
    expected: &CommitmentHash,
) -> Problem {}
pub fn commitment_chain(
    level: i32,
    found: &CommitmentHash,
    expected: &CommitmentHash,
) -> Problem {}
pub fn inbox_hash(level: i32, computed: &InboxHash, stored: &InboxHash) -> Problem {}

// rollsnap_core::nodes::export
pub fn retired_version(version: i64) -> Problem {}
pub fn incompatible_version(version: impl Display, expected: &str) -> Problem {}
pub fn outdated_version(version: impl Display) -> Problem {}
pub fn unversioned_store() -> Problem {}
pub fn no_metadata(shown: &str) -> Problem {}
pub fn context_version(version: i64) -> Problem {}
pub fn missing_migrations(count: usize) -> Problem {}
pub fn unknown_migrations(count: usize, known: usize) -> Problem {}
pub fn no_head() -> Problem {}
pub fn no_context() -> Problem {}
pub fn level_request(text: &str) -> Problem {}
pub fn no_finalized_block() -> Problem {}
pub fn no_cemented_commitment() -> Problem {}
pub fn level_above_head(level: i32, head: i32) -> Problem {}
pub fn level_below_first(level: i32, first: i32) -> Problem {}
pub fn no_block_at_target(level: i32) -> Problem {}
pub fn no_mode(shown: &str) -> Problem {}
pub fn head_context(level: i32) -> Problem {}
pub fn commitment_not_stored(hash: &CommitmentHash) -> Problem {}

// rollsnap_core::nodes::import
pub fn populated(data_dir: impl Display) -> Problem {}
pub fn node_is_running(lock: impl Display) -> Problem {}
pub fn cannot_open(code: Code, file: impl Display, reason: impl Display) -> Problem {}
pub fn other_rollup(
    existing: &RollupAddress,
    what: &str,
    rollup: &RollupAddress,
) -> Problem {}
pub fn full_into_archive() -> Problem {}
pub fn archive_into_full() -> Problem {}
pub fn level_above_header(header: i32, level: i32) -> Problem {}
pub fn already_at_level(existing: i32, header: i32) -> Problem {}
pub fn below_savepoint(header: i32, savepoint: i32) -> Problem {}
pub fn not_published(cause: String) -> Problem {}
pub fn not_located(
    commitment: &CommitmentHash,
    rollup: &RollupAddress,
    (start, head): (i32, i32),
    step: i32,
) -> String {}
pub fn level_request(text: &str) -> Problem {}
pub fn no_block_at(level: i32) -> Problem {}
pub fn no_commitment(hash: &CommitmentHash) -> Problem {}

// rollsnap_core::problem
#[derive(Clone)]
pub struct Problem(_);
pub type Result<T, E = Problem> = core::result::Result<T, E>;
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Place {
    Stream(u64),
    File(u64),
    Context(u64),
    Level(i32),
    Path(String),
}
impl Problem {
    pub fn new(code: Code) -> Self {}
    pub fn damaged_store(path: &str, what: &str) -> Self {}
    pub fn headline(mut self, text: impl Into<String>) -> Self {}
    pub fn breaks(mut self, rule: Rule, words: impl Into<String>) -> Self {}
    pub fn at(mut self, place: Place) -> Self {}
    pub fn path(self, path: impl ToString) -> Self {}
    pub fn member(mut self, name: impl Into<String>) -> Self {}
    pub fn expected(mut self, what: impl ToString) -> Self {}
    pub fn found(mut self, what: impl ToString) -> Self {}
    pub fn because(mut self, cause: impl ToString) -> Self {}
    pub fn caused_by(mut self, error: impl Error + Send + Sync + 'static) -> Self {}
    pub fn code(&self) -> Code {}
    pub fn place(&self) -> Option<&Place> {}
    pub fn member_name(&self) -> Option<&str> {}
    pub fn expected_text(&self) -> Option<&str> {}
    pub fn found_text(&self) -> Option<&str> {}
    pub fn cause(&self) -> Option<&str> {}
    pub fn rule(&self) -> Option<Rule> {}
    pub fn advice(&self) -> &'static str {}
    pub fn details(&self) -> Vec<String> {}
    pub fn sentence(&self) -> String {}
    pub fn title(&self) -> &str {}
}
impl fmt::Display for Problem {}
impl fmt::Debug for Problem {}
impl Error for Problem {}
impl PartialEq for Problem {}
impl Eq for Problem {}
impl fmt::Display for Place {}

// rollsnap_core::pvm
pub use engine::{Engine, Host, Memory};
pub use function::{HostFunction, Value, ValueType};
pub use genesis::Constants;
pub use machine::{LevelOutcome, Machine};
pub use migration::Family;
pub use origination::Origination;
pub use output::messages as outbox;
pub use phase::Phase;
pub use reveal::{
    DalPage, DalParameters, Request, Reveal, Revealed, Rollup, SharedReveal,
};
pub use run::Ran;
pub use version::Version;
pub use view::StateView;

// rollsnap_core::pvm::engine
pub trait Memory {
    fn len(&self) -> u64;
    fn is_empty(&self) -> bool {
        ..
    }
    fn read(&self, at: u64, out: &mut [u8]) -> Result<(), OutOfBounds>;
    fn write(&mut self, at: u64, bytes: &[u8]) -> Result<(), OutOfBounds>;
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfBounds;
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Halt;
pub trait Host {
    fn call(
        &mut self,
        function: HostFunction,
        args: &[Value],
        memory: Option<&mut dyn Memory>,
    ) -> Result<Option<Value>, Halt>;
}
pub type SharedHost = Rc<RefCell<dyn Host>>;
pub trait Engine {
    fn name(&self) -> &str;
    fn run(&mut self, kernel: &Kernel, host: SharedHost) -> Result<Ended>;
    fn deeper(&mut self, kernel: &Kernel) -> Option<&mut dyn Engine> {
        ..
    }
}
pub const fn frames(version: Version) -> usize {}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    Returned,
    Trapped(Trap),
    NotInstantiated(Uninstantiable),
    NoEntry,
    Halted,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uninstantiable {
    Segment,
    Start(Trap),
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trap {
    Unreachable,
    MemoryOutOfBounds,
    DivisionByZero,
    IntegerOverflow,
    IndirectCallType,
    TableOutOfBounds,
    NullElement,
    StackOverflow,
}
impl Trap {
    pub const fn words(self) -> &'static str {}
}
#[derive(Clone, Debug)]
pub struct Kernel {
    pub bytes: Arc<[u8]>,
    pub hash: [u8; 32],
    pub version: Version,
    pub memory: Arc<str>,
    pub start: Option<Arc<str>>,
    pub entry: Entry,
    pub deep_frames: usize,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    Function,
    Parameters,
    Missing,
}
impl Entry {
    pub const fn words(self) -> &'static str {}
}
#[derive(Clone, Debug)]
pub enum Admission {
    Admitted(Kernel),
    Invalid(Invalid),
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invalid {
    Missing,
    Magic,
    Float,
    Import,
    ImportType,
    NoMemory,
    Uninstantiable(Uninstantiable),
    StartCalledHost,
}
impl Invalid {
    pub const fn words(self) -> &'static str {}
}

// rollsnap_core::pvm::function
pub const MODULE: &str = "smart_rollup_core";
pub const ENTRY: &str = "kernel_run";
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueType {
    I32,
    I64,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    I32(i32),
    I64(i64),
}
impl Value {
    pub const fn kind(self) -> ValueType {}
}

// rollsnap_core::pvm::genesis
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Constants {
    pub version: Version,
    pub max_nb_ticks: u64,
    pub outbox_validity_period: i32,
    pub outbox_message_limit: u64,
}
impl Constants {
    pub const fn early(version: Version) -> Self {}
    pub const fn late(version: Version) -> Self {}
    pub fn of_protocol(protocol: &ProtocolHash) -> Option<Self> {}
}

// rollsnap_core::pvm::kernel
pub use selects::counted_selects;
pub const MAX_BYTES: usize = 64 << 20;
pub fn admit(value: Option<&[u8]>, version: Version) -> Result<Admission> {}

// rollsnap_core::pvm::kernel::(private) selects
pub fn counted_selects(bytes: &[u8]) -> problem::Result<Vec<u8>> {}

// rollsnap_core::pvm::kernel::watched
pub const MEMORY: i32 = 1;
pub const DEPTH: i32 = 2;
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    pub bytes: Vec<u8>,
    pub flag: String,
}
pub fn watched(bytes: &[u8], frames: u32) -> problem::Result<Watched> {}

// rollsnap_core::pvm::machine
#[derive(Clone, Debug)]
pub struct Machine {}
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LevelOutcome {
    pub initial_tick: u128,
    pub num_ticks: u128,
    pub outbox: Option<Vec<Vec<u8>>>,
    pub revealed: Vec<Revealed>,
    pub runs: Vec<Ran>,
    pub phase: Phase,
}
impl Machine {
    pub fn genesis(
        boot_sector: &[u8],
        constants: &Constants,
        rollup: Rollup,
        family: Family,
    ) -> Result<Self> {}
    pub fn patch_genesis(&mut self) -> Result<()> {}
    pub fn load(tree: Tree, rollup: Rollup, family: Family) -> Result<Self> {}
    pub fn tree(&self) -> &Tree {}
    pub fn state_hash(&self) -> Result<StateHash> {}
    pub fn committed(&mut self) -> Result<()> {}
    pub fn shrink(&mut self, objects: &ObjectStore, budget: u64) -> Result<bool> {}
    pub fn current_tick(&self) -> u128 {}
    pub fn phase(&self) -> Phase {}
    pub fn version(&self) -> Result<Version> {}
    pub fn level<M: AsRef<[u8]>>(
        &mut self,
        level: i32,
        messages: &[M],
        engine: &mut dyn Engine,
        reveal: &SharedReveal,
        feedback: &dyn Feedback,
    ) -> Result<LevelOutcome> {}
}

// rollsnap_core::pvm::migration
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    Octez,
    Mavkit,
}
impl Family {
    pub fn of_protocol(protocol: &ProtocolHash) -> Option<Self> {}
}
pub fn unknown_migration(message: &[u8], family: Family) -> Option<&[u8]> {}

// rollsnap_core::pvm::origination
pub const MAX_BOOT_SECTOR: u64 = 4 << 20;
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origination {
    pub rollup: Rollup,
    pub commitment: CommitmentHash,
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts {
    pub boot_sector: Vec<u8>,
    pub constants: Constants,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Confirmed {
    pub boot_sector: usize,
    pub constants: Constants,
}
impl Parts {
    pub fn read(tree: &Tree) -> Result<Self> {}
}
impl Origination {
    pub fn judge_state(&self, state: StateHash, parts: &Parts) -> Result<Confirmed> {}
    pub fn judge_boot_sector(
        &self,
        boot_sector: &[u8],
        protocol: Option<&ProtocolHash>,
        state: Option<StateHash>,
        constants: Option<Constants>,
    ) -> Result<Option<Confirmed>> {}
}
impl Confirmed {
    pub fn words(&self) -> String {}
}

// rollsnap_core::pvm::(private) output
pub fn messages(tree: &Tree, level: i32) -> Result<Option<Vec<Vec<u8>>>> {}

// rollsnap_core::pvm::pages
pub fn named_by(page: &[u8]) -> Vec<[u8; 32]> {}

// rollsnap_core::pvm::(private) phase
impl Phase {
    pub fn parse(text: &[u8]) -> Option<Self> {}
    pub const fn between_blocks(self) -> bool {}
}
impl fmt::Display for Phase {}
impl Serialize for Phase {}

// rollsnap_core::pvm::reveal
pub const MAX_PRE_IMAGE: usize = 4096;
pub trait Reveal {
    fn pre_image(&mut self, hash: &[u8; 32]) -> Result<Bytes>;
    fn dal_parameters(&mut self, level: i32) -> Result<DalParameters>;
    fn dal_page(&mut self, level: i32, page: DalPage) -> Result<Bytes>;
}
pub type SharedReveal = Rc<RefCell<dyn Reveal>>;
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DalParameters {
    pub number_of_slots: i64,
    pub attestation_lag: i64,
    pub slot_size: i64,
    pub page_size: i64,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DalPage {
    pub published_level: i32,
    pub slot: u8,
    pub page: i16,
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    PreImage([u8; 32]),
    Metadata,
    DalPage(DalPage),
    DalParameters,
    AdaptiveDalPage,
    Malformed,
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revealed {
    pub request: Vec<u8>,
    pub answer: Bytes,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rollup {
    pub address: RollupAddress,
    pub origination_level: i32,
}
impl Request {
    pub fn parse(bytes: &[u8]) -> Self {}
}
pub fn unavailable(what: impl core::fmt::Display) -> Problem {}

// rollsnap_core::pvm::(private) run
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ran {
    Returned,
    Trapped(Trap),
    Recovered(Invalid),
}

// rollsnap_core::pvm::version
pub const VERSION_KEY: &str = "/readonly/wasm_version";
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    V0,
    V1,
    V2,
    V3,
    V4,
    V5,
    V6,
}
impl Version {
    pub const ALL: [Self; 7] = [
        Self::V0,
        Self::V1,
        Self::V2,
        Self::V3,
        Self::V4,
        Self::V5,
        Self::V6,
    ];
    pub const fn as_str(self) -> &'static str {}
    pub fn parse(text: &[u8]) -> Option<Self> {}
}
impl fmt::Display for Version {}
impl Serialize for Version {}

// rollsnap_core::pvm::view
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StateView {
    pub version: Option<String>,
    pub phase: Phase,
    pub stuck: Option<String>,
    pub current_tick: String,
    pub last_top_level_call: String,
    pub max_nb_ticks: String,
    pub reboot_counter: u64,
    pub maximum_reboots_per_input: u64,
    pub last_message: Option<MessageView>,
    pub waiting_messages: usize,
    pub outbox: OutboxView,
    pub kernel: Option<KernelView>,
    pub fallback_kernel: Option<KernelView>,
    pub flags: Flags,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct MessageView {
    pub level: i32,
    pub counter: u64,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct OutboxView {
    pub last_level: Option<i32>,
    pub validity_period: i32,
    pub message_limit: u64,
}
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KernelView {
    pub size: u64,
    pub blake2b: Option<String>,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Flags {
    pub reboot: bool,
    pub stuck: bool,
    pub upgrade_error: bool,
    pub too_many_reboot: bool,
}
impl StateView {
    pub fn read(tree: &Tree) -> Result<Self> {}
}

// rollsnap_core::read_at
pub trait ReadAt {
    fn len(&self) -> u64;
    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<()>;
    fn expect(&self, _offset: u64, _len: u64) {
        ..
    }
    fn is_empty(&self) -> bool {
        ..
    }
}
pub trait Files {
    /// A file.
    type File: ReadAt;
    fn open(&self, name: &str) -> Result<Option<Self::File>>;
    fn names(&self, directory: &str) -> Result<Vec<String>>;
}
impl<'a, R: ReadAt> Files for &'a BTreeMap<String, R> {}
impl<T: Files + ?Sized> Files for &T {}
impl<R: ReadAt + ?Sized> ReadAt for &R {}
impl ReadAt for [u8] {}

// rollsnap_core::remote
pub use answer::{Answer, status};
pub use identity::{Fitting, Identity, Opening, Validator};
pub use manifest::{LONGEST_MANIFEST, Manifest, Published};
pub use retry::{LONGEST_PAUSE, is_passing, pause};
pub const FIRST: u64 = 64 << 10;

// rollsnap_core::remote::(private) answer
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answer<'a> {
    pub status: u16,
    pub content_range: Option<&'a str>,
    pub content_length: Option<u64>,
    pub content_encoding: Option<&'a str>,
    pub etag: Option<&'a str>,
    pub last_modified: Option<&'a str>,
    pub x_goog_generation: Option<&'a str>,
    pub x_amz_version_id: Option<&'a str>,
}
pub fn status(status: u16) -> Problem {}

// rollsnap_core::remote::(private) identity
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Validator {
    Etag(String),
    Generation(String),
    Version(String),
    Modified(String),
    None,
}
impl Validator {
    pub fn of(answer: &Answer<'_>) -> Self {}
    pub fn is_strong(&self) -> bool {}
    pub fn if_range(&self) -> Option<&str> {}
}
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    pub len: u64,
    pub validator: Validator,
    pub encoding: Option<String>,
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opening {
    Ranges(Identity),
    Whole(Option<u64>),
    Empty,
}
impl Opening {
    pub fn of(answer: &Answer<'_>) -> Result<Self> {}
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fitting {
    pub skip: u64,
    pub len: u64,
}
impl Identity {
    pub fn accept(&self, asked: &Range<u64>, answer: &Answer<'_>) -> Result<Fitting> {}
}

// rollsnap_core::remote::(private) manifest
pub const LONGEST_MANIFEST: usize = 1 << 20;
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Published {
    pub url: Option<String>,
    pub mirrors: Vec<String>,
    pub len: Option<u64>,
    pub sha256: Option<String>,
    pub extracted: Option<u64>,
}
#[derive(Clone, Debug)]
pub struct Manifest {}
impl Manifest {
    pub fn parse(text: &[u8]) -> Result<Self> {}
    pub fn of(&self, url: Option<&str>, name: Option<&str>) -> Result<Published> {}
}

// rollsnap_core::remote::(private) retry
pub const LONGEST_PAUSE: Duration = Duration::from_secs(30);
pub const fn is_passing(status: u16, served: bool) -> bool {}
pub fn pause(tries: u32, asked: Option<Duration>) -> Duration {}

// rollsnap_core::replay
pub use available::{Available, no_start};
pub use dal::DalConstants;
pub use differences::differences;
pub use levels::statuses;
pub use memory::{Gathering, MemberFile, MemberFiles, MemoryReplay};
pub use outbox::{Habit, Names, Outbox};
pub use outcome::{BlockRun, Outcome};
pub use recorded::Recorded;
pub use records::{Blocks, OfDatabase, OfFiles, Records, checked, protocols};
pub use reveals::{Attestation, Levels, Pages, PreImageSource, Reveals};
pub use run::{Commits, Origin, Reached, Replay};

// rollsnap_core::replay::(private) available
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Available(_);
impl Available {
    pub fn read<F: Files>(
        store: &impl Rows,
        context: &Context<F>,
        head: i32,
        checked: bool,
        feedback: &dyn Feedback,
    ) -> Result<Self> {}
    pub fn all(&self) -> &[(i32, Entry)] {}
    pub fn first(&self) -> i32 {}
    pub fn at_or_below(&self, level: i32) -> Option<usize> {}
    pub fn check(&self, lowest: i32, most: i32, head: i32) -> Result<()> {}
}
pub fn no_start(level: i32) -> Problem {}

// rollsnap_core::replay::(private) dal
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DalConstants {
    pub active_since: Option<i32>,
    pub number_of_slots: u16,
    pub attestation_lag: u16,
    pub slot_size: u32,
    pub page_size: u16,
    pub validity_lag: u32,
}
impl DalConstants {
    pub fn of_protocol(protocol: &ProtocolHash) -> Option<Self> {}
    pub fn settled_at(&self, published_level: i32) -> Option<i32> {}
    pub fn pages(&self) -> u32 {}
    pub fn may_import(&self, page: &DalPage, origination: i32, level: i32) -> bool {}
}

// rollsnap_core::replay::(private) differences
pub fn differences(recorded: &Tree, computed: &Tree) -> Result<Option<String>> {}

// rollsnap_core::replay::(private) levels
pub fn statuses(files: &impl Files) -> Result<BTreeMap<(BlockHash, u8), bool>> {}

// rollsnap_core::replay::(private) memory
#[derive(Debug)]
pub struct Gathering {}
impl Gathering {
    pub fn new(most: u64) -> Self {}
    #[must_use]
    pub fn spilling(self, space: Box<dyn Scratch>, memory: u64) -> Self {}
    pub fn take(&mut self, event: &Event<'_>) {}
    pub fn check(&self) -> Result<()> {}
    pub fn finish(self) -> Result<MemberFiles> {}
}
#[derive(Clone, Debug)]
pub struct MemberFiles {}
#[derive(Clone, Debug)]
pub struct MemberFile(_);
impl PreImageSource for MemberFiles {}
impl Files for MemberFiles {}
impl ReadAt for MemberFile {}
pub struct MemoryReplay {}
impl MemoryReplay {
    pub fn begin(
        files: MemberFiles,
        levels: &dyn Fn(i32, i32) -> (i32, i32),
        feedback: &dyn Feedback,
    ) -> Result<Self> {}
    pub fn reveals(&self) -> impl Reveal + 'static {}
    pub fn step(
        &mut self,
        engine: &mut dyn Engine,
        reveal: &SharedReveal,
        feedback: &dyn Feedback,
    ) -> Option<BlockRun> {}
    pub fn outcome(&self) -> &Outcome {}
    pub fn state_hash(&self) -> Result<StateHash> {}
}
impl core::fmt::Debug for MemoryReplay {}

// rollsnap_core::replay::(private) outbox
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outbox {
    NotRecorded,
    Nothing,
    Messages(String),
}
impl Outbox {
    pub fn absent(level: i32, first: Option<i32>) -> Self {}
    pub fn lacks<M>(&self, messages: &[M]) -> bool {}
    pub fn is_left<M>(&self, messages: &[M], state: bool) -> bool {}
    pub fn names<M: AsRef<[u8]>>(&self, messages: &[M]) -> Option<Names> {}
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    All,
    Readable,
}
#[derive(Clone, Copy, Debug, Default)]
pub struct Habit(_);
impl Habit {
    pub fn check(&mut self, level: i32, names: Option<Names>) -> Result<(), Problem> {}
}

// rollsnap_core::replay::(private) outcome
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BlockRun {
    pub level: i32,
    pub initial_tick: u128,
    pub ticks: u128,
    pub runs: u64,
    pub phase: Phase,
    pub has_context: bool,
    pub has_state: bool,
    pub has_commitment: bool,
    pub has_outbox: bool,
    pub lacks_outbox: bool,
    pub left_outbox: bool,
    pub names: Option<Names>,
    pub time: Duration,
}
impl BlockRun {
    pub fn of(recorded: &Recorded<'_>, outcome: &LevelOutcome, time: Duration) -> Self {}
}
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Outcome {
    pub first: i32,
    pub head: i32,
    pub head_block: Option<BlockHash>,
    pub share: Option<(i32, i32)>,
    pub of: u64,
    pub planned: u64,
    pub blocks: u64,
    pub ticks: u128,
    pub runs: u64,
    pub contexts: u64,
    pub states: u64,
    pub commitments: u64,
    pub outboxes: u64,
    pub outboxes_missing: u64,
    pub outboxes_left: u64,
    pub stopped: Option<Problem>,
    pub time: Duration,
}
impl Outcome {
    pub fn new(first: i32, head: &Block, planned: u64) -> Self {}
    pub fn count(&mut self, run: &BlockRun) {}
    pub fn info(&self, scope: String, share: Option<(u32, u32)>) -> ReplayInfo {}
    pub fn is_complete(&self) -> bool {}
}

// rollsnap_core::replay::(private) recorded
#[derive(Clone, Debug)]
pub struct Recorded<'a> {
    pub entry: Entry<'a>,
    pub previous_tick: Option<u128>,
    pub status: Option<Vec<u8>>,
    pub outbox: Outbox,
}
impl<'a> Recorded<'a> {
    pub fn level(&self) -> i32 {}
    pub fn messages(&self) -> Result<&[&'a [u8]]> {}
}

// rollsnap_core::replay::(private) records
pub trait Blocks {
    fn at(&mut self, level: i32) -> Result<Recorded<'_>>;
}
pub fn protocols<R: ReadAt>(store: &Opened<Store<'_, R>, R>) -> Result<Vec<Protocol>> {}
pub enum Records<'s, R> {
    Database(Box<OfDatabase<'s, R>>),
    Files(OfFiles<'s, R>),
}
impl<'s, R: ReadAt> Records<'s, R> {
    pub fn new(store: &'s Opened<Store<'s, R>, R>) -> Result<Self> {}
}
impl<R: ReadAt> Blocks for Records<'_, R> {}
pub struct OfDatabase<'s, R> {}
pub struct OfFiles<'s, R> {}
impl<'s, R: ReadAt> OfFiles<'s, R> {
    pub fn new(store: &'s v4::Store<R>) -> Self {}
    pub fn ticks(&self, level: i32) -> Result<Option<(u128, u128)>> {}
}
impl<R: ReadAt> Blocks for OfFiles<'_, R> {}
pub fn checked(entry: Stored<Entry<'_>>, level: i32) -> Result<Entry<'_>> {}

// rollsnap_core::replay::refusal
pub fn kind(metadata: &Metadata) -> Result<()> {}
pub fn nds(files: &impl Files) -> Result<()> {}
pub fn protocols(
    metadata: &Metadata,
    protocols: &[Protocol],
    spans: &[(i32, i32)],
) -> Result<Origin> {}
pub fn migrations(
    protocols: &[Protocol],
    spans: &[(i32, i32)],
    family: Family,
    blocks: &mut dyn Blocks,
) -> Result<()> {}
pub fn protocol_at(protocols: &[Protocol], level: i32) -> Option<&Protocol> {}

// rollsnap_core::replay::(private) reveals
pub trait PreImageSource {
    fn read(&self, hash: &[u8; 32]) -> Result<Bytes>;
}
pub trait Levels {
    fn dal_constants(&mut self, level: i32) -> Result<Option<DalConstants>>;
    fn is_attested(&mut self, published_level: i32, slot: u8) -> Result<Option<bool>>;
}
pub trait Pages {
    fn status(&mut self, published_level: i32, slot: u8) -> Result<Option<Attestation>>;
    fn page(&mut self, page: &DalPage, constants: &DalConstants) -> Result<Bytes>;
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attestation {
    No,
    Yes,
    After(u16),
}
pub struct Reveals<L> {}
impl<L: Levels> Reveals<L> {
    pub fn new(
        pre_images: impl PreImageSource + 'static,
        rollup: Rollup,
        levels: L,
    ) -> Self {}
    #[must_use]
    pub fn with_pages(mut self, pages: impl Pages + 'static) -> Self {}
}
impl<L: Levels> Reveal for Reveals<L> {}
impl<L: fmt::Debug> fmt::Debug for Reveals<L> {}

// rollsnap_core::replay::(private) run
pub trait Commits: Send {
    fn objects(&self) -> Arc<ObjectStore>;
    fn commit(&mut self, reached: &Reached<'_>) -> Result<()>;
}
#[derive(Clone, Copy, Debug)]
pub struct Reached<'r> {
    pub level: i32,
    pub hash: ContextHash,
    pub author: &'r [u8],
    pub root: &'r Tree,
    pub root_hash: &'r [u8; 32],
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    pub rollup: Rollup,
    pub family: Family,
}
#[derive(Clone, Debug)]
pub struct Replay {}
impl Replay {
    pub fn begin(commit: &Commit, root: Tree, origin: Origin) -> Result<Self> {}
    pub fn check(&self, recorded: &Recorded<'_>) -> Result<()> {}
    pub fn machine(&self) -> &Machine {}
    pub fn block(
        &mut self,
        recorded: &Recorded<'_>,
        engine: &mut dyn Engine,
        reveal: &SharedReveal,
        feedback: &dyn Feedback,
        commits: Option<&mut dyn Commits>,
    ) -> Result<LevelOutcome> {}
    #[must_use]
    pub fn explain(&self, problem: Problem, recorded: &Tree) -> Problem {}
    #[must_use]
    pub fn explained<F: Files>(
        &self,
        problem: Problem,
        recorded: &Recorded<'_>,
        context: &Context<F>,
        objects: &Arc<ObjectStore>,
        feedback: &dyn Feedback,
    ) -> Problem {}
    pub fn shrink(&mut self, objects: &ObjectStore, budget: u64) -> Result<bool> {}
    pub fn state_hash(&self) -> Result<StateHash> {}
    #[must_use]
    pub fn at(level: i32, problem: Problem) -> Problem {}
}

// rollsnap_core::report
pub use context::{ContextStats, HeadStats, Subtree};
pub use evidence::Evidence;
pub use merge::{Named, merge};
pub use problems::Problems;
pub use remote::{RemoteInfo, SourceInfo};
pub use replay::{ReplayInfo, Share};
pub use share::{ContextShare, ShareInfo};
pub use store::StoreInfo;
pub use tally::Tally;
pub const SCHEMA: &str = "rollsnap.report/1";
pub const MAX_CHECKS: usize = 1000;
pub const MAX_LISTED: usize = 1 << 17;
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    pub header: Option<Header>,
    pub container: Container,
    pub members: Members,
    pub context: Option<ContextStats>,
    pub store: Option<StoreInfo>,
    pub replay: Option<ReplayInfo>,
    pub share: Option<ShareInfo>,
    pub remote: Option<RemoteInfo>,
    pub verdicts: Verdicts,
    pub checks: Vec<Check>,
    pub checks_left_out: u64,
}
impl Serialize for Schema {}
impl<'de> Deserialize<'de> for Schema {}
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    pub compression: Option<Compression>,
    pub compressed_bytes: Option<u64>,
    pub bytes: Option<u64>,
    pub sha256: Option<String>,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Compression {
    Gzip,
    None,
}
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Members {
    pub count: Option<u64>,
    pub bytes: Option<u64>,
    pub complete: bool,
    pub list: Option<Vec<MemberEntry>>,
    pub list_left_out: u64,
}
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberEntry {
    pub name: String,
    pub size: u64,
    pub mode: u32,
    pub mtime: u64,
    pub offset: u64,
    pub sha256: Option<String>,
}
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdicts {
    pub intact: Verdict,
    pub consistent: Verdict,
    pub anchored: Verdict,
    pub replayed: Option<Verdict>,
}
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    Yes,
    No,
    Unknown,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    Yes,
    No,
    Unknown,
    Warning,
}
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    pub code: Code,
    pub status: Status,
    pub at: Option<Place>,
    pub member: Option<String>,
    pub expected: Option<String>,
    pub found: Option<String>,
    pub text: String,
}
impl Report {
    pub fn is_compact(&self) -> bool {}
    pub fn is_partly_compact(&self) -> bool {}
    pub fn new() -> Self {}
    pub fn add(&mut self, check: Check) {}
    pub fn anchor(&mut self, check: Check) {}
    pub fn failures(&self) -> impl Iterator<Item = &Check> {}
    pub fn hindered(&self) -> impl Iterator<Item = &Check> {}
}
impl Default for Report {}
impl Check {
    pub fn of(problem: &Problem) -> Self {}
    pub fn warning(problem: &Problem) -> Self {}
    pub fn yes(code: Code, text: impl Into<String>) -> Self {}
    pub fn open(problem: &Problem) -> Self {}
    pub fn unknown(code: Code, why: impl Into<String>) -> Self {}
    pub fn is_hindered(&self) -> bool {}
}
impl Verdict {
    #[must_use]
    pub const fn anchored_by(self, code: Code, status: Status) -> Self {}
    pub const fn words(self) -> &'static str {}
}

// rollsnap_core::report::(private) context
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContextStats {
    pub objects: Tally,
    pub contents: Tally,
    pub directories: Tally,
    pub inner: Tally,
    pub commits: Tally,
    pub inner_depth: u64,
    pub head: Option<HeadStats>,
}
impl ContextStats {
    pub fn words(&self) -> String {}
}
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadStats {
    pub objects: Tally,
    pub content_bytes: u64,
    pub depth: u64,
    pub largest: u64,
    pub subtrees: Vec<Subtree>,
    pub subtrees_left_out: bool,
}
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subtree {
    pub path: String,
    pub depth: u64,
    pub objects: Tally,
}

// rollsnap_core::report::(private) evidence
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    pub problems: Problems,
    pub checks: Vec<Check>,
}
impl Evidence {
    pub fn merge(&mut self, other: Self) {}
    pub fn keep_first_problem(&mut self) {}
    pub fn refuse(self) -> Result<Vec<Check>> {}
    pub fn require(self, report: &mut Report) -> Result<()> {}
    pub fn conclude(self, report: &mut Report, whole: bool) {}
}
impl From<Problem> for Evidence {}
impl From<Check> for Evidence {}

// rollsnap_core::report::(private) merge
pub type Named = (String, Report);
pub fn merge(reports: Vec<Named>) -> Result<Report> {}

// rollsnap_core::report::(private) problems
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems {}
impl Problems {
    pub fn push(&mut self, problem: Problem) {}
    pub fn append(&mut self, other: Self) {}
    pub fn is_empty(&self) -> bool {}
    pub fn count(&self) -> u64 {}
    pub fn count_of(&self, code: Code) -> u64 {}
    pub fn left_out(&self) -> u64 {}
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {}
    pub fn codes(&self) -> impl Iterator<Item = Code> {}
    pub fn map(self, words: impl FnMut(Problem) -> Problem) -> Self {}
    pub fn forget(&mut self, code: Code) {}
    pub fn keep_first(&mut self) {}
    pub fn take_foremost(&mut self) -> Option<Problem> {}
}
impl Extend<Problem> for Problems {}
impl FromIterator<Problem> for Problems {}

// rollsnap_core::report::(private) remote
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RemoteInfo {
    pub url: String,
    pub final_url: String,
    pub ranges: bool,
    pub validator: Option<Validator>,
    pub bytes_received: u64,
    pub requests: u64,
    pub retries: u64,
    pub time_ms: u64,
    pub sources: Vec<SourceInfo>,
}
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SourceInfo {
    pub url: String,
    pub final_url: String,
    pub bytes_received: u64,
    pub requests: u64,
    pub retries: u64,
    pub dropped: Option<String>,
    pub damaged: Option<String>,
}
impl SourceInfo {
    pub fn new(url: String, final_url: String) -> Self {}
}
impl RemoteInfo {
    pub fn new(url: String, final_url: String) -> Self {}
}

// rollsnap_core::report::(private) replay
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayInfo {
    pub scope: String,
    pub first_level: i32,
    pub head_level: i32,
    pub head: BlockHash,
    pub of: u64,
    pub planned: u64,
    pub blocks: u64,
    pub ticks: String,
    pub runs: u64,
    pub contexts: u64,
    pub states: u64,
    pub commitments: u64,
    pub outboxes: u64,
    pub outboxes_missing: u64,
    pub outboxes_left: u64,
    pub share: Option<Share>,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    pub number: u32,
    pub of: u32,
    pub first_level: i32,
    pub last_level: i32,
}
impl ReplayInfo {
    pub fn conclude(self, stopped: Option<&Problem>, report: &mut Report) {}
    pub fn refuse(problem: &Problem, report: &mut Report) {}
    pub fn words(&self) -> String {}
}

// rollsnap_core::report::(private) share
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareInfo {
    pub number: u32,
    pub of: u32,
    pub holds: Verdict,
    pub context: Option<ContextShare>,
}
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContextShare {
    pub files: String,
    pub bytes: u64,
    pub first: u64,
    pub end: u64,
    pub whole: bool,
}
impl ShareInfo {
    pub const fn new(number: u32, of: u32) -> Self {}
    pub fn conclude(mut self, evidence: Evidence, report: &mut Report, whole: bool) {}
}
impl ContextShare {
    pub fn words(&self, number: u32, of: u32, stats: &ContextStats) -> String {}
}

// rollsnap_core::report::(private) store
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreInfo {
    pub version: u8,
    pub writers: Cow<'static, str>,
    pub history_mode: Option<HistoryMode>,
    pub first_level: Option<i32>,
    pub head_level: Option<i32>,
    pub finalized_level: Option<i32>,
    pub last_cemented: Option<CommitmentHash>,
    pub last_cemented_level: Option<i32>,
}

// rollsnap_core::report::(private) tally
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    pub count: u64,
    pub bytes: u64,
}
impl core::iter::Sum for Tally {}

// rollsnap_core::scratch
pub trait Scratch: core::fmt::Debug + Send + Sync {
    fn write_at(&mut self, position: u64, bytes: &[u8]) -> Result<()>;
    fn read_at(&self, position: u64, out: &mut [u8]) -> Result<()>;
}
#[derive(Clone, Debug)]
pub struct InMemory {}
impl InMemory {
    pub const fn new(most: usize) -> Self {}
}
impl Default for InMemory {}
impl Scratch for InMemory {}

// rollsnap_core::shown
pub fn shown(text: &str) -> Cow<'_, str> {}
pub fn is_plain(char: char) -> bool {}

// rollsnap_core::snapshot
pub use beginning::{Beginning, read_header};
pub use content::{ContentInspector, LEFT_OUT};
pub use event::Event;
pub use inspector::{Inspector, Options};
pub use unpacker::Unpacker;
pub use writer::{NewMember, Packing, Writer};

// rollsnap_core::snapshot::(private) archive
impl MemberEntry {
    pub fn new(member: &tar::Member, sha256: Option<&[u8; 32]>) -> Self {}
}

// rollsnap_core::snapshot::(private) beginning
pub fn read_header(first: &[u8]) -> Result<Header> {}
#[derive(Clone, Debug, Default)]
pub struct Beginning {}
impl Beginning {
    pub fn hear(&mut self, event: Event<'_>) -> Result<(), Infallible> {}
    pub fn is_open(&self) -> bool {}
    pub fn header(&self) -> Option<&Header> {}
    pub fn into_header(self) -> Result<Header> {}
}

// rollsnap_core::snapshot::(private) content
pub struct ContentInspector {}
pub const LEFT_OUT: &str = "not checked: the contents of members that were not read";
impl ContentInspector {
    pub fn new(options: Options) -> Self {}
    pub fn compressed(&mut self, compression: Compression) {}
    pub fn read(&mut self, bytes: u64) {}
    pub fn feed<E>(
        &mut self,
        content: &[u8],
        sink: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<(), E> {}
    pub fn damaged<E>(
        &mut self,
        problem: &Problem,
        sink: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<(), E> {}
    pub fn summed<E>(
        &mut self,
        found: String,
        expected: Option<&str>,
        sink: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<(), E> {}
    pub fn remark(&mut self, check: Check) {}
    pub fn skippable(&self) -> u64 {}
    pub fn skip(&mut self, len: u64) {}
    pub fn skip_known(&mut self, len: u64) {}
    pub fn structure_left(&self) -> u64 {}
    pub fn go_to(&mut self, offset: u64) {}
    pub fn leave_off(&mut self) {}
    pub fn finish<E>(
        mut self,
        file_len: u64,
        crc32: Option<u32>,
        sink: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<Report, E> {}
    pub fn header(&self) -> Option<&Header> {}
    pub fn report(&self) -> &Report {}
    pub fn is_foreign(&self) -> bool {}
    pub fn is_in_vain(&self) -> bool {}
}

// rollsnap_core::snapshot::(private) event
#[derive(Debug)]
pub enum Event<'a> {
    Header(&'a Header),
    Member(&'a Member),
    Data(&'a [u8]),
    MemberEnd { member: &'a Member, sha256: Option<[u8; 32]> },
    Structure(&'a [u8]),
    Read(u64),
    End,
    Problem(&'a Problem),
}

// rollsnap_core::snapshot::(private) inspector
#[derive(Clone, Copy, Debug)]
pub struct Options {
    pub lenient: bool,
    pub digests: bool,
    pub list: bool,
    pub max_members: u64,
}
pub struct Inspector<I = Window> {}
impl Inspector {
    pub fn new(options: Options) -> Self {}
}
impl<I: Inflate> Inspector<I> {
    pub fn with(engine: I, options: Options) -> Self {}
    pub fn feed<E>(
        &mut self,
        mut input: &[u8],
        sink: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<(), E> {}
    pub fn finish<E>(
        mut self,
        sink: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<Report, E> {}
    pub fn header(&self) -> Option<&Header> {}
    pub fn report(&self) -> &Report {}
    pub fn is_foreign(&self) -> bool {}
}
impl Default for Options {}

// rollsnap_core::snapshot::(private) unpacker
pub struct Unpacker<I = Window> {}
impl<I: Inflate> Unpacker<I> {
    pub fn new(engine: I) -> Self {}
    pub fn resumed(engine: I, taken: u64, produced: u64, crc32: u32) -> Self {}
    pub fn resumed_plain(taken: u64) -> Self {}
    pub fn step<'s, 'i: 's>(&'s mut self, input: &mut &'i [u8]) -> Result<Step<'s>> {}
    pub fn recognise(&mut self, input: &mut &[u8]) {}
    pub fn ignore_the_rest(&mut self) {}
    pub fn close(&mut self) -> &[u8] {}
    pub fn compression(&self) -> Option<Compression> {}
    pub fn taken(&self) -> u64 {}
    pub fn finish(&self) -> Result<()> {}
    pub fn crc32(&self) -> Option<u32> {}
    pub fn produced(&self) -> Option<u64> {}
    pub fn engine(&mut self) -> Option<&mut I> {}
}

// rollsnap_core::snapshot::(private) writer
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    Plain,
    Gzip { level: u8, flush_members: bool },
}
#[derive(Clone, Copy, Debug)]
pub struct NewMember<'a> {
    pub name: &'a str,
    pub size: u64,
    pub mode: u32,
    pub mtime: u64,
}
pub struct Writer<F> {}
impl<F, E> Writer<F>
where
    F: FnMut(&[u8]) -> core::result::Result<(), E>,
    E: From<Problem>,
{
    pub fn new(
        header: &Header,
        packing: Packing,
        out: F,
    ) -> core::result::Result<Self, E> {}
    pub fn member(&mut self, new: NewMember<'_>) -> core::result::Result<(), E> {}
    pub fn data(&mut self, data: &[u8]) -> core::result::Result<(), E> {}
    pub fn finish(mut self) -> core::result::Result<(), E> {}
}

// rollsnap_core::sqlite
pub use header::Settings;
pub use record::{FromValue, Value};
pub use row::Row;
pub use table::{Rows, Table};
pub struct Database<R> {}
impl<R: ReadAt> Database<R> {
    pub fn open(reader: R, max_row: usize) -> Result<Self> {}
    pub fn listen(
        reader: R,
        max_row: usize,
        hear: &mut dyn FnMut([Value<'_>; 5]),
    ) -> Result<Self> {}
    pub fn pages(&self) -> u32 {}
    pub fn tables(&self) -> impl Iterator<Item = &str> {}
    pub fn table(&self, name: &str) -> Result<Table<'_, R>> {}
}

// rollsnap_core::sqlite::(private) header
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    pub page_size: i64,
    pub encoding: i64,
    pub auto_vacuum: i64,
    pub user_version: i64,
    pub application_id: i64,
}
impl Settings {
    pub fn read(reader: &impl ReadAt) -> Result<Self> {}
}

// rollsnap_core::sqlite::(private) record
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    Null,
    Integer(i64),
    Real(f64),
    Text(&'a str),
    Blob(&'a [u8]),
}
impl Value<'_> {
    pub fn compare(&self, other: &Value<'_>) -> Ordering {}
}
pub trait FromValue<'a>: Sized {
    /// What is expected, in words.
    const EXPECTED: &'static str;
    fn from_value(value: Value<'a>) -> Option<Self>;
}
impl<'a> FromValue<'a> for Value<'a> {}
impl<'a> FromValue<'a> for &'a str {}
impl<'a> FromValue<'a> for &'a [u8] {}

// rollsnap_core::sqlite::(private) row
pub struct Row<'t> {}
impl<'t> Row<'t> {
    pub const fn rowid(&self) -> i64 {}
    pub fn get<'a, T: FromValue<'a>>(&'a self, column: &str) -> Result<T> {}
}

// rollsnap_core::sqlite::(private) table
pub struct Table<'d, R> {}
pub struct Rows<'t, 'v, R> {}
impl<'d, R: ReadAt> Table<'d, R> {
    pub fn columns(&self) -> impl Iterator<Item = &str> {}
    pub fn scan(&self) -> Result<Rows<'_, 'static, R>> {}
    pub fn range(&self, from: i64) -> Result<Rows<'_, 'static, R>> {}
    pub fn lengths(
        &self,
        mut each: impl FnMut(i64, usize, u64) -> Result<()>,
    ) -> Result<()> {}
    pub fn last(&self) -> Result<Option<Row<'_>>> {}
    pub fn get(&self, rowid: i64) -> Result<Option<Row<'_>>> {}
    pub fn find<'v>(&self, column: &str, value: Value<'v>) -> Result<Rows<'_, 'v, R>> {}
    pub fn find_one(&self, column: &str, value: Value<'_>) -> Result<Option<Row<'_>>> {}
}
impl<'t, R: ReadAt> Iterator for Rows<'t, '_, R> {}

// rollsnap_core::store
pub use cemented::check_cemented;
pub use check::{Subject, check};
pub use checker::{Came, Checked, Findings, MemberStore, SnapshotChecker};
pub use genesis::{Genesis, States, not_served};
pub use info::info_of_database;
pub use kept::{KeptFile, KeptFiles};
pub use lacking::Lacking;
pub use levels::{Level, Span};
pub use limits::{MAX_CELL, MAX_TEXT, longest, too_long};
pub use memory::{DEFAULT_MAX_STORE, DEFAULT_MEMORY, InMemory, MemoryChecker};
pub use metadata::{MAX_METADATA, Metadata};
pub use model::{Mark, State, StateRow, shortened};
pub use objects::{statements, tables};
pub use opened::Opened;
pub use outbox_bits::OutboxBits;
pub use outboxes::Outboxes;
pub use pre_images::PreImages;
pub use raw::{
    BLOCK_COLUMNS, COMMITMENT_COLUMNS, Decoder, INBOX_COLUMNS, MESSAGES_COLUMNS, Raw,
    RawValue,
};
pub use reader::Store;
pub use retained::RetainedStore;
pub use rows::{CommitmentName, Publication, Rows};
pub use rules::{
    check_version, cut_store, head_context, header_against_store, parse_version, passed,
};
pub use schema::{Accept, MAX_MIGRATIONS, MAX_OBJECTS, Schema, check_settings};
pub use side::{Side, Walked};
pub const MAX_VERSION: u64 = 4096;

// rollsnap_core::store::(private) cemented
pub fn check_cemented(
    lcc: &Mark<CommitmentHash>,
    store: &mut impl Rows,
) -> Result<Option<Check>> {}

// rollsnap_core::store::(private) check
pub struct Subject<'a, S> {
    pub metadata: Result<Option<Metadata>>,
    pub store: Result<&'a mut S>,
    pub shown: &'a str,
    pub header: Option<&'a Header>,
    pub contexts: Option<&'a Contexts>,
    pub states: Option<States<'a>>,
    pub old_lists: bool,
}
impl<S> fmt::Debug for Subject<'_, S> {}
pub fn check<S: Rows>(
    subject: Subject<'_, S>,
    phase: Phase,
    feedback: &mut dyn Feedback,
) -> Result<Evidence> {}

// rollsnap_core::store::(private) checker
pub trait MemberStore {
    fn begin(&mut self, kind: MemberKind<'_>, member: &Member) -> Result<()>;
    fn data(&mut self, data: &[u8]) -> Result<()>;
    fn end(&mut self) -> Result<()>;
    fn read(&mut self, bytes: u64);
    fn give_up_context(&mut self) {
        ..
    }
}
#[derive(Debug)]
pub struct SnapshotChecker<M, H, S> {}
#[derive(Debug, Default)]
pub struct Findings {
    pub audited: Audited,
    pub pre_images: PreImages,
    pub others: Evidence,
}
impl Findings {
    pub fn with(&self, store: Evidence) -> Evidence {}
}
#[derive(Debug)]
pub struct Checked<M> {
    pub members: M,
    pub findings: Findings,
    pub beginning: Beginning,
    pub came: Came,
}
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Came {}
impl Came {
    pub const fn everything(self, report: &Report) -> bool {}
}
impl<M: MemberStore, H: Hasher, S: Spool> SnapshotChecker<M, H, S> {
    pub fn new(members: M, audit: Audit<H, S>) -> Self {}
    #[must_use]
    pub fn within(mut self, allowance: Allowance) -> Self {}
    pub fn on_event(&mut self, event: &Event<'_>) -> Result<()> {}
    pub fn finish(
        self,
        phase: Phase,
        feedback: &mut dyn Feedback,
    ) -> Result<Checked<M>> {}
    pub fn members(&self) -> &M {}
    pub fn came(&self) -> Came {}
}

// rollsnap_core::store::(private) genesis
pub type States<'a> = &'a dyn Fn(&ContextHash) -> Result<Option<Tree>>;
#[derive(Clone, Debug)]
pub struct Genesis {}
impl Genesis {
    pub fn unknown(why: impl Into<String>) -> Self {}
    pub fn find(
        metadata: Option<&Metadata>,
        store: &impl Rows,
        contexts: Option<&Contexts>,
        states: Option<States<'_>>,
    ) -> Self {}
    pub fn judge(&self) -> Result<Check> {}
    pub fn judge_boot_sector(
        &self,
        boot_sector: Option<&[u8]>,
        protocol: Option<&ProtocolHash>,
    ) -> Result<Check> {}
    pub fn level(&self) -> Option<i32> {}
}
pub fn not_served(problem: &Problem) -> Check {}

// rollsnap_core::store::(private) info
pub fn info_of_database(store: &impl Rows) -> StoreInfo {}

// rollsnap_core::store::(private) kept
#[derive(Clone, Copy, Debug)]
pub struct KeptFile<'f> {}
#[derive(Clone, Copy, Debug)]
pub struct KeptFiles<'f> {}
impl<'f> Files for KeptFiles<'f> {}
impl ReadAt for KeptFile<'_> {}

// rollsnap_core::store::(private) lacking
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lacking {
    pub first: i32,
    pub named: u64,
    pub missing: u64,
    pub levels: (i32, i32),
    pub has_first: bool,
    pub before: i32,
    pub has_newest: bool,
    pub blocks: u64,
}
impl Lacking {
    pub fn read(
        store: &impl Rows,
        contexts: &Contexts,
        head: &Block,
    ) -> Result<Option<Self>> {}
    pub fn at_the_head(
        store: &impl Rows,
        contexts: &Contexts,
        head: &Block,
    ) -> Result<Option<Self>> {}
    pub fn is_compact(&self) -> bool {}
    pub fn words(&self) -> String {}
}

// rollsnap_core::store::(private) levels
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Level {
    pub level: i32,
    pub block: Option<BlockHash>,
    pub predecessor: Option<BlockHash>,
    pub context: Option<ContextHash>,
    pub first_context: bool,
    pub state_hash: Option<StateHash>,
    pub initial_tick: Option<String>,
    pub ticks: Option<i64>,
    pub inbox: Option<InboxHash>,
    pub inbox_level: Option<i32>,
    pub messages: Option<u64>,
    pub message_bytes: Option<u64>,
    pub commitment: Option<CommitmentHash>,
    pub cemented: bool,
    pub finalized: bool,
    pub problem: Option<String>,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub first: i32,
    pub last: i32,
}
impl Span {
    pub fn of<S: Rows>(store: &S, from: Option<i32>, to: Option<i32>) -> Result<Self> {}
    pub fn read<S: Rows, E: From<Problem>>(
        &self,
        store: &mut S,
        feedback: &dyn Feedback,
        mut each: impl FnMut(Level) -> Result<(), E>,
    ) -> Result<(), E> {}
}

// rollsnap_core::store::(private) limits
pub const MAX_CELL: u64 = 8 << 20;
pub const MAX_TEXT: u64 = 1024;
pub fn longest(table: &str, column: &str) -> u64 {}
pub fn too_long(
    path: &str,
    (table, column): (&str, &str),
    rowid: i64,
    found: u64,
) -> Problem {}

// rollsnap_core::store::(private) memory
pub const DEFAULT_MAX_STORE: u64 = 512 << 20;
pub const DEFAULT_MEMORY: u64 = 64 << 20;
pub type MemoryChecker = SnapshotChecker<InMemory, Immediate, Memory>;
#[derive(Debug)]
pub struct InMemory {}
impl MemberStore for InMemory {}
impl MemoryChecker {
    pub const PHASE: Phase = Phase {
        index: 2,
        of: 2,
        unit: Unit::Blocks,
        ..Phase::only("Checking chain")
    };
    pub fn in_memory(max_store: u64) -> Self {}
    pub fn with_space(
        max_store: u64,
        memory: u64,
        mut space: impl FnMut() -> Box<dyn Scratch>,
    ) -> Self {}
    #[must_use]
    pub fn in_place(mut self, mut source: impl FnMut() -> Box<dyn Scratch>) -> Self {}
    pub fn take(&mut self, event: &Event<'_>) {}
    pub fn complete(
        mut self,
        report: &mut Report,
        phase: Phase,
        feedback: &mut dyn Feedback,
    ) -> Result<RetainedStore> {}
}

// rollsnap_core::store::(private) metadata
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metadata {
    pub rollup_address: RollupAddress,
    pub kind: PvmKind,
    pub genesis_level: i32,
    pub genesis_commitment: CommitmentHash,
}
impl Metadata {
    pub fn parse(bytes: &[u8]) -> Result<Self> {}
}
pub const MAX_METADATA: u64 = 1 << 20;

// rollsnap_core::store::(private) model
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark<H> {
    pub hash: H,
    pub level: i32,
}
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct State {
    pub head: Option<Mark<BlockHash>>,
    pub finalized: Option<Mark<BlockHash>>,
    pub lcc: Option<Mark<CommitmentHash>>,
    pub lpc: Option<Mark<CommitmentHash>>,
    pub history_mode: Option<HistoryMode>,
    pub gc_target: Option<i32>,
    pub gc_triggered_at: Option<i32>,
}
pub type StateRow = (Option<String>, Option<i32>);
impl State {
    pub fn read(
        path: &str,
        mut row: impl FnMut(&'static str) -> Result<StateRow>,
    ) -> Result<Self> {}
}
impl<H: FromStr<Err = hash::Error>> Mark<H> {
    pub fn read(path: &str, name: &str, row: StateRow) -> Result<Option<Self>> {}
}
pub fn shortened(text: &str) -> String {}

// rollsnap_core::store::(private) objects
pub fn statements() -> impl Iterator<Item = &'static str> {}
pub fn tables() -> impl Iterator<Item = &'static str> {}

// rollsnap_core::store::(private) opened
#[derive(Debug)]
pub enum Opened<D, R> {
    Database(D),
    Files(Box<v4::Store<R>>),
}
impl<R: ReadAt> Opened<Store<'static, R>, R> {
    pub fn open<F: Files<File = R>>(files: &F) -> Result<Self> {}
}
impl<D, R: ReadAt> Opened<D, R> {
    pub fn of_files<F: Files<File = R>>(files: &F) -> Result<Self> {}
}
impl<D: Rows, R: ReadAt> Opened<D, R> {
    pub fn info(&self) -> StoreInfo {}
    pub fn against_header(
        &self,
        header: &Header,
        metadata: &Metadata,
    ) -> Result<Vec<Problem>> {}
    pub fn check(
        subject: Subject<'_, Self>,
        phase: Phase,
        feedback: &mut dyn Feedback,
    ) -> Result<Evidence> {}
}
impl<D: Rows, R: ReadAt> Rows for Opened<D, R> {}

// rollsnap_core::store::(private) outbox_bits
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutboxBits(_);
impl OutboxBits {
    pub fn parse(text: &str) -> Option<Self> {}
    pub fn all<M>(messages: &[M]) -> Self {}
    pub fn readable<M: AsRef<[u8]>>(messages: &[M]) -> Self {}
    pub fn of(those: impl Iterator<Item = bool>) -> Self {}
    pub fn is_empty(&self) -> bool {}
    pub fn is_within(&self, others: &Self) -> bool {}
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {}
}
impl fmt::Display for OutboxBits {}

// rollsnap_core::store::(private) outboxes
pub struct Outboxes<'a> {}
impl<'a> Outboxes<'a> {
    pub fn new(states: States<'a>, mut contexts: Vec<(i32, ContextHash)>) -> Self {}
    pub fn messages(&mut self, level: i32) -> Result<Option<Vec<Vec<u8>>>> {}
}
impl fmt::Debug for Outboxes<'_> {}

// rollsnap_core::store::(private) pieces
impl ReadAt for Pieces {}

// rollsnap_core::store::(private) pre_images
#[derive(Debug, Default)]
pub struct PreImages {}
impl PreImages {
    pub fn evidence(&self) -> Evidence {}
    pub fn begin(&mut self, file: &str) {}
    pub fn is_open(&self) -> bool {}
    pub fn data(&mut self, data: &[u8]) {}
    pub fn end(&mut self, name: &str, size: u64) {}
}

// rollsnap_core::store::(private) raw
pub const BLOCK_COLUMNS: [&str; 11] = [
    "block_hash",
    "level",
    "predecessor",
    "commitment_hash",
    "previous_commitment_hash",
    "context",
    "inbox_witness",
    "inbox_hash",
    "initial_tick",
    "num_ticks",
    "state_hash",
];
pub const MESSAGES_COLUMNS: [&str; 2] = ["inbox_level", "message_list"];
pub const INBOX_COLUMNS: [&str; 2] = ["inbox_level", "history_proof"];
pub const COMMITMENT_COLUMNS: [&str; 4] = [
    "compressed_state",
    "inbox_level",
    "predecessor",
    "number_of_ticks",
];
pub type RawValue<'a> = Option<Value<'a>>;
#[derive(Clone, Copy, Debug)]
pub struct Raw<'a> {
    pub block: [RawValue<'a>; 11],
    pub named: RawValue<'a>,
    pub messages: Option<[RawValue<'a>; 2]>,
    pub inbox: Option<[RawValue<'a>; 2]>,
    pub commitment: Option<[RawValue<'a>; 4]>,
    pub empty_status: bool,
}
#[derive(Default)]
pub struct Decoder {}
impl Decoder {
    pub fn block_hash(&self, value: RawValue<'_>) -> Option<BlockHash> {}
    pub fn read(&mut self, raw: &Raw<'_>) -> Result<Found<'_>> {}
}

// rollsnap_core::store::(private) reader
pub struct Store<'p, R> {}
impl<'p, R: ReadAt> Store<'p, R> {
    pub fn open(reader: R, path: &'p str, accept: Accept) -> Result<Self> {}
}
impl<R: ReadAt> Rows for Store<'_, R> {}

// rollsnap_core::store::(private) recorded
impl<R: ReadAt> Store<'_, R> {
    pub fn protocols(&self) -> Result<Vec<Protocol>> {}
    pub fn is_attested(&self, block: &BlockHash, slot: u8) -> Result<Option<bool>> {}
    pub fn first_outbox(&self) -> Result<Option<i32>> {}
    pub fn outbox(&self, level: i32) -> Result<Option<String>> {}
    pub fn status(&self, block: &BlockHash, level: i32) -> Result<Option<Vec<u8>>> {}
    pub fn final_tick_of(&self, commitment: &CommitmentHash) -> Result<Option<u128>> {}
}

// rollsnap_core::store::(private) retained
#[derive(Debug)]
pub struct RetainedStore {}
impl RetainedStore {
    pub fn store(&self) -> Result<Opened<Store<'static, KeptFile<'_>>, KeptFile<'_>>> {}
    pub fn database(&self) -> Result<Database<KeptFile<'_>>> {}
    pub fn context(&self) -> Result<Context<KeptFiles<'_>>> {}
    pub fn cemented(&self, lcc: &Mark<CommitmentHash>) -> Option<Check> {}
    pub fn origination_level(&self) -> Option<i32> {}
    pub fn originated(
        &self,
        boot_sector: Option<&[u8]>,
        protocol: Option<&ProtocolHash>,
    ) -> Check {}
}

// rollsnap_core::store::(private) rows
pub trait Rows {
    fn examine(&mut self, feedback: &dyn Feedback) -> Result<()> {
        ..
    }
    fn head(&self) -> Result<Block>;
    fn first_available(&self) -> Result<i32>;
    fn state(&self) -> Result<State>;
    fn block_at(&self, level: i32) -> Result<Option<Block>>;
    fn top_level(&self) -> Result<Option<i32>>;
    fn lowest_level(&self) -> Result<Option<i32>> {
        ..
    }
    fn contexts(&self, each: &mut dyn FnMut(i32, ContextHash)) -> Result<()> {
        ..
    }
    fn publications(&self, each: &mut dyn FnMut(Publication)) -> Result<()>;
    fn side(
        &mut self,
        side: Side,
        walked: Walked,
        feedback: &dyn Feedback,
        each: &mut dyn FnMut(&[RawValue<'_>]) -> Result<()>,
    ) -> Result<()>;
    fn is_in_files(&self) -> bool {
        ..
    }
    fn with_chain<T>(
        &mut self,
        read: impl FnOnce(&mut dyn Chain) -> Result<T>,
    ) -> Result<T>;
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommitmentName {
    Hash(CommitmentHash),
    Text(String),
}
impl fmt::Display for CommitmentName {}
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    pub commitment: CommitmentName,
    pub first_level: Option<i32>,
    pub own_level: Option<i32>,
    pub known: bool,
    pub inbox_level: Option<i32>,
}

// rollsnap_core::store::(private) rules
pub fn header_against_store(
    header: &Header,
    metadata: &Metadata,
    head: &Block,
    mode: Option<HistoryMode>,
) -> Vec<Problem> {}
pub fn passed(summary: &Summary, marks: &Marks, sound: bool) -> Vec<Check> {}
pub fn head_context(level: i32) -> Problem {}
pub fn check_version(recorded: Option<i64>) -> Result<(), Problem> {}
pub fn parse_version(bytes: &[u8], path: &str) -> Result<i64, Problem> {}
pub fn cut_store() -> Check {}

// rollsnap_core::store::(private) schema
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accept {
    Current,
    Older,
}
pub const MAX_OBJECTS: usize = 1000;
pub const MAX_MIGRATIONS: usize = 1000;
#[derive(Debug, Default)]
pub struct Schema {}
impl Schema {
    pub fn row(&mut self, row: [Value<'_>; 5]) {}
    pub fn has_migrations(&self) -> bool {}
    pub fn foreign(&self, path: &str) -> Option<Problem> {}
    pub fn finish(
        self,
        migrations: Option<&[(i64, String)]>,
        accept: Accept,
        pages: u32,
        path: &str,
    ) -> Result<usize> {}
}
pub fn check_settings(found: &Settings, path: &str) -> Result<()> {}

// rollsnap_core::store::(private) side
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    State,
    Protocols,
    SlotHeaders,
    SlotStatuses,
    Outboxes,
    Messages,
    Inboxes,
    Commitments,
    Blocks,
}
impl Side {
    pub const fn table(self) -> &'static str {}
    pub const fn columns(self) -> &'static [&'static str] {}
    pub const fn named_by(self) -> Option<&'static str> {}
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Walked {
    pub first: i32,
    pub head: i32,
}

// rollsnap_core::store::v4
pub use check::{against_header, check, head_context};
pub use irmin_store::{IrminStore, slots::Slot};
pub use records::{BlockHeader, Protocol, Published, WholeBlock};
pub use singletons::{GcLevels, Singletons};
pub use store::{Store, StoredMessages};
pub use table::{Generation, Record, Table};
pub use version::{
    Layout, Version, check_version, has_files, layout, recorded_version, two_stores,
};

// rollsnap_core::store::v4::(private) check
pub fn check<R: ReadAt>(
    subject: Subject<'_, Store<R>>,
    phase: Phase,
    feedback: &mut dyn Feedback,
) -> Result<Evidence> {}
pub fn against_header<R: ReadAt>(
    store: &Store<R>,
    header: &Header,
    metadata: &Metadata,
    told: &mut Vec<Check>,
) -> Result<Vec<Problem>> {}
pub fn head_context(level: i32) -> Problem {}

// rollsnap_core::store::v4::irmin_store
#[derive(Debug)]
pub struct IrminStore<F: Files> {}
impl<F: Files> IrminStore<F> {
    pub fn open(files: F) -> Result<Self> {}
    pub fn main(&self) -> Option<&Commit> {}
    pub fn values(&self, each: &mut Visit<'_>) -> Result<()> {}
}
pub type Visit<'v> = dyn FnMut(&[Vec<u8>], &[u8]) -> Result<()> + 'v;

// rollsnap_core::store::v4::irmin_store::slots
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Slot {
    Header {
        block: BlockHash,
        index: u8,
        published_level: i32,
        commitment: SlotCommitment,
    },
    Status { block: BlockHash, index: u8, confirmed: bool },
    Other(String),
}
impl<F: Files> IrminStore<F> {
    pub fn slots(&self, each: &mut dyn FnMut(Slot) -> Result<()>) -> Result<()> {}
}

// rollsnap_core::store::v4::(private) keys
impl<R: ReadAt> Iterator for Keys<'_, R> {}

// rollsnap_core::store::v4::(private) records
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Protocol {
    pub level: i32,
    pub activates: bool,
    pub proto_level: i32,
    pub hash: ProtocolHash,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Published {
    pub first: i32,
    pub by_us: Option<i32>,
}
pub type WholeBlock = (Block, Evaluation);
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockHeader {
    pub block: Block,
    pub inbox_witness: WitnessHash,
    pub inbox_hash: InboxHash,
}

// rollsnap_core::store::v4::(private) rows
impl<R: ReadAt> Rows for Store<R> {}

// rollsnap_core::store::v4::(private) singletons
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Singletons {}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GcLevels {
    pub last: i32,
    pub first_available: i32,
}
impl Singletons {
    pub fn head(&self) -> Result<Option<WholeBlock>> {}
    pub fn finalized_level(&self) -> Result<Option<i32>> {}
    pub fn lcc(&self) -> Result<Option<Mark<CommitmentHash>>> {}
    pub fn lpc(&self) -> Result<Option<Commitment>> {}
    pub fn protocols(&self) -> Result<Option<Vec<Protocol>>> {}
    pub fn gc_levels(&self) -> Result<Option<GcLevels>> {}
    pub fn context_split_level(&self) -> Result<Option<i32>> {}
    pub fn history_mode(&self) -> Result<Option<HistoryMode>> {}
}

// rollsnap_core::store::v4::(private) store
#[derive(Debug)]
pub struct Store<R> {}
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMessages {
    pub kept_with: BlockHash,
    pub list: Vec<u8>,
    pub count: usize,
}
impl<R: ReadAt> Store<R> {
    pub fn open<F: Files<File = R>>(files: &F) -> Result<Self> {}
    #[must_use]
    pub fn with_genesis_level(mut self, level: Option<i32>) -> Self {}
    pub fn version(&self) -> Version {}
    pub fn recorded_version(&self) -> Option<Version> {}
    pub fn notices(&self) -> &[Problem] {}
    pub fn singletons(&self) -> &Singletons {}
    pub fn tables(&self) -> [(&'static str, &Table<R>); 6] {}
    pub fn table(&self, name: TableName) -> &Table<R> {}
    pub fn block(&self, hash: &BlockHash) -> Result<Stored<WholeBlock>> {}
    pub fn hash_at(&self, level: i32) -> Result<Option<BlockHash>> {}
    pub fn messages(&self, witness: &WitnessHash) -> Result<Stored<StoredMessages>> {}
    pub fn work(&self) -> Work {}
    pub fn check_publications(&self, allowance: &Allowance) -> Result<()> {}
    pub fn inbox(&self, hash: &InboxHash) -> Result<Stored<Inbox>> {}
    pub fn commitment(&self, hash: &CommitmentHash) -> Result<Stored<Commitment>> {}
    pub fn published(&self, hash: &CommitmentHash) -> Result<Option<Published>> {}
    pub fn misplaced(&self) -> Result<Vec<Problem>> {}
}

// rollsnap_core::store::v4::(private) table
#[derive(Debug)]
pub struct Table<R> {}
#[derive(Debug)]
pub struct Generation<R> {}
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub generation: usize,
    pub offset: Option<u64>,
    pub header: Vec<u8>,
    pub value: Result<Vec<u8>, String>,
}
impl<R: ReadAt> Table<R> {
    pub fn find(&self, key: &[u8]) -> Result<Option<Record>> {}
    pub fn generations(&self) -> &[Generation<R>] {}
    pub fn scan(
        &self,
        generation: usize,
    ) -> impl Iterator<Item = Result<(Vec<u8>, Record)>> {}
}
impl<R: ReadAt> Generation<R> {
    pub fn name(&self) -> &str {}
}

// rollsnap_core::store::v4::(private) version
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    V0,
    V1,
    V2,
    V3,
    V4,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    Sqlite,
    Files(Version),
    Nothing,
}
impl Version {
    pub const ALL: [Self; 5] = [Self::V0, Self::V1, Self::V2, Self::V3, Self::V4];
    pub const fn number(self) -> u8 {}
    pub const fn writers(self) -> &'static str {}
    pub const fn differs(self) -> &'static str {}
}
impl fmt::Display for Version {}
pub fn layout<F: Files>(files: &F) -> Result<Layout> {}
pub fn two_stores() -> Problem {}
pub fn check_version(recorded: Option<Version>) -> Result<()> {}
pub fn recorded_version<F: Files>(files: &F) -> Result<Option<Version>> {}
pub fn has_files<F: Files>(files: &F) -> Result<bool> {}

// rollsnap_core::store::v4::(private) whole
impl<R: ReadAt> Store<R> {
    pub fn levels(&self) -> Result<Vec<i32>> {}
    pub fn block_hashes(&self) -> impl Iterator<Item = Result<BlockHash>> + '_ {}
    pub fn block_headers(&self) -> impl Iterator<Item = Result<BlockHeader>> + '_ {}
    pub fn commitment_hashes(
        &self,
    ) -> impl Iterator<Item = Result<CommitmentHash>> + '_ {}
    pub fn published_commitments(
        &self,
    ) -> impl Iterator<Item = Result<(CommitmentHash, Published)>> + '_ {}
    pub fn inbox_with_cell(&self, hash: &InboxHash) -> Result<Stored<(Inbox, Vec<u8>)>> {}
}

// rollsnap_core::store::v4::write
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableName {
    Blocks,
    Messages,
    Inboxes,
    Commitments,
    Levels,
    Published,
}
impl TableName {
    pub const ALL: [Self; 6] = [
        Self::Blocks,
        Self::Messages,
        Self::Inboxes,
        Self::Commitments,
        Self::Levels,
        Self::Published,
    ];
    pub const fn as_str(self) -> &'static str {}
    pub const fn shape(self) -> Shape {}
    pub const fn has_values(self) -> bool {}
    pub fn index_of(self, generation: &str) -> String {}
}
pub fn block_bytes((block, evaluation): &WholeBlock) -> (Vec<u8>, Vec<u8>) {}
pub fn head_bytes(block: &WholeBlock) -> Vec<u8> {}
pub fn commitment_bytes(commitment: &Commitment) -> Vec<u8> {}
pub fn lcc_bytes(mark: &Mark<CommitmentHash>) -> Vec<u8> {}
pub fn value_bytes(value: &[u8]) -> Vec<u8> {}

// rollsnap_core::tar
pub use block::{BLOCK, MAX_PLAIN_SIZE, checksum_matches, is_member_header};
pub use member::{Kind, Member};
pub use name::{MAX_NAME, NameSet, check_name};
pub use reader::{DEFAULT_MAX_MEMBERS, Options, Reader, Step};
pub use writer::{END, MAX_MTIME, member_header, padding};

// rollsnap_core::tar::(private) block
pub const BLOCK: usize = 512;
pub const MAX_PLAIN_SIZE: u64 = 0o77_777_777_777;
pub fn checksum_matches(block: &[u8; BLOCK]) -> bool {}
pub fn is_member_header(block: &[u8; BLOCK]) -> bool {}

// rollsnap_core::tar::(private) member
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub name: String,
    pub size: u64,
    pub mode: u32,
    pub mtime: u64,
    pub kind: Kind,
    pub header_offset: u64,
    pub data_offset: u64,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    File,
    Directory,
    Link,
    Other(u8),
}
impl Kind {
    pub const fn words(self) -> &'static str {}
}

// rollsnap_core::tar::(private) name
pub const MAX_NAME: usize = 100;
pub fn check_name(name: &[u8]) -> Result<&str> {}
#[derive(Default)]
pub struct NameSet {}
impl NameSet {
    pub fn insert(&mut self, name: &str) -> Result<()> {}
    pub fn len(&self) -> u64 {}
    pub fn is_empty(&self) -> bool {}
}

// rollsnap_core::tar::(private) reader
pub const DEFAULT_MAX_MEMBERS: u64 = 1 << 22;
#[derive(Clone, Copy, Debug)]
pub struct Options {
    pub lenient: bool,
    pub max_members: u64,
}
pub struct Reader {}
#[derive(Debug, PartialEq, Eq)]
pub enum Step<'a> {
    NeedsInput,
    Member(&'a Member),
    Data(&'a [u8]),
    MemberEnd(&'a Member),
    Remarks,
    End,
}
impl Reader {
    pub fn new(offset: u64, options: Options) -> Self {}
    pub fn step<'s, 'i: 's>(&'s mut self, input: &mut &'i [u8]) -> Result<Step<'s>> {}
    pub fn finish(&self) -> Result<()> {}
    pub fn content_left(&self) -> u64 {}
    pub fn structure_left(&self) -> u64 {}
    pub fn skip(&mut self, len: u64) {}
    pub fn go_to(&mut self, offset: u64) {}
    pub fn read(&mut self, bytes: u64) {}
    pub fn members(&self) -> u64 {}
    pub fn bytes(&self) -> u64 {}
    pub fn is_complete(&self) -> bool {}
    pub fn take_remarks(&mut self) -> Vec<Problem> {}
}
impl Default for Options {}

// rollsnap_core::tar::(private) writer
pub const END: [u8; 2 * BLOCK] = [0; 2 * BLOCK];
pub const MAX_MTIME: u64 = 0o777_777_777_777;
pub fn member_header(member: &Member) -> Result<Vec<u8>> {}
pub const fn padding(size: u64) -> usize {}

// rollsnap_core::words
pub fn plural<'w>(count: u64, one: &'w str, many: &'w str) -> &'w str {}

