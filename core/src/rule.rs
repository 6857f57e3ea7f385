//! The rules of the nodes, E1 to P5h: what each of them asks, and where rollsnap judges it.
//!
//! The nodes apply them before an export (E), to the exported file (X), before an import (I) and to what was imported
//! (P). `docs/FORMAT.md`, sections 7 and 8, says when each applies and where the two families of nodes differ. What a
//! node says when one does not hold is in [`nodes`](crate::nodes). What rollsnap finds beyond these rules has a
//! [`Code`](crate::Code) and no rule.

use core::fmt;

macro_rules! rules {
    ($($name:ident $asks:literal $judged:literal)*) => {
        /// A rule of the nodes, by the name that the documents use.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule {
            $(#[doc = $asks] $name,)*
        }

        impl Rule {
            /// All of them, in the order in which the nodes apply them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Its name, such as `I5d`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }

            /// What must hold.
            pub const fn asks(self) -> &'static str {
                match self { $(Self::$name => $asks,)* }
            }

            /// The source file that judges it, from the top of the repository.
            pub const fn judged(self) -> &'static str {
                match self { $(Self::$name => $judged,)* }
            }
        }
    };
}

#[rustfmt::skip]
rules! {
    E1 "the store has the version that the node reads" "core/src/store/rules.rs"
    E2 "the directory has metadata" "native/src/data_dir/metadata.rs"
    E3 "the metadata are of context version 0" "core/src/store/metadata.rs"
    E4 "the store can be opened for reading: no migration is missing or unknown" "core/src/store/schema.rs"
    E5 "the store has a head" "core/src/store/rows.rs"
    E6 "at least one block has a context" "core/src/store/rows.rs"
    E7 "the level that is asked for is there" "native/src/store/level.rs"
    E8 "the store records a history mode" "native/src/store/read.rs"
    E9 "the context of the block that is exported can be checked out" "core/src/store/rules.rs"
    E10 "the predecessor of the last commitment is published on layer 1" "core/src/layer1/before_export.rs"
    X1 "E1, E2, E5 and E9 hold for the finished file" "native/src/export/check.rs"
    X2 "the header names the last commitment of the head" "core/src/store/rules.rs"
    X3 "every block from the head down is there, with its messages, inbox, commitment and context" "core/src/chain/walk.rs"
    I1 "the directory is not populated, or --force is given" "native/src/destination/mod.rs"
    I2 "no node runs on the directory" "native/src/data_dir/lock.rs"
    I3 "the file opens and its header can be read" "native/src/source/mod.rs"
    I4 "the snapshot is of the same rollup" "native/src/import/rules.rs"
    I5 "the snapshot has a history mode that the directory can take" "native/src/import/rules.rs"
    I5b "--level is not above the level of the header" "native/src/import/rules.rs"
    I5c "the snapshot is newer than the directory" "native/src/import/rules.rs"
    I5d "the level of the header is above the savepoint of layer 1" "core/src/layer1/outcome.rs"
    I6 "the last commitment is published on layer 1" "core/src/layer1/search.rs"
    P1 "E1, E2, E5 and E9 hold for what was imported" "native/src/import/rules.rs"
    P2 "X2 holds for what was imported" "native/src/import/rules.rs"
    P3 "the last commitment at --level is published on layer 1" "native/src/import/layer1.rs"
    P4 "the store has the last cemented commitment of layer 1" "core/src/store/cemented.rs"
    P5a "a commitment has the hash that its block names" "core/src/chain/walk.rs"
    P5b "a context has a PVM state" "core/src/chain/walk.rs"
    P5c "the origination gives the state at the genesis level" "core/src/pvm/origination.rs"
    P5d "the state of a block is the one of its commitment" "core/src/chain/walk.rs"
    P5e "a commitment is for the level of its block" "core/src/chain/walk.rs"
    P5f "a block and its commitment name the same predecessor" "core/src/chain/walk.rs"
    P5g "commitments follow each other" "core/src/chain/walk.rs"
    P5h "an inbox has the hash that its block names" "core/src/chain/links.rs"
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
