//! What follows from a row, in an order in which any step may be the last.

use super::{Policy, rows};
use crate::health::facts::{Facts, Occasion, Place};
use crate::health::plan::{End, Step};
use crate::record::{KnownGood, Record, Rollback, SnapshotId, State, Verdict};

/// Known good snapshots that the record remembers beyond the protected ones.
const REMEMBERED: usize = 16;

/// The record as it is, or an empty one, with this boot's verdict in it. What is
/// decided before the root is entered is none: the boot may go on to one.
fn next_record(facts: &Facts, healthy: bool) -> Record {
    let mut record = facts.record.readable().cloned().unwrap_or_default();
    record.sequence += 1;
    if facts.occasion == Occasion::Verdict {
        record.verdict =
            Some(Verdict { boot: facts.boot, snapshot: facts.booted, healthy, at: facts.now });
        record.pending = None;
    }
    if let Some(booted) = facts.booted {
        record.set_starts(booted, None);
    }
    if let Some(present) = &facts.present {
        let is_there = |id: &SnapshotId| present.iter().any(|it| it.snapshot == *id);
        record.known_good.retain(|good| is_there(&good.snapshot));
        record.starts.retain(|starts| is_there(&starts.snapshot));
    }
    record
}

/// Whether the record may be replaced, and that would outlive a reboot: an unreadable one
/// stays where it is, for somebody to look at.
fn is_writable(facts: &Facts) -> bool {
    facts.durable == Ok(Place::Record) && !matches!(facts.record, State::Unknown(_))
}

/// Counts one more automatic reboot, in the record that is about to be written, and
/// beside it: a start whose disk is out of reach must know of it.
fn count_reboot(facts: &Facts, record: &mut Record) -> Option<Step> {
    record.automatic_reboots = facts.automatic_reboots() + 1;
    let reboots = record.automatic_reboots;
    facts.reboots_in_firmware.map(|_| Step::CountInFirmware { reboots, alone: false })
}

/// Counts this start, if the loader does not. What cannot be read or written is left as
/// it is: whether that matters is decided once something has failed.
pub(super) fn count(facts: &Facts) -> Vec<Step> {
    let Some(booted) = facts.booted else { return Vec::new() };
    if facts.entry.is_some_and(|it| it.counted) {
        return Vec::new();
    }
    if !is_writable(facts) {
        return Vec::new();
    }
    let mut record = facts.record.readable().cloned().unwrap_or_default();
    record.sequence += 1;
    record.set_starts(booted, Some(record.starts_of(&booted) + 1));
    // GRUB's flag is about the default alone: who chose another one told nothing about it.
    if facts.default_at_start == Some(booted) {
        record.pending = Some(booted);
    }
    vec![Step::WriteRecord(Box::new(record))]
}

/// Takes that back, and what the loader thinks of it. The record first: a flag that is
/// still set leads back to a known good snapshot, but one that was cleared without a
/// word here would let a later choice by hand look like the loader's.
pub(super) fn uncount(facts: &Facts) -> Vec<Step> {
    let mut steps = Vec::new();
    if let Some(old) = facts.record.readable() {
        let mut record = old.clone();
        record.pending = None;
        let judged = record.verdict.as_ref().is_some_and(|verdict| verdict.boot == facts.boot);
        if let Some(booted) = facts.booted.filter(|_| !judged) {
            let before = record.starts_of(&booted).saturating_sub(1);
            record.set_starts(booted, (before > 0).then_some(before));
        }
        if record != *old {
            record.sequence += 1;
            steps.push(Step::WriteRecord(Box::new(record)));
        }
    }
    steps.push(Step::ClearFlag);
    steps
}

