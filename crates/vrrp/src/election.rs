//! Who is master: what an advert, or the lack of one, means (RFC 9568 §6.4, RFC 3768 §6.4).

use std::cmp::Ordering;
use std::net::IpAddr;
use std::time::Duration;

use types::{Family, Instant, Priority, VrrpVersion};

use crate::config::{Authentication, Cast};
use crate::event::{Action, Notification, ReceivedPacket};
use crate::instance::{Accepted, Backup, Complaint, Heard, PreemptDelay, Reported, Rival, Run, Wait};
use crate::log::{Line, Text};
use crate::packet::{Counter, Expected, Memory, Refusal, Remark, peek_vrid, receive};
use crate::routers::{Routers, Turn};
use crate::statistics::Statistics;
use crate::transition::Retreat;

/// Unknown VRIDs that are told once each; a stranger cannot make us remember more.
const MAX_UNKNOWN_VRIDS: usize = 1024;

impl Statistics {
    fn count(&mut self, counter: Counter) {
        let counted = match counter {
            Counter::PacketLength => &mut self.packet_len_err,
            Counter::IpTtl => &mut self.ip_ttl_err,
            Counter::AdvertInterval => &mut self.advert_interval_err,
            Counter::InvalidType => &mut self.invalid_type_rcvd,
            Counter::AddressList => &mut self.addr_list_err,
            Counter::InvalidAuthType => &mut self.invalid_authtype,
            Counter::AuthTypeMismatch => &mut self.authtype_mismatch,
            Counter::AuthFailure => &mut self.auth_failure,
            Counter::TrailerMissing => &mut self.auth_ext_missing,
            Counter::TrailerMalformed => &mut self.auth_ext_malformed,
            Counter::TrailerUnknownKey => &mut self.auth_ext_unknown_key,
            Counter::TrailerInvalidHmac => &mut self.auth_ext_invalid_hmac,
            Counter::TrailerStale => &mut self.auth_ext_stale,
            Counter::TrailerReplay => &mut self.auth_ext_replay,
            Counter::Version | Counter::Checksum | Counter::Vrid | Counter::Ignored => return,
        };
        *counted += 1;
    }
}

impl Routers {
    /// A packet arrived.
    pub(crate) fn hear(&mut self, turn: &mut Turn<'_>, packet: &ReceivedPacket<'_>) {
        let Some(vrid) = peek_vrid(packet) else {
            self.global.vrid_err += 1;
            return;
        };
        let Some(id) = self.addressee(packet, vrid) else {
            self.hear_unknown(turn, packet, vrid);
            return;
        };
        match self.instances[id].run {
            Run::Init | Run::Fault => return,
            Run::Backup(_) if self.silent_until.is_some_and(|end| turn.now < end) => return,
            // it stood still: what it was is no reason to claim anything now
            Run::Master(_) => self.yield_after_stall(turn, id),
            Run::Backup(_) => {}
        }
        if let Some(heard) = self.check(turn, id, packet) {
            self.instances[id].statistics.advert_rcvd += 1;
            match self.instances[id].run {
                Run::Backup(_) => self.backup_hears(turn, id, heard),
                Run::Master(_) => self.master_hears(turn, id, heard),
                Run::Init | Run::Fault => {}
            }
        }
    }

    /// The instance that a packet is for. Several may share interface and VRID when their cast types differ.
    fn addressee(&self, packet: &ReceivedPacket<'_>, vrid: u8) -> Option<usize> {
        let family = Family::of(packet.source);
        let on_interface = self.addressees.get(&(Some(packet.interface), family, vrid));
        let candidates = on_interface.or_else(|| self.addressees.get(&(None, family, vrid)))?;
        let fits = |id: &&usize| match &self.config.instances[**id].cast {
            Cast::Multicast { group } => packet.destination == *group,
            Cast::Unicast { peers, .. } => {
                self.instances[**id].source.is_some_and(|source| source == packet.destination)
                    && (candidates.len() == 1 || peers.iter().any(|peer| peer.address == packet.source))
            }
        };
        candidates.iter().find(fits).or_else(|| candidates.first()).copied()
    }

    fn hear_unknown(&mut self, turn: &mut Turn<'_>, packet: &ReceivedPacket<'_>, vrid: u8) {
        self.global.vrid_err += 1;
        if !self.config.log_unknown_vrids || self.unknown_vrids.len() >= MAX_UNKNOWN_VRIDS {
            return;
        }
        if self.unknown_vrids.insert((packet.interface, vrid)) {
            let interface = self.links.name(packet.interface).map_or("?", |name| name.as_str());
            turn.say(Text::UnknownVrid(vrid, interface, packet.source));
        }
    }

