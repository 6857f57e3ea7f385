//! How fast a context is checked, and how much memory that takes.
//!
//!   cargo run --release -p rollsnap-tests --example context_bench -- make DIRECTORY OBJECTS [contents|keys|holes]
//!   cargo run --release -p rollsnap-tests --example context_bench -- check DIRECTORY stream|put-off|reach [THREADS [MIB]]
//!
//! `make` writes the same bytes each time: a store with one commit, shaped like the state of a WASM PVM
//! with a large durable storage. `keys`: wide directories of accounts with short values; `contents`:
//! values of 4096 bytes; by default both, half the bytes each; `holes`: the same, with a hole after every 16
//! objects, as after a collection. THREADS are those that hash besides
//! the one that reads; 0 for none. MIB: how much memory is meant for the table of objects; what does not fit goes to a temporary
//! file in the directory.

use std::fs::{self, File};
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use rollsnap::context::{TempSpool, Threads};
use rollsnap::scratch::TempFile;
use rollsnap_core::context::Context;
use rollsnap_core::context::pack::{
    Child, Collected, Commit, Control, Dict, ENTRIES, Hash, Head, Inode, Kind, Mapping, Pointer, Status,
    Step, Value, hashing,
};
use rollsnap_core::context::verify::{Hasher, Immediate, Outcome, Stream, Wanted, reach};
use rollsnap_core::feedback::{Phase, Silent};
use rollsnap_core::{Allowance, Files, ReadAt, Result};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["make", directory, objects] => make(Path::new(directory), objects.parse().unwrap(), "both"),
        ["make", directory, objects, mix] => make(Path::new(directory), objects.parse().unwrap(), mix),
        ["check", directory, form] => check(Path::new(directory), form, 0, None),
        ["check", directory, form, threads] => {
            check(Path::new(directory), form, threads.parse().unwrap(), None);
        }
        ["check", directory, form, threads, mib] => {
            check(Path::new(directory), form, threads.parse().unwrap(), Some(mib.parse().unwrap()));
        }
        _ => panic!("see the head of this program"),
    }
}

// --- Making ----------------------------------------------------------------------------------------

/// An object that was written.
#[derive(Clone, Copy)]
struct Made {
    offset: u64,
    hash: Hash,
}

/// An entry of a directory to be written.
struct Link {
    step: Vec<u8>,
    node: bool,
    to: Made,
}

struct Maker {
    out: BufWriter<File>,
    offset: u64,
    ranges: Vec<(u64, u64)>,
    holes: bool,
    objects: u64,
    names: Vec<&'static str>,
    buffer: Vec<u8>,
    image: Vec<u8>,
    state: u64,
}

impl Maker {
    fn put(&mut self, hash: Hash, kind: Kind, value: &[u8]) -> Made {
        self.buffer.clear();
        Head::put(&hash, kind, value, &mut self.buffer);
        self.out.write_all(&self.buffer).unwrap();
        if self.holes && self.objects.is_multiple_of(16) {
            self.offset += 1000;
        }
        self.ranges.push((self.offset, self.buffer.len() as u64));
        let made = Made { offset: self.offset, hash };
        self.offset += self.buffer.len() as u64;
        self.objects += 1;
        made
    }

    fn contents(&mut self, len: usize) -> Made {
        let mut bytes = vec![0; len];
        for piece in bytes.chunks_mut(8) {
            let word = self.random().to_le_bytes();
            piece.copy_from_slice(&word[..piece.len()]);
        }
        self.put(hashing::contents(&bytes), Kind::Contents, &bytes)
    }

    fn directory(&mut self, links: Vec<Link>) -> Made {
        let mut links: Vec<(u64, Link)> =
            links.into_iter().map(|link| (hashing::bits(&link.step), link)).collect();
        links.sort_by_key(|link| link.0);
        self.part(&mut links, 0, true)
    }

