//! The effects of a plan on the running system.

use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::checks::greenboot::{self, After};
use super::execute::Effects;
use super::plan::Alert;
use super::{alert, safe_mode};
use crate::boot::{self, Loader, grub};
use crate::record::{Record, SnapshotId, store::Store};
use crate::settings::Alerts;
use crate::snapshot::{Snapshots, snapper};
use crate::sys::files::Root;
use crate::sys::systemd::requests;

/// How long systemd may take to accept a request.
const REQUEST: Duration = Duration::from_secs(20);

/// The running system.
pub struct Machine {
    root: Root,
    alerts: Alerts,
    store: Store,
    snapshots: Snapshots,
}

impl Machine {
    /// The system below `root`, where `alerts` says who is told.
    pub fn new(root: &Root, alerts: &Alerts) -> Self {
        Self {
            root: root.clone(),
            alerts: alerts.clone(),
            store: Store::new(root),
            snapshots: Snapshots::at(root.join(super::gather::SNAPSHOTS)),
        }
    }
}

impl Effects for Machine {
    fn set_record_aside(&mut self) -> Result<()> {
        self.store.set_aside()
    }

    fn write_record(&mut self, record: &Record) -> Result<()> {
        self.store.write(record)
    }

    fn count_out(&mut self, snapshot: &SnapshotId) -> Result<()> {
        boot::count_out(&self.root, snapshot.number)
    }

    fn set_default(&mut self, snapshot: &SnapshotId) -> Result<()> {
        boot::sdbootutil::set_default(&self.root, snapshot.number);
        snapper::set_default(&self.snapshots, snapshot)
    }

    fn protect(&mut self, snapshot: &SnapshotId) -> Result<()> {
        snapper::protect(&self.snapshots, snapshot.number)
    }

    fn release(&mut self, snapshot: &SnapshotId) -> Result<()> {
        snapper::release(&self.snapshots, snapshot.number)
    }

    fn tag(&mut self, snapshot: &SnapshotId) -> Result<()> {
        snapper::tag(&self.snapshots, snapshot.number)
    }

    fn tell_loader(&mut self, snapshot: &SnapshotId) -> Result<()> {
        if boot::loader(&self.root) == Loader::Bls {
            return Ok(()); // its entries are counted, and nothing reads that file
        }
        let known = self.snapshots.list()?;
        let found = known.iter().find(|it| it.id == *snapshot);
        grub::keep(&self.root, found.with_context(|| format!("{snapshot} is not there"))?)
    }

    fn clear_flag(&mut self) -> Result<()> {
        grub::env::clear(&self.root)
    }

    fn alert(&mut self, alert: &Alert) -> Result<()> {
        alert::alert(&self.root, &self.alerts, alert)
    }

    fn follow_up(&mut self, healthy: bool) {
        let what = if healthy { After::Healthy } else { After::Unhealthy };
        greenboot::run_after(&self.root, what);
    }

    fn enter(&mut self, snapshot: &SnapshotId) -> Result<()> {
        bail!("{snapshot} can only be entered in the initrd")
    }

    fn reboot(&mut self) -> Result<()> {
        requests::reboot(REQUEST)
    }

    fn safe_mode(&mut self) -> Result<()> {
        safe_mode::enter(&self.root)
    }
}
