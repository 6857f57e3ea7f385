//! The one table of everything that rollsnap can find wrong.
//!
//! A [`Code`] is the stable name of one check or refusal. Command line, JSON, JavaScript and the
//! page take its words from here: what it means, what to do about it, and which exit status it
//! leads to. Codes are added, never renamed.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::as_text;

/// What kind of "no" a code is; the command line's exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A check of the contents says no: exit status 1.
    Answer,
    /// The command was not asked rightly: exit status 2.
    Usage,
    /// The input cannot be read or is damaged: exit status 3.
    Damaged,
    /// The command refuses to go on, nothing was changed: exit status 4.
    Refused,
    /// The machine does not allow it (disk full, permission, I/O): exit status 5.
    Environment,
    /// There was nothing to do, and nothing was changed: exit status 6.
    Idle,
    /// Stopped on request: exit status 130.
    Cancelled,
}

impl Class {
    /// The exit status of the command line.
    pub const fn exit_status(self) -> u8 {
        match self {
            Self::Answer => 1,
            Self::Usage => 2,
            Self::Damaged => 3,
            Self::Refused => 4,
            Self::Environment => 5,
            Self::Idle => 6,
            Self::Cancelled => 130,
        }
    }
}

impl Code {
    /// Whether it says something about what was read. Only then can a check that meets it say "no": what the
    /// machine, a lock or layer 1 kept from being read has not been judged.
    pub const fn is_about_contents(self) -> bool {
        matches!(self.class(), Class::Answer | Class::Damaged)
            && !matches!(self, Self::DataDirNone | Self::IoNotFound | Self::IoDirectory | Self::L1Savepoint)
    }
}

/// What a code is about: the first part of its name. `header.version` and `header.short` are of one group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Group(&'static str);

impl Group {
    /// The header of a snapshot, or of what looks similar.
    pub const HEADER: Self = Self("header");
    /// The gzip member around a snapshot.
    pub const GZIP: Self = Self("gzip");
    /// The archive in a snapshot.
    pub const TAR: Self = Self("tar");
    /// The server of a file behind an address.
    pub const REMOTE: Self = Self("remote");
    /// Blocks that were run again.
    pub const REPLAY: Self = Self("replay");
    /// The context.
    pub const CONTEXT: Self = Self("context");

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl Code {
    /// What it is about.
    pub fn group(self) -> Group {
        let name = self.as_str();
        Group(name.split_once('.').map_or(name, |(group, _)| group))
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The code with this name. Names are never given to another code, but later versions have more of them.
impl FromStr for Code {
    type Err = UnknownCode;

    fn from_str(name: &str) -> Result<Self, UnknownCode> {
        Self::ALL.iter().copied().find(|code| code.as_str() == name).ok_or(UnknownCode)
    }
}

/// No code of this version has the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownCode;

impl fmt::Display for UnknownCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a code that this version of rollsnap does not know")
    }
}

impl core::error::Error for UnknownCode {}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        as_text::deserialize(deserializer)
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

macro_rules! table {
    ($($name:ident $class:ident $code:literal $title:literal $advice:literal)*) => {
        /// Stable name of one thing that can be wrong (or, as a passed check, right).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $(#[doc = concat!("`", $code, "`: ", $title)] $name,)*
        }

        impl Code {
            /// Every code, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The stable text, such as `tar.checksum`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// What kind of "no" it is.
            pub const fn class(self) -> Class {
                match self { $(Self::$name => Class::$class,)* }
            }

            /// What it means, in one line without a full stop.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }

            /// What to do about it; empty where the title says it all.
            pub const fn advice(self) -> &'static str {
                match self { $(Self::$name => $advice,)* }
            }
        }
    };
}

