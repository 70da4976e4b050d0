//! The checker process: probes real servers and keeps the kernel's IPVS table as the director wants it.
//!
//! One loop owns everything; probes are tasks that report one outcome each.

mod kernel;

use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use checkers::{Context, Report};
use ipvs::Operation;
use lvs::{Action, Director, Event, ProbeId, Remembered};
use net::ipvs::Refusal;
use notify::{Alert, Owner};
use sys::script::Spawner;
use sys::{PidFile, Signal, SignalStream, Timer};
use tokio::task::{AbortHandle, JoinSet};
use types::Instant;

use self::kernel::Kernel;
use crate::exit::Exit;
use crate::ipc::{Channel, DumpFile, DumpKind, FromChild, Sample, ToChild};
use crate::logging::{self, Severity, detail, error, info};
use crate::notifier::{Notifier, Writer};
use crate::sampling::Sampler;
use crate::setup::{Options, Part, Setup};
use crate::watched_files::WatchedFiles;

/// How often the kernel's table is compared with what should stand.
const COMPARE_EVERY: Duration = Duration::from_secs(20);

/// Runs until the supervisor or a signal ends it.
pub(crate) async fn run(channel: Channel<ToChild, FromChild>) -> Exit {
    tokio::task::LocalSet::new().run_until(serve(channel)).await
}

async fn serve(mut channel: Channel<ToChild, FromChild>) -> Exit {
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
    let Setup { global, part: Part::Checker { mut part, remembered }, options } = setup else { return Exit::Fatal };
    check_always(&mut part);
    sys::process::set_umask(options.umask);
    let pid_file = match PidFile::create(&options.pid_file) {
        Ok(pid_file) => pid_file,
        Err(refused) => {
            error!("{refused}");
            return Exit::Fatal;
        }
    };
    let spawner = match Spawner::start() {
        Ok(spawner) => spawner,
        Err(refused) => {
            error!("cannot start the thread that starts scripts: {refused}");
            return Exit::Fatal;
        }
    };
    crate::process_tuning::set_name(global.process_names.checker.as_ref());
    crate::process_tuning::tune(&global.checker_process);
    let _ = sys::scheduling::raise_descriptor_limit(65_536);
    let now = sys::clock::now();
    let remembered: Remembered = postcard::from_bytes(&remembered).unwrap_or_default();
    let mut actions = Vec::new();
    let mut director = Director::new(part.brain.clone(), now, &remembered, sys::clock::wall_micros(), &mut actions);
    director.name_scripts(script_names(&part));
    let mut process = match Process::new(director, part, global, options, spawner) {
        Ok(process) => process,
        Err(refused) => {
            error!("{refused}");
            return Exit::Fatal;
        }
    };
    process.perform(actions);
    process.read_files();
    if process.options.dump_configuration {
        for line in status::checker::dump(process.director.config(), &process.director.report()).lines() {
            info!("{line}");
        }
    }
    channel.send(&FromChild::Ready);
    let exit = process.run(&mut channel, &signals).await;
    process.stop().await;
    channel.flush(Duration::from_millis(200)).await;
    drop(pid_file);
    info!("Stopped");
    exit
}

struct Process {
    director: Director,
    part: conf::CheckerPart,
    options: Options,
    kernel: Kernel,
    context: Rc<Context>,
    probes: JoinSet<(ProbeId, Report)>,
    running: HashMap<ProbeId, AbortHandle>,
    notifier: Notifier,
    files: WatchedFiles,
    timer: Timer,
    next_compare: Instant,
    remembered: Vec<u8>,
    /// A server or a quorum has changed since the supervisor was told.
    changed: bool,
    sampler: Sampler,
}

enum Wake {
    Signal(Signal),
    Supervisor(Option<Box<ToChild>>),
    Probe(ProbeId, Box<Report>),
    Files,
    Time,
}

impl Process {
    fn new(
        director: Director,
        part: conf::CheckerPart,
        global: conf::Global,
        options: Options,
        spawner: Spawner,
    ) -> std::io::Result<Self> {
        let context = Rc::new(context(&part));
        let files = WatchedFiles::new(part.brain.files.iter().map(|(_, path)| path.clone()).collect())?;
        Ok(Self {
            director,
            options,
            kernel: Kernel::open(),
            context,
            probes: JoinSet::new(),
            running: HashMap::new(),
            // The reader of `notify_fifo` is started by this process whenever it runs.
            notifier: Notifier::new(spawner, Writer::Checker, &global, true),
            files,
            timer: Timer::new()?,
            next_compare: sys::clock::now() + COMPARE_EVERY,
            remembered: Vec::new(),
            changed: true,
            sampler: Sampler::new(&global),
            part,
        })
    }

