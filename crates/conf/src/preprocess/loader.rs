//! How files and the environment arrive: the crate itself opens nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::glob::matches;

/// Why a file did not arrive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoadError {
    /// There is none.
    Absent,
    /// It is a directory.
    Directory,
    /// No regular file, or any execute bit is set: keepalived takes it for something that a pattern matched by mistake.
    NotPlain,
    /// It may not be read, or reading failed; the operating system's words.
    Unreadable(String),
}

/// Gives files, names of files and environment variables.
pub trait Loader {
    /// The octets of a file. Refuse what is no regular file or is executable.
    fn read(&mut self, path: &str) -> Result<Vec<u8>, LoadError>;

    /// Sorted paths, directories among them, that match `pattern` (`*`, `?`, `[…]`; braces were resolved before).
    /// A relative pattern starts at `directory` and gives relative paths; empty is the process's own directory.
    /// A pattern without wildcards gives itself if it exists. [`matches()`] compares names.
    fn glob(&mut self, directory: &str, pattern: &str) -> Vec<String>;

    /// An environment variable, for `${_ENV NAME}`.
    fn environment(&mut self, name: &str) -> Option<String>;

    /// The absolute form of a directory, for `$_PWD`; empty is the process's own.
    fn absolute(&mut self, directory: &str) -> String {
        directory.to_owned()
    }
}

/// Files in memory, for tests and for text that came from elsewhere than a file system.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    files: BTreeMap<String, Result<Vec<u8>, LoadError>>,
    directories: BTreeSet<String>,
    environment: BTreeMap<String, String>,
}

impl Memory {
    /// No files.
    pub fn new() -> Self {
        Self::default()
    }

    /// Add a file, and the directories above it.
    pub fn file(mut self, path: &str, text: impl AsRef<[u8]>) -> Self {
        self.insert(path, Ok(text.as_ref().to_vec()));
        self
    }

    /// Add a path that cannot be read.
    pub fn broken(mut self, path: &str, error: LoadError) -> Self {
        self.insert(path, Err(error));
        self
    }

    /// Add an environment variable.
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    fn insert(&mut self, path: &str, content: Result<Vec<u8>, LoadError>) {
        let path = clean(path);
        let above = path.match_indices('/').map(|(at, _)| path[..at].to_owned()).filter(|above| !above.is_empty());
        self.directories.extend(above);
        self.files.insert(path, content);
    }
}

/// A path without `.`, `..` and doubled slashes.
fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let root = if path.starts_with('/') { "/" } else { "" };
    format!("{root}{}", parts.join("/"))
}

impl Loader for Memory {
    fn read(&mut self, path: &str) -> Result<Vec<u8>, LoadError> {
        let path = clean(path);
        match self.files.get(&path) {
            Some(content) => content.clone(),
            None if self.directories.contains(&path) => Err(LoadError::Directory),
            None => Err(LoadError::Absent),
        }
    }

    fn glob(&mut self, directory: &str, pattern: &str) -> Vec<String> {
        let prefix =
            if pattern.starts_with('/') || directory.is_empty() { String::new() } else { format!("{directory}/") };
        let full = clean(&format!("{prefix}{pattern}"));
        let wanted: Vec<&str> = full.split('/').collect();
        let fits = |path: &&String| {
            let parts: Vec<&str> = path.split('/').collect();
            parts.len() == wanted.len() && parts.iter().zip(&wanted).all(|(part, wanted)| matches(wanted, part))
        };
        let found: BTreeSet<&String> = self.files.keys().chain(&self.directories).filter(fits).collect();
        let prefix = clean(&prefix);
        let relative = |path: &&String| match path.strip_prefix(&prefix) {
            Some(rest) if !prefix.is_empty() => rest.trim_start_matches('/').to_owned(),
            _ => (*path).clone(),
        };
        found.iter().map(relative).collect()
    }

    fn environment(&mut self, name: &str) -> Option<String> {
        self.environment.get(name).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_find_files_from_their_directory_in_order() {
        let mut files = Memory::new().file("/etc/k/a.conf", "").file("/etc/k/d/c.conf", "").file("/etc/k/d/b.conf", "");
        assert_eq!(files.glob("/etc/k", "*.conf"), ["a.conf"]);
        assert_eq!(files.glob("/etc/k", "d/*.conf"), ["d/b.conf", "d/c.conf"]);
        assert_eq!(files.glob("/etc/k", "/etc/*/[a-c].conf"), ["/etc/k/a.conf"]);
        assert_eq!(files.glob("/etc/k", "d"), ["d"]);
        assert_eq!(files.read("/etc/k/d/../a.conf"), Ok(Vec::new()));
        assert_eq!(files.read("/etc/k/d"), Err(LoadError::Directory));
        assert!(files.glob("/etc/k", "x*").is_empty());
    }
}
