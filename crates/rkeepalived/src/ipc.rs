//! What the supervisor and its children say to each other, over a socketpair that the child finds as its standard input.
//!
//! Each message is a length (four octets, little endian) and a value encoded by postcard. Neither side ever waits for the
//! other to read: what the socket does not take at once is kept, up to [`MOST_UNSENT`] octets.

use std::io;
use std::marker::PhantomData;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::net::UnixStream;

use crate::setup::Setup;

/// What a child may owe its peer before messages are dropped.
const MOST_UNSENT: usize = 64 << 20;
/// Largest message accepted: a configuration of a million lines stays below.
const MOST_RECEIVED: usize = 1 << 30;

/// From the supervisor to a child.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum ToChild {
    /// The first message.
    Start(Box<Setup>),
    /// A new configuration.
    Reload(Box<Setup>),
    /// Print the state (SIGUSR1).
    Dump,
    /// Print the statistics (SIGUSR2, SIGRTMAX−1).
    Statistics {
        /// And start counting anew.
        clear: bool,
    },
    /// Print JSON (SIGRTMIN+2).
    Json,
    /// Answer with [`FromChild::Alive`].
    Ping,
    /// A BFD session went up or down.
    Bfd {
        /// Its name.
        name: String,
        /// Whether it is up.
        up: bool,
    },
}

/// From a child to the supervisor.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum FromChild {
    /// The first state is known.
    Ready,
    /// The new configuration is in force.
    Reloaded,
    /// A configuration could not be used; the former one goes on.
    ReloadRefused(String),
    /// What a replacement of this process must know (VRRP).
    Remember(Vec<vrrp::Remembered>),
    /// What a replacement of this process must know (checkers): encoded by the checker process.
    RememberServers(Vec<u8>),
    /// One line for the status text.
    Status(String),
    /// States and counters for `metrics`.
    Sample(Sample),
    /// A file to write.
    File(DumpFile),
    /// Still there.
    Alive,
    /// A BFD session went up or down.
    Bfd {
        /// Its name.
        name: String,
        /// Whether it is up.
        up: bool,
    },
}

/// What one process knows, for `metrics`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Sample {
    /// From the VRRP process.
    Instances(Vec<status::metrics::InstanceSample>),
    /// From the checker process.
    VirtualServers(Vec<status::metrics::VirtualServerSample>),
}

/// A dump that the supervisor writes, because a disk may be slow and the child's loop must not wait.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct DumpFile {
    /// Which.
    pub(crate) kind: DumpKind,
    /// Content.
    pub(crate) content: String,
}

/// Which dump.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum DumpKind {
    /// `keepalived.data`.
    Vrrp,
    /// `keepalived_check.data`.
    Checker,
    /// `keepalived_bfd.data`.
    Bfd,
    /// `keepalived_parent.data`.
    Parent,
    /// `keepalived.stats`.
    Statistics,
    /// `keepalived.json`.
    Json,
}

/// One end: receives `In`, sends `Out`.
#[derive(Debug)]
pub(crate) struct Channel<In, Out> {
    stream: UnixStream,
    inbox: Vec<u8>,
    outbox: Vec<u8>,
    dropped: u64,
    kinds: PhantomData<(In, Out)>,
}

