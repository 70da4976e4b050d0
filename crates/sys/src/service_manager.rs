//! Messages to systemd: sd_notify(3)'s protocol, one datagram each.

use std::env;
use std::io;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use types::Instant;

/// The socket named by NOTIFY_SOCKET. Sending never blocks and never fails loudly: the service manager is not worth a missed advert.
#[derive(Debug)]
pub struct ServiceManager {
    socket: UnixDatagram,
}

impl ServiceManager {
    /// Connects; `None` where the daemon was not started by systemd.
    pub fn from_environment() -> io::Result<Option<Self>> {
        use std::os::linux::net::SocketAddrExt;
        use std::os::unix::ffi::OsStrExt;
        use std::os::unix::net::SocketAddr;
        let Some(path) = env::var_os("NOTIFY_SOCKET") else { return Ok(None) };
        let socket = UnixDatagram::unbound()?;
        socket.set_nonblocking(true)?;
        let address = match path.as_bytes() {
            [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
            _ => SocketAddr::from_pathname(&path)?,
        };
        socket.connect_addr(&address)?;
        Ok(Some(Self { socket }))
    }

    /// Started, or a reload is done.
    pub fn ready(&self) {
        self.send(&format!("READY=1\nMAINPID={}", std::process::id()));
    }

    /// A reload begins at `now` (CLOCK_MONOTONIC).
    pub fn reloading(&self, now: Instant) {
        self.send(&format!("RELOADING=1\nMONOTONIC_USEC={}", now.as_nanos() / 1_000));
    }

    /// The daemon is stopping.
    pub fn stopping(&self) {
        self.send("STOPPING=1");
    }

    /// Line for `systemctl status`.
    pub fn status(&self, text: &str) {
        self.send(&format!("STATUS={}", text.replace('\n', " ")));
    }

    /// Why the daemon is failing.
    pub fn errno(&self, errno: i32) {
        self.send(&format!("ERRNO={errno}"));
    }

    /// Still alive.
    pub fn watchdog(&self) {
        self.send("WATCHDOG=1");
    }

    fn send(&self, text: &str) {
        let _ = self.socket.send(text.as_bytes());
    }
}

/// How often systemd wants a [`ServiceManager::watchdog`] at the latest; half of it is a good interval.
pub fn watchdog_interval() -> Option<Duration> {
    let number = |name| env::var(name).ok()?.parse::<u64>().ok();
    let for_us = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(std::process::id()));
    number("WATCHDOG_USEC").filter(|&interval| for_us && interval > 0).map(Duration::from_micros)
}
