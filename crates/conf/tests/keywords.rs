//! Every keyword of every block does something: it changes the configuration, or it says something about itself.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test reads its own files")]

use rkeepalived_conf::Configuration;
use rkeepalived_conf::lower::{Described, KeyFile, Options, ScriptFile, ScriptState};
use rkeepalived_conf::preprocess::Memory;
use rkeepalived_conf::table::{self, Row, Status};

/// Where a line of each block goes: text before and after it.
const FRAMES: &[(&str, &str, &str)] = &[
    ("(top)", "", ""),
    (
        "global_defs",
        "global_defs {\n startup_script /bin/s\n shutdown_script /bin/s\n notify_fifo /f\n smtp_server 192.0.2.1\n notification_email { a@b }\n enable_script_security\n snmp_socket x\n",
        "}",
    ),
    ("track_group", "track_group T {\n", "}"),
    ("vrrp_sync_group", "vrrp_sync_group G {\n", " group { V W }\n}"),
    ("garp_group", "garp_group {\n garp_interval 1\n interface eth5\n", "}"),
    (
        "vrrp_instance",
        "vrrp_instance X {\n interface eth0\n virtual_router_id 9\n priority 101\n virtual_ipaddress { 10.0.0.9 }\n",
        "}",
    ),
    (
        "vrrp_instance/authentication",
        "vrrp_instance X {\n interface eth0\n virtual_router_id 9\n virtual_ipaddress { 10.0.0.9 }\n authentication {\n auth_type PASS\n auth_pass x\n",
        "}\n}",
    ),
    (
        "vrrp_instance/auth_hmac",
        "vrrp_instance X {\n interface eth0\n virtual_router_id 9\n virtual_ipaddress { 10.0.0.9 }\n auth_hmac {\n key 1 abcdefghijklmnopqrstuvwxyz0123456789\n active_key 1\n",
        "}\n}",
    ),
    (
        "vrrp_script",
        "vrrp_script Z {\n script /bin/s\n",
        "}\nvrrp_sync_group G {\n group { V W }\n track_script { Z }\n}",
    ),
    (
        "vrrp_track_process",
        "vrrp_track_process Z {\n process a\n",
        "}\nvrrp_sync_group G {\n group { V W }\n track_process { Z }\n}",
    ),
    ("track_file", "track_file Z {\n file /a\n", "}\nvrrp_sync_group G {\n group { V W }\n track_file { Z }\n}"),
    (
        "vrrp_track_file",
        "vrrp_track_file Z {\n file /a\n",
        "}\nvrrp_sync_group G {\n group { V W }\n track_file { Z }\n}",
    ),
    (
        "bfd_instance",
        "bfd_instance Z {\n neighbor_ip 10.0.0.1\n",
        "}\nvrrp_sync_group G {\n group { V W }\n track_bfd { Z }\n}",
    ),
    ("SSL", "SSL {\n", "}"),
    (
        "virtual_server",
        "virtual_server 10.9.0.1 80 {\n lb_algo rr\n lb_kind NAT\n protocol UDP\n quorum 2\n sorry_server 10.9.0.9 80\n",
        " real_server 10.9.0.2 80 {\n TCP_CHECK { }\n }\n real_server 10.9.0.3 80 { }\n}",
    ),
    (
        "virtual_server/real_server",
        "virtual_server 10.9.0.1 80 {\n lb_algo rr\n lb_kind NAT\n protocol TCP\n real_server 10.9.0.2 80 {\n TCP_CHECK { }\n",
        "}\n}",
    ),
];

/// Blocks of checkers, with what they cannot do without.
const CHECKERS: &[(&str, &str)] = &[
    ("TCP_CHECK", ""),
    ("HTTP_GET", "url { path / }"),
    ("SSL_GET", "virtualhost v\n url { path / }"),
    ("SMTP_CHECK", ""),
    ("DNS_CHECK", ""),
    ("UDP_CHECK", ""),
    ("PING_CHECK", ""),
    ("MISC_CHECK", "misc_path /bin/s"),
    ("FILE_CHECK", "track_file F"),
    ("BFD_CHECK", "name B"),
];