impl<In: DeserializeOwned, Out: Serialize> Channel<In, Out> {
    /// Over one end of a socketpair.
    pub(crate) fn new(stream: std::os::unix::net::UnixStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self {
            stream: UnixStream::from_std(stream)?,
            inbox: Vec::new(),
            outbox: Vec::new(),
            dropped: 0,
            kinds: PhantomData,
        })
    }

    /// The child's end: its standard input, which becomes /dev/null.
    pub(crate) fn from_standard_input() -> io::Result<Self> {
        use std::os::fd::AsFd;
        let socket = io::stdin().as_fd().try_clone_to_owned()?;
        let null = std::fs::File::open("/dev/null")?;
        nix::unistd::dup2_stdin(&null)?;
        Self::new(socket.into())
    }

    /// Sends now what the socket takes, and keeps the rest for [`Channel::receive`].
    pub(crate) fn send(&mut self, message: &Out) {
        if self.outbox.len() > MOST_UNSENT {
            self.dropped += 1;
            return;
        }
        let start = self.outbox.len();
        self.outbox.extend_from_slice(&[0; 4]);
        let outbox = std::mem::take(&mut self.outbox);
        match postcard::to_extend(message, outbox) {
            Ok(outbox) => {
                self.outbox = outbox;
                let length = (self.outbox.len() - start - 4) as u32;
                self.outbox[start..start + 4].copy_from_slice(&length.to_le_bytes());
            }
            Err(_) => self.dropped += 1,
        }
        // A broken socket is noticed where messages are received.
        let _ = self.write();
    }

    /// Next message; `None` when the other end is gone. Cancelling it loses nothing.
    pub(crate) async fn receive(&mut self) -> io::Result<Option<In>> {
        loop {
            if let Some(message) = self.parse()? {
                return Ok(Some(message));
            }
            let interest = if self.outbox.is_empty() {
                tokio::io::Interest::READABLE
            } else {
                tokio::io::Interest::READABLE | tokio::io::Interest::WRITABLE
            };
            let ready = self.stream.ready(interest).await?;
            if ready.is_writable() {
                self.write()?;
            }
            if ready.is_readable() && self.read()? == Some(0) {
                return Ok(None);
            }
        }
    }

    /// A message that has arrived already.
    pub(crate) fn receive_now(&mut self) -> io::Result<Option<In>> {
        loop {
            if let Some(message) = self.parse()? {
                return Ok(Some(message));
            }
            match self.read()? {
                None | Some(0) => return Ok(None),
                Some(_) => {}
            }
        }
    }

    /// Waits at most `limit` until everything was taken.
    pub(crate) async fn flush(&mut self, limit: std::time::Duration) {
        let all = async {
            while !self.outbox.is_empty() {
                if self.stream.writable().await.is_err() || self.write().is_err() {
                    return;
                }
            }
        };
        let _ = tokio::time::timeout(limit, all).await;
    }

    /// Reads what has arrived; `None` when nothing has, 0 when the other end is gone. A message that is known to be long is
    /// read in large pieces.
    fn read(&mut self) -> io::Result<Option<usize>> {
        let (known, most) = (self.inbox.len(), if self.inbox.len() < 4096 { 4096 } else { 256 * 1024 });
        self.inbox.resize(known + most, 0);
        let read = self.stream.try_read(&mut self.inbox[known..]);
        self.inbox.truncate(known + read.as_ref().copied().unwrap_or(0));
        match read {
            Ok(octets) => Ok(Some(octets)),
            Err(refused) if refused.kind() == io::ErrorKind::WouldBlock => {
                if self.inbox.is_empty() {
                    self.inbox = Vec::new();
                }
                Ok(None)
            }
            Err(refused) => Err(refused),
        }
    }

    fn write(&mut self) -> io::Result<()> {
        while !self.outbox.is_empty() {
            match self.stream.try_write(&self.outbox) {
                Ok(n) => _ = self.outbox.drain(..n),
                Err(refused) if refused.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(refused) => return Err(refused),
            }
        }
        self.outbox = Vec::new();
        Ok(())
    }

    fn parse(&mut self) -> io::Result<Option<In>> {
        let Some((length, rest)) = self.inbox.split_first_chunk::<4>() else { return Ok(None) };
        let length = u32::from_le_bytes(*length) as usize;
        if length > MOST_RECEIVED {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a message between our processes is too long"));
        }
        let Some(encoded) = rest.get(..length) else { return Ok(None) };
        let message = postcard::from_bytes(encoded)
            .map_err(|refused| io::Error::new(io::ErrorKind::InvalidData, refused.to_string()))?;
        if self.inbox.len() == 4 + length {
            self.inbox = Vec::new();
        } else {
            self.inbox.drain(..4 + length);
        }
        Ok(Some(message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn messages_larger_than_the_socket_buffer_arrive_whole_and_in_order() {
        let (left, right) = std::os::unix::net::UnixStream::pair().unwrap();
        let mut left: Channel<FromChild, ToChild> = Channel::new(left).unwrap();
        let mut right: Channel<ToChild, FromChild> = Channel::new(right).unwrap();
        let long = "x".repeat(3_000_000);
        right.send(&FromChild::Ready);
        right.send(&FromChild::Status(long.clone()));
        right.send(&FromChild::Alive);
        let sender = tokio::spawn(async move { right.receive().await.map(|message| message.is_none()) });
        assert!(matches!(left.receive().await.unwrap(), Some(FromChild::Ready)));
        assert!(matches!(left.receive().await.unwrap(), Some(FromChild::Status(text)) if text == long));
        assert!(matches!(left.receive().await.unwrap(), Some(FromChild::Alive)));
        drop(left);
        assert!(sender.await.unwrap().unwrap());
    }
}
