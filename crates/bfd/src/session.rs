//! One session: the state machine with its timers (RFC 5880 §6.8).

use std::net::SocketAddr;
use std::time::Duration;

use types::Instant;

use crate::discriminator::Discriminators;
use crate::log::{Parameters, parameters};
use crate::state::next;
use crate::{
    Action, ControlPacket, Diagnostic, Input, Line, Outgoing, PORT_MULTIHOP, PORT_SINGLE_HOP, Refusal, Report,
    SessionConfig, SessionId, State,
};

/// A session without output socket tries again after this.
const OUTPUT_RETRY: Duration = Duration::from_secs(60);
/// Least interval announced while not Up (RFC 5880 §6.8.3).
const SLOWEST_START: Duration = Duration::from_secs(1);

/// Where a session stands. What may expire lives in the state in which it can.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The first output socket has been asked for; counts as Down.
    Opening,
    /// No output socket.
    AdminDown {
        /// When to ask again.
        retry_at: Instant,
    },
    /// Waits for the neighbour.
    Down {
        /// When the neighbour's discriminator is forgotten; `None` when there is nothing to forget.
        forget_at: Option<Instant>,
    },
    /// Hears the neighbour.
    Init {
        /// End of the detection time.
        expires_at: Instant,
    },
    /// Both hear each other.
    Up {
        /// End of the detection time.
        expires_at: Instant,
    },
}

/// What the neighbour last said.
#[derive(Debug, Clone, Copy)]
struct Remote {
    discriminator: u32,
    state: State,
    diagnostic: Diagnostic,
    min_tx: Duration,
    min_rx: Duration,
    multiplier: u8,
    demand: bool,
}

/// Before anything was heard (RFC 5880 §6.8.1).
const UNHEARD: Remote = Remote {
    discriminator: 0,
    state: State::Down,
    diagnostic: Diagnostic::None,
    min_tx: Duration::ZERO,
    min_rx: Duration::from_micros(1),
    multiplier: 0,
    demand: false,
};

/// Intervals that are in force. While a poll runs they may be behind what is announced (RFC 5880 §6.8.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct InForce {
    min_tx: Duration,
    min_rx: Duration,
}

/// One `bfd_instance` at work.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) id: SessionId,
    pub(crate) config: SessionConfig,
    phase: Phase,
    diagnostic: Diagnostic,
    discriminator: u32,
    remote: Remote,
    in_force: InForce,
    polling: bool,
    transmit_at: Option<Instant>,
}

/// What a session is at the moment, for dumps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// Its number.
    pub session: SessionId,
    /// `bfd_instance NAME`.
    pub name: String,
    /// Our state.
    pub state: State,
    /// Why we last left Up.
    pub diagnostic: Diagnostic,
    /// Our discriminator.
    pub discriminator: u32,
    /// The neighbour's state as last heard.
    pub remote_state: State,
    /// The neighbour's diagnostic as last heard.
    pub remote_diagnostic: Diagnostic,
    /// The neighbour's discriminator; 0 while unknown.
    pub remote_discriminator: u32,
    /// The neighbour's desired minimum transmit interval.
    pub remote_min_tx: Duration,
    /// The neighbour's required minimum receive interval.
    pub remote_min_rx: Duration,
    /// The neighbour's multiplier; 0 while unknown.
    pub remote_multiplier: u8,
    /// Our transmit interval before jitter.
    pub transmit_interval: Duration,
    /// Silence after which the neighbour is given up; zero while unknown.
    pub detection_time: Duration,
    /// A poll sequence is running.
    pub polling: bool,
}

impl Session {
    /// A new session: asks for its socket and tells its trackers that it is not up.
    pub(crate) fn new(
        id: SessionId,
        config: SessionConfig,
        numbers: &mut Discriminators,
        out: &mut Vec<Action>,
    ) -> Self {
        let session = Self {
            id,
            phase: Phase::Opening,
            diagnostic: Diagnostic::None,
            discriminator: numbers.take(id),
            remote: UNHEARD,
            in_force: InForce { min_tx: config.idle_tx.max(SLOWEST_START), min_rx: config.min_rx },
            polling: false,
            transmit_at: None,
            config,
        };
        out.push(Action::OpenOutput(id));
        session.report(out);
        session
    }

    /// Its state on the wire.
    pub(crate) fn state(&self) -> State {
        match self.phase {
            Phase::AdminDown { .. } => State::AdminDown,
            Phase::Opening | Phase::Down { .. } => State::Down,
            Phase::Init { .. } => State::Init,
            Phase::Up { .. } => State::Up,
        }
    }

