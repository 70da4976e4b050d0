//! User-mode Linux: a kernel with IPVS, as an ordinary program, with the machine's own files as its root.
//!
//! ```text
//!   test binary, outside ── boots once per daemon ──> linux.uml
//!         ▲                                              └── init script ── the same test binary, inside (LAB_UML is set)
//!         └────────── result and output, as files ───────────────┘
//! ```
//!
//! A test that needs that kernel is wrapped in [`inside`]: outside it boots (the first of its daemon boots for all) and then reports what
//! its twin inside found.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio, exit};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crate::daemon::{Daemon, helper_program, lab_directory};

/// Longest life of one machine; a boot with everything in it takes a few minutes.
const LIFE: Duration = Duration::from_secs(900);

/// What the lab's scenarios need of that kernel. One that is missing shows itself in the test that wanted it.
const MODULES: &str = "ipv6 dummy veth macvlan ipvlan vrf 8021q bridge bonding ipip sch_netem nf_tables nft_compat xt_mark ip_vs ip_vs_rr ip_vs_wrr \
    ip_vs_lc ip_vs_wlc ip_vs_lblc ip_vs_lblcr ip_vs_sh ip_vs_dh ip_vs_sed ip_vs_nq ip_vs_fo ip_vs_ovf ip_vs_mh";

/// Makes two tests of each scenario `fn(Daemon)`, both run inside user-mode Linux.
#[macro_export]
macro_rules! on_theirs_and_ours_in_uml {
    ($($name:ident),+ $(,)?) => {
        mod theirs {
            $(#[test] fn $name() {
                $crate::uml::inside(concat!(module_path!(), "::", stringify!($name)), || super::$name($crate::Daemon::Theirs));
            })+
        }
        mod ours {
            $(#[test] fn $name() {
                $crate::uml::inside(concat!(module_path!(), "::", stringify!($name)), || super::$name($crate::Daemon::Ours));
            })+
        }
    };
}

/// True in a program that runs inside.
pub fn is_inside() -> bool {
    std::env::var_os("LAB_UML").is_some()
}

/// Runs `work` inside, or reports what it gave there. `path` is the test's path, crate first.
#[track_caller]
pub fn inside(path: &'static str, work: impl FnOnce()) {
    if is_inside() {
        return work();
    }
    let name = path.split_once("::").map_or(path, |(_, name)| name);
    let outcome = run_of(name)
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .get_or_insert_with(|| run_all_like(name))
        .outcome(name);
    if let Err(output) = outcome {
        panic!("inside user-mode Linux:\n{output}");
    }
}

/// The run to which a test belongs: theirs and ours have a machine each, so that they use two processors.
fn run_of(name: &str) -> &'static Mutex<Option<Run>> {
    static THEIRS: Mutex<Option<Run>> = Mutex::new(None);
    static OURS: Mutex<Option<Run>> = Mutex::new(None);
    if is_theirs(name) { &THEIRS } else { &OURS }
}

fn is_theirs(name: &str) -> bool {
    name.contains("theirs::")
}

/// What one machine's test run printed, by test.
struct Run {
    results: BTreeMap<String, bool>,
    output: String,
}

impl Run {
    fn outcome(&self, name: &str) -> Result<(), String> {
        match self.results.get(name) {
            Some(true) => Ok(()),
            Some(false) => {
                let section = self.output.split_once(&format!("---- {name} stdout ----")).map_or("", |(_, rest)| rest);
                // it ends where the next test's begins or where the list of failures does
                let next = section.find(" stdout ----").and_then(|end| section.get(..end)?.rfind('\n'));
                let end = next.or_else(|| section.find("\nfailures:\n")).unwrap_or(section.len());
                Err(section.get(..end).unwrap_or_default().to_owned())
            }
            None => Err(format!("{name} has no result there; all of the output:\n{}", self.output)),
        }
    }
}

/// Runs, in one machine, all tests that this process was asked for and that belong to the same daemon as `name`.
fn run_all_like(name: &str) -> Run {
    let program = std::env::current_exe().unwrap_or_else(|error| panic!("where is this program? {error}"));
    let own: Vec<String> =
        std::env::args().skip(1).filter(|word| word != "--nocapture" && word != "--show-output").collect();
    let listed = Command::new(&program).args(own).arg("--list").output();
    let listed = listed.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let names = listed
        .lines()
        .filter_map(|line| line.strip_suffix(": test"))
        .filter(|other| is_theirs(other) == is_theirs(name));
    let mut arguments = vec!["--exact".to_owned(), "--test-threads=1".to_owned()];
    arguments.extend(names.map(str::to_owned));
    let mut output = String::new();
    let mut machine = Machine::boot(&program, &arguments);
    machine.wait(LIFE);
    output += &machine.output();
    let results = output.lines().filter_map(|line| {
        let (name, result) = line.strip_prefix("test ")?.split_once(" ... ")?;
        Some((name.to_owned(), result == "ok"))
    });
    Run { results: results.collect(), output }
}

/// Runs a program inside with its output on ours and gives its exit code.
pub fn run_inside(program: &str, arguments: &[&str]) -> u8 {
    let arguments: Vec<String> = arguments.iter().map(|&word| word.to_owned()).collect();
    let path = fs::canonicalize(program).unwrap_or_else(|_| PathBuf::from(program));
    let mut machine = Machine::boot(&path, &arguments);
    let code = machine.wait(LIFE);
    let _ = std::io::stdout().write_all(machine.output().as_bytes());
    code
}

