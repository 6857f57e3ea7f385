//! What was asked, and what was sent.

use core::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::plan::Fault;
use super::request::Request;

/// A request and what became of it, so far.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The number of its connection, from 0 on.
    pub connection: u64,
    /// `GET`.
    pub method: String,
    /// With the query.
    pub path: String,
    /// The headers of the request in its order; names in lower case.
    pub headers: Vec<(String, String)>,
    /// The status of the answer; 0 if none has been sent.
    pub status: u16,
    /// Bytes of its body that have been handed to the system.
    pub sent: u64,
    /// The faults that showed in it.
    pub faults: Vec<Fault>,
}

impl Exchange {
    /// The value of a header of the request, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        value(&self.headers, name)
    }
}

/// The value of the first header of this name.
pub(super) fn value<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// All exchanges.
#[derive(Debug, Default)]
pub(super) struct Log(Mutex<Vec<Arc<Entry>>>);

/// An exchange that may be under way.
#[derive(Debug)]
pub(super) struct Entry {
    connection: u64,
    request: Request,
    status: AtomicU16,
    sent: AtomicU64,
    faults: Mutex<Vec<Fault>>,
}

impl Log {
    pub(super) fn begin(&self, connection: u64, request: Request) -> Arc<Entry> {
        let entry = Arc::new(Entry {
            connection,
            request,
            status: AtomicU16::new(0),
            sent: AtomicU64::new(0),
            faults: Mutex::default(),
        });
        self.entries().push(Arc::clone(&entry));
        entry
    }

    pub(super) fn len(&self) -> usize {
        self.entries().len()
    }

    pub(super) fn exchanges(&self) -> Vec<Exchange> {
        self.entries().iter().map(|entry| entry.exchange()).collect()
    }

    fn entries(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Entry>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    pub(super) fn request(&self) -> &Request {
        &self.request
    }

    pub(super) fn answered(&self, status: u16) {
        self.status.store(status, Ordering::Relaxed);
    }

    pub(super) fn sent(&self, bytes: u64) {
        self.sent.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn met(&self, fault: Fault) {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).push(fault);
    }

    fn exchange(&self) -> Exchange {
        Exchange {
            connection: self.connection,
            method: self.request.method.clone(),
            path: self.request.target.clone(),
            headers: self.request.headers.clone(),
            status: self.status.load(Ordering::Relaxed),
            sent: self.sent.load(Ordering::Relaxed),
            faults: self.faults.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}
