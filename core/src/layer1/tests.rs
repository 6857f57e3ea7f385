//! The machines and what answers mean, with answers as `tests/fixtures/l1_stub.py` sends them for the rollup of the
//! fixture `v5-archive`, and with what no node sends.

mod hostile;

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::*;
use crate::code::Code;
use crate::report::Status;

const ROLLUP: &str = "sr1CnSVbNpLGRVSAxFhCNPnUZDWVdBwdwTLQ";
const LAST: &str = "src13yJ9vETsTqi4dsgNjLJvcaM5BcMAYhNUNNKzEPReB6ddLbwKz9";
const CEMENTED: &str = r#"{"hash": "src12XQNBxrNnrWvg5GxK5XVZfAcQphvBjWbLmBUf24grxY43Mnjxx", "level": 1015}"#;
const COMMITMENT: &str = r#"{"compressed_state": "srs12LX6pqyzDYRYuJ7QNa9FhY9Kjm6QRqV3GUnhrr3Mo4kS2g8h1T", "inbox_level": 1020, "predecessor": "src12XQNBxrNnrWvg5GxK5XVZfAcQphvBjWbLmBUf24grxY43Mnjxx", "number_of_ticks": "283796933596"}"#;
const UNKNOWN: &str = r#"[{"kind": "temporary", "id": "proto.022-PsRiotum.smart_rollup_unknown_commitment", "commitment": "src13yJ9vETsTqi4dsgNjLJvcaM5BcMAYhNUNNKzEPReB6ddLbwKz9"}]"#;
const NO_ROLLUP: &str = r#"[{"kind": "temporary", "id": "proto.022-PsRiotum.smart_rollup_does_not_exist", "rollup": "sr1PZp36n7oMkvpHmmk6z6S4FdTfwhmJNPSR"}]"#;
const CONSTANTS: &str =
    r#"{"smart_rollup_challenge_window_in_blocks": 10, "smart_rollup_commitment_period_in_blocks": 5}"#;

/// Where the header of the snapshot stands, and the block with the publication.
const HEADER: i32 = 1023;
const PUBLISHED: i32 = 1022;

/// What comes for a path in place of the node's own answer; within it, `None` is no answer.
type Fault<'a> = dyn Fn(&str) -> Option<Option<(u16, String)>> + 'a;

/// A node of layer 1. What `fault` has for a path comes in place of its own answer; `None` is no answer.
struct Node<'a> {
    savepoint: i32,
    published: Option<i32>,
    fault: &'a Fault<'a>,
    asked: Vec<String>,
}

