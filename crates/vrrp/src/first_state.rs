//! The first state of all: after a start it is listened for, after a restart of the process it is remembered.

use std::collections::HashMap;
use std::time::Duration;

use types::{CentiSeconds, Instant, Priority, VrrpVersion};

use crate::config::InitialState;
use crate::deadlines::Kind;
use crate::event::{Remembered, State};
use crate::instance::{Backup, Run, Wait};
use crate::log::Text;
use crate::packet::Memory;
use crate::routers::{Phase, Routers, Turn};
use crate::transition::state_of_group;

impl Routers {
    /// Everything that stands is known: scripts start, instances take their first state.
    pub(crate) fn start(&mut self, turn: &mut Turn<'_>) {
        let Phase::Waiting { remembered } = std::mem::replace(&mut self.phase, Phase::Running) else { return };
        self.started_at = turn.now;
        if !self.config.startup_delay.is_zero() {
            self.silent_until = Some(turn.now + self.config.startup_delay);
            self.deadlines.set(Kind::Startup, 0, self.silent_until);
            turn.say(Text::DelayingStartup(self.config.startup_delay));
        }
        for script in 0..self.tracking.scripts.len() {
            self.run_script(turn, script);
        }
        for id in 0..self.instances.len() {
            self.resolve(id);
        }
        self.refresh_sockets(turn);
        self.recall(&remembered);
        for id in 0..self.instances.len() {
            self.assess(turn, id);
        }
        for company in 0..self.companies.len() {
            self.first_state(turn, company);
        }
    }

    /// What the former process knew of each instance.
    fn recall(&mut self, remembered: &[Remembered]) {
        let by_name: HashMap<&str, &Remembered> = remembered.iter().map(|one| (one.name.as_str(), one)).collect();
        for (config, instance) in self.config.instances.iter().zip(&mut self.instances) {
            let Some(former) = by_name.get(config.name.as_str()) else { continue };
            instance.told = (former.state != State::Init).then_some(former.state);
            instance.memory = Memory::with_sequence(former.sequence);
            instance.last_transition = Duration::from_micros(former.last_transition);
            instance.last_advert = former.last_advert;
            instance.master_interval = former.master_interval;
            instance.inherited = (!former.priority.is_owner() && former.priority != Priority::RELEASE)
                .then_some(former.priority)
                .filter(|_| !config.priority.is_owner());
        }
        for company in &mut self.companies {
            let known = company.members.iter().all(|id| self.instances[*id].told.is_some());
            let states = company.members.iter().filter_map(|id| self.instances[*id].told);
            company.told = (known && company.group.is_some()).then(|| state_of_group(states));
        }
    }

    /// First state of the members of a company, which is one state for all of them.
    pub(crate) fn first_state(&mut self, turn: &mut Turn<'_>, company: usize) {
        let members = self.companies[company].members.clone();
        let faulty = members.iter().any(|id| !self.instances[*id].faults.is_empty());
        let pending = members.iter().any(|id| self.instances[*id].pending);
        if !faulty && members.iter().all(|id| self.was_master_lately(turn.now, *id)) {
            for id in &members {
                self.go_on_as_master(turn, *id);
            }
            return;
        }
        for id in &members {
            // what a former process left behind
            self.release(turn, *id);
        }
        for id in &members {
            let name = &self.config.instances[*id].name;
            if faulty {
                turn.say(Text::FirstState(name, State::Fault));
                self.instances[*id].run = Run::Fault;
            } else if pending {
                self.instances[*id].run = Run::Init;
            } else {
                turn.say(Text::FirstState(name, State::Backup));
                let transition = self.instances[*id].last_transition;
                self.begin_listening(turn, *id);
                self.shorten_first_wait(*id);
                if self.instances[*id].told == Some(State::Backup) {
                    self.instances[*id].last_transition = transition;
                }
            }
            if self.instances[*id].told != Some(self.instances[*id].state()) {
                self.instances[*id].last_transition = turn.utc;
            }
            self.arm(*id);
        }
        if let Some(first) = members.first() {
            self.notify_all(turn, *first, &members);
        }
    }

    /// `state MASTER` listens for one interval and the smallest skew only.
    fn shorten_first_wait(&mut self, id: usize) {
        let config = &self.config.instances[id];
        let instance = &mut self.instances[id];
        if config.initial_state != InitialState::Master || instance.effective.is_owner() {
            return;
        }
        let skew = match config.version {
            VrrpVersion::V3 => config.interval.skew_v3(Priority::OWNER),
            VrrpVersion::V2 => CentiSeconds::skew_v2(Priority::OWNER),
        };
        let short = config.interval.duration() + skew;
        let whole = instance.down_interval(config, instance.effective);
        if let Run::Backup(Backup { wait: Wait::Silence { down_at }, .. }) = &mut instance.run {
            *down_at = *down_at - whole + short;
        }
    }

    /// Whether this instance was master in a former process so lately that no backup can have taken over: the
    /// quickest needs `down_timer_adverts` (3) intervals.
    fn was_master_lately(&self, now: Instant, id: usize) -> bool {
        let (config, instance) = (&self.config.instances[id], &self.instances[id]);
        let interval = config.interval.min(instance.master_interval).duration();
        instance.told == Some(State::Master)
            && instance.last_advert <= now
            && now.since(instance.last_advert) < interval * u32::from(config.down_timer_adverts.max(1))
    }

    /// The addresses stand, the neighbours know: only the adverts must not stop.
    fn go_on_as_master(&mut self, turn: &mut Turn<'_>, id: usize) {
        let transition = self.instances[id].last_transition;
        self.send_advert(turn, id);
        turn.say(Text::GoesOnAsMaster(&self.config.instances[id].name));
        self.enter_master(turn, id);
        if let Run::Master(master) = &mut self.instances[id].run {
            master.second_set = None;
        }
        self.instances[id].last_transition = transition;
        self.arm(id);
        turn.out.push(crate::event::Action::Hold(turn.id(id)));
    }

    /// What the supervisor should remember.
    pub(crate) fn remember(&self) -> Vec<Remembered> {
        if let Phase::Waiting { remembered } = &self.phase {
            return remembered.clone();
        }
        let one = |(config, instance): (&crate::config::InstanceConfig, &crate::instance::Instance)| Remembered {
            name: config.name.clone(),
            state: instance.state(),
            priority: instance.effective,
            last_advert: instance.last_advert,
            master_interval: instance.master_interval,
            master: instance.master,
            last_transition: u64::try_from(instance.last_transition.as_micros()).unwrap_or(u64::MAX),
            sequence: instance.memory.sequence(),
        };
        self.config.instances.iter().zip(&self.instances).map(one).collect()
    }

    /// `vrrp_startup_delay` is over.
    pub(crate) fn startup_delay_over(&mut self, turn: &mut Turn<'_>) {
        if self.silent_until.take().is_some() {
            turn.say(Text::StartupDelayOver);
        }
    }
}