    fn part(&mut self, links: &mut [(u64, Link)], depth: u64, root: bool) -> Made {
        let mut value = Vec::new();
        self.image.clear();
        let kind = if root { Kind::Root } else { Kind::Inner };
        if links.len() <= ENTRIES {
            links.sort_by(|one, other| one.1.step.cmp(&other.1.step));
            let mut values = [None; ENTRIES];
            for (place, (_, link)) in values.iter_mut().zip(&*links) {
                let known = self.names.iter().position(|name| name.as_bytes() == link.step);
                let step = match known {
                    Some(number) => Step::Dict(number as u64),
                    None => Step::Inline(&link.step),
                };
                *place = Some(Value { step, node: link.node, child: Child::Offset(link.to.offset) });
            }
            let entries = links.iter().map(|(_, link)| (&link.step[..], link.node, link.to.hash));
            match root {
                true => hashing::put_root(entries, &mut self.image),
                false => hashing::put_values(entries, &mut self.image),
            }
            Inode::Values(values).put(&mut value);
        } else {
            let at = links.partition_point(|(bits, _)| bits >> (63 - depth) & 1 == 0);
            let len = links.len() as u64;
            let (left, right) = links.split_at_mut(at);
            let mut made = Vec::new();
            for (index, half) in [left, right].into_iter().enumerate() {
                if !half.is_empty() {
                    made.push((index as u64, self.part(half, depth + 1, false)));
                }
            }
            let mut pointers = [None; ENTRIES];
            for (place, (index, made)) in pointers.iter_mut().zip(&made) {
                *place = Some(Pointer { index: *index, child: Child::Offset(made.offset) });
            }
            Inode::Tree { depth, len, pointers }.put(&mut value);
            self.image.clear();
            let hashes = made.iter().map(|(index, made)| (*index, made.hash));
            hashing::put_tree(depth, len, hashes, &mut self.image);
        }
        let hash = hashing::hash(&self.image);
        self.put(hash, kind, &value)
    }

    /// A value of the durable storage: `@/{contents/N, length}`.
    fn value(&mut self, len: usize) -> Made {
        let mut chunks = Vec::new();
        for (number, at) in (0..len.max(1)).step_by(4096).enumerate() {
            let to = self.contents((len - at).min(4096));
            chunks.push(Link { step: number.to_string().into_bytes(), node: false, to });
        }
        let contents = self.directory(chunks);
        let length = self.contents(8);
        let at = self.directory(vec![link("contents", true, contents), link("length", false, length)]);
        self.directory(vec![link("@", true, at)])
    }

    fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.state;
        word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ word >> 31
    }
}

fn link(step: &str, node: bool, to: Made) -> Link {
    Link { step: step.into(), node, to }
}

fn make(directory: &Path, objects: u64, mix: &str) {
    fs::create_dir_all(directory.join("index")).unwrap();
    let create = |name: &str| File::create(directory.join(name)).unwrap();
    let names =
        vec!["pvm_state", "durable", "contents", "length", "balance", "nonce", "code", "blob", "accounts"];
    let out = BufWriter::with_capacity(1 << 20, create("store.1.prefix"));
    let mut maker = Maker {
        out,
        offset: 0,
        ranges: Vec::new(),
        holes: mix == "holes",
        objects: 0,
        names,
        buffer: Vec::new(),
        image: Vec::new(),
        state: 7,
    };
    let mut tops = Vec::new();
    let mut bytes = [0u64; 2];
    while maker.objects < objects {
        let before = maker.offset;
        let large = match mix {
            "keys" => false,
            "contents" => true,
            _ => bytes[1] < bytes[0],
        };
        let mut wide = Vec::new();
        for _ in 0..if large { 4 } else { 2000 } {
            let step = format!("{:016x}{:016x}{:08x}", maker.random(), maker.random(), maker.random() as u32);
            let to = if large {
                maker.value(4096 * 256)
            } else {
                let (balance, nonce) = (maker.value(32), maker.value(8));
                maker.directory(vec![link("balance", true, balance), link("nonce", true, nonce)])
            };
            wide.push(Link { step: step.into_bytes(), node: true, to });
        }
        let to = maker.directory(wide);
        bytes[usize::from(large)] += maker.offset - before;
        tops.push(Link { step: format!("group-{}", tops.len()).into_bytes(), node: true, to });
    }
    let durable = maker.directory(tops);
    let state = maker.directory(vec![link("durable", true, durable)]);
    let root = maker.directory(vec![link("pvm_state", true, state)]);
    let commit =
        Commit { root: Child::Offset(root.offset), parents: 0, date: 0, author: b"Tezos", message: b"" };
    let hash = commit.hash(&root.hash);
    let mut value = Vec::new();
    commit.put(&mut value);
    let target = maker.put(hash, Kind::Commit, &value).offset;
    maker.out.flush().unwrap();

    let mut dict = Vec::new();
    for name in &maker.names {
        dict.extend((name.len() as u32).to_be_bytes());
        dict.extend(name.as_bytes());
    }
    assert!(Dict::parse(dict.clone()).is_ok());
    let mapping = Mapping::of(maker.ranges).to_bytes();
    let collected = Collected {
        suffix_start: maker.offset,
        generation: 1,
        target,
        dead: 0,
        mapping_end: Some(mapping.len() as u64),
    };
    let control = Control {
        version: 5,
        dict_end: dict.len() as u64,
        last_chunk_end: 0,
        upgraded_from: None,
        first_chunk: 1,
        chunks: 1,
        volumes: 0,
        status: Status::Collected(collected),
        trailing: 0,
    };
    let mut index = [&45u64.to_be_bytes()[..], b"00000001", &[0; 16], &hash].concat();
    index.extend(target.to_be_bytes());
    index.extend(((maker.offset - target) as u32).to_be_bytes());
    index.push(b'D');
    for (name, bytes) in [
        ("store.1.mapping", mapping),
        ("store.1.suffix", Vec::new()),
        ("store.dict", dict),
        ("store.branches", [&[0; 8][..], b"00000001"].concat()),
        ("index/log", index),
        ("store.control", control.to_bytes()),
    ] {
        create(name).write_all(&bytes).unwrap();
    }
    println!("{} objects, {} bytes", maker.objects, maker.offset);
}

