//! The tar dialect of the rollup nodes (`docs/FORMAT.md`, section 4).

mod block;

pub use block::{BLOCK, MAX_PLAIN_SIZE, checksum_matches, is_member_header};

/// Whether a node would put a file of this name into a snapshot.
pub fn belongs_in_a_snapshot(name: &str) -> bool {
    let in_directory = ["storage/", "context/", "wasm_2_0_0/", "arith/", "riscv/"];
    name == "metadata" || name == "store.sqlite" || in_directory.iter().any(|dir| name.starts_with(dir))
}
