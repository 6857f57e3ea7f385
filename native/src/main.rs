//! The `rollsnap` command.

fn main() {}
