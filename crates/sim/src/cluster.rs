//! Nodes, their kernels and the clock.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use types::{IfIndex, Instant, Ttl};
use vrrp::{Action, Event, InstanceId, ReceivedPacket, Remembered, Routers, State};

use crate::Report;
use crate::network::Network;
use crate::plan::{Plan, link, source};
use crate::random::Random;

/// Packets that a paused process's sockets keep.
const SOCKET_QUEUE: usize = 256;
/// Wall clock at the beginning.
const EPOCH: Duration = Duration::from_secs(1_700_000_000);
/// Monotonic clock at the beginning.
const BEGIN: Instant = Instant::from_nanos(1_000_000_000_000);

/// An invariant that did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// Since the beginning, on the virtual clock.
    pub at: Duration,
    /// What should have been.
    pub message: String,
    /// The cluster, and what happened last.
    pub history: Vec<String>,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for line in &self.history {
            writeln!(f, "  {line}")?;
        }
        write!(f, "seed {} after {:?}: {}", self.seed, self.at, self.message)
    }
}

impl std::error::Error for Failure {}

/// A packet on its way.
#[derive(Debug, Clone)]
pub(crate) struct Packet {
    source: IpAddr,
    destination: IpAddr,
    ttl: Ttl,
    octets: Arc<[u8]>,
}

/// One machine.
#[derive(Debug)]
pub(crate) struct Node {
    /// The process; `None` while it does not run.
    pub(crate) routers: Option<Routers>,
    /// Addresses in its kernel, by instance. They outlive the process.
    pub(crate) holds: Vec<bool>,
    /// Stopped (SIGSTOP) until told otherwise.
    pub(crate) paused_since: Option<Instant>,
    /// The machine sleeps: its monotonic clock stands still.
    pub(crate) asleep: bool,
    /// How far its monotonic clock is behind the simulation's.
    behind: Duration,
    /// Packets in its sockets.
    queue: Vec<Packet>,
    /// What the supervisor remembers.
    remembered: Vec<Remembered>,
    /// Content of the tracked file.
    file: i64,
    pub(crate) taken: u64,
    pub(crate) released: u64,
}

/// The whole.
#[derive(Debug)]
pub(crate) struct Cluster {
    pub(crate) seed: u64,
    pub(crate) plan: Plan,
    pub(crate) random: Random,
    pub(crate) network: Network,
    pub(crate) nodes: Vec<Node>,
    pub(crate) now: Instant,
    pub(crate) report: Report,
    /// Overlaps are watched: how long two may hold the same address.
    pub(crate) overlap_limit: Option<Duration>,
    overlap_since: Vec<Option<Instant>>,
    flying: BinaryHeap<Reverse<(Instant, u64, usize)>>,
    packets: Vec<Option<Packet>>,
    free: Vec<usize>,
    serial: u64,
    history: Vec<String>,
    failure: Option<Box<Failure>>,
}

impl Cluster {
    pub(crate) fn new(seed: u64, plan: Plan, random: Random) -> Self {
        let delay = plan.interval.duration() / 100;
        let node = |_| Node {
            routers: None,
            holds: vec![false; plan.instances],
            paused_since: None,
            asleep: false,
            behind: Duration::ZERO,
            queue: Vec::new(),
            remembered: Vec::new(),
            file: 0,
            taken: 0,
            released: 0,
        };
        Self {
            seed,
            network: Network::healthy(plan.nodes, delay),
            nodes: (0..plan.nodes).map(node).collect(),
            now: BEGIN,
            report: Report::default(),
            overlap_limit: None,
            overlap_since: vec![None; plan.instances],
            flying: BinaryHeap::new(),
            packets: Vec::new(),
            free: Vec::new(),
            serial: 0,
            history: vec![format!("{plan:?}")],
            failure: None,
            plan,
            random,
        }
    }

    /// Something for the story that a failure tells.
    pub(crate) fn note(&mut self, text: impl FnOnce() -> String) {
        if self.history.len() > 400 {
            self.history.drain(1..200);
        }
        self.history.push(format!("{:>12?} {}", self.now.since(BEGIN), text()));
    }

    /// An invariant does not hold.
    pub(crate) fn fail(&mut self, message: String) -> Box<Failure> {
        let history = std::mem::take(&mut self.history);
        Box::new(Failure { seed: self.seed, at: self.now.since(BEGIN), message, history })
    }

