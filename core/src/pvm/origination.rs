//! Does the origination give the genesis state? (rule P5c)
//!
//! A genesis state consists of a kernel, the boot sector, and of what the protocol gave. So it can be
//! made again and compared: with the state that a context holds, and, through its hash, with the
//! genesis commitment.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::counters::Counters;
use super::durable::Durable;
use super::flags::{KERNEL, VERSION};
use super::genesis::{self, Constants};
use super::reveal::Rollup;
use super::version::Version;
use crate::code::Code;
use crate::context::edit::Tree;
use crate::context::path;
use crate::encoding::Commitment;
use crate::hash::{CommitmentHash, ProtocolHash, StateHash};
use crate::nodes::contents::genesis_state;
use crate::problem::{Place, Problem, Result};

/// Longest boot sector that is made a state of, in bytes: an operation of layer 1 has no more than 32 KiB, a rollup
/// that a private chain begins with can have a whole kernel.
pub const MAX_BOOT_SECTOR: u64 = 4 << 20;

/// What is known of the origination of a rollup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origination {
    /// The rollup.
    pub rollup: Rollup,
    /// The commitment that it starts with.
    pub commitment: CommitmentHash,
}

/// What a stored genesis state is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts {
    /// The kernel.
    pub boot_sector: Vec<u8>,
    /// What the protocol gave, as the state says.
    pub constants: Constants,
}

/// A boot sector that gives the genesis state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Confirmed {
    /// Length of the boot sector, in bytes.
    pub boot_sector: usize,
    /// What the protocol gave.
    pub constants: Constants,
}

/// The genesis state, made again: that of the commitment, and the one that nodes store, which they patch for some
/// rollups.
struct Made {
    committed: StateHash,
    stored: StateHash,
}

impl Parts {
    /// Reads them from a state: the directory `pvm_state` of a context.
    ///
    /// # Errors
    /// [`Code::PvmState`] when something is missing or malformed, [`Code::PvmRefusedVersion`]; whatever reading
    /// reports.
    pub fn read(tree: &Tree) -> Result<Self> {
        let durable = tree.find_tree(&[b"durable"])?.map(Durable).unwrap_or_default();
        let missing = |key: &[&[u8]]| {
            let key = path::show(key);
            Problem::new(Code::PvmState).path(format!("pvm_state/durable/{key}")).found("no value")
        };
        let version = durable.value(VERSION)?.ok_or_else(|| missing(VERSION))?.read(0, 64)?;
        let unknown = || Problem::new(Code::PvmRefusedVersion).found(path::show_step(&version));
        let version = Version::parse(&version).ok_or_else(unknown)?;
        let counters = Counters::load(tree)?;
        let too_many = || Problem::new(Code::PvmState).path("pvm_state/pvm/max_nb_ticks");
        let max_nb_ticks = counters.max_nb_ticks.try_into().map_err(|_| too_many())?;
        let kernel = durable.value(KERNEL)?.ok_or_else(|| missing(KERNEL))?;
        if kernel.len() > MAX_BOOT_SECTOR {
            return Err(too_long(kernel.len()));
        }
        Ok(Self {
            boot_sector: kernel.read(0, MAX_BOOT_SECTOR)?,
            constants: Constants {
                version,
                max_nb_ticks,
                outbox_validity_period: counters.outbox_validity_period,
                outbox_message_limit: counters.outbox_message_limit,
            },
        })
    }
}

impl Origination {
    /// Judges a state of the genesis block, with what it is made of.
    ///
    /// # Errors
    /// [`Code::StateGenesis`] when it is no genesis state, or not the one that the genesis commitment is to.
    pub fn judge_state(&self, state: StateHash, parts: &Parts) -> Result<Confirmed> {
        let Parts { boot_sector, constants } = parts;
        match self.find(boot_sector, Some(*constants))? {
            Some((constants, made)) => self.compare(Some(state), made, constants, boot_sector.len()),
            None => Err(self.refute(Some(state), *constants, boot_sector)),
        }
    }

