//! Pre-images that are missing or wrong, fetched from a server that has them by their names, and checked by those.
//!
//! Which ones are needed, the kernel decides while it runs. Known are those that users name, files whose content is not
//! what their name says, and those that a page of hashes names ([`named_by`]), page by page.

use std::collections::BTreeSet;
use std::io::Read;
use std::str::FromStr;

use rollsnap_core::context::path::{hex, unhex};
use rollsnap_core::feedback::{Notice, Phase, Unit};
use rollsnap_core::layer1::Peer;
use rollsnap_core::members::PvmKind;
use rollsnap_core::pvm::pages::named_by;
use rollsnap_core::words::plural;
use rollsnap_core::{Code, Feedback, Problem, Result};

use super::pages::{directory, is_there, sweep, write};
use super::{Plan, Repair, Repaired, Subject};
use crate::dir::{Dir, Kind};
use crate::io::problem;
use crate::l1::client::{self, Client};
use crate::modify::Attempt;
use crate::replay::pre_images::{MAX_PRE_IMAGE, blake2b};

/// At most this many missing pre-images are listed; the others are counted.
const MOST_TOLD: usize = 100;

/// Memory of a name in a set, in bytes.
const NAME: u64 = 64;

/// The name of a pre-image: the hash of its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name(pub(super) [u8; 32]);

/// Fetches pre-images into the data directory. It depends on no version of a store.
#[derive(Debug)]
pub struct PreImages {
    from: String,
    options: client::Options,
    named: Vec<Name>,
    wanted: BTreeSet<Name>,
    kind: PvmKind,
}

/// The pre-images that are there.
#[derive(Debug, Default)]
struct There {
    sound: BTreeSet<Name>,
    wrong: BTreeSet<Name>,
    /// What pages of hashes name.
    named: BTreeSet<Name>,
}

impl Name {
    /// As its file is called: the scheme, `00`, and the hash.
    pub(super) fn file(self) -> String {
        format!("00{}", hex(&self.0))
    }

    /// The name of a file; `None` for one that is not called like a pre-image.
    fn of_file(name: &str) -> Option<Self> {
        let digits = name.strip_prefix("00").filter(|_| name.len() == 66)?;
        let is_lower = digits.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        unhex(digits).filter(|_| is_lower).map(Self)
    }
}

impl FromStr for Name {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self> {
        Self::of_file(&text.to_ascii_lowercase()).ok_or_else(|| {
            Problem::new(Code::Usage)
                .headline("this is no hash of a pre-image")
                .expected("66 hexadecimal digits, the first two of them 00")
                .found(format_args!("{text:?}"))
        })
    }
}

impl PreImages {
    /// From the server at an address, which `/HASH` is appended to: what is known to be missing, and these.
    ///
    /// # Errors
    /// [`Code::PreImageEndpoint`] for what is no address of a server.
    pub fn new(from: &str, named: Vec<Name>, options: client::Options) -> Result<Self> {
        let options = client::Options { max_body: MAX_PRE_IMAGE, accept: "*/*", ..options };
        Client::of(Peer::PRE_IMAGES, from, options.clone())?;
        Ok(Self { from: from.into(), options, named, wanted: BTreeSet::new(), kind: PvmKind::Wasm200 })
    }

    /// What the server gives, if it is the pre-image; why not otherwise. Where nobody can be asked any more, an error.
    fn fetch(
        client: &Client,
        name: Name,
        feedback: &mut dyn Feedback,
    ) -> Result<std::result::Result<Vec<u8>, String>> {
        let answer = match client.get(&format!("/{}", name.file()), feedback) {
            Ok(answer) => answer,
            Err(problem) if problem.code() == Code::PreImageAnswer => return Ok(Err(problem.to_string())),
            Err(problem) => return Err(problem),
        };
        Ok(match answer.status {
            200 if blake2b(&answer.body) == name.0 => Ok(answer.body),
            200 => Err(format!("what the server gives has the hash 00{}", hex(&blake2b(&answer.body)))),
            status => Err(match answer.location {
                Some(location) => format!("status {status}, which leads to {location}: name that address"),
                None => format!("status {status}"),
            }),
        })
    }
}

impl There {
    /// Reads all of a directory.
    fn read(dir: &Dir, phase: Phase, feedback: &mut dyn Feedback) -> Result<Self> {
        let mut there = Self::default();
        let names = dir.names()?;
        feedback.phase(Phase { total: Some(names.len() as u64), unit: Unit::Files, ..phase });
        for file in names {
            feedback.checkpoint()?;
            feedback.advance(1);
            let Some(name) = file.to_str().and_then(Name::of_file) else { continue };
            let found = dir.look_through(file.as_ref())?;
            if found.is_none_or(|found| found.kind != Kind::File) {
                let path = dir.place(&file);
                return Err(Problem::new(Code::IoOther)
                    .headline(format!("{} is not a regular file", path.display()))
                    .because("it has the name of a pre-image"));
            }
            let mut content = Vec::new();
            if let Some(open) = dir.read(&name.file())? {
                let read = open.take(MAX_PRE_IMAGE + 1).read_to_end(&mut content);
                read.map_err(|err| problem("read", &dir.place(&file), err))?;
            }
            let is_sound = content.len() as u64 <= MAX_PRE_IMAGE && blake2b(&content) == name.0;
            if is_sound {
                there.named.extend(named_by(&content).into_iter().map(Name));
                there.sound.insert(name);
            } else {
                there.wrong.insert(name);
            }
            let kept = there.sound.len() + there.wrong.len() + there.named.len();
            feedback.allowance().check(NAME.saturating_mul(kept as u64), "the names of the pre-images")?;
        }
        Ok(there)
    }
}

