//! The configuration as this machine has it: files from the disk, users and interfaces from the system.

mod files;
mod machine;

use std::fmt;
use std::path::{Path, PathBuf};

pub(crate) use files::Files;
pub(crate) use machine::Machine;

use crate::cli::Cli;
use crate::logging::{self, Severity, detail, error};

/// A configuration that was read.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// What it means.
    pub(crate) configuration: conf::Configuration,
    /// What was found on the way: the level, and keepalived's line.
    pub(crate) lines: Vec<(conf::diagnostic::Level, String)>,
    /// What it says that does not hold, without places: lines move, mistakes stay.
    pub(crate) errors: Vec<String>,
    /// Keywords that are not honoured, with the reason.
    pub(crate) not_yet: Vec<(&'static str, &'static str)>,
}

/// There is nothing to read.
#[derive(Debug)]
pub(crate) struct Missing {
    file: String,
    reason: String,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Unable to find configuration file {} ({}): create it, or name another one with -f; `rkeepalived check` tests it",
            self.file, self.reason
        )
    }
}

/// Reads everything that the command line names.
pub(crate) fn load(cli: &Cli) -> Result<Loaded, Missing> {
    if let Err(refused) = files::readable(&cli.file) {
        return Err(Missing { file: cli.file.clone(), reason: refused });
    }
    let outcome = parse(cli);
    let mut lines = Vec::new();
    let mut errors = Vec::new();
    // One line for each diagnostic, in their order.
    let first_lines = conf::render::render(conf::render::Format::Lines, &outcome.diagnostics, outcome.sources());
    for (diagnostic, line) in outcome.diagnostics.iter().zip(first_lines.lines()) {
        let level = diagnostic.class.level();
        if level == conf::diagnostic::Level::Error {
            errors.push(diagnostic.message.clone());
        }
        lines.push((level, line.to_owned()));
    }
    errors.sort_unstable();
    errors.dedup();
    Ok(Loaded { configuration: outcome.configuration, lines, errors, not_yet: outcome.not_yet })
}

/// Reads and lowers, with all that is known of this machine.
pub(crate) fn parse(cli: &Cli) -> conf::Outcome {
    let options = conf::Options {
        read: conf::preprocess::Options {
            config_id: cli.config_id.clone().unwrap_or_else(machine::node_name),
            random_seed: sys::clock::wall_micros(),
            all_checks: cli.all_config,
            ..conf::preprocess::Options::default()
        },
    };
    conf::parse(&cli.file, &options, &mut Files, &Machine)
}

/// Logs what was found.
pub(crate) fn tell(loaded: &Loaded) {
    for (level, line) in &loaded.lines {
        match level {
            conf::diagnostic::Level::Note => detail(line),
            conf::diagnostic::Level::Warning => logging::say(Severity::Warning, line),
            conf::diagnostic::Level::Error => logging::say(Severity::Error, line),
        }
    }
    for (keyword, reason) in &loaded.not_yet {
        error!("'{keyword}' is configured but not honoured by this version of rkeepalived: {reason}");
    }
}

/// `/tmp`, or TMPDIR when it is absolute and a directory.
pub(crate) fn temporary_directory() -> PathBuf {
    match std::env::var_os("TMPDIR").map(PathBuf::from) {
        Some(directory) if directory.is_absolute() && directory.is_dir() => directory,
        _ => PathBuf::from("/tmp"),
    }
}

/// The file of `-g`: `keepalived.log` in the temporary directory where none was named; `infix` goes before the extension.
pub(crate) fn log_path(named: &str, infix: &str) -> PathBuf {
    let path = if named.is_empty() { temporary_directory().join("keepalived.log") } else { PathBuf::from(named) };
    if infix.is_empty() {
        return path;
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let extension = path.extension().map(|extension| format!(".{}", extension.to_string_lossy())).unwrap_or_default();
    path.with_file_name(format!("{stem}{infix}{extension}"))
}

/// `reload_file`: exists while the configuration is being read.
#[derive(Debug)]
pub(crate) struct ReloadMarker(PathBuf);

impl ReloadMarker {
    /// Creates it, where one is configured.
    pub(crate) fn create(global: &conf::Global, pid_file: &Path) -> Option<Self> {
        let path = match global.reload_file.as_ref()? {
            Some(path) => PathBuf::from(path),
            None => pid_file.with_extension("reload"),
        };
        std::fs::File::create(&path).ok().map(|_| Self(path))
    }
}

impl Drop for ReloadMarker {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_log_beside_the_supervisor() {
        assert_eq!(log_path("/var/log/ka.log", "_vrrp"), Path::new("/var/log/ka_vrrp.log"));
        assert_eq!(log_path("/var/log/ka", "_check"), Path::new("/var/log/ka_check"));
    }
}
