//! HTTP_GET and SSL_GET: status, digest and pattern of one page.
//!
//! # Why not an HTTP library
//!
//! The request must be keepalived's octet for octet, and what real servers answer is less than HTTP: a status line
//! without a reason, `HTTP/2 200` in clear text, bare line feeds, a body shorter than announced. hyper refuses the
//! first ones before anybody can judge them, removes the chunk framing that keepalived's digests include, and brings
//! a task and buffers for each connection. So [`reply`] reads what comes, within bounds; hyper remains the choice for
//! what keepalived does not have (HTTP/2, request bodies).

mod page;
pub mod reply;
pub mod request;

use page::Page;
pub(crate) use page::hexadecimal;

use std::io;

use lvs::{HttpConfig, UrlConfig};
use sys::polled::Polled;
use sys::tls::{Peer, Stream, TlsError};
use tokio::time::{Instant, timeout_at};

use crate::connection::{NoConnection, connect_stream, receive, send_all};
use crate::context::Context;
use crate::outcome::Failure;

/// A connection in clear text or not.
pub(crate) enum Transport {
    Plain(Polled),
    Tls(Box<Stream>),
}

/// Octets read at a time. Pages are not kept, so this is what a check needs beyond the head.
const PIECE: usize = 8 * 1024;

pub(crate) async fn check(config: &HttpConfig, url: usize, context: &Context) -> Result<(), Failure> {
    let Some(url) = config.urls.get(url) else {
        return Err(Failure::new("no such url to ask of", ""));
    };
    let mut page = Page::new(url, context)?;
    let mut transport = connect(config, context).await?;
    let deadline = Instant::now() + config.endpoint.timeout;
    let asked = request::request(config, url);
    let mut is_asked = false;
    // One deadline for the whole page: octets that drip in do not move it. And one timer, because each costs.
    let dialogue = async {
        let sent = transport.write_all(asked.as_bytes()).await;
        sent.map_err(|detail| Failure::new("Cannot send get request to", detail))?;
        is_asked = true;
        read_page(&mut transport, &mut page).await
    };
    match timeout_at(deadline, dialogue).await {
        Ok(result) => result?,
        Err(_) if !is_asked => return Err(Failure::new("Cannot send get request to", "timeout")),
        Err(_) if page.is_empty() => return Err(Failure::new("Timeout WEB read", page.progress())),
        Err(_) if config.tls => return Err(Failure::new("Timeout SSL read", page.progress())),
        Err(_) => return Err(Failure::new("Timeout HTTP read", page.progress())),
    }
    if let Transport::Tls(stream) = &mut transport
        && (config.tls_compliant || url.tls_compliant)
    {
        // The page is good already; how the server says goodbye changes nothing.
        let _ = timeout_at(deadline, stream.shutdown(true)).await;
    }
    page.verdict()
}

/// Connects, and agrees on TLS where it is wanted.
pub(crate) async fn connect(config: &HttpConfig, context: &Context) -> Result<Transport, Failure> {
    let client = match config.tls {
        true => Some(
            context
                .tls()
                .map_err(|error| Failure::new("SSL handshake/communication error connecting to", error.to_string()))?,
        ),
        false => None,
    };
    let socket = connect_stream(&config.endpoint).await.map_err(|refusal| match refusal {
        NoConnection::Own(failure) => failure,
        NoConnection::Unreachable(error) => Failure::system("HTTP/SSL_CHECK - network unreachable", &error),
        NoConnection::Failed(error) => Failure::system("Error connecting", &error),
        // keepalived 2.2.7 says so of a refused connection (observed)
        NoConnection::Refused(error) => Failure::system("Connection failed", &error),
        NoConnection::TimedOut => Failure::new("Timeout connecting", ""),
    })?;
    let Some(client) = client else { return Ok(Transport::Plain(socket)) };
    let failed = |error: TlsError| Failure::new("SSL handshake/communication error connecting to", error.to_string());
    let peer = Peer { server_name: config.sni.as_deref(), ..Peer::default() };
    let mut stream = Box::new(client.stream(socket, &peer).map_err(failed)?);
    match tokio::time::timeout(config.endpoint.timeout, stream.handshake()).await {
        Ok(Ok(())) => Ok(Transport::Tls(stream)),
        Ok(Err(error)) => Err(failed(error)),
        Err(_) => Err(Failure::new("SSL handshake/communication error connecting to", "timeout")),
    }
}

async fn read_page(transport: &mut Transport, page: &mut Page<'_>) -> Result<(), Failure> {
    let mut buffer = vec![0; PIECE];
    loop {
        match transport.read(&mut buffer).await {
            Ok(0) => return page.end(),
            Ok(length) => {
                if page.take(&buffer[..length])? {
                    return Ok(());
                }
            }
            Err(detail) => {
                let reason = match transport {
                    Transport::Plain(_) => "Read error with",
                    Transport::Tls(_) => "SSL read error from",
                };
                return Err(Failure::new(reason, detail));
            }
        }
    }
}

impl Transport {
    pub(crate) async fn write_all(&mut self, data: &[u8]) -> Result<(), String> {
        match self {
            Self::Plain(socket) => send_all(socket, data).await.map_err(|error| error.to_string()),
            Self::Tls(stream) => stream.write_all(data).await.map_err(|error| error.to_string()),
        }
    }

    pub(crate) async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, String> {
        match self {
            Self::Plain(socket) => {
                let result: io::Result<usize> = socket.read_with(|socket| receive(socket, buffer)).await;
                result.map_err(|error| error.to_string())
            }
            Self::Tls(stream) => stream.read(buffer).await.map_err(|error| error.to_string()),
        }
    }
}

/// The Host header of a url: as configured, else the real server's address with its port, always.
pub(crate) fn host(config: &HttpConfig, url: &UrlConfig) -> String {
    url.host.clone().unwrap_or_else(|| config.endpoint.destination.to_string())
}

#[cfg(test)]
mod tests;
