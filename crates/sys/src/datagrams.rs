//! Many datagrams in one system call: recvmmsg and sendmmsg, with what their control messages say.
//!
//! nix wraps both calls, yet neither link-layer destinations nor buffers that are reused from call to call come easily there.

#![allow(unsafe_code)]
// The C library's lengths and indices differ in type from one target to the other.
#![allow(clippy::unnecessary_cast)]

use std::io;
use std::mem::{MaybeUninit, zeroed};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddrV6};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;

use types::{IfIndex, MacAddr};

/// Datagrams taken by one call at most.
const BATCH: usize = 16;
/// Octets of the largest VRRP advert there can be (255 IPv6 addresses, IP header, trailer), rounded up.
const LARGEST: usize = 4608;
/// Room for the control messages of one datagram: packet info, TTL and time stamp, both families.
const CONTROL: usize = 128;
/// Datagrams given to one sendmmsg; more take more calls. Bounds the memory that a burst of thousands needs.
const SEND_BATCH: usize = 256;

/// A datagram as it arrived.
#[derive(Debug, Clone, Copy)]
pub struct Datagram<'a> {
    /// Its octets. IPv4 raw sockets give the IP header as well.
    pub octets: &'a [u8],
    /// Whether it was longer than the buffer.
    pub truncated: bool,
    /// Sender.
    pub source: IpAddr,
    /// Destination in the IP header, where the socket asks for packet info.
    pub destination: Option<IpAddr>,
    /// Interface it came in by, where the socket asks for packet info.
    pub interface: Option<IfIndex>,
    /// TTL or hop limit, where the socket asks for it.
    pub ttl: Option<u8>,
    /// Moment of arrival on the wall clock, since the epoch, where the socket asks for SO_TIMESTAMPNS.
    pub arrived: Option<Duration>,
}

#[repr(C, align(8))]
#[derive(Clone, Copy)]
struct Control([u8; CONTROL]);

/// Buffers for received datagrams, used again and again. Pages that no datagram ever reached are never resident.
pub struct ReceiveBatch {
    octets: Vec<u8>,
    names: Vec<libc::sockaddr_storage>,
    controls: Vec<Control>,
    lengths: [(usize, usize, bool); BATCH],
    filled: usize,
}

impl ReceiveBatch {
    /// Empty buffers.
    pub fn new() -> Self {
        Self {
            octets: vec![0; BATCH * LARGEST],
            // SAFETY: all-zero is a valid sockaddr_storage (AF_UNSPEC).
            names: vec![unsafe { zeroed() }; BATCH],
            controls: vec![Control([0; CONTROL]); BATCH],
            lengths: [(0, 0, false); BATCH],
            filled: 0,
        }
    }

    /// Takes what waits on `socket`, at most sixteen datagrams, without ever blocking; returns how many. 0: nothing waits.
    pub fn fill(&mut self, socket: BorrowedFd<'_>) -> io::Result<usize> {
        self.filled = 0;
        // SAFETY: all-zero iovecs and headers are valid: null pointers with length 0.
        let mut parts: [libc::iovec; BATCH] = unsafe { zeroed() };
        // SAFETY: as above.
        let mut headers: [libc::mmsghdr; BATCH] = unsafe { zeroed() };
        for (slot, octets) in self.octets.chunks_exact_mut(LARGEST).enumerate() {
            parts[slot] = libc::iovec { iov_base: octets.as_mut_ptr().cast(), iov_len: LARGEST };
            let header = &mut headers[slot].msg_hdr;
            header.msg_name = (&raw mut self.names[slot]).cast();
            header.msg_namelen = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
            header.msg_iov = &raw mut parts[slot];
            header.msg_iovlen = 1;
            header.msg_control = self.controls[slot].0.as_mut_ptr().cast();
            header.msg_controllen = CONTROL as _;
        }
        let (count, flags) = (BATCH as libc::c_uint, libc::MSG_DONTWAIT as _);
        // SAFETY: every pointer in `headers` points into buffers of the given lengths that live through the call.
        let read =
            unsafe { libc::recvmmsg(socket.as_raw_fd(), headers.as_mut_ptr(), count, flags, std::ptr::null_mut()) };
        if read < 0 {
            let error = io::Error::last_os_error();
            return match error.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Ok(0),
                _ => Err(error),
            };
        }
        self.filled = read as usize;
        for (length, header) in self.lengths.iter_mut().zip(&headers[..self.filled]) {
            let truncated = header.msg_hdr.msg_flags & libc::MSG_TRUNC != 0;
            *length = ((header.msg_len as usize).min(LARGEST), header.msg_hdr.msg_controllen as usize, truncated);
        }
        Ok(self.filled)
    }

    /// Whether the last [`ReceiveBatch::fill`] took as many as it can: more may wait.
    pub fn is_full(&self) -> bool {
        self.filled == BATCH
    }

    /// What the last [`ReceiveBatch::fill`] took, in order of arrival. Datagrams of no IP family are left out.
    pub fn datagrams(&self) -> impl Iterator<Item = Datagram<'_>> {
        (0..self.filled).filter_map(|slot| self.datagram(slot))
    }

    fn datagram(&self, slot: usize) -> Option<Datagram<'_>> {
        let (length, control_length, truncated) = self.lengths[slot];
        let start = slot * LARGEST;
        let mut datagram = Datagram {
            octets: &self.octets[start..start + length],
            truncated,
            source: address_of(&self.names[slot])?,
            destination: None,
            interface: None,
            ttl: None,
            arrived: None,
        };
        read_control(&self.controls[slot].0[..control_length.min(CONTROL)], &mut datagram);
        Some(datagram)
    }
}

