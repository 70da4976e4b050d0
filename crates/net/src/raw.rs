//! VRRP's own sockets: raw IP, protocol 112 (or 51 with an authentication header), as the brain's [`SocketSpec`]s ask for them.
//!
//! All of them hang on one epoll descriptor, so that the loop waits for one source however many interfaces there are. Adverts are received and sent in
//! batches (recvmmsg, sendmmsg); nothing here ever blocks.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::os::fd::{AsFd, AsRawFd};
use std::sync::Arc;
use std::time::Duration;

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use socket2::{Domain, InterfaceIndexOrAddress, Protocol, SockAddr, Socket, Type};
use sys::datagrams::{Datagram, Outgoing, ReceiveBatch, To};
use sys::{Watched, clock, socket_option};
use types::{Family, IfIndex, Instant, Ttl};
use vrrp::{Advert, ReceivedPacket, SocketSpec};

/// Traffic class of adverts: network control (behaviour of keepalived; RFC 4594 §3.1's CS6).
const TRAFFIC_CLASS: u32 = 0xc0;
/// TC_PRIO_CONTROL: the queueing discipline's first band.
const PRIORITY: u32 = 7;
/// SO_BINDTOIFINDEX: bind to a device by its number (Linux 5.0).
const SO_BINDTOIFINDEX: i32 = 62;
/// Batches taken from one socket before the others have their turn.
const ROUNDS: usize = 4;
/// A time stamp older than this is a wall clock that was set, not a packet that waited.
const OLDEST: Duration = Duration::from_secs(60);

/// Why a socket is not open.
#[derive(Debug)]
pub struct SocketError {
    /// What was wanted.
    pub spec: SocketSpec,
    /// Which step failed.
    pub step: &'static str,
    /// What the kernel said.
    pub source: io::Error,
}

impl fmt::Display for SocketError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} VRRP socket (protocol {}", self.spec.family, self.spec.protocol)?;
        if let Some(interface) = self.spec.interface {
            write!(f, ", interface #{interface}")?;
        }
        write!(f, "): cannot {}: {}", self.step, self.source)?;
        match self.source.kind() {
            io::ErrorKind::PermissionDenied => {
                f.write_str("; the daemon needs CAP_NET_RAW and CAP_NET_ADMIN: run it as root")
            }
            _ => Ok(()),
        }
    }
}

impl std::error::Error for SocketError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// A copy of an advert that the kernel refused.
#[derive(Debug)]
pub struct SendError {
    /// Place of the advert in the list given.
    pub advert: usize,
    /// Where this copy should have gone.
    pub destination: IpAddr,
    /// What the kernel said; `WouldBlock` when the socket's buffer is full.
    pub source: io::Error,
}

/// The sockets that are open.
#[derive(Debug)]
pub struct VrrpSockets {
    epoll: Epoll,
    watched: Watched,
    sockets: HashMap<SocketSpec, Socket>,
    /// Epoll tells numbers; these are their owners.
    by_number: HashMap<u64, SocketSpec>,
    batch: ReceiveBatch,
    dropped: u64,
}

