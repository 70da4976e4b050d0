//! What the lowering of every block shares: the walk over lines by the keyword table, and the telling of mistakes.

use std::collections::HashSet;

use super::global::Globals;
use super::system::System;
use crate::diagnostic::{Class, Diagnostic, Diagnostics, did_you_mean};
use crate::source::Span;
use crate::table::{self, Known, Row, Status};
use crate::tree::{Line, Lines, StrayBrace};

/// State of one lowering.
pub(super) struct Lower<'t> {
    pub(super) system: &'t dyn System,
    pub(super) found: Diagnostics,
    pub(super) not_yet: Vec<(&'static str, &'static str)>,
    told_not_yet: HashSet<&'static str>,
    /// `global_defs` and the top-level settings, read before everything else.
    pub(super) global: Globals,
    /// A script that root runs was configured while `enable_script_security` is absent.
    pub(super) insecure_scripts: [bool; 2],
    /// An interface that does not exist was named.
    pub(super) missing_interface: bool,
}

impl<'t> Lower<'t> {
    pub(super) fn new(system: &'t dyn System, found: Diagnostics) -> Self {
        Self {
            system,
            found,
            not_yet: Vec::new(),
            told_not_yet: HashSet::new(),
            global: Globals::default(),
            insecure_scripts: [false; 2],
            missing_interface: false,
        }
    }

    /// Hand every line of a block whose keyword the block at `path` has to `handle`; tell of the others.
    pub(super) fn walk(
        &mut self,
        path: &'static str,
        lines: Lines<'t>,
        handle: &mut dyn FnMut(&mut Self, Line<'t>, &'static str),
    ) {
        let Some(words) = table::block(path) else { return };
        for line in lines {
            match line.stray_brace() {
                Some(StrayBrace::Closing) => continue,
                Some(StrayBrace::Opening) => {
                    if let Some(block) = line.block() {
                        self.unexpected_brace(block.opening());
                        self.walk(path, block.lines(), handle);
                    }
                    continue;
                }
                None => {}
            }
            let keyword = line.keyword();
            if !keyword.quoted && keyword.text.starts_with(['#', '!']) {
                // a comment that a definition made
                continue;
            }
            let Some(known) = words.known(keyword.text).filter(|known| !known.row.keyword.starts_with('<')) else {
                self.unknown_keyword(path, line);
                if let Some(block) = line.block() {
                    // keepalived reads on as if the braces were not there; we only tell what it would not know either
                    self.unexpected_brace(block.opening());
                    self.tell_unknown(path, block.lines());
                }
                continue;
            };
            let row = known.row;
            self.check_status(row, keyword.span);
            match (known.takes_block, line.block()) {
                (true, None) => {
                    self.error(
                        Class::MissingBrace,
                        "missing-brace",
                        keyword.span,
                        "Missing '{' at beginning of configuration block",
                    );
                    continue;
                }
                (false, Some(block)) => {
                    if self.check_words(path, known, line) {
                        handle(self, line, row.keyword);
                    }
                    self.unexpected_brace(block.opening());
                    self.walk(path, block.lines(), handle);
                    continue;
                }
                _ => {}
            }
            if self.check_words(path, known, line) {
                handle(self, line, row.keyword);
            }
        }
    }

    /// Report the words of an unknown block that nobody knows here.
    fn tell_unknown(&mut self, path: &'static str, lines: Lines<'t>) {
        let Some(words) = table::block(path) else { return };
        for line in lines {
            if !line.is_empty() && words.get(line.keyword().text).is_none() {
                self.unknown_keyword(path, line);
            }
            if let Some(block) = line.block() {
                self.tell_unknown(path, block.lines());
            }
        }
    }

    fn unknown_keyword(&mut self, path: &'static str, line: Line<'t>) {
        let keyword = line.keyword();
        let mut diagnostic = Diagnostic::new(
            Class::UnknownKeyword,
            "unknown-keyword",
            format!("Unknown keyword '{}'", printable(keyword.text)),
        )
        .at(keyword.span)
        .consequence("the line is ignored");
        let here = table::block(path).into_iter().flat_map(table::BlockWords::rows).map(|row| row.keyword);
        if let Some(near) = did_you_mean(keyword.text, here) {
            diagnostic = diagnostic.help(format!("did you mean '{near}'?"));
        } else {
            let elsewhere = table::blocks_with(keyword.text);
            if let Some(first) = elsewhere.first() {
                diagnostic = diagnostic.help(match *first {
                    "(top)" => format!("'{}' belongs at the top of the file, outside every block", keyword.text),
                    first => format!("'{}' belongs in {first}", keyword.text),
                });
            }
        }
        self.found.push(diagnostic);
    }

