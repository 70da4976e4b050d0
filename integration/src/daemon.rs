//! Theirs and ours, and where the lab's programs and files are.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Which daemon a node runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Daemon {
    /// Debian's keepalived, `/usr/sbin/keepalived`.
    Theirs,
    /// rkeepalived: the program that the environment variable `RKEEPALIVED` names, or else one built with `--profile lab`.
    Ours,
}

impl Daemon {
    /// The program to run; panics with the remedy when it is not there.
    #[track_caller]
    pub fn program(self) -> &'static Path {
        match self {
            Self::Theirs => {
                let path = Path::new("/usr/sbin/keepalived");
                assert!(path.exists(), "{} is missing: apt-get install keepalived", path.display());
                path
            }
            Self::Ours => our_program(),
        }
    }

    /// The same, or none when it is not there and cannot be built.
    pub fn existing_program(self) -> Option<PathBuf> {
        match self {
            Self::Theirs => Some(PathBuf::from("/usr/sbin/keepalived")).filter(|path| path.exists()),
            Self::Ours => {
                std::env::var_os("RKEEPALIVED").map(PathBuf::from).filter(|path| path.exists()).or_else(build_ours)
            }
        }
    }
}

impl fmt::Display for Daemon {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Theirs => "theirs",
            Self::Ours => "ours",
        })
    }
}

#[track_caller]
fn our_program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        if let Some(path) = std::env::var_os("RKEEPALIVED") {
            let path = PathBuf::from(path);
            assert!(path.exists(), "RKEEPALIVED names {}, which is not there", path.display());
            return path;
        }
        build_ours().unwrap_or_else(|| panic!("cannot build rkeepalived for the lab"))
    })
}

/// Builds our program as the lab runs it: cargo finds out quickly when there is nothing to do.
fn build_ours() -> Option<PathBuf> {
    let target = target_directory();
    let mut command = Command::new("cargo");
    command.args(["build", "--quiet", "--profile", "lab", "-p", "rkeepalived", "--bin", "rkeepalived", "--target-dir"]);
    let status = command.arg(&target).current_dir(env!("CARGO_MANIFEST_DIR")).status();
    status.is_ok_and(|status| status.success()).then(|| target.join("lab/rkeepalived"))
}

/// The `integration` program, which plays the init of each host. Cargo builds it beside the tests.
#[track_caller]
pub fn helper_program() -> PathBuf {
    if let Some(path) = std::env::var_os("LAB_HELPER") {
        return path.into();
    }
    let own = own_program();
    if own.file_name().is_some_and(|name| name == "integration") {
        return own;
    }
    let directory = own.ancestors().find(|directory| directory.join("integration").is_file());
    directory
        .unwrap_or_else(|| panic!("no `integration` beside {}: cargo build -p integration", own.display()))
        .join("integration")
}

/// Cargo's target directory, found from the running program (`target/PROFILE/deps/test-HASH` or `target/PROFILE/integration`).
pub fn target_directory() -> PathBuf {
    let own = own_program();
    // cargo writes CACHEDIR.TAG only where it makes the directory itself, and `.rustc_info.json` wherever it builds
    let marks = [".rustc_info.json", "CACHEDIR.TAG"];
    let above = own.ancestors().find(|directory| marks.iter().any(|mark| directory.join(mark).is_file()));
    above.map_or_else(|| PathBuf::from("target"), Path::to_path_buf)
}

/// Where the lab keeps what must outlive a host or be seen by people: logs of failed tests, the systemd root, generated files.
#[track_caller]
pub fn lab_directory() -> PathBuf {
    let directory = target_directory().join("lab-files");
    std::fs::create_dir_all(&directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    directory
}

#[track_caller]
fn own_program() -> PathBuf {
    std::env::current_exe().unwrap_or_else(|error| panic!("where is this program? {error}"))
}
