//! Proofs of states: those that the nodes publish, and our own, read by an independent reader.

use std::io::Write;
use std::process::{Command, Stdio};

use rollsnap_core::context::proof::{Answer, KeyAnswer, Proof, Shown};
use rollsnap_core::context::{Context, path};
use rollsnap_core::feedback::Silent;
use rollsnap_core::hash::ContextHash;
use rollsnap_core::{Code, Result};
use rollsnap_tests::irmin::{self, Store};
use serde_json::Value;

type Steps = Vec<Vec<u8>>;

/// The proof in the refutation that ended the game of sr1LhGA2zC9VcYALSifpRBCgDiQfDSQ6bb4x on Mumbainet, operation
/// oofTxRxHWQCYo9B4vmpLY7FZfQXrH9s1n7rRU7wHjazhrqVu2oJ: what comes before and after the zeros of a chunk.
const PUBLISHED: [&str; 2] = [
    "\
    03000298e4e3d5c88da366e885edf675ffd7a5087c8e0a2fcd508e7951113fe4c1491810067c06a78b88cb7c3e60c56b47ba\
    9e14c922dbdbd4811ac6fee80a309620630005820764757261626c6582066b65726e656cd07d20c53bdd5b536a6be9c4cdad\
    16e69a9af40b93a6564655fffd88bba050519008726561646f6e6c7982066b65726e656cd0a645771d9d5228a31312b28211\
    9c596699ccb6b60b93d759c2072a493ddbb5740c7761736d5f76657273696f6e8101408208636f6e74656e7473810130c102\
    00322e302e3",
    "\
    0066c656e677468c008000000000000000503746167c00800000004536f6d650003810370766d00050004000381166f75746\
    26f785f76616c69646974795f706572696f64c00400013b0082136c6173745f746f705f6c6576656c5f63616c6cc00680c0a\
    bd38f05196d6178696d756d5f7265626f6f74735f7065725f696e707574c002e80781146f7574626f785f6d6573736167655\
    f6c696d6974c002a401810c6d61785f6e625f7469636b73c00580dc9afd28820576616c7565810370766d810762756666657\
    2738205696e7075740003810468656164c001008208636f6e74656e7473d06e2c0a5b371a53e76a9b7f221a5baa67170b3f9\
    f43205fb06c0649123cec2358066c656e677468c00103066f75747075740004820132810a6c6173745f6c6576656cc004000\
    0a33f0133810f76616c69646974795f706572696f64c00400013b0082013181086f7574626f786573d0ccbff4c181451166a\
    db153f7a1631e9f036832f8e5c82acd8e8c12876eeeda870134810d6d6573736167655f6c696d6974c002a401047761736d0\
    0048205696e707574c0050000a33f0203746167c00b0000000770616464696e67820c63757272656e745f7469636bc00683c\
    0abd38f050e7265626f6f745f636f756e746572c002e907",
];

