//! `authentication` and `auth_hmac`. Secrets never reach a message.

use std::time::Duration;

use types::Secret;
use vrrp::config::{AntiReplay, HmacConfig, HmacMode};

use crate::diagnostic::{Class, Diagnostic};
use crate::lower::context::{Lower, printable};
use crate::lower::system::Fact;
use crate::lower::value::unsigned;
use crate::lower::words::octets;
use crate::source::Span;
use crate::tree::{Block, Line, Word};

/// `authentication { … }`.
#[derive(Debug, Clone, Default)]
pub(in crate::lower) struct PasswordWritten {
    /// `Some(true)` for AH.
    pub(in crate::lower) header: Option<bool>,
    pub(in crate::lower) password: Option<Secret>,
}

/// `auth_hmac { … }`.
#[derive(Debug, Clone)]
pub(in crate::lower) struct HmacWritten {
    pub(in crate::lower) keys: Vec<(u8, Secret)>,
    pub(in crate::lower) active: Option<u8>,
    pub(in crate::lower) window: Option<Duration>,
    pub(in crate::lower) anti_replay: AntiReplay,
    pub(in crate::lower) mode: HmacMode,
    pub(in crate::lower) span: Span,
}

impl HmacWritten {
    /// The configuration, where the active key is one of the keys. `interval` is that of the adverts.
    pub(in crate::lower) fn lower(&self, interval: Duration) -> Option<HmacConfig> {
        let active_key = self.active.filter(|id| self.keys.iter().any(|(known, _)| known == id))?;
        let usual = (interval * 3).clamp(Duration::from_secs(5), Duration::from_secs(300));
        Some(HmacConfig {
            keys: self.keys.clone(),
            active_key,
            time_window: self.window.unwrap_or(usual),
            anti_replay: self.anti_replay,
            mode: self.mode,
        })
    }
}

impl<'t> Lower<'t> {
    pub(super) fn authentication(&mut self, block: Block<'t>, name: &str) -> PasswordWritten {
        let mut written = PasswordWritten::default();
        self.walk("vrrp_instance/authentication", block.lines(), &mut |lower, line, keyword| match (
            keyword,
            line.word(1),
        ) {
            ("auth_type", Some(word)) => match word.text {
                "PASS" => written.header = Some(false),
                "AH" => written.header = Some(true),
                other => {
                    lower.general(word.span, format!("({name}) unknown authentication type '{}'", printable(other)))
                }
            },
            ("auth_pass", Some(word)) => {
                let mut octets = word.text.as_bytes().to_vec();
                if octets.len() > 8 {
                    lower.found.push(
                        Diagnostic::new(Class::GeneralError, "truncated", "Truncating auth_pass to 8 characters")
                            .at(line.keyword().span)
                            .consequence("only the first 8 octets travel; peers must agree on those"),
                    );
                    octets.truncate(8);
                }
                written.password = Some(Secret::new(octets));
            }
            _ => {}
        });
        if written.password.is_some() && written.header.is_none() {
            self.advise_why(
                "no-auth-type",
                block.opening(),
                format!("({name}) auth_pass without auth_type"),
                "adverts carry no password",
                "add auth_type PASS, or remove the block",
            );
        }
        written
    }

