//! Replies of real servers.

use std::net::SocketAddr;
use std::time::Duration;

use checkers::http::reply::ReplyReader;
use checkers::{dns, ping, smtp, udp};
use lvs::{Endpoint, UdpConfig};
use types::FwMark;

/// One HTTP reply: pieces of any size mean what the whole means.
pub fn http_reply(octets: &[u8]) {
    let Some((size, octets)) = octets.split_first() else { return };
    let read = |size: usize| {
        let mut reader = ReplyReader::new();
        let mut content = Vec::new();
        for piece in octets.chunks(size.max(1)) {
            match reader.take(piece) {
                Ok(taken) => {
                    assert!(taken.raw.end <= piece.len());
                    taken.content.into_iter().for_each(|range| content.extend_from_slice(&piece[range]));
                    if taken.complete {
                        break;
                    }
                }
                Err(_) => return None,
            }
        }
        Some((reader.status(), reader.body_length(), reader.is_complete(), content))
    };
    assert_eq!(read(octets.len()), read(usize::from(*size)));
}

/// One SMTP reply: what is complete says how long it was.
pub fn smtp_reply(octets: &[u8]) {
    match smtp::parse_reply(octets) {
        smtp::Reply::Complete { code, length } => {
            assert!((100..600).contains(&code) && length <= octets.len());
            assert_eq!(smtp::parse_reply(&octets[..length]), smtp::Reply::Complete { code, length });
        }
        smtp::Reply::Incomplete | smtp::Reply::Malformed(_) => {}
    }
}

/// A DNS, a UDP and a ping reply.
pub fn datagram_reply(octets: &[u8]) {
    let _ = dns::fault(octets, QUERY);
    for (version_6, with_header) in [(false, false), (false, true), (true, false)] {
        let _ = ping::reply(octets, version_6, with_header);
    }
    let config = UdpConfig {
        endpoint: Endpoint {
            destination: SocketAddr::from(([192, 0, 2, 2], 53)),
            bind_address: None,
            bind_port: None,
            bind_interface: None,
            mark: FwMark(0),
            timeout: Duration::from_secs(1),
        },
        payload: None,
        require_reply: true,
        reply: vec![(0x12, 0xFF), (0x30, 0xF0)],
        min_reply: 1,
        max_reply: 64,
    };
    let _ = udp::is_wanted(octets, &config);
}

/// Identifier of the DNS query that is answered.
const QUERY: u16 = 0x1234;

pub(super) fn http_seeds() -> Vec<Vec<u8>> {
    [
        "\x05HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "\x01HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nT: r\r\n\r\n",
        "\x03HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 404\n\nno",
        "\x02HTTP/2 200\r\nConnection: close\r\n\r\nuntil the end",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

pub(super) fn smtp_seeds() -> Vec<Vec<u8>> {
    ["220 mail ready\r\n", "220-one\r\n220 two\r\n", "250\n", "421-x\n421-y\n421 z\n250 more\r\n"]
        .map(|text| text.as_bytes().to_vec())
        .to_vec()
}

pub(super) fn datagram_seeds() -> Vec<Vec<u8>> {
    let mut answer = dns::query(QUERY, "SOA", "a.example.com").unwrap_or_default();
    if let Some(flags) = answer.get_mut(2) {
        *flags |= 0x80;
    }
    let echo = ping::Echo { id: 1, sequence: 2 };
    vec![answer, ping::request(echo, false), ping::request(echo, true), vec![0x12, 0x34]]
}

/// Header lines that change how a reply is read.
pub(super) fn http_words() -> Vec<&'static str> {
    vec![
        "HTTP/1.1 200 OK\r\n",
        "Content-Length: 10\r\n",
        "Content-Length: 18446744073709551616\r\n",
        "Transfer-Encoding: chunked\r\n",
        "\r\n\r\n",
        "FFFFFFFFFFFFFFFF\r\n",
        "0\r\n\r\n",
    ]
}
