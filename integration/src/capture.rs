//! What is on the wire: every frame that enters the switch, once, with the port it came from and the kernel's time stamp.
//!
//! Frames of a partitioned host are seen too (its port is cut off from the bridge, not from the capture): a test can tell "it did not
//! send" from "it did not arrive".

use std::collections::HashMap;
use std::io::IoSliceMut;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::sys::socket::sockopt::{RcvBuf, RcvBufForce, ReceiveTimeout, ReceiveTimestampns};
use nix::sys::socket::{
    AddressFamily, ControlMessageOwned, LinkAddr, MsgFlags, SockFlag, SockProtocol, SockType, recvmsg, setsockopt,
    socket,
};
use nix::sys::time::{TimeSpec, TimeVal};

use crate::host::Host;

/// A running capture.
pub struct Capture {
    frames: Arc<Mutex<Vec<Frame>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// One frame as a host sent it.
#[derive(Debug, Clone)]
pub struct Frame {
    /// When the switch's kernel took it in.
    pub at: SystemTime,
    /// The host that sent it.
    pub from: String,
    /// From the destination address of the Ethernet header on.
    pub bytes: Vec<u8>,
}

/// A VRRP advertisement (RFC 3768 §5.1, RFC 9568 §5.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advert {
    /// When the switch's kernel took it in.
    pub at: SystemTime,
    /// The host that sent it.
    pub from: String,
    /// IP source.
    pub source: IpAddr,
    /// IP destination.
    pub destination: IpAddr,
    /// Time to live or hop limit.
    pub hops: u8,
    /// IPv4 type of service or IPv6 traffic class.
    pub traffic_class: u8,
    /// VRRP version.
    pub version: u8,
    /// Virtual router.
    pub vrid: u8,
    /// Priority; 0 says that the sender stops.
    pub priority: u8,
    /// v2: authentication type; v3: 0.
    pub authentication: u8,
    /// Announced interval.
    pub interval: Duration,
    /// Announced addresses in their order.
    pub addresses: Vec<IpAddr>,
    /// What follows the addresses: v2's authentication data.
    pub trailer: Vec<u8>,
    /// Source address of the Ethernet frame.
    pub hardware: [u8; 6],
}

/// An ARP packet, or an unsolicited neighbour advertisement told in the same words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arp {
    /// When the switch's kernel took it in.
    pub at: SystemTime,
    /// The host that sent it.
    pub from: String,
    /// 1 request, 2 reply.
    pub operation: u16,
    /// Hardware address of the sender, from the ARP body.
    pub sender_hardware: [u8; 6],
    /// Protocol address of the sender.
    pub sender: Ipv4Addr,
    /// Protocol address asked for.
    pub target: Ipv4Addr,
    /// Destination of the Ethernet frame.
    pub destination: [u8; 6],
}

impl Arp {
    /// True for an announcement: it asks for, or answers about, its own address.
    pub fn is_gratuitous(&self) -> bool {
        self.sender == self.target
    }
}

impl Capture {
    /// Starts listening at all ports of `switch`.
    #[track_caller]
    pub(crate) fn start(switch: &Host) -> Self {
        let frames = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let (out, ended) = (Arc::clone(&frames), Arc::clone(&stop));
        let ports: HashMap<usize, String> = switch
            .ip("-o link show type veth")
            .lines()
            .filter_map(|line| {
                let mut words = line.split(": ");
                let index = words.next()?.trim().parse().ok()?;
                Some((index, words.next()?.split('@').next()?.to_owned()))
            })
            .collect();
        let socket = switch.on_network(|| listen().unwrap_or_else(|error| panic!("packet socket: {error}")));
        let thread = std::thread::spawn(move || {
            let mut buffer = vec![0; 65536];
            while !ended.load(Ordering::Relaxed) {
                if let Some(frame) = receive(&socket, &mut buffer, &ports) {
                    out.lock().unwrap_or_else(PoisonError::into_inner).push(frame);
                }
            }
        });
        Self { frames, stop, thread: Some(thread) }
    }

