//! What the machine is doing: the tag of its WASM half.

use core::fmt;

use serde::{Serialize, Serializer};

macro_rules! phases {
    ($($(#[$doc:meta])* $name:ident $text:literal)*) => {
        /// What the machine is doing. Between two blocks it is [`Phase::Collect`] or [`Phase::Stuck`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Phase {
            $($(#[$doc])* $name,)*
        }

        impl Phase {
            const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The text in the state.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

phases! {
    /// Waits for messages.
    Collect "collect"
    /// Has all messages of the level, or has run, and counts ticks up to the end of the cycle.
    Padding "padding"
    /// Is about to run the kernel.
    Snapshot "snapshot"
    /// Inside a run: reads the module.
    Decode "decode"
    /// Inside a run: looks for the imports.
    Link "link"
    /// Inside a run: instantiates the module.
    Init "init"
    /// Inside a run: executes the entry.
    Eval "eval"
    /// Broken: takes messages and does nothing more.
    Stuck "stuck"
}

impl Phase {
    /// The phase with this text.
    pub fn parse(text: &[u8]) -> Option<Self> {
        Self::ALL.iter().copied().find(|phase| phase.as_str().as_bytes() == text)
    }

    /// Whether a state between two blocks can be in it.
    pub const fn between_blocks(self) -> bool {
        matches!(self, Self::Collect | Self::Stuck)
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for Phase {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
