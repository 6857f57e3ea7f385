//! `rollsnap context ls` and `cat`: the tree of a commit, and its durable storage.

use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

use rollsnap_core::context::{Object, Tree, durable, path};
use rollsnap_core::feedback::Phase;
use rollsnap_core::{Code, Feedback, Problem, Result};
use serde::Serialize;

use super::args::{CatArgs, LsArgs};
use super::{JsonCommit, Opened, choose, open};
use crate::cli::output::{FAINT, Output, print, written};
use crate::cli::progress::Terminal;
use crate::cli::width;
use crate::files::FileSet;

pub(super) fn list(args: &LsArgs, output: &Output, feedback: &mut Terminal) -> Result<ExitCode> {
    let wanted = Wanted::parse(args.path.as_deref().unwrap_or_default())?;
    let target = open(&args.target, feedback)?;
    let context = Opened::of(&target, feedback)?.irmin()?;
    let chosen = choose(&context, &target.levels, &args.commit, feedback)?;
    let tree = context.tree(&chosen.commit)?;
    let entries = match &wanted {
        Wanted::Path(path) => entries(&tree, path)?,
        Wanted::Key(key) => keys(&tree, key)?,
    };
    let entries = entries.ok_or_else(|| wanted.nothing())?;
    feedback.close(true);
    if output.is_json() {
        output.json(&Json {
            schema: "rollsnap.context-ls/1",
            commit: chosen.json(),
            path: wanted.show(),
            entries,
        })?;
    } else {
        let width = width::of_stdout();
        for entry in &entries {
            print(format_args!("{}\n", width::fit(&row(entry), 2, width)))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn cat(args: &CatArgs, feedback: &mut Terminal) -> Result<ExitCode> {
    let wanted = Wanted::parse(&args.path)?;
    let target = open(&args.target, feedback)?;
    let context = Opened::of(&target, feedback)?.irmin()?;
    let chosen = choose(&context, &target.levels, &args.commit, feedback)?;
    let tree = context.tree(&chosen.commit)?;
    feedback.results_stream();
    let mut out = std::io::stdout().lock();
    let mut write = |feedback: &mut Terminal, bytes: &[u8]| {
        feedback.checkpoint()?;
        written(out.write_all(bytes))?;
        feedback.advance(bytes.len() as u64);
        Ok(())
    };
    let phase = Phase::only("Reading context");
    match &wanted {
        Wanted::Path(path) => match tree.get(path)? {
            Some(Object::Contents(contents)) => {
                feedback.phase(Phase { total: Some(contents.size), ..phase });
                context.read_contents(&contents, |bytes| write(feedback, bytes))?;
            }
            Some(Object::Directory(_)) => return Err(wanted.is_directory()),
            None => return Err(wanted.nothing()),
        },
        Wanted::Key(key) => {
            let found = tree.key(key)?.ok_or_else(|| wanted.nothing())?;
            let value = found.value.ok_or_else(|| wanted.is_directory())?;
            feedback.phase(Phase { total: Some(value.size), ..phase });
            tree.read_value(&value, |bytes| write(feedback, bytes))?;
        }
    }
    written(out.flush())?;
    Ok(ExitCode::SUCCESS)
}

/// What a path means.
pub(super) enum Wanted {
    /// A path of the tree.
    Path(Vec<Vec<u8>>),
    /// A key of the durable storage.
    Key(Vec<Vec<u8>>),
}

impl Wanted {
    pub(super) fn parse(text: &OsStr) -> Result<Self> {
        let bytes = text.as_bytes();
        let path = path::parse(bytes).map_err(|why| {
            Problem::new(Code::Usage)
                .headline(format!("{:?} is not a path", text.to_string_lossy()))
                .because(why)
        })?;
        Ok(if bytes.starts_with(b"/") { Self::Key(path) } else { Self::Path(path) })
    }

    pub(super) fn show(&self) -> String {
        match self {
            Self::Path(path) => path::show(path),
            Self::Key(key) => durable::show(key),
        }
    }

    pub(super) fn nothing(&self) -> Problem {
        Problem::new(Code::ContextPath).headline(format!("the commit has nothing at {}", self.quoted()))
    }

    pub(super) fn in_neither(&self) -> Problem {
        Problem::new(Code::ContextPath).headline(format!("neither state has anything at {}", self.quoted()))
    }

    fn is_directory(&self) -> Problem {
        let text = match self {
            Self::Path(_) => format!("{} is a directory", self.quoted()),
            Self::Key(_) => format!("the key {} has no value, only keys below it", self.quoted()),
        };
        Problem::new(Code::ContextPath).headline(text)
    }

    fn quoted(&self) -> String {
        format!("\"{}\"", self.show())
    }
}

/// The entries of a directory, or of the durable storage.
#[derive(Serialize)]
struct Json {
    schema: &'static str,
    commit: JsonCommit,
    path: String,
    entries: Vec<Entry>,
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Entry {
    Directory {
        name: String,
        entries: u64,
        hash: String,
        offset: u64,
    },
    Contents {
        name: String,
        size: u64,
        hash: String,
        offset: u64,
    },
    /// A key of the durable storage.
    Key {
        name: String,
        size: Option<u64>,
        below: bool,
    },
}

fn entries(tree: &Tree<'_, &FileSet>, path: &[Vec<u8>]) -> Result<Option<Vec<Entry>>> {
    if let (Some(last), Some(object @ Object::Contents(_))) = (path.last(), tree.get(path)?) {
        return Ok(Some(vec![entry(last, &object)]));
    }
    let list = tree.list(path)?;
    Ok(list.map(|list| list.iter().map(|(link, object)| entry(&link.name, object)).collect()))
}

fn entry(name: &[u8], object: &Object) -> Entry {
    let (name, hash, offset) = (path::show_step(name), path::hex(object.hash()), object.offset());
    match object {
        Object::Directory(directory) => Entry::Directory { name, entries: directory.entries, hash, offset },
        Object::Contents(contents) => Entry::Contents { name, size: contents.size, hash, offset },
    }
}

fn keys(tree: &Tree<'_, &FileSet>, key: &[Vec<u8>]) -> Result<Option<Vec<Entry>>> {
    let entry = |name: &[u8], found: durable::Key| Entry::Key {
        name: path::show_step(name),
        size: found.value.map(|value| value.size),
        below: found.below,
    };
    if let Some(last) = key.last() {
        match tree.key(key)? {
            None => return Ok(None),
            Some(found) if !found.below => return Ok(Some(vec![entry(last, found)])),
            Some(_) => {}
        }
    }
    let keys = tree.keys(key)?;
    Ok(keys.map(|keys| keys.iter().map(|(name, found)| entry(name, *found)).collect()))
}

/// `d           13  6bbd2a006d8f  durable/`: number of entries, or bytes.
fn row(entry: &Entry) -> String {
    match entry {
        Entry::Directory { name, entries, hash, .. } => {
            format!("d  {entries:>12}  {FAINT}{}{FAINT:#}  {name}/", &hash[..12])
        }
        Entry::Contents { name, size, hash, .. } => {
            format!("-  {size:>12}  {FAINT}{}{FAINT:#}  {name}", &hash[..12])
        }
        Entry::Key { name, size, below } => {
            let size = size.map_or_else(|| "-".into(), |size| size.to_string());
            format!("{size:>12}  {name}{}", if *below { "/" } else { "" })
        }
    }
}