    fn unexpected_brace(&mut self, span: Span) {
        self.error(Class::UnexpectedBrace, "unexpected-brace", span, "Unexpected '{' - ignoring");
    }

    fn check_status(&mut self, row: &'static Row, span: Span) {
        if let Status::NotYet(reason) = row.status
            && self.told_not_yet.insert(row.keyword)
        {
            self.not_yet.push((row.keyword, reason));
            self.found.push(
                Diagnostic::new(
                    Class::GeneralError,
                    "not-honoured-yet",
                    format!("Keyword '{}' is not honoured yet", row.keyword),
                )
                .at(span)
                .consequence(reason)
                .help("remove it, or wait for a release that honours it"),
            );
        }
    }

    /// Whether the words after the keyword suffice to look at them.
    fn check_words(&mut self, path: &'static str, known: Known, line: Line<'t>) -> bool {
        let row = known.row;
        let words = line.len();
        if words > 1 && known.takes_words {
            return true;
        }
        let keyword = line.keyword();
        if words == 1 && known.needs_word {
            match missing_text(path, row.keyword) {
                Some("") => return true,
                Some(text) => self.error(Class::MissingParameter, "missing-argument", keyword.span, text),
                None => self.found.push(
                    Diagnostic::new(
                        Class::MissingArgument,
                        "missing-argument",
                        format!(
                            "*** Configuration line starting `{0}` is missing a parameter after keyword `{0}` at word position 2",
                            row.keyword
                        ),
                    )
                    .at(keyword.span)
                    .help(format!("{} {}", row.keyword, row.arguments)),
                ),
            }
            return false;
        }
        if words > 1 {
            if known.takes_block {
                let text =
                    format!("Block {} has extra parameters {} ...", row.keyword, line.word(1).map_or("", |w| w.text));
                self.error(Class::GeneralError, "surplus-words", keyword.span, text);
            } else if row.keyword != "notify_deleted" {
                self.advise("surplus-words", line.span(), format!("'{}' takes no argument", row.keyword));
            }
        }
        true
    }

    /// A mistake with keepalived's words.
    pub(super) fn error(&mut self, class: Class, code: &'static str, span: Span, message: impl Into<String>) {
        self.found.push(Diagnostic::new(class, code, message).at(span));
    }

    /// A general error, the commonest.
    pub(super) fn general(&mut self, span: Span, message: impl Into<String>) {
        self.error(Class::GeneralError, "invalid-value", span, message);
    }

    /// What keepalived finds after reading: no line number in the first line.
    pub(super) fn after(&mut self, span: Span, message: impl Into<String>) {
        self.found.push(Diagnostic::new(Class::GeneralError, "inconsistent", message).about(span));
    }

    /// What parses but surely was not meant.
    pub(super) fn advise(&mut self, code: &'static str, span: Span, message: impl Into<String>) {
        self.found.push(Diagnostic::new(Class::Advice, code, message).about(span));
    }

    /// The same, with what happens and what to do.
    pub(super) fn advise_why(
        &mut self,
        code: &'static str,
        span: Span,
        message: impl Into<String>,
        consequence: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.found.push(Diagnostic::new(Class::Advice, code, message).about(span).consequence(consequence).help(help));
    }
}

/// A word for a message: bounded, and without control characters.
pub(super) fn printable(text: &str) -> String {
    let mut clean: String = text.chars().take(200).map(|c| if c.is_control() { '?' } else { c }).collect();
    if text.chars().nth(200).is_some() {
        clean.push('…');
    }
    clean
}

