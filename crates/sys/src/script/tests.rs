use std::time::Duration;

use super::{Child, Command, Exit, SpawnError, Spawner, Step, spawn};

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn identity() -> (u32, u32) {
    (nix::unistd::getuid().as_raw(), nix::unistd::getgid().as_raw())
}

fn command(words: &[&str]) -> Command {
    let (uid, gid) = identity();
    Command::new(words.iter().map(|word| (*word).to_owned()).collect(), uid, gid, vec![])
}

fn shell(script: &str) -> Command {
    command(&["/bin/sh", "-c", script])
}

/// Runs a shell script that writes to `$0`, and returns what it wrote.
fn output(script: &str) -> String {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("output");
    let mut child = spawn(&command(&["/bin/sh", "-c", script, path.to_str().unwrap()])).unwrap();
    runtime().block_on(child.wait()).unwrap();
    std::fs::read_to_string(path).unwrap()
}

fn refused(result: Result<Child, SpawnError>) -> SpawnError {
    result.map(|child| child.id()).unwrap_err()
}

#[test]
fn exit_codes_and_signals_are_told_apart() {
    runtime().block_on(async {
        assert_eq!(spawn(&shell("exit 0")).unwrap().wait().await.unwrap(), Exit::Code(0));
        assert_eq!(spawn(&shell("exit 255")).unwrap().wait().await.unwrap(), Exit::Code(255));
        assert_eq!(spawn(&shell("kill -9 $$")).unwrap().wait().await.unwrap(), Exit::Signal(9));
    });
}

#[test]
fn arguments_arrive_as_they_are() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("output");
    let words = ["/bin/sh", "-c", "printf '%s|' \"$@\" >$0", path.to_str().unwrap(), "a b", "", "$HOME", "'\""];
    runtime().block_on(spawn(&command(&words)).unwrap().wait()).unwrap();
    assert_eq!(std::fs::read_to_string(path).unwrap(), "a b||$HOME|'\"|");
}

#[test]
fn the_script_leads_its_own_group_in_the_root_directory() {
    let text = output("{ echo $$; ps -o pgid= -p $$; pwd; } >$0");
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    assert_eq!(lines[0], lines[1]);
    assert_eq!(lines[2], "/");
}

#[test]
fn only_the_three_standard_descriptors_are_open_and_lead_to_dev_null() {
    let held = std::fs::File::open("/proc/self/status").unwrap();
    // one that is not close-on-exec, as a careless library would leave it
    let leaked = nix::unistd::dup(&held).unwrap();
    let text = output("exec readlink /proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 /proc/self/fd/* >$0");
    drop(leaked);
    let targets: Vec<&str> = text.lines().collect();
    assert_eq!(targets[0], "/dev/null");
    assert!(targets[1].contains("output"), "{text}");
    assert_eq!(targets[2], "/dev/null");
    assert!(!text.contains("status"), "{text}");
}

#[test]
fn signals_are_at_their_defaults_and_none_is_blocked() {
    // Rust ignores SIGPIPE in every program
    let text = output("exec cat /proc/self/status >$0");
    for name in ["SigIgn:", "SigBlk:", "SigCgt:"] {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap();
        assert!(line.trim_end().ends_with("\t0000000000000000"), "{text}");
    }
}

#[test]
fn the_environment_is_ours_without_what_could_change_the_script() {
    let text = output("env >$0");
    assert!(text.lines().any(|line| line.starts_with("PATH=")));
    for hidden in ["IFS=", "LD_PRELOAD=", "LD_LIBRARY_PATH=", "NOTIFY_SOCKET="] {
        assert!(!text.lines().any(|line| line.starts_with(hidden)), "{text}");
    }
}

#[test]
fn it_runs_in_normal_scheduling_from_a_real_time_thread() {
    let thread = std::thread::spawn(|| {
        let parameter = libc::sched_param { sched_priority: 1 };
        // SAFETY: `parameter` is valid for the call, which concerns this thread only.
        let real_time = unsafe { libc::sched_setscheduler(0, libc::SCHED_RR, &raw const parameter) } == 0;
        (real_time, output("ps -o cls=,ni= -p $$ >$0"))
    });
    let (real_time, text) = thread.join().unwrap();
    if !real_time {
        println!("no permission for real-time scheduling: only the nice value was tested");
    }
    assert_eq!(text.split_whitespace().collect::<Vec<_>>(), ["TS", "0"]);
}

#[test]
fn user_group_and_supplementary_groups_are_those_of_the_command() {
    if !nix::unistd::geteuid().is_root() {
        println!("not root: the user cannot be changed");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("output");
    std::fs::write(&path, "").unwrap();
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    std::fs::set_permissions(&path, open).unwrap();
    std::fs::set_permissions(directory.path(), std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    let words = ["/bin/sh", "-c", "{ id -u; id -g; id -G; } >$0", path.to_str().unwrap()];
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    let mut child = spawn(&Command::new(words.clone(), 65534, 65533, vec![4, 5])).unwrap();
    runtime().block_on(child.wait()).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "65534\n65533\n65533 4 5\n");
    let mut child = spawn(&Command::new(words, 65534, 65533, vec![])).unwrap();
    runtime().block_on(child.wait()).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "65534\n65533\n65533\n");
    // what we share with the child while it changes its user is not marked by that
    // SAFETY: prctl(PR_GET_DUMPABLE) takes no pointers.
    assert_eq!(unsafe { libc::prctl(libc::PR_GET_DUMPABLE) }, 1);
}

#[test]
fn a_text_file_without_shebang_is_handed_to_the_shell_and_told() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("plain");
    std::fs::write(&path, "exit $1\n").unwrap();
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let mut child = spawn(&command(&[path.to_str().unwrap(), "7"])).unwrap();
    assert!(child.lacks_shebang());
    assert_eq!(runtime().block_on(child.wait()).unwrap(), Exit::Code(7));
}

