//! What the program would gather: what it can know of what is true.

use health_checker::health::checks::{Ending, Outcome};
use health_checker::health::facts::{Candidate, Control, Entry, Facts, Mode, Occasion, Place};
use health_checker::record::{Record, SnapshotId, State};
use jiff::Timestamp;
use uuid::Uuid;

use super::{Stored, ThisBoot, World, id};
use crate::events::{Event, Trouble};

impl World {
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
        (other && self.snapshots.contains(told)).then(|| id(told))
    }

    /// What it would gather in an initrd that does not see the disk.
    fn facts_out_of_reach(&self, facts: Facts) -> Facts {
        let unknown = || "no such device".to_owned();
        Facts {
            booted: None,
            default_at_start: None,
            default_now: None,
            default_descends: false,
            present: None,
            entry: self.entry().map(|it| Entry { default_counted_out: false, ..it }),
            record: State::Unknown(unknown()),
            durable: self.firmware.map(|_| Place::Firmware).ok_or_else(unknown),
            ..facts
        }
    }

    /// What the program would gather here.
    pub fn facts(&self, event: &Event, occasion: Occasion) -> Facts {
        let facts = self.facts_of_disk(event, occasion);
        if event.out_of_reach { self.facts_out_of_reach(facts) } else { facts }
    }

    fn facts_of_disk(&self, event: &Event, occasion: Occasion) -> Facts {
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
            default_descends: self.snapshots.get(self.default) == Some(booted),
            present: Some(self.present().map(|number| self.candidate(number, event)).collect()),
            record: self.gathered_record(),
            durable: match event.trouble {
                Trouble::ReadOnly => Err("read-only".to_owned()),
                _ => Ok(Place::Record),
            },
            reboots_in_firmware: self.firmware,
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
        event.broken && !self.good.contains(self.this_boot.booted)
    }

    /// As `gather` has it: no record where snapshots are marked was lost.
    fn gathered_record(&self) -> State {
        match &self.stored {
            Stored::Whole(record) => State::Readable(Record::clone(record)),
            Stored::Damaged => State::Unknown("damaged".to_owned()),
            Stored::Absent if self.protected.is_empty() && self.tagged.is_empty() => State::Absent,
            Stored::Absent => State::Unknown("lost".to_owned()),
        }
    }
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
