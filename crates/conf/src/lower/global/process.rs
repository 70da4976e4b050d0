//! Settings of the processes: names, scheduling, dumps, reloads, socket buffers.

use std::time::Duration;

use super::{nice_value, tuning};
use crate::lower::context::{Lower, printable};
use crate::lower::value::{BadNumber, unsigned};
use crate::tree::Line;

impl<'t> Lower<'t> {
    /// Whether the keyword was one of these.
    pub(super) fn process_line(&mut self, line: Line<'t>, keyword: &'static str) -> bool {
        if let Some((process, setting)) = keyword.split_once('_')
            && ["vrrp", "checker", "bfd"].contains(&process)
            && self.tuning_line(line, process, setting)
        {
            return true;
        }
        let word = line.word(1);
        let text = word.map(|word| word.text.to_owned());
        match keyword {
            "process_names" => {
                let names = &mut self.global.out.process_names;
                names.vrrp.get_or_insert_with(|| "keepalived_vrrp".into());
                names.checker.get_or_insert_with(|| "keepalived_lvs".into());
                names.bfd.get_or_insert_with(|| "keepalived_bfd".into());
            }
            "process_name" => self.global.out.process_names.parent = text.map(shorten),
            "vrrp_process_name" => self.global.out.process_names.vrrp = text.map(shorten),
            "checker_process_name" | "lvs_process_name" => self.global.out.process_names.checker = text.map(shorten),
            "bfd_process_name" => self.global.out.process_names.bfd = text.map(shorten),
            "startup_script_timeout" | "shutdown_script_timeout" => {
                if let Some(word) = word
                    && let Some(seconds) =
                        self.count(word, 1..=1000, |t| format!("{keyword} '{t}' must be in [1, 1000] - ignoring"))
                {
                    let place = if keyword.starts_with("startup") {
                        &mut self.global.out.startup_script
                    } else {
                        &mut self.global.out.shutdown_script
                    };
                    if let Some((_, timeout)) = place {
                        *timeout = Duration::from_secs(seconds);
                    }
                }
            }
            "max_auto_priority" => {
                self.global.out.max_auto_priority = match word {
                    None => Some(99),
                    Some(word) => self
                        .integer(word, -1..=99, |t| {
                            format!("max_auto_priority '{t}' must be in [0, 99] (or -1 to disable) - ignoring")
                        })
                        .map(|priority| priority as i32),
                };
            }
            "min_auto_priority_delay" => {
                if let Some(word) = word
                    && let Some(micros) = self.count(word, 1..=10_000_000, |t| {
                        format!("min_auto_priority_delay '{t}' must be in [1, 10000000] - ignoring")
                    })
                {
                    self.global.out.min_auto_priority_delay = Duration::from_micros(micros);
                }
            }
            "umask" => self.umask(line),
            "reload_check_config" => {
                self.global.out.reload_check_config = Some(text.unwrap_or_else(|| "/dev/null".into()))
            }
            "reload_time_file" => self.global.out.reload_time_file = text,
            "reload_repeat" => self.global.out.reload_repeat = true,
            "reload_file" => self.global.out.reload_file = Some(text),
            "config_save_dir" => self.global.out.config_save_dir = text,
            "tmp_config_directory" => self.global.out.tmp_config_directory = text,
            "data_use_instance" => {
                // keepalived's own message misspells its keyword
                if let Some(on) =
                    self.boolean(line, |t| format!("Invalid value '{t}' for global date_use_instance specified"))
                {
                    self.global.out.data_use_instance = on;
                }
            }
            "json_version" => {
                if let Some(word) = word
                    && let Some(version) = self.count(word, 1..=2, |t| format!("Invalid json_version '{t}'"))
                {
                    self.global.out.json_version = version as u8;
                }
            }
            "iproute_usr_dir" => self.global.out.iproute_directories[0] = text,
            "iproute_etc_dir" => self.global.out.iproute_directories[1] = text,
            "state_dump_file" => self.global.out.dump_files[0] = text,
            "stats_dump_file" => self.global.out.dump_files[1] = text,
            "json_dump_file" => self.global.out.dump_files[2] = text,
            "vrrp_netlink_cmd_rcv_bufs" => self.buffer(line, 0),
            "vrrp_netlink_monitor_rcv_bufs" => self.buffer(line, 1),
            "lvs_netlink_cmd_rcv_bufs" => self.buffer(line, 2),
            "lvs_netlink_monitor_rcv_bufs" => self.buffer(line, 3),
            "process_monitor_rcv_bufs" => self.buffer(line, 4),
            "vrrp_netlink_cmd_rcv_bufs_force" => self.buffer_force(line, keyword, 0),
            "vrrp_netlink_monitor_rcv_bufs_force" => self.buffer_force(line, keyword, 1),
            "lvs_netlink_cmd_rcv_bufs_force" => self.buffer_force(line, keyword, 2),
            "lvs_netlink_monitor_rcv_bufs_force" => self.buffer_force(line, keyword, 3),
            "process_monitor_rcv_bufs_force" => self.buffer_force(line, keyword, 4),
            _ => return false,
        }
        true
    }

