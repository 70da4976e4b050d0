//! What a virtual router is told to be. `conf` lowers keepalived.conf into these; every value is proven and every
//! default is filled in, so the state machines never re-check.

use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use types::{CentiSeconds, Family, IfName, MacAddr, Priority, Secret, TrackWeight, Ttl, Vrid, VrrpVersion};

/// Everything the VRRP process decides with.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Config {
    /// Virtual routers, in the order of the file.
    pub instances: Vec<InstanceConfig>,
    /// Groups of instances that change state together.
    pub sync_groups: Vec<SyncGroupConfig>,
    /// `vrrp_script` blocks that something tracks.
    pub scripts: Vec<ScriptConfig>,
    /// `track_file` blocks that something tracks.
    pub files: Vec<TrackFileConfig>,
    /// `vrrp_track_process` blocks that something tracks.
    pub processes: Vec<TrackProcessConfig>,
    /// Names of the BFD sessions that something tracks.
    pub bfds: Vec<String>,
    /// `garp_group` blocks and the global gratuitous ARP intervals.
    pub announce_limits: Vec<AnnounceLimit>,
    /// `interface_up_down_delays`.
    pub link_delays: Vec<LinkDelay>,
    /// `vrrp_startup_delay`: nothing is sent and nobody becomes master before this has passed.
    pub startup_delay: Duration,
    /// `log_unknown_vrids`.
    pub log_unknown_vrids: bool,
    /// `dynamic_interfaces`: interfaces may be absent, appear, vanish and be renamed.
    pub dynamic_interfaces: bool,
}

/// One `vrrp_instance`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceConfig {
    /// `vrrp_instance NAME`.
    pub name: String,
    /// Family of the adverts.
    pub family: Family,
    /// `version`; IPv6 is always version 3.
    pub version: VrrpVersion,
    /// `virtual_router_id`.
    pub vrid: Vrid,
    /// `interface`; absent only for unicast with `unicast_src_ip`.
    pub interface: Option<IfName>,
    /// `vrf` of a unicast instance without interface.
    pub vrf: Option<IfName>,
    /// `use_vmac` or `use_ipvlan`.
    pub virtual_link: Option<VirtualLinkConfig>,
    /// `state`: whether the first wait is a short one.
    pub initial_state: InitialState,
    /// `priority`; 255 is the owner of the addresses.
    pub priority: Priority,
    /// `advert_int`.
    pub interval: CentiSeconds,
    /// `down_timer_adverts`: advert intervals in the master-down timer, 1 to 100.
    pub down_timer_adverts: u8,
    /// Multicast group or unicast peers.
    pub cast: Cast,
    /// `mcast_src_ip` or `unicast_src_ip`.
    pub source: Option<IpAddr>,
    /// `track_src_ip`: absence of the source address is a fault.
    pub track_source: bool,
    /// Absent with `dont_track_primary`.
    pub track_primary: bool,
    /// Addresses that adverts list, in the order of the file (`virtual_ipaddress`, as many as fit an advert).
    pub advertised: Vec<IpAddr>,
    /// Addresses to announce by gratuitous ARP or neighbour advertisement: VIPs, then excluded ones.
    pub announced: Vec<Announced>,
    /// Interfaces of addresses with `dev` and without `no_track`, other than the instance's own.
    pub address_interfaces: Vec<IfName>,
    /// Cleared by `nopreempt`.
    pub preempt: bool,
    /// `preempt_delay`.
    pub preempt_delay: Duration,
    /// `strict_mode`.
    pub strict: bool,
    /// `skip_check_adv_addr`.
    pub skip_check_advert_addresses: bool,
    /// `lower_prio_no_advert`.
    pub lower_priority_no_advert: bool,
    /// `higher_prio_send_advert`.
    pub higher_priority_send_advert: bool,
    /// `owner_ignore_adverts`.
    pub owner_ignore_adverts: bool,
    /// `timer_expired_backup [PRIORITY]`: step down after a stall in which a peer of this priority would have taken over.
    pub timer_expired_backup: Option<Priority>,
    /// Checksum of version 3 over IPv4.
    pub checksum: ChecksumV3,
    /// `authentication` or `auth_hmac`.
    pub authentication: Authentication,
    /// Gratuitous ARP and neighbour advertisement.
    pub announce: AnnounceConfig,
    /// What the priority and the faults depend on.
    pub trackers: Vec<Tracker>,
    /// `notify_priority_changes`.
    pub notify_priority_changes: bool,
    /// `notify_deleted`: report DELETED rather than FAULT when the instance is removed by a reload.
    pub notify_deleted: bool,
    /// A reason for which the instance must stay in FAULT (`unicast_fault_no_peer`, no VIP with version 3…).
    pub configuration_fault: Option<String>,
    /// `kernel_rx_buf_size` or `vrrp_rx_bufs_policy`, in octets.
    pub receive_buffer: Option<u32>,
}

