//! The typed configuration: what keepalived.conf means, each part in the words of the crate that acts on it.

mod changes;
mod show;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use notify::{Fifos, Mail, Script, ScriptUser, VrrpScripts};
use serde::{Deserialize, Serialize};
use types::IfName;

pub use changes::{Change, diff};
pub use show::Secrets;

/// Everything a file says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Configuration {
    /// `global_defs` and the top-level settings of the processes.
    pub global: Global,
    /// The VRRP process's part.
    pub vrrp: VrrpPart,
    /// The checker process's part.
    pub checker: CheckerPart,
    /// The BFD process's part.
    pub bfd: Vec<bfd::SessionConfig>,
}

/// What the VRRP process is given.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct VrrpPart {
    /// What its brain decides with.
    pub brain: vrrp::config::Config,
    /// Per instance, in the order of `brain.instances`: what stands while it is master and who is told.
    pub instances: Vec<InstancePart>,
    /// Per sync group, in the order of `brain.sync_groups`.
    pub sync_groups: Vec<GroupPart>,
    /// Commands of `vrrp_script` blocks, by name.
    pub scripts: BTreeMap<String, Script>,
    /// `static_ipaddress`.
    pub static_addresses: Vec<vip::Address>,
    /// `static_routes`.
    pub static_routes: Vec<vip::Route>,
    /// `static_rules`.
    pub static_rules: Vec<vip::Rule>,
    /// `track_group` blocks: name and instances.
    pub track_groups: Vec<(String, Vec<String>)>,
    /// The firewall that `no_accept` and virtual MACs need.
    pub firewall: Option<Firewall>,
    /// Interfaces of `linkbeat_interfaces` (and `linkbeat_use_polling`), with the preferred method.
    pub linkbeat: Vec<(IfName, Linkbeat)>,
    /// `linkbeat_use_polling` at the top: poll every tracked interface.
    pub linkbeat_all: bool,
}

/// What an instance holds while it is master, and who is told of its changes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct InstancePart {
    /// `virtual_ipaddress`, in the order of the file.
    pub addresses: Vec<vip::Address>,
    /// `virtual_ipaddress_excluded`.
    pub excluded: Vec<vip::Address>,
    /// Virtual MAC links of addresses with `use_vmac`; the addresses name them as their interfaces.
    pub address_links: Vec<vip::VirtualLink>,
    /// `virtual_routes`.
    pub routes: Vec<vip::Route>,
    /// `virtual_rules`.
    pub rules: Vec<vip::Rule>,
    /// `no_accept`: packets to the addresses are dropped unless the instance owns them.
    pub no_accept: bool,
    /// `promote_secondaries`.
    pub promote_secondaries: bool,
    /// Its scripts.
    pub scripts: VrrpScripts,
    /// `smtp_alert`.
    pub smtp_alert: bool,
}

/// Who is told of a sync group's changes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct GroupPart {
    /// Its scripts.
    pub scripts: VrrpScripts,
    /// `smtp_alert`.
    pub smtp_alert: bool,
}

/// `nftables` of `global_defs`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Firewall {
    /// Table name.
    pub table: String,
    /// Priority of the base chains.
    pub priority: i32,
    /// `nftables_ifindex`.
    pub by_index: bool,
    /// `nftables_counters`.
    pub counters: bool,
}

/// How a link is polled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Linkbeat {
    /// MII, then ethtool, then ioctl.
    Auto,
    /// MII registers.
    Mii,
    /// ethtool.
    Ethtool,
    /// Interface flags.
    Ioctl,
}

/// What the checker process is given.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CheckerPart {
    /// What its brain decides with.
    pub brain: lvs::Config,
    /// Commands that `lvs::ScriptRef` points into.
    pub scripts: Vec<Script>,
}

