//! `rollsnap context prove` and `check-proof`: a proof of what a state has, and what such a proof says.

use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

use rollsnap_core::context::proof::{Answer, KeyAnswer, MAX_PROOF, Proof, Shown};
use rollsnap_core::context::{durable, path};
use rollsnap_core::feedback::Phase;
use rollsnap_core::hash::StateHash;
use rollsnap_core::{Class, Code, Feedback, Problem, Result};
use serde::Serialize;

use super::args::{CheckProofArgs, ProveArgs};
use super::tree::Wanted;
use super::{JsonCommit, Opened, choose, open};
use crate::cli::output::{NOTHING_TO_REPLACE, Output, grouped, plural, shown_path, size};
use crate::cli::progress::Terminal;
use crate::cli::rows::Rows;
use crate::cli::stdout::Stdout;
use crate::{dir, io, output};

pub(super) fn run(args: &ProveArgs, output: &Output, feedback: &mut Terminal) -> Result<ExitCode> {
    let streams = args.streams();
    if args.force && streams {
        return Err(Problem::new(Code::Usage).headline(NOTHING_TO_REPLACE));
    }
    let keys = parse(&args.keys)?;
    let place = output::Output::File(args.output.clone());
    if !streams {
        place.check_early(args.force)?;
    }
    let out =
        streams.then(|| Stdout::open("a proof", "rollsnap context prove DATA_DIR KEY -o -")).transpose()?;
    let target = open(&args.target, feedback)?;
    let context = Opened::of(&target, feedback)?.irmin()?;
    let chosen = choose(&context, &target.levels, &args.commit, feedback)?;
    let state = context.pvm_state_of(&chosen.commit)?.ok_or_else(|| {
        Problem::new(Code::ContextState).headline(format!("commit {} has no PVM state", chosen.commit.hash))
    })?;
    feedback.phase(Phase::only("Making proof"));
    let (mut durable_keys, mut paths) = (Vec::new(), Vec::new());
    for key in &keys {
        match key {
            Wanted::Key(key) => durable_keys.push(key.clone()),
            Wanted::Path(path) => paths.push(below_state(path)?.to_vec()),
        }
    }
    let bytes = Proof::of(&context, state, &durable_keys, &paths, feedback)?.bytes()?;
    // What is written is what whoever checks it reads.
    let proof = Proof::parse(&bytes)?;
    match out {
        Some(mut out) => {
            use std::io::Write;
            out.write_all(&bytes).and_then(|()| out.flush()).map_err(io::to_stream)?;
        }
        None => {
            output::write_file(&args.output, &bytes, args.force, feedback)?;
        }
    }
    feedback.close(true);
    let mut rows = Vec::new();
    answer(&proof, &keys, None, &mut |row| {
        rows.push(row);
        Ok(())
    })?;
    let bytes = bytes.len() as u64;
    let state_hash = proof.state_hash();
    if output.is_json() {
        return output
            .json(&Frame {
                schema: SCHEMA,
                exit_status: 0,
                path: (!streams).then(|| args.output.to_string_lossy().into_owned()),
                bytes,
                state_hash,
                leads_to: None,
                commit: Some(chosen.json()),
                keys: &rows[..],
            })
            .map(|()| ExitCode::SUCCESS);
    }
    let count = plural(rows.len() as u64, "key", "keys");
    let mut text =
        format!("Proof of {count} in state {state_hash}, of {}: {}\n", chosen.words(), size(bytes));
    rows.iter().for_each(|row| text += &row.words());
    if !streams {
        text += &format!("\nWritten to {}\n", shown_path(&args.output));
    }
    output.print(format_args!("{text}"))?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn check(args: &CheckProofArgs, output: &Output, feedback: &mut Terminal) -> Result<ExitCode> {
    let keys = parse(&args.keys)?;
    let expected = args.state_hash.as_deref().map(state_hash).transpose()?;
    let bytes = read(&args.file)?;
    let proof = Proof::parse(&bytes).map_err(|problem| problem.path(args.file.display()))?;
    expected.map_or(Ok(()), |expected| proof.require(&expected))?;
    feedback.close(true);
    let (mut rows, mut hidden) = (Rows::default(), 0);
    let mut each = |row: Row| {
        hidden += u64::from(row.answer == HIDDEN);
        if args.json { rows.element(&row) } else { rows.text(format_args!("{}", row.words())) }
    };
    if keys.is_empty() {
        show(&proof, args.values, feedback, &mut each)?;
    } else {
        answer(&proof, &keys, args.values, &mut each)?;
    }
    // What the proof leaves out was not answered.
    let exit_status = if hidden > 0 { Class::Refused.exit_status() } else { 0 };
    let state = proof.state_hash();
    if output.is_json() {
        let frame = Frame {
            schema: SCHEMA,
            exit_status,
            path: Some(args.file.to_string_lossy().into_owned()),
            bytes: bytes.len() as u64,
            state_hash: state,
            leads_to: proof.leads_to(),
            commit: None,
            keys: &[][..],
        };
        return rows.print_in(&frame, "keys").map(|()| exit_status.into());
    }
    let mut before = format!("The proof holds for state {state}, and shows of it:\n");
    let mut after = String::new();
    if rows.is_empty() {
        before = format!("The proof holds for state {state}, and shows no value of it\n");
    }
    if let Some(next) = proof.leads_to() {
        after += &format!(
            "\nNot checked: that the step of a refutation, which it is part of, leads to state {next}\n"
        );
    }
    if expected.is_none() {
        after += "\nWhich level has this state, the proof does not say: compare it with a commitment, or use --state-hash\n";
    }
    rows.print(&before, &after)?;
    if hidden > 0 {
        output.error(exit_status, &format!("the proof leaves out {} of the keys", grouped(hidden)));
    }
    Ok(exit_status.into())
}

/// Name and version of the JSON form.
const SCHEMA: &str = "rollsnap.proof/1";

/// What is printed around the rows, as JSON.
#[derive(Serialize)]
struct Frame<'r> {
    schema: &'static str,
    exit_status: u8,
    /// The file; `null` for standard output.
    path: Option<String>,
    bytes: u64,
    state_hash: StateHash,
    /// Of a step of a refutation.
    #[serde(skip_serializing_if = "Option::is_none")]
    leads_to: Option<StateHash>,
    /// Whose state it is; unknown to a proof alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    commit: Option<JsonCommit>,
    keys: &'r [Row],
}

