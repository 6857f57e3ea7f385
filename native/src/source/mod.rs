//! Where a snapshot is read from: a file, standard input, or an address.

mod fingerprint;
mod hole;
mod input;
mod known;
mod manifest;
mod pass;
mod place;
mod reading;
mod stream;
pub(crate) mod sum;

use std::cell::Cell;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rollsnap_core::code::Group;
use rollsnap_core::feedback::Notice;
use rollsnap_core::gzip::MAGIC;
use rollsnap_core::nodes::import::cannot_open;
use rollsnap_core::report::RemoteInfo;
use rollsnap_core::snapshot::{Beginning, Event, Inspector, Options};
use rollsnap_core::{Code, Feedback, Header, Problem, ReadAt, Report, Result};

use crate::checkpoint::{self, Content, FoundIndex};
use crate::dir::{self, space::Known};
use crate::files::Part;
use crate::interrupt::Quiet;
use crate::io::problem;
use crate::remote::{self, Address, Opened, RemoteFile};
use input::Input;

pub(crate) use fingerprint::Fingerprint;
pub use known::{Checksum, KnownSums};
pub(crate) use known::{Unheard, as_expected};
pub use manifest::published;
pub(crate) use place::{Begun, NoPlaces, Place, Places};
pub(crate) use sum::SumSoFar;

/// A snapshot to read.
pub struct Source {
    name: PathBuf,
    input: Input,
    size: Option<u64>,
    /// Whether nothing was read yet.
    fresh: bool,
    /// The address of what comes once.
    origin: Option<Address>,
    /// What the user calls it, where that is an address.
    given: Option<PathBuf>,
    /// Whether its SHA-256 is added up, and what it should be.
    sum: Option<Option<String>>,
}

/// Two versions of a file could be taken for one; where it is compressed, its checksums tell.
const UNNAMED: &str =
    "The server says nothing that tells one version of the file from another: only its length is compared";

const UNDIVIDED: &str = "The server serves the file as a whole only: it comes over one connection, and nothing goes on when that breaks";

impl Source {
    /// Opens a file (rule I3), or what is behind an `http` or `https` address; `-` stands for standard input. The user is
    /// told when a server has to be asked again.
    ///
    /// # Errors
    /// [`Code::IoDirectory`], any other `io.*` code, with the text of the nodes; any `remote.*` code.
    pub fn open(name: &Path, feedback: &mut dyn Feedback) -> Result<Self> {
        if name.as_os_str() == "-" {
            // The descriptor itself: what a buffer holds could not be waited for.
            let stdin = io::stdin().as_fd().try_clone_to_owned();
            let stdin = stdin.map_err(|err| problem("read", Path::new("standard input"), err))?;
            return Ok(Self::of(name, Input::Pipe(stdin.into()), None));
        }
        if let Some(address) = Address::of_name(name)? {
            let opened = remote::open_snapshot(&address, feedback)?;
            return Ok(Self { given: Some(name.into()), ..Self::open_address(&address, opened, feedback)? });
        }
        let shown = name.display();
        let cannot = |err: io::Error| {
            let reason = err.to_string();
            cannot_open(problem("open", name, err).code(), &shown, reason)
        };
        // A named pipe is not waited for here, where nobody could stop it.
        let file = dir::open_unwaited(name).map_err(cannot)?;
        let metadata = file.metadata().map_err(cannot)?;
        if metadata.is_dir() {
            return Err(cannot(ErrorKind::IsADirectory.into()));
        }
        Ok(match metadata.is_file() {
            true => Self::of(name, Input::File(file), Some(metadata.len())),
            false => Self::of(name, Input::Pipe(file), None),
        })
    }

    /// The same of what is no snapshot, such as a list of sums: the mirrors of the command do not have it.
    ///
    /// # Errors
    /// As [`Source::open`].
    pub(crate) fn open_other(name: &Path, feedback: &mut dyn Feedback) -> Result<Self> {
        match Address::of_name(name)? {
            Some(address) => {
                let opened = remote::open(&address, feedback)?;
                Self::open_address(&address, opened, feedback)
            }
            None => Self::open(name, feedback),
        }
    }

