//! Changes of state: alone or, in a sync group, all together.

use std::time::Duration;

use types::{Instant, Priority};

use crate::deadlines::Kind;
use crate::event::{Action, GroupId, Notification, NotifiedState, State};
use crate::faults::Fault;
use crate::instance::{Backup, Master, PreemptDelay, Repair, Reported, Run, Wait};
use crate::log::{Holdings, Text};
use crate::routers::{Routers, Turn};

/// An address owner does not wait (RFC 9568 §6.4.1); keepalived gives it a timer of 1 µs.
const OWNER_WAIT: Duration = Duration::from_micros(1);

/// Instances that change state together: the members of a sync group, or one instance alone.
#[derive(Debug, Clone)]
pub(crate) struct Company {
    /// Place of the sync group in the configuration.
    pub(crate) group: Option<usize>,
    pub(crate) members: Vec<usize>,
    /// What scripts and FIFOs were told of the group last.
    pub(crate) told: Option<State>,
}

/// How a master or backup leaves its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Retreat {
    /// To BACKUP: somebody better is there, or may be.
    Backup,
    /// To FAULT; a master says so with priority 0.
    Fault,
}

/// State of a group whose members are in these.
pub(crate) fn state_of_group(members: impl Iterator<Item = State>) -> State {
    let (mut all_master, mut worst) = (true, State::Backup);
    for state in members {
        all_master &= state == State::Master;
        match state {
            State::Fault => worst = State::Fault,
            State::Init if worst != State::Fault => worst = State::Init,
            State::Init | State::Backup | State::Master => {}
        }
    }
    if all_master { State::Master } else { worst }
}

impl Routers {
    /// The company of `first`, beginning with it.
    fn company_from(&self, first: usize) -> Vec<usize> {
        let members = &self.companies[self.instances[first].company].members;
        std::iter::once(first).chain(members.iter().copied().filter(|id| *id != first)).collect()
    }

    fn say_syncing(&self, turn: &mut Turn<'_>, first: usize, state: State) {
        if let Some(group) = self.companies[self.instances[first].company].group {
            turn.say(Text::SyncingGroup(&self.config.sync_groups[group].name, state));
        }
    }

    /// `first` and its company become master: adverts, addresses, announcements, notifications.
    pub(crate) fn promote(&mut self, turn: &mut Turn<'_>, first: usize) {
        let mut fresh = Vec::new();
        for (place, id) in self.company_from(first).into_iter().enumerate() {
            if place == 1 {
                self.say_syncing(turn, first, State::Master);
            }
            if self.instances[id].is_master() {
                continue;
            }
            self.send_advert(turn, id);
            turn.say(Text::Entering(&self.config.instances[id].name, State::Master));
            self.enter_master(turn, id);
            self.instances[id].statistics.become_master += 1;
            fresh.push(id);
        }
        for id in &fresh {
            self.hold(turn, *id);
        }
        self.announce_first_set(turn, &fresh);
        self.notify_all(turn, first, &fresh);
    }

    /// The state and timers of a master; nothing is sent.
    pub(crate) fn enter_master(&mut self, turn: &Turn<'_>, id: usize) {
        let config = &self.config.instances[id];
        let after = |delay: Duration| (!delay.is_zero()).then_some(turn.now + delay);
        let announce = &config.announce;
        let extra = after(announce.extra_interface_refresh).filter(|_| config.may_have_extra_links());
        let instance = &mut self.instances[id];
        instance.run = Run::Master(Master {
            advert_at: turn.now + config.interval.duration(),
            second_set: after(announce.master_delay).map(|at| (at, announce.master_repeat.max(1))),
            refresh_at: after(announce.master_refresh),
            extra_refresh_at: extra,
            repair: Repair::default(),
            rival: None,
            stepped: None,
        });
        instance.master_interval = config.interval;
        instance.master = None;
        self.changed_state(turn, id);
    }

