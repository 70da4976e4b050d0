//! What the brain is told and what it answers: the whole surface between the VRRP state machines and the world.
//!
//! ```text
//!   packet, link, address, script…  ── Event ──▶  Routers  ── Action ──▶  socket, kernel, script, log
//!                                      now ───▶           ◀── next_deadline
//! ```
//!
//! The order of actions is the order of execution.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use types::{CentiSeconds, Family, IfIndex, IfName, MacAddr, Priority, Ttl};

use crate::log::Line;

/// An instance, by its place in the running configuration (`Config::instances`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct InstanceId(pub u32);

/// A sync group, by its place in the running configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct GroupId(pub u32);

/// A `vrrp_script`, by its place in the running configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ScriptId(pub u32);

/// State of an instance or sync group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum State {
    /// Waits for the first result of a tracked script.
    Init,
    /// Listens.
    Backup,
    /// Holds the addresses.
    Master,
    /// Cannot take part.
    Fault,
}

impl State {
    /// Number in dumps and JSON.
    pub fn number(self) -> u8 {
        match self {
            Self::Init => 0,
            Self::Backup => 1,
            Self::Master => 2,
            Self::Fault => 3,
        }
    }
}

/// What happened.
///
/// At start the program tells everything that stands (links, addresses, contents of files, numbers of processes, states
/// of BFD sessions), then [`Event::Started`]; until then nothing is decided and nothing is sent. After
/// [`Routers::reconfigure`](crate::Routers::reconfigure) links and addresses are still known; only contents of new files
/// and numbers of new processes must be told.
#[derive(Debug, Clone)]
pub enum Event<'a> {
    /// Everything that stands has been told: instances take their first state, scripts start.
    Started,
    /// A packet arrived on a VRRP socket.
    Packet(ReceivedPacket<'a>),
    /// An interface exists and is in this state; sent for each at start and at each change.
    Link(Link),
    /// An interface is gone.
    LinkGone(IfIndex),
    /// An interface has this address; sent for each at start. Never one that we added ourselves for an instance.
    SourceAdded {
        /// Interface.
        interface: IfIndex,
        /// Address.
        address: IpAddr,
        /// Not yet proven unique (IPv6); such an address is no source.
        tentative: bool,
    },
    /// An interface lost this address.
    SourceRemoved {
        /// Interface.
        interface: IfIndex,
        /// Address.
        address: IpAddr,
    },
    /// A script ended. Answers [`Action::RunScript`].
    ScriptEnded {
        /// Which.
        script: ScriptId,
        /// How.
        outcome: ScriptOutcome,
    },
    /// Content of a tracked file.
    FileValue {
        /// Place in `Config::files`.
        file: usize,
        /// Its number; 0 where it is missing or empty.
        value: i64,
    },
    /// Number of processes that match a `vrrp_track_process`.
    ProcessCount {
        /// Place in `Config::processes`.
        process: usize,
        /// How many.
        count: u32,
    },
    /// A BFD session went up or down.
    BfdState {
        /// Place in `Config::bfds`.
        bfd: usize,
        /// Whether it is up.
        up: bool,
    },
    /// An address, route or rule that an instance holds was removed by somebody else.
    HoldingLost {
        /// Whose.
        instance: InstanceId,
    },
    /// The loop did not run for this long (late timer, stopped process, suspended machine): packets that were queued
    /// meanwhile have been handed over already.
    Stalled(Duration),
    /// The daemon is stopping: masters say priority 0 and release.
    Shutdown,
}

/// A packet as the socket gave it.
#[derive(Debug, Clone, Copy)]
pub struct ReceivedPacket<'a> {
    /// Interface it arrived on.
    pub interface: IfIndex,
    /// Sender.
    pub source: IpAddr,
    /// Destination in the IP header.
    pub destination: IpAddr,
    /// TTL or hop limit in the IP header.
    pub ttl: Ttl,
    /// IPv4: the whole packet from the IP header on. IPv6: from the first octet after the IP header on.
    pub octets: &'a [u8],
}

/// Interface as the kernel tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Kernel's number.
    pub index: IfIndex,
    /// Name.
    pub name: IfName,
    /// Administratively up and running (carrier).
    pub up: bool,
    /// Hardware address, where it has one of 48 bits.
    pub mac: Option<MacAddr>,
    /// Largest packet in octets.
    pub mtu: u32,
    /// Underlying interface of a macvlan, ipvlan or vlan.
    pub base: Option<IfIndex>,
}

