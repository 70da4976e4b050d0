//! HTTP_GET and SSL_GET: as written.

use lvs::{HttpVersion, RegexConfig};

use crate::lexer::script_words;
use crate::lower::context::{Lower, printable};
use crate::lower::value::switch;
use crate::lower::words::{number_or_range, octets};
use crate::tree::Line;

/// An HTTP checker as written.
pub(super) struct HttpWritten {
    pub(super) tls: bool,
    pub(super) virtual_host: Option<String>,
    pub(super) version: HttpVersion,
    pub(super) sni: bool,
    pub(super) sni_name: Option<String>,
    pub(super) fast_recovery: bool,
    pub(super) tls_compliant: bool,
    pub(super) urls: Vec<UrlWritten>,
}

/// `url` as written.
pub(super) struct UrlWritten {
    pub(super) path: String,
    pub(super) virtual_host: Option<String>,
    pub(super) digest: Option<[u8; 16]>,
    pub(super) status: Vec<(u16, u16)>,
    pub(super) regex: Option<RegexConfig>,
    pub(super) tls_compliant: Option<bool>,
}

impl HttpWritten {
    pub(super) fn new(tls: bool) -> Self {
        Self {
            tls,
            virtual_host: None,
            version: HttpVersion::Http10,
            sni: false,
            sni_name: None,
            fast_recovery: false,
            tls_compliant: false,
            urls: Vec::new(),
        }
    }
}

impl<'t> Lower<'t> {
    pub(super) fn http_line(&mut self, line: Line<'t>, keyword: &'static str, http: &mut HttpWritten) {
        match (keyword, line.word(1)) {
            ("virtualhost", Some(word)) => http.virtual_host = Some(word.text.to_owned()),
            ("http_protocol", Some(word)) => match word.text {
                "1.0" => http.version = HttpVersion::Http10,
                "1.0C" | "1.0c" => http.version = HttpVersion::Http10Close,
                "1.1" => http.version = HttpVersion::Http11,
                other => self.general(word.span, format!("Invalid http_protocol version {}", printable(other))),
            },
            ("sni_name", word) => {
                http.sni = true;
                http.sni_name = word.map(|word| word.text.to_owned());
            }
            ("enable_sni" | "fast_recovery" | "tls_compliant", word) => {
                let value = match word {
                    None => true,
                    Some(word) => match switch(word.text) {
                        Some(value) => value,
                        None => {
                            self.general(word.span, format!("Invalid {keyword} parameter {}", printable(word.text)));
                            return;
                        }
                    },
                };
                match keyword {
                    "enable_sni" => http.sni = value,
                    "fast_recovery" => http.fast_recovery = value,
                    _ => http.tls_compliant = value,
                }
            }
            _ => {}
        }
    }

    pub(super) fn url(&mut self, path: &'static str, line: Line<'t>) -> Option<UrlWritten> {
        let block = line.block()?;
        let mut url = UrlWritten {
            path: String::new(),
            virtual_host: None,
            digest: None,
            status: Vec::new(),
            regex: None,
            tls_compliant: None,
        };
        let mut regex = RegexConfig {
            pattern: String::new(),
            options: Vec::new(),
            no_match: false,
            min_offset: 0,
            max_offset: None,
            stack: None,
        };
        self.walk(path, block.lines(), &mut |lower, line, keyword| match (keyword, line.word(1)) {
            ("path", Some(word)) => url.path = word.text.to_owned(),
            ("virtualhost", Some(word)) => url.virtual_host = Some(word.text.to_owned()),
            ("digest", Some(word)) => match octets(word.text).and_then(|octets| octets.try_into().ok()) {
                Some(octets) => url.digest = Some(octets),
                None => lower.general(
                    word.span,
                    format!("digest '{}' should be 32 hexadecimal digits - ignoring", printable(word.text)),
                ),
            },
            ("status_code", Some(_)) => {
                for word in line.arguments() {
                    match number_or_range(word.text, 100..=599) {
                        Some((low, high)) => url.status.push((low as u16, high as u16)),
                        None => {
                            lower.general(word.span, format!("Invalid HTTP_GET status_code '{}'", printable(word.text)))
                        }
                    }
                }
            }
            ("regex", _) => {
                if let Some(pattern) = script_words(line, &mut lower.found).into_iter().nth(1) {
                    regex.pattern = pattern.text;
                }
            }
            ("regex_no_match", _) => regex.no_match = true,
            ("regex_options", _) => {
                for word in line.arguments() {
                    regex.options.push(word.text.to_owned());
                }
            }
            ("regex_min_offset", Some(word)) => {
                if let Some(offset) =
                    lower.count(word, 0..=u64::from(u32::MAX), |text| format!("Invalid regex_min_offset {text}"))
                {
                    regex.min_offset = offset as usize;
                }
            }
            ("regex_max_offset", Some(word)) => {
                let offset =
                    lower.count(word, 1..=u64::from(u32::MAX), |text| format!("Invalid regex_max_offset {text}"));
                regex.max_offset = offset.map(|offset| offset as usize).or(regex.max_offset);
            }
            ("regex_stack", Some(start)) => {
                let most = line.word(2);
                let start =
                    lower.count(start, 1..=u64::from(u32::MAX), |text| format!("regex_stack start '{text}' invalid"));
                let most = most.and_then(|word| {
                    lower.count(word, 1..=u64::from(u32::MAX), |text| format!("regex_stack maximum '{text}' invalid"))
                });
                if let (Some(start), Some(most)) = (start, most) {
                    regex.stack = Some((start as usize, most as usize));
                }
            }
            ("tls_compliant", word) => {
                url.tls_compliant = Some(word.is_none_or(|word| switch(word.text) != Some(false)))
            }
            _ => {}
        });
        if url.path.is_empty() {
            self.general(block.closing().unwrap_or(line.span()), "HTTP/SSL_GET checker url has no path - ignoring");
            return None;
        }
        if !regex.pattern.is_empty() {
            url.regex = Some(regex);
        }
        Some(url)
    }
}
