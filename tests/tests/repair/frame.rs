//! What all repairs have in common: nothing that holds is given up.

use std::fs;

use rollsnap::modify::Attempt;
use rollsnap::repair::{self, Options, Plan, Repair, Repaired, Status, Subject};
use rollsnap_core::feedback::Silent;
use rollsnap_core::{Code, Feedback, Place, Result};
use rollsnap_tests::cli::Ground;

use super::{directory, sql, tables};

/// A repair that executes statements.
struct Statement(&'static str);

impl Repair for Statement {
    fn plan(&mut self, _: &mut Subject<'_, '_>, _: &mut dyn Feedback) -> Result<Plan> {
        let change = Repaired { what: "rows", level: None, from: None, to: None, text: "a row".into() };
        Ok(Plan { repaired: vec![change], text: "done".into(), ..Plan::default() })
    }

    fn carry_out(&mut self, attempt: &mut Attempt<'_>, _: &mut Plan, _: &mut dyn Feedback) -> Result<()> {
        attempt.database()?.execute(self.0, &[]).map(drop)
    }
}

#[test]
fn what_would_not_hold_any_more_is_taken_back() {
    let ground = Ground::new();
    let data = directory(&ground, "r5-dense");
    let before = tables(&data);
    for (statement, level) in [
        ("DELETE FROM messages WHERE inbox_level = 5010", 5010),
        ("UPDATE l2_blocks SET num_ticks = 1 WHERE level = 5007", 5008),
        ("DELETE FROM l2_levels WHERE level = 5003", 5003),
        ("UPDATE commitments SET number_of_ticks = 5 WHERE inbox_level = 5030", 5030),
    ] {
        let tree = ground.tree();
        let problem = repair::run(&mut Statement(statement), &Options::new(&data), &mut Silent).unwrap_err();
        assert_eq!(problem.code(), Code::RepairUnsound, "{statement}: {problem:?}");
        assert_eq!(problem.place(), Some(&Place::Level(level)), "{statement}");
        assert_eq!(tables(&data), before, "{statement}");
        assert_eq!(ground.tree().names(), tree.names(), "{statement}");
    }
    // What does not hold before may go on so, and is counted.
    sql(&data, "DELETE FROM messages WHERE inbox_level = 5010");
    let mut statement = Statement("DELETE FROM rollup_node_state WHERE name = 'lcc'");
    let outcome = repair::run(&mut statement, &Options::new(&data), &mut Silent).unwrap();
    assert_eq!(outcome.status, Status::Done);
    assert_eq!(outcome.remaining.unwrap().count(), 1);
}

#[test]
fn a_level_whose_context_is_lost() {
    let ground = Ground::new();
    let data = directory(&ground, "r5-dense");
    fs::remove_file(format!("{data}/context/index/log")).unwrap();
    let tree = ground.tree();
    let run = ground.run(&["repair", "rewind", &data, "--to", "5020"]);
    assert_eq!((run.status, run.err.contains("[repair.level]")), (4, true), "{run}");
    let run = ground.run(&["repair", "rewind", &data, "--to", "last-committed"]);
    assert_eq!((run.status, run.err.contains("[store.no-context]")), (1, true), "{run}");
    tree.same_as(&ground.tree(), "refused");
}
