//! `vrrp_script`, `track_file`, `vrrp_track_process`.

use std::time::Duration;

use vrrp::config::{InitFile, ParameterMatch, ScriptConfig, TrackFileConfig, TrackProcessConfig};

use super::{Defined, Definitions, ScriptDefinition};
use crate::lexer::script_words;
use crate::lower::context::{Lower, printable};
use crate::lower::value::{any_base, signed};
use crate::tree::{Line, Word};

impl<'t> Lower<'t> {
    /// `vrrp_script NAME { … }`.
    pub(in crate::lower) fn vrrp_script(&mut self, line: Line<'t>, definitions: &mut Definitions) {
        let (Some(name), Some(block)) = (line.word(1), line.block()) else { return };
        let name = name.text;
        let mut command: Option<String> = None;
        let mut user = None;
        let mut refused_user = false;
        let mut config = ScriptConfig {
            name: name.to_owned(),
            command: String::new(),
            interval: Duration::from_secs(1),
            timeout: Duration::ZERO,
            rise: 1,
            fall: 1,
            init_fail: false,
        };
        let (mut weight, mut reverse) = (0, false);
        self.walk("vrrp_script", block.lines(), &mut |lower, line, keyword| match (keyword, line.word(1)) {
            ("script", _) => match lower.command(line) {
                Some(_) if command.is_some() => {
                    lower.general(line.span(), format!("({name}) script already specified - ignoring"));
                }
                Some(text) => command = Some(text),
                None => {}
            },
            ("interval", Some(word)) => {
                if let Some(time) = lower.script_time(word, |text| {
                    format!("({name}): vrrp script interval '{text}' must be between 1 and 4294 - ignoring")
                }) {
                    config.interval = time;
                }
            }
            ("timeout", Some(word)) => {
                if let Some(time) =
                    lower.script_time(word, |text| format!("({name}): vrrp script timeout '{text}' invalid - ignoring"))
                {
                    config.timeout = time;
                }
            }
            ("weight", Some(word)) => {
                if let Some((value, reversed)) = lower
                    .weight(line, word, 253, |text| format!("vrrp_script {name} weight {text} must be in [-253, 253]"))
                {
                    (weight, reverse) = (value, reversed);
                }
            }
            ("rise" | "fall", Some(word)) => {
                let value = lower
                    .count(word, 1..=i32::MAX as u64, |text| {
                        format!("({name}): vrrp script {keyword} value '{text}' invalid, defaulting to 1")
                    })
                    .unwrap_or(1) as u32;
                if keyword == "rise" {
                    config.rise = value;
                } else {
                    config.fall = value;
                }
            }
            ("user", Some(word)) => match lower.user(word.text, line.word(2).map(|word| word.text), word.span) {
                Some(found) => user = Some(found),
                None => {
                    refused_user = true;
                    let text = command.clone().unwrap_or_default();
                    lower.general(word.span, format!("Unable to set uid/gid for script '{}'", printable(&text)));
                }
            },
            ("init_fail", _) => config.init_fail = true,
            _ => {}
        });
        let end = block.closing().unwrap_or(line.span());
        let Some(command) = command else {
            self.general(end, format!("No script set for vrrp_script {name} - removing"));
            return;
        };
        if refused_user {
            return;
        }
        let user = match user.or_else(|| self.script_user_or_tell(end)) {
            Some(user) => user,
            None => {
                self.general(end, format!("Unable to set default user for vrrp script {name} - removing"));
                return;
            }
        };
        if definitions.scripts.contains(name) {
            self.general(line.span(), format!("Script {name} already defined - ignoring"));
            return;
        }
        config.command = command;
        if config.timeout.is_zero() {
            config.timeout = config.interval;
        } else if config.timeout > config.interval {
            self.advise_why(
                "timeout-above-interval",
                line.span(),
                format!("vrrp_script {name}: its timeout is longer than its interval"),
                "a run that is still going when the next is due delays it",
                "make the timeout at most the interval",
            );
        }
        let span = line.span();
        definitions.scripts.add(name, Defined { value: ScriptDefinition { config, user }, weight, reverse, span });
    }

    /// Seconds with three decimals; 0 counts as one second.
    fn script_time(&mut self, word: Word<'t>, message: impl FnOnce(&str) -> String) -> Option<Duration> {
        let time = self.timer(word, 0..=4_294_000_000, message)?;
        let time = Duration::from_millis(u64::try_from(time.as_micros()).unwrap_or(u64::MAX).div_ceil(1000));
        Some(if time.is_zero() { Duration::from_secs(1) } else { time })
    }

    /// `N [reverse]`.
    pub(in crate::lower) fn weight(
        &mut self,
        line: Line<'t>,
        word: Word<'t>,
        limit: i64,
        message: impl FnOnce(&str) -> String,
    ) -> Option<(i64, bool)> {
        let reverse = match line.word(2) {
            None => false,
            Some(word) if word.text == "reverse" => true,
            Some(word) if word.text == "noreverse" => false,
            Some(word) => {
                self.general(word.span, format!("Unknown option {} after weight", printable(word.text)));
                false
            }
        };
        match signed(word.text, -limit..=limit) {
            Ok(weight) => Some((weight, reverse)),
            Err(why) => {
                self.bad_number(word.span, why, message(&printable(word.text)));
                None
            }
        }
    }

