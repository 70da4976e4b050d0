//! What a process is to its parent, its children and the tools that look at it.

#![allow(unsafe_code)]

use std::ffi::CString;
use std::io;
use std::os::fd::AsFd;
use std::path::Path;
use std::time::Duration;

use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::sys::stat::{Mode, umask};

/// SIGTERM when the parent dies. Returns an error when it has died before this call could matter: `parent` is its process id.
pub fn die_with_parent(parent: u32) -> io::Result<()> {
    prctl::set_pdeathsig(Signal::SIGTERM)?;
    match std::os::unix::process::parent_id() == parent {
        true => Ok(()),
        false => Err(io::Error::other(format!("the parent process {parent} has died"))),
    }
}

/// Orphans among our descendants become our children.
pub fn become_subreaper() -> io::Result<()> {
    Ok(prctl::set_child_subreaper(true)?)
}

/// Name in `ps` and /proc/PID/comm, cut to 15 octets.
pub fn set_name(name: &str) -> io::Result<()> {
    let name = CString::new(name).map_err(io::Error::other)?;
    Ok(prctl::set_name(&name)?)
}

/// Whether the process may dump core and be traced by its user.
pub fn set_dumpable(dumpable: bool) -> io::Result<()> {
    Ok(prctl::set_dumpable(dumpable)?)
}

/// Largest core file, soft and hard limit alike.
pub fn set_core_limit(octets: u64) -> io::Result<()> {
    Ok(nix::sys::resource::setrlimit(nix::sys::resource::Resource::RLIMIT_CORE, octets, octets)?)
}

/// How much later than asked the kernel may wake an ordinary process to save power; 50 µs where nothing is set.
pub fn set_timer_slack(slack: Duration) -> io::Result<()> {
    Ok(prctl::set_timerslack(u64::try_from(slack.as_nanos()).unwrap_or(u64::MAX))?)
}

/// File mode mask; returns the former one.
pub fn set_umask(mask: u32) -> u32 {
    umask(Mode::from_bits_truncate(mask)).bits()
}

/// Enters a network namespace by its file, such as `/run/netns/blue` or `/proc/1/ns/net`.
pub fn enter_network_namespace(file: &Path) -> io::Result<()> {
    let namespace = std::fs::File::open(file)?;
    Ok(setns(namespace.as_fd(), CloneFlags::CLONE_NEWNET)?)
}

/// A new, empty network namespace for this thread.
pub fn new_network_namespace() -> io::Result<()> {
    Ok(unshare(CloneFlags::CLONE_NEWNET)?)
}

/// A mount namespace of our own whose mounts are not seen outside.
pub fn new_mount_namespace() -> io::Result<()> {
    use nix::mount::{MsFlags, mount};
    unshare(CloneFlags::CLONE_NEWNS)?;
    let none: Option<&str> = None;
    Ok(mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_SLAVE, none)?)
}

/// Shows the directory `source` at `target`.
pub fn bind_mount(source: &Path, target: &Path) -> io::Result<()> {
    use nix::mount::{MsFlags, mount};
    let none: Option<&str> = None;
    Ok(mount(Some(source), target, none, MsFlags::MS_BIND, none)?)
}

/// Which half of [`daemonise`] returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Daemonised {
    /// The process that was started: it should exit.
    Launcher,
    /// The daemon: in a session of its own, no controlling terminal, directory `/`.
    Daemon,
}

/// Forks twice. To be called before any thread or runtime exists; standard streams are left to [`detach_streams`].
pub fn daemonise() -> io::Result<Daemonised> {
    if thread_count() > 1 {
        return Err(io::Error::other("daemonise must come before any other thread"));
    }
    if fork()? {
        return Ok(Daemonised::Launcher);
    }
    nix::unistd::setsid()?;
    if fork()? {
        // SAFETY: the middle process has nothing to flush or unwind; its parent is the one that exits in order.
        unsafe { libc::_exit(0) };
    }
    std::env::set_current_dir("/")?;
    Ok(Daemonised::Daemon)
}

/// Whether this is the parent.
fn fork() -> io::Result<bool> {
    // SAFETY: this process has one thread (checked by the caller), so the child may go on as usual.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(false),
        _ => Ok(true),
    }
}

/// Standard input, output and error become /dev/null.
pub fn detach_streams() -> io::Result<()> {
    let null = std::fs::File::options().read(true).write(true).open("/dev/null")?;
    nix::unistd::dup2_stdin(null.as_fd())?;
    nix::unistd::dup2_stdout(null.as_fd())?;
    nix::unistd::dup2_stderr(null.as_fd())?;
    Ok(())
}

/// 1 where /proc cannot be read: there is nothing better to go by.
fn thread_count() -> usize {
    std::fs::read_dir("/proc/self/task").map_or(1, Iterator::count)
}

/// A command name of /proc (`comm`, at most 15 octets), and its argument words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessInfo {
    /// Process id.
    pub pid: i32,
    /// Command name, at most 15 octets.
    pub name: String,
    /// Argument words; empty for kernel threads.
    pub arguments: Vec<String>,
}

/// One process, or nothing when it is gone.
pub fn describe(pid: i32) -> Option<ProcessInfo> {
    let name = std::fs::read(format!("/proc/{pid}/comm")).ok()?;
    let words = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    let words = words.strip_suffix(&[0]).unwrap_or(&words);
    let arguments = match words.is_empty() {
        true => Vec::new(),
        false => words.split(|&octet| octet == 0).map(text).collect(),
    };
    Some(ProcessInfo { pid, name: text(name.strip_suffix(b"\n").unwrap_or(&name)), arguments })
}

/// All processes of /proc; those that end meanwhile are left out.
pub fn all() -> io::Result<Vec<ProcessInfo>> {
    let pids = std::fs::read_dir("/proc")?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    Ok(pids.filter_map(describe).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_found_with_its_arguments() {
        let pid = std::process::id() as i32;
        let own = all().unwrap().into_iter().find(|process| process.pid == pid).unwrap();
        assert_eq!(own.arguments, std::env::args().collect::<Vec<_>>());
        assert!(own.name.len() <= 15);
    }

    #[test]
    fn a_process_with_other_threads_may_not_daemonise() {
        // The test harness runs this in a thread beside its main one.
        assert!(daemonise().is_err());
    }
}
