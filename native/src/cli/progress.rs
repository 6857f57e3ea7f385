//! Progress on standard error, in the form that was asked for.

use std::collections::HashSet;
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rollsnap_core::feedback::{Notice, Phase, Unit};
use rollsnap_core::words::plural;
use rollsnap_core::{Allowance, Feedback, Result, shown};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};

use super::global::{Global, ProgressForm};
use super::{json, width};
use crate::size::Size;
use crate::{interrupt, io, memory};

/// How often progress is told in lines.
const PLAIN_EVERY: Duration = Duration::from_secs(5);
const JSON_EVERY: Duration = Duration::from_millis(200);

/// The user at the terminal: sees progress, and stops a job with Ctrl-C.
pub(super) struct Terminal {
    form: ProgressForm,
    quiet: bool,
    /// The notes so far, where each is shown once.
    noted: Option<HashSet<String>>,
    current: Option<Current>,
    stop: Arc<AtomicBool>,
    allowance: Allowance,
}

struct Current {
    phase: Phase,
    done: u64,
    told: Instant,
    bar: Option<ProgressBar>,
}

impl Terminal {
    pub(super) fn new(global: &Global) -> Result<Self> {
        let on_terminal = std::io::stderr().is_terminal();
        let default = if on_terminal { ProgressForm::Bar } else { ProgressForm::None };
        let form = if global.quiet { ProgressForm::None } else { global.progress.unwrap_or(default) };
        let stop = Arc::new(AtomicBool::new(false));
        interrupt::watch(&stop);
        let failed = |err| io::problem("listen to signals in", Path::new("this process"), err);
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            // The first signal asks the job to stop and clean up, a second one does not wait.
            signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&stop))
                .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&stop)))
                .map_err(failed)?;
        }
        // A file that would get too large must fail to be written, not end the process.
        signal_hook::flag::register(SIGXFSZ, Arc::default()).map_err(failed)?;
        let allowance =
            global.memory.map_or_else(|| Allowance::new(memory::of_this_machine()), Allowance::exactly);
        Ok(Self { form, quiet: global.quiet, noted: None, current: None, stop, allowance })
    }

    /// From now on a note is shown once, however many commands have it.
    pub(super) fn note_once(&mut self) {
        self.noted.get_or_insert_default();
    }

    /// Results come while the job runs: where they go to a terminal, there is no bar that would be torn, or tear them.
    pub(super) fn results_stream(&mut self) {
        if self.form == ProgressForm::Bar && std::io::stdout().is_terminal() {
            self.form = ProgressForm::None;
        }
    }

    /// What standard output has written to this terminal does not end its line, and something is to be said.
    pub(super) fn leave_line(&self) {
        if !self.quiet && std::io::stdout().is_terminal() && std::io::stderr().is_terminal() {
            line(format_args!(""));
        }
    }

    /// What the job reads comes from a file of so many bytes.
    pub(super) fn of_file(&mut self, bytes: u64) {
        self.allowance.read(bytes);
    }

    /// The job has ended. A phase that is complete is shown complete.
    pub(super) fn close(&mut self, ok: bool) {
        if ok { self.end_phase() } else { self.drop_bar() }
    }

    fn end_phase(&mut self) {
        if let Some(current) = &mut self.current {
            // Totals are exact where they are known, and what is unknown is known now.
            current.done = current.phase.total.unwrap_or(current.done);
        }
        self.tell();
        self.drop_bar();
        self.current = None;
    }

    fn drop_bar(&mut self) {
        if let Some(bar) = self.current.as_mut().and_then(|current| current.bar.take()) {
            bar.finish_and_clear();
        }
    }

    fn tell(&mut self) {
        let Some(Current { phase, done, told, bar }) = &mut self.current else { return };
        *told = Instant::now();
        let Phase { index, of, name, total, .. } = *phase;
        match self.form {
            ProgressForm::Bar => {
                if let Some(bar) = bar {
                    bar.set_position(*done);
                }
            }
            ProgressForm::Plain if total.is_none() && *done == 0 => {}
            ProgressForm::Plain => {
                let amount = amount(phase.unit, *done);
                let of_total = match total {
                    Some(total) if total > 0 => format!(
                        " of {} ({} %)",
                        self::amount(phase.unit, total),
                        u128::from(*done) * 100 / u128::from(total)
                    ),
                    _ => String::new(),
                };
                line(format_args!("{index}/{of} {name}: {amount}{of_total}"));
            }
            ProgressForm::Json => {
                let event =
                    serde_json::json!({"event": "progress", "index": index, "done": *done, "total": total});
                line(format_args!("{event}"));
            }
            ProgressForm::None => {}
        }
    }
}