    /// `track_file NAME { … }` (and the old `vrrp_track_file`).
    pub(in crate::lower) fn track_file(&mut self, line: Line<'t>, definitions: &mut Definitions) {
        let (Some(name), Some(block)) = (line.word(1), line.block()) else { return };
        let name = name.text;
        let mut path: Option<String> = None;
        let (mut weight, mut reverse) = (1, false);
        let mut init = None;
        self.walk("track_file", block.lines(), &mut |lower, line, keyword| match (keyword, line.word(1)) {
            ("file", Some(word)) => {
                if path.is_some() {
                    lower.general(
                        word.span,
                        format!("File already set for track file {name} - ignoring {}", printable(word.text)),
                    );
                } else {
                    path = Some(word.text.to_owned());
                }
            }
            ("weight", Some(word)) => {
                if let Some(found) = lower.weight(line, word, 254, |text| {
                    format!("Weight ({text}) for track_file {name} must be between [-254..254] inclusive. Ignoring...")
                }) {
                    (weight, reverse) = found;
                }
            }
            ("init_file", _) => init = lower.init_file(line, name),
            _ => {}
        });
        let Some(path) = path else {
            let end = block.closing().unwrap_or(line.span());
            self.general(end, format!("No file set for track_file {name} - ignoring"));
            return;
        };
        if definitions.files.contains(name) {
            self.general(line.span(), format!("Track file {name} already defined - ignoring"));
            return;
        }
        let value = TrackFileConfig { name: name.to_owned(), path, init };
        definitions.files.add(name, Defined { value, weight, reverse, span: line.span() });
    }

    fn init_file(&mut self, line: Line<'t>, name: &str) -> Option<InitFile> {
        let mut init = InitFile { value: 0, overwrite: false };
        for word in line.arguments() {
            if word.text == "overwrite" {
                init.overwrite = true;
            } else if word.text.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '+') {
                let (text, negative) = match word.text.strip_prefix('-') {
                    Some(text) => (text, true),
                    None => (word.text, false),
                };
                match any_base(text, 0..=i32::MAX as u64) {
                    Ok(value) => init.value = if negative { -(value as i64) } else { value as i64 },
                    Err(why) => {
                        let message = format!("Track file {name} init value {} is invalid", printable(word.text));
                        self.bad_number(word.span, why, message);
                    }
                }
            } else {
                self.general(word.span, format!("Unknown track file init option {}", printable(word.text)));
            }
        }
        Some(init)
    }

    /// `vrrp_track_process NAME { … }`.
    pub(in crate::lower) fn track_process(&mut self, line: Line<'t>, definitions: &mut Definitions) {
        let (Some(name), Some(block)) = (line.word(1), line.block()) else { return };
        let name = name.text;
        let mut config = TrackProcessConfig {
            name: name.to_owned(),
            process: String::new(),
            parameters: Vec::new(),
            parameter_match: ParameterMatch::None,
            full_command: false,
            quorum: 1,
            quorum_max: None,
            fork_delay: Duration::ZERO,
            terminate_delay: Duration::ZERO,
        };
        let (mut weight, mut reverse) = (0, false);
        self.walk("vrrp_track_process", block.lines(), &mut |lower, line, keyword| match (keyword, line.word(1)) {
            ("process", Some(_)) => {
                let mut words = script_words(line, &mut lower.found).into_iter().skip(1).map(|word| word.text);
                config.process = words.next().unwrap_or_default();
                config.parameters = words.collect();
                if !config.parameters.is_empty() {
                    config.full_command = true;
                    if config.parameter_match == ParameterMatch::None {
                        config.parameter_match = ParameterMatch::Exact;
                    }
                }
            }
            ("param_match", word) => {
                config.parameter_match = match word.map(|word| word.text) {
                    None => ParameterMatch::Exact,
                    Some("initial") => ParameterMatch::Initial,
                    Some("partial") => ParameterMatch::Partial,
                    Some(other) => {
                        lower.general(line.span(), format!("Unknown param_match type {} - ignoring", printable(other)));
                        return;
                    }
                };
            }
            ("weight", Some(word)) => {
                if let Some(found) = lower.weight(line, word, 254, |text| {
                    format!("Weight ({text}) for vrrp_track_process {name} must be between [-254..254] inclusive. Ignoring...")
                }) {
                    (weight, reverse) = found;
                }
            }
            ("quorum", Some(word)) => {
                if let Some(count) = lower.count(word, 1..=65_535, |text| {
                    format!("Quorum ({text}) for vrrp_track_process {name} must be between [1..65535] inclusive. Ignoring...")
                }) {
                    config.quorum = count as u32;
                }
            }
            ("quorum_max", Some(word)) => {
                if let Some(count) = lower.count(word, 0..=65_535, |text| {
                    format!("Quorum max ({text}) for vrrp_track_process {name} must be between [0..65535] inclusive. Ignoring...")
                }) {
                    config.quorum_max = Some(count as u32);
                }
            }
            ("delay" | "fork_delay" | "terminate_delay", Some(word)) => {
                if let Some(delay) = lower.timer(word, 1..=3_600_000_000, |text| {
                    format!("{keyword} ({text}) for vrrp_track_process {name} must be between [0.000001..3600] inclusive. Ignoring...")
                }) {
                    if keyword != "terminate_delay" {
                        config.fork_delay = delay;
                    }
                    if keyword != "fork_delay" {
                        config.terminate_delay = delay;
                    }
                }
            }
            ("full_command", _) => config.full_command = true,
            _ => {}
        });
        let end = block.closing().unwrap_or(line.span());
        if config.process.is_empty() {
            self.general(end, format!("track process '{name}' process name not specified"));
            return;
        }
        if config.quorum_max.is_some_and(|most| most > 0 && most < config.quorum) {
            self.general(end, format!("quorum_max for track process {name} is less than quorum - ignoring quorum_max"));
            config.quorum_max = None;
        }
        if config.quorum_max == Some(0) {
            config.quorum = 0;
        }
        if definitions.processes.contains(name) {
            self.general(line.span(), format!("Process {name} already defined - ignoring"));
            return;
        }
        definitions.processes.add(name, Defined { value: config, weight, reverse, span: line.span() });
    }
}
