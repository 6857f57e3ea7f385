//! The console blocks of README, TOUR and REPLAY are run, and print what stands there.
//!
//! A document says in a comment what its commands find in their home directory:
//!
//! ```text
//! <!-- Console blocks are run by …
//! file NAME = FIXTURE          a copy
//! directory NAME = FIXTURE     what is in the one directory of a tar file
//! endpoint NAME = FIXTURE      the environment variable NAME: a layer 1 node with this view
//! -->
//! ```
//!
//! The lines that begin with `$ ` are one shell session, from top to bottom of the document. What a command prints on
//! standard output and standard error is compared with the lines below it, without blank lines at the end. `…` stands for
//! any text within a line, and alone in a line for any number of lines. A command that fails is followed
//! by `$ echo $?`.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use rollsnap_tests::cli::{Ground, program};
use rollsnap_tests::fixtures;
use rollsnap_tests::l1::Stub;

#[test]
fn the_console_blocks_of_the_readme_are_true() {
    assert!(run("README.md") >= 7);
}

#[test]
fn the_console_blocks_of_the_tour_are_true() {
    assert!(run("docs/TOUR.md") >= 20);
}

#[test]
fn the_console_blocks_about_replay_are_true() {
    assert!(run("docs/REPLAY.md") >= 7);
}

/// The two commands that the project is known by.
#[test]
fn the_readme_names_the_demo_and_the_tests() {
    let text = read("README.md");
    let (_, shell) = text.split_once("```sh\ncargo run --release -- demo ").expect("the demo");
    assert!(shell.split("```").next().unwrap().contains("\n./test "));
}

/// The oldest compiler stands in one place for cargo, and in three for people.
#[test]
fn the_rust_version_is_that_of_cargo() {
    let version = env!("CARGO_PKG_RUST_VERSION");
    for document in ["README.md", "CONTRIBUTING.md"] {
        assert!(read(document).contains(&format!("Rust {version}")), "{document}");
    }
    assert!(read("docs/STABILITY.md").contains(&format!("today {version}.")));
}

/// The table of exit statuses is that of the help.
#[test]
fn the_exit_statuses_are_those_of_the_help() {
    let help = Ground::new().run(&["--help"]).ok();
    let text = read("docs/TOUR.md");
    let (_, table) = text.split_once("| exit | meaning |\n|---:|---|\n").expect("the table");
    let rows: String = table
        .lines()
        .map_while(|line| line.strip_prefix("| ")?.strip_suffix(" |")?.split_once(" | "))
        .map(|(status, meaning)| format!("  {status:<5}{meaning}\n"))
        .collect();
    assert_eq!(help.text().split_once("Exit status:\n").expect("its table").1, rows);
}

/// Every relative link leads to a file, and to a heading where it names one.
#[test]
fn links_lead_somewhere() {
    let mut documents: Vec<_> =
        ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "web/README.md"].map(str::to_owned).into();
    for entry in fs::read_dir(root().join("docs")).unwrap() {
        documents.push(format!("docs/{}", entry.unwrap().file_name().to_str().unwrap()));
    }
    let mut links = 0;
    for document in documents {
        let text = read(&document);
        let place = root().join(&document);
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.contains("://") {
                continue;
            }
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { place.clone() } else { place.parent().unwrap().join(file) };
            assert!(target.exists(), "{document}: {link}");
            if !heading.is_empty() {
                let text = fs::read_to_string(target).unwrap();
                let headings = text.lines().filter(|line| line.starts_with('#')).map(anchor);
                assert!(headings.into_iter().any(|name| name == heading), "{document}: {link}");
            }
            links += 1;
        }
    }
    assert!(links > 20, "{links}");
}

/// A command of a document and what it prints.
#[derive(Debug)]
struct Step<'a> {
    command: &'a str,
    expected: Vec<&'a str>,
}

