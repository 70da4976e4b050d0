//! The BFD process: sessions with neighbours, whose rise and fall the VRRP and checker processes hear of.

use std::collections::HashSet;
use std::time::Duration;

use bfd::{Action, Event, SessionConfig, SessionId, Sessions};
use net::bfd::BfdSockets;
use sys::{PidFile, Signal, SignalStream, Timer};

use crate::exit::Exit;
use crate::ipc::{Channel, DumpFile, DumpKind, FromChild, ToChild};
use crate::logging::{self, Severity, detail, error, info};
use crate::setup::{Part, Setup};

/// Runs until the supervisor or a signal ends it.
pub(crate) async fn run(mut channel: Channel<ToChild, FromChild>) -> Exit {
    let Ok(signals) = SignalStream::new(&[Signal::Terminate, Signal::Interrupt, Signal::Reload]) else {
        return Exit::Fatal;
    };
    let setup = match channel.receive().await {
        Ok(Some(ToChild::Start(setup))) => *setup,
        Ok(_) => return Exit::Ok,
        Err(refused) => {
            error!("the supervisor's first message cannot be read: {refused}");
            return Exit::Fatal;
        }
    };
    let Setup { global, part: Part::Bfd { sessions }, options } = setup else { return Exit::Fatal };
    sys::process::set_umask(options.umask);
    let pid_file = match PidFile::create(&options.pid_file) {
        Ok(pid_file) => pid_file,
        Err(refused) => {
            error!("{refused}");
            return Exit::Fatal;
        }
    };
    crate::process_tuning::set_name(global.process_names.bfd.as_ref());
    crate::process_tuning::tune(&global.bfd_process);
    let exit = match Process::start(sessions) {
        Ok(mut process) => {
            channel.send(&FromChild::Ready);
            process.run(&mut channel, &signals).await
        }
        Err(refused) => {
            error!("BFD: {refused}");
            Exit::Fatal
        }
    };
    channel.flush(Duration::from_millis(200)).await;
    drop(pid_file);
    info!("Stopped");
    exit
}

struct Process {
    sessions: Sessions,
    sockets: BfdSockets,
    timer: Timer,
    /// Sessions whose last packet could not be sent.
    refused: HashSet<u32>,
    /// Actions of the start, performed when the loop runs.
    pending: Vec<Action>,
}

enum Wake {
    Packets,
    Time,
    Signal(Signal),
    Supervisor(Option<Box<ToChild>>),
}

impl Process {
    fn start(configs: Vec<SessionConfig>) -> std::io::Result<Self> {
        let (sockets, errors) = BfdSockets::new()?;
        for refused in &errors {
            error!("{refused}");
        }
        if sockets.listening() == 0 {
            return Err(std::io::Error::other("no listening socket could be opened"));
        }
        let mut pending = Vec::new();
        let sessions = Sessions::new(&configs, sys::clock::wall_micros(), &mut pending);
        Ok(Self { sessions, sockets, timer: Timer::new()?, refused: HashSet::new(), pending })
    }

    async fn run(&mut self, channel: &mut Channel<ToChild, FromChild>, signals: &SignalStream) -> Exit {
        let pending = std::mem::take(&mut self.pending);
        self.perform(pending, channel);
        loop {
            if let Err(refused) = self.timer.set(self.sessions.next_deadline()) {
                error!("the timer refuses: {refused}");
                return Exit::Fatal;
            }
            match self.wake(channel, signals).await {
                Wake::Packets => self.receive(channel),
                Wake::Time => {
                    // What has arrived meanwhile must not count as silence.
                    self.receive(channel);
                    let mut actions = Vec::new();
                    self.sessions.handle_timeout(sys::clock::now(), &mut actions);
                    self.perform(actions, channel);
                }
                Wake::Signal(Signal::Terminate | Signal::Interrupt) | Wake::Supervisor(None) => return Exit::Ok,
                Wake::Signal(_) => {}
                Wake::Supervisor(Some(message)) => self.obey(*message, channel),
            }
        }
    }

    async fn wake(&mut self, channel: &mut Channel<ToChild, FromChild>, signals: &SignalStream) -> Wake {
        loop {
            tokio::select! {
                biased;
                _ = self.sockets.readable() => return Wake::Packets,
                _ = self.timer.expired() => return Wake::Time,
                received = signals.next() => if let Ok(received) = received { return Wake::Signal(received.signal) },
                message = channel.receive() => return Wake::Supervisor(message.ok().flatten().map(Box::new)),
            }
        }
    }