    /// What every change of state brings with it.
    fn changed_state(&mut self, turn: &Turn<'_>, id: usize) {
        let instance = &mut self.instances[id];
        instance.reported = Reported::default();
        instance.last_transition = turn.utc;
        self.arm(id);
    }

    /// The addresses stand from now on.
    pub(crate) fn hold(&self, turn: &mut Turn<'_>, id: usize) {
        let config = &self.config.instances[id];
        if !config.advertised.is_empty() {
            turn.say(Text::Setting(&config.name, Holdings::Vips));
        }
        if config.announced.len() > config.advertised.len() {
            turn.say(Text::Setting(&config.name, Holdings::ExcludedVips));
        }
        turn.out.push(Action::Hold(turn.id(id)));
    }

    /// They no longer stand.
    pub(crate) fn release(&mut self, turn: &mut Turn<'_>, id: usize) {
        self.limiters.forget(turn, id, &mut self.deadlines);
        let config = &self.config.instances[id];
        if !config.advertised.is_empty() {
            turn.say(Text::Removing(&config.name, Holdings::Vips));
        }
        if config.announced.len() > config.advertised.len() {
            turn.say(Text::Removing(&config.name, Holdings::ExcludedVips));
        }
        turn.out.push(Action::Release(turn.id(id)));
    }

    /// `first` gives up, and its company with it.
    pub(crate) fn retire(&mut self, turn: &mut Turn<'_>, first: usize, retreat: Retreat) {
        let state = match retreat {
            Retreat::Backup => State::Backup,
            Retreat::Fault => State::Fault,
        };
        let (mut changed, mut masters) = (Vec::new(), Vec::new());
        for (place, id) in self.company_from(first).into_iter().enumerate() {
            if place == 1 {
                self.say_syncing(turn, first, state);
            }
            let master = self.instances[id].is_master();
            if self.instances[id].state() == state || (retreat == Retreat::Backup && !master) {
                continue;
            }
            turn.say(Text::Entering(&self.config.instances[id].name, state));
            if master {
                if retreat == Retreat::Fault {
                    self.send_goodbye(turn, id);
                }
                self.instances[id].statistics.release_master += 1;
                masters.push(id);
            }
            let run = match retreat {
                Retreat::Backup => self.instances[id].listening(&self.config.instances[id], turn.now),
                Retreat::Fault => Run::Fault,
            };
            self.instances[id].run = run;
            self.changed_state(turn, id);
            changed.push(id);
        }
        for id in masters {
            self.release(turn, id);
        }
        self.notify_all(turn, first, &changed);
    }

    /// Members of the company that were kept out begin to listen.
    fn recover(&mut self, turn: &mut Turn<'_>, first: usize) {
        let mut changed = Vec::new();
        let mut out: Vec<usize> = self.company_from(first);
        out.retain(|id| matches!(self.instances[*id].run, Run::Init | Run::Fault));
        for (place, id) in out.into_iter().enumerate() {
            if place == 1 {
                self.say_syncing(turn, first, State::Backup);
            }
            let was_fault = self.instances[id].state() == State::Fault;
            turn.say(Text::Entering(&self.config.instances[id].name, State::Backup));
            self.begin_listening(turn, id);
            if was_fault && matches!(self.config.instances[id].cast, crate::config::Cast::Unicast { .. }) {
                self.announce_source(turn, id);
            }
            changed.push(id);
        }
        self.notify_all(turn, first, &changed);
    }

    /// To BACKUP as at the beginning: our own interval, no master known, the owner hardly waiting.
    pub(crate) fn begin_listening(&mut self, turn: &Turn<'_>, id: usize) {
        let config = &self.config.instances[id];
        let from = self.silent_until.map_or(turn.now, |end| end.max(turn.now));
        let instance = &mut self.instances[id];
        instance.master_interval = config.interval;
        instance.master = None;
        instance.run = match instance.effective.is_owner() {
            true => {
                let wait = Wait::Silence { down_at: from + OWNER_WAIT };
                Run::Backup(Backup { wait, preempt: PreemptDelay::Idle })
            }
            false => instance.listening(config, from),
        };
        self.changed_state(turn, id);
    }

