//! `global_defs` and the settings at the top of the file. Read before everything else, so that it does not matter where they stand.

mod process;
mod smtp;
mod vrrp_defaults;

use std::time::Duration;

use lvs::{FlushOnStop, NftablesConfig, SyncDaemonConfig};
use notify::{Fifo, Fifos, ScriptUser};
use types::FwMark;

use super::context::{Lower, printable};
use super::script::Runner;
use super::system::Fact;
use super::value::{parse_address, signed, unsigned};
use crate::configuration::{Firewall, Global, ProcessTuning};
use crate::diagnostic::Class;
use crate::source::Span;
use crate::tree::{Line, Lines};

pub(super) use smtp::SmtpSettings;
pub(super) use vrrp_defaults::{ReceiveBuffer, VrrpDefaults};

/// Everything global, as written: what goes into [`Global`], and the defaults that other blocks inherit.
#[derive(Debug, Clone, Default)]
pub(super) struct Globals {
    /// What the daemon is given.
    pub(super) out: Global,
    pub(super) smtp: SmtpSettings,
    pub(super) vrrp: VrrpDefaults,
    pub(super) dynamic_interfaces: bool,
    pub(super) script_security: bool,
    /// User of scripts without their own; `None` until resolved, or when `script_user` names none.
    pub(super) script_user: Option<ScriptUser>,
    script_user_refused: bool,
    /// Nobody has named a user and nobody has needed one yet.
    default_user_unasked: bool,
    told_no_default_user: bool,
    pub(super) supplementary_groups: bool,
    pub(super) checker_log_all_failures: bool,
    pub(super) linkbeat_all: bool,
    pub(super) timeouts: Option<(u32, u32, u32)>,
    pub(super) flush: bool,
    pub(super) flush_on_stop: FlushOnStop,
    pub(super) sync_daemon: Option<SyncDaemonConfig>,
    pub(super) init_notifies: bool,
    pub(super) firewall: Option<Firewall>,
    pub(super) nftables_ipvs: Option<NftablesConfig>,
    fifo_paths: FifoLines,
}

#[derive(Debug, Clone, Default)]
struct FifoLines {
    fifos: [Option<Fifo>; 3],
    scripts: [Option<notify::Script>; 3],
}

impl<'t> Lower<'t> {
    /// The settings at the top and every `global_defs`.
    pub(super) fn globals(&mut self, lines: Lines<'t>) {
        // who runs scripts and how strictly must be known before any script line is read
        for line in lines.clone().filter(|line| line.keyword().text == "global_defs") {
            for line in line.block().into_iter().flat_map(|block| block.lines()) {
                match line.keyword().text {
                    "enable_script_security" => self.global.script_security = true,
                    "set_supplementary_groups" => {
                        self.global.supplementary_groups =
                            line.word(1).is_none_or(|word| super::value::switch(word.text) == Some(true));
                    }
                    "dynamic_interfaces" => self.global.dynamic_interfaces = true,
                    _ => {}
                }
            }
        }
        for line in lines {
            match line.keyword().text {
                "global_defs" => {
                    if let Some(block) = line.block() {
                        self.walk("global_defs", block.lines(), &mut |lower, line, keyword| {
                            lower.global_line(line, keyword);
                        });
                    }
                }
                keyword => self.top_setting(line, keyword),
            }
        }
        self.finish_globals();
    }

    fn top_setting(&mut self, line: Line<'t>, keyword: &str) {
        let word = line.word(1);
        match (keyword, word) {
            ("linkbeat_use_polling", _) => self.global.linkbeat_all = true,
            ("net_namespace", Some(word)) => {
                self.global.out.net_namespace = Some(word.text.to_owned());
                self.global.out.use_pid_dir = true;
            }
            ("net_namespace_ipvs", word) => {
                self.global.out.net_namespace_ipvs = Some(word.map(|word| word.text.to_owned()));
            }
            ("use_pid_dir", _) => self.global.out.use_pid_dir = true,
            ("instance", Some(word)) => {
                self.global.out.instance_name = Some(word.text.to_owned());
                self.global.out.use_pid_dir = true;
            }
            ("child_wait_time", Some(word)) => {
                if let Some(seconds) =
                    self.count(word, 0..=u64::from(u32::MAX), |text| format!("Invalid child_wait_time {text}"))
                {
                    self.global.out.child_wait_time = Duration::from_secs(seconds);
                }
            }
            _ => {}
        }
    }

