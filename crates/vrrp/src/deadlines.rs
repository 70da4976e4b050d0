//! All deadlines of the process in one heap that knows where each timer is: moving one costs a few comparisons and no
//! allocation, and the earliest is exact.

use types::Instant;

/// What a deadline is for. Timers of one moment go off in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// `vrrp_startup_delay` ends.
    Startup,
    /// Master: the next advert. Backup: the master-down timer.
    State,
    /// A rival address owner has had its time.
    Rival,
    /// Addresses that others keep removing are put back.
    Repair,
    /// Second set of announcements.
    SecondSet,
    /// Periodic announcements.
    Refresh,
    /// Periodic announcements from virtual links.
    ExtraRefresh,
    /// The next announcement of a limited queue.
    Announce,
    /// The next run of a script.
    Script,
    /// Fork or terminate delay of a process tracker.
    Process,
    /// Up or down delay of a link.
    Link,
}

const KINDS: usize = Kind::Link as usize + 1;
const ABSENT: u32 = u32::MAX;

/// One timer: its kind and the dense number of its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Timer {
    pub(crate) kind: Kind,
    pub(crate) owner: usize,
}

/// A binary heap of deadlines with the place of each timer.
#[derive(Debug, Default)]
pub(crate) struct Deadlines {
    heap: Vec<(Instant, Timer)>,
    places: [Vec<u32>; KINDS],
}

impl Deadlines {
    /// Arms, moves or (with `None`) disarms a timer.
    pub(crate) fn set(&mut self, kind: Kind, owner: usize, at: Option<Instant>) {
        let timer = Timer { kind, owner };
        let place = self.place(timer);
        match (place, at) {
            (None, None) => {}
            (None, Some(at)) => {
                self.heap.push((at, timer));
                let last = self.heap.len() - 1;
                self.note(last);
                self.rise(last);
            }
            (Some(place), Some(at)) => {
                let earlier = at < self.heap[place].0;
                self.heap[place].0 = at;
                if earlier { self.rise(place) } else { self.sink(place) }
            }
            (Some(place), None) => self.remove(place),
        }
    }

    /// The earliest deadline.
    pub(crate) fn first(&self) -> Option<Instant> {
        self.heap.first().map(|(at, _)| *at)
    }

    /// Takes the earliest timer that is due at `now`.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<Timer> {
        let (at, timer) = *self.heap.first()?;
        if at > now {
            return None;
        }
        self.remove(0);
        Some(timer)
    }

    /// Forgets all timers.
    pub(crate) fn clear(&mut self) {
        self.heap.clear();
        self.places.iter_mut().for_each(Vec::clear);
    }

    fn place(&self, timer: Timer) -> Option<usize> {
        let place = *self.places[timer.kind as usize].get(timer.owner)?;
        (place != ABSENT).then_some(place as usize)
    }

    fn note(&mut self, place: usize) {
        let timer = self.heap[place].1;
        let places = &mut self.places[timer.kind as usize];
        if places.len() <= timer.owner {
            places.resize(timer.owner + 1, ABSENT);
        }
        places[timer.owner] = place as u32;
    }

    fn remove(&mut self, place: usize) {
        let timer = self.heap[place].1;
        self.places[timer.kind as usize][timer.owner] = ABSENT;
        let last = self.heap.len() - 1;
        self.heap.swap(place, last);
        self.heap.pop();
        if place < last {
            self.note(place);
            self.sink(place);
            self.rise(place);
        }
    }

    fn rise(&mut self, mut place: usize) {
        while place > 0 {
            let parent = (place - 1) / 2;
            if self.heap[parent] <= self.heap[place] {
                break;
            }
            self.heap.swap(parent, place);
            self.note(place);
            place = parent;
        }
        self.note(place);
    }

    fn sink(&mut self, mut place: usize) {
        loop {
            let left = 2 * place + 1;
            if left >= self.heap.len() {
                break;
            }
            let right = left + 1;
            let child = if right < self.heap.len() && self.heap[right] < self.heap[left] { right } else { left };
            if self.heap[place] <= self.heap[child] {
                break;
            }
            self.heap.swap(place, child);
            self.note(place);
            place = child;
        }
        self.note(place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(n: u64) -> Instant {
        Instant::from_nanos(n)
    }

    #[test]
    fn timers_go_off_in_order_of_time_then_kind_then_owner() {
        let mut deadlines = Deadlines::default();
        deadlines.set(Kind::Script, 0, Some(at(5)));
        deadlines.set(Kind::State, 2, Some(at(5)));
        deadlines.set(Kind::State, 1, Some(at(5)));
        deadlines.set(Kind::State, 0, Some(at(9)));
        assert_eq!(deadlines.take_due(at(4)), None);
        let due: Vec<_> =
            std::iter::from_fn(|| deadlines.take_due(at(5))).map(|timer| (timer.kind, timer.owner)).collect();
        assert_eq!(due, [(Kind::State, 1), (Kind::State, 2), (Kind::Script, 0)]);
        assert_eq!(deadlines.first(), Some(at(9)));
    }

    /// The heap against a sorted map, over many random moves.
    #[test]
    fn the_heap_agrees_with_a_sorted_map() {
        let mut deadlines = Deadlines::default();
        let mut model = std::collections::BTreeMap::new();
        let mut random = 1u64;
        for _ in 0..20_000 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let owner = (random >> 33) as usize % 40;
            let moment = at((random >> 40) % 1000);
            match (random >> 20) % 4 {
                0 => {
                    deadlines.set(Kind::State, owner, None);
                    model.remove(&owner);
                }
                1 => {
                    let earliest = model.iter().map(|(owner, at)| (*at, *owner)).min();
                    let expected = earliest.filter(|(at, _)| *at <= moment);
                    let taken = deadlines.take_due(moment).map(|timer| timer.owner);
                    assert_eq!(taken, expected.map(|(_, owner)| owner));
                    taken.map(|owner| model.remove(&owner));
                }
                _ => {
                    deadlines.set(Kind::State, owner, Some(moment));
                    model.insert(owner, moment);
                }
            }
            assert_eq!(deadlines.first(), model.values().min().copied());
        }
    }
}
