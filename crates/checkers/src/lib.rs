//! Probes of real servers: run one probe, report one outcome.
//!
//! This crate decides nothing: when a probe runs, what its outcome means for the server and what is logged belong to
//! `lvs` and to the program. Every probe is bounded in time (one deadline for each phase, not for each octet) and in
//! memory, whatever the other side sends. A probe that cannot be made — the `bindto` address or the `bind_if` device
//! is missing, no descriptor is left — is a failed check that tells why; keepalived puts such a check off for ever
//! and leaves a dead server in service.
//!
//! All is made for one tokio `current_thread` runtime per process.

mod connection;
mod context;
pub mod dns;
pub mod genhash;
pub mod http;
mod misc;
mod outcome;
pub mod ping;
pub mod smtp;
mod tcp;
pub mod udp;

#[cfg(test)]
mod loopback;

pub use context::{Context, Script};
pub use outcome::Report;

use lvs::ProbeConfig;

/// Runs one probe and reports; `None` for FILE_CHECK and BFD_CHECK, which are told and not probed.
///
/// `url` numbers the request of an HTTP_GET or SSL_GET that is made; other checks ignore it. Dropping the future ends
/// the probe at once (a script is sent `SIGTERM` with its group).
pub async fn probe(config: &ProbeConfig, url: usize, context: &Context) -> Option<Report> {
    Some(match config {
        ProbeConfig::Tcp(endpoint) => tcp::check(endpoint).await.into(),
        // Boxed: the rarer and larger ones must not make every TCP check's future as large as theirs.
        ProbeConfig::Http(http) => Box::pin(http::check(http, url, context)).await.into(),
        ProbeConfig::Smtp { endpoint, helo } => Box::pin(smtp::check(endpoint, helo)).await.into(),
        ProbeConfig::Dns { endpoint, record, name } => {
            Box::pin(dns::check(endpoint, record, name, context.query_id())).await.into()
        }
        ProbeConfig::Udp(udp) => Box::pin(udp::check(udp)).await.into(),
        ProbeConfig::Ping(endpoint) => {
            let mut access = context.ping_access();
            let result = Box::pin(ping::check(endpoint, context.echo(), &mut access)).await;
            context.set_ping_access(access);
            result.into()
        }
        ProbeConfig::Misc(misc) => Box::pin(misc::check(misc, context)).await,
        ProbeConfig::File { .. } | ProbeConfig::Bfd { .. } => return None,
    })
}