/// `state` of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum InitialState {
    /// `state MASTER`: listens for one interval and the smallest skew only.
    Master,
    /// `state BACKUP`.
    Backup,
}

/// To whom adverts go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cast {
    /// `mcast_dst_ip` or the default group 224.0.0.18 / ff02::12.
    Multicast {
        /// The group.
        group: IpAddr,
    },
    /// `unicast_peer`.
    Unicast {
        /// The peers, in the order of the file.
        peers: Vec<Peer>,
        /// `unicast_ttl`.
        ttl: Ttl,
        /// `check_unicast_src`, or implied by a peer's TTL range.
        check_source: bool,
    },
}

/// One line of `unicast_peer`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peer {
    /// Its address.
    pub address: IpAddr,
    /// `min_ttl`: lowest TTL accepted.
    pub min_ttl: Ttl,
    /// `max_ttl`: highest TTL accepted.
    pub max_ttl: Ttl,
}

/// A macvlan or ipvlan that carries the instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VirtualLinkConfig {
    /// Its name (`vrrp.VRID` by default).
    pub name: IfName,
    /// What it is.
    pub kind: VirtualLinkKind,
    /// `vmac_xmit_base`: adverts leave and arrive on the underlying interface.
    pub transmit_base: bool,
    /// `group NAME`: interface group; copied from the base where absent.
    pub group: Option<u32>,
    /// `netlink_notify_msg`: set the MAC after creation so that others get a message.
    pub notify_message: bool,
}

/// macvlan or ipvlan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum VirtualLinkKind {
    /// `use_vmac`: a private macvlan with this address.
    Macvlan {
        /// 00:00:5e:00:01:VRID unless configured.
        mac: MacAddr,
    },
    /// `use_ipvlan`: layer 2.
    Ipvlan {
        /// Its address, also the source of adverts; required for IPv4.
        address: Option<types::Prefix>,
        /// bridge, private or vepa.
        mode: IpvlanMode,
    },
}

/// Mode of an ipvlan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum IpvlanMode {
    /// Default.
    Bridge,
    /// `private`.
    Private,
    /// `vepa`.
    Vepa,
}

/// Which octets the checksum of a version 3 advert over IPv4 covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChecksumV3 {
    /// Pseudo-header and message (what keepalived sends by default); an old peer's variant is recognised and then used.
    PseudoHeader,
    /// The same, never falling back to the old unicast variant (`old_unicast_checksum never`).
    PseudoHeaderOnly,
    /// Pseudo-header with 224.0.0.18 as destination though sent by unicast (`old_unicast_checksum`).
    OldUnicast,
    /// The message alone, as RFC 9568 §5.2.8 says (`v3_checksum_as_v2`); received checksums are not enforced then.
    MessageOnly,
}

/// How adverts prove who sent them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Authentication {
    /// Nothing (RFC 3768, RFC 9568).
    None,
    /// RFC 2338 type 1: eight octets in clear, zero-padded.
    Password(Secret),
    /// RFC 2338 type 2: IP authentication header with HMAC-MD5-96; the key is eight octets, zero-padded.
    AuthenticationHeader(Secret),
    /// `auth_hmac`: a trailer with a truncated HMAC-SHA-256.
    Hmac(HmacConfig),
}

/// `auth_hmac`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HmacConfig {
    /// Key id and key of 32 to 64 octets.
    pub keys: Vec<(u8, Secret)>,
    /// The key that signs; always one of `keys`.
    pub active_key: u8,
    /// Accepted difference of clocks, 1 to 300 s.
    pub time_window: Duration,
    /// Replay protection.
    pub anti_replay: AntiReplay,
    /// Who signs and who must.
    pub mode: HmacMode,
}

/// `anti_replay`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AntiReplay {
    /// By UTC time stamps and the freshness window.
    Time,
    /// By a counter, without comparing clocks.
    Monotonic,
}

/// `mode` of `auth_hmac`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum HmacMode {
    /// Signs; refuses what has no valid trailer.
    Enforce,
    /// Signs; accepts what has no trailer, refuses a bad one.
    Permissive,
    /// Does not sign; accepts what has no trailer, refuses a bad one.
    ReceiveOnly,
}

/// An address to announce and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announced {
    /// The address.
    pub address: IpAddr,
    /// `dev`; the instance's own interface where absent.
    pub interface: Option<IfName>,
}

impl InstanceConfig {
    /// Whether addresses may stand on virtual links that no advert leaves through.
    pub(crate) fn may_have_extra_links(&self) -> bool {
        self.virtual_link.is_some() || self.announced.iter().any(|one| one.interface.is_some())
    }
}