    fn receive(&mut self, channel: &mut Channel<ToChild, FromChild>) {
        let (mut actions, now) = (Vec::new(), sys::clock::now());
        let sessions = &mut self.sessions;
        let received = self.sockets.receive(|packet| {
            let event = Event::Packet(bfd::ReceivedPacket {
                source: std::net::SocketAddr::new(packet.source, 0),
                destination: packet.destination,
                ttl: packet.ttl,
                multihop: packet.multihop,
                octets: packet.octets,
            });
            sessions.handle(now, event, &mut actions);
        });
        if let Err(refused) = received {
            error!("cannot receive BFD packets: {refused}");
        }
        self.perform(actions, channel);
    }

    fn obey(&mut self, message: ToChild, channel: &mut Channel<ToChild, FromChild>) {
        match message {
            ToChild::Reload(setup) => {
                if let Part::Bfd { sessions } = setup.part {
                    info!("Reloading");
                    let mut actions = Vec::new();
                    self.sessions.reconfigure(sys::clock::now(), &sessions, &mut actions);
                    self.perform(actions, channel);
                    // Followers that were started or renumbered by the reload learn the states anew.
                    self.report_all(channel);
                }
                channel.send(&FromChild::Reloaded);
            }
            ToChild::Dump => {
                info!("Printing BFD data for process({}) on signal", std::process::id());
                channel.send(&FromChild::File(DumpFile { kind: DumpKind::Bfd, content: self.dump() }));
            }
            ToChild::Ping => channel.send(&FromChild::Alive),
            ToChild::Start(_) | ToChild::Statistics { .. } | ToChild::Json | ToChild::Bfd { .. } => {}
        }
    }

    fn report_all(&mut self, channel: &mut Channel<ToChild, FromChild>) {
        for view in self.sessions.views() {
            channel.send(&FromChild::Bfd { name: view.name, up: view.state == bfd::State::Up });
        }
    }

    fn perform(&mut self, mut actions: Vec<Action>, channel: &mut Channel<ToChild, FromChild>) {
        while !actions.is_empty() {
            let mut more = Vec::new();
            for action in actions {
                match action {
                    Action::OpenOutput(session) => {
                        let event = self.open(session);
                        self.sessions.handle(sys::clock::now(), event, &mut more);
                    }
                    Action::CloseOutput(session) => self.sockets.close_output(session.0),
                    Action::Send(packet) => {
                        let sent = self.sockets.send(packet.session.0, packet.destination, &packet.octets);
                        self.tell_sending(packet.session.0, packet.destination, sent);
                    }
                    Action::Report(report) => channel.send(&FromChild::Bfd { name: report.name, up: report.up }),
                    Action::Log(line) => match line.level {
                        bfd::Level::Warning => logging::say(Severity::Warning, &line.text),
                        bfd::Level::Info => logging::say(Severity::Info, &line.text),
                        bfd::Level::Detail => detail(&line.text),
                    },
                }
            }
            actions = more;
        }
    }

    /// A refusal is told when it begins: packets follow each other by milliseconds.
    fn tell_sending(&mut self, session: u32, destination: std::net::SocketAddr, sent: std::io::Result<()>) {
        match sent {
            Ok(()) => drop(self.refused.remove(&session)),
            Err(refused) if self.refused.insert(session) => {
                detail(&format!("cannot send BFD packets to {destination}: {refused}"));
            }
            Err(_) => {}
        }
    }

    fn open(&mut self, session: SessionId) -> Event<'static> {
        let Some(config) = self.sessions.config(session) else { return Event::OutputFailed(session) };
        match self.sockets.open_output(session.0, config.neighbour, config.source, config.ttl) {
            Ok(()) => Event::OutputOpened(session),
            Err(refused) => {
                error!(
                    "({}) cannot send to {}: {refused}; is `source_ip` an address of this host?",
                    config.name, config.neighbour
                );
                Event::OutputFailed(session)
            }
        }
    }

    fn dump(&self) -> String {
        let mut text = String::from("------< BFD Topology >------\n");
        for view in self.sessions.views() {
            text.push_str(&format!(
                " BFD Instance = {}\n   state = {:?}\n   local discriminator = {:#010x}\n   local diagnostic = {}\n   \
                 remote state = {:?}\n   remote discriminator = {:#010x}\n   remote diagnostic = {}\n   \
                 transmit interval = {} us\n   detection time = {} us\n",
                view.name,
                view.state,
                view.discriminator,
                view.diagnostic,
                view.remote_state,
                view.remote_discriminator,
                view.remote_diagnostic,
                view.transmit_interval.as_micros(),
                view.detection_time.as_micros(),
            ));
        }
        text
    }
}
