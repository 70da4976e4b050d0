//! RTM_NEWLINK, RTM_SETLINK and RTM_DELLINK for macvlan and ipvlan interfaces.

use netlink_packet_route::link::{
    AfSpecInet6, AfSpecUnspec, In6AddrGenMode, InfoData, InfoIpVlan, InfoKind, InfoMacVlan, IpVlanFlags, IpVlanMode,
    LinkAttribute, LinkFlags, LinkInfo, LinkMessage, MacVlanMode,
};
use types::IfIndex;
use vip::{LinkSettings, VirtualLink, VirtualLinkKind};

pub(super) fn creation(base: IfIndex, link: &VirtualLink) -> LinkMessage {
    let mut message = LinkMessage::default();
    let attributes = &mut message.attributes;
    attributes.push(LinkAttribute::IfName(link.name.to_string()));
    attributes.push(LinkAttribute::Link(base.0));
    let info = match &link.kind {
        VirtualLinkKind::Macvlan { mac } => {
            attributes.push(LinkAttribute::Address(mac.0.to_vec()));
            vec![
                LinkInfo::Kind(InfoKind::MacVlan),
                LinkInfo::Data(InfoData::MacVlan(vec![InfoMacVlan::Mode(MacVlanMode::Private)])),
            ]
        }
        VirtualLinkKind::Ipvlan { flags, .. } => vec![
            LinkInfo::Kind(InfoKind::IpVlan),
            LinkInfo::Data(InfoData::IpVlan(vec![
                InfoIpVlan::Mode(IpVlanMode::L2),
                InfoIpVlan::Flags(IpVlanFlags::from_bits_retain(*flags)),
            ])),
        ],
    };
    attributes.push(LinkAttribute::LinkInfo(info));
    message
}

/// The address generation mode goes first and alone: together with others it is refused on creation, and it must be set before the interface is up.
pub(super) fn settings(settings: &LinkSettings) -> Vec<LinkMessage> {
    let message = || {
        let mut message = LinkMessage::default();
        message.header.index = settings.interface.0;
        message
    };
    let mut messages = Vec::new();
    if settings.no_generated_address {
        let mode = AfSpecUnspec::Inet6(vec![AfSpecInet6::AddrGenMode(In6AddrGenMode::None)]);
        let mut first = message();
        first.attributes.push(LinkAttribute::AfSpecUnspec(vec![mode]));
        messages.push(first);
    }
    let mut rest = message();
    if settings.up {
        rest.header.flags = LinkFlags::Up;
        rest.header.change_mask = LinkFlags::Up;
    }
    let optional = [
        settings.mac.map(|mac| LinkAttribute::Address(mac.0.to_vec())),
        settings.group.map(LinkAttribute::Group),
        settings.master.map(|master| LinkAttribute::Controller(master.0)),
    ];
    rest.attributes.extend(optional.into_iter().flatten());
    messages.push(rest);
    messages
}

pub(super) fn deletion(interface: IfIndex) -> LinkMessage {
    let mut message = LinkMessage::default();
    message.header.index = interface.0;
    message
}
