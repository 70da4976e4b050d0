//! One page against one `url` block: status, digest, pattern.

use std::sync::Arc;

use lvs::{RegexConfig, UrlConfig};
use md5::{Digest, Md5};
use sys::pcre2::Regex;

use super::reply::ReplyReader;
use crate::context::Context;
use crate::outcome::Failure;

/// Octets of content that are kept for a pattern. What follows is not searched.
pub(crate) const LONGEST_SEARCHED: usize = 4 * 1024 * 1024;

/// What is known of a page while it comes in.
pub(crate) struct Page<'a> {
    url: &'a UrlConfig,
    reader: ReplyReader,
    digests: Option<Digests>,
    search: Option<Search<'a>>,
}

/// keepalived's digest is of the raw body, the framing of chunks included; what was meant is the content. Both count.
struct Digests {
    raw: Md5,
    content: Md5,
}

struct Search<'a> {
    regex: Arc<Regex>,
    config: &'a RegexConfig,
    content: Vec<u8>,
    cut: bool,
}

impl<'a> Page<'a> {
    /// Fails where the pattern cannot be compiled.
    pub(crate) fn new(url: &'a UrlConfig, context: &Context) -> Result<Self, Failure> {
        let search = match &url.regex {
            None => None,
            Some(config) => {
                let regex =
                    context.regex(config).map_err(|error| Failure::new("Regex match failed", error.to_string()))?;
                Some(Search { regex, config, content: Vec::new(), cut: false })
            }
        };
        let digests = url.digest.map(|_| Digests { raw: Md5::new(), content: Md5::new() });
        Ok(Self { url, reader: ReplyReader::new(), digests, search })
    }

    /// Takes a piece; `true` when the page is complete.
    pub(crate) fn take(&mut self, piece: &[u8]) -> Result<bool, Failure> {
        let taken = self.reader.take(piece).map_err(|why| {
            let seen = String::from_utf8_lossy(self.reader.head().get(..40).unwrap_or(self.reader.head())).into_owned();
            Failure::new("HTTP status code error to", format!("{why}: {seen}"))
        })?;
        if let Some(digests) = &mut self.digests {
            digests.raw.update(&piece[taken.raw.clone()]);
            for range in &taken.content {
                digests.content.update(&piece[range.clone()]);
            }
        }
        if let Some(search) = &mut self.search {
            for range in taken.content {
                let room = LONGEST_SEARCHED - search.content.len();
                search.cut |= range.len() > room;
                search.content.extend_from_slice(&piece[range.start..range.end.min(range.start + room)]);
            }
        }
        Ok(taken.complete)
    }

    /// The connection has ended. A body shorter than announced is accepted, as in keepalived; no head is not.
    pub(crate) fn end(&self) -> Result<(), Failure> {
        match (self.reader.has_head(), self.reader.head().is_empty()) {
            (true, _) => Ok(()),
            // keepalived 2.2.7 says the same of a header without end (observed)
            (false, true) => Err(Failure::new("Read, no data received from ", "")),
            (false, false) => {
                Err(Failure::new("Read, no data received from ", "the connection ended within the header"))
            }
        }
    }

    /// Nothing has come yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.reader.head().is_empty()
    }

    /// What had come when time ran out.
    pub(crate) fn progress(&self) -> String {
        match self.reader.status().filter(|_| self.reader.has_head()) {
            Some(status) => format!("status {status} and {} octets of the body had come", self.reader.body_length()),
            None => format!("{} octets of the header had come", self.reader.head().len()),
        }
    }

    /// Status, then digest, then pattern.
    pub(crate) fn verdict(self) -> Result<(), Failure> {
        let status = self.reader.status().unwrap_or(0);
        if !self.url.status.iter().any(|(first, last)| (*first..=*last).contains(&status)) {
            let wanted: Vec<String> = self
                .url
                .status
                .iter()
                .map(|(first, last)| match first == last {
                    true => first.to_string(),
                    false => format!("{first}-{last}"),
                })
                .collect();
            return Err(Failure::new(
                "HTTP status code error to",
                format!("status {status}, wanted {}", wanted.join(" ")),
            ));
        }
        if let (Some(wanted), Some(digests)) = (&self.url.digest, self.digests) {
            let raw: [u8; 16] = digests.raw.finalize().into();
            let content: [u8; 16] = digests.content.finalize().into();
            if raw != *wanted && content != *wanted {
                return Err(Failure::new("MD5 digest error to", format!("the digest is {}", hexadecimal(&raw))));
            }
        }
        self.search.map_or(Ok(()), Search::verdict)
    }
}

impl Search<'_> {
    fn verdict(self) -> Result<(), Failure> {
        let found = self
            .regex
            .is_match(&self.content, self.config.min_offset, self.config.max_offset)
            .map_err(|error| Failure::new("Regex match failed", error.to_string()))?;
        let cut = if self.cut { " within the first 4 MiB" } else { "" };
        match (found, self.config.no_match) {
            (true, false) | (false, true) => Ok(()),
            (false, false) => Err(Failure::new("Regex match failed", format!("the pattern is not on the page{cut}"))),
            (true, true) => {
                Err(Failure::new("Regex match failed", "the pattern is on the page, and regex_no_match is set"))
            }
        }
    }
}

/// Lower-case hexadecimal digits.
pub(crate) fn hexadecimal(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}
