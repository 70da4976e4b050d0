//! The packages under a real systemd: start, status, reload, restart, journal, stop. One machine for both daemons.
#![cfg(test)]

use std::collections::BTreeMap;
use std::sync::OnceLock;

use integration::systemd::{Step, run};
use integration::{Daemon, on_theirs_and_ours};

on_theirs_and_ours![
    systemctl_starts_reloads_restarts_and_stops,
    a_crash_is_answered_with_a_restart,
    the_journal_has_the_daemons_lines,
];

/// What is done to each unit. `wait_for` looks until the address is there, `gone` until it is not.
const SCRIPT: &str = r#"
wait_for() { for i in $(seq 100); do ip -o addr show dev eth0 | grep -q " $1/" && return 0; sleep 0.1; done; return 1; }
gone() { for i in $(seq 100); do ip -o addr show dev eth0 | grep -q " $1/" || return 0; sleep 0.1; done; return 1; }
configuration() {
    printf 'global_defs {\n vrrp_version 3\n}\nvrrp_instance VI_1 {\n state MASTER\n interface eth0\n virtual_router_id 51\n'
    printf ' priority 150\n advert_int 0.1\n virtual_ipaddress {\n %s\n }\n}\n' "$1"
    printf 'virtual_server 10.0.0.100 80 {\n lb_algo rr\n lb_kind NAT\n protocol TCP\n real_server 10.0.0.3 80 {\n weight 1\n }\n}\n'
}
ip link add eth0 type veth peer name wire; ip link set wire up; ip addr add 10.0.0.1/24 dev eth0; ip link set eth0 up
modprobe -a ip_vs ip_vs_rr
for unit in keepalived rkeepalived; do
    configuration 10.0.0.100/24 >/etc/keepalived/keepalived.conf
    step $unit-start systemctl start $unit
    step $unit-first wait_for 10.0.0.100
    step $unit-show systemctl show -p ActiveState,Type,MainPID,StatusText,NRestarts,WatchdogUSec $unit
    step $unit-status systemctl status --no-pager $unit
    step $unit-table ipvsadm -Sn
    configuration 10.0.0.101/24 >/etc/keepalived/keepalived.conf
    step $unit-reload systemctl reload $unit
    step $unit-second wait_for 10.0.0.101
    step $unit-gone gone 10.0.0.100
    step $unit-restart systemctl restart $unit
    step $unit-again wait_for 10.0.0.101
    if [ $unit = rkeepalived ]; then
        kill -9 $(systemctl show -p MainPID --value $unit)
        step $unit-crash sh -c "for i in \$(seq 100); do [ \$(systemctl show -p NRestarts --value $unit) = 1 ] && exit 0; sleep 0.1; done; exit 1"
        step $unit-survived wait_for 10.0.0.101
    fi
    step $unit-stop systemctl stop $unit
    step $unit-empty gone 10.0.0.101
    step $unit-left pgrep -x $unit
    step $unit-journal journalctl --no-pager -o short -u $unit
    step $unit-emptied ipvsadm -Sn
done
step exclusive sh -c 'systemctl start keepalived; systemctl start rkeepalived; systemctl is-active keepalived rkeepalived'
"#;

fn steps() -> &'static BTreeMap<String, Step> {
    static STEPS: OnceLock<BTreeMap<String, Step>> = OnceLock::new();
    STEPS.get_or_init(|| run(SCRIPT))
}

fn step(daemon: Daemon, name: &str) -> &'static Step {
    let unit = unit(daemon);
    let key = format!("{unit}-{name}");
    steps().get(&key).unwrap_or_else(|| panic!("no step {key} in {:#?}", steps()))
}

fn unit(daemon: Daemon) -> &'static str {
    match daemon {
        Daemon::Theirs => "keepalived",
        Daemon::Ours => "rkeepalived",
    }
}

fn systemctl_starts_reloads_restarts_and_stops(daemon: Daemon) {
    for name in ["start", "first", "status", "reload", "second", "gone", "restart", "again", "stop", "empty"] {
        assert_eq!(
            step(daemon, name).code,
            Some(0),
            "{name}: {:?}\n{}",
            step(daemon, name),
            step(daemon, "journal").output
        );
    }
    assert!(step(daemon, "show").output.contains("ActiveState=active"));
    assert!(step(daemon, "show").output.contains("Type=notify"));
    assert!(step(daemon, "table").output.contains("-t 10.0.0.100:80"), "{:?}", step(daemon, "table"));
    assert_eq!(step(daemon, "emptied").output, "");
    // pgrep finds nothing
    assert_eq!(step(daemon, "left").code, Some(1), "{:?}", step(daemon, "left"));
    if daemon == Daemon::Ours {
        let show = &step(daemon, "show").output;
        let status = show.lines().find_map(|line| line.strip_prefix("StatusText="));
        assert!(status.is_some_and(|text| !text.is_empty()), "the status line says who is master: {show}");
        assert!(!show.contains("WatchdogUSec=0"), "{show}");
    }
}

fn a_crash_is_answered_with_a_restart(daemon: Daemon) {
    match daemon {
        // Debian's unit has no Restart=: a crashed keepalived stays away
        Daemon::Theirs => assert!(!steps().contains_key("keepalived-crash")),
        Daemon::Ours => {
            assert_eq!(step(daemon, "crash").code, Some(0));
            assert_eq!(step(daemon, "survived").code, Some(0));
            // starting one stops the other
            let active = &steps()["exclusive"].output;
            assert!(active.lines().eq(["inactive", "active"]), "{active}");
        }
    }
}

fn the_journal_has_the_daemons_lines(daemon: Daemon) {
    let journal = &step(daemon, "journal").output;
    for line in ["Entering MASTER STATE", "Startup complete", "Stopped"] {
        assert!(journal.contains(line), "no `{line}` in\n{journal}");
    }
}
