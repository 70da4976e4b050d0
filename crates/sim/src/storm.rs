//! Anything may happen; then the weather clears.

use std::time::Duration;

use vrrp::config::Authentication;
use vrrp::{Event, InstanceId};

use crate::Report;
use crate::cluster::{Cluster, Failure};
use crate::network::Network;
use crate::plan::Plan;
use crate::random::Random;

/// A few storms, each followed by clear weather in a network that may still be in parts.
///
/// # Errors
///
/// The first invariant that did not hold, with what happened before.
pub fn storm(seed: u64) -> Result<Report, Box<Failure>> {
    let mut random = Random::new(seed);
    let plan = Plan::stormy(&mut random);
    let mut cluster = Cluster::new(seed, plan, random);
    let interval = cluster.plan.interval.duration();
    for node in 0..cluster.plan.nodes {
        cluster.start(node, false);
        let wait = cluster.random.duration(interval);
        cluster.run(wait)?;
    }
    for _ in 0..1 + cluster.random.below(4) {
        rage(&mut cluster)?;
        clear(&mut cluster)?;
    }
    cluster.report.simulated = cluster.now.since(types::Instant::from_nanos(1_000_000_000_000));
    Ok(cluster.report)
}

/// Bad weather and accidents.
fn rage(cluster: &mut Cluster) -> Result<(), Box<Failure>> {
    cluster.limit_overlap(None);
    let interval = cluster.plan.interval.duration();
    let nodes = cluster.plan.nodes;
    for _ in 0..1 + cluster.random.below(8) {
        let node = cluster.random.below(nodes);
        match cluster.random.below(13) {
            0 => {
                let (loss, duplication) = (cluster.random.below(70), cluster.random.below(40));
                let delay = cluster.random.duration(interval * 2);
                cluster.note(|| format!("weather: loss {loss} %, duplication {duplication} %, delay {delay:?}"));
                cluster.network = Network { loss, duplication, delay, ..cluster.network.clone() };
            }
            1 => {
                let part: Vec<_> = (0..nodes).map(|_| cluster.random.below(nodes)).collect();
                cluster.note(|| format!("parts {part:?}"));
                cluster.network.part = part;
            }
            2 | 3 => {
                let asleep = cluster.random.chance(40);
                cluster.pause(node, asleep);
            }
            4 => (0..nodes).for_each(|node| cluster.resume(node)),
            5 => cluster.kill(node),
            6 => cluster.power_off(node),
            7 => cluster.stop(node),
            8 => bring_back(cluster),
            9 => {
                let up = cluster.random.chance(50);
                cluster.note(|| format!("node {node}: cable {up}"));
                cluster.set_link(node, up);
            }
            10 => {
                let value = cluster.random.pick(&[0, 0, 40, -40, -254, 100]);
                cluster.set_file(node, value);
            }
            11 => cluster.reload(node),
            _ => {
                let instance = InstanceId(cluster.random.below(cluster.plan.instances) as u32);
                cluster.tell(node, Event::HoldingLost { instance });
            }
        }
        let wait = cluster.random.duration(interval * 6);
        cluster.run(wait)?;
    }
    Ok(())
}

/// What does not run is started: killed processes with what the supervisor remembers.
fn bring_back(cluster: &mut Cluster) {
    for node in 0..cluster.plan.nodes {
        if cluster.nodes[node].routers.is_none() {
            cluster.start(node, true);
        }
    }
}

/// Clear weather, everybody awake; parts stay parts. One master in each, and then nothing moves.
fn clear(cluster: &mut Cluster) -> Result<(), Box<Failure>> {
    let interval = cluster.plan.interval.duration();
    let nodes = cluster.plan.nodes;
    for node in 0..nodes {
        let up = cluster.random.chance(85);
        cluster.resume(node);
        cluster.set_link(node, up);
        cluster.set_file(node, 0);
    }
    bring_back(cluster);
    let together = cluster.random.chance(60);
    let part = (0..nodes).map(|_| if together { 0 } else { cluster.random.below(nodes) }).collect();
    let link = cluster.network.link.clone();
    cluster.network = Network { part, link, ..Network::healthy(nodes, interval / 100) };
    let network = cluster.network.clone();
    cluster.note(|| format!("clear weather: {network:?}"));

    // packets of the storm are still in the air for two intervals at most
    cluster.run(interval * 2)?;
    // two that hear each other: the first advert of the better one ends it. An authentication header refuses
    // sequence numbers that were used until the other one has caught up.
    let header = matches!(cluster.plan.authentication, Authentication::AuthenticationHeader(_));
    let adverts = if header { 4 } else { 1 };
    cluster.limit_overlap(Some(interval * adverts + interval / 10 + Duration::from_millis(1)));
    cluster.run(cluster.plan.settling_time())?;
    cluster.expect_one_master()?;

    let before = cluster.moves();
    cluster.run(cluster.plan.longest_down() * 2 + cluster.plan.preempt_delay)?;
    cluster.expect_one_master()?;
    if cluster.moves() != before {
        return Err(cluster.fail("addresses moved in clear weather after the settling time".into()));
    }
    Ok(())
}
