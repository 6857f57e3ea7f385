//! Some members of a snapshot as files, and what was not checked for that.
//!
//! ```sh
//! cargo run --example extract -- SNAPSHOT DIRECTORY MEMBER…
//! ```

use std::error::Error;
use std::path::Path;

use rollsnap::extract::{self, Options};
use rollsnap::source::Source;
use rollsnap_core::feedback::Silent;
use rollsnap_core::report::Status;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(snapshot), Some(directory)) = (args.next(), args.next()) else {
        return Err("usage: extract SNAPSHOT DIRECTORY MEMBER…".into());
    };
    let mut options = Options::new(directory);
    options.members = args.collect();
    let mut source = Source::open(Path::new(&snapshot), &mut Silent)?;
    let report = extract::run(&mut source, &options, &mut Silent)?.report;
    for check in report.checks.iter().filter(|check| check.status == Status::Unknown) {
        println!("{}", check.text);
    }
    Ok(())
}