/// A fallback that the loader has made is made for good before anything else: its
/// intent first, as with any rollback, and the verdict, `record`, tells of it. An update
/// that became the default meanwhile is left alone, and tried.
fn settle_fallback(facts: &Facts, policy: Policy, record: &mut Record) -> Vec<Step> {
    let (Some(rollback), Some(before)) = (fallback(facts), facts.record.readable()) else {
        return Vec::new();
    };
    record.sequence += 1;
    record.rollback = Some(rollback.clone());
    if facts.default_now != facts.default_at_start {
        return Vec::new();
    }
    let to = rollback.to;
    let intent =
        Record { sequence: before.sequence + 1, rollback: Some(rollback), ..before.clone() };
    let mut steps = protect_kept(&intent, policy);
    steps.push(Step::WriteRecord(Box::new(intent)));
    steps.push(Step::SetDefault(to));
    steps
}

/// What the loader did, in the words of a rollback of ours. Where the initrd can tell,
/// that has one of its own.
fn fallback(facts: &Facts) -> Option<Rollback> {
    let (from, to) = (facts.fell_back()?, facts.booted?);
    let settles = facts.occasion == Occasion::Verdict;
    settles.then(|| Rollback { from, to, failed: rows::against(facts, from), at: facts.now })
}

pub(super) fn mark_good(facts: &Facts, policy: Policy) -> Vec<Step> {
    let mut record = next_record(facts, true);
    let fallback = settle_fallback(facts, policy, &mut record);
    record.automatic_reboots = 0;
    record.retried = None;
    record.not_the_update.clear();
    for (what, seen) in facts.checks.iter().flat_map(|check| &check.observed) {
        record.baseline.note(what, seen);
    }
    let rollback = record.rollback.take().filter(|it| Some(it.to) == facts.booted);
    // Once more, in case the boot partition did not take it then.
    let count_out = rollback.as_ref().map(|it| Step::CountOut(it.from));
    record.last_rollback = rollback.or(record.last_rollback);
    let before = kept(&record, policy);
    if let Some(booted) = facts.booted {
        remember(&mut record, booted, facts);
    }
    let mut steps = aside(facts);
    steps.extend(fallback);
    steps.extend(keep_known_good(&before, record, policy));
    if facts.reboots_in_firmware.is_some_and(|reboots| reboots > 0) {
        steps.push(Step::CountInFirmware { reboots: 0, alone: false });
    }
    steps.extend(count_out);
    steps.push(Step::ClearFlag);
    steps
}

/// Writes a record in which the known good snapshots have changed, and brings
/// their protection, and what GRUB is told, in line with it.
pub(in crate::health) fn keep_known_good(
    before: &[SnapshotId],
    record: Record,
    policy: Policy,
) -> Vec<Step> {
    let after = kept(&record, policy);
    let told = after.iter().copied().find(|it| record.good(it).is_some());
    let mut steps = vec![Step::WriteRecord(Box::new(record))];
    steps.extend(after.iter().copied().map(Step::Protect));
    steps.extend(before.iter().copied().filter(|it| !after.contains(it)).map(Step::Release));
    steps.extend(told.map(Step::TellLoader));
    steps
}

/// Enters a snapshot that passed. One that was chosen by hand keeps its place,
/// so that the rollback target stays the newest that passed as the default.
fn remember(record: &mut Record, booted: SnapshotId, facts: &Facts) {
    let entry = record.known_good.iter().position(|good| good.snapshot == booted);
    match (entry, facts.chosen_by_hand()) {
        (Some(at), true) => record.known_good[at].at = facts.now,
        (Some(at), false) => {
            record.known_good.remove(at);
            record.known_good.push(KnownGood { snapshot: booted, as_default: true, at: facts.now });
        }
        (None, by_hand) => record.known_good.push(KnownGood {
            snapshot: booted,
            as_default: !by_hand,
            at: facts.now,
        }),
    }
    let surplus = record.known_good.len().saturating_sub(REMEMBERED);
    record.known_good.drain(..surplus);
}

/// The snapshots that are protected: the newest that are known good, or, as long as there
/// is none, the one that first boot started from.
pub(in crate::health) fn kept(record: &Record, policy: Policy) -> Vec<SnapshotId> {
    let targets = record.known_good.iter().rev().filter(|good| good.as_default);
    let newest: Vec<_> = targets.map(|good| good.snapshot).take(policy.keep.max(1)).collect();
    match &record.firstboot {
        Some(done) if record.known_good.is_empty() => vec![done.pristine],
        _ => newest,
    }
}

