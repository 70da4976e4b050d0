//! Virtual servers as keepalived.conf writes them, with every inherited value worked out.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ipvs::{Forwarding, PersistenceConfig, ServiceFlags};
use serde::{Deserialize, Serialize};
use types::{Family, FwMark, IfName, Port, Protocol, Secret, Weight};

/// Everything the checker process decides with.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Config {
    /// `virtual_server` blocks that have real servers, in the order of the file.
    pub virtual_servers: Vec<VirtualServerConfig>,
    /// `virtual_server_group` blocks in use.
    pub groups: Vec<GroupConfig>,
    /// `track_file` blocks that a FILE_CHECK names: name and path.
    pub files: Vec<(String, String)>,
    /// `lvs_timeouts`: tcp, tcpfin, udp in seconds; 0 leaves a value.
    pub timeouts: Option<(u32, u32, u32)>,
    /// `lvs_flush`.
    pub flush: bool,
    /// `lvs_flush_on_stop`.
    pub flush_on_stop: FlushOnStop,
    /// `lvs_sync_daemon`.
    pub sync_daemon: Option<SyncDaemonConfig>,
    /// `rs_init_notifies`.
    pub init_notifies: bool,
    /// `SSL { … }`.
    pub ssl: Option<SslConfig>,
    /// `nftables_ipvs`: table name, chain priority, first mark.
    pub nftables: Option<NftablesConfig>,
}

/// `lvs_flush_on_stop`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum FlushOnStop {
    /// Real servers, then services, one by one.
    #[default]
    No,
    /// The whole table.
    Everything,
    /// Each configured service.
    VirtualServers,
}

/// `nftables_ipvs`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NftablesConfig {
    /// Table name.
    pub table: String,
    /// Priority of the chain.
    pub priority: i32,
    /// First firewall mark used for groups.
    pub first_mark: FwMark,
    /// `nftables_counters`.
    pub counters: bool,
}

/// `lvs_sync_daemon`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncDaemonConfig {
    /// Interface.
    pub interface: IfName,
    /// `inst`: the role follows this instance.
    pub instance: Option<String>,
    /// `id`; the VRID of the instance where absent, else 0.
    pub id: Option<u8>,
    /// `maxlen`.
    pub max_len: Option<u16>,
    /// `port`.
    pub port: Option<u16>,
    /// `ttl`.
    pub ttl: Option<u8>,
    /// `group`.
    pub group: Option<IpAddr>,
}

/// `SSL`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SslConfig {
    /// Password of the private key.
    pub password: Option<Secret>,
    /// CA file.
    pub ca: Option<String>,
    /// Client certificate file.
    pub certificate: Option<String>,
    /// Client private key file.
    pub key: Option<String>,
}

/// `virtual_server_group`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupConfig {
    /// Its name.
    pub name: String,
    /// Its entries.
    pub entries: Vec<GroupEntry>,
}

/// One line of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum GroupEntry {
    /// `IP`, `IP-LAST`, `IP-IP` or `IP/MASK`, `first` to `last` inclusive.
    Range {
        /// First address.
        first: IpAddr,
        /// Last address; equal to `first` for one.
        last: IpAddr,
        /// Port; 0 for every port.
        port: Port,
    },
    /// `fwmark`.
    Mark {
        /// The mark.
        mark: FwMark,
        /// `inet` / `inet6`; from the real servers where absent.
        family: Option<Family>,
    },
}

/// What a virtual server balances.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Target {
    /// `virtual_server IP PORT`.
    Address {
        /// Address and port; port 0 is every port.
        address: SocketAddr,
        /// Protocol.
        protocol: Protocol,
    },
    /// `virtual_server fwmark MARK`.
    Mark {
        /// The mark.
        mark: FwMark,
        /// Family of the service.
        family: Family,
    },
    /// `virtual_server group NAME`.
    Group {
        /// Its name.
        name: String,
        /// Protocol of its address entries.
        protocol: Protocol,
        /// Family of its mark entries where they have none.
        family: Family,
    },
}

/// `virtual_server`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VirtualServerConfig {
    /// What it balances.
    pub target: Target,
    /// `lb_algo`, the kernel's name (`wlc`).
    pub scheduler: String,
    /// `ops`, `flag-1`… and persistence.
    pub flags: ServiceFlags,
    /// `lb_kind`: default of its servers.
    pub forwarding: Forwarding,
    /// `persistence_*`.
    pub persistence: Option<PersistenceConfig>,
    /// `ha_suspend`.
    pub ha_suspend: bool,
    /// `alpha` (for reporting the initial quorum).
    pub alpha: bool,
    /// `omega`.
    pub omega: bool,
    /// `quorum`, already reduced to the total weight.
    pub quorum: u32,
    /// `hysteresis`, less than `quorum`.
    pub hysteresis: u32,
    /// `quorum_up`.
    pub quorum_up: Option<ScriptRef>,
    /// `quorum_down`.
    pub quorum_down: Option<ScriptRef>,
    /// `smtp_alert`.
    pub smtp_alert: bool,
    /// `virtualhost`, kept for dumps.
    pub virtual_host: Option<String>,
    /// `snmp_name`.
    pub snmp_name: Option<String>,
    /// `sorry_server`.
    pub sorry_server: Option<SorryServerConfig>,
    /// `real_server` blocks without duplicates.
    pub real_servers: Vec<RealServerConfig>,
}

/// A script by its number in the program's table; the brains never see commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ScriptRef(pub u32);

/// `sorry_server`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SorryServerConfig {
    /// Address and port.
    pub address: SocketAddr,
    /// `sorry_server_lvs_method`.
    pub forwarding: Forwarding,
    /// `sorry_server_inhibit`.
    pub inhibit: bool,
}

