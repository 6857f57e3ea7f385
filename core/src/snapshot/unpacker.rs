//! The file around the content: compressed or not, taken as it comes.

use alloc::boxed::Box;

use crate::gzip::{self, Gunzip, Inflate, Step, Window};
use crate::problem::Result;
use crate::report::Compression;

/// Takes the bytes of a file and gives those of its content.
///
/// The first two bytes tell whether it is compressed. What the content is, a
/// [`ContentInspector`](super::ContentInspector) finds out, maybe in another thread.
pub struct Unpacker<I = Window> {
    form: Form<I>,
    /// The first byte of the file, if it came alone.
    first: [u8; 1],
    taken: u64,
    /// The content is not wanted any more.
    ignored: bool,
}

enum Form<I> {
    /// `engine` is there until it is needed.
    Unknown {
        alone: bool,
        engine: Option<I>,
    },
    /// `held`: the first byte has not been given yet.
    Plain {
        held: bool,
    },
    Gzip(Box<Gunzip<I>>),
}

impl<I: Inflate> Unpacker<I> {
    /// Waits for the first byte of a file, and inflates it with `engine`, if need be.
    pub fn new(engine: I) -> Self {
        Self {
            form: Form::Unknown { alone: false, engine: Some(engine) },
            first: [0],
            taken: 0,
            ignored: false,
        }
    }

    /// Goes on within a compressed file, as [`Gunzip::resumed`] does.
    pub fn resumed(engine: I, taken: u64, produced: u64, crc32: u32) -> Self {
        let gunzip = Box::new(Gunzip::resumed(engine, taken, produced, crc32));
        Self { form: Form::Gzip(gunzip), first: [0], taken, ignored: false }
    }

    /// Goes on within an uncompressed file, of which `taken` bytes came before.
    pub fn resumed_plain(taken: u64) -> Self {
        Self { form: Form::Plain { held: false }, first: [0], taken, ignored: false }
    }

    /// Takes what it can from the front of `input` and gives the next bytes of the content. Call it
    /// until it says [`Step::NeedsInput`].
    ///
    /// # Errors
    /// Those of [`Gunzip::step`]. After one, what comes is counted only.
    pub fn step<'s, 'i: 's>(&'s mut self, input: &mut &'i [u8]) -> Result<Step<'s>> {
        if self.ignored {
            self.taken += core::mem::take(input).len() as u64;
            return Ok(Step::NeedsInput);
        }
        self.recognise(input);
        match &mut self.form {
            Form::Unknown { .. } => Ok(Step::NeedsInput),
            Form::Plain { held } if *held => {
                *held = false;
                Ok(Step::Output(&self.first))
            }
            Form::Plain { .. } if input.is_empty() => Ok(Step::NeedsInput),
            Form::Plain { .. } => {
                self.taken += input.len() as u64;
                Ok(Step::Output(core::mem::take(input)))
            }
            Form::Gzip(gunzip) => {
                let before = input.len();
                let step = gunzip.step(input);
                self.taken += (before - input.len()) as u64;
                step
            }
        }
    }

    /// Looks at the first two bytes, when they are there. [`Unpacker::step`] does so by itself; who wants to
    /// know the [compression](Unpacker::compression) before the first step does it sooner.
    pub fn recognise(&mut self, input: &mut &[u8]) {
        let Form::Unknown { alone, engine } = &mut self.form else { return };
        let second = match (*alone, *input) {
            (true, [second, ..]) => *second,
            (false, [first, second, ..]) => {
                self.first = [*first];
                *second
            }
            (false, [first]) => {
                (self.first, *alone, self.taken) = ([*first], true, 1);
                *input = &[];
                return;
            }
            (_, []) => return,
        };
        let [first] = self.first;
        let alone = *alone;
        self.form = match engine.take().filter(|_| [first, second] == gzip::MAGIC) {
            None => Form::Plain { held: alone },
            Some(engine) => {
                let mut gunzip = Box::new(Gunzip::with(engine));
                if alone {
                    // Half of the mark: it is taken, and gives nothing.
                    let _ = gunzip.step(&mut self.first.as_slice());
                }
                Form::Gzip(gunzip)
            }
        };
    }

    /// The content is not wanted any more: what comes of the file is counted only.
    pub fn ignore_the_rest(&mut self) {
        self.ignored = true;
    }

    /// The file has ended. What there is of content that was not given yet.
    pub fn close(&mut self) -> &[u8] {
        match &mut self.form {
            Form::Unknown { alone, .. } => {
                let len = usize::from(*alone);
                self.form = Form::Plain { held: false };
                &self.first[..len]
            }
            _ => &[],
        }
    }

    /// How the file is compressed, as soon as that is known.
    pub fn compression(&self) -> Option<Compression> {
        match self.form {
            Form::Unknown { .. } => None,
            Form::Plain { .. } => Some(Compression::None),
            Form::Gzip(_) => Some(Compression::Gzip),
        }
    }

    /// How many bytes of the file came so far.
    pub fn taken(&self) -> u64 {
        self.taken
    }

    /// Whether the file was complete when it ended.
    ///
    /// # Errors
    /// Those of [`Gunzip::finish`].
    pub fn finish(&self) -> Result<()> {
        match &self.form {
            Form::Gzip(gunzip) if !self.ignored => gunzip.finish(),
            _ => Ok(()),
        }
    }

    /// CRC-32 of the content so far; `None` where nothing is compressed.
    pub fn crc32(&self) -> Option<u32> {
        match &self.form {
            Form::Gzip(gunzip) => Some(gunzip.crc32()),
            _ => None,
        }
    }

    /// How many bytes of content came so far; `None` where nothing is compressed.
    pub fn produced(&self) -> Option<u64> {
        match &self.form {
            Form::Gzip(gunzip) => Some(gunzip.produced()),
            _ => None,
        }
    }

    /// The engine, where one is at work.
    pub fn engine(&mut self) -> Option<&mut I> {
        match &mut self.form {
            Form::Gzip(gunzip) => Some(gunzip.engine()),
            _ => None,
        }
    }
}
