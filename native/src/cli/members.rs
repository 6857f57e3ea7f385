//! `rollsnap ls`, `cat` and `extract`.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::slice;
use std::time::{Duration, UNIX_EPOCH};

use base16ct::lower;
use clap::Args;
use humantime::format_rfc3339_seconds;
use rollsnap_core::feedback::Phase;
use rollsnap_core::report::MemberEntry;
use rollsnap_core::snapshot::{Event, LEFT_OUT, Options};
use rollsnap_core::tar::{Kind, Member};
use rollsnap_core::{Code, Feedback, Problem, Report, Result, shown};
use serde::Serialize;

use super::failure::Answered;
use super::headings::{CHECKS, OUTPUT, READ, RESULT};
use super::output::{Output, plural, print, print_lines, shown_path, size, written};
use super::progress::Terminal;
use super::rows::Rows;
use super::space::SpaceArgs;
use super::sums::SumArgs;
use super::{verify, width};
use crate::extract::{self, Interval};
use crate::source::Source;

const LS_EXAMPLES: &str = "\
Examples:
  rollsnap ls rollup.snapshot
  rollsnap ls rollup.snapshot --sha256 --check";

#[derive(Args, Debug)]
#[command(after_help = LS_EXAMPLES)]
pub(super) struct LsArgs {
    /// The snapshot file, or - for standard input
    #[arg(help_heading = READ)]
    snapshot: PathBuf,
    /// Show the SHA-256 of each member as well
    #[arg(long, help_heading = READ)]
    sha256: bool,
    /// Go on where other tar programs would; every such place is still reported
    #[arg(long, help_heading = READ)]
    lenient: bool,
    /// Read contents too, and check that the file is whole, also where an index leads from member to member
    #[arg(long, overrides_with = "no_check", help_heading = CHECKS)]
    check: bool,
    /// Read as little as leads to the list; the default
    #[arg(long, alias = "no-checks", overrides_with = "check", help_heading = CHECKS)]
    no_check: bool,
    /// Print a report with the list as JSON
    #[arg(long, help_heading = OUTPUT)]
    pub(super) json: bool,
}

const CAT_EXAMPLES: &str = "\
Examples:
  rollsnap cat rollup.snapshot metadata --quiet
  rollsnap cat rollup.snapshot store.sqlite > store.sqlite";

#[derive(Args, Debug)]
#[command(after_help = CAT_EXAMPLES)]
pub(super) struct CatArgs {
    /// The snapshot file, or - for standard input
    #[arg(help_heading = READ)]
    snapshot: PathBuf,
    /// The member's name, as rollsnap ls shows it; one with characters that cannot be seen, as ls --json has it
    #[arg(help_heading = READ)]
    member: String,
    /// Go on where other tar programs would
    #[arg(long, help_heading = READ)]
    lenient: bool,
}

const EXTRACT_EXAMPLES: &str = "\
Examples:
  rollsnap extract rollup.snapshot -o files
  rollsnap extract rollup.snapshot metadata context/ -o files
  rollsnap extract rollup.snapshot 'wasm_2_0_0/*' -o files";

#[derive(Args, Debug)]
#[command(after_help = EXTRACT_EXAMPLES)]
pub(super) struct ExtractArgs {
    /// The snapshot file, or - for standard input
    #[arg(help_heading = READ)]
    snapshot: PathBuf,
    /// The members to extract: names, directories (context/) and patterns ('wasm_2_0_0/*', 'context/**') [default: all]
    #[arg(value_name = "MEMBER", help_heading = READ)]
    members: Vec<String>,
    /// Where to; made if missing
    #[arg(
        long,
        short,
        alias = "directory",
        short_alias = 'C',
        value_name = "DIR",
        default_value = ".",
        help_heading = RESULT
    )]
    output: PathBuf,
    /// Replace files that exist
    #[arg(long, help_heading = RESULT)]
    force: bool,
    /// Forget what interrupted extractions have unpacked there, and begin anew
    #[arg(long, help_heading = RESULT)]
    restart: bool,
    /// Read everything, and extract nothing unless the file is whole, also where members can be reached from
    /// anywhere: in an uncompressed file, or by an index
    #[arg(long, overrides_with = "no_check", help_heading = CHECKS)]
    check: bool,
    /// Read as little as leads to the members; the default. Without names, or for a SHA-256, everything is read anyway
    #[arg(long, alias = "no-checks", overrides_with = "check", help_heading = CHECKS)]
    no_check: bool,
    #[command(flatten)]
    space: SpaceArgs,
    #[command(flatten)]
    sums: SumArgs,
    /// Print a report as JSON
    #[arg(long, help_heading = OUTPUT)]
    pub(super) json: bool,
}

