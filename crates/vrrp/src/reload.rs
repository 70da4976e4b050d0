//! Another configuration: what is the same goes on, what is new begins, what is gone says goodbye.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use types::{Family, IfName, Vrid};

use crate::config::{Cast, Config, InstanceConfig, VirtualLinkKind};
use crate::deadlines::Kind;
use crate::event::{Action, GroupId, InstanceId, Notification, NotifiedState, ScriptId, State};
use crate::instance::{Backup, Instance, PreemptDelay, Run, Wait};
use crate::log::Text;
use crate::routers::{Phase, Reconfigured, Routers, Turn};
use crate::tracking::Tracking;

/// What makes an instance the same one before and after a reload.
#[derive(PartialEq, Eq, Hash)]
struct Identity<'a> {
    vrid: Vrid,
    family: Family,
    interface: Option<&'a IfName>,
    group: Option<IpAddr>,
    source: Option<IpAddr>,
    /// Macvlan or ipvlan, and whether adverts use the base.
    link: Option<(bool, bool)>,
}

impl<'a> Identity<'a> {
    fn of(config: &'a InstanceConfig) -> Self {
        let macvlan = |kind: &VirtualLinkKind| matches!(kind, VirtualLinkKind::Macvlan { .. });
        Self {
            vrid: config.vrid,
            family: config.family,
            interface: config.interface.as_ref(),
            group: match config.cast {
                Cast::Multicast { group } => Some(group),
                Cast::Unicast { .. } => None,
            },
            source: config.source,
            link: config.virtual_link.as_ref().map(|link| (macvlan(&link.kind), link.transmit_base)),
        }
    }
}

/// For each new instance, the place of the old one that it is.
fn match_instances(old: &Config, new: &Config) -> Vec<Option<usize>> {
    let mut places: HashMap<Identity<'_>, Vec<usize>> = HashMap::new();
    for (place, config) in old.instances.iter().enumerate().rev() {
        places.entry(Identity::of(config)).or_default().push(place);
    }
    let take = |config| places.get_mut(&Identity::of(config)).and_then(Vec::pop);
    new.instances.iter().map(take).collect()
}

/// The reverse of a list of places.
fn invert(old_of_new: &[Option<usize>], old_len: usize) -> Vec<Option<usize>> {
    let mut new_of_old = vec![None; old_len];
    for (new, old) in old_of_new.iter().enumerate() {
        if let Some(old) = old {
            new_of_old[*old] = Some(new);
        }
    }
    new_of_old
}

impl Routers {
    /// See [`Routers::reconfigure`].
    pub(crate) fn reload(&mut self, turn: &mut Turn<'_>, config: Config) -> Reconfigured {
        let old_of_new = match_instances(&self.config, &config);
        let new_of_old = invert(&old_of_new, self.instances.len());
        let place_of_group = |name: &str| config.sync_groups.iter().position(|group| group.name == name);
        let place_of_script = |name: &str| config.scripts.iter().position(|script| script.name == name);
        let same_script = |old: &crate::config::ScriptConfig| {
            place_of_script(&old.name).filter(|new| config.scripts[*new].command == old.command)
        };
        let mut result = Reconfigured {
            removals: Vec::new(),
            instances: new_of_old.iter().map(|new| new.map(|new| InstanceId(new as u32))).collect(),
            groups: self.config.sync_groups.iter().map(|group| place_of_group(&group.name)).map(group_id).collect(),
            scripts: self.config.scripts.iter().map(|old| same_script(old).map(|new| ScriptId(new as u32))).collect(),
        };
        if matches!(self.phase, Phase::Stopped) {
            return result;
        }
        self.remove_missing(turn, &new_of_old, &mut result.removals);

        let waiting = self.limiters.drain();
        let told_of_groups: HashMap<String, Option<State>> = self
            .companies
            .iter()
            .filter_map(|company| Some((self.config.sync_groups[company.group?].name.clone(), company.told)))
            .collect();
        let mut old_instances: Vec<Option<Instance>> =
            std::mem::take(&mut self.instances).into_iter().map(Some).collect();
        let old = std::mem::replace(&mut self.config, config);
        let old_tracking = std::mem::replace(&mut self.tracking, Tracking::new(&self.config));
        self.deadlines.clear();
        self.instances = (self.config.instances.iter().zip(&old_of_new))
            .map(|(config, old)| {
                let kept = old.and_then(|old| old_instances[old].take());
                kept.unwrap_or_else(|| Instance::new(config, turn.now))
            })
            .collect();
        self.form_companies();
        for company in &mut self.companies {
            let name = company.group.map(|group| self.config.sync_groups[group].name.as_str());
            company.told = name.and_then(|name| told_of_groups.get(name).copied().flatten());
        }
        self.keep_tracking(turn, &old, old_tracking);
        if !self.is_running() {
            return result;
        }

        self.retime_startup(turn);
        for (slot, at) in self.links.delays() {
            self.deadlines.set(Kind::Link, slot, at);
        }
        for (id, before) in old_of_new.iter().enumerate() {
            if let Some(before) = before {
                self.retime(turn, id, &old.instances[*before]);
            }
            self.resolve(id);
        }
        self.refresh_sockets(turn);
        for (id, before) in old_of_new.iter().enumerate() {
            let Some(before) = before.filter(|_| self.instances[id].is_master()) else { continue };
            turn.out.push(Action::Hold(turn.id(id)));
            self.announce_new(turn, id, &old.instances[before].announced);
        }
        let still = |mut one: crate::Announcement| {
            one.instance = InstanceId(new_of_old.get(one.instance.0 as usize).copied().flatten()? as u32);
            Some(one)
        };
        self.queue_again(turn, waiting.into_iter().filter_map(still).collect());
        for script in 0..self.tracking.scripts.len() {
            if self.tracking.scripts[script].next_at.is_none() {
                self.run_script(turn, script);
            }
        }
        for id in 0..self.instances.len() {
            self.assess(turn, id);
        }
        for company in 0..self.companies.len() {
            let members = &self.companies[company].members;
            match members.iter().find(|id| old_of_new[**id].is_some()).copied() {
                Some(known) => {
                    self.settle(turn, known);
                    self.notify_group(turn, company);
                }
                None => self.first_state(turn, company),
            }
        }
        result
    }

