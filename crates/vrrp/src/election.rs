//! Who is master: what an advert, or the lack of one, means (RFC 9568 §6.4, RFC 3768 §6.4).

use std::cmp::Ordering;
use std::time::Duration;

use types::{Instant, Priority, VrrpVersion};

use crate::event::{Action, Notification};
use crate::instance::{Backup, Complaint, Heard, PreemptDelay, Reported, Rival, Run, Wait};
use crate::log::{Line, Text};
use crate::routers::{Routers, Turn};
use crate::transition::Retreat;

impl Routers {
    /// RFC 9568 §6.4.2.
    pub(crate) fn backup_hears(&mut self, turn: &mut Turn<'_>, id: usize, heard: Heard) {
        let config = &self.config.instances[id];
        let instance = &mut self.instances[id];
        let lower = heard.priority < instance.effective && instance.preempts(config);
        let skew = instance.skew(config, instance.effective);
        let Run::Backup(backup) = &mut instance.run else { return };

        if heard.priority == Priority::RELEASE {
            instance.statistics.pri_zero_rcvd += 1;
            turn.say(Text::BackupReceivedPriorityZero(&config.name));
            if let Wait::Silence { down_at } = &mut backup.wait {
                *down_at = turn.now + skew;
            }
            self.arm_state(id);
            return;
        }
        if lower {
            match backup.preempt {
                PreemptDelay::Idle if !config.preempt_delay.is_zero() => {
                    backup.preempt = PreemptDelay::Until(turn.now + config.preempt_delay);
                    turn.say(Text::StartPreemptDelay(&config.name, config.preempt_delay));
                }
                PreemptDelay::Until(end) if turn.now < end => {}
                PreemptDelay::Idle | PreemptDelay::Until(_) => {
                    if instance.reported.first(Complaint::LowerPriorityDiscarded) {
                        turn.say(Text::LowerPriorityDiscarded(&config.name, heard.priority, heard.source));
                    }
                    return;
                }
            }
        } else if backup.preempt != PreemptDelay::Idle {
            backup.preempt = PreemptDelay::Idle;
            turn.say(Text::StopPreemptDelay(&config.name));
        }
        self.accept_master(turn, id, heard);
    }

    /// This sender is the master: its interval counts, and the down timer starts again.
    fn accept_master(&mut self, turn: &mut Turn<'_>, id: usize, heard: Heard) {
        self.restore_owner(turn, id, Some(heard));
        let config = &self.config.instances[id];
        let instance = &mut self.instances[id];
        match instance.master {
            Some((master, _)) if master == heard.source => {}
            Some((master, _)) => {
                instance.reported = Reported::default();
                turn.say(Text::MasterChanged(&config.name, master, heard.source));
            }
            None => turn.say(Text::MasterSet(&config.name, heard.source)),
        }
        instance.master = Some((heard.source, heard.priority));
        instance.last_advert = turn.now;
        if config.version == VrrpVersion::V3 && instance.master_interval != heard.interval {
            let (from, to) = (instance.master_interval.duration(), heard.interval.duration());
            turn.say(Text::IntervalUpdated(&config.name, from, to));
            instance.master_interval = heard.interval;
        }
        let down_at = turn.now + instance.down_interval(config, instance.effective);
        if let Run::Backup(backup) = &mut instance.run {
            backup.wait = Wait::Silence { down_at };
        }
        self.arm_state(id);
    }

    /// RFC 9568 §6.4.3.
    pub(crate) fn master_hears(&mut self, turn: &mut Turn<'_>, id: usize, heard: Heard) {
        let config = &self.config.instances[id];
        let instance = &mut self.instances[id];
        if heard.priority == Priority::RELEASE {
            instance.statistics.pri_zero_rcvd += 1;
            turn.say(Text::MasterReceivedPriorityZero(&config.name));
            self.send_advert(turn, id);
            self.advert_in_one_interval(turn.now, id);
            return;
        }
        let ours = instance.effective;
        let address = instance.source.map_or(Ordering::Greater, |source| heard.source.cmp(&source));
        match (heard.priority.cmp(&ours), address) {
            (Ordering::Greater, _) => {
                let reason = Text::HigherPriority(&config.name, heard.source, heard.priority, ours).line();
                self.yield_to(turn, id, heard, reason);
            }
            (Ordering::Equal, Ordering::Greater) => {
                if ours.is_owner() {
                    turn.say(Text::TwoOwners(&config.name, heard.source));
                }
                let reason = Text::HigherAddress(&config.name, heard.source, ours).line();
                self.yield_to(turn, id, heard, reason);
            }
            (Ordering::Equal, Ordering::Equal) => {
                if instance.reported.first(Complaint::OwnAddress) {
                    turn.say(Text::OwnAddress(&config.name));
                }
            }
            (Ordering::Equal, Ordering::Less) | (Ordering::Less, _) => {
                if ours.is_owner() && heard.priority.is_owner() {
                    self.meet_owner(turn, id, heard);
                }
                self.insist(turn, id, heard);
            }
        }
    }

