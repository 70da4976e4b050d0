//! What dumps, JSON, metrics and SNMP may see. Looking changes nothing.

use std::net::IpAddr;
use std::time::Duration;

use types::{CentiSeconds, IfIndex, IfName, Priority};

use crate::config::{InstanceConfig, ScriptConfig, SyncGroupConfig, TrackFileConfig, TrackProcessConfig};
use crate::event::{GroupId, InstanceId, ScriptId, State};
use crate::statistics::Statistics;

/// One instance, now.
#[derive(Debug, Clone)]
pub struct InstanceView<'a> {
    /// Its place in the running configuration.
    pub id: InstanceId,
    /// What it was told to be.
    pub config: &'a InstanceConfig,
    /// What it is.
    pub state: State,
    /// What it wants to be: MASTER while it waits for the rest of its group.
    pub wanted_state: State,
    /// Configured priority (254 while it gave way to another address owner).
    pub base_priority: Priority,
    /// Priority it advertises.
    pub effective_priority: Priority,
    /// Whether its addresses stand.
    pub holding: bool,
    /// The master it hears, with its priority; `None` before the first advert.
    pub master: Option<(IpAddr, Priority)>,
    /// Interval that the master announces (v3); its own otherwise.
    pub master_interval: CentiSeconds,
    /// Time of its last change of state, since the epoch.
    pub last_transition: Duration,
    /// Source of its adverts.
    pub source: Option<IpAddr>,
    /// Interface that its adverts use, where it exists.
    pub interface: Option<IfIndex>,
    /// Name of that interface: the virtual link's unless `vmac_xmit_base`.
    pub interface_name: Option<&'a IfName>,
    /// Why it is in FAULT, in words; empty otherwise.
    pub faults: Vec<String>,
    /// Sync group it belongs to.
    pub group: Option<GroupId>,
    /// Its counters.
    pub statistics: &'a Statistics,
}

/// One sync group, now.
#[derive(Debug, Clone)]
pub struct GroupView<'a> {
    /// Its place in the running configuration.
    pub id: GroupId,
    /// What it was told to be.
    pub config: &'a SyncGroupConfig,
    /// What it is.
    pub state: State,
    /// Its members that exist.
    pub members: Vec<InstanceId>,
}

/// Standing of a tracked script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScriptResult {
    /// It has not ended yet.
    Unknown,
    /// Up.
    Up {
        /// Failures in a row since; `fall` of them turn it.
        failures: u32,
    },
    /// Down.
    Down {
        /// Successes in a row since; `rise` of them turn it.
        successes: u32,
    },
}

/// One `vrrp_script`, now.
#[derive(Debug, Clone)]
pub struct ScriptView<'a> {
    /// Its place in the running configuration.
    pub id: ScriptId,
    /// What it was told to be.
    pub config: &'a ScriptConfig,
    /// Its standing.
    pub result: ScriptResult,
    /// Exit status of its last run (128 + number for a signal).
    pub last_status: Option<i32>,
    /// Whether it runs.
    pub running: bool,
}

/// One `track_file`, now.
#[derive(Debug, Clone)]
pub struct FileView<'a> {
    /// What it was told to be.
    pub config: &'a TrackFileConfig,
    /// Its number.
    pub value: i64,
}

/// One `vrrp_track_process`, now.
#[derive(Debug, Clone)]
pub struct ProcessView<'a> {
    /// What it was told to be.
    pub config: &'a TrackProcessConfig,
    /// Processes that match; `None` before the first count.
    pub count: Option<u32>,
    /// Whether the quorum counts as reached, delays considered.
    pub have_quorum: bool,
    /// Whether `fork_delay` runs.
    pub fork_delay_running: bool,
    /// Whether `terminate_delay` runs.
    pub terminate_delay_running: bool,
}

/// One tracked BFD session, now.
#[derive(Debug, Clone, Copy)]
pub struct BfdView<'a> {
    /// Its name.
    pub name: &'a str,
    /// Whether it is up.
    pub up: bool,
}
