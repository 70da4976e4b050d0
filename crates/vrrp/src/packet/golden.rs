//! Adverts of keepalived 2.2.7 as captured on a veth pair: parsed, and built again octet for octet.

use std::net::IpAddr;
use std::time::Duration;

use types::{CentiSeconds, Family, IfIndex, Instant, Priority, Secret, Ttl, Vrid, VrrpVersion};

use super::{Expected, Memory, Outgoing, ReceivedAdvert, Refusal, Remark, build, peek_vrid, receive};
use crate::config::{AntiReplay, Authentication, Cast, ChecksumV3, HmacConfig, HmacMode, Peer};
use crate::event::ReceivedPacket;

/// One virtual router, as its sender and its receiver are configured.
#[derive(Debug, Clone)]
pub(super) struct Router {
    pub(super) version: VrrpVersion,
    pub(super) vrid: u8,
    pub(super) priority: u8,
    pub(super) centiseconds: u16,
    pub(super) source: IpAddr,
    pub(super) addresses: Vec<IpAddr>,
    pub(super) cast: Cast,
    pub(super) authentication: Authentication,
    pub(super) checksum: ChecksumV3,
}

impl Router {
    pub(super) fn new(version: VrrpVersion, vrid: u8, priority: u8, source: &str, addresses: &[&str]) -> Self {
        let group = if source.contains(':') { "ff02::12" } else { "224.0.0.18" };
        Self {
            version,
            vrid,
            priority,
            centiseconds: 100,
            source: ip(source),
            addresses: addresses.iter().map(|address| ip(address)).collect(),
            cast: Cast::Multicast { group: ip(group) },
            authentication: Authentication::None,
            checksum: ChecksumV3::PseudoHeader,
        }
    }

    pub(super) fn unicast(mut self, ttl: u8, peers: &[&str]) -> Self {
        let peer = |address: &&str| Peer { address: ip(address), min_ttl: Ttl(0), max_ttl: Ttl(255) };
        self.cast = Cast::Unicast { peers: peers.iter().map(peer).collect(), ttl: Ttl(ttl), check_source: false };
        self
    }

    pub(super) fn with(mut self, authentication: Authentication) -> Self {
        self.authentication = authentication;
        self
    }

    pub(super) fn interval(mut self, centiseconds: u16) -> Self {
        self.centiseconds = centiseconds;
        self
    }

    pub(super) fn checksum(mut self, checksum: ChecksumV3) -> Self {
        self.checksum = checksum;
        self
    }

    pub(super) fn outgoing(&self) -> Outgoing<'_> {
        Outgoing {
            version: self.version,
            vrid: Vrid::new(self.vrid).unwrap(),
            priority: Priority::new(self.priority),
            interval: CentiSeconds::new(self.centiseconds).unwrap(),
            source: self.source,
            addresses: &self.addresses,
            cast: &self.cast,
            authentication: &self.authentication,
            checksum: self.checksum,
        }
    }

    pub(super) fn expected(&self) -> Expected<'_> {
        Expected {
            family: Family::of(self.source),
            version: self.version,
            vrid: Vrid::new(self.vrid).unwrap(),
            interval: CentiSeconds::new(self.centiseconds).unwrap(),
            authentication: &self.authentication,
            checksum: self.checksum,
            cast: &self.cast,
            addresses: &self.addresses,
            skip_addresses: false,
            ignore: false,
            strict: false,
        }
    }

    /// The advert that a receiver of our adverts should see.
    pub(super) fn advert(&self) -> ReceivedAdvert {
        ReceivedAdvert {
            source: self.source,
            version: self.version,
            vrid: Vrid::new(self.vrid).unwrap(),
            priority: Priority::new(self.priority),
            interval: CentiSeconds::new(self.centiseconds).unwrap(),
            addresses: self.addresses.clone(),
            remarks: Vec::new(),
        }
    }

    /// What the socket of a receiver would hand over.
    pub(super) fn packet<'a>(&self, destination: IpAddr, octets: &'a [u8]) -> ReceivedPacket<'a> {
        let ttl = match (&self.cast, self.source) {
            (Cast::Unicast { ttl, .. }, _) => *ttl,
            (Cast::Multicast { .. }, _) => Ttl(255),
        };
        ReceivedPacket { interface: IfIndex(2), source: self.source, destination, ttl, octets }
    }

    pub(super) fn receive(&self, destination: IpAddr, octets: &[u8]) -> Result<ReceivedAdvert, Refusal> {
        receive(&self.packet(destination, octets), &self.expected(), &mut Memory::default(), NOW, UTC)
    }
}

pub(super) const NOW: Instant = Instant::from_nanos(1_000_000_000);
pub(super) const UTC: Duration = Duration::from_millis(1_700_000_000_500);

pub(super) fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

