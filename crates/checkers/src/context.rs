//! What the probes of one process share.

use lvs::{ScriptRef, SslConfig};

/// One script of the program's table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// Words and user.
    pub command: sys::script::Command,
    /// `</PATH`: success means that the file can be opened; nothing runs.
    pub open_only: bool,
}

/// What the probes of one process share: scripts, the TLS library with its client certificate, compiled patterns.
///
/// Made anew at each reload; nothing is loaded or compiled before a probe needs it.
#[derive(Debug, Default)]
pub struct Context {
    scripts: Vec<Script>,
    ssl: Option<SslConfig>,
}

impl Context {
    /// `scripts` is the table that [`ScriptRef`] numbers, `ssl` the `SSL` block.
    pub fn new(scripts: Vec<Script>, ssl: Option<SslConfig>) -> Self {
        Self { scripts, ssl }
    }

    /// The script of that number.
    pub fn script(&self, script: ScriptRef) -> Option<&Script> {
        self.scripts.get(usize::try_from(script.0).ok()?)
    }
}
