//! `convert` as an operator runs it, judged by what Mavkit's own code read of the old stores and by what
//! Python reads of the new ones.

mod import;
mod made;
mod refused;
mod rows;

use std::fs;

use rollsnap_tests::cli::{Ground, Run};
use rollsnap_tests::store_v4;
use serde_json::Value;

/// Writes a directory of `store-v4` under its name; its path.
fn plant(ground: &Ground, name: &str) -> String {
    for (file, content) in store_v4::directory(name) {
        let path = ground.path(name).join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    ground.at(name)
}

/// `Converted store version 4 to 5, levels F to H: PATH` must be all there is.
#[track_caller]
fn converted(run: Run, levels: &str) -> String {
    let run = run.ok();
    let start = format!("Converted store version 4 to 5, levels {levels}: ");
    let path = run.text().strip_prefix(&*start).and_then(|text| text.strip_suffix('\n'));
    path.unwrap_or_else(|| panic!("{run}")).to_owned()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