impl Default for ReceiveBatch {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for ReceiveBatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReceiveBatch").field("filled", &self.filled).finish_non_exhaustive()
    }
}

fn address_of(name: &libc::sockaddr_storage) -> Option<IpAddr> {
    let name = std::ptr::from_ref(name);
    // SAFETY: sockaddr_storage is large and aligned enough for both, and any bits are valid in them.
    unsafe {
        match i32::from((*name).ss_family) {
            libc::AF_INET => Some(v4(&(*name.cast::<libc::sockaddr_in>()).sin_addr)),
            libc::AF_INET6 => Some(v6(&(*name.cast::<libc::sockaddr_in6>()).sin6_addr)),
            _ => None,
        }
    }
}

fn v4(address: &libc::in_addr) -> IpAddr {
    IpAddr::V4(Ipv4Addr::from(address.s_addr.to_ne_bytes()))
}

fn v6(address: &libc::in6_addr) -> IpAddr {
    IpAddr::V6(Ipv6Addr::from(address.s6_addr))
}

/// Control messages are a list of (length, level, type, data), each aligned to eight octets.
fn read_control(mut control: &[u8], datagram: &mut Datagram<'_>) {
    const HEADER: usize = size_of::<libc::cmsghdr>();
    while control.len() >= HEADER {
        // SAFETY: there are HEADER octets; they are read without regard to alignment.
        let header: libc::cmsghdr = unsafe { control.as_ptr().cast::<libc::cmsghdr>().read_unaligned() };
        let length = header.cmsg_len as usize;
        let Some(data) = control.get(HEADER..length) else { return };
        match (header.cmsg_level, header.cmsg_type) {
            (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
                if let Some(info) = read_plain::<libc::in_pktinfo>(data) {
                    datagram.interface = Some(IfIndex(info.ipi_ifindex as u32));
                    datagram.destination = Some(v4(&info.ipi_addr));
                }
            }
            (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
                if let Some(info) = read_plain::<libc::in6_pktinfo>(data) {
                    datagram.interface = Some(IfIndex(info.ipi6_ifindex as u32));
                    datagram.destination = Some(v6(&info.ipi6_addr));
                }
            }
            (libc::IPPROTO_IP, libc::IP_TTL) | (libc::IPPROTO_IPV6, libc::IPV6_HOPLIMIT) => {
                datagram.ttl = read_plain::<i32>(data).and_then(|ttl| u8::try_from(ttl).ok());
            }
            (libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS) => {
                datagram.arrived = read_plain::<libc::timespec>(data)
                    .map(|time| Duration::new(time.tv_sec.max(0) as u64, time.tv_nsec.clamp(0, 999_999_999) as u32));
            }
            _ => {}
        }
        control = control.get(length.next_multiple_of(align_of::<libc::cmsghdr>())..).unwrap_or_default();
    }
}

/// Reads a C struct of integers; `None` when there are too few octets.
fn read_plain<T: Copy>(data: &[u8]) -> Option<T> {
    // SAFETY: length checked; the callers' types are integers and arrays of them, for which any bits are valid.
    (data.len() >= size_of::<T>()).then(|| unsafe { data.as_ptr().cast::<T>().read_unaligned() })
}

/// A datagram to send.
#[derive(Debug, Clone, Copy)]
pub struct Outgoing<'a> {
    /// Its octets.
    pub octets: &'a [u8],
    /// Where to.
    pub to: To,
}

