//! `~/` in front of a path: the shell replaces it only at the beginning of a word, and a service file not at all.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// The arguments of this process, with the home directory in the place of a `~` that begins a path: an argument of its
/// own, or what stands behind the `=` of a long option. Whoever has something called `~` here means that.
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

fn expanded(arg: &OsStr, home: &Path) -> Option<OsString> {
    let bytes = arg.as_bytes();
    let begin = match bytes.strip_prefix(b"--") {
        Some(option) => 2 + option.iter().position(|byte| *byte == b'=')? + 1,
        None => 0,
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
        for text in ["", "--", "--data-dir", "--data-dir=/~/x", "a~/b", "~you/x", "--level=head", "-d"] {
            assert_eq!(of(text), None, "{text:?}");
        }
    }
}
