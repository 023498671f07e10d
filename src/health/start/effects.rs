//! The effects of a plan in the initrd, where the system is only mounted.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::PANIC_FILE;
use super::told::Told;
use crate::boot;
use crate::health::alert;
use crate::health::execute::Effects;
use crate::health::plan::Alert;
use crate::record::store::Store;
use crate::record::{Record, SnapshotId};
use crate::settings::Alerts;
use crate::snapshot::disk::{self, Disk};
use crate::snapshot::snapper;
use crate::sys::btrfs;
use crate::sys::files::Root;
use crate::sys::mount::Namespace;
use crate::sys::systemd::requests;

/// How long systemd may take to accept a request.
const REQUEST: Duration = Duration::from_secs(20);

/// The system as the initrd has it: its disk, what is mounted of that for the switch, and
/// where its record is.
pub(super) struct System<'a> {
    pub(super) sysroot: &'a Path,
    /// Where it is mounted for the switch, too.
    pub(super) outside: &'a Namespace,
    pub(super) disk: &'a Disk,
    pub(super) store: Store,
}

/// The initrd.
pub(super) struct Initrd<'a> {
    root: Root,
    system: Option<System<'a>>,
    reason: String,
    told: Told,
    in_emergency: bool,
}

impl<'a> Initrd<'a> {
    /// Without a system where its disk is out of reach.
    pub(super) fn new(root: &Root, system: Option<System<'a>>, reason: &str) -> Self {
        Self {
            root: root.clone(),
            system,
            reason: reason.to_owned(),
            told: Told::default(),
            in_emergency: false,
        }
    }

    /// The same where there will be no system to leave anything to.
    pub(super) fn in_emergency(self) -> Self {
        Self { in_emergency: true, ..self }
    }

    fn system(&self) -> Result<&System<'a>> {
        self.system.as_ref().context("the disk is out of reach")
    }
}

impl Effects for Initrd<'_> {
    fn set_record_aside(&mut self) -> Result<()> {
        self.system()?.store.set_aside()
    }

    fn write_record(&mut self, record: &Record) -> Result<()> {
        self.system()?.store.write(record)
    }

    fn count_in_firmware(&mut self, reboots: u32) -> Result<()> {
        boot::firmware::count(&self.root, reboots)
    }

    fn count_out(&mut self, snapshot: &SnapshotId) -> Result<()> {
        boot::count_out(&self.root, snapshot.number)
    }

    fn set_default(&mut self, snapshot: &SnapshotId) -> Result<()> {
        let disk = self.system()?.disk;
        boot::bring_back(&self.root, disk.snapshots.dir(), snapshot.number);
        disk.snapshots.set_default(snapshot)?;
        btrfs::sync(disk.top())
    }

    fn protect(&mut self, snapshot: &SnapshotId) -> Result<()> {
        snapper::protect(&self.system()?.disk.snapshots, snapshot.number)
    }

    fn release(&mut self, snapshot: &SnapshotId) -> Result<()> {
        snapper::release(&self.system()?.disk.snapshots, snapshot.number)
    }

    fn keep_entries(&mut self, _: &[u32]) -> Result<()> {
        bail!("only the booted system has the time for that")
    }

    fn tag(&mut self, snapshot: &SnapshotId) -> Result<()> {
        snapper::tag(&self.system()?.disk.snapshots, snapshot.number)
    }

    fn tell_loader(&mut self, snapshot: &SnapshotId) -> Result<()> {
        bail!("only the booted system tells the loader, not of {snapshot} here")
    }

    fn clear_flag(&mut self) -> Result<()> {
        bail!("only the booted system has GRUB's environment block mounted")
    }

    fn alert(&mut self, alert: &Alert) -> Result<()> {
        log::error!("{}", alert.headline());
        if self.in_emergency {
            return alert::alert(&self.root, &Alerts::default(), alert);
        }
        self.told.alert = Some(alert.clone());
        self.told.write(&self.root)
    }

    fn follow_up(&mut self, _: bool) {}

    fn enter(&mut self, snapshot: &SnapshotId) -> Result<()> {
        let System { sysroot, outside, .. } = self.system()?;
        outside.run(|| {
            disk::enter(sysroot, snapshot)?;
            log::warn!("going on into {snapshot}");
            boot::note_default(&self.root, sysroot)
        })
    }

    fn reboot(&mut self) -> Result<()> {
        // What has failed may have left jobs that forbid any other.
        if self.in_emergency { requests::reboot_by_force() } else { requests::reboot(REQUEST) }
    }

    /// The system comes up as far as an administrator needs it. A panic then is
    /// the end: restarting did not help before.
    fn safe_mode(&mut self) -> Result<()> {
        if self.in_emergency {
            return Ok(()); // dracut's own policy comes after this program
        }
        fs::write(PANIC_FILE, "0\n").with_context(|| PANIC_FILE)?;
        self.told.given_up = Some(self.reason.clone());
        self.told.write(&self.root)
    }
}
