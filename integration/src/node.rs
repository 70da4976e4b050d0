//! A host that runs a daemon.

use std::fs::{self, File};
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::{Child, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::daemon::{Daemon, lab_directory};
use crate::host::Host;
use crate::wait::until;

/// How long anything may take that needs no protocol timer.
const SOON: Duration = Duration::from_secs(10);

/// A host with keepalived or rkeepalived on it. Its log is shown when the test fails.
pub struct Node {
    host: Host,
    daemon: Daemon,
    process: Option<Child>,
    log: PathBuf,
}

impl Node {
    /// Where the configuration is on the host.
    pub const CONFIGURATION: &'static str = "/etc/keepalived/keepalived.conf";

    /// Makes `host` a node; the daemon is not started yet.
    #[track_caller]
    pub fn new(host: Host, daemon: Daemon) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        // process numbers repeat inside user-mode Linux: the machine's name keeps its logs apart
        let machine = std::env::var("LAB_UML").unwrap_or_default();
        let log =
            lab_directory().join(format!("{}{machine}-{number}-{}-{daemon}.log", std::process::id(), host.name()));
        Self { host, daemon, process: None, log }
    }

    /// The host.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// Its daemon.
    pub fn daemon(&self) -> Daemon {
        self.daemon
    }

    /// Writes the configuration; [`Self::start`] and [`Self::reload`] make it count.
    #[track_caller]
    pub fn configure(&self, text: &str) {
        self.host.write(Self::CONFIGURATION, text);
    }

    /// Starts the daemon in the foreground with its log on standard error.
    #[track_caller]
    pub fn start(&mut self) {
        self.start_with(&[]);
    }

    /// The same with more options.
    #[track_caller]
    pub fn start_with(&mut self, options: &[&str]) {
        let log = File::options().create(true).append(true).open(&self.log);
        let log = log.unwrap_or_else(|error| panic!("{}: {error}", self.log.display()));
        let mut command = self.host.command(self.daemon.program());
        command.args(["-n", "-l", "-D", "-G", "-f", Self::CONFIGURATION]).args(options);
        let process = command.stdout(Stdio::null()).stderr(log).spawn();
        self.process = Some(process.unwrap_or_else(|error| panic!("nsenter: {error}")));
    }

    /// Configures and starts.
    #[track_caller]
    pub fn start_on(&mut self, configuration: &str) {
        self.configure(configuration);
        self.start();
    }

    /// Runs the daemon's program to its end and returns what it printed.
    #[track_caller]
    pub fn run(&self, options: &[&str]) -> Output {
        let output = self.host.command(self.daemon.program()).args(options).output();
        output.unwrap_or_else(|error| panic!("nsenter: {error}"))
    }

    /// The number in a pid file of `/run` (`keepalived`, `vrrp`, `checkers`), inside the host.
    pub fn pid(&self, role: &str) -> Option<i32> {
        self.host.read(&format!("/run/{role}.pid")).trim().parse().ok()
    }

    /// Waits for the pid file of `role`, and for its process to run.
    #[track_caller]
    pub fn wait_for_pid(&self, role: &str) -> i32 {
        until(&format!("{} has a process {role}\n{}", self.title(), self.log()), SOON, || {
            let pid = self.pid(role)?;
            self.host.processes().iter().any(|(number, _)| *number == pid).then_some(pid)
        })
    }

    /// Sends a signal (`TERM`, `HUP`, `KILL` …) to the process of `role`.
    #[track_caller]
    pub fn signal(&self, role: &str, signal: &str) {
        let pid = self.wait_for_pid(role);
        self.host.shell(&format!("kill -{signal} {pid}"));
    }

    /// Makes a changed configuration count.
    #[track_caller]
    pub fn reload(&self, configuration: &str) {
        self.configure(configuration);
        self.signal("keepalived", "HUP");
    }

    /// SIGTERM to the parent, and waits until the daemon has ended.
    #[track_caller]
    pub fn stop(&mut self) -> ExitStatus {
        self.signal("keepalived", "TERM");
        self.wait_for_end()
    }

    /// Waits until the daemon's parent has ended of itself.
    #[track_caller]
    pub fn wait_for_end(&mut self) -> ExitStatus {
        let title = self.title();
        let process = self.process.as_mut().unwrap_or_else(|| panic!("{title} was not started"));
        let status = until(&format!("{title} ends"), SOON, || process.try_wait().ok().flatten());
        self.process = None;
        status
    }

    /// SIGKILL to every process of the host at once, as a power failure would, but the links stay.
    #[track_caller]
    pub fn kill_everything(&mut self) {
        // kill -1 spares the caller and process 1
        self.host.shell("kill -9 -1 || true");
        if let Some(mut process) = self.process.take() {
            let _ = process.wait();
        }
    }

    /// The daemon's processes.
    pub fn processes(&self) -> Vec<(i32, String)> {
        let names = ["keepalived", "rkeepalived"];
        self.host
            .processes()
            .into_iter()
            .filter(|(_, name)| names.iter().any(|known| name.starts_with(known)))
            .collect()
    }

    /// What the daemon has logged so far.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Waits until the log contains `text`.
    #[track_caller]
    pub fn wait_for_log(&self, text: &str) {
        self.wait_for_log_times(text, 1);
    }

    /// Waits until the log contains `text` so many times.
    #[track_caller]
    pub fn wait_for_log_times(&self, text: &str, times: usize) {
        until(&format!("the log of {} says `{text}` {times} times", self.title()), Duration::from_secs(15), || {
            (self.log().matches(text).count() >= times).then_some(())
        });
    }

    /// True while the host has `address`.
    pub fn holds(&self, address: &str) -> bool {
        self.host.holds(parse(address))
    }

    /// Waits at most `limit` until the host has `address`.
    #[track_caller]
    pub fn wait_to_hold(&self, address: &str, limit: Duration) {
        let parsed = parse(address);
        until(&format!("{} holds {address}", self.title()), limit, || self.host.holds(parsed).then_some(()));
    }

    /// Waits at most `limit` until the host does not have `address` any more.
    #[track_caller]
    pub fn wait_to_release(&self, address: &str, limit: Duration) {
        let parsed = parse(address);
        until(&format!("{} releases {address}", self.title()), limit, || (!self.host.holds(parsed)).then_some(()));
    }

    fn title(&self) -> String {
        format!("{} ({})", self.host.name(), self.daemon)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("---- configuration of {}\n{}", self.title(), self.host.read(Self::CONFIGURATION));
            eprintln!("---- log of {}\n{}", self.title(), self.log());
        }
        let _ = fs::remove_file(&self.log);
        // the daemon goes with its host; only its parent outside is ours to take in
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

#[track_caller]
fn parse(address: &str) -> IpAddr {
    address.parse().unwrap_or_else(|error| panic!("{address}: {error}"))
}
