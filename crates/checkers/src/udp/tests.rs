use lvs::{Endpoint, ProbeConfig};
use tokio::net::UdpSocket;

use super::*;
use crate::Report;
use crate::loopback::{endpoint, hurried, reason, report, run};

fn config(endpoint: Endpoint) -> UdpConfig {
    UdpConfig { endpoint, payload: None, require_reply: false, reply: vec![], min_reply: 0, max_reply: 255 }
}

fn wanting(endpoint: Endpoint, reply: &[(u8, u8)]) -> UdpConfig {
    UdpConfig { require_reply: true, reply: reply.to_vec(), ..config(endpoint) }
}

async fn ask(config: UdpConfig) -> Report {
    report(ProbeConfig::Udp(config)).await
}

/// Answers with what it hears.
async fn echo() -> std::net::SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut heard = [0; 2048];
        while let Ok((length, client)) = socket.recv_from(&mut heard).await {
            let _ = socket.send_to(&heard[..length], client).await;
        }
    });
    address
}

#[test]
fn masks_and_lengths_decide_about_a_reply() {
    let anywhere = endpoint("127.0.0.1:1".parse().unwrap());
    /// Reply, wanted octets with masks, limits, verdict.
    type Row = (&'static [u8], &'static [(u8, u8)], usize, usize, bool);
    let rows: &[Row] = &[
        (b"", &[], 0, 255, true),
        (b"abc", &[], 0, 255, true),
        // keepalived ignores the limits where no octets are given
        (b"abc", &[], 4, 255, false),
        (b"abc", &[], 0, 2, false),
        (b"abc", &[(b'a', 0xff), (b'b', 0xff)], 0, 255, true),
        (b"axc", &[(b'a', 0xff), (b'b', 0xff)], 0, 255, false),
        (b"a", &[(b'a', 0xff), (b'b', 0xff)], 0, 255, false),
        (b"\x4f", &[(0x40, 0xf0)], 0, 255, true),
        (b"\x5f", &[(0x40, 0xf0)], 0, 255, false),
        (b"\x5f", &[(0x00, 0x00)], 0, 255, true),
    ];
    for (reply, wanted, min_reply, max_reply, expected) in rows {
        let config = UdpConfig { min_reply: *min_reply, max_reply: *max_reply, ..wanting(anywhere.clone(), wanted) };
        assert_eq!(is_wanted(reply, &config), *expected, "{reply:?} {wanted:?} {min_reply} {max_reply}");
    }
}

#[test]
fn silence_is_enough_unless_a_reply_is_required() {
    run(async {
        let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = silent.local_addr().unwrap();
        assert_eq!(ask(config(hurried(address))).await, Report::SUCCESS);
        let mut heard = [0; 64];
        let length = silent.recv(&mut heard).await.unwrap();
        assert_eq!(&heard[..length], b"keepalived check - keepalived ch");
        assert_eq!(reason(&ask(wanting(hurried(address), &[])).await), "no reply within connect_timeout");
        drop(silent);
        assert_eq!(reason(&ask(config(endpoint(address))).await), "Connection refused");
    });
}

#[test]
fn a_required_reply_is_compared() {
    run(async {
        let address = echo().await;
        let payload = Some(b"ping".to_vec());
        let right = UdpConfig { payload: payload.clone(), ..wanting(endpoint(address), &[(b'p', 0xff)]) };
        assert_eq!(ask(right.clone()).await, Report::SUCCESS);
        let wrong = UdpConfig { reply: vec![(b'q', 0xff)], ..right.clone() };
        assert_eq!(reason(&ask(wrong).await), "reply data mismatch");
        let long = UdpConfig { payload: Some(vec![b'p'; 1000]), ..right.clone() };
        assert_eq!(reason(&ask(long).await), "reply data mismatch");
        assert_eq!(ask(UdpConfig { require_reply: false, ..right }).await, Report::SUCCESS);
    });
}
