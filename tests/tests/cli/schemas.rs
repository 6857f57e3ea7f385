//! Everything that is printed as JSON is what its schema says, and the schema says all of it.

use std::fs;

use jsonschema::Validator;
use rollsnap_tests::cli::{Ground, Run};
use rollsnap_tests::fault_server::{Plan, Resource, Server};
use serde_json::{Map, Value, json};

const NAMES: [&str; 13] = [
    "report",
    "data-dir",
    "dry-run",
    "progress",
    "index",
    "download",
    "repair",
    "level",
    "context-log",
    "context-ls",
    "context-diff",
    "proof",
    "context-stat",
];

/// The schemas that ship, without what they leave open for later versions: a field that they do not name is an error.
struct Schemas(Vec<(String, Validator)>);

impl Schemas {
    fn read(ground: &Ground) -> Self {
        let read = |name: &str| {
            let mut schema: Value =
                serde_json::from_slice(&ground.run(&["schema", name]).ok().out).expect("a schema is JSON");
            assert!(jsonschema::meta::is_valid(&schema), "{name}");
            close(&mut schema);
            (name.to_owned(), jsonschema::validator_for(&schema).expect("a schema"))
        };
        Self(NAMES.iter().map(|name| read(name)).collect())
    }

    #[track_caller]
    fn check(&self, name: &str, value: &Value, run: &Run) {
        let (_, schema) = self.0.iter().find(|(other, _)| other == name).expect("a schema of this name");
        let errors: Vec<_> =
            schema.iter_errors(value).map(|err| format!("{}: {err}", err.instance_path())).collect();
        assert!(errors.is_empty(), "{name}: {}\n{run}", errors.join("\n"));
    }

    /// Each line of standard output is a document of the schema that it names, each of standard error an event.
    #[track_caller]
    fn check_all(&self, run: &Run) {
        for line in run.text().lines() {
            let value: Value = serde_json::from_str(line).unwrap_or_else(|err| panic!("{err}: {run}"));
            let schema = value["schema"].as_str().unwrap_or_else(|| panic!("no schema: {run}"));
            let name = schema.strip_prefix("rollsnap.").and_then(|name| name.strip_suffix("/1"));
            self.check(name.expect("rollsnap.NAME/1"), &value, run);
            let status = value["error"]["exit_status"].as_i64().or(value["exit_status"].as_i64());
            assert!(status.is_none_or(|status| status == i64::from(run.status)), "{run}");
            assert!(run.status == 0 || status.is_some(), "{run}");
        }
        for line in run.err.lines() {
            let event: Value = serde_json::from_str(line).unwrap_or_else(|err| panic!("{err}: {run}"));
            self.check("progress", &event, run);
        }
    }
}

/// Refuses fields that the schema does not name.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if object.contains_key("properties") && !object.contains_key("additionalProperties") {
                object.insert("additionalProperties".into(), false.into());
            }
            object.values_mut().for_each(close);
        }
        Value::Array(list) => list.iter_mut().for_each(close),
        _ => {}
    }
}

/// Runs a command with JSON everywhere; how it ended.
#[track_caller]
fn run(ground: &Ground, schemas: &Schemas, line: &str) -> Run {
    let words: Vec<&str> = line.split(' ').collect();
    let run = ground.run(&[&words[..], &["--json", "--progress", "json"]].concat());
    schemas.check_all(&run);
    assert!(!run.text().is_empty(), "{run}");
    run
}

