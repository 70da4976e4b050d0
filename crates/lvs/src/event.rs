//! What the director is told, and what it answers.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use types::Weight;

use crate::{ProbeConfig, ScriptRef};

/// A check that runs: one for all real servers that share it. Numbers are never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ProbeId(pub u64);

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A probe that was started has ended.
    Probe {
        /// Which.
        probe: ProbeId,
        /// How it ended.
        outcome: Outcome,
    },
    /// A `track_file` was read: its value, or none where it has gone (which counts as 0).
    File {
        /// Name of the `track_file`.
        name: String,
        /// Its value.
        value: Option<i64>,
    },
    /// A BFD session changed.
    Bfd {
        /// Its name.
        name: String,
        /// Whether it is up.
        up: bool,
    },
    /// The host has got an address (for `ha_suspend`); told for every address at the start too.
    AddressPresent(IpAddr),
    /// The host has lost an address.
    AddressAbsent(IpAddr),
    /// Somebody asks for the kernel's table to be compared now; answered by [`Action::ReadTable`].
    Compare,
    /// The kernel's table as [`Action::ReadTable`] asked for it.
    KernelTable(Box<ipvs::Table>),
    /// The kernel refused to add this service (unknown scheduler). It is tried again at each comparison, without being taken for somebody else's doing.
    Refused(ipvs::ServiceKey),
    /// A weight set by hand (SNMP, control socket); kept until the next reload.
    SetWeight {
        /// Number of the virtual server in the configuration.
        virtual_server: usize,
        /// Number of the real server in it.
        real_server: usize,
        /// The weight.
        weight: Weight,
    },
    /// The daemon stops: probes end, the table is taken down, omega scripts run. Nothing happens after it.
    Shutdown,
}

/// How a probe ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It succeeded.
    Success,
    /// It failed: the REASON of keepalived's log text without the server, such as `Timeout connecting`, `Connection refused` or `read timeout from socket`.
    Failed(Cow<'static, str>),
    /// A MISC_CHECK's script ended with this exit code.
    Exited(u8),
    /// A MISC_CHECK's script was ended by this signal (not by its timeout).
    Signalled(u8),
    /// A MISC_CHECK's script was ended because its time was up.
    TimedOut,
    /// The probe could not be made for want of something of our own that may come back (descriptors, memory, processes): no verdict, tried again after `delay_loop`.
    /// What will not come back by itself (missing `bindto` address, missing device) is [`Outcome::Failed`].
    NotRun(Cow<'static, str>),
}

/// What is to be done, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Run a probe once and tell how it ended.
    StartProbe {
        /// Which.
        probe: ProbeId,
        /// What to do.
        config: Arc<ProbeConfig>,
        /// Which url of an HTTP_GET; 0 otherwise.
        url: usize,
    },
    /// Nobody waits for this probe any more; its outcome would be ignored.
    AbortProbe(ProbeId),
    /// Read the kernel's table and tell it as [`Event::KernelTable`].
    ReadTable,
    /// Change the kernel's table.
    Table(Vec<ipvs::Operation>),
    /// Set the kernel's timeouts; the program keeps the former ones and puts them back when it stops.
    SetTimeouts(ipvs::Timeouts),
    /// Put back the timeouts that stood before [`Action::SetTimeouts`].
    RestoreTimeouts,
    /// Run these synchronisation daemons and no others.
    SyncDaemons(Vec<ipvs::Daemon>),
    /// Tell a change: run the script, write the line into the FIFOs, tell SNMP.
    Notify(Notification),
    /// Send a mail (if mail is configured).
    Mail(Mail),
    /// Say a line.
    Log(Level, String),
}

/// A change of state that is told to scripts, FIFOs and SNMP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// Number of the virtual server in the configuration that holds now (or held, for a removed one).
    pub virtual_server: usize,
    /// Number of the real server in it; none for a change of quorum.
    pub real_server: Option<usize>,
    /// Up (or quorum gained), or down.
    pub up: bool,
    /// `notify_up`, `notify_down`, `quorum_up` or `quorum_down`.
    pub script: Option<ScriptRef>,
    /// The FIFO line, newline included; empty where FIFOs are not told.
    pub line: String,
}

/// A mail without its envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Subject without the router's id: `Realserver [10.0.0.1]:tcp:80 of virtual server [10.0.0.100]:tcp:80 - DOWN`.
    pub subject: String,
    /// One line, without line end.
    pub body: String,
    /// Only a checker changed and the server as a whole did not: `no_checker_emails` leaves it out.
    pub checker_only: bool,
}

/// Importance of a log line, as syslog has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Level {
    /// Needs somebody.
    Error,
    /// May need somebody.
    Warning,
    /// Worth knowing.
    Info,
    /// Told only with `-D`.
    Detail,
}
