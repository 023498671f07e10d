//! The third stage: the configuration is applied to a new snapshot, which becomes the
//! default if all of it succeeds.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context, Result, anyhow, bail, ensure};

use super::work::{How, Work};
use super::{CONFIG, FOUND, Found, Stage, Stays, read_script, remove_config};
use crate::boot::{self, Loader, bls};
use crate::firstboot::chroot::World;
use crate::firstboot::disks::{self, Made};
use crate::firstboot::finish::Configured;
use crate::firstboot::plugins::{self, Event};
use crate::firstboot::{copy, notes};
use crate::record::SnapshotId;
use crate::record::handoff;
use crate::snapshot::disk::{self, Disk};
use crate::snapshot::etc;
use crate::snapshot::outside::Reach;
use crate::snapshot::transaction::{self, Plan, Transaction};
use crate::sys::btrfs;
use crate::sys::mount::in_own_namespace;
use crate::sys::tree::Durable;

/// Where ignition-kargs-helper puts its script.
const HELPERS: &str = "/run/combustion/mount/combustion";

impl Stage {
    /// Applies the configuration to a new snapshot, and makes that the default if it
    /// succeeds; `None` where there are no snapshots, and it was applied to the system itself.
    ///
    /// # Errors
    /// It failed; the disk is then as it was, unless there are no snapshots.
    pub fn apply(&self) -> Result<Option<SnapshotId>> {
        let Some(found) = handoff::read::<Found>(&self.machine.root, FOUND)? else {
            bail!("nothing was fetched: firstboot-fetch.service comes first");
        };
        let applied = in_own_namespace(|| self.apply_found(&found));
        let result = applied.with_context(|| found.source.clone());
        // Keys and passwords are in it, and /dev is handed on to the system.
        remove_config()?;
        let configured = result?;
        self.concluded();
        Ok(configured)
    }

    fn apply_found(&self, found: &Found) -> Result<Option<SnapshotId>> {
        let work = Work::of(found)?;
        let Some(disk) = self.machine.disk(true)? else {
            self.in_place(found, &work)?;
            return Ok(None);
        };
        let (id, made) = self.transact(&disk, &work, Some(found))?;
        // It is done: nothing that fails from here on may make it look undone.
        let finish = || {
            notes::applied(&disk, Some(found), made)?;
            notes::settle_outside(&disk)
        };
        if let Err(e) = finish().and_then(|()| disk.close()) {
            log::warn!("{id} is the default, but: {e:#}");
        }
        Ok(Some(id))
    }

    /// Whether the loader will start a new default: always, unless its entries name the
    /// snapshot, and then only if the new one has an entry.
    fn can_be_started(&self, number: u32) -> Result<()> {
        let flags = self.machine.cmdline.value("rootflags").unwrap_or_default();
        let Some(word) = ["subvol=", "subvolid="].into_iter().find(|word| flags.contains(word))
        else {
            return Ok(());
        };
        let pinned = format!("the kernel command line pins the root by rootflags={word}…");
        let root = &self.machine.root;
        ensure!(boot::loader(root) == Loader::Bls, "{pinned}: a new snapshot would not be started");
        let entries = bls::Entries::read(root, false)?;
        let problems = entries.problems(number);
        entries.close()?;
        ensure!(
            problems.is_empty(),
            "{pinned}, and nobody has made a boot entry for snapshot {number} (as sdbootutil's \
             plugin for snapper does): {}",
            problems.join("; ")
        );
        Ok(())
    }

    /// Does the work in a new snapshot and makes that the default. What is `found` by first
    /// boot is noted, so that it is never done twice. With the snapshot comes what was made on
    /// disks.
    fn transact(
        &self,
        disk: &Disk,
        work: &Work,
        found: Option<&Found>,
    ) -> Result<(SnapshotId, Vec<String>)> {
        let plan = transaction::plan(disk, "First boot configuration")?;
        log::info!("snapshot {} is being configured", plan.number);
        let mut new = Transaction::begin(disk, plan)?;
        let number = new.plan().number;
        let world = World::of_snapshot(disk, new.plan())?;
        let tried = self.change(disk, work, found, new.plan(), &world);
        let pristine = new.plan().base;
        let committed = tried.and_then(|made| {
            let committed = new.commit(|id| {
                if let Some(found) = found {
                    notes::write_ahead(disk, id, pristine, found)?;
                }
                // Before it is the default: cut in between, the loader starts what the record
                // names, and that is made the default then.
                plugins::tell(&world, disk, Event::BecomesDefault, number)
            });
            match committed {
                Ok(id) => Ok((id, made)),
                Err(e) => Err(disks::stays(e, &made)),
            }
        });
        committed.map_err(|e| match undo(disk, new) {
            Ok(()) => e,
            Err(why) => Stays(format!(
                "{e:#}; and it cannot be undone: {why:#}; the next first boot tries that again"
            ))
            .into(),
        })
    }

