//! A root that has no snapshots: the script runs in the system itself. Nothing can be
//! undone, and that is said before as well as after.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use jiff::Timestamp;

use super::work::{How, Work};
use super::{Found, Stage, Stays};
use crate::firstboot::chroot::World;
use crate::firstboot::finish::Configured;
use crate::firstboot::outcome::{Outcome, State};
use crate::record::store;
use crate::snapshot::disk::{fstab_of, mount_entry};
use crate::sys::mount::{Mounted, Writable};
use crate::sys::tree::Durable;

/// Where `/var` is mounted meanwhile, if it is not in the root.
const VAR: &str = "/run/health-checker/var";

/// The directory of our state in a system without snapshots, for as long as it is open.
pub(super) struct StateDir {
    var: PathBuf,
    dir: PathBuf,
    mounted: Option<Mounted>,
}

impl StateDir {
    fn open(sysroot: &Path) -> Result<Self> {
        let fstab = fstab_of(sysroot)?;
        let entry = fstab.iter().find(|entry| entry.target == Path::new("/var"));
        let mounted = entry.map(|entry| mount_entry(entry, Path::new(VAR), true)).transpose()?;
        let var = mounted.as_ref().map_or_else(|| sysroot.join("var"), |it| it.path().to_owned());
        let dir = var.join(store::DIR.trim_start_matches("/var/"));
        Ok(Self { var, dir, mounted })
    }

    fn close(self) -> Result<()> {
        self.mounted.map_or(Ok(()), Mounted::unmount)
    }
}

impl Stage {
    /// Does the work in place.
    pub(super) fn in_place(&self, found: &Found, work: &Work) -> Result<()> {
        let sysroot = &self.machine.sysroot;
        log::warn!(
            "{} is not a snapshot of btrfs: the configuration is applied in place, and if it \
             fails, what it has done by then stays",
            sysroot.display()
        );
        let writable = Writable::make(sysroot)?;
        let world = World::in_place(sysroot, &self.machine.fstab()?);
        let change = || -> Result<()> {
            let application = Timestamp::now().to_string();
            let how = How { application, durable: Durable::Each, keep: &|_| Ok(()) };
            let disks = work.carry_out(&world, self, &how)?;
            let state = StateDir::open(sysroot)?;
            let etc = vec![sysroot.join("etc")];
            Configured { root: sysroot.clone(), etc, var: &state.var }.finish(found)?;
            state.close()?;
            self.note_in_place(Outcome {
                in_place: true,
                disks,
                ..Outcome::of(State::Applied).with(found)
            })
        };
        change().map_err(|e| {
            Stays(format!("{e:#}. It was applied in place: what it had done by then stays"))
        })?;
        // It is done: nothing that fails from here on may make it look undone.
        take_back(writable);
        Ok(())
    }

    /// Writes the result, made from the one before, where there are no snapshots. A root that
    /// cannot be written to has had no configuration either: that is no reason to stop a start.
    pub(super) fn conclude_in_place(&self, new: impl FnOnce(&Outcome) -> Option<Outcome>) {
        let old = self.noted_in_place().ok().flatten();
        let outcome = new(&old.unwrap_or_else(|| Outcome::of(State::None)));
        if let Some(outcome) = outcome
            && let Err(e) = self.note_in_place(outcome)
        {
            log::warn!("{e:#}");
        }
    }

    /// Notes how it ended, where there are no snapshots.
    fn note_in_place(&self, mut outcome: Outcome) -> Result<()> {
        let writable = Writable::make(&self.machine.sysroot)?;
        let state = StateDir::open(&self.machine.sysroot)?;
        outcome.at = Some(Timestamp::now());
        outcome.write(&state.dir).context("cannot note how first boot ended")?;
        state.close()?;
        take_back(writable);
        Ok(())
    }

    /// What is noted there.
    pub(super) fn noted_in_place(&self) -> Result<Option<Outcome>> {
        let state = StateDir::open(&self.machine.sysroot)?;
        let outcome = Outcome::read(&state.dir);
        state.close()?;
        outcome
    }
}

/// Read-only again, if that can be: a swap file or a loop device that was set up in it keeps it
/// writable, which it is about to become anyway.
fn take_back(writable: Writable) {
    if let Err(e) = writable.take_back() {
        log::warn!("{e:#}");
    }
}
