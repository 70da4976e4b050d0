//! `global_defs` and the top of the file.

use std::time::Duration;

use lvs::FlushOnStop;

use super::{Out, on_off, script, seconds, user, word};
use crate::configuration::{Configuration, Global, ProcessTuning};

pub(super) fn write(out: &mut Out, configuration: &Configuration) {
    let global = &configuration.global;
    out.value("net_namespace", global.net_namespace.as_deref().map(word));
    if let Some(namespace) = &global.net_namespace_ipvs {
        out.line(format!("net_namespace_ipvs {}", namespace.as_deref().unwrap_or("")).trim_end());
    }
    out.flag("use_pid_dir", global.use_pid_dir);
    out.value("instance", global.instance_name.as_deref().map(word));
    out.line(format!("child_wait_time {}", global.child_wait_time.as_secs()));
    out.flag("linkbeat_use_polling", configuration.vrrp.linkbeat_all);
    out.block("global_defs", |out| {
        process(out, global);
        notification(out, global);
        other(out, global);
        vrrp(out, configuration);
        director(out, configuration);
    });
}

fn process(out: &mut Out, global: &Global) {
    let names = &global.process_names;
    for (keyword, name) in [
        ("process_name", &names.parent),
        ("vrrp_process_name", &names.vrrp),
        ("checker_process_name", &names.checker),
        ("bfd_process_name", &names.bfd),
    ] {
        out.value(keyword, name.as_deref().map(word));
    }
    for (process, tuning) in
        [("vrrp", &global.vrrp_process), ("checker", &global.checker_process), ("bfd", &global.bfd_process)]
    {
        tuning_lines(out, process, tuning);
    }
    out.value("max_auto_priority", global.max_auto_priority);
    out.line(format!("min_auto_priority_delay {}", global.min_auto_priority_delay.as_micros()));
    out.value("umask", global.umask.map(|mask| format!("{mask:04o}")));
    out.value("reload_check_config", global.reload_check_config.as_deref().map(word));
    out.value("reload_time_file", global.reload_time_file.as_deref().map(word));
    out.flag("reload_repeat", global.reload_repeat);
    if let Some(file) = &global.reload_file {
        out.line(format!("reload_file {}", file.as_deref().map(word).unwrap_or_default()).trim_end());
    }
    out.value("config_save_dir", global.config_save_dir.as_deref().map(word));
    out.value("tmp_config_directory", global.tmp_config_directory.as_deref().map(word));
    out.flag("data_use_instance", global.data_use_instance);
    out.line(format!("json_version {}", global.json_version));
    // keepalived skips such a line.
    out.value("@rkeepalived metrics", global.metrics);
    for (keyword, file) in ["state_dump_file", "stats_dump_file", "json_dump_file"].into_iter().zip(&global.dump_files)
    {
        out.value(keyword, file.as_deref().map(word));
    }
    for (keyword, directory) in ["iproute_usr_dir", "iproute_etc_dir"].into_iter().zip(&global.iproute_directories) {
        out.value(keyword, directory.as_deref().map(word));
    }
    let buffers = [
        "vrrp_netlink_cmd_rcv_bufs",
        "vrrp_netlink_monitor_rcv_bufs",
        "lvs_netlink_cmd_rcv_bufs",
        "lvs_netlink_monitor_rcv_bufs",
        "process_monitor_rcv_bufs",
    ];
    for (keyword, (size, force)) in buffers.into_iter().zip(global.netlink_buffers) {
        out.value(keyword, (size > 0).then_some(size));
        out.value(&format!("{keyword}_force"), force.then_some("on"));
    }
}

fn tuning_lines(out: &mut Out, process: &str, tuning: &ProcessTuning) {
    out.value(&format!("{process}_priority"), (tuning.nice != 0).then_some(tuning.nice));
    out.value(&format!("{process}_rt_priority"), tuning.realtime);
    out.value(&format!("{process}_rlimit_rttime"), tuning.realtime_limit);
    out.flag(&format!("{process}_no_swap"), tuning.no_swap);
    if !tuning.cpus.is_empty() {
        let cpus: Vec<String> = tuning.cpus.iter().map(u32::to_string).collect();
        out.line(format!("{process}_cpu_affinity {}", cpus.join(" ")));
    }
}

fn notification(out: &mut Out, global: &Global) {
    out.flag("enable_script_security", global.script_security);
    out.line(format!("script_user {}", user(&global.script_user)));
    out.flag("use_symlink_paths", global.use_symlink_paths);
    for (keyword, entry) in [("startup_script", &global.startup_script), ("shutdown_script", &global.shutdown_script)] {
        if let Some((command, timeout)) = entry {
            script(out, keyword, Some(command));
            out.line(format!("{keyword}_timeout {}", timeout.as_secs()));
        }
    }
    if let Some(mail) = &global.mail {
        out.block("notification_email", |out| {
            for recipient in &mail.recipients {
                out.line(recipient);
            }
        });
        out.line(format!("notification_email_from {}", mail.from));
        out.line(format!("smtp_server {} {}", mail.server.ip(), mail.server.port()));
        out.line(format!("smtp_helo_name {}", word(&mail.helo)));
        out.line(format!("smtp_connect_timeout {}", mail.timeout.as_secs()));
        out.flag("no_email_faults", mail.no_faults);
        out.flag("no_checker_emails", mail.no_checkers);
    }
    let fifos = &global.fifos;
    for (keyword, fifo) in
        [("notify_fifo", &fifos.all), ("vrrp_notify_fifo", &fifos.vrrp), ("lvs_notify_fifo", &fifos.lvs)]
    {
        if let Some(fifo) = fifo {
            out.line(format!("{keyword} {} {}", word(&fifo.path), user(&fifo.user)));
            script(out, &format!("{keyword}_script"), fifo.script.as_ref());
        }
    }
    out.flag("fifo_write_vrrp_states_on_reload", global.fifo_write_states_on_reload);
}

