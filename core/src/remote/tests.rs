use core::time::Duration;

use super::*;
use crate::code::Code;

const ETAG: &str = "\"abc\"";

fn part(range: &str) -> Answer<'_> {
    Answer { status: 206, content_range: Some(range), etag: Some(ETAG), ..Answer::default() }
}

fn identity() -> Identity {
    Identity { len: 1000, validator: Validator::Etag(ETAG.into()), encoding: None }
}

fn code<T: core::fmt::Debug>(result: crate::Result<T>) -> Code {
    result.unwrap_err().code()
}

#[test]
fn first_answers() {
    assert_eq!(Opening::of(&part("bytes 0-999/1000")), Ok(Opening::Ranges(identity())));
    assert_eq!(Opening::of(&part(" Bytes  0-99/1000 ")), Ok(Opening::Ranges(identity())));
    let whole = |content_length| Answer { status: 200, content_length, ..Answer::default() };
    assert_eq!(Opening::of(&whole(Some(7))), Ok(Opening::Whole(Some(7))));
    assert_eq!(Opening::of(&whole(None)), Ok(Opening::Whole(None)));
    assert_eq!(Opening::of(&whole(Some(0))), Ok(Opening::Empty));
    assert_eq!(Opening::of(&Answer { status: 416, ..part("bytes */0") }), Ok(Opening::Empty));
    for range in [
        "bytes 1-99/1000",
        "bytes 0-99/*",
        "bytes 0-1000/1000",
        "bytes 5-4/1000",
        "bytes */1000",
        "items 0-99/1000",
        "bytes 0-18446744073709551615/1",
        "bytes -5-99/1000",
        "bytes 0-+9/1000",
        "bytes 0-99",
        "",
    ] {
        assert_eq!(code(Opening::of(&part(range))), Code::RemoteAnswer, "{range}");
    }
    assert_eq!(code(Opening::of(&Answer { content_range: None, ..part("") })), Code::RemoteAnswer);
    assert_eq!(
        code(Opening::of(&Answer { content_length: Some(99), ..part("bytes 0-99/1000") })),
        Code::RemoteAnswer
    );
    for status in [0, 100, 204, 304, 401, 403, 404, 410, 416, 500, 999] {
        assert_eq!(
            code(Opening::of(&Answer { status, ..part("bytes 0-99/1000") })),
            Code::RemoteStatus,
            "{status}"
        );
    }
}

#[test]
fn validators_from_the_best_on() {
    let all = Answer {
        etag: Some(ETAG),
        x_goog_generation: Some("17"),
        x_amz_version_id: Some("v"),
        last_modified: Some("now"),
        ..Answer::default()
    };
    assert_eq!(Validator::of(&all), Validator::Etag(ETAG.into()));
    for weak in [None, Some("W/\"abc\""), Some(""), Some("\"\""), Some("abc")] {
        let answer = Answer { etag: weak, ..all };
        assert_eq!(Validator::of(&answer), Validator::Generation("17".into()), "{weak:?}");
    }
    let answer = Answer { etag: None, x_goog_generation: None, ..all };
    assert_eq!(Validator::of(&answer), Validator::Version("v".into()));
    let answer = Answer { x_amz_version_id: Some("null"), ..answer };
    assert_eq!(Validator::of(&answer), Validator::Modified("now".into()));
    assert_eq!(Validator::of(&Answer::default()), Validator::None);
    assert!(
        Validator::of(&all).is_strong()
            && !Validator::of(&answer).is_strong()
            && !Validator::None.is_strong()
    );
    assert_eq!((Validator::of(&all).if_range(), Validator::of(&answer).if_range()), (Some(ETAG), None));
}

