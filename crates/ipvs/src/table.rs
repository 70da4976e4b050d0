//! The IPVS table as a value.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use types::{Family, FwMark, Port, Protocol, Weight};

/// What identifies a virtual service in the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ServiceKey {
    /// By address, port (0 for every port) and protocol.
    Address {
        /// Protocol.
        protocol: Protocol,
        /// Virtual address.
        address: IpAddr,
        /// Port.
        port: Port,
    },
    /// By firewall mark.
    Mark {
        /// Family of the packets.
        family: Family,
        /// The mark.
        mark: FwMark,
    },
}

impl ServiceKey {
    /// Family of the packets.
    pub fn family(&self) -> Family {
        match self {
            Self::Address { address, .. } => Family::of(*address),
            Self::Mark { family, .. } => *family,
        }
    }
}

/// Flags of a service (IP_VS_SVC_F_…) other than persistence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize)]
pub struct ServiceFlags {
    /// `ops`.
    pub one_packet: bool,
    /// `flag-1` (`sh-fallback`, `mh-fallback`).
    pub scheduler_1: bool,
    /// `flag-2` (`sh-port`, `mh-port`).
    pub scheduler_2: bool,
    /// `flag-3`.
    pub scheduler_3: bool,
}

/// Persistence of a service.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PersistenceConfig {
    /// `persistence_timeout` in seconds, 1 to 2678400.
    pub timeout: u32,
    /// `persistence_granularity` as a prefix length; 32 or 128 for a host.
    pub granularity: u8,
    /// `persistence_engine`.
    pub engine: Option<String>,
}

/// A virtual service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// Scheduler, the kernel's name.
    pub scheduler: String,
    /// Flags.
    pub flags: ServiceFlags,
    /// Persistence.
    pub persistence: Option<PersistenceConfig>,
}

/// What identifies a destination of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DestinationKey {
    /// Address of the real server; its family may differ from the service's with tunnels.
    pub address: IpAddr,
    /// Port.
    pub port: Port,
}

/// A destination of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destination {
    /// How packets get there.
    pub forwarding: Forwarding,
    /// Weight; 0 takes no new connections.
    pub weight: Weight,
    /// Upper connection threshold; 0 for none.
    pub upper_threshold: u32,
    /// Lower connection threshold; 0 for none.
    pub lower_threshold: u32,
}

/// Forwarding method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Forwarding {
    /// NAT.
    Masquerade,
    /// DR.
    DirectRoute,
    /// TUN.
    Tunnel(Tunnel),
}

/// Encapsulation of TUN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Tunnel {
    /// IP in IP.
    Ipip,
    /// Generic UDP encapsulation.
    Gue {
        /// UDP port.
        port: Port,
        /// Checksum.
        checksum: TunnelChecksum,
    },
    /// GRE.
    Gre {
        /// Checksum; remote checksum is not offered.
        checksum: TunnelChecksum,
    },
}

/// Checksum of an encapsulation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TunnelChecksum {
    /// `nocsum`, the default.
    None,
    /// `csum`.
    Full,
    /// `remcsum`.
    Remote,
}

/// A whole table: services and their destinations.
///
/// Destinations keep the order in which they are to be added: schedulers walk them from the last added to the first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Table {
    /// Services by key.
    pub services: BTreeMap<ServiceKey, ServiceEntry>,
}

/// A service with its destinations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceEntry {
    /// The service.
    pub service: Service,
    /// Its destinations, in the order of adding.
    pub destinations: Vec<(DestinationKey, Destination)>,
}
