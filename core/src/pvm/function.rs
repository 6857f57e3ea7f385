//! The host functions: what a kernel may import, with types and first version.
//!
//! This table is the only one. Admission checks imports against it, engines define their imports
//! from it, and the machine carries the functions out.

use super::version::Version;

/// The module that every import of a kernel must name.
pub const MODULE: &str = "smart_rollup_core";

/// The function that a kernel exports and that a run calls.
pub const ENTRY: &str = "kernel_run";

/// The types of parameters and results. Kernels have no floats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueType {
    /// 32 bits.
    I32,
    /// 64 bits.
    I64,
}

/// A parameter or a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// 32 bits.
    I32(i32),
    /// 64 bits.
    I64(i64),
}

impl Value {
    /// Its type.
    pub const fn kind(self) -> ValueType {
        match self {
            Self::I32(_) => ValueType::I32,
            Self::I64(_) => ValueType::I64,
        }
    }
}

macro_rules! results {
    (none) => {
        None
    };
    ($result:ident) => {
        Some(ValueType::$result)
    };
}

macro_rules! functions {
    ($($(#[$doc:meta])* $name:ident $import:literal $since:ident ($($param:ident)*) $result:ident)*) => {
        /// A function of [`MODULE`] that a kernel can import.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum HostFunction {
            $($(#[$doc])* $name,)*
        }

        impl HostFunction {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The name by which a kernel imports it.
            pub const fn import(self) -> &'static str {
                match self { $(Self::$name => $import,)* }
            }

            /// The first version that knows it. To import it in a state of an earlier version is a
            /// link error.
            pub const fn since(self) -> Version {
                match self { $(Self::$name => Version::$since,)* }
            }

            /// The types of its parameters.
            pub const fn params(self) -> &'static [ValueType] {
                match self { $(Self::$name => &[$(ValueType::$param),*],)* }
            }

            /// The type of its result, if it has one.
            pub const fn result(self) -> Option<ValueType> {
                match self { $(Self::$name => results!($result),)* }
            }
        }
    };
}

functions! {
    /// Takes the next message: info, destination, maximum.
    ReadInput "read_input" V0 (I32 I32 I32) I32
    /// Appends a message to the outbox: source, length.
    WriteOutput "write_output" V0 (I32 I32) I32
    /// Says something to a debugger, which is not here: source, length.
    WriteDebug "write_debug" V0 (I32 I32) none
    /// Whether a key has a value, children or both: key, length.
    StoreHas "store_has" V0 (I32 I32) I32
    /// How many children a key has: key, length.
    StoreListSize "store_list_size" V0 (I32 I32) I64
    /// Length of a value: key, length.
    StoreValueSize "store_value_size" V0 (I32 I32) I32
    /// Deletes a key with all below it: key, length.
    StoreDelete "store_delete" V0 (I32 I32) I32
    /// Copies a key with all below it: from, length, to, length.
    StoreCopy "store_copy" V0 (I32 I32 I32 I32) I32
    /// Moves a key with all below it: from, length, to, length.
    StoreMove "store_move" V0 (I32 I32 I32 I32) I32
    /// Reads from a value: key, length, offset, destination, maximum.
    StoreRead "store_read" V0 (I32 I32 I32 I32 I32) I32
    /// Writes into a value: key, length, offset, source, length.
    StoreWrite "store_write" V0 (I32 I32 I32 I32 I32) I32
    /// Name of a child by its number: key, length, index, destination, maximum.
    StoreGetNthKey "store_get_nth_key" V0 (I32 I32 I64 I32 I32) I32
    /// Contents of a pre-image: hash, length, destination, maximum.
    RevealPreimage "reveal_preimage" V0 (I32 I32 I32 I32) I32
    /// Address and origination level: destination, maximum.
    RevealMetadata "reveal_metadata" V0 (I32 I32) I32
    /// Hash of a key: key, length, destination, maximum.
    StoreGetHash "__internal_store_get_hash" V1 (I32 I32 I32 I32) I32
    /// Deletes a value and leaves the children: key, length.
    StoreDeleteValue "store_delete_value" V1 (I32 I32) I32
    /// Makes a value of zeros: key, length, size.
    StoreCreate "store_create" V1 (I32 I32 I32) I32
    /// Whether a key has a value or children: key, length.
    StoreExists "store_exists" V2 (I32 I32) I32
    /// Any reveal: request, length, destination, maximum.
    Reveal "reveal" V3 (I32 I32 I32 I32) I32
    /// New durable storage, which is not active anywhere: may be imported, must not be called.
    NdsRegistryResize "nds_registry_resize" V6 (I64) I32
    /// As [`Self::NdsRegistryResize`].
    NdsRegistryCopy "nds_registry_copy" V6 (I64 I64) I32
    /// As [`Self::NdsRegistryResize`].
    NdsRegistryMove "nds_registry_move" V6 (I64 I64) I32
    /// As [`Self::NdsRegistryResize`].
    NdsRegistryClear "nds_registry_clear" V6 (I64) I32
    /// As [`Self::NdsRegistryResize`].
    NdsStoreExists "nds_store_exists" V6 (I64 I32 I32) I32
    /// As [`Self::NdsRegistryResize`].
    NdsStoreRead "nds_store_read" V6 (I64 I32 I32 I64 I32 I32) I32
    /// As [`Self::NdsRegistryResize`].
    NdsStoreWrite "nds_store_write" V6 (I64 I32 I32 I64 I32 I32) I32
    /// As [`Self::NdsRegistryResize`].
    NdsStoreSet "nds_store_set" V6 (I64 I32 I32 I32 I32) I32
    /// As [`Self::NdsRegistryResize`].
    NdsStoreDelete "nds_store_delete" V6 (I64 I32 I32) I32
    /// As [`Self::NdsRegistryResize`].
    NdsStoreValueSize "nds_store_value_size" V6 (I64 I32 I32) I32
    /// As [`Self::NdsRegistryResize`].
    NdsDatabaseGetHash "nds_database_get_hash" V6 (I64 I32 I32) I32
}

impl HostFunction {
    /// Whether it belongs to the new durable storage, which is not active anywhere.
    pub fn is_nds(self) -> bool {
        self.import().starts_with("nds_")
    }

    /// The function of this name, if `version` knows one.
    pub fn find(import: &str, version: Version) -> Option<Self> {
        Self::ALL.iter().copied().find(|function| function.import() == import && function.since() <= version)
    }
}
