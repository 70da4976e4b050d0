//! Against `openssl s_server`; without the `openssl` program these tests print so and pass.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::{Client, Peer, Settings, Stream, TlsError};
use crate::polled::Polled;

/// Keys and certificates of one test.
struct Identity {
    directory: tempfile::TempDir,
}

impl Identity {
    /// A self-signed certificate for `localhost` and 127.0.0.1; `None` without the `openssl` program.
    fn new(arguments: &[&str]) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let made = Command::new("openssl")
            .args(["req", "-x509", "-nodes", "-subj", "/CN=localhost", "-days", "9"])
            .args(["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"])
            .args(arguments)
            .args(["-keyout", "key.pem", "-out", "certificate.pem"])
            .current_dir(directory.path())
            .stderr(Stdio::null())
            .status();
        match made {
            Ok(status) if status.success() => Some(Self { directory }),
            _ => {
                println!("no openssl program: not tested");
                None
            }
        }
    }

    fn modern() -> Option<Self> {
        Self::new(&["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"])
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn serve(&self, arguments: &[&str]) -> Server {
        let mut process = Command::new("openssl")
            .args(["s_server", "-accept", "127.0.0.1:0", "-cert", "certificate.pem", "-key", "key.pem", "-www"])
            .args(arguments)
            .current_dir(self.directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
        let line = lines.find(|line| line.starts_with("ACCEPT ")).unwrap();
        std::thread::spawn(move || lines.count());
        Server { process, address: line.trim_start_matches("ACCEPT ").to_owned() }
    }
}

struct Server {
    process: Child,
    address: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn run<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(Duration::from_mins(1), future).await.expect("hangs") })
}

async fn connect(client: &Client, address: &str, peer: &Peer<'_>) -> Result<Stream, TlsError> {
    let socket = TcpStream::connect(address).unwrap();
    socket.set_nonblocking(true).unwrap();
    let mut stream = client.stream(Polled::new(socket.into()).unwrap(), peer)?;
    stream.handshake().await.map(|()| stream)
}

fn lenient() -> Client {
    Client::new(&Settings::default()).unwrap()
}

async fn page(stream: &mut Stream) -> String {
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await.unwrap();
    let (mut page, mut buffer) = (Vec::new(), [0; 512]);
    loop {
        match stream.read(&mut buffer).await.unwrap() {
            0 => return String::from_utf8(page).unwrap(),
            length => page.extend_from_slice(&buffer[..length]),
        }
    }
}

#[test]
fn a_page_is_read_and_the_certificate_is_not_verified_by_default() {
    let Some(identity) = Identity::modern() else { return };
    let server = identity.serve(&[]);
    run(async {
        let mut stream = connect(&lenient(), &server.address, &Peer::default()).await.unwrap();
        assert_eq!(stream.version(), "TLSv1.3");
        let remaining = stream.certificate_remaining().unwrap();
        assert!(remaining > Duration::from_hours(8 * 24) && remaining <= Duration::from_hours(9 * 24));
        let page = page(&mut stream).await;
        assert!(page.starts_with("HTTP/1.0 200") && page.trim_end().ends_with("</HTML>"), "{page}");
        stream.shutdown(false).await.unwrap();
    });
    assert!(lenient().version().starts_with("OpenSSL "));
}

#[test]
fn an_old_server_with_tls_1_0_and_a_short_sha_1_key_is_reached() {
    let Some(identity) = Identity::new(&["-newkey", "rsa:1024", "-sha1"]) else { return };
    let server = identity.serve(&["-tls1", "-cipher", "ALL:@SECLEVEL=0"]);
    run(async {
        let mut stream = connect(&lenient(), &server.address, &Peer::default()).await.unwrap();
        assert_eq!(stream.version(), "TLSv1");
        assert!(page(&mut stream).await.starts_with("HTTP/1.0 200"));
    });
}

#[test]
fn a_verified_peer_needs_a_trusted_certificate_with_the_right_name() {
    let Some(identity) = Identity::modern() else { return };
    let server = identity.serve(&[]);
    let authorities = identity.file("certificate.pem").to_str().unwrap().to_owned();
    let trusting = Client::new(&Settings { authorities: Some(authorities), ..Settings::default() }).unwrap();
    let name = |name| Peer { verify_name: Some(name), ..Peer::default() };
    run(async {
        for good in ["localhost", "127.0.0.1"] {
            connect(&trusting, &server.address, &name(good)).await.unwrap();
        }
        let rows = [
            (&trusting, "example.org", "hostname mismatch"),
            (&trusting, "127.0.0.2", "IP address mismatch"),
            (&lenient(), "localhost", "self-signed certificate"),
        ];
        for (client, expected, reason) in rows {
            let error = connect(client, &server.address, &name(expected)).await.unwrap_err();
            let TlsError::Certificate(message) = error else { panic!("{error}") };
            assert!(message.to_lowercase().contains(&reason.to_lowercase()), "{message}");
        }
    });
}