    /// All frames so far.
    pub fn frames(&self) -> Vec<Frame> {
        self.frames.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// All advertisements so far.
    pub fn adverts(&self) -> Vec<Advert> {
        self.frames().iter().filter_map(Frame::advert).collect()
    }

    /// Advertisements of `host` so far.
    pub fn adverts_of(&self, host: &str) -> Vec<Advert> {
        self.adverts().into_iter().filter(|advert| advert.from == host).collect()
    }

    /// Gratuitous ARPs of `host` for `address` so far.
    pub fn announcements(&self, host: &str, address: &str) -> Vec<Arp> {
        let frames = self.frames();
        let arps = frames.iter().filter(|frame| frame.from == host).filter_map(Frame::arp);
        arps.filter(|arp| arp.is_gratuitous() && arp.sender.to_string() == address).collect()
    }

    /// Times of the unsolicited neighbour advertisements of `host` for `address`.
    pub fn neighbour_advertisements(&self, host: &str, address: Ipv6Addr) -> Vec<SystemTime> {
        let frames = self.frames();
        let own = frames.iter().filter(|frame| frame.from == host);
        own.filter(|frame| frame.neighbour_advertisement() == Some(address)).map(|frame| frame.at).collect()
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Frame {
    /// The IP payload with (source, destination, hops, traffic class, protocol), authentication headers passed over.
    fn packet(&self) -> Option<Packet<'_>> {
        let bytes = self.bytes.as_slice();
        match bytes.get(12..14)? {
            [0x08, 0x00] => {
                let header = usize::from(bytes.get(14)? & 0x0f) * 4;
                let total = usize::from(u16::from_be_bytes([*bytes.get(16)?, *bytes.get(17)?]));
                let mut packet = Packet {
                    source: ipv4(bytes, 26)?.into(),
                    destination: ipv4(bytes, 30)?.into(),
                    hops: *bytes.get(22)?,
                    traffic_class: *bytes.get(15)?,
                    protocol: *bytes.get(23)?,
                    payload: bytes.get(14 + header..14 + total)?,
                };
                if packet.protocol == AUTHENTICATION_HEADER {
                    packet.protocol = *packet.payload.first()?;
                    let length = (usize::from(*packet.payload.get(1)?) + 2) * 4;
                    packet.payload = packet.payload.get(length..)?;
                }
                Some(packet)
            }
            [0x86, 0xdd] => {
                let length = usize::from(u16::from_be_bytes([*bytes.get(18)?, *bytes.get(19)?]));
                Some(Packet {
                    source: ipv6(bytes, 22)?.into(),
                    destination: ipv6(bytes, 38)?.into(),
                    hops: *bytes.get(21)?,
                    traffic_class: (bytes.get(14)? << 4) | (bytes.get(15)? >> 4),
                    protocol: *bytes.get(20)?,
                    payload: bytes.get(54..54 + length)?,
                })
            }
            _ => None,
        }
    }

    /// This frame as a VRRP advertisement.
    pub fn advert(&self) -> Option<Advert> {
        let packet = self.packet()?;
        if packet.protocol != VRRP {
            return None;
        }
        let body = packet.payload;
        let version = body.first()? >> 4;
        let count = usize::from(*body.get(3)?);
        let size = if packet.source.is_ipv4() { 4 } else { 16 };
        let address = |index: usize| -> Option<IpAddr> {
            let offset = 8 + index * size;
            if size == 4 { ipv4(body, offset).map(IpAddr::V4) } else { ipv6(body, offset).map(IpAddr::V6) }
        };
        let (authentication, interval) = if version == 2 {
            (*body.get(4)?, Duration::from_secs(u64::from(*body.get(5)?)))
        } else {
            let centiseconds = u16::from_be_bytes([*body.get(4)? & 0x0f, *body.get(5)?]);
            (0, Duration::from_millis(u64::from(centiseconds) * 10))
        };
        Some(Advert {
            at: self.at,
            from: self.from.clone(),
            source: packet.source,
            destination: packet.destination,
            hops: packet.hops,
            traffic_class: packet.traffic_class,
            version,
            vrid: *body.get(1)?,
            priority: *body.get(2)?,
            authentication,
            interval,
            addresses: (0..count).map(address).collect::<Option<_>>()?,
            trailer: body.get(8 + count * size..)?.to_vec(),
            hardware: self.bytes.get(6..12)?.try_into().ok()?,
        })
    }

    /// This frame as an ARP packet.
    pub fn arp(&self) -> Option<Arp> {
        let bytes = self.bytes.as_slice();
        if bytes.get(12..14)? != [0x08, 0x06] {
            return None;
        }
        Some(Arp {
            at: self.at,
            from: self.from.clone(),
            operation: u16::from_be_bytes([*bytes.get(20)?, *bytes.get(21)?]),
            sender_hardware: bytes.get(22..28)?.try_into().ok()?,
            sender: ipv4(bytes, 28)?,
            target: ipv4(bytes, 38)?,
            destination: bytes.get(0..6)?.try_into().ok()?,
        })
    }

    /// The target of this frame if it is a neighbour advertisement to all nodes (RFC 4861 §4.4).
    pub fn neighbour_advertisement(&self) -> Option<Ipv6Addr> {
        let packet = self.packet()?;
        let to_all = packet.destination == IpAddr::V6(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1));
        (packet.protocol == ICMPV6 && to_all && packet.payload.first() == Some(&136))
            .then(|| ipv6(packet.payload, 8))?
    }
}

struct Packet<'a> {
    source: IpAddr,
    destination: IpAddr,
    hops: u8,
    traffic_class: u8,
    protocol: u8,
    payload: &'a [u8],
}