/// How a script ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScriptOutcome {
    /// Exit status.
    Exited(i32),
    /// Killed by a signal.
    Signalled(i32),
    /// Killed by us at its timeout.
    TimedOut,
    /// It could not be started.
    NotStarted,
}

/// A socket that must be open. `Routers::sockets` lists them; [`Action::SocketsChanged`] says when to look again.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SocketSpec {
    /// Interface to receive and send on; `None` for unicast without interface.
    pub interface: Option<IfIndex>,
    /// VRF device to bind to (unicast without interface).
    pub vrf: Option<IfIndex>,
    /// Family.
    pub family: Family,
    /// IP protocol: 112, or 51 with an authentication header.
    pub protocol: u8,
    /// The group to join; `None` for unicast.
    pub group: Option<IpAddr>,
    /// Address to bind to (unicast).
    pub source: Option<IpAddr>,
    /// Receive buffer in octets.
    pub receive_buffer: Option<u32>,
}

/// What must be done now, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Send an advert. Shared, because an unchanged one is not built again for each interval.
    Send(Arc<Advert>),
    /// The instance's addresses, routes and rules stand from now on.
    Hold(InstanceId),
    /// They no longer stand.
    Release(InstanceId),
    /// Tell neighbours where addresses are. Everything in one list leaves in one burst.
    Announce(Vec<Announcement>),
    /// The list of sockets changed; comes before the first [`Action::Send`] through a new one.
    SocketsChanged,
    /// Start this script now; answer with [`Event::ScriptEnded`].
    RunScript {
        /// Which.
        script: ScriptId,
        /// Kill its process group after this.
        timeout: Duration,
    },
    /// Tell scripts, FIFOs, mail and status.
    Notify(Notification),
    /// A line for the log.
    Log(Line),
}

/// An advert to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advert {
    /// Whose.
    pub instance: InstanceId,
    /// Through which socket.
    pub socket: SocketSpec,
    /// Source address.
    pub source: IpAddr,
    /// Where to: the group, or each peer.
    pub destinations: Vec<Destination>,
}

/// One copy of an advert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// Group or peer.
    pub address: IpAddr,
    /// TTL or hop limit.
    pub ttl: Ttl,
    /// IPv4: the whole packet with its IP header (IP_HDRINCL). IPv6: the message, checksum included.
    pub octets: Vec<u8>,
}

/// One gratuitous ARP or unsolicited neighbour advertisement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Announcement {
    /// Whose address.
    pub instance: InstanceId,
    /// Interface to send on.
    pub interface: IfIndex,
    /// Its hardware address.
    pub mac: MacAddr,
    /// The address announced.
    pub address: IpAddr,
}

/// Something that scripts, FIFOs, mail or status must hear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notification {
    /// An instance changed state (also its first state, its stop and its removal).
    Instance {
        /// Which.
        instance: InstanceId,
        /// What it is now.
        state: NotifiedState,
        /// Effective priority.
        priority: Priority,
    },
    /// A sync group changed state.
    Group {
        /// Which.
        group: GroupId,
        /// What it is now.
        state: NotifiedState,
    },
    /// A master heard an advert of lower priority.
    MasterReceivedLowerPriority {
        /// Which.
        instance: InstanceId,
        /// Effective priority.
        priority: Priority,
    },
    /// The effective priority changed (`notify_priority_changes`).
    PriorityChanged {
        /// Which.
        instance: InstanceId,
        /// Its state.
        state: State,
        /// The new one.
        priority: Priority,
    },
}

/// State as scripts and FIFOs hear it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum NotifiedState {
    /// MASTER.
    Master,
    /// BACKUP.
    Backup,
    /// FAULT.
    Fault,
    /// STOP: the daemon is stopping.
    Stop,
    /// DELETED: removed by a reload, with `notify_deleted`.
    Deleted,
}

/// What the supervisor remembers of an instance, so that a restarted process goes on where the former one was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    /// `vrrp_instance NAME`.
    pub name: String,
    /// State when it was last heard of.
    pub state: State,
    /// Effective priority.
    pub priority: Priority,
    /// When the last advert was sent (master) or received (backup).
    pub last_advert: types::Instant,
    /// Interval that the master announces.
    pub master_interval: CentiSeconds,
    /// The master's address and priority, as a backup knows it.
    pub master: Option<(IpAddr, Priority)>,
    /// When it last changed state, in microseconds since the epoch.
    pub last_transition: u64,
    /// Sequence number of the authentication header or counter of the trailer.
    pub sequence: u32,
}
