//! Answers of the kernel's IPVS family.

use ipvs::codec::{Reply, Request, RequestFlags, emit_request, parse_family_id, parse_reply};
use ipvs::{
    Destination, DestinationKey, Forwarding, Operation, PersistenceConfig, Service, ServiceFlags, ServiceKey, Tunnel,
    TunnelChecksum,
};
use types::{Family, FwMark, Port, Protocol, Weight};

/// Octets of a netlink header.
const NETLINK_HEADER: usize = 16;

/// The payload of one message: what is understood is written as a request and read back the same.
pub fn ipvs_reply(octets: &[u8]) {
    let _ = parse_family_id(octets);
    for family in [Family::Inet, Family::Inet6] {
        if let Ok(Reply::Service(key, service, _)) = parse_reply(octets, family) {
            let operation = Operation::AddService { key, service: service.clone() };
            let again = parse_reply(&payload(&operation), family).expect("what we write can be read");
            match again {
                Reply::Service(key_again, service_again, _) => assert_eq!((key_again, service_again), (key, service)),
                other => panic!("a service became {other:?}"),
            }
        }
    }
}

/// What follows the netlink header of the request for `operation`.
fn payload(operation: &Operation) -> Vec<u8> {
    let mut buffer = Vec::new();
    emit_request(&mut buffer, Request::Change(operation), 30, RequestFlags::Quiet, 1);
    buffer.split_off(NETLINK_HEADER.min(buffer.len()))
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let address = ServiceKey::Address { protocol: Protocol::Tcp, address: [192, 0, 2, 1].into(), port: Port(80) };
    let mark = ServiceKey::Mark { mark: FwMark(7), family: Family::Inet6 };
    let service = |persistence| Service {
        scheduler: "wlc".to_owned(),
        flags: ServiceFlags { scheduler_1: true, ..ServiceFlags::default() },
        persistence,
    };
    let persistence = PersistenceConfig { timeout: 300, granularity: 24, engine: Some("sip".to_owned()) };
    let destination = |forwarding| Destination {
        forwarding,
        weight: Weight::new(1).expect("1 is a weight"),
        upper_threshold: 0,
        lower_threshold: 0,
    };
    let gue = Tunnel::Gue { port: Port(6080), checksum: TunnelChecksum::Full };
    let key = DestinationKey { address: [192, 0, 2, 9].into(), port: Port(8080) };
    [
        Operation::AddService { key: address, service: service(None) },
        Operation::AddService { key: mark, service: service(Some(persistence)) },
        Operation::AddDestination { service: address, key, destination: destination(Forwarding::Masquerade) },
        Operation::AddDestination { service: address, key, destination: destination(Forwarding::Tunnel(gue)) },
    ]
    .iter()
    .map(payload)
    .collect()
}
