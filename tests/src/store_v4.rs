//! Stores of version 4 in memory, and the forms in which Mavkit's own store code told what it read
//! of them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rollsnap_core::chain::{Chain, Marks, Stored, Summary, follow};
use rollsnap_core::context::Contexts;
use rollsnap_core::encoding::{Commitment, MessageList};
use rollsnap_core::feedback::Silent;
use rollsnap_core::members::MemberKind;
use rollsnap_core::report::{Check, Evidence};
use rollsnap_core::store::v4::{self, Generation, Protocol, Singletons, Store, WholeBlock};
use rollsnap_core::store::{MemoryChecker, Metadata, Rows, Subject};
use rollsnap_core::{Code, Header, Problem};
use serde_json::{Value, json};

use crate::fixtures::{self, unhex};
use crate::reading;

/// Files by name.
pub type Dir = BTreeMap<String, Vec<u8>>;
/// A store in memory.
pub type V4<'a> = Store<&'a Vec<u8>>;

/// A file of `store-v4`.
pub fn gunzipped(name: &str) -> Value {
    let text = reading::gunzip(&fixtures::read(&format!("store-v4/{name}.json.gz")), usize::MAX).unwrap();
    serde_json::from_slice(&text).unwrap()
}

/// What the node's code read.
pub fn dump(name: &str) -> Value {
    gunzipped(if name == "leftovers" { "full-gc" } else { name })
}

/// A directory that Mavkit's store code wrote.
pub fn directory(name: &str) -> Dir {
    let file = fixtures::read(&format!("snapshot/{name}.gz"));
    let members = reading::members(&file).into_iter();
    let mut files: Dir = members.map(|(member, content)| (member.name, content)).collect();
    let lpc = dump(name)["singletons"]["lpc"]["raw"].as_str().map(unhex);
    files.extend(lpc.map(|lpc| ("storage/lpc".to_owned(), lpc)));
    files
}

/// A consistent directory of `data-dir`.
pub fn data_dir(name: &str) -> Dir {
    let file = fixtures::read(&format!("data-dir/{name}.tar"));
    let mut files = Dir::new();
    for entry in tar::Archive::new(&file[..]).entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().to_str().unwrap().to_owned();
        if entry.header().entry_type().is_file() {
            let mut content = Vec::new();
            std::io::Read::read_to_end(&mut entry, &mut content).unwrap();
            files.insert(path.strip_prefix(name).unwrap()[1..].to_owned(), content);
        }
    }
    files
}

/// Opens the store.
pub fn open(files: &Dir) -> Result<V4<'_>, Problem> {
    Store::open(&files)
}

/// What is stored, if anything; or why it cannot be read.
pub fn found<T>(stored: Result<Stored<T>, Problem>) -> Result<Option<T>, String> {
    match stored.map_err(|problem| problem.to_string())? {
        Stored::Found(found) => Ok(Some(found)),
        Stored::Missing => Ok(None),
        Stored::Malformed(why) => Err(why),
    }
}

/// Bytes of a known length.
pub fn key<const N: usize>(key: &[u8]) -> [u8; N] {
    key.try_into().unwrap()
}

/// A block as the dumps have the header of one.
pub fn header_json((block, evaluation): &WholeBlock) -> Value {
    json!({
        "block_hash": block.hash,
        "level": block.level,
        "predecessor": block.predecessor,
        "commitment_hash": block.commitment,
        "previous_commitment_hash": block.previous_commitment,
        "context": block.context,
        "inbox_witness": evaluation.inbox_witness,
        "inbox_hash": evaluation.inbox_hash,
    })
}

/// A block as the dumps have the value of one.
pub fn body_json((_, evaluation): &WholeBlock) -> Value {
    json!({
        "initial_tick": evaluation.initial_tick.to_string(),
        "num_ticks": evaluation.num_ticks.to_string(),
    })
}

/// A commitment as the dumps have it.
pub fn commitment_json(commitment: &Commitment) -> Value {
    json!({
        "compressed_state": commitment.compressed_state,
        "inbox_level": commitment.inbox_level,
        "predecessor": commitment.predecessor,
        "number_of_ticks": commitment.number_of_ticks.to_string(),
    })
}

/// How the dumps name a generation.
pub fn label(name: &str, generation: &Generation<&Vec<u8>>) -> String {
    let directory = generation.name().strip_prefix("storage/").unwrap();
    let pure = ["levels_to_hashes", "commitments_published_at_level"].contains(&name);
    if pure { directory.to_owned() } else { format!("{directory}/index") }
}

/// The small files as the dumps have them.
pub fn singletons_json(singletons: &Singletons) -> Result<Value, Problem> {
    let protocols = singletons.protocols()?.map(|protocols| {
        let one = |protocol: &Protocol| {
            json!({
                "level": { "level": protocol.level, "activates": protocol.activates },
                "proto_level": protocol.proto_level,
                "protocol": protocol.hash,
            })
        };
        protocols.iter().map(one).collect::<Vec<_>>()
    });
    let head = singletons.head()?.map(|block| {
        let (mut header, body) = (header_json(&block), body_json(&block));
        header.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        header
    });
    let gc = singletons.gc_levels()?;
    let mode = singletons.history_mode()?.map(|mode| mode.to_string());
    Ok(json!({
        "l2_head": head,
        "last_finalized_level": singletons.finalized_level()?,
        "lcc": singletons.lcc()?.map(|mark| json!({ "commitment": mark.hash, "level": mark.level })),
        "lpc": singletons.lpc()?.as_ref().map(commitment_json),
        "protocols": protocols,
        "gc_levels": gc.map(|levels| {
            json!({ "last_gc_level": levels.last, "first_available_level": levels.first_available })
        }),
        "last_context_split_level": singletons.context_split_level()?,
        "history_mode": mode,
    }))
}

