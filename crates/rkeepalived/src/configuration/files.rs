//! Configuration files from the disk.

use std::io::Read;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use conf::preprocess::{LoadError, Loader, matches};

/// Reads files, lists directories, knows the environment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Files;

/// Whether the file that `-f` names can be read, or a pattern matches something; else why not.
pub(super) fn readable(file: &str) -> Result<(), String> {
    if file.contains(['*', '?', '[', '{']) {
        return if Files.glob("", file).is_empty() { Err("nothing matches".into()) } else { Ok(()) };
    }
    match std::fs::metadata(file) {
        Ok(metadata) if metadata.is_dir() => Err("it is a directory".into()),
        Ok(_) => std::fs::File::open(file).map(|_| ()).map_err(|refused| refused.to_string()),
        Err(refused) => Err(refused.to_string()),
    }
}

impl Loader for Files {
    fn read(&mut self, path: &str) -> Result<Vec<u8>, LoadError> {
        // A FIFO or a device must not hold the daemon up, so it is opened without waiting and then looked at.
        let mut file =
            std::fs::File::options().read(true).custom_flags(libc::O_NONBLOCK).open(path).map_err(|refused| {
                match refused.kind() {
                    std::io::ErrorKind::NotFound => LoadError::Absent,
                    _ => LoadError::Unreadable(refused.to_string()),
                }
            })?;
        let metadata = file.metadata().map_err(|refused| LoadError::Unreadable(refused.to_string()))?;
        if metadata.is_dir() {
            return Err(LoadError::Directory);
        }
        if !metadata.is_file() || metadata.permissions().mode() & 0o111 != 0 {
            return Err(LoadError::NotPlain);
        }
        let mut octets = Vec::with_capacity(metadata.len() as usize + 1);
        file.read_to_end(&mut octets).map_err(|refused| LoadError::Unreadable(refused.to_string()))?;
        Ok(octets)
    }

    fn glob(&mut self, directory: &str, pattern: &str) -> Vec<String> {
        let absolute = if pattern.starts_with('/') || directory.is_empty() {
            pattern.to_owned()
        } else {
            format!("{}/{pattern}", directory.trim_end_matches('/'))
        };
        let mut found = vec![if absolute.starts_with('/') { "/".to_owned() } else { String::new() }];
        for part in absolute.split('/').filter(|part| !part.is_empty()) {
            let mut next = Vec::new();
            for base in &found {
                let join = |name: &str| match base.as_str() {
                    "" => name.to_owned(),
                    "/" => format!("/{name}"),
                    base => format!("{base}/{name}"),
                };
                if !part.contains(['*', '?', '[']) {
                    let path = join(part);
                    if Path::new(&path).symlink_metadata().is_ok() {
                        next.push(path);
                    }
                    continue;
                }
                let Ok(entries) = std::fs::read_dir(if base.is_empty() { "." } else { base }) else { continue };
                let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
                next.extend(names.filter(|name| matches(part, name)).map(|name| join(&name)));
            }
            found = next;
        }
        found.sort_unstable();
        found
    }

    fn environment(&mut self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn absolute(&mut self, directory: &str) -> String {
        std::fs::canonicalize(if directory.is_empty() { "." } else { directory })
            .map_or_else(|_| directory.to_owned(), |path| path.to_string_lossy().into_owned())
    }
}
