//! The effects of a plan on the running system.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::checks::greenboot::{self, After};
use super::execute::Effects;
use super::plan::Alert;
use super::{alert, gather, safe_mode};
use crate::boot::{self, Loader, grub};
use crate::record::{Record, SnapshotId, store::Store};
use crate::settings::Alerts;
use crate::snapshot::{Snapshots, snapper};
use crate::sys::files::Root;
use crate::sys::systemd::requests;
use crate::sys::within::{Missed, within};

/// How long systemd may take to accept a request.
const REQUEST: Duration = Duration::from_secs(20);

/// The running system.
pub struct Machine {
    alerts: Alerts,
    disk: Disk,
    /// Whether the disk has let a call go unanswered: the next would as well.
    silent: bool,
}

/// What is on its disk.
#[derive(Clone)]
struct Disk {
    root: Root,
    store: Store,
    snapshots: Snapshots,
}

impl Machine {
    /// The system below `root`, where `alerts` says who is told.
    pub fn new(root: &Root, alerts: &Alerts) -> Self {
        let (root, store) = (root.clone(), Store::new(root));
        let snapshots = Snapshots::at(root.join(gather::SNAPSHOTS));
        Self { alerts: alerts.clone(), disk: Disk { root, store, snapshots }, silent: false }
    }

    /// Has the disk do something. What it does late is what was decided all the same, in
    /// the order in which any part may be the last.
    fn on_disk(&mut self, work: impl FnOnce(&Disk) -> Result<()> + Send + 'static) -> Result<()> {
        ensure!(!self.silent, "the disk did not answer before");
        let disk = self.disk.clone();
        let done = within(gather::DISK, "disk", move || work(&disk));
        self.silent = matches!(done, Err(Missed::Late(_)));
        done.context("the disk").flatten()
    }
}

impl Effects for Machine {
    fn set_record_aside(&mut self) -> Result<()> {
        self.on_disk(|it| it.store.set_aside())
    }

    fn write_record(&mut self, record: &Record) -> Result<()> {
        let record = record.clone();
        self.on_disk(move |it| it.store.write(&record))
    }

    fn count_in_firmware(&mut self, reboots: u32) -> Result<()> {
        boot::firmware::count(&self.disk.root, reboots)
    }

    fn count_out(&mut self, snapshot: &SnapshotId) -> Result<()> {
        let number = snapshot.number;
        self.on_disk(move |it| boot::count_out(&it.root, number))
    }

    fn set_default(&mut self, snapshot: &SnapshotId) -> Result<()> {
        let snapshot = *snapshot;
        self.on_disk(move |it| {
            boot::bring_back(&it.root, it.snapshots.dir(), snapshot.number);
            boot::sdbootutil::set_default(&it.root, snapshot.number);
            snapper::set_default(&it.snapshots, &snapshot)
        })
    }

    fn protect(&mut self, snapshot: &SnapshotId) -> Result<()> {
        let number = snapshot.number;
        self.on_disk(move |it| snapper::protect(&it.snapshots, number))
    }

    fn release(&mut self, snapshot: &SnapshotId) -> Result<()> {
        let number = snapshot.number;
        self.on_disk(move |it| snapper::release(&it.snapshots, number))
    }

    fn keep_entries(&mut self, kept: &[u32]) -> Result<()> {
        // Not within a limit: nothing waits for it, and it may be a hundred megabytes.
        boot::keep(&self.disk.root, self.disk.snapshots.dir(), kept)
    }

    fn tag(&mut self, snapshot: &SnapshotId) -> Result<()> {
        let number = snapshot.number;
        self.on_disk(move |it| snapper::tag(&it.snapshots, number))
    }

    fn tell_loader(&mut self, snapshot: &SnapshotId) -> Result<()> {
        if boot::loader(&self.disk.root) == Loader::Bls {
            return Ok(()); // its entries are counted, and nothing reads that file
        }
        let snapshot = *snapshot;
        self.on_disk(move |it| {
            let known = it.snapshots.list()?;
            let found = known.iter().find(|it| it.id == snapshot);
            grub::keep(&it.root, found.with_context(|| format!("{snapshot} is not there"))?)
        })
    }

    fn clear_flag(&mut self) -> Result<()> {
        self.on_disk(|it| grub::env::clear(&it.root))
    }

    fn alert(&mut self, alert: &Alert) -> Result<()> {
        alert::alert(&self.disk.root, &self.alerts, alert)
    }

    fn follow_up(&mut self, healthy: bool) {
        let what = if healthy { After::Healthy } else { After::Unhealthy };
        greenboot::run_after(&self.disk.root, what);
    }

    fn enter(&mut self, snapshot: &SnapshotId) -> Result<()> {
        bail!("{snapshot} can only be entered in the initrd")
    }

    fn reboot(&mut self) -> Result<()> {
        requests::reboot(REQUEST)
    }

    fn safe_mode(&mut self) -> Result<()> {
        safe_mode::enter(&self.disk.root)
    }
}