    fn local(&self, node: usize) -> Instant {
        self.now - self.nodes[node].behind
    }

    /// Starts the process of a node; with what the supervisor remembers, or from nothing.
    pub(crate) fn start(&mut self, node: usize, remember: bool) {
        self.note(|| format!("node {node} starts, remembering: {remember}"));
        let remembered = if remember { std::mem::take(&mut self.nodes[node].remembered) } else { Vec::new() };
        let mut out = Vec::new();
        let mut routers = Routers::new(self.plan.config(node), self.local(node), self.utc(), &remembered, &mut out);
        routers.set_detail(false);
        self.nodes[node].routers = Some(routers);
        self.nodes[node].queue.clear();
        let (up, file) = (self.network.link[node], self.nodes[node].file);
        let address = self.plan.address(node);
        self.tell(node, Event::Link(link(node, up)));
        self.tell(node, source(address));
        self.tell(node, Event::FileValue { file: 0, value: file });
        self.tell(node, Event::Started);
    }

    /// The process dies; the kernel keeps what stands.
    pub(crate) fn kill(&mut self, node: usize) {
        self.note(|| format!("node {node}: process killed"));
        if let Some(routers) = self.nodes[node].routers.take() {
            self.nodes[node].remembered = routers.remembered();
        }
        self.nodes[node].paused_since = None;
    }

    /// The machine dies, with everything in its kernel.
    pub(crate) fn power_off(&mut self, node: usize) {
        self.note(|| format!("node {node}: power off"));
        self.nodes[node].routers = None;
        self.nodes[node].remembered.clear();
        self.nodes[node].paused_since = None;
        self.nodes[node].holds.fill(false);
        self.watch_overlap();
    }

    /// The process is stopped properly.
    pub(crate) fn stop(&mut self, node: usize) {
        self.resume(node);
        self.note(|| format!("node {node}: proper stop"));
        self.tell(node, Event::Shutdown);
        self.nodes[node].routers = None;
        self.nodes[node].remembered.clear();
    }

    pub(crate) fn set_link(&mut self, node: usize, up: bool) {
        self.network.link[node] = up;
        self.tell(node, Event::Link(link(node, up)));
    }

    pub(crate) fn set_file(&mut self, node: usize, value: i64) {
        self.note(|| format!("node {node}: tracked file {value}"));
        self.nodes[node].file = value;
        self.tell(node, Event::FileValue { file: 0, value });
    }

    /// SIGSTOP, or with `asleep` the suspension of the machine.
    pub(crate) fn pause(&mut self, node: usize, asleep: bool) {
        if self.nodes[node].routers.is_none() || self.nodes[node].paused_since.is_some() {
            return;
        }
        self.note(|| format!("node {node}: paused, asleep: {asleep}"));
        self.nodes[node].paused_since = Some(self.now);
        self.nodes[node].asleep = asleep;
    }

    /// The process goes on: queued packets first, then the stall, then its timers.
    pub(crate) fn resume(&mut self, node: usize) {
        let Some(since) = self.nodes[node].paused_since.take() else { return };
        let lasted = self.now.since(since);
        self.note(|| format!("node {node}: goes on after {lasted:?}"));
        if self.nodes[node].asleep {
            self.nodes[node].behind += lasted;
            self.nodes[node].queue.clear();
            self.nodes[node].asleep = false;
        }
        let up = self.network.link[node];
        for packet in std::mem::take(&mut self.nodes[node].queue) {
            self.hand_over(node, &packet);
        }
        self.tell(node, Event::Stalled(lasted));
        self.tell(node, Event::Link(link(node, up)));
    }

    fn utc(&self) -> Duration {
        EPOCH + self.now.since(BEGIN)
    }

    /// Whether a process can take part.
    pub(crate) fn is_healthy(&self, node: usize) -> bool {
        let one = &self.nodes[node];
        one.routers.is_some() && one.paused_since.is_none() && self.network.link[node]
    }

    pub(crate) fn state(&self, node: usize, instance: usize) -> Option<State> {
        let routers = self.nodes[node].routers.as_ref()?;
        routers.instance(InstanceId(instance as u32)).map(|view| view.state)
    }

