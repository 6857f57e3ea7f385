//! `rollsnap repair pre-images`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use rollsnap_core::Result;

use super::{OfFiles, carry_out};
use crate::cli::export::data_dir;
use crate::cli::headings::{READ, RESULT};
use crate::cli::output::Output;
use crate::cli::progress::Terminal;
use crate::l1::client;
use crate::repair::PreImages;

const EXAMPLES: &str = "\
Examples:
  rollsnap repair pre-images DATA_DIR \\
    --from https://snapshots.tzinit.org/etherlink-mainnet/wasm_2_0_0
  rollsnap repair pre-images --from https://HOST/wasm_2_0_0 HASH -d DATA_DIR";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct PreImagesArgs {
    /// The data directory, whose node is stopped, unless --data-dir names it; and pre-images that are fetched if they are
    /// missing: 66 hexadecimal digits each
    #[arg(value_name = "DATA_DIR|HASH", help_heading = READ)]
    words: Vec<String>,
    /// The data directory [default: $ROLLSNAP_DATA_DIR, or ~/.tezos-smart-rollup-node]
    #[arg(long, short, value_name = "DIR", help_heading = READ)]
    data_dir: Option<PathBuf>,
    /// Address of a server that has the pre-images, without their hashes
    #[arg(long, value_name = "URL", help_heading = RESULT)]
    from: String,
    #[command(flatten)]
    pub(super) common: OfFiles,
}

impl PreImagesArgs {
    /// The data directory, and the words that are names of pre-images.
    fn words(&self) -> Result<(PathBuf, &[String])> {
        let is_name = |word: &String| word.len() >= 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        match self.words.split_first() {
            Some((directory, names)) if self.data_dir.is_none() && !is_name(directory) => {
                Ok((directory.into(), names))
            }
            _ => Ok((data_dir(self.data_dir.as_deref())?, &self.words)),
        }
    }
}

pub(super) fn run(args: &PreImagesArgs, output: &Output, feedback: &mut Terminal) -> Result<ExitCode> {
    let (directory, names) = args.words()?;
    let names = names.iter().map(|name| name.parse()).collect::<Result<_>>()?;
    let mut repair = PreImages::new(&args.from, names, client::Options::default())?;
    let common = args.common.common();
    carry_out(&mut repair, "repair pre-images", directory, &common, output, feedback)
}
