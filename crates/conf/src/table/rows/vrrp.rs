//! `vrrp_instance` and `vrrp_sync_group`.

use super::super::row::{Area::*, Section, row};
#[allow(unused_imports)]
use super::super::status::*;

/// Rows in the order of the manual; a section whose words stand in several blocks names them all.
#[rustfmt::skip]
pub(super) const SECTIONS: &[Section] = &[
    Section {
        paths: &["vrrp_sync_group"],
        rows: &[
            row("group", "{ INSTANCE … }", "-", "2.2.7", Vrrp, HONOURED, "SyncGroupConfig::group", "Members; unknown ones ignored, single member gives a warning"),
            row("track_interface", "{ IFNAME [weight N [reverse]] … }", "none", "2.2.7", Tracking, HONOURED, "Tracker", "Interfaces tracked by every member of the group"),
            row("track_script", "{ SCRIPT [weight N [reverse|noreverse]] … }", "none", "2.2.7", Tracking, HONOURED, "Tracker", "vrrp_script results tracked by every member of the group"),
            row("track_file", "{ FILE [weight N [reverse|noreverse]] … }", "none", "2.2.7", Tracking, HONOURED, "Tracker", "track_file values tracked by every member of the group"),
            row("track_process", "{ PROCESS [weight N [reverse|noreverse]] … }", "none", "2.2.7", Tracking, HONOURED, "Tracker", "vrrp_track_process results tracked by every member of the group"),
            row("track_bfd", "{ BFD [weight N [reverse|noreverse]] … }", "none", "2.2.7", Tracking, BFD, "Tracker", "BFD sessions tracked by every member of the group"),
            row("notify_backup", "\"COMMAND [ARGS]\" [USER [GROUP]]", "none", "2.2.7", Notify, HONOURED, "VrrpScripts", "Run when group becomes BACKUP; no extra arguments"),
            row("notify_master", "\"COMMAND [ARGS]\" [USER [GROUP]]", "none", "2.2.7", Notify, HONOURED, "VrrpScripts", "Run when group becomes MASTER; no extra arguments"),
            row("notify_fault", "\"COMMAND [ARGS]\" [USER [GROUP]]", "none", "2.2.7", Notify, HONOURED, "VrrpScripts", "Run when group enters FAULT; no extra arguments"),
            row("notify", "\"COMMAND [ARGS]\" [USER [GROUP]]", "none", "2.2.7", Notify, HONOURED, "VrrpScripts", "Run on every group change with arguments GROUP NAME STATE 0 appended"),
            row("smtp_alert", "[BOOL]", "smtp_alert_vrrp, else smtp_alert, else off", "2.2.7", Smtp, HONOURED, "SyncGroupConfig::smtp_alert", "Mail on group state changes"),
            row("global_tracking", "none", "-", "2.2.7", Deprecated, HONOURED, "", "Old spelling; maps to sync_group_tracking_weight with a message").means("sync_group_tracking_weight"),
            row("sync_group_tracking_weight", "none", "off", "2.2.7", Tracking, HONOURED, "SyncGroupConfig::sync_group_tracking_weight", "Allow members to keep weighted trackers and differing priorities"),
            row("notify_priority_changes", "[BOOL]", "vrrp_notify_priority_changes", "2.2.7", Notify, HONOURED, "SyncGroupConfig::notify_priority_changes", "Report group priority changes to FIFOs"),
        ],
    },
    Section {
        paths: &[
            "vrrp_sync_group",
            "vrrp_instance",
        ],
        rows: &[
            row("notify_stop", "\"COMMAND [ARGS]\" [USER [GROUP]]", "none", "2.2.7", Notify, HONOURED, "VrrpScripts", "Run when stopping; no extra arguments"),
        ],
    },
    Section {
        paths: &["vrrp_instance"],
        rows: &[
            row("use_vmac", "[IFNAME | name IFNAME] [MAC] [netlink_notify_msg] [group GROUP]", "off; name PREFIX.VRID", "2.2.7", Vip, VMAC, "InstanceConfig::virtual_link", "Run the instance on a macvlan with the virtual router MAC"),
            row("use_vmac_addr", "none", "off", "2.2.7", Vip, VMAC, "InstanceConfig::use_vmac_addr", "Create VMACs for VIPs/eVIPs on other interfaces"),
            row("vmac_xmit_base", "none", "off", "2.2.7", Vrrp, VMAC, "InstanceConfig::vmac_xmit_base", "Send and receive adverts on the underlying interface, not the VMAC"),
            row("use_ipvlan", "[IFNAME | name IFNAME] [ADDR[/LEN]] [bridge|private|vepa] [group GROUP]", "off", "2.2.7", Vip, IPVLAN, "InstanceConfig::virtual_link", "Run the instance on an L2 ipvlan interface"),
            row("unicast_peer", "{ IP [min_ttl 0..255] [max_ttl 0..255] … }", "none", "2.2.7", Vrrp, HONOURED, "Cast::Unicast", "Send adverts to these peers instead of multicast; duplicates rejected"),
            row("unicast_fault_no_peer", "none", "off", "2.2.7", Vrrp, HONOURED, "InstanceConfig::configuration_fault", "Stay in FAULT when unicast is configured without peers"),
            row("check_unicast_src", "none", "vrrp_check_unicast_src", "2.2.7", Vrrp, HONOURED, "Cast::Unicast", "Drop unicast adverts from unknown sources"),
            row("old_unicast_checksum", "[never]", "automatic detection", "2.2.7", Vrrp, HONOURED, "InstanceConfig::checksum", "Use pre-1.3.6 checksum for unicast VRRPv3 IPv4, or never fall back to it"),
            row("native_ipv6", "none", "-", "2.2.7", Vrrp, HONOURED, "InstanceConfig::native_ipv6", "Force IPv6 (version 3) for instances without IPv6 VIPs"),
            row("state", "MASTER|BACKUP", "from priority: MASTER when 255", "2.2.7", Vrrp, HONOURED, "InstanceConfig::initial_state", "Initial state; MASTER non-owner starts BACKUP with a short timer"),
            row("interface", "IFNAME", "default_interface", "2.2.7", Vrrp, HONOURED, "InstanceConfig::interface", "Interface carrying VRRP; optional for unicast with unicast_src_ip"),
            row("vrf", "VRFNAME", "none", "2.2.7", Vrrp, HONOURED, "InstanceConfig::vrf", "VRF for unicast instances without interface"),
            row("dont_track_primary", "none", "off", "2.2.7", Tracking, HONOURED, "InstanceConfig::track_primary", "Ignore link state of the VRRP interface"),
            row("track_interface", "{ IFNAME [weight N [reverse]] … }", "none", "2.2.7", Tracking, HONOURED, "Tracker", "Interfaces tracked by this instance"),
            row("track_script", "{ SCRIPT [weight N [reverse|noreverse]] … }", "none", "2.2.7", Tracking, HONOURED, "Tracker", "vrrp_script results tracked by this instance"),
            row("track_file", "{ FILE [weight N [reverse|noreverse]] … }", "none", "2.2.7", Tracking, HONOURED, "Tracker", "track_file values tracked by this instance"),
            row("track_process", "{ PROCESS [weight N [reverse|noreverse]] … }", "none", "2.2.7", Tracking, HONOURED, "Tracker", "vrrp_track_process results tracked by this instance"),
            row("track_bfd", "{ BFD [weight N [reverse|noreverse]] … }", "none", "2.2.7", Tracking, BFD, "Tracker", "BFD sessions tracked by this instance"),
            row("mcast_src_ip", "IP", "primary address (link-local for IPv6)", "2.2.7", Vrrp, HONOURED, "InstanceConfig::source", "Source address of adverts"),
            row("unicast_src_ip", "IP", "primary address", "2.2.7", Vrrp, HONOURED, "InstanceConfig::source", "Source address of unicast adverts; does not by itself select unicast"),
            row("mcast_dst_ip", "multicast IP (IPv6: link-local scope)", "vrrp_mcast_group4/6", "2.2.7", Vrrp, HONOURED, "Cast::Multicast", "Destination group of this instance"),
            row("track_src_ip", "none", "off", "2.2.7", Tracking, HONOURED, "InstanceConfig::track_source", "Enter FAULT when the configured source address is absent"),
            row("virtual_router_id", "1..255", "required", "2.2.7", Vrrp, HONOURED, "InstanceConfig::vrid", "VRID; unique per interface and family"),
            row("unicast_ttl", "0..255", "255", "2.2.7", Vrrp, HONOURED, "Cast::Unicast", "TTL/hop limit of unicast adverts"),
            row("version", "2|3", "vrrp_version", "2.2.7", Vrrp, HONOURED, "InstanceConfig::version", "VRRP version; IPv6 requires 3"),
            row("priority", "1..255", "100, or 255 with state MASTER", "2.2.7", Vrrp, HONOURED, "InstanceConfig::priority", "Base priority; 255 is the address owner"),
            row("advert_int", "TIMER 0.01..255", "1", "2.2.7", Vrrp, HONOURED, "InstanceConfig::interval", "Advert interval; v2 whole seconds, v3 centiseconds up to 40.95"),
            row("virtual_ipaddress", "{ address lines }", "required for v3 unless no_virtual_ipaddress", "2.2.7", Vip, HONOURED, "InstancePart::addresses", "Addresses announced in adverts and added as master"),
            row("virtual_ipaddress_excluded", "{ address lines }", "none", "2.2.7", Vip, HONOURED, "InstancePart::excluded", "Addresses added as master but not announced; may be other family"),
            row("no_virtual_ipaddress", "none", "off", "2.2.8", Vip, HONOURED, "InstanceConfig::no_virtual_ipaddress", "Permit a version 3 instance without virtual addresses"),
            row("promote_secondaries", "none", "off", "2.2.7", Vip, HONOURED, "InstancePart::promote_secondaries", "Set promote_secondaries sysctl on the interface while running"),
            row("linkbeat_use_polling", "none", "-", "2.2.7", Deprecated, LINKBEAT, "", "Old spelling; maps to an entry in linkbeat_interfaces").means("linkbeat_interfaces"),
            row("v3_checksum_as_v2", "none", "global v3_checksum_as_v2", "2.2.8", Vrrp, HONOURED, "InstanceConfig::checksum", "Omit pseudo header from IPv4 VRRPv3 checksum"),
            row("virtual_routes", "{ route lines }", "none", "2.2.7", Route, HONOURED, "InstancePart::routes", "Routes added as master, removed otherwise"),
            row("virtual_rules", "{ rule lines }", "none", "2.2.7", Rule, HONOURED, "InstancePart::rules", "Policy rules added as master, removed otherwise"),
            row("accept", "none", "on unless strict", "2.2.7", Firewall, HONOURED, "InstancePart::no_accept", "Accept packets addressed to VIPs when not the owner"),
            row("no_accept", "none", "off", "2.2.7", Firewall, NFTABLES, "InstancePart::no_accept", "Drop packets addressed to VIPs when not the owner"),
            row("skip_check_adv_addr", "[BOOL]", "vrrp_skip_check_adv_addr", "2.2.7", Vrrp, HONOURED, "InstanceConfig::skip_check_advert_addresses", "Skip address list check for same master; quirk: off also turns it on"),
            row("strict_mode", "[BOOL]", "vrrp_strict", "2.2.7", Vrrp, HONOURED, "InstanceConfig::strict", "Enforce RFC compliance for this instance"),
            row("preempt", "none", "on", "2.2.7", Vrrp, HONOURED, "InstanceConfig::preempt", "Explicit default; allow taking over from lower priority master"),
            row("nopreempt", "none", "off", "2.2.7", Vrrp, HONOURED, "InstanceConfig::preempt", "Do not take over from a lower priority master; needs initial BACKUP"),
            row("preempt_delay", "TIMER 0..1000", "0", "2.2.7", Vrrp, HONOURED, "InstanceConfig::preempt_delay", "Wait after first lower priority advert before taking over"),
            row("debug", "0..4", "0", "2.2.7", Vrrp, NO_EFFECT, "InstanceConfig::debug", "Accepted, no effect"),
            row("notify_backup", "\"COMMAND [ARGS]\" [USER [GROUP]]", "none", "2.2.7", Notify, HONOURED, "VrrpScripts", "Run on entering BACKUP; no extra arguments"),
            row("notify_master", "\"COMMAND [ARGS]\" [USER [GROUP]]", "none", "2.2.7", Notify, HONOURED, "VrrpScripts", "Run on entering MASTER; no extra arguments"),
            row("notify_fault", "\"COMMAND [ARGS]\" [USER [GROUP]]", "none", "2.2.7", Notify, HONOURED, "VrrpScripts", "Run on entering FAULT; no extra arguments"),
            row("notify_master_rx_lower_pri", "\"COMMAND [ARGS]\" [USER [GROUP]]", "none", "2.2.7", Notify, HONOURED, "VrrpScripts", "Run when a master receives a lower priority advert; no extra arguments"),
            row("notify_deleted", "[\"COMMAND [ARGS]\" [USER [GROUP]]]", "off", "2.2.7", Notify, HONOURED, "VrrpScripts", "Report DELETED rather than FAULT when removed at reload; optionally run script"),
            row("notify", "\"COMMAND [ARGS]\" [USER [GROUP]]", "none", "2.2.7", Notify, HONOURED, "VrrpScripts", "Run on every change with INSTANCE NAME STATE PRIORITY appended"),
            row("smtp_alert", "[BOOL]", "smtp_alert_vrrp, else smtp_alert, else off", "2.2.7", Smtp, HONOURED, "InstancePart::smtp_alert", "Mail on state changes"),
            row("notify_priority_changes", "[BOOL]", "vrrp_notify_priority_changes", "2.2.7", Notify, HONOURED, "InstanceConfig::notify_priority_changes", "Report priority changes to FIFOs"),
            row("lvs_sync_daemon_interface", "IFNAME", "-", "2.2.7", Deprecated, SYNC_DAEMON, "", "Maps to global lvs_sync_daemon IFNAME inst THIS").means("lvs_sync_daemon"),
            row("garp_master_delay", "SECONDS 0..4294", "global", "2.2.7", Vrrp, HONOURED, "InstanceConfig::announce", "Delay of second gratuitous ARP/NA set"),
            row("garp_master_refresh", "SECONDS ≥0", "global", "2.2.7", Vrrp, HONOURED, "InstanceConfig::announce", "Refresh interval while master"),
            row("garp_master_repeat", "COUNT ≥0 (0 becomes 1)", "global", "2.2.7", Vrrp, HONOURED, "InstanceConfig::announce", "Messages per address per set"),
            row("garp_master_refresh_repeat", "COUNT ≥0 (0 becomes 1)", "global", "2.2.7", Vrrp, HONOURED, "InstanceConfig::announce", "Messages per address at refresh"),
            row("garp_lower_prio_delay", "SECONDS 0..4294", "global", "2.2.7", Vrrp, HONOURED, "InstanceConfig::announce", "Second set delay after lower priority advert"),
            row("garp_lower_prio_repeat", "COUNT ≥0", "global", "2.2.7", Vrrp, HONOURED, "InstanceConfig::announce", "Messages per address after lower priority advert"),
            row("down_timer_adverts", "COUNT 1..100", "global", "2.2.7", Vrrp, HONOURED, "InstanceConfig::down_timer_adverts", "Advert intervals in master-down timer"),
            row("timer_expired_backup", "[PRIORITY 1..254]", "off; PRIORITY 254", "2.2.8", Vrrp, HONOURED, "InstanceConfig::timer_expired_backup", "If timers ran late, step back to BACKUP when another master of at most PRIORITY exists; needs nopreempt"),
            row("thread_timer_expired", "[PRIORITY 1..254]", "-", "2.3.2", Deprecated, HONOURED, "", "Alias; maps to timer_expired_backup with a message").means("timer_expired_backup"),
            row("garp_extra_if", "[all] SECONDS 0..86400", "vrrp_garp_extra_if", "2.2.7", Vrrp, VMAC, "InstanceConfig::announce", "Periodic gratuitous ARP/NA from VMACs of this instance"),
            row("vmac_garp_intvl", "[all] SECONDS 0..86400", "-", "2.2.7", Deprecated, VMAC, "", "Old spelling; maps to garp_extra_if").means("garp_extra_if"),
            row("lower_prio_no_advert", "[BOOL]", "global; on when strict", "2.2.7", Vrrp, HONOURED, "InstanceConfig::lower_priority_no_advert", "Do not answer lower priority adverts"),
            row("higher_prio_send_advert", "[BOOL]", "global; off when strict", "2.2.7", Vrrp, HONOURED, "InstanceConfig::higher_priority_send_advert", "Send one advert before yielding"),
            row("owner_ignore_adverts", "[BOOL]", "global; on for strict owner", "2.3.3", Vrrp, HONOURED, "InstanceConfig::owner_ignore_adverts", "Priority 255 instance discards received adverts"),
            row("kernel_rx_buf_size", "BYTES", "vrrp_rx_bufs_policy", "2.2.7", Vrrp, HONOURED, "InstanceConfig::receive_buffer", "Receive buffer size for this instance socket"),
            row("authentication", "{ … }", "none", "2.2.7", Vrrp, HONOURED, "InstanceConfig::authentication", "VRRPv2 authentication block; ignored for version 3"),
            row("auth_hmac", "{ … }", "none", "2.4.0", Vrrp, HONOURED, "InstanceConfig::authentication", "HMAC-SHA256-128 authentication trailer for versions 2 and 3; excludes authentication"),
        ],
    },
    Section {
        paths: &["vrrp_instance/use_vmac"],
        rows: &[
            row("name", "IFNAME", "vrrp.VRID", "2.3.0", Vip, VMAC, "InstanceConfig", "Name of the VMAC; word may be omitted"),
            row("netlink_notify_msg", "none", "off", "2.3.0", Vip, VMAC, "InstanceConfig", "Set the MAC after creation so others get a netlink message"),
            row("group", "GROUP name or number", "copied from base interface", "2.3.0", Vip, VMAC, "InstanceConfig", "Interface group of the VMAC"),
            row("<MAC>", "6 octets, or 5 octets to append the VRID; not multicast nor RFC range", "00:00:5e:00:01:VRID (02 for IPv6)", "2.2.7", Vip, VMAC, "InstanceConfig", "MAC address of the VMAC"),
        ],
    },
    Section {
        paths: &["vrrp_instance/use_ipvlan"],
        rows: &[
            row("name", "IFNAME", "vrrp.VRID", "2.3.0", Vip, IPVLAN, "InstanceConfig", "Name of the ipvlan; word may be omitted"),
            row("group", "GROUP", "copied from base interface", "2.3.0", Vip, IPVLAN, "InstanceConfig", "Interface group"),
            row("bridge", "none", "default mode", "2.2.7", Vip, IPVLAN, "InstanceConfig", "ipvlan bridge mode"),
            row("private", "none", "-", "2.2.7", Vip, IPVLAN, "InstanceConfig", "ipvlan private mode"),
            row("vepa", "none", "-", "2.2.7", Vip, IPVLAN, "InstanceConfig", "ipvlan VEPA mode"),
            row("<ADDR>", "IP[/LEN]", "required for IPv4", "2.2.7", Vip, IPVLAN, "InstanceConfig", "Address of the ipvlan, also used as advert source"),
        ],
    },
    Section {
        paths: &["vrrp_instance/unicast_peer/<peer>"],
        rows: &[
            row("min_ttl", "0..255", "0", "2.2.7", Vrrp, HONOURED, "InstanceConfig", "Lowest accepted TTL/hop limit from the peer; enables source checking"),
            row("max_ttl", "0..255", "255", "2.2.7", Vrrp, HONOURED, "InstanceConfig", "Highest accepted TTL/hop limit from the peer; enables source checking"),
        ],
    },
    Section {
        paths: &["vrrp_instance/garp_extra_if"],
        rows: &[
            row("all", "none", "off", "2.2.7", Vrrp, EXTRA_ALL, "InstanceConfig", "Include interfaces of all VMACs of the instance"),
        ],
    },
    Section {
        paths: &["vrrp_instance/authentication"],
        rows: &[
            row("auth_type", "PASS|AH", "required", "2.2.7", Vrrp, HONOURED, "InstanceConfig::authentication::auth_type", "Plain password or IPsec AH style HMAC-MD5-96"),
            row("auth_pass", "STRING, first 8 bytes used", "required", "2.2.7", Vrrp, HONOURED, "InstanceConfig::authentication::auth_pass", "Shared password, zero padded to 8 bytes"),
        ],
    },
    Section {
        paths: &["vrrp_instance/auth_hmac"],
        rows: &[
            row("key", "ID 1..255 SECRET: 32..64 bytes as ASCII, hex:DIGITS or file:PATH", "at least one", "2.4.0", Vrrp, HONOURED, "HmacConfig::key", "Define a key; several allowed for rotation"),
            row("active_key", "ID", "required (extension disabled when undefined)", "2.4.0", Vrrp, HONOURED, "HmacConfig::active_key", "Key used for signing"),
            row("time_window", "SECONDS 1..300", "3 × advert_int, within 5..300", "2.4.0", Vrrp, HONOURED, "HmacConfig::time_window", "Accepted clock difference for freshness check"),
            row("anti_replay", "time|monotonic", "time", "2.4.0", Vrrp, HONOURED, "HmacConfig::anti_replay", "Replay protection by wall clock or by monotonic counter"),
            row("mode", "enforce|permissive|receive-only", "enforce", "2.4.0", Vrrp, HONOURED, "HmacConfig::mode", "Policy for signing and verification"),
        ],
    },
    Section {
        paths: &["vrrp_instance/auth_hmac/key"],
        rows: &[
            row("hex:", "even number of hex digits", "-", "2.4.0", Vrrp, HONOURED, "HmacConfig", "Key given in hexadecimal"),
            row("file:", "PATH not group/world readable", "-", "2.4.0", Vrrp, HONOURED, "HmacConfig", "Key read from file; trailing newline stripped"),
        ],
    },
    Section {
        paths: &["vrrp_instance/auth_hmac/anti_replay"],
        rows: &[
            row("time", "none", "default", "2.4.0", Vrrp, HONOURED, "HmacConfig", "Use UTC timestamps and the freshness window"),
            row("monotonic", "none", "-", "2.4.0", Vrrp, HONOURED, "HmacConfig", "Use a counter only, no clock comparison"),
        ],
    },
    Section {
        paths: &["vrrp_instance/auth_hmac/mode"],
        rows: &[
            row("enforce", "none", "default", "2.4.0", Vrrp, HONOURED, "HmacConfig", "Sign; drop adverts without valid trailer"),
            row("permissive", "none", "-", "2.4.0", Vrrp, HONOURED, "HmacConfig", "Sign; accept unsigned adverts, drop bad signatures"),
            row("receive-only", "none", "-", "2.4.2", Vrrp, HONOURED, "HmacConfig", "Do not sign; understand signed adverts"),
        ],
    },
    Section {
        paths: &["vrrp_instance/state"],
        rows: &[
            row("MASTER", "none", "-", "2.2.7", Vrrp, HONOURED, "InstanceConfig", "Start as master where possible"),
            row("BACKUP", "none", "-", "2.2.7", Vrrp, HONOURED, "InstanceConfig", "Start as backup"),
        ],
    },
    Section {
        paths: &["vrrp_instance/old_unicast_checksum"],
        rows: &[
            row("never", "none", "-", "2.2.7", Vrrp, HONOURED, "InstanceConfig", "Never use the old checksum, even if peers do"),
        ],
    },
    Section {
        paths: &["vrrp_instance/authentication/auth_type"],
        rows: &[
            row("PASS", "none", "-", "2.2.7", Vrrp, HONOURED, "InstanceConfig::authentication", "Cleartext password"),
            row("AH", "none", "-", "2.2.7", Vrrp, HONOURED, "InstanceConfig::authentication", "IPsec AH header (IPv4 only)"),
        ],
    },
    Section {
        paths: &[
            "vrrp_instance/track_interface/<name>",
            "vrrp_sync_group/track_interface/<name>",
        ],
        rows: &[
            row("weight", "-253..253 [reverse]", "from definition, else 0", "2.2.7", Tracking, HONOURED, "Tracker", "Priority change; 0 means fault on failure"),
        ],
    },
    Section {
        paths: &[
            "vrrp_instance/track_interface/<name>",
            "vrrp_instance/track_script/<name>",
            "vrrp_instance/track_file/<name>",
            "vrrp_sync_group/track_interface/<name>",
            "vrrp_sync_group/track_script/<name>",
            "vrrp_sync_group/track_file/<name>",
        ],
        rows: &[
            row("reverse", "none", "off", "2.2.7", Tracking, HONOURED, "Tracker", "Invert the tracked result"),
        ],
    },
    Section {
        paths: &[
            "vrrp_instance/track_script/<name>",
            "vrrp_sync_group/track_script/<name>",
        ],
        rows: &[
            row("weight", "-253..253 [reverse|noreverse]", "from definition, else 0", "2.2.7", Tracking, HONOURED, "Tracker", "Priority change; 0 means fault on failure"),
        ],
    },
    Section {
        paths: &[
            "vrrp_instance/track_script/<name>",
            "vrrp_instance/track_file/<name>",
            "vrrp_sync_group/track_script/<name>",
            "vrrp_sync_group/track_file/<name>",
        ],
        rows: &[
            row("noreverse", "none", "off", "2.2.7", Tracking, HONOURED, "Tracker", "Cancel reverse set in the definition"),
        ],
    },
    Section {
        paths: &[
            "vrrp_instance/track_file/<name>",
            "vrrp_sync_group/track_file/<name>",
        ],
        rows: &[
            row("weight", "-254..254 [reverse|noreverse]", "from definition, else 1", "2.2.7", Tracking, HONOURED, "Tracker", "Multiplier of file value; 0 means fault when value is non-zero"),
        ],
    },
    Section {
        paths: &[
            "vrrp_instance/track_process/<name>",
            "vrrp_sync_group/track_process/<name>",
        ],
        rows: &[
            row("weight", "-254..254 [reverse|noreverse]", "from definition, else 0", "2.2.7", Tracking, HONOURED, "Tracker", "Priority change; 0 means fault on failure"),
            row("reverse", "none", "off", "2.2.7", Tracking, HONOURED, "Tracker", "Invert the tracked result"),
            row("noreverse", "none", "off", "2.2.7", Tracking, HONOURED, "Tracker", "Cancel reverse set in the definition"),
        ],
    },
    Section {
        paths: &[
            "vrrp_instance/track_bfd/<name>",
            "vrrp_sync_group/track_bfd/<name>",
        ],
        rows: &[
            row("weight", "-253..253 [reverse|noreverse]", "from definition, else 0", "2.2.7", Tracking, BFD, "Tracker", "Priority change; 0 means fault on failure"),
            row("reverse", "none", "off", "2.2.7", Tracking, BFD, "Tracker", "Invert the tracked result"),
            row("noreverse", "none", "off", "2.2.7", Tracking, BFD, "Tracker", "Cancel reverse set in the definition"),
        ],
    },
];
