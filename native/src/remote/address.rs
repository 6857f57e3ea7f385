//! Addresses: `http` and `https`, nothing else.

use std::fmt;
use std::path::Path;

use iri_string::types::{UriReferenceStr, UriStr};
use percent_encoding::percent_decode_str;
use rollsnap_core::layer1::excerpt;
use rollsnap_core::shown::is_plain;
use rollsnap_core::{Code, Problem, Result};
use ureq::http::Uri;

use crate::http::{Login, without_login};

/// The address of a file.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// Without user name, password and fragment.
    text: String,
    https: bool,
    host: String,
    /// `HOST:PORT`, as it is written.
    authority: String,
    login: Option<Login>,
}

impl Address {
    /// The address that a name is; `None` for the name of a file.
    ///
    /// # Errors
    /// [`Code::RemoteAddress`] for an address that is not one of HTTP.
    pub(crate) fn of_name(name: &Path) -> Result<Option<Self>> {
        let Some(text) = name.to_str() else { return Ok(None) };
        let Some((scheme, _)) = text.split_once("://") else { return Ok(None) };
        let is_scheme = scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
            && scheme.starts_with(|first: char| first.is_ascii_alphabetic());
        // Whoever has a directory of such a name means it.
        if !is_scheme || name.exists() {
            return Ok(None);
        }
        Self::parse(text).map(Some)
    }

    /// # Errors
    /// [`Code::RemoteAddress`]
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let wrong = |why: &str| {
            let shown = excerpt(shown(&without_login(text)).as_bytes());
            Problem::new(Code::RemoteAddress).found(format_args!("{shown:?}")).because(why)
        };
        let scheme = text.split_once("://").map_or("", |(scheme, _)| scheme).to_ascii_lowercase();
        match &*scheme {
            "http" | "https" => {}
            "file" => return Err(wrong("give the path of the file itself")),
            "s3" | "gs" | "r2" | "az" => {
                return Err(wrong("give the https address at which the store serves the file"));
            }
            _ => return Err(wrong("only http and https addresses can be read")),
        }
        let text = text.split_once('#').map_or(text, |(text, _)| text);
        let uri: Uri = text.parse().map_err(|_| wrong("this is no address"))?;
        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(|| wrong("it names no host"))?;
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        Ok(Self {
            https: scheme == "https",
            host: host.into(),
            authority: authority.rsplit_once('@').map_or(authority, |(_, rest)| rest).to_ascii_lowercase(),
            login: uri.authority().and_then(Login::of),
            text: without_login(text),
        })
    }

    /// Where a redirect leads. A login is not given to another host.
    ///
    /// # Errors
    /// [`Code::RemoteRedirect`]
    pub(crate) fn redirected(&self, location: Option<&str>) -> Result<Self> {
        let wrong = |why: &str| {
            let found =
                location.map_or("no address".into(), |to| excerpt(shown(&without_login(to)).as_bytes()));
            Problem::new(Code::RemoteRedirect).path(self).found(found).because(why)
        };
        let text = location.ok_or_else(|| wrong("it does not say where to"))?;
        let base = UriStr::new(&self.text).map_err(|_| wrong("this is no address"))?;
        let reference = UriReferenceStr::new(text).map_err(|_| wrong("this is no address"))?;
        let joined = reference.resolve_against(base.to_absolute()).to_string();
        let mut next =
            Self::parse(&joined).map_err(|_| wrong("only http and https addresses can be read"))?;
        if self.https && !next.https {
            return Err(wrong(
                "from https to http, where anybody on the way could put another file in its place",
            ));
        }
        if next.authority == self.authority {
            next.login = next.login.or_else(|| self.login.clone());
        }
        Ok(next)
    }

    /// The last name in it, if that can be the name of a file.
    pub(crate) fn file_name(&self) -> Option<String> {
        let path = self.text.split('?').next().unwrap_or_default();
        let last = path.split_once("://").map_or(path, |(_, rest)| rest).rsplit_once('/')?.1;
        let name = percent_decode_str(last).decode_utf8().ok()?;
        let plain = !name.is_empty() && name.len() <= 200 && !name.starts_with('.') && !name.contains('/');
        (plain && name.chars().all(is_plain)).then(|| name.into_owned())
    }

    /// The address of the index beside the file. One with a query may be signed for the file alone.
    pub(crate) fn sidecar(&self) -> Option<Self> {
        let text = format!("{}.idx", self.text);
        (!self.text.contains('?')).then(|| Self { text, ..self.clone() })
    }

    /// Without query: what a manifest calls it.
    pub(crate) fn plain(&self) -> String {
        self.text.split('?').next().unwrap_or_default().to_owned()
    }

    /// Refuses a source that others could change on the way, where this one is safe from that.
    ///
    /// # Errors
    /// [`Code::RemoteAddress`]
    pub(super) fn admits(&self, other: &Self) -> Result<()> {
        match self.https && !other.https {
            true => Err(Problem::new(Code::RemoteAddress)
                .found(format_args!("{:?}", other.to_string()))
                .because("it is http, and the address of the snapshot is https")),
            false => Ok(()),
        }
    }

    /// What is asked for; not to be shown.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn login(&self) -> Option<&Login> {
        self.login.as_ref()
    }

    /// The server, for messages.
    pub(super) fn server(&self) -> String {
        excerpt(self.authority.as_bytes())
    }
}

