//! The rules that ask L1 (I5d, I6, P3, P4, E10) on the data directories of the fixtures and on
//! their mutants, with the texts of the nodes.

#![allow(clippy::std_instead_of_alloc, reason = "a test has all of std")]

use core::time::Duration;
use std::fs;
use std::path::Path;

use rollsnap::l1::publication::{before_import, search};
use rollsnap::l1::{At, L1, Options, Outcome, Wanted};
use rollsnap_core::feedback::Silent;
use rollsnap_core::hash::CommitmentHash;
use rollsnap_core::layer1::{Link, wanted_before_export};
use rollsnap_core::report::Check;
use rollsnap_core::store::{self, Accept, Mark, check_cemented};
use rollsnap_core::{Class, Code, Place, Problem, Result};
use rollsnap_tests::cli::Ground;
use rollsnap_tests::l1::{Stub, expected, view};
use serde_json::Value;

const NOT_PUBLISHED: &str = "Commitment of snapshot is not published on L1.";
const NOT_CHECKED: &str = "Could not check whether the commitment of the snapshot is published on L1.";

fn options() -> Options {
    Options { retries: 0, pause: Duration::from_millis(1), ..Options::default() }
}

fn at(stub: &Stub) -> L1 {
    L1::new(stub.url(), options()).unwrap()
}

fn drop_commitment(view: &mut Value, index: usize) {
    view["commitments"].as_array_mut().unwrap().remove(index);
}

/// What an import of the snapshot of this name and level asks for.
fn header(name: &str, level: &str) -> Wanted {
    let expected = expected(name);
    let header = &expected["headers"][level];
    Wanted {
        rollup: text(&header["rollup_address"]).parse().unwrap(),
        commitment: text(&header["last_commitment"]).parse().unwrap(),
        hint: level_of(&header["head_level"]),
    }
}

fn import(view: &Value, switches: &[&str], wanted: &Wanted) -> Outcome {
    let stub = Stub::start(view, switches);
    before_import(&at(&stub), wanted, &mut Silent).unwrap()
}

fn not_published(outcome: Outcome, cause: &str) {
    let Outcome::NotPublished(problem) = outcome else { panic!("{outcome:?}") };
    assert_eq!((problem.code(), problem.title()), (Code::L1Commitment, NOT_PUBLISHED));
    assert_eq!(problem.to_string(), format!("{NOT_PUBLISHED}: {cause}"));
}

