//! MISC_CHECK: a script's exit code.

use lvs::{MiscConfig, Outcome};
use sys::script::{Child, Exit};

use crate::context::Context;
use crate::outcome::{Failure, Report};

/// Runs the script to its end or to `misc_timeout`, when it is ended with its whole group (TERM, after 2 s KILL).
///
/// A script that lacks its `#!` line runs under the shell, and the report's detail carries keepalived's warning.
///
/// A script that cannot be started is a failed check, unless it is for want of processes or memory.
pub(crate) async fn check(config: &MiscConfig, context: &Context) -> Report {
    let Some(script) = context.script(config.script) else {
        return Failure::new("the script is missing from the program's table", "").into();
    };
    if script.open_only {
        return match std::fs::File::open(script.command.words.first().map_or("", String::as_str)) {
            Ok(_) => Report::SUCCESS,
            Err(error) => Failure { reason: "cannot open the file".into(), ..Failure::system("", &error) }.into(),
        };
    }
    let child = match context.spawn(&script.command).await {
        Ok(child) => child,
        Err(error) => {
            return Failure {
                detail: error.to_string(),
                ..Failure::own("cannot start the script".into(), &error.source)
            }
            .into();
        }
    };
    let hint = match child.lacks_shebang() {
        true => {
            format!("Please add a #! shebang to script {}", script.command.words.first().map_or("", String::as_str))
        }
        false => String::new(),
    };
    let mut running = Running(Some(child));
    let Some(child) = &mut running.0 else { return Outcome::TimedOut.into() };
    let ended = child.wait_at_most(config.timeout).await;
    running.0 = None;
    let outcome = match ended {
        Ok((_, true)) => Outcome::TimedOut,
        Ok((Exit::Code(code), false)) => Outcome::Exited(code),
        Ok((Exit::Signal(signal), false)) => Outcome::Signalled(u8::try_from(signal).unwrap_or(u8::MAX)),
        Ok((Exit::Unknown, false)) => return Failure::new("somebody else reaped the script", "").into(),
        Err(error) => return Failure::own("cannot wait for the script".into(), &error).into(),
    };
    Report { outcome, detail: hint }
}

/// A script whose probe may be dropped at any time: it is then ended, and reaped in the background.
struct Running(Option<Child>);

impl Drop for Running {
    fn drop(&mut self) {
        let Some(mut child) = self.0.take() else { return };
        // Told even where there is no runtime any more to wait in.
        let _ = child.terminate_group();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { child.terminate().await });
        }
    }
}

#[cfg(test)]
mod tests;
