//! `virtual_server`, `virtual_server_group` and `SSL`.

mod checker;
mod complete;
mod forwarding;
mod group;
mod http;
mod real_server;

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ipvs::{Forwarding, ServiceFlags};
use lvs::{GroupConfig, ScriptRef, SslConfig, VirtualServerConfig};
use notify::Script;
use types::{Family, Port, Protocol, Secret};

use super::context::{Lower, printable};
use super::script::Runner;
use super::tracking::Definitions;
use super::value::{DELAY_MAX, TIMER_MAX, parse_address, unsigned};
use crate::source::Span;
use crate::tree::{Line, Word};

use real_server::RealWritten;

/// What the checker process's part is gathered in.
#[derive(Debug, Default)]
pub(super) struct Directors {
    pub(super) servers: Vec<VirtualServerConfig>,
    pub(super) spans: Vec<Span>,
    pub(super) groups: Vec<GroupConfig>,
    group_names: HashMap<String, usize>,
    pub(super) scripts: Vec<Script>,
    pub(super) ssl: Option<SslConfig>,
    pub(super) files: Vec<(String, String)>,
    /// How many services used each group so far.
    uses: HashMap<String, u32>,
}

impl Directors {
    fn script(&mut self, script: Script) -> ScriptRef {
        self.scripts.push(script);
        ScriptRef((self.scripts.len() - 1) as u32)
    }
}

/// What a virtual server balances, as written.
#[derive(Debug, Clone)]
enum TargetWritten {
    Address { address: IpAddr, port: Option<u16> },
    Mark(u32),
    Group(String),
}

/// Values that checkers inherit.
#[derive(Debug, Clone, Copy, Default)]
struct Schedule {
    delay_loop: Option<Duration>,
    retry: Option<u32>,
    delay_before_retry: Option<Duration>,
    warmup: Option<Duration>,
    connect_timeout: Option<Duration>,
}

impl Schedule {
    /// Own values, else those of `outer`.
    fn within(self, outer: Self) -> Self {
        Self {
            delay_loop: self.delay_loop.or(outer.delay_loop),
            retry: self.retry.or(outer.retry),
            delay_before_retry: self.delay_before_retry.or(outer.delay_before_retry),
            warmup: self.warmup.or(outer.warmup),
            connect_timeout: self.connect_timeout.or(outer.connect_timeout),
        }
    }
}

/// `virtual_server` as written.
struct ServerWritten {
    target: TargetWritten,
    span: Span,
    family: Option<Family>,
    protocol: Option<Protocol>,
    scheduler: Option<String>,
    flags: ServiceFlags,
    forwarding: Option<Forwarding>,
    persistence: bool,
    persistence_timeout: u32,
    granularity: Option<u8>,
    engine: Option<String>,
    schedule: Schedule,
    inhibit: bool,
    alpha: bool,
    omega: bool,
    ha_suspend: bool,
    quorum: u32,
    hysteresis: u32,
    quorum_up: Option<ScriptRef>,
    quorum_down: Option<ScriptRef>,
    weight: Option<u32>,
    sorry: Option<(IpAddr, Option<u16>, Span)>,
    sorry_forwarding: Option<Forwarding>,
    sorry_inhibit: bool,
    smtp_alert: Option<bool>,
    virtual_host: Option<String>,
    snmp_name: Option<String>,
    real: Vec<RealWritten>,
}

