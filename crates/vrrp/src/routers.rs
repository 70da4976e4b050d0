//! All virtual routers of a process: the brain's public surface.

use std::time::Duration;

use types::Instant;

use crate::config::Config;
use crate::event::{Action, Event, GroupId, InstanceId, Remembered, ScriptId, SocketSpec};
use crate::statistics::GlobalStatistics;
use crate::view::{BfdView, FileView, GroupView, InstanceView, ProcessView, ScriptView};

/// Every virtual router, sync group and tracker of the VRRP process.
///
/// Told of time and events, it answers with [`Action`]s in the order in which they are to be done:
///
/// 1. [`Routers::new`], then everything that stands as events, then [`Event::Started`].
/// 2. [`Routers::handle`] for each event, [`Routers::handle_timeout`] when [`Routers::next_deadline`] has come. Early or
///    repeated calls change nothing. After a late wake-up hand over queued packets first.
/// 3. [`Routers::reconfigure`] at a reload; [`Event::Shutdown`] at the end, after which nothing is answered any more.
///
/// `utc` is the time since the epoch, for time stamps (`last_transition`, `auth_hmac`); no deadline depends on it.
#[derive(Debug)]
pub struct Routers {
    config: Config,
}

/// How a reload numbered things anew, and what must be done for what it removed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reconfigured {
    /// To be done first, still with the old numbers: removed masters say priority 0 and release, removed instances
    /// report DELETED or FAULT.
    pub removals: Vec<Action>,
    /// Old number of an instance → its new one; `None` where it was removed.
    pub instances: Vec<Option<InstanceId>>,
    /// Old number of a sync group → its new one.
    pub groups: Vec<Option<GroupId>>,
    /// Old number of a script → its new one; runs of the others are to be ended and their results dropped.
    pub scripts: Vec<Option<ScriptId>>,
}

impl Routers {
    /// Routers as configured, all silent until [`Event::Started`]. `remembered` is what a former process of ours was.
    pub fn new(
        config: Config,
        _now: Instant,
        _utc: Duration,
        _remembered: &[Remembered],
        _out: &mut Vec<Action>,
    ) -> Self {
        Self { config }
    }

    /// Something happened.
    pub fn handle(&mut self, _now: Instant, _utc: Duration, _event: Event<'_>, _out: &mut Vec<Action>) {}

    /// Time passed.
    pub fn handle_timeout(&mut self, _now: Instant, _utc: Duration, _out: &mut Vec<Action>) {}

    /// When [`Routers::handle_timeout`] must be called next.
    pub fn next_deadline(&self) -> Option<Instant> {
        None
    }

    /// Another configuration. First do [`Reconfigured::removals`] with the old numbers, then `out` with the new ones.
    ///
    /// An instance is the same one if VRID, family, configured interface, cast type, source address, VMAC kind and sync
    /// group name match; it keeps state, timers, master data, statistics and sequence numbers.
    pub fn reconfigure(
        &mut self,
        _now: Instant,
        _utc: Duration,
        config: Config,
        _out: &mut Vec<Action>,
    ) -> Reconfigured {
        self.config = config;
        Reconfigured::default()
    }

    /// Sockets that must be open now, each once.
    pub fn sockets(&self) -> Vec<SocketSpec> {
        Vec::new()
    }

    /// The configuration that runs.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// All instances, in the order of the configuration.
    pub fn instances(&self) -> impl Iterator<Item = InstanceView<'_>> {
        std::iter::empty()
    }

    /// One instance.
    pub fn instance(&self, _id: InstanceId) -> Option<InstanceView<'_>> {
        None
    }

    /// All sync groups, in the order of the configuration.
    pub fn groups(&self) -> impl Iterator<Item = GroupView<'_>> {
        std::iter::empty()
    }

    /// All tracked scripts, in the order of the configuration.
    pub fn scripts(&self) -> impl Iterator<Item = ScriptView<'_>> {
        std::iter::empty()
    }

    /// All tracked files, in the order of the configuration.
    pub fn files(&self) -> impl Iterator<Item = FileView<'_>> {
        std::iter::empty()
    }

    /// All tracked processes, in the order of the configuration.
    pub fn processes(&self) -> impl Iterator<Item = ProcessView<'_>> {
        std::iter::empty()
    }

    /// All tracked BFD sessions, in the order of the configuration.
    pub fn bfds(&self) -> impl Iterator<Item = BfdView<'_>> {
        std::iter::empty()
    }

    /// Counters that belong to no single instance.
    pub fn global_statistics(&self) -> GlobalStatistics {
        GlobalStatistics::default()
    }

    /// What the supervisor should remember of each instance.
    pub fn remembered(&self) -> Vec<Remembered> {
        Vec::new()
    }

    /// All counters back to 0.
    pub fn clear_statistics(&mut self) {}

    /// Whether lines of level `Detail` and `Debug` are made (`-D`); they are by default.
    pub fn set_detail(&mut self, _detail: bool) {}
}