    pub(super) fn auth_hmac(&mut self, block: Block<'t>, span: Span, name: &str) -> HmacWritten {
        let mut written = HmacWritten {
            keys: Vec::new(),
            active: None,
            window: None,
            anti_replay: AntiReplay::Time,
            mode: HmacMode::Enforce,
            span,
        };
        self.walk(
            "vrrp_instance/auth_hmac",
            block.lines(),
            &mut |lower, line, keyword| match (keyword, line.word(1)) {
                ("key", Some(id)) => {
                    if let Some((id, key)) = lower.hmac_key(line, id, name) {
                        if written.keys.iter().any(|(known, _)| *known == id) {
                            lower.general(
                                line.keyword().span,
                                format!("({name}) auth_hmac key {id} already defined - ignoring"),
                            );
                        } else {
                            written.keys.push((id, key));
                        }
                    }
                }
                ("active_key", Some(word)) => {
                    let found =
                        lower.count(word, 1..=255, |text| format!("({name}) invalid auth_hmac active_key '{text}'"));
                    written.active = found.map(|id| id as u8).or(written.active);
                }
                ("time_window", Some(word)) => {
                    let found = lower.count(word, 1..=300, |text| {
                        format!("({name}) auth_hmac time_window '{text}' must be between 1 and 300 seconds")
                    });
                    written.window = found.map(Duration::from_secs).or(written.window);
                }
                ("anti_replay", Some(word)) => match word.text {
                    "time" => written.anti_replay = AntiReplay::Time,
                    "monotonic" => written.anti_replay = AntiReplay::Monotonic,
                    other => lower
                        .general(word.span, format!("({name}) unknown auth_hmac anti_replay '{}'", printable(other))),
                },
                ("mode", Some(word)) => match word.text {
                    "enforce" => written.mode = HmacMode::Enforce,
                    "permissive" => written.mode = HmacMode::Permissive,
                    "receive-only" => written.mode = HmacMode::ReceiveOnly,
                    other => {
                        lower.general(word.span, format!("({name}) unknown auth_hmac mode '{}'", printable(other)))
                    }
                },
                _ => {}
            },
        );
        written
    }

    fn hmac_key(&mut self, line: Line<'t>, id: Word<'t>, name: &str) -> Option<(u8, Secret)> {
        let span = line.keyword().span;
        let id = match unsigned(id.text, 1..=255) {
            Ok(id) => id as u8,
            Err(why) => {
                self.bad_number(id.span, why, format!("({name}) invalid auth_hmac key id"));
                return None;
            }
        };
        let Some(secret) = line.word(2) else {
            self.general(span, format!("({name}) auth_hmac key {id} has no secret - ignoring"));
            return None;
        };
        let octets = if let Some(path) = secret.text.strip_prefix("file:") {
            match self.system.key_file(path) {
                Fact::Unknown => vec![0; 32],
                Fact::Known(Err(why)) => {
                    self.general(span, format!("({name}) cannot read auth_hmac key file {}: {why}", printable(path)));
                    return None;
                }
                Fact::Known(Ok(file)) => {
                    if file.readable_by_others {
                        self.found.push(
                            Diagnostic::new(
                                Class::Security,
                                "key-file-permissions",
                                format!(
                                    "({name}) auth_hmac key file {} is accessible by group or others",
                                    printable(path)
                                ),
                            )
                            .at(span)
                            .help(format!("chmod 600 {}", printable(path))),
                        );
                        return None;
                    }
                    let mut content = file.content.expose().to_vec();
                    while content.last().is_some_and(|last| b"\r\n".contains(last)) {
                        content.pop();
                    }
                    match std::str::from_utf8(&content).ok().and_then(|text| text.strip_prefix("hex:")) {
                        Some(digits) => self.hexadecimal(digits, span, name, id)?,
                        None => content,
                    }
                }
            }
        } else if let Some(digits) = secret.text.strip_prefix("hex:") {
            self.hexadecimal(digits, span, name, id)?
        } else {
            secret.text.as_bytes().to_vec()
        };
        if !(32..=64).contains(&octets.len()) {
            self.general(
                span,
                format!("({name}) auth_hmac key {id} must have 32 to 64 octets, not {} - ignoring", octets.len()),
            );
            return None;
        }
        Some((id, Secret::new(octets)))
    }

    fn hexadecimal(&mut self, digits: &str, span: Span, name: &str, id: u8) -> Option<Vec<u8>> {
        let octets = octets(digits);
        if octets.is_none() {
            self.general(
                span,
                format!("({name}) auth_hmac key {id} is no even number of hexadecimal digits - ignoring"),
            );
        }
        octets
    }
}
