//! The files of a context that are written to, held open, and the steps of a plan on them.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rollsnap_core::context::append::{self, Appender, Log, Plan, Step};
use rollsnap_core::members::in_context;
use rollsnap_core::{Code, Problem, Result};

use super::leftovers;
use crate::dir::{Dir, Entry, Owner, adopt, sync_data, sync_file};
use crate::files::Part;
use crate::io::problem;

pub(super) const INDEX: &str = "index";
const LOG: &str = "log";
const CONTROL: &str = "store.control";
const DRAFT: &str = "store.control.tmp";
const DICT: &str = "store.dict";

/// A file that is there, and has one name.
#[derive(Debug)]
pub(super) struct Held {
    file: File,
    place: PathBuf,
}

/// The files of a context.
#[derive(Debug)]
pub(super) struct HeldFiles {
    dir: Dir,
    index: Dir,
    chunk: Held,
    dict: Held,
    log: Option<Held>,
    is_prepared: bool,
}

/// A file that must be there is not.
pub(super) fn missing(name: &str) -> Problem {
    Problem::new(Code::ContextFile).member(in_context(name)).found("no such file")
}

impl Held {
    /// What is written to a file with two names changes what is under the other one.
    fn open(dir: &Dir, name: &str) -> Result<Option<Self>> {
        let place = dir.place(name);
        let Some(file) = dir.file_for_writing(name)? else { return Ok(None) };
        let found = Entry::of_file(&file).map_err(|err| problem("look at", &place, err))?;
        if found.links > 1 {
            return Err(Problem::new(Code::IoOther)
                .headline(format!("{} is not written to", place.display()))
                .because(format_args!("it has {} names, and would change under all of them", found.links)));
        }
        Ok(Some(Self { file, place }))
    }

    fn make(dir: &Dir, name: &str) -> Result<Self> {
        let place = dir.place(name);
        let file = dir.create(name, 0o644).map_err(|err| problem("create", &place, err))?;
        own(&file, &place, None, dir)?;
        Ok(Self { file, place })
    }

    pub(super) fn len(&self) -> Result<u64> {
        let found = self.file.metadata().map_err(|err| problem("look at", &self.place, err))?;
        Ok(found.len())
    }

    pub(super) fn read(&self, position: u64, out: &mut [u8]) -> Result<()> {
        self.file.read_exact_at(out, position).map_err(|err| problem("read", &self.place, err))
    }

    pub(super) fn write(&self, position: u64, bytes: &[u8]) -> Result<()> {
        self.file.write_all_at(bytes, position).map_err(|err| problem("write", &self.place, err))
    }

    pub(super) fn sync(&self) -> Result<()> {
        sync_data(&self.file).map_err(|err| problem("sync", &self.place, err))
    }

    /// Cuts what is behind.
    fn cut(&self, end: u64) -> Result<()> {
        if self.len()? <= end {
            return Ok(());
        }
        self.file.set_len(end).map_err(|err| problem("cut", &self.place, err))
    }

    pub(super) fn log(&self, name: &str) -> Result<Log> {
        let len = self.len()?;
        let mut header = [0; 32];
        let there = header.get_mut(..usize::try_from(len.min(32)).unwrap_or(32)).unwrap_or_default();
        self.read(0, there)?;
        Log::of(name, there, len)
    }
}

/// A new file in `dir` belongs to whom the one belongs that it replaces, or else to the owner of the directory.
pub(in crate::context) fn own(file: &File, place: &Path, before: Option<&Entry>, dir: &Dir) -> Result<()> {
    match before {
        Some(before) if !before.is_ours() => Owner::of(before).takes(file, place),
        Some(_) => Ok(()),
        None => adopt(dir)?.map_or(Ok(()), |owner| owner.adopts(file, place)),
    }
}

impl HeldFiles {
    /// Opens them; nothing is changed. `chunk` is the name of the last chunk.
    pub(super) fn open(dir: &Dir, index: Dir, chunk: &str) -> Result<Self> {
        Ok(Self {
            chunk: Held::open(dir, chunk)?.ok_or_else(|| missing(chunk))?,
            dict: Held::open(dir, DICT)?.ok_or_else(|| missing(DICT))?,
            log: Held::open(&index, LOG)?,
            dir: dir.clone(),
            index,
            is_prepared: false,
        })
    }

