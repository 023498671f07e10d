//! The rules of conduct: what must hold once a plan has run to its end, seen by somebody
//! who knows what is true.

use health_checker::health::facts::{Candidate, Facts, Occasion};
use health_checker::health::plan::{Action, End, Plan};
use health_checker::record::{KnownGood, Record, Rollback, SnapshotId, State};

use super::{Stored, ThisBoot, World, id, number};
use crate::events::{Event, Meanwhile};

impl World {
    /// Somebody's choice: from outside, or, where the loader chooses by itself, as the
    /// rules see it.
    fn by_hand(&self, event: &Event, facts: &Facts) -> bool {
        if self.has_entries() {
            return facts.chosen_by_hand();
        }
        let here = &self.this_boot;
        let other = here.booted != here.default_at_start && !event.booted_unknown;
        other && !(here.fallback && could_know_of_fallback(facts))
    }

    /// What must hold once a plan has run to its end.
    pub fn conclude(
        &mut self,
        event: &Event,
        facts: &Facts,
        plan: &Plan,
        end: End,
    ) -> Result<(), String> {
        let here = &self.this_boot;
        if here.rebooted != (end == End::Reboot) {
            return Err("the executor's word and its deed differ".to_owned());
        }
        if facts.occasion == Occasion::Start {
            return self.start_is_counted(event, facts, plan);
        }
        if facts.occasion == Occasion::Emergency {
            return emergency_is_told(here, facts);
        }
        if here.given_up {
            let stopping = event.stopping && !here.touched;
            let ended = (here.safe_mode || stopping) && !here.rebooted && here.alerts > 0;
            return if ended {
                Ok(())
            } else {
                Err("a start that was given up went on".to_owned())
            };
        }
        let failed = !event.failing.is_empty();
        if facts.fell_back().is_some() && !here.fallback {
            return Err("took a choice by hand for the loader's".to_owned());
        }
        let by_hand = self.by_hand(event, facts);
        if failed && (by_hand || event.stopping) {
            if here.touched || here.rebooted || here.safe_mode {
                return Err("touched something that was to be left alone".to_owned());
            }
        } else if failed && !here.rebooted && !here.safe_mode {
            return Err("went on as if nothing had failed".to_owned());
        } else if !failed && (here.rebooted || here.safe_mode) {
            return Err("a healthy boot did not go on".to_owned());
        }
        if failed && here.alerts == 0 {
            return Err("nobody was told".to_owned());
        }
        attribution(facts, plan)?;
        self.loader_is_in_line(event, facts, plan)?;
        // The intent to make a fallback permanent stays, for the next start to complete.
        let broken_off = here.fallback && here.set_default_fails;
        if !failed && here.written && !broken_off {
            self.healthy_is_recorded(event, by_hand)?;
        }
        Ok(())
    }

    /// What a fallback came to is made for good, and GRUB goes nowhere else than was
    /// decided.
    fn loader_is_in_line(&self, event: &Event, facts: &Facts, plan: &Plan) -> Result<(), String> {
        let here = &self.this_boot;
        if here.set_default_fails || here.write_fails || event.stopping || facts.durable.is_err() {
            return Ok(());
        }
        let known = here.fallback && could_know_of_fallback(facts) && !event.booted_unknown;
        let unchanged =
            event.meanwhile == Meanwhile::Nothing || facts.default_now == facts.default_at_start;
        if known && unchanged && self.default != here.booted {
            return Err("a fallback of the loader was not made for good".to_owned());
        }
        let acted = here.written && plan.decision.action != Action::None;
        if acted && self.loader.flag().is_some_and(|it| it.set) {
            return Err("GRUB's flag speaks of a start that came to its end".to_owned());
        }
        Ok(())
    }

    /// A start that goes on was counted, if it could be; one too many does not go on.
    fn start_is_counted(&self, event: &Event, facts: &Facts, plan: &Plan) -> Result<(), String> {
        if facts.chosen_by_hand() && (self.this_boot.rebooted || self.this_boot.safe_mode) {
            return Err("did not respect a choice by hand".to_owned());
        }
        if plan.end == End::GoOn && !facts.booted_problems.is_empty() && could_go_back(facts) {
            return Err("entered what will not come up, although there was a way back".to_owned());
        }
        self.fallback_is_settled(facts, event)?;
        let Some(booted) = facts.booted else { return Ok(()) };
        let before = facts.record.readable().map_or(0, |record| record.starts_of(&booted));
        if plan.end == End::GoOn && before >= 3 && !facts.chosen_by_hand() {
            return Err("went on after three starts that came to nothing".to_owned());
        }
        let possible = !facts.entry.is_some_and(|it| it.counted)
            && facts.durable.is_ok()
            && !matches!(facts.record, State::Unknown(_));
        let Stored::Whole(record) = &self.stored else { return Ok(()) };
        let counted = record.starts_of(&booted) == before + 1;
        if plan.end == End::GoOn && possible && !self.this_boot.write_fails && !counted {
            return Err("a start was not counted".to_owned());
        }
        Ok(())
    }

