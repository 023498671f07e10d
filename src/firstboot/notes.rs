//! What first boot leaves on the disk about itself: in the record, ahead of the
//! new default, and as a result for others, after it.

use std::path::PathBuf;

use anyhow::{Result, bail};
use jiff::Timestamp;

use super::outcome::{Outcome, State};
use super::stage::Found;
use crate::record::store::{self, Store};
use crate::record::{self, FirstBoot, Record, SnapshotId};
use crate::snapshot::disk::Disk;

/// Writes ahead what is about to become the default.
pub(super) fn write_ahead(
    disk: &Disk,
    configured: SnapshotId,
    pristine: SnapshotId,
    found: &Found,
) -> Result<()> {
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
    record.firstboot = Some(FirstBoot {
        configured,
        pristine,
        source: found.source.clone(),
        sha256: found.sha256.clone(),
        at: Timestamp::now(),
    });
    store.write(&record)
}

/// Writes the result that the record tells of.
pub(super) fn applied(disk: &Disk) -> Result<()> {
    let state = store(disk).read();
    let Some(done) = state.readable().and_then(|record| record.firstboot.as_ref()) else {
        bail!("the record does not tell of a first boot: {state:?}");
    };
    let outcome = Outcome {
        source: Some(done.source.clone()),
        sha256: Some(done.sha256.clone()),
        snapshot: Some(done.configured),
        pristine: Some(done.pristine),
        at: Some(done.at),
        ..Outcome::of(State::Applied)
    };
    outcome.write(&state_dir(disk))
}

/// The record, in both its places.
pub(super) fn store(disk: &Disk) -> Store {
    Store::in_places(state_dir(disk), disk.snapshots.dir())
}

/// The directory of the record and of the result.
pub(super) fn state_dir(disk: &Disk) -> PathBuf {
    disk.var.join(store::DIR.trim_start_matches("/var/"))
}
