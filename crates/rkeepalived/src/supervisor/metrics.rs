//! `@rkeepalived metrics ADDRESS:PORT`: states and counters for Prometheus, served by the supervisor out of what the
//! children told it. Nobody who asks, however often or slowly, reaches a process that does the work.

use std::cell::RefCell;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use status::metrics::{Numbers, ProcessNumbers, render};
use tokio::net::{TcpListener, TcpStream};

use crate::ipc::Sample;
use crate::logging::{error, info};
use crate::setup::Role;

/// Connections served at once; more wait in the kernel's queue.
const MOST_CONNECTIONS: usize = 16;
/// Octets that a request may have before its end.
const MOST_REQUEST: usize = 16 * 1024;
/// Time that a connection may take altogether.
const LIMIT: Duration = Duration::from_secs(10);
/// Rest after a connection could not be accepted, for want of descriptors perhaps.
const REST: Duration = Duration::from_secs(1);

/// The listener, its connections, and what they tell.
pub(super) struct Metrics {
    /// What is told; connections read it.
    numbers: Rc<RefCell<Numbers>>,
    address: Option<SocketAddr>,
    listener: Option<TcpListener>,
    connections: FuturesUnordered<Pin<Box<dyn Future<Output = ()>>>>,
}

impl Metrics {
    /// Listens nowhere yet.
    pub(super) fn new() -> Self {
        let versions = (crate::version::OURS.to_string(), crate::version::KEEPALIVED.to_string());
        Self {
            numbers: Rc::new(RefCell::new(Numbers { versions, ..Numbers::default() })),
            address: None,
            listener: None,
            connections: FuturesUnordered::new(),
        }
    }

    /// Listens at `address`, or no more. A refused address is told, and tried again at the next reload.
    pub(super) fn listen(&mut self, address: Option<SocketAddr>) {
        if self.address == address && self.listener.is_some() == address.is_some() {
            return;
        }
        self.address = address;
        // Before the new one: it may be the same port.
        self.listener = None;
        let Some(address) = address else { return };
        match bind(address) {
            Ok(listener) => {
                info!("Metrics are served at http://{}/metrics", listener.local_addr().unwrap_or(address));
                self.listener = Some(listener);
            }
            Err(refused) => error!(
                "metrics: cannot listen on {address}: {refused}; everything else goes on without them. Choose an address \
                 of this host and a free port, and reload"
            ),
        }
    }

    /// A child's sample.
    pub(super) fn take(&mut self, sample: Sample) {
        let mut numbers = self.numbers.borrow_mut();
        match sample {
            Sample::Instances(instances) => numbers.instances = instances,
            Sample::VirtualServers(servers) => numbers.virtual_servers = servers,
        }
    }

    /// A process runs, or runs no more; what it told is forgotten with it, so that nothing stale is served.
    pub(super) fn process(&mut self, role: Role, running: bool) {
        self.change(role, |process| process.running = running);
        let mut numbers = self.numbers.borrow_mut();
        match role {
            _ if running => {}
            Role::Vrrp => numbers.instances.clear(),
            Role::Checker => numbers.virtual_servers.clear(),
            Role::Bfd => numbers.bfd_sessions.clear(),
        }
    }

    /// Nothing is configured for a process any more: that it does not run is no fault.
    pub(super) fn forget(&mut self, role: Role) {
        self.numbers.borrow_mut().processes.retain(|process| process.name != role.word());
    }

    /// A process has died and is started again.
    pub(super) fn restarted(&mut self, role: Role) {
        self.change(role, |process| process.restarts += 1);
    }

    /// A BFD session is up, or down.
    pub(super) fn bfd_session(&mut self, name: &str, up: bool) {
        let sessions = &mut self.numbers.borrow_mut().bfd_sessions;
        match sessions.iter_mut().find(|(known, _)| known == name) {
            Some((_, state)) => *state = up,
            None => sessions.push((name.to_owned(), up)),
        }
    }

    /// A reload was applied, or refused.
    pub(super) fn reloaded(&mut self, applied: bool) {
        let mut numbers = self.numbers.borrow_mut();
        let (good, bad) = &mut numbers.reloads;
        *(if applied { good } else { bad }) += 1;
        numbers.last_reload = Some((applied, Duration::from_micros(sys::clock::wall_micros())));
    }

    fn change(&mut self, role: Role, change: impl FnOnce(&mut ProcessNumbers)) {
        let processes = &mut self.numbers.borrow_mut().processes;
        match processes.iter_mut().find(|process| process.name == role.word()) {
            Some(process) => change(process),
            None => {
                let mut process = ProcessNumbers { name: role.word(), running: false, restarts: 0 };
                change(&mut process);
                processes.push(process);
            }
        }
    }

