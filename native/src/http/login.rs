//! User name and password in an address, for HTTP's basic authentication (RFC 7617).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use ureq::http::uri::Authority;

/// What stands before the `@`; it is never shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Login(String);

impl Login {
    /// That of an address, where special characters are written with `%`: `user:p%40ss@host`.
    pub(crate) fn of(authority: &Authority) -> Option<Self> {
        let (login, _) = authority.as_str().rsplit_once('@')?;
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        let decoded = [user, password].map(|part| percent_decode_str(part).collect::<Vec<u8>>()).join(&b':');
        Some(Self(format!("Basic {}", STANDARD.encode(decoded))))
    }

    /// The value of the header `Authorization`.
    pub(crate) fn header(&self) -> &str {
        &self.0
    }
}

/// An address without what comes before an `@` in its host part, which may be a password.
pub(crate) fn without_login(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, path) = rest.split_at(end);
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    if scheme.is_empty() { format!("{host}{path}") } else { format!("{scheme}://{host}{path}") }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_characters_are_decoded() {
        for (address, header) in [
            ("host", None),
            // RFC 7617, section 2.
            ("Aladdin:open%20sesame@host:80", Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")),
            // RFC 7617, section 2.1: the pound sign in UTF-8.
            ("test:123%C2%A3@host", Some("Basic dGVzdDoxMjPCow==")),
            // `python3 -c 'import base64; print(base64.b64encode(b"user:p:w@"))'`
            ("user:p%3Aw%40@host", Some("Basic dXNlcjpwOndA")),
            ("token@host", Some("Basic dG9rZW46")),
        ] {
            let login = Login::of(&address.parse().unwrap());
            assert_eq!(login.as_ref().map(Login::header), header, "{address}");
            assert!(!format!("{login:?}").contains("Basic"));
        }
    }
}
