//! `~/` in front of a path: the shell replaces it only at the beginning of a word, and a service file not at all.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use rollsnap_core::{Code, Problem, Result};

/// The arguments of this process, with the home directory in the place of a `~` that begins a path: an argument of its
/// own, or what stands behind an option and its `=`. Whoever has something called `~` here means that.
pub(super) fn arguments() -> impl Iterator<Item = OsString> {
    let home = std::env::home_dir().filter(|home| home.is_absolute() && !Path::new("~").exists());
    std::env::args_os().enumerate().map(move |(at, arg)| match &home {
        Some(home) if at > 0 => expanded(&arg, home).unwrap_or(arg),
        _ => arg,
    })
}

/// The same for a path of the environment.
pub(super) fn path(text: OsString) -> PathBuf {
    match std::env::home_dir() {
        Some(home) => expanded(&text, &home).unwrap_or(text).into(),
        None => text.into(),
    }
}

/// Refuses `~user` in front of the path of a data directory, which only a shell replaces, and only at the beginning of a
/// word: nobody wants a directory of that name.
///
/// # Errors
/// [`Code::Usage`].
pub(super) fn is_of_nobody(path: PathBuf) -> Result<PathBuf> {
    let first = path.components().next().map(|first| first.as_os_str());
    let Some(first) = first.filter(|first| first.as_bytes().starts_with(b"~")) else { return Ok(path) };
    if Path::new(first).exists() {
        return Ok(path);
    }
    Err(Problem::new(Code::Usage)
        .headline(format!("{} is no home directory that is known here", first.display()))
        .path(path.display())
        .because("write the path of that directory; ./ in front of it means a directory of this name"))
}

fn expanded(arg: &OsStr, home: &Path) -> Option<OsString> {
    let bytes = arg.as_bytes();
    let begin = match bytes {
        [b'-', b'-', option @ ..] => 2 + option.iter().position(|byte| *byte == b'=')? + 1,
        // The value of a short option may stand right behind it.
        [b'-', _, b'=', ..] => 3,
        [b'-', _, ..] => 2,
        _ => 0,
    };
    let (before, text) = bytes.split_at_checked(begin)?;
    let rest = text.strip_prefix(b"~").filter(|rest| rest.is_empty() || rest.starts_with(b"/"))?;
    Some(OsString::from_vec([before, home.as_os_str().as_bytes(), rest].concat()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tilde_is_the_home_directory_where_a_path_begins() {
        let of = |text: &str| {
            expanded(text.as_ref(), Path::new("/home/me")).map(|text| text.into_string().unwrap())
        };
        assert_eq!(of("--data-dir=~/node").as_deref(), Some("--data-dir=/home/me/node"));
        assert_eq!(of("~/node").as_deref(), Some("/home/me/node"));
        assert_eq!(of("--dest=~").as_deref(), Some("--dest=/home/me"));
        assert_eq!(of("-d~/node").as_deref(), Some("-d/home/me/node"));
        assert_eq!(of("-d=~/node").as_deref(), Some("-d=/home/me/node"));
        for text in ["", "--", "--data-dir", "--data-dir=/~/x", "a~/b", "~you/x", "--level=head", "-d"] {
            assert_eq!(of(text), None, "{text:?}");
        }
    }
}
