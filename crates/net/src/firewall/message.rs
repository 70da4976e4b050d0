//! Writes nf_tables messages, octet by octet.
//!
//! netlink-packet-netfilter 0.4 knows tables, chains and sets, but not `dup`, nor lookups that give a value back, which half of our rules are made of; the
//! writer they need serves for all of it. Numbers are in the order of the network.

use netlink_packet_core::{NLM_F_APPEND, NLM_F_CREATE, NLM_F_REQUEST};
use types::Family;

const NFNL_SUBSYS_NFTABLES: u16 = 10;
const NFNL_MSG_BATCH_BEGIN: u16 = 0x10;
const NFNL_MSG_BATCH_END: u16 = 0x11;
const NLA_F_NESTED: u16 = 0x8000;

/// Kinds of message.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    NewTable = 0,
    DeleteTable = 2,
    NewChain = 3,
    NewRule = 6,
    NewSet = 9,
    NewElement = 12,
    DeleteElement = 14,
}

/// A transaction that grows.
#[derive(Debug, Default)]
pub(super) struct Transaction {
    octets: Vec<u8>,
    /// Where the flags of the last request stand.
    last_flags: usize,
}

impl Transaction {
    pub(super) fn begin(sequence: u32) -> Self {
        let mut transaction = Self::default();
        transaction.header(NFNL_MSG_BATCH_BEGIN, NLM_F_REQUEST, sequence, 0, NFNL_SUBSYS_NFTABLES);
        transaction.close(0);
        transaction
    }

    /// Appends a request. New rules go to the end of their chain, with `first` to its head.
    pub(super) fn request(
        &mut self,
        kind: Kind,
        first: bool,
        sequence: u32,
        family: Family,
        attributes: impl FnOnce(&mut Attributes<'_>),
    ) {
        let creation = match kind {
            Kind::NewRule if !first => NLM_F_CREATE | NLM_F_APPEND,
            Kind::NewTable | Kind::NewChain | Kind::NewRule | Kind::NewSet | Kind::NewElement => NLM_F_CREATE,
            Kind::DeleteTable | Kind::DeleteElement => 0,
        };
        let family = match family {
            Family::Inet => libc::AF_INET,
            Family::Inet6 => libc::AF_INET6,
        };
        let start = self.octets.len();
        let number = NFNL_SUBSYS_NFTABLES << 8 | kind as u16;
        self.header(number, NLM_F_REQUEST | creation, sequence, family as u8, 0);
        attributes(&mut Attributes(&mut self.octets));
        self.close(start);
        self.last_flags = start + 6;
    }

    /// The finished datagram; its last request asks for an acknowledgement.
    pub(super) fn end(mut self, sequence: u32) -> Vec<u8> {
        let at = self.last_flags;
        if at > 0 {
            let flags = u16::from_ne_bytes([self.octets[at], self.octets[at + 1]]) | netlink_packet_core::NLM_F_ACK;
            self.octets[at..at + 2].copy_from_slice(&flags.to_ne_bytes());
        }
        let start = self.octets.len();
        self.header(NFNL_MSG_BATCH_END, NLM_F_REQUEST, sequence, 0, NFNL_SUBSYS_NFTABLES);
        self.close(start);
        self.octets
    }

    /// struct nlmsghdr (its length is filled in by `close`) and struct nfgenmsg.
    fn header(&mut self, kind: u16, flags: u16, sequence: u32, family: u8, resource: u16) {
        self.octets.extend([0; 4]);
        self.octets.extend(kind.to_ne_bytes());
        self.octets.extend(flags.to_ne_bytes());
        self.octets.extend(sequence.to_ne_bytes());
        self.octets.extend([0; 4]);
        self.octets.extend([family, 0]);
        self.octets.extend(resource.to_be_bytes());
    }

    fn close(&mut self, start: usize) {
        let length = (self.octets.len() - start) as u32;
        self.octets[start..start + 4].copy_from_slice(&length.to_ne_bytes());
    }
}

/// A list of attributes that grows.
pub(super) struct Attributes<'a>(&'a mut Vec<u8>);

impl Attributes<'_> {
    pub(super) fn octets(&mut self, kind: u16, value: &[u8]) -> &mut Self {
        self.0.extend(((4 + value.len()) as u16).to_ne_bytes());
        self.0.extend(kind.to_ne_bytes());
        self.0.extend(value);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
        self
    }

    pub(super) fn number(&mut self, kind: u16, value: u32) -> &mut Self {
        self.octets(kind, &value.to_be_bytes())
    }

    pub(super) fn text(&mut self, kind: u16, value: &str) -> &mut Self {
        let mut octets = value.as_bytes().to_vec();
        octets.push(0);
        self.octets(kind, &octets)
    }

    pub(super) fn nested(&mut self, kind: u16, inner: impl FnOnce(&mut Attributes<'_>)) -> &mut Self {
        let start = self.0.len();
        self.0.extend([0; 2]);
        self.0.extend((kind | NLA_F_NESTED).to_ne_bytes());
        inner(&mut Attributes(self.0));
        let length = (self.0.len() - start) as u16;
        self.0[start..start + 2].copy_from_slice(&length.to_ne_bytes());
        self
    }
}
