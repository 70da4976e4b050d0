//! What a process has cost so far.

use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};

use crate::daemon::helper_program;
use crate::host::Host;

/// Processor time of all daemon processes of `host`, by the scheduler's own nanosecond count.
pub(crate) fn of_daemon(host: &Host, name: &str) -> Duration {
    let own = host.processes().into_iter().filter(|(_, known)| known.starts_with(name));
    own.map(|(number, _)| of_process(host, number)).sum()
}

/// All threads of a process.
fn of_process(host: &Host, number: i32) -> Duration {
    let threads = host.shell(&format!("cat /proc/{number}/task/*/schedstat 2>/dev/null || true"));
    let own = threads.lines().filter_map(|line| line.split(' ').next()?.parse().ok());
    own.map(Duration::from_nanos).sum()
}

/// What the processes of both programs are called.
pub(crate) const PROCESS: &str = "keepalived";

/// Proportional set size of all daemon processes of `host`, in KiB.
pub(crate) fn memory(host: &Host, name: &str) -> u64 {
    let own = host.processes().into_iter().filter(|(_, known)| known.starts_with(name));
    let size = |number: i32| -> Option<u64> {
        let text = host.read(&format!("/proc/{number}/smaps_rollup"));
        text.lines()
            .find_map(|line| line.strip_prefix("Pss:"))
            .and_then(|rest| rest.split_whitespace().next()?.parse().ok())
    };
    own.filter_map(|(number, _)| size(number)).sum()
}

/// Runs a program to its end and gives its processor time and its largest resident size in KiB. A process of its own does the measuring,
/// because the kernel adds up all children of a process for life.
pub(crate) fn of_run(command: &[&str]) -> Option<(Duration, u64)> {
    let output = Command::new(helper_program()).args(["bench", "measure"]).args(command).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (time, memory) = text.trim().split_once(' ')?;
    Some((Duration::from_micros(time.parse().ok()?), memory.parse().ok()?))
}

/// The process of its own.
pub(crate) fn measure_here(program: &str, arguments: &[&str]) -> ExitCode {
    let _ = Command::new(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
    let Ok(usage) = getrusage(UsageWho::RUSAGE_CHILDREN) else { return ExitCode::FAILURE };
    let microseconds = |time: nix::sys::time::TimeVal| time.tv_sec() * 1_000_000 + time.tv_usec();
    println!("{} {}", microseconds(usage.user_time()) + microseconds(usage.system_time()), usage.max_rss());
    ExitCode::SUCCESS
}
