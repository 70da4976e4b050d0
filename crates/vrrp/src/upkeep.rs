//! What goes on beside the election: scripts and other trackers, repeated announcements, repairs.

use std::time::Duration;

use types::Instant;

use crate::deadlines::Kind;
use crate::event::{Action, InstanceId, ScriptId, ScriptOutcome};
use crate::instance::{Repair, Run};
use crate::log::Text;
use crate::routers::{Routers, Turn};
use crate::tracking::Target;

/// Losses within this time after a repair are one loss that came in pieces: one more repair ends them.
const REPAIR_GATHER: Duration = Duration::from_millis(20);
/// Without a loss for this long, a repair counts as lasting.
const REPAIR_LASTS: Duration = Duration::from_secs(10);
/// Repairs at once; then ever longer waits, from a second to a minute.
const REPAIRS_AT_ONCE: u32 = 5;
const REPAIR_LONGEST_WAIT: Duration = Duration::from_secs(60);

impl Repair {
    /// When to repair a loss noticed now.
    fn moment(&self, now: Instant) -> Instant {
        match self.last {
            Some(last) if now.since(last) >= REPAIR_LASTS + self.wait() => now,
            Some(last) => now.max(last + self.wait()),
            None => now,
        }
    }

    /// Least gap after the last repair.
    fn wait(&self) -> Duration {
        match self.times.checked_sub(REPAIRS_AT_ONCE) {
            None => REPAIR_GATHER,
            Some(more) => (Duration::from_secs(1) * 2u32.pow(more.min(6))).min(REPAIR_LONGEST_WAIT),
        }
    }
}

impl Routers {
    /// A script's time has come.
    pub(crate) fn run_script(&mut self, turn: &mut Turn<'_>, place: usize) {
        let config = &self.config.scripts[place];
        let script = &mut self.tracking.scripts[place];
        // a script without interval would run without end
        let interval = config.interval.max(Duration::from_millis(1));
        script.next_at = Some(turn.now + interval);
        self.deadlines.set(Kind::Script, place, script.next_at);
        if script.running {
            turn.say(Text::ScriptStillRuns(&config.name));
            return;
        }
        script.running = true;
        turn.out.push(Action::RunScript { script: ScriptId(place as u32), timeout: config.timeout });
    }

    /// A script ended.
    pub(crate) fn script_ended(&mut self, turn: &mut Turn<'_>, id: ScriptId, outcome: ScriptOutcome) {
        let place = id.0 as usize;
        let (Some(config), Some(script)) = (self.config.scripts.get(place), self.tracking.scripts.get_mut(place))
        else {
            return;
        };
        if !script.running {
            return;
        }
        let unknown = script.up().is_none();
        let change = script.end(config, outcome);
        let name = config.name.as_str();
        if let (Some(status), ScriptOutcome::Exited(_)) = (change.status, outcome) {
            turn.say(Text::ScriptReturns(name, status));
        }
        match (change.turned, outcome) {
            (Some(true), _) => turn.say(Text::ScriptSucceeded(name)),
            (Some(false), ScriptOutcome::Exited(status)) => turn.say(Text::ScriptExited(name, status)),
            (Some(false), ScriptOutcome::Signalled(signal)) => turn.say(Text::ScriptSignalled(name, signal)),
            (Some(false), ScriptOutcome::TimedOut) => turn.say(Text::ScriptTimedOut(name)),
            (Some(false), ScriptOutcome::NotStarted) => turn.say(Text::ScriptNotStarted(name)),
            (None, _) => {}
        }
        if change.turned.is_some() || unknown {
            self.target_changed(turn, &Target::Script(place));
        }
    }

    /// Content of a tracked file.
    pub(crate) fn file_value(&mut self, turn: &mut Turn<'_>, file: usize, value: i64) {
        let Some(known) = self.tracking.files.get_mut(file) else { return };
        if std::mem::replace(known, value) != value {
            self.target_changed(turn, &Target::File(file));
        }
    }

    /// Number of processes.
    pub(crate) fn process_count(&mut self, turn: &mut Turn<'_>, place: usize, count: u32) {
        let (Some(config), Some(process)) = (self.config.processes.get(place), self.tracking.processes.get_mut(place))
        else {
            return;
        };
        let turned = process.set(config, count, turn.now);
        self.deadlines.set(Kind::Process, place, process.pending.map(|(at, _)| at));
        self.quorum_turned(turn, place, turned);
    }

