//! One command on several files, one after the other.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use rollsnap_core::{Code, Problem, Result};

use super::output::{Output, STRONG, print, shown_path};
use super::progress::Terminal;

/// Runs a command on each of these. What is wrong with one is said, and the next one is looked at; the exit status is
/// that of the first one that is not 0. Of several, each has its path in front, and in its JSON.
pub(super) fn each(
    files: &[PathBuf],
    output: &Output,
    feedback: &mut Terminal,
    mut run: impl FnMut(&Path, &Output, &mut Terminal) -> Result<ExitCode>,
) -> Result<ExitCode> {
    if let [file] = files {
        return run(file, output, feedback);
    }
    if files.iter().filter(|file| file.as_os_str() == "-").count() > 1 {
        return Err(Problem::new(Code::Usage).headline("standard input can be read once only"));
    }
    let mut status = ExitCode::SUCCESS;
    for (index, file) in files.iter().enumerate() {
        let path = shown_path(file);
        if !output.is_json() {
            let space = if index == 0 { "" } else { "\n" };
            print(format_args!("{space}{STRONG}{path}{STRONG:#}\n"))?;
        }
        let output = output.about(file);
        let result = run(file, &output, feedback);
        feedback.close(result.is_ok());
        let code = match result {
            // Nothing more is wanted of any of them.
            Err(problem) if matches!(problem.code(), Code::Cancelled | Code::OutputClosed) => {
                return Err(problem);
            }
            Err(problem) => output.failure(&problem),
            Ok(code) => code,
        };
        if status == ExitCode::SUCCESS {
            status = code;
        }
    }
    Ok(status)
}
