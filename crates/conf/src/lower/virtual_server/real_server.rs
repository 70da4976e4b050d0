//! `real_server`: as written.

use std::net::IpAddr;

use ipvs::Forwarding;
use lvs::ScriptRef;

use super::checker::CheckerWritten;
use super::{Directors, Schedule};
use crate::lower::context::{Lower, printable};
use crate::lower::script::Runner;
use crate::lower::tracking::Definitions;
use crate::lower::value::{parse_address, switch, unsigned};
use crate::source::Span;
use crate::tree::Line;

/// `real_server` as written.
pub(super) struct RealWritten {
    pub(super) address: IpAddr,
    pub(super) port: Option<u16>,
    pub(super) span: Span,
    pub(super) weight: Option<u32>,
    pub(super) forwarding: Option<Forwarding>,
    pub(super) upper: u32,
    pub(super) lower: u32,
    pub(super) inhibit: Option<bool>,
    pub(super) alpha: Option<bool>,
    pub(super) schedule: Schedule,
    pub(super) notify_up: Option<ScriptRef>,
    pub(super) notify_down: Option<ScriptRef>,
    pub(super) smtp_alert: Option<bool>,
    pub(super) virtual_host: Option<String>,
    pub(super) snmp_name: Option<String>,
    pub(super) checkers: Vec<CheckerWritten>,
}

impl<'t> Lower<'t> {
    pub(super) fn real_server(
        &mut self,
        line: Line<'t>,
        service_port: Option<u16>,
        directors: &mut Directors,
        definitions: &mut Definitions,
    ) -> Option<RealWritten> {
        let (word, block) = (line.word(1)?, line.block()?);
        let port = line.word(2).map(|word| (word, unsigned(word.text, 0..=65_535)));
        let message = || {
            let shown = match line.word(2) {
                Some(port) => format!("{}/{}", printable(word.text), printable(port.text)),
                None => printable(word.text),
            };
            format!("Invalid real server ip address/port {shown} - skipping")
        };
        let Some(address) = parse_address(word.text) else {
            self.general(word.span, message());
            return None;
        };
        let port = match port {
            None => service_port,
            Some((_, Ok(port))) => Some(port as u16),
            Some((_, Err(why))) => {
                self.bad_number(word.span, why, message());
                return None;
            }
        };
        let mut written = RealWritten {
            address,
            port,
            span: line.span(),
            weight: None,
            forwarding: None,
            upper: 0,
            lower: 0,
            inhibit: None,
            alpha: None,
            schedule: Schedule::default(),
            notify_up: None,
            notify_down: None,
            smtp_alert: None,
            virtual_host: None,
            snmp_name: None,
            checkers: Vec::new(),
        };
        self.walk("virtual_server/real_server", block.lines(), &mut |lower, line, keyword| {
            if lower.schedule_line(line, keyword, "real server", &mut written.schedule) {
                return;
            }
            lower.real_line(line, keyword, &mut written, directors, definitions);
        });
        Some(written)
    }

    fn real_line(
        &mut self,
        line: Line<'t>,
        keyword: &'static str,
        written: &mut RealWritten,
        directors: &mut Directors,
        definitions: &mut Definitions,
    ) {
        match (keyword, line.word(1)) {
            ("weight", Some(word)) => {
                let found = self.count(word, 0..=i32::MAX as u64, |text| {
                    format!("Real server weight {text} is outside range 0-2147483647")
                });
                written.weight = found.map(|weight| weight as u32).or(written.weight);
            }
            ("lvs_method", Some(_)) => written.forwarding = self.forwarding(line, "real server").or(written.forwarding),
            ("uthreshold" | "lthreshold", Some(word)) => {
                if let Some(value) = self.count(word, 0..=u64::from(u32::MAX), |text| {
                    format!("Invalid real_server {keyword} '{text}' - ignoring")
                }) {
                    *(if keyword == "uthreshold" { &mut written.upper } else { &mut written.lower }) = value as u32;
                }
            }
            ("inhibit_on_failure" | "alpha" | "smtp_alert", _) => {
                let value = match line.word(1) {
                    None => true,
                    Some(word) => match switch(word.text) {
                        Some(value) => value,
                        None => {
                            let what = if keyword == "smtp_alert" { "real_server smtp_alert" } else { keyword };
                            self.general(word.span, format!("Invalid {what} parameter {}", printable(word.text)));
                            return;
                        }
                    },
                };
                match keyword {
                    "inhibit_on_failure" => written.inhibit = Some(value),
                    "alpha" => written.alpha = Some(value),
                    _ => written.smtp_alert = Some(value),
                }
            }
            ("notify_up" | "notify_down", _) => {
                if let Some(script) = self.script_line(line, Runner::Checker) {
                    let script = Some(directors.script(script));
                    *(if keyword == "notify_up" { &mut written.notify_up } else { &mut written.notify_down }) = script;
                }
            }
            ("virtualhost", Some(word)) => written.virtual_host = Some(word.text.to_owned()),
            ("snmp_name", Some(word)) => written.snmp_name = Some(word.text.to_owned()),
            _ => {
                if let Some(checker) = self.checker(line, keyword, directors, definitions) {
                    written.checkers.push(checker);
                }
            }
        }
    }
}
