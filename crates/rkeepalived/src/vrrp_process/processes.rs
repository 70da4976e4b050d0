//! Counts the processes that `vrrp_track_process` blocks describe.
//!
//! ```text
//!   kernel ── fork, exec, exit, rename ──> thread ── numbers, the newest only ──> the VRRP loop
//!   /proc  ── at start, after an overrun ──> thread
//! ```
//!
//! The files of a process in /proc may make their reader wait (for its memory, when that is swapped out), so a thread
//! reads them. The kernel sends process events only to the first network, process and user namespace; elsewhere /proc is
//! read once a second instead (keepalived 2.2.7 counts nothing there). Nothing runs while no process is tracked.

use std::collections::HashMap;
use std::io::{PipeReader, PipeWriter};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::sync::mpsc;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::{CloneFlags, setns};
use nix::sys::socket::{getsockopt, setsockopt, sockopt};
use proc_connector::{Error, ProcConnector, ProcEvent};
use tokio::sync::watch;
use vrrp::config::{ParameterMatch, TrackProcessConfig};

use crate::logging::{info, warning};

/// Octets of a command name that the kernel keeps.
const LONGEST_NAME: usize = 15;
/// How often /proc is read where the kernel sends no events.
const INTERVAL_MILLISECONDS: u16 = 1000;
/// The start waits for the first numbers, but not for ever.
const FIRST_AT_THE_LATEST: Duration = Duration::from_secs(2);
/// The kernel acknowledges at once, or never.
const ACKNOWLEDGED_AT_THE_LATEST: Duration = Duration::from_secs(1);
/// Numbers are told after so many events, even if more are waiting.
const EVENTS_AT_ONCE: usize = 1024;
/// Room for the thread's stack; with `vrrp_no_swap` all of it is locked.
const STACK: usize = 256 * 1024;
/// Inodes of the first process and user namespace: fixed by the kernel's interface.
const FIRST_PROCESS_NAMESPACE: u64 = 0xEFFF_FFFC;
const FIRST_USER_NAMESPACE: u64 = 0xEFFF_FFFD;

/// `process_monitor_rcv_bufs` in octets (0: the system's), and whether rmem_max may be exceeded.
type Buffer = (u32, bool);

/// Tracked processes and how many of each there are.
pub(super) struct Processes {
    wanted: Vec<TrackProcessConfig>,
    buffer: Buffer,
    watcher: Option<Watcher>,
    told: Vec<Option<u32>>,
}

impl Processes {
    /// Starts to count; to be called before the process takes real-time scheduling, which the thread does not need.
    pub(super) fn start(wanted: &[TrackProcessConfig], buffer: Buffer) -> Self {
        let watcher = Watcher::start(wanted, buffer);
        Self { wanted: wanted.to_vec(), buffer, watcher, told: vec![None; wanted.len()] }
    }

    /// After a reload. What is new is told by [`Self::changed`] as soon as it is counted.
    pub(super) fn reconfigure(&mut self, wanted: &[TrackProcessConfig], buffer: Buffer) {
        if self.wanted == wanted && self.buffer == buffer {
            self.told.fill(None);
        } else {
            *self = Self::start(wanted, buffer);
        }
    }

    /// Waits for the first numbers; returns at once where nothing is tracked.
    pub(super) fn wait_for_first(&self) {
        if let Some(watcher) = &self.watcher
            && watcher.first.recv_timeout(FIRST_AT_THE_LATEST).is_err()
        {
            warning!("processes are not counted yet: what tracks them is taken as up until they are");
        }
    }

    /// Waits until a number may have changed. Cancelling loses nothing.
    pub(super) async fn changed(&mut self) {
        if let Some(watcher) = &mut self.watcher {
            if watcher.counts.changed().await.is_ok() {
                return;
            }
            self.watcher = None;
        }
        std::future::pending().await
    }

