//! What a first boot left that was cut off: its rest is done, or it is undone, or, where that
//! cannot be, given up.

use anyhow::Result;

use super::Stage;
use crate::firstboot::notes;
use crate::snapshot::disk::Disk;
use crate::snapshot::{discard, transaction};

impl Stage {
    /// Does what a power cut after set-default left undone.
    pub(super) fn complete(&self) -> Result<()> {
        let Some(disk) = self.machine.disk(true)? else { return Ok(()) };
        // Where the loader's entries name the snapshot, it may be started before it is.
        disk.snapshots.set_default(&disk.booted.id)?;
        transaction::finish(&disk, disk.booted.id.number)?;
        notes::applied(&disk, None, Vec::new())?;
        notes::settle_outside(&disk)?;
        disk.close()
    }

    /// Undoes what an interrupted first boot left.
    ///
    /// # Errors
    /// It could not be undone: what comes next would build on half of it.
    pub fn clean_up(&self) -> Result<()> {
        let Some(disk) = self.machine.disk(true)? else { return Ok(()) };
        undo(&disk)?;
        disk.close()
    }

    /// The same, on a start that is none: now or never. Whatever is written from here on must
    /// not be put back by a later first boot.
    pub(super) fn clean_up_or_give_up(&self) -> Result<()> {
        let Some(disk) = self.machine.disk(true)? else { return Ok(()) };
        log::warn!("an earlier configuration was cut off: what it left is settled");
        let undone = undo(&disk);
        let given_up = if undone.is_err() { notes::give_up_outside(&disk) } else { Ok(()) };
        disk.close()?;
        undone.and(given_up)
    }

    /// Before the system is entered although that could not be undone.
    pub(super) fn give_up(&self) -> Result<()> {
        let Some(disk) = self.machine.disk(true)? else { return Ok(()) };
        notes::give_up_outside(&disk)?;
        disk.close()
    }
}

fn undo(disk: &Disk) -> Result<()> {
    // Cut right after it had become the default: as soon as another one is, the mark would have
    // it deleted.
    let default = disk.snapshots.default()?.map(|snapshot| snapshot.id);
    if default == Some(disk.booted.id) {
        transaction::finish(disk, disk.booted.id.number)?;
    }
    notes::settle_outside(disk)?;
    for number in discard::left_over(disk)? {
        log::info!("deleting snapshot {number}, which an interrupted first boot left");
        discard::discard(disk, number)?;
    }
    Ok(())
}
