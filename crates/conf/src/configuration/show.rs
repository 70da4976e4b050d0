//! The effective configuration as keepalived.conf text and as JSON. Parsing the text again gives the same configuration.
//!
//! Everything is written out: no default is left to the reader, inherited values stand where they apply.

mod checker;
mod global;
mod instance;
mod line;
mod tracking;

use std::fmt::Write;

use types::Secret;
use vrrp::config::Authentication;

use super::Configuration;

/// Whether passwords and keys are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrets {
    /// As stars; the text is for reading, not for parsing again.
    Masked,
    /// In clear; for files that only root reads.
    Plain,
}

impl Configuration {
    /// As keepalived.conf text.
    pub fn to_conf(&self, secrets: Secrets) -> String {
        let masked;
        let shown = match secrets {
            Secrets::Plain => self,
            Secrets::Masked => {
                masked = self.with_masked_secrets();
                &masked
            }
        };
        let mut out = Out::default();
        global::write(&mut out, shown);
        tracking::write(&mut out, shown);
        instance::write(&mut out, shown);
        checker::write(&mut out, shown);
        out.text
    }

    /// As one JSON document.
    pub fn to_json(&self, secrets: Secrets) -> String {
        let masked;
        let shown = match secrets {
            Secrets::Plain => self,
            Secrets::Masked => {
                masked = self.with_masked_secrets();
                &masked
            }
        };
        serde_json::to_string_pretty(shown).unwrap_or_else(|why| format!("{{\"error\":\"{why}\"}}"))
    }

    /// The same with every password and key replaced by stars.
    pub fn with_masked_secrets(&self) -> Self {
        let mut masked = self.clone();
        let stars = || Secret::new(b"********".to_vec());
        for instance in &mut masked.vrrp.brain.instances {
            match &mut instance.authentication {
                Authentication::None => {}
                Authentication::Password(secret) | Authentication::AuthenticationHeader(secret) => *secret = stars(),
                Authentication::Hmac(hmac) => {
                    for (_, key) in &mut hmac.keys {
                        *key = stars();
                    }
                }
            }
        }
        if let Some(ssl) = &mut masked.checker.brain.ssl
            && let Some(password) = &mut ssl.password
        {
            *password = stars();
        }
        masked
    }
}

/// Text with indentation by block.
#[derive(Debug, Default)]
struct Out {
    text: String,
    depth: usize,
}

impl Out {
    fn line(&mut self, text: impl AsRef<str>) {
        for _ in 0..self.depth {
            self.text.push_str("    ");
        }
        self.text.push_str(text.as_ref());
        self.text.push('\n');
    }

    /// `KEYWORD VALUE` where there is a value.
    fn value<T: std::fmt::Display>(&mut self, keyword: &str, value: Option<T>) {
        if let Some(value) = value {
            self.line(format!("{keyword} {value}"));
        }
    }

    /// `KEYWORD` where it holds.
    fn flag(&mut self, keyword: &str, holds: bool) {
        if holds {
            self.line(keyword);
        }
    }

    fn block(&mut self, head: impl AsRef<str>, inside: impl FnOnce(&mut Self)) {
        self.line(format!("{} {{", head.as_ref()));
        self.depth += 1;
        inside(self);
        self.depth -= 1;
        self.line("}");
        if self.depth == 0 {
            self.text.push('\n');
        }
    }
}

/// A word, in quotes where a blank or a comment sign asks for them.
fn word(text: &str) -> String {
    if text.is_empty() || text.contains(|c: char| c.is_whitespace() || "#!{}".contains(c)) {
        format!("\"{text}\"")
    } else {
        text.to_owned()
    }
}

/// A script's command in double quotes, with escapes.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}

/// `UID GID`, the group marked where supplementary groups go along.
fn user(user: &notify::ScriptUser) -> String {
    let mut text = String::new();
    let _ = write!(text, "{} {}{}", user.uid, if user.groups.is_empty() { "" } else { ":" }, user.gid);
    text
}

/// `KEYWORD "COMMAND" UID GID`.
fn script(out: &mut Out, keyword: &str, script: Option<&notify::Script>) {
    if let Some(script) = script {
        out.line(format!("{keyword} {} {}", quoted(&script.text), user(&script.user)));
    }
}

/// Seconds with as many decimals as needed.
fn seconds(duration: std::time::Duration) -> String {
    let micros = duration.subsec_micros();
    if micros == 0 {
        return duration.as_secs().to_string();
    }
    let text = format!("{}.{micros:06}", duration.as_secs());
    text.trim_end_matches('0').to_owned()
}

fn on_off(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}
