//! Whether the daemon does what a keyword says. To flip a keyword, change the word in its row; to flip a whole subject, its
//! constant here.

/// Whether the daemon does what a keyword says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It does.
    Honoured,
    /// keepalived takes it and does nothing with it, and so do we.
    NoEffect,
    /// Parsed, but the behaviour is not built yet: said by name at `-t`, which then fails, and at start.
    NotYet(&'static str),
}

pub(super) const HONOURED: Status = Status::Honoured;
pub(super) const NO_EFFECT: Status = Status::NoEffect;
pub(super) const SNMP: Status = Status::NotYet("no SNMP agent is built yet");
pub(super) const DBUS: Status = Status::NotYet("no D-Bus service is built yet");
pub(super) const BFD: Status = Status::Honoured;
pub(super) const BFD_CHECK: Status = Status::Honoured;
/// `ha_suspend`.
pub(super) const HA_SUSPEND: Status = Status::NotYet("checkers run whether or not the address is on the host");
pub(super) const VMAC: Status = Status::Honoured;
pub(super) const EXTRA_ALL: Status = Status::NotYet("announcements are refreshed on virtual MAC links only");
pub(super) const IPVLAN: Status = Status::NotYet("ipvlan links are not built yet");
pub(super) const NFTABLES: Status = Status::Honoured;
pub(super) const NFTABLES_IPVS: Status = Status::NotYet("groups are served address by address, without firewall marks");
pub(super) const IPTABLES: Status = Status::NotYet("iptables and ipsets are not offered; use nftables");
pub(super) const LINKBEAT: Status = Status::NotYet("links are watched through netlink, not polled");
pub(super) const SYNC_DAEMON: Status = Status::Honoured;
pub(super) const RELOAD_TIME: Status = Status::NotYet("reloads at a given time are not built yet");
pub(super) const NAMESPACE_IPVS: Status = Status::NotYet("IPVS is configured in the daemon's own namespace");
pub(super) const CONFIG_COPIES: Status = Status::NotYet("no copies of the configuration are kept");