    /// The chunk, to be read as far as it will ever be.
    pub(super) fn chunk_for_reading(&self) -> Result<Part> {
        let file = self.chunk.file.try_clone().map_err(|err| problem("open", &self.chunk.place, err))?;
        Ok(Part::of(file, &self.chunk.place, u64::MAX))
    }

    /// How far the log counts.
    pub(super) fn log(&self) -> Result<Log> {
        if let Some(log) = &self.log {
            return log.log("index/log");
        }
        let mut beginning = [0; 32];
        if let Some(data) = self.index.file("data")? {
            let place = self.index.place("data");
            data.read_exact_at(&mut beginning, 0).map_err(|err| problem("read", &place, err))?;
        }
        Ok(Log::missing(&beginning))
    }

    /// Settles what crashes have left, before the first step of all: makes the log if it is missing, takes over the
    /// entries of the second one, and cuts what is behind the ends.
    pub(super) fn prepare(&mut self, appender: &mut Appender) -> Result<()> {
        if self.is_prepared {
            return Ok(());
        }
        let made = self.log.is_none();
        let log = match self.log.take() {
            Some(log) => log,
            None => Held::make(&self.index, LOG)?,
        };
        let log = self.log.insert(log);
        if made {
            log.write(0, &appender.log().header().unwrap_or_default())?;
            log.sync()?;
            self.index.sync()?;
        }
        if let Some(second) = Held::open(&self.index, leftovers::SECOND_LOG)? {
            appender.set_log(leftovers::take_over(&second, log, &self.index, appender.log())?);
        }
        self.cut(appender)?;
        self.is_prepared = true;
        Ok(())
    }

    fn cut(&self, appender: &Appender) -> Result<()> {
        self.dict.cut(appender.counts(append::File::Dict))?;
        self.chunk.cut(appender.counts(append::File::Chunk))
    }

    /// Carries a plan out. When a step before the control file fails, what was written is cut off again, as far as that
    /// is possible. Once it is being replaced, nobody knows which one a reader finds, so nothing is cut any more.
    pub(super) fn carry_out(&self, appender: &Appender, plan: &Plan) -> Result<()> {
        let mut may_count = false;
        for step in appender.steps(plan) {
            may_count |= matches!(step, Step::Control(_));
            let done = self.step(&step);
            if done.is_err() && !may_count {
                // It is left over, and harmless, if it stays.
                let _ = self.cut(appender);
            }
            done?;
        }
        Ok(())
    }

    fn step(&self, step: &Step<'_>) -> Result<()> {
        match step {
            Step::Write(file, position, bytes) => self.file(*file)?.write(*position, bytes),
            Step::Sync(file) => self.file(*file)?.sync(),
            Step::Control(bytes) => self.replace_control(bytes),
        }
    }

    fn file(&self, file: append::File) -> Result<&Held> {
        match file {
            append::File::Chunk => Ok(&self.chunk),
            append::File::Dict => Ok(&self.dict),
            append::File::Log => self.log.as_ref().ok_or_else(|| missing("index/log")),
        }
    }

    fn replace_control(&self, bytes: &[u8]) -> Result<()> {
        let place = self.dir.place(DRAFT);
        let failed = |doing: &str, err| problem(doing, &place, err);
        match self.dir.unlink(DRAFT) {
            Err(err) if err.kind() != ErrorKind::NotFound => return Err(failed("remove", err)),
            _ => {}
        }
        let before = self.dir.look(CONTROL)?.ok_or_else(|| missing(CONTROL))?;
        let mut file = self.dir.create(DRAFT, before.mode & 0o777).map_err(|err| failed("create", err))?;
        let mut write = || -> Result<()> {
            own(&file, &place, Some(&before), &self.dir)?;
            file.write_all(bytes).map_err(|err| failed("write", err))?;
            sync_file(&file).map_err(|err| failed("sync", err))?;
            self.dir.move_over(DRAFT, &self.dir, CONTROL).map_err(|err| failed("rename", err))
        };
        write().inspect_err(|_| drop(self.dir.unlink(DRAFT)))?;
        self.dir.sync()
    }
}