    /// A fork or terminate delay ended.
    pub(crate) fn process_delay_over(&mut self, turn: &mut Turn<'_>, place: usize) {
        let turned = self.tracking.processes[place].end_delay(turn.now);
        self.quorum_turned(turn, place, turned);
    }

    fn quorum_turned(&mut self, turn: &mut Turn<'_>, place: usize, turned: Option<bool>) {
        let Some(gained) = turned else { return };
        if self.is_running() {
            turn.say(Text::Quorum(&self.config.processes[place].name, gained));
        }
        self.target_changed(turn, &Target::Process(place));
    }

    /// A BFD session went up or down.
    pub(crate) fn bfd_state(&mut self, turn: &mut Turn<'_>, place: usize, up: bool) {
        let Some(known) = self.tracking.bfds.get_mut(place) else { return };
        if std::mem::replace(known, up) == up {
            return;
        }
        let target = Target::Bfd(place);
        if self.is_running() {
            for id in self.tracking.watchers(&target) {
                turn.say(Text::Bfd(&self.config.instances[*id].name, &self.config.bfds[place], up));
            }
        }
        self.target_changed(turn, &target);
    }

    fn target_changed(&mut self, turn: &mut Turn<'_>, target: &Target) {
        if !self.is_running() {
            return;
        }
        let watchers = self.tracking.watchers(target).to_vec();
        for id in &watchers {
            self.assess(turn, *id);
        }
        for id in watchers {
            self.settle(turn, id);
        }
    }

    /// The second set of announcements.
    pub(crate) fn second_set(&mut self, turn: &mut Turn<'_>, id: usize) {
        let Run::Master(master) = &mut self.instances[id].run else { return };
        if let Some((_, rounds)) = master.second_set.take() {
            self.announce(turn, &[id], rounds);
        }
    }

    /// `garp_master_refresh`.
    pub(crate) fn refresh(&mut self, turn: &mut Turn<'_>, id: usize) {
        let config = &self.config.instances[id].announce;
        let (every, rounds) = (config.master_refresh, config.master_refresh_repeat.max(1));
        let Run::Master(master) = &mut self.instances[id].run else { return };
        master.refresh_at = (!every.is_zero()).then_some(turn.now + every);
        self.deadlines.set(Kind::Refresh, id, master.refresh_at);
        if !every.is_zero() {
            self.announce(turn, &[id], rounds);
        }
    }

    /// `garp_extra_if`.
    pub(crate) fn extra_refresh(&mut self, turn: &mut Turn<'_>, id: usize) {
        let every = self.config.instances[id].announce.extra_interface_refresh;
        let Run::Master(master) = &mut self.instances[id].run else { return };
        master.extra_refresh_at = (!every.is_zero()).then_some(turn.now + every);
        self.deadlines.set(Kind::ExtraRefresh, id, master.extra_refresh_at);
        if !every.is_zero() {
            self.announce_extra_links(turn, id);
        }
    }

    /// Somebody removed what a master holds. keepalived gives mastership up for a moment; its user wants the address.
    pub(crate) fn holding_lost(&mut self, turn: &mut Turn<'_>, id: InstanceId) {
        let id = id.0 as usize;
        let Some(Run::Master(master)) = self.instances.get_mut(id).map(|instance| &mut instance.run) else { return };
        if master.repair.at.is_some() {
            return;
        }
        let at = master.repair.moment(turn.now);
        if at <= turn.now {
            self.repair(turn, id);
            return;
        }
        master.repair.at = Some(at);
        self.deadlines.set(Kind::Repair, id, Some(at));
        let wait = at.since(turn.now);
        if wait > REPAIR_GATHER {
            turn.say(Text::RepairDelayed(&self.config.instances[id].name, wait));
        }
    }

    /// The wait for the next repair is over.
    pub(crate) fn repair_timer(&mut self, turn: &mut Turn<'_>, id: usize) {
        if self.instances[id].is_master() {
            self.repair(turn, id);
        }
    }

    fn repair(&mut self, turn: &mut Turn<'_>, id: usize) {
        let Run::Master(master) = &mut self.instances[id].run else { return };
        let repair = &mut master.repair;
        let lasted = repair.last.is_none_or(|last| turn.now.since(last) >= REPAIR_LASTS + repair.wait());
        let times = if lasted { 1 } else { repair.times + 1 };
        *repair = Repair { times, last: Some(turn.now), at: None };
        turn.say(Text::Repaired(&self.config.instances[id].name));
        turn.out.push(Action::Hold(turn.id(id)));
        self.announce(turn, &[id], 1);
    }
}
