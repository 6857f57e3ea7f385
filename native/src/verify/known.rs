//! What the small files in the context of a snapshot say, read before all else where the snapshot can be read at any
//! offset: in an uncompressed file, or by an index. Its objects are then checked as they come, and none has to wait.

use std::collections::{BTreeMap, BTreeSet};

use rollsnap_core::context::Context;
use rollsnap_core::context::layout::Layout;
use rollsnap_core::context::pack::Dict;
use rollsnap_core::feedback::Phase;
use rollsnap_core::members::{MemberKind, in_context};
use rollsnap_core::snapshot::{Event, Options};
use rollsnap_core::{Code, Feedback, Problem, ReadAt, Result};

use crate::source::{Source, Unheard};

/// How many bytes of small files are read beforehand. Real ones have some megabytes.
const MOST: u64 = 64 << 20;

const PHASE: Phase = Phase::only("Reading member headers");

/// A file of the context: its length, and the bytes of a small one.
#[derive(Debug)]
struct Small {
    len: u64,
    bytes: Vec<u8>,
}

impl ReadAt for Small {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let bytes = start.checked_add(out.len()).and_then(|end| self.bytes.get(start..end));
        out.copy_from_slice(bytes.ok_or_else(|| Problem::new(Code::IoOther))?);
        Ok(())
    }
}

/// Reads them; `None` where that is not possible. Whatever is wrong is said when they come, and so is an index that led to
/// something else.
///
/// # Errors
/// [`Code::Cancelled`].
pub(super) fn beforehand(source: &Source, feedback: &mut dyn Feedback) -> Result<Option<(Layout, Dict)>> {
    if source.remote().is_some() || !source.is_reachable() {
        return Ok(None);
    }
    let unheard = &mut Unheard(feedback);
    let opened = small_files(source, unheard).and_then(|files| {
        let Some(files) = files else { return Ok(None) };
        let context = Context::open(&files)?;
        Ok(Some((context.layout().clone(), context.dict().clone())))
    });
    match opened {
        Err(problem) if problem.code() == Code::Cancelled => Err(problem),
        opened => Ok(opened.ok().flatten()),
    }
}

/// The files of the context; `None` where they cannot be had.
fn small_files(source: &Source, feedback: &mut dyn Feedback) -> Result<Option<BTreeMap<String, Small>>> {
    let mut files = BTreeMap::new();
    let listed = source.again()?.list(Options::default(), PHASE, feedback, &mut |event| match event {
        Event::Problem(problem) => Err(problem.clone()),
        Event::Member(member) => {
            if let Some(MemberKind::Context(name)) = MemberKind::of(&member.name) {
                files.insert(name.to_owned(), Small { len: member.size, bytes: Vec::new() });
            }
            Ok(())
        }
        _ => Ok(()),
    })?;
    let is_small = |name: &&String| {
        name.ends_with(".mapping") || ["store.control", "store.dict"].contains(&name.as_str())
    };
    let small: Vec<String> = files.keys().filter(is_small).map(in_context).collect();
    let bytes: u64 = files.iter().filter(|(name, _)| is_small(name)).map(|(_, file)| file.len).sum();
    // Nothing compresses these as much as to be far longer than the snapshot.
    let most = MOST.min(source.size().unwrap_or_default().saturating_mul(8));
    if listed.is_none() || bytes > most {
        return Ok(None);
    }
    let names: BTreeSet<&str> = small.iter().map(String::as_str).collect();
    let mut open: Option<String> = None;
    let found = source.again()?.find(&names, false, Options::default(), PHASE, feedback, &mut |event| {
        match event {
            Event::Problem(problem) => return Err(problem.clone()),
            Event::Member(member) => {
                open = match MemberKind::of(&member.name) {
                    Some(MemberKind::Context(name)) => Some(name.to_owned()),
                    _ => None,
                };
            }
            Event::Data(data) => {
                if let Some(file) = open.as_ref().and_then(|name| files.get_mut(name)) {
                    file.bytes.extend_from_slice(data);
                }
            }
            _ => {}
        }
        Ok(())
    })?;
    Ok(found.map(|_| files))
}
