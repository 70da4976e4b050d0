//! Every line that operators know, in one place.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use types::{Family, IfName, Priority};

use crate::event::State;
use crate::faults::Fault;
use crate::packet::Refusal;

/// Syslog level of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// LOG_ERR.
    Error,
    /// LOG_WARNING.
    Warning,
    /// LOG_NOTICE.
    Notice,
    /// LOG_INFO.
    Info,
    /// LOG_INFO, only with `-D`.
    Detail,
    /// LOG_DEBUG, only with `-D -D`.
    Debug,
}

/// A line for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// How loud.
    pub level: Level,
    /// The text, as keepalived has it.
    pub text: String,
}

impl State {
    /// The word in log lines.
    fn word(self) -> &'static str {
        match self {
            Self::Init => "INIT",
            Self::Backup => "BACKUP",
            Self::Master => "MASTER",
            Self::Fault => "FAULT",
        }
    }
}

/// Which addresses a `setting` or `removing` line speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holdings {
    /// `virtual_ipaddress`.
    Vips,
    /// `virtual_ipaddress_excluded`.
    ExcludedVips,
}

/// What is said. The texts are keepalived's, except where nothing of keepalived's fits.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Text<'a> {
    FirstState(&'a str, State),
    Entering(&'a str, State),
    Fault(&'a str, &'a Fault),
    Refused(&'a str, &'a Refusal, IpAddr),
    GoesOnAsMaster(&'a str),
    Setting(&'a str, Holdings),
    Removing(&'a str, Holdings),
    AnnouncementSet(&'a str, &'a IfName, IpAddr),
    Announcement(&'a IfName, IpAddr),
    ReceiveTimeout(&'a str),
    SentPriorityZero(&'a str),
    BackupReceivedPriorityZero(&'a str),
    MasterReceivedPriorityZero(&'a str),
    MasterSet(&'a str, IpAddr),
    MasterChanged(&'a str, IpAddr, IpAddr),
    StartPreemptDelay(&'a str, Duration),
    StopPreemptDelay(&'a str),
    IntervalUpdated(&'a str, Duration, Duration),
    LowerPriorityDiscarded(&'a str, Priority, IpAddr),
    LowerPriority { name: &'a str, source: IpAddr, theirs: Priority, ours: Priority, election: bool },
    HigherPriority(&'a str, IpAddr, Priority, Priority),
    HigherAddress(&'a str, IpAddr, Priority),
    OwnAddress(&'a str),
    TwoOwners(&'a str, IpAddr),
    OwnerStillThere(&'a str, IpAddr),
    TimerExpired(Duration),
    Listens(&'a str, Duration),
    EffectivePriority(&'a str, Priority, Priority),
    DelayingStartup(Duration),
    StartupDelayOver,
    SyncingGroup(&'a str, State),
    UnknownVrid(u8, &'a str, IpAddr),
    ScriptReturns(&'a str, i32),
    ScriptSucceeded(&'a str),
    ScriptExited(&'a str, i32),
    ScriptSignalled(&'a str, i32),
    ScriptTimedOut(&'a str),
    ScriptNotStarted(&'a str),
    ScriptStillRuns(&'a str),
    ScriptKept(&'a str, bool),
    Quorum(&'a str, bool),
    Bfd(&'a str, &'a str, bool),
    LinkState(&'a IfName, bool),
    LinkAdded(&'a IfName),
    LinkDeleted(&'a IfName),
    AddressAssigned(IpAddr, &'a IfName),
    AddressDeassigned(IpAddr, &'a IfName),
    Repaired(&'a str),
    RepairDelayed(&'a str, Duration),
    OldUnicastChecksum(&'a str),
    ClockSkew(&'a str, i64, IpAddr, u64),
    AddressCount(&'a str, IpAddr, usize, usize),
    AddressMissing(&'a str, IpAddr, IpAddr),
    MessageOnlyChecksum(&'a str, IpAddr),
    IntervalDiffers(&'a str, IpAddr, Duration, Duration),
}

impl Text<'_> {
    /// How loud keepalived says it.
    pub(crate) fn level(&self) -> Level {
        match self {
            Self::Setting(..)
            | Self::Removing(..)
            | Self::AnnouncementSet(..)
            | Self::Announcement(..)
            | Self::ReceiveTimeout(_)
            | Self::SentPriorityZero(_)
            | Self::BackupReceivedPriorityZero(_)
            | Self::MasterReceivedPriorityZero(_)
            | Self::MasterSet(..)
            | Self::MasterChanged(..)
            | Self::StartPreemptDelay(..)
            | Self::StopPreemptDelay(_)
            | Self::IntervalUpdated(..)
            | Self::LinkAdded(_)
            | Self::LinkDeleted(_)
            | Self::AddressAssigned(..)
            | Self::AddressDeassigned(..) => Level::Detail,
            Self::TwoOwners(..)
            | Self::OwnerStillThere(..)
            | Self::OwnAddress(_)
            | Self::TimerExpired(_)
            | Self::Listens(..)
            | Self::Repaired(_)
            | Self::RepairDelayed(..)
            | Self::ClockSkew(..) => Level::Warning,
            _ => Level::Info,
        }
    }

    /// The line.
    pub(crate) fn line(self) -> Line {
        Line { level: self.level(), text: self.to_string() }
    }
}

/// `%lu.%06lu`.
struct Seconds(Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}", self.0.as_secs(), self.0.subsec_micros())
    }
}

fn holdings(kind: Holdings) -> &'static str {
    match kind {
        Holdings::Vips => "VIPs",
        Holdings::ExcludedVips => "E-VIPs",
    }
}

/// A refused advert, told once of each kind.
fn refused(f: &mut fmt::Formatter<'_>, name: &str, refusal: &Refusal, source: IpAddr) -> fmt::Result {
    match refusal {
        Refusal::Interval { found, expected } => {
            write!(f, "({name}) advertisement interval mismatch with {source} mine={expected} sec rcv'd={found} sec")
        }
        Refusal::TrailerStale { skew, window } => write!(
            f,
            "({name}) stale authentication trailer from {source}, clock skew {skew} sec exceeds window {window} sec"
        ),
        Refusal::Ignored => write!(f, "({name}) Dropping packet(s) from {source} since we are address owner"),
        refusal => write!(f, "({name}) {refusal} from {source}"),
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::FirstState(name, state) => write!(f, "({name}) Entering {} STATE (init)", state.word()),
            Self::Fault(name, fault) => write!(f, "({name}){fault}"),
            Self::Refused(name, refusal, source) => refused(f, name, refusal, source),
            Self::Entering(name, state) => write!(f, "({name}) Entering {} STATE", state.word()),
            Self::GoesOnAsMaster(name) => {
                write!(f, "({name}) going on in MASTER STATE, as before the restart of this process")
            }
            Self::Setting(name, kind) => write!(f, "({name}) setting {}.", holdings(kind)),
            Self::Removing(name, kind) => write!(f, "({name}) removing {}.", holdings(kind)),
            Self::AnnouncementSet(name, interface, address) => {
                let what = match Family::of(address) {
                    Family::Inet => "gratuitous ARPs",
                    Family::Inet6 => "Unsolicited Neighbour Adverts",
                };
                write!(f, "({name}) Sending/queueing {what} on {interface} for {address}")
            }
            Self::Announcement(interface, address) => {
                let what = match Family::of(address) {
                    Family::Inet => "gratuitous ARP",
                    Family::Inet6 => "unsolicited Neighbour Advert",
                };
                write!(f, "Sending {what} on {interface} for {address}")
            }
            Self::ReceiveTimeout(name) => write!(f, "({name}) Receive advertisement timeout"),
            Self::SentPriorityZero(name) => write!(f, "({name}) sent 0 priority"),
            Self::BackupReceivedPriorityZero(name) => write!(f, "({name}) Backup received priority 0 advertisement"),
            Self::MasterReceivedPriorityZero(name) => write!(f, "({name}) Master received priority 0 message"),
            Self::MasterSet(name, master) => write!(f, "({name}) master set to {master}"),
            Self::MasterChanged(name, from, to) => write!(f, "({name}) master changed from {from} to {to}"),
            Self::StartPreemptDelay(name, delay) => write!(f, "({name}) start preempt delay ({})", Seconds(delay)),
            Self::StopPreemptDelay(name) => write!(f, "({name}) stop preempt delay"),
            Self::IntervalUpdated(name, from, to) => write!(
                f,
                "({name}) advertisement interval updated from {}ms to {}ms by master",
                from.as_millis(),
                to.as_millis()
            ),
            Self::LowerPriorityDiscarded(name, priority, source) => {
                write!(f, "({name}) received lower priority ({priority}) advert from {source} - discarding")
            }
            Self::LowerPriority { name, source, theirs, ours, election } => {
                write!(f, "({name}) Received advert from {source} with lower priority {theirs}, ours {ours}")?;
                if election { f.write_str(", forcing new election") } else { Ok(()) }
            }
            Self::HigherPriority(name, source, theirs, ours) => {
                write!(f, "({name}) Master received advert from {source} with higher priority {theirs}, ours {ours}")
            }
            Self::HigherAddress(name, source, priority) => write!(
                f,
                "({name}) Master received advert from {source} with same priority {priority} but higher IP address than ours"
            ),
            Self::OwnAddress(name) => {
                write!(f, "({name}) WARNING - equal priority advert received from remote host with our IP address.")
            }
            Self::TwoOwners(name, source) => write!(
                f,
                "({name}) CONFIGURATION ERROR: local instance and {source} are both configured as address owner, please resolve"
            ),
            Self::OwnerStillThere(name, source) => write!(
                f,
                "({name}) CONFIGURATION ERROR: {source} is still advertising as address owner, please resolve - reducing our priority"
            ),
            Self::TimerExpired(ago) => write!(f, "VRRP thread timer expired {} seconds ago", Seconds(ago)),
            Self::Listens(name, wait) => write!(
                f,
                "({name}) this process stood still so long that another router may be master: listening for {} seconds first",
                Seconds(wait)
            ),
            Self::EffectivePriority(name, from, to) => {
                write!(f, "({name}) Changing effective priority from {from} to {to}")
            }
            Self::DelayingStartup(delay) => write!(f, "Delaying startup for {} seconds", delay.as_secs_f64()),
            Self::StartupDelayOver => f.write_str("Delayed start completed"),
            Self::SyncingGroup(group, state) => {
                write!(f, "VRRP_Group({group}) Syncing instances to {} state", state.word())
            }
            Self::UnknownVrid(vrid, interface, source) => {
                write!(f, "Unknown VRID({vrid}) received on interface({interface}) from {source}. ignoring...")
            }
            Self::ScriptReturns(script, status) => write!(f, "Script `{script}` now returning {status}"),
            Self::ScriptSucceeded(script) => write!(f, "VRRP_Script({script}) succeeded"),
            Self::ScriptExited(script, status) => {
                write!(f, "VRRP_Script({script}) failed (exited with status {status})")
            }
            Self::ScriptSignalled(script, signal) => write!(f, "VRRP_Script({script}) failed (due to signal {signal})"),
            Self::ScriptTimedOut(script) => write!(f, "VRRP_Script({script}) timed_out"),
            Self::ScriptNotStarted(script) => write!(f, "VRRP_Script({script}) failed (could not be started)"),
            Self::ScriptStillRuns(script) => {
                write!(f, "Track script {script} is already running, expect idle - skipping run")
            }
            Self::ScriptKept(script, up) => {
                let result = if up { "successful" } else { "unsuccessful" };
                write!(f, "VRRP_Script({script}) considered {result} on reload")
            }
            Self::Quorum(process, gained) => {
                write!(f, "Quorum {} for tracked process {process}", if gained { "gained" } else { "lost" })
            }
            Self::Bfd(name, bfd, up) => {
                write!(f, "VRRP_Instance({name}) Tracked BFD instance {bfd} is {}", if up { "UP" } else { "DOWN" })
            }
            Self::LinkState(name, up) => write!(f, "Netlink reports {name} {}", if up { "up" } else { "down" }),
            Self::LinkAdded(name) => write!(f, "Interface {name} added"),
            Self::LinkDeleted(name) => write!(f, "Interface {name} deleted"),
            Self::AddressAssigned(address, name) => write!(f, "Assigned address {address} for interface {name}"),
            Self::AddressDeassigned(address, name) => write!(f, "Deassigned address {address} from interface {name}"),
            Self::Repaired(name) => {
                write!(f, "({name}) somebody removed an address, route or rule that this master holds - restoring it")
            }
            Self::RepairDelayed(name, wait) => write!(
                f,
                "({name}) addresses, routes or rules are removed again and again - restoring them in {} seconds; find out who removes them",
                Seconds(wait)
            ),
            Self::OldUnicastChecksum(name) => write!(f, "({name}) Setting unicast VRRPv3 checksum to old version"),
            Self::ClockSkew(name, skew, source, window) => {
                write!(f, "({name}) authentication clock skew {skew} sec from {source} approaching window {window} sec")
            }
            Self::AddressCount(name, source, found, own) => {
                write!(f, "({name}) received an advert from {source} with {found} addresses, {own} configured")
            }
            Self::AddressMissing(name, source, address) => {
                write!(f, "({name}) received an advert from {source} that does not list our address {address}")
            }
            Self::MessageOnlyChecksum(name, source) => {
                write!(f, "({name}) advert from {source} has a checksum without pseudo header (RFC 9568), accepted")
            }
            Self::IntervalDiffers(name, source, own, found) => write!(
                f,
                "({name}) advertisement interval mismatch with {source} mine={}ms rcv'd={}ms",
                own.as_millis(),
                found.as_millis()
            ),
        }
    }
}
