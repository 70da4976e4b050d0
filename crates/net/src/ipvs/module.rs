//! The kernel's module.

use std::process::{Command, Stdio};

/// Runs `modprobe ip_vs` and tells what it said: its first line of complaint, or that it succeeded.
///
/// The kernel's own choice of a program (`/proc/sys/kernel/modprobe`) comes first, then `modprobe` in the path.
pub(super) fn load() -> String {
    let configured = std::fs::read_to_string("/proc/sys/kernel/modprobe").unwrap_or_default();
    let mut said = String::from("no modprobe was found");
    for program in [configured.trim(), "modprobe", "/sbin/modprobe"] {
        if program.is_empty() {
            continue;
        }
        let run = Command::new(program)
            .arg("ip_vs")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .output();
        match run {
            Ok(output) if output.status.success() => return String::from("modprobe ip_vs succeeded without effect"),
            Ok(output) => {
                let complaint = String::from_utf8_lossy(&output.stderr);
                said = match complaint.lines().next() {
                    Some(line) => line.to_owned(),
                    None => format!("modprobe ip_vs ended with {}", output.status),
                };
            }
            Err(error) => said = format!("{program}: {error}"),
        }
    }
    said
}
