//! What log lines and mails say of a check: keepalived's words.

use std::fmt::Write as _;

use crate::{Endpoint, ProbeConfig};

/// Whom a line is about.
pub(crate) struct Subject<'a> {
    /// The real server: `[10.0.0.1]:tcp:80`.
    pub(crate) server: &'a str,
    /// The virtual server.
    pub(crate) virtual_server: &'a str,
    /// The command of a MISC_CHECK.
    pub(crate) script: &'a str,
}

/// Line for a check that succeeded for the first time or again.
pub(crate) fn succeeded(config: &ProbeConfig, subject: &Subject<'_>) -> String {
    let Subject { server, virtual_server, script } = subject;
    match config {
        ProbeConfig::Tcp(_) => format!("TCP connection to {server} success."),
        ProbeConfig::Udp(_) => format!("UDP connection to {server} success."),
        ProbeConfig::Ping(_) => format!("ICMP connection to {server} success."),
        ProbeConfig::Http(_) => format!("Remote Web server {server} succeed on service."),
        ProbeConfig::Smtp { .. } => format!("Remote SMTP server {server} succeed on service."),
        ProbeConfig::Dns { .. } => format!("DNS_CHECK ({server}) success."),
        ProbeConfig::Misc(_) => {
            format!("Misc check for [{server} VS {virtual_server}] by [{script}] succeeded.")
        }
        ProbeConfig::File { .. } => format!("FILE_CHECK on service {server} succeeded."),
        ProbeConfig::Bfd { name } => format!("BFD check of [{name}] RS({server}) is UP"),
    }
}

/// Lines for a check that has failed for good; `retries` were made.
pub(crate) fn failed(config: &ProbeConfig, subject: &Subject<'_>, reason: &str, retries: u32) -> Vec<String> {
    let Subject { server, virtual_server, script } = subject;
    let after = match retries {
        0 => String::from("failed."),
        retries => format!("failed after {retries} retries."),
    };
    match config {
        ProbeConfig::Tcp(_) => vec![format!("TCP_CHECK on service {server} {after}")],
        ProbeConfig::Udp(_) => vec![format!("UDP_CHECK on service {server} {after}")],
        ProbeConfig::Ping(_) => vec![format!("ICMP CHECK on service {server} of {virtual_server} {after}")],
        ProbeConfig::Http(http) => {
            let kind = if http.tls { "SSL" } else { "HTTP" };
            vec![
                format!("{reason} server {server}."),
                format!("{kind}_CHECK on service {server} failed after {retries} retries."),
            ]
        }
        ProbeConfig::Misc(_) => {
            let mut line = format!("Misc check for [{server} VS {virtual_server}] by [{script}] ");
            line.push_str(if reason == "timed out" { "timed out" } else { "failed" });
            if retries > 0 {
                let _ = write!(line, " after {retries} retries");
            }
            if reason != "timed out" {
                let _ = write!(line, " ({reason})");
            }
            line.push('.');
            vec![line]
        }
        ProbeConfig::File { .. } => vec![format!("FILE_CHECK on service {server} failed: {reason}")],
        ProbeConfig::Bfd { name } => vec![format!("BFD check of [{name}] RS({server}) is DOWN")],
        ProbeConfig::Smtp { .. } | ProbeConfig::Dns { .. } => vec![attempt_failed(config, subject, reason)],
    }
}

/// Line for one failed attempt (`log_all_failures`, and reasons told at a transition).
pub(crate) fn attempt_failed(config: &ProbeConfig, subject: &Subject<'_>, reason: &str) -> String {
    let Subject { server, virtual_server, script } = subject;
    match config {
        ProbeConfig::Tcp(_) => format!("TCP connection to {server} failed: {reason}."),
        ProbeConfig::Udp(_) => format!("UDP connection to {server} failed: {reason}."),
        ProbeConfig::Ping(_) => format!("ICMP connection to {server} failed: {reason}."),
        ProbeConfig::Http(_) => format!("{reason} server {server}."),
        ProbeConfig::Smtp { endpoint, .. } => format!("SMTP_CHECK {reason} server {}", peer(endpoint)),
        ProbeConfig::Dns { .. } => format!("DNS_CHECK ({server}) {reason}"),
        ProbeConfig::Misc(_) => {
            format!("Misc check for [{server} VS {virtual_server}] by [{script}] failed ({reason}).")
        }
        ProbeConfig::File { .. } | ProbeConfig::Bfd { .. } => format!("check of {server} failed: {reason}"),
    }
}

/// Line for a check that could not be made.
pub(crate) fn not_run(config: &ProbeConfig, subject: &Subject<'_>, reason: &str) -> String {
    format!("{} {} could not be made: {reason}. Rescheduling.", kind(config), subject.server)
}

/// The mail's one line.
pub(crate) fn mail_body(config: &ProbeConfig, up: bool, reason: &str) -> String {
    let word = if up { "succeed" } else { "failed" };
    match config {
        ProbeConfig::Tcp(_) => format!("=> TCP CHECK {word} on service <="),
        ProbeConfig::Udp(_) => format!("=> UDP CHECK {word} on service <="),
        ProbeConfig::Ping(_) => format!("=> ICMP CHECK {word} on service <="),
        ProbeConfig::File { .. } => format!("=> FILE CHECK {word} on service <="),
        ProbeConfig::Dns { .. } => format!("=> DNS_CHECK: {word} on service <="),
        ProbeConfig::Http(http) if !up => {
            let kind = if http.tls { "SSL" } else { "HTTP" };
            format!("=> CHECK failed on service : {kind} request failed <=")
        }
        ProbeConfig::Smtp { endpoint, .. } if !up => {
            format!("=> CHECK failed on service : {reason} server {} <=", peer(endpoint))
        }
        ProbeConfig::Http(_) | ProbeConfig::Smtp { .. } => String::from("=> CHECK succeed on service <="),
        ProbeConfig::Misc(_) if up => String::from("=> MISC CHECK succeeded on service <="),
        ProbeConfig::Misc(_) if reason == "timed out" => String::from("=> MISC CHECK timed out on service <="),
        ProbeConfig::Misc(_) => String::from("=> MISC CHECK failed on service <="),
        ProbeConfig::Bfd { name } => {
            format!("=> BFD CHECK {name} {} on service <=", if up { "succeeded" } else { "failed" })
        }
    }
}

fn kind(config: &ProbeConfig) -> &'static str {
    match config {
        ProbeConfig::Tcp(_) => "TCP_CHECK of",
        ProbeConfig::Udp(_) => "UDP_CHECK of",
        ProbeConfig::Ping(_) => "PING_CHECK of",
        ProbeConfig::Http(http) if http.tls => "SSL_GET of",
        ProbeConfig::Http(_) => "HTTP_GET of",
        ProbeConfig::Smtp { .. } => "SMTP_CHECK of",
        ProbeConfig::Dns { .. } => "DNS_CHECK of",
        ProbeConfig::Misc(_) => "MISC_CHECK of",
        ProbeConfig::File { .. } => "FILE_CHECK of",
        ProbeConfig::Bfd { .. } => "BFD_CHECK of",
    }
}

fn peer(endpoint: &Endpoint) -> String {
    format!("[{}]:{}", endpoint.destination.ip(), endpoint.destination.port())
}