    /// Whether it comes from front to end, once.
    pub(crate) fn comes_once(&self) -> bool {
        !matches!(self.input, Input::File(_) | Input::Remote(..))
    }

    /// What is read is called by its address, without what may be secret in it.
    fn open_address(address: &Address, opened: Opened, feedback: &mut dyn Feedback) -> Result<Self> {
        let name = PathBuf::from(address.to_string());
        Ok(match opened {
            Opened::File(file) => {
                if !file.identity().validator.is_strong() {
                    feedback.notice(Notice::Lacking(UNNAMED));
                }
                let size = file.len();
                Self::of(&name, Input::Remote(file, 0), Some(size))
            }
            Opened::Whole(whole) => {
                feedback.notice(Notice::Lacking(UNDIVIDED));
                let size = whole.len();
                Self { origin: Some(address.clone()), ..Self::of(&name, Input::Whole(whole), size) }
            }
            Opened::Empty => return Err(Problem::new(Code::FileEmpty).path(address)),
        })
    }

    fn of(name: &Path, input: Input, size: Option<u64>) -> Self {
        Self { name: name.into(), input, size, fresh: true, origin: None, given: None, sum: None }
    }

    /// The same bytes from their beginning, where they are not gone with the reading: a file is opened again.
    ///
    /// # Errors
    /// As [`Source::open`]; [`Code::Usage`] for what comes once.
    pub(crate) fn again(&self) -> Result<Self> {
        let again = match &self.input {
            Input::File(_) => Self::open(&self.name, &mut Quiet)?,
            Input::Remote(file, _) => Self::of(&self.name, Input::Remote(file.clone(), 0), self.size),
            _ => {
                return Err(Problem::new(Code::Usage).headline("what comes as a stream cannot be read again"));
            }
        };
        Ok(Self { given: self.given.clone(), sum: self.sum.clone(), ..again })
    }

    /// A file that is open, at its beginning, called `name` in messages.
    ///
    /// # Errors
    /// Any `io.*` code.
    pub(crate) fn from_file(name: &Path, file: File) -> Result<Self> {
        let metadata = file.metadata().map_err(|err| problem("look at", name, err))?;
        Ok(Self::of(name, Input::File(file), Some(metadata.len())))
    }

    /// A snapshot in memory, called `name` in messages.
    pub fn from_bytes(name: &str, bytes: impl AsRef<[u8]> + Send + 'static) -> Self {
        let size = Some(bytes.as_ref().len() as u64);
        Self::of(name.as_ref(), Input::Reader(Box::new(io::Cursor::new(bytes))), size)
    }

    /// A snapshot that is read from front to end, called `name` in messages. While `reader` waits, the job cannot be
    /// stopped.
    pub fn from_reader(name: &str, reader: impl io::Read + Send + 'static) -> Self {
        Self::of(name.as_ref(), Input::Reader(Box::new(reader)), None)
    }

    /// What it is called: the path, or `-`.
    pub fn name(&self) -> &Path {
        &self.name
    }

    /// Size of the file in bytes; `None` for a pipe.
    pub fn size(&self) -> Option<u64> {
        self.size
    }

    /// Where it comes from, and what came, where that is an address.
    pub fn remote(&self) -> Option<RemoteInfo> {
        match (&self.input, &self.origin) {
            (Input::Remote(file, _), _) => Some(file.info()),
            (Input::Whole(whole), Some(origin)) => Some(whole.info(origin)),
            _ => None,
        }
    }

    /// Whether it is an uncompressed file.
    pub fn is_plain_file(&self) -> bool {
        self.part().is_some_and(|part| !is_gzip(&part))
    }

    /// Reads just enough for the header and that of the first member, as far as the file has it. Many files begin with
    /// bytes that could be a header, zeros for one; what follows them tells.
    ///
    /// # Errors
    /// What is wrong with the first bytes, [`Code::Cancelled`], and [`Code::IoOther`] when reading
    /// fails.
    pub fn read_header(&mut self, feedback: &dyn Feedback) -> Result<(Header, Report)> {
        self.read_beginning(feedback, &mut |_| false)
    }

