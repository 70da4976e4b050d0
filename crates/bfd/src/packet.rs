//! The control packet (RFC 5880 §4.1).

use std::time::Duration;

use crate::{Diagnostic, Refusal, State};

/// Octets of a control packet without authentication.
pub const LEN: usize = 24;
/// The only version there is.
const VERSION: u8 = 1;

const POLL: u8 = 0x20;
const FINAL: u8 = 0x10;
const CONTROL_PLANE_INDEPENDENT: u8 = 0x08;
const AUTHENTICATION: u8 = 0x04;
const DEMAND: u8 = 0x02;
const MULTIPOINT: u8 = 0x01;

/// A control packet that passed the checks which need no session.
///
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-----+---------+---+-+-+-+-+-+-+---------------+---------------+
/// |Vers |  Diag   |Sta|P|F|C|A|D|M|  Detect Mult  |    Length     |
/// +-----+---------+---+-+-+-+-+-+-+---------------+---------------+
/// |                       My Discriminator                        |
/// |                      Your Discriminator                       |
/// |                Desired Min TX Interval (µs)                   |
/// |               Required Min RX Interval (µs)                   |
/// |             Required Min Echo RX Interval (µs)                |
/// +---------------------------------------------------------------+
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ControlPacket {
    /// Why the sender's session last left Up.
    pub diagnostic: Diagnostic,
    /// State of the sender's session.
    pub state: State,
    /// The sender wants an answer with `finish`.
    pub poll: bool,
    /// The answer to a poll.
    pub finish: bool,
    /// The sender's BFD does not share the fate of its control plane.
    pub control_plane_independent: bool,
    /// The sender wants no periodic packets while both are Up.
    pub demand: bool,
    /// Packets that may be missed.
    pub multiplier: u8,
    /// The sender's discriminator; not 0.
    pub my_discriminator: u32,
    /// The receiver's discriminator; 0 while the sender does not know it.
    pub your_discriminator: u32,
    /// How often the sender would like to send, in whole microseconds.
    pub desired_min_tx: Duration,
    /// How often the sender can receive, in whole microseconds; 0: it wants no periodic packets.
    pub required_min_rx: Duration,
    /// How often the sender can receive echoes; 0: never.
    pub required_min_echo_rx: Duration,
}

impl ControlPacket {
    /// The octets.
    pub fn emit(&self) -> [u8; LEN] {
        let flag = |set: bool, bit: u8| if set { bit } else { 0 };
        let mut octets = [0; LEN];
        octets[0] = VERSION << 5 | self.diagnostic.number();
        octets[1] = self.state.number() << 6
            | flag(self.poll, POLL)
            | flag(self.finish, FINAL)
            | flag(self.control_plane_independent, CONTROL_PLANE_INDEPENDENT)
            | flag(self.demand, DEMAND);
        octets[2] = self.multiplier;
        octets[3] = LEN as u8;
        let words = [
            self.my_discriminator,
            self.your_discriminator,
            microseconds(self.desired_min_tx),
            microseconds(self.required_min_rx),
            microseconds(self.required_min_echo_rx),
        ];
        for (at, word) in words.into_iter().enumerate() {
            octets[4 + at * 4..8 + at * 4].copy_from_slice(&word.to_be_bytes());
        }
        octets
    }
}

/// Reads a UDP payload, with the checks of RFC 5880 §6.8.6 that need no session, in its order.
pub fn parse(payload: &[u8]) -> Result<ControlPacket, Refusal> {
    let octets: &[u8; LEN] = payload.first_chunk().ok_or(Refusal::TooShort { found: payload.len() })?;
    let word = |at: usize| u32::from_be_bytes([octets[at], octets[at + 1], octets[at + 2], octets[at + 3]]);
    let interval = |at: usize| Duration::from_micros(u64::from(word(at)));
    let (version, flags, length) = (octets[0] >> 5, octets[1], octets[3]);

    if version != VERSION {
        return Err(Refusal::Version { found: version });
    }
    let authenticated = flags & AUTHENTICATION != 0;
    let shortest = if authenticated { LEN + 2 } else { LEN };
    if usize::from(length) < shortest || usize::from(length) > payload.len() {
        return Err(Refusal::Length { field: length, found: payload.len() });
    }
    let packet = ControlPacket {
        diagnostic: Diagnostic::from_bits(octets[0]),
        state: State::from_bits(flags >> 6),
        poll: flags & POLL != 0,
        finish: flags & FINAL != 0,
        control_plane_independent: flags & CONTROL_PLANE_INDEPENDENT != 0,
        demand: flags & DEMAND != 0,
        multiplier: octets[2],
        my_discriminator: word(4),
        your_discriminator: word(8),
        desired_min_tx: interval(12),
        required_min_rx: interval(16),
        required_min_echo_rx: interval(20),
    };
    if packet.multiplier == 0 {
        return Err(Refusal::Multiplier);
    }
    if flags & MULTIPOINT != 0 {
        return Err(Refusal::Multipoint);
    }
    if packet.my_discriminator == 0 {
        return Err(Refusal::MyDiscriminator);
    }
    match packet.state {
        State::Init | State::Up if packet.your_discriminator == 0 => {
            return Err(Refusal::YourDiscriminator { state: packet.state });
        }
        State::AdminDown | State::Down | State::Init | State::Up => {}
    }
    if authenticated {
        return Err(Refusal::Authentication);
    }
    Ok(packet)
}

