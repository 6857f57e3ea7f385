//! `rollsnap ls`, `cat` and `extract`.

use std::io::Write;
use std::process::ExitCode;

use jiff::Timestamp;
use rollsnap_core::feedback::{Phase, Unit};
use rollsnap_core::snapshot::{Event, Options};
use rollsnap_core::tar::{Kind, Member};
use rollsnap_core::{Code, Problem, Result};

use super::args::{CatArgs, ExtractArgs, LsArgs};
use super::output::{Output, print, size, written};
use super::progress::Terminal;
use super::verify;
use crate::extract;
use crate::source::Source;

const PHASE: Phase = Phase { index: 1, of: 1, name: "Reading snapshot", total: None, unit: Unit::Bytes };

/// Lists members as they are met, so that a damaged snapshot still shows what comes before the
/// damage.
pub(super) fn list(args: &LsArgs, output: &Output, feedback: &mut Terminal) -> Result<ExitCode> {
    let mut source = Source::open(&args.snapshot)?;
    let json = output.is_json();
    let options = Options { lenient: args.lenient, digests: args.sha256, list: json, ..Options::default() };
    let mut problem = None;
    let report = source.inspect(options, PHASE, feedback, &mut |event| match event {
        Event::MemberEnd { member, sha256 } if !json => {
            print(format_args!("{}\n", row(member, sha256.as_ref())))
        }
        Event::Problem(found) => {
            problem.get_or_insert_with(|| found.clone());
            Ok(())
        }
        _ => Ok(()),
    })?;
    if json {
        feedback.close(true);
        output.json(&report)?;
    } else if let Some(problem) = problem {
        return Err(problem);
    }
    Ok(verify::exit_code(&report))
}

/// Writes a member out and stops there; what follows it is not read.
pub(super) fn cat(args: &CatArgs, feedback: &mut Terminal) -> Result<ExitCode> {
    let mut source = Source::open(&args.snapshot)?;
    let mut out = std::io::stdout().lock();
    let mut inside = false;
    let options = Options { lenient: args.lenient, ..Options::default() };
    let found = source.inspect(options, PHASE, feedback, &mut |event| match event {
        Event::Member(member) => {
            inside = member.name == args.member;
            Ok(())
        }
        Event::Data(data) if inside => Ok(written(out.write_all(data))?),
        Event::MemberEnd { .. } if inside => Err(Stop::Found),
        Event::Problem(problem) if !args.lenient || inside => Err(Stop::Problem(problem.clone())),
        _ => Ok(()),
    });
    match found {
        Err(Stop::Found) => written(out.flush()).map(|()| ExitCode::SUCCESS),
        Err(Stop::Problem(problem)) => Err(problem),
        Ok(_) => Err(Problem::new(Code::MemberUnknown).member(&*args.member)),
    }
}

pub(super) fn extract(args: &ExtractArgs, output: &Output, feedback: &mut Terminal) -> Result<ExitCode> {
    let mut source = Source::open(&args.snapshot)?;
    let report = extract::run(&mut source, &args.members, &args.directory, args.force, feedback)?;
    feedback.close(true);
    if output.is_json() {
        output.json(&report)?;
    } else {
        let list = report.members.list.as_deref().unwrap_or_default();
        let wanted =
            list.iter().filter(|member| args.members.is_empty() || args.members.contains(&member.name));
        let (count, bytes) = wanted.fold((0, 0), |(count, bytes), member| (count + 1, bytes + member.size));
        let directory = args.directory.display();
        print(format_args!("Extracted {count} members, {}, to {directory}\n", size(bytes)))?;
    }
    Ok(ExitCode::SUCCESS)
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

/// `-rw-r--r--       238  2023-11-14T22:13:20Z  metadata`
fn row(member: &Member, sha256: Option<&[u8; 32]>) -> String {
    let kind = match member.kind {
        Kind::File => '-',
        Kind::Directory => 'd',
        Kind::Link => 'l',
        Kind::Other(_) => '?',
    };
    let bits: String = (0..9)
        .map(|bit| if member.mode & (0o400 >> bit) != 0 { ['r', 'w', 'x'][bit % 3] } else { '-' })
        .collect();
    let seconds = i64::try_from(member.mtime).unwrap_or(i64::MAX);
    let time =
        Timestamp::from_second(seconds).map_or_else(|_| format!("@{seconds}"), |time| time.to_string());
    let digest: String = sha256
        .into_iter()
        .flatten()
        .map(|byte| format!("{byte:02x}"))
        .chain(sha256.map(|_| "  ".into()))
        .collect();
    // A lenient reader lets any name pass, also one that would move the cursor.
    format!("{kind}{bits}  {:>12}  {time}  {digest}{}", member.size, member.name.escape_debug())
}
