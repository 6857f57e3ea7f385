//! Foreign text on a terminal: whatever a file, a database, a directory or a server says, what leaves the program moves
//! no cursor, turns no text and begins no line. JSON says it exactly.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;

use std::path::Path;
use std::thread;

use rollsnap_core::{Code, Problem};
use rollsnap_tests::cli::{Ground, Run};
use rusqlite::Connection;

/// Orders to a terminal in both forms, a text that turns, one that is not seen, and lines of its own.
const HOSTILE: &str =
    "A\u{1b}]0;pwned\u{7}\u{1b}[31m\u{202e}RED\nfake: yes\r\u{9b}1m\u{2028}\u{200b}\u{2066}\u{e0041}B";

/// The same as the name of a file.
const NAME: &str = "A\u{1b}]0;pwned\u{7}\u{1b}[31m\u{202e}RED\nfake: yes\r\u{9b}1m\u{2028}\u{200b}\u{2066}B";

/// Everything that was printed is plain. Unicode's tables say what is not (see the tests of `shown`); here it is
/// enough that none of the characters above gets through.
#[track_caller]
fn plain(run: &Run) {
    let out = String::from_utf8_lossy(&run.out);
    assert!(!run.err.contains("panicked"), "{:?}", run.err);
    for (text, place) in [(&*out, "standard output"), (&*run.err, "standard error")] {
        let foreign = |c: char| c != '\n' && (c.is_control() || HOSTILE.contains(c) && !c.is_ascii());
        assert!(!text.contains(foreign), "{:?}: {place}: {text:?}", run.words);
        assert!(!text.lines().any(|line| line.trim_start().starts_with("fake")), "{:?}: {text:?}", run.words);
    }
}

/// Runs a command as people see it and as JSON, in all forms of progress.
#[track_caller]
fn every_way(ground: &Ground, words: &[&str]) -> Vec<Run> {
    let json = words[0] != "cat" && !words.starts_with(&["context", "cat"]);
    let mut runs = vec![ground.run(words), ground.run(&[words, &["--progress", "json"]].concat())];
    runs.push(ground.run(&[words, &["--progress", "plain"]].concat()));
    if json {
        runs.push(ground.run(&[words, &["--json"]].concat()));
    }
    runs.iter().for_each(plain);
    runs
}

/// Something of it was said at all.
#[track_caller]
fn mentions(runs: &[Run], what: &str) {
    let said = |run: &Run| run.err.contains(what) || String::from_utf8_lossy(&run.out).contains(what);
    assert!(runs.iter().any(said), "{what}: {}", runs[0]);
}

const ESCAPED: &str =
    r"A\u{1b}]0;pwned\u{7}\u{1b}[31m\u{202e}RED\nfake: yes\r\u{9b}1m\u{2028}\u{200b}\u{2066}";

#[test]
fn names_of_files_and_directories() {
    let ground = Ground::new();
    let snapshot = ground.at(NAME);
    fs::write(&snapshot, rollsnap_tests::fixtures::read("data-dir/v5-full.finalized.snapshot.gz")).unwrap();
    let data = ground.unpack("v5-full", "data");
    let moved = ground.at(&format!("{NAME} data"));
    fs::rename(&data, &moved).unwrap();
    fs::write(Path::new(&moved).join(NAME), "leftover").unwrap();
    fs::write(Path::new(&moved).join("context").join(NAME), "leftover").unwrap();
    fs::write(Path::new(&moved).join("wasm_2_0_0").join(NAME), "no pre-image").unwrap();
    let missing = ground.at(&format!("{NAME} missing"));
    let out = ground.at(&format!("{NAME} out"));
    for words in [
        &["verify", &*snapshot][..],
        &["info", &snapshot],
        &["info", "--full", &snapshot],
        &["ls", &snapshot],
        &["index", "--force", &snapshot],
        &["extract", &snapshot, "-C", &out],
        &["import", &snapshot, "--data-dir", &out],
        &["import", &snapshot, "--data-dir", &out],
        &["context", "log", &snapshot],
        &["context", "stat", &snapshot],
        &["context", "ls", &snapshot],
    ] {
        every_way(&ground, words);
    }
    mentions(&every_way(&ground, &["verify", &moved]), ESCAPED);
    mentions(&every_way(&ground, &["context", "log", &moved]), ESCAPED);
    let export = ["export", "--force", "--data-dir", &*moved, &*format!("{out}.snapshot")];
    mentions(&every_way(&ground, &export), ESCAPED);
    for command in ["verify", "info", "ls", "index", "extract", "import", "convert"] {
        let mut words = vec![command, &*missing];
        match command {
            "import" => words.extend(["--data-dir", "nowhere"]),
            "convert" => words.extend(["-o", "nowhere"]),
            _ => {}
        }
        mentions(&every_way(&ground, &words), ESCAPED);
    }
    mentions(&every_way(&ground, &["cat", &missing, "metadata"]), ESCAPED);
    mentions(&every_way(&ground, &["cat", &snapshot, NAME]), ESCAPED);
    mentions(&every_way(&ground, &["context", "ls", &snapshot, NAME]), "A");
    mentions(&every_way(&ground, &["context", "cat", &snapshot, NAME]), "A");
}

