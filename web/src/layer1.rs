//! Layer 1, asked by whoever has a `fetch`: core says which requests to make, and what their answers mean.

use core::time::Duration;

use js_sys::{Array, Object, Reflect, Uint8Array};
use rollsnap_core::hash::{CommitmentHash, RollupAddress};
use rollsnap_core::layer1::{
    self, Answer, Dialogue, Inquiry, Originated, Peer, Wanted, expected_commitment, unanswered_origination,
};
use rollsnap_core::report::{Check, Status};
use rollsnap_core::store::Mark;
use rollsnap_core::{Code, Problem, Verdict};
use serde::Serialize;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::{misuse, thrown};
use crate::options::{bytes_of, level};
use crate::value::Border;

/// All that *Anchored* asks of a node of layer 1.
#[wasm_bindgen]
pub struct Layer1 {
    inquiry: Inquiry,
    endpoint: String,
}

/// A request to be made.
#[derive(Serialize)]
#[allow(non_snake_case, reason = "the names are those of JavaScript")]
struct Request {
    path: String,
    maxBytes: u64,
    about: &'static str,
}

/// How far a search is.
#[derive(Serialize)]
struct Progress {
    done: u64,
    of: u64,
}

/// What came of a question: a check of the report, and what stood in the way.
#[derive(Serialize)]
struct Finding<'a> {
    check: Check,
    problem: Option<Hindrance<'a>>,
}

/// Why there was no answer, in parts.
#[derive(Serialize)]
struct Hindrance<'a> {
    code: Code,
    title: &'a str,
    advice: &'static str,
    found: Option<&'a str>,
    cause: Option<&'a str>,
}

impl<'a> Finding<'a> {
    fn open(check: Check, problem: &'a Problem) -> Self {
        let hindrance = Hindrance {
            code: problem.code(),
            title: problem.title(),
            advice: problem.advice(),
            found: problem.found_text(),
            cause: problem.cause(),
        };
        Self { check, problem: Some(hindrance) }
    }
}

#[wasm_bindgen]
impl Layer1 {
    /// About the last commitment of a snapshot with this header, `{rollup_address, last_commitment, head_level}`.
    /// `endpoint`: the address of the node, for what is said about it; it should hold no password.
    ///
    /// # Errors
    /// `hash.text`; a `TypeError` for what is no header.
    #[wasm_bindgen(constructor)]
    pub fn new(header: &JsValue, endpoint: String) -> Result<Self, JsValue> {
        if !header.is_object() {
            return Err(misuse("header: expected an object"));
        }
        let get = |name| Reflect::get(header, &JsValue::from_str(name));
        let text = |name| get(name)?.as_string().ok_or_else(|| misuse(&format!("{name}: expected a text")));
        let wanted = Wanted {
            rollup: hash::<RollupAddress>(&text("rollup_address")?)?,
            commitment: hash::<CommitmentHash>(&text("last_commitment")?)?,
            hint: level(get("head_level")?.as_f64().unwrap_or(f64::NAN))?,
        };
        Ok(Self { inquiry: Inquiry::new(wanted), endpoint })
    }

    /// The request to be made next, `{path, maxBytes, about}`; `undefined` when nothing more is to be asked.
    ///
    /// # Errors
    /// None that can happen.
    #[wasm_bindgen(js_name = nextRequest)]
    pub fn next_request(&self) -> Result<JsValue, JsValue> {
        match self.inquiry.next_request() {
            Some(layer1::Request { path, max_bytes, about }) => {
                Border::default().carry(&Request { path, maxBytes: max_bytes, about })
            }
            None => Ok(JsValue::UNDEFINED),
        }
    }

