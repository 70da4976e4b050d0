//! The first process of a host. Runs as process 1 of new namespaces (`unshare` made them), prepares the file tree, reports its process
//! number as the outside sees it, takes in orphans, and leaves when its standard input ends: then the kernel ends the whole host.

use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::exit;

use nix::mount::{MsFlags, mount};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};

/// Directories that every host has for itself: what daemons write must not meet what other hosts' daemons write.
const OWN: [&str; 2] = ["/run", "/etc/keepalived"];

/// Runs the init of the host called `name`; returns only with an error.
pub fn run(name: &str) -> io::Result<()> {
    // /proc is still the outside's: it tells the number by which the outside enters this host.
    let outside = fs::read_link("/proc/self")?;
    nix::unistd::sethostname(name)?;
    for directory in OWN {
        if Path::new(directory).is_dir() {
            mount(Some("lab"), directory, Some("tmpfs"), MsFlags::empty(), Some("mode=0755"))?;
        }
    }
    mount(Some("proc"), "/proc", Some("proc"), MsFlags::empty(), None::<&str>)?;
    mount(Some("sys"), "/sys", Some("sysfs"), MsFlags::empty(), None::<&str>)?;

    let mut children = SigSet::empty();
    children.add(Signal::SIGCHLD);
    // before any thread exists, so that all inherit it
    children.thread_block()?;
    std::thread::spawn(|| {
        let mut rest = Vec::new();
        let _ = io::stdin().read_to_end(&mut rest);
        exit(0);
    });
    println!("{}", outside.display());
    io::stdout().flush()?;
    loop {
        children.wait()?;
        while !matches!(waitpid(None, Some(WaitPidFlag::WNOHANG)), Ok(WaitStatus::StillAlive) | Err(_)) {}
    }
}

/// Ends hosts whose test is gone. There should be none: the leash sees to it. This is the broom for the case that it does not.
pub fn clean() {
    let Ok(entries) = fs::read_dir("/proc") else { return };
    for entry in entries.flatten() {
        let Some(number) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        let words = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let words: Vec<&[u8]> = words.split(|byte| *byte == 0).collect();
        let own = words.first().is_some_and(|program| program.ends_with(b"/integration"))
            && words.get(1) == Some(&b"init".as_slice());
        // a host that still has its test has a parent `unshare` with a parent; the one that was left behind was adopted
        let parent = |number: i32| -> Option<i32> {
            let stat = fs::read_to_string(format!("/proc/{number}/stat")).ok()?;
            stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
        };
        let orphan = parent(number).is_some_and(|unshare| unshare <= 1 || parent(unshare).is_none_or(|test| test <= 1));
        if own && orphan {
            println!("ending the host of process {number}");
            let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(number), Signal::SIGKILL);
        }
    }
}
