//! What a provider publishes beside a snapshot: `rollsnap.manifest/1`, or a list of files as others publish it.
//!
//! An entry has the names of the lists that tezos-k8s and mavryk-snapshot make, so that one can stand in the other. Of it are
//! read `filename`, `url`, `filesize_bytes`, `sha256`, `mirrors` and `extracted_bytes`; whatever else is there is left alone.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde_json::{Map, Value};

use crate::code::Code;
use crate::problem::{Problem, Result};

/// A manifest is no longer, in bytes.
pub const LONGEST_MANIFEST: usize = 1 << 20;

/// A manifest has no more entries.
const MOST_ENTRIES: usize = 10_000;

/// An entry has no more mirrors.
const MOST_MIRRORS: usize = 16;

/// What a manifest says about one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Published {
    /// The address of the file.
    pub url: Option<String>,
    /// Other addresses of the same file.
    pub mirrors: Vec<String>,
    /// How long the file is, in bytes.
    pub len: Option<u64>,
    /// Its SHA-256, in lower-case hexadecimal digits.
    pub sha256: Option<String>,
    /// How much its contents take, in bytes.
    pub extracted: Option<u64>,
}

/// A manifest, or a list of files.
#[derive(Clone, Debug)]
pub struct Manifest {
    entries: Vec<Map<String, Value>>,
}

impl Manifest {
    /// Reads one entry, an array of them, or an object that has the array as `data`.
    ///
    /// # Errors
    /// [`Code::RemoteManifest`] for anything else, and for one that is too long.
    pub fn parse(text: &[u8]) -> Result<Self> {
        if text.len() > LONGEST_MANIFEST {
            return Err(wrong("it is too long").expected(format_args!("at most {LONGEST_MANIFEST} bytes")));
        }
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let value: Value = serde_json::from_slice(text).map_err(|err| wrong("it is not JSON").found(err))?;
        let list = match value {
            Value::Array(list) => list,
            Value::Object(mut object) => match object.remove("data") {
                Some(Value::Array(list)) => list,
                _ => Vec::from([Value::Object(object)]),
            },
            _ => return Err(wrong("it is neither an entry nor a list of them")),
        };
        if list.len() > MOST_ENTRIES {
            return Err(wrong("it has too many entries").expected(MOST_ENTRIES).found(list.len()));
        }
        let is_entry = |value: Value| match value {
            Value::Object(entry) if names(&entry).next().is_some() => Some(entry),
            _ => None,
        };
        let entries: Vec<_> = list.into_iter().filter_map(is_entry).collect();
        if entries.is_empty() {
            return Err(wrong("it names no file: an entry has filename or url"));
        }
        Ok(Self { entries })
    }

    /// What it says about a file: the entry of this address, else that of this name, else the only one. `url` is `None` for a
    /// file of this machine; `name` is the last part of the address or path.
    ///
    /// # Errors
    /// [`Code::RemoteManifest`] when there is none, when several say different things, and when the entry cannot be understood.
    pub fn of(&self, url: Option<&str>, name: Option<&str>) -> Result<Published> {
        let of_url = self.entries.iter().filter(|entry| {
            url.is_some_and(|url| {
                addresses(entry).any(|address| without_query(address) == without_query(url))
            })
        });
        let of_name =
            self.entries.iter().filter(|entry| name.is_some_and(|name| names(entry).any(|of| of == name)));
        let mut found: Vec<_> = of_url.collect();
        if found.is_empty() {
            found = of_name.collect();
        }
        if let ([], [only]) = (&*found, &*self.entries) {
            // What is published under a name of its own may be reached by one that stays the same.
            found.push(only);
        }
        let mut found = found.into_iter().map(published);
        let Some(first) = found.next().transpose()? else {
            return Err(
                wrong("it has no entry of this file").found(format_args!("{} of others", self.entries.len()))
            );
        };
        for other in found {
            let other = other?;
            if (other.len, &other.sha256) != (first.len, &first.sha256) {
                return Err(wrong("it has several entries of this file, which do not agree"));
            }
        }
        Ok(first)
    }
}

/// What an entry says.
fn published(entry: &Map<String, Value>) -> Result<Published> {
    let number = |name: &str| match entry.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_u64() {
            Some(number) => Ok(Some(number)),
            None => Err(wrong("it is not understood").expected(format_args!("{name}: a number of bytes"))),
        },
    };
    let sha256 = match entry.get("sha256") {
        None | Some(Value::Null) => None,
        Some(Value::String(sum)) if sum.len() == 64 && sum.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            Some(sum.to_ascii_lowercase())
        }
        Some(_) => return Err(wrong("it is not understood").expected("sha256: 64 hexadecimal digits")),
    };
    let mirrors = match entry.get("mirrors") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(mirrors)) if mirrors.len() <= MOST_MIRRORS => {
            let text = |mirror: &Value| mirror.as_str().map(ToString::to_string);
            let texts: Option<Vec<_>> = mirrors.iter().map(text).collect();
            texts.ok_or_else(|| wrong("it is not understood").expected("mirrors: addresses"))?
        }
        Some(_) => {
            let most = format_args!("mirrors: a list of at most {MOST_MIRRORS} addresses");
            return Err(wrong("it is not understood").expected(most));
        }
    };
    let url = entry.get("url").and_then(Value::as_str).map(ToString::to_string);
    Ok(Published {
        url,
        mirrors,
        len: number("filesize_bytes")?,
        sha256,
        extracted: number("extracted_bytes")?,
    })
}