    /// Does the work in the new snapshot, and what belongs to it, up to where only the commit is
    /// left. What is outside and can be put back was kept before.
    fn change(
        &self,
        disk: &Disk,
        work: &Work,
        found: Option<&Found>,
        plan: &Plan,
        world: &World,
    ) -> Result<Vec<String>> {
        let number = plan.number;
        let elsewhere = OnceLock::new();
        let keep = |reach| -> Result<()> {
            let reach = with_the_rest(reach, disk, number)?;
            let not_kept = notes::keep_outside(disk, number, &reach)?;
            elsewhere.get_or_init(|| not_kept);
            Ok(())
        };
        let finish = || -> Result<()> {
            if let Some(found) = found {
                configured(disk, plan)?.finish(found)?;
            }
            plugins::tell(world, disk, Event::Created, number)?;
            self.can_be_started(number)
        };
        let change = || -> Result<Vec<String>> {
            let application = btrfs::info(&disk.snapshots.path(number))?.uuid.to_string();
            let how = How { application, durable: Durable::Together, keep: &keep };
            let made = work.carry_out(world, self, &how)?;
            finish().map_err(|e| disks::stays(e, &made))?;
            Ok(made)
        };
        change().map_err(|e| not_rolled_back(e, elsewhere.get().map_or(&[], Vec::as_slice)))
    }

    /// What ignition-kargs-helper calls as `combustion`: a script that another program of
    /// the initrd has put there, not a first boot's configuration. `None` if there is none.
    ///
    /// # Errors
    /// It failed; the disk is then as it was.
    pub fn apply_for_helper(&self) -> Result<Option<SnapshotId>> {
        let dir = Path::new(HELPERS);
        if !dir.exists() {
            return Ok(None);
        }
        copy::copy(dir, Path::new(CONFIG))?;
        let transact = || -> Result<SnapshotId> {
            let disk = self.machine.disk(true)?.context("there are no snapshots")?;
            let (id, _) = self.transact(&disk, &Work::Script(read_script()?), None)?;
            notes::settle_outside(&disk)?;
            disk.close()?;
            Ok(id)
        };
        let result = in_own_namespace(transact).with_context(|| dir.display().to_string());
        remove_config()?;
        result.map(Some)
    }

    /// Goes on into the snapshot that was configured.
    ///
    /// # Errors
    /// As [`disk::enter`]. It is the default all the same.
    pub fn enter(&self, configured: &SnapshotId) -> Result<()> {
        disk::enter(&self.machine.sysroot, configured)?;
        self.note_default();
        log::info!("first boot is done: going on into {configured}");
        Ok(())
    }
}

/// First what is outside: with the snapshot, what was kept of it goes. What cannot be put
/// back now is left, all of it, for the next first boot.
fn undo(disk: &Disk, new: Transaction) -> Result<()> {
    match notes::settle_outside(disk) {
        Ok(()) => new.abort(),
        Err(e) => {
            new.leave();
            Err(e)
        }
    }
}

/// Where not only the work itself writes to, but also what comes after it and may fail.
fn with_the_rest(mut reach: Reach, disk: &Disk, number: u32) -> Result<Reach> {
    if plugins::are_there(disk, number)? {
        return Ok(Reach::Anywhere);
    }
    if Configured::reaches_var(&disk.var) {
        reach.add(&disk.var)?;
    }
    Ok(reach)
}

fn configured<'a>(disk: &'a Disk, plan: &Plan) -> Result<Configured<'a>> {
    let root = disk.snapshots.path(plan.number);
    let etc = etc::layers_in(&root, &disk.var)?;
    Ok(Configured { root, etc, var: &disk.var })
}

/// What a script may have written elsewhere stays; whoever reads of its failure must know.
fn not_rolled_back(e: anyhow::Error, elsewhere: &[PathBuf]) -> anyhow::Error {
    if elsewhere.is_empty() {
        return e;
    }
    let paths: Vec<_> = elsewhere.iter().map(|path| path.to_string_lossy()).collect();
    let text = format!(
        "{e:#}. What it changed there stays, on file systems of their own: {}",
        paths.join(", ")
    );
    if e.is::<Made>() { Made(text).into() } else { anyhow!(text) }
}