impl Node<'_> {
    fn new() -> Self {
        Node { savepoint: 999, published: Some(PUBLISHED), fault: &|_| None, asked: Vec::new() }
    }

    fn get(&self, path: &str) -> Option<(u16, String)> {
        if let Some(answer) = (self.fault)(path) {
            return answer;
        }
        let level = path.split('/').nth(4).and_then(|level| level.parse::<i32>().ok());
        Some(match path.rsplit('/').next() {
            Some("shell") => (200, r#"{"level": 1029, "proto": 2, "predecessor": "BLqhhq7MCijaEBL7x5zJinG4PxbRnaaTEggSvv66GPEMEfKZo16", "timestamp": "2025-01-12T11:20:08Z", "validation_pass": 4}"#.into()),
            Some("savepoint") => (200, format!(r#"{{"block_hash": "BKmmaZ22tPgaUJd8FdGjH86G59dqjx83WFYXSqg5bjixxqZP7Xc", "level": {}}}"#, self.savepoint)),
            _ if level.is_some_and(|level| level < self.savepoint) => {
                (404, r#"[{"kind": "permanent", "id": "store.block_not_found"}]"#.into())
            }
            Some("constants") => (200, CONSTANTS.into()),
            Some("operations") => (200, "[[], [], [], []]".into()),
            Some("last_cemented_commitment_hash_with_level") => (200, CEMENTED.into()),
            Some(LAST) if self.published.is_some_and(|from| level.is_none_or(|level| level >= from)) => {
                (200, COMMITMENT.into())
            }
            Some(LAST) => (500, UNKNOWN.into()),
            other => panic!("{other:?} of {path}"),
        })
    }

    fn converse(&mut self, dialogue: &mut impl Dialogue) {
        while let Some(request) = dialogue.next_request() {
            assert_eq!(request.max_bytes, MAX_ANSWER);
            match self.get(&request.path) {
                Some((status, body)) => dialogue.answer(&Answer::new(status, body.as_bytes())),
                None => dialogue.failed(Peer::L1.unreachable("http://node", "no connection")),
            }
            self.asked.push(request.path);
            assert!(self.asked.len() < 100, "{:?}", self.asked);
        }
    }

    fn search(&mut self, mut search: Search) -> Outcome {
        self.converse(&mut search);
        search.into_outcome().unwrap()
    }

    /// Levels at which the commitment was looked for.
    fn probed(&self) -> Vec<&str> {
        let probes = self.asked.iter().filter(|path| path.contains("/commitment/"));
        probes.filter_map(|path| path.split('/').nth(4)).collect()
    }
}

fn wanted() -> Wanted {
    Wanted { rollup: ROLLUP.parse().unwrap(), commitment: LAST.parse().unwrap(), hint: HEADER }
}

fn why(outcome: &Outcome) -> (Code, String) {
    let problem = outcome.hindrance().unwrap_or_else(|| panic!("{outcome:?}"));
    (problem.code(), problem.sentence())
}

#[test]
fn a_published_commitment_is_found_from_before_its_publication_on() {
    let mut node = Node::new();
    assert_eq!(node.search(Search::new(wanted())), Outcome::Published { at_level: 1023 });
    assert_eq!(node.probed(), ["1013", "1023"]);
    let first = ["/chains/main/blocks/head/header/shell", "/chains/main/levels/savepoint"];
    assert_eq!(node.asked[..2], first);
    // Rule I5d goes before.
    let mut node = Node::new();
    assert_eq!(node.search(Search::before_import(wanted())), Outcome::Published { at_level: 1023 });
    assert_eq!(node.asked[..2], [first[1], first[0]]);
    assert_eq!(node.asked.len(), 5);
}

#[test]
fn no_is_what_every_level_says() {
    let mut node = Node { published: None, ..Node::new() };
    let outcome = node.search(Search::new(wanted()));
    let Outcome::NotPublished(problem) = &outcome else { panic!("{outcome:?}") };
    assert_eq!(problem.code(), Code::L1Commitment);
    assert_eq!(
        problem.sentence(),
        "Commitment of snapshot is not published on L1.: Could not locate commitment src13yJ9vETsTqi4dsgNjLJvcaM5BcMAYhNUNNKzEPReB6ddLbwKz9 for rollup sr1CnSVbNpLGRVSAxFhCNPnUZDWVdBwdwTLQ on L1 between levels 1013 and 1029 (step 10)."
    );
    assert_eq!(node.probed(), ["1013", "1023", "1029"]);
    assert_eq!(outcome.check().status, Status::No);
    assert_eq!(outcome.into_result().unwrap_err().title(), "Commitment of snapshot is not published on L1.");
}

#[test]
fn a_chain_without_the_rollup_says_no_and_which_chain_that_may_be() {
    let fault = |path: &str| path.contains("/commitment/").then(|| Some((500, NO_ROLLUP.to_owned())));
    let outcome = Node { fault: &fault, ..Node::new() }.search(Search::new(wanted()));
    let Outcome::NotPublished(problem) = &outcome else { panic!("{outcome:?}") };
    assert!(
        problem
            .cause()
            .unwrap()
            .ends_with("(step 10). This chain knows no such rollup: is the L1 node of the right network?")
    );
}

/// A sound old file, of which the node has pruned the commitment.
#[test]
fn a_node_that_may_have_forgotten_the_commitment_does_not_deny_it() {
    for savepoint in [HEADER, HEADER + 1, 1029] {
        let mut node = Node { savepoint, published: None, ..Node::new() };
        let outcome = node.search(Search::new(wanted()));
        let text = format!(
            "Cannot verify the commitment publication: the L1 node may have forgotten the commitment: it was published about level 1023, and the node's savepoint is {savepoint}"
        );
        assert_eq!(why(&outcome), (Code::L1Savepoint, text));
        assert_eq!(node.probed().first(), Some(&&*savepoint.to_string()));
        let check = outcome.check();
        assert_eq!((check.status, check.is_hindered()), (Status::Unknown, true));
        // What it still knows, it knows.
        let mut node = Node { savepoint, ..Node::new() };
        assert_eq!(node.search(Search::new(wanted())), Outcome::Published { at_level: savepoint });
        // Before an import nothing else is asked.
        let mut node = Node { savepoint, ..Node::new() };
        let outcome = node.search(Search::before_import(wanted()));
        assert_eq!(why(&outcome).0, Code::L1Savepoint);
        assert_eq!(node.asked, ["/chains/main/levels/savepoint"]);
    }
    let mut node = Node { savepoint: HEADER - 1, published: None, ..Node::new() };
    assert!(matches!(node.search(Search::new(wanted())), Outcome::NotPublished(_)));
}

#[test]
fn the_header_must_be_above_the_savepoint() {
    assert_eq!(above_savepoint(1023, 1022), Ok(()));
    for savepoint in [1023, 1025] {
        let text = format!(
            "Cannot verify the commitment publication of the snapshot: the snapshot's head level 1023 is at or below the L1 node's savepoint {savepoint}. Use an archive L1 node, or skip the check with --no-checks."
        );
        let problem = above_savepoint(1023, savepoint).unwrap_err();
        assert_eq!((problem.code(), problem.title()), (Code::L1Savepoint, &*text));
    }
}

#[test]
fn only_a_lower_level_postpones() {
    assert!(is_postponed(1023, Some(1022)));
    assert!(!is_postponed(1023, Some(1023)));
    assert!(!is_postponed(1023, None));
}

#[test]
fn what_is_not_answered_is_headed_as_not_checked() {
    for (part, status, body, code, text) in [
        (
            "/commitment/",
            401,
            "",
            Code::L1Forbidden,
            "this L1 node does not serve smart rollup storage (its access list forbids it)",
        ),
        (
            "/levels/",
            403,
            "",
            Code::L1Forbidden,
            "this L1 node does not serve its savepoint (its access list forbids it)",
        ),
        (
            "/constants",
            410,
            "",
            Code::L1Pruned,
            "block 1023 pruned or unknown: use an archive node: found status 410 for /chains/main/blocks/1023/context/constants",
        ),
        (
            "shell",
            404,
            "",
            Code::L1Answer,
            "the answer of the L1 node is not understood: found status 404 for /chains/main/blocks/head/header/shell: an L1 node would know this path",
        ),
        (
            "shell",
            429,
            "",
            Code::L1Status,
            "the L1 node reports an error: found status 429 for /chains/main/blocks/head/header/shell",
        ),
        (
            "shell",
            502,
            "<html>\nBad Gateway",
            Code::L1Status,
            "the L1 node reports an error: found status 502 for /chains/main/blocks/head/header/shell: <html> Bad Gateway",
        ),
        (
            "shell",
            302,
            "",
            Code::L1Answer,
            "the answer of the L1 node is not understood: found status 302 for /chains/main/blocks/head/header/shell: it redirects to another address, which is not followed: give that address",
        ),
        (
            "shell",
            0,
            "",
            Code::L1Answer,
            "the answer of the L1 node is not understood: it redirects to another address, which is not followed: give that address",
        ),
        (
            "shell",
            200,
            "<html>",
            Code::L1Answer,
            "the answer of the L1 node is not understood: found \"<html>\" for /chains/main/blocks/head/header/shell: expected value at line 1 column 1",
        ),
        (
            "shell",
            200,
            " ",
            Code::L1Answer,
            "the answer of the L1 node is not understood: found an empty answer for /chains/main/blocks/head/header/shell",
        ),
        (
            "/constants",
            200,
            "{\"smart_rollup_challenge_window_in_blocks\":0}",
            Code::L1Answer,
            "the answer of the L1 node is not understood: found a challenge window of 0 blocks in /chains/main/blocks/1023/context/constants",
        ),
        (
            "shell",
            500,
            UNKNOWN,
            Code::L1Status,
            "the L1 node reports an error: found an unknown commitment, which nobody asked for, in /chains/main/blocks/head/header/shell",
        ),
    ] {
        let fault = |path: &str| path.contains(part).then(|| Some((status, body.to_owned())));
        let outcome = Node { fault: &fault, ..Node::new() }.search(Search::new(wanted()));
        assert_eq!(why(&outcome), (code, text.to_owned()));
        let check = outcome.check();
        assert_eq!((check.code, check.status), (code, Status::Unknown));
        let headed = outcome.into_result().unwrap_err();
        assert_eq!(
            headed.title(),
            "Could not check whether the commitment of the snapshot is published on L1."
        );
        assert_eq!(headed.cause(), Some(text));
    }
}

#[test]
fn one_level_without_an_answer_is_no_answer() {
    let fault = |path: &str| path.contains("blocks/1023/context/smart").then(|| Some((503, String::new())));
    let mut node = Node { fault: &fault, published: None, ..Node::new() };
    let (code, text) = why(&node.search(Search::new(wanted())));
    assert_eq!(code, Code::L1Status);
    assert!(text.starts_with("1 of 3 levels could not be looked at: the L1 node reports an error"), "{text}");
    // What is found elsewhere is found.
    let mut node = Node { fault: &fault, ..Node::new() };
    assert_eq!(node.search(Search::new(wanted())), Outcome::Published { at_level: 1029 });
    // A node that has gone away is not asked about all levels.
    let fault = |path: &str| path.contains("/commitment/").then_some(None);
    let mut node = Node { fault: &fault, ..Node::new() };
    assert_eq!(why(&node.search(Search::new(wanted()))).0, Code::L1Unreachable);
    assert_eq!(node.probed(), ["1013", "1023"]);
}

fn originated(body: &str) -> crate::Result<Option<Originated>> {
    Origination { level: 1000, rollup: wanted().rollup }.meaning(&Answer::new(200, body.as_bytes()))
}

#[test]
fn the_operation_that_originates_is_found_among_others() {
    let operation = |kind: &str, status: &str, address: &str, kernel: &str| {
        format!(
            r#"{{"protocol":"PsQuebecnLByd3JwTiGadoG4nGWi3HYiLXUjkibeFV8dCFeVMUg","chain_id":"Net","contents":[{{"kind":"transaction","amount":"1"}},{{"kind":"{kind}","pvm_kind":"wasm_2_0_0","kernel":{kernel},"metadata":{{"balance_updates":[],"operation_result":{{"status":"{status}","address":"{address}","size":"7"}}}}}}]}}"#
        )
    };
    let good = operation("smart_rollup_originate", "applied", ROLLUP, r#""0061736D""#);
    let others = [
        operation("smart_rollup_originate", "failed", ROLLUP, r#""00""#),
        operation("smart_rollup_originate", "applied", "sr1PZp36n7oMkvpHmmk6z6S4FdTfwhmJNPSR", r#""01""#),
        operation("smart_rollup_publish", "applied", ROLLUP, r#""02""#),
        r#"{"contents":[7,null,{"kind":7},{"kind":"smart_rollup_originate","metadata":[]}]}"#.to_owned(),
        r#"{"contents":{}},7,null,[],{}"#.to_owned(),
    ]
    .join(",");
    let found = originated(&format!("[[],7,[{others},{good}],[]]")).unwrap().unwrap();
    assert_eq!(found.boot_sector, b"\0asm");
    let protocol = "PsQuebecnLByd3JwTiGadoG4nGWi3HYiLXUjkibeFV8dCFeVMUg";
    assert_eq!(found.protocol.map(|protocol| protocol.to_string()).as_deref(), Some(protocol));
    for none in ["[]", "{}", "7", "null", "[[],[],[],[]]", &format!("[[{others}]]"), &format!("[{good}]")] {
        assert_eq!(originated(none), Ok(None), "{none}");
    }
    for kernel in ["7", "null", r#""0""#, r#""zz""#, r#""é""#] {
        let body = format!("[[{}]]", operation("smart_rollup_originate", "applied", ROLLUP, kernel));
        assert_eq!(originated(&body).unwrap_err().code(), Code::L1Answer, "{kernel}");
    }
    let wrong = good.replace("PsQuebec", "PtQuebec");
    assert_eq!(originated(&format!("[[{wrong}]]")).unwrap_err().code(), Code::L1Answer);
    let nameless = good.replace("\"protocol\"", "\"other\"");
    assert_eq!(originated(&format!("[[{nameless}]]")).unwrap().unwrap().protocol, None);
    for broken in ["", "[[", "<html>", &"[".repeat(1 << 20)] {
        assert_eq!(originated(broken).unwrap_err().code(), Code::L1Answer);
    }
}

#[test]
fn an_inquiry_asks_everything_once() {
    let mut node = Node::new();
    let mut inquiry = Inquiry::new(wanted());
    assert_eq!((inquiry.published(), inquiry.cemented(), inquiry.progress()), (None, None, None));
    node.converse(&mut inquiry);
    assert_eq!(inquiry.published(), Some(&Outcome::Published { at_level: 1023 }));
    assert_eq!(inquiry.cemented().unwrap().as_ref().unwrap().level, 1015);
    assert_eq!((inquiry.originated(), inquiry.progress()), (None, Some((1, 3))));
    inquiry.ask_origination(1000);
    node.converse(&mut inquiry);
    assert_eq!(inquiry.originated(), Some(&Ok(None)));
    inquiry.ask_origination(1000);
    assert_eq!(inquiry.next_request(), None);
    // An answer that nobody asked for changes nothing.
    inquiry.answer(&Answer::new(200, b"{}"));
    inquiry.failed(Peer::L1.unreachable("http://node", "no connection"));
    assert_eq!(inquiry.originated(), Some(&Ok(None)));
    assert_eq!(node.asked.len(), 7);
}

#[test]
fn who_does_not_answer_is_not_asked_once_more() {
    let mut node = Node { fault: &|_| Some(None), ..Node::new() };
    let mut inquiry = Inquiry::new(wanted());
    inquiry.ask_origination(1000);
    node.converse(&mut inquiry);
    assert_eq!(node.asked.len(), 1);
    assert_eq!(why(inquiry.published().unwrap()).0, Code::L1Unreachable);
    assert_eq!((inquiry.cemented(), inquiry.originated()), (None, None));
    // One that refuses one thing may give another.
    let fault = |path: &str| path.contains("/levels/").then(|| Some((401, String::new())));
    let mut node = Node { fault: &fault, ..Node::new() };
    let mut inquiry = Inquiry::new(wanted());
    node.converse(&mut inquiry);
    assert_eq!(why(inquiry.published().unwrap()).0, Code::L1Forbidden);
    assert!(inquiry.cemented().is_some_and(core::result::Result::is_ok));
}
