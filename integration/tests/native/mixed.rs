//! Theirs and ours as one pair, both ways round, v2 and v3.

use std::time::Duration;

use integration::{Daemon, on_mixed_pairs, remains};

use crate::instance::{Instance, Pair, VIP};

on_mixed_pairs![version_two_with_password, version_three_at_100_ms, version_three_unicast, a_partition_heals];

/// Backup stays silent, takes over at a stop, gives back.
fn hands_over(pair: &mut Pair) {
    remains("only a holds it", Duration::from_millis(1200), || pair.presence.holders() == ["a"]);
    pair.a.stop();
    pair.wait_for_only_holder("b");
    pair.a.start();
    pair.wait_for_only_holder("a");
    pair.a.kill_everything();
    pair.b.wait_to_hold(VIP, crate::instance::SOON);
    pair.a.start();
    pair.wait_for_only_holder("a");
}

fn version_two_with_password(master: Daemon, backup: Daemon) {
    let mut pair = Pair::new(master, backup);
    let password = "authentication {\n auth_type PASS\n auth_pass 1111\n }";
    pair.start(&Instance::classic("MASTER", 150).with(password), &Instance::classic("BACKUP", 100).with(password));
    hands_over(&mut pair);
}

fn version_three_at_100_ms(master: Daemon, backup: Daemon) {
    let mut pair = Pair::new(master, backup);
    pair.start(&Instance::quick("MASTER", 150), &Instance::quick("BACKUP", 100));
    hands_over(&mut pair);
}

fn version_three_unicast(master: Daemon, backup: Daemon) {
    let mut pair = Pair::new(master, backup);
    let unicast = |own: &str, peer: &str| format!("unicast_src_ip {own}\n unicast_peer {{\n {peer}\n }}");
    let a = Instance::quick("MASTER", 150).with(&unicast("10.0.0.1", "10.0.0.2"));
    let b = Instance::quick("BACKUP", 100).with(&unicast("10.0.0.2", "10.0.0.1"));
    pair.start(&a, &b);
    hands_over(&mut pair);
}

fn a_partition_heals(master: Daemon, backup: Daemon) {
    let mut pair = Pair::new(master, backup);
    pair.start(&Instance::quick("BACKUP", 100), &Instance::quick("BACKUP", 100));
    pair.lab.partition(pair.a.host());
    pair.b.wait_to_hold(VIP, crate::instance::SOON);
    pair.lab.heal(pair.a.host());
    // equal priorities: the higher address
    pair.wait_for_only_holder("b");
}
