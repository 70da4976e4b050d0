//! One check: when it runs, which url is next, what its outcomes amount to.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use types::Instant;

use crate::{CheckerConfig, Outcome, ProbeConfig, Target};

/// What makes two checkers one check: the same server, the same question, the same rules.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ProbeKey {
    pub(crate) server: SocketAddr,
    pub(crate) config: Arc<ProbeConfig>,
    pub(crate) delay_loop: Duration,
    pub(crate) retry: u32,
    pub(crate) delay_before_retry: Duration,
    pub(crate) warmup: Duration,
    pub(crate) alpha: bool,
    pub(crate) log_all_failures: bool,
    /// With `ha_suspend` a virtual server's checks come and go with its address, so it shares none.
    pub(crate) owner: Option<Target>,
}

impl ProbeKey {
    pub(crate) fn new(server: SocketAddr, checker: &CheckerConfig, owner: Option<Target>) -> Self {
        Self {
            server,
            config: Arc::new(checker.probe.clone()),
            delay_loop: checker.delay_loop,
            retry: checker.retry,
            delay_before_retry: checker.delay_before_retry,
            warmup: checker.warmup,
            alpha: checker.alpha,
            log_all_failures: checker.log_all_failures,
            owner,
        }
    }
}

/// Where a checker is: virtual server, real server, checker, each by its number in the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CheckerAt {
    pub(crate) virtual_server: u32,
    pub(crate) real_server: u32,
    pub(crate) checker: u32,
}

/// A check and its state.
#[derive(Debug)]
pub(crate) struct Probe {
    pub(crate) key: ProbeKey,
    pub(crate) users: Vec<CheckerAt>,
    pub(crate) up: bool,
    pub(crate) has_run: bool,
    /// Whether it is to run at all (`ha_suspend`).
    pub(crate) enabled: bool,
    /// Failures since the last success that the retries have absorbed.
    pub(crate) failures: u32,
    pub(crate) reason: Option<Cow<'static, str>>,
    /// What MISC_CHECK's last successful exit makes of the weight: the weight itself, for `misc_dynamic`.
    pub(crate) weight: Option<u8>,
    stage: Stage,
}

/// Where a check stands in time.
#[derive(Debug, Clone, Copy)]
enum Stage {
    /// It does not run (`ha_suspend`).
    Suspended,
    /// It runs next at this moment.
    Waiting { at: Instant, url: usize, repeat: bool },
    /// It was started at this moment. `repeat`: this url failed last time.
    Running { since: Instant, url: usize, repeat: bool },
}

/// What an outcome changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Conclusion {
    /// The next url is wanted now.
    Continue,
    /// No verdict: it could not be made.
    NotRun(Cow<'static, str>),
    /// It stays as it is; `first` result, or the weight may have changed.
    StillUp {
        /// The first result of all.
        first: bool,
    },
    /// A failure that the retries absorb; their number so far.
    Retry(u32),
    /// It failed again, or for the first time while it was taken for down already.
    StillDown {
        /// The first result of all.
        first: bool,
        /// It failed in another way than before.
        changed: bool,
    },
    /// It has come up.
    Up,
    /// It has gone down.
    Down,
}

impl Probe {
    pub(crate) fn new(key: ProbeKey) -> Self {
        let up = !key.alpha;
        Self {
            key,
            users: Vec::new(),
            up,
            has_run: false,
            enabled: true,
            failures: 0,
            reason: None,
            weight: None,
            stage: Stage::Suspended,
        }
    }

    /// When it runs next; none while it runs or is suspended.
    pub(crate) fn due(&self) -> Option<Instant> {
        match self.stage {
            Stage::Waiting { at, .. } => Some(at),
            Stage::Running { .. } | Stage::Suspended => None,
        }
    }

    pub(crate) fn is_running(&self) -> bool {
        matches!(self.stage, Stage::Running { .. })
    }

    /// Sets the moment of the next run; a run under way goes on.
    pub(crate) fn wait_until(&mut self, at: Instant) {
        if !self.is_running() {
            self.stage = Stage::Waiting { at, url: 0, repeat: false };
        }
    }

    pub(crate) fn suspend(&mut self) {
        self.stage = Stage::Suspended;
        self.enabled = false;
    }

