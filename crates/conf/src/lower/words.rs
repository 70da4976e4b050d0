//! Words that hold several values: `10.0.0.1-20`, `200-299`, `0x10/0xff`, `02:00:5e:00:01`.
//!
//! Each has one grammar, and a word that is not all of it is refused. Nothing is told here: what is said of a refused word
//! names the keyword, so it is the business of whoever asked.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;

use nom::branch::alt;
use nom::bytes::complete::{take_while_m_n, take_while1};
use nom::character::complete::{char, digit1};
use nom::combinator::{all_consuming, map, map_opt, map_res, opt, rest};
use nom::error::Error;
use nom::multi::{many0, separated_list1};
use nom::sequence::{preceded, separated_pair, terminated};
use nom::{IResult, Parser};
use types::Prefix;

use super::value::{any_base, parse_address, unsigned};

/// A part of a word.
trait Part<'t, T>: Parser<&'t str, Output = T, Error = Error<&'t str>> {}
impl<'t, T, P: Parser<&'t str, Output = T, Error = Error<&'t str>>> Part<'t, T> for P {}

/// Why a word is no range of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoRange {
    /// Its end does not come after its start.
    Backwards,
    /// It is not of that form.
    Malformed,
}

/// `IP`, `IP-IP`, `IP-LAST` (the last octet, or the last group in hexadecimal) or `IP/LENGTH`: first and last address.
pub(super) fn addresses(text: &str) -> Result<(IpAddr, IpAddr), NoRange> {
    let network = map_res(rest, |text: &str| text.parse::<Prefix>().map(|prefix| ends(prefix.network())));
    if let Some(range) = text.contains('/').then(|| whole(network, text)).flatten() {
        return Ok(range);
    }
    let range = separated_pair(any_address, char('-'), alt((map(any_address, Last::Address), map(rest, Last::Part))));
    if let Some((first, last)) = whole(range, text) {
        let last = last.after(first).ok_or(NoRange::Malformed)?;
        return if last > first { Ok((first, last)) } else { Err(NoRange::Backwards) };
    }
    whole(address, text).map(|address| (address, address)).ok_or(NoRange::Malformed)
}

/// `A` or `A-B`, each in `range`.
pub(super) fn number_or_range(text: &str, range: RangeInclusive<u64>) -> Option<(u64, u64)> {
    let (first, last) =
        whole((number(unsigned, range.clone()), opt(preceded(char('-'), number(unsigned, range)))), text)?;
    rising((first, last.unwrap_or(first)))
}

/// `A-B`, each in `range`, in any base; one number alone is none, as with keepalived.
pub(super) fn range(text: &str, range: RangeInclusive<u64>) -> Option<(u64, u64)> {
    let numbers = separated_pair(number(any_base, range.clone()), char('-'), number(any_base, range));
    rising(whole(numbers, text)?)
}

/// `MARK` or `MARK/MASK`; the mask is all ones where it is absent.
pub(super) fn mark_and_mask(text: &str) -> Option<(u32, u32)> {
    let half = || map(number(any_base, 0..=u64::from(u32::MAX)), |number| number as u32);
    let (mark, mask) = whole((half(), opt(preceded(char('/'), half()))), text)?;
    Some((mark, mask.unwrap_or(u32::MAX)))
}

/// `LABEL/LABEL…` of MPLS, 20 bits each.
pub(super) fn mpls_labels(text: &str) -> Option<Vec<u32>> {
    whole(separated_list1(char('/'), map(number(any_base, 0..=0xf_ffff), |label| label as u32)), text)
}

/// `XXXX:XXXX:XXXX:XXXX`, a locator of ILA.
pub(super) fn locator(text: &str) -> Option<u64> {
    let groups = whole(separated_list1(char(':'), hexadecimal_digits(4)), text)?;
    (groups.len() == 4).then(|| groups.into_iter().fold(0, |all, group| all << 16 | u64::from(group)))
}

/// Five or six octets separated by colons.
pub(super) fn hardware_address(text: &str) -> Option<Vec<u8>> {
    let octets = whole(separated_list1(char(':'), map(hexadecimal_digits(2), |octet| octet as u8)), text)?;
    (5..=6).contains(&octets.len()).then_some(octets)
}

/// Octets of two hexadecimal digits each, without anything between them.
pub(super) fn octets(text: &str) -> Option<Vec<u8>> {
    let two = take_while_m_n(2, 2, |c: char| c.is_ascii_hexdigit());
    whole(many0(map_res(two, |digits| u8::from_str_radix(digits, 16))), text)
}

fn whole<'t, T>(part: impl Part<'t, T>, text: &'t str) -> Option<T> {
    all_consuming(part).parse(text).ok().map(|(_, value)| value)
}

fn rising((first, last): (u64, u64)) -> Option<(u64, u64)> {
    (first <= last).then_some((first, last))
}

/// A number as `read` understands it.
fn number<'t, R: Fn(&str, RangeInclusive<u64>) -> Result<u64, super::value::BadNumber>>(
    read: R,
    range: RangeInclusive<u64>,
) -> impl Part<'t, u64> {
    let digits = take_while1(|c: char| c.is_ascii_alphanumeric() || c == '+');
    map_opt(digits, move |digits: &str| read(digits, range.clone()).ok())
}

/// At most four hexadecimal digits.
fn hexadecimal_digits<'t>(most: usize) -> impl Part<'t, u16> {
    let digits = take_while_m_n(1, most, |c: char| c.is_ascii_hexdigit());
    map_res(digits, |digits| u16::from_str_radix(digits, 16))
}

