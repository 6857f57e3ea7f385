//! Small libraries in C that are loaded before libc, so that a test decides what the system answers
//! (`tests/crash/*.c`, compiled on first use with `cc`).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// One of them.
pub(crate) struct Library {
    name: &'static str,
    path: OnceLock<PathBuf>,
}

impl Library {
    /// The library of `tests/crash/NAME.c`.
    pub(crate) const fn new(name: &'static str) -> Self {
        Self { name, path: OnceLock::new() }
    }

    /// The compiled library, beside the test binary; built anew when its source has changed.
    pub(crate) fn path(&self) -> &Path {
        self.path.get_or_init(|| {
            let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("crash/{}.c", self.name));
            let binary = std::env::current_exe().expect("a test binary has a path");
            let library = binary.with_file_name(format!("rollsnap-{}.so", self.name));
            let modified = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified());
            let written = modified(&source).expect("the source of the library is there");
            if modified(&library).is_ok_and(|built| built > written) {
                return library;
            }
            // Test binaries run side by side: each builds under a name of its own.
            let draft = library.with_extension(format!("{}.so", std::process::id()));
            let cc = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
            let output = Command::new(&cc)
                .args(["-Wall", "-Wextra", "-Werror", "-O1", "-shared", "-fPIC", "-o"])
                .args([&draft, &source])
                .arg("-ldl")
                .output()
                .expect("a C compiler is installed");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            fs::rename(&draft, &library).expect("the library gets its name");
            library
        })
    }
}
