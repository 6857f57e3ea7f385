//! Why a request got no answer.

use std::fmt;
use std::io::ErrorKind;

use rollsnap_core::layer1::excerpt;
use ureq::Error;

/// A request that got no answer, or not all of it.
#[derive(Debug)]
pub(crate) struct Broken {
    /// Why, for people.
    pub(crate) why: String,
    /// Whether another try may go better.
    pub(crate) passing: bool,
    /// Whether something answered that does not speak HTTP.
    pub(crate) foreign: bool,
}

impl Broken {
    fn passing(why: impl Into<String>) -> Self {
        Self { why: why.into(), passing: true, foreign: false }
    }

    fn lasting(why: impl Into<String>) -> Self {
        Self { why: why.into(), passing: false, foreign: false }
    }
}

/// In our words what the HTTP library says.
impl From<Error> for Broken {
    fn from(err: Error) -> Self {
        let insecure =
            |err: &dyn fmt::Display| Self::lasting(format!("no secure connection can be made: {err}"));
        match err {
            Error::Timeout(_) => Self::passing("it takes too long to answer"),
            // What TLS finds wrong while the connection is being made comes in this form.
            Error::Io(err) if err.kind() == ErrorKind::InvalidData => insecure(&err),
            Error::Io(err) if err.kind() == ErrorKind::UnexpectedEof => {
                Self::passing("it closed the connection before the end of its answer")
            }
            Error::Io(err) => Self::passing(err.to_string()),
            Error::HostNotFound => Self::passing("no such host is known"),
            Error::ConnectionFailed => Self::passing("no connection"),
            Error::Rustls(err) => insecure(&err),
            Error::Tls(err) => insecure(&err),
            Error::ConnectProxyFailed(err) => {
                Self::lasting(format!("the proxy of the environment refuses: {}", excerpt(err.as_bytes())))
            }
            Error::Protocol(_) | Error::Http(_) | Error::LargeResponseHeader(..) | Error::BodyStalled => {
                Self { foreign: true, ..Self::lasting("this is not an HTTP answer") }
            }
            err => Self::lasting(err.to_string()),
        }
    }
}
