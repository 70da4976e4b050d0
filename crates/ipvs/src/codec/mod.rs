//! Messages of the kernel's generic netlink family `IPVS`, version 1.
//!
//! Requests are written straight into one buffer, many after another, so that a whole plan leaves in a few system calls. Replies are read with the attribute views of
//! `netlink-packet-core`; attributes that we do not know are skipped, so a newer kernel does no harm. Numbers are the kernel's (`linux/ip_vs.h`); octets were compared with what
//! ipvsadm 1.31 sends.

mod attribute;
mod daemon;
mod destination;
mod reply;
mod request;
mod service;
mod statistics;

pub use attribute::DecodeError;
pub use reply::{Reply, parse_family_id, parse_reply};
pub use request::{Request, RequestFlags, emit_family_request, emit_request};

/// Name of the family.
pub const FAMILY_NAME: &str = "IPVS";
/// Its version.
pub const FAMILY_VERSION: u8 = 1;
/// Octets of a netlink header.
pub const NETLINK_HEADER_LENGTH: usize = 16;
/// Octets of a generic netlink header.
pub const GENERIC_HEADER_LENGTH: usize = 4;

/// Address family as sockets number it.
fn family_number(family: types::Family) -> u16 {
    match family {
        types::Family::Inet => 2,
        types::Family::Inet6 => 10,
    }
}
