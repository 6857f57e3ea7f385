//! Whose the new files are, when root makes them: a node that runs as another user could not open what root owns.

use std::fmt;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use rollsnap_core::{Code, Problem, Result};
use rustix::fs::{Gid, Uid, fchown};
use rustix::process::geteuid;
use uzers::{User, get_group_by_gid, get_group_by_name, get_user_by_name, get_user_by_uid};

use super::{Dir, Entry, Kind, Ornament};
use crate::io::problem;

/// A user and a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    user: u32,
    group: u32,
}

impl Owner {
    /// Reads `USER` or `USER:GROUP`, names or numbers. Without a group it is that of the user's account.
    ///
    /// # Errors
    /// [`Code::Usage`] when there is no such account or group.
    pub fn parse(text: &str) -> Result<Self> {
        let (user, group) = text.split_once(':').map_or((text, None), |(user, group)| (user, Some(group)));
        let account = account(user);
        let number = account.as_ref().map(User::uid).or_else(|| number(user));
        let Some(user_number) = number else { return Err(usage(format!("there is no user {user:?}"))) };
        let group = match (group, account) {
            (Some(group), _) => group_number(group)?,
            (None, Some(account)) => account.primary_group_id(),
            (None, None) => {
                return Err(usage(format!("no account has the number {user}: say the group as well"))
                    .because(format_args!("for example --owner {user}:{user}")));
            }
        };
        Ok(Self { user: user_number, group })
    }

    /// Only root can give files away.
    ///
    /// # Errors
    /// [`Code::Usage`] for everybody else, who may name himself.
    pub fn check_permitted(&self) -> Result<()> {
        let own = (geteuid().as_raw(), rustix::process::getegid().as_raw());
        if own.0 == 0 || own == (self.user, self.group) {
            return Ok(());
        }
        Err(usage("only root can give files to another user with --owner".into()))
    }

    /// The owner of an entry.
    pub(crate) fn of(entry: &Entry) -> Self {
        Self { user: entry.user, group: entry.group }
    }

    /// Gives an open file or directory to this owner; `path` is for messages.
    pub(crate) fn takes(&self, fd: impl AsFd, path: &Path) -> Result<()> {
        self.change(fd).map_err(|err| problem("change the owner of", path, err.into()))
    }

    /// The same where nobody has asked for it: some file systems have no owners, or let even root give none.
    pub(crate) fn adopts(&self, fd: impl AsFd, path: &Path) -> Result<()> {
        let changed = Ornament::Owners.spare(self.change(fd));
        changed.map_err(|err| problem("change the owner of", path, err.into()))
    }

    fn change(&self, fd: impl AsFd) -> rustix::io::Result<()> {
        fchown(fd, Some(Uid::from_raw(self.user)), Some(Gid::from_raw(self.group)))
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match get_user_by_uid(self.user) {
            Some(user) => write!(f, "{}:", user.name().display())?,
            None => write!(f, "{}:", self.user)?,
        }
        match get_group_by_gid(self.group) {
            Some(group) => write!(f, "{}", group.name().display()),
            None => write!(f, "{}", self.group),
        }
    }
}

/// Whom the files that root makes in `dir` are for: its owner. `None` where they are his already, and for everybody
/// but root, whose files are his own.
///
/// # Errors
/// Any `io.*` code.
pub(crate) fn adopt(dir: &Dir) -> Result<Option<Owner>> {
    let owner = Owner::of(&dir.about()?);
    let own = Owner { user: geteuid().as_raw(), group: rustix::process::getegid().as_raw() };
    Ok((own.user == 0 && owner != own).then_some(owner))
}

/// Gives everything in a directory that is ours alone to somebody else; `asked`: because the user has said so. A file with
/// another name elsewhere is not
/// only ours, and stays whose it is.
///
/// # Errors
/// Any `io.*` code.
pub(crate) fn give(dir: &Dir, owner: &Owner, asked: bool) -> Result<()> {
    let takes = |fd: BorrowedFd<'_>, path: &Path| {
        if asked { owner.takes(fd, path) } else { owner.adopts(fd, path) }
    };
    for name in dir.names()? {
        match dir.look(&name)? {
            Some(found) if found.kind == Kind::Directory => {
                if let Some(inner) = dir.enter(&name)? {
                    give(&inner, owner, asked)?;
                    takes(inner.as_fd(), inner.path())?;
                }
            }
            Some(found) if found.kind == Kind::File => {
                let Some(file) = dir.file(&name)? else { continue };
                let about = rustix::fs::fstat(&file).map(Entry::of);
                let about = about.map_err(|err| problem("look at", &dir.place(&name), err.into()))?;
                if about.is_ours() && about.links == 1 {
                    takes(file.as_fd(), &dir.place(&name))?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn account(user: &str) -> Option<User> {
    get_user_by_name(user).or_else(|| get_user_by_uid(number(user)?))
}

fn group_number(group: &str) -> Result<u32> {
    let number = get_group_by_name(group).map(|group| group.gid()).or_else(|| number(group));
    number.ok_or_else(|| usage(format!("there is no group {group:?}")))
}

/// The number -1 stands for "leave it as it is" where owners are changed.
fn number(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| digits && *number != u32::MAX)
}

fn usage(text: String) -> Problem {
    Problem::new(Code::Usage).headline(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_are_names_or_numbers() {
        assert_eq!(Owner::parse("root").unwrap(), Owner { user: 0, group: 0 });
        assert_eq!(Owner::parse("0").unwrap(), Owner { user: 0, group: 0 });
        assert_eq!(Owner::parse("4711:815").unwrap(), Owner { user: 4711, group: 815 });
        assert_eq!(Owner::parse("root:815").unwrap(), Owner { user: 0, group: 815 });
        for text in [
            "",
            ":",
            "root:",
            ":root",
            "no such user",
            "-1",
            "4294967295",
            "+1",
            "987654321",
            "0:-1",
            "1:2:3",
        ] {
            assert_eq!(Owner::parse(text).unwrap_err().code(), Code::Usage, "{text:?}");
        }
        assert_eq!(Owner::parse("4711:815").unwrap().to_string(), "4711:815");
    }
}
