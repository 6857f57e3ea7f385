//! What came from an address.

use alloc::string::String;
use alloc::vec::Vec;

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
    /// What came from which of its sources; none where the server does not serve parts.
    #[serde(default)]
    pub sources: Vec<SourceInfo>,
}

/// One of the addresses that a file was read from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SourceInfo {
    /// The address that was given, without user name, password and query.
    pub url: String,
    /// The address that redirects led to, without user name, password and query.
    pub final_url: String,
    /// How many bytes of bodies came from it.
    pub bytes_received: u64,
    /// How many requests were made to it; 0 where the others were enough.
    pub requests: u64,
    /// How many of them because another one had failed.
    pub retries: u64,
    /// Why it was not used, or no more from some time on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dropped: Option<String>,
    /// Which of its bytes are not those of the file, and how that was found out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub damaged: Option<String>,
}

impl SourceInfo {
    /// Of an address that was not asked yet.
    pub fn new(url: String, final_url: String) -> Self {
        Self { url, final_url, bytes_received: 0, requests: 0, retries: 0, dropped: None, damaged: None }
    }
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
            sources: Vec::new(),
        }
    }
}
