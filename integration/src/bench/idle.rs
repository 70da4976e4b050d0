//! One idle instance: memory of all processes, processor time of a minute.

use std::time::Duration;

use super::processor_time::PROCESS;
use super::{Figures, milliseconds, processor_time};
use crate::daemon::Daemon;
use crate::lab::Lab;
use crate::node::Node;

/// How long it is watched; told for a minute.
const WATCHED: Duration = Duration::from_secs(20);

pub(crate) fn run(daemon: Daemon) -> Figures {
    let lab = Lab::new();
    let mut node = Node::new(lab.host("a", "10.0.0.1/24"), daemon);
    node.start_on(
        "vrrp_instance VI_1 {\n state MASTER\n interface eth0\n virtual_router_id 51\n priority 150\n advert_int 1\n \
         virtual_ipaddress {\n 10.0.0.100/24\n }\n}\n",
    );
    node.wait_to_hold("10.0.0.100", Duration::from_secs(20));
    // the second round of gratuitous ARP, five seconds after the first, is not idleness
    std::thread::sleep(Duration::from_secs(7));
    let name = PROCESS;
    let before = processor_time::of_daemon(node.host(), name);
    std::thread::sleep(WATCHED);
    let cost = processor_time::of_daemon(node.host(), name).saturating_sub(before);
    let minute = cost * 60 / WATCHED.as_secs() as u32;
    vec![
        (
            "one idle master: PSS of all processes",
            format!("{:.1} MB", processor_time::memory(node.host(), name) as f64 / 1024.0),
        ),
        ("one idle master: processor time a minute", milliseconds(minute)),
    ]
}
