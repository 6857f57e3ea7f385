//! What the crash tests of added commits run and kill: `append-child CONTEXT_DIR`.

use std::path::Path;
use std::process::ExitCode;

use rollsnap_tests::appended;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [dir] = arguments.as_slice() else { return ExitCode::from(2) };
    match appended::go_on(Path::new(dir), 3) {
        Ok(there) => {
            println!("{there}");
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("{problem:?}");
            ExitCode::FAILURE
        }
    }
}
