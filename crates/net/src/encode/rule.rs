//! RTM_NEWRULE and RTM_DELRULE: both say all that is known of the rule, so that no other one is meant.

use netlink_packet_route::route::RouteRealm;
use netlink_packet_route::rule::{
    RuleAction as Action, RuleAttribute, RuleFlags, RuleMessage, RulePortRange, RuleUidRange,
};
use types::Prefix;
use vip::{Rule, RuleAction};

pub(super) fn message(rule: &Rule) -> RuleMessage {
    let mut message = RuleMessage::default();
    let header = &mut message.header;
    header.family = super::family(rule.family);
    header.src_len = rule.source.map_or(0, Prefix::length);
    header.dst_len = rule.destination.map_or(0, Prefix::length);
    header.tos = rule.tos;
    if rule.invert {
        header.flags = RuleFlags::Invert;
    }
    let attributes = &mut message.attributes;
    attributes.push(RuleAttribute::Priority(rule.preference));
    header.action = match rule.action {
        RuleAction::Lookup(table) => {
            // With l3mdev the table is the VRF's; naming one is refused.
            if !rule.l3mdev {
                header.table = u8::try_from(table).unwrap_or(0);
                attributes.push(RuleAttribute::Table(table));
            }
            Action::ToTable
        }
        RuleAction::Goto(preference) => {
            attributes.push(RuleAttribute::Goto(preference));
            Action::Goto
        }
        RuleAction::Nop => Action::Nop,
        RuleAction::Blackhole => Action::Blackhole,
        RuleAction::Unreachable => Action::Unreachable,
        RuleAction::Prohibit => Action::Prohibit,
    };
    let range = |(start, end)| RulePortRange { start, end };
    let optional = [
        rule.source.filter(|prefix| prefix.length() > 0).map(|prefix| RuleAttribute::Source(prefix.address())),
        rule.destination
            .filter(|prefix| prefix.length() > 0)
            .map(|prefix| RuleAttribute::Destination(prefix.address())),
        rule.mark.map(|(mark, _)| RuleAttribute::FwMark(mark)),
        rule.mark.map(|(_, mask)| RuleAttribute::FwMask(mask)),
        rule.input.as_ref().map(|name| RuleAttribute::Iifname(name.to_string())),
        rule.output.as_ref().map(|name| RuleAttribute::Oifname(name.to_string())),
        rule.realms.map(|packed| {
            RuleAttribute::Realm(RouteRealm { source: (packed >> 16) as u16, destination: packed as u16 })
        }),
        rule.suppress_prefix_length.map(RuleAttribute::SuppressPrefixLen),
        rule.suppress_group.map(RuleAttribute::SuppressIfGroup),
        rule.tunnel_id.map(RuleAttribute::TunId),
        rule.uid_range.map(|(start, end)| RuleAttribute::UidRange(RuleUidRange { start, end })),
        rule.l3mdev.then_some(RuleAttribute::L3MDev(true)),
        Some(RuleAttribute::Protocol(rule.protocol.into())),
        rule.ip_protocol.map(|protocol| RuleAttribute::IpProtocol(i32::from(protocol).into())),
        rule.source_ports.map(|ports| RuleAttribute::SourcePortRange(range(ports))),
        rule.destination_ports.map(|ports| RuleAttribute::DestinationPortRange(range(ports))),
    ];
    attributes.extend(optional.into_iter().flatten());
    message
}
