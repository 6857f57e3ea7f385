//! What goes to standard output, and errors to standard error.

use std::io::{ErrorKind, Write};
use std::path::Path;
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use rollsnap_core::report::{Check, Status};
use rollsnap_core::{Code, Problem, Result, Verdict, shown, words};
use serde::Serialize;

use super::failure::{Event, Failed};
use super::{json, width};
use crate::size::Size;
use crate::{io, remote};

/// Bold, for the word that matters.
pub(super) const STRONG: Style = Style::new().bold();
/// For remarks in the second row.
pub(super) const FAINT: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const OPEN: Style = AnsiColor::Yellow.on_default();

/// How results are printed.
#[derive(Clone, Debug)]
pub(super) struct Output {
    json: bool,
    /// Standard output takes a snapshot, so results go to standard error.
    to_stderr: bool,
    /// Standard error is a list of events, so that what went wrong is one.
    events: bool,
    /// Of several files, the one that results are about.
    about: Option<String>,
}

/// A value, and the file that it is about.
#[derive(Serialize)]
struct About<'a, T> {
    path: &'a str,
    #[serde(flatten)]
    value: &'a T,
}

impl Output {
    pub(super) fn new(json: bool) -> Self {
        Self { json, to_stderr: false, events: false, about: None }
    }

    /// Results go to standard error if standard output is taken.
    pub(super) fn beside(self, taken: bool) -> Self {
        Self { to_stderr: taken, ..self }
    }

    /// What went wrong is an event among others.
    pub(super) fn with_events(self, events: bool) -> Self {
        Self { events, ..self }
    }

    /// Results are about this file, one of several.
    pub(super) fn about(&self, file: &Path) -> Self {
        let name = remote::shown_name(file).unwrap_or_else(|| file.to_string_lossy().into_owned());
        Self { about: Some(name), ..self.clone() }
    }

    pub(super) fn is_json(&self) -> bool {
        self.json
    }

    /// Prints a value as JSON on one line.
    pub(super) fn json(&self, value: &impl Serialize) -> Result<()> {
        let text = match &self.about {
            Some(path) => json::text(&About { path, value }),
            None => json::text(value),
        };
        let text =
            text.map_err(|err| Problem::new(Code::IoOther).headline("cannot make JSON").caused_by(err))?;
        self.print(format_args!("{text}\n"))
    }

    /// Says in one line on standard error why the exit status is what it is.
    pub(super) fn error(&self, exit_status: u8, message: &str) {
        let _ = if self.events {
            let event = serde_json::json!({"event": "error", "exit_status": exit_status, "message": message});
            writeln!(anstream::stderr(), "{event}")
        } else {
            writeln!(anstream::stderr(), "{BAD}Error:{BAD:#} {message}")
        };
    }

    /// Prints a result.
    pub(super) fn print(&self, text: std::fmt::Arguments<'_>) -> Result<()> {
        if self.to_stderr {
            // Standard error may be closed; a job does not fail for that.
            let text = width::fit(&text.to_string(), 2, width::of_stderr());
            let _ = anstream::stderr().write_all(text.as_bytes());
            return Ok(());
        }
        print_lines(&text.to_string())
    }

    /// Says what went wrong; the exit status follows from its code. With JSON, standard output
    /// gets a report that holds nothing but this.
    pub(super) fn failure(&self, problem: &Problem) -> ExitCode {
        if self.json {
            // Whoever closed standard output does not want it.
            let _ = self.json(&Failed::from(problem));
        }
        let code = problem.code();
        // A reader of rows that has seen enough goes; half a file is worth a word.
        if code == Code::OutputClosed && !self.to_stderr {
            return code.class().exit_status().into();
        }
        if self.events {
            if let Ok(event) = json::text(&Event::from(problem)) {
                let _ = writeln!(anstream::stderr(), "{event}");
            }
            return code.class().exit_status().into();
        }
        let mut text = format!("{BAD}Error:{BAD:#} {}\n", shown(problem.title()));
        for line in problem.details() {
            text += &format!("  {}\n", shown(&line));
        }
        let space = if problem.advice().is_empty() { "" } else { " " };
        text += &format!("  {FAINT}[{code}]{FAINT:#}{space}{}\n", problem.advice());
        let text = width::fit(&text, 2, width::of_stderr());
        let _ = anstream::stderr().write_all(text.as_bytes());
        code.class().exit_status().into()
    }
}

