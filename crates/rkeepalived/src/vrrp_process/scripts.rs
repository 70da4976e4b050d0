//! Runs tracked scripts; when they run and what their result means is the brain's business.

use std::collections::HashMap;
use std::time::Duration;

use notify::Script;
use sys::script::{Child, Exit, Spawner};
use tokio::sync::watch;
use tokio::task::JoinSet;
use vrrp::{ScriptId, ScriptOutcome};

use crate::logging::{detail, warning};

/// How long a script has to end by itself when the daemon stops.
const MOMENT: Duration = Duration::from_millis(300);

/// A run that ended.
#[derive(Debug)]
pub(super) struct Ended {
    run: u64,
    outcome: ScriptOutcome,
}

/// Scripts that run now.
#[derive(Debug)]
pub(super) struct TrackScripts {
    spawner: Spawner,
    tasks: JoinSet<Ended>,
    runs: HashMap<u64, ScriptId>,
    last: u64,
    stopping: watch::Sender<bool>,
}

impl TrackScripts {
    /// Nothing runs yet.
    pub(super) fn new(spawner: Spawner) -> Self {
        Self { spawner, tasks: JoinSet::new(), runs: HashMap::new(), last: 0, stopping: watch::Sender::new(false) }
    }

    /// Starts a script; it is killed with its whole group after `timeout`.
    pub(super) fn start(&mut self, id: ScriptId, script: Option<&Script>, timeout: Duration) {
        self.last += 1;
        let run = self.last;
        self.runs.insert(run, id);
        match script {
            None => self.tasks.spawn(async move { Ended { run, outcome: ScriptOutcome::NotStarted } }),
            Some(script) if script.open_only => {
                let path = script.words[0].clone();
                self.tasks.spawn(async move {
                    // A dead file system may hold this up for ever; the loop must not wait for it.
                    let opened = tokio::task::spawn_blocking(move || std::fs::File::open(path).is_ok());
                    let outcome = match tokio::time::timeout(timeout, opened).await {
                        Ok(Ok(true)) => ScriptOutcome::Exited(0),
                        Ok(_) => ScriptOutcome::Exited(1),
                        Err(_) => ScriptOutcome::TimedOut,
                    };
                    Ended { run, outcome }
                })
            }
            Some(script) => {
                let text = script.text.clone();
                let spawned = self.spawner.spawn(crate::notifier::command(script));
                let mut stopping = self.stopping.subscribe();
                self.tasks.spawn(async move {
                    let mut child = match spawned.await {
                        Ok(child) => child,
                        Err(refused) => {
                            warning!("track script: {refused}");
                            return Ended { run, outcome: ScriptOutcome::NotStarted };
                        }
                    };
                    if child.lacks_shebang() {
                        detail(&format!("Please add a #! shebang to script {text}"));
                    }
                    let ended = tokio::select! {
                        ended = child.wait_at_most(timeout) => ended,
                        () = told_to_stop(&mut stopping) => {
                            end(&mut child).await;
                            return Ended { run, outcome: ScriptOutcome::NotStarted };
                        }
                    };
                    let outcome = match ended {
                        Ok((_, true)) => ScriptOutcome::TimedOut,
                        Ok((Exit::Code(code), false)) => ScriptOutcome::Exited(i32::from(code)),
                        Ok((Exit::Signal(signal), false)) => ScriptOutcome::Signalled(signal),
                        Ok((Exit::Unknown, false)) | Err(_) => ScriptOutcome::NotStarted,
                    };
                    Ended { run, outcome }
                })
            }
        };
    }

    /// Next run that ends. Cancelling loses nothing.
    pub(super) async fn ended(&mut self) -> Ended {
        loop {
            match self.tasks.join_next().await {
                Some(Ok(ended)) => return ended,
                Some(Err(_)) => {}
                None => std::future::pending::<()>().await,
            }
        }
    }

    /// Which script that was, if the configuration still has it.
    pub(super) fn finish(&mut self, ended: Ended) -> Option<(ScriptId, ScriptOutcome)> {
        self.runs.remove(&ended.run).map(|id| (id, ended.outcome))
    }

    /// After a reload: old numbers become new ones, and runs of scripts that are gone are forgotten.
    pub(super) fn renumber(&mut self, scripts: &[Option<ScriptId>]) {
        self.runs.retain(|_, id| match scripts.get(id.0 as usize) {
            Some(Some(new)) => {
                *id = *new;
                true
            }
            _ => false,
        });
    }

    /// The daemon stops: what runs is ended with its whole group, and waited for.
    pub(super) async fn stop(&mut self) {
        self.stopping.send_replace(true);
        while self.tasks.join_next().await.is_some() {}
    }
}

/// SIGTERM for the group, and SIGKILL for what does not heed it within a moment: a stop does not take long.
async fn end(child: &mut Child) {
    // A group that is gone already needs no signal.
    let _ = child.terminate_group();
    if tokio::time::timeout(MOMENT, child.wait()).await.is_err() {
        let _ = child.signal_group(libc::SIGKILL);
        let _ = tokio::time::timeout(MOMENT, child.wait()).await;
    }
}

/// Returns when the daemon stops, or when nobody can say so any more.
async fn told_to_stop(stopping: &mut watch::Receiver<bool>) {
    let _ = stopping.wait_for(|stopping| *stopping).await.is_ok();
}