    /// What the loader went back to by itself is the default, if it was known good.
    fn fallback_is_settled(&self, facts: &Facts, event: &Event) -> Result<(), String> {
        let here = &self.this_boot;
        let (Some(record), true) = (facts.record.readable(), self.has_entries()) else {
            return Ok(());
        };
        let known_good = |it: u8| record.good(&id(it)).is_some_and(|good| good.as_default);
        let possible = facts.durable.is_ok() && !here.write_fails && !here.set_default_fails;
        let fell_back = event.chosen.is_none()
            && !event.booted_unknown
            && self.loader.gave_up(here.default_at_start, here.booted)
            && known_good(here.booted)
            && !known_good(here.default_at_start);
        if fell_back && possible && self.default != here.booted {
            return Err("a fallback by the loader was not made permanent".to_owned());
        }
        Ok(())
    }

    /// An orderly end takes back what the start had counted, and no more.
    pub fn is_uncounted(&self, facts: &Facts) -> Result<(), String> {
        let (Some(booted), Some(before)) = (facts.booted, facts.record.readable()) else {
            return Ok(());
        };
        if self.this_boot.write_fails {
            return Ok(());
        }
        let Stored::Whole(record) = &self.stored else { return Ok(()) };
        let expected = before.starts_of(&booted).saturating_sub(1);
        if record.starts_of(&booted) != expected {
            return Err("a start that ended in order counts".to_owned());
        }
        if self.loader.flag().is_some_and(|it| it.set) {
            return Err("GRUB's flag speaks of a start that ended in order".to_owned());
        }
        Ok(())
    }

    fn healthy_is_recorded(&self, event: &Event, by_hand: bool) -> Result<(), String> {
        let Stored::Whole(record) = &self.stored else {
            return Err("written, but not there".to_owned());
        };
        if record.automatic_reboots != 0 || record.retried.is_some() || record.rollback.is_some() {
            return Err("a healthy verdict did not clear the counts".to_owned());
        }
        if self.firmware.is_some_and(|reboots| reboots > 0) {
            return Err("a healthy verdict did not clear the firmware's count".to_owned());
        }
        let newest = record.known_good.iter().rev().find(|good| good.as_default);
        if let Some(newest) = newest
            && !self.protected.contains(number(&newest.snapshot))
        {
            return Err("the rollback target is not protected".to_owned());
        }
        let booted = id(self.this_boot.booted);
        if !event.booted_unknown && record.good(&booted).is_none() {
            return Err("a healthy snapshot was not recorded".to_owned());
        }
        let as_default = !by_hand && !event.booted_unknown;
        if as_default && newest.map(|it| it.snapshot) != Some(booted) {
            return Err("the newest known good snapshot is not the rollback target".to_owned());
        }
        Ok(())
    }

    pub(super) fn record_is_true(&self, record: &Record) -> Result<(), &'static str> {
        for entry in &record.known_good {
            let number = number(&entry.snapshot);
            if !self.passed.contains(number) {
                return Err("recorded as known good what never passed");
            }
            if entry.as_default && !self.good.contains(number) {
                return Err("recorded as a rollback target what never passed as the default");
            }
        }
        if let Some(rollback) = &record.rollback
            && (!self.good.contains(number(&rollback.to)) || rollback.failed.is_empty())
        {
            return Err("recorded a rollback that cannot be");
        }
        Ok(())
    }
}

/// What came to nothing in the initrd is told, and a choice by hand respected.
fn emergency_is_told(here: &ThisBoot, facts: &Facts) -> Result<(), String> {
    if here.alerts == 0 {
        return Err("nobody was told of an initrd that cannot go on".to_owned());
    }
    if facts.chosen_by_hand() && (here.rebooted || here.touched) {
        return Err("did not respect a choice by hand in the initrd".to_owned());
    }
    Ok(())
}

/// Whether a known good snapshot is there that would boot.
fn could_go_back(facts: &Facts) -> bool {
    let Some(record) = facts.record.readable() else { return false };
    let there = |good: &&KnownGood| {
        let whole = |it: &&Candidate| it.snapshot == good.snapshot && it.problems.is_empty();
        good.as_default && facts.present.iter().flatten().any(|it| whole(&it))
    };
    !facts.chosen_by_hand()
        && facts.booted.is_some()
        && record.known_good.iter().any(|it| there(&it))
}

/// Whether it can be seen that the loader gave the default up, and that this is no loss.
fn could_know_of_fallback(facts: &Facts) -> bool {
    let Some(record) = facts.record.readable() else { return false };
    let is_good = |it: SnapshotId| record.good(&it).is_some_and(|good| good.as_default);
    let pending = record.pending.is_some() && record.pending == facts.default_at_start;
    let (default, booted) = (facts.default_at_start, facts.booted);
    let cut_short = |it: &Rollback| (Some(it.from), Some(it.to)) == (default, booted);
    let offered = facts.loader_offers.is_some() && facts.loader_offers == booted;
    let flag_was_left = offered && (pending || record.rollback.as_ref().is_some_and(cut_short));
    facts.booted.is_some_and(is_good)
        && !facts.default_at_start.is_some_and(is_good)
        && (flag_was_left || facts.entry.is_some_and(|it| it.default_counted_out))
}

/// A check that fails on the known good snapshot as well is not the update's.
fn attribution(facts: &Facts, plan: &Plan) -> Result<(), String> {
    let Some(record) = facts.record.readable() else { return Ok(()) };
    let Some(rollback) = &record.rollback else { return Ok(()) };
    let same = facts.failed().iter().any(|name| rollback.failed.contains(name));
    let returned = facts.booted == Some(rollback.to) && !facts.chosen_by_hand();
    let acted = matches!(plan.decision.action, Action::Reboot | Action::Rollback);
    if returned && same && acted {
        return Err("blamed the update for a check that fails without it".to_owned());
    }
    Ok(())
}