const PHASE: Phase = Phase::only("Reading snapshot");

/// Lists members as they are met, so that a damaged snapshot still shows what comes before the
/// damage. Contents are read where nothing else leads to the next member, and where they are to be checked.
pub(super) fn list(args: &LsArgs, output: &Output, feedback: &mut Terminal) -> Result<ExitCode> {
    let mut source = Source::open(&args.snapshot, feedback)?;
    let json = output.is_json();
    if !json {
        feedback.results_stream();
    }
    let options = Options { lenient: args.lenient, digests: args.sha256, ..Options::default() };
    let mut problem = None;
    let mut rows = Rows::default();
    let columns = width::of_stdout();
    // When the snapshot must be read again from the beginning, what was shown stays.
    let (seen, mut shown) = (Cell::new(0), 0);
    let mut sink = |event: Event<'_>| match event {
        Event::MemberEnd { member, sha256 } => {
            seen.set(seen.get() + 1);
            if seen.get() <= shown {
                return Ok(());
            }
            shown = seen.get();
            if json {
                return rows.element(&MemberEntry::new(member, sha256.as_ref()));
            }
            print(format_args!("{}\n", row(member, sha256.as_ref(), columns)))
        }
        Event::Problem(found) => {
            problem.get_or_insert_with(|| found.clone());
            Ok(())
        }
        _ => Ok(()),
    };
    let mut report = None;
    if !args.sha256 && !args.check {
        report = source.list(options, PHASE, feedback, &mut sink)?;
        seen.set(0);
    }
    let mut report = match report {
        Some(report) => report,
        None => source.inspect(options, PHASE, feedback, &mut sink)?,
    };
    if json {
        feedback.close(true);
        if report.header.is_some() || !rows.is_empty() {
            report.members.list = Some(Vec::new());
        }
        let exit_status = verify::exit_status(&report);
        rows.print_in(&Answered { report: &report, exit_status }, "list")?;
    } else if let Some(problem) = problem {
        return Err(problem);
    } else {
        note_left_out(&report, feedback);
    }
    Ok(verify::exit_status(&report).into())
}

