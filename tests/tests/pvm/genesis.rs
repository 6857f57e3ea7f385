//! Rule P5c: the origination gives the genesis state. From the state's own kernel, and from the boot
//! sector that layer 1 has.

use std::fs;
use std::path::Path;

use rollsnap_core::Code;
use rollsnap_core::context::edit::Tree;
use rollsnap_core::hash::{CommitmentHash, ProtocolHash, StateHash};
use rollsnap_core::pvm::origination::{Confirmed, Origination, Parts};
use rollsnap_core::pvm::{Constants, Family, Machine, Rollup, Version};
use rollsnap_tests::cli::{Ground, Run};
use rollsnap_tests::fixtures;
use rollsnap_tests::l1::{Stub, view};
use serde_json::{Value, json};

/// What was originated on Mumbai at level 41786, and the commitment that layer 1 had of it.
const PUBLISHED: &str = "src12rCbiTAvYntPQXcMoqdNh6ZXXBmfxzhaxZsxsbRKGC7bE3L1mD";
const PUBLISHED_STATE: &str = "srs11y1ZCJfeWnHzoX3rAjcTXiphwg8NvqQhvishP3PU68jgSREuk6";

fn boot_sector() -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/pvm/vectors/boot.wasm")).unwrap()
}

fn published() -> Origination {
    let address = "sr1LhGA2zC9VcYALSifpRBCgDiQfDSQ6bb4x".parse().unwrap();
    let rollup = Rollup { address, origination_level: 41786 };
    Origination { rollup, commitment: PUBLISHED.parse().unwrap() }
}

fn state(rollup: Rollup, boot_sector: &[u8], constants: Constants) -> Machine {
    Machine::genesis(boot_sector, &constants, rollup, Family::Octez).unwrap()
}

fn hash(tree: &Tree) -> StateHash {
    StateHash::new(tree.hash().unwrap())
}

fn judge(origination: &Origination, tree: &Tree) -> Result<Confirmed, Code> {
    let parts = Parts::read(tree).map_err(|problem| problem.code())?;
    origination.judge_state(hash(tree), &parts).map_err(|problem| problem.code())
}

#[test]
fn a_published_genesis() {
    let origination = published();
    let constants = Constants::early(Version::V0);
    let machine = state(origination.rollup, &boot_sector(), constants);
    assert_eq!(hash(machine.tree()).to_string(), PUBLISHED_STATE);
    let confirmed = Confirmed { boot_sector: 408, constants };
    assert_eq!(judge(&origination, machine.tree()), Ok(confirmed));
    // Layer 1 alone gives the commitment; the protocol need not be known, nor be the right one.
    let quebec: ProtocolHash = "PsQuebecnLByd3JwTiGadoG4nGWi3HYiLXUjkibeFV8dCFeVMUg".parse().unwrap();
    for protocol in [None, Some(&quebec)] {
        for state in [None, Some(PUBLISHED_STATE.parse().unwrap())] {
            let judged = origination.judge_boot_sector(&boot_sector(), protocol, state, None);
            assert_eq!(judged, Ok(Some(confirmed)));
        }
    }
}

/// Each leaf of a genesis state counts, whatever it is, and so does one more.
#[test]
fn a_changed_genesis_state() {
    let origination = published();
    let machine = state(origination.rollup, &boot_sector(), Constants::early(Version::V0));
    let change = |path: &[&str], bytes: &[u8]| {
        let mut tree = machine.tree().clone();
        tree.add(path, bytes).unwrap();
        assert_ne!(hash(&tree), hash(machine.tree()), "{path:?}");
        judge(&origination, &tree)
    };
    let differs = Err(Code::StateGenesis);
    assert_eq!(change(&["durable", "x", "@", "length"], &[0; 8]), differs);
    assert_eq!(change(&["failures", "0"], &[]), differs);
    assert_eq!(change(&["pvm", "max_nb_ticks"], &[7]), differs);
    assert_eq!(change(&["pvm", "outbox_validity_period"], &[0, 0, 0, 9]), differs);
    assert_eq!(change(&["pvm", "outbox_message_limit"], &[9]), differs);
    assert_eq!(change(&["wasm", "current_tick"], &[1]), differs);
    assert_eq!(change(&["wasm", "reboot_counter"], &[1]), differs);
    // Another version that there is, and one that there is not.
    let version = ["durable", "readonly", "wasm_version", "@"];
    let with = |text: &[u8]| {
        let mut tree = machine.tree().clone();
        let chunk = [text, &vec![0; 512 - text.len()]].concat();
        tree.add(&[&version[..], &["contents", "0"]].concat(), chunk).unwrap();
        tree.add(&[&version[..], &["length"]].concat(), &(text.len() as u64).to_be_bytes()[..]).unwrap();
        judge(&origination, &tree)
    };
    assert_eq!(with(b"2.0.0-r5"), differs);
    assert_eq!(with(b"2.0.0-r99"), Err(Code::PvmRefusedVersion));
    // What cannot be made again accuses nobody.
    let without = |path: &[&str]| {
        let mut tree = machine.tree().clone();
        tree.remove(path).unwrap();
        judge(&origination, &tree)
    };
    for path in [&version[..3], &["durable", "kernel", "boot.wasm"], &["pvm", "max_nb_ticks"], &["durable"]] {
        assert_eq!(without(path), Err(Code::PvmState), "{path:?}");
    }
}