/// Without user name and password, and without a query, which can be a signature.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&shown(&self.text))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

fn shown(text: &str) -> String {
    text.split_once('?').map_or(text.into(), |(front, _)| format!("{front}?…"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        Address::parse(text).unwrap()
    }

    #[test]
    fn names_and_addresses() {
        for name in ["rollup.snapshot", "./http:/x", "a/b", "-", "://x", "1http://x", "a b://c"] {
            assert_eq!(Address::of_name(name.as_ref()).map(|found| found.is_some()), Ok(false), "{name}");
        }
        for name in ["http://host/file", "HTTPS://host:444/a/b?x=1#part", "http://[::1]:80/"] {
            assert!(matches!(Address::of_name(name.as_ref()), Ok(Some(_))), "{name}");
        }
        for (name, why) in [
            ("file:///etc/passwd", "the path of the file itself"),
            ("s3://bucket/key", "the https address"),
            ("ftp://host/file", "only http and https"),
            ("ipfs://x", "only http and https"),
            ("http://", "this is no address"),
            ("http:///x", "this is no address"),
            ("https://a b/", "this is no address"),
        ] {
            let problem = Address::of_name(name.as_ref()).unwrap_err();
            assert_eq!(problem.code(), Code::RemoteAddress);
            assert!(problem.cause().unwrap().contains(why), "{name}: {problem}");
        }
    }

    #[test]
    fn what_is_secret_is_not_shown() {
        let address = address("https://me:secret@host.example:8443/a/b?X-Signature=secret#secret");
        assert_eq!(address.to_string(), "https://host.example:8443/a/b?…");
        assert_eq!(address.text(), "https://host.example:8443/a/b?X-Signature=secret");
        assert!(address.login().is_some() && !format!("{address:?}").contains("secret"));
        let problem = Address::parse("ftp://me:secret@host/x?key=secret").unwrap_err();
        assert!(!problem.to_string().contains("secret"), "{problem}");
    }

    #[test]
    fn redirects() {
        let from = address("https://me:pw@host.example/a/b/latest");
        for (location, to, login) in [
            ("file-17", "https://host.example/a/b/file-17", true),
            ("../c?d=e", "https://host.example/a/c?d=e", true),
            ("/x", "https://host.example/x", true),
            ("//cdn.example/y", "https://cdn.example/y", false),
            ("https://HOST.example/z", "https://HOST.example/z", true),
            ("https://host.example:444/z", "https://host.example:444/z", false),
            ("https://you:pw@cdn.example/z#f", "https://cdn.example/z", true),
        ] {
            let next = from.redirected(Some(location)).unwrap();
            assert_eq!((next.text(), next.login().is_some()), (to, login), "{location}");
        }
        for location in [
            None,
            Some("http://host.example/x"),
            Some("file:///etc/passwd"),
            Some("ftp://x"),
            Some("http://a b"),
        ] {
            assert_eq!(from.redirected(location).unwrap_err().code(), Code::RemoteRedirect, "{location:?}");
        }
        // What was not secret before need not be.
        assert!(address("http://host.example/").redirected(Some("http://cdn.example/")).is_ok());
    }

    #[test]
    fn the_last_name() {
        let name = |text: &str| address(text).file_name();
        assert_eq!(name("https://h/a/eth-mainnet.full").as_deref(), Some("eth-mainnet.full"));
        assert_eq!(name("https://h/a/b%20c?x=/y").as_deref(), Some("b c"));
        for text in
            ["https://h", "https://h/", "https://h/a/", "https://h/..", "https://h/%2e%2e", "https://h/a%2fb"]
        {
            assert_eq!(name(text), None, "{text}");
        }
        for text in ["https://h/.bashrc", "https://h/a%00b", "https://h/a%1b%5b31m", "https://h/%ff"] {
            assert_eq!(name(text), None, "{text}");
        }
    }

    #[test]
    fn the_index_lies_beside() {
        let sidecar = |text: &str| address(text).sidecar().map(|address| address.text);
        assert_eq!(sidecar("http://h/a.snapshot").as_deref(), Some("http://h/a.snapshot.idx"));
        assert_eq!(sidecar("http://h/a.snapshot?sig=1"), None);
    }
}