    async fn run(&mut self, channel: &mut Channel<ToChild, FromChild>, signals: &SignalStream) -> Exit {
        loop {
            let deadline = self
                .director
                .next_deadline()
                .into_iter()
                .chain([self.next_compare])
                .chain(self.kernel.next_try())
                .chain(self.sampler.deadline())
                .min();
            if let Err(refused) = self.timer.set(deadline) {
                error!("the timer refuses: {refused}");
                return Exit::Fatal;
            }
            match self.wake(channel, signals).await {
                Wake::Signal(Signal::Terminate | Signal::Interrupt) | Wake::Supervisor(None) => return Exit::Ok,
                Wake::Signal(_) => {}
                Wake::Supervisor(Some(message)) => self.obey(*message, channel),
                Wake::Probe(probe, report) => {
                    if self.running.remove(&probe).is_some() {
                        if !report.detail.is_empty() {
                            detail(&format!("probe {}: {}", probe.0, report.detail));
                        }
                        self.tell(Event::Probe { probe, outcome: report.outcome });
                    }
                }
                Wake::Files => self.read_files(),
                Wake::Time => self.on_time(),
            }
            self.remember(channel);
            self.sample(channel);
        }
    }

    async fn wake(&mut self, channel: &mut Channel<ToChild, FromChild>, signals: &SignalStream) -> Wake {
        loop {
            tokio::select! {
                biased;
                received = signals.next() => if let Ok(received) = received { return Wake::Signal(received.signal) },
                message = channel.receive() => return Wake::Supervisor(message.ok().flatten().map(Box::new)),
                Some(ended) = self.probes.join_next() => if let Ok((probe, report)) = ended {
                    return Wake::Probe(probe, Box::new(report));
                },
                _ = self.timer.expired() => return Wake::Time,
                () = self.files.changed() => return Wake::Files,
                () = self.notifier.progress() => {}
            }
        }
    }

    fn on_time(&mut self) {
        let now = sys::clock::now();
        if self.kernel.try_again(now) {
            self.tell(Event::Compare);
        }
        if self.next_compare <= now {
            self.next_compare = now + COMPARE_EVERY;
            self.tell(Event::Compare);
        }
        let mut actions = Vec::new();
        self.director.handle_timeout(now, &mut actions);
        self.perform(actions);
    }

    fn tell(&mut self, event: Event) {
        let mut actions = Vec::new();
        self.director.handle(sys::clock::now(), event, &mut actions);
        self.perform(actions);
    }

    fn obey(&mut self, message: ToChild, channel: &mut Channel<ToChild, FromChild>) {
        match message {
            ToChild::Reload(setup) => {
                self.reload(*setup);
                channel.send(&FromChild::Reloaded);
            }
            ToChild::Dump => {
                info!("Printing checker data for process({}) on signal", std::process::id());
                let content = status::checker::dump(self.director.config(), &self.director.report());
                channel.send(&FromChild::File(DumpFile { kind: DumpKind::Checker, content }));
            }
            ToChild::Ping => channel.send(&FromChild::Alive),
            ToChild::Bfd { name, up } => self.tell(Event::Bfd { name, up }),
            ToChild::Start(_) | ToChild::Statistics { .. } | ToChild::Json => {}
        }
    }

    fn reload(&mut self, setup: Setup) {
        let Setup { global, part: Part::Checker { mut part, .. }, options } = setup else { return };
        check_always(&mut part);
        info!("Reloading");
        let began = sys::clock::now();
        self.options = options;
        self.context = Rc::new(context(&part));
        self.notifier.reconfigure(Writer::Checker, &global, true);
        match WatchedFiles::new(part.brain.files.iter().map(|(_, path)| path.clone()).collect()) {
            Ok(files) => self.files = files,
            Err(refused) => error!("track files are no longer watched: {refused}"),
        }
        self.sampler = Sampler::new(&global);
        self.part = part;
        let mut actions = Vec::new();
        self.director.reconfigure(began, self.part.brain.clone(), &mut actions);
        self.director.name_scripts(script_names(&self.part));
        self.perform(actions);
        self.read_files();
        info!("Reload finished in {} usec", sys::clock::now().since(began).as_micros());
    }

    fn read_files(&mut self) {
        for (number, value) in self.files.read_changed() {
            let Some((name, _)) = self.part.brain.files.get(number) else { continue };
            let event = Event::File { name: name.clone(), value };
            self.tell(event);
        }
    }