fn other(out: &mut Out, global: &Global) {
    out.value("router_id", global.router_id.as_deref().map(word));
    out.flag("disable_local_igmp", global.disable_local_igmp);
    out.value("default_interface", global.default_interface.as_ref());
    out.line(format!("vmac_prefix {}", word(&global.vmac_prefixes.0)));
    out.line(format!("vmac_addr_prefix {}", word(&global.vmac_prefixes.1)));
    let snmp = &global.snmp;
    out.value("snmp_socket", snmp.socket.as_deref().map(word));
    for (keyword, holds) in [
        ("enable_traps", snmp.traps),
        ("enable_snmp_vrrp", snmp.vrrp),
        ("enable_snmp_checker", snmp.checker),
        ("enable_snmp_rfcv2", snmp.rfc_v2),
        ("enable_snmp_rfcv3", snmp.rfc_v3),
    ] {
        out.flag(keyword, holds);
    }
    if let Some((services, servers)) = snmp.update_intervals {
        out.line(format!("snmp_vs_stats_update_interval {}", seconds(services)));
        out.line(format!("snmp_rs_stats_update_interval {}", seconds(servers)));
    }
    if let Some((name, path)) = &global.dbus {
        out.line("enable_dbus");
        out.line(format!("dbus_service_name {}", word(name)));
        out.value("dbus_no_interface_name", (!path.is_empty()).then(|| word(path)));
    }
}

fn vrrp(out: &mut Out, configuration: &Configuration) {
    let brain = &configuration.vrrp.brain;
    if brain.dynamic_interfaces {
        let option = if configuration.global.allow_interface_changes { " allow_if_changes" } else { "" };
        out.line(format!("dynamic_interfaces{option}"));
    }
    out.flag("log_unknown_vrids", brain.log_unknown_vrids);
    out.value("vrrp_startup_delay", some(brain.startup_delay));
    out.value("vrrp_delay_after_boot", some(configuration.global.delay_after_boot));
    for limit in brain.announce_limits.iter().filter(|limit| limit.interfaces.is_empty()) {
        out.value("vrrp_garp_interval", some(limit.arp_interval));
        out.value("vrrp_gna_interval", some(limit.neighbour_interval));
    }
    if let Some(firewall) = &configuration.vrrp.firewall {
        out.line(format!("nftables {}", word(&firewall.table)));
        out.line(format!("nftables_priority {}", firewall.priority));
        out.flag("nftables_ifindex", firewall.by_index);
        out.flag("nftables_counters", firewall.counters);
    }
}

fn director(out: &mut Out, configuration: &Configuration) {
    let brain = &configuration.checker.brain;
    if let Some((tcp, fin, udp)) = brain.timeouts {
        out.line(format!("lvs_timeouts tcp {tcp} tcpfin {fin} udp {udp}"));
    }
    out.flag("lvs_flush", brain.flush);
    match brain.flush_on_stop {
        FlushOnStop::No => {}
        FlushOnStop::Everything => out.line("lvs_flush_on_stop"),
        FlushOnStop::VirtualServers => out.line("lvs_flush_on_stop VS"),
    }
    out.line(format!("rs_init_notifies {}", on_off(brain.init_notifies)));
    if let Some(daemon) = &brain.sync_daemon {
        let mut line = format!("lvs_sync_daemon {}", daemon.interface);
        let mut add = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                line.push_str(&format!(" {name} {value}"));
            }
        };
        add("inst", daemon.instance.clone());
        add("id", daemon.id.map(|id| id.to_string()));
        add("maxlen", daemon.max_len.map(|length| length.to_string()));
        add("port", daemon.port.map(|port| port.to_string()));
        add("ttl", daemon.ttl.map(|ttl| ttl.to_string()));
        add("group", daemon.group.map(|group| group.to_string()));
        out.line(line);
    }
    if let Some(nftables) = &brain.nftables {
        out.line(format!("nftables_ipvs {}", word(&nftables.table)));
        out.line(format!("nftables_ipvs_priority {}", nftables.priority));
        out.line(format!("nftables_ipvs_start_fwmark {}", nftables.first_mark));
        out.flag("nftables_counters", nftables.counters && configuration.vrrp.firewall.is_none());
    }
}

fn some(duration: Duration) -> Option<String> {
    (!duration.is_zero()).then(|| seconds(duration))
}
