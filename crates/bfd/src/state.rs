//! States, diagnostics, and the table that leads from one state to the next.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Session state; the number is the one on the wire (RFC 5880 §4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum State {
    /// 0: held down on purpose.
    AdminDown,
    /// 1.
    Down,
    /// 2: the neighbour is heard.
    Init,
    /// 3: both hear each other.
    Up,
}

impl State {
    /// 0 to 3.
    pub fn number(self) -> u8 {
        match self {
            Self::AdminDown => 0,
            Self::Down => 1,
            Self::Init => 2,
            Self::Up => 3,
        }
    }

    /// From the two bits on the wire; higher bits are not looked at.
    pub fn from_bits(bits: u8) -> Self {
        match bits & 3 {
            0 => Self::AdminDown,
            1 => Self::Down,
            2 => Self::Init,
            _ => Self::Up,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AdminDown => "AdminDown",
            Self::Down => "Down",
            Self::Init => "Init",
            Self::Up => "Up",
        })
    }
}

/// Why a session last left Up (RFC 5880 §4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Diagnostic {
    /// 0.
    None,
    /// 1.
    DetectionTimeExpired,
    /// 2.
    EchoFailed,
    /// 3.
    NeighbourSignalledDown,
    /// 4.
    ForwardingPlaneReset,
    /// 5.
    PathDown,
    /// 6.
    ConcatenatedPathDown,
    /// 7.
    AdministrativelyDown,
    /// 8.
    ReverseConcatenatedPathDown,
    /// 9 to 31: reserved.
    Other(u8),
}

impl Diagnostic {
    /// 0 to 31.
    pub fn number(self) -> u8 {
        match self {
            Self::None => 0,
            Self::DetectionTimeExpired => 1,
            Self::EchoFailed => 2,
            Self::NeighbourSignalledDown => 3,
            Self::ForwardingPlaneReset => 4,
            Self::PathDown => 5,
            Self::ConcatenatedPathDown => 6,
            Self::AdministrativelyDown => 7,
            Self::ReverseConcatenatedPathDown => 8,
            Self::Other(number) => number & 0x1F,
        }
    }

    /// From the five bits on the wire; higher bits are not looked at.
    pub fn from_bits(bits: u8) -> Self {
        match bits & 0x1F {
            0 => Self::None,
            1 => Self::DetectionTimeExpired,
            2 => Self::EchoFailed,
            3 => Self::NeighbourSignalledDown,
            4 => Self::ForwardingPlaneReset,
            5 => Self::PathDown,
            6 => Self::ConcatenatedPathDown,
            7 => Self::AdministrativelyDown,
            8 => Self::ReverseConcatenatedPathDown,
            number => Self::Other(number),
        }
    }
}

/// RFC 5880's names, as log lines spell them.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "No Diagnostic",
            Self::DetectionTimeExpired => "Control Detection Time Expired",
            Self::EchoFailed => "Echo Function Failed",
            Self::NeighbourSignalledDown => "Neighbor Signaled Session Down",
            Self::ForwardingPlaneReset => "Forwarding Plane Reset",
            Self::PathDown => "Path Down",
            Self::ConcatenatedPathDown => "Concatenated Path Down",
            Self::AdministrativelyDown => "Administratively Down",
            Self::ReverseConcatenatedPathDown => "Reverse Concatenated Path Down",
            Self::Other(_) => "Reserved",
        })
    }
}

/// What can move a session to another state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// A packet in which the neighbour is in this state.
    Heard(State),
    /// Nothing was heard for the detection time.
    Expired,
}

/// The state that follows, and the diagnostic to take on, where the state changes (RFC 5880 §6.2, §6.8.4, §6.8.6).
///
/// `None`: nothing changes.
pub(crate) fn next(state: State, input: Input) -> Option<(State, Diagnostic)> {
    use Diagnostic::{DetectionTimeExpired, NeighbourSignalledDown, None as NoDiagnostic};
    use Input::{Expired, Heard};
    use State::{AdminDown, Down, Init, Up};

    match (state, input) {
        (AdminDown, Heard(AdminDown | Down | Init | Up) | Expired) => None,
        (Down, Heard(Down)) => Some((Init, NoDiagnostic)),
        (Down, Heard(Init)) => Some((Up, NoDiagnostic)),
        (Down, Heard(Up | AdminDown) | Expired) => None,
        (Init, Heard(Down)) => None,
        (Init, Heard(Init | Up)) => Some((Up, NoDiagnostic)),
        (Init, Heard(AdminDown)) => Some((Down, NeighbourSignalledDown)),
        (Init, Expired) => Some((Down, DetectionTimeExpired)),
        (Up, Heard(Init | Up)) => None,
        (Up, Heard(Down | AdminDown)) => Some((Down, NeighbourSignalledDown)),
        (Up, Expired) => Some((Down, DetectionTimeExpired)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 5880 §6.2 and §6.8.6: (own state, what happens, state after).
    #[test]
    fn every_pair_of_state_and_input_leads_where_rfc_5880_says() {
        use Input::{Expired, Heard};
        use State::{AdminDown, Down, Init, Up};
        let table = [
            (Down, Heard(Down), Init, Diagnostic::None),
            (Down, Heard(Init), Up, Diagnostic::None),
            (Down, Heard(Up), Down, Diagnostic::None),
            (Down, Heard(AdminDown), Down, Diagnostic::None),
            (Down, Expired, Down, Diagnostic::None),
            (Init, Heard(Down), Init, Diagnostic::None),
            (Init, Heard(Init), Up, Diagnostic::None),
            (Init, Heard(Up), Up, Diagnostic::None),
            (Init, Heard(AdminDown), Down, Diagnostic::NeighbourSignalledDown),
            (Init, Expired, Down, Diagnostic::DetectionTimeExpired),
            (Up, Heard(Down), Down, Diagnostic::NeighbourSignalledDown),
            (Up, Heard(Init), Up, Diagnostic::None),
            (Up, Heard(Up), Up, Diagnostic::None),
            (Up, Heard(AdminDown), Down, Diagnostic::NeighbourSignalledDown),
            (Up, Expired, Down, Diagnostic::DetectionTimeExpired),
            (AdminDown, Heard(Down), AdminDown, Diagnostic::None),
            (AdminDown, Heard(Init), AdminDown, Diagnostic::None),
            (AdminDown, Heard(Up), AdminDown, Diagnostic::None),
            (AdminDown, Heard(AdminDown), AdminDown, Diagnostic::None),
            (AdminDown, Expired, AdminDown, Diagnostic::None),
        ];
        for (state, input, after, diagnostic) in table {
            let expected = (after != state).then_some((after, diagnostic));
            assert_eq!(next(state, input), expected, "{state} {input:?}");
        }
        assert_eq!(table.len(), 4 * 5, "every pair once");
    }

    #[test]
    fn states_and_diagnostics_keep_their_numbers() {
        for number in 0..4 {
            assert_eq!(State::from_bits(number).number(), number);
        }
        for number in 0..32 {
            assert_eq!(Diagnostic::from_bits(number).number(), number);
        }
    }
}
