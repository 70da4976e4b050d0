//! What can go wrong, told with the remedy.

use std::fmt;
use std::io;
use std::net::IpAddr;

use ipvs::{Operation, ServiceKey};
use types::Port;

/// Why IPVS cannot be used.
#[derive(Debug)]
pub enum IpvsError {
    /// The kernel has no IPVS and `modprobe ip_vs` did not help.
    Missing {
        /// What modprobe said.
        modprobe: String,
    },
    /// A system call failed, or the kernel refused a question.
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
            Self::Missing { modprobe } => write!(
                f,
                "IPVS: Can't initialize ipvs: the kernel does not know IPVS ({modprobe}). Install the kernel's modules and run `modprobe ip_vs`; in a container, run it on the host"
            ),
            Self::Io { doing, source } if source.raw_os_error() == Some(libc::EPERM) => {
                write!(f, "IPVS: {doing}: {source}; CAP_NET_ADMIN in the network namespace is needed")
            }
            Self::Io { doing, source } => write!(f, "IPVS: {doing}: {source}"),
            Self::Garbled { reading, detail } => {
                write!(f, "IPVS: the kernel's answer makes no sense ({reading}): {detail}")
            }
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Which of the operations handed over.
    pub index: usize,
    /// The operation.
    pub operation: Operation,
    /// Error number.
    pub errno: i32,
}

impl Refusal {
    /// The service is not there though it should be: somebody else changed the table, and it is worth comparing.
    pub fn table_differs(&self) -> bool {
        self.errno == libc::ESRCH
    }
}

/// `IPVS cmd IP_VS_SO_SET_ADD(1154) error: Scheduler or persistence engine not found(2) (10.0.0.100:tcp:80)`; addresses have no brackets here, as in keepalived 2.2.7
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, number) = command(&self.operation);
        write!(f, "IPVS cmd {name}({number}) error: {}({})", errno_text(&self.operation, self.errno), self.errno)?;
        let Some(service) = self.operation.service() else { return Ok(()) };
        write!(f, " ({}", DisplayService(service))?;
        match &self.operation {
            Operation::AddDestination { key, .. }
            | Operation::EditDestination { key, .. }
            | Operation::DeleteDestination { key, .. } => write!(f, " -> {}", DisplayEnd(key.address, key.port))?,
            _ => {}
        }
        f.write_str(")")?;
        if let (Operation::AddService { service, .. } | Operation::EditService { service, .. }, libc::ENOENT) =
            (&self.operation, self.errno)
        {
            write!(f, ": is the module ip_vs_{} installed?", service.scheduler)?;
        }
        Ok(())
    }
}

/// Name and number of the socket option that does the same, as log lines have it.
fn command(operation: &Operation) -> (&'static str, u16) {
    match operation {
        Operation::AddService { .. } => ("IP_VS_SO_SET_ADD", 1154),
        Operation::EditService { .. } => ("IP_VS_SO_SET_EDIT", 1155),
        Operation::DeleteService { .. } => ("IP_VS_SO_SET_DEL", 1156),
        Operation::Flush => ("IP_VS_SO_SET_FLUSH", 1157),
        Operation::AddDestination { .. } => ("IP_VS_SO_SET_ADDDEST", 1159),
        Operation::DeleteDestination { .. } => ("IP_VS_SO_SET_DELDEST", 1160),
        Operation::EditDestination { .. } => ("IP_VS_SO_SET_EDITDEST", 1161),
    }
}

/// What `errno` means for `operation`, in words that ipvsadm uses.
pub fn errno_text(operation: &Operation, errno: i32) -> String {
    let text = match (operation, errno) {
        (Operation::AddService { .. }, libc::EEXIST) => "Service already exists",
        (Operation::AddService { .. } | Operation::EditService { .. }, libc::ENOENT) => {
            "Scheduler or persistence engine not found"
        }
        (Operation::AddDestination { .. }, libc::EEXIST) => "Destination already exists",
        (Operation::EditDestination { .. } | Operation::DeleteDestination { .. }, libc::ENOENT) => {
            "No such destination"
        }
        (_, libc::ESRCH) => "Service not defined",
        (_, libc::EPERM) => "Permission denied (you must be root)",
        (_, libc::EINVAL) => "Invalid operation.  Possibly wrong module version, address not unicast, ...",
        (_, libc::ENOPROTOOPT) => "Protocol not available",
        (_, libc::ENOMEM) => "Memory allocation problem",
        (_, libc::EOPNOTSUPP) => "Operation not supported with IPv6",
        _ => return nix::errno::Errno::from_raw(errno).desc().to_owned(),
    };
    text.to_owned()
}

struct DisplayService(ServiceKey);

impl fmt::Display for DisplayService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            ServiceKey::Address { protocol, address, port } => write!(f, "{address}:{protocol}:{port}"),
            ServiceKey::Mark { mark, .. } => write!(f, "Fwm {mark}"),
        }
    }
}

struct DisplayEnd(IpAddr, Port);

impl fmt::Display for DisplayEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.0, self.1)
    }
}