    /// The numbers that differ from what was told before: place in the configuration, and how many processes.
    pub(super) fn read_changed(&mut self) -> Vec<(usize, u32)> {
        let Some(watcher) = &mut self.watcher else { return Vec::new() };
        let counts = watcher.counts.borrow_and_update();
        let mut news = Vec::new();
        for (place, (count, told)) in counts.iter().zip(&mut self.told).enumerate() {
            if told.replace(*count) != Some(*count) {
                news.push((place, *count));
            }
        }
        news
    }
}

/// The thread that counts. It ends when this is dropped, because the other end of its pipe closes.
struct Watcher {
    counts: watch::Receiver<Vec<u32>>,
    first: mpsc::Receiver<()>,
    _stop: PipeWriter,
}

impl Watcher {
    fn start(wanted: &[TrackProcessConfig], buffer: Buffer) -> Option<Self> {
        if wanted.is_empty() {
            return None;
        }
        let (sender, counts) = watch::channel(Vec::new());
        let (told, first) = mpsc::sync_channel(1);
        let census = Census::new(wanted.to_vec());
        let started = std::io::pipe().and_then(|(stop, kept)| {
            let thread = std::thread::Builder::new().name("processes".into()).stack_size(STACK);
            thread.spawn(move || count(census, buffer, &stop, &sender, &told)).map(|_| kept)
        });
        match started {
            Ok(kept) => Some(Self { counts, first, _stop: kept }),
            Err(refused) => {
                warning!("processes are not watched: {refused}");
                None
            }
        }
    }
}

/// The life of the thread.
fn count(
    mut census: Census,
    (octets, force): Buffer,
    stop: &PipeReader,
    counts: &watch::Sender<Vec<u32>>,
    first: &mpsc::SyncSender<()>,
) {
    let mut events = match connect() {
        Ok(connector) => {
            if octets > 0 {
                set_buffer(&connector, octets as usize, force);
            }
            Some(connector)
        }
        Err(reason) => {
            info!("The kernel sends no process events here ({reason}): processes are counted once a second");
            None
        }
    };
    // What happens from here on is in the socket, so nothing falls between the two.
    census.scan();
    counts.send_replace(census.counts.clone());
    let _ = first.send(());
    loop {
        match wait(events.as_ref(), stop) {
            Woken::Stop => return,
            Woken::Time => census.scan(),
            Woken::Events => {
                if let Some(connector) = &events
                    && let Err(broken) = drain(connector, &mut census)
                {
                    warning!("process events have ended ({broken}): processes are counted once a second");
                    events = None;
                }
            }
        }
        counts.send_if_modified(|told| {
            let differs = *told != census.counts;
            told.clone_from(&census.counts);
            differs
        });
    }
}

enum Woken {
    Stop,
    Time,
    Events,
}

fn wait(events: Option<&ProcConnector>, stop: &PipeReader) -> Woken {
    let stopping = PollFd::new(stop.as_fd(), PollFlags::POLLIN);
    let (polled, by_events) = match events {
        Some(connector) => {
            let mut both = [stopping, PollFd::new(connector.as_fd(), PollFlags::POLLIN)];
            let polled = poll(&mut both, PollTimeout::NONE);
            (polled, both[0].any() == Some(false))
        }
        None => (poll(&mut [stopping], PollTimeout::from(INTERVAL_MILLISECONDS)), false),
    };
    match polled {
        Ok(0) => Woken::Time,
        Ok(_) if by_events => Woken::Events,
        Err(Errno::EINTR) if events.is_some() => Woken::Events,
        Err(Errno::EINTR) => Woken::Time,
        Ok(_) | Err(_) => Woken::Stop,
    }
}

/// Takes the events that have arrived; an error means that no more will.
fn drain(connector: &ProcConnector, census: &mut Census) -> Result<(), Error> {
    let mut buffer = [0; 4096];
    for _ in 0..EVENTS_AT_ONCE {
        match connector.recv(&mut buffer) {
            Ok(event) => census.take(&event),
            Err(Error::Os(refused)) if refused.kind() == std::io::ErrorKind::WouldBlock => return Ok(()),
            Err(Error::Overrun) => {
                let doubled = getsockopt(connector, sockopt::RcvBuf).unwrap_or(1 << 17).min(1 << 29);
                info!(
                    "Setting global_def process_monitor_rcv_bufs to {doubled} - recommend updating configuration file"
                );
                // The kernel reports twice what was asked for, so asking for that doubles it.
                set_buffer(connector, doubled, true);
                census.scan();
                return Ok(());
            }
            Err(ended @ (Error::Os(_) | Error::ConnectionClosed)) => return Err(ended),
            // A message that makes no sense is gone now.
            Err(_) => {}
        }
    }
    Ok(())
}