    /// What came back for it: the HTTP status (0 for a redirect that the browser hides), the body as a `Uint8Array`,
    /// and where they are known the headers `Location` and whether there was a `WWW-Authenticate`.
    ///
    /// # Errors
    /// A `TypeError` for what is no status or no bytes.
    pub fn answer(
        &mut self,
        status: f64,
        body: &JsValue,
        location: Option<String>,
        asks_login: Option<bool>,
    ) -> Result<(), JsValue> {
        let code = status as u16;
        if f64::from(code) != status {
            return Err(misuse("status: expected a status of HTTP"));
        }
        let body = bytes_of(body)?;
        if f64::from(body.length()) > layer1::MAX_ANSWER as f64 {
            self.inquiry.failed(Peer::L1.too_long(&self.endpoint, layer1::MAX_ANSWER));
            return Ok(());
        }
        self.inquiry.answer(&Answer {
            status: code,
            body: &body.to_vec(),
            location: location.as_deref(),
            asks_login: asks_login.unwrap_or_default(),
        });
        Ok(())
    }

    /// Nothing came back for it. `why`: what happened; `code` and `title` in place of `l1.unreachable` and its title.
    ///
    /// # Errors
    /// A `TypeError` for a code that is not in the table.
    pub fn failed(
        &mut self,
        why: Option<String>,
        code: Option<String>,
        title: Option<String>,
    ) -> Result<(), JsValue> {
        let code = code.map(|code| code.parse::<Code>().map_err(|_| misuse("no such code"))).transpose()?;
        let problem = match code {
            None | Some(Code::L1Unreachable) => {
                Peer::L1.unreachable(&self.endpoint, why.as_deref().unwrap_or("no answer"))
            }
            Some(code) => match why {
                Some(why) => Problem::new(code).because(why),
                None => Problem::new(code),
            },
        };
        self.inquiry.failed(match title {
            Some(title) => problem.headline(title),
            None => problem,
        });
        Ok(())
    }

    /// After how many milliseconds a request is to be made again that was made so many times, and got this status (0: the
    /// connection broke). `undefined`: not again. `retry_after`: the seconds of the header, where it is known.
    ///
    /// # Errors
    /// A `TypeError` for what is no status.
    #[wasm_bindgen(js_name = retryIn)]
    pub fn retry_in(
        &self,
        status: f64,
        tries: f64,
        retry_after: Option<f64>,
    ) -> Result<Option<f64>, JsValue> {
        let code = status as u16;
        if f64::from(code) != status {
            return Err(misuse("status: expected a status of HTTP"));
        }
        let asked = retry_after.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let pause =
            (code == 0 || layer1::is_busy(code)).then(|| layer1::pause_after(tries as u32, asked)).flatten();
        Ok(pause.map(|pause| pause.as_millis() as f64))
    }

    /// The answer is longer than a request allows.
    #[wasm_bindgen(js_name = tooLong)]
    pub fn too_long(&mut self) {
        self.inquiry.failed(Peer::L1.too_long(&self.endpoint, layer1::MAX_ANSWER));
    }

    /// Asks also what the rollup was originated with, in the block of this level; see `Inspector.originationLevel`.
    ///
    /// # Errors
    /// A `TypeError` for what is no level.
    #[wasm_bindgen(js_name = askOrigination)]
    pub fn ask_origination(&mut self, at: f64) -> Result<(), JsValue> {
        self.inquiry.ask_origination(level(at)?);
        Ok(())
    }

    /// How far the search for the commitment is, `{done, of}`; `undefined` until that is known.
    ///
    /// # Errors
    /// None that can happen.
    #[wasm_bindgen(getter)]
    pub fn progress(&self) -> Result<JsValue, JsValue> {
        match self.inquiry.progress() {
            Some((done, of)) => Border::default().carry(&Progress { done, of }),
            None => Ok(JsValue::UNDEFINED),
        }
    }

    /// Whether the commitment is published, `{check, problem}`; `undefined` before the end of the search.
    ///
    /// # Errors
    /// None that can happen.
    #[wasm_bindgen(getter)]
    pub fn published(&self) -> Result<JsValue, JsValue> {
        let Some(outcome) = self.inquiry.published() else { return Ok(JsValue::UNDEFINED) };
        Border::default().carry(&match outcome.hindrance() {
            Some(problem) => Finding::open(outcome.check(), problem),
            None => Finding { check: outcome.check(), problem: None },
        })
    }

