//! Two neighbours, a wire between them, one clock: the sessions as they really talk.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use types::{Instant, Ttl};

use crate::{
    Action, ControlPacket, Diagnostic, Event, PACKET_LEN, PORT_MULTIHOP, ReceivedPacket, Refusal, SessionConfig,
    SessionId, Sessions, State, View, parse,
};

fn millis(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn config(own: u8, neighbour: u8) -> SessionConfig {
    SessionConfig {
        name: "one".to_owned(),
        neighbour: IpAddr::from([192, 0, 2, neighbour]),
        source: Some(IpAddr::from([192, 0, 2, own])),
        min_rx: millis(100),
        min_tx: millis(150),
        idle_tx: millis(1000),
        multiplier: 3,
        passive: false,
        ttl: Ttl(255),
        max_hops: Some(0),
        multihop: false,
        vrrp: true,
        checker: true,
    }
}

/// One side: its sessions and what they said.
struct Side {
    sessions: Sessions,
    sent: Vec<(Instant, ControlPacket)>,
    reports: Vec<bool>,
    lines: Vec<String>,
    has_output: bool,
}

impl Side {
    fn view(&self) -> View {
        self.sessions.views().next().unwrap()
    }
}

struct Pair {
    now: Instant,
    sides: [Side; 2],
    /// Whether the wire carries packets from side 0 and from side 1.
    carries: [bool; 2],
    /// Packets on the wire: when they arrive, where, and what they are.
    wire: VecDeque<(Instant, usize, [u8; PACKET_LEN], Ttl)>,
}

/// Time that a packet spends on the wire.
const LATENCY: Duration = Duration::from_micros(100);

impl Pair {
    fn new(a: SessionConfig, b: SessionConfig) -> Self {
        let side = |config: SessionConfig, seed| {
            let mut out = Vec::new();
            let side = Side {
                sessions: Sessions::new(&[config], seed, &mut out),
                sent: Vec::new(),
                reports: Vec::new(),
                lines: Vec::new(),
                has_output: true,
            };
            (side, out)
        };
        let ((a, out_a), (b, out_b)) = (side(a, 1), side(b, 2));
        let mut pair = Self { now: Instant::ZERO, sides: [a, b], carries: [true; 2], wire: VecDeque::new() };
        pair.perform(0, out_a);
        pair.perform(1, out_b);
        pair
    }

    fn perform(&mut self, side: usize, actions: Vec<Action>) {
        let mut answers = Vec::new();
        for action in actions {
            match action {
                Action::OpenOutput(id) => answers.push(match self.sides[side].has_output {
                    true => Event::OutputOpened(id),
                    false => Event::OutputFailed(id),
                }),
                Action::CloseOutput(_) => {}
                Action::Send(outgoing) => {
                    self.sides[side].sent.push((self.now, parse(&outgoing.octets).unwrap()));
                    self.wire.push_back((self.now + LATENCY, 1 - side, outgoing.octets, outgoing.ttl));
                }
                Action::Report(report) => self.sides[side].reports.push(report.up),
                Action::Log(line) => self.sides[side].lines.push(line.text),
            }
        }
        for answer in answers {
            self.tell(side, answer);
        }
    }

    fn deliver(&mut self, to: usize, octets: &[u8], ttl: Ttl, multihop: bool) {
        let address = |side: usize| IpAddr::from([192, 0, 2, side as u8 + 1]);
        let packet = ReceivedPacket {
            source: SocketAddr::new(address(1 - to), 50_000),
            destination: address(to),
            ttl,
            multihop,
            octets,
        };
        self.tell(to, Event::Packet(packet));
    }

    fn tell(&mut self, side: usize, event: Event<'_>) {
        let mut out = Vec::new();
        self.sides[side].sessions.handle(self.now, event, &mut out);
        self.perform(side, out);
    }

    fn run(&mut self, duration: Duration) {
        let end = self.now + duration;
        loop {
            let due = (0..2).filter_map(|side| Some((self.sides[side].sessions.next_deadline()?, side))).min();
            let due = due.filter(|(at, _)| *at <= end);
            let arrives = self.wire.front().map(|(at, ..)| *at).filter(|at| *at <= end);
            match (arrives, due) {
                (Some(arrives), due) if due.is_none_or(|(at, _)| arrives <= at) => {
                    let Some((at, to, octets, ttl)) = self.wire.pop_front() else { break };
                    self.now = at;
                    if self.carries[1 - to] {
                        self.deliver(to, &octets, ttl, false);
                    }
                }
                (_, Some((at, side))) => {
                    assert!(at >= self.now, "a deadline in the past is never left standing");
                    self.now = at;
                    let mut out = Vec::new();
                    self.sides[side].sessions.handle_timeout(at, &mut out);
                    self.perform(side, out);
                }
                (_, None) => break,
            }
        }
        self.now = end;
    }

    fn states(&self) -> [State; 2] {
        [self.sides[0].view().state, self.sides[1].view().state]
    }

    fn up() -> Self {
        let mut pair = Self::new(config(1, 2), config(2, 1));
        pair.run(millis(3000));
        assert_eq!(pair.states(), [State::Up; 2]);
        pair
    }
}

#[test]
fn two_neighbours_come_up_poll_and_settle_on_the_fast_timers() {
    let pair = Pair::up();
    for side in &pair.sides {
        let view = side.view();
        assert!(!view.polling);
        assert_eq!(view.transmit_interval, millis(150));
        assert_eq!(view.detection_time, millis(450));
        assert_eq!(side.reports, [false, true], "down at the start, as keepalived says it; then up");
        assert!(side.lines.iter().any(|line| line == "(one) Entering Up state"));
        assert!(side.lines.iter().any(|line| line == "(one) Starting poll sequence"));
    }
}

/// RFC 5880 §6.8.3 and §6.8.7.
#[test]
fn packets_are_slow_until_up_and_jittered_by_10_to_25_percent() {
    let mut pair = Pair::new(config(1, 2), config(2, 1));
    pair.carries = [false; 2];
    pair.run(millis(20_000));
    let gaps = |sent: &[(Instant, ControlPacket)]| {
        sent.windows(2).map(|pair| pair[1].0.since(pair[0].0).as_millis()).collect::<Vec<_>>()
    };
    assert!(gaps(&pair.sides[0].sent).iter().all(|gap| (750..=900).contains(gap)));
    assert!(pair.sides[0].sent.iter().all(|(_, packet)| packet.desired_min_tx == millis(1000)));

    let mut pair = Pair::up();
    pair.sides[0].sent.clear();
    pair.run(millis(20_000));
    assert!(gaps(&pair.sides[0].sent).iter().all(|gap| (112..=135).contains(gap)));
    assert_eq!(pair.states(), [State::Up; 2]);
}

#[test]
fn silence_for_the_detection_time_brings_both_down_and_they_recover_with_new_discriminators() {
    let mut pair = Pair::up();
    let before = pair.sides[0].view().discriminator;
    pair.carries = [false; 2];
    pair.run(millis(450));
    assert_eq!(pair.states(), [State::Down; 2]);
    let view = pair.sides[0].view();
    assert_eq!(view.diagnostic, Diagnostic::DetectionTimeExpired);
    assert_eq!(view.remote_discriminator, 0);
    assert_ne!(view.discriminator, before);
    let side = &pair.sides[0];
    assert_eq!(side.reports, [false, true, false]);
    assert!(side.lines.iter().any(|line| line == "(one) Expired after 450 ms (0 usec overdue)"));
    assert!(side.lines.iter().any(|line| line
        == "(one) Entering Down state (Local diagnostic - Control Detection Time Expired, Remote diagnostic - No Diagnostic)"));

    pair.carries = [true; 2];
    pair.run(millis(3000));
    assert_eq!(pair.states(), [State::Up; 2]);
    assert_eq!(pair.sides[0].reports, [false, true, false, true]);
}

#[test]
fn a_one_way_failure_is_signalled_by_the_side_that_notices() {
    let mut pair = Pair::up();
    pair.carries = [true, false];
    pair.run(millis(451));
    assert_eq!(pair.states()[0], State::Down);
    assert_ne!(pair.states()[1], State::Up, "told at once, not after its own detection time");
    assert_eq!(pair.sides[1].reports.last(), Some(&false));
}

#[test]
fn a_passive_side_is_silent_until_it_hears_its_neighbour() {
    let passive = SessionConfig { passive: true, ..config(2, 1) };
    let mut pair = Pair::new(config(1, 2), passive);
    pair.carries = [false; 2];
    pair.run(millis(5000));
    assert!(pair.sides[1].sent.is_empty());
    pair.carries = [true; 2];
    pair.run(millis(3000));
    assert_eq!(pair.states(), [State::Up; 2]);
    pair.carries = [false; 2];
    pair.run(millis(5000));
    pair.sides[1].sent.clear();
    pair.run(millis(5000));
    assert!(pair.sides[1].sent.is_empty(), "silent again once the neighbour is forgotten");
}

#[test]
fn two_passive_sides_never_speak() {
    let passive = |own, neighbour| SessionConfig { passive: true, ..config(own, neighbour) };
    let mut pair = Pair::new(passive(1, 2), passive(2, 1));
    pair.run(millis(60_000));
    assert!(pair.sides.iter().all(|side| side.sent.is_empty()));
}

/// RFC 5880 §6.8.3: slower sending and quicker expiry wait for the answer.
#[test]
fn changed_timers_are_polled_and_the_session_stays_up() {
    let mut pair = Pair::up();
    pair.carries = [true, false];
    let slower = SessionConfig { min_tx: millis(300), min_rx: millis(200), ..config(1, 2) };
    let mut out = Vec::new();
    pair.sides[0].sessions.reconfigure(pair.now, &[slower], &mut out);
    pair.perform(0, out);
    let (_, packet) = *pair.sides[0].sent.last().unwrap();
    assert!(packet.poll && packet.desired_min_tx == millis(300) && packet.required_min_rx == millis(200));
    let view = pair.sides[0].view();
    assert_eq!(view.transmit_interval, millis(150), "not slower before the answer");
    assert_eq!(view.detection_time, millis(600), "later expiry is in force at once");

    pair.carries = [true; 2];
    pair.run(millis(1000));
    assert_eq!(pair.states(), [State::Up; 2]);
    assert_eq!(pair.sides[0].view().transmit_interval, millis(300));
    assert_eq!(pair.sides[1].view().detection_time, millis(900));
    assert_eq!(pair.sides[1].view().transmit_interval, millis(200));
    assert_eq!(pair.sides[0].reports, [false, true, true], "told again at a reload");
    let downs = |side: &Side| side.lines.iter().filter(|line| line.contains("Down state")).count();
    assert_eq!(downs(&pair.sides[0]) + downs(&pair.sides[1]), 0);
}

#[test]
fn sessions_that_leave_the_configuration_close_and_new_ones_open() {
    let mut pair = Pair::up();
    let other = SessionConfig { name: "two".to_owned(), ..config(1, 9) };
    let mut out = Vec::new();
    pair.sides[0].sessions.reconfigure(pair.now, &[other], &mut out);
    assert_eq!(out[..2], [Action::CloseOutput(SessionId(0)), Action::OpenOutput(SessionId(1))]);
    assert!(pair.sides[0].sessions.config(SessionId(0)).is_none());
    assert_eq!(pair.sides[0].sessions.next_deadline(), None, "nothing of the old session is left");
}

/// RFC 5880 §6.8.7: an answer leaves at once and carries no poll.
#[test]
fn a_poll_is_answered_at_once() {
    let mut pair = Pair::up();
    let poll = ControlPacket { poll: true, ..pair.sides[1].sent.last().unwrap().1 };
    pair.sides[0].sent.clear();
    pair.deliver(0, &poll.emit(), Ttl(255), false);
    let (at, answer) = pair.sides[0].sent[0];
    assert!(at == pair.now && answer.finish && !answer.poll);
}

/// RFC 5880 §6.8.7: zero stops us; §6.6: demand stops us while both are Up.
#[test]
fn a_neighbour_may_stop_our_periodic_packets() {
    for change in [
        |packet: &mut ControlPacket| packet.required_min_rx = Duration::ZERO,
        |packet: &mut ControlPacket| packet.demand = true,
    ] {
        let mut pair = Pair::up();
        let mut packet = pair.sides[1].sent.last().unwrap().1;
        change(&mut packet);
        pair.carries = [false; 2];
        pair.deliver(0, &packet.emit(), Ttl(255), false);
        pair.sides[0].sent.clear();
        pair.run(millis(449));
        assert!(pair.sides[0].sent.is_empty());
    }
}

#[test]
fn a_neighbour_held_down_on_purpose_takes_us_down_without_alarm() {
    let mut pair = Pair::up();
    let packet = ControlPacket { state: State::AdminDown, ..pair.sides[1].sent.last().unwrap().1 };
    pair.carries = [false; 2];
    pair.deliver(0, &packet.emit(), Ttl(255), false);
    assert_eq!(pair.states()[0], State::Down);
    assert_eq!(pair.sides[0].view().diagnostic, Diagnostic::NeighbourSignalledDown);
    assert_eq!(pair.sides[0].reports, [false, true], "no event");
}

#[test]
fn without_a_socket_the_session_is_admin_down_and_asks_again_after_a_minute_or_at_a_packet() {
    let mut pair = Pair::up();
    let packet = pair.sides[1].sent.last().unwrap().1;
    pair.carries = [false; 2];
    pair.sides[0].has_output = false;
    pair.tell(0, Event::OutputFailed(SessionId(0)));
    assert_eq!(pair.states()[0], State::AdminDown);
    assert_eq!(pair.sides[0].reports, [false, true, false]);
    assert!(pair.sides[0].lines.iter().any(|line| line == "(one) Entering AdminDown state"));
    assert_eq!(pair.sides[0].sessions.next_deadline(), Some(pair.now + millis(60_000)));

    pair.run(millis(59_000));
    pair.sides[0].has_output = true;
    let first = ControlPacket { state: State::Down, your_discriminator: 0, ..packet };
    pair.deliver(0, &first.emit(), Ttl(255), false);
    assert_eq!(pair.states()[0], State::Down);

    let mut pair = Pair::up();
    pair.carries = [false; 2];
    pair.tell(0, Event::OutputFailed(SessionId(0)));
    pair.run(millis(60_001));
    assert_eq!(pair.states()[0], State::Down, "asked after a minute");
}

/// (max_hops, TTL received, accepted): RFC 5881 §5, keepalived.conf(5) `max_hops`.
#[test]
fn packets_that_travelled_too_far_are_refused() {
    for (max_hops, ttl, accepted) in [
        (Some(0), 255, true),
        (Some(0), 254, false),
        (Some(2), 253, true),
        (Some(2), 252, false),
        (Some(255), 0, true),
        (None, 1, true),
    ] {
        let mut pair = Pair::up();
        let packet = pair.sides[1].sent.last().unwrap().1;
        let mut out = Vec::new();
        pair.sides[0].sessions.reconfigure(pair.now, &[SessionConfig { max_hops, ..config(1, 2) }], &mut out);
        let before = pair.sides[0].sessions.statistics();
        pair.deliver(0, &packet.emit(), Ttl(ttl), false);
        let after = pair.sides[0].sessions.statistics();
        assert_eq!(after.received - before.received, u64::from(accepted), "{max_hops:?} {ttl}");
        assert_eq!(after.refused - before.refused, u64::from(!accepted), "{max_hops:?} {ttl}");
    }
}

#[test]
fn strangers_and_wrong_discriminators_are_counted_and_logged_once() {
    let mut pair = Pair::up();
    let mut packet = pair.sides[1].sent.last().unwrap().1;
    pair.sides[0].lines.clear();
    packet.your_discriminator ^= 1;
    for _ in 0..1000 {
        pair.deliver(0, &packet.emit(), Ttl(255), false);
    }
    let refusal = Refusal::UnknownDiscriminator { found: packet.your_discriminator };
    assert_eq!(pair.sides[0].lines, [format!("Discarding packet from [192.0.2.2]:50000 ({refusal})")]);
    assert_eq!(pair.sides[0].sessions.statistics().refused, 1000);
    assert_eq!(pair.states(), [State::Up; 2]);
}

/// RFC 5883 §5: multihop sessions live on a port of their own.
#[test]
fn multihop_sessions_use_port_4784_and_hear_nothing_from_3784() {
    let multihop = SessionConfig { multihop: true, ..config(1, 2) };
    let mut out = Vec::new();
    let mut sessions = Sessions::new(&[multihop], 1, &mut out);
    out.clear();
    sessions.handle(Instant::ZERO, Event::OutputOpened(SessionId(0)), &mut out);
    let Some(Action::Send(first)) = out.first() else { panic!("{out:?}") };
    assert_eq!(first.destination.port(), PORT_MULTIHOP);
    let neighbour = ControlPacket { my_discriminator: 7, ..parse(&first.octets).unwrap() }.emit();
    for (multihop, state) in [(false, State::Down), (true, State::Init)] {
        let packet = ReceivedPacket {
            source: "192.0.2.2:50000".parse().unwrap(),
            destination: IpAddr::from([192, 0, 2, 1]),
            ttl: Ttl(255),
            multihop,
            octets: &neighbour,
        };
        sessions.handle(Instant::ZERO, Event::Packet(packet), &mut out);
        assert_eq!(sessions.views().next().unwrap().state, state);
    }
}

#[test]
fn early_and_repeated_timeouts_change_nothing() {
    let mut pair = Pair::up();
    let deadline = pair.sides[0].sessions.next_deadline();
    let mut out = Vec::new();
    pair.sides[0].sessions.handle_timeout(pair.now, &mut out);
    pair.sides[0].sessions.handle_timeout(Instant::ZERO, &mut out);
    assert_eq!(out, []);
    assert_eq!(pair.sides[0].sessions.next_deadline(), deadline);
}
