//! The header of a snapshot, from its first bytes: what `rollsnap info` shows.
//!
//! ```sh
//! cargo run --example header -- FILE
//! ```

use core::error::Error;
use std::fs::File;
use std::io::Read;

use rollsnap_core::snapshot;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).ok_or("usage: header FILE")?;
    let mut first = Vec::new();
    File::open(path)?.take(64 << 10).read_to_end(&mut first)?;

    let header = snapshot::read_header(&first)?;
    println!("{} of {} at level {}", header.history_mode, header.rollup_address, header.head_level);
    println!("last commitment {}", header.last_commitment);
    Ok(())
}
