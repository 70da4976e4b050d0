//! Every example and every classic configuration passes `-t`, on theirs and on ours.
#![cfg(test)]

use std::fs;
use std::path::{Path, PathBuf};

use integration::{Daemon, Lab, Node, on_theirs_and_ours};

on_theirs_and_ours![every_example_passes_the_test, every_classic_configuration_is_judged_alike];

/// A host with the interfaces that the files name and with the scripts of the examples.
fn node(daemon: Daemon) -> (Lab, Node) {
    let lab = Lab::new();
    let host = lab.host("lvs1", "192.0.2.11/24");
    lab.plug(&host, "eth1", "inside", "198.51.100.11/24");
    lab.plug(&host, "ens32", "ens32", "192.168.2.1/24");
    lab.plug(&host, "ens33", "ens33", "192.168.160.11/24");
    for entry in fs::read_dir(directory("../conf-examples")).unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap();
        if name.ends_with(".sh") {
            host.write_script(&format!("/etc/keepalived/{name}"), &fs::read_to_string(entry.path()).unwrap());
        }
    }
    for script in ["nginx_pid.sh", "check_nginx.sh"] {
        host.write_script(&format!("/etc/keepalived/{script}"), "#!/bin/sh\nexit 0\n");
    }
    (lab, Node::new(host, daemon))
}

fn directory(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(relative)
}

/// Name, exit code and messages of `-t` on each `*.conf` of a directory.
fn verdicts(daemon: Daemon, relative: &str) -> Vec<(String, Option<i32>, String)> {
    let (_lab, node) = node(daemon);
    let mut files: Vec<PathBuf> =
        fs::read_dir(directory(relative)).unwrap().flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "conf"));
    files.sort();
    assert!(files.len() > 5, "no files in {relative}");
    let verdict = |path: PathBuf| {
        node.configure(&fs::read_to_string(&path).unwrap());
        let output = node.run(&["-t", "-f", Node::CONFIGURATION]);
        let messages = String::from_utf8_lossy(&output.stderr).into_owned();
        (path.file_name().unwrap().to_string_lossy().into_owned(), output.status.code(), messages)
    };
    files.into_iter().map(verdict).collect()
}

fn every_example_passes_the_test(daemon: Daemon) {
    let mut failed = verdicts(daemon, "../conf-examples");
    failed.retain(|(_, code, _)| *code != Some(0));
    assert!(failed.is_empty(), "{failed:#?}");
}

fn every_classic_configuration_is_judged_alike(daemon: Daemon) {
    for (name, code, messages) in verdicts(daemon, "classic") {
        let (wanted, because) = match name.as_str() {
            // it runs all the same, without persistence
            "dr-pair-http-backup.conf" | "dr-pair-http-master.conf" => (5, "persistence_timeout"),
            // words of another age; it runs all the same, without them
            "dr-pair-tcp.conf" => (5, "nat_mask"),
            "nginx-pair.conf" | "three-nodes.conf" => (6, "SECURITY VIOLATION"),
            _ => (0, ""),
        };
        assert_eq!(code, Some(wanted), "{name}: {messages}");
        assert!(messages.contains(because), "{name}: {messages}");
    }
}
