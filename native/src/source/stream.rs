//! Front to end in two threads: one reads, inflates and adds up the CRC-32, the other looks at what comes
//! out.
//!
//! Pieces of content go from one to the other and come back to be filled again, so that memory stays flat.

use std::cell::Cell;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::Duration;

use rollsnap_core::gzip::{Step, Zlib};
use rollsnap_core::report::Compression;
use rollsnap_core::snapshot::{Event, Unpacker};
use rollsnap_core::{Code, Feedback, Problem, Report, Result};

use super::hole;
use super::input::Input;
use super::pass::{Pass, Summing};
use super::place::Place;
use super::sum::{Adder, SumSoFar};
use crate::io;

/// How many pieces wait to be looked at.
const DEPTH: usize = 4;

/// How long the reader is waited for before looking whether the user wants to stop.
const PATIENCE: Duration = Duration::from_millis(100);

/// What the reading thread tells, in order.
enum Message {
    /// The next bytes of the content; so many bytes of the file were read for them.
    Content { bytes: Vec<u8>, compression: Option<Compression>, read: u64 },
    /// The file is damaged here. It is read on, to learn its length.
    Damage(Problem),
    /// Reading can begin again here. All content before it was sent.
    Place(Place, Option<SumSoFar>),
    /// The file has ended.
    End { compression: Option<Compression>, file_len: u64, crc32: Option<u32> },
    /// Reading has failed.
    Failed(Problem),
}

/// What the looking thread tells.
#[derive(Default)]
struct Wishes {
    /// Nobody listens any more.
    stop: AtomicBool,
    /// The content is not wanted any more.
    ignore: AtomicBool,
    /// A place is wanted where reading can begin again.
    place: AtomicBool,
}

/// Pushes the whole input through an inspector, or what is behind a place of it, where the input stands. `name` is for
/// messages.
pub(super) fn inspect<E: From<Problem>>(
    input: &mut Input,
    name: &Path,
    mut pass: Pass<'_>,
    from: Option<&Place>,
    feedback: &mut dyn Feedback,
    sink: &mut impl FnMut(Event<'_>) -> Result<(), E>,
) -> Result<Report, E> {
    let wishes = Wishes::default();
    let file = match input {
        Input::File(file) => file.try_clone().ok(),
        _ => None,
    };
    let (taken, explained) = (Cell::new(from.map_or(0, Place::file)), Cell::new(false));
    let mut compressed = false;
    thread::scope(|scope| {
        // Whatever happens below: the reader must not go on when nobody listens.
        let _stop = StopWhenDropped(&wishes.stop);
        let (full, messages) = mpsc::sync_channel(DEPTH);
        let (back, spare) = mpsc::channel();
        let adder = pass.sum.as_mut().and_then(Summing::take_adder);
        let places = Seeker::default();
        let reader = Reader { input, name, from, wishes: &wishes, full, spare, adder, places };
        let started = thread::Builder::new().name("inflate".into()).spawn_scoped(scope, || reader.run());
        started.map_err(io::no_thread)?;
        loop {
            let message = next(&messages, feedback)?;
            match message {
                Message::Content { bytes, compression, read } => {
                    if read > 0 {
                        taken.set(taken.get() + read);
                        pass.inspector.read(taken.get());
                        sink(Event::Read(taken.get()))?;
                    }
                    compression.into_iter().for_each(|compression| pass.inspector.compressed(compression));
                    compressed |= compression == Some(Compression::Gzip);
                    // What a hole makes of the content may be met before the hole itself is.
                    pass.feed(&bytes, &mut |event| match (event, &file) {
                        (Event::Problem(problem), Some(file)) if compressed && !explained.replace(true) => {
                            sink(Event::Problem(&hole::explain(problem.clone(), file, taken.get())))
                        }
                        (event, _) => sink(event),
                    })?;
                    if pass.inspector.is_in_vain() {
                        wishes.ignore.store(true, Ordering::Relaxed);
                    }
                    feedback.advance(pass.progress(read));
                    let begins = pass.at > 0 && !bytes.is_empty() && pass.known.content == 0;
                    if begins && pass.places.are_wanted(pass.at) {
                        wishes.place.store(true, Ordering::Relaxed);
                    }
                    // Only what the reader had allocated, so that there are never more than are under way. It may
                    // have ended.
                    if bytes.capacity() > 0 {
                        let _ = back.send(bytes);
                    }
                }
                Message::Place(place, sum) => pass.places.found(place, pass.at, sum)?,
                Message::Damage(problem) => pass.inspector.damaged(&problem, sink)?,
                Message::End { compression, file_len, crc32 } => {
                    compression.into_iter().for_each(|compression| pass.inspector.compressed(compression));
                    return pass.finish(file_len, crc32, feedback, sink);
                }
                Message::Failed(problem) => return Err(problem.into()),
            }
        }
    })
}

/// Waits for a message. What the user wants comes first, also when a writer stalls, or was stopped together
/// with this command.
fn next(messages: &Receiver<Message>, feedback: &dyn Feedback) -> Result<Message> {
    loop {
        let message = messages.recv_timeout(PATIENCE);
        feedback.checkpoint()?;
        match message {
            Ok(message) => return Ok(message),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Problem::new(Code::IoOther).headline("the thread that reads has ended"));
            }
        }
    }
}

struct StopWhenDropped<'a>(&'a AtomicBool);