#[rustfmt::skip]
table! {
// --- The container: header ----------------------------------------------------------------------
HeaderShort        Damaged "header.short"         "Error reading snapshot header: the file ends inside its 58 bytes" "the download is incomplete: fetch the file again"
HeaderVersion      Damaged "header.version"       "Error reading snapshot header: unknown version" "check that the file is a rollup node snapshot; a newer rollsnap may know this version"
HeaderHistoryMode  Damaged "header.history-mode"  "Error reading snapshot header: the history mode is neither archive (00) nor full (01)" "the file is damaged or not a rollup node snapshot"
HeaderUnversioned  Refused "header.unversioned"   "the header has 57 bytes and no version byte, as only an old design text describes" "no node writes or reads this form: it can be inspected, not imported"
HeaderEvmNode      Damaged "header.evm-node"      "this is an EVM node (Etherlink) snapshot, not a rollup node snapshot" "import it with the EVM node it came from"
HeaderL1Node       Damaged "header.l1-node"       "this is a layer 1 node snapshot, not a rollup node snapshot" "import it with octez-node or mavkit-node"
HeaderDesync       Damaged "header.desync"        "this is a desync index (an EVM node snapshot in chunks), not a rollup node snapshot" "import it with the EVM node it came from"
HeaderForeign      Damaged "header.foreign"       "this is not a rollup node snapshot" "a snapshot starts with 00 00 or 00 01, or is a gzip file of such bytes"
FileEmpty          Damaged "file.empty"           "the file is empty" "the download failed: fetch the file again"
FileChecksum       Damaged "file.checksum"        "the SHA-256 of the file is not the expected one" "it is another file, or it was damaged on the way: fetch it again, or ask the provider which is right"
// --- The container: gzip ------------------------------------------------------------------------
GzipHeader         Damaged "gzip.header"          "the gzip header is damaged" "the file is damaged: fetch it again"
GzipMethod         Damaged "gzip.method"          "the gzip compression method is not deflate (8)" "the file is damaged: fetch it again"
GzipFlags          Damaged "gzip.flags"           "reserved bits are set in the gzip flags" "the file is damaged: fetch it again"
GzipHeaderCrc      Damaged "gzip.header-crc"      "the checksum of the gzip header does not match" "the file is damaged: fetch it again"
GzipDeflate        Damaged "gzip.deflate"         "the compressed data is damaged" "the file is damaged: fetch it again"
GzipTruncated      Damaged "gzip.truncated"       "truncated file: the compressed data ends too early" "the download is incomplete: fetch the file again"
GzipCrc            Damaged "gzip.crc"             "CRC mismatch, data corrupted" "the file is damaged: fetch it again"
GzipSize           Damaged "gzip.size"            "size mismatch, data corrupted: the length in the gzip trailer is not that of the data" "the file is damaged: fetch it again"
GzipMembers        Damaged "gzip.members"         "a second gzip member follows the first; the nodes stop silently after the first" "compress again as one member: gzip -dc FILE | gzip > NEW"
GzipTrailing       Damaged "gzip.trailing"        "bytes follow the end of the gzip member" "the file was appended to or badly joined: fetch it again"
GzipIndex          Damaged "gzip.index"           "the checkpoint index of the gzip file cannot be used" "the file itself may be whole: it is read from front to end, which takes longer"
// --- The container: tar -------------------------------------------------------------------------
TarTruncated       Damaged "tar.truncated"        "Unexpected end of file: the archive ends too early" "the file is incomplete: fetch it again"
TarChecksum        Damaged "tar.checksum"         "the checksum of a member header does not match" "the file is damaged: fetch it again"
TarNumber          Damaged "tar.number"           "a number in a member header is not octal digits" "the file is damaged, or was not written by a rollup node"
TarDialect         Damaged "tar.dialect"          "a member header is not of the V7 form that rollup nodes write" "make the snapshot with a rollup node or rollsnap; --lenient reads it for inspection"
TarType            Damaged "tar.type"             "a member is not a regular file" "a snapshot holds regular files only: do not import this file"
TarNameEmpty       Damaged "tar.name-empty"       "a member has no name" "do not import this file"
TarNameOutside     Damaged "tar.name-outside"     "path that resolves outside the destination directory" "do not import this file: it tries to write elsewhere"
TarNameForm        Damaged "tar.name-form"        "a member name is not a plain relative path" "do not import this file"
TarNameEncoding    Damaged "tar.name-encoding"    "a member name is not UTF-8 text" "do not import this file"
TarDuplicate       Damaged "tar.duplicate"        "two members have the same name, so the content is ambiguous" "do not import this file"
TarConflict        Damaged "tar.conflict"         "a member name is a file here and a directory there" "do not import this file"
TarPadding         Damaged "tar.padding"          "the padding after a member is not zero" "the file is damaged: fetch it again"
TarEnd             Damaged "tar.end"              "a single zero block inside the archive: a member or its end is missing" "the file is damaged: fetch it again"
TarTrailing        Damaged "tar.trailing"         "bytes follow the two zero blocks that end the archive" "the file was appended to or badly joined: fetch it again"
TarPax             Damaged "tar.pax"              "an extended (pax) header is damaged or says more than the size" "the file is damaged, or was not written by a rollup node"
TarSize            Damaged "tar.size"             "the announced size of a member is impossible" "the file is damaged"
TarMembers         Damaged "tar.members"          "the archive holds more members than rollsnap accepts" "do not import this file; a real snapshot stays far below this number"
SnapshotMember     Damaged "snapshot.member"      "a member does not belong in a snapshot" "the nodes would overwrite local files with it: do not import this file"
SnapshotStore      Damaged "snapshot.store"       "the snapshot holds no store" "the snapshot is incomplete: ask for another one"
// --- Rules before an export (and of a data directory) -----------------------------------------
StoreVersion       Answer  "store.version"        "the store has a version that cannot be used" "see docs/FORMAT.md, sections 6 and 8: which versions there are, and which nodes read them"
StoreMissing       Answer  "store.missing"        "the data directory holds no store" "is this the data directory of a rollup node (--data-dir)?"
DataDirNone        Damaged "data-dir.none"        "this is no data directory of a rollup node" "check the path"
StoreMigrations    Answer  "store.migrations"     "the store was written by another version of the node" "start the matching node once: it upgrades its store"
StoreSchema        Answer  "store.schema"         "the schema of the store holds something that no node makes" "do not use this store: what stands in a schema is executed by the node that opens it"
StoreJournal       Refused "store.journal"        "an unfinished transaction lies beside the store, and reading would have to undo it first" "start the node once, which undoes it, and stop it; or take another copy of the directory"
StoreDamaged       Damaged "store.damaged"        "the store cannot be read" "the store is damaged: restore it from a snapshot"
StoreUnseen        Answer  "store.unseen"         "the store holds data that no node looks at" "a file beside it is missing: bring it back, or restore the store from a snapshot"
StoreNoHead        Answer  "store.no-head"        "there is no head in the store" "let the node process a block first; rollsnap repair head finds a head that was lost"
StoreNoContext     Answer  "store.no-context"     "no block has a committed context" "let the node process more blocks first"
StoreNoMode        Answer  "store.no-history-mode" "no history mode is recorded" "start the node once: it records its history mode"
StoreBlock         Answer  "store.block"          "a block is missing from the store" "choose another level, or restore the store from a snapshot"
StoreCommitment    Answer  "store.commitment"     "a commitment is missing from the store" "choose another level, or restore the store from a snapshot"
MetadataMissing    Answer  "metadata.missing"     "there is no rollup node metadata" "start the node once: it records which rollup the data are of"
MetadataForm       Answer  "metadata.form"        "the metadata is not JSON of version 1" "start the node once: it upgrades its metadata"
MetadataContext    Answer  "metadata.context-version" "the context version is not supported" "a newer rollsnap may support it"
LevelRequest       Usage   "level.request"        "the requested level is not a level" "give a number, or one of the words that the help of the command names"
LevelUnavailable   Answer  "level.unavailable"    "the requested level is not available" "choose a level between the first available one and the head"
ContextHead        Answer  "context.head"         "the context of the block cannot be checked out" "the context is incomplete: an import rebuilds it where that of an earlier block is there"
ContextCompact     Refused "context.compact"      "the snapshot is compact: it holds the context of its first block only" "an import rebuilds the other contexts: import it, or ask for a full one"
ContextPartial     Refused "context.partial"      "contexts that the store names are missing" "an import rebuilds them; in a data directory, rollsnap repair contexts does"
HeaderStore        Answer  "header.store"         "the header and the store of the snapshot disagree" "do not import this file"
// --- The chain of blocks ------------------------------------------------------------------------
ChainBlock         Answer  "chain.block"          "an L2 block of the chain is missing" "the store is incomplete: take another snapshot"
ChainMessages      Answer  "chain.messages"       "the messages of a block are missing" "the store is incomplete: take another snapshot"
ChainInbox         Answer  "chain.inbox"          "the inbox of a block is missing" "the store is incomplete: take another snapshot"
ChainCommitment    Answer  "chain.commitment"     "the commitment of a block is missing" "the store is incomplete: take another snapshot"
ChainContext       Answer  "chain.context"        "the context of a block is missing" "an import or rollsnap repair contexts makes it again from that of an earlier block, repair index finds it if only the index has lost it; else take another snapshot"
ChainLevel         Answer  "chain.level"          "the levels along the predecessors are not contiguous" "do not use this store: it was altered or damaged"
ChainTicks         Answer  "chain.ticks"          "a block does not start at the tick where its predecessor ends" "do not use this store: it was altered or damaged"
StoreValue         Answer  "store.value"          "a value of the store is malformed" "do not use this store: it was altered or damaged"
MessagesWitness    Answer  "messages.witness"     "the messages of a level are not those of its witness" "do not use this store: messages were altered, added or removed"
MessagesForm       Answer  "messages.form"        "the messages of a level are not a list that layer 1 makes" "do not use this store: it was altered or damaged"
ChainWork          Refused "chain.work"          "the chain has more blocks or faults than a file of this size can hold, and was not checked to the end" "do not use this store without knowing where it comes from"
MessagesWork       Refused "messages.work"       "the lists of messages expand to many times what those of rollups do, and were not checked to the end" "do not use this store without knowing where it comes from"
MessagesPrev       Answer  "messages.predecessor" "the messages of a level name another predecessor than the block" "do not use this store: it was altered or damaged"
MessagesTime       Answer  "messages.timestamp"   "the messages of a level go back in time" "do not use this store: it was altered or damaged"
MessagesLevel      Answer  "messages.level"       "messages are stored under another level than that of their block" "do not use this store: it was altered or damaged"
InboxHash          Answer  "inbox.hash"           "an inbox does not have its hash" "do not use this store: it was altered or damaged"
InboxLevel         Answer  "inbox.level"          "an inbox is stored under another level than that of its block" "do not use this store: it was altered or damaged"
InboxWitness       Answer  "inbox.witness"        "an inbox holds another witness than its block" "do not use this store: it was altered or damaged"
InboxIndex         Answer  "inbox.index"          "the indices of the inboxes are not contiguous" "do not use this store: it was altered or damaged"
InboxPointers      Answer  "inbox.back-pointers"  "an inbox does not point back to the ones before it" "do not use this store: it was altered or damaged"
CommitmentHash     Answer  "commitment.hash"      "a commitment does not have its hash" "do not use this store: it was altered or damaged"
CommitmentLevel    Answer  "commitment.level"     "a commitment is for another level than its block" "do not use this store: it was altered or damaged"
CommitmentPrev     Answer  "commitment.previous"  "a block names another previous commitment" "do not use this store: it was altered or damaged"
CommitmentChain    Answer  "commitment.chain"     "a commitment does not follow the one before" "do not use this store: it was altered or damaged"
CommitmentTicks    Answer  "commitment.ticks"     "a commitment has another number of ticks than its blocks" "do not use this store: it was altered or damaged"
StateHash          Answer  "state.hash"           "the recorded state hash is not that of the commitment" "do not use this store: it was altered or damaged"
StateGenesis       Answer  "state.genesis"        "the genesis state is not the one that the origination gives" "do not use this store: it was altered or damaged"
LevelsChain        Answer  "levels.chain"         "the index of levels does not follow the chain" "do not use this store: it was altered or damaged; rollsnap repair levels writes the index anew"
LevelsLeft         Answer  "levels.left"          "the index of levels names a block that the node had not made its head" "harmless: a node that was killed leaves it, and writes over it when it goes on"
MarkFinalized      Answer  "mark.finalized"       "the finalized block is not in the chain" "the node will sync again from layer 1; rollsnap repair head sets it to the chain"
MarkLcc            Answer  "mark.lcc"             "the last cemented commitment is not in the chain" "do not use this store: it was altered or damaged; rollsnap repair head sets it to the chain"
MarkLpc            Answer  "mark.lpc"             "the last commitment that this operator published is not at its level" "the node finds it again on layer 1; before that, do not let it publish"
MarkGc             Answer  "mark.gc"              "the last garbage collection is recorded at a level at which it cannot have been" "harmless to the node: one that was killed in a collection may leave it"
MarkOrder          Answer  "mark.order"           "the store has a cemented commitment above its finalized block" "do not use this store: it was altered or damaged"
ProtocolLevel      Answer  "protocol.level"       "a protocol is recorded at another level than the messages of layer 1 announce it" "do not use this store: a node would evaluate blocks by the rules of another protocol"
ProtocolOrder      Answer  "protocol.order"       "the protocols are not in the order of their levels" "do not use this store: it was altered or damaged"
SlotLevel          Answer  "slot.level"           "a slot is recorded at another level than that of its block" "do not use this store: it was altered or damaged"
SlotStatus         Answer  "slot.status"          "a slot is recorded as attested that was not published" "do not use this store: it was altered or damaged"
OutboxLevel        Answer  "outbox.level"         "an outbox is recorded of a level that the rollup does not have" "do not use this store: it was altered or damaged"
OutboxExecuted     Answer  "outbox.executed"      "messages are recorded as executed that are not in their outbox" "do not use this store: it was altered or damaged"
OutboxMessages     Answer  "outbox.messages"      "an outbox is recorded with other messages than the state of the PVM has" "rollsnap repair outbox writes them anew"
StoreLeft          Answer  "store.left"           "rows belong to no block of the chain" "they are what reorganisations and collections leave, and harmless"
StoreUnproved      Answer  "store.unproved"       "nothing in a store proves some of what it records" "docs/STORE.md says of every column what is checked"
PublishedUnknown   Answer  "published.unknown"    "a publication is recorded of a commitment that is not in the store" "harmless to the node, but not written by one"
PublishedLevel     Answer  "published.level"      "a publication is recorded at a level at which it cannot have been" "harmless to the node, but not written by one"
PreImageHash       Answer  "pre-image.hash"       "a pre-image does not have the hash that it is named by" "do not use it: the PVM would reveal something else"
PreImageSize       Answer  "pre-image.size"       "a pre-image is longer than 4096 bytes" "the PVM cannot reveal it"
PreImageEndpoint   Usage   "pre-image.endpoint"   "the address of the pre-images is not an http or https address" "write it as https://HOST/PATH, without the hashes"
PreImageServer     Environment "pre-image.server" "the server of the pre-images cannot be reached" "check the address, and try again later: what was fetched stays"
PreImageAnswer     Environment "pre-image.answer" "the server does not give the pre-images that are asked for" "name another server, or fetch them from the data directory of another node"
PreImageMissing    Refused "pre-image.missing"    "a pre-image that the kernel asks for is not there" "rollsnap repair pre-images --from URL HASH fetches it into the data directory"
// --- The context --------------------------------------------------------------------------------
ContextMissing     Answer  "context.missing"      "there is no context" "is this a data directory, a snapshot, or the context of one?"
ContextVersion     Answer  "context.version"      "the context has a version that cannot be read" "a newer rollsnap may know it; versions 1 and 2 are older than any rollup node"
ContextControl     Answer  "context.control"      "the control file of the context is damaged" "the context is damaged: restore it from a snapshot"
ContextFile        Answer  "context.file"         "a file of the context is missing or too short" "the context is incomplete: restore it from a snapshot"
ContextDict        Answer  "context.dict"         "the dictionary of the context is damaged" "the context is damaged: restore it from a snapshot"
ContextIndex       Answer  "context.index"        "the index of the context is damaged" "rollsnap repair index makes it anew of what the pack holds"
ContextMapping     Answer  "context.mapping"      "the mapping of the context is damaged" "the context is damaged: restore it from a snapshot"
ContextEntry       Answer  "context.entry"        "an entry of the context is malformed" "the context is damaged: restore it from a snapshot"
ContextChild       Answer  "context.child"        "an object of the context refers to something that is not there" "the context is damaged: restore it from a snapshot"
ContextHash        Answer  "context.hash"         "an object of the context does not have its hash" "do not use this context: it was altered or damaged"
ContextShape       Answer  "context.shape"        "a directory of the context does not have the form that its entries give it" "do not use this context: it was not written by a node"
ContextCommit      Answer  "context.commit"       "a commit of the context cannot be read" "the context is damaged: restore it from a snapshot"
ContextRoot        Answer  "context.root"         "a commit does not look like one that a rollup node makes" "harmless to the node, but not written by one"
ContextState       Answer  "context.pvm-state"    "the PVM state of a block cannot be read" "the context is incomplete: take another snapshot"
ContextLeftover    Answer  "context.leftover"     "a file of the context is not in use" "the node removes it when it starts"
ContextDual        Answer  "context.nds"          "the context has a second half (NDS), which is not covered" "a node reads it; rollsnap copies it as it is, and reads the Irmin half only"
ContextPath        Usage   "context.path"         "the commit has nothing at this path" "rollsnap context ls lists what is there"
ContextUnchecked   Answer  "context.unchecked"    "the context was not checked" ""
ProofMalformed     Damaged "proof.malformed"      "this is no proof, or a damaged one" "ask for it again; rollsnap context prove makes one"
ProofHash          Answer  "proof.hash"           "what the proof shows does not have the hash of its state" "do not use this proof: it was altered or damaged"
ProofState         Answer  "proof.state"          "the proof is about another state" "compare the state hash with that of the commitment that you mean"
ProofLarge         Refused "proof.large"          "the proof would be larger than 16 MiB, or a name in it longer than 255 bytes" "prove fewer keys at once"
// --- Computing states -----------------------------------------------------------------------------
PvmState           Answer  "pvm.state"            "the PVM state is malformed" "do not use this state: it was altered or damaged"
PvmRaises          Answer  "pvm.raises"           "the nodes cannot evaluate this level either: the PVM raises an exception" "these messages cannot be in the inbox of a rollup that goes on"
PvmTime            Environment "pvm.time"             "a kernel run took longer than the limit" "allow more time, or use the compiler instead of the interpreter"
PvmMemory          Environment "pvm.memory"           "a kernel wants more memory than the limit" "allow more memory"
PvmRefusedKernel   Refused "pvm.refused.kernel"   "only the nodes' own interpreter can tell whether this kernel is valid" "the levels from here on need a node"
PvmRefusedStuck    Refused "pvm.refused.stuck"    "the machine gets stuck at a tick that only the nodes' own interpreter can tell" "the levels from here on need a node"
PvmRefusedTrap     Refused "pvm.refused.trap"     "a kernel ended in a way that only the nodes' own interpreter can judge" "the levels from here on need a node"
PvmRefusedTicks    Refused "pvm.refused.ticks"    "the limit of ticks is so small that only the nodes' own interpreter can tell whether it suffices" "the levels from here on need a node"
PvmRefusedPhase    Refused "pvm.refused.phase"    "the state is in the middle of a computation" "start from a state at the end of a block"
PvmRefusedVersion  Refused "pvm.refused.version"  "the version of the PVM is not known" "a newer rollsnap may know it"
PvmRefusedMigration Refused "pvm.refused.migration" "a migration to a protocol that is not known" "a newer rollsnap may know it"
PvmRefusedNds      Refused "pvm.refused.nds"      "the new durable storage (NDS) is not covered" "the levels from here on need a node"
PvmRefusedReveal   Refused "pvm.refused.reveal"   "the kernel asks for data that is not at hand" "provide what is named below, or let a node do it"
// --- Replay ---------------------------------------------------------------------------------------
ReplayBlocks       Answer  "replay.blocks"        "blocks were run again, and came to what is recorded" ""
ReplayInitialTick  Answer  "replay.initial-tick"  "a block does not start at the tick that the state before it is at" "do not use this store: it was altered or damaged"
ReplayTicks        Answer  "replay.ticks"         "a block takes another number of ticks than is recorded" "do not use this store: it was altered or damaged"
ReplayOutbox       Answer  "replay.outbox"        "a block puts other messages into the outbox than are recorded" "do not use this store: it was altered or damaged"
ReplayStatus       Answer  "replay.status"        "the machine does something else after a block than is recorded" "do not use this store: it was altered or damaged"
ReplayState        Answer  "replay.state"         "a block leads to another state than is recorded" "do not use this store: it was altered or damaged"
ReplayCommitment   Answer  "replay.commitment"    "a commitment is to something else than its blocks lead to" "do not use this store: it was altered or damaged"
ReplayContext      Answer  "replay.context"       "a block leads to another context than is recorded" "do not use this store: it was altered or damaged"
ReplayStart        Refused "replay.start"         "there is no context to begin the replay with" "choose later levels"
ReplayKind         Refused "replay.kind"          "the blocks of this kind of rollup cannot be replayed" "leave out the replay"
ReplayProtocol     Refused "replay.protocol"      "the protocol of a level is not known, nor what its machine does" "a newer rollsnap may know it"
ReplayMessages     Refused "replay.messages"      "a very old node stored the messages of a block without layer 1's own" "choose later levels"
ReportForm         Damaged "report.form"          "this is not a report of rollsnap" ""
ReportShare        Refused "report.share"         "the report is not that of a share" "verify --shard K/N --json makes one"
ReportOther        Refused "report.other"         "the reports are not of the same snapshot, divided alike" ""
ReportGap          Refused "report.gap"           "the report of a share is missing" ""
ReportOverlap      Refused "report.overlap"       "two reports are of the same share" ""
ReportDivided      Answer  "report.divided"       "what the other shares check" ""
// --- Rules before an import ---------------------------------------------------------------------
ImportPopulated    Refused "import.populated"     "the data directory is already populated" "use --force to overwrite it"
ImportRollup       Refused "import.rollup"        "the data directory belongs to another rollup" "import into the data directory of the snapshot's rollup, or into an empty one"
ImportMode         Refused "import.history-mode"  "the history modes do not fit" "use a snapshot of the same history mode"
ImportLevel        Refused "import.level"         "the snapshot cannot be imported at the requested level" "use a level up to the head of the snapshot; a store older than version 5 has its head only"
ImportSame         Idle    "import.same"          "the data directory is at the level of the snapshot already" "nothing to do: keep the data, or import into an empty directory"
ImportOlder        Refused "import.older"         "the data directory is not older than the snapshot" "nothing to gain: keep the data, or import into an empty directory"
ImportStore        Refused "import.store"         "two stores are in the data directory" "say with --format which one counts, octez or mavkit; both are replaced"
ImportLink         Refused "import.link"          "an entry of the data directory is a symbolic link or a mount point, which would be replaced" "move what it leads to into the data directory first, or choose an empty directory"
ImportUnfinished   Refused "import.unfinished"    "an earlier import or repair of this directory was interrupted half-way" "stop the node and run rollsnap import, export or repair again: it finishes that first"
LockHeld           Refused "lock.held"            "another process holds the lock of the data directory" "stop the rollup node first"
LockNone           Refused "lock.none"            "the locks of the data directory were not taken (--no-lock)" "right for a copy that nobody writes to, such as a snapshot of a volume"
OutputExists       Refused "output.exists"        "the output file exists" "use --force to overwrite it, or choose another name"
SourceFile         Refused "source.file"          "a file of the data directory cannot be archived" "move it out of the data directory"
SourceChanged      Refused "source.changed"       "a file changed while it was read" "try again; if it happens again, stop the node first"
ExportNds          Refused "export.nds"           "a compact snapshot would lack the second half of the state (NDS)" "export a full one: leave out --compact"
ExportCheck        Refused "export.check"         "the finished snapshot does not read back as it was written" "the disk may be failing: try another one"
// --- Converting a store -------------------------------------------------------------------------
ConvertStore       Idle    "convert.store"        "there is no older store to convert" "rollsnap convert makes store version 5 of versions 2, 3 and 4"
ConvertLeftOut     Answer  "convert.left-out"     "something of the old store has no place in the new one" ""
// --- Repairing a data directory -------------------------------------------------------------------
RepairMigrations   Refused "repair.migrations"    "the store was written by an older version of the node" "--migrate applies the migrations that are missing, as today's node does when it starts"
RepairKind         Refused "repair.kind"          "the store is of a version that cannot be repaired so" "rollsnap convert makes a store of version 5, which can be"
RepairHead         Refused "repair.head"         "no block can be told to be the head" "restore the directory from a snapshot; where several blocks could be it, repair levels or a node may tell"
RepairLevel        Refused "repair.level"         "the store cannot be taken back to this level" "choose another level: last-committed and last-sound find one"
RepairLacks        Refused "repair.lacks"         "something that the repair needs is not there" "nothing was changed; the text says what is missing"
RepairUnsound      Refused "repair.unsound"       "something would not hold after the repair that holds now" "nothing was changed; rollsnap verify says what else is wrong, which may have to be repaired first"
// --- Layer 1 --------------------------------------------------------------------------------------
CommitmentExpected Answer  "commitment.expected"  "the last commitment is not the expected one" "do not use this snapshot, or check the expected hash"
L1Commitment       Answer  "l1.commitment"        "Commitment of snapshot is not published on L1" "do not trust this snapshot unless you know where it comes from"
L1Savepoint        Answer  "l1.savepoint"         "the L1 node no longer knows the time of the snapshot" "use an archive L1 node (-E, --endpoint)"
L1Lcc              Answer  "l1.lcc"               "the store and the last cemented commitment of L1 disagree" "do not import this snapshot: ask for another one"
L1UnknownRollup    Environment "l1.unknown-rollup" "the L1 chain knows no such rollup" "is the L1 node (-E, --endpoint) of the right network"
L1Endpoint         Usage   "l1.endpoint"          "the L1 endpoint is not an http or https address" "write it as http://127.0.0.1:8732 (-E, --endpoint)"
L1Unreachable      Environment "l1.unreachable"   "the L1 node cannot be reached" "check the address (-E, --endpoint) and that the node is running"
L1Forbidden        Environment "l1.forbidden"     "the access list of this L1 node forbids the request" "ask an L1 node of your own from its own machine, or an endpoint that serves smart rollups"
L1Pruned           Environment "l1.pruned"        "block pruned or unknown: use an archive node" "an archive L1 node keeps the state of every block"
L1Answer           Environment "l1.answer"        "the answer of the L1 node is not understood" "check that the address (-E, --endpoint) is that of a Tezos or Mavryk L1 node"
L1Status           Environment "l1.status"        "the L1 node reports an error" "try again later, or use another L1 node"
// --- The data availability layer -------------------------------------------------------------------
DalEndpoint        Usage   "dal.endpoint"         "the endpoint of the DAL node is not an http or https address" "write it as http://127.0.0.1:10732"
DalUnreachable     Environment "dal.unreachable"  "the DAL node cannot be reached" "check the address and that the node is running"
DalAnswer          Environment "dal.answer"       "the answer of the DAL node is not understood" "check that the address is that of a DAL node of the right network"
// --- Files behind an address ------------------------------------------------------------------------
RemoteAddress      Usage   "remote.address"       "this is no address that a snapshot can be read from" "give an http:// or https:// address, or the name of a file"
RemoteUnreachable  Environment "remote.unreachable" "the server cannot be reached" "check the address, the network and the proxy of the environment, and give the same command again"
RemoteStatus       Environment "remote.status"    "the server does not serve the file" "check the address"
RemoteRedirect     Environment "remote.redirect"  "the server sends the request on to where it is not made" "give the address at which the file is"
RemoteAnswer       Environment "remote.answer"    "the answer of the server is not what was asked for" "fetch the file in another way, or from another server: no byte of this answer was used"
RemoteChanged      Refused "remote.changed"       "the provider has replaced the file" "begin anew: what was read until now is of the old file, and nothing is mixed"
RemoteManifest     Refused "remote.manifest"     "the manifest does not fit the file" "give the manifest that is published beside this file; nothing was changed"
RemoteValidator    Environment "remote.validator" "the server says nothing that tells one version of the file from another" ""
DownloadPartial    Refused "download.partial"     "what lies where the download would go cannot be gone on with" "move it away, or begin anew with --restart"
ResumeOther        Refused "resume.other"         "what an interrupted command has left here is of something else" "give the same command as then, or begin anew with --restart"
// --- Use and environment ------------------------------------------------------------------------
Usage              Usage   "usage"                "the command line is not understood" "see --help"
HashText           Usage   "hash.text"            "this is not a hash of the wanted kind" "copy it again: every character counts"
PageMissing        Usage   "page.missing"         "this rollsnap was built without the page" "web/build --page makes the page; then build rollsnap again"
MemberUnknown      Usage   "member.unknown"       "the snapshot has no such member" "rollsnap ls SNAPSHOT lists the members"
IoNotFound         Damaged "io.not-found"         "no such file or directory" "check the path"
IoDirectory        Damaged "io.directory"         "this is a directory, not a snapshot file" "name a snapshot file, or - for standard input"
IoPermission       Environment "io.permission"    "permission denied" "check the owner and the mode of the path"
LimitMemory        Environment "limit.memory"     "it would take more memory than is allowed" "the command line allows more with --memory"
LimitSpace         Environment "limit.space"      "it would take more space than a file of this size can need" "it was made to fill disks, or it was damaged on the way"
IoNoSpace          Environment "io.no-space"      "no space left on the device" "free some space or choose another directory"
OutputClosed       Environment "io.output-closed" "nobody reads standard output any more" ""
IoNotDirectory     Environment "io.not-directory"     "something else is where a directory should be" "name another path, or move away what is there"
IoOther            Environment "io.other"         "the operating system reports an error" ""
HttpCors           Environment "http.cors"        "the server does not let web pages of other origins read the file" "use the command line, which needs no such permission: rollsnap info URL"
Cancelled          Cancelled "cancelled"          "stopped on request; nothing was changed" ""
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_are_unique_and_well_formed() {
        let mut seen = BTreeSet::new();
        for code in Code::ALL {
            let text = code.as_str();
            assert!(seen.insert(text), "{text} stands twice");
            assert!(text.bytes().all(|b| b.is_ascii_lowercase() || b"-.12".contains(&b)), "{text}");
            assert!(!code.title().is_empty() && !code.title().ends_with('.'), "{text}");
            assert!(!code.advice().ends_with('.'), "{text}");
        }
        for group in [Group::HEADER, Group::GZIP, Group::TAR, Group::CONTEXT] {
            assert!(Code::ALL.iter().any(|code| code.group() == group), "{group:?}");
        }
        assert_eq!(Code::Cancelled.group().as_str(), "cancelled");
    }
}
