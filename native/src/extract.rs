//! Members to files: what import and `rollsnap extract` share.

mod files;
mod tree;

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use rollsnap_core::feedback::{Phase, Unit};
use rollsnap_core::snapshot::{Event, Options};
use rollsnap_core::{Code, Feedback, Problem, Report, Result};

use crate::io;
use crate::source::Source;

pub use files::Files;

/// Extracts members (all, if `wanted` is empty) below `directory`. Nothing appears there before
/// the snapshot was read to its end and found intact; files that exist are replaced only with
/// `force`.
///
/// # Errors
/// The codes of a damaged snapshot, [`Code::MemberUnknown`], [`Code::OutputExists`],
/// [`Code::Cancelled`], any `io.*` code.
pub fn run(
    source: &mut Source,
    wanted: &[String],
    directory: &Path,
    force: bool,
    feedback: &mut dyn Feedback,
) -> Result<Report> {
    let dirs = io::MadeDirs::create(directory)?;
    let staging = tempfile::Builder::new().prefix(".rollsnap-extract-").tempdir_in(directory);
    let staging = staging.map_err(|err| io::problem("create a working directory in", directory, err))?;
    let mut files = Files::new(staging.path())?;
    let mut missing: BTreeSet<&str> = wanted.iter().map(String::as_str).collect();
    let mut names = Vec::new();
    let phase = Phase { index: 1, of: 1, name: "Extracting snapshot", total: None, unit: Unit::Bytes };
    let options = Options { list: true, ..Options::default() };
    let report = source.inspect(options, phase, feedback, &mut |event| match event {
        Event::Member(member) => {
            if wanted.is_empty() || missing.remove(member.name.as_str()) {
                names.push(member.name.clone());
                files.begin(member)?;
            }
            Ok(())
        }
        Event::Data(data) => files.data(data),
        Event::MemberEnd { member, .. } => files.end(member),
        Event::Problem(problem) => Err(problem.clone()),
        Event::Header(_) | Event::End => Ok(()),
    })?;
    files.finish()?;
    if let Some(name) = missing.first() {
        return Err(Problem::new(Code::MemberUnknown).member(*name));
    }
    settle(staging.path(), directory, &names, force)?;
    dirs.keep();
    Ok(report)
}

/// Moves the extracted files to their places, after making sure that all of them can go there.
fn settle(staging: &Path, directory: &Path, names: &[String], force: bool) -> Result<()> {
    for name in names {
        let mut path = directory.to_path_buf();
        let mut parts = name.split('/').peekable();
        while let Some(part) = parts.next() {
            path.push(part);
            match fs::symlink_metadata(&path) {
                Err(err) if err.kind() == ErrorKind::NotFound => break,
                Err(err) => return Err(io::problem("look at", &path, err)),
                Ok(metadata) if parts.peek().is_some() && metadata.is_dir() => {}
                Ok(metadata) if parts.peek().is_none() && metadata.is_file() && force => {}
                Ok(_) => return Err(Problem::new(Code::OutputExists).path(path.display())),
            }
        }
    }
    for name in names {
        let place = directory.join(name);
        let parent = place.parent().unwrap_or(directory);
        fs::create_dir_all(parent).map_err(|err| io::problem("create the directory", parent, err))?;
        fs::rename(staging.join(name), &place).map_err(|err| io::problem("create", &place, err))?;
    }
    Ok(())
}
