//! A node of the pair: a host with a daemon on it.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::Sender;

use types::CentiSeconds;

use super::VIRTUAL_ADDRESS;
use super::network::{Host, INTERFACE};
use super::story::Heard;

/// A daemon on its host.
#[derive(Debug)]
pub(super) struct Node {
    /// Where it runs.
    pub(super) host: Host,
    /// Its `priority`.
    pub(super) priority: u8,
    /// What its log said last: MASTER, BACKUP, FAULT, or that it is starting or off.
    pub(super) state: &'static str,
    process: Option<Child>,
}

impl Node {
    /// One that does not run yet.
    pub(super) fn new(host: Host, priority: u8) -> Self {
        Self { host, priority, state: "off", process: None }
    }

    /// Starts `program`; the lines of its log go to `sender` as those of node `number`.
    pub(super) fn start(
        &mut self,
        program: &Path,
        interval: CentiSeconds,
        number: usize,
        sender: Sender<Heard>,
    ) -> Result<(), String> {
        let directory = self.directory();
        // As after a reboot: pid files of the former life are gone (keepalived would take them for a running daemon's).
        let _ = std::fs::remove_dir_all(&directory);
        std::fs::create_dir_all(&directory).map_err(|refused| format!("{directory}: {refused}"))?;
        let file = format!("{directory}/keepalived.conf");
        std::fs::write(&file, configuration(self.priority, interval))
            .map_err(|refused| format!("{file}: {refused}"))?;
        let mut command = Command::new(program);
        command.args(["--dont-fork", "--log-console", "--log-detail", "--no-syslog", "-f", &file]);
        for (option, pid) in [("-p", "main"), ("-r", "vrrp"), ("-c", "checkers"), ("-b", "bfd")] {
            command.args([option, &format!("{directory}/{pid}.pid")]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut process =
            self.host.inside(move || command.spawn().map_err(|refused| format!("{}: {refused}", program.display())))?;
        if let Some(log) = process.stderr.take() {
            std::thread::spawn(move || {
                for line in BufReader::new(log).lines().map_while(Result::ok) {
                    if sender.send(Heard::Line(number, line)).is_err() {
                        return;
                    }
                }
            });
        }
        self.process = Some(process);
        self.state = "starting";
        Ok(())
    }

    /// SIGKILL for the children, then for the supervisor: nobody says goodbye.
    pub(super) fn kill(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        for file in ["vrrp", "checkers", "bfd"] {
            let pid = std::fs::read_to_string(format!("{}/{file}.pid", self.directory()));
            if let Some(pid) = pid.ok().and_then(|text| text.trim().parse().ok()) {
                // It may be gone already.
                let _ = sys::signals::send(pid, libc::SIGKILL);
            }
        }
        let _ = process.kill();
        let _ = process.wait();
        self.state = "off";
    }

    /// Whether its daemon ended by itself.
    pub(super) fn has_ended(&mut self) -> bool {
        self.process.as_mut().is_some_and(|process| process.try_wait().is_ok_and(|status| status.is_some()))
    }

    fn directory(&self) -> String {
        format!("/run/{}", self.host.name())
    }
}

fn configuration(priority: u8, interval: CentiSeconds) -> String {
    format!(
        "# what the demonstration runs; an ordinary keepalived.conf\n\
         vrrp_instance VI_1 {{\n    state BACKUP\n    interface {INTERFACE}\n    virtual_router_id 51\n    priority {priority}\n    \
         version 3\n    advert_int {interval}\n    virtual_ipaddress {{\n        {VIRTUAL_ADDRESS}/24\n    }}\n}}\n"
    )
}
