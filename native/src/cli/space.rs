//! `--expect-size` and `--no-preflight`: whether there is enough space, for every command that writes much.

use clap::Args;
use rollsnap_core::{Code, Problem, Result};

use super::headings::LIMITS;
use super::manifest;
use crate::dir::SpaceCheck;
use crate::memory;

#[derive(Args, Debug)]
pub(super) struct SpaceArgs {
    /// How large the contents of the snapshot are, such as 500M or 40G, where it does not say: so much must be free
    #[arg(long, value_name = "SIZE", value_parser = memory::size, help_heading = LIMITS)]
    expect_size: Option<u64>,
    #[command(flatten)]
    skipping: SkipArgs,
}

/// The same for a file.
#[derive(Args, Debug)]
pub(super) struct FileSpaceArgs {
    /// How large the file will be, such as 500M or 40G, where nothing says so before: so much must be free
    #[arg(long, value_name = "SIZE", value_parser = memory::size, help_heading = LIMITS)]
    expect_size: Option<u64>,
    #[command(flatten)]
    skipping: SkipArgs,
}

#[derive(Args, Debug)]
struct SkipArgs {
    /// Begin also where less is free than is needed
    #[arg(long, conflicts_with = "expect_size", help_heading = LIMITS)]
    no_preflight: bool,
}

impl SpaceArgs {
    pub(super) fn check(&self) -> SpaceCheck {
        SpaceCheck {
            expected: self.expect_size.or_else(manifest::extracted),
            skipped: self.skipping.no_preflight,
        }
    }

    /// Refuses a size where there is no snapshot that has one.
    pub(super) fn refuse_size(&self, why: &str) -> Result<()> {
        refuse(self.expect_size.is_some(), "--expect-size", why)
    }
}

impl FileSpaceArgs {
    pub(super) fn check(&self) -> SpaceCheck {
        SpaceCheck { expected: self.expect_size, skipped: self.skipping.no_preflight }
    }

    /// Refuses a size where no file is made.
    pub(super) fn refuse_size(&self, why: &str) -> Result<()> {
        refuse(self.expect_size.is_some(), "--expect-size", why)
    }

    /// Refuses both where nothing is written to a disk.
    pub(super) fn refuse_all(&self, why: &str) -> Result<()> {
        self.refuse_size(why)?;
        refuse(self.skipping.no_preflight, "--no-preflight", why)
    }
}

fn refuse(is_given: bool, option: &str, why: &str) -> Result<()> {
    match is_given {
        true => Err(Problem::new(Code::Usage).headline(format!("{option} is for {why}"))),
        false => Ok(()),
    }
}
