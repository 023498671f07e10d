//! The rules of health, the only copy of them: `assess` acts by them, `status`
//! and `--dry-run` show them, the simulator in `tests/` searches them.
//!
//! Pure and total: reads nothing, cannot fail. [`rows`] is the table, one
//! paragraph a row; [`steps`] turns a row into steps, in an order in which any
//! of them may be the last (write ahead).

mod rows;
pub(super) mod steps;

use super::facts::{Candidate, Facts, Mode, Occasion};
use super::plan::{Action, Alert, Decision, End, Event, Otherwise, Plan, Step};
use crate::record::SnapshotId;

pub use rows::target;

/// Automatic reboots that may lie between two healthy verdicts, whatever fails
/// and wherever the power is cut.
pub const MOST_REBOOTS: u32 = 3;

/// What is left to do once the machine has gone back from an update.
const CORRECT: &str =
    "see `health-checker status`, and correct the cause before the same update is installed again";

/// What the rules need of the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How many known good snapshots are protected from clean-up.
    pub keep: usize,
    /// After so many starts without a verdict, the next one has failed.
    pub unfinished_boots: u32,
}

/// Decides.
pub fn decide(facts: &Facts, policy: Policy) -> Plan {
    let failed = rows::failed(facts, policy);
    let decision = rows::choose(facts, &failed);
    let alert = alert(facts, &failed, &decision);
    let (steps, end) = follow(facts, policy, &decision, &failed);
    let enforced = facts.control.mode == Mode::Enforce;
    let mut steps = if enforced { steps } else { Vec::new() };
    steps.extend(alert.clone().map(Step::Alert));
    let healthy = failed.is_empty();
    // A verdict that leads to nothing is for people only.
    if enforced && facts.occasion == Occasion::Verdict && decision.action != Action::None {
        steps.push(Step::FollowUp(healthy));
    }
    // What is to be left alone stays so, also if a start could not be counted.
    let left_alone = healthy || !enforced || decision.action == Action::None;
    let way_out = if left_alone { End::GoOn } else { End::SafeMode };
    Plan {
        healthy,
        decision,
        steps,
        end: allowed(end, facts),
        otherwise: Otherwise { alert, end: way_out },
    }
}

/// What follows when a start is ended in order: if there was no verdict, it does
/// not count as one that came to nothing.
pub fn ended(facts: &Facts) -> Plan {
    let steps =
        if facts.control.mode == Mode::Enforce { steps::uncount(facts) } else { Vec::new() };
    let reason = "this start is ended in order".to_owned();
    Plan {
        healthy: true,
        decision: Decision { action: Action::None, target: None, reason },
        steps,
        end: End::GoOn,
        otherwise: Otherwise { alert: None, end: End::GoOn },
    }
}

/// The steps and the end that belong to a decision.
fn follow(
    facts: &Facts,
    policy: Policy,
    decision: &Decision,
    failed: &[String],
) -> (Vec<Step>, End) {
    let safe_mode = || (steps::safe_mode(facts, policy, failed), End::SafeMode);
    match (decision.action, facts.booted, decision.target) {
        (Action::MarkGood, ..) => (steps::mark_good(facts, policy), End::GoOn),
        (Action::Rollback, Some(booted), Some(to)) => {
            let from = facts.fell_back().unwrap_or(booted);
            let end = back_into(facts, to);
            (steps::roll_back(facts, policy, (from, to), failed, end), end)
        }
        // No row decides this; if one ever did, nothing could be written ahead.
        (Action::Rollback | Action::SafeMode, ..) => safe_mode(),
        (Action::Reboot, ..) => (steps::reboot(facts, policy), End::Reboot),
        (Action::None, ..) if facts.occasion == Occasion::Start => (steps::count(facts), End::GoOn),
        (Action::None, ..) => (Vec::new(), End::GoOn),
    }
}

/// Before anything of the failed snapshot runs, the target can be entered in
/// the same boot, if the running kernel is one of its own.
fn back_into(facts: &Facts, to: SnapshotId) -> End {
    // Its first boot begins anew, and what finds that out has run already in this start.
    let record = facts.record.readable();
    let is_pristine = record.is_some_and(|it| it.good(&to).is_none() && it.pristine() == Some(to));
    let fits = |it: &Candidate| it.snapshot == to && it.fits_kernel && !is_pristine;
    let is_there = facts.booted == Some(to) || facts.present.iter().flatten().any(fits);
    let here = facts.occasion == Occasion::Start && is_there;
    if here { End::Enter(to) } else { End::Reboot }
}