#[test]
fn protocol_and_server_name_are_offered() {
    let Some(identity) = Identity::modern() else { return };
    let offering = identity.serve(&["-alpn", "h2,http/1.1"]);
    // a name that does not fit ends the handshake
    let second = ["-cert2", "certificate.pem", "-key2", "key.pem", "-servername", "right", "-servername_fatal"];
    let named = identity.serve(&second);
    run(async {
        let peer = Peer { protocols: &["http/1.1"], ..Peer::default() };
        let stream = connect(&lenient(), &offering.address, &peer).await.unwrap();
        assert_eq!(stream.protocol().as_deref(), Some("http/1.1"));
        drop(stream); // s_server serves one at a time
        assert_eq!(connect(&lenient(), &offering.address, &Peer::default()).await.unwrap().protocol(), None);

        let name = |name| Peer { server_name: Some(name), ..Peer::default() };
        connect(&lenient(), &named.address, &name("right")).await.unwrap();
        assert!(connect(&lenient(), &named.address, &name("wrong")).await.is_err());
    });
}

fn client_settings(identity: &Identity, key: &Path, password: Option<&str>) -> Settings {
    Settings {
        certificate: Some(identity.file("certificate.pem").to_str().unwrap().to_owned()),
        key: Some(key.to_str().unwrap().to_owned()),
        password: password.map(|text| types::Secret::new(text.as_bytes().to_vec())),
        ..Settings::default()
    }
}

#[test]
fn a_client_certificate_is_shown_and_its_key_may_have_a_password() {
    let Some(identity) = Identity::modern() else { return };
    let locked = identity.file("locked.pem");
    let status = Command::new("openssl")
        .args(["pkey", "-in", "key.pem", "-aes128", "-passout", "pass:open sesame", "-out", "locked.pem"])
        .current_dir(identity.directory.path())
        .status();
    assert!(status.unwrap().success());
    let server = identity.serve(&["-Verify", "1", "-verify_return_error", "-CAfile", "certificate.pem", "-tls1_2"]);
    run(async {
        let client = Client::new(&client_settings(&identity, &locked, Some("open sesame"))).unwrap();
        let mut stream = connect(&client, &server.address, &Peer::default()).await.unwrap();
        assert!(page(&mut stream).await.starts_with("HTTP/1.0 200"));
        drop(stream); // s_server serves one at a time
        assert!(connect(&lenient(), &server.address, &Peer::default()).await.is_err(), "no certificate shown");
    });
    for password in [None, Some("wrong"), Some("")] {
        let error = Client::new(&client_settings(&identity, &locked, password)).unwrap_err();
        assert!(matches!(error, TlsError::File { keyword: "key", .. }), "{error}");
    }
}

#[test]
fn files_that_are_missing_or_garbage_are_named() {
    let Some(identity) = Identity::modern() else { return };
    let missing = Settings { authorities: Some("/nowhere/ca.pem".into()), ..Settings::default() };
    assert_eq!(Client::new(&missing).unwrap_err().to_string(), "SSL ca /nowhere/ca.pem: no such file");
    let key = identity.file("key.pem");
    let garbage = Settings { certificate: Some(key.to_str().unwrap().to_owned()), ..Settings::default() };
    assert!(matches!(Client::new(&garbage), Err(TlsError::File { keyword: "certificate", .. })));
}

#[test]
fn a_missing_library_tells_the_package() {
    let message = super::library::load(&["libnothing.so.9"]).unwrap_err();
    let text = TlsError::Library(message).to_string();
    assert!(text.contains("libnothing.so.9") && text.contains("libssl3"), "{text}");
    assert!(super::library::load(&["libc.so.6"]).unwrap_err().contains("OpenSSL_version"));
}

#[test]
fn a_peer_that_speaks_something_else_or_hangs_up_is_a_failure() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = std::thread::spawn(move || {
        let (mut plain, _) = listener.accept().unwrap();
        std::io::Write::write_all(&mut plain, b"HTTP/1.0 400 Bad Request\r\n\r\n").unwrap();
        let (mut silent, _) = listener.accept().unwrap();
        let mut hello = [0; 4096];
        std::io::Read::read(&mut silent, &mut hello).unwrap();
        drop(silent);
        plain
    });
    run(async {
        let error = connect(&lenient(), &address, &Peer::default()).await.unwrap_err();
        assert_eq!(error, TlsError::Protocol("wrong version number".into()));
        let error = connect(&lenient(), &address, &Peer::default()).await.unwrap_err();
        assert_eq!(error, TlsError::Socket(None));
    });
    server.join().unwrap();
}
