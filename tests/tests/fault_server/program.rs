//! The program that serves files for scripts, asked by Python's client.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_fault_server");

/// Two requests on one connection, which the client of Python's library opens anew only if it must.
const ASK: &str = r#"
import http.client, sys
connection = http.client.HTTPConnection(sys.argv[1].removeprefix("http://"))
for bounds in "1-3", "":
    connection.request("GET", "/some.file", headers={"Range": f"bytes={bounds}"} if bounds else {})
    answer = connection.getresponse()
    print(answer.status, answer.getheader("Content-Range"), answer.getheader("ETag"), answer.read().decode())
"#;

#[test]
fn the_program_serves_and_counts() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("some.file");
    fs::write(&file, "content").unwrap();
    let mut child = Command::new(PROGRAM)
        .args([
            "--no-etag",
            "--throttle",
            "25M",
            "--chunked",
            "--after",
            "1",
            "--status",
            "503",
            "--after",
            "2",
        ])
        .arg(&file)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut line = || lines.next().unwrap().unwrap();
    let url = line();
    let asked = Command::new("python3").args(["-c", ASK, &url]).output().unwrap();
    let said = String::from_utf8(asked.stdout).unwrap();
    assert_eq!(said, "206 bytes 1-3/7 None ont\n200 None None content\n");
    writeln!(input).unwrap();
    assert_eq!(line(), r#"{"body_bytes":10,"requests":2,"connections":1}"#);
    let refused = Command::new("python3").args(["-c", ASK, &url]).output().unwrap();
    assert!(refused.stdout.starts_with(b"503 "));
    drop(input);
    assert!(line().contains(r#""requests":4,"connections":2"#));
    assert!(child.wait().unwrap().success());
}

#[test]
fn the_program_refuses_what_it_does_not_understand() {
    for wrong in [
        vec![],
        vec!["--throttle", "many", "f"],
        vec!["--throttle"],
        vec!["--first", "1", "f"],
        vec!["--what", "f"],
        vec!["--redirect", "302", "f"],
        vec!["--status", "70000", "f"],
    ] {
        let output = Command::new(PROGRAM).args(&wrong).stdin(Stdio::null()).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
        assert!(output.stdout.is_empty());
    }
}
