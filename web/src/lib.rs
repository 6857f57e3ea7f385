//! rollsnap for JavaScript.

#![forbid(unsafe_code)]
