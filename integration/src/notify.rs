//! A script that writes down how it was called.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::host::Host;
use crate::wait::until;

/// The recorder on one host: its script is [`Recorder::SCRIPT`], what it wrote is read from outside.
pub struct Recorder {
    records: PathBuf,
}

impl Recorder {
    /// The script's path on its host.
    pub const SCRIPT: &'static str = "/etc/keepalived/record";

    const RECORDS: &'static str = "/run/records";

    /// Puts the script on `host`.
    #[track_caller]
    pub fn install(host: &Host) -> Self {
        // one write of one line, so that calls at the same time do not mix
        let script = format!("#!/bin/sh\nprintf '%s %s\\n' \"$(date +%s.%N)\" \"$*\" >>{}\n", Self::RECORDS);
        host.write_script(Self::SCRIPT, &script);
        Self { records: host.path(Self::RECORDS) }
    }

    /// The arguments of each call so far, joined by blanks.
    pub fn calls(&self) -> Vec<String> {
        self.read().lines().map(|line| line.split_once(' ').map_or("", |(_, words)| words).to_owned()).collect()
    }

    /// When each call was made, since the epoch.
    pub fn times(&self) -> Vec<SystemTime> {
        let seconds = |line: &str| line.split(' ').next()?.parse::<f64>().ok();
        self.read().lines().filter_map(seconds).map(|time| UNIX_EPOCH + Duration::from_secs_f64(time)).collect()
    }

    /// Waits for a call with exactly these arguments.
    #[track_caller]
    pub fn wait_for(&self, arguments: &str) {
        until(
            &format!("the script is called with `{arguments}` (so far: {:?})", self.calls()),
            Duration::from_secs(15),
            || self.calls().iter().any(|call| call == arguments).then_some(()),
        );
    }

    /// Forgets all calls.
    pub fn forget(&self) {
        let _ = fs::write(&self.records, "");
    }

    fn read(&self) -> String {
        fs::read_to_string(&self.records).unwrap_or_default()
    }
}
