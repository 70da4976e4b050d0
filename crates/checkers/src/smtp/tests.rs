use super::*;
use crate::Report;
use crate::loopback::Step::{self, Drip, Flood, Hear, Hold, Reset, Say};
use crate::loopback::{endpoint, hurried, nobody, reason, report, run, serve};

async fn ask(endpoint: Endpoint) -> Report {
    report(lvs::ProbeConfig::Smtp { endpoint, helo: "lb.example".into() }).await
}

#[test]
fn replies_are_read_as_rfc_5321_4_2_has_them() {
    let complete = |code, length| Reply::Complete { code, length };
    let rows: &[(&[u8], Reply)] = &[
        (b"220 mail ready\r\n", complete(220, 16)),
        (b"220\r\n", complete(220, 5)),
        (b"220 \r\n", complete(220, 6)),
        (b"220-first\r\n220-\r\n220 last\r\n", complete(220, 27)),
        (b"250 ok\nrest", complete(250, 7)),
        (b"", Reply::Incomplete),
        (b"22", Reply::Incomplete),
        (b"220 mail", Reply::Incomplete),
        (b"220-first\r\n", Reply::Incomplete),
        (b"\r\n", Reply::Malformed("no code of three digits")),
        (b"hello\r\n", Reply::Malformed("no code of three digits")),
        (b"22 ok\r\n", Reply::Malformed("no code of three digits")),
        (b"920 ok\r\n", Reply::Malformed("no code of three digits")),
        (b"220ok\r\n", Reply::Malformed("no blank after the code")),
        (b"2200\r\n", Reply::Malformed("no blank after the code")),
        (b"220-first\r\n250 last\r\n", Reply::Malformed("two codes in one reply")),
    ];
    for (octets, expected) in rows {
        assert_eq!(parse_reply(octets), *expected, "{}", String::from_utf8_lossy(octets));
    }
    assert_eq!(parse_reply(&[b'2'; LONGEST_REPLY]), Reply::Malformed("too long"));
    assert_eq!(parse_reply(&b"220-x\r\n".repeat(LONGEST_REPLY / 7 + 1)), Reply::Malformed("too long"));
}

#[test]
fn a_mail_server_that_greets_and_answers_is_up() {
    run(async {
        let rows: &[&'static [Step]] = &[
            &[Say(b"220 mail ready\r\n"), Hear, Say(b"250 hello\r\n"), Hear, Say(b"221 bye\r\n")],
            // keepalived refuses these two greetings
            &[Say(b"220-mail\r\n220 ready\r\n"), Hear, Say(b"250-hello\r\n250 SIZE\r\n"), Hear],
            &[Say(b"220\r\n"), Hear, Say(b"250\r\n"), Hear],
            // in pieces, and without a farewell
            &[Say(b"22"), Say(b"0 mail\r"), Say(b"\n"), Hear, Say(b"250 hello\r\n"), Hear],
        ];
        for steps in rows {
            assert_eq!(ask(endpoint(serve(steps).await)).await, Report::SUCCESS, "{steps:?}");
        }
    });
}

#[test]
fn each_refusal_has_its_reason() {
    run(async {
        let rows: &[(&'static [Step], &str, &str)] = &[
            (&[Say(b"554 no\r\n")], "Bad greeting banner from", "554, wanted 220"),
            (&[Say(b"SSH-2.0-x\r\n")], "Bad greeting banner from", "no code of three digits: SSH-2.0-x.."),
            (&[Say(b"220 ready\r\n"), Hear, Say(b"501 no\r\n")], "Bad HELO response from", "501, wanted 250"),
            (&[], "Read failure from", "connection closed by the server"),
            (&[Say(b"220 ready\r\n"), Hear], "Read failure from", "connection closed by the server"),
            (&[Say(b"220 ready\r\n"), Hear, Reset], "Read failure from", "Connection reset by peer (os error 104)"),
        ];
        for (steps, wanted, detail) in rows {
            let report = ask(endpoint(serve(steps).await)).await;
            assert_eq!((reason(&report), report.detail.as_str()), (*wanted, *detail), "{steps:?}");
        }
        let endless = ask(endpoint(serve(&[Flood(b"220-more\r\n")]).await)).await;
        assert!(
            reason(&endless) == "Bad greeting banner from" && endless.detail.starts_with("too long"),
            "{endless:?}"
        );
        assert_eq!(reason(&ask(endpoint(nobody().await)).await), "Could not connect to");
    });
}

#[test]
fn time_runs_out_however_busy_the_server_is() {
    run(async {
        let rows: &[&'static [Step]] = &[&[Hold], &[Drip(b"220-more\r\n")], &[Say(b"220 x\r\n"), Hear, Hold]];
        for steps in rows {
            assert_eq!(reason(&ask(hurried(serve(steps).await)).await), "Read timeout from", "{steps:?}");
        }
        let (address, _listener, _queued) = crate::loopback::silent().await;
        assert_eq!(reason(&ask(hurried(address)).await), "Connection timeout to");
    });
}