/// What is said where `--temp-dir` is given for a directory, or a file that can be read where it is.
pub(super) const NOT_UNPACKED: &str = "Note: --temp-dir had no effect: nothing had to be unpacked";

/// Prints to standard output. A reader that went away (`rollsnap ls … | head`) ends the command
/// quietly.
pub(super) fn print(text: std::fmt::Arguments<'_>) -> Result<()> {
    let mut out = anstream::stdout().lock();
    written(out.write_fmt(text).and_then(|()| out.flush()))
}

/// The same, of lines that begin with a label or say what was made: on a narrow terminal they are broken between words.
pub(super) fn print_lines(text: &str) -> Result<()> {
    print(format_args!("{}", width::fit(text, 2, width::of_stdout())))
}

/// What became of writing to standard output.
pub(super) fn written(result: std::io::Result<()>) -> Result<()> {
    result.map_err(|err| match err.kind() {
        ErrorKind::BrokenPipe => Problem::new(Code::OutputClosed),
        _ => io::problem("write to", Path::new("standard output"), err),
    })
}

/// A verdict in its colour.
pub(super) fn verdict(verdict: Verdict) -> String {
    let style = match verdict {
        Verdict::Yes => GOOD,
        Verdict::No => BAD,
        Verdict::Unknown => OPEN,
    };
    format!("{style}{}{style:#}", verdict.words())
}

/// One check, as a row.
pub(super) fn check_row(check: &Check) -> String {
    let (style, word) = match check.status {
        Status::Yes => (GOOD, "yes"),
        Status::No => (BAD, "no"),
        Status::Warning => (OPEN, "warning"),
        Status::Unknown => (OPEN, "open"),
    };
    let (said, cause) = parts(check);
    let mut text = shown(said).into_owned();
    if let Some(cause) = cause {
        text += &format!("\n{}", shown(cause));
    }
    if let Some(member) = &check.member {
        text += &format!(" (member {member:?})");
    }
    if let Some(at) = &check.at {
        text += &format!(" ({})", shown(&at.to_string()));
    }
    if let Some(expected) = &check.expected {
        text += &format!("\nexpected {}", shown(expected));
    }
    if let Some(found) = &check.found {
        text += &format!("\nfound    {}", shown(found));
    }
    if check.status == Status::No && !check.code.advice().is_empty() {
        text += &format!("\n{}", check.code.advice());
    }
    let head = format!("  {style}{word:<8}{style:#}{:<20} ", check.code);
    let width = width::of_stdout();
    if width.is_some_and(|width| width < TEXT + NARROW) {
        // No room beside the code.
        let text = width::fit(&text, 0, width.map(|width| width - 4));
        return format!("{}\n    {}", head.trim_end(), text.replace('\n', "\n    "));
    }
    let text = width::fit(&text, 0, width.map(|width| width - TEXT));
    head + &text.replace('\n', &format!("\n{:TEXT$}", ""))
}

/// The column at which the text of a row begins, and how narrow it may be there.
const TEXT: usize = 31;
const NARROW: usize = 30;

/// What a check says, and the cause behind the first line break. A foreign text can have line breaks of its own,
/// which are shown as what they are.
pub(super) fn parts(check: &Check) -> (&str, Option<&str>) {
    match check.text.split_once('\n') {
        Some((said, cause)) => (said, Some(cause)),
        None => (&check.text, None),
    }
}

/// What is wrong with `--force` where the result goes to standard output.
pub(super) const NOTHING_TO_REPLACE: &str =
    "--force means nothing to standard output, where nothing is replaced";

/// A path as it may be shown.
pub(super) fn shown_path(path: &Path) -> String {
    // Of an address, what may be shown.
    match remote::shown_name(path) {
        Some(address) => shown(&address).into_owned(),
        None => shown(&path.to_string_lossy()).into_owned(),
    }
}

/// A number with its thousands apart.
pub(super) fn grouped(number: u64) -> String {
    indicatif::HumanCount(number).to_string()
}

/// One of them, or several.
pub(super) fn plural(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(count), words::plural(count, one, many))
}

/// A size for people, with the exact number.
pub(super) fn size(bytes: u64) -> String {
    if bytes < 1024 {
        return plural(bytes, "byte", "bytes");
    }
    format!("{} ({bytes} bytes)", Size(bytes))
}
