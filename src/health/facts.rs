//! What is. Gathered once, before the decision; "unknown" is a value of its own
//! and never a default that looks like an answer.

use jiff::Timestamp;
use uuid::Uuid;

use super::checks::Outcome;
use crate::record::{self, Rollback, SnapshotId};

/// When in a boot the rules are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// Before the root is entered: nothing was checked yet, the start is counted.
    Start,
    /// The initrd cannot go on: the root cannot be mounted, or not be entered.
    Emergency,
    /// After the checks, or at the deadline.
    Verdict,
}

/// Everything that the rules look at.
#[derive(Clone, Debug)]
pub struct Facts {
    /// When they are asked.
    pub occasion: Occasion,
    /// The kernel's id of this boot.
    pub boot: Uuid,
    /// How often user space was started anew under this kernel.
    pub soft_reboots: u32,
    /// The time now; recorded, never decided upon: the clock may be in 1970.
    pub now: Timestamp,
    /// What the administrator allows.
    pub control: Control,
    /// Whether a shutdown is under way already.
    pub shutting_down: bool,
    /// The snapshot that was booted; `None` if that cannot be known.
    pub booted: Option<SnapshotId>,
    /// Why the booted snapshot would not boot, as far as its files tell, looked at
    /// before it is entered, unless it is known good; or why it does not.
    pub booted_problems: Vec<String>,
    /// Why the initrd gave this start up already.
    pub given_up: Option<String>,
    /// The default subvolume as this start found it.
    pub default_at_start: Option<SnapshotId>,
    /// The default subvolume now: an update may have finished meanwhile.
    pub default_now: Option<SnapshotId>,
    /// What the loader says of this start, where its entries name the snapshot; `None`
    /// where they do not, and for a start that did not come through it.
    pub entry: Option<Entry>,
    /// The snapshot that GRUB starts instead of the default, once a start has come to no
    /// end; `None` where its menu does not do that, the default was started, or nobody
    /// can tell.
    pub loader_offers: Option<SnapshotId>,
    /// Whether the default of now was made from the booted snapshot.
    pub default_descends: bool,
    /// The snapshots that are there; `None` if they cannot be listed.
    pub present: Option<Vec<Candidate>>,
    /// The record.
    pub record: record::State,
    /// Where the count of an automatic reboot would outlive it, or why nowhere.
    pub durable: Result<Place, String>,
    /// The automatic reboots since the last healthy verdict by the firmware's count;
    /// `None` where it keeps none.
    pub reboots_in_firmware: Option<u32>,
    /// The verdict that was reached in this boot before: healthy or not.
    pub judged: Option<bool>,
    /// What the checks found.
    pub checks: Vec<Outcome>,
}

/// Where automatic reboots are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the record, and everything else is there too.
    Record,
    /// In the firmware alone: the disk is out of reach.
    Firmware,
}

/// What the administrator allows: settings and kernel command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Control {
    /// Act, or only report.
    pub mode: Mode,
    /// Without it, a reboot becomes safe mode (`health-checker-reboot=disabled`).
    pub may_reboot: bool,
    /// Somebody asked for action although a verdict exists (`assess --act`).
    pub act_again: bool,
}

/// Whether decisions are carried out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Decide and act.
    #[default]
    Enforce,
    /// Decide and report; touch nothing.
    Observe,
    /// Run no checks at all.
    Off,
}

/// What a loader says whose entries name the snapshot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// It counts the starts of the booted entry itself.
    pub counted: bool,
    /// The default of this start has entries, and none of them has a try left.
    pub default_counted_out: bool,
}

/// A snapshot that could be gone back to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Which one.
    pub snapshot: SnapshotId,
    /// Why it would not boot; empty if nothing speaks against it.
    pub problems: Vec<String>,
    /// Whether it has the running kernel's modules: without them it can only be
    /// entered through a reboot, with a kernel of its own.
    pub fits_kernel: bool,
}

impl Facts {
    /// The names of the required checks that did not pass.
    pub fn failed(&self) -> Vec<String> {
        self.checks
            .iter()
            .filter(|check| check.condemns())
            .map(|check| check.name.clone())
            .collect()
    }

    /// The automatic reboots since the last healthy verdict. Counted twice where that can
    /// be: a record that was replaced, or a firmware that was reset, knows of fewer.
    pub fn automatic_reboots(&self) -> u32 {
        let recorded = self.record.readable().map_or(0, |record| record.automatic_reboots);
        recorded.max(self.reboots_in_firmware.unwrap_or_default())
    }

    /// Whether another snapshot than the default was booted: somebody chose it
    /// in the boot menu. What cannot be known is not taken for that.
    pub fn chosen_by_hand(&self) -> bool {
        match (&self.booted, &self.default_at_start) {
            (Some(booted), Some(default)) => {
                booted != default
                    && self.fell_back().is_none()
                    && !self.fallback_is_settled()
                    && !self.is_started_again()
            }
            _ => false,
        }
    }

    /// The default of this start, a new snapshot, if the loader has given it up for the
    /// known good one that is booted: it has counted its entries out, or nobody came to
    /// clear its flag.
    pub fn fell_back(&self) -> Option<SnapshotId> {
        let (booted, default) = (self.booted?, self.default_at_start?);
        let record = self.record.readable()?;
        let known_good = |it: &SnapshotId| record.good(it).is_some_and(|good| good.as_default);
        let counted_out = self.entry.is_some_and(|it| it.default_counted_out);
        let gave_up = booted != default && (counted_out || self.flag_was_left());
        (gave_up && known_good(&booted) && !known_good(&default)).then_some(default)
    }

    /// Whether GRUB has started what it was told of, and the default was started last and
    /// came neither to a verdict nor to an end in order, or a rollback from it was cut short
    /// before the flag was cleared. Somebody who chooses just that one, then, cannot be told
    /// from GRUB, and wants the same. Where a single one of these is not so, or not known,
    /// it is a choice by hand.
    fn flag_was_left(&self) -> bool {
        let Some(record) = self.record.readable() else { return false };
        let offered = self.loader_offers.is_some() && self.loader_offers == self.booted;
        let pending = record.pending.is_some() && record.pending == self.default_at_start;
        let cut_short =
            |it: &Rollback| (Some(it.from), Some(it.to)) == (self.default_at_start, self.booted);
        offered && (pending || record.rollback.as_ref().is_some_and(cut_short))
    }

    /// Whether that was found in this boot already, and the booted snapshot made the
    /// default because of it.
    fn fallback_is_settled(&self) -> bool {
        let Some(record) = self.record.readable() else { return false };
        let last = record.rollback.as_ref().or(record.last_rollback.as_ref());
        let this =
            |it: &Rollback| (Some(it.from), Some(it.to)) == (self.default_at_start, self.booted);
        self.default_now == self.booted && last.is_some_and(this)
    }

    /// Whether the loader starts a snapshot that was left already: its entry could not
    /// be counted out. Asked before the root is entered: what has come up and passes may
    /// have been chosen.
    fn is_started_again(&self) -> bool {
        let rollback = self.record.readable().and_then(|it| it.rollback.as_ref());
        let left =
            |it: &Rollback| (Some(it.from), Some(it.to)) == (self.booted, self.default_at_start);
        let entered = self.occasion == Occasion::Verdict && self.given_up.is_none();
        self.entry.is_some() && !entered && rollback.is_some_and(left)
    }
}
