//! The command line: keepalived's options, then our own sub-commands.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgAction, CommandFactory, FromArgMatches, Parser, Subcommand};
use types::Facility;

/// Where the configuration is when `-f` is not given.
pub(crate) const DEFAULT_FILE: &str = "/etc/keepalived/keepalived.conf";

/// Everything that may stand on the command line.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "rkeepalived",
    about = "Virtual IPs that stay up: VRRP, IPVS and health checks, as a drop-in replacement for keepalived",
    disable_help_flag = true,
    disable_version_flag = true,
    disable_help_subcommand = true,
    infer_long_args = true,
    args_conflicts_with_subcommands = false
)]
pub(crate) struct Cli {
    /// Use this configuration file (may be a pattern)
    #[arg(short = 'f', long = "use-file", value_name = "FILE", default_value = DEFAULT_FILE)]
    pub(crate) file: String,
    /// Run only VRRP
    #[arg(short = 'P', long = "vrrp")]
    pub(crate) only_vrrp: bool,
    /// Run only the health checkers
    #[arg(short = 'C', long = "check")]
    pub(crate) only_checkers: bool,
    /// Never run BFD
    #[arg(short = 'B', long = "no_bfd")]
    pub(crate) no_bfd: bool,
    /// Run every process, even one without configuration
    #[arg(long = "all")]
    pub(crate) all: bool,
    /// With -n: log to the terminal too
    #[arg(short = 'l', long = "log-console")]
    pub(crate) log_console: bool,
    /// Log details; twice for debugging
    #[arg(short = 'D', long = "log-detail", action = ArgAction::Count)]
    pub(crate) log_detail: u8,
    /// Syslog facility: 0-7, local0-local7, user or daemon
    #[arg(short = 'S', long = "log-facility", value_name = "FACILITY")]
    pub(crate) facility: Option<Facility>,
    /// Log to a file too (keepalived.log in the temporary directory; children insert _vrrp, _check, _bfd)
    #[arg(short = 'g', long = "log-file", value_name = "FILE", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    pub(crate) log_file: Option<String>,
    /// Write the log file after each line
    #[arg(long = "flush-log-file")]
    pub(crate) flush_log_file: bool,
    /// Do not log to syslog
    #[arg(short = 'G', long = "no-syslog")]
    pub(crate) no_syslog: bool,
    /// File creation mask; wins over the configuration
    #[arg(short = 'u', long = "umask", value_name = "MASK", value_parser = parse_umask)]
    pub(crate) umask: Option<u32>,
    /// Drop addresses when ended by a signal
    #[arg(short = 'X', long = "release-vips")]
    pub(crate) release_vips: bool,
    /// Leave addresses and routes in place at stop
    #[arg(short = 'V', long = "dont-release-vrrp")]
    pub(crate) keep_vrrp: bool,
    /// Leave the IPVS table in place at stop
    #[arg(short = 'I', long = "dont-release-ipvs")]
    pub(crate) keep_ipvs: bool,
    /// Stop when a child dies instead of starting it again
    #[arg(short = 'R', long = "dont-respawn")]
    pub(crate) no_respawn: bool,
    /// Stay in the foreground
    #[arg(short = 'n', long = "dont-fork")]
    pub(crate) foreground: bool,
    /// Log the configuration at start
    #[arg(short = 'd', long = "dump-conf")]
    pub(crate) dump_configuration: bool,
    /// Pid file of the supervisor
    #[arg(short = 'p', long = "pid", value_name = "FILE")]
    pub(crate) pid_file: Option<PathBuf>,
    /// Pid file of the VRRP process
    #[arg(short = 'r', long = "vrrp_pid", value_name = "FILE")]
    pub(crate) vrrp_pid_file: Option<PathBuf>,
    /// Pid file of the checker process
    #[arg(short = 'c', long = "checkers_pid", value_name = "FILE")]
    pub(crate) checkers_pid_file: Option<PathBuf>,
    /// Pid file of the BFD process
    #[arg(short = 'b', long = "bfd_pid", value_name = "FILE")]
    pub(crate) bfd_pid_file: Option<PathBuf>,
    /// Log every address that appears or goes
    #[arg(short = 'a', long = "address-monitoring")]
    pub(crate) address_monitoring: bool,
    /// Serve every SNMP MIB
    #[arg(short = 'x', long = "snmp")]
    pub(crate) snmp: bool,
    /// AgentX address
    #[arg(short = 'A', long = "snmp-agent-socket", value_name = "SPEC")]
    pub(crate) snmp_socket: Option<String>,
    /// Run in this network namespace
    #[arg(short = 's', long = "namespace", value_name = "NAME")]
    pub(crate) namespace: Option<String>,
    /// Produce a core file when a process crashes
    #[arg(short = 'm', long = "core-dump")]
    pub(crate) core_dump: bool,
    /// Also write the core pattern
    #[arg(short = 'M', long = "core-dump-pattern", value_name = "PATTERN", num_args = 0..=1, require_equals = true, default_missing_value = "core")]
    pub(crate) core_pattern: Option<String>,
    /// A configuration file that is missing is an error (as includea)
    #[arg(short = 'e', long = "all-config")]
    pub(crate) all_config: bool,
    /// What @ID lines are compared with; the host name without domain by default
    #[arg(short = 'i', long = "config-id", value_name = "ID")]
    pub(crate) config_id: Option<String>,
    /// Check the configuration and exit; messages go to FILE, or to standard error
    #[arg(short = 't', long = "config-test", value_name = "FILE", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    pub(crate) config_test: Option<String>,
    /// Print the number of a signal: STOP, RELOAD, DATA, STATS, STATS_CLEAR or JSON
    #[arg(long = "signum", value_name = "NAME")]
    pub(crate) signum: Option<String>,
    /// Ignore SIGINT
    #[arg(long = "ignore-sigint")]
    pub(crate) ignore_sigint: bool,
    /// Compute the digest of a page, as genhash does (must be the first option)
    #[arg(short = 'T', long = "genhash")]
    pub(crate) genhash: bool,
    /// Print the version and exit
    #[arg(short = 'v', long = "version")]
    pub(crate) version: bool,
    /// Print this help and exit
    #[arg(short = 'h', long = "help")]
    pub(crate) help: bool,
    /// Started by the supervisor: which process to be
    #[arg(long = "role", value_name = "ROLE", hide = true)]
    pub(crate) role: Option<String>,
    /// Started by the supervisor: name before each line of the log
    #[arg(long = "ident", value_name = "NAME", hide = true)]
    pub(crate) ident: Option<String>,

