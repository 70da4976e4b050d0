use std::net::Ipv4Addr;

use lvs::{Outcome, ProbeConfig};

use super::*;
use crate::loopback::{endpoint, hurried, run};
use crate::{Context, Report, probe};

#[test]
fn an_echo_request_is_as_rfc_792_and_4443_have_it() {
    let echo = Echo { id: 0x1234, sequence: 0xabcd };
    let message = request(echo, false);
    assert_eq!(message.len(), 64);
    assert_eq!((&message[..2], &message[4..8]), (&[8, 0][..], &[0x12, 0x34, 0xab, 0xcd][..]));
    assert_eq!(checksum(&message), 0, "a right checksum makes the sum zero");
    assert_eq!(request(echo, true)[..8], [128, 0, 0, 0, 0x12, 0x34, 0xab, 0xcd]);
}

#[test]
fn only_an_echo_reply_is_one() {
    let echo = Some(Echo { id: 1, sequence: 2 });
    let with_header = [&[0x46][..], &[0; 23], &[0, 0, 9, 9, 0, 1, 0, 2]].concat();
    let rows: &[(&[u8], bool, bool, Option<Echo>)] = &[
        (&[0, 0, 9, 9, 0, 1, 0, 2], false, false, echo),
        (&[129, 0, 9, 9, 0, 1, 0, 2, 7], true, false, echo),
        (&with_header, false, true, echo),
        (&[8, 0, 9, 9, 0, 1, 0, 2], false, false, None),
        (&[0, 1, 9, 9, 0, 1, 0, 2], false, false, None),
        (&[0, 0, 9, 9, 0, 1, 0], false, false, None),
        (&[0x4f, 0], false, true, None),
        (&[], false, true, None),
        (&[], true, false, None),
    ];
    for (message, version_6, with_header, expected) in rows {
        assert_eq!(reply(message, *version_6, *with_header), *expected, "{message:?}");
    }
}

#[test]
fn loopback_answers_and_what_is_unreachable_does_not() {
    run(async {
        let context = Context::default();
        let ping = |address: &str| ProbeConfig::Ping(endpoint(format!("{address}:80").parse().unwrap()));
        let report = probe(&ping("127.0.0.1"), 0, &context).await.unwrap();
        if report.detail.contains("not permitted") {
            println!("neither ping_group_range nor CAP_NET_RAW: not tested");
            return;
        }
        assert_eq!(report, Report::SUCCESS);
        assert!(context.ping_access().is_some());
        assert_eq!(probe(&ping("127.0.0.1"), 0, &context).await.unwrap(), Report::SUCCESS, "the second time");
        if std::net::UdpSocket::bind("[::1]:0").is_ok() {
            assert_eq!(probe(&ping("[::1]"), 0, &context).await.unwrap(), Report::SUCCESS);
        }
        // from loopback there is no way to another host (TEST-NET-1, RFC 5737); nothing is sent
        let loopback = Some(Ipv4Addr::LOCALHOST.into());
        let nobody = lvs::Endpoint { bind_address: loopback, ..hurried((Ipv4Addr::new(192, 0, 2, 1), 0).into()) };
        let nobody = ProbeConfig::Ping(nobody);
        assert!(matches!(probe(&nobody, 0, &context).await.unwrap().outcome, Outcome::Failed(_)));
    });
}