/// What keepalived says of a keyword without its argument, where that is not its abrupt end of reading (observed on 2.2.7).
/// Empty text: the handler tells it.
fn missing_text(path: &str, keyword: &str) -> Option<&'static str> {
    Some(match (path, keyword) {
        ("(top)", "net_namespace") => "net_namespace name missing - ignoring",
        ("(top)", "instance") => "instance name missing - ignoring",
        ("(top)", "track_group") => "track_group must have a name - skipping",
        ("(top)", "vrrp_sync_group") => "vrrp_sync_group must have a name - skipping",
        ("(top)", "vrrp_instance") => "vrrp_instance must have a name",
        ("global_defs", word) => match word {
            "router_id" => "routerid name missing - ignoring",
            "notification_email_from" => "emailfrom missing - ignoring",
            "smtp_helo_name" => "smtp_helo_name missing - ignoring",
            "startup_script" => "startup script missing",
            "startup_script_timeout" => "startup_script_timeout requires value",
            "shutdown_script" => "shutdown script missing",
            "shutdown_script_timeout" => "shutdown_script_timeout requires value",
            "min_auto_priority_delay" => "min_auto_priority_delay requires delay time",
            "default_interface" => "default_interface requires interface name",
            "lvs_sync_daemon" => "lvs_sync_daemon requires interface",
            "vrrp_priority" => "No vrrp process priority specified",
            "vrrp_rt_priority" => "No vrrp process real-time priority specified",
            "vrrp_cpu_affinity" => "No vrrp cpu_id set specified",
            "checker_priority" => "No checker process priority specified",
            "checker_rt_priority" => "No checker process real-time priority specified",
            "checker_cpu_affinity" => "No checker cpu_id set specified",
            "bfd_priority" => "No bfd process priority specified",
            "bfd_rt_priority" => "No bfd process real-time priority specified",
            "bfd_cpu_affinity" => "No bfd cpu_id set specified",
            "notify_fifo" => "No notify_fifo name specified",
            "notify_fifo_script" => "No notify_fifo_script specified",
            "vrrp_notify_fifo" => "No vrrp_notify_fifo name specified",
            "vrrp_notify_fifo_script" => "No vrrp_notify_fifo_script specified",
            "lvs_notify_fifo" => "No lvs_notify_fifo name specified",
            "lvs_notify_fifo_script" => "No lvs_notify_fifo_script specified",
            "snmp_socket" => "SNMP error : snmp socket name missing",
            "dbus_service_name" => "dbus_service_name missing - ignoring",
            "script_user" => "No script username specified",
            "vrrp_netlink_cmd_rcv_bufs" => "vrrp_netlink_cmd_rcv_bufs size missing",
            "vrrp_netlink_monitor_rcv_bufs" => "vrrp_netlink_monitor_rcv_bufs size missing",
            "process_monitor_rcv_bufs" => "process_monitor_rcv_bufs size missing",
            "lvs_netlink_cmd_rcv_bufs" => "lvs_netlink_cmd_rcv_bufs size missing",
            "lvs_netlink_monitor_rcv_bufs" => "lvs_netlink_monitor_rcv_bufs size missing",
            "vrrp_rx_bufs_policy" => "vrrp_rx_bufs_policy missing",
            "vrrp_rx_bufs_multiplier" => "Invalid vrrp_rx_bufs_multiplier",
            "reload_time_file" => "reload_time_file invalid",
            "tmp_config_directory" => "tmp_config_directory missing directory name",
            "umask" => "umask value missing",
            _ => return None,
        },
        ("vrrp_instance", "kernel_rx_buf_size") => "invalid kernel_rx_buf_size specified",
        ("track_file" | "vrrp_track_file", "file") => "track file file name missing",
        ("vrrp_track_process" | "track_file" | "vrrp_track_file", "weight") => "No weight specified - ignoring",
        ("SSL", "password") => "SSL password missing",
        ("SSL", "ca") => "SSL cafile missing",
        ("SSL", "certificate") => "SSL certfile missing",
        ("SSL", "key") => "SSL keyfile missing",
        ("virtual_server", "virtualhost") => "virtual server virtualhost missing",
        ("virtual_server", "snmp_name") => "virtual server snmp_name missing or extra parameters",
        ("virtual_server", "sorry_server_lvs_method") => "sorry_server forwarding used without sorry_server",
        ("virtual_server/real_server", "virtualhost") => "real server virtualhost missing",
        ("virtual_server/real_server", "snmp_name") => "real server snmp_name missing or extra parameters",
        (_, "virtualhost") => "HTTP_GET virtualhost name missing",
        (_, "http_protocol") => "Missing http_protocol version",
        (_, "helo_name") => "SMTP_CHECK helo name missing",
        (_, "payload") => "UDP_CHECK payload requires a payload",
        (_, "user") => "No user specified for misc checker script ",
        ("vrrp_script", "script") | (_, "misc_path" | "regex" | "digest" | "status_code" | "path" | "name") => "",
        _ => return None,
    })
}
