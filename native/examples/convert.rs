//! A data directory of version 5, made of a snapshot whose store is older.
//!
//! ```sh
//! cargo run --example convert -- SNAPSHOT DATA_DIR
//! ```

use std::error::Error;

use rollsnap::convert::{self, Options, Output};
use rollsnap_core::feedback::Silent;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args_os().skip(1);
    let (Some(snapshot), Some(data_dir)) = (args.next(), args.next()) else {
        return Err("usage: convert SNAPSHOT DATA_DIR".into());
    };
    let options = Options::new(snapshot, Output::DataDir(data_dir.into()));
    let outcome = convert::run(&options, &mut Silent)?;
    println!(
        "store version {} to 5, levels {} to {}",
        outcome.version, outcome.first_level, outcome.head_level
    );
    for table in &outcome.carried.tables {
        println!("{table:?}");
    }
    Ok(())
}
