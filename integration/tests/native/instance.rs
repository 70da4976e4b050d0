//! Configurations and pairs that most scenarios start from.

use std::time::Duration;

use integration::{Capture, Daemon, Lab, Node, Presence};

/// The address that moves in most scenarios.
pub(crate) const VIP: &str = "10.0.0.100";
/// Longer than any takeover here: a machine under load is late, not wrong.
pub(crate) const SOON: Duration = Duration::from_secs(15);

/// A `vrrp_instance VI_1` on `eth0`, built up word by word.
#[derive(Clone)]
pub(crate) struct Instance {
    version: u8,
    state: &'static str,
    priority: u8,
    interval: &'static str,
    addresses: String,
    more: String,
    before: String,
}

impl Instance {
    /// Version 3 with adverts every 100 ms: the quick one.
    pub(crate) fn quick(state: &'static str, priority: u8) -> Self {
        let addresses = format!("{VIP}/24");
        Self { version: 3, state, priority, interval: "0.1", addresses, more: String::new(), before: String::new() }
    }

    /// Version 2 with adverts every second: the one in the field.
    pub(crate) fn classic(state: &'static str, priority: u8) -> Self {
        Self { version: 2, interval: "1", ..Self::quick(state, priority) }
    }

    pub(crate) fn interval(mut self, seconds: &'static str) -> Self {
        self.interval = seconds;
        self
    }

    /// Lines of the instance's block.
    pub(crate) fn with(mut self, lines: &str) -> Self {
        self.more += &format!("    {lines}\n");
        self
    }

    /// Blocks before the instance.
    pub(crate) fn after(mut self, block: &str) -> Self {
        self.before += block;
        self
    }

    pub(crate) fn addresses(mut self, lines: &str) -> Self {
        lines.clone_into(&mut self.addresses);
        self
    }

    pub(crate) fn text(&self) -> String {
        let Self { version, state, priority, interval, addresses, more, before } = self;
        format!(
            "global_defs {{\n    vrrp_version {version}\n    enable_script_security\n    script_user root\n}}\n{before}\
             vrrp_instance VI_1 {{\n    state {state}\n    interface eth0\n    virtual_router_id 51\n    priority {priority}\n    \
             advert_int {interval}\n    garp_master_delay 1\n{more}    virtual_ipaddress {{\n        {addresses}\n    }}\n}}\n"
        )
    }
}

/// Hosts `a` (10.0.0.1) and `b` (10.0.0.2) on one wire.
pub(crate) struct Pair {
    pub(crate) a: Node,
    pub(crate) b: Node,
    pub(crate) capture: Capture,
    pub(crate) presence: Presence,
    pub(crate) lab: Lab,
}

impl Pair {
    pub(crate) fn new(a: Daemon, b: Daemon) -> Self {
        let lab = Lab::new();
        let a = Node::new(lab.host("a", "10.0.0.1/24"), a);
        let b = Node::new(lab.host("b", "10.0.0.2/24"), b);
        let capture = lab.capture();
        let presence = Presence::watch(VIP.parse().unwrap(), [a.host(), b.host()]);
        Self { a, b, capture, presence, lab }
    }

    /// Starts both and waits until `a` has the VIP and `b` has settled as backup.
    pub(crate) fn start(&mut self, a: &Instance, b: &Instance) {
        self.a.start_on(&a.text());
        self.a.wait_to_hold(VIP, SOON);
        self.b.start_on(&b.text());
        self.b.wait_for_log("Entering BACKUP STATE");
    }

    /// A quick pair of one kind, 150 against 100, with `a` master.
    pub(crate) fn started(daemon: Daemon) -> Self {
        let mut pair = Self::new(daemon, daemon);
        pair.start(&Instance::quick("MASTER", 150), &Instance::quick("BACKUP", 100));
        pair
    }

    /// Waits until exactly `host` holds the VIP.
    #[track_caller]
    pub(crate) fn wait_for_only_holder(&self, host: &str) {
        integration::until(&format!("only {host} holds the VIP"), SOON, || {
            (self.presence.holders() == [host]).then_some(())
        });
    }
}
