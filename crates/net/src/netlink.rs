//! A netlink socket as this crate uses it: many requests in one datagram, all answers read at once.
//!
//! netlink-proto needs a background task and an unbounded queue for each socket and awaits each answer. The kernel, however, performs a request inside
//! `sendmsg`: when that returns, the answers are already in the socket's buffer. So a plain socket does the same with two system calls, and a loop
//! that must not wait has nothing to wait for. Only the last request of a datagram asks for an acknowledgement: the others answer when they are refused.

use std::io;
use std::os::fd::AsFd;

use netlink_packet_core::{NLM_F_ACK_TLVS, NLM_F_CAPPED, NetlinkBuffer, NlasIterator};
use netlink_sys::{Socket, SocketAddr};
use vip::Refusal;

/// Octets read at a time. The kernel packs dumps into datagrams of at most this size.
pub(crate) const READ: usize = 32 << 10;
/// Receive buffer for answers: room for the refusals of one datagram.
const RECEIVE_BUFFER: u32 = 1 << 20;
/// NLMSG_ERROR: an acknowledgement or a refusal.
pub(crate) const NLMSG_ERROR: u16 = 2;
/// NLMSG_DONE: a dump is complete.
pub(crate) const NLMSG_DONE: u16 = 3;
/// NLM_F_DUMP_INTR: the table changed while it was dumped.
pub(crate) const NLM_F_DUMP_INTR: u16 = 0x10;
const NLMSGERR_ATTR_MSG: u16 = 1;
/// Octets of a netlink header.
pub(crate) const HEADER: usize = 16;

/// One request socket.
#[derive(Debug)]
pub(crate) struct Channel {
    socket: Socket,
    sequence: u32,
    read: Vec<u8>,
}

impl Channel {
    /// `protocol` is a NETLINK_ number.
    pub(crate) fn open(protocol: isize) -> io::Result<Self> {
        let mut socket = Socket::new(protocol)?;
        socket.bind_auto()?;
        socket.connect(&SocketAddr::new(0, 0))?;
        socket.set_non_blocking(true)?;
        socket.set_ext_ack(true)?;
        socket.set_cap_ack(true)?;
        sys::socket_option::set_receive_buffer(socket.as_fd(), RECEIVE_BUFFER)?;
        Ok(Self { socket, sequence: 1, read: vec![0; READ] })
    }

    /// Sequence number for the next request.
    pub(crate) fn next_sequence(&mut self) -> u32 {
        self.sequence = self.sequence.wrapping_add(1).max(1);
        self.sequence
    }

    /// Sends one datagram of requests.
    pub(crate) fn send(&self, datagram: &[u8]) -> io::Result<()> {
        loop {
            match self.socket.send(datagram, 0) {
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Reads everything that has been answered: (message type, flags, sequence, payload). Answers that were lost for want of room are an error.
    pub(crate) fn answers(&mut self, mut each: impl FnMut(u16, u16, u32, &[u8])) -> io::Result<()> {
        loop {
            let mut rest = &mut self.read[..];
            let length = match self.socket.recv(&mut rest, 0) {
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            each_message(&self.read[..length.min(READ)], |message| {
                each(message.message_type(), message.flags(), message.sequence_number(), message.payload());
            });
        }
    }
}

/// Cuts a datagram into messages; what is malformed ends it.
pub(crate) fn each_message(mut datagram: &[u8], mut each: impl FnMut(NetlinkBuffer<&[u8]>)) {
    while let Ok(message) = NetlinkBuffer::new_checked(datagram) {
        let length = (message.length() as usize).next_multiple_of(4);
        each(message);
        datagram = datagram.get(length..).unwrap_or_default();
    }
}

/// The attribute `kind` of a list.
pub(crate) fn attributes(octets: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    NlasIterator::new(octets).map_while(Result::ok).map(|attribute| {
        let start = attribute.into_inner();
        let length = usize::from(u16::from_ne_bytes([start[0], start[1]]));
        (u16::from_ne_bytes([start[2], start[3]]) & 0x3fff, &start[4..length])
    })
}

/// The first four octets as a number of the host's order.
pub(crate) fn number(octets: &[u8]) -> Option<u32> {
    Some(u32::from_ne_bytes(octets.get(..4)?.try_into().ok()?))
}

/// What an NLMSG_ERROR says: `None` for an acknowledgement.
pub(crate) fn refusal(flags: u16, payload: &[u8]) -> Option<Refusal> {
    let code = number(payload).unwrap_or(0) as i32;
    if code == 0 {
        return None;
    }
    // The error code, then the header of the request, then (unless capped) the request itself, then attributes.
    let mut after = 4 + HEADER;
    if flags & NLM_F_CAPPED == 0 {
        let length = payload.get(4..).and_then(number).unwrap_or(0) as usize;
        after = 4 + length.next_multiple_of(4).max(HEADER);
    }
    let told = payload.get(after..).filter(|_| flags & NLM_F_ACK_TLVS != 0).unwrap_or_default();
    let text = attributes(told).find(|(kind, _)| *kind == NLMSGERR_ATTR_MSG);
    let text = text.map(|(_, text)| String::from_utf8_lossy(text.strip_suffix(&[0]).unwrap_or(text)).into_owned());
    Some(Refusal { errno: code.saturating_neg(), text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_carries_the_kernels_words() {
        let mut payload = (-22i32).to_ne_bytes().to_vec();
        payload.extend([0; HEADER]);
        payload.extend(12u16.to_ne_bytes());
        payload.extend(NLMSGERR_ATTR_MSG.to_ne_bytes());
        payload.extend(b"no gate\0");
        let refused = refusal(NLM_F_CAPPED | NLM_F_ACK_TLVS, &payload).unwrap();
        assert_eq!(refused, Refusal { errno: 22, text: Some("no gate".to_owned()) });
        for length in 0..payload.len() {
            let _ = refusal(NLM_F_CAPPED | NLM_F_ACK_TLVS, &payload[..length]);
            let _ = refusal(NLM_F_ACK_TLVS, &payload[..length]);
        }
    }

    #[test]
    fn malformed_datagrams_end_where_they_cannot_be_read() {
        let mut datagram = 20u32.to_ne_bytes().to_vec();
        datagram.extend([0; 16]);
        for length in 0..=datagram.len() {
            let mut seen = 0;
            each_message(&datagram[..length], |_| seen += 1);
            assert_eq!(seen, usize::from(length == 20));
        }
    }
}
