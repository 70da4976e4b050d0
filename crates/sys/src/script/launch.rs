//! The way from words to a running image.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::io;
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use super::{Child, Command, SpawnError, Step, User};

/// Octets of stack for the few system calls between clone and exec.
const STACK: usize = 32 * 1024;

/// What a script must not inherit: the first three by keepalived 2.4.0, the last because systemd's notification
/// socket is ours alone.
const HIDDEN: [&[u8]; 4] = [b"IFS", b"LD_PRELOAD", b"LD_LIBRARY_PATH", b"NOTIFY_SOCKET"];

/// The interpreter of text files without a `#!` line.
const SHELL: &CStr = c"/bin/sh";

pub(super) fn spawn(command: &Command) -> Result<Child, SpawnError> {
    let name = command.words.first().cloned().unwrap_or_default();
    let fail = |step, source| SpawnError { command: name.clone(), step, source };
    let words: Vec<CString> = command
        .words
        .iter()
        .map(|word| CString::new(word.as_bytes()))
        .collect::<Result<_, _>>()
        .map_err(|error| fail(Step::Words, error.into()))?;
    let Some(first) = words.first() else {
        return Err(fail(Step::Words, io::ErrorKind::InvalidInput.into()));
    };
    let path = find(first).ok_or_else(|| fail(Step::Find, io::ErrorKind::NotFound.into()))?;

    match launch(&path, &words, &command.user) {
        Ok((pid, pidfd)) => Ok(Child::new(pid, pidfd, false)),
        Err((Step::Execute, error)) if error.raw_os_error() == Some(libc::ENOEXEC) && is_text(&path) => {
            let mut shell_words = vec![SHELL.to_owned(), path];
            shell_words.extend(words.into_iter().skip(1));
            let (pid, pidfd) =
                launch(SHELL, &shell_words, &command.user).map_err(|(step, source)| fail(step, source))?;
            Ok(Child::new(pid, pidfd, true))
        }
        Err((step, source)) => Err(fail(step, source)),
    }
}

/// The file that a name without `/` means.
fn find(word: &CStr) -> Option<CString> {
    if word.to_bytes().contains(&b'/') {
        return Some(word.to_owned());
    }
    let search = std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin".into());
    std::env::split_paths(&search).find_map(|directory| {
        let path = directory.join(std::ffi::OsStr::from_bytes(word.to_bytes()));
        let path = CString::new(path.into_os_string().into_vec()).ok()?;
        // SAFETY: `path` is a NUL-terminated string.
        (unsafe { libc::access(path.as_ptr(), libc::X_OK) } == 0).then_some(path)
    })
}

/// Whether a shell could make sense of it: no NUL octet within its first 256.
fn is_text(path: &CStr) -> bool {
    let path = Path::new(std::ffi::OsStr::from_bytes(path.to_bytes()));
    let mut start = [0; 256];
    match std::fs::File::open(path).and_then(|mut file| io::Read::read(&mut file, &mut start)) {
        Ok(length) => !start[..length].contains(&0),
        Err(_) => false,
    }
}

/// All that the child needs, made ready before the clone because the child may not allocate.
struct Plan<'a> {
    path: &'a CStr,
    arguments: &'a [*const c_char],
    environment: &'a [*const c_char],
    user: &'a User,
    /// Signals that are ignored or caught; the others need no call.
    signals: u64,
    parent: libc::pid_t,
    /// Written by the child when it fails.
    step: Step,
    errno: c_int,
}

