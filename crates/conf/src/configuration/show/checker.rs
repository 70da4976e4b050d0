//! `virtual_server` and what belongs to it.

use std::net::IpAddr;

use ipvs::{Forwarding, Tunnel, TunnelChecksum};
use lvs::{
    CheckerConfig, Endpoint, GroupEntry, HttpVersion, ProbeConfig, RealServerConfig, ScriptRef, Target, UrlConfig,
    VirtualServerConfig,
};
use types::{Family, Port};

use super::{Out, on_off, quoted, script, seconds, user, word};
use crate::configuration::{CheckerPart, Configuration};

pub(super) fn write(out: &mut Out, configuration: &Configuration) {
    let part = &configuration.checker;
    if let Some(ssl) = &part.brain.ssl {
        out.block("SSL", |out| {
            out.value("password", ssl.password.as_ref().map(|secret| word(&String::from_utf8_lossy(secret.expose()))));
            out.value("ca", ssl.ca.as_deref().map(word));
            out.value("certificate", ssl.certificate.as_deref().map(word));
            out.value("key", ssl.key.as_deref().map(word));
        });
    }
    for group in &part.brain.groups {
        out.block(format!("virtual_server_group {}", word(&group.name)), |out| {
            for entry in &group.entries {
                out.line(match entry {
                    GroupEntry::Range { first, last, port } => {
                        let range = if first == last { first.to_string() } else { format!("{first}-{last}") };
                        format!("{range}{}", port_text(port.0))
                    }
                    GroupEntry::Mark { mark, family } => {
                        format!(
                            "fwmark {mark}{}",
                            family.map_or("", |family| if family == Family::Inet { " inet" } else { " inet6" })
                        )
                    }
                });
            }
        });
    }
    for server in &part.brain.virtual_servers {
        let head = match &server.target {
            Target::Address { address, .. } => format!("{}{}", address.ip(), port_text(address.port())),
            Target::Mark { mark, .. } => format!("fwmark {mark}"),
            Target::Group { name, .. } => format!("group {}", word(name)),
        };
        out.block(format!("virtual_server {head}"), |out| one(out, server, part));
    }
}

fn port_text(port: u16) -> String {
    if port == 0 { String::new() } else { format!(" {port}") }
}

fn command(part: &CheckerPart, reference: Option<ScriptRef>) -> Option<&notify::Script> {
    part.scripts.get(reference?.0 as usize)
}

fn one(out: &mut Out, server: &VirtualServerConfig, part: &CheckerPart) {
    match &server.target {
        Target::Address { protocol, .. } => out.line(format!("protocol {protocol}")),
        Target::Group { protocol, family, .. } => {
            out.line(format!("protocol {protocol}"));
            out.line(if *family == Family::Inet { "ip_family inet" } else { "ip_family inet6" });
        }
        Target::Mark { family, .. } => {
            out.line(if *family == Family::Inet { "ip_family inet" } else { "ip_family inet6" })
        }
    }
    out.line(format!("lb_algo {}", server.scheduler));
    out.line(format!("lb_kind {}", forwarding(server.forwarding)));
    out.flag("ops", server.flags.one_packet);
    out.flag("flag-1", server.flags.scheduler_1);
    out.flag("flag-2", server.flags.scheduler_2);
    out.flag("flag-3", server.flags.scheduler_3);
    if let Some(persistence) = &server.persistence {
        out.line(format!("persistence_timeout {}", persistence.timeout));
        let six = match &server.target {
            Target::Address { address, .. } => address.is_ipv6(),
            Target::Mark { family, .. } | Target::Group { family, .. } => *family == Family::Inet6,
        };
        if six {
            out.line(format!("persistence_granularity {}", persistence.granularity));
        } else {
            let mask = u32::MAX.checked_shl(32 - u32::from(persistence.granularity)).unwrap_or(0);
            out.line(format!("persistence_granularity {}", IpAddr::V4(mask.into())));
        }
        out.value("persistence_engine", persistence.engine.as_deref().map(word));
    }
    out.flag("ha_suspend", server.ha_suspend);
    out.flag("alpha", server.alpha);
    out.flag("omega", server.omega);
    out.line(format!("quorum {}", server.quorum));
    out.line(format!("hysteresis {}", server.hysteresis));
    script(out, "quorum_up", command(part, server.quorum_up));
    script(out, "quorum_down", command(part, server.quorum_down));
    out.line(format!("smtp_alert {}", on_off(server.smtp_alert)));
    out.value("virtualhost", server.virtual_host.as_deref().map(word));
    out.value("snmp_name", server.snmp_name.as_deref().map(word));
    if let Some(sorry) = &server.sorry_server {
        out.line(format!("sorry_server {}{}", sorry.address.ip(), port_text(sorry.address.port())));
        out.line(format!("sorry_server_lvs_method {}", forwarding(sorry.forwarding)));
        out.flag("sorry_server_inhibit", sorry.inhibit);
    }
    for real in &server.real_servers {
        out.block(format!("real_server {}{}", real.address.ip(), port_text(real.address.port())), |out| {
            real_server(out, real, part);
        });
    }
}