fn published() -> Vec<u8> {
    let hex = format!("{}{}{}", PUBLISHED[0], "00".repeat(507), PUBLISHED[1]);
    let digits = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

/// What the reader says that knows nothing of rollsnap.
fn read_by_python(bytes: &[u8]) -> Value {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/cli/proof.py");
    let mut child =
        Command::new("python3").arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A proof that layer 1 has accepted, and what of it is known from elsewhere.
#[test]
fn a_published_proof() {
    let bytes = published();
    let proof = Proof::parse(&bytes).unwrap();
    assert_eq!(proof.bytes().unwrap(), bytes);
    let python = read_by_python(&bytes);
    assert_eq!(python["found"], python["before"]);
    assert_eq!(path::hex(proof.state_hash().as_bytes()), python["before"]);
    assert_eq!(path::hex(proof.leads_to().unwrap().as_bytes()), python["after"]);
    assert_eq!(proof.get(&["tag"]), Answer::Contents(b"\0\0\0\x04Some"));
    assert_eq!(proof.get(&["wasm", "tag"]), Answer::Contents(b"\0\0\0\x07padding"));
    // Level 41791 and its last message.
    assert_eq!(proof.get(&["wasm", "input"]), Answer::Contents(&[0, 0, 0xa3, 0x3f, 2]));
    assert_eq!(proof.key(&["readonly", "wasm_version"]), KeyAnswer::Value(b"2.0.0".to_vec()));
    assert_eq!(proof.key(&["kernel", "boot.wasm"]), KeyAnswer::Hidden);
    assert_eq!(proof.get(&["durable", "kernel"]), Answer::Directory);
    assert_eq!(proof.key(&["evm"]), KeyAnswer::Absent);
    assert_eq!(proof.get(&["tag", "below"]), Answer::Absent);
    let mut shown = 0;
    proof
        .shown(|item| {
            shown += 1;
            match item {
                Shown::Key(key, value) => {
                    assert_eq!((key, &value[..]), (&[&b"readonly"[..], b"wasm_version"][..], &b"2.0.0"[..]))
                }
                Shown::Path(steps, bytes) => {
                    let text =
                        steps.iter().map(|step| str::from_utf8(step).unwrap()).collect::<Vec<_>>().join("/");
                    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                    assert_eq!(python["values"][text.as_str()], hex, "{text}");
                }
            }
            Ok::<(), rollsnap_core::Problem>(())
        })
        .unwrap();
    // Of the value two contents are shown.
    assert_eq!(shown + 1, python["values"].as_object().unwrap().len());
    proof.require(&proof.state_hash()).unwrap();
    assert_eq!(proof.require(&proof.leads_to().unwrap()).unwrap_err().code(), Code::ProofState);
}

/// Whatever is changed in a proof, it does not hold any more, or says the same.
#[test]
fn a_proof_that_was_changed() {
    let bytes = published();
    let whole = Proof::parse(&bytes).unwrap();
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << bit;
            match Proof::parse(&changed) {
                // What the state leads to is not proved, only claimed; with that, whether it is a directory.
                Ok(proof) => {
                    assert!((35..67).contains(&at) || (at, bit) == (0, 0), "byte {at} bit {bit}");
                    assert_eq!(proof.state_hash(), whole.state_hash());
                    assert_ne!(proof.leads_to(), None);
                }
                Err(problem) => assert!(
                    matches!(problem.code(), Code::ProofMalformed | Code::ProofHash),
                    "byte {at} bit {bit}: {problem}"
                ),
            }
        }
        assert_eq!(Proof::parse(&bytes[..at]).unwrap_err().code(), Code::ProofMalformed, "{at} bytes");
    }
    let more = [&bytes[..], &[0]].concat();
    assert_eq!(Proof::parse(&more).unwrap_err().code(), Code::ProofMalformed);
    // Of other trees (32 entries), of streams, and of no tree.
    for version in [0u8, 1, 3] {
        let mut other = bytes.clone();
        other[2] = version;
        assert_eq!(Proof::parse(&other).unwrap_err().code(), Code::ProofMalformed);
    }
    for other in [&b""[..], b"\x1f\x8b", &[3; 67], &[0xff; 200]] {
        assert_eq!(Proof::parse(other).unwrap_err().code(), Code::ProofMalformed);
    }
}

/// Deep, long and lying: refused before memory is taken, and without recursion.
#[test]
fn hostile_proofs() {
    let head = [&[3, 0, 2][..], &[0; 64]].concat();
    let refused = |tree: &[u8]| {
        let problem = Proof::parse(&[&head[..], tree].concat()).unwrap_err();
        assert!(matches!(problem.code(), Code::ProofMalformed | Code::ProofHash), "{problem}");
    };
    // A directory in a directory, half a million times; with and without an end.
    let deep = [0x81, 1, b'a'].repeat(500_000);
    refused(&deep);
    refused(&[&deep[..], &[0xd0], &[0; 32]].concat());
    refused(&[0x81, 1, b'a'].repeat(5_000_000));
    // Parts in parts: a directory has 50 bits at the most.
    refused(&[0, 3].repeat(100_000));
    refused(&[0xd8, 3, 1, 0x80].repeat(1000));
    refused(&[0xd8, 3, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0xc0]);
    // Lengths that are not there.
    refused(&[0xc3, 0xff, 0xff, 0xff, 0xff, 1]);
    refused(&[0x82, 0xff, 1]);
    refused(&[3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xe0, 0xe0]);
    refused(&[0, 3, 0xe0, 0xe0]);
    // More than a proof may have.
    assert_eq!(Proof::parse(&vec![0; (16 << 20) + 1]).unwrap_err().code(), Code::ProofMalformed);
}

/// A commit, its state, and the paths below that: whether there are contents.
type Dumped = (ContextHash, String, Vec<(Steps, bool)>);

/// The commits of a dump.
fn paths(name: &str) -> Vec<Dumped> {
    let dump = irmin::dump(name);
    let of = |hash: &String, paths: &Value| {
        let commits = dump["commits"].as_array().unwrap();
        let commit = commits.iter().find(|commit| commit["hash"] == hash.as_str()).unwrap();
        let steps = |path: &Value| -> Steps {
            let steps = path["path"].as_array().unwrap().iter();
            steps.map(|step| irmin::step(step.as_str().unwrap())).collect()
        };
        let paths = paths.as_array().unwrap().iter().map(|path| (steps(path), path["kind"] != "node"));
        let below = paths.filter(|(path, _)| path.len() > 1 && path[0] == b"pvm_state");
        let below = below.map(|(path, is_contents)| (path[1..].to_vec(), is_contents)).collect();
        let state = commit["pvm_state"]["hash"].as_str().unwrap().to_owned();
        (ContextHash::new(path::unhex(hash).unwrap()), state, below)
    };
    dump["paths"].as_object().unwrap().iter().map(|(hash, paths)| of(hash, paths)).collect()
}

