//! The order of the entries of a directory, and the hashes, after all that can be done to a tree:
//! against a model in Python that was checked against the real PVM (`fixtures/pvm/order_model.py`).

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use proptest::prelude::*;
use rollsnap_core::context::edit::{Node, Order, Tree};
use rollsnap_tests::fixtures;
use rollsnap_tests::objects::Growing;
use serde_json::{Value, json};

type Names = Vec<String>;

/// One line of a script.
#[derive(Clone, Debug)]
enum Line {
    Put(Names, Vec<u8>),
    Remove(Names),
    Copy(Names, Names),
    Move(Names, Names),
    List(Names),
    Length(Names),
    Hash(Names),
    Find(Names),
    Commit,
    /// Keeps the tree as it is now, to go on with it later.
    Save(u8),
    Load(u8),
    /// Forgets what can be loaded again: the model does nothing.
    Shrink,
}

impl Line {
    fn to_json(&self) -> Value {
        match self {
            Self::Put(path, bytes) => json!(["put", path, fixtures::hex(bytes)]),
            Self::Remove(path) => json!(["remove", path]),
            Self::Copy(from, to) => json!(["copy", from, to]),
            Self::Move(from, to) => json!(["move", from, to]),
            Self::List(path) => json!(["list", path]),
            Self::Length(path) => json!(["length", path]),
            Self::Hash(path) => json!(["hash", path]),
            Self::Find(path) => json!(["find", path]),
            Self::Commit => json!(["commit"]),
            Self::Save(at) => json!(["save", at.to_string()]),
            Self::Load(at) => json!(["load", at.to_string()]),
            Self::Shrink => json!(["shrink"]),
        }
    }
}

/// What a commit is in this run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Commits {
    /// Everything stays in memory.
    Memory,
    /// What is new is written, and the tree goes on.
    Written,
    /// The tree is loaded anew.
    Loaded,
}

fn run(script: &[Line], commits: Commits) -> Vec<Value> {
    let growing = if commits == Commits::Written { Growing::new() } else { Growing::checked() };
    let mut tree = Tree::new();
    let mut saved: [Option<Tree>; 2] = [None, None];
    let mut answers = Vec::new();
    for line in script {
        let answer = match line {
            Line::Put(path, bytes) => {
                tree.add(path, bytes.clone()).unwrap();
                Value::Null
            }
            Line::Remove(path) => {
                tree.remove(path).unwrap();
                Value::Null
            }
            Line::Copy(from, to) | Line::Move(from, to) => {
                if let Some(node) = tree.get(from).unwrap() {
                    if matches!(line, Line::Move(..)) {
                        tree.remove(from).unwrap();
                    }
                    match node {
                        Node::Value(bytes) => tree.add(to, bytes).unwrap(),
                        Node::Directory(directory) => tree.add_tree(to, directory).unwrap(),
                    }
                }
                Value::Null
            }
            Line::List(path) => match tree.list(path, 0, u64::MAX).unwrap() {
                None => Value::Null,
                Some(listing) => {
                    // In pieces it is the same.
                    let half = listing.entries.len() as u64 / 2;
                    let first = tree.list(path, 0, half).unwrap().unwrap();
                    let rest = tree.list(path, half, half + 1).unwrap().unwrap();
                    assert_eq!(listing.entries, [first.entries, rest.entries].concat());
                    let name = |name: &[u8]| String::from_utf8(name.to_vec()).unwrap();
                    let entries =
                        listing.entries.iter().map(|(bytes, directory)| json!([name(bytes), directory]));
                    json!([listing.order == Order::Trie, entries.collect::<Vec<_>>()])
                }
            },
            Line::Length(path) => {
                if tree.mem_tree(path).unwrap() {
                    tree.length(path).unwrap().into()
                } else {
                    Value::Null
                }
            }
            Line::Hash(path) => {
                tree.hash_of(path).unwrap().map_or(Value::Null, |hash| fixtures::hex(&hash).into())
            }
            Line::Find(path) => {
                tree.find(path).unwrap().map_or(Value::Null, |bytes| fixtures::hex(&bytes).into())
            }
            Line::Commit => {
                match commits {
                    Commits::Memory => tree.commit().unwrap(),
                    Commits::Written => drop(growing.write(&mut tree).unwrap()),
                    Commits::Loaded => tree = Tree::load(&growing.store, growing.write(&mut tree).unwrap()),
                }
                Value::Null
            }
            Line::Save(at) => {
                saved[usize::from(*at)] = Some(tree.clone());
                Value::Null
            }
            Line::Load(at) => {
                tree = saved[usize::from(*at)].clone().unwrap_or(tree);
                Value::Null
            }
            Line::Shrink => {
                tree.shrink(&growing.store, 0);
                Value::Null
            }
        };
        answers.push(answer);
    }
    answers
}

