//! Hooks: every program in a directory, with what happened as JSON on standard
//! input and in its environment.

use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};

use super::Message;
use crate::health::checks::plugin;
use crate::sys::{command, files};

/// Calls all programs in `dir` at once, each for no longer than `limit`. What an
/// editor or a package manager leaves is passed over, as with plugins.
pub(super) fn tell(dir: &Path, message: &Message, limit: Duration) -> Result<()> {
    let json = serde_json::to_vec(message).context("no JSON")?;
    let failed = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for path in files::list(dir)?.into_iter().filter(|path| !path.is_dir()) {
            if let Some(why) = plugin::reason_to_skip(&path) {
                log::warn!("{}: {why}", path.display());
                continue;
            }
            let (json, failed) = (&json, &failed);
            scope.spawn(move || {
                if let Err(e) = call(&path, message, json, limit) {
                    let mut failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
                    failed.push(format!("{}: {e:#}", path.display()));
                }
            });
        }
        anyhow::Ok(())
    })?;
    let mut failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    failed.sort_unstable();
    if failed.is_empty() { Ok(()) } else { Err(anyhow!(failed.join(", "))) }
}

fn call(path: &Path, message: &Message, json: &[u8], limit: Duration) -> Result<()> {
    let alert = &message.alert;
    let event = serde_json::to_value(alert.event).context("no JSON")?;
    let mut hook = Command::new(path);
    hook.env("HEALTH_CHECKER_EVENT", event.as_str().unwrap_or_default())
        .env("HEALTH_CHECKER_TEXT", clean(&message.text))
        .env("HEALTH_CHECKER_FAILED", clean(&alert.failed.join("\n")))
        .env("HEALTH_CHECKER_DONE", clean(&alert.done))
        .env("HEALTH_CHECKER_ADVICE", clean(&alert.advice));
    let output = command::run_with_input(&mut hook, json, limit).context("cannot run it")?;
    if output.success() {
        return Ok(());
    }
    Err(anyhow!("{}, {}", output.end, output.last_line()))
}

/// A check's output may hold a NUL, and would keep the hook from being started.
fn clean(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::plan::{Alert, Event};
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn programs_are_told_and_leftovers_are_not_run() {
        let dir = tempfile::tempdir().unwrap();
        let script = "#!/bin/sh\ncat >$0.json\nprintf %s \"$HEALTH_CHECKER_EVENT\" >$0.event\n";
        for (name, text) in [
            ("good", script),
            ("bad", "#!/bin/sh\necho no pager; exit 7\n"),
            ("hangs", "#!/bin/sh\nsleep 100\n"),
            ("good~", script),
            ("old.rpmsave", script),
        ] {
            fs::write(dir.path().join(name), text).unwrap();
            fs::set_permissions(dir.path().join(name), Permissions::from_mode(0o755)).unwrap();
        }
        let alert = Alert {
            event: Event::Rollback,
            failed: vec!["a: nul \0".to_owned()],
            ..Alert::default()
        };
        let message = Message::new(&alert);
        let error = tell(dir.path(), &message, Duration::from_secs(8)).unwrap_err().to_string();
        assert!(error.contains("bad: exit status 7, no pager"), "{error}");
        assert!(error.contains("hangs: no end within 8 s"), "{error}");
        let json = fs::read(dir.path().join("good.json")).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert_eq!((&json["event"], &json["schema"]), (&"rollback".into(), &1.into()));
        assert_eq!(fs::read_to_string(dir.path().join("good.event")).unwrap(), "rollback");
        assert!(!dir.path().join("good~.json").exists());
        assert!(!dir.path().join("old.rpmsave.json").exists());
        tell(&dir.path().join("none"), &message, Duration::from_secs(2)).unwrap();
    }
}