/// Writes a member out and stops there; what follows it is not read, and what comes before it only where
/// nothing else leads to it.
pub(super) fn cat(args: &CatArgs, feedback: &mut Terminal) -> Result<ExitCode> {
    let mut source = Source::open(&args.snapshot, feedback)?;
    feedback.results_stream();
    let mut out = std::io::stdout().lock();
    let (inside, complete, doubtful) = (Cell::new(false), Cell::new(false), Cell::new(false));
    // When the snapshot must be read again from the beginning, what was written is left out.
    let (count, known, last) = (Cell::new(0), Cell::new(0), Cell::new(None));
    let options = Options { lenient: args.lenient, ..Options::default() };
    let mut sink = |event: Event<'_>| match event {
        Event::Member(member) => {
            inside.set(member.name == args.member && !complete.get());
            Ok(())
        }
        Event::Data(data) if inside.get() => {
            let old = known.get().min(data.len());
            known.set(known.get() - old);
            let new = &data[old..];
            count.set(count.get() + new.len());
            last.set(new.last().copied().or(last.get()));
            Ok(written(out.write_all(new))?)
        }
        Event::MemberEnd { .. } if inside.get() => {
            complete.set(true);
            if doubtful.get() { Ok(()) } else { Err(Stop::Found) }
        }
        Event::Problem(problem) if !args.lenient || inside.get() => Err(Stop::Problem(problem.clone())),
        _ => Ok(()),
    };
    let mut find = || -> Result<(), Stop> {
        let names = BTreeSet::from([args.member.as_str()]);
        if source.find(&names, false, options, PHASE, feedback, &mut sink)?.is_none() {
            // Where something is wrong on the short way, only the end tells whether the file is damaged.
            doubtful.set(source.is_reachable());
            inside.set(false);
            known.set(count.get());
            source.inspect(options, PHASE, feedback, &mut sink)?;
        }
        Ok(())
    };
    if let Err(Stop::Problem(problem)) = find() {
        return Err(problem);
    }
    if !complete.get() {
        return Err(Problem::new(Code::MemberUnknown).member(&*args.member));
    }
    written(out.flush())?;
    feedback.close(true);
    // Of an uncompressed file nothing tells whether contents are whole, so nothing is missed.
    if !doubtful.get() && !source.is_plain_file() {
        if last.get() != Some(b'\n') {
            feedback.leave_line();
        }
        feedback.note(&format!("Note: {LEFT_OUT} (rollsnap verify reads all)"));
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn extract(args: &ExtractArgs, output: &Output, feedback: &mut Terminal) -> Result<ExitCode> {
    let checksum = args.sums.read(slice::from_ref(&args.snapshot), feedback)?;
    let mut source = Source::open(&args.snapshot, feedback)?.summed(&checksum)?;
    let options = extract::Options {
        members: args.members.clone(),
        directory: args.output.clone(),
        force: args.force,
        check: args.check,
        space: args.space.check(),
        restart: args.restart,
        recording: Interval::default(),
    };
    let outcome = extract::run(&mut source, &options, feedback)?;
    let (members, bytes) = (outcome.members, outcome.bytes);
    feedback.close(true);
    if output.is_json() {
        output.json(&Extraction { report: &outcome.report, extracted: Extracted { members, bytes } })?;
    } else {
        note_left_out(&outcome.report, feedback);
        let (members, directory) = (plural(members, "member", "members"), shown_path(&args.output));
        print_lines(&format!("Extracted {members}, {}, to {directory}\n", size(bytes)))?;
        args.sums.print(outcome.report.container.sha256.as_deref(), output)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A report with what was extracted.
#[derive(Serialize)]
struct Extraction<'a> {
    #[serde(flatten)]
    report: &'a Report,
    extracted: Extracted,
}

#[derive(Serialize)]
struct Extracted {
    members: u64,
    bytes: u64,
}

/// Says so when contents were not read.
fn note_left_out(report: &Report, feedback: &mut Terminal) {
    if report.checks.iter().any(|check| check.text == LEFT_OUT) {
        feedback.note(&format!("Note: {LEFT_OUT} (--check reads all)"));
    }
}

enum Stop {
    Found,
    Problem(Problem),
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

/// Seconds since 1970, as people write them; as a number where no calendar goes so far.
fn time(seconds: u64) -> String {
    const YEAR_10000: u64 = 253_402_300_800;
    match UNIX_EPOCH.checked_add(Duration::from_secs(seconds)) {
        Some(time) if seconds < YEAR_10000 => format_rfc3339_seconds(time).to_string(),
        _ => format!("@{seconds}"),
    }
}

/// `-rw-r--r--       238  2023-11-14T22:13:20Z  metadata`
fn row(member: &Member, sha256: Option<&[u8; 32]>, width: Option<usize>) -> String {
    let kind = match member.kind {
        Kind::File => '-',
        Kind::Directory => 'd',
        Kind::Link => 'l',
        Kind::Other(_) => '?',
    };
    let bits: String = (0..9)
        .map(|bit| if member.mode & (0o400 >> bit) != 0 { ['r', 'w', 'x'][bit % 3] } else { '-' })
        .collect();
    let time = time(member.mtime);
    let digest = sha256.map_or_else(String::new, |sha256| lower::encode_string(sha256) + "  ");
    // A lenient reader lets any name pass, also one that would move the cursor.
    let (head, name) = (format!("{kind}{bits}  {:>12}  {time}  {digest}", member.size), shown(&member.name));
    if width.is_none_or(|width| width::of(&head) + width::of(&name) <= width) {
        return head + &name;
    }
    // Digest and name stay whole, so that they can be copied.
    let (head, digest) = head.trim_end().split_at(head.trim_end().len() - digest.trim_end().len());
    let digest = if digest.is_empty() { String::new() } else { format!("\n    {digest}") };
    format!("{}{digest}\n    {name}", head.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The texts are those of GNU `date -u`.
    #[test]
    fn times_are_written_as_people_do() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (1_700_000_000, "2023-11-14T22:13:20Z"),
            (8_589_934_591, "2242-03-16T12:56:31Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
            (253_402_300_800, "@253402300800"),
            (u64::MAX, "@18446744073709551615"),
        ] {
            assert_eq!(time(seconds), text);
        }
    }
}
