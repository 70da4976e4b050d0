//! Changes to the kernel's table, and the rest of what its IPVS family is asked to do.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use types::IfName;

use crate::{Destination, DestinationKey, Service, ServiceKey};

/// One change of the kernel's table. The order in a list is the order of execution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operation {
    /// Empty the whole table.
    Flush,
    /// Add a service.
    AddService {
        /// Its identity.
        key: ServiceKey,
        /// Its attributes.
        service: Service,
    },
    /// Change the attributes of a standing service.
    EditService {
        /// Its identity.
        key: ServiceKey,
        /// Its attributes from now on.
        service: Service,
    },
    /// Remove a service with its destinations.
    DeleteService {
        /// Its identity.
        key: ServiceKey,
    },
    /// Add a destination to a service.
    AddDestination {
        /// The service.
        service: ServiceKey,
        /// The destination's identity.
        key: DestinationKey,
        /// Its attributes.
        destination: Destination,
    },
    /// Change the attributes of a standing destination.
    EditDestination {
        /// The service.
        service: ServiceKey,
        /// The destination's identity.
        key: DestinationKey,
        /// Its attributes from now on.
        destination: Destination,
    },
    /// Remove a destination from a service.
    DeleteDestination {
        /// The service.
        service: ServiceKey,
        /// The destination's identity.
        key: DestinationKey,
    },
}

impl Operation {
    /// The service it concerns; none for [`Operation::Flush`].
    pub fn service(&self) -> Option<ServiceKey> {
        match self {
            Self::Flush => None,
            Self::AddService { key, .. } | Self::EditService { key, .. } | Self::DeleteService { key } => Some(*key),
            Self::AddDestination { service, .. }
            | Self::EditDestination { service, .. }
            | Self::DeleteDestination { service, .. } => Some(*service),
        }
    }
}

/// Timeouts of connections in seconds (`ipvsadm --set`); 0 leaves a value as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Timeouts {
    /// Of established TCP connections.
    pub tcp: u32,
    /// Of TCP connections after a FIN.
    pub tcp_fin: u32,
    /// Of UDP.
    pub udp: u32,
}

/// Which side of connection synchronisation a daemon plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum DaemonRole {
    /// Sends.
    Master,
    /// Receives.
    Backup,
}

/// A connection synchronisation daemon of the kernel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Daemon {
    /// Its role.
    pub role: DaemonRole,
    /// Interface of the multicast.
    pub interface: IfName,
    /// `id`: only messages with the same one are accepted.
    pub sync_id: u8,
    /// `maxlen` of a message in octets; the kernel's own (from the MTU) where absent.
    pub max_len: Option<u16>,
    /// Multicast group; 224.0.0.81 where absent.
    pub group: Option<IpAddr>,
    /// UDP port; 8848 where absent.
    pub port: Option<u16>,
    /// TTL; 1 where absent.
    pub ttl: Option<u8>,
}

impl Daemon {
    /// Whether `running` is what this asks for; what this leaves to the kernel may be anything.
    pub fn is_met_by(&self, running: &Self) -> bool {
        let same = |wanted: bool, equal: bool| !wanted || equal;
        self.role == running.role
            && self.interface == running.interface
            && self.sync_id == running.sync_id
            && same(self.max_len.is_some(), self.max_len == running.max_len)
            && same(self.group.is_some(), self.group == running.group)
            && same(self.port.is_some(), self.port == running.port)
            && same(self.ttl.is_some(), self.ttl == running.ttl)
    }
}

/// Counters and rates of a service or destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Statistics {
    /// Connections scheduled.
    pub connections: u64,
    /// Packets in.
    pub packets_in: u64,
    /// Packets out (only NAT passes them).
    pub packets_out: u64,
    /// Octets in.
    pub octets_in: u64,
    /// Octets out.
    pub octets_out: u64,
    /// Connections per second.
    pub connection_rate: u64,
    /// Packets in per second.
    pub packet_rate_in: u64,
    /// Packets out per second.
    pub packet_rate_out: u64,
    /// Octets in per second.
    pub octet_rate_in: u64,
    /// Octets out per second.
    pub octet_rate_out: u64,
}

/// What the kernel counts for a destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DestinationCounters {
    /// Connections that are established.
    pub active: u32,
    /// Connections in any other state.
    pub inactive: u32,
    /// Persistence templates.
    pub persistent: u32,
    /// Counters and rates.
    pub statistics: Statistics,
}

/// A service as the kernel shows it, counters included, destinations in the kernel's own order (last added first).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceListing {
    /// Its identity.
    pub key: ServiceKey,
    /// Its attributes.
    pub service: Service,
    /// Its counters.
    pub statistics: Statistics,
    /// Its destinations.
    pub destinations: Vec<DestinationListing>,
}

/// A destination as the kernel shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DestinationListing {
    /// Its identity.
    pub key: DestinationKey,
    /// Its attributes.
    pub destination: Destination,
    /// Its counters.
    pub counters: DestinationCounters,
}

/// Version and size of the kernel's IPVS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Info {
    /// Version: major, minor, patch.
    pub version: (u8, u8, u8),
    /// Buckets of the connection table.
    pub connection_table_size: u32,
}
