//! Name, scheduling and memory of a process.

use std::time::Duration;

use crate::logging::{info, warning};

/// What `ps`, `pidof` and `killall` see: keepalived's own names, because scripts look for them.
pub(crate) fn set_name(configured: Option<&String>) {
    let name = configured.map_or("keepalived", String::as_str);
    // A name is no reason to stop.
    let _ = sys::process::set_name(name);
}

/// `*_cpu_affinity`, `*_priority`, `*_no_swap`, `*_rt_priority`.
pub(crate) fn tune(tuning: &conf::ProcessTuning) {
    let told = |what: &str, done: std::io::Result<()>| {
        if let Err(refused) = done {
            warning!("{what}: {refused}; this needs CAP_SYS_NICE, CAP_SYS_RESOURCE or CAP_IPC_LOCK");
        }
    };
    if !tuning.cpus.is_empty() {
        told("cpu affinity", sys::scheduling::set_cpu_affinity(&tuning.cpus));
    }
    if tuning.nice != 0 {
        told("process priority", sys::scheduling::set_nice(tuning.nice));
    }
    if tuning.no_swap {
        told("locking memory", sys::scheduling::lock_memory());
    }
    if let Some(priority) = tuning.realtime {
        let limit = tuning.realtime_limit.unwrap_or(10_000);
        told("real-time limit", sys::scheduling::set_realtime_limit(Duration::from_micros(limit)));
        told("real-time priority", sys::scheduling::set_realtime(priority));
    }
}

/// `max_auto_priority`: a process whose timers run late raises itself, one step at a time.
#[derive(Debug)]
pub(crate) struct AutoPriority {
    current: u8,
    most: u8,
    late: Duration,
}

impl AutoPriority {
    /// Starts from `*_rt_priority`.
    pub(crate) fn new(global: &conf::Global, tuning: &conf::ProcessTuning) -> Self {
        let most = global.max_auto_priority.map_or(0, |most| most.clamp(0, 99) as u8);
        Self { current: tuning.realtime.unwrap_or(0), most, late: global.min_auto_priority_delay }
    }

    /// A timer ran this late.
    pub(crate) fn observe(&mut self, late: Duration) {
        if late < self.late || self.current >= self.most {
            return;
        }
        self.current += 1;
        match sys::scheduling::set_realtime(self.current) {
            Ok(()) => info!("Set realtime priority {}", self.current),
            Err(refused) => {
                warning!("max_auto_priority: {refused}; this needs CAP_SYS_NICE");
                self.most = 0;
            }
        }
    }
}
