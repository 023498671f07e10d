//! A machine, as far as the boot assessment can see and change it, with its
//! rules of conduct: every effect is checked when it happens, against what is
//! true, which the program itself cannot know.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};
use health_checker::health::checks::{Ending, Outcome};
use health_checker::health::decide::MOST_REBOOTS;
use health_checker::health::execute::Effects;
use health_checker::health::facts::{Candidate, Control, Entry, Facts, Mode, Occasion};
use health_checker::health::plan::{Action, Alert, End, Plan};
use health_checker::record::{KnownGood, Record, SnapshotId, State};
use jiff::Timestamp;
use uuid::Uuid;

use super::events::{Event, Meanwhile, Trouble};
use super::loader::{Flag, Loader};

/// The snapshots that the search has numbers for; 1 is the pristine one.
const NUMBERS: u8 = 3;

/// What is on the disk where the record should be.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Stored {
    Absent,
    Damaged,
    Whole(Record),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct World {
    /// Number → the number it was made from.
    snapshots: BTreeMap<u8, u8>,
    default: u8,
    stored: Stored,
    protected: BTreeSet<u8>,
    tagged: BTreeSet<u8>,
    /// What is true: who passed as the default, who passed at all.
    good: BTreeSet<u8>,
    passed: BTreeSet<u8>,
    /// Automatic reboots since the last healthy verdict.
    reboots: u32,
    loader: Loader,
    this_boot: ThisBoot,
}

/// What ends with a boot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[allow(clippy::struct_excessive_bools, reason = "each is a thing that happened or not")]
struct ThisBoot {
    booted: u8,
    /// What the loader's entry names, and whether it counts that entry's starts.
    named: u8,
    counted: bool,
    boot_partition_fails: bool,
    default_at_start: u8,
    /// The loader went back to what is known good by itself, or somebody did who cannot
    /// be told from it.
    fallback: bool,
    healthy: bool,
    write_fails: bool,
    set_default_fails: bool,
    enter_fails: bool,
    given_up: bool,
    effects_left: Option<usize>,
    cut: bool,
    written: bool,
    touched: bool,
    rebooted: bool,
    safe_mode: bool,
    alerts: usize,
    violation: Option<String>,
}

pub fn id(number: u8) -> SnapshotId {
    SnapshotId { number: number.into(), uuid: Uuid::from_u128(number.into()) }
}

fn number(id: &SnapshotId) -> u8 {
    u8::try_from(id.number).unwrap()
}

impl World {
    pub fn fresh() -> Self {
        Self {
            snapshots: BTreeMap::from([(1, 0)]),
            default: 1,
            stored: Stored::Absent,
            protected: BTreeSet::new(),
            tagged: BTreeSet::new(),
            good: BTreeSet::new(),
            passed: BTreeSet::new(),
            reboots: 0,
            loader: Loader::Plain,
            this_boot: ThisBoot::default(),
        }
    }

    /// The same with a loader that goes by entries.
    pub fn fresh_with_entries() -> Self {
        Self { loader: Loader::Entries(BTreeMap::from([(1, None)])), ..Self::fresh() }
    }

    /// The same with a GRUB whose menu has a flag.
    pub fn fresh_with_grub() -> Self {
        Self { loader: Loader::Grub(Flag::default()), ..Self::fresh() }
    }

    pub fn default(&self) -> u8 {
        self.default
    }

    pub fn present(&self) -> impl Iterator<Item = u8> {
        self.snapshots.keys().copied()
    }

    pub fn stored(&self) -> &Stored {
        &self.stored
    }

    pub fn has_entries(&self) -> bool {
        matches!(self.loader, Loader::Entries(_))
    }

    /// What the loader starts instead of the default, if it starts anything else.
    pub fn fallback(&self) -> Option<u8> {
        self.loader.offered(self.default).filter(|told| self.snapshots.contains_key(told))
    }

    /// Whether the loader's command line names the snapshot, and no loader counts: the
    /// initrd leaves such a start alone.
    pub fn is_pinned(&self, event: &Event) -> bool {
        self.loader.flag().is_some() && (event.falls_back || event.chosen.is_some())
    }

    pub fn free_number(&self) -> Option<u8> {
        (1..=NUMBERS).find(|number| !self.snapshots.contains_key(number))
    }