    /// The last cemented commitment, `{hash, level}`, or `{check, problem}`; `undefined` where it was not asked for.
    ///
    /// # Errors
    /// None that can happen.
    #[wasm_bindgen(getter)]
    pub fn cemented(&self) -> Result<JsValue, JsValue> {
        #[derive(Serialize)]
        struct Cemented {
            hash: CommitmentHash,
            level: i32,
        }
        let border = Border::default();
        match self.inquiry.cemented() {
            None => Ok(JsValue::UNDEFINED),
            Some(Ok(Mark { hash, level })) => border.carry(&Cemented { hash: *hash, level: *level }),
            Some(Err(problem)) => border.carry(&Finding::open(Check::open(problem), problem)),
        }
    }

    /// What the rollup was originated with, `{bootSector, protocol}`, both `undefined` where no operation of the level
    /// does that; or `{check, problem}`; `undefined` where it was not asked for.
    ///
    /// # Errors
    /// None that can happen.
    #[wasm_bindgen(getter)]
    pub fn originated(&self) -> Result<JsValue, JsValue> {
        let border = Border::default();
        match self.inquiry.originated() {
            None => Ok(JsValue::UNDEFINED),
            Some(Err(problem)) => border.carry(&Finding::open(unanswered_origination(problem), problem)),
            Some(Ok(found)) => {
                let object = Object::new();
                let boot_sector = found.as_ref().map(|found| Uint8Array::from(&*found.boot_sector));
                let protocol = |found: &Originated| Some(JsValue::from(found.protocol.as_ref()?.to_string()));
                border.put_value(
                    &object,
                    "bootSector",
                    &boot_sector.map_or(JsValue::UNDEFINED, JsValue::from),
                );
                let protocol = found.as_ref().and_then(protocol).unwrap_or(JsValue::UNDEFINED);
                border.put_value(&object, "protocol", &protocol);
                Ok(object.into())
            }
        }
    }
}

/// The check of a commitment that is known from elsewhere; `found` is the last one of the snapshot.
///
/// # Errors
/// `hash.text`.
#[wasm_bindgen(js_name = compareCommitment)]
pub fn compare_commitment(found: &str, expected: &str) -> Result<JsValue, JsValue> {
    Border::default().carry(&expected_commitment(Some(hash(found)?), hash(expected)?))
}

/// The check that a report has when layer 1 was not asked, and why not.
///
/// # Errors
/// None that can happen.
#[wasm_bindgen(js_name = notAsked)]
pub fn not_asked(why: &str) -> Result<JsValue, JsValue> {
    Border::default().carry(&layer1::not_asked(why))
}

/// The answer *Anchored* that these checks give together: `yes`, `no` or `unknown`.
///
/// # Errors
/// A `TypeError` for what are no checks.
#[wasm_bindgen(js_name = anchoredBy)]
pub fn anchored_by(checks: &Array) -> Result<JsValue, JsValue> {
    let none = || misuse("checks: expected checks of a report");
    let mut verdict = Verdict::Unknown;
    for check in checks.iter() {
        if !check.is_object() {
            return Err(none());
        }
        let text = |name| Ok::<_, JsValue>(Reflect::get(&check, &JsValue::from_str(name))?.as_string());
        let status = match text("status")?.as_deref() {
            Some("yes") => Status::Yes,
            Some("no") => Status::No,
            Some("unknown") => Status::Unknown,
            Some("warning") => Status::Warning,
            _ => return Err(none()),
        };
        // A code of JavaScript alone, such as one of HTTP, is in the table too.
        let code = text("code")?.and_then(|code| code.parse().ok()).ok_or_else(none)?;
        verdict = verdict.anchored_by(code, status);
    }
    Border::default().carry(&verdict)
}

fn hash<T: core::str::FromStr<Err = rollsnap_core::hash::Error>>(text: &str) -> Result<T, JsValue> {
    text.parse().map_err(|err| thrown(&Problem::new(Code::HashText).because(err)))
}