fn ipv4(bytes: &[u8], offset: usize) -> Option<Ipv4Addr> {
    Some(Ipv4Addr::from(<[u8; 4]>::try_from(bytes.get(offset..offset + 4)?).ok()?))
}

fn ipv6(bytes: &[u8], offset: usize) -> Option<Ipv6Addr> {
    Some(Ipv6Addr::from(<[u8; 16]>::try_from(bytes.get(offset..offset + 16)?).ok()?))
}

fn listen() -> nix::Result<OwnedFd> {
    let socket = socket(AddressFamily::Packet, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::EthAll)?;
    setsockopt(&socket, ReceiveTimestampns, &true)?;
    setsockopt(&socket, ReceiveTimeout, &TimeVal::new(0, 50_000))?;
    // a takeover of a thousand addresses is a burst; inside user-mode Linux the limit may not be exceeded
    if setsockopt(&socket, RcvBufForce, &(16 << 20)).is_err() {
        setsockopt(&socket, RcvBuf, &(1 << 20))?;
    }
    Ok(socket)
}

fn receive(socket: &OwnedFd, buffer: &mut [u8], ports: &HashMap<usize, String>) -> Option<Frame> {
    let mut control = nix::cmsg_space!(TimeSpec);
    let mut parts = [IoSliceMut::new(buffer)];
    let message = recvmsg::<LinkAddr>(socket.as_raw_fd(), &mut parts, Some(&mut control), MsgFlags::empty()).ok()?;
    let address = message.address?;
    if address.pkttype() == OUTGOING {
        return None;
    }
    let from = ports.get(&address.ifindex())?.clone();
    let stamp = message.cmsgs().ok()?.find_map(|control| match control {
        ControlMessageOwned::ScmTimestampns(time) => Some(time),
        _ => None,
    })?;
    let length = message.bytes;
    let at = UNIX_EPOCH + Duration::new(stamp.tv_sec().try_into().ok()?, stamp.tv_nsec().try_into().ok()?);
    Some(Frame { at, from, bytes: buffer.get(..length)?.to_vec() })
}

/// `PACKET_OUTGOING`: the copy of a frame that the switch itself sends on.
const OUTGOING: u8 = 4;
const VRRP: u8 = 112;
const AUTHENTICATION_HEADER: u8 = 51;
const ICMPV6: u8 = 58;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_advert_of_version_two_is_read() {
        // RFC 3768 §5.1, in an IPv4 packet of 40 bytes, in an Ethernet frame
        let mut bytes = vec![1, 0, 0x5e, 0, 0, 18, 2, 0, 0, 0, 0, 1, 8, 0];
        bytes.extend([0x45, 0xc0, 0, 40, 0, 0, 0, 0, 255, 112, 0, 0, 10, 0, 0, 1, 224, 0, 0, 18]);
        bytes.extend([0x21, 51, 100, 1, 1, 1, 0, 0, 10, 0, 0, 100]);
        bytes.extend(*b"1111\0\0\0\0");
        let frame = Frame { at: UNIX_EPOCH, from: "a".into(), bytes };
        let advert = frame.advert().unwrap();
        assert_eq!((advert.version, advert.vrid, advert.priority, advert.authentication), (2, 51, 100, 1));
        assert_eq!(advert.addresses, [IpAddr::from([10, 0, 0, 100])]);
        assert_eq!(advert.trailer, b"1111\0\0\0\0");
        assert_eq!(advert.interval, Duration::from_secs(1));
    }

    #[test]
    fn a_short_frame_is_no_advert_and_no_panic() {
        for length in 0..60 {
            let frame = Frame { at: UNIX_EPOCH, from: "a".into(), bytes: vec![8; length] };
            assert_eq!(frame.advert(), None);
            let _ = frame.arp();
        }
    }
}
