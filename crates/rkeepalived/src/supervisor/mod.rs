//! The supervisor: reads the configuration, starts the children, starts them again when they die, hands them new
//! configurations, remembers what they were doing, and takes them along when it stops.
//!
//! It holds no socket of VRRP and no address, so nothing it does or waits for delays an advert.

mod begin;
mod child;
mod dump;
mod hook;
mod metrics;
mod reload;

use std::collections::BTreeMap;
use std::time::Duration;

use sys::{ServiceManager, Signal, SignalStream};
use types::Instant;

pub(crate) use self::begin::run;
use self::child::{Child, Respawn};
use self::metrics::Metrics;
use crate::cli::Cli;
use crate::configuration::Loaded;
use crate::exit::Exit;
use crate::ipc::{DumpKind, FromChild, ToChild};
use crate::logging::{Severity, detail, error, info, say, warning};
use crate::setup::{Options, Part, PidFiles, Role, Setup};
use crate::version;

struct Supervisor<'c> {
    cli: &'c Cli,
    pid_files: PidFiles,
    service_manager: Option<ServiceManager>,
    /// How often the watchdog is fed.
    watchdog: Option<Duration>,
    next_watchdog: Option<Instant>,
    global: conf::Global,
    /// Errors that the running configuration has: a reload is refused only for new ones.
    accepted_errors: Vec<String>,
    /// What each configured child runs with.
    setups: BTreeMap<Role, Setup>,
    children: [Option<Child>; 3],
    respawns: BTreeMap<Role, Respawn>,
    remembered_routers: Vec<vrrp::Remembered>,
    remembered_servers: Vec<u8>,
    /// Every child has said that its first state is known.
    started: bool,
    /// Children that have not yet answered a reload.
    reloading: Option<Vec<Role>>,
    status: BTreeMap<Role, String>,
    /// States of BFD sessions as last heard, for children that start later.
    bfd_states: BTreeMap<String, bool>,
    metrics: Metrics,
}

/// Something that the loop woke up for.
enum Wake {
    Signal(Signal),
    Message(Role, Box<FromChild>),
    Gone(Role),
    Time,
}

