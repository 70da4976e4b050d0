//! The effective configuration, printed and parsed again, means the same.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test reads its own files")]

use std::collections::BTreeMap;

use proptest::prelude::*;
use rkeepalived_conf::lower::{Described, Options, ScriptFile, ScriptState};
use rkeepalived_conf::preprocess::Memory;
use rkeepalived_conf::{Configuration, Secrets, diff, parse};

fn machine() -> Described {
    let mut machine = Described { host_name: "h.example.org".into(), ..Described::default() };
    machine.hosts.insert("localhost".into(), vec!["127.0.0.1".parse().unwrap()]);
    machine.users = BTreeMap::from([
        ("root".into(), notify::ScriptUser::ROOT),
        ("u".into(), notify::ScriptUser { uid: 7, gid: 7, groups: vec![8] }),
    ]);
    machine.groups = BTreeMap::from([("root".into(), 0), ("g".into(), 8)]);
    for script in ["/bin/s", "/bin/t", "killall", "pidof"] {
        machine.scripts.insert(script.into(), ScriptFile { state: ScriptState::Secure, real_path: None });
    }
    machine
}

fn read(text: &str) -> (Configuration, Vec<String>) {
    let outcome = parse("k", &Options::default(), &mut Memory::new().file("k", text), &machine());
    let told = outcome
        .diagnostics
        .iter()
        .filter(|found| found.code != "not-honoured-yet")
        .map(|found| found.message.clone())
        .collect();
    (outcome.configuration, told)
}

fn shows_itself(name: &str, text: &str) {
    let (configuration, _) = read(text);
    let printed = configuration.to_conf(Secrets::Plain);
    let (again, told) = read(&printed);
    let changes: Vec<String> = diff(&configuration, &again).iter().map(ToString::to_string).collect();
    assert_eq!(changes, [""; 0], "{name}\n{printed}\n{told:#?}");
    assert_eq!(again, configuration, "{name}\n{printed}\n{told:#?}");
    assert!(diff(&configuration, &again).is_empty());
}

#[test]
fn published_configurations_show_themselves() {
    for directory in ["corpus", "classic"] {
        let path = format!("{}/tests/{directory}", env!("CARGO_MANIFEST_DIR"));
        for entry in std::fs::read_dir(path).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "conf") {
                let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
                shows_itself(&path.display().to_string(), &text);
            }
        }
    }
}

/// Lines that an instance may have.
const INSTANCE: &[&str] = &[
    "state MASTER",
    "state BACKUP",
    "priority 255",
    "priority 20",
    "version 3",
    "version 2",
    "advert_int 3",
    "advert_int 0.25",
    "nopreempt",
    "preempt_delay 12",
    "strict_mode",
    "accept",
    "no_accept",
    "down_timer_adverts 7",
    "garp_master_repeat 3",
    "garp_lower_prio_repeat 0",
    "garp_master_refresh 60",
    "skip_check_adv_addr",
    "smtp_alert",
    "notify_priority_changes",
    "owner_ignore_adverts",
    "timer_expired_backup 200",
    "v3_checksum_as_v2",
    "old_unicast_checksum never",
    "track_src_ip",
    "mcast_src_ip 10.0.0.5",
    "unicast_peer {\n 10.0.0.6\n 10.0.0.7 min_ttl 3 max_ttl 200\n}",
    "unicast_ttl 9",
    "check_unicast_src",
    "unicast_fault_no_peer",
    "mcast_dst_ip 224.0.0.99",
    "use_vmac",
    "use_vmac v.1 02:00:00:00:00:07 group 9",
    "vmac_xmit_base",
    "use_ipvlan i.1 10.0.0.8/24 vepa",
    "dont_track_primary",
    "kernel_rx_buf_size 9000",
    "promote_secondaries",
    "authentication {\n auth_type PASS\n auth_pass abc\n}",
    "authentication {\n auth_type AH\n auth_pass abc\n}",
    "auth_hmac {\n key 3 abcdefghijklmnopqrstuvwxyz0123456789\n active_key 3\n mode permissive\n anti_replay monotonic\n}",
    "notify_master \"/bin/s 'a b' \\\"c\\\"\" u g",
    "notify /bin/t",
    "notify_deleted",
    "notify_deleted \"/bin/t x\"",
    "track_interface {\n eth3 weight -7\n eth4 weight 9 reverse\n}",
    "track_script {\n S weight 12\n}",
    "track_file {\n F weight 2\n}",
    "track_process {\n P\n}",
    "track_bfd {\n B weight 3\n}",
    "virtual_ipaddress_excluded {\n 10.7.0.1/24 dev eth9 no_track\n 2001:db8::7/64 -nodad preferred_lft 0\n 2001:db8::8\n}",
    "virtual_ipaddress {\n 10.0.0.40/24 brd + label eth0:4 scope link\n 10.0.0.41 peer 10.0.0.50/30\n 10.0.0.42/24 noprefixroute autojoin\n}",
    "virtual_routes {\n blackhole 10.5.0.0/24\n 10.6.0.0/16 via 10.0.0.1 dev eth0 src 10.0.0.40 metric 7 mtu lock 1400 tos 0x10 table 9\n 10.8.0.0/16 nexthop via 10.0.0.1 dev eth0 weight 3 nexthop via 10.0.0.2 dev eth1\n default6 via fe80::1 dev eth0 pref high\n 10.9.0.0/24 dev eth0 encap mpls 100/200 rtt 20ms congctl lock cubic append no_track\n}",
    "virtual_rules {\n from 10.0.0.0/8 to 10.1.0.0/16 table 9 priority 5 fwmark 1/3 iif eth0\n not from all blackhole preference 7 sport 1-9\n inet6 to default table 7 no_track protocol 99 preference 3\n}",
];