/// Where a datagram goes.
#[derive(Debug, Clone, Copy)]
pub enum To {
    /// IPv4; on a raw socket with IP_HDRINCL the header says the rest.
    Inet(Ipv4Addr),
    /// IPv6.
    Inet6 {
        /// Destination.
        destination: Ipv6Addr,
        /// Source (IPV6_PKTINFO); unspecified lets the kernel choose.
        source: Ipv6Addr,
        /// Interface to leave by; `None` lets the kernel choose.
        interface: Option<IfIndex>,
        /// Hop limit.
        hop_limit: u8,
    },
    /// A whole frame on a packet socket.
    Frame {
        /// Interface to leave by.
        interface: IfIndex,
        /// Destination hardware address, as in the frame.
        destination: MacAddr,
        /// EtherType, such as 0x0806.
        protocol: u16,
    },
}

/// Sends `datagrams` in order with as few calls as possible, never blocking. Each refused one goes to `refused` with its place; when the socket's
/// buffer is full, that and all later ones are refused with `WouldBlock`. Returns how many were sent.
pub fn send(socket: BorrowedFd<'_>, datagrams: &[Outgoing<'_>], mut refused: impl FnMut(usize, io::Error)) -> usize {
    let (mut next, mut sent) = (0, 0);
    while next < datagrams.len() {
        let chunk = &datagrams[next..datagrams.len().min(next + SEND_BATCH)];
        match send_chunk(socket, chunk) {
            Ok(count) => {
                next += count;
                sent += count;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock || error.raw_os_error() == Some(libc::ENOBUFS) => {
                (next..datagrams.len()).for_each(|place| refused(place, io::ErrorKind::WouldBlock.into()));
                return sent;
            }
            Err(error) => {
                refused(next, error);
                next += 1;
            }
        }
    }
    sent
}

#[repr(C)]
#[derive(Clone, Copy)]
union Name {
    inet: libc::sockaddr_in,
    inet6: libc::sockaddr_in6,
    link: libc::sockaddr_ll,
}

/// The kernel stops at the first datagram that it refuses and tells the reason only when none went before it.
fn send_chunk(socket: BorrowedFd<'_>, datagrams: &[Outgoing<'_>]) -> io::Result<usize> {
    let mut names: Vec<(Name, libc::socklen_t)> = datagrams.iter().map(|datagram| name_of(datagram.to)).collect();
    let mut controls: Vec<(Control, usize)> = datagrams.iter().filter_map(|datagram| control_of(datagram.to)).collect();
    let mut parts: Vec<libc::iovec> = datagrams
        .iter()
        .map(|datagram| libc::iovec {
            iov_base: datagram.octets.as_ptr().cast_mut().cast(),
            iov_len: datagram.octets.len(),
        })
        .collect();
    let mut controls = controls.iter_mut();
    let mut headers: Vec<libc::mmsghdr> = Vec::with_capacity(datagrams.len());
    for (datagram, (part, (name, name_length))) in datagrams.iter().zip(parts.iter_mut().zip(names.iter_mut())) {
        // SAFETY: an all-zero header is valid.
        let mut header: libc::mmsghdr = unsafe { zeroed() };
        header.msg_hdr.msg_name = std::ptr::from_mut(name).cast();
        header.msg_hdr.msg_namelen = *name_length;
        header.msg_hdr.msg_iov = part;
        header.msg_hdr.msg_iovlen = 1;
        if matches!(datagram.to, To::Inet6 { .. })
            && let Some((control, length)) = controls.next()
        {
            header.msg_hdr.msg_control = control.0.as_mut_ptr().cast();
            header.msg_hdr.msg_controllen = *length as _;
        }
        headers.push(header);
    }
    let flags = (libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL) as _;
    // SAFETY: every pointer in `headers` points into the vectors above, which live through the call; the kernel only reads the payload.
    let sent =
        unsafe { libc::sendmmsg(socket.as_raw_fd(), headers.as_mut_ptr(), headers.len() as libc::c_uint, flags) };
    match sent {
        0.. => Ok(sent as usize),
        _ => Err(io::Error::last_os_error()),
    }
}