fn address(text: &str) -> IResult<&str, IpAddr> {
    map_opt(take_while1(|c: char| c.is_ascii_hexdigit() || c == ':' || c == '.'), parse_address).parse(text)
}

/// An address; a length after it is passed over.
fn any_address(text: &str) -> IResult<&str, IpAddr> {
    terminated(address, opt((char('/'), digit1))).parse(text)
}

/// How the end of a range is written.
enum Last<'t> {
    Address(IpAddr),
    Part(&'t str),
}

impl Last<'_> {
    /// The end of a range that begins at `first`.
    fn after(self, first: IpAddr) -> Option<IpAddr> {
        match (self, first) {
            (Self::Address(last), first) => (last.is_ipv4() == first.is_ipv4()).then_some(last),
            (Self::Part(octet), IpAddr::V4(first)) => {
                let [a, b, c, _] = first.octets();
                Some(Ipv4Addr::new(a, b, c, unsigned(octet, 0..=255).ok()? as u8).into())
            }
            (Self::Part(group), IpAddr::V6(first)) => {
                let mut segments = first.segments();
                segments[7] = whole(hexadecimal_digits(4), group)?;
                Some(Ipv6Addr::from(segments).into())
            }
        }
    }
}

/// First and last address of a network.
fn ends(network: Prefix) -> (IpAddr, IpAddr) {
    let first = network.address();
    let last = match first {
        IpAddr::V4(address) => {
            let host = u32::MAX.checked_shr(u32::from(network.length())).unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from(u32::from(address) | host))
        }
        IpAddr::V6(address) => {
            let host = u128::MAX.checked_shr(u32::from(network.length())).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from(u128::from(address) | host))
        }
    };
    (first, last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_four_spellings() {
        for (text, expected) in [
            ("10.0.0.1", "10.0.0.1 10.0.0.1"),
            ("10.0.0.1-5", "10.0.0.1 10.0.0.5"),
            ("10.0.0.250-10.0.1.5", "10.0.0.250 10.0.1.5"),
            ("10.0.0.1/24-5", "10.0.0.1 10.0.0.5"),
            ("10.0.2.0/30", "10.0.2.0 10.0.2.3"),
            ("0.0.0.0/0", "0.0.0.0 255.255.255.255"),
            ("2001:db8::1-10", "2001:db8::1 2001:db8::10"),
            ("2001:db8::1-2001:db8::a", "2001:db8::1 2001:db8::a"),
            ("2001:db8::/126", "2001:db8:: 2001:db8::3"),
        ] {
            let found = addresses(text).map(|(first, last)| format!("{first} {last}"));
            assert_eq!(found.as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_range_of_addresses_is_refused() {
        for text in ["10.0.0.9-3", "10.0.0.3-3", "10.0.1.0-10.0.0.9"] {
            assert_eq!(addresses(text), Err(NoRange::Backwards), "{text}");
        }
        for text in [
            "",
            "-",
            "10.0.0.300",
            "10.0.0.1-",
            "10.0.0.1-256",
            "10.0.0.1-::5",
            "::1-g",
            "10.0.0.0/33",
            "10.0.0.1 ",
            "10.0.0.1-5-6",
        ] {
            assert_eq!(addresses(text), Err(NoRange::Malformed), "{text}");
        }
    }

    #[test]
    fn ranges_of_numbers_rise_and_stay_within() {
        assert_eq!(number_or_range("200", 100..=599), Some((200, 200)));
        assert_eq!(number_or_range("200-299", 100..=599), Some((200, 299)));
        assert_eq!(range("0x50-443", 0..=65_535), Some((80, 443)));
        for text in ["299-200", "99", "200-", "-200", "200-299-300", "2xx", ""] {
            assert_eq!(number_or_range(text, 100..=599), None, "{text}");
        }
        assert_eq!(range("80", 0..=65_535), None);
    }

    #[test]
    fn hexadecimal_words_have_neither_signs_nor_gaps() {
        assert_eq!(hardware_address("2:0:5e:00:01"), Some(vec![2, 0, 0x5e, 0, 1]));
        assert_eq!(hardware_address("02:00:5e:00:01:ff").map(|octets| octets.len()), Some(6));
        for text in ["02:00:5e:00", "02:00:5e:00:01:02:03", "02:00:5e:00:+1", "02::5e:00:01", "02:00:5e:00:001"] {
            assert_eq!(hardware_address(text), None, "{text}");
        }
        assert_eq!(locator("2001:db8:0:1"), Some(0x2001_0db8_0000_0001));
        assert_eq!(locator("2001:db8:0"), None);
        assert_eq!((octets("00fF"), octets("")), (Some(vec![0, 255]), Some(Vec::new())));
        for text in ["0", "0g", "+1", "00 ff", "ä"] {
            assert_eq!(octets(text), None, "{text}");
        }
    }

    #[test]
    fn marks_and_labels_are_numbers_in_any_base() {
        assert_eq!(mark_and_mask("0x10/0xff"), Some((16, 255)));
        assert_eq!(mark_and_mask("7"), Some((7, u32::MAX)));
        assert_eq!(mark_and_mask("7/"), None);
        assert_eq!(mpls_labels("100/0x10"), Some(vec![100, 16]));
        assert_eq!(mpls_labels("100//16"), None);
        assert_eq!(mpls_labels("1048576"), None);
    }
}
