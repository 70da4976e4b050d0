//! Macvlan and ipvlan interfaces that carry virtual routers.

use serde::{Deserialize, Serialize};
use types::{Family, IfName, MacAddr, Prefix};

/// An interface that must exist while its instance is configured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VirtualLink {
    /// Its name.
    pub name: IfName,
    /// Interface below it.
    pub base: IfName,
    /// Family of the instance that owns it: which sysctls it gets.
    pub family: Family,
    /// What it is.
    pub kind: VirtualLinkKind,
    /// Interface group; that of the base where absent.
    pub group: Option<u32>,
    /// `netlink_notify_msg`: the MAC is set once more after creation, so that others hear of it.
    pub notify_message: bool,
    /// An IPv4 instance with IPv6 addresses (excluded ones) on it: IPv6 stays enabled.
    pub keep_ipv6: bool,
    /// IPv6: the link-local address that adverts are sent from; that of the base where absent.
    pub link_local: Option<std::net::Ipv6Addr>,
    /// IPv6: without `link_local`, the base's one is copied. Not with `vmac_xmit_base`: nothing is sent from the link then, and it must not answer
    /// for its base.
    pub copies_link_local: bool,
}

/// macvlan or ipvlan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum VirtualLinkKind {
    /// A private macvlan with this hardware address.
    Macvlan {
        /// 00:00:5e:00:01:VRID unless configured.
        mac: MacAddr,
    },
    /// A layer-2 ipvlan.
    Ipvlan {
        /// IPVLAN_F_ bits: 0 bridge, 1 private, 2 vepa.
        flags: u16,
        /// Its address.
        address: Option<Prefix>,
    },
}