    fn global_line(&mut self, line: Line<'t>, keyword: &'static str) {
        if self.smtp_line(line, keyword) || self.process_line(line, keyword) || self.vrrp_default_line(line, keyword) {
            return;
        }
        let word = line.word(1);
        let text = word.map(|word| word.text.to_owned());
        match keyword {
            "router_id" => self.global.out.router_id = text,
            "use_symlink_paths" => {
                if let Some(on) =
                    self.boolean(line, |t| format!("Invalid value '{t}' for global use_symlink_paths specified"))
                {
                    self.global.out.use_symlink_paths = on;
                }
            }
            "set_supplementary_groups" => {
                self.boolean(line, |t| format!("Invalid value '{t}' for global set_supplementary_groups specified"));
            }
            "startup_script" | "shutdown_script" => {
                let script = self.script_line(line, Runner::Vrrp);
                let place = if keyword == "startup_script" {
                    &mut self.global.out.startup_script
                } else {
                    &mut self.global.out.shutdown_script
                };
                let timeout = place.as_ref().map_or(Duration::from_secs(10), |(_, timeout)| *timeout);
                if let Some(script) = script {
                    *place = Some((script, timeout));
                }
            }
            "script_user" => {
                let (Some(user), group) = (word, line.word(2)) else { return };
                match self.user(user.text, group.map(|word| word.text), user.span) {
                    Some(user) => self.global.script_user = Some(user),
                    None => {
                        self.global.script_user_refused = true;
                        self.general(user.span, "Error setting global script uid/gid");
                    }
                }
            }
            "enable_script_security" => self.global.out.script_security = true,
            "checker_log_all_failures" => {
                if let Some(on) = self.boolean(line, |_| "Invalid value for checker_log_all_failures specified".into())
                {
                    self.global.checker_log_all_failures = on;
                }
            }
            "dynamic_interfaces" => match word {
                None => {}
                Some(word) if word.text == "allow_if_changes" => self.global.out.allow_interface_changes = true,
                Some(word) => {
                    self.general(word.span, format!("Unknown dynamic_interfaces option '{}'", printable(word.text)))
                }
            },
            "default_interface" => {
                if let Some(word) = word {
                    self.global.out.default_interface = self.interface_name(word);
                }
            }
            "disable_local_igmp" => self.global.out.disable_local_igmp = true,
            "lvs_timeouts" => self.lvs_timeouts(line),
            "lvs_flush" => self.global.flush = true,
            "lvs_flush_on_stop" | "lvs_flush_onstop" => match word {
                None => self.global.flush_on_stop = FlushOnStop::Everything,
                Some(word) if word.text == "VS" => self.global.flush_on_stop = FlushOnStop::VirtualServers,
                Some(word) => {
                    self.general(word.span, format!("Unknown lvs_flush_on_stop type {}", printable(word.text)))
                }
            },
            "lvs_sync_daemon" => self.sync_daemon_line(line),
            "rs_init_notifies" => {
                if let Some(on) =
                    self.boolean(line, |t| format!("Invalid value '{t}' for global rs_init_notifies specified"))
                {
                    self.global.init_notifies = on;
                }
            }
            "notify_fifo" => self.fifo_line(line, 0),
            "vrrp_notify_fifo" => self.fifo_line(line, 1),
            "lvs_notify_fifo" => self.fifo_line(line, 2),
            "notify_fifo_script" => self.fifo_script(line, 0),
            "vrrp_notify_fifo_script" => self.fifo_script(line, 1),
            "lvs_notify_fifo_script" => self.fifo_script(line, 2),
            "fifo_write_vrrp_states_on_reload" => self.global.out.fifo_write_states_on_reload = true,
            "vrrp_iptables" => {
                self.general(
                    line.span(),
                    "iptables not supported, using nftables instead. Please replace 'vrrp_iptables and 'vrrp_ipsets' with 'nftables' config option",
                );
                self.firewall();
            }
            "nftables" => {
                if self.global.firewall.is_some() {
                    self.general(line.span(), "nftables already specified - ignoring");
                    return;
                }
                let table = text.unwrap_or_else(|| "keepalived".into());
                self.firewall().table = table;
            }
            "nftables_priority" => {
                if let Some(word) = word
                    && let Some(priority) = self.integer(word, i64::from(i32::MIN)..=i64::from(i32::MAX), |t| {
                        format!("invalid nftables chain priority '{t}'")
                    })
                {
                    self.global.vrrp.nftables_priority = Some(priority as i32);
                }
            }
            "nftables_ifindex" => self.global.vrrp.nftables_by_index = true,
            "nftables_counters" => self.global.vrrp.nftables_counters = true,
            "nftables_ipvs" => {
                self.nftables_ipvs().table = text.unwrap_or_else(|| "keepalived_ipvs".into());
            }
            "nftables_ipvs_priority" => {
                if let Some(word) = word
                    && let Some(priority) = self.integer(word, i64::from(i32::MIN)..=i64::from(i32::MAX), |t| {
                        format!("invalid ipvs nftables chain priority '{t}'")
                    })
                {
                    self.nftables_ipvs().priority = priority as i32;
                }
            }
            "nftables_ipvs_start_fwmark" => {
                if let Some(word) = word
                    && let Some(mark) = self.count(word, 1..=u64::from(u32::MAX), |t| {
                        format!("invalid ipvs nftables start_fwmark priority '{t}'")
                    })
                {
                    self.nftables_ipvs().first_mark = FwMark(mark as u32);
                }
            }
            "snmp_socket" => self.global.out.snmp.socket = text,
            "enable_traps" => self.global.out.snmp.traps = true,
            "enable_snmp_vrrp" | "enable_snmp_keepalived" => self.global.out.snmp.vrrp = true,
            "enable_snmp_checker" => self.global.out.snmp.checker = true,
            "enable_snmp_rfc" => {
                self.global.out.snmp.rfc_v2 = true;
                self.global.out.snmp.rfc_v3 = true;
            }
            "enable_snmp_rfcv2" => self.global.out.snmp.rfc_v2 = true,
            "enable_snmp_rfcv3" => self.global.out.snmp.rfc_v3 = true,
            "snmp_vs_stats_update_interval" | "snmp_rs_stats_update_interval" => {
                if let Some(word) = word
                    && let Some(interval) =
                        self.timer(word, 1_000..=30_000_000, |t| format!("{keyword} '{t}' is invalid"))
                {
                    let (services, servers) =
                        self.global.out.snmp.update_intervals.unwrap_or((Duration::from_secs(5), Duration::ZERO));
                    self.global.out.snmp.update_intervals = Some(if keyword.starts_with("snmp_vs") {
                        (interval, if servers.is_zero() { interval } else { servers })
                    } else {
                        (services, interval)
                    });
                }
            }
            "enable_dbus" => {
                self.global.out.dbus.get_or_insert_with(|| ("org.keepalived.Vrrp1".into(), String::new()));
            }
            "dbus_service_name" => {
                if let Some(text) = text {
                    self.global.out.dbus.get_or_insert_default().0 = text;
                }
            }
            "dbus_no_interface_name" => {
                if let Some(text) = text {
                    self.global.out.dbus.get_or_insert_default().1 = text;
                }
            }
            "metrics" => {
                if let Some(word) = word {
                    match word.text.parse() {
                        Ok(address) => self.global.out.metrics = Some(address),
                        Err(_) => self.general(
                            word.span,
                            format!(
                                "metrics: '{}' is no ADDRESS:PORT, such as 127.0.0.1:9650 or [::1]:9650",
                                printable(word.text)
                            ),
                        ),
                    }
                }
            }
            // include_check and random_seed act while the text is read
            _ => {}
        }
    }

