//! Lines of the notify FIFOs, and the words that scripts get.

use std::fmt;

/// What a script or a FIFO reader hears of a VRRP instance or group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VrrpEvent {
    /// Entered MASTER.
    Master,
    /// Entered BACKUP.
    Backup,
    /// Entered FAULT.
    Fault,
    /// The daemon is stopping.
    Stop,
    /// Removed by a reload.
    Deleted,
    /// A master heard an advert of lower priority.
    MasterReceivedLowerPriority,
    /// The priority changed while MASTER.
    MasterPriority,
    /// The priority changed while BACKUP (or FAULT).
    BackupPriority,
}

impl fmt::Display for VrrpEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Master => "MASTER",
            Self::Backup => "BACKUP",
            Self::Fault => "FAULT",
            Self::Stop => "STOP",
            Self::Deleted => "DELETED",
            Self::MasterReceivedLowerPriority => "MASTER_RX_LOWER_PRI",
            Self::MasterPriority => "MASTER_PRIORITY",
            Self::BackupPriority => "BACKUP_PRIORITY",
        })
    }
}

/// One line of a notify FIFO. `Display` ends with the newline and nothing after it.
///
/// keepalived 2.4.3 writes a NUL after the newline of its LVS lines, 2.2.7 does not; a reader of lines must be able to
/// rely on lines, so none is written here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FifoLine {
    /// `INSTANCE "NAME" STATE PRIORITY`.
    Instance {
        /// Name of the instance.
        name: String,
        /// What happened.
        event: VrrpEvent,
        /// Effective priority.
        priority: u8,
    },
    /// `GROUP "NAME" STATE 0`.
    Group {
        /// Name of the sync group.
        name: String,
        /// What happened.
        event: VrrpEvent,
    },
    /// `VS SERVICE UP|DOWN`.
    VirtualServer {
        /// `[ADDR]:PROTO:PORT`, `FWM n` or `[GROUP]:n`.
        service: String,
        /// Whether the quorum was gained.
        up: bool,
    },
    /// `RS SERVER SERVICE UP|DOWN`.
    RealServer {
        /// `[ADDR]:PROTO:PORT`.
        server: String,
        /// The service it belongs to.
        service: String,
        /// Whether it came up.
        up: bool,
    },
}

impl fmt::Display for FifoLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |up: &bool| if *up { "UP" } else { "DOWN" };
        match self {
            Self::Instance { name, event, priority } => writeln!(f, "INSTANCE \"{name}\" {event} {priority}"),
            Self::Group { name, event } => writeln!(f, "GROUP \"{name}\" {event} 0"),
            Self::VirtualServer { service, up } => writeln!(f, "VS {service} {}", word(up)),
            Self::RealServer { server, service, up } => writeln!(f, "RS {server} {service} {}", word(up)),
        }
    }
}

impl FifoLine {
    /// The words appended to a `notify` script: `INSTANCE NAME STATE PRIORITY` or `GROUP NAME STATE 0`.
    pub fn script_words(&self) -> Vec<String> {
        match self {
            Self::Instance { name, event, priority } => {
                vec!["INSTANCE".into(), name.clone(), event.to_string(), priority.to_string()]
            }
            Self::Group { name, event } => vec!["GROUP".into(), name.clone(), event.to_string(), "0".into()],
            Self::VirtualServer { .. } | Self::RealServer { .. } => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_those_that_readers_of_keepalived_fifos_parse() {
        let instance = FifoLine::Instance { name: "VI_1".into(), event: VrrpEvent::Master, priority: 100 };
        assert_eq!(instance.to_string(), "INSTANCE \"VI_1\" MASTER 100\n");
        assert_eq!(instance.script_words(), ["INSTANCE", "VI_1", "MASTER", "100"]);
        let group = FifoLine::Group { name: "G".into(), event: VrrpEvent::Fault };
        assert_eq!(group.to_string(), "GROUP \"G\" FAULT 0\n");
        assert_eq!(group.script_words(), ["GROUP", "G", "FAULT", "0"]);
        let server = FifoLine::RealServer {
            server: "[10.0.0.1]:tcp:80".into(),
            service: "[10.0.0.100]:tcp:80".into(),
            up: false,
        };
        assert_eq!(server.to_string(), "RS [10.0.0.1]:tcp:80 [10.0.0.100]:tcp:80 DOWN\n");
        let service = FifoLine::VirtualServer { service: "FWM 1".into(), up: true };
        assert_eq!(service.to_string(), "VS FWM 1 UP\n");
    }
}
