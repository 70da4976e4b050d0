//! The way to a running supervisor: configuration, pid file, becoming a daemon, the log, the runtime.

use std::collections::BTreeMap;

use sys::{PidFile, PidFileError, ServiceManager, Signal, SignalStream};

use super::Supervisor;
use super::metrics::Metrics;
use crate::cli::Cli;
use crate::configuration::{self, Loaded};
use crate::exit::Exit;
use crate::logging::{self, error, info, warning};
use crate::setup::PidFiles;
use crate::version;

/// Runs the daemon until it is told to stop.
pub(crate) fn run(cli: &Cli) -> Exit {
    // Before any thread exists: a signal to the process would else be taken, and obeyed, by one that does not block it.
    if let Err(refused) = sys::signals::block(&Signal::ALL) {
        eprintln!("cannot block signals: {refused}");
        return Exit::Fatal;
    }
    if let Some(namespace) = &cli.namespace
        && let Err(refused) = enter_namespace(namespace)
    {
        eprintln!("{refused}");
        return Exit::Fatal;
    }
    let loaded = match configuration::load(cli) {
        Ok(loaded) => loaded,
        Err(refused) => {
            start_logging(cli, &conf::Global::default());
            error!("{refused}");
            eprintln!("{refused}");
            logging::finish();
            return Exit::NoConfiguration;
        }
    };
    let pid_files = PidFiles::new(cli, &loaded.configuration.global);
    if let Some(parent) = pid_files.parent.parent() {
        let _ = std::fs::create_dir_all(parent);
    }
    let mut pid_file = match PidFile::create(&pid_files.parent) {
        Ok(pid_file) => pid_file,
        Err(refused @ PidFileError::AlreadyLocked { .. }) => {
            start_logging(cli, &loaded.configuration.global);
            info!("{refused}");
            info!("daemon is already running");
            eprintln!("daemon is already running");
            logging::finish();
            return Exit::Ok;
        }
        Err(refused) => {
            start_logging(cli, &loaded.configuration.global);
            error!("{refused}");
            eprintln!("{refused}");
            logging::finish();
            return Exit::Fatal;
        }
    };
    if !cli.foreground {
        match sys::process::daemonise() {
            Ok(sys::process::Daemonised::Launcher) => {
                // The daemon holds the lock now; dropping the value would remove its file.
                std::mem::forget(pid_file);
                return Exit::Ok;
            }
            Ok(sys::process::Daemonised::Daemon) => {}
            Err(refused) => {
                eprintln!("cannot become a daemon: {refused}");
                return Exit::Fatal;
            }
        }
        let _ = sys::process::detach_streams();
        if let Err(refused) = pid_file.write(std::process::id()) {
            eprintln!("{refused}");
            return Exit::Fatal;
        }
    }
    start_logging(cli, &loaded.configuration.global);
    let exit = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(supervise(cli, loaded, pid_files)),
        Err(refused) => {
            error!("cannot start: {refused}");
            Exit::Fatal
        }
    };
    drop(pid_file);
    logging::finish();
    exit
}

fn start_logging(cli: &Cli, global: &conf::Global) {
    logging::start(logging::Destinations {
        ident: crate::setup::ident("Keepalived", cli, global),
        syslog: (!cli.no_syslog).then(|| cli.facility.unwrap_or(types::Facility::Daemon)),
        console: cli.log_console && cli.foreground,
        file: cli.log_file.as_deref().map(|file| configuration::log_path(file, "")),
        detail: cli.log_detail,
    });
}

pub(super) fn enter_namespace(name: &str) -> Result<(), String> {
    let path = std::path::Path::new("/run/netns").join(name);
    sys::process::enter_network_namespace(&path).map_err(|refused| {
        format!("cannot enter network namespace {name}: {refused}; `ip netns list` shows those that exist, and CAP_SYS_ADMIN is needed")
    })
}

/// `-m` and `-M`.
fn allow_core_dumps(cli: &Cli) {
    if cli.core_dump || cli.core_pattern.is_some() {
        if let Err(refused) = sys::process::set_core_limit(u64::MAX) {
            warning!("core files are not allowed: {refused}");
        }
        let _ = sys::process::set_dumpable(true);
    }
    if let Some(pattern) = &cli.core_pattern
        && let Err(refused) = std::fs::write("/proc/sys/kernel/core_pattern", pattern)
    {
        warning!("cannot set the core pattern: {refused}");
    }
}

async fn supervise(cli: &Cli, loaded: Loaded, pid_files: PidFiles) -> Exit {
    let signals = match SignalStream::new(&Signal::ALL) {
        Ok(signals) => signals,
        Err(refused) => {
            error!("cannot listen to signals: {refused}");
            return Exit::Fatal;
        }
    };
    info!("Starting Keepalived v{} (rkeepalived v{})", version::KEEPALIVED, version::OURS);
    let words: Vec<String> = std::env::args().map(|word| format!("'{word}'")).collect();
    info!("Command line: {}", words.join(" "));
    info!("Configuration file {}", cli.file);
    configuration::tell(&loaded);
    if let Some(name) = &loaded.configuration.global.net_namespace
        && cli.namespace.is_none()
        && let Err(refused) = enter_namespace(name)
    {
        error!("{refused}");
        return Exit::Fatal;
    }
    crate::process_tuning::set_name(loaded.configuration.global.process_names.parent.as_ref());
    allow_core_dumps(cli);
    let service_manager = ServiceManager::from_environment().ok().flatten();
    let mut supervisor = Supervisor {
        cli,
        pid_files,
        service_manager,
        watchdog: sys::service_manager::watchdog_interval().map(|interval| interval / 2),
        next_watchdog: None,
        global: loaded.configuration.global.clone(),
        accepted_errors: loaded.errors.clone(),
        setups: BTreeMap::new(),
        children: [None, None, None],
        respawns: BTreeMap::new(),
        remembered_routers: Vec::new(),
        remembered_servers: Vec::new(),
        started: false,
        reloading: None,
        status: BTreeMap::new(),
        bfd_states: BTreeMap::new(),
        metrics: Metrics::new(),
    };
    let exit = supervisor.run(&signals, loaded).await;
    supervisor.stop(&signals).await;
    exit
}