    fn tuning_line(&mut self, line: Line<'t>, process: &'static str, setting: &str) -> bool {
        let word = line.word(1);
        match (setting, word) {
            ("priority", Some(word)) => match nice_value(word.text) {
                Some(nice) => tuning(&mut self.global.out, process).nice = nice,
                None => {
                    let why =
                        crate::lower::value::signed(word.text, -20..=19).err().unwrap_or(BadNumber(String::new()));
                    self.bad_number(word.span, why, format!("Invalid {process} process priority specified"));
                }
            },
            ("no_swap", _) => tuning(&mut self.global.out, process).no_swap = true,
            ("rt_priority", Some(word)) => {
                if let Some(priority) = self.integer(word, i64::from(i32::MIN)..=i64::from(i32::MAX), |t| {
                    format!("{process} process real-time priority '{t}' invalid")
                }) {
                    if !(1..=99).contains(&priority) {
                        self.general(
                            word.span,
                            format!(
                                "{process} process real-time priority '{priority}' outside range [1, 99] - clamped"
                            ),
                        );
                    }
                    tuning(&mut self.global.out, process).realtime = Some(priority.clamp(1, 99) as u8);
                }
            }
            ("cpu_affinity", Some(_)) => {
                let mut cpus = Vec::new();
                for word in line.arguments() {
                    match unsigned(word.text, 0..=8191) {
                        Ok(cpu) => cpus.push(cpu as u32),
                        Err(why) => {
                            let message =
                                format!("Invalid cpu_id:{} specified for {process} process", printable(word.text));
                            self.bad_number(word.span, why, message);
                        }
                    }
                }
                tuning(&mut self.global.out, process).cpus = cpus;
            }
            ("rlimit_rttime" | "rlimit_rtime", Some(word)) => {
                if let Some(micros) =
                    self.count(word, 1..=u64::from(u32::MAX), |t| format!("Invalid {process} real-time limit - {t}"))
                {
                    tuning(&mut self.global.out, process).realtime_limit = Some(micros.max(2));
                }
            }
            _ => return false,
        }
        true
    }

    fn buffer(&mut self, line: Line<'t>, index: usize) {
        if let Some(word) = line.word(1)
            && let Some(size) =
                self.count(word, 0..=u64::from(u32::MAX), |t| format!("{} size ({t}) invalid", line.keyword().text))
        {
            self.global.out.netlink_buffers[index].0 = size as u32;
        }
    }

    fn buffer_force(&mut self, line: Line<'t>, keyword: &str, index: usize) {
        if let Some(on) = self.boolean(line, |t| format!("Invalid value '{t}' for global {keyword} specified")) {
            self.global.out.netlink_buffers[index].1 = on;
        }
    }

    fn umask(&mut self, line: Line<'t>) {
        const BITS: [(&str, u32); 12] = [
            ("IRUSR", 0o400),
            ("IWUSR", 0o200),
            ("IXUSR", 0o100),
            ("IRWXU", 0o700),
            ("IRGRP", 0o040),
            ("IWGRP", 0o020),
            ("IXGRP", 0o010),
            ("IRWXG", 0o070),
            ("IROTH", 0o004),
            ("IWOTH", 0o002),
            ("IXOTH", 0o001),
            ("IRWXO", 0o007),
        ];
        let written = line.arguments().map(|word| word.text).collect::<Vec<_>>().join("");
        if written.starts_with(|c: char| c.is_ascii_digit()) {
            match u32::from_str_radix(&written, 8) {
                Ok(mask) if mask <= 0o777 => self.global.out.umask = Some(mask),
                _ => self.general(line.span(), format!("invalid umask value {}", printable(&written))),
            }
            return;
        }
        let mut mask = 0;
        for name in written.split('|').map(str::trim).filter(|name| !name.is_empty()) {
            match BITS.iter().find(|(known, _)| *known == name.trim_start_matches("S_")) {
                Some((_, bit)) => mask |= bit,
                None => {
                    self.general(line.span(), format!("Unknown umask bit {}", printable(name)));
                    return;
                }
            }
        }
        self.global.out.umask = Some(mask);
    }
}

/// The kernel keeps 15 octets of a process name.
fn shorten(mut name: String) -> String {
    let mut end = name.len().min(15);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name.truncate(end);
    name
}
