//! Serves a page of one file until it is ended, for tests that take something away from the server.

use std::process::ExitCode;

use rollsnap::page::Page;
use rollsnap_core::feedback::Silent;

fn main() -> ExitCode {
    let served = Page::of(&[("index.html", b"<p>the page\n")], 0).and_then(|page| {
        println!("{}", page.url());
        page.serve(&Silent)
    });
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            problem.code().class().exit_status().into()
        }
    }
}