#[test]
fn parts_that_fit() {
    let fitting =
        |range: &str| identity().accept(&(100..200), &part(range)).map(|Fitting { skip, len }| (skip, len));
    assert_eq!(fitting("bytes 100-199/1000"), Ok((0, 100)));
    // One that begins before, ends before, or goes on behind.
    assert_eq!(fitting("bytes 0-999/1000"), Ok((100, 100)));
    assert_eq!(fitting("bytes 40-109/1000"), Ok((60, 10)));
    assert_eq!(fitting("bytes 100-100/1000"), Ok((0, 1)));
    for late in ["bytes 101-199/1000", "bytes 0-99/1000", "bytes 900-999/1000", "bytes */1000", "nonsense"] {
        assert_eq!(fitting(late).map_err(|problem| problem.code()), Err(Code::RemoteAnswer), "{late}");
    }
    let large = Identity { len: 10 << 20, ..identity() };
    let from_zero = |start: u64| large.accept(&(start..start + 9), &part("bytes 0-10485759/10485760"));
    assert!(from_zero(1 << 20).is_ok());
    assert_eq!(code(from_zero((1 << 20) + 1)), Code::RemoteAnswer, "all of the file for every part");
    for other in ["bytes 100-199/1001", "bytes 100-199/999"] {
        assert_eq!(fitting(other).map_err(|problem| problem.code()), Err(Code::RemoteChanged), "{other}");
    }
}

#[test]
fn answers_of_another_file() {
    let answer = part("bytes 100-199/1000");
    let judge = |identity: &Identity, answer: Answer<'_>| {
        identity.accept(&(100..200), &answer).map_err(|problem| problem.code())
    };
    assert_eq!(judge(&identity(), Answer { etag: Some("\"abd\""), ..answer }), Err(Code::RemoteChanged));
    assert_eq!(judge(&identity(), Answer { etag: Some("W/\"abc\""), ..answer }), Err(Code::RemoteChanged));
    assert_eq!(judge(&identity(), Answer { etag: None, ..answer }), Err(Code::RemoteAnswer));
    assert_eq!(
        judge(&identity(), Answer { content_encoding: Some("gzip"), ..answer }),
        Err(Code::RemoteAnswer)
    );
    assert_eq!(judge(&identity(), Answer { content_length: Some(99), ..answer }), Err(Code::RemoteAnswer));
    // A server that forgets what it advertised, and one that ignores the condition.
    let whole = Answer { status: 200, content_range: None, content_length: Some(1000), ..answer };
    assert_eq!(judge(&identity(), whole), Err(Code::RemoteAnswer));
    assert_eq!(judge(&identity(), Answer { content_length: Some(900), ..whole }), Err(Code::RemoteChanged));
    assert_eq!(judge(&identity(), Answer { etag: Some("\"new\""), ..whole }), Err(Code::RemoteChanged));
    assert_eq!(judge(&identity(), Answer { status: 412, ..answer }), Err(Code::RemoteChanged));
    assert_eq!(
        judge(&identity(), Answer { status: 416, ..part("bytes */50") }),
        Err(Code::RemoteChanged),
        "it is shorter now"
    );
    assert_eq!(judge(&identity(), Answer { status: 416, ..part("bytes */1000") }), Err(Code::RemoteAnswer));
    for status in [401, 403, 404, 429, 500] {
        assert_eq!(judge(&identity(), Answer { status, ..answer }), Err(Code::RemoteStatus), "{status}");
    }
    // Without a validator the length has to do.
    let weak = Identity { validator: Validator::None, ..identity() };
    assert!(judge(&weak, Answer { etag: Some("\"new\""), ..answer }).is_ok());
    let dated = Identity { validator: Validator::Modified("then".into()), ..identity() };
    assert_eq!(judge(&dated, Answer { last_modified: Some("now"), ..answer }), Err(Code::RemoteChanged));
    assert!(judge(&dated, Answer { last_modified: Some("then"), ..answer }).is_ok());
}

#[test]
fn pauses_double_up_to_half_a_minute() {
    let millis = |tries| pause(tries, None).as_millis();
    assert_eq!([0, 1, 2, 3, 7, 8, u32::MAX].map(millis), [0, 500, 1000, 2000, 30_000, 30_000, 30_000]);
    let asked = |tries| pause(tries, Some(Duration::from_secs(3)));
    assert_eq!([0, 1, 5].map(asked).map(|pause| pause.as_secs()), [3, 3, 8]);
    assert!([408, 425, 429, 500, 503, 599].into_iter().all(|status| is_passing(status, false)));
    assert!(![200, 301, 401, 403, 404, 410, 416].into_iter().any(|status| is_passing(status, false)));
    assert!(is_passing(403, true) && !is_passing(401, true));
}
