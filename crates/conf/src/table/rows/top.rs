//! What stands at the top of the file.

use super::super::row::{Area::*, Section, row};
#[allow(unused_imports)]
use super::super::status::*;

/// Rows in the order of the manual; a section whose words stand in several blocks names them all.
#[rustfmt::skip]
pub(super) const SECTIONS: &[Section] = &[
    Section {
        paths: &["(top)"],
        rows: &[
            row("include", "PATTERN (shell glob with braces)", "-", "2.2.7", Parser, HONOURED, "Configuration::include", "Read matching files here; missing or unreadable ones are silently skipped; relative to the including file"),
            row("includer", "PATTERN", "-", "2.2.7", Parser, HONOURED, "Configuration::includer", "As include, error when a matched file is unreadable, a directory, not regular or executable"),
            row("includem", "PATTERN", "-", "2.2.7", Parser, HONOURED, "Configuration::includem", "As includer plus error when a name without wildcards does not exist"),
            row("includew", "PATTERN", "-", "2.2.7", Parser, HONOURED, "Configuration::includew", "As includem plus error when a wildcard pattern matches nothing"),
            row("includeb", "PATTERN", "-", "2.2.7", Parser, HONOURED, "Configuration::includeb", "As includer plus error unless every brace alternative matches"),
            row("includea", "PATTERN", "-", "2.2.7", Parser, HONOURED, "Configuration::includea", "All include checks enabled (readable, match, wildcard match, brace match)"),
            row("linkbeat_use_polling", "none", "off", "2.2.7", Tracking, LINKBEAT, "VrrpPart::linkbeat_all", "Poll link state of tracked interfaces (MII, then ethtool, then ioctl) instead of netlink"),
            row("net_namespace", "NAME", "none", "2.2.7", Process, HONOURED, "Global::net_namespace", "Run in this network namespace; implies use_pid_dir; cannot change at reload"),
            row("net_namespace_ipvs", "[NAME]", "same as net_namespace; no NAME = default namespace", "2.2.7", Ipvs, NAMESPACE_IPVS, "Global::net_namespace_ipvs", "Network namespace used for IPVS configuration; cannot change at reload"),
            row("namespace_with_ipsets", "none", "off", "2.2.7", Firewall, IPTABLES, "Configuration::namespace_with_ipsets", "Permit ipsets while in a namespace (needs kernel 3.13 or later)"),
            row("use_pid_dir", "none", "off", "2.2.7", Process, HONOURED, "Global::use_pid_dir", "Put pid files in the keepalived sub-directory of the run directory"),
            row("instance", "NAME", "none", "2.2.7", Process, HONOURED, "Global::instance_name", "Instance name, suffixed to pid files and syslog identity; implies use_pid_dir; cannot change at reload"),
            row("child_wait_time", "SECONDS 0..4294967295", "5", "2.2.7", Process, HONOURED, "Global::child_wait_time", "Time to wait for children to end before SIGKILL at shutdown"),
            row("global_defs", "{ … }", "-", "2.2.7", Global, HONOURED, "Global", "Block of global settings; no name"),
            row("track_group", "NAME { … }", "-", "2.2.7", Tracking, HONOURED, "VrrpPart::track_groups", "Group of VRRP instances that static addresses, routes and rules can track"),
            row("static_ipaddress", "{ address lines }", "-", "2.2.7", Vip, HONOURED, "VrrpPart::static_addresses", "Addresses added at start, kept in place, removed at stop"),
            row("static_routes", "{ route lines }", "-", "2.2.7", Route, HONOURED, "VrrpPart::static_routes", "Routes added at start and kept in place"),
            row("static_rules", "{ rule lines }", "-", "2.2.7", Rule, HONOURED, "VrrpPart::static_rules", "Policy rules added at start and kept in place"),
            row("vrrp_sync_group", "NAME { … }", "-", "2.2.7", Vrrp, HONOURED, "vrrp::Config::sync_groups", "Instances that change state together"),
            row("garp_group", "{ … }", "-", "2.2.7", Vrrp, HONOURED, "vrrp::Config::announce_limits", "Share gratuitous ARP/NA rate limits among interfaces"),
            row("linkbeat_interfaces", "{ IFNAME [MII|ETHTOOL|IOCTL] … }", "none", "2.2.7", Tracking, LINKBEAT, "VrrpPart::linkbeat", "Interfaces whose link state is polled, with preferred method"),
            row("vrrp_instance", "NAME { … }", "-", "2.2.7", Vrrp, HONOURED, "vrrp::Config::instances", "A virtual router; duplicate names ignored"),
            row("vrrp_script", "NAME { … }", "-", "2.2.7", Tracking, HONOURED, "vrrp::Config::scripts", "Periodically run check; removed with a warning when untracked"),
            row("vrrp_track_process", "NAME { … }", "-", "2.2.7", Tracking, HONOURED, "vrrp::Config::processes", "Monitor existence of processes through kernel process events"),
            row("interface_up_down_delays", "{ IFNAME DOWN [UP] … }; TIMER 0..255", "none", "2.2.7", Tracking, HONOURED, "vrrp::Config::link_delays", "Debounce link changes; UP defaults to 0"),
            row("track_file", "NAME { … }", "-", "2.2.7", Tracking, HONOURED, "vrrp::Config::files and lvs::Config::files", "File whose integer content drives priorities or real server weights"),
            row("vrrp_track_file", "NAME { … }", "-", "2.2.7", Deprecated, HONOURED, "", "Old spelling; maps to track_file block").means("track_file"),
            row("bfd_instance", "NAME ≤31 chars { … }", "-", "2.2.7", Bfd, BFD, "Configuration::bfd", "A BFD session"),
            row("SSL", "{ … }", "none", "2.2.7", Checker, HONOURED, "lvs::Config::ssl", "Client certificate settings for SSL_GET; global"),
            row("virtual_server_group", "NAME { entries }", "-", "2.2.7", Ipvs, HONOURED, "lvs::Config::groups", "Set of addresses/ranges/marks that share a virtual server"),
            row("virtual_server", "IP [PORT] | fwmark MARK | group NAME { … }", "-", "2.2.7", Ipvs, HONOURED, "lvs::Config::virtual_servers", "A virtual service; ignored when it has no real servers"),
        ],
    },
];