    /// The firewall's settings, made where absent.
    pub(super) fn firewall(&mut self) -> &mut Firewall {
        self.global.firewall.get_or_insert_with(|| Firewall {
            table: "keepalived".into(),
            priority: -1,
            by_index: false,
            counters: false,
        })
    }

    fn nftables_ipvs(&mut self) -> &mut NftablesConfig {
        self.global.nftables_ipvs.get_or_insert_with(|| NftablesConfig {
            table: "keepalived_ipvs".into(),
            priority: -1,
            first_mark: FwMark(1000),
            counters: false,
        })
    }

    fn lvs_timeouts(&mut self, line: Line<'t>) {
        let mut values = [0u32; 3];
        let mut any = false;
        let mut words = line.arguments();
        while let Some(name) = words.next() {
            let Some(index) = ["tcp", "tcpfin", "udp"].iter().position(|known| *known == name.text) else {
                self.general(name.span, format!("Unknown option {} specified for lvs_timeouts", printable(name.text)));
                continue;
            };
            let Some(value) = words.next() else {
                self.general(name.span, format!("No value specified for lvs_timeout {} - ignoring", name.text));
                break;
            };
            if let Some(seconds) =
                self.count(value, 0..=2_678_400, |t| format!("Invalid lvs_timeout {} ({t}) - ignoring", name.text))
            {
                values[index] = seconds as u32;
                any = true;
            }
        }
        if any {
            self.global.timeouts = Some((values[0], values[1], values[2]));
        } else {
            self.general(line.span(), "lvs_timeouts requires at least one option");
        }
    }