impl Feedback for Terminal {
    fn phase(&mut self, phase: Phase) {
        self.end_phase();
        let bar = (self.form == ProgressForm::Bar).then(|| bar(&phase));
        match self.form {
            ProgressForm::Plain => line(format_args!("{}/{} {}", phase.index, phase.of, phase.name)),
            ProgressForm::Json => {
                let event = serde_json::json!({
                    "event": "phase", "index": phase.index, "of": phase.of, "name": phase.name,
                    "stage": phase.stage, "total": phase.total, "unit": unit(phase.unit),
                });
                line(format_args!("{event}"));
            }
            ProgressForm::Bar | ProgressForm::None => {}
        }
        self.current = Some(Current { phase, done: 0, told: Instant::now(), bar });
    }

    fn advance(&mut self, done: u64) {
        let Some(current) = &mut self.current else { return };
        current.done += done;
        let every = match self.form {
            ProgressForm::Bar => Duration::from_millis(50),
            ProgressForm::Plain => PLAIN_EVERY,
            ProgressForm::Json => JSON_EVERY,
            ProgressForm::None => return,
        };
        if current.told.elapsed() >= every {
            self.tell();
        }
    }

    fn note(&mut self, text: &str) {
        self.notice(Notice::Remark(text));
    }

    fn notice(&mut self, notice: Notice<'_>) {
        let text = notice.text();
        let is_new = self.noted.as_mut().is_none_or(|noted| noted.insert(text.into()));
        if self.quiet || !is_new {
            return;
        }
        let tell = || match self.form {
            ProgressForm::Json => {
                let event = serde_json::json!({"event": "note", "kind": notice.kind(), "text": text});
                if let Ok(event) = json::text(&event) {
                    line(format_args!("{event}"));
                }
            }
            _ => line(format_args!("{}", shown(text))),
        };
        match self.current.as_ref().and_then(|current| current.bar.as_ref()) {
            Some(bar) => bar.suspend(tell),
            None => tell(),
        }
    }

    fn allowance(&self) -> Allowance {
        self.allowance
    }

    fn cancelled(&self) -> bool {
        // A job that waits asks again and again: the bar goes on, without a thread of its own for that.
        if let Some(bar) = self.current.as_ref().and_then(|current| current.bar.as_ref()) {
            bar.tick();
        }
        self.stop.load(Ordering::Relaxed)
    }
}

fn bar(phase: &Phase) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(phase.total, ProgressDrawTarget::stderr());
    let template = match (phase.total, phase.unit) {
        (Some(_), _) if is_narrow() => "{prefix} {wide_msg} {percent:>3} %",
        (None, Unit::Bytes) if is_narrow() => "{prefix} {wide_msg} {spinner} {binary_bytes}",
        (None, _) if is_narrow() => "{prefix} {wide_msg} {spinner} {pos}",
        (Some(_), Unit::Bytes) => {
            "{prefix} {msg} {wide_bar} {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec} {eta}"
        }
        (Some(_), _) => "{prefix} {msg} {wide_bar} {pos}/{len} {per_sec} {eta}",
        (None, Unit::Bytes) => "{prefix} {msg} {spinner} {binary_bytes} {binary_bytes_per_sec}",
        (None, _) => "{prefix} {msg} {spinner} {pos}",
    };
    // The templates are constants that a test has drawn.
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_prefix(format!("{}/{}", phase.index, phase.of));
    bar.set_message(phase.name);
    bar
}

/// Whether a bar with its numbers has no room.
fn is_narrow() -> bool {
    width::of_stderr().is_some_and(|width| width < 80)
}

fn amount(unit: Unit, number: u64) -> String {
    match unit {
        Unit::Bytes => Size(number).to_string(),
        Unit::Files => format!("{number} {}", plural(number, "file", "files")),
        Unit::Blocks => format!("{number} {}", plural(number, "block", "blocks")),
    }
}

fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Bytes => "bytes",
        Unit::Files => "files",
        Unit::Blocks => "blocks",
    }
}

/// Standard error may be closed; a job does not fail for that.
fn line(text: std::fmt::Arguments<'_>) {
    let text = width::fit(&text.to_string(), 2, width::of_stderr());
    let _ = writeln!(anstream::stderr(), "{text}");
}
