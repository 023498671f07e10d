//! Carries a plan out. Makes no decisions: what to do, in which order, and what
//! if it cannot be done, is all in the plan.

use anyhow::{Context, Result};

use super::plan::{Alert, End, Event, Plan, Step};
use crate::record::{Record, SnapshotId};

/// What a plan can do to the machine. Each call is whole when it returns, and
/// if the power goes meanwhile, was either done or not.
pub trait Effects {
    /// See [`Step::SetRecordAside`].
    ///
    /// # Errors
    /// It is still there.
    fn set_record_aside(&mut self) -> Result<()>;
    /// See [`Step::WriteRecord`].
    ///
    /// # Errors
    /// It may not be durable.
    fn write_record(&mut self, record: &Record) -> Result<()>;
    /// See [`Step::CountInFirmware`].
    ///
    /// # Errors
    /// It may not be durable.
    fn count_in_firmware(&mut self, reboots: u32) -> Result<()>;
    /// See [`Step::CountOut`].
    ///
    /// # Errors
    /// The loader may start it again.
    fn count_out(&mut self, snapshot: &SnapshotId) -> Result<()>;
    /// See [`Step::SetDefault`].
    ///
    /// # Errors
    /// It may not be the default.
    fn set_default(&mut self, snapshot: &SnapshotId) -> Result<()>;
    /// See [`Step::Protect`].
    ///
    /// # Errors
    /// It may be cleaned up.
    fn protect(&mut self, snapshot: &SnapshotId) -> Result<()>;
    /// See [`Step::Release`].
    ///
    /// # Errors
    /// It may stay for ever.
    fn release(&mut self, snapshot: &SnapshotId) -> Result<()>;
    /// See [`Step::KeepEntries`].
    ///
    /// # Errors
    /// Some may be lost.
    fn keep_entries(&mut self, kept: &[u32]) -> Result<()>;
    /// See [`Step::Tag`].
    ///
    /// # Errors
    /// A lost record would not be noticed.
    fn tag(&mut self, snapshot: &SnapshotId) -> Result<()>;
    /// See [`Step::TellLoader`].
    ///
    /// # Errors
    /// The loader goes by what it knew.
    fn tell_loader(&mut self, snapshot: &SnapshotId) -> Result<()>;
    /// See [`Step::ClearFlag`].
    ///
    /// # Errors
    /// The loader will offer what it thinks is the last working snapshot.
    fn clear_flag(&mut self) -> Result<()>;
    /// See [`Step::Alert`].
    ///
    /// # Errors
    /// Some channel did not take it.
    fn alert(&mut self, alert: &Alert) -> Result<()>;
    /// See [`Step::FollowUp`]. What fails there changes nothing here.
    fn follow_up(&mut self, healthy: bool);
    /// Mounts this snapshot, the default by now, where the boot goes on.
    ///
    /// # Errors
    /// The one before may still be mounted there.
    fn enter(&mut self, snapshot: &SnapshotId) -> Result<()>;
    /// Starts the reboot and returns.
    ///
    /// # Errors
    /// There will be none.
    fn reboot(&mut self) -> Result<()>;
    /// Starts safe mode and returns.
    ///
    /// # Errors
    /// Some part of it did not work.
    fn safe_mode(&mut self) -> Result<()>;
}

/// Carries out `plan` and returns how it ended.
pub fn execute(plan: &Plan, effects: &mut dyn Effects) -> End {
    let mut end = plan.end;
    for step in &plan.steps {
        log::debug!("{step}");
        let Err(e) = apply(step, effects) else { continue };
        log::error!("could not {step}: {e:#}");
        if step.is_essential() {
            end = plan.otherwise.end;
            if let Some(alert) = &plan.otherwise.alert {
                let mut alert = alert.clone();
                alert.event = if end == End::SafeMode { Event::SafeMode } else { Event::NotActed };
                let instead = if end == plan.end {
                    String::new()
                } else {
                    format!(" instead of {}", plan.end)
                };
                alert.done = format!("{end}{instead}, could not {step}: {e:#}");
                tell(&alert, effects);
            }
            break;
        }
    }
    finish(end, effects)
}

/// Carries out a plan that somebody asked for and waits for: it stops at the
/// first failure and says so.
///
/// # Errors
/// The step that failed.
pub fn fulfil(plan: &Plan, effects: &mut dyn Effects) -> Result<()> {
    for step in &plan.steps {
        apply(step, effects).with_context(|| format!("could not {step}"))?;
        log::info!("{step}: done");
    }
    match plan.end {
        End::GoOn => Ok(()),
        End::Enter(snapshot) => effects.enter(&snapshot),
        End::Reboot => effects.reboot(),
        End::SafeMode => effects.safe_mode(),
    }
}

fn apply(step: &Step, effects: &mut dyn Effects) -> Result<()> {
    match step {
        Step::SetRecordAside => effects.set_record_aside(),
        Step::Protect(snapshot) => effects.protect(snapshot),
        Step::Release(snapshot) => effects.release(snapshot),
        Step::KeepEntries(kept) => effects.keep_entries(kept),
        Step::Tag(snapshot) => effects.tag(snapshot),
        Step::WriteRecord(record) => effects.write_record(record),
        Step::CountInFirmware { reboots, .. } => effects.count_in_firmware(*reboots),
        Step::CountOut(snapshot) => effects.count_out(snapshot),
        Step::SetDefault(snapshot) => effects.set_default(snapshot),
        Step::TellLoader(snapshot) => effects.tell_loader(snapshot),
        Step::ClearFlag => effects.clear_flag(),
        Step::Alert(alert) => effects.alert(alert),
        Step::FollowUp(healthy) => {
            effects.follow_up(*healthy);
            Ok(())
        }
    }
}

fn tell(alert: &Alert, effects: &mut dyn Effects) {
    if let Err(e) = effects.alert(alert) {
        log::error!("could not alert everybody: {e:#}");
    }
}

/// A snapshot that cannot be entered here is entered through a reboot, which was
/// counted for that. A reboot that cannot be had becomes safe mode: a machine
/// that failed its checks must not go on as if nothing had been.
fn finish(end: End, effects: &mut dyn Effects) -> End {
    let end = match end {
        End::GoOn => return end,
        End::Enter(snapshot) => match effects.enter(&snapshot) {
            Ok(()) => return end,
            Err(e) => {
                log::error!("cannot go on into {snapshot}, so a reboot into it: {e:#}");
                End::Reboot
            }
        },
        end => end,
    };
    let end = match end {
        End::Reboot => match effects.reboot() {
            Ok(()) => return end,
            Err(e) => {
                log::error!("cannot reboot: {e:#}");
                End::SafeMode
            }
        },
        end => end,
    };
    if let Err(e) = effects.safe_mode() {
        log::error!("safe mode is not complete: {e:#}");
    }
    end
}
