//! The table, read from the bottom up: the first row that fits decides.

use super::Policy;
use crate::health::facts::{Candidate, Facts, Occasion, Place};
use crate::health::plan::{Action, Decision};
use crate::record::{INITRD, PRE_FLIGHT, Record, Rollback, SnapshotId, State, UNFINISHED};

use super::MOST_REBOOTS;

/// What speaks against this boot: required checks that failed, or, before any
/// check could run, what earlier starts left behind.
pub(super) fn failed(facts: &Facts, policy: Policy) -> Vec<String> {
    match facts.occasion {
        Occasion::Verdict if facts.given_up.is_some() => vec![UNFINISHED.to_owned()],
        Occasion::Verdict => facts.failed(),
        Occasion::Start => unfinished(facts, policy),
        Occasion::Emergency => vec![INITRD.to_owned()],
    }
}

/// A rollback that was cut short before it changed the default is as good a
/// reason now as it was then; so are files without which it cannot come up, and
/// too many starts that came to nothing.
fn unfinished(facts: &Facts, policy: Policy) -> Vec<String> {
    if facts.chosen_by_hand() {
        return Vec::new();
    }
    if let Some(given_up) = facts.fell_back() {
        return against(facts, given_up);
    }
    let mut reasons = Vec::new();
    if !facts.booted_problems.is_empty() {
        reasons.push(PRE_FLIGHT.to_owned());
    }
    let (Some(record), Some(booted)) = (facts.record.readable(), facts.booted) else {
        return reasons;
    };
    if let Some(rollback) = record.rollback.as_ref().filter(|it| it.from == booted) {
        return rollback.failed.clone();
    }
    if record.starts_of(&booted) >= policy.unfinished_boots {
        reasons.push(UNFINISHED.to_owned());
    }
    reasons
}

/// What speaks against a snapshot that the loader has given up.
pub(super) fn against(facts: &Facts, given_up: SnapshotId) -> Vec<String> {
    let known = facts.record.readable().and_then(|it| it.rollback.as_ref());
    let known = known.filter(|it| it.from == given_up).map(|it| it.failed.clone());
    known.unwrap_or_else(|| vec![UNFINISHED.to_owned()])
}

fn say(action: Action, reason: &str) -> Decision {
    Decision { action, target: None, reason: reason.to_owned() }
}

/// Decides by the table.
pub(super) fn choose(facts: &Facts, failed: &[String]) -> Decision {
    if facts.judged.is_some() && !facts.control.act_again {
        return say(Action::None, "a verdict was reached in this boot already");
    }
    if failed.is_empty() {
        return match facts.occasion {
            Occasion::Verdict => passed(facts),
            Occasion::Start | Occasion::Emergency => {
                say(Action::None, "nothing speaks against this start")
            }
        };
    }
    if facts.shutting_down {
        return say(Action::None, "a shutdown is under way");
    }
    if facts.chosen_by_hand() {
        return say(
            Action::None,
            "this snapshot is not the default: somebody chose it, so nothing is touched",
        );
    }
    if let Some(why) = &facts.given_up {
        return say(Action::SafeMode, why);
    }
    if facts.occasion == Occasion::Start
        && let Some(given_up) = facts.fell_back()
    {
        return counted_out(facts, given_up);
    }
    match &facts.durable {
        Ok(Place::Record) => {}
        Ok(Place::Firmware) => return out_of_reach(facts),
        Err(why) => {
            let reason = format!("no automatic reboot, because it could not be counted: {why}");
            return say(Action::SafeMode, &reason);
        }
    }
    let record = match &facts.record {
        State::Unknown(why) => {
            let reason = format!("the record cannot be read, so nothing is based on it: {why}");
            return say(Action::SafeMode, &reason);
        }
        State::Absent => &Record::default(),
        State::Readable(record) => record,
    };
    if facts.automatic_reboots() >= MOST_REBOOTS {
        return say(Action::SafeMode, &too_many());
    }
    // What was found good in this boot is so, also where that could not be recorded.
    let known_good =
        facts.judged == Some(true) || facts.booted.is_some_and(|it| is_target(record, &it));
    match (known_good, facts.occasion) {
        (true, Occasion::Verdict | Occasion::Emergency) => known_good_failed(facts, record, failed),
        (true, Occasion::Start) => say(
            Action::SafeMode,
            "this known good snapshot was started several times and never came to a verdict",
        ),
        (false, _) => new_failed(facts, record, failed),
    }
}

fn too_many() -> String {
    format!("{MOST_REBOOTS} automatic reboots did not lead to a healthy boot")
}

/// The row for a disk that the initrd does not see, so that it is not even known what was
/// started: the loader may have something else to start.
fn out_of_reach(facts: &Facts) -> Decision {
    let reboots = facts.automatic_reboots();
    if reboots >= MOST_REBOOTS {
        say(Action::SafeMode, &too_many())
    } else if facts.entry.is_some_and(|it| it.counted) {
        let reason = "the disk is out of reach; the loader counts the starts of this entry, and \
                      starts another after the last of them";
        say(Action::Reboot, reason)
    } else if reboots > 0 {
        say(Action::SafeMode, "the disk is out of reach, after a reboot as well")
    } else {
        say(Action::Reboot, "the disk is out of reach; one reboot may heal it")
    }
}

