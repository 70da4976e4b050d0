//! Gratuitous ARP and unsolicited neighbour advertisements: whole sets in one burst, or one by one where a least gap
//! is configured.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use types::{Family, IfIndex, IfName, Instant};

use crate::config::{AnnounceLimit, Announced};
use crate::deadlines::{Deadlines, Kind};
use crate::event::{Action, Announcement};
use crate::instance::Run;
use crate::log::{Level, Text};
use crate::routers::{Routers, Turn};

/// What shares a least gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Shared {
    /// Interfaces of one `garp_group`, by its place.
    Group(usize, Family),
    /// One interface.
    Interface(IfIndex, Family),
}

/// Announcements with a least gap between them.
#[derive(Debug)]
struct Limiter {
    gap: Duration,
    free_at: Instant,
    queue: VecDeque<Announcement>,
}

/// All queues of limited announcements.
#[derive(Debug, Default)]
pub(crate) struct Limiters {
    limiters: Vec<Limiter>,
    places: HashMap<Shared, usize>,
}

impl Limiters {
    /// The queue that an announcement must wait in, if any.
    fn place(&mut self, limits: &[AnnounceLimit], name: Option<&IfName>, one: &Announcement) -> Option<usize> {
        let family = Family::of(one.address);
        let gap = |limit: &AnnounceLimit| match family {
            Family::Inet => limit.arp_interval,
            Family::Inet6 => limit.neighbour_interval,
        };
        let (shared, gap) = match limits.iter().position(|limit| name.is_some_and(|n| limit.interfaces.contains(n))) {
            Some(group) => (Shared::Group(group, family), gap(&limits[group])),
            None => {
                let each = limits.iter().find(|limit| limit.interfaces.is_empty())?;
                (Shared::Interface(one.interface, family), gap(each))
            }
        };
        if gap.is_zero() {
            return None;
        }
        let place = *self.places.entry(shared).or_insert_with(|| {
            self.limiters.push(Limiter { gap, free_at: Instant::ZERO, queue: VecDeque::new() });
            self.limiters.len() - 1
        });
        Some(place)
    }

    /// The next announcement of a queue, if its time has come.
    fn next(&mut self, place: usize, now: Instant) -> Option<Announcement> {
        let limiter = &mut self.limiters[place];
        if limiter.free_at > now {
            return None;
        }
        let one = limiter.queue.pop_front()?;
        limiter.free_at = now + limiter.gap;
        Some(one)
    }

    fn arm(&self, place: usize, deadlines: &mut Deadlines) {
        let limiter = &self.limiters[place];
        deadlines.set(Kind::Announce, place, (!limiter.queue.is_empty()).then_some(limiter.free_at));
    }

    /// Nothing of this instance leaves any more.
    pub(crate) fn forget(&mut self, turn: &Turn<'_>, id: usize, deadlines: &mut Deadlines) {
        for place in 0..self.limiters.len() {
            let queue = &mut self.limiters[place].queue;
            if queue.iter().any(|one| one.instance == turn.id(id)) {
                queue.retain(|one| one.instance != turn.id(id));
                self.arm(place, deadlines);
            }
        }
    }

    /// Takes everything that waits.
    pub(crate) fn drain(&mut self) -> Vec<Announcement> {
        self.places.clear();
        self.limiters.drain(..).flat_map(|limiter| limiter.queue).collect()
    }
}

impl Routers {
    /// Announces all addresses of these masters, `rounds` times: the whole first round before any repetition.
    pub(crate) fn announce(&mut self, turn: &mut Turn<'_>, masters: &[usize], rounds: u32) {
        let set: Vec<_> = masters.iter().flat_map(|id| self.addresses_of(turn, *id)).collect();
        self.announce_set(turn, set, |_| rounds);
    }

    /// The first set of new masters, `garp_master_repeat` rounds of each.
    pub(crate) fn announce_first_set(&mut self, turn: &mut Turn<'_>, masters: &[usize]) {
        let set: Vec<_> = masters.iter().flat_map(|id| self.addresses_of(turn, *id)).collect();
        let repeats: HashMap<usize, u32> =
            masters.iter().map(|id| (*id, self.config.instances[*id].announce.master_repeat.max(1))).collect();
        self.announce_set(turn, set, |id| repeats.get(&id).copied().unwrap_or(1));
    }

    /// Announces from the virtual links of a master that no advert leaves through, so that switches keep their addresses.
    pub(crate) fn announce_extra_links(&mut self, turn: &mut Turn<'_>, id: usize) {
        let transmit = self.instances[id].transmit;
        let mut set = self.addresses_of(turn, id);
        set.retain(|one| Some(one.interface) != transmit && self.links.has_base(one.interface));
        self.announce_set(turn, set, |_| 1);
    }