#[test]
fn what_was_typed() {
    let ground = Ground::new();
    let snapshot = ground.snapshot("data-dir/v5-full.finalized.snapshot.gz");
    let url = format!("http://{NAME}");
    let option = format!("--{NAME}");
    for words in [
        &["verify", &*option, &*snapshot][..],
        &["verify", "--expect-commitment", NAME, &snapshot],
        &["verify", &url],
        &["verify", "-E", &url, &snapshot],
        &["import", "--level", NAME, &snapshot, "--data-dir", "nowhere"],
        &["export", "--level", NAME, "--data-dir", "nowhere"],
        &["context", "ls", "--commit", NAME, &snapshot],
        &["context", "ls", "--level", NAME, &snapshot],
        &[NAME],
    ] {
        let run = ground.run(words);
        plain(&run);
        assert_eq!(run.status, 2, "{run}");
    }
}

/// The names of members, which strict reading refuses and lenient reading lists.
#[test]
fn names_of_members() {
    let ground = Ground::new();
    let data = ground.unpack("v5-full", "data");
    let file = ground.at("file.snapshot");
    ground.run(&["export", "--uncompressed", "--data-dir", &data, &file]).ok();
    let mut bytes = fs::read(&file).unwrap();
    let at = bytes.windows(9).position(|window| window == b"metadata\0").unwrap();
    bytes[at..at + NAME.len()].copy_from_slice(NAME.as_bytes());
    bytes[at + 148..at + 156].fill(b' ');
    let sum: u32 = bytes[at..at + 512].iter().map(|byte| u32::from(*byte)).sum();
    bytes[at + 148..at + 156].copy_from_slice(format!("{sum:07o}\0").as_bytes());
    fs::write(&file, bytes).unwrap();
    mentions(&every_way(&ground, &["ls", "--lenient", &file]), ESCAPED);
    let report = ground.run(&["ls", "--lenient", "--json", &file]).json();
    let names: Vec<&str> = report["members"]["list"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    assert!(names.contains(&NAME), "JSON is exact: {names:?}");
    plain(&ground.run(&["cat", "--lenient", &file, NAME]));
    for words in [
        &["verify", &*file][..],
        &["ls", &file],
        &["extract", &file, "-C", "out"],
        &["import", &file, "--data-dir", "new"],
        &["context", "log", &file],
    ] {
        every_way(&ground, words);
    }
}

/// Every text of a database.
#[test]
fn texts_of_a_store() {
    let quoted = HOSTILE.replace('\'', "''");
    let changes = [
        format!("INSERT INTO rollup_node_state VALUES ('{quoted}', 'x', 1)"),
        format!("UPDATE rollup_node_state SET value = '{quoted}' WHERE name = 'history_mode'"),
        format!("UPDATE rollup_node_state SET value = '{quoted}' WHERE name = 'l2_head'"),
        format!("UPDATE rollup_node_state SET value = '{quoted}' WHERE name = 'lcc'"),
        format!("UPDATE migrations SET name = '{quoted}' WHERE id = 2"),
        format!("UPDATE l2_blocks SET block_hash = '{quoted}' WHERE level = 2000015"),
        format!("UPDATE l2_blocks SET context = '{quoted}' WHERE level = 2000015"),
        format!("UPDATE commitments SET compressed_state = '{quoted}'"),
        format!("CREATE TABLE \"{quoted}\" (a)"),
        format!("CREATE TRIGGER \"{quoted}\" AFTER INSERT ON l2_blocks BEGIN SELECT 1; END"),
        format!(
            "PRAGMA writable_schema = on; INSERT INTO sqlite_schema VALUES ('table', '{quoted}', '{quoted}', 9999, 'create table')"
        ),
    ];
    let mut accused = 0;
    for change in changes {
        let ground = Ground::new();
        let data = ground.unpack("v5-full", "data");
        let conn = Connection::open(format!("{data}/store.sqlite")).unwrap();
        conn.execute_batch(&change).unwrap();
        drop(conn);
        let runs = every_way(&ground, &["verify", &data]);
        accused += u32::from(runs[0].status != 0);
        for words in [
            &["export", "--data-dir", &*data, "out.snapshot"][..],
            &["context", "log", &data],
            &["context", "stat", &data],
            &["context", "stat", "--level", "2000015", &data],
        ] {
            every_way(&ground, words);
        }
    }
    assert!(accused > 5, "{accused}");
}

#[test]
fn metadata_and_configuration() {
    let escaped = serde_json::to_string(HOSTILE).unwrap();
    for metadata in [
        HOSTILE.to_owned(),
        format!("{{\"rollup_address\":{escaped},\"context_version\":0,\"kind\":\"wasm_2_0_0\"}}"),
        format!("{{\"context_version\":0,\"kind\":{escaped}}}"),
        format!("{{{escaped}:1}}"),
    ] {
        let ground = Ground::new();
        let data = ground.unpack("v5-full", "data");
        fs::write(format!("{data}/metadata"), &metadata).unwrap();
        fs::write(format!("{data}/config.json"), &metadata).unwrap();
        let snapshot = ground.snapshot("data-dir/v5-full.finalized.snapshot.gz");
        for words in [
            &["verify", &*data][..],
            &["export", "--data-dir", &data, "out.snapshot"],
            &["import", "--force", &snapshot, "--data-dir", &data],
        ] {
            every_way(&ground, words);
        }
    }
    for version in [HOSTILE.to_owned(), format!("{{\"store_version\":{escaped}}}")] {
        let ground = Ground::new();
        let data = ground.unpack("v4-full", "data");
        fs::write(format!("{data}/storage/version"), version).unwrap();
        every_way(&ground, &["verify", &data]);
        every_way(&ground, &["convert", &data, "-o", "out"]);
    }
}

/// What a layer 1 node answers.
#[test]
fn answers_of_layer_1() {
    let id = serde_json::to_string(HOSTILE).unwrap();
    for (status, header, body) in [
        ("500 X", String::new(), HOSTILE.to_owned()),
        ("500 X", String::new(), format!("[{{\"id\":{id}}}]")),
        ("200 OK", String::new(), format!("{{\"level\":{id}}}")),
        ("200 OK", String::new(), HOSTILE.to_owned()),
        ("302 Found", "Location: http://x/\u{1b}]0;pwned\u{7}\u{202e}\r\n".to_owned(), String::new()),
        ("500 \u{1b}]0;pwned\u{7}", String::new(), String::new()),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let answer = format!(
            "HTTP/1.1 {status}\r\n{header}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { continue };
                let mut head = Vec::new();
                let mut byte = [0];
                while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read == 1) {
                    head.push(byte[0]);
                }
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        let ground = Ground::new();
        let snapshot = ground.snapshot("data-dir/v5-full.finalized.snapshot.gz");
        let runs = every_way(&ground, &["verify", "-E", &url, &snapshot]);
        assert!(runs.iter().all(|run| run.status == 5), "not checked, by no fault of the file: {}", runs[0]);
        every_way(&ground, &["import", "-E", &url, &snapshot, "--data-dir", "new"]);
    }
}

/// In the library, a problem gives back what it was told, and displays what may be seen.
#[test]
fn problems_of_the_library() {
    let problem =
        Problem::new(Code::StoreDamaged).headline(HOSTILE).path(NAME).found(HOSTILE).because(HOSTILE);
    assert_eq!(
        (problem.title(), problem.found_text(), problem.cause()),
        (HOSTILE, Some(HOSTILE), Some(HOSTILE))
    );
    let shown = problem.to_string();
    assert!(!shown.contains(char::is_control) && !shown.contains('\u{202e}'), "{shown}");
}