fn name_of(to: To) -> (Name, libc::socklen_t) {
    match to {
        To::Inet(address) => {
            let inet = libc::sockaddr_in {
                sin_family: libc::AF_INET as libc::sa_family_t,
                sin_port: 0,
                sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes(address.octets()) },
                sin_zero: [0; 8],
            };
            (Name { inet }, size_of::<libc::sockaddr_in>() as libc::socklen_t)
        }
        To::Inet6 { destination, interface, .. } => {
            let scoped = SocketAddrV6::new(destination, 0, 0, interface.map_or(0, |index| index.0));
            let inet6 = libc::sockaddr_in6 {
                sin6_family: libc::AF_INET6 as libc::sa_family_t,
                sin6_port: 0,
                sin6_flowinfo: 0,
                sin6_addr: libc::in6_addr { s6_addr: scoped.ip().octets() },
                sin6_scope_id: scoped.scope_id(),
            };
            (Name { inet6 }, size_of::<libc::sockaddr_in6>() as libc::socklen_t)
        }
        To::Frame { interface, destination, protocol } => {
            let mut address = [0; 8];
            address[..6].copy_from_slice(&destination.0);
            let link = libc::sockaddr_ll {
                sll_family: libc::AF_PACKET as libc::c_ushort,
                sll_protocol: protocol.to_be(),
                sll_ifindex: interface.0 as i32,
                sll_hatype: 0,
                sll_pkttype: 0,
                sll_halen: 6,
                sll_addr: address,
            };
            (Name { link }, size_of::<libc::sockaddr_ll>() as libc::socklen_t)
        }
    }
}

/// IPv6 source, interface and hop limit; nothing for the others.
fn control_of(to: To) -> Option<(Control, usize)> {
    let To::Inet6 { source, interface, hop_limit, .. } = to else { return None };
    let info = libc::in6_pktinfo {
        ipi6_addr: libc::in6_addr { s6_addr: source.octets() },
        ipi6_ifindex: interface.map_or(0, |index| index.0) as _,
    };
    let mut control = Control([0; CONTROL]);
    let first = put_control(&mut control, 0, libc::IPV6_PKTINFO, &info);
    let length = put_control(&mut control, first, libc::IPV6_HOPLIMIT, &i32::from(hop_limit));
    Some((control, length))
}

/// Appends one IPv6 control message at `start`; returns where the next one begins.
fn put_control<T: Copy>(control: &mut Control, start: usize, kind: i32, value: &T) -> usize {
    const HEADER: usize = size_of::<libc::cmsghdr>();
    let length = HEADER + size_of::<T>();
    let end = (start + length).next_multiple_of(align_of::<libc::cmsghdr>());
    assert!(end <= CONTROL, "control messages outgrew their room");
    let mut header = MaybeUninit::<libc::cmsghdr>::zeroed();
    // SAFETY: all-zero is a valid header; both writes stay below `end`, which was checked, and need no alignment.
    unsafe {
        let header = header.assume_init_mut();
        header.cmsg_len = length as _;
        header.cmsg_level = libc::IPPROTO_IPV6;
        header.cmsg_type = kind;
        let at = control.0.as_mut_ptr().add(start);
        at.cast::<libc::cmsghdr>().write_unaligned(*header);
        at.add(HEADER).cast::<T>().write_unaligned(*value);
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::UdpSocket;
    use std::os::fd::AsFd;

    #[test]
    fn a_batch_tells_source_and_octets_and_then_that_nothing_waits() {
        let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
        let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
        let on = 1;
        crate::socket_option::set_number(receiver.as_fd(), libc::IPPROTO_IP, libc::IP_PKTINFO, on).unwrap();
        crate::socket_option::set_number(receiver.as_fd(), libc::IPPROTO_IP, libc::IP_RECVTTL, on).unwrap();
        crate::socket_option::set_number(receiver.as_fd(), libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, on).unwrap();
        for text in [&b"one"[..], b"two"] {
            sender.send_to(text, receiver.local_addr().unwrap()).unwrap();
        }
        let mut batch = ReceiveBatch::new();
        assert_eq!(batch.fill(receiver.as_fd()).unwrap(), 2);
        let texts: Vec<&[u8]> = batch.datagrams().map(|datagram| datagram.octets).collect();
        assert_eq!(texts, [&b"one"[..], b"two"]);
        for datagram in batch.datagrams() {
            assert_eq!(datagram.source, IpAddr::V4(Ipv4Addr::LOCALHOST));
            assert_eq!(datagram.destination, Some(IpAddr::V4(Ipv4Addr::LOCALHOST)));
            assert_eq!(datagram.interface, Some(IfIndex(1)));
            assert!(datagram.ttl.is_some() && datagram.arrived.is_some() && !datagram.truncated);
        }
        assert_eq!(batch.fill(receiver.as_fd()).unwrap(), 0);
    }

    #[test]
    fn control_messages_that_end_early_are_read_as_far_as_they_go() {
        let mut control = Control([0; CONTROL]);
        let end = put_control(&mut control, 0, libc::IPV6_HOPLIMIT, &255i32);
        for length in 0..=end {
            let mut datagram = Datagram {
                octets: &[],
                truncated: false,
                source: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
                destination: None,
                interface: None,
                ttl: None,
                arrived: None,
            };
            read_control(&control.0[..length], &mut datagram);
            assert_eq!(datagram.ttl, (length >= 20).then_some(255), "{length}");
        }
    }
}