    /// Our own commands
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// What rkeepalived does beyond keepalived.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Command {
    /// Show a pair that takes over: two nodes in their own namespaces, the master killed, the failover measured
    Demo(crate::commands::demo::Arguments),
    /// Check configuration files, on any machine
    Check(crate::commands::check::Arguments),
    /// Show what a configuration means, or what a reload would touch
    Config(crate::commands::config::Arguments),
    /// List, save, restore and zero the kernel's virtual servers, as ipvsadm does
    Ipvs(crate::commands::ipvs::Arguments),
    /// Explain a keyword of keepalived.conf
    Explain(crate::commands::explain::Arguments),
    /// Print the completion script of a shell
    Completion(crate::commands::documents::CompletionArguments),
    /// Print a manual page
    Man(crate::commands::documents::ManArguments),
}

impl Cli {
    /// Parses the words of the command line; an error is a text for standard error and an exit code.
    pub(crate) fn from_words(words: impl IntoIterator<Item = OsString>) -> Result<Self, (String, i32)> {
        let matches = Self::command().try_get_matches_from(attach_optional_values(words)).map_err(|error| {
            use clap::error::ErrorKind::{DisplayHelp, DisplayHelpOnMissingArgumentOrSubcommand, InvalidSubcommand};
            match error.kind() {
                DisplayHelp | DisplayHelpOnMissingArgumentOrSubcommand => (error.render().to_string(), 0),
                InvalidSubcommand => (format!("{}\n{}", unexpected(&error), error.render()), 1),
                _ => (error.render().to_string(), 1),
            }
        })?;
        Self::from_arg_matches(&matches).map_err(|error| (error.render().to_string(), 1))
    }
}

fn unexpected(error: &clap::Error) -> String {
    let word = error.get(clap::error::ContextKind::InvalidSubcommand).map(ToString::to_string).unwrap_or_default();
    format!("Unexpected argument(s): {word}")
}

/// `-tFILE`, `-gFILE` and `-MPATTERN` become `-t=FILE`…: clap would take `-tfoo` for `-t -f oo`.
fn attach_optional_values(words: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut rewritten = Vec::new();
    let mut options = true;
    for word in words {
        let text = word.to_string_lossy();
        options &= text != "--";
        let attached = options
            && text.is_char_boundary(2)
            && ["-t", "-g", "-M"].iter().any(|option| text.starts_with(option))
            && text.len() > 2
            && !text[2..].starts_with('=');
        if attached {
            rewritten.push(format!("{}={}", &text[..2], &text[2..]).into());
        } else {
            rewritten.push(word);
        }
    }
    rewritten
}

/// Octal with a leading 0, hexadecimal with 0x, else decimal, as strtol(3) with base 0.
fn parse_umask(text: &str) -> Result<u32, String> {
    let number = if let Some(hex) = text.strip_prefix("0x") {
        u32::from_str_radix(hex, 16)
    } else if text.starts_with('0') {
        u32::from_str_radix(text, 8)
    } else {
        text.parse()
    };
    match number {
        Ok(mask) if mask <= 0o777 => Ok(mask),
        _ => Err("a file creation mask is 0 to 0777".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Cli, (String, i32)> {
        Cli::from_words(std::iter::once("rkeepalived").chain(line.split_whitespace()).map(OsString::from))
    }

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn optional_values_are_attached_as_getopt_does() {
        assert_eq!(parse("-tfoo").unwrap().config_test.as_deref(), Some("foo"));
        let cli = parse("-t -f x.conf").unwrap();
        assert_eq!((cli.config_test.as_deref(), cli.file.as_str()), (Some(""), "x.conf"));
        assert_eq!(parse("--config-test=/tmp/log").unwrap().config_test.as_deref(), Some("/tmp/log"));
        assert_eq!(parse("-M").unwrap().core_pattern.as_deref(), Some("core"));
    }

    #[test]
    fn options_combine_and_abbreviate_as_in_getopt_long() {
        let cli = parse("-nlDD --use-f a.conf -S 3 -p /run/a.pid -r /run/b.pid -P").unwrap();
        assert!(cli.foreground && cli.log_console && cli.only_vrrp);
        assert_eq!((cli.log_detail, cli.file.as_str()), (2, "a.conf"));
        assert_eq!(cli.facility.unwrap().number(), 19);
    }

    #[test]
    fn surplus_words_and_unknown_options_end_with_1() {
        let (text, code) = parse("-n surplus").unwrap_err();
        assert!(text.starts_with("Unexpected argument(s): surplus"), "{text}");
        assert_eq!(code, 1);
        assert_eq!(parse("--no-such-option").unwrap_err().1, 1);
        assert_eq!(parse("-u 01000").unwrap_err().1, 1);
    }
}