fn set_buffer(connector: &ProcConnector, octets: usize, force: bool) {
    let forced = force && setsockopt(connector, sockopt::RcvBufForce, &octets).is_ok();
    if !forced && let Err(refused) = setsockopt(connector, sockopt::RcvBuf, &octets) {
        warning!("process_monitor_rcv_bufs {octets}: {refused}");
    }
}

/// A socket with process events, or why there is none.
fn connect() -> Result<ProcConnector, String> {
    let inode = |path| std::fs::metadata(path).map(|metadata| metadata.ino()).ok();
    if inode("/proc/self/ns/pid") != Some(FIRST_PROCESS_NAMESPACE) {
        return Err("this is not the first process namespace".into());
    }
    if inode("/proc/self/ns/user") != Some(FIRST_USER_NAMESPACE) {
        return Err("this is not the first user namespace".into());
    }
    // A thread of its own, because it may change its network namespace, and because a kernel without process events
    // lets it wait for an acknowledgement that never comes.
    let (sender, receiver) = mpsc::channel();
    let opening = std::thread::Builder::new().stack_size(STACK).spawn(move || {
        let opened = ProcConnector::new().or_else(|refused| match std::fs::File::open("/proc/1/ns/net") {
            Ok(first) if setns(&first, CloneFlags::CLONE_NEWNET).is_ok() => ProcConnector::new(),
            _ => Err(refused),
        });
        let _ = sender.send(opened);
    });
    opening.map_err(|refused| refused.to_string())?;
    match receiver.recv_timeout(ACKNOWLEDGED_AT_THE_LATEST) {
        Ok(Ok(connector)) => connector.set_nonblocking().map(|()| connector).map_err(|refused| refused.to_string()),
        Ok(Err(Error::Os(refused))) if refused.raw_os_error() == Some(libc::ECONNREFUSED) => {
            Err("this is not the first network namespace".into())
        }
        Ok(Err(refused)) => Err(refused.to_string()),
        Err(_) => Err("no acknowledgement".into()),
    }
}

/// Which running processes match what is wanted.
#[derive(Debug)]
struct Census {
    wanted: Vec<TrackProcessConfig>,
    /// Some wanted one is compared with command lines.
    reads_command_lines: bool,
    /// Processes that match something, and what.
    matching: HashMap<u32, Vec<usize>>,
    counts: Vec<u32>,
}

impl Census {
    fn new(wanted: Vec<TrackProcessConfig>) -> Self {
        let reads_command_lines = wanted.iter().any(by_command_line);
        let counts = vec![0; wanted.len()];
        Self { wanted, reads_command_lines, matching: HashMap::new(), counts }
    }

