//! Order of notify scripts.
//!
//! keepalived starts every script at once, so a slow `notify_backup` may end after the `notify_master` that followed it
//! and leave the host in the wrong state. Here the scripts of one transition start together (the state's own, then the
//! generic one), and those of the next transition of the same instance start when they have ended, or after
//! [`PATIENCE`]: a script that never ends delays its successors but cannot silence them.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use types::Instant;

use crate::Script;

/// How long a transition's scripts may hold up those of the next one.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Transitions of one owner that may wait; beyond this the oldest waiting one is dropped and counted.
const MOST_WAITING: usize = 64;

/// Whose scripts must stay in order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// A VRRP instance.
    Instance(String),
    /// A sync group.
    Group(String),
    /// A real server of a service, or a service's quorum.
    Service(String),
}

/// One run of a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(pub u64);

/// A script to start now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// For [`Queue::ended`].
    pub id: RunId,
    /// The command.
    pub script: Script,
    /// Words appended to it.
    pub words: Vec<String>,
    /// Whose it is.
    pub owner: Owner,
}

/// A script with the words appended to it.
type Command = (Script, Vec<String>);

#[derive(Debug, Default)]
struct Lane {
    running: Vec<RunId>,
    patient_until: Option<Instant>,
    waiting: VecDeque<Vec<Command>>,
}

/// Scripts that run and scripts that wait.
#[derive(Debug, Default)]
pub struct Queue {
    lanes: BTreeMap<Owner, Lane>,
    owners: BTreeMap<RunId, Owner>,
    last: u64,
    dropped: u64,
}

impl Queue {
    /// The scripts of one transition of `owner`; those that may start now are appended to `out`.
    pub fn transition(&mut self, now: Instant, owner: Owner, scripts: Vec<Command>, out: &mut Vec<Run>) {
        if scripts.is_empty() {
            return;
        }
        let lane = self.lanes.entry(owner.clone()).or_default();
        if lane.waiting.len() >= MOST_WAITING {
            lane.waiting.pop_front();
            self.dropped += 1;
        }
        lane.waiting.push_back(scripts);
        self.advance(now, &owner, out);
    }

    /// A run ended.
    pub fn ended(&mut self, now: Instant, run: RunId, out: &mut Vec<Run>) {
        let Some(owner) = self.owners.remove(&run) else { return };
        if let Some(lane) = self.lanes.get_mut(&owner) {
            lane.running.retain(|&running| running != run);
        }
        self.advance(now, &owner, out);
    }

    /// Starts what has waited long enough.
    pub fn handle_timeout(&mut self, now: Instant, out: &mut Vec<Run>) {
        let late: Vec<Owner> = self
            .lanes
            .iter()
            .filter(|(_, lane)| !lane.waiting.is_empty() && lane.patient_until.is_some_and(|until| until <= now))
            .map(|(owner, _)| owner.clone())
            .collect();
        for owner in late {
            self.advance(now, &owner, out);
        }
    }

    /// When [`Queue::handle_timeout`] has something to do.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.lanes.values().filter(|lane| !lane.waiting.is_empty()).filter_map(|lane| lane.patient_until).min()
    }

    /// Whether nothing runs and nothing waits.
    pub fn is_idle(&self) -> bool {
        self.owners.is_empty() && self.lanes.values().all(|lane| lane.waiting.is_empty())
    }

    /// Transitions whose scripts were never run because too many waited.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    fn advance(&mut self, now: Instant, owner: &Owner, out: &mut Vec<Run>) {
        let Some(lane) = self.lanes.get_mut(owner) else { return };
        let free = lane.running.is_empty() || lane.patient_until.is_some_and(|until| until <= now);
        if free && let Some(scripts) = lane.waiting.pop_front() {
            lane.patient_until = Some(now + PATIENCE);
            for (script, words) in scripts {
                self.last += 1;
                let id = RunId(self.last);
                lane.running.push(id);
                self.owners.insert(id, owner.clone());
                out.push(Run { id, script, words, owner: owner.clone() });
            }
        }
        if lane.running.is_empty() && lane.waiting.is_empty() {
            self.lanes.remove(owner);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ScriptUser;

    fn script(text: &str) -> Command {
        let script = Script { words: vec![text.into()], text: text.into(), user: ScriptUser::ROOT, open_only: false };
        (script, Vec::new())
    }

    fn names(runs: &[Run]) -> Vec<&str> {
        runs.iter().map(|run| run.script.text.as_str()).collect()
    }

    fn owner() -> Owner {
        Owner::Instance("VI_1".into())
    }

    #[test]
    fn scripts_of_one_transition_start_together_and_the_next_ones_wait_for_their_end() {
        let (mut queue, mut out) = (Queue::default(), Vec::new());
        queue.transition(Instant::ZERO, owner(), vec![script("master"), script("any-master")], &mut out);
        assert_eq!(names(&out), ["master", "any-master"]);
        let ids: Vec<RunId> = out.drain(..).map(|run| run.id).collect();
        queue.transition(Instant::ZERO, owner(), vec![script("backup")], &mut out);
        assert!(out.is_empty());
        queue.ended(Instant::ZERO, ids[0], &mut out);
        assert!(out.is_empty());
        queue.ended(Instant::ZERO, ids[1], &mut out);
        assert_eq!(names(&out), ["backup"]);
        assert!(!queue.is_idle());
        queue.ended(Instant::ZERO, out[0].id, &mut Vec::new());
        assert!(queue.is_idle());
    }

    #[test]
    fn other_owners_do_not_wait() {
        let (mut queue, mut out) = (Queue::default(), Vec::new());
        queue.transition(Instant::ZERO, owner(), vec![script("a")], &mut out);
        queue.transition(Instant::ZERO, Owner::Group("G".into()), vec![script("b")], &mut out);
        assert_eq!(names(&out), ["a", "b"]);
    }

    #[test]
    fn a_script_that_never_ends_delays_its_successor_but_cannot_silence_it() {
        let (mut queue, mut out) = (Queue::default(), Vec::new());
        queue.transition(Instant::ZERO, owner(), vec![script("hangs")], &mut out);
        queue.transition(Instant::ZERO, owner(), vec![script("next")], &mut out);
        out.clear();
        let deadline = queue.next_deadline().unwrap();
        assert_eq!(deadline, Instant::ZERO + PATIENCE);
        queue.handle_timeout(Instant::ZERO, &mut out);
        assert!(out.is_empty());
        queue.handle_timeout(deadline, &mut out);
        assert_eq!(names(&out), ["next"]);
        assert_eq!(queue.next_deadline(), None);
    }

    #[test]
    fn waiting_is_bounded_and_what_is_dropped_is_counted() {
        let (mut queue, mut out) = (Queue::default(), Vec::new());
        for _ in 0..MOST_WAITING + 11 {
            queue.transition(Instant::ZERO, owner(), vec![script("x")], &mut out);
        }
        assert_eq!(out.len(), 1);
        assert_eq!(queue.dropped(), 10);
    }
}
