//! The sandbox: namespaces of our own that vanish, with everything in them, when their first process ends.

use std::path::{Path, PathBuf};
use std::process::Command;

use nix::mount::{MsFlags, mount};

use super::Arguments;

/// Directories of commands that a login without root's PATH lacks.
const MORE_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Exit status of the inner process when the sandbox was made and the story failed; `unshare` itself fails with 1.
pub(super) const FAILED: i32 = 2;

/// Runs ourselves again inside the sandbox. `unshare` is the only command that this needs; each Debian machine has it.
pub(super) fn enter(arguments: &Arguments) -> Result<i32, String> {
    let root = nix::unistd::geteuid().is_root();
    let ourselves = std::env::current_exe().map_err(|refused| format!("cannot find our own program: {refused}"))?;
    let Some(unshare) = find("unshare") else {
        return Err("The demonstration needs `unshare`: apt-get install util-linux".into());
    };
    let mut command = Command::new(unshare);
    if !root {
        command.args(["--user", "--map-root-user"]);
    }
    command.args(["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]);
    command.arg(ourselves).args(["demo", "--inside"]);
    command.arg("--interval").arg(arguments.interval.to_string());
    command.arg("--rounds").arg(arguments.rounds.to_string());
    if let Some(program) = &arguments.program {
        let program = std::fs::canonicalize(program).map_err(|refused| format!("{}: {refused}", program.display()))?;
        command.arg("--program").arg(program);
    }
    for (wanted, option) in [(arguments.compare, "--compare"), (arguments.log, "--log")] {
        if wanted {
            command.arg(option);
        }
    }
    command.env("PATH", MORE_PATH);
    let status = command.status().map_err(|refused| format!("cannot run unshare: {refused}"))?;
    match status.code() {
        Some(1) if root => Err("The sandbox could not be made: namespaces need CAP_SYS_ADMIN, which containers often \
                                take away even from root. Start this one with --privileged, or use the machine itself."
            .into()),
        Some(1) => Err(format!(
            "The sandbox could not be made without root: {}.\nOr run the same command with sudo.",
            remedy()
        )),
        code => Ok(code.unwrap_or(FAILED)),
    }
}

/// Which of the kernel's settings forbids user namespaces.
fn remedy() -> &'static str {
    let says = |file: &str, value: &str| {
        std::fs::read_to_string(Path::new("/proc/sys").join(file)).is_ok_and(|text| text.trim() == value)
    };
    if says("user/max_user_namespaces", "0") {
        "this kernel allows no user namespaces; `sysctl user.max_user_namespaces=10000` allows them"
    } else if says("kernel/unprivileged_userns_clone", "0") {
        "this kernel keeps user namespaces for root; `sysctl kernel.unprivileged_userns_clone=1` gives them to everyone"
    } else if says("kernel/apparmor_restrict_unprivileged_userns", "1") {
        "AppArmor restricts user namespaces; `sysctl kernel.apparmor_restrict_unprivileged_userns=0` allows them"
    } else {
        "something here forbids user namespaces (a container's seccomp filter, perhaps)"
    }
}

/// Where a command is, root's directories included.
pub(super) fn find(name: &str) -> Option<PathBuf> {
    let path = format!("{}:{MORE_PATH}", std::env::var("PATH").unwrap_or_default());
    path.split(':').map(|directory| Path::new(directory).join(name)).find(|path| path.is_file())
}

/// An empty `/run` that only the sandbox sees.
pub(super) fn own_run_directory() -> Result<(), String> {
    mount(Some("tmpfs"), "/run", Some("tmpfs"), MsFlags::empty(), None::<&str>)
        .map_err(|refused| format!("cannot mount an empty /run: {refused}"))
}