    /// Tells a node something and does what it answers.
    pub(crate) fn tell(&mut self, node: usize, event: Event<'_>) {
        if self.nodes[node].paused_since.is_some() {
            return;
        }
        let (now, utc) = (self.local(node), self.utc());
        let Some(routers) = &mut self.nodes[node].routers else { return };
        let mut out = Vec::new();
        routers.handle(now, utc, event, &mut out);
        self.report.events += 1;
        self.perform(node, out);
    }

    /// Another configuration for a node.
    pub(crate) fn reload(&mut self, node: usize) {
        if self.nodes[node].paused_since.is_some() {
            return;
        }
        self.note(|| format!("node {node}: reload"));
        let (now, utc, config) = (self.local(node), self.utc(), self.plan.config(node));
        let Some(routers) = &mut self.nodes[node].routers else { return };
        let mut out = Vec::new();
        let result = routers.reconfigure(now, utc, config, &mut out);
        self.perform(node, result.removals);
        self.perform(node, out);
    }

    fn hand_over(&mut self, node: usize, packet: &Packet) {
        let Packet { source, destination, ttl, octets } = packet;
        let (interface, source, destination, ttl) = (IfIndex(1), *source, *destination, *ttl);
        self.tell(node, Event::Packet(ReceivedPacket { interface, source, destination, ttl, octets }));
    }

