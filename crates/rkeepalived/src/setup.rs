//! What a child is told at start and at a reload.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::cli::Cli;

/// Which process of the daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum Role {
    /// Checks real servers and programs IPVS.
    Checker,
    /// Speaks VRRP.
    Vrrp,
    /// Speaks BFD.
    Bfd,
}

impl Role {
    /// In the order of starting.
    pub(crate) const ALL: [Self; 3] = [Self::Checker, Self::Vrrp, Self::Bfd];

    /// Value of the hidden `--role`.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Checker => "checker",
            Self::Vrrp => "vrrp",
            Self::Bfd => "bfd",
        }
    }

    /// The role with this word.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.word() == word)
    }

    /// How log lines about it begin (`Starting VRRP child process`).
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Checker => "Healthcheck",
            Self::Vrrp => "VRRP",
            Self::Bfd => "BFD",
        }
    }

    /// Syslog ident.
    pub(crate) fn ident(self) -> &'static str {
        match self {
            Self::Checker => "Keepalived_healthcheckers",
            Self::Vrrp => "Keepalived_vrrp",
            Self::Bfd => "Keepalived_bfd",
        }
    }

    /// What `-g` inserts before the extension of its file.
    pub(crate) fn log_infix(self) -> &'static str {
        match self {
            Self::Checker => "_check",
            Self::Vrrp => "_vrrp",
            Self::Bfd => "_bfd",
        }
    }
}

/// Name before each line of the log: `_NAMESPACE` and `_INSTANCE` follow the process's own.
pub(crate) fn ident(process: &str, cli: &Cli, global: &conf::Global) -> String {
    let namespace = cli.namespace.as_ref().or(global.net_namespace.as_ref());
    [namespace, global.instance_name.as_ref()]
        .into_iter()
        .flatten()
        .fold(process.to_owned(), |ident, part| format!("{ident}_{part}"))
}

/// Options of the command line that children honour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Options {
    /// `-V`.
    pub(crate) keep_vrrp: bool,
    /// `-I`.
    pub(crate) keep_ipvs: bool,
    /// `-a`.
    pub(crate) address_monitoring: bool,
    /// Number of `-D`.
    pub(crate) detail: u8,
    /// `-d`.
    pub(crate) dump_configuration: bool,
    /// Pid file of the child.
    pub(crate) pid_file: PathBuf,
    /// This process starts the reader of `notify_fifo` (the checker process, where there is one; else the VRRP process).
    pub(crate) starts_fifo_reader: bool,
    /// File creation mask for dumps, FIFOs and pid files.
    pub(crate) umask: u32,
}

/// Everything that a child is told.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Setup {
    /// `global_defs`.
    pub(crate) global: conf::Global,
    /// Its own part of the configuration.
    pub(crate) part: Part,
    /// Options of the command line.
    pub(crate) options: Options,
}

/// The part of one role.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Part {
    /// VRRP process.
    Vrrp {
        /// Configuration.
        part: conf::VrrpPart,
        /// What the former process was doing, when there was one.
        remembered: Vec<vrrp::Remembered>,
        /// `lvs_sync_daemon` when its role follows an instance.
        sync_daemon: Option<lvs::SyncDaemonConfig>,
    },
    /// Checker process.
    Checker {
        /// Configuration.
        part: conf::CheckerPart,
        /// What the former process knew, in its own encoding.
        remembered: Vec<u8>,
    },
    /// BFD process.
    Bfd {
        /// Sessions.
        sessions: Vec<bfd::SessionConfig>,
    },
}

/// Where pid files go when no option and no keyword says otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PidFiles {
    /// Supervisor.
    pub(crate) parent: PathBuf,
    /// VRRP process.
    pub(crate) vrrp: PathBuf,
    /// Checker process.
    pub(crate) checker: PathBuf,
    /// BFD process.
    pub(crate) bfd: PathBuf,
}

impl PidFiles {
    /// `/run/keepalived.pid`, `/run/vrrp.pid`, `/run/checkers.pid`, `/run/bfd.pid`; with `instance`, `net_namespace` or
    /// `use_pid_dir` they are below `/run/keepalived/`, the instance's name appended.
    pub(crate) fn new(cli: &Cli, global: &conf::Global) -> Self {
        let (directory, suffix) = match (&global.instance_name, global.use_pid_dir) {
            (Some(name), _) => ("/run/keepalived", format!("_{name}")),
            (None, true) => ("/run/keepalived", String::new()),
            (None, false) => ("/run", String::new()),
        };
        let place = |option: &Option<PathBuf>, name: &str| {
            option.clone().unwrap_or_else(|| PathBuf::from(format!("{directory}/{name}{suffix}.pid")))
        };
        Self {
            parent: place(&cli.pid_file, "keepalived"),
            vrrp: place(&cli.vrrp_pid_file, "vrrp"),
            checker: place(&cli.checkers_pid_file, "checkers"),
            bfd: place(&cli.bfd_pid_file, "bfd"),
        }
    }

    /// The file of a child.
    pub(crate) fn of(&self, role: Role) -> &PathBuf {
        match role {
            Role::Vrrp => &self.vrrp,
            Role::Checker => &self.checker,
            Role::Bfd => &self.bfd,
        }
    }
}
