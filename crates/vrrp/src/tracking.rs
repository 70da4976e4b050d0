//! What priorities and faults depend on: results of scripts, values of files, numbers of processes, BFD sessions.

use std::collections::HashMap;
use std::time::Duration;

use types::{IfName, Instant};

use crate::config::{Config, ScriptConfig, TrackProcessConfig, TrackTarget, Tracker};
use crate::event::ScriptOutcome;
use crate::faults::Fault;
use crate::links::Links;
use crate::view::ScriptResult;

/// What a tracker watches, by its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    Interface(IfName),
    Script(usize),
    File(usize),
    Process(usize),
    Bfd(usize),
}

/// A tracker with its target resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Watch {
    pub(crate) target: Target,
    pub(crate) weight: i64,
    pub(crate) reverse: bool,
}

/// Standing of one `vrrp_script`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Script {
    pub(crate) result: ScriptResult,
    pub(crate) last_status: Option<i32>,
    pub(crate) running: bool,
    pub(crate) next_at: Option<Instant>,
}

/// What the end of a script changed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ScriptChange {
    /// Its exit status differs from the last one.
    pub(crate) status: Option<i32>,
    /// It is up or down now and was not before.
    pub(crate) turned: Option<bool>,
}

impl Script {
    /// A script that has not run. With `init_fail` it is down until its first success.
    pub(crate) fn new(config: &ScriptConfig) -> Self {
        let result = match config.init_fail {
            true => ScriptResult::Down { successes: config.rise.saturating_sub(1) },
            false => ScriptResult::Unknown,
        };
        Self { result, last_status: None, running: false, next_at: None }
    }

    /// `rise` and `fall` count consecutive results; the first result of all decides alone.
    pub(crate) fn end(&mut self, config: &ScriptConfig, outcome: ScriptOutcome) -> ScriptChange {
        self.running = false;
        let status = match outcome {
            ScriptOutcome::Exited(status) => Some(status),
            ScriptOutcome::Signalled(signal) => Some(128 + signal),
            ScriptOutcome::TimedOut | ScriptOutcome::NotStarted => None,
        };
        // keepalived speaks of a status that differs from success at first
        let differs = status.filter(|status| self.last_status.unwrap_or(0) != *status);
        self.last_status = status.or(self.last_status);
        let success = outcome == ScriptOutcome::Exited(0);
        let before = self.result;
        self.result = match (before, success) {
            (ScriptResult::Unknown | ScriptResult::Up { .. }, true) => ScriptResult::Up { failures: 0 },
            (ScriptResult::Unknown | ScriptResult::Down { .. }, false) => ScriptResult::Down { successes: 0 },
            (ScriptResult::Up { failures }, false) if failures + 1 < config.fall => {
                ScriptResult::Up { failures: failures + 1 }
            }
            (ScriptResult::Up { .. }, false) => ScriptResult::Down { successes: 0 },
            (ScriptResult::Down { successes }, true) if successes + 1 < config.rise => {
                ScriptResult::Down { successes: successes + 1 }
            }
            (ScriptResult::Down { .. }, true) => ScriptResult::Up { failures: 0 },
        };
        let turned = match (before, self.result) {
            (ScriptResult::Up { .. }, ScriptResult::Up { .. }) => None,
            (ScriptResult::Down { .. }, ScriptResult::Down { .. }) => None,
            (_, ScriptResult::Up { .. }) => Some(true),
            (_, ScriptResult::Down { .. }) => Some(false),
            (_, ScriptResult::Unknown) => None,
        };
        ScriptChange { status: differs, turned }
    }

    /// Whether it counts as up; `None` before the first result.
    pub(crate) fn up(&self) -> Option<bool> {
        match self.result {
            ScriptResult::Unknown => None,
            ScriptResult::Up { .. } => Some(true),
            ScriptResult::Down { .. } => Some(false),
        }
    }
}

/// Standing of one `vrrp_track_process`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) count: Option<u32>,
    /// What counts, delays considered; `None` before the first count.
    pub(crate) quorum: Option<bool>,
    /// It will count as this, then.
    pub(crate) pending: Option<(Instant, bool)>,
}

impl Process {
    /// So many match. Whether the quorum turned at once.
    pub(crate) fn set(&mut self, config: &TrackProcessConfig, count: u32, now: Instant) -> Option<bool> {
        self.count = Some(count);
        let reached = count >= config.quorum && config.quorum_max.is_none_or(|max| count <= max);
        let wait = if reached { config.fork_delay } else { config.terminate_delay };
        match self.quorum {
            Some(quorum) if quorum == reached => {
                self.pending = None;
                None
            }
            Some(_) if wait > Duration::ZERO => {
                self.pending.get_or_insert((now + wait, reached));
                None
            }
            Some(_) | None => {
                self.pending = None;
                self.quorum = Some(reached);
                Some(reached)
            }
        }
    }