impl Supervisor<'_> {
    async fn run(&mut self, signals: &SignalStream, loaded: Loaded) -> Exit {
        if let Some((script, limit)) = self.global.startup_script.clone() {
            hook::run("startup", &script, limit).await;
        }
        self.setups = self.setups_of(loaded.configuration);
        self.metrics.listen(self.global.metrics);
        if self.setups.is_empty() {
            warning!("Warning - keepalived has no configuration to run");
        }
        for role in Role::ALL {
            if self.setups.contains_key(&role)
                && let Err(exit) = self.start(role)
            {
                return exit;
            }
        }
        self.check_started();
        loop {
            match self.wake(signals).await {
                Wake::Signal(Signal::Terminate) => return Exit::Ok,
                Wake::Signal(Signal::Interrupt) => {
                    if !self.cli.ignore_sigint {
                        return Exit::Ok;
                    }
                }
                Wake::Signal(Signal::Reload) => self.reload(),
                Wake::Signal(Signal::Child) => {
                    if let Err(exit) = self.reap() {
                        return exit;
                    }
                }
                Wake::Signal(Signal::DumpState) => {
                    info!("Printing parent data for process({}) on signal", std::process::id());
                    dump::write(&self.global, self.umask(), DumpKind::Parent, &self.own_dump());
                    self.tell_all(&ToChild::Dump);
                }
                Wake::Signal(Signal::DumpStatistics) => self.tell(Role::Vrrp, &ToChild::Statistics { clear: false }),
                Wake::Signal(Signal::ClearStatistics) => self.tell(Role::Vrrp, &ToChild::Statistics { clear: true }),
                Wake::Signal(Signal::DumpJson) => self.tell(Role::Vrrp, &ToChild::Json),
                Wake::Signal(Signal::RealtimeLimit) => {}
                Wake::Message(role, message) => self.message(role, *message),
                // The exit status follows by SIGCHLD; until then there is nothing to read.
                Wake::Gone(role) => {
                    if let Some(child) = &mut self.children[role as usize] {
                        child.channel = None;
                    }
                    if let Err(exit) = self.reap() {
                        return exit;
                    }
                }
                Wake::Time => {
                    if let Err(exit) = self.on_time() {
                        return exit;
                    }
                }
            }
        }
    }

    async fn wake(&mut self, signals: &SignalStream) -> Wake {
        let deadline = self.respawns.values().filter_map(|respawn| respawn.due).chain(self.next_watchdog).min();
        let [checker, vrrp, bfd] = &mut self.children;
        tokio::select! {
            biased;
            received = signals.next() => match received {
                Ok(received) => Wake::Signal(received.signal),
                Err(_) => Wake::Time,
            },
            wake = listen(Role::Vrrp, vrrp) => wake,
            wake = listen(Role::Checker, checker) => wake,
            wake = listen(Role::Bfd, bfd) => wake,
            () = sleep_until(deadline) => Wake::Time,
            never = self.metrics.serve() => match never {},
        }
    }

    /// What each child that is wanted runs with.
    fn setups_of(&self, configuration: conf::Configuration) -> BTreeMap<Role, Setup> {
        let conf::Configuration { global, vrrp, checker, bfd } = configuration;
        let wanted = |role: Role, configured: bool| {
            let chosen = match role {
                Role::Vrrp => self.cli.only_vrrp || !self.cli.only_checkers,
                Role::Checker => self.cli.only_checkers || !self.cli.only_vrrp,
                Role::Bfd => {
                    !(self.cli.no_bfd || self.cli.only_vrrp || self.cli.only_checkers)
                        || (configured && !self.cli.no_bfd)
                }
            };
            chosen && (configured || self.cli.all)
        };
        let setup = |role: Role, part: Part| Setup { global: global.clone(), part, options: self.options(role) };
        let mut setups = BTreeMap::new();
        let vrrp_configured = !vrrp.brain.instances.is_empty()
            || !vrrp.static_addresses.is_empty()
            || !vrrp.static_routes.is_empty()
            || !vrrp.static_rules.is_empty();
        let sync_daemon = checker.brain.sync_daemon.clone().filter(|daemon| daemon.instance.is_some());
        if wanted(Role::Checker, !checker.brain.virtual_servers.is_empty()) {
            setups.insert(Role::Checker, setup(Role::Checker, Part::Checker { part: checker, remembered: Vec::new() }));
        }
        if wanted(Role::Vrrp, vrrp_configured) {
            setups
                .insert(Role::Vrrp, setup(Role::Vrrp, Part::Vrrp { part: vrrp, remembered: Vec::new(), sync_daemon }));
        }
        if wanted(Role::Bfd, !bfd.is_empty()) {
            setups.insert(Role::Bfd, setup(Role::Bfd, Part::Bfd { sessions: bfd }));
        }
        if !setups.contains_key(&Role::Checker)
            && let Some(vrrp) = setups.get_mut(&Role::Vrrp)
        {
            vrrp.options.starts_fifo_reader = true;
        }
        setups
    }

    fn options(&self, role: Role) -> Options {
        Options {
            keep_vrrp: self.cli.keep_vrrp,
            keep_ipvs: self.cli.keep_ipvs,
            address_monitoring: self.cli.address_monitoring,
            detail: self.cli.log_detail,
            dump_configuration: self.cli.dump_configuration,
            pid_file: self.pid_files.of(role).clone(),
            starts_fifo_reader: role == Role::Checker,
            umask: self.umask(),
        }
    }

    fn umask(&self) -> u32 {
        self.cli.umask.or(self.global.umask).unwrap_or(0o177)
    }

    fn start(&mut self, role: Role) -> Result<(), Exit> {
        let Some(setup) = self.setups.get(&role) else { return Ok(()) };
        let mut setup = setup.clone();
        match &mut setup.part {
            Part::Vrrp { remembered, .. } => remembered.clone_from(&self.remembered_routers),
            Part::Checker { remembered, .. } => remembered.clone_from(&self.remembered_servers),
            Part::Bfd { .. } => {}
        }
        match Child::start(role, self.cli, setup) {
            Ok(child) => {
                info!("Starting {} child process, pid={}", role.title(), child.pid());
                self.children[role as usize] = Some(child);
                self.metrics.process(role, true);
                if role != Role::Bfd {
                    for (name, up) in self.bfd_states.clone() {
                        self.tell(role, &ToChild::Bfd { name, up });
                    }
                }
                Ok(())
            }
            Err(refused) => {
                error!("cannot start the {} process: {refused}", role.title());
                Err(Exit::Fatal)
            }
        }
    }

    fn message(&mut self, role: Role, message: FromChild) {
        match message {
            FromChild::Ready => {
                if let Some(child) = &mut self.children[role as usize] {
                    child.ready = true;
                }
                self.check_started();
            }
            FromChild::Reloaded => self.answered(role),
            FromChild::ReloadRefused(reason) => {
                error!("{} process: {reason}", role.title());
                self.answered(role);
            }
            FromChild::Remember(routers) => self.remembered_routers = routers,
            FromChild::RememberServers(servers) => self.remembered_servers = servers,
            FromChild::Status(text) => {
                self.status.insert(role, text);
                self.show_status();
            }
            FromChild::Sample(sample) => self.metrics.take(sample),
            FromChild::File(file) => dump::write(&self.global, self.umask(), file.kind, &file.content),
            FromChild::Alive => {
                if let Some(child) = &mut self.children[role as usize] {
                    child.unanswered_pings = 0;
                }
            }
            FromChild::Bfd { name, up } => {
                self.bfd_states.insert(name.clone(), up);
                self.metrics.bfd_session(&name, up);
                for follower in [Role::Vrrp, Role::Checker] {
                    self.tell(follower, &ToChild::Bfd { name: name.clone(), up });
                }
            }
        }
    }

    fn check_started(&mut self) {
        if self.started
            || self.setups.keys().any(|&role| !self.children[role as usize].as_ref().is_some_and(|child| child.ready))
        {
            return;
        }
        self.started = true;
        info!("Startup complete");
        if let Some(manager) = &self.service_manager {
            manager.ready();
        }
        self.next_watchdog = self.watchdog.map(|_| sys::clock::now());
        give_memory_back();
    }

    fn answered(&mut self, role: Role) {
        let Some(waiting) = &mut self.reloading else { return };
        waiting.retain(|&other| other != role);
        if waiting.is_empty() {
            self.reloading = None;
            info!("Reload complete");
            sys::memory::trim_heap();
            if let Some(manager) = &self.service_manager {
                manager.ready();
            }
            self.show_status();
        }
    }

    fn show_status(&self) {
        if let Some(manager) = &self.service_manager {
            let texts: Vec<&str> = self.status.values().map(String::as_str).collect();
            manager.status(&texts.join("; "));
        }
    }

    fn tell(&mut self, role: Role, message: &ToChild) {
        if let Some(Child { channel: Some(channel), .. }) = &mut self.children[role as usize] {
            channel.send(message);
        }
    }

    fn tell_all(&mut self, message: &ToChild) {
        for role in Role::ALL {
            self.tell(role, message);
        }
    }

    /// Looks at every child that has ended.
    fn reap(&mut self) -> Result<(), Exit> {
        for role in Role::ALL {
            let Some(child) = &mut self.children[role as usize] else { continue };
            let Some(ended) = child.ended() else { continue };
            let (pid, ran) = (child.pid(), child.ran());
            // A last word may still be in the socket: what to remember, above all.
            while let Some(message) = child.last_words() {
                match message {
                    FromChild::Remember(routers) => self.remembered_routers = routers,
                    FromChild::RememberServers(servers) => self.remembered_servers = servers,
                    _ => {}
                }
            }
            self.children[role as usize] = None;
            self.status.remove(&role);
            self.metrics.process(role, false);
            if !self.setups.contains_key(&role) {
                self.metrics.forget(role);
                detail(&format!("{} child process({pid}) ended: nothing is configured for it any more", role.title()));
                continue;
            }
            info!("{} {ended}", role.ident());
            if let Some(name) = ended.code().and_then(Exit::permanent) {
                error!("{} exited with permanent error {name}. Terminating", role.ident());
                return Err(match ended.code() {
                    Some(2) => Exit::Configuration,
                    Some(4) => Exit::Permission,
                    _ => Exit::Fatal,
                });
            }
            if self.cli.no_respawn {
                say(Severity::Alert, &format!("{} child process({pid}) died: Exiting", role.title()));
                return Err(Exit::Ok);
            }
            say(Severity::Alert, &format!("{} child process({pid}) died: Respawning", role.title()));
            let now = sys::clock::now();
            if role == Role::Vrrp {
                child::vouch_for_masters(&mut self.remembered_routers, now);
            }
            self.metrics.restarted(role);
            let delay = self.respawns.entry(role).or_default().next_delay(ran);
            if !delay.is_zero() {
                info!("Restart of {} process delayed {} seconds to limit respawn rate", role.title(), delay.as_secs());
            }
            self.respawns.entry(role).or_default().schedule(now, delay);
        }
        self.on_time()
    }

    fn on_time(&mut self) -> Result<(), Exit> {
        let now = sys::clock::now();
        for role in Role::ALL {
            let due = self.respawns.get(&role).is_some_and(|respawn| respawn.due.is_some_and(|due| due <= now));
            if due {
                if let Some(respawn) = self.respawns.get_mut(&role) {
                    respawn.due = None;
                }
                self.start(role)?;
            }
        }
        if let (Some(interval), Some(next)) = (self.watchdog, self.next_watchdog)
            && next <= now
        {
            self.next_watchdog = Some(now + interval);
            if self.children.iter().flatten().all(|child| child.unanswered_pings < 2)
                && let Some(manager) = &self.service_manager
            {
                manager.watchdog();
            }
            for child in self.children.iter_mut().flatten() {
                child.unanswered_pings += 1;
            }
            self.tell_all(&ToChild::Ping);
        }
        Ok(())
    }

    fn own_dump(&self) -> String {
        let mut text = String::from("------< Parent >------\n");
        for role in Role::ALL {
            if let Some(child) = &self.children[role as usize] {
                text.push_str(&format!(" {} process = {}\n", role.title(), child.pid()));
            }
        }
        text
    }

    async fn stop(&mut self, signals: &SignalStream) {
        info!("Stopping");
        if let Some(manager) = &self.service_manager {
            manager.stopping();
        }
        for child in self.children.iter().flatten() {
            child.terminate();
        }
        let until = sys::clock::now() + self.global.child_wait_time;
        while self.children.iter().any(Option::is_some) {
            for child in &mut self.children {
                if child.as_mut().is_some_and(|child| child.ended().is_some()) {
                    *child = None;
                }
            }
            if self.children.iter().all(Option::is_none) {
                break;
            }
            let [checker, vrrp, bfd] = &mut self.children;
            let timed_out = tokio::select! {
                _ = signals.next() => false,
                // Reading keeps the children's last dumps and messages from filling the socket.
                _ = listen(Role::Vrrp, vrrp) => false,
                _ = listen(Role::Checker, checker) => false,
                _ = listen(Role::Bfd, bfd) => false,
                () = sleep_until(Some(until)) => true,
            };
            for child in self.children.iter_mut().flatten() {
                child.forget_closed_channel();
                if timed_out {
                    error!("{} process failed to die - forcing termination", child.role.title());
                    child.kill();
                }
            }
        }
        if let Some((script, limit)) = self.global.shutdown_script.clone() {
            hook::run("shutdown", &script, limit).await;
        }
        info!("Stopped Keepalived v{} (rkeepalived v{})", version::KEEPALIVED, version::OURS);
    }
}

/// What reading a configuration needed is not needed any more.
fn give_memory_back() {
    sys::memory::trim_heap();
    // Refused where memory is locked; then it stays, which harms nothing.
    let _ = sys::memory::release_code_pages();
}

/// Next message of a child; waits for ever where there is none.
async fn listen(role: Role, child: &mut Option<Child>) -> Wake {
    match child {
        Some(Child { channel: Some(channel), closed, .. }) if !*closed => match channel.receive().await {
            Ok(Some(message)) => Wake::Message(role, Box::new(message)),
            Ok(None) | Err(_) => {
                *closed = true;
                Wake::Gone(role)
            }
        },
        _ => std::future::pending().await,
    }
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep(deadline.since(sys::clock::now())).await,
        None => std::future::pending().await,
    }
}
