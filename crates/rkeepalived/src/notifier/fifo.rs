//! One notify FIFO.

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};

use notify::Fifo;
use sys::script::Spawner;

use crate::logging::{detail, error, warning};

/// A FIFO that is open for writing.
#[derive(Debug)]
pub(super) struct OpenFifo {
    path: String,
    what: &'static str,
    file: File,
    created: bool,
    lost: u64,
    reader: Option<tokio::task::JoinHandle<()>>,
    stop_reader: Option<tokio::sync::oneshot::Sender<()>>,
}

/// Why a FIFO is not written.
#[derive(Debug)]
pub(super) struct FifoError {
    path: String,
    what: &'static str,
    source: io::Error,
}

impl fmt::Display for FifoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}notify fifo {} is not used: {}", self.what, self.path, self.source)
    }
}

impl OpenFifo {
    /// Creates the FIFO where there is none (mode 0644, owned by its user), opens it without waiting for a reader, and
    /// starts the reader that is configured.
    pub(super) fn open(fifo: &Fifo, what: &'static str, spawner: Option<&Spawner>) -> Result<Self, FifoError> {
        let refuse = |source| FifoError { path: fifo.path.clone(), what, source };
        let created = match nix::unistd::mkfifo(fifo.path.as_str(), nix::sys::stat::Mode::from_bits_truncate(0o644)) {
            Ok(()) => true,
            Err(nix::errno::Errno::EEXIST) => false,
            Err(refused) => return Err(refuse(refused.into())),
        };
        // Reading as well as writing: no reader is needed, and its going away is no SIGPIPE.
        let file = File::options()
            .read(true)
            .write(true)
            .custom_flags(libc::O_NONBLOCK | libc::O_NOFOLLOW)
            .open(&fifo.path)
            .map_err(refuse)?;
        let metadata = file.metadata().map_err(refuse)?;
        if !metadata.file_type().is_fifo() {
            return Err(refuse(io::Error::other("there is something else than a FIFO")));
        }
        if created {
            nix::unistd::fchown(
                &file,
                Some(nix::unistd::Uid::from_raw(fifo.user.uid)),
                Some(nix::unistd::Gid::from_raw(fifo.user.gid)),
            )
            .map_err(|refused| refuse(refused.into()))?;
        } else if metadata.uid() != 0 && metadata.uid() != fifo.user.uid {
            return Err(refuse(io::Error::other(format!(
                "it belongs to user {}, neither root nor its own user",
                metadata.uid()
            ))));
        }
        let mut open = Self { path: fifo.path.clone(), what, file, created, lost: 0, reader: None, stop_reader: None };
        if let (Some(script), Some(spawner)) = (&fifo.script, spawner) {
            open.start_reader(script, spawner);
        }
        Ok(open)
    }

    fn start_reader(&mut self, script: &notify::Script, spawner: &Spawner) {
        let mut command = super::command(script);
        command.words.push(self.path.clone());
        let spawned = spawner.spawn(command);
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let what = self.what;
        self.stop_reader = Some(stop);
        self.reader = Some(tokio::spawn(async move {
            let mut child = match spawned.await {
                Ok(child) => child,
                Err(refused) => return error!("{what}notify fifo script: {refused}"),
            };
            tokio::select! {
                _ = child.wait() => warning!("{what}notify fifo script terminated"),
                _ = stopped => {
                    let _ = child.terminate().await;
                }
            }
        }));
    }

    /// Writes a whole line or nothing; a full FIFO loses it, and the loss is told once until it has room again.
    pub(super) fn write(&mut self, line: &str) {
        match self.file.write(line.as_bytes()) {
            Ok(_) if self.lost > 0 => {
                warning!("{}notify fifo {} has room again; {} lines were lost", self.what, self.path, self.lost);
                self.lost = 0;
            }
            Ok(_) => {}
            Err(refused) => {
                self.lost += 1;
                if self.lost == 1 {
                    warning!("{}notify fifo {} loses lines: {refused}; does anybody read it?", self.what, self.path);
                }
            }
        }
    }

    /// Ends the reader and removes the FIFO if we made it.
    pub(super) fn close(self) {
        if self.created {
            let _ = std::fs::remove_file(&self.path);
        }
        if let Some(stop) = self.stop_reader {
            // The reader may have ended already.
            let _ = stop.send(());
        }
        detail(&format!("closed {}notify fifo {}", self.what, self.path));
    }
}
