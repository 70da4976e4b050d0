//! When a child tells the supervisor its numbers: only where `metrics` is configured, soon after a change of state, and
//! once a second for what merely counts.

use std::time::Duration;

use types::Instant;

/// Between two samples when nothing but counters has changed.
const COUNTING: Duration = Duration::from_secs(1);
/// Between two samples when states change: a thousand transitions at once make few messages.
const CHANGING: Duration = Duration::from_millis(100);

/// The moments of one child.
#[derive(Debug, Default)]
pub(crate) struct Sampler {
    wanted: bool,
    last: Option<Instant>,
    changed: bool,
}

impl Sampler {
    /// As `global_defs` says.
    pub(crate) fn new(global: &conf::Global) -> Self {
        Self { wanted: global.metrics.is_some(), last: None, changed: false }
    }

    /// A state has changed.
    pub(crate) fn note(&mut self) {
        self.changed = true;
    }

    /// Whether a sample is due, which is then taken for told.
    pub(crate) fn is_due(&mut self, now: Instant) -> bool {
        let due = self.deadline().is_some_and(|deadline| deadline <= now);
        if due {
            self.last = Some(now);
            self.changed = false;
        }
        due
    }

    /// When the next sample is due; `None` where nobody wants any.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let interval = if self.changed { CHANGING } else { COUNTING };
        self.wanted.then(|| self.last.map_or(Instant::ZERO, |last| last + interval))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: u64) -> Instant {
        Instant::ZERO + Duration::from_millis(milliseconds)
    }

    #[test]
    fn nobody_is_woken_where_metrics_are_not_configured() {
        let mut sampler = Sampler::new(&conf::Global::default());
        sampler.note();
        assert_eq!((sampler.deadline(), sampler.is_due(at(5_000))), (None, false));
    }

    #[test]
    fn a_change_is_told_soon_and_counters_once_a_second() {
        let global = conf::Global { metrics: Some(([127, 0, 0, 1], 9650).into()), ..conf::Global::default() };
        let mut sampler = Sampler::new(&global);
        assert!(sampler.is_due(at(5_000)));
        assert!(!sampler.is_due(at(5_050)));
        assert_eq!(sampler.deadline(), Some(at(6_000)));
        sampler.note();
        assert!(!sampler.is_due(at(5_050)), "the last one is too young");
        assert!(sampler.is_due(at(5_100)));
        assert!(!sampler.is_due(at(6_099)));
        assert!(sampler.is_due(at(6_100)));
    }
}