/// What the administrator's word leaves of an end.
fn allowed(end: End, facts: &Facts) -> End {
    match (facts.control.mode, end) {
        (Mode::Observe | Mode::Off, _) => End::GoOn,
        (Mode::Enforce, End::Reboot) if !facts.control.may_reboot => End::SafeMode,
        (Mode::Enforce, end) => end,
    }
}

/// What people are told; nothing where there is nothing to tell.
fn alert(facts: &Facts, failed: &[String], decision: &Decision) -> Option<Alert> {
    if facts.judged.is_some() && !facts.control.act_again {
        return None;
    }
    if failed.is_empty() {
        return fallback(facts, decision);
    }
    let seen = |check: &super::checks::Outcome| format!("{}: {}", check.name, check.message);
    let mut seen: Vec<String> = match facts.occasion {
        Occasion::Verdict if facts.given_up.is_some() => failed.to_vec(),
        Occasion::Verdict => facts.checks.iter().filter(|it| it.condemns()).map(seen).collect(),
        Occasion::Start if facts.booted_problems.is_empty() => failed.to_vec(),
        Occasion::Start | Occasion::Emergency => facts.booted_problems.clone(),
    };
    seen.extend(gave_up(facts));
    let event = event(facts, decision.action);
    Some(Alert {
        event,
        failed: seen,
        done: format!("{}: {}", doing(facts, decision), decision.reason),
        advice: advice(facts.occasion, event).to_owned(),
    })
}

/// That the last update did not come up is told although all is well now.
fn fallback(facts: &Facts, decision: &Decision) -> Option<Alert> {
    let acted = facts.control.mode == Mode::Enforce;
    Some(Alert {
        event: if acted { Event::Fallback } else { Event::NotActed },
        failed: vec![gave_up(facts)?],
        done: format!("{}: {}", doing(facts, decision), decision.reason),
        advice: CORRECT.to_owned(),
    })
}

fn gave_up(facts: &Facts) -> Option<String> {
    let from = facts.fell_back()?;
    Some(format!("{from}: it was started and came to nothing, so the loader went back"))
}

/// What is done, in words.
fn doing(facts: &Facts, decision: &Decision) -> String {
    let only_said = if facts.control.mode == Mode::Enforce { "" } else { "only observing, else " };
    let doing = match (decision.action, decision.target) {
        (Action::Rollback, Some(target)) => format!("going back to {target}"),
        (action, _) => action.to_string(),
    };
    let reboots = matches!(decision.action, Action::Rollback | Action::Reboot);
    let but = if reboots && !facts.control.may_reboot {
        ", but rebooting is switched off, so safe mode"
    } else {
        ""
    };
    format!("{only_said}{doing}{but}")
}

/// What an action comes to, with what the administrator's word leaves of it.
fn event(facts: &Facts, action: Action) -> Event {
    match (facts.control.mode, action) {
        (_, Action::MarkGood) => Event::Healthy,
        (Mode::Observe | Mode::Off, _) | (_, Action::None) => Event::NotActed,
        (Mode::Enforce, Action::SafeMode) => Event::SafeMode,
        (Mode::Enforce, Action::Rollback | Action::Reboot) if !facts.control.may_reboot => {
            Event::SafeMode
        }
        (Mode::Enforce, Action::Rollback) => Event::Rollback,
        (Mode::Enforce, Action::Reboot) => Event::Reboot,
    }
}

fn advice(occasion: Occasion, event: Event) -> &'static str {
    match event {
        Event::SafeMode | Event::NotActed if occasion == Occasion::Emergency => {
            "repair it from here where a shell is offered, see `journalctl -b`; or choose another \
             snapshot in the boot menu"
        }
        Event::Healthy => "",
        // Told when the machine is there already where the initrd has gone back to.
        Event::Rollback if occasion != Occasion::Verdict => CORRECT,
        Event::Rollback => "see `health-checker status` after the reboot",
        Event::Fallback => CORRECT,
        Event::Reboot => {
            "nothing yet; `health-checker status` tells what the next failure leads to"
        }
        Event::SafeMode => {
            "repair what failed, see `health-checker check`; then `systemctl reboot`, or \
             `health-checker safe-mode leave` to start the services again"
        }
        Event::NotActed => "see `health-checker check`; nothing was changed",
    }
}

#[cfg(test)]
mod tests;
