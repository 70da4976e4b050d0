//! Who runs first, where, and what may be swapped.

#![allow(unsafe_code)]

use std::io;
use std::time::Duration;

use nix::sched::{CpuSet, sched_setaffinity};
use nix::sys::mman::{MlockAllFlags, mlockall, munlockall};
use nix::sys::resource::{Resource, setrlimit};
use nix::unistd::Pid;

/// SCHED_RR at `priority` (1 to 99), with SCHED_RESET_ON_FORK: children are ordinary processes again. Needs CAP_SYS_NICE.
pub fn set_realtime(priority: u8) -> io::Result<()> {
    set_policy(libc::SCHED_RR | libc::SCHED_RESET_ON_FORK, i32::from(priority))
}

/// Back to the ordinary policy (while reloading, and before foreign programs run).
pub fn set_ordinary() -> io::Result<()> {
    set_policy(libc::SCHED_OTHER, 0)
}

/// The highest priority that SCHED_RR has: 99 on Linux.
pub fn highest_realtime_priority() -> u8 {
    // SAFETY: takes a plain number.
    let highest = unsafe { libc::sched_get_priority_max(libc::SCHED_RR) };
    u8::try_from(highest).unwrap_or(99)
}

fn set_policy(policy: i32, priority: i32) -> io::Result<()> {
    let parameter = libc::sched_param { sched_priority: priority };
    // SAFETY: 0 is this process; the parameter is a valid struct for the call's duration.
    match unsafe { libc::sched_setscheduler(0, policy, &parameter) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// RLIMIT_RTTIME: processor time that a real-time process may use without sleeping; SIGXCPU at half of it, SIGKILL at `limit`.
pub fn set_realtime_limit(limit: Duration) -> io::Result<()> {
    let hard = u64::try_from(limit.as_micros()).unwrap_or(u64::MAX);
    Ok(setrlimit(Resource::RLIMIT_RTTIME, hard / 2, hard)?)
}

/// Nice value of this process, −20 to 19.
pub fn set_nice(nice: i32) -> io::Result<()> {
    // SAFETY: takes plain numbers; 0 is this process.
    match unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, nice) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Keeps all pages, present and future, in memory (`*_no_swap`). It also locks the whole stack of each thread started later.
pub fn lock_memory() -> io::Result<()> {
    Ok(mlockall(MlockAllFlags::MCL_CURRENT | MlockAllFlags::MCL_FUTURE)?)
}

/// Undoes [`lock_memory`].
pub fn unlock_memory() -> io::Result<()> {
    Ok(munlockall()?)
}

/// Runs on these processors only (`*_cpu_affinity`).
pub fn set_cpu_affinity(cpus: &[u32]) -> io::Result<()> {
    let mut set = CpuSet::new();
    for &cpu in cpus {
        set.set(cpu as usize)?;
    }
    Ok(sched_setaffinity(Pid::from_raw(0), &set)?)
}

/// How many file descriptors this process may have: raises the soft limit to at least `wanted`, and the hard one where that is allowed.
pub fn raise_descriptor_limit(wanted: u64) -> io::Result<()> {
    let (soft, hard) = nix::sys::resource::getrlimit(Resource::RLIMIT_NOFILE)?;
    if soft >= wanted {
        return Ok(());
    }
    Ok(setrlimit(Resource::RLIMIT_NOFILE, wanted, hard.max(wanted))?)
}
