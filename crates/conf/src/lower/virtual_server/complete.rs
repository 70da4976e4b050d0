//! What a virtual server means: inherited values worked out, contradictions settled.

use std::net::SocketAddr;
use std::time::Duration;

use ipvs::{Forwarding, PersistenceConfig};
use lvs::{
    CheckerConfig, Endpoint, HttpConfig, MiscConfig, ProbeConfig, RealServerConfig, SorryServerConfig, Target,
    UdpConfig, UrlConfig, VirtualServerConfig,
};
use types::{Family, FwMark, Protocol, Weight};

use super::checker::{CheckerWritten, ProbeWritten};
use super::real_server::RealWritten;
use super::{Directors, Schedule, ServerWritten, TargetWritten, server_name};
use crate::lower::context::Lower;

impl<'t> Lower<'t> {
    pub(super) fn complete_server(&mut self, mut written: ServerWritten, directors: &mut Directors) {
        let span = written.span;
        let marked = matches!(written.target, TargetWritten::Mark(_));
        let mut name = self.service_name(&written, directors, written.protocol);
        if written.real.is_empty() {
            self.after(span, format!("Virtual server {name} has no real servers - ignoring"));
            return;
        }
        let protocol = match (marked, written.protocol) {
            (true, protocol) => {
                if protocol.is_some() {
                    self.after(
                        span,
                        format!(
                            "Warning: Virtual server {name}: protocol specified for fwmark - protocol will be ignored"
                        ),
                    );
                }
                None
            }
            (false, None) if matches!(written.target, TargetWritten::Address { .. }) => {
                self.after(span, format!("Virtual server {name}: no protocol set - defaulting to UDP"));
                Some(Protocol::Udp)
            }
            (false, None) => Some(Protocol::Udp),
            (false, protocol) => protocol,
        };
        name = self.service_name(&written, directors, protocol);
        if written.scheduler.is_none() {
            self.after(span, format!("Virtual server {name}: no scheduler set, setting default 'wlc'"));
        }
        let forwarding = written.forwarding.unwrap_or_else(|| {
            self.after(span, format!("Virtual server {name}: no forwarding method set, setting default NAT"));
            Forwarding::Masquerade
        });
        if written.flags.one_packet && !marked && protocol != Some(Protocol::Udp) {
            self.after(span, format!("Virtual server {name}: one packet scheduling requires UDP - resetting"));
            written.flags.one_packet = false;
        }
        let service_port = match written.target {
            TargetWritten::Address { port, .. } => Some(port.unwrap_or(0)),
            _ => None,
        };
        if service_port == Some(0) && !written.persistence {
            self.after(span, format!("Virtual server {name}: zero port only valid for persistent services - setting"));
            written.persistence = true;
        }
        if written.ha_suspend && marked {
            self.after(span, format!("Virtual server {name}: cannot use ha_suspend with fwmark - resetting"));
            written.ha_suspend = false;
        }
        let family = written
            .family
            .or_else(|| written.real.first().map(|real| Family::of(real.address)))
            .unwrap_or(Family::Inet);
        let real_servers = self.complete_reals(&mut written, &name, forwarding, service_port, protocol, family);
        if real_servers.is_empty() {
            self.after(span, format!("Virtual server {name} has no real servers - ignoring"));
            return;
        }
        let (quorum, hysteresis) = self.quorum(&written, &name, &real_servers);
        let target = match &written.target {
            TargetWritten::Address { address, port } => Target::Address {
                address: SocketAddr::new(*address, port.unwrap_or(0)),
                protocol: protocol.unwrap_or(Protocol::Udp),
            },
            TargetWritten::Mark(mark) => Target::Mark { mark: FwMark(*mark), family },
            TargetWritten::Group(group) => {
                *directors.uses.entry(group.clone()).or_default() += 1;
                Target::Group { name: group.clone(), protocol: protocol.unwrap_or(Protocol::Udp), family }
            }
        };
        let full = if family == Family::Inet { 32 } else { 128 };
        let smtp = &self.global.smtp;
        let server = VirtualServerConfig {
            target,
            scheduler: written.scheduler.take().unwrap_or_else(|| "wlc".into()),
            flags: written.flags,
            forwarding,
            persistence: written.persistence.then(|| PersistenceConfig {
                timeout: written.persistence_timeout,
                granularity: written.granularity.unwrap_or(full),
                engine: written.engine.take(),
            }),
            ha_suspend: written.ha_suspend,
            alpha: written.alpha,
            omega: written.omega,
            quorum,
            hysteresis,
            quorum_up: written.quorum_up,
            quorum_down: written.quorum_down,
            smtp_alert: written.smtp_alert.or(smtp.alert_checker).or(smtp.alert).unwrap_or(false),
            virtual_host: written.virtual_host.take(),
            snmp_name: written.snmp_name.take(),
            sorry_server: written.sorry.map(|(address, port, _)| {
                let forwarding = written.sorry_forwarding.unwrap_or(forwarding);
                let port = match (forwarding, service_port) {
                    (Forwarding::Masquerade, _) => port.or(service_port).unwrap_or(0),
                    (_, Some(service_port)) => service_port,
                    (_, None) => port.unwrap_or(0),
                };
                SorryServerConfig {
                    address: SocketAddr::new(address, port),
                    forwarding,
                    inhibit: written.sorry_inhibit,
                }
            }),
            real_servers,
        };
        directors.servers.push(server);
        directors.spans.push(span);
    }

