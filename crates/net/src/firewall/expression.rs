//! The expressions that our rules are made of, as `nft --debug=netlink` shows them.

use super::message::Attributes;

/// NFT_REG_VERDICT.
const VERDICT_REGISTER: u32 = 0;
const NFTA_LIST_ELEM: u16 = 1;
const NFTA_DATA_VALUE: u16 = 1;
const NFTA_DATA_VERDICT: u16 = 2;

/// One step of a rule.
#[derive(Debug, Clone)]
pub(super) enum Expression {
    /// Loads octets of a header into a register.
    Payload { base: Base, offset: u32, length: u32, register: u32 },
    /// Goes on only when the register holds this.
    Compare { register: u32, value: Vec<u8> },
    /// Loads what is known of the packet.
    Meta { key: Meta, register: u32 },
    /// Goes on only when the register is in the set.
    InSet { set: &'static str, register: u32 },
    /// Replaces the register by what the map gives for it; goes on only when there is such a thing.
    Map { map: &'static str, register: u32 },
    /// Keeps the bits of the mask.
    Mask { register: u32, mask: Vec<u8> },
    /// Sends a copy to the address in one register through the interface in another.
    Duplicate { address: u32, device: u32 },
    /// Counts.
    Counter,
    /// Ends the rule.
    Verdict(Verdict),
}

/// Where a payload offset counts from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Base {
    Network = 1,
    Transport = 2,
}

/// What is known of a packet besides its octets.
#[derive(Debug, Clone, Copy)]
pub(super) enum Meta {
    InputInterface = 4,
    OutputInterface = 5,
    TransportProtocol = 16,
    OutputKind = 27,
}

/// How a rule ends.
#[derive(Debug, Clone, Copy)]
pub(super) enum Verdict {
    Drop,
    Accept,
    Goto(&'static str),
}

impl Expression {
    fn name(&self) -> &'static str {
        match self {
            Self::Payload { .. } => "payload",
            Self::Compare { .. } => "cmp",
            Self::Meta { .. } => "meta",
            Self::InSet { .. } | Self::Map { .. } => "lookup",
            Self::Mask { .. } => "bitwise",
            Self::Duplicate { .. } => "dup",
            Self::Counter => "counter",
            Self::Verdict(_) => "immediate",
        }
    }

    /// Appends the expression to the list of a rule.
    pub(super) fn write(&self, list: &mut Attributes<'_>) {
        list.nested(NFTA_LIST_ELEM, |element| {
            element.text(1, self.name()).nested(2, |data| self.data(data));
        });
    }

    fn data(&self, data: &mut Attributes<'_>) {
        match self {
            Self::Payload { base, offset, length, register } => {
                data.number(1, *register).number(2, *base as u32).number(3, *offset).number(4, *length);
            }
            Self::Compare { register, value } => {
                data.number(1, *register).number(2, 0).nested(3, |inner| {
                    inner.octets(NFTA_DATA_VALUE, value);
                });
            }
            Self::Meta { key, register } => {
                data.number(1, *register).number(2, *key as u32);
            }
            Self::InSet { set, register } => {
                data.text(1, set).number(2, *register);
            }
            Self::Map { map, register } => {
                data.text(1, map).number(2, *register).number(3, *register);
            }
            Self::Mask { register, mask } => {
                data.number(1, *register).number(2, *register).number(3, mask.len() as u32);
                data.nested(4, |inner| {
                    inner.octets(NFTA_DATA_VALUE, mask);
                });
                data.nested(5, |inner| {
                    inner.octets(NFTA_DATA_VALUE, &vec![0; mask.len()]);
                });
            }
            Self::Duplicate { address, device } => {
                data.number(1, *address).number(2, *device);
            }
            Self::Counter => {}
            Self::Verdict(verdict) => {
                data.number(1, VERDICT_REGISTER).nested(2, |inner| {
                    inner.nested(NFTA_DATA_VERDICT, |inner| verdict.write(inner));
                });
            }
        }
    }
}

impl Verdict {
    fn write(self, data: &mut Attributes<'_>) {
        /// NFT_GOTO.
        const GOTO: i32 = -4;
        match self {
            Self::Drop => {
                data.number(1, 0);
            }
            Self::Accept => {
                data.number(1, 1);
            }
            Self::Goto(chain) => {
                data.number(1, GOTO as u32).text(2, chain);
            }
        }
    }
}
