//! Compresses standard input with the engine of `export`, for the benchmarks in `tests/bench/speed`.
//!
//! `deflate OUTPUT [LEVEL] [JOBS] [EXPECTED]`: level 1 to 9 or `fast`; the number of bytes that will
//! come, for the index (0: none).

use std::error::Error;
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

use rollsnap::deflate::{Deflater, Level, Options};
use rollsnap::io;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let arg = |at: usize| args.get(at).map(String::as_str);
    let path = Path::new(arg(0).ok_or("usage: deflate OUTPUT [LEVEL] [JOBS] [EXPECTED]")?);
    let mut options = Options::default();
    match arg(1) {
        Some("fast") => options.level = Level::Fast,
        Some(level) => options.level = Level::Zlib(level.parse()?),
        None => {}
    }
    if let Some(jobs) = arg(2) {
        options.jobs = jobs.parse()?;
    }
    options.expected = arg(3).map(str::parse).transpose()?;
    let file = File::create(path)?;
    let out = |bytes: &[u8]| (&file).write_all(bytes).map_err(|err| io::problem("write", path, err));
    let mut deflater = Deflater::new(options, out)?;
    let mut chunk = vec![0; 256 * 1024];
    loop {
        let len = std::io::stdin().read(&mut chunk)?;
        if len == 0 {
            break;
        }
        deflater.write(&chunk[..len])?;
    }
    if let Some(patch) = deflater.finish()?.index {
        file.write_all_at(&patch.bytes, patch.at)?;
    }
    Ok(())
}