    fn sync_daemon_line(&mut self, line: Line<'t>) {
        if self.global.sync_daemon.is_some() {
            self.general(line.span(), "lvs_sync_daemon has already been specified - ignoring");
            return;
        }
        let Some(interface) = line.word(1).and_then(|word| self.interface_name(word)) else { return };
        let mut daemon =
            SyncDaemonConfig { interface, instance: None, id: None, max_len: None, port: None, ttl: None, group: None };
        let mut words = line.arguments().skip(1).peekable();
        let named = ["inst", "id", "maxlen", "port", "ttl", "group"];
        if let Some(first) = words.peek().copied()
            && !named.contains(&first.text)
        {
            daemon.instance = Some(first.text.to_owned());
            words.next();
            if let Some(second) = words.peek().copied()
                && !named.contains(&second.text)
            {
                words.next();
                daemon.id = unsigned(second.text, 0..=255).ok().map(|id| id as u8);
            }
            self.advise(
                "old-spelling",
                line.span(),
                "lvs_sync_daemon: name the instance with 'inst' and the id with 'id'",
            );
        }
        while let Some(name) = words.next() {
            let Some(value) = words.next() else {
                self.general(
                    name.span,
                    format!("No value specified for lvs_sync_daemon {} - ignoring", printable(name.text)),
                );
                break;
            };
            let mut number =
                |range| self.count(value, range, |t| format!("Invalid lvs_sync_daemon {} '{t}' - ignoring", name.text));
            match name.text {
                "inst" => daemon.instance = Some(value.text.to_owned()),
                "id" => daemon.id = number(0..=255).map(|n| n as u8),
                "maxlen" => daemon.max_len = number(1..=65_507).map(|n| n as u16),
                "port" => daemon.port = number(1..=65_535).map(|n| n as u16),
                "ttl" => daemon.ttl = number(1..=255).map(|n| n as u8),
                "group" => match parse_address(value.text).filter(std::net::IpAddr::is_multicast) {
                    Some(group) => daemon.group = Some(group),
                    None => self.general(
                        value.span,
                        format!("Invalid lvs_sync_daemon group ({}) - ignoring", printable(value.text)),
                    ),
                },
                _ => self.general(
                    name.span,
                    format!("Unknown option {} specified for lvs_sync_daemon", printable(name.text)),
                ),
            }
        }
        self.global.sync_daemon = Some(daemon);
    }

    fn fifo_line(&mut self, line: Line<'t>, index: usize) {
        let Some(path) = line.word(1) else { return };
        if self.global.fifo_paths.fifos[index].is_some() {
            self.general(
                line.span(),
                format!("{} already specified - ignoring {}", line.keyword().text, printable(path.text)),
            );
            return;
        }
        let user = match line.word(2) {
            None => self.default_user(),
            Some(user) => match self.user(user.text, line.word(3).map(|word| word.text), user.span) {
                Some(user) => user,
                None => {
                    self.general(user.span, format!("Invalid user/group for {} - ignoring", line.keyword().text));
                    return;
                }
            },
        };
        self.global.fifo_paths.fifos[index] = Some(Fifo { path: path.text.to_owned(), user, script: None });
    }