    fn perform(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::StartProbe { probe, config, url } => {
                    let context = Rc::clone(&self.context);
                    let handle = self.probes.spawn_local(async move {
                        let report = checkers::probe(&config, url, &context).await;
                        (probe, report.unwrap_or(Report::SUCCESS))
                    });
                    self.running.insert(probe, handle);
                }
                Action::AbortProbe(probe) => {
                    if let Some(handle) = self.running.remove(&probe) {
                        handle.abort();
                    }
                }
                Action::ReadTable => {
                    if let Some(table) = self.kernel.read_table() {
                        self.tell(Event::KernelTable(Box::new(table)));
                    }
                }
                Action::Table(operations) => {
                    self.changed = true;
                    let refused = self.kernel.apply(&operations);
                    self.refused(&refused);
                }
                Action::SetTimeouts(timeouts) => self.kernel.set_timeouts(timeouts),
                Action::RestoreTimeouts => self.kernel.restore_timeouts(),
                Action::SyncDaemons(daemons) => self.kernel.run_daemons(&daemons),
                Action::Notify(notification) => {
                    self.changed = true;
                    if !notification.line.is_empty() {
                        self.notifier.text(&notification.line);
                    }
                    let script = notification.script.and_then(|script| self.part.scripts.get(script.0 as usize));
                    if let Some(script) = script {
                        let server = notification.real_server.map_or(String::new(), |server| format!("/{server}"));
                        let owner = Owner::Service(format!("{}{server}", notification.virtual_server));
                        self.notifier.scripts(sys::clock::now(), owner, vec![(script.clone(), Vec::new())]);
                    }
                }
                Action::Mail(mail) => {
                    let wanted = self
                        .notifier
                        .mail_settings()
                        .is_some_and(|settings| !(mail.checker_only && settings.no_checkers));
                    if wanted {
                        self.notifier.mail(&Alert { subject: mail.subject, body: mail.body });
                    }
                }
                Action::Log(level, text) => match level {
                    lvs::Level::Error => logging::say(Severity::Error, &text),
                    lvs::Level::Warning => logging::say(Severity::Warning, &text),
                    lvs::Level::Info => logging::say(Severity::Info, &text),
                    lvs::Level::Detail => detail(&text),
                },
            }
        }
    }

    /// What the kernel refused is known to the director, so that the next comparison does not take it for somebody else's change.
    fn refused(&mut self, refusals: &[Refusal]) {
        for refusal in refusals {
            if let Operation::AddService { key, .. } = &refusal.operation {
                self.tell(Event::Refused(*key));
            }
        }
        if refusals.iter().any(Refusal::table_differs) {
            self.tell(Event::Compare);
        }
    }

    /// Tells the supervisor which servers are down, when that has changed: a replacement of this process must not send
    /// clients to them.
    fn remember(&mut self, channel: &mut Channel<ToChild, FromChild>) {
        if !std::mem::take(&mut self.changed) {
            return;
        }
        self.sampler.note();
        if let Ok(encoded) = postcard::to_stdvec(&self.director.remember())
            && encoded != self.remembered
        {
            self.remembered.clone_from(&encoded);
            channel.send(&FromChild::RememberServers(encoded));
        }
    }

    /// Tells the supervisor the numbers, where `metrics` wants them.
    fn sample(&mut self, channel: &mut Channel<ToChild, FromChild>) {
        if self.sampler.is_due(sys::clock::now()) {
            let samples = status::metrics::virtual_servers(self.director.config(), self.director.report());
            channel.send(&FromChild::Sample(Sample::VirtualServers(samples)));
        }
    }

    async fn stop(mut self) {
        self.kernel.keep_table(self.options.keep_ipvs);
        for (_, handle) in self.running.drain() {
            handle.abort();
        }
        self.tell(Event::Shutdown);
        self.notifier.finish(Duration::from_secs(1)).await;
    }
}

fn context(part: &conf::CheckerPart) -> Context {
    let scripts = part
        .scripts
        .iter()
        .map(|script| checkers::Script { command: crate::notifier::command(script), open_only: script.open_only });
    Context::new(scripts.collect(), part.brain.ssl.clone())
}

fn script_names(part: &conf::CheckerPart) -> Vec<String> {
    part.scripts.iter().map(|script| script.text.clone()).collect()
}

/// `ha_suspend` is not honoured: this process does not hear of addresses, and a checker that waited for one would never run.
fn check_always(part: &mut conf::CheckerPart) {
    for server in &mut part.brain.virtual_servers {
        server.ha_suspend = false;
    }
}