    /// Says goodbye for every instance that is no more, with the old numbers.
    fn remove_missing(&mut self, turn: &Turn<'_>, new_of_old: &[Option<usize>], removals: &mut Vec<Action>) {
        let turn = &mut Turn { now: turn.now, utc: turn.utc, out: removals, detail: turn.detail };
        if !self.is_running() {
            return;
        }
        let gone: Vec<_> = (0..self.instances.len()).filter(|id| new_of_old[*id].is_none()).collect();
        for id in &gone {
            if self.instances[*id].is_master() {
                self.send_goodbye(turn, *id);
            }
        }
        for id in gone {
            if self.instances[id].is_master() {
                self.release(turn, id);
            }
            let state = match (self.config.instances[id].notify_deleted, self.instances[id].told) {
                (true, _) => NotifiedState::Deleted,
                (false, Some(State::Fault)) => continue,
                (false, _) => NotifiedState::Fault,
            };
            let (instance, priority) = (turn.id(id), self.instances[id].effective);
            turn.out.push(Action::Notify(Notification::Instance { instance, state, priority }));
        }
    }

    /// Results, values and numbers of what is still tracked.
    fn keep_tracking(&mut self, turn: &mut Turn<'_>, old: &Config, tracking: Tracking) {
        for (place, config) in self.config.scripts.iter().enumerate() {
            let before = old.scripts.iter().position(|one| one.name == config.name && one.command == config.command);
            let Some(before) = before else { continue };
            let mut script = tracking.scripts[before].clone();
            let latest = turn.now + config.interval.max(Duration::from_millis(1));
            script.next_at = script.next_at.map(|at| at.min(latest));
            if let Some(up) = script.up() {
                turn.say(Text::ScriptKept(&config.name, up));
            }
            self.deadlines.set(Kind::Script, place, script.next_at);
            self.tracking.scripts[place] = script;
        }
        for (place, config) in self.config.files.iter().enumerate() {
            let same = |one: &crate::config::TrackFileConfig| one.name == config.name && one.path == config.path;
            if let Some(before) = old.files.iter().position(same) {
                self.tracking.files[place] = tracking.files[before];
            }
        }
        for (place, config) in self.config.processes.iter().enumerate() {
            let same = |one: &crate::config::TrackProcessConfig| {
                one.name == config.name
                    && one.process == config.process
                    && one.parameters == config.parameters
                    && one.parameter_match == config.parameter_match
                    && one.full_command == config.full_command
            };
            let Some(before) = old.processes.iter().position(same) else { continue };
            let mut process = tracking.processes[before].clone();
            if let Some(count) = process.count {
                // the quorum itself may be another one now
                process.set(config, count, turn.now);
            }
            self.deadlines.set(Kind::Process, place, process.pending.map(|(at, _)| at));
            self.tracking.processes[place] = process;
        }
        for (place, name) in self.config.bfds.iter().enumerate() {
            if let Some(before) = old.bfds.iter().position(|one| one == name) {
                self.tracking.bfds[place] = tracking.bfds[before];
            }
        }
    }

    /// A changed `vrrp_startup_delay` counts while it runs.
    fn retime_startup(&mut self, turn: &mut Turn<'_>) {
        if self.silent_until.is_none() {
            return;
        }
        let end = self.started_at + self.config.startup_delay;
        self.silent_until = Some(end);
        if end <= turn.now {
            self.startup_delay_over(turn);
        }
        self.deadlines.set(Kind::Startup, 0, self.silent_until);
    }

    /// Timers of an instance that goes on, under its new intervals.
    fn retime(&mut self, turn: &Turn<'_>, id: usize, old: &InstanceConfig) {
        let config = &self.config.instances[id];
        let instance = &mut self.instances[id];
        instance.advert = None;
        instance.accepted = None;
        if instance.lowered && !config.priority.is_owner() {
            instance.lowered = false;
        }
        let before = instance.down_interval(old, instance.effective);
        let after = instance.down_interval(config, instance.effective);
        let latest = |at: Option<types::Instant>, every: Duration| {
            (!every.is_zero()).then(|| at.unwrap_or(turn.now + every).min(turn.now + every))
        };
        match &mut instance.run {
            Run::Backup(Backup { wait, preempt }) => {
                if let Wait::Silence { down_at } = wait {
                    *down_at = (*down_at + after - before).max(turn.now);
                }
                if config.preempt_delay.is_zero() {
                    *preempt = PreemptDelay::Idle;
                }
            }
            Run::Master(master) => {
                master.advert_at = master.advert_at.min(turn.now + config.interval.duration());
                master.refresh_at = latest(master.refresh_at, config.announce.master_refresh);
                let extra = config.announce.extra_interface_refresh;
                master.extra_refresh_at =
                    latest(master.extra_refresh_at, extra).filter(|_| config.may_have_extra_links());
                instance.master_interval = config.interval;
            }
            Run::Init | Run::Fault => {}
        }
        self.arm(id);
    }
}

fn group_id(place: Option<usize>) -> Option<GroupId> {
    place.map(|place| GroupId(place as u32))
}
