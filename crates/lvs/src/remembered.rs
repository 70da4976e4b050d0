//! What survives a crash of the checker process.

use serde::{Deserialize, Serialize};

/// States of servers, kept by the supervisor so that a successor does not send clients to a dead server.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Remembered {
    /// One entry for each virtual server.
    pub virtual_servers: Vec<RememberedVirtualServer>,
}

/// States of one virtual server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RememberedVirtualServer {
    /// What it balances.
    pub target: crate::Target,
    /// Whether its quorum was met.
    pub quorum_met: bool,
    /// Addresses of its servers that were down.
    pub down: Vec<std::net::SocketAddr>,
    /// Addresses of its servers that were up though they start down (`alpha`).
    pub up: Vec<std::net::SocketAddr>,
}
