//! A whole Debian with systemd, inside user-mode Linux: packages are installed, units are started, the journal is read.
//!
//! The root is made once by `debootstrap` (about a minute) and kept below the target directory. What a machine did comes back as sections:
//! the script's `step NAME command…` makes one of each.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::daemon::{lab_directory, target_directory};
use crate::uml::leashed;

/// Longest life of the machine.
const LIFE: Duration = Duration::from_secs(300);

/// What the root contains besides the base. Theirs is there too, so that both go the same way.
const PACKAGES: &str = "systemd,systemd-sysv,iproute2,kmod,ipvsadm,procps,dbus,keepalived";

/// What a step printed and how it ended.
#[derive(Debug, Clone, Default)]
pub struct Step {
    /// Standard output and error.
    pub output: String,
    /// Exit code.
    pub code: Option<i32>,
}

/// Boots the root with our package in it, runs `script` as root when the system is up, and gives its steps.
#[track_caller]
pub fn run(script: &str) -> BTreeMap<String, Step> {
    let root = prepared_root();
    let script =
        format!("#!/bin/bash\nstep() {{ echo \"== $1\"; shift; \"$@\" 2>&1; echo \"=> $?\"; }}\n{script}\nsync\n");
    write_executable(&root.join("lab-script"), &script);
    let _ = fs::remove_file(root.join("lab-output"));
    let name = format!("systemd-{}", std::process::id());
    let directory = lab_directory().join(&name);
    let _ = fs::create_dir_all(&directory);
    let console = directory.join("console");
    let output = fs::File::create(&console).unwrap_or_else(|error| panic!("{}: {error}", console.display()));
    let mut machine = leashed("linux.uml")
        .args([
            "mem=1G",
            "root=/dev/root",
            "rootfstype=hostfs",
            "rw",
            "con=null",
            "con0=null,fd:1",
            "con1=null",
            "quiet",
        ])
        .args(["systemd.show_status=0", "init=/lib/systemd/systemd"])
        .arg(format!("rootflags={}", root.display()))
        .arg(format!("umid={name}"))
        .arg(format!("uml_dir={}/", directory.display()))
        .stdout(output)
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("cannot start user-mode Linux: {error}"));
    let deadline = Instant::now() + LIFE;
    while matches!(machine.try_wait(), Ok(None)) && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(100));
    }
    let _ = machine.kill();
    let _ = machine.wait();
    let text = String::from_utf8_lossy(&fs::read(root.join("lab-output")).unwrap_or_default()).into_owned();
    let said = fs::read(&console).unwrap_or_default();
    let _ = fs::remove_dir_all(&directory);
    assert!(!text.is_empty(), "systemd did not get to the script; its console:\n{}", String::from_utf8_lossy(&said));
    sections(&text)
}

/// Makes the root and the package ahead of the test, while other tests wait for their timers.
#[track_caller]
pub fn prepare() {
    prepared_root();
}

fn sections(text: &str) -> BTreeMap<String, Step> {
    let mut steps = BTreeMap::<String, Step>::new();
    let mut current = String::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("== ") {
            name.clone_into(&mut current);
            steps.insert(current.clone(), Step::default());
        } else if let Some(step) = steps.get_mut(&current) {
            match line.strip_prefix("=> ") {
                Some(code) => step.code = code.parse().ok(),
                None => step.output += &format!("{line}\n"),
            }
        }
    }
    steps
}

/// The root with the newest package of ours installed.
#[track_caller]
fn prepared_root() -> PathBuf {
    let root = target_directory().join("systemd-root");
    if !root.join("made").exists() {
        let _ = fs::remove_dir_all(&root);
        let mut command = Command::new("debootstrap");
        command.args(["--variant=minbase", &format!("--include={PACKAGES}"), "bookworm"]).arg(&root);
        run_quietly(&mut command);
        let modules = root.join("lib/modules");
        let _ = fs::create_dir_all(&modules);
        run_quietly(Command::new("cp").arg("-r").arg("/usr/lib/uml/modules/.").arg(&modules));
        // both daemons are started by the script only
        for unit in ["keepalived.service", "apt-daily.timer", "apt-daily-upgrade.timer"] {
            let _ = fs::remove_file(root.join(format!("etc/systemd/system/multi-user.target.wants/{unit}")));
            let _ = fs::remove_file(root.join(format!("etc/systemd/system/timers.target.wants/{unit}")));
        }
        let unit = "[Unit]\nDescription=what the lab wants\nAfter=multi-user.target\n\n[Service]\nType=oneshot\n\
            ExecStart=/bin/sh -c '/lab-script >/lab-output 2>&1; poweroff -f'\n\n[Install]\nWantedBy=multi-user.target\n";
        write(&root.join("etc/systemd/system/lab.service"), unit);
        let wants = root.join("etc/systemd/system/multi-user.target.wants/lab.service");
        let _ = symlink("/etc/systemd/system/lab.service", wants);
        let _ = fs::create_dir_all(root.join("etc/keepalived"));
        write(&root.join("made"), "");
    }
    let package = package();
    let inside = root.join("rkeepalived.deb");
    let copied = fs::copy(&package, &inside);
    copied.unwrap_or_else(|error| panic!("{}: {error}", package.display()));
    run_quietly(Command::new("chroot").arg(&root).args(["dpkg", "-i", "--force-confnew", "/rkeepalived.deb"]));
    root
}

/// Our Debian package, of the program that the lab runs.
#[track_caller]
fn package() -> PathBuf {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/rkeepalived/package/build-deb");
    let output = Command::new(&script).arg("lab").env("CARGO_TARGET_DIR", target_directory()).output();
    let output = output.unwrap_or_else(|error| panic!("{}: {error}", script.display()));
    assert!(output.status.success(), "{}: {}", script.display(), String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    PathBuf::from(printed.lines().last().unwrap_or_default().trim())
}

#[track_caller]
fn run_quietly(command: &mut Command) {
    command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("DEBIAN_FRONTEND", "noninteractive");
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&said));
}

#[track_caller]
fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

#[track_caller]
fn write_executable(path: &Path, text: &str) {
    write(path, text);
    let made = fs::set_permissions(path, fs::Permissions::from_mode(0o755));
    made.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}
