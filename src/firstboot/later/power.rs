//! `power_state`: the end of the machine's run, once an instance.
//!
//! Only after the verdict on the boot: its count is cleared and its snapshot recorded by then, so
//! that this is a reboot like any other. And only if the boot is healthy: what would end an
//! unhealthy one is health-checker's own decision, and two of them would meet. Until then it waits
//! for the next boot.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::order::{Task, Work};
use super::programs::Programs;
use super::{ANSWER, marks::Marks, read, shell};
use crate::firstboot::configuration::{Later, PowerAction, PowerState, When};
use crate::health::published::Published;
use crate::sys::files::Root;
use crate::sys::systemd::{self, requests};

const SERVICE: &str = "health-checker.service";
/// How long its condition may take to say so.
const CONDITION: Duration = Duration::from_secs(60);

/// What is marked.
pub(super) fn task() -> Task<'static> {
    Task { name: "power_state".to_owned(), when: When::Instance, work: Work::Power }
}

/// What the verdict on this boot allows.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Verdict {
    Healthy,
    /// There is none, and none is to come: the assessment is switched off.
    NotAssessed,
    /// Why it must not be done.
    Not(String),
}

/// Ends the machine's run if it is asked for and has not been done.
///
/// # Errors
/// It could not be found out whether, or not be done.
pub fn power_stage(root: &Root) -> Result<()> {
    let Some(later) = read(root)? else { return Ok(()) };
    let marks = Marks::of(root, &later);
    let Some(power) = later.power_state.as_ref().filter(|_| marks.is_due(&task())) else {
        return Ok(());
    };
    let published = Published::read(root)?.map(|it| it.healthy);
    let states = systemd::show("ActiveState", &[SERVICE], ANSWER)?;
    let state = states.first().map(|it| it.text("ActiveState")).unwrap_or_default();
    match verdict(published, &state) {
        Verdict::Healthy => {}
        Verdict::NotAssessed => log::info!("no verdict on this boot is to come"),
        Verdict::Not(why) => {
            log::warn!("power_state: not done at this boot: {why}");
            return Ok(());
        }
    }
    marks.begin(&task())?;
    let result = if wanted(root, &later, power) { act(power) } else { Ok(()) };
    marks.end(&task(), result.as_ref().err().map(|e| format!("{e:#}")))?;
    result
}

fn verdict(healthy: Option<bool>, service: &str) -> Verdict {
    match (healthy, service) {
        (Some(true), _) => Verdict::Healthy,
        (Some(false), _) => Verdict::Not("it is unhealthy".to_owned()),
        (None, "active" | "inactive") => Verdict::NotAssessed,
        (None, other) => Verdict::Not(format!("there is no verdict, {SERVICE} is {other}")),
    }
}

/// As in cloud-init, a condition that fails says no, however it fails.
fn wanted(root: &Root, later: &Later, power: &PowerState) -> bool {
    let Some(condition) = &power.condition else { return true };
    let text = shell::script(std::slice::from_ref(condition));
    match Programs::new(root, later).text("condition", &text, &[], CONDITION) {
        Ok(()) => true,
        Err(e) => {
            log::info!("power_state: its condition says no: {e:#}");
            false
        }
    }
}

fn act(power: &PowerState) -> Result<()> {
    let (how, target) = match power.mode {
        PowerAction::Reboot => ("--reboot", "reboot.target"),
        PowerAction::Poweroff => ("--poweroff", "poweroff.target"),
        PowerAction::Halt => ("--halt", "halt.target"),
    };
    ensure!(!systemd::is_stopping(ANSWER), "the system is being shut down already");
    log::info!(
        "power_state: {target} in {} minutes{}",
        power.delay_minutes,
        power.message.as_ref().map_or(String::new(), |it| format!(": {it}"))
    );
    match (power.delay_minutes, power.mode) {
        // At once needs nobody but PID 1.
        (0, PowerAction::Reboot) => requests::reboot(ANSWER),
        (0, _) => requests::end_by(target, ANSWER),
        (minutes, _) => requests::shut_down_in(minutes, how, power.message.as_deref(), ANSWER),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_healthy_boot_is_ended() {
        let not = |why: &str| Verdict::Not(why.to_owned());
        for (healthy, service, expected) in [
            (Some(true), "active", Verdict::Healthy),
            (Some(false), "failed", not("it is unhealthy")),
            (None, "active", Verdict::NotAssessed),
            (None, "inactive", Verdict::NotAssessed),
            (None, "failed", not("there is no verdict, health-checker.service is failed")),
            (None, "activating", not("there is no verdict, health-checker.service is activating")),
        ] {
            assert_eq!(verdict(healthy, service), expected);
        }
    }
}