    /// The machine starts, and what happens until the checks are through.
    pub fn start(&mut self, event: &Event) {
        if let Some(number) = event.update_before {
            self.snapshots.insert(number, self.default);
            self.becomes_default(number);
        }
        let booted = match self.fallback() {
            Some(told) if event.falls_back => told,
            _ => event.chosen.unwrap_or_else(|| self.loader.choice(self.default)),
        };
        let fallback = self.loader.gave_up(self.default, booted) && self.good.contains(&booted);
        let counted = self.loader.start(booted, self.default);
        self.this_boot = ThisBoot {
            booted,
            named: booted,
            counted,
            boot_partition_fails: event.boot_partition_fails,
            default_at_start: self.default,
            fallback,
            healthy: event.failing.is_empty(),
            write_fails: matches!(event.trouble, Trouble::ReadOnly | Trouble::WriteFails),
            set_default_fails: event.trouble == Trouble::SetDefaultFails,
            enter_fails: event.enter_fails,
            ..ThisBoot::default()
        };
        match event.trouble {
            Trouble::Lost => self.stored = Stored::Absent,
            Trouble::Damaged => self.stored = Stored::Damaged,
            _ => {}
        }
    }

    fn becomes_default(&mut self, number: u8) {
        self.default = number;
        self.loader.knows_default(number);
    }

    /// What the program is told by the loader, if that has started what is booted.
    fn entry(&self) -> Option<Entry> {
        let ThisBoot { booted, named, counted, default_at_start, .. } = self.this_boot;
        if booted != named {
            return None;
        }
        self.loader.entry(counted, booted, default_at_start)
    }

    /// What GRUB's menu goes back to, where another snapshot than the default was started.
    fn loader_offers(&self) -> Option<SnapshotId> {
        let told = self.loader.flag().and_then(|it| it.told)?;
        let other = self.this_boot.booted != self.this_boot.default_at_start;
        (other && self.snapshots.contains_key(&told)).then(|| id(told))
    }

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

    /// systemd-bless-boot: the entry that was started is good, if it is still there.
    pub fn bless(&mut self) {
        let ThisBoot { named, counted, healthy, boot_partition_fails, booted, .. } = self.this_boot;
        if counted && healthy && named == booted && !boot_partition_fails {
            self.loader.bless(named);
        }
    }

    /// The system was entered, and the checks are through.
    pub fn checked(&mut self, event: &Event) {
        let parent = match event.meanwhile {
            Meanwhile::Nothing => None,
            Meanwhile::Descendant => Some(self.this_boot.booted),
            Meanwhile::Stranger => Some(0),
        };
        if let (Some(parent), Some(number)) = (parent, self.free_number()) {
            self.snapshots.insert(number, parent);
            self.becomes_default(number);
        }
        let given_up = self.this_boot.safe_mode;
        if event.failing.is_empty() && !given_up {
            self.passes(event);
        }
        let ThisBoot { booted, default_at_start, healthy, write_fails, set_default_fails, .. } =
            self.this_boot;
        let ThisBoot { named, counted, boot_partition_fails, fallback, .. } = self.this_boot;
        self.this_boot = ThisBoot {
            booted,
            named,
            counted,
            boot_partition_fails,
            default_at_start,
            fallback,
            healthy,
            write_fails,
            set_default_fails,
            given_up,
            ..ThisBoot::default()
        };
    }

    fn passes(&mut self, event: &Event) {
        if event.booted_unknown {
            return;
        }
        let booted = self.this_boot.booted;
        self.passed.insert(booted);
        if booted == self.this_boot.default_at_start {
            self.good.insert(booted);
        }
    }

    /// What the program would gather here.
    pub fn facts(&self, event: &Event, occasion: Occasion) -> Facts {
        let booted = self.this_boot.booted;
        let failing = match occasion {
            Occasion::Start | Occasion::Emergency => &[],
            Occasion::Verdict => event.failing,
        };
        Facts {
            occasion,
            boot: Uuid::from_u128(99),
            soft_reboots: 0,
            now: Timestamp::UNIX_EPOCH,
            control: Control { mode: Mode::Enforce, may_reboot: true, act_again: false },
            shutting_down: event.stopping && occasion == Occasion::Verdict,
            booted: (!event.booted_unknown).then(|| id(booted)),
            booted_problems: match occasion {
                Occasion::Start if self.is_broken(event) => vec!["no init".to_owned()],
                Occasion::Emergency => vec!["sysroot-var.mount has failed".to_owned()],
                _ => Vec::new(),
            },
            given_up: self.this_boot.given_up.then(|| "given up".to_owned()),
            default_at_start: Some(id(self.this_boot.default_at_start)),
            default_now: Some(id(self.default)),
            entry: self.entry(),
            loader_offers: match occasion {
                Occasion::Start | Occasion::Emergency => None,
                Occasion::Verdict => self.loader_offers(),
            },
            default_descends: self.snapshots.get(&self.default) == Some(&booted),
            present: Some(self.present().map(|number| self.candidate(number, event)).collect()),
            record: self.gathered_record(),
            durable: match event.trouble {
                Trouble::ReadOnly => Err("read-only".to_owned()),
                _ => Ok(()),
            },
            judged: None,
            checks: failing.iter().map(|name| fails(name)).collect(),
        }
    }

