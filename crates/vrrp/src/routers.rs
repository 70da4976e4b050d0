//! All virtual routers of a process: the brain's public surface.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use types::{Family, IfIndex, Instant};

use crate::announce::Limiters;
use crate::config::Config;
use crate::deadlines::{Deadlines, Kind};
use crate::event::{Action, Event, GroupId, InstanceId, Notification, NotifiedState, Remembered, ScriptId, SocketSpec};
use crate::instance::{Instance, Run};
use crate::links::{Links, Source};
use crate::log::{Level, Text};
use crate::statistics::{GlobalStatistics, Statistics};
use crate::tracking::{Tracking, group_of_instances};
use crate::transition::Company;
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
    pub(crate) config: Config,
    pub(crate) phase: Phase,
    /// At the same places as `config.instances`.
    pub(crate) instances: Vec<Instance>,
    pub(crate) companies: Vec<Company>,
    pub(crate) tracking: Tracking,
    pub(crate) links: Links,
    pub(crate) deadlines: Deadlines,
    pub(crate) limiters: Limiters,
    pub(crate) sockets: Vec<SocketSpec>,
    /// Who listens to a VRID on an interface (or on none in particular).
    pub(crate) addressees: HashMap<(Option<IfIndex>, Family, u8), Vec<usize>>,
    pub(crate) started_at: Instant,
    /// End of `vrrp_startup_delay`, while it runs.
    pub(crate) silent_until: Option<Instant>,
    pub(crate) global: GlobalStatistics,
    pub(crate) unknown_vrids: HashSet<(IfIndex, u8)>,
    pub(crate) detail: bool,
}

/// How far the process is.
#[derive(Debug)]
pub(crate) enum Phase {
    /// It learns what stands.
    Waiting {
        remembered: Vec<Remembered>,
    },
    Running,
    /// It said goodbye.
    Stopped,
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

/// One call from outside: the time, and where answers go.
pub(crate) struct Turn<'a> {
    pub(crate) now: Instant,
    pub(crate) utc: Duration,
    pub(crate) out: &'a mut Vec<Action>,
    pub(crate) detail: bool,
}

impl Turn<'_> {
    /// Whether lines of this level are wanted.
    pub(crate) fn speaks(&self, level: Level) -> bool {
        self.detail || level < Level::Detail
    }

    /// A line for the log.
    pub(crate) fn say(&mut self, text: Text<'_>) {
        if self.speaks(text.level()) {
            self.out.push(Action::Log(text.line()));
        }
    }

    /// The public number of an instance.
    pub(crate) fn id(&self, id: usize) -> InstanceId {
        InstanceId(id as u32)
    }
}

impl Routers {
    /// Routers as configured, all silent until [`Event::Started`]. `remembered` is what a former process of ours was.
    pub fn new(
        config: Config,
        now: Instant,
        _utc: Duration,
        remembered: &[Remembered],
        _out: &mut Vec<Action>,
    ) -> Self {
        let mut routers = Self {
            phase: Phase::Waiting { remembered: remembered.to_vec() },
            instances: config.instances.iter().map(|instance| Instance::new(instance, now)).collect(),
            companies: Vec::new(),
            tracking: Tracking::new(&config),
            links: Links::default(),
            deadlines: Deadlines::default(),
            limiters: Limiters::default(),
            sockets: Vec::new(),
            addressees: HashMap::new(),
            started_at: now,
            silent_until: None,
            global: GlobalStatistics::default(),
            unknown_vrids: HashSet::new(),
            detail: true,
            config,
        };
        routers.form_companies();
        routers
    }