const SCHEDULERS: [&str; 15] =
    ["rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "mh", "sed", "nq", "fo", "ovf", "twos", "mpd"];

impl<'t> Lower<'t> {
    /// `SSL { … }`.
    pub(super) fn ssl(&mut self, line: Line<'t>, directors: &mut Directors) {
        let Some(block) = line.block() else { return };
        if directors.ssl.is_some() {
            self.general(line.keyword().span, "SSL context already specified - replacing");
        }
        let mut ssl = SslConfig { password: None, ca: None, certificate: None, key: None };
        self.walk("SSL", block.lines(), &mut |lower, line, keyword| {
            let Some(word) = line.word(1) else { return };
            let again = match keyword {
                "password" => ssl.password.replace(Secret::new(word.text.as_bytes().to_vec())).is_some(),
                "ca" => ssl.ca.replace(word.text.to_owned()).is_some(),
                "certificate" => ssl.certificate.replace(word.text.to_owned()).is_some(),
                _ => ssl.key.replace(word.text.to_owned()).is_some(),
            };
            if again {
                let what = match keyword {
                    "password" => "password",
                    "ca" => "cafile",
                    "certificate" => "certfile",
                    _ => "keyfile",
                };
                lower.general(line.keyword().span, format!("SSL {what} already specified - replacing"));
            }
        });
        directors.ssl = Some(ssl);
    }

    /// `virtual_server … { … }`.
    pub(super) fn virtual_server(&mut self, line: Line<'t>, directors: &mut Directors, definitions: &mut Definitions) {
        let Some(block) = line.block() else { return };
        let Some(target) = self.server_target(line) else { return };
        let family = match &target {
            TargetWritten::Address { address, .. } => Some(Family::of(*address)),
            _ => None,
        };
        let mut written = ServerWritten {
            target,
            span: line.span(),
            family,
            protocol: None,
            scheduler: None,
            flags: ServiceFlags::default(),
            forwarding: None,
            persistence: false,
            persistence_timeout: 360,
            granularity: None,
            engine: None,
            schedule: Schedule::default(),
            inhibit: false,
            alpha: false,
            omega: false,
            ha_suspend: false,
            quorum: 1,
            hysteresis: 0,
            quorum_up: None,
            quorum_down: None,
            weight: None,
            sorry: None,
            sorry_forwarding: None,
            sorry_inhibit: false,
            smtp_alert: None,
            virtual_host: None,
            snmp_name: None,
            real: Vec::new(),
        };
        // what real servers inherit may stand after them
        self.walk("virtual_server", block.lines(), &mut |lower, line, keyword| {
            if keyword == "real_server" {
                let port = match written.target {
                    TargetWritten::Address { port, .. } => port,
                    _ => None,
                };
                if let Some(real) = lower.real_server(line, port, directors, definitions) {
                    written.real.push(real);
                }
            } else if !lower.schedule_line(line, keyword, "virtual server", &mut written.schedule) {
                lower.server_line(line, keyword, &mut written, directors);
            }
        });
        self.complete_server(written, directors);
    }

    fn server_target(&mut self, line: Line<'t>) -> Option<TargetWritten> {
        let first = line.word(1)?;
        match (first.text, line.word(2)) {
            ("group", Some(name)) => Some(TargetWritten::Group(name.text.to_owned())),
            ("fwmark", Some(mark)) => self
                .count(mark, 0..=u64::from(u32::MAX), |text| format!("Invalid virtual server fwmark {text} - skipping"))
                .map(|mark| TargetWritten::Mark(mark as u32)),
            (text, second) => {
                let (port, why) = match second.map(|word| unsigned(word.text, 1..=65_535)) {
                    None => (None, None),
                    Some(Ok(port)) => (Some(port as u16), None),
                    Some(Err(why)) => (None, Some(why)),
                };
                match (parse_address(text), why) {
                    (Some(address), None) => Some(TargetWritten::Address { address, port }),
                    (_, why) => {
                        let shown = match second {
                            None => printable(text),
                            Some(word) => format!("{}/{}", printable(text), printable(word.text)),
                        };
                        let what = if second.is_some() { "IP address/port" } else { "IP address" };
                        let message = format!("Invalid virtual server {what} {shown} - skipping");
                        match why {
                            Some(why) => self.bad_number(first.span, why, message),
                            None => self.general(first.span, message),
                        }
                        None
                    }
                }
            }
        }
    }

    /// Intervals and retries; `owner` is `virtual server`, `real server` or empty for a checker.
    fn schedule_line(&mut self, line: Line<'t>, keyword: &str, owner: &str, schedule: &mut Schedule) -> bool {
        let space = if owner.is_empty() { "" } else { " " };
        let word = line.word(1);
        match (keyword, word) {
            ("delay_loop", Some(word)) => {
                let found = self.timer(word, 1..=DELAY_MAX, |text| match owner {
                    "virtual server" => format!("virtual server delay loop '{text}' invalid - ignoring"),
                    "real server" => format!("real server delay_loop '{text}' invalid - ignoring"),
                    _ => format!("delay_loop '{text}' is invalid - ignoring"),
                });
                schedule.delay_loop = found.or(schedule.delay_loop);
            }
            ("delay_before_retry", Some(word)) => {
                schedule.delay_before_retry =
                    self.timer(word, 0..=DELAY_MAX, |_| String::new()).or(schedule.delay_before_retry);
            }
            ("warmup", Some(word)) => {
                schedule.warmup = self.timer(word, 0..=DELAY_MAX, |_| String::new()).or(schedule.warmup);
            }
            ("connect_timeout", Some(word)) => {
                let found = self.timer(word, 1..=TIMER_MAX, |text| {
                    format!("{owner}{space}connect_timeout {text} invalid - ignoring")
                });
                schedule.connect_timeout = found.or(schedule.connect_timeout);
            }
            ("retry", Some(word)) => {
                let least = u64::from(!owner.is_empty());
                let found = self.count(word, least..=u64::from(u32::MAX), |text| {
                    if owner.is_empty() {
                        format!("Invalid retry connection value '{text}'")
                    } else {
                        format!("retry value invalid - {text}")
                    }
                });
                schedule.retry = found.map(|retry| retry as u32).or(schedule.retry);
            }
            _ => return false,
        }
        true
    }

    fn server_line(
        &mut self,
        line: Line<'t>,
        keyword: &'static str,
        written: &mut ServerWritten,
        directors: &mut Directors,
    ) {
        let word = line.word(1);
        match (keyword, word) {
            ("ip_family", Some(word)) => {
                let family = match word.text {
                    "inet" => Family::Inet,
                    "inet6" => Family::Inet6,
                    other => {
                        self.general(word.span, format!("unknown address family {}", printable(other)));
                        return;
                    }
                };
                if written.family.is_some_and(|known| known != family) {
                    self.general(
                        word.span,
                        format!("Virtual server specified family {} conflicts with server family", word.text),
                    );
                } else {
                    written.family = Some(family);
                }
            }
            ("inhibit_on_failure", _) => written.inhibit = true,
            ("lb_algo" | "lvs_sched", Some(word)) => {
                if SCHEDULERS.contains(&word.text) {
                    written.scheduler = Some(word.text.to_owned());
                } else {
                    self.general(word.span, format!("Invalid lvs_scheduler '{}' - ignoring", printable(word.text)));
                }
            }
            ("hashed", _) if matches!(written.scheduler.as_deref(), Some("sh" | "mh")) => {}
            ("hashed", _) => self.general(line.span(), "hashed only applies to sh scheduler - ignoring"),
            ("ops", _) => written.flags.one_packet = true,
            ("flag-1", _) => written.flags.scheduler_1 = true,
            ("flag-2", _) => written.flags.scheduler_2 = true,
            ("flag-3", _) => written.flags.scheduler_3 = true,
            ("sh-port" | "sh-fallback" | "mh-port" | "mh-fallback", _) => {
                let scheduler = &keyword[..2];
                if written.scheduler.as_deref() != Some(scheduler) {
                    self.general(line.span(), format!("{keyword} only applies to {scheduler} scheduler - ignoring"));
                } else if keyword.ends_with("port") {
                    written.flags.scheduler_2 = true;
                } else {
                    written.flags.scheduler_1 = true;
                }
            }
            ("lb_kind" | "lvs_method", Some(_)) => {
                written.forwarding = self.forwarding(line, "virtual server").or(written.forwarding);
            }
            ("persistence_engine", Some(word)) => {
                if word.text.len() > 15 {
                    self.general(word.span, format!("Persistence engine name too long - {}", printable(word.text)));
                } else {
                    written.engine = Some(word.text.to_owned());
                    written.persistence = true;
                }
            }
            ("persistence_timeout", None) => {
                written.persistence = true;
                written.persistence_timeout = 360;
            }
            ("persistence_timeout", Some(word)) => {
                if let Some(seconds) = self.count(word, 1..=2_678_400, |_| "persistence_timeout invalid".into()) {
                    written.persistence = true;
                    written.persistence_timeout = seconds as u32;
                }
            }
            ("persistence_granularity", Some(word)) => self.granularity(word, written),
            ("protocol", Some(word)) => match word.text.parse() {
                Ok(protocol) => written.protocol = Some(protocol),
                Err(_) => self.general(word.span, format!("Unknown protocol {} - ignoring", printable(word.text))),
            },
            ("ha_suspend", _) => written.ha_suspend = true,
            ("smtp_alert", _) => {
                if let Some(on) =
                    self.boolean(line, |text| format!("Invalid virtual_server smtp_alert parameter {text}"))
                {
                    written.smtp_alert = Some(on);
                }
            }
            ("virtualhost", Some(word)) => written.virtual_host = Some(word.text.to_owned()),
            ("snmp_name", Some(word)) => written.snmp_name = Some(word.text.to_owned()),
            ("alpha", _) => written.alpha = true,
            ("omega", _) => written.omega = true,
            ("quorum_up" | "quorum_down", _) => {
                if let Some(script) = self.script_line(line, Runner::Checker) {
                    let script = Some(directors.script(script));
                    *(if keyword == "quorum_up" { &mut written.quorum_up } else { &mut written.quorum_down }) = script;
                }
            }
            ("quorum", Some(word)) => {
                let found = self.count(word, 1..=u64::from(u32::MAX), |text| {
                    format!("Quorum {text} must be in [1, 4294967295]. Setting to 1.")
                });
                written.quorum = found.unwrap_or(1) as u32;
            }
            ("hysteresis", Some(word)) => {
                if let Some(value) = self.count(word, 0..=u64::from(u32::MAX), |text| {
                    format!("Hysteresis {text} must be in [0, 4294967295] - ignoring")
                }) {
                    written.hysteresis = value as u32;
                }
            }
            ("weight", Some(word)) => {
                let found = self.count(word, 1..=i32::MAX as u64, |text| {
                    format!("Virtual server weight {text} is outside range 1-2147483647")
                });
                written.weight = found.map(|weight| weight as u32).or(written.weight);
            }
            ("sorry_server", Some(word)) => self.sorry_server(line, word, written),
            ("sorry_server_inhibit", _) => {
                if written.sorry.is_none() {
                    self.general(line.span(), "Ignoring sorry_server inhibit used before or without sorry_server");
                } else {
                    written.sorry_inhibit = true;
                }
            }
            ("sorry_server_lvs_method", Some(_)) => {
                if written.sorry.is_none() {
                    self.general(line.span(), "sorry_server forwarding used without sorry_server");
                } else {
                    written.sorry_forwarding = self.forwarding(line, "sorry server");
                }
            }
            _ => {}
        }
    }

    fn sorry_server(&mut self, line: Line<'t>, word: Word<'t>, written: &mut ServerWritten) {
        let port = match line.word(2) {
            None => None,
            Some(port) => {
                match self.count(port, 1..=65_535, |text| format!("Invalid sorry server port {text} - skipping")) {
                    Some(port) => Some(port as u16),
                    None => return,
                }
            }
        };
        let Some(address) = parse_address(word.text) else {
            self.general(word.span, format!("Invalid sorry server IP address {} - skipping", printable(word.text)));
            return;
        };
        if written.family.is_some_and(|family| family != Family::of(address))
            && !matches!(written.forwarding, Some(Forwarding::Tunnel(_)))
        {
            self.general(
                word.span,
                format!(
                    "Address family of virtual server and sorry server {address} don't match - skipping sorry server."
                ),
            );
            return;
        }
        written.sorry = Some((address, port, line.span()));
    }

    fn granularity(&mut self, word: Word<'t>, written: &mut ServerWritten) {
        let six = written.family == Some(Family::Inet6) || (written.family.is_none() && !word.text.contains('.'));
        if six {
            if let Some(length) =
                self.count(word, 1..=128, |text| format!("Invalid IPv6 persistence_granularity specified - {text}"))
            {
                written.granularity = Some(length as u8);
                written.persistence = true;
            }
            return;
        }
        let mask = match parse_address(word.text) {
            Some(IpAddr::V4(mask)) => u32::from(mask),
            // a bare number is an address to inet_aton; whoever writes 24 means the prefix
            _ => match unsigned(word.text, 1..=32) {
                Ok(length) => {
                    self.advise(
                        "granularity-as-prefix",
                        word.span,
                        format!("persistence_granularity {length} is taken as a prefix length"),
                    );
                    u32::MAX << (32 - length as u32)
                }
                Err(_) => {
                    self.general(
                        word.span,
                        format!("Invalid IPv4 persistence_granularity specified - {}", printable(word.text)),
                    );
                    return;
                }
            },
        };
        if mask.leading_ones() + mask.trailing_zeros() != 32 && mask != 0 {
            self.advise_why(
                "split-netmask",
                word.span,
                format!("persistence_granularity {} is no contiguous netmask", printable(word.text)),
                "only its leading ones are used",
                "write a netmask such as 255.255.255.0",
            );
        }
        written.granularity = Some(mask.leading_ones() as u8);
        written.persistence = true;
    }
}

/// `[ADDR]:proto:port`, as log lines name a server.
fn server_name(address: SocketAddr, protocol: Option<Protocol>) -> String {
    let protocol = protocol.map_or_else(|| "none".to_owned(), |protocol| protocol.to_string());
    format!("[{}]:{protocol}:{}", address.ip(), Port(address.port()))
}