    fn candidate(&self, number: u8, event: &Event) -> Candidate {
        let newest = match &self.stored {
            Stored::Whole(record) => {
                record.known_good.iter().rev().find(|good| good.as_default).map(|it| it.snapshot)
            }
            _ => None,
        };
        let broken = event.target_broken && newest == Some(id(number));
        let problems = if broken { vec!["no init".to_owned()] } else { Vec::new() };
        Candidate { snapshot: id(number), problems, fits_kernel: !event.other_kernel }
    }

    /// Nobody looks at the files of what is known good.
    fn is_broken(&self, event: &Event) -> bool {
        event.broken && !self.good.contains(&self.this_boot.booted)
    }

    /// As `gather` has it: no record where snapshots are marked was lost.
    fn gathered_record(&self) -> State {
        match &self.stored {
            Stored::Whole(record) => State::Readable(record.clone()),
            Stored::Damaged => State::Unknown("damaged".to_owned()),
            Stored::Absent if self.protected.is_empty() && self.tagged.is_empty() => State::Absent,
            Stored::Absent => State::Unknown("lost".to_owned()),
        }
    }

    pub fn cut_after(&mut self, effects: usize) {
        self.this_boot.effects_left = Some(effects);
    }

    pub fn was_cut(&self) -> bool {
        self.this_boot.cut
    }