/// A name that no definition has, so that the line is told.
const ABSENT: [(&str, &str); 2] = [("FILE_CHECK", "track_file Q"), ("BFD_CHECK", "name Q")];

/// Definitions that stand before every frame.
const BEFORE: &str = "track_file F {\n file /f\n}\nvrrp_script S {\n script /bin/s\n}\nvrrp_track_process P {\n process p\n}\n\
    bfd_instance B {\n neighbor_ip 10.0.0.1\n}\ntrack_group TG {\n group { V }\n}\n\
    vrrp_instance V {\n interface eth1\n virtual_router_id 1\n priority 90\n virtual_ipaddress { 10.1.0.1 }\n}\n\
    vrrp_instance W {\n interface eth1\n virtual_router_id 2\n priority 90\n version 3\n virtual_ipaddress { 10.1.0.2 }\n}\n";

/// Lines whose arguments cannot be guessed from the table.
fn special(path: &str, keyword: &str) -> Option<&'static str> {
    Some(match (path, keyword) {
        ("(top)", "global_defs") => "global_defs {\n router_id R\n}",
        ("(top)", "track_group") => "track_group T {\n group { V }\n}",
        ("(top)", "static_ipaddress") => "static_ipaddress {\n 10.5.0.1 dev eth0\n}",
        ("(top)", "static_routes") => "static_routes {\n 10.5.0.0/24 dev eth0\n}",
        ("(top)", "static_rules") => "static_rules {\n from 10.0.0.0/8 table 9 priority 9\n}",
        ("(top)", "vrrp_sync_group") => "vrrp_sync_group G {\n group { V W }\n}",
        ("(top)", "garp_group") => "garp_group {\n garp_interval 1\n interface eth0\n}",
        ("(top)", "linkbeat_interfaces") => "linkbeat_interfaces {\n eth0 MII\n}",
        ("(top)", "vrrp_instance") => "vrrp_instance X {\n interface eth0\n virtual_router_id 9\n}",
        ("(top)", "vrrp_script" | "vrrp_track_process" | "track_file" | "vrrp_track_file") => "vrrp_script U {\n}",
        ("(top)", "interface_up_down_delays") => "interface_up_down_delays {\n eth0 1 2\n}",
        ("(top)", "bfd_instance") => "bfd_instance U {\n neighbor_ip 10.3.0.1\n}",
        ("(top)", "SSL") => "SSL {\n ca x\n}",
        ("(top)", "virtual_server_group") => "virtual_server_group U {\n}",
        ("(top)", "virtual_server") => "virtual_server 10.9.0.1 80 {\n real_server 10.9.0.2 80 {\n }\n}",
        ("(top)", _) if keyword.starts_with("include") => "vrrp_script U {\n}",
        ("global_defs", "notification_email") => "notification_email { c@d }",
        ("global_defs", "lvs_timeouts") => "lvs_timeouts tcp 9",
        ("global_defs", "lvs_sync_daemon") => "lvs_sync_daemon eth0 inst V id 3",
        ("global_defs", "vrrp_mcast_group4") => "vrrp_mcast_group4 224.0.0.77",
        ("global_defs", "vrrp_mcast_group6") => {
            "vrrp_mcast_group6 ff02::77\n}\nvrrp_instance X {\n interface eth0\n virtual_router_id 9\n virtual_ipaddress { fe80::9 }"
        }
        ("global_defs", "vrrp_version") => "vrrp_version 3",
        ("global_defs", "vrrp_check_unicast_src") => {
            "vrrp_check_unicast_src\n}\nvrrp_instance X {\n interface eth0\n virtual_router_id 9\n unicast_peer { 10.0.0.3 }\n virtual_ipaddress { 10.0.0.9 }"
        }
        ("global_defs", "vrrp_rx_bufs_policy") => "vrrp_rx_bufs_policy 4000",
        ("global_defs", "vrrp_rx_bufs_multiplier") => "vrrp_rx_bufs_policy ADVERT\n vrrp_rx_bufs_multiplier 7",
        ("global_defs", "metrics") => "metrics 127.0.0.1:9650",
        ("global_defs", "umask") => "umask IRUSR|IWUSR",
        ("global_defs", "nftables_priority") => "nftables\n nftables_priority 5",
        ("global_defs", "nftables_ifindex") => "nftables\n nftables_ifindex",
        ("global_defs", "nftables_counters") => "nftables\n nftables_counters",
        ("global_defs", "checker_log_all_failures") => {
            "checker_log_all_failures\n}\nvirtual_server 10.9.0.1 80 {\n protocol TCP\n real_server 10.9.0.2 80 {\n TCP_CHECK { }\n }"
        }
        ("global_defs", "smtp_alert_checker") => {
            "smtp_alert_checker\n}\nvirtual_server 10.9.0.1 80 {\n protocol TCP\n real_server 10.9.0.2 80 {\n TCP_CHECK { }\n }"
        }
        ("global_defs", "set_supplementary_groups") => "set_supplementary_groups\n script_user u",
        ("global_defs", "vmac_prefix") => "vmac_prefix v",
        ("global_defs", "vmac_addr_prefix") => "vmac_addr_prefix w",
        ("global_defs", "iproute_usr_dir" | "iproute_etc_dir") => return None,
        (_, "group") => "group { V }",
        (_, "track_interface") => "track_interface { eth3 }",
        (_, "track_script") if !path.contains("CHECK") => "track_script { S }",
        (_, "track_file") if !path.contains("CHECK") => "track_file { F weight 0 }",
        (_, "track_process") => "track_process { P }",
        (_, "track_bfd") => "track_bfd { B }",
        ("garp_group", "interfaces") => "interfaces { eth6 }",
        ("vrrp_instance", "unicast_peer") => "unicast_peer { 10.0.0.3 }",
        ("vrrp_instance", "unicast_ttl") => "unicast_peer { 10.0.0.3 }\n unicast_ttl 5",
        ("vrrp_instance", "check_unicast_src") => "unicast_peer { 10.0.0.3 }\n check_unicast_src",
        ("vrrp_instance", "unicast_fault_no_peer") => "unicast_src_ip 10.0.0.3\n unicast_fault_no_peer",
        ("vrrp_instance", "mcast_dst_ip") => "mcast_dst_ip 224.0.0.88",
        ("vrrp_instance", "native_ipv6") => "native_ipv6",
        ("vrrp_instance", "state") => "state MASTER",
        ("vrrp_instance", "version") => "version 3",
        ("vrrp_instance", "priority") => "priority 33",
        ("vrrp_instance", "virtual_ipaddress" | "virtual_ipaddress_excluded") => {
            "virtual_ipaddress_excluded { 10.8.0.1 }"
        }
        ("vrrp_instance", "virtual_routes") => "virtual_routes {\n 10.5.0.0/24 dev eth0\n}",
        ("vrrp_instance", "virtual_rules") => "virtual_rules {\n from 10.0.0.0/8 table 9 priority 9\n}",
        ("vrrp_instance", "accept") => "no_accept\n accept\n strict_mode",
        ("vrrp_instance", "preempt") => "nopreempt\n preempt\n preempt_delay 1",
        ("vrrp_instance", "no_virtual_ipaddress") => {
            "}\nvrrp_instance Y {\n interface eth2\n virtual_router_id 9\n version 3\n no_virtual_ipaddress"
        }
        ("vrrp_instance", "use_vmac_addr") => "virtual_ipaddress_excluded { 10.8.0.1 dev eth3 }\n use_vmac_addr",
        ("vrrp_instance", "vmac_xmit_base") => "use_vmac\n vmac_xmit_base",
        ("vrrp_instance", "vrf") => "vrf eth0",
        ("vrrp_instance", "authentication") => "authentication {\n auth_type PASS\n auth_pass x\n}",
        ("vrrp_instance", "auth_hmac") => "auth_hmac {\n key 1 abcdefghijklmnopqrstuvwxyz0123456789\n active_key 1\n}",
        ("vrrp_instance/authentication", "auth_type") => "auth_type AH",
        ("vrrp_instance/auth_hmac", "key") => {
            "key 2 hex:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
        }
        ("vrrp_instance/auth_hmac", "active_key") => "active_key 7",
        ("vrrp_instance/auth_hmac", "anti_replay") => "anti_replay monotonic",
        ("vrrp_instance/auth_hmac", "mode") => "mode permissive",
        ("vrrp_track_process", "process") => "process x y",
        ("vrrp_track_process", "param_match") => "param_match initial",
        ("vrrp_track_process", "full_command") => "full_command",
        ("track_file" | "vrrp_track_file", "file") => "file /b",
        ("virtual_server", "ip_family") => "ip_family inet6",
        ("virtual_server", "lb_algo" | "lvs_sched") => "lb_algo wlc",
        ("virtual_server", "lb_kind" | "lvs_method") => "lb_kind DR",
        ("virtual_server", "persistence_granularity") => "persistence_granularity 255.255.0.0",
        ("virtual_server", "protocol") => "protocol TCP",
        ("virtual_server", "quorum") => "quorum 1",
        ("virtual_server", "hysteresis") => "hysteresis 1",
        ("virtual_server", "sh-port" | "sh-fallback") => return None,
        ("virtual_server", "sorry_server") => "sorry_server 10.9.0.10 80",
        ("virtual_server", "real_server") => "real_server 10.9.0.7 80 {\n}",
        (_, "lvs_method" | "sorry_server_lvs_method") if path == "virtual_server" => "sorry_server_lvs_method DR",
        ("virtual_server/real_server", "lvs_method") => "lvs_method DR",
        ("virtual_server/real_server", "smtp_alert") => "smtp_alert off",
        ("virtual_server/real_server", "HTTP_GET" | "SSL_GET") => "HTTP_GET {\n url { path / }\n}",
        ("virtual_server/real_server", "MISC_CHECK") => "MISC_CHECK {\n misc_path /bin/s\n}",
        ("virtual_server/real_server", "FILE_CHECK") => "FILE_CHECK {\n track_file F\n}",
        ("virtual_server/real_server", "BFD_CHECK") => "BFD_CHECK {\n name B\n}",
        ("virtual_server/real_server", "SMTP_CHECK") => "SMTP_CHECK {\n}",
        ("virtual_server/real_server", "TCP_CHECK") => "TCP_CHECK {\n}",
        ("virtual_server/real_server", "DNS_CHECK") => "DNS_CHECK {\n}",
        ("virtual_server/real_server", "UDP_CHECK") => "UDP_CHECK {\n}",
        ("virtual_server/real_server", "PING_CHECK") => "PING_CHECK {\n}",
        (_, "http_protocol") => "http_protocol 1.1",
        (_, "enable_sni") => "virtualhost q\n enable_sni",
        (_, "sni_name") => "sni_name q",
        (_, "url") => "url {\n path /x\n}",
        (_, "host") => "host {\n connect_ip 10.9.9.9\n}",
        (_, "type") => "type MX",
        (_, "payload") => "payload 00ff",
        (_, "require_reply") => "require_reply 0x",
        (_, "misc_path") => "misc_path /bin/other",
        (_, "track_file") => "track_file F",
        (_, "name") => "name B",
        (_, "track_group" | "path") => return None,
        _ => return None,
    })
}

