//! Makes a data directory of any size, for `run.py` and for trying a program at scale.
//!
//!   scale_make DIRECTORY [--size 20G] [--seed 7] [--shape near|far|wide|deep] [--layout chunks|prefix] [--store v5|v4]
//!
//! The directory must not exist or be empty. Prints what it has made as JSON.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rollsnap_tests::scale::{Layout, Plan, Shape, StoreVersion, make};

const USAGE: &str = "scale_make DIRECTORY [--size 20G] [--seed 7] [--shape near|far|wide|deep] [--layout chunks|prefix] [--store v5|v4]";

fn main() {
    let Some((directory, plan)) = arguments() else {
        eprintln!("{USAGE}");
        std::process::exit(2);
    };
    if std::fs::read_dir(&directory).is_ok_and(|mut entries| entries.next().is_some()) {
        eprintln!("{} is not empty", directory.display());
        std::process::exit(2);
    }
    if let Err(error) = run(&directory, &plan) {
        eprintln!("{}: {error}", directory.display());
        std::process::exit(1);
    }
}

fn run(directory: &Path, plan: &Plan) -> std::io::Result<()> {
    let begun = Instant::now();
    let mut next = Duration::from_secs(10);
    let made = make(directory, plan, |bytes| {
        if begun.elapsed() >= next {
            next += Duration::from_secs(10);
            let rate = bytes as f64 / 1e6 / begun.elapsed().as_secs_f64();
            eprintln!("{} MB of {}, {rate:.0} MB/s", bytes / 1_000_000, plan.size / 1_000_000);
        }
    })?;
    println!("{}", serde_json::to_string_pretty(&made)?);
    Ok(())
}

fn arguments() -> Option<(PathBuf, Plan)> {
    let mut plan = Plan {
        size: 20_000_000_000,
        seed: 7,
        shape: Shape::Near,
        layout: Layout::Chunks,
        store: StoreVersion::V5,
    };
    let mut directory = None;
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        if !word.starts_with('-') && directory.is_none() {
            directory = Some(PathBuf::from(word));
            continue;
        }
        let value = words.next()?;
        match &*word {
            "--size" => plan.size = size(&value)?,
            "--seed" => plan.seed = value.parse().ok()?,
            "--shape" => plan.shape = Shape::ALL.into_iter().find(|shape| shape.name() == value)?,
            "--layout" if value == "chunks" => plan.layout = Layout::Chunks,
            "--layout" if value == "prefix" => plan.layout = Layout::Prefix,
            "--store" if value == "v4" => plan.store = StoreVersion::V4,
            "--store" if value == "v5" => plan.store = StoreVersion::V5,
            _ => return None,
        }
    }
    Some((directory?, plan))
}

/// A number of bytes; K, M, G and T stand for powers of 1000.
fn size(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(['K', 'M', 'G', 'T']);
    let power = "KMGT"
        .find(&text[digits.len()..])
        .filter(|_| digits.len() < text.len())
        .map_or(0, |at| at as u32 + 1);
    digits.parse::<u64>().ok()?.checked_mul(1000u64.checked_pow(power)?)
}