    /// What was violated while the plan was carried out.
    pub fn verdict(&mut self) -> Result<(), String> {
        self.this_boot.violation.take().map_or(Ok(()), Err)
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
        let newest = record.known_good.iter().rev().find(|good| good.as_default);
        if let Some(newest) = newest
            && !self.protected.contains(&number(&newest.snapshot))
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

    /// The power is off: what was of this boot is gone. Dates, boots and what is
    /// only told to people are left out, so that equal states are found equal.
    pub fn at_rest(mut self) -> Self {
        self.this_boot = ThisBoot::default();
        if let Stored::Whole(record) = &mut self.stored {
            record.sequence = 0;
            record.verdict = None;
            record.last_rollback = None;
            // Nothing looks at it without GRUB's flag.
            if self.loader.flag().is_none() {
                record.pending = None;
            }
        }
        self
    }

    fn violated(&mut self, what: &str) {
        self.this_boot.violation.get_or_insert(what.to_owned());
    }

    /// One effect; the power goes once none is left. After that nothing happens
    /// any more, and whoever asks is told that it worked: it will never know.
    fn effect(&mut self) -> bool {
        match &mut self.this_boot.effects_left {
            Some(0) => {
                self.this_boot.cut = true;
                false
            }
            Some(left) => {
                *left -= 1;
                true
            }
            None => true,
        }
    }

    fn record_is_true(&self, record: &Record) -> Result<(), &'static str> {
        for entry in &record.known_good {
            let number = number(&entry.snapshot);
            if !self.passed.contains(&number) {
                return Err("recorded as known good what never passed");
            }
            if entry.as_default && !self.good.contains(&number) {
                return Err("recorded as a rollback target what never passed as the default");
            }
        }
        if let Some(rollback) = &record.rollback
            && (!self.good.contains(&number(&rollback.to)) || rollback.failed.is_empty())
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
    facts.booted.is_some_and(is_good)
        && !facts.default_at_start.is_some_and(is_good)
        && (pending || facts.entry.is_some_and(|it| it.default_counted_out))
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

fn fails(name: &str) -> Outcome {
    Outcome {
        name: name.to_owned(),
        kind: "command".to_owned(),
        required: true,
        outcome: Ending::Fail,
        duration_ms: 0,
        observed: std::collections::BTreeMap::new(),
        message: String::new(),
    }
}

impl Effects for World {
    fn set_record_aside(&mut self) -> Result<()> {
        if self.effect() {
            self.this_boot.touched = true;
            self.stored = Stored::Absent;
        }
        Ok(())
    }

    fn write_record(&mut self, record: &Record) -> Result<()> {
        if self.this_boot.write_fails {
            bail!("no space left on device");
        }
        if !self.effect() {
            return Ok(());
        }
        if self.stored == Stored::Damaged {
            self.violated("overwrote a record that nobody has seen");
        }
        if let Err(lie) = self.record_is_true(record) {
            self.violated(lie);
        }
        let healthy = record.verdict.as_ref().is_some_and(|verdict| verdict.healthy);
        if healthy && !self.this_boot.healthy {
            self.violated("recorded a verdict that is not this boot's");
        }
        if healthy {
            self.reboots = 0;
        }
        self.this_boot.touched = true;
        self.this_boot.written = true;
        self.stored = Stored::Whole(record.clone());
        Ok(())
    }

    fn count_out(&mut self, snapshot: &SnapshotId) -> Result<()> {
        if self.this_boot.boot_partition_fails {
            bail!("read-only file system");
        }
        if self.effect() && self.loader.count_out(number(snapshot)) {
            self.this_boot.touched = true;
            let Stored::Whole(record) = &self.stored else {
                self.violated("counted out without a record");
                return Ok(());
            };
            let known_good = record.good(snapshot).is_some_and(|it| it.as_default);
            let intended = record.rollback.is_some() || record.last_rollback.is_some();
            if known_good || !intended {
                self.violated("counted out what is known good, or before that was intended");
            }
        }
        Ok(())
    }

    fn set_default(&mut self, snapshot: &SnapshotId) -> Result<()> {
        if self.this_boot.set_default_fails {
            bail!("read-only file system");
        }
        if !self.effect() {
            return Ok(());
        }
        let target = number(snapshot);
        if !self.good.contains(&target) {
            self.violated("made a snapshot the default that never was good");
        }
        let here = &self.this_boot;
        if target != self.default && here.booted != here.default_at_start && !here.fallback {
            self.violated("changed the default although somebody chose another snapshot");
        }
        if self.this_boot.default_at_start != self.default
            && self.snapshots.get(&self.default) != Some(&self.this_boot.booted)
        {
            self.violated("took back an update that has nothing to do with the failure");
        }
        match &self.stored {
            Stored::Whole(record)
                if record.rollback.as_ref().map(|it| it.to) == Some(*snapshot) => {}
            _ => self.violated("changed the default before the intent was durable"),
        }
        if !self.protected.contains(&target) {
            self.violated("went back to a snapshot that may be cleaned up");
        }
        self.this_boot.touched = true;
        self.default = target;
        Ok(())
    }

    fn protect(&mut self, snapshot: &SnapshotId) -> Result<()> {
        if self.effect() {
            self.this_boot.touched = true;
            self.protected.insert(number(snapshot));
        }
        Ok(())
    }

    fn release(&mut self, snapshot: &SnapshotId) -> Result<()> {
        if self.effect() {
            self.this_boot.touched = true;
            self.protected.remove(&number(snapshot));
        }
        Ok(())
    }

    fn tag(&mut self, snapshot: &SnapshotId) -> Result<()> {
        if self.effect() {
            self.this_boot.touched = true;
            self.tagged.insert(number(snapshot));
        }
        Ok(())
    }

    fn tell_loader(&mut self, snapshot: &SnapshotId) -> Result<()> {
        if self.effect()
            && let Some(flag) = self.loader.flag_mut()
        {
            flag.told = Some(number(snapshot));
        }
        Ok(())
    }

    fn clear_flag(&mut self) -> Result<()> {
        if self.effect() {
            self.this_boot.touched = true;
            if let Some(flag) = self.loader.flag_mut() {
                flag.clear();
            }
        }
        Ok(())
    }

    fn alert(&mut self, _: &Alert) -> Result<()> {
        if self.effect() {
            self.this_boot.alerts += 1;
        }
        Ok(())
    }

    fn follow_up(&mut self, _: bool) {
        self.effect();
    }

    fn enter(&mut self, snapshot: &SnapshotId) -> Result<()> {
        if self.this_boot.enter_fails {
            bail!("device or resource busy");
        }
        if !self.effect() {
            return Ok(());
        }
        let target = number(snapshot);
        if self.default != target {
            self.violated("entered another snapshot than the default");
        }
        self.this_boot.booted = target;
        self.this_boot.default_at_start = target;
        Ok(())
    }

    fn reboot(&mut self) -> Result<()> {
        if !self.effect() {
            return Ok(());
        }
        self.this_boot.rebooted = true;
        self.reboots += 1;
        if self.reboots > MOST_REBOOTS {
            self.violated("one automatic reboot too many");
        }
        match &self.stored {
            Stored::Whole(record) if record.automatic_reboots >= self.reboots => {}
            _ => self.violated("an automatic reboot was not counted before it"),
        }
        Ok(())
    }

    fn safe_mode(&mut self) -> Result<()> {
        if self.effect() {
            self.this_boot.safe_mode = true;
        }
        Ok(())
    }
}