pub(super) fn hex(text: &str) -> Vec<u8> {
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

pub(super) fn secret(text: &str) -> Secret {
    Secret::new(text.as_bytes().to_vec())
}

pub(super) fn hmac(mode: HmacMode, anti_replay: AntiReplay) -> HmacConfig {
    HmacConfig {
        keys: vec![(1, secret("0123456789abcdef0123456789abcdef")), (7, Secret::new(vec![0xA5; 64]))],
        active_key: 7,
        time_window: Duration::from_secs(5),
        anti_replay,
        mode,
    }
}

pub(super) const GROUP: &str = "224.0.0.18";

/// A router with one address, multicast, no authentication.
pub(super) fn plain(version: VrrpVersion) -> Router {
    Router::new(version, 51, 100, "192.0.2.1", &["192.0.2.254"])
}

/// The first copy of its first advert.
pub(super) fn octets_of(router: &Router) -> Vec<u8> {
    build(&router.outgoing(), &mut Memory::default(), UTC).remove(0).octets
}

const V2: VrrpVersion = VrrpVersion::V2;
const V3: VrrpVersion = VrrpVersion::V3;

/// (what, sender, destination, number of the advert since the sender started, octets).
fn captures() -> Vec<(&'static str, Router, &'static str, u16, &'static str)> {
    let v4 = "192.0.2.1";
    let plain = Router::new(V2, 51, 100, v4, &["192.0.2.254"]);
    let password =
        Router::new(V2, 52, 101, v4, &["192.0.2.253", "192.0.2.252"]).with(Authentication::Password(secret("s3cret")));
    let header =
        Router::new(V2, 53, 102, v4, &["192.0.2.251"]).with(Authentication::AuthenticationHeader(secret("s3cret")));
    let header_unicast = Router::new(V2, 54, 103, v4, &["192.0.2.250"])
        .unicast(255, &["192.0.2.2", "192.0.2.3"])
        .with(Authentication::AuthenticationHeader(secret("longer-than-8")));
    let v3 = Router::new(V3, 55, 104, v4, &["192.0.2.249"]).interval(50);
    let v3_unicast = Router::new(V3, 56, 105, v4, &["192.0.2.248", "192.0.2.247", "192.0.2.246"])
        .interval(200)
        .unicast(255, &["192.0.2.2"]);
    let v3_old =
        Router::new(V3, 57, 106, v4, &["192.0.2.245"]).unicast(255, &["192.0.2.2"]).checksum(ChecksumV3::OldUnicast);
    let v6 = Router::new(V3, 51, 107, "fe80::a", &["fe80::1", "2001:db8::1"]);
    let v6_unicast = Router::new(V3, 52, 108, "2001:db8::a", &["2001:db8::2"]).unicast(64, &["2001:db8::b"]);
    let leaving = |router: &Router| Router { priority: 0, ..router.clone() };
    let group = "224.0.0.18";
    vec![
        (
            "v2",
            plain.clone(),
            group,
            1,
            "45c0002800010000ff701891c0000201e0000012213364010001b7cbc00002fe0000000000000000",
        ),
        (
            "v2 leaving",
            leaving(&plain),
            group,
            9,
            "45c0002800090000ff701889c0000201e00000122133000100011bccc00002fe0000000000000000",
        ),
        (
            "v2 PASS",
            password.clone(),
            group,
            1,
            "45c0002c00010000ff70188dc0000201e0000012213465020101b6b3c00002fdc00002fc7333637265740000",
        ),
        (
            "v2 PASS leaving",
            leaving(&password),
            group,
            9,
            "45c0002c00090000ff701885c0000201e00000122134000201011bb4c00002fdc00002fc7333637265740000",
        ),
        (
            "v2 AH",
            header.clone(),
            group,
            1,
            "45c0004000010000ff3318b6c0000201e000001270040000c000020100000001e6e3c5a620a45d6c64bd17ef
             213566010201b3ccc00002fb0000000000000000",
        ),
        (
            "v2 AH",
            header.clone(),
            group,
            8,
            "45c0004000080000ff3318afc0000201e000001270040000c000020100000008d0e303a455471519db986229
             213566010201b3ccc00002fb0000000000000000",
        ),
        (
            "v2 AH leaving",
            leaving(&header),
            group,
            9,
            "45c0004000090000ff3318aec0000201e000001270040000c000020100000009e42399aab57779502f3c1496
             21350001020119cdc00002fb0000000000000000",
        ),
        (
            "v2 AH unicast, first peer",
            header_unicast.clone(),
            "192.0.2.2",
            1,
            "45c0004000010000ff3336c6c0000201c000020270040000c0000201000000013e8d05ac6c5cb42cc49e90bf
             213667010201b2ccc00002fa0000000000000000",
        ),
        (
            "v2 AH unicast, second peer",
            header_unicast.clone(),
            "192.0.2.3",
            1,
            "45c0004000010000ff3336c5c0000201c000020370040000c000020100000001284f427ff3389815156e0c7a
             213667010201b2ccc00002fa0000000000000000",
        ),
        (
            "v2 AH unicast",
            header_unicast,
            "192.0.2.2",
            4,
            "45c0004000040000ff3336c3c0000201c000020270040000c000020100000004d70fe63cc2f9650ef0a7c46d
             213667010201b2ccc00002fa0000000000000000",
        ),
        ("v3", v3.clone(), group, 1, "45c0002000010000ff701899c0000201e0000012313768010032010bc00002f9"),
        ("v3 leaving", leaving(&v3), group, 20, "45c0002000140000ff701886c0000201e0000012313700010032690bc00002f9"),
        (
            "v3 unicast",
            v3_unicast,
            "192.0.2.2",
            1,
            "45c0002800010000ff7036a1c0000201c00002023138690300c8978cc00002f8c00002f7c00002f6",
        ),
        (
            "v3 unicast, old checksum",
            v3_old,
            "192.0.2.2",
            1,
            "45c0002000010000ff7036a9c0000201c000020231396a010064fedac00002f5",
        ),
        (
            "v3 IPv6",
            v6.clone(),
            "ff02::12",
            1,
            "31336b02006438f2fe80000000000000000000000000000120010db8000000000000000000000001",
        ),
        (
            "v3 IPv6 leaving",
            leaving(&v6),
            "ff02::12",
            9,
            "313300020064a3f2fe80000000000000000000000000000120010db8000000000000000000000001",
        ),
        ("v3 IPv6 unicast", v6_unicast, "2001:db8::b", 1, "31346c010064d89b20010db8000000000000000000000002"),
    ]
}

#[test]
fn captured_adverts_are_understood() {
    for (what, router, destination, _, octets) in captures() {
        let octets = hex(octets);
        let destination = ip(destination);
        assert_eq!(peek_vrid(&router.packet(destination, &octets)), Some(router.vrid), "{what}");
        assert_eq!(router.receive(destination, &octets), Ok(router.advert()), "{what}");
    }
}

#[test]
fn captured_adverts_are_built_octet_for_octet() {
    for (what, router, destination, number, octets) in captures() {
        let mut memory = Memory::with_sequence(u32::from(number) - 1);
        memory.identification = number - 1;
        let built = build(&router.outgoing(), &mut memory, UTC);
        let copy = built.iter().find(|copy| copy.address == ip(destination)).expect(what);
        assert_eq!(copy.octets, hex(octets), "{what}");
    }
}

/// Checksums computed by hand for one advert: VRID 51, priority 100, one second (RFC 9568 §5.2.8 and its readings).
#[test]
fn checksums_are_the_computed_ones() {
    let source = "192.0.2.1";
    let v3 = Router::new(V3, 51, 100, source, &["192.0.2.254"]);
    let v2 = Router::new(V2, 51, 100, source, &["192.0.2.254"]);
    let v6 = Router::new(V3, 51, 100, "fe80::a", &["fe80::1", "2001:db8::1"]);
    for (what, router, header, checksum) in [
        ("A: v3 IPv4, message only", v3.clone().checksum(ChecksumV3::MessageOnly), 20, 0xa768),
        ("B: v3 IPv4, pseudo header", v3, 20, 0x04d8),
        ("C: v2", v2, 20, 0xb7cb),
        ("D: v3 IPv6", v6, 0, 0x3ff2),
    ] {
        let built = build(&router.outgoing(), &mut Memory::default(), UTC);
        let found = u16::from_be_bytes([built[0].octets[header + 6], built[0].octets[header + 7]]);
        assert_eq!(found, checksum, "{what}");
    }
}

#[test]
fn an_old_peers_checksum_is_recognised_told_once_and_then_used() {
    let old = Router::new(V3, 57, 106, "192.0.2.1", &["192.0.2.245"])
        .unicast(255, &["192.0.2.2"])
        .checksum(ChecksumV3::OldUnicast);
    let sent = build(&old.outgoing(), &mut Memory::default(), UTC).remove(0);

    let ours = old.clone().checksum(ChecksumV3::PseudoHeader);
    let mut memory = Memory::default();
    let packet = ours.packet(sent.address, &sent.octets);
    let first = receive(&packet, &ours.expected(), &mut memory, NOW, UTC).unwrap();
    assert_eq!(first.remarks, [Remark::OldUnicastChecksum]);
    assert_eq!(receive(&packet, &ours.expected(), &mut memory, NOW, UTC).unwrap().remarks, []);
    memory.identification = 0;
    assert_eq!(build(&ours.outgoing(), &mut memory, UTC)[0].octets, sent.octets);

    let never = old.checksum(ChecksumV3::PseudoHeaderOnly);
    assert!(matches!(never.receive(sent.address, &sent.octets), Err(Refusal::Checksum { .. })));
}

#[test]
fn a_checksum_without_pseudo_header_is_accepted_with_a_remark() {
    let group = ip("224.0.0.18");
    let rfc = Router::new(V3, 51, 100, "192.0.2.1", &["192.0.2.254"]).checksum(ChecksumV3::MessageOnly);
    let sent = build(&rfc.outgoing(), &mut Memory::default(), UTC).remove(0);
    let ours = rfc.clone().checksum(ChecksumV3::PseudoHeader);
    assert_eq!(ours.receive(group, &sent.octets).unwrap().remarks, [Remark::MessageOnlyChecksum]);

    let mut damaged = sent.octets;
    damaged[26] ^= 0x10;
    assert!(matches!(ours.receive(group, &damaged), Err(Refusal::Checksum { .. })));
    assert!(rfc.receive(group, &damaged).is_ok(), "v3_checksum_as_v2 does not enforce received checksums");
}