fn could_not_check(outcome: Outcome) -> Problem {
    match outcome {
        Outcome::CouldNotCheck(_) => outcome.into_result().unwrap_err(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn i6_published() {
    let outcome = import(&view("v5-archive"), &[], &header("v5-archive", "head"));
    assert_eq!(outcome, Outcome::Published { at_level: 1023 });
}

#[test]
fn i6_pruned_at_the_head_is_found() {
    let outcome = import(&view("v5-full"), &[], &header("v5-full", "finalized"));
    assert_eq!(outcome, Outcome::Published { at_level: 2000027 });
}

#[test]
fn i6_unpublished() {
    let mut view = view("v5-archive");
    drop_commitment(&mut view, 4);
    let stub = Stub::start(&view, &[]);
    let wanted = header("v5-archive", "head");
    let outcome = before_import(&at(&stub), &wanted, &mut Silent).unwrap();
    not_published(
        outcome,
        "Could not locate commitment src13yJ9vETsTqi4dsgNjLJvcaM5BcMAYhNUNNKzEPReB6ddLbwKz9 for rollup sr1CnSVbNpLGRVSAxFhCNPnUZDWVdBwdwTLQ on L1 between levels 1013 and 1029 (step 10).",
    );
    // Savepoint, head, constants, three probes.
    let log = stub.log(6);
    let asked = log.iter().filter(|line| line.contains("/commitment/"));
    let levels: Vec<_> = asked.map(|line| line.split('/').nth(4).unwrap()).collect();
    assert_eq!(levels, ["1013", "1023", "1029"]);
}

#[test]
fn i6_does_not_depend_on_the_protocol() {
    let wanted = header("v5-archive", "head");
    let hash = wanted.commitment.to_string();
    for proto in ["alpha", "001-PtAtLas"] {
        let outcome = import(&view("v5-archive"), &["--unknown", &hash, "--proto", proto], &wanted);
        assert!(matches!(outcome, Outcome::NotPublished(_)), "{outcome:?}");
    }
}

#[test]
fn i6_forbidden() {
    let wanted = header("v5-archive", "head");
    for (switch, what) in [("--forbid-rollup", "smart rollup storage"), ("--forbid-levels", "its savepoint")]
    {
        let problem = could_not_check(import(&view("v5-archive"), &[switch], &wanted));
        assert_eq!((problem.code(), problem.title()), (Code::L1Forbidden, NOT_CHECKED));
        let cause = format!("this L1 node does not serve {what} (its access list forbids it)");
        assert_eq!(problem.to_string(), format!("{NOT_CHECKED}: {cause}"));
    }
}

#[test]
fn i6_one_level_without_an_answer_is_no_answer() {
    let wanted = header("v5-archive", "head");
    let hash = wanted.commitment.to_string();
    let switches = ["--unknown", &hash, "--error-500", "blocks/1023/context/smart_rollups"];
    let problem = could_not_check(import(&view("v5-archive"), &switches, &wanted));
    assert_eq!((problem.code(), problem.title()), (Code::L1Status, NOT_CHECKED));
    assert!(problem.to_string().contains("1 of 3 levels could not be looked at"), "{problem}");
    // What is found elsewhere is found.
    let switches = ["--error-500", "blocks/1023/context/smart_rollups"];
    let outcome = import(&view("v5-archive"), &switches, &wanted);
    assert_eq!(outcome, Outcome::Published { at_level: 1029 });
}

#[test]
fn i6_on_another_network() {
    let wanted = header("v5-archive", "head");
    let mut view = view("v5-archive");
    view["rollup"]["address"] = "sr1PZp36n7oMkvpHmmk6z6S4FdTfwhmJNPSR".into();
    // A chain that does not know the rollup does not know its commitments either.
    not_published(
        import(&view, &[], &wanted),
        "Could not locate commitment src13yJ9vETsTqi4dsgNjLJvcaM5BcMAYhNUNNKzEPReB6ddLbwKz9 for rollup sr1CnSVbNpLGRVSAxFhCNPnUZDWVdBwdwTLQ on L1 between levels 1013 and 1029 (step 10). This chain knows no such rollup: is the L1 node of the right network?",
    );
}

#[test]
fn a_search_without_end_is_not_begun() {
    let mut view = view("v5-archive");
    view["head"]["level"] = i32::MAX.into();
    view["constants"]["smart_rollup_challenge_window_in_blocks"] = 1.into();
    let stub = Stub::start(&view, &[]);
    let outcome = search(&at(&stub), &header("v5-archive", "head"), &mut Silent).unwrap();
    assert_eq!(could_not_check(outcome).code(), Code::L1Answer);
    assert!(!stub.log(3).iter().any(|line| line.contains("/commitment/")));
}

#[test]
fn i5d_savepoint() {
    let mut view = view("v5-archive");
    let wanted = header("v5-archive", "head");
    view["savepoint"]["level"] = 1025.into();
    let problem = could_not_check(import(&view, &[], &wanted));
    assert_eq!((problem.code(), problem.code().class()), (Code::L1Savepoint, Class::Answer));
    let text = "Cannot verify the commitment publication of the snapshot: the snapshot's head level 1023 is at or below the L1 node's savepoint 1025. Use an archive L1 node, or skip the check with --no-checks.";
    assert_eq!(problem.to_string(), text);
}

#[test]
fn p3_level_unpublished() {
    let mut view = view("v5-archive");
    drop_commitment(&mut view, 3);
    // The store records that it was published at level 1017.
    let wanted = Wanted {
        commitment: "src12XQNBxrNnrWvg5GxK5XVZfAcQphvBjWbLmBUf24grxY43Mnjxx".parse().unwrap(),
        hint: 1017,
        ..header("v5-archive", "head")
    };
    let stub = Stub::start(&view, &[]);
    not_published(
        search(&at(&stub), &wanted, &mut Silent).unwrap(),
        "Could not locate commitment src12XQNBxrNnrWvg5GxK5XVZfAcQphvBjWbLmBUf24grxY43Mnjxx for rollup sr1CnSVbNpLGRVSAxFhCNPnUZDWVdBwdwTLQ on L1 between levels 1007 and 1029 (step 10).",
    );
}

#[test]
fn e10_predecessor() {
    let wanted = before_export("v5-archive").unwrap();
    let mut view = view("v5-archive");
    drop_commitment(&mut view, 3);
    let stub = Stub::start(&view, &[]);
    not_published(
        search(&at(&stub), &wanted, &mut Silent).unwrap(),
        "Could not locate commitment src12XQNBxrNnrWvg5GxK5XVZfAcQphvBjWbLmBUf24grxY43Mnjxx for rollup sr1CnSVbNpLGRVSAxFhCNPnUZDWVdBwdwTLQ on L1 between levels 1005 and 1029 (step 10).",
    );
}

#[test]
fn e10_last_may_be_in_flight() {
    let wanted = before_export("v5-archive").unwrap();
    let mut view = view("v5-archive");
    drop_commitment(&mut view, 4);
    let stub = Stub::start(&view, &[]);
    let outcome = search(&at(&stub), &wanted, &mut Silent).unwrap();
    assert_eq!(outcome, Outcome::Published { at_level: 1025 });
}

#[test]
fn e10_young() {
    let wanted = before_export("v5-genesis").unwrap();
    let genesis = "src13wCGc2nMVfN7rD1rgeG3g1q7oXYX2m5MJY5ZRooVhLt7JwKXwX";
    assert_eq!((wanted.commitment.to_string().as_str(), wanted.hint), (genesis, 1495));
    // The search begins before the origination, where L1 knows no such rollup.
    let stub = Stub::start(&view("v5-genesis"), &[]);
    let outcome = search(&at(&stub), &wanted, &mut Silent).unwrap();
    assert_eq!(outcome, Outcome::Published { at_level: 1501 });
    assert!(stub.log(5).iter().any(|line| line.contains("/blocks/1494/") && line.ends_with(" 500")));
}

#[test]
fn e10_commitments_that_the_store_lacks() {
    let Wanted { rollup, commitment: last, .. } = header("v5-archive", "head");
    let none = wanted_before_export(rollup, last, |_| Ok(None)).unwrap_err();
    assert_eq!(none.code(), Code::StoreCommitment);
    assert_eq!(none.to_string(), format!("commitment {last} not in store"));
    let predecessor = CommitmentHash::new([7; 32]);
    let lookup = |hash: &CommitmentHash| Ok((*hash == last).then_some(Link { predecessor, inbox_level: 1 }));
    let half = wanted_before_export(rollup, last, lookup).unwrap_err();
    assert_eq!(half.to_string(), format!("commitment {predecessor} not in store"));
}

/// What both readers of a store say of rule P4, which is the same.
fn cemented(root: &str, hash: &str, level: i32) -> Result<Option<Check>> {
    let lcc = Mark { hash: hash.parse().unwrap(), level };
    let path = Path::new(root).join("store.sqlite");
    let by_engine = check_cemented(&lcc, &mut rollsnap::store::Store::open(&path, Accept::Current).unwrap());
    let bytes = fs::read(&path).unwrap();
    let without =
        check_cemented(&lcc, &mut store::Store::open(bytes, "store.sqlite", Accept::Current).unwrap());
    assert_eq!(by_engine, without);
    without
}

const LCC: &str = "src12XQNBxrNnrWvg5GxK5XVZfAcQphvBjWbLmBUf24grxY43Mnjxx";

#[test]
fn p4_agrees() {
    let ground = Ground::new();
    let archive = ground.unpack("v5-archive", "archive");
    let stub = Stub::start(&view("v5-archive"), &[]);
    let wanted = header("v5-archive", "head");
    let lcc = at(&stub).last_cemented(At::Head, &wanted.rollup, &mut Silent).unwrap();
    assert_eq!((lcc.hash.to_string().as_str(), lcc.level), (LCC, 1015));
    let text = "the last cemented commitment of layer 1, of level 1015, is in the store";
    assert_eq!(cemented(&archive, LCC, 1015), Ok(Some(Check::yes(Code::L1Lcc, text))));
    // The store ends at level 1023.
    assert_eq!(cemented(&archive, LCC, 1024), Ok(None));
    assert_eq!(cemented(&archive, LCC, i32::MAX), Ok(None));
}

#[test]
fn p4_mutants() {
    let ground = Ground::new();
    let archive = ground.unpack("v5-archive", "archive");
    let full = ground.unpack("v5-full", "full");
    let refused = |root: &str, hash: &str, level: i32| {
        let problem = cemented(root, hash, level).unwrap_err();
        assert_eq!((problem.code(), problem.place()), (Code::L1Lcc, Some(&Place::Level(level))));
        problem.title().to_owned()
    };

    let other = "src13yJ9vETsTqi4dsgNjLJvcaM5BcMAYhNUNNKzEPReB6ddLbwKz9";
    let text = format!("Snapshot contains {LCC} for LCC at level 1015 but was expected to be {other}.");
    assert_eq!(refused(&archive, other, 1015), text);

    let text =
        "No commitment for block BME7J6g4cvi9BrHecjpGB67NVjv5HLr1Mi24YqNSqGxdJLY3wjT for LCC level 1016";
    assert_eq!(refused(&archive, LCC, 1016), text);

    let below = "src12vzwHTCRHgG4PxbFW3qiTE5f36wstgnbZSojg6APbYC12WcBaQ";
    assert_eq!(refused(&full, below, 2000005), "No block for LCC level 2000005");
    assert_eq!(refused(&archive, LCC, -1), "No block for LCC level -1");

    let nowhere = "BKjsGHWB1P8kY9yP8YhvwmFTTndoLdTAoepcN3dQZ4WiPv248c5";
    let store = rusqlite::Connection::open(Path::new(&archive).join("store.sqlite")).unwrap();
    store.execute("UPDATE l2_levels SET block_hash = ?1 WHERE level = 1015", [nowhere]).unwrap();
    drop(store);
    assert_eq!(refused(&archive, LCC, 1015), format!("Unknown block {nowhere} for LCC level 1015"));
}

/// What an export of the head of a directory asks for.
fn before_export(name: &str) -> Result<Wanted> {
    let Wanted { rollup, commitment: last, .. } = header(name, "head");
    let expected = expected(name);
    wanted_before_export(rollup, last, |hash| {
        let rows = expected["commitments"].as_array().unwrap();
        let row = rows.iter().find(|row| text(&row["hash"]) == hash.to_string());
        Ok(row.map(|row| Link {
            predecessor: text(&row["predecessor"]).parse().unwrap(),
            inbox_level: level_of(&row["inbox_level"]),
        }))
    })
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn level_of(value: &Value) -> i32 {
    value.as_i64().unwrap().try_into().unwrap()
}
