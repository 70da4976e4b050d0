//! Waiting for conditions, never for luck.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// How often a condition is looked at. Short against every protocol interval that the lab uses, long against the cost of a look.
const LOOK: Duration = Duration::from_millis(10);

/// Waits until `condition` gives a value and returns it; panics with `what` when `limit` has passed.
#[track_caller]
pub fn until<T>(what: &str, limit: Duration, mut condition: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(Instant::now() < deadline, "waited {limit:?} in vain until {what}");
        sleep(LOOK);
    }
}

/// Asserts that `condition` holds at every look during `time`: for what must *not* happen, where there is no event to wait for.
#[track_caller]
pub fn remains(what: &str, time: Duration, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + time;
    while Instant::now() < end {
        assert!(condition(), "did not remain so: {what}");
        sleep(LOOK);
    }
}
