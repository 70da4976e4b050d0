//! Probes of real servers: run one probe, report one outcome.
//!
//! This crate decides nothing: when a probe runs, what its outcome means for the server and what is logged belong to
//! `lvs` and to the program. Every probe is bounded in time (one deadline for each phase, not for each octet) and in
//! memory, whatever the other side sends. A probe that cannot be made — the `bindto` address or the `bind_if` device
//! is missing, no descriptor is left — is a failed check that tells why; keepalived puts such a check off for ever
//! and leaves a dead server in service.
//!
//! All is made for one tokio `current_thread` runtime per process.

mod context;
mod outcome;

pub use context::{Context, Script};
pub use outcome::Report;

use lvs::ProbeConfig;

/// Runs one probe and reports; `None` for FILE_CHECK and BFD_CHECK, which are told and not probed.
///
/// `url` numbers the request of an HTTP_GET or SSL_GET that is made; other checks ignore it. Dropping the future ends
/// the probe at once (a script is sent `SIGTERM` with its group).
pub async fn probe(config: &ProbeConfig, url: usize, context: &Context) -> Option<Report> {
    let _ = (url, context);
    match config {
        ProbeConfig::File { .. } | ProbeConfig::Bfd { .. } => None,
        _ => Some(outcome::Failure::new("not yet", "").into()),
    }
}