    fn advert_in_one_interval(&mut self, now: Instant, id: usize) {
        let interval = self.config.instances[id].interval.duration();
        if let Run::Master(master) = &mut self.instances[id].run {
            master.advert_at = now + interval;
        }
        self.arm_state(id);
    }

    /// Somebody better is master, for this reason.
    fn yield_to(&mut self, turn: &mut Turn<'_>, id: usize, heard: Heard, reason: Line) {
        if self.config.instances[id].higher_priority_send_advert {
            self.send_advert(turn, id);
        }
        turn.out.push(Action::Log(reason));
        self.retire(turn, id, Retreat::Backup);
        self.accept_master(turn, id, heard);
    }

    /// Somebody worse thinks that it is master.
    fn insist(&mut self, turn: &mut Turn<'_>, id: usize, heard: Heard) {
        let config = &self.config.instances[id];
        let ours = self.instances[id].effective;
        let election = !config.lower_priority_no_advert;
        let (source, theirs) = (heard.source, heard.priority);
        turn.say(Text::LowerPriority { name: &config.name, source, theirs, ours, election });
        if election {
            self.send_advert(turn, id);
        }
        let members = self.companies[self.instances[id].company].members.clone();
        for member in members {
            let announce = &self.config.instances[member].announce;
            let (delay, rounds) = (announce.lower_priority_delay, announce.lower_priority_repeat);
            if rounds > 0 && self.instances[member].is_master() {
                self.announce(turn, &[member], rounds);
                self.plan_second_set(turn, member, delay, rounds);
            }
        }
        turn.out
            .push(Action::Notify(Notification::MasterReceivedLowerPriority { instance: turn.id(id), priority: ours }));
    }

    /// Another owner with a lower address must give way: it has two of our adverts and 1.2 intervals for that.
    fn meet_owner(&mut self, turn: &mut Turn<'_>, id: usize, heard: Heard) {
        let config = &self.config.instances[id];
        let instance = &mut self.instances[id];
        if instance.reported.first(Complaint::TwoOwners) {
            turn.say(Text::TwoOwners(&config.name, heard.source));
        }
        let Run::Master(master) = &mut instance.run else { return };
        let own = config.interval.duration();
        let patience = own.max(heard.interval.duration()) * 6 / 5;
        match &mut master.rival {
            Some(rival) if rival.address == heard.source => rival.last_heard = turn.now,
            _ => {
                let (address, decide_at) = (heard.source, turn.now + own * 2 + patience);
                master.rival = Some(Rival { address, decide_at, patience, last_heard: turn.now });
                self.arm(id);
            }
        }
    }

    /// The rival's time is over: it is gone, or we are the one to give way.
    pub(crate) fn judge_rival(&mut self, turn: &mut Turn<'_>, id: usize) {
        let Run::Master(master) = &mut self.instances[id].run else { return };
        let Some(rival) = master.rival.take() else { return };
        if turn.now.since(rival.last_heard) < rival.patience {
            turn.say(Text::OwnerStillThere(&self.config.instances[id].name, rival.address));
            self.instances[id].lowered = true;
            self.set_effective(turn, id, Priority::new(254));
        }
    }

    /// An owner that gave way is the owner again when the other one is gone (`None`) or is no owner any more.
    fn restore_owner(&mut self, turn: &mut Turn<'_>, id: usize, heard: Option<Heard>) {
        let instance = &mut self.instances[id];
        if !instance.lowered || heard.is_some_and(|heard| heard.priority.is_owner()) {
            return;
        }
        instance.lowered = false;
        let owner = self.config.instances[id].priority;
        self.set_effective(turn, id, owner);
    }