#[test]
fn whatever_is_printed_as_json_has_a_schema() {
    let ground = Ground::new();
    let schemas = Schemas::read(&ground);
    let head = ground.snapshot("replay/r5-dense.head.snapshot.gz");
    fs::rename(&head, ground.path("s")).unwrap();
    let whole = fs::read(ground.path("s")).unwrap();
    fs::write(ground.path("cut"), &whole[..whole.len() / 2]).unwrap();
    ground.unpack("v4-full", "old");
    fs::rename(ground.snapshot("data-dir/v4-full.head.snapshot.gz"), ground.path("older")).unwrap();
    ground.unpack("v5-sparse", "v5");
    for (line, status) in [
        ("info s", 0),
        ("info --full s", 0),
        ("info v5", 0),
        ("info old", 0),
        ("info s v5", 0),
        ("info s cut", 0),
        ("info --full cut", 3),
        ("ls --sha256 s", 0),
        ("ls cut", 3),
        ("index s --print-sha256", 0),
        ("index s", 6),
        ("extract s -C out --print-sha256", 0),
        ("verify s", 0),
        ("verify cut --print-sha256", 3),
        ("verify v5", 0),
        ("verify s --replay last:3", 0),
        ("verify s --require anchored", 2),
        ("verify cut --require intact", 3),
        ("import s --data-dir data --dry-run", 0),
        ("import s --data-dir data", 0),
        ("import s --data-dir data", 4),
        ("import s --data-dir data --force", 6),
        ("import s --data-dir data --force --dry-run", 6),
        ("export made --data-dir data --dry-run", 0),
        ("export made --data-dir data", 0),
        ("export made --data-dir data", 4),
        ("export compact --data-dir data --compact --level head", 0),
        ("replay data", 0),
        ("replay data --from 99 --to 98", 2),
        ("repair rewind data --to 5030 --dry-run", 0),
        ("repair rewind data --to 5030 --backup data/backup", 0),
        ("repair rewind data --to 5030", 6),
        ("repair rewind data --to 5030x", 2),
        ("convert old -o new --dry-run", 0),
        ("convert old -o new", 0),
        ("convert older -o newest --as snapshot --print-sha256", 0),
        ("convert new -o newer", 6),
        ("convert --in-place old", 0),
        ("convert --in-place old", 6),
        ("context log data", 0),
        ("context ls data", 0),
        ("context ls data /kernel", 0),
        ("context stat data", 0),
        ("context diff data --from head", 0),
        ("context diff data pvm_state --from cemented --values 8", 0),
        ("context diff data --from cemented --values 8", 0),
        ("context diff data --with s", 0),
        ("context diff data --from 1", 1),
        ("context prove data /kernel/boot.wasm /nothing pvm_state/tag -o some.proof", 0),
        ("context prove data /kernel/boot.wasm -o some.proof", 4),
        ("context check-proof some.proof --values 4", 0),
        ("context check-proof some.proof /elsewhere/far", 4),
        ("context check-proof cut", 3),
        ("levels data", 0),
        ("levels s --from 5030", 0),
        ("levels older", 0),
        ("levels data --from 1 --to 2", 1),
        ("levels nowhere", 3),
        ("context log nowhere", 3),
        ("context stat nowhere", 3),
        ("info nowhere", 3),
        ("inof s", 2),
        ("verify s --context most", 2),
    ] {
        let run = run(&ground, &schemas, line);
        assert_eq!(run.status, status, "{run}");
    }
    // What is behind an address.
    let server = Server::start(Plan::new());
    server.put("/s", Resource::of_bytes(whole));
    let url = server.url("/s");
    for (line, status) in [
        (format!("info {url}"), 0),
        (format!("verify {url}"), 0),
        (format!("download {url} -o got"), 0),
        (format!("download {url} -o got"), 4),
        (format!("download {url}x -o other"), 5),
        ("download s3://bucket/key".into(), 2),
    ] {
        let run = run(&ground, &schemas, &line);
        assert_eq!(run.status, status, "{run}");
    }
}

#[test]
fn merged_shards_have_the_schema_of_a_report() {
    let ground = Ground::new();
    let schemas = Schemas::read(&ground);
    let head = ground.snapshot("replay/r5-dense.head.snapshot.gz");
    for number in [1, 2] {
        let shard = run(&ground, &schemas, &format!("verify {head} --replay all --shard {number}/2"));
        assert_eq!(shard.status, 0, "{shard}");
        fs::write(ground.path(&format!("{number}.json")), &shard.out).unwrap();
    }
    let merged = ground.run(&["report", "merge", "1.json", "2.json", "--json"]).ok();
    schemas.check_all(&merged);
}

/// A line of arguments that is not understood is answered in the form that it asks for.
#[test]
fn usage_errors_come_as_they_were_asked_for() {
    let ground = Ground::new();
    let report = ground.run(&["verify", "--wrong", "--json"]).ends(2);
    assert_eq!(report.json()["error"]["code"], "usage", "{report}");
    assert!(report.err.starts_with("Error: the command line is not understood\n"), "{report}");
    let event = ground.run(&["verify", "--progress=json"]).ends(2);
    assert_eq!(event.text(), "");
    let line: Value = serde_json::from_str(event.err.trim_end()).unwrap();
    assert_eq!((&line["event"], &line["exit_status"]), (&json!("error"), &json!(2)), "{event}");
    let plain = ground.run(&["verify"]).ends(2);
    assert!(plain.err.contains("Usage:") && plain.text().is_empty(), "{plain}");
    // Help was asked for, and is no failure.
    assert!(ground.run(&["verify", "--help", "--json"]).ok().text().contains("Usage:"));
}

#[test]
fn schemas_are_listed_and_strict() {
    let ground = Ground::new();
    let listed = ground.run(&["schema"]).ok();
    assert_eq!(listed.text().lines().collect::<Vec<_>>(), NAMES);
    ground.run(&["schema", "header"]).ends(2);
    let schemas = Schemas::read(&ground);
    let (_, report) = &schemas.0[0];
    let good = ground.run(&["info", "nowhere", "--json"]).ends(3).json();
    assert!(report.is_valid(&good));
    let with = |change: &dyn Fn(&mut Map<String, Value>)| {
        let mut value = good.clone();
        change(value.as_object_mut().unwrap());
        report.is_valid(&value)
    };
    assert!(!with(&|report| drop(report.remove("checks"))));
    assert!(!with(&|report| drop(report.insert("schema".into(), json!("rollsnap.report/2")))));
    assert!(!with(&|report| drop(report.insert("more".into(), json!(1)))));
    assert!(!with(&|report| report["verdicts"]["intact"] = json!("maybe")));
    assert!(!with(&|report| report["checks"][0]["at"] = json!({"level": "5"})));
    assert!(!with(&|report| report["error"]["exit_status"] = json!(0)));
}
