//! A BFD session as keepalived.conf writes it.

use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use types::Ttl;

/// `bfd_instance`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionConfig {
    /// Its name, at most 31 octets.
    pub name: String,
    /// `neighbor_ip`.
    pub neighbour: IpAddr,
    /// `source_ip`.
    pub source: Option<IpAddr>,
    /// `min_rx`: required minimum receive interval.
    pub min_rx: Duration,
    /// `min_tx`: desired minimum transmit interval when up.
    pub min_tx: Duration,
    /// `idle_tx`: transmit interval when not up.
    pub idle_tx: Duration,
    /// `multiplier`.
    pub multiplier: u8,
    /// `passive`.
    pub passive: bool,
    /// `ttl` / `hoplimit` sent.
    pub ttl: Ttl,
    /// `max_hops` a received packet may have travelled; `None` disables the check (−1 in the file).
    pub max_hops: Option<u8>,
    /// `multihop`: port 4784 (RFC 5883).
    pub multihop: bool,
    /// Events go to the VRRP process.
    pub vrrp: bool,
    /// Events go to the checker process.
    pub checker: bool,
}
