//! All sessions of the process: who a packet is for, and what is due when.

use std::collections::{BTreeMap, BTreeSet};
use std::mem::{Discriminant, discriminant};
use std::net::IpAddr;

use types::{Instant, Ttl};

use crate::discriminator::Discriminators;
use crate::packet::parse;
use crate::session::{Session, View};
use crate::{Action, Event, Line, ReceivedPacket, Refusal, SessionConfig, SessionId};

/// Packets counted over all sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Statistics {
    /// Accepted.
    pub received: u64,
    /// Refused, whatever the reason.
    pub refused: u64,
}

/// The brain of the BFD process.
#[derive(Debug, Clone)]
pub struct Sessions {
    sessions: BTreeMap<SessionId, Session>,
    /// The deadline of each session that has one.
    deadlines: BTreeSet<(Instant, SessionId)>,
    numbers: Discriminators,
    next_id: u32,
    statistics: Statistics,
    /// The last refusal that was logged: the same again from the same sender is only counted.
    logged: Option<(IpAddr, Discriminant<Refusal>)>,
}

impl Sessions {
    /// Sessions of `configs`. `seed` should be random: jitter and discriminators grow from it.
    ///
    /// `out` asks for a socket for each and tells the trackers that none is up yet.
    pub fn new(configs: &[SessionConfig], seed: u64, out: &mut Vec<Action>) -> Self {
        let mut sessions = Self {
            sessions: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            numbers: Discriminators::new(seed),
            next_id: 0,
            statistics: Statistics::default(),
            logged: None,
        };
        for config in configs {
            sessions.add(config.clone(), out);
        }
        sessions
    }

    /// Takes an event in.
    pub fn handle(&mut self, now: Instant, event: Event<'_>, out: &mut Vec<Action>) {
        match event {
            Event::Packet(packet) => match self.receive(now, &packet, out) {
                Ok(()) => {
                    self.statistics.received += 1;
                    self.logged = self.logged.filter(|(sender, _)| *sender != packet.source.ip());
                }
                Err(refusal) => {
                    self.statistics.refused += 1;
                    let this = Some((packet.source.ip(), discriminant(&refusal)));
                    if self.logged != this {
                        self.logged = this;
                        out.push(Action::Log(Line::discarding(packet.source, refusal)));
                    }
                }
            },
            Event::OutputOpened(id) => {
                self.with(id, |session, numbers| session.output_opened(now, numbers, out));
            }
            Event::OutputFailed(id) => {
                self.with(id, |session, numbers| session.output_failed(now, numbers, out));
            }
        }
    }

    /// Does whatever is due; early or repeated calls change nothing.
    pub fn handle_timeout(&mut self, now: Instant, out: &mut Vec<Action>) {
        let due: Vec<SessionId> = self.deadlines.iter().take_while(|(at, _)| *at <= now).map(|(_, id)| *id).collect();
        for id in due {
            self.with(id, |session, numbers| session.handle_timeout(now, numbers, out));
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// Takes a changed configuration over.
    ///
    /// A session with the same name, neighbour, source and port goes on, and changed timers are negotiated by a poll;
    /// others end or begin. Every session that stays is told to the trackers again, which read their own
    /// configuration anew.
    pub fn reconfigure(&mut self, now: Instant, configs: &[SessionConfig], out: &mut Vec<Action>) {
        let same = |a: &SessionConfig, b: &SessionConfig| {
            (&a.name, a.neighbour, a.source, a.multihop) == (&b.name, b.neighbour, b.source, b.multihop)
        };
        let gone: Vec<SessionId> = self
            .sessions
            .values()
            .filter(|session| !configs.iter().any(|config| same(config, &session.config)))
            .map(|session| session.id)
            .collect();
        for id in gone {
            self.remove(id, out);
        }
        for config in configs {
            let stays = self.sessions.values().find(|session| same(config, &session.config)).map(|session| session.id);
            match stays {
                Some(id) => self.with(id, |session, numbers| session.reconfigure(config.clone(), now, numbers, out)),
                None => self.add(config.clone(), out),
            }
        }
    }

    /// Configuration of a session; `None` once it is gone.
    pub fn config(&self, id: SessionId) -> Option<&SessionConfig> {
        self.sessions.get(&id).map(|session| &session.config)
    }

    /// All sessions, for dumps.
    pub fn views(&self) -> impl Iterator<Item = View> {
        self.sessions.values().map(Session::view)
    }

    /// Packets counted.
    pub fn statistics(&self) -> Statistics {
        self.statistics
    }

    /// Finds the session of a packet and hands it over (RFC 5880 §6.8.6, RFC 5881 §5).
    fn receive(&mut self, now: Instant, received: &ReceivedPacket<'_>, out: &mut Vec<Action>) -> Result<(), Refusal> {
        let packet = parse(received.octets)?;
        let id = match packet.your_discriminator {
            0 => self.by_address(received).ok_or(Refusal::UnknownNeighbour)?,
            found => self.numbers.owner(found).ok_or(Refusal::UnknownDiscriminator { found })?,
        };
        let session = self.sessions.get(&id).ok_or(Refusal::UnknownNeighbour)?;
        if session.config.multihop != received.multihop {
            return Err(Refusal::UnknownNeighbour);
        }
        if let Some(max_hops) = session.config.max_hops {
            let lowest = Ttl(session.config.ttl.0.saturating_sub(max_hops));
            if received.ttl < lowest {
                return Err(Refusal::Ttl { found: received.ttl, lowest });
            }
        }
        let mut result = Ok(());
        self.with(id, |session, numbers| result = session.receive(&packet, now, numbers, out));
        result
    }

    /// The session with this neighbour and, where it has a source address, with this one.
    fn by_address(&self, received: &ReceivedPacket<'_>) -> Option<SessionId> {
        let matches = |config: &SessionConfig| {
            config.neighbour == received.source.ip()
                && config.source.is_none_or(|source| source == received.destination)
                && config.multihop == received.multihop
        };
        self.sessions.values().find(|session| matches(&session.config)).map(|session| session.id)
    }

    fn add(&mut self, config: SessionConfig, out: &mut Vec<Action>) {
        let id = SessionId(self.next_id);
        self.next_id += 1;
        self.sessions.insert(id, Session::new(id, config, &mut self.numbers, out));
    }

    fn remove(&mut self, id: SessionId, out: &mut Vec<Action>) {
        let Some(session) = self.sessions.remove(&id) else { return };
        if let Some(at) = session.next_deadline() {
            self.deadlines.remove(&(at, id));
        }
        self.numbers.release(session.discriminator());
        out.push(Action::CloseOutput(id));
    }

    /// Does something with a session and keeps its deadline up to date.
    fn with(&mut self, id: SessionId, act: impl FnOnce(&mut Session, &mut Discriminators)) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let before = session.next_deadline();
        act(session, &mut self.numbers);
        let after = session.next_deadline();
        if before != after {
            if let Some(at) = before {
                self.deadlines.remove(&(at, id));
            }
            if let Some(at) = after {
                self.deadlines.insert((at, id));
            }
        }
    }
}
