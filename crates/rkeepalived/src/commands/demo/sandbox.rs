//! The sandbox: what it needs from the machine, and the hosts in it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::Arguments;

/// A command the sandbox needs, and the Debian package that has it.
const NEEDED: [(&str, &str); 3] = [("unshare", "util-linux"), ("mount", "mount"), ("ip", "iproute2")];

/// Directories of commands that a login without root's PATH lacks.
const MORE_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Runs ourselves again inside the sandbox.
pub(super) fn enter(arguments: &Arguments) -> Result<i32, String> {
    provide_commands()?;
    let root = nix::unistd::geteuid().is_root();
    let ourselves = std::env::current_exe().map_err(|refused| format!("cannot find our own program: {refused}"))?;
    let mut command = Command::new(find("unshare").unwrap_or_else(|| PathBuf::from("unshare")));
    if !root {
        command.args(["--user", "--map-root-user"]);
    }
    command.args(["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]);
    command.arg(ourselves).args(["demo", "--inside"]);
    command.arg("--interval").arg(arguments.interval.to_string());
    command.arg("--rounds").arg(arguments.rounds.to_string());
    if let Some(program) = &arguments.program {
        let program = std::fs::canonicalize(program).map_err(|refused| format!("{}: {refused}", program.display()))?;
        command.arg("--program").arg(program);
    }
    if arguments.log {
        command.arg("--log");
    }
    command.env("PATH", MORE_PATH);
    let status = command.status().map_err(|refused| format!("cannot run unshare: {refused}"))?;
    match status.code() {
        Some(0) => Ok(0),
        code if !root => {
            eprintln!(
                "The sandbox could not be made without root (this kernel may not allow user namespaces: see \
                 /proc/sys/user/max_user_namespaces and kernel.unprivileged_userns_clone). Run the same command with sudo."
            );
            Ok(code.unwrap_or(1))
        }
        code => Ok(code.unwrap_or(1)),
    }
}

/// Installs what is missing where we may, and names it where we may not.
fn provide_commands() -> Result<(), String> {
    let missing: Vec<&str> =
        NEEDED.iter().filter(|(name, _)| find(name).is_none()).map(|(_, package)| *package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages = missing.join(" ");
    if nix::unistd::geteuid().is_root() && find("apt-get").is_some() {
        println!("installing {packages} …");
        let quiet = |arguments: &[&str]| {
            let mut command = Command::new("apt-get");
            command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive").stdout(Stdio::null());
            command.status().is_ok_and(|status| status.success())
        };
        let mut install = vec!["install", "-y", "-qq", "--no-install-recommends"];
        install.extend(&missing);
        if quiet(&install) || (quiet(&["update", "-qq"]) && quiet(&install)) {
            return Ok(());
        }
    }
    Err(format!("The demonstration needs the package(s) {packages}: apt-get install {packages}"))
}

fn find(name: &str) -> Option<PathBuf> {
    let path = format!("{}:{MORE_PATH}", std::env::var("PATH").unwrap_or_default());
    path.split(':').map(|directory| Path::new(directory).join(name)).find(|path| path.is_file())
}

/// Runs a command to its end; its complaint is the error.
pub(super) fn sh(line: &str) -> Result<(), String> {
    let output = Command::new("/bin/sh").args(["-c", line]).stdin(Stdio::null()).output();
    let output = output.map_err(|refused| format!("`{line}`: {refused}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("`{line}` failed: {}", String::from_utf8_lossy(&output.stderr).trim()))
}

/// A switch with three hosts on it: `a` (192.0.2.1), `b` (192.0.2.2), `client` (192.0.2.9), each with one interface `eth0`.
pub(super) fn build() -> Result<(), String> {
    sh("mount -t tmpfs tmpfs /run && mkdir -p /run/netns")?;
    sh("ip link set lo up && ip link add switch type bridge mcast_snooping 0 && ip link set switch up")?;
    for (host, number) in [("a", 1), ("b", 2), ("client", 9)] {
        sh(&format!(
            "ip netns add {host} && ip link add to-{host} type veth peer name eth0 netns {host} && \
             ip link set to-{host} master switch up && ip -n {host} link set lo up && ip -n {host} link set eth0 up && \
             ip -n {host} addr add 192.0.2.{number}/24 dev eth0"
        ))
        .map_err(|refused| format!("{refused}\nThe kernel must offer network namespaces, veth and bridge."))?;
    }
    Ok(())
}

/// The cable of a host goes dead.
pub(super) fn cut(host: &str) -> Result<(), String> {
    sh(&format!("ip link set to-{host} down"))
}

/// A host comes back as after a reboot: the cable is alive and no address of its former life is left.
pub(super) fn boot(host: &str, address: std::net::Ipv4Addr) -> Result<(), String> {
    sh(&format!("ip -n {host} addr del {address}/24 dev eth0 2>/dev/null; ip link set to-{host} up"))
}
