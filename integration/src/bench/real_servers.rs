//! Two thousand real servers into IPVS, and a reload of one weight (inside user-mode Linux).

use std::process::{Command, ExitCode};
use std::time::Duration;

use super::processor_time::PROCESS;
use super::{Figures, milliseconds, processor_time};
use crate::daemon::{Daemon, helper_program};
use crate::lab::Lab;
use crate::node::Node;
use crate::wait::until;

const SERVERS: usize = 2000;

/// Runs itself inside and reads what it printed.
pub(crate) fn run(daemon: Daemon) -> Figures {
    let output = Command::new(helper_program())
        .arg("uml")
        .arg(helper_program())
        .args(["bench", "inside", &daemon.to_string()])
        .output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let figure = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("-").trim().to_owned();
    vec![
        ("2,000 real servers into IPVS: processor time", figure("start")),
        ("2,000 real servers, reload of one weight: processor time", figure("reload")),
    ]
}

pub(crate) fn run_inside(daemon: Daemon) -> ExitCode {
    let lab = Lab::new();
    let mut node = Node::new(lab.host("a", "10.0.0.1/8"), daemon);
    let configuration = |weight: u32| {
        let mut text = String::from("virtual_server 10.0.0.100 80 {\n lb_algo wrr\n lb_kind NAT\n protocol TCP\n");
        for number in 0..SERVERS {
            let weight = if number == 0 { weight } else { 1 };
            text += &format!(" real_server 10.1.{}.{} 80 {{\n  weight {weight}\n }}\n", number / 250, number % 250 + 1);
        }
        text + "}\n"
    };
    let limit = Duration::from_secs(120);
    let name = PROCESS;
    let saved = |node: &Node| node.host().shell("ipvsadm -Sn");
    node.start_on(&configuration(1));
    until("all are in the table", limit, || (saved(&node).lines().count() > SERVERS).then_some(()));
    println!("start {}", milliseconds(processor_time::of_daemon(node.host(), name)));
    let before = processor_time::of_daemon(node.host(), name);
    node.reload(&configuration(7));
    until("the weight has changed", limit, || saved(&node).contains("-w 7").then_some(()));
    println!("reload {}", milliseconds(processor_time::of_daemon(node.host(), name).saturating_sub(before)));
    ExitCode::SUCCESS
}
