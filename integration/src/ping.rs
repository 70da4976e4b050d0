//! A client that pings every 10 ms and tells the longest silence.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{JoinHandle, sleep};
use std::time::{Duration, Instant};

use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrIn, recv, sendto, socket};

use crate::host::Host;

/// Pings one address from one host until it is dropped.
pub struct Pinger {
    state: Arc<Mutex<State>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct State {
    answers: u64,
    last: Option<Instant>,
    longest: Duration,
}

impl Pinger {
    /// Starts to ping `target` from `host`.
    #[track_caller]
    pub fn start(host: &Host, target: Ipv4Addr) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let stop = Arc::new(AtomicBool::new(false));
        let (shared, ended) = (Arc::clone(&state), Arc::clone(&stop));
        let thread = host.in_network(move || {
            let socket = socket(AddressFamily::Inet, SockType::Raw, SockFlag::SOCK_NONBLOCK, SockProtocol::Icmp)
                .unwrap_or_else(|error| panic!("ping socket: {error}"));
            let mut sequence = 0_u16;
            while !ended.load(Ordering::Relaxed) {
                send_echo(&socket, target, sequence);
                sequence = sequence.wrapping_add(1);
                sleep(Duration::from_millis(10));
                while let Some(source) = receive_echo_reply(&socket) {
                    if source == target {
                        shared.lock().unwrap_or_else(PoisonError::into_inner).answered(Instant::now());
                    }
                }
            }
        });
        Self { state, stop, thread: Some(thread) }
    }

    /// Number of answers so far.
    pub fn answers(&self) -> u64 {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).answers
    }

    /// The longest time between two answers since the last call of [`Self::forget`], the present silence included.
    pub fn longest_silence(&self) -> Duration {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let present = state.last.map_or(Duration::ZERO, |last| last.elapsed());
        state.longest.max(present)
    }

    /// Starts counting silence anew.
    pub fn forget(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).longest = Duration::ZERO;
    }
}

impl State {
    fn answered(&mut self, now: Instant) {
        self.answers += 1;
        if let Some(last) = self.last.replace(now) {
            self.longest = self.longest.max(now - last);
        }
    }
}

impl Drop for Pinger {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Sends an ICMP echo request (RFC 792). A refusal (no route yet, no neighbour) is silence, which is what is measured.
fn send_echo(socket: &OwnedFd, target: Ipv4Addr, sequence: u16) {
    let [high, low] = sequence.to_be_bytes();
    let mut message = [8, 0, 0, 0, 0x6b, 0x61, high, low];
    let sum: u32 = message.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(pair[1])).sum();
    let folded = !(((sum >> 16) + (sum & 0xffff)) as u16);
    message[2..4].copy_from_slice(&folded.to_be_bytes());
    let address = SockaddrIn::from(SocketAddrV4::new(target, 0));
    let _ = sendto(socket.as_raw_fd(), &message, &address, MsgFlags::empty());
}

/// The source of an echo reply, if one waits.
fn receive_echo_reply(socket: &OwnedFd) -> Option<Ipv4Addr> {
    let mut buffer = [0; 256];
    let length = recv(socket.as_raw_fd(), &mut buffer, MsgFlags::MSG_DONTWAIT).ok()?;
    let packet = buffer.get(..length)?;
    let header = usize::from(packet.first()? & 0x0f) * 4;
    let source = <[u8; 4]>::try_from(packet.get(12..16)?).ok()?;
    (packet.get(header) == Some(&0)).then(|| Ipv4Addr::from(source))
}
