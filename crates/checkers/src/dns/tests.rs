use lvs::ProbeConfig;
use tokio::net::UdpSocket;

use super::*;
use crate::Report;
use crate::loopback::{endpoint, hurried, reason, report, run};

#[test]
fn the_query_is_one_question_with_recursion_desired() {
    // header: id, RD, one question; then the name, type SOA, class IN (RFC 1035 §4.1)
    assert_eq!(query(0x1234, "SOA", ".").unwrap(), b"\x12\x34\x01\x00\0\x01\0\0\0\0\0\0\0\0\x06\0\x01");
    assert_eq!(
        query(1, "aaaa", "www.example.org").unwrap(),
        b"\0\x01\x01\0\0\x01\0\0\0\0\0\0\x03www\x07example\x03org\0\0\x1c\0\x01"
    );
    // keepalived asks for the root instead
    assert_eq!(query(1, "A", "a.org.").unwrap(), b"\0\x01\x01\0\0\x01\0\0\0\0\0\0\x01a\x03org\0\0\x01\0\x01");
}

#[test]
fn a_query_that_cannot_be_made_is_told() {
    assert_eq!(query(1, "PTRX", ".").unwrap_err(), "unknown type 'PTRX'");
    assert!(query(1, "A", &"x".repeat(64)).is_err(), "a label of 64");
    assert!(query(1, "A", "a..b").is_err(), "an empty label");
}

#[test]
fn only_the_header_of_a_reply_counts() {
    let reply = |id: u16, flags: u16| [&id.to_be_bytes()[..], &flags.to_be_bytes(), &[0; 8]].concat();
    let rows: &[(Vec<u8>, Option<&str>)] = &[
        (reply(7, 0x8180), None),
        ([reply(7, 0x8400), b"garbage of all kinds".to_vec()].concat(), None),
        (reply(8, 0x8180), Some("ID does not match. (0008 != 0007)")),
        (reply(7, 0x0100), Some("receive query message?")),
        (reply(7, 0x8183), Some("read error occurred. (rcode = 3)")),
        (reply(7, 0x818f), Some("read error occurred. (rcode = 15)")),
        (vec![], Some("too small message. (0 bytes)")),
        (reply(7, 0x8180)[..11].to_vec(), Some("too small message. (11 bytes)")),
    ];
    for (reply, expected) in rows {
        assert_eq!(fault(reply, 7).as_deref(), *expected, "{reply:?}");
    }
}

/// Answers each query with its first two octets and these.
async fn serve(rest: &'static [u8]) -> std::net::SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut heard = [0; 512];
        while let Ok((_, client)) = socket.recv_from(&mut heard).await {
            let _ = socket.send_to(&[&heard[..2], rest].concat(), client).await;
        }
    });
    address
}

async fn ask(endpoint: Endpoint) -> Report {
    report(ProbeConfig::Dns { endpoint, record: "A".into(), name: "www.example.org".into() }).await
}

#[test]
fn a_name_server_is_judged_by_its_reply() {
    run(async {
        assert_eq!(ask(endpoint(serve(b"\x81\x80\0\x01\0\0\0\0\0\0").await)).await, Report::SUCCESS);
        let refused = ask(endpoint(serve(b"\x81\x85\0\x01\0\0\0\0\0\0").await)).await;
        assert_eq!(reason(&refused), "read error occurred. (rcode = 5)");
        assert_eq!(reason(&ask(endpoint(serve(b"").await)).await), "too small message. (2 bytes)");
        let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        assert_eq!(reason(&ask(hurried(silent.local_addr().unwrap())).await), "read timeout from socket");
        let gone = silent.local_addr().unwrap();
        drop(silent);
        assert_eq!(reason(&ask(endpoint(gone)).await), "failed to read socket; errno 111 (Connection refused)");
        let strange = ProbeConfig::Dns { endpoint: endpoint(gone), record: "X".into(), name: ".".into() };
        assert_eq!(report(strange).await.detail, "unknown type 'X'");
    });
}
