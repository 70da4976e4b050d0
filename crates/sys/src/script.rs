//! Runs the commands that keepalived.conf names, in the surroundings that keepalived gives them.
//!
//! A script gets: its own process group; the user, group and supplementary groups of the configuration; the
//! environment without `IFS`, `LD_PRELOAD`, `LD_LIBRARY_PATH` and `NOTIFY_SOCKET`; default signal actions and an
//! empty mask; `/dev/null` as its three standard descriptors and no other; `SIGTERM` when we die; normal
//! scheduling with nice 0 and no real-time limit; `/` as working directory. A text file without a `#!` line is
//! handed to `/bin/sh`; [`Child::lacks_shebang`] tells, so that the caller can warn.
//!
//! # Why `clone(CLONE_VM | CLONE_VFORK)` and not `fork`
//!
//! `fork` copies the page tables and leaves every page of a locked process to be copied on its next write:
//! the VRRP process would fault through its whole memory after each notification. Sharing the memory and
//! suspending the caller until the exec costs the same for a process of any size. The descriptor table is shared
//! too and separated by one `close_range(CLOSE_RANGE_UNSHARE)`, so 20 000 open checks are neither copied nor
//! closed one by one. `posix_spawn` does the same but cannot set the user, the parent-death signal or the
//! scheduling class; `std::process::Command` falls back to `fork` as soon as a `pre_exec` hook exists.
//!
//! The caller sleeps until the kernel has opened the file and replaced the image. On a healthy disk that is some
//! 0.3 ms; on a dead network file system it is for ever. So a loop that must never wait uses a [`Spawner`]: a
//! thread of its own does the spawning, in normal scheduling, and answers with the [`Child`].
//!
//! # Who reaps
//!
//! Each child is waited for through its pidfd. Nobody else in the process may call `waitpid(-1)`: the exit status
//! would be gone, and the child be reported as [`Exit::Unknown`].

#![allow(unsafe_code)]

mod child;
mod launch;
mod spawner;

pub use child::{Child, Exit};
pub use spawner::Spawner;

use std::fmt;
use std::io;

/// A command to run.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Command {
    /// Path and arguments; never empty. A first word without `/` is searched in `PATH`.
    pub words: Vec<String>,
    /// Who runs it.
    pub user: User,
}

/// Identity of a script.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct User {
    /// User id: real, effective and saved.
    pub uid: u32,
    /// Group id: real, effective and saved.
    pub gid: u32,
    /// Supplementary groups; empty clears them.
    pub groups: Vec<u32>,
}

impl Command {
    /// A command with its user.
    pub fn new(words: Vec<String>, uid: u32, gid: u32, groups: Vec<u32>) -> Self {
        Self { words, user: User { uid, gid, groups } }
    }
}

/// Starts a command on the calling thread and returns as soon as its image is in place.
///
/// The script dies with the calling *thread* (`PR_SET_PDEATHSIG`), so call it from a thread that lives as long as
/// the process does. No runtime is needed to spawn; [`Child::wait`] needs one.
pub fn spawn(command: &Command) -> Result<Child, SpawnError> {
    launch::spawn(command)
}

/// Why a script did not start.
#[derive(Debug)]
pub struct SpawnError {
    /// The command's first word.
    pub command: String,
    /// The step that failed.
    pub step: Step,
    /// The kernel's answer.
    pub source: io::Error,
}

/// Steps on the way to a running script, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A word holds a NUL octet, or there is no word.
    Words,
    /// Searching `PATH` for a name without `/`.
    Find,
    /// Making the process.
    Clone,
    /// `/dev/null` on the standard descriptors.
    Descriptors,
    /// Supplementary groups.
    Groups,
    /// Group id.
    Group,
    /// User id.
    User,
    /// Working directory `/`.
    Directory,
    /// `execve`.
    Execute,
}

impl fmt::Display for SpawnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let command = &self.command;
        let errno = self.source.raw_os_error().unwrap_or(0);
        match (self.step, self.source.kind()) {
            (Step::Find, _) | (Step::Execute, io::ErrorKind::NotFound) => write!(f, "Couldn't find command: {command}"),
            (Step::Execute, io::ErrorKind::PermissionDenied) => {
                write!(
                    f,
                    "Couldn't execute command: {command} - is it executable by its user, and each directory above it?"
                )
            }
            (Step::Execute, _) => write!(f, "Error exec-ing command '{command}', error {errno}: {}", self.source),
            (Step::Words, _) => write!(f, "Couldn't execute command: {command} - it is empty or holds a NUL octet"),
            (Step::Clone, _) => write!(
                f,
                "Couldn't start a process for '{command}', error {errno}: {} - see the limits of processes (RLIMIT_NPROC, pids.max)",
                self.source
            ),
            (Step::Groups | Step::Group | Step::User, _) => write!(
                f,
                "Couldn't change to the user of '{command}', error {errno}: {} - this needs CAP_SETUID and CAP_SETGID",
                self.source
            ),
            (Step::Descriptors | Step::Directory, _) => {
                write!(f, "Couldn't prepare '{command}', error {errno}: {}", self.source)
            }
        }
    }
}

impl std::error::Error for SpawnError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

#[cfg(test)]
mod tests;