    /// Brings a company into the state that its members' faults and scripts ask for.
    pub(crate) fn settle(&mut self, turn: &mut Turn<'_>, id: usize) {
        let members = &self.companies[self.instances[id].company].members;
        let faulty = |id: &&usize| !self.instances[**id].faults.is_empty();
        let out = |id: &&usize| matches!(self.instances[**id].run, Run::Init | Run::Fault);
        if let Some(first) = members.iter().find(faulty).copied() {
            let first = if self.instances[id].faults.is_empty() { first } else { id };
            if members.iter().any(|id| self.instances[*id].run != Run::Fault) {
                self.retire(turn, first, Retreat::Fault);
            }
            return;
        }
        if members.iter().filter(out).any(|id| self.instances[*id].pending) {
            for id in members.clone() {
                if self.instances[id].run == Run::Fault {
                    self.instances[id].run = Run::Init;
                    self.changed_state(turn, id);
                }
            }
            return;
        }
        if members.iter().any(|id| out(&id)) {
            self.recover(turn, id);
        }
        let members = &self.companies[self.instances[id].company].members;
        let master = members.iter().find(|id| self.instances[**id].is_master()).copied();
        let backup = members.iter().any(|id| !self.instances[*id].is_master());
        if let (Some(master), true) = (master, backup) {
            self.retire(turn, master, Retreat::Backup);
        }
    }

    /// Looks again at everything that an instance depends on. Its state follows with [`Routers::settle`].
    pub(crate) fn assess(&mut self, turn: &mut Turn<'_>, id: usize) {
        let verdict = self.tracking.judge(id, &self.config, &self.links);
        let config = &self.config.instances[id];
        let mut faults = self.own_faults(id);
        for fault in verdict.faults {
            if !faults.contains(&fault) {
                faults.push(fault);
            }
        }
        for fault in &faults {
            if !self.instances[id].faults.iter().any(|known| known.same_cause(fault)) {
                turn.say(Text::Fault(&config.name, fault));
            }
        }
        let instance = &mut self.instances[id];
        instance.faults = faults;
        instance.pending = verdict.pending;
        if !verdict.unknown {
            instance.inherited = None;
        }
        let base = if instance.lowered { Priority::new(254) } else { config.priority.with_weights(verdict.weight) };
        let effective = instance.inherited.unwrap_or(base);
        self.set_effective(turn, id, effective);
    }

    /// A master tells it with its next advert; a backup's running timer moves by the difference of the skews.
    pub(crate) fn set_effective(&mut self, turn: &mut Turn<'_>, id: usize, effective: Priority) {
        let config = &self.config.instances[id];
        let instance = &mut self.instances[id];
        let former = std::mem::replace(&mut instance.effective, effective);
        if former == effective {
            return;
        }
        instance.advert = None;
        turn.say(Text::EffectivePriority(&config.name, former, effective));
        let (old, new) = (instance.skew(config, former), instance.skew(config, effective));
        if let Run::Backup(Backup { wait: Wait::Silence { down_at }, .. }) = &mut instance.run {
            *down_at = *down_at + new - old;
        }
        self.arm_state(id);
        let state = self.instances[id].state();
        let group = self.companies[self.instances[id].company].group;
        let wanted = self.config.instances[id].notify_priority_changes
            || group.is_some_and(|group| self.config.sync_groups[group].notify_priority_changes);
        if wanted && matches!(state, State::Master | State::Backup) {
            turn.out.push(Action::Notify(Notification::PriorityChanged {
                instance: turn.id(id),
                state,
                priority: effective,
            }));
        }
    }

