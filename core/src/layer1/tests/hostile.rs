//! What no node of layer 1 sends: numbers, bodies and texts of whoever answers instead.

use super::*;

#[test]
fn absurd_numbers_end_the_search_or_are_refused() {
    let numbers = [
        "0",
        "-1",
        "1",
        "1029",
        "2147483647",
        "-2147483648",
        "2147483648",
        "-2147483649",
        "1e9",
        "1.5",
        "\"7\"",
        "null",
        "true",
        "[]",
        "{}",
        "99999999999999999999999999999999999",
        "1e999",
        "-0",
        "00",
        "",
    ];
    let paths = ["shell", "savepoint", "constants"];
    for number in numbers {
        for other in numbers {
            for part in paths {
                let body = |name| Some(Some((200, format!("{{\"{name}\": {number}}}"))));
                let fault = |path: &str| match path.rsplit('/').next() {
                    Some("constants") if part == "constants" => {
                        body("smart_rollup_challenge_window_in_blocks")
                    }
                    Some(name) if name == part => body("level"),
                    Some("savepoint" | "shell") if part != "constants" => {
                        Some(Some((200, format!("{{\"level\": {other}}}"))))
                    }
                    Some(LAST) => Some(Some((500, UNKNOWN.into()))),
                    Some("constants") => Some(Some((200, CONSTANTS.into()))),
                    _ => None,
                };
                for search in [Search::new(wanted()), Search::before_import(wanted())] {
                    let mut search = search;
                    let mut requests = 0;
                    while let Some(request) = search.next_request() {
                        let (status, body) =
                            Node { fault: &fault, ..Node::new() }.get(&request.path).unwrap();
                        search.answer(&Answer::new(status, body.as_bytes()));
                        requests += 1;
                        assert!(requests <= MAX_PROBES + 3, "{part} {number} {other}");
                    }
                    assert!(!matches!(search.outcome(), None | Some(Outcome::Published { .. })));
                }
            }
        }
    }
}

#[test]
fn hostile_bodies_are_answers_that_say_nothing() {
    let deep = "[".repeat(1 << 20);
    let objects = "{\"a\":".repeat(1 << 18);
    let long = " ".repeat(usize::try_from(MAX_ANSWER).unwrap() + 1);
    let wide = format!("{{\"level\": 7, \"x\": [{}0]}}", "{\"\":0},".repeat(1 << 16));
    let bodies: [&[u8]; 9] = [
        deep.as_bytes(),
        objects.as_bytes(),
        long.as_bytes(),
        b"\xff\xfe{\"level\": 7}",
        b"{\"level\": 7} trailing",
        b"{\"level\": 7, \"level\": 8}",
        b"{\"level\": 7",
        b"\0\0\0\0",
        b"[{\"id\": 7}]",
    ];
    for body in bodies {
        for status in [200, 404, 500, 0, 99, 302, 65535] {
            for problem in [
                HeadLevel.meaning(&Answer::new(status, body)).unwrap_err(),
                Savepoint.meaning(&Answer::new(status, body)).unwrap_err(),
                LastCemented { at: At::Head, rollup: wanted().rollup }
                    .meaning(&Answer::new(status, body))
                    .unwrap_err(),
            ] {
                assert!(matches!(problem.code(), Code::L1Answer | Code::L1Status), "{problem}");
                assert!(problem.sentence().len() < 2000);
            }
        }
    }
    let too_long = HeadLevel.meaning(&Answer::new(200, long.as_bytes())).unwrap_err();
    assert_eq!(too_long.cause(), Some("the answer is longer than 4194304 bytes"));
    // What nobody asks for is passed over.
    assert_eq!(HeadLevel.meaning(&Answer::new(200, wide.as_bytes())), Ok(7));
}

#[test]
fn errors_are_known_by_the_end_of_their_name() {
    let question =
        PublishedCommitment { at: At::Level(7), rollup: wanted().rollup, hash: wanted().commitment };
    let ask = |status, body: &str| question.meaning(&Answer::new(status, body.as_bytes()));
    for protocol in ["022-PsRiotum", "alpha", "001-PtAtLas", "never.seen"] {
        let body = |name: &str| format!(r#"[{{"kind":"temporary","id":"proto.{protocol}.{name}"}}]"#);
        for status in [404, 500] {
            assert_eq!(ask(status, &body("smart_rollup_unknown_commitment")), Ok(None));
            let problem = ask(status, &body("smart_rollup_does_not_exist")).unwrap_err();
            assert_eq!(problem.code(), Code::L1UnknownRollup);
        }
        let problem = ask(500, &body("not_a_smart_rollup_unknown_commitment")).unwrap_err();
        assert_eq!(problem.code(), Code::L1Status);
        // A refusal is no answer, and an error in a good answer is no value.
        for (status, code) in [(401, Code::L1Forbidden), (403, Code::L1Forbidden), (200, Code::L1Answer)] {
            assert_eq!(ask(status, &body("smart_rollup_unknown_commitment")).unwrap_err().code(), code);
        }
    }
    // The error may stand deeper in the trace.
    let trace = r#"[{"id":"failure","msg":"x"},{"id":"proto.alpha.smart_rollup_unknown_commitment"}]"#;
    assert_eq!(ask(500, trace), Ok(None));
    // A node that hands out another commitment is of no use as a witness.
    let other = COMMITMENT.replace("283796933596", "283796933597");
    assert_eq!(ask(200, &other).unwrap_err().code(), Code::L1Answer);
    for ticks in ["9223372036854775808", "-", "", "1.0"] {
        let other = COMMITMENT.replace("283796933596", ticks);
        assert_eq!(ask(200, &other).unwrap_err().code(), Code::L1Answer, "{ticks}");
    }
}

#[test]
fn a_login_that_is_wanted_is_said() {
    let answer = Answer { asks_login: true, ..Answer::new(401, b"") };
    let problem = HeadLevel.meaning(&answer).unwrap_err();
    assert_eq!(problem.code(), Code::L1Forbidden);
    assert!(problem.title().contains("USER:PASSWORD"), "{problem}");
    let answer = Answer { location: Some("http://other\n/"), ..Answer::new(301, b"") };
    let cause = HeadLevel.meaning(&answer).unwrap_err().cause().unwrap().to_owned();
    assert_eq!(cause, "it redirects to http://other /, which is not followed: give that address");
}

#[test]
fn excerpts_are_short_and_one_line() {
    assert_eq!(excerpt(b"  two\r\nlines\x07 "), "two  lines\x07");
    assert_eq!(excerpt(&[b'a'; 200]), "a".repeat(200));
    assert_eq!(excerpt(&[b'a'; 201]), "a".repeat(200) + "…");
    assert_eq!(excerpt("é".repeat(1 << 20).as_bytes()).chars().count(), 201);
    assert_eq!(excerpt("a\u{2028}b".as_bytes()), "a b");
}
