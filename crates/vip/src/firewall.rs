//! What nftables must hold: addresses that may not be accepted, and the multicast reports of virtual MAC interfaces.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use types::{Family, IfIndex};

/// Where and how the tables are made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirewallConfig {
    /// Table name, `keepalived` by default, in `ip` and in `ip6`.
    pub table: String,
    /// Priority of the base chains, −1 by default.
    pub priority: i32,
    /// `nftables_counters`.
    pub counters: bool,
}

/// One change of the firewall. All changes of one batch are one nftables transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FirewallOperation {
    /// Delete a table of this name that is there from before, and make it anew with its chains and rules; sets are empty.
    Install {
        /// Name and priority.
        config: FirewallConfig,
        /// `ip` or `ip6`.
        family: Family,
    },
    /// Delete the table.
    Uninstall {
        /// Name.
        table: String,
        /// `ip` or `ip6`.
        family: Family,
    },
    /// Packets to and from this address are dropped (`no_accept`).
    Protect {
        /// Name.
        table: String,
        /// The address.
        address: IpAddr,
        /// Link-local addresses are meant on one interface only.
        interface: Option<IfIndex>,
    },
    /// They are no longer dropped.
    Unprotect {
        /// Name.
        table: String,
        /// The address.
        address: IpAddr,
        /// As it was protected.
        interface: Option<IfIndex>,
    },
    /// IGMP and MLD reports of a virtual MAC interface leave through its base.
    Redirect {
        /// Name.
        table: String,
        /// `ip` or `ip6`.
        family: Family,
        /// The virtual interface.
        link: IfIndex,
        /// The interface below it.
        base: IfIndex,
    },
    /// No longer.
    Unredirect {
        /// Name.
        table: String,
        /// `ip` or `ip6`.
        family: Family,
        /// The virtual interface.
        link: IfIndex,
        /// The interface below it.
        base: IfIndex,
    },
}

impl fmt::Display for FirewallOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table = |family: &Family| match family {
            Family::Inet => "ip",
            Family::Inet6 => "ip6",
        };
        match self {
            Self::Install { config, family } => write!(f, "create nftables table {} {}", table(family), config.table),
            Self::Uninstall { table: name, family } => write!(f, "delete nftables table {} {name}", table(family)),
            Self::Protect { address, .. } => write!(f, "drop packets for {address}"),
            Self::Unprotect { address, .. } => write!(f, "accept packets for {address}"),
            Self::Redirect { link, base, .. } => write!(f, "send reports of interface #{link} through #{base}"),
            Self::Unredirect { link, base, .. } => {
                write!(f, "no longer send reports of interface #{link} through #{base}")
            }
        }
    }
}

impl FirewallOperation {
    /// Whether both are about the same element of the same set, whatever they do to it.
    pub(crate) fn same_element(&self, other: &Self) -> bool {
        let element = |operation: &Self| match operation {
            Self::Protect { table, address, interface } | Self::Unprotect { table, address, interface } => {
                Some((table.clone(), *address, *interface))
            }
            _ => None,
        };
        element(self).is_some() && element(self) == element(other)
    }
}