    /// Counts everything anew.
    fn scan(&mut self) {
        self.matching.clear();
        self.counts.fill(0);
        let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        for process in entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()) {
            self.look(process);
        }
    }

    /// Events of threads are none of processes: only the first thread has the process's number.
    fn take(&mut self, event: &ProcEvent) {
        match *event {
            ProcEvent::Fork { parent_pid, parent_tgid, child_pid, child_tgid, .. } if child_pid == child_tgid => {
                if parent_pid == parent_tgid {
                    // The child has its parent's name and command line until it says otherwise.
                    let matches = self.matching.get(&parent_tgid).cloned().unwrap_or_default();
                    self.set(child_tgid, matches);
                } else {
                    self.look(child_tgid);
                }
            }
            ProcEvent::Exec { tgid, .. } => self.look(tgid),
            ProcEvent::Comm { pid, tgid, .. } if pid == tgid => self.look(tgid),
            ProcEvent::Exit { pid, tgid, .. } if pid == tgid => self.set(tgid, Vec::new()),
            _ => {}
        }
    }

    /// Reads what a process is; one that has ended, or is a zombie, is none.
    fn look(&mut self, process: u32) {
        let stat = std::fs::read(format!("/proc/{process}/stat")).unwrap_or_default();
        let matches = match running_name(&stat) {
            Some(name) => {
                let command_line = match self.reads_command_lines {
                    true => std::fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default(),
                    false => Vec::new(),
                };
                self.matches(name, &command_line)
            }
            None => Vec::new(),
        };
        self.set(process, matches);
    }

    fn matches(&self, name: &[u8], command_line: &[u8]) -> Vec<usize> {
        let places = self.wanted.iter().enumerate();
        places.filter(|(_, wanted)| is_wanted(wanted, name, command_line)).map(|(place, _)| place).collect()
    }

    fn set(&mut self, process: u32, matches: Vec<usize>) {
        for place in &matches {
            self.counts[*place] += 1;
        }
        let before =
            if matches.is_empty() { self.matching.remove(&process) } else { self.matching.insert(process, matches) };
        for place in before.into_iter().flatten() {
            self.counts[place] -= 1;
        }
    }
}

/// `full_command`, or parameters to compare.
fn by_command_line(wanted: &TrackProcessConfig) -> bool {
    wanted.full_command || wanted.parameter_match != ParameterMatch::None
}

/// The name in `/proc/PID/stat` (`PID (NAME) STATE …`; a name may hold anything), unless the process has ended.
fn running_name(stat: &[u8]) -> Option<&[u8]> {
    let begin = stat.iter().position(|octet| *octet == b'(')? + 1;
    let end = stat.iter().rposition(|octet| *octet == b')')?;
    let state = stat.get(end + 2)?;
    (!matches!(state, b'Z' | b'X' | b'x')).then(|| stat.get(begin..end)).flatten()
}