fn forwarding(method: Forwarding) -> String {
    let checksum = |checksum| match checksum {
        TunnelChecksum::None => "nocsum",
        TunnelChecksum::Full => "csum",
        TunnelChecksum::Remote => "remcsum",
    };
    match method {
        Forwarding::Masquerade => "NAT".into(),
        Forwarding::DirectRoute => "DR".into(),
        Forwarding::Tunnel(Tunnel::Ipip) => "TUN type ipip".into(),
        Forwarding::Tunnel(Tunnel::Gue { port: Port(port), checksum: kind }) => {
            format!("TUN type gue port {port} {}", checksum(kind))
        }
        Forwarding::Tunnel(Tunnel::Gre { checksum: kind }) => format!("TUN type gre {}", checksum(kind)),
    }
}

fn real_server(out: &mut Out, real: &RealServerConfig, part: &CheckerPart) {
    out.line(format!("weight {}", real.weight));
    out.line(format!("lvs_method {}", forwarding(real.forwarding)));
    out.line(format!("uthreshold {}", real.upper_threshold));
    out.line(format!("lthreshold {}", real.lower_threshold));
    out.line(format!("inhibit_on_failure {}", on_off(real.inhibit_on_failure)));
    out.line(format!("alpha {}", on_off(real.alpha)));
    script(out, "notify_up", command(part, real.notify_up));
    script(out, "notify_down", command(part, real.notify_down));
    out.line(format!("smtp_alert {}", on_off(real.smtp_alert)));
    out.value("virtualhost", real.virtual_host.as_deref().map(word));
    out.value("snmp_name", real.snmp_name.as_deref().map(word));
    for checker in &real.checkers {
        let name = match &checker.probe {
            ProbeConfig::Tcp(_) => "TCP_CHECK",
            ProbeConfig::Http(http) if http.tls => "SSL_GET",
            ProbeConfig::Http(_) => "HTTP_GET",
            ProbeConfig::Smtp { .. } => "SMTP_CHECK",
            ProbeConfig::Dns { .. } => "DNS_CHECK",
            ProbeConfig::Udp(_) => "UDP_CHECK",
            ProbeConfig::Ping(_) => "PING_CHECK",
            ProbeConfig::Misc(_) => "MISC_CHECK",
            ProbeConfig::File { .. } => "FILE_CHECK",
            ProbeConfig::Bfd { .. } => "BFD_CHECK",
        };
        out.block(name, |out| check(out, checker, part));
    }
}

