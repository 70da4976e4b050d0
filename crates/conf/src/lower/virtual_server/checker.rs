//! Checkers of a real server: as written.

use std::net::IpAddr;
use std::time::Duration;

use lvs::ScriptRef;
use types::{FwMark, IfName, Port};

use super::http::{HttpWritten, UrlWritten};
use super::{Directors, Schedule};
use crate::diagnostic::Class;
use crate::lower::context::{Lower, printable};
use crate::lower::script::{Role, Runner};
use crate::lower::tracking::Definitions;
use crate::lower::value::{DELAY_MAX, parse_address, switch};
use crate::tree::{Block, Line};

/// From where and to where, as written.
#[derive(Debug, Clone, Default)]
pub(super) struct EndpointWritten {
    pub(super) address: Option<IpAddr>,
    pub(super) port: Option<u16>,
    pub(super) bind_address: Option<IpAddr>,
    pub(super) bind_port: Option<Port>,
    pub(super) bind_interface: Option<IfName>,
    pub(super) mark: Option<FwMark>,
}

/// What a checker does, as written.
pub(super) enum ProbeWritten {
    Tcp,
    Http(HttpWritten),
    Smtp { helo: Option<String> },
    Dns { record: String, name: String },
    Udp { payload: Option<Vec<u8>>, require_reply: bool, reply: Vec<(u8, u8)>, least: usize, most: usize },
    Ping,
    Misc { script: ScriptRef, timeout: Option<Duration>, dynamic: bool },
    File { file: String, weight: i64, reverse: bool },
    Bfd { name: String },
}

/// A checker as written.
pub(super) struct CheckerWritten {
    pub(super) probe: ProbeWritten,
    pub(super) endpoint: EndpointWritten,
    pub(super) schedule: Schedule,
    pub(super) alpha: Option<bool>,
    pub(super) log_all_failures: Option<bool>,
}

impl CheckerWritten {
    fn new(probe: ProbeWritten) -> Self {
        Self {
            probe,
            endpoint: EndpointWritten::default(),
            schedule: Schedule::default(),
            alpha: None,
            log_all_failures: None,
        }
    }
}

const DNS_TYPES: [&str; 9] = ["A", "NS", "CNAME", "SOA", "MX", "TXT", "AAAA", "RRSIG", "DNSKEY"];

impl<'t> Lower<'t> {
    pub(super) fn checker(
        &mut self,
        line: Line<'t>,
        keyword: &'static str,
        directors: &mut Directors,
        definitions: &mut Definitions,
    ) -> Option<CheckerWritten> {
        let block = line.block()?;
        match keyword {
            "TCP_CHECK" => Some(self.simple_checker("virtual_server/real_server/TCP_CHECK", block, ProbeWritten::Tcp)),
            "PING_CHECK" => {
                Some(self.simple_checker("virtual_server/real_server/PING_CHECK", block, ProbeWritten::Ping))
            }
            "HTTP_GET" => self.http_checker("virtual_server/real_server/HTTP_GET", block, false),
            "SSL_GET" => self.http_checker("virtual_server/real_server/SSL_GET", block, true),
            "SMTP_CHECK" => Some(self.smtp_checker(block)),
            "DNS_CHECK" => Some(self.dns_checker(block)),
            "UDP_CHECK" => Some(self.udp_checker(block)),
            "MISC_CHECK" => self.misc_checker(line, block, directors),
            "FILE_CHECK" => self.file_checker(block, directors, definitions),
            "BFD_CHECK" => self.bfd_checker(block, definitions),
            _ => None,
        }
    }

