//! Why an instance cannot take part: independent reasons, each of which comes and goes on its own.

use std::fmt;

use types::{Family, IfName};

/// One reason. `Display` is what keepalived says after `(NAME)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The configuration says so.
    Configuration(String),
    /// An interface that it needs or tracks is down or absent.
    Interface(IfName),
    /// No address to send adverts from.
    NoSource(Family),
    /// `track_src_ip`: the configured source is on no interface.
    SourceAbsent,
    /// Another instance of ours uses this VRID on the same socket.
    DuplicateVrid(String),
    /// A tracked script failed.
    Script(String),
    /// A tracked file says so.
    File(String, i64),
    /// Quorum of a tracked process.
    Process(String),
    /// A tracked BFD session is down.
    Bfd(String),
}

impl Fault {
    /// Whether this is the same reason as `other`, though its number may differ.
    pub(crate) fn same_cause(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::File(one, _), Self::File(two, _)) => one == two,
            (one, two) => one == two,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Configuration(reason) => write!(f, " entering FAULT state ({reason})"),
            Self::Interface(name) => write!(f, ": entering FAULT state (interface {name} down)"),
            Self::NoSource(family) => write!(f, " entering FAULT state (no {family} address for interface)"),
            Self::SourceAbsent => f.write_str(": entering FAULT state (src address not configured)"),
            Self::DuplicateVrid(other) => {
                write!(f, " entering FAULT state (VRID is already used by {other} on the same interface)")
            }
            Self::Script(name) => write!(f, ": entering FAULT state due to script {name}"),
            Self::File(name, value) => write!(f, ": entering FAULT state (tracked file {name} has status {value})"),
            Self::Process(name) => write!(f, " entering FAULT state (tracked process {name} quorum not achieved)"),
            Self::Bfd(name) => write!(f, ": entering FAULT state (tracked BFD instance {name} is down)"),
        }
    }
}
