//! How files and the environment arrive: the crate itself opens nothing.

use std::collections::BTreeMap;

/// Why a file did not arrive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoadError {
    /// There is none.
    Absent,
    /// A directory, a device, a pipe: keepalived skips it.
    NotRegular,
    /// Any execute bit is set: keepalived takes it for a script that was matched by mistake.
    Executable,
    /// It may not be read, or reading failed; the operating system's words.
    Unreadable(String),
}

/// Gives files, names of files and environment variables. Paths are absolute unless the first file's was relative.
pub trait Loader {
    /// The octets of a file. Refuse what is no regular file or is executable.
    fn read(&mut self, path: &str) -> Result<Vec<u8>, LoadError>;

    /// Sorted paths that match `pattern` (`*`, `?`, `[…]`; braces are resolved before), relative ones from `directory`.
    fn glob(&mut self, directory: &str, pattern: &str) -> Vec<String>;

    /// An environment variable, for `${_ENV NAME}`.
    fn environment(&mut self, name: &str) -> Option<String>;

    /// The absolute form of a directory, for `$_PWD`.
    fn absolute(&mut self, directory: &str) -> String {
        directory.to_owned()
    }
}

/// Files in memory, for tests and for text that came from elsewhere than a file system.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    files: BTreeMap<String, Vec<u8>>,
    environment: BTreeMap<String, String>,
}

impl Memory {
    /// No files.
    pub fn new() -> Self {
        Self::default()
    }

    /// Add a file.
    pub fn file(mut self, path: &str, text: impl AsRef<[u8]>) -> Self {
        self.files.insert(path.to_owned(), text.as_ref().to_vec());
        self
    }

    /// Add an environment variable.
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }
}

impl Loader for Memory {
    fn read(&mut self, path: &str) -> Result<Vec<u8>, LoadError> {
        self.files.get(path).cloned().ok_or(LoadError::Absent)
    }

    fn glob(&mut self, _directory: &str, pattern: &str) -> Vec<String> {
        self.files.keys().filter(|path| path.as_str() == pattern).cloned().collect()
    }

    fn environment(&mut self, name: &str) -> Option<String> {
        self.environment.get(name).cloned()
    }
}
