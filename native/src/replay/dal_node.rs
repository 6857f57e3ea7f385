//! A node of the data availability layer (DAL), which has the content of slots.
//!
//! Nothing here proves that a page is the one that was published: that would take the cryptography of the DAL.
//! Who computes states with it compares them with what the store records.

use std::collections::VecDeque;

use rollsnap_core::context::edit::Bytes;
use rollsnap_core::layer1::excerpt;
use rollsnap_core::pvm::DalPage;
use rollsnap_core::pvm::reveal::unavailable;
use rollsnap_core::{Code, Feedback, Problem, Result};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Attestation, Pages};
use crate::l1::DalConstants;
use crate::l1::client::{Answer, Client, Options, Peer};

/// How many slots are kept: a kernel asks for the pages of a slot one after the other.
const KEPT: usize = 16;

/// A DAL node.
pub struct DalNode {
    client: Client,
    feedback: Box<dyn Feedback>,
    /// The pages of slots, by level of publication and number: the last one first.
    kept: VecDeque<((i32, u8), Vec<Bytes>)>,
}

/// What a DAL node says of a slot, in the forms of all its versions.
#[derive(Deserialize)]
#[serde(untagged)]
enum Status {
    Word(String),
    Attested { kind: String, attestation_lag: u16 },
    Field { status: String },
}

impl DalNode {
    /// The node at `endpoint`; see [`Client::of`]. Nothing is asked yet.
    ///
    /// # Errors
    /// [`Code::DalEndpoint`]
    pub fn new(endpoint: &str, options: Options, feedback: Box<dyn Feedback>) -> Result<Self> {
        let client = Client::of(Peer::DAL, endpoint, options)?;
        Ok(Self { client, feedback, kept: VecDeque::new() })
    }

    /// The endpoint, without user name and password.
    pub fn endpoint(&self) -> &str {
        self.client.endpoint()
    }

    fn pages(&mut self, level: i32, slot: u8, constants: &DalConstants) -> Result<&[Bytes]> {
        if let Some(at) = self.kept.iter().position(|(known, _)| *known == (level, slot)) {
            return Ok(self.kept.get(at).map(|(_, pages)| &**pages).unwrap_or_default());
        }
        let path = format!("/levels/{level}/slots/{slot}/pages");
        let pages: Vec<String> = self.ask(&path)?;
        let pages = read(&pages, constants, &path)?;
        self.kept.truncate(KEPT - 1);
        self.kept.push_front(((level, slot), pages));
        Ok(self.kept.front().map(|(_, pages)| &**pages).unwrap_or_default())
    }

    fn ask<T: DeserializeOwned>(&mut self, path: &str) -> Result<T> {
        let answer = self.client.get(path, &mut *self.feedback)?;
        let Answer { status, location, body, .. } = &answer;
        let problem = || Problem::new(Code::DalAnswer).found(format_args!("status {status} for {path}"));
        match *status {
            200..=299 => serde_json::from_slice(body).map_err(|err| {
                let problem = Problem::new(Code::DalAnswer);
                let problem = problem.found(format_args!("{:?} for {path}", excerpt(body)));
                problem.because(excerpt(err.to_string().as_bytes()))
            }),
            300..=399 => {
                let target = location.as_deref().unwrap_or("nowhere");
                Err(problem().because(format!("it redirects to {target}, which is not followed")))
            }
            404 | 410 => Err(unavailable("what the DAL node should have")
                .found(format_args!("status {status} for {path}"))),
            _ => match excerpt(body).as_str() {
                "" => Err(problem()),
                text => Err(problem().because(text)),
            },
        }
    }
}

/// Pages in hexadecimal digits: as many, and each as long, as the protocol says.
fn read(pages: &[String], constants: &DalConstants, path: &str) -> Result<Vec<Bytes>> {
    let wrong = |expected: String, found: String| {
        Err(Problem::new(Code::DalAnswer).expected(expected).found(format_args!("{found} in {path}")))
    };
    let expected = constants.pages();
    if pages.len() as u64 != u64::from(expected) {
        return wrong(format!("{expected} pages"), format!("{} pages", pages.len()));
    }
    let size = usize::from(constants.page_size);
    let mut read = Vec::with_capacity(pages.len());
    for (number, page) in pages.iter().enumerate() {
        match unhex(page) {
            Some(bytes) if bytes.len() == size => read.push(bytes.into()),
            Some(bytes) => {
                return wrong(
                    format!("pages of {size} bytes"),
                    format!("page {number} of {} bytes", bytes.len()),
                );
            }
            None => return wrong("hexadecimal digits".into(), format!("other text as page {number}")),
        }
    }
    Ok(read)
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let byte = |[high, low]: &[u8; 2]| Some(digit(*high)? << 4 | digit(*low)?);
    rest.is_empty().then(|| pairs.iter().map(byte).collect()).flatten()
}

impl Pages for DalNode {
    fn status(&mut self, published_level: i32, slot: u8) -> Result<Option<Attestation>> {
        let path = format!("/levels/{published_level}/slots/{slot}/status");
        let word = match self.ask(&path)? {
            Status::Attested { kind, attestation_lag } if kind == "attested" => {
                return Ok(Some(Attestation::After(attestation_lag)));
            }
            Status::Attested { kind: word, .. } | Status::Word(word) | Status::Field { status: word } => word,
        };
        match word.as_str() {
            "attested" => Ok(Some(Attestation::Yes)),
            "unattested" | "unpublished" | "not_selected" => Ok(Some(Attestation::No)),
            "waiting_attestation" | "unseen" | "unseen_or_not_finalized" => Ok(None),
            other => {
                let found = format!("{:?} in {path}", excerpt(other.as_bytes()));
                Err(Problem::new(Code::DalAnswer).expected("the status of a slot").found(found))
            }
        }
    }

    fn page(&mut self, page: &DalPage, constants: &DalConstants) -> Result<Bytes> {
        let pages = self.pages(page.published_level, page.slot, constants)?;
        let found = usize::try_from(page.page).ok().and_then(|number| pages.get(number));
        found.cloned().ok_or_else(|| unavailable("a page that the slot does not have"))
    }
}

impl std::fmt::Debug for DalNode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DalNode").field("endpoint", &self.endpoint()).finish_non_exhaustive()
    }
}
