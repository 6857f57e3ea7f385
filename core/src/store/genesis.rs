//! The state at the origination (rule P5c): what a store and a context have of it, and whether it is the one that the
//! origination gives.

use alloc::format;
use alloc::string::String;

use super::{Metadata, Rows};
use crate::code::Code;
use crate::context::edit::Tree;
use crate::context::{Contexts, Found};
use crate::hash::{ContextHash, ProtocolHash, StateHash};
use crate::members::PvmKind;
use crate::problem::{Problem, Result};
use crate::pvm::Rollup;
use crate::pvm::origination::{Confirmed, Origination, Parts};
use crate::report::{Check, GENESIS_NOT_CHECKED};

/// Reads the PVM state of a commit of the context; `None` when the commit has none.
pub type States<'a> = &'a dyn Fn(&ContextHash) -> Result<Option<Tree>>;

/// What is known of the origination, and of the state that it gave.
#[derive(Clone, Debug)]
pub struct Genesis {
    origination: Option<Origination>,
    /// Hash of the state in the context of the genesis block.
    state: Option<StateHash>,
    parts: core::result::Result<Parts, Missing>,
}

/// Why it is not known what the state consists of.
#[derive(Clone, Debug)]
enum Missing {
    Because(String),
    Problem(Problem),
}

impl Genesis {
    /// Nothing is known, for this reason.
    pub fn unknown(why: impl Into<String>) -> Self {
        Self { origination: None, state: None, parts: Err(Missing::Because(why.into())) }
    }

    /// Looks the genesis block up in a store, and reads its state.
    pub fn find(
        metadata: Option<&Metadata>,
        store: &impl Rows,
        contexts: Option<&Contexts>,
        states: Option<States<'_>>,
    ) -> Self {
        let Some(metadata) = metadata else { return Self::unknown("there are no metadata") };
        if metadata.kind != PvmKind::Wasm200 {
            return Self::unknown(format!("the state of the kind {} is not computed", metadata.kind));
        }
        let rollup = Rollup { address: metadata.rollup_address, origination_level: metadata.genesis_level };
        let mut genesis = Self {
            origination: Some(Origination { rollup, commitment: metadata.genesis_commitment }),
            ..Self::unknown("")
        };
        genesis.parts = genesis.read(metadata.genesis_level, store, contexts, states);
        genesis
    }

    fn read(
        &mut self,
        level: i32,
        store: &impl Rows,
        contexts: Option<&Contexts>,
        states: Option<States<'_>>,
    ) -> core::result::Result<Parts, Missing> {
        let because = |why: String| Err(Missing::Because(why));
        let block = store.block_at(level).map_err(Missing::Problem)?;
        let Some(block) = block else { return because(format!("the store has no block of level {level}")) };
        let Some(context) = block.context else {
            return because(format!("the block of level {level} has no context"));
        };
        let Some((states, contexts)) = states.zip(contexts) else {
            return because("the context was not read".into());
        };
        match contexts.find(&context) {
            Found::No => return because(format!("the context of level {level} is not there")),
            Found::Listed => {}
            Found::Read(state) => self.state = state,
        }
        match states(&context) {
            Err(problem) => Err(Missing::Problem(problem)),
            Ok(None) => because(format!("the context of level {level} has no state")),
            Ok(Some(tree)) => {
                let state = StateHash::new(tree.hash().map_err(Missing::Problem)?);
                // What was read of all objects is what the block's commit has.
                if self.state.is_some_and(|known| known != state) {
                    return because(format!("the context of level {level} is damaged"));
                }
                self.state = Some(state);
                Parts::read(&tree).map_err(Missing::Problem)
            }
        }
    }

    /// Whether the kernel in the genesis state gives that state, and the genesis commitment.
    ///
    /// # Errors
    /// [`Code::StateGenesis`]
    pub fn judge(&self) -> Result<Check> {
        match (&self.origination, self.state, &self.parts) {
            (Some(origination), Some(state), Ok(parts)) => {
                let confirmed = origination.judge_state(state, parts);
                self.told(confirmed.map(Some), "its own kernel gives the genesis state and commitment")
            }
            (_, _, Err(missing)) => Ok(missing.check()),
            _ => Ok(not_checked("there is no state")),
        }
    }

    /// Whether the boot sector that layer 1 names gives the genesis commitment, and the genesis state where it is at
    /// hand. `None` is the answer of a layer 1 that has no such operation.
    ///
    /// # Errors
    /// [`Code::StateGenesis`]
    pub fn judge_boot_sector(
        &self,
        boot_sector: Option<&[u8]>,
        protocol: Option<&ProtocolHash>,
    ) -> Result<Check> {
        let Some(origination) = &self.origination else { return self.judge() };
        let Some(boot_sector) = boot_sector else {
            return Ok(layer1_not_checked("no operation of that level originates the rollup"));
        };
        let constants = self.parts.as_ref().ok().map(|parts| parts.constants);
        let confirmed = origination.judge_boot_sector(boot_sector, protocol, self.state, constants);
        let what = match self.state {
            Some(_) => "the boot sector on layer 1 gives the genesis state and commitment",
            None => "the boot sector on layer 1 gives the genesis commitment",
        };
        if let Ok(None) = confirmed {
            return Ok(layer1_not_checked("what the protocol of the origination gives is not known"));
        }
        self.told(confirmed, what)
    }

    /// The level of the origination, where its boot sector can be judged.
    pub fn level(&self) -> Option<i32> {
        self.origination.map(|origination| origination.rollup.origination_level)
    }

    fn told(&self, confirmed: Result<Option<Confirmed>>, what: &str) -> Result<Check> {
        match confirmed {
            Ok(Some(confirmed)) => {
                Ok(Check::yes(Code::StateGenesis, format!("{what}: {}", confirmed.words())))
            }
            Ok(None) => Ok(not_checked("what the protocol gave is not known")),
            Err(problem) if problem.code() == Code::StateGenesis => Err(problem),
            Err(problem) => Ok(Missing::Problem(problem).check()),
        }
    }
}

/// What a report says when layer 1 does not serve the operations of so old a block.
pub fn not_served(problem: &Problem) -> Check {
    layer1_not_checked(&problem.sentence())
}

fn layer1_not_checked(why: &str) -> Check {
    let what = "not checked: whether the boot sector on layer 1 gives the genesis state";
    Check::unknown(Code::StateGenesis, format!("{what} ({why})"))
}

fn not_checked(why: &str) -> Check {
    Check::unknown(Code::StateGenesis, format!("{GENESIS_NOT_CHECKED} ({why})"))
}

impl Missing {
    /// The check of the context reports what is wrong with it; here something is only missing. What is wrong with
    /// a disk counts.
    fn check(&self) -> Check {
        match self {
            Self::Because(why) => not_checked(why),
            Self::Problem(problem) if problem.code().is_about_contents() => not_checked(&problem.sentence()),
            Self::Problem(problem) => Check::open(problem),
        }
    }
}
