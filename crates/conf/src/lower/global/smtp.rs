//! Mail settings.

use std::net::SocketAddr;
use std::time::Duration;

use notify::Mail;

use crate::diagnostic::{Class, Diagnostic};
use crate::lower::context::{Lower, printable};
use crate::lower::system::{Fact, resolve_first};
use crate::tree::Line;

/// What `global_defs` says about mail.
#[derive(Debug, Clone, Default)]
pub(in crate::lower) struct SmtpSettings {
    server: Option<SocketAddr>,
    helo: Option<String>,
    from: Option<String>,
    timeout: Option<Duration>,
    recipients: Vec<String>,
    no_faults: bool,
    no_checkers: bool,
    /// `smtp_alert`.
    pub(in crate::lower) alert: Option<bool>,
    /// `smtp_alert_vrrp`.
    pub(in crate::lower) alert_vrrp: Option<bool>,
    /// `smtp_alert_checker`.
    pub(in crate::lower) alert_checker: Option<bool>,
}

impl<'t> Lower<'t> {
    /// Whether the keyword was one of these.
    pub(super) fn smtp_line(&mut self, line: Line<'t>, keyword: &'static str) -> bool {
        let word = line.word(1);
        match keyword {
            "notification_email_from" => self.global.smtp.from = word.map(|_| rest_of_line(line)),
            "smtp_helo_name" => self.global.smtp.helo = word.map(|word| word.text.to_owned()),
            "smtp_server" => {
                let Some(host) = word else { return true };
                let port = match line.word(2) {
                    None => 25,
                    Some(port) => {
                        match self.count(port, 1..=65_535, |t| format!("Invalid port {t} for smtp server - using 25")) {
                            Some(port) => port as u16,
                            None => 25,
                        }
                    }
                };
                match resolve_first(self.system, host.text, port) {
                    Fact::Known(Some(address)) => self.global.smtp.server = Some(address),
                    Fact::Known(None) => {
                        let message = format!("Invalid smtp server {} {port}", printable(host.text));
                        self.found.push(
                            Diagnostic::new(Class::GeneralError, "unresolved", message)
                                .at(host.span)
                                .consequence("no mail will be sent")
                                .help("the name must resolve while the configuration is read; use an address"),
                        );
                    }
                    Fact::Unknown => {}
                }
            }
            "smtp_connect_timeout" => {
                if let Some(word) = word
                    && let Some(seconds) = self.count(word, 0..=4294, |t| {
                        format!("smtp_connect_timeout '{t}' must be in [0, 4294] - ignoring")
                    })
                {
                    self.global.smtp.timeout = Some(Duration::from_secs(seconds.max(1)));
                }
            }
            "notification_email" => {
                let before = self.global.smtp.recipients.len();
                for line in line.block().into_iter().flat_map(|block| block.lines()) {
                    self.global.smtp.recipients.extend(addresses(line));
                }
                if self.global.smtp.recipients.len() == before {
                    self.general(
                        line.block().and_then(|block| block.closing()).unwrap_or(line.span()),
                        "Warning - empty notification_email block",
                    );
                }
            }
            "smtp_alert" | "smtp_alert_vrrp" | "smtp_alert_checker" => {
                let value = self.boolean(line, |t| format!("Invalid value '{t}' for global {keyword} specified"));
                let smtp = &mut self.global.smtp;
                let place = match keyword {
                    "smtp_alert" => &mut smtp.alert,
                    "smtp_alert_vrrp" => &mut smtp.alert_vrrp,
                    _ => &mut smtp.alert_checker,
                };
                *place = value.or(*place);
            }
            "no_email_faults" => self.global.smtp.no_faults = true,
            "no_checker_emails" => {
                if let Some(on) =
                    self.boolean(line, |t| format!("Invalid value '{t}' for global no_checker_emails specified"))
                {
                    self.global.smtp.no_checkers = on;
                }
            }
            _ => return false,
        }
        true
    }

    /// Puts the mail settings together: mail needs a server and at least one recipient.
    pub(super) fn finish_mail(&mut self) {
        let smtp = self.global.smtp.clone();
        if let Some(server) = smtp.server
            && !smtp.recipients.is_empty()
        {
            let host = self.system.host_name();
            self.global.out.mail = Some(Mail {
                recipients: smtp.recipients,
                from: smtp.from.unwrap_or_else(|| format!("root@{host}")),
                server,
                helo: smtp.helo.unwrap_or_else(|| host.clone()),
                timeout: smtp.timeout.unwrap_or(Duration::from_secs(30)),
                router_id: self.global.out.router_id.clone().unwrap_or(host),
                no_faults: smtp.no_faults,
                no_checkers: smtp.no_checkers,
            });
        }
    }
}

/// `Name <a@b>` is one address: the words up to one in angle brackets belong together.
fn addresses(line: Line<'_>) -> Vec<String> {
    let mut found = Vec::new();
    let mut name: Vec<&str> = Vec::new();
    for word in line.words() {
        if word.text.starts_with('<') && !name.is_empty() {
            name.push(word.text);
            found.push(name.join(" "));
            name.clear();
        } else if word.text.contains('@') {
            found.push(word.text.to_owned());
            name.clear();
        } else {
            name.push(word.text);
        }
    }
    found.extend(name.into_iter().map(str::to_owned));
    found
}

fn rest_of_line(line: Line<'_>) -> String {
    line.arguments().map(|word| word.text).collect::<Vec<_>>().join(" ")
}