    /// What every checker has; whether the keyword was one of it.
    pub(super) fn checker_line(&mut self, line: Line<'t>, keyword: &'static str, checker: &mut CheckerWritten) -> bool {
        if self.schedule_line(line, keyword, "", &mut checker.schedule) {
            return true;
        }
        match (keyword, line.word(1)) {
            ("alpha" | "log_all_failures", word) => {
                let value = match word {
                    None => true,
                    Some(word) => match switch(word.text) {
                        Some(value) => value,
                        None => {
                            self.general(word.span, format!("Invalid {keyword} parameter {}", printable(word.text)));
                            return true;
                        }
                    },
                };
                *(if keyword == "alpha" { &mut checker.alpha } else { &mut checker.log_all_failures }) = Some(value);
            }
            ("connect_ip" | "bindto", Some(word)) => match parse_address(word.text) {
                Some(address) => {
                    let endpoint = &mut checker.endpoint;
                    *(if keyword == "bindto" { &mut endpoint.bind_address } else { &mut endpoint.address }) =
                        Some(address);
                }
                None => {
                    self.general(word.span, format!("Invalid {keyword} address {} - ignoring", printable(word.text)));
                }
            },
            ("connect_port" | "bind_port", Some(word)) => {
                if let Some(port) = self.count(word, 1..=65_535, |text| format!("Invalid checker {keyword} '{text}'")) {
                    if keyword == "bind_port" {
                        checker.endpoint.bind_port = Some(Port(port as u16));
                    } else {
                        checker.endpoint.port = Some(port as u16);
                    }
                }
            }
            ("bind_if", Some(word)) => checker.endpoint.bind_interface = self.interface_name(word),
            ("fwmark", Some(word)) => {
                let mark = self
                    .count(word, 0..=u64::from(u32::MAX), |text| format!("Invalid fwmark connection value '{text}'"));
                checker.endpoint.mark = mark.map(|mark| FwMark(mark as u32)).or(checker.endpoint.mark);
            }
            _ => return false,
        }
        true
    }

    fn simple_checker(&mut self, path: &'static str, block: Block<'t>, probe: ProbeWritten) -> CheckerWritten {
        let mut checker = CheckerWritten::new(probe);
        self.walk(path, block.lines(), &mut |lower, line, keyword| {
            lower.checker_line(line, keyword, &mut checker);
        });
        checker
    }

    fn http_checker(&mut self, path: &'static str, block: Block<'t>, tls: bool) -> Option<CheckerWritten> {
        let mut checker = CheckerWritten::new(ProbeWritten::Tcp);
        let mut http = HttpWritten::new(tls);
        let mut urls: Vec<UrlWritten> = Vec::new();
        self.walk(path, block.lines(), &mut |lower, line, keyword| {
            if keyword == "nb_get_retry" {
                lower.error(
                    Class::Deprecated,
                    "deprecated",
                    line.keyword().span,
                    "nb_get_retry is deprecated - please use 'retry'",
                );
                if let Some(word) = line.word(1) {
                    let retry = lower
                        .count(word, 0..=u64::from(u32::MAX), |text| format!("Invalid nb_get_retry value '{text}'"));
                    checker.schedule.retry = retry.map(|retry| retry as u32).or(checker.schedule.retry);
                }
            } else if keyword == "url" {
                let path = if tls {
                    "virtual_server/real_server/SSL_GET/url"
                } else {
                    "virtual_server/real_server/HTTP_GET/url"
                };
                urls.extend(lower.url(path, line));
            } else if !lower.checker_line(line, keyword, &mut checker) {
                lower.http_line(line, keyword, &mut http);
            }
        });
        if urls.is_empty() {
            self.general(
                block.closing().unwrap_or(block.opening()),
                "HTTP/SSL_GET checker has no urls specified - ignoring",
            );
            return None;
        }
        http.urls = urls;
        checker.probe = ProbeWritten::Http(http);
        Some(checker)
    }

    fn smtp_checker(&mut self, block: Block<'t>) -> CheckerWritten {
        let mut checker = CheckerWritten::new(ProbeWritten::Tcp);
        let mut helo = None;
        self.walk("virtual_server/real_server/SMTP_CHECK", block.lines(), &mut |lower, line, keyword| match (
            keyword,
            line.word(1),
        ) {
            ("helo_name", Some(word)) => helo = Some(word.text.to_owned()),
            ("host", _) => {
                lower.advise(
                    "deprecated",
                    line.keyword().span,
                    "the host block of SMTP_CHECK is deprecated; write one SMTP_CHECK for each address",
                );
                if let Some(block) = line.block() {
                    lower.walk(
                        "virtual_server/real_server/SMTP_CHECK/host",
                        block.lines(),
                        &mut |lower, line, keyword| {
                            lower.checker_line(line, keyword, &mut checker);
                        },
                    );
                }
            }
            _ => {
                lower.checker_line(line, keyword, &mut checker);
            }
        });
        checker.probe = ProbeWritten::Smtp { helo };
        checker
    }