fn launch(path: &CStr, words: &[CString], user: &User) -> Result<(libc::pid_t, OwnedFd), (Step, io::Error)> {
    let environment: Vec<CString> = std::env::vars_os()
        .filter(|(name, _)| !HIDDEN.contains(&name.as_bytes()))
        .filter_map(|(name, value)| CString::new([name.as_bytes(), b"=", value.as_bytes()].concat()).ok())
        .collect();
    let pointers = |strings: &[CString]| -> Vec<*const c_char> {
        strings.iter().map(|string| string.as_ptr()).chain([std::ptr::null()]).collect()
    };
    let (arguments, environment_pointers) = (pointers(words), pointers(&environment));
    let mut plan = Plan {
        path,
        arguments: &arguments,
        environment: &environment_pointers,
        user,
        signals: handled_signals(),
        // SAFETY: getpid(2) has no arguments and cannot fail.
        parent: unsafe { libc::getpid() },
        step: Step::Clone,
        errno: 0,
    };
    let mut stack = vec![0u128; STACK / size_of::<u128>()];
    let mut pidfd: c_int = -1;

    let blocked = SignalsBlocked::new();
    // SAFETY: prctl(PR_GET_DUMPABLE) takes no pointers.
    let dumpable = unsafe { libc::prctl(libc::PR_GET_DUMPABLE) };
    // SAFETY: `child` runs on `stack`, which is aligned, large enough and outlives it, because CLONE_VFORK suspends
    // this thread until the child has executed or exited; `plan` outlives it for the same reason, and nobody else
    // refers to it. With CLONE_PIDFD the kernel writes one descriptor to `pidfd`.
    let pid = unsafe {
        libc::clone(
            child,
            stack.as_mut_ptr_range().end.cast::<c_void>(),
            libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_FILES | libc::CLONE_PIDFD | libc::SIGCHLD,
            (&raw mut plan).cast::<c_void>(),
            &raw mut pidfd,
        )
    };
    let clone_error = io::Error::last_os_error();
    if dumpable == 1 {
        // A child that changes its user marks the memory, which it shares with us, as not to be dumped.
        // SAFETY: prctl(PR_SET_DUMPABLE) takes one integer.
        unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 1) };
    }
    drop(blocked);
    if pid < 0 {
        return Err((Step::Clone, clone_error));
    }
    // SAFETY: the kernel has just made this descriptor for us.
    let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
    if plan.errno != 0 {
        // SAFETY: waitpid(2) accepts a null status; the child has exited, so this does not wait.
        unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) };
        return Err((plan.step, io::Error::from_raw_os_error(plan.errno)));
    }
    Ok((pid, pidfd))
}

/// Runs in the child: shares all memory with the suspended parent, so it makes system calls and nothing else.
extern "C" fn child(plan: *mut c_void) -> c_int {
    // SAFETY: `launch` passes its `Plan`, and is suspended while we use it.
    let plan = unsafe { &mut *plan.cast::<Plan>() };
    // SAFETY: see `prepare_and_execute`; it is only called here, in the child.
    unsafe { prepare_and_execute(plan) };
    // SAFETY: __errno_location always points to this thread's errno, which the suspended parent shares.
    plan.errno = unsafe { *libc::__errno_location() }.max(1);
    // SAFETY: _exit(2) ends this process without running anything of the parent's.
    unsafe { libc::_exit(127) }
}

