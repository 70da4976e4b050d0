//! A healthy network and one event at a time: one hand-over is one move, within the protocol's time.

use std::time::Duration;

use types::{CentiSeconds, Priority, VrrpVersion};
use vrrp::{Event, InstanceId, State};

use crate::Report;
use crate::cluster::{Cluster, Failure};
use crate::plan::Plan;
use crate::random::Random;

/// What happens to the master.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Incident {
    Stop,
    PowerOff,
    Unplug,
    /// Its process dies and is back before the backups' timers run out.
    QuickRestart,
    /// It stands still for less than the backups' patience.
    ShortPause,
    Reload,
    AddressRemoved,
}

impl Incident {
    const ALL: [Self; 7] = [
        Self::Stop,
        Self::PowerOff,
        Self::Unplug,
        Self::QuickRestart,
        Self::ShortPause,
        Self::Reload,
        Self::AddressRemoved,
    ];

    /// Whether the next one must take over.
    fn moves(self) -> bool {
        matches!(self, Self::Stop | Self::PowerOff | Self::Unplug)
    }
}

/// One event in a healthy cluster, and its end.
///
/// # Errors
///
/// The first invariant that did not hold, with what happened before.
pub fn calm(seed: u64) -> Result<Report, Box<Failure>> {
    let mut random = Random::new(seed ^ 0xca1a);
    let plan = Plan::quiet(&mut random);
    let mut cluster = Cluster::new(seed, plan, random);
    let interval = cluster.plan.interval.duration();
    cluster.network.reordering = false;
    // the best first, so that nobody has to give way
    for node in 0..cluster.plan.nodes {
        cluster.start(node, false);
    }
    cluster.limit_overlap(Some(interval / 10));
    cluster.run(cluster.plan.settling_time())?;
    expect_moves(&mut cluster, (0, 0), (1, 0), "start")?;
    for _ in 0..1 + cluster.random.below(3) {
        let incident = cluster.random.pick(&Incident::ALL);
        let wait = cluster.random.duration(interval * 3);
        cluster.run(wait)?;
        befall(&mut cluster, incident)?;
    }
    cluster.report.simulated = cluster.now.since(types::Instant::from_nanos(1_000_000_000_000));
    Ok(cluster.report)
}

/// The incident, the hand-over, the return.
fn befall(cluster: &mut Cluster, incident: Incident) -> Result<(), Box<Failure>> {
    let master = master(cluster)?;
    cluster.note(|| format!("{incident:?} of node {master}"));
    let before = cluster.moves();
    let interval = cluster.plan.interval.duration();
    match incident {
        Incident::Stop => cluster.stop(master),
        Incident::PowerOff => cluster.power_off(master),
        Incident::Unplug => cluster.set_link(master, false),
        Incident::QuickRestart => {
            cluster.kill(master);
            let down = cluster.random.duration(interval * (u32::from(cluster.plan.down_timer_adverts) - 1));
            cluster.run(down)?;
            cluster.start(master, true);
        }
        Incident::ShortPause => {
            cluster.pause(master, false);
            let down = cluster.random.duration(interval * (u32::from(cluster.plan.down_timer_adverts) - 1));
            cluster.run(down)?;
            cluster.resume(master);
        }
        Incident::Reload => cluster.reload(master),
        Incident::AddressRemoved => cluster.tell(master, Event::HoldingLost { instance: InstanceId(0) }),
    }
    if !incident.moves() {
        cluster.run(cluster.plan.settling_time())?;
        return expect_moves(cluster, before, (0, 0), "harmless incident");
    }

    // the heir: after its skew when told, after the whole down timer when not
    let heir = heir(master);
    let patience = patience(cluster, heir, incident == Incident::Stop);
    cluster.run(patience)?;
    for instance in 0..cluster.plan.instances {
        if cluster.state(heir, instance) != Some(State::Master) {
            let state = cluster.state(heir, instance);
            return Err(
                cluster.fail(format!("node {heir} is {state:?} in V{instance} {patience:?} after {incident:?}"))
            );
        }
    }
    cluster.run(cluster.plan.settling_time())?;
    let released = u64::from(incident != Incident::PowerOff);
    expect_moves(cluster, before, (1, released), "hand-over")?;

    let before = cluster.moves();
    match incident {
        Incident::Unplug => cluster.set_link(master, true),
        _ => cluster.start(master, false),
    }
    cluster.run(cluster.plan.settling_time())?;
    let returns = u64::from(cluster.plan.preempt && master < heir);
    expect_moves(cluster, before, (returns, returns), "return")
}

/// The node that is master of all instances.
fn master(cluster: &mut Cluster) -> Result<usize, Box<Failure>> {
    cluster.expect_one_master()?;
    let all = |node: &usize| (0..cluster.plan.instances).all(|i| cluster.state(*node, i) == Some(State::Master));
    match (0..cluster.plan.nodes).find(all) {
        Some(node) => Ok(node),
        None => Err(cluster.fail("masters of equal clusters are on several nodes".into())),
    }
}

/// The best of the others.
fn heir(master: usize) -> usize {
    usize::from(master == 0)
}

/// RFC 9568 §6.1: the heir's skew, or its whole down timer, and what the network takes.
fn patience(cluster: &Cluster, heir: usize, told: bool) -> Duration {
    let priority = Priority::new(cluster.plan.priorities[heir][0]);
    let interval = cluster.plan.interval;
    let skew = match cluster.plan.version {
        VrrpVersion::V2 => CentiSeconds::skew_v2(priority),
        VrrpVersion::V3 => interval.skew_v3(priority),
    };
    let silence = interval.duration() * u32::from(cluster.plan.down_timer_adverts);
    let travel = interval.duration() / 50 + Duration::from_micros(50);
    if told { skew + travel } else { silence + skew + travel }
}

/// So many times was an address taken and released, in each instance.
fn expect_moves(
    cluster: &mut Cluster,
    before: (u64, u64),
    (taken, released): (u64, u64),
    what: &str,
) -> Result<(), Box<Failure>> {
    cluster.expect_one_master()?;
    let after = cluster.moves();
    let instances = cluster.plan.instances as u64;
    let moved = (after.0 - before.0, after.1 - before.1);
    if moved != (taken * instances, released * instances) {
        return Err(cluster.fail(format!(
            "{what}: addresses taken and released {moved:?} times, {taken} and {released} expected for each of {instances}"
        )));
    }
    Ok(())
}
