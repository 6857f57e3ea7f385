//! gzip.
