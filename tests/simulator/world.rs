//! A machine, as far as the boot assessment can see and change it, and what is true of
//! it, which the program itself cannot know.

use std::sync::Arc;

use health_checker::record::{Record, Rollback, SnapshotId};
use uuid::Uuid;

mod conduct;
mod effects;
mod facts;

use super::compact::{ByNumber, Numbers};
use super::events::{Event, Meanwhile, Trouble};
use super::loader::{Flag, Loader};

/// The snapshots that the search has numbers for; 1 is the pristine one.
const NUMBERS: u8 = 3;

/// What is on the disk where the record should be.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Stored {
    Absent,
    Damaged,
    /// Shared by all machines in which it has not changed since.
    Whole(Arc<Record>),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct World {
    /// Number → the number it was made from.
    snapshots: ByNumber<u8>,
    default: u8,
    stored: Stored,
    protected: Numbers,
    tagged: Numbers,
    /// What is true: who passed as the default, who passed at all.
    good: Numbers,
    passed: Numbers,
    /// Automatic reboots since the last healthy verdict.
    reboots: u32,
    /// The same by the firmware's count, if it keeps one.
    firmware: Option<u32>,
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
    /// The loader went back to what is known good by itself, or a rollback to it was cut
    /// short, or somebody chose it who cannot be told from these.
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
            snapshots: ByNumber::of(1, 0),
            default: 1,
            stored: Stored::Absent,
            protected: Numbers::default(),
            tagged: Numbers::default(),
            good: Numbers::default(),
            passed: Numbers::default(),
            reboots: 0,
            firmware: None,
            loader: Loader::Plain,
            this_boot: ThisBoot::default(),
        }
    }

    /// The same with a loader that goes by entries.
    pub fn fresh_with_entries() -> Self {
        Self { loader: Loader::Entries(ByNumber::of(1, None)), ..Self::fresh() }
    }

    /// The same with a firmware that keeps a count of ours.
    pub fn with_firmware(self) -> Self {
        Self { firmware: Some(0), ..self }
    }

    /// The same with a GRUB whose menu has a flag.
    pub fn fresh_with_grub() -> Self {
        Self { loader: Loader::Grub(Flag::default()), ..Self::fresh() }
    }

    pub fn default(&self) -> u8 {
        self.default
    }

    pub fn present(&self) -> impl Iterator<Item = u8> {
        self.snapshots.numbers()
    }

    pub fn stored(&self) -> &Stored {
        &self.stored
    }

    pub fn has_entries(&self) -> bool {
        matches!(self.loader, Loader::Entries(_))
    }

    /// What the loader starts instead of the default, if it starts anything else.
    pub fn fallback(&self) -> Option<u8> {
        self.loader.offered(self.default).filter(|told| self.snapshots.contains(*told))
    }

    /// Whether the loader's command line names the snapshot, and no loader counts: the
    /// initrd leaves such a start alone.
    pub fn is_pinned(&self, event: &Event) -> bool {
        self.loader.flag().is_some() && (event.falls_back || event.chosen.is_some())
    }

    pub fn free_number(&self) -> Option<u8> {
        (1..=NUMBERS).find(|number| !self.snapshots.contains(*number))
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
        let gave_up = self.loader.gave_up(self.default, booted) || self.is_intended(booted);
        let fallback = gave_up && self.good.contains(booted);
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

    /// Whether a rollback of ours from the default to this one was cut short.
    fn is_intended(&self, number: u8) -> bool {
        let Stored::Whole(record) = &self.stored else { return false };
        let here = |it: &Rollback| (it.from, it.to) == (id(self.default), id(number));
        record.rollback.as_ref().is_some_and(here)
    }

    fn becomes_default(&mut self, number: u8) {
        self.default = number;
        self.loader.knows_default(number);
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

    /// The power is off: what was of this boot is gone. Dates, boots and what is
    /// only told to people are left out, so that equal states are found equal.
    pub fn at_rest(mut self) -> Self {
        self.this_boot = ThisBoot::default();
        if let Stored::Whole(record) = &mut self.stored {
            let record = Arc::make_mut(record);
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
}
