//! The limits of faults.

use rollsnap_tests::fault_server::{Fault, Plan};

use crate::client::{get, statuses};
use crate::serving;

#[test]
fn faults_follow_each_other() {
    let server = serving(Plan::of(Fault::Status(503)).first(2).with(Fault::Status(403)).first(1));
    assert_eq!(statuses(&server, "/a", 5), [503, 503, 403, 200, 200]);
    let met: Vec<usize> = server.log().iter().map(|exchange| exchange.faults.len()).collect();
    assert_eq!(met, [1, 1, 1, 0, 0]);
    server.add(Plan::of(Fault::Status(500)).after(1).first(2));
    assert_eq!(statuses(&server, "/a", 4), [200, 500, 500, 200]);
    server.set(Fault::Status(410));
    assert_eq!(statuses(&server, "/a", 2), [410, 410]);
    server.set(Plan::new());
    assert_eq!(statuses(&server, "/a", 1), [200]);
}

#[test]
fn faults_have_their_places() {
    let server =
        serving(Plan::of(Fault::Status(500)).on("/b").with(Fault::Status(502)).from(500).before(600));
    let status = |range: &str| get(&server, "/a", &[&format!("Range: bytes={range}")]).0.status;
    assert_eq!(statuses(&server, "/b", 1), [500]);
    assert_eq!((status("499-700"), status("500-700"), status("599-599")), (206, 502, 502));
    assert_eq!((status("600-"), status("-450"), status("-300")), (206, 502, 206));
    assert_eq!(statuses(&server, "/a", 1), [200]);
}

#[test]
fn a_fault_waits_for_bytes() {
    let server = serving(Plan::of(Fault::Status(500)).after_bytes(2500).first(1));
    assert_eq!(statuses(&server, "/a", 5), [200, 200, 200, 500, 200]);
}

#[test]
fn only_an_answer_that_changes_is_counted() {
    let server = serving(Plan::of(Fault::Corrupt(700)).first(1).with(Fault::Short(50)).first(1));
    let body = |range: &str| get(&server, "/a", &[&format!("Range: bytes={range}")]).1;
    let whole = crate::content(1000);
    assert_eq!(body("0-9"), whole[..10], "too short for either");
    assert_eq!(body("0-99"), whole[..50]);
    assert_ne!(body("600-799"), whole[600..800]);
    assert_eq!(body("600-799"), whole[600..800], "once only");
}