/// Runs the commands of a document; how many there are.
fn run(document: &str) -> usize {
    let text = read(document);
    let ground = Ground::new();
    let home = ground.path("home");
    let mut command = Command::new("sh");
    ground.isolate(&mut command).current_dir(&home);
    // Messages name the directory of temporary files that most systems have.
    command.env_remove("TMPDIR");
    let tools = ground.path("tools");
    fs::create_dir(&tools).unwrap();
    symlink(program(), tools.join("rollsnap")).unwrap();
    let path = std::env::var("PATH").unwrap();
    command.env("PATH", format!("{}:{path}", tools.display()));

    let (_, rest) = text.split_once("<!-- Console blocks are run by").expect("what the commands find");
    let mut endpoints = Vec::new();
    for line in rest.split("-->").next().unwrap().lines().skip(1).filter(|line| !line.is_empty()) {
        let (what, fixture) = line.split_once(" = ").unwrap_or_else(|| panic!("{line}"));
        let file = fixtures::directory().join(fixture);
        match what.split_once(' ').unwrap() {
            ("file", name) => drop(fs::copy(file, home.join(name)).unwrap()),
            ("directory", name) => unpack(&file, &home.join(name)),
            ("endpoint", name) => {
                let stub = Stub::start(&serde_json::from_slice(&fixtures::read(fixture)).unwrap(), &[]);
                command.env(name, stub.url());
                endpoints.push(stub);
            }
            _ => panic!("{line}"),
        }
    }

    let steps = steps(&text);
    assert!(!steps.is_empty());
    let mut script = String::new();
    for step in &steps {
        // The status of a command is that of the next one's `$?`.
        script += &format!(
            "{{ {}\n}} </dev/null\nstatus=$?; echo; echo '{END}' $status; (exit $status)\n",
            step.command
        );
    }
    let output = command.arg("-c").arg(format!("exec 2>&1\n{script}")).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let mut blocks = printed.split_inclusive('\n').collect::<Vec<_>>().into_iter();
    for (index, step) in steps.iter().enumerate() {
        let mut lines = Vec::new();
        let status = loop {
            let line = blocks.next().unwrap_or_else(|| panic!("{step:?} did not end: {lines:?}")).trim_end();
            match line.strip_prefix(END) {
                Some(status) => break status.trim(),
                None => lines.push(line),
            }
        };
        while lines.last() == Some(&"") {
            lines.pop();
        }
        let shown = format!("{document}\n$ {}\n{}\n", step.command, lines.join("\n"));
        assert!(lines_match(&step.expected, &lines), "{shown}\nexpected\n{}", step.expected.join("\n"));
        let said = steps.get(index + 1).is_some_and(|next| next.command == "echo $?");
        assert!(status == "0" || said, "it ended with {status}, and nothing says so: {shown}");
    }
    steps.len()
}

/// Marks the end of a command's output.
const END: &str = "-- end of the command:";

fn steps(text: &str) -> Vec<Step<'_>> {
    let mut steps = Vec::new();
    let blocks = text.split("```").skip(1).step_by(2).filter_map(|block| block.strip_prefix("console\n"));
    for line in blocks.flat_map(str::lines) {
        match line.strip_prefix("$ ") {
            Some(command) => steps.push(Step { command, expected: Vec::new() }),
            None => steps.last_mut().expect("a command comes first").expected.push(line.trim_end()),
        }
    }
    for step in &mut steps {
        while step.expected.last() == Some(&"") {
            step.expected.pop();
        }
    }
    steps
}

/// Whether lines are those that a document shows.
fn lines_match(shown: &[&str], lines: &[&str]) -> bool {
    match shown.split_first() {
        None => lines.is_empty(),
        Some((first, rest)) if first.trim() == "…" => {
            (0..=lines.len()).any(|skipped| lines_match(rest, &lines[skipped..]))
        }
        Some((first, rest)) => lines
            .split_first()
            .is_some_and(|(line, lines)| line_matches(first, line) && lines_match(rest, lines)),
    }
}

fn line_matches(shown: &str, line: &str) -> bool {
    match shown.split_once('…') {
        None => shown == line,
        Some((before, after)) => line.strip_prefix(before).is_some_and(|line| {
            line.char_indices()
                .map(|(at, _)| at)
                .chain([line.len()])
                .any(|at| line_matches(after, &line[at..]))
        }),
    }
}

/// Puts what is in the one directory of a tar file under a name.
fn unpack(file: &Path, place: &Path) {
    fs::create_dir(place).unwrap();
    let mut command = Command::new("tar");
    command.arg("-xf").arg(file).arg("-C").arg(place).args(["--strip-components=1", "--no-same-owner"]);
    assert!(command.status().unwrap().success(), "{}", file.display());
}

/// The name of a heading in a link, as the usual renderers make it.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(document: &str) -> String {
    fs::read_to_string(root().join(document)).unwrap_or_else(|error| panic!("{document}: {error}"))
}

#[test]
fn the_comparison_can_fail() {
    assert!(lines_match(&["a…c", "…", "z"], &["abc", "x", "y", "z"]));
    assert!(lines_match(&["…"], &[]));
    assert!(!lines_match(&["a…c"], &["abd"]));
    assert!(!lines_match(&["a"], &["a", "b"]));
    assert!(!lines_match(&["a", "b"], &["a"]));
    assert!(!lines_match(&["…", "z"], &["x", "y"]));
}