    fn perform(&mut self, node: usize, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Send(advert) => {
                    for copy in &advert.destinations {
                        self.send(node, advert.source, copy);
                    }
                }
                Action::Hold(id) => {
                    let held = std::mem::replace(&mut self.nodes[node].holds[id.0 as usize], true);
                    if !held {
                        self.nodes[node].taken += 1;
                        self.report.takeovers += 1;
                        self.note(|| format!("node {node} takes V{}", id.0));
                    }
                }
                Action::Release(id) => {
                    let held = std::mem::replace(&mut self.nodes[node].holds[id.0 as usize], false);
                    if held {
                        self.nodes[node].released += 1;
                        self.note(|| format!("node {node} releases V{}", id.0));
                    }
                }
                Action::Announce(list) => {
                    let stray = list.iter().find(|one| {
                        let own = self.plan.address(node);
                        one.address != own && !self.nodes[node].holds[one.instance.0 as usize]
                    });
                    if let (Some(one), None) = (stray, &self.failure) {
                        let message = format!("node {node} announced {} without holding it", one.address);
                        self.failure = Some(self.fail(message));
                    }
                }
                Action::Log(line) => self.note(|| format!("node {node}: {}", line.text)),
                Action::SocketsChanged | Action::RunScript { .. } | Action::Notify(_) => {}
            }
        }
        self.watch_overlap();
    }

    fn send(&mut self, from: usize, source: IpAddr, copy: &vrrp::Destination) {
        let packet =
            Packet { source, destination: copy.address, ttl: copy.ttl, octets: Arc::from(copy.octets.as_slice()) };
        for to in 0..self.plan.nodes {
            let meant = copy.address.is_multicast() || copy.address == self.plan.address(to);
            if !meant || !self.network.connects(from, to) {
                continue;
            }
            for delay in self.network.carry(&mut self.random) {
                let packet = Some(packet.clone());
                let place = match self.free.pop() {
                    Some(place) => {
                        self.packets[place] = packet;
                        place
                    }
                    None => {
                        self.packets.push(packet);
                        self.packets.len() - 1
                    }
                };
                self.serial += 1;
                // the receiver stands in the low bits: one heap entry is one delivery
                self.flying.push(Reverse((self.now + delay, self.serial << 8 | to as u64, place)));
            }
        }
    }

    /// Lets time pass.
    pub(crate) fn run(&mut self, duration: Duration) -> Result<(), Box<Failure>> {
        let end = self.now + duration;
        loop {
            let packet_at = self.flying.peek().map(|Reverse((at, ..))| *at);
            let awake = |node: &&usize| self.nodes[**node].paused_since.is_none();
            let all: Vec<usize> = (0..self.plan.nodes).collect();
            let timer = all
                .iter()
                .filter(awake)
                .filter_map(|node| {
                    let at = self.nodes[*node].routers.as_ref()?.next_deadline()?;
                    Some((at + self.nodes[*node].behind, *node))
                })
                .min();
            let next = match (packet_at, timer) {
                (Some(packet), Some((timer, _))) => packet.min(timer),
                (Some(at), None) | (None, Some((at, _))) => at,
                (None, None) => end,
            };
            if next >= end {
                self.now = end;
                return self.verdict();
            }
            self.now = self.now.max(next);
            if packet_at == Some(next) {
                self.arrive();
            } else if let Some((_, node)) = timer {
                self.wake(node);
            }
            self.verdict()?;
        }
    }

    fn verdict(&mut self) -> Result<(), Box<Failure>> {
        self.watch_overlap();
        self.failure.take().map_or(Ok(()), Err)
    }

    fn arrive(&mut self) {
        let Some(Reverse((_, serial, place))) = self.flying.pop() else { return };
        let to = (serial & 0xff) as usize;
        let Some(packet) = self.packets[place].take() else { return };
        self.free.push(place);
        let node = &mut self.nodes[to];
        if node.routers.is_none() || !self.network.link[to] {
            return;
        }
        if node.paused_since.is_some() {
            if node.queue.len() < SOCKET_QUEUE && !node.asleep {
                node.queue.push(packet);
            }
            return;
        }
        self.hand_over(to, &packet);
    }

    fn wake(&mut self, node: usize) {
        let (now, utc) = (self.local(node), self.utc());
        let Some(routers) = &mut self.nodes[node].routers else { return };
        let mut out = Vec::new();
        routers.handle_timeout(now, utc, &mut out);
        self.report.events += 1;
        self.perform(node, out);
    }

    /// From now on two may hold the same address, while they hear each other, for this long only.
    pub(crate) fn limit_overlap(&mut self, limit: Option<Duration>) {
        self.overlap_limit = limit;
        self.overlap_since.fill(None);
    }

    fn watch_overlap(&mut self) {
        let Some(limit) = self.overlap_limit else { return };
        for instance in 0..self.plan.instances {
            let holder = |node: &usize| self.nodes[*node].holds[instance] && self.is_healthy(*node);
            let holders: Vec<_> = (0..self.plan.nodes).filter(holder).collect();
            let clash = holders
                .iter()
                .enumerate()
                .any(|(place, one)| holders[place + 1..].iter().any(|other| self.network.connects(*one, *other)));
            match (clash, self.overlap_since[instance]) {
                (false, _) => self.overlap_since[instance] = None,
                (true, None) => self.overlap_since[instance] = Some(self.now),
                (true, Some(since)) if self.now.since(since) > limit && self.failure.is_none() => {
                    let message =
                        format!("nodes {holders:?} held V{instance} together for {:?}", self.now.since(since));
                    self.failure = Some(self.fail(message));
                }
                (true, Some(_)) => {}
            }
        }
    }

    /// Exactly one master in each part of the network where one can be; at most one elsewhere. In a group, all its
    /// addresses together.
    pub(crate) fn expect_one_master(&mut self) -> Result<(), Box<Failure>> {
        for instance in 0..self.plan.instances {
            for part in 0..self.plan.nodes {
                let here: Vec<_> = (0..self.plan.nodes)
                    .filter(|node| self.network.part[*node] == part && self.is_healthy(*node))
                    .collect();
                let master = |node: &&usize| self.state(**node, instance) == Some(State::Master);
                let masters: Vec<_> = here.iter().filter(master).copied().collect();
                if here.is_empty() || masters.len() == 1 {
                    continue;
                }
                let states: Vec<_> = here.iter().map(|node| self.state(*node, instance)).collect();
                return Err(self.fail(format!("V{instance}: masters {masters:?} among {here:?}, {states:?}")));
            }
        }
        for node in 0..self.plan.nodes {
            for instance in 0..self.plan.instances {
                let state = self.state(node, instance);
                if self.is_healthy(node) && self.nodes[node].holds[instance] != (state == Some(State::Master)) {
                    return Err(self.fail(format!("node {node} is {state:?} in V{instance}, but its kernel differs")));
                }
            }
        }
        Ok(())
    }

    /// How often addresses moved, over all nodes.
    pub(crate) fn moves(&self) -> (u64, u64) {
        let sum = |count: fn(&Node) -> u64| self.nodes.iter().map(count).sum();
        (sum(|node| node.taken), sum(|node| node.released))
    }
}
