//! What a change of a tree costs, by the size of the directory, and how much memory a tree takes.
//!
//!   cargo run --release -p rollsnap-tests --example tree_bench
//!
//! For each number of entries: the time for one outbox more and one less, hashed and committed, in a
//! tree in memory and in one that is written and goes on; then a durable storage of so many keys, of
//! which all are read with a budget of 64 MiB: bytes in memory at the most, without the objects
//! themselves, and the time for each key.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use rollsnap_core::context::edit::Tree;
use rollsnap_tests::objects::Growing;

struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: the system's allocator does it; it is only counted here.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        MOST.fetch_max(now, Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

const BUDGET: u64 = 64 << 20;
const LEVELS: u32 = 3000;

fn main() {
    println!(
        "{:>9} {:>14} {:>14} {:>12} {:>12}",
        "entries", "in memory, us", "written, us", "MiB at most", "read, us"
    );
    for count in [1000, 10_000, 100_000, 241_920, 1_000_000] {
        let outboxes = outboxes(count);
        let memory = levels(outboxes.clone(), count, |tree| tree.commit().unwrap());
        let growing = Growing::new();
        let mut tree = outboxes;
        let root = growing.write(&mut tree).unwrap();
        let written = levels(Tree::load(&growing.store, root), count, |tree| {
            growing.write(tree).unwrap();
            tree.shrink(&growing.store, BUDGET);
        });
        drop((tree, growing));
        let (most, read) = keys(count);
        println!("{count:>9} {memory:>14.1} {written:>14.1} {most:>12.1} {read:>12.2}");
    }
}

fn outboxes(count: u32) -> Tree {
    let mut tree = Tree::new();
    for at in 0..count {
        outbox(&mut tree, at);
    }
    tree.commit().unwrap();
    tree
}

fn outbox(tree: &mut Tree, level: u32) {
    let level = level.to_string();
    tree.add(&["outboxes", &level, "head"], *b"\0").unwrap();
    tree.add(&["outboxes", &level, "length"], *b"\0").unwrap();
}

/// Microseconds for each level: an outbox comes, one goes, and some small leaves change.
fn levels(mut tree: Tree, count: u32, commit: impl Fn(&mut Tree)) -> f64 {
    let start = Instant::now();
    for level in 0..LEVELS {
        outbox(&mut tree, count + level);
        tree.remove(&["outboxes".to_owned(), level.min(count - 1).to_string()]).unwrap();
        tree.add(&["wasm", "current_tick"], level.to_be_bytes()).unwrap();
        tree.hash().unwrap();
        commit(&mut tree);
    }
    start.elapsed().as_secs_f64() * 1e6 / f64::from(LEVELS)
}

/// MiB at the most while all keys are read, and microseconds for each.
fn keys(count: u32) -> (f64, f64) {
    let growing = Growing::new();
    let mut tree = Tree::new();
    let key = |at: u32| [format!("{:03}", at % 997), format!("account-{at}"), "@".into()];
    for at in 0..count {
        let [top, account, value] = key(at);
        tree.add(&[&top, &account, &value, "length"], 32u64.to_be_bytes()).unwrap();
        tree.add(&[&top, &account, &value, "contents", "0"], [7; 32]).unwrap();
        if at % 50_000 == 49_999 {
            growing.write(&mut tree).unwrap();
            tree.shrink(&growing.store, BUDGET);
        }
    }
    let root = growing.write(&mut tree).unwrap();
    drop(tree);
    let mut tree = Tree::load(&growing.store, root);
    let before = NOW.load(Ordering::Relaxed);
    MOST.store(before, Ordering::Relaxed);
    let start = Instant::now();
    for at in 0..count {
        let [top, account, value] = key(at);
        let found = tree.find(&[&top, &account, &value, "contents", "0"]).unwrap();
        assert_eq!(found.unwrap().len(), 32);
        tree.shrink(&growing.store, BUDGET);
    }
    let time = start.elapsed().as_secs_f64() * 1e6 / f64::from(count);
    let most = MOST.load(Ordering::Relaxed).saturating_sub(before);
    (most as f64 / f64::from(1 << 20), time)
}
