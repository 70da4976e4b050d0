//! Signals, read in turn with everything else by a signalfd: no handler, no flag, no second thread.
//!
//! The signals are blocked in this process. `std::process::Command` gives children an empty mask again; whoever uses bare `exec` must do so
//! itself with [`unblock_all`].

#![allow(unsafe_code)]

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

use crate::watched::Watched;

/// What the daemon listens to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Signal {
    /// SIGHUP: reload.
    Reload,
    /// SIGTERM: stop.
    Terminate,
    /// SIGINT: stop, unless `--ignore-sigint`.
    Interrupt,
    /// SIGUSR1: state dump.
    DumpState,
    /// SIGUSR2: statistics.
    DumpStatistics,
    /// SIGRTMAX-1: statistics, then zero.
    ClearStatistics,
    /// SIGRTMIN+2: JSON dump.
    DumpJson,
    /// SIGCHLD.
    Child,
    /// SIGXCPU: the soft limit of real-time processor use was reached.
    RealtimeLimit,
}

impl Signal {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Reload,
        Self::Terminate,
        Self::Interrupt,
        Self::DumpState,
        Self::DumpStatistics,
        Self::ClearStatistics,
        Self::DumpJson,
        Self::Child,
        Self::RealtimeLimit,
    ];

    /// The kernel's number.
    pub fn number(self) -> i32 {
        match self {
            Self::Reload => libc::SIGHUP,
            Self::Terminate => libc::SIGTERM,
            Self::Interrupt => libc::SIGINT,
            Self::DumpState => libc::SIGUSR1,
            Self::DumpStatistics => libc::SIGUSR2,
            Self::ClearStatistics => libc::SIGRTMAX() - 1,
            Self::DumpJson => libc::SIGRTMIN() + 2,
            Self::Child => libc::SIGCHLD,
            Self::RealtimeLimit => libc::SIGXCPU,
        }
    }

    fn from_number(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|signal| signal.number() == number)
    }
}

/// A signal that arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Received {
    /// Which.
    pub signal: Signal,
    /// Process that sent it; 0 for the kernel.
    pub sender: i32,
}

/// Blocks `signals` in this thread (and those it starts later), so that none is lost before a [`SignalStream`] exists. SIGPIPE is ignored, too.
pub fn block(signals: &[Signal]) -> io::Result<()> {
    let set = set_of(signals);
    // SAFETY: `set` is initialised; the old mask is not asked for; SIG_IGN is a valid disposition.
    unsafe {
        if libc::pthread_sigmask(libc::SIG_BLOCK, &set, std::ptr::null_mut()) != 0 {
            return Err(io::Error::last_os_error());
        }
        libc::signal(libc::SIGPIPE, libc::SIG_IGN);
    }
    Ok(())
}

/// Empties the mask: for a process that is about to `exec` something foreign.
pub fn unblock_all() {
    let set = set_of(&[]);
    // SAFETY: `set` is initialised, the old mask is not asked for.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &set, std::ptr::null_mut()) };
}

/// Sends the signal with this number to `process`; real-time signals included, which no safe crate can name.
pub fn send(process: i32, number: i32) -> io::Result<()> {
    // SAFETY: kill takes plain numbers.
    match unsafe { libc::kill(process, number) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// The signals as they arrive.
#[derive(Debug)]
pub struct SignalStream(Watched);

impl SignalStream {
    /// Blocks `signals` and listens to them. Must be called inside a runtime.
    pub fn new(signals: &[Signal]) -> io::Result<Self> {
        block(signals)?;
        let set = set_of(signals);
        // SAFETY: `set` is initialised; -1 asks for a new descriptor.
        let descriptor = unsafe { libc::signalfd(-1, &set, libc::SFD_NONBLOCK | libc::SFD_CLOEXEC) };
        if descriptor < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the kernel has just given us this descriptor and nobody else knows it.
        let descriptor = unsafe { OwnedFd::from_raw_fd(descriptor) };
        Watched::readable_only(descriptor).map(Self)
    }

    /// The next signal. Cancelling loses none.
    pub async fn next(&self) -> io::Result<Received> {
        loop {
            self.0.readable().await?;
            if let Some(received) = self.try_next()? {
                return Ok(received);
            }
        }
    }

    /// A signal that is waiting already.
    pub fn try_next(&self) -> io::Result<Option<Received>> {
        let mut info = MaybeUninit::<libc::signalfd_siginfo>::uninit();
        let size = size_of::<libc::signalfd_siginfo>();
        // SAFETY: the buffer is `size` octets long.
        let read = unsafe { libc::read(self.0.as_fd().as_raw_fd(), info.as_mut_ptr().cast(), size) };
        if read < 0 {
            let error = io::Error::last_os_error();
            return match error.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Ok(None),
                _ => Err(error),
            };
        }
        if read as usize != size {
            return Ok(None);
        }
        // SAFETY: the kernel filled all of it, and any bits are valid in it.
        let info = unsafe { info.assume_init() };
        let signal = Signal::from_number(info.ssi_signo as i32);
        Ok(signal.map(|signal| Received { signal, sender: info.ssi_pid as i32 }))
    }
}

fn set_of(signals: &[Signal]) -> libc::sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: sigemptyset initialises the whole set; sigaddset is given signal numbers that exist.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        let mut set = set.assume_init();
        for signal in signals {
            libc::sigaddset(&mut set, signal.number());
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_that_keepalived_prints_for_signum() {
        assert_eq!(Signal::DumpJson.number(), 36);
        assert_eq!(Signal::ClearStatistics.number(), 63);
    }

    #[test]
    fn a_real_time_signal_arrives_with_its_sender() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
        runtime.block_on(async {
            let stream = SignalStream::new(&[Signal::DumpJson]).unwrap();
            assert_eq!(stream.try_next().unwrap(), None);
            // SAFETY: tgkill takes plain numbers; the signal goes to this thread, which blocks it.
            unsafe {
                libc::syscall(libc::SYS_tgkill, libc::getpid(), libc::gettid(), Signal::DumpJson.number());
            }
            let received = stream.next().await.unwrap();
            assert_eq!(received, Received { signal: Signal::DumpJson, sender: std::process::id() as i32 });
        });
    }
}
