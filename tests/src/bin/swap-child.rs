//! What the crash tests of the swap run and kill: `swap-child commit|recover ROOT`.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use rollsnap::swap::{self, Change, Staging};
use rollsnap_core::Result;
use rollsnap_core::feedback::{Feedback, Phase};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [job, root] = arguments.as_slice() else { return ExitCode::from(2) };
    let done = match job.as_str() {
        "commit" => commit(Path::new(root)).map(|()| "committed".to_owned()),
        "recover" => swap::recover(Path::new(root), &mut Printer).map(|outcome| format!("{outcome:?}")),
        _ => return ExitCode::from(2),
    };
    match done {
        Ok(word) => {
            println!("{word}");
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("{problem:?}");
            ExitCode::FAILURE
        }
    }
}

/// Stages a small new state and puts it in place.
fn commit(root: &Path) -> Result<()> {
    let mut staging = Staging::begin(root)?;
    stage(staging.dir()).expect("staging files");
    let pre_images = "wasm_2_0_0";
    staging.take_over(pre_images, &mut Printer)?;
    let mut plan =
        ["context", "store.sqlite", "fresh", pre_images].map(|name| Change::Replace(name.into())).to_vec();
    plan.extend(["store.sqlite-wal", "store.sqlite-shm", "storage"].map(|name| Change::Remove(name.into())));
    staging.commit(&plan, &mut Printer)
}

fn stage(dir: &Path) -> std::io::Result<()> {
    fs::create_dir_all(dir.join("context/index"))?;
    fs::write(dir.join("context/store.control"), "new control")?;
    fs::write(dir.join("context/index/data"), "new index")?;
    fs::write(dir.join("store.sqlite"), "new store")?;
    fs::write(dir.join("fresh"), "a new entry")?;
    fs::create_dir(dir.join("wasm_2_0_0"))?;
    fs::write(dir.join("wasm_2_0_0/shared"), "shared, new")
}

struct Printer;

impl Feedback for Printer {
    fn phase(&mut self, _: Phase) {}
    fn advance(&mut self, _: u64) {}
    fn note(&mut self, text: &str) {
        println!("note: {text}");
    }
}
