//! `rollsnap import`.

use std::process::ExitCode;

use rollsnap_core::{Code, Problem, Report, Result};
use serde::Serialize;

use super::args::{Global, ImportArgs};
use super::export::{JsonPhase, data_dir, phases};
use super::output::{Output, print};
use super::progress::Terminal;
use super::remarks;
use crate::import::{self, Options};

pub(super) fn run(
    args: &ImportArgs,
    global: &Global,
    output: &Output,
    feedback: &mut Terminal,
) -> Result<ExitCode> {
    let options = Options {
        data_dir: data_dir(args.data_dir.as_deref())?,
        force: args.force,
        check: !args.no_check,
        family: args.format.map(Into::into),
        to_v5: args.to.is_some(),
        level: args.level.as_deref().map(level).transpose()?,
        keep_compact: args.keep_compact,
        endpoint: global.node.endpoint.clone(),
    };
    let outcome = import::run(&args.snapshot, &options, feedback)?;
    feedback.close(true);
    remarks::tell(&outcome.report, feedback);
    if output.is_json() {
        output.json(&Json {
            report: &outcome.report,
            data_dir: options.data_dir.to_string_lossy().into_owned(),
            head_level: outcome.head_level,
            phases: phases(&outcome.phases),
        })?;
    } else {
        print(format_args!("Snapshot successfully imported\n"))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A report with the facts of the import.
#[derive(Serialize)]
struct Json<'a> {
    #[serde(flatten)]
    report: &'a Report,
    data_dir: String,
    head_level: i32,
    phases: Vec<JsonPhase>,
}

/// A strictly positive decimal number.
fn level(text: &str) -> Result<i32> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let level = text.parse().ok().filter(|level| digits && *level > 0);
    level.ok_or_else(|| {
        let text = format!("Invalid import level \"{text}\". Expected a positive integer.");
        Problem::new(Code::LevelRequest).headline(text)
    })
}