/// Lines that a virtual server may have.
const SERVER: &[&str] = &[
    "lb_algo sh\n sh-port\n sh-fallback",
    "lb_algo wlc",
    "lb_kind DR",
    "lb_kind NAT",
    "lb_kind TUN type gue port 6080 csum",
    "lvs_method TUN type gre csum",
    "protocol UDP\n ops",
    "protocol TCP",
    "persistence_timeout 50",
    "persistence_granularity 255.255.0.0",
    "persistence_engine sip",
    "ha_suspend",
    "alpha",
    "omega",
    "quorum 3",
    "hysteresis 1",
    "quorum_up \"/bin/s up\"",
    "quorum_down /bin/t",
    "smtp_alert",
    "virtualhost www.example.org",
    "snmp_name n",
    "inhibit_on_failure",
    "weight 5",
    "delay_loop 3.5",
    "retry 2",
    "warmup 0",
    "connect_timeout 1.25",
    "sorry_server 10.9.0.99 81",
    "sorry_server 10.9.0.98 80\n sorry_server_lvs_method NAT\n sorry_server_inhibit",
];

/// Checkers that a real server may have.
const CHECKS: &[&str] = &[
    "TCP_CHECK {\n connect_port 8080\n bindto 10.0.0.2\n bind_port 77\n bind_if eth0\n fwmark 9\n}",
    "HTTP_GET {\n url {\n path /a\n digest 000102030405060708090a0b0c0d0e0f\n}\n url {\n path /b\n status_code 200 300-399\n virtualhost v\n}\n http_protocol 1.1\n fast_recovery\n}",
    "SSL_GET {\n enable_sni\n virtualhost w\n url {\n path /\n regex \"a\\\\.b+ c\"\n regex_options caseless dotall\n regex_no_match\n regex_max_offset 9\n regex_stack 100 200\n}\n tls_compliant\n}",
    "SMTP_CHECK {\n helo_name h\n}",
    "DNS_CHECK {\n type MX\n name a.example.org\n}",
    "PING_CHECK {\n retry 7\n}",
    "UDP_CHECK {\n payload 00ff\n require_reply 0xx1\n min_reply_length 2\n}",
    "UDP_CHECK {\n}",
    "MISC_CHECK {\n misc_path \"/bin/s 'x y'\"\n misc_timeout 2.5\n misc_dynamic\n user u\n}",
    "FILE_CHECK {\n track_file F\n weight -3 reverse\n}",
    "BFD_CHECK {\n name B\n alpha\n}",
];

/// Lines that `global_defs` may have.
const GLOBAL: &[&str] = &[
    "router_id R",
    "enable_script_security",
    "script_user u g",
    "vrrp_strict",
    "vrrp_version 3",
    "vrrp_garp_interval 0.001",
    "vrrp_garp_master_delay 1",
    "vrrp_min_garp",
    "dynamic_interfaces allow_if_changes",
    "smtp_alert",
    "smtp_alert_checker off",
    "notification_email {\n Some One <a@example.org>\n b@example.org\n}\n smtp_server 192.0.2.1 587\n smtp_helo_name x",
    "max_auto_priority",
    "lvs_timeouts tcp 9 udp 7",
    "lvs_flush",
    "lvs_flush_on_stop VS",
    "lvs_sync_daemon eth0 inst V id 3 maxlen 900 ttl 3 group 224.0.0.81",
    "nftables t",
    "nftables_counters",
    "nftables_ipvs",
    "nftables_ipvs_start_fwmark 7",
    "vrrp_rt_priority 3",
    "checker_cpu_affinity 1 2",
    "umask IRWXG|IRWXO",
    "notify_fifo /run/f u g\n notify_fifo_script \"/bin/s f\"",
    "process_names",
    "vrrp_startup_delay 0.5",
    "snmp_socket udp:h:705",
    "enable_snmp_rfc",
    "enable_dbus\n dbus_service_name a.b",
    "reload_file",
    "state_dump_file /a/",
    "json_version 2",
    "startup_script \"/bin/s start\"\n startup_script_timeout 5",
    "lvs_netlink_cmd_rcv_bufs 9\n lvs_netlink_cmd_rcv_bufs_force",
    "checker_log_all_failures",
    "rs_init_notifies",
    "vmac_prefix m",
    "default_interface eth8",
    "vrrp_rx_bufs_policy ADVERT",
];

