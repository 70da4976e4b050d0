//! Sockets of BFD sessions (RFC 5881 §4, RFC 5883 §5): listeners on ports 3784 and 4784, and one socket to send from for each session.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd};

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use socket2::{Domain, SockAddr, Socket, Type};
use sys::datagrams::ReceiveBatch;
use sys::{Watched, socket_option};
use types::Ttl;

/// Ports that may send (RFC 5881 §4).
const SOURCE_PORTS: std::ops::RangeInclusive<u16> = 49_152..=65_535;
/// What one of our packets weighs in queues: it may not wait behind bulk traffic.
const TRAFFIC_CLASS: u32 = 0xc0;

/// A listener that could not be opened.
#[derive(Debug)]
pub struct ListenError {
    /// Where it should have listened.
    pub address: SocketAddr,
    /// What the kernel said.
    pub source: io::Error,
}

impl fmt::Display for ListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "cannot listen for BFD on {}: {}; does another BFD daemon run on this host?",
            self.address, self.source
        )
    }
}

/// A packet as a listener got it.
#[derive(Debug, Clone, Copy)]
pub struct Received<'a> {
    /// Sender.
    pub source: IpAddr,
    /// Our address in the IP header.
    pub destination: IpAddr,
    /// TTL or hop limit in the IP header.
    pub ttl: Ttl,
    /// Arrived on the multihop port.
    pub multihop: bool,
    /// UDP payload.
    pub octets: &'a [u8],
}

/// Listeners and output sockets.
#[derive(Debug)]
pub struct BfdSockets {
    epoll: Epoll,
    watched: Watched,
    listeners: Vec<(Socket, bool)>,
    outputs: HashMap<u32, Socket>,
    batch: ReceiveBatch,
}

impl BfdSockets {
    /// Listens on the two ports for both families. Returns what could not be opened; a kernel without IPv6 is no error. Must be called inside
    /// a runtime.
    pub fn new() -> io::Result<(Self, Vec<ListenError>)> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let watched = Watched::readable_only(epoll.0.try_clone()?)?;
        let mut sockets =
            Self { epoll, watched, listeners: Vec::new(), outputs: HashMap::new(), batch: ReceiveBatch::new() };
        let mut errors = Vec::new();
        for (port, multihop) in [(3784, false), (4784, true)] {
            for address in [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)] {
                let address = SocketAddr::new(address, port);
                match sockets.listen(address, multihop) {
                    Err(source) if source.raw_os_error() != Some(libc::EAFNOSUPPORT) => {
                        errors.push(ListenError { address, source });
                    }
                    _ => {}
                }
            }
        }
        Ok((sockets, errors))
    }

    /// How many listeners are open.
    pub fn listening(&self) -> usize {
        self.listeners.len()
    }

    fn listen(&mut self, address: SocketAddr, multihop: bool) -> io::Result<()> {
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM.nonblocking().cloexec(), None)?;
        let fd = socket.as_fd();
        match address {
            SocketAddr::V4(_) => {
                socket_option::set_number(fd, libc::IPPROTO_IP, libc::IP_PKTINFO, 1)?;
                socket_option::set_number(fd, libc::IPPROTO_IP, libc::IP_RECVTTL, 1)?;
            }
            SocketAddr::V6(_) => {
                socket.set_only_v6(true)?;
                socket_option::set_number(fd, libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO, 1)?;
                socket_option::set_number(fd, libc::IPPROTO_IPV6, libc::IPV6_RECVHOPLIMIT, 1)?;
            }
        }
        socket.bind(&SockAddr::from(address))?;
        let number = socket.as_raw_fd() as u64;
        self.epoll.add(&socket, EpollEvent::new(EpollFlags::EPOLLIN, number)).map_err(io::Error::from)?;
        self.listeners.push((socket, multihop));
        Ok(())
    }

    /// Opens the socket that session `number` sends from: a random port of RFC 5881's range, from `source` where one is configured.
    pub fn open_output(&mut self, number: u32, neighbour: IpAddr, source: Option<IpAddr>, ttl: Ttl) -> io::Result<()> {
        let unspecified = match neighbour {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        };
        let local = source.unwrap_or(unspecified);
        let domain = Domain::for_address(SocketAddr::new(local, 0));
        let socket = Socket::new(domain, Type::DGRAM.nonblocking().cloexec(), None)?;
        match local {
            IpAddr::V4(_) => {
                socket.set_ttl_v4(u32::from(ttl.0))?;
                socket.set_tos_v4(TRAFFIC_CLASS)?;
            }
            IpAddr::V6(_) => {
                socket.set_unicast_hops_v6(u32::from(ttl.0))?;
                socket.set_tclass_v6(TRAFFIC_CLASS)?;
            }
        }
        let (first, last) = (*SOURCE_PORTS.start(), *SOURCE_PORTS.end());
        let start = u64::from(number).wrapping_mul(7919).wrapping_add(sys::clock::wall_micros());
        let span = u64::from(last - first) + 1;
        let mut refused = io::Error::from(io::ErrorKind::AddrInUse);
        for attempt in 0..64 {
            let port = first + ((start + attempt * 104_729) % span) as u16;
            match socket.bind(&SockAddr::from(SocketAddr::new(local, port))) {
                Ok(()) => {
                    self.outputs.insert(number, socket);
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => refused = error,
                Err(error) => return Err(error),
            }
        }
        Err(refused)
    }

    /// Closes a session's socket.
    pub fn close_output(&mut self, number: u32) {
        self.outputs.remove(&number);
    }

    /// Sends one packet of a session.
    pub fn send(&self, number: u32, destination: SocketAddr, octets: &[u8]) -> io::Result<()> {
        let socket = self.outputs.get(&number).ok_or(io::ErrorKind::NotConnected)?;
        socket.send_to(octets, &SockAddr::from(destination)).map(|_| ())
    }

    /// Returns when a packet waits on any listener. Cancelling loses nothing.
    pub async fn readable(&self) -> io::Result<()> {
        self.watched.readable().await
    }

    /// Hands over what waits; bounded, what is left wakes [`BfdSockets::readable`] again.
    pub fn receive(&mut self, mut each: impl FnMut(Received<'_>)) -> io::Result<()> {
        let mut events = [EpollEvent::empty(); 8];
        let ready = match self.epoll.wait(&mut events, EpollTimeout::ZERO) {
            Ok(ready) => ready,
            Err(nix::errno::Errno::EINTR) => 0,
            Err(errno) => return Err(errno.into()),
        };
        for event in &events[..ready] {
            let listener = self.listeners.iter().find(|(socket, _)| socket.as_raw_fd() as u64 == event.data());
            let Some((socket, multihop)) = listener else { continue };
            // An ICMP error waits on the socket until it is read.
            let Ok(_) = self.batch.fill(socket.as_fd()) else { continue };
            for datagram in self.batch.datagrams() {
                let (Some(destination), Some(ttl)) = (datagram.destination, datagram.ttl) else { continue };
                each(Received {
                    source: datagram.source,
                    destination,
                    ttl: Ttl(ttl),
                    multihop: *multihop,
                    octets: datagram.octets,
                });
            }
        }
        Ok(())
    }
}