    /// Reads the header, and goes on as long as `wants_more` returns true for the events that follow it.
    ///
    /// # Errors
    /// As [`Source::read_header`].
    pub fn read_beginning(
        &mut self,
        feedback: &dyn Feedback,
        wants_more: &mut dyn FnMut(&Event<'_>) -> bool,
    ) -> Result<(Header, Report)> {
        self.fresh = false;
        let mut inspector = Inspector::new(Options::default());
        let mut begin = Beginning::default();
        let mut chunk = [0; 4096];
        let wanted = Cell::new(false);
        let mut hear = |begin: &mut Beginning, event: Event<'_>| {
            wanted.set(wants_more(&event));
            begin.hear(event)
        };
        let mut report = loop {
            let len = self.input.read(&mut chunk, &self.name, || feedback.checkpoint())?;
            if len == 0 && begin.header().is_none() {
                let Ok(report) = inspector.finish(&mut |event| hear(&mut begin, event));
                break report;
            }
            let Ok(()) = inspector.feed(&chunk[..len], &mut |event| hear(&mut begin, event));
            if len == 0 || !(begin.is_open() || wanted.get()) {
                break inspector.report().clone();
            }
        };
        let header = begin.into_header()?;
        // Nothing but the header was looked at, so nothing else is said.
        report.checks.retain(|check| check.code.group() == Group::HEADER);
        report.members = Default::default();
        report.verdicts = Default::default();
        report.container.compressed_bytes = self.size;
        report.container.bytes = None;
        report.remote = self.remote();
        Ok((header, report))
    }

    /// Whether nothing speaks against reading it from anywhere: it is uncompressed, or has an index that fits.
    pub fn is_reachable(&self) -> bool {
        self.content().is_some()
    }

    /// The content, where it can be reached from anywhere.
    fn content(&self) -> Option<Content> {
        let part = self.part().filter(|_| self.fresh)?;
        if is_gzip(&part) {
            self.look_for(part).indexed.and_then(Content::indexed)
        } else {
            Some(Content::plain(part))
        }
    }

    /// The index of a compressed file that was not read yet.
    fn find_index(&mut self) -> FoundIndex {
        let fresh = std::mem::replace(&mut self.fresh, false);
        match self.part().filter(|part| fresh && is_gzip(part)) {
            Some(part) => self.look_for(part),
            None => FoundIndex::default(),
        }
    }

    /// The index of a compressed file: in its header, or beside it.
    pub(crate) fn look_for(&self, part: Part) -> FoundIndex {
        match self.far() {
            None => checkpoint::look_for(&checkpoint::sidecar(&self.name), part, Part::open),
            Some(file) => checkpoint::look_for(&checkpoint::sidecar(&self.name), part, |path| {
                Ok(file.sidecar()?.map(|index| Part::distant(Arc::new(index), path)))
            }),
        }
    }

    /// The file behind an address, if this is one whose parts can be asked for.
    fn far(&self) -> Option<RemoteFile> {
        match &self.input {
            Input::Remote(file, _) => Some(file.clone()),
            _ => None,
        }
    }

    /// How much space its content takes, as far as that is known before it is read: that of an uncompressed file takes
    /// what the file does, that of a compressed one what its index says, and without one no less than the file.
    pub(crate) fn content_len(&self) -> Known {
        let Some(part) = self.part() else { return Known::AtLeast(self.size.unwrap_or_default()) };
        let len = part.len();
        match is_gzip(&part) {
            false => Known::Exactly(len),
            true => match self.look_for(part).indexed {
                Some(indexed) => Known::Exactly(indexed.index().content_len),
                None => Known::AtLeast(len),
            },
        }
    }

    /// The file, to be read from anywhere; `None` for a pipe.
    pub(crate) fn part(&self) -> Option<Part> {
        match (&self.input, self.size) {
            (Input::File(file), Some(size)) => Some(Part::of(file.try_clone().ok()?, &self.name, size)),
            (Input::Remote(file, _), _) => Some(Part::distant(Arc::new(file.clone()), &self.name)),
            _ => None,
        }
    }
}

/// What cannot be read is not known to be compressed, and will be met again.
pub(crate) fn is_gzip(part: &Part) -> bool {
    let mut first = [0; 2];
    part.read_at(0, &mut first).is_ok_and(|()| first == MAGIC)
}