/// A running user-mode Linux.
struct Machine {
    process: Child,
    directory: PathBuf,
}

impl Machine {
    /// Boots, with a program to run.
    #[track_caller]
    fn boot(program: &Path, arguments: &[String]) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = format!("uml-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let directory = lab_directory().join(&name);
        let made = fs::create_dir_all(&directory);
        made.unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
        let script = directory.join("init");
        write_script(&script, &init_script(&directory, &name, program, arguments));
        let options = [
            "mem=1500M",
            "root=/dev/root",
            "rootfstype=hostfs",
            "rootflags=/",
            "rw",
            "con=null",
            "con0=null,fd:1",
            "quiet",
        ];
        let process = leashed("linux.uml")
            .args(options)
            .arg(format!("init={}", script.display()))
            .arg(format!("umid={name}"))
            .arg(format!("uml_dir={}/", directory.display()))
            .stdout(log_file(&directory.join("console")))
            .stderr(log_file(&directory.join("errors")))
            .spawn();
        let process = process.unwrap_or_else(|error| panic!("cannot start user-mode Linux: {error}"));
        Self { process, directory }
    }

    /// Waits for its end and gives the program's exit code; 255 when there is none. Ends it after `limit`.
    fn wait(&mut self, limit: Duration) -> u8 {
        let deadline = Instant::now() + limit;
        while matches!(self.process.try_wait(), Ok(None)) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
        self.read("result").trim().parse().unwrap_or(255)
    }

    /// What the program printed, and the console when there is no result.
    fn output(&self) -> String {
        let mut output = self.read("output");
        if self.read("result").is_empty() {
            output += &format!("\n(no result; console:)\n{}{}", self.read("console"), self.read("errors"));
        }
        output
    }

    fn read(&self, file: &str) -> String {
        String::from_utf8_lossy(&fs::read(self.directory.join(file)).unwrap_or_default()).into_owned()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// A command whose program, with all that it starts, ends when the caller ends or lets go of the child: see [`run_leashed`].
#[track_caller]
pub(crate) fn leashed(program: &str) -> Command {
    let found =
        ["/usr/bin", "/usr/sbin", "/bin"].iter().map(|place| Path::new(place).join(program)).find(|path| path.exists());
    let path = found.unwrap_or_else(|| panic!("{program} is missing: apt-get install user-mode-linux"));
    let mut command = Command::new("unshare");
    command.args(["--pid", "--fork", "--kill-child=KILL", "--"]).arg(helper_program()).arg("leash").arg(path);
    command.stdin(Stdio::piped());
    command
}

/// The inner half of `leashed`: process 1 of a process namespace; runs the program and leaves with it, or when standard input ends.
pub fn run_leashed(program: &str, arguments: &[&str]) -> u8 {
    std::thread::spawn(|| {
        let mut sink = std::io::sink();
        let _ = std::io::copy(&mut std::io::stdin(), &mut sink);
        exit(255);
    });
    let status = Command::new(program).args(arguments).stdin(Stdio::null()).status();
    status.ok().and_then(|status| status.code()).and_then(|code| code.try_into().ok()).unwrap_or(255)
}

#[track_caller]
fn log_file(path: &Path) -> fs::File {
    fs::File::create(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[track_caller]
fn write_script(path: &Path, text: &str) {
    fs::write(path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let made = fs::set_permissions(path, fs::Permissions::from_mode(0o755));
    made.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

/// The kernel's modules lie where no `modprobe` looks unless told (`-d`), and the machine's own `/lib` is not ours to change.
///
/// Prepares the kernel and runs the program. The directory lies on the machine's own disk, so what is written there simply appears.
fn init_script(directory: &Path, name: &str, program: &Path, arguments: &[String]) -> String {
    static OURS: OnceLock<String> = OnceLock::new();
    let directory = directory.display();
    // built outside, where it is quick
    let ours =
        OURS.get_or_init(|| Daemon::Ours.existing_program().map(|path| path.display().to_string()).unwrap_or_default());
    let words: Vec<String> = arguments.iter().map(|word| format!("'{}'", word.replace('\'', r"'\''"))).collect();
    // a checkout below /tmp must stay visible
    let tmp = if lab_directory().starts_with("/tmp") { "" } else { "mount -t tmpfs tmp /tmp" };
    format!(
        "#!/bin/sh\n\
         export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LAB_UML={name} RUST_BACKTRACE=0\n\
         export RKEEPALIVED='{ours}' LAB_HELPER='{helper}'\n\
         mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t tmpfs tmp /run\n\
         {tmp}\n\
         mkdir -p /dev/pts /dev/shm; mount -t devpts devpts /dev/pts; mount -t tmpfs shm /dev/shm\n\
         mkdir -p '{directory}/lib/modules'; ln -s /usr/lib/uml/modules/$(uname -r) '{directory}/lib/modules/'\n\
         for m in {MODULES}; do modprobe -d '{directory}' $m 2>/dev/null; done\n\
         printf '#!/bin/sh\\nexec /sbin/modprobe -d {directory} \"$@\"\\n' >'{directory}/modprobe'; chmod 755 '{directory}/modprobe'\n\
         echo '{directory}/modprobe' >/proc/sys/kernel/modprobe\n\
         ip link set lo up\n\
         cd /\n\
         '{program}' {words} >'{directory}/output' 2>&1 </dev/null\n\
         echo $? >'{directory}/result'\n\
         sync; halt -f -p 2>/dev/null || poweroff -f\n",
        helper = helper_program().display(),
        program = program.display(),
        words = words.join(" "),
    )
}
