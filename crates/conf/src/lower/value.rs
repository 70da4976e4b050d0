//! Single values: numbers, times, switches, addresses.
//!
//! A refusal carries keepalived's own words about the number ("number '0' outside range [1, 255]"); the keyword's words come from
//! whoever asked, and both go into one diagnostic.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;
use std::time::Duration;

use types::{IfName, Prefix};

use super::context::{Lower, printable};
use super::system::Fact;
use crate::diagnostic::{Class, Diagnostic};
use crate::source::Span;
use crate::tree::{Line, Word};

/// Why a word is no such number, in keepalived's words.
pub(super) struct BadNumber(pub(super) String);

/// Largest time that keepalived's unsigned microseconds hold, 4294.967295 s.
pub(super) const TIMER_MAX: u64 = 4_294_967_295;
/// Largest delay of a checker.
pub(super) const DELAY_MAX: u64 = 18_446_744_073_709_551_614;

/// An unsigned number in decimal.
pub(super) fn unsigned(text: &str, range: RangeInclusive<u64>) -> Result<u64, BadNumber> {
    number(text, 10, range)
}

/// An unsigned number: decimal, `0x` or octal.
pub(super) fn any_base(text: &str, range: RangeInclusive<u64>) -> Result<u64, BadNumber> {
    if let Some(hexadecimal) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return number(hexadecimal, 16, range);
    }
    match text.strip_prefix('0') {
        Some(octal) if !octal.is_empty() => number(octal, 8, range),
        _ => number(text, 10, range),
    }
}

fn number(text: &str, base: u32, range: RangeInclusive<u64>) -> Result<u64, BadNumber> {
    if text.starts_with('-') && text.len() > 1 && text[1..].bytes().all(|b| b.is_ascii_digit()) {
        return Err(BadNumber(format!("negative number '{text}'")));
    }
    let digits = text.strip_prefix('+').unwrap_or(text);
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(base)) {
        return Err(BadNumber(format!("invalid number '{}'", printable(text))));
    }
    match u64::from_str_radix(digits, base) {
        Ok(value) if range.contains(&value) => Ok(value),
        Ok(value) if value <= u64::from(u32::MAX) || *range.end() > u64::from(u32::MAX) => {
            Err(BadNumber(format!("number '{text}' outside range [{}, {}]", range.start(), range.end())))
        }
        _ => Err(BadNumber(format!("number '{}' outside unsigned integer range", printable(text)))),
    }
}

/// A signed number in decimal.
pub(super) fn signed(text: &str, range: RangeInclusive<i64>) -> Result<i64, BadNumber> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(BadNumber(format!("invalid number '{}'", printable(text))));
    }
    match text.parse::<i64>() {
        Ok(value) if range.contains(&value) => Ok(value),
        Ok(value) if i32::try_from(value).is_ok() => {
            Err(BadNumber(format!("number '{text}' outside range [{}, {}]", range.start(), range.end())))
        }
        _ => Err(BadNumber(format!("number '{}' outside integer range", printable(text)))),
    }
}

/// A decimal number in units of 10^-`places`, and whether surplus places were rounded away.
pub(super) fn decimal(text: &str, places: usize, range: RangeInclusive<u64>) -> Result<(u64, bool), BadNumber> {
    if text.starts_with('-') && text.len() > 1 {
        return Err(BadNumber(format!("negative number '{}'", printable(text))));
    }
    let plain = text.strip_prefix('+').unwrap_or(text);
    let (whole, fraction) = plain.split_once('.').unwrap_or((plain, ""));
    let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !all_digits(whole) || !all_digits(fraction) {
        return Err(BadNumber(format!("invalid number '{}'", printable(text))));
    }
    let unit = 10u64.pow(places as u32);
    let outside = || {
        let show = |value: u64| format!("{}.{:0width$}", value / unit, value % unit, width = places);
        BadNumber(format!(
            "number '{}' outside range [{}, {}]",
            printable(text),
            show(*range.start()),
            show(*range.end())
        ))
    };
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| outside())? };
    let mut value = whole.checked_mul(unit).ok_or_else(outside)?;
    let kept = &fraction[..fraction.len().min(places)];
    let mut part: u64 = if kept.is_empty() { 0 } else { kept.parse().unwrap_or(0) };
    for _ in kept.len()..places {
        part *= 10;
    }
    let surplus = &fraction[kept.len()..];
    if surplus.starts_with(|c| ('5'..='9').contains(&c)) {
        part += 1;
    }
    value = value.checked_add(part).ok_or_else(outside)?;
    if range.contains(&value) { Ok((value, !surplus.is_empty())) } else { Err(outside()) }
}

/// `true`, `on`, `yes`, `false`, `off`, `no`.
pub(super) fn switch(text: &str) -> Option<bool> {
    match text {
        "true" | "on" | "yes" => Some(true),
        "false" | "off" | "no" => Some(false),
        _ => None,
    }
}