    /// Serves; never ends. Cancelling it loses nothing.
    pub(super) async fn serve(&mut self) -> Infallible {
        let Self { numbers, listener, connections, .. } = self;
        loop {
            tokio::select! {
                accepted = accept(listener.as_ref()), if connections.len() < MOST_CONNECTIONS => match accepted {
                    Ok(stream) => connections.push(Box::pin(converse(stream, Rc::clone(numbers)))),
                    Err(_) => tokio::time::sleep(REST).await,
                },
                Some(()) = connections.next(), if !connections.is_empty() => {}
            }
        }
    }
}

fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    // The standard library sets SO_REUSEADDR: a restart does not wait for the connections of the former life.
    let listener = std::net::TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

async fn accept(listener: Option<&TcpListener>) -> std::io::Result<TcpStream> {
    match listener {
        Some(listener) => listener.accept().await.map(|(stream, _)| stream),
        None => std::future::pending().await,
    }
}

/// One request and its answer.
async fn converse(stream: TcpStream, numbers: Rc<RefCell<Numbers>>) {
    let service = service_fn(|request| std::future::ready(Ok::<_, Infallible>(answer(&request, &numbers))));
    let connection = http1::Builder::new()
        .keep_alive(false)
        .max_buf_size(MOST_REQUEST)
        .max_headers(64)
        .serve_connection(TokioIo::new(stream), service);
    // Who hangs up or dawdles has no answer; that is nobody else's business.
    let _ = tokio::time::timeout(LIMIT, connection).await;
}

fn answer(request: &Request<Incoming>, numbers: &RefCell<Numbers>) -> Response<Full<Bytes>> {
    let (status, kind, text) = match (request.method(), request.uri().path()) {
        (&Method::GET | &Method::HEAD, "/metrics") => {
            (StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", render(&numbers.borrow()))
        }
        (&Method::GET | &Method::HEAD, _) => {
            (StatusCode::NOT_FOUND, "text/plain; charset=utf-8", "The numbers are at /metrics.\n".to_owned())
        }
        _ => (StatusCode::METHOD_NOT_ALLOWED, "text/plain; charset=utf-8", "GET /metrics\n".to_owned()),
    };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    response
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;

    /// Sends `request` to a server that has been told of one reload; the answer.
    async fn ask(request: &str) -> String {
        let mut metrics = Metrics::new();
        metrics.listen(Some(([127, 0, 0, 1], 0).into()));
        metrics.reloaded(true);
        let address = metrics.listener.as_ref().unwrap().local_addr().unwrap();
        let request = request.to_owned();
        let client = tokio::task::spawn_blocking(move || {
            let mut stream = std::net::TcpStream::connect(address).unwrap();
            // A request that is too long is refused before its end.
            let _ = stream.write_all(request.as_bytes());
            let mut text = Vec::new();
            let _ = stream.read_to_end(&mut text);
            String::from_utf8(text).unwrap()
        });
        tokio::select! {
            never = metrics.serve() => match never {},
            answer = client => answer.unwrap(),
        }
    }

    #[tokio::test]
    async fn the_page_is_served_with_the_type_that_prometheus_wants() {
        let answer = ask("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.contains("text/plain; version=0.0.4"), "{answer}");
        assert!(answer.contains("\nkeepalived_reloads_total{result=\"applied\"} 1\n"), "{answer}");
    }

    #[tokio::test]
    async fn other_places_and_methods_are_told_where_the_page_is() {
        assert!(ask("GET / HTTP/1.0\r\n\r\n").await.starts_with("HTTP/1.0 404"));
        assert!(
            ask("POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n").await.starts_with("HTTP/1.1 405")
        );
    }

    #[tokio::test]
    async fn a_request_without_end_or_sense_is_refused() {
        let long = format!("GET /metrics HTTP/1.1\r\nX: {}", "x".repeat(4 * MOST_REQUEST));
        for request in [long.as_str(), "\u{0}\u{1}\r\n\r\n"] {
            let answer = ask(request).await;
            assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
        }
    }

    #[tokio::test]
    async fn an_address_that_is_taken_is_told_and_tried_again() {
        let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = other.local_addr().unwrap();
        let mut metrics = Metrics::new();
        metrics.listen(Some(address));
        assert!(metrics.listener.is_none());
        drop(other);
        metrics.listen(Some(address));
        assert!(metrics.listener.is_some());
        metrics.listen(None);
        assert!(metrics.listener.is_none());
    }
}
