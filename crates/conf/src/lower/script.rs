//! Commands: their words, who runs them, and whether others could change them.

use notify::{Script, ScriptUser};

use super::context::{Lower, printable};
use super::system::{Fact, ScriptState};
use crate::diagnostic::{Class, Diagnostic};
use crate::lexer::script_words;
use crate::source::Span;
use crate::tree::Line;

/// Which process runs a script; the two complain separately.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Runner {
    /// The VRRP process, and the supervisor.
    Vrrp,
    /// The checker process.
    Checker,
}

/// What to call a script in keepalived's messages.
#[derive(Debug, Clone, Copy)]
pub(super) enum Role<'n> {
    /// `notify*`, `quorum_*`, FIFO readers.
    Notify,
    /// `vrrp_script NAME`.
    Track(&'n str),
    /// MISC_CHECK.
    Misc,
}

impl<'t> Lower<'t> {
    /// The script of `KEYWORD "COMMAND [ARGS]" [USER [GROUP]]`.
    pub(super) fn script_line(&mut self, line: Line<'t>, runner: Runner) -> Option<Script> {
        let words = script_words(line, &mut self.found);
        let command = words.get(1)?;
        let user = match words.get(2) {
            None => self.default_user(),
            Some(user) => {
                let group = words.get(3).map(|word| word.text.as_str());
                match self.user(&user.text, group, user.span) {
                    Some(user) => user,
                    None => {
                        self.general(
                            command.span,
                            format!("Invalid user/group for notify script {} - ignoring", printable(&command.text)),
                        );
                        return None;
                    }
                }
            }
        };
        self.script(&command.text, user, line.span(), runner, Role::Notify)
    }

    /// The command of `script` or `misc_path`: the first word; more words without quotes are not part of it.
    pub(super) fn command(&mut self, line: Line<'t>) -> Option<String> {
        let words = script_words(line, &mut self.found);
        if words.len() > 2 {
            let quoted = words[1..].iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
            self.advise_why(
                "unquoted-command",
                line.span(),
                format!("only '{}' is run; what follows it is ignored", printable(&words[1].text)),
                "the command runs without its arguments",
                format!("quote the whole command: {} \"{}\"", words[0].text, printable(&quoted)),
            );
        }
        words.into_iter().nth(1).map(|word| word.text).filter(|text| !text.is_empty())
    }

    /// A command with its user, after the checks of script security; `None` when it must not or cannot run.
    pub(super) fn script(
        &mut self,
        text: &str,
        user: ScriptUser,
        span: Span,
        runner: Runner,
        role: Role<'_>,
    ) -> Option<Script> {
        let mut words = command_words(text);
        if words.is_empty() {
            return None;
        }
        let open_only = words[0].starts_with('<');
        if open_only {
            words[0].remove(0);
            if words[0].is_empty() && words.len() > 1 {
                words.remove(0);
            }
        }
        let script = Script { words, text: text.to_owned(), user, open_only };
        if open_only {
            return Some(script);
        }
        let Fact::Known(file) = self.system.script(&script.words[0], &script.user) else {
            return Some(script);
        };
        match file.state {
            ScriptState::NotFound | ScriptState::NotExecutable => match role {
                Role::Track(name) => {
                    self.after(span, format!("Disabling track script {name} since not found/accessible"));
                    None
                }
                Role::Misc => {
                    self.after(span, format!("Disabling misc script {} since not found/accessible", printable(text)));
                    None
                }
                Role::Notify => {
                    self.found.push(
                        Diagnostic::new(
                            Class::Advice,
                            "script-not-found",
                            format!(
                                "check_script_secure could not find script '{}' - disabling",
                                printable(&script.words[0])
                            ),
                        )
                        .about(span)
                        .consequence("nobody will be told by it")
                        .help("create it, or make it executable (chmod +x)"),
                    );
                    None
                }
            },
            ScriptState::Insecure => {
                let path = printable(&script.words[0]);
                if self.global.script_security {
                    self.found.push(
                        Diagnostic::new(
                            Class::Security,
                            "insecure-script",
                            format!("Unsafe permissions found for script '{path}' - disabling."),
                        )
                        .about(span)
                        .help("let root own every part of the path, and nobody else write there"),
                    );
                    return None;
                }
                self.advise_why(
                    "insecure-script",
                    span,
                    format!("Unsafe permissions found for script '{path}'."),
                    "whoever can change it can run commands as root",
                    "let root own every part of the path, and nobody else write there",
                );
                self.note_insecure(&script.user, runner);
                Some(script)
            }
            ScriptState::Secure => {
                self.note_insecure(&script.user, runner);
                Some(script)
            }
        }
    }