    /// Something happened.
    pub fn handle(&mut self, now: Instant, utc: Duration, event: Event<'_>, out: &mut Vec<Action>) {
        let turn = &mut Turn { now, utc, out, detail: self.detail };
        match (&self.phase, event) {
            (Phase::Stopped, _) => {}
            (_, Event::Link(link)) => self.link(turn, link),
            (_, Event::LinkGone(index)) => self.link_gone(turn, index),
            (_, Event::SourceAdded { interface, address, tentative }) => {
                self.source_added(turn, interface, Source { address, tentative });
            }
            (_, Event::SourceRemoved { interface, address }) => self.source_removed(turn, interface, address),
            (_, Event::FileValue { file, value }) => self.file_value(turn, file, value),
            (_, Event::ProcessCount { process, count }) => self.process_count(turn, process, count),
            (_, Event::BfdState { bfd, up }) => self.bfd_state(turn, bfd, up),
            (Phase::Waiting { .. }, Event::Started) => self.start(turn),
            (Phase::Waiting { .. }, Event::Shutdown) => self.phase = Phase::Stopped,
            (
                Phase::Waiting { .. },
                Event::Packet(_) | Event::ScriptEnded { .. } | Event::HoldingLost { .. } | Event::Stalled(_),
            )
            | (Phase::Running, Event::Started) => {}
            (Phase::Running, Event::Packet(packet)) => self.hear(turn, &packet),
            (Phase::Running, Event::ScriptEnded { script, outcome }) => self.script_ended(turn, script, outcome),
            (Phase::Running, Event::HoldingLost { instance }) => self.holding_lost(turn, instance),
            (Phase::Running, Event::Stalled(lasted)) => self.stalled(turn, lasted),
            (Phase::Running, Event::Shutdown) => self.shut_down(turn),
        }
    }

    /// Time passed.
    pub fn handle_timeout(&mut self, now: Instant, utc: Duration, out: &mut Vec<Action>) {
        let turn = &mut Turn { now, utc, out, detail: self.detail };
        while let Some(timer) = self.deadlines.take_due(now) {
            let owner = timer.owner;
            match timer.kind {
                Kind::Startup => self.startup_delay_over(turn),
                Kind::State => self.state_timer(turn, owner),
                Kind::Rival => self.judge_rival(turn, owner),
                Kind::Repair => self.repair_timer(turn, owner),
                Kind::SecondSet => self.second_set(turn, owner),
                Kind::Refresh => self.refresh(turn, owner),
                Kind::ExtraRefresh => self.extra_refresh(turn, owner),
                Kind::Announce => self.announce_next(turn, owner),
                Kind::Script => self.run_script(turn, owner),
                Kind::Process => self.process_delay_over(turn, owner),
                Kind::Link => self.link_delay_over(turn, owner),
            }
        }
    }

