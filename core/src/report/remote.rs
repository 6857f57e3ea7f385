//! What came from an address.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::remote::Validator;

/// Where a file was read from that is not on this machine, and what that took.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RemoteInfo {
    /// The address that was given, without user name, password and query.
    pub url: String,
    /// The address that redirects led to, without user name, password and query.
    pub final_url: String,
    /// Whether the server serves parts of the file.
    pub ranges: bool,
    /// Which version of the file was read; `None` where the server does not serve parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validator: Option<Validator>,
    /// How many bytes of bodies came.
    pub bytes_received: u64,
    /// How many requests were made.
    pub requests: u64,
    /// How many of them because another one had failed.
    pub retries: u64,
    /// Time from the first answer on, in milliseconds.
    pub time_ms: u64,
}

impl RemoteInfo {
    /// Of a file at an address, of which nothing came yet.
    pub fn new(url: String, final_url: String) -> Self {
        Self {
            url,
            final_url,
            ranges: false,
            validator: None,
            bytes_received: 0,
            requests: 1,
            retries: 0,
            time_ms: 0,
        }
    }
}