#[test]
fn a_file_that_no_shell_could_read_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("garbage");
    std::fs::write(&path, b"\x7f\0\0garbage").unwrap();
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let error = refused(spawn(&command(&[path.to_str().unwrap()])));
    assert_eq!(error.source.raw_os_error(), Some(libc::ENOEXEC));
    assert!(error.to_string().starts_with("Error exec-ing command '"), "{error}");
}

#[test]
fn refusals_name_the_step_and_the_file() {
    let missing = refused(spawn(&command(&["/nowhere/script", "argument"])));
    assert_eq!((missing.step, missing.to_string().as_str()), (Step::Execute, "Couldn't find command: /nowhere/script"));
    let unsearchable = refused(spawn(&command(&["no-such-command-at-all"])));
    assert_eq!(unsearchable.to_string(), "Couldn't find command: no-such-command-at-all");
    let directory = refused(spawn(&command(&["/etc"])));
    assert!(directory.to_string().starts_with("Couldn't execute command: /etc"), "{directory}");
    assert_eq!(refused(spawn(&command(&[]))).step, Step::Words);
    assert_eq!(refused(spawn(&command(&["/bin/true", "a\0b"]))).step, Step::Words);
    if !nix::unistd::geteuid().is_root() {
        let stranger = Command::new(vec!["/bin/true".into()], 0, 0, vec![]);
        assert_eq!(refused(spawn(&stranger)).step, Step::Group);
    }
}

#[test]
fn a_name_without_slash_is_searched_in_the_path() {
    let mut child = spawn(&command(&["true"])).unwrap();
    assert_eq!(runtime().block_on(child.wait()).unwrap(), Exit::Code(0));
}

#[test]
fn a_hanging_script_is_ended_with_all_that_it_started() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pid");
    let name = path.to_str().unwrap();
    runtime().block_on(async {
        // the inner process ignores SIGTERM, the outer obeys it
        let script = "sh -c 'trap \"\" TERM; echo $$ >$0.new; mv $0.new $0; while :; do sleep 100; done' $0 & wait";
        let mut child = spawn(&command(&["/bin/sh", "-c", script, name])).unwrap();
        while !path.exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let inner: i32 = std::fs::read_to_string(&path).unwrap().trim().parse().unwrap();
        assert_eq!(child.terminate().await.unwrap(), Exit::Signal(libc::SIGTERM));
        let inner = std::path::PathBuf::from(format!("/proc/{inner}/stat"));
        // it is dead or a zombie that nobody reaps
        while std::fs::read_to_string(&inner).is_ok_and(|stat| !stat.contains(") Z ")) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
}

#[test]
fn a_script_that_ignores_sigterm_is_killed() {
    runtime().block_on(async {
        let mut child = spawn(&shell("trap '' TERM; while :; do sleep 100; done")).unwrap();
        // until its mask says that the trap is set
        let status = format!("/proc/{}/status", child.id());
        let ignores = |text: String| text.lines().any(|line| line.starts_with("SigIgn:") && line.ends_with("4000"));
        while !std::fs::read_to_string(&status).is_ok_and(ignores) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let (exit, late) = child.wait_at_most(Duration::from_millis(10)).await.unwrap();
        assert_eq!((exit, late), (Exit::Signal(libc::SIGKILL), true));
    });
}

#[test]
fn waiting_may_be_cancelled_and_taken_up_again() {
    runtime().block_on(async {
        let mut child = spawn(&shell("read line; exit 3")).unwrap();
        let _ = tokio::time::timeout(Duration::ZERO, child.wait()).await;
        assert_eq!(child.wait().await.unwrap(), Exit::Code(3));
        assert_eq!(child.wait().await.unwrap(), Exit::Code(3), "the answer is kept");
        child.signal_group(libc::SIGKILL).unwrap();
    });
}

#[test]
fn without_a_runtime_one_can_wait_too() {
    let mut child = spawn(&shell("exit 4")).unwrap();
    assert_eq!(child.wait_blocking(Duration::from_secs(60)).unwrap(), Some(Exit::Code(4)));
    let mut child = spawn(&shell("sleep 100")).unwrap();
    assert_eq!(child.wait_blocking(Duration::ZERO).unwrap(), None);
    child.terminate_group().unwrap();
    assert_eq!(child.wait_blocking(Duration::from_secs(60)).unwrap(), Some(Exit::Signal(libc::SIGTERM)));
}

#[test]
fn a_spawner_answers_in_the_order_of_its_orders() {
    runtime().block_on(async {
        let spawner = Spawner::start().unwrap();
        let (first, missing) = (spawner.spawn(shell("exit 5")), spawner.spawn(command(&["/nowhere"])));
        let third = spawner.spawn(shell("exit 6"));
        assert_eq!(first.await.unwrap().wait().await.unwrap(), Exit::Code(5));
        assert_eq!(refused(missing.await).step, Step::Execute);
        assert_eq!(third.await.unwrap().wait().await.unwrap(), Exit::Code(6));
    });
}

#[test]
fn descriptors_stay_flat_over_many_scripts() {
    let count = || std::fs::read_dir("/proc/thread-self/fd").unwrap().count();
    runtime().block_on(async {
        spawn(&command(&["/bin/true"])).unwrap().wait().await.unwrap();
        // other tests of this process open and close theirs meanwhile, so look for a trend only
        let before = count();
        for _ in 0..200 {
            spawn(&command(&["/bin/true"])).unwrap().wait().await.unwrap();
            let _ = refused(spawn(&command(&["/nowhere"])));
        }
        assert!(count() < before + 100);
    });
}
