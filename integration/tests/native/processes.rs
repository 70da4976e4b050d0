//! Supervisor, children, pid files, exit codes.

use integration::{Daemon, Lab, Node, on_theirs_and_ours, until};

use crate::instance::{Instance, Pair, SOON, VIP};

on_theirs_and_ours![
    a_killed_child_is_started_again,
    a_killed_supervisor_takes_its_children_along,
    a_second_daemon_on_the_same_pid_file_refuses,
    pid_files_are_where_the_options_say,
    a_daemon_without_dont_fork_goes_to_the_background,
    a_test_of_the_configuration_ends_with_these_codes,
    a_missing_configuration_file_ends_with_six,
    signal_numbers_are_told,
    version_and_help_end_with_zero,
    an_unknown_option_ends_with_one,
    only_configured_children_run,
];

fn node(daemon: Daemon) -> (Lab, Node) {
    let lab = Lab::new();
    let node = Node::new(lab.host("a", "10.0.0.1/24"), daemon);
    (lab, node)
}

fn a_killed_child_is_started_again(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    pair.a.start_on(&Instance::quick("MASTER", 150).text());
    pair.a.wait_to_hold(VIP, SOON);
    let parent = pair.a.wait_for_pid("keepalived");
    let child = pair.a.wait_for_pid("vrrp");
    pair.a.signal("vrrp", "KILL");
    until("another child runs", SOON, || pair.a.pid("vrrp").filter(|pid| *pid != child));
    assert_eq!(pair.a.pid("keepalived"), Some(parent));
    pair.a.wait_to_hold(VIP, SOON);
    let moves = pair.presence.tenures().len();
    match daemon {
        // removes what it finds at start, and adds it again when it becomes master
        Daemon::Theirs => assert!(moves <= 2),
        // adopts what stands
        Daemon::Ours => assert_eq!(moves, 1, "{:?}", pair.presence.tenures()),
    }
}

fn a_killed_supervisor_takes_its_children_along(daemon: Daemon) {
    let mut pair = Pair::started(daemon);
    pair.a.signal("keepalived", "KILL");
    pair.a.wait_for_end();
    until("no process is left", SOON, || pair.a.processes().is_empty().then_some(()));
    // SIGTERM by the kernel: the child can say farewell
    pair.wait_for_only_holder("b");
}

fn a_second_daemon_on_the_same_pid_file_refuses(daemon: Daemon) {
    let (_lab, mut node) = node(daemon);
    node.start_on(&Instance::quick("MASTER", 150).text());
    node.wait_to_hold(VIP, SOON);
    let output = node.run(&["-n", "-l", "-G", "-f", Node::CONFIGURATION]);
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&output.stderr).contains("daemon is already running"));
    assert!(node.holds(VIP));
}

fn pid_files_are_where_the_options_say(daemon: Daemon) {
    let (_lab, mut node) = node(daemon);
    node.configure(&Instance::quick("MASTER", 150).text());
    node.start_with(&["-p", "/run/one.pid", "-r", "/run/two.pid"]);
    node.wait_to_hold(VIP, SOON);
    let (parent, child) = (node.wait_for_pid("one"), node.wait_for_pid("two"));
    assert_ne!(parent, child);
    node.host().shell(&format!("kill {parent}"));
    node.wait_for_end();
    assert_eq!(node.host().shell("ls /run").trim(), "");
}

fn a_daemon_without_dont_fork_goes_to_the_background(daemon: Daemon) {
    let (_lab, node) = node(daemon);
    node.configure(&Instance::quick("MASTER", 150).text());
    let output = node.run(&["-G", "-f", Node::CONFIGURATION]);
    assert!(output.status.success());
    node.wait_to_hold(VIP, SOON);
    node.signal("keepalived", "TERM");
    until("it ends", SOON, || node.processes().is_empty().then_some(()));
    assert!(!node.holds(VIP));
    assert_eq!(node.pid("keepalived"), None);
}

fn a_test_of_the_configuration_ends_with_these_codes(daemon: Daemon) {
    let (_lab, node) = node(daemon);
    let good = Instance::quick("MASTER", 150).text();
    let table = [
        ("a good file", good.clone(), 0),
        ("an unknown keyword", format!("{good}\nnonsense 1\n"), 5),
        ("a missing brace", good.trim_end().trim_end_matches('}').to_owned(), 5),
        (
            "no security",
            "vrrp_script s {\n script /bin/sh\n user root\n interval 1\n}\n".to_owned()
                + &good
                    .replace("enable_script_security", "")
                    .replace("virtual_ipaddress {", "track_script {\n s\n }\n virtual_ipaddress {"),
            6,
        ),
    ];
    for (what, text, code) in table {
        node.configure(&text);
        let output = node.run(&["-t", "-f", Node::CONFIGURATION]);
        assert_eq!(output.status.code(), Some(code), "{what}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

fn a_missing_configuration_file_ends_with_six(daemon: Daemon) {
    let (_lab, node) = node(daemon);
    let output = node.run(&["-n", "-l", "-G", "-f", "/run/not-there.conf"]);
    assert_eq!(output.status.code(), Some(6), "{}", String::from_utf8_lossy(&output.stderr));
}

fn signal_numbers_are_told(daemon: Daemon) {
    let (_lab, node) = node(daemon);
    for (name, number) in
        [("STOP", "15"), ("RELOAD", "1"), ("DATA", "10"), ("STATS", "12"), ("STATS_CLEAR", "63"), ("JSON", "36")]
    {
        let output = node.run(&[&format!("--signum={name}")]);
        assert_eq!(output.status.code(), Some(0), "{name}");
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), number, "{name}");
    }
    assert_eq!(node.run(&["--signum=NONE"]).status.code(), Some(1));
}

fn version_and_help_end_with_zero(daemon: Daemon) {
    let (_lab, node) = node(daemon);
    for option in ["-v", "-h", "--version", "--help"] {
        let output = node.run(&[option]);
        assert_eq!(output.status.code(), Some(0), "{option}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{option} speaks on standard error");
    }
}

fn an_unknown_option_ends_with_one(daemon: Daemon) {
    let (_lab, node) = node(daemon);
    assert_eq!(node.run(&["--nonsense"]).status.code(), Some(1));
}

fn only_configured_children_run(daemon: Daemon) {
    let (_lab, mut node) = node(daemon);
    node.start_on(&Instance::quick("MASTER", 150).text());
    node.wait_to_hold(VIP, SOON);
    assert_eq!(node.pid("checkers"), None);
    assert_eq!(node.processes().len(), 2, "{:?}", node.processes());
    assert_eq!(node.stop().code(), Some(0));
}
