//! What an inspection tells, on its way to JavaScript.

use alloc::collections::{BTreeMap, BTreeSet};

use js_sys::{Array, Function, Object, Uint8Array};
use rollsnap_core::Header;
use rollsnap_core::report::{Compression, Report};
use rollsnap_core::snapshot::Event;
use rollsnap_core::tar::Member;
use serde::Serialize;
use sha2::{Digest, Sha256};
use wasm_bindgen::JsValue;

use crate::error::Fields;
use crate::hash::hex;
use crate::value::Border;

/// Gathers events until they are taken, and hands on the content of chosen members.
pub(crate) struct Watch {
    border: Border,
    wanted: bool,
    events: Array,
    header: Option<Object>,
    /// A header was told and does not say yet how the file is compressed.
    unsettled: bool,
    chosen: BTreeMap<String, Function>,
    hashed: BTreeSet<String>,
    open: Open,
    digests: BTreeMap<String, String>,
}

/// The member that is being read, as far as anybody wants its content.
#[derive(Default)]
struct Open {
    receiver: Option<(Function, JsValue)>,
    digest: Option<Sha256>,
    offset: u64,
}

impl Watch {
    /// `wanted`: whether events are; `hashed`: the members whose SHA-256 is computed here.
    pub(crate) fn new(wanted: bool, hashed: BTreeSet<String>) -> Self {
        Self {
            border: Border::default(),
            wanted,
            events: Array::new(),
            header: None,
            unsettled: false,
            chosen: BTreeMap::new(),
            hashed,
            open: Open::default(),
            digests: BTreeMap::new(),
        }
    }

    pub(crate) fn extract(&mut self, name: String, callback: Function) {
        self.chosen.insert(name, callback);
    }

    pub(crate) fn header(&self) -> JsValue {
        self.header.clone().map_or(JsValue::UNDEFINED, JsValue::from)
    }

    pub(crate) fn take_events(&mut self) -> Array {
        core::mem::replace(&mut self.events, Array::new())
    }

    /// Completes the header by what it does not know itself.
    pub(crate) fn complete_header(&mut self, compression: Option<Compression>) -> Result<(), JsValue> {
        match &self.header {
            Some(header) if self.unsettled => {
                self.unsettled = false;
                self.border.put(header, "compression", &compression)
            }
            _ => Ok(()),
        }
    }

    /// Completes the report by the digests that were computed here.
    pub(crate) fn report(&mut self, report: &mut Report) -> Result<JsValue, JsValue> {
        for entry in report.members.list.iter_mut().flatten() {
            if let Some(digest) = self.digests.remove(&entry.name) {
                entry.sha256 = Some(digest);
            }
        }
        self.border.carry(report)
    }

    pub(crate) fn hear(&mut self, event: Event<'_>) -> Result<(), JsValue> {
        match event {
            Event::Header(header) => self.hear_header(header),
            Event::Member(member) => {
                self.open(member)?;
                self.tell(|| MemberStart::from(member))
            }
            Event::Data(data) => self.hear_data(data),
            Event::MemberEnd { member, sha256 } => self.close(member, sha256),
            Event::Read(_) | Event::Structure(_) => Ok(()),
            Event::End => self.tell(|| End { kind: "end" }),
            Event::Problem(problem) => self.tell(|| Trouble {
                kind: "problem",
                problem: problem.into(),
                message: problem.to_string(),
            }),
        }
    }

    fn tell<T: Serialize>(&mut self, event: impl FnOnce() -> T) -> Result<(), JsValue> {
        if self.wanted {
            self.events.push(&self.border.carry(&event())?);
        }
        Ok(())
    }

    fn hear_header(&mut self, header: &Header) -> Result<(), JsValue> {
        let object = self.border.carry_object(header)?;
        if self.wanted {
            let event = self.border.carry_object(&End { kind: "header" })?;
            self.border.put_value(&event, "header", &object);
            self.events.push(&event);
        }
        self.header = Some(object);
        self.unsettled = true;
        Ok(())
    }

    fn open(&mut self, member: &Member) -> Result<(), JsValue> {
        let receiver = match self.chosen.get(&member.name) {
            Some(callback) => Some((callback.clone(), self.border.carry(&Described::from(member))?)),
            None => None,
        };
        let digest = self.hashed.contains(&member.name).then(Sha256::new);
        self.open = Open { receiver, digest, offset: 0 };
        if member.size == 0 { self.hand_on(&[]) } else { Ok(()) }
    }

    fn hear_data(&mut self, data: &[u8]) -> Result<(), JsValue> {
        if let Some(digest) = &mut self.open.digest {
            digest.update(data);
        }
        self.hand_on(data)?;
        self.open.offset += data.len() as u64;
        Ok(())
    }

    fn hand_on(&self, data: &[u8]) -> Result<(), JsValue> {
        if let Some((callback, member)) = &self.open.receiver {
            let offset = self.border.carry(&self.open.offset)?;
            callback.call3(&JsValue::UNDEFINED, &Uint8Array::from(data), member, &offset)?;
        }
        Ok(())
    }

    fn close(&mut self, member: &Member, sha256: Option<[u8; 32]>) -> Result<(), JsValue> {
        let here: Option<[u8; 32]> =
            core::mem::take(&mut self.open).digest.map(|digest| digest.finalize().into());
        if let Some(digest) = &here {
            self.digests.insert(member.name.clone(), hex(digest));
        }
        let sha256 = sha256.or(here);
        self.tell(|| MemberEnd {
            kind: "member-end",
            name: &member.name,
            size: member.size,
            sha256: sha256.map(|digest| hex(&digest)),
        })
    }
}

/// An event without particulars.
#[derive(Serialize)]
struct End {
    #[serde(rename = "type")]
    kind: &'static str,
}

#[derive(Serialize)]
struct MemberStart<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    name: &'a str,
    size: u64,
    mode: u32,
    mtime: u64,
    offset: u64,
}

#[derive(Serialize)]
struct MemberEnd<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    name: &'a str,
    size: u64,
    sha256: Option<String>,
}

#[derive(Serialize)]
struct Trouble<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    problem: Fields<'a>,
    message: String,
}

/// The member that a callback is told of, named as in the list of the report.
#[derive(Serialize)]
struct Described<'a> {
    name: &'a str,
    size: u64,
    mode: u32,
    mtime: u64,
    offset: u64,
}

impl<'a> From<&'a Member> for MemberStart<'a> {
    fn from(member: &'a Member) -> Self {
        let Described { name, size, mode, mtime, offset } = member.into();
        Self { kind: "member", name, size, mode, mtime, offset }
    }
}

impl<'a> From<&'a Member> for Described<'a> {
    fn from(member: &'a Member) -> Self {
        Self {
            name: &member.name,
            size: member.size,
            mode: member.mode,
            mtime: member.mtime,
            offset: member.data_offset,
        }
    }
}