/// `real_server`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RealServerConfig {
    /// Address and port (the service's port for DR and TUN).
    pub address: SocketAddr,
    /// `weight`.
    pub weight: Weight,
    /// `lvs_method`.
    pub forwarding: Forwarding,
    /// `uthreshold`; 0 for none.
    pub upper_threshold: u32,
    /// `lthreshold`; 0 for none.
    pub lower_threshold: u32,
    /// `inhibit_on_failure`.
    pub inhibit_on_failure: bool,
    /// `alpha`.
    pub alpha: bool,
    /// `notify_up`.
    pub notify_up: Option<ScriptRef>,
    /// `notify_down`.
    pub notify_down: Option<ScriptRef>,
    /// `smtp_alert`.
    pub smtp_alert: bool,
    /// `virtualhost`, kept for dumps.
    pub virtual_host: Option<String>,
    /// `snmp_name`.
    pub snmp_name: Option<String>,
    /// Its checkers.
    pub checkers: Vec<CheckerConfig>,
}

/// One checker of a real server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckerConfig {
    /// What it does.
    pub probe: ProbeConfig,
    /// `delay_loop`.
    pub delay_loop: Duration,
    /// `retry`: failures beyond the first before the verdict changes.
    pub retry: u32,
    /// `delay_before_retry`.
    pub delay_before_retry: Duration,
    /// `warmup`: the first run comes at 1 s plus a random part of this.
    pub warmup: Duration,
    /// `alpha`: down until it first succeeded.
    pub alpha: bool,
    /// `log_all_failures`.
    pub log_all_failures: bool,
}

/// From where and to where a probe connects.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Endpoint {
    /// `connect_ip` and `connect_port`, the real server's own by default.
    pub destination: SocketAddr,
    /// `bindto`.
    pub bind_address: Option<IpAddr>,
    /// `bind_port`.
    pub bind_port: Option<Port>,
    /// `bind_if`.
    pub bind_interface: Option<IfName>,
    /// `fwmark`.
    pub mark: FwMark,
    /// `connect_timeout`: of the connection and of each answer.
    pub timeout: Duration,
}

/// What a checker does.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ProbeConfig {
    /// TCP_CHECK.
    Tcp(Endpoint),
    /// HTTP_GET and SSL_GET.
    Http(HttpConfig),
    /// SMTP_CHECK.
    Smtp {
        /// Where.
        endpoint: Endpoint,
        /// `helo_name`.
        helo: String,
    },
    /// DNS_CHECK.
    Dns {
        /// Where.
        endpoint: Endpoint,
        /// `type` as written (`SOA`).
        record: String,
        /// `name` (`.`).
        name: String,
    },
    /// UDP_CHECK.
    Udp(UdpConfig),
    /// PING_CHECK.
    Ping(Endpoint),
    /// MISC_CHECK.
    Misc(MiscConfig),
    /// FILE_CHECK.
    File {
        /// Name of the `track_file`.
        file: String,
        /// Multiplier; 0 means that a value other than 0 takes the server down.
        weight: i64,
        /// `reverse`.
        reverse: bool,
    },
    /// BFD_CHECK.
    Bfd {
        /// Name of the session.
        name: String,
    },
}

/// HTTP_GET and SSL_GET.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct HttpConfig {
    /// Where.
    pub endpoint: Endpoint,
    /// SSL_GET.
    pub tls: bool,
    /// `http_protocol`.
    pub version: HttpVersion,
    /// `enable_sni` / `sni_name`: send a server name.
    pub sni: Option<String>,
    /// `fast_recovery`.
    pub fast_recovery: bool,
    /// `tls_compliant`.
    pub tls_compliant: bool,
    /// Requests; never empty.
    pub urls: Vec<UrlConfig>,
}

/// `http_protocol`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum HttpVersion {
    /// `1.0`.
    Http10,
    /// `1.0C`: with `Connection: close`.
    Http10Close,
    /// `1.1`.
    Http11,
}

/// `url`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct UrlConfig {
    /// `path`.
    pub path: String,
    /// Value of the Host header; the server's address and port where absent.
    pub host: Option<String>,
    /// `digest`: MD5 of the body.
    pub digest: Option<[u8; 16]>,
    /// `status_code`: inclusive ranges; 200 to 299 where none was written.
    pub status: Vec<(u16, u16)>,
    /// `regex`.
    pub regex: Option<RegexConfig>,
    /// `tls_compliant` of the url.
    pub tls_compliant: bool,
}

/// `regex` and its options.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RegexConfig {
    /// PCRE2 pattern.
    pub pattern: String,
    /// Names of `regex_options`, as written.
    pub options: Vec<String>,
    /// `regex_no_match`.
    pub no_match: bool,
    /// `regex_min_offset`.
    pub min_offset: usize,
    /// `regex_max_offset`.
    pub max_offset: Option<usize>,
    /// `regex_stack`: start and maximum of the JIT stack in octets.
    pub stack: Option<(usize, usize)>,
}

/// UDP_CHECK.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct UdpConfig {
    /// Where.
    pub endpoint: Endpoint,
    /// `payload`; a filler of 32 octets where absent.
    pub payload: Option<Vec<u8>>,
    /// `require_reply`.
    pub require_reply: bool,
    /// Wanted octets with a mask of the nibbles that matter; empty accepts anything.
    pub reply: Vec<(u8, u8)>,
    /// `min_reply_length`.
    pub min_reply: usize,
    /// `max_reply_length`.
    pub max_reply: usize,
}

/// MISC_CHECK.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MiscConfig {
    /// The command, in the program's table.
    pub script: ScriptRef,
    /// `misc_timeout`.
    pub timeout: Duration,
    /// `misc_dynamic`: exit codes 2 to 255 set the weight to code − 2.
    pub dynamic: bool,
}