    /// Faults that are not its trackers'.
    fn own_faults(&self, id: usize) -> Vec<Fault> {
        let (config, instance) = (&self.config.instances[id], &self.instances[id]);
        let mut faults = Vec::new();
        faults.extend(config.configuration_fault.iter().cloned().map(Fault::Configuration));
        let link = config.virtual_link.as_ref().map(|link| &link.name);
        for name in config.interface.iter().chain(link) {
            // without its interface it has no socket, tracked or not
            if self.links.find(name).is_none() || (config.track_primary && !self.links.is_up(name)) {
                faults.push(Fault::Interface(name.clone()));
            }
        }
        let down = config.address_interfaces.iter().filter(|name| !self.links.is_up(name));
        for fault in down.cloned().map(Fault::Interface) {
            if !faults.contains(&fault) {
                faults.push(fault);
            }
        }
        if instance.source.is_none() && (instance.base.is_some() || config.interface.is_none()) {
            faults.push(Fault::NoSource(config.family));
        }
        if config.track_source && config.source.is_some_and(|source| !self.links.has_address(source)) {
            faults.push(Fault::SourceAbsent);
        }
        if let Some(other) = instance.duplicate_of {
            faults.push(Fault::DuplicateVrid(self.config.instances[other].name.clone()));
        }
        faults
    }

    /// Tells of the states of these instances and of their group, each once.
    pub(crate) fn notify_all(&mut self, turn: &mut Turn<'_>, first: usize, changed: &[usize]) {
        for id in changed {
            self.notify(turn, *id);
        }
        self.notify_group(turn, self.instances[first].company);
    }

    /// Tells of the state of an instance unless that was told.
    pub(crate) fn notify(&mut self, turn: &mut Turn<'_>, id: usize) {
        let instance = &mut self.instances[id];
        let state = instance.state();
        let Some(notified) = notified(state) else { return };
        if instance.told.replace(state) == Some(state) {
            return;
        }
        let priority = instance.effective;
        turn.out.push(Action::Notify(Notification::Instance { instance: turn.id(id), state: notified, priority }));
    }

    /// Tells of the state of a group unless that was told.
    pub(crate) fn notify_group(&mut self, turn: &mut Turn<'_>, company: usize) {
        let Some(group) = self.companies[company].group else { return };
        let state = self.group_state(company);
        let Some(notified) = notified(state) else { return };
        if self.companies[company].told.replace(state) != Some(state) {
            let group = GroupId(group as u32);
            turn.out.push(Action::Notify(Notification::Group { group, state: notified }));
        }
    }

    /// MASTER when all members are, FAULT when one is.
    pub(crate) fn group_state(&self, company: usize) -> State {
        state_of_group(self.companies[company].members.iter().map(|id| self.instances[*id].state()))
    }

    /// Brings all timers of an instance in line with its state.
    pub(crate) fn arm(&mut self, id: usize) {
        self.arm_state(id);
        let master = match &self.instances[id].run {
            Run::Master(master) => Some(master),
            Run::Init | Run::Backup(_) | Run::Fault => None,
        };
        let timers: [(Kind, Option<Instant>); 5] = [
            (Kind::Rival, master.and_then(|master| master.rival).map(|rival| rival.decide_at)),
            (Kind::Repair, master.and_then(|master| master.repair.at)),
            (Kind::SecondSet, master.and_then(|master| master.second_set).map(|(at, _)| at)),
            (Kind::Refresh, master.and_then(|master| master.refresh_at)),
            (Kind::ExtraRefresh, master.and_then(|master| master.extra_refresh_at)),
        ];
        for (kind, at) in timers {
            self.deadlines.set(kind, id, at);
        }
    }

    /// The advert timer or the down timer.
    pub(crate) fn arm_state(&mut self, id: usize) {
        let at = match &self.instances[id].run {
            Run::Master(master) => Some(master.advert_at),
            Run::Backup(Backup { wait: Wait::Silence { down_at }, .. }) => Some(*down_at),
            Run::Backup(Backup { wait: Wait::Group, .. }) | Run::Init | Run::Fault => None,
        };
        self.deadlines.set(Kind::State, id, at);
    }
}

fn notified(state: State) -> Option<NotifiedState> {
    match state {
        State::Init => None,
        State::Backup => Some(NotifiedState::Backup),
        State::Master => Some(NotifiedState::Master),
        State::Fault => Some(NotifiedState::Fault),
    }
}
