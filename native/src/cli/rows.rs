//! Rows on their way to standard output, of which there may be millions, with what stands around them.

use std::io::{Seek, Write};

use rollsnap_core::{Problem, Result};
use serde::Serialize;
use tempfile::SpooledTempFile;

use super::json;
use super::output::{print, written};
use crate::io;

/// Rows that wait until it is known what comes before them. What is more than some megabytes waits in a temporary
/// file.
pub(super) struct Rows {
    spool: SpooledTempFile,
    any: bool,
}

impl Default for Rows {
    fn default() -> Self {
        Self { spool: tempfile::spooled_tempfile(4 << 20), any: false }
    }
}

impl Rows {
    /// One more element of an array of JSON.
    pub(super) fn element(&mut self, row: &impl Serialize) -> Result<()> {
        let comma = if self.any { "," } else { "" };
        let text = json::text(row).map_err(|err| failed(err.into()))?;
        self.text(format_args!("{comma}{text}"))
    }

    /// More text for people.
    pub(super) fn text(&mut self, text: std::fmt::Arguments<'_>) -> Result<()> {
        self.any = true;
        self.spool.write_fmt(text).map_err(failed)
    }

    /// Whether there is no row yet.
    pub(super) fn is_empty(&self) -> bool {
        !self.any
    }

    /// Prints them between these texts. Rows are printed as they are; their styles are for who
    /// [wants](has_styles) them.
    pub(super) fn print(mut self, before: &str, after: &str) -> Result<()> {
        self.spool.rewind().map_err(failed)?;
        print(format_args!("{before}"))?;
        let mut out = std::io::stdout().lock();
        written(std::io::copy(&mut self.spool, &mut out).map(drop))?;
        drop(out);
        print(format_args!("{after}"))
    }

    /// Prints them, elements of JSON, as the array of this name in a value that has it, and has it empty.
    pub(super) fn print_in(self, value: &impl Serialize, name: &str) -> Result<()> {
        let text = json::text(value).map_err(|err| failed(err.into()))?;
        // Within a text of JSON its quotes would be escaped.
        let empty = format!("\"{name}\":[");
        let at = text.find(&empty).map_or(text.len(), |at| at + empty.len());
        let (before, after) = text.split_at(at);
        self.print(before, &format!("{after}\n"))
    }
}

/// Whether standard output shows styles.
pub(super) fn has_styles() -> bool {
    anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never
}

fn failed(err: std::io::Error) -> Problem {
    io::problem("use a temporary file in", &std::env::temp_dir(), err)
}
