//! An offline change of a data directory: forgets the last commitment that the operator published, as an operator does
//! who gives the directory to somebody else. Nothing is changed where there is none.
//!
//! ```sh
//! cargo run --example modify -- DATA_DIR
//! ```

use std::error::Error;

use rollsnap::modify::{self, Modified};

fn main() -> Result<(), Box<dyn Error>> {
    let Some(data_dir) = std::env::args_os().nth(1) else {
        return Err("usage: modify DATA_DIR".into());
    };
    let nothing_to_do = |before: &modify::Head<'_>| Ok(before.state()?.lpc.is_none());
    let modified = modify::run(data_dir.as_ref(), nothing_to_do, |change| {
        let rows = change.execute("DELETE FROM rollup_node_state WHERE name = 'lpc'", &[])?;
        Ok((rows, change.head.level))
    })?;
    match modified {
        Modified::Done((rows, level)) => println!("{rows} row changed, at head level {level}"),
        Modified::Skipped => println!("nothing to do"),
    }
    Ok(())
}
