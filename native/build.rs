//! Puts the page into the program, if it has been built (`web/build --page`): `www` is a link to the folder in the
//! repository, and a folder of its own in a published crate.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let www = Path::new(&env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("www");
    println!("cargo::rerun-if-changed={}", www.display());
    let mut files = Vec::new();
    if www.join("pkg/page.js").exists() {
        collect(&www, &mut files)?;
    }
    files.sort();
    let mut table = String::from("pub(super) static FILES: &[(&str, &[u8])] = &[\n");
    for path in &files {
        let name = path.strip_prefix(&www).unwrap_or(path).to_string_lossy().replace('\\', "/");
        let path = fs::canonicalize(path)?;
        if name != "build" {
            let _ = writeln!(table, "    ({name:?}, include_bytes!({:?})),", path.display().to_string());
        }
    }
    table.push_str("];\n");
    fs::write(Path::new(&env::var_os("OUT_DIR").unwrap_or_default()).join("page.rs"), table)
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() { collect(&path, files)? } else { files.push(path) }
    }
    Ok(())
}
