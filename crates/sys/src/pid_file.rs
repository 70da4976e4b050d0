//! Pid files, held by an open-file-description lock as long as the daemon lives.

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use nix::fcntl::{FcntlArg, fcntl};

/// Why there is no pid file.
#[derive(Debug)]
pub enum PidFileError {
    /// Another process holds it: the daemon is running already.
    AlreadyLocked {
        /// The file.
        path: PathBuf,
        /// The process id it contains, where one can be read.
        holder: Option<i32>,
    },
    /// It cannot be opened, locked or written.
    Io {
        /// The file.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
}

/// The first line is keepalived's own.
impl fmt::Display for PidFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlreadyLocked { path, holder } => {
                write!(f, "Another process has pid file {} locked", path.display())?;
                holder.map_or(Ok(()), |pid| write!(f, " (process {pid})"))
            }
            Self::Io { path, source } => write!(f, "pid file {}: {source}", path.display()),
        }
    }
}

impl std::error::Error for PidFileError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::AlreadyLocked { .. } => None,
            Self::Io { source, .. } => Some(source),
        }
    }
}

/// A locked pid file. The lock ends with the process, however it ends; dropping the value removes the file as well.
#[derive(Debug)]
pub struct PidFile {
    file: File,
    path: PathBuf,
}

impl PidFile {
    /// Creates (mode 0644) or takes over `path`, locks it and writes this process's id.
    pub fn create(path: impl Into<PathBuf>) -> Result<Self, PidFileError> {
        let path = path.into();
        match Self::open_locked(&path) {
            Ok(Some(file)) => {
                let mut created = Self { file, path };
                created.write(std::process::id())?;
                Ok(created)
            }
            Ok(None) => {
                let holder = std::fs::read_to_string(&path).ok().and_then(|text| text.trim().parse().ok());
                Err(PidFileError::AlreadyLocked { path, holder })
            }
            Err(source) => Err(PidFileError::Io { path, source }),
        }
    }

    /// Replaces the content: after a fork the id is another one, while the lock goes over.
    pub fn write(&mut self, pid: u32) -> Result<(), PidFileError> {
        use std::io::Seek;
        let text = format!("{pid}\n");
        let written =
            self.file.set_len(0).and_then(|()| self.file.rewind()).and_then(|()| self.file.write_all(text.as_bytes()));
        written.map_err(|source| PidFileError::Io { path: self.path.clone(), source })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// `None` when another process holds the lock. A file that was removed between opening and locking is opened again.
    fn open_locked(path: &Path) -> io::Result<Option<File>> {
        use std::os::unix::fs::MetadataExt;
        loop {
            let mut options = File::options();
            let file = options.read(true).write(true).create(true).truncate(false).mode(0o644).open(path)?;
            let lock = libc::flock {
                l_type: libc::F_WRLCK as libc::c_short,
                l_whence: libc::SEEK_SET as libc::c_short,
                l_start: 0,
                l_len: 0,
                l_pid: 0,
            };
            match fcntl(&file, FcntlArg::F_OFD_SETLK(&lock)) {
                Ok(_) => {}
                Err(nix::errno::Errno::EAGAIN | nix::errno::Errno::EACCES) => return Ok(None),
                Err(errno) => return Err(errno.into()),
            }
            let opened = file.metadata()?;
            match std::fs::metadata(path) {
                Ok(named) if (named.dev(), named.ino()) == (opened.dev(), opened.ino()) => return Ok(Some(file)),
                _ => continue,
            }
        }
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        // The lock is still held: whoever opens the name from now on makes a new file. A failure leaves a stale, unlocked file, which harms nobody.
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("rkeepalived-sys-{}-{name}.pid", std::process::id()))
    }

    #[test]
    fn a_second_daemon_is_refused_and_told_who_holds_the_file() {
        let path = scratch("held");
        let held = PidFile::create(&path).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{}\n", std::process::id()));
        match PidFile::create(&path) {
            Err(PidFileError::AlreadyLocked { holder, .. }) => assert_eq!(holder, Some(std::process::id() as i32)),
            other => panic!("{other:?}"),
        }
        drop(held);
        assert!(!path.exists());
    }

    #[test]
    fn a_stale_file_is_taken_over_and_its_longer_content_does_not_shine_through() {
        let path = scratch("stale");
        std::fs::write(&path, "123456789012345\n").unwrap();
        let taken = PidFile::create(&path).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{}\n", std::process::id()));
        drop(taken);
    }

    #[test]
    fn a_missing_directory_is_told_with_the_path() {
        let error = PidFile::create("/nonexistent/x.pid").unwrap_err();
        assert!(error.to_string().contains("/nonexistent/x.pid"), "{error}");
    }
}
