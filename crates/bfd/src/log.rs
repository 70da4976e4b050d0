//! Every line that operators know of a BFD process, in one place.

use std::net::SocketAddr;
use std::time::Duration;

use crate::{Diagnostic, Refusal};

/// Syslog level of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// LOG_WARNING.
    Warning,
    /// LOG_INFO.
    Info,
    /// LOG_INFO, only with `-D`.
    Detail,
}

/// A line for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// How loud.
    pub level: Level,
    /// The text, as keepalived has it.
    pub text: String,
}

impl Line {
    fn info(text: String) -> Self {
        Self { level: Level::Info, text }
    }

    pub(crate) fn entering_up(name: &str) -> Self {
        Self::info(format!("({name}) Entering Up state"))
    }

    pub(crate) fn entering_down(name: &str, local: Diagnostic, remote: Diagnostic) -> Self {
        let text = format!("({name}) Entering Down state (Local diagnostic - {local}, Remote diagnostic - {remote})");
        Self { level: Level::Warning, text }
    }

    pub(crate) fn entering_admin_down(name: &str) -> Self {
        Self::info(format!("({name}) Entering AdminDown state"))
    }

    pub(crate) fn expired(name: &str, detection: Duration, overdue: Duration) -> Self {
        let (milliseconds, overdue) = (detection.as_millis(), overdue.as_micros());
        Self::info(format!("({name}) Expired after {milliseconds} ms ({overdue} usec overdue)"))
    }

    pub(crate) fn starting_poll(name: &str) -> Self {
        Self::info(format!("({name}) Starting poll sequence"))
    }

    pub(crate) fn discarding(source: SocketAddr, refusal: Refusal) -> Self {
        let text = format!("Discarding packet from [{}]:{} ({refusal})", source.ip(), source.port());
        Self { level: Level::Detail, text }
    }
}

/// The negotiated timers of one side, in microseconds where they are times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Parameters {
    pub(crate) min_tx: u128,
    pub(crate) min_rx: u128,
    pub(crate) interval: u128,
    pub(crate) multiplier: u8,
    pub(crate) detection: u128,
}

/// The block that keepalived logs with `-D` whenever the negotiated timers change.
pub(crate) fn parameters(name: &str, local: Parameters, remote: Parameters, former_detection: u128) -> Vec<Line> {
    let row = |side: &str, p: Parameters| {
        format!("       {side} {:>8}{:>8}{:>9}{:>6}{:>13}", p.min_tx, p.min_rx, p.interval, p.multiplier, p.detection)
    };
    let mut texts = vec![
        format!("({name}) ---------------< Session parameters >--------------"),
        "               min_tx  min_rx  tx_intv  mult  detect_time".to_owned(),
        row("local ", local),
        row("remote", remote),
    ];
    if local.detection != former_detection {
        texts.push(format!("       Detection time is {} us (was {former_detection} us)", local.detection));
    }
    texts.into_iter().map(|text| Line { level: Level::Detail, text }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As logged by keepalived 2.2.7.
    #[test]
    fn session_parameters_are_laid_out_as_keepalived_does() {
        let local =
            Parameters { min_tx: 300_000, min_rx: 50_000, interval: 300_000, multiplier: 3, detection: 360_000 };
        let remote =
            Parameters { min_tx: 1_000_000, min_rx: 100_000, interval: 120_000, multiplier: 3, detection: 900_000 };
        let lines: Vec<_> = parameters("one", local, remote, 0).into_iter().map(|line| line.text).collect();
        assert_eq!(
            lines,
            [
                "(one) ---------------< Session parameters >--------------",
                "               min_tx  min_rx  tx_intv  mult  detect_time",
                "       local    300000   50000   300000     3       360000",
                "       remote  1000000  100000   120000     3       900000",
                "       Detection time is 360000 us (was 0 us)",
            ]
        );
    }
}
