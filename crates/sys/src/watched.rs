//! File descriptors that the loop waits for.
//!
//! tokio's `AsyncFd::register` is unsafe because a descriptor may be closed and its number given to another file while it is registered. Here
//! the descriptor is owned and never handed out by value, so that cannot happen; this is the one place that says so.

#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// A descriptor registered with the running tokio runtime.
#[derive(Debug)]
pub struct Watched(AsyncFd<OwnedFd>);

impl Watched {
    /// Registers `descriptor` for reading and writing. Must be called inside a runtime.
    ///
    /// The descriptor should be non-blocking; reading and writing are left to the owner.
    pub fn new(descriptor: OwnedFd) -> io::Result<Self> {
        Self::register(descriptor, Interest::READABLE | Interest::WRITABLE)
    }

    /// Registers `descriptor` for reading only: right for epoll, timer and signal descriptors.
    pub fn readable_only(descriptor: OwnedFd) -> io::Result<Self> {
        Self::register(descriptor, Interest::READABLE)
    }

    fn register(descriptor: OwnedFd, interest: Interest) -> io::Result<Self> {
        // SAFETY: AsyncFd owns the OwnedFd until it is dropped, and AsyncFd deregisters before it drops it. Only borrows leave this type.
        let registered = unsafe { AsyncFd::register_with_interest(descriptor, interest) };
        registered.map(Self).map_err(io::Error::from)
    }

    /// Returns when a read would not block. Cancelling the future loses nothing.
    ///
    /// The kernel is asked again (one `poll`) before this returns, so that callers may read as often as they like, or not at all, without
    /// having to report back that the descriptor ran dry.
    pub async fn readable(&self) -> io::Result<()> {
        loop {
            let mut guard = self.0.readable().await?;
            if self.ready_now(PollFlags::POLLIN)? {
                guard.retain_ready();
                return Ok(());
            }
            guard.clear_ready();
        }
    }

    /// Returns when a write would not block. Cancelling the future loses nothing.
    pub async fn writable(&self) -> io::Result<()> {
        loop {
            let mut guard = self.0.writable().await?;
            if self.ready_now(PollFlags::POLLOUT)? {
                guard.retain_ready();
                return Ok(());
            }
            guard.clear_ready();
        }
    }

    /// An error or a hang-up counts as ready: the caller's read will tell which.
    fn ready_now(&self, wanted: PollFlags) -> io::Result<bool> {
        let mut polled = [PollFd::new(self.0.get_ref().as_fd(), wanted)];
        match poll(&mut polled, PollTimeout::ZERO) {
            Ok(ready) => Ok(ready > 0),
            Err(nix::errno::Errno::EINTR) => Ok(true),
            Err(errno) => Err(errno.into()),
        }
    }
}

impl AsFd for Watched {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.get_ref().as_fd()
    }
}
