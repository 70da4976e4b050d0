//! Hosts, segments and cables.

use std::time::Duration;

use crate::capture::Capture;
use crate::host::Host;
use crate::wait::until;

/// A set of hosts joined by bridges. The first segment is called `lan`; others come into being when first plugged into.
pub struct Lab {
    switch: Host,
}

impl Lab {
    /// An empty lab with the segment `lan`.
    #[track_caller]
    pub fn new() -> Self {
        let lab = Self { switch: Host::boot("switch") };
        lab.segment("lan");
        lab
    }

    /// Adds a segment: a bridge of its own, joined with nothing.
    #[track_caller]
    pub fn segment(&self, name: &str) {
        self.switch.ip(&format!("link add name {name} type bridge mcast_snooping 0 forward_delay 0"));
        self.switch.ip(&format!("link set dev {name} up"));
    }

    /// Boots a host with `eth0` on the segment `lan`, carrying `address` (with prefix length).
    #[track_caller]
    pub fn host(&self, name: &str, address: &str) -> Host {
        let host = Host::boot(name);
        self.plug(&host, "eth0", "lan", address);
        host
    }

    /// Runs a cable from the interface `interface` of `host` to `segment` (made when it is new) and waits until
    /// it carries. `address` may be empty.
    #[track_caller]
    pub fn plug(&self, host: &Host, interface: &str, segment: &str, address: &str) {
        if !self.switch.path(&format!("/sys/class/net/{segment}")).exists() {
            self.segment(segment);
        }
        let port = Self::port(host, segment);
        let init = host.init();
        self.switch.ip(&format!("link add name {port} type veth peer name {interface} netns {init}"));
        self.switch.ip(&format!("link set dev {port} master {segment}"));
        self.switch.ip(&format!("link set dev {port} up"));
        // no duplicate address detection: the wire is ours and the two seconds are not
        host.sysctl(&format!("net/ipv6/conf/{interface}/accept_dad"), "0");
        if !address.is_empty() {
            let no_detection = if address.contains(':') { " nodad" } else { "" };
            host.ip(&format!("addr add {address} dev {interface}{no_detection}"));
        }
        host.ip(&format!("link set {interface} up"));
        until("the cable carries", Duration::from_secs(5), || {
            (host.read_sys(interface, "operstate").trim() == "up").then_some(())
        });
    }

    /// Silent partition: nothing passes between `host` and the segment, and its link stays up.
    #[track_caller]
    pub fn partition(&self, host: &Host) {
        self.switch.ip(&format!("link set dev {} nomaster", Self::port(host, "lan")));
    }

    /// Ends a silent partition.
    #[track_caller]
    pub fn heal(&self, host: &Host) {
        self.switch.ip(&format!("link set dev {} master lan", Self::port(host, "lan")));
    }

    /// Pulls the cable: the host sees its carrier go.
    #[track_caller]
    pub fn pull(&self, host: &Host) {
        self.switch.ip(&format!("link set dev {} down", Self::port(host, "lan")));
    }

    /// Puts the cable back.
    #[track_caller]
    pub fn push(&self, host: &Host) {
        self.switch.ip(&format!("link set dev {} up", Self::port(host, "lan")));
    }

    /// Listens at every port of the switch from now on.
    #[track_caller]
    pub fn capture(&self) -> Capture {
        Capture::start(&self.switch)
    }

    /// The switch itself.
    pub fn switch(&self) -> &Host {
        &self.switch
    }

    /// Name of the switch's port to which `host` is plugged.
    fn port(host: &Host, segment: &str) -> String {
        if segment == "lan" { host.name().to_owned() } else { format!("{}-{segment}", host.name()) }
    }
}

impl Default for Lab {
    fn default() -> Self {
        Self::new()
    }
}

impl Host {
    /// A file of `/sys/class/net/INTERFACE`.
    fn read_sys(&self, interface: &str, file: &str) -> String {
        self.read(&format!("/sys/class/net/{interface}/{file}"))
    }
}
