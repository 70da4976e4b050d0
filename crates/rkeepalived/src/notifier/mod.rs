//! The hands of notification, in the VRRP and in the checker process: starts scripts, writes FIFOs, sends mails.
//!
//! What is run, written and sent, and in which order, is decided by the `notify` crate. Nothing here makes the loop wait:
//! scripts start on a thread of their own, FIFOs are written without blocking, mails have their own tasks.

mod fifo;
mod mail;

use std::time::Duration;

use notify::{Alert, FifoLine, Fifos, Mail, Owner, Queue, Run, RunId, Script};
use sys::script::{Command, Exit, SpawnError, Spawner};
use tokio::task::JoinSet;
use types::Instant;

use self::fifo::OpenFifo;
use crate::logging::{detail, error, warning};

/// Mails that may be under way at once; beyond this they are dropped with a log line.
const MOST_MAILS: usize = 32;

/// Which FIFOs a process writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writer {
    /// VRRP lines into `notify_fifo` and `vrrp_notify_fifo`; `all_script`: also starts the reader of `notify_fifo`.
    Vrrp,
    /// LVS lines into `notify_fifo` and `lvs_notify_fifo`.
    Checker,
}

/// Scripts, FIFOs and mails of one process.
#[derive(Debug)]
pub(crate) struct Notifier {
    queue: Queue,
    spawner: Spawner,
    runs: JoinSet<Ended>,
    fifos: Vec<OpenFifo>,
    mail: Option<Mail>,
    mails: JoinSet<()>,
}

/// A notify script that ended.
#[derive(Debug)]
struct Ended {
    id: RunId,
    text: String,
    owner: Owner,
    result: Result<Exit, SpawnError>,
    lacks_shebang: bool,
    took: Duration,
}

impl Notifier {
    /// Opens the FIFOs. To be called before the process takes real-time priority: the spawning thread keeps the priority
    /// that it starts with.
    pub(crate) fn new(spawner: Spawner, writer: Writer, global: &conf::Global, starts_all_reader: bool) -> Self {
        let mut notifier = Self {
            queue: Queue::default(),
            spawner,
            runs: JoinSet::new(),
            fifos: Vec::new(),
            mail: global.mail.clone(),
            mails: JoinSet::new(),
        };
        notifier.open(writer, &global.fifos, starts_all_reader);
        notifier
    }

    /// FIFOs and mail settings of a new configuration; FIFOs that stay are kept open.
    pub(crate) fn reconfigure(&mut self, writer: Writer, global: &conf::Global, starts_all_reader: bool) {
        self.mail.clone_from(&global.mail);
        for fifo in std::mem::take(&mut self.fifos) {
            fifo.close();
        }
        self.open(writer, &global.fifos, starts_all_reader);
    }

    fn open(&mut self, writer: Writer, fifos: &Fifos, starts_all_reader: bool) {
        let (own, what) = match writer {
            Writer::Vrrp => (&fifos.vrrp, "vrrp "),
            Writer::Checker => (&fifos.lvs, "lvs "),
        };
        for (fifo, what, start_reader) in [(&fifos.all, "", starts_all_reader), (own, what, true)] {
            let Some(fifo) = fifo else { continue };
            match OpenFifo::open(fifo, what, if start_reader { Some(&self.spawner) } else { None }) {
                Ok(open) => self.fifos.push(open),
                Err(refused) => error!("{refused}"),
            }
        }
    }

    /// Writes a line into every FIFO of this process.
    pub(crate) fn line(&mut self, line: &FifoLine) {
        let text = line.to_string();
        self.text(&text);
    }

    /// Writes a line that is text already, its newline included.
    pub(crate) fn text(&mut self, text: &str) {
        for fifo in &mut self.fifos {
            fifo.write(text);
        }
    }

