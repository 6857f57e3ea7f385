//! Whether there is enough space for what a job will write, looked at before it writes anything.

use std::path::{Path, PathBuf};

use rollsnap_core::feedback::Notice;
use rollsnap_core::{Code, Feedback, Problem, Result};

use super::Dir;
use crate::size::Size;

/// What the user says about space.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpaceCheck {
    /// How many bytes will be written, where nothing else tells: of an import or extraction and of a snapshot that is
    /// converted the contents, of an export or download the file.
    pub expected: Option<u64>,
    /// Begin also where the space does not suffice.
    pub skipped: bool,
}

/// How much space something takes, as far as that is known before it is there, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// So much.
    Exactly(u64),
    /// No less, and perhaps more; 0 where nothing is known.
    AtLeast(u64),
}

impl Known {
    /// What is needed beyond so many bytes that are there already.
    pub(crate) fn beyond(self, there: u64) -> Self {
        match self {
            Self::Exactly(bytes) => Self::Exactly(bytes.saturating_sub(there)),
            Self::AtLeast(bytes) => Self::AtLeast(bytes.saturating_sub(there)),
        }
    }
}

impl SpaceCheck {
    /// How much is needed: what the user expects counts where it is not known.
    pub(crate) fn least(&self, known: Known) -> u64 {
        match known {
            Known::Exactly(bytes) => bytes,
            Known::AtLeast(bytes) => bytes.max(self.expected.unwrap_or_default()),
        }
    }

    /// Says so where the user need not have said how much it is.
    pub(crate) fn say_if_known(&self, known: Known, feedback: &mut dyn Feedback) {
        if let (Some(_), Known::Exactly(bytes)) = (self.expected, known) {
            let text =
                format!("--expect-size has no effect: it is known that {} will be written", Size(bytes));
            feedback.notice(Notice::Remark(&text));
        }
    }

    /// Refuses to begin where so much is not free in a directory.
    ///
    /// # Errors
    /// [`Code::IoNoSpace`]
    pub(crate) fn require(&self, place: &Dir, known: Known, feedback: &mut dyn Feedback) -> Result<()> {
        self.say_if_known(known, feedback);
        self.require_all(&[(place, self.least(known))])
    }

    /// The same for several directories, some of which can be on one file system.
    ///
    /// # Errors
    /// As [`SpaceCheck::require`], any `io.*` code.
    pub(crate) fn require_all(&self, needs: &[(&Dir, u64)]) -> Result<()> {
        if self.skipped {
            return Ok(());
        }
        let mut systems: Vec<(u64, &Dir, u64)> = Vec::new();
        for (place, bytes) in needs {
            let device = place.about()?.id.0;
            match systems.iter_mut().find(|(other, ..)| *other == device) {
                Some((.., needed)) => *needed = needed.saturating_add(*bytes),
                None => systems.push((device, place, *bytes)),
            }
        }
        for (_, place, needed) in systems {
            // Where the system does not say, it will when it is full.
            if let Some(free) = free(place)
                && free < needed
            {
                return Err(too_little(&named(place.path()), needed, free));
            }
        }
        Ok(())
    }

    /// Says so where it was more than the user has expected, or much less.
    pub(crate) fn compare(&self, known: Known, found: u64, feedback: &mut dyn Feedback) {
        let (Some(expected), Known::AtLeast(_)) = (self.expected, known) else { return };
        let word = if found > expected {
            "small"
        } else if found < expected - expected / 10 {
            "large"
        } else {
            return;
        };
        let text = format!("--expect-size was too {word}: it was {}, not {}", Size(found), Size(expected));
        feedback.notice(Notice::Remark(&text));
    }
}

/// How much is free for this user, in bytes; `None` where the file system does not say.
pub(crate) fn free(place: &Dir) -> Option<u64> {
    let fs = rustix::fs::fstatvfs(place).ok()?;
    Some(fs.f_bavail.saturating_mul(fs.f_frsize))
}

/// What is said where it does not suffice.
pub(crate) fn too_little(path: &Path, needed: u64, free: u64) -> Problem {
    Problem::new(Code::IoNoSpace)
        .headline(format!("there is not enough space in {}", path.display()))
        .expected(format_args!("at least {}", Size(needed)))
        .found(format_args!("{} free", Size(free)))
        .because("--no-preflight begins nevertheless, as for a file system that compresses")
}

/// The directory as the user knows it, of one that a job has made in it for itself.
fn named(path: &Path) -> PathBuf {
    let is_ours = |path: &Path| {
        path.components().any(|part| part.as_os_str().to_string_lossy().starts_with(".rollsnap-"))
    };
    match path.ancestors().find(|path| !is_ours(path)) {
        Some(path) if !path.as_os_str().is_empty() => path.into(),
        _ => PathBuf::from("."),
    }
}

#[cfg(test)]
mod tests {
    use rollsnap_core::feedback::Silent;

    use super::*;

    #[test]
    fn what_does_not_fit_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let place = Dir::open(dir.path()).unwrap();
        let check = |expected, skipped| SpaceCheck { expected, skipped };
        let huge = 1 << 62;
        for (check, known, fits) in [
            (check(None, false), Known::AtLeast(0), true),
            (check(None, false), Known::Exactly(huge), false),
            (check(None, false), Known::AtLeast(huge), false),
            (check(Some(huge), false), Known::AtLeast(0), false),
            // What is known counts.
            (check(Some(huge), false), Known::Exactly(1), true),
            (check(Some(1), false), Known::AtLeast(huge), false),
            (check(Some(huge), true), Known::Exactly(huge), true),
        ] {
            let result = check.require(&place, known, &mut Silent);
            assert_eq!(result.is_ok(), fits, "{check:?} {known:?}");
        }
        // Together they do not fit, and each does.
        let half = free(&place).unwrap() / 2 + (1 << 30);
        let check = check(None, false);
        if half < free(&place).unwrap() {
            check.require_all(&[(&place, half)]).unwrap();
        }
        assert_eq!(check.require_all(&[(&place, half), (&place, half)]).unwrap_err().code(), Code::IoNoSpace);
    }

    #[test]
    fn a_place_is_called_as_the_user_calls_it() {
        for (path, expected) in [
            ("data/.rollsnap-import-1", "data"),
            ("/a/.rollsnap-work-1/data", "/a"),
            (".rollsnap-work-1", "."),
            ("/", "/"),
            ("data", "data"),
        ] {
            assert_eq!(named(Path::new(path)), Path::new(expected));
        }
    }
}