fn addresses(entry: &Map<String, Value>) -> impl Iterator<Item = &str> {
    let mirrors = entry.get("mirrors").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    entry.get("url").into_iter().chain(mirrors).filter_map(Value::as_str)
}

/// The last parts of its names and addresses.
fn names(entry: &Map<String, Value>) -> impl Iterator<Item = &str> {
    let name = entry.get("filename").and_then(Value::as_str);
    let url = entry.get("url").and_then(Value::as_str).map(without_query);
    let last = |name: &str| name.rsplit('/').next().is_some_and(|last| !last.is_empty());
    let all = [name, url].into_iter().flatten().filter(move |name| last(name));
    all.map(|name| name.rsplit('/').next().unwrap_or_default())
}

fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or_default()
}

fn wrong(why: &str) -> Problem {
    Problem::new(Code::RemoteManifest).because(why)
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    const SUM: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn why(text: &str) -> String {
        let problem = Manifest::parse(text.as_bytes()).and_then(|manifest| manifest.of(None, Some("a")));
        let problem = problem.unwrap_err();
        assert_eq!(problem.code(), Code::RemoteManifest);
        problem.cause().unwrap_or_default().to_string()
    }

    #[test]
    fn an_entry_a_list_and_a_listing() {
        let entry = format!(
            r#"{{"filename":"a","url":"https://h/x/a","filesize_bytes":7,"sha256":"{SUM}","extracted_bytes":9,
                "mirrors":["https://m/a"],"block_height":5,"later":{{"x":[1]}}}}"#
        );
        let expected = Published {
            url: Some("https://h/x/a".into()),
            mirrors: Vec::from(["https://m/a".into()]),
            len: Some(7),
            sha256: Some(SUM.into()),
            extracted: Some(9),
        };
        let other = r#"{"filename":"b","filesize_bytes":"large"}"#;
        for text in [
            entry.clone(),
            format!("[{other},{entry}]"),
            format!(r#"{{"date_generated":"x","org":"y","data":[{entry},{other},3,null,{{}}]}}"#),
            format!("\u{feff}{entry}"),
        ] {
            let manifest = Manifest::parse(text.as_bytes()).unwrap();
            for (url, name) in [
                (Some("https://h/x/a"), None),
                (Some("https://h/x/a?signature=1"), Some("b")),
                (Some("https://m/a"), None),
                (Some("https://else/a"), Some("a")),
                (None, Some("a")),
            ] {
                assert_eq!(manifest.of(url, name), Ok(expected.clone()), "{text} {url:?} {name:?}");
            }
        }
        // The only one may have another name than the alias that leads to it.
        assert_eq!(Manifest::parse(entry.as_bytes()).unwrap().of(None, Some("latest")), Ok(expected));
        // The name is the last part of the address where there is no other.
        let named = Manifest::parse(br#"[{"url":"https://h/x/c"},{"url":"https://h/d"}]"#).unwrap();
        assert_eq!(named.of(None, Some("c")).unwrap().url.as_deref(), Some("https://h/x/c"));
    }

    #[test]
    fn what_is_not_understood() {
        for (text, reason) in [
            ("", "not JSON"),
            ("{", "not JSON"),
            ("7", "neither an entry nor a list"),
            ("{}", "names no file"),
            (r#"{"data":[]}"#, "names no file"),
            (r#"{"url":"https://h/"}"#, "names no file"),
            (r#"[{"filename":"b"},{"filename":"c"}]"#, "no entry of this file"),
            (r#"{"filename":"a","filesize_bytes":-1}"#, "not understood"),
            (r#"{"filename":"a","filesize_bytes":1.5}"#, "not understood"),
            (r#"{"filename":"a","sha256":"abc"}"#, "not understood"),
            (r#"{"filename":"a","sha256":7}"#, "not understood"),
            (r#"{"filename":"a","mirrors":[7]}"#, "not understood"),
            (r#"{"filename":"a","mirrors":"https://m"}"#, "not understood"),
            (r#"[{"filename":"a","filesize_bytes":1},{"filename":"a","filesize_bytes":2}]"#, "do not agree"),
        ] {
            assert!(why(text).contains(reason), "{text}: {}", why(text));
        }
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(why(&deep).contains("not JSON"));
        let many = format!("[{}{{}}]", r#"{"filename":"a"},"#.repeat(MOST_ENTRIES));
        assert!(why(&many).contains("too many entries"));
        let long = format!(r#"{{"filename":"a","x":"{}"}}"#, "x".repeat(LONGEST_MANIFEST));
        assert!(why(&long).contains("too long"));
        let mirrors = format!(r#"{{"filename":"a","mirrors":[{}"x"]}}"#, r#""x","#.repeat(MOST_MIRRORS));
        assert!(why(&mirrors).contains("not understood"));
    }

    #[test]
    fn entries_that_agree_are_one() {
        let text =
            r#"[{"filename":"a","filesize_bytes":1},{"filename":"a","filesize_bytes":1,"mirrors":[]}]"#;
        assert_eq!(Manifest::parse(text.as_bytes()).unwrap().of(None, Some("a")).unwrap().len, Some(1));
    }
}
