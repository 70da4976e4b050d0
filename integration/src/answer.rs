//! Real servers and their clients: small servers that answer with their own name and the address of the client that they saw.
//!
//! They are threads of the test in the network of a host, so a test starts and stops them like values.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{JoinHandle, sleep};
use std::time::Duration;

use crate::host::Host;

/// How long a client waits for an answer.
const PATIENCE: Duration = Duration::from_millis(1500);
/// How often a server looks whether it shall stop.
const LOOK: Duration = Duration::from_millis(5);

/// What a client was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Name of the server.
    pub server: String,
    /// Address of the client as the server saw it.
    pub client: IpAddr,
}

/// A TCP server that speaks enough HTTP for HTTP_GET. To a client that sends nothing that looks like HTTP it answers with the plain line.
pub struct HttpServer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    name: String,
    stop: AtomicBool,
    status: AtomicU16,
    body: Mutex<String>,
    requests: AtomicU64,
}

impl HttpServer {
    /// Serves at `port` of every address of `host`, with status 200 and the answer line as body.
    #[track_caller]
    pub fn start(host: &Host, port: u16) -> Self {
        let shared = Arc::new(Shared {
            name: host.name().to_owned(),
            stop: AtomicBool::new(false),
            status: AtomicU16::new(200),
            body: Mutex::new(String::new()),
            requests: AtomicU64::new(0),
        });
        let listener = host.on_network(move || {
            let listener = TcpListener::bind(("::", port)).or_else(|_| TcpListener::bind(("0.0.0.0", port)));
            listener.unwrap_or_else(|error| panic!("port {port}: {error}"))
        });
        let served = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            let _ = listener.set_nonblocking(true);
            while !served.stop.load(Ordering::Relaxed) {
                match listener.accept() {
                    Ok((stream, client)) => {
                        let served = Arc::clone(&served);
                        std::thread::spawn(move || served.answer(stream, client));
                    }
                    Err(_) => sleep(LOOK),
                }
            }
        });
        Self { shared, thread: Some(thread) }
    }

    /// Answers with this HTTP status from now on.
    pub fn set_status(&self, status: u16) {
        self.shared.status.store(status, Ordering::Relaxed);
    }

    /// Answers with this body from now on, for digests and regular expressions.
    pub fn set_body(&self, body: &str) {
        body.clone_into(&mut self.shared.body.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Connections taken so far.
    pub fn requests(&self) -> u64 {
        self.shared.requests.load(Ordering::Relaxed)
    }
}

impl Shared {
    fn answer(&self, mut stream: TcpStream, client: SocketAddr) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let _ = stream.set_nonblocking(false);
        let _ = stream.set_read_timeout(Some(Duration::from_secs(30)));
        let mut reader = BufReader::new(&mut stream);
        let mut first = String::new();
        let _ = reader.read_line(&mut first);
        let line = format!("{} {}\n", self.name, client.ip().to_canonical());
        if !first.contains("HTTP/") {
            let _ = stream.write_all(line.as_bytes());
            return;
        }
        let mut header = String::new();
        while reader.read_line(&mut header).is_ok_and(|length| length > 2) {
            header.clear();
        }
        let body = self.body.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let body = if body.is_empty() { line } else { body };
        let status = self.status.load(Ordering::Relaxed);
        let length = body.len();
        let answer = format!("HTTP/1.1 {status} Lab\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
        let _ = stream.write_all(answer.as_bytes());
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A UDP server that answers each datagram with its name.
pub struct NameServer {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl NameServer {
    /// Serves at `address` of `host`; direct routing and tunnels need one socket for each local address.
    #[track_caller]
    pub fn start(host: &Host, address: SocketAddr) -> Self {
        let name = host.name().to_owned();
        let socket =
            host.on_network(move || UdpSocket::bind(address).unwrap_or_else(|error| panic!("{address}: {error}")));
        let stop = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let _ = socket.set_read_timeout(Some(Duration::from_millis(50)));
            let mut buffer = [0; 2048];
            while !ended.load(Ordering::Relaxed) {
                if let Ok((_, client)) = socket.recv_from(&mut buffer) {
                    let _ = socket.send_to(format!("{name} {}\n", client.ip().to_canonical()).as_bytes(), client);
                }
            }
        });
        Self { stop, thread: Some(thread) }
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Opens a connection from `host`, sends a line and returns the answer; none when nothing answered in time.
pub fn ask_tcp(host: &Host, address: SocketAddr) -> Option<Answer> {
    host.on_network(move || {
        let mut stream = TcpStream::connect_timeout(&address, PATIENCE).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        stream.write_all(b"who?\n").ok()?;
        let mut line = String::new();
        stream.read_to_string(&mut line).ok()?;
        parse(&line)
    })
}

/// Opens a connection from `host` and keeps it open: the server sees an established connection.
pub fn hold_tcp(host: &Host, address: SocketAddr) -> Option<TcpStream> {
    host.on_network(move || TcpStream::connect_timeout(&address, PATIENCE).ok())
}

/// Sends a datagram from a fresh port of `host` and returns the answer.
pub fn ask_udp(host: &Host, address: SocketAddr) -> Option<Answer> {
    host.on_network(move || {
        let any: IpAddr = if address.is_ipv4() { [0; 4].into() } else { [0; 16].into() };
        let socket = UdpSocket::bind((any, 0)).ok()?;
        socket.set_read_timeout(Some(PATIENCE)).ok()?;
        socket.send_to(b"who?\n", address).ok()?;
        let mut buffer = [0; 256];
        let (length, _) = socket.recv_from(&mut buffer).ok()?;
        parse(&String::from_utf8_lossy(buffer.get(..length)?))
    })
}

/// Status and body of `GET path` from `host`.
pub fn http_get(host: &Host, address: SocketAddr, path: &str) -> Option<(u16, String)> {
    let request = format!("GET {path} HTTP/1.0\r\n\r\n");
    host.on_network(move || {
        let mut stream = TcpStream::connect_timeout(&address, PATIENCE).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let status = answer.split_whitespace().nth(1)?.parse().ok()?;
        Some((status, answer.split_once("\r\n\r\n")?.1.to_owned()))
    })
}

fn parse(line: &str) -> Option<Answer> {
    let (server, client) = line.trim().split_once(' ')?;
    Some(Answer { server: server.to_owned(), client: client.parse().ok()? })
}

/// Counts how many answers each server gave to `count` requests of `ask`; requests without an answer are counted under `-`.
pub fn spread(count: usize, mut ask: impl FnMut() -> Option<Answer>) -> std::collections::BTreeMap<String, usize> {
    let mut spread = std::collections::BTreeMap::new();
    for _ in 0..count {
        let server = ask().map_or_else(|| "-".to_owned(), |answer| answer.server);
        *spread.entry(server).or_default() += 1;
    }
    spread
}