    fn dns_checker(&mut self, block: Block<'t>) -> CheckerWritten {
        let mut checker = CheckerWritten::new(ProbeWritten::Tcp);
        let (mut record, mut name) = ("SOA".to_owned(), ".".to_owned());
        self.walk("virtual_server/real_server/DNS_CHECK", block.lines(), &mut |lower, line, keyword| match (
            keyword,
            line.word(1),
        ) {
            ("type", Some(word)) => match DNS_TYPES.iter().find(|known| known.eq_ignore_ascii_case(word.text)) {
                Some(known) => record = (*known).to_owned(),
                None => lower.general(word.span, format!("Unknown DNS check type {} - ignoring", printable(word.text))),
            },
            ("name", Some(word)) => {
                let labels = word.text.trim_end_matches('.');
                if word.text != "."
                    && (labels.len() > 253 || labels.split('.').any(|label| label.is_empty() || label.len() > 63))
                {
                    lower.general(
                        word.span,
                        format!("DNS_CHECK name {} is no domain name - ignoring", printable(word.text)),
                    );
                } else {
                    name = word.text.to_owned();
                }
            }
            _ => {
                lower.checker_line(line, keyword, &mut checker);
            }
        });
        checker.probe = ProbeWritten::Dns { record, name };
        checker
    }

    fn udp_checker(&mut self, block: Block<'t>) -> CheckerWritten {
        let mut checker = CheckerWritten::new(ProbeWritten::Tcp);
        let (mut payload, mut require_reply, mut reply, mut least, mut most) = (None, false, Vec::new(), 0, 255);
        self.walk("virtual_server/real_server/UDP_CHECK", block.lines(), &mut |lower, line, keyword| match (
            keyword,
            line.word(1),
        ) {
            ("payload", _) => match nibbles(line) {
                Some(octets) if octets.iter().all(|(_, mask)| *mask == 0xff) => {
                    payload = Some(octets.into_iter().map(|(octet, _)| octet).collect());
                }
                _ => lower.general(line.span(), "UDP_CHECK payload is not hexadecimal - ignoring"),
            },
            ("require_reply", _) => {
                require_reply = true;
                match nibbles(line) {
                    Some(octets) => reply = octets,
                    None => lower.general(line.span(), "UDP_CHECK reply is not hexadecimal - ignoring"),
                }
            }
            ("min_reply_length" | "max_reply_length", Some(word)) => {
                let which = if keyword == "min_reply_length" { "min" } else { "max" };
                if let Some(length) = lower.count(word, 0..=65_535, |text| {
                    format!("UDP_CHECK {which} length {text} not valid - must be between 0 & 65535")
                }) {
                    *(if which == "min" { &mut least } else { &mut most }) = length as usize;
                }
            }
            _ => {
                lower.checker_line(line, keyword, &mut checker);
            }
        });
        checker.probe = ProbeWritten::Udp { payload, require_reply, reply, least, most };
        checker
    }

    fn misc_checker(&mut self, line: Line<'t>, block: Block<'t>, directors: &mut Directors) -> Option<CheckerWritten> {
        let mut checker = CheckerWritten::new(ProbeWritten::Tcp);
        let (mut command, mut user, mut refused, mut timeout, mut dynamic) = (None, None, false, None, false);
        self.walk("virtual_server/real_server/MISC_CHECK", block.lines(), &mut |lower, line, keyword| match (
            keyword,
            line.word(1),
        ) {
            ("misc_path", _) => command = lower.command(line).or(command.take()),
            ("misc_timeout", Some(word)) => {
                timeout =
                    lower.timer(word, 0..=DELAY_MAX, |text| format!("Invalid misc_timeout value '{text}'")).or(timeout);
            }
            ("misc_dynamic", _) => dynamic = true,
            ("user", Some(word)) => match lower.user(word.text, line.word(2).map(|word| word.text), word.span) {
                Some(found) => user = Some(found),
                None => {
                    refused = true;
                    let text = command.clone().unwrap_or_default();
                    lower.general(
                        word.span,
                        format!("Failed to set uid/gid for misc checker script {} - removing", printable(&text)),
                    );
                }
            },
            _ => {
                lower.checker_line(line, keyword, &mut checker);
            }
        });
        let end = block.closing().unwrap_or(line.span());
        let Some(command) = command else {
            self.general(end, "No script path has been specified for MISC_CHECKER - skipping");
            return None;
        };
        if refused {
            return None;
        }
        let Some(user) = user.or_else(|| self.script_user_or_tell(end)) else {
            self.general(end, format!("Unable to set default user for misc script {} - removing", printable(&command)));
            return None;
        };
        let script = self.script(&command, user, line.span(), Runner::Checker, Role::Misc)?;
        checker.probe = ProbeWritten::Misc { script: directors.script(script), timeout, dynamic };
        Some(checker)
    }