    /// Runs the scripts of one transition, in order with those of its owner's other transitions.
    pub(crate) fn scripts(&mut self, now: Instant, owner: Owner, scripts: Vec<(Script, Vec<String>)>) {
        let mut out = Vec::new();
        self.queue.transition(now, owner, scripts, &mut out);
        self.start(out);
    }

    /// Sends a mail, where mail is configured.
    pub(crate) fn mail(&mut self, alert: &Alert) {
        let Some(settings) = &self.mail else { return };
        while self.mails.try_join_next().is_some() {}
        if self.mails.len() >= MOST_MAILS {
            warning!("mail '{}' is not sent: {MOST_MAILS} others wait for {}", alert.subject, settings.server);
            return;
        }
        self.mails.spawn(mail::send(settings.clone(), alert.clone()));
    }

    /// Mail settings, where mail is configured.
    pub(crate) fn mail_settings(&self) -> Option<&Mail> {
        self.mail.as_ref()
    }

    /// Waits until a script has ended and does what follows from it. Cancelling loses nothing.
    pub(crate) async fn progress(&mut self) {
        let patience = self.queue.next_deadline();
        let late = async {
            match patience {
                Some(deadline) => tokio::time::sleep(deadline.since(sys::clock::now())).await,
                None => std::future::pending().await,
            }
        };
        let ended = async {
            match self.runs.join_next().await {
                Some(ended) => ended.ok(),
                None => std::future::pending().await,
            }
        };
        let ended = tokio::select! {
            ended = ended => ended,
            () = late => None,
        };
        let mut out = Vec::new();
        let now = sys::clock::now();
        match ended {
            Some(ended) => {
                tell(&ended);
                self.queue.ended(now, ended.id, &mut out);
            }
            None => self.queue.handle_timeout(now, &mut out),
        }
        self.start(out);
    }

    /// Waits at most `limit` for scripts and mails that are under way, then closes the FIFOs.
    pub(crate) async fn finish(mut self, limit: Duration) {
        let all = async {
            while !self.queue.is_idle() {
                self.progress().await;
            }
            while self.mails.join_next().await.is_some() {}
        };
        let _ = tokio::time::timeout(limit, all).await;
        for fifo in self.fifos {
            fifo.close();
        }
    }

    fn start(&mut self, runs: Vec<Run>) {
        for Run { id, script, mut words, owner } in runs {
            let mut command = command(&script);
            command.words.append(&mut words);
            let spawned = self.spawner.spawn(command);
            let started = sys::clock::now();
            let text = script.text.clone();
            self.runs.spawn(async move {
                let (result, lacks_shebang) = match spawned.await {
                    Ok(mut child) => {
                        let lacks_shebang = child.lacks_shebang();
                        (Ok(child.wait().await.unwrap_or(Exit::Unknown)), lacks_shebang)
                    }
                    Err(refused) => (Err(refused), false),
                };
                Ended { id, text, owner, result, lacks_shebang, took: sys::clock::now().since(started) }
            });
        }
    }
}

/// A script as `sys` runs it.
pub(crate) fn command(script: &Script) -> Command {
    Command::new(script.words.clone(), script.user.uid, script.user.gid, script.user.groups.clone())
}

fn tell(ended: &Ended) {
    let (text, took) = (&ended.text, ended.took.as_millis());
    let owner = match &ended.owner {
        Owner::Instance(name) | Owner::Group(name) | Owner::Service(name) => name,
    };
    if ended.lacks_shebang {
        warning!("Please add a #! shebang to script {text}");
    }
    match &ended.result {
        Ok(Exit::Code(0)) => detail(&format!("({owner}) script {text} succeeded after {took} ms")),
        Ok(Exit::Code(code)) => warning!("({owner}) script {text} exited with status {code} after {took} ms"),
        Ok(Exit::Signal(signal)) => warning!("({owner}) script {text} was killed by signal {signal} after {took} ms"),
        Ok(Exit::Unknown) => warning!("({owner}) script {text} ended after {took} ms, nobody knows how"),
        Err(refused) => error!("({owner}) {refused}"),
    }
}