    /// Judges the boot sector of the operation that originated the rollup under a protocol. `state` is the state of the
    /// genesis block where one is at hand, `constants` what it says. `None` when nothing can be said, because what the
    /// protocol gives is not known.
    ///
    /// # Errors
    /// [`Code::StateGenesis`] when the boot sector gives another state than the one that is stored or committed to.
    pub fn judge_boot_sector(
        &self,
        boot_sector: &[u8],
        protocol: Option<&ProtocolHash>,
        state: Option<StateHash>,
        constants: Option<Constants>,
    ) -> Result<Option<Confirmed>> {
        if boot_sector.len() as u64 > MAX_BOOT_SECTOR {
            return Err(too_long(boot_sector.len() as u64));
        }
        if let Some((constants, made)) = self.find(boot_sector, constants)? {
            return self.compare(state, made, constants, boot_sector.len()).map(Some);
        }
        match constants.or_else(|| protocol.and_then(Constants::of_protocol)) {
            Some(constants) => Err(self.refute(state, constants, boot_sector)),
            None => Ok(None),
        }
    }

    /// The constants under which the boot sector gives the state of the genesis commitment. A protocol is no proof:
    /// networks have had their own, and a state can be patched after it was committed to.
    fn find(&self, boot_sector: &[u8], first: Option<Constants>) -> Result<Option<(Constants, Made)>> {
        for constants in first.into_iter().chain(Constants::known()) {
            let made = self.make(boot_sector, &constants)?;
            if self.commitment_to(made.committed) == self.commitment {
                return Ok(Some((constants, made)));
            }
        }
        Ok(None)
    }

    fn make(&self, boot_sector: &[u8], constants: &Constants) -> Result<Made> {
        let mut state = genesis::genesis(boot_sector, constants)?;
        let committed = state.tree.hash().map(StateHash::new)?;
        genesis::patch(&mut state, &self.rollup)?;
        Ok(Made { committed, stored: state.tree.hash().map(StateHash::new)? })
    }

    fn compare(
        &self,
        state: Option<StateHash>,
        made: Made,
        constants: Constants,
        boot_sector: usize,
    ) -> Result<Confirmed> {
        match state {
            Some(state) if state != made.stored => Err(self.erroneous(&state, &made.stored)),
            _ => Ok(Confirmed { boot_sector, constants }),
        }
    }

    /// No constants lead from the boot sector to the genesis commitment: what is wrong then, said with these.
    fn refute(&self, state: Option<StateHash>, constants: Constants, boot_sector: &[u8]) -> Problem {
        let made = match self.make(boot_sector, &constants) {
            Ok(made) => made,
            Err(problem) => return problem,
        };
        match state {
            Some(state) if state != made.stored => self.erroneous(&state, &made.stored),
            _ => self
                .problem()
                .headline("the genesis commitment is not to the state that the boot sector gives")
                .expected(self.commitment)
                .found(self.commitment_to(made.committed)),
        }
    }

    fn commitment_to(&self, state: StateHash) -> CommitmentHash {
        let content = Commitment {
            compressed_state: state,
            inbox_level: self.rollup.origination_level,
            predecessor: CommitmentHash::ZERO,
            number_of_ticks: 0,
        };
        content.hash()
    }

    fn erroneous(&self, found: &StateHash, made: &StateHash) -> Problem {
        genesis_state(self.rollup.origination_level, found, made)
    }

    fn problem(&self) -> Problem {
        Problem::new(Code::StateGenesis).at(Place::Level(self.rollup.origination_level))
    }
}

impl Confirmed {
    /// What it consists of, for people.
    pub fn words(&self) -> String {
        let Self { boot_sector, constants } = self;
        format!("a kernel of {boot_sector} bytes, version {}", constants.version)
    }
}

/// There may be such a boot sector, but it is not looked at.
fn too_long(len: u64) -> Problem {
    let what = format!("a boot sector of at most {MAX_BOOT_SECTOR} bytes");
    Problem::new(Code::PvmRefusedKernel).expected(what).found(len)
}