/// `garp_*` of an instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnnounceConfig {
    /// `garp_master_delay`: second set after becoming master; zero for none.
    pub master_delay: Duration,
    /// `garp_master_repeat`: messages per address and set, at least 1.
    pub master_repeat: u32,
    /// `garp_master_refresh`: while master; zero for never.
    pub master_refresh: Duration,
    /// `garp_master_refresh_repeat`, at least 1.
    pub master_refresh_repeat: u32,
    /// `garp_lower_prio_delay`: second set after an advert of lower priority.
    pub lower_priority_delay: Duration,
    /// `garp_lower_prio_repeat`: messages per address after an advert of lower priority; may be 0.
    pub lower_priority_repeat: u32,
    /// `garp_extra_if`: refresh from virtual links; zero for never.
    pub extra_interface_refresh: Duration,
}

impl Default for AnnounceConfig {
    fn default() -> Self {
        Self {
            master_delay: Duration::from_secs(5),
            master_repeat: 5,
            master_refresh: Duration::ZERO,
            master_refresh_repeat: 1,
            lower_priority_delay: Duration::from_secs(5),
            lower_priority_repeat: 5,
            extra_interface_refresh: Duration::ZERO,
        }
    }
}

/// Least gap between announcements on some interfaces taken together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnnounceLimit {
    /// Interfaces that share the limit; empty for "each interface on its own" (the global intervals).
    pub interfaces: Vec<IfName>,
    /// Gap between gratuitous ARPs.
    pub arp_interval: Duration,
    /// Gap between unsolicited neighbour advertisements.
    pub neighbour_interval: Duration,
}

/// `interface_up_down_delays`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkDelay {
    /// The interface.
    pub interface: IfName,
    /// How long it must be down to count.
    pub down: Duration,
    /// How long it must be up to count.
    pub up: Duration,
}

/// `vrrp_sync_group`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncGroupConfig {
    /// Its name.
    pub name: String,
    /// Names of its members.
    pub members: Vec<String>,
    /// What every member depends on.
    pub trackers: Vec<Tracker>,
    /// `sync_group_tracking_weight`: members keep weighted trackers.
    pub tracking_weight: bool,
    /// `notify_priority_changes`.
    pub notify_priority_changes: bool,
}

/// One line of `track_interface`, `track_script`, `track_file`, `track_process` or `track_bfd`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tracker {
    /// What is watched.
    pub target: TrackTarget,
    /// 0: failure is a fault. Else added to the priority, as keepalived.conf(5) says for each kind.
    pub weight: TrackWeight,
    /// Success counts as failure and the reverse.
    pub reverse: bool,
}

/// What a tracker watches, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum TrackTarget {
    /// State of an interface.
    Interface(IfName),
    /// A `vrrp_script`.
    Script(String),
    /// A `track_file`; its value is multiplied by the weight.
    File(String),
    /// A `vrrp_track_process`.
    Process(String),
    /// A `bfd_instance`.
    Bfd(String),
}

/// `vrrp_script`. The command itself belongs to `notify::Script`, found by the same name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScriptConfig {
    /// Its name.
    pub name: String,
    /// The command as written: a reload keeps the result only while this stays equal.
    pub command: String,
    /// Time between starts.
    pub interval: Duration,
    /// Time after which it is killed and counted as failed.
    pub timeout: Duration,
    /// Successes needed to be up.
    pub rise: u32,
    /// Failures needed to be down.
    pub fall: u32,
    /// `init_fail`: down until it first succeeded.
    pub init_fail: bool,
}

/// `track_file`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackFileConfig {
    /// Its name.
    pub name: String,
    /// The file watched.
    pub path: String,
    /// `init_file [VALUE] [overwrite]`.
    pub init: Option<InitFile>,
}

/// `init_file`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InitFile {
    /// What to write.
    pub value: i64,
    /// Whether existing content is replaced.
    pub overwrite: bool,
}

/// `vrrp_track_process`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackProcessConfig {
    /// Its name.
    pub name: String,
    /// Path or 15-octet command name.
    pub process: String,
    /// Parameters to compare.
    pub parameters: Vec<String>,
    /// How parameters are compared.
    pub parameter_match: ParameterMatch,
    /// `full_command`: compare argv\[0\] rather than the command name.
    pub full_command: bool,
    /// Least number of processes.
    pub quorum: u32,
    /// Most processes allowed.
    pub quorum_max: Option<u32>,
    /// `fork_delay`: wait after gaining the quorum.
    pub fork_delay: Duration,
    /// `terminate_delay`: wait after losing the quorum.
    pub terminate_delay: Duration,
}

/// `param_match`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ParameterMatch {
    /// Parameters are not looked at.
    None,
    /// All equal.
    Exact,
    /// The given ones lead.
    Partial,
    /// The given ones lead, the last may be a prefix.
    Initial,
}
