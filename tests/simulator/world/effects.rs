//! The effects of a plan, each checked when it happens; the power may go before any.

use std::sync::Arc;

use anyhow::{Result, bail};
use health_checker::health::decide::MOST_REBOOTS;
use health_checker::health::execute::Effects;
use health_checker::health::plan::Alert;
use health_checker::record::{Record, SnapshotId};

use super::{Stored, World, number};

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
        self.stored = Stored::Whole(Arc::new(record.clone()));
        Ok(())
    }

    fn count_in_firmware(&mut self, reboots: u32) -> Result<()> {
        if self.this_boot.write_fails {
            bail!("input/output error");
        }
        if self.effect() {
            if reboots < self.reboots {
                self.violated("had the firmware forget automatic reboots");
            }
            self.firmware = Some(reboots);
        }
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
        if !self.good.contains(target) {
            self.violated("made a snapshot the default that never was good");
        }
        let here = &self.this_boot;
        if target != self.default && here.booted != here.default_at_start && !here.fallback {
            self.violated("changed the default although somebody chose another snapshot");
        }
        if self.this_boot.default_at_start != self.default
            && self.snapshots.get(self.default) != Some(self.this_boot.booted)
        {
            self.violated("took back an update that has nothing to do with the failure");
        }
        match &self.stored {
            Stored::Whole(record)
                if record.rollback.as_ref().map(|it| it.to) == Some(*snapshot) => {}
            _ => self.violated("changed the default before the intent was durable"),
        }
        if !self.protected.contains(target) {
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
            self.protected.remove(number(snapshot));
        }
        Ok(())
    }

    fn keep_entries(&mut self, _: &[u32]) -> Result<()> {
        self.effect();
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
        let recorded = match &self.stored {
            Stored::Whole(record) => record.automatic_reboots,
            _ => 0,
        };
        if recorded.max(self.firmware.unwrap_or_default()) < self.reboots {
            self.violated("an automatic reboot was not counted before it");
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
