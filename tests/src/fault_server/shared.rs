//! What the threads of a server share.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use core::time::Duration;
use std::collections::BTreeMap;
use std::net::{Shutdown, TcpStream};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::log::{Entry, Log};
use super::plan::Plan;
use super::resource::Resource;

#[derive(Debug)]
pub(super) struct Shared {
    resources: Mutex<BTreeMap<String, Resource>>,
    plan: Mutex<Plan>,
    log: Log,
    sent: AtomicU64,
    accepted: AtomicU64,
    open: Mutex<BTreeMap<u64, TcpStream>>,
    stopped: AtomicBool,
    bell: Condvar,
}

impl Shared {
    pub(super) fn new(plan: Plan) -> Self {
        Self {
            resources: Mutex::default(),
            plan: Mutex::new(plan),
            log: Log::default(),
            sent: AtomicU64::new(0),
            accepted: AtomicU64::new(0),
            open: Mutex::default(),
            stopped: AtomicBool::new(false),
            bell: Condvar::new(),
        }
    }

    pub(super) fn put(&self, path: &str, resource: Resource) {
        lock(&self.resources).insert(path.to_owned(), resource);
    }

    pub(super) fn remove(&self, path: &str) {
        lock(&self.resources).remove(path);
    }

    pub(super) fn resource(&self, path: &str) -> Option<Resource> {
        lock(&self.resources).get(path).cloned()
    }

    pub(super) fn plan(&self) -> MutexGuard<'_, Plan> {
        lock(&self.plan)
    }

    pub(super) fn log(&self) -> &Log {
        &self.log
    }

    /// Bytes of bodies so far.
    pub(super) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Bytes of a body have been handed to the system.
    pub(super) fn count(&self, entry: &Entry, bytes: u64) {
        self.sent.fetch_add(bytes, Ordering::Relaxed);
        entry.sent(bytes);
    }

    pub(super) fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }

    pub(super) fn open(&self) -> usize {
        lock(&self.open).len()
    }

    /// The number of a new connection, which is closed from afar when the server stops.
    pub(super) fn enter(&self, stream: TcpStream) -> u64 {
        let id = self.accepted.fetch_add(1, Ordering::Relaxed);
        lock(&self.open).insert(id, stream);
        id
    }

    /// The connection has ended.
    pub(super) fn leave(&self, id: u64) {
        lock(&self.open).remove(&id);
    }

    /// Whoever reads, writes or stalls on a connection comes back with its end.
    pub(super) fn close_all(&self) {
        for stream in lock(&self.open).values() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    pub(super) fn stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    pub(super) fn stop(&self) {
        // Under the lock that `pause` looks with, so that no sleeper misses it.
        let _open = lock(&self.open);
        self.stopped.store(true, Ordering::Relaxed);
        self.bell.notify_all();
    }

    /// Sleeps, until the server stops at most.
    pub(super) fn pause(&self, time: Duration) {
        let open = lock(&self.open);
        drop(self.bell.wait_timeout_while(open, time, |_| !self.stopped()));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