/// Returns only when a step failed: `plan.step` names it, `errno` tells why.
///
/// # Safety
/// Must be called in a child made with `CLONE_VM | CLONE_VFORK | CLONE_FILES`. The pointers in `plan` are
/// NUL-terminated strings and null-terminated arrays of them. User and groups are set by plain system calls,
/// because libc's functions would change the threads of the parent as well.
unsafe fn prepare_and_execute(plan: &mut Plan) {
    // SAFETY: plain system calls on integers, on literals and on the strings that the caller vouches for; the
    // zeroed signal action (SIG_DFL, no flags) and sigset_t (empty) are valid.
    unsafe {
        // The parent's descriptors: first of all stop sharing the table, without copying more than the first three.
        plan.step = Step::Descriptors;
        if libc::syscall(libc::SYS_close_range, 3, c_int::MAX, libc::CLOSE_RANGE_UNSHARE) != 0
            && libc::syscall(libc::SYS_unshare, libc::CLONE_FILES) != 0
        {
            return; // before Linux 5.9 there is no close_range; the descriptors are close-on-exec anyway
        }
        let null = libc::open(c"/dev/null".as_ptr(), libc::O_RDWR);
        if null < 0 {
            return;
        }
        for standard in 0..=2 {
            if null != standard && libc::dup2(null, standard) < 0 {
                return;
            }
        }
        if null > 2 {
            libc::close(null);
        }

        libc::setpgid(0, 0);
        // The kernel's own structure (handler, flags, restorer, mask), because libc refuses two of the numbers.
        let default = [0usize; 8];
        for signal in 1..=64 {
            if plan.signals & (1 << (signal - 1)) != 0 {
                libc::syscall(
                    libc::SYS_rt_sigaction,
                    signal,
                    &raw const default,
                    std::ptr::null_mut::<c_void>(),
                    8usize,
                );
            }
        }
        let parameter = libc::sched_param { sched_priority: 0 };
        libc::syscall(libc::SYS_sched_setscheduler, 0, libc::SCHED_OTHER, &raw const parameter);
        libc::setpriority(libc::PRIO_PROCESS, 0, 0);
        let unlimited = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
        libc::setrlimit(libc::RLIMIT_RTTIME, &raw const unlimited);

        plan.step = Step::Directory;
        if libc::chdir(c"/".as_ptr()) != 0 {
            return;
        }
        plan.step = Step::Groups;
        let privileged = libc::geteuid() == 0;
        if libc::syscall(SYS_SETGROUPS, plan.user.groups.len(), plan.user.groups.as_ptr()) != 0 && privileged {
            return; // an ordinary user, as in tests, keeps its groups
        }
        plan.step = Step::Group;
        let (uid, gid) = (plan.user.uid, plan.user.gid);
        if libc::syscall(SYS_SETRESGID, gid, gid, gid) != 0 {
            return;
        }
        plan.step = Step::User;
        if libc::syscall(SYS_SETRESUID, uid, uid, uid) != 0 {
            return;
        }
        // After the change of user, which clears it.
        plan.step = Step::Clone;
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGTERM);
        if libc::getppid() != plan.parent {
            *libc::__errno_location() = libc::ESRCH;
            return;
        }

        plan.step = Step::Execute;
        let empty: libc::sigset_t = std::mem::zeroed();
        libc::sigprocmask(libc::SIG_SETMASK, &raw const empty, std::ptr::null_mut());
        libc::execve(plan.path.as_ptr(), plan.arguments.as_ptr(), plan.environment.as_ptr());
    }
}

// 32-bit architectures have a second set of calls for ids above 65535.
#[cfg(any(target_arch = "x86", target_arch = "arm"))]
const SYS_SETGROUPS: libc::c_long = libc::SYS_setgroups32;
#[cfg(any(target_arch = "x86", target_arch = "arm"))]
const SYS_SETRESGID: libc::c_long = libc::SYS_setresgid32;
#[cfg(any(target_arch = "x86", target_arch = "arm"))]
const SYS_SETRESUID: libc::c_long = libc::SYS_setresuid32;
#[cfg(not(any(target_arch = "x86", target_arch = "arm")))]
const SYS_SETGROUPS: libc::c_long = libc::SYS_setgroups;
#[cfg(not(any(target_arch = "x86", target_arch = "arm")))]
const SYS_SETRESGID: libc::c_long = libc::SYS_setresgid;
#[cfg(not(any(target_arch = "x86", target_arch = "arm")))]
const SYS_SETRESUID: libc::c_long = libc::SYS_setresuid;

/// Signals that this process ignores or catches, bit 0 for signal 1; all of them when that cannot be read.
///
/// Handlers would be reset by exec, but one could run in the child before it, in our memory.
fn handled_signals() -> u64 {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else { return u64::MAX };
    let mask = |name: &str| {
        let hexadecimal = status.lines().find_map(|line| line.strip_prefix(name))?;
        u64::from_str_radix(hexadecimal.trim(), 16).ok()
    };
    match (mask("SigIgn:"), mask("SigCgt:")) {
        (Some(ignored), Some(caught)) => ignored | caught,
        _ => u64::MAX,
    }
}

/// Keeps signals away between clone and exec, for this thread and for the child, which inherits the mask.
struct SignalsBlocked(libc::sigset_t);

impl SignalsBlocked {
    fn new() -> Self {
        // SAFETY: both sets are valid for the calls; sigfillset initialises the first, pthread_sigmask the second.
        unsafe {
            let mut all: libc::sigset_t = std::mem::zeroed();
            let mut before: libc::sigset_t = std::mem::zeroed();
            libc::sigfillset(&raw mut all);
            libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut before);
            Self(before)
        }
    }
}

impl Drop for SignalsBlocked {
    fn drop(&mut self) {
        // SAFETY: `self.0` is the set that pthread_sigmask gave us.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.0, std::ptr::null_mut()) };
    }
}
