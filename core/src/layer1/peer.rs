//! The words for a node that gives no answer.

use alloc::format;

use crate::code::Code;
use crate::problem::Problem;

/// Whom a client asks, for what it says when that fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    name: &'static str,
    endpoint: Code,
    unreachable: Code,
    answer: Code,
}

impl Peer {
    /// A node of layer 1.
    pub const L1: Self = Self {
        name: "L1 node",
        endpoint: Code::L1Endpoint,
        unreachable: Code::L1Unreachable,
        answer: Code::L1Answer,
    };

    /// A node of the data availability layer.
    pub const DAL: Self = Self {
        name: "DAL node",
        endpoint: Code::DalEndpoint,
        unreachable: Code::DalUnreachable,
        answer: Code::DalAnswer,
    };

    /// A server of files, named by what is in them.
    pub const PRE_IMAGES: Self = Self {
        name: "server of pre-images",
        endpoint: Code::PreImageEndpoint,
        unreachable: Code::PreImageServer,
        answer: Code::PreImageAnswer,
    };

    /// What it is called.
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// The code of an address that cannot be one of its own.
    pub const fn endpoint(self) -> Code {
        self.endpoint
    }

    /// It cannot be reached, or breaks off. `endpoint` is its address, without user name and password.
    pub fn unreachable(self, endpoint: &str, why: &str) -> Problem {
        let text = format!("the {} at {endpoint} cannot be reached", self.name);
        Problem::new(self.unreachable).headline(text).because(why)
    }

    /// What it sends is no answer. `endpoint` is its address, without user name and password.
    pub fn not_understood(self, endpoint: &str, why: &str) -> Problem {
        let text = format!("the answer of the {} at {endpoint} is not understood", self.name);
        Problem::new(self.answer).headline(text).because(why)
    }

    /// What it sends is longer than `most` bytes.
    pub fn too_long(self, endpoint: &str, most: u64) -> Problem {
        self.not_understood(endpoint, &too_long(most))
    }
}

/// Why an answer of more bytes is none.
pub(super) fn too_long(most: u64) -> alloc::string::String {
    format!("the answer is longer than {most} bytes")
}
