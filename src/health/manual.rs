//! What an administrator asks for by name: the same kind of plan, carried out by
//! the same executor, with a record that tells of it.

use super::decide::{Policy, steps, target};
use super::facts::Facts;
use super::plan::{Action, Decision, End, Otherwise, Plan, Step};
use crate::record::{KnownGood, Record, SnapshotId, State};

/// A wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// This snapshot, or the booted one, is good.
    MarkGood(Option<u32>),
    /// This snapshot, or the booted one, is not.
    MarkBad(Option<u32>),
    /// The known good snapshots shall be kept from clean-up: something may have
    /// put an algorithm back, or deleted their boot entries.
    Protect,
    /// This snapshot, or the last known good one, shall be the default.
    Rollback {
        /// Which one.
        to: Option<u32>,
        /// Enter it at once.
        reboot: bool,
    },
}

/// Makes the plan for a wish.
///
/// # Errors
/// Why it is refused, and what to do.
pub fn plan(facts: &Facts, policy: Policy, wish: Wish) -> Result<Plan, String> {
    let record = match &facts.record {
        State::Readable(record) => record.clone(),
        State::Absent => Record::default(),
        State::Unknown(why) => return Err(format!("the record cannot be read: {why}")),
    };
    match wish {
        Wish::MarkGood(number) => Ok(mark_good(facts, policy, record, named(facts, number)?)),
        Wish::Protect => {
            let kept = steps::kept(&record, policy);
            let numbers = kept.iter().map(|it| it.number).collect();
            let mut steps: Vec<_> = kept.into_iter().map(Step::Protect).collect();
            steps.push(Step::KeepEntries(numbers));
            Ok(made(Action::None, None, steps, End::GoOn))
        }
        Wish::MarkBad(number) => mark_bad(policy, record, named(facts, number)?),
        Wish::Rollback { to, reboot } => {
            let to = match to {
                Some(number) => named(facts, Some(number))?,
                None => target(facts, &record).ok_or("no other snapshot is known good")?,
            };
            roll_back(facts, record, to, reboot)
        }
    }
}

/// The snapshot with this number, or the booted one.
fn named(facts: &Facts, number: Option<u32>) -> Result<SnapshotId, String> {
    let Some(number) = number else {
        return facts.booted.ok_or_else(|| "which snapshot is booted is not known".to_owned());
    };
    let mut present = facts.present.iter().flatten().map(|it| it.snapshot);
    present
        .find(|it| it.number == number)
        .ok_or_else(|| format!("there is no snapshot {number}; `snapper list` shows them"))
}

fn made(action: Action, target: Option<SnapshotId>, steps: Vec<Step>, end: End) -> Plan {
    let reason = "asked for".to_owned();
    let otherwise = Otherwise { alert: None, end: End::GoOn };
    Plan { healthy: true, decision: Decision { action, target, reason }, steps, end, otherwise }
}

fn mark_good(facts: &Facts, policy: Policy, mut record: Record, it: SnapshotId) -> Plan {
    let before = steps::kept(&record, policy);
    record.sequence += 1;
    record.known_good.retain(|good| good.snapshot != it);
    record.known_good.push(KnownGood { snapshot: it, as_default: true, at: facts.now });
    let steps = steps::keep_known_good(&before, record, policy);
    made(Action::MarkGood, Some(it), steps, End::GoOn)
}

fn mark_bad(policy: Policy, mut record: Record, it: SnapshotId) -> Result<Plan, String> {
    if record.good(&it).is_none() {
        return Err(format!("{it} is not known good"));
    }
    let before = steps::kept(&record, policy);
    record.sequence += 1;
    record.known_good.retain(|good| good.snapshot != it);
    let steps = steps::keep_known_good(&before, record, policy);
    Ok(made(Action::None, Some(it), steps, End::GoOn))
}

fn roll_back(
    facts: &Facts,
    mut record: Record,
    to: SnapshotId,
    reboot: bool,
) -> Result<Plan, String> {
    let candidate = facts.present.iter().flatten().find(|it| it.snapshot == to);
    if let Some(candidate) = candidate.filter(|it| !it.problems.is_empty()) {
        return Err(format!("{to} would not boot: {}", candidate.problems.join("; ")));
    }
    if facts.default_now == Some(to) {
        return Err(format!("{to} is the default already; `systemctl reboot` enters it"));
    }
    // What was tried automatically is over: from here on it is the administrator's way.
    record.sequence += 1;
    record.rollback = None;
    record.retried = None;
    record.set_starts(to, None);
    let steps = vec![Step::WriteRecord(Box::new(record)), Step::SetDefault(to)];
    let end = if reboot { End::Reboot } else { End::GoOn };
    Ok(made(Action::Rollback, Some(to), steps, end))
}
