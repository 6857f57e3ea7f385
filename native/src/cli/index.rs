//! `rollsnap index`.

use std::process::ExitCode;

use rollsnap_core::Result;
use serde::Serialize;

use super::args::IndexArgs;
use super::output::{Output, print, size};
use super::progress::Terminal;
use crate::index::{self, Options};

pub(super) fn run(args: &IndexArgs, output: &Output, feedback: &mut Terminal) -> Result<ExitCode> {
    let options =
        Options { output: args.output.clone(), force: args.force, span: u64::from(args.span.get()) << 20 };
    let made = index::run(&args.file, &options, feedback)?;
    feedback.close(true);
    if output.is_json() {
        output.json(&Json {
            path: made.path.map(|path| path.to_string_lossy().into_owned()),
            bytes: made.bytes,
            checkpoints: made.checkpoints,
            file_bytes: made.file_bytes,
            content_bytes: made.content_bytes,
        })?;
    } else if let Some(path) = made.path {
        let path = path.display();
        print(format_args!("{} checkpoints, {}, in {path}\n", made.checkpoints, size(made.bytes)))?;
    } else {
        let file = args.file.display();
        print(format_args!("{file} has an index in its header: {} checkpoints\n", made.checkpoints))?;
    }
    Ok(ExitCode::SUCCESS)
}

#[derive(Serialize)]
struct Json {
    /// `null` when the header of the file holds an index.
    path: Option<String>,
    bytes: u64,
    checkpoints: usize,
    file_bytes: u64,
    content_bytes: u64,
}
