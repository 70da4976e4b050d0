//! Servers on loopback for the tests: what a server does is a list of steps.

use std::net::SocketAddr;
use std::time::Duration;

use lvs::{Endpoint, HttpConfig, HttpVersion, RegexConfig, UrlConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use types::FwMark;

use crate::{Context, Report, probe};

/// One step of a server's side of a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Step {
    /// Read one piece.
    Hear,
    /// Write this.
    Say(&'static [u8]),
    /// Write this again and again until the client goes.
    Flood(&'static [u8]),
    /// Write one octet every few milliseconds until the client goes.
    Drip(&'static [u8]),
    /// Leave the connection open until the client goes.
    Hold,
    /// End the connection with a reset.
    Reset,
}

pub(crate) fn run<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(Duration::from_mins(1), future).await.expect("hangs") })
}

/// Does the same for each connection.
pub(crate) async fn serve(steps: &'static [Step]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(follow(socket, steps));
        }
    });
    address
}

async fn follow(mut socket: TcpStream, steps: &[Step]) {
    let mut heard = [0; 4096];
    for step in steps {
        match step {
            Step::Hear => drop(socket.read(&mut heard).await),
            Step::Say(text) => drop(socket.write_all(text).await),
            Step::Flood(text) => while socket.write_all(text).await.is_ok() {},
            Step::Drip(text) => {
                for octet in text.iter().cycle() {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                    if socket.write_all(&[*octet]).await.is_err() {
                        return;
                    }
                }
            }
            Step::Hold => while matches!(socket.read(&mut heard).await, Ok(1..)) {},
            Step::Reset => {
                socket2::SockRef::from(&socket).set_linger(Some(Duration::ZERO)).unwrap();
                return;
            }
        }
    }
}

/// A port where nobody listens.
pub(crate) async fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

/// A listener that accepts nothing and whose queue is full; keep what is returned.
pub(crate) async fn silent() -> (SocketAddr, TcpListener, Vec<TcpStream>) {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let mut queued = Vec::new();
    while let Ok(Ok(stream)) = tokio::time::timeout(Duration::from_millis(100), TcpStream::connect(address)).await {
        queued.push(stream);
    }
    (address, listener, queued)
}

/// Long enough never to run out in a test that should succeed.
pub(crate) fn endpoint(destination: SocketAddr) -> Endpoint {
    Endpoint {
        destination,
        bind_address: None,
        bind_port: None,
        bind_interface: None,
        mark: FwMark(0),
        timeout: Duration::from_secs(30),
    }
}

/// For tests in which the time runs out.
pub(crate) fn hurried(destination: SocketAddr) -> Endpoint {
    Endpoint { timeout: Duration::from_millis(60), ..endpoint(destination) }
}

pub(crate) fn url() -> UrlConfig {
    UrlConfig {
        path: "/".into(),
        host: None,
        digest: None,
        status: vec![(200, 299)],
        regex: None,
        tls_compliant: false,
    }
}

pub(crate) fn regex(pattern: &str) -> Option<RegexConfig> {
    Some(RegexConfig {
        pattern: pattern.into(),
        options: vec![],
        no_match: false,
        min_offset: 0,
        max_offset: None,
        stack: None,
    })
}

pub(crate) fn http(endpoint: Endpoint, url: UrlConfig) -> HttpConfig {
    HttpConfig {
        endpoint,
        tls: false,
        version: HttpVersion::Http10,
        sni: None,
        fast_recovery: false,
        tls_compliant: false,
        urls: vec![url],
    }
}

/// Runs a probe with a context of its own.
pub(crate) async fn report(config: lvs::ProbeConfig) -> Report {
    probe(&config, 0, &Context::default()).await.unwrap()
}

/// The reason of a failure.
pub(crate) fn reason(report: &Report) -> &str {
    match &report.outcome {
        lvs::Outcome::Failed(reason) => reason,
        other => panic!("{other:?}"),
    }
}