    fn service_name(&self, written: &ServerWritten, directors: &Directors, protocol: Option<Protocol>) -> String {
        match &written.target {
            TargetWritten::Address { address, port } => {
                server_name(SocketAddr::new(*address, port.unwrap_or(0)), protocol)
            }
            TargetWritten::Mark(mark) => format!("FWM {mark}"),
            TargetWritten::Group(group) => format!("[{group}]:{}", directors.uses.get(group).copied().unwrap_or(0)),
        }
    }

    fn complete_reals(
        &mut self,
        written: &mut ServerWritten,
        name: &str,
        forwarding: Forwarding,
        service_port: Option<u16>,
        protocol: Option<Protocol>,
        family: Family,
    ) -> Vec<RealServerConfig> {
        let mut done: Vec<RealServerConfig> = Vec::with_capacity(written.real.len());
        let mut seen = std::collections::HashSet::with_capacity(written.real.len());
        for mut real in std::mem::take(&mut written.real) {
            let method = real.forwarding.unwrap_or(forwarding);
            if Family::of(real.address) != family
                && !matches!(method, Forwarding::Tunnel(_))
                && !matches!(written.target, TargetWritten::Group(_))
            {
                self.general(
                    real.span,
                    format!(
                        "Address family of virtual server and real server {} don't match - skipping real server.",
                        real.address
                    ),
                );
                continue;
            }
            let own_port = real.port.or(service_port).unwrap_or(0);
            let mut port = own_port;
            if method != Forwarding::Masquerade {
                let wanted =
                    service_port.unwrap_or(if matches!(written.target, TargetWritten::Mark(_)) { 0 } else { own_port });
                if wanted != own_port {
                    let shown = server_name(SocketAddr::new(real.address, own_port), protocol);
                    if service_port.is_some() {
                        self.after(
                            real.span,
                            format!(
                                "WARNING - virtual server {name} and real server {shown} ports don't match - resetting"
                            ),
                        );
                    } else {
                        self.after(
                            real.span,
                            format!("WARNING - fwmark virtual server {name}, real server {shown} has port specified - clearing"),
                        );
                    }
                    port = wanted;
                }
            }
            let address = SocketAddr::new(real.address, port);
            if !seen.insert(address) {
                self.after(
                    real.span,
                    format!(
                        "VS {name}: real server {} is duplicated - removing second rs",
                        server_name(address, protocol)
                    ),
                );
                continue;
            }
            let checked = SocketAddr::new(real.address, own_port);
            let schedule = real.schedule.within(written.schedule);
            let alpha = real.alpha.unwrap_or(written.alpha);
            let unfinished = std::mem::take(&mut real.checkers);
            // exactly as many: collecting would keep the larger allocation of what was written
            let mut checkers = Vec::with_capacity(unfinished.len());
            for checker in unfinished {
                checkers.push(self.complete_checker(checker, &real, written, checked, schedule, alpha));
            }
            let smtp = &self.global.smtp;
            let weight = real.weight.or(written.weight).unwrap_or(1);
            done.push(RealServerConfig {
                address,
                weight: Weight::saturating(i64::from(weight)),
                forwarding: method,
                upper_threshold: real.upper,
                lower_threshold: real.lower,
                inhibit_on_failure: real.inhibit.unwrap_or(written.inhibit),
                alpha,
                notify_up: real.notify_up,
                notify_down: real.notify_down,
                smtp_alert: real.smtp_alert.or(smtp.alert_checker).or(smtp.alert).unwrap_or(true),
                virtual_host: real.virtual_host,
                snmp_name: real.snmp_name,
                checkers,
            });
        }
        done.shrink_to_fit();
        done
    }