    /// Our discriminator.
    pub(crate) fn discriminator(&self) -> u32 {
        self.discriminator
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let phase = match self.phase {
            Phase::Opening => None,
            Phase::AdminDown { retry_at } => Some(retry_at),
            Phase::Down { forget_at } => forget_at,
            Phase::Init { expires_at } | Phase::Up { expires_at } => Some(expires_at),
        };
        [phase, self.transmit_at].into_iter().flatten().min()
    }

    /// The socket is open.
    pub(crate) fn output_opened(&mut self, now: Instant, numbers: &mut Discriminators, out: &mut Vec<Action>) {
        match self.phase {
            Phase::Opening | Phase::AdminDown { .. } => {
                self.phase = Phase::Down { forget_at: None };
                self.diagnostic = Diagnostic::None;
                self.transmit(now, numbers, out);
            }
            Phase::Down { .. } | Phase::Init { .. } | Phase::Up { .. } => {}
        }
    }

    /// The socket could not be opened, or broke.
    pub(crate) fn output_failed(&mut self, now: Instant, numbers: &mut Discriminators, out: &mut Vec<Action>) {
        let was = self.state();
        self.phase = Phase::AdminDown { retry_at: now + OUTPUT_RETRY };
        self.transmit_at = None;
        if was == State::AdminDown {
            return;
        }
        self.leave(was, numbers);
        self.diagnostic = Diagnostic::AdministrativelyDown;
        self.remote = UNHEARD;
        out.push(Action::Log(Line::entering_admin_down(&self.config.name)));
        if was == State::Up {
            self.report(out);
        }
    }

    /// A packet for this session (RFC 5880 §6.8.6 from the point where the session is known).
    pub(crate) fn receive(
        &mut self,
        packet: &ControlPacket,
        now: Instant,
        numbers: &mut Discriminators,
        out: &mut Vec<Action>,
    ) -> Result<(), Refusal> {
        match self.phase {
            Phase::Opening => return Err(Refusal::NoOutput),
            Phase::AdminDown { .. } => {
                self.phase = Phase::AdminDown { retry_at: now + OUTPUT_RETRY };
                out.push(Action::OpenOutput(self.id));
                return Err(Refusal::NoOutput);
            }
            Phase::Down { .. } | Phase::Init { .. } | Phase::Up { .. } => {}
        }
        let before = self.parameters();
        let interval_before = self.transmit_interval();
        self.remote = Remote {
            discriminator: packet.my_discriminator,
            state: packet.state,
            diagnostic: packet.diagnostic,
            min_tx: packet.desired_min_tx,
            min_rx: packet.required_min_rx,
            multiplier: packet.multiplier,
            demand: packet.demand,
        };
        if packet.finish && self.polling {
            self.polling = false;
            self.in_force = self.announced();
        }
        let changed = self.step(Input::Heard(packet.state), now, numbers, out);
        self.restart_detection(now);

        if packet.poll {
            self.send(true, out);
            self.schedule(now, numbers);
        } else if changed {
            self.transmit(now, numbers, out);
        } else {
            self.hasten(now, interval_before, numbers);
        }
        self.log_parameters(before, out);
        Ok(())
    }

    /// Does whatever is due.
    pub(crate) fn handle_timeout(&mut self, now: Instant, numbers: &mut Discriminators, out: &mut Vec<Action>) {
        match self.phase {
            Phase::AdminDown { retry_at } if retry_at <= now => {
                self.phase = Phase::AdminDown { retry_at: now + OUTPUT_RETRY };
                out.push(Action::OpenOutput(self.id));
            }
            Phase::Down { forget_at: Some(forget_at) } if forget_at <= now => {
                self.phase = Phase::Down { forget_at: None };
                self.remote = Remote { diagnostic: self.remote.diagnostic, ..UNHEARD };
                self.transmit_at = self.transmit_at.filter(|_| self.may_transmit());
            }
            Phase::Init { expires_at } | Phase::Up { expires_at } if expires_at <= now => {
                let line = Line::expired(&self.config.name, self.detection_time(), now.since(expires_at));
                out.push(Action::Log(line));
                self.step(Input::Expired, now, numbers, out);
                self.remote = Remote { diagnostic: self.remote.diagnostic, ..UNHEARD };
                self.phase = Phase::Down { forget_at: None };
                self.transmit(now, numbers, out);
            }
            Phase::Opening | Phase::AdminDown { .. } | Phase::Down { .. } | Phase::Init { .. } | Phase::Up { .. } => {}
        }
        if self.transmit_at.is_some_and(|at| at <= now) {
            self.transmit(now, numbers, out);
        }
    }

