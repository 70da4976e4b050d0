//! Ethernet frames that tell neighbours where an address is: gratuitous ARP and unsolicited neighbour advertisement.

use std::net::{Ipv4Addr, Ipv6Addr};

use pnet_packet::arp::{ArpHardwareTypes, ArpOperations, MutableArpPacket};
use pnet_packet::ethernet::{EtherType, EtherTypes, MutableEthernetPacket};
use pnet_packet::icmpv6::ndp::{
    MutableNdpOptionPacket, MutableNeighborAdvertPacket, NdpOptionTypes, NeighborAdvertFlags,
};
use pnet_packet::icmpv6::{Icmpv6Code, Icmpv6Types};
use pnet_packet::ip::IpNextHeaderProtocols;
use pnet_packet::ipv6::MutableIpv6Packet;
use types::MacAddr;

use crate::packet::Sum;

/// Octets of a gratuitous ARP: Ethernet header (14) and ARP for IPv4 over Ethernet (28). The driver pads.
pub const GRATUITOUS_ARP_LEN: usize = 42;
/// Octets of a neighbour advertisement: Ethernet (14), IPv6 (40), advertisement (24), link-layer option (8).
pub const NEIGHBOUR_ADVERTISEMENT_LEN: usize = 86;

/// Octets of an Ethernet header.
const ETHERNET_LEN: usize = 14;
/// Octets of an IPv6 header.
const IPV6_LEN: usize = 40;
/// Octets of a neighbour advertisement before its options.
const ADVERTISEMENT_LEN: usize = 24;
/// ff02::1.
const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
/// The multicast hardware address of ff02::1 (RFC 2464 §7).
const ALL_NODES_MAC: MacAddr = MacAddr([0x33, 0x33, 0, 0, 0, 1]);

/// A broadcast ARP request in which sender and target are both `address`, sent from `mac` (RFC 9568 §6.4.1, RFC 5227 §3).
///
/// The target hardware address, which nobody looks at in a request, is broadcast as in keepalived's.
pub fn gratuitous_arp(mac: MacAddr, address: Ipv4Addr) -> [u8; GRATUITOUS_ARP_LEN] {
    let mut frame = [0; GRATUITOUS_ARP_LEN];
    let (header, body) = frame.split_at_mut(ETHERNET_LEN);
    ethernet(header, MacAddr::BROADCAST, mac, EtherTypes::Arp);
    let mut arp = MutableArpPacket::new(body).expect("28 octets hold an ARP packet");
    arp.set_hardware_type(ArpHardwareTypes::Ethernet);
    arp.set_protocol_type(EtherTypes::Ipv4);
    arp.set_hw_addr_len(6);
    arp.set_proto_addr_len(4);
    arp.set_operation(ArpOperations::Request);
    arp.set_sender_hw_addr(mac.0.into());
    arp.set_sender_proto_addr(address);
    arp.set_target_hw_addr(MacAddr::BROADCAST.0.into());
    arp.set_target_proto_addr(address);
    frame
}

/// An unsolicited neighbour advertisement to all nodes with the override flag: `target` is at `mac` (RFC 4861 §7.2.6).
///
/// `source` is the IPv6 source (keepalived takes the announced address itself), `router` whether we forward on that
/// interface.
pub fn neighbour_advertisement(
    mac: MacAddr,
    source: Ipv6Addr,
    target: Ipv6Addr,
    router: bool,
) -> [u8; NEIGHBOUR_ADVERTISEMENT_LEN] {
    let mut frame = [0; NEIGHBOUR_ADVERTISEMENT_LEN];
    let (header, rest) = frame.split_at_mut(ETHERNET_LEN);
    let (ip, body) = rest.split_at_mut(IPV6_LEN);
    ethernet(header, ALL_NODES_MAC, mac, EtherTypes::Ipv6);

    let payload_length = body.len() as u16;
    let mut ip = MutableIpv6Packet::new(ip).expect("40 octets hold an IPv6 header");
    ip.set_version(6);
    ip.set_payload_length(payload_length);
    ip.set_next_header(IpNextHeaderProtocols::Icmpv6);
    ip.set_hop_limit(255);
    ip.set_source(source);
    ip.set_destination(ALL_NODES);

    let (advertisement, option) = body.split_at_mut(ADVERTISEMENT_LEN);
    let mut advertisement = MutableNeighborAdvertPacket::new(advertisement).expect("24 octets hold an advertisement");
    advertisement.set_icmpv6_type(Icmpv6Types::NeighborAdvert);
    advertisement.set_icmpv6_code(Icmpv6Code::new(0));
    advertisement.set_flags(if router {
        NeighborAdvertFlags::Router | NeighborAdvertFlags::Override
    } else {
        NeighborAdvertFlags::Override
    });
    advertisement.set_target_addr(target);
    let mut option = MutableNdpOptionPacket::new(option).expect("8 octets hold an option");
    option.set_option_type(NdpOptionTypes::TargetLLAddr);
    option.set_length(1);
    option.set_data(&mac.0);

    let checksum = Sum::pseudo_v6(source, ALL_NODES, body.len(), IpNextHeaderProtocols::Icmpv6.0).add(body).finish();
    body[2..4].copy_from_slice(&checksum.to_be_bytes());
    frame
}

/// Fills in an Ethernet header.
fn ethernet(header: &mut [u8], destination: MacAddr, source: MacAddr, kind: EtherType) {
    let mut header = MutableEthernetPacket::new(header).expect("14 octets hold an Ethernet header");
    header.set_destination(destination.0.into());
    header.set_source(source.0.into());
    header.set_ethertype(kind);
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAC: MacAddr = MacAddr([2, 0, 0, 0, 0, 1]);

    fn hex(octets: &[u8]) -> String {
        octets.iter().map(|octet| format!("{octet:02x}")).collect()
    }

    #[test]
    fn gratuitous_arp_is_the_one_captured_from_keepalived() {
        let captured = "ffffffffffff02000000000108060001080006040001020000000001c00002f9ffffffffffffc00002f9";
        assert_eq!(hex(&gratuitous_arp(MAC, Ipv4Addr::new(192, 0, 2, 249))), captured);
    }

    #[test]
    fn neighbour_advertisements_are_those_captured_from_keepalived() {
        for (target, router, captured) in [
            (
                "fe80::1",
                false,
                "33330000000102000000000186dd6000000000203afffe800000000000000000000000000001ff0200000000000000000000\
                 000000018800579b20000000fe8000000000000000000000000000010201020000000001",
            ),
            (
                "2001:db8::1",
                false,
                "33330000000102000000000186dd6000000000203aff20010db8000000000000000000000001ff0200000000000000000000\
                 000000018800f92a2000000020010db80000000000000000000000010201020000000001",
            ),
            (
                "2001:db8::2",
                true,
                "33330000000102000000000186dd6000000000203aff20010db8000000000000000000000002ff0200000000000000000000\
                 0000000188007928a000000020010db80000000000000000000000020201020000000001",
            ),
        ] {
            let target = target.parse().unwrap();
            assert_eq!(hex(&neighbour_advertisement(MAC, target, target, router)), captured);
        }
    }
}