    /// Checks a packet. The octets that were accepted last are not looked at again.
    fn check(&mut self, turn: &mut Turn<'_>, id: usize, packet: &ReceivedPacket<'_>) -> Option<Heard> {
        let config = &self.config.instances[id];
        let instance = &mut self.instances[id];
        if let Some(accepted) = &instance.accepted
            && accepted.source == packet.source
            && accepted.destination == packet.destination
            && accepted.ttl == packet.ttl
            && accepted.octets == packet.octets
        {
            return Some(accepted.heard);
        }
        let skip_addresses = config.skip_check_advert_addresses
            && matches!(instance.run, Run::Backup(_))
            && instance.master.is_some_and(|(master, _)| master == packet.source);
        let expected = Expected { skip_addresses, ..Expected::of(config) };
        let advert = match receive(packet, &expected, &mut instance.memory, turn.now, turn.utc) {
            Ok(advert) => advert,
            Err(refusal) => {
                let counter = refusal.counter();
                instance.statistics.count(counter);
                self.global.checksum_err += u64::from(counter == Counter::Checksum);
                self.global.version_err += u64::from(counter == Counter::Version);
                if instance.reported.first(Complaint::Refused(&refusal)) {
                    turn.say(Text::Refused(&config.name, &refusal, packet.source));
                }
                if let Refusal::HeaderReplay { .. } = refusal {
                    self.step_out(turn, id);
                }
                return None;
            }
        };
        let heard = Heard { source: advert.source, priority: advert.priority, interval: advert.interval };
        for remark in &advert.remarks {
            remark.counter().into_iter().for_each(|counter| instance.statistics.count(counter));
            if *remark == Remark::OldUnicastChecksum {
                instance.advert = None;
            }
            if instance.reported.first(Complaint::Odd(remark)) {
                turn.say(odd(&config.name, remark, &heard));
            }
        }
        let same_each_time = matches!(config.authentication, Authentication::None | Authentication::Password(_));
        if same_each_time && advert.remarks.is_empty() && !skip_addresses {
            let mut octets = instance.accepted.take().map(|accepted| accepted.octets).unwrap_or_default();
            octets.clear();
            octets.extend_from_slice(packet.octets);
            let (source, destination, ttl) = (packet.source, packet.destination, packet.ttl);
            instance.accepted = Some(Accepted { octets, source, destination, ttl, heard });
        }
        Some(heard)
    }

    /// Two masters that count in step refuse each other's sequence numbers for ever, and both stay master. The check
    /// value was right, so it is a router that knows the key (or its echo): once an interval we skip some numbers,
    /// as many as our address says, so that two masters do not skip the same. keepalived has no way out of this.
    fn step_out(&mut self, turn: &Turn<'_>, id: usize) {
        let interval = self.config.instances[id].interval.duration();
        let instance = &mut self.instances[id];
        let Run::Master(master) = &mut instance.run else { return };
        if master.stepped.is_some_and(|at| turn.now.since(at) < interval) {
            return;
        }
        master.stepped = Some(turn.now);
        let skip = match instance.source {
            Some(IpAddr::V4(address)) => 1 + u32::from(address.octets()[3]),
            Some(IpAddr::V6(_)) | None => 1,
        };
        instance.memory = Memory::with_sequence(instance.memory.sequence().saturating_add(skip));
    }

    /// RFC 9568 §6.4.2.
    fn backup_hears(&mut self, turn: &mut Turn<'_>, id: usize, heard: Heard) {
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
    fn master_hears(&mut self, turn: &mut Turn<'_>, id: usize, heard: Heard) {
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

fn odd<'a>(name: &'a str, remark: &Remark, heard: &Heard) -> Text<'a> {
    match remark {
        Remark::Interval { found, own } => Text::IntervalDiffers(name, heard.source, own.duration(), found.duration()),
        Remark::OldUnicastChecksum => Text::OldUnicastChecksum(name),
        Remark::MessageOnlyChecksum => Text::MessageOnlyChecksum(name, heard.source),
        Remark::AddressCount { found, own } => Text::AddressCount(name, heard.source, *found, *own),
        Remark::AddressMissing(address) => Text::AddressMissing(name, heard.source, *address),
        Remark::ClockSkew { skew, window } => Text::ClockSkew(name, *skew, heard.source, *window),
    }
}
