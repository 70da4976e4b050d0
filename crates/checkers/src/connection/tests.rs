use lvs::{Outcome, ProbeConfig};
use types::Port;

use super::*;
use crate::Report;
use crate::loopback::Step::{Hear, Hold, Say};
use crate::loopback::{endpoint, http, hurried, nobody, reason, report, run, serve, silent, url};

async fn tcp(endpoint: Endpoint) -> Report {
    report(ProbeConfig::Tcp(endpoint)).await
}

#[test]
fn a_tcp_check_tells_accepted_refused_and_silent_apart() {
    run(async {
        assert_eq!(tcp(endpoint(serve(&[Hold]).await)).await, Report::SUCCESS);
        let refused = tcp(endpoint(nobody().await)).await;
        assert_eq!(reason(&refused), "Connection refused");
        let (address, _listener, _queued) = silent().await;
        assert_eq!(reason(&tcp(hurried(address)).await), "no answer within connect_timeout");
        // from loopback there is no way to another host (TEST-NET-1, RFC 5737); nothing is sent
        let loopback = Some(std::net::Ipv4Addr::LOCALHOST.into());
        let nowhere = Endpoint { bind_address: loopback, ..endpoint("192.0.2.1:80".parse().unwrap()) };
        let report = tcp(nowhere).await;
        assert!(["Invalid argument", "Network is unreachable"].contains(&reason(&report)), "{report:?}");
    });
}

#[test]
fn a_source_that_is_not_ours_is_a_failed_check_that_says_so() {
    run(async {
        let server = serve(&[Hold]).await;
        let foreign = Endpoint { bind_address: Some("192.0.2.7".parse().unwrap()), ..endpoint(server) };
        let report = tcp(foreign).await;
        assert_eq!(reason(&report), "cannot bind to 192.0.2.7 (is the bindto address there?)");
        let device = Endpoint { bind_interface: Some("nonesuch0".parse().unwrap()), ..endpoint(server) };
        let report = tcp(device).await;
        assert_eq!(reason(&report), "cannot use bind_if nonesuch0 (does it exist?)");
    });
}

#[test]
fn what_may_come_back_by_itself_is_no_verdict() {
    let failure = |errno| Failure::own("cannot make a socket".into(), &io::Error::from_raw_os_error(errno));
    assert!(matches!(Report::from(failure(libc::EMFILE)).outcome, Outcome::NotRun(_)));
    assert!(matches!(Report::from(failure(libc::ENODEV)).outcome, Outcome::Failed(_)));
}

#[test]
fn the_source_address_and_port_are_those_configured() {
    run(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = listener.local_addr().unwrap();
        let free = nobody().await.port();
        let bound = Endpoint {
            bind_address: Some("127.0.0.9".parse().unwrap()),
            bind_port: Some(Port(free)),
            ..endpoint(server)
        };
        // again and again: the connections that went before do not hold the port
        for _ in 0..3 {
            assert_eq!(tcp(bound.clone()).await, Report::SUCCESS);
            let (_socket, client) = listener.accept().await.unwrap();
            assert_eq!(client, (std::net::Ipv4Addr::new(127, 0, 0, 9), free).into());
        }
        let address_only = Endpoint { bind_port: None, ..bound };
        assert_eq!(tcp(address_only).await, Report::SUCCESS);
        assert_eq!(listener.accept().await.unwrap().1.ip(), std::net::Ipv4Addr::new(127, 0, 0, 9));
    });
}

#[test]
fn a_bound_port_is_free_again_after_a_whole_page() {
    run(async {
        let server = serve(&[Hear, Say(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"), Hold]).await;
        let bound = Endpoint { bind_port: Some(Port(nobody().await.port())), ..endpoint(server) };
        for _ in 0..3 {
            assert_eq!(report(ProbeConfig::Http(http(bound.clone(), url()))).await, Report::SUCCESS);
        }
    });
}

#[test]
fn ipv6_is_reached_too() {
    run(async {
        let Ok(listener) = tokio::net::TcpListener::bind("[::1]:0").await else {
            println!("no IPv6 here: not tested");
            return;
        };
        assert_eq!(tcp(endpoint(listener.local_addr().unwrap())).await, Report::SUCCESS);
    });
}

#[test]
fn descriptors_stay_flat_over_many_checks() {
    run(async {
        let (good, bad) = (serve(&[]).await, nobody().await);
        let count = || std::fs::read_dir("/proc/self/fd").unwrap().count();
        tcp(endpoint(good)).await;
        let before = count();
        for _ in 0..1000 {
            tcp(endpoint(good)).await;
            tcp(endpoint(bad)).await;
        }
        // other tests of this process come and go, so look for a trend only
        assert!(count() < before + 500);
    });
}
