//! A snapshot into a data directory, from any reader: here from a file, with a word for each phase.
//!
//! ```sh
//! cargo run --example import -- SNAPSHOT DATA_DIR
//! ```

use std::error::Error;
use std::fs::File;

use rollsnap::import::{self, Options};
use rollsnap::source::Source;
use rollsnap_core::Feedback;
use rollsnap_core::feedback::Phase;

/// Writes the name of each phase, and what the job has to say.
struct Log;

impl Feedback for Log {
    fn phase(&mut self, phase: Phase) {
        println!("{}/{} {}", phase.index, phase.of, phase.name);
    }

    fn advance(&mut self, _: u64) {}

    fn note(&mut self, text: &str) {
        println!("{text}");
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args_os().skip(1);
    let (Some(snapshot), Some(data_dir)) = (args.next(), args.next()) else {
        return Err("usage: import SNAPSHOT DATA_DIR".into());
    };
    let name = snapshot.to_string_lossy().into_owned();
    let source = Source::from_reader(&name, File::open(snapshot)?);
    let outcome = import::from_source(source, &Options::new(data_dir), &mut Log)?;
    println!("at level {}", outcome.head_level);
    Ok(())
}
