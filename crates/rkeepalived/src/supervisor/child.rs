//! One child process: started by executing ourselves again, spoken to over its standard input.

use std::fmt;
use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use types::Instant;

use crate::cli::Cli;
use crate::ipc::{Channel, FromChild, ToChild};
use crate::setup::{Role, Setup};

/// A running child.
#[derive(Debug)]
pub(super) struct Child {
    /// What it does.
    pub(super) role: Role,
    /// To and from it.
    pub(super) channel: Option<Channel<FromChild, ToChild>>,
    /// Its end of the socket is gone.
    pub(super) closed: bool,
    /// Its first state is known.
    pub(super) ready: bool,
    /// Pings since it last answered one.
    pub(super) unanswered_pings: u32,
    process: std::process::Child,
    started: Instant,
}

impl Child {
    /// Starts it and hands it its setup.
    pub(super) fn start(role: Role, cli: &Cli, setup: Setup) -> std::io::Result<Self> {
        let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
        let mut command = Command::new("/proc/self/exe");
        // What ps shows is the path that the operator knows.
        if let Some(name) = std::env::args_os().next() {
            command.arg0(name);
        }
        command.arg("--ident").arg(crate::setup::ident(role.ident(), cli, &setup.global));
        command.arg("--role").arg(role.word()).stdin(Stdio::from(OwnedFd::from(theirs)));
        command.env_remove("NOTIFY_SOCKET").env_remove("WATCHDOG_PID").env_remove("WATCHDOG_USEC");
        for _ in 0..cli.log_detail {
            command.arg("-D");
        }
        if cli.no_syslog {
            command.arg("-G");
        }
        if cli.log_console && cli.foreground {
            command.arg("-l").arg("-n");
        }
        if let Some(facility) = cli.facility {
            let facility = match facility {
                types::Facility::User => "user".to_owned(),
                types::Facility::Daemon => "daemon".to_owned(),
                types::Facility::Local(n) => n.to_string(),
            };
            command.arg("-S").arg(facility);
        }
        if let Some(file) = &cli.log_file {
            command.arg(format!("-g{file}"));
        }
        if !cli.foreground {
            command.stdout(Stdio::null()).stderr(Stdio::null());
        }
        let process = command.spawn()?;
        let mut channel = Channel::new(ours)?;
        channel.send(&ToChild::Start(Box::new(setup)));
        Ok(Self {
            role,
            channel: Some(channel),
            closed: false,
            ready: false,
            unanswered_pings: 0,
            process,
            started: sys::clock::now(),
        })
    }

    /// Its process id.
    pub(super) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// How long it has run.
    pub(super) fn ran(&self) -> Duration {
        sys::clock::now().since(self.started)
    }

    /// How it ended, if it has.
    pub(super) fn ended(&mut self) -> Option<Ended> {
        self.process.try_wait().ok().flatten().map(Ended)
    }

    /// A message that it sent before it died.
    pub(super) fn last_words(&mut self) -> Option<FromChild> {
        let channel = self.channel.as_mut()?;
        channel.receive_now().ok().flatten()
    }

    /// SIGTERM.
    pub(super) fn terminate(&self) {
        // It may have ended already; then there is nobody to tell.
        let _ = sys::signals::send(self.process.id() as i32, sys::Signal::Terminate.number());
    }

    /// SIGKILL.
    pub(super) fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Drops a channel whose other end is gone.
    pub(super) fn forget_closed_channel(&mut self) {
        if self.closed {
            self.channel = None;
        }
    }
}

/// How a child ended; `Display` is keepalived's report.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ended(ExitStatus);

impl Ended {
    /// Exit status, when it exited by itself.
    pub(super) fn code(self) -> Option<i32> {
        self.0.code()
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.code(), self.0.signal()) {
            (Some(code), _) => write!(f, "exited with status {code}"),
            (None, Some(signal)) => {
                write!(f, "exited due to signal {signal}")?;
                if signal == 9 {
                    f.write_str(" - has rlimit_rttime been exceeded?")?;
                }
                Ok(())
            }
            (None, None) => f.write_str("ended"),
        }
    }
}

/// When a dead child is started again: at once when it had run for a minute, else after 0, 1, 2, 4 … 60 s.
#[derive(Debug, Default)]
pub(super) struct Respawn {
    /// When it is due.
    pub(super) due: Option<Instant>,
    delay: Duration,
}

impl Respawn {
    /// Delay before the next start, after a run of `ran`.
    pub(super) fn next_delay(&mut self, ran: Duration) -> Duration {
        if ran >= Duration::from_secs(60) {
            self.delay = Duration::ZERO;
        }
        let delay = self.delay;
        self.delay = if delay.is_zero() { Duration::from_secs(1) } else { (delay * 2).min(Duration::from_secs(60)) };
        delay
    }

    /// Starts it `delay` after `now`.
    pub(super) fn schedule(&mut self, now: Instant, delay: Duration) {
        self.due = Some(now + delay);
    }
}

/// A VRRP process that died at `now` was a live master until then: its last advert left at most one interval ago.
pub(super) fn vouch_for_masters(routers: &mut [vrrp::Remembered], now: Instant) {
    for router in routers.iter_mut().filter(|router| router.state == vrrp::State::Master) {
        let at_the_latest = now - router.master_interval.duration();
        router.last_advert = router.last_advert.max(at_the_latest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_that_keeps_dying_is_started_less_and_less_often() {
        let mut respawn = Respawn::default();
        let delays: Vec<u64> = (0..9).map(|_| respawn.next_delay(Duration::from_secs(1)).as_secs()).collect();
        assert_eq!(delays, [0, 1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(respawn.next_delay(Duration::from_secs(61)), Duration::ZERO);
        assert_eq!(respawn.next_delay(Duration::from_secs(1)), Duration::from_secs(1));
    }
}
