//! A network namespace for one test: the thread's own, gone with the thread.

use std::process::Command;

use rkeepalived_net::{Kernel, Monitor, MonitorOptions};
use vip::{Config, Consequence, Keeper, Observation, Operation, Outcome};

/// Enters a namespace of its own with a pair of veth interfaces `left` and `right`, up. `None`, with the reason printed, where that is not possible.
pub(crate) fn enter() -> Option<()> {
    if let Err(error) = sys::process::new_network_namespace() {
        eprintln!("skipped: no network namespace ({error}); run as root");
        return None;
    }
    ip("link set lo up");
    ip("link add left type veth peer name right");
    ip("link set left up");
    ip("link set right up");
    Some(())
}

/// Runs `ip` with these words and returns what it printed.
pub(crate) fn ip(words: &str) -> String {
    let output = Command::new("ip").args(words.split_whitespace()).output().expect("iproute2 is installed");
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    assert!(output.status.success(), "ip {words}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// The shell of a VRRP process without its brain.
pub(crate) struct Shell {
    pub(crate) kernel: Kernel,
    pub(crate) monitor: Monitor,
    pub(crate) keeper: Keeper,
    /// Refusals that were not tolerated.
    pub(crate) refused: Vec<String>,
}

impl Shell {
    /// Starts with `masters`; must be called inside a runtime.
    pub(crate) fn start(config: Config, masters: &[u32]) -> Self {
        let monitor = Monitor::open(MonitorOptions::of(&config)).unwrap();
        let kernel = Kernel::open().unwrap();
        let mut shell = Self { kernel, monitor, keeper: Keeper::new(config), refused: Vec::new() };
        let (mut operations, mut consequences) = (Vec::new(), Vec::new());
        let keeper = &mut shell.keeper;
        shell.monitor.dump(|seen| keeper.observe(&seen, &mut operations, &mut consequences)).unwrap();
        shell.keeper.start(masters, false, &mut operations);
        shell.perform(operations);
        shell
    }

    pub(crate) fn perform(&mut self, mut operations: Vec<Operation>) {
        while !operations.is_empty() {
            let outcomes = self.kernel.perform(&operations);
            let mut follow_up = Vec::new();
            for (operation, outcome) in operations.iter().zip(&outcomes) {
                if let Outcome::Refused(refusal) = outcome
                    && !operation.tolerates(refusal)
                {
                    self.refused.push(format!("{operation}: {refusal}"));
                }
                self.keeper.performed(operation, outcome, &mut follow_up);
            }
            operations = follow_up;
        }
    }

    pub(crate) fn hold(&mut self, instance: u32) {
        let mut operations = Vec::new();
        self.keeper.hold(instance, &mut operations);
        self.perform(operations);
    }

    pub(crate) fn release(&mut self, instance: u32) {
        let mut operations = Vec::new();
        self.keeper.release(instance, &mut operations);
        self.perform(operations);
    }

    /// Takes in what the monitor has, performs what follows, and returns the consequences.
    pub(crate) fn settle(&mut self) -> Vec<Consequence> {
        let mut all = Vec::new();
        loop {
            let (mut operations, mut consequences, mut seen) = (Vec::new(), Vec::new(), 0);
            let keeper = &mut self.keeper;
            let take = |observation: Observation| {
                seen += 1;
                keeper.observe(&observation, &mut operations, &mut consequences);
            };
            self.monitor.drain(take).unwrap();
            all.append(&mut consequences);
            if seen == 0 {
                return all;
            }
            self.perform(operations);
        }
    }

    /// Settles again and again until `wanted` is among the consequences; a bounded number of times.
    pub(crate) fn settle_until(&mut self, wanted: impl Fn(&Consequence) -> bool) -> Vec<Consequence> {
        let mut all = Vec::new();
        for _ in 0..2_000 {
            all.append(&mut self.settle());
            if all.iter().any(&wanted) {
                return all;
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        panic!("never happened; heard {all:?}");
    }
}

/// Runs a test with a runtime in a namespace, or skips it.
pub(crate) fn run(test: impl AsyncFnOnce()) {
    if enter().is_none() {
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    runtime.block_on(test());
}