/// The intent is durable before the default changes, and so is the count of the
/// reboot: cut anywhere, the next boot knows what was under way.
pub(super) fn roll_back(
    facts: &Facts,
    policy: Policy,
    (from, to): (SnapshotId, SnapshotId),
    failed: &[String],
    end: End,
) -> Vec<Step> {
    let mut record = next_record(facts, false);
    // Also if none is meant: where the target cannot be entered, one follows.
    let count = count_reboot(facts, &mut record);
    if end == End::Enter(to) {
        record.set_starts(to, Some(record.starts_of(&to) + 1));
    }
    record.rollback = Some(Rollback { from, to, failed: failed.to_vec(), at: facts.now });
    let mut steps = protect_kept(&record, policy);
    steps.push(Step::WriteRecord(Box::new(record)));
    steps.extend(count);
    // Before the default: with the one alone, the loader starts the target, and the
    // initrd makes it the default; with the other alone, it would start what failed.
    steps.push(Step::CountOut(from));
    let meanwhile = facts.default_now.filter(|it| Some(*it) != facts.default_at_start && *it != to);
    steps.extend(meanwhile.map(Step::CountOut));
    steps.push(Step::SetDefault(to));
    // Last: until the default is changed, the loader's way back is the only one.
    steps.extend(clear_flag(facts));
    steps
}

/// The loader's flag is about starts of which nobody had a say: a verdict of any kind
/// clears it, or the loader would go elsewhere than was just decided. In the initrd its
/// block is out of reach; what it falls back to is then the default already.
fn clear_flag(facts: &Facts) -> Option<Step> {
    (facts.occasion == Occasion::Verdict).then_some(Step::ClearFlag)
}

pub(super) fn reboot(facts: &Facts, policy: Policy) -> Vec<Step> {
    if facts.durable == Ok(Place::Firmware) {
        let reboots = facts.automatic_reboots() + 1;
        return vec![Step::CountInFirmware { reboots, alone: true }];
    }
    let mut record = next_record(facts, false);
    let mut steps = settle_fallback(facts, policy, &mut record);
    let count = count_reboot(facts, &mut record);
    record.retried = facts.booted;
    steps.extend(protect_kept(&record, policy));
    steps.push(Step::WriteRecord(Box::new(record)));
    steps.extend(count);
    steps.extend(facts.booted.or(facts.default_at_start).map(Step::Tag));
    steps.extend(clear_flag(facts));
    steps
}

pub(super) fn safe_mode(facts: &Facts, policy: Policy, failed: &[String]) -> Vec<Step> {
    if !is_writable(facts) {
        return Vec::new();
    }
    if facts.occasion == Occasion::Start {
        return protect_kept(facts.record.readable().unwrap_or(&Record::default()), policy);
    }
    let mut record = next_record(facts, false);
    let mut steps = settle_fallback(facts, policy, &mut record);
    if let Some(rollback) = rows::returned(facts, &record) {
        let same: Vec<_> =
            failed.iter().filter(|name| rollback.failed.contains(name)).cloned().collect();
        for name in same {
            if !record.not_the_update.contains(&name) {
                record.not_the_update.push(name);
            }
        }
    }
    steps.extend(protect_kept(&record, policy));
    steps.push(Step::WriteRecord(Box::new(record)));
    steps.extend(clear_flag(facts));
    steps
}

/// What is kept must be protected before the verdict on its successor:
/// transactional-update puts a clean-up algorithm back.
fn protect_kept(record: &Record, policy: Policy) -> Vec<Step> {
    kept(record, policy).into_iter().map(Step::Protect).collect()
}

fn aside(facts: &Facts) -> Vec<Step> {
    match facts.record {
        State::Unknown(_) => vec![Step::SetRecordAside],
        State::Absent | State::Readable(_) => Vec::new(),
    }
}