impl Drop for StopWhenDropped<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What unpacks a file from its beginning, or from a place on.
fn unpacker(from: Option<&Place>) -> Unpacker<Zlib> {
    match from {
        Some(Place::Plain { content }) => Unpacker::resumed_plain(*content),
        Some(Place::Block { content, file, crc32, .. }) => {
            let start = from.and_then(Place::block_start).unwrap_or_default();
            Unpacker::resumed(Zlib::resumed(&start), *file, *content, *crc32)
        }
        Some(Place::Span { .. }) | None => Unpacker::new(Zlib::default()),
    }
}

/// The reading thread.
struct Reader<'a> {
    input: &'a mut Input,
    name: &'a Path,
    from: Option<&'a Place>,
    wishes: &'a Wishes,
    full: SyncSender<Message>,
    spare: Receiver<Vec<u8>>,
    /// Takes the bytes of the file as they are, for its SHA-256.
    adder: Option<Adder>,
    places: Seeker,
}

/// On its way to a place where reading can begin again.
#[derive(Default)]
struct Seeker {
    /// How much of file and content came, and the CRC-32 of that, where it may be.
    mark: Option<(u64, u64, u32)>,
    /// One that was found, and waits until all content before it has been sent.
    found: Option<Place>,
}

/// Nobody listens any more.
struct Gone;

impl Reader<'_> {
    fn run(mut self) {
        // Who is gone needs no answer.
        let _ = self.read();
    }

    fn read(&mut self) -> Result<(), Gone> {
        let mut unpacker = unpacker(self.from);
        let mut chunk = vec![0; Zlib::PIECE];
        loop {
            let len =
                self.input.read(&mut chunk, self.name, || match self.wishes.stop.load(Ordering::Relaxed) {
                    true => Err(Problem::new(Code::Cancelled)),
                    false => Ok(()),
                });
            let len = match len {
                Ok(0) => break,
                Ok(len) => len,
                Err(problem) => return self.tell(Message::Failed(problem)),
            };
            if let Some(adder) = &mut self.adder {
                adder.add(&chunk[..len]);
            }
            if self.wishes.ignore.load(Ordering::Relaxed) {
                unpacker.ignore_the_rest();
            }
            self.unpack(&mut unpacker, &chunk[..len])?;
        }
        self.adder.take().into_iter().for_each(Adder::end);
        let last = unpacker.close().to_vec();
        self.tell(Message::Content { bytes: last, compression: unpacker.compression(), read: 0 })?;
        if let Err(problem) = unpacker.finish() {
            self.tell(Message::Damage(self.explained(problem, unpacker.taken())))?;
        }
        let (file_len, crc32) = (unpacker.taken(), unpacker.crc32());
        self.tell(Message::End { compression: unpacker.compression(), file_len, crc32 })
    }

    /// Tells what comes out of these bytes of the file: all of it, since the next ones may take their time.
    fn unpack(&mut self, unpacker: &mut Unpacker<Zlib>, mut input: &[u8]) -> Result<(), Gone> {
        let mut read = input.len() as u64;
        unpacker.recognise(&mut input);
        let plain = unpacker.compression() == Some(Compression::None);
        loop {
            let mut content = Vec::new();
            let (done, damage) = match unpacker.step(&mut input) {
                Ok(Step::NeedsInput) => (true, None),
                Ok(Step::Output(bytes)) if plain => {
                    content = self.spare();
                    content.extend_from_slice(bytes);
                    (false, None)
                }
                Ok(Step::Output(_) | Step::End) => (false, None),
                Err(problem) => (false, Some(problem)),
            };
            self.seek(unpacker);
            if let Some(engine) = unpacker.engine()
                && !engine.is_empty()
                && (engine.is_full() || done || damage.is_some())
            {
                content = engine.take(self.spare());
            }
            if done || !content.is_empty() {
                let compression = unpacker.compression();
                self.tell(Message::Content { bytes: content, compression, read: std::mem::take(&mut read) })?;
                if let Some(place) = self.places.found.take() {
                    let sum = self.adder.as_ref().and_then(Adder::so_far);
                    self.tell(Message::Place(place, sum))?;
                }
            }
            if let Some(problem) = damage {
                self.tell(Message::Damage(self.explained(problem, unpacker.taken())))?;
            }
            if done {
                return Ok(());
            }
        }
    }

    /// Looks for a place where reading can begin again, if one is wanted.
    fn seek(&mut self, unpacker: &mut Unpacker<Zlib>) {
        let so_far = (unpacker.taken(), unpacker.produced().unwrap_or_default());
        let crc32 = unpacker.crc32().unwrap_or_default();
        if unpacker.compression() == Some(Compression::None)
            && self.wishes.place.swap(false, Ordering::Relaxed)
        {
            self.places.found = Some(Place::Plain { content: so_far.0 });
        }
        let Some(engine) = unpacker.engine() else { return };
        if self.wishes.place.swap(false, Ordering::Relaxed) {
            engine.seek_start();
        }
        if engine.may_start_here() {
            self.places.mark = Some((so_far.0, so_far.1, crc32));
        }
        if let (Some(start), Some((file, content, crc32))) = (engine.take_start(), self.places.mark) {
            self.places.found = Some(Place::block(&start, content, file, crc32));
        }
    }

    /// Damage, and what can be seen around it.
    fn explained(&self, problem: Problem, offset: u64) -> Problem {
        match &self.input {
            Input::File(file) => hole::explain(problem, file, offset),
            _ => problem,
        }
    }

    /// An empty piece: one that came back, if there is one.
    fn spare(&self) -> Vec<u8> {
        let mut piece = self.spare.try_recv().unwrap_or_default();
        piece.clear();
        piece
    }

    fn tell(&self, message: Message) -> Result<(), Gone> {
        self.full.send(message).map_err(|_| Gone)
    }
}