/// A whole genesis state, but of another kernel, another version, another level.
#[test]
fn another_genesis() {
    let origination = published();
    let mut kernel = boot_sector();
    *kernel.last_mut().unwrap() ^= 1;
    let early = Constants::early(Version::V0);
    let other = state(origination.rollup, &kernel, early);
    assert_eq!(judge(&origination, other.tree()), Err(Code::StateGenesis));
    let problem =
        origination.judge_boot_sector(&kernel, None, Some(PUBLISHED_STATE.parse().unwrap()), Some(early));
    let problem = problem.unwrap_err();
    let made = hash(other.tree());
    let text = format!(
        "Erroneous state hash {PUBLISHED_STATE} for originated rollup (level 41786) instead of {made}. "
    );
    assert!(problem.title().starts_with(&text), "{problem}");
    // Without constants there is nothing to compare with, and those of an unknown protocol are none.
    assert_eq!(origination.judge_boot_sector(&kernel, None, None, None), Ok(None));
    let unknown = ProtocolHash::new([7; 32]);
    assert_eq!(origination.judge_boot_sector(&kernel, Some(&unknown), None, None), Ok(None));
    let mumbai: ProtocolHash = "PtMumbai2TmsJHNGRkD8v8YDbtao7BLUC3wjASn1inAKLFCjaH1".parse().unwrap();
    let problem = origination.judge_boot_sector(&kernel, Some(&mumbai), None, None).unwrap_err();
    assert_eq!((problem.code(), problem.expected_text()), (Code::StateGenesis, Some(PUBLISHED)));
    // A state of its own version, where another one was committed to.
    let other = state(origination.rollup, &boot_sector(), Constants::late(Version::V5));
    assert_eq!(judge(&origination, other.tree()), Err(Code::StateGenesis));
    let mut later = origination;
    later.rollup.origination_level += 1;
    let machine = state(origination.rollup, &boot_sector(), early);
    assert_eq!(judge(&later, machine.tree()), Err(Code::StateGenesis));
}

/// Nodes raise the ticks of Etherlink in the state that they store, not in the one that is committed to.
#[test]
fn a_patched_genesis() {
    let address = "sr1Ghq66tYK9y3r8CC1Tf8i8m5nxh8nTvZEf".parse().unwrap();
    let rollup = Rollup { address, origination_level: 5 };
    let constants = Constants::early(Version::V3);
    let mut machine = state(rollup, &boot_sector(), constants);
    let committed = hash(machine.tree());
    let content = [&committed.as_bytes()[..], &5_i32.to_be_bytes(), &[0; 40]].concat();
    let digest = rollsnap_core::encoding::Commitment::parse(&content).unwrap().hash();
    let origination = Origination { rollup, commitment: digest };
    assert_eq!(judge(&origination, machine.tree()), Err(Code::StateGenesis));
    machine.patch_genesis().unwrap();
    assert_ne!(hash(machine.tree()), committed);
    let confirmed = Confirmed { boot_sector: 408, constants };
    assert_eq!(judge(&origination, machine.tree()), Ok(confirmed));
    let stored = Some(hash(machine.tree()));
    assert_eq!(origination.judge_boot_sector(&boot_sector(), None, stored, None), Ok(Some(confirmed)));
    // No other rollup is patched.
    let mut other = state(published().rollup, &boot_sector(), Constants::early(Version::V0));
    other.patch_genesis().unwrap();
    assert_eq!(hash(other.tree()).to_string(), PUBLISHED_STATE);
}