    /// A unicast router that comes back tells its neighbours where its own address is.
    pub(crate) fn announce_source(&mut self, turn: &mut Turn<'_>, id: usize) {
        let instance = &self.instances[id];
        let (Some(address), Some(interface)) = (instance.source, instance.base) else { return };
        let Some(mac) = self.links.mac(interface) else { return };
        self.announce_set(turn, vec![Announcement { instance: turn.id(id), interface, mac, address }], |_| 1);
    }

    /// Announces addresses that a reload added.
    pub(crate) fn announce_new(&mut self, turn: &mut Turn<'_>, id: usize, known: &[Announced]) {
        let announced = &self.config.instances[id].announced;
        let fresh = announced.iter().filter(|one| !known.contains(one));
        let set: Vec<_> = fresh.filter_map(|one| self.announcement(turn, id, one)).collect();
        if set.is_empty() {
            return;
        }
        let config = &self.config.instances[id].announce;
        let (delay, rounds) = (config.master_delay, config.master_repeat);
        self.announce_set(turn, set, |_| rounds);
        self.plan_second_set(turn, id, delay, rounds);
    }

    /// A second set follows after `delay`.
    pub(crate) fn plan_second_set(&mut self, turn: &Turn<'_>, id: usize, delay: Duration, rounds: u32) {
        if let Run::Master(master) = &mut self.instances[id].run {
            master.second_set = (!delay.is_zero() && rounds > 0).then_some((turn.now + delay, rounds));
            self.deadlines.set(Kind::SecondSet, id, master.second_set.map(|(at, _)| at));
        }
    }

    /// The next announcement of a limited queue leaves.
    pub(crate) fn announce_next(&mut self, turn: &mut Turn<'_>, place: usize) {
        if let Some(one) = self.limiters.next(place, turn.now) {
            self.send_announcements(turn, vec![one]);
        }
        self.limiters.arm(place, &mut self.deadlines);
    }

    /// Queues again what waited before a reload.
    pub(crate) fn queue_again(&mut self, turn: &mut Turn<'_>, waiting: Vec<Announcement>) {
        self.leave_or_wait(turn, waiting);
    }

    fn announce_set(&mut self, turn: &mut Turn<'_>, mut set: Vec<Announcement>, rounds: impl Fn(usize) -> u32) {
        let rounds = |one: &Announcement| rounds(one.instance.0 as usize);
        set.retain(|one| rounds(one) > 0);
        let told = if turn.speaks(Level::Detail) { set.as_slice() } else { &[] };
        for one in told {
            let Some(interface) = self.links.name(one.interface) else { continue };
            let name = &self.config.instances[one.instance.0 as usize].name;
            turn.say(Text::AnnouncementSet(name, interface, one.address));
        }
        let most = set.iter().map(rounds).max().unwrap_or(0);
        for round in 0..most {
            self.leave_or_wait(turn, set.iter().filter(|one| round < rounds(one)).copied().collect());
        }
    }

    /// Sends what may leave now in one burst; the rest waits for its gap.
    fn leave_or_wait(&mut self, turn: &mut Turn<'_>, set: Vec<Announcement>) {
        if self.config.announce_limits.is_empty() {
            self.send_announcements(turn, set);
            return;
        }
        let mut burst = Vec::new();
        let mut queues = Vec::new();
        for one in set {
            match self.limiters.place(&self.config.announce_limits, self.links.name(one.interface), &one) {
                None => burst.push(one),
                Some(place) => {
                    self.limiters.limiters[place].queue.push_back(one);
                    queues.push(place);
                }
            }
        }
        queues.sort_unstable();
        queues.dedup();
        for place in queues {
            burst.extend(self.limiters.next(place, turn.now));
            self.limiters.arm(place, &mut self.deadlines);
        }
        self.send_announcements(turn, burst);
    }

    fn send_announcements(&self, turn: &mut Turn<'_>, list: Vec<Announcement>) {
        if list.is_empty() {
            return;
        }
        let lines: Vec<_> = list
            .iter()
            .filter(|_| turn.speaks(Level::Detail))
            .filter_map(|one| Some((self.links.name(one.interface)?, one.address)))
            .collect();
        turn.out.push(Action::Announce(list));
        for (interface, address) in lines {
            turn.say(Text::Announcement(interface, address));
        }
    }

    fn addresses_of(&self, turn: &Turn<'_>, id: usize) -> Vec<Announcement> {
        let announced = &self.config.instances[id].announced;
        announced.iter().filter_map(|one| self.announcement(turn, id, one)).collect()
    }

    /// Without interface or hardware address there is nobody to tell.
    fn announcement(&self, turn: &Turn<'_>, id: usize, announced: &Announced) -> Option<Announcement> {
        let interface = match &announced.interface {
            Some(name) => self.links.find(name)?,
            None => self.instances[id].home?,
        };
        let mac = self.links.mac(interface)?;
        Some(Announcement { instance: turn.id(id), interface, mac, address: announced.address })
    }
}