/// The row for a known good snapshot that the loader chose itself: it stays.
fn counted_out(facts: &Facts, given_up: SnapshotId) -> Decision {
    if let Err(why) = &facts.durable {
        let reason =
            format!("the loader has given {given_up} up; that is not made permanent: {why}");
        return say(Action::None, &reason);
    }
    Decision {
        action: Action::Rollback,
        target: facts.booted,
        reason: format!("the loader has given {given_up} up: no try was left"),
    }
}

/// The row for a boot in which nothing has failed.
fn passed(facts: &Facts) -> Decision {
    let Some(from) = facts.fell_back() else {
        return say(Action::MarkGood, "all required checks passed");
    };
    let reason = format!(
        "all required checks passed where the loader went back to, which takes the place of {from}"
    );
    say(Action::MarkGood, &reason)
}

/// The rows for a booted snapshot that is known good.
fn known_good_failed(facts: &Facts, record: &Record, failed: &[String]) -> Decision {
    if let Some(rollback) = returned(facts, record) {
        let same: Vec<_> = failed.iter().filter(|name| rollback.failed.contains(name)).collect();
        if let Some(name) = same.first() {
            let reason = format!(
                "{name} failed on {} and fails on the known good one as well: \
                 the update is not the cause",
                rollback.from
            );
            return say(Action::SafeMode, &reason);
        }
    }
    if record.retried == facts.booted {
        return say(Action::SafeMode, "this known good snapshot failed again after a reboot");
    }
    say(Action::Reboot, "this snapshot was known good; one reboot may heal it")
}

/// The rows for a booted snapshot that never passed as the default.
fn new_failed(facts: &Facts, record: &Record, failed: &[String]) -> Decision {
    // A snapshot that cannot be told apart may be the known good one itself.
    let target = facts.booted.and_then(|_| target(facts, record));
    let target = target.or_else(|| pristine(facts, record, failed));
    let Some(target) = target else {
        if facts.occasion == Occasion::Start && failed == [PRE_FLIGHT] {
            return say(
                Action::None,
                "it may not come up, but there is nothing to go back to: it is tried all the same",
            );
        }
        let retried = match facts.booted {
            Some(_) => record.retried == facts.booted,
            None => facts.automatic_reboots() > 0,
        };
        return if retried {
            say(Action::SafeMode, "failed again after a reboot, and there is nothing to go back to")
        } else {
            say(Action::Reboot, "there is nothing to go back to; one reboot may heal it")
        };
    };
    if failed.iter().all(|name| record.not_the_update.contains(name)) {
        let reason = format!(
            "{} failed on the known good snapshot as well: going back would not help",
            failed.join(", ")
        );
        return say(Action::SafeMode, &reason);
    }
    let changed = facts.default_now != facts.default_at_start && facts.default_now.is_some();
    match (changed, facts.default_now) {
        (true, Some(default)) if !facts.default_descends => {
            let reason = format!("{default} became the default meanwhile, and is tried");
            say(Action::Reboot, &reason)
        }
        (true, Some(default)) => Decision {
            action: Action::Rollback,
            target: Some(target),
            reason: format!(
                "{} failed on a new snapshot; {default}, made from it meanwhile, is set aside too",
                failed.join(", ")
            ),
        },
        _ => Decision {
            action: Action::Rollback,
            target: Some(target),
            reason: format!("{} failed on a new snapshot", failed.join(", ")),
        },
    }
}

/// Whether a snapshot is what a rollback could go back to.
fn is_target(record: &Record, snapshot: &SnapshotId) -> bool {
    record.good(snapshot).is_some_and(|good| good.as_default)
}

/// The newest known good snapshot that is there and would boot.
pub fn target(facts: &Facts, record: &Record) -> Option<SnapshotId> {
    let present = facts.present.as_ref()?;
    let would_boot = |snapshot: &SnapshotId| {
        present.iter().any(|it| it.snapshot == *snapshot && it.problems.is_empty())
    };
    record
        .known_good
        .iter()
        .rev()
        .filter(|good| good.as_default)
        .map(|good| good.snapshot)
        .find(|snapshot| Some(*snapshot) != facts.booted && would_boot(snapshot))
}

/// The snapshot that first boot started from, while nothing has ever been good: for a
/// configured one that does not come up. One whose checks fail stays, since what was
/// configured lets the administrator in.
fn pristine(facts: &Facts, record: &Record, failed: &[String]) -> Option<SnapshotId> {
    const NEVER_UP: [&str; 2] = [PRE_FLIGHT, UNFINISHED];
    let done = record.firstboot.as_ref()?;
    let on_probation = record.known_good.is_empty() && Some(done.configured) == facts.booted;
    let never_up = failed.iter().all(|name| NEVER_UP.contains(&name.as_str()));
    let would_boot = |it: &Candidate| it.snapshot == done.pristine && it.problems.is_empty();
    let is_there = facts.present.iter().flatten().any(would_boot);
    (on_probation && never_up && is_there).then_some(done.pristine)
}

/// The rollback that led into this boot.
pub(super) fn returned<'a>(facts: &Facts, record: &'a Record) -> Option<&'a Rollback> {
    record.rollback.as_ref().filter(|rollback| Some(rollback.to) == facts.booted)
}
