//! The three answers about a snapshot or a data directory, and what stands behind them.
//!
//! ```sh
//! cargo run --example verify -- SNAPSHOT|DATA_DIR
//! ```

use std::error::Error;
use std::path::Path;

use rollsnap::verify::{self, Options};
use rollsnap_core::feedback::Silent;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).ok_or("usage: verify SNAPSHOT|DATA_DIR")?;
    let report = verify::run(Path::new(&path), &Options::default(), &mut Silent)?.report;

    let verdicts = report.verdicts;
    println!("intact:     {}", verdicts.intact.words());
    println!("consistent: {}", verdicts.consistent.words());
    println!("anchored:   {}", verdicts.anchored.words());
    for check in &report.checks {
        println!("{:<20} {}", check.code, check.text);
    }
    Ok(())
}