fn check(out: &mut Out, checker: &CheckerConfig, part: &CheckerPart) {
    let words = match &checker.probe {
        ProbeConfig::File { .. } => "file",
        ProbeConfig::Bfd { .. } => "bfd",
        _ => "",
    };
    if words.is_empty() {
        out.line(format!("delay_loop {}", seconds(checker.delay_loop)));
        out.line(format!("retry {}", checker.retry));
        out.line(format!("delay_before_retry {}", seconds(checker.delay_before_retry)));
        out.line(format!("warmup {}", seconds(checker.warmup)));
        out.line(format!("log_all_failures {}", on_off(checker.log_all_failures)));
    }
    if words != "file" {
        out.line(format!("alpha {}", on_off(checker.alpha)));
    }
    match &checker.probe {
        ProbeConfig::Tcp(at) | ProbeConfig::Ping(at) => endpoint(out, at),
        ProbeConfig::Smtp { endpoint: at, helo } => {
            endpoint(out, at);
            out.line(format!("helo_name {}", word(helo)));
        }
        ProbeConfig::Dns { endpoint: at, record, name } => {
            endpoint(out, at);
            out.line(format!("type {record}"));
            out.line(format!("name {name}"));
        }
        ProbeConfig::Udp(udp) => {
            endpoint(out, &udp.endpoint);
            let hexadecimal = |octets: &[u8]| octets.iter().map(|octet| format!("{octet:02x}")).collect::<String>();
            out.value("payload", udp.payload.as_deref().map(hexadecimal));
            if udp.require_reply {
                let digit =
                    |value: u8, mask: u8| if mask & 0xf == 0 { "x".into() } else { format!("{:x}", value & 0xf) };
                let reply: String = udp
                    .reply
                    .iter()
                    .map(|(octet, mask)| format!("{}{}", digit(octet >> 4, mask >> 4), digit(*octet, *mask)))
                    .collect();
                out.line(format!("require_reply {reply}").trim_end());
            }
            out.line(format!("min_reply_length {}", udp.min_reply));
            out.line(format!("max_reply_length {}", udp.max_reply));
        }
        ProbeConfig::Misc(misc) => {
            if let Some(command) = command(part, Some(misc.script)) {
                out.line(format!("misc_path {}", quoted(&command.text)));
                out.line(format!("user {}", user(&command.user)));
            }
            out.line(format!("misc_timeout {}", seconds(misc.timeout)));
            out.flag("misc_dynamic", misc.dynamic);
        }
        ProbeConfig::File { file, weight, reverse } => {
            out.line(format!("track_file {}", word(file)));
            out.line(format!("weight {weight}{}", if *reverse { " reverse" } else { "" }));
        }
        ProbeConfig::Bfd { name } => out.line(format!("name {}", word(name))),
        ProbeConfig::Http(http) => {
            endpoint(out, &http.endpoint);
            out.line(match http.version {
                HttpVersion::Http10 => "http_protocol 1.0",
                HttpVersion::Http10Close => "http_protocol 1.0C",
                HttpVersion::Http11 => "http_protocol 1.1",
            });
            out.value("sni_name", http.sni.as_deref().map(word));
            out.flag("fast_recovery", http.fast_recovery);
            if http.tls {
                out.line(format!("tls_compliant {}", on_off(http.tls_compliant)));
            }
            for request in &http.urls {
                out.block("url", |out| url(out, request, http.tls));
            }
        }
    }
}

fn endpoint(out: &mut Out, endpoint: &Endpoint) {
    out.line(format!("connect_ip {}", endpoint.destination.ip()));
    let port = endpoint.destination.port();
    out.value("connect_port", (port != 0).then_some(port));
    out.value("bindto", endpoint.bind_address);
    out.value("bind_port", endpoint.bind_port);
    out.value("bind_if", endpoint.bind_interface.as_ref());
    out.line(format!("fwmark {}", endpoint.mark));
    out.line(format!("connect_timeout {}", seconds(endpoint.timeout)));
}

fn url(out: &mut Out, url: &UrlConfig, tls: bool) {
    out.line(format!("path {}", word(&url.path)));
    out.value("virtualhost", url.host.as_deref().map(word));
    out.value("digest", url.digest.map(|octets| octets.iter().map(|octet| format!("{octet:02x}")).collect::<String>()));
    let codes: Vec<String> = url.status.iter().map(|(low, high)| format!("{low}-{high}")).collect();
    out.line(format!("status_code {}", codes.join(" ")));
    if let Some(regex) = &url.regex {
        out.line(format!("regex {}", quoted(&regex.pattern)));
        if !regex.options.is_empty() {
            out.line(format!("regex_options {}", regex.options.join(" ")));
        }
        out.flag("regex_no_match", regex.no_match);
        out.line(format!("regex_min_offset {}", regex.min_offset));
        out.value("regex_max_offset", regex.max_offset);
        if let Some((start, most)) = regex.stack {
            out.line(format!("regex_stack {start} {most}"));
        }
    }
    if tls {
        out.line(format!("tls_compliant {}", on_off(url.tls_compliant)));
    }
}
