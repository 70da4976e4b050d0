use std::time::Duration;

use lvs::{ProbeConfig, ScriptRef};
use sys::script::{Command, Spawner};

use super::*;
use crate::loopback::{reason, run};
use crate::{Script, probe};

fn script(words: &[&str]) -> Script {
    let (uid, gid) = (nix::unistd::getuid().as_raw(), nix::unistd::getgid().as_raw());
    let words = words.iter().map(|word| (*word).to_owned()).collect();
    Script { command: Command::new(words, uid, gid, vec![]), open_only: false }
}

fn shell(text: &str) -> Script {
    script(&["/bin/sh", "-c", text])
}

async fn ask_within(context: Context, timeout: Duration) -> Report {
    let config = MiscConfig { script: ScriptRef(0), timeout, dynamic: false };
    probe(&ProbeConfig::Misc(config), 0, &context).await.unwrap()
}

async fn ask(script: Script) -> Report {
    ask_within(Context::new(vec![script], None), Duration::from_secs(30)).await
}

#[test]
fn the_exit_code_is_the_outcome() {
    run(async {
        for code in [0, 1, 2, 255] {
            assert_eq!(ask(shell(&format!("exit {code}"))).await, Outcome::Exited(code).into());
        }
        assert_eq!(ask(shell("kill -9 $$")).await, Outcome::Signalled(9).into());
        let spawner = Context::new(vec![shell("exit 3")], None).with_spawner(Spawner::start().unwrap());
        assert_eq!(ask_within(spawner, Duration::from_secs(30)).await, Outcome::Exited(3).into());
    });
}

#[test]
fn a_script_that_takes_too_long_is_ended() {
    run(async {
        let context = Context::new(vec![shell("sleep 100")], None);
        assert_eq!(ask_within(context, Duration::from_millis(20)).await, Outcome::TimedOut.into());
    });
}

#[test]
fn a_script_that_cannot_be_started_is_a_failed_check() {
    run(async {
        let report = ask(script(&["/nowhere/check"])).await;
        assert_eq!(reason(&report), "cannot start the script");
        assert_eq!(report.detail, "Couldn't find command: /nowhere/check");
        let report = ask_within(Context::default(), Duration::from_secs(30)).await;
        assert_eq!(reason(&report), "the script is missing from the program's table");
    });
}

#[test]
fn a_path_that_is_only_opened_runs_nothing() {
    run(async {
        let open = |path| Script { open_only: true, ..script(&[path]) };
        assert_eq!(ask(open("/bin/false")).await, Report::SUCCESS);
        assert_eq!(reason(&ask(open("/nowhere")).await), "cannot open the file");
    });
}

#[test]
fn a_script_without_shebang_runs_and_the_warning_is_told() {
    run(async {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("check");
        std::fs::write(&path, "exit 0\n").unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let report = ask(script(&[path.to_str().unwrap()])).await;
        assert_eq!(report.outcome, Outcome::Exited(0));
        assert_eq!(report.detail, format!("Please add a #! shebang to script {}", path.display()));
    });
}

#[test]
fn dropping_a_probe_ends_its_script() {
    run(async {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pid");
        let script = script(&["/bin/sh", "-c", "echo $$ >$0.new; mv $0.new $0; sleep 100", path.to_str().unwrap()]);
        let task = tokio::spawn(ask(script));
        while !path.exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let pid: u32 = std::fs::read_to_string(&path).unwrap().trim().parse().unwrap();
        task.abort();
        // ended and reaped
        while std::path::Path::new(&format!("/proc/{pid}")).exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
}
