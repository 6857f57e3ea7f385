//! A snapshot of a data directory, written to any stream: here to a file, through a hash.
//!
//! ```sh
//! cargo run --example export -- DATA_DIR FILE
//! ```

use std::error::Error;
use std::fs::File;
use std::io::{self, Write};

use rollsnap::export::{self, Options};
use rollsnap_core::feedback::Silent;
use sha2::{Digest, Sha256};

/// Passes everything on, and hashes it.
struct Hashed<W> {
    inner: W,
    hash: Sha256,
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hash.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args_os().skip(1);
    let (Some(data_dir), Some(file)) = (args.next(), args.next()) else {
        return Err("usage: export DATA_DIR FILE".into());
    };
    let mut options = Options::new(data_dir);
    options.jobs = std::num::NonZeroUsize::MIN;
    let mut out = Hashed { inner: File::create_new(file)?, hash: Sha256::new() };
    let outcome = export::stream(&options, &mut out, &mut Silent)?;
    out.inner.sync_all()?;

    print!("{} bytes, SHA-256 ", outcome.bytes);
    out.hash.finalize().iter().for_each(|byte| print!("{byte:02x}"));
    println!();
    Ok(())
}