    /// Takes a changed configuration over. Name, addresses and port are the same.
    pub(crate) fn reconfigure(
        &mut self,
        config: SessionConfig,
        now: Instant,
        numbers: &mut Discriminators,
        out: &mut Vec<Action>,
    ) {
        let timers = (self.config.min_tx, self.config.min_rx, self.config.multiplier);
        let changed = timers != (config.min_tx, config.min_rx, config.multiplier);
        self.config = config;
        match self.phase {
            Phase::Up { .. } if changed => {
                self.poll(out);
                self.transmit(now, numbers, out);
            }
            Phase::Up { .. } => {}
            Phase::Opening | Phase::AdminDown { .. } | Phase::Down { .. } | Phase::Init { .. } => {
                self.in_force = self.announced();
                if self.transmit_at.is_none() && self.may_transmit() {
                    self.transmit(now, numbers, out);
                }
            }
        }
        self.report(out);
    }

    /// Tells the trackers whether the session is up.
    pub(crate) fn report(&self, out: &mut Vec<Action>) {
        out.push(Action::Report(Report {
            session: self.id,
            name: self.config.name.clone(),
            up: self.state() == State::Up,
            vrrp: self.config.vrrp,
            checker: self.config.checker,
        }));
    }

    /// For dumps.
    pub(crate) fn view(&self) -> View {
        View {
            session: self.id,
            name: self.config.name.clone(),
            state: self.state(),
            diagnostic: self.diagnostic,
            discriminator: self.discriminator,
            remote_state: self.remote.state,
            remote_diagnostic: self.remote.diagnostic,
            remote_discriminator: self.remote.discriminator,
            remote_min_tx: self.remote.min_tx,
            remote_min_rx: self.remote.min_rx,
            remote_multiplier: self.remote.multiplier,
            transmit_interval: self.transmit_interval(),
            detection_time: self.detection_time(),
            polling: self.polling,
        }
    }

    /// Moves through the table; whether the state changed.
    fn step(&mut self, input: Input, now: Instant, numbers: &mut Discriminators, out: &mut Vec<Action>) -> bool {
        let was = self.state();
        let Some((state, diagnostic)) = next(was, input) else { return false };
        self.diagnostic = diagnostic;
        let expires_at = now + self.detection_time();
        match state {
            State::AdminDown => {}
            State::Init => self.phase = Phase::Init { expires_at },
            State::Up => {
                self.phase = Phase::Up { expires_at };
                out.push(Action::Log(Line::entering_up(&self.config.name)));
                if self.config.idle_tx != self.config.min_tx {
                    self.poll(out);
                } else {
                    self.in_force = self.announced();
                }
                self.report(out);
            }
            State::Down => {
                self.phase = Phase::Down { forget_at: Some(expires_at) };
                self.leave(was, numbers);
                let line = Line::entering_down(&self.config.name, diagnostic, self.remote.diagnostic);
                out.push(Action::Log(line));
                // A neighbour that is held down on purpose is no failure of the path (RFC 5882 §3.2).
                if was == State::Up && input != Input::Heard(State::AdminDown) {
                    self.report(out);
                }
            }
        }
        true
    }

    /// Back to the slow timers; a session that was Up gets a new discriminator, so that late packets do not find it.
    fn leave(&mut self, was: State, numbers: &mut Discriminators) {
        self.polling = false;
        self.in_force = self.announced();
        if was == State::Up {
            numbers.release(self.discriminator);
            self.discriminator = numbers.take(self.id);
        }
    }

    /// Announces changed intervals by a poll; quicker sending and slower expiry are in force at once, the rest after
    /// the answer (RFC 5880 §6.8.3).
    fn poll(&mut self, out: &mut Vec<Action>) {
        let announced = self.announced();
        self.in_force = InForce {
            min_tx: self.in_force.min_tx.min(announced.min_tx),
            min_rx: self.in_force.min_rx.max(announced.min_rx),
        };
        self.polling = true;
        out.push(Action::Log(Line::starting_poll(&self.config.name)));
    }

    /// Intervals that our packets carry.
    fn announced(&self) -> InForce {
        let min_tx = match self.phase {
            Phase::Up { .. } => self.config.min_tx,
            Phase::Opening | Phase::AdminDown { .. } | Phase::Down { .. } | Phase::Init { .. } => {
                self.config.idle_tx.max(SLOWEST_START)
            }
        };
        InForce { min_tx, min_rx: self.config.min_rx }
    }

    /// RFC 5880 §6.8.7, before jitter.
    fn transmit_interval(&self) -> Duration {
        self.in_force.min_tx.max(self.remote.min_rx)
    }

