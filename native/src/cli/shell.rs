//! Completions and manual pages, made from the same description as `--help`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use rollsnap_core::Result;

use super::output::written;
use crate::io;

#[derive(Args, Debug)]
pub(super) struct CompletionsArgs {
    /// Which shell
    shell: clap_complete::Shell,
}

#[derive(Args, Debug)]
pub(super) struct ManArgs {
    /// Directory to write the pages to; made if missing [default: print the main page]
    directory: Option<PathBuf>,
}

pub(super) fn completions(args: &CompletionsArgs) -> Result<ExitCode> {
    // Gathered first: the generator panics when standard output is closed.
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut super::command(), "rollsnap", &mut text);
    print_bytes(&text)
}

pub(super) fn man(args: &ManArgs) -> Result<ExitCode> {
    let mut command = super::command();
    command.build();
    let Some(directory) = &args.directory else {
        return print_bytes(&page(&command)?);
    };
    fs::create_dir_all(directory).map_err(|err| io::problem("create the directory", directory, err))?;
    write_pages(&command, directory)?;
    Ok(ExitCode::SUCCESS)
}

fn write_pages(command: &clap::Command, directory: &Path) -> Result<()> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    let path = directory.join(format!("{name}.1"));
    fs::write(&path, page(command)?).map_err(|err| io::problem("write", &path, err))?;
    command
        .get_subcommands()
        .filter(|sub| sub.get_name() != "help")
        .try_for_each(|sub| write_pages(sub, directory))
}

fn page(command: &clap::Command) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    let page = clap_mangen::Man::new(command.clone());
    page.render(&mut text).map_err(|err| io::problem("write", Path::new("a manual page"), err))?;
    Ok(text)
}

fn print_bytes(bytes: &[u8]) -> Result<ExitCode> {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    written(out.write_all(bytes).and_then(|()| out.flush())).map(|()| ExitCode::SUCCESS)
}
