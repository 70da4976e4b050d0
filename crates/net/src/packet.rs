//! Gratuitous ARP and unsolicited neighbour advertisements: one packet socket for all interfaces, one burst for all addresses.

use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, OwnedFd};

use socket2::{Domain, Socket, Type};
use sys::datagrams::{Outgoing, To};
use sys::{Watched, socket_option};
use types::{IfIndex, MacAddr};
use vrrp::Announcement;
use vrrp::announce_frame::{NEIGHBOUR_ADVERTISEMENT_LEN, gratuitous_arp, neighbour_advertisement};

/// What may wait in the kernel for slow interfaces: a burst for some thousand addresses.
const SEND_BUFFER: u32 = 8 << 20;
/// Announcements that wait here when even that is full; more are dropped and counted.
const WAITING: usize = 8192;
/// Frames built at a time: bounds the memory of a burst.
const CHUNK: usize = 256;
const ETHERTYPE_ARP: u16 = 0x0806;
const ETHERTYPE_IPV6: u16 = 0x86dd;
/// Hardware address of ff02::1.
const ALL_NODES: MacAddr = MacAddr([0x33, 0x33, 0, 0, 0, 1]);

/// An announcement that could not be sent.
#[derive(Debug)]
pub struct AnnounceError {
    /// Which.
    pub announcement: Announcement,
    /// What the kernel said; `StorageFull` when too many wait already.
    pub source: io::Error,
}

/// The packet socket. It receives nothing: its protocol is 0.
#[derive(Debug)]
pub struct AnnounceSocket {
    watched: Watched,
    waiting: VecDeque<(Announcement, bool)>,
}

impl AnnounceSocket {
    /// Opens the socket; needs CAP_NET_RAW. Must be called inside a runtime.
    pub fn new() -> io::Result<Self> {
        let socket = Socket::new_raw(Domain::PACKET, Type::RAW.nonblocking().cloexec(), None)?;
        socket_option::set_send_buffer(socket.as_fd(), SEND_BUFFER)?;
        socket.set_priority(7)?;
        Ok(Self { watched: Watched::new(OwnedFd::from(socket))?, waiting: VecDeque::new() })
    }

    /// Sends all in their order, in one burst. `router` tells whether we forward IPv6 on an interface (the router flag of neighbour advertisements).
    ///
    /// What does not fit into the kernel's buffer waits for [`AnnounceSocket::flush`]. Returns what was refused or dropped.
    pub fn announce(&mut self, announcements: &[Announcement], router: impl Fn(IfIndex) -> bool) -> Vec<AnnounceError> {
        let mut errors = Vec::new();
        let with_flag: Vec<_> = announcements
            .iter()
            .map(|announcement| (*announcement, announcement.address.is_ipv6() && router(announcement.interface)))
            .collect();
        let sent = match self.waiting.is_empty() {
            true => self.burst(&with_flag, &mut errors),
            false => 0,
        };
        for (announcement, router) in &with_flag[sent..] {
            if self.waiting.len() < WAITING {
                self.waiting.push_back((*announcement, *router));
            } else {
                let source = io::ErrorKind::StorageFull.into();
                errors.push(AnnounceError { announcement: *announcement, source });
            }
        }
        errors
    }

    /// Whether announcements wait for room in the kernel's buffer.
    pub fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Returns when there is room again; wait for it only while [`AnnounceSocket::is_waiting`].
    pub async fn writable(&self) -> io::Result<()> {
        self.watched.writable().await
    }

    /// Sends what waits, as far as there is room.
    pub fn flush(&mut self) -> Vec<AnnounceError> {
        let mut errors = Vec::new();
        let waiting: Vec<_> = std::mem::take(&mut self.waiting).into();
        let sent = self.burst(&waiting, &mut errors);
        self.waiting.extend(&waiting[sent..]);
        errors
    }

    /// Forgets what waits for addresses that are no longer held.
    pub fn cancel(&mut self, instance: vrrp::InstanceId) {
        self.waiting.retain(|(announcement, _)| announcement.instance != instance);
    }

    /// Returns how many are done with, sent or refused; the rest found no room.
    fn burst(&self, announcements: &[(Announcement, bool)], errors: &mut Vec<AnnounceError>) -> usize {
        let mut done = 0;
        for chunk in announcements.chunks(CHUNK) {
            let frames: Vec<Frame> =
                chunk.iter().map(|(announcement, router)| Frame::of(announcement, *router)).collect();
            let outgoing: Vec<Outgoing<'_>> =
                frames.iter().zip(chunk).map(|(frame, (announcement, _))| frame.outgoing(announcement)).collect();
            let mut full = 0;
            sys::datagrams::send(self.watched.as_fd(), &outgoing, |place, source| match source.kind() {
                io::ErrorKind::WouldBlock => full += 1,
                _ => errors.push(AnnounceError { announcement: chunk[place].0, source }),
            });
            done += chunk.len() - full;
            if full > 0 {
                break;
            }
        }
        done
    }
}

/// A frame in place, long enough for either kind.
struct Frame {
    octets: [u8; NEIGHBOUR_ADVERTISEMENT_LEN],
    length: usize,
}

impl Frame {
    fn of(announcement: &Announcement, router: bool) -> Self {
        let mut frame = Self { octets: [0; NEIGHBOUR_ADVERTISEMENT_LEN], length: 0 };
        match announcement.address {
            IpAddr::V4(address) => frame.put(&gratuitous_arp(announcement.mac, address)),
            IpAddr::V6(address) => frame.put(&neighbour_advertisement(announcement.mac, address, address, router)),
        }
        frame
    }

    fn put(&mut self, octets: &[u8]) {
        self.octets[..octets.len()].copy_from_slice(octets);
        self.length = octets.len();
    }

    fn outgoing(&self, announcement: &Announcement) -> Outgoing<'_> {
        let (destination, protocol) = match announcement.address {
            IpAddr::V4(_) => (MacAddr::BROADCAST, ETHERTYPE_ARP),
            IpAddr::V6(_) => (ALL_NODES, ETHERTYPE_IPV6),
        };
        let to = To::Frame { interface: announcement.interface, destination, protocol };
        Outgoing { octets: &self.octets[..self.length], to }
    }
}