fn some_of(pool: &'static [&'static str], most: usize) -> impl Strategy<Value = String> {
    proptest::sample::subsequence(pool, 0..=most.min(pool.len())).prop_shuffle().prop_map(|lines| lines.join("\n"))
}

const DEFINED: &str = "track_file F {\n file /f\n weight 3\n init_file 7 overwrite\n}\nvrrp_script S {\n script \"/bin/s 'q q'\"\n interval 0.5\n fall 3\n weight 9\n}\n\
    vrrp_track_process P {\n process p -x\n quorum 2\n delay 0.5\n}\nbfd_instance B {\n neighbor_ip 10.0.0.1\n min_rx 20.5\n max_hops -1\n}\n\
    garp_group {\n garp_interval 0.5\n interfaces { eth0\n eth1 }\n}\ninterface_up_down_delays {\n eth0 1.5 2\n}\nlinkbeat_interfaces {\n eth1 MII\n}\n\
    track_group TG {\n group { V }\n}\nstatic_ipaddress {\n 10.3.0.1/24 dev eth0 track_group TG\n}\nstatic_routes {\n 10.3.0.0/24 dev eth0\n}\n\
    virtual_server_group VG {\n 10.4.0.1-9 80\n 10.4.1.0/28 443\n fwmark 7 inet\n}\n";

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_configuration_shows_itself(
        global in some_of(GLOBAL, 12),
        one in some_of(INSTANCE, 14),
        two in some_of(INSTANCE, 14),
        group in proptest::bool::ANY,
        weight in proptest::bool::ANY,
        server in some_of(SERVER, 10),
        checks in some_of(CHECKS, 5),
        target in proptest::sample::select(vec!["10.9.0.1 80", "10.9.0.1", "fwmark 9", "group VG"]),
    ) {
        let mut text = format!("global_defs {{\n{global}\n}}\n{DEFINED}");
        for (name, vrid, lines) in [("V", 1, &one), ("W", 2, &two)] {
            text.push_str(&format!(
                "vrrp_instance {name} {{\n interface eth0\n virtual_router_id {vrid}\n virtual_ipaddress {{\n 10.0.0.3{vrid}\n}}\n{lines}\n}}\n"
            ));
        }
        if group {
            let weight = if weight { "sync_group_tracking_weight" } else { "" };
            text.push_str(&format!("vrrp_sync_group G {{\n group {{\n V\n W\n}}\n {weight}\n track_script {{\n S weight 4\n}}\n notify_fault /bin/t\n}}\n"));
        }
        text.push_str(&format!(
            "virtual_server {target} {{\n{server}\n real_server 10.9.0.2 80 {{\n uthreshold 9\n notify_up /bin/s\n{checks}\n}}\n real_server 10.9.0.3 80 {{\n weight 0\n inhibit_on_failure\n}}\n}}\n"
        ));
        shows_itself("generated", &text);
    }
}

#[test]
fn secrets_show_as_stars_unless_asked_for() {
    let text = "vrrp_instance V {\n interface eth0\n virtual_router_id 1\n authentication {\n auth_type PASS\n auth_pass hidden1\n}\n virtual_ipaddress {\n 10.0.0.1\n}\n}\n\
        SSL {\n password hidden2\n}\n";
    let (configuration, _) = read(text);
    for text in [configuration.to_conf(Secrets::Masked), configuration.to_json(Secrets::Masked)] {
        assert!(!text.contains("hidden"), "{text}");
        assert!(!text.contains(&format!("{:?}", b"hidden1").replace(' ', "")), "{text}");
    }
    assert!(configuration.to_conf(Secrets::Plain).contains("auth_pass hidden1"));
    let (other, _) = read(&text.replace("hidden", "covert"));
    let changes = diff(&configuration, &other);
    assert_eq!(changes.len(), 2);
    for change in changes {
        assert!(change.to_string().contains("********"), "{change}");
    }
}

#[test]
fn a_difference_names_the_block_and_the_field() {
    let text = "vrrp_instance V {\n interface eth0\n virtual_router_id 1\n priority 100\n virtual_ipaddress {\n 10.0.0.1\n}\n}\n\
        virtual_server 10.9.0.1 80 {\n lb_kind DR\n protocol TCP\n real_server 10.9.0.2 80 {\n weight 3\n}\n}\n";
    let (old, _) = read(text);
    let (new, _) = read(&text.replace("priority 100", "priority 90").replace("weight 3", "weight 4"));
    let told: Vec<String> = diff(&old, &new).iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "~ virtual_server 10.9.0.1 80 tcp\n    real_server.10.9.0.2:80.weight: 3 -> 4",
            "~ vrrp_instance V\n    priority: 100 -> 90"
        ]
    );
    assert!(diff(&old, &old).is_empty());
    let (nothing, _) = read("");
    assert_eq!(diff(&nothing, &old).iter().filter(|change| change.to_string().starts_with('+')).count(), 2);
}