    /// The delay ended. Whether the quorum turned.
    pub(crate) fn end_delay(&mut self, now: Instant) -> Option<bool> {
        let (at, reached) = self.pending?;
        if at > now {
            return None;
        }
        self.pending = None;
        self.quorum = Some(reached);
        Some(reached)
    }
}

/// Standing of everything tracked, and who watches it.
#[derive(Debug, Default)]
pub(crate) struct Tracking {
    pub(crate) scripts: Vec<Script>,
    pub(crate) files: Vec<i64>,
    pub(crate) processes: Vec<Process>,
    pub(crate) bfds: Vec<bool>,
    /// What each instance watches: its own trackers and those of its sync group.
    pub(crate) watches: Vec<Vec<Watch>>,
    interface_watchers: HashMap<IfName, Vec<usize>>,
    script_watchers: Vec<Vec<usize>>,
    file_watchers: Vec<Vec<usize>>,
    process_watchers: Vec<Vec<usize>>,
    bfd_watchers: Vec<Vec<usize>>,
}

/// What trackers say of one instance.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    /// Sum of weights.
    pub(crate) weight: i64,
    /// A script without weight has no result yet.
    pub(crate) pending: bool,
    /// A script has no result yet.
    pub(crate) unknown: bool,
    /// Failures without weight.
    pub(crate) faults: Vec<Fault>,
}

impl Tracking {
    /// Everything unknown.
    pub(crate) fn new(config: &Config) -> Self {
        let mut tracking = Self {
            scripts: config.scripts.iter().map(Script::new).collect(),
            files: vec![0; config.files.len()],
            processes: vec![Process::default(); config.processes.len()],
            bfds: vec![false; config.bfds.len()],
            ..Self::default()
        };
        tracking.watch(config);
        tracking
    }

    /// Resolves trackers and remembers who watches what.
    fn watch(&mut self, config: &Config) {
        self.watches = watches(config);
        self.interface_watchers.clear();
        self.script_watchers = vec![Vec::new(); config.scripts.len()];
        self.file_watchers = vec![Vec::new(); config.files.len()];
        self.process_watchers = vec![Vec::new(); config.processes.len()];
        self.bfd_watchers = vec![Vec::new(); config.bfds.len()];
        for (instance, watches) in self.watches.iter().enumerate() {
            for watch in watches {
                let watchers = match &watch.target {
                    Target::Interface(name) => self.interface_watchers.entry(name.clone()).or_default(),
                    Target::Script(script) => &mut self.script_watchers[*script],
                    Target::File(file) => &mut self.file_watchers[*file],
                    Target::Process(process) => &mut self.process_watchers[*process],
                    Target::Bfd(bfd) => &mut self.bfd_watchers[*bfd],
                };
                watchers.push(instance);
            }
        }
        for (instance, own) in config.instances.iter().enumerate() {
            let link = own.virtual_link.as_ref().map(|link| &link.name);
            let dev = own.announced.iter().filter_map(|announced| announced.interface.as_ref());
            for name in own.interface.iter().chain(link).chain(&own.vrf).chain(&own.address_interfaces).chain(dev) {
                self.interface_watchers.entry(name.clone()).or_default().push(instance);
            }
        }
        for watchers in self.interface_watchers.values_mut() {
            watchers.sort_unstable();
            watchers.dedup();
        }
    }

    /// Instances that look at a target.
    pub(crate) fn watchers(&self, target: &Target) -> &[usize] {
        let watchers = match target {
            Target::Interface(name) => self.interface_watchers.get(name),
            Target::Script(script) => self.script_watchers.get(*script),
            Target::File(file) => self.file_watchers.get(*file),
            Target::Process(process) => self.process_watchers.get(*process),
            Target::Bfd(bfd) => self.bfd_watchers.get(*bfd),
        };
        watchers.map_or(&[], Vec::as_slice)
    }

