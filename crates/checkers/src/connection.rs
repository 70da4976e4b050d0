//! From where and to where a probe connects.
//!
//! A system call costs more than all else that a TCP check does, so only what the configuration asks for is set: a
//! plain check is `socket`, `connect`, two of `epoll_ctl`, `close`, and a share of an `epoll_wait`.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use lvs::Endpoint;
use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, SockFlag, SockProtocol, SockType, SockaddrStorage, bind, connect, setsockopt, socket, sockopt,
};
use sys::polled::Polled;
use types::FwMark;

use crate::outcome::Failure;

/// Why there is no connection; each checker has its own words for it.
#[derive(Debug)]
pub(crate) enum NoConnection {
    /// The probe could not be made at all.
    Own(Failure),
    /// No way to the server (`ENETUNREACH`, `EHOSTUNREACH`), told at once.
    Unreachable(io::Error),
    /// `connect` refused at once for another reason.
    Failed(io::Error),
    /// The server, or something on the way, refused.
    Refused(io::Error),
    /// No answer within the endpoint's timeout.
    TimedOut,
}

/// A socket with what the endpoint asks for, bound to its source but not yet connected.
pub(crate) fn open(
    endpoint: &Endpoint,
    kind: SockType,
    protocol: impl Into<Option<SockProtocol>>,
) -> Result<OwnedFd, Failure> {
    let family = match endpoint.destination {
        SocketAddr::V4(_) => AddressFamily::Inet,
        SocketAddr::V6(_) => AddressFamily::Inet6,
    };
    let socket = socket(family, kind, SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC, protocol)
        .map_err(|errno| Failure::own("cannot make a socket".into(), &errno.into()))?;
    if endpoint.mark != FwMark(0) {
        setsockopt(&socket, sockopt::Mark, &endpoint.mark.0).map_err(|errno| {
            Failure::own(format!("cannot set fwmark {} (CAP_NET_ADMIN?)", endpoint.mark.0), &errno.into())
        })?;
    }
    if let Some(interface) = &endpoint.bind_interface {
        setsockopt(&socket, sockopt::BindToDevice, &interface.as_str().into())
            .map_err(|errno| Failure::own(format!("cannot use bind_if {interface} (does it exist?)"), &errno.into()))?;
    }
    if endpoint.bind_address.is_some() || endpoint.bind_port.is_some() {
        bind_source(&socket, endpoint, kind)?;
    }
    Ok(socket)
}

fn bind_source(socket: &OwnedFd, endpoint: &Endpoint, kind: SockType) -> Result<(), Failure> {
    let address = endpoint.bind_address.unwrap_or(match endpoint.destination {
        SocketAddr::V4(_) => IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED),
        SocketAddr::V6(_) => IpAddr::V6(std::net::Ipv6Addr::UNSPECIFIED),
    });
    let port = endpoint.bind_port.map_or(0, |port| port.0);
    let optional = if port != 0 {
        // The last check's connection may be in TIME_WAIT, where it would keep the port, and its four numbers, for a
        // minute: share the port, and end our connections by a reset.
        let reset = libc::linger { l_onoff: 1, l_linger: 0 };
        if kind == SockType::Stream {
            setsockopt(socket, sockopt::Linger, &reset).and_then(|()| setsockopt(socket, sockopt::ReuseAddr, &true))
        } else {
            setsockopt(socket, sockopt::ReuseAddr, &true)
        }
    } else if kind == SockType::Stream {
        // Let `connect` choose the port: it may be used towards several servers at once.
        setsockopt(socket, sockopt::IpBindAddressNoPort, &true)
    } else {
        Ok(())
    };
    // These help, but the check can be made without them.
    let _: Result<(), Errno> = optional;
    bind(socket.as_raw_fd(), &SockaddrStorage::from(SocketAddr::new(address, port))).map_err(|errno| {
        let what = match (endpoint.bind_address, endpoint.bind_port) {
            (Some(address), None) => {
                format!("cannot bind to {address} (is the bindto address there?)")
            }
            _ => format!("cannot bind to {} (bindto, bind_port)", SocketAddr::new(address, port)),
        };
        Failure::own(what, &errno.into())
    })
}

