//! Words of an address line.

use super::super::row::{Area::*, Section, row};
#[allow(unused_imports)]
use super::super::status::*;

/// Rows in the order of the manual; a section whose words stand in several blocks names them all.
#[rustfmt::skip]
pub(super) const SECTIONS: &[Section] = &[
    Section {
        paths: &[
            "vrrp_instance/virtual_ipaddress/<addr>",
            "vrrp_instance/virtual_ipaddress_excluded/<addr>",
            "static_ipaddress/<addr>",
        ],
        rows: &[
            row("<address>", "IP[/LEN]", "/32 or /128", "2.2.7", Vip, HONOURED, "vip::Address", "First word of the line; several addresses need several lines"),
            row("scope", "NAME or number", "global", "2.2.7", Vip, HONOURED, "vip::Address", "Address scope (IPv4 only)"),
            row("broadcast", "IP | + | -", "none", "2.2.7", Vip, HONOURED, "vip::Address", "Broadcast address; + all ones, - all zeros host part (IPv4, prefix up to 30)"),
            row("brd", "IP | + | -", "-", "2.2.7", Vip, HONOURED, "vip::Address", "Alternative spelling; maps to broadcast").means("broadcast"),
            row("label", "STRING ≤15", "none", "2.2.7", Vip, HONOURED, "vip::Address", "Address label (IPv4 only)"),
            row("peer", "IP[/LEN]", "none", "2.2.7", Vip, HONOURED, "vip::Address", "Point-to-point peer; prefix length belongs to the peer"),
            row("home", "none", "off", "2.2.7", Vip, HONOURED, "vip::Address", "Mobile IPv6 home address flag"),
            row("-nodad", "none", "NODAD set", "2.2.7", Vip, HONOURED, "vip::Address", "Do not set NODAD, so duplicate address detection runs (IPv6)"),
            row("mngtmpaddr", "none", "off", "2.2.7", Vip, HONOURED, "vip::Address", "Manage temporary addresses flag (IPv6)"),
            row("noprefixroute", "none", "off", "2.2.7", Vip, HONOURED, "vip::Address", "Add no prefix route"),
            row("autojoin", "none", "off", "2.2.7", Vip, HONOURED, "vip::Address", "Join multicast group automatically"),
            row("no_track", "none", "off", "2.2.7", Vip, HONOURED, "vip::Address", "Do not track interface and do not react to removal of the address"),
            row("preferred_lft", "SECONDS 0..4294967295 | forever", "IPv6: 0 for /128, else forever", "2.2.7", Vip, HONOURED, "vip::Address", "Preferred lifetime (acts on IPv6 only; 0 marks address deprecated)"),
        ],
    },
    Section {
        paths: &[
            "vrrp_instance/virtual_ipaddress/<addr>",
            "vrrp_instance/virtual_ipaddress_excluded/<addr>",
        ],
        rows: &[
            row("dev", "IFNAME", "instance interface", "2.2.7", Vip, HONOURED, "vip::Address", "Interface for the address"),
            row("use_vmac", "none", "off", "2.2.7", Vip, VMAC, "vip::Address", "Put the address on a VMAC created on its interface"),
        ],
    },
    Section {
        paths: &["static_ipaddress/<addr>"],
        rows: &[
            row("dev", "IFNAME", "default_interface", "2.2.7", Vip, HONOURED, "vip::Address", "Interface for the address"),
            row("track_group", "NAME", "none", "2.2.7", Vip, HONOURED, "vip::Address", "Follow state of a track_group; needs dev"),
        ],
    },
];