    fn note_insecure(&mut self, user: &ScriptUser, runner: Runner) {
        if !self.global.script_security && (user.uid == 0 || user.gid == 0) {
            self.insecure_scripts[runner as usize] = true;
        }
    }

    /// Said once for each process, at the end.
    pub(super) fn tell_insecure_scripts(&mut self) {
        for (runner, what) in [(Runner::Vrrp, "scripts"), (Runner::Checker, "check scripts")] {
            if self.insecure_scripts[runner as usize] {
                self.found.push(
                    Diagnostic::new(
                        Class::Security,
                        "script-security",
                        format!("SECURITY VIOLATION - {what} are being executed but script_security not enabled."),
                    )
                    .consequence("scripts run as root whatever the permissions of their paths")
                    .help("add enable_script_security and script_user to global_defs"),
                );
            }
        }
    }

    /// The user of scripts without one of their own.
    pub(super) fn default_user(&mut self) -> ScriptUser {
        self.ask_for_default_user();
        self.global.script_user.clone().unwrap_or(ScriptUser::ROOT)
    }

    /// `USER [GROUP | :GROUP]`; `None` (untold) where one does not exist.
    pub(super) fn user(&mut self, name: &str, group: Option<&str>, span: Span) -> Option<ScriptUser> {
        let supplementary = self.global.supplementary_groups || group.is_some_and(|group| group.starts_with(':'));
        let mut user = match self.system.user(name, supplementary) {
            Fact::Unknown => return Some(ScriptUser::ROOT),
            Fact::Known(Some(user)) => user,
            Fact::Known(None) => {
                self.found.push(
                    Diagnostic::new(
                        Class::Advice,
                        "no-such-user",
                        format!("Script user '{}' does not exist", printable(name)),
                    )
                    .about(span),
                );
                return None;
            }
        };
        if let Some(group) = group {
            match self.system.group(group.trim_start_matches(':')) {
                Fact::Unknown => {}
                Fact::Known(Some(gid)) => user.gid = gid,
                Fact::Known(None) => {
                    self.found.push(
                        Diagnostic::new(
                            Class::Advice,
                            "no-such-group",
                            format!("Script group '{}' does not exist", printable(group)),
                        )
                        .about(span),
                    );
                    return None;
                }
            }
        }
        Some(user)
    }
}

/// The words of a command: blanks separate, quotes of both kinds join, a backslash takes the next character as it is.
pub(super) fn command_words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut inside = false;
    let mut quote: Option<char> = None;
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                inside = true;
            }
            (None | Some('"'), '\\') => {
                inside = true;
                word.extend(rest.next());
            }
            (None, c) if c.is_whitespace() => {
                if inside {
                    words.push(std::mem::take(&mut word));
                    inside = false;
                }
            }
            (_, c) => {
                word.push(c);
                inside = true;
            }
        }
    }
    if inside {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_split_at_blanks_outside_quotes() {
        assert_eq!(command_words("/usr/bin/pkill -0 nginx"), ["/usr/bin/pkill", "-0", "nginx"]);
        assert_eq!(command_words("/bin/x 'a b' \"c d\" e\\ f ''"), ["/bin/x", "a b", "c d", "e f", ""]);
        assert!(command_words("  ").is_empty());
    }
}
