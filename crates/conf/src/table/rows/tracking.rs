//! Scripts, files, processes, BFD sessions, and the small blocks about interfaces.

use super::super::row::{Area::*, Section, row};
#[allow(unused_imports)]
use super::super::status::*;

/// Rows in the order of the manual; a section whose words stand in several blocks names them all.
#[rustfmt::skip]
pub(super) const SECTIONS: &[Section] = &[
    Section {
        paths: &["track_group"],
        rows: &[
            row("group", "{ INSTANCE … }", "-", "2.2.7", Tracking, HONOURED, "VrrpPart::track_groups::group", "Members of the track group"),
        ],
    },
    Section {
        paths: &["garp_group"],
        rows: &[
            row("garp_interval", "TIMER 0..4294", "0", "2.2.7", Vrrp, HONOURED, "AnnounceLimit", "Gap between gratuitous ARPs on the group"),
            row("gna_interval", "TIMER 0..4294", "0", "2.2.7", Vrrp, HONOURED, "AnnounceLimit::gna_interval", "Gap between unsolicited neighbour adverts on the group"),
            row("interface", "IFNAME", "-", "2.2.7", Vrrp, HONOURED, "AnnounceLimit::interface", "One interface to which the limits apply"),
            row("interfaces", "{ IFNAME … }", "-", "2.2.7", Vrrp, HONOURED, "AnnounceLimit::interfaces", "Interfaces that share the limits"),
        ],
    },
    Section {
        paths: &["linkbeat_interfaces/<if>"],
        rows: &[
            row("MII", "none", "auto", "2.2.7", Tracking, LINKBEAT, "VrrpPart::linkbeat", "Use MII registers; falls back to others when unsupported"),
            row("ETHTOOL", "none", "auto", "2.2.7", Tracking, LINKBEAT, "VrrpPart::linkbeat", "Use ethtool link query; falls back to others when unsupported"),
            row("IOCTL", "none", "auto", "2.2.7", Tracking, LINKBEAT, "VrrpPart::linkbeat", "Use interface flags ioctl; falls back to others when unsupported"),
        ],
    },
    Section {
        paths: &["vrrp_script"],
        rows: &[
            row("script", "\"COMMAND [ARGS]\" | </PATH", "required", "2.2.7", Script, HONOURED, "ScriptConfig::script", "Command to run; </PATH only tests that the file can be opened"),
            row("interval", "SECONDS 0..4294, 3 decimals (0 becomes 1)", "1", "2.2.7", Tracking, HONOURED, "ScriptConfig::interval", "Time between starts"),
            row("timeout", "SECONDS 0..4294, 3 decimals (0 becomes 1)", "interval", "2.2.7", Tracking, HONOURED, "ScriptConfig::timeout", "Time allowed before the script is killed and counted as failed"),
            row("weight", "-253..253 [reverse]", "0", "2.2.7", Tracking, HONOURED, "ScriptConfig::weight", "Priority change; 0 means fault"),
            row("rise", "COUNT ≥1", "1", "2.2.7", Tracking, HONOURED, "ScriptConfig::rise", "Successes needed to be up"),
            row("fall", "COUNT ≥1", "1", "2.2.7", Tracking, HONOURED, "ScriptConfig::fall", "Failures needed to be down"),
            row("user", "USER [GROUP|:GROUP]", "script_user", "2.2.7", Script, HONOURED, "ScriptConfig::user", "Run as this user and group"),
            row("init_fail", "none", "off", "2.2.7", Tracking, HONOURED, "ScriptConfig::init_fail", "Meant: failed until first success; no effect in practice because track_script resets it (verified)"),
        ],
    },
    Section {
        paths: &["vrrp_script/weight"],
        rows: &[
            row("reverse", "none", "off", "2.2.7", Tracking, HONOURED, "ScriptConfig", "Invert success and failure"),
        ],
    },
    Section {
        paths: &["vrrp_track_process"],
        rows: &[
            row("process", "PATH_OR_COMM [PARAM …]", "required", "2.2.7", Tracking, HONOURED, "TrackProcessConfig::process", "Command to match; parameters imply full command line matching"),
            row("param_match", "[initial|partial]", "exact when parameters given", "2.2.7", Tracking, HONOURED, "TrackProcessConfig::param_match", "How parameters compare; no argument means exact"),
            row("weight", "-254..254 [reverse]", "0", "2.2.7", Tracking, HONOURED, "TrackProcessConfig::weight", "Priority change; 0 or beyond ±253 means fault"),
            row("quorum", "1..65535", "1", "2.2.7", Tracking, HONOURED, "TrackProcessConfig::quorum", "Least number of matching processes"),
            row("quorum_max", "0..65535", "unlimited", "2.2.7", Tracking, HONOURED, "TrackProcessConfig::quorum_max", "Most matching processes allowed; 0 means none may run"),
            row("delay", "TIMER 0.000001..3600", "0", "2.2.7", Tracking, HONOURED, "TrackProcessConfig::delay", "Sets both fork_delay and terminate_delay"),
            row("terminate_delay", "TIMER 0.000001..3600", "0", "2.2.7", Tracking, HONOURED, "TrackProcessConfig::terminate_delay", "Wait after losing quorum before acting"),
            row("fork_delay", "TIMER 0.000001..3600", "0", "2.2.7", Tracking, HONOURED, "TrackProcessConfig::fork_delay", "Wait after gaining quorum before acting"),
            row("full_command", "none", "off", "2.2.7", Tracking, HONOURED, "TrackProcessConfig::full_command", "Match argv[0] from cmdline rather than the 15 byte comm"),
        ],
    },
    Section {
        paths: &["vrrp_track_process/param_match"],
        rows: &[
            row("initial", "none", "-", "2.2.7", Tracking, HONOURED, "TrackProcessConfig", "Given parameters must be the leading ones; last may be just a prefix"),
            row("partial", "none", "-", "2.2.7", Tracking, HONOURED, "TrackProcessConfig", "Given parameters must be the leading ones, each complete"),
        ],
    },
    Section {
        paths: &["vrrp_track_process/weight"],
        rows: &[
            row("reverse", "none", "off", "2.2.7", Tracking, HONOURED, "TrackProcessConfig", "Invert the result"),
        ],
    },
    Section {
        paths: &["track_file"],
        rows: &[
            row("file", "PATH (quote if it has blanks)", "required", "2.2.7", Tracking, HONOURED, "TrackFileConfig::file", "Path of the monitored file"),
            row("weight", "-254..254 [reverse]", "1", "2.2.7", Tracking, HONOURED, "TrackFileConfig::weight", "Default multiplier"),
            row("init_file", "[VALUE] [overwrite]", "off; VALUE 0", "2.2.7", Tracking, HONOURED, "TrackFileConfig::init_file", "Create the file at start with VALUE; overwrite also replaces existing content"),
        ],
    },
    Section {
        paths: &["track_file/weight"],
        rows: &[
            row("reverse", "none", "off", "2.2.7", Tracking, HONOURED, "TrackFileConfig", "Negate the value"),
        ],
    },
    Section {
        paths: &["track_file/init_file"],
        rows: &[
            row("overwrite", "none", "off", "2.2.7", Tracking, HONOURED, "TrackFileConfig", "Replace content of an existing file"),
        ],
    },
    Section {
        paths: &["vrrp_track_file"],
        rows: &[
            row("file", "PATH (quote if it has blanks)", "required", "2.2.7", Deprecated, HONOURED, "", "Maps to track_file: Path of the monitored file").means("file"),
            row("weight", "-254..254 [reverse]", "1", "2.2.7", Deprecated, HONOURED, "", "Maps to track_file: Default multiplier").means("weight"),
            row("init_file", "[VALUE] [overwrite]", "off; VALUE 0", "2.2.7", Deprecated, HONOURED, "", "Maps to track_file: Create the file at start with VALUE; overwrite also replaces existing content").means("init_file"),
        ],
    },
    Section {
        paths: &["vrrp_track_file/weight"],
        rows: &[
            row("reverse", "none", "off", "2.2.7", Deprecated, HONOURED, "", "Maps to track_file: Negate the value").means("reverse"),
        ],
    },
    Section {
        paths: &["vrrp_track_file/init_file"],
        rows: &[
            row("overwrite", "none", "off", "2.2.7", Deprecated, HONOURED, "", "Maps to track_file: Replace content of an existing file").means("overwrite"),
        ],
    },
    Section {
        paths: &["bfd_instance"],
        rows: &[
            row("source_ip", "IP", "kernel choice", "2.2.7", Bfd, BFD, "SessionConfig::source_ip", "Local address; also picks source port range 49152 upward"),
            row("neighbor_ip", "IP", "required", "2.2.7", Bfd, BFD, "SessionConfig::neighbor_ip", "Peer address"),
            row("neighbour_ip", "IP", "-", "2.2.7", Bfd, BFD, "SessionConfig::neighbour_ip", "Alternative spelling; maps to neighbor_ip").means("neighbor_ip"),
            row("min_rx", "MS ≥1, 3 decimals", "10", "2.2.7", Bfd, BFD, "SessionConfig::min_rx", "Required minimum receive interval"),
            row("min_tx", "MS ≥1, 3 decimals", "10", "2.2.7", Bfd, BFD, "SessionConfig::min_tx", "Desired minimum transmit interval when up"),
            row("idle_tx", "MS ≥1000, 3 decimals", "1000", "2.2.7", Bfd, BFD, "SessionConfig::idle_tx", "Transmit interval when not up"),
            row("multiplier", "1..255", "5", "2.2.7", Bfd, BFD, "SessionConfig::multiplier", "Detection multiplier"),
            row("passive", "none", "off", "2.2.7", Bfd, BFD, "SessionConfig::passive", "Wait for the peer to start"),
            row("ttl", "1..255", "255 (IPv4), 64 (IPv6)", "2.2.7", Bfd, BFD, "SessionConfig::ttl", "TTL/hop limit sent"),
            row("hoplimit", "1..255", "-", "2.2.7", Bfd, BFD, "SessionConfig::hoplimit", "Alternative spelling; maps to ttl").means("ttl"),
            row("max_hops", "-1..255", "0", "2.2.7", Bfd, BFD, "SessionConfig::max_hops", "Hops a received packet may have travelled; -1 disables the check"),
            row("multihop", "[BOOL]", "off", "2.2.8", Bfd, BFD, "SessionConfig::multihop", "Use RFC5883 port 4784 rather than 3784"),
            row("weight", "-253..253 [reverse]", "0", "2.2.7", Bfd, BFD, "SessionConfig::weight", "Priority change for tracking instances; 0 means fault"),
            row("vrrp", "none", "both", "2.2.7", Bfd, BFD, "SessionConfig::vrrp", "Send events to VRRP process; if either is given only those listed"),
            row("checker", "none", "both", "2.2.7", Bfd, BFD, "SessionConfig::checker", "Send events to checker process; if either is given only those listed"),
        ],
    },
    Section {
        paths: &["bfd_instance/weight"],
        rows: &[
            row("reverse", "none", "off", "2.2.7", Bfd, BFD, "SessionConfig", "Invert the session state"),
        ],
    },
];
