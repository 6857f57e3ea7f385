//! Small files that are large inside: snapshots made of those of the fixtures, some members of which repeat a
//! few bytes for gigabytes. They are written as they are made, so that they take no memory here.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs::File;
use std::io::{BufWriter, Write};

use rollsnap_core::gzip::Gzip;
use rollsnap_core::header;
use rollsnap_core::tar::{BLOCK, Kind, Member, member_header};

use crate::cli::Ground;
use crate::{fixtures, reading};

/// What a member holds.
pub enum Content {
    /// These bytes.
    Bytes(Vec<u8>),
    /// Bytes, and then the same ones again and again.
    Repeated {
        /// What comes first.
        lead: Vec<u8>,
        /// What is repeated.
        unit: Vec<u8>,
        /// How often.
        times: u64,
    },
    /// Bytes, and then what a function makes of 0, 1, 2 … so many times, always as many bytes.
    Counted {
        /// What comes first.
        lead: Vec<u8>,
        /// Makes one of them.
        make: Box<dyn Fn(u64) -> Vec<u8>>,
        /// How many there are.
        times: u64,
    },
}

/// Makes the name of the member of a number.
type Naming = Box<dyn Fn(u64) -> String>;

/// A snapshot that is being made up.
pub struct Bomb {
    header: Vec<u8>,
    /// Members of the original, and those that replace them.
    pub members: BTreeMap<String, Content>,
    /// Empty members that come last: how many, and their names.
    more: Option<(u64, Naming)>,
}

impl Bomb {
    /// Begins with a compressed snapshot of the fixtures.
    pub fn of(snapshot: &str) -> Self {
        let file = fixtures::read(snapshot);
        let content = reading::gunzip(&file, usize::MAX).unwrap();
        let members = reading::members(&file).into_iter();
        Self {
            header: content[..header::LEN].to_vec(),
            members: members.map(|(member, bytes)| (member.name, Content::Bytes(bytes))).collect(),
            more: None,
        }
    }

    /// What a member of the original holds.
    pub fn bytes(&self, name: &str) -> Vec<u8> {
        match &self.members[name] {
            Content::Bytes(bytes) => bytes.clone(),
            _ => panic!("{name} was replaced"),
        }
    }

    /// Puts a member, or replaces one.
    #[must_use]
    pub fn put(mut self, name: &str, content: Content) -> Self {
        self.members.insert(name.to_owned(), content);
        self
    }

    /// The same with bytes.
    #[must_use]
    pub fn put_bytes(self, name: &str, bytes: Vec<u8>) -> Self {
        self.put(name, Content::Bytes(bytes))
    }

    /// A member that goes on, after what the original has, by repeating a unit.
    #[must_use]
    pub fn go_on(self, name: &str, unit: &[u8], times: u64) -> Self {
        let lead = self.bytes(name);
        self.put(name, Content::Repeated { lead, unit: unit.to_vec(), times })
    }

    /// Empty members behind the others.
    #[must_use]
    pub fn empty_members(mut self, count: u64, name: impl Fn(u64) -> String + 'static) -> Self {
        self.more = Some((count, Box::new(name)));
        self
    }

    /// Writes it, compressed; its path.
    pub fn write(&self, ground: &Ground, name: &str) -> String {
        let mut file = BufWriter::new(File::create(ground.path(name)).unwrap());
        let mut out = |bytes: &[u8]| -> Result<(), Infallible> {
            file.write_all(bytes).unwrap();
            Ok(())
        };
        let mut gzip = Gzip::new(1);
        let mut put = |bytes: &[u8]| gzip.write(bytes, &mut out).unwrap();
        put(&self.header);
        for (name, content) in &self.members {
            put(&head(name, content.len()));
            content.each(&mut put);
            put(&[0; BLOCK][..padding(content.len())]);
        }
        if let Some((count, name)) = &self.more {
            (0..*count).for_each(|number| put(&head(&name(number), 0)));
        }
        put(&[0; 2 * BLOCK]);
        gzip.finish(&mut out).unwrap();
        file.flush().unwrap();
        ground.at(name)
    }
}

impl Content {
    fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Repeated { lead, unit, times } => (lead.len() as u64) + unit.len() as u64 * times,
            Self::Counted { lead, make, times } => (lead.len() as u64) + make(0).len() as u64 * times,
        }
    }

    fn each(&self, put: &mut dyn FnMut(&[u8])) {
        match self {
            Self::Bytes(bytes) => put(bytes),
            Self::Repeated { lead, unit, times } => {
                put(lead);
                let many = ((1 << 20) / unit.len() as u64).clamp(1, *times);
                let block = unit.repeat(many as usize);
                (0..times / many).for_each(|_| put(&block));
                put(&block[..(times % many) as usize * unit.len()]);
            }
            Self::Counted { lead, make, times } => {
                put(lead);
                (0..*times).for_each(|number| put(&make(number)));
            }
        }
    }
}

fn head(name: &str, size: u64) -> Vec<u8> {
    let member = Member {
        name: name.to_owned(),
        size,
        mode: 0o644,
        mtime: 1_700_000_000,
        header_offset: 0,
        data_offset: 0,
        kind: Kind::File,
    };
    member_header(&member).unwrap()
}

fn padding(len: u64) -> usize {
    (BLOCK - (len % BLOCK as u64) as usize) % BLOCK
}