/// keepalived.conf(5), `vrrp_track_process`. keepalived compares a longer name with the fifteen octets that the kernel
/// keeps, which never match; here its first fifteen count.
fn is_wanted(wanted: &TrackProcessConfig, name: &[u8], command_line: &[u8]) -> bool {
    let process = wanted.process.as_bytes();
    if !by_command_line(wanted) {
        return process.get(..LONGEST_NAME).unwrap_or(process) == name;
    }
    let command_line = command_line.strip_suffix(b"\0").unwrap_or(command_line);
    let mut words = command_line.split(|octet| *octet == 0);
    if words.next() != Some(process) {
        return false;
    }
    let found: Vec<&[u8]> = words.collect();
    let parameters: Vec<&[u8]> = wanted.parameters.iter().map(String::as_bytes).collect();
    match wanted.parameter_match {
        ParameterMatch::None => true,
        ParameterMatch::Exact => found == parameters,
        ParameterMatch::Partial => found.starts_with(&parameters),
        ParameterMatch::Initial => match parameters.split_last() {
            None => true,
            Some((last, leading)) => {
                found.starts_with(leading) && found.get(leading.len()).is_some_and(|word| word.starts_with(last))
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command};

    use super::*;

    fn wanted(process: &str, parameters: &[&str], parameter_match: ParameterMatch) -> TrackProcessConfig {
        TrackProcessConfig {
            name: "p".into(),
            process: process.into(),
            parameters: parameters.iter().map(|&word| word.into()).collect(),
            parameter_match,
            full_command: !parameters.is_empty(),
            quorum: 1,
            quorum_max: None,
            fork_delay: Duration::ZERO,
            terminate_delay: Duration::ZERO,
        }
    }

    /// Each row was seen to hold on keepalived 2.2.7, but for the long name.
    #[test]
    fn names_and_command_lines_match_as_in_keepalived() {
        use ParameterMatch::{Exact, Initial, None, Partial};
        let command_line = b"sleep\x00100\x002\x00";
        for (process, parameters, how, matches) in [
            ("sleep", &[][..], None, true),
            ("/usr/bin/sleep", &[], None, false),
            ("slee", &[], None, false),
            ("sleep", &[], Exact, false),
            ("sleep", &["100", "2"], Exact, true),
            ("sleep", &["100"], Exact, false),
            ("sleep", &["100"], Partial, true),
            ("sleep", &["10"], Partial, false),
            ("sleep", &["10"], Initial, true),
            ("sleep", &["100", "2"], Initial, true),
            ("sleep", &["100", "2", "3"], Initial, false),
            ("/bin/sleep", &["100", "2"], Exact, false),
        ] {
            let row = wanted(process, parameters, how);
            assert_eq!(is_wanted(&row, b"sleep", command_line), matches, "{process} {parameters:?} {how:?}");
        }
        let full = TrackProcessConfig { full_command: true, ..wanted("sleep", &[], None) };
        assert!(is_wanted(&full, b"other", command_line));
        assert!(is_wanted(&wanted("a_rather_long_name_for_it", &[], None), b"a_rather_long_n", b""));
    }

    #[test]
    fn names_may_hold_anything_and_zombies_are_none() {
        assert_eq!(running_name(b"7 (a) b (c)) S 1 2"), Some(&b"a) b (c)"[..]));
        assert_eq!(running_name(b"7 (a) Z 1 2"), None);
        for garbage in [&b""[..], b"7", b"7 (a", b")(", b"7 (a)", b"7 (a) "] {
            assert_eq!(running_name(garbage), None, "{garbage:?}");
        }
    }

    #[test]
    fn forks_renames_and_exits_are_counted_and_threads_are_not() {
        let mut census = Census::new(vec![wanted("no such process", &[], ParameterMatch::None)]);
        census.set(7, vec![0]);
        let fork = |parent_pid, parent_tgid, child_pid, child_tgid| ProcEvent::Fork {
            cpu: 0,
            seq: 0,
            parent_pid,
            parent_tgid,
            child_pid,
            child_tgid,
            timestamp_ns: 0,
        };
        let exit = |pid, tgid| ProcEvent::Exit {
            cpu: 0,
            seq: 0,
            pid,
            tgid,
            exit_code: 0,
            exit_signal: 17,
            parent_pid: 1,
            parent_tgid: 1,
            timestamp_ns: 0,
        };
        for (event, count) in [
            (fork(7, 7, u32::MAX, u32::MAX), 2),
            (fork(7, 7, 9, 7), 2),
            (exit(9, 7), 2),
            (exit(7, 7), 1),
            (exit(7, 7), 1),
            (exit(u32::MAX, u32::MAX), 0),
        ] {
            census.take(&event);
            assert_eq!(census.counts, [count], "{event}");
        }
        assert!(census.matching.is_empty());
    }

    struct Running(Child);

    impl Drop for Running {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    /// By events where this runs as root in the first namespaces, by reading /proc elsewhere.
    #[tokio::test]
    async fn processes_are_counted_as_they_come_and_go() {
        let parameter = format!("1000.{}", std::process::id());
        let parameters = [parameter.as_str()];
        let sleep = || Running(Command::new("sleep").arg(&parameter).spawn().unwrap());
        let before = sleep();
        let mut processes = Processes::start(&[wanted("sleep", &parameters, ParameterMatch::Exact)], (1 << 16, false));
        processes.wait_for_first();
        let mut seen = processes.read_changed();
        async fn until(processes: &mut Processes, seen: &mut Vec<(usize, u32)>, count: u32) {
            while seen.last() != Some(&(0, count)) {
                processes.changed().await;
                seen.extend(processes.read_changed());
            }
        }
        until(&mut processes, &mut seen, 1).await;
        let second = sleep();
        until(&mut processes, &mut seen, 2).await;
        drop(before);
        until(&mut processes, &mut seen, 1).await;
        drop(second);
        until(&mut processes, &mut seen, 0).await;
        assert_eq!(processes.read_changed(), []);
    }

    #[tokio::test]
    async fn nothing_runs_while_nothing_is_tracked() {
        let mut processes = Processes::start(&[], (0, false));
        assert!(processes.watcher.is_none());
        processes.wait_for_first();
        assert_eq!(processes.read_changed(), []);
    }
}
