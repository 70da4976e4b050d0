//! `lb_kind` and its kin.

use ipvs::{Forwarding, Tunnel, TunnelChecksum};
use types::Port;

use crate::lower::context::{Lower, printable};
use crate::tree::Line;

impl<'t> Lower<'t> {
    /// `NAT|DR|TUN [type …] [port …] [csum…]`; `None` after telling.
    pub(super) fn forwarding(&mut self, line: Line<'t>, what: &str) -> Option<Forwarding> {
        let kind = line.word(1)?;
        match kind.text {
            "NAT" => return Some(Forwarding::Masquerade),
            "DR" => return Some(Forwarding::DirectRoute),
            "TUN" => {}
            other => {
                let near = ["NAT", "DR", "TUN"].into_iter().find(|known| known.eq_ignore_ascii_case(other));
                let mut diagnostic = crate::diagnostic::Diagnostic::new(
                    crate::diagnostic::Class::GeneralError,
                    "unknown-method",
                    format!("PARSER : unknown [{}] routing method for {what}.", printable(other)),
                )
                .at(kind.span);
                if let Some(near) = near {
                    diagnostic = diagnostic.help(format!("did you mean '{near}'? The word is in capitals"));
                }
                self.found.push(diagnostic);
                return None;
            }
        }
        let (mut tunnel, mut port, mut checksum) = ("ipip", None, TunnelChecksum::None);
        let mut words = line.arguments().skip(1);
        while let Some(word) = words.next() {
            match word.text {
                "type" => match words.next().map(|word| word.text) {
                    Some(kind @ ("ipip" | "gue" | "gre")) => tunnel = kind,
                    other => {
                        self.general(
                            word.span,
                            format!("Unknown tunnel type {} for {what}.", printable(other.unwrap_or(""))),
                        );
                        return None;
                    }
                },
                "port" => {
                    let value = words.next()?;
                    port = Some(
                        self.count(value, 1..=65_535, |text| format!("Invalid gue tunnel port {text} for {what}."))?
                            as u16,
                    );
                }
                "nocsum" => checksum = TunnelChecksum::None,
                "csum" => checksum = TunnelChecksum::Full,
                "remcsum" => checksum = TunnelChecksum::Remote,
                other => {
                    self.general(word.span, format!("Unknown tunnel option {} for {what}.", printable(other)));
                    return None;
                }
            }
        }
        if (tunnel == "gue") != port.is_some() {
            self.general(line.span(), "gue tunnels require port, otherwise cannot have port.");
            return None;
        }
        if tunnel == "ipip" && checksum != TunnelChecksum::None || tunnel == "gre" && checksum == TunnelChecksum::Remote
        {
            self.general(line.span(), format!("{tunnel} tunnels have no such checksum option."));
            return None;
        }
        Some(Forwarding::Tunnel(match (tunnel, port) {
            ("gue", Some(port)) => Tunnel::Gue { port: Port(port), checksum },
            ("gre", _) => Tunnel::Gre { checksum },
            _ => Tunnel::Ipip,
        }))
    }
}
