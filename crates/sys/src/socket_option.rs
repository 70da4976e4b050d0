//! Socket options for which socket2 and nix have no name.

#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use types::IfIndex;

/// Sets an option whose value is one `int`, by the kernel's level and name.
pub fn set_number(socket: BorrowedFd<'_>, level: i32, name: i32, value: i32) -> io::Result<()> {
    set(socket, level, name, &value)
}

/// Outgoing multicast leaves through `interface` (IP_MULTICAST_IF with `ip_mreqn`).
pub fn set_multicast_interface_v4(socket: BorrowedFd<'_>, interface: IfIndex) -> io::Result<()> {
    let any = libc::in_addr { s_addr: 0 };
    let request = libc::ip_mreqn { imr_multiaddr: any, imr_address: any, imr_ifindex: interface.0 as i32 };
    set(socket, libc::IPPROTO_IP, libc::IP_MULTICAST_IF, &request)
}

/// Receive buffer of `octets`, beyond the system's limit where CAP_NET_ADMIN allows it. The kernel doubles the number for its own bookkeeping.
pub fn set_receive_buffer(socket: BorrowedFd<'_>, octets: u32) -> io::Result<()> {
    let octets = i32::try_from(octets).unwrap_or(i32::MAX);
    set_number(socket, libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, octets)
        .or_else(|_| set_number(socket, libc::SOL_SOCKET, libc::SO_RCVBUF, octets))
}

/// Send buffer of `octets`, beyond the system's limit where CAP_NET_ADMIN allows it.
pub fn set_send_buffer(socket: BorrowedFd<'_>, octets: u32) -> io::Result<()> {
    let octets = i32::try_from(octets).unwrap_or(i32::MAX);
    set_number(socket, libc::SOL_SOCKET, libc::SO_SNDBUFFORCE, octets)
        .or_else(|_| set_number(socket, libc::SOL_SOCKET, libc::SO_SNDBUF, octets))
}

fn set<T: Copy>(socket: BorrowedFd<'_>, level: i32, name: i32, value: &T) -> io::Result<()> {
    let (pointer, length) = (std::ptr::from_ref(value).cast(), size_of::<T>() as libc::socklen_t);
    // SAFETY: `pointer` is valid for `length` octets for the call's duration; the kernel only reads it.
    match unsafe { libc::setsockopt(socket.as_raw_fd(), level, name, pointer, length) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
