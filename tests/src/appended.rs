//! A context to which commits are added, and what they must be: a state of five kinds of changes, computed
//! for every commit anew from nothing.

use std::fs;
use std::path::Path;

use rollsnap::context::{ContextWriter, Flushing};
use rollsnap::dir::Dir;
use rollsnap_core::context::edit::Tree;
use rollsnap_core::context::write::{Builder, Sink};
use rollsnap_core::feedback::Silent;
use rollsnap_core::hash::ContextHash;
use rollsnap_core::{Code, Result};

use crate::irmin::Store;

/// Whose commits these are.
pub const AUTHOR: &[u8] = b"Tezos";

/// How many commits there are in all, the first one among them.
pub const COMMITS: u32 = 8;

/// Makes commit `number` of the one before it.
pub fn change(state: &mut Tree, number: u32) -> Result<()> {
    let bytes = number.to_be_bytes();
    state.add(&[&b"status"[..]], bytes)?;
    state.add(&[&b"vars"[..], format!("variable-{number}").as_bytes()], bytes)?;
    state.add(
        &[&b"durable"[..], b"@", b"contents", format!("{}", number % 3).as_bytes()],
        [number as u8; 512],
    )?;
    state.add(&[&b"outboxes"[..], format!("{number}").as_bytes(), b"length"], [0])?;
    if number >= 3 {
        state.remove(&[&b"vars"[..], format!("variable-{}", number - 3).as_bytes()])?;
    }
    Ok(())
}

/// The hash of commit `number`, made of nothing.
pub fn expected(number: u32) -> ContextHash {
    built(number).1
}

/// A context with commit `number` alone, and its hash.
pub fn built(number: u32) -> (Store, ContextHash) {
    let mut state = Tree::new();
    (0..=number).for_each(|number| change(&mut state, number).unwrap());
    let mut root = Tree::new();
    root.add_tree(&["pvm_state"], state).unwrap();
    let mut files = Files::default();
    let mut builder = Builder::new(&mut files).unwrap();
    let root = builder.tree(&root).unwrap();
    let hash = builder.commit(root, AUTHOR, b"").unwrap();
    (files.0, hash)
}

/// A directory with commit 0.
pub fn begin(dir: &Path) {
    for (name, bytes) in built(0).0.0 {
        let path = dir.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, &*bytes.0).unwrap();
    }
}

/// Adds all commits behind the last one that is there, `flush` of them at a time; how many were there.
pub fn go_on(dir: &Path, flush: u32) -> Result<u32> {
    let mut flushing = Flushing::default();
    (flushing.bytes, flushing.time) = (usize::MAX, std::time::Duration::MAX);
    let mut writer = ContextWriter::open(&Dir::open(dir)?, flushing)?;
    let there = (0..COMMITS).rev().find_map(|number| match writer.state(&expected(number), &Silent) {
        Ok((state, _)) => Some(Ok((number, state))),
        Err(problem) if problem.code() == Code::ContextCommit => None,
        Err(problem) => Some(Err(problem)),
    });
    let (last, mut state) = there.expect("commit 0 is there")?;
    for number in last + 1..COMMITS {
        change(&mut state, number)?;
        writer.commit_state(&state, AUTHOR, &expected(number))?;
        state.commit()?;
        if number % flush == 0 {
            writer.flush()?;
            state.shrink(writer.store(), 0);
        }
    }
    writer.close()?;
    Ok(last + 1)
}

/// Files of a context that is written, in memory.
#[derive(Default)]
pub struct Files(pub Store, String);

impl Sink for Files {
    fn create(&mut self, name: &str) -> Result<()> {
        self.1 = name.into();
        self.0.edit(name);
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.0.edit(&self.1).extend_from_slice(bytes);
        Ok(())
    }
}