    /// What the trackers of an instance say (keepalived.conf(5), `track_*`).
    pub(crate) fn judge(&self, instance: usize, config: &Config, links: &Links) -> Verdict {
        let mut verdict = Verdict::default();
        for watch in &self.watches[instance] {
            let up = match &watch.target {
                Target::Interface(name) => Some(links.is_up(name)),
                Target::Script(script) => self.scripts[*script].up(),
                Target::Process(process) => self.processes[*process].quorum,
                Target::Bfd(bfd) => Some(self.bfds[*bfd]),
                Target::File(file) => {
                    self.judge_file(*file, watch, config, &mut verdict);
                    continue;
                }
            };
            let Some(up) = up else {
                let script = matches!(watch.target, Target::Script(_));
                verdict.unknown |= script;
                verdict.pending |= script && watch.weight == 0;
                continue;
            };
            match (up != watch.reverse, watch.weight) {
                (false, 0) => verdict.faults.push(watch.target.fault(config)),
                (true, weight) if weight > 0 => verdict.weight += weight,
                (false, weight) if weight < 0 => verdict.weight += weight,
                _ => {}
            }
        }
        verdict
    }

    fn judge_file(&self, file: usize, watch: &Watch, config: &Config, verdict: &mut Verdict) {
        let value = self.files[file];
        let fault = || Fault::File(config.files[file].name.clone(), value);
        if watch.weight == 0 {
            if (value == 0) == watch.reverse {
                verdict.faults.push(fault());
            }
            return;
        }
        let weight = if watch.reverse { -watch.weight } else { watch.weight };
        match value.saturating_mul(weight) {
            product if product <= -254 => verdict.faults.push(fault()),
            product => verdict.weight += product.min(253),
        }
    }
}

impl Target {
    /// The fault that its failure is.
    fn fault(&self, config: &Config) -> Fault {
        match self {
            Self::Interface(name) => Fault::Interface(name.clone()),
            Self::Script(script) => Fault::Script(config.scripts[*script].name.clone()),
            Self::File(file) => Fault::File(config.files[*file].name.clone(), 0),
            Self::Process(process) => Fault::Process(config.processes[*process].name.clone()),
            Self::Bfd(bfd) => Fault::Bfd(config.bfds[*bfd].clone()),
        }
    }
}

/// What each instance watches. Members of a sync group keep no weighted trackers unless `sync_group_tracking_weight`,
/// and what the group tracks they do not track themselves.
fn watches(config: &Config) -> Vec<Vec<Watch>> {
    let resolve = |tracker: &Tracker| -> Option<Watch> {
        let target = match &tracker.target {
            TrackTarget::Interface(name) => Target::Interface(name.clone()),
            TrackTarget::Script(name) => Target::Script(config.scripts.iter().position(|one| one.name == *name)?),
            TrackTarget::File(name) => Target::File(config.files.iter().position(|one| one.name == *name)?),
            TrackTarget::Process(name) => Target::Process(config.processes.iter().position(|one| one.name == *name)?),
            TrackTarget::Bfd(name) => Target::Bfd(config.bfds.iter().position(|one| one == name)?),
        };
        Some(Watch { target, weight: i64::from(tracker.weight.get()), reverse: tracker.reverse })
    };
    let groups = group_of_instances(config);
    let own = |(instance, group): (&crate::config::InstanceConfig, &Option<usize>)| {
        let mut watches: Vec<Watch> = instance.trackers.iter().filter_map(resolve).collect();
        let Some(group) = group.map(|group| &config.sync_groups[group]) else { return watches };
        if !group.tracking_weight {
            watches.retain_mut(without_weight);
        }
        let shared: Vec<Watch> = group.trackers.iter().filter_map(resolve).collect();
        watches.retain(|watch| shared.iter().all(|other| other.target != watch.target));
        watches.extend(shared);
        watches
    };
    config.instances.iter().zip(&groups).map(own).collect()
}

/// What is left of a weighted tracker of a sync group's member: interfaces and plain files become faults, others go.
fn without_weight(watch: &mut Watch) -> bool {
    let keep = match watch.target {
        Target::Interface(_) => true,
        Target::File(_) => watch.weight == 1 || watch.weight == 0,
        Target::Script(_) | Target::Process(_) | Target::Bfd(_) => watch.weight == 0,
    };
    watch.weight = 0;
    keep
}

/// The sync group of each instance: the first that names it.
pub(crate) fn group_of_instances(config: &Config) -> Vec<Option<usize>> {
    let mut groups: HashMap<&str, usize> = HashMap::new();
    for (place, group) in config.sync_groups.iter().enumerate() {
        for member in &group.members {
            groups.entry(member).or_insert(place);
        }
    }
    config.instances.iter().map(|instance| groups.get(instance.name.as_str()).copied()).collect()
}
