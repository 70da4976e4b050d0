//! One machine: a network, a process table, a `/run`, a host name.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;

use nix::ifaddrs::getifaddrs;
use nix::sched::{CloneFlags, setns};

use crate::daemon::helper_program;

/// A host of the lab. Ends, with everything that runs on it, when dropped.
pub struct Host {
    name: String,
    /// Process number of its init, as the outside sees it.
    init: u32,
    /// `unshare`, the parent of the init; its standard input is the leash.
    leash: Child,
}

impl Host {
    /// Boots a host called `name`, with nothing but `lo` (up).
    #[track_caller]
    pub fn boot(name: &str) -> Self {
        let mut leash = Command::new("unshare")
            .args(["--net", "--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child=KILL", "--"])
            .arg(helper_program())
            .args(["init", name])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("cannot start unshare for host {name}: {error} (the lab needs root and util-linux)")
            });
        let mut line = String::new();
        if let Some(output) = leash.stdout.take() {
            let _ = BufReader::new(output).read_line(&mut line);
        }
        let init = line.trim().parse().unwrap_or_else(|_| panic!("host {name} did not boot; is this root?"));
        let host = Self { name: name.to_owned(), init, leash };
        host.ip("link set lo up");
        host
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Process number of its init, as the outside sees it: `nsenter -t` and `ip link … netns` take it.
    pub fn init(&self) -> u32 {
        self.init
    }

    /// A command that will run on this host.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("nsenter");
        command.arg("-t").arg(self.init.to_string()).args(["-n", "-m", "-p", "-u", "-i", "--"]).arg(program);
        command.env("TMPDIR", "/run").current_dir("/").stdin(Stdio::null());
        command
    }

    /// Runs a shell line here and returns what it printed; panics when it fails.
    #[track_caller]
    pub fn shell(&self, line: &str) -> String {
        let output = self.command("sh").args(["-c", line]).output().unwrap_or_else(|error| panic!("nsenter: {error}"));
        assert!(
            output.status.success(),
            "on {}: `{line}` {}: {}",
            self.name,
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Runs `ip` in this host's network; panics when it fails.
    #[track_caller]
    pub fn ip(&self, arguments: &str) -> String {
        let output = Command::new("nsenter")
            .args(["-t", &self.init.to_string(), "-n", "ip"])
            .args(arguments.split_whitespace())
            .output()
            .unwrap_or_else(|error| panic!("nsenter: {error}"));
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "on {}: `ip {arguments}`: {errors}", self.name);
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Sets a kernel parameter by its path under `/proc/sys`.
    #[track_caller]
    pub fn sysctl(&self, path: &str, value: &str) {
        self.shell(&format!("echo {value} >/proc/sys/{path}"));
    }

    /// Where a file of this host is seen from outside.
    pub fn path(&self, inside: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{inside}", self.init))
    }

    /// Reads a file of this host; empty when it is not there.
    pub fn read(&self, inside: &str) -> String {
        fs::read_to_string(self.path(inside)).unwrap_or_default()
    }

    /// Writes a file on this host.
    #[track_caller]
    pub fn write(&self, inside: &str, text: &str) {
        let path = self.path(inside);
        fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }

    /// Writes an executable file on this host.
    #[track_caller]
    pub fn write_script(&self, inside: &str, text: &str) {
        self.write(inside, text);
        let path = self.path(inside);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }

    /// All processes of this host but its init, as (number inside, name), threads and zombies left out.
    pub fn processes(&self) -> Vec<(i32, String)> {
        let Ok(entries) = fs::read_dir(self.path("/proc")) else { return Vec::new() };
        let mut processes: Vec<_> = entries
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
            .filter(|&number| number != 1)
            .filter_map(|number| {
                let stat = self.read(&format!("/proc/{number}/stat"));
                let (head, tail) = stat.rsplit_once(')')?;
                let zombie = tail.trim_start().starts_with('Z');
                (!zombie).then(|| (number, head.split_once('(').map_or("", |(_, name)| name).to_owned()))
            })
            .collect();
        processes.sort();
        processes
    }

    /// Runs `work` in a thread of this host's network (the processes and files are still the test's).
    #[track_caller]
    pub fn in_network<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
        let path = format!("/proc/{}/ns/net", self.init);
        let network = File::open(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        std::thread::spawn(move || {
            setns(network, CloneFlags::CLONE_NEWNET).unwrap_or_else(|error| panic!("{path}: {error}"));
            work()
        })
    }

    /// The same, waiting for its result.
    #[track_caller]
    pub fn on_network<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        self.in_network(work).join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    /// All addresses of this host, without prefix lengths.
    pub fn addresses(&self) -> BTreeSet<IpAddr> {
        self.on_network(local_addresses)
    }

    /// True while `address` is on an interface of this host.
    pub fn holds(&self, address: IpAddr) -> bool {
        self.addresses().contains(&address)
    }

    /// What `ip -j addr show` tells: one object per interface.
    #[track_caller]
    pub fn addresses_in_detail(&self) -> serde_json::Value {
        serde_json::from_str(&self.ip("-j -d addr show")).unwrap_or_default()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        drop(self.leash.stdin.take());
        let _ = self.leash.wait();
    }
}

/// The addresses in the network of the calling thread.
pub(crate) fn local_addresses() -> BTreeSet<IpAddr> {
    let Ok(interfaces) = getifaddrs() else { return BTreeSet::new() };
    interfaces
        .filter_map(|interface| {
            let address = interface.address?;
            let v4 = address.as_sockaddr_in().map(|address| IpAddr::V4(address.ip()));
            v4.or_else(|| address.as_sockaddr_in6().map(|address| IpAddr::V6(address.ip())))
        })
        .collect()
}
