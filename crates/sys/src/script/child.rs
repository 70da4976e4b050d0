//! A running script: waiting for it, and ending it with everything that it started.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

use crate::Watched;

/// How long a script may live after `SIGTERM` before `SIGKILL` follows, and after that before it is given up.
const GRACE: Duration = Duration::from_secs(2);

/// How a script ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It exited with this code, 0 to 255.
    Code(u8),
    /// A signal of this number killed it.
    Signal(i32),
    /// Somebody else reaped it.
    Unknown,
}

impl Exit {
    /// Exit code 0.
    pub fn is_success(self) -> bool {
        self == Self::Code(0)
    }
}

/// A script that was started, leader of its own process group.
///
/// Dropping it leaves the script running and unreaped until the process ends: give it to a task that waits.
#[derive(Debug)]
pub struct Child {
    pid: libc::pid_t,
    pidfd: Handle,
    exit: Option<Exit>,
    terminated: bool,
    lacks_shebang: bool,
}

#[derive(Debug)]
enum Handle {
    /// Not yet waited for.
    Plain(OwnedFd),
    /// Registered with the runtime.
    Registered(Watched),
    /// Reaped, or being moved between the two.
    Gone,
}

impl Child {
    pub(super) fn new(pid: libc::pid_t, pidfd: OwnedFd, lacks_shebang: bool) -> Self {
        Self { pid, pidfd: Handle::Plain(pidfd), exit: None, terminated: false, lacks_shebang }
    }

    /// Its process id, which is its process group's too.
    pub fn id(&self) -> u32 {
        self.pid.unsigned_abs()
    }

    /// The file had no `#!` line and runs under `/bin/sh`; keepalived warns `Please add a #! shebang to script %s`.
    pub fn lacks_shebang(&self) -> bool {
        self.lacks_shebang
    }

    /// Waits for its end. May be cancelled and called again.
    pub async fn wait(&mut self) -> io::Result<Exit> {
        loop {
            if let Some(exit) = self.try_wait()? {
                return Ok(exit);
            }
            self.register()?;
            let Handle::Registered(pidfd) = &self.pidfd else { continue };
            pidfd.readable().await?;
        }
    }

    /// Waits for its end for at most `limit`, then ends it with its group. `true` when it ran out of time.
    pub async fn wait_at_most(&mut self, limit: Duration) -> io::Result<(Exit, bool)> {
        match tokio::time::timeout(limit, self.wait()).await {
            Ok(exit) => Ok((exit?, false)),
            Err(_) => Ok((self.terminate().await?, true)),
        }
    }

    /// Ends it: `SIGTERM` to the group, after 2 s `SIGKILL`. A process that even that does not end within 2 s
    /// (it hangs in the kernel) is given up as [`Exit::Unknown`].
    pub async fn terminate(&mut self) -> io::Result<Exit> {
        for signal in [libc::SIGTERM, libc::SIGKILL] {
            self.signal_group(signal)?;
            if let Ok(exit) = tokio::time::timeout(GRACE, self.wait()).await {
                return exit;
            }
        }
        Ok(Exit::Unknown)
    }

    /// Sends `SIGTERM` to the whole group; [`Child::wait`] then kills what is left of it.
    pub fn terminate_group(&mut self) -> io::Result<()> {
        self.signal_group(libc::SIGTERM)
    }

    /// Sends a signal to the script and all that it started in its group. Does nothing once it was reaped.
    pub fn signal_group(&mut self, signal: i32) -> io::Result<()> {
        if self.exit.is_some() {
            return Ok(());
        }
        self.terminated |= signal == libc::SIGTERM || signal == libc::SIGKILL;
        // SAFETY: kill(2) takes two integers. The leader is not reaped, so its number cannot name another group.
        match unsafe { libc::kill(-self.pid, signal) } {
            0 => Ok(()),
            _ => match io::Error::last_os_error() {
                gone if gone.raw_os_error() == Some(libc::ESRCH) => Ok(()),
                error => Err(error),
            },
        }
    }

    /// Its end, if it has ended.
    pub fn try_wait(&mut self) -> io::Result<Option<Exit>> {
        if self.exit.is_some() {
            return Ok(self.exit);
        }
        if self.terminated && self.waitid(libc::WNOHANG | libc::WNOWAIT)?.is_some() {
            // The leader obeyed; what it left behind must not survive it. As a zombie it still holds the number.
            self.signal_group(libc::SIGKILL)?;
        }
        self.exit = self.waitid(libc::WNOHANG)?;
        if self.exit.is_some() {
            self.pidfd = Handle::Gone;
        }
        Ok(self.exit)
    }

    /// Waits without a runtime, for at most `limit`. `None`: it still runs.
    pub fn wait_blocking(&mut self, limit: Duration) -> io::Result<Option<Exit>> {
        if let Handle::Plain(pidfd) = &self.pidfd {
            let mut poll = libc::pollfd { fd: pidfd.as_raw_fd(), events: libc::POLLIN, revents: 0 };
            let milliseconds = i32::try_from(limit.as_millis()).unwrap_or(i32::MAX);
            // SAFETY: `poll` is one valid pollfd for the whole call.
            unsafe { libc::poll(&raw mut poll, 1, milliseconds) };
        }
        self.try_wait()
    }

    fn waitid(&self, options: libc::c_int) -> io::Result<Option<Exit>> {
        // SAFETY: siginfo_t is plain data; all zeroes is a valid value.
        let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
        // SAFETY: `info` is valid for writing; the other arguments are integers.
        let result =
            unsafe { libc::waitid(libc::P_PID, self.pid.unsigned_abs(), &raw mut info, libc::WEXITED | options) };
        if result != 0 {
            return match io::Error::last_os_error() {
                gone if gone.raw_os_error() == Some(libc::ECHILD) => Ok(Some(Exit::Unknown)),
                error => Err(error),
            };
        }
        // SAFETY: waitid(2) filled `info` as for SIGCHLD, or left it zero when nothing has changed.
        let (pid, status) = unsafe { (info.si_pid(), info.si_status()) };
        Ok((pid != 0).then(|| match info.si_code {
            libc::CLD_EXITED => Exit::Code(u8::try_from(status & 0xff).unwrap_or(u8::MAX)),
            _ => Exit::Signal(status),
        }))
    }

    fn register(&mut self) -> io::Result<()> {
        if let Handle::Plain(_) = self.pidfd
            && let Handle::Plain(pidfd) = std::mem::replace(&mut self.pidfd, Handle::Gone)
        {
            self.pidfd = Handle::Registered(Watched::readable_only(pidfd)?);
        }
        Ok(())
    }
}