    /// The advert timer or the down timer expired.
    pub(crate) fn state_timer(&mut self, turn: &mut Turn<'_>, id: usize) {
        match &self.instances[id].run {
            Run::Master(_) => {
                self.yield_after_stall(turn, id);
                let Run::Master(master) = &mut self.instances[id].run else { return };
                let interval = self.config.instances[id].interval.duration();
                // from the planned moment, so that lateness does not add up
                let planned = master.advert_at + interval;
                master.advert_at = if planned > turn.now { planned } else { turn.now + interval };
                self.arm_state(id);
                self.send_advert(turn, id);
            }
            Run::Backup(Backup { wait: Wait::Silence { down_at }, .. }) => {
                let late = turn.now.since(*down_at);
                if late >= self.down_interval(id) {
                    self.listen_again(turn, id, late);
                } else {
                    self.take_over(turn, id);
                }
            }
            Run::Backup(Backup { wait: Wait::Group, .. }) | Run::Init | Run::Fault => {}
        }
    }

    fn down_interval(&self, id: usize) -> Duration {
        let instance = &self.instances[id];
        instance.down_interval(&self.config.instances[id], instance.effective)
    }

    /// The master is silent.
    fn take_over(&mut self, turn: &mut Turn<'_>, id: usize) {
        turn.say(Text::ReceiveTimeout(&self.config.instances[id].name));
        self.restore_owner(turn, id, None);
        let members = &self.companies[self.instances[id].company].members;
        let ready = |member: &usize| {
            *member == id
                || matches!(self.instances[*member].run, Run::Master(_) | Run::Backup(Backup { wait: Wait::Group, .. }))
        };
        if members.iter().all(ready) {
            self.promote(turn, id);
        } else if let Run::Backup(backup) = &mut self.instances[id].run {
            backup.wait = Wait::Group;
            self.arm_state(id);
        }
    }

    /// A master that said nothing for so long that a backup took over listens before it says anything.
    pub(crate) fn yield_after_stall(&mut self, turn: &mut Turn<'_>, id: usize) {
        let config = &self.config.instances[id];
        let instance = &self.instances[id];
        let Run::Master(master) = &instance.run else { return };
        let late = turn.now.since(master.advert_at);
        let silent = late + config.interval.duration();
        if !late.is_zero() && silent >= self.stall_limit(id) {
            self.step_aside(turn, id, late);
        }
    }

    /// Silence after which a backup has taken over: `timer_expired_backup` says of which priority, else ours.
    fn stall_limit(&self, id: usize) -> Duration {
        let (config, instance) = (&self.config.instances[id], &self.instances[id]);
        instance.down_interval(config, config.timer_expired_backup.unwrap_or(instance.effective))
    }

    fn step_aside(&mut self, turn: &mut Turn<'_>, id: usize, late: Duration) {
        turn.say(Text::TimerExpired(late));
        turn.say(Text::Listens(&self.config.instances[id].name, self.down_interval(id)));
        self.retire(turn, id, Retreat::Backup);
    }

    fn listen_again(&mut self, turn: &mut Turn<'_>, id: usize, late: Duration) {
        let wait = self.down_interval(id);
        turn.say(Text::TimerExpired(late));
        turn.say(Text::Listens(&self.config.instances[id].name, wait));
        if let Run::Backup(backup) = &mut self.instances[id].run {
            backup.wait = Wait::Silence { down_at: turn.now + wait };
        }
        self.arm_state(id);
    }

    /// The whole process stood still for this long, and what was queued has been handed over.
    pub(crate) fn stalled(&mut self, turn: &mut Turn<'_>, lasted: Duration) {
        for id in 0..self.instances.len() {
            match &self.instances[id].run {
                Run::Master(_) if lasted >= self.stall_limit(id) => self.step_aside(turn, id, lasted),
                Run::Backup(Backup { wait: Wait::Silence { down_at }, .. })
                    if lasted >= self.down_interval(id) && *down_at < turn.now + self.down_interval(id) =>
                {
                    self.listen_again(turn, id, lasted);
                }
                Run::Master(_) | Run::Backup(_) | Run::Init | Run::Fault => {}
            }
        }
    }
}