/// A line for a keyword by what the table says of its arguments.
fn guess(row: &Row) -> String {
    let arguments = row.arguments;
    let keyword = row.keyword;
    if arguments == "none" {
        return keyword.into();
    }
    if arguments.starts_with("[BOOL]") {
        return format!("{keyword} on");
    }
    if arguments.contains("COMMAND") {
        return format!("{keyword} \"/bin/s -x\"");
    }
    if let Some(range) = row.range() {
        let least = range.trim_start_matches('≥').split("..").next().unwrap().trim_start_matches("SECONDS ");
        let value = match least.parse::<f64>() {
            Ok(low) if low >= 1000.0 => format!("{}", low + 1000.0),
            Ok(low) => format!("{}", low.max(0.0).ceil() + 6.0),
            Err(_) => "7".into(),
        };
        return format!("{keyword} {value}");
    }
    for (start, value) in [
        ("IP|", "10.7.0.1"),
        ("IPv", "10.7.0.1"),
        ("IP", "10.7.0.1"),
        ("IFNAME", "eth7"),
        ("USER", "u"),
        ("CPU", "3"),
        ("BYTES", "8192"),
        ("MICRO", "99"),
        ("COUNT", "7"),
        ("PATH", "/q"),
        ("[PATH]", "/q"),
    ] {
        if arguments.starts_with(start) {
            return format!("{keyword} {value}");
        }
    }
    if arguments.starts_with("NICE") {
        return format!("{keyword} 3");
    }
    format!("{keyword} word")
}