    fn quorum(&mut self, written: &ServerWritten, name: &str, reals: &[RealServerConfig]) -> (u32, u32) {
        let total: u64 = reals.iter().map(|real| u64::from(real.weight.get())).sum();
        let mut quorum = written.quorum;
        if u64::from(quorum) > total && !(quorum == 1 && total == 0) {
            self.after(
                written.span,
                format!("Warning - quorum {quorum} for {name} exceeds total weight of real servers {total}, reducing quorum to {total}"),
            );
            // with all weights 0 keepalived goes on with a quorum of 0 and a wrapped hysteresis; one live server is meant
            quorum = (total as u32).max(1);
        }
        let mut hysteresis = written.hysteresis;
        if hysteresis >= quorum {
            let reduced = quorum - 1;
            self.after(
                written.span,
                format!(
                    "Virtual server {name}: hysteresis {hysteresis} >= quorum {quorum}; setting hysteresis to {reduced}"
                ),
            );
            hysteresis = reduced;
        }
        (quorum, hysteresis)
    }

    fn complete_checker(
        &mut self,
        checker: CheckerWritten,
        real: &RealWritten,
        server: &ServerWritten,
        address: SocketAddr,
        inherited: Schedule,
        alpha: bool,
    ) -> CheckerConfig {
        let schedule = checker.schedule.within(inherited);
        let delay_loop = schedule.delay_loop.unwrap_or(Duration::from_secs(60));
        let (retry, delay_before_retry) = match &checker.probe {
            ProbeWritten::Http(_) => (1, Duration::from_secs(3)),
            ProbeWritten::Dns { .. } => (3, delay_loop),
            ProbeWritten::Misc { .. } | ProbeWritten::File { .. } | ProbeWritten::Bfd { .. } => {
                (0, Duration::from_secs(1))
            }
            _ => (1, Duration::from_secs(1)),
        };
        let written = checker.endpoint;
        let endpoint = Endpoint {
            destination: SocketAddr::new(
                written.address.unwrap_or(address.ip()),
                written.port.unwrap_or(address.port()),
            ),
            bind_address: written.bind_address,
            bind_port: written.bind_port,
            bind_interface: written.bind_interface,
            mark: written.mark.unwrap_or(FwMark(0)),
            timeout: schedule.connect_timeout.unwrap_or(Duration::from_secs(5)),
        };
        if endpoint.timeout > delay_loop
            && !matches!(
                checker.probe,
                ProbeWritten::File { .. } | ProbeWritten::Bfd { .. } | ProbeWritten::Misc { .. }
            )
        {
            self.advise(
                "timeout-above-interval",
                real.span,
                format!(
                    "a check of {address} may take longer (connect_timeout {:?}) than its delay_loop {delay_loop:?}",
                    endpoint.timeout
                ),
            );
        }
        if let ProbeWritten::Misc { timeout: Some(timeout), .. } = &checker.probe
            && *timeout > delay_loop
        {
            self.advise(
                "timeout-above-interval",
                real.span,
                format!("misc_timeout {timeout:?} of {address} is longer than its delay_loop {delay_loop:?}"),
            );
        }
        let host = real.virtual_host.as_ref().or(server.virtual_host.as_ref());
        if let ProbeWritten::File { .. } | ProbeWritten::Bfd { .. } = checker.probe {
            // these follow something else: no schedule of their own
            return CheckerConfig {
                probe: match checker.probe {
                    ProbeWritten::Bfd { name } => ProbeConfig::Bfd { name },
                    ProbeWritten::File { file, weight, reverse } => ProbeConfig::File { file, weight, reverse },
                    _ => ProbeConfig::Tcp(endpoint),
                },
                delay_loop: Duration::from_secs(60),
                retry: 0,
                delay_before_retry: Duration::from_secs(1),
                warmup: Duration::ZERO,
                alpha: checker.alpha.unwrap_or(alpha),
                log_all_failures: false,
            };
        }
        let probe = match checker.probe {
            ProbeWritten::Tcp => ProbeConfig::Tcp(endpoint),
            ProbeWritten::Ping => ProbeConfig::Ping(endpoint),
            ProbeWritten::Smtp { helo } => {
                ProbeConfig::Smtp { endpoint, helo: helo.unwrap_or_else(|| "smtpchecker.keepalived.org".into()) }
            }
            ProbeWritten::Dns { record, name } => ProbeConfig::Dns { endpoint, record, name },
            ProbeWritten::Udp { payload, require_reply, reply, least, most } => ProbeConfig::Udp(UdpConfig {
                endpoint,
                payload,
                require_reply,
                reply,
                min_reply: least,
                max_reply: most,
            }),
            ProbeWritten::Misc { script, timeout, dynamic } => ProbeConfig::Misc(MiscConfig {
                script,
                timeout: timeout.filter(|timeout| !timeout.is_zero()).unwrap_or(delay_loop),
                dynamic,
            }),
            ProbeWritten::File { file, weight, reverse } => ProbeConfig::File { file, weight, reverse },
            ProbeWritten::Bfd { name } => ProbeConfig::Bfd { name },
            ProbeWritten::Http(http) => {
                let host = http.virtual_host.as_ref().or(host);
                let urls: Vec<UrlConfig> = http
                    .urls
                    .into_iter()
                    .map(|url| UrlConfig {
                        path: url.path,
                        host: url.virtual_host.or_else(|| host.cloned()),
                        digest: url.digest,
                        status: if url.status.is_empty() { vec![(200, 299)] } else { url.status },
                        regex: url.regex,
                        tls_compliant: url.tls_compliant.unwrap_or(http.tls_compliant),
                    })
                    .collect();
                let sni = if http.sni {
                    http.sni_name.or_else(|| urls.first().and_then(|url| url.host.clone()))
                } else {
                    None
                };
                ProbeConfig::Http(HttpConfig {
                    endpoint,
                    tls: http.tls,
                    version: http.version,
                    sni,
                    fast_recovery: http.fast_recovery,
                    tls_compliant: http.tls_compliant,
                    urls,
                })
            }
        };
        CheckerConfig {
            probe,
            delay_loop,
            retry: schedule.retry.unwrap_or(retry),
            delay_before_retry: schedule.delay_before_retry.unwrap_or(delay_before_retry),
            warmup: schedule.warmup.unwrap_or(delay_loop),
            alpha: checker.alpha.unwrap_or(alpha),
            log_all_failures: checker.log_all_failures.unwrap_or(self.global.checker_log_all_failures),
        }
    }
}
