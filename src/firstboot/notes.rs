//! What first boot leaves on the disk about itself: in the record, ahead of the
//! new default, and as a result for others, after it.

use std::path::PathBuf;

use anyhow::{Result, bail};
use jiff::Timestamp;

use super::instance::Smbios;
use super::outcome::{Outcome, State};
use super::stage::Found;
use crate::record::store::{self, Store};
use crate::record::{self, FirstBoot, Outside, Record, SnapshotId};
use crate::snapshot::disk::Disk;
use crate::snapshot::outside::{self, Reach, Surroundings};
use crate::snapshot::transaction;

/// Changes the record, durably; one that cannot be read is set aside for it.
fn change(disk: &Disk, what: impl FnOnce(&mut Record)) -> Result<()> {
    let store = store(disk);
    let mut record = match store.read() {
        record::State::Readable(record) => record,
        record::State::Absent => Record::default(),
        record::State::Unknown(why) => {
            log::warn!("the record cannot be read, a new one is begun: {why}");
            store.set_aside()?;
            Record::default()
        }
    };
    record.sequence += 1;
    what(&mut record);
    store.write(&record)
}

/// Writes ahead what is about to become the default.
pub(super) fn write_ahead(
    disk: &Disk,
    configured: SnapshotId,
    pristine: SnapshotId,
    found: &Found,
) -> Result<()> {
    let firstboot = FirstBoot {
        configured,
        pristine,
        source: found.source.clone(),
        sha256: found.sha256.clone(),
        at: Timestamp::now(),
        applications: found.applications,
        instance: found.instance.clone(),
    };
    change(disk, |record| record.firstboot = Some(firstboot))
}

/// Notes the machine that this is to its platform, if another one was configured.
pub(super) fn settle_instance(disk: &Disk, said: &Smbios) -> Result<()> {
    let state = store(disk).read();
    let done = state.readable().and_then(|record| record.firstboot.clone());
    let other = done.as_ref().and_then(|done| said.other_than(done.instance.as_ref()?));
    let (Some(done), Some(instance)) = (done, other) else { return Ok(()) };
    let firstboot = FirstBoot { instance: Some(instance), ..done };
    change(disk, |record| record.firstboot = Some(firstboot))
}

/// Keeps the subvolumes outside of the snapshot in the making as they are, those that a change
/// reaches; what of that cannot be kept is returned, by where it is mounted.
pub(super) fn keep_outside(disk: &Disk, number: u32, reach: &Reach) -> Result<Vec<PathBuf>> {
    let Surroundings { kept, elsewhere } = outside::look(disk)?.within(disk, reach)?;
    let outside = Outside { number, subvolumes: kept };
    if outside.subvolumes.is_empty() && recorded_outside(disk).is_none() {
        return Ok(elsewhere);
    }
    change(disk, |record| record.outside = Some(outside.clone()))?;
    outside::keep(disk, &outside)?;
    Ok(elsewhere)
}

/// Puts the subvolumes outside back as they were before the attempt that the record tells
/// of. If that attempt has come to its end they stay as they are: its snapshot is the
/// default, or was. To put them back then would undo all that was written since. What was
/// written to the disk before this is durable afterwards.
pub(super) fn settle_outside(disk: &Disk) -> Result<()> {
    let Some(outside) = recorded_outside(disk) else { return disk.sync() };
    let default = disk.snapshots.default()?.map(|snapshot| snapshot.id.number);
    let is_default = default == Some(outside.number);
    if !is_default && transaction::is_in_progress(disk, outside.number)? {
        outside::put_back(disk, &outside, &state_dir(disk))?;
    }
    outside::forget(disk, outside.number)?;
    // Before the record forgets them: it is synced for itself, and nobody would look for what
    // is left of them again.
    disk.sync()?;
    change(disk, |record| record.outside = None)
}

/// Forgets what was to be put back: a system that is entered writes there, and later on that
/// would be lost. What was changed stays.
pub(super) fn give_up_outside(disk: &Disk) -> Result<()> {
    let Some(outside) = recorded_outside(disk) else { return Ok(()) };
    let paths: Vec<_> = outside.subvolumes.iter().map(|it| it.path.to_string_lossy()).collect();
    log::error!("what a first boot changed in {} stays", paths.join(", "));
    change(disk, |record| record.outside = None)
}

fn recorded_outside(disk: &Disk) -> Option<Outside> {
    store(disk).read().readable().and_then(|record| record.outside.clone())
}

/// Writes the result that the record tells of, with what is not in it if this is the start
/// that applied it: the configuration, and what was made on disks. Durable once the disk is
/// synchronised: until then the record tells it.
pub(super) fn applied(disk: &Disk, found: Option<&Found>, made: Vec<String>) -> Result<()> {
    let state = store(disk).read();
    let Some(done) = state.readable().and_then(|record| record.firstboot.as_ref()) else {
        bail!("the record does not tell of a first boot: {state:?}");
    };
    let outcome = Outcome {
        source: Some(done.source.clone()),
        sha256: Some(done.sha256.clone()),
        snapshot: Some(done.configured),
        pristine: Some(done.pristine),
        instance_id: done.instance.as_ref().map(|instance| instance.id.clone()),
        at: Some(done.at),
        disks: made,
        ..Outcome::of(State::Applied)
    };
    let outcome = found.into_iter().fold(outcome, Outcome::with);
    outcome.write_unsynced(&state_dir(disk))
}

/// The record, in both its places.
pub(super) fn store(disk: &Disk) -> Store {
    Store::in_places(state_dir(disk), disk.snapshots.dir())
}

/// The directory of the record and of the result.
pub(super) fn state_dir(disk: &Disk) -> PathBuf {
    disk.var.join(store::DIR.trim_start_matches("/var/"))
}
