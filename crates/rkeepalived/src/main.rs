//! rkeepalived: the one program, in all its processes.
//!
//! The supervisor starts children by executing this program again with `--role`, before any runtime exists. Only here
//! is it known which process this is.

mod bfd_process;
mod checker_process;
mod cli;
mod commands;
mod configuration;
mod exit;
mod ipc;
mod logging;
mod notifier;
mod process_tuning;
mod sampling;
mod setup;
mod supervisor;
mod version;
mod vrrp_process;
mod watched_files;

use std::ffi::OsString;

use cli::Cli;
use exit::Exit;
use setup::Role;

fn main() -> std::process::ExitCode {
    let words: Vec<OsString> = std::env::args_os().collect();
    let code = run(words);
    std::process::ExitCode::from(code as u8)
}

fn run(words: Vec<OsString>) -> i32 {
    if commands::genhash::wanted(&words) {
        return commands::genhash::run(&words);
    }
    let cli = match Cli::from_words(words) {
        Ok(cli) => cli,
        Err((text, code)) => {
            eprintln!("{text}");
            return code;
        }
    };
    if let Some(role) = &cli.role {
        return child(&cli, role).code();
    }
    if cli.help {
        eprintln!("{}", commands::documents::help());
        return 0;
    }
    if cli.version {
        eprint!("{}", version::banner());
        return 0;
    }
    if let Some(name) = &cli.signum {
        return commands::signum(name);
    }
    if let Some(command) = cli.command.clone() {
        return commands::run(&cli, command);
    }
    if let Some(log) = &cli.config_test {
        return commands::check::config_test(&cli, log);
    }
    supervisor::run(&cli).code()
}

/// A child of the supervisor: its standard input is the socket to it.
fn child(cli: &Cli, role: &str) -> Exit {
    let Some(role) = Role::from_word(role) else { return Exit::Fatal };
    // Before any thread exists: a signal to the process would else be taken, and obeyed, by one that does not block it.
    let blocked = [
        sys::Signal::Terminate,
        sys::Signal::Interrupt,
        sys::Signal::Reload,
        sys::Signal::DumpState,
        sys::Signal::DumpStatistics,
        sys::Signal::ClearStatistics,
        sys::Signal::DumpJson,
        sys::Signal::RealtimeLimit,
    ];
    if sys::signals::block(&blocked).is_err() {
        return Exit::Fatal;
    }
    let _ = sys::process::die_with_parent(nix::unistd::getppid().as_raw() as u32);
    logging::start(logging::Destinations {
        ident: cli.ident.clone().unwrap_or_else(|| role.ident().into()),
        syslog: (!cli.no_syslog).then(|| cli.facility.unwrap_or(types::Facility::Daemon)),
        console: cli.log_console && cli.foreground,
        file: cli.log_file.as_deref().map(|file| configuration::log_path(file, role.log_infix())),
        detail: cli.log_detail,
    });
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(refused) => {
            logging::error!("cannot start: {refused}");
            return Exit::Fatal;
        }
    };
    let exit = runtime.block_on(async {
        let channel = match ipc::Channel::from_standard_input() {
            Ok(channel) => channel,
            Err(refused) => {
                logging::error!("cannot speak to the supervisor: {refused}");
                return Exit::Fatal;
            }
        };
        match role {
            Role::Vrrp => vrrp_process::run(channel).await,
            Role::Checker => checker_process::run(channel).await,
            Role::Bfd => bfd_process::run(channel).await,
        }
    });
    logging::finish();
    exit
}