/// The walk as the dumps have it: as far down as blocks are there.
pub fn chain(store: &V4<'_>) -> Result<Vec<Value>, String> {
    let mut chain = Vec::new();
    let head = store.singletons().head().map_err(|problem| problem.to_string())?;
    let mut next = head.map(|(head, _)| head.hash);
    while let Some(hash) = next.take() {
        let Some((block, evaluation)) = found(store.block(&hash))? else { break };
        let messages = found(store.messages(&evaluation.inbox_witness))?
            .map(|messages| MessageList::parse(&messages.list).unwrap().messages().len());
        let commitment = match &block.commitment {
            Some(hash) => Some(found(store.commitment(hash))?.is_some()),
            None => None,
        };
        let inbox = found(store.inbox(&evaluation.inbox_hash))?.is_some();
        let at_level = store.hash_at(block.level).map_err(|problem| problem.to_string())?;
        chain.push(json!({
            "level": block.level,
            "hash": hash,
            "messages": messages,
            "inbox": inbox,
            "commitment": commitment,
            "level_to_hash": at_level == Some(hash),
        }));
        next = Some(block.predecessor);
    }
    Ok(chain)
}

/// What *Consistent* says.
pub fn judge(files: &Dir, header: Option<&Header>, shown: &str) -> (Vec<Problem>, Vec<Check>) {
    let mut contexts = Contexts::default();
    for (name, content) in files {
        let Some(MemberKind::Context(name)) = MemberKind::of(name) else { continue };
        contexts.begin(name);
        contexts.data(content);
        contexts.end();
    }
    let contexts = contexts.complete();
    let mut store = open(files);
    let subject = Subject {
        metadata: files.get("metadata").map(|metadata| Metadata::parse(metadata)).transpose(),
        store: store.as_mut().map_err(|problem| problem.clone()),
        shown,
        header,
        contexts: Some(&contexts),
        states: None,
        old_lists: false,
    };
    let Evidence { problems, checks } = v4::check(subject, MemoryChecker::PHASE, &mut Silent).unwrap();
    (problems.iter().cloned().collect(), checks)
}

/// The walk over the chain; the rules find nothing else but the version.
pub fn walk(files: &Dir) -> (Summary, Vec<Problem>) {
    let metadata = Metadata::parse(&files["metadata"]).unwrap();
    let mut store = open(files).unwrap().with_genesis_level(Some(metadata.genesis_level));
    let head = store.head().unwrap();
    let marks = Marks {
        compact: false,
        head: (head.hash, head.level),
        first_available: store.first_available().unwrap(),
        genesis_level: Some(metadata.genesis_level),
        finalized: None,
        lcc: None,
        top_level: store.top_level().unwrap(),
        old_lists: false,
        is_early: false,
    };
    let mut told = Vec::new();
    let walk = |chain: &mut dyn Chain| follow(chain, marks, None, &mut Silent, |problem| told.push(problem));
    let summary = store.with_chain(walk).unwrap();

    let (mut problems, _) = judge(files, None, "");
    problems.retain(|problem| problem.code() != Code::StoreVersion);
    assert_eq!(problems, told);
    (summary, told)
}

/// A hash of its text.
pub fn text<T: std::str::FromStr<Err: std::fmt::Debug>>(value: &Value) -> T {
    value.as_str().unwrap().parse().unwrap()
}

/// Makes a directory that was never collected, and whose indexes are logs alone, what it was when this level
/// was its head. Blocks above it stay in their file, as they do when layer 1 takes them back.
pub fn take_back(root: &Path, level: i32) {
    let path = |name: &str| root.join("storage").join(name);
    let read = |name: &str| fs::read(path(name)).unwrap();
    let write = |name: &str, content: &[u8]| fs::write(path(name), content).unwrap();
    let word = |bytes: &[u8]| i32::from_be_bytes(key(bytes));

    // key (32) ‖ offset (8) ‖ header (228), whose level comes after a hash
    let blocks = read("l2_blocks/index/index/log");
    let entry = blocks[32..].chunks_exact(268).find(|entry| word(&entry[72..76]) == level).unwrap();
    let offset = u64::from_be_bytes(key(&entry[32..40])) as usize;
    let bodies = read("l2_blocks/data");
    let length = word(&bodies[offset..offset + 4]) as usize;
    write("l2_head", &[&entry[40..], &bodies[offset + 4..][..length]].concat());

    let levels = read("levels_to_hashes/index/log");
    let kept = levels[32..].chunks_exact(36).filter(|entry| word(&entry[..4]) <= level);
    let kept = kept.collect::<Vec<_>>().concat();
    write(
        "levels_to_hashes/index/log",
        &[&(kept.len() as u64).to_be_bytes(), &levels[8..32], &kept].concat(),
    );

    let finalized = word(&read("last_finalized_level")).min(level);
    write("last_finalized_level", &finalized.to_be_bytes());
}
