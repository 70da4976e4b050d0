//! The clocks. Pure crates are handed moments; this is where they come from.

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};
use types::Instant;

/// Now on CLOCK_MONOTONIC: the one that protocol timers run on, shared by supervisor and children. It stands still while the machine is
/// suspended.
pub fn now() -> Instant {
    read(ClockId::CLOCK_MONOTONIC)
}

/// Now on CLOCK_BOOTTIME, which goes on while the machine is suspended. Its origin is boot.
pub fn boot() -> Instant {
    read(ClockId::CLOCK_BOOTTIME)
}

/// Since boot, time of suspension included (`vrrp_delay_after_boot` counts from there).
pub fn uptime() -> Duration {
    boot().since(Instant::ZERO)
}

/// How long the machine has been suspended since boot. A growth between two looks is a suspension in between.
pub fn suspended() -> Duration {
    boot().since(now())
}

/// Microseconds since the epoch.
pub fn wall_micros() -> u64 {
    read(ClockId::CLOCK_REALTIME).as_nanos() / 1_000
}

/// These clocks always exist on Linux, so a refusal cannot happen; it would read as the origin.
fn read(clock: ClockId) -> Instant {
    clock_gettime(clock).map_or(Instant::ZERO, |time| Instant::ZERO + Duration::from(time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_does_not_run_backwards_and_boot_is_not_younger_than_the_monotonic_clock() {
        let first = now();
        let second = now();
        assert!(second >= first);
        assert!(boot() >= second);
    }
}