/// `global_defs`, and what stands at the top of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Global {
    /// `router_id`; the host name where absent.
    pub router_id: Option<String>,
    /// `instance NAME`.
    pub instance_name: Option<String>,
    /// `net_namespace`.
    pub net_namespace: Option<String>,
    /// `net_namespace_ipvs`: `Some(None)` is the initial namespace.
    pub net_namespace_ipvs: Option<Option<String>>,
    /// `use_pid_dir`, or implied by `instance` and `net_namespace`.
    pub use_pid_dir: bool,
    /// `child_wait_time`.
    pub child_wait_time: Duration,
    /// `process_names` and `*_process_name`: parent, vrrp, checker, bfd.
    pub process_names: ProcessNames,
    /// `startup_script` and its timeout.
    pub startup_script: Option<(Script, Duration)>,
    /// `shutdown_script` and its timeout.
    pub shutdown_script: Option<(Script, Duration)>,
    /// `script_user`, or `keepalived_script` if it exists, else root.
    pub script_user: ScriptUser,
    /// `enable_script_security`.
    pub script_security: bool,
    /// Mail settings, when complete.
    pub mail: Option<Mail>,
    /// `notify_fifo` and its kin.
    pub fifos: Fifos,
    /// `fifo_write_vrrp_states_on_reload`.
    pub fifo_write_states_on_reload: bool,
    /// Scheduling of the VRRP process.
    pub vrrp_process: ProcessTuning,
    /// Scheduling of the checker process.
    pub checker_process: ProcessTuning,
    /// Scheduling of the BFD process.
    pub bfd_process: ProcessTuning,
    /// `max_auto_priority`.
    pub max_auto_priority: Option<i32>,
    /// `min_auto_priority_delay`.
    pub min_auto_priority_delay: Duration,
    /// `umask`.
    pub umask: Option<u32>,
    /// `reload_check_config [LOGFILE]`.
    pub reload_check_config: Option<String>,
    /// `reload_time_file`.
    pub reload_time_file: Option<String>,
    /// `reload_repeat`.
    pub reload_repeat: bool,
    /// `reload_file`: `Some(None)` for the default path.
    pub reload_file: Option<Option<String>>,
    /// `config_save_dir`.
    pub config_save_dir: Option<String>,
    /// `tmp_config_directory`.
    pub tmp_config_directory: Option<String>,
    /// `data_use_instance`.
    pub data_use_instance: bool,
    /// `json_version`.
    pub json_version: u8,
    /// `state_dump_file`, `stats_dump_file`, `json_dump_file`.
    pub dump_files: [Option<String>; 3],
    /// `disable_local_igmp`.
    pub disable_local_igmp: bool,
    /// `dynamic_interfaces allow_if_changes`.
    pub allow_interface_changes: bool,
    /// `default_interface`.
    pub default_interface: Option<IfName>,
    /// `vmac_prefix`, `vmac_addr_prefix`.
    pub vmac_prefixes: (String, String),
    /// Netlink socket buffers: (octets, force) for vrrp command, vrrp monitor, checker command, checker monitor, process monitor.
    pub netlink_buffers: [(u32, bool); 5],
    /// SNMP settings.
    pub snmp: Snmp,
    /// `use_symlink_paths`: scripts keep the path that was written.
    pub use_symlink_paths: bool,
    /// `vrrp_delay_after_boot`: uptime before which no instance starts.
    pub delay_after_boot: Duration,
    /// `iproute_usr_dir`, `iproute_etc_dir`.
    pub iproute_directories: [Option<String>; 2],
    /// D-Bus service name, when enabled, and the path element of instances without interface.
    pub dbus: Option<(String, String)>,
    /// `@rkeepalived metrics`: where states and counters are served to Prometheus.
    pub metrics: Option<SocketAddr>,
}

impl Default for Global {
    fn default() -> Self {
        Self {
            router_id: None,
            instance_name: None,
            net_namespace: None,
            net_namespace_ipvs: None,
            use_pid_dir: false,
            child_wait_time: Duration::from_secs(5),
            process_names: ProcessNames::default(),
            startup_script: None,
            shutdown_script: None,
            script_user: ScriptUser::ROOT,
            script_security: false,
            mail: None,
            fifos: Fifos::default(),
            fifo_write_states_on_reload: false,
            vrrp_process: ProcessTuning::default(),
            checker_process: ProcessTuning::default(),
            bfd_process: ProcessTuning::default(),
            max_auto_priority: None,
            min_auto_priority_delay: Duration::from_secs(1),
            umask: None,
            reload_check_config: None,
            reload_time_file: None,
            reload_repeat: false,
            reload_file: None,
            config_save_dir: None,
            tmp_config_directory: None,
            data_use_instance: false,
            json_version: 1,
            dump_files: [None, None, None],
            disable_local_igmp: false,
            allow_interface_changes: false,
            default_interface: None,
            vmac_prefixes: ("vrrp".into(), "vrrp".into()),
            netlink_buffers: [(0, false); 5],
            snmp: Snmp::default(),
            use_symlink_paths: false,
            delay_after_boot: Duration::ZERO,
            iproute_directories: [None, None],
            dbus: None,
            metrics: None,
        }
    }
}

/// Names of the processes; `None` keeps the program's own.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ProcessNames {
    /// Supervisor.
    pub parent: Option<String>,
    /// VRRP process.
    pub vrrp: Option<String>,
    /// Checker process.
    pub checker: Option<String>,
    /// BFD process.
    pub bfd: Option<String>,
}

/// Scheduling and memory of one process.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ProcessTuning {
    /// `*_priority`: nice value.
    pub nice: i32,
    /// `*_rt_priority`: SCHED_RR priority, 1 to 99.
    pub realtime: Option<u8>,
    /// `*_rlimit_rttime` in microseconds.
    pub realtime_limit: Option<u64>,
    /// `*_no_swap`.
    pub no_swap: bool,
    /// `*_cpu_affinity`.
    pub cpus: Vec<u32>,
}

/// SNMP settings.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Snmp {
    /// `snmp_socket`.
    pub socket: Option<String>,
    /// `enable_traps`.
    pub traps: bool,
    /// `enable_snmp_vrrp`.
    pub vrrp: bool,
    /// `enable_snmp_checker`.
    pub checker: bool,
    /// `enable_snmp_rfcv2` / `enable_snmp_rfc`.
    pub rfc_v2: bool,
    /// `enable_snmp_rfcv3` / `enable_snmp_rfc`.
    pub rfc_v3: bool,
    /// `snmp_vs_stats_update_interval`, `snmp_rs_stats_update_interval`.
    pub update_intervals: Option<(Duration, Duration)>,
}
