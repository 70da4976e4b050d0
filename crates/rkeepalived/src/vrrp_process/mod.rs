//! The VRRP process: one loop that owns sockets, kernel, brain and timer, and never waits for anything else.

mod holdings;
mod kernel;
mod notify_changes;
mod processes;
mod reload;
mod scripts;
mod sync_daemon;

use std::sync::Arc;
use std::time::Duration;

use net::kernel::Kernel;
use net::monitor::{Monitor, MonitorOptions};
use net::packet::AnnounceSocket;
use net::raw::VrrpSockets;
use sys::script::Spawner;
use sys::{PidFile, Signal, SignalStream, Timer};
use types::Instant;
use vip::Keeper;
use vrrp::{Action, Event, InstanceId, Remembered, Routers, State};

use self::notify_changes::Changes;
use self::processes::Processes;
use self::scripts::TrackScripts;
use self::sync_daemon::SyncDaemon;
use crate::exit::Exit;
use crate::ipc::{Channel, DumpFile, DumpKind, FromChild, Sample, ToChild};
use crate::logging::{self, detail, error, info, warning};
use crate::notifier::{Notifier, Writer};
use crate::process_tuning::{AutoPriority, set_name, tune};
use crate::sampling::Sampler;
use crate::setup::{Options, Part, Setup};
use crate::watched_files::WatchedFiles;

/// A timer that is later than this is a stall: queued packets are read before anything is decided.
const LATE: Duration = Duration::from_millis(20);
/// How often, 1 ms apart, new virtual links are looked for.
const VIRTUAL_LINK_LOOKS: u32 = 100;
/// First states are told by then even if a tracked script has not answered.
const READY_AT_THE_LATEST: Duration = Duration::from_secs(10);