    fn file_checker(
        &mut self,
        block: Block<'t>,
        directors: &mut Directors,
        definitions: &mut Definitions,
    ) -> Option<CheckerWritten> {
        let mut checker = CheckerWritten::new(ProbeWritten::Tcp);
        let mut file: Option<String> = None;
        let mut own = None;
        let mut inherited = (1, false);
        self.walk("virtual_server/real_server/FILE_CHECK", block.lines(), &mut |lower, line, keyword| match (
            keyword,
            line.word(1),
        ) {
            ("track_file", Some(word)) => match definitions.files.get_mut(word.text) {
                Some(found) => {
                    inherited = (found.weight, found.reverse);
                    let path = found.value.path.clone();
                    if !directors.files.iter().any(|(name, _)| name == word.text) {
                        directors.files.push((word.text.to_owned(), path));
                    }
                    file = Some(word.text.to_owned());
                }
                None => lower.general(word.span, format!("track_file {} not found", printable(word.text))),
            },
            ("weight", Some(word)) => {
                own = lower
                    .weight(line, word, i64::from(i32::MAX), |_| {
                        "weight for track file must be in [-2147483647..2147483647] inclusive. Ignoring...".into()
                    })
                    .or(own);
            }
            _ => {
                lower.checker_line(line, keyword, &mut checker);
            }
        });
        let Some(file) = file else {
            self.general(
                block.closing().unwrap_or(block.opening()),
                "FILE_CHECK has no track_file specified - ignoring",
            );
            return None;
        };
        let (weight, reverse) = own.unwrap_or(inherited);
        checker.probe = ProbeWritten::File { file, weight, reverse };
        Some(checker)
    }

    fn bfd_checker(&mut self, block: Block<'t>, definitions: &mut Definitions) -> Option<CheckerWritten> {
        let mut checker = CheckerWritten::new(ProbeWritten::Tcp);
        let mut name: Option<String> = None;
        let mut refused = false;
        self.walk("virtual_server/real_server/BFD_CHECK", block.lines(), &mut |lower, line, keyword| match (
            keyword,
            line.word(1),
        ) {
            ("name", Some(word)) if definitions.bfds.was_refused(word.text) => refused = true,
            ("name", Some(word)) => match definitions.bfds.get_mut(word.text) {
                Some(_) => name = Some(word.text.to_owned()),
                None => lower.general(word.span, format!("BFD_CHECK - BFD {} not configured", printable(word.text))),
            },
            _ => {
                lower.checker_line(line, keyword, &mut checker);
            }
        });
        if refused {
            return None;
        }
        let Some(name) = name else {
            self.general(
                block.closing().unwrap_or(block.opening()),
                "No name has been specified for BFD_CHECKER - skipping",
            );
            return None;
        };
        checker.probe = ProbeWritten::Bfd { name };
        Some(checker)
    }
}

/// Hexadecimal digits over all words, `x` for any: octets with the mask of the nibbles that matter.
fn nibbles(line: Line<'_>) -> Option<Vec<(u8, u8)>> {
    let digits: Vec<char> = line.arguments().flat_map(|word| word.text.chars()).collect();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    digits
        .chunks(2)
        .map(|pair| {
            let mut octet = 0;
            let mut mask = 0;
            for digit in pair {
                octet <<= 4;
                mask <<= 4;
                if !digit.eq_ignore_ascii_case(&'x') {
                    octet |= digit.to_digit(16)? as u8;
                    mask |= 0xf;
                }
            }
            Some((octet, mask))
        })
        .collect()
}
