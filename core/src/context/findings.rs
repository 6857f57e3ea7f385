//! What there is to say about the files of a context, beyond what is needed to read it.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::layout::Part;
use super::open::{CONTROL, DICT};
use super::{Context, Tree};
use crate::code::Code;
use crate::members::{NDS, in_context};
use crate::problem::{Problem, Result};
use crate::read_at::{Files, ReadAt};

/// The table of branches, which layer 2 has and never uses.
const BRANCHES: &str = "store.branches";

/// Its header, of a table without entries or with any.
const BRANCHES_HEADER: usize = 16;

/// What says that a context has a second half (NDS), in a database of its own beside it; `None` if nothing does. The
/// state can say so as well ([`Tree::is_dual`]).
///
/// # Errors
/// Whatever the files report.
pub fn second_half(files: &impl Files) -> Result<Option<&'static str>> {
    Ok((!files.names(NDS)?.is_empty()).then_some("a directory context/nds"))
}

impl<F: Files> Context<F> {
    /// Files that nothing names ([`Code::ContextLeftover`]) and the marker of a second half
    /// ([`Code::ContextDual`]): they do no harm.
    ///
    /// # Errors
    /// Whatever the files report.
    pub fn remarks(&self) -> Result<Vec<Problem>> {
        let layout = self.layout();
        let mut named: BTreeSet<String> =
            [CONTROL, DICT, BRANCHES].into_iter().map(ToString::to_string).collect();
        named.extend((0..layout.chunks()).map(|at| layout.name(Part::Chunk(at))));
        if self.control().collected().is_some() {
            named.insert(layout.name(Part::Prefix));
            named.insert(format!("store.{}.mapping", layout.generation()));
        }
        let mut remarks = Vec::new();
        let leftover = |name: String| Problem::new(Code::ContextLeftover).member(in_context(&name));
        remarks
            .extend(self.files().names("")?.into_iter().filter(|name| !named.contains(name)).map(leftover));
        let index = self.files().names("index")?;
        let unused = |name: &String| !matches!(&**name, "log" | "log_async" | "data" | "lock");
        remarks.extend(index.into_iter().filter(unused).map(|name| leftover(format!("index/{name}"))));
        let found = second_half(self.files())?;
        remarks.extend(found.map(|found| Problem::new(Code::ContextDual).found(found)));
        Ok(remarks)
    }

    /// What we can read past, but the library cannot: bytes after the record of the control file, a
    /// missing or foreign table of branches.
    ///
    /// # Errors
    /// Whatever the files report.
    pub fn refusals(&self) -> Result<Vec<Problem>> {
        let mut refusals = Vec::new();
        if self.control().trailing > 0 {
            refusals.push(
                Problem::new(Code::ContextControl)
                    .member(in_context(CONTROL))
                    .expected("nothing after the record")
                    .found(format_args!("{} bytes", self.control().trailing)),
            );
        }
        let branches = Problem::new(Code::ContextFile).member(in_context(BRANCHES));
        let found = match self.files().open(BRANCHES)? {
            None => Some("no such file"),
            Some(file) if file.len() < BRANCHES_HEADER as u64 => Some("a file without its header"),
            Some(file) => {
                let mut header = [0; BRANCHES_HEADER];
                file.read_at(0, &mut header)?;
                let version = header.last_chunk::<8>();
                let known = version.is_some_and(|text| {
                    text.starts_with(b"0000000") && matches!(text.last(), Some(b'1'..=b'5'))
                });
                (!known).then_some("no table of branches")
            }
        };
        refusals.extend(found.map(|found| branches.found(found)));
        Ok(refusals)
    }
}

impl<F: Files> Tree<'_, F> {
    /// Whether the state says that it has a second half, in a database of its own.
    ///
    /// # Errors
    /// As [`Tree::get`].
    pub fn is_dual(&self) -> Result<bool> {
        Ok(self.get(&["pvm_state", "pvm", "nds_hash"])?.is_some())
    }
}
