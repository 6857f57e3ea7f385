//! A state in memory: the tree, and the parts of it that the machine works with.

use super::codec::{self, damaged, leaf};
use super::counters::Counters;
use super::cycle::Flags;
use super::durable::Durable;
use super::flags::VERSION;
use super::input::Input;
use super::output::Output;
use super::version::Version;
use crate::code::Code;
use crate::context::edit::{ObjectStore, Tree};
use crate::context::path;
use crate::problem::{Problem, Result};

const DURABLE: &[&[u8]] = &[b"durable"];
/// Says that the boot sector is installed.
const INSTALLED: &[&[u8]] = &[b"tag"];
const SOME: &[u8] = b"Some";

/// A state. A clone costs little, so work is done on one and thrown away if it fails.
#[derive(Clone, Debug)]
pub(super) struct State {
    /// As it was written last; newer are the fields below.
    pub(super) tree: Tree,
    pub(super) durable: Durable,
    pub(super) counters: Counters,
    pub(super) input: Input,
    pub(super) output: Output,
    /// While a level goes on.
    pub(super) flags: Option<Flags>,
    saved: Option<Saved>,
}

/// What of the fields is in the tree.
#[derive(Clone, Debug)]
struct Saved {
    counters: Counters,
    input: Input,
    output: Output,
}

impl State {
    /// A state whose parts are not in its tree yet.
    pub(super) fn new(
        tree: Tree,
        durable: Durable,
        counters: Counters,
        input: Input,
        output: Output,
    ) -> Result<Self> {
        let mut state = Self { tree, durable, counters, input, output, flags: None, saved: None };
        state.save()?;
        Ok(state)
    }

    /// Reads a state, which must be one that stands between two blocks.
    ///
    /// # Errors
    /// [`Code::PvmState`] for what is malformed, [`Code::PvmRefusedPhase`],
    /// [`Code::PvmRefusedVersion`]; whatever reading the tree reports.
    pub(super) fn load(tree: Tree) -> Result<Self> {
        let installed = leaf(&tree, INSTALLED)?;
        let counters = Counters::load(&tree)?;
        if installed.is_none() || !counters.phase.between_blocks() {
            return Err(Problem::new(Code::PvmRefusedPhase)
                .expected("a state between two blocks")
                .found(if installed.is_none() { "no boot sector" } else { counters.phase.as_str() }));
        }
        if installed.as_deref() != Some(&codec::text(SOME)) {
            return Err(damaged(INSTALLED).expected("Some"));
        }
        let (input, output) = (Input::load(&tree)?, Output::load(&tree)?);
        let durable = tree.find_tree(DURABLE)?;
        let durable =
            Durable(durable.ok_or_else(|| damaged(DURABLE).expected("a directory").found("nothing"))?);
        let saved = Saved { counters: counters.clone(), input: input.clone(), output: output.clone() };
        let state = Self { tree, durable, counters, input, output, flags: None, saved: Some(saved) };
        state.version()?;
        Ok(state)
    }

    /// Its version.
    ///
    /// # Errors
    /// [`Code::PvmRefusedVersion`] when it is unknown.
    pub(super) fn version(&self) -> Result<Version> {
        let text = match self.durable.value(VERSION)? {
            Some(value) => value.read(0, 64)?,
            None => return Err(damaged(&[DURABLE, VERSION].concat()).expected("a version").found("nothing")),
        };
        Version::parse(&text)
            .ok_or_else(|| Problem::new(Code::PvmRefusedVersion).found(path::show_step(&text)))
    }

    /// Brings the tree up to date, touching only what changed.
    pub(super) fn save(&mut self) -> Result<()> {
        let saved = self.saved.take();
        if saved.is_none() {
            self.tree.add(INSTALLED, codec::text(SOME))?;
        }
        self.counters.save(saved.as_ref().map(|saved| &saved.counters), &mut self.tree)?;
        self.input.save(saved.as_ref().map(|saved| &saved.input), &mut self.tree)?;
        self.output.save(saved.as_ref().map(|saved| &saved.output), &mut self.tree)?;
        self.tree.add_tree(DURABLE, self.durable.0.clone())?;
        self.saved = Some(Saved {
            counters: self.counters.clone(),
            input: self.input.clone(),
            output: self.output.clone(),
        });
        Ok(())
    }

    /// Forgets what can be loaded again.
    pub(super) fn shrink(&mut self, objects: &ObjectStore, budget: u64) -> Result<bool> {
        if objects.loaded() <= budget {
            return Ok(false);
        }
        // What is shared cannot be forgotten.
        self.durable = Durable::default();
        let shrunk = self.tree.shrink(objects, budget);
        self.durable = Durable(self.tree.find_tree(DURABLE)?.unwrap_or_default());
        Ok(shrunk)
    }

    /// Marks everything as stored, as a commit does, which changes the order in which kernels see
    /// the children of keys.
    pub(super) fn committed(&mut self) -> Result<()> {
        self.tree.commit()?;
        self.durable = Durable(self.tree.find_tree(DURABLE)?.unwrap_or_default());
        Ok(())
    }
}
