//! `rollsnap verify`: three verdicts with their evidence.

use std::process::ExitCode;

use rollsnap_core::feedback::{Phase, Unit};
use rollsnap_core::report::Check;
use rollsnap_core::snapshot::{Event, Options};
use rollsnap_core::{Code, Problem, Report, Result, Verdict, tar};

use super::args::VerifyArgs;
use super::output::{FAINT, Output, check_row, print, size, verdict};
use super::progress::Terminal;
use crate::source::Source;

/// How many members that do not belong in a snapshot are named.
const MAX_FOREIGN: usize = 20;

pub(super) fn run(args: &VerifyArgs, output: &Output, feedback: &mut Terminal) -> Result<ExitCode> {
    let mut source = Source::open(&args.snapshot)?;
    let phase = Phase { index: 1, of: 1, name: "Checking snapshot", total: None, unit: Unit::Bytes };
    let mut foreign = Vec::new();
    let mut sink = |event: Event<'_>| {
        if let Event::Member(member) = event
            && !tar::belongs_in_a_snapshot(&member.name)
            && foreign.len() < MAX_FOREIGN
        {
            foreign.push(Problem::new(Code::SnapshotMember).member(&*member.name));
        }
        Ok::<(), Problem>(())
    };
    let mut report = source.inspect(Options::default(), phase, feedback, &mut sink)?;
    for problem in &foreign {
        // An import refuses such a file, so it is not what a snapshot is.
        report.verdicts.intact = Verdict::No;
        report.add(Check::no(problem));
    }
    feedback.close(true);
    if output.is_json() {
        output.json(&report)?;
    } else {
        print(format_args!("{}", words(&report)))?;
    }
    Ok(exit_code(&report))
}

/// The status of the first check that does not hold.
pub(super) fn exit_code(report: &Report) -> ExitCode {
    report.failures().next().map_or(ExitCode::SUCCESS, |check| check.code.class().exit_status().into())
}

fn words(report: &Report) -> String {
    let mut text = String::new();
    if let Some(header) = &report.header {
        text += &format!(
            "{} snapshot of {} at level {}\n\n",
            header.history_mode, header.rollup_address, header.head_level
        );
    }
    let verdicts = report.verdicts;
    text += &format!("Intact:      {}\n", verdict(verdicts.intact));
    text += &format!(
        "Consistent:  {} {FAINT}(this version does not read the store and the context){FAINT:#}\n",
        verdict(verdicts.consistent)
    );
    text += &format!(
        "Anchored:    {} {FAINT}(this version does not ask layer 1){FAINT:#}\n\n",
        verdict(verdicts.anchored)
    );
    for check in &report.checks {
        text += &check_row(check);
        text.push('\n');
    }
    if report.checks_left_out > 0 {
        text += &format!("  … and {} more\n", report.checks_left_out);
    }
    text + &totals(report)
}

fn totals(report: &Report) -> String {
    let mut text = String::from("\n");
    if let (Some(count), Some(bytes)) = (report.members.count, report.members.bytes) {
        let seen = if report.members.complete { "" } else { " seen before the damage" };
        text += &format!("{count} members{seen}, {}", size(bytes));
    }
    if let Some(bytes) = report.container.compressed_bytes {
        text += &format!("; file {}", size(bytes));
    }
    text.push('\n');
    text
}

/// Adds what a command says beyond the checks of the container.
pub(super) fn remarks<'a>(checks: impl Iterator<Item = &'a Check>) -> Vec<&'a str> {
    use rollsnap_core::report::Status;
    checks.filter(|check| check.status == Status::Unknown).map(|check| check.text.as_str()).collect()
}
