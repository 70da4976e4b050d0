//! VRRPv3 at 10 ms adverts, silent crash: how much later than the protocol asks for.

use std::time::Duration;

use super::{Figures, instance, milliseconds};
use crate::daemon::Daemon;
use crate::lab::Lab;
use crate::node::Node;
use crate::wait::until;

const ROUNDS: usize = 9;

pub(crate) fn run(daemon: Daemon) -> Figures {
    let interval = Duration::from_millis(10);
    let due = interval * 3 + interval * (256 - 100) / 256;
    let limit = Duration::from_secs(20);
    let mut late = Vec::new();
    for _ in 0..ROUNDS {
        let lab = Lab::new();
        let mut a = Node::new(lab.host("a", "10.0.0.1/24"), daemon);
        let mut b = Node::new(lab.host("b", "10.0.0.2/24"), daemon);
        let capture = lab.capture();
        a.start_on(&instance(150, "0.01", "", "10.0.0.100/24"));
        a.wait_to_hold("10.0.0.100", limit);
        b.start_on(&instance(100, "0.01", "", "10.0.0.100/24"));
        b.wait_for_log("Entering BACKUP STATE");
        // whatever b sent until it had heard a
        until("a rules alone", limit, || {
            let adverts = capture.adverts();
            adverts.iter().rev().take(20).all(|advert| advert.from == "a").then_some(()).filter(|()| adverts.len() > 40)
        });
        a.kill_everything();
        b.wait_to_hold("10.0.0.100", limit);
        let adverts = capture.adverts();
        let last = adverts.iter().rev().find(|advert| advert.from == "a").map(|advert| advert.at);
        let first = adverts.iter().find(|advert| advert.from == "b" && Some(advert.at) > last).map(|advert| advert.at);
        if let (Some(last), Some(first)) = (last, first) {
            late.push(first.duration_since(last).unwrap_or_default().saturating_sub(due));
        }
    }
    late.sort();
    let figure = |position: usize| late.get(position).copied().map_or_else(|| "-".to_owned(), milliseconds);
    vec![
        ("10 ms adverts: takeover beyond 3 x interval + skew, median", figure(late.len() / 2)),
        ("10 ms adverts: takeover beyond 3 x interval + skew, best", figure(0)),
    ]
}