fn machine() -> Described {
    let mut machine = Described { host_name: "h".into(), ..Described::default() };
    for script in ["/bin/s", "/bin/other"] {
        machine.scripts.insert(script.into(), ScriptFile { state: ScriptState::Secure, real_path: None });
    }
    machine.users.insert("u".into(), notify::ScriptUser { uid: 7, gid: 7, groups: vec![8] });
    machine.users.insert("root".into(), notify::ScriptUser::ROOT);
    machine.users.insert("keepalived_script".into(), notify::ScriptUser { uid: 9, gid: 9, groups: Vec::new() });
    let content = types::Secret::new(vec![7; 32]);
    machine.key_files.insert("/k".into(), KeyFile { content, readable_by_others: false });
    machine
}

fn lower(text: &str) -> (Configuration, Vec<String>) {
    let outcome = rkeepalived_conf::parse("k", &Options::default(), &mut Memory::new().file("k", text), &machine());
    let told = outcome
        .diagnostics
        .iter()
        .filter(|found| found.code != "not-honoured-yet")
        .map(|found| found.message.clone())
        .collect();
    (outcome.configuration, told)
}

#[test]
fn every_keyword_changes_the_configuration_or_says_something() {
    let mut frames: Vec<(String, String, String)> =
        FRAMES.iter().map(|(path, before, after)| ((*path).into(), (*before).into(), (*after).into())).collect();
    for (checker, needs) in CHECKERS {
        let before =
            "virtual_server 10.9.0.1 80 {\n lb_algo rr\n lb_kind NAT\n protocol TCP\n real_server 10.9.0.2 80 {\n";
        frames.push((
            format!("virtual_server/real_server/{checker}"),
            format!("{before} {checker} {{\n{needs}\n"),
            "}\n}\n}".into(),
        ));
    }
    for tls in ["HTTP_GET", "SSL_GET"] {
        let before =
            "virtual_server 10.9.0.1 80 {\n lb_algo rr\n lb_kind NAT\n protocol TCP\n real_server 10.9.0.2 80 {\n";
        frames.push((
            format!("virtual_server/real_server/{tls}/url"),
            format!("{before} {tls} {{\n url {{\n path /a\n regex x\n"),
            "}\n}\n}\n}".into(),
        ));
    }
    let mut silent = Vec::new();
    let mut tried = 0;
    for (path, before, after) in &frames {
        let (plain, told_plain) = lower(&format!("{BEFORE}{before}{after}\n"));
        for row in table::block(path).unwrap().rows() {
            // what acts while the text is read, what no build of ours can have, and what the frames already say
            let elsewhere =
                ["random_seed", "include_check", "namespace_with_ipsets", "vrrp_ipsets", "enable_script_security"];
            if row.keyword.starts_with('<') || row.status == Status::NoEffect || elsewhere.contains(&row.keyword) {
                continue;
            }
            let absent = ABSENT.iter().find(|(block, line)| path.ends_with(block) && line.starts_with(row.keyword));
            let line = match absent.map(|(_, line)| *line).or_else(|| special(path, row.keyword)) {
                Some(line) => line.to_owned(),
                None => guess(row),
            };
            tried += 1;
            let (with, told) = lower(&format!("{BEFORE}{before}{line}\n{after}\n"));
            if with == plain && told == told_plain {
                silent.push(format!("{path}: {line}"));
            }
            let unknown = told.iter().find(|text| text.starts_with("Unknown keyword"));
            assert_eq!(unknown, None, "{path}: {line}");
        }
    }
    println!("{tried} keywords tried");
    assert_eq!(silent, [""; 0], "these say and change nothing");
}