    fn fifo_script(&mut self, line: Line<'t>, index: usize) {
        if self.global.fifo_paths.scripts[index].is_some() {
            self.general(line.span(), format!("{} already specified - ignoring", line.keyword().text));
            return;
        }
        self.global.fifo_paths.scripts[index] =
            self.script_line(line, if index == 2 { Runner::Checker } else { Runner::Vrrp });
    }

    fn finish_globals(&mut self) {
        let FifoLines { fifos, scripts } = std::mem::take(&mut self.global.fifo_paths);
        for (index, name) in ["notify_fifo", "vrrp_notify_fifo", "lvs_notify_fifo"].into_iter().enumerate() {
            if fifos[index].is_none() && scripts[index].is_some() {
                self.found.push(crate::diagnostic::Diagnostic::new(
                    Class::Advice,
                    "script-without-fifo",
                    format!("{name}_script without {name}: nothing starts it"),
                ));
            }
        }
        let mut built = fifos.into_iter().zip(scripts).map(|(fifo, script)| fifo.map(|fifo| Fifo { script, ..fifo }));
        let mut fifos =
            Fifos { all: built.next().flatten(), vrrp: built.next().flatten(), lvs: built.next().flatten() };
        for (specific, name) in [(&mut fifos.vrrp, "vrrp"), (&mut fifos.lvs, "lvs")] {
            if let (Some(all), Some(own)) = (&fifos.all, specific.as_ref())
                && all.path == own.path
            {
                self.found.push(crate::diagnostic::Diagnostic::new(
                    Class::GeneralError,
                    "same-fifo",
                    format!(
                        "notify fifo {} has been specified for global and {name} FIFO - ignoring {name} FIFO",
                        all.path
                    ),
                ));
                *specific = None;
            }
        }
        self.global.out.fifos = fifos;
        if let Some(user) = &self.global.script_user {
            self.global.out.script_user = user.clone();
        }
        self.global.default_user_unasked = self.global.script_user.is_none() && !self.global.script_user_refused;
        self.finish_mail();
        if let Some(firewall) = &mut self.global.firewall {
            firewall.priority = self.global.vrrp.nftables_priority.unwrap_or(-1);
            firewall.by_index = self.global.vrrp.nftables_by_index;
            firewall.counters = self.global.vrrp.nftables_counters;
        }
        if let Some(nftables) = &mut self.global.nftables_ipvs {
            nftables.counters = self.global.vrrp.nftables_counters;
        }
        self.global.finish_vrrp_defaults();
    }

    /// Looks for the user `keepalived_script` when the first script needs it: the question loads the machine's name services
    /// into the process, and most configurations have no script.
    pub(super) fn ask_for_default_user(&mut self) {
        if !std::mem::take(&mut self.global.default_user_unasked) {
            return;
        }
        let user = match self.system.user("keepalived_script", self.global.supplementary_groups) {
            Fact::Known(Some(user)) => Some(user),
            Fact::Known(None) if self.global.script_security => None,
            _ => Some(ScriptUser::ROOT),
        };
        if let Some(user) = &user {
            self.global.out.script_user = user.clone();
        }
        self.global.script_user = user;
    }

    /// The user of a tracked script or a misc check without its own; tells once why there is none.
    pub(super) fn script_user_or_tell(&mut self, span: Span) -> Option<ScriptUser> {
        self.ask_for_default_user();
        if self.global.script_user.is_none() && !self.global.script_user_refused && !self.global.told_no_default_user {
            self.global.told_no_default_user = true;
            self.general(span, "Unable to set default user keepalived_script for script");
        }
        self.global.script_user.clone()
    }
}

pub(super) fn nice_value(text: &str) -> Option<i32> {
    signed(text, -20..=19).ok().map(|nice| nice as i32)
}

/// Tuning of a process by the prefix of the keyword.
pub(super) fn tuning<'g>(global: &'g mut Global, process: &str) -> &'g mut ProcessTuning {
    match process {
        "vrrp" => &mut global.vrrp_process,
        "checker" => &mut global.checker_process,
        _ => &mut global.bfd_process,
    }
}