// --- Checking --------------------------------------------------------------------------------------

struct Directory(PathBuf);

struct Disk(File, u64);

impl Files for Directory {
    type File = Disk;

    fn open(&self, name: &str) -> Result<Option<Disk>> {
        let Ok(file) = File::open(self.0.join(name)) else { return Ok(None) };
        let len = file.metadata().unwrap().len();
        Ok(Some(Disk(file, len)))
    }

    fn names(&self, directory: &str) -> Result<Vec<String>> {
        let Ok(entries) = fs::read_dir(self.0.join(directory)) else { return Ok(Vec::new()) };
        let files = entries.map(|entry| entry.unwrap()).filter(|entry| entry.file_type().unwrap().is_file());
        let mut names: Vec<String> = files.map(|entry| entry.file_name().into_string().unwrap()).collect();
        names.sort();
        Ok(names)
    }
}

impl ReadAt for Disk {
    fn len(&self) -> u64 {
        self.1
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        use std::os::unix::fs::FileExt;
        self.0.read_exact_at(out, offset).unwrap();
        Ok(())
    }
}

fn check(directory: &Path, form: &str, threads: usize, mib: Option<u64>) {
    let before = memory();
    let begun = Instant::now();
    let outcome = match threads {
        0 => checked(directory, form, Immediate, mib),
        count => checked(directory, form, Threads::new(count), mib),
    };
    let (seconds, cpu) = (begun.elapsed().as_secs_f64(), cpu_seconds());
    assert!(outcome.is_clean(), "{:#?} {:#?}", outcome.failures, outcome.unchecked);
    assert_eq!(outcome.commits.len(), 1);
    let all = outcome.totals.all();
    let peak = memory() - before;
    println!(
        "{form}, {threads} threads: {:.2} s, {:.0} MB/s, {:.0} objects/s, {:.0} MB/s of processor time; \
         {} objects, {} bytes each; \
         memory per object: table {:.1}, peak of all {:.1} bytes, {:.0} MiB; put off {} MB, put away {} MB",
        seconds,
        all.bytes as f64 / 1e6 / seconds,
        all.count as f64 / seconds,
        all.bytes as f64 / 1e6 / cpu,
        all.count,
        all.bytes / all.count,
        outcome.totals.memory as f64 / all.count as f64,
        peak as f64 / all.count as f64,
        peak as f64 / (1 << 20) as f64,
        outcome.totals.put_off / 1_000_000,
        outcome.totals.spilled / 1_000_000,
    );
}

fn checked<H: Hasher>(directory: &Path, form: &str, hasher: H, mib: Option<u64>) -> Outcome {
    let files = Directory(directory.into());
    if form == "reach" {
        let context = Context::open(&files).unwrap();
        return reach(&context, Wanted::All, hasher, &mut Silent, Phase::only("")).unwrap();
    }
    let spool = TempSpool::new(directory.into());
    let mut stream = match form {
        "put-off" => Stream::new(hasher, spool),
        _ => {
            let context = Context::open(&files).unwrap();
            Stream::with(hasher, spool, context.layout().clone(), context.dict().clone())
        }
    };
    if let Some(mib) = mib {
        let scratch = Box::new(TempFile::new(directory.into()));
        stream = stream.within(Allowance::exactly(mib << 20)).spilling(scratch);
    }
    let mut names = files.names("").unwrap();
    names.push("index/log".into());
    let mut piece = vec![0; 1 << 17];
    for name in names {
        let mut file = File::open(directory.join(&name)).unwrap();
        stream.begin(&name, file.metadata().unwrap().len());
        loop {
            match file.read(&mut piece).unwrap() {
                0 => break,
                len => stream.data(&piece[..len]).unwrap(),
            }
        }
        stream.end();
    }
    stream.finish(&mut Silent).unwrap()
}

/// The most memory that this process had so far, in bytes.
fn memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

/// Processor time that this process took so far, all threads.
fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks = |at: usize| fields[at].parse::<f64>().unwrap();
    (ticks(11) + ticks(12)) / 100.0
}