    /// RFC 5880 §6.8.4; zero while the neighbour is unheard.
    fn detection_time(&self) -> Duration {
        self.in_force.min_rx.max(self.remote.min_tx) * u32::from(self.remote.multiplier)
    }

    /// Counts the detection time from now.
    fn restart_detection(&mut self, now: Instant) {
        let end = now + self.detection_time();
        self.phase = match self.phase {
            Phase::Down { .. } => Phase::Down { forget_at: Some(end) },
            Phase::Init { .. } => Phase::Init { expires_at: end },
            Phase::Up { .. } => Phase::Up { expires_at: end },
            phase @ (Phase::Opening | Phase::AdminDown { .. }) => phase,
        };
    }

    /// Whether periodic packets are to be sent at all (RFC 5880 §6.8.7).
    fn may_transmit(&self) -> bool {
        let open = match self.phase {
            Phase::Opening | Phase::AdminDown { .. } => false,
            Phase::Down { .. } | Phase::Init { .. } | Phase::Up { .. } => true,
        };
        let waits_for_neighbour = self.config.passive && self.remote.discriminator == 0;
        let demanded =
            self.remote.demand && self.state() == State::Up && self.remote.state == State::Up && !self.polling;
        open && !waits_for_neighbour && !demanded && !self.remote.min_rx.is_zero()
    }

    /// Sends a packet now, if one may be sent, and plans the next.
    fn transmit(&mut self, now: Instant, numbers: &mut Discriminators, out: &mut Vec<Action>) {
        if self.may_transmit() {
            self.send(false, out);
        }
        self.schedule(now, numbers);
    }

    /// Plans the next packet a whole interval from now.
    fn schedule(&mut self, now: Instant, numbers: &mut Discriminators) {
        self.transmit_at = self.may_transmit().then(|| now + numbers.jittered(self.transmit_interval()));
    }

    /// Brings the next packet forward when the interval became shorter or sending became allowed.
    fn hasten(&mut self, now: Instant, interval_before: Duration, numbers: &mut Discriminators) {
        if !self.may_transmit() {
            self.transmit_at = None;
        } else if self.transmit_at.is_none() || self.transmit_interval() < interval_before {
            let earliest = now + numbers.jittered(self.transmit_interval());
            self.transmit_at = Some(self.transmit_at.map_or(earliest, |at| at.min(earliest)));
        }
    }

    /// Sends a packet. An answer to a poll (`finish`) carries no poll of its own (RFC 5880 §6.5).
    fn send(&self, finish: bool, out: &mut Vec<Action>) {
        let announced = self.announced();
        let packet = ControlPacket {
            diagnostic: self.diagnostic,
            state: self.state(),
            poll: self.polling && !finish,
            finish,
            control_plane_independent: false,
            demand: false,
            multiplier: self.config.multiplier,
            my_discriminator: self.discriminator,
            your_discriminator: self.remote.discriminator,
            desired_min_tx: announced.min_tx,
            required_min_rx: announced.min_rx,
            required_min_echo_rx: Duration::ZERO,
        };
        let port = if self.config.multihop { PORT_MULTIHOP } else { PORT_SINGLE_HOP };
        out.push(Action::Send(Outgoing {
            session: self.id,
            destination: SocketAddr::new(self.config.neighbour, port),
            ttl: self.config.ttl,
            octets: packet.emit(),
        }));
    }

    /// Negotiated timers of both sides.
    fn parameters(&self) -> (Parameters, Parameters) {
        let announced = self.announced();
        let local = Parameters {
            min_tx: announced.min_tx.as_micros(),
            min_rx: announced.min_rx.as_micros(),
            interval: self.transmit_interval().as_micros(),
            multiplier: self.config.multiplier,
            detection: self.detection_time().as_micros(),
        };
        let remote = Parameters {
            min_tx: self.remote.min_tx.as_micros(),
            min_rx: self.remote.min_rx.as_micros(),
            interval: self.remote.min_tx.max(announced.min_rx).as_micros(),
            multiplier: self.remote.multiplier,
            detection: u128::from(self.config.multiplier) * self.remote.min_rx.max(announced.min_tx).as_micros(),
        };
        (local, remote)
    }

    /// Logs the negotiated timers where they changed.
    fn log_parameters(&self, before: (Parameters, Parameters), out: &mut Vec<Action>) {
        let (local, remote) = self.parameters();
        if (local, remote) != before {
            let lines = parameters(&self.config.name, local, remote, before.0.detection);
            out.extend(lines.into_iter().map(Action::Log));
        }
    }
}
