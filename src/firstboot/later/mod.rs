//! What a configuration does in the started system, by `/etc/health-checker/firstboot/later.json`,
//! which the initrd's transaction writes. Three units run it, where that file is:
//!
//! ```text
//!  boot    boothooks, bootcmd                          every boot, early
//!  final   scripts, runcmd, phone_home, final_message  late; before the verdict on the boot
//!  power   power_state                                 after a verdict, if it is "healthy"
//! ```
//!
//! What runs once a machine or once an instance is marked before it begins ([`marks`]), so that it
//! never runs twice. What fails is named, and keeps nothing else from being tried.

mod marks;
mod message;
mod order;
mod phone;
mod power;
mod programs;
mod report;
mod run;
mod shell;

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::configuration::{Later, When};
use super::outcome::{Outcome, State};
use crate::record::{handoff, store};
use crate::sys::files::{self, Root};
use crate::sys::systemd::requests;
use marks::Marks;
use programs::Programs;
use run::run_all;

pub use power::power_stage;
pub use report::{Failure, Report, Stand};

/// The file, which also is the condition of the units.
pub const FILE: &str = "/etc/health-checker/firstboot/later.json";
/// What tools look for that wait until all is done.
const FINISHED: &str = "/var/lib/cloud/instance/boot-finished";
/// What the boot stage hands on to the final one.
const BOOT: &str = "later-boot.json";
/// Runs [`power_stage`], after the verdict.
const POWER_UNIT: &str = "health-checker-power.service";
/// How long the service manager may take to answer.
const ANSWER: Duration = Duration::from_secs(10);

/// What is to be done in this system; `None` if no configuration asks for anything.
///
/// # Errors
/// It is there, and cannot be read.
pub fn read(root: &Root) -> Result<Option<Later>> {
    files::read(&root.join(FILE))?
        .map(|json| serde_json::from_slice(&json).context(FILE))
        .transpose()
}

/// Whether something of it runs early. What cannot be read is for the unit to say.
pub fn has_early(root: &Root) -> bool {
    read(root).map_or(true, |later| later.is_some_and(|later| !order::early(&later).is_empty()))
}

/// Boothooks and bootcmd, within this time; returns whether all of them ended well.
///
/// # Errors
/// It could not be found out what is to be done.
pub fn boot_stage(root: &Root, limit: Duration) -> Result<bool> {
    let Some(later) = read(root)? else { return Ok(true) };
    let tasks = order::early(&later);
    if tasks.is_empty() {
        return Ok(true);
    }
    let marks = Marks::of(root, &later);
    let begun = Report::begun(&later);
    let ran = run_all(&tasks, &marks, limit, &mut Programs::new(root, &later));
    let well = ran.failed.is_empty();
    handoff::write(root, BOOT, &begun.ended(ran.failed))?;
    Ok(well)
}

/// Scripts and what follows them, within this time for all of them; returns whether all that was
/// run ended well.
///
/// # Errors
/// It could not be found out what is to be done, or what came of it cannot be noted.
pub fn final_stage(root: &Root, limit: Duration) -> Result<bool> {
    let Some(later) = read(root)? else { return Ok(true) };
    let deadline = Instant::now() + limit;
    let marks = Marks::of(root, &later);
    let found = order::found(root)?;
    let tasks = order::late(&later, &found);
    let begun = Report::begun(&later);
    if tasks.iter().any(|task| task.when != When::Boot && marks.is_due(task)) {
        note(root, &begun)?;
    }
    programs::sweep(root);
    let mut programs = Programs::new(root, &later);
    let ran = run_all(&tasks, &marks, limit, &mut programs);
    let mut failed = marks.failures()?;
    failed.extend(boot_failures(root));
    failed.extend(ran.failed.iter().filter(|it| !failed.contains(it)).cloned().collect::<Vec<_>>());
    note(root, &begun.ended(failed))?;
    if ran.stopped {
        log::info!("the system is being shut down: what is left runs at the next start");
        return Ok(ran.failed.is_empty());
    }
    if let Err(e) = tell_who_waits(root) {
        log::warn!("who waits for {FINISHED} will not see that all is done: {e:#}");
    }
    if let Some(text) = &later.final_message {
        message::say(root, text);
    }
    if later.power_state.is_some() && marks.is_due(&power::task()) {
        let left = deadline.saturating_duration_since(Instant::now());
        requests::start(POWER_UNIT, ANSWER.min(left.max(Duration::from_secs(1))))?;
    }
    Ok(ran.failed.is_empty())
}

/// Provisioning tools wait for this file of cloud-init's; where that is installed, it is its own.
fn tell_who_waits(root: &Root) -> Result<()> {
    if root.join(order::CLOUD_INIT).exists() {
        return Ok(());
    }
    files::replace(&root.join(FINISHED), b"", 0o644)
}

fn boot_failures(root: &Root) -> Vec<Failure> {
    match handoff::read::<Report>(root, BOOT) {
        Ok(report) => report.map(|it| it.failed).unwrap_or_default(),
        Err(e) => vec![Failure { name: "bootcmd".to_owned(), reason: format!("{e:#}") }],
    }
}

/// Notes it in first boot's result, if it is new.
fn note(root: &Root, report: &Report) -> Result<()> {
    let dir = root.join(store::DIR);
    let outcome = Outcome::read(&dir)?.unwrap_or_else(|| Outcome::of(State::None));
    if outcome.later.as_ref().is_some_and(|old| old.says_the_same(report)) {
        return Ok(());
    }
    Outcome { later: Some(report.clone()), ..outcome }.write(&dir)
}

#[cfg(test)]
mod tests;
