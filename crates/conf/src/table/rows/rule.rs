//! Words of a rule line.

use super::super::row::{Area::*, Section, row};
#[allow(unused_imports)]
use super::super::status::*;

/// Rows in the order of the manual; a section whose words stand in several blocks names them all.
#[rustfmt::skip]
pub(super) const SECTIONS: &[Section] = &[
    Section {
        paths: &[
            "vrrp_instance/virtual_rules/<rule>",
            "static_rules/<rule>",
        ],
        rows: &[
            row("inet", "none", "from addresses", "2.2.7", Rule, HONOURED, "vip::Rule", "Force IPv4; quirk: the following word is skipped"),
            row("inet6", "none", "from addresses", "2.2.7", Rule, HONOURED, "vip::Rule", "Force IPv6; quirk: the following word is skipped"),
            row("from", "IP[/LEN]|default", "any", "2.2.7", Rule, HONOURED, "vip::Rule", "Source prefix"),
            row("to", "IP[/LEN]|default", "any", "2.2.7", Rule, HONOURED, "vip::Rule", "Destination prefix"),
            row("table", "NAME or number ≠0", "required action", "2.2.7", Rule, HONOURED, "vip::Rule", "Look up this table"),
            row("lookup", "NAME or number", "-", "2.2.7", Rule, HONOURED, "vip::Rule", "Synonym of table").means("table"),
            row("not", "none", "off", "2.2.7", Rule, HONOURED, "vip::Rule", "Invert the match"),
            row("preference", "0..4294967295 any base", "16384 counting down, with a warning", "2.2.7", Rule, HONOURED, "vip::Rule", "Rule priority"),
            row("order", "0..4294967295", "-", "2.2.7", Rule, HONOURED, "vip::Rule", "Synonym of preference").means("preference"),
            row("priority", "0..4294967295", "-", "2.2.7", Rule, HONOURED, "vip::Rule", "Synonym of preference").means("preference"),
            row("tos", "DSFIELD", "0", "2.2.7", Rule, HONOURED, "vip::Rule", "Match TOS"),
            row("dsfield", "DSFIELD", "-", "2.2.7", Rule, HONOURED, "vip::Rule", "Synonym of tos").means("tos"),
            row("fwmark", "MARK[/MASK]", "none", "2.2.7", Rule, HONOURED, "vip::Rule", "Match firewall mark"),
            row("realms", "[SRC/]DST", "none", "2.2.7", Rule, HONOURED, "vip::Rule", "Set realms (IPv4, with table)"),
            row("suppress_prefixlength", "0..2147483647", "off", "2.2.7", Rule, HONOURED, "vip::Rule", "Reject results with shorter prefix (with table)"),
            row("sup_pl", "N", "-", "2.2.7", Rule, HONOURED, "vip::Rule", "Synonym of suppress_prefixlength").means("suppress_prefixlength"),
            row("suppress_ifgroup", "GROUP", "off", "2.2.7", Rule, HONOURED, "vip::Rule", "Reject results in interface group (with table)"),
            row("sup_group", "GROUP", "-", "2.2.7", Rule, HONOURED, "vip::Rule", "Synonym of suppress_ifgroup").means("suppress_ifgroup"),
            row("dev", "IFNAME", "any", "2.2.7", Rule, HONOURED, "vip::Rule", "Input interface"),
            row("iif", "IFNAME", "-", "2.2.7", Rule, HONOURED, "vip::Rule", "Synonym of dev").means("dev"),
            row("oif", "IFNAME", "any", "2.2.7", Rule, HONOURED, "vip::Rule", "Output interface"),
            row("tunnel-id", "UINT64", "none", "2.2.7", Rule, HONOURED, "vip::Rule", "Match tunnel key"),
            row("uidrange", "A-B", "none", "2.2.7", Rule, HONOURED, "vip::Rule", "Match user id range"),
            row("l3mdev", "none", "off", "2.2.7", Rule, HONOURED, "vip::Rule", "Look up table of l3 master device; excludes table"),
            row("protocol", "0..255", "keepalived (18)", "2.2.7", Rule, HONOURED, "vip::Rule", "Rule origin; forced to 18 unless no_track"),
            row("ipproto", "NAME or number", "none", "2.2.7", Rule, HONOURED, "vip::Rule", "Match IP protocol"),
            row("sport", "A-B", "none", "2.2.7", Rule, HONOURED, "vip::Rule", "Match source port range; single port is rejected"),
            row("dport", "A-B", "none", "2.2.7", Rule, HONOURED, "vip::Rule", "Match destination port range; single port is rejected"),
            row("no_track", "none", "off", "2.2.7", Rule, HONOURED, "vip::Rule", "Do not react to removal"),
            row("type", "ACTION", "optional word", "2.2.7", Rule, HONOURED, "vip::Rule", "Introduces an action"),
            row("goto", "PRIORITY", "-", "2.2.7", Rule, HONOURED, "vip::Rule", "Jump to a later rule; needs larger target than own preference"),
            row("nop", "none", "-", "2.2.7", Rule, HONOURED, "vip::Rule", "No operation"),
            row("blackhole", "none", "-", "2.2.7", Rule, HONOURED, "vip::Rule", "Drop silently"),
            row("unreachable", "none", "-", "2.2.7", Rule, HONOURED, "vip::Rule", "Reject as unreachable"),
            row("prohibit", "none", "-", "2.2.7", Rule, HONOURED, "vip::Rule", "Reject administratively"),
        ],
    },
    Section {
        paths: &["static_rules/<rule>"],
        rows: &[
            row("track_group", "NAME", "none", "2.2.7", Rule, HONOURED, "vip::Rule", "Follow a track_group; needs dev or iif"),
        ],
    },
];