#[derive(Serialize)]
struct Row {
    path: String,
    answer: &'static str,
    size: Option<u64>,
    /// Its first bytes, where they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    begins: Option<String>,
}

/// The answer where a proof has none.
const HIDDEN: &str = "hidden";

impl Row {
    fn new(path: String, answer: &'static str, value: Option<&[u8]>, values: Option<u64>) -> Self {
        let begins = value.zip(values).map(|(value, most)| {
            let len = usize::try_from(most).map_or(value.len(), |most| most.min(value.len()));
            super::hex(value.get(..len).unwrap_or_default())
        });
        Self { path, answer, size: value.map(|value| value.len() as u64), begins }
    }

    /// `present               12  /evm/x`, and the value below it.
    fn words(&self) -> String {
        let bytes = self.size.map_or_else(|| "-".into(), grouped);
        let mut text = format!("{:<10}{bytes:>14}  {}\n", self.answer, self.path);
        if let Some(begins) = &self.begins {
            let more = if begins.len() as u64 / 2 < self.size.unwrap_or_default() { "…" } else { "" };
            text += &format!("    {begins}{more}\n");
        }
        text
    }
}

/// What a proof says to these questions.
fn answer(
    proof: &Proof,
    keys: &[Wanted],
    values: Option<u64>,
    each: &mut dyn FnMut(Row) -> Result<()>,
) -> Result<()> {
    for wanted in keys {
        let (answer, value) = match wanted {
            Wanted::Key(key) => match proof.key(key) {
                KeyAnswer::Absent => ("absent", None),
                KeyAnswer::Hidden => (HIDDEN, None),
                KeyAnswer::Malformed(_) => ("malformed", None),
                KeyAnswer::Value(value) => ("present", Some(value)),
            },
            Wanted::Path(path) => match proof.get(below_state(path)?) {
                Answer::Absent => ("absent", None),
                Answer::Hidden | Answer::HiddenContents => (HIDDEN, None),
                Answer::Directory => ("directory", None),
                Answer::Contents(bytes) => ("present", Some(bytes.to_vec())),
            },
        };
        each(Row::new(wanted.show(), answer, value.as_deref(), values))?;
    }
    Ok(())
}

/// All that a proof shows.
fn show(
    proof: &Proof,
    values: Option<u64>,
    feedback: &dyn Feedback,
    each: &mut dyn FnMut(Row) -> Result<()>,
) -> Result<()> {
    proof.shown(|shown| {
        feedback.checkpoint()?;
        let (path, value) = match &shown {
            Shown::Key(key, value) => (durable::show(key), &value[..]),
            Shown::Path(steps, bytes) => (format!("{STATE}/{}", path::show(steps)), *bytes),
        };
        each(Row::new(path, "present", Some(value), values))
    })
}

/// The directory of the state, in the tree of a commit.
const STATE: &str = "pvm_state";

/// A path within the state: nothing else is proved.
fn below_state(path: &[Vec<u8>]) -> Result<&[Vec<u8>]> {
    match path {
        [first, rest @ ..] if first == STATE.as_bytes() && !rest.is_empty() => Ok(rest),
        _ => Err(Problem::new(Code::Usage)
            .headline(format!("{:?} is not a part of the state", path::show(path)))
            .expected("a key, such as /evm, or a path that begins with pvm_state/")
            .found(path::show(path))),
    }
}

fn parse(keys: &[OsString]) -> Result<Vec<Wanted>> {
    let keys: Vec<Wanted> = keys.iter().map(|key| Wanted::parse(key)).collect::<Result<_>>()?;
    for key in &keys {
        if let Wanted::Path(path) = key {
            below_state(path)?;
        }
    }
    Ok(keys)
}

fn state_hash(text: &str) -> Result<StateHash> {
    text.parse().map_err(|err| {
        Problem::new(Code::HashText).headline(format!("{text:?} is not a state hash")).caused_by(err)
    })
}

/// The bytes of a file, `-` being standard input; no more than a proof can have.
fn read(file: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let failed = |err| io::problem("read", file, err);
    let most = MAX_PROOF as u64 + 1;
    if file.as_os_str() == "-" {
        std::io::stdin().lock().take(most).read_to_end(&mut bytes).map_err(failed)?;
    } else {
        let opened: File = dir::open_regular(file)?
            .ok_or_else(|| io::problem("open", file, std::io::ErrorKind::NotFound.into()))?;
        opened.take(most).read_to_end(&mut bytes).map_err(failed)?;
    }
    Ok(bytes)
}