    /// When [`Routers::handle_timeout`] must be called next.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.first()
    }

    /// Another configuration. First do [`Reconfigured::removals`] with the old numbers, then `out` with the new ones.
    ///
    /// An instance is the same one if VRID, family, `interface`, multicast group or unicast, source address and kind of
    /// virtual link match; it keeps state, timers, master data, statistics and sequence numbers. Groups, scripts,
    /// files, processes and BFD sessions are the same ones by name; a script keeps its result if its command is equal.
    pub fn reconfigure(&mut self, now: Instant, utc: Duration, config: Config, out: &mut Vec<Action>) -> Reconfigured {
        let turn = &mut Turn { now, utc, out, detail: self.detail };
        self.reload(turn, config)
    }

    /// Sockets that must be open now, each once.
    pub fn sockets(&self) -> Vec<SocketSpec> {
        self.sockets.clone()
    }

    /// The configuration that runs.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// All instances, in the order of the configuration.
    pub fn instances(&self) -> impl Iterator<Item = InstanceView<'_>> {
        (0..self.instances.len()).map(|id| self.view(id))
    }

    /// One instance.
    pub fn instance(&self, id: InstanceId) -> Option<InstanceView<'_>> {
        let id = id.0 as usize;
        (id < self.instances.len()).then(|| self.view(id))
    }

    fn view(&self, id: usize) -> InstanceView<'_> {
        let (config, instance) = (&self.config.instances[id], &self.instances[id]);
        let company = &self.companies[instance.company];
        let faults = match (instance.run == Run::Fault, instance.faults.is_empty(), company.group) {
            (true, true, Some(group)) => {
                vec![format!("a member of sync group {} is in FAULT", self.config.sync_groups[group].name)]
            }
            (true, ..) => instance.faults.iter().map(ToString::to_string).collect(),
            (false, ..) => Vec::new(),
        };
        InstanceView {
            id: InstanceId(id as u32),
            config,
            state: instance.state(),
            wanted_state: instance.wanted_state(),
            base_priority: if instance.lowered { types::Priority::new(254) } else { config.priority },
            effective_priority: instance.effective,
            holding: instance.is_master(),
            master: instance.master,
            master_interval: instance.master_interval,
            last_transition: instance.last_transition,
            source: instance.source,
            interface: instance.transmit,
            interface_name: instance.transmit.and_then(|index| self.links.name(index)),
            faults,
            group: company.group.map(|group| GroupId(group as u32)),
            statistics: &instance.statistics,
        }
    }

    /// All sync groups, in the order of the configuration.
    pub fn groups(&self) -> impl Iterator<Item = GroupView<'_>> {
        let company_of = |group: usize| self.companies.iter().position(|company| company.group == Some(group));
        self.config.sync_groups.iter().enumerate().map(move |(place, config)| {
            let company = company_of(place);
            let members = company.map_or(&[][..], |company| &self.companies[company].members);
            GroupView {
                id: GroupId(place as u32),
                config,
                state: company.map_or(crate::State::Init, |company| self.group_state(company)),
                members: members.iter().map(|id| InstanceId(*id as u32)).collect(),
            }
        })
    }

    /// All tracked scripts, in the order of the configuration.
    pub fn scripts(&self) -> impl Iterator<Item = ScriptView<'_>> {
        let scripts = self.config.scripts.iter().zip(&self.tracking.scripts).enumerate();
        scripts.map(|(place, (config, script))| ScriptView {
            id: ScriptId(place as u32),
            config,
            result: script.result,
            last_status: script.last_status,
            running: script.running,
        })
    }

    /// All tracked files, in the order of the configuration.
    pub fn files(&self) -> impl Iterator<Item = FileView<'_>> {
        self.config.files.iter().zip(&self.tracking.files).map(|(config, value)| FileView { config, value: *value })
    }

    /// All tracked processes, in the order of the configuration.
    pub fn processes(&self) -> impl Iterator<Item = ProcessView<'_>> {
        self.config.processes.iter().zip(&self.tracking.processes).map(|(config, process)| ProcessView {
            config,
            count: process.count,
            have_quorum: process.quorum.unwrap_or(false),
            fork_delay_running: process.pending.is_some_and(|(_, reached)| reached),
            terminate_delay_running: process.pending.is_some_and(|(_, reached)| !reached),
        })
    }

    /// All tracked BFD sessions, in the order of the configuration.
    pub fn bfds(&self) -> impl Iterator<Item = BfdView<'_>> {
        self.config.bfds.iter().zip(&self.tracking.bfds).map(|(name, up)| BfdView { name, up: *up })
    }

    /// Counters that belong to no single instance.
    pub fn global_statistics(&self) -> GlobalStatistics {
        self.global
    }

    /// What the supervisor should remember of each instance.
    pub fn remembered(&self) -> Vec<Remembered> {
        self.remember()
    }

    /// All counters back to 0.
    pub fn clear_statistics(&mut self) {
        self.global = GlobalStatistics::default();
        self.instances.iter_mut().for_each(|instance| instance.statistics = Statistics::default());
    }

    /// Whether lines of level `Detail` and `Debug` are made (`-D`); they are by default.
    pub fn set_detail(&mut self, detail: bool) {
        self.detail = detail;
    }

    pub(crate) fn is_running(&self) -> bool {
        matches!(self.phase, Phase::Running)
    }

    /// Who changes state together with whom.
    pub(crate) fn form_companies(&mut self) {
        self.companies.clear();
        let mut places: HashMap<usize, usize> = HashMap::new();
        for (id, group) in group_of_instances(&self.config).into_iter().enumerate() {
            let known = group.and_then(|group| places.get(&group).copied());
            let place = known.unwrap_or_else(|| {
                self.companies.push(Company { group, members: Vec::new(), told: None });
                self.companies.len() - 1
            });
            if let Some(group) = group {
                places.insert(group, place);
            }
            self.companies[place].members.push(id);
            self.instances[id].company = place;
        }
    }

    /// Masters say goodbye, all of them before any address goes; then everybody is told.
    fn shut_down(&mut self, turn: &mut Turn<'_>) {
        let masters: Vec<_> = (0..self.instances.len()).filter(|id| self.instances[*id].is_master()).collect();
        for id in &masters {
            self.send_goodbye(turn, *id);
        }
        for id in &masters {
            self.instances[*id].statistics.release_master += 1;
            self.release(turn, *id);
            self.instances[*id].run = Run::Init;
        }
        for id in 0..self.instances.len() {
            let priority = self.instances[id].effective;
            let (instance, state) = (turn.id(id), NotifiedState::Stop);
            turn.out.push(Action::Notify(Notification::Instance { instance, state, priority }));
        }
        for group in self.companies.iter().filter_map(|company| company.group) {
            let (group, state) = (GroupId(group as u32), NotifiedState::Stop);
            turn.out.push(Action::Notify(Notification::Group { group, state }));
        }
        self.deadlines.clear();
        self.phase = Phase::Stopped;
    }
}
