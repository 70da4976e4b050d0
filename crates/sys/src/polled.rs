//! Sockets of the checkers: as few system calls as a probe can do with.
//!
//! [`crate::Watched`] asks the kernel once more before it says "ready", which suits a few long-lived descriptors. A
//! probe opens and closes a socket each time and there are thousands, so here the event itself is believed, and a
//! read that finds nothing waits for the next one.

#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::sys::socket::{getsockopt, sockopt};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// A non-blocking socket registered with the running tokio runtime.
#[derive(Debug)]
pub struct Polled(AsyncFd<OwnedFd>);

impl Polled {
    /// Registers a non-blocking `socket` for reading and writing. Must be called inside a runtime.
    pub fn new(socket: OwnedFd) -> io::Result<Self> {
        // SAFETY: AsyncFd owns the OwnedFd until it is dropped and deregisters before it drops it; only borrows leave.
        let registered = unsafe { AsyncFd::register_with_interest(socket, Interest::READABLE | Interest::WRITABLE) };
        registered.map(Self).map_err(io::Error::from)
    }

    /// Waits for the end of a `connect` that is under way and returns its result.
    ///
    /// Only a refused connection costs a system call: the event of an accepted one carries no error flag.
    pub async fn connected(&self) -> io::Result<()> {
        let guard = self.0.ready(Interest::WRITABLE | Interest::ERROR).await?;
        let ready = guard.ready();
        if ready.is_error() || ready.is_write_closed() {
            let errno = getsockopt(&self.as_fd(), sockopt::SocketError)?;
            if errno != 0 {
                return Err(io::Error::from_raw_os_error(errno));
            }
        }
        Ok(())
    }

    /// Waits for something to read, then runs `read`; again whenever it returns `WouldBlock`.
    pub async fn read_with<R>(&self, mut read: impl FnMut(BorrowedFd<'_>) -> io::Result<R>) -> io::Result<R> {
        self.0.async_io(Interest::READABLE | Interest::ERROR, |socket| read(socket.as_fd())).await
    }

    /// Waits for room to write, then runs `write`; again whenever it returns `WouldBlock`.
    pub async fn write_with<R>(&self, mut write: impl FnMut(BorrowedFd<'_>) -> io::Result<R>) -> io::Result<R> {
        self.0.async_io(Interest::WRITABLE, |socket| write(socket.as_fd())).await
    }

    /// The socket, no longer registered.
    pub fn into_inner(self) -> OwnedFd {
        self.0.into_inner()
    }
}

impl AsFd for Polled {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.get_ref().as_fd()
    }
}