    /// Starts it and tells the url to ask for.
    pub(crate) fn start(&mut self, now: Instant) -> usize {
        let (url, repeat) = match self.stage {
            Stage::Waiting { url, repeat, .. } | Stage::Running { url, repeat, .. } => (url, repeat),
            Stage::Suspended => (0, false),
        };
        self.stage = Stage::Running { since: now, url, repeat };
        url
    }

    /// Takes an outcome; none is expected while it does not run, and such a one is ignored.
    pub(crate) fn conclude(&mut self, now: Instant, outcome: Outcome) -> Option<Conclusion> {
        let Stage::Running { since, url, repeat } = self.stage else { return None };
        let success = match &outcome {
            Outcome::Success | Outcome::Exited(0) => true,
            Outcome::Exited(code) => *code >= 2 && self.is_dynamic(),
            Outcome::Failed(_) | Outcome::Signalled(_) | Outcome::TimedOut => false,
            Outcome::NotRun(reason) => {
                let at = self.after_interval(now, since);
                self.stage = Stage::Waiting { at, url, repeat };
                return Some(Conclusion::NotRun(reason.clone()));
            }
        };
        if success {
            return Some(self.succeed(now, since, url, repeat, &outcome));
        }
        Some(self.fail(now, since, url, &outcome))
    }

    /// Urls are asked one after another in one round. The one that failed is asked first; when it works again, all of them have to.
    fn succeed(&mut self, now: Instant, since: Instant, url: usize, repeat: bool, outcome: &Outcome) -> Conclusion {
        let urls = self.urls();
        let next = match (repeat, url + 1 < urls) {
            (true, _) if urls > 1 => Some(0),
            (_, true) => Some(url + 1),
            (_, false) => None,
        };
        if let Some(url) = next {
            self.stage = Stage::Running { since, url, repeat: false };
            return Conclusion::Continue;
        }
        let (first, was_up) = (!self.has_run, self.up);
        self.stage = Stage::Waiting { at: self.after_interval(now, since), url: 0, repeat: false };
        self.weight = match outcome {
            Outcome::Exited(code) if *code >= 2 => Some(code - 2),
            _ => None,
        };
        (self.has_run, self.up, self.failures, self.reason) = (true, true, 0, None);
        match was_up {
            true => Conclusion::StillUp { first },
            false => Conclusion::Up,
        }
    }

    fn fail(&mut self, now: Instant, since: Instant, url: usize, outcome: &Outcome) -> Conclusion {
        let (first, was_up) = (!self.has_run, self.up);
        let reason = reason(outcome);
        let changed = self.reason.as_ref() != Some(&reason);
        self.reason = Some(reason);
        if was_up && !first && self.failures < self.key.retry {
            self.failures += 1;
            self.stage = Stage::Waiting { at: now + self.key.delay_before_retry, url, repeat: true };
            return Conclusion::Retry(self.failures);
        }
        let mut at = self.after_interval(now, since);
        if matches!(*self.key.config, ProbeConfig::Http(_)) {
            at = at.max(now + self.key.delay_before_retry);
        }
        self.stage = Stage::Waiting { at, url, repeat: true };
        (self.has_run, self.up) = (true, false);
        match was_up {
            true => Conclusion::Down,
            false => Conclusion::StillDown { first, changed },
        }
    }

    /// A script's interval counts from start to start, every other check's from end to start.
    fn after_interval(&self, now: Instant, since: Instant) -> Instant {
        match *self.key.config {
            ProbeConfig::Misc(_) => now.max(since + self.key.delay_loop),
            _ => now + self.key.delay_loop,
        }
    }

    fn urls(&self) -> usize {
        match &*self.key.config {
            ProbeConfig::Http(http) => http.urls.len().max(1),
            _ => 1,
        }
    }

    pub(crate) fn is_dynamic(&self) -> bool {
        matches!(&*self.key.config, ProbeConfig::Misc(misc) if misc.dynamic)
    }
}

fn reason(outcome: &Outcome) -> Cow<'static, str> {
    match outcome {
        Outcome::Failed(reason) => reason.clone(),
        Outcome::Exited(code) => format!("exited with status {code}").into(),
        Outcome::Signalled(signal) => format!("terminated by signal {signal}").into(),
        Outcome::TimedOut => "timed out".into(),
        Outcome::Success | Outcome::NotRun(_) => "".into(),
    }
}