/// Microseconds as the wire has them; more than fit (71 minutes) are cut.
fn microseconds(interval: Duration) -> u32 {
    u32::try_from(interval.as_micros()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    }

    fn packet(state: State, my: u32, your: u32, tx: u64, rx: u64) -> ControlPacket {
        ControlPacket {
            diagnostic: Diagnostic::None,
            state,
            poll: false,
            finish: false,
            control_plane_independent: false,
            demand: false,
            multiplier: 3,
            my_discriminator: my,
            your_discriminator: your,
            desired_min_tx: Duration::from_millis(tx),
            required_min_rx: Duration::from_millis(rx),
            required_min_echo_rx: Duration::ZERO,
        }
    }

    /// Captured between two keepalived 2.2.7.
    #[test]
    fn captured_packets_are_understood_and_built_again() {
        let (a, b) = (0xcbbd_124a, 0xa877_8277);
        for (octets, packet) in [
            ("20400318cbbd124a00000000000f4240000186a000000000", packet(State::Down, a, 0, 1000, 100)),
            ("20800318cbbd124aa8778277000f4240000186a000000000", packet(State::Init, a, b, 1000, 100)),
            (
                "20e00318a8778277cbbd124a0001d4c0000186a000000000",
                ControlPacket { poll: true, ..packet(State::Up, b, a, 120, 100) },
            ),
            (
                "20d00318cbbd124aa8778277000249f0000186a000000000",
                ControlPacket { finish: true, ..packet(State::Up, a, b, 150, 100) },
            ),
            ("20c00318a8778277cbbd124a0001d4c0000186a000000000", packet(State::Up, b, a, 120, 100)),
        ] {
            assert_eq!(parse(&hex(octets)), Ok(packet));
            assert_eq!(packet.emit().as_slice(), hex(octets));
        }
    }

    /// RFC 5880 §6.8.6, one wrong field each; two wrong fields show the order.
    #[test]
    fn packets_are_refused_in_the_order_of_rfc_5880_6_8_6() {
        let good = hex("20c00318a8778277cbbd124a0001d4c0000186a000000000");
        let with = |changes: &[(usize, u8)]| {
            let mut octets = good.clone();
            for (at, value) in changes {
                octets[*at] = *value;
            }
            parse(&octets)
        };
        assert_eq!(with(&[(0, 0x40), (3, 23)]), Err(Refusal::Version { found: 2 }));
        assert_eq!(with(&[(3, 23), (2, 0)]), Err(Refusal::Length { field: 23, found: 24 }));
        assert_eq!(with(&[(3, 25)]), Err(Refusal::Length { field: 25, found: 24 }));
        assert_eq!(with(&[(1, 0xc4)]), Err(Refusal::Length { field: 24, found: 24 }), "26 needed with A");
        assert_eq!(with(&[(2, 0), (1, 0xc1)]), Err(Refusal::Multiplier));
        assert_eq!(with(&[(1, 0xc1), (4, 0), (5, 0), (6, 0), (7, 0)]), Err(Refusal::Multipoint));
        assert_eq!(with(&[(4, 0), (5, 0), (6, 0), (7, 0)]), Err(Refusal::MyDiscriminator));
        let zero = [(8, 0), (9, 0), (10, 0), (11, 0)];
        assert_eq!(with(&zero), Err(Refusal::YourDiscriminator { state: State::Up }));
        let down = [zero.as_slice(), &[(1, 0x40)]].concat();
        assert!(with(&down).is_ok());
        let mut authenticated = good.clone();
        authenticated[1] |= AUTHENTICATION;
        authenticated[3] = 26;
        authenticated.extend([1, 2]);
        assert_eq!(parse(&authenticated), Err(Refusal::Authentication));
    }

    #[test]
    fn every_truncation_is_refused() {
        let good = hex("20c00318a8778277cbbd124a0001d4c0000186a000000000");
        for length in 0..good.len() {
            assert_eq!(parse(&good[..length]), Err(Refusal::TooShort { found: length }));
        }
    }

    #[test]
    fn intervals_too_long_for_the_wire_are_cut() {
        let mut long = packet(State::Down, 1, 0, 1, 1);
        long.desired_min_tx = Duration::from_secs(100_000);
        assert_eq!(parse(&long.emit()).unwrap().desired_min_tx.as_micros(), u128::from(u32::MAX));
    }
}