impl NoConnection {
    /// The failure of a check whose log line has room for any words (TCP, UDP, PING): the system's own.
    pub(crate) fn in_plain_words(self) -> Failure {
        match self {
            Self::Own(failure) => failure,
            Self::Unreachable(error) | Self::Failed(error) | Self::Refused(error) => plain_words(&error),
            Self::TimedOut => Failure::new("no answer within connect_timeout", ""),
        }
    }
}

/// The system's words for an error as a reason.
pub(crate) fn plain_words(error: &io::Error) -> Failure {
    let reason = match error.raw_os_error() {
        Some(errno) => Errno::from_raw(errno).desc(),
        None => "connection error",
    };
    Failure::new(reason, "")
}

/// A TCP connection, or the reason why there is none.
pub(crate) async fn connect_stream(endpoint: &Endpoint) -> Result<Polled, NoConnection> {
    let socket = open(endpoint, SockType::Stream, None).map_err(NoConnection::Own)?;
    let pending = begin(&socket, endpoint)?;
    let socket = register(socket)?;
    if pending {
        match tokio::time::timeout(endpoint.timeout, socket.connected()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(NoConnection::Refused(error)),
            Err(_) => return Err(NoConnection::TimedOut),
        }
    }
    Ok(socket)
}

/// A datagram socket that sends to, and receives from, the server alone.
pub(crate) fn connect_datagram(endpoint: &Endpoint) -> Result<Polled, NoConnection> {
    let socket = open(endpoint, SockType::Datagram, None).map_err(NoConnection::Own)?;
    begin(&socket, endpoint)?;
    register(socket)
}

/// Starts `connect`; `true` when its end has to be waited for.
pub(crate) fn begin(socket: &OwnedFd, endpoint: &Endpoint) -> Result<bool, NoConnection> {
    match connect(socket.as_raw_fd(), &SockaddrStorage::from(endpoint.destination)) {
        Ok(()) => Ok(false),
        Err(Errno::EINPROGRESS) => Ok(true),
        Err(errno @ (Errno::ENETUNREACH | Errno::EHOSTUNREACH)) => Err(NoConnection::Unreachable(errno.into())),
        Err(errno @ (Errno::EMFILE | Errno::ENFILE | Errno::ENOMEM | Errno::ENOBUFS | Errno::EAGAIN)) => {
            Err(NoConnection::Own(Failure::own("cannot connect".into(), &errno.into())))
        }
        Err(errno) => Err(NoConnection::Failed(errno.into())),
    }
}

pub(crate) fn register(socket: OwnedFd) -> Result<Polled, NoConnection> {
    Polled::new(socket).map_err(|error| NoConnection::Own(Failure::own("cannot wait for the socket".into(), &error)))
}

/// Sends one piece, as much as the kernel takes. A lost peer is an error and no signal.
pub(crate) fn send(socket: impl AsFd, data: &[u8]) -> io::Result<usize> {
    let flags = nix::sys::socket::MsgFlags::MSG_NOSIGNAL;
    Ok(nix::sys::socket::send(socket.as_fd().as_raw_fd(), data, flags)?)
}

/// Receives one piece; 0 at the end of a stream.
pub(crate) fn receive(socket: impl AsFd, buffer: &mut [u8]) -> io::Result<usize> {
    Ok(nix::sys::socket::recv(socket.as_fd().as_raw_fd(), buffer, nix::sys::socket::MsgFlags::empty())?)
}

/// Sends all of it on a stream.
pub(crate) async fn send_all(socket: &Polled, mut data: &[u8]) -> io::Result<()> {
    while !data.is_empty() {
        let sent = socket.write_with(|socket| send(socket, data)).await?;
        data = data.get(sent..).unwrap_or_default();
    }
    Ok(())
}

#[cfg(test)]
mod tests;