fn prove(context: &Context<Store>, commit: &ContextHash, paths: &[Steps]) -> Result<Proof> {
    let commit = context.checkout(commit, &Silent)?;
    let state = context.pvm_state_of(&commit)?.unwrap();
    Proof::of(context, state, &[], paths, &Silent)
}

/// Whether a path leads through directories whose names the encoding takes: those of kernels have up to 250 bytes.
fn fits(paths: &[(Steps, bool)]) -> impl Fn(&Steps) -> bool + use<> {
    let is_long = |path: &&(Steps, bool)| path.0.iter().any(|step| step.len() > 255);
    let above = |path: &(Steps, bool)| {
        let at = path.0.iter().position(|step| step.len() > 255).unwrap();
        path.0[..at].to_vec()
    };
    let places: Vec<Steps> = paths.iter().filter(is_long).map(above).collect();
    move |path| !places.iter().any(|place| path.len() > place.len() && path.starts_with(place))
}

/// Every path of trees of the real library, together and each alone, and paths that are not there.
#[test]
fn states_of_the_real_library() {
    for name in ["tiny", "tiny-octez", "gc-nosplit", "one-split-gc", "split"] {
        let context = Context::open(irmin::store(name)).unwrap();
        for (commit, state, paths) in paths(name) {
            let none = |(path, _): &(Steps, bool)| [path.clone(), vec![b"nothing".to_vec()]].concat();
            let mut wanted: Vec<Steps> = paths.iter().map(|(path, _)| path.clone()).collect();
            let absent: Vec<Steps> = paths.iter().map(none).collect();
            wanted.extend(absent.iter().cloned());
            let fits = fits(&paths);
            wanted.retain(&fits);
            let proof = prove(&context, &commit, &wanted).unwrap();
            let bytes = proof.bytes().unwrap();
            let again = Proof::parse(&bytes).unwrap();
            assert_eq!(path::hex(again.state_hash().as_bytes()), state);
            assert_eq!(again.leads_to(), None);
            assert_eq!(again.bytes().unwrap(), bytes);
            let python = read_by_python(&bytes);
            assert_eq!((&python["found"], &python["after"]), (&Value::from(&*state), &Value::from(&*state)));
            let tree = context.tree(&context.checkout(&commit, &Silent).unwrap()).unwrap();
            let mut values = 0;
            for (path, is_contents) in paths.iter().filter(|(path, _)| fits(path)) {
                if !is_contents {
                    assert_eq!(again.get(path), Answer::Directory);
                    continue;
                }
                values += 1;
                let full = [vec![b"pvm_state".to_vec()], path.clone()].concat();
                let contents = tree.get(&full).unwrap().unwrap();
                let mut bytes = Vec::new();
                context
                    .read_contents(contents.contents().unwrap(), |piece| {
                        bytes.extend_from_slice(piece);
                        Ok::<(), rollsnap_core::Problem>(())
                    })
                    .unwrap();
                assert_eq!(again.get(path), Answer::Contents(&bytes));
            }
            assert_eq!(python["values"].as_object().unwrap().len(), values);
            assert!(absent.iter().filter(|path| fits(path)).all(|path| again.get(path) == Answer::Absent));
            // One alone: the others are left out, and the proof is shorter.
            for (wanted, is_contents) in paths.iter().filter(|(path, _)| fits(path)).step_by(17) {
                let one = prove(&context, &commit, std::slice::from_ref(wanted)).unwrap();
                let one = Proof::parse(&one.bytes().unwrap()).unwrap();
                assert_eq!(one.state_hash(), again.state_hash());
                assert_eq!(one.get(wanted), again.get(wanted));
                assert!(one.bytes().unwrap().len() < bytes.len());
                let shows = paths
                    .iter()
                    .filter(|(path, contents)| *contents && matches!(one.get(path), Answer::Contents(_)));
                assert_eq!(shows.count(), usize::from(*is_contents));
            }
        }
    }
}

/// A proof is made of what has its hash, or not at all.
#[test]
fn damage_is_not_proved() {
    let whole = irmin::store("tiny");
    let (commit, _, paths) = paths("tiny").remove(0);
    let fits = fits(&paths);
    let wanted: Vec<Steps> = paths.into_iter().map(|(path, _)| path).filter(fits).collect();
    let expected = prove(&Context::open(whole.clone()).unwrap(), &commit, &wanted).unwrap().bytes().unwrap();
    let mut refused = 0;
    let entries = irmin::entries(whole.get("store.0.suffix"));
    for at in entries.iter().flat_map(|entry| [entry.start, entry.value, entry.end - 1]) {
        let mut store = whole.clone();
        store.edit("store.0.suffix")[at] ^= 1;
        match prove(&Context::open(store).unwrap(), &commit, &wanted).and_then(|proof| proof.bytes()) {
            Ok(bytes) => assert_eq!(bytes, expected, "byte {at}"),
            Err(problem) => {
                assert!(problem.code().is_about_contents(), "{problem}");
                refused += 1;
            }
        }
    }
    assert!(refused > 50, "{refused}");
}
