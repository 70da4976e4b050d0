//! Who is told, and how: scripts, FIFOs, mail.

use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A command that keepalived.conf names, with its words separated and its user resolved.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Script {
    /// Path and arguments; never empty. A path written `</PATH` is only opened, see `open_only`.
    pub words: Vec<String>,
    /// The command as written, for log lines and dumps.
    pub text: String,
    /// Who runs it.
    pub user: ScriptUser,
    /// `</PATH`: success means that the file can be opened.
    pub open_only: bool,
}

/// User and group of a script.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ScriptUser {
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
    /// Supplementary groups; empty clears them.
    pub groups: Vec<u32>,
}

impl ScriptUser {
    /// The daemon's own user, root.
    pub const ROOT: Self = Self { uid: 0, gid: 0, groups: Vec::new() };
}

/// Scripts of one `vrrp_instance` or `vrrp_sync_group`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct VrrpScripts {
    /// `notify_master`.
    pub master: Option<Script>,
    /// `notify_backup`.
    pub backup: Option<Script>,
    /// `notify_fault`.
    pub fault: Option<Script>,
    /// `notify_stop`.
    pub stop: Option<Script>,
    /// `notify_deleted` with a command.
    pub deleted: Option<Script>,
    /// `notify_master_rx_lower_pri`.
    pub master_rx_lower_priority: Option<Script>,
    /// `notify`.
    pub any: Option<Script>,
}

/// A FIFO and who reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fifo {
    /// Its path.
    pub path: String,
    /// Owner when it has to be created.
    pub user: ScriptUser,
    /// Started when the FIFO is open, with the path appended.
    pub script: Option<Script>,
}

/// The three FIFOs of `global_defs`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Fifos {
    /// `notify_fifo`: everything.
    pub all: Option<Fifo>,
    /// `vrrp_notify_fifo`.
    pub vrrp: Option<Fifo>,
    /// `lvs_notify_fifo`.
    pub lvs: Option<Fifo>,
}

/// Mail settings; mail is sent only when both recipients and a server are configured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail {
    /// `notification_email`.
    pub recipients: Vec<String>,
    /// `notification_email_from`.
    pub from: String,
    /// `smtp_server`, resolved.
    pub server: SocketAddr,
    /// `smtp_helo_name`.
    pub helo: String,
    /// `smtp_connect_timeout`.
    pub timeout: Duration,
    /// `router_id`, for subjects.
    pub router_id: String,
    /// `no_email_faults`.
    pub no_faults: bool,
    /// `no_checker_emails`.
    pub no_checkers: bool,
}
