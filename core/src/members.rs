//! What the members of a snapshot are, by their names (`docs/FORMAT.md`, section 5). A data directory has files of
//! the same names, and nobody else spells them.

use alloc::format;
use alloc::string::String;
use core::fmt;

/// What a node records about its rollup.
pub const METADATA: &str = "metadata";

/// The database of a store of version 5.
pub const DATABASE: &str = "store.sqlite";

/// Its log of writes, while a node runs or after one was killed. No snapshot holds it.
pub const DATABASE_LOG: &str = "store.sqlite-wal";

/// What the engine may keep beside the database: its log, the index of that, and its journal.
pub const DATABASE_COMPANIONS: [&str; 3] = [DATABASE_LOG, "store.sqlite-shm", "store.sqlite-journal"];

/// The directory of the context.
pub const CONTEXT: &str = "context";

/// The directory of the second half of a state (NDS), below that of the context.
pub const NDS: &str = "nds";

/// Whether a file, named below `context/`, is part of that second half.
pub fn is_nds(name: &str) -> bool {
    name.strip_prefix(NDS).is_some_and(|rest| rest.starts_with('/'))
}

/// The directory of a store in files, which versions before 5 are.
pub const STORAGE: &str = "storage";

/// Says which version a store has. One of version 5 may have it, too.
pub const VERSION: &str = "storage/version";

/// The commitment that the operator has published last. It stays with him: no snapshot has it.
pub const LPC: &str = "storage/lpc";

/// Part of a store in files, which is read only where it is on a disk.
pub const IRMIN_STORE: &str = "storage/irmin_store";

/// The directories of pre-images.
pub const PRE_IMAGES: [&str; 3] =
    [PvmKind::Wasm200.as_str(), PvmKind::Arith.as_str(), PvmKind::Riscv.as_str()];

/// All that a snapshot puts into a data directory.
pub const TOP_LEVEL: [&str; 7] =
    [METADATA, DATABASE, STORAGE, CONTEXT, PRE_IMAGES[0], PRE_IMAGES[1], PRE_IMAGES[2]];

/// Kind of a proof-generating virtual machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PvmKind {
    /// `arith`, for tests.
    Arith,
    /// `wasm_2_0_0`, what nearly every rollup runs.
    Wasm200,
    /// `riscv`.
    Riscv,
}

impl PvmKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Arith, Self::Wasm200, Self::Riscv];

    /// Its name, which is also that of its directory of pre-images.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Arith => "arith",
            Self::Wasm200 => "wasm_2_0_0",
            Self::Riscv => "riscv",
        }
    }
}

impl fmt::Display for PvmKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberKind<'n> {
    /// [`METADATA`].
    Metadata,
    /// [`DATABASE`].
    Database,
    /// [`VERSION`].
    Version,
    /// A file of [`IRMIN_STORE`].
    IrminStore,
    /// Another file of a store in files.
    Storage,
    /// A file of the context: its name below [`CONTEXT`].
    Context(&'n str),
    /// A file in the directory of pre-images of this kind: its name there.
    PreImage(PvmKind, &'n str),
}

impl<'n> MemberKind<'n> {
    /// What the member of this name is; `None` when no node puts such a file into a snapshot. It would overwrite what
    /// is the operator's own (`config.json`, locks, logs, the last published commitment).
    pub fn of(name: &'n str) -> Option<Self> {
        match name {
            METADATA => return Some(Self::Metadata),
            DATABASE => return Some(Self::Database),
            VERSION => return Some(Self::Version),
            LPC => return None,
            _ => {}
        }
        if below(IRMIN_STORE, name).is_some() {
            return Some(Self::IrminStore);
        }
        match name.split_once('/')? {
            (STORAGE, _) => Some(Self::Storage),
            (CONTEXT, name) => Some(Self::Context(name)),
            (directory, name) => {
                let kind = PvmKind::ALL.into_iter().find(|kind| kind.as_str() == directory)?;
                Some(Self::PreImage(kind, name))
            }
        }
    }

    /// Whether it is a file of the store, of whatever version.
    pub const fn is_of_store(self) -> bool {
        match self {
            Self::Database | Self::Version | Self::IrminStore | Self::Storage => true,
            Self::Metadata | Self::Context(_) | Self::PreImage(..) => false,
        }
    }
}

/// The name of a file below a directory; `None` when it is elsewhere.
pub fn below<'n>(directory: &str, name: &'n str) -> Option<&'n str> {
    name.strip_prefix(directory)?.strip_prefix('/')
}

/// The name of a member that has this name below the context.
pub fn in_context(name: impl fmt::Display) -> String {
    format!("{CONTEXT}/{name}")
}

/// The name of a member that has this name below the directory of a store in files.
pub fn in_storage(name: impl fmt::Display) -> String {
    format!("{STORAGE}/{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The list is that of docs/FORMAT.md, section 5.
    #[test]
    fn a_member_is_what_its_name_says() {
        for (name, kind) in [
            ("metadata", MemberKind::Metadata),
            ("store.sqlite", MemberKind::Database),
            ("storage/version", MemberKind::Version),
            ("storage/l2_head", MemberKind::Storage),
            ("storage/messages/data", MemberKind::Storage),
            ("storage/irmin_store", MemberKind::Storage),
            ("storage/irmin_store/index/data", MemberKind::IrminStore),
            ("context/store.control", MemberKind::Context("store.control")),
            ("context/index/data", MemberKind::Context("index/data")),
            ("wasm_2_0_0/00ff", MemberKind::PreImage(PvmKind::Wasm200, "00ff")),
            ("arith/a/b", MemberKind::PreImage(PvmKind::Arith, "a/b")),
            ("riscv/x", MemberKind::PreImage(PvmKind::Riscv, "x")),
        ] {
            assert_eq!(MemberKind::of(name), Some(kind), "{name}");
        }
    }

    #[test]
    fn what_is_the_operators_own_is_no_member() {
        for name in [
            "",
            "config.json",
            "lock",
            "storage/lpc",
            "storage",
            "storages/version",
            "context",
            "contexts/index/data",
            "metadata/x",
            "metadata.json",
            "store.sqlite-wal",
            "store.sqlite/x",
            "wasm_2_0_0",
            "wasm_2_0_1/00ff",
            "/context/index/data",
        ] {
            assert_eq!(MemberKind::of(name), None, "{name}");
        }
    }

    #[test]
    fn each_kind_has_its_directory_at_the_top() {
        for kind in PvmKind::ALL {
            assert!(PRE_IMAGES.contains(&kind.as_str()) && TOP_LEVEL.contains(&kind.as_str()), "{kind}");
        }
    }
}
