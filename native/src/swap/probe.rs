//! Whether the directories that a swap will replace can be moved at all, asked before anything is extracted.
//!
//! A directory on which something is mounted cannot be moved, nor can one in a lower layer of an overlay, as containers
//! have it; only an attempt shows that. So it is attempted in a way that cannot succeed: to the place of a directory
//! that is not empty. Systems look first whether the source may be moved, and say so.
//!
//! What a file system of FUSE does is up to the program behind it, which may put one directory in the place of another: a
//! kill after that would leave the data directory without an entry. So nothing is attempted there. A mount is found all the
//! same, and what cannot be moved is met by the swap, whose journal puts everything back.

use std::io::ErrorKind;

use rollsnap_core::{Code, Problem, Result};

use super::Staging;
use crate::dir::Kind;
use crate::io::problem;

const PROBE: &str = "probe";
const INSIDE: &str = "inside";

impl Staging {
    /// Looks whether those entries of the root that are directories, of these names, can be moved.
    ///
    /// # Errors
    /// [`Code::ImportLink`] for the first that cannot; any `io.*` code.
    pub fn can_move(&self, names: &[&str]) -> Result<()> {
        let failed = |error| problem("make the staging directory", &self.new.place(PROBE), error);
        let probe = self.new.make(PROBE).map_err(failed)?;
        probe.make(INSIDE).map_err(failed)?;
        let found = names.iter().try_for_each(|name| self.attempt(name));
        probe.rmdir(INSIDE).and_then(|()| self.new.rmdir(PROBE)).map_err(failed)?;
        found
    }

    fn attempt(&self, name: &str) -> Result<()> {
        let root = &self.at.root;
        if root.look(name)?.is_none_or(|found| found.kind != Kind::Directory) {
            return Ok(());
        }
        let refused = |why: &str| {
            Problem::new(Code::ImportLink)
                .headline("an entry of the data directory cannot be moved, which it takes to replace it")
                .path(root.place(name).display())
                .because(why)
        };
        if root.is_mounted_on(name)? {
            return Err(refused("something is mounted on it"));
        }
        if root.is_fuse() {
            return Ok(());
        }
        match root.move_over(name, &self.new, PROBE).map_err(|error| error.kind()) {
            Err(ErrorKind::DirectoryNotEmpty | ErrorKind::AlreadyExists) => Ok(()),
            Err(ErrorKind::ResourceBusy) => Err(refused("something is mounted on it")),
            Err(ErrorKind::CrossesDevices) => {
                Err(refused("it is on another file system, or in a lower layer of an overlay"))
            }
            // What else the system says is met again, or not.
            Err(_) => Ok(()),
            // No kernel does that; then it goes back at once.
            Ok(()) => {
                let back = self.new.move_to_new(PROBE, root, name);
                back.map_err(|error| problem("move back", &root.place(name), error))
            }
        }
    }
}
