//! `startup_script` and `shutdown_script`.

use std::time::Duration;

use notify::Script;
use sys::script::{Command, Exit};

use crate::logging::{detail, error, info};

/// Runs a script to its end, or until its time is up.
pub(super) async fn run(kind: &str, script: &Script, limit: Duration) {
    info!("Running {kind} script {}", script.text);
    let command = Command::new(script.words.clone(), script.user.uid, script.user.gid, script.user.groups.clone());
    let mut child = match sys::script::spawn(&command) {
        Ok(child) => child,
        Err(refused) => {
            error!("{kind} script failed: {refused}");
            return;
        }
    };
    match child.wait_at_most(limit).await {
        Ok((_, true)) => error!("{kind} script timed out after {} s", limit.as_secs()),
        Ok((exit, false)) if exit.is_success() => detail(&format!("{kind} script succeeded")),
        Ok((Exit::Code(code), false)) => error!("{kind} script failed, status {code}"),
        Ok((Exit::Signal(signal), false)) => error!("{kind} script failed, signal {signal}"),
        Ok((Exit::Unknown, false)) => error!("{kind} script failed"),
        Err(refused) => error!("{kind} script failed: {refused}"),
    }
}
