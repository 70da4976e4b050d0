//! How addresses stand in the kernel.

use integration::{Daemon, Host, on_theirs_and_ours, until};

use crate::instance::{Instance, Pair, SOON, VIP};

on_theirs_and_ours![
    label_broadcast_scope_prefix_and_device_are_as_configured,
    an_address_without_prefix_is_a_host_address,
    a_deleted_address_comes_back,
    a_thousand_addresses_move,
    an_address_left_over_from_a_crash_is_adopted_or_removed,
];

/// The entry of `address` in `ip -j addr`.
fn entry(host: &Host, address: &str) -> serde_json::Value {
    let interfaces = host.addresses_in_detail();
    for interface in interfaces.as_array().unwrap() {
        for info in interface["addr_info"].as_array().into_iter().flatten() {
            if info["local"] == address {
                let mut info = info.clone();
                info["device"] = interface["ifname"].clone();
                return info;
            }
        }
    }
    panic!("{address} is not on {}", host.name());
}

fn label_broadcast_scope_prefix_and_device_are_as_configured(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    pair.lab.plug(pair.a.host(), "eth1", "lan2", "10.2.0.1/24");
    let addresses = "10.0.0.100/24 brd 10.0.0.255 label eth0:2\n10.2.0.100/28 dev eth1 scope link\n10.0.0.102/24 brd -";
    pair.a.start_on(&Instance::quick("MASTER", 150).addresses(addresses).text());
    pair.a.wait_to_hold("10.0.0.102", SOON);
    let first = entry(pair.a.host(), "10.0.0.100");
    assert_eq!(
        (&first["label"], &first["broadcast"], &first["prefixlen"]),
        (&"eth0:2".into(), &"10.0.0.255".into(), &24.into())
    );
    assert_eq!(first["scope"], "global");
    let second = entry(pair.a.host(), "10.2.0.100");
    assert_eq!(
        (&second["device"], &second["scope"], &second["prefixlen"]),
        (&"eth1".into(), &"link".into(), &28.into())
    );
}

fn an_address_without_prefix_is_a_host_address(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    pair.a.start_on(&Instance::quick("MASTER", 150).addresses(VIP).text());
    pair.a.wait_to_hold(VIP, SOON);
    assert_eq!(entry(pair.a.host(), VIP)["prefixlen"], 32);
}

fn a_deleted_address_comes_back(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    pair.a.start_on(&Instance::quick("MASTER", 150).text());
    pair.a.wait_to_hold(VIP, SOON);
    pair.a.host().ip(&format!("addr del {VIP}/24 dev eth0"));
    // it may be back before we look, or go once more while the instance is backup for the skew
    until("it is back to stay", SOON, || {
        (pair.capture.announcements("a", VIP).len() > 5 && pair.a.holds(VIP)).then_some(())
    });
}

fn a_thousand_addresses_move(daemon: Daemon) {
    let mut pair = Pair::new(daemon, daemon);
    let many = |state, priority| {
        let excluded: String = (0..1000).map(|n| format!("10.9.{}.{}/32\n", n / 250, n % 250 + 1)).collect();
        Instance::quick(state, priority).with(&format!("virtual_ipaddress_excluded {{\n{excluded}}}"))
    };
    pair.start(&many("MASTER", 150), &many("BACKUP", 100));
    until("a holds them all", SOON, || (pair.a.host().addresses().len() > 1000).then_some(()));
    pair.a.stop();
    assert!(pair.a.host().addresses().len() < 10);
    until("b holds them all", SOON, || (pair.b.host().addresses().len() > 1000).then_some(()));
}

fn an_address_left_over_from_a_crash_is_adopted_or_removed(daemon: Daemon) {
    let mut pair = Pair::started(daemon);
    pair.a.kill_everything();
    pair.b.wait_to_hold(VIP, SOON);
    // a's address stands and nobody watches it; started again as what cannot be master, a must let it go
    assert!(pair.a.holds(VIP));
    pair.a.start_on(&Instance::quick("BACKUP", 50).text());
    pair.wait_for_only_holder("b");
}