impl<'t> Lower<'t> {
    /// A refused number with the keyword's own words as the first line.
    pub(super) fn bad_number(&mut self, span: Span, why: BadNumber, message: impl Into<String>) {
        let message = message.into();
        let diagnostic = if message.is_empty() {
            Diagnostic::new(Class::InvalidNumber, "invalid-number", why.0).at(span)
        } else {
            Diagnostic::new(Class::InvalidNumber, "invalid-number", message).at(span).label(why.0)
        };
        self.found.push(diagnostic);
    }

    /// A time in seconds with up to six decimals, `range` in microseconds; `None` after telling with `message`.
    pub(super) fn timer(
        &mut self,
        word: Word<'t>,
        range: RangeInclusive<u64>,
        message: impl FnOnce(&str) -> String,
    ) -> Option<Duration> {
        match decimal(word.text, 6, range) {
            Ok((micros, rounded)) => {
                if rounded {
                    self.error(
                        Class::InvalidNumber,
                        "rounded",
                        word.span,
                        format!("number '{}' has too many decimal places", word.text),
                    );
                }
                Some(Duration::from_micros(micros))
            }
            Err(why) => {
                self.bad_number(word.span, why, message(&printable(word.text)));
                None
            }
        }
    }

    /// A number that fits the range; `None` after telling with `message`.
    pub(super) fn count(
        &mut self,
        word: Word<'t>,
        range: RangeInclusive<u64>,
        message: impl FnOnce(&str) -> String,
    ) -> Option<u64> {
        match unsigned(word.text, range) {
            Ok(value) => Some(value),
            Err(why) => {
                self.bad_number(word.span, why, message(&printable(word.text)));
                None
            }
        }
    }

    /// A signed number that fits the range; `None` after telling with `message`.
    pub(super) fn integer(
        &mut self,
        word: Word<'t>,
        range: RangeInclusive<i64>,
        message: impl FnOnce(&str) -> String,
    ) -> Option<i64> {
        match signed(word.text, range) {
            Ok(value) => Some(value),
            Err(why) => {
                self.bad_number(word.span, why, message(&printable(word.text)));
                None
            }
        }
    }

    /// The switch of a line, true where no word follows; `None` after telling with `message`.
    pub(super) fn boolean(&mut self, line: Line<'t>, message: impl FnOnce(&str) -> String) -> Option<bool> {
        let Some(word) = line.word(1) else { return Some(true) };
        let value = switch(word.text);
        if value.is_none() {
            self.general(word.span, message(&printable(word.text)));
        }
        value
    }

    /// An interface name that the kernel could have, whether or not it exists now.
    pub(super) fn interface_name(&mut self, word: Word<'t>) -> Option<IfName> {
        match word.text.parse::<IfName>() {
            Ok(name) => Some(name),
            Err(_) => {
                self.general(
                    word.span,
                    format!("Interface name '{}' is too long or has invalid characters", printable(word.text)),
                );
                None
            }
        }
    }

    /// An interface that should exist. Where it does not (and `dynamic_interfaces` does not say that it may come), keepalived's
    /// warning with `what` for what names it; the configuration keeps it all the same.
    pub(super) fn interface(&mut self, word: Word<'t>, what: &str) -> Option<IfName> {
        self.interface_told(word, |name| format!("WARNING - interface {name} for {what} doesn't exist"))
    }

    /// As [`Lower::interface`] with other words.
    pub(super) fn interface_told(&mut self, word: Word<'t>, message: impl FnOnce(&str) -> String) -> Option<IfName> {
        if !self.global.dynamic_interfaces && self.system.interface_exists(word.text) == Fact::Known(false) {
            self.missing_interface = true;
            self.general(word.span, message(&printable(word.text)));
        }
        word.text.parse().ok()
    }

    /// `IP[/LEN]`: a wrong length becomes the longest, as keepalived does. `None` (untold) when the address itself is none.
    pub(super) fn prefix(&mut self, word: Word<'t>) -> Option<Prefix> {
        let (address, length) = match word.text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (word.text, None),
        };
        let parsed = parse_address(address);
        let longest = match parsed {
            Some(IpAddr::V6(_)) => 128,
            Some(IpAddr::V4(_)) => 32,
            None if address.contains(':') => 128,
            None => 32,
        };
        let length = match length {
            None => longest,
            Some(text) => match unsigned(text, 0..=longest) {
                Ok(length) => length,
                Err(why) => {
                    let message = format!(
                        "Invalid address prefix len {} for address {} - using {longest}",
                        printable(text),
                        printable(word.text)
                    );
                    self.bad_number(word.span, why, message);
                    longest
                }
            },
        };
        Prefix::new(parsed?, length as u8).ok()
    }
}

/// A single address. `/LENGTH` after it is passed over, as keepalived does.
pub(super) fn parse_address(text: &str) -> Option<IpAddr> {
    let text = text.split_once('/').map_or(text, |(address, _)| address);
    if text.contains(':') {
        text.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
    } else {
        text.parse::<Ipv4Addr>().ok().map(IpAddr::V4)
    }
}
