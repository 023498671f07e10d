//! Safe mode: services down, the machine reachable.
//!
//! `health-checker-safe.target` is isolated, after a drop-in in /run has added
//! what runs now of what an administrator needs ([`stay`]). The boot assessment
//! itself is among what is stopped, so the isolation is the last thing it does.

mod leave;
mod stay;

use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

use super::checks::plugin::{self, Plugin};
use crate::sys::command;
use crate::sys::files::{self, Root};
use crate::sys::systemd::requests;

pub use leave::{Left, leave};

/// What is isolated.
const TARGET: &str = "health-checker-safe.target";
/// What was found to run, and stays. It ends with the boot, as /run does.
const DROP_IN: &str = "/run/systemd/system/health-checker-safe.target.d/10-stay.conf";
/// How long systemd may take to answer.
const REQUEST: Duration = Duration::from_secs(20);
/// How long systemd may take to read its units again: its generators have their
/// own limit, 90 s, and one that hangs must not be what keeps services up.
const RELOAD: Duration = Duration::from_secs(30);
/// How long a plugin may take to stop what it guards.
const STOP: Duration = Duration::from_secs(30);

/// Starts safe mode and returns.
///
/// # Errors
/// Services stay up. That the machine may not be reachable is logged.
pub fn enter(root: &Root) -> Result<()> {
    stop_plugins(root);
    if let Err(e) = arm(root) {
        // Still isolated: services of a failed system writing on is the greater evil.
        log::error!("network and logins go down with the services: {e:#}");
    }
    requests::isolate(TARGET, REQUEST).context("services stay up")
}

/// Tells systemd what stays. Asked only now: what a plugin's `stop` or the
/// administrator closed is not opened again.
fn arm(root: &Root) -> Result<()> {
    let candidates = stay::loaded(&stay::candidates(), REQUEST)?;
    let sessions = stay::loaded(&[stay::SESSIONS], REQUEST).unwrap_or_else(|e| {
        log::warn!("cannot find out who is logged in: {e:#}");
        Vec::new()
    });
    let queued = requests::queued_starts(REQUEST).unwrap_or_else(|e| {
        log::warn!("logins that this boot has not opened yet stay closed: {e:#}");
        Vec::new()
    });
    let units = stay::stay(&candidates, &sessions, &queued);
    log::info!("staying up: {}", units.join(" "));
    files::replace(&root.join(DROP_IN), stay::drop_in(&units).as_bytes(), 0o644)?;
    requests::reload(RELOAD)
}

/// All at once: together they take no longer than the slowest, or its limit.
fn stop_plugins(root: &Root) {
    let plugins = plugin::find(root).unwrap_or_else(|e| {
        log::error!("no plugin is told to stop: {e:#}");
        Vec::new()
    });
    thread::scope(|scope| {
        for plugin in plugins.iter().filter(|plugin| plugin.skipped.is_none()) {
            scope.spawn(|| stop_plugin(plugin));
        }
    });
}

fn stop_plugin(plugin: &Plugin) {
    let path = plugin.path.display();
    match command::run(Command::new(&plugin.path).arg("stop"), STOP) {
        Ok(output) if output.success() => log::info!("{path} stop: done"),
        Ok(output) => log::warn!("{path} stop: {}, {}", output.end, output.last_line()),
        Err(e) => log::warn!("{path} stop: {e}"),
    }
}
