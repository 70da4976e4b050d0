//! The client: asks the address for an echo every 10 ms and prints when answers arrive.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};

/// Prints one line for each answer: the moment of its arrival on CLOCK_MONOTONIC, in microseconds.
pub(super) fn run(address: Ipv4Addr) -> i32 {
    match ping(address) {
        Ok(()) => 0,
        Err(refused) => {
            eprintln!("cannot ping: {refused}");
            1
        }
    }
}

fn ping(address: Ipv4Addr) -> std::io::Result<()> {
    let mut socket = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::ICMPV4))?;
    let to = SocketAddr::V4(SocketAddrV4::new(address, 0)).into();
    let mut out = std::io::stdout();
    let mut sequence = 0u16;
    let mut next = std::time::Instant::now();
    loop {
        next += Duration::from_millis(10);
        sequence = sequence.wrapping_add(1);
        // Unreachable while nobody holds the address: that is what is being measured.
        let _ = socket.send_to(&echo_request(sequence), &to);
        while let Some(left) = next.checked_duration_since(std::time::Instant::now()).filter(|left| !left.is_zero()) {
            socket.set_read_timeout(Some(left))?;
            let mut buffer = [0; 256];
            // A time-out ends the wait for this answer.
            let Ok(length) = socket.read(&mut buffer) else { continue };
            // ICMP type 0 right after an IP header of 20 octets is an answer.
            if length > 20 && buffer[20] == 0 {
                writeln!(out, "{}", sys::clock::now().as_nanos() / 1_000)?;
                out.flush()?;
            }
        }
    }
}

fn echo_request(sequence: u16) -> [u8; 16] {
    let mut packet = [0; 16];
    packet[0] = 8;
    packet[4..6].copy_from_slice(&(std::process::id() as u16).to_be_bytes());
    packet[6..8].copy_from_slice(&sequence.to_be_bytes());
    let mut sum: u32 = packet.chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    packet[2..4].copy_from_slice(&(!(sum as u16)).to_be_bytes());
    packet
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_echo_request_sums_to_zero() {
        let sum: u32 = echo_request(7).chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
        assert_eq!((sum & 0xffff) + (sum >> 16), 0xffff);
    }
}