fn judged(scripts: &[Vec<Line>]) -> Vec<Vec<Value>> {
    let judge = Path::new(env!("CARGO_MANIFEST_DIR")).join("cli/tree_judge.py");
    let mut child = Command::new("python3")
        .args(["-B".as_ref(), judge.as_os_str()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = |script: &Vec<Line>| script.iter().map(Line::to_json).collect::<Value>();
    let input = scripts.iter().map(lines).collect::<Value>().to_string();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

fn check(scripts: &[Vec<Line>]) {
    for (script, expected) in scripts.iter().zip(judged(scripts)) {
        for commits in [Commits::Memory, Commits::Written, Commits::Loaded] {
            let found = run(script, commits);
            if found != expected {
                let at = found.iter().zip(&expected).position(|(found, expected)| found != expected).unwrap();
                for line in &script[..=at] {
                    println!("{line:?}");
                }
                panic!("{commits:?}: expected {}, found {}", expected[at], found[at]);
            }
        }
    }
}

/// Few names, so that paths meet; enough for directories of many parts.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => (0..3u8).prop_map(|at| char::from(b'a' + at).to_string()),
        2 => (0..16u8).prop_map(|at| format!("v{at}")),
        1 => Just("@".to_owned()),
        1 => Just("a-long-name".to_owned()),
    ]
}

/// Below `d`, beside which something stays: the model's root cannot be empty.
fn path() -> impl Strategy<Value = Names> {
    prop::collection::vec(name(), 0..4).prop_map(|mut path| {
        path.insert(0, "d".into());
        path
    })
}

fn line() -> impl Strategy<Value = Line> {
    let bytes = prop_oneof![Just(vec![]), (0..3u8).prop_map(|byte| vec![byte]), Just(vec![7; 600])];
    prop_oneof![
        30 => (path(), bytes).prop_map(|(path, bytes)| Line::Put(path, bytes)),
        8 => path().prop_map(Line::Remove),
        10 => (path(), path()).prop_map(|(from, to)| Line::Copy(from, to)),
        5 => (path(), path()).prop_map(|(from, to)| Line::Move(from, to)),
        16 => path().prop_map(Line::List),
        10 => path().prop_map(Line::Length),
        5 => path().prop_map(Line::Hash),
        5 => path().prop_map(Line::Find),
        5 => Just(Line::Commit),
        2 => (0..2u8).prop_map(Line::Save),
        2 => (0..2u8).prop_map(Line::Load),
        4 => Just(Line::Shrink),
        1 => Just(Line::Hash(vec![])),
    ]
}

fn script() -> impl Strategy<Value = Vec<Line>> {
    prop::collection::vec(line(), 1..120).prop_map(|mut script| {
        script.insert(0, Line::Put(vec!["stays".into()], vec![1]));
        script.push(Line::Hash(vec![]));
        script
    })
}

/// Three directories, two of them with eight entries to begin with, which are directories too, as the keys
/// of a kernel are. What is removed, copied, counted, hashed and listed meets in them again and again, so
/// that every form of a directory is listed in many histories.
fn crowd() -> impl Strategy<Value = Vec<Line>> {
    let top = || prop::sample::select(vec!["a", "b", "z"]);
    let path = |steps: &[&str]| -> Names { steps.iter().map(|step| (*step).to_owned()).collect() };
    let one = move || top().prop_map(move |top| path(&["d", top]));
    let two = move || (top(), 0..9u8).prop_map(move |(top, at)| path(&["d", top, &format!("v{at}")]));
    let leaf = move || {
        two().prop_map(|mut path| {
            path.push("k".into());
            path
        })
    };
    let line = prop_oneof![
        12 => two().prop_map(Line::Remove),
        8 => (two(), two()).prop_map(|(from, to)| Line::Copy(from, to)),
        3 => (two(), two()).prop_map(|(from, to)| Line::Move(from, to)),
        2 => leaf().prop_map(Line::Remove),
        3 => (leaf(), 0..4u8).prop_map(|(path, byte)| Line::Put(path, vec![byte])),
        14 => one().prop_map(Line::List),
        12 => one().prop_map(Line::Length),
        3 => two().prop_map(Line::Length),
        3 => two().prop_map(Line::List),
        4 => one().prop_map(Line::Hash),
        2 => Just(Line::Hash(vec![])),
        4 => (one(), one()).prop_map(|(from, to)| Line::Copy(from, to)),
        4 => Just(Line::Commit),
        2 => (0..2u8).prop_map(Line::Save),
        2 => (0..2u8).prop_map(Line::Load),
        3 => Just(Line::Shrink),
    ];
    prop::collection::vec(line, 1..60).prop_map(move |lines| {
        let mut script = vec![Line::Put(path(&["stays"]), vec![1])];
        for top in ["a", "b"] {
            for at in 0..8u8 {
                let name = format!("v{at}");
                script.push(Line::Put(path(&["d", top, &name, "k"]), vec![at]));
                if at % 3 == 0 {
                    script.push(Line::Put(path(&["d", top, &name, "n", "k"]), vec![at]));
                }
            }
        }
        script.push(Line::Commit);
        script.extend(lines);
        script.push(Line::Hash(vec![]));
        script
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]
    #[test]
    fn order_and_hashes_are_those_of_the_model(scripts in prop::collection::vec(script(), 20)) {
        check(&scripts);
    }

    #[test]
    fn a_crowd_is_listed_as_the_model_lists_it(scripts in prop::collection::vec(crowd(), 30)) {
        check(&scripts);
    }
}
