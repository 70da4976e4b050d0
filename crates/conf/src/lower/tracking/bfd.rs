//! `bfd_instance`.

use std::net::IpAddr;
use std::time::Duration;

use ::bfd::SessionConfig;
use types::Ttl;

use super::{Defined, Definitions};
use crate::lower::context::{Lower, printable};
use crate::lower::value::{decimal, parse_address};
use crate::tree::{Line, Word};

impl<'t> Lower<'t> {
    /// `bfd_instance NAME { … }`.
    pub(in crate::lower) fn bfd_instance(&mut self, line: Line<'t>, definitions: &mut Definitions) {
        let (Some(name), Some(block)) = (line.word(1), line.block()) else { return };
        let name_span = name.span;
        let name = name.text;
        if name.len() > 31 {
            self.general(
                name_span,
                format!(
                    "Configuration error: BFD instance {} name too long (max length is 31 characters) - ignoring",
                    printable(name)
                ),
            );
            return;
        }
        let mut neighbour: Option<IpAddr> = None;
        let mut source = None;
        let mut times = [Duration::from_millis(10), Duration::from_millis(10), Duration::from_secs(1)];
        let (mut multiplier, mut passive, mut ttl, mut max_hops, mut multihop) = (5, false, None, Some(0), false);
        let (mut vrrp, mut checker) = (false, false);
        let (mut weight, mut reverse) = (0, false);
        let mut refused = false;
        self.walk("bfd_instance", block.lines(), &mut |lower, line, keyword| match (keyword, line.word(1)) {
            ("neighbor_ip" | "neighbour_ip", Some(word)) => match parse_address(word.text) {
                Some(address) => neighbour = Some(address),
                None => {
                    refused = true;
                    lower.general(
                        word.span,
                        format!("Configuration error: BFD instance {name} has malformed neighbor address {}, ignoring instance", printable(word.text)),
                    );
                }
            },
            ("source_ip", Some(word)) => match parse_address(word.text) {
                Some(address) => source = Some(address),
                None => lower.general(
                    word.span,
                    format!("Configuration error: BFD instance {name} has malformed source address {}, ignoring", printable(word.text)),
                ),
            },
            ("min_rx", Some(word)) => times[0] = lower.bfd_time(name, keyword, word, 1).unwrap_or(times[0]),
            ("min_tx", Some(word)) => times[1] = lower.bfd_time(name, keyword, word, 1).unwrap_or(times[1]),
            ("idle_tx", Some(word)) => times[2] = lower.bfd_time(name, keyword, word, 1000).unwrap_or(times[2]),
            ("multiplier", Some(word)) => {
                if let Some(value) = lower.count(word, 1..=255, |text| range_text(name, keyword, text, "1-255")) {
                    multiplier = value as u8;
                }
            }
            ("passive", _) => passive = true,
            ("ttl" | "hoplimit", Some(word)) => {
                if let Some(value) = lower.count(word, 1..=255, |text| range_text(name, "ttl/hoplimit", text, "1-255")) {
                    ttl = Some(Ttl(value as u8));
                }
            }
            ("max_hops", Some(word)) => {
                if let Some(value) = lower.integer(word, -1..=255, |text| range_text(name, keyword, text, "-1-255")) {
                    max_hops = u8::try_from(value).ok();
                }
            }
            ("multihop", _) => {
                if let Some(on) = lower.boolean(line, |text| format!("Configuration error: BFD instance {name} multihop value {text} not valid, ignoring")) {
                    multihop = on;
                }
            }
            ("weight", Some(word)) => {
                if let Some(found) = lower.weight(line, word, 253, |text| range_text(name, keyword, text, "-253-253")) {
                    (weight, reverse) = found;
                }
            }
            ("vrrp", _) => vrrp = true,
            ("checker", _) => checker = true,
            _ => {}
        });
        if refused {
            definitions.bfds.refuse(name);
            return;
        }
        let end = block.closing().unwrap_or(line.span());
        let Some(neighbour) = neighbour else {
            definitions.bfds.refuse(name);
            self.general(
                end,
                format!("Configuration error: BFD instance {name} has no neighbor address set, disabling instance"),
            );
            return;
        };
        if let Some(address) = source
            && address.is_ipv4() != neighbour.is_ipv4()
        {
            self.general(
                end,
                format!("Configuration error: BFD instance {name} source IP address {address} and neighbor IP address {neighbour} families don't match, ignoring source address"),
            );
            source = None;
        }
        if definitions.bfds.contains(name) {
            self.general(name_span, format!("Configuration error: BFD instance {name} already exists. Ignoring..."));
            return;
        }
        if !vrrp && !checker {
            (vrrp, checker) = (true, true);
        }
        let default_ttl = if neighbour.is_ipv4() { 255 } else { 64 };
        let value = SessionConfig {
            name: name.to_owned(),
            neighbour,
            source,
            min_rx: times[0],
            min_tx: times[1],
            idle_tx: times[2],
            multiplier,
            passive,
            ttl: ttl.unwrap_or(Ttl(default_ttl)),
            max_hops,
            multihop,
            vrrp,
            checker,
        };
        definitions.bfds.add(name, Defined { value, weight, reverse, span: line.span() });
    }

    /// Milliseconds with three decimals.
    fn bfd_time(&mut self, name: &str, keyword: &str, word: Word<'t>, least: u64) -> Option<Duration> {
        match decimal(word.text, 3, least * 1000..=4_294_967_000) {
            Ok((micros, _)) => Some(Duration::from_micros(micros)),
            Err(why) => {
                let message = format!(
                    "Configuration error: BFD instance {name} {keyword} value {} is not valid (must be in range [{least}-4294967]), ignoring",
                    printable(word.text)
                );
                self.bad_number(word.span, why, message);
                None
            }
        }
    }
}

fn range_text(name: &str, keyword: &str, text: &str, range: &str) -> String {
    format!(
        "Configuration error: BFD instance {name} {keyword} value {text} not valid (must be in range [{range}]), ignoring"
    )
}