/// Runs until the supervisor or a signal ends it.
pub(crate) async fn run(mut channel: Channel<ToChild, FromChild>) -> Exit {
    let Ok(signals) = SignalStream::new(&[Signal::Terminate, Signal::Interrupt, Signal::Reload, Signal::RealtimeLimit])
    else {
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
    let Setup { global, part: Part::Vrrp { part, remembered, sync_daemon }, options } = setup else {
        return Exit::Fatal;
    };
    sys::process::set_umask(options.umask);
    let pid_file = match PidFile::create(&options.pid_file) {
        Ok(pid_file) => pid_file,
        Err(refused) => {
            error!("{refused}");
            return Exit::Fatal;
        }
    };
    let mut process = match Process::start(global, part, sync_daemon, options, &remembered) {
        Ok(process) => process,
        Err(refused) => {
            error!("{refused}");
            return Exit::Fatal;
        }
    };
    let exit = process.run(&mut channel, &signals).await;
    process.stop(&mut channel).await;
    channel.flush(Duration::from_millis(200)).await;
    drop(pid_file);
    info!("Stopped");
    exit
}

struct Process {
    global: conf::Global,
    part: conf::VrrpPart,
    options: Options,
    routers: Routers,
    keeper: Keeper,
    sockets: VrrpSockets,
    announcer: AnnounceSocket,
    monitor: Monitor,
    listening_for: MonitorOptions,
    kernel: Kernel,
    timer: Timer,
    notifier: Notifier,
    scripts: TrackScripts,
    files: WatchedFiles,
    processes: Processes,
    changes: Changes,
    sync_daemon: SyncDaemon,
    suspended: Duration,
    priority: AutoPriority,
    ready: bool,
    ready_by: Instant,
    /// Something that the supervisor remembers or shows has changed.
    news: bool,
    sampler: Sampler,
}

enum Wake {
    Packets,
    Time,
    Kernel,
    Signal(Signal),
    Supervisor(Option<Box<ToChild>>),
    Script(scripts::Ended),
    Files,
    Processes,
    Announcements,
}

impl Process {
    fn start(
        global: conf::Global,
        part: conf::VrrpPart,
        sync_daemon: Option<lvs::SyncDaemonConfig>,
        options: Options,
        remembered: &[Remembered],
    ) -> Result<Self, String> {
        let told = |what: &'static str| move |refused: std::io::Error| format!("{what}: {refused}");
        let raw = |what: &'static str| {
            move |refused: std::io::Error| {
                format!("{what}: {refused}; VRRP needs CAP_NET_RAW and CAP_NET_ADMIN: run it as root")
            }
        };
        let spawner = Spawner::start().map_err(told("cannot start the thread that starts scripts"))?;
        let processes = Processes::start(&part.brain.processes, global.netlink_buffers[4]);
        // Threads that were started before keep ordinary scheduling.
        set_name(global.process_names.vrrp.as_ref());
        tune(&global.vrrp_process);
        let sync_daemon = SyncDaemon::new(sync_daemon, &part);
        let (now, utc) = clocks();
        let mut actions = Vec::new();
        let mut brain = part.brain.clone();
        // `vrrp_delay_after_boot` counts from the machine's start; the larger of the two delays holds.
        brain.startup_delay = brain.startup_delay.max(global.delay_after_boot.saturating_sub(sys::clock::uptime()));
        if global.disable_local_igmp
            && let Err(refused) = std::fs::write("/proc/sys/net/ipv4/igmp_link_local_mcast_reports", "0")
        {
            warning!("disable_local_igmp: {refused}");
        }
        let mut routers = Routers::new(brain, now, utc, remembered, &mut actions);
        routers.set_detail(options.detail > 0);
        let held = holdings::config(&part);
        let listening_for = listening_for(&held, &global);
        let monitor = Monitor::open(listening_for.clone()).map_err(raw("cannot listen to the kernel's changes"))?;
        let mut process = Self {
            keeper: Keeper::new(held),
            sockets: VrrpSockets::new().map_err(raw("cannot prepare VRRP sockets"))?,
            announcer: AnnounceSocket::new().map_err(raw("cannot open the socket for gratuitous ARP"))?,
            kernel: Kernel::open().map_err(raw("cannot speak to the kernel"))?,
            monitor,
            listening_for,
            timer: Timer::new().map_err(told("cannot make a timer"))?,
            notifier: Notifier::new(spawner.clone(), Writer::Vrrp, &global, options.starts_fifo_reader),
            scripts: TrackScripts::new(spawner),
            files: WatchedFiles::new(tracked_paths(&part)).map_err(told("cannot watch files"))?,
            processes,
            changes: Changes::default(),
            sync_daemon,
            suspended: sys::clock::suspended(),
            priority: AutoPriority::new(&global, &global.vrrp_process),
            ready: false,
            ready_by: now + READY_AT_THE_LATEST,
            news: true,
            sampler: Sampler::new(&global),
            global,
            part,
            options,
            routers,
        };
        process.init_files();
        // The dump that the monitor begins with tells everything that stands.
        process.observe(true)?;
        let masters: Vec<u32> = process
            .routers
            .instances()
            .filter(|instance| instance.state == State::Master)
            .map(|instance| instance.id.0)
            .collect();
        let mut operations = Vec::new();
        let consequences = process.keeper.start(&masters, false, &mut operations);
        process.apply(operations);
        process.hear(consequences);
        process.await_virtual_links()?;
        process.perform(actions);
        process.read_files();
        process.processes.wait_for_first();
        process.count_processes();
        process.tell(Event::Started);
        if process.options.dump_configuration {
            for line in status::data(&process.view()).lines() {
                info!("{line}");
            }
        }
        Ok(process)
    }

    /// Virtual links that were created just now belong to what stands when instances begin: without them their instances would begin in FAULT and tell
    /// scripts so. The kernel brings them up at once or, where it refuses, never.
    fn await_virtual_links(&mut self) -> Result<(), String> {
        for _ in 0..VIRTUAL_LINK_LOOKS {
            self.observe(false)?;
            if !self.keeper.awaits_links() {
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    async fn run(&mut self, channel: &mut Channel<ToChild, FromChild>, signals: &SignalStream) -> Exit {
        loop {
            self.report(channel);
            let mut deadline = self.routers.next_deadline().into_iter().chain(self.sampler.deadline()).min();
            if !self.ready {
                deadline = deadline.into_iter().chain([self.ready_by]).min();
            }
            if let Err(refused) = self.timer.set(deadline) {
                error!("the timer refuses: {refused}");
                return Exit::Fatal;
            }
            match self.wake(channel, signals).await {
                Wake::Packets => {
                    self.receive();
                    // A flood keeps the sockets readable for ever; adverts leave on time all the same.
                    if self.routers.next_deadline().is_some_and(|deadline| deadline <= sys::clock::now()) {
                        self.on_time();
                    }
                }
                Wake::Time => self.on_time(),
                Wake::Kernel => {
                    if let Err(refused) = self.observe(false) {
                        error!("{refused}");
                        return Exit::Fatal;
                    }
                }
                Wake::Signal(Signal::Terminate | Signal::Interrupt) | Wake::Supervisor(None) => return Exit::Ok,
                Wake::Signal(_) => {}
                Wake::Supervisor(Some(message)) => self.obey(*message, channel),
                Wake::Script(ended) => {
                    if let Some((script, outcome)) = self.scripts.finish(ended) {
                        self.tell(Event::ScriptEnded { script, outcome });
                    }
                }
                Wake::Files => self.read_files(),
                Wake::Processes => self.count_processes(),
                Wake::Announcements => {
                    for refused in self.announcer.flush() {
                        detail(&format!("cannot announce {}: {}", refused.announcement.address, refused.source));
                    }
                }
            }
        }
    }

    async fn wake(&mut self, channel: &mut Channel<ToChild, FromChild>, signals: &SignalStream) -> Wake {
        loop {
            let waiting = self.announcer.is_waiting();
            // Not `biased`: nothing may starve the others. Deadlines are looked at after every batch of packets.
            tokio::select! {
                _ = self.sockets.readable() => return Wake::Packets,
                _ = self.timer.expired() => return Wake::Time,
                _ = self.monitor.readable() => return Wake::Kernel,
                received = signals.next() => if let Ok(received) = received { return Wake::Signal(received.signal) },
                message = channel.receive() => return Wake::Supervisor(message.ok().flatten().map(Box::new)),
                ended = self.scripts.ended() => return Wake::Script(ended),
                _ = self.announcer.writable(), if waiting => return Wake::Announcements,
                () = self.files.changed() => return Wake::Files,
                () = self.processes.changed() => return Wake::Processes,
                () = self.notifier.progress() => {}
            }
        }
    }

    /// Reads every packet that has arrived.
    fn receive(&mut self) {
        let mut actions = Vec::new();
        let (_, utc) = clocks();
        let routers = &mut self.routers;
        let received = self.sockets.receive(|packet, arrived| {
            routers.handle(arrived, utc, Event::Packet(packet), &mut actions);
        });
        if let Err(refused) = received {
            error!("cannot receive adverts: {refused}");
        }
        self.perform(actions);
    }

    fn on_time(&mut self) {
        let now = sys::clock::now();
        let suspended = sys::clock::suspended();
        let slept = suspended.saturating_sub(self.suspended);
        self.suspended = suspended;
        let late = self.timer.deadline().map_or(Duration::ZERO, |deadline| now.since(deadline)) + slept;
        // An advert that has arrived already must count before its absence does.
        self.receive();
        if late > LATE {
            self.tell(Event::Stalled(late));
            self.priority.observe(late);
        }
        let (now, utc) = clocks();
        let mut actions = Vec::new();
        self.routers.handle_timeout(now, utc, &mut actions);
        self.perform(actions);
    }

    fn tell(&mut self, event: Event<'_>) {
        let (now, utc) = clocks();
        let mut actions = Vec::new();
        self.routers.handle(now, utc, event, &mut actions);
        self.perform(actions);
    }

    /// Does what the brain decided, in its order; adverts in a row leave in one system call.
    fn perform(&mut self, actions: Vec<Action>) {
        let mut adverts = Vec::new();
        for action in actions {
            if let Action::Send(advert) = action {
                adverts.push(advert);
                continue;
            }
            self.send(&mut adverts);
            match action {
                Action::Send(_) => {}
                Action::Hold(instance) => {
                    let mut operations = Vec::new();
                    let name = self.instance_name(instance).to_owned();
                    // An instance that holds already is told to hold again when somebody took something away.
                    self.keeper.restore(instance.0, &mut operations);
                    let missing = self.keeper.hold(instance.0, &mut operations);
                    for interface in missing {
                        warning!(
                            "({name}) interface {interface} does not exist: its addresses are added when it appears"
                        );
                    }
                    self.apply(operations);
                }
                Action::Release(instance) => {
                    self.announcer.cancel(instance);
                    if self.options.keep_vrrp && self.changes.stopping {
                        continue;
                    }
                    let mut operations = Vec::new();
                    self.keeper.release(instance.0, &mut operations);
                    self.apply(operations);
                }
                Action::Announce(announcements) => {
                    let keeper = &self.keeper;
                    let router = |interface| holdings::forwards_inet6(keeper, interface);
                    for refused in self.announcer.announce(&announcements, router) {
                        detail(&format!("cannot announce {}: {}", refused.announcement.address, refused.source));
                    }
                }
                Action::SocketsChanged => {
                    for refused in self.sockets.reconcile(&self.routers.sockets()) {
                        error!("{refused}");
                    }
                }
                Action::RunScript { script, timeout } => {
                    let name = self.routers.config().scripts.get(script.0 as usize).map(|script| &script.name);
                    let command = name.and_then(|name| self.part.scripts.get(name));
                    self.scripts.start(script, command, timeout);
                }
                Action::Notify(notification) => {
                    self.news = true;
                    self.sync_daemon.follow(&notification);
                    self.changes.tell(&notification, &self.part, &self.global, &mut self.notifier);
                }
                Action::Log(line) => logging::say_line(&line),
            }
        }
        self.send(&mut adverts);
    }

    fn send(&mut self, adverts: &mut Vec<Arc<vrrp::Advert>>) {
        if adverts.is_empty() {
            return;
        }
        for refused in self.sockets.send(adverts) {
            self.changes.tell_send_error(&refused);
        }
        adverts.clear();
    }

    fn instance_name(&self, instance: InstanceId) -> &str {
        self.part.brain.instances.get(instance.0 as usize).map_or("?", |instance| instance.name.as_str())
    }

    fn obey(&mut self, message: ToChild, channel: &mut Channel<ToChild, FromChild>) {
        let process = std::process::id();
        match message {
            ToChild::Reload(setup) => {
                self.reload(*setup);
                channel.send(&FromChild::Reloaded);
            }
            ToChild::Dump => {
                info!("Printing VRRP data for process({process}) on signal");
                let content = status::data(&self.view());
                channel.send(&FromChild::File(DumpFile { kind: DumpKind::Vrrp, content }));
            }
            ToChild::Statistics { clear } => {
                info!("Printing VRRP stats for process({process}) on signal");
                let content = status::statistics(&self.view());
                channel.send(&FromChild::File(DumpFile { kind: DumpKind::Statistics, content }));
                if clear {
                    self.routers.clear_statistics();
                }
            }
            ToChild::Json => {
                info!("Printing VRRP as json for process({process}) on signal");
                let content = status::json(&self.view());
                if !content.is_empty() {
                    channel.send(&FromChild::File(DumpFile { kind: DumpKind::Json, content }));
                }
            }
            ToChild::Ping => channel.send(&FromChild::Alive),
            ToChild::Bfd { name, up } => {
                let bfd = self.routers.config().bfds.iter().position(|known| *known == name);
                if let Some(bfd) = bfd {
                    self.tell(Event::BfdState { bfd, up });
                }
            }
            ToChild::Start(_) => {}
        }
    }

    /// `init_file`.
    fn init_files(&self) {
        for file in &self.part.brain.files {
            let Some(init) = &file.init else { continue };
            if std::path::Path::new(&file.path).exists() && !init.overwrite {
                continue;
            }
            if let Err(refused) = std::fs::write(&file.path, format!("{}\n", init.value)) {
                error!("cannot initialise track file {}: {refused}", file.path);
            }
        }
    }

    fn read_files(&mut self) {
        for (file, value) in self.files.read_changed() {
            self.tell(Event::FileValue { file, value: value.unwrap_or(0) });
        }
    }

    /// Tells how many processes there are of those that are tracked.
    fn count_processes(&mut self) {
        for (process, count) in self.processes.read_changed() {
            self.tell(Event::ProcessCount { process, count });
        }
    }

    /// Tells the supervisor what has changed.
    fn report(&mut self, channel: &mut Channel<ToChild, FromChild>) {
        if !self.ready {
            let known = self.routers.instances().all(|instance| instance.state != State::Init);
            if known || self.ready_by <= sys::clock::now() {
                self.ready = true;
                channel.send(&FromChild::Ready);
                // The start's code and heap; refused where memory is locked, which harms nothing.
                sys::memory::trim_heap();
                let _ = sys::memory::release_code_pages();
            }
        }
        if std::mem::take(&mut self.news) {
            channel.send(&FromChild::Remember(self.routers.remembered()));
            channel.send(&FromChild::Status(notify_changes::status_line(&self.routers)));
            self.sampler.note();
        }
        if self.sampler.is_due(sys::clock::now()) {
            let samples = self.routers.instances().map(|view| status::metrics::InstanceSample::of(&view));
            channel.send(&FromChild::Sample(Sample::Instances(samples.collect())));
        }
    }

    fn view(&self) -> status::Vrrp<'_> {
        let parts = self.part.instances.iter();
        let instances = self.routers.instances().zip(parts).map(|(view, part)| status::Instance {
            view,
            addresses: &part.addresses,
            excluded: &part.excluded,
            routes: &part.routes,
            rules: &part.rules,
            scripts: &part.scripts,
            smtp_alert: part.smtp_alert,
            no_accept: part.no_accept,
            promote_secondaries: part.promote_secondaries,
        });
        status::Vrrp {
            routers: &self.routers,
            instances: instances.collect(),
            groups: self.part.sync_groups.iter().map(|group| &group.scripts).collect(),
            router_id: self.global.router_id.as_deref().unwrap_or(""),
            json_version: self.global.json_version,
        }
    }

    async fn stop(mut self, channel: &mut Channel<ToChild, FromChild>) {
        self.changes.stopping = true;
        // The goodbye first: the others need not wait for our scripts.
        self.tell(Event::Shutdown);
        if !self.options.keep_vrrp {
            let mut operations = Vec::new();
            self.keeper.stop(&mut operations);
            self.apply(operations);
        }
        self.sync_daemon.stop();
        self.scripts.stop().await;
        // What was said is forgotten on purpose: the next start begins anew.
        channel.send(&FromChild::Remember(Vec::new()));
        self.notifier.finish(Duration::from_secs(1)).await;
    }
}

fn clocks() -> (Instant, Duration) {
    (sys::clock::now(), Duration::from_micros(sys::clock::wall_micros()))
}

fn tracked_paths(part: &conf::VrrpPart) -> Vec<String> {
    part.brain.files.iter().map(|file| file.path.clone()).collect()
}

/// What to listen to, with `vrrp_netlink_monitor_rcv_bufs`.
fn listening_for(held: &vip::Config, global: &conf::Global) -> MonitorOptions {
    let mut options = MonitorOptions::of(held);
    options.receive_buffer = Some(global.netlink_buffers[1].0).filter(|&octets| octets > 0);
    options
}