impl VrrpSockets {
    /// None open. Must be called inside a runtime.
    pub fn new() -> io::Result<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let watched = Watched::readable_only(epoll.0.try_clone()?)?;
        let (sockets, by_number) = (HashMap::new(), HashMap::new());
        Ok(Self { epoll, watched, sockets, by_number, batch: ReceiveBatch::new(), dropped: 0 })
    }

    /// Opens what is wanted and not open, closes what is open and not wanted, leaves the rest alone. Returns what could not be opened; calling again
    /// tries again.
    pub fn reconcile(&mut self, wanted: &[SocketSpec]) -> Vec<SocketError> {
        self.sockets.retain(|spec, _| wanted.contains(spec));
        self.by_number.retain(|_, spec| wanted.contains(spec));
        let mut errors = Vec::new();
        for spec in wanted {
            if !self.sockets.contains_key(spec)
                && let Err(error) = self.open(spec)
            {
                errors.push(error);
            }
        }
        errors
    }

    /// The sockets that are open.
    pub fn open_sockets(&self) -> impl Iterator<Item = &SocketSpec> {
        self.sockets.keys()
    }

    /// Packets that were given up: longer than an advert can be, or without the information where they came in.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    fn open(&mut self, spec: &SocketSpec) -> Result<(), SocketError> {
        let refuse = |(step, source)| SocketError { spec: spec.clone(), step, source };
        let socket = open_socket(spec).map_err(refuse)?;
        let number = socket.as_raw_fd() as u64;
        let event = EpollEvent::new(EpollFlags::EPOLLIN, number);
        self.epoll.add(&socket, event).map_err(|errno| refuse(("watch it", errno.into())))?;
        self.by_number.insert(number, spec.clone());
        self.sockets.insert(spec.clone(), socket);
        Ok(())
    }

    /// Returns when a packet waits on any socket. Cancelling loses nothing.
    pub async fn readable(&self) -> io::Result<()> {
        self.watched.readable().await
    }

    /// Hands over what waits, with the moment at which it arrived, in order of arrival on each socket. Bounded: what is left wakes
    /// [`VrrpSockets::readable`] again.
    ///
    /// A unicast packet reaches the multicast socket of its interface too; it is handed over once.
    pub fn receive(&mut self, mut each: impl FnMut(ReceivedPacket<'_>, Instant)) -> io::Result<()> {
        let mut events = [EpollEvent::empty(); 32];
        let ready = match self.epoll.wait(&mut events, EpollTimeout::ZERO) {
            Ok(ready) => ready,
            Err(nix::errno::Errno::EINTR) => 0,
            Err(errno) => return Err(errno.into()),
        };
        let (now, wall) = (clock::now(), Duration::from_micros(clock::wall_micros()));
        for event in &events[..ready] {
            let Some(spec) = self.by_number.get(&event.data()) else { continue };
            let Some(socket) = self.sockets.get(spec) else { continue };
            for _ in 0..ROUNDS {
                // An interface that went down leaves an error on its sockets; to read it is to clear it.
                let Ok(count) = self.batch.fill(socket.as_fd()) else { break };
                for datagram in self.batch.datagrams() {
                    if datagram.truncated {
                        self.dropped += 1;
                        continue;
                    }
                    let Some(packet) = packet_of(&datagram, spec) else {
                        self.dropped += 1;
                        continue;
                    };
                    if spec.group.is_some()
                        && !packet.destination.is_multicast()
                        && self.sockets.keys().any(|other| other.takes_unicast_of(spec))
                    {
                        continue;
                    }
                    let age = datagram.arrived.map_or(Duration::ZERO, |arrived| wall.saturating_sub(arrived));
                    let age = if age > OLDEST { Duration::ZERO } else { age };
                    each(packet, now - age);
                }
                if !self.batch.is_full() || count == 0 {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Sends adverts in their order; neighbours in the list that share a socket leave in one system call. Returns the copies that were refused.
    pub fn send(&self, adverts: &[Arc<Advert>]) -> Vec<SendError> {
        let mut errors = Vec::new();
        let mut first = 0;
        for run in adverts.chunk_by(|a, b| a.socket == b.socket) {
            self.send_run(first, run, &mut errors);
            first += run.len();
        }
        errors
    }

    fn send_run(&self, first: usize, run: &[Arc<Advert>], errors: &mut Vec<SendError>) {
        let copies = run.iter().enumerate().flat_map(|(place, advert)| {
            advert.destinations.iter().map(move |destination| (first + place, advert, destination))
        });
        let mut places = Vec::new();
        let mut outgoing = Vec::new();
        for (place, advert, copy) in copies {
            let to = match (copy.address, advert.source) {
                (IpAddr::V4(address), _) => To::Inet(address),
                (IpAddr::V6(destination), source) => To::Inet6 {
                    destination,
                    source: match source {
                        IpAddr::V6(source) => source,
                        IpAddr::V4(_) => Ipv6Addr::UNSPECIFIED,
                    },
                    interface: advert.socket.interface,
                    hop_limit: copy.ttl.0,
                },
            };
            places.push((place, copy.address));
            outgoing.push(Outgoing { octets: &copy.octets, to });
        }
        let Some(socket) = self.sockets.get(&run[0].socket) else {
            errors.extend(places.into_iter().map(|(advert, destination)| SendError {
                advert,
                destination,
                source: io::ErrorKind::NotConnected.into(),
            }));
            return;
        };
        sys::datagrams::send(socket.as_fd(), &outgoing, |copy, source| {
            let (advert, destination) = places[copy];
            errors.push(SendError { advert, destination, source });
        });
    }
}

/// Whether a unicast packet that the multicast socket `group` sees reaches this socket as well.
trait TakesUnicast {
    fn takes_unicast_of(&self, group: &SocketSpec) -> bool;
}

impl TakesUnicast for SocketSpec {
    fn takes_unicast_of(&self, group: &SocketSpec) -> bool {
        self.group.is_none()
            && self.family == group.family
            && self.protocol == group.protocol
            && (self.interface.is_none() || self.interface == group.interface)
    }
}

fn packet_of<'a>(datagram: &Datagram<'a>, spec: &SocketSpec) -> Option<ReceivedPacket<'a>> {
    Some(ReceivedPacket {
        interface: datagram.interface.filter(|index| index.0 != 0).or(spec.interface)?,
        source: datagram.source,
        destination: datagram.destination?,
        ttl: Ttl(datagram.ttl?),
        octets: datagram.octets,
    })
}

/// What was being done, and how it failed.
type Failed = (&'static str, io::Error);

trait During<T> {
    fn during(self, step: &'static str) -> Result<T, Failed>;
}

impl<T> During<T> for io::Result<T> {
    fn during(self, step: &'static str) -> Result<T, Failed> {
        self.map_err(|error| (step, error))
    }
}

fn open_socket(spec: &SocketSpec) -> Result<Socket, Failed> {
    let domain = match spec.family {
        Family::Inet => Domain::IPV4,
        Family::Inet6 => Domain::IPV6,
    };
    let kind = Type::RAW.nonblocking().cloexec();
    // Nothing is received before the socket is bound: protocol first, then a device, would let other interfaces' packets in between.
    let socket = Socket::new_raw(domain, kind, Some(Protocol::from(i32::from(spec.protocol)))).during("open it")?;
    if let Some(device) = spec.interface.or(spec.vrf) {
        bind_device(&socket, device).during("bind it to its interface")?;
    }
    socket.set_priority(PRIORITY).during("set its priority")?;
    socket_option::set_number(socket.as_fd(), libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, 1)
        .during("ask for time stamps")?;
    if let Some(octets) = spec.receive_buffer {
        socket_option::set_receive_buffer(socket.as_fd(), octets).during("set its receive buffer")?;
    }
    match spec.family {
        Family::Inet => set_up_v4(&socket, spec)?,
        Family::Inet6 => set_up_v6(&socket, spec)?,
    }
    if let Some(source) = spec.source.filter(|_| spec.group.is_none()) {
        let scope = if matches!(source, IpAddr::V6(v6) if v6.is_unicast_link_local()) { spec.interface } else { None };
        socket.bind(&address(source, scope)).during("bind it to its address")?;
    }
    Ok(socket)
}

fn bind_device(socket: &Socket, device: IfIndex) -> io::Result<()> {
    socket_option::set_number(socket.as_fd(), libc::SOL_SOCKET, SO_BINDTOIFINDEX, device.0 as i32)
}

fn address(address: IpAddr, scope: Option<IfIndex>) -> SockAddr {
    match address {
        IpAddr::V4(v4) => std::net::SocketAddrV4::new(v4, 0).into(),
        IpAddr::V6(v6) => std::net::SocketAddrV6::new(v6, 0, 0, scope.map_or(0, |index| index.0)).into(),
    }
}

fn set_up_v4(socket: &Socket, spec: &SocketSpec) -> Result<(), Failed> {
    let option = |name, value| socket_option::set_number(socket.as_fd(), libc::IPPROTO_IP, name, value);
    socket.set_header_included_v4(true).during("provide IP headers")?;
    socket.set_freebind_v4(true).during("set IP_FREEBIND")?;
    socket.set_tos_v4(TRAFFIC_CLASS).during("set its TOS")?;
    option(libc::IP_PKTINFO, 1).during("ask for packet information")?;
    option(libc::IP_RECVTTL, 1).during("ask for the TTL")?;
    socket.set_multicast_all_v4(false).during("clear IP_MULTICAST_ALL")?;
    socket.set_multicast_loop_v4(false).during("clear IP_MULTICAST_LOOP")?;
    let (Some(IpAddr::V4(group)), Some(interface)) = (spec.group, spec.interface) else { return Ok(()) };
    socket_option::set_multicast_interface_v4(socket.as_fd(), interface).during("set IP_MULTICAST_IF")?;
    socket.join_multicast_v4_n(&group, &InterfaceIndexOrAddress::Index(interface.0)).during("join the multicast group")
}

fn set_up_v6(socket: &Socket, spec: &SocketSpec) -> Result<(), Failed> {
    let option = |name, value| socket_option::set_number(socket.as_fd(), libc::IPPROTO_IPV6, name, value);
    socket.set_freebind_v6(true).during("set IPV6_FREEBIND")?;
    socket.set_tclass_v6(TRAFFIC_CLASS).during("set its traffic class")?;
    option(libc::IPV6_RECVPKTINFO, 1).during("ask for packet information")?;
    option(libc::IPV6_RECVHOPLIMIT, 1).during("ask for the hop limit")?;
    socket.set_multicast_all_v6(false).during("clear IPV6_MULTICAST_ALL")?;
    socket.set_multicast_loop_v6(false).during("clear IPV6_MULTICAST_LOOP")?;
    socket.set_multicast_hops_v6(255).during("set its hop limit")?;
    let (Some(IpAddr::V6(group)), Some(interface)) = (spec.group, spec.interface) else { return Ok(()) };
    option(libc::IPV6_MULTICAST_IF, interface.0 as i32).during("set IPV6_MULTICAST_IF")?;
    socket.join_multicast_v6(&group, interface.0).during("join the multicast group")
}