/// Status and text of the checks of the rule in a report: first what the data say, then layer 1.
fn found(run: &Run) -> Vec<(String, String)> {
    let report = run.json();
    let checks = report["checks"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    checks
        .filter(|check| check["code"] == "state.genesis")
        .map(|check| (text(&check["status"]), text(&check["text"])))
        .collect()
}

fn statuses(run: &Run) -> Vec<String> {
    found(run).into_iter().map(|(status, _)| status).collect()
}

const OWN: &str = "its own kernel gives the genesis state and commitment: a kernel of";

#[test]
fn of_directories_and_snapshots() {
    let ground = Ground::new();
    let data = ground.unpack("v5-genesis", "data");
    let text = format!("{OWN} 408 bytes, version 2.0.0");
    let yes = [("yes".to_owned(), text)];
    for scope in ["all", "head", "none"] {
        assert_eq!(found(&ground.run(&["verify", "--json", "--context", scope, &data]).ok()), yes, "{scope}");
    }
    for (name, more) in [("gz", &[][..]), ("plain", &["--uncompressed"])] {
        let snapshot = ground.at(name);
        ground.run(&[&["export", "--level", "head", "--data-dir", &data, &snapshot], more].concat()).ok();
        assert_eq!(found(&ground.run(&["verify", "--json", &snapshot]).ok()), yes, "{name}");
        let bytes = fs::read(&snapshot).unwrap();
        assert_eq!(found(&ground.run_with(&["verify", "--json", "-"], &bytes).ok()), yes, "{name}");
        let target = ground.at(&format!("{name}.target"));
        let run = ground.run(&["import", "--json", &snapshot, "--data-dir", &target]).ok();
        assert_eq!(found(&run), yes, "{name}");
    }
    // Mavkit's, with a store in files; and what a node of full mode has thrown away.
    let mavkit = ground.snapshot("replay/r4-mavkit.head.snapshot.gz");
    let run = ground.run(&["verify", "--json", &mavkit]).ok();
    assert_eq!(found(&run), [("yes".to_owned(), format!("{OWN} 2418 bytes, version 2.0.0-r3"))]);
    for name in ["r5-full.head.snapshot.gz", "r5-full-compact.head.snapshot.gz"] {
        let full = ground.snapshot(&format!("replay/{name}"));
        let run = ground.run(&["verify", "--json", &full]).ok();
        let why = "not checked: whether the origination gives the genesis state (the store has no block of level 61000)";
        assert_eq!(found(&run), [("unknown".to_owned(), why.to_owned())], "{name}");
    }
    // Invented states, which are no states of a PVM.
    for base in ["v5-archive", "v5-sparse", "v5-reorg", "v5-old-schema", "v4-archive"] {
        let run = ground.run(&["verify", "--json", &ground.unpack(base, base)]).ok();
        let [(status, text)] = &found(&run)[..] else { panic!("{run}") };
        assert_eq!(status, "unknown");
        assert!(text.contains("wasm_version: found no value"), "{text}");
    }
}

#[test]
fn what_does_not_begin_as_it_was_originated() {
    let ground = Ground::new();
    let data = ground.unpack("v5-genesis", "data");
    let path = format!("{data}/metadata");
    let metadata: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let other: CommitmentHash = PUBLISHED.parse().unwrap();
    let mut changed = metadata.clone();
    changed["genesis_info"]["commitment_hash"] = other.to_string().into();
    fs::write(&path, changed.to_string()).unwrap();
    let run = ground.run(&["verify", "--json", &data]).ends(1);
    assert_eq!(statuses(&run), ["no"], "{run}");
    let report = run.json();
    assert_eq!(report["failures"], json!({"state.genesis": 1}), "{run}");
    assert_eq!(report["verdicts"]["consistent"], "no");
    let snapshot = ground.at("snapshot");
    ground.run(&["export", "--level", "head", "--data-dir", &data, &snapshot]).refused(1, "[state.genesis]");
    ground.run(&["export", "--level", "head", "--no-check", "--data-dir", &data, &snapshot]).ok();
    assert_eq!(statuses(&ground.run(&["verify", "--json", &snapshot]).ends(1)), ["no"]);
    let target = ground.at("target");
    ground.run(&["import", &snapshot, "--data-dir", &target]).refused(1, "[state.genesis]");
    assert!(!Path::new(&target).exists());

    // The genesis block has the context of another block.
    let snapshot = ground.snapshot("replay/r5-dense.head.snapshot.gz");
    let data = ground.at("dense");
    ground.run(&["extract", &snapshot, "-C", &data]).ok();
    let store = rusqlite::Connection::open(format!("{data}/store.sqlite")).unwrap();
    let state: String = store
        .query_row("SELECT compressed_state FROM commitments WHERE inbox_level = 5000", [], |row| row.get(0))
        .unwrap();
    let sql = "UPDATE l2_blocks SET context = (SELECT context FROM l2_blocks WHERE level = 5001) WHERE level = 5000";
    assert_eq!(store.execute(sql, []), Ok(1));
    drop(store);
    let run = ground.run(&["verify", "--json", &data]).ends(1);
    let [(status, text)] = &found(&run)[..] else { panic!("{run}") };
    assert!(status == "no" && text.starts_with("Erroneous state hash srs1"), "{text}");
    assert!(text.contains(&format!(" for originated rollup (level 5000) instead of {state}.")), "{text}");
}

/// Unpacks a directory of `replay/`.
fn replay(ground: &Ground, name: &str) -> String {
    let file = std::fs::File::open(fixtures::directory().join(format!("replay/{name}.tar.gz"))).unwrap();
    let mut bytes = Vec::new();
    let mut gunzip = std::process::Command::new("gzip")
        .arg("-dc")
        .stdin(file)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Read::read_to_end(gunzip.stdout.as_mut().unwrap(), &mut bytes).unwrap();
    assert!(gunzip.wait().unwrap().success());
    tar::Archive::new(&bytes[..]).unpack(ground.root()).unwrap();
    ground.at(name)
}

#[test]
fn layer_1_has_the_boot_sector() {
    let ground = Ground::new();
    let data = replay(&ground, "r5-full");
    let true_view: Value = serde_json::from_slice(&fixtures::read("replay/r5-full.l1.json")).unwrap();
    let ask = |view: &Value, switches: &[&str], data: &str| {
        let stub = Stub::start(view, switches);
        ground.run(&["verify", "--json", data, "-E", stub.url()])
    };
    // The genesis block is gone, the boot sector gives the genesis commitment all the same.
    let run = ask(&true_view, &[], &data).ok();
    assert_eq!(statuses(&run), ["yes"], "what layer 1 answers is no longer open");
    assert_eq!(
        found(&run)[0].1,
        "the boot sector on layer 1 gives the genesis commitment: a kernel of 2418 bytes, version 2.0.0-r3"
    );
    assert_eq!(run.json()["verdicts"]["anchored"], "yes");

    let with = |boot_sector: Value| {
        let mut view = true_view.clone();
        view["rollup"]["boot_sector"] = boot_sector;
        view
    };
    let mut text = true_view["rollup"]["boot_sector"].as_str().unwrap().to_owned();
    let last = if text.ends_with('0') { '1' } else { '0' };
    text.pop();
    text.push(last);
    for other in [text.as_str(), "00", "0061736d01000000"] {
        let run = ask(&with(other.into()), &[], &data).ends(1);
        assert_eq!(statuses(&run), ["unknown", "no"], "{other}");
        let report = run.json();
        assert_eq!(report["verdicts"]["anchored"], "no");
        assert_eq!(report["verdicts"]["consistent"], "yes");
    }
    // No such operation, a node that has forgotten the block or keeps it for itself: not checked, and nothing is
    // amiss.
    for (view, switches, why) in [
        (with(Value::Null), &[][..], "no operation of that level originates the rollup"),
        (true_view.clone(), &["--savepoint", "61002"], "block 61000 pruned or unknown: use an archive node"),
        (true_view.clone(), &["--savepoint", "61002", "--pruned", "410"], "block 61000 pruned or unknown"),
    ] {
        let run = ask(&view, switches, &data).ok();
        assert_eq!(statuses(&run), ["unknown", "unknown"]);
        let start = format!("not checked: whether the boot sector on layer 1 gives the genesis state ({why}");
        assert!(found(&run)[1].1.starts_with(&start), "{run}");
        assert_eq!(run.json()["verdicts"]["anchored"], "yes");
    }
    // A node that answers something else is not checked, for a reason of its own.
    let run = ask(&true_view, &["--garbage", "/operations"], &data).ends(5);
    assert_eq!(statuses(&run), ["unknown"]);
    for odd in ["0", "zz", "é"] {
        let run = ask(&with(odd.into()), &[], &data).ends(5);
        assert_eq!(statuses(&run), ["unknown"], "{odd}");
    }
}

#[test]
fn layer_1_and_the_state_that_is_there() {
    let ground = Ground::new();
    let data = ground.unpack("v5-genesis", "data");
    let ask = |view: &Value, data: &str| {
        let stub = Stub::start(view, &[]);
        ground.run(&["verify", "--json", data, "-E", stub.url()])
    };
    let run = ask(&view("v5-genesis"), &data).ok();
    let text = "the boot sector on layer 1 gives the genesis state and commitment: a kernel of 408 bytes, version 2.0.0";
    assert_eq!(found(&run)[1], ("yes".to_owned(), text.to_owned()));
    let mut other = view("v5-genesis");
    other["rollup"]["boot_sector"] = "0061736d01000000".into();
    let run = ask(&other, &data).ends(1);
    assert_eq!(statuses(&run), ["yes", "no"]);
    let start =
        format!("Erroneous state hash {PUBLISHED_STATE} for originated rollup (level 1495) instead of srs1");
    assert!(found(&run)[1].1.starts_with(&start), "{run}");
}
