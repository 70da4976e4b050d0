//! Operations as rtnetlink messages.

mod address;
mod link;
mod route;
mod rule;

use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use types::Family;
use vip::{Operation, config::Placement};

/// A request and its flags beyond NLM_F_REQUEST.
pub(crate) type Request = (RouteNetlinkMessage, u16);

const ADD: u16 = NLM_F_CREATE | NLM_F_EXCL;

/// The requests of one operation, in order; none for what is not rtnetlink's.
pub(crate) fn requests(operation: &Operation) -> Vec<Request> {
    match operation {
        Operation::AddAddress(spec) => vec![(RouteNetlinkMessage::NewAddress(address::addition(spec)), ADD)],
        Operation::RemoveAddress(key) => vec![(RouteNetlinkMessage::DelAddress(address::removal(key)), 0)],
        Operation::AddRoute(spec) => {
            let flags = match spec.route.placement {
                Placement::Add => ADD,
                Placement::Prepend => NLM_F_CREATE,
                Placement::Append => NLM_F_CREATE | netlink_packet_core::NLM_F_APPEND,
            };
            vec![(RouteNetlinkMessage::NewRoute(route::addition(spec)), flags)]
        }
        Operation::RemoveRoute(spec) => vec![(RouteNetlinkMessage::DelRoute(route::removal(spec)), 0)],
        Operation::AddRule(rule) => vec![(RouteNetlinkMessage::NewRule(rule::message(rule)), ADD)],
        Operation::RemoveRule(rule) => vec![(RouteNetlinkMessage::DelRule(rule::message(rule)), 0)],
        Operation::CreateLink { base, link } => {
            vec![(RouteNetlinkMessage::NewLink(link::creation(*base, link)), ADD)]
        }
        Operation::SetLink(settings) => {
            link::settings(settings).into_iter().map(|message| (RouteNetlinkMessage::SetLink(message), 0)).collect()
        }
        Operation::DeleteLink { interface, .. } => {
            vec![(RouteNetlinkMessage::DelLink(link::deletion(*interface)), 0)]
        }
        Operation::Sysctl { .. } | Operation::Firewall(_) => Vec::new(),
    }
}

/// Appends a request to a datagram; returns where its flags stand, so that the last one can ask for an acknowledgement.
pub(crate) fn append(request: Request, sequence: u32, datagram: &mut Vec<u8>) -> usize {
    let (message, flags) = request;
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_REQUEST | flags;
    header.sequence_number = sequence;
    let mut message = NetlinkMessage::new(header, NetlinkPayload::InnerMessage(message));
    message.finalize();
    let start = datagram.len();
    datagram.resize(start + message.buffer_len().next_multiple_of(4), 0);
    message.serialize(&mut datagram[start..start + message.buffer_len()]);
    start + 6
}

fn family(family: Family) -> AddressFamily {
    match family {
        Family::Inet => AddressFamily::Inet,
        Family::Inet6 => AddressFamily::Inet6,
    }
}