impl Repair for PreImages {
    fn plan(&mut self, subject: &mut Subject<'_, '_>, feedback: &mut dyn Feedback) -> Result<Plan> {
        let root = Dir::open(subject.before.root)?;
        self.kind = subject.before.metadata.kind;
        let there = match root.enter(self.kind.as_str())? {
            Some(dir) => There::read(&dir, subject.phase, feedback)?,
            None => There::default(),
        };
        // The nodes have the empty one built in.
        let empty = Name(blake2b(&[]));
        let missing = there.named.iter().chain(&self.named);
        let missing = missing.filter(|name| !there.sound.contains(name) && **name != empty);
        self.wanted = missing.chain(&there.wrong).copied().collect();
        let mut plan = Plan::default();
        for name in &self.wanted {
            let from = there.wrong.contains(name).then(|| "another content".to_owned());
            let why = if from.is_some() { "it has another content" } else { "it is missing" };
            let file = format!("{}/{}", self.kind, name.file());
            let text = format!("{file}: {why}");
            plan.repaired.push(Repaired { what: "file", level: None, from, to: Some(file), text });
        }
        let directory = subject.before.root.join(self.kind.as_str());
        if plan.repaired.is_empty() {
            let count = there.sound.len() as u64;
            let have = plural(count, "pre-image has its hash", "pre-images have their hashes");
            plan.text = format!("{count} {have}, and none that a page names is missing");
        } else {
            let count = plan.repaired.len() as u64;
            let fetched = plural(count, "pre-image", "pre-images");
            plan.text = format!("Fetched {count} {fetched} into {}", directory.display());
        }
        Ok(plan)
    }

    fn carry_out(
        &mut self,
        attempt: &mut Attempt<'_>,
        plan: &mut Plan,
        feedback: &mut dyn Feedback,
    ) -> Result<()> {
        let client = Client::of(Peer::PRE_IMAGES, &self.from, self.options.clone())?;
        let dir = directory(&Dir::open(attempt.root)?, self.kind)?;
        sweep(&dir, feedback)?;
        let (mut wanted, mut asked) = (std::mem::take(&mut self.wanted), BTreeSet::new());
        let (mut lacking, mut fetched, mut gone) = (Vec::new(), 0u64, None);
        while let Some(name) = wanted.pop_first() {
            feedback.checkpoint()?;
            asked.insert(name);
            let content = match &gone {
                Some(_) => Err("it was not asked for any more".into()),
                None => match Self::fetch(&client, name, feedback) {
                    Err(problem) if problem.code() == Code::Cancelled => return Err(problem),
                    Err(problem) => {
                        let why = problem.to_string();
                        gone = Some(problem);
                        Err(why)
                    }
                    Ok(fetched) => fetched,
                },
            };
            match content {
                Err(why) => lacking.push((name, why)),
                Ok(content) => {
                    write(&dir, name, &content)?;
                    fetched += 1;
                    // A page of hashes tells of more.
                    for below in named_by(&content).into_iter().map(Name) {
                        if asked.contains(&below) || wanted.contains(&below) || is_there(&dir, below)? {
                            continue;
                        }
                        let file = format!("{}/{}", self.kind, below.file());
                        let text = format!("{file}: it is missing");
                        plan.repaired.push(Repaired {
                            what: "file",
                            level: None,
                            from: None,
                            to: Some(file),
                            text,
                        });
                        wanted.insert(below);
                    }
                }
            }
        }
        if lacking.is_empty() {
            let noun = plural(fetched, "pre-image", "pre-images");
            plan.text = format!("Fetched {fetched} {noun} into {}", dir.path().display());
            return Ok(());
        }
        Err(self.left(&client, &lacking, fetched, gone, feedback))
    }
}

impl PreImages {
    /// Tells what is still missing, and gives the problem.
    fn left(
        &self,
        client: &Client,
        lacking: &[(Name, String)],
        fetched: u64,
        gone: Option<Problem>,
        feedback: &mut dyn Feedback,
    ) -> Problem {
        for (name, why) in lacking.iter().take(MOST_TOLD) {
            feedback.notice(Notice::Remark(&format!("Still missing: {}/{}: {why}", self.kind, name.file())));
        }
        if let Some(more @ 1..) = lacking.len().checked_sub(MOST_TOLD) {
            feedback.notice(Notice::Remark(&format!("Still missing: {more} more")));
        }
        let count = lacking.len() as u64;
        let code = gone.as_ref().map_or(Code::PreImageAnswer, Problem::code);
        let are = plural(count, "pre-image is", "pre-images are");
        let headline = format!("{count} {are} still missing; {fetched} came from {}", client.endpoint());
        let names = lacking.iter().take(3).map(|(name, why)| format!("{}: {why}", name.file()));
        Problem::new(code).headline(headline).because(names.collect::<Vec<_>>().join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_66_digits() {
        let digits = "002088f24762d0996aacd7168060fd224282e8e4db832742f9ca90995abb8f9022";
        let name: Name = digits.parse().unwrap();
        assert_eq!(name.file(), digits);
        assert_eq!(digits.to_uppercase().parse::<Name>().unwrap(), name);
        assert_eq!(Name::of_file(&digits.to_uppercase()), None);
        for text in
            ["", "00", &digits[2..], &digits[..65], &format!("01{}", &digits[2..]), &format!("{digits}0")]
        {
            assert_eq!(text.parse::<Name>().unwrap_err().code(), Code::Usage, "{text:?}");
        }
    }
}
