//! Messages, octet for octet: what ipvsadm 1.31 sends, and what a 6.1 kernel answers (both captured with strace).

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking, its helpers too")]

extern crate rkeepalived_ipvs as ipvs;

use ipvs::codec::{
    GENERIC_HEADER_LENGTH, NETLINK_HEADER_LENGTH, Reply, Request, RequestFlags, emit_family_request, emit_request,
    parse_family_id, parse_reply,
};
use ipvs::text::parse_line;
use ipvs::{Daemon, DaemonRole, Operation, Timeouts};
use proptest::prelude::*;
use types::Family;

fn octets(hexadecimal: &str) -> Vec<u8> {
    let digits: Vec<u8> = hexadecimal.bytes().map(|digit| (digit as char).to_digit(16).unwrap() as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn payload(request: Request<'_>) -> Vec<u8> {
    let mut buffer = Vec::new();
    emit_request(&mut buffer, request, 28, RequestFlags::Acknowledge, 5);
    assert_eq!(buffer[..4], (buffer.len() as u32).to_ne_bytes());
    buffer.split_off(NETLINK_HEADER_LENGTH)
}

fn captured() -> impl Iterator<Item = (&'static str, Vec<u8>)> {
    include_str!("golden/requests.txt").lines().map(|line| {
        let (command, hexadecimal) = line.split_once(" | ").unwrap();
        (command, octets(hexadecimal))
    })
}

/// First attribute of a payload and what follows it.
fn first_attribute(payload: &[u8]) -> (&[u8], &[u8]) {
    let rest = &payload[GENERIC_HEADER_LENGTH..];
    let length = usize::from(u16::from_ne_bytes([rest[0], rest[1]]));
    (&rest[4..length], &rest[length.next_multiple_of(4)..])
}

#[test]
fn services_are_written_as_ipvsadm_writes_them() {
    let mut seen = 0;
    for (command, theirs) in captured().filter(|(command, _)| command.starts_with("-A") || command.starts_with("-E")) {
        let operation = parse_line(command).unwrap().unwrap();
        assert_eq!(payload(Request::Change(&operation)), theirs, "{command}");
        seen += 1;
    }
    assert_eq!(seen, 8);
}

/// ipvsadm sends the whole service along; we send what identifies it.
#[test]
fn destinations_are_written_as_ipvsadm_writes_them() {
    let mut seen = 0;
    for (command, theirs) in captured() {
        let Ok(Some(operation)) = parse_line(command) else { continue };
        let ours = payload(Request::Change(&operation));
        match operation {
            Operation::AddDestination { .. } | Operation::EditDestination { .. } => {
                let ((our_service, our_rest), (their_service, their_rest)) =
                    (first_attribute(&ours), first_attribute(&theirs));
                assert!(their_service.starts_with(our_service), "{command}");
                assert_eq!(our_rest, their_rest, "{command}");
            }
            Operation::DeleteDestination { .. } => {
                let (our_rest, their_rest) = (first_attribute(&ours).1, first_attribute(&theirs).1);
                assert!(their_rest[4..].starts_with(&our_rest[4..]), "{command}");
            }
            Operation::DeleteService { .. } => {
                assert!(first_attribute(&theirs).0.starts_with(first_attribute(&ours).0), "{command}");
            }
            Operation::Flush => assert_eq!(ours, theirs, "{command}"),
            Operation::AddService { .. } | Operation::EditService { .. } => continue,
        }
        assert_eq!(ours[..4], theirs[..4], "{command}");
        seen += 1;
    }
    assert_eq!(seen, 13);
}

#[test]
fn timeouts_daemons_and_zero_are_written_as_ipvsadm_writes_them() {
    let theirs = |wanted: &str| captured().find(|(command, _)| command.starts_with(wanted)).unwrap().1;
    let timeouts = Timeouts { tcp: 30, tcp_fin: 5, udp: 60 };
    assert_eq!(payload(Request::SetTimeouts(timeouts)), theirs("--set"));
    assert_eq!(payload(Request::Zero), theirs("-Z"));
    let master = Daemon {
        role: DaemonRole::Master,
        interface: "lo".parse().unwrap(),
        sync_id: 51,
        max_len: Some(1400),
        group: Some("224.0.0.82".parse().unwrap()),
        port: Some(8849),
        ttl: Some(3),
    };
    assert_eq!(payload(Request::StartDaemon(&master)), theirs("--start-daemon master"));
    let backup =
        Daemon { role: DaemonRole::Backup, sync_id: 0, max_len: None, group: None, port: None, ttl: None, ..master };
    assert_eq!(payload(Request::StartDaemon(&backup)), theirs("--start-daemon backup"));
}

#[test]
fn the_family_is_asked_for_and_its_number_read() {
    let mut buffer = Vec::new();
    emit_family_request(&mut buffer, 1);
    assert_eq!(buffer[NETLINK_HEADER_LENGTH..], octets("03010000090002004950565300000000"));
    let answer = octets("01020000090002004950565300000000060001001c00000008000300010000000800040000000000");
    assert_eq!(parse_family_id(&answer), Ok(28));
    assert!(parse_family_id(&answer[..20]).is_err());
}

#[test]
fn the_kernels_answers_are_read_and_every_truncation_is_harmless() {
    let (mut services, mut destinations) = (0, 0);
    for line in include_str!("golden/replies.txt").lines() {
        let message = octets(line);
        match parse_reply(&message, Family::Inet).unwrap() {
            Reply::Service(key, service, _) => {
                assert!(!service.scheduler.is_empty(), "{key:?}");
                services += 1;
            }
            Reply::Destination(listing) => {
                assert!(listing.counters.active == 0);
                destinations += 1;
            }
            Reply::Timeouts(timeouts) => assert_eq!(timeouts, Timeouts { tcp: 30, tcp_fin: 5, udp: 60 }),
            other => panic!("{other:?}"),
        }
        for length in 0..message.len() {
            if let Ok(reply) = parse_reply(&message[..length], Family::Inet) {
                assert!(matches!(reply, Reply::Unknown | Reply::Timeouts(_)), "{length} octets of {line}");
            }
        }
    }
    assert_eq!((services, destinations), (7, 7));
    let info = parse_reply(&octets("0e01000008000100010201000800020000100000"), Family::Inet).unwrap();
    assert_eq!(info, Reply::Info(ipvs::Info { version: (1, 2, 1), connection_table_size: 4096 }));
}

proptest! {
    #[test]
    fn garbage_is_never_fatal(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse_reply(&octets, Family::Inet);
        let _ = parse_reply(&octets, Family::Inet6);
        let _ = parse_family_id(&octets);
    }

    /// A damaged answer of the kernel is refused or read, and nothing worse.
    #[test]
    fn damaged_answers_are_never_fatal(which in 0usize..15, at in any::<prop::sample::Index>(), octet in any::<u8>()) {
        let line = include_str!("golden/replies.txt").lines().nth(which).unwrap();
        let mut message = octets(line);
        let at = at.index(message.len());
        message[at] = octet;
        let _ = parse_reply(&message, Family::Inet);
    }
}
