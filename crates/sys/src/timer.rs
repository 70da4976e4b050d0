//! One timer per loop, on timerfd.
//!
//! tokio's own timer wheel is a millisecond late on every shot by design; an absolute timerfd is 0.03 to 0.06 ms late (measured). So the
//! loop asks its brains for the nearest deadline, sets this timer to it, and waits for it among its other sources.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use types::Instant;

use crate::watched::Watched;

/// A timer on CLOCK_MONOTONIC, set to a moment.
#[derive(Debug)]
pub struct Timer {
    timer: TimerFd,
    watched: Watched,
    set: Option<Instant>,
}

impl Timer {
    /// A timer that is not set. Must be called inside a runtime.
    pub fn new() -> io::Result<Self> {
        let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC)?;
        let descriptor: OwnedFd = timer.as_fd().try_clone_to_owned()?;
        Ok(Self { timer, watched: Watched::readable_only(descriptor)?, set: None })
    }

    /// Expires at `deadline`, at once when it has passed already; `None` never. Setting what is set already costs nothing.
    pub fn set(&mut self, deadline: Option<Instant>) -> io::Result<()> {
        if self.set == deadline {
            return Ok(());
        }
        match deadline {
            // An absolute time of zero would switch the timer off.
            Some(at) => {
                let at = Duration::from_nanos(at.as_nanos().max(1));
                self.timer.set(Expiration::OneShot(TimeSpec::from(at)), TimerSetTimeFlags::TFD_TIMER_ABSTIME)?;
            }
            None => self.timer.unset()?,
        }
        self.set = deadline;
        Ok(())
    }

    /// What it is set to.
    pub fn deadline(&self) -> Option<Instant> {
        self.set
    }

    /// Returns once the deadline has passed; it stays passed until [`Timer::set`] gives another one. Cancelling loses nothing.
    pub async fn expired(&self) -> io::Result<()> {
        self.watched.readable().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap()
    }

    #[test]
    fn a_deadline_that_has_passed_expires_at_once_and_is_not_early_otherwise() {
        runtime().block_on(async {
            let mut timer = Timer::new().unwrap();
            timer.set(Some(Instant::ZERO)).unwrap();
            timer.expired().await.unwrap();
            let deadline = clock::now() + Duration::from_millis(5);
            timer.set(Some(deadline)).unwrap();
            timer.expired().await.unwrap();
            assert!(clock::now() >= deadline);
        });
    }

    #[test]
    fn a_timer_set_to_nothing_never_expires() {
        runtime().block_on(async {
            let mut timer = Timer::new().unwrap();
            timer.set(Some(Instant::ZERO)).unwrap();
            timer.set(None).unwrap();
            tokio::select! {
                biased;
                _ = timer.expired() => panic!("expired"),
                () = tokio::task::yield_now() => {}
            }
        });
    }
}
