//! The kernel's hands: they perform what the brains decided and tell what the kernel says. They decide nothing.
//!
//! * [`raw`]: the sockets that adverts come and go by.
//! * [`packet`]: gratuitous ARP and neighbour advertisements.
//! * [`monitor`]: interfaces, addresses, routes and rules as they change.
//! * [`kernel`]: operations of `vip`, many at a time.
//! * [`ipvs`]: the IPVS tables.
//!
//! Requests are built by netlink-packet-route and sent through netlink-sys; its module `netlink` tells why there is no background task. Nothing here waits for
//! anybody but the kernel itself.

pub mod bfd;
mod decode;
mod encode;
mod firewall;
pub mod ipvs;
pub mod kernel;
pub mod monitor;
mod netlink;
pub mod packet;
pub mod raw;

pub use kernel::Kernel;
pub use monitor::{Monitor, MonitorOptions, MonitorStatistics};
pub use packet::{AnnounceError, AnnounceSocket};
pub use raw::{SendError, SocketError, VrrpSockets};
