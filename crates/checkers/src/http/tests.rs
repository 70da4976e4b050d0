use std::time::Duration;

use lvs::{Outcome, ProbeConfig, RegexConfig, UrlConfig};
use md5::{Digest, Md5};

use crate::loopback::Step::{self, Drip, Flood, Hear, Hold, Reset, Say};
use crate::loopback::{endpoint, http, hurried, nobody, reason, regex, report, run, serve, silent, url};
use crate::{Context, Report, probe};

/// Asks a server that does these steps for one url.
async fn ask(steps: &'static [Step], url: UrlConfig) -> Report {
    report(ProbeConfig::Http(http(endpoint(serve(steps).await), url))).await
}

async fn ask_hurried(steps: &'static [Step], url: UrlConfig) -> Report {
    report(ProbeConfig::Http(http(hurried(serve(steps).await), url))).await
}

fn digest(of: &[u8]) -> Option<[u8; 16]> {
    Some(Md5::digest(of).into())
}

#[test]
fn a_good_page_is_a_success() {
    run(async {
        let rows: &[(&'static [Step], UrlConfig)] = &[
            (&[Hear, Say(b"HTTP/1.0 200 OK\r\n\r\nhello")], url()),
            (&[Hear, Say(b"HTTP/1.0 299\r\n\r\n")], url()),
            (&[Hear, Say(b"HTTP/2 200\r\n\r\n")], url()),
            (&[Hear, Say(b"HTTP/1.0 503 no\r\n\r\n")], UrlConfig { status: vec![(200, 299), (503, 503)], ..url() }),
            // keepalived waits for the end of a connection that is left open, in vain
            (&[Hear, Say(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"), Hold], url()),
            (&[Hear, Say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"), Hold], url()),
            // shorter than announced: accepted, as by keepalived
            (&[Hear, Say(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello")], url()),
            // digest: of the content, of the raw chunks (keepalived), of nothing
            (&[Hear, Say(b"HTTP/1.0 200 OK\r\n\r\nhello")], UrlConfig { digest: digest(b"hello"), ..url() }),
            (
                &[Hear, Say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")],
                UrlConfig { digest: digest(b"5\r\nhello\r\n0\r\n\r\n"), ..url() },
            ),
            (
                &[Hear, Say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n")],
                UrlConfig { digest: digest(b"hello"), ..url() },
            ),
            (&[Hear, Say(b"HTTP/1.0 200 OK\r\n\r\n")], UrlConfig { digest: digest(b""), ..url() }),
            // patterns: up to the end of the page, across pieces and chunks
            (&[Hear, Say(b"HTTP/1.0 200 OK\r\n\r\nall ready")], UrlConfig { regex: regex("ready$"), ..url() }),
            (
                &[Hear, Say(b"HTTP/1.0 200 OK\r\n\r\nall re"), Say(b"ady")],
                UrlConfig { regex: regex("ready$"), ..url() },
            ),
            (
                &[Hear, Say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nre\r\n3\r\nady\r\n0\r\n\r\n")],
                UrlConfig { regex: regex("^ready$"), ..url() },
            ),
            (
                &[Hear, Say(b"HTTP/1.0 200 OK\r\n\r\nall ready")],
                UrlConfig { regex: regex("error").map(|regex| RegexConfig { no_match: true, ..regex }), ..url() },
            ),
        ];
        for (steps, url) in rows {
            assert_eq!(ask(steps, url.clone()).await, Report::SUCCESS, "{steps:?}");
        }
    });
}

#[test]
fn each_refusal_has_its_reason() {
    run(async {
        let rows: &[(&'static [Step], UrlConfig, &str, &str)] = &[
            (
                &[Hear, Say(b"HTTP/1.0 404 no\r\n\r\n")],
                url(),
                "HTTP status code error to",
                "status 404, wanted 200-299",
            ),
            (
                &[Hear, Say(b"HTTP/1.0 200 OK\r\n\r\n")],
                UrlConfig { status: vec![(404, 404), (500, 501)], ..url() },
                "HTTP status code error to",
                "status 200, wanted 404 500-501",
            ),
            (&[Hear, Say(b"SSH-2.0-x\r\n")], url(), "HTTP status code error to", "no HTTP status line: S"),
            (
                &[Hear, Say(b"HTTP/1.1 200 OK\r\nX: y\r\n")],
                url(),
                "Read, no data received from ",
                "the connection ended within the header",
            ),
            (&[Hear], url(), "Read, no data received from ", ""),
            (&[Hear, Reset], url(), "Read error with", "Connection reset by peer (os error 104)"),
            (
                &[Hear, Say(b"HTTP/1.0 200 OK\r\n\r\nhello")],
                UrlConfig { digest: digest(b"other"), ..url() },
                "MD5 digest error to",
                "the digest is 5d41402abc4b2a76b9719d911017c592",
            ),
            (
                &[Hear, Say(b"HTTP/1.0 200 OK\r\nX: word\r\n\r\nhello")],
                UrlConfig { regex: regex("word"), ..url() },
                "Regex match failed",
                "the pattern is not on the page",
            ),
            (
                &[Hear, Say(b"HTTP/1.0 200 OK\r\n\r\nan error")],
                UrlConfig { regex: regex("error").map(|regex| RegexConfig { no_match: true, ..regex }), ..url() },
                "Regex match failed",
                "the pattern is on the page, and regex_no_match is set",
            ),
            (
                &[Hear, Say(b"HTTP/1.0 200 OK\r\n\r\nhello")],
                UrlConfig { regex: regex("hel(lo"), ..url() },
                "Regex match failed",
                "regex error at offset 6: missing closing parenthesis",
            ),
            (
                &[Hear, Say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhello")],
                url(),
                "HTTP status code error to",
                "malformed chunk: HTTP/1.1 200 OK..Transfer-Encoding: chun",
            ),
            (
                &[Hear, Say(b"HTTP/1.0 200 OK\r\n"), Flood(b"X: y\r\n")],
                url(),
                "HTTP status code error to",
                "header longer than 64 KiB: HTTP/1.0 200 OK..X: y..X: y..X: y..X: y.",
            ),
            (
                &[Hear, Say(b"HTTP/1.0 200 OK\r\n\r\n"), Flood(&[b'x'; 65536])],
                url(),
                "HTTP status code error to",
                "body longer than 64 MiB: HTTP/1.0 200 OK....",
            ),
        ];
        for (steps, url, wanted, detail) in rows {
            let report = ask(steps, url.clone()).await;
            assert_eq!((reason(&report), report.detail.as_str()), (*wanted, *detail), "{:?}", steps.last());
        }
    });
}

#[test]
fn time_runs_out_however_busy_the_server_is() {
    run(async {
        let rows: &[(&'static [Step], &str)] = &[
            (&[Hear, Hold], "0 octets of the header had come"),
            (&[Hear, Say(b"HTTP/1.0 200 OK\r\n\r\nab"), Hold], "status 200 and 2 octets of the body had come"),
            // each octet that drips in would restart keepalived's time
            (&[Hear, Say(b"HTTP/1.0 200 OK\r\n\r\n"), Drip(b"x")], "octets of the body had come"),
            (&[Hear, Drip(b"HTTP/1.0 200 OKOKOKOKOKOKOKOKOKOKOKOKOK")], "octets of the header had come"),
        ];
        for (steps, detail) in rows {
            let report = ask_hurried(steps, url()).await;
            let wanted =
                if detail.starts_with("0 octets of the header") { "Timeout WEB read" } else { "Timeout HTTP read" };
            assert_eq!(reason(&report), wanted, "{steps:?}");
            assert!(report.detail.contains(detail), "{}", report.detail);
        }
        let (address, _listener, _queued) = silent().await;
        let report = report(ProbeConfig::Http(http(hurried(address), url()))).await;
        assert_eq!(reason(&report), "Timeout connecting");
    });
}

#[test]
fn a_refused_connection_is_a_failed_connection() {
    run(async {
        let report = report(ProbeConfig::Http(http(endpoint(nobody().await), url()))).await;
        assert_eq!(
            (reason(&report), report.detail.as_str()),
            ("Connection failed", "Connection refused (os error 111)")
        );
    });
}

#[test]
fn a_page_larger_than_is_searched_says_so_and_takes_no_more_memory() {
    run(async {
        let url = UrlConfig { regex: regex("absent"), ..url() };
        // 5 MiB in all
        static PIECE: [u8; 5 << 20] = [b'x'; 5 << 20];
        static STEPS: [Step; 3] = [Hear, Say(b"HTTP/1.0 200 OK\r\n\r\n"), Say(&PIECE)];
        let report = ask(&STEPS, url).await;
        assert_eq!(report.detail, "the pattern is not on the page within the first 4 MiB");
    });
}

#[test]
fn the_host_header_is_the_virtual_host_or_the_address_with_its_port() {
    let config = http(endpoint("[2001:db8::1]:80".parse().unwrap()), url());
    assert_eq!(super::host(&config, &config.urls[0]), "[2001:db8::1]:80");
    let named = UrlConfig { host: Some("www.example.org".into()), ..url() };
    assert_eq!(super::host(&config, &named), "www.example.org");
}

#[test]
fn a_pattern_is_compiled_once_for_all_probes() {
    run(async {
        let address = serve(&[Hear, Say(b"HTTP/1.0 200 OK\r\n\r\nhello")]).await;
        let config = ProbeConfig::Http(http(endpoint(address), UrlConfig { regex: regex("hello"), ..url() }));
        let context = Context::default();
        for _ in 0..3 {
            assert_eq!(probe(&config, 0, &context).await, Some(Report::SUCCESS));
        }
        let pattern = regex("hello").unwrap();
        assert!(std::sync::Arc::ptr_eq(&context.regex(&pattern).unwrap(), &context.regex(&pattern).unwrap()));
        // a url that is not there, as between two configurations, is no panic
        assert!(matches!(probe(&config, 9, &context).await.unwrap().outcome, Outcome::Failed(_)));
    });
}

/// A probe may run on any executor.
#[test]
fn probes_are_send() {
    fn send<T: Send>(value: T) -> T {
        value
    }
    let (config, context) =
        (ProbeConfig::Http(http(endpoint("127.0.0.1:1".parse().unwrap()), url())), Context::default());
    drop(send(probe(&config, 0, &context)));
}

mod tls {
    use std::io::{BufRead, BufReader};
    use std::process::{Child, Command, Stdio};

    use lvs::{HttpConfig, SslConfig};

    use super::*;

    struct Server {
        process: Child,
        address: std::net::SocketAddr,
        _directory: tempfile::TempDir,
    }

    impl Drop for Server {
        fn drop(&mut self) {
            let _ = self.process.kill();
            let _ = self.process.wait();
        }
    }

    /// `openssl s_server`; `None` without the program.
    fn server(key: &[&str], arguments: &[&str]) -> Option<Server> {
        let directory = tempfile::tempdir().unwrap();
        let openssl = || {
            let mut command = Command::new("openssl");
            command.current_dir(directory.path()).stdin(Stdio::null()).stderr(Stdio::null());
            command
        };
        let made = openssl()
            .args(["req", "-x509", "-nodes", "-subj", "/CN=localhost", "-keyout", "k.pem", "-out", "c.pem"])
            .args(key)
            .status();
        if !made.is_ok_and(|status| status.success()) {
            println!("no openssl program: not tested");
            return None;
        }
        let mut process = openssl()
            .args(["s_server", "-accept", "127.0.0.1:0", "-cert", "c.pem", "-key", "k.pem", "-www"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
        let line = lines.find(|line| line.starts_with("ACCEPT ")).unwrap();
        std::thread::spawn(move || lines.count());
        let address = line.trim_start_matches("ACCEPT ").parse().unwrap();
        Some(Server { process, address, _directory: directory })
    }

    fn ssl_get(server: &Server, url: UrlConfig) -> HttpConfig {
        HttpConfig { tls: true, ..http(endpoint(server.address), url) }
    }

    #[test]
    fn a_page_behind_tls_is_checked_like_any_other() {
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
        let Some(server) = server(&key, &[]) else { return };
        run(async {
            let page = UrlConfig { regex: regex("Ciphers supported in s_server binary"), ..url() };
            assert_eq!(report(ProbeConfig::Http(ssl_get(&server, page.clone()))).await, Report::SUCCESS);
            let polite = HttpConfig { tls_compliant: true, sni: Some("www".into()), ..ssl_get(&server, page) };
            assert_eq!(report(ProbeConfig::Http(polite)).await, Report::SUCCESS);
            let absent = UrlConfig { regex: regex("no such words"), ..url() };
            let refused = report(ProbeConfig::Http(ssl_get(&server, absent))).await;
            assert_eq!(reason(&refused), "Regex match failed");
        });
    }

    #[test]
    fn an_old_server_is_reached() {
        let Some(server) = server(&["-newkey", "rsa:1024", "-sha1"], &["-tls1", "-cipher", "ALL:@SECLEVEL=0"]) else {
            return;
        };
        run(async {
            assert_eq!(report(ProbeConfig::Http(ssl_get(&server, url()))).await, Report::SUCCESS);
        });
    }

    #[test]
    fn a_server_that_speaks_no_tls_or_nothing_is_a_handshake_error() {
        run(async {
            let rows: &[(&'static [Step], &str)] = &[
                (&[Hear, Say(b"HTTP/1.0 400 Bad Request\r\n\r\n")], "wrong version number"),
                (&[Hear], "connection closed by the server"),
                (&[Hear, Reset], "Connection reset by peer (os error 104)"),
                (&[Hear, Hold], "timeout"),
            ];
            for (steps, detail) in rows {
                let place = match steps.last() {
                    Some(Hold) => hurried(serve(steps).await),
                    _ => endpoint(serve(steps).await),
                };
                let report = report(ProbeConfig::Http(HttpConfig { tls: true, ..http(place, url()) })).await;
                let wanted = ("SSL handshake/communication error connecting to", *detail);
                assert_eq!((reason(&report), report.detail.as_str()), wanted, "{steps:?}");
            }
        });
    }

    #[test]
    fn a_missing_client_certificate_is_told_at_each_check() {
        run(async {
            let ssl = SslConfig { password: None, ca: None, certificate: Some("/nowhere/c.pem".into()), key: None };
            let context = Context::new(vec![], Some(ssl));
            let config = HttpConfig { tls: true, ..http(endpoint(nobody().await), url()) };
            for _ in 0..2 {
                let report = probe(&ProbeConfig::Http(config.clone()), 0, &context).await.unwrap();
                assert_eq!(report.detail, "SSL certificate /nowhere/c.pem: no such file");
            }
        });
    }

    #[test]
    fn a_server_that_stops_talking_after_the_handshake_runs_out_of_time() {
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
        // without -www it only echoes what is typed
        let Some(server) = server(&key, &["-rev"]) else { return };
        run(async {
            let mut config = ssl_get(&server, url());
            config.endpoint.timeout = Duration::from_millis(500);
            let report = report(ProbeConfig::Http(config)).await;
            assert!(["Timeout SSL read", "HTTP status code error to"].contains(&reason(&report)), "{report:?}");
        });
    }
}
