//! The VIP's longest silence for a client that pings every 10 ms, for what operators do to a master.

use std::time::Duration;

use super::{Figures, milliseconds};
use crate::daemon::Daemon;
use crate::lab::Lab;
use crate::node::Node;
use crate::ping::Pinger;
use crate::presence::Presence;
use crate::wait::until;

const VIP: &str = "10.0.0.100";

pub(crate) fn run(daemon: Daemon) -> Figures {
    let text = |priority: u8, more: &str| {
        format!(
            "vrrp_instance VI_1 {{\n state BACKUP\n interface eth0\n virtual_router_id 51\n priority {priority}\n advert_int 1\n \
             virtual_ipaddress {{\n {VIP}/24\n{more}\n }}\n}}\n"
        )
    };
    type Deed = fn(&mut Node, &str);
    let deeds: [(&'static str, Deed); 4] = [
        ("silence: SIGTERM and start again", |node, _| {
            node.stop();
            node.start();
        }),
        ("silence: kill -9 of the VRRP process", |node, _| node.signal("vrrp", "KILL")),
        ("silence: kill -9 of all, started again at once", |node, _| {
            node.kill_everything();
            node.start();
        }),
        ("silence: SIGHUP with one address more", |node, more| node.reload(more)),
    ];
    let mut figures = Figures::new();
    for (what, deed) in deeds {
        let lab = Lab::new();
        let client = lab.host("client", "10.0.0.9/24");
        let mut a = Node::new(lab.host("a", "10.0.0.1/24"), daemon);
        let mut b = Node::new(lab.host("b", "10.0.0.2/24"), daemon);
        let limit = Duration::from_secs(30);
        a.start_on(&text(150, ""));
        a.wait_to_hold(VIP, limit);
        b.start_on(&text(100, ""));
        b.wait_for_log("Entering BACKUP STATE");
        let Ok(target) = VIP.parse() else { continue };
        let pinger = Pinger::start(&client, target);
        until("the client is answered", limit, || (pinger.answers() > 50).then_some(()));
        let presence = Presence::watch(target.into(), [a.host(), b.host()]);
        std::thread::sleep(Duration::from_millis(300));
        pinger.forget();
        deed(&mut a, &text(150, " 10.0.0.101/24"));
        // long enough for a takeover, a return and the announcements after five seconds
        std::thread::sleep(Duration::from_secs(10));
        let moves = presence.tenures().len().saturating_sub(1);
        figures.push((what, format!("{}, {moves} moves", milliseconds(pinger.longest_silence()))));
    }
    figures
}
